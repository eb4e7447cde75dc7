"""What names stand for: variables, here or seen through a map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import EquationError
from rall.functions import place_of
from rall.ir.nodes import Call
from rall.ir.visit import walk
from rall.model import Access, Assign, Variable

__all__ = ["draws_in", "kind_of", "usable", "value_of_bound", "variable_of"]


def variable_of(bound: Variable | Access) -> Variable:
    """The variable itself, wherever it is seen from."""
    return bound.variable if isinstance(bound, Access) else bound


def kind_of(bound: Variable | Access) -> str:
    """Its type as the user knows it."""
    kind = variable_of(bound).kind
    return "integer" if kind == "index" else kind


def value_of_bound(bound: Variable | Access, selection: NDArray[np.int64] | None = None) -> NDArray[Any]:
    """Present values, one for each (selected) element that the variable is seen from; shape (1,) for shared ones."""
    seen = bound.index if isinstance(bound, Access) else bound
    if variable_of(bound).shared:
        return variable_of(bound).array[:1].copy()
    found = seen.get() if selection is None else seen.array[seen.domain.layout.index(selection)]
    return np.asarray(bound.variable.array[found]) if isinstance(bound, Access) else found


def usable(bound: Variable | Access) -> Variable | Access:
    """The same, unless statements that name it would reach for what is not there.

    Raises
    ------
    EquationError
        Says what is missing where.
    """
    if isinstance(bound, Access) and bound.problem:
        raise EquationError(bound.problem)
    return bound


def draws_in(statements: Iterable[Assign]) -> bool:
    """Whether statements draw random numbers, or ask for the number of the element in other ways."""
    return any(isinstance(n, Call) and place_of(n.op) for s in statements for n in walk(s.value))
