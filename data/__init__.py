"""The morphologies that come with rall: cells that rall has grown itself, as SWC files.

`rall.data.regenerate` makes them again from their kind and seed.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from rall.errors import MorphologyError

__all__ = ["names", "path"]


def names() -> tuple[str, ...]:
    """Give the names of the files.

    Returns
    -------
    tuple of str
        In alphabetical order, with their suffix.
    """
    return tuple(sorted(entry.name for entry in files(__name__).iterdir() if entry.name.endswith(".swc")))


def path(name: str) -> Path:
    """Find a file, wherever rall is installed.

    Parameters
    ----------
    name : str
        One of `names`; the suffix may be left out.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    MorphologyError
        If there is no such file.
    """
    full = name if name.endswith(".swc") else f"{name}.swc"
    if full not in names():
        known = ", ".join(repr(known) for known in names())
        raise MorphologyError(f"rall comes with no morphology named {name!r}; it has {known}", "UnknownName")
    return Path(str(files(__name__).joinpath(full)))
