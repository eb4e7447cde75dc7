"""Values that lead back to their group: what is set in ``x[:]``."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest
from plain_group import PLACE, Plain

from rall.errors import DimensionMismatchError, RallError
from rall.units import Quantity, ms, mV, volt


@pytest.fixture(params=[None, PLACE], ids=["in order", "shuffled"])
def group(request):
    made = Plain(request.param)
    made.v = np.arange(7) * mV
    made.n = np.arange(7)
    return made


def assert_v(group, expected):
    np.testing.assert_allclose(group.v_, np.multiply(expected, 1e-3), rtol=1e-12)


# --- what reaches the group ---


def test_elements_that_are_set(group):
    group.v[:][group.v > 4 * mV] = 0 * mV
    group.v[:][0] = 8 * mV
    group.v[:][[1, -5]] = [7, 9] * mV
    assert_v(group, [8, 7, 9, 3, 4, 0, 0])
    group.v_[:][group.v_ < 5e-3] = 0.5
    group.n[:][2:4] = [-1, -2]
    group.on[:][group.n > 4] = True
    assert_v(group, [8, 7, 9, 500, 500, 500, 500])
    assert group.n[:].tolist() == [0, 1, -1, -2, 4, 5, 6]
    assert group.on[:].tolist() == [False] * 5 + [True] * 2


def test_no_element_is_set_by_an_empty_choice(group):
    group.v[:][group.v > 1 * volt] = 0 * mV
    assert_v(group, range(7))


def test_arithmetic_in_place(group):
    values = group.v[:]
    values += 1 * mV
    values *= 2
    assert_v(group, [2, 4, 6, 8, 10, 12, 14])
    assert values[1] == group.v[1]
    group.v[:] -= 2 * mV
    group.v[:][3] += 1 * mV
    group.v[:][group.v > 9 * mV] /= 2
    assert_v(group, [0, 2, 4, 7, 8, 5, 6])
    group.n[:] //= 2
    group.on[:] |= group.n[:] > 1
    assert group.n[:].tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert group.on[:].tolist() == [False] * 4 + [True] * 3


def test_slices_lead_back(group):
    values = group.v[:]
    values[1:3] += 10 * mV
    values[::-2][1:] = 0 * mV
    assert_v(group, [0, 11, 0, 3, 0, 5, 6])
    assert values[1] == 11 * mV and values[0] == 0 * mV
    part = group.n[:][5:]
    part[:] = -1
    assert group.n[:].tolist() == [0, 1, 2, 3, 4, -1, -1]


# --- what does not ---


def test_what_is_computed_is_plain(group):
    v, v_, n = group.v[:], group.v_[:], group.n[:]
    assert isinstance(v, Quantity) and isinstance(v_, np.ndarray)
    plain = [
        v_ + 1, 2 * v_, -v_, np.sqrt(v_), v / mV, v_[[0, 1]], v_[v_ > 0], np.where(n > 2, n, 0), v_.copy(),
        np.array(v_), np.concatenate([v_, v_]), pickle.loads(pickle.dumps(v_)), (v * 2).value,
        (v + v).value, v[[0, 1]].value, v.copy().value, pickle.loads(pickle.dumps(v)).value,
    ]  # fmt: skip
    assert {type(one) for one in plain} == {np.ndarray}
    assert type(v_[1]) is type(v_.sum()) is type(np.mean(v_)) is np.float64
    assert isinstance(v.sum(), Quantity) and isinstance(v * n, Quantity)
    assert repr(n) == "array([0, 1, 2, 3, 4, 5, 6])"


@pytest.mark.parametrize(
    "derive",
    [
        np.array, copy.copy, copy.deepcopy, lambda x: x.copy(), lambda x: x * 1, lambda x: x[[0, 1]],
        lambda x: x[x >= 0], lambda x: x.flatten(), lambda x: x.astype(float), np.copy,
        lambda x: pickle.loads(pickle.dumps(x)), lambda x: pickle.loads(pickle.dumps(x, protocol=5)),
    ],
)  # fmt: skip
def test_derived_arrays_are_the_users_own(group, derive):
    derived = derive(group.v_[:])
    derived[0] = 5
    derived += 1
    derived[1:] *= 2
    assert derived[0] == 6
    assert_v(group, range(7))


def test_a_quantity_of_another_dimension_is_a_new_one(group):
    values = whole = group.v[:]
    values /= mV
    values[0] = 9
    np.testing.assert_allclose(values, [9, 1, 2, 3, 4, 5, 6])
    assert whole[1] == 1 * mV
    assert_v(group, range(7))


def test_subexpressions_and_parts_are_copies(group):
    half, part = group.half[:], group.part(slice(3)).v[:]
    half -= half.mean()
    part[0] = 9 * mV
    assert abs(half[3]) < 1e-12 * mV and part[0] == 9 * mV
    assert_v(group, range(7))


def test_a_later_change_of_the_group_leaves_the_values(group):
    values = group.v[:]
    group.v = 9 * mV
    assert values[1] == 1 * mV


# --- errors in place of writing past the group ---


def test_values_that_have_changed_since(group):
    values = group.v[:]
    group.v[3] = 9 * mV
    for change in (lambda: values.__setitem__(0, 1 * mV), lambda: values.__iadd__(1 * mV)):
        with pytest.raises(RallError, match=r"'v' of 'plain.*' has changed .* v\[:\]\.copy\(\)"):
            change()
    values[4:][0] = 0 * mV  # this part has not
    group.v = np.arange(7) * mV
    values = group.v[:]
    group.v = np.nan * volt
    group.v = np.arange(7) * mV
    values[0] = 8 * mV  # nor has this, in the end
    assert_v(group, [8, 1, 2, 3, 4, 5, 6])


def test_values_that_are_not_numbers_have_not_changed(group):
    group.v = np.nan * volt
    group.v[:][np.isnan(group.v)] = 0 * mV
    assert_v(group, [0] * 7)


def test_units_are_checked(group):
    with pytest.raises(DimensionMismatchError):
        group.v[:][0] = 1 * ms
    with pytest.raises(DimensionMismatchError):
        group.v[:] += 1
    with pytest.raises(DimensionMismatchError, match="'n'"):
        group.n[:][0] = 1 * mV
    with pytest.raises(DimensionMismatchError, match="'v'"):
        group.v_[:][0] = 1 * ms
    with pytest.raises(DimensionMismatchError, match="'n'"):
        group.n[:][:] = group.v
    assert_v(group, range(7))


def test_what_rall_keeps_cannot_be_set(group):
    with pytest.raises(RallError, match=r"'i'.*i\[:\]\.copy\(\)"):
        group.i[:][0] = 5
    assert group.i[:].tolist() == list(range(7))


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.sort(), lambda x: x.fill(1), lambda x: np.clip(x, 0, 1, out=x), lambda x: np.copyto(x, 1),
        lambda x: np.asarray(x).__setitem__(0, 1), lambda x: x.reshape(7, 1).__setitem__(0, 1),
        lambda x: np.put(x, 0, 1),
    ],
)  # fmt: skip
def test_no_other_way_of_writing_passes_the_group_by(group, write):
    with pytest.raises(ValueError, match="read-only"):
        write(group.v_[:])
    assert_v(group, range(7))


# --- lifetime ---


def test_values_outlive_their_group():
    def made():
        group = Plain()
        group.v = np.arange(7) * mV
        return group.v[:]

    values = made()
    gc.collect()
    values[values > 3 * mV] = 0 * mV
    values += 1 * mV
    np.testing.assert_allclose(values / mV, [1, 2, 3, 4, 1, 1, 1])
    assert values.value._source[0]() is None


def test_stored_values_put_back():
    group = Plain()
    group.v = np.arange(7) * mV
    values, kept = group.v[:], group.state()
    group.v = 9 * mV
    group.set_state(kept)
    values[0] = 5 * mV
    assert_v(group, [5, 1, 2, 3, 4, 5, 6])
    group.set_state(kept)
    assert_v(group, range(7))
