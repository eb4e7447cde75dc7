"""Clocks: several in one network, changed between runs, and clocks with times of their own."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, NotSupportedError, RallError
from rall.magic import run
from rall.operations import NetworkOperation, network_operation
from rall.plugins.inputs import PoissonInput, SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import Clock, EventClock, defaultclock
from rall.simulation import Network
from rall.units import Hz, ms, mV, us


def test_synapses_between_groups_of_different_steps(target):
    fast = NeuronGroup(2, "dv/dt = 1/ms : 1", threshold="v > 0.95", reset="v = 0", dt=0.1 * ms)
    slow = NeuronGroup(2, "dv/dt = 1/ms : 1\nn : 1", threshold="v > 1.9", reset="v = 0", dt=0.5 * ms)
    there = Synapses(fast, slow, on_pre="n_post += 1", delay=0.3 * ms)
    back = Synapses(slow, fast, on_pre="v_post -= 0.5", delay=1 * ms)
    for way in (there, back):
        way.connect(j="i")
    trace = StateMonitor(slow, "n", record=0, dt=0.1 * ms)
    spikes = SpikeMonitor(fast), SpikeMonitor(slow)
    network = Network(fast, slow, there, back, trace, spikes)
    for duration in (3.3, 0.4, 2.3):  # borders inside and at the ends of steps
        network.run(duration * ms)
    assert there.pre.clock is fast.clock and back.pre.clock is slow.clock
    # The fast ones need ten steps; a spike of the slow ones, at 1.5, 3.5 and 5.5 ms, sets them back 0.5 after 1 ms.
    np.testing.assert_allclose(spikes[1].t[spikes[1].i == 0] / ms, [1.5, 3.5, 5.5])
    np.testing.assert_allclose(spikes[0].t[spikes[0].i == 0] / ms, [0.9, 1.9, 3.4, 4.4, 5.9])
    arrived = trace.t[1:][np.diff(trace.n[0]) > 0] / ms
    np.testing.assert_allclose(arrived, [1.3, 2.3, 3.8, 4.8])
    assert len(trace.t) == 60 and slow.t == 6 * ms and fast.t_in_timesteps == 60 and slow.t_in_timesteps == 12


def test_times_that_users_see(target):
    own = NeuronGroup(1, "dv/dt = 1/ms : 1", dt=0.2 * ms)
    other = NeuronGroup(1, "dv/dt = 1/ms : 1")
    network = Network(own, other)
    network.run(0.5 * ms)
    assert network.t == 0.5 * ms and defaultclock.t == 0.5 * ms and defaultclock.timestep == 5
    assert own.t_ == pytest.approx(6e-4) and own.t_in_timesteps == 3 and own.dt == 0.2 * ms
    assert other.t_ == pytest.approx(5e-4) and other.t_in_timesteps == 5
    assert own[:1].t_ == own.t_ and own[:1].t_in_timesteps == 3
    network.run(0.5 * ms)
    np.testing.assert_allclose([own.v[0], other.v[0]], 1)


def test_the_default_clock_may_change_between_runs(target):
    group = NeuronGroup(1, "dv/dt = 1/ms : 1")
    monitor = StateMonitor(group, "v", record=0)
    fixed = StateMonitor(group, "v", record=0, dt=0.5 * ms)
    run(0.5 * ms)
    defaultclock.dt = 0.25 * ms
    run(0.5 * ms)
    np.testing.assert_allclose(monitor.t / ms, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75])
    np.testing.assert_allclose(fixed.t / ms, [0, 0.5])
    assert group.v[0] == pytest.approx(1) and group.t_in_timesteps == 4
    defaultclock.dt = 300 * us
    with pytest.raises(RallError, match=r"from 0\.25 ms to 0\.3 ms at t = 1 ms"):
        run(1 * ms)
    with pytest.raises(RallError, match="set defaultclock"):
        group.clock.dt = 0.1 * ms


def test_a_step_belongs_to_all_clocks_at_its_time(target):
    told = []
    clocks = Clock(0.1 * ms), Clock(0.3 * ms)
    parts = [NetworkOperation(lambda t, k=k: told.append((k, round(float(t / us)))), clock=c, when=when)
             for k, (c, when) in enumerate(zip(clocks, ("end", "start")))]  # fmt: skip
    Network(parts).run(0.7 * ms)
    fast = [(0, 100 * k) for k in range(7)]
    assert told == [(1, 0), *fast[:3], (1, 300), *fast[3:6], (1, 600), *fast[6:]]
    assert clocks[0].t_ == pytest.approx(7e-4) and clocks[1].t_ == pytest.approx(9e-4) and clocks[1].timestep == 3


# --- given times -------------------------------------------------------------------------------------------------


def test_given_times(target):
    group = NeuronGroup(1, "dv/dt = 1/ms : 1\nn : 1")
    clock = EventClock([2.05, 0.3, 0.75, 0.3, 9] * ms, name="given*")
    told = []

    @network_operation(clock=clock, when="end")
    def tell(t):
        told.append((float(t / ms), float(group.t / ms), group.v[0]))

    runner = group.run_regularly("n += 10*t/ms", clock=clock)
    monitor = StateMonitor(group, "v", record=0, clock=clock)
    network = Network(group, tell, monitor)
    assert runner in network
    for duration in (0.3, 0.5, 1.25, 2):
        network.run(duration * ms)
    # 0.3 ms is a step of the group too, and the rest lies between two steps: after the earlier, before the later one.
    np.testing.assert_allclose([t for t, *_ in told], [0.3, 0.75, 2.05])
    np.testing.assert_allclose([v for *_, v in told], [0.4, 0.8, 2.1])
    np.testing.assert_allclose(monitor.t / ms, [0.3, 0.75, 2.05])
    np.testing.assert_allclose(monitor.v[0], [0.3, 0.8, 2.1])
    assert group.n[0] == pytest.approx(31) and group.t_in_timesteps == 41 and clock.timestep == 3
    np.testing.assert_allclose(clock.times / ms, [0.3, 0.75, 2.05, 9])
    assert clock.t == 9 * ms and "given" in repr(clock)
    assert "at given times" in str(network.scheduling_summary())
    network.run(6 * ms)
    assert len(told) == 4 and clock.timestep == 4


def test_given_times_alone_and_stored(target):
    told = []
    clock = EventClock([1, 5, 7] * ms)
    network = Network(NetworkOperation(lambda t: told.append(float(t / ms)), clock=clock))
    network.run(3 * ms)
    network.store()
    network.run(10 * ms)
    network.restore()
    assert clock.t == 5 * ms
    network.run(3 * ms)
    assert told == pytest.approx([1, 5, 7, 5]) and network.t == 6 * ms


def test_what_given_times_cannot_be():
    for wrong in ([1, 2], [1, 2] * mV, "1*ms"):
        with pytest.raises(DimensionMismatchError, match="EventClock takes times"):
            EventClock(wrong)
    for wrong in ([-1, 2], [1, np.nan]):
        with pytest.raises(RallError, match="finite and not negative"):
            EventClock(wrong * ms)
    with pytest.raises(RallError, match="has times and no dt"):
        _ = EventClock([1] * ms).dt
    with pytest.raises(NotSupportedError, match="'neurons' cannot have the EventClock"):
        NeuronGroup(1, "v : 1", clock=EventClock([1] * ms), name="neurons")


# --- switching off -------------------------------------------------------------------------------------------------


def test_a_pathway_that_is_off_stands_still(target):
    source = SpikeGeneratorGroup(1, [0, 0, 0], [0, 0.5, 1] * ms)
    group = NeuronGroup(1, "v : 1")
    synapses = Synapses(source, group, on_pre="v += 1", delay=0.5 * ms)
    synapses.connect()
    monitor = StateMonitor(group, "v", record=0)
    network = Network(source, group, synapses, monitor)
    network.run(0.3 * ms)
    synapses.pre.active = False
    network.run(0.5 * ms)
    synapses.pre.active = True
    network.run(1.2 * ms)
    # What was under way has 0.2 ms left when it goes on, at 0.8 ms; the spike between went unseen.
    np.testing.assert_allclose(monitor.t[1:][np.diff(monitor.v[0]) > 0] / ms, [1.1, 1.6])


def test_a_pathway_is_switched_in_a_run(target):
    source = SpikeGeneratorGroup(1, [0, 0], [0, 1] * ms)
    group = NeuronGroup(1, "v : 1")
    synapses = Synapses(source, group, on_pre="v += 1", delay=0.5 * ms)
    synapses.connect()
    monitor = StateMonitor(group, "v", record=0)

    @network_operation(dt=0.2 * ms, when="end")
    def switch(t):
        synapses.pre.active = not 0.15 * ms < t < 0.75 * ms

    Network(source, group, synapses, monitor, switch).run(2 * ms)
    # Off after the step at 0.2 ms, on again after that at 0.8 ms: everything under way is 0.6 ms late.
    np.testing.assert_allclose(monitor.t[1:][np.diff(monitor.v[0]) > 0] / ms, [1.2, 1.6])


def test_a_group_that_is_off_does_not_spike(target):
    group = NeuronGroup(2, "v : 1", threshold="True", reset="v += 1")
    other = NeuronGroup(2, "w : 1")
    synapses = Synapses(group, other, on_pre="w += 1")
    synapses.connect(j="i")
    spikes = SpikeMonitor(group)
    network = Network(group, other, synapses, spikes)
    network.run(0.3 * ms)
    group.active = False
    network.run(0.5 * ms)
    assert spikes.num_spikes == 6 and list(other.w) == [3, 3] and list(group.spikes) == []
    group.active = True
    spikes.active = False
    network.run(0.1 * ms)
    assert spikes.num_spikes == 6 and list(other.w) == [4, 4]


def test_everything_can_be_switched_off(target):
    group = NeuronGroup(1, "v : 1", threshold="v > 1e9", reset="")
    runner = group.run_regularly("v += 1", dt=0.1 * ms)
    drive = PoissonInput(group, "v", 1000, 5000 * Hz, 1)
    monitor = StateMonitor(group, "v", record=0)
    network = Network(group, drive, monitor)
    drive.active = False
    network.run(1 * ms)
    assert group.v[0] == 10
    runner.active = monitor.active = False
    network.run(1 * ms)
    assert group.v[0] == 10 and len(monitor.t) == 10
    group.active = True  # what it contains follows
    assert runner.active
    group.active = False
    drive.active = True
    network.run(1 * ms)
    assert not runner.active and group.v[0] > 1000
