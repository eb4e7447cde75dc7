"""Integrals over truncated cones, against sums over very short cylinders."""

from __future__ import annotations

import numpy as np
import pytest

from rall.morphology.geometry import Path, axial_integral, cut, electrotonic_lengths, measure


def random_path(seed, points=9, compartments=4):
    random = np.random.default_rng(seed)
    xyz = np.cumsum(random.normal(size=(points, 3)) * 5, axis=0)
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(xyz, axis=0), axis=1))])
    path = Path(arc, random.uniform(0.5, 3, points), xyz, np.full(points, -1), arc)
    return cut(path, compartments)


def fine(path, start, stop, function, steps=20_000):
    x = np.linspace(start, stop, 2 * steps + 1)
    middle, dx = x[1::2], x[2] - x[0]
    d = np.interp(middle, path.arc, path.diameter)
    slope = np.diff(np.interp(x[::2], path.arc, path.diameter)) / dx
    return float(np.sum(function(d, slope)) * dx)


@pytest.mark.parametrize("seed", range(3))
def test_integrals_over_equal_compartments(seed):
    paths = [random_path(seed, 9, 4), random_path(seed + 10, 5, 7), random_path(seed + 20, 3, 1)]
    m = measure(paths)
    k = 0
    for path in paths:
        for low, high in zip(path.edges[:-1], path.edges[1:]):
            middle = 0.5 * (low + high)
            area = fine(path, low, high, lambda d, s: np.pi * d * np.sqrt(1 + s**2 / 4))
            assert np.isclose(m.area[k], area, rtol=1e-5)
            assert np.isclose(m.volume[k], fine(path, low, high, lambda d, s: np.pi * d**2 / 4), rtol=1e-6)
            assert np.isclose(m.near[k], fine(path, low, middle, lambda d, s: 4 / np.pi / d**2), rtol=1e-6)
            assert np.isclose(m.far[k], fine(path, middle, high, lambda d, s: 4 / np.pi / d**2), rtol=1e-6)
            assert m.length[k] == high - low and m.centre[k] == middle
            for axis in range(3):
                expected = np.interp([low, middle, high], path.arc, path.xyz[:, axis])
                assert np.allclose(m.xyz[k, :, axis], expected, rtol=1e-12)
            k += 1
    assert k == len(m.area)


def test_cutting_keeps_every_total():
    path = random_path(5)
    whole = measure([cut(path, 1)])
    for n in (2, 3, 17, 400):
        m = measure([cut(path, n)])
        for name in ("length", "area", "volume"):
            assert np.isclose(getattr(m, name).sum(), getattr(whole, name)[0], rtol=1e-12)
        assert np.isclose((m.near + m.far).sum(), whole.near[0] + whole.far[0], rtol=1e-12)


def test_a_ring_belongs_to_the_compartment_that_begins_there():
    arc = np.array([0.0, 10, 10, 20])
    path = Path(arc, np.array([2.0, 2, 6, 6]), None, np.full(4, -1), np.array([0.0, 10, 20]))
    m = measure([path])
    assert np.allclose(m.area, [20 * np.pi, 60 * np.pi + np.pi * (9 - 1)])
    assert np.allclose(m.volume, [10 * np.pi, 90 * np.pi])
    assert m.ends.tolist() == [[2, 2], [6, 6]] and np.isnan(m.xyz).all()
    assert np.isclose(axial_integral(path, 0, 10), 10 / np.pi)
    assert np.isclose(axial_integral(path, 10, 20), 10 / (9 * np.pi))
    assert np.isclose(axial_integral(path, 5, 15), 5 / np.pi + 5 / (9 * np.pi))


def test_axial_integral_adds_up():
    path = random_path(7)
    total = axial_integral(path, 0, path.length)
    random = np.random.default_rng(0)
    for at in random.uniform(0, path.length, 20):
        assert np.isclose(
            axial_integral(path, 0, at) + axial_integral(path, at, path.length), total, rtol=1e-12
        )
    assert axial_integral(path, 3.0, 3.0) == 0


def test_electrotonic_length_of_a_cone():
    arc = np.array([0.0, 100.0])
    path = Path(arc, np.array([4.0, 1.0]), None, np.full(2, -1), arc)
    x = np.linspace(0, 100, 200_001)
    numeric = np.trapezoid(1 / np.sqrt(np.interp(x, arc, path.diameter)), x)
    assert np.isclose(electrotonic_lengths([path])[0], numeric, rtol=1e-8)
