"""When a cell spikes: threshold, refractoriness, reset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.equations.dimensions import check_statements, infer_typed
from rall.errors import EquationError, RallError
from rall.ir.nodes import FALSE, Binary, Compare, Logic, Name, Node, Not, Select, number, sub
from rall.ir.parse import parse
from rall.ir.statements import parse_statements
from rall.model import Access, Assign, Domain, Elementwise, Layout, Model, Operation, Variable
from rall.units import Quantity, dimension_of, get_or_create_dimension, value_of

if TYPE_CHECKING:
    from rall.plugins.cable.neuron import SpatialNeuron

__all__ = ["Threshold"]

_SECOND = get_or_create_dimension(second=1)
_LONG_AGO = -1e4


class Threshold:
    """The spike event of a cell.

    Parameters
    ----------
    cell : SpatialNeuron
        The cell.
    condition : str or None
        When it spikes.
    reset : str or None
        Statements for the compartments that spiked.
    refractory : bool, str or Quantity
        How long, or while what, there is no next spike.
    location : object
        The one compartment that is looked at; None for all.
    """

    def __init__(
        self, cell: SpatialNeuron, condition: str | None, reset: str | None, refractory: Any, location: Any
    ) -> None:
        self.cell, self.condition, self.reset = cell, condition, reset
        self.refractory = refractory
        self._bound: dict[str, Variable | Access] = {}
        if condition is None:
            if reset is not None or refractory is not False:
                raise RallError("reset and refractory need a threshold")
            return
        everything = location is None
        self.compartments = np.arange(cell.N) if everything else cell.indices_of(location)
        if not everything and len(self.compartments) != 1:
            raise RallError(f"threshold_location must be one compartment, and {location!r} is {len(self.compartments)}")
        storage = cell.domain.layout.index(self.compartments)
        self.domain = cell.domain if everything else Domain("location", Layout(1))
        self.rows = None
        if not everything:
            self.rows = Variable("location", self.domain, kind="integer", role="constant")
            self.rows.set(storage)
        self.spiking = Variable("_spiking", self.domain, kind="boolean", role="scratch")
        self.last = Variable("lastspike", self.domain, _SECOND)
        self.last.set(_LONG_AGO)
        self.free = Variable("not_refractory", self.domain, kind="boolean")
        self.free.set(True)
        if everything and refractory is not False:
            cell.variables.update(lastspike=self.last, not_refractory=self.free)

    @property
    def resets(self) -> bool:
        """Whether spikes change the state of the cell."""
        return self.reset is not None

    def source(self, event: str) -> tuple[Variable, NDArray[np.int64], NDArray[np.int64]]:
        """Condition, storage elements and labels of the event.

        Raises
        ------
        RallError
            If there is no such event.
        """
        if event != "spike" or self.condition is None:
            raise RallError(f"'{self.cell.name}' has no event '{event}'" + ("; give it a threshold" if event == "spike" else ""))
        elements = self.domain.layout.index(np.arange(self.domain.size))
        return self.spiking, elements, self.compartments

    def operations(self, model: Model) -> Iterable[Operation]:
        """Refractoriness before the step, threshold after it, then the reset."""
        if self.condition is None:
            return
        if self.refractory is not False:
            yield self._operation("0refractory", "groups", self.cell.order - 1, [Assign("_free", self._end())])
        spiking: Node = self._resolved(self.condition)
        statements = [Assign("_fired", spiking)]
        if self.refractory is not False:
            statements[0] = Assign("_fired", Logic("and", spiking, Name("_free")))
            statements.append(Assign("_free", Select(Name("_fired"), FALSE, Name("_free"))))
            statements.append(Assign("_last", Select(Name("_fired"), Name("t"), Name("_last"))))
        statements.append(Assign("_spiking", Name("_fired")))
        yield self._operation("threshold", "thresholds", self.cell.order, statements)
        if self.reset is not None:
            yield self._reset_operation()

    def _operation(self, name: str, when: str, order: int, statements: list[Assign]) -> Elementwise:
        cell = self.cell
        bindings: dict[str, Variable | Access] = {
            "_free": self.free, "_last": self.last, "_spiking": self.spiking, **self._bound,
            "t": cell.clock.t_variable, "dt": cell.clock.dt_variable,
        }  # fmt: skip
        return Elementwise(
            name=f"{cell.name}_{name}", clock=cell.clock, when=when, order=order, domain=self.domain,
            statements=statements, bindings=bindings,
        )  # fmt: skip

    def _resolved(self, text: str) -> Node:
        """A condition or time in terms of variables at the places that are looked at."""
        cell = self.cell
        external = cell.externals(cell.identifiers(text))
        infer_typed(parse(text), cell.environment(external), cell.functions(external))
        resolver = cell.resolver(external)
        node = resolver.node(parse(text).node)
        if not resolver.bindings.keys().isdisjoint(cell.equations.diff_eq_names):
            raise EquationError(f"a condition of a cell's spikes can use v and parameters, not its gates: '{text}'")
        self._bound = {
            name: Access(bound, self.rows) if self.rows is not None and not bound.shared else bound
            for name, bound in resolver.bindings.items() if isinstance(bound, Variable)
        }  # fmt: skip
        return node

    def _end(self) -> Node:
        """Whether the refractory time is over, before the step."""
        text = self.refractory
        if isinstance(text, Quantity):
            if dimension_of(text) is not _SECOND:
                raise RallError(f"refractory is a time or a condition, not {text}")
            self._bound = {}
            duration: Node = number(float(value_of(text)))
        else:
            if text is True:
                raise RallError("refractory is a time or a condition, not True")
            wanted = str(text)
            node = self._resolved(wanted)
            external = self.cell.externals(self.cell.identifiers(wanted))
            kind = infer_typed(parse(wanted), self.cell.environment(external), self.cell.functions(external))
            if kind.kind == "boolean":
                return Logic("or", Name("_free"), Not(node))
            if kind.dimension is not _SECOND:
                raise EquationError(f"refractory is a time or a condition, and '{text}' is in {kind.dimension}")
            duration = node
        since = sub(Name("t"), Name("_last"))
        # Half a step of tolerance: both times are multiples of dt up to rounding.
        return Compare(">=", since, sub(duration, number(0.5 * self.cell.clock.dt)))

    def _reset_operation(self) -> Elementwise:
        cell = self.cell
        assert self.reset is not None
        if self.rows is not None:
            raise RallError("reset with a threshold_location is not supported: leave out one of them")
        statements = parse_statements(self.reset)
        external = cell.externals({n for s in statements for n in cell.identifiers(s.value.text)})
        check_statements(statements, cell.environment(external), cell.functions(external))
        resolver = cell.resolver(external)
        made = []
        for statement in statements:
            value = statement.node
            if statement.op != "=":
                value = Binary(statement.op[:-1], Name(statement.target), value)
            made.append(Assign(statement.target, resolver.node(value)))
        bindings = {**resolver.bindings, **{s.target: cell.variables[s.target] for s in statements}}
        return Elementwise(
            name=f"{cell.name}_reset", clock=cell.clock, when="resets", order=cell.order, domain=self.domain,
            statements=made, bindings={**bindings, "_spiking": self.spiking}, mask=Name("_spiking"),
        )  # fmt: skip
