"""Truncated cones along one section, and what is integrated over them.

Everything here is float64 and in micrometres.  Between two points the diameter is linear, so that for a piece
of length L with radii r1 and r2 the lateral area is pi (r1 + r2) sqrt(L^2 + (r1 - r2)^2), the volume
pi L (r1^2 + r1 r2 + r2^2)/3 and the axial resistance Ri L/(pi r1 r2); all three are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Floats",
    "Ints",
    "Measures",
    "Path",
    "axial_integral",
    "cut",
    "electrotonic_lengths",
    "measure",
    "point_at",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The course of one section, and where it is cut into compartments.

    A sphere is held as two points, `diameter` apart in `arc` and both at the centre in `xyz`: the side of
    such a cylinder has the area of the sphere.

    Parameters
    ----------
    arc : array, shape (m,)
        Distance of each point from the section's start (um), not decreasing.
    diameter : array, shape (m,)
        Diameter at each point (um).
    xyz : array, shape (m, 3), or None
        Coordinates (um); None where nobody gave any.
    ids : array, shape (m,)
        SWC sample of each point, -1 for none.
    edges : array, shape (n + 1,)
        Borders of the compartments (um from the start), increasing, from 0 to the length.
    sphere : bool
        Isopotential sphere: one compartment without axial resistance.
    even : bool
        Cut into equal pieces, whatever the points; else each compartment is one truncated cone.
    """

    arc: Floats
    diameter: Floats
    xyz: Floats | None
    ids: Ints
    edges: Floats
    sphere: bool = False
    even: bool = False

    @property
    def length(self) -> float:
        """Length of the section (um); a sphere's diameter."""
        return float(self.arc[-1])

    @property
    def n(self) -> int:
        """Number of compartments."""
        return len(self.edges) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Integrals over compartments; arrays in compartment order, section after section.

    Parameters
    ----------
    length, area, volume : array, shape (n,)
        In um, um2, um3.
    near, far : array, shape (n,)
        Integral of 4/(pi d^2) from the start, and from the centre, to the centre and the end (1/um).
    centre : array, shape (n,)
        Distance of the centre from the section's start (um).
    xyz : array, shape (n, 3, 3)
        Coordinates of start, centre and end of each compartment (um); NaN where there are none.
    ends : array, shape (n, 2)
        Diameter at start and end of each compartment (um).
    """

    length: Floats
    area: Floats
    volume: Floats
    near: Floats
    far: Floats
    centre: Floats
    xyz: Floats
    ends: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Breaks:
    """Points and half-compartment borders of all sections in one sorted row."""

    section: Ints
    arc: Floats
    diameter: Floats
    xyz: Floats
    is_edge: NDArray[np.bool_]


def _half_edges(path: Path) -> Floats:
    edges = path.edges
    halves = np.empty(2 * len(edges) - 1)
    halves[::2] = edges
    halves[1::2] = 0.5 * (edges[:-1] + edges[1:])
    return halves


def _coordinates(paths: Sequence[Path]) -> Floats:
    return np.concatenate([np.full((len(p.arc), 3), np.nan) if p.xyz is None else p.xyz for p in paths])


def _breaks(paths: Sequence[Path]) -> _Breaks:
    """Merge points and borders; of equal positions the first border comes first, the last one last.

    An inner border precedes the points at its place, so that the ring of a step in diameter belongs to the
    compartment which begins there.
    """
    halves = [_half_edges(p) for p in paths]
    points = np.array([len(p.arc) for p in paths])
    borders = np.array([len(h) for h in halves])
    index = np.arange(len(paths))
    section = np.concatenate([np.repeat(index, points), np.repeat(index, borders)])
    arc = np.concatenate([p.arc for p in paths] + halves)
    total = int(points.sum())
    rank = np.full(len(arc), 2)
    rank[total:] = 1
    last = total + np.cumsum(borders) - 1
    rank[last] = 3
    rank[last - borders + 1] = 0
    order = np.lexsort((rank, arc, section))
    is_edge = order >= total
    section = section[order]
    first_point = np.concatenate([[0], np.cumsum(points)])
    before = np.maximum.accumulate(np.where(is_edge, -1, order))
    before = np.maximum(before, first_point[section])
    after = np.where(is_edge, np.minimum(before + 1, first_point[section + 1] - 1), before)
    arc = arc[order]
    point_arc = np.concatenate([p.arc for p in paths])
    point_diameter = np.concatenate([p.diameter for p in paths])
    step = point_arc[after] - point_arc[before]
    t = np.clip((arc - point_arc[before]) / np.where(step > 0, step, 1.0), 0.0, 1.0)
    diameter = point_diameter[before] + t * (point_diameter[after] - point_diameter[before])
    xyz = _coordinates(paths)
    place = xyz[before] + t[:, None] * (xyz[after] - xyz[before])
    return _Breaks(section, arc, diameter, place, is_edge)


def measure(paths: Sequence[Path]) -> Measures:
    """Integrate over the compartments of some sections, all at once.

    Parameters
    ----------
    paths : sequence of Path
        The sections.

    Returns
    -------
    Measures
        One element for each compartment, section after section.
    """
    breaks = _breaks(paths)
    dx = np.diff(breaks.arc)
    a, b = breaks.diameter[:-1], breaks.diameter[1:]
    half = np.cumsum(breaks.is_edge)[:-1] - 1 - breaks.section[:-1]
    inside = breaks.section[:-1] == breaks.section[1:]
    dx, a, b, half = dx[inside], a[inside], b[inside], half[inside]
    counts = np.array([p.n for p in paths])
    n = int(counts.sum())

    def add(piece: Floats) -> Floats:
        return np.bincount(half, piece, 2 * n).astype(float).reshape(n, 2)

    area = add(0.5 * np.pi * (a + b) * np.hypot(dx, 0.5 * (b - a))).sum(1)
    volume = add(np.pi / 12 * dx * (a * a + a * b + b * b)).sum(1)
    axial = add(4 * dx / (np.pi * a * b))
    first = np.cumsum(counts) - counts
    for k in [i for i, p in enumerate(paths) if p.sphere]:
        volume[first[k]] = np.pi / 6 * paths[k].diameter[0] ** 3
        axial[first[k]] = 0.0
    start = 2 * np.arange(n) + np.repeat(np.arange(len(paths)), counts)
    triple = start[:, None] + np.arange(3)
    arcs = breaks.arc[breaks.is_edge][triple]
    before, after = _both_sides(breaks)
    diameters = np.column_stack([after[triple[:, 0]], before[triple[:, 2]]])
    xyz = breaks.xyz[breaks.is_edge][triple]
    length = arcs[:, 2] - arcs[:, 0]
    return Measures(length, area, volume, axial[:, 0], axial[:, 1], arcs[:, 1], xyz, diameters)


def _both_sides(breaks: _Breaks) -> tuple[Floats, Floats]:
    """Diameter just before and just after each half-compartment border, which differ at a step."""
    same = (np.diff(breaks.arc) == 0) & (np.diff(breaks.section) == 0)
    group = np.concatenate([[0], np.cumsum(~same)])
    first = np.searchsorted(group, group[breaks.is_edge], "left")
    last = np.searchsorted(group, group[breaks.is_edge], "right") - 1
    return breaks.diameter[first], breaks.diameter[last]


def point_at(path: Path, arc: float) -> tuple[float, Floats]:
    """Diameter (um) and coordinates (um, NaN where there are none) at a distance from the section's start."""
    diameter = float(np.interp(arc, path.arc, path.diameter))
    if path.xyz is None:
        return diameter, np.full(3, np.nan)
    return diameter, np.array([np.interp(arc, path.arc, path.xyz[:, k]) for k in range(3)])


