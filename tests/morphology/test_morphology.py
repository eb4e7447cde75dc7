"""Sections made by hand and reached by name, as in Brian 2."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, MorphologyError
from rall.morphology import Cylinder, Morphology, Place, Section, Selection, Soma
from rall.units import mV, um


def values(quantity):
    return np.asarray(quantity / um)


@pytest.fixture
def cell():
    m = Soma(diameter=30 * um)
    m.axon = Cylinder(diameter=1 * um, length=100 * um, n=10)
    m.dend = Section(diameter=[4, 3, 2] * um, n=2, length=[10, 20] * um)
    m.dend.L = Cylinder(diameter=1 * um, length=20 * um, n=2)
    m.dend.R = Cylinder(diameter=2 * um, length=30 * um, n=3)
    m.dend.LL = Cylinder(diameter=1 * um, length=40 * um, n=4)
    return m


def test_a_soma_is_a_sphere():
    soma = Soma(diameter=30 * um)
    assert soma.n == soma.total_compartments == soma.total_sections == 1
    assert np.allclose(values(soma.area / um), np.pi * 900) and np.allclose(
        values(soma.volume / um**2), np.pi / 6 * 27000
    )
    assert values(soma.length).tolist() == [30] and values(soma.diameter).tolist() == [30]
    assert values(soma.distance).tolist() == [0] and soma.end_distance == 0 * um
    assert soma.x is None and soma.coordinates is None and soma.type == "soma"
    assert values(Soma(diameter=30 * um, x=3 * um).coordinates).tolist() == [[3, 0, 0], [3, 0, 0]]


def test_a_cylinder():
    c = Cylinder(diameter=2 * um, length=100 * um, n=4)
    assert values(c.length).tolist() == [25] * 4 and values(c.diameter).tolist() == [2] * 4
    assert np.allclose(values(c.area / um), np.pi * 50) and np.allclose(values(c.volume / um**2), np.pi * 25)
    assert np.allclose(values(c.distance), [12.5, 37.5, 62.5, 87.5]) and np.isclose(c.end_distance / um, 100)
    assert np.allclose(values(c.r_length_1), np.pi / 12.5) and np.allclose(values(c.r_length_2), np.pi / 12.5)


def test_a_section_of_cones():
    s = Section(diameter=[4, 2, 2] * um, n=2, length=[10, 20] * um)
    assert np.allclose(values(s.start_diameter), [4, 2]) and np.allclose(values(s.end_diameter), [2, 2])
    assert np.allclose(values(s.diameter), [3, 2])
    assert np.allclose(values(s.area / um), [np.pi * 3 * np.hypot(10, 1), 40 * np.pi])
    assert np.allclose(values(s.volume / um**2), [np.pi / 12 * 10 * (16 + 8 + 4), 20 * np.pi])
    # One diameter for all, one length for all.
    assert np.allclose(values(Section(diameter=2 * um, n=4, length=40 * um).length), 10)


def test_coordinates_continue_from_the_parents_end():
    m = Soma(diameter=10 * um, x=1 * um, y=2 * um, z=3 * um)
    m.dend = Section(diameter=[2, 1, 1] * um, n=2, x=[0, 10, 10] * um, y=[0, 0, 20] * um)
    m.dend.L = Cylinder(diameter=1 * um, n=2, z=[0, 8] * um)
    assert values(m.dend.length).tolist() == [10, 20]
    assert values(m.dend.coordinates).tolist() == [[1, 2, 3], [11, 2, 3], [11, 22, 3]]
    assert np.allclose(values(m.dend.L.start_coordinates), [[11, 22, 3], [11, 22, 7]])
    assert np.allclose(values(m.dend.L.end_z), [7, 11]) and np.allclose(values(m.dend.L.z), [5, 9])
    assert np.allclose(values(m.dend.x), [6, 11]) and np.allclose(values(m.dend.start_y), [2, 2])


def test_names_and_steps(cell):
    assert cell["axon"] is cell.axon and cell.dend["L"] is cell.dend.L
    assert cell.dend.LL is cell.dend.L.L and cell.dend["LL"].parent is cell.dend.L
    assert cell.basal is cell.dend and cell.dend.LL.root is cell
    assert [c.name for c in cell.children] == ["axon", "dend"] and cell.parent is None
    assert cell.total_sections == 6 and cell.total_compartments == 1 + 10 + 2 + 2 + 3 + 4
    assert cell.dend.total_compartments == 11 and cell.dend.n == 2
    assert "axon" in dir(cell)


def test_distances_in_a_tree(cell):
    assert np.allclose(values(cell.dend.distance), [5, 20]) and np.isclose(cell.dend.end_distance / um, 30)
    assert np.allclose(values(cell.dend.LL.distance), [55, 65, 75, 85])
    # Compartments in depth-first order.
    assert cell.dend.L.indices.tolist() == [13, 14] and cell.dend.LL.indices.tolist() == [15, 16, 17, 18]
    assert cell.dend.R.indices.tolist() == [19, 20, 21]
    assert cell.dend.span == slice(11, 22) and cell.dend.L.span == slice(13, 19) and cell.span == slice(0, 22)


def test_types_follow_names(cell):
    arrays = cell.region_arrays()
    assert arrays["soma"].sum() == 1 and arrays["axon"].sum() == 10 and arrays["dend"].sum() == 11
    assert arrays["basal"] is arrays["dend"] or np.array_equal(arrays["basal"], arrays["dend"])
    explicit = Cylinder(diameter=1 * um, length=1 * um, type="type_7")
    assert explicit.type == "type_7" and explicit.region_arrays()["type_7"].all()
    assert Cylinder(diameter=1 * um, length=1 * um).type is None


def test_a_section_can_be_deleted_and_replaced(cell):
    del cell.dend
    assert cell.total_sections == 2 and cell.flatten().n == 11
    with pytest.raises(MorphologyError, match=r"'dend'.*axon"):
        _ = cell.dend
    cell["dend"] = Cylinder(diameter=1 * um, length=5 * um)
    del cell["axon"]
    assert [c.name for c in cell.children] == ["dend"]


def test_what_hangs_elsewhere_is_copied(cell):
    other = Soma(diameter=10 * um)
    other.dend = cell.dend
    assert cell.total_sections == 6 and other.total_sections == 5
    assert other.dend is not cell.dend and other.dend.LL.root is other
    other.dend.LL.L = Cylinder(diameter=1 * um, length=1 * um)
    assert cell.dend.total_sections == 4


def test_a_tree_hung_on_its_own_tip_does_not_become_a_circle():
    m = Cylinder(diameter=1 * um, length=1 * um)
    m.L = m
    assert m.total_sections == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.nothing, "'nothing' hangs on 'soma'"),
        (lambda m: m["nothing"], "there are: axon, dend"),
        (lambda m: setattr(m, "axon", Cylinder(diameter=1 * um, length=1 * um)), "already"),
        (lambda m: setattr(m, "length", 3 * um), "attribute of every section"),
        (lambda m: setattr(m, "tail", 3), "must be a Section"),
        (lambda m: m.__setitem__("a b", Soma(diameter=1 * um)), "no name"),
        (lambda m: setattr(m, "LL", Cylinder(diameter=1 * um, length=1 * um)), "'L'"),
        (lambda m: m[3.5], "indexed by"),
        (lambda m: m.axon[10], "compartment 10 of a section that has 10"),
        (lambda m: m.axon[101 * um], "longest path.*100"),
        (lambda m: m.axon[-1 * um], "before"),
        (lambda m: m.axon[10 * um : 3 * um], "no compartment"),
        (lambda m: m.axon[10 * um : 30 * um : 2], "step"),
    ],
)
def test_mistakes_are_explained(cell, change, words):
    with pytest.raises(MorphologyError, match=words):
        change(cell)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Cylinder(diameter=1 * um),
        lambda: Cylinder(diameter=1 * um, length=1 * um, x=[0, 1] * um),
        lambda: Cylinder(diameter=0 * um, length=1 * um),
        lambda: Cylinder(diameter=1 * um, length=-1 * um),
        lambda: Cylinder(diameter=1 * um, length=1 * um, n=0),
        lambda: Cylinder(diameter=1 * um, length=1 * um, n=1.5),
        lambda: Cylinder(diameter=1 * um, x=[0, 1, 2] * um),
        lambda: Cylinder(diameter=1 * um, x=[1, 1] * um),
        lambda: Cylinder(diameter=1 * um, length=1 * um, type="tail"),
        lambda: Section(diameter=[1, 2] * um, n=2, length=[1, 1] * um),
        lambda: Section(diameter=[1, 2, 3] * um, n=2, length=[1, 1, 1] * um),
        lambda: Section(diameter=[1, 2] * um, n=1, x=[0, float("nan")] * um),
        lambda: Soma(diameter=-1 * um),
    ],
)
def test_impossible_sections_are_refused(make):
    with pytest.raises(MorphologyError):
        make()


@pytest.mark.parametrize("wrong", [1e-6, 30 * mV])
def test_lengths_need_units(wrong):
    with pytest.raises(DimensionMismatchError, match="diameter"):
        Soma(diameter=wrong)


def test_hasattr_and_getattr_work_as_usual(cell):
    assert not hasattr(cell, "nothing") and getattr(cell, "nothing", 3) == 3


def test_indexing(cell):
    place = cell.axon[35 * um]
    assert isinstance(place, Place) and place.compartment == 4 and list(range(10))[place] == 4
    chosen = cell.axon[10 * um : 50 * um]
    assert isinstance(chosen, Selection) and np.asarray(chosen).tolist() == [2, 3, 4, 5]
    assert cell.axon[: 20 * um].indices.tolist() == [1, 2] and cell.axon[80 * um :].indices.tolist() == [
        9,
        10,
    ]
    assert cell.axon[3].compartment == 4 and cell.axon[-1].compartment == 10
    assert cell.axon[2:4].indices.tolist() == [3, 4]
    assert np.allclose(values(chosen.length), 10) and np.allclose(values(chosen.distance), [15, 25, 35, 45])
    assert len(chosen) == chosen.n == 4


def test_copy_pickle_and_discretize_leave_the_original(cell):
    for twin in (copy.deepcopy(cell), pickle.loads(pickle.dumps(cell)), cell.discretize(n=1)):
        assert twin.total_sections == 6 and twin.dend.LL.name == "L" and isinstance(twin, Soma)
        assert np.isclose(twin.flatten().area.sum(), cell.flatten().area.sum(), rtol=1e-12)
        del twin.axon
        assert cell.total_sections == 6


def test_copy_section_is_alone(cell):
    alone = cell.dend.copy_section()
    assert alone.total_sections == 1 and alone.parent is None and isinstance(alone, Section)
    assert np.allclose(values(alone.length), [10, 20]) and np.allclose(values(alone.distance), [5, 20])


def test_generated_coordinates_keep_lengths(cell):
    before = [values(node.length) for node in cell.walk()]
    cell.generate_coordinates(section_randomness=20, compartment_randomness=5, seed=3)
    for node, lengths in zip(cell.walk(), before):
        assert np.allclose(values(node.length), lengths)
        if node is not cell:
            steps = np.linalg.norm(np.diff(values(node.coordinates), axis=0), axis=1)
            assert np.allclose(steps, lengths)
            hook = values(node.parent.coordinates)[-1]
            assert np.allclose(values(node.coordinates)[0], hook)
    first = values(cell.dend.LL.coordinates)
    cell.generate_coordinates(section_randomness=20, compartment_randomness=5, seed=4)
    assert np.array_equal(values(cell.dend.LL.coordinates), first)
    cell.generate_coordinates(section_randomness=20, seed=4, overwrite_existing=True)
    assert not np.allclose(values(cell.dend.LL.coordinates), first)
    with pytest.raises(MorphologyError, match="negative"):
        cell.generate_coordinates(section_randomness=-1)


def test_sections_of_files_have_names_by_type_and_side(base, swc):
    m = Morphology.from_file(swc(base))
    assert m.type == "soma" and [c.name for c in m.children] == ["dend", "axon"]
    assert m.L is m.dend and m.R is m.axon
    assert m.dend.L is m.dend.dend and m.dend.R is m.dend.apic is m.dend.apical
    assert [c.name for c in m.dend.children] == ["L", "apic"]
    many = "1 1 0 0 0 5 -1\n" + "".join(f"{k} 3 {k} 9 0 1 1\n" for k in range(2, 6))
    cell = Morphology.from_file(swc(many))
    assert [c.name for c in cell.children] == ["dend", "dend2", "dend3", "dend4"]
    assert cell["3"] is cell.dend3 is cell.basal3


def test_from_points_and_from_swc_file_read_like_brian(base, swc):
    names = {"1": "soma", "2": "axon", "3": "dend", "4": "apic"}
    rows = [line.split() for line in base.splitlines()]
    points = [(int(r[0]), names[r[1]], *map(float, r[2:5]), 2 * float(r[5]), int(r[6])) for r in rows]
    made, read = Morphology.from_points(points), Morphology.from_swc_file(swc(base))
    assert np.array_equal(made.flatten().area, read.flatten().area)
    # One compartment for each sample, the links from the soma included.
    assert made.total_compartments == 9
    assert np.isclose(read.dend.length[0] / um, 6)
    with pytest.raises(MorphologyError, match="plain numbers"):
        Morphology.from_points([(1, "soma", "x", 0, 0, 10, -1)])
    with pytest.raises(MorphologyError, match="index"):
        Morphology.from_points([(1, "soma", 0, 0, 10, -1)])
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_points([(1, "soma", 0, 0, 0, 0, -1)])
    assert caught.value.code == "BadRadius"


def test_a_three_point_soma_may_be_read_as_cable(swc):
    path = swc("1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n4 3 6 0 0 1 1\n5 3 50 0 0 1 4\n")
    assert Morphology.from_swc_file(path).total_sections == 2
    cable = Morphology.from_swc_file(path, spherical_soma=False)
    assert not cable.flatten().sections.sphere.any() and cable.total_sections == 3
    same = Morphology.from_file(path, spherical_soma=False)
    assert np.array_equal(same.flatten().area, cable.flatten().area)
    assert np.isclose(cable.flatten().area[cable.region_arrays()["soma"]].sum(), 2 * np.pi * 5 * 10)


def test_grown_cells(swc):
    m = Morphology.grow("granule", seed=3)
    assert m.flatten().sections.sphere[0] and m.region_arrays()["dend"].sum() > 100
    again = Morphology.grow("granule", seed=3)
    assert np.array_equal(m.flatten().area, again.flatten().area)
    assert not Morphology.grow("granule", seed=3, axon=False).region_arrays()["axon"].any()


def test_repr_says_what_it_is(cell):
    assert "6 sections, 22 compartments, 220 um" in repr(cell)
    assert "at 'dend'" in repr(cell.dend)
