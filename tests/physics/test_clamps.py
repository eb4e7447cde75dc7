"""Clamps against closed forms: steady states, charge, orders of convergence, and how stiff a clamp can be."""

from __future__ import annotations

import numpy as np
import pytest

from rall.morphology import Cylinder, Soma
from rall.plugins.cable import CurrentClamp, VoltageClamp
from rall.plugins.inputs import TimedArray
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import Mohm, kohm, ms, mV, nA, ohm, um

#: A sphere of 20 um with 1 uF/cm2 and 1e4 ohm cm2, in farad and siemens.
SPHERE = np.pi * (20e-6) ** 2
CAPACITANCE, LEAK, REST = SPHERE * 1e-2, SPHERE * 1.0, -0.07


def sphere(cases):
    return cases.passive(Soma(diameter=20 * um), 1e4)


def recorded(cell, clamp, duration, dt, **more):
    """Time (s), current of the clamp (A) and voltage of its first compartment (V), from the start on."""
    cell.clock.dt = dt
    current, voltage = StateMonitor(clamp, "I", record=True), StateMonitor(cell, "v", record=clamp.compartments[:1])
    Network(cell, clamp, current, voltage).run(duration * 1e3 * ms, **more)
    return current.t_, current.I_[0], voltage.v_[0]


# --- steady states --------------------------------------------------------------------------------------------------


def test_a_cable_draws_its_input_conductance(cases, solutions, target):
    closed = solutions.Passive(500, 2)
    resistance = float(closed.steady(np.zeros(1), 1.0)[0])  # mV for 1 nA
    for series in (1.0, 50.0):
        cell = cases.passive(Cylinder(diameter=2 * um, length=500 * um, n=200), 20000)
        clamp = VoltageClamp(cell.at(cell.morphology[0 * um]), -20 * mV, series * Mohm)
        _, current, v = recorded(cell, clamp, 1.0, 1e-3)
        # The clamp sits in the middle of the first compartment.
        assert current[-1] * 1e9 == pytest.approx(50 / (series + resistance), rel=5e-3)
        assert v[-1] == pytest.approx(-0.02 - series * 1e6 * current[-1], abs=1e-15)


def test_a_sphere_settles_where_resistance_and_leak_divide_the_voltage(cases, target):
    for series in (1 * ohm, 1 * Mohm, 1000 * Mohm):
        cell = sphere(cases)
        _, current, v = recorded(cell, VoltageClamp(cell, -20 * mV, series), 1.0, 1e-3)
        g = 1.0 / float(series)
        expected = (g * -0.02 + LEAK * REST) / (g + LEAK)
        assert v[-1] == pytest.approx(expected, abs=1e-13)
        assert current[-1] == pytest.approx(LEAK * (expected - REST), rel=1e-6)


# --- in time --------------------------------------------------------------------------------------------------------


def test_a_current_step_charges_a_sphere_exponentially(cases, target):
    cell = sphere(cases)
    clamp = CurrentClamp(cell, 0.1 * nA, on="t >= 2*ms and t < 12*ms")
    t, current, v = recorded(cell, clamp, 0.03, 25e-6)
    tau, end = CAPACITANCE / LEAK, 0.1e-9 / LEAK
    rise = end * (1 - np.exp(-np.clip(t - 2e-3, 0, 10e-3) / tau))
    expected = REST + rise * np.exp(-np.clip(t - 12e-3, 0, None) / tau)
    assert v == pytest.approx(expected, abs=1e-6 * end)
    on = (t > 1.99e-3) & (t < 11.99e-3)
    assert current == pytest.approx(np.where(on, 0.1e-9, 0.0))
    # What was delivered is on the membrane, or has leaked.
    leaked = LEAK * np.trapezoid(v - REST, t)
    assert 0.1e-9 * 10e-3 == pytest.approx(CAPACITANCE * (v[-1] - REST) + leaked, rel=1e-4)


@pytest.mark.parametrize("series", [1 * kohm, 100 * kohm, 1 * Mohm, 100 * Mohm])
def test_a_clamp_follows_a_ramp_at_its_distance(series, cases, target):
    """The current of a ramp charges the capacitance and feeds the leak, however stiff the clamp is."""
    cell = sphere(cases)
    t, current, v = recorded(cell, VoltageClamp(cell, "-70*mV + 10*mV*t/ms", series), 10e-3, 1e-4)
    ohms = float(series)
    tau, slope = CAPACITANCE / (LEAK + 1 / ohms), 10 / ohms / (LEAK + 1 / ohms)
    expected = REST + slope * (t - tau * (1 - np.exp(-t / tau)))
    assert v == pytest.approx(expected, abs=1e-4)
    flows = (REST + 10 * t - expected) / ohms
    assert current[5:] == pytest.approx(flows[5:], rel=5e-4)


