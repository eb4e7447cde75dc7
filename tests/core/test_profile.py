"""Times of single objects: what counts for whom, and how it is shown."""

from __future__ import annotations

import time

import pytest

from rall import brian
from rall.errors import RallError
from rall.magic import magic_network, run
from rall.operations import NetworkOperation, network_operation
from rall.plugins.inputs import PoissonInput
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.profile import ProfilingSummary
from rall.session import prefs
from rall.simulation import Network
from rall.units import Hz, ms, second


def names_of(network):
    return {part for name, _ in network.profiling_info for part in name.split(" + ")}


def test_every_object_has_its_time(target):
    group = NeuronGroup(100, "dv/dt = (1.1 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", name="cells")
    group.v = "i/100.0"
    synapses = Synapses(group, group, on_pre="v += 0.01", name="wiring")
    synapses.connect(p=0.5)
    parts = [
        group, synapses, StateMonitor(group, "v", record=True, name="traces"), SpikeMonitor(group, name="spikes"),
        PoissonInput(group, "v", 10, 10 * Hz, 0.01), NetworkOperation(lambda: sum(range(100)), name="mine_2go"),
    ]  # fmt: skip
    more = group.run_regularly("v += 0.001", dt=1 * ms, name="push_1again")
    network = Network(parts)
    network.run(20 * ms, profile=True)
    found = names_of(network)
    assert found == {
        "cells_stateupdater", "cells_thresholder", "cells_resetter", "wiring_pre", "traces", "spikes", parts[4].name,
        "mine_2go", more.name,
    }  # fmt: skip
    times = [took for _, took in network.profiling_info]
    assert times == sorted(times, reverse=True) and times[0] > 0 * second


def test_times_are_those_of_the_work(target):
    @network_operation(dt=1 * ms)
    def sleeper():
        time.sleep(0.002)

    group = NeuronGroup(2, "dv/dt = -v/(10*ms) : 1", name="small")
    network = Network(group, sleeper)
    began = time.perf_counter()
    network.run(10 * ms, profile=True)
    took = time.perf_counter() - began
    times = dict(network.profiling_info)
    assert next(iter(times)) == sleeper.name
    assert 0.02 <= float(times[sleeper.name]) <= sum(float(t) for t in times.values()) <= took


def test_a_run_gives_the_same_with_and_without_times(target):
    traces = []
    for threads in (None, 1, 2):
        if threads:
            prefs.threads = threads
        group = NeuronGroup(500, "dv/dt = (2 - v)/(5*ms) : 1", threshold="v > 1", reset="v = 0", refractory=1 * ms)
        group.v = "i/500.0"
        synapses = Synapses(group, group, on_pre="v += 0.001", delay=0.5 * ms)
        synapses.connect(j="(i*7 + k) % 500 for k in range(5)")
        network = Network(group, synapses)
        network.run(20 * ms, profile=threads is not None)
        traces.append(group.v_[:])
    assert (traces[0] == traces[1]).all() and (traces[0] == traces[2]).all()


def test_objects_that_are_switched_keep_their_time(target):
    group = NeuronGroup(10, "dv/dt = -v/(10*ms) : 1", name="on_and_off")

    @network_operation(dt=1 * ms)
    def toggle(t):
        group.active = t < 1 * ms

    network = Network(group, toggle)
    network.run(3 * ms, profile=True)
    times = dict(network.profiling_info)
    assert times["on_and_off_stateupdater"] > 0 * second and times[toggle.name] > 0 * second


def test_only_the_last_run_counts_and_only_if_timed(decay):
    network = Network(decay(), name="trial")
    with pytest.raises(RallError, match="'trial' was timed last; time one with"):
        _ = network.profiling_info
    network.run(1 * ms, profile=True)
    assert network.profiling_info
    network.run(1 * ms)
    with pytest.raises(RallError, match="profile=True"):
        brian.profiling_summary(network)


def test_the_magic_network_is_the_default(decay):
    cell = decay(name="visible")
    run(1 * ms, profile=True)
    assert cell.name in names_of(magic_network)
    assert cell.name in str(brian.profiling_summary())


def test_the_table():
    entries = [("short", 0.25 * second), ("a longer name", 0.75 * second)]
    lines = str(ProfilingSummary(entries)).split("\n")
    assert lines[1].split() == ["a", "longer", "name", "0.750", "s", "75.00", "%"]
    assert lines[2].split() == ["short", "0.250", "s", "25.00", "%"]
    assert len(str(ProfilingSummary(entries, show=1)).split("\n")) == 2
    assert "<td>75.00 %</td>" in ProfilingSummary(entries)._repr_html_()
    assert str(ProfilingSummary([])).count("\n") == 0
