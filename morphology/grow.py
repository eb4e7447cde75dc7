"""Cells that rall grows itself: a layer-5 pyramidal, a Purkinje-like and a dentate granule cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.grow_cable import Taper, bend, diameters, resample
from rall.morphology.grow_wiring import Floats, Ints, Skeleton, chain, cone, connect, normals, prune, unit

__all__ = ["GENERATOR_VERSION", "KINDS", "Samples", "grow_samples"]

#: Raised whenever the same kind and seed give another cell than before.
GENERATOR_VERSION = 1

AXON, BASAL, APICAL = 2, 3, 4
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Samples:
    """A cell as the columns of an SWC file, parents before children; the soma is the first row alone.

    Parameters
    ----------
    id : array (n,) of int
        1 to n.
    type : array (n,) of int
        1 soma, 2 axon, 3 basal (or only) dendrite, 4 apical dendrite.
    x, y, z : array (n,)
        Coordinates in um, the centre of the soma at 0; y points to the pia.
    radius : array (n,)
        In um.
    parent : array (n,) of int
        Id of the parent, -1 for the soma.
    """

    id: Ints
    type: Ints
    x: Floats
    y: Floats
    z: Floats
    radius: Floats
    parent: Ints


@dataclass(frozen=True)
class _Plan:
    """A wired cell and what it takes to make cable of it."""

    tree: Skeleton
    soma_radius: float
    spacing: dict[int, float]
    wobble: tuple[float, float, float]
    reach: float
    tapers: dict[int, Taper]


def grow_samples(
    kind: str, seed: int = 1, *, balance: float | None = None, spacing: float | None = None, axon: bool = True
) -> Samples:
    """Grow a cell.

    Parameters
    ----------
    kind : str
        ``'pyramidal'`` (layer 5), ``'purkinje'`` or ``'granule'`` (dentate gyrus).
    seed : int
        Which cell of the kind; the same seed gives the same cell.
    balance : float, optional
        Balancing factor of the dendrites in place of the kind's own: 0 gives least cable, 1 direct paths.
    spacing : float, optional
        Distance between samples in um, 1 to 50, in place of the kind's own (3 to 6).
    axon : bool
        Whether the cell has an axon.

    Returns
    -------
    Samples
        The columns of an SWC file.

    Raises
    ------
    MorphologyError
        If the kind is unknown or an option cannot be used.
    """
    _check(kind, seed, balance, spacing)
    rng = np.random.Generator(np.random.PCG64(seed))
    plan = KINDS[kind](rng, balance)
    steps = plan.spacing if spacing is None else dict.fromkeys(plan.spacing, float(spacing))
    tree = bend(resample(plan.tree, steps), rng, np.array(plan.wobble), plan.reach)
    radius = 0.5 * diameters(tree, rng, plan.tapers)
    radius[0] = plan.soma_radius
    keep = np.ones(len(radius), dtype=bool) if axon else tree.kind != AXON
    place = np.cumsum(keep)
    parent = np.where(tree.parent >= 0, place[tree.parent], -1)
    x, y, z = tree.xyz[keep].T.copy()
    return Samples(place[keep], tree.kind[keep], x, y, z, radius[keep], parent[keep])


def _check(kind: str, seed: int, balance: float | None, spacing: float | None) -> None:
    """Raise an error that says what would do, if an argument of `grow_samples` cannot be used."""
    if kind not in KINDS:
        known = ", ".join(repr(name) for name in KINDS)
        raise MorphologyError(f"no cell of kind {kind!r} can be grown; known are {known}", "UnknownKind")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise MorphologyError(f"seed={seed!r} is not a whole number of 0 or more", "BadOption")
    if balance is not None and not 0.0 <= balance <= 4.0:
        raise MorphologyError(f"balance={balance!r}: give 0 to 4 (0.2 to 1 is usual)", "BadOption")
    if spacing is not None and not 1.0 <= spacing <= 50.0:
        raise MorphologyError(f"spacing={spacing!r}: give 1 to 50, in um", "BadOption")


def _soma() -> Skeleton:
    """The tree that consists of the centre of the soma."""
    return Skeleton(np.zeros((1, 3)), np.array([-1]), np.array([1]))


def _stem(tree: Skeleton, soma_radius: float, direction: Floats, length: float, kind: int) -> Skeleton:
    """Add a neurite that starts on the soma's surface; its end is the last point."""
    along = unit(direction)
    return chain(tree, 0, np.array([soma_radius, soma_radius + length])[:, None] * along, kind)


