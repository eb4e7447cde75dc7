"""Neurons with error-controlled sub-steps, and stiff ones."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rall.errors import NumericalError, RallError, RallWarning
from rall.integrators import NotIntegrable
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.session import seed
from rall.simulation import Network
from rall.units import check_units, ms, second

FITZHUGH = """
dv/dt = (v - v**3/3 - w + I + 0.1*rand())/tau : 1 (unless refractory)
dw/dt = 0.08*(v + 0.7 - 0.8*w)/tau : 1
I : 1
tau : second"""


def test_neurons_spike_with_sub_steps_on_each_device(target):
    seed(3)
    neurons = NeuronGroup(
        5, FITZHUGH, method="gsl", method_options={"absolute_error": 1e-9, "save_step_count": True},
        threshold="v > 1.5", refractory=2 * ms, dt=1 * ms,
    )  # fmt: skip
    neurons.tau, neurons.I = 1 * ms, np.linspace(0.3, 1, 5)
    spikes = SpikeMonitor(neurons)
    Network(neurons, spikes).run(100 * ms)
    assert (np.asarray(spikes.count) > 5).all()
    assert (np.asarray(neurons._step_count) > 1).all()
    step = np.asarray(neurons._last_timestep / ms)
    assert (step > 0.01).all() and (step < 1).all()


def test_smooth_neurons_follow_the_solution(target):
    text = FITZHUGH.replace(" + 0.1*rand()", "").replace(" (unless refractory)", "")
    expected = solve_ivp(
        lambda t, x: [x[0] - x[0] ** 3 / 3 - x[1] + 0.7, 0.08 * (x[0] + 0.7 - 0.8 * x[1])],
        (0, 60), [0.0, 0.0], "DOP853", rtol=1e-12, atol=1e-12,
    ).y[:, -1]  # fmt: skip
    for method, dt in (("gsl_rk8pd", 3 * ms), ("gsl_rk4", 1 * ms), ("implicit", 0.05 * ms)):
        neurons = NeuronGroup(2, text, method=method, dt=dt)
        neurons.tau, neurons.I = 1 * ms, 0.7
        Network(neurons).run(60 * ms)
        assert neurons.v_[:] == pytest.approx([expected[0]] * 2, abs=2e-4)


def test_functions_of_the_user_in_sub_steps(target):
    @check_units(x=1, result=1)
    def bent(x):
        return np.sin(x)

    neurons = NeuronGroup(3, "dx/dt = -bent(x)/ms : 1", method="gsl_rkck", dt=1 * ms, namespace={"bent": bent})
    neurons.x = [0.5, 1.0, 2.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RallWarning)  # without C code it runs in Python
        Network(neurons).run(2 * ms)
    expected = 2 * np.arctan(np.tan(np.array([0.5, 1.0, 2.0]) / 2) * np.exp(-2.0))
    assert neurons.x_[:] == pytest.approx(expected, abs=1e-5)
    steep = NeuronGroup(2, "dx/dt = -k*bent(x) : 1\nk : hertz", method="gsl", namespace={"bent": bent})
    steep.x, steep.k = 1, [1, 1e9] / second
    with pytest.raises(NumericalError, match=r"more than 100 sub-steps in a step at .* 1 of"):
        Network(steep).run(1 * ms)


def test_a_user_is_told_what_went_wrong(target):
    with pytest.raises(NotIntegrable, match="'gsl_rkf45' has no noise"):
        Network(NeuronGroup(1, "dx/dt = -x/ms + xi/ms**.5 : 1", method="gsl")).run(1 * ms)
    with pytest.raises(RallError, match=r"no option 'max_step'.*'max_steps'"):
        Network(NeuronGroup(1, "dx/dt = -x/ms : 1", method="gsl", method_options={"max_step": 3})).run(1 * ms)
    fast = NeuronGroup(4, "dx/dt = -k*x : 1\nk : hertz", method="gsl")
    fast.x, fast.k = 1, [0, 0, 1e9, 0] / second
    with pytest.raises(NumericalError, match="more than 100 sub-steps in a step at neuron 2"):
        Network(fast).run(1 * ms)


def test_an_unstable_choice_is_told_which_method_would_do():
    neurons = NeuronGroup(1, "dx/dt = -1e7*x**3/second : 1", method="rk2")
    neurons.x = 3
    with pytest.warns(RallWarning, match=r"another method \(exponential_midpoint, implicit\)"):
        Network(neurons).run(0 * ms)
