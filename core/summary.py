"""Summary: what a step of a network consists of, as a table."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rall.model import Operation
from rall.schedule import Schedule, slot_rank
from rall.session import SimulationObject
from rall.timeline import shown

__all__ = ["Row", "SchedulingSummary", "rows_of", "rows_of_schedule"]

_TITLES = ("object", "part of", "dt", "when", "order")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    name : str
        Of an operation, or of an object.
    part_of : str
        Name of the object that it belongs to.
    dt : float
        Step of its clock in seconds.
    when : str
        Slot.
    order : int
        Place inside the slot.
    """

    name: str
    part_of: str
    dt: float
    when: str
    order: int

    def texts(self) -> tuple[str, ...]:
        """The row as text, a cell each."""
        return self.name, self.part_of, shown(self.dt), self.when, str(self.order)


@dataclass(frozen=True)
class SchedulingSummary:
    """What a step consists of, in order; prints as a table.

    Parameters
    ----------
    entries : tuple of Row
        In the order in which they run.
    """

    entries: tuple[Row, ...]

    def __str__(self) -> str:
        rows = [_TITLES, *(row.texts() for row in self.entries)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(_TITLES))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line(row.texts(), "td") for row in self.entries)
        return f"<table>{line(_TITLES, 'th')}{body}</table>"


def rows_of(objects: Sequence[SimulationObject], slots: Sequence[str]) -> tuple[Row, ...]:
    """Rows for active objects, sorted by slot, order and name.

    Parameters
    ----------
    objects : sequence of SimulationObject
        Of a network.
    slots : sequence of str
        Its schedule.
    """
    ordered = sorted(
        (o for o in objects if o.active), key=lambda o: (slot_rank(o.when, slots), o.order, o.name)
    )
    owner = {id(inner): o.name for o in objects for inner in o.contained_objects}
    return tuple(Row(o.name, owner.get(id(o), ""), o.clock.dt, o.when, o.order) for o in ordered)


def rows_of_schedule(
    schedule: Schedule, owner_of: Callable[[Operation], SimulationObject | None]
) -> tuple[Row, ...]:
    """Rows for the operations of a run, in their order.

    Parameters
    ----------
    schedule : Schedule
        Of the run.
    owner_of : callable
        The object that an operation belongs to.
    """
    rows = []
    for operation in schedule.operations:
        owner = owner_of(operation)
        part_of = "" if owner is None else owner.name
        rows.append(Row(operation.name, part_of, operation.clock.dt, operation.when, operation.order))
    return tuple(rows)
