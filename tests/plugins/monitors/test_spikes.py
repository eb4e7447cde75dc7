"""SpikeMonitor: indices and times of spikes."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import NotSupportedError, RallError
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.simulation import Network
from rall.units import ms


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
    assert (spikes.all_values()["i"][1] == 1).all()
    with pytest.raises(RallError, match="records i and t, not 'v'"):
        spikes.values("v")


def test_what_is_not_offered_is_refused(cell):
    with pytest.raises(NotSupportedError, match="StateMonitor"):
        SpikeMonitor(cell, "v")
    with pytest.raises(NotSupportedError, match="True or False"):
        SpikeMonitor(cell, record=[0])
