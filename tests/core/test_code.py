"""Code of the user as statements of variables, and conditions."""

from __future__ import annotations

import numpy as np
import pytest
from plain_group import Plain

from rall.errors import EquationError, RallError
from rall.groups.code import code_identifiers, compile_code, compile_condition
from rall.ir.nodes import Select
from rall.ir.parse import parse
from rall.ir.visit import names
from rall.model import Elementwise
from rall.simulation import Network
from rall.units import ms, mV, second


@pytest.fixture
def group():
    made = Plain()
    made.v = "i*mV"
    made.n = "i"
    made.tau = 3 * ms
    return made


def run(group, text, steps=1, **external):
    """Do what some code says to all elements, in each of some steps."""
    found = group.externals(code_identifiers(text), external)
    code = compile_code(group, text, found, "the code")

    class Doer(Plain):
        def operations(self, model):
            bindings = {**code.bindings, **group.random_bindings(group.domain, model, "", code.statements)}
            yield Elementwise(
                name="do", clock=group.clock, domain=group.domain, statements=code.statements, bindings=bindings
            )

    Network(group, Doer(text="q : 1", clock=group.clock)).run(steps * group.clock.dt * second, namespace={"scale": 2.0})
    return code


# --- names ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v = 0*mV", {"mV"}), ("v += w", {"v", "w"}), ("h = v; v = h*2", {"v"}), ("h = 1\nh += v\nw = h", {"v"}),
        ("x = exp(y)", {"y", "exp"}), ("", set()), ("x = x + 1", {"x"}), ("a = b; b = 3; c = b", {"b"}),
    ],
)  # fmt: skip
def test_names_that_code_reads_before_it_has_set_them(text, found):
    assert code_identifiers(text) == found


# --- what statements do ---


def test_statements_follow_each_other(group):
    code = run(group, "h = v/mV + n; n = n + 1  # a comment\nv = h*mV\nn += 10*n; on = v > 4*mV")
    np.testing.assert_allclose(group.v / mV, 2.0 * np.arange(7), rtol=1e-14)
    assert group.n[:].tolist() == [11 * (k + 1) for k in range(7)]
    assert group.on[:].tolist() == [2 * k > 4 for k in range(7)]
    assert code.written == {"n", "v", "on"}
    assert set(code.bindings) == {"v", "n", "on"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n += 2", [2, 3, 4]), ("n -= 2", [-2, -1, 0]), ("n *= 3", [0, 3, 6]), ("n //= 2", [0, 0, 1]),
        ("n **= 2", [0, 1, 4]), ("n %= 2", [0, 1, 0]),
        ("n = -n", [0, -1, -2]), ("n -= n - 1", [1, 1, 1]), ("n *= 2 + 1", [0, 3, 6]),
        ("n = 5 if on else 7", [7, 7, 7]), ("n = int(v > 0.5*mV)", [0, 1, 1]),
    ],
)  # fmt: skip
def test_each_kind_of_assignment(group, text, expected):
    run(group, text)
    assert group.n[:].tolist()[:3] == expected


def test_subexpressions_externals_and_shared_values_can_be_read(group):
    run(group, "v = half*factor + tau/ms*mV", factor=3.0)
    np.testing.assert_allclose(group.v / mV, 1.5 * np.arange(7) + 3, rtol=1e-13)


def test_shared_values_can_be_set_to_what_all_share(group):
    run(group, "h = 2*tau; tau = h + dt; n = int(tau/ms)", steps=1)
    np.testing.assert_allclose(group.tau_, 6e-3 + group.dt_, rtol=1e-14)
    assert set(group.n[:].tolist()) == {6}


def test_no_statements_are_no_work(group):
    code = compile_code(group, "  # nothing\n\n", {}, "the code")
    assert (code.statements, code.bindings, code.written) == ([], {}, set())
    run(group, "h = v")
    np.testing.assert_allclose(group.v / mV, np.arange(7), rtol=1e-14)


def test_draws_of_each_element_differ(group):
    run(group, "v = rand()*mV")
    assert len(set(group.v_[:].tolist())) == 7


