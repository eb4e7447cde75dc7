"""Programs in several threads: the same results as in one, and none in the child of a fork."""

from __future__ import annotations

import os

import numpy as np
import pytest

from rall.devices.compiler import find_compiler
from rall.devices.threads import GRAIN, shares, thread_count
from rall.plugins.inputs import PoissonGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import prefs, seed
from rall.simulation import Network
from rall.units import Hz, ms

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler on this machine")

MODEL = """
dv/dt = (g + 18*mV - v)/(10*ms) + 3*mV*xi*(10*ms)**-0.5 : volt (unless refractory)
dg/dt = -g/(5*ms) : volt
total : 1
"""


def activity(threads: int, duration: float = 20.0) -> list[np.ndarray]:
    """Spikes, voltages and weights of a network with noise, delays, plasticity, sums and inputs."""
    prefs.codegen.target = "c"
    prefs.threads = threads
    seed(7)
    cells = NeuronGroup(517, MODEL, threshold="v > 15*mV", reset="v = 0*mV", refractory=2 * ms, method="euler")
    cells.v = "15*mV*rand()"
    inputs = PoissonGroup(300, 50 * Hz)
    plastic = Synapses(
        inputs, cells, "w : volt\ndx/dt = -x/(20*ms) : 1 (event-driven)\ntotal_post = w/mV : 1 (summed)",
        on_pre="g += w; x += 1", on_post="w = clip(w + 0.1*mV*x, 0*mV, 3*mV)", name="plastic*",
    )  # fmt: skip
    plastic.connect(p=0.1)
    plastic.w = "mV*rand()"
    plastic.delay = "5*ms*rand()"
    recurrent = Synapses(cells, cells, on_pre="g -= 0.2*mV", delay=1 * ms, name="recurrent*")
    recurrent.connect(p=0.05)
    spikes, trace = SpikeMonitor(cells), StateMonitor(cells, ("v", "total"), record=[0, 64, 300, 516])
    Network(cells, inputs, plastic, recurrent, spikes, trace).run(duration * ms)
    return [spikes.i, spikes.t_, trace.v_, trace.total, plastic.w_[:], cells.v_[:]]


def test_results_do_not_depend_on_the_number_of_threads():
    alone = activity(1)
    assert len(alone[0]) > 100
    for threads in (2, 3):
        for one, several in zip(alone, activity(threads)):
            np.testing.assert_array_equal(one, several)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_the_child_of_a_fork_runs_in_one_thread():
    expected = activity(2, 5.0)
    child = os.fork()
    if child == 0:
        try:
            same = all(np.array_equal(one, other) for one, other in zip(expected, activity(2, 5.0)))
            os._exit(0 if same else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("stored", [8, 64, 72, 4000, 4096])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_shares_are_whole_blocks_and_all_there_is(stored, threads):
    parts = shares(stored, threads)
    assert len(parts) == threads
    assert [n for part in parts for n in range(part.first, part.last)] == list(range(stored))
    assert all(part.first % GRAIN == 0 or part.first == stored for part in parts)


def test_little_work_is_done_in_one_thread_unless_more_are_asked_for():
    assert thread_count([], {}, None) == 1
    assert thread_count([], {}, 4) == 1  # nothing to share
