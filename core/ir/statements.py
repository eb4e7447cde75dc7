"""Statements: assignments in resets, synaptic code and operations that run regularly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rall.errors import EquationError
from rall.ir.nodes import Node
from rall.ir.parse import KEYWORDS, Parsed, Source, blank_comments, parse

__all__ = ["Statement", "parse_statements"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One assignment.

    Parameters
    ----------
    target : str
        The variable that gets the value.
    op : str
        ``=`` or one of ``+= -= *= /= //= **= %=``.
    value : Parsed
        The right-hand side.
    span : tuple of int
        Start and end of the statement in the whole text.
    where : Source
        Where the statement begins in what the user wrote.
    """

    target: str
    op: str
    value: Parsed
    span: tuple[int, int]
    where: Source = field(repr=False, compare=False)

    @property
    def node(self) -> Node:
        """The right-hand side's tree."""
        return self.value.node

    def error(self, message: str) -> EquationError:
        """An error that points at the variable which the statement sets."""
        return self.where.error(message)

    @property
    def text(self) -> str:
        """The statement as the user wrote it."""
        return f"{self.target} {self.op} {' '.join(self.value.text.split())}"


_STATEMENT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(\*\*=|//=|[-+*/%]=|=(?!=))")


def parse_statements(text: str, where: Source | None = None) -> list[Statement]:
    """Parse assignments, one a line or separated by ``;``.

    Parameters
    ----------
    text : str
        The statements; ``#`` begins a comment, a line goes on while a parenthesis is open.
    where : Source, optional
        Where they stand in what the user wrote, for messages.

    Returns
    -------
    list of Statement
        In their order.

    Raises
    ------
    EquationError
        If a statement is not an assignment to a name; shows the place.
    """
    if not isinstance(text, str):
        raise EquationError(f"statements are text; this is of type {type(text).__name__}: {text!r:.60}")
    where = where or Source(text)
    clean = blank_comments(text)
    return [_statement(clean, start, end, where) for start, end in _pieces(clean) if clean[start:end].strip()]


def _pieces(text: str) -> list[tuple[int, int]]:
    """Start and end of what newlines and ``;`` separate outside parentheses."""
    pieces, start, depth = [], 0, 0
    for match in re.finditer(r"[();\n]", text):
        character = match[0]
        if character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character == ";" or depth == 0:
            pieces.append((start, match.start()))
            start, depth = match.end(), 0
    pieces.append((start, len(text)))
    return pieces


def _statement(text: str, start: int, end: int, where: Source) -> Statement:
    piece = text[start:end]
    begin = start + len(piece) - len(piece.lstrip())
    match = _STATEMENT.match(piece)
    if match is None:
        raise where.error(_not_a_statement(piece.strip()), begin)
    target = match[1]
    if target in KEYWORDS:
        hint = "; write x = a if condition else b" if target in ("if", "else", "elif") else ""
        raise where.error(f"'{target}' cannot be a variable{hint}", begin)
    offset = start + match.end()
    place = Source(where.text, where.offset + offset, where.line)
    here = Source(where.text, where.offset + begin, where.line)
    return Statement(target, match[2], parse(piece[match.end() :], place), (begin, end), here)


def _not_a_statement(piece: str) -> str:
    word = re.match(r"[A-Za-z_]\w*", piece)
    if word is not None and word[0] in KEYWORDS:
        hint = "; write x = a if condition else b" if word[0] in ("if", "else", "elif") else ""
        return (
            f"statements are assignments such as 'v = v_reset' or 'w += 1'; '{word[0]}' is not possible{hint}"
        )
    if word is not None and piece[word.end() :].lstrip().startswith("["):
        return "indexing is not possible in statements; they run for each element"
    if word is not None and re.match(r"\s*(\+\+|--)", piece[word.end() :]):
        return "'++' and '--' are not possible; write '+= 1' or '-= 1'"
    return "a statement assigns to a variable: 'name = expression' or 'name += expression'"
