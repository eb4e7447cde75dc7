"""Which equations belong together in an implicit step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rall.integrators.base import System
from rall.integrators.conservation import rates
from rall.integrators.order import in_order
from rall.ir.algebra import depends, linear_form
from rall.ir.nodes import ZERO, Node
from rall.ir.visit import names

__all__ = ["Linear", "blocks", "linear"]


@dataclass(frozen=True)
class Linear:
    """Equations ``x' = A x + b`` with A and b free of x; absent entries of `matrix` are zero by their form."""

    matrix: Mapping[str, Mapping[str, Node]]
    constant: Mapping[str, Node]


def linear(equations: Mapping[str, Node]) -> Linear | None:
    """Equations as linear ones.

    Parameters
    ----------
    equations : mapping of str to Node
        From variable to right-hand side.

    Returns
    -------
    Linear or None
        None if they are not linear by their form.
    """
    matrix: dict[str, dict[str, Node]] = {}
    constant: dict[str, Node] = {}
    for variable, rhs in equations.items():
        matrix[variable], rest = {}, rhs
        for other in equations:
            form = linear_form(rest, other)
            if form is None or depends(form[0], equations):
                return None
            if form[0] is not ZERO:
                matrix[variable][other] = form[0]
            rest = form[1]
        constant[variable] = rest
    return Linear(matrix, constant)


def blocks(system: System) -> list[tuple[str, ...]]:
    """The variables that are to be integrated implicitly, in groups that must be together.

    Two variables belong together if one rate changes both, as a reaction does, or if each depends on the other,
    directly or through others.  A variable that is alone and linear in itself needs no implicit method, since it has an
    exponential, and is not among them.

    Parameters
    ----------
    system : System
        The equations; `System.implicit` says which.

    Returns
    -------
    list of tuple of str
        In the order of the equations.
    """
    variables = [v for v in system.equations if v in system.implicit]
    groups = _joined([(v,) for v in variables], _shared(system.equations, variables))
    owner = {v: group for group in groups for v in group}
    read = {group: frozenset().union(*(names(system.equations[v]) for v in group)) for group in groups}
    reads = {group: {owner[u] for u in read[group] & owner.keys()} - {group} for group in groups}
    together = _joined(groups, [(circle[0][0], other[0]) for circle in in_order(reads) for other in circle[1:]])
    return [g for g in together if len(g) > 1 or linear_form(system.equations[g[0]], g[0]) is None]


def _shared(equations: Mapping[str, Node], variables: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of variables that one rate changes."""
    first: dict[object, str] = {}
    pairs = []
    for v in variables:
        for rate in rates(equations[v]):
            pairs.append((first.setdefault(rate, v), v))
    return pairs


def _joined(groups: Sequence[tuple[str, ...]], pairs: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Groups, those that a pair connects put together."""
    of: dict[str, list[str]] = {}
    for group in groups:
        members = list(group)
        of.update({v: members for v in members})
    for a, b in pairs:
        if of[a] is not of[b]:
            whole = of[a] + of[b]
            of.update({v: whole for v in whole})
    order = list(of)
    return list(dict.fromkeys(tuple(sorted(group, key=order.index)) for group in of.values()))
