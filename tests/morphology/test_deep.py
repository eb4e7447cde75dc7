"""Trees deeper and larger than any recursion limit."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from rall.morphology import Cylinder, Morphology
from rall.units import um

NESTED = 5_000


def nested(depth):
    rows = ["1 1 0 0 0 5 -1", "2 3 6 0 0 1 1", "3 3 7 0 0 1 2"]
    last = 3
    for k in range(depth):
        rows += [f"{len(rows) + 1} 3 {8 + k} 0 0 1 {last}", f"{len(rows) + 2} 3 {8 + k} 5 0 1 {last}"]
        last = len(rows) - 1
    return "\n".join(rows)


@pytest.fixture
def deep(swc):
    return Morphology.from_file(swc(nested(NESTED)))


def test_every_operation_on_five_thousand_nested_branchings(deep, tmp_path):
    tree = deep.flatten()
    sections = 2 * NESTED + 2
    assert len(tree.sections) == sections and tree.branch_order.max() == NESTED + 1
    graph = tree.conductance_graph()
    assert len(graph) == tree.n + NESTED
    fine = deep.discretize(max_length=0.6 * um)
    assert fine.total_compartments == fine.flatten().n > tree.n
    place = fine.dend[2000.5 * um]
    assert np.isclose(place.distance / um, 2000.5) and place.interpolation()[1].sum() == pytest.approx(1)
    assert len(str(fine.topology()).splitlines()) == sections
    assert fine.info().rows[-1][1] == sections
    fine.save(tmp_path / "deep.swc")
    assert Morphology.from_file(tmp_path / "deep.swc").total_sections == sections
    for twin in (copy.deepcopy(deep), pickle.loads(pickle.dumps(deep))):
        assert twin.total_sections == sections
    part = deep.dend.L.L.L
    assert part.flatten().n == part.total_compartments
    assert np.isclose(deep.dend["L" * NESTED].end_distance / um, NESTED + 1)
    assert deep.remove(lambda t: t.branch_order > 1).total_sections == 2


def test_a_deep_tree_made_by_hand():
    m = tip = Cylinder(diameter=1 * um, length=1 * um)
    for _ in range(1500):
        tip.L = Cylinder(diameter=1 * um, length=1 * um)
        tip.R = Cylinder(diameter=1 * um, length=1 * um)
        tip = tip.L
    assert m.total_sections == 3001 and m.flatten().n == 3001
    m.generate_coordinates()
    assert np.isclose(tip.end_distance / um, 1501)


def test_a_hundred_thousand_samples(swc):
    n = 100_000
    x = np.arange(2, n + 1)
    text = "1 1 0 0 0 5 -1\n" + "\n".join(f"{k} 3 {k} 0 0 1 {k - 1}" for k in x.tolist())
    m = Morphology.from_file(swc(text))
    assert m.total_compartments == n - 1 and m.total_sections == 2
    assert m.discretize(max_length=100 * um).flatten().n == 1001
    assert m.sample(50_000).compartment == 49_998
