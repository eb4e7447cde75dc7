"""Functions of mathematics that know units: they take the place of NumPy's in ``from rall import *``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rall.units.quantity import Quantity, check_same, split, with_dimension
from rall.units.ufuncs import require_dimensionless

__all__ = [
    "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "ceil", "clip", "cos", "cosh",
    "diagonal", "dot", "exp", "expm1", "exprel", "floor", "linspace", "log", "log1p", "log10", "ones_like",
    "ptp", "ravel", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trace", "where", "zeros_like",
]  # fmt: skip

_Function = Callable[..., Any]


def _pure(ufunc: np.ufunc) -> _Function:
    """A function of pure numbers."""
    name = ufunc.__name__

    def function(x: Any) -> Any:
        return ufunc(require_dimensionless(name, x))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""`numpy.{name}` of a number or array without dimension.

    Parameters
    ----------
    x : float or array
        Without dimension.

    Returns
    -------
    float or ndarray

    Raises
    ------
    DimensionMismatchError
        If `x` has a dimension.
    """
    return function


exp = _pure(np.exp)
expm1 = _pure(np.expm1)
log = _pure(np.log)
log10 = _pure(np.log10)
log1p = _pure(np.log1p)
sin = _pure(np.sin)
cos = _pure(np.cos)
tan = _pure(np.tan)
arcsin = _pure(np.arcsin)
arccos = _pure(np.arccos)
arctan = _pure(np.arctan)
sinh = _pure(np.sinh)
cosh = _pure(np.cosh)
tanh = _pure(np.tanh)
arcsinh = _pure(np.arcsinh)
arccosh = _pure(np.arccosh)
arctanh = _pure(np.arctanh)
ceil = _pure(np.ceil)
floor = _pure(np.floor)


def exprel(x: Any) -> Any:
    """``(exp(x) - 1)/x``, which is 1 at 0.

    Parameters
    ----------
    x : float or array
        Without dimension.

    Returns
    -------
    float or ndarray
        Exact to rounding also near 0.

    Raises
    ------
    DimensionMismatchError
        If `x` has a dimension.
    """
    value = np.asarray(require_dimensionless("exprel", x), dtype=float)
    tiny = np.abs(value) < 1e-16
    safe = np.where(tiny, 1.0, value)
    # For x = -inf the limit is 0 and for +inf it is infinite: inf/inf must not be formed.
    infinite = np.isposinf(value)
    result = np.where(tiny, 1.0, np.expm1(np.where(infinite, 1.0, safe)) / safe)
    result = np.where(infinite, np.inf, result)
    return result if result.ndim else float(result)


def sqrt(x: Any) -> Any:
    """Square root; the dimension is halved.

    Parameters
    ----------
    x : Quantity, float or array
        Any dimension.
    """
    value, dim = split(x)
    return with_dimension(np.sqrt(value), dim**0.5)


def sign(x: Any) -> Any:
    """-1, 0 or 1, without dimension.

    Parameters
    ----------
    x : Quantity, float or array
        Any dimension.
    """
    return np.sign(split(x)[0])


def clip(a: Any, a_min: Any, a_max: Any) -> Any:
    """Limit values to a range.

    Parameters
    ----------
    a : Quantity, float or array
        What to limit.
    a_min, a_max : Quantity, float or array, or None
        The limits, of the dimension of `a`.
    """
    return np.clip(_quantity(a), a_min, a_max)


def where(condition: Any, *choices: Any) -> Any:
    """Elements of one array or another, or where the condition holds.

    Parameters
    ----------
    condition : array of bool
        What to ask.
    *choices : Quantity or array
        Nothing, or two values of the same dimension: for true and for false.
    """
    if not choices:
        return np.where(split(condition)[0])
    yes, no = choices
    x, y, dim = check_same(yes, no, "Cannot use where")
    return with_dimension(np.where(split(condition)[0], x, y), dim)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None
) -> Any:
    """Evenly spaced numbers.

    Parameters
    ----------
    start, stop : Quantity or float
        Ends of the range, of the same dimension.
    num : int
        How many.
    endpoint, retstep, dtype
        As in `numpy.linspace`.
    """
    first, last, dim = check_same(start, stop, "Cannot make a range")
    values, step = np.linspace(first, last, num, endpoint=endpoint, retstep=True, dtype=dtype)
    if retstep:
        return with_dimension(values, dim), with_dimension(float(step), dim)
    return with_dimension(values, dim)


def arange(*limits: Any, start: Any = None, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start` up to but not including `stop`.

    Parameters
    ----------
    *limits : Quantity or float
        ``stop``; or ``start, stop``; or ``start, stop, step``; of the same dimension.
    start, stop, step : Quantity or float, optional
        The same by name.
    dtype : numpy dtype, optional
        Type of the result.
    """
    names = ("stop",) if len(limits) == 1 and stop is None else ("start", "stop", "step")
    given = {"start": start, "stop": stop, "step": step}
    for name, value in zip(names, limits):
        if given[name] is not None:
            raise TypeError(f"arange() got two values for {name}")
        given[name] = value
    if given["stop"] is None:
        raise TypeError("arange() needs the end of the range")
    begin = 0 if given["start"] is None else given["start"]
    first, last, dim = check_same(begin, given["stop"], "Cannot make a range")
    by = (
        1
        if given["step"] is None
        else check_same(with_dimension(1.0, dim), given["step"], "Cannot make a range")[1]
    )
    if given["step"] is None:
        check_same(with_dimension(1.0, dim), 1.0, "arange() with units needs a step: the default step")
    return with_dimension(np.arange(first, last, by, dtype=dtype), dim)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of an array, as `numpy.diagonal`.

    Parameters
    ----------
    x : Quantity or array
        With two axes or more.
    offset, axis1, axis2 : int
        Which diagonal.
    """
    value, dim = split(x)
    return with_dimension(np.diagonal(value, offset, axis1, axis2), dim)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum along a diagonal, as `numpy.trace`.

    Parameters
    ----------
    a : Quantity or array
        With two axes or more.
    offset, axis1, axis2 : int
        Which diagonal.
    """
    return np.trace(_quantity(a), offset, axis1, axis2)


def ravel(x: Any) -> Any:
    """All elements in one row.

    Parameters
    ----------
    x : Quantity or array
        Any shape.
    """
    value, dim = split(x)
    return with_dimension(np.ravel(value), dim)


def ptp(a: Any, axis: int | None = None) -> Any:
    """The range of values, largest minus smallest.

    Parameters
    ----------
    a : Quantity or array
        Any shape.
    axis : int, optional
        Along which; over all if left out.
    """
    return np.ptp(_quantity(a), axis=axis)


def dot(a: Any, b: Any) -> Any:
    """The dot product; dimensions multiply.

    Parameters
    ----------
    a, b : Quantity or array
        As for `numpy.dot`.
    """
    (x, left), (y, right) = split(a), split(b)
    return with_dimension(np.dot(x, y), left * right)


def zeros_like(a: Any) -> Any:
    """Zeros of the shape of an array, without dimension (0 goes with every dimension).

    Parameters
    ----------
    a : Quantity or array
        The pattern.
    """
    return np.zeros_like(split(a)[0])


def ones_like(a: Any) -> Any:
    """Ones of the shape of an array, without dimension: times a unit they have it.

    Parameters
    ----------
    a : Quantity or array
        The pattern.
    """
    return np.ones_like(split(a)[0])


def _quantity(x: Any) -> Any:
    return x if isinstance(x, (Quantity, np.ndarray)) else with_dimension(*split(x))
