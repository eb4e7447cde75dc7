"""The electrical side of a morphology: nodes, couplings, and where both lie in storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.model import SHARED, Domain, Layout, Variable, aligned
from rall.morphology import Morphology
from rall.morphology.graph import conductance_graph, join
from rall.morphology.regions import region_arrays, variables
from rall.morphology.tree import Tree
from rall.plugins.cable.tree_layout import lay_out
from rall.units import get_or_create_dimension
from rall.units.table import lookup

__all__ = ["FIRST_GROWTH", "GAMMA", "Cable"]

Floats = NDArray[np.float64]

#: Diagonal of the three-stage SDIRK method of order 2: the smallest (to four digits) for which it is L-stable
#: (Hairer and Wanner 1996, section IV.6), so that slow modes are followed closely and stiff ones damped at once.
GAMMA = 0.1805
#: Share of a source's growth during the step in the first stage; derived in docs/numerics.md.
FIRST_GROWTH = -0.39073965875054584


class Cable:
    """Compartments in storage, and the coefficients of the voltage equation.

    Parameters
    ----------
    morphology : Morphology
        Whose compartments are taken.

    Attributes
    ----------
    tree : Tree
        The flattened morphology.
    domain : Domain
        Its compartments.
    scratch : dict of str to Variable
        What the solver needs, over compartments and branch points.
    """

    def __init__(self, morphology: Morphology) -> None:
        self.morphology = morphology
        self.tree: Tree = morphology.flatten()
        graph = self.tree.conductance_graph()
        self.layout = lay_out(graph.parent, graph.n)
        place = self.layout.place[: graph.n]
        self.domain = Domain("compartments", Layout(graph.n, place, self.layout.stored_compartments))
        self.scratch = {
            name: self.node_variable(name)
            for name in ("d", "r", "carry", "g", "w", "f", "first", "second", "rest", "diagonal")
        }

    def node_variable(self, name: str) -> Variable:
        """A float variable with room for branch points behind the compartments."""
        return Variable(name, self.domain, role="scratch", array=aligned(self.layout.stored))

    def geometry(self) -> dict[str, Variable]:
        """Constant variables: lengths, areas, places, and the regions as truth values."""
        found: dict[str, Variable] = {}
        for name, (values, unit) in variables(self.tree).items():
            kind = "integer" if np.asarray(values).dtype.kind == "i" else "float"
            base = lookup(unit.partition("**")[0])
            power = float(unit.partition("**")[2] or 1)
            dimension = base.dim**power if base is not None else get_or_create_dimension()
            found[name] = Variable(name, self.domain, dimension, kind, "constant")
            found[name].set(values)
        for name, inside in region_arrays(self.tree, self.morphology.labels).items():
            found[name] = Variable(name, self.domain, kind="boolean", role="constant")
            found[name].set(inside)
        # 'all' is a region too.
        found["all"] = Variable("all", SHARED, kind="boolean", role="constant")
        found["all"].array[0] = True
        return found

    def couple(self, resistivity: Floats) -> tuple[Floats, Floats]:
        """Axial conductances for a resistivity in ohm metre, of shape (compartments,) or (1,).

        Returns
        -------
        coupling : ndarray, shape (nodes,)
            Siemens from every node to its parent in the layout.
        total : ndarray, shape (nodes,)
            Sum of the conductances that meet at a node.
        """
        tree = self.tree
        # 1/um times ohm metre: 1e6 ohm.
        halves = (tree.r_axial_near * resistivity * 1e6, tree.r_axial_far * resistivity * 1e6)
        s = tree.sections
        joints = join(s.parent, s.attach, s.first, s.first + s.n - 1, s.sphere, halves)
        graph = conductance_graph(tree.section, tree.parent, halves, joints)
        linked = np.flatnonzero(graph.parent >= 0)
        conductance = 1.0 / graph.resistance[linked]
        ends = np.concatenate([linked, graph.parent[linked]])
        twice = np.concatenate([conductance, conductance])
        total = np.asarray(np.bincount(ends, twice, minlength=len(graph.parent)), float)
        return self._to_layout(linked, graph.parent[linked], conductance), total

    def _to_layout(self, child: NDArray[np.int64], above: NDArray[np.int64], conductance: Floats) -> Floats:
        """Edges belong to the lower node after rooting, which may be either end."""
        coupling = np.zeros(len(self.layout.parent))
        stays = self.layout.parent[child] == above
        coupling[np.where(stays, child, above)] = conductance
        return coupling

    def assemble(self, capacitance: Floats, resistivity: Floats, implicit_dt: float) -> Mapping[str, NDArray[Any]]:
        """Fill the coefficients for one time step and give the tables of the tree.

        Parameters
        ----------
        capacitance : ndarray
            Farad/metre**2, shape (compartments,) or (1,).
        resistivity : ndarray
            Ohm metre, shape (compartments,) or (1,).
        implicit_dt : float
            Seconds that one implicit stage stands for.
        """
        coupling, total = self.couple(resistivity)
        n, place = self.tree.n, self.layout.place
        charging = capacitance * self.tree.area * 1e-12 / implicit_dt
        carry, diagonal = self.scratch["carry"].array, self.scratch["diagonal"].array
        carry[:] = 0.0
        diagonal[:] = 1.0
        carry[place[:n]] = charging
        diagonal[place] = total
        diagonal[place[:n]] += charging
        structure = self.layout.structure(coupling)
        self.scratch["g"].array[:] = structure["coupling"]
        return structure

    def pairs(self, resistivity: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """All pairs of compartments with a conductance between them, each in both directions.

        At a branch point, which holds no charge, each neighbour sees every other one.

        Parameters
        ----------
        resistivity : ndarray
            Ohm metre, shape (compartments,) or (1,).

        Returns
        -------
        here, there : ndarray of int64
            Compartments.
        conductance : ndarray
            Siemens.
        """
        coupling, total = self.couple(resistivity)
        parent, n = self.layout.parent, self.tree.n
        child = np.flatnonzero(parent >= 0)
        ends, others = np.concatenate([child, parent[child]]), np.concatenate([parent[child], child])
        siemens = np.concatenate([coupling[child], coupling[child]])
        direct = (ends < n) & (others < n)
        found = [(ends[direct], others[direct], siemens[direct])]
        for point in range(n, len(parent)):
            around = np.flatnonzero(ends == point)
            one, other = (side[~np.eye(len(around), dtype=bool)] for side in np.meshgrid(around, around))
            found.append((others[one], others[other], siemens[one] * siemens[other] / total[point]))
        here, there, conductance = (np.concatenate(parts) for parts in zip(*found))
        return here, there, conductance

    def axial_current(self, v: Floats, resistivity: Floats) -> Floats:
        """Current that flows into each compartment along the tree (ampere), for v in volt, shape (compartments,)."""
        here, there, conductance = self.pairs(resistivity)
        return np.asarray(np.bincount(here, conductance * (v[there] - v[here]), minlength=self.tree.n), float)
