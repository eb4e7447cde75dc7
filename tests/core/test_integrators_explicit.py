"""Methods that scripts write down: descriptions, functions from equations to statements, and their names."""

from __future__ import annotations

import numpy as np
import pytest

from rall import registry
from rall.channels import hh, leak
from rall.equations import Equations
from rall.errors import EquationError, PluginError
from rall.integrators.base import NotIntegrable, System
from rall.integrators.choose import choose, stability_warning
from rall.integrators.explicit import ExplicitStateUpdater, StateUpdateMethod, WrittenMethod, as_integrator
from rall.integrators.runge_kutta import RK2, RK4
from rall.integrators.stochastic import Milstein
from rall.ir.nodes import Name
from rall.ir.parse import parse
from rall.ir.render import render
from rall.magic import run
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.session import seed
from rall.units import ms, mV, nA, um

MIDPOINT = "k = dt*f(x, t)\nx_new = x + dt*f(x + k/2, t + dt/2)"
NOISY = "x_new = x + dt*f(x, t) + g(x, t)*dW"


def system(**equations: str) -> System:
    return System({v: parse(text).node for v, text in equations.items()})


def lines(method, given: System) -> list[str]:
    return [f"{s.target} = {render(s.value)}" for s in method.step(given, Name("dt")).statements]


def test_a_description_is_written_out_for_every_variable():
    assert lines(ExplicitStateUpdater(MIDPOINT), system(v="w - v*t", w="-v")) == [
        "_k_v = dt*(w - v*t)",
        "_k_w = dt*-v",
        "_new_v = v + dt*(w + _k_w/2 - (v + _k_v/2)*(t + dt/2))",
        "_new_w = w + dt*-(v + _k_v/2)",
        "v = _new_v",
        "w = _new_w",
    ]


def test_time_that_the_caller_takes_care_of_is_left_alone():
    given = System({"v": parse("-v*t").node}, time=None)
    assert lines(ExplicitStateUpdater(MIDPOINT), given)[1] == "_new_v = v + dt*(-(v + _k_v/2)*t)"


def test_growth_is_that_of_the_same_formula():
    z = np.linspace(-3, 1, 9) + 1j * np.linspace(-2, 2, 9)
    np.testing.assert_allclose(ExplicitStateUpdater(MIDPOINT).growth(z), RK2.growth(z), rtol=1e-12)
    noisy = ExplicitStateUpdater("x_new = x + dt*f(x, t) + sqrt(dt)**2*g(x, t)*dW", stochastic="additive")
    np.testing.assert_allclose(noisy.growth(z), np.abs(1 + z), rtol=1e-12)
    words = stability_warning(system(v="-1000*v"), ExplicitStateUpdater(MIDPOINT), 0.01, lambda node: np.array([-1e3]))
    assert "unstable" in words and "'v'" in words


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("", "ends with the line 'x_new"),
        ("k = f(x, t)", "ends with the line 'x_new"),
        ("x_new = x\nk = x", "ends with the line 'x_new"),
        ("x_new = x + k", "no 'k' here; known: dt, t, x"),
        ("x_new = x + h*f(x, t)", "no 'h' here"),
        ("x_new = x + f(x)", r"f takes a state and a time: f\(x, t\)"),
        ("x_new = x + exp(x)", r"not exp\(\)"),
        ("x_new = x if x > 0 else t", "alone"),
        ("x = x\nx_new = x", "gives a new name"),
        ("k = x\nk = t\nx_new = k", "gives a new name"),
        ("x_new += x", "gives a new name"),
        (NOISY, "stochastic='additive'"),
        ("x_new = x + dW", "stochastic='additive'"),
        ("x_new = x + ", "expected|missing|end"),
    ],
)
def test_descriptions_that_are_refused(description, words):
    with pytest.raises(EquationError, match=words):
        ExplicitStateUpdater(description)


def test_a_kind_of_noise_that_there_is_not():
    with pytest.raises(EquationError, match="'additive', 'multiplicative' or None, not 'white'"):
        ExplicitStateUpdater(NOISY, stochastic="white")


