"""SpikeGeneratorGroup: spikes at the times that were given, in one run and several."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, IndexOutOfRangeError, RallError
from rall.plugins.inputs import SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import Hz, ms, mV, second, us


def seen(monitor):
    """Pairs of element and step (of 0.1 ms)."""
    return list(zip(monitor.i.tolist(), np.rint(monitor.t_ / 1e-4).astype(int).tolist()))


def spikes_of(group, *durations, part=None):
    monitor = SpikeMonitor(group if part is None else part)
    net = Network(group, monitor)
    for duration in durations:
        net.run(duration)
    return seen(monitor)


# --- times ---


def test_spikes_come_at_their_times_in_whatever_order_they_are_given(target):
    group = SpikeGeneratorGroup(3, [2, 0, 1, 0], [0.5, 0.2, 0.2, 0.9] * ms)
    assert spikes_of(group, 2 * ms) == [(0, 2), (1, 2), (2, 5), (0, 9)]
    assert group.neuron_index.tolist() == [0, 1, 2, 0]
    np.testing.assert_allclose(group.spike_time / ms, [0.2, 0.2, 0.5, 0.9])


def test_times_that_are_multiples_of_the_step_are_never_one_early(target):
    for dt in (0.1, 0.025, 1 / 3):
        steps = np.arange(3000)
        group = SpikeGeneratorGroup(1, np.zeros(3000, int), steps * dt * ms, dt=dt * ms)
        monitor = SpikeMonitor(group)
        Network(group, monitor).run(3000 * dt * ms)
        np.testing.assert_array_equal(np.rint(monitor.t_ / (dt * 1e-3)), steps)


def test_a_time_counts_for_the_step_in_which_it_lies():
    times = [0.1 - 1e-5, 0.25, 0.3 + 1e-9, 0.49, 0.6 - 0.11e-3] * ms
    group = SpikeGeneratorGroup(5, [0, 1, 2, 3, 4], times)
    assert spikes_of(group, 1 * ms) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]


def test_nothing_to_do(target):
    assert spikes_of(SpikeGeneratorGroup(3, [], [] * ms), 1 * ms) == []
    assert spikes_of(SpikeGeneratorGroup(3, [], [], period=1 * ms), 1 * ms) == []


def test_two_elements_may_spike_in_one_step_and_one_only_once():
    times = [0.52, 0.51, 0.55] * ms
    # In the order of elements, whatever their times within the step are.
    assert spikes_of(SpikeGeneratorGroup(3, [2, 1, 0], times), 1 * ms) == [(0, 5), (1, 5), (2, 5)]
    group = SpikeGeneratorGroup(3, [0, 1, 1], times, name="twice")
    with pytest.raises(RallError, match=r"element 1 of 'twice' spikes at 0.51 ms and at 0.55 ms, twice in one step"):
        spikes_of(group, 1 * ms)


def test_elements_may_be_whole_numbers_of_any_type():
    group = SpikeGeneratorGroup(3, np.array([2.0, 0.0]), [0.5, 0.2] * ms)
    assert spikes_of(group, 1 * ms) == [(0, 2), (2, 5)]
    assert group.neuron_index.dtype == np.int64


def test_a_smaller_step_lets_both_through():
    group = SpikeGeneratorGroup(2, [1, 1], [0.51, 0.55] * ms, dt=10 * us)
    monitor = SpikeMonitor(group)
    Network(group, monitor).run(1 * ms)
    np.testing.assert_allclose(monitor.t / us, [510, 550])


# --- periods ---


def test_periods_repeat_everything(target):
    group = SpikeGeneratorGroup(2, [0, 1, 0], [0, 0.2, 0.4] * ms, period=0.5 * ms)
    assert group.period == 0.5 * ms
    once = [(0, 0), (1, 2), (0, 4)]
    assert spikes_of(group, 1.5 * ms) == [(i, step + 5 * k) for k in range(3) for i, step in once]


def test_runs_may_end_in_the_middle_of_a_period(target):
    group = SpikeGeneratorGroup(2, [0, 1], [0.1, 0.4] * ms, period=0.5 * ms)
    pieces = spikes_of(group, 0.2 * ms, 0.1 * ms, 0.5 * ms, 0.7 * ms)
    assert pieces == [(i, step + 5 * k) for k in range(3) for i, step in ((0, 1), (1, 4))]


def test_a_period_of_one_step(target):
    group = SpikeGeneratorGroup(2, [1], [0] * ms, period=0.1 * ms)
    assert spikes_of(group, 0.5 * ms) == [(1, k) for k in range(5)]


def test_periods_that_do_not_fit():
    with pytest.raises(RallError, match=r"period of 'short', 1 ms, must be longer than the last spike time, 1 ms"):
        SpikeGeneratorGroup(1, [0], [1] * ms, period=1 * ms, name="short")
    with pytest.raises(RallError, match="cannot be negative"):
        SpikeGeneratorGroup(1, [0], [1] * ms, period=-1 * ms)
    with pytest.raises(RallError, match=r"no multiple of the step of 0.1 ms"):
        spikes_of(SpikeGeneratorGroup(1, [0], [0] * ms, period=0.15 * ms), 1 * ms)
    with pytest.raises(RallError, match="no multiple"):
        spikes_of(SpikeGeneratorGroup(1, [0], [0] * ms, period=0.01 * ms), 1 * ms)
    with pytest.raises(RallError, match="falls into the first step after the period"):
        spikes_of(SpikeGeneratorGroup(1, [0], [0.99995] * ms, period=1 * ms), 1 * ms)


# --- several runs ---


def test_set_spikes_between_runs(target):
    group = SpikeGeneratorGroup(2, [0, 1], [0.1, 1.5] * ms)
    monitor = SpikeMonitor(group)
    net = Network(group, monitor)
    net.run(1 * ms)
    # Times are those of the network: what has passed is passed over.
    group.set_spikes([0, 1, 0], [1.7, 1.2, 0.5] * ms)
    net.run(1 * ms)
    assert seen(monitor) == [(0, 1), (1, 12), (0, 17)]
    group.set_spikes([1], [0.3] * ms, period=0.5 * ms)
    net.run(1 * ms)
    assert seen(monitor)[3:] == [(1, 23), (1, 28)]
    group.set_spikes([0], [3.1] * ms)
    assert group.period == 0 * ms
    net.run(1 * ms)
    assert seen(monitor)[5:] == [(0, 31)]


def test_the_step_may_change_between_runs(target):
    group = SpikeGeneratorGroup(1, [0, 0], [0.5, 2.25] * ms)
    monitor = SpikeMonitor(group)
    net = Network(group, monitor)
    net.run(1 * ms)
    defaultclock.dt = 0.25 * ms
    net.run(2 * ms)
    assert monitor.num_spikes == 2
    assert group.t == 3 * ms


def test_store_and_restore_bring_back_the_spikes(target, tmp_path):
    group = SpikeGeneratorGroup(2, [0, 1], [0.2, 0.7] * ms, period=1 * ms, name="stored")
    monitor = SpikeMonitor(group, name="watching")
    net = Network(group, monitor)
    net.run(0.5 * ms)
    net.store()
    net.store("kept", tmp_path / "state")
    net.run(1 * ms)
    before = seen(monitor)
    for how in ({}, {"name": "kept", "filename": tmp_path / "state"}):
        group.set_spikes([1, 1, 1], [0.6, 0.8, 1] * ms)
        net.restore(**how)
        assert group.period == 1 * ms
        assert group.neuron_index.tolist() == [0, 1]
        net.run(1 * ms)
        assert seen(monitor) == before == [(0, 2), (1, 7), (0, 12)]


# --- parts and synapses ---


def test_parts(target):
    group = SpikeGeneratorGroup(5, [0, 2, 3, 4], [0.1, 0.2, 0.3, 0.4] * ms)
    assert spikes_of(group, 1 * ms, part=group[2:4]) == [(0, 2), (1, 3)]
    assert spikes_of(SpikeGeneratorGroup(5, [1, 4], [0, 0.1] * ms), 1 * ms) == [(1, 0), (4, 1)]


def test_synapses_deliver_after_their_delay(target):
    source = SpikeGeneratorGroup(3, [0, 1, 2, 0], [0.1, 0.1, 0.3, 1] * ms)
    neurons = NeuronGroup(2, "v : 1\nlast : second")
    synapses = Synapses(source, neurons, "w : 1", on_pre="v += w; last = t")
    synapses.connect(i=[0, 1, 2], j=[0, 0, 1])
    synapses.w = [1, 10, 100]
    synapses.delay = [0.2, 0, 0.4] * ms
    Network(source, neurons, synapses).run(2 * ms)
    np.testing.assert_array_equal(neurons.v[:], [12, 100])
    np.testing.assert_allclose(neurons.last[:] / ms, [1.2, 0.7])


def test_slot_and_event():
    group = SpikeGeneratorGroup(1, [0], [0] * ms, when="before_thresholds", order=3, name="early")
    assert group.event_order("spike") == ("before_thresholds", 3)
    with pytest.raises(RallError, match="'early' has no event 'burst'"):
        group.events_of("burst")


# --- errors ---


def test_what_cannot_be_spikes_is_refused():
    with pytest.raises(RallError, match="2 indices and 3 times"):
        SpikeGeneratorGroup(2, [0, 1], [1, 2, 3] * ms)
    with pytest.raises(IndexOutOfRangeError, match=r"'few' has the elements 0 to 1, .* element 2"):
        SpikeGeneratorGroup(2, [0, 2], [1, 2] * ms, name="few")
    with pytest.raises(IndexOutOfRangeError, match="element -1"):
        SpikeGeneratorGroup(2, [0, -1], [1, 2] * ms)
    for wrong in ([0.5], [np.nan], [True], ["0"]):
        with pytest.raises(RallError, match="whole numbers"):
            SpikeGeneratorGroup(2, wrong, [1] * ms)
    with pytest.raises(RallError, match=r"is negative: -1 ms"):
        SpikeGeneratorGroup(2, [0, 1], [-1, 2] * ms)
    with pytest.raises(RallError, match="finite"):
        SpikeGeneratorGroup(2, [0], [np.inf] * second)
    for wrong in ([1, 2] * mV, [1, 2]):
        with pytest.raises(DimensionMismatchError, match="spike times of"):
            SpikeGeneratorGroup(2, [0, 1], wrong)
    with pytest.raises(DimensionMismatchError, match="the period of"):
        SpikeGeneratorGroup(2, [0], [1] * ms, period=1 * Hz)
    with pytest.raises(RallError, match="do not ascend; leave out sorted=True"):
        SpikeGeneratorGroup(2, [0, 1], [2, 1] * ms, sorted=True)
    with pytest.raises(RallError, match="number of elements"):
        SpikeGeneratorGroup(-1, [], [] * ms)
    group = SpikeGeneratorGroup(2, [0], [1] * ms, name="whole")
    with pytest.raises(RallError, match="'period' of 'whole' cannot be set"):
        group.period = 2 * ms
    with pytest.raises(RallError, match="2 indices and 1 times"):
        group.set_spikes([0, 1], [1] * ms)
    assert group.neuron_index.tolist() == [0]
