"""What has whole cells: their sections and regions by name, and one compartment of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.groups import Subgroup
from rall.morphology.regions import region_arrays
from rall.plugins.cable.geometry import Cable
from rall.plugins.cable.places import Branch, in_cells, nearest_the_root
from rall.plugins.cable.selection import Region, Subtree

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["Parts", "Places"]

Indices = NDArray[np.int64]
#: Names that mean all sections of a type, where 'dend' or 'axon' mean one of them with all that hangs on it.
_WHOLE_REGIONS = ("basal", "apical")


class Parts:
    """What a group of cells and a view of some of them have in common."""

    cable: Cable
    N: int

    @property
    def _cells(self) -> Cells:
        """The whole group."""
        return self  # type: ignore[return-value]

    @property
    def cell_numbers(self) -> Indices:
        """Which cells of the group these are, shape (n_cells,)."""
        return np.arange(self.cable.cells)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.cell_numbers)

    @property
    def morphology(self) -> Any:
        """The morphology that all of these cells have, or a list with that of each."""
        which = self.cable.which[self.cell_numbers]
        if (which == which[0]).all():
            return self.cable.morphologies[int(which[0])]
        return [self.cable.morphologies[k] for k in which.tolist()]

    def numbers_in_group(self, here: Indices) -> Indices:
        """Numbers in the group of compartments that are numbered as here."""
        return here

    def numbers_here(self, in_group: Indices) -> Indices:
        """Numbers here of compartments that are numbered as in the group."""
        return in_group

    def _root(self) -> Branch:
        shapes = np.unique(self.cable.which[self.cell_numbers]).tolist()
        return Branch(self.cable, self.cell_numbers, {k: self.cable.morphologies[k] for k in shapes})

    @property
    def main(self) -> Subtree:
        """The first section of each cell, without what hangs on it."""
        return Subtree(self, self.numbers_here(self._root().alone()))  # type: ignore[arg-type]

    def named_part(self, name: str) -> Subtree | None:
        """The section, region or label of a name, None if there is none."""
        branch = self._root().child(name)
        inside = self._region(name)
        if branch is None or name in _WHOLE_REGIONS:
            if inside is None:
                return None
            hanging = branch is not None and np.array_equal(inside, self.numbers_here(branch.below()))
            return Region(self, inside, branch if hanging else None, name)  # type: ignore[arg-type]
        found = self.numbers_here(branch.below())
        if inside is None:
            return Subtree(self, found, branch)  # type: ignore[arg-type]
        complete = len(branch.sections) == len(self._root().sections)
        if not complete:
            # Cells without such a section have the region at most.
            shape = self.cable.which[self.cable.cell_of(self.numbers_in_group(inside))]
            found = np.concatenate([found, inside[~np.isin(shape, list(branch.sections))]])
            found.sort()
        if np.array_equal(found, inside):
            return Region(self, inside, branch if complete else None, name)  # type: ignore[arg-type]
        return Subtree(self, found, branch if complete else None)  # type: ignore[arg-type]

    def _region(self, name: str) -> Indices | None:
        """Compartments of a region or label, None if there is none of the name."""
        cable = self.cable
        if name in self._cells.labels.names:
            inside = self._cells.labels.mask(name)
            return np.flatnonzero(inside[self.numbers_in_group(np.arange(self.N))])
        regions = {k: region_arrays(shape.tree, {}) for k, shape in enumerate(cable.shapes)}
        local = {k: np.flatnonzero(arrays[name]) for k, arrays in regions.items() if name in arrays}
        return self.numbers_here(in_cells(cable, local, self.cell_numbers)) if local else None

    def at(self, where: Any) -> Places:
        """One compartment of each cell.

        Parameters
        ----------
        where : str, int, Place or part of a morphology
            A region, label or condition means its compartment that is nearest to the root, a number that compartment
            of each cell; a place of a morphology is meant in all cells that have it.  A list means what is nearest to
            the root of all that stands in it.

        Returns
        -------
        Places
            With one element for each cell, for values, monitors and synapses.

        Raises
        ------
        RallError
            Names a cell that has no such compartment.
        """
        found = self._candidates(where)
        cable, cells = self.cable, self.cell_numbers
        picked = nearest_the_root(cable, found, self._cells.variables["distance"].get()[found])
        having = cable.cell_of(picked)
        missing = cells[~np.isin(cells, having)]
        if len(missing):
            raise RallError(self._nothing_at(where, missing))
        return Places(self._cells, picked[np.searchsorted(having, cells)])

    def _candidates(self, where: Any) -> Indices:
        """Compartments, as the group numbers them, to choose from."""
        cable, cells = self.cable, self.cell_numbers
        if isinstance(where, (int, np.integer)) and not isinstance(where, (bool, np.bool_)):
            sizes = np.diff(cable.offset)[cells]
            number = where + sizes * (where < 0)
            fitting = (number >= 0) & (number < sizes)
            return np.asarray((cable.offset[cells] + number)[fitting])
        mixed = isinstance(where, list) and not all(isinstance(k, (int, np.integer)) for k in where)
        items = where if mixed else [where]
        return np.concatenate([self.numbers_in_group(self.indices_of(item)) for item in items])

    if TYPE_CHECKING:

        def indices_of(self, item: Any) -> Indices:
            """Compartments that an index means, as they are numbered here."""
            ...

    def _nothing_at(self, where: Any, missing: Indices) -> str:
        name = self._cells.name
        if self._cells.cable.cells == 1:
            return f"there is nothing at {where!r}: no compartment of '{name}' lies there"
        shown = ", ".join(map(str, missing[:10].tolist())) + (", ..." if len(missing) > 10 else "")
        which = f"cell {shown}" if len(missing) == 1 else f"cells {shown}"
        return f"there is nothing at {where!r} in {which} of '{name}': no compartment lies there"


class Places(Subgroup):
    """One compartment of each of some cells: a view, whose elements are numbered from 0.

    Its spikes are those of the cells.

    Parameters
    ----------
    group : Cells
        All cells.
    indices : ndarray of int64, shape (cells,)
        The compartments.
    """

    group: Cells

    @property
    def cell_numbers(self) -> Indices:
        """The cell of each element."""
        return self.group.cable.cell_of(self.indices)

    def event_elements(self) -> Indices:
        """See `Group.event_elements`."""
        return self.event_sources(np.arange(len(self)))

    def event_sources(self, numbers: Indices) -> Indices:
        """See `Group.event_sources`: where the cell spikes."""
        found = self.group.spikes_of(self.cell_numbers[numbers])
        return super().event_sources(numbers) if found is None else found

    def __getitem__(self, item: Any) -> Places:
        return Places(self.group, super().__getitem__(item).indices)

    def __repr__(self) -> str:
        return f"<one compartment of each of {len(self)} cells of '{self.group.name}'>"