def test_a_draw_for_a_shared_value_is_one_draw(group, target):
    run(group, "tau = rand()*ms; v = tau/ms*mV; tau += ms")
    shared = group.v_[:] * 1e3
    assert 0 < shared[0] < 1
    np.testing.assert_allclose(shared, shared[0], rtol=1e-15)
    np.testing.assert_allclose(group.tau_, (1 + shared[0]) * 1e-3, rtol=1e-14)


class Frozen(Plain):
    """v stands still while `on` is false."""

    def frozen_while(self, name):
        return "on" if name == "v" else None


def test_what_stands_still_is_left_alone():
    group = Frozen()
    group.on = "i > 3"
    code = run(group, "v = 5*mV; n = 5")
    np.testing.assert_allclose(group.v / mV, [0, 0, 0, 0, 5, 5, 5], rtol=1e-14)
    assert set(group.n[:].tolist()) == {5}
    assert isinstance(code.statements[0].value, Select) and "on" in code.bindings
    always = compile_code(group, "v = 5*mV", {}, "the code", {"v"})
    assert not isinstance(always.statements[0].value, Select)


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("half = 3*mV", "'half', which is computed by its equation"), ("w += 1", "changes 'w', which is no variable"),
        ("vv *= 2", "'v'"), ("i = 3", "'i', which code cannot change"), ("N = 3", "'N', which code cannot change"),
        ("t = 3*ms", "'t', which code cannot change"), ("g = 1*nS", "'g', which is declared constant"),
        ("v = 3*ms", "'v' is in"), ("v = on", "'v' is in volt"),
        ("on = n", "condition"), ("n = 0.5", "integer"), ("on += 1", "condition"),
        ("h = unknown", "unknown"), ("tau = v/volt*ms", "one value for all elements, and this may differ"),
        ("h = n; tau = h*ms", "one value for all elements"), ("h = rand(); tau = h*ms", "one value for all elements"),
        ("factor = factor + 1", "'factor', which is a value from outside"),
        ("factor += 1", "'factor', which is a value from outside"),
        ("exp = 3", "'exp'"), ("mV = 3", "'mV'"), ("v", "assigns"), ("if on: v = 3*mV", "if"),
    ],
)  # fmt: skip
def test_what_code_cannot_do_is_said(group, text, why):
    with pytest.raises(EquationError, match=why) as caught:
        compile_code(group, text, {"factor": 2.0}, "the code")
    assert text.split("; ")[-1] in str(caught.value)


def test_events_do_not_set_shared_values(group):
    assert compile_code(group, "tau = 2*tau", {}, "the code").written == {"tau"}
    with pytest.raises(EquationError, match=r"the reset sets 'tau'.*several events"):
        compile_code(group, "v = 0*mV; tau = 2*tau", {}, "the reset", for_events=True)


def test_linked_variables_are_not_set(group):
    other = Plain(n=7)
    group.links["far"] = other.variables["v"]
    with pytest.raises(EquationError, match="'far', which code cannot change"):
        compile_code(group, "far = 3*mV", {}, "the code")
    assert set(compile_code(group, "v = far", {}, "the code").bindings) == {"v", "far"}


# --- conditions ---


def test_a_condition_is_an_expression_of_variables(group):
    node, bindings = compile_condition(group, "half > level and not on", {"level": 2 * mV}, "the threshold")
    assert names(node) == {"v", "level", "on"} == set(bindings)
    assert bindings["v"] is group.variables["v"]
    node, bindings = compile_condition(group, "on", {}, "the threshold")
    assert node is parse("on").node and set(bindings) == {"on"}


@pytest.mark.parametrize("text", ["v", "n + 1", "3", "v > 3", "v > 3*ms", "v >", "who > 3"])
def test_what_is_no_condition_is_refused(group, text):
    with pytest.raises(RallError) as caught:
        compile_condition(group, text, {}, "the threshold")
    assert text in str(caught.value)


def test_a_value_in_place_of_a_condition_is_named(group):
    with pytest.raises(EquationError, match="the threshold is a condition, and 'v' is a value"):
        compile_condition(group, "v", {}, "the threshold")
