"""Axons: that of the file, and both kinds of stub."""

from __future__ import annotations

import numpy as np
import pytest

from rall import Cylinder, Morphology, load_allen, um
from rall.errors import MorphologyError


def axon_of(model):
    tree = model.morphology.flatten()
    inside = tree.type == 2
    return tree.length[inside], tree.diameter[inside]


def test_the_axon_of_the_file_is_kept(perisomatic, written, swc):
    lengths, _ = axon_of(load_allen(written(perisomatic), swc))
    assert lengths.sum() == pytest.approx(70 + 2 * np.hypot(20, 20))


def test_a_stub(perisomatic, written, swc):
    model = load_allen(written(perisomatic), swc, axon="stub")
    lengths, diameters = axon_of(model)
    assert lengths == pytest.approx([30, 30])
    assert diameters == pytest.approx([1, 1])
    tree = model.morphology.flatten()
    assert list(tree.sections.parent[tree.sections.type == 2]) == [0, int(np.flatnonzero(tree.sections.type == 2)[0])]
    assert not np.isnan(tree.xyz).any()
    cell = model.cell()
    assert cell.axon.N == 2


def test_diameters_of_a_truncated_axon_are_those_of_the_reconstruction(perisomatic, written, swc):
    lengths, diameters = axon_of(load_allen(written(perisomatic), swc, axon="truncated"))
    assert lengths == pytest.approx([30, 30])
    # The middle third of the first section of 70 um goes from r = 0.8 at 30 um down to 0.3 at 70 um; the branches are
    # frusta from r = 0.3 to 0.2, in one piece.
    ends = np.interp([70 / 3, 140 / 3], [0, 30, 70], [1.6, 1.6, 0.6])
    near = (1.6 * (30 - 70 / 3) + (1.6 + ends[1]) / 2 * np.hypot(140 / 3 - 30, (1.6 - ends[1]) / 2)) / (70 / 3)
    assert diameters[0] == pytest.approx(near, rel=1e-6)
    assert diameters[1] == pytest.approx(0.5, rel=1e-3)


def test_the_given_morphology_stays(perisomatic, written, swc):
    tree = Morphology.from_file(swc)
    before = tree.flatten().n
    model = load_allen(written(perisomatic), tree, axon="stub")
    assert tree.flatten().n == before
    assert model.morphology is not tree
    assert load_allen(written(perisomatic), tree).morphology is tree


def test_a_stub_where_there_was_no_axon(perisomatic, written, swc):
    tree = Morphology.from_file(swc).remove("axon")
    assert len(axon_of(load_allen(written(perisomatic), tree, axon="stub"))[0]) == 2
    with pytest.raises(MorphologyError, match="the morphology has none; 'stub' would do"):
        load_allen(written(perisomatic), tree, axon="truncated")


def test_a_morphology_without_coordinates(perisomatic, written, swc):
    tree = Morphology.from_file(swc)
    tree.more = Cylinder(diameter=1 * um, length=50 * um, type="dend")
    lengths, _ = axon_of(load_allen(written(perisomatic), tree, axon="stub"))
    assert lengths == pytest.approx([30, 30])


def test_axons_that_cannot_be(perisomatic, written, swc):
    with pytest.raises(MorphologyError, match=r"no axon 'stubb'; did you mean 'stub'.*file, stub, truncated"):
        load_allen(written(perisomatic), swc, axon="stubb")
    stick = Cylinder(diameter=2 * um, length=100 * um, type="dend")
    with pytest.raises(MorphologyError, match="the first section of this morphology is none; use 'file'"):
        load_allen(written(perisomatic), stick, axon="stub")
