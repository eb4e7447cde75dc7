from __future__ import annotations

import numpy as np
import pytest

from rall.plugins.viewer import Scene, view


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Advice is given once a process: each test starts as a new process would, with no viewer forced."""
    monkeypatch.setattr(view, "_notices", view._Notices())
    monkeypatch.delenv("RALL_VIEWER", raising=False)


@pytest.fixture
def y_scene() -> Scene:
    """A soma, a thick trunk of 100 um upwards and two thin branches; a depolarisation moves up in 10 ms."""
    trunk = np.column_stack([np.zeros(11), np.linspace(0, 100, 11), np.zeros(11)])
    slope = np.linspace(0, 60, 7)
    left = np.column_stack([-slope, 100 + slope, np.zeros(7)])
    right = np.column_stack([slope, 100 + slope, 0.1 * slope])
    points = np.concatenate([trunk, left, right])
    times = np.linspace(0, 10, 101)
    waves = -70 + 90 * np.exp(-(((points[None, :, 1] - 16 * times[:, None]) / 30) ** 2))
    return Scene(
        points=points,
        diameters=np.concatenate([np.full(11, 8.0), np.full(14, 1.0)]),
        offsets=np.array([0, 11, 18, 25]),
        owner=np.arange(25),
        values=waves,
        times=times,
        centres=np.zeros((1, 3)),
        radii=np.array([12.0]),
        sphere_owner=np.array([0]),
        label="v",
        unit="mV",
    )
