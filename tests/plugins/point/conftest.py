"""What the tests of neurons share: a recorded run, the reference values that may lie beside the repository."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.simulation import Network
from rall.units import ms


@pytest.fixture
def traces():
    """Run a group with others and give what became of some of its variables, one row for each element."""

    def run(group, names, duration, *others):
        monitor = StateMonitor(group, names, record=True)
        Network(group, monitor, *others).run(duration)
        return [getattr(monitor, f"{name}_") for name in names]

    return run


@pytest.fixture
def spike_steps():
    """Run a group and give the steps at which each of its elements spikes."""

    def run(group, duration, *others):
        monitor = SpikeMonitor(group)
        Network(group, monitor, *others).run(duration)
        trains = monitor.spike_trains()
        return [[round(t / group.clock.dt) for t in (trains[k] / ms) * 1e-3] for k in range(len(group))]

    return run


@pytest.fixture
def reference():
    """Reference values for point neurons; tests that need them are skipped where they are absent."""
    beside = Path(__file__).resolve().parents[3].parent / "shared"
    path = Path(os.environ.get("RALL_SHARED", beside)) / "reference" / "point" / "point.json"
    if not path.exists():
        pytest.skip("reference values are not here")
    return json.loads(path.read_text())
