"""Events: what happens in a step, when it is known before, and the way to the elements that it reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError

__all__ = ["EventList", "EventQueue", "Timetable"]

_Indices = NDArray[np.int32]


class EventList:
    """The elements at which something happens in the present step, each once.

    Parameters
    ----------
    most : int
        Largest number of events of one step.

    Attributes
    ----------
    elements : ndarray of int32, shape (most,)
        Storage indices, in the user's order.
    count : ndarray of int64, shape (1,)
        How many of them count.
    """

    def __init__(self, most: int) -> None:
        self.elements: _Indices = np.zeros(max(1, most), np.int32)
        self.count = np.zeros(1, np.int64)
        self.most = most

    @property
    def address(self) -> int:
        """Where it lies, which tells it from other lists and variables."""
        return int(self.elements.__array_interface__["data"][0])

    @property
    def present(self) -> _Indices:
        """The elements of this step; shape (events,)."""
        return self.elements[: self.count[0]]

    def put(self, elements: NDArray[Any]) -> None:
        """Replace the events of this step."""
        self.count[0] = len(elements)
        self.elements[: len(elements)] = elements


class Timetable:
    """Events whose times are known before.

    Parameters
    ----------
    steps : ndarray of int64, shape (events,)
        When, ascending.
    elements : ndarray of int32, shape (events,)
        Storage index of each.
    period : int
        After how many steps it begins again; 0 for never.
    """

    def __init__(self, steps: NDArray[np.int64], elements: NDArray[np.int32], period: int = 0) -> None:
        self.steps = np.ascontiguousarray(steps, np.int64)
        self.elements = np.ascontiguousarray(elements, np.int32)
        self.period = np.array([period], np.int64)
        #: Where to look first; a device moves it.
        self.cursor = np.zeros(1, np.int64)


class EventQueue:
    """Which elements an event reaches, and after how many steps.

    The targets of one source with one delay are a *run*; the runs of a source are sorted by delay.  An event that
    is under way waits at its next run, so that it costs no memory for the targets it has not reached yet, and nothing
    is searched.  Runs that are due in one step are taken in the order of (step of the event, place of its source).

    Parameters
    ----------
    sources : ndarray of int32, shape (targets,)
        Storage index of the source of each target.
    delays : ndarray of int, shape (targets,), or int
        In steps, 0 or more.
    size : int
        Number of storage elements of the source.
    pending : tuple of (ndarray of int32, ndarray of int64), optional
        Targets that older events have not reached yet and how many steps from now they do, as `pending` gave it.
    now : int
        The next step.

    Attributes
    ----------
    first_run : ndarray of int32, shape (size + 2,)
        ``first_run[s]`` to ``first_run[s + 1]`` are the runs of a source; the last one stands for older events.
    run_delay : ndarray of int64, shape (runs,)
        In steps.
    run_start : ndarray of int32, shape (runs + 1,)
        Borders of the runs in `order`.
    order : ndarray of int32 or None
        Targets sorted by source and delay; None where they lie so already.
    due, run, last : ndarray
        Of each event under way: the step of its next run, that run, and the end of its source's.
    active : ndarray of int64, shape (3,)
        How many entries these have, how many of those have arrived everywhere (their `due` is -1), and the step that
        comes next.  Where that is not the step of the clock, the queue has stood still, and goes on from where it was.
    batch_first, batch_last, batch : ndarray
        Borders in `order` of the runs that are due in this step, and their number.
    """

    def __init__(
        self,
        sources: NDArray[np.int32],
        delays: NDArray[Any] | int,
        size: int,
        pending: tuple[NDArray[np.int32], NDArray[np.int64]] | None = None,
        now: int = 0,
    ) -> None:
        if np.min(delays, initial=0) < 0:
            raise RallError("a delay is negative")
        late, when = (np.zeros(0, np.int32), np.zeros(0, np.int64)) if pending is None else pending
        self.size = size
        self.order = _sorted(sources, delays, size)
        owner, wait = _ordered(sources, self.order), _ordered(delays, self.order)
        if len(late):
            by_time = np.argsort(when, kind="stable")
            order = np.arange(len(sources), dtype=np.int32) if self.order is None else self.order
            self.order = np.concatenate([order, late[by_time]])
            owner = np.concatenate([owner, np.full(len(late), size, np.int32)])
            wait = np.concatenate([np.broadcast_to(wait, (len(sources),)), when[by_time]])
        new = np.ones(len(owner), bool)
        if len(owner):
            new[1:] = owner[1:] != owner[:-1]
            if np.ndim(wait):
                new[1:] |= wait[1:] != wait[:-1]
        starts = np.flatnonzero(new)
        self.run_start: _Indices = np.append(starts, len(owner)).astype(np.int32)
        self.run_delay = np.broadcast_to(wait, (len(owner),))[starts].astype(np.int64)
        self.first_run: _Indices = np.searchsorted(owner[starts], np.arange(size + 2)).astype(np.int32)
        self.active, self.batch = np.array([0, 0, now], np.int64), np.zeros(1, np.int64)
        longest = int(self.run_delay.max(initial=0))
        self._make_room(min(size * (longest + 1), max(4 * size, 1 << 12)) + 2)
        if len(late):
            runs = self.first_run[size : size + 2]
            self.due[0], self.run[0], self.last[0] = now + self.run_delay[runs[0]], runs[0], runs[1]
            self.active[0] = 1

    def _make_room(self, room: int) -> None:
        self.due = np.zeros(room, np.int64)
        self.run, self.last = np.zeros(room, np.int32), np.zeros(room, np.int32)
        self.batch_first, self.batch_last = np.zeros(room, np.int32), np.zeros(room, np.int32)

    @property
    def shortest(self) -> int:
        """The least delay of all targets in steps; very long without any."""
        return int(self.run_delay[: self.first_run[self.size]].min(initial=1 << 30))

    @property
    def longest(self) -> int:
        """The largest delay of all targets in steps."""
        return int(self.run_delay[: self.first_run[self.size]].max(initial=0))

    @property
    def late(self) -> bool:
        """Whether there were older events, so that one target may be reached twice in a step."""
        return bool(self.first_run[self.size] < self.first_run[self.size + 1])

    # --- as a buffer that a device fills ----------------------------------------------------------------------

    @property
    def count(self) -> NDArray[np.int64]:
        """Entries of events under way, first of the array."""
        return self.active

    @property
    def limit(self) -> int:
        """Largest number under way with room for one more step."""
        return len(self.due) - self.size - 1

    @property
    def each(self) -> int:
        """Largest number of events that a step adds."""
        return self.size

    def drain(self) -> None:
        """Make more room, if there is too little for another step."""
        if self.active[0] > self.limit:
            self._more_room(2 * len(self.due) + self.size)

    def widen(self, steps: int) -> None:
        """Make room for the events of so many steps, beside what is under way."""
        wanted = int(self.active[0]) + self.size * (steps + 1) + 2
        if wanted > len(self.due):
            self._more_room(wanted)

    def _more_room(self, room: int) -> None:
        kept = {name: getattr(self, name) for name in ("due", "run", "last")}
        self._make_room(room)
        for name, old in kept.items():
            getattr(self, name)[: len(old)] = old

    # --- what a device does in a step -------------------------------------------------------------------------

    def step(self, events: EventList, step: int) -> NDArray[np.int64]:
        """Take in the events of a step and give the targets that are due in it, in their order.

        Parameters
        ----------
        events : EventList
            Of this step.
        step : int
            Its number.
        """
        self._go_on(step)
        for source in events.present.tolist():
            first, last = int(self.first_run[source]), int(self.first_run[source + 1])
            if first < last:
                k = int(self.active[0])
                self.due[k], self.run[k], self.last[k] = step + self.run_delay[first], first, last
                self.active[0] = k + 1
        n = int(self.active[0])
        here = np.flatnonzero(self.due[:n] == step)
        if not len(here):
            return np.zeros(0, np.int64)
        runs = self.run[here]
        pieces = [np.arange(self.run_start[r], self.run_start[r + 1]) for r in runs.tolist()]
        goes_on = runs + 1 < self.last[here]
        further = here[goes_on]
        self.due[further] += self.run_delay[runs[goes_on] + 1] - self.run_delay[runs[goes_on]]
        self.run[here] += 1
        keep = np.ones(n, bool)
        keep[here[~goes_on]] = False
        keep &= self.due[:n] >= 0
        left = int(keep.sum())
        for array in (self.due, self.run, self.last):
            array[:left] = array[:n][keep]
        self.active[:2] = left, 0
        targets = np.concatenate(pieces)
        return targets if self.order is None else self.order[targets].astype(np.int64)

    def _go_on(self, step: int) -> None:
        """Move what is under way, if the queue has stood still for some steps."""
        due = self.due[: self.active[0]]
        due[due >= 0] += step - self.active[2]
        self.active[2] = step + 1

    def pending(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Targets that are still to be reached, and in how many steps from the one that comes next."""
        now = int(self.active[2])
        targets, waits = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for k in range(int(self.active[0])):
            at, run, last = int(self.due[k]), int(self.run[k]), int(self.last[k])
            for r in range(run, last) if at >= 0 else ():
                places = np.arange(self.run_start[r], self.run_start[r + 1], dtype=np.int32)
                targets.append(places if self.order is None else self.order[places])
                wait = at - now + int(self.run_delay[r] - self.run_delay[run])
                waits.append(np.full(len(places), wait, np.int64))
        return np.concatenate(targets), np.concatenate(waits)


def _sorted(sources: NDArray[np.int32], delays: NDArray[Any] | int, size: int) -> NDArray[np.int32] | None:
    """The order by source, then delay, then place; None if it is that of the places."""
    if np.ndim(delays) == 0:
        if len(sources) < 2 or bool((sources[1:] >= sources[:-1]).all()):
            return None
        return np.argsort(sources, kind="stable").astype(np.int32)
    key = sources.astype(np.int64) * (int(np.max(delays, initial=0)) + 1) + delays
    if len(key) < 2 or bool((key[1:] >= key[:-1]).all()):
        return None
    return np.argsort(key, kind="stable").astype(np.int32)


def _ordered(values: NDArray[Any] | int, order: NDArray[np.int32] | None) -> Any:
    return values if order is None or np.ndim(values) == 0 else np.asarray(values)[order]
