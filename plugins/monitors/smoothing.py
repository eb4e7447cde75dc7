"""Rates over time: counted in bins, or smoothed by a window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, NotSupportedError, RallError
from rall.session import seconds
from rall.units import DIMENSIONLESS, dimension_of, value_of

__all__ = ["smoothed", "steps_of", "window_of"]

#: Part of a step by which a length may miss a whole number of steps and yet count as one.
_TOLERANCE = 1e-4


def steps_of(bin_size: Any, dt: float) -> int:
    """Number of steps in a bin.

    Parameters
    ----------
    bin_size : Quantity
        A time.
    dt : float
        Length of a step in seconds.

    Raises
    ------
    DimensionMismatchError
        If it is no time.
    RallError
        If it is no multiple of the step.
    """
    length = seconds(bin_size, "the size of a bin")
    steps = round(length / dt)
    if steps < 1 or abs(steps * dt - length) > _TOLERANCE * dt:
        raise RallError(f"the size of a bin is a multiple of the step, {dt:g} s, and {bin_size!r} is not")
    return steps


def window_of(window: str | NDArray[Any], width: Any, dt: float) -> NDArray[np.float64]:
    """The weights of a window, which add up to 1; an odd number of them.

    Parameters
    ----------
    window : 'gaussian', 'flat' or array
        A Gaussian, cut off at two standard deviations on both sides; equal weights; or weights of one's own.
    width : Quantity or None
        Standard deviation of the Gaussian, or length of the flat window, which is cut down to an odd number of steps.
    dt : float
        Length of a step in seconds.

    Raises
    ------
    RallError
        For a window without its width, weights with one, or weights that are no odd number.
    NotSupportedError
        For a window of another name.
    """
    if not isinstance(window, str):
        if width is not None:
            raise RallError("weights of one's own have no width; leave it out, or name a window: 'gaussian', 'flat'")
        if dimension_of(window) is not DIMENSIONLESS:
            raise DimensionMismatchError(f"weights of a window are numbers, not in {dimension_of(window)}")
        weights: NDArray[np.float64] = np.asarray(value_of(window), float)
        if weights.ndim != 1 or len(weights) % 2 == 0:
            raise RallError(f"a window is an odd number of weights in a row, not an array of shape {weights.shape}")
        if weights.sum() == 0:
            raise RallError("the weights of a window add up to 0, and their mean would be infinite")
        return _normalised(weights)
    if window not in ("gaussian", "flat"):
        raise NotSupportedError(f"there is no window {window!r}; there are 'gaussian' and 'flat', or give its weights")
    if width is None:
        raise RallError(f"the window '{window}' needs a width, such as width=1*ms")
    length = seconds(width, "the width of a window")
    if length <= 0:
        raise RallError(f"the width of a window is positive, not {width!r}")
    if window == "flat":
        half = math.floor(length / (2 * dt) + _TOLERANCE)
        weights = np.ones(2 * half + 1)
    else:
        half = round(2 * length / dt)
        weights = np.exp(-0.5 * (np.arange(-half, half + 1) * dt / length) ** 2)
    return _normalised(weights)


def _normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights / weights.sum(), np.float64)


def smoothed(rates: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates under a window that slides over them; beyond both ends they are taken as zero.

    Parameters
    ----------
    rates : ndarray, shape (steps,) or (elements, steps)
        One value a step.
    window : ndarray, shape (odd,)
        From `window_of`.

    Returns
    -------
    ndarray
        Of the shape of `rates`.
    """
    half, steps = len(window) // 2, rates.shape[-1]
    if not rates.size:
        return rates.copy()
    rows = [np.convolve(row, window)[half : half + steps] for row in rates.reshape(-1, steps)]
    return np.array(rows).reshape(rates.shape)
