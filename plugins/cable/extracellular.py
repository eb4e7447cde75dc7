"""ExtracellularPotential: what electrodes outside of cells see, summed up while the cells run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, RallError
from rall.model import Model, Operation, Record
from rall.plugins.cable.cell_geometry import CellGeometry, positions_of
from rall.plugins.cable.cells import Cells
from rall.plugins.cable.volume_conductor import SOURCES, Sources
from rall.recording import InTable, Table
from rall.session import SimulationObject, warn
from rall.units import Quantity, dimension_of, get_or_create_dimension, metre, siemens, value_of

__all__ = ["ExtracellularPotential"]

Floats = NDArray[np.float64]
_METRE = get_or_create_dimension(length=1)
_SECOND = get_or_create_dimension(time=1)
_VOLT = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
_OHM = get_or_create_dimension(length=2, mass=1, time=-3, current=-2)
_CONDUCTIVITY = get_or_create_dimension(length=-3, mass=-1, time=3, current=2)


class ExtracellularPotential(InTable, SimulationObject):
    """Records the potential at electrodes outside of cells: their membrane currents times a matrix.

    What leaves a compartment through its membrane, capacitive current included, is what reaches it along the tree, so
    that every potential is a weighted sum of the voltages at the same time.  The weights are made at the beginning of a
    run; a record is one number for each electrode (and one more for each of `injected`), however many compartments
    there are.

    Parameters
    ----------
    cells : SpatialNeuron or SpatialNeuronGroup
        Whose currents.
    electrodes : Quantity, shape (electrodes, 3) or (3,), optional
        Where the potential is wanted; points in an infinite homogeneous medium.
    sigma : Quantity
        Conductivity of the medium.
    source : {'line', 'point'}
        Whether the current of a compartment leaves evenly along the straight line from its start to its end (Holt and
        Koch 1999), or at its middle.  A spherical soma counts as the point in its centre.  Nearer to a line or point
        than the radius, which is a warning, the potential is that at the radius.
    matrix : Quantity, shape (electrodes, compartments), optional
        In the place of electrodes: the potential at each for a unit of current out of each compartment, in ohm, from a
        model of one's own.
    geometry : CellGeometry, optional
        Where the compartments are; by default ``cells.geometry()``.
    injected : str or sequence of str
        Names of point currents of the equations that electrodes bring into the cells.  They come from outside of the
        medium and leave through the membrane, so that the currents of all compartments add up to them.  All other
        currents, synapses among them, are the membrane's own and add up to nothing.
    dt : Quantity, optional
        Time between records; by default the step of the cells.
    name : str
        Its name.

    Raises
    ------
    DimensionMismatchError
        For positions, a conductivity or a matrix in other units.
    RallError
        For wrong shapes and values, and for names that are no point currents.
    """

    invalidates_magic_network = False

    def __init__(
        self,
        cells: Cells,
        electrodes: Any = None,
        *,
        sigma: Any = 0.3 * siemens / metre,
        source: str = "line",
        matrix: Any = None,
        geometry: CellGeometry | None = None,
        injected: str | Sequence[str] = (),
        dt: Any = None,
        name: str = "extracellularpotential*",
    ) -> None:
        if not isinstance(cells, Cells):
            raise RallError(
                f"an ExtracellularPotential needs whole cells, a SpatialNeuron or a SpatialNeuronGroup, not "
                f"{cells!r:.80}; a matrix with zeros leaves compartments out"
            )
        super().__init__(name=name, dt=dt, clock=None if dt is not None else cells.clock)
        if (electrodes is None) == (matrix is None):
            raise RallError(f"'{self.name}' needs electrodes, or a matrix in their place")
        self.cells = cells
        self.injected = (injected,) if isinstance(injected, str) else tuple(injected)
        self._check_injected()
        self._places: Floats | None = None
        if matrix is None:
            self._places = positions_of(electrodes, "electrodes", "the place of each electrode")
            self._sigma = _conductivity(sigma)
            self._sources = self._sources_of(geometry, source)
            self._count = len(self._places)
            self._warn_of_near()
        elif geometry is not None:
            raise RallError("a matrix says how currents make potentials; geometry and electrodes are for want of one")
        else:
            self._matrix = self._own(matrix)
            self._count = len(self._matrix)
        self._table = Table(1 + self._count * (1 + len(self.injected)))
        self._made: tuple[Floats, Floats] | None = None

    # --- what is given -------------------------------------------------------------------------------------------

    def _check_injected(self) -> None:
        known = [line.varname for line in self.cells.equations.with_flag("point current")]
        for name in self.injected:
            if name not in known:
                there = f"there is {', '.join(known)}" if known else "it has none"
                raise RallError(f"injected currents are point currents of '{self.cells.name}', not '{name}'; {there}")

    def _sources_of(self, geometry: CellGeometry | None, source: str) -> Sources:
        if source not in SOURCES:
            raise RallError(f"there is no source '{source}'; compartments are taken for {' or '.join(SOURCES)}")
        if geometry is None:
            geometry = self.cells.geometry()
        if len(geometry) != self.cells.N:
            raise RallError(
                f"the geometry has {len(geometry)} compartments, and '{self.cells.name}' has {self.cells.N}"
            )
        return Sources.of(geometry, source)

    def _own(self, matrix: Any) -> Floats:
        if isinstance(matrix, str) or dimension_of(matrix) is not _OHM:
            raise DimensionMismatchError(f"a matrix from currents to potentials is in ohm, not {matrix!r:.80}")
        plain = np.array(value_of(matrix), float)
        if plain.ndim != 2 or plain.shape[1] != self.cells.N or not len(plain):
            raise RallError(
                f"the matrix has a row for each electrode and a column for each of the {self.cells.N} compartments of "
                f"'{self.cells.name}'; the shape of this is {plain.shape}"
            )
        if not np.isfinite(plain).all():
            raise RallError("the matrix has elements that are not finite")
        return plain

    def _warn_of_near(self) -> None:
        """Electrodes inside of cells are mistakes, or points of a grid that nobody will look at."""
        assert self._places is not None
        near = [(k, found) for k, place in enumerate(self._places) if len(found := self._sources.around(place))]
        if near:
            first, inside = near[0]
            others = f" (and {len(near) - 1} more are within others)" if len(near) > 1 else ""
            where = self.cells.describe_element(int(inside[0]))
            warn(
                f"'{self.name}': electrode {first} is within the radius of {where}{others}; the potential at the "
                "radius is recorded"
            )

    # --- running --------------------------------------------------------------------------------------------------

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self.cells,)

    def _row(self, electrode: int) -> Floats:
        """Potential at an electrode for a unit of current out of each compartment (ohm)."""
        if self._places is None:
            return np.asarray(self._matrix[electrode])
        return self._sources.resistance(self._places[electrode], self._sigma)

    def _weights(self, storage: NDArray[np.int64]) -> Floats:
        """Weights of the voltages of compartments in the order of `storage`, shape (compartments, electrodes).

        Conductances are the same in both directions, so that the weight of a voltage is a sum over differences of the
        matrix: an offset of all voltages, or of a row of the matrix, makes no potential.
        """
        resistivity = self.cells.passive_parameters["Ri"].least()
        if self._made is None or not np.array_equal(self._made[0], resistivity):
            here, there, conductance = self.cells.cable.pairs(resistivity)
            order = np.argsort(storage)
            weights = np.empty((len(storage), self._count))
            for electrode in range(self._count):
                row = self._row(electrode)
                weights[:, electrode] = np.bincount(here, conductance * (row[there] - row[here]), len(row))[order]
            self._made = resistivity, weights
        return self._made[1]

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        place = (self.clock, self.when, self.order)
        storage = self.cells.domain.layout.index(np.arange(self.cells.N))
        one = np.zeros(1, np.int64), np.ones(1), np.array([0, 1])
        rows: list[tuple[Any, ...]] = [(self.clock.t_variable, *one)]
        # In the order of storage, so that devices read voltages as they lie.
        rows.append((self.cells.variables["v"], np.sort(storage), self._weights(storage), None))
        probes, found = self.cells.probe(self.injected, self.name, place, model)
        yield from probes
        for name in self.injected:
            elements, _, _, compartments = self.cells.record_weights(name, True)
            outside = np.stack([self._row(k)[compartments] for k in range(self._count)], axis=1)
            rows.append((found[name], elements, outside, None))
        yield Record(
            name=f"{self.name}~record", clock=self.clock, when=self.when, order=self.order, rows=rows,
            table=self._table,
        )  # fmt: skip

    # --- what users see -------------------------------------------------------------------------------------------

    @property
    def t(self) -> Quantity:
        """Times of the records, shape (steps,)."""
        return Quantity(self.t_, dim=_SECOND)

    @property
    def v(self) -> Quantity:
        """Potentials, shape (electrodes, steps)."""
        return Quantity(self.v_, dim=_VOLT)

    @property
    def v_(self) -> Floats:
        """Potentials in volt, shape (electrodes, steps)."""
        recorded = self._table.values()[:, 1:]
        return np.asarray(recorded.reshape(len(recorded), -1, self._count).sum(axis=1).T)

    @property
    def electrodes(self) -> Quantity | None:
        """Where the electrodes are, shape (electrodes, 3); None with a matrix of one's own."""
        return None if self._places is None else Quantity(self._places.copy(), dim=_METRE)

    @property
    def matrix(self) -> Quantity:
        """Potentials for a unit of current out of each compartment (ohm), shape (electrodes, compartments)."""
        return Quantity(np.stack([self._row(k) for k in range(self._count)]), dim=_OHM)

    @property
    def N(self) -> int:
        """Number of recorded steps."""
        return len(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _conductivity(sigma: Any) -> float:
    if isinstance(sigma, str) or dimension_of(sigma) is not _CONDUCTIVITY:
        raise DimensionMismatchError(f"sigma is a conductivity such as 0.3*siemens/metre, not {sigma!r:.80}")
    plain = np.asarray(value_of(sigma), float)
    if plain.size != 1 or not 0 < plain.item() < np.inf:
        raise RallError(f"sigma is one positive conductivity, not {sigma!r:.80}; give a matrix for other media")
    return float(plain.item())
