"""Operations as calls of compiled functions: a function, the arrays whose addresses it takes, and a size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.codegen.printer import ENTRY
from rall.devices.adaptive import integrate_arrays
from rall.devices.base import CompiledKernel
from rall.devices.compiler import Toolchain, headers, load
from rall.devices.foreign import load_kernel
from rall.devices.native import Moving
from rall.devices.threads import Share, part_of, shares
from rall.events import EventQueue, Timetable
from rall.model import (
    Call,
    Check,
    Deliver,
    Elementwise,
    Emit,
    Integrate,
    Operation,
    Record,
    RecordEvents,
    Reduce,
    Solve,
)
from rall.options import Options

__all__ = ["QUEUE", "TREE_TABLES", "TREE_VARIABLES", "CallList", "Calls"]

CallList: TypeAlias = list[tuple[Any, list[Any], int]]
#: Order of the tables and variables of a tree solve, as ``rall_tree.c`` takes them.
TREE_TABLES = ("size", "order", "parent", "first", "rows", "deep", "above", "below", "to_below")
TREE_VARIABLES = ("diagonal", "d", "r", "g", "w", "f", "v", "carry", "first", "second", "rest", "late")
_KIND_NUMBERS = {"float": 0, "integer": 1, "index": 2, "boolean": 3}
#: Arrays of a queue that move when it grows, and those in the order in which ``rall_waiting_from`` takes them.
_MOVING = ("due", "run", "last", "batch_first", "batch_last")
QUEUE = ("first_run", "run_delay", "run_start", "due", "run", "last", "active", "batch_first", "batch_last", "batch")


#: What ``rall_tree.c`` is compiled for: the solver, and whether sources grow during a step.
_TREE_STEPS = {
    ("tree_euler", False): "RALL_EULER",
    ("tree_sdirk3", False): "RALL_SDIRK3",
    ("tree_sdirk3", True): "RALL_SDIRK3_GROWING",
}
#: Elements of a stretch, in the mean, from which on stretches are faster than a map (gathers and scatters).
_SHORTEST = 16


def _stretches(operation: Elementwise, made: CompiledKernel, share: Share) -> NDArray[np.int64]:
    """Runs of elements that lie side by side where the map of a kernel leads, without padding; shape (runs, 3).

    Each row is the first element, the one behind the last, and the distance to what the map leads to.
    """
    through = next(load.through for load in made.kernel.loads if load.through is not None)
    index = next(v for load, v in zip(made.kernel.loads, made.arguments) if load.role == through)
    # There may be very many shares: none looks at more than its own.
    padding = operation.domain.layout.padding()
    outside = padding[slice(*np.searchsorted(padding, (share.first, share.last)))]
    own = np.delete(np.arange(share.first, share.last), outside - share.first)
    distance = index.array[own].astype(np.int64) - own
    new = np.ones(len(own), bool)
    new[1:] = (np.diff(own) != 1) | (np.diff(distance) != 0)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(own))
    return np.ascontiguousarray(np.column_stack([own[starts], own[ends - 1] + 1, distance[starts]]), np.int64)


class Calls:
    """Makes calls of the operations of one program.

    Parameters
    ----------
    kernels : mapping
        From ``id(operation)`` to its kernel.
    toolchain, options
        How kernels are compiled.
    runtime : library
        The compiled ``rall_runtime.c``.
    """

    def __init__(
        self, kernels: Mapping[int, CompiledKernel], toolchain: Toolchain, options: Options, runtime: Any
    ) -> None:
        self._kernels, self._toolchain, self._options = kernels, toolchain, options
        self.runtime = runtime
        self._functions: dict[int | str, Any] = {}
        #: What a failed check leaves: the number of its operation, counted from 1.
        self.status = np.zeros(1, np.int64)
        self._numbered: list[Operation] = []

    def failed(self) -> Operation:
        """The operation that the status names."""
        return self._numbered[int(self.status[0]) - 1]

    def _number(self, operation: Operation) -> int:
        if not any(operation is one for one in self._numbered):
            self._numbered.append(operation)
        return next(k for k, one in enumerate(self._numbered) if one is operation) + 1

    def whole(self, operation: Operation) -> CallList:
        """The calls of an operation in one thread."""
        makers: dict[type[Operation], Callable[..., CallList]] = {
            Elementwise: self._elementwise, Check: self._check, Deliver: self._deliver, Reduce: self._reduce,
            Emit: self.emit, Record: self.record, RecordEvents: self._record_events, Solve: self._solve,
            Integrate: self._integrate, Call: lambda op: [(None, [], 0)],
        }  # fmt: skip
        return makers[type(operation)](operation)

    def block(self, operation: Operation, block: int) -> CallList:
        """The calls of an operation for one of its blocks: see `rall.devices.parts`."""
        if isinstance(operation, Solve):
            return [self._solve_block(operation, block)]
        assert isinstance(operation, (Elementwise, Check))
        domain = operation.domain if isinstance(operation, Elementwise) else operation.variable.domain
        assert domain.layout.blocks is not None
        first, last = domain.layout.blocks[block].tolist()
        if isinstance(operation, Check):
            return self._check(operation, (first, last))
        if first == last:
            return []
        return self._share(operation, Share(first, last))

    def shared_out(self, operation: Operation, threads: int) -> CallList:
        """An operation over many elements as one call a thread."""
        assert isinstance(operation, Elementwise)
        parts = shares(operation.domain.layout.stored, threads)
        return [call for part in parts for call in self._share(operation, part)]

    def _share(self, operation: Elementwise, share: Share) -> CallList:
        """Some elements of an operation: by stretches, where the map of a region's compartments goes by such."""
        made = self._kernels[id(operation)]
        key = f"stretches {id(operation)}"
        if key not in self._functions:
            self._functions[key] = self._in_stretches(operation, made)
        if self._functions[key] is None:
            return [(self.kernel(operation), part_of(made, share), share.last - share.first)]
        table = _stretches(operation, made, share)
        return [(self._functions[key], [*self.arguments(operation), table], len(table))]

    def _in_stretches(self, operation: Elementwise, made: CompiledKernel) -> Any:
        """The function that goes by stretches, or None; the same one for all parts, since the two round differently."""
        kernel, stored = made.kernel.in_stretches, operation.domain.layout.stored
        if kernel is None or len(_stretches(operation, made, Share(0, stored))) * _SHORTEST > stored:
            return None
        other = replace(made, kernel=kernel, printed={})
        return getattr(load_kernel(other, self._toolchain, self._options), ENTRY)

    def arguments(self, operation: Operation) -> list[Any]:
        """The arrays of an operation's kernel."""
        return [v.array for v in self._kernels[id(operation)].arguments]

    def kernel(self, operation: Operation) -> Any:
        """The function of an operation's kernel, compiled."""
        if id(operation) not in self._functions:
            library = load_kernel(self._kernels[id(operation)], self._toolchain, self._options)
            self._functions[id(operation)] = getattr(library, ENTRY)
        return self._functions[id(operation)]

    # --- kinds of operation -----------------------------------------------------------------------------------

    def _elementwise(self, operation: Elementwise) -> CallList:
        stored, kernel = operation.domain.layout.stored, self._kernels[id(operation)].kernel
        if not stored and not any(store.role in kernel.shared for store in kernel.stores):
            return []
        if not stored:
            return [(self.kernel(operation), self.arguments(operation), 0)]
        return self._share(operation, Share(0, stored))

    def _deliver(self, operation: Deliver) -> CallList:
        events, queue = operation.events, operation.queue
        arguments = self.arguments(operation)
        if queue is None:
            return [(self.kernel(operation), [*arguments, events.count, events.elements], 0)]
        before = [*self.queue_arrays(queue), events.elements, events.count, operation.clock.step_variable.array]
        batch = [queue.batch, Moving(queue, "batch_first"), Moving(queue, "batch_last"), queue.order]
        return [(self.runtime.rall_queue, before, 0), (self.kernel(operation), [*arguments, *batch], 0)]

    @staticmethod
    def queue_arrays(queue: EventQueue) -> list[Any]:
        """The arrays of a queue, as ``rall_waiting_from`` takes them, and its batch."""
        return [Moving(queue, name) if name in _MOVING else getattr(queue, name) for name in QUEUE]

    def _reduce(self, operation: Reduce) -> CallList:
        values, target = operation.values, operation.target
        size = np.array([len(target.array)], np.int64)
        arrays = [values.array, operation.index.array, target.array, size]
        return [(self.runtime.rall_reduce, arrays, values.domain.size)]

    def _integrate(self, operation: Integrate) -> CallList:
        if not operation.domain.size:
            return []
        more = integrate_arrays(operation, self._number(operation), self.status)
        return [(self.kernel(operation), [*self.arguments(operation), *more], operation.domain.size)]

    def _check(self, operation: Check, borders: tuple[int, int] | None = None) -> CallList:
        values = operation.values if borders is None else operation.variable.array[slice(*borders)]
        number = np.array([self._number(operation)], np.int64)
        every = np.array([operation.every], np.int64)
        arrays = [values, self.status, number, operation.clock.step_variable.array, every]
        return [(self.runtime.rall_check, arrays, len(values))]

    def emit(self, operation: Emit, ranks: NDArray[np.int64] | None = None) -> CallList:
        """What looks for events, at all elements or those of some ranks, which then are what is listed."""
        source, events = operation.source, operation.events
        if isinstance(source, Timetable):
            arrays: list[Any] = [source.steps, source.elements, source.cursor, source.period,
                                 operation.clock.step_variable.array, events.elements, events.count]  # fmt: skip
            return [(self.runtime.rall_play, arrays, len(source.steps))]
        elements, reported = operation.elements, operation.reported
        if ranks is not None and elements is not None:
            elements, reported = elements[ranks], ranks
        chosen = [None if e is None else np.ascontiguousarray(e, np.int64) for e in (elements, reported)]
        n = source.domain.size if elements is None else len(elements)
        return [(self.runtime.rall_emit, [source.array, chosen[0], events.elements, events.count, chosen[1]], n)]

    def _record_events(self, operation: RecordEvents) -> CallList:
        events, log = operation.events, operation.log
        kept = [None, None, None] if log is None else [log.buffer, log.count, log.extra]
        total = None if operation.total is None else operation.total.array
        arrays: list[Any] = [events.elements, events.count, np.ascontiguousarray(operation.labels, np.int64), *kept[:2],
                             operation.clock.step_variable.array, operation.counts, total, kept[2]]  # fmt: skip
        for variable in operation.values:
            kind = np.array([_KIND_NUMBERS[variable.kind]], np.int64)
            arrays += [variable.array, kind, np.array([variable.shared], np.int64)]
        return [(self.runtime.rall_record_events, arrays, len(operation.values))]

    def record(self, operation: Record, wanted: Sequence[NDArray[np.bool_]] | None = None) -> CallList:
        """What appends a row to a table, or some columns of each variable to the row that others also write."""
        calls: CallList = []
        table, width = operation.table, operation.table.buffer.shape[1]
        first = 0
        for k, (variable, elements, weights, borders) in enumerate(operation.rows):
            columns = first + np.arange(weights.shape[1] if borders is None else len(borders) - 1)
            first += len(columns)
            if borders is None:
                # Wherever that is done, it is done for all columns.
                here = wanted is None or bool(wanted[k].all())
                calls += [self._dense(operation, (variable, elements, weights), columns)] if here else []
                continue
            if wanted is not None:
                counts = np.diff(borders)
                inside = np.repeat(wanted[k], counts)
                elements, weights, columns = elements[inside], weights[inside], columns[wanted[k]]
                borders = np.concatenate([[0], np.cumsum(counts[wanted[k]])])
            position = np.array([width, 0], np.int64)
            whole = [np.ascontiguousarray(a, np.int64) for a in (elements, borders, columns)]
            arrays: list[Any] = [variable.array, table.buffer, table.count, whole[0],
                                 np.ascontiguousarray(weights, float), *whole[1:], position]  # fmt: skip
            if len(columns) or not calls:
                calls.append((self.runtime.rall_record, arrays, len(columns)))
        calls[-1][1][-1][1] = 1
        return calls

    def _dense(
        self, operation: Record, row: tuple[Any, NDArray[np.int64], NDArray[np.float64]], columns: NDArray[np.int64]
    ) -> tuple[Any, list[Any], int]:
        variable, elements, weights = row
        table = operation.table
        position = np.array([table.buffer.shape[1], 0, columns[0] if len(columns) else 0, len(columns)], np.int64)
        arrays: list[Any] = [variable.array, table.buffer, table.count, np.ascontiguousarray(elements, np.int64),
                             np.ascontiguousarray(weights, float), position]  # fmt: skip
        return self.runtime.rall_record_dense, arrays, len(elements)

    def _solve(self, operation: Solve) -> CallList:
        return [self._solve_block(operation, block) for block in range(len(operation.blocks))]

    def _solve_block(self, operation: Solve, block: int) -> tuple[Any, list[Any], int]:
        steps = _TREE_STEPS[operation.solver, "late" in operation.variables]
        if steps not in self._functions:
            text = f"#define RALL_TREE_STEPS {steps}\n{headers()['rall_tree.c']}"
            library = load(text, self._toolchain, self._options)
            self._functions[steps] = library.rall_tree_step
        which, first, stored = operation.blocks[block].tolist()
        tables: list[Any] = [operation.structures[which][name] for name in TREE_TABLES]
        variables = [operation.variables.get(name) for name in TREE_VARIABLES]
        tables += [None if v is None else v.array[first : first + stored] for v in variables]
        return self._functions[steps], tables, stored
