"""A morphology flattened into arrays: what solvers, monitors and viewers read.

Compartments are numbered section by section, sections depth-first (a section, then the subtree of its first
child, then the next), compartments of a section from its start to its end.  All lengths are float64 in um.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.build import AT_END, AT_MIDDLE, AT_START, Piece
from rall.morphology.geometry import Floats, Ints, Path, measure, point_at
from rall.morphology.graph import ConductanceGraph, Joints, conductance_graph, join, weights_at

__all__ = ["Polyline", "Sections", "Tree", "flatten"]

_SOMA = 1


@dataclass(frozen=True, eq=False)
class Sections:
    """Arrays over sections, in depth-first order.

    Parameters
    ----------
    parent : array of int, shape (m,)
        Parent section; -1 for the first.
    attach : array, shape (m,)
        Where a section hangs on its parent: 1 at the end, 0 at the start, 0.5 in the middle of a sphere.
    first, n : array of int, shape (m,)
        First compartment and number of compartments.
    length : array, shape (m,)
        Length (um); a sphere's diameter.
    distance : array, shape (m,)
        Path distance of the section's start from the root's start, or from the soma's centre (um).
    type : array of int, shape (m,)
        SWC type.
    branch_order : array of int, shape (m,)
        Soma 0, what leaves it (or the root) 1, and one more after each branch point.
    sphere : array of bool, shape (m,)
        Isopotential sphere without axial resistance.
    name : tuple of str
        Name under which the section hangs on its parent.
    """

    parent: Ints
    attach: Floats
    first: Ints
    n: Ints
    length: Floats
    distance: Floats
    type: Ints
    branch_order: Ints
    sphere: np.ndarray[tuple[int], np.dtype[np.bool_]]
    name: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, eq=False)
class Polyline:
    """The points of all sections in one row, for drawing.

    Parameters
    ----------
    offset : array of int, shape (m + 1,)
        Section s has the points ``offset[s]:offset[s + 1]``.
    xyz : array, shape (p, 3)
        Coordinates (um), NaN where there are none.
    diameter : array, shape (p,)
        Diameters (um).
    compartment : array, shape (p,)
        Position in compartments: k + f for a point at the fraction f of compartment k; the end of a section
        is first + n.
    id : array of int, shape (p,)
        SWC sample, -1 for none.
    arc : array, shape (p,)
        Distance from the section's start (um).
    """

    offset: Ints
    xyz: Floats
    diameter: Floats
    compartment: Floats
    id: Ints
    arc: Floats


@dataclass(frozen=True, eq=False)
class Tree:
    """All compartments of a morphology; never changed after it was made.

    Parameters
    ----------
    section : array of int, shape (n,)
        Section of each compartment.
    parent : array of int, shape (n,)
        Compartment before it, or the one that its section hangs on; -1 for compartment 0.
    length, diameter, area, volume : array, shape (n,)
        In um, um, um2, um3.  The diameter is that at the centre where a compartment is one truncated
        cone, and area/(pi length) where `discretize` has made it.
    r_axial_near, r_axial_far : array, shape (n,)
        Integral of 4/(pi d^2) from start to centre, and from centre to end (1/um): times Ri a resistance.
    distance : array, shape (n,)
        Path distance of the centre from the root's start, or from the soma's centre (um).
    start, end : array, shape (n,)
        Borders, as distance from the section's start (um).
    xyz : array, shape (n, 3, 3)
        Coordinates of start, centre and end (um); NaN where there are none.
    diameters : array, shape (n, 2)
        Diameter at start and end (um).
    sections : Sections
        Arrays over sections.
    paths : tuple of Path
        Course of each section.
    merged : dict
        Sample ids without a place of their own, with the sample that stands for them.
    """

    section: Ints
    parent: Ints
    length: Floats
    diameter: Floats
    area: Floats
    volume: Floats
    r_axial_near: Floats
    r_axial_far: Floats
    distance: Floats
    start: Floats
    end: Floats
    xyz: Floats
    diameters: Floats
    sections: Sections
    paths: tuple[Path, ...]
    merged: dict[int, int]

    @property
    def n(self) -> int:
        """Number of compartments."""
        return len(self.section)

    @property
    def x(self) -> Floats:
        """Coordinates x of the centres (um), shape (n,)."""
        return self.xyz[:, 1, 0]

    @property
    def y(self) -> Floats:
        """Coordinates y of the centres (um), shape (n,)."""
        return self.xyz[:, 1, 1]

    @property
    def z(self) -> Floats:
        """Coordinates z of the centres (um), shape (n,)."""
        return self.xyz[:, 1, 2]

    @property
    def type(self) -> Ints:
        """SWC type of each compartment, shape (n,)."""
        return self.sections.type[self.section]

    @property
    def branch_order(self) -> Ints:
        """Branch order of each compartment, shape (n,); see `Sections`."""
        return self.sections.branch_order[self.section]

    def total_length(self) -> float:
        """Length of all cable (um); spheres have none."""
        return float(self.sections.length[~self.sections.sphere].sum())

    @cached_property
    def joints(self) -> Joints:
        """The points where half-compartments of different sections meet."""
        s = self.sections
        return join(
            s.parent, s.attach, s.first, s.first + s.n - 1, s.sphere, (self.r_axial_near, self.r_axial_far)
        )

    @cached_property
    def polyline(self) -> Polyline:
        """The points of all sections in one row, for drawing."""
        points = np.array([len(p.arc) for p in self.paths])
        where = [
            np.interp(p.arc, p.edges, float(first) + np.arange(p.n + 1))
            for p, first in zip(self.paths, self.sections.first)
        ]
        xyz = [np.full((len(p.arc), 3), np.nan) if p.xyz is None else p.xyz for p in self.paths]
        return Polyline(
            np.concatenate([[0], np.cumsum(points)]),
            np.concatenate(xyz),
            np.concatenate([p.diameter for p in self.paths]),
            np.concatenate(where),
            np.concatenate([p.ids for p in self.paths]),
            np.concatenate([p.arc for p in self.paths]),
        )

    def conductance_graph(self) -> ConductanceGraph:
        """Nodes and edges of the axial currents.

        Returns
        -------
        ConductanceGraph
            Compartments first, then branch points; each with its parent and the resistance between them.
        """
        return self._graph

    @cached_property
    def _graph(self) -> ConductanceGraph:
        return conductance_graph(
            self.section, self.parent, (self.r_axial_near, self.r_axial_far), self.joints
        )

    def compartment_at(self, section: int, position: float) -> int:
        """Compartment that ends at a position or contains it.

        Parameters
        ----------
        section : int
            Index of the section.
        position : float
            Distance from the section's start (um); 0 is in the first compartment.
        """
        edges = self.paths[section].edges
        slack = 1e-9 * edges[-1]
        k = int(np.searchsorted(edges[1:-1], position - slack))
        return int(self.sections.first[section]) + k

    def interpolation(self, section: int, position: float) -> tuple[Ints, Floats]:
        """Weights of compartments whose sum is the voltage at a position.

        Between two neighbouring centres the voltage is linear in the axial resistance; at a branch point,
        where no charge stays, it is the mean of the neighbours weighted by their conductances; at a sealed
        end it is that of the last centre.

        Parameters
        ----------
        section : int
            Index of the section.
        position : float
            Distance from the section's start (um).

        Returns
        -------
        indices, weights : array, shape (k,)
            Compartments (the same numbers as the graph's nodes) and weights, which add up to 1.
        """
        first = int(self.sections.first[section])
        return weights_at(self.paths[section], first, position, self.joints, section)

    def node_at_section_end(self, section: int) -> tuple[Ints, Floats]:
        """`interpolation` at the end of a section.

        Parameters
        ----------
        section : int
            Index of the section.
        """
        return self.interpolation(section, self.paths[section].length)

    def point(self, section: int, position: float) -> tuple[float, Floats]:
        """Diameter (um) and coordinates (um) at a position.

        Parameters
        ----------
        section : int
            Index of the section.
        position : float
            Distance from the section's start (um).
        """
        return point_at(self.paths[section], position)

    @cached_property
    def _sample_places(self) -> tuple[Ints, Ints, Floats]:
        line = self.polyline
        section = np.repeat(np.arange(len(self.paths)), np.diff(line.offset))
        # A sample that ends one section begins others: the end is its place (0 sorts before 1).
        begins = np.zeros(len(line.id), np.int64)
        begins[line.offset[:-1]] = 1
        order = np.lexsort((np.arange(len(line.id)), begins, line.id))
        ids, chosen = np.unique(line.id[order], return_index=True)
        chosen = order[chosen]
        return ids, section[chosen], line.arc[chosen]

    def sample_place(self, sample: int) -> tuple[int, float]:
        """Section and position (um from its start) of an SWC sample.

        Parameters
        ----------
        sample : int
            Id in the file.

        Raises
        ------
        MorphologyError
            Where there is no such sample.
        """
        ids, section, arc = self._sample_places
        wanted = self.merged.get(int(sample), int(sample))
        k = int(np.searchsorted(ids, wanted))
        if wanted < 0 or k == len(ids) or ids[k] != wanted:
            known = ids[ids >= 0]
            what = (
                f"ids here are between {known[0]} and {known[-1]}"
                if len(known)
                else "it was not read from a file"
            )
            raise MorphologyError(f"there is no sample {sample} in this morphology; {what}", "UnknownSample")
        s = int(section[k])
        return s, 0.5 * self.paths[s].length if self.sections.sphere[s] else float(arc[k])


def _start_distances(pieces: Sequence[Piece]) -> Floats:
    distance = np.zeros(len(pieces))
    for k, piece in enumerate(pieces):
        if piece.parent >= 0:
            along = pieces[piece.parent].path.length if piece.attach == AT_END else 0.0
            distance[k] = distance[piece.parent] + along
    return distance


def _branch_orders(pieces: Sequence[Piece]) -> Ints:
    siblings: dict[tuple[int, float], int] = {}
    for piece in pieces:
        key = (piece.parent, piece.attach)
        siblings[key] = siblings.get(key, 0) + 1
    order = np.zeros(len(pieces), np.int64)
    for k, piece in enumerate(pieces):
        up = piece.parent
        if piece.type == _SOMA:
            continue
        if up < 0 or pieces[up].type == _SOMA:
            order[k] = 1
        elif piece.attach == AT_START:
            order[k] = order[up]
        else:
            order[k] = order[up] + (siblings[up, piece.attach] > 1)
    return order


def _parents(pieces: Sequence[Piece], first: Ints, n: Ints) -> Ints:
    parent = np.arange(-1, int(n.sum()) - 1)
    for k, piece in enumerate(pieces):
        if piece.parent >= 0:
            at_end = piece.attach == AT_END
            parent[first[k]] = first[piece.parent] + (n[piece.parent] - 1 if at_end else 0)
    return parent


def flatten(pieces: Sequence[Piece], names: Sequence[str], merged: dict[int, int]) -> Tree:
    """Flatten sections that are listed depth-first.

    Parameters
    ----------
    pieces : sequence of Piece
        The sections; parents come before their children.
    names : sequence of str
        Name of each.
    merged : dict
        Sample ids without a place of their own, with the sample that stands for them.
    """
    pieces = [
        replace(p, attach=AT_MIDDLE) if p.parent >= 0 and pieces[p.parent].path.sphere else p for p in pieces
    ]
    paths = tuple(p.path for p in pieces)
    m = measure(paths)
    n = np.array([p.n for p in paths])
    first = np.cumsum(n) - n
    section = np.repeat(np.arange(len(paths)), n)
    length = np.array([p.length for p in paths])
    sphere = np.array([p.sphere for p in paths])
    distance = _start_distances(pieces)
    sections = Sections(
        np.array([p.parent for p in pieces]),
        np.array([p.attach for p in pieces]),
        first,
        n,
        length,
        distance,
        np.array([p.type for p in pieces]),
        _branch_orders(pieces),
        sphere,
        tuple(names),
    )
    edges = np.concatenate([p.edges for p in paths])
    begins = np.arange(len(section)) + section
    even = np.array([p.even for p in paths])[section]
    return Tree(
        section,
        _parents(pieces, first, n),
        m.length,
        np.where(even, m.area / (np.pi * m.length), m.ends.mean(axis=1)),
        m.area,
        m.volume,
        m.near,
        m.far,
        distance[section] + np.where(sphere[section], 0.0, m.centre),
        edges[begins],
        edges[begins + 1],
        m.xyz,
        m.ends,
        sections,
        paths,
        dict(merged),
    )
