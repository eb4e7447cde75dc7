"""Dimensions and types of expressions, equations and statements; what external names stand for."""

from __future__ import annotations

import numpy as np
import pytest

from rall.equations import (
    Equations,
    check_equations,
    check_expression,
    check_statements,
    infer,
    infer_typed,
    known_value,
    resolve,
    typed_of,
)  # fmt: skip
from rall.errors import EquationError, RallWarning
from rall.functions import BUILTIN, Typed
from rall.ir.parse import parse
from rall.ir.statements import parse_statements
from rall.units import (
    DIMENSIONLESS,
    amp,
    check_units,
    kelvin,
    meter,
    mM,
    mS,
    ms,
    mV,
    nF,
    second,
    siemens,
    um,
    volt,
)
from rall.user_functions import Function, as_function

ENV = {
    "v": (volt.dim, "float"), "w": (volt.dim, "float"), "I": (amp.dim, "float"),
    "x": (DIMENSIONLESS, "float"),
    "n": (DIMENSIONLESS, "integer"), "b": (DIMENSIONLESS, "boolean"), "apical": (DIMENSIONLESS, "boolean"),
    "T": (kelvin.dim, "float"), "Ca": (mM.dim, "float"), "distance": (meter.dim, "float"),
}  # fmt: skip
ONE = DIMENSIONLESS

FINE = [
    ("v + 3*mV", volt.dim, "float"), ("v*I", volt.dim * amp.dim, "float"),
    ("v/I", volt.dim / amp.dim, "float"),
    ("v**2", volt.dim**2, "float"), ("v**-0.5", volt.dim**-0.5, "float"),
    ("v**(1/2)", volt.dim**0.5, "float"),
    ("sqrt(v**2) - w", volt.dim, "float"), ("exp(-v/(3*mV))", ONE, "float"), ("x**n", ONE, "float"),
    ("n**2", ONE, "integer"),
    ("n**-1", ONE, "float"), ("n + 1", ONE, "integer"), ("n/2", ONE, "float"), ("n//2", ONE, "integer"),
    ("n % 2", ONE, "integer"),
    ("v % (3*mV)", volt.dim, "float"), ("v // w", ONE, "float"), ("n*1.0", ONE, "float"),
    ("-n", ONE, "integer"),
    ("v > -20*mV", ONE, "boolean"), ("v > -20*mV and not b or n == 3", ONE, "boolean"),
    ("b == True", ONE, "boolean"),
    ("0*mV < v < 3*mV", ONE, "boolean"), ("int(v > w)", ONE, "integer"), ("int(x)", ONE, "integer"),
    ("sign(v)", ONE, "float"),
    ("1 + apical", ONE, "integer"), ("I*(v > w)", amp.dim, "float"), ("v if b else w", volt.dim, "float"),
    ("b if v > w else not b", ONE, "boolean"), ("clip(v, 0*mV, 1*mV)", volt.dim, "float"),
    ("abs(-v)", volt.dim, "float"),
    ("max(n, 2)", ONE, "integer"), ("min(n, 2.0)", ONE, "float"), ("floor(x)", ONE, "integer"),
    ("rand() < x", ONE, "boolean"),
    ("poisson(x) + n", ONE, "integer"), ("nernst(2, Ca, 2*mM, T)", volt.dim, "float"), ("pi*e", ONE, "float"),
    ("1*meter/second*ghk(v, 2, Ca, 2*mM, 34*kelvin + zero_celsius)", amp.dim / meter.dim**2, "float"),
    ("gas_constant*T/faraday_constant", volt.dim, "float"), ("xi*second**0.5", ONE, "float"),
    ("xi_a*xi_a", second.dim**-1, "float"),
    ("timestep(3*ms, 1*ms)", ONE, "integer"), ("apical and distance > 100*um", ONE, "boolean"),
    ("inf*volt", volt.dim, "float"),
    ("1.5*uF/cm**2 * (1 + apical)", siemens.dim * second.dim / meter.dim**2, "float"),
    ("2**0.5", ONE, "float"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "dimension", "kind"), FINE)
def test_dimension_and_type(text, dimension, kind):
    parsed = parse(text)
    assert infer_typed(parsed, ENV) == Typed(dimension, kind)
    assert infer(parsed.node, ENV) is dimension


