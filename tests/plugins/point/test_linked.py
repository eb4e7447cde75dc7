"""Linked variables: one to one, one for all, by index, of subexpressions, over several groups."""

from __future__ import annotations

import pytest

from rall.errors import DimensionMismatchError, EquationError, IndexOutOfRangeError, RallError
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup, linked_var
from rall.plugins.synapses import Synapses
from rall.simulation import Network
from rall.units import ms


@pytest.fixture
def ramps():
    """Three neurons that climb from 0, 1 and 2; y is 2 x + 5."""
    group = NeuronGroup(3, "dx/dt = 1/ms : 1\ny = 2*x + a : 1\ns : 1 (shared)", method="euler", namespace={"a": 5},
                        name="a_source")  # fmt: skip
    group.x, group.s = "i", 7
    return group


def followers(n=3, **keywords):
    return NeuronGroup(n, "x : 1 (linked)\nk : integer\nz = x + 1 : 1\ndv/dt = x/ms : 1", method="euler", **keywords)


def test_one_to_one(ramps, traces, target):
    group = followers()
    group.x = linked_var(ramps, "x")
    x, z, v = traces(group, ["x", "z", "v"], 0.3 * ms, ramps)
    assert x[1] == pytest.approx([1, 1.1, 1.2]) and z[2] == pytest.approx([3, 3.1, 3.2])
    # The source is advanced first (its name is), so that each step adds its new value.
    assert v[1] == pytest.approx([0, 0.11, 0.23])


@pytest.mark.parametrize("index", [[2, 0, 0, 1], "k"])
def test_by_index(ramps, index, target):
    group = followers(4)
    group.k = [2, 0, 0, 1]
    group.x = linked_var(ramps, "x", index=index)
    assert group.x[:].tolist() == [2, 0, 0, 1] and group.z[:].tolist() == [3, 1, 1, 2]
    assert group.x["x > 0.5"].tolist() == [2, 1]
    Network(group, ramps).run(0.2 * ms)
    assert group.v[:] == pytest.approx([0.43, 0.03, 0.03, 0.23])


def test_an_index_variable_may_change(ramps, target):
    group = followers(2)
    group.x = linked_var(ramps, "x", index="k")
    group.run_regularly("k = 2 - k", when="end")
    ramps.active = False
    monitor = StateMonitor(group, "x", record=0)
    Network(group, monitor).run(0.4 * ms)
    assert monitor.x[0].tolist() == [0, 2, 0, 2]


def test_one_for_all(ramps, target):
    single = NeuronGroup(1, "x : 1")
    single.x = 4
    for source in (linked_var(single, "x"), linked_var(single.x), linked_var(ramps, "s"), linked_var(ramps[2:3], "x")):
        group = followers(2)
        group.x = source
        Network(group).run(0.1 * ms)
        value = source.group.values_of(source.name)[0 if source.elements is None else 2]
        assert group.v[:] == pytest.approx(0.1 * value)


def test_a_part_of_a_group(ramps):
    group = followers(2)
    group.x = linked_var(ramps[1:], "x")
    assert group.x[:].tolist() == [1, 2]


@pytest.mark.parametrize("index", [None, [2, 1, 0]])
def test_a_subexpression_with_the_values_of_its_own_group(ramps, index, target):
    a = 100  # noqa: F841
    group = NeuronGroup(3, "y : 1 (linked)\nx : 1\nz = y + x : 1\ndv/dt = z/ms : 1", method="euler", name="b_target")
    group.x = 1000
    group.y = linked_var(ramps, "y", index=index)
    numbers = [0, 1, 2] if index is None else index
    assert group.y[:].tolist() == [5 + 2 * k for k in numbers]
    Network(ramps, group).run(0.1 * ms)
    assert group.v[:] == pytest.approx([100.52 + 0.2 * k for k in numbers])


def test_over_two_groups(ramps):
    middle, last = followers(), followers()
    middle.x = linked_var(ramps, "x", index=[2, 1, 0])
    last.x = linked_var(middle, "x", index=[1, 2, 0])
    assert last.x[:].tolist() == [1, 0, 2]


@pytest.mark.parametrize("index", [None, "k", "j"])
def test_in_synapses(ramps, index, target):
    source = NeuronGroup(3, "", threshold="t_in_timesteps == 1")
    ramps.active = False
    synapses = Synapses(source, source, "w : 1\nx : 1 (linked)\nk : integer", on_pre="w += x")
    synapses.connect(j="2 - i")
    synapses.k = "i"
    synapses.x = linked_var(ramps, "x", index=index)
    Network(source, synapses).run(0.3 * ms)
    assert synapses.w[:].tolist() == ([2, 1, 0] if index == "j" else [0, 1, 2])


def test_in_synapses_that_are_made_later(target):
    single = NeuronGroup(1, "x : 1")
    single.x = 4
    synapses = Synapses(single, single, "w : 1\nx : 1 (linked)")
    synapses.x = linked_var(single, "x")
    synapses.connect(n=3)
    synapses.w = "x*2"
    assert synapses.w[:].tolist() == [8, 8, 8]


def test_to_variables_of_synapses():
    source = NeuronGroup(2, "")
    synapses = Synapses(source, source, "w : 1")
    synapses.connect()
    synapses.w = "i + 10*j"
    group = NeuronGroup(4, "w : 1 (linked)")
    group.w = linked_var(synapses, "w")
    assert group.w[:].tolist() == [0, 10, 1, 11]


@pytest.mark.parametrize(
    ("link", "error", "says"),
    [
        (lambda g, r: setattr(g, "x", linked_var(r, "x")), RallError, "4 elements and .* has 3: say with index="),
        (lambda g, r: setattr(g, "x", linked_var(r, "x", index=[0, 1, 2, 3])), IndexOutOfRangeError, "element 3"),
        (lambda g, r: setattr(g, "x", linked_var(r, "x", index=[0, 1])), RallError, "2 entries"),
        (lambda g, r: setattr(g, "x", linked_var(r, "x", index="v")), RallError, "integer variable"),
        (lambda g, r: setattr(g, "x", linked_var(r, "xx")), RallError, "no variable 'xx'"),
        (lambda g, r: setattr(g, "x", linked_var(r)), RallError, "needs the name"),
        (lambda g, r: setattr(g, "x", linked_var(3, "x")), RallError, "takes a group"),
        (lambda g, r: setattr(g, "x", linked_var(r, "x", index=[0.5] * 4)), RallError, "whole numbers"),
        (lambda g, r: setattr(g, "v", linked_var(r, "x")), RallError, r"\(linked\)"),
        (lambda g, r: setattr(g, "x", 3), RallError, "set it to linked_var"),
    ],
)
def test_what_cannot_be_linked(ramps, link, error, says):
    with pytest.raises(error, match=says):
        link(followers(4), ramps)


def test_units_and_what_is_left_out(ramps):
    group = NeuronGroup(3, "x : volt (linked)")
    with pytest.raises(DimensionMismatchError, match="declared in volt"):
        group.x = linked_var(ramps, "x")
    with pytest.raises(RallError, match="not linked to anything"):
        Network(followers()).run(0.1 * ms)
    linked = followers()
    linked.x = linked_var(ramps, "x")
    with pytest.raises(RallError, match="set it there"):
        linked.x = 3
    reset = NeuronGroup(3, "x : 1 (linked)", threshold="x > 0", reset="x = 0")
    reset.x = linked_var(ramps, "x")
    with pytest.raises(EquationError, match="cannot change"):
        Network(ramps, reset).run(0.1 * ms)
