"""Units: quantities with a name, so that products of units keep readable names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from rall.units.dimension import DIMENSIONLESS, Dimension
from rall.units.display import Spelling, latex_unit, spell_parts
from rall.units.quantity import Quantity
from rall.units.si import PREFIXES, power_of_ten

__all__ = ["Unit", "unit_of_spelling"]

_new = object.__new__
_Parts = tuple[tuple[str, str, float], ...]


class Unit(Quantity):
    """A unit of measurement: one quantity with a name.

    The product, quotient and power of units are units, a number times a unit is a `Quantity`.

    Parameters
    ----------
    value : float
        The unit in SI base units.
    dim : Dimension
        Its dimension.
    name : str
        Name in Python, such as ``'mvolt'``.
    dispname : str, optional
        What people read, such as ``'mV'``; the name if left out.
    """

    __slots__ = ("_factor", "parts", "scale")
    parts: _Parts
    scale: float
    _factor: float

    def __init__(
        self, value: float, dim: Dimension = DIMENSIONLESS, name: str = "", dispname: str = ""
    ) -> None:
        super().__init__(float(value), dim)
        scale = np.log10(value)
        parts = ((name, dispname or name, 1.0),) if name else ()
        whole = power_of_ten(round(scale)) == value
        self.parts, self.scale = parts, float(round(scale)) if whole else 0.0
        self._factor = 1.0 if whole else float(value)

    @staticmethod
    def create(
        dim: Dimension, name: str, dispname: str, latexname: str | None = None, scale: float = 0
    ) -> Unit:
        """A new named unit that is a power of ten of the SI unit.

        Parameters
        ----------
        dim : Dimension
            Its dimension.
        name, dispname : str
            Its name in Python and for people.
        latexname : str, optional
            Accepted for compatibility; LaTeX is written from `dispname`.
        scale : float
            The power of ten: -3 for a milli-unit.

        Returns
        -------
        Unit
        """
        return _make(dim, ((name, dispname, 1.0),), scale, 1.0)

    @staticmethod
    def create_scaled_unit(baseunit: Unit, scalefactor: str) -> Unit:
        """A unit with a prefix.

        Parameters
        ----------
        baseunit : Unit
            Such as `volt`.
        scalefactor : str
            A prefix, such as ``'m'``.

        Returns
        -------
        Unit
        """
        from_prefix = PREFIXES[scalefactor]
        names = (scalefactor + baseunit.name, scalefactor + baseunit.dispname, 1.0)
        return _make(baseunit.dim, (names,), baseunit.scale + from_prefix, baseunit._factor)

    @property
    def name(self) -> str:
        """Name in Python: ``mvolt``, ``cmetre2``, ``msiemens/cmetre**2``."""
        if len(self.parts) == 1 and self.parts[0][2] in (2, 3):
            return f"{self.parts[0][0]}{self.parts[0][2]:g}"
        return self.spelling.name

    @property
    def dispname(self) -> str:
        """What people read: ``mV``, ``cm2``, ``mS/cm2``."""
        return self.spelling.symbol

    @property
    def latexname(self) -> str:
        """The unit in LaTeX, for use in mathematics mode."""
        return latex_unit(self.parts)

    @property
    def spelling(self) -> Spelling:
        """How the unit is written."""
        return spell_parts(self.parts, self.scale, self.value)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Unit) and self.dim * other.dim is not DIMENSIONLESS:
            return _make(self.dim * other.dim, _join(self.parts, other.parts), self.scale + other.scale,
                         self._factor * other._factor)  # fmt: skip
        return Quantity.__mul__(self, other)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Unit) and other.dim is not self.dim:
            return _make(self.dim / other.dim, _join(self.parts, other.parts, -1.0), self.scale - other.scale,
                         self._factor / other._factor)  # fmt: skip
        return Quantity.__truediv__(self, other)

    def __pow__(self, power: Any) -> Any:
        if isinstance(power, (int, float)) and power != 0:
            return _make(
                self.dim**power, _raise_parts(self.parts, power), self.scale * power, self._factor**power
            )
        return Quantity.__pow__(self, power)

    def __str__(self) -> str:
        return self.dispname or "1"

    def __repr__(self) -> str:
        return self.spelling.name or "Unit(1)"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_make, (self.dim, self.parts, self.scale, self._factor))

    def __copy__(self) -> Unit:
        return self

    def __deepcopy__(self, memo: object) -> Unit:
        return self


def unit_of_spelling(spelling: Spelling, dim: Dimension) -> Unit:
    """The unit that a spelling describes.

    Parameters
    ----------
    spelling : Spelling
        As chosen for display.
    dim : Dimension
        Its dimension.

    Returns
    -------
    Unit
    """
    return _make(dim, spelling.parts, spelling.scale, 1.0)


def _make(dim: Dimension, parts: _Parts, scale: float, factor: float) -> Unit:
    made = _new(Unit)
    made.dim = dim
    made.value = power_of_ten(scale) if factor == 1.0 else factor * power_of_ten(scale)
    made.parts, made.scale, made._factor = parts, scale, factor
    return made


@lru_cache(maxsize=1024)
def _join(left: _Parts, right: _Parts, sign: float = 1.0) -> _Parts:
    """The parts of a product (or quotient, if `sign` is -1): powers of the same unit add up."""
    powers = {(name, shown): power for name, shown, power in left}
    for name, shown, power in right:
        powers[name, shown] = powers.get((name, shown), 0.0) + sign * power
    return tuple((name, shown, power) for (name, shown), power in powers.items() if power)


@lru_cache(maxsize=1024)
def _raise_parts(parts: _Parts, power: float) -> _Parts:
    return tuple((name, shown, exponent * power) for name, shown, exponent in parts)