def _wander(
    rng: np.random.Generator, start: Floats, direction: Floats, steps: int, step: float, turn: float
) -> Floats:
    """Points (steps, 3) in um of a persistent walk; `turn` is the random part of a step's direction."""
    along, point, points = unit(direction), start, []
    for kick in normals(rng, (steps, 3)):
        # The pull towards the first direction keeps a trunk a trunk.
        along = unit(along + turn * kick + 0.15 * unit(direction))
        point = point + step * along
        points.append(point)
    return np.array(points)


def _end(tree: Skeleton) -> int:
    """Index of the last point."""
    return len(tree.parent) - 1


def _spoke(rng: np.random.Generator, turn: float, lift: tuple[float, float]) -> Floats:
    """A direction at angle `turn` (rad) about the y axis, raised by an angle (degrees) drawn from a range."""
    angle = np.radians(lift[0] + (lift[1] - lift[0]) * rng.random())
    return np.array([np.cos(turn) * np.cos(angle), np.sin(angle), np.sin(turn) * np.cos(angle)])


def _axon(
    rng: np.random.Generator, tree: Skeleton, soma_radius: float, length: float, collaterals: int
) -> Skeleton:
    """Add a descending axon: an unbranched first 80 um, then collaterals that run out sideways."""
    tree = _stem(tree, soma_radius, np.array([0.12, -1.0, 0.05]), 15.0, AXON)
    before = _end(tree)
    walk = _wander(rng, tree.xyz[before], -UP, int(length / 20.0), 20.0, 0.12)
    tree = chain(tree, before, walk, AXON)
    # At least a step of the walk apart, since a point of it has room for one collateral only.
    shares = (np.arange(collaterals) + 0.7 * rng.random(collaterals)) / collaterals
    places = 80.0 + (0.8 * length - 80.0) * shares
    golden = 2.4 + 2.0 * np.pi * rng.random()
    for number, place in enumerate(places):
        start = before + round(place / 20.0)
        away = _spoke(rng, golden * (number + 1), (-30.0, 25.0))
        reach = 120.0 + 240.0 * rng.random()
        count = 3 + int(4 * rng.random())
        points = cone(rng, count, tree.xyz[start], reach * away, 20.0, 1.2)
        tree = connect(tree, [start], points, AXON, 1.0)
    return prune(tree, AXON, 30.0)


def _pyramidal(rng: np.random.Generator, balance: float | None) -> _Plan:
    """A thick-tufted layer-5 pyramidal cell; the sizes are those of rat cells, the trunk is 700 um long."""
    bf = 0.9 if balance is None else balance
    radius = 8.0 + rng.random()
    tree = _soma()
    stems = 6 + int(3 * rng.random())
    phase = 2.0 * np.pi * rng.random()
    for number in range(stems):
        turn = phase + 2.0 * np.pi * (number + 0.5 * rng.random()) / stems
        away = _spoke(rng, turn, (-60.0, 15.0))
        tree = _stem(tree, radius, away, 12.0, BASAL)
        count = round(108.0 / stems * (0.7 + 0.6 * rng.random()))
        points = cone(rng, count, tree.xyz[_end(tree)], 165.0 * away, 42.0, 2.1)
        tree = connect(tree, [_end(tree)], points, BASAL, bf)
    tree = prune(tree, BASAL, 25.0)
    tree = _obliques(rng, _trunk(rng, tree, radius), bf)
    tree = prune(tree, APICAL, 25.0)
    tree = _axon(rng, tree, radius, 650.0, 6)
    tapers = {
        AXON: Taper((1.0, 1.2), (0.4, 0.5), 0.0, 1.2, 10.0),
        BASAL: Taper((1.1, 1.9), (0.45, 0.7), 0.1),
        APICAL: Taper((4.4, 5.4), (0.45, 0.7), 0.08, 0.8, 15.0),
    }
    return _Plan(tree, radius, {AXON: 6.0, BASAL: 4.4, APICAL: 4.4}, (1.3, 1.3, 1.3), 6.2, tapers)


