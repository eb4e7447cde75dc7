"""What runs leave behind: tables of values and lists of events, which grow while devices fill fixed buffers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Events", "InTable", "Rows", "Table"]

#: Elements of one buffer; a device hands control back to be emptied when it is full.
BUFFER = 1 << 16


class Rows:
    """Rows of an array that grows: pieces as they come, which are joined when somebody looks.

    Parameters
    ----------
    width : int
        Number of columns.
    dtype : type
        Of the elements.
    """

    def __init__(self, width: int, dtype: type = float) -> None:
        self.width, self.dtype = width, dtype
        self._joined: NDArray[Any] = np.empty((0, width), dtype)
        self._used = 0
        self._pieces: list[NDArray[Any]] = []

    def append(self, piece: NDArray[Any]) -> None:
        """Add a copy of `piece`, shape (rows, width)."""
        if len(piece):
            self._pieces.append(np.array(piece, self.dtype))

    def __len__(self) -> int:
        return self._used + sum(map(len, self._pieces))

    def values(self) -> NDArray[Any]:
        """All rows so far, shape (rows, width); what is added later does not change what was given out."""
        last = len(self)
        if last > len(self._joined):
            self._pieces.insert(0, self._joined[: self._used])
            # Room for more is made only for those who look again and again; until it is written it costs no memory.
            self._joined = np.empty((last + self._used // 8, self.width), self.dtype)
            self._used = 0
        total = last
        while self._pieces:
            # From the end, each piece freed at once: all rows are never in memory twice.
            piece = self._pieces.pop()
            self._joined[last - len(piece) : last] = piece
            last -= len(piece)
        self._used = total
        return self._joined[:total]

    def replace(self, rows: NDArray[Any]) -> None:
        """Forget everything and keep a copy of `rows`, shape (rows, width)."""
        self._pieces.clear()
        count = len(rows) if self.width == 0 else -1
        self._joined = np.array(rows, self.dtype).reshape(count, self.width)
        self._used = len(self._joined)


class Table:
    """Rows of floats, one a recorded step.

    Parameters
    ----------
    width : int
        Number of columns.

    Attributes
    ----------
    buffer : ndarray, shape (rows, width)
        Where a device writes.
    count : ndarray of int64, shape (1,)
        Rows in the buffer.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.buffer = np.zeros((max(32, BUFFER // max(1, width)), max(1, width)))
        self.count = np.zeros(1, np.int64)
        self._kept = Rows(width)

    #: Largest number of rows that a step adds.
    each = 1

    @property
    def limit(self) -> int:
        """Largest count with room for one more step."""
        return len(self.buffer) - 1

    def drain(self) -> None:
        """Move what the buffer holds to the rows that are kept."""
        self._kept.append(self.buffer[: self.count[0], : self.width])
        self.count[0] = 0

    def __len__(self) -> int:
        return int(self.count[0]) + len(self._kept)

    def values(self) -> NDArray[np.float64]:
        """All rows so far, shape (steps, width)."""
        self.drain()
        return self._kept.values()

    def append(self, row: NDArray[np.float64]) -> None:
        """Add a row from Python, shape (width,)."""
        self.drain()
        self._kept.append(row[None, :])

    def replace(self, rows: NDArray[np.float64]) -> None:
        """Forget everything and keep `rows`, shape (steps, width)."""
        self.count[0] = 0
        self._kept.replace(rows)


class InTable:
    """What objects have in common that keep their records in one table, whose first column is the time."""

    _table: Table

    @property
    def t_(self) -> NDArray[np.float64]:
        """Times of the records in seconds, shape (steps,)."""
        return self._table.values()[:, 0].copy()

    def state(self) -> dict[str, NDArray[Any]]:
        """See `SimulationObject.state`."""
        return {"table": self._table.values()}

    def growing(self) -> Mapping[str, str]:
        """See `SimulationObject.growing`."""
        return {"table": "records"}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `SimulationObject.set_state`."""
        self._table.replace(state["table"])


class Events:
    """Events as pairs of label and step, with values that were taken at them.

    Parameters
    ----------
    most : int
        Largest number of events of one step.
    width : int
        Number of values of each event.
    """

    def __init__(self, most: int, width: int = 0) -> None:
        self.most, self.width = most, width
        rows = max(1024, 2 * most)
        self.buffer = np.zeros((rows, 2), np.int64)
        self.extra = np.zeros((rows, width))
        self.count = np.zeros(1, np.int64)
        self._kept, self._extras = Rows(2, np.int64), Rows(width)

    @property
    def limit(self) -> int:
        """Largest count with room for one more step."""
        return len(self.buffer) - self.most

    @property
    def each(self) -> int:
        """Largest number of events that a step adds."""
        return self.most

    def widen(self, steps: int) -> None:
        """Make room for the events of so many steps."""
        rows = self.most * (steps + 1)
        if rows > len(self.buffer):
            self.drain()
            self.buffer, self.extra = np.zeros((rows, 2), np.int64), np.zeros((rows, self.width))

    def drain(self) -> None:
        """Move what the buffer holds to the events that are kept."""
        rows = int(self.count[0])
        self._kept.append(self.buffer[:rows])
        self._extras.append(self.extra[:rows])
        self.count[0] = 0

    def __len__(self) -> int:
        return int(self.count[0]) + len(self._kept)

    def values(self) -> NDArray[np.int64]:
        """All events so far, shape (events, 2): label and step."""
        self.drain()
        return self._kept.values()

    def extras(self) -> NDArray[np.float64]:
        """What was taken at all events so far, shape (events, width)."""
        self.drain()
        return self._extras.values()

    def replace(self, events: NDArray[np.int64], extras: NDArray[np.float64] | None = None) -> None:
        """Forget everything and keep `events`, shape (events, 2), with `extras`, shape (events, width)."""
        self.count[0] = 0
        self._kept.replace(events)
        self._extras.replace(np.zeros((len(events), self.width)) if extras is None else extras)
