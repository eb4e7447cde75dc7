"""SpatialNeuron and SpatialNeuronGroup: one cell with a morphology, and many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import Equations
from rall.errors import RallError
from rall.morphology import Morphology
from rall.plugins.cable.cells import Cells
from rall.plugins.cable.places import in_cells
from rall.plugins.cable.selection import Subtree
from rall.plugins.cable.threshold import Spiking
from rall.plugins.cable.views import CellView, view_of
from rall.units import Quantity, cm, ohm, uF

__all__ = ["SpatialNeuron", "SpatialNeuronGroup"]

_SOMA = 1


class SpatialNeuron(Cells):
    """A neuron with a morphology.

    Parameters
    ----------
    morphology : Morphology
        Its shape; its compartments are the elements.
    model : str, Equations or dict
        Equations, or a dictionary from regions (conditions) to equations.  Membrane current density is ``Im`` or
        the sum of the lines with the flag ``membrane current`` (amp/metre**2, positive depolarises); a line with the
        flag ``point current`` is in amp.  All that is linear in v is taken implicitly.
    threshold, refractory, reset : str or Quantity, optional
        When a spike is, how long there is no next one, and what it does to the compartments that spiked.
    events : dict, optional
        Not supported yet for cells.
    threshold_location : int, Place or Morphology, optional
        The one compartment that is looked at; without it every compartment spikes for itself.
    dt, clock, order
        Of the update; see `SimulationObject`.
    Cm : Quantity or str
        Specific capacitance, one or one for each compartment.
    Ri : Quantity or str
        Resistivity, one or one for each compartment.
    name : str
        Its name.
    dtype : object
        Accepted; values are doubles.
    namespace : dict, optional
        Values of names in the equations; without it they are looked up where ``run`` is called.
    method : str, optional
        Update of the gates, by default the second-order exponential method.
    method_options : dict, optional
        Accepted; no method has options yet.
    cable_method : {'second_order', 'backward_euler'}
        Step of the cell: gates and voltage staggered by half a step, or gates and then voltage by whole steps, which is
        of first order.

    Raises
    ------
    EquationError
        If the equations cannot be understood.
    RallError
        If something else does not fit.
    """

    def __init__(
        self,
        morphology: Morphology | None = None,
        model: str | Equations | Mapping[str, str | Equations] | None = None,
        threshold: str | None = None,
        refractory: bool | str | Quantity = False,
        reset: str | None = None,
        events: Mapping[str, str] | None = None,
        threshold_location: Any = None,
        dt: Any = None,
        clock: Any = None,
        order: int = 0,
        Cm: Any = 0.9 * uF / cm**2,
        Ri: Any = 150 * ohm * cm,
        name: str = "spatialneuron*",
        dtype: Any = None,
        namespace: Mapping[str, object] | None = None,
        method: str | Sequence[str] | None = None,
        method_options: Mapping[str, Any] | None = None,
        cable_method: str = "second_order",
    ) -> None:
        if not isinstance(morphology, Morphology):
            raise RallError(f"SpatialNeuron needs a morphology, not {morphology!r}")
        _refuse_events(events)
        super().__init__(
            [morphology], model, Cm, Ri, Spiking(threshold, reset, refractory, threshold_location),
            (method, cable_method), name=name, namespace=namespace, clock=clock, order=order, dt=dt,
        )  # fmt: skip

    def __getitem__(self, item: Any) -> Subtree:
        return Subtree(self, self.indices_of(item))

    def describe_cell(self, cell: int) -> str:
        """See `Cells.describe_cell`."""
        return f"'{self.name}'"

    def threshold_compartments(self, location: Any) -> NDArray[np.int64]:
        """See `Cells.threshold_compartments`; it must be one compartment."""
        found = self.indices_of(location)
        if len(found) != 1:
            raise RallError(f"threshold_location must be one compartment, and {location!r} is {len(found)}")
        return found


class SpatialNeuronGroup(Cells):
    """Many neurons with morphologies.

    Variables are flat over the compartments of all cells: compartment k of cell c is element ``offset[c] + k``.  A
    spike's index is the cell, and synapses from any of its compartments (or from `at`) hear it; their ``i`` and ``j``
    are flat numbers of compartments, and those of cells where they come from `at` or go there.

    Parameters
    ----------
    N : int, optional
        Number of cells; with a list of morphologies its length.
    morphology : Morphology or sequence of Morphology
        The shape of all cells, or that of each.
    model : str, Equations or dict
        As of `SpatialNeuron`; regions are those of all cells, and in texts ``cell_index`` is the number of the cell.
    threshold, refractory : str or Quantity, optional
        When a cell spikes, and how long there is no next spike of this cell.
    reset : str, optional
        What a spike does to the compartment of the cell that is looked at.
    events : dict, optional
        Not supported yet for cells.
    threshold_location : str, int, Place or Morphology, optional
        The compartment of each cell that is looked at, as `at` takes it; by default the soma, or the first
        compartment of a cell without one.
    dt, clock, order, Cm, Ri, name, dtype, namespace, method, method_options, cable_method
        As of `SpatialNeuron`.

    Attributes
    ----------
    offset : ndarray of int64, shape (n_cells + 1,)
        First compartment of each cell, and the number of all.

    Raises
    ------
    EquationError
        If the equations cannot be understood.
    RallError
        If something else does not fit.
    """

    def __init__(
        self,
        N: int | None = None,
        morphology: Morphology | Sequence[Morphology] | None = None,
        model: str | Equations | Mapping[str, str | Equations] | None = None,
        threshold: str | None = None,
        refractory: bool | str | Quantity = False,
        reset: str | None = None,
        events: Mapping[str, str] | None = None,
        threshold_location: Any = None,
        dt: Any = None,
        clock: Any = None,
        order: int = 0,
        Cm: Any = 0.9 * uF / cm**2,
        Ri: Any = 150 * ohm * cm,
        name: str = "spatialneurongroup*",
        dtype: Any = None,
        namespace: Mapping[str, object] | None = None,
        method: str | Sequence[str] | None = None,
        method_options: Mapping[str, Any] | None = None,
        cable_method: str = "second_order",
    ) -> None:
        _refuse_events(events)
        location = _SomaOrRoot() if threshold_location is None and threshold is not None else threshold_location
        super().__init__(
            _one_for_each(N, morphology), model, Cm, Ri, Spiking(threshold, reset, refractory, location),
            (method, cable_method), name=name, namespace=namespace, clock=clock, order=order, dt=dt,
        )  # fmt: skip

    def threshold_compartments(self, location: Any) -> NDArray[np.int64]:
        """See `Cells.threshold_compartments`."""
        if isinstance(location, _SomaOrRoot):
            return location.compartments(self)
        return self.at(location).indices

    def event_elements(self) -> NDArray[np.int64]:
        """See `Group.event_elements`: one for each cell."""
        found = self.spikes_of(np.arange(self.n_cells))
        assert found is not None
        return found

    def event_sources(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Group.event_sources`: a spike is that of all compartments of its cell."""
        found = self.spikes_of(self.cable.cell_of(numbers))
        assert found is not None
        return found

    def __len__(self) -> int:
        return self.n_cells

    def __iter__(self) -> Iterator[CellView]:
        return (CellView(self, np.array([k])) for k in range(self.n_cells))

    def __getitem__(self, item: Any) -> Any:
        found = view_of(self, self.cell_numbers, item)
        return Subtree(self, self.indices_of(item)) if found is None else found

    def __repr__(self) -> str:
        return f"<'{self.name}': {self.n_cells} cells, {self.N} compartments>"


