"""What all channels have in common: names that carry the channel's name, defaults, ranges, and the paper."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from rall.equations import Equations
from rall.errors import EquationError, RallError, RallWarning
from rall.units import Quantity, cm, dimension_of, kelvin, mM, mS, ms, mV, second, value_of
from rall.units.constants import zero_celsius

__all__ = ["Range", "Value", "channel"]

Value: TypeAlias = Quantity | float
Range: TypeAlias = tuple[Value, Value]

#: Between what values a parameter of that name is plausible, where the channel's own ranges do not say.
_USUAL: Mapping[str, Range] = {
    "g": (0 * mS / cm**2, 1e4 * mS / cm**2),
    "p": (0 * cm / second, 0.1 * cm / second),
    "E": (-150 * mV, 200 * mV),
    "E_Ca": (0 * mV, 250 * mV),
    "Ca": (0 * mM, 1 * mM),
    "Ca_o": (0.01 * mM, 50 * mM),
    "T": (0 * kelvin + zero_celsius, 50 * kelvin + zero_celsius),
    "q10": (1, 6),
}
_NEGATIVE = "a {} cannot be negative"
#: What cannot be below zero whatever the channel, by dimension, and what to say of it.
_POSITIVE = {
    dimension_of(mS / cm**2): "a conductance cannot be negative; the sign of a current comes from E - v",
    dimension_of(cm / second): _NEGATIVE.format("permeability"),
    dimension_of(mM): _NEGATIVE.format("concentration"),
    dimension_of(ms): _NEGATIVE.format("time"),
}


def channel(
    text: str,
    own: str,
    name: str,
    defaults: Mapping[str, Quantity | float | str],
    source: str,
    *,
    fixed: Mapping[str, float] | None = None,
    ranges: Mapping[str, Range] | None = None,
) -> Equations:
    """Equations of a channel.

    Parameters
    ----------
    text : str
        The lines.  Every name of the channel ends in ``_X``; what it shares with others, such as ``T`` or ``E_Ca``,
        does not.
    own : str
        The channel's usual name.
    name : str
        The name that replaces X.
    defaults : mapping of str to Quantity, number or str
        Values of parameters, by their names without the ending.
    source : str
        The paper, with the place in it.
    fixed : mapping of str to float, optional
        Numbers that become part of the text in place of a word of it, such as ``q10``: rates are then known to be
        positive when kernels are made.
    ranges : mapping of str to (low, high), optional
        Between what values a parameter is plausible.  Those of conductances, permeabilities, reversal potentials,
        concentrations, temperature and q10 are known.

    Raises
    ------
    RallError
        If `name` cannot be part of a variable's name.
    EquationError
        If a value has another unit than its parameter, or no membrane can have it.

    Warns
    -----
    RallWarning
        If a value is outside of its range.
    """
    if not re.fullmatch(r"[A-Za-z0-9]\w*", name):
        raise RallError(f"the name of a channel is letters and digits, and {name!r} is not (usual name: '{own}')")
    known = {**_USUAL, **(ranges or {})}
    for word, number in (fixed or {}).items():
        _check(word, name, number, known.get(word), positive=True)
        text = re.sub(rf"\b{word}\b", repr(float(number)), text)
    endings = {key: f"_{name}" if re.search(rf"\b{key}_X\b", text) else "" for key in defaults}
    lines = re.sub(r"_X\b", f"_{name}", text)
    made = Equations(lines, defaults={f"{key}{endings[key]}": value for key, value in defaults.items()}, sources=source)
    for key, value in defaults.items():
        if not isinstance(value, str):
            _check(f"{key}{endings[key]}", name, value, known.get(key))
    return made


def _check(parameter: str, name: str, value: Any, usual: Range | None, positive: bool = False) -> None:
    """Refuse what cannot be, and warn of what is hardly meant."""
    numbers = np.asarray(value_of(value), float)
    what = f"{parameter} = {value} of the channel '{name}'"
    if not np.isfinite(numbers).all():
        raise EquationError(f"{what} is not a finite number")
    dimension, least = dimension_of(value), float(numbers.min(initial=np.inf))
    if dimension is dimension_of(kelvin) and least <= 0.0:
        raise EquationError(f"{what} is below absolute zero; give T in kelvin, as in T=34*kelvin + zero_celsius")
    if least < 0.0 and dimension in _POSITIVE:
        raise EquationError(f"{what}: {_POSITIVE[dimension]}")
    if positive and least <= 0.0:
        raise EquationError(f"{what} has to be positive")
    if usual is None or dimension_of(usual[0]) is not dimension:
        return
    low, high = float(value_of(usual[0])), float(value_of(usual[1]))
    if least < low or float(numbers.max(initial=-np.inf)) > high:
        hint = "; T is absolute, as in 34*kelvin + zero_celsius" if dimension is dimension_of(kelvin) else ""
        warnings.warn(
            f"{what} is outside of what is plausible, {usual[0]} to {usual[1]}{hint}", RallWarning, stacklevel=4
        )
