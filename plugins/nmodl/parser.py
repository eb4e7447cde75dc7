"""Reads NMODL: from text or a file to the syntax tree.

What NEURON's own compiler reads is read, and Arbor's dialect where the two agree; what it means is not looked at.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from rall.errors import NmodlError
from rall.plugins.nmodl.declarations import declarations, define, independent, neuron, units, white_noise
from rall.plugins.nmodl.lexer import Lexer, fail_at, plain
from rall.plugins.nmodl.statements import arguments, local, statements
from rall.plugins.nmodl.syntax import Block, Declaration, Local, Neuron, Opaque, Place, Program, Unit

__all__ = ["failure", "parse", "read"]

_ALONE = frozenset(("INITIAL", "BREAKPOINT", "CONSTRUCTOR", "DESTRUCTOR"))
_NAMED = frozenset(("DERIVATIVE", "KINETIC", "LINEAR", "NONLINEAR", "DISCRETE"))
_CALLED = frozenset(("PROCEDURE", "FUNCTION", "FUNCTION_TABLE", "NET_RECEIVE", "POST_EVENT"))
_AROUND = ("BREAKPOINT", "SOLVE", "INITIAL", "STEP")
_SECTIONS = frozenset(("PARAMETER", "ASSIGNED", "STATE", "CONSTANT"))
_KNOWN = sorted(
    _ALONE | _NAMED | _CALLED | _SECTIONS
    | set("TITLE COMMENT VERBATIM NEURON UNITS INDEPENDENT DEFINE INCLUDE LOCAL BEFORE AFTER".split())
)  # fmt: skip
_MOST_INCLUDED = 100


class _Parts:
    """What has been read of a file and of those that it includes."""

    def __init__(self) -> None:
        self.title = ""
        self.comments: list[str] = []
        self.neuron: Neuron | None = None
        self.units: list[Unit] = []
        self.defines: list[tuple[str, int]] = []
        self.declarations: list[Declaration] = []
        self.blocks: list[Block] = []
        self.opaque: list[Opaque] = []
        self.locals: list[Local] = []
        self.included: list[tuple[str, str]] = []
        self.unchecked: list[tuple[Place, Place]] = []
        self.open: list[Path] = []


def read(path: str | Path) -> Program:
    """Read a file.

    Parameters
    ----------
    path : str or Path
        In UTF-8, or in Latin-1 where that fails.

    Raises
    ------
    NmodlError
        If it cannot be read or is not NMODL.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as problem:
        raise NmodlError(f"this file cannot be read: {problem}", str(path)) from problem
    return parse(_decoded(data), str(path))


def parse(text: str, file: str = "<text>") -> Program:
    """Read a text.

    Parameters
    ----------
    text : str
    file : str
        Where it comes from, for messages; INCLUDE looks in its folder, then in the working directory.

    Raises
    ------
    NmodlError
        If it is not NMODL; it says where and what would do.
    """
    parts = _Parts()
    source = plain(text)
    parts.open.append(Path(file))
    _read_all(Lexer(source, file, {}), parts)
    return Program(
        file,
        source,
        _named(parts.neuron, Path(file).stem),
        title=parts.title,
        comments=tuple(parts.comments),
        units=tuple(parts.units),
        defines=tuple(parts.defines),
        declarations=tuple(parts.declarations),
        blocks=tuple(parts.blocks),
        opaque=tuple(parts.opaque),
        locals=tuple(parts.locals),
        included=tuple(parts.included),
        unchecked=tuple(parts.unchecked),
    )


def failure(program: Program, place: Place, message: str, construct: str = "") -> NoReturn:
    """Say what cannot be done with a part of a file, with its line.

    Parameters
    ----------
    program : Program
    place : Place
        Of the node, in the file or in one that it includes.
    message, construct : str
        See `NmodlError`.

    Raises
    ------
    NmodlError
    """
    source = dict(program.included).get(place.file, program.source)
    fail_at(source, place.file or program.file, place, message, construct)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _named(found: Neuron | None, stem: str) -> Neuron:
    """A mechanism without SUFFIX is called as its file, as in NEURON."""
    if found is None:
        return Neuron("SUFFIX", stem)
    return found if found.kind else replace(found, kind="SUFFIX", name=stem)


# --- a file ---------------------------------------------------------------------------------------------------------


