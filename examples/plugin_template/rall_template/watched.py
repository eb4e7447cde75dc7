"""A flag for the lines that one wants to see, and a function that records what carries it."""

from __future__ import annotations

from typing import Any

from rall import StateMonitor
from rall.equations import DIFFERENTIAL, SUBEXPRESSION, FlagKind
from rall.errors import RallError

__all__ = ["WATCHED", "watch"]

WATCHED = FlagKind("watched", (DIFFERENTIAL, SUBEXPRESSION), meaning="is recorded by watch()")


def watch(group: Any, record: Any = True) -> StateMonitor:
    """Record all variables whose lines carry the flag ``(watched)``.

    Parameters
    ----------
    group : Group
        A cell, say.
    record : bool, int, Place, sequence or str
        Which elements, as of `StateMonitor`.

    Raises
    ------
    RallError
        If no line carries the flag.
    """
    names = [line.varname for line in group.equations.with_flag(WATCHED.name)]
    if not names:
        raise RallError(f"no line of '{group.name}' carries the flag (watched)")
    return StateMonitor(group, names, record=record)
