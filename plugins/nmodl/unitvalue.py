"""A unit as one number.

The exponents of a unit's bases are the digits of a whole number, its code.  Products of units are sums of codes and
whole powers are multiples, which makes the inference of units (see `rall.plugins.nmodl.inference`) fast and exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from rall.plugins.nmodl.spelling import Rational, spell, tidy
from rall.units import Quantity
from rall.units.dimension import Dimension

__all__ = ["ONE", "UnitValue", "negligible", "scaled_code"]

# Digits of a code, lowest first: seven SI bases, the power of ten, and the rest of the scale.  Digits are signed and
# count parts of `_PARTS`, so that roots and the powers that files have (4.8, say) are whole numbers too.
_DIGIT = 1 << 128
_HALF = _DIGIT >> 1
_PARTS = 2**10 * 3**4 * 5**10 * 7 * 11 * 13
_USUAL = 2520  # exponents that rounding put beside a multiple of 1/2520 are that
_TOLERANCE = Fraction(1, 10**9)
_BASES, _TENS, _REST = 7, 7, 8
_WEIGHTS = tuple(_PARTS * _DIGIT**place for place in range(9))
_FINE = 1 << 50  # the rest of a scale is its decimal logarithm in steps of this fraction
_ROUNDED = 14  # digits of scales that are no powers of ten: 60, not 60.00000000000003


@dataclass(frozen=True, slots=True)
class UnitValue:
    """A unit of measurement: exponents of metre, kilogram, second, amp, kelvin, mole, candle, and a scale.

    Parameters
    ----------
    code : int
        The exponents as one number; `UnitValue.of` makes it.  Codes add where units multiply.
    """

    code: int

    @classmethod
    def of(cls, exponents: Iterable[int], tens: int = 0, scale: Fraction = Fraction(1)) -> UnitValue:
        """A unit from its parts.

        Parameters
        ----------
        exponents : iterable of int
            Of the SI bases, in the order of `rall.units.dimension.BASE_UNITS`; those left out are 0.
        tens : int
            The power of ten that it is in SI units.
        scale : Fraction
            A factor besides, above 0.
        """
        more, rest = _logarithm(scale)
        code = sum(exponent * weight for exponent, weight in zip(exponents, _WEIGHTS))
        return cls(code + (tens + more) * _WEIGHTS[_TENS] + rest * _WEIGHTS[_REST])

    def __mul__(self, other: UnitValue) -> UnitValue:
        return UnitValue(self.code + other.code)

    def __truediv__(self, other: UnitValue) -> UnitValue:
        return UnitValue(self.code - other.code)

    def __pow__(self, power: Rational) -> UnitValue:
        return UnitValue(scaled_code(self.code, power))

    @property
    def exponents(self) -> tuple[Rational, ...]:
        """Of metre, kilogram, second, amp, kelvin, mole, candle."""
        return _digits(self.code)[:_BASES]

    @property
    def dimension(self) -> Dimension:
        """What kind of quantity it measures; ``str`` of it is the unit that a line of equations ends in."""
        return Dimension(float(exponent) for exponent in self.exponents)

    @property
    def is_plain(self) -> bool:
        """Whether it is the unit of plain numbers, without a scale."""
        return self.code == 0

    @property
    def is_dimensionless(self) -> bool:
        """Whether it is a number, perhaps one like percent."""
        return not any(self.exponents)

    @property
    def scale(self) -> float:
        """One of this unit in SI units."""
        return self._times(Decimal(1))

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
        return Quantity(self._times(Decimal(repr(float(value)))), self.dimension)

    def halves(self) -> tuple[int, int]:
        """The codes of its dimension and of its scale, of which its own is the sum.

        Returns
        -------
        tuple of (int, int)
        """
        dimension = (self.code + _HALF * _LOW_HALVES) % _SCALES - _HALF * _LOW_HALVES
        return dimension, self.code - dimension

    def split(self) -> tuple[UnitValue, tuple[str, ...], tuple[str, ...]]:
        """How equations spell it.

        Returns
        -------
        tuple of (UnitValue, tuple of str, tuple of str)
            A dimensionless factor, the factors above the fraction bar, and those below it.
        """
        digits = _digits(self.code)
        tens, above, below = spell(digits[:_BASES], digits[_TENS])
        rest = round(digits[_REST] * _WEIGHTS[_REST])
        return UnitValue(round(tens * _WEIGHTS[_TENS]) + rest), above, below

    def times(self, text: str) -> str:
        """The text of an equation for a number in this unit.

        Parameters
        ----------
        text : str
            Of the number, as the user wrote it; kept if the names of the unit need no factor.

        Returns
        -------
        str
            Such as ``55*mV`` or ``0.01/ms/mV``: a product, or a number alone.
        """
        factor, above, below = self.split()
        if factor.code:
            text = repr(factor._times(Decimal(text))).removesuffix(".0")
        return text + "".join("*" + name for name in above) + "".join("/" + name for name in below)

    def _times(self, number: Decimal) -> float:
        """A number times the scale; rounded once where the scale is a power of ten."""
        tens, rest = _digits(self.code)[_TENS:]
        if not rest and isinstance(tens, int):
            return float(number.scaleb(tens))
        return float(f"{float(number) * 10.0 ** float(tens + Fraction(rest) / _FINE):.{_ROUNDED}g}")

    def __str__(self) -> str:
        return self.times("1").removeprefix("1*")


#: The unit of plain numbers.
ONE = UnitValue(0)

_SCALES = _DIGIT**_TENS
_LOW_HALVES = sum(_DIGIT**place for place in range(_BASES))


def scaled_code(code: int, power: Rational) -> int:
    """The code of a power of a unit.

    Parameters
    ----------
    code : int
        Of the unit.
    power : int or Fraction
        The exponent.

    Returns
    -------
    int
        Exponents that digits of a code cannot express are rounded.
    """
    if power.denominator == 1:
        return code * power.numerator
    return sum(_parts(digit * power) * _DIGIT**place for place, digit in enumerate(_digits(code)))


def negligible(code: int) -> bool:
    """Whether a unit is the unit of plain numbers up to rounding of exponents.

    Parameters
    ----------
    code : int
        Of the unit.

    Returns
    -------
    bool
    """
    *exponents, rest = _digits(code)
    return all(abs(Fraction(exponent)) < _TOLERANCE for exponent in (*exponents, Fraction(rest) / _FINE))


def _parts(exponent: Rational) -> int:
    """An exponent as a digit of a code."""
    parts = exponent * _PARTS
    if parts.denominator == 1:
        return parts.numerator
    usual = Fraction(round(exponent * _USUAL), _USUAL)
    return round((usual if abs(Fraction(exponent - usual)) < _TOLERANCE else exponent) * _PARTS)


@lru_cache(maxsize=4096)
def _digits(code: int) -> tuple[Rational, ...]:
    found: list[Rational] = []
    for _ in range(_REST):
        digit = (code + _HALF) % _DIGIT - _HALF
        code = (code - digit) // _DIGIT
        found.append(tidy(Fraction(digit, _PARTS)))
    return (*found, tidy(Fraction(code, _PARTS)))


@lru_cache(maxsize=256)
def _logarithm(scale: Fraction) -> tuple[int, int]:
    """The power of ten in a scale, and the logarithm of the rest, the same sum for whatever has the same factors."""
    fives = twos = rest = 0
    for number, sign in ((scale.numerator, 1), (scale.denominator, -1)):
        while number % 2 == 0:
            number, twos = number // 2, twos + sign
        while number % 5 == 0:
            number, fives = number // 5, fives + sign
        for prime in (3, 7, 11, 13):
            while number % prime == 0:
                number //= prime
                rest += sign * round(math.log10(prime) * _FINE)
        rest += sign * round(math.log10(number) * _FINE)
    return fives, rest + (twos - fives) * round(math.log10(2) * _FINE)
