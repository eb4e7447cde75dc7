"""Code that runs for all elements of a group at regular or given times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, RallError
from rall.events import EventList, Timetable
from rall.groups.bound import variable_of
from rall.groups.code import Code, code_identifiers, compile_code
from rall.ir.nodes import Compare, Name, number, select
from rall.ir.statements import parse_statements
from rall.model import SHARED, Access, Assign, Deliver, Elementwise, Emit, Model, Operation, Variable
from rall.session import SimulationObject
from rall.units import dimension_of, get_or_create_dimension, value_of

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["CodeRunner", "times_in_seconds"]

_SECOND = get_or_create_dimension(second=1)


class CodeRunner(SimulationObject):
    """Statements for every element of a group, or of a part of it.

    Parameters
    ----------
    group : Group
        Whose elements.
    code : str
        The statements.
    times : ndarray of float, optional
        When, in seconds; without it at every step of the clock.
    part : ndarray of int64, optional
        The elements, by their numbers in the group; in the code they are numbered from 0.  All without it.
    dt, clock, when, order, name
        As of `SimulationObject`; by default the clock of the group.
    """

    add_to_magic_network = False

    def __init__(
        self,
        group: Group,
        code: str,
        times: NDArray[np.float64] | None = None,
        part: NDArray[np.int64] | None = None,
        *,
        dt: Any = None,
        clock: Any = None,
        when: str = "start",
        order: int = 0,
        name: str | None = None,
    ) -> None:
        if not isinstance(code, str):
            raise RallError(f"what '{group.name}' is to run is text, not {code!r:.60}")
        if dt is None and clock is None:
            clock = group.clock
        super().__init__(name or f"{group.name}_run_regularly*", dt=dt, clock=clock, when=when, order=order)
        self.group, self.code, self.times, self.part = group, code, times, part
        self._identifiers = code_identifiers(code)
        number = sum(isinstance(one, CodeRunner) for one in group.contained_objects)
        self._draw = f"regular {number}"
        self._made: Code | None = None
        group.contained_objects.append(self)

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self.group,)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        external = self.group.externals(self._identifiers, namespace, where=parse_statements(self.code))
        self._made = compile_code(self.group, self.code, external, f"the code of '{self.name}'")
        self.group.note_written(self._made.written)

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        made = self._made
        assert made is not None
        group = self.group
        bindings = {**made.bindings, **group.random_bindings(group.domain, model, self._draw, made.statements)}
        # Between two steps of the group, time goes on for this code alone.
        time, step = self.clock.t_variable, self.clock.step_variable
        own: dict[str, Variable | Access] = {"t": time, "t_in_timesteps": step, "_step": step}
        statements, mask = made.statements, None
        if self.part is not None:
            own.update(self._numbers(self.part))
            bindings["_inside"] = self._inside(self.part)
            statements = [_only_inside(statement, bindings) for statement in statements]
        bindings.update({name: variable for name, variable in own.items() if name in bindings})
        if self.times is not None:
            events, due = EventList(1), Variable("_due", SHARED, kind="integer", role="scratch")
            due.array = events.count
            yield Emit(
                name=f"{self.name}!0times", clock=self.clock, when=self.when, order=self.order,
                source=self._timetable(self.times), events=events,
            )  # fmt: skip
            bindings["_due"] = due
            mask = Compare(">", Name("_due"), number(0.0))
        common: dict[str, Any] = dict(
            name=f"{self.name}!1code", clock=self.clock, when=self.when, order=self.order, domain=group.domain,
            statements=statements, bindings=bindings, mask=mask,
        )  # fmt: skip
        if any(isinstance(bindings[name], Access) for name in made.written):
            # Several elements may set the same one elsewhere: one after the other.
            everything = EventList(group.N)
            everything.put(group.domain.layout.index(np.arange(group.N)))
            yield Deliver(**common, events=everything)
        else:
            yield Elementwise(**common)

    def _numbers(self, part: NDArray[np.int64]) -> dict[str, Variable]:
        """What a part calls its elements, and how many there are."""
        i = Variable("i", self.group.domain, kind="integer", role="constant")
        values = np.zeros(self.group.N, np.int64)
        values[part] = np.arange(len(part))
        i.set(values)
        n = Variable("N", SHARED, kind="integer", role="constant")
        n.array[0] = len(part)
        return {"i": i, "N": n}

    def _inside(self, part: NDArray[np.int64]) -> Variable:
        inside = Variable("_inside", self.group.domain, kind="boolean", role="constant")
        inside.array[self.group.domain.layout.index(part)] = True
        return inside

    def _timetable(self, times: NDArray[np.float64]) -> Timetable:
        steps = times / self.clock.dt
        whole = np.round(steps).astype(np.int64)
        if np.any(np.abs(steps - whole) > 1e-3):
            wrong = times[np.abs(steps - whole) > 1e-3][0]
            raise RallError(
                f"'{self.name}' is to run at {wrong:g} s, which is no multiple of the step of {self.clock.dt:g} s"
            )
        whole = np.unique(whole)
        return Timetable(whole, np.zeros(len(whole), np.int32))


def _only_inside(statement: Assign, bindings: Mapping[str, Variable | Access]) -> Assign:
    """A statement that leaves elements outside of the part as they are; what all share belongs to the part too."""
    bound = bindings.get(statement.target)
    if bound is None or variable_of(bound).shared:
        return statement
    return Assign(statement.target, select(Name("_inside"), statement.value, Name(statement.target)))


def times_in_seconds(times: Any) -> NDArray[np.float64]:
    """Times at which code is to run, as plain numbers.

    Parameters
    ----------
    times : Quantity
        One or several.

    Raises
    ------
    DimensionMismatchError
        If they are no times.
    """
    if isinstance(times, str) or dimension_of(times) is not _SECOND:
        raise DimensionMismatchError(f"run_at takes times such as [10, 20]*ms, not {times!r}")
    return np.atleast_1d(np.asarray(value_of(times), float))
