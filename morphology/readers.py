"""Files, points and grown cells to sections: choose the reader, apply the rules, build.

A reader is a function from a path to a `Reading`; it is found by the file's suffix among the entry points of
``rall.readers`` and need not know any of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, cast

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.build import Piece, sections
from rall.morphology.findings import Finding, conclude, refuse
from rall.morphology.formats import Reading
from rall.morphology.grow import Samples
from rall.morphology.lengths import micrometres
from rall.morphology.node import TYPE_CODES
from rall.morphology.rules import STAGES, raise_radii
from rall.morphology.swc import Table, table_from_arrays
from rall.registry import builtin_names, find, names
from rall.units import Quantity

__all__ = ["SOMA_READINGS", "Built", "check", "from_growth", "from_points", "load", "read_samples"]

SOMA_READINGS = ("sphere", "cylinder", "brian")


@dataclass(frozen=True, eq=False)
class Built:
    """Sections made from samples.

    Parameters
    ----------
    pieces : list of Piece
        In depth-first order.
    merged : dict
        Sample ids without a place of their own, with the sample that stands for them.
    findings : tuple of Finding
        What was noticed and is not fatal.
    file : str, optional
        Where they come from.
    """

    pieces: list[Piece]
    merged: dict[int, int]
    findings: tuple[Finding, ...] = ()
    file: str | None = None


def _reader(path: FilePath) -> Callable[[FilePath], Reading]:
    suffix = path.suffix.lower().lstrip(".")
    # The built-in ones first: looking through what is installed takes longer than reading a file.
    known = (
        builtin_names("rall.readers") if suffix in builtin_names("rall.readers") else names("rall.readers")
    )
    if suffix not in known:
        listed = ", ".join(f".{name}" for name in known)
        what = f"files that end in {path.suffix}" if path.suffix else "a file without a suffix"
        raise MorphologyError(
            f"there is no reader for {what}; known are {listed}", "UnknownFormat", str(path)
        )
    return cast(Callable[[FilePath], Reading], find("rall.readers", suffix))


def read_samples(path: str | PathLike[str], scale: float | None, min_radius: Quantity | None) -> Reading:
    """Read a file and try all rules on it, without raising for what they find.

    Parameters
    ----------
    path : str or path
        The file.
    scale : float, optional
        Micrometres in one unit of the file; replaces what its header says.
    min_radius : Quantity, optional
        Radii from 0 to this are raised to it.

    Returns
    -------
    Reading
        In um; the unit is 1.
    """
    place = FilePath(path)
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise MorphologyError(
            f"scale={scale!r} must be a positive number: micrometres in one unit of the file",
            "BadScale",
            str(place),
        )
    least = 0.0 if min_radius is None else micrometres(min_radius, "min_radius")
    if not (np.isfinite(least) and least >= 0):
        raise MorphologyError(
            f"min_radius={min_radius!r} must be a length from 0 up: radii below it are raised to it",
            "BadMinRadius",
            str(place),
        )
    try:
        reading = _reader(place)(place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MorphologyError(f"the file cannot be read: {reason}", "NoFile", str(place)) from None
    findings = [f for f in reading.findings if scale is None or f.code != "UnitHeader"]
    if reading.table is None:
        return Reading(None, 1.0, findings)
    table = reading.table.scaled(reading.unit if scale is None else scale)
    if least > 0:
        table, raised = raise_radii(table, least)
        findings += raised
    return Reading(table, 1.0, findings + check(table))


def check(table: Table) -> list[Finding]:
    """Try all rules on a table, up to the first stage that finds it broken.

    Parameters
    ----------
    table : Table
        Samples (um).
    """
    findings: list[Finding] = []
    for stage in STAGES:
        findings += [finding for rule in stage for finding in rule(table)]
        if any(f.level == "error" for f in findings):
            break
    return findings


def load(path: str | PathLike[str], soma: str, scale: float | None, min_radius: Quantity | None) -> Built:
    """Read a file, raise for what is broken, warn of what is odd, and build sections.

    Parameters
    ----------
    path : str or path
        The file.
    soma : str
        One of `SOMA_READINGS`, or ``'cable'``.
    scale : float, optional
        Micrometres in one unit of the file.
    min_radius : Quantity, optional
        Radii from 0 to this are raised to it.
    """
    if soma not in (*SOMA_READINGS, "cable"):
        raise MorphologyError(
            f"soma={soma!r} is unknown; there are {', '.join(map(repr, SOMA_READINGS))}", "BadSoma"
        )
    reading = read_samples(path, scale, min_radius)
    conclude(reading.findings, str(path))
    assert reading.table is not None  # else a finding was fatal
    pieces, merged = sections(reading.table, soma)
    return Built(pieces, merged, tuple(reading.findings), str(path))


def from_points(points: Sequence[Sequence[Any]], soma: str) -> Built:
    """Build sections of points as Brian 2's `from_points` takes them.

    Parameters
    ----------
    points : sequence of tuple
        (index, name of the type, x, y, z, diameter, parent), in um.
    soma : str
        As in `load`.
    """
    rows = [tuple(p) for p in points]
    if not rows or any(len(row) != 7 for row in rows):
        raise MorphologyError(
            "points must be (index, type name, x, y, z, diameter, parent) each, in um", "ParseError"
        )
    try:
        numbers = np.array([[float(v) for v in row[2:6]] for row in rows])
        ids, parents = (np.array([int(row[k]) for row in rows], np.int64) for k in (0, 6))
    except (TypeError, ValueError, OverflowError) as error:
        raise MorphologyError(f"points must be plain numbers in um: {error}", "ParseError") from error
    types = np.array([TYPE_CODES.get(str(row[1]), 0) for row in rows], np.int64)
    table = table_from_arrays(ids, types, numbers[:, :3], numbers[:, 3] / 2, parents)
    findings = check(table)
    refuse(findings, "points")
    pieces, merged = sections(table, soma)
    return Built(pieces, merged, tuple(findings))


def from_growth(samples: Samples, kind: str, seed: int) -> Built:
    """Build sections of a grown cell.

    Parameters
    ----------
    samples : Samples
        What `rall.morphology.grow.grow_samples` gave.
    kind, seed
        What it was asked for, to be noted.
    """
    xyz = np.column_stack([samples.x, samples.y, samples.z])
    table = table_from_arrays(samples.id, samples.type, xyz, samples.radius, samples.parent)
    refuse(check(table), f"grown {kind}")
    return Built(*sections(table), file=f"grown {kind}, seed {seed}")
