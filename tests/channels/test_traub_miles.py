"""Traub and Miles' channels with a movable threshold, and Pospischil's cells of them and a few more."""

import numpy as np
import pytest
from membranes import V, check_clamped, check_gates, current, of_rates, ramp, solve, step, trace

from rall import channels
from rall.units import kelvin, mV
from rall.units.constants import zero_celsius

ALL = channels.traub_miles.Na() + channels.traub_miles.K()
SINGULAR = np.array([13.0, 40.0, 15.0])


def exact(v, celsius=36.0, VT=-63.0):
    u, f = v - VT, 3 ** ((celsius - 36) / 10)
    return {
        "m_Na": of_rates(1.28 * ramp((u - 13) / 4), 1.4 * ramp((40 - u) / 5), f),
        "h_Na": of_rates(0.128 * np.exp((17 - u) / 18), 4 * step((u - 40) / 5), f),
        "n_K": of_rates(0.16 * ramp((u - 15) / 5), 0.5 * np.exp((10 - u) / 40), f),
    }


@pytest.mark.parametrize(("celsius", "VT"), [(36.0, -63.0), (24.0, -63.0), (36.0, -55.0)])
def test_gates(celsius, VT):
    v = np.concatenate([V, VT + SINGULAR, VT + SINGULAR + 1e-8])
    made = channels.traub_miles.Na(VT=VT * mV) + channels.traub_miles.K(VT=VT * mV)
    check_gates(made, exact(v, celsius, VT), v, goal=1e-10, T=celsius * kelvin + zero_celsius)


def test_clamped(target):
    check_clamped(ALL, exact(V), V, dt=0.0025)


def test_currents():
    m, h, n = (exact(V)[name][0] for name in ("m_Na", "h_Na", "n_K"))
    assert np.allclose(current(ALL, V, "I_Na"), 1000 * m**3 * h * (50 - V) * 1e-3, rtol=1e-10)
    assert np.allclose(current(ALL, V, "I_K"), 300 * n**4 * (-90 - V) * 1e-3, rtol=1e-10)


def test_how_often_the_neuron_of_the_networks_fires(target):
    """The neuron of Brette et al 2007: 0.05 mS/cm2 of leak at -60 mV."""

    def rates(t, y):
        v, m, h, n = y
        slopes = [(steady - x) / tau for x, (steady, tau) in zip((m, h, n), exact(v).values())]
        return [100 * m**3 * h * (50 - v) + 30 * n**4 * (-90 - v) + 0.05 * (-60 - v) + 2.0, *slopes]

    start = [-60.0, *(float(steady) for steady, _ in exact(np.float64(-60.0)).values())]
    wanted = solve(rates, start, 60)
    leak = channels.leak(g=0.5 * channels.leak().defaults["g_leak"] / 3, E=-60 * mV)
    _, spikes = trace(ALL + leak, 2.0, 60, v=-60.0)
    assert len(spikes) == len(wanted) > 2
    assert np.abs(spikes - wanted).max() < 0.1


def test_threshold_moves_with_VT():
    low, high = (channels.traub_miles.Na(VT=VT * mV) for VT in (-63, -53))
    a, b = channels.gates(low, V * mV), channels.gates(high, (V + 10) * mV)
    assert np.allclose(a["m_Na"].steady, b["m_Na"].steady, rtol=1e-10)
