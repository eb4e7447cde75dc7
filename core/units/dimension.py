"""Dimensions: products of powers of the seven SI base dimensions, one object for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

__all__ = ["BASE_UNITS", "DIMENSIONLESS", "Dimension", "get_or_create_dimension", "join_powers"]

#: Names of the SI base units, in the order of the exponents of a `Dimension`.
BASE_UNITS = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candle")

# Spellings of each base dimension that `get_or_create_dimension` takes as keywords.
_SPELLINGS = (
    ("length", "metre", "metres", "meter", "meters", "m"),
    ("mass", "kilogram", "kilograms", "kg"),
    ("time", "second", "seconds", "s"),
    ("current", "electric current", "ampere", "amperes", "amp", "amps", "A"),
    ("temperature", "kelvin", "kelvins", "K"),
    ("substance", "quantity of substance", "mole", "moles", "mol"),
    ("luminosity", "candle", "candles", "cd"),
)
_POSITIONS = {word: place for place, words in enumerate(_SPELLINGS) for word in words}

# Derived units that messages may name.  Units that share a dimension with a more telling spelling
# (weber for volt second, gray for metre**2/second**2, becquerel for hertz) are left out on purpose.
_TELLING = {
    "volt": (2, 1, -3, -1),
    "ohm": (2, 1, -3, -2),
    "siemens": (-2, -1, 3, 2),
    "farad": (-2, -1, 4, 2),
    "coulomb": (0, 0, 1, 1),
    "hertz": (0, 0, -1),
    "joule": (2, 1, -2),
    "newton": (1, 1, -2),
    "pascal": (-1, 1, -2),
    "watt": (2, 1, -3),
    "henry": (2, 1, -2, -2),
}
_TOLERANCE = 1e-9  # exponents near a multiple of 1/12 are that, so that powers of roots meet again
_PLACES = 10  # of other exponents, so that 3*4.8 is 14.4


class Dimension:
    """The dimension of a quantity: the exponents of metre, kilogram, second, amp, kelvin, mole, candle.

    Dimensions are interned and immutable: equal dimensions are the same object, so compare with ``is``.
    Make one with `get_or_create_dimension` or by arithmetic.

    Parameters
    ----------
    exponents : tuple of float
        The seven exponents.
    """

    __slots__ = ("_powers", "_products", "_quotients", "_text", "exponents")
    exponents: tuple[float, ...]
    _products: dict[Dimension, Dimension]
    _quotients: dict[Dimension, Dimension]
    _powers: dict[float, Dimension]
    _text: str

    def __new__(cls, exponents: Iterable[float]) -> Dimension:
        """The one object with these exponents."""
        key = tuple(_tidy(x) for x in exponents)
        if len(key) != len(BASE_UNITS):
            raise ValueError(f"a dimension has {len(BASE_UNITS)} exponents {BASE_UNITS}, not {len(key)}")
        known = _KNOWN.get(key)
        if known is None:
            known = object.__new__(cls)
            set_slot = object.__setattr__
            set_slot(known, "exponents", key)
            for slot in ("_products", "_quotients", "_powers"):
                set_slot(known, slot, {})
            set_slot(known, "_text", "")
            known = _KNOWN.setdefault(key, known)
        return known

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Dimension cannot be changed")

    @property
    def is_dimensionless(self) -> bool:
        """Whether all exponents are zero."""
        return self is DIMENSIONLESS

    @property
    def dim(self) -> Dimension:
        """The dimension itself, so that dimensions and quantities can be asked alike."""
        return self

    def get_dimension(self, name: str) -> float:
        """The exponent of one base dimension.

        Parameters
        ----------
        name : str
            Any of the spellings of `get_or_create_dimension`, such as ``'length'`` or ``'m'``.
        """
        return self.exponents[_position(name)]

    def __mul__(self, other: Dimension) -> Dimension:
        try:
            return self._products[other]
        except (KeyError, TypeError):
            if not isinstance(other, Dimension):
                return NotImplemented
        result = Dimension(a + b for a, b in zip(self.exponents, other.exponents))
        self._products[other] = result
        return result

    def __truediv__(self, other: Dimension) -> Dimension:
        try:
            return self._quotients[other]
        except (KeyError, TypeError):
            if not isinstance(other, Dimension):
                return NotImplemented
        result = Dimension(a - b for a, b in zip(self.exponents, other.exponents))
        self._quotients[other] = result
        return result

    def __pow__(self, power: float) -> Dimension:
        try:
            return self._powers[power]
        except KeyError:
            result = Dimension(a * power for a in self.exponents)
            self._powers[power] = result
            return result

    def __str__(self) -> str:
        if not self._text:
            object.__setattr__(self, "_text", _spell(self))
        return self._text

    def __repr__(self) -> str:
        return f"get_or_create_dimension({self.exponents})"

    def __reduce__(self) -> tuple[object, ...]:
        return (get_or_create_dimension, (self.exponents,))

    def __copy__(self) -> Dimension:
        return self

    def __deepcopy__(self, memo: object) -> Dimension:
        return self


def get_or_create_dimension(exponents: Sequence[float] | None = None, /, **named: float) -> Dimension:
    """The dimension with these exponents.

    Parameters
    ----------
    exponents : sequence of seven floats, optional
        Exponents of metre, kilogram, second, amp, kelvin, mole, candle.
    **named : float
        Instead: exponents by name: ``length``, ``mass``, ``time``, ``current``, ``temperature``,
        ``substance``, ``luminosity``, or a base unit or its symbol (``metre=1``, ``kg=1``, ``s=-2``).

    Returns
    -------
    Dimension

    Examples
    --------
    >>> str(get_or_create_dimension(length=2, mass=1, time=-3, current=-1))
    'volt'
    """
    if exponents is not None:
        if named:
            raise TypeError("give either seven exponents or named ones, not both")
        return Dimension(exponents)
    values = [0.0] * len(BASE_UNITS)
    for name, value in named.items():
        values[_position(name)] += value
    return Dimension(values)


def join_powers(parts: Iterable[tuple[str, float]], times: str, power: str) -> str:
    """Spell a product of powers, denominators last: ``siemens/metre**2``.

    Parameters
    ----------
    parts : iterable of (str, float)
        Names and their exponents.
    times : str
        What stands between two numerators.
    power : str
        What stands between a name and an exponent other than 1.  If empty, whole exponents are glued on
        (``cm2``) and others follow a ``^``.

    Returns
    -------
    str
        Empty if there are no parts.  Without numerators it begins with ``/``.
    """

    def one(name: str, exponent: float) -> str:
        if exponent == 1:
            return name
        whole = float(exponent).is_integer()
        return f"{name}{power or ('' if whole else '^')}{exponent:g}"

    parts = list(parts)
    above = times.join(one(name, e) for name, e in parts if e > 0)
    return above + "".join("/" + one(name, -e) for name, e in parts if e < 0)


def telling_factors(dim: Dimension) -> tuple[tuple[str, float], ...]:
    """Names and exponents of units whose product has this dimension, as few as possible.

    Parameters
    ----------
    dim : Dimension
        What to spell.

    Returns
    -------
    tuple of (str, float)
        At most one derived unit (first), then base units.
    """
    best: tuple[float, tuple[tuple[str, float], ...]] = (len(BASE_UNITS) + 1.0, ())
    for (name, short), power in product((("", ()), *_TELLING.items()), (1, -1, 2, -2, 0.5, 3)):
        if not name and power != 1:
            continue
        exponents = (*short, *([0] * (len(BASE_UNITS) - len(short))))
        rest = [_tidy(d - power * e) for d, e in zip(dim.exponents, exponents)]
        base = [(unit, e) for unit, e in zip(BASE_UNITS, rest) if e]
        cost = len(base) + (0.0 if not name else 1.1 + 0.15 * abs(power - 1))
        if name and not base and power == 1:
            cost = 0.5  # a unit of its own, such as hertz, beats second**-1
        if cost < best[0]:
            best = (cost, ((name, power), *base) if name else tuple(base))
    return best[1]


def _spell(dim: Dimension) -> str:
    parts = telling_factors(dim)
    if not parts:
        return "1"
    if any(power > 0 for _, power in parts):
        return join_powers(parts, "*", "**")
    return "*".join(f"{name}**{power:g}" for name, power in parts)


def _tidy(exponent: float) -> float:
    twelfths = round(exponent * 12)
    if abs(exponent * 12 - twelfths) < _TOLERANCE:
        return twelfths // 12 if twelfths % 12 == 0 else twelfths / 12
    return round(float(exponent), _PLACES)


def _position(name: str) -> int:
    if name not in _POSITIONS:
        known = ", ".join(words[0] for words in _SPELLINGS)
        raise ValueError(f"there is no base dimension {name!r}; there are {known}")
    return _POSITIONS[name]


_KNOWN: dict[tuple[float, ...], Dimension] = {}

#: The dimension of plain numbers.
DIMENSIONLESS = Dimension((0,) * len(BASE_UNITS))
