"""Potentials of currents in an infinite homogeneous medium, which leave cables along lines or at points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rall.plugins.cable.cell_geometry import CellGeometry
from rall.units import value_of

__all__ = ["SOURCES", "Sources"]

Floats = NDArray[np.float64]

#: What compartments are taken for.
SOURCES = ("line", "point")


@dataclass(frozen=True, eq=False)
class Sources:
    """Lines that currents leave from evenly along their length; one of no length is a point.

    Parameters
    ----------
    start, direction : ndarray, shape (compartments, 3)
        Where each begins (metre), and a vector of length 1.
    length, radius : ndarray, shape (compartments,)
        Its length, and the least distance at which its potential is looked at (metre).
    """

    start: Floats
    direction: Floats
    length: Floats
    radius: Floats

    @classmethod
    def of(cls, geometry: CellGeometry, kind: str) -> Sources:
        """The sources of compartments.

        Parameters
        ----------
        geometry : CellGeometry
            The compartments.
        kind : {'line', 'point'}
            Whether cables are their axes or their midpoints; spheres are their centres, which outside is exact.
        """
        start, end = np.asarray(value_of(geometry.start)), np.asarray(value_of(geometry.end))
        point = geometry.sphere if kind == "line" else np.ones(len(start), bool)
        axis = np.where(point[:, None], 0.0, end - start)
        length = np.linalg.norm(axis, axis=1)
        begin = np.where(point[:, None], 0.5 * (start + end), start)
        return cls(
            begin, axis / np.where(length > 0, length, 1.0)[:, None], length,
            0.5 * np.asarray(value_of(geometry.diameter)),
        )  # fmt: skip

    def resistance(self, place: Floats, sigma: float) -> Floats:
        """Potential at a place for a unit of current out of each compartment (ohm), shape (compartments,).

        With r1 and r2 the distances to the ends of a line of length L, the integral of ds/(4 pi sigma r) over it is
        artanh(L/(r1 + r2))/(2 pi sigma) (Holt & Koch 1999, their logarithm written so that nothing cancels far
        away); for no length that is the point source.

        Parameters
        ----------
        place : ndarray, shape (3,)
            In metre.
        sigma : float
            Conductivity (siemens/metre).
        """
        along, across, least = self._distances(place)
        across = np.maximum(across, least)
        both = np.hypot(along, across) + np.hypot(self.length - along, across)
        share = self.length / both
        ratio = np.arctanh(share) / np.where(share > 0, share, 1.0)
        return np.where(share > 0, ratio, 1.0) / (2 * np.pi * sigma * both)

    def around(self, place: Floats) -> NDArray[np.int64]:
        """Compartments whose radius a place is within."""
        _, across, least = self._distances(place)
        return np.flatnonzero(across < least)

    def _distances(self, place: Floats) -> tuple[Floats, Floats, Floats]:
        """Distance from the start along the line, from its axis, and the least one that keeps off by the radius."""
        seen = place - self.start
        along = np.einsum("ij,ij->i", seen, self.direction)
        across = np.linalg.norm(seen - along[:, None] * self.direction, axis=1)
        beyond = np.maximum(0.0, np.maximum(-along, along - self.length))
        return along, across, np.sqrt(np.maximum(0.0, self.radius**2 - beyond**2))
