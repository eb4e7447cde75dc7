"""How variables that live on some compartments of a cell are seen from elsewhere: from synapses, say."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.model import Access, Variable
from rall.plugins.cable.mechanisms import Mechanism

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["Reach"]

_Maps = dict[int, tuple[Variable, int]]


class Reach:
    """Maps from elements elsewhere to elements of mechanisms; each is made once, and anew when the elements change.

    Parameters
    ----------
    cell : Cells
        Whose mechanisms.
    """

    def __init__(self, cell: Cells) -> None:
        self.cell = cell
        self._known: weakref.WeakKeyDictionary[Variable, tuple[NDArray[Any], _Maps]] = weakref.WeakKeyDictionary()

    def access(self, variable: Variable, home: Mechanism, index: Variable) -> Access:
        """A variable of a mechanism as seen from elsewhere; with a problem, where something lies outside of its region.

        Parameters
        ----------
        variable : Variable
            What is seen.
        home : Mechanism
            Where it lives.
        index : Variable
            For each element there, a storage index of the cell's compartments.
        """
        compartments = index.get()
        known = self._known.get(index)
        if known is None or not np.array_equal(known[0], compartments):
            known = self._known[index] = compartments, {}
        maps = known[1]
        if id(home) not in maps:
            maps[id(home)] = self._map(home, index.name, index, compartments)
        through, outside = maps[id(home)]
        return Access(variable, through, "" if outside < 0 else self._problem(variable.name, home, outside))

    def _map(
        self, home: Mechanism, name: str, index: Variable, compartments: NDArray[Any]
    ) -> tuple[Variable, int]:
        """Storage indices in the mechanism's domain, and the first compartment outside of it; -1 for none."""
        layout = self.cell.domain.layout
        place = np.full(layout.stored, -1)
        place[layout.index(home.members)] = home.domain.layout.index(np.arange(len(home.members)))
        found = place[compartments]
        missing = np.flatnonzero(found < 0)
        through = Variable(f"{name}_{home.region}", index.domain, kind="index", role="constant")
        through.set(found)
        return through, int(layout.users()[compartments[missing[0]]]) if len(missing) else -1

    def _problem(self, name: str, home: Mechanism, outside: int) -> str:
        where, cell = home.region, self.cell
        return (
            f"'{name}' lives on '{where}' of '{cell.name}' only, and {cell.describe_element(outside)} is not there; "
            f"choose compartments of '{where}', for synapses with connect(..., where='{where}'), or give '{name}' to "
            "all compartments of the model"
        )
