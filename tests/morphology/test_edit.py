"""Trees that are changed: taken off, hung on, cut in two."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import MorphologyError
from rall.morphology import Cylinder, Morphology, Section, Soma
from rall.units import um


@pytest.fixture
def cell(base, swc):
    return Morphology.from_file(swc(base))


def twig():
    return Section(diameter=[1, 0.5] * um, x=[0, 0] * um, y=[0, 10] * um)


def test_remove_a_region(cell):
    assert cell.remove("axon") is cell
    assert not cell.region_arrays()["axon"].any() and cell.total_sections == 4 and not hasattr(cell, "axon")
    cell.remove("apical")
    assert [c.name for c in cell.dend.children] == ["L"]
    cell.remove(lambda tree: tree.type == 3)
    assert cell.total_sections == 1


def test_what_hangs_on_the_removed_goes_too(cell):
    cell.remove(lambda tree: tree.section == 1)
    assert cell.total_sections == 2 and cell.region_arrays()["apical"].sum() == 0


def test_mistakes_in_remove(cell):
    with pytest.raises(MorphologyError, match="first section"):
        cell.remove("soma")
    with pytest.raises(MorphologyError, match=r"'tail'.*axon"):
        cell.remove("tail")


def test_attach_in_the_middle_cuts_the_section(cell):
    cell = cell.discretize(max_length=3 * um)
    before = cell.flatten()
    place = cell.dend[7 * um]
    assert cell.attach(place, twig(), name="spine") is cell
    tree = cell.flatten()
    assert len(tree.sections) == 7 and [c.name for c in cell.dend.children] == ["rest", "spine"]
    assert np.isclose(cell.dend.end_distance / um, 7) and np.isclose(cell.dend.rest.end_distance / um, 14)
    assert np.allclose(np.asarray(cell.dend.spine.start_coordinates[0] / um), [13, 0, 0])
    assert np.allclose(np.asarray(cell.dend.spine.end_coordinates[-1] / um), [13, 10, 0])
    # Nothing else has changed.
    new = tree.section != cell.dend.spine._position()[1]
    for name in ("area", "length", "volume"):
        assert np.isclose(getattr(tree, name)[new].sum(), getattr(before, name).sum(), rtol=1e-12)
    assert cell.dend.rest.L.total_sections == 1 and cell.dend.rest.apic.type == "apic"
    assert cell.sample(6).distance == before_distance(before, 6)
    graph = tree.conductance_graph()
    assert len(graph) == tree.n + 2 and (graph.resistance[1:] > 0).all()


def before_distance(tree, sample):
    section, along = tree.sample_place(sample)
    return (tree.sections.distance[section] + along) * um


def test_attach_at_ends(cell):
    cell.attach(cell.sample(3), twig())
    assert len(cell.dend.children) == 3 and cell.total_sections == 6
    cell.attach(cell.sample(6), twig(), name="tip")
    assert cell.dend.L.tip.parent is cell.dend.L
    cell.attach(cell.sample(1), twig(), name="extra")
    assert cell.extra.parent is cell and cell.flatten().sections.attach[-1] == 0.5
    # The start of a neurite on the soma is the soma.
    cell.attach(cell.dend[0 * um], twig(), name="again")
    assert cell.again.parent is cell


def test_attach_at_the_start_of_a_cable():
    m = Cylinder(diameter=2 * um, length=100 * um, n=10)
    m.attach(m[0 * um], Cylinder(diameter=1 * um, length=20 * um), name="back")
    tree = m.flatten()
    assert tree.sections.attach.tolist()[1] == 0 and tree.parent[-1] == 0 and tree.distance[-1] == 10


def test_attach_to_one_compartment_and_to_a_sphere_without_coordinates():
    m = Soma(diameter=20 * um)
    m.dend = Cylinder(diameter=2 * um, length=100 * um, n=10)
    m.attach(m.dend[20 * um : 25.5 * um], Cylinder(diameter=1 * um, length=5 * um), name="spine")
    assert np.isclose(m.dend.end_distance / um, 25) and m.total_compartments == 1 + 11 + 1
    m.attach(m.dend[1], Cylinder(diameter=1 * um, length=5 * um, type="axon"))
    assert m.dend.children[1].name == "axon"


def test_mistakes_in_attach(cell):
    with pytest.raises(MorphologyError, match="place"):
        cell.attach(3, twig())
    with pytest.raises(MorphologyError, match="Section"):
        cell.attach(cell.sample(3), "twig")
    with pytest.raises(MorphologyError, match="another morphology"):
        cell.attach(twig()[3 * um], twig())
    with pytest.raises(MorphologyError, match="already"):
        cell.attach(cell.sample(1), twig(), name="axon")


def test_a_cut_at_a_step_in_diameter_keeps_the_area(swc):
    text = "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 16 0 0 1 2\n4 3 16 0 0 2 3\n5 3 26 0 0 2 4\n"
    with pytest.warns(UserWarning):
        m = Morphology.from_file(swc(text))
    before = m.flatten().area.sum()
    m.attach(m.dend[10 * um], twig(), name="spine")
    spine = float(np.asarray(m.dend.spine.area / um**2).sum())
    assert np.isclose(m.flatten().area.sum(), before + spine, rtol=1e-12)
    assert np.allclose(np.asarray(m.dend.rest.diameter / um), [4])


def test_labels_of_arrays_go_with_the_compartments_they_named(cell):
    cell.label("some", cell.flatten().distance > 3).label("kept", lambda tree: tree.distance > 3)
    cell.remove("axon")
    assert set(cell.labels) == {"kept"}


def test_a_part_of_a_file_hung_on_a_new_soma_moves_along(cell):
    m = Soma(diameter=10 * um, x=1000 * um)
    m.dend = cell.dend
    assert np.allclose(np.asarray(m.dend.start_coordinates[0] / um), [1000, 0, 0])
    assert np.allclose(np.asarray(m.dend.apic.end_coordinates[-1] / um), [1056, -11, 0])
    assert np.allclose(np.asarray(cell.dend.apic.end_coordinates[-1] / um), [62, -11, 0])
    assert m.dend.sample(6).section == 2


def test_removing_what_is_not_there(cell):
    cell.remove("axon")
    with pytest.raises(MorphologyError, match="no section lies wholly in 'axon'"):
        cell.remove("axon")
