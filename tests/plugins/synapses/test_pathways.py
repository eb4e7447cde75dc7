"""Pathways: when the code of synapses runs, in which order, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import ms, mV


def steps_of(trace):
    """In which step each row of a trace rose; a monitor shows it at the start of the next."""
    return [np.flatnonzero(np.diff(row)).tolist() for row in trace]


# --- delays -------------------------------------------------------------------------------------------------------


def test_no_delay_acts_in_the_same_step(spiking, traces, target):
    """After thresholds and before resets, which see what has arrived."""
    source = spiking([3])
    target_group = spiking([3], model="v : 1\nseen : 1", reset="seen = v; v = 0")
    synapses = Synapses(source, target_group, on_pre="v += 1")
    synapses.connect()
    assert traces(target_group, "seen", 0.7 * ms, source, synapses)[0].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert steps_of(traces(*passive(spiking, [0]))) == [[2]]
    again, excitable = spiking([3]), NeuronGroup(1, "v : 1", threshold="v > 0.5")
    late = Synapses(again, excitable, on_pre="v += 1")
    late.connect()
    monitor = SpikeMonitor(excitable)
    Network(again, excitable, late, monitor).run(0.6 * ms)
    assert (monitor.t[0] / ms) == pytest.approx(0.4)


def passive(spiking, delays, own=True):
    """A spike in step 2 over synapses with the given delays in milliseconds, each to a target of its own."""
    source = spiking([2])
    group = NeuronGroup(len(delays), "v : 1")
    synapses = Synapses(source, group, on_pre="v += 1", **({} if own else {"delay": delays[0] * ms}))
    synapses.connect()
    if own:
        synapses.delay = np.array(delays) * ms
    return group, "v", 1.2 * ms, source, synapses


def test_delays_round_to_the_nearest_step(spiking, traces, target):
    delays = [0, 0.04, 0.06, 0.1, 0.14, 0.16, 0.3, 0.74]
    arrived = [2 + round(10 * delay) for delay in delays]
    assert steps_of(traces(*passive(spiking, delays))) == [[step] for step in arrived]


def test_one_delay_for_all(spiking, traces, target):
    source = spiking([2, 10], [4])
    group = NeuronGroup(3, "v : 1")
    synapses = Synapses(source, group, on_pre="v += 1 + i", delay=0.3 * ms)
    synapses.connect()
    assert synapses.delay == 0.3 * ms and synapses.delay[:] == 0.3 * ms
    monitor = StateMonitor(group, "v", record=True)
    network = Network(source, group, synapses, monitor)
    network.run(0.9 * ms)
    synapses.delay = 0.1 * ms
    network.run(0.6 * ms)
    assert monitor.v[2].tolist() == [0] * 6 + [1] * 2 + [3] * 4 + [4] * 3
    with pytest.raises(RallError, match="takes one value for all"):
        synapses.delay = [1, 2, 3, 4, 5, 6] * ms


def test_spikes_under_way_keep_their_delay(spiking, target):
    source = spiking([2, 6])
    group = NeuronGroup(2, "v : 1")
    synapses = Synapses(source, group, on_pre="v += 1")
    synapses.connect()
    synapses.delay = [0.5, 0.9] * ms
    monitor = StateMonitor(group, "v", record=True)
    network = Network(source, group, synapses, monitor)
    network.run(0.5 * ms)
    synapses.delay = [0.1, 0.3] * ms
    network.run(1 * ms)
    assert steps_of(monitor.v) == [[7], [9, 11]]  # the first target gets both in step 7
    assert monitor.v[0, -1] == 2


def test_a_new_step_keeps_the_time_of_arrival(spiking, target):
    source = spiking([2])
    group = NeuronGroup(1, "v : 1")
    synapses = Synapses(source, group, on_pre="v += 1", delay=1 * ms)
    synapses.connect()
    network = Network(source, group, synapses)
    network.run(0.5 * ms)
    defaultclock.dt = 0.05 * ms
    monitor = StateMonitor(group, "v", record=True)
    network.add(monitor)
    network.run(1 * ms)
    assert monitor.t_[np.flatnonzero(np.diff(monitor.v[0]))] == pytest.approx([1.2e-3])


def test_delays_by_pathway_index_condition_and_text(spiking):
    source = spiking([2], [5])
    synapses = Synapses(source, source, "w : 1", on_pre="w += 1", on_post="w += 2")
    synapses.connect()
    synapses.pre.delay = "(1 + i)*ms"
    synapses.post.delay[:, 1] = "(3 + i)*ms"
    synapses.delay["i == 0 and j == 1"] = 7 * ms
    assert (synapses.delay / ms) == pytest.approx([1, 7, 2, 2])
    assert (synapses.post.delay / ms) == pytest.approx([0, 3, 0, 4])
    synapses.w = "delay/ms"
    assert synapses.w[:] == pytest.approx([1, 7, 2, 2])
    assert (synapses.pre.delay[0, 1] / ms) == pytest.approx(7)


def test_default_delays_can_be_read(spiking):
    source = spiking([2], [5])
    synapses = Synapses(source, source, on_pre="step0_post += 1")
    synapses.connect()
    assert (synapses.delay[:] / ms).tolist() == [0] * 4


@pytest.mark.parametrize(
    ("delay", "error"),
    [(-1 * ms, RallError), (3, DimensionMismatchError), (3 * mV, DimensionMismatchError), ("3*mV", EquationError)],
)
def test_what_is_no_delay(spiking, delay, error):
    source = spiking([2])
    synapses = Synapses(source, source, on_pre="step0_post += 1")
    synapses.connect()
    with pytest.raises(error):
        synapses.delay = delay
        Network(source, synapses).run(0.1 * ms)


@pytest.mark.parametrize("delay", [{"foo": 1 * ms}, [1, 2] * ms, 3 * mV, 3])
def test_what_is_no_delay_of_all(spiking, delay):
    with pytest.raises(RallError):
        Synapses(spiking([2]), on_pre="step0_post += 1", delay=delay)


# --- order ----------------------------------------------------------------------------------------------------------


def test_pre_comes_before_post(spiking, traces, target):
    source = spiking([2, 5])
    synapses = Synapses(source, source, "w : 1", on_pre="w = 2*w + 1", on_post="w = 3*w + 2")
    synapses.connect()
    assert (synapses.pre.order, synapses.post.order) == (-1, 1)
    assert traces(synapses, "w", 0.8 * ms, source)[0].tolist() == [0, 0, 0, 5, 5, 5, 35, 35]


def test_order_and_slot_of_pathways_can_be_set(spiking, traces, target):
    source = spiking([2], reset="w = 100*w", model="w : 1")
    synapses = Synapses(source, source, on_pre="w_post = 2*w_post + 1", on_post="w_post = 3*w_post + 2")
    synapses.connect()
    synapses.pre.order = 3
    assert traces(source, "w", 0.5 * ms, synapses)[0].tolist() == [0, 0, 0, 500, 500]


def test_what_comes_after_resets(spiking, traces, target):
    source = spiking([2], reset="w = 100", model="w : 1")
    synapses = Synapses(source, source, on_pre="w_post += 1")
    synapses.connect()
    synapses.pre.when = "after_resets"
    assert traces(source, "w", 0.5 * ms, synapses)[0].tolist() == [0, 0, 0, 101, 101]
    with pytest.raises(AttributeError, match="no attribute 'wen'"):
        synapses.pre.wen = "end"


def test_pathways_of_equal_order_go_by_their_names(spiking, traces, target):
    source = spiking([2])
    group = NeuronGroup(1, "v : 1")
    synapses = Synapses(source, group, on_pre={"zz": "v = 2*v + 1", "aa": "v = 3*v + 2"})
    synapses.connect()
    assert traces(group, "v", 0.4 * ms, source, synapses)[0].tolist() == [0, 0, 0, 5]


def test_synapses_of_equal_order_go_by_their_names(spiking, traces, target):
    source = spiking([2])
    group = NeuronGroup(1, "v : 1")
    group.v = 1
    late = Synapses(source, group, on_pre="v *= 2", name="z_synapses")
    early = Synapses(source, group, on_pre="v += 3", name="a_synapses")
    late.connect()
    early.connect()
    assert traces(group, "v", 0.4 * ms, source, late, early)[0].tolist() == [1, 1, 1, 8]


def test_named_pathways_have_delays_and_events_of_their_own(spiking, target):
    source = spiking([2], model="k : integer", events={"other": "t_in_timesteps == k"})
    source.k = 4
    group = NeuronGroup(1, "v : 1", threshold="t_in_timesteps == 5")
    synapses = Synapses(
        source, group, on_pre={"a": "v_post = 2*v_post + 1", "b": "v = 3*v + 2", "c": "v_post += 100"},
        on_post={"z": "v_post *= 7"}, delay={"a": 0.2 * ms, "b": 0.1 * ms}, on_event={"c": "other"},
    )  # fmt: skip
    synapses.connect()
    synapses.z.delay = 0.2 * ms
    monitor = StateMonitor(group, "v", record=True)
    Network(source, group, synapses, monitor).run(1 * ms)
    # b in step 3, a and c (in this order) in step 4, z in step 7.
    assert monitor.v[0].tolist() == [0, 0, 0, 0, 2, 105, 105, 105, 735, 735]
    assert [x.name for x in synapses.contained_objects] == [f"{synapses.name}_{p}" for p in "abcz"]


def test_a_pathway_can_be_switched_off(spiking, traces, target):
    source, group = spiking([2]), NeuronGroup(1, "v : 1")
    synapses = Synapses(source, group, on_pre={"a": "v += 1", "b": "v += 10"})
    synapses.connect()
    synapses.a.active = False
    assert traces(group, "v", 0.4 * ms, source, synapses)[0, -1] == 10


def test_one_event_for_all_pathways_and_parts(spiking, traces, target):
    source = NeuronGroup(4, "k : integer", events={"ping": "t_in_timesteps == k"})
    source.k = "2 + i"
    group = NeuronGroup(4, "v : 1")
    synapses = Synapses(source[1:3], group[1:], on_pre="v += 1", on_event="ping")
    synapses.connect(j="i")
    assert steps_of(traces(group, "v", 0.7 * ms, source, synapses)) == [[], [3], [4], []]


@pytest.mark.parametrize(
    ("keywords", "says"),
    [({"on_pre": "v_post += 1"}, "does not spike"), ({"on_pre": "v_post += 1", "on_event": "foo"}, "no event 'foo'"),
     ({"on_pre": {"a b": "v_post += 1"}}, "'a b'"), ({"on_pre": 3}, "is text"), ({"pre": "v_post += 1"}, "use on_pre")],
)  # fmt: skip
def test_what_cannot_be_a_pathway(keywords, says):
    with pytest.raises(RallError, match=says):
        Synapses(NeuronGroup(1, "v : 1"), **keywords)


# --- clocks and ways --------------------------------------------------------------------------------------------------


def test_between_clocks(spiking, traces, target):
    """Delays count in steps of the side where events happen; what arrives acts at the time of that clock."""
    source = spiking([1], dt=0.5 * ms)
    group = NeuronGroup(1, "v : 1", dt=0.1 * ms)
    synapses = Synapses(source, group, on_pre="v += 1")
    synapses.connect()
    synapses.delay = 0.7 * ms  # one step
    assert steps_of(traces(group, "v", 2 * ms, source, synapses, dt=0.1 * ms)) == [[10]]
    fast, slow = spiking([3]), NeuronGroup(1, "v : 1", dt=0.25 * ms)
    fine = Synapses(fast, slow, on_pre="v += 1", delay=0.3 * ms)
    fine.connect()
    assert steps_of(traces(slow, "v", 2 * ms, fast, fine, dt=0.1 * ms)) == [[6]]


def test_autapses(traces, target):
    group = NeuronGroup(1, "dv/dt = 1/ms : 1", threshold="v > 0.35", reset="v = 0", method="euler")
    synapses = Synapses(group, on_pre="v += 0.2", delay=0.2 * ms)
    synapses.connect()
    v = traces(group, "v", 1.2 * ms, synapses)[0]
    assert v == pytest.approx([0, 0.1, 0.2, 0.3, 0, 0.1, 0.4, 0, 0.1, 0.4, 0, 0.1], abs=1e-12)


def test_what_one_synapse_does_the_next_one_sees(spiking, traces, target):
    """Events in the order of their sources, synapses of one source in the order in which they were made."""
    source, group = spiking([2], [2], [3]), NeuronGroup(2, "v : 1")
    synapses = Synapses(source, group, "w : 1", on_pre="v = v*w + 1")
    synapses.connect(i=[2, 1, 0, 0], j=[0, 0, 0, 1])
    synapses.w = "2 + i"
    v = traces(group, "v", 0.6 * ms, source, synapses)
    assert v[0].tolist() == [0, 0, 0, 4, 17, 17] and v[1].tolist() == [0, 0, 0, 1, 1, 1]


def test_post_spikes_and_parts(spiking, traces, target):
    group = spiking([2], [3], [4], [5])
    synapses = Synapses(group[:2], group[2:], "w : 1", on_pre="w += 1", on_post="w += 10*(1 + j)")
    synapses.connect()
    w = traces(synapses, "w", 0.8 * ms, group)
    assert w[:, -1].tolist() == [11, 21, 11, 21]
    assert steps_of(w) == [[2, 4], [2, 5], [3, 4], [3, 5]]


def test_many_synapses_as_one_by_one(spiking, target):
    """Delays, weights and a threshold in a network, as a double loop in Python does it."""
    n_pre, n_post, steps = 20, 15, 120
    rng = np.random.default_rng(5)
    times = [sorted(rng.choice(80, 4, replace=False).tolist()) for _ in range(n_pre)]
    source = spiking(*times)
    group = NeuronGroup(n_post, "dv/dt = -v/(5*ms) : 1", threshold="v > 1", reset="v = 0", refractory=0.5 * ms)
    synapses = Synapses(source, group, "w : 1", on_pre="v += w")
    synapses.connect("(i*7 + j*3) % 5 != 0")
    synapses.w = rng.uniform(0, 0.5, len(synapses))
    delays = rng.integers(0, 30, len(synapses))
    synapses.delay = delays * 0.1 * ms
    monitor = SpikeMonitor(group)
    Network(source, group, synapses, monitor).run(steps * 0.1 * ms)
    v, last, expected = np.zeros(n_post), np.full(n_post, -100), []
    arrivals = [[] for _ in range(steps)]
    for i, j, w, d in zip(synapses.i[:], synapses.j[:], synapses.w[:], delays):
        for step in times[i]:
            if step + d < steps:
                arrivals[step + d].append((step, i, j, w))
    for step in range(steps):
        v *= np.exp(-0.1 / 5)
        fired = (v > 1) & (step - last >= 5)
        last[fired] = step
        expected += [(step, k) for k in np.flatnonzero(fired)]
        for _, _, j, w in sorted(arrivals[step]):
            v[j] += w
        v[fired] = 0
    assert list(zip(np.round(monitor.t_ / 1e-4).astype(int), monitor.i)) == expected and len(expected) > 20
    assert group.v[:] == pytest.approx(v, rel=1e-12)


def test_made_between_runs(spiking, target):
    source, group = spiking([2, 7], [3, 7]), NeuronGroup(2, "v : 1")
    synapses = Synapses(source, group, "w : 1", on_pre="v += w", delay=0.5 * ms)
    synapses.connect(i=0, j=0)
    synapses.w = 1
    monitor = StateMonitor(group, "v", record=True)
    network = Network(source, group, synapses, monitor)
    network.run(0.6 * ms)
    synapses.connect(i=1, j=1)
    assert synapses.w[:].tolist() == [1, 0]  # new ones begin at zero
    synapses.w[1, 1] = 5
    network.run(1 * ms)
    assert steps_of(monitor.v) == [[7, 12], [12]] and group.v[:].tolist() == [2, 5]


def test_store_keeps_what_is_under_way(spiking, target):
    source, group = spiking([2]), NeuronGroup(1, "v : 1")
    synapses = Synapses(source, group, on_pre="v += 1", delay=0.5 * ms)
    synapses.connect()
    network = Network(source, group, synapses)
    network.run(0.4 * ms)
    network.store()
    for _ in range(2):
        network.run(0.6 * ms)
        assert group.v[0] == 1
        network.restore()
        assert group.v[0] == 0


@pytest.mark.parametrize(
    ("code", "says"),
    [("v_post += w*mV", "'v_post'"), ("foo_post += 1", "foo_post"), ("c = 1", "constant"), ("s += 1", "one value"),
     ("x_post = 1", "computed"), ("w = v_pre + vv", "'vv'"), ("i = 3", "cannot change")],
)  # fmt: skip
def test_errors_name_the_text(spiking, code, says):
    group = spiking([2], model="v : 1\nx = 2*v : 1")
    synapses = Synapses(group, group, "w : 1\nc : 1 (constant)\ns : 1 (shared)", on_pre=code)
    synapses.connect()
    with pytest.raises(EquationError, match=says):
        Network(group, synapses).run(0.1 * ms)


def test_one_variable_under_two_names(spiking, target):
    """Statements follow each other: what is set as ``u`` is seen as ``u_post``, and the other way round."""
    source, group = spiking([1]), NeuronGroup(1, "u : 1\nseen : 1")
    synapses = Synapses(source, group, "w : 1", on_pre="u += 10; seen = u_post; u_post *= 2; w = u")
    synapses.connect()
    Network(source, group, synapses).run(0.3 * ms)
    assert (group.u[0], group.seen[0], synapses.w[0]) == (20, 10, 20)
