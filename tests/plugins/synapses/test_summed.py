"""Summed variables: sums over synapses, gap junctions, where they stand in a step."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import RallError
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.simulation import Network
from rall.units import ms


def test_sums_stand_before_the_equations(traces, target):
    """Zero where no synapse leads, and used in the step in which they are made."""
    left, right = NeuronGroup(3, "x : 1"), NeuronGroup(4, "y : 1\ndz/dt = y/ms : 1", method="euler")
    left.x, right.y = [1, 2, 3], 9
    synapses = Synapses(left, right, "w : 1\ny_post = w*x_pre : 1 (summed)")
    synapses.connect("i != j and j < 3")
    synapses.w = "i + j"
    z = traces(right, "z", 0.3 * ms, left, synapses)
    expected = np.zeros(4)
    np.add.at(expected, synapses.j[:], synapses.w[:] * left.x[synapses.i[:]])
    assert right.y[:].tolist() == expected.tolist() and expected[3] == 0
    assert z == pytest.approx(np.outer(expected, [0, 0.1, 0.2]))


def test_towards_the_source_and_for_parts(target):
    left, right = NeuronGroup(5, "y : 1"), NeuronGroup(4, "q : 1")
    left.y, right.q = 9, [1, 2, 3, 4]
    synapses = Synapses(left[1:4], right[2:], "y_pre = q_post : 1 (summed)")
    synapses.connect("i < 2")
    Network(left, right, synapses).run(0.1 * ms)
    assert left.y[:].tolist() == [9, 7, 7, 0, 9]


def test_parts_of_one_group_may_have_sums_of_their_own(target):
    group = NeuronGroup(4, "x : 1")
    low = Synapses(group, group[:2], "x_post = 1 : 1 (summed)")
    high = Synapses(group, group[2:], "x_post = 2 : 1 (summed)")
    low.connect()
    high.connect()
    Network(group, low, high).run(0.1 * ms)
    assert group.x[:].tolist() == [4, 4, 8, 8]
    with pytest.raises(RallError, match="undo the other"):
        Synapses(group, group[1:3], "x_post = 1 : 1 (summed)")


def test_whole_numbers(target):
    left, right = NeuronGroup(2, "x : integer"), NeuronGroup(2, "y : integer")
    left.x = [1, 2]
    synapses = Synapses(left, right, "y_post = x_pre : integer (summed)")
    synapses.connect()
    Network(left, right, synapses).run(0.1 * ms)
    assert right.y[:].tolist() == [3, 3]


def test_gap_junctions(traces, target):
    """Two leaky cells that are joined: their mean and their difference decay with rates of their own."""
    group = NeuronGroup(2, "dv/dt = -v/(5*ms) + I : 1\nI : Hz", method="euler")
    group.v = [1, 3]
    synapses = Synapses(group, group, "g : Hz\nI_post = g*(v_pre - v_post) : Hz (summed)")
    synapses.connect("i != j")
    synapses.g = "100*Hz"
    v = traces(group, "v", 2 * ms, synapses)
    k = np.arange(20)
    assert v.mean(0) == pytest.approx(2 * (1 - 0.02) ** k)
    assert v[1] - v[0] == pytest.approx(2 * (1 - 0.02 - 2 * 0.01) ** k)


def test_place_in_a_step(target):
    """One step before those of the target by order; it can be moved."""
    left = NeuronGroup(2, "dv/dt = 1/ms : 1", method="euler")
    right = NeuronGroup(1, "y : 1", order=3)
    synapses = Synapses(left, right, "y_post = v_pre : 1 (summed)", dt=0.3 * ms)
    synapses.connect()
    updater = synapses.summed_updaters["y_post"]
    assert (updater.when, updater.order) == ("groups", 2)
    monitor = StateMonitor(right, "y", record=0, when="end")
    network = Network(left, right, synapses, monitor)
    network.run(0.3 * ms)
    updater.order = -1
    network.run(0.3 * ms)
    assert monitor.y[0] == pytest.approx([0.2, 0.4, 0.6, 0.6, 0.8, 1.0])  # at the steps of the target


def test_with_equations_of_the_synapses(traces, target):
    left, right = NeuronGroup(1, "x : 1"), NeuronGroup(1, "y : 1")
    left.x = 4
    synapses = Synapses(left, right, "ds/dt = (x_pre - s)/(2*ms) : 1 (clock-driven)\ny_post = s : 1 (summed)")
    synapses.connect(n=3)
    y = traces(right, "y", 1 * ms, left, synapses)[0]
    s = 4 * (1 - np.exp(-0.05 * np.arange(10)))
    assert y == pytest.approx([0, *3 * s[:9]], rel=1e-12)


@pytest.mark.parametrize(
    ("model", "says"),
    [("y_post = 1 : 1 (summed)", "has none"), ("x = 1 : 1 (summed)", "belongs to one side"),
     ("x_post = 1 : volt (summed)", "volt"), ("v_post = 1 : 1 (summed)", "must be a parameter"),
     ("c_post = 1 : 1 (summed)", "not constant"), ("s_post = 1 : 1 (summed)", "one value for each")],
)  # fmt: skip
def test_what_cannot_be_a_sum(model, says):
    group = NeuronGroup(2, "x : 1\ndv/dt = -v/ms : 1\nc : 1 (constant)\ns : 1 (shared)")
    with pytest.raises(RallError, match=says):
        Synapses(group, group, model)
