"""NumPy's functions, the package's own functions and the checks of dimensions."""

from __future__ import annotations

import numpy as np
import pytest

from rall import units
from rall.units import (
    DimensionMismatchError,
    Quantity,
    amp,
    check_units,
    dimension_of,
    fail_for_dimension_mismatch,
    get_dimensions,
    have_same_dimensions,
    in_best_unit,
    in_unit,
    is_dimensionless,
    is_scalar_type,
    metre,
    ms,
    mV,
    nA,
    ohm,
    quantity_with_dimensions,
    second,
    siemens,
    value_of,
    volt,
)

DATA = np.array([3.0, 1.0, 2.0, 5.0])
V = DATA * volt
GRID = np.arange(6.0).reshape(2, 3) * volt


def check(result, expected, dim):
    """The result has the dimension and, in SI units, the expected value."""
    assert dimension_of(result) is getattr(dim, "dim", dim)
    assert isinstance(result, Quantity) == (dimension_of(result) is not units.DIMENSIONLESS)
    np.testing.assert_allclose(value_of(result), expected, rtol=1e-14)


@pytest.mark.parametrize("name", [
    "mean", "sum", "std", "median", "min", "max", "amin", "amax", "ptp", "sort", "cumsum", "ravel", "diff",
    "flip", "nanmean", "nanmax", "nansum", "unique", "copy", "average",
    "squeeze", "negative", "absolute", "positive", "atleast_2d", "round", "real", "trim_zeros",
])  # fmt: skip
def test_functions_that_keep_the_dimension(name):
    func = getattr(np, name)
    check(func(V), func(DATA), volt)


@pytest.mark.parametrize(
    "name",
    [
        "argmax",
        "argmin",
        "argsort",
        "isfinite",
        "isnan",
        "sign",
        "any",
        "all",
        "shape",
        "size",
        "ndim",
        "count_nonzero",
        "flatnonzero",
        "signbit",
        "logical_not",
    ],
)
def test_functions_with_a_plain_result(name):
    func = getattr(np, name)
    result = func(V)
    assert not isinstance(result, Quantity)
    np.testing.assert_array_equal(result, func(DATA))


