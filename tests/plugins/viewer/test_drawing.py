from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rall.errors import RallError
from rall.plugins.viewer import Drawing, Scene
from rall.plugins.viewer.camera import look_at
from rall.plugins.viewer.colours import UNKNOWN, apply_table, colour_table, region_colours
from rall.plugins.viewer.drawing import Style, arrange, colour_limits, round_ticks


def strings(drawing: Drawing) -> list[str]:
    return [text.string for text in drawing.texts]


def test_everything_lies_on_the_page(y_scene: Scene) -> None:
    for size in ((1600, 1200), (200, 900), (900, 200)):
        drawing = arrange(y_scene, 1.0, size)
        x, y = drawing.points[:, 0], drawing.points[:, 1]
        assert (x > 0).all() and (x < size[0]).all() and (y > 0).all() and (y < size[1]).all()
        legend = min(text.x for text in drawing.texts)
        assert (x + drawing.radii).max() < legend and drawing.boxes[:, 0].min() >= legend
        assert drawing.boxes.min() > 0 and drawing.boxes[:, 2].max() < size[0]


def test_the_scale_bar_is_to_scale(y_scene: Scene) -> None:
    drawing = arrange(y_scene, 0.0, (1600, 1200))
    trunk = np.linalg.norm(drawing.points[10] - drawing.points[0])  # 100 um
    [label] = [string for string in strings(drawing) if string.endswith("m") and "=" not in string]
    x0, _, x1, _ = drawing.boxes[-1]
    assert float(label.split()[0]) == pytest.approx(100 * (x1 - x0) / trunk)
    assert drawing.radii[5] == pytest.approx(4 * trunk / 100)
    assert drawing.sphere_radii[0] == pytest.approx(12 * trunk / 100)


def test_scale_makes_branches_wider_but_not_the_soma(y_scene: Scene) -> None:
    plain, wide = (arrange(y_scene, 0.0, (800, 600), Style(k, colour_table())) for k in (1.0, 2.0))
    pixel = [np.linalg.norm(drawing.points[10] - drawing.points[0]) / 100 for drawing in (plain, wide)]
    assert wide.radii[5] / pixel[1] == pytest.approx(2 * plain.radii[5] / pixel[0])
    assert wide.sphere_radii[0] / pixel[1] == pytest.approx(plain.sphere_radii[0] / pixel[0])


def test_nothing_is_thinner_than_a_pixel_and_a_half(y_scene: Scene) -> None:
    thin = arrange(replace(y_scene, diameters=np.full(25, 1e-3)), 0.0, (800, 600))
    np.testing.assert_allclose(thin.radii, 0.75)


def test_labels_of_a_voltage(y_scene: Scene) -> None:
    said = strings(arrange(y_scene, 1.0, (800, 600)))
    assert "v (mV)" in said and "t = 1.0 ms" in said
    assert [s for s in said if s[-1] == "0" and s[0] in "\N{MINUS SIGN}0123456789"] == [
        "\N{MINUS SIGN}80", "\N{MINUS SIGN}60", "\N{MINUS SIGN}40", "\N{MINUS SIGN}20", "0", "20", "40",
    ]  # fmt: skip


def test_regions_get_names_instead_of_a_bar(y_scene: Scene) -> None:
    kinds = np.repeat([0.0, 1.0], [11, 14])
    drawing = arrange(replace(y_scene, values=kinds, times=None, names=("soma", "apical")), None, (800, 600))
    assert strings(drawing)[:2] == ["soma", "apical"]
    assert len(drawing.boxes) == 3  # two patches and the scale bar
    np.testing.assert_array_equal(drawing.colours[[0, 24]], region_colours(("soma", "apical")))


@pytest.mark.parametrize("turn", range(3))
def test_the_eye_faces_the_plane_of_the_tree(y_scene: Scene, turn: int) -> None:
    moved = replace(y_scene, points=np.roll(y_scene.points, turn, axis=1))
    rotation = look_at(moved)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    seen = moved.points @ rotation.T
    assert np.ptp(seen[:, 2]) < 0.15 * min(np.ptp(seen[:, 0]), np.ptp(seen[:, 1]))


def test_a_flat_tree_keeps_its_axes_unless_it_hangs_down(y_scene: Scene) -> None:
    flat = replace(y_scene, points=y_scene.points * [1, 1, 0])
    np.testing.assert_allclose(look_at(flat), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(look_at(replace(flat, upward=np.array([0.3, 1, 0]))), np.eye(3), atol=1e-12)
    hanging = replace(flat, points=flat.points * [1, -1, 1], upward=np.array([0.0, -100.0, 0.0]))
    np.testing.assert_allclose(look_at(hanging) @ [0, -1, 0], [0, 1, 0], atol=1e-12)


def test_limits_of_the_bar() -> None:
    assert colour_limits(np.array([-70.0, np.nan, 30.0]), "mV") == (-80, 40)
    assert colour_limits(np.array([-95.0, 55.0]), "mV") == (-100, 60)
    assert colour_limits(np.array([0.01, 0.97]), "") == (0, 1)
    low, high = colour_limits(np.array([3.0, 3.0]), "uM")
    assert low < 3 < high
    assert colour_limits(np.full(3, np.nan), "uM") == (0, 1)


@pytest.mark.parametrize("limits", [(-80.0, 40.0), (0.0, 1.0), (0.00013, 0.00027), (-3e6, 7e6)])
def test_ticks_are_round_and_few(limits: tuple[float, float]) -> None:
    ticks = round_ticks(limits)
    assert 3 <= len(ticks) <= 11
    assert ticks[0] >= limits[0] - 1e-9 * abs(limits[0]) and ticks[-1] <= limits[1] * (1 + 1e-9)
    leading = np.diff(ticks)[0] / 10.0 ** np.floor(np.log10(np.diff(ticks)[0]) + 1e-9)
    assert round(leading, 6) in (1, 2, 5)


def test_the_own_colours_grow_lighter_evenly() -> None:
    table = colour_table().astype(float)
    assert table.shape == (256, 3)
    assert np.abs(np.diff(table, axis=0)).max() <= 4  # no edges
    luminance = ((table / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]) ** (1 / 3)
    assert (np.diff(luminance[::8]) > 0).all()
    assert luminance[-1] < 0.9  # still to be seen on white


def test_values_become_colours() -> None:
    table = colour_table()
    colours = apply_table(np.array([-99.0, -80.0, 40.0, 99.0, np.nan]), table, (-80.0, 40.0))
    np.testing.assert_array_equal(colours, [table[0], table[0], table[-1], table[-1], UNKNOWN])


def test_a_map_of_matplotlib_by_name() -> None:
    np.testing.assert_array_equal(colour_table("viridis")[0], [68, 1, 84])
    with pytest.raises(RallError, match="'virids' is not known"):
        colour_table("virids")
