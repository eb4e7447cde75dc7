"""Errors about a file: its name, line, construct, and what would do."""

from __future__ import annotations

from typing import Protocol

from rall.errors import NmodlError
from rall.plugins.nmodl.parser import failure
from rall.plugins.nmodl.syntax import Place, Program

__all__ = ["Refuse", "refusals"]


_BEGINNING = Place(1, 1)


class Refuse(Protocol):
    """Makes errors about one file."""

    def __call__(self, at: Place, what: str, remedy: str = "", construct: str = "") -> NmodlError:
        """The error, to be raised.

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

    def refuse(at: Place, what: str, remedy: str = "", construct: str = "") -> NmodlError:
        message = f"{what}; {remedy}" if remedy else what
        try:
            failure(program, at if at.line else _BEGINNING, message, construct)
        except NmodlError as error:
            return error

    return refuse
