"""Every unit by name: all prefixes with all units, their squares and cubes, made when first used.

>>> from rall.units.allunits import fcoulomb, nmetre3
"""

from __future__ import annotations

from rall.units.table import all_names, lookup
from rall.units.unit import Unit

__all__ = list(all_names())


def __getattr__(name: str) -> Unit:
    unit = lookup(name)
    if unit is None:
        raise AttributeError(f"there is no unit {name!r} in {__name__}")
    return unit


def __dir__() -> list[str]:
    return __all__
