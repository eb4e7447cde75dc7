"""Potentials of lines and points of current against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rall.plugins.cable.cell_geometry import CellGeometry
from rall.plugins.cable.volume_conductor import Sources
from rall.units import um

SIGMA = 0.3


def piece(start, end, diameter, sphere=False):
    ends = np.array([[start], [end]], float) * um
    return CellGeometry(ends[0], ends[1], [diameter] * um, np.array([sphere]), np.zeros(1, np.int64))


def line(start, end, diameter=1.0, kind="line"):
    return Sources.of(piece(start, end, diameter), kind)


def resistance(sources, *place):
    return float(sources.resistance(np.array(place) * 1e-6, SIGMA)[0])


def holt_and_koch(length, h, r):
    """Their equation for the distance h from the end along the line, and r from its axis (um)."""
    start = length + h
    ratio = (np.hypot(h, r) - h) / (np.hypot(start, r) - start)
    return abs(np.log(ratio)) / (4 * np.pi * SIGMA * length * 1e-6)


@pytest.mark.parametrize(("h", "r"), [(-10.0, 5.0), (-20.0, 3.0), (0.0, 2.0), (30.0, 10.0), (-70.0, 1.0), (-3.0, 60.0)])
def test_a_line_is_that_of_holt_and_koch(h, r):
    along = line((0, 0, 0), (0, 20, 0))
    assert resistance(along, r, 20 + h, 0) == pytest.approx(holt_and_koch(20, h, r), rel=1e-10)
    turned = line((5, 1, 2), (5 + 12, 1, 2 + 16))
    place = np.array([5, 1, 2]) + (20 + h) * np.array([0.6, 0, 0.8]) + r * np.array([0.8, 0, -0.6])
    assert resistance(turned, *place) == pytest.approx(holt_and_koch(20, h, r), rel=1e-10)


def test_a_line_is_the_mean_of_its_points():
    along = line((0, 0, 0), (100, 0, 0))
    x = (np.arange(200000) + 0.5) / 2000
    for place in ((30.0, 10.0, 0.0), (-40.0, 3.0, 4.0), (130.0, 0.0, 0.0)):
        r = np.sqrt((x - place[0]) ** 2 + place[1] ** 2 + place[2] ** 2) * 1e-6
        assert resistance(along, *place) == pytest.approx(np.mean(1 / (4 * np.pi * SIGMA * r)), rel=1e-8)


def test_points():
    centre = line((0, 0, 0), (20, 0, 0), kind="point")
    assert resistance(centre, 10, 30, 40) == pytest.approx(1 / (4 * np.pi * SIGMA * 50e-6), rel=1e-14)
    sphere = Sources.of(piece((0, -5, 0), (0, 5, 0), 10, sphere=True), "line")
    assert resistance(sphere, 0, 7, 0) == resistance(sphere, 0, 0, 7)
    assert resistance(sphere, 0, 7, 0) == pytest.approx(1 / (4 * np.pi * SIGMA * 7e-6), rel=1e-14)


def test_far_away_a_line_is_a_point_to_the_last_digits():
    place = np.array([3e5, -2e5, 4e5])
    both = [resistance(line((0, 0, 0), (20, 0, 0), kind=kind), *place) for kind in ("line", "point")]
    assert both[0] == pytest.approx(both[1], rel=1e-9)
    # The next term of the multipole series of a line about its middle, 1e-10 of the whole here.
    r = np.linalg.norm(place - [10, 0, 0])
    cosine = (place[0] - 10) / r
    assert both[0] / both[1] - 1 == pytest.approx(20**2 / (24 * r**2) * (3 * cosine**2 - 1), abs=1e-15)


@pytest.mark.parametrize("place", [(10, 0, 0), (10, 1.9, 0), (0, 0, 0), (20, 0, 0), (-1, 0.5, 0)])
def test_inside_the_radius_it_is_the_potential_at_the_radius(place):
    along = line((0, 0, 0), (20, 0, 0), diameter=4)
    beyond = max(0.0, -place[0], place[0] - 20)
    edge = np.sqrt(2**2 - beyond**2)
    assert resistance(along, *place) == pytest.approx(resistance(along, place[0], edge, 0), rel=1e-12)
    assert along.around(np.array(place) * 1e-6).tolist() == [0]


def test_outside_of_the_radius_nothing_is_moved():
    along = line((0, 0, 0), (20, 0, 0), diameter=4)
    for place in ((10, 2.001, 0), (-2.001, 0, 0), (22.001, 0, 0)):
        assert not len(along.around(np.array(place) * 1e-6))
    thin = line((0, 0, 0), (20, 0, 0), diameter=1e-3)
    assert resistance(along, 25, 0, 0) == pytest.approx(resistance(thin, 25, 0, 0), rel=1e-12)
    sphere = Sources.of(piece((0, -5, 0), (0, 5, 0), 10, sphere=True), "line")
    assert resistance(sphere, 1, 0, 0) == pytest.approx(1 / (4 * np.pi * SIGMA * 5e-6), rel=1e-14)
