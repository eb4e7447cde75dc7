"""Equations: lines, flags, units, composition and substitution, with errors that show the user's line."""

from __future__ import annotations

import copy
import pickle
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rall.equations import Equations, Flag, FlagKind, Line, infer
from rall.equations.flags import check_flags, find_flag, parse_flags
from rall.equations.lines import AbstractLineKind
from rall.equations.text import parse_lines
from rall.equations.units import constant_value, parse_unit
from rall.errors import EquationError, RallWarning
from rall.ir import nodes as n
from rall.ir.parse import Source, parse
from rall.ir.visit import names
from rall.units import (
    DIMENSIONLESS,
    Quantity,
    amp,
    cm,
    dimension_of,
    meter,
    mM,
    mS,
    ms,
    mV,
    nA,
    second,
    siemens,
    volt,
)
from rall.units.dimension import get_or_create_dimension

HH = """
# Hodgkin & Huxley 1952
dv/dt = (g_l*(E_l - v) + I   # leak
    + g_Na*m**3*(E_Na - v))/Cm : volt (unless refractory)

dm/dt = alpha*(1 - m) - beta*m : 1
alpha = 0.1/mV*(v + 40*mV)/ms : Hz
I : amp (shared,
         constant)
n : integer
on : boolean
"""


def mistake(text, **more):
    with pytest.raises(EquationError) as raised:
        Equations(text, **more)
    return raised.value


def test_lines_of_the_three_kinds():
    eqs = Equations(HH)
    assert eqs.names == ("v", "m", "alpha", "I", "n", "on")
    assert eqs.diff_eq_names == ("v", "m")
    assert eqs.subexpr_names == ("alpha",)
    assert eqs.parameter_names == ("I", "n", "on")
    assert eqs.eq_names == ("v", "m", "alpha")
    assert [line.type for line in eqs.lines][:3] == ["differential equation"] * 2 + ["subexpression"]
    assert eqs.dimensions["alpha"] is get_or_create_dimension(time=-1)
    assert (eqs["n"].var_type, eqs["on"].var_type, eqs["m"].var_type) == ("integer", "boolean", "float")
    assert eqs["v"].expr == "(g_l*(E_l - v) + I + g_Na*m**3*(E_Na - v))/Cm"
    assert eqs["v"].node is parse(eqs["v"].expr).node
    assert [flag.name for flag in eqs["I"].flags] == ["shared", "constant"]
    assert (eqs["v"].number, eqs["m"].number, eqs["I"].number) == (3, 6, 8)
    assert eqs.identifiers >= {"g_l", "E_Na", "mV", "ms", "alpha", "v"}
    assert not eqs.is_stochastic


