"""The C device: kernels as cached libraries, and one compiled time loop over tables of addresses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from rall.codegen.adaptive import INTEGRATE, print_integrate_c
from rall.codegen.printer import ENTRY, print_c
from rall.devices.adaptive import integrate_arrays
from rall.devices.base import CompiledKernel, Program, Status
from rall.devices.compiler import Toolchain, find_compiler, headers, load
from rall.errors import CompileError
from rall.model import Call, Check, Clock, Elementwise, Emit, Integrate, Operation, Record, Solve
from rall.options import Options
from rall.schedule import Schedule

__all__ = ["TREE_TABLES", "TREE_VARIABLES", "CDevice", "CProgram"]

#: Order of the tables and variables of a tree solve, as ``rall_runtime.c`` takes them.
TREE_TABLES = ("size", "order", "parent", "first", "rows", "above", "below", "to_below")
TREE_VARIABLES = ("diagonal", "d", "r", "g", "w", "f", "v", "carry", "first", "second", "rest", "late")


_Calls: TypeAlias = list[tuple[Any, list[Any], int]]


class _Op(ctypes.Structure):
    _fields_ = (("run", ctypes.c_void_p), ("x", ctypes.c_void_p), ("n", ctypes.c_longlong),
                ("clock", ctypes.c_longlong))  # fmt: skip


class _Clock(ctypes.Structure):
    _fields_ = (("dt", ctypes.c_double), ("step", ctypes.c_longlong), ("end", ctypes.c_longlong),
                ("t", ctypes.c_void_p), ("k", ctypes.c_void_p))  # fmt: skip


class _Buffer(ctypes.Structure):
    _fields_ = (("count", ctypes.c_void_p), ("limit", ctypes.c_longlong))


class _Program(ctypes.Structure):
    _fields_ = (("ops", ctypes.c_void_p), ("n_ops", ctypes.c_longlong), ("clocks", ctypes.c_void_p),
                ("n_clocks", ctypes.c_longlong), ("buffers", ctypes.c_void_p), ("n_buffers", ctypes.c_longlong),
                ("status", ctypes.c_void_p), ("next_op", ctypes.c_longlong), ("due", ctypes.c_longlong))  # fmt: skip


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
        self._runtime = load(headers()["rall_runtime.c"], toolchain, options)
        self._run = self._runtime.rall_run
        self._run.restype = ctypes.c_int
        self._run.argtypes = (ctypes.c_void_p, ctypes.c_longlong, ctypes.c_void_p)
        self._toolchain, self._options = toolchain, options
        number = {id(clock): k for k, clock in enumerate(self.clocks)}
        makers: dict[type[Operation], Callable[..., _Calls]] = {
            Elementwise: lambda op: self._elementwise(op, kernels[id(op)]), Check: self._check,
            Emit: self._emit, Record: self._record, Solve: self._solve, Call: lambda op: [(None, [], 0)],
            Integrate: lambda op: self._integrate(op, kernels[id(op)]),
        }  # fmt: skip
        ops: list[_Op] = []
        self._operations: list[Operation] = []
        for operation in schedule.operations:
            for function, arrays, n in makers[type(operation)](operation):
                self._operations.append(operation)
                ops.append(self._op(function, arrays, n, number[id(operation.clock)]))
        self._layout(ops)

    # --- operations as calls: a function, the arrays whose addresses it takes, and a size ---

    def _elementwise(self, operation: Elementwise, made: CompiledKernel) -> _Calls:
        library = load(made.text("c", print_c), self._toolchain, self._options)
        self._kept.append(library)
        return [(getattr(library, ENTRY), [v.array for v in made.arguments], operation.domain.layout.stored)]

    def _integrate(self, operation: Integrate, made: CompiledKernel) -> _Calls:
        library = load(made.text(f"c {INTEGRATE}", print_integrate_c), self._toolchain, self._options)
        self._kept.append(library)
        more = integrate_arrays(operation, len(self._operations) + 1, self._status)
        return [(getattr(library, ENTRY), [*(v.array for v in made.arguments), *more], operation.domain.size)]

    def _check(self, operation: Check) -> _Calls:
        # The status becomes the number of the operation that failed, counted from 1.
        number = np.array([len(self._operations) + 1], np.int64)
        values = operation.variable.array
        return [(self._runtime.rall_check, [values, self._status, number], len(values))]

    def _emit(self, operation: Emit) -> _Calls:
        elements = np.ascontiguousarray(operation.elements, np.int64)
        labels = np.ascontiguousarray(operation.labels, np.int64)
        arrays: list[Any] = [operation.condition.array, elements, labels, operation.events.buffer,
                             operation.events.count, operation.clock.step_variable.array]  # fmt: skip
        return [(self._runtime.rall_emit, arrays, len(elements))]

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
        tables: list[Any] = [operation.structure[name] for name in TREE_TABLES]
        variables = [operation.variables.get(name) for name in TREE_VARIABLES]
        arrays = tables + [None if v is None else v.array for v in variables]
        function = getattr(self._runtime, f"rall_{operation.solver}")
        return [(function, arrays, len(operation.variables["v"].array))]

    def _op(self, function: Any, arrays: Sequence[Any], n: int, clock: int) -> _Op:
        if function is None:
            return _Op(None, None, 0, clock)
        table = np.array([0 if a is None else a.ctypes.data for a in arrays], np.uint64)
        self._kept += [table, *arrays]
        address = ctypes.cast(function, ctypes.c_void_p).value
        return _Op(address, table.ctypes.data, n, clock)

    def _layout(self, ops: list[_Op]) -> None:
        self._ops = (_Op * max(1, len(ops)))(*ops)
        self._clocks = (_Clock * max(1, len(self.clocks)))(*(self._clock(c) for c in self.clocks))
        buffers = [_Buffer(b.count.ctypes.data, b.limit) for b in self.buffers]
        self._buffers = (_Buffer * max(1, len(buffers)))(*buffers)
        self._program = _Program(
            ctypes.addressof(self._ops), len(ops), ctypes.addressof(self._clocks), len(self.clocks),
            ctypes.addressof(self._buffers), len(buffers), self._status.ctypes.data, -1, 0,
        )  # fmt: skip

    @staticmethod
    def _clock(clock: Clock) -> _Clock:
        t, k = clock.t_variable.array.ctypes.data, clock.step_variable.array.ctypes.data
        return _Clock(clock.dt, clock.step, clock.step, t, k)

    def advance(self, ends: Mapping[int, int], iterations: int) -> tuple[Status, Operation | None]:
        """See `Program.advance`."""
        self._stop.value = 0
        self._status[0] = 0
        for clock, native in zip(self.clocks, self._clocks):
            native.step, native.end = clock.step, ends[id(clock)]
        status = Status(self._run(ctypes.byref(self._program), iterations, ctypes.byref(self._stop)))
        for clock, native in zip(self.clocks, self._clocks):
            clock.step = native.step
        if status is Status.CALL:
            operation = self._operations[self._program.next_op]
            self._program.next_op += 1
            return status, operation
        if status is Status.FAILED:
            return status, self._operations[int(self._status[0]) - 1]
        return status, None

    def stop(self) -> None:
        """See `Program.stop`."""
        self._stop.value = 1
