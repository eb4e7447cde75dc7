"""The units that a file defines, as far as they can be understood."""

from __future__ import annotations

from collections.abc import Callable

from rall.errors import EquationError
from rall.plugins.nmodl.syntax import Place, Program, Unit
from rall.plugins.nmodl.units import ONE, UnitTable

__all__ = ["MILLIMOLAR", "is_species", "units_of"]

MILLIMOLAR = UnitTable().unit("mM").dimension


def units_of(program: Program, unknown: Callable[[EquationError, Place], None]) -> UnitTable:
    """The units of a file.

    Parameters
    ----------
    program : Program
        The file.
    unknown : callable
        Is told what cannot be understood, and where; that definition is then left out.
    """
    try:
        return UnitTable(program.units)
    except EquationError:
        pass  # which of them it is comes out one by one
    good: list[Unit] = []
    for line in program.units:
        try:
            UnitTable([*good, line])
        except EquationError as error:
            unknown(error, line.at)
        else:
            good.append(line)
    return UnitTable(good)


def is_species(table: UnitTable, text: str | None) -> bool:
    """Whether something in this unit is a species of reactions: a concentration, or a plain number.

    Parameters
    ----------
    table : UnitTable
        Of the file.
    text : str or None
        The unit's text; None for none.
    """
    try:
        unit = table.unit(text) if text is not None else ONE
    except EquationError:
        return False
    return unit.is_dimensionless or unit.dimension is MILLIMOLAR
