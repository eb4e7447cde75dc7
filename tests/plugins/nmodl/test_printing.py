"""Expressions of NMODL as text."""

from __future__ import annotations

import random

import pytest

from rall.errors import NotSupportedError
from rall.evaluate import evaluate
from rall.ir.parse import parse
from rall.plugins.nmodl.printing import constant, equation_text, nmodl_text, variables
from rall.plugins.nmodl.syntax import Binary, Call, Conditional, Index, Name, Number, Text, Unary
from rall.plugins.nmodl.units import UnitTable

_UNIT = UnitTable().unit


@pytest.mark.parametrize(
    ("nmodl", "text"),
    [
        ("a - (b - c)", "a - (b - c)"), ("(a - b) - c", "a - b - c"), ("a*(b*c)", "a*(b*c)"), ("(a*b)/c", "a*b/c"),
        ("a/(b*c)", "a/(b*c)"), ("-(a + b)", "-(a + b)"), ("-(a*b)", "-a*b"), ("(-a)^2", "(-a)**2"), ("-a^2", "-a**2"),
        ("a^(-b)", "a**-b"), ("a^(b^c)", "a**b**c"), ("(a^b)^c", "(a**b)**c"), ("(a + b)^2", "(a + b)**2"),
        ("a - -3", "a + 3"), ("a + -b*c", "a - b*c"), ("a - (-b + c)", "a - (-b + c)"), ("a*1", "a"), ("1*a", "a"),
        ("a/1", "a"), ("1/a", "1/a"), ("-1*(a + b)", "-(a + b)"), ("a*-1", "a*-1"), ("-(-a)", "-(-a)"),
        ("fabs(a)", "abs(a)"), ("fmin(a, b)", "min(a, b)"), ("fmax(a, b)", "max(a, b)"),
        ("pow(a, b + 1)", "a**(b + 1)"),
        ("log10(a)", "log10(a)"), ("atan(a)", "arctan(a)"), ("exprelr(a)", "xoexpm1(a)"),
        ("(a < b)*c", "int(a < b)*c"), ("a < b && !(c > 1)", "int(a < b and not c > 1)"),
        ("a || b && c", "int(sign(a) != 0 or sign(b) != 0 and sign(c) != 0)"), ("!a", "int(sign(a) == 0)"),
        ("(a || b) && c", "int((sign(a) != 0 or sign(b) != 0) and sign(c) != 0)"),
        ("(a < b) == c", "int(int(a < b) == c)"),
        ("2.50*a", "2.50*a"), (".5*a", ".5*a"), ("1e-3", "1e-3"), ("5.", "5."),
    ],
)  # fmt: skip
def test_texts(expression, nmodl, text):
    assert equation_text(expression(nmodl)) == text
    parse(text)


def test_conditionals():
    choice = Conditional(Binary("<", Name("a"), Number("1")), Name("b"), Conditional(Name("c"), Name("d"), Name("e")))
    assert equation_text(choice) == "b if a < 1 else d if sign(c) != 0 else e"
    assert equation_text(Binary("*", Number("2"), choice)) == "2*(b if a < 1 else d if sign(c) != 0 else e)"
    inner = Conditional(choice, choice, Name("z"))
    text = equation_text(inner)
    assert text.startswith("(b if a < 1 else") and text.endswith("else z")
    parse(text)


def test_names(expression):
    names = {"celsius": "T - zero_celsius", "m": "m_Na", "w": "-I_Na", "f": "2*k"}
    assert equation_text(expression("celsius - 3"), names=names) == "T - zero_celsius - 3"
    assert equation_text(expression("3 - celsius"), names=names) == "3 - (T - zero_celsius)"
    assert equation_text(expression("celsius/10"), names=names) == "(T - zero_celsius)/10"
    assert equation_text(expression("m^3*f"), names=names) == "m_Na**3*(2*k)"
    assert equation_text(expression("a*w"), names=names) == "a*(-I_Na)"


