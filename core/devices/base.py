"""Device and Program: what every target offers to the rest of rall."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol, TypeAlias

from rall.codegen.kernel import Kernel
from rall.events import EventQueue
from rall.model import Clock, Deliver, Operation, Record, RecordEvents, Variable
from rall.options import Options
from rall.recording import Events, Table
from rall.schedule import Schedule

__all__ = ["CompiledKernel", "Device", "Program", "Status"]


Buffer: TypeAlias = Table | Events | EventQueue


class Status(IntEnum):
    """Why a program came back from `Program.advance`."""

    DONE = 0
    PAUSED = 1
    FULL = 2
    STOPPED = 3
    CALL = 4
    FAILED = 5


@dataclass(frozen=True)
class CompiledKernel:
    """A kernel with the variables that it is called with.

    Parameters
    ----------
    kernel : Kernel
        Optimised.
    arguments : tuple of Variable
        In the order of its loads.
    printed : dict of str to str
        Texts that devices made of it, by the device's name; kept from run to run.
    """

    kernel: Kernel
    arguments: tuple[Variable, ...]
    printed: dict[str, str] = field(default_factory=dict)

    def text(self, device: str, printer: Callable[[Kernel], str]) -> str:
        """The kernel's text for a device, printed once."""
        if device not in self.printed:
            self.printed[device] = printer(self.kernel)
        return self.printed[device]


class Device(Protocol):
    """Where programs run."""

    name: str

    def build(
        self, schedule: Schedule, kernels: Mapping[int, CompiledKernel], options: Options
    ) -> Program:
        """Make a program; `kernels` maps ``id(operation)`` of each elementwise operation to its kernel."""
        ...


class Program(ABC):
    """A model on a device, ready to run over the arrays of its variables.

    Parameters
    ----------
    schedule : Schedule
        What a step consists of.

    Attributes
    ----------
    timed : bool
        Whether operations are timed one by one; set before the first `advance`.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.timed = False
        self.clocks: tuple[Clock, ...] = schedule.clocks
        self.buffers: list[Buffer] = buffers_of(schedule)

    @abstractmethod
    def advance(self, ends: Mapping[int, int], iterations: int) -> tuple[Status, Operation | None]:
        """Run until every clock has reached its end.

        Parameters
        ----------
        ends : mapping
            From ``id(clock)`` to the step before which it stops.
        iterations : int
            Most steps before coming back with `Status.PAUSED`.

        Returns
        -------
        Status, Operation or None
            Why it came back; with `Status.CALL` the Python operation that is due (it is taken as done at the
            next call), with `Status.FAILED` the operation whose check failed.
        """

    @abstractmethod
    def stop(self) -> None:
        """Ask a running `advance` to come back with `Status.STOPPED` (from another thread or a handler)."""

    def times(self) -> list[tuple[Operation, float]]:
        """Wall seconds of operations so far, if they are timed; those in Python are timed by who calls them."""
        return []

    def drain(self) -> None:
        """Empty the recording buffers."""
        for buffer in self.buffers:
            buffer.drain()


def buffers_of(schedule: Schedule) -> list[Buffer]:
    """What the operations of a schedule fill and `Program.drain` empties, or makes larger."""
    buffer_of: dict[type[Operation], Callable[[Any], Buffer | None]] = {
        Record: lambda op: op.table, RecordEvents: lambda op: op.log, Deliver: lambda op: op.queue,
    }  # fmt: skip
    found: dict[int, Buffer] = {}
    for op in schedule.operations:
        filled = buffer_of[type(op)](op) if type(op) in buffer_of else None
        if filled is not None:
            found[id(filled)] = filled
    return list(found.values())
