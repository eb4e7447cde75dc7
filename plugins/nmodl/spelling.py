"""How equations spell a unit: the electrical units, times and lengths of the field, with the prefixes that fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

__all__ = ["Rational", "Spelling", "spell", "tidy"]

#: A rational number; whole ones are ints, which are faster.
Rational: TypeAlias = int | Fraction
#: What is left of the power of ten, the factors above the fraction bar, and those below it.
Spelling: TypeAlias = tuple[Rational, tuple[str, ...], tuple[str, ...]]

# Names that equations know and their power of ten, the most usual first.
_NAMES: Mapping[str, tuple[tuple[str, int], ...]] = {
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
def spell(exponents: tuple[Rational, ...], tens: Rational) -> Spelling:
    """The names whose product is a unit.

    Parameters
    ----------
    exponents : tuple of int or Fraction
        Of metre, kilogram, second, amp, kelvin, mole, candle.
    tens : int or Fraction
        Its power of ten in SI units.

    Returns
    -------
    tuple of (int or Fraction, tuple of str, tuple of str)
        The power of ten that the names leave, those above the fraction bar and those below it.

    Examples
    --------
    >>> spell((-2, 0, 0, 1, 0, 0, 0), 1)
    (0, ('mA',), ('cm**2',))
    """
    factors = _factors(exponents)
    cost, chosen = 1 << 30, tuple(_NAMES[kind][0] for kind, _ in factors)
    for more, names in _choices([_NAMES[kind] for kind, _ in factors]):
        if more < cost and _tens_of(names, factors) == tens:
            cost, chosen = more, names
    named = [(name, power) for (name, _), (_, power) in zip(chosen, factors)]
    above = [_powered(name, power) for name, power in named if power > 0]
    below = [_powered(name, -power) for name, power in named if power < 0]
    if not above:
        below.reverse()  # 1/ms/mV
    return tidy(tens - _tens_of(chosen, factors)), tuple(above), tuple(below)


def tidy(number: Rational) -> Rational:
    """A whole number as an int.

    Parameters
    ----------
    number : int or Fraction
        Any.

    Returns
    -------
    int or Fraction
    """
    return number.numerator if number.denominator == 1 else number


def _tens_of(names: Sequence[tuple[str, int]], factors: Sequence[tuple[str, Rational]]) -> Rational:
    total: Rational = 0
    for (_, tens), (_, power) in zip(names, factors):
        total += tens * power
    return total


def _choices(rows: list[tuple[tuple[str, int], ...]]) -> Iterable[tuple[int, tuple[tuple[str, int], ...]]]:
    """One of each row in every way, with the sum of their places."""
    if not rows:
        yield 0, ()
        return
    for cost, rest in _choices(rows[1:]):
        for place, name in enumerate(rows[0]):
            yield cost + place, (name, *rest)


def _factors(exponents: tuple[Rational, ...]) -> list[tuple[str, Rational]]:
    """The electrical units, times and lengths that make a unit, as pairs of kind and power."""
    length, volt, time, current, kelvin, mole, candle = exponents
    # kilogram = volt amp second**3/metre**2
    length, time, current = length - 2 * volt, time + 3 * volt, current + volt
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
    if mole and (2 * length + 5 * mole) * mole <= 0:  # nearer to a power of mole/metre**3 than to one of mole
        found.append(("molar", mole))
        length += 3 * mole
        mole = 0
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
