"""Where compartments are in space, for cells that are put anywhere and turned in any way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, MorphologyError, RallError
from rall.morphology.tree import Tree
from rall.units import Quantity, dimension_of, get_or_create_dimension, value_of

__all__ = ["CellGeometry", "located", "positions_of"]

Floats = NDArray[np.float64]
_METRE = get_or_create_dimension(length=1)
_UM = 1e-6
#: A sphere as a piece of cable lies along y before it is turned, as somata of three points do in SWC files.
_SPHERE_AXIS = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class CellGeometry:
    """Compartments as straight pieces of cable, cell by cell in the order of the cells' own arrays.

    A sphere is a piece through its centre as long as it is thick, which has the sphere's area.

    Parameters
    ----------
    start, end : Quantity, shape (compartments, 3)
        Where each begins and ends (metre).
    diameter : Quantity, shape (compartments,)
        That of a cylinder of its length and area (metre).
    sphere : ndarray of bool, shape (compartments,)
        Which are spheres.
    cell_index : ndarray of int64, shape (compartments,)
        The cell of each.
    """

    start: Quantity
    end: Quantity
    diameter: Quantity
    sphere: NDArray[np.bool_]
    cell_index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sphere)

    @property
    def x(self) -> Quantity:
        """Coordinates x of start and end (metre), shape (compartments, 2)."""
        return self._both_ends(0)

    @property
    def y(self) -> Quantity:
        """Coordinates y of start and end (metre), shape (compartments, 2)."""
        return self._both_ends(1)

    @property
    def z(self) -> Quantity:
        """Coordinates z of start and end (metre), shape (compartments, 2)."""
        return self._both_ends(2)

    @property
    def d(self) -> Quantity:
        """The diameters (metre), shape (compartments,)."""
        return self.diameter

    def _both_ends(self, axis: int) -> Quantity:
        ends = [np.asarray(value_of(end))[:, axis] for end in (self.start, self.end)]
        return Quantity(np.column_stack(ends), dim=_METRE)

    def in_um(self) -> dict[str, Floats]:
        """Plain arrays ``x``, ``y``, ``z`` and ``d`` in micrometres: ``lfpykit.CellGeometry(**geometry.in_um())``."""
        return {name: np.asarray(value_of(getattr(self, name))) / _UM for name in ("x", "y", "z", "d")}

    def __repr__(self) -> str:
        return f"<CellGeometry of {len(self)} compartments>"


def located(trees: Sequence[Tree], positions: Any = None, rotations: Any = None) -> CellGeometry:
    """The compartments of some cells.

    Parameters
    ----------
    trees : sequence of Tree
        One for each cell.
    positions : Quantity, shape (3,) or (cells, 3), optional
        Where the beginning of each cell lies: the centre of a spherical soma, else the start of the first section.
        Left out, cells lie where their morphologies say.
    rotations : array, shape (3, 3) or (cells, 3, 3), optional
        By which matrix each cell is turned about its beginning.

    Raises
    ------
    MorphologyError
        For a morphology without coordinates.
    DimensionMismatchError
        For positions that are no lengths.
    RallError
        For wrong shapes, and for matrices that do more than turn.
    """
    count = len(trees)
    places = None if positions is None else positions_of(positions, "positions", "a place for each cell") / _UM
    if places is not None and places.shape not in ((1, 3), (count, 3)):
        raise RallError(f"positions of {count} cells have the shape ({count}, 3) or (3,), not {np.shape(positions)}")
    turns = None if rotations is None else _rotations(rotations, count)
    ends = []
    for cell, tree in enumerate(trees):
        both = _ends(tree)
        origin = tree.xyz[0, 0]
        if turns is not None:
            both = (both - origin) @ turns[cell % len(turns)].T + origin
        if places is not None:
            both = both + (places[cell % len(places)] - origin)
        ends.append(both)
    whole = np.concatenate(ends) * _UM
    return CellGeometry(
        Quantity(whole[:, 0], dim=_METRE),
        Quantity(whole[:, 1], dim=_METRE),
        Quantity(np.concatenate([tree.diameter for tree in trees]) * _UM, dim=_METRE),
        np.concatenate([tree.sections.sphere[tree.section] for tree in trees]),
        np.repeat(np.arange(count), [tree.n for tree in trees]),
    )


def positions_of(given: Any, what: str, meaning: str) -> Floats:
    """Places as plain numbers in metre, shape (places, 3).

    Parameters
    ----------
    given : Quantity
        Shape (3,) or (places, 3).
    what : str
        What the user calls them.
    meaning : str
        What they are, for the message.

    Raises
    ------
    DimensionMismatchError
        If they are no lengths.
    RallError
        If they have no three coordinates each, or some that are not finite.
    """
    if isinstance(given, str) or dimension_of(given) is not _METRE:
        raise DimensionMismatchError(f"{what} is {meaning}, such as [[20, 0, 0]]*um, not {given!r:.80}")
    plain = np.atleast_2d(np.asarray(value_of(given), float))
    if plain.ndim != 2 or plain.shape[1] != 3 or not len(plain):
        raise RallError(f"{what} has three coordinates in each row, and the shape of this is {np.shape(given)}")
    if not np.isfinite(plain).all():
        raise RallError(f"{what} has coordinates that are not finite: {given!r:.80}")
    return plain


def _ends(tree: Tree) -> Floats:
    """Start and end of each compartment (um), shape (compartments, 2, 3)."""
    both = tree.xyz[:, [0, 2]]
    if np.isnan(both).any():
        raise MorphologyError(
            "the morphology has sections without coordinates, so that nobody knows where they are; "
            "morphology.generate_coordinates() gives them some",
            "NoCoordinates",
        )
    sphere = tree.sections.sphere[tree.section]
    half = 0.5 * tree.diameter[sphere, None] * _SPHERE_AXIS
    both[sphere, 0] -= half
    both[sphere, 1] += half
    return both


def _rotations(given: Any, count: int) -> Floats:
    """Matrices of shape (1 or cells, 3, 3)."""
    turns = np.asarray(given, float)
    turns = turns[None] if turns.ndim == 2 else turns
    if turns.shape not in ((1, 3, 3), (count, 3, 3)):
        raise RallError(f"rotations of {count} cells have the shape ({count}, 3, 3) or (3, 3), not {np.shape(given)}")
    whole = np.allclose(turns @ turns.transpose(0, 2, 1), np.eye(3), atol=1e-6) and (np.linalg.det(turns) > 0).all()
    if not whole:
        raise RallError("rotations are matrices that turn and nothing else: R @ R.T is 1 and the determinant of R is 1")
    return turns
