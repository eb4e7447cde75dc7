"""Orders of convergence and exactness, measured on kernels as devices run them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg
from stepping import DEVICES, NEEDS_COMPILER, SEED, Problem, Runner, errors, order_of, tree

from rall import philox
from rall.evaluate import evaluate
from rall.integrators.base import AbstractIntegrator, NotIntegrable, System
from rall.integrators.exact import Exact
from rall.integrators.explicit import ExplicitStateUpdater
from rall.integrators.expm import expm
from rall.integrators.exponential import ExponentialEuler, ExponentialMidpoint, Strang, relax
from rall.integrators.runge_kutta import EULER, RK2, RK4
from rall.integrators.stochastic import HEUN, Milstein
from rall.ir.nodes import Name, Node, number, select
from rall.ir.render import render
from rall.ir.visit import functions, walk

# --- smooth equations ---------------------------------------------------------------------------------------

PENDULUM = Problem({"x": "y", "y": "-sin(x) - 0.3*y + cos(3*t)"}, {"x": np.linspace(0.1, 1.5, 5), "y": 0.2})
#: Rates of Hodgkin & Huxley (1952) with a calcium pool: every equation is linear in its own variable.
CELL = Problem(
    {
        "v": "(0.3*(-54.4 - v) + 120*m**3*h*(50 - v) + 36*n**4*(-77 - v) + 10*sin(t))/1.0",
        "m": "0.1*(v + 40)/(1 - exp(-(v + 40)/10))*(1 - m) - 4*exp(-(v + 65)/18)*m",
        "h": "0.07*exp(-(v + 65)/20)*(1 - h) - h/(1 + exp(-(v + 35)/10))",
        "n": "0.01*(v + 55)/(1 - exp(-(v + 55)/10))*(1 - n) - 0.125*exp(-(v + 65)/80)*n",
        "Ca": "0.01*m**3*h*(130 - v)*exp(-v/25) - Ca/20",
    },
    {"v": np.linspace(-60, -30, 5), "m": 0.1, "h": 0.6, "n": 0.32, "Ca": 0.1},
)


@pytest.fixture(scope="module")
def pendulum() -> dict[str, np.ndarray]:
    return Runner(PENDULUM, RK4, 2.0 / 1500).run(1500)


@pytest.fixture(scope="module")
def cell() -> dict[str, np.ndarray]:
    return Runner(CELL, RK4, 2.0 / 4000).run(4000)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("method", "order"), [(EULER, 1), (RK2, 2), (HEUN, 2), (RK4, 4), (Milstein(), 1)])
def test_order_of_runge_kutta_methods(method, order, device, pendulum) -> None:
    found = errors(PENDULUM, method, 2.0, (40, 80, 160), pendulum, device)
    assert order_of(found) == pytest.approx(order, abs=0.15)
    assert method.order == order


#: The explicit midpoint rule, the trapezoidal predictor-corrector, and the three stages of Heun (1900).
DESCRIBED = [
    ("k = dt*f(x, t)\nx_new = x + dt*f(x + k/2, t + dt/2)", 2),
    ("k = dt*f(x, t); x_new = x + (k + dt*f(x + k, t + dt))/2", 2),
    ("a = dt*f(x, t)\nb = dt*f(x + a/3, t + dt/3)\nc = dt*f(x + 2*b/3, t + 2*dt/3)\nx_new = x + (a + 3*c)/4", 3),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("description", "order"), DESCRIBED)
def test_order_of_methods_that_are_described(description, order, device, pendulum) -> None:
    method = ExplicitStateUpdater(description)
    assert order_of(errors(PENDULUM, method, 2.0, (40, 80, 160), pendulum, device)) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize(
    ("description", "noise", "same", "equations"),
    [
        ("x_new = x + dt*f(x, t) + g(x, t)*dW", "additive", EULER, {"x": "-x + 0.3*xi_a + 0.1*xi_b", "y": "x + xi_b"}),
        (
            "s = x + dt*f(x, t) + g(x, t)*dW\nd = g(s, t + dt)\n"
            "x_new = x + dt*(f(x, t) + f(s, t + dt))/2 + dW*(g(x, t) + d)/2",
            "multiplicative", HEUN, {"x": "-x + x*xi_a + sin(y)*xi_b + t", "y": "x + x*y*xi_b"},
        ),
    ],
)  # fmt: skip
def test_described_noise_is_that_of_the_methods_of_the_same_formula(description, noise, same, equations) -> None:
    problem = Problem(equations, {"x": np.linspace(0.1, 1.0, 5), "y": 0.2})
    described = Runner(problem, ExplicitStateUpdater(description, stochastic=noise), 0.01).run(100)
    expected = Runner(problem, same, 0.01).run(100)
    for v in equations:
        np.testing.assert_allclose(described[v], expected[v], rtol=1e-11)


def test_milsteins_method_without_a_derivative() -> None:
    description = (
        "s = x + dt*f(x, t) + dt**.5*g(x, t)\nk = 1/(2*dt**.5)*(g(s, t) - g(x, t))*dW**2\n"
        "x_new = x + dt*f(x, t) + g(x, t)*dW + k"
    )
    method = ExplicitStateUpdater(description, stochastic="multiplicative")
    problem = Problem({"x": "-x + sin(x)*xi_a", "y": "0.5*y*xi_b"}, {"x": np.linspace(0.1, 1.0, 5), "y": 1.0})
    apart = []
    for dt in (4e-3, 1e-3):
        found, expected = (Runner(problem, one, dt).run(50) for one in (method, Milstein()))
        apart.append(max(np.abs(found[v] - expected[v]).max() for v in problem.equations))
    # In a step they differ by dt**1.5, hence by a factor of 8; Euler's method would differ by one of 4.
    assert apart[0] / apart[1] == pytest.approx(8, rel=0.25) and apart[0] < 1e-2


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("method", "order", "bound"),
    [(ExponentialEuler(), 1, 3.0), (ExponentialMidpoint(), 2, 0.05), (Strang(), 2, 0.02)],
)
def test_order_of_exponential_methods(method, order, bound, device, cell) -> None:
    found = errors(CELL, method, 2.0, (200, 400, 800), cell, device)
    assert order_of(found) == pytest.approx(order, abs=0.2)
    assert found[0] < bound
    assert method.order == order


def test_midpoint_moves_time_to_the_middle_of_the_step() -> None:
    problem = Problem({"x": "-k*x + cos(20*t)*(1 + x)"}, {"x": 1.0}, {"k": 3.0})
    reference = Runner(problem, RK4, 1e-3).run(1000)
    for method in (ExponentialMidpoint(), Strang()):
        assert order_of(errors(problem, method, 1.0, (100, 200), reference)) == pytest.approx(2, abs=0.1)


def test_time_is_left_alone_where_the_caller_asks_for_it() -> None:
    system = System({"x": tree("t - x")}, time=None)
    for method in (ExponentialMidpoint(), RK4):
        statements = method.step(system, Name("h")).statements
        for text in ("t + 0.5*h", "t + h"):
            assert all(tree(text) not in set(_parts(s.value)) for s in statements)
    moved = RK4.step(System({"x": tree("t - x")}), Name("h")).statements
    assert any(tree("t + 0.5*h") in set(_parts(s.value)) for s in moved)


def _parts(node: Node) -> list[Node]:
    return list(walk(node))


@pytest.mark.parametrize("method", [ExponentialEuler(), ExponentialMidpoint(), Strang()])
def test_gates_stay_between_zero_and_one_at_any_step(method) -> None:
    rates = 10.0 ** np.linspace(-8, 12, 5)
    problem = Problem({"m": "exp(a)*(1 - m) - exp(b)*m"}, {"m": np.linspace(0, 1, 5)},
                      {"a": np.log(rates), "b": np.log(rates[::-1])})  # fmt: skip
    for dt in (1e-6, 1e-2, 1e3):
        runner = Runner(problem, method, dt)
        for _ in range(5):
            state = runner.run(1)["m"]
            assert (state >= 0).all() and (state <= 1).all()
    # After a long step nothing is left of the beginning.
    assert state == pytest.approx(rates / (rates + rates[::-1]), rel=1e-9)


def test_relax_is_of_order_four_and_uses_no_exponential_for_a_decay() -> None:
    decay = relax(Name("x"), tree("-exp(p)"), tree("q"), Name("h"), frozenset({"h"}))
    assert functions(decay) == {"exp"}  # that of the rate itself
    found = []
    for h in (0.04, 0.02):
        scope = {"x": 1.0, "p": 0.0, "q": 0.0, "h": h, "exp": np.exp}
        found.append(abs(eval(render(decay), scope) - np.exp(-h)))
    assert np.log2(found[0] / found[1]) == pytest.approx(5, abs=0.2)  # local error
    grows = relax(Name("x"), tree("exp(p)"), tree("q"), Name("h"), frozenset({"h"}))
    assert "exprel" in functions(grows)


def test_refractory_equations_keep_their_value_and_the_simple_form() -> None:
    gated = select(Name("free"), tree("(u - x)/tau"), number(0.0))
    problem = Problem({"x": "0"}, {"x": 1.0}, {"u": 3.0, "tau": 0.5, "free": np.array([True, False] * 3)[:5]})
    problem.given = System({"x": gated}, frozenset(), frozenset({"u", "tau", "dt"}))
    for method in (ExponentialEuler(), ExponentialMidpoint(), Exact()):
        state = Runner(problem, method, 0.1).run(1)["x"]
        assert state[1::2].tolist() == [1.0, 1.0]
        assert state[::2] == pytest.approx(3 - 2 * np.exp(-0.2), rel=1e-14)


# --- linear equations ---------------------------------------------------------------------------------------

CASCADE = Problem(
    {"v": "(ge + 2*gi - (v - E))/tau", "ge": "-ge/taue", "gi": "(ge - gi)/taui + I", "w": "-w/tauw + I"},
    {"v": np.linspace(-1, 1, 5), "ge": np.linspace(0, 3, 5), "gi": 0.3, "w": 2.0},
    {
        "E": -0.7,
        "tau": np.array([20.0, 5.0, 5.0, 10.0, 0.01]),
        "taue": 5.0,
        "taui": 5.0,
        "tauw": 7.0,
        "I": 0.4,
    },
)


@pytest.mark.parametrize("device", DEVICES)
def test_exact_is_exact(device) -> None:
    """A long step gives what many short ones of a method of order 4 converge to, and halves compose."""
    one = Runner(CASCADE, Exact(), 8.0, device).run(1)
    many = Runner(CASCADE, Exact(), 8.0 / 64, device).run(64)
    p = CASCADE.parameters
    assert one["ge"] == pytest.approx(np.linspace(0, 3, 5) * np.exp(-8 / 5.0), rel=1e-13)
    assert one["w"] == pytest.approx(7 * 0.4 + (2 - 7 * 0.4) * np.exp(-8 / 7.0), rel=1e-13)
    decay = np.exp(-8 / 5.0)
    ge, gi = np.linspace(0, 3, 5), 0.3
    assert one["gi"] == pytest.approx(2.0 + (gi - 2.0 + ge * 8 / 5.0) * decay, rel=1e-13)
    assert p["taue"] == p["taui"]  # the double eigenvalue that the line above is about
    for v in CASCADE.equations:
        assert one[v] == pytest.approx(many[v], rel=1e-13, abs=1e-13)
    smooth = Runner(CASCADE, RK4, 8.0 / 1600).run(1600)
    assert one["v"] == pytest.approx(smooth["v"], rel=1e-8)


def test_exact_needs_numbers_for_coupled_equations_only_and_leaves_zeros_out() -> None:
    step = Exact().step(CASCADE.system(), Name("dt"))
    (propagator,) = step.propagators
    # v from v, ge, gi and 1; gi from gi, ge and 1.  ge, which depends on nothing but itself, has a formula, and w.
    assert len(propagator.names) == 4 + 3
    assert len(propagator.sources) == 3 + 1 + 2 + 2
    (half,) = Exact().step(CASCADE.system(), tree("0.5*dt")).propagators
    assert not set(half.names) & set(propagator.names)
    assert {s.target for s in step.statements if not s.target.startswith("_")} == set(CASCADE.equations)


def test_what_decays_by_itself_keeps_its_sign_and_digits() -> None:
    state = Runner(CASCADE, Exact(), 300.0).run(1)  # 60 time constants of ge, which drives the others
    assert state["ge"][1:] == pytest.approx(np.linspace(0, 3, 5)[1:] * np.exp(-60.0), rel=1e-13, abs=0.0)
    assert (state["ge"] >= 0).all()


def test_exact_follows_terms_that_change_between_steps() -> None:
    problem = Problem(CASCADE.equations, CASCADE.state, CASCADE.parameters, frozenset({"I", "E", "tauw"}))
    runner = Runner(problem, Exact(), 2.0)
    first, expected = runner.run(1), Runner(CASCADE, Exact(), 2.0).run(1)
    for v in first:
        assert first[v] == pytest.approx(expected[v], rel=1e-13)
    now = {"I": -1.0, "tauw": 3.0}
    for name, value in now.items():
        runner.variables[name].set(value)
    second = runner.run(1)
    expected = Runner(Problem(CASCADE.equations, first, CASCADE.parameters | now), Exact(), 2.0).run(1)
    for v in second:
        assert second[v] == pytest.approx(expected[v], rel=1e-13)


def test_exact_switches_coupled_equations() -> None:
    system = CASCADE.system()
    gated = select(Name("free"), system.equations["v"], number(0.0))
    free = np.array([True, False, True, False, True])
    problem = Problem(CASCADE.equations, CASCADE.state, CASCADE.parameters | {"free": free})
    problem.given = System({**system.equations, "v": gated}, system.constant, system.shared)
    state, other = Runner(problem, Exact(), 2.0).run(1), Runner(CASCADE, Exact(), 2.0).run(1)
    assert state["v"][~free].tolist() == np.linspace(-1, 1, 5)[~free].tolist()
    assert state["v"][free] == pytest.approx(other["v"][free], rel=1e-14)
    assert state["gi"] == pytest.approx(other["gi"], rel=1e-14)


@pytest.mark.parametrize(
    ("equations", "constant", "named"),
    [
        ({"x": "-x**2"}, "", "'x' is not linear in 'x'"),
        ({"x": "-y", "y": "x*y"}, "", "'y' is not linear in 'x'"),
        ({"x": "-x/tau + sin(t)"}, "tau", "depends on 't'"),
        ({"x": "-y*g", "y": "-x*g"}, "", "'g', which is in the factor of 'y' in the equation of 'x'"),
        ({"x": "-x + xi"}, "", "has 'xi'"),
    ],
)
def test_exact_says_what_it_cannot_do(equations, constant, named) -> None:
    system = System({v: tree(text) for v, text in equations.items()}, frozenset(constant.split()))
    with pytest.raises(NotIntegrable) as caught:
        Exact().step(system, Name("dt"))
    assert named in str(caught.value)
    assert "use " in str(caught.value)


def test_exponentials_of_matrices() -> None:
    rng = np.random.default_rng(5)
    # Similar to known diagonals; sizes from nothing to stiff.
    size = 10.0 ** np.linspace(-8, 3, 40)[:, None]
    rates = -size * rng.uniform(0.1, 1, (40, 4))
    basis, _ = np.linalg.qr(rng.normal(size=(40, 4, 4)))
    matrices = (basis * rates[:, None, :]) @ np.swapaxes(basis, 1, 2)
    expected = (basis * np.exp(rates)[:, None, :]) @ np.swapaxes(basis, 1, 2)
    assert np.abs(expm(matrices) - expected).max() < 1e-13
    change = (basis * np.expm1(rates)[:, None, :]) @ np.swapaxes(basis, 1, 2)
    small = np.abs(expm(matrices) - np.eye(4) - change).max(axis=(1, 2))
    assert (small < 4e-14 * np.maximum(1e-2, np.abs(change).max(axis=(1, 2)))).all()


def test_exponentials_do_not_depend_on_units() -> None:
    """A synapse in siemens that drives a voltage in volt: off-diagonal entries far from the rates."""
    a, b, c = -0.1, -0.02, 3e11
    matrix = np.array([[[a, c], [0.0, b]], [[a, 0.0], [c, b]]])
    done = expm(matrix)
    mixed = c * (np.exp(a) - np.exp(b)) / (a - b)
    assert done[0] == pytest.approx(np.array([[np.exp(a), mixed], [0, np.exp(b)]]), rel=1e-13)
    assert done[1] == pytest.approx(np.array([[np.exp(a), 0], [mixed, np.exp(b)]]), rel=1e-13)


def test_exponential_of_what_is_not_finite_is_nan_there_only() -> None:
    done = expm(np.array([[[np.inf]], [[1.0]], [[np.nan]]]))
    assert np.isnan(done[[0, 2]]).all() and done[1, 0, 0] == pytest.approx(np.e, rel=1e-15)
    assert expm(np.zeros((0, 2, 2))).shape == (0, 2, 2)


# --- noise --------------------------------------------------------------------------------------------------

PATHS = 400


def brownian(end: float, steps: int, draw: int = 0) -> np.ndarray:
    """The end of the Wiener processes that a runner draws."""
    return sum(philox.normal(SEED, 3, k, np.arange(PATHS), draw) for k in range(steps)) * (end / steps) ** 0.5


def strong_errors(
    problem: Problem, method: AbstractIntegrator, exact: np.ndarray, fine: int, counts=(16, 32, 64, 128)
):
    variable = next(iter(problem.equations))
    found = []
    for steps in counts:
        state = Runner(problem, method, 1.0 / steps, pieces=fine // steps).run(steps)[variable]
        found.append(np.abs(state - exact).mean())
    return np.array(found)


def slope(found: np.ndarray) -> float:
    """Order by least squares over steps that are halved."""
    return -float(np.polyfit(np.arange(len(found)), np.log2(found), 1)[0])


GEOMETRIC = Problem({"x": "mu*x + sigma*x*xi"}, {"x": 1.0}, {"mu": 0.5, "sigma": 0.8}, size=PATHS)
HYPERBOLIC = Problem({"x": "sqrt(1 + x**2)*(mu + xi)"}, {"x": 0.3}, {"mu": 0.4}, size=PATHS)


@pytest.mark.parametrize("method", [HEUN, Milstein()])
@pytest.mark.parametrize(
    ("problem", "solution"),
    [
        (GEOMETRIC, lambda w: np.exp(0.5 + 0.8 * w)),
        (HYPERBOLIC, lambda w: np.sinh(0.4 + w + np.arcsinh(0.3))),
    ],
)
def test_strong_order_one_to_the_solution_of_stratonovich(method, problem, solution) -> None:
    found = strong_errors(problem, method, solution(brownian(1.0, 128)), 128)
    assert slope(found) == pytest.approx(1.0, abs=0.2)
    assert found[-1] < 0.04


def test_euler_is_of_strong_order_one_with_additive_noise() -> None:
    problem = Problem({"x": "-x + cos(x) + sigma*xi"}, {"x": 1.0}, {"sigma": 0.5}, size=PATHS)
    exact = Runner(problem, HEUN, 1 / 1024).run(1024)["x"]
    assert slope(strong_errors(problem, EULER, exact, 1024)) == pytest.approx(1.0, abs=0.15)


def test_noise_has_the_variance_of_the_ornstein_uhlenbeck_process() -> None:
    problem = Problem(
        {"x": "-x/tau + sigma*sqrt(2/tau)*xi"}, {"x": 0.0}, {"tau": 0.1, "sigma": 3.0}, size=4000
    )
    for method in (EULER, HEUN, Milstein()):
        state = Runner(problem, method, 0.002).run(300)["x"]
        assert state.var() == pytest.approx(9.0, rel=0.08)
        assert abs(state.mean()) < 0.2


def test_each_symbol_is_one_draw_and_different_symbols_are_different_draws() -> None:
    problem = Problem(
        {"x": "xi_a", "y": "xi_a + xi_b", "z": "xi_b", "u": "xi"}, dict.fromkeys("xyzu", 0.0), size=PATHS
    )
    for method in (EULER, HEUN, Milstein()):
        state = Runner(problem, method, 0.01).run(3)
        assert state["y"] == pytest.approx(state["x"] + state["z"], rel=1e-12, abs=1e-12)
        correlation = np.corrcoef([state["x"], state["z"], state["u"]])
        assert np.abs(correlation - np.eye(3)).max() < 0.15
        assert state["x"].std() == pytest.approx(0.03**0.5, rel=0.1)


def test_random_numbers_in_equations_are_drawn_once_a_step() -> None:
    first = [philox.uniform(SEED, 3, 0, np.arange(5), draw) for draw in (0, 1)]
    for method in (EULER, RK4, HEUN, ExponentialMidpoint(), Exact(), Milstein()):
        state = Runner(Problem({"x": "rand()", "y": "2*rand()"}, {"x": 0.0, "y": 0.0}), method, 0.5).run(1)
        assert state["x"] == pytest.approx(0.5 * first[0], rel=1e-14)
        assert state["y"] == pytest.approx(first[1], rel=1e-14)


@NEEDS_COMPILER
@pytest.mark.parametrize("method", [EULER, HEUN, Milstein()])
def test_both_devices_take_the_same_path(method) -> None:
    problem = Problem({"x": "-x + 0.1*xi_a", "y": "x - y + 0.2*xi_b"}, {"x": 1.0, "y": 0.5}, size=PATHS)
    one, other = (Runner(problem, method, 0.1, device).run(20) for device in ("numpy", "c"))
    for v in one:
        assert one[v] == pytest.approx(other[v], rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(
    ("method", "equations", "words"),
    [
        (EULER, {"x": "-x + x*xi"}, ("additive", "'x'", "heun", "milstein")),
        (EULER, {"x": "-x + y*xi_b", "y": "0"}, ("'y'", "'xi_b'", "heun")),
        (RK2, {"x": "-x + xi"}, ("'rk2'", "'xi'", "euler", "heun")),
        (RK4, {"x": "-x + xi_q"}, ("'rk4'", "'xi_q'")),
        (ExponentialEuler(), {"x": "-x + xi"}, ("'exponential_euler'", "heun")),
        (HEUN, {"x": "-x + xi**2"}, ("factor", "'xi'", "'x'")),
        (HEUN, {"x": "xi_a*xi_b"}, ("factor", "'xi_a'")),
        (Milstein(), {"x": "y*xi", "y": "-y + xi"}, ("diagonal", "'y'", "drives too", "heun")),
        (Milstein(), {"x": "x*xi_a + xi_b"}, ("several", "xi_a and xi_b", "heun")),
        (Milstein(), {"x": "mine(x)*xi"}, ("derivative", "mine()", "heun")),
        (ExponentialMidpoint(), {"x": "-mine(x)"}, ("derivative", "'x'", "mine()", "rk4")),
    ],
)
def test_methods_say_what_they_cannot_do(method, equations, words) -> None:
    with pytest.raises(NotIntegrable) as caught:
        method.step(System({v: tree(text) for v, text in equations.items()}), Name("dt"))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("method", [HEUN, Milstein()])
def test_a_factor_may_depend_on_what_has_no_noise(method) -> None:
    """x' = y x xi with y = 1/(1 + t): ln x is the integral of y dW."""
    problem = Problem({"x": "y*x*xi", "y": "-y**2"}, {"x": 1.0, "y": 1.0}, size=PATHS)
    middles = (np.arange(512) + 0.5) / 512
    parts = [philox.normal(SEED, 3, k, np.arange(PATHS), 0) / (1 + t) for k, t in enumerate(middles)]
    exact = np.exp(np.sum(parts, axis=0) / np.sqrt(512))
    assert slope(strong_errors(problem, method, exact, 512)) == pytest.approx(1.0, abs=0.2)


