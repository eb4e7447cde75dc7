"""The membrane's operations: gates staggered around the voltage, currents split into conductance and source.

One step from t to t + dt is a symmetric (Strang 1968) splitting of second order: gates by half a step with the
voltage at t, the voltage by a whole step with the gates in the middle, gates by half a step with the new voltage.
The two half steps that meet have the same voltage and are done as one, so that between steps the stored gates lag
by ``lag = dt/2`` (Hines 1984 staggers them in the same way).  Whoever reads a gate gets its value at t: the stored
one advanced by `lag`.  After a change from outside `lag` is 0 and the next step makes its half step first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rall.functions import DERIVATIVES
from rall.integrators import AbstractIntegrator, Propagator, Step, System
from rall.ir.algebra import depends, derivative, linear_form, negative, terms
from rall.ir.nodes import ZERO, Name, Node, add, div, mul, number, sub
from rall.ir.visit import names, substitute
from rall.model import Access, Assign, Variable

__all__ = ["EDGE", "LAG", "Currents", "Gates", "renamed", "split"]

#: Name of the shared variable that says by how much stored gates are behind.
LAG = "_lag"
#: A step ends just before its last moment: sources that jump there still have their old value, and those that jump
#: at its beginning their new one.  One part in a million of a step keeps clear of rounding.
EDGE = 2.0**-20


@dataclass(frozen=True)
class Currents:
    """A current per area or per compartment as ``source - conductance * v`` during one step.

    Parameters
    ----------
    conductance, source : Node
        In the middle of the step; the gated parts come on top.
    growth : Node
        By how much the source grows during the step because it depends on t.
    gated_conductance, gated_source : Node
        The parts that are linear in v and depend on gates; the change of these from step to step says how the
        current grows during a step.
    linear : bool
        Whether the current is linear in the voltage; else it is linearised at the voltage at t.
    """

    conductance: Node = ZERO
    source: Node = ZERO
    growth: Node = ZERO
    gated_conductance: Node = ZERO
    gated_source: Node = ZERO
    linear: bool = True

    @property
    def whole_conductance(self) -> Node:
        """Of all parts."""
        return add(self.conductance, self.gated_conductance)


def split(current: Node, gates: Collection[str] = (), whole_step: bool = True) -> Currents:
    """Split an inward current into its implicit and its explicit part.

    Terms that are linear in v are taken as they are.  A term that is not is linearised about the voltage at t,
    which leaves an error of third order in a step (Rosenbrock's idea).  Sources that depend on t are evaluated at
    both ends of the step; where the conductance does, it is taken in the middle.

    Parameters
    ----------
    current : Node
        In terms of variables; v at t.
    gates : collection of str
        Names of the differential variables.
    whole_step : bool
        Whether the method resolves growth during a step; one that does not takes everything as it is at t.
    """
    words = ("conductance", "source", "growth", "gated_conductance", "gated_source")
    parts: dict[str, Node] = dict.fromkeys(words, ZERO)
    linear = True
    t, dt = Name("t"), Name("dt")
    for term in terms(current):
        form = linear_form(term, "v")
        gated = form is not None and depends(term, gates)
        if form is None:
            linear = False
            slope = derivative(term, "v", DERIVATIVES)
            source = sub(term, mul(slope, Name("v")))
        else:
            slope, source = form
        if whole_step:
            slope = substitute(slope, {"t": add(t, mul(number(0.5), dt))})
        if whole_step and "t" in names(source):
            begin, end = (
                substitute(source, {"t": add(t, mul(number(place), dt))}) for place in (EDGE, 1.0 - EDGE)
            )
            source = mul(number(0.5), add(begin, end))
            parts["growth"] = add(parts["growth"], sub(end, begin))
        kind = "gated_" if gated else ""
        parts[f"{kind}conductance"] = add(parts[f"{kind}conductance"], negative(slope))
        parts[f"{kind}source"] = add(parts[f"{kind}source"], source)
    return Currents(**parts, linear=linear)


@dataclass
class Gates:
    """All differential equations of one mechanism, ready to be advanced by any step.

    Parameters
    ----------
    system : System
        The equations; the voltage and everything else stand still.
    integrator : AbstractIntegrator
        How they are advanced.
    bindings : mapping
        What the names are.
    """

    system: System
    integrator: AbstractIntegrator
    bindings: Mapping[str, Variable | Access]
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the gates."""
        return tuple(self.system.equations)

    def step(self, when: str) -> Step:
        """Statements that advance the gates.

        Parameters
        ----------
        when : {'whole', 'lag', 'first half', 'second half', 'at once'}
            From the middle of the last step to the middle of this one; from there to t; by half a step; or from t to
            the end of the step.
        """
        if when not in self.steps:
            t, dt, lag = Name("t"), Name("dt"), Name(LAG)
            half = mul(number(0.5), dt)
            before, after = sub(t, mul(number(EDGE), dt)), add(t, mul(number(EDGE), dt))
            places: dict[str, tuple[Node, list[tuple[Node, Node]]]] = {
                # What jumps at t has its old value before and its new one afterwards.
                "whole": (add(half, lag), [(lag, before), (half, after)]),
                "lag": (lag, [(lag, before)]),
                "first half": (half, [(half, add(t, mul(number(0.25), dt)))]),
                "second half": (half, [(half, add(t, mul(number(0.75), dt)))]),
                "at once": (dt, [(dt, t)]),
            }
            h, parts = places[when]
            equations = {name: _mean(rhs, parts, h) for name, rhs in self.system.equations.items()}
            self.steps[when] = self.integrator.step(replace(self.system, equations=equations), h)
        return self.steps[when]

    @property
    def propagators(self) -> Sequence[Propagator]:
        """Numbers that the steps made so far need."""
        return [p for step in self.steps.values() for p in step.propagators]


def _mean(rhs: Node, parts: Sequence[tuple[Node, Node]], whole: Node) -> Node:
    """The mean of an expression over parts of a step, each with its length and the time it is taken at."""
    if "t" not in names(rhs):
        return rhs
    if len(parts) == 1:
        return substitute(rhs, {"t": parts[0][1]})
    total: Node = ZERO
    for length, time in parts:
        total = add(total, mul(div(length, whole), substitute(rhs, {"t": time})))
    return total


def renamed(statements: Sequence[Assign], targets: Sequence[str], prefix: str) -> tuple[list[Assign], dict[str, Node]]:
    """The same statements with results under other names, so that the variables themselves stay as they are.

    Returns
    -------
    list of Assign, dict of str to Node
        The statements, and what to read in place of each target afterwards.
    """
    now: dict[str, Node] = {}
    result = []
    for statement in statements:
        value = substitute(statement.value, now)
        target = statement.target
        if target in targets:
            result.append(Assign(prefix + target, value))
            now[target] = Name(prefix + target)
        else:
            result.append(Assign(target, value))
    return result, now
