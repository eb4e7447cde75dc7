"""Readers of file formats: our own for SWC, NeuroM (MorphIO beneath) for Neurolucida ASC and H5."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.findings import Finding
from rall.morphology.swc import Table, parse, table_from_arrays

__all__ = ["Reading", "neurom", "read_asc", "read_h5", "read_swc"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a reader has found in a file.

    Parameters
    ----------
    table : Table or None
        The samples in the file's own unit; None where it cannot be read, and then a finding says why.
    unit : float
        Micrometres in one unit of the file.
    findings : list of Finding
        What was noticed.
    """

    table: Table | None
    unit: float
    findings: list[Finding]


def read_swc(path: Path) -> Reading:
    """Read an SWC file.

    Parameters
    ----------
    path : Path
        The file.
    """
    return Reading(*parse(path.read_bytes()))


def neurom(purpose: str) -> Any:
    """NeuroM, imported when it is needed.

    Parameters
    ----------
    purpose : str
        What for, for the error.

    Raises
    ------
    MorphologyError
        If it is not installed.
    """
    try:
        return import_module("neurom")
    except ImportError as error:
        message = f"{purpose} needs NeuroM: pip install 'rall[morphology]'"
        raise MorphologyError(message, "NeedsNeuroM") from error


def read_asc(path: Path) -> Reading:
    """Read a Neurolucida ASC file.

    Parameters
    ----------
    path : Path
        The file.
    """
    return _through_neurom(path, "reading .asc files")


def read_h5(path: Path) -> Reading:
    """Read an H5 morphology file.

    Parameters
    ----------
    path : Path
        The file.
    """
    return _through_neurom(path, "reading .h5 files")


def _through_neurom(path: Path, purpose: str) -> Reading:
    module = neurom(purpose)
    if not path.is_file():
        raise FileNotFoundError(2, "no such file")
    try:
        cell = module.load_morphology(str(path))
    except (
        Exception
    ) as error:  # NeuroM and MorphIO raise what they like, often no subclass of anything useful
        message = f"NeuroM cannot read it: {str(error).strip()}"
        raise MorphologyError(message, "ParseError", str(path)) from error
    return Reading(_samples(cell.to_morphio()), 1.0, [])


def _samples(cell: Any) -> Table:
    """Samples of a MorphIO morphology; a traced soma becomes a sphere with its centre and mean radius."""
    points: list[Any] = []
    types: list[int] = []
    parents: list[int] = []
    radii: list[float] = []
    soma = np.asarray(cell.soma.points, float)
    if len(soma):
        centre = soma.mean(axis=0)
        apart = np.linalg.norm(soma - centre, axis=1).mean()
        points.append(centre)
        types.append(1)
        parents.append(-1)
        radii.append(float(apart) if len(soma) > 2 else 0.5 * float(cell.soma.diameters[0]))
    last: dict[int, int] = {}
    for section in cell.iter():
        # A child repeats its parent's last point, and a branch of the soma has none to share.
        first = 0 if section.is_root else 1
        above = (1 if len(soma) else -1) if section.is_root else last[section.parent.id]
        for point, diameter in zip(np.asarray(section.points, float)[first:], section.diameters[first:]):
            points.append(point)
            types.append(int(section.type))
            parents.append(above)
            radii.append(0.5 * float(diameter))
            above = len(points)
        last[section.id] = above
    ids = np.arange(1, len(points) + 1)
    return table_from_arrays(
        ids, np.array(types), np.array(points).reshape(-1, 3), np.array(radii), np.array(parents)
    )
