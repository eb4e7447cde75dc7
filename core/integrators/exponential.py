"""Exponential methods: exact while all other variables stand still."""

from __future__ import annotations

from rall.integrators.base import AbstractIntegrator, NotIntegrable, Step, System, simultaneous
from rall.integrators.noise import forbid_noise, hold_draws
from rall.ir.algebra import depends, linear_form, negative, nonnegative, terms
from rall.ir.nodes import ZERO, Name, Node, Select, add, call, div, mul, number, select
from rall.ir.visit import names, substitute
from rall.model import Assign

__all__ = ["ExponentialEuler", "ExponentialMidpoint", "flow", "relax"]


def flow(x: Node, a: Node, b: Node, h: Node) -> Node:
    """The value of ``x' = a x + b`` after `h`, with `a` and `b` constant: exact, and defined at ``a = 0``.

    Parameters
    ----------
    x : Node
        The value at the beginning.
    a : Node
        The rate, in 1/second.
    b : Node
        The constant term, in units of x per second.
    h : Node
        The time in seconds.

    Returns
    -------
    Node
        ``x exp(a h) + h b (exp(a h) - 1)/(a h)``.
    """
    if a is ZERO:
        return add(x, mul(h, b))
    rate = mul(a, h)
    return add(mul(x, call("exp", rate)), mul(mul(b, h), call("exprel", rate)))


def relax(x: Node, a: Node, b: Node, h: Node, shared: frozenset[str]) -> Node:
    """The value of ``x' = a x + b`` after `h`, with `a` and `b` constant, to order 4 or better.

    With one rate for all elements the exponential is computed once a step.  Where `a` is provably never
    positive, as in the gates of channels, the exponential is replaced by the inverse of its Taylor polynomial
    of order 4: with ``z = -a h`` and ``P = 1 + z/2 + z**2/6 + z**3/24`` the update ``(x + h b P)/(1 + z P)``
    is a convex combination of x and the steady state, of order 4 in z, and needs neither exponential nor
    steady state. Elsewhere the exponential itself is used, through ``exprel``, which needs no division by a.

    Parameters
    ----------
    x, a, b, h : Node
        As of `flow`.
    shared : frozenset of str
        Names with one value for all elements.

    Returns
    -------
    Node
        The new value.
    """
    if isinstance(a, Select):
        # An equation that is switched off: each case has its own, simpler form.
        condition, *rates = a.children
        sources = b.children[1:] if isinstance(b, Select) and b.children[0] is condition else (b, b)
        yes, no = (relax(x, rate, term, h, shared) for rate, term in zip(rates, sources))
        return select(condition, yes, no)
    if names(a) <= shared:
        return flow(x, a, b, h)
    decay = negative(a)
    if not nonnegative(decay):
        return flow(x, a, b, h)
    # The step goes into each term, where it joins the constants: z and h b share what they have in common.
    z, gain = _distributed(h, decay), _distributed(h, b)
    inner = add(number(0.5), mul(z, add(number(1 / 6), mul(z, number(1 / 24)))))
    p = add(number(1.0), mul(z, inner))
    return div(add(x, mul(gain, p)), add(number(1.0), mul(z, p)))


def _distributed(factor: Node, node: Node) -> Node:
    total: Node = ZERO
    for term in terms(node):
        total = add(total, mul(factor, term))
    return total


def _coefficients(system: System, method: str) -> dict[str, tuple[Node, Node]]:
    forbid_noise(system, method)
    found = {}
    for variable, rhs in system.equations.items():
        form = linear_form(rhs, variable)
        if form is None:
            raise NotIntegrable(
                f"'{method}' needs equations that are linear in their own variable, and that of '{variable}' "
                "is not; use rk4, rk2 or euler"
            )
        found[variable] = form
    return found


class ExponentialEuler(AbstractIntegrator):
    """First order: coefficients are taken at the beginning of the step (Brian's name and behaviour)."""

    name = "exponential_euler"
    order = 1

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        system, draws = hold_draws(system)
        forms = _coefficients(system, self.name)
        new = {v: relax(Name(v), a, b, h, system.shared) for v, (a, b) in forms.items()}
        return Step((*draws, *simultaneous(new)))


class ExponentialMidpoint(AbstractIntegrator):
    """Second order: coefficients are taken at the middle of the step, which a half step predicts.

    Where no coefficient depends on a variable of the system (the gates of channels at a given voltage), both
    are the same and one evaluation serves: the step is as good as `relax`.
    """

    name = "exponential_midpoint"
    order = 2

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        system, draws = hold_draws(system)
        forms = _coefficients(system, self.name)
        half = mul(number(0.5), h)
        # Only what the coefficients depend on needs its value in the middle.
        moved = [v for v in forms if any(depends(c, (v,)) for form in forms.values() for c in form)]
        middle = {v: relax(Name(v), *forms[v], half, system.shared) for v in moved}
        at_middle: dict[str, Node] = {v: Name(f"_middle_{v}") for v in middle}
        if system.time is not None:
            at_middle[system.time] = add(Name(system.time), half)
        new = {}
        for v, (a, b) in forms.items():
            new[v] = relax(Name(v), substitute(a, at_middle), substitute(b, at_middle), h, system.shared)
        halves = (Assign(f"_middle_{v}", value) for v, value in middle.items())
        return Step((*draws, *halves, *simultaneous(new)))
