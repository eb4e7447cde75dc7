"""Units of NMODL: their texts, their values, and how equations spell them.

NMODL writes units as a product with blanks or hyphens, one slash before all denominators and powers as digits
(``mA/cm2``, ``/ms-mV``, ``k-mole``).  Its vocabulary is that of the old Unix program ``units``, where a mole is a
plain number; here amounts of substance keep their dimension, because rall's concentrations have it: a ``liter``
below a fraction bar is one that holds moles, and a charge that is Faraday's constant is one per mole.

A unit is one number: the exponents of its bases are the digits of it.  Products of units are sums of such numbers,
which makes the inference of units (see `rall.plugins.nmodl.inference`) fast.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from rall.errors import EquationError
from rall.plugins.nmodl.syntax import Unit
from rall.units import Quantity
from rall.units.constants import boltzmann_constant, elementary_charge, faraday_constant, gas_constant
from rall.units.dimension import Dimension

__all__ = ["ONE", "STANDARD", "Constant", "Rational", "UnitTable", "UnitValue", "Vocabulary", "short", "tidy"]

#: A rational number; whole ones are ints, which are faster.
Rational: TypeAlias = int | Fraction

# Digits of a code, lowest first: seven SI bases, the power of ten, and the rest of the scale.
_DIGIT = 1 << 96
_HALF = _DIGIT >> 1
_BASES, _TENS, _REST = 7, 7, 8
_WEIGHTS = tuple(_DIGIT**place for place in range(9))
_FINE = 1 << 50  # the rest of a scale is its decimal logarithm in steps of this fraction


@dataclass(frozen=True, slots=True)
class UnitValue:
    """A unit of measurement: exponents of metre, kilogram, second, amp, kelvin, mole, candle, and a scale.

    Parameters
    ----------
    code : int or Fraction
        The exponents as one number; see `UnitValue.of`.  Codes add where units multiply.
    """

    code: Rational

    @classmethod
    def of(cls, exponents: Iterable[Rational], tens: Rational = 0, scale: Fraction = Fraction(1)) -> UnitValue:
        """A unit from its parts.

        Parameters
        ----------
        exponents : iterable of int or Fraction
            Of the SI bases, in the order of `rall.units.dimension.BASE_UNITS`; those left out are 0.
        tens : int or Fraction
            The power of ten that it is in SI units.
        scale : Fraction
            A factor besides, above 0.
        """
        code: Rational = sum(e * w for e, w in zip(exponents, _WEIGHTS))
        more, rest = _logarithm(scale)
        return cls(code + (tens + more) * _WEIGHTS[_TENS] + rest * _WEIGHTS[_REST])

    def __mul__(self, other: UnitValue) -> UnitValue:
        return UnitValue(self.code + other.code)

    def __truediv__(self, other: UnitValue) -> UnitValue:
        return UnitValue(self.code - other.code)

    def __pow__(self, power: Rational) -> UnitValue:
        return UnitValue(tidy(self.code * power))

    @property
    def digits(self) -> tuple[Rational, ...]:
        """Seven exponents, the power of ten, and the rest of the logarithm of the scale (in steps of 2**-50)."""
        return _digits(self.code)

    @property
    def dimension(self) -> Dimension:
        """What kind of quantity it measures; ``str`` of it is the unit that a line of equations ends in."""
        return Dimension(float(e) for e in self.digits[:_BASES])

    @property
    def is_plain(self) -> bool:
        """Whether it is the unit of plain numbers, without a scale."""
        return self.code == 0

    @property
    def is_dimensionless(self) -> bool:
        """Whether it is a number, perhaps one like percent."""
        return not any(self.digits[:_BASES])

    def halves(self) -> tuple[Rational, Rational]:
        """The codes of its dimension and of its scale, of which it is the sum."""
        digits = self.digits
        scale = digits[_TENS] * _WEIGHTS[_TENS] + digits[_REST] * _WEIGHTS[_REST]
        return tidy(self.code - scale), tidy(scale)

    @property
    def scale(self) -> float:
        """One of this unit in SI units."""
        return _scaled(Decimal(1), self.digits)

    def quantity(self, value: float) -> Quantity:
        """A value in this unit.

        Parameters
        ----------
        value : float
            In this unit.

        Returns
        -------
        Quantity
        """
        return Quantity(_scaled(Decimal(repr(float(value))), self.digits), self.dimension)

    def split(self) -> tuple[UnitValue, tuple[str, ...], tuple[str, ...]]:
        """How equations spell it.

        Returns
        -------
        tuple of (UnitValue, tuple of str, tuple of str)
            A dimensionless factor, the factors above the fraction bar, and those below it.
        """
        return _split(self.code)

    def number(self, text: str) -> str:
        """The text of a number times the scale of this unit.

        Parameters
        ----------
        text : str
            Of the number, as the user wrote it; kept if the scale is 1.

        Returns
        -------
        str
        """
        if not any(self.digits[_TENS:]):
            return text
        return short(_scaled(Decimal(text), self.digits))

    def times(self, text: str) -> str:
        """The text of an equation for a number in this unit.

        Parameters
        ----------
        text : str
            Of the number.

        Returns
        -------
        str
            Such as ``55*mV`` or ``0.01/ms/mV``: a product or an atom.
        """
        factor, above, below = self.split()
        number = factor.number(text)
        if number == "1" and above:
            return "*".join(above) + "".join("/" + name for name in below)
        return number + "".join("*" + name for name in above) + "".join("/" + name for name in below)

    def __str__(self) -> str:
        return self.times("1")


#: The unit of plain numbers.
ONE = UnitValue(0)


def short(value: float) -> str:
    """The shortest text of a number, whole ones without a point."""
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def tidy(number: Rational) -> Rational:
    """A whole number as an int."""
    return number.numerator if number.denominator == 1 else number


@lru_cache(maxsize=4096)
def _digits(code: Rational) -> tuple[Rational, ...]:
    rest, below = code.numerator, code.denominator
    found: list[Rational] = []
    for _ in range(_REST):
        digit = (rest + _HALF) % _DIGIT - _HALF
        rest = (rest - digit) // _DIGIT
        found.append(digit if below == 1 else tidy(Fraction(digit, below)))
    return (*found, rest if below == 1 else tidy(Fraction(rest, below)))


def _scaled(number: Decimal, digits: tuple[Rational, ...]) -> float:
    """A number times a scale; rounded once where the scale is a power of ten."""
    tens, rest = digits[_TENS], digits[_REST]
    if not rest and isinstance(tens, int):
        return float(number.scaleb(tens))
    return float(f"{float(number) * 10.0 ** float(tens + Fraction(rest) / _FINE):.14g}")  # 60, not 60.00000000000003


@lru_cache(maxsize=256)
def _logarithm(scale: Fraction) -> tuple[int, int]:
    """The power of ten in a scale, and the logarithm of the rest, the same sum for whatever has the same factors."""
    tens, rest = 0, 0
    for number, sign in ((scale.numerator, 1), (scale.denominator, -1)):
        while number % 10 == 0:
            number, tens = number // 10, tens + sign
        for prime in (2, 3, 5, 7, 11, 13):
            while number % prime == 0:
                number //= prime
                rest += sign * round(math.log10(prime) * _FINE)
        rest += sign * round(math.log10(number) * _FINE) if number > 1 else 0
    fives = round(math.log10(5) * _FINE) + round(math.log10(2) * _FINE)
    while rest >= fives:  # two and five that stood on both sides of the fraction bar
        rest, tens = rest - fives, tens + 1
    while rest <= -fives:
        rest, tens = rest + fives, tens - 1
    return tens, rest


# --- vocabulary -----------------------------------------------------------------------------------------------------

# Names, exponents of metre, kilogram, second, amp, kelvin, mole, candle, power of ten, factor.
_ROWS = """
m meter metre | 1 ; cm | 1 | -2 ; mm | 1 | -3 ; micron um | 1 | -6 ; angstrom | 1 | -10 ; inch | 1 | -4 | 254
kg | 0 1 ; g gm gram gramme | 0 1 | -3 ; dalton amu | 0 1 | -27 | 1.66053906660
s sec second | 0 0 1 ; ms msec | 0 0 1 | -3 ; us usec | 0 0 1 | -6 ; min minute | 0 0 1 | 0 | 60
h hr hour | 0 0 1 | 0 | 3600 ; day | 0 0 1 | 0 | 86400
A amp ampere | 0 0 0 1 ; C coul coulomb | 0 0 1 1 ; K kelvin degC degK deg | 0 0 0 0 1 ; cd candela | 0 0 0 0 0 0 1
mol mole | 0 0 0 0 0 1 ; M molar Molar | -3 0 0 0 0 1 | 3 ; l L liter litre | 3 | -3 ; cc | 3 | -6
N nt newton | 1 1 -2 ; Pa pascal | -1 1 -2 ; J joule | 2 1 -2 ; W watt | 2 1 -3 ; erg | 2 1 -2 | -7
atm | -1 1 -2 | 0 | 101325
V volt v | 2 1 -3 -1 ; ohm Ohm | 2 1 -3 -2 ; mho S siemens Siemens | -2 -1 3 2 ; F farad | -2 -1 4 2
H henry | 2 1 -2 -2 ; T tesla | 0 1 -2 -1 ; Wb weber | 2 1 -2 -1
Hz hertz hz | 0 0 -1 ; rad radian sr steradian ion molecule | ; % percent | | -2
"""
# What stands for a number in the old vocabulary: of moles it is 1 here, as in (mol) = (1).
_PREFIXES = {
    "yotta": 24, "zetta": 21, "exa": 18, "peta": 15, "tera": 12, "giga": 9, "mega": 6, "meg": 6, "kilo": 3, "hecto": 2,
    "deka": 1, "deci": -1, "centi": -2, "milli": -3, "micro": -6, "nano": -9, "pico": -12, "femto": -15, "atto": -18,
    "da": 1, "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "d": -1, "c": -2, "m": -3,
    "u": -6, "n": -9, "p": -12, "f": -15, "a": -18,
}  # fmt: skip


def _read_rows() -> dict[str, UnitValue]:
    found = {}
    for row in _ROWS.replace("\n", ";").split(";"):
        names, _, rest = row.partition("|")
        exponents, tens, factor = ([part.strip() for part in rest.split("|")] + ["", "", ""])[:3]
        unit = UnitValue.of(map(int, exponents.split()), int(tens or 0), Fraction(factor or "1"))
        found.update(dict.fromkeys(names.split(), unit))
    return found


#: Units that need no definition.
Vocabulary: Mapping[str, UnitValue] = _read_rows()
_MOLAR, _LITRE, _MOLE = Vocabulary["molar"], Vocabulary["liter"], Vocabulary["mole"]
_PER_MOLE = _LITRE / _MOLE
# These mean concentrations in every file, however it defines them ((mM) = (millimole) is among the ways).
_CONCENTRATIONS = frozenset(("M", "molar", "mM", "uM", "nM", "millimolar", "micromolar", "nanomolar"))

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+)|([+-]\d+)(?![\d.]))?"  # 1-3: number, exponents as 1e-3 or as 1-3
    r"|([A-Za-z_%$]+)(?:\^|\*\*)?(-?\d+)?"  # 4, 5: name and power
    r"|([-/*|.])"  # 6: operator
    r"|(\S))"  # 7: anything else is a mistake
)


class UnitTable:
    """The units of a file: the vocabulary and what its UNITS block defines.

    Parameters
    ----------
    definitions : iterable of Unit
        Of UNITS, in their order; constants among them are left out.
    """

    def __init__(self, definitions: Iterable[Unit] = ()) -> None:
        self._own: dict[str, UnitValue] = {}
        self._known: dict[str, UnitValue] = {}
        for line in definitions:
            if line.constant or line.name in _CONCENTRATIONS:
                continue
            # The old vocabulary counts moles, so that files say that one of them is 1.
            value = _MOLE if line.name in ("mol", "mole") else self.unit(line.value)
            self._own[line.name] = value
            self._known.clear()

    def unit(self, text: str) -> UnitValue:
        """The value of a unit.

        Parameters
        ----------
        text : str
            What stands in parentheses: ``mA/cm2``, ``/ms``, ``1/ms``, ``ms-1``, ``1000/sec``; empty is 1.

        Returns
        -------
        UnitValue

        Raises
        ------
        EquationError
            If it has a name that is no unit; the error says which.
        """
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._read(text)
        return found

    def constant(self, line: Unit) -> Constant:
        """A constant of the UNITS block, such as ``F = (faraday) (coulombs)`` or ``k = 0.0853 (mV/degC)``.

        Parameters
        ----------
        line : Unit
            Whose `constant` is true.

        Returns
        -------
        Constant

        Raises
        ------
        EquationError
            If a name is no unit.
        """
        unit = self.unit(line.unit or "1")
        try:
            value = float(line.value)
        except ValueError:
            return self._physical(line.value, unit)
        return Constant(value, self.per_mole(value, unit))

    def per_mole(self, value: float, unit: UnitValue) -> UnitValue:
        """The unit of a parameter or constant, in which Faraday's and the gas constant are ones per mole.

        Parameters
        ----------
        value : float
            Its value: 96485 or about that in coulomb is one per mole, and so is 8.314 joule/degC.
        unit : UnitValue
            What the file says.

        Returns
        -------
        UnitValue
        """
        for constant in (faraday_constant, gas_constant):
            whole = Dimension(e + (1 if n == 5 else 0) for n, e in enumerate(constant.dim.exponents))
            if unit.dimension is whole and abs(value * unit.scale / float(constant.value) - 1) < 0.005:
                return unit / _MOLE
        return unit

    def _physical(self, text: str, unit: UnitValue) -> Constant:
        name, quantity = _PHYSICAL.get(re.sub(r"\s+|\*", "-", text.strip()), ("", None))
        if quantity is None:
            ratio = self.unit(text) / unit
            return Constant(_scaled(Decimal(1), ratio.digits), unit)
        si = float(quantity.value) if isinstance(quantity, Quantity) else quantity
        unit = self.per_mole(si / unit.scale, unit)
        return Constant(si / unit.scale, unit, name)

    def _read(self, text: str) -> UnitValue:
        code: Rational = 0
        sign, number = 1, Fraction(1)
        moles = False
        litres = 0
        for match in _TOKEN.finditer(text):
            digits, power, old_power, name, exponent, operator, wrong = match.groups()
            if digits:
                value = Fraction(digits) * Fraction(10) ** int(power or old_power or 0)
                if value <= 0:
                    raise EquationError(f"the unit '({text})' is zero")
                number = number * value if sign > 0 else number / value
            elif name:
                one = self._lookup(name, text)
                times = sign * int(exponent or 1)
                code += one.code * times
                moles = moles or bool(one.digits[5])
                litres += times if name.lower() in ("liter", "liters", "litre", "litres", "l") else 0
            elif operator in ("/", "|"):
                sign = -1
            elif wrong:
                raise EquationError(f"'{wrong}' cannot stand in a unit, as it does in '({text})'")
        if litres < 0 and not moles:  # 1/liter is NMODL's way to write a concentration
            code += _MOLE.code * -litres
        return UnitValue(tidy(code)) * UnitValue.of((), 0, number)

    def _lookup(self, name: str, text: str) -> UnitValue:
        for word in (name, name[:-1] if name.endswith("s") else ""):
            if word in self._own:
                return self._own[word]
            if word in Vocabulary:
                return Vocabulary[word]
            for prefix, tens in _PREFIXES.items():
                rest = word.removeprefix(prefix)
                if rest == word:
                    continue
                if not rest:
                    return UnitValue.of((), tens)
                base = self._own.get(rest) or Vocabulary.get(rest)
                if base is not None:
                    return base * UnitValue.of((), tens)
        raise EquationError(f"'{name}' in '({text})' is no unit; define it in UNITS, as in (mV) = (millivolt)")


@dataclass(frozen=True)
class Constant:
    """A constant of the UNITS block.

    Parameters
    ----------
    value : float
        In its unit.
    unit : UnitValue
        Its unit; of Faraday's and the gas constant one per mole.
    name : str
        What equations know it by (``faraday_constant``, ``gas_constant``, ``pi``); empty for others.
    """

    value: float
    unit: UnitValue
    name: str = ""


_PHYSICAL: Mapping[str, tuple[str, Quantity | float]] = {
    "faraday": ("faraday_constant", faraday_constant), "e-mole": ("faraday_constant", faraday_constant),
    "k-mole": ("gas_constant", gas_constant), "mole-k": ("gas_constant", gas_constant),
    "R": ("gas_constant", gas_constant), "gasconstant": ("gas_constant", gas_constant), "pi": ("pi", math.pi),
    "k": ("", boltzmann_constant), "boltzmann": ("", boltzmann_constant), "e": ("", elementary_charge),
    "mole": ("", 6.02214076e23), "c": ("", Quantity(299792458.0, (Vocabulary["m"] / Vocabulary["s"]).dimension)),
}  # fmt: skip

#: Units of what NEURON gives to every mechanism, whatever the file says.
STANDARD: Mapping[str, UnitValue] = {
    name: UnitTable().unit(text) for name, text in (
        ("v", "mV"), ("t", "ms"), ("dt", "ms"), ("celsius", "degC"), ("area", "um2"), ("diam", "um"),
    )
}  # fmt: skip


# --- spelling -------------------------------------------------------------------------------------------------------

# Names of what equations know and their power of ten, the most usual first.
_SPELLINGS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "volt": (("mV", -3), ("volt", 0), ("uvolt", -6)),
    "amp": (("mA", -3), ("nA", -9), ("uA", -6), ("pA", -12), ("amp", 0)),
    "siemens": (("siemens", 0), ("mS", -3), ("uS", -6), ("nS", -9), ("psiemens", -12)),
    "ohm": (("ohm", 0), ("Mohm", 6), ("kohm", 3), ("Gohm", 9)),
    "farad": (("uF", -6), ("nF", -9), ("pF", -12), ("farad", 0)),
    "coulomb": (("coulomb", 0), ("kcoulomb", 3), ("ucoulomb", -6), ("ncoulomb", -9), ("pcoulomb", -12)),
    "joule": (("joule", 0), ("mjoule", -3), ("kjoule", 3)),
    "second": (("ms", -3), ("second", 0), ("us", -6)),
    "long": (("um", -6), ("cm", -2), ("metre", 0), ("mm", -3), ("nmetre", -9)),
    "per length": (("cm", -2), ("um", -6), ("metre", 0), ("mm", -3), ("nmetre", -9)),
    "molar": (("mM", 0), ("uM", -3), ("nM", -6), ("molar", 3)),
    "mole": (("mole", 0), ("umole", -6), ("nmole", -9)),
    "kelvin": (("kelvin", 0),),
    "candle": (("candle", 0),),
}


@lru_cache(maxsize=1024)
def _split(code: Rational) -> tuple[UnitValue, tuple[str, ...], tuple[str, ...]]:
    digits = _digits(code)
    factors = _factors(digits)
    best: tuple[int, tuple[tuple[str, int], ...]] = (1 << 30, ())
    names: tuple[tuple[str, int], ...]
    for cost, names in _choices([_SPELLINGS[kind] for kind, _ in factors]):
        tens = sum(ten * power for (_, ten), (_, power) in zip(names, factors))
        if tens == digits[_TENS] and cost < best[0]:
            best = (cost, names)
    chosen = best[1] or tuple(_SPELLINGS[kind][0] for kind, _ in factors)
    left = digits[_TENS] - sum(ten * power for (_, ten), (_, power) in zip(chosen, factors))
    factor = UnitValue(tidy(left * _WEIGHTS[_TENS] + digits[_REST] * _WEIGHTS[_REST]))
    above = tuple(_powered(name, power) for (name, _), (_, power) in zip(chosen, factors) if power > 0)
    below = tuple(_powered(name, -power) for (name, _), (_, power) in zip(chosen, factors) if power < 0)
    return factor, above, below


def _choices(rows: list[tuple[tuple[str, int], ...]]) -> Iterable[tuple[int, tuple[tuple[str, int], ...]]]:
    """One of each row in every way, with the sum of their places."""
    if not rows:
        yield 0, ()
        return
    for cost, rest in _choices(rows[1:]):
        for place, name in enumerate(rows[0]):
            yield cost + place, (name, *rest)


def _factors(digits: tuple[Rational, ...]) -> list[tuple[str, Rational]]:
    """The electrical units, times and lengths that make a unit, as pairs of kind and power."""
    length, mass, time, current, kelvin, mole, candle = digits[:_BASES]
    volt = mass  # kilogram = volt amp second**3/metre**2
    length, time, current = length - 2 * mass, time + 3 * mass, current + mass
    found: list[tuple[str, Rational]] = []
    if volt and current == -volt:
        if time == current:
            found.append(("farad", current))
            time = 0
        else:
            found.append(("siemens", current) if current > 0 else ("ohm", -current))
    elif volt and current == volt == time:
        found.append(("joule", volt))
        time = 0
    elif current and time == current and not volt:
        found.append(("coulomb", current))
        time = 0
    else:
        found.extend((("amp", current), ("volt", volt)))
    if mole and (length == -3 * mole or abs(length + 3 * mole) < abs(length) - 2 * abs(mole)):
        found.append(("molar", mole))
        mole, length = 0, length + 3 * mole
    found.extend((("mole", mole), ("long" if length > 0 else "per length", length)))
    found.extend((("second", time), ("kelvin", kelvin), ("candle", candle)))
    return [(kind, power) for kind, power in found if power]


def _powered(name: str, power: Rational) -> str:
    if power == 1:
        return name
    if power.denominator == 1:
        return f"{name}**{power}"
    decimal = Fraction(repr(float(power))) == power
    return f"{name}**{float(power)!r}" if decimal else f"{name}**({power.numerator}/{power.denominator})"
