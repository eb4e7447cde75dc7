"""Parts of cells: subtrees, regions, slices by distance, with variables as attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.groups import VariableView
from rall.plugins.cable.places import Branch, is_length
from rall.registry import closest
from rall.units import Quantity

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells
    from rall.plugins.cable.views import CellsView

__all__ = ["Region", "Subtree"]

Indices = NDArray[np.int64]


class Subtree:
    """Some compartments of cells, with their variables as attributes.

    Parameters
    ----------
    whole : Cells or CellsView
        What they are part of; numbers in texts and in square brackets count its compartments.
    local : ndarray of int64
        Which of its compartments.
    branch : Branch, optional
        The section that they belong to with all that hangs on it; makes further names and distances possible.
    """

    def __init__(self, whole: Cells | CellsView, local: Indices, branch: Branch | None = None) -> None:
        self.__dict__.update(_whole=whole, _local=np.asarray(local), _branch=branch)

    _whole: Cells | CellsView
    _local: Indices
    _branch: Branch | None

    @property
    def indices(self) -> Indices:
        """Numbers of the compartments in the group, shape (k,)."""
        return self._whole.numbers_in_group(self._local)

    @property
    def group(self) -> Cells:
        """The cells that they are part of."""
        return self._whole._cells

    @property
    def N(self) -> int:
        """Number of compartments."""
        return len(self._local)

    def __len__(self) -> int:
        return len(self._local)

    @property
    def main(self) -> Subtree:
        """The section without what hangs on it."""
        if self._branch is None:
            return self
        return Subtree(self._whole, self._whole.numbers_here(self._branch.alone()))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        child = None if self._branch is None else self._branch.child(name)
        if child is not None:
            return Subtree(self._whole, self._whole.numbers_here(child.below()), child)
        plain = name.removesuffix("_")
        known = self.group.known_names()
        if plain in known:
            return self._view(plain, plain == name)
        raise AttributeError(f"{self!r} has no variable or section '{name}'{closest(name, known)}")

    def _view(self, name: str, units: bool) -> Any:
        if self.group.is_shared(name):
            return self.group.view(name, None, units)
        return VariableView(self._whole, name, self._local, units)

    def __setattr__(self, name: str, value: Any) -> None:
        plain = name.removesuffix("_")
        known = self.group.known_names()
        if plain not in known:
            raise AttributeError(f"{self!r} has no variable '{name}'{closest(name, known)}")
        if isinstance(value, VariableView) and value.group is self._whole and value.name == plain:
            if value.selection is not None and np.array_equal(value.selection, self._local):
                # What `cell.axon.v += 3*mV` assigns in the end is the view that has done it.
                return
        if plain != name and not isinstance(value, str):
            value = Quantity(np.asarray(value, float), dim=self.group.dimension(plain))
        self.write(plain, None, value)

    def write(self, name: str, selection: Indices | None, value: Any) -> None:
        """Set a variable of these compartments, or of some of them, see `Group.write`."""
        self._whole.write(name, self._local if selection is None else self._local[selection], value)

    def __getitem__(self, item: Any) -> Subtree:
        if self._branch is not None and is_length(item):
            return Subtree(self._whole, self._whole.numbers_here(self._branch.along(item)))
        if isinstance(item, (int, np.integer, slice, list, np.ndarray)):
            return Subtree(self._whole, np.atleast_1d(self._local[item]))
        found = self._whole.indices_of(item)
        return Subtree(self._whole, found[np.isin(found, self._local)])

    def in_group(self, item: Any) -> Any:
        """What an index of these compartments is as an index of the group."""
        return self.indices if item is True else _in_group(self, item)

    def event_elements(self) -> Indices:
        """See `Group.event_elements`."""
        return self.group.domain.layout.index(self.indices)

    def event_sources(self, numbers: Indices) -> Indices:
        """See `Group.event_sources`."""
        return self.group.event_sources(self.indices[numbers])

    def __repr__(self) -> str:
        return f"<{len(self)} compartments of '{self.group.name}'>"


def _in_group(part: Subtree, item: Any) -> Any:
    places = item if isinstance(item, list) else [item]
    numbers = all(isinstance(k, (int, np.integer)) for k in places)
    if not isinstance(item, (str, slice, range, np.ndarray)) and not numbers:
        return item
    return part[list(item) if isinstance(item, range) else item].indices if len(places) else []


class Region(Subtree):
    """The compartments of a region or label; as an array, a truth value for every compartment of the whole.

    Parameters
    ----------
    whole : Cells or CellsView
        What they are part of.
    local : ndarray of int64
        Which of its compartments.
    branch : Branch or None
        The section that they belong to with all that hangs on it, where that is the whole region.
    name : str
        What the region is called.
    """

    def __init__(self, whole: Cells | CellsView, local: Indices, branch: Branch | None, name: str) -> None:
        super().__init__(whole, local, branch)
        self.__dict__["_name"] = name

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        inside = np.zeros(self._whole.N, bool)
        inside[self._local] = True
        return inside if dtype is None else inside.astype(dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        if not len(self):
            raise RallError(f"'{name}' cannot be set in '{self._name}': '{self.group.name}' has no compartment there")
        super().__setattr__(name, value)
