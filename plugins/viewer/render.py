"""The process that paints one drawing with VTK: ``python -m rall.plugins.viewer.render IN.npz OUT.png``."""

from __future__ import annotations

import sys
from pathlib import Path

from rall.plugins.viewer.base import Drawing
from rall.plugins.viewer.vtk import render

__all__ = ["main"]


def main(source: str, picture: str) -> None:
    """Paint.

    Parameters
    ----------
    source : str
        The ``.npz`` file that ``Drawing.save`` wrote.
    picture : str
        The PNG file to write.
    """
    _leave_no_core_dump()
    render(Drawing.load(Path(source)), Path(picture))


def _leave_no_core_dump() -> None:
    """Dying is how this process says that OpenGL is missing; that needs no file of its memory."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
