"""Linear forms, derivatives and signs, compared with numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rall.functions import BUILTIN, DERIVATIVES, numpy_namespace, spelling
from rall.ir.affine import nonnegative
from rall.ir.algebra import depends, derivative, linear_form, negative, terms
from rall.ir.nodes import (
    ONE,
    ZERO,
    Binary,
    Call,
    Compare,
    Logic,
    Name,
    Node,
    Not,
    Number,
    Select,
    neg,
    number,
)
from rall.ir.parse import parse
from rall.ir.visit import names, walk

FUNCTIONS = numpy_namespace()


def tree(text: str) -> Node:
    return parse(text).node


def value(node: Node, **given: float) -> float:
    """What a tree is worth; written apart from the code that is tested."""
    done: dict[Node, object] = {}
    for part in walk(node):
        inner = [done[child] for child in part.children]
        if isinstance(part, Number):
            done[part] = part.value
        elif isinstance(part, Name):
            done[part] = given[part.id]
        elif isinstance(part, Call):
            done[part] = eval(spelling(part.op, "numpy"), FUNCTIONS)(*inner)
        elif isinstance(part, Select):
            done[part] = inner[1] if inner[0] else inner[2]
        elif isinstance(part, Not):
            done[part] = not inner[0]
        else:
            assert isinstance(part, (Binary, Compare, Logic))
            done[part] = eval(f"a {part.op} b", {"a": inner[0], "b": inner[1]})
    return done[node]  # type: ignore[return-value]


# --- linear form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x", "-x", "3", "y", "2*x + 1", "1 - x", "x - x*y", "y*(x + 2) - x/3", "(x + y)/(1 + y)",
        "-(x - y)*z", "a*(1 - x) - b*x", "(E - x)/tau + I/C", "x*0 + y", "x if y > 0 else 2*x + 1",
        "(x - E if y > z else 0)*g",
        "exp(y)*(x - sin(z)) - (y - x)", "x*y*z/2 - z*(x - (y - x))", "y - (z - x)", "x - (x - y)",
    ],
)  # fmt: skip
def test_linear_form(text) -> None:
    node = tree(text)
    form = linear_form(node, "x")
    assert form is not None
    a, b = form
    assert "x" not in names(a) | names(b)
    rng = np.random.default_rng(1)
    for _ in range(10):
        given = dict(zip("xyzabEgIC", rng.uniform(0.5, 2, 9))) | {"tau": 0.7}
        assert value(a, **given) * given["x"] + value(b, **given) == pytest.approx(
            value(node, **given), rel=1e-12
        )


@pytest.mark.parametrize(
    "text", ["x**2", "x*x", "1/x", "y/(1 + x)", "exp(x)", "y if x > 0 else z", "x % 2", "x // y", "2**x",
             "abs(x)",
             "(1 - x)*x", "x*(y + exp(x))", "not x"]
)  # fmt: skip
def test_what_is_not_linear(text) -> None:
    assert linear_form(tree(text), "x") is None


def test_linear_form_marks_what_is_absent() -> None:
    """Methods ask for `ZERO` by identity: a coefficient that is zero by its form must be that object."""
    assert linear_form(tree("y*z"), "x") == (ZERO, tree("y*z"))
    assert linear_form(tree("x"), "x") == (ONE, ZERO)
    for text in ("x - x*y", "-x", "3*x - y*x", "x/y - x"):
        assert linear_form(tree(text), "x")[1] is ZERO  # type: ignore[index]
    assert linear_form(tree("x - x + y"), "x")[0] is ZERO  # type: ignore[index]


def test_terms_and_dependence() -> None:
    assert terms(tree("a - (b - c) + d*(e - f)")) == [tree("a"), neg(tree("b")), tree("c"), tree("d*(e - f)")]
    assert depends(tree("exp(a*b)"), ["b"]) and not depends(tree("exp(a*b)"), ["exp", "c"])


@pytest.mark.parametrize(
    "text", ["a - b", "a + b", "3*a", "-a", "-2*a*b", "2/a", "a", "-(a + b)/c", "5", "exp(-a)", "0"]
)
def test_negative(text) -> None:
    given = {"a": 0.3, "b": 1.7, "c": 0.9}
    assert value(negative(tree(text)), **given) == pytest.approx(-value(tree(text), **given), rel=1e-15)


def test_negative_removes_signs() -> None:
    assert negative(tree("-a")) is tree("a")
    assert negative(tree("-a/tau")) is tree("a/tau")
    assert negative(tree("a - b")) is tree("b - a")
    assert negative(ZERO) is ZERO


# --- derivative ---------------------------------------------------------------------------------------------


def _slope(node: Node, **given: float) -> float:
    """Richardson's extrapolation of central differences."""
    found = []
    for h in (2e-3, 1e-3):
        up, down = (value(node, **given | {"x": given["x"] + s * h}) for s in (1, -1))
        found.append((up - down) / (2 * h))
    return (4 * found[1] - found[0]) / 3


