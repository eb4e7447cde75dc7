"""How quantities are shown: in the units that the field uses for the dimension, at a readable size."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from rall.units.dimension import DIMENSIONLESS, Dimension, join_powers, telling_factors
from rall.units.si import BASES, find_symbol, power_of_ten

__all__ = [
    "Spelling", "best_spelling", "brief", "exact", "format_value", "latex", "latex_unit",
    "magnitude_of", "mismatch", "number_with_unit", "register_spelling", "show", "spell_parts",
]  # fmt: skip


class Spelling(NamedTuple):
    """A unit as it is written: `symbol` for people, `name` for Python, `value` in SI base units."""

    symbol: str
    name: str
    value: float
    parts: tuple[tuple[str, str, float], ...]
    scale: float


# One line a dimension: units from large to small, each with the least multiple of it that it is used for.
# The last one takes all that is smaller; zero is shown in the one with the star.
_FAMILIES = """
V 1, *mV 0.1, uV 0.1, nV
A 1, mA 1, uA 1, *nA 0.1, pA 0.01, fA
S 1, mS 1, uS 1, *nS 0.1, pS 0.01, fS
Gohm 1, *Mohm 0.1, kohm 1, ohm 1, mohm
F 1, mF 1, uF 1, nF 1, *pF 0.01, fF
m 1, mm 10, *um 0.01, nm
cm2 1, mm2 1, *um2
cm3 1, mm3 1, *um3
s 1, *ms 0.01, us 0.01, ns
/ms 1, *Hz 0.1, mHz
M 1, *mM 0.1, uM 1, nM
S/cm2 1, *mS/cm2 0.001, uS/cm2
uF/cm2
mA/cm2 1, *uA/cm2 0.01, nA/cm2
kohm cm 10, *ohm cm
kohm cm2 1, *ohm cm2
um2/s
m/s 0.01, um/ms 0.01, um/s
mV/ms
mV/mm
mV ms
V2 0.1, *mV2
mV/ms0.5
/mV
/ms/mV
/mM
/ms/mM
mM/ms 0.1, uM/ms 0.01, uM/s
nA/ms 1, pA/ms
nS/ms
mS/cm2/ms
mS/cm2/mV
uA/cm2/ms
mS/cm
Mohm/um 1, kohm/um
pF/um
nA/um 0.1, pA/um
um3/s
/um
/um2
/um3
/cm2/s
/ms2
mol/cm2/s 1, nmol/cm2/s 0.01, pmol/cm2/s
C/mol
J/mol/K
J/K
mV/K
mol
kg
K
"""
_registered: dict[Dimension, list[Spelling]] = {}
_FEW = 4
_ROUNDING = 4e-16
_TERM = re.compile(r"(/?)([A-Za-z]+)([0-9.]*)")
_PREFIXED = (("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9), ("p", -12),
             ("f", -15), ("a", -18))  # fmt: skip
_NEVER_PREFIXED = ("kilogram", "kelvin", "candle")


def best_spelling(dim: Dimension, magnitude: float) -> Spelling:
    """The unit in which a quantity is best shown.

    Parameters
    ----------
    dim : Dimension
        Dimension of the quantity.
    magnitude : float
        Its size, in SI base units; of an array, the largest.

    Returns
    -------
    Spelling
    """
    for unit in _registered.get(dim, ()):
        if unit.value * 0.1 <= magnitude < unit.value * 1000:
            return unit
    family = _families().get(dim)
    if family is None:
        return _prefixed(dim, magnitude)
    default, members = family
    if not 0 < magnitude < float("inf"):
        return default
    for unit, limit in members:
        if magnitude >= limit * unit.value * (1 - 1e-9):
            return unit
    return members[-1][0]


def register_spelling(unit: Spelling, dim: Dimension) -> None:
    """Prefer a unit for quantities between a tenth and a thousand of it.

    Parameters
    ----------
    unit : Spelling
        The unit.
    dim : Dimension
        Its dimension.
    """
    known = _registered.setdefault(dim, [])
    if unit not in known:
        known.append(unit)
        known.sort(key=lambda one: -one.value)


def spell_parts(
    parts: tuple[tuple[str, str, float], ...], scale: float, value: float | None = None
) -> Spelling:
    """Write a product of units.

    Parameters
    ----------
    parts : tuple of (str, str, float)
        Name, symbol and exponent of each unit.
    scale : float
        Power of ten of the product.
    value : float, optional
        The product in SI base units, where it is no power of ten.
    """
    symbol = join_powers(((s, e) for _, s, e in parts), " ", "")
    name = join_powers(((n, e) for n, _, e in parts), "*", "**")
    return Spelling(symbol, name, power_of_ten(scale) if value is None else value, parts, scale)


def format_value(value: Any, precision: int | None = None) -> str:
    """A number or an array as text.

    Parameters
    ----------
    value : float or ndarray
        What to show.
    precision : int, optional
        Number of decimals (the largest, zeros at the end are left out); NumPy's number of significant digits of a
        number, and of decimals of an array, if left out.
    """
    if not isinstance(value, (int, float, np.ndarray)):
        return str(value)
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=precision)
    if precision is None:
        return f"{value:.{int(np.get_printoptions()['precision'] or 8)}g}"
    if value and not 1e-4 <= abs(value) < 1e16:
        return np.format_float_scientific(value, precision, trim="-")
    return np.format_float_positional(value, precision, trim="-")


def number_with_unit(value: Any, unit: str, precision: int | None = None, python_code: bool = False) -> str:
    """A value in a unit as text: ``3 mV``, or as Python reads it, ``3*mvolt``.

    Parameters
    ----------
    value : float or ndarray
        In that unit.
    unit : str
        The unit's symbol, or its name for Python; empty if there is none.
    precision : int, optional
        As in `format_value`.
    python_code : bool
        Whether Python is to read it.
    """
    number = format_value(value, precision)
    if python_code and isinstance(value, np.ndarray):
        number = f"array({np.array2string(value, precision=precision, separator=', ')})"
    if not unit:
        return number
    between = "" if unit.startswith("/") else "*"
    return f"{number}{between if python_code else ' '}{unit}"


def show(value: Any, dim: Dimension, precision: int | None = None, python_code: bool = False) -> str:
    """A quantity as text, in its best unit: ``0.3 mS/cm2``.

    Parameters
    ----------
    value : float or ndarray
        In SI base units.
    dim : Dimension
        Its dimension.
    precision : int, optional
        As in `format_value`.
    python_code : bool
        As in `number_with_unit`.
    """
    unit = best_spelling(dim, magnitude_of(value))
    return number_with_unit(value / unit.value, unit.name if python_code else unit.symbol, precision, python_code)


def magnitude_of(value: Any) -> float:
    """The largest finite absolute value.

    Parameters
    ----------
    value : float or ndarray
        Any number or array.

    Returns
    -------
    float
        0 if there is none.
    """
    size = np.abs(np.asarray(value))
    if size.dtype.kind not in "fiub":
        return 0.0
    finite = size[np.isfinite(size)]
    return float(finite.max()) if finite.size else 0.0


def brief(value: Any, dim: Dimension) -> str:
    """A quantity for a message: an array by its ends.

    Parameters
    ----------
    value : float or ndarray
        In SI base units.
    dim : Dimension
        Its dimension.
    """
    if isinstance(value, np.ndarray) and value.size > _FEW:
        first, last = (show(value.flat[k].item(), dim) for k in (0, -1))
        return f"an array of {value.size} values from {first} to {last}"
    return show(value, dim)


def exact(value: Any, unit: float) -> str:
    """The shortest text that, times the unit, gives back the value to rounding.

    Parameters
    ----------
    value : float or ndarray
        In SI base units.
    unit : float
        The unit, in SI base units.
    """
    if isinstance(value, (int, float)):
        for digits in range(4, 17):
            text = f"{value / unit:.{digits}g}"
            if abs(float(text) * unit - value) <= _ROUNDING * abs(value):
                return text
    return repr(value / unit)


def latex_unit(parts: tuple[tuple[str, str, float], ...]) -> str:
    r"""A product of units in LaTeX: ``\mathrm{mS}\,\mathrm{cm}^{-2}``.

    Parameters
    ----------
    parts : tuple of (str, str, float)
        Name, symbol and exponent of each unit.
    """
    words = []
    for _, symbol, power in parts:
        shown = symbol.replace("ohm", r"\Omega").replace("u", r"\mu ", 1 if symbol[0] == "u" else 0)
        words.append(rf"\mathrm{{{shown}}}" + ("" if power == 1 else f"^{{{power:g}}}"))
    return r"\,".join(words)


def latex(value: Any, dim: Dimension) -> str:
    """A scalar quantity in LaTeX, in its best unit.

    Parameters
    ----------
    value : float
        In SI base units.
    dim : Dimension
        Its dimension.
    """
    unit = best_spelling(dim, magnitude_of(value))
    return rf"${format_value(value / unit.value)}\,{latex_unit(unit.parts)}$"


def mismatch(x: Any, left: Dimension, y: Any, right: Dimension) -> str:
    """How two operands differ in dimension, for a message.

    Parameters
    ----------
    x, y : float or ndarray
        Values in SI base units.
    left, right : Dimension
        Their dimensions.
    """

    def has(dim: Dimension) -> str:
        return "is a pure number" if dim is DIMENSIONLESS else f"has the dimension {dim}"

    text = f"{brief(x, left)} {has(left)}, but {brief(y, right)} {has(right)}"
    plain, dim = (x, right) if left is DIMENSIONLESS else (y, left)
    if DIMENSIONLESS not in (left, right) or isinstance(plain, np.ndarray):
        return text
    unit = best_spelling(dim, 0.0).name
    return (
        text
        if unit.startswith("/")
        else f"{text}; give it a unit, such as {brief(plain, DIMENSIONLESS)}*{unit}"
    )


@lru_cache(maxsize=1)
def _families() -> dict[Dimension, tuple[Spelling, tuple[tuple[Spelling, float], ...]]]:
    families = {}
    for line in _FAMILIES.split("\n"):
        if not line:
            continue
        members, default = [], None
        for entry in line.split(", "):
            text, _, limit = entry.rpartition(" ")
            plain = text if limit[:1].isdigit() else entry
            unit, dim = _read_symbols(plain.lstrip("*"))
            members.append((unit, float(limit) if plain is text else 0.0))
            default = unit if plain.startswith("*") or default is None else default
        families[dim] = (default or unit, tuple(members))
    return families


def _read_symbols(text: str) -> tuple[Spelling, Dimension]:
    """Read ``mS/cm2`` or ``ohm cm``."""
    parts, scale, dim = [], 0.0, DIMENSIONLESS
    for slash, symbol, digits in _TERM.findall(text):
        power = float(digits or 1) * (-1 if slash else 1)
        name, base, tens = find_symbol(symbol)
        parts.append((name, symbol, power))
        scale += tens * power
        dim = dim * base**power
    return spell_parts(tuple(parts), scale), dim


def _prefixed(dim: Dimension, magnitude: float) -> Spelling:
    """SI units, with a prefix on the first."""
    factors = telling_factors(dim)
    parts = tuple((name, BASES[name].symbol, float(power)) for name, power in factors)
    if not parts or parts[0][2] < 0 or parts[0][0] in _NEVER_PREFIXED or not 0 < magnitude < float("inf"):
        return spell_parts(parts, 0)
    (name, symbol, power), *rest = parts
    fits = (one for one in _PREFIXED if magnitude >= power_of_ten(one[1] * power) * (1 - 1e-9))
    prefix, tens = next(fits, _PREFIXED[-1])
    return spell_parts(((prefix + name, prefix + symbol, power), *rest), tens * power)
