"""Sums of variables that stay as they are: found in the form of the equations, and kept to rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product as combinations
from math import lcm
from typing import TypeAlias

from rall.ir.affine import product
from rall.ir.algebra import terms
from rall.ir.nodes import ZERO, Name, Node, add, mul, number, sub

__all__ = ["Law", "closed", "laws", "rates"]

#: Variables and how often each counts.  The first stands in no other law of the same equations.
Law: TypeAlias = dict[str, int]
#: A rate: its factors and its divisors.
Rate: TypeAlias = tuple[frozenset[tuple[Node, int]], frozenset[tuple[Node, int]]]
#: How often a rate counts in two equations is a ratio of small numbers; a product of sums has so many terms at most.
_DENOMINATOR, _MOST = 1000, 256
_ROUNDING = Fraction(1, 10**13)


def laws(equations: Mapping[str, Node]) -> tuple[Law, ...]:
    """The sums of variables that no equation changes.

    Each right-hand side is a sum of rates, and each rate changes the variables by fixed amounts.  What these amounts
    leave alone is the null space of a matrix of small numbers, found exactly (in fractions).

    Parameters
    ----------
    equations : mapping of str to Node
        From variable to right-hand side.

    Returns
    -------
    tuple of dict of str to int
        Independent laws, each with the variables that take part; in reduced echelon form.
    """
    columns: dict[Rate, dict[str, float]] = {}
    for variable, rhs in equations.items():
        for rate, amount in rates(rhs).items():
            columns.setdefault(rate, {})[variable] = amount
    matrix = {variable: [_share(column, variable) for column in columns.values()] for variable in equations}
    near = [_near(law) for law in _null_space(matrix)]
    return tuple(_whole(law) for law in near if law is not None)


def rates(rhs: Node) -> dict[Rate, float]:
    """A right-hand side as a sum of rates.

    Parameters
    ----------
    rhs : Node
        The right-hand side.

    Returns
    -------
    dict
        From the factors and divisors of each rate to how often it counts.
    """
    found: dict[Rate, float] = {}
    for term in terms(rhs):
        form = product(term)
        sums = [terms(factor) for factor in form.above]
        count = 1
        for one in sums:
            count *= len(one)
        for choice in combinations(*sums) if count <= _MOST else [form.above]:
            whole: Node = number(form.coefficient)
            for factor in choice:
                whole = mul(whole, factor)
            if whole is ZERO:
                continue
            inner = product(whole)
            key = (_counted(inner.above), _counted((*inner.below, *form.below)))
            found[key] = found.get(key, 0.0) + inner.coefficient
    return {key: amount for key, amount in found.items() if amount}


def _counted(factors: Sequence[Node]) -> frozenset[tuple[Node, int]]:
    return frozenset((factor, factors.count(factor)) for factor in factors)


def _share(column: Mapping[str, float], variable: str) -> Fraction:
    """How often a rate counts, relative to the equation in which it counts most."""
    ratio = column.get(variable, 0.0) / max(column.values(), key=abs)
    near = Fraction(ratio).limit_denominator(_DENOMINATOR)
    return near if abs(float(near) - ratio) <= 1e-12 * abs(ratio) else Fraction(ratio)


def _near(law: Mapping[str, Fraction]) -> dict[str, Fraction] | None:
    """A law with the small numbers that it is near to; None if it is not near to any."""
    found = {name: value.limit_denominator(_DENOMINATOR) for name, value in law.items()}
    return found if all(abs(found[name] - value) <= _ROUNDING for name, value in law.items()) else None


def _null_space(matrix: Mapping[str, list[Fraction]]) -> list[dict[str, Fraction]]:
    """Combinations of rows that are zero, in reduced echelon form."""
    rows = [(list(row), {variable: Fraction(1)}) for variable, row in matrix.items()]
    free: list[dict[str, Fraction]] = []
    while rows:
        row, made_of = rows.pop()
        # Numbers that were added up as floats, for reactions whose rates differ by a number alone, miss zero a little.
        pivot = next((k for k, value in enumerate(row) if abs(value) > _ROUNDING), None)
        if pivot is None:
            free.append(made_of)
            continue
        for other, others in rows:
            factor = other[pivot] / row[pivot]
            if factor:
                other[:] = [a - factor * b for a, b in zip(other, row)]
                _subtract(others, factor, made_of)
    done: list[dict[str, Fraction]] = []
    for variable in matrix:
        law = next((law for law in free if law.get(variable)), None)
        if law is None:
            continue
        free.remove(law)
        scaled = {name: value / law[variable] for name, value in law.items()}
        for known in (*free, *done):
            _subtract(known, known.get(variable, Fraction(0)), scaled)
        done.append(scaled)
    return [{name: law[name] for name in matrix if law.get(name)} for law in done]


def _subtract(row: dict[str, Fraction], factor: Fraction, other: Mapping[str, Fraction]) -> None:
    for name, value in other.items():
        row[name] = row.get(name, Fraction(0)) - factor * value


def _whole(law: Mapping[str, Fraction]) -> Law:
    scale = lcm(*(value.denominator for value in law.values()))
    return {name: int(value * scale) for name, value in law.items()}


def closed(new: Mapping[str, str], known: Sequence[Law]) -> dict[str, Node]:
    """What the first variable of each law must be, so that the sum stays as it was.

    It is the old sum less the new values of the others.  The next step adds up the same numbers in the same order and
    finds the same sum: rounding errors do not accumulate, however many steps there are.

    Parameters
    ----------
    new : mapping of str to str
        From variable to the name of its new value.
    known : sequence of dict of str to int
        The laws.

    Returns
    -------
    dict of str to Node
        New values, in terms of old ones and of `new`.
    """
    values: dict[str, Node] = {}
    for law in known:
        (first, share), *others = law.items()
        before: Node = ZERO
        after: Node = ZERO
        for name, amount in others:
            weight = number(amount / share)
            before, after = add(before, mul(weight, Name(name))), add(after, mul(weight, Name(new[name])))
        values[first] = sub(add(before, Name(first)), after)
    return values
