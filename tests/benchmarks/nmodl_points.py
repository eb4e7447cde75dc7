"""Imported point processes in a reference's protocols: one synapse, or one process, for each voltage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from nmodl_reference import CAPACITANCE, SAMPLE, UNITS, ZERO_CELSIUS, Reference, Values, factor, shown

import rall
from rall import (
    Cylinder,
    Equations,
    Quantity,
    SpatialNeuronGroup,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    farad,
    kelvin,
    meter,
    ms,
    mV,
    ohm,
    um,
)

__all__ = ["PointBench"]

IMPOSED = "I_imposed = imposed : amp/meter**2 (membrane current)\nimposed : amp/meter**2 (constant)"


class PointBench:
    """Cells with the imported process; a synapse gets the reference's events.

    Parameters
    ----------
    mechanism : PointProcess
        What `load_mod` gives.
    reference : Reference
        What NEURON made of it.
    dt : float
        Step in ms.
    """

    def __init__(self, mechanism: Any, reference: Reference, dt: float) -> None:
        self.reference, self.mechanism = reference, mechanism
        rall.start_scope()
        rall.defaultclock.dt = dt * ms
        made, facts = mechanism(), reference.facts
        self.synaptic = isinstance(made, Mapping) and not isinstance(made, Equations)
        inside = made.current if self.synaptic else made
        self.cells = SpatialNeuronGroup(
            reference.cells, Cylinder(n=1, length=facts["size"] * um, diameter=facts["size"] * um),
            inside + Equations(IMPOSED), Cm=CAPACITANCE * farad / meter**2, Ri=1 * ohm * meter,
            cable_method="backward_euler", dt=dt * ms,
        )  # fmt: skip
        self.objects = [self.cells]
        self.group: Any = self.cells
        if self.synaptic:
            times = np.array(facts["events"]["times"]) - dt  # events change what the step after them computes
            source = SpikeGeneratorGroup(1, np.zeros(len(times), dtype=int), times * ms)
            self.group = Synapses(source, self.cells, **made)
            self.group.connect()
            self.objects += [source, self.group]
            self._weigh(facts["events"]["weight"])
        self.names = list(made.model.names if self.synaptic else made.names)
        self.current = [name for name in inside.names if name.startswith("I_")]
        self.translated = dict(self._translated())
        for name, (value, unit) in facts["not default"].items():
            for own in {name, f"{name}_{reference.name}"} & set(self.names):
                dimension = self.group.variables[own].dimension
                setattr(self.group, own, Quantity(value * UNITS.get(unit, 1.0), dim=dimension))

    def _weigh(self, weight: float) -> None:
        """Gives all synapses a weight in the unit of the file."""
        name = self.mechanism.weight
        if name:
            known = next(p for p in self.mechanism.parameters.values() if p.shown == name)
            dimension = self.group.variables[name].dimension
            setattr(self.group, name, Quantity(weight * UNITS.get(known.unit, 1.0), dim=dimension))

    def _translated(self) -> Any:
        """Of each variable of the reference: the group that has it, its name there, and the sign."""
        ions = {f"i{ion}": shown(ion) for ion in self.reference.facts["ions"]}
        for name in self.reference.facts["variables"]:
            plain = re.sub(r"[^0-9A-Za-z_]+", "_", name.rstrip("]"))
            own = [(self.group, x, 1.0) for x in (plain, f"{plain}_{self.reference.name}") if x in self.names]
            if name in self.reference.currents or name in ions:
                ends = (f"_{ions.get(name, name)}", "")
                wanted = [f"I_{self.reference.name}{end}" for end in ends]
                sign = self.reference.currents.get(name, -1.0)
                own = [(self.cells, x, sign) for x in wanted if x in self.current]
            if own:
                yield name, own[0]

    def least(self, name: str) -> float:
        """See `Bench`; currents below a femtoampere and conductances below a femtosiemens count as zero."""
        unit_here = self.reference.facts["variables"][name]["unit"]
        return 1e-6 if unit_here in ("", "1") else 1e-15

    def factor(self, name: str, ours: np.ndarray, theirs: np.ndarray) -> float:
        """See `Bench`."""
        group, own, _ = self.translated[name]
        variable = group.variables.get(own)
        plain = variable is not None and variable.dimension.is_dimensionless
        unit_here = (
            "nA" if group is self.cells and own in self.current else self.reference.facts["variables"][name]["unit"]
        )
        return factor(unit_here, ours, theirs, plain)

    def run(self, celsius: float) -> Values:
        """All time courses: values by cell and sample."""
        reference, facts, cells = self.reference, self.reference.facts, self.cells
        for group, names in ((self.group, self.names), (cells, [*cells.equations.names])):
            if "T" in names:
                group.T = (celsius + ZERO_CELSIUS) * kelvin
        voltages, slope = np.full(reference.cells, facts["rest"]), np.zeros(reference.cells)
        voltages[: len(reference.levels)] = reference.levels
        voltages[-1], slope[-1] = facts["ramp"]
        cells.v = voltages * mV
        cells.imposed = slope * CAPACITANCE * (farad / meter**2) * (mV / ms)
        wanted = {
            name: self.translated[name] for name in reference.of_kind("state", "breakpoint") if name in self.translated
        }
        monitors = {
            id(group): StateMonitor(group, sorted({own for g, own, _ in wanted.values() if g is group}), record=True,
                                    dt=SAMPLE * ms)
            for group, _, _ in wanted.values()
        }  # fmt: skip
        network = rall.Network(*self.objects, *monitors.values())
        before = 0.0
        for time, v in (*facts["steps"], (max(facts["held"]) + 2 * SAMPLE, None)):
            network.run((time - before) * ms)
            before = time
            if v is not None:
                now = np.asarray(cells.v).copy()
                now[-2] = v * 1e-3
                cells.v = now * 1e3 * mV
        return {
            name: sign * np.asarray(getattr(monitors[id(group)], own)) for name, (group, own, sign) in wanted.items()
        }
