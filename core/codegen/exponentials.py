"""Shared exponentials: ``exp(c*x + d)`` with rates c in small integer ratios are powers of one exponential.

Rates of ion channels are full of them (Hodgkin and Huxley 1952: six exponentials, two after this pass).  The
ratio is limited to 8, which keeps the error of a power within about ten roundings.  Rates that open and close in the
same way, ``x/(exp(x) - 1)`` and ``-x/(exp(-x) - 1)``, take one exponential together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from rall.ir.affine import affine, proportional
from rall.ir.nodes import ZERO, Call, Compare, Node, Number, add, call, integer_power, mul, number, select, sub
from rall.ir.visit import map_bottom_up, walk

__all__ = ["MAX_RATIO", "MAX_SHIFT", "share_exponentials"]

Uniform: TypeAlias = Callable[[Node], bool]
MAX_RATIO = 8
#: Largest exponent that the factor between an exponential and the power of its base may have.
MAX_SHIFT = 300.0
_CLOSE = 1e-9


@dataclass(frozen=True)
class _Exponent:
    """``rate * atom + offset`` with the same offset for all elements."""

    atom: Node
    rate: float
    offset: Node


def share_exponentials(values: tuple[Node, ...], uniform: Uniform) -> tuple[Node, ...]:
    """Rewrite the exponentials of a kernel's expressions.

    Parameters
    ----------
    values : tuple of Node
        All expressions of one kernel.
    uniform : callable
        Whether a node has the same value for all elements.
    """
    found: dict[Node, dict[Node, _Exponent]] = defaultdict(dict)
    for value in values:
        for node in walk(value):
            if isinstance(node, Call) and node.op in ("exp", "xoexpm1"):
                exponent = _exponent(node.children[0], uniform)
                if exponent is not None:
                    found[exponent.atom][node] = exponent
    new: dict[Node, Node] = {}
    for group in found.values():
        new.update(_share(group))
    memo: dict[Node, Node] = {}
    return tuple(map_bottom_up(value, lambda node: new.get(node, node), memo) for value in values)


def _exponent(node: Node, uniform: Uniform) -> _Exponent | None:
    form = affine(node)
    moving = [atom for atom in form.atoms if not uniform(atom)]
    if len(moving) != 1:
        return None
    # An atom that holds an exponential itself would change under our feet.
    if any(isinstance(n, Call) for n in walk(moving[0])):
        return None
    return _Exponent(moving[0], form.atoms[moving[0]], form.node(leave_out=moving[0]))


def _share(group: dict[Node, _Exponent]) -> dict[Node, Node]:
    """Replacements for the exponentials of one atom."""
    left = dict(group)
    new: dict[Node, Node] = {}
    # Only a plain exponential can serve as base: an expm1 form has another value.
    plain = (e for n, e in group.items() if isinstance(n, Call) and n.op == "exp")
    bases = sorted(plain, key=lambda e: abs(e.rate))
    for base in bases:
        members = {n: e for n, e in left.items() if _ratio(e, base) and _mild(_shift(e, base))}
        if len(members) < 2 or base not in members.values():
            continue
        power = call("exp", add(mul(number(base.rate), base.atom), base.offset))
        for node, exponent in members.items():
            new[node] = _from_base(node, exponent, base, power)
            del left[node]
    _share_opposites([node for node in group if isinstance(node, Call) and node.op == "xoexpm1"], new)
    return new


def _share_opposites(nodes: list[Call], new: dict[Node, Node]) -> None:
    """Add to the replacements those of ``f(u) = u/(exp(u) - 1)`` and f(-u), of which at most one has got one so far."""
    for one in sorted(nodes, key=lambda node: node not in new):
        u = one.children[0]
        first = new.get(one, call("xoexpm1_shared", u, call("exp", u)))
        other = next((n for n in nodes if n not in new and n is not one and _opposite(u, n.children[0])), None)
        if other is None or not isinstance(first, Call):
            continue
        new[one] = first
        # f(-u) is f(u) + u, which cancels below 0, and f(u) exp(u), which fails where that overflows.
        new[other] = select(Compare(">", u, ZERO), add(first, u), mul(first.children[1], first))


def _opposite(u: Node, w: Node) -> bool:
    """Whether w is -u, to a few roundings."""
    ratio = proportional(affine(u), affine(w))
    return ratio is not None and abs(ratio + 1.0) < _CLOSE


def _ratio(exponent: _Exponent, base: _Exponent) -> int:
    ratio = exponent.rate / base.rate
    whole = round(ratio)
    return whole if 1 <= whole <= MAX_RATIO and abs(ratio - whole) < _CLOSE else 0


def _shift(exponent: _Exponent, base: _Exponent) -> Node:
    """What is left of an exponent when the multiple of the base is taken away."""
    return sub(exponent.offset, mul(number(float(_ratio(exponent, base))), base.offset))


def _mild(shift: Node) -> bool:
    # Beyond, the base could be zero or infinite where the exponential itself is an ordinary number.
    return not isinstance(shift, Number) or abs(float(shift.value)) <= MAX_SHIFT


def _from_base(node: Node, exponent: _Exponent, base: _Exponent, power: Node) -> Node:
    ratio = _ratio(exponent, base)
    shift = _shift(exponent, base)
    factor: Node = number(math.exp(float(shift.value))) if isinstance(shift, Number) else call("exp", shift)
    shared = mul(factor, integer_power(power, ratio))
    if isinstance(node, Call) and node.op == "exp":
        return shared
    argument = add(mul(number(exponent.rate), exponent.atom), exponent.offset)
    return call("xoexpm1_shared", argument, shared)
