"""The text of ``connect(j=...)``: ``EXPR for k in range(a, b, step) if COND``, and its shorter forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, NoReturn

from rall.ir.nodes import Name
from rall.ir.parse import KEYWORDS, Parsed, Source, parse, tokens
from rall.ir.visit import names

__all__ = ["Expression", "Generator", "Index", "Sample", "parse_condition", "parse_generator", "parse_number"]

Index = Literal["i", "j"]
_OTHER: Final[dict[Index, Index]] = {"i": "j", "j": "i"}
_WHO: Final[dict[str, str]] = {"i": "source", "j": "target"}
_FORM = "{result}='EXPR for k in range(start, stop, step) if CONDITION'"


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """One expression of the user's in a call of `connect`.

    Parameters
    ----------
    parsed : Parsed
        The tree and its places.
    role : str
        What it is for, in words for messages.
    known : tuple of str
        Names that stand for numbers which `connect` provides: ``i``, ``j``, the iteration variable.
    number : int
        Tells the expressions of one call apart, so that each has random draws of its own.
    """

    parsed: Parsed
    role: str
    known: tuple[str, ...]
    number: int

    @property
    def text(self) -> str:
        """The user's text, with single spaces."""
        return " ".join(self.parsed.text.split())


@dataclass(frozen=True, slots=True)
class Sample:
    """How elements are drawn from a range: each with a probability, or a number of them without replacement.

    Parameters
    ----------
    p : Expression or float, optional
        Probability of each.
    size : Expression, optional
        How many.
    """

    p: Expression | float | None = None
    size: Expression | None = None


@dataclass(frozen=True, slots=True)
class Generator:
    """For every element of one side, the elements of the other that it is joined with.

    Parameters
    ----------
    result : str
        ``j`` where targets are found for each source, ``i`` for the contrary.
    variable : str or None
        Name of the iteration variable, if there is one; that of `result` where the range is taken as it is.
    target : Expression or None
        What the index of the other side is; None for the iteration variable itself.
    bounds : tuple of Expression or None
        Arguments of the range, as of Python's; None for all elements of the other side.
    sample : Sample or None
        What is taken of the range; None for all.
    condition : Expression or None
        Which of them are kept.
    text : str
        What the user wrote.
    """

    result: Index
    variable: str | None = None
    target: Expression | None = None
    bounds: tuple[Expression, ...] | None = None
    sample: Sample | None = None
    condition: Expression | None = None
    text: str = field(default="", compare=False)

    @property
    def outer(self) -> Index:
        """The index over whose values the outer loop runs."""
        return _OTHER[self.result]

    @property
    def single(self) -> bool:
        """Whether there is no loop: at most one element for each."""
        return self.variable is None

    def expressions(self) -> tuple[Expression, ...]:
        """All that the user wrote, in the order of evaluation."""
        drawn = (self.sample.p, self.sample.size) if self.sample else ()
        found = (*(self.bounds or ()), *drawn, self.target, self.condition)
        return tuple(part for part in found if isinstance(part, Expression))


def parse_condition(text: str) -> Expression:
    """The condition that all pairs are tested for.

    Parameters
    ----------
    text : str
        A condition in ``i``, ``j`` and variables.

    Returns
    -------
    Expression
        To be evaluated for each pair.

    Raises
    ------
    EquationError
        If it is no expression, or has the syntax of a generator.
    """
    for kind, at, word in tokens(text):
        if kind == "name" and word == "for":
            raise Source(text).error("a condition has no 'for'; give a generator as j=... or i=...", at)
    return Expression(parse(text), "the condition", ("i", "j"), _CONDITION)


def parse_number(text: str, role: Literal["p", "n"], variable: str | None = None) -> Expression:
    """An expression for the probability or the number of synapses of a pair.

    Parameters
    ----------
    text : str
        The expression.
    role : {'p', 'n'}
        Which.
    variable : str, optional
        Name of an iteration variable.

    Returns
    -------
    Expression
        To be evaluated for each pair.

    Raises
    ------
    EquationError
        If it is no expression.
    """
    known = ("i", "j") if variable in (None, "i", "j") else ("i", "j", variable)
    return Expression(parse(text), role, known, _PROBABILITY if role == "p" else _COPIES)


