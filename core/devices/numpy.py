"""The NumPy device: the reference for what every operation means, and what runs without a compiler."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from rall.devices.adaptive import give_up, integrate_step
from rall.devices.base import CompiledKernel, Program, Status
from rall.devices.compiled import compile_kernel
from rall.devices.occurrences import deliver, emit, record_events, reduce
from rall.devices.sweeps import stepper
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
from rall.schedule import Schedule

__all__ = ["NumpyDevice", "NumpyProgram", "step_of"]

Step: TypeAlias = Callable[[], None]
#: Clocks whose next times agree to this part of a step fire together.
SAME_TIME = 1e-4


class NumpyDevice:
    """Runs operations as NumPy functions, one call an operation and step."""

    name = "numpy"

    def __init__(self, options: Options) -> None:
        self.options = options

    def build(
        self, schedule: Schedule, kernels: Mapping[int, CompiledKernel], options: Options
    ) -> NumpyProgram:
        """Turn every operation into a Python function."""
        return NumpyProgram(schedule, kernels)


def step_of(op: Operation, kernels: Mapping[int, CompiledKernel]) -> Step:
    """A function that does one operation on the arrays of its variables.

    Parameters
    ----------
    op : Operation
        Anything but `Call` and `Check`, which programs look after.
    kernels : mapping
        From ``id(operation)`` to its kernel.
    """
    makers: dict[type[Operation], Callable[[Any], Step]] = {
        Elementwise: lambda op: compile_kernel(kernels[id(op)], op.domain.layout),
        Deliver: lambda op: deliver(op, kernels[id(op)]),
        Integrate: lambda op: integrate_step(op, kernels[id(op)], lambda: give_up(op)),
        Reduce: lambda op: lambda: reduce(op),
        Emit: lambda op: lambda: emit(op),
        Record: lambda op: lambda: _record(op),
        RecordEvents: lambda op: lambda: record_events(op),
        Solve: _solve,
    }
    return makers[type(op)](op)


class NumpyProgram(Program):
    """A list of Python functions with their clocks."""

    def __init__(self, schedule: Schedule, kernels: Mapping[int, CompiledKernel]) -> None:
        super().__init__(schedule)
        self._failed: list[Operation] = []
        self._stop = False
        self._next = -1
        self._due: set[int] = set()
        self._steps = [(op, self._function(op, kernels)) for op in schedule.operations]
        self._seconds = [0.0] * len(self._steps)

    def _function(self, op: Operation, kernels: Mapping[int, CompiledKernel]) -> Step | None:
        if isinstance(op, Call):
            return None
        if isinstance(op, Integrate):
            return integrate_step(op, kernels[id(op)], lambda: self._failed.append(op))
        return (lambda: self._check(op)) if isinstance(op, Check) else step_of(op, kernels)

    def _check(self, op: Check) -> None:
        if op.clock.step % op.every == 0 and not np.isfinite(op.values).all():
            self._failed.append(op)

    def advance(self, ends: Mapping[int, int], iterations: int) -> tuple[Status, Operation | None]:
        """See `Program.advance`."""
        self._stop = False
        self._failed.clear()
        # Infinities and NaN are values like any other here, as in C: checks and users look for them.
        with np.errstate(all="ignore"):
            return self._advance(ends, iterations)

    def _advance(self, ends: Mapping[int, int], iterations: int) -> tuple[Status, Operation | None]:
        while True:
            if self._next < 0:
                if self._stop:
                    return Status.STOPPED, None
                if iterations <= 0:
                    return Status.PAUSED, None
                if any(b.count[0] > b.limit for b in self.buffers):
                    return Status.FULL, None
                self._due = self._clocks_due(ends)
                if not self._due:
                    return Status.DONE, None
                self._next = 0
                iterations -= 1
            while self._next < len(self._steps):
                op, function = self._steps[self._next]
                self._next += 1
                if id(op.clock) in self._due:
                    if function is None:
                        return Status.CALL, op
                    if self.timed:
                        self._with_time(self._next - 1, function)
                    else:
                        function()
            for clock in self.clocks:
                clock.step += id(clock) in self._due
            self._next = -1
            if self._failed:
                return Status.FAILED, self._failed[0]

    def _with_time(self, number: int, function: Step) -> None:
        began = time.perf_counter()
        function()
        self._seconds[number] += time.perf_counter() - began

    def times(self) -> list[tuple[Operation, float]]:
        """See `Program.times`."""
        return [(op, seconds) for (op, _), seconds in zip(self._steps, self._seconds)]

    def _clocks_due(self, ends: Mapping[int, int]) -> set[int]:
        waiting = [c for c in self.clocks if c.step < ends[id(c)]]
        if not waiting:
            return set()
        first = min(c.time_of(c.step) for c in waiting)
        due = [c for c in waiting if c.time_of(c.step) <= first + SAME_TIME * c.dt]
        for clock in due:
            clock.t_variable.array[0] = clock.time_of(clock.step)
            clock.step_variable.array[0] = clock.step
        return {id(c) for c in due}

    def stop(self) -> None:
        """See `Program.stop`."""
        self._stop = True


def _solve(op: Solve) -> Step:
    """A step of all blocks, one after the other."""
    steps = []
    for which, first, stored in op.blocks.tolist():
        arrays = {name: variable.array[first : first + stored] for name, variable in op.variables.items()}
        steps.append(stepper(op.solver, op.structures[which], arrays))

    def step() -> None:
        for one in steps:
            one()

    return step


def _record(op: Record) -> None:
    row = op.table.buffer[int(op.table.count[0])]
    column = 0
    for variable, elements, weights, borders in op.rows:
        width = weights.shape[1] if borders is None else len(borders) - 1
        if borders is None:
            row[column : column + width] = variable.array[elements] @ weights
        elif width:
            values = weights * variable.array[elements].astype(float)
            row[column : column + width] = np.add.reduceat(values, borders[:-1])
        column += width
    op.table.count[0] += 1