def test_a_mapping_from_names_to_lines():
    eqs = Equations(HH)
    assert list(eqs) == list(eqs.names)
    assert len(eqs) == 6
    assert "m" in eqs
    assert eqs.get("zz") is None
    with pytest.raises(KeyError, match="did you mean 'alpha'"):
        eqs["alhpa"]
    assert all(isinstance(line, Line) for line in eqs.values())


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", '"""only documentation"""', "  \t "])
def test_nothing_is_fine(text):
    eqs = Equations(text)
    assert len(eqs) == 0
    assert str(eqs) == ""


def test_documentation_inside_is_skipped():
    eqs = Equations('"""A cell.\nWith x : y in it."""\nx : volt  # "quoted"\n\'one line\'\ny : 1')
    assert eqs.names == ("x", "y")
    assert eqs["y"].number == 5


def test_printing_gives_text_that_means_the_same():
    eqs = Equations(HH)
    again = Equations(str(eqs))
    assert again == eqs
    assert hash(again) == hash(eqs)
    assert eval(repr(eqs)) == eqs
    assert "dm/dt = alpha*(1 - m) - beta*m : 1" in str(eqs)


def test_equality_is_by_content():
    assert Equations("x : metre") == Equations("x   :   meter  # same")
    assert Equations("x : metre") != Equations("x : volt")
    assert Equations("x : 1") != Equations("x : integer")
    assert Equations("x : 1") != Equations("x : 1 (constant)")
    assert Equations("x : 1", defaults={"x": 1}) != Equations("x : 1", defaults={"x": 2})
    assert Equations("dx/dt = g : 1", g=1 / second) != Equations("dx/dt = g : 1", g=2 / second)
    assert Equations("x : 1") != "x : 1"


def test_equations_cannot_be_changed():
    eqs = Equations("x : 1", defaults={"x": 1.0})
    with pytest.raises(AttributeError, match="cannot be changed"):
        eqs.lines = ()
    with pytest.raises(TypeError):
        eqs.defaults["x"] = 2


def test_copies_and_pickles():
    eqs = Equations("dx/dt = -x*g : volt", g=3 / second, defaults={"x": 2 * mV}, sources="somebody 1999")
    for again in (pickle.loads(pickle.dumps(eqs)), copy.deepcopy(eqs), copy.copy(eqs)):
        assert again == eqs
        assert again.sources == ("somebody 1999",)
        assert again["x"].node is eqs["x"].node


# --- units ---


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("1", DIMENSIONLESS), ("volt", volt.dim), ("siemens/meter**2", (siemens / meter**2).dim),
        ("mM", mM.dim),
        ("molar", mM.dim), ("second**-0.5", second.dim**-0.5), ("1/second", second.dim**-1),
        ("siemens/(meter*meter)", (siemens / meter**2).dim), ("metre**(1/2)", meter.dim**0.5),
        ("amp*second", (amp * second).dim),
        ("Hz", second.dim**-1), ("meter**(-2)", meter.dim**-2),
    ],
)  # fmt: skip
def test_units_of_lines(text, dimension):
    assert parse_unit(text) == (dimension, "float")
    assert Equations(f"x : {text} (constant)")["x"].dimension is dimension
    assert Equations(f"x:{text}")["x"].dimension is dimension


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("mV", "write 'volt'"), ("nS", "write 'siemens'"), ("uF/cm**2", "write 'farad'"),
        ("cm", "write 'metre'"),
        ("2*volt", "without a number"), ("volt + volt", "product of powers"), ("vlot", "did you mean 'volt'"),
        ("volt**x", "exponent"), ("volt**1e300", "exponent"), ("float", "is '1'"), ("bool", "is 'boolean'"),
        ("integer*2", "cannot be part"), ("", "unit is missing"), ("volt*exp(1)", "no unit 'exp'"),
        ("uM", "write"),
        ("volt if volt else volt", "product of powers"),
    ],
)  # fmt: skip
def test_what_is_no_base_unit_is_explained(unit, message):
    assert message in mistake(f"x : {unit}").message


def test_constant_values():
    assert constant_value(parse("-(1/2)**2").node) == -0.25
    assert constant_value(parse("x + 1").node) is None
    assert constant_value(parse("1/0").node) is None
    assert constant_value(parse("10.0**999").node) is None


# --- mistakes ---

MISTAKES = [
    ("dv/dt = -v/tau", "unit is missing", None, 14),
    ("dv/dt = -v/tau\nx : 1", "unit is missing", 1, 14),
    ("x = a\n\ny = b : 1", "unit is missing", 1, 5),
    ("x = a\ny : 1", "unit is missing", 1, 5),
    ("x : volt\ny = x ^ 2 : volt", "use ** for powers", 2, 6),
    ("x = a +\n  b[2] : 1", "indexing", 2, 1),
    ("x : volt\n\nx : amp", "defined twice", 3, 0),
    ("mV : volt", "is a unit", None, 0), ("t : second", "the time", None, 0),
    ("dt : second", "time step", None, 0),
    ("i : integer", "index of an element", None, 0), ("N : 1", "number of elements", None, 0),
    ("xi : 1", "white noise", None, 0), ("xi_a : 1", "white noise", None, 0),
    ("exp : 1", "is a function", None, 0),
    ("pi = 3 : 1", "is a constant", None, 0), ("dinf/dt = 1 : 1", "is a constant", None, 1),
    ("_x : 1", "underscore", None, 0), ("lambda : 1", "word of Python", None, 0),
    ("x = _value_g : 1", "kept for rall", None, 4),
    ("x += 1", "no statements", None, 0), ("dv/dx = 1 : 1", "derivatives by time", None, 0),
    ("v' = 1 : 1", "dx/dt", None, 0),
    ("2x : 1", "begin with a digit", None, 0), ("x == 1 : 1", "one '='", None, 0),
    ("hello", "dx/dt", None, 0),
    (": 1", "dx/dt", None, 0), ("dn/dt = 1/second : integer", "cannot be integer", None, 19),
    ("x : 1 (constnt)", "did you mean 'constant'", None, 7),
    ("x : 1 (constant, constant)", "twice", None, 17),
    ("x : 1 ()", "flag is missing", None, 7), ("x : 1 (constant,)", "flag is missing", None, 16),
    ("x : 1 (D=3)", "after the flag", None, 7), ("x : 1 (constant, D=3)", "has no 'D='", None, 17),
    ("x : 1 (constant", "never closed", None, 6), ("x : 1 constant)", "no matching", None, 14),
    ("x = 1 : 1 (constant)", "for a parameter", None, 11),
    ("x : 1 (unless refractory)", "differential equation", None, 7),
    ("x : 1 (constant over dt)", "for a subexpression", None, 7),
    ("x : 1 (linked, constant)", "exclude", None, 7),
    ("dx/dt = 1/second : 1 (event-driven, clock-driven)", "exclude", None, 22),
    ("x = 1*amp : amp (point current, membrane current)", "exclude", None, 17),
    ("x = x + 1 : 1", "uses itself", None, 4), ("x = y : 1\ny = z : 1\nz = x : 1", "need each other", 1, 4),
    ("da/dt = xi : 1\ndb/dt = xi : 1", "xi_1 and xi_2", 2, 8),
    ("x = 1 : 1 : 1", "':' cannot stand here", None, 10),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "line", "column"), MISTAKES)
def test_mistakes_show_line_and_place(text, message, line, column):
    error = mistake(text)
    assert message in str(error)
    assert (error.line, error.column) == (line, column)


def test_a_double_definition_shows_both_lines():
    text = str(mistake("x : volt\ny : 1\nx = 3*mV : volt"))
    assert "x : volt" in text
    assert "line 3: x = 3*mV : volt" in text


@pytest.mark.parametrize("value", [None, 3, 3 * mV, b"x : 1"])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(EquationError, match="text"):
        Equations(value)


# --- flags ---


def test_flags_with_words_and_keywords():
    sample = FlagKind("species", ("parameter",), options=("D", "shells"))
    flux = FlagKind("flux into", ("subexpression",), words=1)
    assert sample.options == ("D", "shells")
    assert flux.words == 1
    flags = parse_flags("constant over dt ,  point   current", Source("constant over dt ,  point   current"))
    assert flags == (Flag("constant over dt"), Flag("point current"))
    assert find_flag("unless refractory").lines == ("differential equation",)
    check_flags((Flag("constant"), Flag("shared")), "parameter")
    flag = Flag("species", (), (("D", "220*um**2/second"), ("shells", "[1, 2]")))
    assert flag.get("shells") == "[1, 2]"
    assert flag.get("D_long") is None
    assert str(flag) == "species, D=220*um**2/second, shells=[1, 2]"
    assert str(Flag("flux into", ("Ca",))) == "flux into Ca"


@pytest.fixture
def extended(monkeypatch):
    """Flags and a kind of line as a plugin would bring them."""
    from rall import registry

    class Arrow(AbstractLineKind):
        name = "arrow"

        def matches(self, text):
            return "~>" in text

        def parse(self, text, where, bound):
            value = parse(text.partition(":")[2], where, bound)
            return Line("arrow", "", DIMENSIONLESS, "float", "1", value, (), text, where, (), "payload")

    fresh = registry._Registry()
    fresh.found = {group: {} for group in registry.GROUPS}
    fresh.found["rall.lines"]["arrow"] = ("nowhere:Arrow", "rall-arrows")
    fresh.found["rall.flags"] |= {
        "stuff": ("nowhere:S", "rall-arrows"),
        "flux_into": ("nowhere:F", "rall-arrows"),
    }
    fresh.loaded["rall.lines", "arrow"] = Arrow
    fresh.loaded["rall.flags", "stuff"] = FlagKind("stuff", ("parameter",), options=("D", "shells"))
    fresh.loaded["rall.flags", "flux_into"] = FlagKind("flux into", ("subexpression",), words=1)
    monkeypatch.setattr(registry, "_registry", fresh)


def test_plugins_bring_flags_and_kinds_of_lines(extended):
    eqs = Equations(
        "Ca : mM (stuff, D=220*um**2/second, shells=[0.1, 0.9])\n"
        "J = 1*mM*D0 : mM*metre/second (flux into Ca)\n"
        "Ca + B <~> CaB : k_on*D0",
        Ca="Calcium",
        D0="D_zero",
    )
    assert eqs.names == ("Calcium", "J")
    assert eqs["Calcium"].flags == (
        Flag("stuff", (), (("D", "220*um**2/second"), ("shells", "[0.1, 0.9]"))),
    )
    assert eqs["J"].flag("flux into").args == ("Calcium",)
    (arrow,) = (line for line in eqs.lines if line.kind == "arrow")
    assert arrow.payload == "payload"
    assert names(arrow.node) == {"k_on", "D_zero"}
    assert "one name" in mistake("J = 1 : 1 (flux into)").message
    assert "did you mean 'shells'" in mistake("Ca : mM (stuff, shels=3)").message
    assert "twice" in mistake("Ca : mM (stuff, D=3, D=4)").message


# --- composition ---


def test_sums():
    leak, na = Equations("I_l = g_l*v : amp"), Equations("I_na = g*v : amp")
    total = leak + na + "v : volt"
    assert total.names == ("I_l", "I_na", "v")
    assert "v : volt" + leak == Equations("v : volt\nI_l = g_l*v : amp")
    assert sum([leak, na]) == leak + na
    assert leak.names == ("I_l",)
    with pytest.raises(EquationError, match="defined twice"):
        leak + leak
    with pytest.raises(TypeError):
        leak + 3


def test_sum_keeps_defaults_and_sources():
    a = Equations("g : siemens/meter**2 (constant)", defaults={"g": 120 * mS / cm**2}, sources=["A 1952"])
    b = Equations("E : volt (constant)", defaults={"E": "-70*mV"}, sources=["B 1953", "A 1952"])
    both = a + b
    assert dict(both.defaults) == {"g": 120 * mS / cm**2, "E": "-70*mV"}
    assert both.sources == ("A 1952", "B 1953")
    assert b.with_flag("constant") == b.lines


def test_defaults_are_checked():
    with pytest.raises(EquationError, match="siemens"):
        Equations("g : siemens", defaults={"g": 3 * mV})
    with pytest.raises(EquationError, match="did you mean 'g_Na'"):
        Equations("g_Na : siemens", defaults={"g_na": 3})
    with pytest.raises(EquationError, match="computed"):
        Equations("x = 3 : 1", defaults={"x": 3})
    with pytest.raises(EquationError, match="too early"):
        Equations("g : siemens", defaults={"g": "3*"})
    assert np.array_equal(
        Equations("x : volt", defaults={"x": [1, 2] * mV}).defaults["x"].value, [1e-3, 2e-3]
    )


def test_substituting_names():
    eqs = Equations(
        "dx/dt = -x/tau + exp(x) : 1 (unless refractory)\ntau : second", x="y", tau="tau_y", exp="my_exp"
    )
    assert str(eqs) == "dy/dt = -y/tau_y + my_exp(y) : 1 (unless refractory)\ntau_y : second"
    renamed = Equations(Equations("m : 1", defaults={"m": "m0*m1"}), m="m_Na", m1="q")
    assert dict(renamed.defaults) == {"m_Na": "m0*q"}
    swapped = Equations("dx/dt = -y/ms : 1\ndy/dt = x/ms : 1", x="y", y="x")
    assert str(swapped) == "dy/dt = -x/ms : 1\ndx/dt = y/ms : 1"


def test_substituting_expressions():
    eqs = Equations("dx/dt = -x/tau : 1", tau="a + b")
    assert eqs["x"].node is parse("-x/(a + b)").node
    assert "only get another name" in mistake("x : 1", x="a + b").message
    assert "is a unit" in mistake("x : 1", x="mV").message


def test_substituting_values_keeps_them_as_data():
    a, b = (
        Equations("dv/dt = g*(E - v)/Cm : volt", g=value, E=-70 * mV) for value in (1 * siemens, 2 * siemens)
    )
    assert a["v"].node is b["v"].node
    assert a != b
    assert a["v"].identifiers == {"v", "Cm"}
    assert set(a.bindings.values()) == {1 * siemens, -70 * mV}
    assert str(b) == "dv/dt = (2*siemens)*((-70*mvolt) - v)/Cm : volt"
    assert names(b["v"].node) == {"v", "Cm", *b.bindings}


def test_values_of_one_name_stay_apart_in_sums():
    total = Equations("dx/dt = -x*k : 1", k=1 / second) + Equations("dy/dt = -y*k : 1", k=2 / second)
    total = total + Equations("dz/dt = -z*k : 1", k=1 / second) + Equations("w = k : 1")
    k_of = {name: names(line.node) - {name} for name, line in total.items()}
    assert k_of["x"] == k_of["z"]
    assert k_of["x"] != k_of["y"]
    assert k_of["w"] == {"k"}
    assert {total.bindings[next(iter(k_of[name]))].value for name in "xy"} == {1.0, 2.0}


def test_values_survive_later_substitution():
    eqs = Equations(Equations("dx/dt = -x*k + a : 1", k=3 / second), x="y", a=1 / second)
    assert Equations(str(eqs))["y"].node is parse("-y*(3*hertz) + (1*hertz)").node
    assert sorted(value.value for value in eqs.bindings.values()) == [1.0, 3.0]


@pytest.mark.parametrize(
    ("value", "message"),
    [([1, 2], "list"), (np.array([1.0, 2.0]), "ndarray"), ([1, 2] * mV, "array of shape"), (None, "None")],
)
def test_values_that_cannot_be_put_in(value, message):
    with pytest.raises(EquationError, match=message):
        Equations("dx/dt = -x/tau : 1", tau=value)


def test_a_variable_cannot_be_replaced_by_a_value():
    assert "cannot be replaced by the value" in mistake("x : 1\ny = x : 1", x=3).message


def test_equations_from_lines():
    lines = parse_lines("x : 1\ny = 2*x : 1")
    assert Equations(lines[::-1]).names == ("y", "x")
    with pytest.raises(EquationError, match="lines"):
        Equations(["x : 1"])


# --- what is derived ---


def test_subexpressions_in_order():
    eqs = Equations("a = b + c : 1\nb = c*2 : 1\nc = p : 1\np : 1\ndx/dt = a/ms : 1")
    assert [line.varname for line in eqs.ordered_subexpressions] == ["c", "b", "a"]
    assert eqs.substituted() == [("x", parse("(p*2 + p)/ms").node)]
    assert eqs.substituted(include_subexpressions=True)[1:] == [
        ("a", parse("p*2 + p").node), ("b", parse("p*2").node), ("c", n.Name("p")),
    ]  # fmt: skip


def test_expressions_as_text():
    eqs = Equations("a = b/tau : Hz\nb = p*2 : 1\np : 1\ndx/dt =  a  : 1", tau=10 * ms)
    assert eqs.get_substituted_expressions() == [("x", "p*2/(10*msecond)")]
    assert eqs.get_substituted_expressions(include_subexpressions=True)[1][1].code == "p*2/(10*msecond)"
    assert eqs.diff_eq_expressions == [("x", "a")] and eqs["a"].expr.code == "b/tau"


def test_keywords_that_replace_nothing_are_told():
    with pytest.warns(RallWarning, match="'taum'.*did you mean 'tau'") as told:
        eqs = Equations("dx/dt = -x/tau : 1", taum=10 * ms)
    assert eqs.identifiers == {"x", "tau"} and told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = Equations("dx/dt = -x/tau : 1", tau=10 * ms)
        Equations(first, tau=20 * ms, x="y")
        Equations("p : 1", defaults={"p": "2*q"}, q=3)


def test_noise():
    eqs = Equations("dx/dt = xi/ms**0.5 + s : 1\ns = xi_2*k : 1")
    assert eqs.stochastic_variables == {"xi", "xi_2"}
    assert eqs.is_stochastic


def test_a_long_chain_of_subexpressions():
    text = "\n".join(f"x{k} = x{k + 1} + 1 : 1" for k in range(300)) + "\nx300 : 1"
    eqs = Equations(text)
    assert [line.varname for line in eqs.ordered_subexpressions] == [f"x{k}" for k in range(299, -1, -1)]


def test_quantities_of_any_kind_can_be_put_in():
    for value in (
        3,
        2.5,
        np.float64(1.5),
        True,
        3 * nA,
        Quantity(2.0),
        ms,
        float("inf"),
        -float("inf"),
        1e400 * mV,
    ):
        eqs = Equations("x = k : 1", k=value)
        assert next(iter(eqs.bindings.values())) == value
        again = parse(Equations(str(eqs))["x"].expr)
        assert infer(again, {}) is dimension_of(value)


# --- fuzz ---


def fuzz():
    import importlib.util

    place = Path(__file__).with_name("fuzz_equations.py")
    spec = importlib.util.spec_from_file_location("fuzz_equations", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FUZZ = fuzz()


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(FUZZ.SEEDS), st.integers(0, 10**9), st.integers(0, 8))
def test_mutated_equations_give_an_answer_or_a_rall_error(seed, number, changes):
    text = FUZZ.mutate(seed, random.Random(number), changes)
    assert FUZZ.check(text) in (True, False)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_an_answer_or_a_rall_error(text):
    assert FUZZ.check(text) in (True, False)
    assert FUZZ.check(f"x = {text} : 1") in (True, False)
