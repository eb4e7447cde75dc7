"""Wang and Buzsaki's interneuron: rates, currents, and points of its f-I curve."""

import numpy as np
import pytest
from membranes import V, check_clamped, check_gates, current, of_rates, ramp, solve, step, trace

from rall import channels
from rall.units import mV

wb = channels.wang_buzsaki
ALL = wb.Na() + wb.K()


def exact(v, phi=5.0):
    m = of_rates(ramp((v + 35) / 10), 4 * np.exp(-(v + 60) / 18))[0]
    return {
        "h_Na": of_rates(0.07 * np.exp(-(v + 58) / 20), step((v + 28) / 10), phi),
        "n_K": of_rates(0.1 * ramp((v + 34) / 10), 0.125 * np.exp(-(v + 44) / 80), phi),
        "m_Na": (m, 0.0),
    }


@pytest.mark.parametrize("phi", [5.0, 3.33])
def test_gates(phi):
    v = np.concatenate([V, [-35, -34, -35 + 1e-8, -34 - 1e-9]])
    check_gates(wb.Na(phi=phi) + wb.K(phi=phi), exact(v, phi), v)


def test_clamped(target):
    check_clamped(ALL, exact(V), V)


def test_currents():
    h, n, m = (steady for steady, _ in exact(V).values())
    assert np.allclose(current(ALL, V, "I_Na"), 350 * m**3 * h * (55 - V) * 1e-3, rtol=1e-10)
    assert np.allclose(current(ALL, V, "I_K"), 90 * n**4 * (-90 - V) * 1e-3, rtol=1e-10)


def rates(density):
    """The paper's neuron with a current density in uA/cm2."""

    def slopes(t, y):
        v, h, n = y
        (h_inf, h_tau), (n_inf, n_tau), (m, _) = exact(v).values()
        flow = 35 * m**3 * h * (55 - v) + 9 * n**4 * (-90 - v) + 0.1 * (-65 - v)
        return [flow + density, (h_inf - h) / h_tau, (n_inf - n) / n_tau]

    return slopes


@pytest.mark.parametrize("density", [1.0, 2.0])
def test_firing_rate(density, target):
    """Paper, figure 1: it begins to fire at about 0.2 uA/cm2."""
    start = [-65.0, *(float(steady) for steady, _ in list(exact(np.float64(-65.0)).values())[:2])]
    wanted = solve(rates(density), start, 80)
    _, spikes = trace(ALL + wb.leak(), density, 80)
    assert len(spikes) == len(wanted) > 3
    assert np.diff(spikes)[1:].mean() == pytest.approx(np.diff(wanted)[1:].mean(), rel=2e-3)


def test_it_is_silent_below_its_rheobase():
    v, spikes = trace(ALL + wb.leak(), 0.1, 200)
    assert len(spikes) == 0 and -65 < v[-1] < -55
    assert wb.leak().defaults["E_leak"] == -65 * mV