@pytest.mark.parametrize(
    ("call", "expected", "dim"),
    [
        (lambda: np.sqrt(4 * volt**2), 2, volt),
        (lambda: np.square(3 * volt), 9, volt**2),
        (lambda: np.cbrt(8 * metre**3), 2, metre),
        (lambda: np.reciprocal(4.0 * second), 0.25, second**-1),
        (lambda: np.power(V, 2), DATA**2, volt**2),
        (lambda: np.var(V), DATA.var(), volt**2),
        (lambda: np.prod(V), 30, volt**4),
        (lambda: np.prod(GRID, axis=0), [0, 4, 10], volt**2),
        (lambda: np.add(V, 1 * volt), DATA + 1, volt),
        (lambda: np.subtract(V, V), DATA * 0, volt),
        (lambda: np.multiply(V, 2 * siemens), DATA * 2, amp),
        (lambda: np.divide(V, 2 * ohm), DATA / 2, amp),
        (lambda: np.maximum(V, 2 * volt), np.maximum(DATA, 2), volt),
        (lambda: np.minimum(0, V), DATA * 0, volt),
        (lambda: np.hypot(3 * volt, 4 * volt), 5, volt),
        (lambda: np.remainder(V, 2 * volt), DATA % 2, volt),
        (lambda: np.add.reduce(V), 11, volt),
        (lambda: np.maximum.accumulate(V), [3, 3, 3, 5], volt),
        (lambda: np.multiply.outer(V, [1, 2] * siemens), np.outer(DATA, [1, 2]), amp),
        (lambda: np.percentile(V, 50), 2.5, volt),
        (lambda: np.quantile(V, [0, 1]), [1, 5], volt),
        (lambda: np.concatenate([V, V]), np.concatenate([DATA, DATA]), volt),
        (lambda: np.concatenate([V, np.zeros(2)]), [3, 1, 2, 5, 0, 0], volt),
        (lambda: np.vstack([V, V]), np.vstack([DATA, DATA]), volt),
        (lambda: np.hstack((V, V)), np.hstack((DATA, DATA)), volt),
        (lambda: np.stack([1 * volt, 2 * volt]), [1, 2], volt),
        (lambda: np.append(V, 4 * volt), [3, 1, 2, 5, 4], volt),
        (lambda: np.insert(V, 0, 4 * volt), [4, 3, 1, 2, 5], volt),
        (lambda: np.where([True, False], 1 * volt, 2 * volt), [1, 2], volt),
        (lambda: np.where([True, False], 1 * volt, 0), [1, 0], volt),
        (lambda: np.clip(V, 2 * volt, 4 * volt), np.clip(DATA, 2, 4), volt),
        (lambda: np.clip(V, a_min=None, a_max=2 * volt), np.clip(DATA, None, 2), volt),
        (lambda: np.linspace(0 * volt, 1 * volt, 3), [0, 0.5, 1], volt),
        (lambda: np.interp(1.5 * second, [1, 2] * second, [10, 20] * volt), 15, volt),
        (lambda: np.interp([1.5] * second, [1, 2] * second, [10, 20]), [15], units.DIMENSIONLESS),
        (lambda: np.trapezoid(V, dx=2 * second), 14, volt * second),
        (lambda: np.trapezoid(V, [0, 1, 2, 3] * second), 7, volt * second),
        (lambda: np.dot(V, DATA * siemens), 39, amp),
        (lambda: np.outer([1, 2] * volt, [3, 4]), [[3, 4], [6, 8]], volt),
        (lambda: np.matmul(np.eye(4), V), DATA, volt),
        (lambda: np.convolve(V, [1, 1] * second), np.convolve(DATA, [1, 1]), volt * second),
        (lambda: np.gradient(V, 2 * second), np.gradient(DATA, 2), volt / second),
        (lambda: np.reshape(V, (2, 2)), DATA.reshape(2, 2), volt),
        (lambda: np.transpose(GRID), value_of(GRID).T, volt),
        (lambda: np.sum(GRID, axis=1), [3, 12], volt),
        (lambda: np.trace(GRID), 4, volt),
        (lambda: np.full_like(V, 2 * volt), DATA * 0 + 2, volt),
        (lambda: np.tile(V, 2), np.tile(DATA, 2), volt),
        (lambda: np.diff(V, prepend=0 * volt), np.diff(DATA, prepend=0), volt),
        (lambda: np.linalg.norm([3, 4] * volt), 5, volt),
        (lambda: np.fft.rfft(V), np.fft.rfft(DATA), volt),
        (lambda: np.einsum("i,i->", V, V), 39, volt**2),
        (lambda: np.bincount([0, 1, 1], weights=[1, 2, 3] * volt), [1, 5], volt),
        (lambda: np.select([[True, False]], [[1, 2] * volt], 5 * volt), [1, 5], volt),
        (lambda: np.nan_to_num([1, np.nan] * volt), [1, 0], volt),
        (lambda: np.exp(V / volt), np.exp(DATA), units.DIMENSIONLESS),
        (lambda: np.arctan2(1 * volt, 1 * volt), np.pi / 4, units.DIMENSIONLESS),
        (lambda: np.floor_divide(V, 2 * volt), DATA // 2, units.DIMENSIONLESS),
        (lambda: np.exp(Quantity(2.0)), np.exp(2), units.DIMENSIONLESS),
    ],
)  # fmt: skip
def test_dimension_of_the_result(call, expected, dim):
    check(call(), expected, dim)


@pytest.mark.parametrize(
    "call",
    [
        lambda: np.exp(V), lambda: np.sin(3 * mV), lambda: np.log(V), lambda: np.floor(V),
        lambda: np.add(V, 1), lambda: np.maximum(V, 1 * amp), lambda: np.concatenate([V, DATA]),
        lambda: np.where([True], 1 * volt, 2 * amp), lambda: np.clip(V, 1, 2),
        lambda: np.clip(DATA, 1 * volt, None),
        lambda: np.interp(1, [1, 2] * second, [1, 2]), lambda: np.linspace(0 * volt, 1 * amp, 3),
        lambda: np.isclose(V, DATA), lambda: np.arctan2(1 * volt, 1 * amp), lambda: np.append(V, 3),
        lambda: np.power(2.0, V), lambda: np.diff(V, prepend=1 * amp),
        lambda: np.histogram(V, bins=[0, 1, 2]),
        lambda: np.searchsorted(V, 3), lambda: np.add(V, V, out=np.zeros(4)), lambda: np.fmod(V, 3 * amp),
        lambda: np.copyto(V.copy(), DATA),
    ],
)  # fmt: skip
def test_wrong_dimensions_are_refused(call):
    with pytest.raises(DimensionMismatchError):
        call()


def test_comparisons():
    np.testing.assert_array_equal(np.isclose(V, DATA * 1000 * mV), True)
    assert np.allclose(V, V) and not np.allclose(V, 2 * V)
    assert np.array_equal(V, V.copy())
    assert np.searchsorted([1, 2, 3] * volt, 2.5 * volt) == 2
    np.testing.assert_array_equal(np.less(V, 2.5 * volt), DATA < 2.5)
    np.testing.assert_array_equal(np.digitize(V, [0, 2, 4] * volt), np.digitize(DATA, [0, 2, 4]))


def test_histogram():
    counts, edges = np.histogram(V, bins=2)
    check(edges, [1, 3, 5], volt)
    np.testing.assert_array_equal(counts, [2, 2])
    counts, edges = np.histogram(V, bins=[0, 2, 6] * volt, density=True)
    check(counts, [0.125, 0.1875], volt**-1)
    counts, _ = np.histogram(V, bins=2, range=(0 * volt, 6 * volt), weights=DATA * amp)
    check(counts, [3, 8], amp)


def test_results_with_several_members():
    first, second_half = np.split(V, 2)
    check(first, [3, 1], volt)
    check(second_half, [2, 5], volt)
    found, inverse = np.unique([2, 1, 2] * volt, return_inverse=True)
    check(found, [1, 2], volt)
    np.testing.assert_array_equal(inverse, [1, 0, 1])
    x, y = np.meshgrid([1, 2] * volt, [3, 4] * second)
    check(x, [[1, 2], [1, 2]], volt)
    check(y, [[3, 3], [4, 4]], second)
    whole, rest = np.divmod(7 * volt, 2 * volt)
    check(whole, 3, units.DIMENSIONLESS)
    check(rest, 1, volt)


def test_out():
    target = np.zeros(4) * volt
    assert np.add(V, V, out=target) is target
    check(target, 2 * DATA, volt)
    np.cumsum(V, out=target)
    check(target, np.cumsum(DATA), volt)
    np.multiply(V, 2 * siemens, out=target)
    check(target, 2 * DATA, amp)


def test_unknown_function_says_what_to_do():
    with pytest.raises(TypeError, match=r"numpy\.roots has no rule.*divide by a unit"):
        np.roots(V)
    with pytest.raises(TypeError, match="own dimension"):
        np.cumprod(V)
    with pytest.raises(TypeError):
        np.multiply.reduce(V)


def test_conversion_to_array_gives_si_values():
    np.testing.assert_array_equal(np.asarray([1, 2] * volt), [1, 2])
    assert np.array([1, 2] * volt, dtype=np.float32).dtype == np.float32


class TestOwnFunctions:
    @pytest.mark.parametrize("name", [
        "exp", "log", "log10", "log1p", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan",
        "arcsinh", "ceil", "floor",
    ])  # fmt: skip
    def test_of_pure_numbers(self, name):
        func = getattr(units, name)
        assert func.__name__ == name and "dimension" in func.__doc__
        np.testing.assert_array_equal(func(V / volt), getattr(np, name)(DATA))
        with pytest.raises(DimensionMismatchError, match=rf"{name}\(\).*3 mV"):
            func(3 * mV)

    def test_exprel(self):
        assert units.exprel(0) == 1.0
        x = np.array([-50.0, -1.0, -1e-9, 0.0, 1e-9, 1e-3, 1.0, 50.0])
        with np.errstate(invalid="ignore", divide="ignore"):
            expected = np.where(x == 0, 1.0, np.expm1(x) / x)
        np.testing.assert_allclose(units.exprel(x), expected, rtol=1e-15)
        assert units.exprel(-np.inf) == 0 and units.exprel(np.inf) == np.inf
        with pytest.raises(DimensionMismatchError):
            units.exprel(3 * mV)

    def test_roots_and_signs(self):
        check(units.sqrt(4 * volt**2), 2, volt)
        assert units.sign(-3 * mV) == -1

    @pytest.mark.parametrize(
        ("args", "keywords", "expected"),
        [
            ((0 * ms, 10 * ms, 2 * ms), {}, [0, 2, 4, 6, 8]),
            ((1 * ms, 3 * ms, 1 * ms), {}, [1, 2]),
            ((3 * ms,), {"step": 1 * ms}, [0, 1, 2]),
            ((), {"start": 0, "stop": 3 * ms, "step": 1 * ms}, [0, 1, 2]),
        ],
    )
    def test_arange(self, args, keywords, expected):
        result = units.arange(*args, **keywords)
        assert result.dim is second.dim
        np.testing.assert_allclose(result / ms, expected, atol=1e-12)

    def test_arange_of_numbers(self):
        np.testing.assert_array_equal(units.arange(3), [0, 1, 2])
        np.testing.assert_array_equal(units.arange(1, 7, 2), [1, 3, 5])
        assert units.arange(3).dtype.kind == "i"

    def test_arange_mistakes(self):
        with pytest.raises(DimensionMismatchError):
            units.arange(0 * ms, 10 * mV, 1 * ms)
        with pytest.raises(DimensionMismatchError, match="default step"):
            units.arange(3 * ms)
        with pytest.raises(TypeError):
            units.arange()
        with pytest.raises(TypeError, match="two values"):
            units.arange(1, 2, start=3)

    def test_linspace(self):
        check(units.linspace(0 * volt, 1 * volt, 3), [0, 0.5, 1], volt)
        points, step = units.linspace(0 * volt, 1 * volt, 5, retstep=True)
        check(step, 0.25, volt)
        assert len(points) == 5
        with pytest.raises(DimensionMismatchError):
            units.linspace(0 * volt, 1 * amp)

    def test_array_functions(self):
        check(units.where([True, False], 1 * volt, 2 * volt), [1, 2], volt)
        assert units.where(V > 2 * volt)[0].tolist() == [0, 3]
        check(units.clip(V, 2 * volt, 4 * volt), np.clip(DATA, 2, 4), volt)
        check(units.dot(V, DATA * siemens), 39, amp)
        check(units.ravel(GRID), np.arange(6), volt)
        check(units.diagonal(GRID), [0, 4], volt)
        check(units.trace(GRID), 4, volt)
        check(units.ptp(V), 4, volt)

    def test_ones_and_zeros_take_the_shape_alone(self):
        for module in (units, np):
            check(module.zeros_like(V), DATA * 0, units.DIMENSIONLESS)
            check(module.ones_like(V), DATA * 0 + 1, units.DIMENSIONLESS)
            check(module.ones_like(V) * mV, DATA * 0 + 1e-3, volt)
            check(module.zeros_like(V) + V, DATA, volt)

    def test_histograms_of_two_axes(self):
        x, y = [1.0, 2.0, 3.0] * units.ms, [1.0, 1.0, 2.0] * mV
        counts, left, low = np.histogram2d(x, y, bins=[[0, 2, 4] * units.ms, 2])
        np.testing.assert_array_equal(counts, [[1, 0], [1, 1]])
        check(left, [0, 2e-3, 4e-3], units.second)
        check(low, [1e-3, 1.5e-3, 2e-3], volt)
        density = np.histogram2d(x, y, bins=2, density=True, weights=None)[0]
        assert dimension_of(density) is (1 / (units.second * volt)).dim
        check(np.histogram2d(x, x, [0, 2, 4] * units.ms)[0], [[1, 0], [0, 2]], units.DIMENSIONLESS)
        with pytest.raises(DimensionMismatchError, match="histogram2d"):
            np.histogram2d(x, y, bins=[[0, 2] * mV, 2])
        assert np.histogram(x, 2, None, None, None)[0].tolist() == [1, 2]

    def test_at_least_so_many_axes_of_several(self):
        first, second = np.atleast_1d(3 * mV, [1, 2] * units.ms)
        check(first, [3e-3], volt)
        check(second, [1e-3, 2e-3], units.second)
        check(np.atleast_2d(V), DATA[None, :], volt)

    def test_products_of_linalg(self):
        x, y = [1.0, 0, 0] * mV, [0, 1.0, 0] * units.ms
        for module in (np, np.linalg) if hasattr(np.linalg, "outer") else (np,):
            check(module.outer(x, y), np.outer(x.value, y.value), volt * units.second)
            check(module.cross(x, y), [0, 0, 1e-6], volt * units.second)


class TestQuestions:
    def test_answers(self):
        assert get_dimensions(3 * mV) is volt.dim and get_dimensions(3) is units.DIMENSIONLESS
        assert is_dimensionless(3) and is_dimensionless(mV / mV) and not is_dimensionless([1 * mV])
        assert have_same_dimensions(3 * mV, volt) and not have_same_dimensions(3 * mV, 3)
        assert in_unit(3 * mV, units.uvolt) == "3000 uV"
        assert in_best_unit(0.003 * volt) == "3 mV"
        assert quantity_with_dimensions(3, volt.dim) == 3 * volt

    @pytest.mark.parametrize("x", [3, 3.5, True, np.float64(2), 3 * mV, mV])
    def test_scalars(self, x):
        assert is_scalar_type(x)

    @pytest.mark.parametrize("x", [[1], np.ones(1), [1, 2] * mV, "3", None])
    def test_others(self, x):
        assert not is_scalar_type(x)

    def test_fail_for_dimension_mismatch(self):
        assert fail_for_dimension_mismatch(3 * mV, 2 * volt) == (volt.dim, volt.dim)
        assert fail_for_dimension_mismatch(3 * mV, 0)[1] is units.DIMENSIONLESS
        with pytest.raises(
            DimensionMismatchError, match="Setting the leak: 3 mV has the dimension volt, but 2 nA"
        ):
            fail_for_dimension_mismatch(3 * mV, 2 * nA, "Setting the leak")
        with pytest.raises(DimensionMismatchError):
            fail_for_dimension_mismatch(3 * mV)


class TestCheckUnits:
    def test_arguments_and_result(self):
        @check_units(I=amp, R=ohm, wibble=metre, result=volt)
        def voltage(I, R=2 * ohm, wibble=None):  # noqa: E741
            """Ohm's law."""
            return I * R

        assert voltage(1 * amp) == 2 * volt
        assert voltage(R=1 * ohm, I=3 * amp) == 3 * volt
        assert voltage(0 * amp, 1 * ohm) == 0 * volt
        assert voltage.__name__ == "voltage" and voltage.__doc__ == "Ohm's law."
        assert voltage._arg_names == ("I", "R", "wibble") and voltage._return_unit is volt
        with pytest.raises(DimensionMismatchError, match=r"'R' of voltage\(\) must have.*ohm.*1 nA.*amp"):
            voltage(1 * amp, 1 * nA)
        with pytest.raises(DimensionMismatchError, match="'I'"):
            voltage(1)

    def test_wrong_result(self):
        @check_units(x=1, result=volt)
        def f(x):
            return x * amp

        with pytest.raises(DimensionMismatchError, match=r"result of f\(\)"):
            f(3)

    def test_result_from_the_arguments(self):
        @check_units(x=None, result=lambda x: x**2)
        def square(x):
            return x * x

        @check_units(x=None, result=lambda x: x)
        def wrong(x):
            return x * x

        assert square(3 * volt) == 9 * volt**2
        assert square(3) == 9
        with pytest.raises(DimensionMismatchError):
            wrong(3 * volt)

    def test_same_units_as_another_argument(self):
        @check_units(a=None, b="a", result="a")
        def larger(a, b):
            return a if a > b else b

        assert larger(3 * mV, 1 * mV) == 3 * mV
        with pytest.raises(DimensionMismatchError, match="'b'"):
            larger(3 * mV, 1 * nA)

    def test_booleans(self):
        @check_units(flag=bool, result=bool)
        def invert(flag):
            return not flag

        assert invert(True) is False
        with pytest.raises(TypeError, match="True or False"):
            invert(3)

    def test_unknown_argument_is_reported_at_once(self):
        with pytest.raises(TypeError, match="has no argument 'y'"):
            check_units(y=volt)(lambda x: x)
