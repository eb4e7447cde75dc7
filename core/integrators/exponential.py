"""Exponential methods: exact while all other variables stand still."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from rall.functions import expand
from rall.integrators.base import AbstractIntegrator, NotIntegrable, Step, System, simultaneous
from rall.integrators.noise import forbid_noise, hold_draws
from rall.integrators.order import in_order
from rall.integrators.slopes import slope
from rall.ir.affine import nonnegative
from rall.ir.algebra import depends, distributed, linear_form, negative
from rall.ir.nodes import ZERO, Name, Node, Select, add, call, div, mul, number, select, sub
from rall.ir.visit import names, substitute
from rall.model import Assign

__all__ = ["ExponentialEuler", "ExponentialMidpoint", "Strang", "flow", "relax"]


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
    return _relaxed(x, (a, b, h), shared, _TAYLOR)


#: Coefficients behind the 1 of P in ``(x + h b P)/(1 + z P)``: Taylor's of the exponential, and those with which that
#: is ``1 - z + z**2/2 - z**3/4`` for small z, as in the trapezoidal rule, and ``1 + z P`` has no real zero.
_TAYLOR, _TRAPEZOIDAL = (1 / 2, 1 / 6, 1 / 24), (1 / 2, 1 / 4, 1 / 8)


def _relaxed(
    x: Node, form: tuple[Node, Node, Node], shared: frozenset[str], coefficients: tuple[float, ...]
) -> Node:
    """``x' = a x + b`` after h by a rational function, or by the exponential where that serves all elements."""
    a, b, h = form
    if isinstance(a, Select):
        # An equation that is switched off: each case has its own, simpler form.
        condition, *rates = a.children
        sources = b.children[1:] if isinstance(b, Select) and b.children[0] is condition else (b, b)
        yes, no = (_relaxed(x, (rate, term, h), shared, coefficients) for rate, term in zip(rates, sources))
        return select(condition, yes, no)
    if names(a) <= shared:
        return flow(x, a, b, h)
    decay = negative(a)
    if coefficients is _TAYLOR and not nonnegative(decay):
        return flow(x, a, b, h)
    # The step goes into each term, where it joins the constants: z and h b share what they have in common.
    z, gain = distributed(h, decay), distributed(h, b)
    p: Node = number(coefficients[-1])
    for coefficient in (*coefficients[-2::-1], 1.0):
        p = add(number(coefficient), mul(z, p))
    return div(add(x, mul(gain, p)), add(number(1.0), mul(z, p)))



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
        held: list[Assign] = []
        try:
            forms = _coefficients(system, self.name)
        except NotIntegrable:
            if system.held is None:
                raise
            # As in Brian 2: what has a name counts as a coefficient, even if it depends on the variable itself.
            subexpressions, equations = system.held()
            system = replace(system, equations=equations)
            held = [Assign(name, node) for name, node in subexpressions.items()]
        system, draws = hold_draws(system)
        forms = _coefficients(system, self.name)
        draws = [*held, *draws]
        new = {v: self._moved(Name(v), (a, b), h, system.shared) for v, (a, b) in forms.items()}
        return Step((*draws, *simultaneous(new)))

    @staticmethod
    def _moved(x: Node, form: tuple[Node, Node], h: Node, shared: frozenset[str]) -> Node:
        """The exponential itself: steps are as long here as users of this method have chosen them for it."""
        a, b = form
        if isinstance(a, Select) or names(a) <= shared:
            return relax(x, a, b, h, shared)
        # One function instead of the two of `flow`.
        return add(x, mul(mul(h, add(mul(a, x), b)), call("exprel", mul(a, h))))


