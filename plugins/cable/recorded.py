"""What monitors read of cells: compartments, and voltages at places between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.morphology import Place
from rall.plugins.cable.mechanisms import Mechanism
from rall.plugins.cable.places import PlaceIn, on_shapes

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["has_places", "together", "weights_at_places", "weights_on"]

Indices = NDArray[np.int64]
#: Storage elements, weights, borders of what is summed to one column, compartments: see `Group.record_weights`.
_Weights = tuple[Indices, NDArray[np.float64], Indices, Indices]


def has_places(item: Any) -> bool:
    """Whether an index is a place, or several things with a place among them."""
    return any(isinstance(one, (Place, PlaceIn)) for one in _several(item))


def _several(item: Any) -> Sequence[Any]:
    return item if isinstance(item, (list, tuple)) else [item]


def together(cells: Cells, item: Any) -> Any:
    """An index that the group takes: several that are not all numbers become their compartments."""
    if not isinstance(item, (list, tuple)) or all(isinstance(k, (int, np.integer)) for k in item):
        return item
    return np.concatenate([cells.indices_of(one) for one in item])


def weights_at_places(cells: Cells, item: Any) -> _Weights:
    """Recording of the voltage at places, exactly there, and of compartments.

    Parameters
    ----------
    cells : Cells
        Whose.
    item : object
        A place or an index, or several; a place has a column for each cell that has it, by the number of the cell.
    """
    parts = [_at_place(cells, one) if has_places(one) else _at_compartments(cells, one) for one in _several(item)]
    storage, weights, widths, picked = (np.concatenate(each) for each in zip(*parts))
    return storage, weights, np.concatenate([[0], np.cumsum(widths)]), picked


def _at_compartments(cells: Cells, item: Any) -> _Weights:
    picked = cells.indices_of(item)
    return cells.domain.layout.index(picked), np.ones(len(picked)), np.ones(len(picked), np.int64), picked


def _at_place(cells: Cells, item: Place | PlaceIn) -> _Weights:
    """As `_at_compartments`, where the third is the number of storage elements of each column."""
    cable = cells.cable
    where = item if isinstance(item, PlaceIn) else PlaceIn(item, np.arange(cable.cells))
    storage, weights, widths, picked = [], [], [], []
    places = {k: (*p.interpolation(), p.compartment) for k, p in on_shapes(cable, where.place, where.cells).items()}
    for cell in where.cells.tolist():
        found = places.get(int(cable.which[cell]))
        if found is not None:
            first = int(cable.offset[cell])
            storage.append(first + found[0])
            weights.append(found[1])
            widths.append(len(found[1]))
            picked.append(first + found[2])
    index = cells.domain.layout.index(np.concatenate(storage))
    return index, np.concatenate(weights), np.array(widths), np.array(picked)


def weights_on(cells: Cells, name: str, home: Mechanism, item: Any) -> _Weights:
    """Recording of a variable that lives on some compartments only.

    Raises
    ------
    RallError
        If it does not live on one of those that are asked for.
    """
    picked = home.members if item is True else cells.indices_of(together(cells, item))
    missing = picked[~home.mask[picked]]
    if len(missing):
        raise RallError(f"'{name}' does not live on {cells.describe_element(int(missing[0]))}")
    position = np.searchsorted(home.members, picked)
    return home.domain.layout.index(position), np.ones(len(picked)), np.arange(len(picked) + 1), picked
