"""Functions of `rall_math.h` that NumPy lacks, for the NumPy device: the same values at the edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["exprel", "sign", "xoexpm1", "xoexpm1_shared"]

_LARGEST = 709.43  # beyond, the C text takes e^x for infinite


def exprel(x: ArrayLike) -> NDArray[np.float64]:
    """``(exp(x) - 1) / x``, 1 at ``x = 0``.

    Parameters
    ----------
    x : array_like
        Dimensionless.

    Returns
    -------
    ndarray
        As `x`, exact to rounding; inf for ``x > 709.43``.
    """
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        y = np.where(x == 0.0, 1.0, np.expm1(x) / x)
    return np.where(x > _LARGEST, np.inf, y)


def xoexpm1(x: ArrayLike) -> NDArray[np.float64]:
    """``x / (exp(x) - 1)``, 1 at ``x = 0``: the form of many rate functions.

    Parameters
    ----------
    x : array_like
        Dimensionless.

    Returns
    -------
    ndarray
        As `x`, exact to rounding; 0 for ``x > 709.43``.
    """
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        y = np.where(x == 0.0, 1.0, x / np.expm1(x))
    return np.where(x > _LARGEST, 0.0, y)


def xoexpm1_shared(x: ArrayLike, e: ArrayLike) -> NDArray[np.float64]:
    """``x / (e - 1)`` for ``e = exp(x)`` that is known already, as a product of shared exponentials.

    Where ``e - 1`` would cancel (``|x| < 0.02``) the series with the Bernoulli numbers takes its place: a
    relative error of 10 eps in `e` costs at most 1e-13 in the result.

    Parameters
    ----------
    x : array_like
        Dimensionless.
    e : array_like
        ``exp(x)``, to about 10 eps.

    Returns
    -------
    ndarray
        Of the shape that `x` and `e` have together.
    """
    x, e = np.asarray(x, dtype=np.float64), np.asarray(e, dtype=np.float64)
    with np.errstate(all="ignore"):
        z = x * x
        series = (1.0 - 0.5 * x) + z * (1.0 / 12 + z * (-1.0 / 720))
        return np.where(np.abs(x) < 0.02, series, x / (e - 1.0))


def sign(x: ArrayLike) -> NDArray[np.float64]:
    """-1, 0 or 1; NaN stays NaN.

    Parameters
    ----------
    x : array_like
        Any unit.

    Returns
    -------
    ndarray
        As `x`, dimensionless.
    """
    return np.sign(np.asarray(x, dtype=np.float64))
