"""Gaussian elimination written out as statements, for small matrices whose pattern of zeros is known.

Rows are not exchanged, so the order of elimination can be chosen beforehand: at each step the variable that can
make the fewest new entries (Markowitz, Management Sci. 3:255, 1957).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rall.ir.nodes import ZERO, Name, Node, div, mul, number, sub
from rall.model import Assign

__all__ = ["Factors", "elimination_order", "factor"]

Entry = tuple[int, int]


@dataclass(frozen=True)
class Factors:
    """A factorised matrix, in locals.

    Parameters
    ----------
    statements : tuple of Assign
        What computes the locals.
    order : tuple of int
        The order of elimination.
    lower, upper : mapping of (int, int) to Node
        Multipliers below, and entries above the diagonal, that are not zero by their form.
    inverse : mapping of int to Node
        One over each pivot.
    """

    statements: tuple[Assign, ...]
    order: tuple[int, ...]
    lower: Mapping[Entry, Node]
    upper: Mapping[Entry, Node]
    inverse: Mapping[int, Node]

    def solve(self, right: Sequence[Node], name: str) -> tuple[list[Assign], list[Node]]:
        """Statements that solve for one right-hand side.

        Parameters
        ----------
        right : sequence of Node
            The right-hand side.
        name : str
            What locals are called: this and the number of the row.

        Returns
        -------
        list of Assign
            In order.
        list of Node
            The solution: names of locals.
        """
        statements = []
        half: dict[int, Node] = {}
        for place, row in enumerate(self.order):
            value = right[row]
            for column in self.order[:place]:
                value = sub(value, mul(self.lower.get((row, column), ZERO), half.get(column, ZERO)))
            statements.append(Assign(f"{name}h{row}", value))
            half[row] = Name(f"{name}h{row}")
        solution: dict[int, Node] = {}
        for place, row in reversed(list(enumerate(self.order))):
            value = half[row]
            for column in self.order[place + 1 :]:
                value = sub(value, mul(self.upper.get((row, column), ZERO), solution[column]))
            statements.append(Assign(f"{name}{row}", mul(value, self.inverse[row])))
            solution[row] = Name(f"{name}{row}")
        return statements, [solution[row] for row in range(len(self.order))]


def elimination_order(pattern: set[Entry], size: int) -> tuple[int, ...]:
    """Which variable to eliminate when.

    Parameters
    ----------
    pattern : set of (int, int)
        Rows and columns of entries that are not zero; the diagonal counts as such.
    size : int
        Number of rows.

    Returns
    -------
    tuple of int
        At each step the variable for which (entries in its row) times (entries in its column), itself left
        out, is smallest; of several the first.
    """
    entries = {(i, j) for i, j in pattern if i != j}
    left = list(range(size))
    order = []
    while left:
        rows = {k: [i for i in left if (i, k) in entries] for k in left}
        columns = {k: [j for j in left if (k, j) in entries] for k in left}
        best = min(left, key=lambda k: len(rows[k]) * len(columns[k]))
        entries |= {(i, j) for i in rows[best] for j in columns[best] if i != j}
        left.remove(best)
        order.append(best)
    return tuple(order)


def factor(matrix: Mapping[Entry, Node], size: int, name: str) -> Factors:
    """Factorise a matrix into a lower and an upper triangle, in statements.

    Parameters
    ----------
    matrix : mapping of (int, int) to Node
        Entries that are not zero by their form, the diagonal among them.
    size : int
        Number of rows.
    name : str
        What locals begin with.

    Returns
    -------
    Factors
        In locals.
    """
    order = elimination_order(set(matrix), size)
    now = dict(matrix)
    statements = []
    lower: dict[Entry, Node] = {}
    upper: dict[Entry, Node] = {}
    inverse: dict[int, Node] = {}

    def keep(label: str, value: Node) -> Node:
        statements.append(Assign(f"{name}{label}", value))
        return Name(f"{name}{label}")

    for place, k in enumerate(order):
        rest = order[place + 1 :]
        inverse[k] = keep(f"i{k}", div(number(1.0), now[k, k]))
        upper.update({(k, j): keep(f"u{k}_{j}", now[k, j]) for j in rest if (k, j) in now})
        for i in rest:
            if (i, k) not in now:
                continue
            lower[i, k] = keep(f"l{i}_{k}", mul(now[i, k], inverse[k]))
            for j in rest:
                if (k, j) in upper:
                    now[i, j] = sub(now.get((i, j), ZERO), mul(lower[i, k], upper[k, j]))
    return Factors(tuple(statements), order, lower, upper, inverse)
