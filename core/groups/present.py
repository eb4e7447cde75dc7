"""Values of names at present, for text that is evaluated from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.evaluate import evaluate
from rall.groups.bound import value_of_bound, variable_of
from rall.groups.resolver import Resolver
from rall.ir.called import Called
from rall.ir.nodes import Call, Node
from rall.ir.visit import walk
from rall.model import Variable
from rall.session import session_seed

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["Present"]

#: Draws for values that are asked for from Python come from a stream beside that of programs.
_OUTSIDE = 0x5BD1E995
#: Elements for which an expression is evaluated at once: temporary arrays of a few megabytes.
PIECE = 1 << 19


class Present(Mapping[str, Any]):
    """Values of names now, fetched as they are asked for.

    Parameters
    ----------
    group : Group
        Whose names.
    resolver : Resolver
        What has resolved the expression.
    draw : int
        Which of several evaluations this is, for random numbers.
    selection : ndarray of int64, optional
        Elements that are wanted; all without it.
    local : mapping, optional
        Values that are taken instead of the variables' own.
    """

    def __init__(
        self,
        group: Group,
        resolver: Resolver,
        draw: int = 0,
        selection: NDArray[np.int64] | None = None,
        local: Mapping[str, Any] | None = None,
    ) -> None:
        self.group, self.resolver, self.draw, self.selection = group, resolver, draw, selection
        self.local = local or {}

    @property
    def count(self) -> int:
        """Number of elements that are wanted."""
        return self.group.domain.size if self.selection is None else len(self.selection)

    def piece(self, first: int, last: int) -> Present:
        """The same for some of the elements, by their places among those that are wanted."""
        chosen = np.arange(first, last) if self.selection is None else self.selection[first:last]
        return Present(self.group, self.resolver, self.draw, chosen)

    def values_of(self, node: Node) -> NDArray[Any]:
        """Values of an expression, one for each element that is wanted; many are not worked out all at once."""
        count = self.count
        if count <= PIECE or self.local or _counts_calls(node):
            return np.array(np.broadcast_to(evaluate(node, self), (count,)))
        values: NDArray[Any] | None = None
        for first in range(0, count, PIECE):
            last = min(first + PIECE, count)
            found = np.asarray(evaluate(node, self.piece(first, last)))
            values = np.empty(count, found.dtype) if values is None else values
            values[first:last] = found
        assert values is not None
        return values

    def __getitem__(self, name: str) -> Any:
        group = self.group
        if name in self.local:
            return self.local[name]
        special: dict[str, Callable[[], Any]] = {
            "_seed": lambda: int(session_seed().array[0]), "_stream": lambda: group.stream ^ _OUTSIDE,
            "_step": lambda: self.draw,
            "_element": lambda: np.arange(group.domain.size) if self.selection is None else self.selection,
        }  # fmt: skip
        if name in special:
            return special[name]()
        bound = self.resolver.bindings[name]
        if isinstance(bound, Variable) and bound.role == "table":
            return bound.array
        if variable_of(bound).shared:
            return value_of_bound(bound)[0]
        if name in group.variables:
            return group.values_of(name) if self.selection is None else group.values_at(name, self.selection)
        return value_of_bound(bound, self.selection)

    def __contains__(self, name: object) -> bool:
        return name in self.local or name in self.resolver.bindings

    def __iter__(self) -> Iterator[str]:
        return iter({**self.local, **self.resolver.bindings})

    def __len__(self) -> int:
        return len({**self.local, **self.resolver.bindings})


def _counts_calls(node: Node) -> bool:
    """Whether an expression calls functions of the user's, which may count on being called once for all elements."""
    return any(isinstance(part, Call) and isinstance(part.op, Called) for part in walk(node))
