"""From text to lines: where a line ends, and which kind it is of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rall.equations.lines import ASSIGN, NAME, AbstractLineKind, Line
from rall.errors import EquationError, PluginError
from rall.ir.parse import MAX_LENGTH, Source, blank_comments
from rall.registry import builtin_names, find
from rall.registry import names as registered

__all__ = ["find_kind", "kind_named", "kind_of", "parse_line", "parse_lines"]

GROUP = "rall.lines"

_DEFINES = re.compile(rf"\s*(?:d{NAME}\s*/\s*dt|{NAME}){ASSIGN}")
_DECLARES = re.compile(rf"\s*{NAME}\s*:")
_UNFINISHED = re.compile(r"(?:[-+*/%=<>(,]|\b(?:and|or|not|if|else))\s*$")
_DOCSTRING = re.compile(r"(?m)^[ \t]*(\"\"\"(?:.|\n)*?\"\"\"|'''(?:.|\n)*?'''|\"[^\"\n]*\"|'[^'\n]*')[ \t]*$")
_EMPTY: Mapping[str, str] = MappingProxyType({})


def parse_lines(text: str) -> tuple[Line, ...]:
    """Lines from text.

    Parameters
    ----------
    text : str
        Equations; ``#`` begins a comment, an expression goes on over lines until its ``:``.

    Returns
    -------
    tuple of Line
        In their order.

    Raises
    ------
    EquationError
        Shows the line and the place.
    """
    if not isinstance(text, str):
        raise EquationError(f"equations are text; this is of type {type(text).__name__}: {text!r:.60}")
    clean = blank_comments(text)
    if '"' in clean or "'" in clean:
        clean = _DOCSTRING.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), clean)
    return tuple(parse_line(clean[start:end], Source(text, start)) for start, end in _split_lines(clean))


def parse_line(text: str, where: Source, bound: Mapping[str, str] = _EMPTY) -> Line:
    """One line.

    Parameters
    ----------
    text : str
        Without comments.
    where : Source
        Where it stands.
    bound : mapping of str to str, optional
        Names that stand for fixed values, and what they are called in the tree.

    Returns
    -------
    Line
        Read by the kind of line that recognises it.
    """
    return kind_of(text, where).parse(text, where, bound)


def kind_of(text: str, where: Source) -> AbstractLineKind:
    """The kind of line that recognises a text.

    Parameters
    ----------
    text : str
        The line, without comments.
    where : Source
        Where it stands.

    Returns
    -------
    AbstractLineKind
        rall's own kinds are asked first, then those of plugins.
    """
    own = builtin_names(GROUP)
    for name in own:
        kind = find_kind(name)
        if kind.matches(text):
            return kind
    mistake = _mistake(text)
    if not mistake:
        for name in registered(GROUP):
            kind = find_kind(name)
            if name not in own and kind.matches(text):
                return kind
    raise where.error(
        mistake or "a line is 'dx/dt = expression : unit', 'x = expression : unit' or 'x : unit'"
    )


def kind_named(name: str) -> AbstractLineKind:
    """The kind of line whose lines say that they are of this kind.

    Parameters
    ----------
    name : str
        Such as ``'differential equation'``.

    Returns
    -------
    AbstractLineKind
        rall's own or a plugin's.
    """
    # What is installed is looked through only where none of rall's own is meant.
    for listed in (builtin_names, registered):
        for registered_name in listed(GROUP):
            kind = find_kind(registered_name)
            if kind.name == name:
                return kind
    raise PluginError(f"no installed plugin has lines of the kind {name!r}")


def find_kind(name: str) -> AbstractLineKind:
    """The kind of line that is registered under a name."""
    kind = find(GROUP, name)
    if isinstance(kind, type) and issubclass(kind, AbstractLineKind):
        return kind()
    raise PluginError(f"the kind of line {name!r} is registered as {kind!r}, which is no AbstractLineKind")


def _mistake(text: str) -> str:
    """What the user probably got wrong, if that is plain."""
    if re.match(rf"\s*{NAME}\s*([-+*/%]|\*\*|//)=", text):
        return "equations have no statements such as 'x += ...'; those go into reset, on_pre or run_regularly"
    derivative = re.match(rf"\s*d({NAME})\s*/\s*d({NAME})\s*=", text)
    if derivative is not None:
        return f"only derivatives by time are possible: write 'd{derivative[1]}/dt = ...'"
    if re.match(r"\s*\d\w*\s*(=(?![=>])|:)", text):
        return "a name cannot begin with a digit"
    if re.match(rf"\s*{NAME}'\s*=", text):
        return "write a derivative as 'dx/dt = ...'"
    if re.match(rf"\s*{NAME}\s*==", text):
        return "a definition has one '='; '==' compares"
    return ""


def _split_lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line of equations."""
    start, end, position = -1, -1, 0
    for physical in text.split("\n"):
        begin, position = position, position + len(physical) + 1
        if not physical.strip():
            continue
        if start >= 0 and _begins_anew(text[start:end], physical):
            yield start, end
            start = -1
        if start < 0:
            start = begin + len(physical) - len(physical.lstrip())
        end = begin + len(physical.rstrip())
        if end - start > MAX_LENGTH or _complete(text[start:end]):
            yield start, end
            start = -1
    if start >= 0:
        yield start, end


def _complete(text: str) -> bool:
    colon = text.find(":")
    return colon >= 0 and text.count("(", colon) <= text.count(")", colon)


def _begins_anew(text: str, following: str) -> bool:
    """Whether an incomplete line ends here, because the next one is clearly another."""
    if _DEFINES.match(following):
        return True
    return _DECLARES.match(following) is not None and not _UNFINISHED.search(text)
