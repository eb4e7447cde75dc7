"""Samples: the right distribution at fixed seeds, and the same sample however the work is cut."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from rall.philox import uniform
from rall.plugins.synapses.sampling import Gaps, Rows, distinct, locate, spans


def draws(seed):
    return lambda numbers, draw: uniform(seed, 0, 0, numbers, draw)


def all_hits(p, parts, chunk=1 << 17, seed=1):
    """Successes of several parts of one row of trials."""
    gaps, before, found = Gaps(p, draws(seed), chunk), 0, [np.empty(0, int)]
    for part in parts:
        found += [hits + before for hits in gaps.hits(part)]
        before += part
    return np.concatenate(found)


def test_spans_cover_everything_once():
    assert list(spans(10, 4)) == [(0, 4), (4, 8), (8, 10)]
    assert list(spans(0, 4)) == []


@pytest.mark.parametrize("p", [0.001, 0.05, 0.5, 0.97])
def test_hits_are_binomial_and_independent(p):
    total = 200_000
    hits = all_hits(p, [total])
    assert (np.diff(hits) > 0).all()
    assert 0 <= hits[0] and hits[-1] < total
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], total, p)
    assert low <= len(hits) <= high
    # Every place is as likely as any other, and so is what follows a hit.
    counts = np.bincount(hits * 20 // total, minlength=20)
    assert stats.chisquare(counts).pvalue > 1e-3
    pairs = np.count_nonzero(np.diff(hits) == 1)
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], len(hits) - 1, p)
    assert low <= pairs <= high


def test_gaps_are_geometric():
    gaps = np.diff(all_hits(0.3, [100_000]))
    seen = np.bincount(np.minimum(gaps, 15), minlength=16)[1:]
    expected = stats.geom.pmf(np.arange(1, 15), 0.3)
    expected = np.append(expected, 1 - expected.sum()) * len(gaps)
    assert stats.chisquare(seen, expected).pvalue > 1e-3


def test_hits_depend_neither_on_parts_nor_on_pieces():
    whole = all_hits(0.1, [10_000])
    assert np.array_equal(whole, all_hits(0.1, [10_000], chunk=7))
    assert np.array_equal(whole, all_hits(0.1, [1, 0, 2, 3000, 5, 1, 6991]))
    assert np.array_equal(whole, all_hits(0.1, [*[1] * 1000, 9000], chunk=3))


@pytest.mark.parametrize("p", [0.0, -1.0])
def test_never(p):
    assert not len(all_hits(p, [1000]))


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_always(p):
    assert np.array_equal(all_hits(p, [10, 20], chunk=7), np.arange(30))


@pytest.mark.parametrize("p", [1e-300, 5e-324, 1e-18])
def test_a_tiny_probability_gives_nothing_but_no_nonsense(p):
    assert not len(all_hits(p, [2**40, 2**40]))


def test_more_trials_than_32_bits_count():
    hits = all_hits(1e-9, [10**11, 10**11])
    assert 120 < len(hits) < 290
    assert hits.max() > 2**36


def test_places_on_rows():
    rows = Rows(10, 5, np.array([0, 1, 2, 3, 4]), np.array([1, 2, 1, -1, 1]), np.array([2, 0, 3, 4, 0]))
    expected = [(10, 0), (10, 1), (12, 2), (12, 3), (12, 4), (13, 3), (13, 2), (13, 1), (13, 0)]
    offsets = rows.offsets()
    assert rows.total == 9
    for places in (range(9), [0], [8], [2, 3], [1, 5, 8]):
        outer, inner = rows.values(*locate(np.array(places), rows, offsets))
        assert list(zip(outer.tolist(), inner.tolist())) == [expected[place] for place in places]
    same = Rows(0, 3, 5, 2, 4)
    outer, inner = same.values(*locate(np.arange(same.total), same, None))
    assert (outer.tolist(), inner.tolist()) == ([0] * 4 + [1] * 4 + [2] * 4, [5, 7, 9, 11] * 3)


@pytest.mark.parametrize(("length", "size"), [(5, 2), (5, 3), (6, 3), (6, 1), (4, 4)])
def test_all_subsets_are_equally_likely(length, size):
    rows = 20_000
    row, position, following = distinct(np.full(rows, length), np.full(rows, size), 0, draws(3))
    assert np.array_equal(row, np.repeat(np.arange(rows), size))
    sets = position.reshape(rows, size)
    assert (np.diff(sets, axis=1) > 0).all()
    assert following == rows * min(size, length - size)
    number = {subset: k for k, subset in enumerate(combinations(range(length), size))}
    counts = np.bincount([number[tuple(found)] for found in sets.tolist()], minlength=len(number))
    assert (counts > 0).all()
    if len(number) > 1:
        assert stats.chisquare(counts).pvalue > 1e-3


def test_large_samples_are_uniform():
    for size in (400, 700):
        row, position, _ = distinct(np.full(50, 1000), np.full(50, size), 0, draws(5))
        assert (np.diff(row * 1000 + position) > 0).all()
        assert np.array_equal(np.bincount(row), np.full(50, size))
        counts = np.bincount(position, minlength=1000)
        # Drawing without replacement makes the variance smaller by (1 - size/length).
        square = ((counts - size / 20) ** 2).sum() / (size / 20 * (1 - size / 1000))
        assert 1e-3 < stats.chi2.cdf(square, 999) < 1 - 1e-3


def test_rows_of_different_length_and_size():
    length, size = np.array([7, 0, 100, 3, 10, 50]), np.array([0, 0, 99, 3, 4, 2])
    row, position, following = distinct(length, size, 17, draws(2))
    assert np.array_equal(np.bincount(row, minlength=6), size)
    assert (position >= 0).all() and (position < length[row]).all()
    assert (np.diff(row * 100 + position) > 0).all()
    assert following == 17 + 1 + 4 + 2


def test_samples_do_not_depend_on_the_rows_beside_them():
    length, size = np.arange(1, 60), np.arange(1, 60) * 3 // 5
    _, position, _ = distinct(length, size, 0, draws(4))
    first, found = 0, []
    for start, stop in spans(len(length), 7):
        _, part, first = distinct(length[start:stop], size[start:stop], first, draws(4))
        found.append(part)
    assert np.array_equal(np.concatenate(found), position)


def test_nothing_to_draw():
    row, position, following = distinct(np.empty(0, int), np.empty(0, int), 9, draws(1))
    assert (len(row), len(position), following) == (0, 0, 9)
