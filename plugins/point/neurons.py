"""NeuronGroup: elements that share their equations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rall.equations import DIFFERENTIAL, PARAMETER, Equations
from rall.errors import DimensionMismatchError, RallError
from rall.events import EventList
from rall.groups import Group, Subgroup
from rall.groups.dynamics import StateUpdate, held_operations
from rall.ir.parse import Parsed
from rall.ir.statements import Statement
from rall.model import Domain, Layout, Model, Operation
from rall.plugins.point.events import Event, Reaction, Refractoriness
from rall.registry import closest
from rall.session import warn
from rall.units import Quantity

__all__ = ["NeuronGroup"]


class NeuronGroup(Group):
    """A group of neurons, or of anything else that has equations.

    Parameters
    ----------
    N : int
        How many.
    model : str or Equations
        Differential equations, subexpressions and parameters.
    method : str or sequence of str, optional
        How equations are integrated: the name of a method, or several of which the first that fits is taken.
        Without it the first that fits of exact, strang (second order, for equations that are linear in their own
        variable), euler and heun.
    method_options : dict, optional
        Of the method.
    threshold : str, optional
        Condition of a spike.
    reset : str, optional
        What a spike does to its neuron: statements.
    refractory : Quantity or str, optional
        How long a neuron cannot spike again: a time, the text of a time, or a condition that holds as long.
    events : dict, optional
        Further events: from their names to their conditions.
    namespace : dict, optional
        Values of names in the equations; those that are missing are looked up where ``run`` is called.
    dtype : object
        Accepted; values are doubles.
    dt, clock, order, name
        See `SimulationObject`.

    Raises
    ------
    EquationError
        If the equations cannot be understood.
    RallError
        If something else does not fit.

    Notes
    -----
    A step of the clock goes through slots.  In ``groups`` it is found out who can spike again, and the equations are
    integrated; in ``thresholds`` conditions are looked at; in ``resets`` spikes act on their neurons.
    """

    def __init__(
        self,
        N: int,
        model: str | Equations | None = None,
        method: Any = None,
        method_options: Mapping[str, Any] | None = None,
        threshold: str | None = None,
        reset: str | None = None,
        refractory: Any = False,
        events: Mapping[str, str] | None = None,
        namespace: Mapping[str, object] | None = None,
        dtype: Any = None,
        dt: Any = None,
        clock: Any = None,
        order: int = 0,
        name: str = "neurongroup*",
    ) -> None:
        size = _size(N)
        equations = model if isinstance(model, Equations) else Equations(model or "")
        domain = Domain("neurons", Layout(size))
        super().__init__(name, domain, equations, namespace, clock, order, dt)
        self.method_choice, self.method_options = method, method_options
        self._written = equations
        self._make_variables()
        self._update = StateUpdate(self, method, method_options)
        self._refractoriness: Refractoriness | None = None
        if refractory is not False and refractory is not None:
            self._refractoriness = Refractoriness(self, refractory)
        self._told = False
        self.events: dict[str, Event] = {}
        self.reactions: list[Reaction] = []
        self._make_events(threshold, reset, events)
        for variable, value in self.equations.defaults.items():
            self.write(variable, None, value)
        self._ready = True

    # --- making -----------------------------------------------------------------------------------------------

    def _make_variables(self) -> None:
        for line in self.equations.lines:
            line.refuse_flags("a NeuronGroup")
            if line.kind == DIFFERENTIAL:
                self.add_line(line, self.domain, "state")
            elif line.kind == PARAMETER and not line.has("linked"):
                self.add_line(line, self.domain, "parameter")
            elif line.has("constant over dt"):
                self.add_line(line, self.domain, "scratch")

    def _make_events(self, threshold: str | None, reset: str | None, events: Mapping[str, str] | None) -> None:
        known = dict(events or {})
        if "spike" in known and threshold is not None:
            raise RallError(f"'{self.name}' has a threshold and an event 'spike', which is the same; leave out one")
        if threshold is not None:
            known["spike"] = threshold
        if reset is not None and "spike" not in known:
            raise RallError(f"'{self.name}' has a reset and no threshold; give it threshold='...'")
        for name, condition in known.items():
            if not name.isidentifier():
                raise RallError(f"{name!r} cannot be the name of an event; it takes letters, digits and '_'")
            slot = "thresholds" if name == "spike" else "after_thresholds"
            self.events[name] = Event(self, name, condition, slot, self.order)
        if reset is not None:
            self.reactions.append(Reaction(self, "spike", reset, "resets", self.order, f"{self.name}_resetter"))

    # --- what users see ---------------------------------------------------------------------------------------

    @property
    def spikes(self) -> Any:
        """Neurons that spike in the present step."""
        return self.events_of("spike").present

    @property
    def user_equations(self) -> Equations:
        """The equations as they were given."""
        return self._written

    def __getitem__(self, item: Any) -> Subgroup:
        return self.part(item)

    def run_on_event(
        self, event: str, code: str, when: str = "after_resets", order: int | None = None, name: str | None = None
    ) -> None:
        """Run statements for the elements at which an event happens.

        Parameters
        ----------
        event : str
            Its name.
        code : str
            The statements.
        when, order
            Where in the schedule.
        name : str, optional
            Of the operation.
        """
        self.events_of(event)
        chosen = name or f"{self.name}_{event}_reaction{len(self.reactions)}"
        self.reactions.append(Reaction(self, event, code, when, self.order if order is None else order, chosen))

    def set_event_schedule(self, event: str, when: str = "after_thresholds", order: int | None = None) -> None:
        """Say where in a step the condition of an event is looked at.

        Parameters
        ----------
        event : str
            Its name.
        when, order
            Slot and place in it.
        """
        self.events_of(event)
        self.events[event].when = when
        self.events[event].order = self.order if order is None else order

    # --- for others -------------------------------------------------------------------------------------------

    def events_of(self, event: str) -> EventList:
        """See `Group.events_of`."""
        if event in self.events:
            return self.events[event].happening
        if event == "spike":
            raise RallError(f"'{self.name}' does not spike: it has no threshold; give it threshold='...'")
        known = ", ".join(self.events) or "none"
        raise RallError(f"'{self.name}' has no event '{event}'{closest(event, self.events)}; it has: {known}")

    def event_order(self, event: str) -> tuple[str, int]:
        """See `Group.event_order`."""
        return self.events[event].when, self.events[event].order

    def frozen_while(self, name: str) -> str | None:
        """See `Group.frozen_while`; without a refractory time nothing ever stands still."""
        line = None if self._refractoriness is None else self.equations.get(name)
        return "not_refractory" if line is not None and line.has("unless refractory") else None

    def code_identifiers(self) -> Iterable[str]:
        """See `Group.code_identifiers`."""
        found: set[str] = set()
        for event in self.events.values():
            found |= event.identifiers
        for reaction in self.reactions:
            found |= reaction.identifiers
        if self._refractoriness is not None:
            found |= self._refractoriness.identifiers
        own = {*self.known_names(), "t", "dt", "t_in_timesteps"}
        return found - own

    def code_places(self) -> Iterable[Parsed | Statement]:
        """See `Group.code_places`."""
        refractory = [] if self._refractoriness is None else self._refractoriness.places
        conditions = [place for event in self.events.values() for place in event.places]
        return [*conditions, *refractory, *(place for reaction in self.reactions for place in reaction.places)]

    # --- running ----------------------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        super().before_run(namespace)
        for reaction in self.reactions:
            reaction.prepare()
        if not self._told:
            self._told = True
            for what in self._odd():
                warn(f"'{self.name}' (made at {self.created_at}) has {what}")

    def _odd(self) -> Iterable[str]:
        """What is legal, and mostly forgotten."""
        spike, refractory = self.events.get("spike"), self._refractoriness is not None
        if spike is None and refractory:
            yield "a refractory time and no threshold, so that it is never refractory; give it threshold='...'"
        if not refractory:
            for line in self.equations.with_flag("unless refractory"):
                yield f"the line '{line}', and no refractory time to stand still in; give it refractory=..."
        if spike is not None and not refractory and all(reaction.event != "spike" for reaction in self.reactions):
            yield (
                f"the threshold '{spike.condition}' without a reset or a refractory time, so that a neuron spikes in "
                "every step in which it holds; give it reset='...' or refractory=..."
            )

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        yield from held_operations(self, model)
        lines = self.equations.differential_equations
        prelude = None if self._refractoriness is None else self._refractoriness.end()
        yield from self._update.operations(model, lines, prelude)
        for event in self.events.values():
            yield from event.operations(model, self._refractoriness if event.name == "spike" else None)
        for k, reaction in enumerate(self.reactions):
            yield from reaction.operations(model, f"reaction {k}")

    def after_write(self, name: str) -> None:
        """See `Group.after_write`."""
        if self._ready:
            self._update.refresh(name)

    def places(self) -> list[tuple[str, str, int]]:
        """See `SimulationObject.places`."""
        found = super().places()
        if self.equations.differential_equations or self._refractoriness is not None:
            found.append((f"{self.name}_stateupdater", "groups", self.order))
        found += [(event.operation_name, event.when, event.order) for event in self.events.values()]
        return found + [(reaction.name, reaction.when, reaction.order) for reaction in self.reactions]

    def event_lists(self) -> Mapping[str, EventList]:
        """See `Group.event_lists`."""
        return {name: event.happening for name, event in self.events.items()}

    def describe_element(self, index: int) -> str:
        """How messages name one neuron."""
        return f"neuron {index} of '{self.name}'"


def _size(N: Any) -> int:
    if isinstance(N, str) or isinstance(N, Equations):
        raise RallError(f"the first argument of NeuronGroup is the number of neurons, not {N!r:.60}")
    if isinstance(N, Quantity):
        raise DimensionMismatchError(f"the number of neurons has no unit: {N}")
    try:
        size = int(N)
    except (TypeError, ValueError):
        raise RallError(f"the number of neurons is a whole number, not {N!r:.60}") from None
    if size != N or size < 1:
        raise RallError(f"the number of neurons is a whole number from 1 on, not {N!r}")
    return size
