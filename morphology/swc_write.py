"""A flattened morphology to the text of an SWC file."""

from __future__ import annotations

import os
import tempfile
from os import PathLike
from pathlib import Path

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.build import AT_START
from rall.morphology.tree import Tree

__all__ = ["save", "swc_text"]


def save(tree: Tree, path: str | PathLike[str]) -> None:
    """Write an SWC file through a temporary file in the same folder, so that no half of it is ever seen.

    Parameters
    ----------
    tree : Tree
        What to write.
    path : str or path
        Where to.
    """
    target = Path(path)
    text = swc_text(tree)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise MorphologyError(f"the file cannot be written: {reason}", "NoFile", str(path)) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def swc_text(tree: Tree) -> str:
    """The text of an SWC file that reads as the same sections.

    Sample ids are kept where all are known and different, else samples are numbered from 1.  A soma of
    one sample is written as that, however it was read.

    Parameters
    ----------
    tree : Tree
        With coordinates.
    """
    line = tree.polyline
    if np.isnan(line.xyz).any():
        raise MorphologyError(
            "there are no coordinates to write; generate_coordinates() makes some", "NoCoordinates"
        )
    rows: list[tuple[int, int, int]] = []  # point, type, parent's row
    written: dict[int, int] = {}  # sample id -> row
    ends: list[tuple[int, int]] = []  # rows of each section's start and end
    sections = tree.sections
    for s, (up, attach, kind) in enumerate(
        zip(sections.parent.tolist(), sections.attach.tolist(), sections.type.tolist())
    ):
        first, stop = int(line.offset[s]), int(line.offset[s + 1])
        above = -1 if up < 0 else ends[up][0 if attach == AT_START else 1]
        if sections.sphere[s]:
            stop = first + 1
        elif up < 0 and kind == 1 and line.id[first:stop].clip(-1, 0).tolist() == [-1, 0, -1]:
            first, stop = first + 1, first + 2  # one sample that was read as a cylinder
        elif up >= 0 and _shared(tree, first, above, rows, written, bool(sections.sphere[up])):
            above = written.get(int(line.id[first]), above)
            first += 1
        start = above
        for point in range(first, stop):
            rows.append((point, kind, above))
            above = len(rows) - 1
            if start < 0:
                start = above
            if line.id[point] >= 0:
                written.setdefault(int(line.id[point]), above)
        ends.append((start, above))
    return _text(tree, rows)


def _shared(
    tree: Tree,
    first: int,
    above: int,
    rows: list[tuple[int, int, int]],
    written: dict[int, int],
    sphere: bool,
) -> bool:
    """Whether a section's first point is there already, as the same sample or as a point just like it."""
    line = tree.polyline
    if line.id[first] >= 0:
        return int(line.id[first]) in written
    point = rows[above][0]
    same_place = bool((np.abs(line.xyz[point] - line.xyz[first]) <= 1e-9).all())
    # A neurite on a sphere starts at its first sample, one on a cable of soma with the link to its first
    # sample.
    if sphere:
        return False
    return same_place and (line.diameter[point] == line.diameter[first] or rows[above][1] == 1)


def _text(tree: Tree, rows: list[tuple[int, int, int]]) -> str:
    line = tree.polyline
    points = np.array([row[0] for row in rows])
    ids = line.id[points]
    if (ids < 0).any() or len(np.unique(ids)) < len(ids):
        ids = np.arange(1, len(rows) + 1)
    out = ["# written by rall; lengths in um", "# id type x y z radius parent"]
    for sample, (point, kind, above) in zip(ids.tolist(), rows):
        x, y, z = (repr(v) for v in line.xyz[point].tolist())
        radius = repr(float(line.diameter[point]) / 2)
        out.append(f"{sample} {kind} {x} {y} {z} {radius} {-1 if above < 0 else int(ids[above])}")
    return "\n".join(out) + "\n"
