"""The C device: kernels as cached libraries, and one compiled time loop over tables of addresses."""

from __future__ import annotations

import ctypes
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from rall.codegen.printer import ENTRY
from rall.devices.adaptive import integrate_arrays
from rall.devices.base import CompiledKernel, Program, Status
from rall.devices.compiler import Toolchain, find_compiler, headers, load
from rall.devices.foreign import in_python, load_kernel
from rall.devices.threads import meets, part_of, shares, splits, thread_count
from rall.errors import CompileError, RallWarning
from rall.events import EventQueue, Timetable
from rall.model import (
    Call,
    Check,
    Clock,
    Deliver,
    Elementwise,
    Emit,
    EventClock,
    Integrate,
    Operation,
    Record,
    RecordEvents,
    Reduce,
    Solve,
)
from rall.options import Options
from rall.schedule import Schedule

__all__ = ["TREE_TABLES", "TREE_VARIABLES", "CDevice", "CProgram"]

#: Order of the tables and variables of a tree solve, as ``rall_runtime.c`` takes them.
TREE_TABLES = ("size", "order", "parent", "first", "rows", "above", "below", "to_below")
TREE_VARIABLES = ("diagonal", "d", "r", "g", "w", "f", "v", "carry", "first", "second", "rest", "late")


#: Notes that were given.
_told: set[str] = set()
_Calls: TypeAlias = list[tuple[Any, list[Any], int]]
_KIND_NUMBERS = {"float": 0, "integer": 1, "index": 2, "boolean": 3}
#: Arrays of a queue that move when it grows, and all of them in the order in which ``rall_queue`` takes them.
_MOVING = ("due", "run", "last", "batch_first", "batch_last")
_QUEUE = ("first_run", "run_delay", "run_start", "due", "run", "last", "active", "batch_first", "batch_last", "batch")


class _Moving:
    """An array of a queue, wherever it lies at the moment."""

    def __init__(self, queue: EventQueue, name: str) -> None:
        self.queue, self.name = queue, name

    @property
    def array(self) -> Any:
        """The array itself."""
        return getattr(self.queue, self.name)


class _Op(ctypes.Structure):
    _fields_ = (("run", ctypes.c_void_p), ("x", ctypes.c_void_p), ("n", ctypes.c_longlong),
                ("clock", ctypes.c_longlong), ("thread", ctypes.c_longlong), ("meet", ctypes.c_longlong))  # fmt: skip


class _Clock(ctypes.Structure):
    _fields_ = (("dt", ctypes.c_double), ("step", ctypes.c_longlong), ("end", ctypes.c_longlong),
                ("t", ctypes.c_void_p), ("k", ctypes.c_void_p), ("times", ctypes.c_void_p))  # fmt: skip


class _Buffer(ctypes.Structure):
    _fields_ = (("count", ctypes.c_void_p), ("limit", ctypes.c_longlong))


class _Program(ctypes.Structure):
    _fields_ = (("ops", ctypes.c_void_p), ("n_ops", ctypes.c_longlong), ("clocks", ctypes.c_void_p),
                ("n_clocks", ctypes.c_longlong), ("buffers", ctypes.c_void_p), ("n_buffers", ctypes.c_longlong),
                ("status", ctypes.c_void_p), ("next_op", ctypes.c_longlong), ("due", ctypes.c_longlong),
                ("threads", ctypes.c_longlong))  # fmt: skip


class CDevice:
    """Compiles kernels with the system's C compiler and runs them in this process.

    Raises
    ------
    CompileError
        When made on a machine without a C compiler, or with one that does not work.
    """

    name = "c"

    def __init__(self, options: Options) -> None:
        found = find_compiler(options.compiler)
        if found is None and options.compiler:
            raise CompileError(
                f"there is no C compiler {options.compiler!r} on the path; set prefs.codegen.compiler to another "
                "command, or to None to look for one"
            )
        if found is None:
            raise CompileError(
                "no C compiler was found (looked for $CC, cc, gcc, clang and the ziglang package); `apt install gcc` "
                "(Debian, Ubuntu) or, anywhere, `pip install ziglang` brings one"
            )
        self.toolchain = found
        # Every program needs it, and it tells whether this compiler works before a model comes in.
        load(headers()["rall_runtime.c"], found, options)

    def build(
        self, schedule: Schedule, kernels: Mapping[int, CompiledKernel], options: Options
    ) -> CProgram:
        """Compile what is not in the cache yet and lay out the tables."""
        return CProgram(schedule, kernels, self.toolchain, options)


