"""Events on the NumPy device: found, delivered, summed, recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.codegen.kernel import Kernel
from rall.devices.base import CompiledKernel
from rall.devices.compiled import function_of
from rall.events import Timetable
from rall.model import Deliver, Emit, RecordEvents, Reduce

__all__ = ["deliver", "emit", "record_events", "reduce"]

_Elements = NDArray[np.int64]


def emit(op: Emit) -> None:
    """Find the events of a step; see ``rall_emit`` and ``rall_play`` in ``rall_runtime.c``."""
    if isinstance(op.source, Timetable):
        _play(op, op.source)
    elif op.elements is None:
        op.events.put(np.flatnonzero(op.source.array[: op.source.domain.size]))
    else:
        reported = op.elements if op.reported is None else op.reported
        op.events.put(reported[op.source.array[op.elements]])


def _play(op: Emit, table: Timetable) -> None:
    step = op.clock.step
    period = int(table.period[0])
    step = step % period if period else step
    first, last = np.searchsorted(table.steps, (step, step + 1))
    op.events.put(table.elements[first:last])


def deliver(op: Deliver, made: CompiledKernel) -> Callable[[], None]:
    """A function that runs the statements of a `Deliver` for the events of a step."""
    function = function_of(made)
    arrays: list[Any] = [variable.array for variable in made.arguments]
    rounds = _rounds(made.kernel)
    queue = op.queue

    def run() -> None:
        if queue is not None:
            elements = queue.step(op.events, op.clock.step)
        else:
            elements = op.events.present.astype(np.int64)
        if not len(elements):
            return
        twice = queue is not None and queue.late and len(np.unique(elements)) < len(elements)
        for part in _one_by_one(arrays, elements) if twice else rounds(arrays, elements):
            function(arrays, part)

    return run


_Rounds = Callable[[list[Any], _Elements], Iterator[_Elements]]


def _rounds(kernel: Kernel) -> _Rounds:
    """How elements are split so that what is done at once gives what one after the other would."""
    place = {load.role: k for k, load in enumerate(kernel.loads)}
    stored = {store.role for store in kernel.stores} - kernel.shared
    own = {load.argument for load in kernel.loads if load.role in stored and not load.through}
    if any(load.through for load in kernel.loads if load.argument in own):
        return _one_by_one
    touched = {load.argument for load in kernel.loads if load.role in stored and load.through}
    if not touched or kernel.sums is not None:
        return lambda arrays, elements: iter((elements,))
    maps = {load.through for load in kernel.loads if load.argument in touched}
    if len(maps) > 1:
        return _one_by_one
    (one,) = maps
    assert one is not None
    return lambda arrays, elements: _by_occurrence(arrays[place[one]][elements], elements)


def _one_by_one(arrays: list[Any], elements: _Elements) -> Iterator[_Elements]:
    return (elements[k : k + 1] for k in range(len(elements)))


def _by_occurrence(targets: NDArray[Any], elements: _Elements) -> Iterator[_Elements]:
    """First all first events of each target, then all second ones, and so on."""
    order = np.argsort(targets, kind="stable")
    ordered = targets[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    rank = np.empty(len(targets), np.int64)
    rank[order] = np.arange(len(targets)) - np.repeat(starts, np.diff(np.append(starts, len(targets))))
    for k in range(int(rank.max()) + 1):
        yield elements[rank == k]


def reduce(op: Reduce) -> None:
    """Sum over a map, in the order of the elements."""
    n = op.values.domain.size
    size = len(op.target.array)
    op.target.array[:] = np.bincount(op.index.array[:n], op.values.array[:n], size)[:size]


def record_events(op: RecordEvents) -> None:
    """Keep and count the events of a step."""
    elements = op.events.present
    labels = op.labels[elements]
    seen = labels >= 0
    elements, labels = elements[seen], labels[seen]
    if op.counts is not None:
        op.counts += np.bincount(labels, minlength=len(op.counts))
    if op.total is not None:
        op.total.array[0] = len(labels)
    if op.log is not None and len(labels):
        first = int(op.log.count[0])
        last = first + len(labels)
        op.log.buffer[first:last, 0], op.log.buffer[first:last, 1] = labels, op.clock.step
        for k, variable in enumerate(op.values):
            op.log.extra[first:last, k] = variable.array[np.zeros_like(elements) if variable.shared else elements]
        op.log.count[0] = last
