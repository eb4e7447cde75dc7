"""Places on a morphology, and sets of its compartments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.geometry import Floats, Ints
from rall.morphology.lengths import is_length, micrometres, quantity
from rall.morphology.tree import Tree
from rall.units import Quantity

__all__ = ["Place", "Selection", "farther", "select"]


@dataclass(frozen=True, eq=False)
class Place:
    """A point of a morphology; as an index it is the compartment that ends there or contains it.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    section : int
        Number of the section.
    along : float
        Distance from the section's start (um).
    """

    tree: Tree
    section: int
    along: float

    @property
    def position(self) -> Quantity:
        """Distance from the section's start."""
        return quantity(self.along)

    @property
    def distance(self) -> Quantity:
        """Path distance from the root's start, or from the soma's centre."""
        sections = self.tree.sections
        inside = 0.0 if sections.sphere[self.section] else self.along
        return quantity(float(sections.distance[self.section]) + inside)

    @property
    def compartment(self) -> int:
        """Number of the compartment."""
        return self.tree.compartment_at(self.section, self.along)

    @property
    def indices(self) -> Ints:
        """The compartment's number as an array, shape (1,)."""
        return np.array([self.compartment])

    @property
    def length(self) -> Quantity:
        """Length of the compartment."""
        return quantity(self.tree.length[self.compartment])

    @property
    def area(self) -> Quantity:
        """Membrane area of the compartment."""
        return quantity(self.tree.area[self.compartment], 2)

    @property
    def volume(self) -> Quantity:
        """Volume of the compartment."""
        return quantity(self.tree.volume[self.compartment], 3)

    @property
    def diameter(self) -> Quantity:
        """Diameter at this point."""
        return quantity(self.tree.point(self.section, self.along)[0])

    @property
    def coordinates(self) -> Quantity:
        """Coordinates of this point, shape (3,); NaN where there are none."""
        return quantity(self.tree.point(self.section, self.along)[1])

    def interpolation(self) -> tuple[Ints, Floats]:
        """Compartments and weights whose sum is the voltage exactly here.

        Returns
        -------
        indices, weights : array, shape (k,)
            The weights add up to 1; see `Tree.interpolation`.
        """
        return self.tree.interpolation(self.section, self.along)

    def on(self, tree: Tree) -> Place:
        """The same point after another discretization of the same morphology.

        Parameters
        ----------
        tree : Tree
            Flattened form with the same sections.

        Raises
        ------
        MorphologyError
            If its sections are others.
        """
        if tree is self.tree:
            return self
        mine, other = self.tree.sections, tree.sections
        if len(mine) != len(other) or not np.allclose(mine.length, other.length, rtol=1e-9):
            raise MorphologyError(
                "this place belongs to another morphology; make it from the one used here", "OtherMorphology"
            )
        return Place(tree, self.section, self.along)

    def __index__(self) -> int:
        return self.compartment

    def __repr__(self) -> str:
        name = self.tree.sections.name[self.section]
        where = f"{self.along:.6g} um of section {self.section} ({name})"
        return f"<place at {where}, compartment {self.compartment}>"


@dataclass(frozen=True, eq=False)
class Selection:
    """Some compartments of a morphology.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    indices : array of int, shape (k,)
        Numbers of the compartments.
    """

    tree: Tree
    indices: Ints

    @property
    def n(self) -> int:
        """Number of compartments."""
        return len(self.indices)

    @property
    def length(self) -> Quantity:
        """Length of each compartment, shape (k,)."""
        return quantity(self.tree.length[self.indices])

    @property
    def area(self) -> Quantity:
        """Membrane area of each compartment, shape (k,)."""
        return quantity(self.tree.area[self.indices], 2)

    @property
    def volume(self) -> Quantity:
        """Volume of each compartment, shape (k,)."""
        return quantity(self.tree.volume[self.indices], 3)

    @property
    def diameter(self) -> Quantity:
        """Diameter of each compartment, shape (k,)."""
        return quantity(self.tree.diameter[self.indices])

    @property
    def distance(self) -> Quantity:
        """Path distance of each centre, shape (k,)."""
        return quantity(self.tree.distance[self.indices])

    @property
    def x(self) -> Quantity:
        """Coordinate x of each centre, shape (k,); NaN where there are none."""
        return quantity(self.tree.x[self.indices])

    @property
    def y(self) -> Quantity:
        """Coordinate y of each centre, shape (k,); NaN where there are none."""
        return quantity(self.tree.y[self.indices])

    @property
    def z(self) -> Quantity:
        """Coordinate z of each centre, shape (k,); NaN where there are none."""
        return quantity(self.tree.z[self.indices])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.indices, dtype=dtype)

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return f"<{len(self.indices)} compartments: {self.indices}>"


