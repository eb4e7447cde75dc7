"""States of whole networks: what comes after is what would have come, and what does not fit changes nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from rall.errors import RallError
from rall.model import Variable
from rall.plugins.inputs import PoissonGroup, PoissonInput, SpikeGeneratorGroup
from rall.plugins.monitors import EventMonitor, PopulationRateMonitor, SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import Clock, defaultclock, seed
from rall.simulation import Network
from rall.units import Hz, ms

MODEL = """dv/dt = (a - v)/(8*ms) + 0.1*xi*(10*ms)**-0.5 : 1 (unless refractory)
           dw/dt = -w/(30*ms) : 1
           a : 1"""
SYNAPSES = """dtrace/dt = -trace/(15*ms) : 1 (event-driven)
              w_syn : 1"""


class Everything:
    """A network with one of each: noise, refractoriness, delays, plasticity, inputs, clocks, monitors."""

    def __init__(self):
        self.cells = cells = NeuronGroup(
            30, MODEL, threshold="v > 1", reset="v = 0; w += 1", refractory="1.5*ms", method="euler",
            events={"high": "w > 2"}, name="cells",
        )  # fmt: skip
        cells.a = "1 + 0.5*i/N"
        self.slow = NeuronGroup(5, "dx/dt = -x/(9*ms) + 0.05*kHz : 1", name="slow", dt=0.3 * ms,
                                threshold="x > 0.3", reset="x = 0", namespace={"kHz": 1000 * Hz})  # fmt: skip
        source = PoissonGroup(10, 50 * Hz, name="source")
        given = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 3.5, 8, 12] * ms, period=13 * ms, name="given")
        self.wiring = wiring = Synapses(
            cells, cells, SYNAPSES, on_pre="trace += 1; v_post += w_syn; w_syn = clip(w_syn + 0.01*trace, 0, 0.2)",
            on_post="w_syn = w_syn*0.95 + 0.002*rand()", delay={"post": 0.4 * ms}, name="wiring",
        )  # fmt: skip
        wiring.connect(condition="i != j", p=0.3)
        wiring.w_syn = "0.05*rand()"
        wiring.delay = "(1 + 4*rand())*ms"
        others = []
        for k, (one, other) in enumerate(((source, cells), (given, cells), (self.slow, cells), (cells, self.slow))):
            variable = "x" if other is self.slow else "v"
            made = Synapses(one, other, on_pre=f"{variable}_post += 0.1", delay=2.1 * ms, name=f"way{k}")
            made.connect(p=0.5)
            others.append(made)
        runner = cells.run_regularly("a += 0.01*(rand() - 0.5)", dt=1 * ms, name="runner")
        self.monitors = [
            SpikeMonitor(cells, variables="w", name="spikes"), EventMonitor(cells, "high", name="high"),
            StateMonitor(cells, ("v", "w"), record=[1, 7], dt=0.5 * ms, name="traces"),
            StateMonitor(wiring, "w_syn", record=range(5), name="weights"), PopulationRateMonitor(cells, name="rate"),
            SpikeMonitor(self.slow, name="slow_spikes"),
        ]  # fmt: skip
        extra = PoissonInput(cells, "v", 20, 20 * Hz, 0.02)
        self.network = Network(cells, self.slow, source, given, wiring, others, self.monitors, extra)
        assert runner in self.network

    def results(self):
        found = {}
        for one in self.network.objects:
            for name, array in one.state().items():
                found[f"{one.name}.{name}"] = np.array(array)
        return found


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("where", ["memory", "file"])
def test_what_follows_is_what_would_have_followed(target, tmp_path, where):
    seed(5)
    file = {} if where == "memory" else {"filename": tmp_path / "state"}
    model = Everything()
    network = model.network
    network.run(20.5 * ms)
    network.store("middle", **file)
    on_the_way = sum(len(v) for n, v in model.results().items() if n.endswith(".targets"))
    assert on_the_way > 50 and len(model.monitors[0].t) > 30
    assert not model.cells.not_refractory[:].all()
    network.run(10 * ms)
    network.run(9.7 * ms)
    expected = model.results()
    for _ in range(2):
        model.wiring.w_syn = 3
        network.run(1.3 * ms)
        network.restore("middle", restore_random_state=True, **file)
        assert network.t == 20.5 * ms
        network.run(10 * ms)
        network.run(9.7 * ms)
        assert_same(expected, model.results())
    network.restore("middle", **file)
    network.run(19.7 * ms)
    assert not np.array_equal(expected["cells.v"], model.cells.state()["v"])


def test_one_run_or_two_is_the_same(target):
    found = []
    for durations in ((30,), (13.2, 16.8), (0.1, 29.9)):
        seed(3)
        model = Everything()
        for duration in durations:
            model.network.run(duration * ms)
        found.append(model.results())
    assert_same(found[0], found[1])
    assert_same(found[0], found[2])


def test_in_another_process(tmp_path):
    path = tmp_path / "state"
    seed(5)
    model = Everything()
    model.network.run(8 * ms)
    model.network.store(filename=path)
    model.network.run(6 * ms)
    np.save(tmp_path / "v.npy", model.cells.v[:])
    script = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1]); from test_checkpoint import *\n"
        "seed(99); m = Everything(); m.network.restore(filename=sys.argv[2], restore_random_state=True)\n"
        "m.network.run(6*ms); assert (m.cells.v[:] == np.load(sys.argv[3])).all()"
    )
    arguments = [os.path.dirname(__file__), path, tmp_path / "v.npy"]
    subprocess.run([sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)], check=True)


def test_draws_of_texts_come_again():
    group = NeuronGroup(5, "v : 1", name="texts")
    network = Network(group)
    group.v = "rand()"
    network.store()
    group.v = "rand()"
    first = group.v[:].copy()
    network.restore(restore_random_state=True)
    group.v = "rand()"
    np.testing.assert_array_equal(group.v[:], first)
    network.restore()
    group.v = "rand()"
    assert not np.array_equal(group.v[:], first)


def test_spikes_of_the_last_step_are_part_of_the_state(target):
    group = NeuronGroup(2, "dv/dt = 1/ms : 1", threshold="v > 0.45", reset="v = 0", name="group")
    synapses = Synapses(group, group, "total : 1", on_pre="total += 1", name="synapses")
    synapses.connect(j="i")
    synapses.pre.when = "start"  # spikes arrive in the step after
    network = Network(group, synapses)
    network.run(0.5 * ms)
    network.store()
    assert list(group.spikes) == [0, 1] and list(synapses.total) == [0, 0]
    network.run(0.3 * ms)
    assert list(group.spikes) == [] and list(synapses.total) == [1, 1]
    network.restore()
    assert list(group.spikes) == [0, 1]
    network.run(0.1 * ms)
    assert list(synapses.total) == [1, 1]


def test_dt_comes_back(target):
    clock = Clock(0.2 * ms)
    group = NeuronGroup(1, "dv/dt = 1/ms : 1", clock=clock, name="group")
    source = SpikeGeneratorGroup(1, [0], [0] * ms, clock=clock, name="source")
    synapses = Synapses(source, group, on_pre="v += 100", delay=3 * ms, name="synapses")
    synapses.connect()
    network = Network(group, source, synapses)
    network.run(1 * ms)
    network.store()
    clock.dt = 0.5 * ms
    network.run(1 * ms)
    network.restore()
    assert clock.dt == 0.2 * ms and group.t_in_timesteps == 5
    clock.dt = 0.1 * ms  # what is under way takes as long as before
    network.run(1.9 * ms)
    assert group.v[0] < 50
    network.run(0.2 * ms)
    assert group.v[0] > 50


def test_another_number_of_synapses(target, tmp_path):
    def made(p):
        group = NeuronGroup(10, "v : 1", threshold="True", name="group")
        synapses = Synapses(group, group, "w : 1", on_pre="v += w", name="synapses")
        synapses.connect(condition="i + j < 10*p", namespace={"p": p})
        synapses.w = "i + j"
        return group, synapses, Network(group, synapses)

    _, synapses, network = made(1.0)
    network.store(filename=tmp_path / "state")  # before delays are set
    synapses.delay = "0.1*ms*i"
    network.run(0.3 * ms)
    network.store("later", filename=tmp_path / "state")
    group, other, network = made(0.5)
    network.restore("later", filename=tmp_path / "state")
    np.testing.assert_array_equal(other.delay_, 1e-4 * other.i)
    network.restore(filename=tmp_path / "state")
    assert len(other) == len(synapses) and not other.delay_[:].any()
    np.testing.assert_array_equal(other.w, other.i + other.j)
    np.testing.assert_array_equal(other.N_incoming_post, synapses.N_incoming_post)
    network.run(0.1 * ms)
    np.testing.assert_array_equal(group.v, [sum(range(j, 10)) for j in range(10)])


# --- what does not fit ------------------------------------------------------------------------------------------


def plain(model="dv/dt = -v/(10*ms) : volt\nn : integer", n=3, record=(0, 1), delay=None):
    group = NeuronGroup(n, model, threshold="n > 5", name="group")
    synapses = Synapses(group, group, "w : 1", on_pre="n += 1", delay=delay, name="synapses")
    synapses.connect()
    return Network(group, synapses, StateMonitor(group, "n", record=list(record), name="monitor"))


@pytest.mark.parametrize(("changed", "message"), [
    ({"n": 4}, "'group' was NeuronGroup of 3, and is NeuronGroup of 4 now"),
    ({"model": "dv/dt = -v/(10*ms) : 1\nn : integer"}, "'group' was 'v': float in volt, and is 'v': float now"),
    ({"model": "dv/dt = -v/(10*ms) : volt\nn : 1"}, "'group' was 'n': integer, and is 'n': float now"),
    ({"model": "dv/dt = -v/(10*ms) : volt\nn : integer\nm : 1"}, "'group' was without that, and is 'm': float now"),
    ({"delay": 1 * ms}, "'synapses' was without that, and is one delay for all now"),
    ({"record": (0, 1, 2)}, r"'table' of 'monitor' had the shape \(10, 3\), and has \(0, 4\) now"),
])  # fmt: skip
def test_another_model_is_refused_before_anything_changes(tmp_path, changed, message):
    network = plain()
    network.run(1 * ms)
    network.store(filename=tmp_path / "state")
    other = plain(**changed)
    other["group"].n = 2
    defaultclock.dt = 0.2 * ms
    with pytest.raises(RallError, match=message):
        other.restore(filename=tmp_path / "state")
    assert list(other["group"].n) == [2] * len(other["group"]) and other.t == 0 * ms
    assert defaultclock.dt == 0.2 * ms


def test_another_class_or_type_is_refused(tmp_path, monkeypatch):
    network = Network(NeuronGroup(2, "v : 1", name="same"))
    network.store(filename=tmp_path / "state")
    with pytest.raises(RallError, match=r"'same' was NeuronGroup of 2; 'v': float, and is PoissonGroup of 2"):
        Network(PoissonGroup(2, 1 * Hz, name="same")).restore(filename=tmp_path / "state")
    group = NeuronGroup(2, "v : 1", name="same")
    single = Variable("v", group.domain, array=np.zeros(8, np.float32))
    monkeypatch.setitem(group.variables, "v", single)
    with pytest.raises(RallError, match="'v' of 'same' was float64, and is float32 now"):
        Network(group).restore(filename=tmp_path / "state")


def test_arrays_that_do_not_belong_together_are_refused(tmp_path):
    network = plain()
    network.store()
    kept = network._stored["default"].objects["synapses"].arrays
    kept["w"] = np.zeros(4)
    with pytest.raises(RallError, match="'w' and '_i' of 'synapses' have 4 and 9 synapses"):
        network.restore()


# --- files ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="no such rights there")
def test_files_are_made_as_any_other(decay, tmp_path):
    network = Network(decay(name="kept"))
    before = os.umask(0o027)
    try:
        network.store(filename=tmp_path / "state")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o640
    (tmp_path / "state").chmod(0o604)
    (tmp_path / "link").symlink_to(tmp_path / "state")
    network.store("more", filename=tmp_path / "link")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o604 and (tmp_path / "link").is_symlink()
    network.restore(filename=tmp_path / "state")
    network.restore("more", filename=tmp_path / "state")