class ExponentialMidpoint(AbstractIntegrator):
    """Second order: coefficients are taken at the middle of the step.

    Variables are advanced one after the other, each after those that its coefficients depend on: these are taken half
    way between their old and new values, or where their own half step leads.  Where variables depend on each other, a
    half step predicts their values in the middle.  Where no coefficient depends on a variable of the system (the gates
    of channels at a given voltage) one evaluation serves, and the step is as good as `relax`.  An equation that is not
    linear in its own variable, such as that of calcium whose current depends on its Nernst potential, is taken along
    its tangent (the exponential Rosenbrock-Euler method, of order two: Hochbruck & Ostermann, Acta Numerica 19:209,
    2010, section 2.3).
    """

    name = "exponential_midpoint"
    order = 2

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        system, draws = hold_draws(system)
        forbid_noise(system, self.name)
        half = mul(number(0.5), h)
        forms = {v: linear_form(rhs, v) for v, rhs in system.equations.items()}
        moves = {v: _move(rhs, v, forms[v], system.shared) for v, rhs in system.equations.items()}
        alike = {v for v, form in forms.items() if form is not None and names(form[0]) <= system.shared}
        needs = {v: [u for u in moves if u != v and depends(rhs, (u,))] for v, rhs in system.equations.items()}
        read = {u for others in needs.values() for u in others}
        middle: dict[str, Node] = {} if system.time is None else {system.time: add(Name(system.time), half)}
        statements: list[Assign] = [*draws]
        for cycle in in_order(needs):
            if len(cycle) > 1:
                statements += [Assign(f"_middle_{v}", moves[v](half, middle)) for v in cycle]
                middle.update({v: Name(f"_middle_{v}") for v in cycle})
            statements += [Assign(f"_new_{v}", moves[v](h, middle)) for v in cycle]
            if len(cycle) > 1 or cycle[0] not in read:
                continue
            (v,) = cycle
            if v in alike:
                # With one rate for all elements a half step costs next to nothing and is nearer than the mean.
                statements.append(Assign(f"_middle_{v}", moves[v](half, middle)))
                middle[v] = Name(f"_middle_{v}")
            else:
                middle[v] = mul(number(0.5), add(Name(v), Name(f"_new_{v}")))
        return Step((*statements, *(Assign(v, Name(f"_new_{v}")) for v in moves)))


#: From a length of time, and what names are to be replaced by, to the new value of a variable.
_Move: TypeAlias = Callable[[Node, Mapping[str, Node]], Node]


def _move(rhs: Node, variable: str, form: tuple[Node, Node] | None, shared: frozenset[str]) -> _Move:
    """How a variable is advanced while all others stand still, from its equation and the linear form of that."""
    if form is not None:
        a, b = form
        return lambda h, at: relax(Name(variable), substitute(a, at), substitute(b, at), h, shared)
    what = f"'{ExponentialMidpoint.name}' needs the derivative of the equation of '{variable}'"
    tangent, whole = slope(rhs, variable, what, "rk4, rk2 or euler"), expand(rhs)

    def along(h: Node, at: Mapping[str, Node]) -> Node:
        x = at.get(variable, Name(variable))
        rate, change = substitute(tangent, at), substitute(whole, at)
        if variable in at:  # touched elsewhere than where the step begins
            change = add(change, mul(rate, sub(Name(variable), x)))
        return add(Name(variable), mul(mul(h, change), call("exprel", mul(rate, h))))

    return along


class Strang(AbstractIntegrator):
    """Second order: one variable after the other while all others stand still, to the middle of the step and back.

    All variables but one move by half a step, one after the other; that one, on which most others depend (the voltage,
    for channels), by a whole step; then the others again, in the opposite order.  Such a symmetric composition is of
    second order (Strang, SIAM J. Numer. Anal. 5:506, 1968).  Each move is that of ``x' = a x + b`` by a rational
    function which is positive, tends to the steady state for long steps, and has the third-order term of the
    trapezoidal rule: with channels this makes errors of spike times about half those of the exponential itself, as the
    staggered scheme with that rule has it (Hines, Int. J. Biomed. Comput. 15:69, 1984).
    """

    name = "strang"
    order = 2

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        system, draws = hold_draws(system)
        forms = _coefficients(system, self.name)
        wanted = {v: sum(any(depends(c, (v,)) for c in form) for u, form in forms.items() if u != v) for v in forms}
        middle = max(forms, key=lambda v: wanted[v])
        others = [v for v in forms if v != middle]
        half = mul(number(0.5), h)
        moves = [*((v, half, 0.25) for v in others), (middle, h, 0.5), *((v, half, 0.75) for v in reversed(others))]
        statements = list(draws)
        for v, length, place in moves:
            at = {} if system.time is None else {system.time: add(Name(system.time), mul(number(place), h))}
            a, b = (substitute(part, at) for part in forms[v])
            statements.append(Assign(v, _relaxed(Name(v), (a, b, length), system.shared, _TRAPEZOIDAL)))
        return Step(tuple(statements))
