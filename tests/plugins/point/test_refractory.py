"""Refractoriness: how long, what stands still, what can be asked."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import ms, mV

# From a refractory time to the steps from one spike to the next of a neuron whose threshold always holds: at least
# one step, and a time that is a little short of a step counts as a whole one.
STEPS = [(0.0, 1), (0.04, 1), (0.1, 1), (0.12, 1), (0.19, 1), (0.1999, 2), (0.2, 2), (0.25, 2), (0.3, 3), (0.9999, 10),
         (1.0, 10), (1.05, 10)]  # fmt: skip


@pytest.mark.parametrize(("milliseconds", "steps"), STEPS)
def test_steps_between_spikes(milliseconds, steps, spike_steps):
    group = NeuronGroup(1, "v : 1", threshold="v < 1", refractory=milliseconds * ms)
    assert spike_steps(group, 3 * ms) == [list(range(0, 30, steps))]


def test_steps_between_spikes_where_each_neuron_has_its_time(spike_steps, target):
    times = np.array([milliseconds for milliseconds, _ in STEPS])
    group = NeuronGroup(len(times), "v : 1\nref : second", threshold="v < 1", refractory="ref")
    group.ref = times * ms
    assert spike_steps(group, 3 * ms) == [list(range(0, 30, steps)) for _, steps in STEPS]


@pytest.mark.parametrize(("dt", "steps"), [(0.3, 3), (0.03, 30), (1.3, 1), (0.25, 3), (0.45, 2)])
def test_steps_of_any_length(dt, steps, spike_steps, target):
    group = NeuronGroup(1, "v : 1", threshold="v < 1", refractory=0.9 * ms, dt=dt * ms)
    assert spike_steps(group, 40 * dt * ms)[0] == list(range(0, 40, steps))


def test_a_new_step_between_runs():
    group = NeuronGroup(1, "v : 1", threshold="v < 1", refractory=0.5 * ms)
    monitor = SpikeMonitor(group)
    network = Network(group, monitor)
    network.run(0.7 * ms)
    defaultclock.dt = 0.05 * ms
    network.run(0.8 * ms)
    assert (monitor.t / ms) == pytest.approx([0, 0.5, 1.0])


def test_what_stands_still(traces, target):
    """v does in the steps of the refractory time, u never; synapses change u alone; the reset changes both."""
    model = "dv/dt = 1/ms : 1 (unless refractory)\ndu/dt = 1/ms : 1"
    group = NeuronGroup(1, model, threshold="v > 0.35", reset="v = 0; u = -1", refractory=0.3 * ms, method="euler")
    source = NeuronGroup(1, "", threshold="t_in_timesteps == 5 or t_in_timesteps == 8")
    synapses = Synapses(source, group, on_pre="v += 0.25; u += 10")
    synapses.connect()
    v, u, free = traces(group, ["v", "u", "not_refractory"], 1.2 * ms, source, synapses)
    # Spike in step 3; refractory in 4 and 5 (the first input is lost to v), free in 6; input in step 8: spike in 9.
    assert v[0] == pytest.approx([0, 0.1, 0.2, 0.3, 0, 0, 0, 0.1, 0.2, 0.55, 0, 0], abs=1e-12)
    assert u[0] == pytest.approx([0, 0.1, 0.2, 0.3, -1, -0.9, 9.2, 9.3, 9.4, 19.5, -1, -0.9], abs=1e-12)
    # A monitor reads before the step that makes the neuron free.
    assert free[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0]


def test_what_can_be_asked_and_set(target):
    group = NeuronGroup(2, "v : 1\nsince = t - lastspike : second", threshold="v > 0", reset="v = 0", refractory=1 * ms)
    assert (group.lastspike / ms) == pytest.approx([-1e7, -1e7])
    assert group.not_refractory[:].tolist() == [True, True]
    group.v = [1, 0]
    network = Network(group)
    network.run(0.3 * ms)
    assert group.lastspike[0] == 0 * ms and (group.since[0] / ms) == pytest.approx(0.3)
    assert group.not_refractory[:].tolist() == [False, True]
    group.v, group.lastspike = 1, 0.3 * ms
    group.not_refractory = False
    network.run(1.1 * ms)
    assert (group.lastspike / ms) == pytest.approx([1.3, 1.3])


def test_a_condition_holds_as_long_as_it_is_true(spike_steps, target):
    """Refractory while u > level: the trace decays by a factor of 0.9 in each step."""
    model = "u : 1\nlevel : 1"
    group = NeuronGroup(3, model, threshold="u <= 1", reset="u = 1", refractory="u > level")
    group.run_regularly("u *= 0.9", when="before_groups")
    group.level = [0.95, 0.5, 0.2]
    found = spike_steps(group, 4 * ms)
    waits = [1, int(np.ceil(np.log(0.5) / np.log(0.9))), int(np.ceil(np.log(0.2) / np.log(0.9)))]
    assert found == [list(range(0, 40, wait)) for wait in waits]


def test_a_time_as_text_is_evaluated_in_every_step(spike_steps):
    group = NeuronGroup(2, "v : 1", threshold="v < 1", refractory="0.2*ms + 0.3*ms*i")
    assert spike_steps(group, 1 * ms) == [list(range(0, 10, 2)), [0, 5]]


def test_the_threshold_is_looked_at_outside_the_refractory_time_alone(spike_steps):
    group = NeuronGroup(1, "", threshold="t_in_timesteps % 3 == 0", refractory=0.4 * ms)
    assert spike_steps(group, 2 * ms) == [[0, 6, 12, 18]]


def test_without_a_refractory_time_nothing_stands_still(traces):
    """The flag is harmless, as in models that are used with and without."""
    group = NeuronGroup(1, "dv/dt = 1/ms : 1 (unless refractory)", threshold="v > 0.15", reset="v = 0", method="euler")
    (v,) = traces(group, ["v"], 0.6 * ms)
    assert v[0] == pytest.approx([0, 0.1, 0, 0.1, 0, 0.1])
    silent = NeuronGroup(1, "dv/dt = 1/ms : 1 (unless refractory)", refractory=1 * ms, method="euler")
    Network(silent).run(1 * ms)
    assert silent.v[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "error"),
    [(3 * mV, DimensionMismatchError), ("3*mV", EquationError), ([1, 2] * ms, RallError), (3, RallError),
     (True, RallError)],
)  # fmt: skip
def test_what_is_no_refractory_time(given, error):
    with pytest.raises(error, match="refractory"):
        Network(NeuronGroup(2, "v : 1", threshold="v > 1", refractory=given)).run(0.1 * ms)
