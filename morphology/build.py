"""A table of samples to sections, by rall's geometry rule.

1. A soma of one sample, or of three in NeuroMorpho's form, is an isopotential sphere; neurites hang on it
   directly.
2. Any other soma is cable; a soma sample with a neurite or with more than one soma child ends a section.
3. Between a sample and its parent lies a truncated cone.
4. A neurite starts at its first sample with rule 1; with rule 2 the link from the soma sample is a cylinder
   with the radius of that first sample.
5. A neurite of a single sample is a cylinder from the soma sample to it; if it only carries a branch point
   its children hang on the soma.
6. A section runs to the next branch point, tip or change of type, and starts with the branch point's own
   radius.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rall.morphology.geometry import Floats, Ints, Path
from rall.morphology.rules import SOMA, parent_rows, three_point_soma
from rall.morphology.swc import Table

__all__ = ["AT_END", "AT_MIDDLE", "AT_START", "Piece", "sections"]

_NOTHING = 1e-9  # um
AT_START, AT_MIDDLE, AT_END = 0.0, 0.5, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One section of a tree that is held as a list in depth-first order.

    Parameters
    ----------
    path : Path
        Its course and compartments.
    parent : int
        Index of the parent section; -1 for the first.
    attach : float
        Where it hangs on its parent: 1 at the end, 0 at the start, 0.5 in the middle of a sphere.
    type : int
        SWC type.
    """

    path: Path
    parent: int
    attach: float
    type: int


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """Samples sorted by id, their tree, and the depth-first order of their rows."""

    table: Table
    parent: NDArray[np.intp]
    children: NDArray[np.intp]
    order: NDArray[np.intp]
    ends: NDArray[np.bool_]


def _depth_first(parent: NDArray[np.intp], rank: Ints) -> NDArray[np.intp]:
    """Rows from the root on, children by rank and then by row, each subtree in one piece."""
    by_parent = np.lexsort((np.arange(len(parent)), rank, parent))
    first = np.searchsorted(parent[by_parent], np.arange(len(parent) + 1)).tolist()
    # Reversed, so that the stack gives the first child first.
    listed = by_parent.tolist()
    order = []
    stack = [listed[0]]
    while stack:
        row = stack.pop()
        order.append(row)
        stack.extend(reversed(listed[first[row] : first[row + 1]]))
    return np.array(order, np.intp)


def _samples(table: Table) -> _Samples:
    table = table.take(np.argsort(table.ids, kind="stable"))
    parent = parent_rows(table)
    linked = parent >= 0
    children = np.bincount(parent[linked], minlength=len(table))
    changes = linked & (table.types != table.types[parent])
    ends = (children != 1) | np.bincount(parent[changes], minlength=len(table)).astype(bool)
    # The soma goes on before neurites leave it, so that section 0 is soma wherever there is one.
    rank = np.where(table.types == SOMA, 0, 1)
    return _Samples(table, parent, children, _depth_first(parent, rank), ends)


def sections(table: Table, soma: str = "sphere") -> tuple[list[Piece], dict[int, int]]:
    """Sections of a table that has passed all rules.

    Parameters
    ----------
    table : Table
        Samples in any order (um).
    soma : str
        ``'sphere'``; ``'cylinder'``, with length = diameter = 2 r and neurites at its far end; ``'brian'``, a
        sphere with cable from its centre to each neurite; ``'cable'``, the same, but a soma of three
        samples is cable.

    Returns
    -------
    pieces : list of Piece
        In depth-first order, each frustum between two samples one compartment.
    merged : dict
        Sample ids that lie on no section of their own, with the id that stands for them.
    """
    samples = _samples(table)
    whole = three_point_soma(samples.table, samples.parent)
    if soma == "cable":
        soma = "brian"
        xyz = samples.table.xyz[whole]
        whole = whole[:0] if len(whole) and np.ptp(xyz, axis=0).max() > _NOTHING else whole
    runs = _runs(samples, whole)
    merged = {int(samples.table.ids[k]): int(samples.table.ids[whole[0]]) for k in whole[1:]}
    pieces = [] if not len(whole) else [_soma_piece(samples.table, int(whole[0]), soma)]
    drafts = [_draft(samples, run, whole, soma) for run in runs]
    _link(samples, drafts, pieces, AT_END if soma == "cylinder" else AT_MIDDLE)
    _stand_ins(samples, pieces, merged)
    return pieces, merged


