"""The implicit method: order, stiff limits, elimination."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from stepping import DEVICES, NEEDS_COMPILER, Problem, Runner, errors, order_of, tree

from rall.evaluate import evaluate
from rall.integrators.base import NotIntegrable, System
from rall.integrators.elimination import elimination_order, factor
from rall.integrators.rosenbrock import Rosenbrock
from rall.integrators.runge_kutta import RK4
from rall.ir.nodes import Name

METHOD = Rosenbrock()
#: Not linear, coupled, and time enters in products with variables.
MIXED = Problem(
    {"x": "-x*y*(1 + cos(2*t)) + sin(t)**2", "y": "x - y**3 + t*x", "z": "x*y - z*(1 + t) + exp(-z)"},
    {"x": np.linspace(0.5, 1.5, 5), "y": 0.3, "z": 1.0},
)
#: Robertson (1966): a slow reaction and two fast ones.
KINETICS = Problem(
    {"a": "-0.04*a + 1e4*b*c", "b": "0.04*a - 1e4*b*c - 3e7*b**2", "c": "3e7*b**2"}, {"a": 1.0, "b": 0.0, "c": 0.0}
)


@pytest.mark.parametrize("device", DEVICES)
def test_order_on_equations_that_are_neither_linear_nor_free_of_time(device) -> None:
    reference = Runner(MIXED, RK4, 1.0 / 2000).run(2000)
    found = errors(MIXED, METHOD, 1.0, (40, 80, 160), reference, device)
    assert order_of(found) == pytest.approx(3, abs=0.15)
    assert found[0] < 1e-4
    assert METHOD.order == 3


def test_without_the_time_of_the_equations_the_order_is_lost() -> None:
    """The terms with the derivative by time are there for a reason."""
    reference = Runner(MIXED, RK4, 1.0 / 2000).run(2000)
    still = Problem(MIXED.equations, MIXED.state)
    still.given = System(MIXED.system().equations, time=None)
    assert order_of(errors(still, METHOD, 1.0, (80, 160), reference)) < 1.3


@pytest.mark.parametrize("device", DEVICES)
def test_very_stiff_equations_reach_their_steady_state_in_two_steps(device) -> None:
    """What decays a million times faster than a step is gone, and what drives it is followed."""
    problem = Problem({"x": "k*(y - x)", "y": "-y"}, {"x": np.linspace(-5, 5, 5), "y": 1.0}, {"k": 1e8})
    state = Runner(problem, METHOD, 0.01, device).run(2)
    assert state["y"] == pytest.approx(np.exp(-0.02), rel=1e-7)
    assert state["x"] == pytest.approx(state["y"], rel=1e-6)


def test_growth_is_that_of_the_step_itself_and_vanishes_for_stiff_equations() -> None:
    z = np.array([0.3, -0.5, -3.0, -40.0, -1e6])
    problem = Problem({"x": "z*x"}, {"x": 1.0}, {"z": z})
    assert METHOD.growth(z + 0j) == pytest.approx(np.abs(Runner(problem, METHOD, 1.0).run(1)["x"]), rel=1e-9)
    assert METHOD.growth(np.array([-1e15 + 0j, -1e200 + 1e200j])).max() < 1e-14
    left = -np.logspace(-3, 6, 100)[:, None] + 1j * np.linspace(-1e4, 1e4, 201)
    assert METHOD.growth(left).max() <= 1.0
    assert METHOD.growth(1j * np.logspace(-3, 6, 500)).max() <= 1.0 + 1e-12


def van_der_pol(t, x):
    return [x[1], 1000 * (1 - x[0] ** 2) * x[1] - x[0]]


@pytest.mark.parametrize(
    ("start", "length", "steps", "device"),
    [((2.0, 0.0), 700.0, 700, "numpy"), pytest.param((1.1, -0.4), 20.0, 200000, "c", marks=NEEDS_COMPILER)],
)
def test_relaxation_oscillation_of_van_der_pol(start, length, steps, device) -> None:
    """With mu = 1000, the slow branch with steps 1500 times as long as rk2 can take, and the jump with short ones."""
    problem = Problem({"x": "y", "y": "1000*(1 - x**2)*y - x"}, dict(zip("xy", start)), size=1)
    state = Runner(problem, METHOD, length / steps, device).run(steps)
    expected = solve_ivp(van_der_pol, (0, length), start, "Radau", rtol=1e-10, atol=1e-13).y[:, -1]
    assert (expected[0] < -1.5) == (steps > 1000)
    assert state["x"][0] == pytest.approx(expected[0], rel=1e-3)
    assert state["y"][0] == pytest.approx(expected[1], rel=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_stiff_kinetics_keep_their_sum_and_agree_with_scipy(device) -> None:
    expected = solve_ivp(
        lambda t, x: [r := -0.04 * x[0] + 1e4 * x[1] * x[2], -r - 3e7 * x[1] ** 2, 3e7 * x[1] ** 2],
        (0, 4), [1.0, 0.0, 0.0], "Radau", rtol=1e-10, atol=1e-14,
    ).y[:, -1]  # fmt: skip
    state = Runner(KINETICS, METHOD, 0.002, device).run(2000)
    for name, value in zip("abc", expected):
        assert state[name] == pytest.approx(value, rel=1e-5)
    assert state["a"] + state["b"] + state["c"] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("device", DEVICES)
def test_a_chain_of_twelve_is_eliminated_without_new_entries(device) -> None:
    """Diffusion along a chain; a step is one factorisation, of which the entries are those of the matrix."""
    names = [f"x{k}" for k in range(12)]
    equations = {}
    for k, name in enumerate(names):
        near = [names[j] for j in (k - 1, k + 1) if 0 <= j < 12]
        equations[name] = " + ".join(f"1e3*({other} - {name})" for other in near)
    problem = Problem(equations, {name: float(k == 0) for k, name in enumerate(names)})
    statements = METHOD.step(problem.system(), Name("dt")).statements
    assert sum(s.target.startswith(("_matrix_i", "_matrix_l", "_matrix_u")) for s in statements) == 12 + 2 * 11
    assert sum(s.target.startswith("_matrix_r") for s in statements) == 5
    state = Runner(problem, METHOD, 0.5, device).run(40)
    for value in state.values():
        assert value == pytest.approx(1 / 12, rel=1e-6)


def test_order_of_elimination_leaves_the_full_row_for_the_end() -> None:
    star = {(0, k) for k in range(5)} | {(k, 0) for k in range(5)} | {(k, k) for k in range(5)}
    assert elimination_order(star, 5)[-2:] in ((4, 0), (0, 4))
    factors = factor({entry: Name(f"a{entry[0]}{entry[1]}") for entry in star}, 5, "f")
    assert len(factors.lower) == len(factors.upper) == 4


def test_factors_solve_what_numpy_solves() -> None:
    generator = np.random.default_rng(5)
    pattern = (generator.random((7, 7)) < 0.35) | np.eye(7, dtype=bool)
    matrix = np.where(pattern, generator.normal(size=(7, 7)), 0.0) + 6 * np.eye(7)
    right = generator.normal(size=7)
    values = {f"a{i}_{j}": matrix[i, j] for i in range(7) for j in range(7)} | {f"b{i}": right[i] for i in range(7)}
    factors = factor({(i, j): Name(f"a{i}_{j}") for i, j in np.argwhere(pattern).tolist()}, 7, "f")
    statements, solution = factors.solve([Name(f"b{i}") for i in range(7)], "x")
    for statement in (*factors.statements, *statements):
        values[statement.target] = evaluate(statement.value, values)
    assert [evaluate(x, values) for x in solution] == pytest.approx(np.linalg.solve(matrix, right), rel=1e-12)


def test_what_it_cannot_do() -> None:
    with pytest.raises(NotIntegrable, match="'implicit' has no noise"):
        METHOD.step(System({"x": tree("-x + xi")}), Name("dt"))
    with pytest.raises(NotIntegrable, match=r"equation of 'x' by 'y', and that of mine\(\) is not known; use rk4"):
        METHOD.step(System({"x": tree("mine(y)"), "y": tree("-x")}), Name("dt"))
