"""Where the nodes of a tree lie in storage, and in which order a solver visits them.

The tree is rooted at its centre, which halves the longest dependency.  Unbranched runs are stored eight side by
side, one a SIMD lane, and eliminated together; a long one is cut into eight pieces with a node between each two
(substructuring).  What is left is stored and eliminated from the deepest level up, so that neighbours in the order
belong to different branches and do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.model import PADDING, aligned

__all__ = ["LANES", "SHORTEST_PIECE", "TreeLayout", "lay_out", "pack"]

LANES = 8
#: Rows below which packing does not pay: a run cut into eight, eight runs that end in tips, eight that link two nodes.
SHORTEST_PIECE, SHORTEST_TIP, SHORTEST_LINK = 4, 2, 3
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TreeLayout:
    """Storage of the nodes of a tree, or of several that are solved together.

    Parameters
    ----------
    place : ndarray of int64
        Storage index of every node; compartments come before junctions.
    parent : ndarray of int64
        Parent of every node after rooting, -1 for roots.
    stored_compartments : int
        Storage elements before the first junction, a multiple of `PADDING`.
    stored : int
        All storage elements; the last ones are padding that nothing hangs on.
    order : ndarray of int64
        Nodes that are eliminated one by one, after the groups, children first.
    above : ndarray of int64
        Node above each of `order`, -1 for a root.
    pieces : tuple of ndarray
        Each group of runs or pieces of one, as nodes of shape (rows, LANES), deepest row first; -1 for padding.
    first : ndarray of int64
        Storage index of the first element of each group.
    deep : ndarray of int64
        For each group the storage index of a row of junctions that is eliminated before its first row, or -1; they are
        the last rows but in storage of `pieces`, too, each the one below the lane's first node.
    between : int
        How many of the groups, which come first, have nodes below their lanes that are eliminated later.
    """

    place: Ints
    parent: Ints
    stored_compartments: int
    stored: int
    order: Ints
    above: Ints
    pieces: tuple[Ints, ...]
    first: Ints
    deep: Ints
    between: int

    @property
    def spare(self) -> int:
        """A storage index that belongs to no node: where couplings to nothing lead."""
        return self.stored - 1

    @cached_property
    def tables(self) -> Mapping[str, NDArray[Any]]:
        """The tables of a tree solve that do not depend on any value."""
        top = [np.where(p[-1] >= 0, self.parent[p[-1]], -1) for p in self.pieces]
        everything = np.full(self.stored, -1, np.int32)
        rooted = self.parent >= 0
        everything[self.place[rooted]] = self.place[self.parent[rooted]]
        unused = np.setdiff1d(np.arange(self.stored), self.place)
        return {
            "size": np.array(
                [len(self.order), len(self.pieces), self.between, self.stored_compartments, self.stored], np.int64
            ),
            "order": self._stored(self.order),
            "parent": self._stored(self.above),
            "first": self.first,
            "rows": np.array([len(p) for p in self.pieces], np.int64),
            "deep": self.deep,
            "above": self._stored(np.array(top, np.int64).reshape(-1)),
            "below": self._stored(self._nodes_below),
            "whole_order": np.concatenate([unused, self.place[_children_first(self.parent)]]).astype(np.int32),
            "whole_parent": everything,
        }

    def to_below(self, coupling: Floats) -> Floats:
        """Couplings of the lanes of groups to the nodes below them, shape (LANES * groups,).

        Parameters
        ----------
        coupling : ndarray, shape (stored,)
            Conductance of every node to its parent in storage order (siemens, or any unit the diagonal has).
        """
        # The solver reads whole vectors of these.
        nodes = self._nodes_below
        values = aligned(len(nodes))
        values[:] = np.where(nodes >= 0, coupling[self.place[nodes]], 0.0)
        return values

    def _stored(self, nodes: Ints) -> NDArray[np.int32]:
        return np.where(nodes >= 0, self.place[nodes], self.spare).astype(np.int32)

    @cached_property
    def _nodes_below(self) -> Ints:
        """The node below each lane of those groups that have some, -1 elsewhere."""
        only_child = np.full(len(self.parent), -1)
        rooted = np.flatnonzero(self.parent >= 0)
        only_child[self.parent[rooted]] = rooted
        found = np.full((len(self.pieces), LANES), -1)
        for k, piece in enumerate(self.pieces[: self.between]):
            found[k] = only_child[piece[0]]
        return found.reshape(-1)


def lay_out(parent: Ints, compartments: int, kinds: Ints | None = None) -> TreeLayout:
    """Choose storage for a tree whose first `compartments` nodes are compartments and whose others are junctions.

    Parameters
    ----------
    parent : ndarray of int64
        Parent of every node, -1 for the one root; couplings are symmetric, so any root serves.
    compartments : int
        Number of compartments.
    kinds : ndarray of int64, shape (compartments,), optional
        Of what kind each is; those of one kind lie together where that costs nothing, for membranes of regions.
    """
    kinds = np.zeros(compartments, np.int64) if kinds is None else kinds
    parent = reroot(np.asarray(parent, np.int64))
    children = np.bincount(parent[parent >= 0], minlength=len(parent))
    runs = _runs(parent, children, compartments)
    cut = _long(runs)
    links = _together([run for run in runs if children[run[-1]] and not _is_long(run)], SHORTEST_LINK, kinds)
    tips = _together([run for run in runs if not children[run[-1]] and not _is_long(run)], SHORTEST_TIP, kinds)
    pieces, between = [*cut, *links, *tips], len(cut) + len(links)
    inside = np.zeros(len(parent), bool)
    for piece in pieces:
        inside[piece.reshape(-1)] = True
    above = _skip(parent, inside)
    order = _deepest_first(above, inside)
    place = np.full(len(parent), -1, np.int64)
    taken, first = 0, []
    for piece in pieces:
        first.append(taken)
        place[piece.reshape(-1)] = taken + np.arange(piece.size)
        taken += piece.size
    loose = order[order < compartments]
    loose = loose[np.argsort(kinds[loose], kind="stable")]
    place[loose] = taken + np.arange(len(loose))
    stored_compartments = _padded(compartments)
    junctions = np.arange(compartments, len(parent))
    place[junctions] = stored_compartments + np.arange(len(junctions))
    stored = stored_compartments + _padded(len(junctions))
    return TreeLayout(
        place, parent, stored_compartments, stored, order, above[order], tuple(pieces), np.array(first, np.int64),
        np.full(len(pieces), -1), between,
    )  # fmt: skip


def _padded(elements: int) -> int:
    """Storage for some elements and at least one spare: for couplings, and the padding of regions, to lead to."""
    return -(-(elements + 1) // PADDING) * PADDING


def pack(parent: Ints, compartments: int, kinds: Ints | None = None) -> TreeLayout:
    """Choose storage for several trees whose unbranched runs are eliminated eight side by side, whosever they are.

    Runs are sorted by their height in the tree of runs, so that all that hangs on one is done before it, then by kind
    and length; junctions are runs of their own, unless they are under eight runs of one length.  Roots stay as they
    are.

    Parameters
    ----------
    parent : ndarray of int64
        Parent of every node, -1 for roots, whose number does not matter.
    compartments : int
        Number of compartments, which come before junctions.
    kinds : ndarray of int64, shape (compartments,), optional
        As of `lay_out`.
    """
    parent = np.asarray(parent, np.int64)
    runs = _Runs(parent, compartments, np.zeros(compartments, np.int64) if kinds is None else kinds)
    groups, under = runs.groups()
    place = np.full(len(parent), -1, np.int64)
    taken, behind = 0, 0
    pieces, first, deep, rows_behind = [], [], [], []
    for group, row in zip(groups, under):
        members = np.full((int(runs.length[group].max()), LANES), -1)
        for lane, head in enumerate(group.tolist()):
            members[len(members) - runs.length[head] :, lane] = runs.nodes(head)
        junction = group[0] >= compartments
        pieces.append(members)
        first.append(behind if junction else taken)
        if junction:
            behind += LANES
        else:
            taken += members.size
        deep.append(behind if len(row) else -1)
        rows_behind.append(row)
        behind += LANES * bool(len(row))
    stored_compartments, stored_junctions = _padded(taken), _padded(behind)
    start = np.array(first, np.int64)
    start[[group[0] >= compartments for group in groups]] += stored_compartments
    lower = np.array(deep, np.int64)
    lower[lower >= 0] += stored_compartments
    for members, begin, row, below in zip(pieces, start.tolist(), rows_behind, lower.tolist()):
        there = members.reshape(-1)
        place[there[there >= 0]] = begin + np.flatnonzero(there >= 0)
        place[row] = below + np.arange(len(row))
    none = np.zeros(0, np.int64)
    return TreeLayout(
        place, parent, stored_compartments, stored_compartments + stored_junctions, none, none, tuple(pieces), start,
        lower, 0,
    )  # fmt: skip


class _Runs:
    """Maximal unbranched runs of compartments, and junctions: each known by its node that is nearest to the root."""

    def __init__(self, parent: Ints, compartments: int, kinds: Ints) -> None:
        self._kind = np.concatenate([kinds, np.zeros(len(parent) - compartments, np.int64)])
        nodes = np.arange(len(parent))
        self._parent, self._compartments = parent, compartments
        self._children = np.bincount(parent[parent >= 0], minlength=len(parent))
        head = (parent < 0) | (nodes >= compartments) | (parent >= compartments) | (self._children[parent] != 1)
        self._top = _above(np.where(head, nodes, parent))
        depth = _depths(parent)
        self._heads = np.flatnonzero(head)
        self.length = np.bincount(self._top, minlength=len(parent))
        self._height = np.zeros(len(parent), np.int64)
        for run in self._heads[np.argsort(-depth[self._heads], kind="stable")].tolist():
            if parent[run] >= 0:
                above = self._top[parent[run]]
                self._height[above] = max(self._height[above], self._height[run] + 1)
        # The nodes of each run in one row, the far end first.
        self._order = np.lexsort((-depth, self._top))
        self._begin = np.searchsorted(self._top[self._order], nodes)

    def nodes(self, head: int) -> Ints:
        """The nodes of a run, the far end first."""
        return self._order[self._begin[head] : self._begin[head] + self.length[head]]

    def _by_eights(self, heads: Ints) -> list[Ints]:
        # Sorting by head last keeps what lies together in a tree together in storage.
        chosen = heads[np.lexsort((heads, -self.length[heads], self._kind[heads], self._height[heads]))]
        borders = np.flatnonzero(np.diff(self._height[chosen], prepend=-1, append=-1))
        return [chosen[k : min(k + LANES, end)] for begin, end in pairwise(borders) for k in range(begin, end, LANES)]

    def groups(self) -> tuple[list[Ints], list[Ints]]:
        """Eight runs of one height a group, in the order of elimination, and the junctions that go with each."""
        compartments = self._heads < self._compartments
        groups = self._by_eights(self._heads[compartments])
        under = self._junctions_under(groups)
        # A row of junctions that goes with a group is no group of its own.
        alone = np.setdiff1d(self._heads[~compartments], np.concatenate([*under, np.zeros(0, np.int64)]))
        rest = self._by_eights(alone)
        every = sorted(
            [*zip(groups, under), *((group, np.zeros(0, np.int64)) for group in rest)],
            key=lambda pair: int(self._height[pair[0][0]]),
        )
        return [group for group, _ in every], [row for _, row in every]

    def _junctions_under(self, groups: Sequence[Ints]) -> list[Ints]:
        """For each group the junctions under its runs, if that are eight and the runs of one length; else nothing."""
        below = np.full(len(self._parent), -1)
        junctions = np.arange(self._compartments, len(self._parent))
        rooted = junctions[self._parent[junctions] >= 0]
        single = rooted[self._children[self._parent[rooted]] == 1]
        below[self._parent[single]] = single
        found = []
        for group in groups:
            fits = len(group) == LANES and np.ptp(self.length[group]) == 0
            row = below[self._order[self._begin[group]]] if fits else np.zeros(0, np.int64)
            found.append(row if (row >= 0).all() else np.zeros(0, np.int64))
        return found


def _above(jump: Ints) -> Ints:
    """Where following `jump` from every node ends."""
    while True:
        further = jump[jump]
        if (further == jump).all():
            return jump
        jump = further


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


def _together(runs: list[Ints], shortest: int, kinds: Ints) -> list[Ints]:
    """Groups of eight runs of like length, their far ends in the same row; of one kind as long as there are eight.

    What is left of longer ones is eliminated afterwards, like any other node.
    """
    pure: list[Ints] = []
    rest: list[Ints] = []
    for kind in np.unique(kinds):
        own = sorted((run for run in runs if kinds[run[0]] == kind), key=len, reverse=True)
        whole = len(own) - len(own) % LANES
        pure, rest = [*pure, *own[:whole]], [*rest, *own[whole:]]
    ordered = [*pure, *sorted(rest, key=len, reverse=True)]
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


