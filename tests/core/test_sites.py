"""Places on cells, drawn in proportion to their weights."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import RallError
from rall.groups import Sites
from rall.plugins.point import NeuronGroup


def test_shares_are_lengths_on_a_line():
    """A number in [0, 1) finds the site in whose share of the cell's weight it lies, whatever the order of sites."""
    sites = Sites(np.array([7, 3, 20, 9]), np.array([0, 0, 3, 0]), np.array([1.0, 2.0, 5.0, 1.0]), 5)
    cells = np.array([0, 0, 0, 0, 3, 0, 3, 0])
    uniforms = np.array([0.0, 0.2499, 0.25, 0.7499, 0.0, 0.75, 1 - 2.0**-53, 1 - 2.0**-53])
    assert sites.drawn(cells, uniforms).tolist() == [7, 7, 3, 3, 20, 9, 20, 9]
    assert len(sites.drawn(np.zeros(0, np.int64), np.zeros(0))) == 0


def test_many_cells_of_different_sizes():
    """Each is drawn within its own sites, with frequencies in proportion to the weights."""
    random = np.random.default_rng(5)
    cells = np.repeat(np.arange(400), random.integers(1, 9, 400))
    weights = random.uniform(0.1, 3, len(cells))
    mixed = random.permutation(len(cells))
    sites = Sites(np.arange(len(cells))[mixed], cells[mixed], weights[mixed], 400)
    asked = np.repeat(np.arange(400), 500)
    found = sites.drawn(asked, random.uniform(size=len(asked)))
    assert (cells[found] == asked).all()
    expected = 500 * weights / np.bincount(cells, weights)[cells]
    deviation = (np.bincount(found, minlength=len(cells)) - expected) / np.sqrt(expected)
    assert abs(deviation).max() < 5.5 and 0.7 < deviation.std() < 1.1


def test_groups_without_compartments_have_none():
    with pytest.raises(RallError, match="'plain' has none"):
        NeuronGroup(3, "x : 1", name="plain").sites("x > 1")
