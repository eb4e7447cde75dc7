"""Hodgkin and Huxley's channels: their rates at two temperatures, and how often the squid axon fires."""

import csv

import numpy as np
import pytest
from membranes import V, check_clamped, check_gates, current, of_rates, ramp, solve, step, trace

from rall import channels
from rall.units import cm, kelvin, mS, ms, mV
from rall.units.constants import zero_celsius

ALL = channels.hh.Na() + channels.hh.K()


def exact(v, celsius=6.3):
    """Steady states and time constants (ms); resting potential of the paper at -65 mV."""
    u, f = -(v + 65), 3 ** ((celsius - 6.3) / 10)  # the paper's voltages count down from rest
    return {
        "m_Na": of_rates(ramp(-(u + 25) / 10), 4 * np.exp(u / 18), f),
        "h_Na": of_rates(0.07 * np.exp(u / 20), step(-(u + 30) / 10), f),
        "n_K": of_rates(0.1 * ramp(-(u + 10) / 10), 0.125 * np.exp(u / 80), f),
    }


@pytest.mark.parametrize("celsius", [6.3, 18.5])
def test_gates(celsius):
    v = np.concatenate([V, [-40, -55, -40 + 1e-9, -55 - 1e-7]])
    check_gates(ALL, exact(v, celsius), v, T=celsius * kelvin + zero_celsius)


def test_a_temperature_is_the_channels_own_default():
    warm = channels.hh.Na(T=18.5 * kelvin + zero_celsius) + channels.hh.K(T=18.5 * kelvin + zero_celsius)
    check_gates(warm, exact(V, 18.5), V)
    hot = channels.hh.K(q10=2, T=16.3 * kelvin + zero_celsius)
    steady, tau = exact(V)["n_K"]
    check_gates(hot, {"n_K": (steady, tau / 2)}, V)


def test_gates_at_6_3_degrees_against_the_table_of_50_digits(shared):
    with open(shared / "reference" / "rates" / "hh_rates.csv") as file:
        rows = list(csv.DictReader(file))
    v = np.array([float(row["V_mV"]) for row in rows])
    found = channels.gates(ALL, v * mV)
    for gate in ("m_Na", "h_Na", "n_K"):
        alpha, beta = (np.array([float(row[f"{kind}_{gate[0]}"]) for row in rows]) for kind in ("alpha", "beta"))
        assert np.allclose(found[gate].steady, alpha / (alpha + beta), rtol=3e-13)
        assert np.allclose(np.asarray(found[gate].tau / ms), 1 / (alpha + beta), rtol=3e-13)


def test_clamped(target):
    check_clamped(ALL, exact(V), V)


def test_currents():
    gates = exact(V)
    m, h, n = (gates[name][0] for name in ("m_Na", "h_Na", "n_K"))
    assert np.allclose(current(ALL, V, "I_Na"), 1200 * m**3 * h * (50 - V) * 1e-3, rtol=1e-11)
    assert np.allclose(current(ALL, V, "I_K"), 360 * n**4 * (-77 - V) * 1e-3, rtol=1e-11)


def squid(celsius, density):
    """The paper's equations for a patch."""

    def rates(t, y):
        v, m, h, n = y
        gates = exact(v, celsius)
        slopes = [(steady - x) / tau for x, (steady, tau) in zip((m, h, n), gates.values())]
        flow = 120 * m**3 * h * (50 - v) + 36 * n**4 * (-77 - v) + 0.3 * (-54.3 - v)
        return [flow + density, *slopes]

    return rates


@pytest.mark.parametrize("celsius", [6.3, 18.5])
def test_how_often_it_fires(celsius, target):
    warmth = celsius * kelvin + zero_celsius
    model = channels.hh.Na(T=warmth) + channels.hh.K(T=warmth) + channels.leak()
    _, spikes = trace(model, 20, 40)
    start = [-65.0, *(float(steady) for steady, _ in exact(np.float64(-65.0), celsius).values())]
    wanted = solve(squid(celsius, 20.0), start, 40)
    assert len(spikes) == len(wanted) > 2
    assert np.abs(spikes - wanted).max() < 0.05


def test_it_fires_faster_when_it_is_warm():
    rate = {}
    for celsius in (6.3, 18.5):
        start = [-65.0, *(float(steady) for steady, _ in exact(np.float64(-65.0), celsius).values())]
        rate[celsius] = 1e3 / np.diff(solve(squid(celsius, 20.0), start, 100))[-1]
    cold, warm = (channels.hh.Na(T=c * kelvin + zero_celsius) + channels.hh.K(T=c * kelvin + zero_celsius)
                  + channels.leak() for c in (6.3, 18.5))  # fmt: skip
    measured = [1e3 / np.diff(trace(model, 20, 100)[1])[-1] for model in (cold, warm)]
    assert measured == pytest.approx([rate[6.3], rate[18.5]], rel=0.01)
    assert measured[1] > 1.8 * measured[0]


def test_channels_of_one_cell_share_its_temperature():
    both = channels.hh.Na(T=290 * kelvin) + channels.hh.K(T=290 * kelvin)
    assert both.names.count("T") == 1
    with pytest.raises(ValueError, match=r"T.*290 K and 279.45 K|T.*279.45 K and 290 K"):
        channels.hh.Na(T=290 * kelvin) + channels.hh.K()
    assert channels.hh.Na(g=100 * mS / cm**2).defaults["T"] == 279.45 * kelvin


def test_a_pool_of_the_ion_gives_its_reversal_potential():
    pool = "E_K = nernst(1, 140*mM, K_o, T) : volt\nK_o = 4*mM : mM"
    both = ALL + pool
    assert both["E_K"].kind == "subexpression" and "E_K" not in both.defaults
    assert both["E_Na"].kind == "parameter"
