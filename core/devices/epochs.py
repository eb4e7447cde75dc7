"""Epochs: tables for doing several steps of each component of a program before the next one, in the C device.

Components (`rall.devices.cells`) interact through delayed events only.  The synapses of a `Deliver` are dealt out to
the components of what they write.  See ``rall_run_epochs`` in ``rall_runtime.c`` for how they run.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.devices.base import CompiledKernel
from rall.devices.calls import CallList, Calls
from rall.devices.cells import Cells, Unsuited, unsuited
from rall.devices.native import (
    Channel,
    ClockTable,
    Component,
    Copy,
    Early,
    Epochs,
    Mail,
    Moving,
    Notes,
    Op,
    Tables,
    address_of,
    clock_table,
)
from rall.events import EventList, EventQueue
from rall.model import Clock, Deliver, Elementwise, Emit, Operation, Record, RecordEvents, Solve

__all__ = ["EpochPlan", "plan_epochs"]

#: Nanoseconds of an epoch at most, so that an interrupt need not wait; an estimate for an element and operation.
LONGEST, _EACH = 80e6, 2.0
#: Largest number of events for which an epoch has room.
_ROOM = 1 << 18


def plan_epochs(
    stages: Sequence[tuple[list[Operation], int]],
    kernels: Mapping[int, CompiledKernel],
    clocks: Sequence[Clock],
    calls: Calls,
    threads: int,
) -> EpochPlan | None:
    """How to run a program by epochs; None where steps are all that can be done, or just as good.

    Parameters
    ----------
    stages : sequence of (list of Operation, int)
        Of `rall.devices.parts.stages`.
    kernels : mapping
        From ``id(operation)`` to its kernel.
    clocks : sequence of Clock
        Of the program.
    calls : Calls
        Makes calls of operations.
    threads : int
        How many share the components.
    """
    if not any(blocks for _, blocks in stages) or len(clocks) > 63:
        return None
    rare = _rare([operation for together, _ in stages for operation in together])
    often = [([op for op in together if id(op.clock) not in rare], blocks) for together, blocks in stages]
    try:
        cells = Cells([stage for stage in often if stage[0]], kernels)
    except Unsuited:
        return None
    operations = [operation for together, _ in often for operation in together]
    length = _length(operations, cells)
    if cells.count < 2 or length < 2:
        return None
    seldom = [k for k, clock in enumerate(clocks) if id(clock) in rare]
    return EpochPlan(operations, cells, clocks, calls, (length, seldom), threads)


def _rare(operations: Sequence[Operation]) -> set[int]:
    """Clocks of what is done for all components at once, where cells have other ones: by ``id``."""
    cables = {id(op.clock) for op in operations if isinstance(op, Solve)}
    return {id(op.clock) for op in unsuited(operations) if id(op.clock) not in cables}


def _length(operations: Sequence[Operation], cells: Cells) -> int:
    """Steps of an epoch: the least delay, unless that takes too long or too much room."""
    found = 1 << 20
    work = 1.0
    for operation in operations:
        if isinstance(operation, Deliver) and operation in cells.mailed:
            assert operation.queue is not None
            found = min(found, operation.queue.shortest)
        if isinstance(operation, Emit):
            found = min(found, _ROOM // max(1, operation.events.most))
        if isinstance(operation, Elementwise):
            work += _EACH * operation.domain.layout.stored
        elif isinstance(operation, Solve):
            work += _EACH * float(operation.blocks[:, 2].sum())
        elif isinstance(operation, Record):
            found = min(found, len(operation.table.buffer))
    return int(min(found, LONGEST // work))


@dataclass
class _Part:
    """One component as it is put together: operations with their calls, and arrays of its own."""

    number: int
    clocks: list[tuple[NDArray[Any], NDArray[Any]]]
    own: dict[int, NDArray[Any]]
    iteration: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    calls: list[tuple[Operation, tuple[Any, list[Any], int]]] = field(default_factory=list)
    #: Ranks of events of this step, by the address of their list.
    happening: dict[int, EventList] = field(default_factory=dict)

    def add(self, operation: Operation, calls: CallList) -> None:
        """Put calls at the end."""
        self.calls += [(operation, call) for call in calls]

    @property
    def work(self) -> int:
        """How much there is to do in a step, for comparison."""
        return sum(n for _, (_, _, n) in self.calls) + len(self.calls)


class EpochPlan:
    """A program as components.

    Parameters
    ----------
    operations : sequence of Operation
        Of a step, in order.
    cells : Cells
        Which parts of them belong together.
    clocks : sequence of Clock
        Of the program.
    calls : Calls
        Makes calls of operations.
    lengths : tuple of (int, list of int)
        Steps of an epoch at most, and the numbers of clocks in whose steps everything is done step by step.
    threads : int
        How many share the components.
    """

    def __init__(
        self, operations: Sequence[Operation], cells: Cells, clocks: Sequence[Clock], calls: Calls,
        lengths: tuple[int, list[int]], threads: int,
    ) -> None:  # fmt: skip
        self._cells, self._clocks, self._calls, self._threads = cells, clocks, calls, threads
        self._length, self._rare = lengths
        self._number = {id(clock): k for k, clock in enumerate(clocks)}
        self._parts = [self._part(k) for k in range(cells.count)]
        self._back: list[tuple[NDArray[Any], NDArray[Any]]] = []
        #: Counts of rows, with the number of the clock and that of the component that counts.
        self._rows: list[tuple[NDArray[np.int64], int, int]] = []
        self._own_clocks: list[Any] = []
        self._after: list[tuple[Operation, tuple[Any, list[Any], int]]] = []
        self._notes: dict[int, list[tuple[NDArray[Any], NDArray[Any]]]] = {}
        self._channels: dict[int, tuple[EventList, NDArray[np.int32]]] = {}
        self._mails: list[tuple[EventQueue, int, NDArray[np.int64]]] = []
        self._always = False
        self._early: list[tuple[Deliver, tuple[NDArray[Any], ...]]] = []
        self._native_mails: Any = ()
        for operation in operations:
            self._add(operation)

    def _part(self, number: int) -> _Part:
        clocks = [(np.zeros(1), np.zeros(1, np.int64)) for _ in self._clocks]
        own: dict[int, NDArray[Any]] = {address_of(self._calls.status): np.zeros(1, np.int64)}
        for clock, (t, step) in zip(self._clocks, clocks):
            own[clock.t_variable.address], own[clock.step_variable.address] = t, step
        for variable in self._cells.replicated:
            own[variable.address] = variable.array.copy()
        return _Part(number, clocks, own)

    @property
    def steps(self) -> bool:
        """Whether some iterations are done step by step."""
        return bool(self._rare)

    # --- operations in parts --------------------------------------------------------------------------------------

    def _add(self, operation: Operation) -> None:
        if any(operation is one for one in self._cells.afterwards):
            if isinstance(operation, RecordEvents) and operation.log is not None:
                operation.log.widen(self._length)
            self._always |= isinstance(operation, Record)
            self._after += [(operation, call) for call in self._calls.whole(operation)]
        elif isinstance(operation, Emit):
            self._emit(operation)
        elif isinstance(operation, Deliver) and operation.queue is None:
            self._react(operation)
        elif isinstance(operation, Deliver):
            self._deliver(operation)
        elif isinstance(operation, Record):
            self._record(operation)
        else:
            for component, blocks in self._cells.places(operation):
                part = self._parts[component]
                if blocks is None:
                    part.add(operation, self._calls.whole(operation))
                for block in blocks or ():
                    part.add(operation, self._calls.block(operation, block))

    def _emit(self, operation: Emit) -> None:
        """Each component lists the ranks of its own events, and notes them for the end of the epoch."""
        events = operation.events
        self._channels[events.address] = events, self._cells.reported(operation)
        for component, ranks in self._cells.ranks(operation):
            part = self._parts[component]
            most = events.most if ranks is None else len(ranks)
            mine = part.happening[events.address] = EventList(most)
            pairs, used = np.zeros((most * self._length, 2), np.int32), np.zeros(1, np.int64)
            self._notes.setdefault(events.address, []).append((used, pairs))
            for function, arrays, n in self._calls.emit(operation, ranks):
                local = [_instead(a, events, mine) for a in arrays]
                part.add(operation, [(function, local, n)])
            note = [mine.elements, mine.count, part.iteration, pairs, used]
            part.add(operation, [(self._calls.runtime.rall_note, note, 0)])

    def _record(self, operation: Record) -> None:
        # Every component that has columns of a table counts its rows; the first one is asked for them.
        count = operation.table.count
        columns = self._cells.columns(operation)
        for component, wanted in columns:
            part = self._parts[component]
            if count.ctypes.data not in part.own:
                part.own[count.ctypes.data] = np.zeros(1, np.int64)
            part.add(operation, self._calls.record(operation, wanted))
        first = columns[0][0]
        self._back.append((count, self._parts[first].own[count.ctypes.data]))
        self._rows.append((count, self._number[id(operation.clock)], first))

    def _deliver(self, operation: Deliver) -> None:
        queue, events = operation.queue, operation.events
        assert queue is not None
        labels = self._cells.sorted_labels(operation)
        mailed, early = operation in self._cells.mailed, operation in self._cells.early
        start = np.zeros(self._length + 1, np.int64)
        dealt: list[Any] = [Moving(queue, "batch_first"), Moving(queue, "batch_last")]
        if early:
            most = events.most * self._length + 1
            dealt = [np.zeros(most, np.int32), np.zeros(most, np.int32)]
            self._early.append((operation, (*dealt, start)))
        elif mailed:
            queue.widen(self._length)
            self._mails.append((queue, self._number[id(operation.clock)], start))
            before = [*self._calls.queue_arrays(queue), events.elements, events.count,
                      operation.clock.step_variable.array]  # fmt: skip
            self._after.append((operation, (self._calls.runtime.rall_send, before, 0)))
        counts = np.bincount(labels, minlength=self._cells.count)
        for component in np.flatnonzero(counts).tolist():
            part, most = self._parts[component], int(counts[component]) + 1
            first, last, batch = np.zeros(most, np.int32), np.zeros(most, np.int32), np.zeros(1, np.int64)
            if mailed or early:
                single = counts[component] == len(labels)
                arrays = [start, *dealt, part.iteration, None if single else labels, first, last, batch]
                part.add(operation, [(self._calls.runtime.rall_deal, arrays, component)])
            else:
                part.add(operation, self._at_once(part, operation, (first, last, batch)))
            arguments = [*self._calls.arguments(operation), batch, first, last, queue.order]
            part.add(operation, [(self._calls.kernel(operation), arguments, 0)])

    def _at_once(self, part: _Part, operation: Deliver, batch: tuple[NDArray[Any], ...]) -> CallList:
        """Events of the component itself, which arrive in the step in which they happen."""
        mine, queue = part.happening[operation.events.address], operation.queue
        assert queue is not None
        listed, report = self._report(mine, operation)
        here = [listed, mine.count, queue.first_run, queue.run_start, *batch]
        return [report, (self._calls.runtime.rall_at_once, here, 0)]

    def _report(self, mine: EventList, operation: Deliver) -> tuple[NDArray[np.int32], tuple[Any, list[Any], int]]:
        """What a component's own events stand for: the array, and the call that fills it."""
        listed = np.zeros(len(mine.elements), np.int32)
        reported = self._channels[operation.events.address][1]
        return listed, (self._calls.runtime.rall_report, [mine.elements, mine.count, reported, listed], 0)

    def _react(self, operation: Deliver) -> None:
        """Each component does the statements for its own events."""
        for component in self._cells.reactions(operation):
            part = self._parts[component]
            mine = part.happening[operation.events.address]
            listed, report = self._report(mine, operation)
            arguments = [*self._calls.arguments(operation), mine.count, listed]
            part.add(operation, [report, (self._calls.kernel(operation), arguments, 0)])

    # --- tables -----------------------------------------------------------------------------------------------------

    def build(self, tables: Tables) -> Epochs:
        """The tables of the components.

        Parameters
        ----------
        tables : Tables
            Keeps them alive.
        """
        threads = self._shared_out()
        components = [self._component(part, thread, tables) for part, thread in zip(self._parts, threads)]
        channels = []
        for address, (events, reported) in self._channels.items():
            logs = tables.array(Notes, [Notes(c.ctypes.data, p.ctypes.data, 0) for c, p in self._notes[address]])
            tables.kept += [events, reported, self._notes[address]]
            channels.append(
                Channel(ctypes.addressof(logs), len(self._notes[address]), reported.ctypes.data,
                        events.elements.ctypes.data, events.count.ctypes.data)
            )  # fmt: skip
        mails = []
        for queue, clock, start in self._mails:
            tables.kept.append(start)
            table = tables.table(self._calls.queue_arrays(queue))
            mails.append(Mail(table.ctypes.data, clock, len(queue.batch_first), start.ctypes.data))
        place = {address: k for k, address in enumerate(self._channels)}
        early = []
        for operation, arrays in self._early:
            runs = operation.queue
            assert runs is not None
            tables.kept += [runs, arrays]
            pointers = (array.ctypes.data for array in (runs.first_run, runs.run_start, *arrays))
            early.append(Early(place[operation.events.address], *pointers))
        after = [tables.op(call, (self._number[id(op.clock)], 0, 0)) for op, call in self._after]
        copies = [(master, own) for master, own in self._back]
        for variable in self._cells.replicated:
            copies.append((variable.array, self._parts[0].own[variable.address]))
        back = len(copies)
        given = {id(own) for _, own in copies}
        for part in self._parts:
            for master in [*(v.array for v in self._cells.replicated), *(master for master, _ in self._back)]:
                own = part.own.get(address_of(master))
                if own is not None and id(own) not in given:
                    copies.append((master, own))
        tables.kept.append(copies)
        self._native_mails = tables.array(Mail, mails)
        rows = {
            "components": tables.array(Component, components), "channels": tables.array(Channel, channels),
            "mails": self._native_mails, "early": tables.array(Early, early), "after": tables.array(Op, after),
            "copies": tables.array(Copy, [Copy(m.ctypes.data, o.ctypes.data, m.nbytes) for m, o in copies]),
        }  # fmt: skip
        lengths = (len(components), len(channels), len(mails), len(early), len(after), len(copies))
        fields = {}
        for (name, row), n in zip(rows.items(), lengths):
            fields.update({name: ctypes.addressof(row), f"n_{name}": n})
        native = Epochs(
            **fields, n_back=back, first=self._cells.first, most=self._length, rare=sum(1 << k for k in self._rare),
            always=int(self._always),
        )  # fmt: skip
        tables.kept.append(native)
        return native

    def _component(self, part: _Part, thread: int, tables: Tables) -> Component:
        ops = [tables.op(call, (self._number[id(op.clock)], 0, 0), part.own) for op, call in part.calls]
        clocks = [clock_table(clock, t, step) for clock, (t, step) in zip(self._clocks, part.clocks)]
        status = part.own[address_of(self._calls.status)]
        tables.kept += [part, status]
        self._own_clocks.append(tables.array(ClockTable, clocks))
        return Component(
            ctypes.addressof(tables.array(Op, ops)), len(ops), ctypes.addressof(self._own_clocks[-1]),
            status.ctypes.data, part.iteration.ctypes.data, thread,
        )  # fmt: skip

    def _shared_out(self) -> list[int]:
        """The thread of each component: neighbours go together, and all have about the same to do."""
        done = np.cumsum([part.work for part in self._parts])
        middle = done - 0.5 * np.diff(done, prepend=0)
        thread = np.minimum(middle * self._threads // max(1, int(done[-1])), self._threads - 1)
        return [int(k) for k in thread]

    def cut(self, clocks: Sequence[ClockTable]) -> None:
        """Take back the rows that components recorded after the step in which another one failed.

        Parameters
        ----------
        clocks : sequence of ClockTable
            Of the program, at the end of that step.
        """
        for count, clock, component in self._rows:
            count[0] -= max(0, self._own_clocks[component][clock].step - clocks[clock].step)

    def find_again(self) -> None:
        """After queues have grown: how much room there is."""
        for native, (queue, _, _) in zip(self._native_mails, self._mails):
            native.room = len(queue.batch_first)


def _instead(array: Any, events: EventList, mine: EventList) -> Any:
    """An argument, with a component's own list in place of the program's."""
    return mine.elements if array is events.elements else mine.count if array is events.count else array