def _read_all(words: Lexer, parts: _Parts) -> None:
    while words.kind != "end":
        words.block = ""
        _part(words, parts)
    words.close()
    parts.title = parts.title or words.title
    parts.comments += words.comments
    parts.unchecked += words.unchecked


def _part(words: Lexer, parts: _Parts) -> None:
    kind = words.kind if words.kind != "name" else words.value
    if kind in _SECTIONS:
        parts.declarations += declarations(words)
    elif kind in _ALONE or kind in _NAMED or kind in _CALLED:
        parts.blocks.append(_block(words, kind))
    elif kind == "NEURON":
        parts.neuron = neuron(words, parts.neuron)
    elif kind == "UNITS":
        parts.units += units(words)
    elif kind in ("BEFORE", "AFTER"):
        parts.blocks.append(_around(words, kind))
    elif kind == "LOCAL":
        parts.locals.append(local(words))
    elif kind == "DEFINE":
        parts.defines.append(define(words))
    elif kind == "INCLUDE":
        _include(words, parts)
    elif kind == "INDEPENDENT":
        parts.opaque.append(independent(words))
    elif kind == "WHITE_NOISE":
        parts.declarations += white_noise(words)
    elif kind == "VERBATIM":
        parts.opaque.append(Opaque("VERBATIM", words.value, at=words.place()))
        words.advance()
    else:
        _no_part(words)


def _no_part(words: Lexer) -> NoReturn:
    if words.kind == "}":
        words.fail("this '}' closes nothing: there is one too many, or a '{' is missing before it")
    if words.kind != "name":
        words.fail(f"expected a block such as PROCEDURE here, not {words.word()}; a '}}' may stand too early")
    close = get_close_matches(words.value[:40].upper(), _KNOWN, 1)
    hint = f"did you mean {close[0]}?" if close else "a '}' may stand too early"
    words.fail(f"expected a block such as PROCEDURE here, not {words.word()}; {hint}")


def _block(words: Lexer, kind: str) -> Block:
    at, name, unit = words.place(), "", None
    given: tuple[tuple[str, str | None], ...] = ()
    words.block = kind
    words.advance()
    if kind not in _ALONE and kind not in ("NET_RECEIVE", "POST_EVENT"):
        name = words.name(f"a name after {kind}")
    if kind in _CALLED:
        given = arguments(words, name or kind)
        unit = words.unit()
    if kind == "FUNCTION_TABLE":
        return Block(kind, name, given, unit, at=at)
    if words.take("SOLVEFOR"):
        words.name("a name after SOLVEFOR")
        while words.take(","):
            words.name("a name after SOLVEFOR")
    words.initial = None
    found = statements(words)
    return Block(kind, name, given, unit, found, words.initial, at=at)


def _around(words: Lexer, kind: str) -> Block:
    at = words.place()
    words.block = kind
    words.advance()
    where = words.kind
    if where not in _AROUND:
        words.fail(f"expected one of {', '.join(_AROUND)} after {kind}, not {words.word()}")
    words.advance()
    return Block(kind, where, body=statements(words), at=at)


def _include(words: Lexer, parts: _Parts) -> None:
    at = words.place()
    words.advance()
    if words.kind != "string":
        words.fail(f'expected the name of a file in "" after INCLUDE, not {words.word()}', construct="INCLUDE")
    name = words.value[1:-1]
    path, text = _found(name, parts.open[-1].parent)
    if text is None:
        words.fail(f"INCLUDE: there is no file {name!r} beside this one or in the working directory", at, "INCLUDE")
    if path in parts.open or len(parts.included) >= _MOST_INCLUDED:
        words.fail(f"INCLUDE: {name!r} includes itself, or is one of more than {_MOST_INCLUDED}", at, "INCLUDE")
    parts.included.append((str(path), text))
    parts.open.append(path)
    _read_all(Lexer(text, str(path), words.defines, str(path)), parts)
    parts.open.pop()
    words.advance()


def _found(name: str, folder: Path) -> tuple[Path, str | None]:
    """The file that INCLUDE names and its text; None for the text if there is none."""
    for path in (folder / name, Path(name)):
        try:
            return path, plain(_decoded(path.read_bytes()))
        except (OSError, ValueError):  # no such file, or no name of one
            continue
    return Path(name), None