def _trunk(rng: np.random.Generator, tree: Skeleton, radius: float) -> Skeleton:
    """Add the apical trunk, 700 um in steps of 20, and the tuft at its end."""
    tree = _stem(tree, radius, UP, 20.0, APICAL)
    lean = UP + 0.12 * normals(rng, (3,)) * np.array([1.0, 0.0, 1.0])
    walk = _wander(rng, tree.xyz[_end(tree)], lean, 34, 20.0, 0.09)
    tree = chain(tree, _end(tree), walk, APICAL)
    top = _end(tree)
    points = cone(rng, 54, tree.xyz[top], 210.0 * UP, 45.0, 1.8)
    tree = prune(connect(tree, [top], points, APICAL, 0.8), APICAL, 20.0)
    return _reach(rng, tree, APICAL, float(tree.xyz[top, 1]) + np.array([150.0, 230.0]))


def _reach(rng: np.random.Generator, tree: Skeleton, kind: int, surface: Floats) -> Skeleton:
    """Let the tips of a type grow on outwards until they are near a surface, between two heights in um."""
    stem = tree.xyz[int(np.flatnonzero(tree.kind == kind)[0])]
    for tip in np.flatnonzero((tree.children == 0) & (tree.kind == kind)).tolist():
        goal = surface[0] + (surface[1] - surface[0]) * rng.random()
        gap = goal - tree.xyz[tip, 1]
        if gap > 15.0:
            outward, onward = tree.xyz[tip] - stem, tree.xyz[tip] - tree.xyz[tree.parent[tip]]
            away = unit(unit(outward) + unit(onward) + 0.7 * UP)
            steps = int(min(gap / max(0.5, away[1]), 170.0) / 15.0) + 1
            tree = chain(tree, tip, _wander(rng, tree.xyz[tip], away, steps, 15.0, 0.15), kind)
    return tree


def _obliques(rng: np.random.Generator, tree: Skeleton, bf: float) -> Skeleton:
    """Add the oblique dendrites: most of them leave the proximal half of the trunk."""
    first = int(np.flatnonzero(tree.kind == APICAL)[0])
    heights = 50.0 + 420.0 * ((np.arange(11) + rng.random(11)) / 11.0) ** 1.5
    starts = first + np.unique(np.round(heights / 20.0).astype(np.int64))
    golden = 2.4 + 2.0 * np.pi * rng.random()
    for number, start in enumerate(starts.tolist()):
        away = _spoke(rng, golden * (number + 1), (0.0, 40.0))
        reach = 90.0 + 100.0 * rng.random()
        points = cone(rng, 5 + int(7 * rng.random()), tree.xyz[start], reach * away, 35.0, 1.6)
        tree = connect(tree, [start], points, APICAL, bf)
    return tree


