"""When two lines of one name are one: what equations that are added, or overlap, have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rall.equations.lines import DIFFERENTIAL, PARAMETER, Line
from rall.errors import EquationError
from rall.units.quantity import dimension_of, value_of

__all__ = ["agreed", "equal_values", "joined", "merged", "yields"]

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


def joined(
    first: tuple[Sequence[Line], Mapping[str, Any]], second: tuple[Sequence[Line], Mapping[str, Any]]
) -> tuple[tuple[Line, ...], dict[str, Any]]:
    """The lines and defaults of equations that are added.

    Parameters
    ----------
    first, second : (sequence of Line, mapping of str to value)
        Lines, and the defaults of their variables.

    Returns
    -------
    tuple of Line, dict of str to value
        What is one line, once and in its first place; a default is that of the line that stays.

    Raises
    ------
    EquationError
        If two defaults of one line differ.
    """
    known = {line.varname: line for line in first[0] if line.varname}
    chosen: dict[str, Line] = {}
    defaults = {**first[1], **second[1]}
    for line in second[0]:
        old = known.get(line.varname)
        one = None if old is None else merged(old, line)
        if old is None or one is None:
            continue
        chosen[line.varname] = one
        given = first[1].get(line.varname), second[1].get(line.varname)
        value = agreed(line, *given) if old == line else given[0 if one is old else 1]
        defaults.pop(line.varname, None)
        if value is not None:
            defaults[line.varname] = value
    kept = [chosen.get(line.varname, line) for line in first[0]]
    return (*kept, *(line for line in second[0] if line.varname not in chosen)), defaults


def equal_values(a: object, b: object) -> bool:
    """Whether two values, or two texts, are the same."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return dimension_of(a) is dimension_of(b) and bool(
        np.array_equal(value_of(a), value_of(b), equal_nan=True)
    )
