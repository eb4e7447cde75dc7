"""Code that runs by time belongs to every group, and draws the same after the same seed whatever else is alive."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, RallError
from rall.plugins.inputs import PoissonGroup, SpikeGeneratorGroup
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import seed
from rall.simulation import Network
from rall.units import Hz, ms


def test_at_every_step_of_its_clock_and_at_given_times(target):
    group = NeuronGroup(3, "x : 1\ny : 1\nlast : second")
    group.run_regularly("x += i", dt=0.5 * ms)
    group.run_at("y += 1; last = t", [0.2, 1.1, 7] * ms)
    Network(group).run(2 * ms)
    np.testing.assert_array_equal(group.x[:], [0, 4, 8])
    np.testing.assert_array_equal(group.y[:], 2)
    np.testing.assert_allclose(group.last / ms, 1.1)


def test_sources_and_synapses_have_it_too(target):
    source = PoissonGroup(2, 5 * Hz)
    synapses = Synapses(source, NeuronGroup(2, "v : 1"), "w : 1")
    synapses.connect()
    source.run_regularly("rates += 1*Hz", dt=1 * ms)
    switched = synapses.run_regularly("w += i + 10*j")
    net = Network(source, synapses.target, synapses)
    net.run(0.2 * ms)
    switched.active = False
    net.run(1 * ms)
    np.testing.assert_allclose(source.rates / Hz, 7)
    np.testing.assert_array_equal(synapses.w[:], [0, 20, 2, 22])


def test_one_element_is_drawn_for_all(target):
    group = NeuronGroup(50, "chosen : integer (shared)\non : 1\nx : 1")
    group.run_regularly("chosen = int(floor(rand()*N)); on = int(i == chosen); x = rand()")
    monitor = StateMonitor(group, ["chosen", "on"], record=True)
    Network(group, monitor).run(2 * ms)
    chosen = np.broadcast_to(monitor.chosen[:], (50, 20))[0]
    assert len(np.unique(chosen[1:])) > 5
    np.testing.assert_array_equal(np.argmax(monitor.on[:], axis=0)[1:], chosen[1:])
    np.testing.assert_array_equal(monitor.on[:].sum(axis=0)[1:], 1)
    assert len(np.unique(group.x[:])) == 50


def test_a_part_sets_what_all_share(target):
    group = NeuronGroup(4, "s : 1 (shared)\nx : 1")
    group[1:3].run_regularly("s += 1; x = s + i")
    Network(group).run(0.3 * ms)
    assert group.s[:] == 3
    np.testing.assert_array_equal(group.x[:], [0, 3, 4, 0])


def test_what_it_cannot_do():
    group = NeuronGroup(1, "x : 1", name="plain")
    with pytest.raises(DimensionMismatchError, match="run_at takes times"):
        group.run_at("x = 1", [1, 2])
    group.run_at("x = 1", [0.15] * ms)
    with pytest.raises(RallError, match="no multiple of the step"):
        Network(group).run(1 * ms)


def test_draws_do_not_depend_on_what_else_is_alive(target):
    kept, found = [], []
    for _ in range(2):
        seed(1)
        group = NeuronGroup(3, "x : 1\ny : 1\nz : 1")
        group.run_regularly("x = rand()")
        source = SpikeGeneratorGroup(1, [0], [0] * ms)
        synapses = Synapses(source, group, "z_post = rand() : 1 (summed)", on_pre="y += rand()")
        synapses.connect()
        Network(group, source, synapses).run(0.1 * ms)
        kept.append((group, source, synapses))
        found.append(np.concatenate([group.x[:], group.y[:], group.z[:]]))
    assert kept[0][0].name != kept[1][0].name
    np.testing.assert_array_equal(found[0], found[1])
    assert len(np.unique(found[0])) == 9


def test_counts_of_conditions(target):
    """`int` of a condition is a number, in code and in text."""
    group = NeuronGroup(3, "a : 1\nboth : 1\nless : 1")
    group.a = [1, 2, 3]
    both, less = "int(a > 1) + int(a > 0)", "int(a > 1) - int(a > 2)"
    group.run_regularly(f"both = {both}\nless = {less}")
    Network(group).run(0.1 * ms)
    assert group.both[:].tolist() == [1, 2, 2] and group.less[:].tolist() == [0, 1, 0]
    group.both, group.less = 0, 0
    group.both, group.less = both, less
    assert group.both[:].tolist() == [1, 2, 2] and group.less[:].tolist() == [0, 1, 0]
