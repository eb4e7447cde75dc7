"""Schedule: the operations of a model in the order in which a step runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rall.errors import RallError
from rall.model import Clock, Model, Operation

__all__ = ["SLOTS", "Schedule", "order", "slot_rank"]

#: Brian's default slots; each has a ``before_`` and an ``after_`` beside it.
SLOTS = ("start", "groups", "thresholds", "synapses", "resets", "end")


@dataclass(frozen=True)
class Schedule:
    """Operations in order, and the clocks that drive them."""

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
