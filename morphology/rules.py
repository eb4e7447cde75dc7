"""What may be wrong or odd in a table of SWC samples: one small function for each rule.

A rule gets the table, yields findings and changes nothing.  The stages follow each other because a later one
needs what an earlier one has ruled out; inside a stage all rules run, so that one reading tells everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.morphology.findings import Finding
from rall.morphology.geometry import Ints
from rall.morphology.swc import Table

__all__ = ["SOMA", "STAGES", "parent_rows", "raise_radii", "three_point_soma"]

SOMA = 1
_FAR = 1e9  # um: a kilometre
_WIDE = 1e6  # um
_NO_RADIUS = 1e-12  # um: below it the resistance of a cone is no finite number any more
_THIN = 1e-2  # um; the thinnest axons are ten times thicker
_JUMP = 1e3  # um
_NOTHING = 1e-8  # um
_MANY = 20

Rule: TypeAlias = Callable[[Table], Iterator[Finding]]


def _each(
    table: Table, bad: NDArray[np.bool_], code: str, level: str, text: Callable[[int], str]
) -> Iterator[Finding]:
    rows = np.flatnonzero(bad)
    for row in rows[np.argsort(table.lines[rows], kind="stable")][:_MANY]:
        yield Finding(code, level, text(int(row)), int(table.lines[row]), int(table.ids[row]))


def _summary(
    table: Table, bad: NDArray[np.bool_], code: str, text: Callable[[int, int], str]
) -> Iterator[Finding]:
    """One warning for many samples, at the line of the first."""
    rows = np.flatnonzero(bad)
    if len(rows):
        row = int(rows[np.argmin(table.lines[rows])])
        yield Finding(code, "warning", text(row, len(rows)), int(table.lines[row]), int(table.ids[row]))


def _name(table: Table, row: int) -> str:
    return f"sample {int(table.ids[row])}"


# ---------------------------------------------------------------- values


def bad_ids(table: Table) -> Iterator[Finding]:
    """Ids below zero."""
    return _each(
        table,
        table.ids < 0,
        "BadId",
        "error",
        lambda k: f"{_name(table, k)}: ids count from 0 or 1 upwards; only a parent may be -1",
    )


def bad_types(table: Table) -> Iterator[Finding]:
    """Types below zero."""
    return _each(
        table,
        table.types < 0,
        "BadType",
        "error",
        lambda k: (
            f"{_name(table, k)} has type {int(table.types[k])}; types are 0 (undefined), 1 (soma), "
            "2 (axon), 3 (basal), "
            "4 (apical) and whatever you like above"
        ),
    )


def duplicate_ids(table: Table) -> Iterator[Finding]:
    """Ids used twice."""
    order = np.argsort(table.ids, kind="stable")
    again = np.zeros(len(table), bool)
    again[order[1:]] = np.diff(table.ids[order]) == 0

    def text(k: int) -> str:
        first = int(table.lines[np.flatnonzero(table.ids == table.ids[k])[0]])
        return f"{_name(table, k)} was defined in line {first} already; give one of them another id"

    return _each(table, again, "DuplicateId", "error", text)


def bad_radii(table: Table) -> Iterator[Finding]:
    """Radii that are no positive, sensible number."""
    with np.errstate(invalid="ignore"):
        bad = ~((table.radius > _NO_RADIUS) & (table.radius < _WIDE))

    def text(k: int) -> str:
        value = float(table.radius[k])
        way = "; from_file(..., min_radius=0.05*um) raises radii of 0" if 0 <= value <= _NO_RADIUS else ""
        return f"{_name(table, k)} has radius {value:g} um; a radius must be a positive number{way}"

    return _each(table, bad, "BadRadius", "error", text)


def bad_coordinates(table: Table) -> Iterator[Finding]:
    """Coordinates that are not finite or farther away than a kilometre."""
    with np.errstate(invalid="ignore"):
        bad = np.any(~(np.abs(table.xyz) < _FAR), axis=1)
    return _each(
        table,
        bad,
        "BadCoordinate",
        "error",
        lambda k: (
            f"{_name(table, k)} lies at ({', '.join(f'{v:g}' for v in table.xyz[k])}) um; "
            "coordinates must be "
            f"finite and below {_FAR:g} um"
        ),
    )


# ---------------------------------------------------------------- links


def parent_rows(table: Table) -> NDArray[np.intp]:
    """Row of each sample's parent; -1 for a root, -2 where there is no such sample."""
    order = np.argsort(table.ids, kind="stable")
    place = np.minimum(np.searchsorted(table.ids[order], table.parents), len(table) - 1)
    row = order[place]
    rows: NDArray[np.intp] = np.where(table.ids[row] == table.parents, row, -2)
    rows[table.parents == -1] = -1
    return rows