def test_systems_that_a_description_cannot_take():
    additive = ExplicitStateUpdater(NOISY, stochastic="additive", name="mine")
    with pytest.raises(NotIntegrable, match="'mine' has no noise"):
        ExplicitStateUpdater(MIDPOINT, name="mine").step(system(v="-v + xi"), Name("dt"))
    with pytest.raises(NotIntegrable, match="'mine' takes additive noise"):
        additive.step(system(v="-v + v*xi"), Name("dt"))
    asked = []

    def check(equations, variables):
        asked.append(equations)
        raise NotIntegrable("not these")

    with pytest.raises(NotIntegrable, match="not these"):
        ExplicitStateUpdater(MIDPOINT, custom_check=check).step(system(v="-v"), Name("dt"))
    assert asked == [Equations("dv/dt = -v : 1")]
    assert choose(system(v="-v + v*xi"), (additive, "heun")).name == "heun"


# --- functions ----------------------------------------------------------------------------------------------


def euler_backwards(equations):
    """Euler's method, the last equation first."""
    texts = [f"slope_{v} = {expression.code}" for v, expression in equations.get_substituted_expressions()]
    return "\n".join([*texts, *(f"{v} += dt*slope_{v}" for v in reversed(equations.diff_eq_names))])


def test_a_function_writes_the_statements():
    method = choose(system(v="w - v*t", w="-v"), euler_backwards)
    assert method.name == "euler_backwards"
    assert lines(method, system(v="w - v*t", w="-v")) == [
        "_set_slope_v = w - v*t",
        "_set_slope_w = -v",
        "w = w + dt*_set_slope_w",
        "v = v + dt*_set_slope_v",
    ]


def test_noise_in_what_a_function_writes_is_one_draw_a_step():
    def noisy(equations, variables=None, method_options=None):
        assert variables == {} and method_options is None
        return "v += dt*xi + 0*v; v *= 2; v -= dt*xi"

    assert lines(WrittenMethod(noisy, "noisy"), system(v="xi")) == [
        "_noise_xi = randn()/sqrt(dt)",
        "v = v + (dt*_noise_xi + 0*v)",
        "v = v*2",
        "v = v - dt*_noise_xi",
    ]


def test_functions_that_write_no_statements():
    with pytest.raises(NotIntegrable, match="'broken' gave None"):
        WrittenMethod(lambda equations: None, "broken").step(system(v="-v"), Name("dt"))
    with pytest.raises(EquationError, match="assigns to a variable"):
        WrittenMethod(lambda *given: "v", "broken").step(system(v="-v"), Name("dt"))


def test_classes_in_the_manner_of_brian():
    class Mine(StateUpdateMethod):
        def __call__(self, equations, variables=None, method_options=None):
            return euler_backwards(equations)

    class Empty(StateUpdateMethod):
        pass

    assert lines(Mine(), system(v="-v"))[-1] == "v = v + dt*_set_slope_v"
    with pytest.raises(NotIntegrable, match="'Empty' has neither"):
        Empty().step(system(v="-v"), Name("dt"))


def test_what_is_a_method():
    assert as_integrator(RK4) is RK4 and isinstance(as_integrator(Milstein), Milstein)
    assert choose(system(v="-v"), RK4) is RK4 and choose(system(v="-v"), Milstein).name == "milstein"
    with pytest.raises(PluginError, match="3 is no integration method"):
        as_integrator(3)


def test_methods_get_names(monkeypatch):
    monkeypatch.setattr(registry, "_registry", registry._Registry())
    described = ExplicitStateUpdater(MIDPOINT)
    StateUpdateMethod.register("my_midpoint", described)
    StateUpdateMethod.register("backwards", euler_backwards)
    assert choose(system(v="-v"), "my_midpoint") is described
    assert choose(system(v="-v"), ("exact", "backwards")).name == "exact"
    assert choose(system(v="-v"), "backwards").name == "backwards"
    with pytest.raises(PluginError, match="'rk4' is there already"):
        StateUpdateMethod.register("rk4", described)
    with pytest.raises(PluginError, match="'nothing' is no integration method"):
        StateUpdateMethod.register("mine", "nothing")


def test_gates_of_a_cell_by_a_method_of_the_scripts(target):
    def spike(method):
        seed(1)
        cell = SpatialNeuron(
            morphology=Cylinder(diameter=2 * um, length=100 * um, n=4),
            model=leak() + hh.Na() + hh.K() + "I : amp (point current)",
            method=method,
        )
        cell.initialise(v=-65 * mV)
        cell.I[0] = 0.2 * nA
        run(3 * ms)
        return np.asarray(cell.v)

    expected = spike("rk2")
    assert np.ptp(expected) > 1e-4
    np.testing.assert_allclose(spike(ExplicitStateUpdater(MIDPOINT)), expected, rtol=1e-9)
    np.testing.assert_allclose(spike(euler_backwards), spike("euler"), rtol=1e-9)
