"""Gaussian elimination written out as statements, for small matrices whose pattern of zeros is known.

Rows are not exchanged, so the order of elimination can be chosen beforehand: at each step the variable that can
make the fewest new entries (Markowitz, Management Sci. 3:255, 1957).  Pivots that do not see each other are inverted
together, by one division (Montgomery, Math. Comput. 48:243, 1987), which costs more than the products that it saves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from rall.ir.nodes import ZERO, Name, Node, div, mul, number, sub
from rall.model import Assign

__all__ = ["Factors", "elimination_order", "factor"]

Entry = tuple[int, int]
#: How many pivots are inverted together at most.
_TOGETHER = 4


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
        Entries below and above the diagonal, over the pivot of their column or row, that are not zero by their form.
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
            # Whatever waits for another unknown waits for one product and sum: what is known last comes last.
            value = mul(half[row], self.inverse[row])
            for column in reversed(self.order[place + 1 :]):
                value = sub(value, mul(self.upper.get((row, column), ZERO), solution[column]))
            statements.append(Assign(f"{name}{row}", value))
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
        out, is smallest; of several one that can be inverted with those before it, else the first.
    """
    entries = {(i, j) for i, j in pattern if i != j}
    left = list(range(size))
    order: list[int] = []
    together: list[int] = []
    while left:
        rows = {k: [i for i in left if (i, k) in entries] for k in left}
        columns = {k: [j for j in left if (k, j) in entries] for k in left}
        full = len(together) == _TOGETHER
        apart = {k: full or _meet(k, together, entries) for k in left}
        best = min(left, key=lambda k: (len(rows[k]) * len(columns[k]), apart[k]))
        together = [best] if apart[best] else [*together, best]
        entries |= {(i, j) for i in rows[best] for j in columns[best] if i != j}
        left.remove(best)
        order.append(best)
    return tuple(order)


def _meet(k: int, others: Sequence[int], entries: Collection[Entry]) -> bool:
    """Whether the elimination of any of some variables changes the row or the column of one."""
    return any((k, other) in entries or (other, k) in entries for other in others)


def _inverted(pivots: Mapping[int, Node], keep: Callable[[str, Node], Node]) -> dict[int, Node]:
    """One over each of some pivots, with one division: from that of their product, one after the other."""
    places = list(pivots)
    products = [pivots[places[0]]]
    for k in places[1:]:
        products.append(mul(products[-1], pivots[k]))
    alone = len(places) == 1
    rest = keep(f"i{places[0]}" if alone else "r" + "_".join(map(str, places)), div(number(1.0), products[-1]))
    found: dict[int, Node] = {}
    for k, before in zip(reversed(places[1:]), reversed(products[:-1])):
        found[k] = keep(f"i{k}", mul(rest, before))
        rest = mul(rest, pivots[k])
    found[places[0]] = rest if alone else keep(f"i{places[0]}", rest)
    return found


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
        if k not in inverse:
            together = [k]
            for other in rest[: _TOGETHER - 1]:
                if _meet(other, together, now):
                    break
                together.append(other)
            inverse.update(_inverted({one: now[one, one] for one in together}, keep))
        upper.update({(k, j): keep(f"u{k}_{j}", mul(now[k, j], inverse[k])) for j in rest if (k, j) in now})
        for i in rest:
            if (i, k) not in now:
                continue
            lower[i, k] = keep(f"l{i}_{k}", mul(now[i, k], inverse[k]))
            for j in rest:
                if (k, j) in upper:
                    now[i, j] = sub(now.get((i, j), ZERO), mul(lower[i, k], now[k, j]))
    return Factors(tuple(statements), order, lower, upper, inverse)
