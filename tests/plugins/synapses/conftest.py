"""What the tests of synapses share: neurons that spike when they are told, a recorded run, reference values."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.simulation import Network


@pytest.fixture
def spiking():
    """Make neurons that spike in given steps: one list of steps for each."""

    def make(*steps, model="", **keywords):
        most = max(len(each) for each in steps)
        names = [f"step{k}" for k in range(most)]
        text = "\n".join([model, *(f"{name} : integer" for name in names)])
        condition = " or ".join(f"t_in_timesteps == {name}" for name in names)
        group = NeuronGroup(len(steps), text, threshold=condition, **keywords)
        for k, name in enumerate(names):
            setattr(group, name, np.array([each[k] if k < len(each) else -1 for each in steps]))
        return group

    return make


@pytest.fixture
def traces():
    """Run objects and give a variable of the first of them at the start of every step, one row for each element."""

    def run(group, name, duration, *others, dt=None):
        monitor = StateMonitor(group, name, record=True, dt=dt)
        Network(group, monitor, *others).run(duration)
        return getattr(monitor, f"{name}_")

    return run


@pytest.fixture
def reference():
    """Reference values of a file; tests that need them are skipped where they are absent."""
    beside = Path(__file__).resolve().parents[3].parent / "shared"

    def read(name):
        path = Path(os.environ.get("RALL_SHARED", beside)) / "reference" / "point" / name
        if not path.exists():
            pytest.skip("reference values are not here")
        return json.loads(path.read_text())

    return read
