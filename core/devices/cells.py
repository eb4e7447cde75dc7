"""What of a program belongs together.

A *cell* is a block of an array that the program writes.  What an operation touches in one of its parts belongs
together; the classes of this relation are the components, which interact through delayed events only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.devices.base import CompiledKernel
from rall.events import Timetable
from rall.model import (
    SHARED,
    Check,
    Clock,
    Deliver,
    Elementwise,
    Emit,
    Operation,
    Record,
    RecordEvents,
    Reduce,
    Solve,
    Variable,
)

__all__ = ["Cells", "Unsuited", "done_in_parts", "unsuited"]

Ints = NDArray[np.int64]


class Unsuited(Exception):
    """A program that is not to be run by epochs."""


class Cells:
    """The components of a program.

    Parameters
    ----------
    stages : sequence of (list of Operation, int)
        Of `rall.devices.parts.stages`.
    kernels : mapping
        From ``id(operation)`` to its kernel.

    Attributes
    ----------
    count : int
        Number of components.
    mailed : list of Deliver
        Those whose events come from other components, later.
    afterwards : list of Operation
        What events leave behind: logs, counts, and records of counts, which are made at the end of an epoch.
    early : list of Deliver
        Those whose events come at once from components that nothing is delivered to, and that can go first.
    first : int
        How many components these are, which have the first numbers.
    replicated : list of Variable
        Shared values that each component computes for itself.

    Raises
    ------
    Unsuited
        If there is something that is done for all components at once, or may be.
    """

    def __init__(self, stages: Sequence[tuple[list[Operation], int]], kernels: Mapping[int, CompiledKernel]) -> None:
        self._kernels = kernels
        self._blocks_of = {id(op): blocks for together, blocks in stages for op in together}
        operations = [op for together, _ in stages for op in together]
        if unsuited(operations):
            raise Unsuited
        self.afterwards = _afterwards(operations)
        operations = [op for op in operations if not any(op is one for one in self.afterwards)]
        self._written = frozenset().union(*(_written(op) for op in operations))
        self.replicated = self._find_replicated(operations)
        self._own = {variable.address for variable in self.replicated}
        self._blocked = self._find_blocks(operations)
        self._first: dict[int, int] = {}
        self._up = np.zeros(0, np.int64)
        self._units: dict[int, list[tuple[int, int | None]]] = {}
        self._labels: dict[int, Ints] = {}
        self.mailed: list[Deliver] = [op for op in operations if isinstance(op, Deliver) and _later(op)]
        self._emits = {op.events.address: op for op in operations if isinstance(op, Emit)}
        for operation in operations:
            self._touch(operation)
        self.early = [op for op in operations if isinstance(op, Deliver) and self._may_be_early(op)]
        for operation in operations:
            if isinstance(operation, Deliver) and operation.queue is None:
                self._react(operation)
        self._deal(operations)
        self._forget_early(operations)
        roots = np.array([self._find(k) for k in range(len(self._up))], np.int64)
        used = np.zeros(len(self._up), bool)
        used[[roots[cell] for units in self._units.values() for cell, _ in units]] = True
        for labels in self._labels.values():
            used[roots[labels]] = True
        first = {int(roots[self._source_of(op)]) for op in self.early}
        order = [*sorted(first), *(k for k in np.flatnonzero(used).tolist() if k not in first)]
        number = np.full(len(self._up), -1)
        number[order] = np.arange(len(order))
        #: The component of each cell.
        self._component = number[roots]
        self.count, self.first = len(order), len(first)

    # --- what goes first ------------------------------------------------------------------------------------------

    def _may_be_early(self, operation: Deliver) -> bool:
        """Whether the events of a `Deliver` without delays come from one place that is not done block by block."""
        emit = self._emits.get(operation.events.address)
        if operation.queue is None:
            return False
        return operation not in self.mailed and emit is not None and not self._ranked(emit) and not operation.queue.late

    def _source_of(self, operation: Deliver) -> int:
        """The cell in which the events of one of `early` happen."""
        return self._find(self._units[id(self._emits[operation.events.address])][0][0])

    def _forget_early(self, operations: Sequence[Operation]) -> None:
        """Let what is not early after all, since something is delivered to where its events are, be done at once."""
        while True:
            reached = {self._find(int(k)) for labels in self._labels.values() for k in np.unique(labels)}
            wrong = next((op for op in self.early if self._source_of(op) in reached), None)
            if wrong is None:
                return
            self.early.remove(wrong)
            self._join([self._source_of(wrong), *np.unique(self._labels[id(wrong)]).tolist()])

    # --- cells ----------------------------------------------------------------------------------------------------

    def _cell(self, address: int, block: int = 0) -> int:
        """The cell of a block of an array."""
        if address not in self._first:
            self._first[address] = len(self._up)
            more = self._blocked.get(address, 1)
            self._up = np.concatenate([self._up, len(self._up) + np.arange(more)])
        return self._first[address] + block

    def _find(self, cell: int) -> int:
        up = self._up
        while up[cell] != cell:
            up[cell] = up[up[cell]]
            cell = int(up[cell])
        return cell

    def _join(self, cells: Iterable[int]) -> int | None:
        """Make one of some cells; any of them, or None if there is none."""
        first: int | None = None
        for cell in cells:
            root = self._find(cell)
            if first is None:
                first = root
            elif root != first:
                # The smaller number stays, so that components are in the order of blocks.
                low, high = sorted((first, root))
                self._up[high] = low
                first = low
        return first

    def _all(self, address: int) -> Iterable[int]:
        """Every cell of an array."""
        self._cell(address)
        return range(self._first[address], self._first[address] + self._blocked.get(address, 1))

    def _variables(self, operation: Operation) -> Sequence[Variable]:
        """Everything an operation touches, maps included."""
        made = self._kernels.get(id(operation))
        return _fixed_variables(operation) if made is None else made.arguments

    def _find_blocks(self, operations: Sequence[Operation]) -> dict[int, int]:
        """From the address of each array in blocks to their number."""
        found: dict[int, int] = {}
        for operation in operations:
            for variable in self._variables(operation):
                if variable.domain.layout.blocks is not None:
                    found[variable.address] = len(variable.domain.layout.blocks)
        return found

    def _find_replicated(self, operations: Sequence[Operation]) -> list[Variable]:
        """Shared values that come from shared values and clocks alone."""
        mine = [op for op in operations if isinstance(op, Elementwise) and op.domain is SHARED]
        others = [op for op in operations if not any(op is one for one in mine)]
        elsewhere = frozenset().union(*(_written(op) for op in others))
        found: dict[int, Variable] = {}
        for operation in mine:
            accesses = operation.accesses()
            if accesses.reads & elsewhere or accesses.writes & elsewhere:
                raise Unsuited
            for bound in operation.bindings.values():
                if isinstance(bound, Variable) and bound.address in accesses.writes:
                    found[bound.address] = bound
        return list(found.values())

    # --- operations -----------------------------------------------------------------------------------------------

    def _touch(self, operation: Operation) -> None:
        """Join what each part of an operation touches."""
        if isinstance(operation, Deliver) or self._is_replicated(operation):
            return
        changing = [v for v in self._variables(operation) if v.address in self._written and v.address not in self._own]
        addresses = list(dict.fromkeys(v.address for v in changing))
        units = self._units[id(operation)] = []
        blocks = self._blocks_of[id(operation)]
        if isinstance(operation, Record):
            return  # columns are found when all is known
        if isinstance(operation, Emit):
            if self._ranked(operation):
                assert isinstance(operation.source, Variable)
                units += [(self._cell(operation.source.address, b), b) for b in range(self._count(operation.source))]
            else:
                key = operation.source.address if isinstance(operation.source, Variable) else id(operation.source)
                units.append((self._cell(key), None))
            return
        if blocks:
            for block in range(blocks):
                cells = [self._cell(a, block if a in self._blocked else 0) for a in addresses]
                units.append((self._joined(cells), block))
            return
        units.append((self._joined([cell for a in addresses for cell in self._all(a)]), None))

    def _joined(self, cells: list[int]) -> int:
        found = self._join(cells)
        return self._cell(0) if found is None else found

    def _count(self, variable: Variable) -> int:
        return self._blocked.get(variable.address, 1)

    def _ranked(self, operation: Emit) -> bool:
        """Whether blocks look for events one by one."""
        return operation.elements is not None and isinstance(operation.source, Variable)

    def _is_replicated(self, operation: Operation) -> bool:
        return isinstance(operation, Elementwise) and operation.domain is SHARED

    def places(self, operation: Operation) -> list[tuple[int, list[int] | None]]:
        """The components that do an operation, with its blocks there or None for all of it."""
        if self._is_replicated(operation):
            return [(component, None) for component in range(self.count)]
        found: dict[int, list[int] | None] = {}
        for cell, block in self._units[id(operation)]:
            component = int(self._component[cell])
            if block is None:
                found[component] = None
            else:
                blocks = found.setdefault(component, [])
                assert blocks is not None
                blocks.append(block)
        return list(found.items())

    def ranks(self, operation: Emit) -> list[tuple[int, Ints | None]]:
        """The components in which events are looked for, and the ranks of the elements there or None for all."""
        if not self._ranked(operation):
            return [(component, None) for component, _ in self.places(operation)]
        component = self._component[self._happening(operation)]
        return [(int(k), np.flatnonzero(component == k)) for k in np.unique(component)]

    def reactions(self, operation: Deliver) -> list[int]:
        """The components in which events happen that have effects on their own elements at once."""
        return [component for component, _ in self.ranks(self._emits[operation.events.address])]

    def reported(self, operation: Emit) -> NDArray[np.int32]:
        """The element that each rank stands for."""
        given = operation.elements if operation.reported is None else operation.reported
        if given is None:
            size = operation.source.domain.layout.stored if isinstance(operation.source, Variable) else 0
            given = np.arange(max(size, operation.events.most))
        return np.ascontiguousarray(given, np.int32)

    def columns(self, operation: Record) -> list[tuple[int, list[NDArray[np.bool_]]]]:
        """The components that write a table, and for each variable which of its columns are theirs."""
        owners: list[Ints] = []
        for variable, elements, weights, borders in operation.rows:
            width = weights.shape[1] if borders is None else len(borders) - 1
            if variable.address not in self._written or variable.address in self._own or not len(elements):
                owners.append(np.full(width, -1))
                continue
            blocks = variable.domain.layout.block_of(np.asarray(elements, np.int64))
            component = self._component[self._cell(variable.address) + blocks]
            owners.append(np.full(width, component[0]) if borders is None else component[borders[:-1]])
        present = np.unique(np.concatenate(owners))
        present = present[present >= 0] if (present >= 0).any() else np.zeros(1, np.int64)
        # What no component changes goes with the first one.
        owners = [np.where(owner < 0, present[0], owner) for owner in owners]
        return [(int(k), [owner == k for owner in owners]) for k in present]

    def _spans(self, operation: Record) -> list[list[int]]:
        """The cells that one column is made of, for columns of several blocks."""
        found = []
        for variable, elements, _, borders in operation.rows:
            if variable.address in self._written and variable.address in self._blocked:
                blocks = variable.domain.layout.block_of(np.asarray(elements, np.int64))
                if borders is None:
                    borders = np.array([0, len(elements)])
                for column in np.flatnonzero(np.diff(borders) > 1).tolist():
                    mine = np.unique(blocks[borders[column] : borders[column + 1]])
                    if len(mine) > 1:
                        found.append([self._cell(variable.address, int(b)) for b in mine])
        return found

    # --- synapses -------------------------------------------------------------------------------------------------

    def _deal(self, operations: Sequence[Operation]) -> None:
        """Join what each synapse touches, and note one of its cells."""
        for operation in operations:
            if isinstance(operation, Record):
                for cells in self._spans(operation):
                    self._join(cells)
        by_domain: dict[int, list[Deliver]] = {}
        for operation in operations:
            if isinstance(operation, Deliver) and operation.queue is not None:
                by_domain.setdefault(id(operation.domain), []).append(operation)
        for delivers in by_domain.values():
            self._deal_one(delivers, [op for op in operations if not any(op is d for d in delivers)])

    def _deal_one(self, delivers: list[Deliver], others: list[Operation]) -> None:
        domain = delivers[0].domain
        size = domain.size
        touched: list[Ints] = []
        own: set[int] = set()
        for operation in delivers:
            more, direct = self._reached(operation, size)
            touched += more
            own |= direct
        if not touched:
            touched = [np.full(size, self._cell(0))]
        read_elsewhere = {v.address for op in others for v in self._variables(op)}
        together = list(touched[0][:1])
        if own & read_elsewhere:
            # Something else sees the variables of all synapses.
            together = [cell for a in own & read_elsewhere for cell in self._all(a)]
            together += [int(cell) for cells in touched for cell in np.unique(cells)]
        self._join(together)
        for cells in touched[1:]:
            for one, other in np.unique(np.stack([touched[0], cells]), axis=1).T.tolist():
                self._join((one, other))
        for operation in delivers:
            self._labels[id(operation)] = touched[0]

    def _react(self, operation: Deliver) -> None:
        """Join each element at which something may happen with what the statements touch there."""
        emit = self._emits[operation.events.address]
        layout = operation.domain.layout
        source, elements = self._happening(emit), layout.index(np.arange(layout.size))
        if self._ranked(emit):
            assert emit.elements is not None
            elements = np.asarray(emit.elements if emit.reported is None else emit.reported)
        made = self._kernels[id(operation)]
        index = {load.role: variable for load, variable in zip(made.kernel.loads, made.arguments)}
        for load, variable in zip(made.kernel.loads, made.arguments):
            if variable.address not in self._written or variable.address in self._own:
                continue
            cells = np.full(len(elements), self._cell(variable.address))
            if not load.shared:
                at = elements if load.through is None else index[load.through].array[elements].astype(np.int64)
                cells += variable.domain.layout.block_of(at)
            for pair in np.unique(np.stack([np.broadcast_to(source, cells.shape), cells]), axis=1).T.tolist():
                self._join(pair)

    def _happening(self, emit: Emit) -> Ints:
        """The cell in which each rank of events happens, or the one for all."""
        units = np.array([cell for cell, _ in self._units[id(emit)]], np.int64)
        if not self._ranked(emit):
            return units[:1]
        assert emit.elements is not None and isinstance(emit.source, Variable)
        return units[emit.source.domain.layout.block_of(emit.elements)]

    def _reached(self, operation: Deliver, size: int) -> tuple[list[Ints], set[int]]:
        """For each thing that synapses touch its cell, one a synapse; and variables of the synapses themselves."""
        made = self._kernels[id(operation)]
        loads = {load.role: (load, variable) for load, variable in zip(made.kernel.loads, made.arguments)}
        found: list[Ints] = []
        direct: set[int] = set()
        for load, variable in loads.values():
            if variable.address not in self._written or load.table:
                continue
            if load.shared:
                found.append(np.full(size, self._cell(variable.address)))
            elif load.through is None:
                direct.add(variable.address)
            else:
                index = loads[load.through][1].array[:size].astype(np.int64)
                blocks = variable.domain.layout.block_of(index)
                found.append(self._cell(variable.address) + blocks)
        if operation not in self.mailed and operation not in self.early:
            found.append(self._sources(operation, size))
        return found, direct

    def _sources(self, operation: Deliver, size: int) -> Ints:
        """The cell in which the events of each synapse happen."""
        queue = operation.queue
        assert queue is not None
        emit = self._emits.get(operation.events.address)
        if emit is None or queue.late:
            raise Unsuited
        cells = self._happening(emit)
        cell_of = np.full(queue.size + 1, cells[0])
        if self._ranked(emit):
            cell_of[emit.elements if emit.reported is None else emit.reported] = cells
        found = np.full(size, cells[0])
        runs = np.repeat(np.arange(queue.size + 1), np.diff(queue.first_run))
        owner = np.repeat(runs, np.diff(queue.run_start))
        order = np.arange(len(owner)) if queue.order is None else queue.order
        found[order] = cell_of[owner]
        return found

    def sorted_labels(self, operation: Deliver) -> NDArray[np.int32]:
        """The component of each entry of a queue's order, which is sorted by it within runs."""
        queue = operation.queue
        assert queue is not None
        length = int(queue.run_start[-1]) if len(queue.run_start) else 0
        order = np.arange(length, dtype=np.int32) if queue.order is None else queue.order
        labels = self._component[self._labels[id(operation)]][order]
        runs = np.repeat(np.arange(len(queue.run_start) - 1), np.diff(queue.run_start))
        by = np.lexsort((np.arange(length), labels, runs))
        if not np.array_equal(by, np.arange(length)):
            queue.order = np.ascontiguousarray(order[by], np.int32)
        return np.ascontiguousarray(labels[by], np.int32)


