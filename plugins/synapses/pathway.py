"""Pathways: code that runs for the synapses of an element at which an event happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import EquationError, RallError
from rall.events import EventQueue
from rall.groups.code import Code, code_identifiers, compile_code
from rall.integrators import NotIntegrable
from rall.integrators.base import System
from rall.integrators.exact import Exact
from rall.ir.nodes import Name, sub
from rall.ir.statements import parse_statements
from rall.model import Access, Assign, Deliver, Model, Operation, Variable
from rall.plugins.synapses.sides import Side
from rall.session import SimulationObject, warn
from rall.units import Quantity, get_or_create_dimension

if TYPE_CHECKING:
    from rall.plugins.synapses.synapses import Synapses

__all__ = ["SynapticPathway"]

_SECOND = get_or_create_dimension(second=1)


class SynapticPathway(SimulationObject):
    """Code for the synapses of elements at which an event happens, after a delay.

    Parameters
    ----------
    synapses : Synapses
        Whose code.
    side : Side
        Where events happen.
    code : str
        Statements.
    event : str
        Name of the event.
    name : str
        Of the pathway among those of the synapses, ``pre`` or ``post`` by default.

    Attributes
    ----------
    when, order
        Where in the schedule; may be set.
    """

    add_to_magic_network = False
    _ready = False

    def __init__(self, synapses: Synapses, side: Side, code: str, event: str, name: str) -> None:
        if not isinstance(code, str):
            raise RallError(f"the code of the pathway '{name}' of '{synapses.name}' is text, not {code!r:.60}")
        order = -1 if side.suffix == "pre" else 1
        super().__init__(f"{synapses.name}_{name}", clock=side.group.clock, when="synapses", order=order)
        self.synapses, self.side, self.code, self.event, self.pathway = synapses, side, code, event, name
        side.group.events_of(event)
        self.identifiers = code_identifiers(code)
        self.delay_name = "delay" if name == "pre" else f"{name}_delay"
        self._made: Code | None = None
        self._told = 0.0
        self._queue: EventQueue | None = None
        self._queued: tuple[tuple[int, float], Any] | None = None
        #: Targets under way, in how many steps, and how long these are.
        self._waiting: tuple[NDArray[np.int32], NDArray[np.int64], float] | None = None
        self._ready = True

    # --- delays -------------------------------------------------------------------------------------------------

    @property
    def delay(self) -> Any:
        """Delay of each synapse, or of all of them (a time)."""
        return self.synapses.view(self.delay_name, None)

    @delay.setter
    def delay(self, value: Any) -> None:
        setattr(self.synapses, self.delay_name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and not name.startswith("_") and not hasattr(self, name):
            raise AttributeError(f"'{self.name}' has no attribute '{name}'; a pathway has delay, when and order")
        super().__setattr__(name, value)

    def _steps(self) -> NDArray[np.int64] | int:
        """Delays in steps of the clock, rounded."""
        seconds = self.synapses.delay_seconds(self.delay_name)
        bad = np.asarray(seconds)
        if np.any(bad < 0) or not np.all(np.isfinite(bad)):
            wrong = Quantity(bad[(bad < 0) | ~np.isfinite(bad)].ravel()[0], dim=_SECOND)
            raise RallError(f"the delays of '{self.name}' are times from 0 on, and one is {wrong}")
        steps = np.floor(bad / self.clock.dt + 0.5).astype(np.int64)
        self._tell_if_rounded(bad, steps)
        return int(steps) if steps.ndim == 0 else steps

    def _tell_if_rounded(self, seconds: NDArray[np.float64], steps: NDArray[np.int64]) -> None:
        """Warn of delays that steps cannot show; those that differ from synapse to synapse may well be rounded."""
        dt = self.clock.dt
        if not seconds.size or self._told == dt:
            return
        longest, first = float(seconds.max()), float(seconds.flat[0])
        same = longest == float(seconds.min()) and abs(first / dt - steps.flat[0]) > 1e-3
        if same or 0 < longest < dt:
            self._told = dt
            given, step, used = (Quantity(x, dim=_SECOND) for x in (longest, dt, int(steps.max()) * dt))
            warn(
                f"a delay of '{self.synapses.name}' (made at {self.synapses.created_at}), {given}, is no multiple of "
                f"the step of {step} and counts as {used}; choose another one, or a smaller dt"
            )

    # --- running ------------------------------------------------------------------------------------------------

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self.synapses,)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        synapses = self.synapses
        external = synapses.externals(self.identifiers, namespace, where=parse_statements(self.code))
        self._external = external
        always = {line.varname for line in synapses.equations.with_flag("unless refractory")}
        self._made = compile_code(synapses, self.code, external, f"the code of '{self.name}'", always, for_events=True)
        synapses.note_written(self._made.written)
        self._make_queue()

    def _make_queue(self) -> None:
        """Sort the synapses by source and delay, unless they are as they were."""
        steps = self._steps()
        counted = self.synapses.connections, self.clock.dt
        same = self._queue is not None and self._queued is not None and counted == self._queued[0]
        if same and self._queued is not None and np.array_equal(np.asarray(steps), np.asarray(self._queued[1])):
            return
        if self._queue is not None and self._queued is not None:
            self._waiting = *self._queue.pending(), self._queued[0][1]
        waiting = None
        if self._waiting is not None:
            targets, waits, before = self._waiting
            # With another step, what is under way takes as long as before.
            waiting = targets, np.round(waits * (before / self.clock.dt)).astype(np.int64)
        stored = self.side.group.domain.layout.stored
        self._queue = EventQueue(self.side.event_sources(), steps, stored, waiting, self.clock.step)
        self._queued, self._waiting = (counted, steps), None

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        synapses, made = self.synapses, self._made
        assert made is not None
        bindings: dict[str, Variable | Access] = dict(made.bindings)
        statements = [*self._brought_up_to_date(bindings), *made.statements]
        if synapses.event_driven:
            statements.append(Assign("lastupdate", Name("t")))
            bindings["lastupdate"] = synapses.variables["lastupdate"]
        drawn = synapses.random_bindings(synapses.domain, model, f"pathway {self.pathway}", statements)
        own = {"t": self.clock.t_variable, "t_in_timesteps": self.clock.step_variable}
        bindings.update({**drawn, **own})
        if drawn:
            bindings["_step"] = self.clock.step_variable
        yield Deliver(
            name=self.name, clock=self.clock, when=self.when, order=self.order, domain=synapses.domain,
            statements=statements, bindings=bindings, events=self.side.group.events_of(self.event), queue=self._queue,
        )  # fmt: skip

    def _brought_up_to_date(self, bindings: dict[str, Variable | Access]) -> list[Assign]:
        """Event-driven variables from their last update to now."""
        synapses = self.synapses
        lines = synapses.event_driven
        if not lines:
            return []
        resolver = synapses.resolver(synapses.run_externals())
        equations = {line.varname: resolver.node(line.node) for line in lines}
        for line in lines:
            resolver.name(line.varname)
        resolver.name("lastupdate")
        bindings.update(resolver.bindings)
        known = resolver.bindings.items()
        fixed = {n for n, bound in known if isinstance(bound, Variable) and bound.role in ("constant", "parameter")}
        system = System(equations, frozenset(fixed))
        try:
            step = Exact().step(system, sub(Name("t"), Name("lastupdate")))
        except NotIntegrable as problem:
            raise EquationError(
                f"event-driven equations of '{synapses.name}' must have a solution that is a formula: {problem}. "
                "Say (clock-driven) for what is integrated in every step"
            ) from None
        return list(step.statements)

    # --- store and restore ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """See `SimulationObject.state`: what is under way."""
        if self._queue is not None:
            targets, waits = self._queue.pending()
        elif self._waiting is not None:
            targets, waits, _ = self._waiting
        else:
            targets, waits = np.zeros(0, np.int32), np.zeros(0, np.int64)
        return {"targets": targets, "waits": waits}

    def growing(self) -> Mapping[str, str]:
        """See `SimulationObject.growing`."""
        return {"targets": "under way", "waits": "under way"}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `SimulationObject.set_state`."""
        self._queue = self._queued = None
        self._waiting = state["targets"], state["waits"], self.clock.dt