# Numbers of the expressions, so that their random draws differ; the arguments of the range come from 6 on.
_CONDITION, _PROBABILITY, _COPIES, _TARGET, _DRAWN, _SIZE, _BOUNDS = range(7)


class _Piece(NamedTuple):
    """Part of the text."""

    start: int
    stop: int


class _Reader:
    """The parts of one text, found by its tokens."""

    def __init__(self, text: str, result: Index) -> None:
        self.text, self.result, self.outer = text, result, _OTHER[result]
        self.tokens = tokens(text)
        self.depths = []
        depth = 0
        for _, _, word in self.tokens:
            depth -= word in (")", "]")
            self.depths.append(depth)
            depth += word in ("(", "[")

    def fail(self, message: str, token: int | None = None) -> NoReturn:
        """Raise with a caret below a token, or at the end."""
        known = token is not None and token < len(self.tokens)
        raise Source(self.text).error(message, self.tokens[token or 0][1] if known else len(self.text.rstrip()))

    def word(self, token: int) -> str:
        """Text of a token, empty after the end."""
        return self.tokens[token][2] if token < len(self.tokens) else ""

    def begin(self, token: int) -> int:
        """Where a token begins."""
        return self.tokens[token][1] if token < len(self.tokens) else len(self.text)

    def end(self, token: int) -> int:
        """Where a token ends."""
        return self.tokens[token][1] + len(self.tokens[token][2]) if token >= 0 else 0

    def places(self, word: str) -> list[int]:
        """The tokens of a word outside of brackets."""
        return [k for k, (_, _, text) in enumerate(self.tokens) if text == word and self.depths[k] <= 0]

    def parsed(self, piece: _Piece) -> Parsed:
        """The expression in a part of the text."""
        return parse(self.text[piece.start : piece.stop], Source(self.text, piece.start))


def parse_generator(text: str, result: Index) -> Generator:
    """Parse the text that is given as ``j=`` or ``i=``.

    Parameters
    ----------
    text : str
        ``EXPR for VARIABLE in RANGE if CONDITION``, where RANGE is ``range(...)``, ``sample(..., p=...)`` or
        ``sample(..., size=...)``; the condition, or all after EXPR, may be left out.
    result : {'j', 'i'}
        Which index the text gives.

    Returns
    -------
    Generator
        Its parts.

    Raises
    ------
    EquationError
        If the text does not have this form; shows the place.
    """
    reader = _Reader(text, result)
    loops = reader.places("for")
    if len(loops) > 1:
        reader.fail("only one 'for' is possible here; the outer loop runs over "
                    f"'{reader.outer}' by itself", loops[1])  # fmt: skip
    if loops:
        return _loop(reader, loops[0])
    inside = [k for k, (_, _, word) in enumerate(reader.tokens) if word == "for"]
    if inside:
        reader.fail(f"brackets cannot stand around the generator; write {_FORM.format(result=result)}", 0)
    split = _lonely_if(reader)
    target = _target(reader, _Piece(0, len(text) if split is None else reader.begin(split)), None)
    condition = None if split is None else _condition(reader, split, None)
    return Generator(result, None, target, (), None, condition, text)


def _lonely_if(reader: _Reader) -> int | None:
    """The ``if`` that has no ``else`` and so begins a condition."""
    open_: list[int] = []
    for k, (_, _, word) in enumerate(reader.tokens):
        if reader.depths[k] <= 0 and word == "if":
            open_.append(k)
        elif reader.depths[k] <= 0 and word == "else" and open_:
            open_.pop()
    return open_[0] if open_ else None


def _loop(reader: _Reader, loop: int) -> Generator:
    variable = _variable(reader, loop + 1)
    if reader.word(loop + 2) != "in":
        reader.fail(f"'in' must follow the iteration variable: 'for {variable} in range(...)'", loop + 2)
    kind, opened = reader.word(loop + 3), loop + 4
    if kind not in ("range", "sample") or reader.word(opened) != "(":
        reader.fail("an iteration goes over range(...), sample(..., p=...) or sample(..., size=...)", loop + 3)
    closed = next((k for k in range(opened + 1, len(reader.tokens))
                   if reader.word(k) == ")" and reader.depths[k] == reader.depths[opened]), None)  # fmt: skip
    if closed is None:
        reader.fail("this '(' is never closed", opened)
    if reader.word(closed + 1) not in ("", "if"):
        reader.fail(f"only 'if CONDITION' can follow {kind}(...)", closed + 1)
    bounds, sample = _arguments(reader, kind, opened, closed)
    _only_outer(reader, variable, bounds, sample)
    target: Expression | None = _target(reader, _Piece(0, reader.begin(loop)), variable)
    if target is not None and target.parsed.node is Name(variable):
        target = None
    condition = _condition(reader, closed + 1, variable) if closed + 1 < len(reader.tokens) else None
    return Generator(reader.result, variable, target, bounds, sample, condition, reader.text)