def missing_parents(table: Table) -> Iterator[Finding]:
    """Parents that are no sample of the file."""
    return _each(
        table,
        parent_rows(table) == -2,
        "MissingParent",
        "error",
        lambda k: (
            f"{_name(table, k)} names parent {int(table.parents[k])}, which is not in the file; "
            "was a line lost? (the root's parent is -1)"
        ),
    )


def _ancestors(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Follow parents from everywhere for more steps than there are samples (by doubling)."""
    up = np.where(rows < 0, np.arange(len(rows)), rows)
    for _ in range(len(rows).bit_length() + 1):
        up = up[up]
    return up


def cycles(table: Table) -> Iterator[Finding]:
    """Samples that are their own ancestors."""
    rows = parent_rows(table)
    up = _ancestors(rows)
    lost = rows[up] >= 0
    if not lost.any():
        return
    # Far enough up from anywhere below a cycle one stands on it; from there all of it is reached by going on.
    on_cycle = np.zeros(len(rows), bool)
    for start in np.unique(up[lost]):
        row = int(start)
        while not on_cycle[row]:
            on_cycle[row] = True
            row = int(rows[row])
    ring = np.flatnonzero(on_cycle)
    first = int(ring[np.argmin(table.lines[ring])])
    chain = [first]
    while rows[chain[-1]] != first and len(chain) < 6:
        chain.append(int(rows[chain[-1]]))
    names = " -> ".join(str(int(table.ids[k])) for k in [*chain, int(rows[chain[-1]])])
    dots = "" if rows[chain[-1]] == first else " -> ..."
    message = f"parents go round in a circle: {names}{dots}; one of these samples needs another parent"
    yield Finding("Cycle", "error", message, int(table.lines[first]), int(table.ids[first]))


def roots(table: Table) -> Iterator[Finding]:
    """More than one root, or none."""
    root = table.parents == -1
    if not root.any():
        yield Finding("NoRoot", "error", "no sample has parent -1; the first sample of the soma should")
    found = np.flatnonzero(root)[np.argsort(table.lines[root], kind="stable")]
    for row in found[1:_MANY]:
        message = (
            f"{_name(table, int(row))} has parent -1, but {_name(table, int(found[0]))} is a root already; "
            "name the "
            "sample it hangs on as its parent, or put the second cell into a file of its own"
        )
        yield Finding("MultipleRoots", "error", message, int(table.lines[row]), int(table.ids[row]))


# ---------------------------------------------------------------- shape


def soma_place(table: Table) -> Iterator[Finding]:
    """Soma samples that are not at the root, or not in one piece."""
    rows = parent_rows(table)
    soma = table.types == SOMA
    root = int(np.flatnonzero(rows == -1)[0])
    if soma.any() and not soma[root]:
        yield from _each(
            table,
            soma & (np.cumsum(soma) == 1),
            "SomaNotRoot",
            "error",
            lambda k: (
                f"{_name(table, k)} is soma (type 1), but the root is {_name(table, root)} of type "
                f"{int(table.types[root])}; make the soma the root, or give it another type"
            ),
        )
        return
    stray = soma & (rows >= 0) & ~soma[rows]
    yield from _each(
        table,
        stray,
        "SomaNotContiguous",
        "error",
        lambda k: (
            f"{_name(table, k)} is soma (type 1), but its parent {int(table.parents[k])} is not; "
            "a soma is one piece: "
            "give one of them another type"
        ),
    )


def too_few(table: Table) -> Iterator[Finding]:
    """Trees without any length or soma."""
    if (table.types == SOMA).any() or np.ptp(table.xyz, axis=0).max() > _NOTHING:
        return
    what = "is the only one" if len(table) == 1 else "and all others lie at the same place"
    message = f"{_name(table, 0)} {what}, and it is no soma (type 1): there is no length to make a cable of"
    yield Finding("TooFewPoints", "error", message, int(table.lines.min()), int(table.ids[0]))


def thin(table: Table) -> Iterator[Finding]:
    """Radii that are almost surely mistakes."""
    return _summary(
        table,
        table.radius < _THIN,
        "TinyRadius",
        lambda k, n: (
            f"{n} radii below {_THIN:g} um, the first is {float(table.radius[k]):g} um at {_name(table, k)}; "
            "from_file(..., min_radius=0.05*um) raises them"
        ),
    )


def _steps(table: Table) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    rows = parent_rows(table)
    step = np.linalg.norm(table.xyz - table.xyz[np.maximum(rows, 0)], axis=1)
    return rows, np.where(rows < 0, np.nan, step)


def jumps(table: Table) -> Iterator[Finding]:
    """Very long steps between two samples."""
    _, step = _steps(table)
    return _summary(
        table,
        step > _JUMP,
        "LongSegment",
        lambda k, n: (
            f"{float(step[k]):g} um between {_name(table, k)} and its parent {int(table.parents[k])} "
            f"(and {n - 1} more "
            f"steps above {_JUMP:g} um); are the coordinates in um?"
        ),
    )


def standing(table: Table) -> Iterator[Finding]:
    """Samples on top of their parents."""
    rows, step = _steps(table)
    # A neurite may well start at the centre of its soma.
    inner = (table.types != SOMA) & (table.types[np.maximum(rows, 0)] == SOMA)
    return _summary(
        table,
        (step < _NOTHING) & ~inner,
        "ZeroLengthSegment",
        lambda k, n: (
            f"{_name(table, k)} lies on its parent {int(table.parents[k])} ({n} such samples); "
            "they only change the "
            "diameter"
        ),
    )


def soma_branches(table: Table) -> Iterator[Finding]:
    """Soma samples that form a tree (three-point somata do not count)."""
    rows = parent_rows(table)
    soma = table.types == SOMA
    if soma.sum() < 4 and len(three_point_soma(table, rows)):
        return
    arms = np.bincount(rows[soma & (rows >= 0)], minlength=len(table))
    # A chain with the root inside has two soma children at the root: no branching.
    return (
        yield from _summary(
            table,
            arms > np.where(rows == -1, 2, 1),
            "BranchedSoma",
            lambda k, n: f"the soma branches at {_name(table, k)}; it was read as cable, sample by sample",
        )
    )


def type_changes(table: Table) -> Iterator[Finding]:
    """Types that change where nothing branches (a neurite that leaves the soma does not count)."""
    rows = parent_rows(table)
    children = np.bincount(rows[rows >= 0], minlength=len(table))
    # Other types (5 and 6 for forks and tips, say) are marks, no regions: they may change anywhere.
    neurite = np.isin(table.types, (2, 3, 4))
    inner = (rows >= 0) & (children[rows] == 1) & neurite & neurite[rows]
    return _summary(
        table,
        inner & (table.types != table.types[rows]),
        "TypeChange",
        lambda k, n: (
            f"the type changes from {int(table.types[rows[k]])} to {int(table.types[k])} between "
            f"{_name(table, int(rows[k]))} and {_name(table, k)}, "
            f"where nothing branches ({n} such places); a new section "
            "begins there"
        ),
    )


STAGES: tuple[tuple[Rule, ...], ...] = (
    (bad_ids, bad_types, duplicate_ids, bad_radii, bad_coordinates),
    (missing_parents, cycles, roots),
    (soma_place, too_few),
    (thin, jumps, standing, soma_branches, type_changes),
)
"""All rules, in the order in which a table has to satisfy them."""


def three_point_soma(table: Table, rows: NDArray[np.intp]) -> Ints:
    """Rows of a soma of one sample or in NeuroMorpho's three-point form, first the root; else empty.

    Three points: two children of the first, both about its radius r away (within 5 % of r + 0.02 um).  A soma
    whose samples all lie at one place counts as one sample too.
    """
    soma = np.flatnonzero(table.types == SOMA)
    if not len(soma):
        return soma
    root = soma[rows[soma] == -1]
    others = soma[rows[soma] != -1]
    away = np.linalg.norm(table.xyz[others] - table.xyz[root], axis=1)
    ordered = np.concatenate([root, others])
    if len(soma) == 1 or not (away > _NOTHING).any():
        return ordered
    r = float(table.radius[root[0]])
    if len(soma) == 3 and (rows[others] == root[0]).all() and (np.abs(away - r) <= 0.05 * r + 0.02).all():
        return ordered
    return np.empty(0, np.int64)


def raise_radii(table: Table, least: float) -> tuple[Table, list[Finding]]:
    """Raise radii from 0 up to a least one; negative ones stay what they are, and are refused later.

    Parameters
    ----------
    table : Table
        Samples (um).
    least : float
        Smallest radius (um).

    Returns
    -------
    Table, list of Finding
        The repaired table and a warning that says how many radii were raised.
    """
    with np.errstate(invalid="ignore"):
        low = (table.radius >= 0) & (table.radius < least)
    if not low.any():
        return table, []
    radius = np.where(low, least, table.radius)
    found = _summary(
        table,
        low,
        "RadiusRaised",
        lambda k, n: f"{n} radii were raised to {least:g} um, the first at {_name(table, k)}",
    )
    return Table(table.ids, table.types, table.xyz, radius, table.parents, table.lines), list(found)
