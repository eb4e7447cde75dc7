"""SpikeMonitor: which element spiked when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import NotSupportedError, RallError
from rall.groups import Group
from rall.model import Model, Operation, RecordEvents
from rall.recording import Events
from rall.session import SimulationObject
from rall.units import Quantity, get_or_create_dimension

__all__ = ["SpikeMonitor"]

_SECOND = get_or_create_dimension(second=1)


class SpikeMonitor(SimulationObject):
    """Records spikes.

    Parameters
    ----------
    source : Group
        What spikes.
    variables : None
        Values of further variables at spikes are not offered yet.
    record : bool
        Whether times are kept; spikes are counted either way.
    when, order, name
        See `SimulationObject`; by default right after the threshold.

    Attributes
    ----------
    i : ndarray of int
        Element of each spike.
    t : Quantity
        Time of each spike.
    count : ndarray of int, shape (N,)
        Number of spikes of each element.
    """

    invalidates_magic_network = False

    def __init__(
        self,
        source: Any,
        variables: str | Sequence[str] | None = None,
        record: bool = True,
        when: str = "thresholds",
        order: int | None = None,
        name: str = "spikemonitor*",
    ) -> None:
        group: Group = getattr(source, "group", source)
        if not isinstance(group, Group):
            raise RallError(f"SpikeMonitor needs a group, not {source!r}")
        if variables:
            raise NotSupportedError("variables at spikes cannot be recorded yet; record them with a StateMonitor")
        if not isinstance(record, (bool, np.bool_)):
            raise NotSupportedError(f"record of a SpikeMonitor is True or False, not {record!r}")
        super().__init__(name=name, clock=group.clock, when=when, order=group.order + 1 if order is None else order)
        self.source, self._group, self._record = source, group, record
        self._happening = group.events_of("spike")
        self._labels = labels_of(source)
        self._events = Events(self._happening.most)

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        yield RecordEvents(
            name=f"{self.name}~record", clock=self.clock, when=self.when, order=self.order, events=self._happening,
            labels=self._labels, log=self._events,
        )  # fmt: skip

    @property
    def i(self) -> NDArray[np.int64]:
        """Element of each spike."""
        return self._events.values()[:, 0].copy()

    @property
    def t_(self) -> NDArray[np.float64]:
        """Time of each spike in seconds."""
        return np.asarray(self._events.values()[:, 1] * self.clock.dt, float)

    @property
    def t(self) -> Quantity:
        """Time of each spike."""
        return Quantity(self.t_, dim=_SECOND)

    @property
    def it(self) -> tuple[NDArray[np.int64], Quantity]:
        """Elements and times."""
        return self.i, self.t

    @property
    def num_spikes(self) -> int:
        """Number of spikes of all elements."""
        return len(self._events.values())

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of spikes of each element, shape (N,)."""
        return np.bincount(self.i, minlength=self._group.N)

    @property
    def it_(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Elements and times in seconds."""
        return self.i, self.t_

    def values(self, var: str) -> dict[int, Any]:
        """Values of one variable for every element that is looked at, by its number.

        Parameters
        ----------
        var : str
            't' or 'i'.

        Raises
        ------
        RallError
            For another name.
        """
        if var not in ("i", "t"):
            raise RallError(f"'{self.name}' records i and t, not '{var}'")
        i, values = self.i, getattr(self, var)
        return {k: values[i == k] for k in self._numbers()}

    def all_values(self) -> dict[str, dict[int, Any]]:
        """`values` of all variables, by their name."""
        return {name: self.values(name) for name in ("i", "t")}

    def spike_trains(self) -> dict[int, Quantity]:
        """Times of the spikes of every element that is looked at, by its number."""
        i, t = self.i, self.t_
        return {k: Quantity(t[i == k], dim=_SECOND) for k in self._numbers()}

    def _numbers(self) -> list[int]:
        return sorted(self._labels[self._labels >= 0].tolist())

    def state(self) -> dict[str, NDArray[Any]]:
        """See `SimulationObject.state`."""
        return {"events": self._events.values()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `SimulationObject.set_state`."""
        self._events.replace(state["events"])


def labels_of(source: Any) -> NDArray[np.int64]:
    """What each storage index of a source's group is reported as: its number in the source, -1 outside of it."""
    group: Group = getattr(source, "group", source)
    layout = group.domain.layout
    if source is group:
        return layout.users()
    labels = np.full(layout.stored, -1)
    labels[layout.index(source.indices)] = np.arange(len(source.indices))
    return labels
