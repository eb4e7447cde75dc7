"""Rothman and Manis' channels of the cochlear nucleus, and how its types of cells answer a step of current."""

import numpy as np
import pytest
from membranes import G, V, check_clamped, check_gates, current, step, trace

from rall import channels
from rall.units import kelvin
from rall.units.constants import zero_celsius

rm = channels.rothman_manis
ALL = rm.Na() + rm.KHT() + rm.KLT() + rm.KA() + rm.h()


def two(a, rise, b, fall, v):
    """a*exp((v + 60)/rise) + b*exp(-(v + 60)/fall), as all time constants of the paper have it."""
    return a * np.exp((v + 60) / rise) + b * np.exp(-(v + 60) / fall)


def exact(v, celsius=22.0):
    f = 3 ** ((celsius - 22) / 10)
    off = step(-(v + 66) / 7) ** 0.5
    wanted = {
        "m_Na": (step((v + 38) / 7), 10 / two(5, 18, 36, 25, v) + 0.04),
        "h_Na": (step(-(v + 65) / 6), 100 / two(7, 11, 10, 25, v) + 0.6),
        "n_KHT": (step((v + 15) / 5) ** 0.5, 100 / two(11, 24, 21, 23, v) + 0.7),
        "p_KHT": (step((v + 23) / 6), 100 / two(4, 32, 5, 22, v) + 5),
        "w_KLT": (step((v + 48) / 6) ** 0.25, 100 / two(6, 6, 16, 45, v) + 1.5),
        "z_KLT": ((1 + step(-(v + 71) / 10)) / 2, 1000 / two(1, 20, 1, 8, v) + 50),
        "a_KA": (step((v + 31) / 6) ** 0.25, 100 / two(7, 14, 29, 24, v) + 0.1),
        "b_KA": (off, 1000 / two(14, 27, 29, 24, v) + 1),
        "c_KA": (off, 90 * step((v + 66) / 17) + 10),
        "r_h": (step(-(v + 76) / 7), 1e5 / two(237, 12, 17, 14, v) + 25),
    }
    return {name: (steady, tau / f) for name, (steady, tau) in wanted.items()}


@pytest.mark.parametrize("celsius", [22.0, 37.0])
def test_gates(celsius):
    check_gates(ALL, exact(V, celsius), V, T=celsius * kelvin + zero_celsius)


def test_clamped(target):
    check_clamped(ALL, exact(V), V)


@pytest.mark.parametrize("celsius", [22.0, 38.0])
def test_currents_grow_twofold_for_ten_degrees(celsius):
    warmth = {"T": celsius * kelvin + zero_celsius}
    made = rm.Na(**warmth) + rm.KHT(**warmth) + rm.KLT(**warmth) + rm.KA(**warmth) + rm.h(**warmth)
    g = {name: steady for name, (steady, _) in exact(V).items()}
    wanted = {
        "Na": 833 * g["m_Na"] ** 3 * g["h_Na"] * (55 - V),
        "KHT": 125 * (0.85 * g["n_KHT"] ** 2 + 0.15 * g["p_KHT"]) * (-70 - V),
        "KLT": 167 * g["w_KLT"] ** 4 * g["z_KLT"] * (-70 - V),
        "KA": 54.2 * g["a_KA"] ** 4 * g["b_KA"] * g["c_KA"] * (-70 - V),
        "h": 16.7 * g["r_h"] * (-43 - V),
    }
    for name, exactly in wanted.items():
        assert np.allclose(current(made, V, f"I_{name}"), 2 ** ((celsius - 22) / 10) * exactly * 1e-3, rtol=1e-10), name


def cell(KHT=150, KLT=0, KA=0, h=0.5):
    """A cell of the paper's table 1, conductances in nS for 12 pF."""
    nS = G / 12
    return rm.Na() + rm.KHT(g=KHT * nS) + rm.KLT(g=KLT * nS) + rm.KA(g=KA * nS) + rm.h(g=h * nS) + rm.leak()


@pytest.mark.parametrize(
    ("make", "rest"), [({}, -63.9), ({"KHT": 80, "KA": 65}, -64.2), ({"KLT": 200, "h": 20}, -63.6)]
)
def test_resting_potentials(make, rest):
    """As in table 1; sodium's reversal potential there is 55 mV in the text and 50 mV in the files."""
    v, spikes = trace(cell(**make), 0, 300, v=rest, dt=0.05)
    assert len(spikes) == 0
    assert v[-1] == pytest.approx(rest, abs=0.3)


def test_steps_of_current():
    """Figure 2: type I fires on and on, type II once.  50 and 300 pA into 12 pF."""
    _, many = trace(cell(), 50 / 12, 100, v=-63.9, dt=0.025)
    _, transient = trace(cell(KHT=80, KA=65), 50 / 12, 100, v=-64.2, dt=0.025)
    _, once = trace(cell(KLT=200, h=20), 300 / 12, 100, v=-63.6, dt=0.025)
    assert len(many) >= 4 and np.diff(many).std() < 0.3 * np.diff(many).mean()
    assert len(transient) >= 2 and transient[0] > many[0]
    assert len(once) == 1 and once[0] < 5
