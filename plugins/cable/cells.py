"""Cells: what a SpatialNeuron and a SpatialNeuronGroup are, the compartments of one or more cells as a group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import PARAMETER, Equations
from rall.errors import DimensionMismatchError, RallError
from rall.events import EventList
from rall.groups import Group, Sites
from rall.model import Access, Check, Clock, Lazy, Model, Operation, Variable
from rall.morphology import Morphology
from rall.morphology.regions import region_arrays
from rall.plugins.cable.cell_geometry import CellGeometry, located
from rall.plugins.cable.compact import Compact
from rall.plugins.cable.geometry import Cable
from rall.plugins.cable.labels import Labels
from rall.plugins.cable.mechanisms import place_model
from rall.plugins.cable.parts import Parts
from rall.plugins.cable.places import find_compartments
from rall.plugins.cable.present import Present
from rall.plugins.cable.reach import Reach
from rall.plugins.cable.recorded import has_places, together, weights_at_places, weights_on
from rall.plugins.cable.scope import Scope
from rall.plugins.cable.selection import Subtree
from rall.plugins.cable.steps import CABLE_METHODS, AddedCurrent, CableStep
from rall.plugins.cable.threshold import Spiking, Threshold
from rall.units import DIMENSIONLESS, Dimension, Quantity, dimension_of, get_or_create_dimension

__all__ = ["Cells"]

_VOLT = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
_CAPACITANCE = get_or_create_dimension(length=-4, mass=-1, time=4, current=2)
_RESISTIVITY = get_or_create_dimension(length=3, mass=1, time=-3, current=-2)
_DENSITY = get_or_create_dimension(length=-2, current=1)
_METRE = get_or_create_dimension(length=1)
_SECOND = get_or_create_dimension(time=1)
_REGIONS = ("soma", "axon", "basal", "apical")


class Cells(Parts, Group):
    """The compartments of one or more cells, cell by cell.

    Parameters
    ----------
    morphologies : sequence of Morphology
        One for each cell; cells that share the object share its tables.
    model : str, Equations or mapping
        Equations, or a mapping from regions (conditions) to equations.
    Cm, Ri : Quantity or str
        Specific capacitance and resistivity, one or one for each compartment.
    spiking : Spiking
        Threshold, refractoriness and reset.
    methods : tuple of (str or sequence of str or None, str)
        Update of the gates, and of the cable.
    **how
        As of `Group`.

    Attributes
    ----------
    cable : Cable
        Geometry and storage.
    mechanisms : tuple of Mechanism
        Lines of the model with the compartments that they live on.
    labels : Labels
        Of the morphologies.
    ion_totals : mapping of str to tuple of str
        Sums of the currents of an ion, and the currents.
    """

    implicit_variable = "v"

    def __init__(
        self,
        morphologies: Sequence[Morphology],
        model: str | Equations | Mapping[str, str | Equations] | None,
        Cm: Any,
        Ri: Any,
        spiking: Spiking,
        methods: tuple[Any, str],
        **how: Any,
    ) -> None:
        kind = type(self).__name__
        if model is None:
            raise RallError(f"{kind} needs a model: equations, or a dictionary from regions to equations")
        method, cable_method = methods
        if cable_method not in CABLE_METHODS:
            raise RallError(f"there is no cable_method '{cable_method}'; there are {', '.join(CABLE_METHODS)}")
        cable = Cable(morphologies)
        super().__init__(domain=cable.domain, equations=Equations(()), **how)
        self.cable, self.method, self.cable_method = cable, method, cable_method
        self._gates: frozenset[str] = frozenset()
        self._running_state = False
        self._in_run = False
        self._make_geometry()
        placed = place_model(model, self.labels.mask, self.domain)
        self.equations, self.mechanisms, self.ion_totals = placed.equations, placed.mechanisms, placed.totals
        self._make_variables()
        self._gates = frozenset(self.equations.diff_eq_names)
        self._set_parameter("Cm", Cm)
        self._set_parameter("Ri", Ri)
        for mask, defaults in placed.defaults:
            for variable, value in defaults.items():
                self._set_default(variable, value, mask)
        scope = Scope(self)
        self._scope, self._step, self._present = scope, CableStep(scope), Present(scope)
        self._reach = Reach(self)
        self._running_state = True
        self._threshold = Threshold(self, spiking)
        self.labels.learn(self.labels.names)
        self._ready = True

    # --- making -----------------------------------------------------------------------------------------------

    def _make_geometry(self) -> None:
        self.variables.update(self.cable.geometry())
        cable = self.cable
        number = lambda: cable.cell_of(np.arange(cable.n))  # noqa: E731
        self.variables["cell_index"] = Lazy("cell_index", self.domain, DIMENSIONLESS, "integer", "constant", number)
        self.labels = Labels(self, super().evaluate)
        self.variables["v"] = Variable("v", self.domain, _VOLT, array=self.cable.node_variable("v").array)
        #: Capacitance and resistivity.
        self.passive_parameters = {
            "Cm": Compact("Cm", self.domain, _CAPACITANCE), "Ri": Compact("Ri", self.domain, _RESISTIVITY),
        }  # fmt: skip
        self.variables.update(self.passive_parameters)
        self.computed_names["Ic"] = _DENSITY

    def _make_variables(self) -> None:
        self.computed_names["Im"] = _DENSITY
        for mechanism in self.mechanisms:
            for line in mechanism.equations:
                self.add_line(line, mechanism.domain, "state")
            for line in mechanism.lines:
                if line.kind == PARAMETER:
                    self.add_line(line, mechanism.domain, "parameter")
                elif line.has("constant over dt"):
                    self.add_line(line, mechanism.domain, "scratch")

    def evaluate(
        self,
        text: str,
        selection: NDArray[np.int64] | None = None,
        dimension: Dimension | None = None,
        with_units: bool = False,
        local: Mapping[str, Any] | None = None,
    ) -> Any:
        """See `Group.evaluate`; labels of the morphology are known."""
        self.labels.learn(self.identifiers(text))
        return super().evaluate(text, selection, dimension, with_units, local)

    def _set_parameter(self, name: str, value: Any) -> None:
        variable = self.passive_parameters[name]
        if not isinstance(value, str) and dimension_of(value) is not variable.dimension:
            raise DimensionMismatchError(
                f"{name} must be in {variable.dimension}, and {value} is in {dimension_of(value)}"
            )
        self.write(name, None, value)
        if not (variable.least() > 0).all():
            raise RallError(f"{name} must be positive everywhere, and {value} is not")

    def _set_default(self, name: str, value: Any, mask: NDArray[np.bool_]) -> None:
        shared = self.variables[name].shared
        self.write(name, None if shared else np.flatnonzero(mask), value)

    # --- what users see -----------------------------------------------------------------------------------------

    @property
    def cable_method_used(self) -> str:
        """How the cable is stepped, and what of it is only first order, if anything is."""
        return self._step.description()

    @property
    def offset(self) -> NDArray[np.int64]:
        """First compartment of each cell, and the number of all; shape (n_cells + 1,)."""
        return self.cable.offset.copy()

    def sites(self, where: Any) -> Sites:
        """See `Group.sites`; drawn in proportion to membrane area."""
        found = np.unique(self.indices_of(where))
        return Sites(found, self.cable.cell_of(found), self.variables["area"].get()[found], self.n_cells)

    def geometry(self, positions: Any = None, rotations: Any = None) -> CellGeometry:
        """Where the compartments are: start, end and diameter of each, for forward models of potentials.

        Parameters
        ----------
        positions : Quantity, shape (3,) or (cells, 3), optional
            Where the beginning of each cell is put: a spherical soma's centre, else the start of the first section.
        rotations : array, shape (3, 3) or (cells, 3, 3), optional
            By which matrix each cell is turned about its beginning.

        Raises
        ------
        MorphologyError
            If the morphology has no coordinates.
        """
        return located([self.cable.tree_of(cell) for cell in range(self.cable.cells)], positions, rotations)

    def initialise(self, v: Any) -> None:
        """Set the voltage, and every differential variable to its steady state there.

        Parameters
        ----------
        v : Quantity or str
            Voltage, one or one for each compartment.
        """
        self.write("v", None, v)
        self._present.steady_state(self.run_externals())

    def indices_of(self, item: Any) -> NDArray[np.int64]:
        """Compartments that an index means; besides what groups take, places, sections and distances."""
        found = find_compartments(self.cable, item)
        if found is not None:
            return found
        if isinstance(item, Subtree) and item.group is self:
            return item.indices
        if isinstance(item, str) and item in self.labels.names:
            return np.flatnonzero(self.labels.mask(item))
        return super().indices_of(item)

    def __getattr__(self, name: str) -> Any:
        part = self.named_part(name) if self._ready and not name.startswith("_") else None
        return super().__getattr__(name) if part is None else part

    @property
    def time_constant(self) -> Quantity:
        """Membrane time constant Cm/conductance of each compartment now, shape (compartments,)."""
        conductance = self._present.conductance(self.run_externals())
        return Quantity(self.variables["Cm"].get() / conductance, dim=_SECOND)

    @property
    def space_constant(self) -> Quantity:
        """Length constant sqrt(diameter/(4*Ri*conductance)) of each compartment now, shape (compartments,)."""
        conductance = self._present.conductance(self.run_externals())
        diameter, resistivity = self.variables["diameter"].get(), self.variables["Ri"].get()
        return Quantity(np.sqrt(diameter / (4.0 * resistivity * conductance)), dim=_METRE)

    # --- values ---------------------------------------------------------------------------------------------------

    def values_of(self, name: str) -> NDArray[Any]:
        """See `Group.values_of`; gates at the present time, NaN where a variable does not live."""
        if name == "Im":
            return self._present.membrane_current(self.run_externals())
        if name == "Ic":
            im = self._present.membrane_current(self.run_externals())
            axial = self.cable.axial_current(self.variables["v"].get(), self.passive_parameters["Ri"].least())
            return np.asarray(im + axial / self.variables["area"].get())
        if name in self._gates and self._scope.lag.array[0]:
            return self._everywhere(name, self._present.synchronised([name])[name])
        if name in self.variables:
            variable = self.variables[name]
            return variable.get() if variable.shared else self._everywhere(name, variable.get())
        return self._present.expression(name, self.run_externals())

    def values_at(self, name: str, selection: NDArray[np.int64]) -> NDArray[Any]:
        """See `Group.values_at`."""
        values = self.values_of(name)
        return values if self.is_shared(name) else values[selection]

    def _everywhere(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Values of a variable that lives on some compartments, NaN on the others."""
        domain = self.variables[name].domain
        if domain is self.domain:
            return values
        home = next(m for m in self.mechanisms if m.domain is domain)
        everywhere = np.full(self.domain.size, np.nan)
        everywhere[home.members] = values
        return everywhere

    def store_values(self, name: str, selection: NDArray[np.int64] | None, values: Any) -> None:
        """See `Group.store_values`; compartments where the variable does not live are left out."""
        if self._in_run and name in self._scope.uniform:
            raise RallError(
                f"'{name}' of '{self.name}' is constant and cannot change during a run; set it between runs, or leave "
                "out the flag 'constant' of its line"
            )
        domain = self.variables[name].domain
        if domain is self.domain or self.variables[name].shared:
            super().store_values(name, selection, values)
            return
        everywhere = self._everywhere(name, self.variables[name].get())
        everywhere[slice(None) if selection is None else selection] = values
        home = next(m for m in self.mechanisms if m.domain is domain)
        self.variables[name].set(everywhere[home.members])

    def reach(self, name: str, index: Variable) -> Variable | Access | None:
        """See `Group.reach`; also of what lives on some compartments."""
        variable = self.variables.get(name)
        if variable is None or variable.shared or variable.domain is self.domain:
            return super().reach(name, index)
        home = next(m for m in self.mechanisms if m.domain is variable.domain)
        return self._reach.access(variable, home, index)

    def slope_of(self, name: str, coupled: bool) -> Variable | None:
        """See `Group.slope_of`; for what currents are made of."""
        return self._scope.couplings.slope(name, coupled) if self._scope.makes_current(name) else None

    def before_write(self, name: str) -> None:
        """See `Group.before_write`: what gates depend on changes at the present time, not half a step before."""
        if self._running_state and self._step.reads(name):
            self._present.synchronise()
        if self._running_state and name == "v":
            self._scope.couplings.forget()

    def writes_in_program(self) -> bool:
        """Whether operations other than the cell's own step change its state: resets, synapses, code of the user's."""
        return self._threshold.resets or not self.written.isdisjoint(self.equations.diff_eq_names)

    def probe(
        self,
        names: Sequence[str],
        owner: str,
        place: tuple[Clock, str, int],
        model: Model | None = None,
        events: EventList | None = None,
        everywhere: bool = False,
    ) -> tuple[list[Operation], dict[str, Variable]]:
        """See `Group.probe`; gates and what is computed from them are given at the present time.

        At events, and everywhere, NaN stands for what does not live on a compartment.
        """
        operations, found = self._present.probe(names, owner, place)
        for name in names if everywhere or events is not None else ():
            if found[name].domain is not self.domain and not found[name].shared:
                more, found[name] = self._present.spread(name, found[name], owner, place)
                operations += more
        return operations, found

    def computed(self) -> set[str]:
        """See `Group.computed`: the currents, and while gates are behind, these and what depends on them."""
        return self._present.computed()

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Group.state`; how long the cell is refractory is part of it."""
        return {**super().state(), **self._threshold.state()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `Group.set_state`."""
        super().set_state(state)
        self._threshold.set_state(state)

    def describe_element(self, index: int) -> str:
        """Cell, region and distance of a compartment."""
        cell = int(self.cable.cell_of(np.array([index]))[0])
        tree, local = self.cable.tree_of(cell), index - int(self.cable.offset[cell])
        inside = region_arrays(tree, {})
        regions = [r for r in _REGIONS if inside[r][local]]
        where = f"{', '.join(regions) or 'no region'}, {tree.distance[local]:.4g} um from the root"
        return f"compartment {local} of {self.describe_cell(cell)} ({where})"

    def describe_cell(self, cell: int) -> str:
        """How messages call a cell."""
        return f"cell {cell} of '{self.name}'"

    def record_weights(self, name: str, item: Any) -> tuple[Any, ...]:
        """See `Group.record_weights`; the voltage at a place is interpolated."""
        home = self._scope.home(name)
        if home is not None and home.rows is not None:
            return weights_on(self, name, home, item)
        if name == "v" and has_places(item):
            return weights_at_places(self, item)
        return super().record_weights(name, together(self, item))

    # --- running ----------------------------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        super().before_run(namespace)
        self._in_run = True
        self._present.warn_if_unstable()
        for name, variable in self.passive_parameters.items():
            if not (variable.least() > 0).all():
                raise RallError(f"{name} of '{self.name}' must be positive everywhere")

    def after_run(self) -> None:
        """See `SimulationObject.after_run`."""
        super().after_run()
        self._in_run = False
        self._step.clamps.clear()

    def note_clamp(self, clamp: AddedCurrent) -> None:
        """Take note of a current in the run that begins that the equations do not have.

        Parameters
        ----------
        clamp : AddedCurrent
            What adds it.
        """
        self._step.clamps.append(clamp)

    @property
    def late(self) -> Variable:
        """By how much sources grow during a step (ampere), for what adds currents to the step."""
        return self._scope.late

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        self._scope.couplings.begin()
        if not self._scope.staggered:
            self._present.synchronise()  # an earlier run may have left gates half a step behind
        yield from self._present.held_operations(model)
        yield from self._step.operations(model)
        checked = [self.variables["v"], *self._step.unbounded()]
        for k, variable in enumerate(checked):
            name = f"{self.name}_9check{k:03d}"
            yield Check(name=name, clock=self.clock, when="groups", order=self.order, variable=variable)
        yield from self._threshold.operations(model)

    def places(self) -> list[tuple[str, str, int]]:
        """See `SimulationObject.places`."""
        found = [*super().places(), (f"{self.name}_stateupdater", "groups", self.order)]
        if self._threshold.condition is not None:
            found.append((f"{self.name}_threshold", "thresholds", self.order))
        if self._threshold.resets:
            found.append((f"{self.name}_reset", "resets", self.order))
        return found

    def event_lists(self) -> Mapping[str, EventList]:
        """See `Group.event_lists`."""
        return {} if self._threshold.condition is None else {"spike": self._threshold.happening}

    def threshold_compartments(self, location: Any) -> NDArray[np.int64]:
        """The compartments where spikes are looked for, at a location that the user gave."""
        raise NotImplementedError

    def spikes_of(self, cells: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Storage index under which the spikes of cells are listed; None where every compartment has its own."""
        return self._threshold.spikes_of(cells)

    def events_of(self, event: str) -> EventList:
        """See `Group.events_of`."""
        return self._threshold.events_of(event)

    def present(self) -> Present:
        """Values at the present time, for what is part of the cell."""
        return self._present
