"""SpikeGeneratorGroup: elements that spike at given times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import Equations
from rall.errors import DimensionMismatchError, IndexOutOfRangeError, RallError
from rall.events import EventList, Timetable
from rall.groups.size import number_of_elements
from rall.model import SHARED, Domain, Emit, Layout, Model, Operation, Variable
from rall.plugins.inputs.given import measured
from rall.plugins.inputs.source import SpikeSource
from rall.session import seconds
from rall.units import Quantity, get_or_create_dimension, in_best_unit, value_of

__all__ = ["SpikeGeneratorGroup"]

_SECOND = get_or_create_dimension(second=1)
#: Part of a step by which a time may be too short and yet count as that step, as in `timestep`.
_TOLERANCE = 1e-3
_NEVER = Quantity(0.0, dim=_SECOND)


class SpikeGeneratorGroup(SpikeSource):
    """Elements that spike at given times.

    A time means the step in which it lies; one that is less than 1e-3 of a step too short for the next step counts
    for that.  Times that have passed when a run begins are passed over.

    Parameters
    ----------
    N : int
        How many elements.
    indices : array of int, shape (spikes,)
        Which element spikes.
    times : Quantity, shape (spikes,)
        When.
    dt, clock, when, order
        See `SimulationObject`.
    period : Quantity
        After which time everything happens again, a multiple of ``dt``; 0 for never.
    sorted : bool
        Whether `times` ascend already; saves the sorting of very many.
    name : str
        See `SimulationObject`.
    codeobj_class : object
        Accepted without effect.

    Attributes
    ----------
    neuron_index : ndarray of int64, shape (spikes,)
        Elements, in the order of times.
    spike_time : Quantity, shape (spikes,)
        Times, ascending.
    period : Quantity
        The period.

    Raises
    ------
    DimensionMismatchError
        If `times` or `period` are no times.
    IndexOutOfRangeError
        If there is no such element.
    RallError
        If something else does not fit.  That an element spikes twice in a step, or that `period` is no multiple of it,
        is found when a run begins, as ``dt`` may change before.
    """

    def __init__(
        self,
        N: int,
        indices: Any,
        times: Any,
        dt: Any = None,
        clock: Any = None,
        period: Any = _NEVER,
        when: str = "thresholds",
        order: int = 0,
        sorted: bool = False,
        name: str = "spikegeneratorgroup*",
        codeobj_class: Any = None,
    ) -> None:
        domain = Domain("sources", Layout(number_of_elements(N, "SpikeGeneratorGroup", "elements")))
        super().__init__(name, domain, Equations(""), None, clock, order, dt)
        self.when = when
        self.variables["period"] = Variable("period", SHARED, _SECOND, role="constant")
        self._happening = EventList(domain.size)
        self._indices: NDArray[np.int64] = np.zeros(0, np.int64)
        self._times: NDArray[np.float64] = np.zeros(0)
        self._table = Timetable(self._indices, np.zeros(0, np.int32))
        self.set_spikes(indices, times, period, sorted)
        self._ready = True

    # --- what users see ---------------------------------------------------------------------------------------

    def set_spikes(self, indices: Any, times: Any, period: Any = _NEVER, sorted: bool = False) -> None:
        """Replace all spikes; takes effect in the next run.

        Parameters
        ----------
        indices, times, period, sorted
            As of the class.  Times count from the beginning of the network's time, not from now.
        """
        which, when = self._elements(indices), self._seconds(times)
        if len(which) != len(when):
            raise RallError(
                f"'{self.name}' takes an index for each time, and there are {len(which)} indices and {len(when)} times"
            )
        again = seconds(period, f"the period of '{self.name}'")
        if again < 0:
            raise RallError(f"the period of '{self.name}' cannot be negative: {period}")
        last = when.max(initial=-1.0)
        if 0 < again <= last:
            raise RallError(
                f"the period of '{self.name}', {period}, must be longer than the last spike time, {_shown(last)}"
            )
        ascending = bool(np.all(when[1:] >= when[:-1]))
        if sorted and not ascending:
            raise RallError(f"the spike times of '{self.name}' do not ascend; leave out sorted=True")
        if not ascending:
            order = np.lexsort((which, when))
            which, when = which[order], when[order]
        self._indices, self._times = which, when
        self.variables["period"].array[0] = again

    def _elements(self, indices: Any) -> NDArray[np.int64]:
        given = np.atleast_1d(np.asarray(indices))
        whole = given.dtype.kind in "iu" or (given.dtype.kind == "f" and bool(np.all(given == np.floor(given))))
        if given.size and (not whole or given.ndim != 1):
            raise RallError(f"the indices of '{self.name}' are a list of whole numbers, not {indices!r:.60}")
        wrong = given[(given < 0) | (given >= self.N)]
        if len(wrong):
            raise IndexOutOfRangeError(
                f"'{self.name}' has the elements 0 to {self.N - 1}, and a spike is given for element {wrong[0]}"
            )
        return given.astype(np.int64)

    def _seconds(self, times: Any) -> NDArray[np.float64]:
        found = measured(times)
        if found is None or (found is not _SECOND and np.size(value_of(times))):
            raise DimensionMismatchError(
                f"the spike times of '{self.name}' are times such as [1, 5]*ms, not {times!r:.60}"
            )
        plain = np.atleast_1d(np.asarray(value_of(times), float))
        if plain.ndim != 1 or not np.isfinite(plain).all():
            raise RallError(f"the spike times of '{self.name}' are a list of finite times, not {times!r:.60}")
        if plain.min(initial=0.0) < 0:
            raise RallError(f"a spike time of '{self.name}' is negative: {_shown(plain.min())}; runs begin at 0")
        return plain.copy()

    @property
    def neuron_index(self) -> NDArray[np.int64]:
        """Element of each spike, in the order of times; a copy, shape (spikes,)."""
        return self._indices.copy()

    @property
    def spike_time(self) -> Quantity:
        """Times, ascending; shape (spikes,)."""
        return Quantity(self._times.copy(), dim=_SECOND)

    # --- running ----------------------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        super().before_run(namespace)
        dt = self.clock.dt
        steps = np.floor(self._times / dt + _TOLERANCE).astype(np.int64)
        # Sources of a step are in the order of their numbers, whatever their times within it are.
        order = np.lexsort((self._indices, steps))
        steps, which = steps[order], self._indices[order]
        twice = np.flatnonzero((steps[1:] == steps[:-1]) & (which[1:] == which[:-1]))
        if len(twice):
            first, second = self._times[order[twice[0]]], self._times[order[twice[0] + 1]]
            raise RallError(
                f"element {which[twice[0]]} of '{self.name}' spikes at {_shown(first)} and at {_shown(second)}, twice "
                f"in one step of {_shown(dt)}; make dt smaller, or leave out one of them"
            )
        self._table = Timetable(steps, which.astype(np.int32), self._period_steps(steps, dt))

    def _period_steps(self, steps: NDArray[np.int64], dt: float) -> int:
        period = float(self.variables["period"].array[0])
        whole = round(period / dt)
        if abs(period / dt - whole) > _TOLERANCE or (period > 0 and whole < 1):
            raise RallError(
                f"the period of '{self.name}', {_shown(period)}, is no multiple of the step of {_shown(dt)}; take one "
                "that is, or another dt"
            )
        if 0 < whole <= steps.max(initial=-1):
            raise RallError(
                f"the last spike of '{self.name}', at {_shown(self._times[-1])}, falls into the first step after the "
                f"period of {_shown(period)}; give it the time 0"
            )
        return whole

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        yield Emit(
            name=self.name, clock=self.clock, when=self.when, order=self.order, source=self._table,
            events=self._happening,
        )  # fmt: skip

    # --- store and restore ------------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """See `SimulationObject.state`: the spikes, which may be others in the next run."""
        own = {"indices": self._indices, "times": self._times, "period": self.variables["period"].array}
        return {**super().state(), **own}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `SimulationObject.set_state`."""
        super().set_state(state)
        self._indices, self._times = state["indices"], state["times"]
        self.variables["period"].array[:] = state["period"]

    def growing(self) -> Mapping[str, str]:
        """See `SimulationObject.growing`."""
        return {**super().growing(), "indices": "spikes", "times": "spikes"}

    def places(self) -> list[tuple[str, str, int]]:
        """See `SimulationObject.places`."""
        return [(self.name, self.when, self.order)]


def _shown(time: float) -> str:
    return str(in_best_unit(Quantity(time, dim=_SECOND)))
