"""What groups have that runs change: values, events of the last step, the place of their random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import NotSupportedError
from rall.events import EventList
from rall.model import Domain, EventClock, Variable
from rall.session import SimulationObject, session

__all__ = ["Stored"]


class Stored(SimulationObject):
    """Elements with variables, as ``store`` and ``restore`` see them.

    Parameters
    ----------
    name : str
        As in `SimulationObject`.
    domain : Domain
        The elements.
    clock, order, dt
        See `SimulationObject`.

    Attributes
    ----------
    variables : dict of str to Variable
        By the user's names.
    """

    def __init__(self, name: str, domain: Domain, clock: Any, order: int, dt: Any) -> None:
        super().__init__(name=name, dt=dt, clock=clock, order=order)
        if isinstance(self.clock, EventClock):
            raise NotSupportedError(
                f"'{self.name}' cannot have the EventClock '{self.clock.name}': a group has steps of equal length. "
                "Network operations, run_regularly and StateMonitor take one"
            )
        self.domain = domain
        self.variables: dict[str, Variable] = {}
        #: After which call of `seed`, how many texts have drawn random numbers.
        self._draws = (session.seeded, 0)

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that a run can change."""
        found = {n: v.array.copy() for n, v in self.changing().items()}
        found.update((_event_key(name), events.present.copy()) for name, events in self.event_lists().items())
        return found

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` gave."""
        for name, events in self.event_lists().items():
            events.put(state[_event_key(name)])
        for name, variable in self.changing().items():
            variable.array[:] = state[name]

    def left_out(self) -> None:
        """See `SimulationObject.left_out`: where it stands still, nothing happens."""
        for events in self.event_lists().values():
            events.put(np.zeros(0, np.int32))

    def changing(self) -> dict[str, Variable]:
        """The variables that a run or the user can change."""
        return {n: v for n, v in self.variables.items() if v.role in ("state", "parameter")}

    def event_lists(self) -> Mapping[str, EventList]:
        """What has happened in the last step, by the names of the events: what a step begins with may depend on it."""
        return {}

    def growing(self) -> Mapping[str, str]:
        """See `SimulationObject.growing`."""
        return {_event_key(name): _event_key(name) for name in self.event_lists()}

    def signature(self) -> str:
        """See `SimulationObject.signature`."""
        return "; ".join([f"{type(self).__name__} of {self.domain.size}", *self._described()])

    def _described(self) -> list[str]:
        found = [(name, v.kind, str(v.dimension)) for name, v in sorted(self.changing().items())]
        return [f"'{name}': {kind}" + (f" in {unit}" if unit != "1" else "") for name, kind, unit in found]

    def random_state(self) -> list[int]:
        """See `SimulationObject.random_state`."""
        own = super().random_state()
        return [*own, self._draws[1]] if own and self._draws[0] == session.seeded else own

    def set_random_state(self, state: Sequence[int]) -> None:
        """See `SimulationObject.set_random_state`."""
        super().set_random_state(state)
        if len(state):
            self._draws = session.seeded, int(state[1]) if len(state) > 1 else 0


def _event_key(name: str) -> str:
    return f"event {name}"
