"""Affine forms and products: the normal forms that the passes compare expressions by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from rall.ir.nodes import ONE, Binary, Call, Compare, Logic, Node, Not, Number, Select, add, div, mul, number
from rall.ir.visit import names

__all__ = ["Affine", "Product", "affine", "difference", "nonnegative", "product", "proportional"]

Uniform: TypeAlias = Callable[[Node], bool]
#: Coefficients that agree to this relative precision count as equal: a few roundings of the user's literals.
TOLERANCE = 1e-12
_NONNEGATIVE_CALLS = {"exp", "exprel", "xoexpm1", "xoexpm1_shared", "abs", "sqrt"}


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
        Nodes that are taken whole because others need their value too; but for a quotient that is divided by: to
        multiply by its inverse takes one division too, and often none.

    Returns
    -------
    Product
        Without factors that stand above and below.
    """
    coefficient = 1.0
    above: list[Node] = []
    below: list[Node] = []
    todo = [(node, True)]
    while todo:
        item, up = todo.pop()
        quotient = isinstance(item, Binary) and item.op == "/"
        if item in closed and item is not node and (up or not quotient):
            (above if up else below).append(item)
        elif isinstance(item, Number) and float(item.value) != 0.0:
            coefficient = coefficient * float(item.value) if up else coefficient / float(item.value)
        elif isinstance(item, Binary) and item.op == "*":
            todo += [(item.children[1], up), (item.children[0], up)]
        elif isinstance(item, Binary) and item.op == "/":
            todo += [(item.children[1], not up), (item.children[0], up)]
        else:
            (above if up else below).append(item)
    for factor in [factor for factor in below if factor in above]:
        if factor in above:
            above.remove(factor)
            below.remove(factor)
    return Product(coefficient, tuple(above), tuple(below))


def difference(node: Node) -> tuple[float, Node] | None:
    """(sign, u) where `node` is ``sign * (exp(u) - 1)``.

    Parameters
    ----------
    node : Node
        Any expression.
    """
    if isinstance(node, Call) and node.op == "expm1":
        return 1.0, node.children[0]
    if not (isinstance(node, Binary) and node.op in "+-"):
        return None
    left, right = node.children
    if _is_exp(left) and ((node.op == "-" and _is(right, 1)) or (node.op == "+" and _is(right, -1))):
        return 1.0, left.children[0]
    if _is_exp(right) and node.op == "-" and _is(left, 1):
        return -1.0, right.children[0]
    if _is_exp(right) and node.op == "+" and _is(left, -1):
        return 1.0, right.children[0]
    if _minus_exp(right) and node.op == "+" and _is(left, 1):
        return -1.0, right.children[1].children[0]
    if _minus_exp(left) and node.op == "+" and _is(right, 1):
        return -1.0, left.children[1].children[0]
    return None


def _is(node: Node, value: float) -> bool:
    return isinstance(node, Number) and float(node.value) == value


def _is_exp(node: Node) -> bool:
    return isinstance(node, Call) and node.op == "exp"


def _minus_exp(node: Node) -> bool:
    """``-1 * exp(u)``, as a leading minus is kept."""
    return (
        isinstance(node, Binary)
        and node.op == "*"
        and _is(node.children[0], -1)
        and _is_exp(node.children[1])
    )


def nonnegative(node: Node) -> bool:
    """Whether the form of `node` proves that it is never below zero (NaN apart).

    Quotients of x and ``exp(u) - 1`` with x proportional to u have one sign, as both factors change it together: the
    rates of many channels are of this form.

    Parameters
    ----------
    node : Node
        Any expression.
    """
    if isinstance(node, Number):
        return float(node.value) >= 0.0
    if isinstance(node, (Compare, Logic, Not)):
        return True
    if isinstance(node, Select):
        return nonnegative(node.children[1]) and nonnegative(node.children[2])
    if isinstance(node, Call):
        return node.op in _NONNEGATIVE_CALLS or (
            node.op in ("min", "max", "int", "floor", "ceil") and all(map(nonnegative, node.children))
        )
    if not isinstance(node, Binary):
        return False
    left, right = node.children
    if node.op == "**":
        return (isinstance(right, Number) and float(right.value) % 2 == 0) or nonnegative(left)
    if node.op == "+":
        return nonnegative(left) and nonnegative(right)
    if node.op in "*/":
        square = node.op == "*" and left is right
        return square or (nonnegative(left) and nonnegative(right)) or _positive_product(product(node))
    return False


def _positive_product(form: Product) -> bool:
    """Whether the factors of a product that may change their sign do so in pairs."""
    coefficient = form.coefficient
    rest = {True: list(form.above), False: list(form.below)}
    for up in (True, False):
        for factor in list(rest[up]):
            found = difference(factor)
            if found is None:
                continue
            core = affine(found[1])
            ratios = [(proportional(affine(other), core), other) for other in rest[not up]]
            match = next(((ratio, other) for ratio, other in ratios if ratio is not None), None)
            if match is not None:
                coefficient *= found[0] * match[0]
                rest[up].remove(factor)
                rest[not up].remove(match[1])
    return coefficient >= 0.0 and all(map(nonnegative, [*rest[True], *rest[False]]))
