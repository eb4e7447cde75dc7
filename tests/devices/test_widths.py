"""Populations at other widths of vectors, and for other processors."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from populations import MODEL, Made, population

from rall.codegen import printer
from rall.devices import c as device_c
from rall.devices import foreign
from rall.devices.compiler import headers
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.synapses import Synapses
from rall.session import prefs
from rall.units import ms

REGIONS = {
    "all": MODEL + "on : boolean",
    "dend": "dw/dt = (exp(v/(50*mV)) - w)/(5*ms) : 1\n"
            "J = 0.02*mS/cm**2*w*(-80*mV - v)*int(on) : amp/meter**2 (membrane current)",
}  # fmt: skip
#: What processors with wide, with half as wide, and with the least vectors can do.
WIDTHS = {
    "AVX-512": ("-march=x86-64", "-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma",
                "-mprefer-vector-width=512"),
    "AVX2": ("-mavx2", "-mfma", "-mno-avx512f"),
    "baseline": ("-march=x86-64",),
}  # fmt: skip


def make():
    """Cells with a region, a reset, synapses and monitors."""
    cells = population(70, model=REGIONS, reset="n += 10", threshold="v > -57*mV")
    cells.on = np.arange(cells.N) % 3 > 0
    synapses = Synapses(cells.at("soma"), cells.at(3), on_pre="g_post += 5*nS*rand()", delay=1 * ms, name="ring")
    synapses.connect(j="(i + k) % N_pre for k in range(1, 4)")
    spikes, trace = SpikeMonitor(cells), StateMonitor(cells, ["v", "w"], record=[2, 171, 349])
    return Made([cells, synapses, spikes, trace], lambda: {
        "i": spikes.i, "t": spikes.t_, "trace": trace.v_, "w": trace.w_, "v": cells.v_[:], "g": cells.g_[:],
    })  # fmt: skip


def supported(width):
    """Whether this processor runs what is compiled for a width."""
    if platform.machine().lower() not in ("x86_64", "amd64") or not sys.platform.startswith("linux"):
        return False
    known = Path("/proc/cpuinfo").read_text().split()
    needed = {"AVX-512": {"avx512f", "avx512dq", "avx512vl", "avx512bw", "fma"}, "AVX2": {"avx2", "fma"}}
    return needed.get(width, set()) <= set(known)


@pytest.mark.parametrize("size", [60, 300])
@pytest.mark.parametrize("width", list(WIDTHS))
def test_results_do_not_depend_on_the_width_of_vectors(ways, monkeypatch, width, size):
    if not supported(width):
        pytest.skip(f"this processor has no {width}")
    monkeypatch.setattr("rall.plugins.cable.geometry._BLOCK", size)
    expected = ways(make, "numpy")
    prefs.codegen.extra_compile_args = list(WIDTHS[width])
    found = ways(make, "epochs")
    assert ways.plans[0] is not None and len(found["i"]) > 50
    for name, value in expected.items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-10 * scale, err_msg=name)
    np.testing.assert_array_equal(found["i"], expected["i"])


def cross_compiler():
    """The command of a compiler for 64-bit ARM; None where there is none."""
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu"]
    if shutil.which("aarch64-linux-gnu-gcc"):
        return ["aarch64-linux-gnu-gcc"]
    return ["clang", "--target=aarch64-linux-gnu"] if shutil.which("clang") else None


def texts_of(monkeypatch, ways):
    """Every text that a run of the population compiles, in the order in which it does."""
    found = []
    for module in (device_c, foreign):
        original = module.load

        def note(text, *rest, original=original):
            found.append(text)
            return original(text, *rest)

        monkeypatch.setattr(module, "load", note)
    ways(make, "epochs")
    return list(dict.fromkeys(found))


def test_texts_compile_for_64_bit_arm(ways, monkeypatch, tmp_path):
    command = cross_compiler()
    if command is None:
        pytest.skip("no compiler for 64-bit ARM (pip install ziglang brings one)")
    for name, text in headers().items():
        (tmp_path / name).write_text(text)
    kernels = [text for text in texts_of(monkeypatch, ways) if printer.ENTRY in text]
    assert any("stretch" in text for text in kernels)
    sources = []
    for k, text in enumerate(kernels):
        (tmp_path / f"kernel{k}.c").write_text(text)
        sources.append(f"kernel{k}.c")
    for steps in ("RALL_EULER", "RALL_SDIRK3", "RALL_SDIRK3_GROWING"):
        (tmp_path / f"{steps}.c").write_text(f'#define RALL_TREE_STEPS {steps}\n#include "rall_tree.c"\n')
        sources.append(f"{steps}.c")
    for source in ("rall_runtime.c", *sources):
        flags = ["-O2", "-std=gnu99", "-fopenmp-simd", "-fPIC", "-w", "-c", "-o", "made.o"]
        done = subprocess.run([*command, *flags, source], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{source}: {done.stderr}"
        assert (tmp_path / "made.o").read_bytes()[18] == 183, "not for 64-bit ARM"
