"""EventMonitor and SpikeMonitor: what happened where and when, and values of variables at that time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import IndexOutOfRangeError, RallError
from rall.groups import ReadableStates
from rall.model import Model, Operation, RecordEvents
from rall.plugins.monitors.recorded import HERTZ, SECOND, group_of, labels_of, types_of
from rall.plugins.monitors.smoothing import smoothed, steps_of, window_of
from rall.recording import Events
from rall.session import SimulationObject
from rall.units import Quantity

__all__ = ["EventMonitor", "SpikeMonitor"]

#: Part of a step by which a time may lie before the border of a bin and yet count as lying in it.
_SAME_TIME = 1e-4


class EventMonitor(ReadableStates, SimulationObject):
    """Records events of a group.

    Parameters
    ----------
    source : Group or part of one
        Where things happen; elements are numbered as in the source.
    event : str
        Name of the event.
    variables : str or sequence of str, optional
        Variables and subexpressions whose values are kept with each event.
    record : bool or sequence of int
        Whether elements and times are kept, or those of which elements; events of all are counted either way.
    when, order : optional
        Where in the schedule; by default right after the event is found.
    name : str
        See `SimulationObject`.
    codeobj_class : object
        Accepted without effect.

    Attributes
    ----------
    i : ndarray of int, shape (events,)
        Element of each event.
    t : Quantity, shape (events,)
        Time of each event.
    count : ndarray of int, shape (elements,)
        Number of events of each element.

    Raises
    ------
    RallError
        If the source has no such event or variable.
    """

    invalidates_magic_network = False
    _ready = False

    def __init__(
        self,
        source: Any,
        event: str,
        variables: str | Sequence[str] | None = None,
        record: bool | Sequence[int] = True,
        when: str | None = None,
        order: int | None = None,
        name: str = "eventmonitor*",
        codeobj_class: Any = None,
    ) -> None:
        group = group_of(source, type(self).__name__)
        self._happening = group.events_of(event)
        self._asked = when, order
        super().__init__(name=name, clock=group.clock)
        self.source, self._group, self.event, self.record = source, group, event, record
        names = (variables,) if isinstance(variables, str) else tuple(variables or ())
        self.record_variables = tuple(v for v in dict.fromkeys(names) if v not in ("i", "t"))
        self._types = types_of(group, self.record_variables)
        self._labels, size = labels_of(source)
        self._counts = np.zeros(size, np.int64)
        self._kept = self._labels_kept(record)
        kept = self._keeps_times or bool(self.record_variables)
        self._events = Events(self._happening.most if kept else 0, len(self.record_variables))
        #: From which event on steps have which length, in seconds.
        self._steps: NDArray[np.float64] = np.zeros((0, 2))
        self._place()
        self._ready = True

    @property
    def _keeps_times(self) -> bool:
        return not (isinstance(self.record, (bool, np.bool_)) and not self.record)

    def _labels_kept(self, record: Any) -> NDArray[np.int64]:
        if isinstance(record, (bool, np.bool_)):
            return self._labels
        numbers = np.atleast_1d(np.asarray(record))
        size = len(self._counts)
        if numbers.size and (numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() >= size):
            raise IndexOutOfRangeError(
                f"record of a {type(self).__name__} is True, False or elements from 0 to {size - 1}, not "
                f"{record!r:.80}"
            )
        return np.where(np.isin(self._labels, numbers), self._labels, -1)

    def _place(self) -> None:
        when, order = self._group.event_order(self.event)
        self.when = when if self._asked[0] is None else self._asked[0]
        self.order = order + 1 if self._asked[1] is None else self._asked[1]

    # --- running --------------------------------------------------------------------------------------------

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self._group,)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        self._place()  # the event may have moved since
        dt = self.clock.dt
        if not len(self._steps) or self._steps[-1, 1] != dt:
            self._steps = np.concatenate([self._steps, [[len(self._events), dt]]])

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        place = (self.clock, self.when, self.order)
        probes, found = self._group.probe(self.record_variables, self.name, place, model, self._happening)
        yield from probes
        make = partial(RecordEvents, clock=self.clock, when=self.when, order=self.order, events=self._happening)
        log = self._events if self._keeps_times or self.record_variables else None
        values = [found[v] for v in self.record_variables]
        everywhere = self._kept is self._labels
        yield make(
            name=f"{self.name}~record", labels=self._kept, log=log, values=values,
            counts=self._counts if everywhere else None,
        )  # fmt: skip
        if not everywhere:
            yield make(name=f"{self.name}~count", labels=self._labels, counts=self._counts)

    # --- what users see -------------------------------------------------------------------------------------

    def _logged(self, name: str) -> NDArray[np.int64]:
        if not self._keeps_times:
            raise AttributeError(f"'{self.name}' has counted events alone, as record=False; it knows no {name}")
        return self._events.values()

    @property
    def i(self) -> NDArray[np.int64]:
        """Element of each event, shape (events,)."""
        return self._logged("i")[:, 0].copy()

    @property
    def t_(self) -> NDArray[np.float64]:
        """Time of each event in seconds, shape (events,)."""
        times = self._logged("t")[:, 1].astype(float)
        borders = [*self._steps[:, 0].astype(int).tolist(), len(times)]
        for first, last, dt in zip(borders, borders[1:], self._steps[:, 1].tolist()):
            times[first:last] *= dt
        return times

    @property
    def t(self) -> Quantity:
        """Time of each event, shape (events,)."""
        return Quantity(self.t_, dim=SECOND)

    @property
    def it(self) -> tuple[NDArray[np.int64], Quantity]:
        """Elements and times."""
        return self.i, self.t

    @property
    def it_(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Elements and times in seconds."""
        return self.i, self.t_

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of events of each element of the source, shape (elements,)."""
        return self._counts.copy()

    @property
    def num_events(self) -> int:
        """Number of events of all elements."""
        return int(self._counts.sum())

    @property
    def N(self) -> int:
        """Number of events that are kept; of all, where none are."""
        return len(self._events) if self._keeps_times else self.num_events

    def __len__(self) -> int:
        return self.N

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not self._ready:
            raise AttributeError(name)
        plain = name.removesuffix("_")
        if plain not in self.record_variables:
            known = ", ".join((*("i", "t")[: 2 * self._keeps_times], "count", *self.record_variables))
            raise AttributeError(f"'{self.name}' does not record '{name}'; it records {known}")
        return self._recorded(plain, plain == name)

    def _recorded(self, name: str, units: bool) -> Any:
        column = self._events.extras()[:, self.record_variables.index(name)]
        return self._types[name].values(column.copy(), units)

    # --- by element -----------------------------------------------------------------------------------------

    def values(self, var: str) -> dict[int, Any]:
        """Values of one variable at the events of each element that is recorded, in the order of time.

        Parameters
        ----------
        var : str
            ``'t'``, ``'i'`` or one of `record_variables`.

        Returns
        -------
        dict
            By the element's number.

        Raises
        ------
        RallError
            For another name.
        """
        self._logged(var)
        if var not in ("i", "t", *self.record_variables):
            known = ", ".join(("i", "t", *self.record_variables))
            raise RallError(f"'{self.name}' records {known}, not '{var}'")
        return self._by_element(getattr(self, var))

    def _by_element(self, values: Any) -> dict[int, Any]:
        i, numbers = self._events.values()[:, 0], self._numbers()
        order = np.argsort(i, kind="stable")
        borders = np.searchsorted(i[order], [*numbers, len(self._counts)])
        ordered = values[order]
        return {k: ordered[first:last] for k, first, last in zip(numbers, borders, borders[1:])}

    def _numbers(self) -> list[int]:
        return sorted(self._kept[self._kept >= 0].tolist())

    def all_values(self) -> dict[str, dict[int, Any]]:
        """`values` of the times and of all recorded variables, by their name."""
        return {name: self.values(name) for name in (*self.record_variables, "t")}

    def event_trains(self) -> dict[int, Quantity]:
        """Times of the events of each element that is recorded, by its number."""
        return self.values("t")

    # --- rates ----------------------------------------------------------------------------------------------

    def binned_rate(self, bin_size: Any) -> tuple[Quantity, Quantity]:
        """Events per second of each recorded element in bins of equal length, from 0 to now.

        A last bin that is not full is left out.

        Parameters
        ----------
        bin_size : Quantity
            A multiple of the step.

        Returns
        -------
        bins : Quantity, shape (bins,)
            Where each bin starts.
        rates : Quantity, shape (elements, bins)
            The rates, by the elements' numbers.

        Raises
        ------
        RallError
            If the size is no multiple of the step.
        """
        starts, rates = self._binned(steps_of(bin_size, self.clock.dt))
        return Quantity(starts, dim=SECOND), Quantity(rates, dim=HERTZ)

    def _binned(self, steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        dt = self.clock.dt
        length, bins = steps * dt, self.clock.step // steps
        numbers = self._numbers()
        which = ((self.t_ + _SAME_TIME * dt) / length).astype(np.int64)
        inside = which < bins
        row = np.searchsorted(numbers, self.i[inside])
        counts = np.bincount(row * bins + which[inside], minlength=len(numbers) * bins)
        starts: NDArray[np.float64] = np.asarray(np.arange(bins) * length, np.float64)
        return starts, counts.reshape(len(numbers), bins) / length

    def smooth_rate(self, window: str | NDArray[Any] = "gaussian", width: Any = None) -> Quantity:
        """Events per second of each recorded element in each step, under a window that slides over them.

        Parameters
        ----------
        window : 'gaussian', 'flat' or array
            See `rall.plugins.monitors.smoothing.window_of`.
        width : Quantity, optional
            Standard deviation of the Gaussian, or length of the flat window.

        Returns
        -------
        Quantity, shape (elements, steps)
            From 0 to now.

        Raises
        ------
        RallError
            For a window that is none.
        """
        weights = window_of(window, width, self.clock.dt)
        return Quantity(smoothed(self._binned(1)[1], weights), dim=HERTZ)

    # --- states ---------------------------------------------------------------------------------------------

    def state_names(self, subexpressions: bool, read_only_variables: bool) -> list[str]:
        """See `ReadableStates.state_names`."""
        times = ("i", "t") if self._keeps_times else ()
        return [*times, *self.record_variables, "count", "N"] if read_only_variables else []

    def state_value(self, name: str, units: bool) -> Any:
        """See `ReadableStates.state_value`."""
        return getattr(self, name if units or name in ("i", "count", "N") else f"{name}_")

    def state(self) -> dict[str, NDArray[Any]]:
        """See `SimulationObject.state`."""
        return {
            "events": self._events.values(), "values": self._events.extras(), "count": self._counts,
            "steps": self._steps,
        }  # fmt: skip

    def growing(self) -> Mapping[str, str]:
        """See `SimulationObject.growing`."""
        return {"events": "events", "values": "events", "steps": "changes of dt"}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `SimulationObject.set_state`."""
        self._events.replace(state["events"], state["values"])
        self._counts[:] = state["count"]
        self._steps = state["steps"]


class SpikeMonitor(EventMonitor):
    """Records spikes.

    Parameters
    ----------
    source : Group or part of one
        What spikes.
    variables, record, when, order, name, codeobj_class
        See `EventMonitor`.
    """

    def __init__(
        self,
        source: Any,
        variables: str | Sequence[str] | None = None,
        record: bool | Sequence[int] = True,
        when: str | None = None,
        order: int | None = None,
        name: str = "spikemonitor*",
        codeobj_class: Any = None,
    ) -> None:
        super().__init__(source, "spike", variables, record, when, order, name, codeobj_class)

    @property
    def num_spikes(self) -> int:
        """Number of spikes of all elements."""
        return self.num_events

    def spike_trains(self) -> dict[int, Quantity]:
        """Times of the spikes of each element that is recorded, by its number."""
        return self.event_trains()
