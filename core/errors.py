"""What rall raises and warns with: every message names the user's own text, the place and the way out."""

from __future__ import annotations

__all__ = [
    "CompileError",
    "DimensionMismatchError",
    "EquationError",
    "IndexOutOfRangeError",
    "MagicError",
    "MorphologyError",
    "MorphologyWarning",
    "NmodlError",
    "NotSupportedError",
    "NumericalError",
    "PluginError",
    "RallError",
    "RallWarning",
    "caret",
]


class RallError(Exception):
    """Base of every error that rall raises on purpose."""


class RallWarning(UserWarning):
    """Base of every warning that rall gives."""


class DimensionMismatchError(RallError, ValueError):
    """Two quantities whose dimensions do not fit."""


class EquationError(RallError, ValueError):
    """Text of equations, expressions or statements that cannot be used.

    Parameters
    ----------
    message : str
        What is wrong and what was expected.
    text : str, optional
        The user's line.
    column : int, optional
        Where in `text` it goes wrong (0-based); a caret is put below it.
    line : int, optional
        Number of the line in the user's whole text (1-based).
    """

    def __init__(
        self, message: str, text: str | None = None, column: int | None = None, line: int | None = None
    ) -> None:
        self.message, self.text, self.column, self.line = message, text, column, line
        super().__init__(message if text is None else f"{message}\n{caret(text, column, line)}")


class MorphologyError(RallError, ValueError):
    """A morphology that cannot be used.

    Parameters
    ----------
    message : str
        What is wrong and what would do.
    code : str
        Category, such as ``'MissingParent'``.
    file : str, optional
        Name of the file.
    line : int, optional
        1-based line of the offending text.
    findings : tuple
        Everything the reader found in the file, the fatal finding included.
    """

    def __init__(
        self,
        message: str,
        code: str = "Morphology",
        file: str | None = None,
        line: int | None = None,
        findings: tuple[object, ...] = (),
    ) -> None:
        self.code, self.file, self.line, self.findings = code, file, line, tuple(findings)
        place = "" if file is None else f"{file}: " if line is None else f"{file}, line {line}: "
        super().__init__(f"{place}{message} [{code}]")


class MorphologyWarning(RallWarning):
    """A morphology file that is legal but odd, or in which something had to be guessed."""


class NmodlError(RallError, ValueError):
    """A file of NMODL that cannot be read, or that says what rall has no meaning for.

    Parameters
    ----------
    message : str
        What is wrong and what would do.
    file : str, optional
        Name of the file.
    line, column : int, optional
        Where in it, both from 1.
    construct : str
        What it is about: a block or a keyword of NMODL, such as ``'KINETIC'``; empty outside blocks.
    text : str, optional
        The text of the line.
    """

    def __init__(
        self,
        message: str,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        construct: str = "",
        text: str | None = None,
    ) -> None:
        self.message, self.file, self.line, self.column = message, file, line, column
        self.construct, self.text = construct, text
        place = "" if file is None else f"{file}: " if line is None else f"{file}, line {line}: "
        shown = f"{place}{message}"
        if text is not None:
            before = 0 if column is None else column - 1
            cut = max(0, before - 60)  # a line may be very long: some of it around the place is enough
            shown += "\n" + caret(text[cut : cut + 120], None if column is None else before - cut)
        super().__init__(shown)


class MagicError(RallError):
    """The set of objects that `run` would collect is ambiguous."""


class NotSupportedError(RallError, NotImplementedError):
    """Something that the chosen method, device or object cannot do; the message says what can."""


class CompileError(RallError):
    """The C compiler refused or could not be run; names the source file and shows the message."""


class NumericalError(RallError, ArithmeticError):
    """A value became infinite or not a number during a run."""


class IndexOutOfRangeError(RallError, IndexError):
    """An index of elements that there are not, or that is no index."""


class PluginError(RallError):
    """A plugin that is missing, broken or unknown."""


def caret(text: str, column: int | None, line: int | None = None) -> str:
    """The user's line with a caret below `column`.

    Parameters
    ----------
    text : str
        One line of the user's text.
    column : int or None
        0-based position; None gives the line alone.
    line : int or None
        1-based number that is put in front.
    """
    label = "    " if line is None else f"    line {line}: "
    shown = label + text.replace("\t", " ")
    return shown if column is None else f"{shown}\n{' ' * (len(label) + max(0, column))}^"
