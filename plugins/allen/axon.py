"""Axons of the Allen Institute's models: the reconstructed one, or what replaces it."""

from __future__ import annotations

import numpy as np

from rall.errors import MorphologyError
from rall.morphology import Cylinder, Morphology
from rall.morphology.node import copied
from rall.registry import closest
from rall.units import Quantity, um

__all__ = ["AXONS", "coarse", "with_axon"]

AXONS = ("file", "stub", "truncated")
"""What the axon can be."""

_SOMA, _AXON = 1, 2
#: Length of the two pieces of a stub, its diameter, and how far away the second diameter is taken (um).
_PIECE, _DIAMETER, _FAR = 30.0, 1.0, 60.0
_LONGEST = 40.0


def coarse(morphology: Morphology) -> Morphology:
    """A morphology as the Allen Institute cuts it: into an odd number of compartments of at most 40 um.

    Parameters
    ----------
    morphology : Morphology
        It stays what it is.
    """
    return morphology.discretize(n=lambda section: 1 + 2 * int(float(np.sum(section.length / um)) / _LONGEST))


def with_axon(morphology: Morphology, axon: str) -> Morphology:
    """A morphology with the axon that is asked for.

    Parameters
    ----------
    morphology : Morphology
        It stays what it is.
    axon : str
        ``'file'``, ``'stub'`` or ``'truncated'``.

    Returns
    -------
    Morphology
        A new one, but for ``'file'``.

    Raises
    ------
    MorphologyError
        If there is no such axon, or no soma or axon that it needs.
    """
    if axon not in AXONS:
        known = ", ".join(AXONS)
        raise MorphologyError(f"there is no axon {axon!r}{closest(str(axon), AXONS)}; there are {known}", "UnknownAxon")
    if axon == "file":
        return morphology
    if morphology.flatten().sections.type[0] != _SOMA:
        raise MorphologyError(
            f"axon='{axon}' hangs a stub on the soma, and the first section of this morphology is none; use 'file'",
            "NoSoma",
        )
    diameters = (_DIAMETER, _DIAMETER) if axon == "stub" else _diameters(morphology)
    fresh: Morphology = copied(morphology)  # type: ignore[assignment]
    if (fresh.flatten().sections.type == _AXON).any():
        fresh.remove("axon")
    near, far = (_piece(diameter, fresh) for diameter in diameters)
    fresh.axon = near
    near.axon = far
    return fresh


def _piece(diameter: float, morphology: Morphology) -> Cylinder:
    """A piece of a stub, downwards in a morphology with coordinates."""
    if np.isnan(morphology.flatten().xyz).any():
        return Cylinder(diameter=diameter * um, length=_PIECE * um, type="axon")
    return Cylinder(diameter=diameter * um, y=Quantity([0.0, -_PIECE * 1e-6], dim=um.dim), type="axon")


def _diameters(morphology: Morphology) -> tuple[float, float]:
    """Of the axon's first section, and of the first one whose middle is far away; in the middle (um)."""
    tree = coarse(morphology).flatten()
    inside = np.flatnonzero(tree.sections.type == _AXON)
    if len(inside) == 0:
        raise MorphologyError(
            "axon='truncated' takes its diameters from the axon, and the morphology has none; 'stub' would do", "NoAxon"
        )
    middle = tree.sections.first[inside] + tree.sections.n[inside] // 2
    far = middle[tree.distance[middle] > _FAR]
    return float(tree.diameter[middle[0]]), float(tree.diameter[far[0] if len(far) else middle[0]])