def axial_integral(path: Path, start: float, stop: float) -> float:
    """Integral of 4/(pi d^2) between two distances from the section's start.

    Parameters
    ----------
    path : Path
        The section.
    start, stop : float
        Distances (um), start <= stop.

    Returns
    -------
    float
        In 1/um; times the resistivity it is a resistance. 0 inside a sphere.
    """
    if path.sphere or stop <= start:
        return 0.0
    arc = path.arc
    first, last = int(np.searchsorted(arc, start, "right")), int(np.searchsorted(arc, stop, "right"))
    ends = np.interp([start, stop], arc, path.diameter)
    at = np.concatenate([[start], arc[first:last], [stop]])
    d = np.concatenate([ends[:1], path.diameter[first:last], ends[1:]])
    return float(np.sum(4 * np.diff(at) / (np.pi * d[:-1] * d[1:])))


def electrotonic_lengths(paths: Sequence[Path]) -> Floats:
    """Integral of dx/sqrt(d) over each section (sqrt(um)), exact for a linear diameter.

    Divided by sqrt(1/(4 pi f Ri Cm)) it is the length in units of the AC length constant of Hines and
    Carnevale, Neuroscientist 7:123 (2001).
    """
    values = []
    for path in paths:
        root = np.sqrt(path.diameter)
        values.append(float(np.sum(2 * np.diff(path.arc) / (root[:-1] + root[1:]))))
    return np.array(values)


def cut(path: Path, n: int) -> Path:
    """The same course in n compartments of equal length (a sphere stays one)."""
    if path.sphere:
        return path
    edges = np.linspace(0.0, path.length, n + 1)
    edges[-1] = path.length
    return replace(path, edges=edges, even=True)
