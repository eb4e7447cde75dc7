"""What a reader notices in a file: one finding for each thing, fatal or not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from rall.errors import MorphologyError, MorphologyWarning

__all__ = ["Finding", "conclude", "refuse"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed in a morphology file.

    Parameters
    ----------
    code : str
        Category, such as ``'MissingParent'``.
    level : str
        ``'error'`` (the file cannot be used) or ``'warning'``.
    message : str
        What is wrong and what would do, in words.
    line : int, optional
        1-based line of the text.
    sample : int, optional
        Id of the SWC sample.
    """

    code: str
    level: str
    message: str
    line: int | None = None
    sample: int | None = None

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        return f"{where}{self.message} [{self.code}]"


def refuse(findings: Sequence[Finding], file: str) -> None:
    """Raise for the first fatal finding, if there is one.

    Raises
    ------
    MorphologyError
        With the finding's code, line and message; `.findings` holds all of them.
    """
    fatal = [f for f in findings if f.level == "error"]
    if fatal:
        first = fatal[0]
        more = f" ({len(fatal) - 1} more in .findings)" if len(fatal) > 1 else ""
        raise MorphologyError(first.message + more, first.code, file, first.line, tuple(findings))


def conclude(findings: Sequence[Finding], file: str) -> None:
    """Raise for what is fatal, give one warning for all the rest.

    Parameters
    ----------
    findings : sequence of Finding
        All that was noticed.
    file : str
        Name for the message.
    """
    refuse(findings, file)
    if findings:
        shown = "; ".join(str(f) for f in findings[:4])
        more = f"; and {len(findings) - 4} more in .findings" if len(findings) > 4 else ""
        warnings.warn(f"{file}: {shown}{more}", MorphologyWarning, stacklevel=4)
