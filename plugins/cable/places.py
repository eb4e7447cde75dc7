"""Where on cells: the compartments of places, sections and distances, in each of some cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import MorphologyError, RallError
from rall.morphology import Morphology, Place, Selection
from rall.plugins.cable.geometry import Cable
from rall.units import Quantity

__all__ = ["Branch", "PlaceIn", "find_compartments", "in_cells", "is_length", "nearest_the_root", "on_shapes"]

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PlaceIn:
    """A place in some cells only.

    Parameters
    ----------
    place : Place
        On a morphology that they have.
    cells : ndarray of int64
        Which cells.
    """

    place: Place
    cells: Indices


@dataclass(frozen=True, eq=False)
class Branch:
    """A section of each of some cells, with what hangs on it.

    Parameters
    ----------
    cable : Cable
        Of all cells.
    cells : ndarray of int64
        Which cells.
    sections : mapping of int to Morphology
        The section by the number of the shape; shapes without it are missing.
    """

    cable: Cable
    cells: Indices
    sections: Mapping[int, Morphology]

    def child(self, name: str) -> Branch | None:
        """What hangs on it under a name, None where no cell has that."""
        found = {k: _child(section, name) for k, section in self.sections.items()}
        there = {k: section for k, section in found.items() if section is not None}
        return Branch(self.cable, self.cells, there) if there else None

    def alone(self) -> Indices:
        """Compartments of the section itself."""
        return self._in_cells({k: np.asarray(section.indices) for k, section in self.sections.items()})

    def below(self) -> Indices:
        """Compartments of the section and of all that hangs on it; they are numbered in one row."""
        found = {}
        for k, section in self.sections.items():
            first = int(section.indices[0]) if section.n else 0
            found[k] = first + np.arange(section.total_compartments)
        return self._in_cells(found)

    def along(self, item: Any) -> Indices:
        """Compartments at a distance from its start, or in a slice of distances."""
        return self._in_cells({k: np.asarray(section[item].indices) for k, section in self.sections.items()})

    def _in_cells(self, local: Mapping[int, Indices]) -> Indices:
        return in_cells(self.cable, local, self.cells)


def _child(section: Morphology, name: str) -> Morphology | None:
    """The subsection of that name, None where there is none."""
    try:
        found = section[name]
    except (KeyError, AttributeError, RallError):
        return None
    return found if isinstance(found, Morphology) else None


def in_cells(cable: Cable, local: Mapping[int, Indices], cells: Indices | None = None) -> Indices:
    """Compartments of all cells, from those of the shapes; cell by cell.

    Parameters
    ----------
    cable : Cable
        Of all cells.
    local : mapping of int to ndarray of int64
        Compartments of a cell by the number of its shape; shapes that are missing have none.
    cells : ndarray of int64, optional
        Only in these cells; without it in all.
    """
    chosen = np.arange(cable.cells) if cells is None else cells
    which, found, owners = cable.which[chosen], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for k, compartments in local.items():
        mine = chosen[which == k]
        found.append((cable.offset[mine][:, None] + compartments).ravel())
        owners.append(np.repeat(mine, len(compartments)))
    if len(local) < 2:
        return np.concatenate(found)
    return np.concatenate(found)[np.argsort(np.concatenate(owners), kind="stable")]


def on_shapes(cable: Cable, place: Place, cells: Indices | None = None) -> dict[int, Place]:
    """A place on each shape that has it, by the shape's number.

    Parameters
    ----------
    cable : Cable
        Of all cells.
    place : Place
        On one of their morphologies, or on another discretization of it.
    cells : ndarray of int64, optional
        Only on the shapes of these cells; without it of all.

    Raises
    ------
    MorphologyError
        If it is on none of them.
    """
    found = {}
    for k in np.unique(cable.which if cells is None else cable.which[cells]).tolist():
        try:
            found[k] = place.on(cable.shapes[k].tree)
        except MorphologyError as problem:
            wrong = problem
    if not found:
        raise wrong
    return found


def find_compartments(cable: Cable, item: Any, cells: Indices | None = None) -> Indices | None:
    """Compartments that a part of a morphology, a place or a slice of distances means; None for anything else.

    Parameters
    ----------
    cable : Cable
        Of all cells.
    item : object
        A place and the like are meant in every cell that has the morphology.
    cells : ndarray of int64, optional
        Only in these cells; without it in all.
    """
    if isinstance(item, PlaceIn):
        return find_compartments(cable, item.place, item.cells)
    if isinstance(item, Place):
        places = on_shapes(cable, item, cells)
        return in_cells(cable, {k: np.array([place.compartment]) for k, place in places.items()}, cells)
    if isinstance(item, Selection):
        return in_cells(cable, {_shape_of(cable, item.tree): np.asarray(item.indices)}, cells)
    if isinstance(item, Morphology):  # the section alone, as its own variables are
        return in_cells(cable, {_shape_of(cable, item.root.flatten()): np.asarray(item.indices)}, cells)
    if is_length(item):
        chosen = np.arange(cable.cells) if cells is None else cells
        roots = {k: cable.morphologies[k] for k in np.unique(cable.which[chosen]).tolist()}
        return Branch(cable, chosen, roots).along(item)
    return None


def _shape_of(cable: Cable, tree: Any) -> int:
    """Which of the shapes has this tree."""
    for k, shape in enumerate(cable.shapes):
        if shape.tree is tree:
            return k
    if len(cable.shapes) == 1:
        return 0
    raise MorphologyError(
        "this part belongs to none of the morphologies of these cells; take it from one that they were made with",
        "OtherMorphology",
    )


def is_length(item: Any) -> bool:
    """Whether an index is a distance or a slice of distances."""
    if isinstance(item, slice):
        return isinstance(item.start, Quantity) or isinstance(item.stop, Quantity)
    return isinstance(item, Quantity)


def nearest_the_root(cable: Cable, compartments: Indices, distance: NDArray[np.float64]) -> Indices:
    """Of some compartments, in each cell the one that is nearest to the root.

    Parameters
    ----------
    cable : Cable
        Of all cells.
    compartments : ndarray of int64, shape (k,)
        Where to choose from.
    distance : ndarray, shape (k,)
        Of each of them from the root.

    Returns
    -------
    ndarray of int64
        One for each cell that has some, by the number of the cell.
    """
    cell = cable.cell_of(compartments)
    order = np.lexsort((distance, cell))
    _, first = np.unique(cell[order], return_index=True)
    return compartments[order[first]]
