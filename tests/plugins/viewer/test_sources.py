from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, PluginError, RallError, RallWarning
from rall.morphology import Cylinder, Morphology, Section, Soma
from rall.plugins.cable import SpatialNeuronGroup
from rall.plugins.viewer import Scene, View, view3d
from rall.plugins.viewer.camera import look_at
from rall.plugins.viewer.matplotlib import MatplotlibViewer
from rall.plugins.viewer.sources import scene_of
from rall.plugins.viewer.vtk import VtkViewer
from rall.units import ms, mV, nS, um


@pytest.fixture
def morpho() -> Morphology:
    """A spherical soma, an apical trunk of 5 compartments that bends once, and a thin axon downwards."""
    made = Soma(diameter=20 * um, x=0 * um, y=0 * um, z=0 * um)
    made.apical = Section(
        n=5,
        diameter=[4, 4, 4, 3, 2, 2] * um,
        x=[0, 0, 0, 0, 20, 40] * um,
        y=[15, 25, 35, 45, 45, 45] * um,
        z=np.zeros(6) * um,
        type="apical",
    )
    made.axon = Cylinder(n=2, diameter=1 * um, x=[0, 0] * um, y=[-10, -90] * um, z=[0, 0] * um, type="axon")
    return made


def monitor(record: list[int], **variables: object) -> SimpleNamespace:
    return SimpleNamespace(
        t=np.array([0.0, 1.0]) * ms, record=np.array(record), record_variables=list(variables), **variables
    )


def scene(morpho: Morphology, data: object = None, **choices: object) -> Scene:
    return view3d(morpho, data, viewer="matplotlib", **choices).scene  # type: ignore[arg-type]


def test_a_spherical_soma_and_its_dendrites(morpho: Morphology) -> None:
    seen = scene(morpho)
    np.testing.assert_allclose(seen.centres, [[0, 0, 0]])
    np.testing.assert_allclose(seen.radii, [10])
    trunk = slice(*seen.offsets[:2])
    np.testing.assert_allclose(seen.points[trunk][0], [0, 0, 0])  # drawn from inside the soma on
    np.testing.assert_allclose(seen.points[trunk][1], [0, 15, 0])
    np.testing.assert_allclose(seen.points[trunk][-1], [40, 45, 0])
    assert seen.diameters[trunk][0] == 4 and seen.diameters[trunk][-1] == 2


def test_each_compartment_has_a_point(morpho: Morphology) -> None:
    seen = scene(morpho)
    assert set(seen.owner) | set(seen.sphere_owner) == set(range(8))
    for start, stop in zip(seen.offsets[:-1], seen.offsets[1:], strict=True):
        assert (np.diff(seen.owner[start:stop]) >= 0).all()


def test_regions_have_names(morpho: Morphology) -> None:
    seen = scene(morpho)
    assert seen.times is None
    assert [seen.names[int(k)] for k in seen.values] == ["soma"] + 5 * ["apical"] + 2 * ["axon"]


def test_apical_is_up(morpho: Morphology) -> None:
    upward = scene(morpho).upward
    assert upward is not None and upward[1] > 0


def test_a_recording_of_all_compartments(morpho: Morphology) -> None:
    rows = np.arange(16.0).reshape(8, 2)
    seen = scene(SimpleNamespace(morphology=morpho), monitor(list(range(8)), v=rows * mV))
    assert (seen.label, seen.unit) == ("v", "mV")
    np.testing.assert_allclose(seen.values, rows.T)
    np.testing.assert_allclose(seen.times, [0, 1])


def test_what_was_not_recorded_is_unknown_and_said(morpho: Morphology) -> None:
    some = monitor([0, 6], v=np.zeros((2, 2)) * mV)
    with pytest.warns(RallWarning, match="6 of 8 compartments were not recorded") as caught:
        seen = scene(morpho, some)
        scene(morpho, some)
    assert len(caught) == 1
    assert np.isnan(seen.values).sum(axis=1).tolist() == [6, 6]
    assert np.isfinite(seen.values[:, [0, 6]]).all()


def test_the_values_now_by_name(morpho: Morphology) -> None:
    cell = SimpleNamespace(morphology=morpho, v=np.arange(8.0) * mV, g=3 * nS)
    now = scene(cell, "v")
    np.testing.assert_allclose(now.values, np.arange(8.0))
    assert now.times is None and (now.label, now.unit) == ("v", "mV")
    shared = scene(cell, "g")
    np.testing.assert_allclose(shared.values, np.full(8, 3.0))
    assert shared.unit == "nS"
    with pytest.raises(RallError, match="no variable"):
        scene(cell, "w")


def test_limits_have_the_unit_of_the_values(morpho: Morphology) -> None:
    cell = SimpleNamespace(morphology=morpho, v=np.arange(8.0) * mV)
    assert scene(cell, "v", limits=(-90 * mV, 0.05 * mV * 1000)).limits == pytest.approx((-90, 50))
    with pytest.raises(DimensionMismatchError):
        scene(cell, "v", limits=(-90, 50))
    with pytest.raises(RallError, match="lower end"):
        scene(cell, "v", limits=(50 * mV, -90 * mV))


def test_mistakes_are_told(morpho: Morphology) -> None:
    with pytest.raises(RallError, match="another cell"):
        scene(morpho, monitor([11], v=np.zeros((1, 2)) * mV))
    with pytest.raises(RallError, match="a Morphology is expected"):
        view3d(42)
    with pytest.raises(RallError, match="above 0"):
        scene(morpho, scale=0)
    with pytest.raises(PluginError, match=r"'vtl'.*vtk, matplotlib"):
        view3d(morpho, viewer="vtl")


