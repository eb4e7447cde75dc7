"""Arithmetic of plain values that is the same for Python numbers and for NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fits_all", "power_of", "quotient", "scalar"]

_INFINITE = float("inf")


def scalar(value: Any) -> Any:
    """Arrays without axes and NumPy scalars become Python numbers, which are faster.

    Parameters
    ----------
    value : float or ndarray
        Anything else is given back.
    """
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return value


def fits_all(value: Any) -> bool:
    """Whether a plain operand goes with every dimension: 0, infinite or not a number throughout.

    Parameters
    ----------
    value : float or array
        The operand.
    """
    if isinstance(value, (int, float)):
        return value == 0 or value != value or value in (_INFINITE, -_INFINITE)
    array = np.asarray(value)
    return bool(np.all((array == 0) | ~np.isfinite(array)))


def quotient(x: Any, y: Any) -> Any:
    """``x/y``; dividing a scalar by zero gives what NumPy gives, and its warning.

    Parameters
    ----------
    x, y : float or ndarray
        The operands.
    """
    try:
        return x / y
    except ZeroDivisionError:
        return float(np.float64(x) / np.float64(y))


def power_of(x: Any, exponent: Any) -> Any:
    """``x**exponent``; the root of a negative number is not a number, as in NumPy.

    Parameters
    ----------
    x, exponent : float or ndarray
        The operands.
    """
    if isinstance(x, np.ndarray) or isinstance(exponent, np.ndarray):
        return x**exponent
    try:
        result = x**exponent
    except (ZeroDivisionError, OverflowError):
        return float(np.float64(x) ** np.float64(exponent))
    return float("nan") if isinstance(result, complex) and not isinstance(x, complex) else result
