"""Pospischil's channels, and what distinguishes the classes of cells that are made of them."""

import numpy as np
import pytest
from membranes import G, V, check_clamped, check_gates, current, of_rates, ramp, step, trace

from rall import channels
from rall.units import kelvin, mV, second
from rall.units.constants import zero_celsius

p = channels.pospischil


def exact(v, celsius=36.0):
    warm, slow = 3 ** ((celsius - 36) / 10), 2.3 ** ((celsius - 36) / 10)
    w, u = v + 2, v + 55
    return {
        "m_Na": of_rates(1.28 * ramp((u - 13) / 4), 1.4 * ramp((40 - u) / 5), warm),
        "h_Na": of_rates(0.128 * np.exp((17 - u) / 18), 4 * step((u - 40) / 5), warm),
        "n_Kd": of_rates(0.16 * ramp((u - 15) / 5), 0.5 * np.exp((10 - u) / 40), warm),
        "p_M": (step((v + 35) / 10), 1000 / slow / (3.3 * np.exp((v + 35) / 20) + np.exp(-(v + 35) / 20))),
        "q_CaL": of_rates(0.209 * ramp((v + 27) / 3.8), 0.94 * np.exp(-(v + 75) / 17), warm),
        "r_CaL": of_rates(4.57e-4 * np.exp(-(v + 13) / 50), 6.5e-3 * step((v + 15) / 28), warm),
        "s_CaT": (step((w + 57) / 6.2), 0.0),
        "u_CaT": (
            step(-(w + 81) / 4),
            (30.8 + (211.4 + np.exp((w + 113.2) / 5)) * step(-(w + 84) / 3.2)) / 3 ** ((celsius - 24) / 10),
        ),
    }


ALL = p.Na() + p.Kd() + p.M() + p.CaL() + p.CaT()


@pytest.mark.parametrize("celsius", [36.0, 27.0])
def test_gates(celsius):
    v = np.concatenate([V, [-27, -27 + 1e-9, -42, -15, -40]])
    check_gates(ALL, exact(v, celsius), v, goal=1e-10, T=celsius * kelvin + zero_celsius)


def test_clamped(target):
    check_clamped(ALL, exact(V), V, dt=0.0025)


def test_currents():
    g = {name: steady for name, (steady, _) in exact(V).items()}
    wanted = {
        "Na": 500 * g["m_Na"] ** 3 * g["h_Na"] * (50 - V), "Kd": 50 * g["n_Kd"] ** 4 * (-100 - V),
        "M": 0.7 * g["p_M"] * (-100 - V), "CaL": 1 * g["q_CaL"] ** 2 * g["r_CaL"] * (120 - V),
        "CaT": 4 * g["s_CaT"] ** 2 * g["u_CaT"] * (120 - V),
    }  # fmt: skip
    for name, exactly in wanted.items():
        assert np.allclose(current(ALL, V, f"I_{name}"), exactly * 1e-3, rtol=1e-9), name


def test_the_slow_current_makes_regular_spiking_cells_adapt():
    adapting, plain = (trace(p.Na() + p.Kd() + p.leak() + p.M(g=g * G), 2.6, 600, v=-70.0, dt=0.025)[1]
                       for g in (0.07, 0.0))  # fmt: skip
    intervals = np.diff(adapting)
    assert len(adapting) > 4 and intervals[-1] > 1.5 * intervals[0]
    assert np.diff(plain)[-1] == pytest.approx(np.diff(plain)[1], rel=0.02)
    quick = np.diff(trace(p.Na() + p.Kd() + p.leak() + p.M(tau_max=0.2 * second), 2.6, 600, v=-70.0, dt=0.025)[1])
    assert intervals[0] < quick[0]


def test_low_threshold_cells_rebound():
    """A burst when a negative current ends, from calcium channels alone."""
    cell = p.Na() + p.Kd() + p.M(g=0.03 * G) + p.leak(g=0.05 * G, E=-60 * mV)
    pulse = "-1.5 if t < 200*ms else 0"
    with_t, spikes = trace(cell + p.CaT(), pulse, 300, v=-60.0, dt=0.025)
    without, none = trace(cell, pulse, 300, v=-60.0, dt=0.025)
    assert len(none) == 0 and without.max() <= -59.9
    assert len(spikes) >= 2 and 200 < spikes[0] < 250 and with_t.max() > 0
