"""The one tree type of rall, from parsed text to printed C.

Nodes are immutable and hash-consed: building the same expression twice gives the same object, so equality is
identity, common subexpressions are shared by construction and results of passes can be kept in plain
dictionaries.  Where a node came from in the user's text is kept beside the tree (`rall.ir.parse.Parsed`).
"""

from __future__ import annotations

from typing import TypeAlias
from weakref import WeakValueDictionary

__all__ = [
    "FALSE", "ONE", "TRUE", "TWO", "ZERO",
    "Binary", "Call", "Compare", "Logic", "Name", "Node", "Not", "Number", "Select",
    "add", "call", "div", "integer_power", "mul", "name", "neg", "number", "power", "select", "sub",
]  # fmt: skip

_Key: TypeAlias = tuple[object, ...]
_made: WeakValueDictionary[_Key, Node]


class Node:
    """One expression.  `children` are its operands, in order."""

    __slots__ = ("__weakref__", "_key", "children", "found_names")
    children: tuple[Node, ...]
    _key: _Key
    #: Kept by `rall.ir.visit.names`.
    found_names: frozenset[str] | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._key[1:]}"

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        """The same operation on other operands (of the same number)."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), self._key[1:])


def _intern(cls: type[Node], key: tuple[object, ...], children: tuple[Node, ...]) -> Node:
    full = (cls, *key)
    known = _made.get(full)
    if known is not None:
        return known
    node = object.__new__(cls)
    node._key, node.children, node.found_names = full, children, None
    _made[full] = node
    return node


class Number(Node):
    """A literal: float, int or bool, in SI base units."""

    __slots__ = ()

    def __new__(cls, value: float | bool) -> Number:
        """Intern; the type and the sign of zero are part of the identity."""
        return _intern(cls, (type(value).__name__, repr(value), value), ())  # type: ignore[return-value]

    @property
    def value(self) -> float | bool:
        """The number itself."""
        return self._key[3]  # type: ignore[return-value]

    def __reduce__(self) -> tuple[object, ...]:
        return (Number, (self.value,))


class Name(Node):
    """A variable, constant or parameter by its name."""

    __slots__ = ()

    def __new__(cls, id: str) -> Name:
        """Intern."""
        return _intern(cls, (id,), ())  # type: ignore[return-value]

    @property
    def id(self) -> str:
        """The name."""
        return self._key[1]  # type: ignore[return-value]


class _Operation(Node):
    """Common form of what has an operator word and operands."""

    __slots__ = ()

    def __new__(cls, op: str, *operands: Node) -> _Operation:
        """Intern."""
        return _intern(cls, (op, *operands), operands)  # type: ignore[return-value]

    @property
    def op(self) -> str:
        """The operator as the user would type it, or the function's name."""
        return self._key[1]  # type: ignore[return-value]

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        """The same operation on other operands."""
        return self if children == self.children else type(self)(self.op, *children)


class Binary(_Operation):
    """``+ - * / // % **`` on two operands."""

    __slots__ = ()


class Compare(_Operation):
    """``< <= > >= == !=`` on two operands; a truth value."""

    __slots__ = ()


class Logic(_Operation):
    """``and``, ``or`` on two operands; both are evaluated."""

    __slots__ = ()


class Call(_Operation):
    """A function of `rall.functions` (or the user's) on its arguments.

    Parameters
    ----------
    op : str
        Name of the function.
    *operands : Node
        Its arguments.
    occurrence : int or str
        Tells apart calls that look the same and give different values, as the two of ``rand() - rand()`` do.
    """

    __slots__ = ()

    def __new__(cls, op: str, *operands: Node, occurrence: int | str = 0) -> Call:
        """Intern; the occurrence is part of the identity."""
        key = (op, *operands, occurrence) if occurrence else (op, *operands)
        return _intern(cls, key, operands)  # type: ignore[return-value]

    @property
    def occurrence(self) -> int | str:
        """Which of several calls that look the same; 0 for the first."""
        return self._key[-1] if len(self._key) > 2 + len(self.children) else 0  # type: ignore[return-value]

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        """The same call with other arguments."""
        return self if children == self.children else Call(self.op, *children, occurrence=self.occurrence)

    def __reduce__(self) -> tuple[object, ...]:
        return (_call_again, (self.op, self.children, self.occurrence))


