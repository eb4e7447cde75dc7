"""Networks: running, stopping, failing, storing; on every device, with components made by hand."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from rall import magic
from rall.devices.base import Program, Status
from rall.errors import DimensionMismatchError, MagicError, NumericalError, RallError
from rall.ir.parse import parse
from rall.loop import Loop
from rall.magic import collect, magic_network, run
from rall.model import SHARED, Assign, Call, Elementwise, Variable
from rall.operations import NetworkOperation, network_operation
from rall.progress import Progress
from rall.session import Clock, SimulationObject, defaultclock, prefs, seed, start_scope
from rall.simulation import Network
from rall.timeline import steps_until
from rall.units import ms, mV, second, us


def euler(steps, dt=1e-4, rate=100.0, start=1.0):
    return start * (1 - dt * rate) ** np.arange(steps)


def test_a_run_is_eulers_method(target, decay):
    cell = decay()
    network = Network(cell)
    network.run(10 * ms)
    assert network.t == 10 * ms and defaultclock.t == 10 * ms
    np.testing.assert_allclose(cell.trace, euler(100), rtol=1e-12)
    np.testing.assert_allclose(cell.x.get(), euler(101)[-1] * np.array([1, 2, 3]), rtol=1e-12)
    assert [kind for kind, _ in cell.calls] == ["before", "after"]
    network.run(5 * ms)
    np.testing.assert_allclose(cell.trace, euler(150), rtol=1e-12)
    assert network.t_ == pytest.approx(15e-3, abs=1e-15)


def test_devices_agree(decay):
    traces = []
    for name in ("numpy", "auto"):
        prefs.codegen.target = name
        seed(3)
        cell = decay(extra=" + 0.1*(rand() - 0.5)", name="noisy")
        Network(cell).run(20 * ms)
        traces.append(cell.trace)
    np.testing.assert_allclose(traces[0], traces[1], rtol=1e-12)
    assert np.std(np.diff(traces[0])) > 0.01


def test_long_recordings_outgrow_the_buffer(target, decay):
    cell = decay(n=300, rate=1.0)
    steps = 5 * len(cell.table.buffer)
    Network(cell).run(steps * 0.1 * ms)
    assert cell.table.values().shape == (steps, 300)
    np.testing.assert_allclose(cell.trace, euler(steps, rate=1.0), rtol=1e-10)


@pytest.mark.parametrize("duration", [5, 3 * mV])
def test_a_duration_is_a_time(decay, duration):
    with pytest.raises(DimensionMismatchError, match="duration"):
        Network(decay()).run(duration)


def test_odd_durations(decay):
    cell = decay()
    network = Network(cell)
    with pytest.raises(RallError, match="negative"):
        network.run(-1 * ms)
    network.run(0 * ms)
    assert network.t == 0 * ms and len(cell.trace) == 0
    network.run(0.25 * ms)  # two and a half steps are three
    assert len(cell.trace) == 3 and network.t == 0.25 * ms
    network.run(0.25 * ms)
    assert len(cell.trace) == 5
    Network().run(3 * ms)


def test_steps_until():
    assert steps_until(0.0, 0.1) == 0
    assert steps_until(0.3, 0.1) == 3  # 0.1*3 > 0.3 in floating point
    assert steps_until(0.30002, 0.1) == 4 and steps_until(0.300005, 0.1) == 3


def test_two_clocks(target, decay):
    fast, slow = decay(dt=0.1 * ms), decay(dt=0.3 * ms)
    network = Network(fast, slow)
    network.run(0.5 * ms)
    network.run(1.0 * ms)
    assert len(fast.trace) == 15 and len(slow.trace) == 5
    np.testing.assert_allclose(slow.trace, euler(5, dt=3e-4), rtol=1e-12)


def test_dt_may_change_where_time_is_a_multiple(target, decay):
    clock = Clock(dt=0.1 * ms)
    cell = decay(clock=clock)
    network = Network(cell)
    network.run(1 * ms)
    clock.dt = 0.25 * ms
    network.run(1 * ms)
    assert len(cell.trace) == 14 and network.t == 2 * ms and clock.timestep == 8
    clock.dt = 0.3 * ms
    with pytest.raises(RallError, match=r"0\.25 ms to 0\.3 ms.*2 ms"):
        network.run(1 * ms)
    clock.dt = 0.5 * ms
    network.run(1 * ms)
    assert len(cell.trace) == 16


def test_values_that_blow_up_stop_the_run(target, decay):
    cell = decay(n=2, rate=-1e6, name="bomb")
    cell.x.set([0.0, 1.0])
    network = Network(cell)
    with pytest.raises(NumericalError, match=r"'x' became -?inf at place 1 of bomb|bomb\.x.*too large"):
        network.run(100 * ms)
    assert 15 * ms < network.t < 16 * ms
    assert defaultclock.t == network.t
    assert cell.calls[-1][0] == "after"


# --- Python in the loop -------------------------------------------------------------------------------------


def test_network_operations(target, decay):
    cell = decay()
    seen = []

    @network_operation
    def plain():
        seen.append(cell.x.get()[0])

    @network_operation(dt=1 * ms, when="end", order=2)
    def timed(t):
        assert t == network.t
        cell.x.set(float(t / ms) + 1)

    network = Network(cell, plain, timed)
    assert plain.name.startswith("plain") and timed.when == "end"
    network.run(3 * ms)
    assert len(seen) == 30 and seen[0] == 1.0
    assert seen[1] == 1.0 and seen[11] == pytest.approx(2.0) and seen[21] == pytest.approx(3.0)
    assert plain() is None  # still callable

    with pytest.raises(RallError, match="takes 2 arguments"):

        @network_operation
        def wrong(a, b):
            pass


def test_methods_as_network_operations(decay):
    class Counter:
        count = 0

        def step(self, t):
            self.count += 1

    counter = Counter()
    Network(NetworkOperation(counter.step)).run(1 * ms)
    assert counter.count == 10


def test_an_exception_leaves_the_step_complete(target, decay):
    cell, other = decay(), decay(dt=0.2 * ms)

    def fail(t):
        if t > 0.35 * ms:
            raise ValueError("mine")

    later = []
    failing, last = NetworkOperation(fail), NetworkOperation(lambda: later.append(1), when="end")
    network = Network(cell, other, failing, last)
    with pytest.raises(ValueError, match="mine"):
        network.run(1 * ms)
    assert len(cell.trace) == 5 and len(other.trace) == 3 and len(later) == 4
    assert network.t == 0.5 * ms
    assert cell.calls[-1][0] == "after"
    network.remove(failing)
    network.run(0.5 * ms)
    np.testing.assert_allclose(cell.trace, euler(10), rtol=1e-12)
    assert len(other.trace) == 5


def test_stop_ends_after_the_step(target, decay):
    cell = decay()
    network = Network(cell)

    @network_operation
    def halt(t):
        if t >= 0.5 * ms:
            magic.stop()

    network.add(halt)
    network.run(1 * second)
    assert network.t_ == 6 * 1e-4 and len(cell.trace) == 6
    network.remove(halt)
    network.run(0.4 * ms)
    assert network.t == 1 * ms and len(cell.trace) == 10


def test_stop_from_another_thread(target, decay):
    network = Network(decay(rate=1e-3))
    threading.Timer(0.2, network.stop).start()
    network.run(1e6 * second)
    assert 0 * second < network.t < 1e6 * second


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to processes of POSIX here")
def test_ctrl_c_is_answered_soon_and_between_steps(target, decay):
    cell, other = decay(rate=1e-3), decay(n=200, rate=1e-3)
    cell.table.drain = lambda: cell.table.count.fill(0)  # keeps nothing: this run is long
    other.table.drain = lambda: other.table.count.fill(0)
    network = Network(cell, other)
    network.run(1 * ms)
    delays = []
    for _ in range(3):
        sent = []

        def interrupt(sent=sent):
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Timer(0.3, interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            network.run(1e9 * second)
        delays.append(time.perf_counter() - sent[0])
        steps = defaultclock.timestep
        assert network.t_ == pytest.approx(steps * 1e-4)
        np.testing.assert_allclose(cell.x.get()[0], np.exp(steps * np.log1p(-1e-7)), rtol=1e-6)
        np.testing.assert_allclose(cell.x.get()[0], other.x.get()[0], rtol=1e-12)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert min(delays) < 0.2


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to processes of POSIX here")
def test_ctrl_c_in_the_users_own_code(target, decay):
    cell = decay()

    @network_operation
    def slow():
        if len(cell.trace) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(20)

    network = Network(cell, slow)
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        network.run(1 * second)
    assert time.perf_counter() - began < 10
    assert len(cell.trace) == defaultclock.timestep and network.t == defaultclock.t


def test_objects_can_be_switched_off_and_on(target, decay):
    one, two = decay(), decay(dt=0.2 * ms)
    network = Network(one, two)
    two.active = False
    network.run(1 * ms)
    assert len(one.trace) == 10 and len(two.trace) == 0
    two.active = True
    network.run(1 * ms)
    assert len(two.trace) == 5

    @network_operation(dt=1 * ms)
    def toggle():
        two.active = not two.active

    network.add(toggle)
    network.run(2 * ms)  # off at 2 ms, on at 3 ms
    assert len(one.trace) == 40
    assert 10 <= len(two.trace) <= 11


@pytest.mark.skipif(os.name == "nt", reason="no signals to oneself")
def test_an_interrupt_is_answered_where_every_step_calls_python():
    class Calling(Program):
        """Comes back for a call in every step; at the third one an interrupt arrives while it computes."""

        def __init__(self):
            self.clocks, self.buffers, self.inside, self.clock = (), [], False, Clock(1 * ms).model_clock

        def advance(self, ends, iterations):
            self.clock.step += self.inside
            self.inside = iterations > 0
            assert self.clock.step < 10
            if self.clock.step == 3 and self.inside:
                os.kill(os.getpid(), signal.SIGINT)
            call = Call(name="call", clock=self.clock, function=lambda t: None)
            return (Status.CALL, call) if self.inside else (Status.PAUSED, None)

        def stop(self):
            pass

    program = Calling()
    loop = Loop(lambda now: program, lambda: 0, lambda op: None, (0.0, 1.0), Progress(None, 1.0, 0.0, 1.0))
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    assert program.clock.step == 4 and not program.inside


def test_reports_come_where_every_step_calls_python(target, decay):
    @network_operation
    def nothing():
        pass

    told = []
    Network(decay(), nothing).run(
        1 * ms, report=lambda elapsed, fraction, start, length: told.append(fraction), report_period=0 * ms
    )
    assert len(told) > 5 and told == sorted(told)


def test_a_run_inside_a_run_keeps_off_its_clock(target, decay):
    inner = {}

    @network_operation(dt=1 * ms)
    def nested():
        own = inner["own"] = Network(decay(dt=0.25 * ms))
        own.run(0.5 * ms)
        Network(decay()).run(0.5 * ms)

    outer = Network(decay(), nested)
    with pytest.raises(RallError, match=r"'network\w*' cannot run while 'network\w*' does: 'defaultclock' drives both"):
        outer.run(5 * ms)
    assert inner["own"].t_ == pytest.approx(0.5e-3)
    assert outer.t_ == pytest.approx(0.1e-3)


# --- what is in a network -----------------------------------------------------------------------------------


def test_contents(decay):
    one, two, three = decay(name="one"), decay(name="two"), decay(name="three")
    one.contained_objects.append(three)
    network = Network([one], {"x": two})
    assert [o.name for o in network] == ["one", "three", "two"] and len(network) == 3
    assert network["three"] is three and "two" in network and one in network and "four" not in network
    with pytest.raises(KeyError, match="did you mean 'three'"):
        network["thre"]
    with pytest.raises(RallError, match="groups, monitors"):
        network.add(3)
    network.remove(two)
    with pytest.raises(RallError, match="not in network"):
        network.remove(two)


def test_names_must_differ(decay):
    with pytest.raises(RallError, match="named 'same', made at"):
        Network(decay(name="same"), decay(name="same")).run(1 * ms)


def test_objects_stay_with_their_network(decay):
    cell = decay()
    Network(cell).run(1 * ms)
    with pytest.raises(RallError, match="has run in another network"):
        Network(cell).run(1 * ms)


def test_namespace_is_the_callers_or_the_one_given(decay):
    marker = 17
    cell = decay()
    network = Network(cell)
    network.run(0 * ms)
    assert cell.calls[0][1]["marker"] == marker
    network.run(0 * ms, namespace={"other": 1})
    assert cell.calls[2][1] == {"other": 1}


def test_schedule_can_be_changed(target, decay):
    class Write(SimulationObject):
        def __init__(self, variable, text, when):
            super().__init__("write*", when=when)
            self.variable, self.text = variable, text

        def operations(self, model):
            yield Elementwise(
                name=self.name, clock=self.clock, when=self.when, domain=SHARED,
                statements=[Assign("y", parse(self.text).node)], bindings={"y": self.variable},
            )  # fmt: skip

    def result(schedule=None):
        y = Variable("y", SHARED)
        network = Network(Write(y, "y + 1", "first"), Write(y, "y*10", "after_last"), Write(y, "y*2", "last"))
        network.schedule = schedule
        network.run(0.1 * ms)
        return y.array[0]

    with pytest.raises(RallError, match="unknown schedule slot"):
        result()
    assert result(["first", "last"]) == 20
    assert result(["last", "first"]) == 1
    prefs.core.network.default_schedule = ["first", "last"]
    assert result() == 20
    with pytest.raises(RallError, match="twice"):
        Network().schedule = ["a", "a"]


def test_unbound_names_and_short_arrays_are_refused(target, decay):
    cell = decay(extra=" + nowhere")
    with pytest.raises(RallError, match="'nowhere'"):
        Network(cell).run(1 * ms)
    cell = decay()
    cell.x.array = cell.x.array[:2]
    with pytest.raises(RallError, match="'x' has storage for 2 elements"):
        Network(cell).run(1 * ms)


# --- random numbers and stored states -----------------------------------------------------------------------


def test_seeds_fix_the_numbers_and_trials_differ(target, decay):
    kept = []  # what is still alive changes automatic names, and must not change numbers

    def noisy_trace():
        one, two = decay(extra=" + rand()"), decay(extra=" + rand()")
        kept.append(Network(one, two))
        kept[-1].run(2 * ms)
        assert not np.allclose(one.trace, two.trace)
        return one.trace

    seed(7)
    first, trial = noisy_trace(), noisy_trace()
    seed(7)
    again = noisy_trace()
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, trial)
    seed(8)
    assert not np.allclose(first, noisy_trace())


def test_store_and_restore(target, decay):
    cell = decay(extra=" + rand()")
    network = Network(cell)
    network.run(1 * ms)
    network.store()
    network.store("named")
    network.run(1 * ms)
    first = cell.trace
    network.restore(restore_random_state=True)
    assert network.t == 1 * ms and defaultclock.t == 1 * ms and len(cell.trace) == 10
    network.run(1 * ms)
    np.testing.assert_array_equal(cell.trace, first)
    network.restore("named")
    network.run(1 * ms)
    np.testing.assert_array_equal(cell.trace[:11], first[:11])
    assert not np.allclose(cell.trace[11:], first[11:])
    with pytest.raises(RallError, match="did you mean 'named'"):
        network.restore("namd")


def test_states_in_files(target, decay, tmp_path):
    path = tmp_path / "state.npz"
    cell = decay(name="kept", extra=" + rand()")
    network = Network(cell)
    network.store("start", path)
    network.run(1 * ms)
    network.store("later", path)
    network.run(1 * ms)
    assert [p.name for p in tmp_path.iterdir()] == ["state.npz"]
    seed()
    copy = decay(name="kept", extra=" + rand()")
    again = Network(copy)
    again.restore("later", path, restore_random_state=True)
    assert again.t == 1 * ms
    np.testing.assert_array_equal(copy.trace, cell.trace[:10])
    with pytest.raises(RallError, match="no state 'end'; it has 'start', 'later'"):
        again.restore("end", path)


def test_states_of_other_models_and_broken_files_are_refused(decay, tmp_path):
    path = tmp_path / "state.npz"
    Network(decay(name="kept")).store(filename=path)
    with pytest.raises(RallError, match="'kept' was Decay of 3, and is Decay of 4"):
        Network(decay(name="kept", n=4)).restore(filename=path)
    with pytest.raises(RallError, match="it has 'kept', which the network lacks; it lacks 'new'"):
        Network(decay(name="new")).restore(filename=path)
    content = path.read_bytes()
    for broken in (b"", b"nothing", content[: len(content) // 2]):
        path.write_bytes(broken)
        with pytest.raises(RallError, match=r"state\.npz"):
            Network(decay(name="kept")).restore(filename=path)
    with pytest.raises(RallError, match="cannot read"):
        Network(decay(name="kept")).restore(filename=tmp_path / "absent")
    with pytest.raises(RallError, match="cannot write"):
        Network(decay(name="kept")).store(filename=tmp_path / "no" / "folder")


def test_wrong_bytes_in_a_file_of_states_are_found(decay, tmp_path):
    path = tmp_path / "state.npz"
    network = Network(decay(name="kept"))
    network.store(filename=path)
    content = path.read_bytes()
    entries = content.index(b"PK\x01\x02")
    for place, byte in ((6, 99), (8, 1), (8, 1 << 6), (10, 77)):  # version, encrypted, strongly so, compression
        path.write_bytes(content[: entries + place] + bytes([byte]) + content[entries + place + 1 :])
        with pytest.raises(RallError, match="damaged"):
            network.restore(filename=path)
        broken = content.rindex(b"PK\x01\x02") + place
        path.write_bytes(content[:broken] + bytes([byte]) + content[broken + 1 :])
        with pytest.raises(RallError, match="damaged"):
            network.restore(filename=path)


def test_names_that_no_file_has(decay, tmp_path):
    network = Network(decay(name="kept"))
    for name in ("a\0b", "x" * 300):
        with pytest.raises(RallError, match="cannot write"):
            network.store(filename=tmp_path / name)
        with pytest.raises(RallError):
            network.restore(filename=tmp_path / name)


def test_a_failing_write_keeps_the_old_file(decay, tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    network = Network(decay(name="kept"))
    network.store(filename=path)
    before = path.read_bytes()

    def full(file, **members):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(RallError, match="No space left"):
        network.store("other", filename=path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


# --- magic --------------------------------------------------------------------------------------------------


def test_magic_runs_what_is_visible(target, decay):
    start_scope()
    cell = decay()
    hidden = [decay()]
    left_out = decay()
    left_out.add_to_magic_network = False
    assert collect() == {cell}
    run(1 * ms)
    run(1 * ms)
    assert len(cell.trace) == 20 and magic_network.t == 2 * ms
    assert len(hidden[0].trace) == len(left_out.trace) == 0


def test_magic_refuses_mixtures(decay):
    start_scope()
    old = decay(name="old_one")
    run(1 * ms)
    new = decay(name="new_one")
    with pytest.raises(MagicError, match=r"'old_one' made at .*conftest\.py:\d+.*'new_one'"):
        run(1 * ms)
    start_scope()
    again = decay()
    run(0.5 * ms)
    assert len(again.trace) == 5 and magic_network.t == 0.5 * ms
    assert len(old.trace) == 10 and len(new.trace) == 0


def test_magic_takes_monitors_that_come_later(decay):
    start_scope()
    cell = decay()
    run(1 * ms)
    late = decay()
    late.invalidates_magic_network = False
    run(1 * ms)
    assert len(late.trace) == 10 and len(cell.trace) == 20


def test_magic_counts_only_what_has_run(decay):
    start_scope()
    cell = decay(extra=" + nowhere")
    with pytest.raises(RallError, match="nowhere"):
        run(1 * ms)
    other = decay()
    cell.text = "x"
    run(1 * ms)
    assert len(cell.trace) == len(other.trace) == 10


def test_magic_store_and_restore(decay):
    start_scope()
    cell = decay()
    magic.store()
    run(1 * ms)
    magic.restore()
    assert magic_network.t == 0 * ms
    run(0.5 * ms)
    np.testing.assert_allclose(cell.trace, euler(5), rtol=1e-12)
    with pytest.raises(MagicError, match="cannot be added"):
        magic_network.add(cell)


def test_speed_of_a_python_turn(decay):
    """A call each step costs microseconds, so that network operations stay usable."""
    if prefs.codegen.target == "numpy":
        pytest.skip("measures the compiled loop")
    calls = []
    network = Network(decay(), NetworkOperation(lambda: calls.append(1)))
    network.run(1 * ms)
    began = time.process_time()
    network.run(20000 * 5 * us)
    assert len(calls) == 10 + 1000
    assert (time.process_time() - began) / 1000 < 1e-3
