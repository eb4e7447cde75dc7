"""Arithmetic, comparison and indexing of quantities."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from rall.units import (
    DIMENSIONLESS,
    DimensionMismatchError,
    Quantity,
    Unit,
    amp,
    cm,
    dimension_of,
    kelvin,
    mA,
    metre,
    mM,
    mole,
    ms,
    msiemens,
    mV,
    nA,
    second,
    siemens,
    uF,
    um,
    value_of,
    volt,
)


def values(x: object) -> np.ndarray:
    return np.asarray(value_of(x))


class TestScalars:
    def test_sum_has_the_dimension(self):
        total = 3 * mV + 2 * mV
        assert type(total) is Quantity
        assert total.dim is volt.dim
        assert total.value == pytest.approx(0.005, rel=1e-15)

    def test_value_of_unit_multiples_is_the_nearest_double(self):
        assert (1 * um).value == 1e-6
        assert (um**2).value == 1e-12
        assert (mV * ms).value == 1e-6
        assert (1 * mM).value == 1.0

    @pytest.mark.parametrize(
        ("result", "expected"),
        [
            (10 * ms / ms, 10.0),
            (3 * volt / (2 * volt), 1.5),
            ((2 * mV) ** 0, 1.0),
            (3 * siemens * (2 * volt) / amp, 6.0),
            (5 * mV // (2 * mV), 2.0),
        ],
    )
    def test_no_dimension_left_gives_a_plain_number(self, result, expected):
        assert type(result) is float
        assert result == pytest.approx(expected, rel=1e-14)

    def test_derived_dimensions(self):
        assert dimension_of(3 * nA / (2 * mV)) is siemens.dim
        assert dimension_of((3 * volt) ** 2) is volt.dim**2
        assert dimension_of((4 * second) ** -0.5) is second.dim**-0.5
        assert ((4 * second) ** -0.5).value == 0.5
        assert ((9 * volt**2) ** 0.5).dim is volt.dim
        assert dimension_of(1 / ms) is second.dim**-1

    def test_remainder_sign_and_rounding(self):
        rest = 5 * volt % (3 * volt)
        assert rest.value == 2.0 and rest.dim is volt.dim
        assert divmod(5 * volt, 3 * volt) == (1.0, 2 * volt)
        assert (-(3 * mV)).value == -0.003
        assert abs(-3 * mV) == 3 * mV
        assert round(3.14159 * volt, 2).value == 3.14
        assert (+(3 * mV)) == 3 * mV

    def test_conversions(self):
        assert float(3 * mV) == 0.003
        assert int(3.7 * volt) == 3
        assert bool(1 * mV) and not bool(0 * mV)
        assert complex(2 * volt) == 2 + 0j

    def test_sum_of_a_list_starts_with_plain_zero(self):
        assert sum([1 * mV, 2 * mV]) == 3 * mV

    def test_augmented_assignment_does_not_touch_other_names(self):
        start = 3 * mV
        x = start
        x += 2 * mV
        x *= 2
        assert x.value == pytest.approx(0.01, rel=1e-15)
        assert start.value == 0.003
        unit = mV
        unit *= 2
        assert mV.value == 0.001

    def test_division_by_zero_and_roots_follow_numpy(self):
        with pytest.warns(RuntimeWarning):
            assert (1 * mV / (0 * ms)).value == math.inf
        assert math.isnan(((-4 * volt) ** 0.5).value)

    def test_numpy_scalars_take_part(self):
        x = np.float64(2) * mV
        assert type(x) is Quantity and type(x.value) is float
        assert x == mV * np.float64(2) == np.int64(2) * mV
        assert type(np.float64(2) * volt / volt) is float

    def test_large_powers_overflow_to_infinity(self):
        with pytest.warns(RuntimeWarning):
            assert ((1e200 * volt) ** 2).value == math.inf


class TestMismatch:
    @pytest.mark.parametrize(
        "attempt",
        [
            lambda: 3 * mV + 2 * nA,
            lambda: 3 * mV - 2 * nA,
            lambda: 3 * mV + 2,
            lambda: 2 - 3 * mV,
            lambda: 3 * mV < 2 * nA,
            lambda: 3 * mV == 2 * nA,
            lambda: 3 * mV % (2 * ms),
            lambda: 3 * mV + np.ones(3),
            lambda: np.ones(3) * mV + [1, 2, 3],
            lambda: 2 ** (3 * mV),
            lambda: (2 * mV) ** (3 * mV),
            lambda: Quantity([1 * mV, 2 * nA]),
            lambda: Quantity(3 * mV, dim=amp.dim),
        ],
    )
    def test_raises(self, attempt):
        with pytest.raises(DimensionMismatchError):
            attempt()

    def test_message_names_both_values_and_dimensions(self):
        with pytest.raises(DimensionMismatchError) as caught:
            3 * mV + 2 * nA
        for part in ("3 mV", "2 nA", "volt", "amp"):
            assert part in str(caught.value)

    def test_message_for_a_plain_number_says_what_would_do(self):
        with pytest.raises(DimensionMismatchError, match=r"pure number.*such as 2\*mvolt"):
            3 * mV + 2

    def test_message_for_an_array_is_short(self):
        with pytest.raises(DimensionMismatchError, match="array of 1000 values from 0 mV to 999 mV"):
            np.arange(1000) * mV + 1 * nA

    def test_error_is_a_value_error(self):
        assert issubclass(DimensionMismatchError, ValueError)

    @pytest.mark.parametrize("neutral", [0, 0.0, math.inf, -math.inf, np.zeros(3), [0, 0, 0]])
    def test_zero_and_infinity_go_with_everything(self, neutral):
        assert dimension_of(3 * mV + neutral) is volt.dim
        assert dimension_of(neutral - 3 * mV) is volt.dim
        assert np.all((3 * mV > neutral) != (3 * mV <= neutral))

    def test_nan_goes_with_everything(self):
        assert math.isnan((3 * mV + math.nan).value)
        assert not 3 * mV == math.nan

    def test_equality_with_what_is_no_number(self):
        assert (3 * mV == "3 mV") is False
        assert (3 * mV != None) is True  # noqa: E711
        with pytest.raises(TypeError):
            3 * mV + "2 mV"


class TestArrays:
    def test_from_list_of_quantities(self):
        x = Quantity([1 * mV, 2 * mV])
        assert x.dim is volt.dim
        np.testing.assert_allclose(x.value, [1e-3, 2e-3], rtol=1e-15)
        assert dimension_of([[1 * mV], [2 * mV]]) is volt.dim

    @pytest.mark.parametrize("left", [np.arange(3), [0, 1, 2], (0, 1, 2)])
    def test_array_times_unit_both_ways(self, left):
        for x in (left * mV, mV * left):
            assert isinstance(x, Quantity)
            np.testing.assert_allclose(x.value, [0, 1e-3, 2e-3], rtol=1e-15)

    def test_plain_array_minus_quantity(self):
        np.testing.assert_array_equal(values(np.zeros(2) - 3 * volt), [-3, -3])
        with pytest.raises(DimensionMismatchError):
            np.ones(2) - 3 * volt

    def test_plain_array_divided_and_compared(self):
        x = np.array([2.0, 4.0]) / (2 * second)
        assert x.dim is second.dim**-1
        np.testing.assert_array_equal(values(x), [1, 2])
        np.testing.assert_array_equal(np.zeros(2) < 3 * mV, [True, True])
        np.testing.assert_array_equal(np.array([0.0, np.inf]) > [1, 1] * mV, [False, True])

    def test_quotient_of_arrays_is_an_ndarray(self):
        x = np.array([1.0, 2.0]) * mV / mV
        assert type(x) is np.ndarray
        np.testing.assert_allclose(x, [1, 2], rtol=1e-15)

    def test_indexing(self):
        x = np.arange(5) * mV
        assert type(x[2]) is Quantity and type(x[2].value) is float
        assert x[2] == 2 * mV
        assert list(x[1:3]) == [1 * mV, 2 * mV]
        assert x[x > 2 * mV].size == 2
        assert x[-1] == 4 * mV
        assert (np.ones((2, 3)) * mV)[1].shape == (3,)

    def test_assignment(self):
        x = np.arange(5) * mV
        x[2] = 30 * mV
        x[3:] = [1, 2] * mV
        x[0] = [7 * mV][0]
        np.testing.assert_allclose(x.value, [7e-3, 1e-3, 30e-3, 1e-3, 2e-3], rtol=1e-15)
        x[1] = 0
        assert x[1] == 0 * mV
        with pytest.raises(DimensionMismatchError):
            x[2] = 3
        with pytest.raises(DimensionMismatchError):
            x[:] = 3 * nA
        with pytest.raises(TypeError, match="scalar"):
            (3 * mV)[0] = 1 * mV

    def test_slices_are_views(self):
        x = np.arange(5) * mV
        part = x[1:3]
        part[:] = 9 * mV
        assert x[1] == 9 * mV

    def test_in_place_changes_the_array(self):
        x = np.arange(3.0) * mV
        alias = x
        x += 1 * mV
        x *= 2
        x -= [1, 1, 1] * mV
        x /= 2
        np.testing.assert_allclose(alias.value, [0.5e-3, 1.5e-3, 2.5e-3], rtol=1e-13)
        assert x is alias
        with pytest.raises(DimensionMismatchError):
            x += 1 * nA
        whole = Quantity(np.arange(3), dim=volt.dim)
        with pytest.raises(TypeError):
            whole *= 0.5

    def test_in_place_change_of_dimension(self):
        x = before = np.arange(3.0) * volt
        x *= 2 * siemens
        assert x.dim is amp.dim and x[1] == 2 * amp
        assert before.dim is volt.dim and before[1] == 1 * volt
        x /= amp
        assert type(x) is np.ndarray

    def test_plain_array_cannot_take_a_dimension_in_place(self):
        x = np.ones(3)
        with pytest.raises(DimensionMismatchError):
            x += 3 * mV
        with pytest.raises(DimensionMismatchError):
            x *= mV
        x *= 3 * mV / (1 * mV)
        np.testing.assert_allclose(x, 3)

    def test_iteration_and_length(self):
        x = np.arange(3) * mV
        assert len(x) == 3
        assert [type(element) for element in x] == [Quantity] * 3
        with pytest.raises(TypeError):
            iter(3 * mV)
        with pytest.raises(TypeError):
            len(3 * mV)
        assert 2 * mV in x

    def test_matrix_product(self):
        a = np.eye(2) * siemens
        v = np.array([1.0, 2.0]) * volt
        assert (a @ v).dim is amp.dim
        np.testing.assert_array_equal(values(a @ v), [1, 2])
        np.testing.assert_array_equal(values(np.eye(2) @ v), [1, 2])

    def test_truth_of_an_array_is_refused(self):
        with pytest.raises(ValueError):
            bool([1, 2] * mV)

    def test_float32_stays(self):
        x = np.ones(3, dtype=np.float32) * mV
        assert (x + 3 * mV).dtype == np.float32

    def test_array_powers(self):
        x = np.array([1.0, 2.0]) * metre
        np.testing.assert_array_equal(values(x**2), [1, 4])
        assert (x**2).dim is (metre**2).dim
        with pytest.raises(TypeError, match="array of powers"):
            x ** np.array([1, 2])


class TestIdentity:
    def test_hash_follows_equality(self):
        assert hash(3 * mV) == hash(mV * 3)
        assert {3 * mV: "a"}[3 * mV] == "a"
        with pytest.raises(TypeError):
            hash([1, 2] * mV)

    @pytest.mark.parametrize("x", [3 * mV, np.arange(3) * nA, mV, msiemens / cm**2, Quantity(2.0)])
    def test_pickle_and_copy(self, x):
        for twin in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
            assert type(twin) is type(x)
            assert twin.dim is x.dim
            np.testing.assert_array_equal(twin.value, x.value)
            assert str(twin) == str(x)

    def test_copies_are_independent(self):
        x = np.arange(3.0) * mV
        for twin in (x.copy(), copy.copy(x), copy.deepcopy(x), Quantity(x, copy=True)):
            twin[0] = 5 * mV
        assert x[0] == 0 * mV

    def test_construction(self):
        assert Quantity(3, dim=volt.dim) == 3 * volt
        assert Quantity.with_dimensions(3, metre=1, second=-1) == 3 * metre / second
        assert Quantity.with_dimensions(3, volt.dim) == 3 * volt
        assert Quantity.with_dimensions(3, (1, 0, 0, 0, 0, 0, 0)) == 3 * metre
        assert Quantity(3).dim is DIMENSIONLESS and Quantity(3).is_dimensionless
        assert Quantity([1, 2] * mV, dtype=np.float32).dtype == np.float32
        assert (3 * mV).dimensions is volt.dim
        assert (3 * mV).has_same_dimensions(volt) and not (3 * mV).has_same_dimensions(3)
        with pytest.raises(TypeError, match="no number"):
            Quantity("3 mV")

    def test_objects_may_offer_their_quantity(self):
        class View:
            def __quantity__(self) -> Quantity:
                return 3 * mV

        assert dimension_of(View()) is volt.dim
        assert value_of(View()) == 0.003
        assert Quantity(View()) == 3 * mV

    def test_plain_values_pass_through(self):
        array = np.arange(3.0)
        assert value_of(array) is array
        assert value_of(2.5) == 2.5
        assert dimension_of(array) is DIMENSIONLESS
        assert value_of(3 * mV) == 0.003


class TestAsArray:
    def test_attributes(self):
        x = np.ones((2, 3)) * mV
        assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, np.float64)
        assert x.T.shape == (3, 2) and x.T.dim is volt.dim
        assert ((3 * mV).shape, (3 * mV).ndim, (3 * mV).size) == ((), 0, 1)

    @pytest.mark.parametrize("name", ["mean", "sum", "std", "min", "max", "ptp", "cumsum", "round"])
    def test_methods_that_keep_the_dimension(self, name):
        plain = np.array([3.0, 1.0, 2.0])
        result = getattr(plain * volt, name)()
        expected = getattr(np, name)(plain)
        assert result.dim is volt.dim
        np.testing.assert_allclose(result.value, expected, rtol=1e-15)

    def test_axis(self):
        x = np.arange(6.0).reshape(2, 3) * volt
        np.testing.assert_array_equal(values(x.mean(axis=0)), [1.5, 2.5, 3.5])
        np.testing.assert_array_equal(values(x.sum(axis=1)), [3, 12])

    def test_other_dimensions(self):
        x = np.array([1.0, 3.0]) * volt
        assert x.var().dim is volt.dim**2 and x.var().value == 1.0
        assert x.prod().dim is volt.dim**2 and x.prod().value == 3.0
        assert x.argmax() == 1 and x.argmin() == 0
        assert x.dot([1, 1] * siemens) == 4 * amp
        with pytest.raises(TypeError):
            x.cumprod()

    def test_shapes(self):
        x = np.arange(6) * volt
        assert x.reshape(2, 3).shape == x.reshape((2, 3)).shape == (2, 3)
        for flat in (x.reshape(2, 3).ravel(), x.reshape(2, 3).flatten()):
            assert flat.shape == (6,) and flat.dim is volt.dim
        assert x.reshape(2, 3).transpose().shape == (3, 2)
        assert x.astype(np.float32).dtype == np.float32

    def test_elements(self):
        x = np.array([3.0, 1.0, 2.0]) * mV
        assert x.item(1) == 1 * mV
        assert x.tolist() == [3 * mV, 1 * mV, 2 * mV]
        x.sort()
        assert list(x) == [1 * mV, 2 * mV, 3 * mV]
        x.fill(7 * mV)
        assert np.all(x == 7 * mV)
        with pytest.raises(DimensionMismatchError):
            x.fill(7)
        assert (np.array([3.0, 1.0]) * mV).clip(2 * mV, 5 * mV).tolist() == [3 * mV, 2 * mV]


def test_units_of_the_field_combine():
    current = (120 * msiemens / cm**2) * (50 * mV)
    assert current.dim is (amp / metre**2).dim
    assert current.value == pytest.approx(60.0)
    assert str(1 * uF / cm**2 * (10 * mV / ms)) == "10 uA/cm2"
    assert isinstance(mole / metre**3 / kelvin, Unit)
    assert (1 * mA) == 1e-3 * amp