def test_heun_accepts_noise_that_milstein_refuses() -> None:
    """Two sources that commute: x' = x (xi_a + xi_b) has the solution exp(W_a + W_b)."""
    problem = Problem({"x": "0.5*x*xi_a + 0.3*x*xi_b"}, {"x": 1.0}, size=PATHS)
    exact = np.exp(0.5 * brownian(1.0, 128, 0) + 0.3 * brownian(1.0, 128, 1))
    assert slope(strong_errors(problem, HEUN, exact, 128)) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("rates", [(-3.0, -0.5), (-2.0, -2.0), (0.0, -1.0), (0.5, -1e-9)])
def test_what_is_driven_by_what_stands_alone_has_a_formula(rates) -> None:
    """Where coefficients change there is no matrix; the formula is that of the matrix, for equal rates too."""
    equations = {"x": "a*x + k*y + m*z + g", "y": "c*y + f", "z": "2*c*z"}
    values = {"a": rates[0], "c": rates[1], "k": 0.7, "m": -1.3, "g": 0.4, "f": 0.0 if rates[1] == -1e-9 else 1.1}
    start = {"x": 0.3, "y": -0.8, "z": 2.0, "h": 0.9}
    step = Exact().step(System({v: tree(text) for v, text in equations.items()}), Name("h"))
    assert not step.propagators
    known = {**values, **start}
    for statement in step.statements:
        known[statement.target] = float(evaluate(statement.value, known))
    a, c = rates
    matrix = np.array([[a, 0.7, -1.3, 0.4], [0, c, 0, values["f"]], [0, 0, 2 * c, 0], [0, 0, 0, 0]])
    expected = linalg.expm(0.9 * matrix) @ [0.3, -0.8, 2.0, 1.0]
    assert [known[v] for v in "xyz"] == pytest.approx(expected[:3], rel=1e-12)


@pytest.mark.parametrize("equations", [{"x": "a*x + y", "y": "b*y + x"}, {"x": "a*x + y", "y": "b*y + z", "z": "c*z"},
                                       {"x": "a*x + y", "y": "f"}])  # fmt: skip
def test_longer_ways_have_none(equations) -> None:
    with pytest.raises(NotIntegrable, match="coupled equations"):
        Exact().step(System({v: tree(text) for v, text in equations.items()}), Name("h"))
