"""How many elements a group has, as users give it."""

from __future__ import annotations

from typing import Any

from rall.equations import Equations
from rall.errors import DimensionMismatchError, RallError
from rall.units import Quantity

__all__ = ["number_of_elements"]


def number_of_elements(N: Any, kind: str, called: str) -> int:
    """A whole number from 1 on.

    Parameters
    ----------
    N : int
        What the user gave.
    kind : str
        Class of the group, for messages.
    called : str
        What its elements are called there.

    Raises
    ------
    DimensionMismatchError
        If it has a unit.
    RallError
        If it is something else.
    """
    if isinstance(N, (str, Equations)):
        raise RallError(f"the first argument of {kind} is the number of {called}, not {N!r:.60}")
    if isinstance(N, Quantity):
        raise DimensionMismatchError(f"the number of {called} of a {kind} has no unit: {N}")
    try:
        size = int(N)
    except (TypeError, ValueError):
        raise RallError(f"the number of {called} of a {kind} is a whole number, not {N!r:.60}") from None
    if size != N or size < 1:
        raise RallError(f"the number of {called} of a {kind} is a whole number from 1 on, not {N!r}")
    return size
