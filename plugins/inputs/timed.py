"""TimedArray: values on a grid of times, called in equations as a function of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, RallError
from rall.functions import BUILTIN, AbstractFunction, ArgumentMismatch, Typed, describe
from rall.ir.nodes import ZERO, Node, call, name
from rall.model import Domain, Layout, Variable
from rall.units import DIMENSIONLESS, Dimension, Quantity, dimension_of, get_or_create_dimension, value_of

__all__ = ["TimedArray"]

_SECOND = get_or_create_dimension(second=1)
#: Elements of the table before the values: rows, columns, dt in seconds.
_HEAD = 3


class TimedArray(AbstractFunction):
    """A function of time that is constant from each multiple of `dt` to the next.

    In equations and in text it is called by the name of the Python variable that holds it: ``stimulus(t)``, or
    ``stimulus(t, i)`` where it has columns.  ``values[k]`` holds from ``k*dt`` until just before ``(k + 1)*dt``; the
    first row holds before time 0 and the last one after the end.  A time that is a multiple of `dt` up to rounding
    counts as that multiple.

    Parameters
    ----------
    values : Quantity, ndarray or list, shape (times,) or (times, columns)
        The values, all in one unit.
    dt : Quantity
        Time between two rows.
    name : str, optional
        How it is called in messages.

    Raises
    ------
    RallError
        If `values` has another shape, is empty, or holds something else than numbers.
    DimensionMismatchError
        If `dt` is no time.

    Examples
    --------
    >>> from rall.units import ms, nA
    >>> stimulus = TimedArray([0, 2, 1] * nA, dt=10*ms)
    >>> stimulus(25*ms)
    1 nA
    """

    def __init__(self, values: Any, dt: Any, name: str = "timedarray") -> None:
        self.name = name
        plain = np.asarray(value_of(values))
        if plain.dtype.kind not in "fiub":
            raise RallError(f"a TimedArray holds numbers, and '{name}' was given values of type {plain.dtype}")
        if plain.ndim not in (1, 2) or not plain.size:
            raise RallError(
                f"the values of a TimedArray have the shape (times,) or (times, columns), and none is empty; those of "
                f"'{name}' have the shape {plain.shape}"
            )
        self._dim = dimension_of(values)
        self._values = plain.astype(float)
        self._values.flags.writeable = False
        self._dt = _time_step(dt, name)
        rows, columns = plain.shape[0], 1 if plain.ndim == 1 else plain.shape[1]
        table = np.concatenate([(rows, columns, self._dt), self._values.reshape(-1)])
        self._table = Variable(name, Domain(name, Layout(len(table))), self._dim, role="table")
        self._table.set(table)

    @property
    def values(self) -> NDArray[np.float64]:
        """The values in SI base units, shape (times,) or (times, columns); read-only."""
        return self._values

    @property
    def dim(self) -> Dimension:
        """What the values measure."""
        return self._dim

    @property
    def dt(self) -> Quantity:
        """Time between two rows."""
        return Quantity(self._dt, dim=_SECOND)

    @property
    def dt_(self) -> float:
        """Time between two rows, in seconds."""
        return self._dt

    def __call__(self, t: Any, i: Any = None) -> Any:
        """The value at some times.

        Parameters
        ----------
        t : Quantity
            Time or times.
        i : int or ndarray of int, optional
            Column or columns, where there are any; fits `t` by NumPy's rules.

        Returns
        -------
        Quantity or ndarray
            Of the shape of `t` and `i` together; NaN for columns that do not exist.

        Raises
        ------
        DimensionMismatchError
            If `t` is no time.
        RallError
            If the column is missing, or there are none.
        """
        if dimension_of(t) is not _SECOND and np.any(np.asarray(value_of(t)) != 0):
            raise DimensionMismatchError(
                f"'{self.name}' is called with a time, as in {self._usage}, and not with {t}"
            )
        if (i is None) != (self._values.ndim == 1):
            raise RallError(f"'{self.name}' has values of the shape {self._values.shape}: call it as {self._usage}")
        if dimension_of(0 if i is None else i) is not DIMENSIONLESS:
            raise DimensionMismatchError(f"the column of '{self.name}' is a plain number, and not {i}")
        look_up = BUILTIN["_timed"].python
        assert look_up is not None
        found = look_up(self._table.array, value_of(t), 0 if i is None else np.asarray(i))
        return found if self._dim is DIMENSIONLESS else Quantity(found, dim=self._dim)

    def result(self, given: Sequence[Typed]) -> Typed:
        """See `AbstractFunction.result`: a float in the unit of the values, at a time and, in 2-D, a column."""
        wanted = self._values.ndim
        if len(given) != wanted:
            raise ArgumentMismatch(
                f"this TimedArray has values of the shape {self._values.shape} and is called as {self._usage}"
            )
        if given[0].dimension is not _SECOND:
            raise ArgumentMismatch(f"a TimedArray is called with a time, not {describe(given[0].dimension)}", 0)
        if wanted == 2 and (given[1].dimension is not DIMENSIONLESS or given[1].kind == "boolean"):
            what = "a condition" if given[1].kind == "boolean" else describe(given[1].dimension)
            raise ArgumentMismatch(f"the column of a TimedArray is a plain number, such as i, not {what}", 1)
        return Typed(self._dim)

    def in_equations(self, known_as: str, arguments: Sequence[Node]) -> tuple[Node, Mapping[str, Variable]]:
        """What a call stands for in terms of variables.

        Parameters
        ----------
        known_as : str
            Its name in the user's text.
        arguments : sequence of Node
            Time in seconds and, for two-dimensional values, the column.

        Returns
        -------
        Node, mapping of str to Variable
            The expression, and the table that it reads.
        """
        table = f"_ta_{known_as}"
        column = arguments[1] if self._values.ndim == 2 else ZERO
        return call("_timed", name(table), arguments[0], column), {table: self._table}

    @property
    def _usage(self) -> str:
        return "name(t)" if self._values.ndim == 1 else "name(t, i)"

    def __repr__(self) -> str:
        return f"<TimedArray '{self.name}': {self._values.shape} values, dt = {self.dt}>"


def _time_step(dt: Any, name: str) -> float:
    if dimension_of(dt) is not _SECOND:
        raise DimensionMismatchError(f"dt of the TimedArray '{name}' must be a time such as 1*ms, not {dt}")
    plain = np.asarray(value_of(dt), float)
    if plain.ndim or not np.isfinite(plain) or plain <= 0:
        raise RallError(f"dt of the TimedArray '{name}' must be one time above zero, not {dt}")
    return float(plain)
