"""What a monitor recorded, as plain numbers in the units that the field uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rall.errors import DimensionMismatchError, RallError
from rall.plugins.viewer.base import FloatArray, IntArray
from rall.units.dimension import Dimension, get_or_create_dimension
from rall.units.display import best_spelling
from rall.units.quantity import split

__all__ = ["Recorded", "in_display_unit", "milliseconds", "recorded"]

_TIME = get_or_create_dimension(s=1)
_VOLT = get_or_create_dimension(kg=1, m=2, s=-3, A=-1)


@dataclass(frozen=True)
class Recorded:
    """What a monitor recorded of one variable, in display units.

    Parameters
    ----------
    times : array of float, shape (T,)
        In ms.
    values : array of float, shape (T, k)
        In `unit`.
    index : array of int, shape (k,)
        Which elements they are.
    label, unit : str
        Name of the variable and its unit.
    scale : float
        The unit in SI base units.
    """

    times: FloatArray
    values: FloatArray
    index: IntArray
    label: str
    unit: str
    scale: float


def milliseconds(t: Any) -> float:
    """A time in ms.

    Parameters
    ----------
    t : Quantity
        A time.

    Returns
    -------
    float
        The same in ms.

    Raises
    ------
    DimensionMismatchError
        If it is no time.
    """
    value, dim = split(t)
    if dim != _TIME:
        raise DimensionMismatchError(f"t={t!r} must be a time, such as 12*ms")
    return 1e3 * float(value)


def in_display_unit(values: Any) -> tuple[FloatArray, str, float]:
    """Numbers in the unit that the field uses.

    Parameters
    ----------
    values : Quantity or array
        What is shown; voltages are always shown in mV.

    Returns
    -------
    (array of float, str, float)
        The numbers, the unit's symbol, and the unit in SI base units.
    """
    plain, dim = split(values)
    numbers = np.asarray(plain, dtype=np.float64)
    symbol, scale = _unit_of(dim, numbers)
    return numbers / scale, symbol, scale


def _unit_of(dim: Dimension, numbers: FloatArray) -> tuple[str, float]:
    if dim == _VOLT:
        return "mV", 1e-3
    if dim.is_dimensionless:
        return "", 1.0
    known = np.abs(numbers[np.isfinite(numbers)])
    unit = best_spelling(dim, float(known.max(initial=0.0)))
    return unit.symbol, unit.value


def recorded(monitor: Any, variable: str | None = None) -> Recorded:
    """What a monitor recorded of one variable.

    Parameters
    ----------
    monitor : StateMonitor
        With the attributes ``t``, ``record``, ``record_variables`` and the variables' own.
    variable : str, optional
        Which one; by default ``'v'``, or the only one.

    Returns
    -------
    Recorded
        In ms and in the unit that the field uses.

    Raises
    ------
    RallError
        If nothing was recorded, or not that variable.
    """
    name = _variable(tuple(monitor.record_variables), variable)
    plain, dim = split(monitor.t)
    times = 1e3 * np.asarray(plain, dtype=np.float64)
    if dim != _TIME:
        raise DimensionMismatchError("the monitor's t is no time")
    if not times.size:
        raise RallError(f"the monitor has recorded nothing of {name!r} yet; look at it after run(...)")
    numbers, unit, scale = in_display_unit(getattr(monitor, name))
    rows = np.atleast_2d(numbers)
    # A monitor of a part numbers its elements from 0; which of the cell's they are is what is seen.
    elements = getattr(monitor, "elements", monitor.record)
    index = np.arange(len(rows)) if elements is True else np.atleast_1d(np.asarray(elements, dtype=np.int64))
    return Recorded(times, rows.T, index, name, unit, scale)


def _variable(known: tuple[str, ...], wanted: str | None) -> str:
    if wanted is None and ("v" in known or len(known) == 1):
        return "v" if "v" in known else known[0]
    listed = ", ".join(map(repr, sorted(known)))
    if wanted is None:
        raise RallError(f"the monitor records {listed}; say which one with variable=...")
    if wanted not in known:
        raise RallError(f"the monitor does not record {wanted!r}; it records {listed}")
    return wanted
