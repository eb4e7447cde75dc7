"""Spikes of cells: threshold, where it is looked at, refractoriness, reset."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.errors import EquationError, RallError
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.simulation import Network
from rall.units import cm, mS, ms, mV, nA, um


def crossings(t, v, threshold=0.0):
    above = v > threshold
    return t[1:][above[1:] & ~above[:-1]]


@pytest.fixture
def fire(squid, cell_of, stick):
    """Run a cell with a current at the soma; spikes and the voltage after every step."""

    def go(duration=30 * ms, current=0.6 * nA, **keywords):
        cell = cell_of(stick, squid, **keywords)
        cell.initialise(v=-65 * mV)
        cell.I[0] = current
        spikes = SpikeMonitor(cell)
        # v after the step that began at t.
        trace = StateMonitor(cell, "v", record=True, when="end")
        Network(cell, spikes, trace).run(duration)
        return cell, spikes, trace

    return go


def test_spikes_are_where_the_condition_holds(fire, target):
    _, spikes, trace = fire(threshold="v > 0*mV", threshold_location=0, refractory="v > 0*mV")
    expected = crossings(trace.t_, trace.v_[0])
    assert len(expected) > 1
    assert spikes.t_ == pytest.approx(expected)
    assert (spikes.i == 0).all()
    assert spikes.num_spikes == len(expected) == spikes.count[0]


@pytest.mark.parametrize("where", ["number", "place", "part"])
def test_location(fire, stick, where):
    location = {"number": 5, "place": stick.dend[90 * um], "part": stick.dend[90 * um]}[where]
    _, spikes, trace = fire(threshold="v > -10*mV", threshold_location=location, refractory="v > -10*mV")
    assert spikes.t_ == pytest.approx(crossings(trace.t_, trace.v_[5], -0.01))
    assert spikes.num_spikes > 0
    assert set(spikes.i) == {5}


def test_every_compartment_for_itself(fire, target):
    cell, spikes, trace = fire(threshold="v > -10*mV", refractory="v > -10*mV", duration=10 * ms)
    for k in range(cell.N):
        assert spikes.t_[spikes.i == k] == pytest.approx(crossings(trace.t_, trace.v_[k], -0.01)), k
    assert spikes.count.shape == (cell.N,)
    assert sorted(spikes.spike_trains()) == list(range(cell.N))


def test_without_refractoriness_every_step_counts(fire):
    _, spikes, trace = fire(threshold="v > 0*mV", threshold_location=0)
    assert spikes.t_ == pytest.approx(trace.t_[trace.v_[0] > 0])


def test_refractory_time(fire):
    _, spikes, trace = fire(threshold="v > -55*mV", threshold_location=0, refractory=3 * ms)
    above, expected, last = trace.v_[0] > -0.055, [], -1.0
    for t, over in zip(trace.t_, above):
        if over and t - last >= 3e-3 - 1e-9:
            expected.append(t)
            last = t
    assert len(expected) > 3
    assert spikes.t_ == pytest.approx(np.array(expected))


def test_refractory_time_as_text(fire):
    _, first, _ = fire(threshold="v > -55*mV", threshold_location=0, refractory=3 * ms)
    _, second, _ = fire(threshold="v > -55*mV", threshold_location=0, refractory="3*ms")
    assert first.t_ == pytest.approx(second.t_)


def test_refractory_of_every_compartment_can_be_read(fire):
    cell, spikes, _ = fire(threshold="v > -10*mV", refractory=5 * ms, duration=6 * ms)
    last = np.full(cell.N, -np.inf)
    last[spikes.i] = spikes.t_
    spiked = np.isfinite(last)
    assert spiked.any()
    assert np.asarray(cell.lastspike_)[spiked] == pytest.approx(last[spiked])
    assert np.asarray(cell.not_refractory).dtype == bool


def test_parameters_in_conditions(squid, cell_of, stick, target):
    cell = cell_of(
        stick, squid + "high : volt", threshold="v > high", refractory="v > high", threshold_location=3
    )
    cell.initialise(v=-65 * mV)
    cell.high = -100 * mV
    cell.high[3] = -20 * mV
    cell.I[0] = 0.6 * nA
    spikes = SpikeMonitor(cell)
    trace = StateMonitor(cell, "v", record=[3], when="end")
    Network(cell, spikes, trace).run(10 * ms)
    assert spikes.t_ == pytest.approx(crossings(trace.t_, trace.v_[0], -0.02))
    assert spikes.num_spikes > 0


def test_reset(cell_of, stick, target):
    """Every compartment that passes the threshold starts again, and counts."""
    cell = cell_of(
        stick, channels.leak(g=0.1 * mS / cm**2, E=-40 * mV) + "n : 1",
        threshold="v > -50*mV", reset="v = -70*mV\nn += 1",
    )  # fmt: skip
    cell.v = -70 * mV
    spikes = SpikeMonitor(cell)
    Network(cell, spikes).run(40 * ms)
    assert spikes.num_spikes >= cell.N
    assert np.asarray(cell.n) == pytest.approx(spikes.count)
    assert (np.asarray(cell.v_) <= -50e-3).all()


def test_reset_of_a_gate(cell_of, stick, target):
    """A reset writes gates at their present values: w decays exactly from 1 after each spike."""
    cell = cell_of(
        stick, channels.leak(g=0.1 * mS / cm**2, E=-40 * mV) + "dw/dt = -w/(7*ms) : 1",
        threshold="v > -50*mV", reset="v = -70*mV\nw = 1",
    )  # fmt: skip
    cell.v = -70 * mV
    spikes = SpikeMonitor(cell)
    Network(cell, spikes).run(20 * ms)
    assert spikes.num_spikes >= cell.N
    last = np.zeros(cell.N)
    last[spikes.i] = spikes.t_
    # The reset at the end of the step that began at t holds from t + dt on.
    since = 20e-3 - (last + 0.1e-3)
    assert np.asarray(cell.w) == pytest.approx(np.exp(-since / 7e-3), rel=1e-4)


def test_threshold_mistakes(cell_of, stick, squid):
    with pytest.raises(RallError):
        Network(cell_of(stick, squid, threshold="v > 3*nA")).run(0.1 * ms)
    with pytest.raises(RallError, match="u"):
        Network(cell_of(stick, squid, threshold="u > 3*mV")).run(0.1 * ms)
    with pytest.raises(EquationError, match="condition"):
        Network(cell_of(stick, squid, threshold="v")).run(0.1 * ms)
    with pytest.raises(EquationError, match="time or a condition"):
        Network(cell_of(stick, squid, threshold="v > 0*mV", refractory="v")).run(0.1 * ms)
    with pytest.raises(RallError, match="refractory"):
        Network(cell_of(stick, squid, threshold="v > 0*mV", refractory=3 * mV)).run(0.1 * ms)
    with pytest.raises(RallError):
        SpikeMonitor(cell_of(stick, squid))


def test_threshold_that_depends_on_time(fire):
    _, spikes, trace = fire(threshold="v > 0*mV and t > 10*ms", threshold_location=0, refractory="v > 0*mV")
    assert spikes.num_spikes > 0 and (spikes.t_ > 10e-3).all()
    assert set(spikes.t_) <= set(crossings(trace.t_, trace.v_[0]))


@pytest.mark.parametrize("location", [None, 0, 7])
def test_gates_in_conditions_are_at_the_time_of_the_voltage(squid, cell_of, stick, location, target):
    cell = cell_of(
        stick, squid, threshold="m_Na > 0.5", refractory="m_Na > 0.4", threshold_location=location
    )
    cell.initialise(v=-65 * mV)
    cell.I[0] = 0.6 * nA
    spikes = SpikeMonitor(cell)
    trace = StateMonitor(cell, "m_Na", record=True, when="end")
    Network(cell, spikes, trace).run(12 * ms)
    for k in range(cell.N) if location is None else [location]:
        m, expected, free = trace.m_Na[k], [], True
        before = np.concatenate([[0.05], m[:-1]])
        for step, value in enumerate(m):
            # Before the step it is free again if m was low then; v and with it m are those at its beginning.
            free = free or not before[step] > 0.4
            if value > 0.5 and free:
                expected.append(trace.t_[step])
                free = False
        assert len(expected) > 0
        assert spikes.t_[spikes.i == k] == pytest.approx(np.array(expected))


def test_gates_of_a_region_in_conditions(tree, cell_of):
    model = {"all": channels.leak() + "I : amp (point current)", "soma or axon": channels.hh.Na() + channels.hh.K()}
    cell = cell_of(tree, model, threshold="m_Na > 0.5", refractory="m_Na > 0.5", threshold_location=0)
    cell.initialise(v=-65 * mV)
    cell.I[0] = 0.3 * nA
    spikes = SpikeMonitor(cell)
    trace = StateMonitor(cell, "m_Na", record=[0], when="end")
    Network(cell, spikes, trace).run(15 * ms)
    assert spikes.num_spikes > 0
    assert spikes.t_ == pytest.approx(crossings(trace.t_, trace.m_Na[0], 0.5))
    everywhere = cell_of(tree, model, threshold="m_Na > 0.5")
    with pytest.raises(RallError, match="m_Na"):
        Network(everywhere).run(0.1 * ms)


@pytest.mark.parametrize("location", [None, 0])
def test_restore_knows_how_long_the_cell_is_refractory(stick, cell_of, location):
    model = channels.leak(g=0.1 * mS / cm**2, E=0 * mV) + "I : amp (point current)"
    cell = cell_of(stick, model, threshold="v > 10*mV", refractory=4 * ms, threshold_location=location)
    cell.I = 0.5 * nA
    spikes = SpikeMonitor(cell)
    network = Network(cell, spikes)
    network.run(3 * ms)
    assert spikes.num_spikes > 0
    network.store()
    network.run(20 * ms)
    first = spikes.t_
    network.restore()
    network.run(20 * ms)
    assert spikes.t_.tolist() == first.tolist()


def test_reset_of_an_unknown_variable_is_named(stick, cell_of):
    cell = cell_of(stick, channels.leak(), threshold="v > 0*mV", reset="v_1 += 1*mV")
    with pytest.raises(EquationError, match="'v_1'"):
        Network(cell).run(1 * ms)
