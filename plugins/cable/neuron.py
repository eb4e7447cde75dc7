"""SpatialNeuron: one cell with a morphology, whose elements are its compartments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import PARAMETER, Equations
from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.events import EventList
from rall.groups import Group
from rall.model import Check, Clock, Model, Operation, Variable
from rall.morphology import Morphology, Place
from rall.morphology.regions import region_arrays
from rall.plugins.cable.cell_geometry import CellGeometry, located
from rall.plugins.cable.geometry import Cable
from rall.plugins.cable.mechanisms import Mechanism, place_model
from rall.plugins.cable.present import Present
from rall.plugins.cable.scope import Scope
from rall.plugins.cable.selection import Region, Subtree, below, child_of, find_compartments
from rall.plugins.cable.steps import CABLE_METHODS, CableStep
from rall.plugins.cable.threshold import Threshold
from rall.units import Dimension, Quantity, cm, dimension_of, get_or_create_dimension, ohm, uF

__all__ = ["SpatialNeuron"]

_VOLT = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
_CAPACITANCE = get_or_create_dimension(length=-4, mass=-1, time=4, current=2)
_RESISTIVITY = get_or_create_dimension(length=3, mass=1, time=-3, current=-2)
_DENSITY = get_or_create_dimension(length=-2, current=1)
_METRE = get_or_create_dimension(length=1)
_SECOND = get_or_create_dimension(time=1)
#: Names that mean all sections of a type, where 'dend' or 'axon' mean one of them with all that hangs on it.
_WHOLE_REGIONS = ("basal", "apical")


class SpatialNeuron(Group):
    """A neuron with a morphology.

    Parameters
    ----------
    morphology : Morphology
        Its shape; its compartments are the elements.
    model : str, Equations or dict
        Equations, or a dictionary from regions (conditions) to equations.  Membrane current density is ``Im`` or
        the sum of the lines with the flag ``membrane current`` (amp/metre**2, positive depolarises); a line with the
        flag ``point current`` is in amp.  All that is linear in v is taken implicitly.
    threshold, reset, refractory : str or Quantity, optional
        When a spike is, what it does, and how long there is no next one.
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
        if model is None:
            raise RallError("SpatialNeuron needs a model: equations, or a dictionary from regions to equations")
        if events:
            raise RallError("custom events of cells are not supported yet; use threshold and reset")
        if cable_method not in CABLE_METHODS:
            raise RallError(f"there is no cable_method '{cable_method}'; there are {', '.join(CABLE_METHODS)}")
        cable = Cable([morphology])
        self._labels: dict[str, Any] = {}
        empty = Equations(())
        super().__init__(name, cable.domain, empty, namespace, clock, order, dt)
        self.morphology, self.cable = morphology, cable
        self.method, self.cable_method = method, cable_method
        self._gates: frozenset[str] = frozenset()
        self._running_state = False
        self._in_run = False
        self._make_geometry()
        placed = place_model(model, self._inside, self.domain)
        self.equations, self.mechanisms = placed.equations, placed.mechanisms
        self._make_variables()
        self._gates = frozenset(self.equations.diff_eq_names)
        self._set_parameter("Cm", Cm)
        self._set_parameter("Ri", Ri)
        for mask, defaults in placed.defaults:
            for variable, value in defaults.items():
                self._set_default(variable, value, mask)
        scope = Scope(self)
        self._scope, self._step, self._present = scope, CableStep(scope), Present(scope)
        self._running_state = True
        self._threshold = Threshold(self, threshold, reset, refractory, threshold_location)
        self._learn_labels(self.morphology.labels)
        self._ready = True

    # --- making -----------------------------------------------------------------------------------------------

    def _make_geometry(self) -> None:
        self.variables.update(self.cable.geometry())
        self._fixed = frozenset(self.variables)
        self.variables["v"] = Variable("v", self.domain, _VOLT, array=self.cable.node_variable("v").array)
        self.variables["Cm"] = Variable("Cm", self.domain, _CAPACITANCE, role="parameter")
        self.variables["Ri"] = Variable("Ri", self.domain, _RESISTIVITY, role="parameter")
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

    def _inside(self, condition: str) -> NDArray[np.bool_]:
        return np.asarray(self.evaluate(self._with_labels(condition)), bool)

    def _with_labels(self, condition: str) -> str:
        """Labels that stand for other conditions, written out."""
        label = self.morphology.labels.get(condition)
        return label if isinstance(label, str) else condition

    def _learn_labels(self, names: Iterable[str], inside: tuple[str, ...] = ()) -> None:
        """Make truth values of labels of the morphology, so that equations and conditions can name them."""
        labels = self.morphology.labels
        for name in sorted(labels.keys() & set(names)):
            condition = labels[name]
            if name in self._fixed or (name in self._labels and self._labels[name] is condition):
                continue
            if name in inside:
                raise EquationError(f"the label '{name}' is defined by itself: {' -> '.join([*inside, name])}")
            if isinstance(condition, str):
                used = self.identifiers(condition)
                self._learn_labels(used, (*inside, name))
                if used & (self.known_names() - self._fixed - self._labels.keys()):
                    continue  # What changes is looked at anew whenever the label is used.
                values = self._label_values(name, condition)
            else:
                values = region_arrays(self.cable.tree, {name: condition})[name]
            if name not in self._labels:
                self.variables[name] = Variable(name, self.domain, kind="boolean", role="constant")
            self.variables[name].set(values)
            self._labels[name] = condition

    def _label_values(self, name: str, condition: str) -> NDArray[np.bool_]:
        try:
            values = np.asarray(super().evaluate(condition))
        except EquationError as problem:
            raise EquationError(f"in the label '{name}': {problem}") from problem
        if values.dtype != bool:
            raise EquationError(f"the label '{name}' must stand for a condition, and '{condition}' is a value")
        return values

    def evaluate(
        self,
        text: str,
        selection: NDArray[np.int64] | None = None,
        dimension: Dimension | None = None,
        with_units: bool = False,
        local: Mapping[str, Any] | None = None,
    ) -> Any:
        """See `Group.evaluate`; labels of the morphology are known."""
        self._learn_labels(self.identifiers(text))
        return super().evaluate(text, selection, dimension, with_units, local)

    def _set_parameter(self, name: str, value: Any) -> None:
        variable = self.variables[name]
        if not isinstance(value, str) and dimension_of(value) is not variable.dimension:
            raise DimensionMismatchError(
                f"{name} must be in {variable.dimension}, and {value} is in {dimension_of(value)}"
            )
        self.write(name, None, value)
        if not (variable.get() > 0).all():
            raise RallError(f"{name} must be positive everywhere, and {value} is not")

    def _set_default(self, name: str, value: Any, mask: NDArray[np.bool_]) -> None:
        shared = self.variables[name].shared
        self.write(name, None if shared else np.flatnonzero(mask), value)

    # --- what users see -----------------------------------------------------------------------------------------

    @property
    def cable_method_used(self) -> str:
        """How the cable is stepped, and what of it is only first order, if anything is."""
        return self._step.description()

    def at(self, place: Any) -> Subtree:
        """The compartment of a place, or the one of a region that is nearest to the root."""
        found = self.indices_of(place)
        if not len(found):
            raise RallError(f"there is nothing at {place!r}: no compartment of '{self.name}' lies there")
        distance = self.cable.tree.distance[found]
        return Subtree(self, found[[int(np.argmin(distance))]])

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
        return super().indices_of(self._with_labels(item) if isinstance(item, str) else item)

    def __getitem__(self, item: Any) -> Subtree:
        return Subtree(self, self.indices_of(item))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and self._ready:
            section = child_of(self.__dict__["morphology"], name)
            if section is not None and name not in _WHOLE_REGIONS:
                return Subtree(self, below(section), section)
            if name in self.morphology.labels or name in region_arrays(self.cable.tree, {}):
                found = self.indices_of(name)
                alone = section is not None and np.array_equal(found, below(section))
                return Region(self, found, section if alone else None, name)
        return super().__getattr__(name)

    @property
    def main(self) -> Subtree:
        """The first section alone."""
        return Subtree(self, np.arange(self.cable.tree.sections.n[0]))

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
            axial = self.cable.axial_current(self.variables["v"].get(), self.variables["Ri"].get())
            return im + axial / (self.cable.tree.area * 1e-12)
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

    def before_write(self, name: str) -> None:
        """See `Group.before_write`: what gates depend on changes at the present time, not half a step before."""
        if self._running_state and self._step.reads(name):
            self._present.synchronise()

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
        """Region and distance of a compartment."""
        regions = [r for r in ("soma", "axon", "basal", "apical") if self.variables[r].get()[index]]
        distance = self.cable.tree.distance[index]
        where = f"{', '.join(regions) or 'no region'}, {distance:.4g} um from the root"
        return f"compartment {index} of '{self.name}' ({where})"

    def record_weights(self, name: str, item: Any) -> tuple[Any, ...]:
        """See `Group.record_weights`; the voltage at a place is interpolated."""
        home = self._scope.home(name)
        if home is not None and home.rows is not None:
            return self._weights_on(name, home, item)
        places = item if isinstance(item, (list, tuple)) else [item]
        if name != "v" or not any(isinstance(p, Place) for p in places):
            return super().record_weights(name, item)
        storage, weights, borders, picked = [], [], [0], []
        for place in places:
            if isinstance(place, Place):
                spot = place.on(self.cable.tree)
                groups = [(*spot.interpolation(), spot.compartment)]
            else:
                groups = [(np.array([k]), np.ones(1), int(k)) for k in self.indices_of(place)]
            for compartments, share, index in groups:
                storage.append(self.domain.layout.index(np.asarray(compartments)))
                weights.append(share)
                borders.append(borders[-1] + len(share))
                picked.append(index)
        return np.concatenate(storage), np.concatenate(weights), np.array(borders), np.array(picked)

    def _weights_on(self, name: str, home: Mechanism, item: Any) -> tuple[Any, ...]:
        """Recording of a variable that lives on some compartments only."""
        picked = home.members if item is True else self.indices_of(item)
        missing = picked[~home.mask[picked]]
        if len(missing):
            raise RallError(f"'{name}' does not live on {self.describe_element(int(missing[0]))}")
        position = np.searchsorted(home.members, picked)
        return home.domain.layout.index(position), np.ones(len(picked)), np.arange(len(picked) + 1), picked

    # --- running ----------------------------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        super().before_run(namespace)
        self._in_run = True
        self._present.warn_if_unstable()
        for name in ("Cm", "Ri"):
            if not (self.variables[name].get() > 0).all():
                raise RallError(f"{name} of '{self.name}' must be positive everywhere")

    def after_run(self) -> None:
        """See `SimulationObject.after_run`."""
        super().after_run()
        self._in_run = False

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
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

    def events_of(self, event: str) -> EventList:
        """See `Group.events_of`."""
        return self._threshold.events_of(event)

    def present(self) -> Present:
        """Values at the present time, for what is part of the cell."""
        return self._present
