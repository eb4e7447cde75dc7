"""Sections made by hand: a spherical soma, a cylinder, a row of truncated cones."""

from __future__ import annotations

from typing import Any

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.attributes import set_up
from rall.morphology.geometry import Floats, Path
from rall.morphology.lengths import in_micrometres, micrometres
from rall.morphology.morphology import Morphology
from rall.morphology.node import TYPE_CODES
from rall.units import Quantity

__all__ = ["Cylinder", "Section", "Soma"]


def _code(type: str | None) -> int | None:
    if type is None:
        return None
    if type in TYPE_CODES:
        return TYPE_CODES[type]
    number = type.removeprefix("type_")
    if not number.isdecimal():
        raise MorphologyError(
            f"type {type!r} is unknown; there are {', '.join(TYPE_CODES)} and type_5 and so on", "BadType"
        )
    return int(number)


def _positive(values: Floats, what: str) -> Floats:
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise MorphologyError(
            f"{what} must be positive, not {np.array2string(values, threshold=6)} um", "BadSection"
        )
    return values


def _count(n: Any) -> int:
    if isinstance(n, bool) or int(n) != n or n < 1:
        raise MorphologyError(f"n must be a whole number of compartments, not {n!r}", "BadSection")
    return int(n)


def _points(x: Any, y: Any, z: Any, number: int) -> Floats | None:
    """Coordinates from the axes that were given, 0 along the others."""
    given = {name: axis for name, axis in zip("xyz", (x, y, z)) if axis is not None}
    if not given:
        return None
    xyz = np.zeros((number, 3))
    for name, axis in given.items():
        values = in_micrometres(axis, name)
        if values.shape != (number,) or not np.isfinite(values).all():
            raise MorphologyError(
                f"{name} must be {number} finite coordinates, the start among them", "BadSection"
            )
        xyz[:, "xyz".index(name)] = values
    return xyz


class Soma(Morphology):
    """An isopotential sphere of one compartment; sections hang on its centre.

    Parameters
    ----------
    diameter : Quantity
        Of the sphere.
    x, y, z : Quantity, optional
        Its centre.
    type : str
        ``'soma'``.
    """

    def __init__(
        self,
        diameter: Quantity,
        x: Quantity | None = None,
        y: Quantity | None = None,
        z: Quantity | None = None,
        type: str | None = "soma",
    ) -> None:
        d = float(_positive(np.array([micrometres(diameter, "diameter")]), "diameter")[0])
        centre = None
        if not (x is None and y is None and z is None):
            centre = np.array([0.0 if c is None else micrometres(c, k) for c, k in zip((x, y, z), "xyz")])
        xyz = None if centre is None else np.array([centre, centre])
        ends = np.array([0.0, d])
        set_up(self, Path(ends, np.array([d, d]), xyz, np.full(2, -1), ends, True), _code(type), "soma")


class Cylinder(Morphology):
    """A cylinder in n compartments of equal length.

    Parameters
    ----------
    diameter : Quantity
        Of the cylinder.
    n : int
        Number of compartments.
    length : Quantity, optional
        Its length, where no coordinates are given.
    x, y, z : Quantity, optional
        Start and end along each axis, from the end of the parent; 0 where left out.
    type : str, optional
        ``'axon'``, ``'dend'``, ``'apic'``, ``'soma'`` or ``'type_5'`` ...; left out, its name says.
    """

    def __init__(
        self,
        diameter: Quantity,
        n: int = 1,
        length: Quantity | None = None,
        x: Quantity | None = None,
        y: Quantity | None = None,
        z: Quantity | None = None,
        type: str | None = None,
    ) -> None:
        d = _positive(np.array([micrometres(diameter, "diameter")]), "diameter")
        n = _count(n)
        xyz = _points(x, y, z, 2)
        if (xyz is None) == (length is None):
            raise MorphologyError("a Cylinder needs either length= or coordinates (x=, y=, z=)", "BadSection")
        long = micrometres(length, "length") if xyz is None else float(np.linalg.norm(xyz[1] - xyz[0]))
        _positive(np.array([long]), "length")
        edges = np.linspace(0.0, long, n + 1)
        path = Path(edges[[0, -1]], np.repeat(d, 2), xyz, np.full(2, -1), edges)
        set_up(self, path, _code(type), "root")


class Section(Morphology):
    """A row of n truncated cones, each one compartment.

    Parameters
    ----------
    diameter : Quantity
        One for all, or n + 1: at the start and at the end of each compartment.
    n : int
        Number of compartments.
    length : Quantity, optional
        Length of all together, or of each of the n, where no coordinates are given.
    x, y, z : Quantity, optional
        n + 1 coordinates along each axis, from the end of the parent; 0 where left out.
    type : str, optional
        As for `Cylinder`.
    """

    def __init__(
        self,
        diameter: Quantity,
        n: int = 1,
        length: Quantity | None = None,
        x: Quantity | None = None,
        y: Quantity | None = None,
        z: Quantity | None = None,
        type: str | None = None,
    ) -> None:
        n = _count(n)
        d = _positive(in_micrometres(diameter, "diameter"), "diameter")
        if d.shape not in ((), (1,), (n + 1,)):
            raise MorphologyError(
                f"diameter must be one value or n + 1 = {n + 1}, not {d.size}", "BadSection"
            )
        xyz = _points(x, y, z, n + 1)
        if (xyz is None) == (length is None):
            raise MorphologyError("a Section needs either length= or coordinates (x=, y=, z=)", "BadSection")
        edges = np.zeros(n + 1)
        if xyz is not None:
            steps = np.linalg.norm(np.diff(xyz, axis=0), axis=1)
        else:
            steps = in_micrometres(length, "length")
            steps = (
                np.full(n, float(steps.reshape(-1)[0]) / n) if steps.size == 1 and steps.ndim == 0 else steps
            )
        if steps.shape != (n,):
            raise MorphologyError(f"length must be one value or n = {n}, not {steps.size}", "BadSection")
        np.cumsum(_positive(steps, "length"), out=edges[1:])
        diameters = np.broadcast_to(d, (n + 1,)).astype(float)
        set_up(self, Path(edges.copy(), diameters, xyz, np.full(n + 1, -1), edges), _code(type), "root")
