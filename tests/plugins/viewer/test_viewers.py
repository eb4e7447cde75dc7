"""The pictures of both viewers, looked at as pixels."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray

from rall.errors import NotSupportedError
from rall.plugins.viewer import AbstractViewer, Drawing, Scene
from rall.plugins.viewer.drawing import arrange
from rall.plugins.viewer.matplotlib import MatplotlibViewer
from rall.plugins.viewer.vtk import VtkViewer

WIDTH, HEIGHT = 400, 300
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module", params=[VtkViewer, MatplotlibViewer])
def viewer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AbstractViewer:
    made: AbstractViewer = request.param()
    return made


def painted(viewer: AbstractViewer, drawing: Drawing, target: Path) -> Pixels:
    try:
        viewer.paint(drawing, target)
    except NotSupportedError as error:
        pytest.skip(str(error))
    return np.round(255 * imread(target)[..., :3]).astype(np.uint8)


def coloured(pixels: Pixels) -> NDArray[np.bool_]:
    """Where colours, not greys, white or black, are."""
    return np.ptp(pixels.astype(int), axis=-1) > 40


def test_a_picture_shows_the_wave(viewer: AbstractViewer, y_scene: Scene, tmp_path: Path) -> None:
    early, late = (
        painted(viewer, arrange(y_scene, t, (WIDTH, HEIGHT)), tmp_path / f"{t}.png") for t in (1.0, 8.0)
    )
    assert early.shape == late.shape == (HEIGHT, WIDTH, 3)
    assert (early[:2] == 255).all() and (early[:, :2] == 255).all()  # white paper around it
    middle = (slice(None), slice(0, int(0.75 * WIDTH)))
    assert len(np.unique(early[middle].reshape(-1, 3), axis=0)) > 50
    assert 0.01 < coloured(early[middle]).mean() < 0.4
    assert (early[middle] != late[middle]).any(axis=-1).mean() > 0.01
    # The soma is at the bottom: bright when the wave starts, dark when it has left.
    soma = (slice(int(0.8 * HEIGHT), None), slice(0, int(0.75 * WIDTH)))
    red = [picture[soma][coloured(picture[soma])][:, 0].mean() for picture in (early, late)]
    assert red[0] > 1.5 * red[1]


def test_unknown_values_are_grey(viewer: AbstractViewer, y_scene: Scene, tmp_path: Path) -> None:
    nothing = replace(y_scene, values=np.full(25, np.nan), times=None)
    pixels = painted(viewer, arrange(nothing, None, (WIDTH, HEIGHT)), tmp_path / "grey.png")
    tree = pixels[:, : int(0.75 * WIDTH)]
    assert not coloured(tree).any()
    assert (tree < 230).any(axis=-1).mean() > 0.01


def test_both_put_the_tree_in_the_same_place(y_scene: Scene, tmp_path: Path) -> None:
    drawing = arrange(y_scene, 5.0, (WIDTH, HEIGHT))
    masks = [
        coloured(painted(viewer, drawing, tmp_path / "one.png"))[:, : int(0.75 * WIDTH)]
        for viewer in (VtkViewer(), MatplotlibViewer())
    ]
    assert (masks[0] & masks[1]).sum() > 0.8 * (masks[0] | masks[1]).sum()


def test_thin_branches_stay_visible(viewer: AbstractViewer, y_scene: Scene, tmp_path: Path) -> None:
    thin = replace(y_scene, diameters=np.where(y_scene.diameters > 2, 8.0, 0.01))
    drawing = arrange(thin, 0.0, (WIDTH, HEIGHT))
    pixels = painted(viewer, drawing, tmp_path / "thin.png")
    x, y, _ = drawing.points[14]  # in the middle of the left branch
    around = pixels[HEIGHT - int(y) - 3 : HEIGHT - int(y) + 3, int(x) - 3 : int(x) + 3]
    assert around.min() < 160


def test_a_drawing_survives_the_way_to_the_child(y_scene: Scene, tmp_path: Path) -> None:
    drawing = arrange(y_scene, 5.0, (WIDTH, HEIGHT))
    drawing.save(tmp_path / "drawing.npz")
    again = Drawing.load(tmp_path / "drawing.npz")
    assert again.size == drawing.size and again.texts == drawing.texts
    for name in ("points", "radii", "offsets", "colours", "centres", "boxes", "box_colours"):
        np.testing.assert_array_equal(getattr(again, name), getattr(drawing, name))


def test_repeated_points_and_single_points_do_no_harm(
    viewer: AbstractViewer, y_scene: Scene, tmp_path: Path
) -> None:
    points = np.repeat(y_scene.points, 2, axis=0)
    odd = replace(
        y_scene,
        points=np.concatenate([points, points[-1:]]),
        diameters=np.append(np.repeat(y_scene.diameters, 2), 1.0),
        owner=np.append(np.repeat(y_scene.owner, 2), 0),
        offsets=np.append(2 * y_scene.offsets, 2 * y_scene.offsets[-1] + 1),
    )
    size = (WIDTH, HEIGHT)
    plain = coloured(painted(viewer, arrange(y_scene, 5.0, size), tmp_path / "plain.png"))
    doubled = coloured(painted(viewer, arrange(odd, 5.0, size), tmp_path / "doubled.png"))
    assert (plain != doubled).mean() < 0.005


def test_importing_the_viewer_loads_no_plotting_library() -> None:
    program = (
        "import sys, rall.plugins.viewer\n"
        "heavy = {'matplotlib', 'vtk', 'vtkmodules', 'scipy', 'sympy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
