"""Equations that are declared implicit, and the others beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm
from stepping import DEVICES, Problem, Runner, errors, order_of, tree

from rall.evaluate import evaluate
from rall.integrators.base import NotIntegrable, System
from rall.integrators.blocks import blocks
from rall.integrators.choose import choose
from rall.integrators.exact import Exact
from rall.integrators.exponential import ExponentialMidpoint
from rall.integrators.linear_sdirk import LinearSDIRK
from rall.integrators.partitioned import Partitioned
from rall.integrators.runge_kutta import RK4
from rall.integrators.steady import SteadyBlock
from rall.ir.nodes import Name

#: Three states of a channel whose rates depend on time.
SCHEME = Problem(
    {
        "c": "-(2 + sin(3*t))*c + b*o + 0.1", "o": "(2 + sin(3*t))*c - b*o - 4*o + d*cos(t)",
        "d": "4*o - d*cos(t) - 0.1",
    },
    {"c": 0.5, "o": 0.2, "d": 0.3}, {"b": np.linspace(0.3, 3, 5)},
)  # fmt: skip


def system_of(implicit, **equations):
    return System({name: tree(text) for name, text in equations.items()}, implicit=frozenset(implicit))


def given(problem, implicit):
    """The same problem with some of its equations declared implicit."""
    made = Problem(problem.equations, problem.state, problem.parameters)
    made.given = replace(problem.system(), implicit=frozenset(implicit))
    return made


# --- linear schemes ---


@pytest.mark.parametrize("device", DEVICES)
def test_the_linear_method_is_of_second_order_where_rates_depend_on_time(device) -> None:
    reference = Runner(SCHEME, RK4, 1.0 / 2000).run(2000)
    found = errors(SCHEME, LinearSDIRK(), 1.0, (40, 80, 160), reference, device)
    assert order_of(found) == pytest.approx(2, abs=0.1)
    assert found[-1] < 3e-5


def test_one_step_is_the_rational_function_of_the_matrix() -> None:
    generator = np.random.default_rng(2)
    matrix, start = generator.normal(size=(4, 4)), generator.normal(size=4)
    names = "wxyz"
    equations = {v: " + ".join(f"({a})*{u}" for a, u in zip(row, names)) for v, row in zip(names, matrix)}
    state = Runner(Problem(equations, dict(zip(names, start))), LinearSDIRK(), 0.3).run(1)
    values, vectors = np.linalg.eig(matrix)
    factor = np.array([np.sqrt(1.0)] * 4, complex)
    for k, value in enumerate(values):
        p = 1 / (1 - 0.1805 * 0.3 * value)
        factor[k] = 1 + 0.1805 * 0.3 * value * p * (1 + p * (-0.72622217447687 + p * 5.266388379463018))
    expected = (vectors @ np.diag(factor) @ np.linalg.inv(vectors)).real @ start
    assert [state[v][0] for v in names] == pytest.approx(expected, rel=1e-12)
    assert np.abs(factor) == pytest.approx(LinearSDIRK().growth(0.3 * values), rel=1e-12)


def test_no_real_mode_changes_its_sign_and_stiff_ones_vanish() -> None:
    z = -np.logspace(-4, 9, 500)
    state = Runner(Problem({"x": "z*x"}, {"x": 1.0}, {"z": z}, size=500), LinearSDIRK(), 1.0).run(1)["x"]
    assert (state > 0).all()
    assert state.max() <= 1
    assert state == pytest.approx(LinearSDIRK().growth(z + 0j), rel=1e-6, abs=1e-12)
    assert np.abs(state - np.exp(z))[z > -6].max() < 0.03
    assert LinearSDIRK().growth(np.array([-1e12 + 0j]))[0] < 1e-10


def test_what_is_not_linear_is_refused() -> None:
    with pytest.raises(NotIntegrable, match="needs linear equations"):
        LinearSDIRK().check(system_of("", x="-x*y", y="x"))


# --- blocks ---


def test_reactions_tie_variables_together() -> None:
    scheme = {"c": "b*o - a*ca*c", "o": "a*ca*c - b*o"}
    calcium = {"ca": "j - k*ca*f + l*g", "f": "l*g - k*ca*f", "g": "k*ca*f - l*g"}
    alone = {"x": "(1 - x)/tau", "y": "-y*y", "z": "-z*z", "m": "ca - m"}
    everything = system_of("c o ca f g x y".split(), **scheme, **calcium, **alone)
    # x is linear and alone, z and m are not declared implicit, and the channel does not use up its calcium.
    assert blocks(everything) == [("c", "o"), ("ca", "f", "g"), ("y",)]


def test_what_depends_on_each_other_is_one_block() -> None:
    assert blocks(system_of("xyz", x="-y", y="z - y", z="x - z")) == [("x", "y", "z")]
    assert blocks(system_of("xyz", x="1 - x", y="a*x - y", z="a*y*y - z")) == []


# --- all together ---


@pytest.mark.parametrize("device", DEVICES)
def test_parts_that_do_not_meet_take_one_step_each(device) -> None:
    problem = given(Problem(
        {"c": "b*o - a*c", "o": "a*c - b*o", "m": "(0.3 - m)*a"}, {"c": 1.0, "o": 0.0, "m": 0.9},
        {"a": np.linspace(0.1, 3, 5), "b": 0.7}, frozenset("a"),
    ), "co")  # fmt: skip
    system = problem.system()
    statements = Partitioned().step(system, Name("dt")).statements
    assert sum(s.target == "o" for s in statements) == sum(s.target == "m" for s in statements) == 1
    state = Runner(problem, Partitioned(("exponential_midpoint",)), 0.1, device).run(10)
    a = np.linspace(0.1, 3, 5)
    assert state["o"] == pytest.approx(a / (a + 0.7) * (1 - np.exp(-(a + 0.7))), abs=2e-3)
    assert state["m"] == pytest.approx(0.3 + 0.6 * np.exp(-a), rel=1e-3)
    assert state["c"] + state["o"] == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rest", [("strang",), ("exponential_midpoint",), ("rk2",)])
def test_parts_take_turns_to_second_order(rest, device) -> None:
    """A voltage, a gate, a scheme, a pool with a buffer, and time."""
    problem = given(Problem(
        {
            "v": "sin(t) - v*(1 + 3*o) + m", "m": "(1 - m)*v**2 - m*(1 + ca)",
            "c": "2*o - exp(v)*c", "o": "exp(v)*c - 2*o",
            "ca": "o + cos(t)**2 - 3*ca*b + 0.5*s", "b": "0.5*s - 3*ca*b", "s": "3*ca*b - 0.5*s",
        },
        {"v": 0.2, "m": 0.1, "c": 1.0, "o": 0.0, "ca": 0.1, "b": np.linspace(0.5, 2, 5), "s": 0.0},
    ), ("c", "o", "ca", "b", "s"))  # fmt: skip
    reference = Runner(problem, RK4, 1.0 / 1000).run(1000)
    found = errors(problem, Partitioned(rest), 1.0, (20, 40, 80), reference, device)
    assert order_of(found) == pytest.approx(2, abs=0.12)


def test_it_is_the_default_where_equations_are_implicit() -> None:
    nonlinear = {"a": "-k*a*b", "b": "-k*a*b"}
    assert isinstance(choose(system_of("ab", **nonlinear)), Partitioned)
    assert not isinstance(choose(system_of("", **nonlinear)), Partitioned)
    linear = replace(system_of("ab", a="-k*a", b="k*a"), constant=frozenset("k"))
    assert isinstance(choose(linear), Exact)
    assert isinstance(choose(linear, "exponential_midpoint"), ExponentialMidpoint)


def test_exact_solutions_keep_the_sum_for_a_million_steps() -> None:
    problem = given(Problem({"a": "-3*a + 0.1*b", "b": "3*a - 0.1*b"}, {"a": 0.3, "b": 0.7}, size=1), "ab")
    state = Runner(problem, Exact(), 0.37, "c").run(1_000_000)
    assert state["a"] + state["b"] == pytest.approx(1, abs=1e-15)


def test_what_has_steps_of_its_own_cannot_take_turns() -> None:
    with pytest.raises(NotIntegrable, match="cannot take turns"):
        Partitioned(("gsl",)).check(system_of("co", c="v*o - c", o="c - v*o", v="-v + o"))


# --- steady states ---


def test_steady_states_of_linear_and_other_equations() -> None:
    block = SteadyBlock({v: tree(x) for v, x in {"c": "b*o - a*c", "o": "a*c - b*o + d - o", "d": "o - d"}.items()})
    assert block.laws == ({"c": 1, "o": 1, "d": 1},)
    assert block.is_scheme
    start = {"c": np.zeros(3), "o": np.zeros(3), "d": np.zeros(3), "a": np.array([0.1, 1, 10]), "b": 2.0}
    found = block.solve(start, block.totals(start, True), evaluate)
    assert found["o"] == pytest.approx(1 / (2 + 2 / start["a"]), rel=1e-14)
    pool = SteadyBlock({"x": tree("j - k*x*b + l*s - x"), "b": tree("l*s - k*x*b"), "s": tree("k*x*b - l*s")})
    assert not pool.is_scheme
    start = {"x": np.zeros(2), "b": np.array([80.0, 1e-3]), "s": np.zeros(2), "j": 4.0, "k": 1e5, "l": 3e4}
    found = pool.solve(start, pool.totals(start, False), evaluate)
    assert found["x"] == pytest.approx(4, rel=1e-10)
    assert found["s"] == pytest.approx(start["b"] * 4 / (4 + 0.3), rel=1e-10)
    assert found["s"] + found["b"] == pytest.approx(start["b"], rel=1e-12)


def test_the_exponential_is_what_small_steps_tend_to() -> None:
    matrix = np.array([[-1.0, 2.0], [1.0, -2.0]])
    problem = Problem({"c": "2*o - c", "o": "c - 2*o"}, {"c": 1.0, "o": 0.0}, size=1)
    state = Runner(problem, LinearSDIRK(), 1e-3).run(1000)
    assert [state["c"][0], state["o"][0]] == pytest.approx(expm(matrix) @ [1, 0], abs=1e-7)
