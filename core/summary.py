"""Summary: what a step of a network consists of, as a table."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rall.model import EventClock
from rall.schedule import slot_rank
from rall.session import SimulationObject
from rall.timeline import SAME_TIME, shown

__all__ = ["Row", "SchedulingSummary", "rows_of"]

_TITLES = ("object", "part of", "dt", "when", "order", "active")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    name : str
        Of an object, or of a part of it that runs by itself.
    part_of : str
        Name of the object that it belongs to, empty for the object itself.
    dt : float
        Step of its clock in seconds; not a number where times are given.
    when : str
        Slot.
    order : int
        Place inside the slot.
    kind : str
        Class of an object.
    active : bool
        Whether runs include it.
    """

    name: str
    part_of: str
    dt: float
    when: str
    order: int
    kind: str = ""
    active: bool = True

    def texts(self, shortest: float) -> tuple[str, ...]:
        """The row as text, a cell each.

        Parameters
        ----------
        shortest : float
            The shortest step of all rows.
        """
        name = f"{self.name} ({self.kind})" if self.kind else self.name
        return name, self.part_of, self._step(shortest), self.when, str(self.order), "yes" if self.active else "no"

    def _step(self, shortest: float) -> str:
        if math.isnan(self.dt):
            return "at given times"
        steps = self.dt / shortest
        if abs(steps - round(steps)) > SAME_TIME:
            return shown(self.dt)
        return f"{shown(self.dt)} (every {'step' if round(steps) == 1 else f'{round(steps)} steps'})"


@dataclass(frozen=True)
class SchedulingSummary:
    """What a step consists of, in order; prints as a table.

    Parameters
    ----------
    entries : tuple of Row
        In the order in which they run.
    """

    entries: tuple[Row, ...]

    def _texts(self) -> list[tuple[str, ...]]:
        shortest = min((row.dt for row in self.entries if not math.isnan(row.dt)), default=0.0)
        return [row.texts(shortest) for row in self.entries]

    def __str__(self) -> str:
        rows = [_TITLES, *self._texts()]
        widths = [max(len(row[k]) for row in rows) for k in range(len(_TITLES))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line(texts, "td") for texts in self._texts())
        return f"<table>{line(_TITLES, 'th')}{body}</table>"


def rows_of(objects: Sequence[SimulationObject], slots: Sequence[str]) -> tuple[Row, ...]:
    """Rows for objects and their parts, sorted by slot, order and name.

    Parameters
    ----------
    objects : sequence of SimulationObject
        Of a network.
    slots : sequence of str
        Its schedule.
    """
    owner = {id(inner): one.name for one in objects for inner in one.contained_objects}
    rows = []
    for one in objects:
        for name, when, order in one.places():
            own = name == one.name
            part_of = owner.get(id(one), "") if own else one.name
            kind = type(one).__name__ if own else ""
            dt = math.nan if isinstance(one.clock, EventClock) else one.clock.dt
            rows.append(Row(name, part_of, dt, when, order, kind, one.active))
    return tuple(sorted(rows, key=lambda row: (slot_rank(row.when, slots), row.order, row.name)))
