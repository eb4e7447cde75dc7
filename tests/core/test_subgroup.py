"""Subgroups: views of some elements, numbered from 0."""

from __future__ import annotations

import numpy as np
import pytest
from plain_group import PLACE, Plain

from rall.errors import DimensionMismatchError, EquationError, IndexOutOfRangeError, RallError
from rall.groups.subgroup import Subgroup, check_slice, pick
from rall.session import seed
from rall.units import Quantity, ms, mV, volt


@pytest.fixture(params=[None, PLACE], ids=["in order", "shuffled"])
def group(request):
    made = Plain(request.param)
    made.v = "i*mV"
    made.n = "10*i"
    return made


def test_attributes_are_those_of_its_elements(group):
    part = group.part(slice(2, 5))
    assert isinstance(part, Subgroup)
    np.testing.assert_allclose(part.v / mV, [2, 3, 4], rtol=1e-14)
    np.testing.assert_allclose(part.v_, [2e-3, 3e-3, 4e-3], rtol=1e-14)
    np.testing.assert_allclose(part.half / mV, [1, 1.5, 2], rtol=1e-14)
    assert part.n[:].tolist() == [20, 30, 40] and part.i[:].tolist() == [0, 1, 2]
    assert (len(part), part.N, part.start, part.stop) == (3, 3, 2, 5)
    assert part.clock is group.clock and part.t == group.t and part.dt_ == group.dt_
    assert "3 elements" in repr(part) and group.name in part.name


def test_writing_reaches_the_group_and_nothing_else(group):
    part = group.part(slice(2, 5))
    part.v = 9 * mV
    part.n = [7, 8, 9]
    part.v_[1] = 0.5
    part.on[[0, 2]] = True
    part.v[2] += 1 * mV
    np.testing.assert_allclose(group.v_, [0, 1e-3, 9e-3, 0.5, 1e-2, 5e-3, 6e-3], rtol=1e-14)
    assert group.n[:].tolist() == [0, 10, 7, 8, 9, 50, 60]
    assert group.on[:].tolist() == [False, False, True, False, True, False, False]


def test_arithmetic_in_place_changes_each_element_once(group):
    part = group.part(slice(4, 7))
    part.v += 1 * mV
    part.n *= 2
    part.n["i == 1"] -= 5
    np.testing.assert_allclose(group.v / mV, [0, 1, 2, 3, 5, 6, 7], rtol=1e-14)
    assert group.n[:].tolist() == [0, 10, 20, 30, 80, 95, 120]


def test_elements_need_not_lie_side_by_side(group):
    part = group.part([5, 0, 3])
    part.n = [1, 2, 3]
    assert group.n[:].tolist() == [2, 10, 20, 3, 40, 1, 60]
    part.v = "(i + 1)*mV"
    np.testing.assert_allclose(group.v / mV, [2, 1, 2, 3, 4, 1, 6], rtol=1e-14)


def test_text_counts_from_the_first_element_of_the_part(group):
    part = group.part(slice(3, 7))
    part.n = "i + 100*N"
    assert group.n[3:].tolist() == [400, 401, 402, 403]
    part.n["i > 2"] = "-i"
    part.n[:2] = "N - i"
    assert group.n[:].tolist() == [0, 10, 20, 4, 3, 402, -3]
    np.testing.assert_array_equal(part.indices_of("v > 4.5*mV"), [2, 3])
    assert part.n["i < 1"].tolist() == [4]
    np.testing.assert_array_equal(part.evaluate("i*2", np.array([3, 1])), [6, 2])


def test_subexpressions_of_the_model_keep_their_own_numbers(group):
    """`decay` is exp(-i/5)*scale with the group's i."""
    scale = 2.0
    part = group.part(slice(3, 6))
    expected = 2 * np.exp(-np.arange(3, 6) / 5)
    np.testing.assert_allclose(part.evaluate("decay"), expected, rtol=1e-14)
    np.testing.assert_allclose(part.evaluate("decay + i"), expected + np.arange(3), rtol=1e-14)
    np.testing.assert_allclose(part.decay[:], expected, rtol=1e-14)
    assert part.decay[f"decay < {scale}*exp(-0.7)"].shape == (2,)