EXPRESSIONS = [
    "x**3 - 2*x", "x**y", "y**x", "x**x", "x/(1 + x**2)", "(y - x)/(y + x)", "exp(-x**2/y)",
    "x if y > 1 else x**2",
    "sin(x*y)*cos(x)", "-x + y", "y - x", "x % y + x*y", "y % x", "log(x)*sqrt(x)", "2", "y", "x*x*x/x",
    "0.1*(x - 0.4)/(1 - exp(-(x - 0.4)/y))", "min(x, y)*max(x, y)", "clip(x*x, 0.1, 5)",
    "exprel(x) - xoexpm1(x)",
]  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_derivative(text) -> None:
    node = tree(text)
    slope = derivative(node, "x", DERIVATIVES)
    for x in (0.31, 0.77, 1.9):
        given = {"x": x, "y": 1.3}
        assert value(slope, **given) == pytest.approx(_slope(node, **given), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("name", sorted(name for name in DERIVATIVES if BUILTIN[name].arity == 1))
def test_derivative_of_every_function(name) -> None:
    node = Call(name, tree("x/2"))
    for x in (0.03, 0.31, 1.1):
        found = value(derivative(node, "x", DERIVATIVES), x=x)
        assert found == pytest.approx(_slope(node, x=x), rel=1e-6, abs=1e-7)


def test_what_is_piecewise_constant_has_no_slope() -> None:
    for text in ("floor(x)", "x > 2", "int(x)", "x // 2", "not x > 1", "sign(x)", "y"):
        assert derivative(tree(text), "x", DERIVATIVES) is ZERO
    assert derivative(tree("x"), "x", DERIVATIVES) is ONE


# --- sign ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["exp(x)", "3*exp(-x) + 2", "x**2", "x*x", "abs(x)/(1 + exp(y))", "sqrt(exp(x))**3", "max(exp(x), 2)",
     "x > y",
     "exp(x) if y > 0 else 1", "exp(x)**y", "0.1*exprel(x)", "(x - y)**2*4", "0.1*(x + 1)/(1 - exp(-(x + 1)/10))",
     "(2 - x)/(exp((2 - x)/5) - 1)*exp(y)", "(1 - exp(-3*y))/y"],
)  # fmt: skip
def test_nonnegative(text) -> None:
    node = tree(text)
    assert nonnegative(node)
    for x in np.linspace(-3, 3, 7):
        for y in np.linspace(-3, 3, 7):
            assert not value(node, x=x, y=y) < 0


@pytest.mark.parametrize(
    "text", ["x", "-exp(x)", "exp(x) - 1", "x**3", "x*y", "log(x)", "-1", "exp(x)*y", "sin(x)", "x % 2",
             "(x + 1)/(exp(-(x + 1)) - 1)", "(x + 1)/(1 - exp(-(x + 2)))", "y*x/(1 - exp(-x))"],
)  # fmt: skip
def test_what_is_not_known_to_be_nonnegative(text) -> None:
    assert not nonnegative(tree(text))


def test_nan_is_not_taken_for_a_sign() -> None:
    assert not nonnegative(number(math.nan))
