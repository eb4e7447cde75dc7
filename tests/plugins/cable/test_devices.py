"""The C device, the NumPy device and the NumPy device without the compiled engine agree on every model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rall.devices.compiler import find_compiler

HERE = Path(__file__).resolve().parent

#: Models that are not chaotic, by name; `models.py` makes them.
NAMES = (
    "squid", "passive", "regions", "three_regions", "cross_regions", "curved", "sine", "clamp", "backward_euler",
    "rk4", "exponential_euler", "per_compartment", "one", "two", "taper", "types", "reset", "refractory", "quotients",
    "branches", "long", "noise", "nonlinear_gate", "point_conductance",
)  # fmt: skip


def run(names, **environment):
    """Final states of models in a process of their own, as arrays."""
    command = [sys.executable, str(HERE / "models.py"), *names]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {k: {n: np.array(v) for n, v in d.items()} for k, d in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def reference():
    return run(NAMES, RALL_TEST_TARGET="numpy")


def differences(one, other):
    """Largest difference of each variable over its span in the reference."""
    assert one.keys() == other.keys()
    return {name: float(np.abs(values - other[name]).max() / np.ptp(values)) for name, values in one.items()}


def test_models_do_something(reference):
    assert set(reference) == set(NAMES)
    for name, values in reference.items():
        assert np.ptp(values["v"]) > 1e-3, name
        assert all(np.isfinite(v).all() and np.ptp(v) > 0 for v in values.values()), name


def test_c_agrees_with_numpy(reference):
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    compiled = run(NAMES, RALL_TEST_TARGET="c")
    for name in NAMES:
        assert max(differences(reference[name], compiled[name]).values()) < 1e-9, name


def test_numpy_without_the_engine_agrees_with_numpy(reference):
    names = [n for n in NAMES if n != "long"]
    plain = run(names, RALL_TEST_TARGET="numpy", RALL_NO_ENGINE="1")
    for name in names:
        assert max(differences(reference[name], plain[name]).values()) < 1e-9, name
