"""Which values of a kernel become temporaries, and in which order: the part that all printers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

from rall.codegen.kernel import Kernel
from rall.ir.called import Called
from rall.ir.nodes import Call, Name, Node, Number
from rall.ir.visit import names, walk

__all__ = ["Plan", "plan", "plan_values"]


@dataclass(frozen=True)
class Plan:
    """Order of evaluation.

    Parameters
    ----------
    uniform : tuple of Node
        Values that all elements share, computed before the loop.
    varying : tuple of Node
        Values of an element that are used more than once.
    """

    uniform: tuple[Node, ...]
    varying: tuple[Node, ...]


def plan(kernel: Kernel) -> Plan:
    """Choose the temporaries of a kernel: uniform values on the border to varying ones, and repeated values."""
    values = [store.value for store in kernel.stores]
    return plan_values(values, kernel.shared, _own_of_each(kernel, list(walk(values))))


def plan_values(values: Sequence[Node], shared: Set[str], own: Set[Node] = frozenset()) -> Plan:
    """Choose the temporaries of several expressions.

    Parameters
    ----------
    values : sequence of Node
        The expressions.
    shared : set of str
        Names whose values are the same wherever the expressions are computed.
    own : set of Node
        Values that are not, though nothing in them says so.
    """
    uses: Counter[Node] = Counter(values)
    order = list(walk(values))
    for node in order:
        uses.update(node.children)
    fixed = {node for node in order if names(node) <= shared and node not in own}
    border = set(values) & fixed
    for node in order:
        if node not in fixed:
            border.update(child for child in node.children if child in fixed)
    leaf = (Name, Number)
    uniform = [n for n in order if n in fixed and not isinstance(n, leaf) and (n in border or uses[n] > 1)]
    varying = [n for n in order if n not in fixed and not isinstance(n, leaf) and uses[n] > 1]
    return Plan(tuple(uniform), tuple(varying))


def _own_of_each(kernel: Kernel, order: list[Node]) -> set[Node]:
    """Values that differ between elements though nothing in them says so: those of a user's stateful function."""
    for_all = set(walk([store.value for store in kernel.stores if store.role in kernel.shared]))
    own: set[Node] = set()
    for node in order:
        drawn = isinstance(node, Call) and isinstance(node.op, Called) and node.op.stateful
        if node not in for_all and (drawn or any(child in own for child in node.children)):
            own.add(node)
    return own
