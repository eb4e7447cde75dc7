"""From the text of an NMODL file to its words, one at a time.

The lexer cannot run ahead of the parser: what stands between two parentheses is a unit, of any characters, or an
expression, and only the parser knows which.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NoReturn

from rall.errors import NmodlError
from rall.plugins.nmodl.syntax import Block, Place

__all__ = ["DEEPEST_BLOCK", "DEEPEST_TEXT", "DEEPEST_TREE", "Lexer", "fail_at", "plain"]

# Nobody writes such files, and what is deeper would end in Python's own limit, here or in the translation.
DEEPEST_TEXT = 100  # parentheses, calls and signs in one another
DEEPEST_TREE = 200  # a sum of n terms is n deep, too
DEEPEST_BLOCK = 50  # braces in one another

_WORD = re.compile(
    r"(?:\s+|[:?][^\n]*)*+"
    r"(?:([A-Za-z_][A-Za-z0-9_]*(?:'+0?)?)"
    r"|((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(<->|[<>=!]=|&&|\|\||~\+|[-+*/^=(){}\[\],<>!~@])"
    r'|("[^"]*")'
    r"|(.)"
    r"|\Z)",
    re.DOTALL,
)
_NAME, _SIGN = 1, 3
_KINDS = {2: "number", 4: "string", 5: "other"}
_ONTOLOGY = re.compile(r"[ \t]*(?:\[[A-Za-z]\w*:\w*\]|[A-Za-z]\w*:\w*)")
_NEWLINES = re.compile(r"\r\n?")
# NEURON's words (nocmodl's table); those that no statement of today has are names.
_KEYWORDS = {
    word: word
    for word in (
        "VERBATIM COMMENT TITLE CONSTANT PARAMETER INDEPENDENT ASSIGNED INITIAL DERIVATIVE BREAKPOINT CONDUCTANCE "
        "SOLVE STATE LINEAR NONLINEAR DISCRETE FUNCTION FUNCTION_TABLE PROCEDURE LOCAL METHOD STEADYSTATE STEP "
        "WITH FROM TO BY IF ELSE WHILE START DEFINE KINETIC CONSERVE LAG SWEEP COMPARTMENT LONGITUDINAL_DIFFUSION "
        "IFERROR SOLVEFOR UNITS UNITSON UNITSOFF TABLE DEPEND NEURON SUFFIX POINT_PROCESS ARTIFICIAL_CELL "
        "NONSPECIFIC_CURRENT ELECTRODE_CURRENT RANGE USEION READ WRITE VALENCE GLOBAL POINTER BBCOREPOINTER "
        "EXTERNAL INCLUDE CONSTRUCTOR DESTRUCTOR NET_RECEIVE BEFORE AFTER WATCH FOR_NETCONS THREADSAFE PROTECT "
        "MUTEXLOCK MUTEXUNLOCK REPRESENTS"
    ).split()
} | {"if": "IF", "else": "ELSE", "while": "WHILE", "CHARGE": "VALENCE"}
_RAW = frozenset(("VERBATIM", "COMMENT", "TITLE", "UNITSON", "UNITSOFF", "REPRESENTS"))
_HINTS = {
    ";": "nothing stands at the end of a statement in NMODL",
    "#": "a comment begins with ':'",
    "%": "fmod(a, b) gives the remainder",
    "&": "'&&' is the operator",
    "|": "'||' is the operator",
    '"': "which begins a text that is not closed",
}
_BLOCK_ENDS = {word: re.compile(rf"[ \t]*END{word}(?![A-Za-z])[^\n]*") for word in ("VERBATIM", "COMMENT")}
_LINE_ENDS = {word: re.compile(rf"\n[ \t]*END{word}(?![A-Za-z])[^\n]*") for word in ("VERBATIM", "COMMENT")}


def plain(text: str) -> str:
    """A file's text with newlines alone as line ends, up to the end mark of DOS, as NEURON reads it."""
    text = _NEWLINES.sub("\n", text.removeprefix("\ufeff"))
    for mark in "\x04\x1a":
        text = text.partition(mark)[0]
    return text


def fail_at(source: str, file: str, place: Place, message: str, construct: str = "") -> NoReturn:
    """Say what is wrong at a place.

    Parameters
    ----------
    source, file : str
        The text of the file and its name.
    place : Place
    message, construct : str
        See `NmodlError`.

    Raises
    ------
    NmodlError
    """
    if place.line == 0:
        raise NmodlError(message, file, construct=construct)
    lines = source.split("\n")
    text = lines[place.line - 1] if 0 < place.line <= len(lines) else None
    raise NmodlError(message, file, place.line, place.column, construct, text)


