"""The vocabulary of units: every prefix with every unit, made when first asked for."""

from __future__ import annotations

from collections.abc import Iterator

from rall.units.dimension import DIMENSIONLESS, Dimension, telling_factors
from rall.units.display import best_spelling, magnitude_of, register_spelling, spell_parts
from rall.units.quantity import Quantity, split
from rall.units.si import BASES, PREFIXES, SHORTCUTS, split_name
from rall.units.unit import Unit, unit_of_spelling

__all__ = ["all_names", "get_best_unit", "get_unit", "lookup", "named_units", "register_new_unit"]

_made: dict[str, Unit] = {}


def lookup(name: str) -> Unit | None:
    """The unit of this name.

    Parameters
    ----------
    name : str
        Long (``'mvolt'``, ``'cmetre2'``) or short (``'mV'``), as in `rall.units.allunits`.

    Returns
    -------
    Unit or None
        Always the same object for one name; None if there is no such unit.
    """
    try:
        return _made[name]
    except KeyError:
        pass
    unit = lookup(SHORTCUTS[name]) if name in SHORTCUTS else _build(name)
    if unit is not None:
        _made[name] = unit
    return unit


def named_units(names: str) -> Iterator[Unit]:
    """Several units at once.

    Parameters
    ----------
    names : str
        Names with blanks between them.

    Yields
    ------
    Unit
    """
    for name in names.split():
        unit = lookup(name)
        if unit is None:
            raise NameError(f"there is no unit {name!r}")
        yield unit


def all_names() -> tuple[str, ...]:
    """The names of all units: with and without prefix, squares and cubes, and the short ones.

    Returns
    -------
    tuple of str
    """
    plain = [p + b.name for b in BASES.values() for p in ("", *(PREFIXES if b.prefixed else ()))]
    return (*plain, *(f"{n}{power}" for n in plain for power in (2, 3)), *SHORTCUTS)


def get_unit(dim: Dimension) -> Unit:
    """The SI unit of a dimension.

    Parameters
    ----------
    dim : Dimension
        Such as that of `volt`.

    Returns
    -------
    Unit
        With the value 1.
    """
    parts = tuple((name, BASES[name].symbol, float(power)) for name, power in telling_factors(dim))
    return unit_of_spelling(spell_parts(parts, 0), dim)


def get_best_unit(quantity: Quantity) -> Unit:
    """The unit in which a quantity is shown.

    Parameters
    ----------
    quantity : Quantity
        A scalar or an array, for which the largest value decides.

    Returns
    -------
    Unit
    """
    value, dim = split(quantity)
    if dim is DIMENSIONLESS:
        return get_unit(dim)
    return unit_of_spelling(best_spelling(dim, magnitude_of(value)), dim)


def register_new_unit(unit: Unit) -> None:
    """Let quantities of the unit's dimension be shown in this unit.

    Parameters
    ----------
    unit : Unit
        Such as ``pfarad/mmetre**2``.
    """
    register_spelling(unit.spelling, unit.dim)


def _build(name: str) -> Unit | None:
    found = split_name(name)
    if found is None:
        return None
    prefix, base, power = found
    scale = base.scale + (PREFIXES[prefix] if prefix else 0)
    unit = Unit.create(base.dim, prefix + base.name, prefix + base.symbol, scale=scale)
    return unit if power == 1 else unit**power
