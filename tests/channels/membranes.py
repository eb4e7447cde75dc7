"""Rates in forms that the library does not use, gates under voltage clamp, and patches of membrane that fire."""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from rall import channels
from rall.equations import Equations
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.simulation import Network
from rall.units import cm, mS, ms, mV, ohm, uF, um

V = np.concatenate([np.linspace(-118.7, 58.3, 60), [-54.0, -40.0]])


def step(x):
    """1/(1 + exp(-x)), by its logarithm."""
    return np.exp(-np.logaddexp(0.0, -x))


def ramp(x):
    """x/(1 - exp(-x)) by the hyperbolic cotangent; 1 at 0."""
    x = np.asarray(x, float)
    safe = np.where(np.abs(x) < 1e-4, 1.0, x)
    return np.where(np.abs(x) < 1e-4, 1 + x / 2 + x**2 / 12, safe / 2 * (1 + 1 / np.tanh(safe / 2)))


def of_rates(alpha, beta, factor=1.0):
    """Steady state and time constant (ms) of rates in 1/ms."""
    return 1 / (1 + beta / alpha), 1 / (factor * (alpha + beta))


def check_gates(channel, wanted, v, goal=1e-11, **values):
    """Steady states and time constants (ms) of all gates at voltages (mV) against independent ones."""
    found = channels.gates(channel, v * mV, **values)
    assert set(found) == set(wanted)
    for name, (steady, tau) in wanted.items():
        assert np.allclose(found[name].steady, steady, rtol=goal, atol=1e-15), name
        assert np.allclose(np.asarray(found[name].tau / ms), tau, rtol=goal, atol=0), name


def check_clamped(channel, wanted, v, time=0.5, dt=0.005):
    """Gates at fixed voltages (mV) on a device, against their exponential course from 0.3; no current flows."""
    silent = Equations(channel, defaults={name: 0 * one for name, one in silenced(channel).items()})
    n = len(v)
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=1 * um, length=n * um, n=n), model=silent, Cm=1 * uF / cm**2,
        Ri=1e15 * ohm * cm, dt=dt * ms,
    )  # fmt: skip
    cell.v = v * mV
    names = [name for name in wanted if name in channel.diff_eq_names]
    for name in names:
        setattr(cell, f"{name}_", 0.3)
    Network(cell).run(time * ms)
    assert np.allclose(np.asarray(cell.v_), v * 1e-3, rtol=1e-12)
    for name in names:
        steady, tau = (np.broadcast_to(x, v.shape) for x in wanted[name])
        exact = steady + (0.3 - steady) * np.exp(-time / tau)
        assert np.allclose(np.asarray(getattr(cell, f"{name}_")), exact, rtol=2e-5, atol=1e-9), name


def silenced(channel):
    """Largest conductances and permeabilities of a channel, with a value of their unit."""
    return {name: value / value.value if hasattr(value, "value") else value
            for name, value in channel.defaults.items() if name.startswith(("g_", "p_"))}  # fmt: skip


def current(channel, v, name, **initial):
    """A current of a channel in steady state at voltages (mV), in amp/meter**2."""
    n = len(v)
    cell = SpatialNeuron(morphology=Cylinder(diameter=1 * um, length=n * um, n=n), model=channel)
    cell.initialise(v=v * mV)
    return np.asarray(getattr(cell, f"{name}_"))


def trace(model, density, time, v=-65.0, dt=0.01, Cm=1.0):
    """Voltage (mV) of a patch with a current density (uA/cm2, a number or a text), started in steady state at v."""
    source = f"J_in = ({density})*uA/cm**2 : amp/meter**2 (membrane current)"
    patch = SpatialNeuron(
        morphology=Cylinder(diameter=10 * um, length=10 * um, n=1), model=model + source, Cm=Cm * uF / cm**2,
        threshold="v > -20*mV", refractory="v > -20*mV", threshold_location=0, dt=dt * ms,
    )  # fmt: skip
    patch.initialise(v=v * mV)
    monitor, spikes = StateMonitor(patch, "v", record=[0], dt=dt * ms), SpikeMonitor(patch)
    Network(patch, monitor, spikes).run(time * ms)
    return np.asarray(monitor.v_)[0] * 1e3, np.asarray(spikes.t_) * 1e3


def solve(rates, start, time):
    """Spike times (ms) of dy/dt = rates(t, y) with y[0] the voltage in mV, by SciPy's LSODA."""

    def rising(t, y):
        return y[0] + 20.0

    rising.direction = 1
    done = solve_ivp(rates, (0, time), start, method="LSODA", rtol=1e-8, atol=1e-9, events=rising, max_step=1.0)
    return done.t_events[0]


G = mS / cm**2
