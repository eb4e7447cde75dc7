"""Tables of what a step consists of: the same before and after a run, and in the order of a step."""

from __future__ import annotations

from rall import brian
from rall.magic import run
from rall.operations import network_operation
from rall.plugins.inputs import PoissonGroup, SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.simulation import Network
from rall.units import Hz, ms


def test_groups_synapses_and_monitors():
    cells = NeuronGroup(
        4, "dv/dt = (x - v)/ms : 1\nx = rand() : 1 (constant over dt)", threshold="v > 1", reset="v = 0",
        events={"high": "v > 0.5"}, name="cells",
    )  # fmt: skip
    cells.run_on_event("high", "v += 1", name="jump")
    cells.run_regularly("v += 1", dt=1 * ms, name="push")
    synapses = Synapses(
        cells, cells, "dy/dt = -y/ms : 1 (clock-driven)", on_pre="v += 1", on_post="v += 1", name="way"
    )
    synapses.connect()
    inputs = PoissonGroup(3, 1 * Hz, name="noise"), SpikeGeneratorGroup(1, [0], [0] * ms, name="given", dt=0.25 * ms)
    spikes = SpikeMonitor(cells[:2], name="spikes")
    spikes.active = False

    @network_operation(dt=1 * ms, when="end", name="mine")
    def mine():
        pass

    traces = StateMonitor(cells, "v", record=0, dt=0.5 * ms, name="traces")
    network = Network(mine, spikes, synapses, cells[1:], inputs, traces)
    before = network.scheduling_summary()
    assert [(row.name, row.when, row.order) for row in before.entries] == [
        ("cells_held", "before_start", 0), ("push", "start", 0), ("traces", "start", 0),
        ("cells_stateupdater", "groups", 0), ("way_stateupdater", "groups", 0), ("cells_thresholder", "thresholds", 0),
        ("given", "thresholds", 0), ("noise_thresholder", "thresholds", 0), ("spikes", "thresholds", 1),
        ("cells_high_thresholder", "after_thresholds", 0), ("way_pre", "synapses", -1), ("way_post", "synapses", 1),
        ("cells_resetter", "resets", 0), ("jump", "after_resets", 0), ("mine", "end", 0),
    ]  # fmt: skip
    network.run(1 * ms)
    assert network.scheduling_summary() == before
    lines = {line.split()[0]: line for line in str(before).split("\n")}
    assert lines["push"].split() == "push (CodeRunner) cells 1 ms (every 10 steps) start 0 yes".split()
    assert lines["cells_resetter"].split() == "cells_resetter cells 0.1 ms (every step) resets 0 yes".split()
    assert lines["given"].split() == "given (SpikeGeneratorGroup) 0.25 ms thresholds 0 yes".split()
    assert lines["spikes"].endswith(" no")
    assert "<td>traces (StateMonitor)</td>" in before._repr_html_()


def test_names_are_those_of_the_profile(target):
    cells = NeuronGroup(4, "dv/dt = -v/ms : 1", threshold="v > 1", reset="v = 0", name="cells")
    synapses = Synapses(cells, cells, on_pre="v += 1", name="way")
    synapses.connect()
    network = Network(cells, synapses)
    network.run(1 * ms, profile=True)
    timed = {part for name, _ in network.profiling_info for part in name.split(" + ")}
    assert timed == {row.name for row in network.scheduling_summary().entries}


def test_the_slots_of_the_network_count():
    cells = NeuronGroup(1, "dv/dt = -v/ms : 1", threshold="v > 1", reset="v = 0", name="cells")
    network = Network(cells)
    network.schedule = ["start", "resets", "groups", "thresholds", "synapses", "end"]
    names = [row.name for row in network.scheduling_summary().entries]
    assert names == ["cells_resetter", "cells_stateupdater", "cells_thresholder"]


def test_a_part_of_a_group_shows_the_group():
    part = NeuronGroup(4, "dv/dt = -v/ms : 1", name="whole")[:2]
    assert "whole_stateupdater" in str(brian.scheduling_summary())
    run(0.1 * ms)
    assert "whole_stateupdater" in str(brian.scheduling_summary()) and len(part) == 2
