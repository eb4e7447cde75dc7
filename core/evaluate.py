"""Values of expressions on NumPy arrays: for text that is evaluated once, outside of programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rall import draws
from rall.functions import BUILTIN, place_of
from rall.ir.called import Called
from rall.ir.nodes import Binary, Call, Compare, Logic, Name, Node, Not, Number, Select
from rall.ir.visit import walk

__all__ = ["evaluate"]

_RANDOM: Mapping[str, Callable[..., Any]] = {
    "rand": draws.rand, "randn": draws.randn, "poisson": draws.poisson, "_among": draws.among,
    "_normal": draws.normal,
}  # fmt: skip
_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "//": np.floor_divide, "%": np.mod,
    "**": np.float_power, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "==": np.equal, "!=": np.not_equal, "and": np.logical_and, "or": np.logical_or,
}  # fmt: skip


def evaluate(node: Node, values: Mapping[str, Any]) -> Any:
    """The value of an expression.

    Parameters
    ----------
    node : Node
        Functions written out (`rall.functions.expand`).
    values : mapping of str to array or number
        What names stand for, in SI base units.  Draws of random numbers take ``_seed``, ``_stream``, ``_step`` and
        ``_element``.

    Returns
    -------
    ndarray or number
        In SI base units.
    """
    done: dict[Node, Any] = {}
    count = 0
    with np.errstate(all="ignore"):
        for part in walk(node):
            inner = [done[child] for child in part.children]
            if isinstance(part, Call) and part.op in _RANDOM:
                place = [values[name] for name in place_of(part.op)]
                done[part] = _RANDOM[part.op](*inner, *place, count)
                count += 1
            elif isinstance(part, Call) and isinstance(part.op, Called):
                place = [values[name] for name in place_of(part.op)]
                done[part] = part.op.values([*inner, *place], _elements(inner, values))
            else:
                done[part] = _one(part, inner, values)
    return done[node]


def _one(part: Node, inner: list[Any], values: Mapping[str, Any]) -> Any:
    if isinstance(part, Number):
        return part.value
    if isinstance(part, Name):
        return values[part.id]
    if isinstance(part, Not):
        return np.logical_not(*inner)
    if isinstance(part, Select):
        return np.where(*inner)
    if isinstance(part, Call):
        function = values[part.op] if part.op in values else BUILTIN[part.op].python
        assert function is not None
        return function(*inner)
    assert isinstance(part, (Binary, Compare, Logic))
    return _BINARY[part.op](*inner)


def _elements(arguments: list[Any], values: Mapping[str, Any]) -> int:
    """For how many elements a function of the user's is called."""
    found = max((np.size(argument) for argument in arguments), default=1)
    try:
        return found if found > 1 else np.size(values["_element"])
    except KeyError:  # values of no elements, such as what all share
        return found
