"""Affine forms and products: the normal forms that the passes compare expressions by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from rall.ir.nodes import ONE, Binary, Node, Number, add, div, mul, number
from rall.ir.visit import names

__all__ = ["Affine", "Product", "affine", "product", "proportional"]

Uniform: TypeAlias = Callable[[Node], bool]
#: Coefficients that agree to this relative precision count as equal: a few roundings of the user's literals.
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Affine:
    """``sum(coefficient * atom) + constant`` with numeric coefficients."""

    atoms: dict[Node, float]
    constant: float

    def node(self, leave_out: Node | None = None) -> Node:
        """Back to an expression, optionally without one atom."""
        total: Node = number(self.constant)
        for atom, coefficient in self.atoms.items():
            if atom is not leave_out:
                total = add(mul(number(coefficient), atom), total)
        return total


def affine(node: Node) -> Affine:
    """Collect sums, differences and numeric factors of `node`; everything else becomes an atom."""
    if isinstance(node, Number):
        return Affine({}, float(node.value))
    if isinstance(node, Binary):
        left, right = node.children
        # Without a look at both sides: what methods of many stages hand in shares so much that a walk would not end.
        if (node.op == "*" and names(left) and names(right)) or (node.op == "/" and names(right)):
            return Affine({node: 1.0}, 0.0)
        if node.op in "+-":
            a, b = affine(left), affine(right)
            sign = 1.0 if node.op == "+" else -1.0
            atoms = dict(a.atoms)
            for atom, coefficient in b.atoms.items():
                atoms[atom] = atoms.get(atom, 0.0) + sign * coefficient
            atoms = {atom: c for atom, c in atoms.items() if c != 0.0}
            return Affine(atoms, a.constant + sign * b.constant)
        if node.op == "*":
            a, b = affine(left), affine(right)
            if not a.atoms:
                return _scaled(b, a.constant)
            if not b.atoms:
                return _scaled(a, b.constant)
        if node.op == "/":
            a, b = affine(left), affine(right)
            if not b.atoms and b.constant:
                return Affine({n: c / b.constant for n, c in a.atoms.items()}, a.constant / b.constant)
    return Affine({node: 1.0}, 0.0)


def _scaled(form: Affine, factor: float) -> Affine:
    return Affine({n: c * factor for n, c in form.atoms.items()}, form.constant * factor)


def proportional(a: Affine, b: Affine) -> float | None:
    """The factor c with ``a = c * b``, or None."""
    if not a.atoms or a.atoms.keys() != b.atoms.keys():
        return None
    first = next(iter(a.atoms))
    factor = a.atoms[first] / b.atoms[first]
    pairs = [(a.atoms[n], factor * b.atoms[n]) for n in a.atoms] + [(a.constant, factor * b.constant)]
    close = all(abs(x - y) <= TOLERANCE * max(abs(x), abs(y)) for x, y in pairs)
    return factor if close else None


@dataclass(frozen=True)
class Product:
    """``coefficient * product(above) / product(below)``, factors in reading order."""

    coefficient: float
    above: tuple[Node, ...]
    below: tuple[Node, ...]

    def node(self, uniform: Uniform) -> Node:
        """Back to an expression: one factor that is the same for all elements, then the others.

        Divisors that are the same for all elements become part of that factor, so that a kernel divides once a
        step instead of once an element.
        """
        fixed: Node = number(self.coefficient)
        for factor in self.above:
            fixed = mul(fixed, factor) if uniform(factor) else fixed
        for factor in self.below:
            fixed = div(fixed, factor) if uniform(factor) else fixed
        above = [f for f in self.above if not uniform(f)]
        below = [f for f in self.below if not uniform(f)]
        moving: Node = ONE
        for factor in above:
            moving = mul(moving, factor)
        if not below:
            return mul(fixed, moving)
        divisor = below[0]
        for factor in below[1:]:
            divisor = mul(divisor, factor)
        # The uniform factor goes above the fraction: 1/x costs what a/x costs.
        return div(mul(fixed, moving), divisor)


def product(node: Node, closed: Collection[Node] = ()) -> Product:
    """Flatten the products and quotients at the top of `node`.

    Parameters
    ----------
    node : Node
        The expression.
    closed : collection of Node
        Nodes that are taken whole because others need their value too.
    """
    coefficient = 1.0
    above: list[Node] = []
    below: list[Node] = []
    todo = [(node, True)]
    while todo:
        item, up = todo.pop()
        if item in closed and item is not node:
            (above if up else below).append(item)
        elif isinstance(item, Number) and float(item.value) != 0.0:
            coefficient = coefficient * float(item.value) if up else coefficient / float(item.value)
        elif isinstance(item, Binary) and item.op == "*":
            todo += [(item.children[1], up), (item.children[0], up)]
        elif isinstance(item, Binary) and item.op == "/":
            todo += [(item.children[1], not up), (item.children[0], up)]
        else:
            (above if up else below).append(item)
    return Product(coefficient, tuple(above), tuple(below))
