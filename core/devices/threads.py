"""Threads: how many work on a program, and which part of an operation each of them does.

Elements do not see each other within an operation, so that results do not depend on who computes which.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from rall.codegen.kernel import Kernel
from rall.devices.base import CompiledKernel
from rall.ir.nodes import Call
from rall.ir.visit import walk
from rall.model import Elementwise, Operation, Solve

__all__ = ["Share", "meets", "part_of", "shares", "splits", "thread_count"]

#: Shares begin at multiples of so many elements: whole blocks of a kernel, and whole lines of the cache for bytes.
GRAIN = 64
#: Estimated nanoseconds of a step from which on a second thread pays, for the threads meet several times in it.
ENOUGH = 50_000.0
#: Nanoseconds an element for an operation, for a call of a function, as vector code takes them, and for a solve.
_PLAIN, _FUNCTION, _SOLVED = 0.02, 0.4, 1.5
#: The process in which threads were started; the child of a fork has none of them, and cannot start others.
_started: list[int] = []


@dataclass(frozen=True)
class Share:
    """A part of an operation's elements.

    Parameters
    ----------
    first, last : int
        Storage indices, multiples of `GRAIN` but for the end.
    """

    first: int
    last: int


def thread_count(
    stages: Sequence[tuple[list[Operation], int]], kernels: Mapping[int, CompiledKernel], wanted: int | None
) -> int:
    """How many threads a program gets.

    Parameters
    ----------
    stages : sequence of (list of Operation, int)
        Of `rall.devices.parts.stages`.
    kernels : mapping
        From ``id(operation)`` to its kernel.
    wanted : int or None
        As many as the user wants; None for more than one only where it pays.
    """
    if _started and _started[0] != os.getpid():
        return 1
    largest, work = 0, 0.0
    for operations, blocks in stages:
        for operation in operations:
            if isinstance(operation, Solve) and blocks:
                largest = max(largest, blocks)
                work += _SOLVED * float(operation.blocks[:, 2].sum())
            elif isinstance(operation, Elementwise) and (blocks or splits(operation, kernels)):
                largest = max(largest, blocks or operation.domain.layout.stored // GRAIN)
                work += operation.domain.layout.stored * _cost(kernels[id(operation)].kernel)
    if wanted is None:
        wanted = min(_processors(), int(work // ENOUGH) + 1)
    found = max(1, min(wanted, largest))
    if found > 1 and not _started:
        _started.append(os.getpid())
    return found


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _cost(kernel: Kernel) -> float:
    nodes = list(walk([store.value for store in kernel.stores]))
    return sum(_FUNCTION if isinstance(node, Call) else _PLAIN for node in nodes)


def splits(operation: Operation, kernels: Mapping[int, CompiledKernel]) -> bool:
    """Whether threads can each do a part of an operation.

    Parameters
    ----------
    operation : Operation
        Any.
    kernels : mapping
        From ``id(operation)`` to its kernel.
    """
    if type(operation) is not Elementwise:
        return False
    kernel = kernels[id(operation)].kernel
    loads = {load.role: load for load in kernel.loads}
    own = all(not loads[store.role].shared and loads[store.role].through is None for store in kernel.stores)
    return own and not kernel.functions and operation.domain.layout.stored > GRAIN


def shares(stored: int, threads: int) -> list[Share]:
    """The parts of some elements, one a thread."""
    blocks = -(-stored // GRAIN)
    borders = [min(stored, GRAIN * (blocks * k // threads)) for k in range(threads + 1)]
    return [Share(first, last) for first, last in pairwise(borders)]


def part_of(made: CompiledKernel, share: Share) -> list[NDArray[Any]]:
    """The arrays of a kernel for a part of its elements.

    Parameters
    ----------
    made : CompiledKernel
        The kernel.
    share : Share
        The part.
    """
    found = []
    for load, variable in zip(made.kernel.loads, made.arguments):
        whole = load.shared or load.through is not None
        found.append(variable.array if whole else variable.array[share.first :])
    return found


def meets(before: Sequence[Operation], operation: Operation, split: Mapping[int, bool]) -> bool:
    """Whether threads must wait for each other before an operation.

    Parameters
    ----------
    before : sequence of Operation
        What was done since they did so last.
    operation : Operation
        What comes.
    split : mapping
        From ``id(operation)`` to whether threads share it; others are the first thread's.
    """
    if not before:
        return False
    if any(split[id(one)] != split[id(operation)] for one in before):
        return True
    if not split[id(operation)]:
        return False
    mine = operation.accesses()
    for one in before:
        theirs = one.accesses()
        assert mine is not None and theirs is not None and isinstance(one, Elementwise)
        elsewhere = mine.mapped & theirs.writes or theirs.mapped & mine.writes
        other = isinstance(operation, Elementwise) and one.domain is not operation.domain
        if elsewhere or (other and mine.disturbs(theirs)):
            return True
    return False