class _SomaOrRoot:
    """Where cells spike if nobody says it."""

    def compartments(self, cells: Cells) -> NDArray[np.int64]:
        """One of each cell."""
        local = {}
        for k, shape in enumerate(cells.cable.shapes):
            soma = np.flatnonzero(shape.tree.type == _SOMA)
            local[k] = soma[[int(np.argmin(shape.tree.distance[soma]))]] if len(soma) else np.zeros(1, np.int64)
        return in_cells(cells.cable, local)


def _refuse_events(events: Any) -> None:
    if events:
        raise RallError("custom events of cells are not supported yet; use threshold and reset")


def _one_for_each(count: Any, morphology: Any) -> list[Morphology]:
    """The morphology of each cell."""
    if count is not None and (isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1):
        if isinstance(count, (Morphology, list, tuple)) and morphology is None:
            raise RallError("the first argument of SpatialNeuronGroup is the number of cells; write morphology=...")
        raise RallError(f"the number of cells of a SpatialNeuronGroup is a whole number from 1 on, not {count!r:.60}")
    if isinstance(morphology, Morphology):
        if count is None:
            raise RallError(
                "SpatialNeuronGroup with one morphology needs the number of its cells: "
                "SpatialNeuronGroup(100, morphology=...)"
            )
        return [morphology] * int(count)
    given = list(morphology) if isinstance(morphology, (list, tuple, np.ndarray)) else []
    wrong = [one for one in given if not isinstance(one, Morphology)]
    if not given or wrong:
        raise RallError(
            "SpatialNeuronGroup needs a morphology, or a list with that of each cell, not "
            f"{(wrong or [morphology])[0]!r:.60}"
        )
    if count is not None and count != len(given):
        raise RallError(f"SpatialNeuronGroup has {count} cells, and the list has {len(given)} morphologies")
    return given
