"""Profile: where the wall time of a run went, by the objects that it was spent on."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Any

from rall.devices.base import Program
from rall.model import Operation
from rall.session import SimulationObject

__all__ = ["Profile", "ProfilingSummary"]

#: What stands behind the name of a part of an object, where several operations do its work.
_DETAIL = re.compile(r"(?:[~!].*|_\d[a-z]+\d*|_check)$")


class Profile:
    """Wall times of the operations of a run, added up.

    Parameters
    ----------
    owner_of : callable
        The object that an operation belongs to.
    """

    def __init__(self, owner_of: Callable[[Operation], SimulationObject | None]) -> None:
        self._owner_of = owner_of
        self._seconds: dict[str, float] = {}

    def add(self, operation: Operation, seconds: float) -> None:
        """Count time for what an operation is part of.

        Operations that were made one, over the same elements, count for all of theirs together: their names are
        joined with ``+``.

        Parameters
        ----------
        operation : Operation
            Of the run.
        seconds : float
            Wall time.
        """
        names = dict.fromkeys(self._name(part) for part in operation.parts or (operation,))
        name = " + ".join(names)
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def add_all(self, program: Program) -> None:
        """Count what a program has measured."""
        for operation, seconds in program.times():
            self.add(operation, seconds)

    def entries(self) -> list[tuple[str, float]]:
        """Names and seconds, the longest first."""
        return sorted(self._seconds.items(), key=lambda entry: (-entry[1], entry[0]))

    def _name(self, operation: Operation) -> str:
        name, owner = _DETAIL.sub("", operation.name), self._owner_of(operation)
        return name if owner is None or name.startswith(owner.name) else owner.name


class ProfilingSummary:
    """Where wall time went; prints as a table.

    Parameters
    ----------
    entries : sequence of (str, Quantity)
        Names and times.
    show : int, optional
        How many of the longest are shown.
    """

    def __init__(self, entries: Sequence[tuple[str, Any]], show: int | None = None) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: -float(entry[1])))[:show]
        self.total = sum(float(took) for _, took in entries)

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(name, f"{float(took):.3f} s", f"{self._share(took):.2f} %") for name, took in self.entries]

    def __str__(self) -> str:
        rows = self._rows()
        width = max((len(name) for name, *_ in rows), default=0)
        lines = [f"{name.ljust(width)}  {took:>12}  {share:>9}" for name, took, share in rows]
        return "\n".join(["wall time of the last run", *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._rows()]
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table><tr><th>wall time of the last run</th><th></th><th></th></tr>{body}</table>"

    def _share(self, took: Any) -> float:
        return 100.0 * float(took) / self.total if self.total else 0.0
