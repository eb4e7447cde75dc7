"""Linear equations between unknown units, solved one after the other.

An unknown unit is an unknown vector of exponents; equations between products and powers of units are linear in these.
What the equations leave open gets no unit, and which unknowns carry a unit follows their rank: a variable rather than
a number, a number like 0.12 rather than one like 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from rall.plugins.nmodl.spelling import Rational, tidy
from rall.plugins.nmodl.unitvalue import UnitValue, negligible, scaled_code

__all__ = ["PLAIN", "Product", "System", "Unknown"]

#: A variable by its name, or a number by its formula and the id of its node.
Unknown: TypeAlias = str | tuple[int, int]


class Product(NamedTuple):
    """A unit as a known one times powers of unknown ones.

    Parameters
    ----------
    code : int
        Of the known part; see `UnitValue`.
    powers : mapping of unknown to int or Fraction
        The exponents of the unknown parts.
    """

    code: int
    powers: Mapping[Unknown, Rational]

    def times(self, other: Product, sign: int = 1) -> Product:
        """The product with another unit, or with ``sign=-1`` the quotient.

        Parameters
        ----------
        other : Product
            The other.
        sign : int
            1 or -1.

        Returns
        -------
        Product
        """
        code = self.code + sign * other.code
        if not other.powers:
            return Product(code, self.powers)
        powers = dict(self.powers)
        for unknown, k in other.powers.items():
            k = powers.get(unknown, 0) + sign * k
            if k:
                powers[unknown] = k
            else:
                del powers[unknown]
        return Product(code, powers)

    def raised(self, power: Rational) -> Product:
        """A power of it.

        Parameters
        ----------
        power : int or Fraction
            The exponent.

        Returns
        -------
        Product
        """
        return Product(scaled_code(self.code, power), {key: tidy(k * power) for key, k in self.powers.items()})


_NONE: Mapping[Unknown, Rational] = MappingProxyType({})
#: The unit of plain numbers.
PLAIN = Product(0, _NONE)


class System:
    """Unknown units and what is known of them."""

    def __init__(self) -> None:
        self._ranks: dict[Unknown, tuple[int, int]] = {}
        self._solved: dict[Unknown, Product] = {}
        self._conversions: dict[Unknown, int] = {}
        self._supposed: dict[Unknown, int] = {}

    def suppose(self, key: Unknown, code: int) -> None:
        """Say what an unknown unit is, unless the equations say otherwise.

        Parameters
        ----------
        key : str or tuple
            What has it.
        code : int
            Of the unit; see `UnitValue`.
        """
        self._supposed[key] = code

    def unknown(self, key: Unknown, rank: int, conversion: int = 0) -> Product:
        """An unknown unit.

        Parameters
        ----------
        key : str or tuple
            What has it.
        rank : int
            How gladly it carries a unit: the lowest do so first.
        conversion : int
            The code of a scale that it has if that is just what an equation lacks.

        Returns
        -------
        Product
        """
        if key not in self._ranks:
            self._ranks[key] = (rank, len(self._ranks))
            if conversion:
                self._conversions[key] = conversion
        return Product(0, {key: 1})

    def equal(self, a: Product, b: Product) -> int:
        """Make two units equal.

        Parameters
        ----------
        a, b : Product
            The units.

        Returns
        -------
        int
            0, or the code of the unit by which the first differs from the second if they cannot be equal.
        """
        if not a.powers and not b.powers:
            code = a.code - b.code
            return 0 if code == 0 or negligible(code) else code
        code, powers = self.reduced(a.times(b, -1))
        if powers:
            pivot = min(powers, key=self._ranks.__getitem__)
            self._solved[pivot] = _solved_for(pivot, code, powers)
            return 0
        return 0 if code == 0 or negligible(code) else code

    def reduced(self, unit: Product) -> Product:
        """A unit without unknowns that are solved.

        Parameters
        ----------
        unit : Product
            Any.

        Returns
        -------
        Product
        """
        code = unit.code
        powers: dict[Unknown, Rational] = {}
        stack = list(unit.powers.items())
        while stack:
            key, k = stack.pop()
            known = self._solved.get(key)
            if known is None:
                k += powers.get(key, 0)
                if k:
                    powers[key] = tidy(k)
                else:
                    del powers[key]
            else:
                code += scaled_code(known.code, k)
                stack.extend((other, k * factor) for other, factor in known.powers.items())
        return Product(code, powers)

    def settle(self) -> dict[Unknown, UnitValue]:
        """Give every unknown its unit, and none to what the equations leave open.

        Returns
        -------
        dict of unknown to UnitValue
        """
        for key, code in self._supposed.items():
            if key in self._ranks:
                self.equal(Product(0, {key: 1}), Product(code, _NONE))
        rows: list[Product] = []
        for key, unit in self._solved.items():
            self._solved[key] = known = self.reduced(unit)
            if known.powers:
                rows.append(Product(known.code, {key: -1, **known.powers}))
        order = sorted({key for row in rows for key in row.powers}, key=self._ranks.__getitem__)
        # Dimensions and scales apart: a factor like 1e4 takes a scale, the variable beside it a dimension.
        halves = [UnitValue(row.code).halves() for row in rows]
        dimensions = [Product(half[0], row.powers) for half, row in zip(halves, rows)]
        scales = [Product(half[1], row.powers) for half, row in zip(halves, rows)]
        found = _solution(scales + self._fitting(scales), order)
        if not all(_holds(row, found) for row in scales):  # conversions that exclude each other
            found = _solution(scales, order)
        for key, code in _solution(dimensions, order).items():
            found[key] = found.get(key, 0) + code
        for key in order:
            self._solved[key] = Product(found.get(key, 0), _NONE)
        return {key: UnitValue(self.reduced(Product(0, {key: 1})).code) for key in self._ranks}

    def _fitting(self, rows: Sequence[Product]) -> list[Product]:
        """A row for each conversion that is just what a row about scales lacks."""
        more: dict[Unknown, Product] = {}
        for code, powers in rows:
            given = {key: self._conversions[key] for key in powers if key in self._conversions}
            for some in (*([key] for key in given), list(given)):  # each alone, then all together
                if some and code == -sum(scaled_code(given[key], powers[key]) for key in some):
                    more.update({key: Product(-given[key], {key: 1}) for key in some})
                    break
        return list(more.values())


def _solved_for(key: Unknown, code: int, powers: Mapping[Unknown, Rational]) -> Product:
    """An unknown by the others in ``code*product(powers) = 1``."""
    k = powers[key]
    if k in (1, -1):
        return Product(-code * int(k), {other: -c * int(k) for other, c in powers.items() if other != key})
    inverse = Fraction(-1) / k
    return Product(
        scaled_code(code, inverse), {other: tidy(c * inverse) for other, c in powers.items() if other != key}
    )


def _solution(rows: Sequence[Product], order: Sequence[Unknown]) -> dict[Unknown, int]:
    """A solution of all rows in which as many unknowns as possible have no unit, from the last in `order` on.

    Solving for the first unknowns wherever that is possible gives the greedy basis of a matroid: the unknowns that have
    a unit are among the first that can.  A row that contradicts others is left out.
    """
    if not any(row.code for row in rows):
        return {}
    left = list(rows)
    pivots: list[tuple[Unknown, Product]] = []
    for key in order:
        pivot = next((row for row in left if key in row.powers), None)
        if pivot is not None:
            pivots.append((key, pivot))
            left = [_without(row, key, pivot) if key in row.powers else row for row in left if row is not pivot]
    found: dict[Unknown, int] = {}
    for key, row in reversed(pivots):
        known = Product(row.code + _total(row, found), {key: row.powers[key]})
        found[key] = _solved_for(key, *known).code
    return found


def _total(row: Product, found: Mapping[Unknown, int]) -> int:
    return sum(scaled_code(found[key], k) for key, k in row.powers.items() if key in found)


def _holds(row: Product, found: Mapping[Unknown, int]) -> bool:
    return negligible(row.code + _total(row, found))


def _without(row: Product, key: Unknown, pivot: Product) -> Product:
    """A row without an unknown, by means of another row that has it."""
    ratio = tidy(Fraction(row.powers[key]) / pivot.powers[key])
    if ratio in (1, -1):
        return row.times(pivot, -int(ratio))
    return row.times(pivot.raised(ratio), -1)
