"""Values of names at present, for text that is evaluated from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.groups.resolver import Resolver
from rall.model import Access, Variable
from rall.session import session_seed

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["Present", "value_of_bound"]

#: Draws for values that are asked for from Python come from a stream beside that of programs.
_OUTSIDE = 0x5BD1E995


def value_of_bound(bound: Variable | Access, selection: NDArray[np.int64] | None = None) -> NDArray[Any]:
    """Present values, one for each (selected) element that the variable is seen from; shape (1,) for shared ones."""
    seen = bound.index if isinstance(bound, Access) else bound
    if (bound.variable if isinstance(bound, Access) else bound).shared:
        return (bound.variable if isinstance(bound, Access) else bound).array[:1].copy()
    found = seen.get() if selection is None else seen.array[seen.domain.layout.index(selection)]
    return np.asarray(bound.variable.array[found]) if isinstance(bound, Access) else found


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
        self.first = 0

    @property
    def count(self) -> int:
        """Number of elements that are wanted."""
        return self.group.domain.size if self.selection is None else len(self.selection)

    def piece(self, first: int, last: int) -> Present:
        """The same for some of the elements, by their places among those that are wanted."""
        chosen = np.arange(first, last) if self.selection is None else self.selection[first:last]
        part = Present(self.group, self.resolver, self.draw, chosen)
        part.first = first
        return part

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
        if (bound.variable if isinstance(bound, Access) else bound).shared:
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
