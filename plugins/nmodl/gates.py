"""Procedures that advance states themselves, with dt, as the differential equations that they solve.

``m = m + (1 - exp(-dt/tau))*(minf - m)``, in all its spellings, and ``m = m + dt*f`` give m at the end of a step as a
function of dt.  At dt = 0 it must be m; its slope there is the equation's right-hand side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

from rall.plugins.nmodl.algebra import children, constant, derivative, evaluate, mentions, rebuilt, replaced, walk
from rall.plugins.nmodl.flow import Definitions
from rall.plugins.nmodl.refusal import Refuse
from rall.plugins.nmodl.syntax import Call, Conditional, Expression, Name, Number

__all__ = ["opened", "rates"]

_LONGEST = 20_000  # parts of an expression that is still written out


def rates(
    values: Mapping[str, Expression], states: Sequence[str], definitions: Definitions, refuse: Refuse
) -> dict[str, Expression]:
    """Right-hand sides of the states that a procedure assigns.

    Parameters
    ----------
    values : mapping of str to Expression
        What the procedure left in the variables.
    states : sequence of str
        Names of the states.
    definitions : Definitions
        Of the file.
    refuse : Refuse
        Raises the error.

    Returns
    -------
    dict of str to Expression
        Of each state that was assigned.
    """
    found = {}
    for state in states:
        if state not in values:
            continue
        after = opened(values[state], definitions, "dt", states)
        slope = derivative(after, "dt")
        if slope is None or not _starts_from(after, state, definitions):
            raise refuse(
                values[state].at,
                f"the procedure assigns the state '{state}' in a way that is no step of a differential equation",
                "write a DERIVATIVE block",
                "PROCEDURE",
            )
        found[state] = replaced(slope, lambda name: Number("0") if name == "dt" else None)
        found[state] = _settled(found[state])
    return found


def opened(node: Expression, definitions: Definitions, variable: str, states: Sequence[str] = ()) -> Expression:
    """An expression in which what depends on a variable by way of definitions is written out.

    Parameters
    ----------
    node : Expression
        With keys of definitions.
    definitions : Definitions
        Their meaning.
    variable : str
        Such as ``'dt'``.
    states : sequence of str
        Variables whose definitions are always written out.

    Returns
    -------
    Expression
        As it was if the whole would be too long.
    """
    memo: dict[str, Expression] = {}
    parts: dict[str, int] = {}

    def length(name: str) -> int:
        """Parts of a definition once it is written out; found first, as it may be too long to write."""
        if name not in definitions:
            return 1
        if name not in parts:
            parts[name] = sum(
                length(part.name) if isinstance(part, Name) else 1 for part in walk(definitions[name].expression)
            )
        return parts[name]

    def lookup(name: str) -> Expression | None:
        if name not in definitions:
            return None
        if name not in memo:
            whole = replaced(definitions[name].expression, lookup)
            needed = definitions[name].variable in states or mentions(whole, variable)
            memo[name] = whole if needed else Name(name)
        return memo[name]

    if sum(length(part.name) for part in walk(node) if isinstance(part, Name)) > _LONGEST:
        return node
    return replaced(node, lookup)


def _settled(node: Expression) -> Expression:
    """The expression at dt = 0: ``exp(0)`` is 1."""
    if isinstance(node, Call) and node.name == "exp" and _zero(node.arguments[0]):
        return Number("1")
    if isinstance(node, Conditional):
        test = constant(_settled(node.test))
        if test is not None:
            return _settled(node.yes if test else node.no)
    parts = children(node)
    return rebuilt(node, tuple(_settled(part) for part in parts)) if parts else node


def _zero(node: Expression) -> bool:
    try:
        return evaluate(node, lambda name: 1.0) == 0.0
    except (KeyError, ArithmeticError, ValueError):
        return False


def _starts_from(after: Expression, state: str, definitions: Definitions) -> bool:
    """Whether a step of no length leaves the state as it was, with any numbers for all else."""
    values: dict[str, float] = {"dt": 0.0}

    def value(name: str) -> float:
        if name not in values:
            values[name] = 0.5 + 1.5 * crc32(name.encode()) / 2**32
        return values[name]

    try:
        return abs(evaluate(after, value) - value(state)) < 1e-9
    except (KeyError, ArithmeticError, ValueError):
        return False
