"""Where the nodes of a tree lie in storage, and in which order a solver visits them.

The tree is rooted at its centre, which halves the longest dependency.  Unbranched runs are stored eight side by
side, one a SIMD lane, and eliminated together; a long one is cut into eight pieces with a node between each two
(substructuring).  What is left is stored and eliminated from the deepest level up, so that neighbours in the order
belong to different branches and do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.model import PADDING, aligned

__all__ = ["LANES", "SHORTEST_PIECE", "TreeLayout", "lay_out"]

LANES = 8
#: Rows below which packing does not pay: a run cut into eight, eight runs that end in tips, eight that link two nodes.
SHORTEST_PIECE, SHORTEST_TIP, SHORTEST_LINK = 4, 2, 3
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
    pieces : tuple of ndarray
        Each group of runs or pieces of one, as nodes of shape (rows, LANES), deepest row first.
    between : int
        How many of the groups, which come first, have nodes below their lanes.
    """

    place: Ints
    parent: Ints
    stored_compartments: int
    stored: int
    order: Ints
    above: Ints
    pieces: tuple[Ints, ...]
    between: int

    @property
    def spare(self) -> int:
        """A storage index that belongs to no node: where couplings to nothing lead."""
        return self.stored - 1

    def structure(self, coupling: Floats) -> Mapping[str, NDArray[Any]]:
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
                [len(self.order), len(self.pieces), self.between, self.stored_compartments, self.stored], np.int64
            ),
            "order": stored(self.order),
            "parent": stored(self.above),
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
        values = aligned(len(nodes))
        values[:] = np.where(nodes >= 0, coupling[nodes], 0.0)
        return bottom, values


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
    runs = _runs(parent, children, compartments)
    cut = _long(runs)
    links = _together([run for run in runs if children[run[-1]] and not _is_long(run)], SHORTEST_LINK)
    tips = _together([run for run in runs if not children[run[-1]] and not _is_long(run)], SHORTEST_TIP)
    pieces, between = [*cut, *links, *tips], len(cut) + len(links)
    inside = np.zeros(len(parent), bool)
    for piece in pieces:
        inside[piece.reshape(-1)] = True
    above = _skip(parent, inside)
    order = _deepest_first(above, inside)
    place = np.full(len(parent), -1, np.int64)
    taken = 0
    for piece in pieces:
        place[piece.reshape(-1)] = taken + np.arange(piece.size)
        taken += piece.size
    loose = order[order < compartments]
    place[loose] = taken + np.arange(len(loose))
    # At least one spare element here too: where the padding of a region's rows leads.
    stored_compartments = -(-(compartments + 1) // PADDING) * PADDING
    junctions = np.arange(compartments, len(parent))
    place[junctions] = stored_compartments + np.arange(len(junctions))
    # At least one spare element, for couplings that lead nowhere.
    stored = stored_compartments + -(-(len(junctions) + 1) // PADDING) * PADDING
    return TreeLayout(
        place, parent, stored_compartments, stored, order, above[order], tuple(pieces), between
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


def _is_long(run: Ints) -> bool:
    return (len(run) - (LANES - 1)) // LANES >= SHORTEST_PIECE


def _long(runs: list[Ints]) -> list[Ints]:
    """Long runs, cut into eight pieces each."""
    return [_cut(run, (len(run) - (LANES - 1)) // LANES) for run in runs if _is_long(run)]


def _together(runs: list[Ints], shortest: int) -> list[Ints]:
    """Groups of eight runs of like length, their far ends in the same row.

    What is left of longer ones is eliminated afterwards, like any other node.
    """
    ordered = sorted(runs, key=len, reverse=True)
    groups = []
    for k in range(0, len(ordered) - LANES + 1, LANES):
        rows = len(ordered[k + LANES - 1])
        if rows >= shortest:
            groups.append(np.stack([run[len(run) - rows :][::-1] for run in ordered[k : k + LANES]], axis=1))
    return groups


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


