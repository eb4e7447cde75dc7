"""Where on its cells a group can have synapses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sites"]


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
