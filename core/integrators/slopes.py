"""Derivatives of equations, for methods that need them."""

from __future__ import annotations

from rall.functions import BUILTIN, DERIVATIVES, expand
from rall.integrators.base import NotIntegrable
from rall.ir.algebra import derivative
from rall.ir.called import title
from rall.ir.nodes import ZERO, Call, Node
from rall.ir.visit import names, walk

__all__ = ["slope"]


def slope(node: Node, variable: str, what: str, instead: str) -> Node:
    """The derivative of an expression by one of its variables, by its form.

    Parameters
    ----------
    node : Node
        The expression.
    variable : str
        By what.
    what, instead : str
        For the message: which method needs the derivative of what, and what to use in its place.

    Returns
    -------
    Node
        In the units of the expression per unit of the variable.

    Raises
    ------
    NotIntegrable
        If a function depends on the variable whose derivative is not known.
    """
    if variable not in names(node):
        return ZERO
    written = expand(node)
    for part in walk(written):
        if isinstance(part, Call) and part.op not in BUILTIN and variable in names(part):
            raise NotIntegrable(
                f"{what} by '{variable}', and that of {title(part.op)}() is not known; use {instead}"
            )
    return derivative(written, variable, DERIVATIVES)