class Lexer:
    """A text and the word in it that is looked at.

    Parameters
    ----------
    text : str
        Of the file, see `plain`.
    file : str
        Its name.
    defines : dict of str to str
        What DEFINE has replaced by a number; more are added.
    label : str
        What places have as their `file`.

    Attributes
    ----------
    kind : str
        ``'name'``, ``'number'``, ``'string'``, ``'end'``, ``'other'``; for a keyword or a sign itself.
    value : str
        The word as it is written; of VERBATIM the text in it.
    start, end : int
        Where it begins and ends in the text.
    previous : int
        Where the word before it ended.
    height : int
        Of the expression that was read last.
    nested : int
        How deep in blocks and IFs the word stands.
    depth, braces, sums : int
        Of parentheses and braces around the word, and of '~+' so far.
    block : str
        The kind of the block, empty outside.
    initial : Block or None
        The INITIAL of the NET_RECEIVE that is being read.
    title, comments, unchecked
        What `Program` has under these names.
    """

    def __init__(self, text: str, file: str, defines: dict[str, str], label: str = "") -> None:
        self.text, self.file, self.defines, self.label = text, file, defines, label
        self.kind = self.value = self.block = self.title = ""
        self.start = self.end = self.previous = 0
        self.depth = self.height = self.nested = self.braces = self.sums = 0
        self.initial: Block | None = None
        self.comments: list[str] = []
        self.unchecked: list[tuple[Place, Place]] = []
        self._off: Place | None = None
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.advance()

    # --- words --------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Look at the next word."""
        self.previous = self.end
        while True:
            match = _WORD.match(self.text, self.end)
            assert match is not None  # its last alternatives take anything
            group = match.lastindex
            if group is None:
                self.start = self.end = len(self.text)
                self.kind, self.value = "end", ""
                return
            self.start, self.end = match.span(group)
            self.value = value = match[group]
            if group == _SIGN:
                self.kind = value
            elif group != _NAME:
                self.kind = _KINDS[group]
            else:
                self.kind = _KEYWORDS.get(value, "name")
                if self.kind in _RAW:
                    self._raw(self.kind)
                    if self.kind != "VERBATIM":
                        continue
                elif value in self.defines:
                    self.kind, self.value = "number", self.defines[value]
            return

    def _raw(self, word: str) -> None:
        """What is followed by text that is no NMODL, or by nothing and may stand everywhere."""
        if word in _BLOCK_ENDS:
            match = _BLOCK_ENDS[word].match(self.text, self.end) or _LINE_ENDS[word].search(self.text, self.end)
            if match is None:
                self.fail(f"{word} has no end: a line that begins with END{word} is missing", construct=word)
            inside, self.end = self.text[self.end : match.start()], match.end()
            if word == "VERBATIM":
                self.value = inside
                return
            self.comments.append(inside.strip())
        elif word == "TITLE":
            last = self.text.find("\n", self.end)
            last = len(self.text) if last < 0 else last
            self.title = self.title or self.text[self.end : last].strip()
            self.end = last
        elif word == "REPRESENTS":
            name = _ONTOLOGY.match(self.text, self.end)
            if name is None:
                self.fail("after REPRESENTS comes the name of a concept, such as [NCIT:C17145]", construct=word)
            self.end = name.end()
        else:
            self._units(word)

    def _units(self, word: str) -> None:
        if word == "UNITSOFF":
            self._off = self._off or self.place()
        elif self._off is not None:
            self.unchecked.append((self._off, self.place()))
            self._off = None

    def close(self) -> None:
        """The file is read: an UNITSOFF that nothing ended goes to its end."""
        if self._off is not None:
            self.unchecked.append((self._off, self.place()))

    # --- what the parser asks for -------------------------------------------------------------------------------

    def take(self, kind: str) -> bool:
        """Whether the word is of this kind; if so, go on."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def expect(self, kind: str, where: str) -> None:
        """Go past a sign or keyword that has to be here; `where` ends the message, as in ``'after SOLVE'``."""
        if self.kind != kind:
            self.fail(f"expected {kind!r} {where}, not {self.word()}")
        self.advance()

    def name(self, what: str, primes: bool = False) -> str:
        """A name that has to be here, with or without primes; `what` it is of, for the message."""
        if self.kind != "name":
            self.fail(f"expected {what}, not {self.word()}")
        if self.value[-1] == "'" and not primes:
            self.fail(f"expected {what}, not {self.word()}: a prime stands where a rate of change is set")
        value = self.value
        self.advance()
        return value

    def unit(self) -> str | None:
        """The text in parentheses, without spaces around it; None if the word is no parenthesis."""
        if self.kind != "(":
            return None
        close, line = self.text.find(")", self.end), self.text.find("\n", self.end)
        if close < 0 or 0 <= line < close:
            self.fail("the parenthesis of this unit is not closed in its line; write ')' behind the unit")
        inside, self.end = self.text[self.end : close].strip(), close + 1
        self.advance()
        return inside

    def place(self, offset: int | None = None) -> Place:
        """Where a position of the text is, by default the word's."""
        offset = self.start if offset is None else offset
        line = bisect_right(self._lines, offset)
        return Place(line, offset - self._lines[line - 1] + 1, self.label)

    def word(self) -> str:
        """The word for a message."""
        if self.kind == "end":
            return "the end of the file"
        if self.kind in _KEYWORDS:
            return f"the keyword {self.kind}"
        value = self.text[self.start : self.end]
        shown = repr(value if len(value) <= 40 else value[:37] + "...")
        return f"{shown} ({_HINTS[value]})" if value in _HINTS else shown

    def fail(self, message: str, place: Place | None = None, construct: str | None = None) -> NoReturn:
        """Say what is wrong, by default at the word; see `fail_at`."""
        construct = self.block if construct is None else construct
        fail_at(self.text, self.file, place or self.place(), message, construct)
