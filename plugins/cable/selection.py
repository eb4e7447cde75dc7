"""Parts of a cell: subtrees, slices by distance, places, conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.groups import VariableView
from rall.morphology import Morphology, Place, Selection
from rall.plugins.cable.geometry import Cable
from rall.registry import closest
from rall.units import Quantity

if TYPE_CHECKING:
    from rall.plugins.cable.neuron import SpatialNeuron

__all__ = ["Region", "Subtree", "child_of", "find_compartments"]

Indices = NDArray[np.int64]


def child_of(section: Morphology, name: str) -> Morphology | None:
    """The subsection of that name, None where there is none."""
    try:
        found = section[name]
    except (KeyError, AttributeError, RallError):
        return None
    return found if isinstance(found, Morphology) else None


def below(section: Morphology) -> Indices:
    """Compartments of a section and of all that hangs on it; they are numbered in one row."""
    first = int(section.indices[0]) if section.n else 0
    return first + np.arange(section.total_compartments)


def find_compartments(cable: Cable, item: Any) -> Indices | None:
    """Compartments that a part of a morphology, a place or a slice of distances means; None for anything else."""
    if isinstance(item, Place):
        return np.array([item.on(cable.tree).compartment])
    if isinstance(item, Selection):
        return np.asarray(item.indices)
    if isinstance(item, Morphology):
        return np.asarray(item.indices)  # the section alone, as its own variables are
    if isinstance(item, Subtree):
        return item.indices
    if isinstance(item, Quantity) or (isinstance(item, slice) and _is_length(item)):
        return find_compartments(cable, cable.morphologies[0][item])
    return None


def _is_length(item: slice) -> bool:
    return isinstance(item.start, Quantity) or isinstance(item.stop, Quantity)


class Subtree:
    """Some compartments of a cell, with its variables as attributes.

    Parameters
    ----------
    cell : SpatialNeuron
        Whose compartments.
    indices : ndarray of int64
        Which.
    section : Morphology, optional
        The section that they belong to with all that hangs on it; makes further names and distances possible.
    """

    def __init__(self, cell: SpatialNeuron, indices: Indices, section: Morphology | None = None) -> None:
        self.__dict__.update(_cell=cell, _indices=np.asarray(indices), _section=section)

    @property
    def indices(self) -> Indices:
        """Numbers of the compartments in the cell, shape (k,)."""
        return np.asarray(self.__dict__["_indices"])

    @property
    def group(self) -> SpatialNeuron:
        """The cell."""
        cell: SpatialNeuron = self.__dict__["_cell"]
        return cell

    @property
    def N(self) -> int:
        """Number of compartments."""
        return len(self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def main(self) -> Subtree:
        """The section without what hangs on it."""
        section = self.__dict__["_section"]
        return self if section is None else Subtree(self.group, section.indices)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        section = self.__dict__["_section"]
        child = None if section is None else child_of(section, name)
        if child is not None:
            return Subtree(self.group, below(child), child)
        plain = name.removesuffix("_")
        known = self.group.known_names()
        if plain in known:
            return self.group.view(plain, self.indices, units=plain == name)
        raise AttributeError(f"{self!r} has no variable or section '{name}'{closest(name, known)}")

    def __setattr__(self, name: str, value: Any) -> None:
        plain = name.removesuffix("_")
        known = self.group.known_names()
        if plain not in known:
            raise AttributeError(f"{self!r} has no variable '{name}'{closest(name, known)}")
        if isinstance(value, VariableView) and value.group is self.group and value.name == plain:
            if value.selection is not None and np.array_equal(value.selection, self.indices):
                # What `cell.axon.v += 3*mV` assigns in the end is the view that has done it.
                return
        if plain != name and not isinstance(value, str):
            value = Quantity(np.asarray(value, float), dim=self.group.dimension(plain))
        self.group.write(plain, self.indices, value)

    def __getitem__(self, item: Any) -> Subtree:
        section = self.__dict__["_section"]
        if isinstance(item, (Quantity, slice)) and section is not None:
            if isinstance(item, Quantity) or _is_length(item):
                found = find_compartments(self.group.cable, section[item])
                assert found is not None
                return Subtree(self.group, found)
        if isinstance(item, (int, np.integer, slice, list, np.ndarray)):
            return Subtree(self.group, np.atleast_1d(self.indices[item]))
        found = self.group.indices_of(item)
        return Subtree(self.group, found[np.isin(found, self.indices)])

    def __repr__(self) -> str:
        return f"<{len(self.indices)} compartments of '{self.group.name}'>"


class Region(Subtree):
    """The compartments of a region or label; as an array, a truth value for every compartment of the cell.

    Parameters
    ----------
    cell : SpatialNeuron
        Whose compartments.
    indices : ndarray of int64
        Which.
    section : Morphology or None
        The section that they belong to with all that hangs on it, where that is the whole region.
    name : str
        What the region is called.
    """

    def __init__(self, cell: SpatialNeuron, indices: Indices, section: Morphology | None, name: str) -> None:
        super().__init__(cell, indices, section)
        self.__dict__["_name"] = name

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        inside = np.zeros(self.group.N, bool)
        inside[self.indices] = True
        return inside if dtype is None else inside.astype(dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        if not len(self.indices):
            raise RallError(f"'{name}' cannot be set in '{self._name}': '{self.group.name}' has no compartment there")
        super().__setattr__(name, value)
