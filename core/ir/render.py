"""Tree to text, as a user would write it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rall.ir.called import title
from rall.ir.nodes import Binary, Call, Compare, Logic, Name, Node, Not, Number, Select
from rall.ir.visit import walk

__all__ = ["render"]

# Binding powers, weakest first, as in `rall.ir.parse`.
_CONDITIONAL, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(10, 110, 10)
_BINARY = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT, "%": _PRODUCT, "**": _POWER}
_TIGHT = frozenset(("*", "/", "//", "%", "**"))
_Text = tuple[str, int]


def render(node: Node, names: Mapping[str, str] | None = None) -> str:
    """The expression as text that parses to the same tree.

    Parameters
    ----------
    node : Node
        The tree.
    names : mapping of str to str, optional
        What to write for some of the names (put in parentheses by the caller where that is needed).

    Returns
    -------
    str
        With no more parentheses than needed; products without spaces around the operator.  Calls that draw are
        told apart by their order alone once the text is parsed again.
    """
    shown = names or {}
    done: dict[Node, _Text] = {}
    for part in walk(node):
        done[part] = _write(part, [done[child] for child in part.children], shown)
    return done[node][0]


def _write(node: Node, parts: list[_Text], names: Mapping[str, str]) -> _Text:
    if isinstance(node, Number):
        return _number(node.value)
    if isinstance(node, Name):
        return names.get(node.id, node.id), _ATOM
    if isinstance(node, Call):
        return f"{title(node.op)}({', '.join(text for text, _ in parts)})", _ATOM
    if isinstance(node, Binary):
        return _binary(node, parts)
    if isinstance(node, Compare):
        left, right = (_wrap(part, _COMPARE + 1) for part in parts)
        return f"{left} {node.op} {right}", _COMPARE
    if isinstance(node, Logic):
        power = _OR if node.op == "or" else _AND
        return f"{_wrap(parts[0], power)} {node.op} {_wrap(parts[1], power + 1)}", power
    if isinstance(node, Not):
        return f"not {_wrap(parts[0], _NOT)}", _NOT
    if isinstance(node, Select):
        condition, yes, no = parts
        choice = f"{_wrap(yes, _CONDITIONAL + 1)} if {_wrap(condition, _CONDITIONAL + 1)}"
        return f"{choice} else {_wrap(no, _CONDITIONAL)}", _CONDITIONAL
    raise TypeError(f"a node of kind {type(node).__name__} has no text")


def _binary(node: Binary, parts: list[_Text]) -> _Text:
    first = node.children[0]
    if (
        node.op == "*"
        and isinstance(first, Number)
        and first.value == -1
        and not isinstance(first.value, bool)
    ):
        return f"-{_wrap(parts[1], _UNARY + 1)}", _UNARY
    power = _BINARY[node.op]
    if node.op == "**":
        return f"{_wrap(parts[0], _POWER + 1)}**{_wrap(parts[1], _UNARY)}", power
    space = "" if node.op in _TIGHT else " "
    return f"{_wrap(parts[0], power)}{space}{node.op}{space}{_wrap(parts[1], power + 1)}", power


def _wrap(part: _Text, power: int) -> str:
    return part[0] if part[1] >= power else f"({part[0]})"


def _number(value: float | bool) -> _Text:
    if isinstance(value, float) and not math.isfinite(value):
        return ("inf", _ATOM) if value > 0 else ("-inf", _UNARY) if value < 0 else ("(inf - inf)", _ATOM)
    text = repr(value)
    return text, _UNARY if text.startswith("-") else _ATOM
