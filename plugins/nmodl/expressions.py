"""Expressions of NMODL.

Operators bind as in what NEURON makes of them: ``^`` most, to the right, then signs, so that ``-x^2`` is ``-(x^2)``;
then ``* /``, ``+ -``, comparisons, equalities, ``&&``, ``||``, as in C.
"""

from __future__ import annotations

from rall.plugins.nmodl.lexer import DEEPEST_TEXT, DEEPEST_TREE, Lexer
from rall.plugins.nmodl.syntax import (
    Assign,
    Binary,
    Call,
    Expression,
    Index,
    Name,
    Number,
    Place,
    Rate,
    Text,
    Unary,
)

__all__ = ["assigned", "expression", "integer", "number", "operand", "signed", "variable"]

_LEVELS = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "^": 7,
}  # fmt: skip
_POWER = 7
_LONGEST_ARRAY = 1_000_000


def expression(words: Lexer) -> Expression:
    """Read an expression; `Lexer.height` is then its height.

    Raises
    ------
    NmodlError
        For what is none, and for what is nested too deeply to be meant.
    """
    return _binary(words, 1)


def _binary(words: Lexer, level: int) -> Expression:
    words.depth += 1
    if words.depth > DEEPEST_TEXT:
        words.fail(f"this expression is nested more than {DEEPEST_TEXT} deep; split it with LOCAL variables")
    left = operand(words)
    height = words.height
    while (own := _LEVELS.get(words.kind, 0)) >= level:
        operator, at = words.kind, words.place()
        words.advance()
        right = _binary(words, own if own == _POWER else own + 1)
        height = _higher(words, max(height, words.height))
        left = Binary(operator, left, right, at=at)
    words.depth -= 1
    words.height = height
    return left


def _higher(words: Lexer, height: int) -> int:
    """What is put on top of an expression of some height is one higher."""
    if height + words.nested >= DEEPEST_TREE:
        words.fail(f"this expression has more than {DEEPEST_TREE} terms or levels; split it with LOCAL variables")
    words.height = height + 1
    return words.height


def operand(words: Lexer) -> Expression:
    """Read a value without operators: a name, an element, a call, a number, what is in parentheses or has a sign."""
    at, kind, value = words.place(), words.kind, words.value
    words.height = 1
    if kind == "name":
        words.advance()
        if words.kind == "(" and value[-1] != "'":
            return Call(value, _arguments(words), at=at)
        return _subscripted(words, value, at)
    if kind == "number":
        text = number(words)
        return Number(text, words.unit(), at=at)
    if kind == "(":
        words.advance()
        inside = _binary(words, 1)
        words.expect(")", "to close the parenthesis")
        if isinstance(inside, Number) and inside.unit is None:
            return Number(inside.text, None, True, at=inside.at)
        return inside
    if kind in ("-", "!"):
        words.advance()
        inside = _binary(words, _POWER)
        _higher(words, words.height)
        return Unary(kind, inside, at=at)
    if kind == "*" and words.text[words.start - 1] == "*":
        words.fail("'**' is no operator of NMODL; a power is written x^2")
    words.fail(f"expected a value, not {words.word()}")


def _arguments(words: Lexer) -> tuple[Expression, ...]:
    words.advance()
    found: list[Expression] = []
    height = 0
    while words.kind != ")":
        if found:
            words.expect(",", "or ')' after an argument")
        if words.kind == "string":
            found.append(Text(words.value[1:-1], at=words.place()))
            words.advance()
        else:
            found.append(_binary(words, 1))
            height = max(height, words.height)
    words.advance()
    _higher(words, height)
    return tuple(found)


def _subscripted(words: Lexer, name: str, at: Place) -> Name | Index:
    """What may follow a name: ``[i]``, and the ``@1`` of DISCRETE blocks, which becomes part of the name."""
    if words.kind == "@":
        words.advance()
        name = f"{name}@{integer(words, 'a number of steps after @')}"
    if words.kind != "[":
        return Name(name, at=at)
    words.advance()
    index = _binary(words, 1)
    words.expect("]", "to close the index")
    _higher(words, words.height)
    return Index(name, index, at=at)


def variable(words: Lexer, what: str = "the name of a variable") -> Name | Index:
    """Read ``x`` or ``x[i]``, with its primes."""
    at = words.place()
    return _subscripted(words, words.name(what, primes=True), at)


def assigned(target: Name | Index, value: Expression, at: Place) -> Assign | Rate:
    """``target = value``: a rate where the target has primes."""
    base = target.name.rstrip("'")
    order = len(target.name) - len(base)
    if order == 0:
        return Assign(target, value, at=at)
    stem = Name(base, at=target.at) if isinstance(target, Name) else Index(base, target.index, at=target.at)
    return Rate(stem, value, order, at=at)


def number(words: Lexer) -> str:
    """Read a number without sign, as it is written."""
    text = words.value
    if words.kind != "number":
        words.fail(f"expected a number, not {words.word()}")
    if float(text) == float("inf"):
        words.fail("this number is larger than a computer can hold (1.8e308)")
    words.advance()
    return text


def signed(words: Lexer) -> float:
    """Read a number that may have a sign."""
    sign = -1.0 if words.take("-") else 1.0
    return sign * float(number(words))


def integer(words: Lexer, what: str) -> int:
    """Read a whole number; `what` it is, for the message."""
    at, text = words.place(), number(words)
    if not text.isdigit() or float(text) > _LONGEST_ARRAY:
        words.fail(f"{what} has to be a whole number up to {_LONGEST_ARRAY}, not {text[:40]}", at)
    return int(text)
