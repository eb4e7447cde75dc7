"""Drawing from long rows of elements: each with a probability, or a number of them without replacement.

Random numbers come from a function of their running number, so that results do not depend on how the work is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACCEPT", "CHUNK", "DISTINCT", "GAPS", "Floats", "Gaps", "Longs", "Rows", "Uniforms", "distinct", "locate", "spans",
]  # fmt: skip

Floats: TypeAlias = NDArray[np.float64]
Longs: TypeAlias = NDArray[np.int64]
#: From running numbers and the kind of draw to uniform numbers in [0, 1).
Uniforms: TypeAlias = Callable[[Longs, int], Floats]

#: Kinds of draw: gaps between hits, acceptance of what a hit may be, and (from here on, one each attempt) samples.
GAPS, ACCEPT, DISTINCT = range(3)
#: How many pairs are worked on at a time: some arrays of this length fit into a cache.
CHUNK = 1 << 17


def spans(total: int, step: int) -> Iterator[tuple[int, int]]:
    """The borders of pieces of a length.

    Parameters
    ----------
    total, step : int
        What is cut, and the length of a piece.

    Yields
    ------
    (int, int)
        Begin and end of each piece.
    """
    for start in range(0, total, step):
        yield start, min(total, start + step)


class Gaps:
    """Independent trials of one probability, without touching the failures.

    The number of failures before a success is geometric: floor(log(u)/log(1 - p)) for uniform u (L. Devroye,
    Non-Uniform Random Variate Generation, Springer 1986, section X.2).  Trials are numbered in one row that may
    be asked for in parts.

    Parameters
    ----------
    p : float
        Probability of a success; 0 or less is never, 1 or more always.
    uniforms : callable
        See `Uniforms`.
    chunk : int
        Most successes at a time.
    """

    def __init__(self, p: float, uniforms: Uniforms, chunk: int = CHUNK) -> None:
        self.p, self._uniforms, self._chunk = p, uniforms, chunk
        self._last, self._drawn = -1, 0  # the last success, counted from the start of the part; gaps used so far

    def hits(self, total: int) -> Iterator[Longs]:
        """The successes in the next trials.

        Parameters
        ----------
        total : int
            Number of trials.

        Yields
        ------
        ndarray of int64
            Numbers of successful trials in 0 .. total - 1, ascending.
        """
        if self.p >= 1:
            yield from (np.arange(*span) for span in spans(total, self._chunk))
        if 0 < self.p < 1:
            yield from self._skip(total)

    def _skip(self, total: int) -> Iterator[Longs]:
        scale = np.log1p(-self.p)
        while True:
            left = total - 1 - self._last
            expected = left * self.p
            count = min(self._chunk, int(expected + 5 * expected**0.5) + 8)
            gaps = 1 - self._uniforms(np.arange(self._drawn, self._drawn + count), GAPS)
            np.log(gaps, out=gaps)
            with np.errstate(over="ignore"):
                gaps /= scale
            np.minimum(gaps, left, out=gaps)  # a tiny p gives gaps beyond integers, even infinite ones
            found = gaps.astype(np.int64)
            found += 1
            np.cumsum(found, out=found)
            found += self._last
            inside = count if found[-1] < total else int(np.searchsorted(found, total))
            self._drawn += inside
            if inside:
                self._last = int(found[inside - 1])
                yield found[:inside]
            if inside < count:
                # The gap that leads out of this part is drawn again, by its number, for the next.
                self._last -= total
                return


@dataclass(frozen=True, slots=True)
class Rows:
    """Ranges of integers, one for each element of a block of outer elements, end to end on one line.

    Parameters
    ----------
    first : int
        The outer element of the first row.
    number : int
        Number of rows.
    start, step : int or ndarray of int64, shape (number,)
        As of Python's `range`; numbers where all rows are the same.
    length : int or ndarray of int64, shape (number,)
        How many each row has.
    """

    first: int
    number: int
    start: int | Longs
    step: int | Longs
    length: int | Longs

    @property
    def total(self) -> int:
        """Length of the line."""
        return self.number * self.length if isinstance(self.length, int) else int(self.length.sum())

    def offsets(self) -> Longs:
        """Where the rows begin on the line, and its end; shape (number + 1,)."""
        offsets = np.zeros(self.number + 1, np.int64)
        np.cumsum(np.broadcast_to(self.length, self.number), out=offsets[1:])
        return offsets

    def values(self, row: Longs, position: Longs) -> tuple[Longs, Longs]:
        """Outer element and value of places given by row and position in it.

        Parameters
        ----------
        row, position : ndarray of int64
            The places.

        Returns
        -------
        (ndarray, ndarray) of int64
            Outer elements, values of the range.
        """
        start = self.start if isinstance(self.start, int) else self.start[row]
        step = self.step if isinstance(self.step, int) else self.step[row]
        return row + self.first, position * step + start


def locate(places: Longs, rows: Rows, offsets: Longs | None) -> tuple[Longs, Longs]:
    """Row and position in it of ascending places on the line of some rows.

    Parameters
    ----------
    places : ndarray of int64
        Ascending; at least one.
    rows : Rows
        The rows.
    offsets : ndarray of int64 or None
        `Rows.offsets`, not needed where all rows are equally long.

    Returns
    -------
    (ndarray, ndarray) of int64
        Rows and positions.
    """
    if offsets is None:
        assert isinstance(rows.length, int)
        row = places // rows.length
        return row, places - row * rows.length
    low, high = np.searchsorted(offsets, places[[0, -1]], side="right") - 1
    borders = np.searchsorted(places, offsets[low + 1 : high + 1])
    row = np.repeat(np.arange(low, high + 1), np.diff(borders, prepend=0, append=len(places)))
    return row, places - offsets[row]


def distinct(length: Longs, size: Longs, first: int, uniforms: Uniforms) -> tuple[Longs, Longs, int]:
    """For each row, some of its positions, drawn without replacement: all subsets of that size are equally likely.

    Positions are drawn with replacement, and the missing ones again until none is.  No position differs from another
    in this, so neither do subsets.  Of rows that give more than half of their positions, the others are drawn.

    Parameters
    ----------
    length, size : ndarray of int64, shape (rows,)
        Positions that there are (0 .. length - 1), and how many are to be drawn, at most `length`.
    first : int
        Running number of the first draw.
    uniforms : callable
        See `Uniforms`.

    Returns
    -------
    (ndarray, ndarray, int)
        Rows and positions, both ascending, and the number of the next draw.
    """
    many = 2 * size > length
    wanted = np.where(many, length - size, size)
    stride = int(length.max(initial=1))
    ends = first + np.cumsum(wanted)
    keys = _draw(length, wanted, ends - wanted, stride, uniforms)
    if many.any():
        keys = _others(keys, length, many, stride)
    row = keys // stride
    return row, keys - row * stride, int(ends[-1]) if len(ends) else first


def _draw(length: Longs, wanted: Longs, slots: Longs, stride: int, uniforms: Uniforms) -> Longs:
    """Distinct positions as row * stride + position, ascending; a row's draws are numbered from its slot on."""
    keys = np.empty(0, np.int64)
    missing, attempt = wanted, 0
    while missing.any():
        row = np.repeat(np.arange(len(missing)), missing)
        numbers = np.arange(len(row)) + np.repeat(slots - np.cumsum(missing) + missing, missing)
        new = (uniforms(numbers, DISTINCT + attempt) * length[row]).astype(np.int64)
        new += row * stride
        new.sort()
        new = new[np.diff(new, prepend=-1) != 0]
        place = np.searchsorted(keys, new)
        if len(keys):
            fresh = keys[np.minimum(place, len(keys) - 1)] != new
            new, place = new[fresh], place[fresh]
        keys = np.insert(keys, place, new)
        missing = missing - np.bincount(new // stride, minlength=len(missing))
        attempt += 1
    return keys


def _others(keys: Longs, length: Longs, many: NDArray[np.bool_], stride: int) -> Longs:
    """For the rows of `many`, all positions that are not among the keys."""
    rows = np.flatnonzero(many)
    ends = np.cumsum(length[rows])
    before = np.zeros(len(length), np.int64)
    before[rows] = ends - length[rows]
    taken = many[keys // stride]
    row = keys[taken] // stride
    left = np.ones(int(ends[-1]), bool)
    left[before[row] + keys[taken] - row * stride] = False
    row = np.repeat(rows, length[rows])
    everything = row * stride + np.arange(len(row)) - before[row]
    result = np.concatenate((keys[~taken], everything[left]))
    result.sort()
    return result
