"""Random trees, their solves on devices, and dense solutions of the same systems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rall.devices.calls import TREE_VARIABLES
from rall.model import Clock, Domain, Layout, Solve, Variable, aligned
from rall.plugins.cable.tree_layout import TreeLayout, lay_out, pack

SHAPES = ("recursive", "chain", "star", "comb", "long branches", "bush", "binary")


def edges_of(shape: str, nodes: int, rng) -> np.ndarray:
    """Parent of every node of a tree with node 0 as its root."""
    parent = np.full(nodes, -1)
    for k in range(1, nodes):
        parent[k] = {
            "recursive": lambda k: rng.integers(0, k),
            "chain": lambda k: k - 1,
            "star": lambda k: 0,
            "comb": lambda k: k - 1 if k % 3 == 1 or k < 3 else k - 2,
            "long branches": lambda k: k - 1 if rng.random() < 0.985 else rng.integers(0, k),
            "bush": lambda k: k - 1 if rng.random() < 0.9 else rng.integers(0, k),
            "binary": lambda k: (k - 1) // 2,
        }[shape](k)
    return parent


def random_tree(shape: str, nodes: int, rng, junctions: bool = True) -> tuple[np.ndarray, int]:
    """Parents with nodes in any order, compartments before junctions; and the number of compartments."""
    parent = edges_of(shape, nodes, rng)
    degree = np.bincount(parent[1:], minlength=nodes) + (np.arange(nodes) > 0)
    is_junction = (degree > 2) & (rng.random(nodes) < 0.7) if junctions else np.zeros(nodes, bool)
    names = np.argsort(is_junction + rng.random(nodes) * 0.5)
    new = np.empty(nodes, np.int64)
    new[names] = np.arange(nodes)
    renamed = np.full(nodes, -1)
    renamed[new[1:]] = new[parent[1:]]
    return renamed, nodes - int(is_junction.sum())


def random_forest(trees: int, nodes: int, rng, alike: bool) -> tuple[np.ndarray, int]:
    """Several trees, alike or not: parents with the compartments of all before their junctions."""
    made = [random_tree(rng.choice(SHAPES), int(rng.integers(1, nodes)), rng) for _ in range(1 if alike else trees)]
    made = made * trees if alike else made
    total = sum(n for _, n in made)
    compartments, junctions, here, behind = [], [], 0, total
    for parent, n in made:
        moved = np.where(parent < n, parent + here, parent - n + behind)
        moved[parent < 0] = -1
        compartments.append(moved[:n])
        junctions.append(moved[n:])
        here, behind = here + n, behind + len(parent) - n
    return np.concatenate([*compartments, *junctions]), total


@dataclass
class System:
    """One cable: couplings in siemens, capacitance over time, membrane conductance and source of compartments."""

    parent: np.ndarray
    n: int
    layout: TreeLayout
    coupling: np.ndarray
    carry: np.ndarray
    membrane: np.ndarray
    source: np.ndarray
    v: np.ndarray
    late: np.ndarray

    @classmethod
    def random(cls, parent, n, rng):
        nodes = len(parent)
        couplings = np.exp(rng.normal(0, 1.5, nodes))
        layout = lay_out(parent, n) if (parent < 0).sum() == 1 else pack(parent, n)
        child = np.flatnonzero(parent >= 0)
        above = parent[child]
        coupling = np.zeros(nodes)
        coupling[np.where(layout.parent[child] == above, child, above)] = couplings[child]
        return cls(parent, n, layout, coupling, *(np.exp(rng.normal(0, 1, n)) for _ in range(2)),
                   rng.normal(size=n), rng.normal(size=n), rng.normal(size=n))  # fmt: skip

    @property
    def total(self):
        """Sum of the couplings at each node."""
        child = np.flatnonzero(self.layout.parent >= 0)
        g = self.coupling[child]
        total = np.zeros(len(self.parent))
        np.add.at(total, child, g)
        np.add.at(total, self.layout.parent[child], g)
        return total

    def matrix(self):
        """Dense, over all nodes."""
        a = np.diag(self.total)
        child = np.flatnonzero(self.layout.parent >= 0)
        above = self.layout.parent[child]
        a[child, above] = a[above, child] = -self.coupling[child]
        a[np.arange(self.n), np.arange(self.n)] += self.carry + self.membrane
        return a

    def padded(self, values):
        return np.concatenate([values, np.zeros(len(self.parent) - self.n)])

    def operation(self, solver: str, clock: Clock, late: bool = False):
        """The solve and its variables; d and r must be written before every step."""
        layout = self.layout
        domain = Domain("nodes", Layout(self.n, layout.place[: self.n], layout.stored_compartments))
        variables = {}
        for name in dict.fromkeys((*TREE_VARIABLES, "v")):
            if name != "late" or late:
                variables[name] = Variable(name, domain, array=aligned(layout.stored))
        place = layout.place
        variables["g"].array[layout.place] = np.where(layout.parent >= 0, self.coupling, 0.0)
        structure = {**layout.tables, "to_below": layout.to_below(variables["g"].array)}
        variables["carry"].array[place[: self.n]] = self.carry
        variables["v"].array[place[: self.n]] = self.v
        if late:
            variables["late"].array[place[: self.n]] = self.late
        diagonal = variables["diagonal"].array
        diagonal[:] = 1.0
        diagonal[place] = self.total
        diagonal[place[: self.n]] += self.carry
        self.write(variables)
        return Solve(name="solve", clock=clock, order=5, solver=solver, structures=(structure,),
                     blocks=np.array([[0, 0, layout.stored]]), variables=variables)  # fmt: skip

    def write(self, variables, source=None):
        """What a membrane kernel leaves in d and r."""
        place = self.layout.place[: self.n]
        d, r = variables["d"].array, variables["r"].array
        d[: self.layout.stored_compartments] = 1.0
        r[:] = 0.0
        d[place] = variables["diagonal"].array[place] + self.membrane
        r[place] = self.carry * variables["v"].array[place] + (self.source if source is None else source)
