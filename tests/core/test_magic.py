"""Which objects a run takes: visible ones, parts of groups, what depends on others; and what it refuses."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from rall import magic
from rall.errors import MagicError, RallError, RallWarning
from rall.magic import collect, magic_network, run
from rall.operations import network_operation
from rall.plugins.inputs import PoissonInput
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import start_scope
from rall.simulation import Network
from rall.units import Hz, ms


def group(**keywords):
    return NeuronGroup(4, "dv/dt = 1/ms : 1", threshold="v > 100", reset="v = 0", **keywords)


def test_a_part_brings_its_group(target):
    part = group()[1:3]
    spikes = SpikeMonitor(part)
    assert collect() == {part.group, spikes}
    run(1 * ms)
    np.testing.assert_allclose(part.v, 1)
    run(1 * ms)  # the group is an old object now
    np.testing.assert_allclose(part.group.v, 2)
    start_scope()
    assert collect() == set()


def test_a_network_takes_parts():
    cells = group(name="cells")
    network = Network(cells[:2], [cells[2:]])
    assert network.objects == [cells] and "cells" in network
    network.run(1 * ms)
    np.testing.assert_allclose(cells.v, 1)
    assert collect() == {cells} and len(Network(collect())) == 1
    network.remove(cells[:1])
    assert len(network) == 0


def test_runs_in_functions_see_what_is_there(target):
    outside = group(name="outside")

    def trial():
        inside = group(name="inside")
        monitor = StateMonitor(inside, "v", record=0)
        hidden = {"more": group(name="hidden"), "list": [group(name="hidden_too")]}
        run(1 * ms)
        assert not any(one.v[0] for one in (hidden["more"], *hidden["list"]))
        return inside.v[0], len(monitor.t), magic_network.t

    assert [trial() for _ in range(2)] == [(pytest.approx(1), 10, 1 * ms)] * 2
    assert outside.v[0] == 0


def test_some_may_go_and_none_may_come():
    one, two = group(), group()
    run(1 * ms)
    del two
    run(1 * ms)
    assert magic_network.t == 2 * ms and one.v[0] == pytest.approx(2)

    @network_operation
    def late():
        pass

    with pytest.raises(MagicError, match=r"'late\w*' made at"):
        run(1 * ms)
    late.active = False
    with pytest.raises(MagicError):  # switched off is not gone
        run(1 * ms)


@pytest.mark.parametrize("first", ["magic", "network"])
def test_objects_belong_to_one_network_for_ever(first):
    cells = group(name="cells")
    (run if first == "magic" else Network(cells).run)(1 * ms)
    with pytest.raises(RallError, match=r"'cells' .* has run in another network"):
        (run if first == "network" else Network(cells).run)(1 * ms)


@pytest.mark.parametrize("make", [
    lambda cells: StateMonitor(cells, "v", record=0, name="lonely"),
    lambda cells: SpikeMonitor(cells[:2], name="lonely"),
    lambda cells: Synapses(cells, cells[:2], on_pre="v += 1", name="lonely"),
    lambda cells: PoissonInput(cells, "v", 1, 1 * Hz, 1),
    lambda cells: cells.run_regularly("v += 1", name="lonely"),
])  # fmt: skip
def test_what_depends_on_a_group_needs_it(make):
    cells = group(name="cells")
    lonely = make(cells)
    network = Network(lonely)
    with pytest.raises(RallError, match=f"'{lonely.name}' .* depends on 'cells', which is not in network"):
        network.run(1 * ms)
    lonely.active = False
    if isinstance(lonely, Synapses):
        lonely.connect()
    network.run(1 * ms)
    assert cells.v[0] == 0 and network.t == 1 * ms


def test_the_magic_network_leaves_out_what_lacks_its_group(target):
    def hidden():
        cells = group(name="cells")
        synapses = Synapses(cells, cells, "w : 1", on_pre="v += 1", name="way")
        synapses.connect()
        return synapses, StateMonitor(synapses, "w", record=True, name="weights"), group(name="other")

    synapses, weights, other = hidden()
    with pytest.warns(RallWarning) as told:
        run(1 * ms)
    found = [str(one.message).split(" ")[0] for one in told]
    assert sorted(found) == ["'way'", "'weights'"]
    assert synapses.active and len(weights.t) == 0 and other.v[0] == pytest.approx(1)
    cells = synapses.source
    with pytest.raises(MagicError):
        run(1 * ms)
    assert cells.v[0] == 0


def test_all_functions_find_the_same(target):
    cells = group()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        magic.store()
        run(1 * ms)
        magic.restore()
        run(2 * ms)
    assert magic_network.t == 2 * ms and cells.v[0] == pytest.approx(2)
    assert set(magic_network.get_states()) == {cells.name}


def test_stop_ends_the_run_that_is_under_way(target):
    cells = group()
    order = []

    @network_operation(when="groups", order=-1)
    def before(t):
        order.append("before")
        if t > 0.15 * ms:
            magic.stop()

    @network_operation(when="end")
    def after():
        order.append("after")

    run(1 * ms)
    assert order == ["before", "after"] * 3 and cells.v[0] == pytest.approx(0.3)
    assert magic_network.t_ == pytest.approx(3e-4)
    magic.stop()  # nothing runs: nothing to stop
    before.active = False
    run(0.7 * ms)
    assert magic_network.t == 1 * ms
