"""The time in which an element cannot spike again."""

from __future__ import annotations

from rall.ir.nodes import Compare, Name, Node, add, call, div, mul, number, sub

__all__ = ["LONG_AGO", "TOLERANCE", "time_is_over"]

#: When an element that has never spiked did so last, in seconds.
LONG_AGO = -1e4
#: Part of a step by which a time may be too short and yet count as a whole number of steps, as in `timestep`.
TOLERANCE = 1e-3


def time_is_over(last: str, duration: Node) -> Node:
    """Whether at least as many whole steps as are in a time have gone by since the last spike.

    Parameters
    ----------
    last : str
        Name of the time of the last spike; ``t`` and ``dt`` are those of the clock.
    duration : Node
        In seconds.
    """
    return Compare(">=", _steps(sub(Name("t"), Name(last))), _steps(duration))


def _steps(time: Node) -> Node:
    """Whole steps in a time, as the function `timestep` counts them."""
    dt = Name("dt")
    return call("int", div(add(time, mul(number(TOLERANCE), dt)), dt))
