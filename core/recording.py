"""What runs leave behind: tables of values and lists of events, which grow while devices fill fixed buffers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Events", "Table"]

#: Elements of one buffer; a device hands control back to be emptied when it is full.
BUFFER = 1 << 16


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
        self._kept: list[NDArray[np.float64]] = []

    @property
    def limit(self) -> int:
        """Largest count with room for one more step."""
        return len(self.buffer) - 1

    def drain(self) -> None:
        """Move what the buffer holds to the rows that are kept."""
        rows = int(self.count[0])
        if rows:
            self._kept.append(self.buffer[:rows].copy())
            self.count[0] = 0

    def values(self) -> NDArray[np.float64]:
        """All rows so far, shape (steps, width)."""
        self.drain()
        if len(self._kept) != 1:
            self._kept = [np.concatenate(self._kept)] if self._kept else [np.zeros((0, self.width))]
        return self._kept[0]

    def replace(self, rows: NDArray[np.float64]) -> None:
        """Forget everything and keep `rows`, shape (steps, width)."""
        self.count[0] = 0
        self._kept = [np.array(rows, float).reshape(-1, self.width)]


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
        self._kept: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    @property
    def limit(self) -> int:
        """Largest count with room for one more step."""
        return len(self.buffer) - self.most

    def drain(self) -> None:
        """Move what the buffer holds to the events that are kept."""
        rows = int(self.count[0])
        if rows:
            self._kept.append((self.buffer[:rows].copy(), self.extra[:rows].copy()))
            self.count[0] = 0

    def _all(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        self.drain()
        if len(self._kept) != 1:
            empty = (np.zeros((0, 2), np.int64), np.zeros((0, self.width)))
            parts = self._kept or [empty]
            self._kept = [(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))]
        return self._kept[0]

    def values(self) -> NDArray[np.int64]:
        """All events so far, shape (events, 2): label and step."""
        return self._all()[0]

    def extras(self) -> NDArray[np.float64]:
        """What was taken at all events so far, shape (events, width)."""
        return self._all()[1]

    def replace(self, events: NDArray[np.int64], extras: NDArray[np.float64] | None = None) -> None:
        """Forget everything and keep `events`, shape (events, 2), with `extras`, shape (events, width)."""
        self.count[0] = 0
        kept = np.array(events, np.int64).reshape(-1, 2)
        more = np.zeros((len(kept), self.width)) if extras is None else np.array(extras, float)
        self._kept = [(kept, more.reshape(-1, self.width) if self.width else more.reshape(len(kept), 0))]