def done_in_parts(operation: Operation) -> bool:
    """Whether components can each do their part of an operation.

    Parameters
    ----------
    operation : Operation
        Any.
    """
    suited: Any = (Check, Deliver, Elementwise, Emit, Record, RecordEvents, Reduce, Solve)
    if isinstance(operation, RecordEvents):
        return not len(operation.values)
    if isinstance(operation, Record):
        return all(borders is not None for *_, borders in operation.rows)
    if isinstance(operation, Deliver):
        queue = operation.queue
        # Events that arrive at once in part, and later in part, would have to be in two places.
        return queue is None or not (queue.shortest == 0 and queue.longest > 0)
    return isinstance(operation, suited)


def unsuited(operations: Sequence[Operation]) -> list[Operation]:
    """What components cannot do their part of.

    That is also what asks for events before they are looked for, so that it gets those of the step before, or in the
    steps of another clock; and what sees events in other ways than as their list.

    Parameters
    ----------
    operations : sequence of Operation
        Of a step, in order.
    """
    known: dict[int, Clock] = {}
    counts = {op.events.count.ctypes.data for op in operations if isinstance(op, Emit)}
    found = []
    for operation in operations:
        suits = done_in_parts(operation)
        if isinstance(operation, Emit):
            known[operation.events.address] = operation.clock
        elif isinstance(operation, (Deliver, RecordEvents)):
            suits = suits and known.get(operation.events.address) is operation.clock
        elif suits and isinstance(operation, Elementwise):
            suits = not operation.accesses().reads & counts
        if not suits:
            found.append(operation)
    return found


