"""Linear equations of which some drive others, solved by formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rall.integrators.exponential import flow
from rall.ir.nodes import ZERO, Name, Node, add, call, div, mul, sub

__all__ = ["cascade"]


def cascade(
    matrix: Mapping[str, Mapping[str, Node]], constant: Mapping[str, Node], group: Sequence[str], h: Node
) -> dict[str, Node] | None:
    """Values after `h` of ``x' = A x + b`` where each variable is driven by such as stand alone.

    With ``z' = c z + f`` and ``y' = a y + k z + g``, the deviation of z from its end ``-f/c`` is ``d exp(c t)``, and
    its part in y is the integral ``k d exp(a h) (exp((c - a) h) - 1)/(c - a)``, which `exprel` gives for equal rates
    too.  Coefficients and `h` may differ from element to element and step to step.

    Parameters
    ----------
    matrix : mapping of str to mapping of str to Node
        A by rows; entries that are zero by their form are absent.
    constant : mapping of str to Node
        b.
    group : sequence of str
        The variables.
    h : Node
        The time in seconds.

    Returns
    -------
    dict of str to Node or None
        None if variables drive each other in a circle or over several stages.
    """
    drivers = {v: [u for u in matrix[v] if u != v] for v in group}
    new: dict[str, Node] = {}
    for v in group:
        a, b = matrix[v].get(v, ZERO), constant[v]
        driven: Node = ZERO
        for u in drivers[v]:
            c, f = matrix[u].get(u, ZERO), constant[u]
            if drivers[u] or (c is ZERO and f is not ZERO):
                return None
            end = ZERO if f is ZERO else div(sub(ZERO, f), c)
            deviation = sub(Name(u), end)
            b = add(b, mul(matrix[v][u], end))
            part = mul(mul(matrix[v][u], deviation), mul(h, call("exp", mul(a, h))))
            driven = add(driven, mul(part, call("exprel", mul(sub(c, a), h))))
        new[v] = add(flow(Name(v), a, b, h), driven)
    return new
