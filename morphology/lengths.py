"""The border between quantities outside and micrometres inside."""

from __future__ import annotations

from typing import Any

import numpy as np

from rall.errors import DimensionMismatchError
from rall.morphology.geometry import Floats
from rall.units import Quantity, dimension_of, metre, value_of

__all__ = ["in_micrometres", "is_length", "micrometres", "quantity"]

_METRE = dimension_of(metre)


def is_length(value: Any) -> bool:
    """Whether a value has the dimension of a length.

    Parameters
    ----------
    value : object
        Anything.
    """
    return isinstance(value, Quantity) and dimension_of(value) is _METRE


def in_micrometres(value: Any, what: str) -> Floats:
    """Lengths as an array in um.

    Parameters
    ----------
    value : Quantity
        One length or several.
    what : str
        What it is, for the error.

    Raises
    ------
    DimensionMismatchError
        If it is no length.
    """
    if dimension_of(value) is not _METRE:
        raise DimensionMismatchError(f"{what} must be a length, such as 10*um, not {value!r}")
    # Division is right to the last digit where the value was made as number*um.
    result: Floats = np.asarray(value_of(value), float) / 1e-6
    return result


def micrometres(value: Any, what: str) -> float:
    """One length in um.

    Parameters
    ----------
    value : Quantity
        One length.
    what : str
        What it is, for the error.
    """
    array = in_micrometres(value, what)
    if array.size != 1:
        raise DimensionMismatchError(f"{what} must be one length, not {array.size}")
    return float(array.reshape(()))


def quantity(value: Any, power: int = 1) -> Quantity:
    """Micrometres to a power as a quantity.

    Parameters
    ----------
    value : float or array
        In um, um2 or um3.
    power : int
        1 for a length, 2 for an area, 3 for a volume, -1 for one over a length.
    """
    return Quantity(np.asarray(value, float)[()] * 1e-6**power, _METRE**power)