def _afterwards(operations: Sequence[Operation]) -> list[Operation]:
    """Logs of events, their counts, and what records these and time alone."""
    logs = [op for op in operations if isinstance(op, RecordEvents)]
    totals = {op.total.address for op in logs if op.total is not None}
    found: list[Operation] = list(logs)
    for operation in operations:
        accesses = operation.accesses()
        if accesses is None or isinstance(operation, RecordEvents) or not totals & (accesses.reads | accesses.writes):
            continue
        clock = {operation.clock.t_variable.address, operation.clock.step_variable.address}
        if not isinstance(operation, Record) or accesses.reads - totals - clock:
            raise Unsuited
        found.append(operation)
    return [op for op in operations if any(op is one for one in found)]


def _later(operation: Deliver) -> bool:
    return operation.queue is not None and operation.queue.shortest > 0


def _written(operation: Operation) -> frozenset[int]:
    accesses = operation.accesses()
    if accesses is None:
        raise Unsuited
    if isinstance(operation, Emit):
        return frozenset()  # lists of events have their own ways
    return accesses.writes


def _fixed_variables(operation: Operation) -> list[Variable]:
    """Everything that an operation without a kernel touches."""
    if isinstance(operation, Solve):
        return list(operation.variables.values())
    if isinstance(operation, Record):
        return [variable for variable, *_ in operation.rows]
    if isinstance(operation, Reduce):
        return [operation.values, operation.index, operation.target]
    if isinstance(operation, Check):
        return [operation.variable]
    if isinstance(operation, Emit) and not isinstance(operation.source, Timetable):
        assert isinstance(operation.source, Variable)
        return [operation.source]
    return []
