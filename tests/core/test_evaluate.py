from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rall.evaluate import evaluate
from rall.ir.nodes import Name
from rall.ir.parse import parse

X = np.linspace(-2, 3, 11)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + 1 - 2*x/4", X + 1 - X / 2),
        ("x**2", X**2),
        ("x//2 + x%2", X // 2 + X % 2),
        ("exp(x)*sin(x) + abs(x)", np.exp(X) * np.sin(X) + np.abs(X)),
        ("x if x > 1 else -x", np.where(X > 1, X, -X)),
        ("x > 0 and not x > 1 or x < -1", ((X > 0) & ~(X > 1)) | (X < -1)),
        ("x == 3 or x != x", X == 3),
        ("exprel(x - 3)", np.where(X == 3, 1.0, np.expm1(X - 3) / np.where(X == 3, 1, X - 3))),
        ("int(x > 0)*y", (X > 0) * 7.0),
        ("clip(x, -1, 1) + min(x, 0) + max(x, 0)", np.clip(X, -1, 1) + X),
        ("3", 3),
        ("True", True),
    ],
)
def test_values(text, expected):
    np.testing.assert_allclose(evaluate(parse(text).node, {"x": X, "y": 7.0}), expected, rtol=1e-14)


def test_infinities_and_nan_come_without_warnings(recwarn):
    values = evaluate(parse("1/x + log(x) + exp(1000*x)").node, {"x": np.array([0.0, -1.0, 10.0])})
    assert not np.isfinite(values).all()
    assert not recwarn.list


DRAW = {"_seed": 1, "_stream": 2, "_step": 3, "_element": np.arange(1000)}


def test_every_draw_is_a_draw_of_its_own():
    difference = evaluate(parse("rand() - rand()").node, DRAW)
    assert difference.std() == pytest.approx(np.sqrt(1 / 6), rel=0.1)
    assert evaluate(parse("poisson(4)").node, DRAW).mean() == pytest.approx(4, rel=0.1)
    normal = evaluate(parse("randn()*s").node, {**DRAW, "s": 3.0})
    assert normal.std() == pytest.approx(3, rel=0.1)


def test_draws_depend_on_all_that_they_are_given():
    node = parse("rand()").node
    first = evaluate(node, DRAW)
    np.testing.assert_array_equal(first, evaluate(node, DRAW))
    for key in ("_seed", "_stream", "_step"):
        assert (first != evaluate(node, {**DRAW, key: 99})).all()
    np.testing.assert_array_equal(evaluate(node, {**DRAW, "_element": np.arange(500, 600)}), first[500:600])


def test_functions_may_be_given():
    assert evaluate(parse("f(x) + 1").node, {"f": lambda x: 10 * x, "x": 2.0}) == 21


def test_a_name_without_a_value():
    with pytest.raises(KeyError, match="nothing"):
        evaluate(Name("nothing"), {})


@settings(max_examples=60)
@given(st.recursive(
    st.sampled_from(["x", "y", "2", "0.5"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda p: f"sin({p})"), inner.map(lambda p: f"-({p})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} > {p[2]} else {p[1]})"),
    ), max_leaves=10,
))  # fmt: skip
def test_text_means_what_it_means_in_python(text):
    values = {"x": 0.7, "y": -1.3}
    expected = eval(text, {"sin": np.sin}, values)
    assert evaluate(parse(text).node, values) == pytest.approx(expected, rel=1e-12, abs=1e-12)
