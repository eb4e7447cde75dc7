from __future__ import annotations

import numpy as np
import pytest

from rall.codegen.kernel import lower
from rall.errors import EquationError
from rall.groups import Resolver
from rall.groups.resolver import all_names, external_value, fold
from rall.ir.nodes import Call, Name, Number
from rall.ir.parse import parse
from rall.ir.render import render
from rall.ir.visit import names, walk
from rall.model import SHARED, Assign, Clock, Domain, Elementwise, Layout, Variable
from rall.units import ms, mV, nA, nS, volt

DOMAIN = Domain("d", Layout(5))


def resolver(subexpressions=None, constants=None, **external):
    table = {name: Variable(name, DOMAIN) for name in ("v", "m", "x")}
    lines = {name: parse(text).node for name, text in (subexpressions or {}).items()}
    return Resolver(table, lines, external, {} if constants is None else constants)


def test_names_of_the_group_stay_and_are_bound():
    r = resolver()
    assert r.text("v + m*2").children[0] is Name("v")
    assert r.bindings == {"v": r.table["v"], "m": r.table["m"]}


def test_units_and_constants_become_numbers():
    r = resolver()
    assert render(r.text("3*mV")) == "0.003"
    assert r.text("10*ms + 1*second") is Number(1.01)
    assert r.text("pi").value == pytest.approx(np.pi, rel=1e-15)
    assert r.text("gas_constant").value == pytest.approx(8.314462618, rel=1e-9)
    assert r.bindings == {}


def test_subexpressions_are_written_out_once_each():
    r = resolver({"a": "b*m", "b": "v/mV + c", "c": "2 + 3"})
    node = r.text("a + a/b")
    assert names(node) == {"v", "m"}
    assert sum(render(part) == "v/0.001 + 5.0" or "v" in render(part) for part in walk(node)) >= 1
    assert r.name("b") is r.name("b")
    assert "5.0" in render(r.name("b"))


def test_external_values_are_shared_constants_with_their_present_value():
    kept = {}
    r = resolver(constants=kept, g=3 * nS, n=4, yes=True)
    node = r.text("g*v*n if yes else 0")
    assert names(node) >= {"g", "v", "n"} and "yes" not in r.bindings
    assert r.bindings["g"].shared and r.bindings["g"].role == "constant"
    assert r.bindings["g"].array[0] == pytest.approx(3e-9, rel=1e-15)
    again = resolver(constants=kept, g=5 * nS)
    again.text("g")
    # The same variable, so that programs that read it stay valid.
    assert again.bindings["g"] is r.bindings["g"] and r.bindings["g"].array[0] == pytest.approx(5e-9)


def test_a_unit_under_another_name_is_a_number():
    assert resolver(my_unit=ms).text("2*my_unit") is Number(0.002)


@pytest.mark.parametrize(
    ("text", "external", "words"),
    [
        ("vv + 1", {}, r"'vv' is not known.*'v'"),
        ("g*v", {"g": np.array([1.0, 2.0]) * nS}, "array of 2 values.*TimedArray"),
        ("g*v", {"g": "text"}, "'g' is a str"),
        ("g(v)", {"g": 3}, "'g' is not a function"),
        ("sinn(v)", {}, "not a function.*'sin'"),
    ],
)
def test_what_is_refused(text, external, words):
    with pytest.raises(EquationError, match=words):
        resolver(**external).text(text)


def test_circles_are_found():
    with pytest.raises(EquationError, match="a -> b -> a"):
        resolver({"a": "b + 1", "b": "a*2"}).text("a")


def test_noise_symbols_are_left_for_the_integrator():
    assert resolver().text("xi + xi_other*v") is parse("xi + xi_other*v").node


def test_functions_that_say_what_they_are():
    class Doubled:
        def in_equations(self, known_as, arguments):
            table = f"_extra_{known_as}"
            return Call("min", Name(table), arguments[0]), {table: Variable(table, SHARED)}

    r = resolver(f=Doubled())
    node = r.text("f(v + 1*mV)")
    assert render(node) == "min(_extra_f, v + 0.001)"
    assert set(r.bindings) == {"_extra_f", "v"}


def test_composite_functions_are_expanded_and_literals_folded():
    assert "timestep" not in render(resolver().text("timestep(3*ms, 1*ms)"))
    assert render(fold(parse("2*3 + x*0 + 2**3").node)) == "14.0"
    assert fold(parse("(-8)**(1/3)").node) is not None
    assert all_names([Name("a"), parse("b + c").node]) == {"a", "b", "c"}


def test_draws_of_subexpressions_are_their_own():
    r = resolver({"a": "rand()", "b": "rand()", "c": "a + rand()"})
    node = r.text("a + b + c + rand() - rand()")
    draws = [part for part in walk(node) if isinstance(part, Call)]
    assert len(draws) == 5  # a is drawn once, though it stands here twice
    assert len({part.occurrence for part in draws}) == 5


def test_a_named_draw_is_one_value_in_all_statements():
    r = resolver({"a": "rand()"})
    stream = {n: Variable(n, SHARED, kind="integer") for n in ("_seed", "_stream", "_step")}
    element = Variable("_element", DOMAIN, kind="integer")
    statements = [Assign("v", r.text("a + rand()")), Assign("m", r.text("2*a + rand()"))]
    operation = Elementwise(
        name="o", clock=Clock(1e-4), domain=DOMAIN, statements=statements,
        bindings={**r.table, **stream, "_element": element},
    )  # fmt: skip
    kernel, _ = lower(operation)
    places = [node.children[-1].value for s in kernel.stores for node in walk(s.value) if isinstance(node, Call)]
    assert sorted(places) == [0, 0, 1, 2]


def test_external_value():
    assert external_value("x", 3) == 3.0
    assert external_value("x", np.float32(2)) == 2.0
    assert external_value("x", 2 * mV) == pytest.approx(0.002)
    assert external_value("x", np.True_) is True
    assert type(external_value("x", np.array(1.5))) is float
    with pytest.raises(EquationError, match="'x' is a list"):
        external_value("x", [1, 2])
    assert external_value("x", np.array(3.0) * volt) == 3.0
    assert nA is not None
