"""Sums that equations keep: found in their form, and kept by methods."""

from __future__ import annotations

import numpy as np
import pytest
from stepping import tree

from rall.equations import Equations
from rall.evaluate import evaluate
from rall.integrators.base import simultaneous
from rall.integrators.conservation import laws, rates


def laws_of(**equations):
    return laws({name: tree(text) for name, text in equations.items()})


def test_laws_of_small_systems():
    assert laws_of(a="-k*a", b="k*a") == ({"a": 1, "b": 1},)
    assert laws_of(a="-k*a", b="l*a") == ()
    assert laws_of(a="l*c - k*a*b", b="l*c - k*a*b", c="k*a*b - l*c") == ({"a": 1, "c": 1}, {"b": 1, "c": 1})
    assert laws_of(a="-2*(k*a*a)", d="k*a*a") == ({"a": 1, "d": 2},)
    assert laws_of(a="-(k + l)*a", b="k*a", c="a*l") == ({"a": 1, "b": 1, "c": 1},)
    assert laws_of(a="k*(b - a)/tau", b="-(k*b/tau) + k*a/tau") == ({"a": 1, "b": 1},)
    assert laws_of(a="0", b="-b") == ({"a": 1},)
    assert laws_of(a="x - a", b="a - x") == ({"a": 1, "b": 1},)


def test_amounts_may_be_fractions_and_rates_numbers():
    assert laws_of(a="-0.1*a", b="0.3*a", c="-0.1*(3*a)") == ({"a": 3, "c": -1}, {"b": 1, "c": 1})
    assert laws_of(a="-1234.5e7*a*b", b="-1234.5e7*a*b", c="1234.5e7*a*b")[0] == {"a": 1, "c": 1}


def test_laws_are_what_elimination_in_floats_finds():
    generator = np.random.default_rng(3)
    for _ in range(20):
        amounts = generator.integers(-2, 3, size=(6, 4))
        names = "abcdef"
        equations = {
            v: tree(" + ".join(f"({amount})*(r{k}*x{k})" for k, amount in enumerate(row)))
            for v, row in zip(names, amounts)
        }
        found = np.array([[law.get(v, 0) for v in names] for law in laws(equations)]).reshape(-1, 6)
        assert np.all(found @ amounts == 0)
        assert len(found) == 6 - np.linalg.matrix_rank(amounts)
        assert np.linalg.matrix_rank(found) == len(found)
        firsts = [next(iter(law)) for law in laws(equations)]
        assert all(sum(first in law for law in laws(equations)) == 1 for first in firsts)


def test_a_product_of_long_sums_stays_whole():
    long = " + ".join(f"p{k}" for k in range(20))
    assert len(rates(tree(f"x*({long})"))) == 20
    assert len(rates(tree(f"x*({long})*({long})"))) == 1


def test_the_first_variable_of_a_law_follows_from_the_others():
    known = laws_of(a="-2*(k*a*a) - m*a", b="m*a", d="k*a*a")
    statements = simultaneous({"a": tree("99"), "b": tree("b + 0.25"), "d": tree("d + 0.5")}, known)
    values = {"a": 3.0, "b": 1.0, "d": 2.0}
    for statement in statements:
        values[statement.target] = evaluate(statement.value, values)
    assert (values["a"], values["b"], values["d"]) == (3.0 - 0.25 - 1.0, 1.25, 2.5)


def test_sums_of_equations_with_subexpressions():
    eqs = Equations("dx/dt = -j : 1\ndy/dt = j : 1\nj = x**2*k : hertz")
    assert laws(dict(eqs.substituted())) == ({"x": 1, "y": 1},)


def test_changes_below_rounding_leave_no_trend():
    """A state that is nearly 1 does not see what a small one gains in a step; after many steps it must have."""
    generator = np.random.default_rng(1)
    known = laws_of(a="-k*a", b="k*a")
    (*_, closing, _, _) = simultaneous({"a": tree("0"), "b": tree("b + step")}, known)
    a, b = 1 - 1e-3, 1e-3
    for step in generator.uniform(0, 1e-17, 10_000):
        values = {"a": a, "b": b, "step": step, "_new_b": b + step}
        a, b = evaluate(closing.value, values), b + step
    assert b > 1e-3 + 1e-14
    assert a + b == pytest.approx(1, abs=3e-16)


def test_reactions_whose_rates_differ_by_a_number_alone() -> None:
    """Then their rates are one rate with a sum of numbers, which as a float is not quite what it stands for."""
    equations = {
        "a": "-(250*a - 60*b) - (0.01*a - 7.518796992481203*c) - (0.1*a - 1.4133077053536098*d)",
        "b": "250*a - 60*b", "c": "0.01*a - 7.518796992481203*c", "d": "0.1*a - 1.4133077053536098*d",
    }  # fmt: skip
    assert laws_of(**equations) == ({"a": 1, "b": 1, "c": 1, "d": 1},)
    assert laws_of(**{**equations, "d": "0.1*a - 1.4133077053536098*d - 1e-9*d"}) == ()
