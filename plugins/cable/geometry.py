"""The cables of some cells: compartments as domain, geometry as variables, coefficients and storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.integrators.linear_sdirk import GAMMA
from rall.model import SHARED, Domain, Layout, Lazy, Variable, aligned
from rall.morphology import Morphology
from rall.morphology.regions import region_arrays, variables
from rall.morphology.tree import Tree
from rall.plugins.cable.shape import Shape
from rall.plugins.cable.tree_layout import LANES, TreeLayout, lay_out, pack
from rall.units import get_or_create_dimension
from rall.units.table import lookup

__all__ = ["FIRST_GROWTH", "GAMMA", "Cable"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Share of a source's growth during the step in the first stage; derived in docs/numerics.md.
FIRST_GROWTH = -0.39073965875054584
#: Compartments of a block, whose dozen arrays then stay in a core's cache, and cells from which on packing pays.
_BLOCK, _FEWEST, _MOST_CELLS = 6000, 4, 32


@dataclass(frozen=True, eq=False)
class _Block:
    """Cells that are solved together: consecutive ones, and where their storage begins."""

    first: int
    last: int
    layout: TreeLayout
    start: int

    @property
    def alone(self) -> bool:
        """Whether it is one cell, whose tree has a root of its own choice."""
        return self.last - self.first == 1


class Cable:
    """Compartments of one or more cells in storage, and the coefficients of the voltage equation.

    Parameters
    ----------
    morphologies : sequence of Morphology
        One for each cell; cells that share the object share its tables.

    Attributes
    ----------
    shapes : tuple of Shape
        The different morphologies.
    which : ndarray of int64, shape (cells,)
        The shape of each cell.
    offset : ndarray of int64, shape (cells + 1,)
        First compartment of each cell, and the number of all.
    domain : Domain
        The compartments, cell by cell.
    scratch : dict of str to Variable
        What the solver needs, over compartments and branch points.
    """

    def __init__(self, morphologies: Sequence[Morphology]) -> None:
        number: dict[int, int] = {}
        self.which = np.array([number.setdefault(id(m), len(number)) for m in morphologies], np.int64)
        first = [int(np.flatnonzero(self.which == k)[0]) for k in range(len(number))]
        self.morphologies = tuple(morphologies[k] for k in first)
        self.shapes = tuple(Shape(m.flatten()) for m in self.morphologies)
        sizes = np.array([shape.n for shape in self.shapes])[self.which]
        self.offset = np.concatenate([[0], np.cumsum(sizes)])
        self.blocks = self._lay_out(sizes)
        place = [b.start + b.layout.place[: self.offset[b.last] - self.offset[b.first]] for b in self.blocks]
        borders = np.array([(b.start, b.start + b.layout.stored_compartments) for b in self.blocks])
        layout = Layout(
            self.n, np.concatenate(place), int(borders[-1, 1]), borders if len(self.blocks) > 1 else None
        )
        self.domain = Domain("compartments", layout)
        self.stored = self.blocks[-1].start + self.blocks[-1].layout.stored
        self.scratch = {
            name: self.node_variable(name)
            for name in ("d", "r", "carry", "g", "w", "f", "first", "second", "rest", "diagonal")
        }

    def _lay_out(self, sizes: Ints) -> tuple[_Block, ...]:
        known: dict[tuple[int, ...], TreeLayout] = {}
        blocks, start = [], 0
        for first, last in _divided(sizes):
            key = tuple(self.which[first:last].tolist())
            if key not in known:
                known[key] = self._layout_of(key)
            blocks.append(_Block(first, last, known[key], start))
            start += known[key].stored
        return tuple(blocks)

    def _layout_of(self, key: tuple[int, ...]) -> TreeLayout:
        """Storage of a block of cells of these shapes."""
        shapes = [self.shapes[k] for k in key]
        if len(shapes) == 1:
            return lay_out(shapes[0].graph.parent, shapes[0].n, shapes[0].tree.type)
        total = sum(shape.n for shape in shapes)
        compartments, points, here, behind = [], [], 0, total
        for shape in shapes:
            parent = shape.graph.parent
            moved = np.where(parent < shape.n, parent + here, parent - shape.n + behind)
            moved[parent < 0] = -1
            compartments.append(moved[: shape.n])
            points.append(moved[shape.n :])
            here, behind = here + shape.n, behind + shape.nodes - shape.n
        kinds = np.concatenate([shape.tree.type for shape in shapes])
        return pack(np.concatenate([*compartments, *points]), total, kinds)

    # --- numbers ------------------------------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """Number of compartments of all cells."""
        return int(self.offset[-1])

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.which)

    @property
    def tree(self) -> Tree:
        """The flattened morphology of the first cell."""
        return self.shapes[0].tree

    def tree_of(self, cell: int) -> Tree:
        """The flattened morphology of a cell."""
        return self.shapes[int(self.which[cell])].tree

    def cell_of(self, compartments: Ints) -> Ints:
        """The cell of each compartment."""
        return np.searchsorted(self.offset, compartments, side="right") - 1

    def everywhere(self, of: Callable[[int], NDArray[Any]]) -> NDArray[Any]:
        """Values for the compartments of all cells, shape (n,), from those of each shape by its number."""
        if len(self.shapes) == 1:
            return np.tile(of(0), self.cells)
        values = [of(k) for k in range(len(self.shapes))]
        return np.concatenate([values[k] for k in self.which.tolist()])

    # --- variables ----------------------------------------------------------------------------------------------

    def node_variable(self, name: str) -> Variable:
        """A float variable with room for branch points behind the compartments of each block."""
        return Variable(name, self.domain, role="scratch", array=aligned(self.stored))

    def geometry(self) -> dict[str, Variable]:
        """Constant variables: lengths, areas, places, and the regions as truth values."""
        found: dict[str, Variable] = {}
        known = [variables(shape.tree) for shape in self.shapes]
        for name, (values, unit) in known[0].items():
            if all(name in other for other in known):
                kind = "integer" if np.asarray(values).dtype.kind == "i" else "float"
                base = lookup(unit.partition("**")[0])
                power = float(unit.partition("**")[2] or 1)
                dimension = base.dim**power if base is not None else get_or_create_dimension()
                found[name] = self._constant(name, [other[name][0] for other in known], kind, dimension)
        regions = [region_arrays(s.tree, m.labels) for s, m in zip(self.shapes, self.morphologies)]
        for name in dict.fromkeys(name for one in regions for name in one):
            parts = [one.get(name, np.zeros(s.n, bool)) for s, one in zip(self.shapes, regions)]
            found[name] = self._constant(name, parts, "boolean")
        # 'all' is a region too.
        found["all"] = Variable("all", SHARED, kind="boolean", role="constant")
        found["all"].array[0] = True
        return found

    def _constant(
        self, name: str, values: Sequence[NDArray[Any]], kind: str, dimension: Any = None
    ) -> Variable:
        """A constant of compartments from its values for each shape; it takes memory once a kernel needs it."""
        given = get_or_create_dimension() if dimension is None else dimension
        return Lazy(name, self.domain, given, kind, "constant", lambda: self.everywhere(values.__getitem__))

    # --- coefficients -------------------------------------------------------------------------------------------

    def node_places(self, cell_block: _Block) -> Ints:
        """Storage of the nodes of a block's cells: for each cell its compartments, then its branch points."""
        place = cell_block.start + cell_block.layout.place
        base, found = self.offset[cell_block.first], []
        behind = int(self.offset[cell_block.last] - base)
        for cell in range(cell_block.first, cell_block.last):
            shape = self.shapes[int(self.which[cell])]
            first = int(self.offset[cell] - base)
            found += [place[first : first + shape.n], place[behind : behind + shape.nodes - shape.n]]
            behind += shape.nodes - shape.n
        return np.concatenate(found)

    def _couple(self, resistivity: Floats) -> None:
        """Axial conductances (siemens), for a resistivity in ohm metre of shape (compartments,) or (1,).

        From every node to its parent in the layout, and on the diagonal the sum of all that meet at a node.
        """
        coupling, total = self.scratch["g"].array, self.scratch["diagonal"].array
        coupling[:], total[:] = 0.0, 1.0
        relative: dict[int, Ints] = {}
        by_shape = [(shape, found, shape.totals(found)) for shape, found in self._by_shape(resistivity)]
        seen = [0] * len(self.shapes)
        for block in self.blocks:
            key = id(block.layout)
            if key not in relative:
                relative[key] = self.node_places(block) - block.start
            mine, begin = relative[key] + block.start, 0
            for k in self.which[block.first : block.last].tolist():
                shape, conductance, sums = by_shape[k]
                nodes = mine[begin : begin + shape.nodes]
                begin += shape.nodes
                lower = shape.child
                if block.alone:
                    # Edges belong to the lower node after rooting, which may be either end.
                    stays = block.layout.parent[shape.child] == shape.above
                    lower = np.where(stays, shape.child, shape.above)
                row = seen[k] if len(conductance) > 1 else 0
                seen[k] += 1
                coupling[nodes[lower]], total[nodes] = conductance[row], sums[row]

    def _by_shape(self, resistivity: Floats) -> list[tuple[Shape, Floats]]:
        """For each shape the conductances of its edges, one row for each of its cells or one for all of them."""
        found = []
        for k, shape in enumerate(self.shapes):
            if len(resistivity) == 1:
                rows = resistivity.reshape(1, 1)
            else:
                cells = np.flatnonzero(self.which == k)
                rows = resistivity[self.offset[cells][:, None] + np.arange(shape.n)]
                if (rows == rows[:1]).all():
                    rows = rows[:1]
            found.append((shape, shape.conductances(rows)))
        return found

    def assemble(
        self, capacitance: Floats, resistivity: Floats, implicit_dt: float
    ) -> tuple[tuple[Mapping[str, NDArray[Any]], ...], Ints]:
        """Fill the coefficients for one time step and give the tables of the trees (`rall.model.Solve`).

        Parameters
        ----------
        capacitance : ndarray
            Farad/metre**2, shape (compartments,) or (1,).
        resistivity : ndarray
            Ohm metre, shape (compartments,) or (1,).
        implicit_dt : float
            Seconds that one implicit stage stands for.

        Returns
        -------
        tuple of mapping, ndarray of int64 of shape (blocks, 3)
            Structures, and for each block its structure, its first storage element, and how many it has.
        """
        self._couple(resistivity)
        place = self.domain.layout.place
        # In place, for there may be very many compartments.
        charging = self.everywhere(lambda k: self.shapes[k].tree.area)
        charging *= 1e-12 / implicit_dt
        charging *= capacitance
        carry, diagonal = self.scratch["carry"].array, self.scratch["diagonal"].array
        carry[:] = 0.0
        carry[place] = charging
        diagonal[: len(carry)] += carry
        coupling = self.scratch["g"].array
        structures: list[Mapping[str, NDArray[Any]]] = []
        known: dict[tuple[int, bytes], int] = {}
        rows = []
        for block in self.blocks:
            layout = block.layout
            to_below = layout.to_below(coupling[block.start : block.start + layout.stored])
            key = (id(layout), to_below.tobytes())
            if key not in known:
                known[key] = len(structures)
                structures.append({**layout.tables, "to_below": to_below})
            rows.append((known[key], block.start, layout.stored))
        return tuple(structures), np.array(rows, np.int64)

    def pairs(self, resistivity: Floats) -> tuple[Ints, Ints, Floats]:
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
        found = []
        for k, (shape, conductance) in enumerate(self._by_shape(resistivity)):
            here, there, siemens = shape.pairs(conductance)
            first = self.offset[:-1][self.which == k][:, None]
            every = np.broadcast_to(siemens, (len(first), len(here)))
            found.append(((first + here).ravel(), (first + there).ravel(), every.ravel()))
        here, there, siemens = (np.concatenate(parts) for parts in zip(*found))
        return here, there, siemens

    def axial_current(self, v: Floats, resistivity: Floats) -> Floats:
        """Current that flows into each compartment along the tree (ampere), for v in volt, shape (compartments,)."""
        here, there, conductance = self.pairs(resistivity)
        return np.asarray(np.bincount(here, conductance * (v[there] - v[here]), minlength=self.n), float)


def _divided(sizes: Ints) -> list[tuple[int, int]]:
    """First and last cell of each block, for the number of compartments of each cell.

    Large cells go by themselves, and so do small ones if there are few of them; others go by multiples of as many as
    there are SIMD lanes, so that like branches fill these.
    """
    found: list[tuple[int, int]] = []
    borders = [0, *(np.flatnonzero(np.diff(sizes > _BLOCK // _FEWEST)) + 1).tolist(), len(sizes)]
    for first, last in pairwise(borders):
        fitting = int(_BLOCK // np.mean(sizes[first:last]))
        if last - first < _FEWEST or fitting < _FEWEST:
            found += [(k, k + 1) for k in range(first, last)]
            continue
        each = min(_MOST_CELLS, fitting // LANES * LANES if fitting >= LANES else fitting)
        # The last block takes what would be too few for one of its own.
        starts = list(range(first, last, each))
        if len(starts) > 1 and last - starts[-1] < _FEWEST:
            starts.pop()
        found += pairwise([*starts, last])
    return found
