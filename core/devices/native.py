"""The tables that ``rall_runtime.c`` reads, as ctypes sees them."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.events import EventQueue
from rall.model import Clock, EventClock

__all__ = [
    "BufferTable", "Channel", "ClockTable", "Component", "Copy", "Early", "Epochs", "Mail", "Moving", "Notes", "Op",
    "ProgramTable", "Tables", "address_of", "clock_table",
]  # fmt: skip

_POINTER, _WHOLE = ctypes.c_void_p, ctypes.c_longlong


class Op(ctypes.Structure):
    """``rall_op``."""

    _fields_ = (("run", _POINTER), ("x", _POINTER), ("n", _WHOLE), ("clock", _WHOLE), ("thread", _WHOLE),
                ("meet", _WHOLE))  # fmt: skip


class ClockTable(ctypes.Structure):
    """``rall_clock``."""

    _fields_ = (("dt", ctypes.c_double), ("step", _WHOLE), ("end", _WHOLE), ("t", _POINTER), ("k", _POINTER),
                ("times", _POINTER))  # fmt: skip


class BufferTable(ctypes.Structure):
    """``rall_buffer``."""

    _fields_ = (("count", _POINTER), ("limit", _WHOLE), ("each", _WHOLE))


class ProgramTable(ctypes.Structure):
    """``rall_program``."""

    _fields_ = (("ops", _POINTER), ("n_ops", _WHOLE), ("clocks", _POINTER), ("n_clocks", _WHOLE),
                ("buffers", _POINTER), ("n_buffers", _WHOLE), ("status", _POINTER), ("next_op", _WHOLE),
                ("due", _WHOLE), ("threads", _WHOLE), ("epochs", _POINTER))  # fmt: skip


class Component(ctypes.Structure):
    """``rall_component``."""

    _fields_ = (("ops", _POINTER), ("n_ops", _WHOLE), ("clocks", _POINTER), ("status", _POINTER),
                ("iteration", _POINTER), ("thread", _WHOLE))  # fmt: skip


class Notes(ctypes.Structure):
    """``rall_notes``."""

    _fields_ = (("count", _POINTER), ("pairs", _POINTER), ("read", _WHOLE))


class Channel(ctypes.Structure):
    """``rall_channel``."""

    _fields_ = (("logs", _POINTER), ("n_logs", _WHOLE), ("reported", _POINTER), ("event", _POINTER),
                ("count", _POINTER))  # fmt: skip


class Mail(ctypes.Structure):
    """``rall_mail``."""

    _fields_ = (("queue", _POINTER), ("clock", _WHOLE), ("room", _WHOLE), ("start", _POINTER))


class Early(ctypes.Structure):
    """``rall_early``."""

    _fields_ = (("channel", _WHOLE), ("first_run", _POINTER), ("run_start", _POINTER), ("first", _POINTER),
                ("last", _POINTER), ("start", _POINTER))  # fmt: skip


class Copy(ctypes.Structure):
    """``rall_copy``."""

    _fields_ = (("master", _POINTER), ("own", _POINTER), ("bytes", _WHOLE))


class Epochs(ctypes.Structure):
    """``rall_epochs``."""

    _fields_ = (("components", _POINTER), ("n_components", _WHOLE), ("channels", _POINTER), ("n_channels", _WHOLE),
                ("mails", _POINTER), ("n_mails", _WHOLE), ("early", _POINTER), ("n_early", _WHOLE), ("first", _WHOLE),
                ("after", _POINTER), ("n_after", _WHOLE),
                ("copies", _POINTER), ("n_copies", _WHOLE), ("n_back", _WHOLE), ("most", _WHOLE),
                ("length", _WHOLE), ("rare", _WHOLE), ("always", _WHOLE))  # fmt: skip


class Moving:
    """An array of a queue, wherever it lies at the moment."""

    def __init__(self, queue: EventQueue, name: str) -> None:
        self.queue, self.name = queue, name

    @property
    def array(self) -> NDArray[Any]:
        """The array itself."""
        found: NDArray[Any] = getattr(self.queue, self.name)
        return found


def address_of(array: Any) -> int:
    """Where an array begins; 0 for None."""
    if array is None:
        return 0
    found = array.array if isinstance(array, Moving) else array
    return int(found.__array_interface__["data"][0])


def clock_table(clock: Clock, t: NDArray[Any], step: NDArray[Any]) -> ClockTable:
    """A clock that writes its time and step where it is told."""
    times = clock.times.ctypes.data if isinstance(clock, EventClock) else None
    return ClockTable(clock.dt, clock.step, clock.step, t.ctypes.data, step.ctypes.data, times)


class Tables:
    """Tables of addresses, and what must stay alive as long as they are in use."""

    def __init__(self) -> None:
        self.kept: list[object] = []
        self._moving: list[tuple[NDArray[Any], int, Moving]] = []

    def table(self, arrays: Sequence[Any], own: Mapping[int, NDArray[Any]] | None = None) -> NDArray[Any]:
        """A table of the addresses of arrays, some of which a component has of its own."""
        found = [address_of(a) for a in arrays]
        if own:
            found = [address_of(own[a]) if a in own else a for a in found]
            self.kept.append(own)
        table = np.array(found, np.uint64)
        self.kept += [table, *arrays]
        self._moving += [(table, k, a) for k, a in enumerate(arrays) if isinstance(a, Moving)]
        return table

    def op(
        self, call: tuple[Any, Sequence[Any], int], place: tuple[int, int, int], own: Mapping[int, Any] | None = None
    ) -> Op:
        """One entry of a list of operations.

        Parameters
        ----------
        call : tuple of (function, sequence of array, int)
            The function, what it is called with, and its size; no function for Python.
        place : tuple of int
            Number of its clock, thread, whether threads meet before it.
        own : mapping of int to ndarray, optional
            From the addresses of arrays to those that stand in their place.
        """
        function, arrays, n = call
        if function is None:
            return Op(None, None, 0, *place)
        table = self.table(arrays, own)
        return Op(ctypes.cast(function, ctypes.c_void_p).value, table.ctypes.data, n, *place)

    def array(self, kind: type[ctypes.Structure], entries: Sequence[ctypes.Structure]) -> Any:
        """Structures in one row, at least one."""
        made = (kind * max(1, len(entries)))(*entries)
        self.kept.append(made)
        return made

    def find_again(self) -> None:
        """Put in the addresses of what has moved."""
        for table, place, array in self._moving:
            table[place] = address_of(array)