MISTAKES = [
    ("v + I", "left is volt ('v'), right is amp ('I')", 2), ("2*v + 3*x", "left is volt ('2*v')", 4),
    ("v - 1", "plain number", 2),
    ("v > 0", "0*volt", 2), ("0 <= v", "0*volt", 2), ("v % x", "'%' differ", 2), ("v == I", "'==' differ", 2),
    ("v if b else I", "'if' differ", 2), ("v**x", "written number", 1), ("v**n", "written number", 1),
    ("x**v", "an exponent is", 1),
    ("v**1e6", "too large", 1), ("v**(0/0)", "written number", 1), ("exp(v)", "without a unit", 4),
    ("log(x, x)", "takes 1 argument", 0),
    ("rand(x)", "takes no arguments", 0), ("clip(v, 0, 1)", "one unit", 8),
    ("x + clip(v, 0*mV, x)", "one unit", 18),
    ("ghk(v, 2, Ca, 2, T)", "fourth argument", 14), ("nernst(1, Ca, v, T)", "third argument", 14),
    ("nernst(1, Ca, Ca, 34)", "kelvin", 18),
    ("b + b", "'or' joins", 2), ("b*b", "'and' joins", 1), ("b - (v > w)", "int(...)", 2),
    ("b/2", "int(...)", 0), ("2**b", "int(...)", 3),
    ("not x", "compare it", 4), ("b and v", "0*volt", 6), ("x or b", "compare it", 0),
    ("b < b", "int(...)", 2), ("b == 1", "int(...)", 2),
    ("exp(b)", "not a condition", 4), ("v if x else w", "condition is missing", 5),
    ("b if b else 1", "int(...)", 2),
    ("mVv", "did you mean 'mV'", 0), ("distanse", "did you mean 'distance'", 0),
    ("qqqq", "not in the namespace", 0),
    ("exq(x)", "did you mean 'exp'", 0), ("zzzz(x)", "@check_units", 0), ("x(3)", "not a function", 0),
    ("mV(3)", "not a function", 0),
    ("exp", "parentheses", 0), ("timestep(3, 1*ms)", "first argument", 9), ("sqrt(v) + v", "'+' differ", 8),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "column"), MISTAKES)
def test_what_does_not_fit_is_shown_at_its_place(text, message, column):
    with pytest.raises(EquationError) as raised:
        infer(parse(text), ENV)
    assert message in raised.value.message
    assert (raised.value.text, raised.value.column) == (text, column)
    with pytest.raises(EquationError, match=r"\S"):
        infer(parse(text).node, ENV)


def test_deep_trees_are_no_trouble():
    assert infer(parse("+".join(["v"] * 3000)), ENV) is volt.dim


def test_user_functions_take_part():
    @check_units(x=volt, result=amp)
    def f(x):
        return x

    functions = {"f": as_function(f)}
    assert infer(parse("f(v) + I"), ENV, functions) is amp.dim
    with pytest.raises(EquationError, match=r"'x' of f\(\) must be volt, not amp: 'I'") as raised:
        infer(parse("2*f( I)"), ENV, functions)
    assert raised.value.column == 5
    with pytest.raises(EquationError, match="parentheses"):
        infer(parse("f"), ENV, functions)


# --- equations ---

MODEL = """
dv/dt = (g_l*(E_l - v) + I)/Cm + sigma*xi*tau**-0.5 : volt
dm/dt = (m_inf - m)/tau : 1
m_inf = 1/(1 + exp(-v/(5*mV))) : 1
I = g_l*3*mV*int(hot) : amp
hot = v > -20*mV : boolean
k = 2*n : integer
n : integer
g_l : siemens
tau : second
sigma : volt
"""
OUTSIDE = {"E_l": -70 * mV, "Cm": 1 * nF}


def test_a_sound_model():
    check_equations(Equations(MODEL), OUTSIDE)
    check_equations(Equations(MODEL, E_l=-70 * mV, Cm=1 * nF))


@pytest.mark.parametrize(
    ("old", "new", "message", "line", "column"),
    [
        ("+ I)", "+ v)", "left is amp", 2, 23), ("xi*tau**-0.5", "xi", "volt/second**0.5", 2, 31),
        ("(m_inf - m)/tau", "m_inf - m", "dm/dt must be in hertz", 3, 8),
        ("1/(1 +", "mV/(1 +", "declared in a plain number", 4, 8),
        ("int(hot)", "(hot*hot)", "'and' joins", 5, 17), (" : boolean", " : integer", "", None, None),
        ("2*n", "n/2", "integer", 7, 4),
        ("v > -20*mV", "v", "'hot' is declared in a plain number, but the expression is in volt", 6, 6),
        ("v > -20*mV", "v/mV", "compare it", 6, 6), ("E_l - v", "E_1 - v", "did you mean 'E_l'", 2, 14),
    ],
)  # fmt: skip
def test_an_unsound_model(old, new, message, line, column):
    eqs = Equations(MODEL.replace(old, new))
    if line is None:  # a condition may be kept as an integer
        check_equations(eqs, OUTSIDE)
        return
    with pytest.raises(EquationError) as raised:
        check_equations(eqs, OUTSIDE)
    assert message in raised.value.message
    assert (raised.value.line, raised.value.column) == (line, column)


