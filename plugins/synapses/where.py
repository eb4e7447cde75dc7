"""``connect(..., where=...)``: pairs of an element and a cell become synapses onto compartments of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.groups import Sites
from rall.plugins.synapses.connect import Pairs

if TYPE_CHECKING:
    from rall.plugins.synapses.scope import ConnectScope
    from rall.plugins.synapses.sides import Side

__all__ = ["onto_sites", "sites_of"]


def sites_of(side: Side, where: Any, j: Any) -> Sites | None:
    """What `where` leaves of a target to draw from; None where it is not given.

    Parameters
    ----------
    side : Side
        The target.
    where : object
        The region, as `connect` takes it.
    j : object
        What `connect` is given as targets, which must be cells.

    Raises
    ------
    RallError
        If the target has no cells, or `j` names compartments.
    """
    if where is None:
        return None
    if not isinstance(j, (type(None), str, int, np.integer, list, tuple, range, np.ndarray)):
        raise RallError(
            f"with where=... the target j is the number of a cell, or text, and {j!r:.60} is a place on one; give it "
            "as where, or leave where out"
        )
    found = side.group.sites(where)
    if side.whole:
        return found
    # Numbers in the part; its cells are counted from 0, too, in the order of its elements.
    everything = side.group.sites(slice(None))
    number = np.full(side.group.N, -1)
    number[side.elements] = np.arange(side.size)
    cells, first = np.unique(everything.cells[side.elements], return_index=True)
    inside = number[found.elements] >= 0
    rank = np.argsort(np.argsort(first))[np.searchsorted(cells, found.cells[inside])]
    return Sites(number[found.elements[inside]], rank, found.weights[inside], len(cells))


def onto_sites(found: Pairs, sites: Sites, scope: ConnectScope, where: Any, skip: bool) -> Pairs:
    """Draw a compartment for each pair of an element and a cell.

    Parameters
    ----------
    found : Pairs
        Whose `j` are cells.
    sites : Sites
        Compartments with their cells and areas.
    scope : ConnectScope
        Gives the random numbers: one for each pair, in their order.
    where : object
        The region, for messages.
    skip : bool
        Whether pairs are left out whose cell has nothing in the region.

    Raises
    ------
    RallError
        If a cell has nothing in the region, without `skip`.
    """
    i, cells = found.i, found.j
    there: NDArray[np.bool_] = np.bincount(sites.cells, minlength=sites.count) > 0
    uniforms = scope.shares(len(cells))
    if not there.all():
        missing = ~there[cells]
        if missing.any() and not skip:
            raise RallError(
                f"where={where!r} holds no compartment of cell {cells[missing][0]} of "
                f"'{scope.synapses.post_side.group.name}'; skip_if_invalid=True leaves such pairs out"
            )
        i, cells, uniforms = i[~missing], cells[~missing], uniforms[~missing]
    return Pairs(i, sites.drawn(cells.astype(np.int64), uniforms).astype(np.int32))
