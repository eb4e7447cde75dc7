"""Schedule: the operations of a model in the order in which a step runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rall.errors import RallError
from rall.functions import is_stateful, place_of
from rall.ir.nodes import Call, Name, Node
from rall.ir.visit import names, substitute, walk
from rall.model import Access, Assign, Clock, Elementwise, Model, Operation, Variable

__all__ = ["SLOTS", "Schedule", "fuse", "order", "slot_rank"]

#: Brian's default slots; each has a ``before_`` and an ``after_`` beside it.
SLOTS = ("start", "groups", "thresholds", "synapses", "resets", "end")


@dataclass(frozen=True)
class Schedule:
    """Operations in order, and the clocks that drive them.

    Parameters
    ----------
    operations : tuple of Operation
        As a step runs them.
    clocks : tuple of Clock
        Theirs.
    """

    operations: tuple[Operation, ...]
    clocks: tuple[Clock, ...]

    def __str__(self) -> str:
        width = max((len(o.when) for o in self.operations), default=0)
        return "\n".join(
            f"{o.when:<{width}} {o.order:>3}  {o.name} ({type(o).__name__}, dt {o.clock.dt:g} s)"
            for o in self.operations
        )


def slot_rank(when: str, slots: Sequence[str]) -> int:
    """Place of a slot, its ``before_`` or its ``after_``.

    Raises
    ------
    RallError
        For a slot that the schedule does not have.
    """
    base, shift = when, 0
    if when.startswith("before_"):
        base, shift = when[len("before_") :], -1
    elif when.startswith("after_"):
        base, shift = when[len("after_") :], 1
    if base not in slots:
        raise RallError(f"unknown schedule slot '{when}'; the slots are {', '.join(slots)}, before_X and after_X")
    return 3 * list(slots).index(base) + 1 + shift


def order(model: Model, slots: Sequence[str] = SLOTS) -> Schedule:
    """Collect the operations of all components and sort them by slot, order and name.

    Operations of one component that tie keep the order in which the component gave them.
    """
    found = [op for component in model.components for op in component.operations(model)]
    ranked = sorted(enumerate(found), key=lambda e: (slot_rank(e[1].when, slots), e[1].order, e[1].name, e[0]))
    operations = tuple(op for _, op in ranked if op.active is None or op.active())
    clocks: dict[int, Clock] = {}
    for op in operations:
        clocks.setdefault(id(op.clock), op.clock)
    return Schedule(operations, tuple(clocks.values()))


# --- fusing -------------------------------------------------------------------------------------------------


def fuse(schedule: Schedule) -> Schedule:
    """Make one of operations over the same elements, where nothing that stands between them would notice.

    A state update, the threshold after it and other conditions then read and write memory once.  An operation moves
    to the place of an earlier one if it exchanges nothing with those that it passes (Allen & Kennedy, Optimizing
    Compilers for Modern Architectures, 2002, chapter 6: fusion of loops).
    """
    done: list[Operation] = []
    for operation in schedule.operations:
        place = _partner(done, operation) if isinstance(operation, Elementwise) and _plain(operation) else None
        if place is None:
            done.append(operation)
        else:
            first = done[place]
            assert isinstance(first, Elementwise) and isinstance(operation, Elementwise)
            done[place] = _together(first, operation)
    return replace(schedule, operations=tuple(done))


def _plain(operation: Operation) -> bool:
    return type(operation) is Elementwise and operation.mask is None


def _partner(done: Sequence[Operation], operation: Elementwise) -> int | None:
    """The place of the last operation that this one can join."""
    mine = operation.accesses()
    for place in range(len(done) - 1, -1, -1):
        other = done[place]
        theirs = other.accesses()
        if theirs is None:
            return None
        same = _plain(other) and other.clock is operation.clock
        if same and isinstance(other, Elementwise) and other.domain is operation.domain:
            crossed = mine.mapped & (theirs.writes | mine.writes) or theirs.mapped & (
                mine.writes | theirs.writes & mine.reads
            )
            drawn = _draws(other) and _draws(operation)
            # A shared value is written after the loop over elements, and only then can others read it.
            if not crossed and not drawn and not _shared_between(other, operation):
                return place
        if mine.disturbs(theirs):
            return None
    return None


def _draws(operation: Elementwise) -> bool:
    """Whether what it computes depends on where in the program it is: draws, and functions of the user's like them."""
    nodes = (n for s in operation.statements for n in walk(s.value))
    return any(isinstance(n, Call) and (place_of(n.op) or is_stateful(n.op)) for n in nodes)


def _shared_between(first: Elementwise, second: Elementwise) -> bool:
    written = {s.target for s in first.statements}
    shared = {_address(b) for n, b in first.bindings.items() if n in written and _variable(b).shared}
    return any(_address(bound) in shared for bound in second.bindings.values())


def _variable(bound: Variable | Access) -> Variable:
    return bound.variable if isinstance(bound, Access) else bound


def _address(bound: Variable | Access) -> int:
    return _variable(bound).address


def _place(bound: Variable | Access) -> tuple[int, int]:
    return _address(bound), bound.index.address if isinstance(bound, Access) else 0


def _together(first: Elementwise, second: Elementwise) -> Elementwise:
    """Both in one, the names of the second changed where they mean something else in the first."""
    targets = {s.target for s in first.statements}
    # Of two names of one variable that which is assigned: it has the value that the second sees.
    kept = {_place(bound): name for name, bound in sorted(_used(first).items(), key=lambda e: e[0] in targets)}
    taken = {*first.bindings, *targets}
    mapping: dict[str, Node] = {}
    bindings: dict[str, Variable | Access] = dict(_used(first))
    used = _used(second)
    inside = {s.target for s in second.statements} | {n for s in second.statements for n in names(s.value)}
    for name in sorted({*used, *inside}):
        bound = used.get(name)
        if name in _DRAWN and bound is not None and _draws(second):
            bindings[name] = bound  # draws ask for these by their names
            continue
        known = kept.get(_place(bound)) if bound is not None else None
        new = known or name
        while known is None and new in taken:
            new += "~"
        taken.add(new)
        if bound is not None:
            bindings.setdefault(new, bound)
        mapping[name] = Name(new)
    statements = list(first.statements)
    for statement in second.statements:
        target = mapping[statement.target]
        assert isinstance(target, Name)
        statements.append(Assign(target.id, substitute(statement.value, mapping)))
    parts = (*(first.parts or (first,)), *(second.parts or (second,)))
    return replace(first, statements=statements, bindings=bindings, parts=parts)


_DRAWN = ("_seed", "_stream", "_step", "_element")


def _used(operation: Elementwise) -> dict[str, Variable | Access]:
    """The bindings that statements name, those for random draws only where there are any."""
    wanted = {n for s in operation.statements for n in names(s.value)} | {s.target for s in operation.statements}
    drawn = _DRAWN if _draws(operation) else ()
    return {name: bound for name, bound in operation.bindings.items() if name in wanted or name in drawn}
