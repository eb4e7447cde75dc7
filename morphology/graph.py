"""Axial currents as a tree of nodes and resistances, and the voltage between the nodes.

A compartment is a node at its centre with a resistance to either end.  Where two halves meet they are one
resistance; where three or more meet there is a node without area; what hangs on a sphere meets in the
sphere's own node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.build import AT_END, AT_MIDDLE
from rall.morphology.geometry import Floats, Ints, Path, axial_integral

__all__ = ["ConductanceGraph", "Joints", "conductance_graph", "join", "weights_at"]


@dataclass(frozen=True, eq=False)
class ConductanceGraph:
    """Nodes of the axial currents: compartments 0 ... n - 1, then branch points without area.

    Parameters
    ----------
    n : int
        Number of compartments.
    parent : array of int, shape (nodes,)
        Node on the way to node 0, -1 for node 0 itself.
    resistance : array, shape (nodes,)
        Integral of 4/(pi d^2) to the parent (1/um): times Ri a resistance; 0 for node 0, which has no parent.
    order : array of int, shape (nodes,)
        All nodes, parents before their children.
    halves : array of int, shape (nodes, 2)
        The half-compartments whose resistances make that of the edge to the parent: k is that of compartment k from its
        start to its centre, n + k that from its centre to its end, 2 n none.
    """

    n: int
    parent: Ints
    resistance: Floats
    order: Ints
    halves: Ints

    def __len__(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, eq=False)
class Joints:
    """Points where half-compartments meet.

    Parameters
    ----------
    at_start, at_end : array of int, shape (m,)
        Joint at the start and at the end of each section.
    members : tuple of tuple of (int, float)
        For each joint the compartments and the resistance integral from the joint to their centres (1/um);
        the one nearest the root comes first.  A sphere is its own joint, with resistance 0.
    halves : tuple of tuple of int
        For each joint the half-compartments that meet there, as in `ConductanceGraph`.
    """

    at_start: Ints
    at_end: Ints
    members: tuple[tuple[tuple[int, float], ...], ...]
    halves: tuple[tuple[int, ...], ...]


def join(
    parent: Ints,
    attach: Floats,
    first: Ints,
    last: Ints,
    sphere: np.ndarray[tuple[int], np.dtype[np.bool_]],
    halves: tuple[Floats, Floats],
) -> Joints:
    """Collect what meets at each end of each section.

    Parameters
    ----------
    parent, attach, first, last, sphere : array, shape (m,)
        Tree of sections and their first and last compartments.
    halves : pair of array, shape (n,)
        Resistance integrals of each compartment, from start to centre and from centre to end (1/um).
    """
    near, far = halves[0].tolist(), halves[1].tolist()
    members: list[list[tuple[int, float]]] = []
    meeting: list[list[int]] = []
    at_start, at_end = np.zeros(len(parent), np.int64), np.zeros(len(parent), np.int64)
    for s, (up, where, begin, end) in enumerate(
        zip(parent.tolist(), attach.tolist(), first.tolist(), last.tolist())
    ):
        if up < 0:
            joint = len(members)
            members.append([])
            meeting.append([])
        else:
            joint = int(at_end[up] if where in (AT_END, AT_MIDDLE) else at_start[up])
        members[joint].append((begin, near[begin]))
        meeting[joint].append(begin)
        at_start[s] = joint
        if sphere[s]:
            at_end[s] = joint
        else:
            at_end[s] = len(members)
            members.append([(end, far[end])])
            meeting.append([len(near) + end])
    return Joints(at_start, at_end, tuple(map(tuple, members)), tuple(map(tuple, meeting)))


def conductance_graph(
    section: Ints, parent: Ints, resistances: tuple[Floats, Floats], joints: Joints
) -> ConductanceGraph:
    """Nodes and edges from the joints.

    Parameters
    ----------
    section, parent : array of int, shape (n,)
        Section of each compartment, and the compartment before it.
    resistances : pair of array, shape (n,)
        Resistance integrals of each compartment (1/um).
    joints : Joints
        Where sections meet.
    """
    near, far = resistances
    n = len(section)
    up = parent.copy()
    inner = np.zeros(n, bool)
    inner[1:] = section[1:] == section[:-1]
    nothing = 2 * n
    halves = np.full((n, 2), nothing)
    halves[inner, 0] = np.flatnonzero(inner)
    halves[inner, 1] = n + np.flatnonzero(inner) - 1
    added_up: list[int] = []
    added_half: list[int] = []
    for members, meeting in zip(joints.members, joints.halves):
        if len(members) < 2:
            continue
        entry, h_entry = members[0][0], meeting[0]
        spheres = [k for k, m in enumerate(members) if m[1] == 0.0]
        if len(spheres) > 1:
            raise MorphologyError("two spheres meet without any resistance between them", "TwoSpheres")
        hub, h_hub = (members[spheres[0]][0], nothing) if spheres else (n + len(added_up), nothing)
        if spheres and hub != entry:
            up[hub], halves[hub] = entry, (h_entry, nothing)
        elif not spheres and len(members) == 2:
            hub, h_hub = entry, h_entry
        elif not spheres:
            added_up.append(entry)
            added_half.append(h_entry)
        for (compartment, _), half in zip(members[1:], meeting[1:]):
            if compartment != hub:
                up[compartment], halves[compartment] = hub, (half, h_hub)
    up = np.concatenate([up, np.array(added_up, np.int64)])
    added = np.column_stack([np.array(added_half, np.int64), np.full(len(added_half), nothing)])
    halves = np.concatenate([halves, added])
    resistance = np.concatenate([near, far, [0.0]])[halves].sum(axis=1)
    return ConductanceGraph(n, up, resistance, _order(up), halves)


def _order(parent: Ints) -> Ints:
    """Depth-first order of nodes."""
    by_parent = np.argsort(parent, kind="stable")
    first = np.searchsorted(parent[by_parent], np.arange(len(parent) + 1)).tolist()
    listed = by_parent.tolist()
    order, stack = [], [listed[0]]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(reversed(listed[first[node] : first[node + 1]]))
    return np.array(order, np.int64)


def _mean(members: tuple[tuple[int, float], ...]) -> dict[int, float]:
    """Voltage of a joint, where no charge stays: the mean weighted by conductance; a sphere's is its own."""
    for compartment, r in members:
        if r == 0.0:
            return {compartment: 1.0}
    total = sum(1.0 / r for _, r in members)
    return {compartment: 1.0 / r / total for compartment, r in members}


