"""What all cells of one morphology have in common: the graph of their axial currents, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rall.morphology.graph import ConductanceGraph
from rall.morphology.tree import Tree

__all__ = ["Shape"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
# Resistance integrals are in 1/um: times ohm metre, 1e6 ohm.
_PER_UM = 1e6


@dataclass(frozen=True, eq=False)
class Shape:
    """One morphology and its graph: compartments are nodes, and branch points behind them.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    """

    tree: Tree

    @cached_property
    def graph(self) -> ConductanceGraph:
        """Nodes and edges of the axial currents."""
        return self.tree.conductance_graph()

    @property
    def n(self) -> int:
        """Number of compartments."""
        return self.tree.n

    @property
    def nodes(self) -> int:
        """Number of compartments and branch points."""
        return len(self.graph)

    @cached_property
    def child(self) -> Ints:
        """The far node of each edge; shape (edges,)."""
        return np.flatnonzero(self.graph.parent >= 0)

    @cached_property
    def above(self) -> Ints:
        """The near node of each edge; shape (edges,)."""
        return self.graph.parent[self.child]

    def conductances(self, resistivity: Floats) -> Floats:
        """Conductance of each edge (siemens).

        Parameters
        ----------
        resistivity : ndarray, shape (cells, compartments) or (cells, 1)
            Ohm metre.

        Returns
        -------
        ndarray, shape (cells, edges)
        """
        tree = self.tree
        near, far = (half * resistivity * _PER_UM for half in (tree.r_axial_near, tree.r_axial_far))
        halves = np.concatenate([near, far, np.zeros((len(near), 1))], axis=1)
        first, second = self.graph.halves[self.child].T
        return np.asarray(1.0 / (halves[:, first] + halves[:, second]))

    def totals(self, conductance: Floats) -> Floats:
        """Sum of the conductances that meet at each node, shape (cells, nodes), for those of edges (cells, edges)."""
        cells = len(conductance)
        places = np.arange(cells)[:, None] * self.nodes + np.concatenate([self.child, self.above])
        twice = np.concatenate([conductance, conductance], axis=1)
        found = np.bincount(places.ravel(), twice.ravel(), minlength=cells * self.nodes)
        return np.asarray(found, float).reshape(cells, self.nodes)

    def pairs(self, conductance: Floats) -> tuple[Ints, Ints, Floats]:
        """All pairs of compartments with a conductance between them, each in both directions.

        At a branch point, which holds no charge, each neighbour sees every other one.

        Parameters
        ----------
        conductance : ndarray, shape (cells, edges)
            Of edges, in siemens.

        Returns
        -------
        here, there : ndarray of int64, shape (pairs,)
            Compartments.
        siemens : ndarray, shape (cells, pairs)
        """
        here, there, one, other, point = self._pairs
        siemens = conductance[:, one]
        through = point >= 0
        total = self.totals(conductance)[:, point[through]]
        siemens[:, through] *= conductance[:, other[through]] / total
        return here, there, siemens

    @cached_property
    def _pairs(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Both compartments of each pair, the edges between them (twice the same without a point), and the point."""
        child, above, n = self.child, self.above, self.n
        edge = np.arange(len(child))
        direct = np.flatnonzero((child < n) & (above < n))
        nowhere = np.full(len(direct), -1)
        found = [
            (child[direct], above[direct], direct, direct, nowhere),
            (above[direct], child[direct], direct, direct, nowhere),
        ]
        # The edges at each branch point, and where they lead.
        ends = np.concatenate([child, above])
        order = np.argsort(ends, kind="stable")
        borders = np.searchsorted(ends[order], np.arange(self.nodes + 1))
        others, edges = np.concatenate([above, child])[order], np.concatenate([edge, edge])[order]
        for point in range(n, self.nodes):
            around = np.arange(borders[point], borders[point + 1])
            one, other = (side[~np.eye(len(around), dtype=bool)] for side in np.meshgrid(around, around))
            found.append((others[one], others[other], edges[one], edges[other], np.full(len(one), point)))
        here, there, first, second, through = (np.concatenate(parts) for parts in zip(*found))
        return here, there, first, second, through
