"""Text to tree: the expressions and statements of equations.

The language is the arithmetic, comparing and boolean part of Python's, with the conditional expression
``a if c else b``.  The method is Pratt's (V. Pratt, Top down operator precedence, POPL 1973): every operator
has a binding power, and an operand is taken by the operator that binds it more strongly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn

from rall.errors import EquationError
from rall.ir.nodes import FALSE, TRUE, Binary, Call, Compare, Logic, Name, Node, Not, Number, Select

__all__ = ["KEYWORDS", "MAX_LENGTH", "Parsed", "Source", "blank_comments", "parse", "tokens"]

MAX_DEPTH = 200
#: Number of characters that one expression may have.
MAX_LENGTH = 100_000
_LARGEST_INTEGER = 2**63 - 1

_TOKEN = re.compile(
    r"\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"  # 1: number
    r"|([A-Za-z_][A-Za-z0-9_]*)"  # 2: name or word
    r"|(\*\*|//|<=|>=|==|!=|[-+*/%<>(),])"  # 3: operator
    r"|(\S)"  # 4: anything else is a mistake
    r"|($))"  # 5: the end
)
_NUMBER, _NAME, _OPERATOR, _WRONG, _END = 1, 2, 3, 4, 5

# Binding powers.  A unary minus binds less than ** and more than *, as in Python.
_CONDITIONAL, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POWER = range(10, 100, 10)
_INFIX: dict[str, int] = {
    "if": _CONDITIONAL, "or": _OR, "and": _AND,
    "<": _COMPARE, "<=": _COMPARE, ">": _COMPARE, ">=": _COMPARE, "==": _COMPARE, "!=": _COMPARE,
    "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT, "%": _PRODUCT, "**": _POWER,
}  # fmt: skip
_WORDS = frozenset(("and", "or", "not", "if", "else"))
KEYWORDS = _WORDS | {
    "True", "False", "None", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "except", "finally", "for", "from", "global", "import", "in", "is", "lambda", "nonlocal",
    "pass", "raise", "return", "try", "while", "with", "yield",
}  # fmt: skip
"""Words that cannot be names."""
#: Functions of which equal calls are one value (`rall.functions` adds those of its table); of others, and of those
#: without arguments, each call may give a new one.
PURE: set[str] = set()

_HINTS = {
    "^": "'^' is not an operator here; use ** for powers",
    "&": "'&' is not an operator here; use 'and'",
    "|": "'|' is not an operator here; use 'or'",
    "~": "'~' is not an operator here; use 'not'",
    "!": "'!' is not an operator here; use 'not', or != to compare",
    "[": "indexing is not possible in equations; a TimedArray or a function is called with (), and another "
    "element's value arrives through Synapses or a linked variable",
    "]": "there is no matching '['; indexing is not possible in equations",
    "{": "dictionaries and sets are not possible in equations",
    "}": "dictionaries and sets are not possible in equations",
    "'": "text in quotes is not possible in an expression",
    '"': "text in quotes is not possible in an expression",
    "=": "'=' assigns and cannot stand inside an expression; use == to compare",
    ".": "attributes (a.b) are not possible in equations; give the value a name of its own",
    ":": "a ':' cannot stand here; it comes once, between an expression and its unit",
    ";": "a ';' cannot stand inside an expression; it only separates statements",
    "@": "'@' is not an operator here; use * for products",
    "?": "'?' is not an operator here; write 'a if condition else b'",
    "\\": "a line goes on without a backslash: it ends at its unit",
    "$": "'$' cannot be part of a name",
    "`": "'`' cannot be part of a name",
    "#": "a comment cannot stand here",
}
_WORD_HINTS = {
    "None": "None is not a value in equations",
    "is": "use == to compare, not 'is'",
    "in": "'in' is not possible in equations; compare with ==, < and >",
    "lambda": "functions cannot be defined in equations; define it in Python and call it by name",
    "elif": "write 'a if c1 else b if c2 else c'",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a piece of text stands in what the user wrote.

    Parameters
    ----------
    text : str
        The user's whole text.
    offset : int
        Where in `text` the piece begins.
    line : int, optional
        Number of the first line of `text`, 1 where it is all that the user wrote.
    """

    text: str
    offset: int = 0
    line: int = 1

    def line_number(self, position: int = 0) -> int:
        """Number of the user's line at `position` (counted from `offset`)."""
        return self.line + self.text.count("\n", 0, max(0, self.offset + position))

    def error(self, message: str, position: int = 0) -> EquationError:
        """An error that shows the user's line with a caret.

        Parameters
        ----------
        message : str
            What is wrong and what would do.
        position : int
            Where, counted from `offset`.

        Returns
        -------
        EquationError
            To be raised by the caller.
        """
        at = min(max(0, self.offset + position), len(self.text))
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        shown = self.text[start : end if end >= 0 else None]
        indent = min(len(shown) - len(shown.lstrip()), at - start)
        shown = _CONTROL.sub(" ", shown[indent:]).rstrip()
        shown, column = _window(shown, at - start - indent)
        single = self.line == 1 and "\n" not in self.text.strip("\n")
        return EquationError(message, shown, column, None if single else self.line_number(position))


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WIDTH = 160


