"""What users give for an input, checked: counts, single values, and what they measure."""

from __future__ import annotations

from typing import Any

import numpy as np

from rall.errors import DimensionMismatchError, RallError
from rall.units import DIMENSIONLESS, Dimension, dimension_of, value_of

__all__ = ["measured", "single_value", "whole_number"]


def measured(value: Any) -> Dimension | None:
    """The dimension of what may be anything; None for what is neither a number nor an array of them.

    Parameters
    ----------
    value : object
        What the user gave.
    """
    try:
        return dimension_of(value)
    except TypeError:
        return None


def whole_number(n: Any, what: str) -> int:
    """A whole number from 0 on.

    Parameters
    ----------
    n : int
        What the user gave.
    what : str
        What it is, for messages.

    Raises
    ------
    DimensionMismatchError
        If it has a unit.
    RallError
        If it is something else.
    """
    plain = single_value(n, DIMENSIONLESS, what, "a whole number from 0 on")
    if plain < 0 or plain != np.floor(plain):
        raise RallError(f"{what} is a whole number from 0 on, not {n!r}")
    return int(n)


def single_value(value: Any, dimension: Dimension, what: str, meant: str) -> float:
    """A single finite value in SI base units.

    Parameters
    ----------
    value : Quantity or number
        What the user gave.
    dimension : Dimension
        What it must measure.
    what : str
        What it is, for messages.
    meant : str
        What would do.

    Raises
    ------
    DimensionMismatchError
        If it measures something else.
    RallError
        If it is no single finite number.
    """
    found = measured(value)
    if found is not None and found is not dimension:
        unit = "has no unit" if dimension is DIMENSIONLESS else f"is {meant}"
        raise DimensionMismatchError(f"{what} {unit}, and was given as {value}")
    plain = None if found is None else np.asarray(value_of(value))
    if plain is None or plain.ndim or plain.dtype.kind not in "iuf" or not np.isfinite(plain):
        raise RallError(f"{what} is {meant}, not {value!r:.60}")
    return float(plain)
