"""What NumPy's universal functions do with dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rall.errors import DimensionMismatchError
from rall.units.dimension import DIMENSIONLESS, Dimension
from rall.units.dispatch import UFUNCS
from rall.units.quantity import Quantity, check_same, split, with_dimension

__all__ = ["register", "require_dimensionless"]

_Dims = Callable[[np.ufunc, list[Any], list[Dimension]], tuple[list[Any], Any]]

# Each row: how the dimensions of the operands make that of the result, and the functions that do so.
_SAME = "add subtract maximum minimum fmax fmin hypot remainder fmod nextafter"
_COMPARE = "less less_equal greater greater_equal equal not_equal arctan2 floor_divide"
_KEEP = "negative positive absolute fabs conjugate spacing"
_ASK = "isfinite isinf isnan signbit sign logical_not logical_and logical_or logical_xor"
_POWERS = {"square": 2.0, "sqrt": 0.5, "cbrt": 1 / 3, "reciprocal": -1.0}
_PLAIN = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh "
    "arctanh deg2rad rad2deg degrees radians floor ceil trunc rint logaddexp logaddexp2 ldexp frexp gcd lcm "
    "float_power"
)


def register() -> None:
    """Fill the table of universal functions."""
    for names, dims in (
        (_SAME, _common),
        (_COMPARE, _compared),
        (_KEEP, _kept),
        (_ASK, _asked),
        (_PLAIN, _dimensionless),
        ("multiply matmul vecdot matvec vecmat", _multiplied),
        ("divide", _divided),
        ("power", _powered),
        ("divmod", _quotient_and_rest),
        ("copysign", _first),
        ("heaviside", _step),
        (" ".join(_POWERS), _fixed_power),
    ):
        for name in names.split():
            ufunc = getattr(np, name, None)
            if ufunc is not None:
                UFUNCS[ufunc] = _rule(dims)


def require_dimensionless(name: str, x: Any) -> Any:
    """The plain value of the argument of a function that takes pure numbers.

    Parameters
    ----------
    name : str
        Name of the function, for the message.
    x : Quantity, number or array
        The argument.

    Returns
    -------
    float or ndarray

    Raises
    ------
    DimensionMismatchError
        If it has a dimension.
    """
    value, dim = split(x)
    if dim is not DIMENSIONLESS:
        raise DimensionMismatchError(
            f"{name}() takes a number without dimension, but {Quantity(x)} has the dimension {dim}; "
            "divide it by a unit first"
        )
    return value


def _rule(dims: _Dims) -> Callable[[np.ufunc, str, tuple[Any, ...], dict[str, Any]], Any]:
    def apply(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if method != "__call__":
            return _apply_method(ufunc, method, inputs, keywords, dims)
        parts = [split(x) for x in inputs]
        values, dim = dims(ufunc, [v for v, _ in parts], [d for _, d in parts])
        return _finish(ufunc, values, keywords, dim)

    return apply


def _finish(call: Callable[..., Any], values: list[Any], keywords: dict[str, Any], dim: Any) -> Any:
    """Call the function on plain values and give the result its dimension."""
    out = keywords.get("out")
    if out is None:
        result = call(*values, **keywords)
        if isinstance(dim, tuple):
            return tuple(with_dimension(_plain(r), d) for r, d in zip(result, dim))
        return with_dimension(_plain(result), dim)
    targets = out if isinstance(out, tuple) else (out,)
    if dim is not DIMENSIONLESS and any(isinstance(one, np.ndarray) for one in targets):
        raise DimensionMismatchError(f"the result has the dimension {dim}: a plain array cannot hold it")
    keywords["out"] = tuple(one.value if isinstance(one, Quantity) else one for one in targets)
    result = call(*values, **keywords)
    for one in targets:
        if isinstance(one, Quantity):
            one.dim = dim
    return targets[0] if isinstance(targets[0], Quantity) else with_dimension(result, dim)


def _apply_method(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any], dims: _Dims
) -> Any:
    """``ufunc.reduce``, ``accumulate``, ``reduceat``, ``outer`` and ``at``."""
    call = getattr(ufunc, method)
    if method == "outer":
        parts = [split(x) for x in inputs]
        values, dim = dims(ufunc, [v for v, _ in parts], [d for _, d in parts])
        return _finish(call, values, keywords, dim)
    value, dim = split(inputs[0])
    if method == "at":
        if dims not in (_common, _kept):
            raise TypeError(f"numpy.{ufunc.__name__}.at cannot be used with quantities")
        others = [check_same(inputs[0], x, f"Cannot use numpy.{ufunc.__name__}.at")[1] for x in inputs[2:]]
        return call(value, inputs[1], *others)
    if dims not in (_common, _asked) and not (dims is _multiplied and dim is DIMENSIONLESS):
        raise TypeError(f"numpy.{ufunc.__name__}.{method} cannot be used with quantities")
    return _finish(call, [value, *inputs[1:]], keywords, dim if dims is _common else DIMENSIONLESS)


def _common(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    left, right = map(with_dimension, values, dims)
    x, y, dim = check_same(left, right, f"Cannot calculate numpy.{ufunc.__name__}")
    return [x, y], dim


def _compared(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return _common(ufunc, values, dims)[0], DIMENSIONLESS


def _quotient_and_rest(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    plain, dim = _common(ufunc, values, dims)
    return plain, (DIMENSIONLESS, dim)


def _kept(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return values, dims[0]


def _first(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return values, dims[0]


def _asked(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return values, DIMENSIONLESS


def _step(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return values, dims[1]


def _multiplied(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return values, dims[0] * dims[1]


def _divided(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return values, dims[0] / dims[1]


def _powered(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    power = require_dimensionless("the exponent of numpy.power", with_dimension(values[1], dims[1]))
    if dims[0] is DIMENSIONLESS:
        return values, DIMENSIONLESS
    if np.size(power) != 1:
        raise TypeError("numpy.power with a quantity needs one exponent, not an array of them")
    return values, dims[0] ** float(power)


def _fixed_power(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    return values, dims[0] ** _POWERS[ufunc.__name__]


def _dimensionless(ufunc: np.ufunc, values: list[Any], dims: list[Dimension]) -> tuple[list[Any], Any]:
    for value, dim in zip(values, dims):
        if dim is not DIMENSIONLESS:
            require_dimensionless(f"numpy.{ufunc.__name__}", with_dimension(value, dim))
    return values, DIMENSIONLESS


def _plain(result: Any) -> Any:
    return result.item() if isinstance(result, np.floating) else result
