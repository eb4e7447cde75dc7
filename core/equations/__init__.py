"""Equations: from the user's text to lines with flags, units and checked dimensions."""

from __future__ import annotations

from rall.equations.dimensions import (
    check_equations,
    check_expression,
    check_statements,
    environment,
    infer,
    infer_typed,
)
from rall.equations.equations import Equations
from rall.equations.flags import Flag, FlagKind
from rall.equations.lines import DIFFERENTIAL, PARAMETER, SUBEXPRESSION, AbstractLineKind, Line
from rall.equations.merging import agreed, equal_values, merged
from rall.equations.names import known_value, resolve, typed_of

__all__ = [
    "DIFFERENTIAL", "PARAMETER", "SUBEXPRESSION", "AbstractLineKind", "Equations", "Flag", "FlagKind", "Line",
    "agreed", "check_equations", "check_expression", "check_statements", "environment", "equal_values", "infer",
    "infer_typed", "known_value", "merged", "resolve", "typed_of",
]  # fmt: skip
