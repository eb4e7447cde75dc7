"""Generated C under the address and undefined-behaviour sanitizers.

A program is written out as one C file: the runtime, its kernels, every array with just its own bytes, and a main
that runs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from programs import Box
from random_trees import System, random_tree

import rall.channels as channels
from rall.devices import c as device_c
from rall.devices import calls, foreign, native
from rall.devices.c import CProgram
from rall.devices.compiler import find_compiler, headers
from rall.events import EventQueue, Timetable
from rall.model import Access, Check, Domain, Layout, Record, RecordEvents, Reduce, Variable
from rall.morphology import Morphology
from rall.options import Options
from rall.pipeline import compile_model
from rall.plugins.cable import SpatialNeuron
from rall.plugins.inputs import TimedArray
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.recording import Table
from rall.session import defaultclock
from rall.units import cm, ms, mV, nA, ohm, uF, um

FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1", "-fopenmp-simd", "-march=native",
         "-fno-math-errno", "-w")  # fmt: skip

MAIN = """
#include <stdio.h>
int main(void)
{
    static rall_program p = {ops, N_OPS, clocks, N_CLOCKS, buffers, N_BUFFERS, (long long *)STATUS, -1, 0};
    int stop = 0, why;
    while ((why = rall_run(&p, 1000000, &stop)) != RALL_DONE) {
        if (why == RALL_CALL) p.next_op++;
        else if (why == RALL_FULL) for (int b = 0; b < N_BUFFERS; b++) {
            if (*buffers[b].count > buffers[b].limit) *buffers[b].count = 0;
        }
        else { printf("came back with %d\\n", why); return 1; }
    }
    printf("done %lld steps, %.17g\\n", clocks[0].step, *(double *)RESULT);
    return 0;
}
"""


class _Symbol:
    """A function that is not compiled yet."""

    def __init__(self, text, name):
        self.text, self.name = text, name


class _Library:
    """Stands in for a compiled library: remembers its text."""

    def __init__(self, text, *_):
        self.text = text

    def __getattr__(self, name):
        return _Symbol(self.text, name)


class WrittenOut(CProgram):
    """Collects what a program consists of, and compiles nothing."""

    def __init__(self, schedule, kernels):
        self.calls = []
        super().__init__(schedule, kernels, None, Options())
        self._native_clocks = ()
        self._tables.op = self._op
        self._steps()

    def _op(self, call, place, own=None):
        function, arrays, n = call
        self.calls.append((function, list(arrays), n, place[0]))
        return native.Op(None, None, 0, *place)

    def file(self, steps, result):
        """The whole C file; `result` is the array that main shows."""
        included = ("rall_runtime.c", "rall_random.h")
        self.arrays, self.lines = {}, [f'#include "{name}"' for name in included]
        kernels = {}
        ops = []
        for function, arrays, n, clock in self.calls:
            if function is None:
                ops.append(f"{{0, 0, 0, {clock}, 0, 0}}")
                continue
            name = function.name
            if name == "rall_kernel":
                name = kernels.setdefault(function.text, f"rall_kernel_{len(kernels)}")
            elif name == "rall_tree_step":
                kernels[function.text] = name
            table = ", ".join("0" if a is None else self._array(a) for a in arrays)
            self.lines.append(f"static void *x{len(ops)}[] = {{{table}}};")
            ops.append(f"{{{name}, x{len(ops)}, {n}, {clock}, 0, 0}}")
        for text, name in kernels.items():
            self.lines.insert(2, text.replace("rall_kernel", name))
        clocks = [
            f"{{{c.dt!r}, 0, {steps}, (double *){self._array(c.t_variable.array)}, "
            f"(long long *){self._array(c.step_variable.array)}}}" for c in self.clocks
        ]  # fmt: skip
        buffers = [f"{{(long long *){self._array(b.count)}, {b.limit}}}" for b in self.buffers] or ["{0, 0}"]
        self.lines += [
            f"static rall_op ops[] = {{{', '.join(ops)}}};",
            f"static rall_clock clocks[] = {{{', '.join(clocks)}}};",
            f"static rall_buffer buffers[] = {{{', '.join(buffers)}}};",
        ]
        numbers = {"N_OPS": len(ops), "N_CLOCKS": len(clocks), "N_BUFFERS": len(self.buffers),
                   "STATUS": self._array(self._calls.status), "RESULT": self._array(result)}  # fmt: skip
        main = MAIN
        for key, value in numbers.items():
            main = main.replace(key, str(value))
        return "\n".join([*self.lines, main])

    def _array(self, array):
        array = array.array if isinstance(array, native.Moving) else array
        key = array.ctypes.data
        if key not in self.arrays:
            name = self.arrays[key] = f"a{len(self.arrays)}"
            size, data = max(1, array.nbytes), array.tobytes()
            values = "{0}" if not any(data) else "{" + ",".join(map(str, data)) + "}"
            # As aligned as the real one is and no more.
            align = next(a for a in (64, 16, 8, 1) if key % a == 0)
            self.lines.insert(1, f"static unsigned char {name}[{size}] __attribute__((aligned({align}))) = {values};")
        return self.arrays[key]


@pytest.fixture(scope="module")
def compiler(tmp_path_factory):
    """Compiles with sanitizers; skips where their libraries are missing."""
    found = find_compiler()
    if found is None:
        pytest.skip("no C compiler on this machine")
    folder = tmp_path_factory.mktemp("sanitizers")
    for name, text in headers().items():
        (folder / name).write_text(text)

    def run(name, text):
        source, program = folder / f"{name}.c", folder / name
        source.write_text(text)
        made = subprocess.run([*found.command, *FLAGS, "-o", program, source], capture_output=True, text=True)
        if made.returncode:
            return made
        environment = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
        return subprocess.run([program], capture_output=True, text=True, env=environment)

    probe = run("probe", "int main(void) { return 0; }")
    if probe.returncode:
        pytest.skip(f"the sanitizers' libraries are missing: {probe.stderr.strip()[-200:]}")
    return run


@pytest.fixture
def write_out(monkeypatch):
    """Makes a C file of components."""
    monkeypatch.setattr(device_c, "load", _Library)
    monkeypatch.setattr(calls, "load", _Library)
    monkeypatch.setattr(foreign, "load", _Library)

    class Device:
        name = "c"

        def build(self, schedule, kernels, options):
            return WrittenOut(schedule, kernels)

    def make(components, seed):
        return compile_model(components, Device(), Options(), seed)

    return make


def check(done, steps):
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    assert f"done {steps} steps" in done.stdout
    assert not done.stderr


def test_the_sanitizers_see_an_array_that_is_too_short(compiler, write_out, bench):
    b = bench()
    b.add("x", 1.0)
    b.assign("x = 2*x")
    program = write_out([Box(b.made)], b.seed)
    check(compiler("whole", program.file(3, b.variables["x"].array)), 3)
    program.calls[0][1][0] = b.variables["x"].array[:8].copy()
    bad = compiler("short", program.file(3, b.variables["x"].array))
    assert bad.returncode != 0 and "AddressSanitizer" in bad.stderr


def test_the_sanitizers_see_an_overflow(compiler):
    bad = compiler("overflow", "int main(int n, char **v) { return (0x7fffffff + n) & 1; }")
    assert bad.returncode != 0 and "overflow" in bad.stderr


@pytest.mark.parametrize("method", ["second_order", "backward_euler"])
def test_a_cell_with_channels_runs_clean(compiler, write_out, bench, method):
    defaultclock.dt = 0.025 * ms
    morphology = Morphology.grow("granule", seed=1).discretize(max_length=5 * um)
    stimulus = TimedArray([0, 1, 0] * nA, dt=2 * ms)
    model = channels.leak(g=0.3e-3 * 10 * cm**-2 * ohm**-1, E=-54.3 * mV) + channels.hh.Na() + channels.hh.K()
    cell = SpatialNeuron(
        morphology=morphology, model=model + "I = stimulus(t)*int(i == 0) : amp (point current)",
        Cm=1 * uF / cm**2, Ri=100 * ohm * cm, threshold="v > -20*mV", cable_method=method,
    )  # fmt: skip
    cell.initialise(v=-65 * mV)
    traces, spikes = StateMonitor(cell, ["v", "Im"], record=True), SpikeMonitor(cell)
    objects = [cell, traces, spikes]
    for one in objects:
        one.before_run({"stimulus": stimulus})
    program = write_out(objects, bench().seed)
    done = compiler(f"cell_{method}", program.file(300, cell.variables["v"].array))
    check(done, 300)


@pytest.mark.parametrize(("shape", "nodes"), [("long branches", 400), ("recursive", 57), ("star", 20), ("chain", 1)])
def test_solves_run_clean(compiler, write_out, bench, shape, nodes):
    rng = np.random.default_rng(nodes)
    b = bench()
    system = System.random(*random_tree(shape, nodes, rng), rng)
    operation = system.operation("tree_euler", b.clock)
    nodes_domain = operation.variables["d"].domain
    b.variables |= {n: v for n, v in operation.variables.items()}
    b.assign("d = diagonal", "r = carry*v", domain=nodes_domain)
    operation.variables["v"].array[:] = 1.0
    b.made.append(operation)
    program = write_out([Box(b.made)], b.seed)
    done = compiler(f"solve_{nodes}", program.file(200, operation.variables["v"].array))
    check(done, 200)


def deliveries(b):
    """Events of a condition and of a timetable, and what they reach: elements, and synapses now and later."""
    rng = np.random.default_rng(2)
    synapses = Domain("synapses", Layout(50))
    sources, targets = rng.integers(0, 13, 50).astype(np.int32), rng.integers(0, 13, 50)
    w = b.add("w", rng.random(50), domain=synapses)
    to = b.add("to", targets, "index", synapses)
    b.add("hit", np.arange(13)%3 == 1, "boolean")
    y, fired = b.add("y", 0.0), b.emit("hit")
    timed = b.emit(Timetable([0, 1, 1, 5], [12, 0, 3, 7], 6), most=2)
    counts, total = np.zeros(13, np.int64), b.shared("counted", 0.0)
    late = (np.array([3, 49, 0], np.int32), np.array([0, 2, 40]))
    for events in (fired, timed):
        b.deliver(events, "y = y*0.5 + dt")
        for delays in (0, 3, rng.integers(0, 30, 50)):
            queue = EventQueue(sources, delays, 16, late)
            b.deliver(events, "w = w*0.9", "y = y + w", queue=queue, domain=synapses, y=Access(y, to))
    b.put(RecordEvents, events=timed, labels=np.where(np.arange(16) == 7, -1, np.arange(16)), counts=counts,
          total=total)  # fmt: skip
    b.put(Reduce, values=w, index=to, target=b.add("sums", 0.0))


def test_every_kind_of_operation_runs_clean(compiler, write_out, bench):
    b = bench(size=13)
    deliveries(b)
    b.draws()
    b.add("x", np.linspace(-3, 3, 13))
    b.add("n", np.arange(13), "integer")
    b.add("flag", False, "boolean")
    b.shared("total", 0.0)
    far = Domain("far", Layout(30))
    target = Variable("target", far)
    index = b.add("index", np.arange(13)[::-1].copy(), "integer")
    index.array[13:] = 31
    b.variables["target"] = Access(target, index)
    table = Variable("table", Domain("table", Layout(7)), role="table")
    table.set([2, 2, 1.0, 1, 2, 3, 4])
    b.variables["table"] = table
    b.assign("x = x + randn()*rand() + poisson(3.5) + _timed(table, t, n) + _timed(table, t - 5, n%2)", "n = (n + 1)%7",
             mask="x < 1e3 or x != x")  # fmt: skip
    b.assign("x = clip(x if x == x else 0.0, -1e3, 1e3)", "flag = x > 0 and not n > 3", "total = total + dt")
    b.assign("target = exp(-abs(x)) + x//3 + x%2 + abs(x)**0.3 + sin(x) + arctan(x) + log(abs(x) + 1e-9) + int(flag)")
    rows = Table(4)
    elements = np.array([0, 3, 12, 1, 2])
    b.keep(b.emit("flag", elements=elements, most=5), np.arange(16), values=[b.variables["x"], b.variables["n"]])
    b.made += [
        Record(name="record", clock=b.clock, order=91, table=rows, rows=[
            (b.variables["x"], np.array([0, 12, 5]), np.ones(3), np.array([0, 2, 3])),
            (target, np.array([29, 0]), np.array([0.5, 2.0]), np.array([0, 1, 2])),
        ]),
        Check(name="check", clock=b.clock, order=92, variable=b.variables["x"]),
    ]  # fmt: skip
    program = write_out([Box(b.made)], b.seed)
    check(compiler("kinds", program.file(2500, b.variables["x"].array)), 2500)


def test_epochs_run_clean(compiler, tmp_path):
    """A whole process under sanitizers, whose arrays are Python's: programs by epochs are many tables of these."""
    command = find_compiler().command
    libraries = [
        subprocess.run([*command, f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    if not all(map(os.path.isabs, libraries)):
        pytest.skip("this compiler has no sanitizers that can be loaded into a process")
    environment = {
        **os.environ, "LD_PRELOAD": " ".join(libraries), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc",
        "UBSAN_OPTIONS": "print_stacktrace=1", "RALL_CACHE": str(tmp_path),
    }  # fmt: skip
    flags = [flag for flag in FLAGS if flag not in ("-march=native", "-w")]
    script = Path(__file__).with_name("sanitized.py")
    done = subprocess.run([sys.executable, script, *flags], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "done by epochs" in done.stdout, done.stdout + done.stderr[-4000:]
