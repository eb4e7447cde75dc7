"""The membrane's operations: gates staggered around the voltage, currents split into conductance and source.

One step from t to t + dt is a symmetric (Strang 1968) splitting of second order: gates by half a step with the
voltage at t, the voltage by a whole step with the gates in the middle, gates by half a step with the new voltage.
The two half steps that meet have the same voltage and are done as one, so that between steps the stored gates lag
by ``lag = dt/2`` (Hines 1984 staggers them in the same way).  Whoever reads a gate gets its value at t: the stored
one advanced by `lag`.  After a change from outside `lag` is 0 and the next step makes its half step first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rall.functions import DERIVATIVES
from rall.groups import Resolver
from rall.integrators import AbstractIntegrator, Propagator, Step, System
from rall.ir.algebra import derivative, linear_form, negative, terms
from rall.ir.nodes import ZERO, Name, Node, add, mul, number, sub
from rall.ir.visit import names, substitute
from rall.model import Access, Assign, Variable
from rall.plugins.cable.geometry import GAMMA

__all__ = ["Currents", "Gates", "LAG", "renamed", "split"]

#: Name of the shared variable that says by how much stored gates are behind.
LAG = "_lag"
#: The second stage of the voltage step ends at t + dt and belongs to this step: sources that jump there still
#: have their old value.  One part in a million of a step keeps clear of rounding.
_LAST = 1.0 - 2.0**-20


@dataclass(frozen=True)
class Currents:
    """A current per area or per compartment as ``source - conductance * v``, for both stages of the step.

    Parameters
    ----------
    conductance : Node
        Constant during the step.
    first, late : Node
        Source of the first stage, and what the second stage adds to it; `late` is zero for steady sources.
    linear : bool
        Whether the current is linear in the voltage; else it is linearised at the voltage at t.
    """

    conductance: Node
    first: Node
    late: Node
    linear: bool


def split(current: Node, two_stages: bool) -> Currents:
    """Split an inward current into its implicit and its explicit part.

    Terms that are linear in v are taken as they are.  A term that is not is linearised about the voltage at t,
    which leaves an error of third order in a step (Rosenbrock's idea).  Sources that depend on t are evaluated at
    the times of the two stages; where the conductance does, the term is taken at the middle of the step.

    Parameters
    ----------
    current : Node
        In terms of variables; v at t.
    two_stages : bool
        Whether the step has two stages; a backward Euler step takes everything at its end.
    """
    conductance: Node = ZERO
    first: Node = ZERO
    late: Node = ZERO
    linear = True
    t, dt = Name("t"), Name("dt")
    for term in terms(current):
        form = linear_form(term, "v")
        if form is None:
            linear = False
            slope = derivative(term, "v", DERIVATIVES)
            source = sub(term, mul(slope, Name("v")))
        else:
            slope, source = form
        middle = {"t": add(t, mul(number(0.5), dt))}
        if "t" in names(slope):
            slope, source = substitute(slope, middle), substitute(source, middle)
        conductance = add(conductance, negative(slope))
        if "t" not in names(source):
            first = add(first, source)
            continue
        start = number(GAMMA if two_stages else _LAST)
        at_first = substitute(source, {"t": add(t, mul(start, dt))})
        first = add(first, at_first)
        if two_stages and "t" in names(term) and "t" not in names(slope):
            at_end = substitute(source, {"t": add(t, mul(number(_LAST), dt))})
            late = add(late, sub(at_end, at_first))
    return Currents(conductance, first, late, linear)


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
    steps: dict[Node, Step] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the gates."""
        return tuple(self.system.equations)

    def step(self, h: Node) -> Step:
        """Statements that advance the gates by `h` seconds."""
        if h not in self.steps:
            self.steps[h] = self.integrator.step(self.system, h)
        return self.steps[h]

    @property
    def propagators(self) -> Sequence[Propagator]:
        """Numbers that the steps made so far need."""
        return [p for step in self.steps.values() for p in step.propagators]


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


def gates_of(
    equations: Mapping[str, Node], resolver: Resolver, integrator: AbstractIntegrator, constant: frozenset[str]
) -> Gates:
    """Resolve differential equations of one mechanism.

    Parameters
    ----------
    equations : mapping of str to Node
        Right-hand sides, resolved.
    resolver : Resolver
        What resolved them; its bindings are taken.
    integrator : AbstractIntegrator
        The method.
    constant : frozenset of str
        Names that do not change during a run.
    """
    shared = frozenset(
        name for name, bound in resolver.bindings.items() if isinstance(bound, Variable) and bound.shared
    ) | {"dt", "t", LAG}
    # The voltage stands in the middle of the interval that a merged step covers, and so does t.
    return Gates(System(equations, constant, shared, time=None), integrator, dict(resolver.bindings))
