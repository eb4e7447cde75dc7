"""Code that runs for all elements of a group at regular or given times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.events import EventList, Timetable
from rall.groups.code import Code, code_identifiers, code_places, compile_code
from rall.ir.nodes import Compare, Name, number
from rall.model import SHARED, Elementwise, Emit, Model, Operation, Variable
from rall.session import SimulationObject

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["CodeRunner"]


class CodeRunner(SimulationObject):
    """Statements for every element of a group.

    Parameters
    ----------
    group : Group
        Whose elements.
    code : str
        The statements.
    times : ndarray of float, optional
        When, in seconds; without it at every step of the clock.
    dt, clock, when, order, name
        As of `SimulationObject`; by default the clock of the group.
    """

    add_to_magic_network = False

    def __init__(
        self,
        group: Group,
        code: str,
        times: NDArray[np.float64] | None = None,
        dt: Any = None,
        clock: Any = None,
        when: str = "start",
        order: int = 0,
        name: str | None = None,
    ) -> None:
        if dt is None and clock is None:
            clock = group.clock
        super().__init__(name or f"{group.name}_run_regularly*", dt=dt, clock=clock, when=when, order=order)
        # What it draws is told from other draws by the group's stream; a number in the group's name plays no part.
        self._family = "run_regularly" if name is None else self._family
        self.group, self.code, self.times = group, code, times
        self._identifiers = code_identifiers(code)
        self._external: dict[str, object] = {}
        self._made: Code | None = None

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        self._external = self.group.externals(self._identifiers, namespace, where=code_places(self.code))
        self._made = compile_code(self.group, self.code, self._external, f"the code of '{self.name}'")
        self.group.note_written(self._made.written)

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        made = self._made
        assert made is not None
        group = self.group
        bindings = {**made.bindings, **group.random_bindings(group.domain, model, self.stream, made.statements)}
        # Between two steps of the group, time goes on for this code alone.
        time, step = self.clock.t_variable, self.clock.step_variable
        own = {"t": time, "t_in_timesteps": step, "_step": step}
        bindings.update({name: variable for name, variable in own.items() if name in bindings})
        mask = None
        if self.times is not None:
            events, due = EventList(1), Variable("_due", SHARED, kind="integer", role="scratch")
            due.array = events.count
            yield Emit(
                name=f"{self.name}_0times", clock=self.clock, when=self.when, order=self.order,
                source=self._timetable(), events=events,
            )  # fmt: skip
            bindings["_due"] = due
            mask = Compare(">", Name("_due"), number(0.0))
        yield Elementwise(
            name=f"{self.name}_1code", clock=self.clock, when=self.when, order=self.order, domain=group.domain,
            statements=made.statements, bindings=bindings, mask=mask,
        )  # fmt: skip

    def _timetable(self) -> Timetable:
        assert self.times is not None
        steps = self.times / self.clock.dt
        whole = np.round(steps).astype(np.int64)
        if np.any(np.abs(steps - whole) > 1e-3):
            wrong = self.times[np.abs(steps - whole) > 1e-3][0]
            raise RallError(
                f"'{self.name}' is to run at {wrong:g} s, which is no multiple of the step of {self.clock.dt:g} s"
            )
        whole = np.unique(whole)
        return Timetable(whole, np.zeros(len(whole), np.int32))
