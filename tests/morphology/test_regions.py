"""Regions by name, labels, and the variables that conditions are made of."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import MorphologyError
from rall.morphology import Cylinder, Morphology
from rall.units import um


@pytest.fixture
def cell(base, swc):
    return Morphology.from_file(swc(base)).discretize(max_length=5 * um)


def test_regions_cover_every_compartment_once(cell):
    arrays = cell.region_arrays()
    assert set(arrays) == {"soma", "axon", "basal", "dend", "apical", "apic"}
    assert np.array_equal(arrays["basal"], arrays["dend"]) and np.array_equal(
        arrays["apical"], arrays["apic"]
    )
    total = sum(arrays[name].astype(int) for name in ("soma", "axon", "basal", "apical"))
    assert (total == 1).all()
    assert arrays["soma"].sum() == 1 and arrays["axon"].sum() == 7


def test_variables_are_si_arrays_with_units(cell):
    tree, variables = cell.flatten(), cell.variables()
    assert set(variables) == {
        "length",
        "diameter",
        "area",
        "volume",
        "distance",
        "branch_order",
        "x",
        "y",
        "z",
    }
    powers = {"metre": 1, "metre**2": 2, "metre**3": 3}
    for name, (values, unit) in variables.items():
        assert values.shape == (tree.n,)
        if unit != "1":
            assert np.allclose(values, getattr(tree, name) * 1e-6 ** powers[unit])
    assert variables["branch_order"][1] == "1"
    assert "x" not in Cylinder(diameter=1 * um, length=1 * um).variables()


def test_a_part_has_the_values_of_the_whole(cell):
    part, span = cell.dend.apic, cell.dend.apic.span
    assert part.region_arrays()["apical"].all() and not part.region_arrays()["basal"].any()
    for name, (values, unit) in part.variables().items():
        assert np.array_equal(values, cell.variables()[name][0][span]) and unit == cell.variables()[name][1]


def test_labels(cell):
    tree = cell.flatten()
    far = tree.distance > 30
    assert cell.label("far", lambda t: t.distance > 30) is cell
    cell.label("hot", far).label("hot_zone", "apical and distance > 100*um").label("tuft", "apical")
    arrays = cell.region_arrays()
    assert np.array_equal(arrays["far"], far) and np.array_equal(arrays["hot"], far)
    assert np.array_equal(arrays["tuft"], arrays["apical"])
    # Text is evaluated by the language of equations, elsewhere.
    assert "hot_zone" not in arrays and cell.labels["hot_zone"] == "apical and distance > 100*um"


@pytest.mark.parametrize("name", ["soma", "apical", "distance", "all", "v", "two words", "3d"])
def test_a_label_may_not_mean_something_else(cell, name):
    with pytest.raises(MorphologyError, match="cannot be a label"):
        cell.label(name, "all")


@pytest.mark.parametrize("condition", [[True, False], np.ones(3), lambda tree: tree.distance])
def test_a_label_is_one_truth_value_for_each_compartment(cell, condition):
    with pytest.raises(MorphologyError, match="truth values"):
        cell.label("wrong", condition).region_arrays()
