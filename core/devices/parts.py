"""Which operations can be done block by block, so that a block's arrays stay in the cache and threads share blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rall.devices.base import CompiledKernel
from rall.model import Check, Elementwise, Layout, Operation, Solve, Variable

__all__ = ["block_count", "stages", "written"]


def written(operations: Sequence[Operation]) -> frozenset[int]:
    """The addresses of what some operations write."""
    found = [accesses.writes for op in operations if (accesses := op.accesses()) is not None]
    return frozenset().union(*found)


def block_count(operation: Operation, kernels: Mapping[int, CompiledKernel], changing: frozenset[int]) -> int:
    """How many blocks an operation can be done for one after the other, each touching none but its own; else 0.

    Parameters
    ----------
    operation : Operation
        Any.
    kernels : mapping
        From ``id(operation)`` to its kernel.
    changing : frozenset of int
        Addresses of what the program writes; anything else may be read from everywhere.
    """
    if isinstance(operation, Solve):
        return len(operation.blocks) if len(operation.blocks) > 1 else 0
    if isinstance(operation, Check):
        blocks = operation.variable.domain.layout.blocks
        return 0 if blocks is None else len(blocks)
    if type(operation) is not Elementwise or operation.domain.layout.blocks is None:
        return 0
    made = kernels[id(operation)]
    loads = {load.role: load for load in made.kernel.loads}
    if made.kernel.functions or any(loads[store.role].shared for store in made.kernel.stores):
        return 0
    layout = operation.domain.layout
    assert layout.blocks is not None
    arrays = dict(zip(loads, made.arguments))
    for role, load in loads.items():
        variable = arrays[role]
        if load.through is not None and variable.address in changing and not variable.shared:
            if not _inside(arrays[load.through], variable.domain.layout, layout):
                return 0
    return len(layout.blocks)


def _inside(index: Variable, seen: Layout, layout: Layout) -> bool:
    """Whether a map leads from each block of a layout to the same block of another."""
    assert layout.blocks is not None
    if seen.blocks is None or len(seen.blocks) != len(layout.blocks):
        return False
    own = np.concatenate([np.arange(first, last) for first, last in layout.blocks.tolist()])
    return bool((seen.block_of(index.array[own].astype(np.int64)) == layout.block_of(own)).all())


def stages(
    operations: Sequence[Operation], kernels: Mapping[int, CompiledKernel]
) -> list[tuple[list[Operation], int]]:
    """Operations in order, those together that can be done block by block, with the number of blocks or 0.

    Parameters
    ----------
    operations : sequence of Operation
        Of a step.
    kernels : mapping
        From ``id(operation)`` to its kernel.
    """
    changing = written(operations)
    found: list[tuple[list[Operation], int]] = []
    for operation in operations:
        blocks = block_count(operation, kernels, changing)
        if blocks and found and found[-1][1] == blocks and found[-1][0][0].clock is operation.clock:
            found[-1][0].append(operation)
        else:
            found.append(([operation], blocks))
    return found
