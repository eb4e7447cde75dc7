"""Wiring of grown cells: carrier points in a volume joined by a balanced minimum spanning tree.

The method is that of Cuntz, Forstner, Borst and Hausser (2010), PLoS Comput Biol 6:e1000877: points of a
target volume are joined one by one, the next always being the one that costs least: its new cable plus,
weighted by a balancing factor, its path length to the root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Ints", "Skeleton", "chain", "cone", "connect", "normals", "prune", "unit"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Skeleton:
    """A tree of points without diameters; point 0 is the centre of the soma, parents come first.

    Parameters
    ----------
    xyz : array (n, 3)
        Coordinates in um.
    parent : array (n,) of int
        Index of the parent, -1 for point 0.
    kind : array (n,) of int
        SWC type of the cable between a point and its parent.
    """

    xyz: Floats
    parent: Ints
    kind: Ints

    @property
    def lengths(self) -> Floats:
        """Length in um of the step from the parent to each point (n,); 0 for the root and from the soma."""
        steps = np.linalg.norm(self.xyz - self.xyz[self.parent], axis=1)
        return np.where(self.parent > 0, steps, 0.0)

    @property
    def children(self) -> Ints:
        """Number of children of each point (n,)."""
        return np.bincount(self.parent[1:], minlength=len(self.parent)).astype(np.int64)

    @property
    def paths(self) -> Floats:
        """Path length in um from the surface of the soma to each point (n,)."""
        paths = self.lengths.tolist()
        for node, parent in enumerate(self.parent.tolist()):
            if parent > 0:
                paths[node] += paths[parent]
        return np.array(paths)

    def extended(self, xyz: Floats, parent: Ints, kind: int) -> Skeleton:
        """Give the tree with points added at its end.

        Parameters
        ----------
        xyz : array (m, 3)
            Coordinates in um.
        parent : array (m,) of int
            Parents, as indices into the extended tree.
        kind : int
            SWC type of the new points.

        Returns
        -------
        Skeleton
            The longer tree.
        """
        kinds = np.full(len(parent), kind, dtype=np.int64)
        return Skeleton(
            np.concatenate([self.xyz, xyz]),
            np.concatenate([self.parent, parent]),
            np.concatenate([self.kind, kinds]),
        )


def unit(vector: Sequence[float] | Floats) -> Floats:
    """Give the vector of length one in the same direction.

    Parameters
    ----------
    vector : array (..., 3)
        Any vectors but zero.

    Returns
    -------
    array (..., 3)
        Each divided by its length.
    """
    array = np.asarray(vector, dtype=np.float64)
    result: Floats = array / np.linalg.norm(array, axis=-1, keepdims=True)
    return result


def normals(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw standard normal numbers from uniform ones (Box and Muller 1958, Ann Math Stat 29:610).

    NumPy promises less about the stream of its normal draws than about that of its uniform ones, and a grown
    cell has to stay the same cell.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the uniform draws.
    shape : tuple of int
        Shape of the result.

    Returns
    -------
    array
        Draws of mean 0 and variance 1.
    """
    radius = np.sqrt(-2.0 * np.log(1.0 - rng.random(shape)))
    result: Floats = radius * np.cos(2.0 * np.pi * rng.random(shape))
    return result


def cone(
    rng: np.random.Generator, count: int, apex: Floats, axis: Floats, half_angle: float, filling: float = 2.0
) -> Floats:
    """Draw carrier points from a cone with a round base.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the draws.
    count : int
        Number of points.
    apex : array (3,)
        Tip of the cone in um.
    axis : array (3,)
        From the tip to the centre of the base, in um.
    half_angle : float
        Between the axis and the mantle, in degrees.
    filling : float
        Exponent of the distance from the apex: 3 fills the volume evenly, less crowds the apex.

    Returns
    -------
    array (count, 3)
        Points in um.
    """
    length = float(np.linalg.norm(axis))
    along = unit(axis)
    aside = np.eye(3)[int(np.argmin(np.abs(along)))]
    first = unit(np.cross(along, aside))
    second = np.cross(along, first)
    radius = length * rng.random(count) ** (1.0 / filling)
    cosine = 1.0 - rng.random(count) * (1.0 - np.cos(np.radians(half_angle)))
    sine = np.sqrt(1.0 - cosine**2)
    turn = 2.0 * np.pi * rng.random(count)
    direction = (
        cosine[:, None] * along
        + (sine * np.cos(turn))[:, None] * first
        + (sine * np.sin(turn))[:, None] * second
    )
    result: Floats = apex + radius[:, None] * direction
    return result


