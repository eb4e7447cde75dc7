"""Thresholds, resets and events of the user's own."""

from __future__ import annotations

import pytest

from rall.errors import EquationError, RallError
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.simulation import Network
from rall.units import ms


def test_a_spike_is_found_after_the_step_and_the_reset_follows(traces, target):
    group = NeuronGroup(1, "dv/dt = 1/ms : 1\nw : 1", threshold="v > 0.25", reset="w += 1 + v; v = 0", method="euler")
    v, w = traces(group, ["v", "w"], 0.7 * ms)
    assert v[0] == pytest.approx([0, 0.1, 0.2, 0, 0.1, 0.2, 0])
    assert w[0] == pytest.approx([0, 0, 0, 1.3, 1.3, 1.3, 2.6])


def test_statements_of_a_reset_follow_each_other(target):
    group = NeuronGroup(2, "v : 1\nw : 1", threshold="v > 1", reset="old = v\nv = w\nw += v + old")
    group.v, group.w = [2, 0], [3, 5]
    Network(group).run(0.1 * ms)
    assert (group.v[:].tolist(), group.w[:].tolist()) == ([3, 0], [8, 5])


def test_conditions_may_use_subexpressions_and_truth_values(target):
    group = NeuronGroup(3, "v : 1\nhot = v > 1 : boolean\non : boolean", threshold="hot and on", reset="v = 0")
    group.v, group.on = [0, 2, 3], [True, True, False]
    monitor = SpikeMonitor(group)
    Network(group, monitor).run(0.2 * ms)
    assert monitor.i.tolist() == [1] and group.v[:].tolist() == [0, 0, 3]


def test_events_with_code_of_their_own(traces, target):
    """Events are looked at after thresholds, which they do not hinder; what they do comes after resets."""
    group = NeuronGroup(1, "dv/dt = 1/ms : 1\nn : 1\nm : 1", threshold="v > 0.35", reset="v = 0; n += 1",
                        events={"middle": "v > 0.15 and v < 0.25", "counted": "n > 0"}, method="euler")  # fmt: skip
    group.run_on_event("middle", "m += 1")
    group.run_on_event("counted", "n = 0; m += 100")
    n, m = traces(group, ["n", "m"], 1 * ms)
    # Spike in step 3; the reset makes n = 1, which is an event in step 4.
    assert n[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 1, 0]
    assert m[0].tolist() == [0, 0, 1, 1, 1, 101, 102, 102, 102, 202]


def test_where_an_event_is_looked_at_and_where_it_acts(target):
    group = NeuronGroup(1, "v : 1\nd : 1", threshold="v > 1", reset="v = 0", events={"high": "v > 1"})
    group.run_on_event("high", "d += 1", when="end")
    group.set_event_schedule("high", when="after_resets")
    network = Network(group)
    group.v = 2
    network.run(0.1 * ms)
    assert group.d[0] == 0
    group.set_event_schedule("high", when="before_resets")
    group.v = 2
    network.run(0.1 * ms)
    assert group.d[0] == 1


def test_the_spike_is_an_event_too(traces, target):
    group = NeuronGroup(1, "dv/dt = 1/ms : 1\nn : 1", threshold="v > 0.15", reset="v = 0", method="euler")
    group.set_event_schedule("spike", when="before_groups")
    group.run_on_event("spike", "n += 1")
    v, n = traces(group, ["v", "n"], 0.6 * ms)
    # Looked at before the step: v reaches 0.2 in step 1, is seen and advanced to 0.3 in step 2, then reset.
    assert v[0] == pytest.approx([0, 0.1, 0.2, 0, 0.1, 0.2])
    assert n[0].tolist() == [0, 0, 0, 1, 1, 1]


def test_a_spike_condition_may_stand_among_the_events(target):
    group = NeuronGroup(1, "n : 1", events={"spike": "n < 3"}, reset="n += 1")
    Network(group).run(1 * ms)
    assert group.n[0] == 3


def test_the_refractory_time_holds_for_spikes_alone(target):
    group = NeuronGroup(1, "n : 1\nm : 1", threshold="n > -1", reset="m += 1", refractory=0.5 * ms,
                        events={"e": "n > -1"})  # fmt: skip
    group.run_on_event("e", "n += 1")
    Network(group).run(1 * ms)
    assert (group.n[0], group.m[0]) == (10, 2)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: NeuronGroup(1, "v : 1", reset="v = 0"), RallError, "a reset and no threshold"),
        (lambda: NeuronGroup(1, "v : 1", threshold="v > 0", events={"spike": "v > 1"}), RallError, "the same"),
        (lambda: NeuronGroup(1, "v : 1").run_on_event("foo", "v = 1"), RallError, "no event 'foo'"),
        (lambda: NeuronGroup(1, "v : 1", events={"foo": "v > 0"}).run_on_event("fo", "v = 1"), RallError, "foo"),
        (lambda: NeuronGroup(1, "v : 1", events={"a b": "v > 0"}), RallError, "'a b'"),
        (lambda: NeuronGroup(1, "v : 1", threshold=3), RallError, "is text"),
    ],
)
def test_what_cannot_be_made(make, error, says):
    with pytest.raises(error, match=says):
        make()


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"threshold": "v"}, "is a condition, and 'v' is a value"),
        ({"threshold": "v > 3*mV"}, "units"),
        ({"threshold": "w > 3"}, "'w' is not known"),
        ({"threshold": "v > 1", "reset": "x = 3"}, "computed by its equation"),
        ({"threshold": "v > 1", "reset": "w += 1"}, "'w'"),
        ({"threshold": "v > 1", "reset": "c = 1"}, "declared constant"),
        ({"threshold": "v > 1", "reset": "s = 1"}, "one value for all elements"),
        ({"threshold": "v > 1", "reset": "t = 0*ms"}, "cannot change"),
        ({"threshold": "v > 1", "reset": "v = 3*mV"}, "volt"),
    ],
)
def test_errors_name_the_text(keywords, says):
    group = NeuronGroup(1, "v : 1\nx = 2*v : 1\nc : 1 (constant)\ns : 1 (shared)", **keywords)
    with pytest.raises(EquationError, match=says):
        Network(group).run(0.1 * ms)