def _runs(samples: _Samples, whole: Ints) -> list[NDArray[np.intp]]:
    """Rows of each section without its starting point, in depth-first order."""
    order = samples.order
    if len(whole):
        keep = np.ones(len(order), bool)
        keep[np.isin(order, whole)] = False
        order = order[keep]
    else:
        order = order[1:]
    if not len(order):
        return []
    above = samples.parent[order]
    starts = samples.ends[above] | (samples.parent[above] < 0) | np.isin(above, whole)
    return np.split(order, np.flatnonzero(starts)[1:])


def _soma_piece(table: Table, row: int, soma: str) -> Piece:
    centre, r, sample = table.xyz[row], float(table.radius[row]), int(table.ids[row])
    edges = np.array([0.0, 2 * r])
    if soma == "cylinder":
        # The sample is the middle point of three, so that its place is the centre.
        xyz = centre + np.array([[0.0, -r, 0.0], [0.0, 0.0, 0.0], [0.0, r, 0.0]])
        path = Path(np.array([0.0, r, 2 * r]), np.full(3, 2 * r), xyz, np.array([-1, sample, -1]), edges)
    else:
        path = Path(edges, np.full(2, 2 * r), np.array([centre, centre]), np.full(2, sample), edges, True)
    return Piece(path, -1, AT_END, SOMA)


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    """A run of samples as a path; `above` is the row it hangs on, None for the soma in one piece."""

    path: Path | None
    above: int | None
    last: int
    type: int


def _draft(samples: _Samples, run: NDArray[np.intp], whole: Ints, soma: str) -> _Draft:
    table = samples.table
    above = int(samples.parent[run[0]])
    rows = np.concatenate([[above], run])
    xyz, diameter = table.xyz[rows], 2 * table.radius[rows]
    on_whole = bool(len(whole)) and bool((whole == above).any())
    if on_whole and soma == "brian":
        xyz[0] = table.xyz[whole[0]]
    if table.types[above] == SOMA and table.types[run[0]] != SOMA:
        diameter[0] = diameter[1]
        lone = len(run) == 1 and samples.children[run[0]] == 0
        if on_whole and soma != "brian" and not lone:
            rows, xyz, diameter = rows[1:], xyz[1:], diameter[1:]
    path = _path(xyz, diameter, table.ids[rows])
    return _Draft(path, None if on_whole else above, int(run[-1]), int(table.types[run[0]]))


def _path(xyz: Floats, diameter: Floats, ids: Ints) -> Path | None:
    """A path with a compartment for each step of some length; None where there is no length at all."""
    step = np.sqrt(np.square(np.diff(xyz, axis=0)).sum(axis=1))
    step[step < _NOTHING] = 0.0
    arc = np.zeros(len(xyz))
    np.cumsum(step, out=arc[1:])
    if not arc[-1] > 0:
        return None
    longer = np.flatnonzero(arc[1:] > arc[:-1])
    edges = np.zeros(len(longer) + 1)
    edges[1:] = arc[longer + 1]
    return Path(arc, diameter, xyz, ids, edges)


def _link(samples: _Samples, drafts: list[_Draft], pieces: list[Piece], on_soma: float) -> None:
    """Give every draft its parent section; one without length hands its children on to its own parent."""
    # Where the sections that begin at a row hang: (section, attach); at the root of a cable nothing is there
    # yet.
    holds: dict[int, tuple[int, float]] = {int(samples.order[0]): (-1, AT_END)}
    root = int(samples.order[0])
    for draft in drafts:
        parent, attach = (0, on_soma) if draft.above is None else holds[draft.above]
        if draft.path is None:
            holds[draft.last] = (parent, attach)
            continue
        pieces.append(Piece(draft.path, parent, attach, draft.type))
        holds[draft.last] = (len(pieces) - 1, AT_END)
        if parent == -1:
            # The first section that leaves the root becomes section 0; the others hang on its start.
            here = (0, AT_START)
            holds = {row: here if at[0] == -1 else at for row, at in holds.items()}
            holds[root] = here


def _stand_ins(samples: _Samples, pieces: list[Piece], merged: dict[int, int]) -> None:
    """Let the nearest sample above stand for each that has no place of its own."""
    ids = samples.table.ids
    known = np.concatenate([piece.path.ids for piece in pieces])
    for row in samples.order[~np.isin(ids[samples.order], known)].tolist():
        above = int(ids[samples.parent[row]])
        merged.setdefault(int(ids[row]), merged.get(above, above))