def _call_again(op: str, operands: tuple[Node, ...], occurrence: int | str) -> Call:
    return Call(op, *operands, occurrence=occurrence)


class Not(Node):
    """Logical negation."""

    __slots__ = ()

    def __new__(cls, operand: Node) -> Not:
        """Intern."""
        return _intern(cls, (operand,), (operand,))  # type: ignore[return-value]

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        """The same operation on another operand."""
        return Not(*children)


class Select(Node):
    """``yes if condition else no``, both evaluated."""

    __slots__ = ()

    def __new__(cls, condition: Node, yes: Node, no: Node) -> Select:
        """Intern."""
        operands = (condition, yes, no)
        return _intern(cls, operands, operands)  # type: ignore[return-value]

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        """The same choice between other operands."""
        return Select(*children)


_made = WeakValueDictionary()
ZERO, ONE, TWO = Number(0.0), Number(1.0), Number(2.0)
TRUE, FALSE = Number(True), Number(False)


# --- building with the simplifications that never change a value -----------------------------------------


def number(value: float) -> Number:
    """A float literal."""
    return Number(float(value))


def name(id: str) -> Name:
    """A name."""
    return Name(id)


def _is(node: Node, value: float) -> bool:
    return isinstance(node, Number) and not isinstance(node.value, bool) and node.value == value


def _both(a: Node, b: Node) -> tuple[float, float] | None:
    if isinstance(a, Number) and isinstance(b, Number):
        return float(a.value), float(b.value)
    return None


def add(a: Node, b: Node) -> Node:
    """``a + b``."""
    if _is(a, 0):
        return b
    if _is(b, 0):
        return a
    values = _both(a, b)
    return number(values[0] + values[1]) if values else Binary("+", a, b)


def sub(a: Node, b: Node) -> Node:
    """``a - b``."""
    if _is(b, 0):
        return a
    if _is(a, 0):
        return neg(b)
    values = _both(a, b)
    return number(values[0] - values[1]) if values else Binary("-", a, b)


def neg(a: Node) -> Node:
    """``-a``, written as a product with -1."""
    return mul(number(-1.0), a)


def mul(a: Node, b: Node) -> Node:
    """``a * b``; a zero factor gives zero (models have no infinities on purpose)."""
    if _is(a, 0) or _is(b, 0):
        return ZERO
    if _is(a, 1):
        return b
    if _is(b, 1):
        return a
    values = _both(a, b)
    if values:
        return number(values[0] * values[1])
    if isinstance(b, Number) and not isinstance(a, Number):
        return mul(b, a)
    if isinstance(a, Number) and isinstance(b, Binary) and b.op == "*" and isinstance(b.children[0], Number):
        return mul(number(float(a.value) * float(b.children[0].value)), b.children[1])
    return Binary("*", a, b)


def div(a: Node, b: Node) -> Node:
    """``a / b``."""
    if _is(b, 1):
        return a
    if _is(a, 0) and not _is(b, 0):
        return ZERO
    values = _both(a, b)
    return number(values[0] / values[1]) if values and values[1] else Binary("/", a, b)


def power(a: Node, b: Node) -> Node:
    """``a ** b``."""
    if _is(b, 1):
        return a
    if _is(b, 0):
        return ONE
    return Binary("**", a, b)


def integer_power(base: Node, exponent: int) -> Node:
    """``base**exponent`` for a positive integer, by squaring; the squares are shared."""
    result, square = None, base
    while exponent:
        if exponent & 1:
            result = square if result is None else mul(result, square)
        exponent >>= 1
        if exponent:
            square = mul(square, square)
    assert result is not None
    return result


def call(function: str, *arguments: Node) -> Call:
    """``function(arguments)``."""
    return Call(function, *arguments)


def select(condition: Node, yes: Node, no: Node) -> Node:
    """``yes if condition else no``."""
    if isinstance(condition, Number):
        return yes if condition.value else no
    return yes if yes is no else Select(condition, yes, no)
