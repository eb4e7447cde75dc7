"""Where the nodes of a tree lie in storage, and in which order a solver visits them.

The tree is rooted at its centre, which halves the longest dependency.  Long unbranched runs are cut into eight
pieces with a node between each two; the pieces are stored side by side, one a SIMD lane, and eliminated together
(substructuring).  What is left is stored and eliminated from the deepest level up, so that neighbours in the order
belong to different branches and do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rall.model import PADDING

__all__ = ["LANES", "SHORTEST_PIECE", "TreeLayout", "lay_out"]

LANES = 8
#: Rows below which cutting a run does not pay.
SHORTEST_PIECE = 4
#: Clock cycles of one step, all sweeps together: a level of the tree (latency), and what a node that is eliminated
#: between two others costs more than a leaf (throughput).
LEVEL_LATENCY, MIDDLE_WORK = 100.0, 14.0

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TreeLayout:
    """Storage of a tree's nodes.

    Parameters
    ----------
    place : ndarray of int64
        Storage index of every node; compartments come before junctions.
    parent : ndarray of int64
        Parent of every node after rooting at the centre, -1 for the root.
    stored_compartments : int
        Storage elements before the first junction, a multiple of `PADDING`.
    stored : int
        All storage elements; the last ones are padding that nothing hangs on.
    order : ndarray of int64
        Nodes that are eliminated as leaves, children first.
    above : ndarray of int64
        Node above each of `order`, -1 for the root.
    middles : ndarray of int64, shape (k, 3)
        Nodes that are eliminated between two others, with the node above and the node below (-1 for none).
    pieces : tuple of ndarray
        Each cut run as nodes of shape (rows, LANES), deepest row first.
    """

    place: Ints
    parent: Ints
    stored_compartments: int
    stored: int
    order: Ints
    above: Ints
    middles: Ints
    pieces: tuple[Ints, ...]

    @property
    def spare(self) -> int:
        """A storage index that belongs to no node: where couplings to nothing lead."""
        return self.stored - 1

    def structure(self, coupling: Floats) -> Mapping[str, NDArray[np.generic]]:
        """The tables of a tree solve.

        Parameters
        ----------
        coupling : ndarray, shape (nodes,)
            Conductance of every node to its parent (siemens, or any unit the diagonal has).
        """
        place, spare = self.place, self.spare

        def stored(nodes: Ints) -> NDArray[np.int32]:
            return np.where(nodes >= 0, place[nodes], spare).astype(np.int32)

        top = [stored(self.parent[p[-1]]) for p in self.pieces]
        bottom, to_below = self._below(coupling)
        everything = np.full(self.stored, -1, np.int32)
        rooted = self.parent >= 0
        everything[place[rooted]] = place[self.parent[rooted]]
        unused = np.setdiff1d(np.arange(self.stored), place)
        stored_coupling = np.zeros(self.stored)
        stored_coupling[place] = np.where(rooted, coupling, 0.0)
        return {
            "size": np.array(
                [len(self.order), len(self.middles), len(self.pieces), self.stored_compartments, self.stored], np.int64
            ),
            "order": stored(self.order),
            "parent": stored(self.above),
            "middle": stored(self.middles[:, 0]),
            "upper": stored(self.middles[:, 1]),
            "lower": stored(self.middles[:, 2]),
            "first": np.array([place[p[0, 0]] for p in self.pieces], np.int64),
            "rows": np.array([len(p) for p in self.pieces], np.int64),
            "above": np.array(top, np.int32).reshape(-1),
            "below": bottom,
            "to_below": to_below,
            "whole_order": np.concatenate([unused, place[_children_first(self.parent)]]).astype(np.int32),
            "whole_parent": everything,
            "coupling": stored_coupling,
        }

    def _below(self, coupling: Floats) -> tuple[NDArray[np.int32], Floats]:
        only_child = np.full(len(self.parent), -1)
        rooted = np.flatnonzero(self.parent >= 0)
        only_child[self.parent[rooted]] = rooted
        nodes = np.array([only_child[p[0]] for p in self.pieces], np.int64).reshape(-1)
        bottom = np.where(nodes >= 0, self.place[nodes], self.spare).astype(np.int32)
        # The solver reads whole vectors of these.
        values = np.zeros(len(nodes) + LANES)
        start = -values.ctypes.data % 64 // 8
        aligned = values[start : start + len(nodes)]
        aligned[:] = np.where(nodes >= 0, coupling[nodes], 0.0)
        return bottom, aligned


def lay_out(parent: Ints, compartments: int) -> TreeLayout:
    """Choose storage for a tree whose first `compartments` nodes are compartments and whose others are junctions.

    Parameters
    ----------
    parent : ndarray of int64
        Parent of every node, -1 for the one root; couplings are symmetric, so any root serves.
    compartments : int
        Number of compartments.
    """
    parent = reroot(np.asarray(parent, np.int64))
    children = np.bincount(parent[parent >= 0], minlength=len(parent))
    pieces: list[Ints] = []
    for run in _runs(parent, children, compartments):
        rows = (len(run) - (LANES - 1)) // LANES
        if rows >= SHORTEST_PIECE:
            pieces.append(_cut(run, rows))
    inside = np.zeros(len(parent), bool)
    for piece in pieces:
        inside[piece.reshape(-1)] = True
    reduced = _skip(parent, inside)
    middles = _middles(reduced, inside)
    inside[middles[:, 0]] = True
    remaining = _skip(reduced, inside)
    order = _deepest_first(remaining, inside)
    place = np.full(len(parent), -1, np.int64)
    taken = 0
    for piece in pieces:
        place[piece.reshape(-1)] = taken + np.arange(piece.size)
        taken += piece.size
    loose = np.concatenate([middles[:, 0], order])
    loose = loose[loose < compartments]
    place[loose] = taken + np.arange(len(loose))
    stored_compartments = -(-compartments // PADDING) * PADDING
    junctions = np.arange(compartments, len(parent))
    place[junctions] = stored_compartments + np.arange(len(junctions))
    # At least one spare element, for couplings that lead nowhere.
    stored = stored_compartments + -(-(len(junctions) + 1) // PADDING) * PADDING
    return TreeLayout(
        place, parent, stored_compartments, stored, order, remaining[order], middles, tuple(pieces)
    )


def reroot(parent: Ints) -> Ints:
    """The same tree, rooted in the middle of its longest path (counted in nodes)."""
    far, _ = _farthest(parent, int(np.flatnonzero(parent < 0)[0]))
    end, path = _farthest(parent, far)
    centre = path[len(path) // 2] if len(path) else end
    new = parent.copy()
    node, above = centre, -1
    while node >= 0:
        new[node], above, node = above, node, int(parent[node])
    return new


def _farthest(parent: Ints, start: int) -> tuple[int, list[int]]:
    """The node with most edges from `start`, and the path to it."""
    neighbours: list[list[int]] = [[] for _ in parent]
    for node, above in enumerate(parent.tolist()):
        if above >= 0:
            neighbours[node].append(above)
            neighbours[above].append(node)
    came_from = {start: -1}
    level = [start]
    last = start
    while level:
        last = level[0]
        following = []
        for node in level:
            for other in neighbours[node]:
                if other not in came_from:
                    came_from[other] = node
                    following.append(other)
        level = following
    path = [last]
    while came_from[path[-1]] >= 0:
        path.append(came_from[path[-1]])
    return last, path


def _runs(parent: Ints, children: Ints, compartments: int) -> list[Ints]:
    """Maximal unbranched runs of compartments, from the root side outwards."""
    in_run = (children <= 1) & (np.arange(len(parent)) < compartments) & (parent >= 0)
    child = np.full(len(parent), -1)
    rooted = np.flatnonzero(parent >= 0)
    child[parent[rooted]] = rooted
    runs = []
    for node in np.flatnonzero(in_run & ~in_run[parent]).tolist():
        run = [node]
        while children[run[-1]] == 1 and in_run[child[run[-1]]]:
            run.append(int(child[run[-1]]))
        runs.append(np.array(run, np.int64))
    return runs


def _cut(run: Ints, rows: int) -> Ints:
    """Eight pieces from the far end of a run, shape (rows, LANES), deepest row first, one node between pieces."""
    used = run[len(run) - (LANES * rows + LANES - 1) :]
    starts = np.arange(LANES) * (rows + 1)
    return np.array(used[starts[None, :] + np.arange(rows)[::-1, None]], np.int64)


def _skip(parent: Ints, inside: NDArray[np.bool_]) -> Ints:
    """Nearest ancestor outside of pieces; -1 for nodes inside."""
    above = parent.copy()
    while True:
        through = (above >= 0) & inside[above]
        if not through.any():
            break
        above[through] = parent[above[through]]
    above[inside] = -1
    return above


def _middles(parent: Ints, inside: NDArray[np.bool_]) -> Ints:
    """Nodes with one neighbour above and one below that are worth eliminating first, in order, with both.

    On a single cell a sweep takes as long as its longest chain of dependence, so the choice is between the length
    of the longest path and the extra work of such nodes; the candidates are those on the longest paths.
    """
    usable = np.flatnonzero(~inside)
    rooted = usable[parent[usable] >= 0]
    children = np.bincount(parent[rooted], minlength=len(parent))
    child = np.full(len(parent), -1)
    child[parent[rooted]] = rooted
    depth = _depths(parent)
    reach = depth + _heights(parent, depth, usable)
    candidate = (children == 1) & (parent >= 0) & ~inside
    best, chosen = np.inf, np.zeros(len(parent), bool)
    for limit in (np.inf, *np.unique(np.quantile(reach[usable], np.linspace(0, 1, 9)))):
        taken = candidate & (reach >= limit)
        cost = taken.sum() * MIDDLE_WORK + (_depths(_skip(parent, taken | inside)).max() + 1) * LEVEL_LATENCY
        if cost < best:
            best, chosen = cost, taken
    rounds: list[tuple[int, int, int, int]] = []
    for node in np.flatnonzero(chosen & ~chosen[parent]).tolist():
        run = [node]
        while chosen[child[run[-1]]]:
            run.append(int(child[run[-1]]))
        line = [int(parent[node]), *run, int(child[run[-1]])]
        for k in range(1, len(run) + 1):
            reach_k = k & -k  # cyclic reduction: odd places first, then every fourth, and so on
            rounds.append((reach_k, line[k], line[k - reach_k], line[min(k + reach_k, len(run) + 1)]))
    rounds.sort(key=lambda entry: entry[0])
    return np.array([entry[1:] for entry in rounds], np.int64).reshape(-1, 3)


def _heights(parent: Ints, depth: Ints, usable: Ints) -> Ints:
    """Number of edges to the farthest descendant."""
    height = np.zeros(len(parent), np.int64)
    for node in usable[np.argsort(-depth[usable], kind="stable")].tolist():
        up = parent[node]
        if up >= 0 and height[up] <= height[node]:
            height[up] = height[node] + 1
    return height


def _deepest_first(above: Ints, inside: NDArray[np.bool_]) -> Ints:
    """Nodes outside of pieces by falling depth in the reduced tree."""
    depth = _depths(above)
    nodes = np.flatnonzero(~inside)
    return np.array(nodes[np.argsort(-depth[nodes], kind="stable")], np.int64)


def _children_first(parent: Ints) -> Ints:
    return np.array(np.argsort(-_depths(parent), kind="stable"), np.int64)


def _depths(parent: Ints) -> Ints:
    """Number of ancestors, by pointer doubling."""
    depth = (parent >= 0).astype(np.int64)
    jump = parent.copy()
    while (jump >= 0).any():
        reached = jump >= 0
        depth[reached] += depth[jump[reached]]
        jump[reached] = jump[jump[reached]]
    return depth


