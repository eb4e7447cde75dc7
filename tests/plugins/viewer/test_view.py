from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from rall.errors import DimensionMismatchError, NotSupportedError, RallError, RallWarning
from rall.plugins.viewer import AbstractViewer, Drawing, Scene, View
from rall.plugins.viewer.matplotlib import MatplotlibViewer
from rall.plugins.viewer.vtk import VtkViewer
from rall.units import ms, mV

SMALL = (320, 240)


def killed(viewer: VtkViewer) -> list[str]:
    """A child that dies as VTK does where there is no OpenGL library."""
    return [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]


def broken(viewer: VtkViewer) -> list[str]:
    """A child that leaves half a picture and then gives up."""
    program = "import sys; open(sys.argv[2], 'wb').write(b'half'); sys.exit('RuntimeError: no context')"
    return [sys.executable, "-c", program]


@pytest.fixture
def either() -> tuple[AbstractViewer, ...]:
    return VtkViewer(), MatplotlibViewer()


@pytest.mark.parametrize("child", [killed, broken])
def test_a_dying_child_leads_to_a_simpler_picture_and_one_warning(
    y_scene: Scene,
    either: tuple[AbstractViewer, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    child: object,
) -> None:
    monkeypatch.setattr(VtkViewer, "command", child)
    view = View(y_scene, either)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = view.screenshot(tmp_path / "a.png", t=3 * ms, size=SMALL)
        view.screenshot(tmp_path / "b.png", t=6 * ms, size=SMALL)
        View(y_scene, either).screenshot(tmp_path / "c.png", size=SMALL)
    assert [warning.category for warning in caught] == [RallWarning]
    message = str(caught[0].message)
    assert "libegl1 libgl1 libgl1-mesa-dri" in message and "libosmesa6" in message
    assert caught[0].filename == __file__
    assert imread(first).shape[:2] == (240, 320)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png", "c.png"]


def test_a_killed_child_is_named_by_its_signal(
    y_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VtkViewer, "command", killed)
    target = tmp_path / "spike.png"
    with pytest.raises(NotSupportedError, match="signal 11"):
        View(y_scene, (VtkViewer(),)).screenshot(target, size=SMALL)
    assert list(tmp_path.iterdir()) == []


def test_an_older_picture_survives_a_failure(
    y_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VtkViewer, "command", broken)
    target = tmp_path / "spike.png"
    target.write_bytes(b"precious")
    with pytest.raises(NotSupportedError, match="no context"):
        View(y_scene, (VtkViewer(),)).screenshot(target, size=SMALL)
    assert target.read_bytes() == b"precious"


def test_each_kind_of_window_is_tried(
    y_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child succeeds with OSMesa alone, as on a machine that has only that."""
    program = (
        "import os, sys; os.environ['VTK_DEFAULT_OPENGL_WINDOW'] == 'vtkOSOpenGLRenderWindow' or os.abort(); "
        "open(sys.argv[2], 'wb').write(b'picture')"
    )
    monkeypatch.delenv("VTK_DEFAULT_OPENGL_WINDOW", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(VtkViewer, "command", lambda viewer: [sys.executable, "-c", program])
    made = View(y_scene, (VtkViewer(),)).screenshot(tmp_path / "spike.png", size=SMALL)
    assert made.read_bytes() == b"picture"


def test_without_vtk_the_message_names_the_extra(
    y_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vtkmodules", None)
    with pytest.raises(NotSupportedError, match=r"pip install 'rall\[view\]'"):
        View(y_scene, (VtkViewer(),)).screenshot(tmp_path / "spike.png", size=SMALL)


class Recorder(AbstractViewer):
    """Keeps what it should paint."""

    def __init__(self) -> None:
        self.drawings: list[Drawing] = []

    def paint(self, drawing: Drawing, filename: Path) -> None:
        self.drawings.append(drawing)


def test_the_nearest_moment_is_drawn_and_written(y_scene: Scene, tmp_path: Path) -> None:
    recorder = Recorder()
    view = View(y_scene, (recorder,))
    assert view.screenshot(str(tmp_path / "spike.png"), t=2.04 * ms, size=SMALL) == tmp_path / "spike.png"
    view.screenshot(tmp_path / "spike.png", size=SMALL)
    early, last = recorder.drawings
    assert "t = 2.0 ms" in [text.string for text in early.texts]
    assert "t = 10.0 ms" in [text.string for text in last.texts]
    assert not np.array_equal(early.colours, last.colours)
    np.testing.assert_array_equal(early.points, last.points)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": 30 * ms}, "the recording is 0 to 10 ms"),
        ({"t": -5 * ms}, "was not recorded"),
        ({"size": (3, 3)}, "64 to 16384 pixels"),
        ({"filename": "spike.jpg"}, "end in .png"),
        ({"filename": "nowhere/spike.png"}, "no folder"),
    ],
)
def test_mistakes_are_told(
    y_scene: Scene,
    tmp_path: Path,
    arguments: dict[str, object],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    recorder = Recorder()
    with pytest.raises(RallError, match=message):
        View(y_scene, (recorder,)).screenshot(**({"filename": "spike.png"} | arguments))  # type: ignore[arg-type]
    assert recorder.drawings == []


@pytest.mark.parametrize("wrong", [12, 12 * mV])
def test_a_moment_needs_a_unit_of_time(y_scene: Scene, tmp_path: Path, wrong: object) -> None:
    with pytest.raises(DimensionMismatchError, match="12\\*ms"):
        View(y_scene, (Recorder(),)).screenshot(tmp_path / "spike.png", t=wrong)


def test_a_view_without_a_recording_has_no_moments(y_scene: Scene, tmp_path: Path) -> None:
    still = View(replace(y_scene, values=y_scene.values[0], times=None), (Recorder(),))
    still.screenshot(tmp_path / "spike.png")
    with pytest.raises(RallError, match="leave t out"):
        still.screenshot(tmp_path / "spike.png", t=1 * ms)


def test_repr_says_what_is_shown(y_scene: Scene) -> None:
    assert repr(View(y_scene, ())) == "<View of 3 sections, v (mV), 101 moments to 10 ms>"
