"""Receptors: conductances after events in closed form, and the currents they are on cells and point neurons."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.errors import RallError
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.plugins.inputs import SpikeGeneratorGroup
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import cm, mM, mS, ms, mV, nS, ohm, uF, um

synapses = channels.synapses
STEP = 0.05  # ms
DUAL = {"AMPA": (0.2, 1.7, 0), "NMDA": (0.29, 43, 0), "GABA_A": (0.2, 8, -80), "GABA_B": (3.5, 260.9, -97)}
#: Rates of binding (per ms and mM) and unbinding (per ms).
BOUND = {"AMPA": (1.1, 0.19, 0), "NMDA": (0.072, 0.0066, 0), "GABA_A": (5, 0.18, -80)}


@pytest.fixture
def run():
    """Values of receptors on three compartments, which hardly change their voltages, at times (ms) after an event."""

    def run(receptor, v=(-70, -40, 20), duration=12.0, events=(1.0,), g=2 * nS):
        defaultclock.dt = STEP * ms
        current = receptor.current.names[0]
        cell = SpatialNeuron(
            morphology=Cylinder(diameter=1 * um, length=30 * um, n=3), Cm=1e8 * uF / cm**2, Ri=1e9 * ohm * cm,
            model=channels.leak(g=0 * mS / cm**2) + receptor.current,
        )  # fmt: skip
        cell.v = np.array(v) * mV
        source = SpikeGeneratorGroup(1, np.zeros(len(events), int), np.array(events) * ms)
        joined = Synapses(source, cell, **receptor)
        joined.connect(i=0, j=np.arange(3))
        joined.g = g
        inner = StateMonitor(joined, "r", record=True)
        outer = StateMonitor(cell, current, record=True)
        Network(source, cell, joined, inner, outer).run(duration * ms)
        # An event acts at the end of its step.
        times = np.asarray(inner.t) * 1e3
        return times - STEP, inner.r_, getattr(outer, f"{current}_")

    return run


def dual(t, rise, decay):
    """A difference of exponentials with its peak at 1."""
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    top = np.exp(-peak / decay) - np.exp(-peak / rise)
    return np.where(t < 0, 0, (np.exp(-np.maximum(t, 0) / decay) - np.exp(-np.maximum(t, 0) / rise)) / top)


def block(v, mg=1.0):
    return 3.57 / (3.57 + mg * np.exp(-0.062 * v))


@pytest.mark.parametrize("name", DUAL)
def test_dual_exponential(name, run, target):
    rise, decay, reversal = DUAL[name]
    v = np.array([-70.0, -40.0, 20.0])
    times, r, current = run(getattr(synapses, name)(), v)
    expected = dual(times - 1.0, rise, decay)
    assert np.ptp(expected) > 0.9
    assert r == pytest.approx(np.tile(expected, (3, 1)), abs=1e-10)
    unblocked = block(v) if name == "NMDA" else np.ones(3)
    found = current * 1e12 / (2 * unblocked * (reversal - v))[:, None]  # pA over nS*mV
    # A sum is that of the beginning of the step before.
    assert found[:, 1:] == pytest.approx(np.tile(expected, (3, 1))[:, :-1], abs=1e-6)


def test_events_add_up(run, target):
    times, r, _ = run(synapses.AMPA(), events=(1.0, 2.0, 2.05), duration=6.0)
    expected = sum(dual(times - begin, 0.2, 1.7) for begin in (1.0, 2.0, 2.05))
    assert r[0] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("tau", [2.0, 0.5])
def test_equal_time_constants(tau, run):
    """The alpha function."""
    times, r, _ = run(synapses.AMPA(tau_rise=tau * ms, tau_decay=tau * ms), duration=8.0)
    after = np.maximum(times - 1.0, 0)
    assert r[0] == pytest.approx(after / tau * np.exp(1 - after / tau), abs=1e-9)


def test_magnesium(run):
    v = np.array([-90.0, -35.0, 10.0])
    currents = {mg: run(synapses.NMDA(Mg=mg * mM), v, 4.0)[2][:, -1] for mg in (0.0, 0.5, 2.0)}
    for mg in (0.5, 2.0):
        assert currents[mg] / currents[0.0] == pytest.approx(block(v, mg), rel=2e-4)


@pytest.mark.parametrize("name", BOUND)
def test_binding(name, run, target):
    """A pulse of a millisecond, then a longer one by two events."""
    alpha, beta, _ = BOUND[name]
    receptor = getattr(synapses, f"{name}_kinetic")()
    times, r, _ = run(receptor, events=(1.0, 6.0, 6.4), duration=10.0)
    rate, full = alpha + beta, alpha / (alpha + beta)
    expected, now = [], 0.0
    for time in times:
        expected.append(now)
        open_channels = 1.0 - 1e-9 < time + STEP < 2.0 - 1e-9 or 6.0 - 1e-9 < time + STEP < 7.4 - 1e-9
        now = full + (now - full) * np.exp(-rate * STEP) if open_channels else now * np.exp(-beta * STEP)
    shifted = np.concatenate([[0.0], expected[:-1]])
    assert r[0] == pytest.approx(shifted, abs=1e-9)
    one = full * (1 - np.exp(-rate))
    assert r[0].max() > one > 0
    assert r[0][int(5 / STEP)] == pytest.approx(one * np.exp(-beta * (5 - 2.05)), rel=1e-6)


def test_g_protein(run, target):
    """The cascade of GABA_B in closed form: after its pulse, receptors and G-protein decay at their own rates."""
    v = np.array([-70.0, -40.0, 20.0])
    times, r, current = run(synapses.GABA_B_kinetic(), v, 60.0)
    bind, unbind, make, decay = 0.09 * 0.5, 1.2e-3, 0.18, 0.034  # per ms; G-protein in uM
    t = np.maximum(times - 1.0, 0)
    rate, full = bind + unbind, bind / (bind + unbind)
    top = full * (1 - np.exp(-rate * 0.3))
    after = np.maximum(t - 0.3, 0)
    receptors = np.where(t < 0.3, full * (1 - np.exp(-rate * t)), top * np.exp(-unbind * after))
    assert r[0] == pytest.approx(receptors, abs=1e-9)
    both = np.minimum(t, 0.3)
    built = make * full * ((1 - np.exp(-decay * both)) / decay
                           - (np.exp(-rate * both) - np.exp(-decay * both)) / (decay - rate))  # fmt: skip
    protein = built * np.exp(-decay * after)
    protein += make * top / (decay - unbind) * (np.exp(-unbind * after) - np.exp(-decay * after))
    share = protein**4 / (protein**4 + 100)
    assert share.max() > 1e-8
    found = current * 1e12 / (2 * (-95 - v))[:, None]
    assert found[:, 1:] == pytest.approx(np.tile(share, (3, 1))[:, :-1], rel=1e-3, abs=1e-11)


def test_onto_point_neurons(target):
    """Two receptors of a neuron, against its equation with the conductances as functions of time."""
    defaultclock.dt = 0.01 * ms
    neuron = NeuronGroup(
        1, "dv/dt = (10*nS*(-70*mV - v) + I_AMPA + I_GABA_A)/(100*pF) : volt\nI_AMPA : amp\nI_GABA_A : amp",
        method="rk4",
    )  # fmt: skip
    neuron.v = -70 * mV
    source = SpikeGeneratorGroup(2, [0, 1], [1, 3] * ms)
    excite = Synapses(source, neuron, **synapses.AMPA(g=3 * nS))
    inhibit = Synapses(source, neuron, **synapses.GABA_A(g=5 * nS))
    excite.connect(i=0, j=0)
    inhibit.connect(i=1, j=0)
    trace = StateMonitor(neuron, "v", record=0)
    Network(neuron, source, excite, inhibit, trace).run(15 * ms)
    v, fine, expected = -70.0, 0.001, []
    for k in range(15000):
        if k % 10 == 0:
            expected.append(v)
        t = (k + 0.5) * fine - 0.005  # a sum keeps all through a step what it is at the beginning
        e, i = 3 * dual(t - 1.01, 0.2, 1.7), 5 * dual(t - 3.01, 0.2, 8)
        total = 10 + e + i
        rest = (10 * -70 + e * 0 + i * -80) / total
        v = rest + (v - rest) * np.exp(-total / 100 * fine)
    assert np.ptp(expected) > 3
    assert trace.v_[0] * 1e3 == pytest.approx(np.array(expected), abs=1e-3)


def test_a_name_of_its_own():
    receptor = synapses.AMPA(name="fast")
    assert receptor.current.names == ("I_fast",)
    assert "I_fast_post" in receptor.model.names
    assert set(receptor) == {"model", "on_pre"}
    with pytest.raises(RallError, match="letters"):
        synapses.AMPA(name="a b")


@pytest.mark.parametrize("name", [name for name in synapses.__all__ if name != "Receptor"])
def test_sources(name):
    sources = getattr(synapses, name)().model.sources
    assert sources and all("19" in source or "20" in source for source in sources)


def test_values_of_each_synapse():
    receptor = synapses.AMPA(g="1*nS*(1 + j)")
    cell = SpatialNeuron(morphology=Cylinder(diameter=1 * um, length=30 * um, n=3), model=receptor.current)
    source = SpikeGeneratorGroup(1, [0], [0] * ms)
    joined = Synapses(source, cell, **receptor)
    joined.connect()
    assert np.asarray(joined.g_) * 1e9 == pytest.approx([1, 2, 3])
