"""`connect(..., where=...)`: pairs of an element and a cell, with compartments drawn from a region."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import EquationError, IndexOutOfRangeError, RallError
from rall.groups import Sites
from rall.morphology import Cylinder, Soma
from rall.plugins.cable import SpatialNeuron
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import seed, start_scope
from rall.units import um

LEAK = "Im = 1*siemens/meter**2*(-65*mV - v) : amp/meter**2"


class Cells(NeuronGroup):
    """Two cells of four elements and one of two, as a group of cells shows itself to synapses."""

    def sites(self, where):
        """Elements that an index means; the weight of each is one more than its place in the cell."""
        found = self.indices_of(where)
        cells = np.repeat([0, 1, 2], [4, 4, 2])
        return Sites(found, cells[found], np.array([1.0, 2, 3, 4, 1, 2, 3, 4, 1, 2])[found], 3)


@pytest.fixture
def cells():
    made = Cells(10, "x : 1")
    made.x = "i"
    return made


@pytest.fixture
def source():
    return NeuronGroup(1000, "y : 1", threshold="y > 1", reset="y = 0")


@pytest.fixture
def cell():
    shape = Soma(diameter=20 * um)
    shape.dend = Cylinder(diameter=2 * um, length=200 * um, n=10)
    return SpatialNeuron(morphology=shape, model=LEAK)


def test_in_proportion_to_weight(source, cells):
    synapses = Synapses(source, cells)
    synapses.connect(where="x != 3")
    assert len(synapses) == 3000
    i, j = synapses.i[:], synapses.j[:]
    assert i.tolist() == np.repeat(np.arange(1000), 3).tolist()
    assert np.searchsorted([4, 8], j, side="right").tolist() == 1000 * [0, 1, 2]
    counts = np.bincount(j, minlength=10)
    expected = 1000 * np.array([1 / 6, 2 / 6, 3 / 6, 0, 0.1, 0.2, 0.3, 0.4, 1 / 3, 2 / 3])
    assert abs(counts - expected).max() < 4 * np.sqrt(1000 / 4) and counts[3] == 0


def test_with_membrane_area(source, cell):
    """The soma gets more of the synapses than any compartment of the dendrite, in proportion to its membrane."""
    synapses = Synapses(source, cell)
    synapses.connect(n=4, where="distance < 100*um")
    area = np.asarray(cell.area / um**2)[:6]
    counts = np.bincount(synapses.j[:], minlength=11)
    assert area[0] > 5 * area[1] and counts.sum() == 4000 and not counts[6:].any()
    expected = 4000 * area / area.sum()
    assert abs(counts[:6] - expected).max() < 4 * np.sqrt(expected.max())


def test_other_arguments_choose_pairs_of_an_element_and_a_cell(source, cells):
    def of(**how):
        seed(2)
        made = Synapses(source, cells, name="made*")
        made.connect(where=slice(None), **how)
        return made.i[:], np.searchsorted([4, 8], made.j[:], side="right")

    i, cell = of(condition="j < 2 and i < 3 and N_post == 3")
    assert i.tolist() == [0, 0, 1, 1, 2, 2] and cell.tolist() == 3 * [0, 1]
    i, cell = of(i=[5, 6, 6], j=[2, 0, 0], n=2)
    assert i.tolist() == [5, 5, 6, 6, 6, 6] and cell.tolist() == [2, 2, 0, 0, 0, 0]
    i, cell = of(j="(i + k) % N_post for k in range(2) if i < 4", n="1 + int(j == 0)")
    assert list(zip(i, cell)) == [
        (0, 0), (0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0), (2, 0), (3, 0), (3, 0), (3, 1)
    ]  # fmt: skip
    i, cell = of(i="k for k in sample(N_pre, size=5)")
    assert np.bincount(cell).tolist() == [5, 5, 5]
    i, cell = of(p=0.1)
    assert abs(len(i) - 300) < 70 and len({*zip(i, cell)}) == len(i)


def test_the_same_for_the_same_seed_whatever_else_there_is(source, cells):
    def made(others):
        start_scope()
        seed(8)
        for _ in range(others):
            Synapses(source, source, name="other*").connect(p=0.1)
        synapses = Synapses(source, cells, name="these*")
        synapses.connect(p=0.5, where="x > 1")
        first = len(synapses)
        synapses.connect(i=np.arange(1000), j=0, where="x > 1")
        return synapses.i[:].tolist(), synapses.j[:].tolist(), first

    i, j, first = made(0)
    assert (i, j, first) == made(2)
    # A second call draws anew, and the pairs do not depend on the region.
    assert len({*j[first:]}) == 2
    synapses = Synapses(source, cells, name="these*")
    seed(8)
    synapses.connect(p=0.5, where="x > 2")
    assert synapses.i[:].tolist() == i[:first]


def test_cells_without_a_compartment_there(source, cells):
    synapses = Synapses(source, cells)
    with pytest.raises(RallError, match=r"where='x < 8' holds no compartment of cell 2 of .*skip_if_invalid"):
        synapses.connect(where="x < 8")
    synapses.connect(where="x < 8", condition="j < 2")
    assert len(synapses) == 2000
    synapses.connect(where="x < 4", skip_if_invalid=True)
    synapses.connect(where="x < 4", skip_if_invalid=True, i=0, j=[0, 1, 2])
    assert len(synapses) == 3001


def test_parts_of_a_group_of_cells(source, cells):
    """Their cells, and their elements, are counted from 0."""
    synapses = Synapses(source, cells[5:10])
    synapses.connect("i < 500", where="x < 7 or x == 9")
    assert {*synapses.j[:][::2]} == {0, 1} and {*synapses.j[:][1::2]} == {4}
    assert synapses.x_post[:].tolist() == (synapses.j[:] + 5).tolist()


def test_regions_as_places_and_parts(source, cell):
    synapses = Synapses(source, cell)
    shape = cell.morphology
    for where in (shape.dend[110 * um], shape.dend, cell.dend, cell["distance > 150*um"], [10], "dend"):
        synapses.connect("i < 40", where=where)
    found = [sorted({*part}) for part in np.split(synapses.j[:], 6)]
    dendrite = set(range(1, 11))
    assert found[0] == [6] and set(found[3]) <= {8, 9, 10} and found[4] == [10]
    assert all(set(found[k]) <= dendrite and len(found[k]) > 5 for k in (1, 2, 5))


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"condition": "v_post > v_pre", "where": "dend"}, EquationError, "'v_post' has a value for each of its"),
        ({"p": "0.1*int(v < 0*mV)", "where": "dend"}, EquationError, "belong into where"),
        ({"where": "distance"}, EquationError, "must be a condition"),
        ({"where": "distnce > 1*um"}, EquationError, "distance"),
        ({"where": "distance > 1*meter"}, RallError, "no compartment of cell 0"),
        ({"where": "dend", "i": 0, "j": 3}, IndexOutOfRangeError, "j has the number 3"),
    ],
)
def test_mistakes(how, error, words, cell):
    synapses = Synapses(cell, cell)
    with pytest.raises(error, match=words):
        synapses.connect(**how)


def test_a_place_is_no_cell(source, cell):
    synapses = Synapses(source, cell)
    with pytest.raises(RallError, match="number of a cell, or text"):
        synapses.connect(i=0, j=cell.dend, where="dend")
    with pytest.raises(RallError, match="chooses compartments of cells"):
        Synapses(cell, source).connect(where="dend")