def _purkinje(rng: np.random.Generator, balance: float | None) -> _Plan:
    """A Purkinje-like cell: one stem, then a flat arbor that fills 210 um by 190 um evenly."""
    bf = 0.25 if balance is None else balance
    radius = 10.0 + rng.random()
    tree = _stem(_soma(), radius, UP, 22.0, BASAL)
    tree = connect(tree, [_end(tree)], _fan(rng), BASAL, bf)
    tree = prune(tree, BASAL, 5.0)
    tree = _stem(tree, radius, np.array([0.1, -1.0, 0.0]), 15.0, AXON)
    tree = chain(tree, _end(tree), _wander(rng, tree.xyz[_end(tree)], -UP, 8, 20.0, 0.1), AXON)
    tapers = {
        AXON: Taper((1.0, 1.1), (0.8, 0.9), 0.0, 1.0, 8.0),
        BASAL: Taper((4.0, 5.0), (0.75, 1.05), 0.1),
    }
    return _Plan(tree, radius, {AXON: 6.0, BASAL: 3.0}, (0.35, 0.35, 0.5), 3.5, tapers)


def _fan(rng: np.random.Generator) -> Floats:
    """Carrier points (n, 3) in um of a flat arbor: a jittered triangular lattice within an outline."""
    step = 4.4
    rows, columns = np.meshgrid(np.arange(-32.0, 33.0), np.arange(-32.0, 33.0), indexing="ij")
    x = step * (columns + 0.5 * (rows % 2)).ravel()
    y = step * np.sqrt(0.75) * rows.ravel()
    x = x + 0.45 * step * (2.0 * rng.random(x.size) - 1.0)
    y = y + 0.45 * step * (2.0 * rng.random(y.size) - 1.0)
    turn, phase = np.arctan2(y, x), 2.0 * np.pi * rng.random(3)
    edge = 1.0 + sum(0.07 / k * np.cos((k + 1) * turn + phase[k - 1]) for k in (1, 2, 3))
    inside = np.hypot(x / 104.0, y / 96.0) < edge
    points = np.stack([x, y + 125.0, 5.0 * normals(rng, x.shape).clip(-2.0, 2.0)], axis=1)
    result: Floats = points[inside]
    return result


def _granule(rng: np.random.Generator, balance: float | None) -> _Plan:
    """A dentate granule cell: a cone of spare dendrites through the molecular layer, and a thin axon."""
    bf = 0.8 if balance is None else balance
    radius = 5.2 + 0.8 * rng.random()
    tree = _soma()
    stems = 2 + int(2 * rng.random())
    for number in range(stems):
        lean = np.radians(24.0 * (2.0 * (number + 0.2 + 0.6 * rng.random()) / stems - 1.0))
        away = np.array([np.sin(lean), np.cos(lean), 0.2 * (rng.random() - 0.5)])
        tree = _stem(tree, radius, away, 18.0, BASAL)
        points = cone(rng, round(42.0 / stems), tree.xyz[_end(tree)], 150.0 * away, 29.0, 1.6)
        points[:, 2] *= 0.6
        tree = connect(tree, [_end(tree)], points, BASAL, bf)
    # Nearly all tips reach the hippocampal fissure (Claiborne, Amaral and Cowan 1990, J Comp Neurol 302:206).
    tree = _reach(rng, prune(tree, BASAL, 15.0), BASAL, np.array([215.0, 275.0]))
    tree = _stem(tree, radius, np.array([-0.1, -1.0, 0.1]), 10.0, AXON)
    tree = chain(tree, _end(tree), _wander(rng, tree.xyz[_end(tree)], -UP, 6, 20.0, 0.2), AXON)
    tapers = {
        AXON: Taper((0.6, 0.7), (0.3, 0.4), 0.0, 0.6, 5.0),
        BASAL: Taper((1.6, 2.4), (0.45, 0.65), 0.12),
    }
    return _Plan(tree, radius, {AXON: 5.0, BASAL: 4.5}, (1.2, 1.2, 1.0), 6.2, tapers)


#: The kinds of cell that can be grown, and what wires them.
KINDS: dict[str, Callable[[np.random.Generator, float | None], _Plan]] = {
    "pyramidal": _pyramidal,
    "purkinje": _purkinje,
    "granule": _granule,
}