def test_the_environment_chooses_the_viewer(morpho: Morphology, monkeypatch: pytest.MonkeyPatch) -> None:
    def kinds(view: View) -> list[type]:
        return [type(viewer) for viewer in view._viewers]

    assert kinds(view3d(morpho)) == [VtkViewer, MatplotlibViewer]
    monkeypatch.setenv("RALL_VIEWER", "matplotlib")
    assert kinds(view3d(morpho)) == [MatplotlibViewer]
    assert kinds(view3d(morpho, viewer="vtk")) == [VtkViewer]
    monkeypatch.setenv("RALL_VIEWER", "vtk")
    assert kinds(view3d(morpho)) == [VtkViewer]


def test_missing_coordinates_become_a_fan_true_to_length() -> None:
    tree = Soma(diameter=20 * um)
    tree.L = Cylinder(n=3, diameter=2 * um, length=100 * um)
    tree.R = Cylinder(n=3, diameter=2 * um, length=50 * um)
    tree.R.L = Cylinder(n=2, diameter=1 * um, length=30 * um)
    tree.R.R = Cylinder(n=2, diameter=1 * um, length=30 * um)
    with pytest.warns(RallWarning, match="lacks coordinates"):
        seen = scene(tree)
    borders = zip(seen.offsets[:-1], seen.offsets[1:], strict=True)
    ends = [(seen.points[start], seen.points[stop - 1]) for start, stop in borders]
    lengths = [np.linalg.norm(end - start) for start, end in ends]
    np.testing.assert_allclose(lengths, [110, 60, 30, 30])  # those at the soma from its centre on
    np.testing.assert_allclose(ends[2][0], ends[1][1])
    np.testing.assert_allclose(ends[3][0], ends[1][1])
    tips = np.array([ends[0][1], ends[2][1], ends[3][1]])
    assert min(np.linalg.norm(tips[a] - tips[b]) for a, b in [(0, 1), (0, 2), (1, 2)]) > 15


def test_a_cable_without_coordinates_stands() -> None:
    source = scene_of(Cylinder(n=10, diameter=2 * um, length=100 * um))
    assert source.made_up
    np.testing.assert_allclose(source.scene.points[[0, -1]], [[0, 0, 0], [0, 100, 0]], atol=1e-9)


def test_several_cells_stand_side_by_side(morpho: Morphology) -> None:
    other = Soma(diameter=30 * um, x=500 * um, y=0 * um, z=0 * um)
    other.dend = Cylinder(n=3, diameter=2 * um, x=[515, 600] * um, y=[0, 0] * um, z=[0, 0] * um)
    values = np.arange(20.0) * mV
    cells = SimpleNamespace(morphology=[morpho, other, morpho], n_cells=3, v=values)
    seen = scene_of(cells, "v").scene
    one, two = scene(morpho), scene(other)
    assert len(seen.points) == 2 * len(one.points) + len(two.points) == seen.offsets[-1] == len(seen.owner)
    assert len(seen.offsets) == 2 * (len(one.offsets) - 1) + len(two.offsets)
    assert sorted({*seen.owner, *seen.sphere_owner}) == list(range(20))
    assert seen.sphere_owner.tolist() == [0, 8, 12]
    np.testing.assert_allclose(seen.values, np.arange(20.0))
    # Each keeps its shape, turned as it would be alone, and none lies in the box of another.
    first, last = len(one.points), len(one.points) + len(two.points)
    turned = np.diff(two.points @ look_at(two).T, axis=0)
    np.testing.assert_allclose(np.diff(seen.points[first:last], axis=0), turned, atol=1e-9)
    boxes = [(part.min(axis=0), part.max(axis=0)) for part in np.split(seen.points, [first, last])]
    for a in range(3):
        for b in range(a):
            apart = (boxes[a][0][:2] > boxes[b][1][:2]) | (boxes[b][0][:2] > boxes[a][1][:2])
            assert apart.any(), (a, b)


def test_each_of_several_cells_stands_upright() -> None:
    def pointing(x: float, y: float) -> Morphology:
        made = Soma(diameter=20 * um, x=0 * um, y=0 * um, z=0 * um)
        ends = {axis: [0.1 * end, end] * um for axis, end in (("x", x), ("y", y), ("z", 0.0))}
        made.apical = Cylinder(diameter=2 * um, type="apical", **ends)
        return made

    right, down = pointing(200, 0), pointing(0, -300)
    seen = scene_of(SimpleNamespace(morphology=[right, down, right], n_cells=3)).scene
    assert seen.upward is None  # the rows stay level, whatever one cell is like
    for soma, start, stop, length in zip(
        seen.centres, seen.offsets[:-1], seen.offsets[1:], (200, 300, 200), strict=True
    ):
        np.testing.assert_allclose(seen.points[start:stop][-1] - soma, [0, length, 0], atol=1e-9)


def test_cells_of_one_morphology(morpho: Morphology) -> None:
    cells = SimpleNamespace(morphology=morpho, n_cells=5)
    seen = scene_of(cells).scene
    assert seen.values.shape == (40,) and len(seen.centres) == 5
    assert len(np.unique(np.round(seen.centres, 6), axis=0)) == 5


def test_a_recording_of_cells_colours_all_of_them_or_the_one_that_is_seen(morpho: Morphology) -> None:
    cells = SpatialNeuronGroup(3, morphology=morpho, model="Im = 0*amp/meter**2 : amp/meter**2")
    numbers = np.arange(cells.N)
    recording = monitor(numbers.tolist(), v=np.stack([numbers, numbers], axis=1) * mV)
    np.testing.assert_allclose(scene_of(cells, recording).scene.values[0], numbers)
    np.testing.assert_allclose(scene_of(cells[1], recording).scene.values[0], numbers[8:16])
    with pytest.raises(RallError, match="that of another cell"):
        scene_of(morpho, recording)