def weights_at(path: Path, first: int, position: float, joints: Joints, section: int) -> tuple[Ints, Floats]:
    """Compartments and weights that give the voltage at a position of a section.

    Parameters
    ----------
    path : Path
        The section.
    first : int
        Its first compartment.
    position : float
        Distance from its start (um).
    joints : Joints
        Where sections meet.
    section : int
        Its index.
    """
    centres = 0.5 * (path.edges[:-1] + path.edges[1:])
    if path.sphere:
        return np.array([first]), np.array([1.0])
    right = int(np.searchsorted(centres, position))
    low = 0.0 if right == 0 else float(centres[right - 1])
    high = path.length if right == path.n else float(centres[right])
    position = min(max(position, low), high)
    left_part = {first + right - 1: 1.0} if right > 0 else _mean(joints.members[joints.at_start[section]])
    right_part = {first + right: 1.0} if right < path.n else _mean(joints.members[joints.at_end[section]])
    below, above = axial_integral(path, low, position), axial_integral(path, position, high)
    t = below / (below + above)
    weights: dict[int, float] = {}
    for part, share in ((left_part, 1.0 - t), (right_part, t)):
        for compartment, weight in part.items():
            if weight * share > 0.0:
                weights[compartment] = weights.get(compartment, 0.0) + weight * share
    return np.array(list(weights), np.int64), np.array(list(weights.values()))
