"""Rewrites of kernels before any device sees them, so that every device computes the same formulas.

In order: removable singularities, powers, uniform factors, shared exponentials.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import TypeAlias

from rall.codegen.exponentials import share_exponentials
from rall.codegen.kernel import Kernel
from rall.ir.affine import Product, affine, difference, product, proportional
from rall.ir.nodes import ONE, Binary, Call, Node, Number, call, div, integer_power, mul
from rall.ir.visit import names, walk
from rall.options import Options

__all__ = ["optimise"]

Uniform: TypeAlias = Callable[[Node], bool]


def optimise(kernel: Kernel, options: Options) -> Kernel:
    """All rewrites in their order.

    Parameters
    ----------
    kernel : Kernel
        As lowered.
    options : Options
        `share_exponentials` switches that pass off.
    """
    shared = kernel.shared
    known: dict[Node, bool] = {}

    def uniform(node: Node) -> bool:
        if node not in known:
            known[node] = names(node) <= shared
        return known[node]

    values = tuple(store.value for store in kernel.stores)
    uses = Counter(values)
    for node in walk(values):
        uses.update(node.children)
    closed: set[Node] = set()
    done: dict[Node, Node] = {}
    for node in walk(values):
        new = _rewrite(node.rebuild(tuple(done[c] for c in node.children)), uniform, closed, options.share_exponentials)
        done[node] = new
        if uses[node] > 1 or node in kernel.whole:
            closed.add(new)
    values = tuple(done[v] for v in values)
    if options.share_exponentials:
        values = share_exponentials(values, uniform)
    return kernel.replace(values)


def _rewrite(node: Node, uniform: Uniform, closed: Collection[Node], loose: bool) -> Node:
    if isinstance(node, Binary) and node.op in "*/":
        return _singularity(product(node, closed), uniform).node(uniform)
    if isinstance(node, Binary) and node.op == "**":
        return _power(node.children[0], node.children[1], loose)
    return node


def _power(base: Node, exponent: Node, loose: bool) -> Node:
    """Small integer powers as products, halves as roots; others through a logarithm if 1e-13 is near enough."""
    if isinstance(exponent, Number):
        value = float(exponent.value)
        if value == 0.0:
            return ONE
        if value.is_integer() and 1 <= abs(value) <= 16:
            whole = integer_power(base, int(abs(value)))
            return whole if value > 0 else div(ONE, whole)
        if value == 0.5:
            return call("sqrt", base)
        if loose and not value.is_integer():
            # Twice as fast; off by 1e-16 times the exponent of the result, which is below 710 where that is finite.
            return call("exp", mul(exponent, call("log", base)))
    return Binary("**", base, exponent)


# --- removable singularities ------------------------------------------------------------------------------


def _singularity(form: Product, uniform: Uniform) -> Product:
    """Replace ``x/(exp(u) - 1)`` and ``(exp(u) - 1)/x`` with x proportional to u, and ``1/exprel(u)``."""
    above, below, coefficient = list(form.above), list(form.below), form.coefficient
    for k, factor in enumerate(below):
        if isinstance(factor, Call) and factor.op == "exprel":
            below[k] = ONE
            above.append(call("xoexpm1", *factor.children))
    for source, target, function in ((below, above, "xoexpm1"), (above, below, "exprel")):
        for k, factor in enumerate(source):
            found = difference(factor)
            match = _matching(found[1], target, uniform) if found else None
            if found is None or match is None:
                continue
            place, ratio, fixed = match
            # x = ratio * fixed * u, so the quotient is ratio * fixed * (u/(e^u - 1)) or its inverse.
            source[k] = ONE
            target[place] = ONE
            scale = found[0] * ratio
            coefficient = coefficient * scale if function == "xoexpm1" else coefficient / scale
            target.extend(fixed.above)
            source.extend(fixed.below)
            above.append(call(function, found[1]))
    kept = (tuple(f for f in factors if f is not ONE) for factors in (above, below))
    return Product(coefficient, *kept)


def _matching(u: Node, factors: list[Node], uniform: Uniform) -> tuple[int, float, Product] | None:
    """Which factor is proportional to u: its place, the number and the uniform factors between them."""
    inner = product(u)
    moving = [f for f in inner.above if not uniform(f)]
    if len(moving) == 1 and not any(not uniform(f) for f in inner.below):
        core = affine(moving[0])
        rest = Product(1.0, inner.below, tuple(f for f in inner.above if uniform(f)))
        coefficient = inner.coefficient
    else:
        core, rest, coefficient = affine(u), Product(1.0, (), ()), 1.0
    for place, factor in enumerate(factors):
        if uniform(factor):
            continue
        ratio = proportional(affine(factor), core)
        if ratio is not None:
            return place, ratio / coefficient, rest
    return None
