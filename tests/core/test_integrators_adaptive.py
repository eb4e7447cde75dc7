"""Methods with sub-steps: pairs, options, and what a run says when they fail."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, NumericalError, RallError
from rall.integrators.adaptive import RK2, RK4, RK8PD, RKCK, RKF45
from rall.integrators.base import NotIntegrable, System
from rall.integrators.tableaux import doubled
from rall.ir.parse import parse
from rall.model import Clock, Domain, Layout, Variable
from rall.session import SimulationObject
from rall.simulation import Network
from rall.units import DIMENSIONLESS, ms, mV, pA, volt

METHODS = [RK2, RK4, RKF45, RKCK, RK8PD]
VOLT = {"v": volt.dim, "w": DIMENSIONLESS}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_pairs_integrate_powers_of_time_to_their_orders(method) -> None:
    tableau = method.tableau
    c, b = np.array(tableau.c), np.array(tableau.b)
    low = b - np.array(tableau.error)
    for weights, order in ((b, method.order), (low, tableau.order)):
        for k in range(order):
            assert weights @ c**k == pytest.approx(1 / (k + 1), abs=2e-15)
    assert len(tableau.a) == len(b) == len(low) <= 16


def test_halves_of_a_method_are_two_steps_of_it() -> None:
    """Euler's method by halves: x (1 + z/2)**2, and the error by the difference from x (1 + z)."""
    tableau = doubled(((),), (1.0,), 1)
    assert tableau.a == ((), (0.5,))
    assert tableau.b == (0.5, 0.5)
    assert tableau.error == (-0.5, 0.5)


def test_options_have_defaults_and_units() -> None:
    options = RKF45.options({}, VOLT)
    assert (options.adaptable_timestep, options.absolute_error, options.max_steps) == (True, 1e-6, 100)
    assert set(options.memory()) == {"_last_timestep"}
    given = {
        "absolute_error": 1e-3, "absolute_error_per_variable": {"v": 0.1 * mV}, "use_last_timestep": False,
        "save_failed_timesteps": True, "save_step_count": True, "max_steps": 0,
    }  # fmt: skip
    options = RKF45.options(given, VOLT)
    assert options.absolute_error_per_variable == {"v": pytest.approx(1e-4)}
    assert set(options.memory()) == {"_failed_steps", "_step_count"}
    assert "_last_timestep" not in RKF45.options({"adaptable_timestep": False}, VOLT).memory()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"max_step": 3}, RallError, ("'gsl_rkf45'", "no option 'max_step'", "max_steps", "absolute_error")),
        ({"max_steps": 2.5}, RallError, ("'max_steps'", "whole number", "2.5")),
        ({"max_steps": -1}, RallError, ("'max_steps'", "-1")),
        ({"adaptable_timestep": 1}, RallError, ("'adaptable_timestep'", "True or False")),
        ({"absolute_error": 0.0}, RallError, ("'absolute_error'", "positive")),
        ({"absolute_error": "small"}, RallError, ("'absolute_error'", "positive", "'small'")),
        ({"absolute_error": 1 * mV}, DimensionMismatchError, ("'absolute_error'", "without a unit")),
        ({"absolute_error_per_variable": 3}, RallError, ("dictionary",)),
        ({"absolute_error_per_variable": {"u": 1}}, RallError, ("'u'", "no differential equation", "v, w")),
        ({"absolute_error_per_variable": {"v": 1 * pA}}, DimensionMismatchError, ("['v']", "volt")),
        ({"absolute_error_per_variable": {"v": [1, 2] * mV}}, RallError, ("['v']", "positive")),
    ],
)
def test_options_are_checked(given, error, words) -> None:
    with pytest.raises(error) as caught:
        RKF45.options(given, VOLT)
    for word in words:
        assert word in str(caught.value)


def test_noise_is_refused() -> None:
    with pytest.raises(NotIntegrable, match="'gsl_rk8pd' has no noise, and the equation of 'x' has 'xi_a'"):
        RK8PD.operation(System({"x": parse("-x + xi_a").node}), {}, RK8PD.options({}, {}), name="x",
                        clock=Clock(1e-3), domain=Domain("x", Layout(1)))  # fmt: skip


class Decay(SimulationObject):
    """x' = -k x."""

    def __init__(self, k, **options):
        super().__init__(name="decay")
        self.domain = Domain("decay", Layout(len(k)))
        self.variables = {name: Variable(name, self.domain) for name in ("x", "k", "_last_timestep")}
        self.variables["x"].set(1.0)
        self.variables["k"].set(k)
        self.options = RKCK.options(options, {"x": DIMENSIONLESS})

    def operations(self, model):
        system = System({"x": parse("-k*x**2").node})
        yield RKCK.operation(system, self.variables, self.options, name="decay", clock=self.clock, domain=self.domain)

    def describe_element(self, index):
        return f"place {index} of {self.name}"


def test_a_run_says_which_equations_failed_where_and_why(target) -> None:
    decay = Decay([1.0, 5e5], max_steps=7)
    with pytest.raises(NumericalError) as caught:
        Network(decay).run(1 * ms)
    for words in ("equations of 'x'", "more than 7 sub-steps", "place 1 of decay", "max_steps", "implicit", "t = 0 ms"):
        assert words in str(caught.value)
    decay = Decay([-1e9, 1.0], max_steps=0)
    with pytest.raises(NumericalError, match=r"equations of 'x' cannot be .* at place 0 of decay at t = 0 ms"):
        Network(decay).run(1 * ms)
