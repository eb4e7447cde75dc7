"""A mechanism as lines of equations whose units are still those of its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rall.plugins.nmodl.syntax import NOWHERE, Expression, Place, Program

__all__ = ["GIVEN", "RATE", "SPECIES", "STANDARD", "VALUE", "Draft", "DraftLine", "DraftPathway", "DraftReaction"]

RATE, VALUE, GIVEN, SPECIES = "differential equation", "subexpression", "parameter", "species declaration"

#: What every mechanism can read by the names of NMODL, and what equations call it.
STANDARD: Mapping[str, str] = {
    "v": "v", "t": "t", "dt": "dt", "celsius": "T - zero_celsius", "diam": "diameter", "area": "area", "L": "length",
}  # fmt: skip


@dataclass(frozen=True)
class DraftLine:
    """A line of equations before its units are known.

    Parameters
    ----------
    name : str
        rall's name of the variable.
    kind : str
        `RATE`, `VALUE`, `GIVEN` or `SPECIES`.
    expression : Expression or None
        The right-hand side in rall's names; names of `STANDARD` and of constants are the file's.
    flags : tuple of str
        Of the line.
    unit : str or None
        NMODL's text of the variable's unit; None if the file does not say.
    default : float, Expression or None
        What it starts with, in that unit; an expression is in rall's names.
    variable : str
        The file's name; empty for what is rall's own.
    limits : tuple of (float, float) or None
        Of a parameter.
    at : Place
        Where it stands in the file.
    """

    name: str
    kind: str
    expression: Expression | None
    flags: tuple[str, ...] = ()
    unit: str | None = None
    default: float | Expression | None = None
    variable: str = ""
    limits: tuple[float, float] | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class DraftReaction:
    """A reaction in rall's names.

    Parameters
    ----------
    left, right : tuple of (int, str)
        Coefficients and species.
    rates : tuple of Expression
        Forward, and backward if there is one.
    whole : bool
        Whether the rate is a flux and not a constant of mass action.
    at : Place
        Where it stands in the file.
    """

    left: tuple[tuple[int, str], ...]
    right: tuple[tuple[int, str], ...]
    rates: tuple[Expression, ...]
    whole: bool
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class DraftPathway:
    """What an event does.

    Parameters
    ----------
    name : str
        Of the pathway.
    statements : tuple of (str, Expression)
        Targets and right-hand sides, in order.
    interval : Expression or None
        How long after an event it happens, in ms and in the file's names; None for at once.
    at : Place
        Where it stands in the file.
    """

    name: str
    statements: tuple[tuple[str, Expression], ...]
    interval: Expression | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Draft:
    """A mechanism as lines.

    Parameters
    ----------
    program : Program
        The file.
    lines : tuple of DraftLine
        In the order of printing: currents, rates, values, parameters.
    reactions : tuple of DraftReaction
        Between the lines of kind `SPECIES`.
    own : frozenset of str
        Names that carry the mechanism's name.
    notices : tuple of str
        What was left out or assumed.
    texts : mapping of str to str
        What names of `STANDARD`, and others where they differ, are in equations.
    pathways : tuple of DraftPathway
        Of synapses.
    of_cell : tuple of DraftLine
        What the cell has to have that synapses of this kind reach.
    """

    program: Program
    lines: tuple[DraftLine, ...]
    reactions: tuple[DraftReaction, ...]
    own: frozenset[str]
    notices: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=lambda: STANDARD)
    pathways: tuple[DraftPathway, ...] = ()
    of_cell: tuple[DraftLine, ...] = ()
