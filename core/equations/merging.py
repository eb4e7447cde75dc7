"""When two lines of one name are one: what equations that are added, or overlap, have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from rall.equations.lines import DIFFERENTIAL, PARAMETER, Line
from rall.errors import EquationError
from rall.units.quantity import dimension_of, value_of

__all__ = ["agreed", "equal_values", "merged", "yields"]

_CURRENTS = ("membrane current", "point current")


def yields(line: Line) -> bool:
    """Whether a line only says what it reads of an ion, so that any other definition of the name takes its place."""
    return line.kind == PARAMETER and line.has("ion")


def merged(first: Line, second: Line) -> Line | None:
    """The line that two lines of the same name are together.

    Parameters
    ----------
    first, second : Line
        In the user's order.

    Returns
    -------
    Line or None
        Lines that say the same are one if they are shared parameters, or of an ion and neither a current nor a
        differential equation; a parameter of an ion yields to any other line of its dimension.  None if they are two.
    """
    if first == second:
        common = first.has("ion") or (first.kind == PARAMETER and first.has("shared"))
        own = first.kind == DIFFERENTIAL or any(first.has(flag) for flag in _CURRENTS)
        return first if common and not own else None
    if first.typed != second.typed or not (yields(first) or yields(second)):
        return None
    if yields(first) and yields(second):  # one value for all is less than one for each element
        return second if first.has("shared") else first
    return second if yields(first) else first


def agreed(line: Line, first: Any, second: Any) -> Any:
    """The default value of two lines that are one.

    Parameters
    ----------
    line : Line
        The line.
    first, second : Quantity, number, str or None
        What each gives it; None for nothing.

    Raises
    ------
    EquationError
        If they differ.
    """
    if first is None or second is None or equal_values(first, second):
        return second if first is None else first
    raise EquationError(
        f"'{line.varname}' is one for all that read it, and cannot be {first} and {second} at once:\n    {line}\n"
        f"give every channel the same {line.varname}, or one of them another name"
    )


def equal_values(a: object, b: object) -> bool:
    """Whether two values, or two texts, are the same."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return dimension_of(a) is dimension_of(b) and bool(
        np.array_equal(value_of(a), value_of(b), equal_nan=True)
    )