def _window(text: str, column: int) -> tuple[str, int]:
    """The part of a long line around a column, and the column in it."""
    if len(text) <= _WIDTH:
        return text, column
    start = max(0, min(column - _WIDTH // 2, len(text) - _WIDTH))
    before, after = "... " if start else "", " ..." if start + _WIDTH < len(text) else ""
    return before + text[start : start + _WIDTH] + after, column - start + len(before)


@dataclass(frozen=True, slots=True)
class Parsed:
    """An expression with the places of its parts.

    Parameters
    ----------
    text : str
        What was parsed.
    node : Node
        The tree.
    spans : mapping
        Node to (start, end) of its first occurrence in `text`.
    operators : mapping
        Node to the place of its operator, for operations.
    arguments : mapping
        Call to the places of its arguments.
    where : Source
        Where `text` stands in what the user wrote.
    """

    text: str = field(compare=False)
    node: Node
    spans: Mapping[Node, tuple[int, int]] = field(repr=False, compare=False)
    operators: Mapping[Node, int] = field(repr=False, compare=False)
    arguments: Mapping[Node, tuple[int, ...]] = field(repr=False, compare=False)
    where: Source = field(repr=False, compare=False)

    def piece(self, node: Node) -> str | None:
        """The user's text of `node`, with single spaces; None if it does not stand in the text as such."""
        span = self.spans.get(node)
        return None if span is None else " ".join(self.text[span[0] : span[1]].split())

    def error(self, message: str, node: Node | None = None, argument: int | None = None) -> EquationError:
        """An error that points into the text.

        Parameters
        ----------
        message : str
            What is wrong and what would do.
        node : Node, optional
            The place: its operator, or where it begins; by default the beginning of the expression.
        argument : int, optional
            The place is this argument of the call `node`, from 0.

        Returns
        -------
        EquationError
            To be raised by the caller.
        """
        position = len(self.text) - len(self.text.lstrip())
        if node is not None:
            position = self.operators.get(node, self.spans.get(node, (position,))[0])
            if argument is not None:
                position = dict(enumerate(self.arguments.get(node, ()))).get(argument, position)
        return self.where.error(message, position)


class _Parser:
    """One pass over the tokens of one text."""

    __slots__ = (
        "calls",
        "depth",
        "draws",
        "end",
        "kind",
        "names",
        "next",
        "operators",
        "spans",
        "start",
        "text",
        "value",
        "where",
    )

    def __init__(self, text: str, where: Source, names: Mapping[str, str]) -> None:
        self.text, self.where, self.names = text, where, names
        self.spans: dict[Node, tuple[int, int]] = {}
        self.operators: dict[Node, int] = {}
        self.calls: dict[Node, tuple[int, ...]] = {}
        self.draws = 0
        self.depth = 0
        self.end = 0  # of the token before the current one
        self.next = _TOKEN.finditer(text).__next__
        self.start, self.kind, self.value = 0, 0, ""
        self.advance()

    def fail(self, message: str, position: int | None = None) -> NoReturn:
        raise self.where.error(message, self.start if position is None else position)

    def advance(self) -> None:
        """Make the next token the current one."""
        self.end = self.start + len(self.value)
        match = self.next()
        kind = match.lastindex or _END
        self.kind, self.value, self.start = kind, match[kind], match.start(kind)

    # --- operands ---

    def expression(self, power: int) -> Node:
        """The longest expression whose operators bind more strongly than `power`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"this is nested more than {MAX_DEPTH} deep; split it into named subexpressions")
        begin = self.start
        kind, value = self.kind, self.value
        if kind == _NAME and value not in KEYWORDS:
            left = self.name()
        elif kind == _NUMBER:
            left = self.number()
        else:
            left = self.prefix(power)
        while True:
            binding = _INFIX.get(self.value, 0)
            if binding <= power:
                break
            operator, at = self.value, self.start
            self.advance()
            left = _LED[operator](self, operator, left, at, begin)
            span = (begin, self.end)
            if left not in self.spans:
                self.spans[left] = span
                self.operators[left] = at
        self.depth -= 1
        return left

    def name(self) -> Node:
        begin, id = self.start, self.value
        self.advance()
        if self.value == "(" and self.kind == _OPERATOR:
            places: list[int] = []
            given = self.arguments(id, places)
            node: Node = Call(id, *given, occurrence=0 if given and id in PURE else self.occurrence())
            self.operators.setdefault(node, begin)
            self.calls.setdefault(node, tuple(places))
        else:
            node = Name(self.names.get(id, id))
        if node not in self.spans:
            self.spans[node] = (begin, self.end)
        return node

    def occurrence(self) -> int:
        """How many calls stand to the left of this one; of all functions, since two names may mean one function."""
        self.draws += 1
        return self.draws - 1

    def arguments(self, function: str, places: list[int]) -> list[Node]:
        opened = self.start
        self.advance()
        given: list[Node] = []
        if self.value == ")":
            self.advance()
            return given
        while True:
            places.append(self.start)
            given.append(self.expression(0))
            if self.value == ",":
                self.advance()
                if self.value == ")":
                    self.fail(f"an argument of {function}() is missing after the ','")
                continue
            if self.value == ")":
                self.advance()
                return given
            if self.value == "=" and self.kind == _WRONG:
                self.fail(f"arguments of {function}() are given by position, without names")
            self.unclosed(opened)

    def unclosed(self, opened: int) -> NoReturn:
        if self.kind == _END:
            self.fail("this '(' is never closed", opened)
        self.unexpected()

    def number(self) -> Node:
        begin, text = self.start, self.value
        self.advance()
        if self.kind == _NAME and self.start == self.end and self.value not in _WORDS:
            self.glued(text, begin)
        if self.kind == _NUMBER and self.start == self.end:
            self.fail(f"{text}{self.value!s} is not a number")
        value = float(text)
        if math.isinf(value):
            self.fail(
                f"the number {text[:20]} is too large for double precision (1.8e308); 'inf' is infinity",
                begin,
            )
        node = Number(int(text) if text.isdigit() and value < _LARGEST_INTEGER else value)
        if node not in self.spans:
            self.spans[node] = (begin, self.end)
        return node

    def glued(self, text: str, begin: int) -> NoReturn:
        if self.value in ("j", "J"):
            self.fail("complex numbers are not possible in equations", begin)
        if text == "0" and self.value[0] in "xXbBoO":
            self.fail("numbers are written in decimal", begin)
        self.fail(f"a number directly followed by a name; write {text}*{self.value} for the product")

    def prefix(self, power: int) -> Node:
        """An operand that begins with an operator, a bracket or a word."""
        begin, value = self.start, self.value
        if value == "(":
            self.advance()
            node = self.expression(0)
            if self.value != ")":
                if self.value == ",":
                    self.fail("a list of values is not possible here; only functions take several")
                self.unclosed(begin)
            self.advance()
            return node
        if value in ("-", "+"):
            self.advance()
            return self.signed(value, begin)
        if value == "not":
            if power > _NOT:
                self.fail("put parentheses around the 'not ...' here")
            self.advance()
            node = Not(self.expression(_NOT))
            self.operators.setdefault(node, begin)
        elif value in ("True", "False"):
            self.advance()
            node = TRUE if value == "True" else FALSE
        else:
            self.unexpected(operand=True)
        self.spans.setdefault(node, (begin, self.end))
        return node

    def signed(self, sign: str, begin: int) -> Node:
        operand = self.expression(_UNARY)
        if sign == "+":
            return operand
        if isinstance(operand, Number) and not isinstance(operand.value, bool):
            zero = operand.value == 0
            node: Node = Number(-0.0 if zero and isinstance(operand.value, float) else -operand.value)
        else:
            node = Binary("*", Number(-1), operand)
        self.spans.setdefault(node, (begin, self.end))
        self.operators.setdefault(node, begin)
        return node

    # --- operators (see _LED): what stands left of them is known ---

    def binary(self, operator: str, left: Node, at: int, begin: int) -> Node:
        return Binary(operator, left, self.expression(_INFIX[operator]))

    def raised(self, operator: str, left: Node, at: int, begin: int) -> Node:
        return Binary("**", left, self.expression(_POWER - 1))  # to the right: a**b**c is a**(b**c)

    def logic(self, operator: str, left: Node, at: int, begin: int) -> Node:
        return Logic(operator, left, self.expression(_INFIX[operator]))

    def compared(self, operator: str, left: Node, at: int, begin: int) -> Node:
        chain: Node | None = None
        while True:
            if self.kind == _WRONG and self.value == "=" and self.start == self.end:
                self.fail(f"'{operator}=' is not an operator")
            right = self.expression(_COMPARE)
            link = Compare(operator, left, right)
            self.spans.setdefault(link, (begin, self.end))
            self.operators.setdefault(link, at)
            chain = link if chain is None else Logic("and", chain, link)
            if _INFIX.get(self.value) != _COMPARE:
                return chain
            left, operator, at = right, self.value, self.start
            self.advance()

    def conditional(self, operator: str, left: Node, at: int, begin: int) -> Node:
        condition = self.expression(_CONDITIONAL)
        if self.value != "else":
            self.fail("an 'else' is missing: a conditional is written 'a if condition else b'", at)
        self.advance()
        return Select(condition, left, self.expression(_CONDITIONAL - 1))

    # --- mistakes ---

    def unexpected(self, operand: bool = False) -> NoReturn:
        """Say what the current token should not be here."""
        value, kind = self.value, self.kind
        if kind == _END:
            if not self.text.strip():
                self.fail("an expression is missing here")
            self.fail("the expression ends too early: a value is missing at its end")
        if value in _WORD_HINTS:
            self.fail(_WORD_HINTS[value])
        if kind == _NAME and value in KEYWORDS and value not in _WORDS:
            self.fail(f"'{value}' is a word of Python that has no meaning in equations")
        if kind == _WRONG:
            self.wrong_character()
        if operand:
            self.fail("nothing stands between these parentheses" if value == ")" and self.before() == "(" else
                      f"a value is missing before '{value}'")  # fmt: skip
        if value == ")":
            self.fail("this ')' has no matching '('")
        if value == ",":
            self.fail("a ',' can only stand between the arguments of a function")
        if value == "(":
            self.fail("an operator is missing before '(' (write * for the product)")
        self.fail(f"an operator is missing before '{value[:40]}'")

    def before(self) -> str:
        """The last character before the current token."""
        return self.text[: self.start].rstrip()[-1:]

    def wrong_character(self) -> NoReturn:
        value = self.value
        following = self.text[self.start : self.start + 2]
        if following in ("&&", "||"):
            self.fail(f"'{following}' is not an operator here; use '{'and' if value == '&' else 'or'}'")
        if value == "=" and self.before() in "=<>!" and self.before():
            self.fail("this comparison is not possible; the operators are < <= > >= == !=")
        if value in _HINTS:
            self.fail(_HINTS[value])
        if value.isalpha() or value.isdigit():
            self.fail(f"{value!r} cannot be used: names are made of the letters a-z and A-Z, digits and '_' "
                      "(um for micrometre)")  # fmt: skip
        self.fail(f"the character {value!r} has no meaning in equations")


_Led = Callable[[_Parser, str, Node, int, int], Node]
_LED: dict[str, _Led] = {operator: _Parser.binary for operator in ("+", "-", "*", "/", "//", "%")}
_LED |= {"and": _Parser.logic, "or": _Parser.logic, "**": _Parser.raised, "if": _Parser.conditional}
_LED |= {operator: _Parser.compared for operator in ("<", "<=", ">", ">=", "==", "!=")}

_NO_NAMES: Mapping[str, str] = MappingProxyType({})


def parse(text: str, where: Source | None = None, names: Mapping[str, str] = _NO_NAMES) -> Parsed:
    """Parse one expression.

    Parameters
    ----------
    text : str
        The expression.
    where : Source, optional
        Where it stands in what the user wrote, for messages.
    names : mapping of str to str, optional
        Names in the text that are other names in the tree.

    Returns
    -------
    Parsed
        The tree and the places of its parts.

    Raises
    ------
    EquationError
        If the text is no expression; shows the place.
    """
    if not isinstance(text, str):
        raise EquationError(f"an expression is text; this is of type {type(text).__name__}: {text!r:.60}")
    if where is None:
        where = Source(text)
    if len(text) > MAX_LENGTH:
        raise EquationError(f"an expression of {len(text)} characters is too long (at most {MAX_LENGTH})")
    parser = _Parser(text, where, names)
    node = parser.expression(0)
    if parser.kind != _END:
        parser.unexpected()
    return Parsed(text, node, parser.spans, parser.operators, parser.calls, where)


def tokens(text: str) -> list[tuple[str, int, str]]:
    """The tokens of an expression, for replacing names in it.

    Parameters
    ----------
    text : str
        An expression.

    Returns
    -------
    list of (str, int, str)
        Kind (``number``, ``name``, ``operator``, ``other``), place and text of each.
    """
    kinds = ("", "number", "name", "operator", "other")
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastindex or _END
        if kind != _END:
            found.append((kinds[kind], match.start(kind), match[kind]))
    return found


def blank_comments(text: str) -> str:
    """The text with its ``#`` comments replaced by spaces, so that places stay what they are."""
    return re.sub(r"#[^\n]*", lambda match: " " * len(match[0]), text)
