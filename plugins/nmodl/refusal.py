"""Errors about a file: its name, line, construct, and what would do."""

from __future__ import annotations

from typing import Protocol

from rall.errors import NmodlError
from rall.plugins.nmodl.syntax import Place, Program

__all__ = ["Refuse", "refusals"]


class Refuse(Protocol):
    """Makes errors about one file."""

    def __call__(self, at: Place, what: str, remedy: str = "", construct: str = "") -> NmodlError:
        """The error.

        Parameters
        ----------
        at : Place
            Where.
        what : str
            What is wrong.
        remedy : str
            What would do; may be empty.
        construct : str
            The block or keyword.
        """


def refusals(program: Program) -> Refuse:
    """What makes errors about a file.

    Parameters
    ----------
    program : Program
        The file.
    """
    texts = {path: text.splitlines() for path, text in ((program.file, program.source), *program.included)}

    def refuse(at: Place, what: str, remedy: str = "", construct: str = "") -> NmodlError:
        file = at.file or program.file
        lines = texts.get(file, ())
        text = lines[at.line - 1] if 0 < at.line <= len(lines) else None
        message = f"{what}; {remedy}" if remedy else what
        return NmodlError(message, file, at.line or None, at.column or None, construct, text)

    return refuse
