"""Values of names at present, for text that is evaluated from Python."""

from __future__ import annotations

import numpy as np
import pytest
from plain_group import PLACE, Plain

from rall.groups import present as present_module
from rall.groups.bound import draws_in, kind_of, value_of_bound, variable_of
from rall.groups.present import Present
from rall.ir.nodes import Number
from rall.ir.parse import parse
from rall.model import SHARED, Access, Assign, Domain, Layout, Variable
from rall.session import seed, session_seed
from rall.units import ms


@pytest.fixture(params=[None, PLACE], ids=["in order", "shuffled"])
def group(request):
    made = Plain(request.param)
    made.v = "i*mV"
    made.n = "10*i"
    made.tau = 3 * ms
    return made


def present(group, *wanted, **more):
    resolver = group.resolver(group.externals(()))
    for name in wanted:
        resolver.name(name)
    return Present(group, resolver, **more)


def test_values_are_those_of_now_in_the_users_order(group):
    found = present(group, "v", "n", "tau")
    np.testing.assert_allclose(found["v"], np.arange(7) * 1e-3, rtol=1e-14)
    assert found["tau"] == 3e-3 and np.ndim(found["tau"]) == 0
    group.n = 5
    assert found["n"].tolist() == [5] * 7


def test_some_elements_may_be_asked_for(group):
    found = present(group, "n", "tau", selection=np.array([6, 0, 2]))
    assert found["n"].tolist() == [60, 0, 20]
    assert found["tau"] == 3e-3
    assert found["_element"].tolist() == [6, 0, 2]
    assert present(group)["_element"].tolist() == list(range(7))


def test_other_values_can_take_their_place(group):
    found = present(group, "n", "v", local={"n": np.array([1, 2]), "k": 3}, selection=np.array([4, 5]))
    assert found["n"].tolist() == [1, 2] and found["k"] == 3
    np.testing.assert_allclose(found["v"], [4e-3, 5e-3], rtol=1e-14)


def test_it_is_a_mapping_of_what_was_resolved(group):
    found = present(group, "n", "tau", local={"k": 3})
    assert set(found) == {"n", "tau", "k"} and len(found) == 3
    assert "n" in found and "k" in found and "v" not in found
    assert set(present(group, "half")) == {"v"}
    with pytest.raises(KeyError):
        found["v"]


def test_draws_from_python_have_a_place_of_their_own(group):
    found = present(group, draw=4)
    assert found["_step"] == 4
    assert found["_seed"] == session_seed().array[0]
    assert found["_stream"] != group.stream
    seed(7)
    first = group.evaluate("rand()"), group.evaluate("rand()")
    seed(7)
    again = group.evaluate("rand()", np.array([2, 5])), group.evaluate("rand()")
    np.testing.assert_array_equal(again[0], first[0][[2, 5]])
    np.testing.assert_array_equal(again[1], first[1])
    assert not (first[0] == first[1]).any()


def test_what_is_seen_through_a_map(group):
    domain = Domain("seen", Layout(3))
    index = Variable("index", domain, kind="index")
    index.set(group.domain.layout.index(np.array([5, 0, 5])))
    assert value_of_bound(Access(group.variables["n"], index)).tolist() == [50, 0, 50]
    assert value_of_bound(Access(group.variables["tau"], index)).tolist() == [3e-3]
    assert value_of_bound(group.variables["tau"]).tolist() == [3e-3]
    values = value_of_bound(group.variables["n"])
    values[:] = 0
    assert group.n[:].tolist() == [0, 10, 20, 30, 40, 50, 60]


def test_links_tables_and_clocks_are_looked_up_too(group):
    far = Variable("far", Domain("far", Layout(2)))
    far.set([1.5, 2.5])
    index = Variable("index", group.domain, kind="index")
    index.set([0, 1, 1, 0, 0, 1, 0])
    table = Variable("table", Domain("table", Layout(3)), role="table")
    table.set([7, 8, 9])
    one = Variable("one", SHARED)
    one.array[0] = 4
    group.links |= {"far": Access(far, index), "table": table, "one": Access(one, index)}
    found = present(group, "far", "table", "one", "t", selection=np.array([1, 3]))
    assert found["far"].tolist() == [2.5, 1.5]
    assert found["table"][:3].tolist() == [7, 8, 9]
    assert found["one"] == 4 and found["t"] == group.t_
    np.testing.assert_array_equal(group.evaluate("far*one + n", np.array([1, 3])), [20, 36])


@pytest.mark.parametrize("selection", [None, np.array([6, 1, 1, 0, 5])])
@pytest.mark.parametrize("text", ["n*2 + v/volt", "rand() + i", "tau/ms", "n > 20", "3"])
def test_pieces_give_what_all_at_once_does(group, monkeypatch, selection, text):
    seed(3)
    whole = group.evaluate(text, selection)
    for piece in (1, 2, 3, 7):
        monkeypatch.setattr(present_module, "PIECE", piece)
        seed(3)
        found = group.evaluate(text, selection)
        np.testing.assert_array_equal(found, whole)
        assert found.dtype == whole.dtype


def test_variables_and_their_types_wherever_they_are_seen_from(group):
    index = Variable("index", group.domain, kind="index")
    for name, kind in (("v", "float"), ("n", "integer"), ("on", "boolean")):
        variable = group.variables[name]
        for bound in (variable, Access(variable, index)):
            assert variable_of(bound) is variable and kind_of(bound) == kind
    assert kind_of(index) == "integer"


def test_draws_are_found_wherever_they_stand():
    assert draws_in([Assign("x", Number(1.0)), Assign("y", parse("1 + clip(rand(), a, b)").node)])
    assert not draws_in([Assign("x", parse("exp(y)").node)])