def _variable(reader: _Reader, token: int) -> str:
    word = reader.word(token)
    if not word.isidentifier() or word in KEYWORDS:
        reader.fail("the name of an iteration variable must follow 'for'", token)
    if word in _WHO:
        reader.fail(f"'{word}' is the index of the {_WHO[word]}; the iteration variable needs another name, "
                    "such as k", token)  # fmt: skip
    return word


def _target(reader: _Reader, piece: _Piece, variable: str | None) -> Expression:
    parsed = reader.parsed(piece)
    if reader.result in names(parsed.node):
        raise parsed.error(f"{reader.result} cannot depend on itself; it can depend on {reader.outer}"
                           " and an iteration variable", Name(reader.result))  # fmt: skip
    known = (reader.outer,) if variable is None else (reader.outer, variable)
    return Expression(parsed, reader.result, known, _TARGET)


def _condition(reader: _Reader, token: int, variable: str | None) -> Expression:
    parsed = reader.parsed(_Piece(reader.end(token), len(reader.text)))
    known = ("i", "j") if variable is None else ("i", "j", variable)
    return Expression(parsed, "the condition", known, _CONDITION)


def _arguments(reader: _Reader, kind: str, opened: int, closed: int) -> tuple[tuple[Expression, ...], Sample | None]:
    """What stands between the brackets of ``range`` or ``sample``."""
    bounds: list[Expression] = []
    given: dict[str, Expression] = {}
    known = (reader.outer,)
    inner = [k for k in range(opened + 1, closed)
             if reader.word(k) == "," and reader.depths[k] == reader.depths[opened] + 1]  # fmt: skip
    for before, after in zip([opened, *inner], [*inner, closed]):
        if closed == opened + 1:
            break
        word = reader.word(before + 1)
        if reader.word(before + 2) == "=" and before + 2 < after:
            if kind == "range" or word not in ("p", "size") or word in given:
                reader.fail(_wrong_keyword(kind, word, given), before + 1)
            piece = _Piece(reader.end(before + 2), reader.begin(after))
            number = _DRAWN if word == "p" else _SIZE
            given[word] = Expression(reader.parsed(piece), f"{word} of the sample", known, number)
            continue
        if given:
            reader.fail(f"the bounds of a sample come before {next(iter(given))}=", before + 1)
        parsed = reader.parsed(_Piece(reader.end(before), reader.begin(after)))
        bounds.append(Expression(parsed, f"the {kind}", known, _BOUNDS + len(bounds)))
    if not 1 <= len(bounds) <= 3:
        reader.fail(f"{kind}() takes one to three bounds (stop, or start, stop, or start, stop, step); "
                    f"these are {len(bounds)}", opened - 1)  # fmt: skip
    if kind == "sample" and len(given) != 1:
        reader.fail(f"sample() takes either p= (the probability of each) or size= (how many); "
                    f"{'both are' if given else 'none is'} given", opened - 1)  # fmt: skip
    return tuple(bounds), Sample(given.get("p"), given.get("size")) if kind == "sample" else None


def _wrong_keyword(kind: str, word: str, given: dict[str, Expression]) -> str:
    if kind == "range":
        return "the arguments of range() are given by position, without names"
    if word in given:
        return f"{word}= is given twice"
    return f"sample() has no argument '{word}'; it takes p= or size="


def _only_outer(reader: _Reader, variable: str, bounds: tuple[Expression, ...], sample: Sample | None) -> None:
    """Refuse a range that needs what it is to give."""
    drawn = (sample.p, sample.size) if sample else ()
    for part in (*bounds, *drawn):
        if not isinstance(part, Expression):
            continue
        for name in (variable, reader.result):
            if name in names(part.parsed.node):
                raise part.parsed.error(
                    f"{part.role} cannot depend on '{name}', which it is to give; only '{reader.outer}' is known here",
                    Name(name),
                )
