"""When a cell spikes: threshold, refractoriness, reset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.equations.dimensions import infer_typed
from rall.errors import EquationError, RallError
from rall.events import EventList
from rall.groups.code import code_identifiers, compile_code
from rall.groups.refractory import LONG_AGO, time_is_over
from rall.ir.nodes import FALSE, Logic, Name, Node, Not, Select, number
from rall.ir.parse import parse
from rall.model import Access, Assign, Deliver, Elementwise, Emit, Model, Operation, Variable
from rall.plugins.cable.mechanisms import Mechanism, located
from rall.units import Quantity, dimension_of, get_or_create_dimension, value_of

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["Spiking", "Threshold"]

_SECOND = get_or_create_dimension(second=1)

_Made: TypeAlias = tuple[list[Assign], dict[str, Variable | Access]]


@dataclass(frozen=True)
class Spiking:
    """When cells spike, as users say it.

    Parameters
    ----------
    condition : str or None
        When a spike is.
    reset : str or None
        Statements for the compartments that spiked.
    refractory : bool, str or Quantity
        How long, or while what, there is no next spike.
    location : object
        The one compartment of each cell that is looked at, as `Parts.at` takes it; None for all of them.
    """

    condition: str | None = None
    reset: str | None = None
    refractory: Any = False
    location: Any = None


class Threshold:
    """The spike event of cells.

    Parameters
    ----------
    cell : Cells
        The cells.
    spiking : Spiking
        When they spike.
    """

    def __init__(self, cell: Cells, spiking: Spiking) -> None:
        self.cell, self.condition, self.reset = cell, spiking.condition, spiking.reset
        self.refractory = refractory = spiking.refractory
        self._by_cell = spiking.condition is not None and spiking.location is not None
        if spiking.condition is None:
            if spiking.reset is not None or refractory is not False:
                raise RallError("reset and refractory need a threshold")
            return
        everything = not self._by_cell
        self.compartments = np.arange(cell.N) if everything else cell.threshold_compartments(spiking.location)
        self.storage = cell.domain.layout.index(self.compartments)
        self.happening = EventList(len(self.storage))
        self.domain, self.rows = cell.domain, None
        if not everything:
            self.domain, self.rows = located(self.compartments, cell.domain)
        mask = np.zeros(cell.N, bool)
        mask[self.compartments] = True
        self._here = Mechanism(mask, self.domain, self.rows)
        self.spiking = Variable("_spiking", self.domain, kind="boolean", role="scratch")
        self.last = Variable("lastspike", self.domain, _SECOND)
        self.last.set(LONG_AGO)
        self.free = Variable("not_refractory", self.domain, kind="boolean")
        self.free.set(True)
        if everything and refractory is not False:
            cell.variables.update(lastspike=self.last, not_refractory=self.free)

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of what the cell does not keep among its own variables."""
        if self.condition is None:
            return {}
        return {"_lastspike": self.last.array.copy(), "_not_refractory": self.free.array.copy()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` gave."""
        if self.condition is not None and "_lastspike" in state:
            self.last.array[:] = state["_lastspike"]
            self.free.array[:] = state["_not_refractory"]

    def spikes_of(self, cells: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Storage index of the compartment where each of some cells spikes; None where every compartment does."""
        return self.storage[cells] if self._by_cell else None

    @property
    def resets(self) -> bool:
        """Whether spikes change the state of the cell."""
        return self.reset is not None

    def events_of(self, event: str) -> EventList:
        """Where the event happens in each step.

        Raises
        ------
        RallError
            If there is no such event.
        """
        if event != "spike" or self.condition is None:
            way_out = "; give it a threshold" if event == "spike" else ""
            raise RallError(f"'{self.cell.name}' has no event '{event}'{way_out}")
        return self.happening

    def operations(self, model: Model) -> Iterable[Operation]:
        """Refractoriness before the step, threshold after it, then the reset."""
        if self.condition is None:
            return
        if self.refractory is not False:
            statements, bindings, over = self._end()
            yield self._operation(
                "0refractory", ("groups", self.cell.order - 1), [*statements, Assign("_free", over)], bindings, model
            )
        statements, bindings = self._boolean(self.condition, "a threshold is a condition")
        spiking: Node = Name("_probe")
        if self.refractory is not False:
            spiking = Logic("and", spiking, Name("_free"))
        statements = [*statements, Assign("_fired", spiking)]
        if self.refractory is not False:
            statements.append(Assign("_free", Select(Name("_fired"), FALSE, Name("_free"))))
            statements.append(Assign("_last", Select(Name("_fired"), Name("t"), Name("_last"))))
        statements.append(Assign("_spiking", Name("_fired")))
        yield self._operation("threshold", ("thresholds", self.cell.order), statements, bindings, model)
        cell = self.cell
        yield Emit(
            name=f"{cell.name}_threshold~emit", clock=cell.clock, when="thresholds", order=cell.order,
            source=self.spiking, elements=self.domain.layout.index(np.arange(self.domain.size)),
            reported=self.storage, events=self.happening,
        )  # fmt: skip
        if self.reset is not None:
            yield self._reset_operation(model)

    def _operation(
        self,
        name: str,
        place: tuple[str, int],
        statements: Sequence[Assign],
        bindings: Mapping[str, Variable | Access],
        model: Model,
    ) -> Elementwise:
        cell = self.cell
        own: dict[str, Variable | Access] = {
            **bindings, "_free": self.free, "_last": self.last, "_spiking": self.spiking,
            "t": cell.clock.t_variable, "dt": cell.clock.dt_variable,
            **cell.random_bindings(self.domain, model, "threshold"),
        }  # fmt: skip
        when, order = place
        return Elementwise(
            name=f"{cell.name}_{name}", clock=cell.clock, when=when, order=order, domain=self.domain,
            statements=statements, bindings=own,
        )  # fmt: skip

    def _type(self, text: str) -> tuple[Any, Mapping[str, object]]:
        """Dimension and type of an expression of the user's, and the external values that it needs."""
        cell = self.cell
        parsed = parse(text)
        external = {**cell.run_externals(), **cell.externals(cell.identifiers(text), where=parsed)}
        return infer_typed(parsed, cell.environment(external), cell.functions(external)), external

    def _present(self, text: str, external: Mapping[str, object]) -> _Made:
        """Statements that leave an expression's present value in ``_probe``, at the places that are looked at."""
        node = parse(text).node
        return self.cell.present().at_present(self._here, lambda resolver: resolver.node(node), external)

    def _boolean(self, text: str, meant: str) -> _Made:
        found, external = self._type(text)
        if found.kind != "boolean":
            raise EquationError(f"{meant}, and '{text}' is a value; compare it with something", text, 0)
        return self._present(text, external)

    def _end(self) -> tuple[list[Assign], dict[str, Variable | Access], Node]:
        """Statements, bindings and the condition that the refractory time is over, before the step."""
        given = self.refractory
        if given is True or not isinstance(given, (str, Quantity)):
            raise RallError(f"refractory is a time or a condition, not {given!r}")
        statements: list[Assign] = []
        bindings: dict[str, Variable | Access] = {}
        if isinstance(given, Quantity):
            if dimension_of(given) is not _SECOND:
                raise RallError(f"refractory is a time or a condition, not {given}")
            duration: Node = number(float(value_of(given)))
        else:
            found, external = self._type(given)
            statements, bindings = self._present(given, external)
            duration = Name("_probe")
            if found.kind == "boolean":
                return statements, bindings, Logic("or", Name("_free"), Not(duration))
            if found.dimension is not _SECOND:
                wrong = f"refractory is a time or a condition, and '{given}' is in {found.dimension}"
                raise EquationError(wrong, given, 0)
        return statements, bindings, time_is_over("_last", duration)

    def _reset_operation(self, model: Model) -> Operation:
        """The reset of the compartments that spiked: of all that did at once, or one after the other at locations."""
        cell = self.cell
        assert self.reset is not None
        external = cell.externals(code_identifiers(self.reset))
        made = compile_code(cell, self.reset, external, f"the reset of '{cell.name}'", for_events=True)
        drawn = cell.random_bindings(cell.domain, model, "reset", made.statements)
        bindings = {**{name: self._seen(name, bound) for name, bound in made.bindings.items()}, **drawn}
        where: dict[str, Any] = dict(
            name=f"{cell.name}_reset", clock=cell.clock, when="resets", order=cell.order, domain=cell.domain,
            statements=made.statements,
        )  # fmt: skip
        if self._by_cell:
            return Deliver(**where, bindings=bindings, events=self.happening)
        return Elementwise(**where, bindings={**bindings, "_spiking": self.spiking}, mask=Name("_spiking"))

    def _seen(self, name: str, bound: Variable | Access) -> Variable | Access:
        """How the reset reaches a variable: one of a region through the compartments that have it."""
        cell = self.cell
        if isinstance(bound, Access) or bound.shared or bound.domain is cell.domain or bound.role == "table":
            return bound
        home = next(m for m in cell.mechanisms if m.domain is bound.domain)
        missing = self.compartments[~home.mask[self.compartments]]
        if len(missing):
            way_out = "" if self._by_cell else "; with a threshold_location that one compartment alone is reset"
            raise RallError(
                f"the reset of '{cell.name}' uses '{name}', which does not live on "
                f"{cell.describe_element(int(missing[0]))}{way_out}"
            )
        index = Variable(f"_{name}_place", cell.domain, kind="index", role="constant")
        index.array[cell.domain.layout.index(home.members)] = home.domain.layout.index(np.arange(len(home.members)))
        return Access(bound, index)