def chain(tree: Skeleton, start: int, points: Floats, kind: int) -> Skeleton:
    """Add an unbranched run of points.

    Parameters
    ----------
    tree : Skeleton
        The tree so far.
    start : int
        Point that the run leaves from.
    points : array (m, 3)
        The run, in um.
    kind : int
        SWC type.

    Returns
    -------
    Skeleton
        The longer tree; its last point is the end of the run.
    """
    first = len(tree.parent)
    parent = np.arange(first - 1, first - 1 + len(points), dtype=np.int64)
    parent[0] = start
    return tree.extended(points, parent, kind)


def connect(tree: Skeleton, starts: Sequence[int], carriers: Floats, kind: int, balance: float) -> Skeleton:
    """Join carrier points to a tree by the balanced minimum spanning tree.

    The cost of joining point k to node j at distance d is d + balance * (path of j + d) (Cuntz et al. 2010).
    A node takes two children at most, so all forks are bifurcations.

    Parameters
    ----------
    tree : Skeleton
        The tree so far.
    starts : sequence of int
        Points of the tree that may be joined to; new points always may.
    carriers : array (m, 3)
        Points to join, in um.
    kind : int
        SWC type of the new cable.
    balance : float
        Balancing factor, 0 (least cable) to about 1 (direct paths).

    Returns
    -------
    Skeleton
        The tree with all carriers in it.
    """
    known, count = len(tree.parent), len(carriers)
    xyz = np.concatenate([tree.xyz, carriers])
    path = np.concatenate([tree.paths, np.zeros(count)])
    room = np.zeros(known + count, dtype=np.int64)
    room[list(starts)] = 2 - tree.children[list(starts)]
    waiting = np.arange(known, known + count)
    cost, via = _cheapest(xyz, path, np.flatnonzero(room > 0), waiting, balance)
    order, parent = [], []
    for _ in range(count):
        pick = int(np.argmin(cost))
        node, joint = int(waiting[pick]), int(via[pick])
        order.append(node)
        parent.append(joint)
        path[node] = path[joint] + np.linalg.norm(xyz[node] - xyz[joint])
        cost[pick], via[pick] = np.inf, -1
        room[joint] -= 1
        room[node] = 2
        if room[joint] == 0:
            lost = np.flatnonzero(via == joint)
            cost[lost], via[lost] = _cheapest(xyz, path, np.flatnonzero(room > 0), waiting[lost], balance)
        offer = (1.0 + balance) * np.linalg.norm(xyz[waiting] - xyz[node], axis=1) + balance * path[node]
        better = (offer < cost) & (via >= 0)
        cost[better], via[better] = offer[better], node
    place = np.arange(known + count)
    place[order] = np.arange(known, known + count)
    return tree.extended(xyz[order], place[np.array(parent, dtype=np.int64)], kind)


def _cheapest(
    xyz: Floats, path: Floats, open_nodes: Ints, waiting: Ints, balance: float
) -> tuple[Floats, Ints]:
    """Cost and node of the cheapest joint for each waiting point."""
    if len(waiting) == 0:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    apart = np.linalg.norm(xyz[waiting][:, None, :] - xyz[open_nodes][None, :, :], axis=2)
    costs = (1.0 + balance) * apart + balance * path[open_nodes]
    best = np.argmin(costs, axis=1)
    return costs[np.arange(len(waiting)), best], open_nodes[best]


def prune(tree: Skeleton, kind: int, shortest: float) -> Skeleton:
    """Cut off end pieces that are too short to be drawn by an anatomist.

    Parameters
    ----------
    tree : Skeleton
        The tree so far.
    kind : int
        SWC type to prune.
    shortest : float
        Least length of an end piece in um; whole neurites stay.

    Returns
    -------
    Skeleton
        The tree without them; shorter pieces go first, and what remains of the fork is one piece.
    """
    while True:
        children, lengths = tree.children, tree.lengths
        worst, drop = shortest, []
        for tip in np.flatnonzero((children == 0) & (tree.kind == kind)).tolist():
            piece, node, length = [tip], int(tree.parent[tip]), float(lengths[tip])
            while node > 0 and children[node] == 1:
                piece.append(node)
                length += float(lengths[node])
                node = int(tree.parent[node])
            if length < worst and node > 0:
                worst, drop = length, piece
        if not drop:
            return tree
        keep = np.ones(len(tree.parent), dtype=bool)
        keep[drop] = False
        place = np.cumsum(keep) - 1
        parent = np.where(tree.parent >= 0, place[tree.parent], -1)
        tree = Skeleton(tree.xyz[keep], parent[keep], tree.kind[keep])