class CProgram(Program):
    """The compiled loop with its tables; addresses stay valid because variables never move."""

    def __init__(
        self,
        schedule: Schedule,
        kernels: Mapping[int, CompiledKernel],
        toolchain: Toolchain,
        options: Options,
    ) -> None:
        super().__init__(schedule)
        self._kept: list[object] = []
        self._status = np.zeros(1, np.int64)
        self._stop = ctypes.c_int(0)
        self._toolchain, self._options = toolchain, options
        operations = in_python(schedule.operations, kernels, toolchain)
        self._threads = thread_count(operations, kernels, options.threads)
        self._runtime = self._load_runtime()
        self._run = self._runtime.rall_run
        self._run.restype = ctypes.c_int
        self._run.argtypes = (ctypes.c_void_p, ctypes.c_longlong, ctypes.c_void_p)
        self._run_timed = self._runtime.rall_run_timed
        self._run_timed.restype = ctypes.c_int
        self._run_timed.argtypes = (*self._run.argtypes, ctypes.c_void_p)
        number = {id(clock): k for k, clock in enumerate(self.clocks)}
        makers: dict[type[Operation], Callable[..., _Calls]] = {
            Elementwise: lambda op: self._elementwise(op, kernels[id(op)]), Check: self._check,
            Deliver: lambda op: self._deliver(op, kernels[id(op)]), Reduce: self._reduce, Emit: self._emit,
            Record: self._record, RecordEvents: self._record_events, Solve: self._solve,
            Integrate: lambda op: self._integrate(op, kernels[id(op)]), Call: lambda op: [(None, [], 0)],
        }  # fmt: skip
        self._moving: list[tuple[Any, int, _Moving]] = []
        ops: list[_Op] = []
        self._operations: list[Operation] = []
        split = {id(op): self._threads > 1 and splits(op, kernels) for op in operations}
        together: list[Operation] = []
        for operation in operations:
            meet = self._threads > 1 and meets(together, operation, split)
            together = [operation] if meet else [*together, operation]
            calls = makers[type(operation)](operation)
            if split[id(operation)]:
                calls = self._shared_out(operation, kernels[id(operation)])
            for k, (function, arrays, n) in enumerate(calls):
                self._operations.append(operation)
                place = (number[id(operation.clock)], k if split[id(operation)] else 0, int(meet and k == 0))
                ops.append(self._op(function, arrays, n, place))
        self._layout(ops)
        #: Of each operation, and of all that happens in the compiled loop; and the seconds that are these.
        self._ticks, self._seconds = np.zeros(len(ops) + 1, np.uint64), 0.0

    def _load_runtime(self) -> ctypes.CDLL:
        """The fixed part, with threads if there are to be any and the compiler knows them."""
        text = headers()["rall_runtime.c"]
        if self._threads > 1:
            more = replace(self._options, extra_compile_args=(*self._options.extra_compile_args, "-fopenmp"))
            try:
                return load(text, self._toolchain, more)
            except CompileError:
                self._threads = 1
                if "threads" not in _told:
                    _told.add("threads")
                    warnings.warn(
                        f"the C compiler {self._toolchain.command[0]} has no OpenMP, so that programs run in one "
                        "thread; gcc has it, clang needs the package libomp-dev",
                        RallWarning, stacklevel=2,
                    )  # fmt: skip
        return load(text, self._toolchain, self._options)

    def _shared_out(self, operation: Operation, made: CompiledKernel) -> _Calls:
        """An operation over many elements as one call a thread."""
        assert isinstance(operation, Elementwise)
        function = self._kernel(made)
        parts = shares(operation.domain.layout.stored, self._threads)
        return [(function, part_of(made, part), part.last - part.first) for part in parts]

    # --- operations as calls: a function, the arrays whose addresses it takes, and a size ---

    def _kernel(self, made: CompiledKernel) -> Any:
        library = load_kernel(made, self._toolchain, self._options)
        self._kept.append(library)
        return getattr(library, ENTRY)

    def _elementwise(self, operation: Elementwise, made: CompiledKernel) -> _Calls:
        stored = operation.domain.layout.stored
        if not stored and not any(store.role in made.kernel.shared for store in made.kernel.stores):
            return []
        return [(self._kernel(made), [v.array for v in made.arguments], stored)]

    def _deliver(self, operation: Deliver, made: CompiledKernel) -> _Calls:
        events, queue = operation.events, operation.queue
        arguments: list[Any] = [v.array for v in made.arguments]
        if queue is None:
            return [(self._kernel(made), [*arguments, events.count, events.elements], 0)]
        parts = [_Moving(queue, name) if name in _MOVING else getattr(queue, name) for name in _QUEUE]
        before = [events.elements, events.count, *parts, operation.clock.step_variable.array]
        batch = [queue.batch, _Moving(queue, "batch_first"), _Moving(queue, "batch_last"), queue.order]
        return [(self._runtime.rall_queue, before, 0), (self._kernel(made), [*arguments, *batch], 0)]

    def _reduce(self, operation: Reduce) -> _Calls:
        values, target = operation.values, operation.target
        size = np.array([len(target.array)], np.int64)
        arrays = [values.array, operation.index.array, target.array, size]
        return [(self._runtime.rall_reduce, arrays, values.domain.size)]

    def _integrate(self, operation: Integrate, made: CompiledKernel) -> _Calls:
        if not operation.domain.size:
            return []
        more = integrate_arrays(operation, len(self._operations) + 1, self._status)
        return [(self._kernel(made), [*(v.array for v in made.arguments), *more], operation.domain.size)]

    def _check(self, operation: Check) -> _Calls:
        # The status becomes the number of the operation that failed, counted from 1.
        number = np.array([len(self._operations) + 1], np.int64)
        every = np.array([operation.every], np.int64)
        values = operation.values
        arrays = [values, self._status, number, operation.clock.step_variable.array, every]
        return [(self._runtime.rall_check, arrays, len(values))]

    def _emit(self, operation: Emit) -> _Calls:
        source, events = operation.source, operation.events
        if isinstance(source, Timetable):
            arrays: list[Any] = [source.steps, source.elements, source.cursor, source.period,
                                 operation.clock.step_variable.array, events.elements, events.count]  # fmt: skip
            return [(self._runtime.rall_play, arrays, len(source.steps))]
        chosen = (operation.elements, operation.reported)
        elements, reported = (None if e is None else np.ascontiguousarray(e, np.int64) for e in chosen)
        n = source.domain.size if elements is None else len(elements)
        return [(self._runtime.rall_emit, [source.array, elements, events.elements, events.count, reported], n)]

    def _record_events(self, operation: RecordEvents) -> _Calls:
        events, log = operation.events, operation.log
        kept = [None, None, None] if log is None else [log.buffer, log.count, log.extra]
        total = None if operation.total is None else operation.total.array
        arrays: list[Any] = [events.elements, events.count, np.ascontiguousarray(operation.labels, np.int64), *kept[:2],
                             operation.clock.step_variable.array, operation.counts, total, kept[2]]  # fmt: skip
        for variable in operation.values:
            kind = np.array([_KIND_NUMBERS[variable.kind]], np.int64)
            arrays += [variable.array, kind, np.array([variable.shared], np.int64)]
        return [(self._runtime.rall_record_events, arrays, len(operation.values))]

    def _record(self, operation: Record) -> _Calls:
        calls: _Calls = []
        column = 0
        table = operation.table
        for k, (variable, elements, weights, borders) in enumerate(operation.rows):
            last = int(k == len(operation.rows) - 1)
            position = np.array([column, table.buffer.shape[1], last], np.int64)
            arrays: list[Any] = [variable.array, table.buffer, table.count, np.ascontiguousarray(elements, np.int64),
                                 np.ascontiguousarray(weights, float), np.ascontiguousarray(borders, np.int64),
                                 position]  # fmt: skip
            calls.append((self._runtime.rall_record, arrays, len(borders) - 1))
            column += len(borders) - 1
        return calls

    def _solve(self, operation: Solve) -> _Calls:
        library = load(headers()["rall_tree.c"], self._toolchain, self._options)
        self._kept.append(library)
        function = getattr(library, f"rall_{operation.solver}")
        variables = [operation.variables.get(name) for name in TREE_VARIABLES]
        calls: _Calls = []
        for which, first, stored in operation.blocks.tolist():
            tables: list[Any] = [operation.structures[which][name] for name in TREE_TABLES]
            tables += [None if v is None else v.array[first : first + stored] for v in variables]
            calls.append((function, tables, stored))
        return calls

    def _op(self, function: Any, arrays: Sequence[Any], n: int, place: tuple[int, int, int]) -> _Op:
        """One entry of the list; `place`: number of its clock, thread, whether threads meet before it."""
        if function is None:
            return _Op(None, None, 0, *place)
        table = np.array([_address(a) for a in arrays], np.uint64)
        self._kept += [table, *arrays]
        self._moving += [(table, k, a) for k, a in enumerate(arrays) if isinstance(a, _Moving)]
        address = ctypes.cast(function, ctypes.c_void_p).value
        return _Op(address, table.ctypes.data, n, *place)

    def _layout(self, ops: list[_Op]) -> None:
        self._ops = (_Op * max(1, len(ops)))(*ops)
        self._clocks = (_Clock * max(1, len(self.clocks)))(*(self._clock(c) for c in self.clocks))
        buffers = [_Buffer(b.count.ctypes.data, b.limit) for b in self.buffers]
        self._buffers = (_Buffer * max(1, len(buffers)))(*buffers)
        self._program = _Program(
            ctypes.addressof(self._ops), len(ops), ctypes.addressof(self._clocks), len(self.clocks),
            ctypes.addressof(self._buffers), len(buffers), self._status.ctypes.data, -1, 0,
            self._threads,
        )  # fmt: skip

    @staticmethod
    def _clock(clock: Clock) -> _Clock:
        t, k = clock.t_variable.array.ctypes.data, clock.step_variable.array.ctypes.data
        times = clock.times.ctypes.data if isinstance(clock, EventClock) else None
        return _Clock(clock.dt, clock.step, clock.step, t, k, times)

    def advance(self, ends: Mapping[int, int], iterations: int) -> tuple[Status, Operation | None]:
        """See `Program.advance`."""
        self._stop.value = 0
        self._status[0] = 0
        for clock, native in zip(self.clocks, self._clocks):
            native.step, native.end = clock.step, ends[id(clock)]
        arguments = ctypes.byref(self._program), iterations, ctypes.byref(self._stop)
        status = Status(self._with_times(arguments) if self.timed else self._run(*arguments))
        for clock, native in zip(self.clocks, self._clocks):
            clock.step = native.step
        if status is Status.CALL:
            operation = self._operations[self._program.next_op]
            self._program.next_op += 1
            return status, operation
        if status is Status.FAILED:
            return status, self._operations[int(self._status[0]) - 1]
        return status, None

    def _with_times(self, arguments: tuple[Any, ...]) -> int:
        began = time.perf_counter()
        why = int(self._run_timed(*arguments, self._ticks.ctypes.data))
        self._seconds += time.perf_counter() - began
        return why

    def times(self) -> list[tuple[Operation, float]]:
        """See `Program.times`."""
        *each, total = self._ticks.tolist()
        tick = self._seconds / max(total, 1)
        return [(operation, ticks * tick) for operation, ticks in zip(self._operations, each)]

    def stop(self) -> None:
        """See `Program.stop`."""
        self._stop.value = 1

    def drain(self) -> None:
        """See `Program.drain`; what has moved is found again."""
        super().drain()
        for table, place, array in self._moving:
            table[place] = _address(array)
        for native, buffer in zip(self._buffers, self.buffers):
            native.limit = buffer.limit


def _address(array: Any) -> int:
    if array is None:
        return 0
    found = array.array if isinstance(array, _Moving) else array
    return int(found.__array_interface__["data"][0])
