"""SpikeMonitor and EventMonitor: where and when, and values at that time."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import IndexOutOfRangeError, RallError
from rall.plugins.monitors import EventMonitor, SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import ms, mV, volt


def test_indices_and_times(cell, target):
    spikes = SpikeMonitor(cell)
    trace = StateMonitor(cell, "v", record=True, when="end")
    Network(cell, spikes, trace).run(15 * ms)
    over = trace.v_ > 0
    first = over & ~np.concatenate([np.zeros((cell.N, 1), bool), over[:, :-1]], axis=1)
    element, step = np.nonzero(first)
    order = np.lexsort((element, step))
    assert len(element) > 3
    assert spikes.i.tolist() == element[order].tolist()
    assert spikes.t_ == pytest.approx(trace.t_[step[order]])
    assert (spikes.t / ms) == pytest.approx(spikes.t_ * 1e3)
    i, t = spikes.it
    assert (i == spikes.i).all() and ((t / ms) == spikes.t / ms).all()
    assert spikes.num_spikes == len(element)
    assert spikes.count.tolist() == np.bincount(element, minlength=cell.N).tolist()
    trains = spikes.spike_trains()
    assert (np.asarray(trains[0]) == spikes.t_[spikes.i == 0]).all()


def test_runs_add_up(cell):
    spikes = SpikeMonitor(cell)
    network = Network(cell, spikes)
    network.run(4 * ms)
    first = spikes.num_spikes
    network.run(20 * ms)
    assert spikes.num_spikes > first
    assert (np.diff(spikes.t_) >= 0).all()


def test_restored(cell):
    spikes = SpikeMonitor(cell)
    network = Network(cell, spikes)
    network.run(4 * ms)
    network.store()
    kept = spikes.t_.tolist()
    network.run(20 * ms)
    assert spikes.t_.tolist() != kept
    network.restore()
    assert spikes.t_.tolist() == kept


def test_mistakes(cell):
    with pytest.raises(RallError):
        SpikeMonitor("cell")


def test_values_by_element(cell):
    spikes = SpikeMonitor(cell)
    Network(cell, spikes).run(15 * ms)
    i, t = spikes.it_
    assert len(i) and (t == spikes.t_).all()
    assert (np.asarray(spikes.values("t")[0]) == t[i == 0]).all()
    assert (spikes.values("i")[1] == 1).all()
    with pytest.raises(RallError, match="records i, t, not 'v'"):
        spikes.values("v")


@pytest.fixture
def group():
    """Five neurons that spike at times of their own and count their spikes; the last one spikes most often."""
    model = """
    dv/dt = (i + 1)*100*Hz : 1
    u : volt
    n : integer
    odd : boolean
    twice = 2*u : volt
    high = v > 1.01 : boolean
    level : 1 (shared)
    scaled = 3*level : 1 (shared)
    """
    made = NeuronGroup(
        5, model, threshold="v > 1", reset="v = 0; n += 1", method="euler", events={"half": "v > 0.5 and v < 0.52"}
    )
    made.u, made.odd, made.level = "i*mV", "i % 2 == 1", 4
    return made


def test_values_at_spikes(group, target):
    names = ["v", "u", "n", "odd", "twice", "high", "level", "scaled", "i"]
    spikes = SpikeMonitor(group, names)
    Network(group, spikes).run(20 * ms)
    i = spikes.i
    assert spikes.count.tolist() == [2, 4, 5, 8, 10] == np.bincount(i).tolist()
    # Before the reset: what was over the threshold, and how many spikes there were until then.
    assert (spikes.v >= 1 - 1e-9).all() and spikes.v.max() < 1.05
    assert [train.tolist() for train in spikes.values("n").values()] == [list(range(k)) for k in (2, 4, 5, 8, 10)]
    assert spikes.u_ == pytest.approx(i * 1e-3) and spikes.u.dim is volt.dim
    assert (spikes.twice / mV) == pytest.approx(2 * i)
    assert (spikes.odd == (i % 2 == 1)).all() and (spikes.high == (spikes.v > 1.01)).all()
    assert spikes.high.any() and not spikes.high.all()
    assert (spikes.level == 4).all() and (spikes.scaled == 12).all()
    assert [getattr(spikes, name).dtype.kind for name in ("n", "odd", "high", "v")] == ["i", "b", "b", "f"]
    assert set(spikes.all_values()) == {*names, "t"} - {"i"}


def test_recording_stands_before_the_reset_and_after_the_threshold(group):
    spikes = SpikeMonitor(group)
    assert (spikes.when, spikes.order) == ("thresholds", 1)
    later = SpikeMonitor(group, "v", when="end")
    Network(group, spikes, later).run(10 * ms)
    assert (later.i == spikes.i).all() and (later.v == 0).all()


def test_other_events_and_their_place(group, target):
    halves = EventMonitor(group, "half", "v")
    assert (halves.when, halves.order) == ("after_thresholds", 1)
    network = Network(group, halves)
    network.run(5 * ms)
    kept = halves.num_events
    assert kept and ((halves.v > 0.5) & (halves.v < 0.52)).all()
    group.set_event_schedule("half", "before_end", 3)
    network.run(1 * ms)
    assert (halves.when, halves.order) == ("before_end", 4)
    trains = halves.event_trains()
    assert sum(map(len, trains.values())) == halves.N == len(halves) >= kept
    with pytest.raises(RallError, match="no event 'hlaf'; did you mean 'half'"):
        EventMonitor(group, "hlaf")


def test_counting_alone_keeps_nothing(group, target):
    spikes = SpikeMonitor(group, record=False)
    network = Network(group, spikes)
    network.run(20 * ms)
    assert spikes.count.tolist() == [2, 4, 5, 8, 10]
    assert spikes.num_spikes == 29 == spikes.N
    assert sum(array.size for array in spikes.state().values()) < 10
    for name in ("i", "t", "it"):
        with pytest.raises(AttributeError, match="records count"):
            getattr(spikes, name)
    with pytest.raises(AttributeError, match="record=False"):
        spikes.spike_trains()
    network.run(20 * ms)
    assert spikes.num_spikes >= 58
    assert sum(array.size for array in spikes.state().values()) < 10


def test_variables_without_times(group):
    spikes = SpikeMonitor(group, "n", record=False)
    Network(group, spikes).run(20 * ms)
    assert len(spikes.n) == 29


def test_some_elements(group, target):
    spikes = SpikeMonitor(group, "u", record=[3, 1])
    Network(group, spikes).run(20 * ms)
    assert spikes.count.tolist() == [2, 4, 5, 8, 10]
    assert set(spikes.i.tolist()) == {1, 3} and len(spikes) == 12
    assert (spikes.u_ == spikes.i * 1e-3).all()
    assert {k: len(train) for k, train in spikes.spike_trains().items()} == {1: 4, 3: 8}
    for wrong in ([5], [-1], [0.5], "v > 0"):
        with pytest.raises(IndexOutOfRangeError, match="elements from 0 to 4"):
            SpikeMonitor(group, record=wrong)


def test_a_part_numbers_its_own_elements(group, target):
    part, everything = SpikeMonitor(group[2:], "u"), SpikeMonitor(group)
    Network(group, part, everything).run(20 * ms)
    inside = everything.i >= 2
    assert (part.i == everything.i[inside] - 2).all() and (part.t_ == everything.t_[inside]).all()
    assert part.count.tolist() == [5, 8, 10]
    assert (part.u_ == (part.i + 2) * 1e-3).all()
    assert list(part.spike_trains()) == [0, 1, 2]


def test_times_follow_a_change_of_dt(group):
    spikes = SpikeMonitor(group)
    network = Network(group, spikes)
    network.run(10 * ms)
    first = spikes.t_.tolist()
    network.store()
    defaultclock.dt = 0.05 * ms
    network.run(10 * ms)
    assert spikes.t_[: len(first)].tolist() == first
    assert (np.diff(spikes.t_) >= 0).all() and 0.0185 < spikes.t_.max() < 0.02
    network.restore()
    assert spikes.t_.tolist() == first and spikes.count.sum() == len(first)


def test_gates_of_a_cell_at_its_spikes(cell, target):
    spikes = SpikeMonitor(cell, ["m_Na", "v", "Im"])
    trace = StateMonitor(cell, ["v", "m_Na"], record=[0, 17], when="after_thresholds")
    Network(cell, spikes, trace).run(15 * ms)
    soma = spikes.i == 0
    step = np.flatnonzero(np.isin(trace.t_, spikes.t_[soma]))
    assert soma.any() and spikes.v_[soma] == pytest.approx(trace.v_[0, step])
    assert spikes.m_Na[soma] == pytest.approx(trace.m_Na[0, step])
    # Dendrites have no sodium channels.
    assert (np.isnan(spikes.m_Na) == ((spikes.i > 0) & (spikes.i < 16))).all()
    assert np.isfinite(spikes.Im_).all()


def test_binned_rates(group, target):
    spikes = SpikeMonitor(group)
    Network(group, spikes).run(23 * ms)
    bins, rates = spikes.binned_rate(5 * ms)
    assert (bins / ms) == pytest.approx([0, 5, 10, 15])
    assert rates.shape == (5, 4)
    for k, train in spikes.spike_trains().items():
        expected = np.histogram(np.asarray(train), np.arange(5) * 5e-3 - 1e-6)[0] / 5e-3
        assert np.asarray(rates)[k] == pytest.approx(expected)
    smooth = spikes.smooth_rate("flat", 0.5 * ms)
    assert smooth.shape == (5, 230)
    # All spikes but those that the window sees in part, each spread over five steps.
    assert np.asarray(smooth).max() == pytest.approx(1 / 0.5e-3)
    some = SpikeMonitor(group, record=[4])
    assert some.binned_rate(1 * ms)[1].shape == (1, 23)
    with pytest.raises(RallError, match="multiple of the step"):
        spikes.binned_rate(0.25 * ms)


def test_unknown_names(group):
    with pytest.raises(RallError, match="no variable 'twise' to record; did you mean 'twice'"):
        SpikeMonitor(group, "twise")
    with pytest.raises(AttributeError, match="does not record 'u'; it records i, t, count, n"):
        SpikeMonitor(group, "n").u()
    with pytest.raises(RallError, match="has no threshold"):
        SpikeMonitor(NeuronGroup(1, "x : 1"))
