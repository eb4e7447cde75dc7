"""Some cells of a group, or one of them, with everything that a cell has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import IndexOutOfRangeError
from rall.groups import Subgroup
from rall.groups.subgroup import check_slice
from rall.morphology import Place
from rall.plugins.cable.geometry import Cable
from rall.plugins.cable.parts import Parts
from rall.plugins.cable.places import PlaceIn, find_compartments, is_length
from rall.plugins.cable.selection import Subtree
from rall.units import Quantity

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["CellView", "CellsView", "view_of"]

Indices = NDArray[np.int64]


class CellsView(Parts, Subgroup):
    """Some cells of a group; compartments are numbered from 0, cell by cell.

    Parameters
    ----------
    group : Cells
        All cells.
    cells : ndarray of int64
        Which of them, each once.
    """

    group: Cells

    def __init__(self, group: Cells, cells: Indices) -> None:
        first, last = group.cable.offset[cells], group.cable.offset[cells + 1]
        every = np.concatenate([np.arange(a, b) for a, b in zip(first.tolist(), last.tolist())])
        super().__init__(group, every)
        self.__dict__["_numbers"] = cells

    @property
    def _cells(self) -> Cells:
        return self.group

    @property
    def cable(self) -> Cable:  # type: ignore[override]
        """The cable of all cells."""
        return self.group.cable

    @property
    def cell_numbers(self) -> Indices:
        """Which cells of the group these are, shape (n_cells,)."""
        return np.asarray(self.__dict__["_numbers"])

    @property
    def offset(self) -> Indices:
        """First compartment of each of these cells, as they are numbered here, and the number of all."""
        return np.concatenate([[0], np.cumsum(np.diff(self.cable.offset)[self.cell_numbers])])

    @property
    def time_constant(self) -> Quantity:
        """Membrane time constant of each compartment now, shape (compartments,)."""
        found: Quantity = self.group.time_constant[self.indices]
        return found

    @property
    def space_constant(self) -> Quantity:
        """Length constant of each compartment now, shape (compartments,)."""
        found: Quantity = self.group.space_constant[self.indices]
        return found

    def numbers_in_group(self, here: Indices) -> Indices:
        """See `Parts.numbers_in_group`."""
        return self.indices[here]

    def numbers_here(self, in_group: Indices) -> Indices:
        """See `Parts.numbers_here`."""
        order = np.argsort(self.indices)
        return order[np.searchsorted(self.indices, in_group, sorter=order)]

    def indices_of(self, item: Any) -> Indices:
        """Compartments that an index means, numbered from 0; places and sections are meant in these cells."""
        if isinstance(item, (Subtree, Subgroup)) and item.group is self.group:
            inside = item.indices[np.isin(item.indices, self.indices)]
            return self.numbers_here(inside)
        found = find_compartments(self.cable, item, self.cell_numbers)
        if found is not None:
            return self.numbers_here(found)
        if isinstance(item, str) and item in self.group.labels.names:
            return np.flatnonzero(self.group.labels.mask(item)[self.indices])
        return super().indices_of(item)

    def in_group(self, item: Any) -> Any:
        """See `Subgroup.in_group`; a place is meant in these cells."""
        if item is True:
            return self.indices
        if isinstance(item, Place):
            return PlaceIn(item, self.cell_numbers)
        if isinstance(item, list) and any(isinstance(one, Place) for one in item):
            return [self.in_group(one) for one in item]
        return self.indices[self.indices_of(item)]

    def event_elements(self) -> Indices:
        """See `Group.event_elements`: one for each cell."""
        found = self.group.spikes_of(self.cell_numbers)
        return super().event_elements() if found is None else found

    def __getattr__(self, name: str) -> Any:
        part = None if name.startswith("_") else self.named_part(name)
        return super().__getattr__(name) if part is None else part

    def __len__(self) -> int:
        return self.n_cells

    def __iter__(self) -> Iterator[CellView]:
        return (CellView(self.group, self.cell_numbers[k : k + 1]) for k in range(self.n_cells))

    def __getitem__(self, item: Any) -> Any:
        found = view_of(self.group, self.cell_numbers, item)
        return Subtree(self, self.indices_of(item)) if found is None else found

    def __repr__(self) -> str:
        return f"<{self.n_cells} cells of '{self.group.name}'>"


class CellView(CellsView):
    """One cell of a group, with everything that a `SpatialNeuron` has; its compartments are numbered from 0.

    Parameters
    ----------
    group : Cells
        All cells.
    cells : ndarray of int64, shape (1,)
        Which of them.
    """

    def __len__(self) -> int:
        return self.N

    def __getitem__(self, item: Any) -> Any:
        return Subtree(self, self.indices_of(item))

    def __repr__(self) -> str:
        return f"<cell {self.cell_numbers[0]} of '{self.group.name}'>"


def view_of(group: Cells, numbers: Indices, item: Any) -> CellsView | None:
    """The cells that an integer, slice, list, array or mask means; None for an index of another kind.

    Parameters
    ----------
    group : Cells
        All cells.
    numbers : ndarray of int64
        Those that can be chosen.
    item : object
        What stands in the brackets.

    Raises
    ------
    IndexOutOfRangeError
        Says which cells there are.
    """
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        _check(group, len(numbers), np.array([item]))
        return CellView(group, numbers[item : item + 1])
    if isinstance(item, slice) and not is_length(item):
        check_slice(len(numbers), item, f"'{group.name}'", "cells")
        return CellsView(group, _some(group, numbers[item], item))
    if not isinstance(item, (list, range, np.ndarray)):
        return None
    given = np.asarray(item)
    if given.dtype.kind == "b" and given.shape == numbers.shape:
        return CellsView(group, _some(group, numbers[given], item))
    if given.dtype.kind not in "iu" or given.ndim != 1:
        raise IndexOutOfRangeError(
            f"{item!r:.60} chooses no cells of '{group.name}', which has {len(numbers)}: give numbers, or a mask of "
            f"{len(numbers)} truth values"
        )
    _check(group, len(numbers), given)
    return CellsView(group, _some(group, numbers[given], item))


def _check(group: Cells, count: int, given: Indices) -> None:
    outside = given[(given < 0) | (given >= count)]
    if len(outside):
        raise IndexOutOfRangeError(
            f"'{group.name}' has {count} cells, and none is {outside[0]}; they are 0 to {count - 1}"
        )


def _some(group: Cells, chosen: Indices, item: Any) -> Indices:
    if not len(chosen):
        raise IndexOutOfRangeError(f"{item!r:.60} chooses no cell of '{group.name}'; choose one at least")
    return chosen