def test_default_values_given_as_text_are_checked():
    eqs = Equations(
        "g : siemens/meter**2 (constant)", defaults={"g": "0.02*mS/cm**2 * exp(distance/(323*um))"}
    )
    check_equations(eqs, {"distance": (meter.dim, "float")})
    with pytest.raises(EquationError, match="without a unit"):
        check_equations(eqs, {"distance": 3.0})


def test_functions_and_pairs_as_externals():
    f = Function(lambda x: x, arg_units=[1], arg_names=["x"], return_unit=volt)
    check_equations(Equations("u = f(z) : volt"), {"f": f, "z": (DIMENSIONLESS, "float")})


# --- expressions in their place, statements ---


def test_expressions_for_a_use():
    assert check_expression(parse("v > w"), DIMENSIONLESS, ENV, kind="boolean").kind == "boolean"
    with pytest.raises(EquationError, match="must be a condition"):
        check_expression(parse("x"), DIMENSIONLESS, ENV, kind="boolean")
    with pytest.raises(EquationError, match="must be in amp, but it is in volt"):
        check_expression(parse("v"), amp.dim, ENV)


def test_statements_and_local_names():
    code = parse_statements(
        "v += 1*mV; u = v*2; u -= w\nx *= 2; x **= 2; n += 1; b = u > v; x = b; I /= 2; n = b; v %= w"
    )
    assert check_statements(code, ENV) == {"u": Typed(volt.dim)}


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("v += 1", "'v' is in volt, but what '+=' gives it is a plain number", 5), ("v = I", "in amp", 4),
        ("v *= v", "plain number", 5), ("v **= 2", "change the unit", 6), ("x **= v", "plain number", 6),
        ("q += 1", "no value yet", 5),
        ("n = 2.5", "int(...)", 4), ("n /= 1.5", "int(...)", 5), ("b = x", "condition", 4),
        ("b += 1", "int(...)", 5),
        ("mV = 3", "cannot be assigned", 5), ("exp = 3", "cannot be assigned", 6),
        ("u = v; u = I", "in amp", 11),
        ("v = exp(v)", "without a unit", 8),
    ],
)  # fmt: skip
def test_unsound_statements(text, message, column):
    with pytest.raises(EquationError) as raised:
        check_statements(parse_statements(text), ENV)
    assert message in raised.value.message
    assert raised.value.column == column


# --- names ---


def test_where_names_come_from():
    found = resolve(
        {"v", "g", "E", "exp", "mV", "pi", "xi"},
        {"g": 1 * siemens},
        {"g": 3.0, "E": -70 * mV},
        variables=["v"],
    )
    assert list(found) == ["E", "exp", "g", "mV", "pi"]
    assert found["g"] == 1 * siemens
    assert found["exp"] is BUILTIN["exp"]
    assert found["mV"] == mV


def test_an_unknown_name_with_a_guess_and_its_place():
    with pytest.raises(EquationError, match="did you mean 'tau_m'") as raised:
        resolve(["tau_mm"], {"tau_m": 3 * ms}, where=parse("v/tau_mm"))
    assert raised.value.column == 2
    line = Equations("dv/dt = -v/tou : volt\ntau : second")["v"]
    with pytest.raises(EquationError, match="did you mean 'tau'") as raised:
        resolve(line.identifiers, variables=["v", "tau"], where=line)
    assert (raised.value.line, raised.value.column) == (1, 11)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.arange(3), "array of shape"),
        ([1, 2] * mV, "array of shape"),
        ("text", "is a str"),
        (len, "check_units"),
        ({}, "is a dict"),
    ],
)
def test_what_equations_cannot_use(value, message):
    with pytest.raises(EquationError, match=message):
        resolve(["k"], {"k": value})


def test_a_name_that_hides_a_unit_warns():
    with pytest.warns(RallWarning, match="'mV'.*not used"):
        assert resolve(["mV"], {"mV": 3.0})["mV"] == mV


def test_the_same_unit_in_the_namespace_is_silent(recwarn):
    assert resolve(["mV", "exp", "pi"], {"mV": mV, "exp": np.exp, "pi": np.pi})["mV"] == mV
    assert not recwarn.list


def test_known_values():
    assert known_value("mS") == mS
    assert known_value("faraday_constant").dim is amp.dim * second.dim / mM.dim / meter.dim**3
    assert known_value("nothing") is None


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        (3, Typed(ONE, "integer")), (3.0, Typed(ONE, "float")), (True, Typed(ONE, "boolean")),
        (3 * um, Typed(meter.dim)),
        (np.array([True]), Typed(ONE, "boolean")), (np.int32(3), Typed(ONE, "integer")),
        ((volt.dim, "float"), Typed(volt.dim)),
    ],
)  # fmt: skip
def test_types_of_values(value, typed):
    assert typed_of(value) == typed
