"""Where compartments are: ends, diameters, positions and rotations of cells."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.errors import DimensionMismatchError, MorphologyError, RallError
from rall.plugins.cable.cell_geometry import located
from rall.units import metre, mV, um

QUARTER = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # x becomes y


def test_ends_and_diameters_are_those_of_the_compartments(tree, cell_of):
    cell = cell_of(tree, channels.leak())
    found = cell.geometry()
    flat = tree.flatten()
    assert found.x.dim is metre.dim and found.x.shape == found.y.shape == found.z.shape == (cell.N, 2)
    cable = ~found.sphere
    assert found.start[cable] / um == pytest.approx(flat.xyz[cable, 0], abs=1e-12)
    assert found.end[cable] / um == pytest.approx(flat.xyz[cable, 2], abs=1e-12)
    assert found.y[cable] / um == pytest.approx(flat.xyz[cable][:, [0, 2], 1], abs=1e-12)
    assert found.d / um == pytest.approx(np.asarray(cell.diameter / um))
    assert (found.cell_index == 0).all() and len(found) == cell.N
    # The dendrite along x is straight: lengths and areas come out.
    first = cell.indices_of(tree.dend)[:1]
    assert np.linalg.norm((found.end - found.start)[first] / um) == pytest.approx(cell.length[first] / um)


def test_a_sphere_is_a_piece_of_cable_of_its_area(tree, cell_of):
    found = cell_of(tree, channels.leak()).geometry()
    assert np.flatnonzero(found.sphere).tolist() == [0]
    middle = 0.5 * (found.start + found.end)[0] / um
    assert middle == pytest.approx([0, 0, 0], abs=1e-12)
    long = float(np.linalg.norm((found.end - found.start)[0] / um))
    assert long == pytest.approx(10) == found.d[0] / um


def test_plain_arrays_in_micrometres(tree, cell_of):
    found = cell_of(tree, channels.leak()).geometry()
    plain = found.in_um()
    assert sorted(plain) == ["d", "x", "y", "z"]
    assert all(type(array) is np.ndarray for array in plain.values())
    assert plain["x"] == pytest.approx(np.asarray(found.x) * 1e6) and plain["x"].max() > 100


def test_lfpykit_takes_it(tree, cell_of):
    lfpykit = pytest.importorskip("lfpykit")
    cell = cell_of(tree, channels.leak())
    theirs = lfpykit.CellGeometry(**cell.geometry().in_um())
    assert theirs.totnsegs == cell.N
    straight = cell.indices_of("axon")
    assert theirs.area[straight] == pytest.approx(np.asarray(cell.area)[straight] * 1e12, rel=1e-3)


def test_positions_and_rotations(tree):
    flat = tree.flatten()
    alone = located([flat])
    placed = located([flat] * 3, [[0, 0, 0], [100, 0, 0], [0, 200, -50]] * um, [np.eye(3), QUARTER, QUARTER.T])
    n = flat.n
    assert len(placed) == 3 * n and placed.cell_index.tolist() == [0] * n + [1] * n + [2] * n
    start = alone.start / um
    assert placed.start[:n] / um == pytest.approx(start, abs=1e-9)
    x, y, z = start.T
    assert placed.start[n : 2 * n] / um == pytest.approx(np.column_stack([100 - y, x, z]), abs=1e-9)
    assert placed.start[2 * n :] / um == pytest.approx(np.column_stack([y, 200 - x, z - 50]), abs=1e-9)
    assert placed.d / um == pytest.approx(np.tile(alone.d / um, 3))


def test_cells_turn_about_where_they_begin_and_that_is_put_at_the_position(stick):
    made = stick.generate_coordinates()
    flat = made.flatten()
    begin = flat.xyz[0, 0]
    moved = located([flat], [7, 8, 9] * um, QUARTER)
    centre = 0.5 * (moved.start + moved.end)[0] / um
    assert centre == pytest.approx([7, 8, 9])
    seen = flat.xyz[5, 2] - begin
    assert moved.end[5] / um == pytest.approx([7 - seen[1], 8 + seen[0], 9 + seen[2]])
    turned = located([flat], rotations=QUARTER)
    assert turned.end[5] / um == pytest.approx([begin[0] - seen[1], begin[1] + seen[0], begin[2] + seen[2]])


def test_trees_of_different_cells(tree, stick):
    other = stick.generate_coordinates().flatten()
    both = located([tree.flatten(), other])
    assert np.bincount(both.cell_index).tolist() == [tree.flatten().n, other.n]
    assert both.end[-1] / um == pytest.approx(other.xyz[-1, 2])


def test_a_morphology_without_coordinates_is_nowhere(stick, cell_of):
    with pytest.raises(MorphologyError, match=r"without coordinates.*generate_coordinates"):
        cell_of(stick, channels.leak()).geometry()


@pytest.mark.parametrize(
    ("positions", "rotations", "error", "text"),
    [
        ([1, 2, 3], None, DimensionMismatchError, r"positions .*\*um, not \[1, 2, 3\]"),
        ([1, 2, 3] * mV, None, DimensionMismatchError, "positions"),
        ([1, 2] * um, None, RallError, "three coordinates"),
        ([[1, 2, 3]] * 3 * um, None, RallError, r"shape \(2, 3\) or \(3,\), not \(3, 3\)"),
        ([np.nan, 2, 3] * um, None, RallError, "not finite"),
        (None, np.eye(2), RallError, r"\(2, 3, 3\)"),
        (None, np.diag([1, 1, -1]), RallError, "determinant"),
        (None, 2 * np.eye(3), RallError, "determinant"),
    ],
)
def test_wrong_places(tree, positions, rotations, error, text):
    with pytest.raises(error, match=text):
        located([tree.flatten()] * 2, positions, rotations)