def _depths(tree: Tree) -> Floats:
    """Longest path (um) from the start of each section to a tip below."""
    depth = tree.sections.length.copy()
    parent, attach = tree.sections.parent, tree.sections.attach
    longest = np.zeros(len(depth))
    for k in range(len(depth) - 1, 0, -1):
        depth[k] += longest[k]
        if attach[k] != 0.0:
            longest[parent[k]] = max(longest[parent[k]], depth[k])
    depth[0] += longest[0]
    return depth


def farther(tree: Tree, section: int, along: float) -> Place:
    """The point at a distance from a section's start, past its end along the child with the longest path.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    section : int
        Where to start.
    along : float
        Distance (um).

    Raises
    ------
    MorphologyError
        If there is nothing so far away.
    """
    length = tree.sections.length
    slack = 1e-9 * float(length[section])
    if along < 0:
        raise MorphologyError(f"a position of {along:g} um lies before the section's start", "OutOfRange")
    begin, rest, depth = section, along, None
    while rest > length[section] + slack:
        if depth is None:
            depth = _depths(tree)
        # A sphere has no inside to walk through: its children start at its centre.
        rest -= 0.0 if tree.sections.sphere[section] else float(length[section])
        below = np.flatnonzero((tree.sections.parent == section) & (tree.sections.attach != 0.0))
        if not len(below):
            end = float(depth[begin])
            message = (
                f"there is nothing at {along:g} um: the longest path from the start of section "
                f"{tree.sections.name[begin]!r} is {end:.6g} um"
            )
            raise MorphologyError(message, "OutOfRange")
        section = int(below[np.argmax(depth[below])])
    return Place(tree, section, min(rest, float(length[section])))


def select(tree: Tree, section: int, item: Any) -> Place | Selection:
    """What indexing a section with a number, a length or a slice of either gives.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    section : int
        Number of the section.
    item : int, length, or slice of them
        Numbers count compartments of this section; lengths are distances from its start.
    """
    first, n = int(tree.sections.first[section]), int(tree.sections.n[section])
    if isinstance(item, slice):
        return Selection(tree, first + _slice(tree, section, item))
    if is_length(item):
        return farther(tree, section, micrometres(item, "a position on a section"))
    try:
        k = range(n)[item]
    except TypeError:
        raise MorphologyError(
            f"a section is indexed by a name, a number, a length or a slice, not by {item!r}", "BadIndex"
        ) from None
    except IndexError:
        raise MorphologyError(f"compartment {item} of a section that has {n}", "OutOfRange") from None
    edges = tree.paths[section].edges
    return Place(tree, section, 0.5 * float(edges[k] + edges[k + 1]))


def _slice(tree: Tree, section: int, item: slice) -> Ints:
    path = tree.paths[section]
    bounds = [b for b in (item.start, item.stop) if b is not None]
    if not any(isinstance(b, Quantity) for b in bounds):
        return np.arange(path.n)[item]
    if item.step is not None:
        raise MorphologyError("a slice between two lengths has no step", "BadIndex")
    low = 0.0 if item.start is None else micrometres(item.start, "the start of a slice")
    high = np.inf if item.stop is None else micrometres(item.stop, "the end of a slice")
    centres = 0.5 * (path.edges[:-1] + path.edges[1:])
    chosen = np.flatnonzero((centres >= low) & (centres < high))
    if not len(chosen):
        raise MorphologyError(f"no compartment has its centre between {low:g} and {high:g} um", "OutOfRange")
    return chosen