def test_shared_values_are_those_of_the_whole(group):
    part = group.part([1, 2])
    group.tau = 3 * ms
    assert part.tau == 3 * ms and part.tau_ == 3e-3
    part.tau = "2*ms + 3*ms"
    assert group.tau == 5 * ms
    part.tau = 1 * ms
    assert group.tau == 1 * ms
    part.tau_ = 0.25
    assert group.tau_ == 0.25
    with pytest.raises(RallError, match="one value for all"):
        part.tau = "i*ms"


def test_parts_of_parts(group):
    part = group.part(slice(2, 7))[1:4]
    assert part.group is group and part.indices.tolist() == [3, 4, 5]
    part = part[[True, False, True]]
    assert part.indices.tolist() == [3, 5]
    assert group.part(slice(1, 6))["n >= 40"].indices.tolist() == [4, 5]
    assert part[-1].indices.tolist() == [5] and part[-1].n[0] == 50


def test_a_part_is_an_index(group):
    part = group.part(slice(2, 4))
    assert group.n[part].tolist() == [20, 30]
    group.n[part] = 5
    assert group.n[:].tolist() == [0, 10, 5, 5, 40, 50, 60]
    assert group.indices_of(part) is part.indices


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda g: g.part([]), "no element"), (lambda g: g.part("n > 1000"), "no element"),
        (lambda g: g.part([1, 2, 1]), "twice"), (lambda g: g.part(slice(0, 8)), "8 in"),
        (lambda g: g.part(slice(1, 4))[2:5], "5 in"), (lambda g: g.part([7]), "7 elements"),
        (lambda g: g.part(slice(1, 4)).n[3], "3 elements"), (lambda g: g.part(slice(1, 4)).part, "no variable 'part'"),
        (lambda g: g.part("n + 1"), "must be a condition"), (lambda g: g.part([1]).indices_of("n*2"), "must be a"),
        (lambda g: g.part([1]).vv, "'v'"), (lambda g: setattr(g.part([1]), "w", 1), "'w'"),
        (lambda g: setattr(g.part([1, 2]), "n", [1, 2, 3]), "one value or 2"),
        (lambda g: setattr(g.part([1, 2]), "i", 3), "cannot be set"),
        (lambda g: setattr(g.part([1, 2]), "half", 3), "computed by the model"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(group, wrong, why):
    with pytest.raises((RallError, AttributeError), match=why):
        wrong(group)


def test_units_are_checked(group):
    part = group.part([1, 2])
    with pytest.raises(DimensionMismatchError):
        part.v = 3 * ms
    with pytest.raises(EquationError):
        part.v = "3*ms"
    part.v_ = 0.25
    assert part.v[0] == 0.25 * volt and isinstance(part.v[:], Quantity)


def test_random_values_belong_to_the_element_of_the_whole():
    """A part draws what the whole would have drawn there."""
    group = Plain()
    seed(5)
    group.v = "rand()*volt"
    whole = group.v_[:]
    seed(5)
    group.v = 0 * volt
    group.part([4, 2]).v = "rand()*volt"
    np.testing.assert_array_equal(group.v_[:], np.where([0, 0, 1, 0, 1, 0, 0], whole, 0))


# --- indices ---


@pytest.mark.parametrize(
    ("item", "expected"),
    [(2, [2]), (-1, [4]), (slice(1, None, 2), [1, 3]), ([3, 0], [3, 0]), (np.array([4, 4]), [4, 4]), ([], []),
     ([True, False, False, True, False], [0, 3]), (np.int32(3), [3]), (slice(4, 1), [])],
)  # fmt: skip
def test_indices_are_those_of_arrays(item, expected):
    assert pick(5, item, "it").tolist() == expected


@pytest.mark.parametrize("item", [5, -6, [0, 5], 1.5, [True, False], {}, [0.5], None, [[1, 2]], (1, 2)])
def test_what_is_no_index_is_refused(item):
    with pytest.raises(IndexOutOfRangeError, match="it has 5 elements"):
        pick(5, item, "it")


def test_slices_that_reach_beyond_are_refused():
    for good in (slice(None), slice(0, 5), slice(-5, 5), slice(5, 0, -1), 99, [1]):
        check_slice(5, good, "it")
    for bad in (slice(0, 6), slice(6, None), slice(-6, None)):
        with pytest.raises(IndexOutOfRangeError, match="5 elements"):
            check_slice(5, bad, "it")
