"""Rallpack 1, 2 and 3 (Bhalla, Bilitch & Bower, Trends Neurosci 15:453, 1992)."""

from __future__ import annotations

import numpy as np
import pytest

from rall.morphology import Cylinder
from rall.units import um

REST = -65.0
LEAK = dict(g=1e3 / 40000, rest=REST)


def axon(n=1000):
    return Cylinder(diameter=1 * um, length=1000 * um, n=n)


@pytest.fixture(scope="module")
def first(cases):
    cell = cases.passive(axon(), 40000, ri=100, rest=REST)
    return cases.traces(cell, [0, 999], [(250, 0, 0.1)], 0.025)


@pytest.fixture(scope="module")
def second(cases):
    cell = cases.passive(cases.binary_tree(), 40000, ri=100, rest=REST)
    return cases.traces(cell, [0, cell.N - 1], [(250, 0, 0.1)], 0.025)


@pytest.fixture(scope="module")
def third(cases):
    kept = {}

    def run(dt):
        if dt not in kept:
            kept[dt] = cases.traces(cases.squid(axon(), **LEAK), [0, 999], [(250, 0, 0.1)], dt)
        return kept[dt]

    return run


def percent(exact, trace):
    return 100 * np.sqrt(np.mean((trace - exact) ** 2)) / np.ptp(exact)


def test_1_follows_the_modes_of_the_chain(first, solutions):
    t, v = first
    sampled = np.arange(0, len(t), 40)
    cable = solutions.Passive(1000, 1, 100, 40000)
    for trace, element in zip(v, (0, 999)):
        exact = REST + cable.chain(t[sampled], 1000, element, 0.1)
        assert percent(exact, trace[sampled]) < 0.002
        assert np.abs(trace[sampled] - exact)[1:].max() < 0.002


def test_1_follows_the_continuous_cable(first, solutions):
    t, v = first
    sampled = np.arange(40, len(t), 200)
    cable = solutions.Passive(1000, 1, 100, 40000)
    for trace, x in zip(v, (0.5, 999.5)):
        assert np.abs(trace[sampled] - REST - cable.step(t[sampled], x, 0.1, 0.5)).max() < 0.004


def test_2_is_a_chain_of_ten(second, solutions):
    """Rall's law makes the tree a cylinder of ten compartments."""
    t, v = second
    sampled = np.arange(0, len(t), 20)
    cable = solutions.Passive(320, 16, 100, 40000)
    for trace, element in zip(v, (0, 9)):
        exact = REST + cable.chain(t[sampled], 10, element, 0.1)
        assert percent(exact, trace[sampled]) < 0.001


def test_1_against_the_reference(first, shared, errors):
    t, v = first
    reference = np.load(shared / "reference" / "rallpack" / "rallpack1.npz")
    assert np.allclose(t[::2], reference["t"][:-1])
    for trace, name in zip(v, ("v0_n1000", "vx_n1000")):
        exact = reference[name][:-1]
        assert 100 * errors.rel_rms(exact, trace[::2]) < 0.002
        assert np.abs(trace[::2] - exact)[20:].max() < 0.002


def test_2_against_the_reference(second, shared, errors):
    _, v = second
    reference = np.load(shared / "reference" / "rallpack" / "rallpack2.npz")
    for trace, name in zip(v, ("v0_centre", "vx_centre")):
        assert 100 * errors.rel_rms(reference[name][:-1], trace[::2]) < 0.001


@pytest.mark.parametrize(("dt", "goal"), [(0.025, 0.05), (0.01, 0.01), (0.05, np.inf)])
def test_3_against_the_reference(dt, goal, third, shared, errors):
    t, v = third(dt)
    reference = np.load(shared / "reference" / "rallpack" / "rallpack3.npz")
    for trace, name, count in zip(v, ("spikes0_n1000", "spikesx_n1000"), (18, 17)):
        spikes = errors.spike_times(t, trace)
        assert len(spikes) == len(reference[name]) == count
        assert errors.spike_error(reference[name], spikes) <= goal


def test_3_converges_with_the_second_order(third, errors_of_last):
    """The last spike at 0.05, 0.025 and 0.0125 ms: differences fall four times (three at least)."""
    last = [errors_of_last(*third(dt)) for dt in (0.05, 0.025, 0.0125)]
    ratio = np.abs(last[0] - last[1]) / np.abs(last[1] - last[2])
    assert (ratio > 3).all()


@pytest.fixture(scope="module")
def errors_of_last():
    def last(t, v):
        found = []
        for trace in v:
            k = np.flatnonzero((trace[:-1] < 0) & (trace[1:] >= 0))[-1]
            cubic = np.polyfit(trace[k - 1 : k + 3], t[k - 1 : k + 3], 3)
            found.append(cubic[-1])
        return np.array(found)

    return last
