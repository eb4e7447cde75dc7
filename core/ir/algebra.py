"""Algebra on expressions: dependence, linear form, derivative, sign.

All functions are pure and work on the shared, immutable tree of `rall.ir.nodes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from rall.ir.nodes import (
    ONE,
    ZERO,
    Binary,
    Call,
    Compare,
    Logic,
    Name,
    Node,
    Not,
    Number,
    Select,
    add,
    div,
    mul,
    neg,
    number,
    power,
    select,
    sub,
)
from rall.ir.visit import names

__all__ = ["DerivativeRules", "depends", "derivative", "distributed", "linear_form", "negative", "terms"]

DerivativeRules: TypeAlias = Mapping[str, Callable[..., tuple[Node, ...]]]
LinearForm: TypeAlias = tuple[Node, Node]


def depends(node: Node, variables: Iterable[str]) -> bool:
    """Whether any of the names occurs in `node`."""
    return not names(node).isdisjoint(variables)


def terms(node: Node) -> list[Node]:
    """The summands of a sum or difference, signs included, in reading order."""
    todo, found = [(node, 1.0)], []
    while todo:
        item, sign = todo.pop()
        if isinstance(item, Binary) and item.op in "+-":
            left, right = item.children
            todo += [(right, sign if item.op == "+" else -sign), (left, sign)]
        else:
            found.append(item if sign > 0 else neg(item))
    return found


def distributed(factor: Node, node: Node) -> Node:
    """``factor * node`` with the factor in each term, where it joins the constants that stand there."""
    total: Node = ZERO
    for term in terms(node):
        total = add(total, mul(factor, term))
    return total


def negative(node: Node) -> Node:
    """``-node`` with the sign carried into sums and existing signs removed."""
    if isinstance(node, Number):
        return number(-float(node.value)) if node.value else ZERO
    if isinstance(node, Binary):
        left, right = node.children
        if node.op == "+":
            return add(negative(left), negative(right))
        if node.op == "-":
            # -(-a - b) is b + a: the form in which signs can be seen.
            return add(right, negative(left)) if _signed(left) else sub(right, left)
        if node.op in "*/" and isinstance(left, Number):
            head = number(-float(left.value))
            return mul(head, right) if node.op == "*" else div(head, right)
        if node.op in "*/" and isinstance(left, Binary) and left.op in "*/":
            inner = negative(left)
            return mul(inner, right) if node.op == "*" else div(inner, right)
    return neg(node)


def _signed(node: Node) -> bool:
    """Whether all terms carry a minus sign."""
    if isinstance(node, Number):
        return float(node.value) < 0.0
    if isinstance(node, Binary):
        left, right = node.children
        if node.op in "*/":
            return _signed(left)
        if node.op in "+-":
            return _signed(left) and _signed(right) == (node.op == "+")
    return False


def linear_form(node: Node, x: str) -> LinearForm | None:
    """Write `node` as ``a*x + b`` with `a` and `b` free of `x`.

    Parameters
    ----------
    node : Node
        The expression.
    x : str
        The variable.

    Returns
    -------
    (Node, Node) or None
        `a` and `b`; None where the expression is not linear by its form.
    """
    if x not in names(node):
        return ZERO, node
    if isinstance(node, Name):
        return ONE, ZERO
    if isinstance(node, Select) and x not in names(node.children[0]):
        condition, yes, no = node.children
        one, other = linear_form(yes, x), linear_form(no, x)
        if one is None or other is None:
            return None
        return select(condition, one[0], other[0]), select(condition, one[1], other[1])
    if not isinstance(node, Binary):
        return None
    left, right = (linear_form(child, x) for child in node.children)
    if left is None or right is None:
        return None
    if node.op == "+":
        return add(left[0], right[0]), add(left[1], right[1])
    if node.op == "-":
        return _minus(left[0], right[0]), _minus(left[1], right[1])
    if node.op == "*" and left[0] is ZERO:
        return mul(left[1], right[0]), mul(left[1], right[1])
    if node.op == "*" and right[0] is ZERO:
        return mul(left[0], right[1]), mul(left[1], right[1])
    if node.op == "/" and right[0] is ZERO:
        return div(left[0], right[1]), div(left[1], right[1])
    return None


def _minus(a: Node, b: Node) -> Node:
    return negative(b) if a is ZERO else sub(a, b)


def derivative(node: Node, x: str, rules: DerivativeRules) -> Node:
    """The derivative of `node` by `x`.

    Parameters
    ----------
    node : Node
        The expression.
    x : str
        The variable.
    rules : mapping
        From a function's name to a callable that takes the arguments and gives the partial derivatives.
        Functions without a rule, comparisons and truth values count as piecewise constant.
    """
    memo: dict[Node, Node] = {}

    def walk(item: Node) -> Node:
        if x not in names(item):
            return ZERO
        if item not in memo:
            memo[item] = _derive(item, x, rules, walk)
        return memo[item]

    return walk(node)


def _derive(node: Node, x: str, rules: DerivativeRules, walk: Callable[[Node], Node]) -> Node:
    if isinstance(node, Name):
        return ONE
    if isinstance(node, (Compare, Logic, Not)):
        return ZERO
    if isinstance(node, Select):
        return select(node.children[0], walk(node.children[1]), walk(node.children[2]))
    if isinstance(node, Call):
        if node.op not in rules:
            return ZERO
        total: Node = ZERO
        for partial, argument in zip(rules[node.op](*node.children), node.children):
            total = add(total, mul(partial, walk(argument)))
        return total
    assert isinstance(node, Binary)
    left, right = node.children
    return _derive_binary(node.op, left, right, (walk(left), walk(right)))


def _derive_binary(op: str, a: Node, b: Node, slopes: tuple[Node, Node]) -> Node:
    da, db = slopes
    if op == "+":
        return add(da, db)
    if op == "-":
        return _minus(da, db)
    if op == "*":
        return add(mul(da, b), mul(a, db))
    if op == "/":
        return _minus(div(da, b), div(mul(a, db), mul(b, b)))
    if op == "**":
        base = mul(mul(b, power(a, sub(b, ONE))), da)
        if db is ZERO:
            return base
        return add(base, mul(mul(power(a, b), Call("log", a)), db))
    if op == "%":
        return _minus(da, mul(Binary("//", a, b), db))
    return ZERO  # // is piecewise constant
