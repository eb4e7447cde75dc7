"""Programs made by hand, without equations, for each device."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rall.model import Variable
from rall.plugins.cable import geometry
from rall.session import defaultclock, prefs

# For `populations`, `programs` and `random_trees`, which several files here use.
sys.path.insert(0, str(Path(__file__).parent))
from populations import Ways
from programs import Bench, make_device


@pytest.fixture(autouse=True)
def session_as_before():
    """Leaves preferences and the default clock as they were found."""
    kept = dict(prefs._set), defaultclock.dt_
    yield
    prefs._set.clear()
    prefs._set.update(kept[0])
    defaultclock.dt_ = kept[1]


@pytest.fixture(params=["c", "numpy"])
def device(request):
    """Each device in turn."""
    return make_device(request.param)


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes benches."""
    return Bench


@pytest.fixture
def agree():
    """Runs what a function builds on every device, and compares all variables with the NumPy device's."""

    def compare(build, steps=1, rtol=1e-12, **sizes):
        reference = Bench(**sizes)
        build(reference)
        reference.run(make_device("numpy"), steps)
        other = Bench(**sizes)
        build(other)
        other.run(make_device("c"), steps)
        for name, variable in reference.variables.items():
            if isinstance(variable, Variable):
                np.testing.assert_allclose(
                    other.variables[name].get(), variable.get(), rtol=rtol, atol=1e-300, err_msg=name
                )
        return reference, other

    return compare


@pytest.fixture
def make():
    """Makes a device by its name; skips the test where it is missing."""
    return make_device


@pytest.fixture
def ways(monkeypatch) -> Ways:
    """Runs networks of cells in different ways; small cells are in blocks of eight."""
    monkeypatch.setattr(geometry, "_BLOCK", 60)
    return Ways(monkeypatch)
