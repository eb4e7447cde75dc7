"""Events of a group of neurons: conditions, what they do, and the time in which a neuron cannot spike again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rall.equations.dimensions import infer_typed
from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.events import EventList
from rall.groups import Group
from rall.groups.code import Code, code_identifiers, compile_code, compile_condition
from rall.groups.refractory import LONG_AGO, TOLERANCE, time_is_over
from rall.ir.nodes import FALSE, Compare, Logic, Name, Node, Not, sub
from rall.ir.parse import Parsed, parse
from rall.ir.statements import parse_statements
from rall.ir.visit import functions, names
from rall.model import SHARED, Access, Assign, Deliver, Elementwise, Emit, Model, Operation, Variable
from rall.units import DIMENSIONLESS, Quantity, dimension_of, get_or_create_dimension, value_of

__all__ = ["Event", "Reaction", "Refractoriness"]

_SECOND = get_or_create_dimension(second=1)


class Event:
    """A condition that is looked at in every step.

    Parameters
    ----------
    group : Group
        Whose elements.
    name : str
        Of the event.
    condition : str
        When it happens.
    when, order
        Where in the schedule.

    Attributes
    ----------
    happening : EventList
        Elements at which it happens in the present step.
    """

    def __init__(self, group: Group, name: str, condition: str, when: str, order: int) -> None:
        if not isinstance(condition, str):
            raise RallError(
                f"the condition of the event '{name}' of '{group.name}' is text such as 'v > -50*mV', not {condition!r}"
            )
        self.group, self.name, self.condition, self.when, self.order = group, name, condition, when, order
        self.happening = EventList(group.N)
        self.true = Variable(f"_{name}", group.domain, kind="boolean", role="scratch")
        parsed = parse(condition)
        self.identifiers = names(parsed.node) | functions(parsed.node)
        self.places = [parsed]

    @property
    def operation_name(self) -> str:
        """What looks at the condition is called."""
        group = self.group.name
        return f"{group}_thresholder" if self.name == "spike" else f"{group}_{self.name}_thresholder"

    def operations(self, model: Model, refractoriness: Refractoriness | None) -> Iterable[Operation]:
        """Look at the condition, list the elements, and let a refractory time begin."""
        group = self.group
        meant = f"the threshold of '{group.name}'" if self.name == "spike" else f"the event '{self.name}'"
        node, bindings = compile_condition(group, self.condition, group.run_externals(), meant)
        if refractoriness is not None:
            node = Logic("and", node, Name("not_refractory"))
            bindings["not_refractory"] = refractoriness.free
        name = self.operation_name
        statements = [Assign("_happens", node)]
        bindings["_happens"] = self.true
        bindings.update(group.random_bindings(group.domain, model, f"event {self.name}", statements))
        yield Elementwise(
            name=name, clock=group.clock, when=self.when, order=self.order, domain=group.domain,
            statements=statements, bindings=bindings,
        )  # fmt: skip
        yield Emit(
            name=f"{name}!emit", clock=group.clock, when=self.when, order=self.order, source=self.true,
            events=self.happening,
        )  # fmt: skip
        if refractoriness is not None:
            yield refractoriness.begin(f"{name}!refractory", self)


class Reaction:
    """Statements for the elements at which an event happens.

    Parameters
    ----------
    group : Group
        Whose elements.
    event : str
        Name of the event.
    code : str
        The statements.
    when, order
        Where in the schedule.
    name : str
        Of the operation.
    """

    def __init__(self, group: Group, event: str, code: str, when: str, order: int, name: str) -> None:
        if not isinstance(code, str):
            raise RallError(f"what happens at the event '{event}' of '{group.name}' is text, not {code!r}")
        self.group, self.event, self.code, self.when, self.order, self.name = group, event, code, when, order, name
        self.identifiers = code_identifiers(code)
        self.places = parse_statements(code)
        self._made: Code | None = None

    def prepare(self) -> None:
        """Work out the statements, so that it is known what they change."""
        group = self.group
        where = f"the reset of '{group.name}'" if self.event == "spike" else f"the code for '{self.event}'"
        everything = {line.varname for line in group.equations.with_flag("unless refractory")}
        self._made = compile_code(group, self.code, group.run_externals(), where, everything, for_events=True)
        group.note_written(self._made.written)

    def operations(self, model: Model, draw: str) -> Iterable[Operation]:
        """The statements, one element after the other; `draw` tells its random numbers from others of the group."""
        group, made = self.group, self._made
        assert made is not None
        drawn = group.random_bindings(group.domain, model, draw, made.statements)
        yield Deliver(
            name=self.name, clock=group.clock, when=self.when, order=self.order, domain=group.domain,
            statements=made.statements, bindings={**made.bindings, **drawn}, events=group.events_of(self.event),
        )  # fmt: skip


class Refractoriness:
    """The time after a spike in which there is no other.

    Parameters
    ----------
    group : Group
        Whose elements; gets the variables ``lastspike`` and ``not_refractory``.
    given : Quantity or str
        A time, or text: a time, or a condition that holds as long as the neuron is refractory.
    """

    def __init__(self, group: Group, given: Any) -> None:
        if not isinstance(given, (str, Quantity)):
            raise RallError(f"refractory of '{group.name}' is a time such as 5*ms, or text, not {given!r}")
        if isinstance(given, Quantity) and dimension_of(given) is not _SECOND:
            raise DimensionMismatchError(f"refractory of '{group.name}' is a time or a condition, not {given}")
        if isinstance(given, Quantity) and np.ndim(given):
            raise RallError(
                f"refractory of '{group.name}' takes one time; for one for each neuron make it a parameter "
                "('ref : second') and give its name, refractory='ref'"
            )
        self.group, self.given = group, given
        self.last = Variable("lastspike", group.domain, _SECOND)
        self.last.set(LONG_AGO)
        self.free = Variable("not_refractory", group.domain, DIMENSIONLESS, "boolean")
        self.free.set(True)
        self._time = Variable("_refractory", SHARED, _SECOND, role="constant")
        group.variables.update(lastspike=self.last, not_refractory=self.free)
        self.identifiers: frozenset[str] = frozenset()
        self.places: list[Parsed] = []
        if isinstance(given, str):
            self.places = [parse(given)]
            self.identifiers = names(self.places[0].node) | functions(self.places[0].node)

    def end(self) -> Code:
        """Statements that say at the beginning of a step who can spike again."""
        group = self.group
        external = group.run_externals()
        bindings: dict[str, Variable | Access] = {
            "lastspike": self.last, "not_refractory": self.free, "t": group.clock.t_variable,
            "dt": group.clock.dt_variable, "_refractory": self._time,
        }  # fmt: skip
        over: Node
        if isinstance(self.given, Quantity):
            dt = group.clock.dt
            steps = int((float(value_of(self.given)) + TOLERANCE * dt) / dt)
            self._time.array[0] = (steps - TOLERANCE) * dt
            over = Compare("<=", Name("lastspike"), sub(Name("t"), Name("_refractory")))
        else:
            parsed = parse(self.given)
            found = infer_typed(parsed, group.environment(external), group.functions(external))
            resolver = group.resolver(external)
            node = resolver.node(parsed.node)
            bindings.update(resolver.bindings)
            if found.kind == "boolean":
                over = Logic("or", Name("not_refractory"), Not(node))
            elif found.dimension is _SECOND:
                over = time_is_over("lastspike", node)
            else:
                wrong = f"refractory is a time or a condition, and '{self.given}' is in {found.dimension}"
                raise EquationError(wrong, self.given, 0)
        return Code([Assign("not_refractory", over)], bindings)

    def begin(self, name: str, event: Event) -> Deliver:
        """What a spike does to its neuron."""
        group = self.group
        statements = [Assign("lastspike", Name("t")), Assign("not_refractory", FALSE)]
        bindings = {"lastspike": self.last, "not_refractory": self.free, "t": group.clock.t_variable}
        return Deliver(
            name=name, clock=group.clock, when=event.when, order=event.order, domain=group.domain,
            statements=statements, bindings=bindings, events=event.happening,
        )  # fmt: skip
