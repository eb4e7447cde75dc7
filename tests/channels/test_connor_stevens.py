"""Connor and Stevens' axon: shifted rates, the A current, and slow regular firing."""

import numpy as np
import pytest
from membranes import G, V, check_clamped, check_gates, current, of_rates, ramp, solve, step, trace

from rall import channels
from rall.units import kelvin
from rall.units.constants import zero_celsius

cs = channels.connor_stevens
ALL = cs.Na() + cs.K() + cs.A()


def exact(v, celsius=18.0):
    f, ms_, hs, ns = 3 ** ((celsius - 18) / 10), -5.3, -12, -4.3  # the shifts of the 1977 paper
    rise = step((v + 1.17) / 28.93)
    return {
        "m_Na": of_rates(ramp((v + 35 + ms_) / 10), 4 * np.exp(-(v + 60 + ms_) / 18), 3.8 * f),
        "h_Na": of_rates(0.07 * np.exp(-(v + 60 + hs) / 20), step((v + 30 + hs) / 10), 3.8 * f),
        "n_K": of_rates(0.1 * ramp((v + 50 + ns) / 10), 0.125 * np.exp(-(v + 60 + ns) / 80), 1.9 * f),
        "a_A": (
            np.cbrt(0.0761 * np.exp((v + 94.22) / 31.84 - (v + 1.17) / 28.93) * rise),
            (0.3632 + 1.158 * step(-(v + 55.96) / 20.12)) / f,
        ),
        "b_A": (step(-(v + 53.3) / 14.54) ** 4, (1.24 + 2.678 * step(-(v + 50) / 16.027)) / f),
    }


@pytest.mark.parametrize("celsius", [18.0, 6.0])
def test_gates(celsius):
    v = np.concatenate([V, [-29.7, -45.7, -29.7 + 1e-9, -45.7 - 1e-8]])
    check_gates(ALL, exact(v, celsius), v, goal=1e-10, T=celsius * kelvin + zero_celsius)


def test_close_to_the_textbook():
    """Dayan & Abbott, Theoretical Neuroscience (2001), chapter 6, print rounded numbers of the same rates."""
    found, v = exact(V), V
    m = of_rates(3.8 * ramp((v + 29.7) / 10), 15.2 * np.exp(-0.0556 * (v + 54.7)))
    n = of_rates(0.2 * ramp((v + 45.7) / 10), 0.25 * np.exp(-0.0125 * (v + 55.7)))
    b = step(-0.0688 * (v + 53.3)) ** 4
    for (steady, tau), (rounded, tau_rounded) in ((found["m_Na"], m), (found["n_K"], n)):
        assert np.abs(steady - rounded).max() < 0.01
        assert np.abs(tau / tau_rounded - 1).max() < 0.06
    assert np.abs(found["b_A"][0] - b).max() < 0.005


def test_clamped(target):
    check_clamped(ALL, exact(V), V, dt=0.002, time=0.3)


def test_currents():
    m, h, n, a, b = (steady for steady, _ in exact(V).values())
    assert np.allclose(current(ALL, V, "I_Na"), 1200 * m**3 * h * (55 - V) * 1e-3, rtol=1e-10)
    assert np.allclose(current(ALL, V, "I_K"), 200 * n**4 * (-72 - V) * 1e-3, rtol=1e-10)
    assert np.allclose(current(ALL, V, "I_A"), 477 * a**3 * b * (-75 - V) * 1e-3, rtol=1e-10)


def rates(density, a_share=1.0):
    def slopes(t, y):
        v, *gates = y
        m, h, n, a, b = gates
        flow = 120 * m**3 * h * (55 - v) + 20 * n**4 * (-72 - v) + 47.7 * a_share * a**3 * b * (-75 - v)
        moves = [(steady - x) / tau for x, (steady, tau) in zip(gates, exact(v).values())]
        return [flow + 0.3 * (-17 - v) + density, *moves]

    return slopes


def test_it_fires_as_the_equations_say(target):
    start = [-68.0, *(float(steady) for steady, _ in exact(np.float64(-68.0)).values())]
    wanted = solve(rates(15.0), start, 60)
    _, spikes = trace(ALL + cs.leak(), 15.0, 60, v=-68.0)
    assert len(spikes) == len(wanted) > 1
    assert np.abs(spikes - wanted).max() < 0.3


def test_the_A_current_makes_it_fire_late():
    _, spikes = trace(ALL + cs.leak(), 10.0, 100, v=-68.0)
    _, without = trace(cs.Na() + cs.K(g=67.7 * G) + cs.leak(), 10.0, 100, v=-68.0)
    assert spikes[0] > 2 * without[0]
