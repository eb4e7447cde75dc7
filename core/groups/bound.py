"""What names stand for: variables of a group, or of others as they are seen from it."""

from __future__ import annotations

from collections.abc import Iterable

from rall.functions import place_of
from rall.ir.nodes import Call
from rall.ir.visit import walk
from rall.model import Access, Assign, Variable

__all__ = ["draws_in", "kind_of", "variable_of"]


def variable_of(bound: Variable | Access) -> Variable:
    """The variable itself, wherever it is seen from."""
    return bound.variable if isinstance(bound, Access) else bound


def kind_of(bound: Variable | Access) -> str:
    """Its type as the user knows it."""
    kind = variable_of(bound).kind
    return "integer" if kind == "index" else kind


def draws_in(statements: Iterable[Assign]) -> bool:
    """Whether statements draw random numbers, or ask for the number of the element in other ways."""
    return any(isinstance(n, Call) and place_of(n.op) for s in statements for n in walk(s.value))
