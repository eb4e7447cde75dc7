"""What synapses ask of the group that they lead to: where on its cells they can be, how it takes their sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.model import Variable

__all__ = ["Sites", "SynapticTarget"]


@dataclass(frozen=True, eq=False)
class Sites:
    """Elements of a group that synapses can be drawn onto.

    Parameters
    ----------
    elements : ndarray of int64, shape (sites,)
        Their numbers.
    cells : ndarray of int64, shape (sites,)
        The cell that each belongs to.
    weights : ndarray of float64, shape (sites,)
        With a probability in proportion to what each is drawn among those of its cell; positive.
    count : int
        Number of cells.
    """

    elements: NDArray[np.int64]
    cells: NDArray[np.int64]
    weights: NDArray[np.float64]
    count: int

    def drawn(self, cells: NDArray[np.int64], uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """A site of each of some cells.

        Parameters
        ----------
        cells : ndarray of int64, shape (n,)
            Cells; each has a site.
        uniforms : ndarray of float64, shape (n,)
            A number in [0, 1) for each.

        Returns
        -------
        ndarray of int64, shape (n,)
            Numbers of elements.
        """
        order = np.argsort(self.cells, kind="stable")
        size = np.bincount(self.cells, minlength=self.count)
        ends = np.cumsum(size)
        # The cells one after the other, each of length 1: what lies in [cell, cell + share) is the first site.
        total = np.bincount(self.cells, self.weights, self.count)
        along = np.cumsum(self.weights[order] / total[self.cells[order]])
        before = np.repeat(along[ends[size > 0] - 1] - 1.0, size[size > 0])
        place = np.searchsorted(self.cells[order] + (along - before), cells + uniforms, side="right")
        return self.elements[order[np.clip(place, ends[cells] - size[cells], ends[cells] - 1)]]


class SynapticTarget:
    """A group as synapses see it, which has neither compartments nor an implicit solve unless it says so."""

    name: str
    #: Name of a variable that the group solves for implicitly, where there is one.
    implicit_variable: str | None = None

    def sites(self, where: Any) -> Sites:
        """Where synapses can be that `connect` draws over a region.

        Parameters
        ----------
        where : object
            The region: whatever `indices_of` takes.

        Raises
        ------
        RallError
            If the group has no cells with compartments.
        """
        raise RallError(
            f"where=... chooses compartments of cells, and '{self.name}' has none; leave it out, or give a condition"
        )

    def slope_of(self, name: str, coupled: bool) -> Variable | None:
        """Where a sum over synapses that sets a variable also leaves its derivative by `implicit_variable`.

        Parameters
        ----------
        name : str
            The variable that is set.
        coupled : bool
            Whether the sum depends on the implicit variable of the group at the other side too.

        Returns
        -------
        Variable or None
            On the domain of the variable; None where the group has no use for it.
        """
        return None
