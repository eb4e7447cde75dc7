"""Tables, drawings in text, projections."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import MorphologyError
from rall.morphology import Cylinder, Morphology, Soma
from rall.units import um


@pytest.fixture
def cell(base, swc):
    return Morphology.from_file(swc(base))


def test_info_adds_up(cell):
    table, tree = cell.info(), cell.flatten()
    assert table.columns[:3] == ("region", "sections", "compartments")
    rows = {row[0]: row[1:] for row in table.rows}
    assert set(rows) == {"soma", "axon", "basal = dend", "apical = apic", "all"}
    assert rows["all"] == (5, 7, tree.total_length(), tree.area.sum(), tree.volume.sum())
    assert rows["soma"][:3] == (1, 1, 0.0)
    for column in range(5):
        total = sum(row[column] for name, row in rows.items() if name != "all")
        assert np.isclose(total, rows["all"][column])
    text = str(table)
    assert "cell.swc" in text and len({len(line) for line in text.splitlines()[:6]}) == 1


def test_info_lists_what_was_noticed(base, swc):
    with pytest.warns(UserWarning):
        m = Morphology.from_file(swc(base + "10 3 70 12 0 1e-4 6\n"))
    assert "TinyRadius" in str(m.info())


def test_morphometrics_come_from_neurom(cell):
    pytest.importorskip("neurom")
    text = str(cell.info(morphometrics=True))
    assert "number of neurites: 2" in text and "number of leaves: 3" in text


def test_topology_has_a_line_for_each_section(cell):
    lines = str(cell.topology()).splitlines()
    assert len(lines) == cell.total_sections
    assert lines[0].startswith("( )") and lines[0].endswith("[root]")
    assert any(line.endswith(".dend.apic") for line in lines)


def test_plot_draws_every_cone_and_the_soma(cell):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = cell.plot(plane="xy")
    assert len(axes.patches) == 1 and axes.patches[0].radius == 5
    assert len(axes.collections[0].get_paths()) == 6
    assert axes.get_xlabel() == "x (um)" and axes.get_xlim()[1] >= 62
    # Seen along x only the two cones that also run along y are left.
    side = cell.plot(plane="yz", color="black")
    assert len(side.collections[0].get_paths()) == 4
    with pytest.raises(MorphologyError, match="two of x, y and z"):
        cell.plot(plane="xw")


def test_plot_needs_coordinates():
    m = Soma(diameter=10 * um)
    m.dend = Cylinder(diameter=1 * um, length=10 * um)
    with pytest.raises(MorphologyError, match="generate_coordinates"):
        m.plot()
