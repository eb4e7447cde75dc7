"""How many compartments each section gets, and what stays the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, MorphologyError
from rall.morphology import Cylinder, Morphology, Section, Soma
from rall.units import cm, mV, ohm, uF, um
from rall.units.allunits import Hz


@pytest.fixture
def cell():
    m = Soma(diameter=20 * um)
    m.dend = Cylinder(diameter=4 * um, length=100 * um)
    m.dend.L = Section(diameter=[2, 1, 0.5] * um, n=2, length=[30, 35.5] * um)
    m.axon = Cylinder(diameter=1 * um, length=30.000000000001 * um)
    return m


def counts(m):
    return m.flatten().sections.n.tolist()


def test_by_length(cell):
    # soma, dend, dend.L, axon; rounding of the length alone adds no compartment
    assert counts(cell.discretize(max_length=10 * um)) == [1, 10, 7, 3]
    assert counts(cell.discretize(max_length=1 * cm)) == [1, 1, 1, 1]
    fine = cell.discretize(max_length=10 * um)
    assert np.allclose(fine.flatten().length[11:18], 65.5 / 7, rtol=1e-14)
    assert counts(cell) == [1, 1, 2, 1]


@pytest.mark.parametrize("how", [{"max_length": 3 * um}, {"n": 7}, {"max_length": 1 * cm}])
def test_totals_stay(cell, how):
    a, b = cell.flatten(), cell.discretize(**how).flatten()
    for name in ("length", "area", "volume"):
        assert np.isclose(getattr(a, name).sum(), getattr(b, name).sum(), rtol=1e-12)
    axial = [np.bincount(t.section, t.r_axial_near + t.r_axial_far) for t in (a, b)]
    assert np.allclose(*axial, rtol=1e-12)
    even = b.section > 0
    assert np.allclose(b.diameter[even], b.area[even] / (np.pi * b.length[even]), rtol=1e-14)


def test_by_number(cell):
    assert counts(cell.discretize(n=3)) == [1, 3, 3, 3]
    assert counts(cell.discretize(n={"dend": 5})) == [1, 5, 5, 1]
    assert counts(cell.discretize(n={"basal": 5, "axon": 2})) == [1, 5, 5, 2]
    assert counts(cell.discretize(n=lambda section: 4 if section.name == "L" else 2)) == [1, 2, 4, 2]


def test_by_length_constant(cell):
    fine = cell.discretize(d_lambda=0.1, Ri=100 * ohm * cm, Cm=1 * uF / cm**2, frequency=100 * Hz)
    # lambda = sqrt(d/(4 pi f Ri Cm)), with f 100 /s, Ri 1 ohm m, Cm 0.01 F/m2
    constant = 1e6 * math.sqrt(4e-6 / (4 * math.pi * 100 * 1 * 0.01))
    assert counts(fine)[1] == math.ceil(100 / (0.1 * constant))
    assert counts(cell.discretize(d_lambda=0.1, Ri=100 * ohm * cm, Cm=1 * uF / cm**2)) == counts(fine)
    finer = cell.discretize(d_lambda=0.05, Ri=100 * ohm * cm, Cm=1 * uF / cm**2)
    assert all(a >= b for a, b in zip(counts(finer), counts(fine)))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "exactly one"),
        ({"max_length": 1 * um, "n": 3}, "max_length and n"),
        ({"max_length": 0 * um}, "positive"),
        ({"n": 0}, "0 compartments"),
        ({"n": 2.5}, "2.5 compartments"),
        ({"n": {"tail": 3}}, "'tail'.*basal"),
        ({"d_lambda": 0.1, "Ri": 1 * ohm * cm}, "Cm="),
        ({"d_lambda": -0.1, "Ri": 1 * ohm * cm, "Cm": 1 * uF / cm**2}, "positive"),
        ({"max_length": 1e-12 * um}, "compartments"),
    ],
)
def test_mistakes_are_explained(cell, how, words):
    with pytest.raises(MorphologyError, match=words):
        cell.discretize(**how)


def test_units_are_checked(cell):
    with pytest.raises(DimensionMismatchError, match="max_length"):
        cell.discretize(max_length=3 * mV)
    with pytest.raises(DimensionMismatchError, match="Ri"):
        cell.discretize(d_lambda=0.1, Ri=100 * ohm, Cm=1 * uF / cm**2)


def test_a_part_of_a_tree_can_be_discretized_alone(cell):
    part = cell.dend.discretize(max_length=10 * um)
    assert counts(part) == [10, 7] and part.parent is None


def test_labels_and_samples_survive(base, swc):
    m = Morphology.from_file(swc(base)).label("far", lambda tree: tree.distance > 20)
    fine = m.discretize(max_length=2 * um)
    assert fine.region_arrays()["far"].sum() == (fine.flatten().distance > 20).sum() > 10
    assert np.allclose(np.asarray(fine.sample(6).distance / um), np.asarray(m.sample(6).distance / um))
