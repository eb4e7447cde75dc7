"""Places: samples, distances past a section's end, and after another discretization."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import MorphologyError
from rall.morphology import Cylinder, Morphology, Soma
from rall.units import um


@pytest.fixture
def cell():
    m = Soma(diameter=20 * um)
    m.apic = Cylinder(diameter=2 * um, length=50 * um, n=5)
    m.apic.L = Cylinder(diameter=1 * um, length=60 * um, n=6)
    m.apic.R = Cylinder(diameter=1 * um, length=20 * um, n=2)
    m.apic.RL = Cylinder(diameter=1 * um, length=30 * um, n=3)
    m.apic.RR = Cylinder(diameter=1 * um, length=70 * um, n=7)
    return m


@pytest.mark.parametrize(
    ("distance", "section", "along"),
    [
        (0, "apic", 0),
        (30, "apic", 30),
        (50, "apic", 50),
        (55, "R", 5),
        (70, "R", 20),
        (71, "RR", 1),
        (140, "RR", 70),
    ],
)
def test_a_distance_goes_on_along_the_longest_path(cell, distance, section, along):
    place = cell.apic[distance * um]
    node = cell.apic if section == "apic" else cell.apic[section]
    assert place.section == node._position()[1]
    assert np.isclose(place.position / um, along) and np.isclose(place.distance / um, distance)


def test_as_an_index_it_is_the_compartment_that_ends_there_or_contains_it(cell):
    assert [cell.apic[d * um].compartment for d in (0, 3, 10, 10.001, 50)] == [1, 1, 1, 2, 5]
    values = np.arange(cell.flatten().n)
    assert values[cell.apic[35 * um]] == 4 and cell.apic[35 * um].indices.tolist() == [4]


def test_from_a_sphere_children_start_at_its_centre(cell):
    assert cell[0 * um].compartment == 0
    # The sphere's own inside is its diameter long; beyond it the longest path goes on.
    assert cell[25 * um].section == 1 and np.isclose(cell[25 * um].position / um, 25)


def test_a_place_follows_the_morphology_to_other_compartments(cell):
    place = cell.apic[33 * um]
    fine = cell.discretize(max_length=1 * um).flatten()
    moved = place.on(fine)
    assert moved.compartment == 33 and moved.position == place.position and moved.on(fine) is moved
    with pytest.raises(MorphologyError, match="another morphology"):
        place.on(Soma(diameter=20 * um).flatten())


def test_place_of_a_sample(base, swc):
    m = Morphology.from_file(swc(base)).discretize(max_length=3 * um)
    place = m.sample(4)
    assert place.section == m.flatten().sample_place(4)[0]
    assert np.allclose(np.asarray(place.coordinates / um), [40, 5, 0]) and np.isclose(
        place.diameter / um, 1.4
    )
    first = m.sample(1)
    assert first.compartment == 0 and first.distance == 0 * um
    assert np.isclose(m.sample(3).distance / um, 14)
    assert "compartment" in repr(place)


def test_a_place_and_a_selection_tell_about_their_compartments(cell):
    place, chosen = cell.apic[35 * um], cell.apic[20 * um : 40 * um]
    assert np.isclose(place.length / um, 10) and np.isclose(place.area / um**2, 20 * np.pi)
    assert np.isclose(place.volume / um**3, 10 * np.pi) and np.isclose(place.diameter / um, 2)
    assert (
        np.allclose(np.asarray(chosen.area / um**2), 20 * np.pi) and np.isnan(np.asarray(chosen.x / um)).all()
    )
    cell.generate_coordinates()
    assert np.allclose(np.asarray(cell.apic[20 * um : 40 * um].x / um), [25, 35])


def test_interpolation_of_a_place_is_that_of_the_tree(cell):
    indices, weights = cell.apic[50 * um].interpolation()
    # The three halves that meet there: diameters 2, 1, 1 and half lengths 5, 5, 5.
    assert sorted(indices.tolist()) == [5, 6, 12]
    by = dict(zip(indices.tolist(), weights.tolist()))
    assert np.isclose(by[5], 4 / 6) and np.isclose(by[6], 1 / 6) and np.isclose(by[12], 1 / 6)