def test_literals(expression):
    tree = expression("0.001*a + 2")
    literals = {id(tree.left.left): _UNIT("1000"), id(tree.right): _UNIT("mV")}
    assert equation_text(tree, literals) == "a + 2*mV"
    tree = expression("a/3")
    assert equation_text(tree, {id(tree.right): _UNIT("/ms")}) == "a/(3/ms)"
    tree = expression("a^3")
    assert equation_text(tree, {id(tree.right): _UNIT("1")}) == "a**3"


def test_corrections(expression):
    tree = expression("a + b*c")
    assert equation_text(tree, corrections={(id(tree), 1): _UNIT("mV")}) == "a + b*c*mV"
    assert equation_text(tree, corrections={(id(tree), 1): _UNIT("/mV")}) == "a + b*c/mV"
    assert equation_text(tree, corrections={(0, 0): _UNIT("mA/cm2")}) == "(a + b*c)*mA/cm**2"
    assert equation_text(tree, corrections={(id(tree), 0): _UNIT("/mM-s")}) == "a/(mM*second) + b*c"


def test_lenient(expression):
    units = {"v": _UNIT("mV"), "g": _UNIT("S/cm2"), "a": _UNIT("/ms"), "n": _UNIT("1")}
    tree = expression("g*(v + 3)*a^n")
    text = equation_text(tree, lenient=units, result=_UNIT("mA/cm2"))
    assert text == "g/(siemens/cm**2)*(v/mV + 3)*(a*ms)**n*mA/cm**2"


@pytest.mark.parametrize(
    "node", [Index("x", Number("1")), Call("printf", (Text("v is"),)), Call("net_send", (Name("a"), Name("b")))]
)
def test_what_equations_do_not_have(node):
    with pytest.raises(NotSupportedError, match="line 0: "):
        equation_text(Binary("+", Name("y"), node))


@pytest.mark.parametrize(
    "text", ["a - (b - c)", "2^((t - 3)/10)", "exp(-(v + 22)/10.5)/q", "a < b && c", "x[1]*3", "-a*b", "(a + b)*c"]
)
def test_texts_for_messages(expression, text):
    assert nmodl_text(expression(text)) == text
    assert expression(nmodl_text(expression(text))) == expression(text)


def test_what_stands_in_an_expression(expression):
    assert sorted(variables(expression("a*exp(b + x[k]) - 3/a"))) == ["a", "a", "b", "k", "x"]
    assert constant(expression("-(1 + 0.5)/3")) == -0.5
    assert constant(expression("1/0")) is None
    assert constant(expression("2*a")) is None


def _any(source, depth):
    if depth == 0:
        return Name(source.choice("abc")) if source.random() < 0.6 else Number(source.choice(("1", "2", "0.5", "3.25")))
    kind = source.random()
    if kind < 0.7:
        operator = source.choice(("+", "-", "*", "/", "<", ">=", "&&", "||"))
        return Binary(operator, _any(source, depth - 1), _any(source, depth - 1))
    if kind < 0.85:
        return Unary(source.choice("--!"), _any(source, depth - 1))
    if kind < 0.9:
        return Binary("^", Call("fabs", (_any(source, depth - 1),)), Unary("-", Number("2")))
    return Conditional(_any(source, depth - 1), _any(source, depth - 1), _any(source, depth - 1))


@pytest.mark.parametrize("seed", range(60))
def test_any_expression_keeps_its_value(neuron_value, seed):
    source = random.Random(seed)
    values = {"a": 1.7, "b": -0.3, "c": 11.0}
    for _ in range(5):
        tree = _any(source, source.randint(1, 6))
        try:
            wanted = float(neuron_value(tree, values))
        except (ZeroDivisionError, OverflowError):
            continue
        text = equation_text(tree, names={"b": "b + 0"})
        assert float(evaluate(parse(text).node, values)) == pytest.approx(wanted, rel=1e-12), text