@pytest.mark.parametrize("series", [1 * kohm, 1 * Mohm, 100 * Mohm])
def test_the_charge_that_a_clamp_delivers_is_on_the_membrane_or_has_leaked(series, cases):
    cell, dt = sphere(cases), 2.5e-5
    clamp = VoltageClamp(cell, "-70*mV + 20*mV*(1 - cos(2*pi*100*Hz*t))", series)
    t, current, v = recorded(cell, clamp, 4e-3 + dt, dt)
    stiff = dt > float(series) * CAPACITANCE
    delivered = dt * current[1:].sum() if stiff else np.trapezoid(current, t)
    stored = CAPACITANCE * (v[-1] - v[0]) + LEAK * np.trapezoid(v - REST, t)
    assert CAPACITANCE * (v[-1] - v[0]) > 0.05 * stored
    assert delivered == pytest.approx(stored, rel=1e-3)


# --- orders ---------------------------------------------------------------------------------------------------------

STEPS = (0.04, 0.02, 0.01)


def _errors(cases, make):
    """Largest errors of voltages (mV) and of the current (nA) at `STEPS`, against an eighth of the smallest."""

    def run(dt):
        cell = cases.squid(cases.ball_and_stick(20))
        clamp = make(cell)
        cell.clock.dt = dt * 1e-3
        v, current = StateMonitor(cell, "v", record=[0, 10, 20]), StateMonitor(clamp, "I", record=True)
        Network(cell, clamp, v, current).run(6 * ms)
        every = round(0.08 / dt)
        return v.v_[:, 25 * every // 2 :: every] * 1e3, current.I_[:, 25 * every // 2 :: every] * 1e9

    exact = run(STEPS[-1] / 8)
    found = [[np.abs(x - y).max() for x, y in zip(run(dt), exact)] for dt in STEPS]
    return np.array(found).T


SINE = "-55*mV + 20*mV*sin(2*pi*100*Hz*t)"
CLAMPS = {
    "a sine of a current": lambda c: CurrentClamp(c.at("soma"), "1*nA*sin(2*pi*200*Hz*t)"),
    "a current that is switched on and off": lambda c: CurrentClamp(c.at("soma"), 1 * nA, "t >= 0.8*ms and t < 4*ms"),
    "a TimedArray": lambda c: CurrentClamp(c[5], TimedArray([0, 1, 0.5, -0.2] * nA, dt=1.6 * ms)),
    "a conductance": lambda c: CurrentClamp(c[5], "50*nS*sin(2*pi*100*Hz*t)**2*(0*mV - v)"),
    "a voltage": lambda c: VoltageClamp(c.at("soma"), -30 * mV, 1 * Mohm),
    "a sine of a voltage": lambda c: VoltageClamp(c.at("soma"), SINE, 5 * Mohm),
    "a sine of a voltage, stiff": lambda c: VoltageClamp(c.at("soma"), SINE, 10 * kohm),
}


@pytest.mark.parametrize("name", CLAMPS)
def test_errors_fall_with_the_square_of_the_step(name, cases):
    voltage, current = _errors(cases, CLAMPS[name])
    assert np.log2(voltage[-2] / voltage[-1]) > 1.9, voltage
    if name in ("a conductance", "a voltage", "a sine of a voltage"):
        assert np.log2(current[-2] / current[-1]) > 1.9, current
    if name == "a sine of a voltage, stiff":  # the current is the mean over the last step
        assert np.log2(current[-2] / current[-1]) > 0.7, current


# --- stiffness ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", [1 * ohm, 1 * kohm, 100 * kohm])
@pytest.mark.parametrize("method", ["second_order", "backward_euler"])
def test_a_stiff_clamp_does_not_ring(series, method, cases, target):
    command = TimedArray([-70, -20] * mV, dt=1 * ms)
    cell = cases.passive(cases.ball_and_stick(50), 20000, cable_method=method)
    cell.clock.dt = 2.5e-5
    clamp = VoltageClamp(cell.at("soma"), command, series)
    monitor = StateMonitor(cell, "v", record=[0, 1, 5, 50])
    current = StateMonitor(clamp, "I", record=True)
    Network(cell, clamp, monitor, current).run(20 * ms)
    v = monitor.v_ * 1e3
    assert v[:, :41] == pytest.approx(-70, abs=1e-9)
    assert v[0, 60:] == pytest.approx(-20, abs=1.5e-3 * float(series) / 1e3 + 1e-9)
    assert v[0].max() < -20 + 1e-9
    assert (np.diff(v[:, 41:], axis=1) >= -1e-7).all()
    assert (np.diff(current.I_[0, 60:]) <= 1e-12).all() and (current.I_[0, 60:] > 0).all()
