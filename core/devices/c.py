"""The C device: kernels as cached libraries, and one compiled time loop over tables of addresses."""

from __future__ import annotations

import ctypes
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rall.devices.base import CompiledKernel, Program, Status
from rall.devices.calls import Calls
from rall.devices.compiler import Toolchain, find_compiler, headers, load
from rall.devices.epochs import EpochPlan, plan_epochs
from rall.devices.foreign import in_python
from rall.devices.native import BufferTable, ClockTable, Op, ProgramTable, Tables, clock_table
from rall.devices.parts import stages
from rall.devices.threads import meets, splits, thread_count
from rall.errors import CompileError, RallWarning
from rall.model import Clock, Operation
from rall.options import Options
from rall.schedule import Schedule

__all__ = ["CDevice", "CProgram"]

#: The least that a compiler must be able to do.
_TRIED = '#include "rall_abi.h"\nRALL_EXPORT int rall_works(void) { return 1; }\n'
#: Notes that were given.
_told: set[str] = set()


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
        # Whether this compiler works is found out before a model comes in.
        load(_TRIED, found, options)

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
        self._stop = ctypes.c_int(0)
        self._toolchain, self._options, self._kernels = toolchain, options, kernels
        operations = in_python(schedule.operations, kernels, toolchain)
        self._stages = stages(operations, kernels)
        self._threads = thread_count(self._stages, kernels, options.threads)
        runtime = self._load_runtime()
        for function, more in (("rall_run", ()), ("rall_run_timed", (ctypes.c_void_p,)), ("rall_run_epochs", ())):
            getattr(runtime, function).restype = ctypes.c_int
            getattr(runtime, function).argtypes = (ctypes.c_void_p, ctypes.c_longlong, ctypes.c_void_p, *more)
        self._calls = Calls(kernels, toolchain, options, runtime)
        self._tables = Tables()
        self._operations: list[Operation] = []
        self._epochs: EpochPlan | None = None
        self._made = False
        # What cannot be compiled is to be found out now.
        for operation in operations:
            if id(operation) in kernels:
                self._calls.whole(operation)

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

    # --- making -------------------------------------------------------------------------------------------------

    def _make(self) -> None:
        """Lay out the tables: by epochs where that can be, by steps else and where operations are timed one by one."""
        self._made = True
        self._native_clocks = self._tables.array(ClockTable, [self._clock(c) for c in self.clocks])
        if not self.timed:
            self._epochs = plan_epochs(self._stages, self._kernels, self.clocks, self._calls, self._threads)
        native = None if self._epochs is None else self._epochs.build(self._tables)
        ops = [] if self._epochs is not None and not self._epochs.steps else self._steps()
        self._ops = self._tables.array(Op, ops)
        buffers = [BufferTable(b.count.ctypes.data, b.limit, b.each) for b in self.buffers]
        self._buffers = self._tables.array(BufferTable, buffers)
        self._program = ProgramTable(
            ctypes.addressof(self._ops), len(ops), ctypes.addressof(self._native_clocks), len(self.clocks),
            ctypes.addressof(self._buffers), len(buffers), self._calls.status.ctypes.data, -1, 0, self._threads,
            None if native is None else ctypes.addressof(native),
        )  # fmt: skip
        #: Of each operation, and of all that happens in the compiled loop; and the seconds that are these.
        self._ticks, self._seconds = np.zeros(len(ops) + 1, np.uint64), 0.0

    def _steps(self) -> list[Op]:
        """All operations of a step, block by block where that can be, so that blocks stay in the cache."""
        number = {id(clock): k for k, clock in enumerate(self.clocks)}
        ops: list[Op] = []
        split = {id(op): self._threads > 1 and splits(op, self._kernels) for ops_, _ in self._stages for op in ops_}
        together: list[Operation] = []
        for operations, blocks in self._stages:
            first = operations[0]
            if blocks:
                meet = self._threads > 1 and bool(ops)
                entries = [(op, self._calls.block(op, b), b * self._threads // blocks)
                           for b in range(blocks) for op in operations]  # fmt: skip
                together = []
            else:
                behind = self._threads > 1 and bool(ops) and not together
                meet = behind or (self._threads > 1 and meets(together, first, split))
                together = [first] if meet else [*together, first]
                calls = self._calls.shared_out(first, self._threads) if split[id(first)] else self._calls.whole(first)
                shares = [[call] for call in calls] if split[id(first)] else [calls]
                entries = [(first, share, thread) for thread, share in enumerate(shares)]
            for operation, calls, thread in entries:
                for call in calls:
                    self._operations.append(operation)
                    ops.append(self._tables.op(call, (number[id(operation.clock)], thread, int(meet))))
                    meet = False
        return ops

    @staticmethod
    def _clock(clock: Clock) -> ClockTable:
        return clock_table(clock, clock.t_variable.array, clock.step_variable.array)

    # --- running --------------------------------------------------------------------------------------------------

    def advance(self, ends: Mapping[int, int], iterations: int) -> tuple[Status, Operation | None]:
        """See `Program.advance`."""
        if not self._made:
            self._make()
        self._stop.value = 0
        self._calls.status[0] = 0
        for clock, native in zip(self.clocks, self._native_clocks):
            native.step, native.end = clock.step, ends[id(clock)]
        arguments = ctypes.byref(self._program), iterations, ctypes.byref(self._stop)
        runtime = self._calls.runtime
        if self._epochs is not None:
            status = Status(runtime.rall_run_epochs(*arguments))
            if status is Status.FAILED:
                self._epochs.cut(self._native_clocks)
        else:
            status = Status(self._with_times(arguments) if self.timed else runtime.rall_run(*arguments))
        for clock, native in zip(self.clocks, self._native_clocks):
            clock.step = native.step
        if status is Status.CALL:
            operation = self._operations[self._program.next_op]
            self._program.next_op += 1
            return status, operation
        return status, self._calls.failed() if status is Status.FAILED else None

    def _with_times(self, arguments: tuple[Any, ...]) -> int:
        began = time.perf_counter()
        why = int(self._calls.runtime.rall_run_timed(*arguments, self._ticks.ctypes.data))
        self._seconds += time.perf_counter() - began
        return why

    def times(self) -> list[tuple[Operation, float]]:
        """See `Program.times`; those of several calls of one operation are added up."""
        if not self._made:
            return []
        *each, total = self._ticks.tolist()
        tick = self._seconds / max(total, 1)
        found: dict[int, tuple[Operation, float]] = {}
        for operation, ticks in zip(self._operations, each):
            before = found.get(id(operation), (operation, 0.0))[1]
            found[id(operation)] = operation, before + ticks * tick
        return list(found.values())

    def stop(self) -> None:
        """See `Program.stop`."""
        self._stop.value = 1

    def drain(self) -> None:
        """See `Program.drain`; what has moved is found again."""
        super().drain()
        if not self._made:
            return
        self._tables.find_again()
        if self._epochs is not None:
            self._epochs.find_again()
        for native, buffer in zip(self._buffers, self.buffers):
            native.limit = buffer.limit
