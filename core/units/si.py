"""The International System of Units as data: prefixes, named units and their symbols."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rall.units.dimension import Dimension, get_or_create_dimension

__all__ = ["BASES", "PREFIXES", "SHORTCUTS", "Base", "find_symbol", "power_of_ten", "split_name"]

#: Prefix to power of ten; the two-letter one first, so that it is tried first.
PREFIXES = {
    "da": 1, "y": -24, "z": -21, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1,
    "h": 2, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21, "Y": 24,
}  # fmt: skip


class Base(NamedTuple):
    """A named unit without a prefix."""

    name: str
    symbol: str
    dim: Dimension
    scale: int
    prefixed: bool


# name, symbol, exponents (metre kilogram second amp kelvin mole candle), power of ten
_ROWS = """
metre m 1 0 | meter m 1 0 | kilogram kg 0,1 0 | kilogramme kg 0,1 0
gram g 0,1 -3 | gramme g 0,1 -3 | second s 0,0,1 0
amp A 0,0,0,1 0 | ampere A 0,0,0,1 0 | kelvin K 0,0,0,0,1 0 | mole mol 0,0,0,0,0,1 0 | mol mol 0,0,0,0,0,1 0
candle cd 0,0,0,0,0,0,1 0 | radian rad 0 0 | steradian sr 0 0 | hertz Hz 0,0,-1 0 | newton N 1,1,-2 0
pascal Pa -1,1,-2 0 | joule J 2,1,-2 0 | watt W 2,1,-3 0 | coulomb C 0,0,1,1 0 | volt V 2,1,-3,-1 0
farad F -2,-1,4,2 0 | ohm ohm 2,1,-3,-2 0 | siemens S -2,-1,3,2 0 | weber Wb 2,1,-2,-1 0
tesla T 0,1,-2,-1 0 | henry H 2,1,-2,-2 0 | lumen lm 0,0,0,0,0,0,1 0 | lux lx -2,0,0,0,0,0,1 0
becquerel Bq 0,0,-1 0 | gray Gy 2,0,-2 0 | sievert Sv 2,0,-2 0 | katal kat 0,0,-1,0,0,1 0
liter l 3 -3 | litre l 3 -3 | molar M -3,0,0,0,0,1 3
"""


def _read_rows(text: str) -> dict[str, Base]:
    bases = {}
    for row in text.replace("\n", "|").split("|"):
        if row.strip():
            name, symbol, listed, scale = row.split()
            exponents = [int(x) for x in listed.split(",")]
            dim = get_or_create_dimension(exponents + [0] * (7 - len(exponents)))
            bases[name] = Base(name, symbol, dim, int(scale), name not in ("kilogram", "kilogramme"))
    return bases


#: Every named unit without a prefix.
BASES = _read_rows(_ROWS)

#: Short names of the field and the unit each stands for.
SHORTCUTS = {
    "mV": "mvolt", "mA": "mamp", "uA": "uamp", "nA": "namp", "pA": "pamp", "pF": "pfarad", "uF": "ufarad",
    "nF": "nfarad", "nS": "nsiemens", "uS": "usiemens", "mS": "msiemens", "ms": "msecond", "us": "usecond",
    "Hz": "hertz", "kHz": "khertz", "MHz": "Mhertz", "cm": "cmetre", "cm2": "cmetre2", "cm3": "cmetre3",
    "mm": "mmetre", "mm2": "mmetre2", "mm3": "mmetre3", "um": "umetre", "um2": "umetre2", "um3": "umetre3",
    "mM": "mmolar", "uM": "umolar", "nM": "nmolar",
}  # fmt: skip

_SYMBOLS = {base.symbol: base for base in reversed(BASES.values())}


@lru_cache(maxsize=1024)
def power_of_ten(scale: float) -> float:
    """The double nearest to ten to the power of `scale` (``1e-6`` exactly, not ``1e-3*1e-3``).

    Parameters
    ----------
    scale : float
        The exponent.
    """
    return float(f"1e{scale:.0f}") if float(scale).is_integer() else float(10.0**scale)


def split_name(name: str) -> tuple[str, Base, int] | None:
    """Take the long name of a unit apart.

    Parameters
    ----------
    name : str
        Such as ``'cmetre2'``.

    Returns
    -------
    tuple of (str, Base, int) or None
        Prefix, unit and power (1, 2 or 3); None if this is no unit.
    """
    power = 1
    if name not in BASES and name[-1:] in ("2", "3"):
        name, power = name[:-1], int(name[-1])
    if name in BASES:
        return "", BASES[name], power
    for prefix in PREFIXES:
        base = BASES.get(name[len(prefix) :]) if name.startswith(prefix) else None
        if base is not None and base.prefixed:
            return prefix, base, power
    return None


@lru_cache(maxsize=256)
def find_symbol(symbol: str) -> tuple[str, Dimension, int]:
    """What a symbol of the display tables stands for.

    Parameters
    ----------
    symbol : str
        Such as ``'mV'`` or ``'Mohm'``; no power.

    Returns
    -------
    tuple of (str, Dimension, int)
        Long name, dimension and power of ten.
    """
    if symbol in _SYMBOLS:
        base, prefix = _SYMBOLS[symbol], ""
    else:
        prefix = "da" if symbol.startswith("da") else symbol[:1]
        base = _SYMBOLS[symbol[len(prefix) :]]
    return prefix + base.name, base.dim, base.scale + (PREFIXES[prefix] if prefix else 0)
