"""Clamps: electrodes that inject a current, or hold a voltage, inside the implicit step of the cable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rall.equations import PARAMETER, Equations, infer_typed, resolve
from rall.equations.text import parse_line
from rall.errors import DimensionMismatchError, RallError
from rall.functions import AbstractFunction, ArgumentMismatch, Typed, describe
from rall.groups import Group, Resolver, Subgroup
from rall.integrators.linear_sdirk import SECOND, THIRD
from rall.ir.algebra import negative
from rall.ir.nodes import ZERO, Name, Node, add, div, mul, number, select, sub
from rall.ir.parse import Parsed, Source, parse
from rall.ir.visit import functions, is_noise, names, substitute
from rall.model import Access, Assign, Elementwise, Model, Operation, Variable
from rall.plugins.cable.cells import Cells
from rall.plugins.cable.geometry import FIRST_GROWTH, GAMMA
from rall.plugins.cable.mechanisms import located
from rall.plugins.cable.membrane import EDGE, Currents, split
from rall.plugins.cable.selection import Subtree
from rall.plugins.cable.views import CellsView
from rall.session import SimulationObject, caller_namespace
from rall.units import DIMENSIONLESS, Dimension, Mohm, get_or_create_dimension

__all__ = ["Clamp", "CurrentClamp", "VoltageClamp"]

_SECOND = get_or_create_dimension(second=1)
_AMP = get_or_create_dimension(current=1)
_VOLT = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
#: Begins what names of the user's are called that the clamp has too; and the name of a function that it was given.
_OUTER, _GIVEN = "_outer_", "_given"
#: What a clamp has under these names is its own; all other names are those of its compartments.
_NUMBERS = frozenset(("i", "N", "t", "dt", "t_in_timesteps"))
#: Keeps 0/0 out of the padding (siemens).
_TINY = 1e-30
#: How the distance of a compartment from a command that moves evenly differs from what the solver gives; derived in
#: docs/numerics.md, where `SECOND` and `THIRD` are the weights of the solver's stages.
_FOLLOWING = THIRD * (0.5 + FIRST_GROWTH - GAMMA)


class Clamp(Group):
    """What current clamps and voltage clamps have in common: elements on compartments, each with a current ``I``.

    Parameters
    ----------
    target : Subtree or SpatialNeuron
        Compartments, such as ``cell.at('soma')``, each at most once; or a cell of one compartment.
    given : Quantity, str or AbstractFunction
        What is applied: a value for all compartments or one for each, a text, a function of t or of t and i.
    on : str or None
        Condition for it to work.
    namespace : mapping or None
        Values of names in the texts.
    name : str
        See `SimulationObject`.
    """

    #: The name of what is given, what it measures, further parameters, the current that it makes, and what is added
    #: to the current where it is read.
    _given: ClassVar[str]
    _measures: ClassVar[Dimension]
    _unit: ClassVar[str]
    _more: ClassVar[str] = ""
    _law: ClassVar[str]
    _known: ClassVar[str] = ""

    def __init__(self, target: Any, given: Any, on: Any, namespace: Mapping[str, object] | None, name: str) -> None:
        cell, compartments = _compartments_of(target, type(self).__name__)
        domain, rows = located(compartments, cell.domain)
        super().__init__(name, domain, Equations(()), namespace, cell.clock, cell.order)
        self.cell, self.compartments, self._rows = cell, compartments, rows
        self._texts: dict[str, Parsed] = {}
        #: Names that the clamp has, and those of them that mean something else of the user's in the texts.
        self._own = frozenset((self._given, "on", "I", *Equations(self._more)))
        self._outside: frozenset[str] = frozenset()
        if on is not None:
            if not isinstance(on, str):
                raise RallError(f"on of '{self.name}' is a condition as text, such as 't > 10*ms', not {on!r:.60}")
            self._texts["on"] = self._checked(on)
        if isinstance(given, AbstractFunction):
            given = self._call_of(given)
        if isinstance(given, str):
            self._texts[self._given] = self._checked(given)
        self.equations = self._lines()
        for line in self.equations.lines:
            if line.kind == PARAMETER:
                self.add_line(line, domain, "parameter")
        self._link_compartments()
        if not isinstance(given, str):
            self.write(self._given, None, given)
        self._ready = True

    # --- making -------------------------------------------------------------------------------------------------

    def _checked(self, text: str) -> Parsed:
        parsed = parse(text)
        noise = sorted(n for n in names(parsed.node) if is_noise(n))
        if noise:
            raise parsed.error(
                f"white noise is not possible in '{self.name}'; write it into the equations of '{self.cell.name}'",
                Name(noise[0]),
            )
        return parsed

    def _call_of(self, function: AbstractFunction) -> str:
        """The call of a function that was given, such as a TimedArray."""
        arguments, found = "t", None
        try:
            found = function.result([Typed(_SECOND)])
        except ArgumentMismatch:
            try:
                found = function.result([Typed(_SECOND), Typed(DIMENSIONLESS, "integer")])
                arguments = "t, i"
            except ArgumentMismatch as problem:
                wanted = f"{self._given} of '{self.name}' is a function of t, or of t and i"
                raise RallError(f"{wanted}: {problem}") from None
        if found.dimension is not self._measures:
            raise DimensionMismatchError(
                f"{self._given} of '{self.name}' is in {self._unit}, and {function!r:.80} gives {found.dimension}"
            )
        self.namespace[_GIVEN] = function
        if arguments != "t":
            self._check_columns(function)
        return f"{_GIVEN}({arguments})"

    def _check_columns(self, function: AbstractFunction) -> None:
        values = self.evaluate(f"{_GIVEN}(0*second, i)")
        if not np.isfinite(values).all():
            raise RallError(
                f"{self._given} of '{self.name}' has no finite value for each of its {self.N} compartments: "
                f"{function!r:.80}; give it one column for each"
            )

    def _lines(self) -> Equations:
        """The clamp's equations; names in the user's texts that it has too are called something else in the trees."""
        inner = {word: _OUTER + word for word in sorted(self._own)}
        lines = list(Equations(self._more).lines)
        for name, unit in ((self._given, self._unit), ("on", "boolean")):
            if name in self._texts:
                text = f"{name} = {' '.join(self._texts[name].text.split())} : {unit}"
                lines.append(parse_line(text, Source(text), inner))
            elif name != "on":
                lines.append(parse_line(f"{name} : {unit}", Source(name)))
        law = f"({self._law}{self._known})" if self._known else self._law
        law = f"I = int(on)*{law} : amp" if "on" in self._texts else f"I = {law} : amp"
        return Equations((*lines, parse_line(law, Source(law))))

    def _link_compartments(self) -> None:
        """Let names in the texts, and in the law, be variables of the compartments."""
        known = self.cell.known_names() - _NUMBERS
        outside = set()
        for parsed in self._texts.values():
            for name in sorted(names(parsed.node)):
                if name in known:
                    self.links[_OUTER + name if name in self._own else name] = self._seen(name, parsed)
                elif name in self._own:
                    outside.add(name)
        if "v" in names(parse(self._law).node):
            self.links["v"] = self._seen("v", parse(self._law))
        self._outside = frozenset(outside)

    def _seen(self, name: str, where: Parsed) -> Variable | Access:
        """A variable of the compartments as the elements see it."""
        cell, variable = self.cell, self.cell.variables.get(name)
        if variable is None or name in cell.equations.diff_eq_names:
            raise where.error(
                f"'{name}' of '{cell.name}' changes with its gates, and a clamp takes what is set, the place, and v; "
                "write a current of gates into the equations, with the flag 'point current'", Name(name),
            )  # fmt: skip
        found = cell.reach(name, self._rows)
        assert found is not None
        if isinstance(found, Access) and found.problem:
            raise where.error(found.problem, Name(name))
        return found

    # --- what users see -----------------------------------------------------------------------------------------

    def __getitem__(self, item: Any) -> Subgroup:
        return self.part(item)

    def write(self, name: str, selection: NDArray[np.int64] | None, value: Any) -> None:
        """See `Group.write`; the current follows from what is given."""
        if name == "I":
            raise RallError(f"the current of '{self.name}' follows from its {self._given}; set that")
        super().write(name, selection, value)

    def expressions(self) -> dict[str, Node]:
        """See `Group.expressions`; there is no current where the clamp is switched off."""
        found = super().expressions()
        return found if self.active else {**found, "I": ZERO}

    def describe_element(self, index: int) -> str:
        """The compartment of an element."""
        return f"{self.cell.describe_element(int(self.compartments[index]))}, clamped by '{self.name}'"

    # --- names --------------------------------------------------------------------------------------------------

    def externals(self, wanted: Any, *more: Mapping[str, object], where: Any = ()) -> dict[str, object]:
        """See `Group.externals`; names that the clamp has too are the user's own all the same in texts."""
        around = more or (caller_namespace(),)
        texts = list(self._texts.values())
        called = self._own & {name for parsed in texts for name in functions(parsed.node)}
        values = resolve(self._outside | called, self.namespace, *around, where=texts)
        outer = {_OUTER + name: values[name] for name in self._outside}
        return {**super().externals(wanted, *around, outer, where=where), **{name: values[name] for name in called}}

    # --- running ------------------------------------------------------------------------------------------------

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self.cell,)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        found = self._line_externals(namespace)
        for name, parsed in self._texts.items():
            line = self.equations[name]
            assert line.value is not None
            typed = infer_typed(line.value, self.environment(found), self.functions(found))
            if (typed.kind == "boolean") != (name == "on"):
                kinds = ("a condition", "a value") if name == "on" else ("a value", "a condition")
                raise parsed.error(f"{name} of '{self.name}' is {kinds[0]}, and '{parsed.text}' is {kinds[1]}")
            if typed.dimension is not line.dimension:
                raise parsed.error(
                    f"{name} of '{self.name}' is in {line.unit}, and '{parsed.text}' gives {describe(typed.dimension)}"
                )
        super().before_run(namespace)
        self.cell.note_clamp(self)

    def grows(self) -> bool:
        """Whether the current is known to change during a step."""
        return self._currents(self.resolver(self.run_externals())).growth is not ZERO

    def operations(self, model: Model) -> Iterable[Operation]:
        """Conductance and source of the current, between the membranes and the solve."""
        cell, scratch = self.cell, self.cell.cable.scratch
        resolver = self.resolver(self.run_externals())
        statements = self._statements(self._currents(resolver), resolver)
        bindings: dict[str, Variable | Access] = {**resolver.table, **resolver.bindings, **self.clock_variables()}
        there = {"_d": scratch["d"], "_r": scratch["r"], "_carry": scratch["carry"], "_late": cell.late}
        bindings.update({name: Access(variable, self._rows) for name, variable in there.items()})
        wanted = {n for s in statements for n in names(s.value)} | {s.target for s in statements}
        drawn = self.random_bindings(self.domain, model, "clamp", statements)
        yield Elementwise(
            # Sorts behind what the membranes add, and before the solve.
            name=f"{cell.name}_3clamp_{self.name}", clock=cell.clock, when="groups", order=cell.order,
            domain=self.domain, statements=statements,
            bindings={**{n: b for n, b in bindings.items() if n in wanted}, **drawn},
        )  # fmt: skip

    @property
    def _second_order(self) -> bool:
        return self.cell.cable_method == "second_order"

    def _currents(self, resolver: Resolver) -> Currents:
        return split(resolver.node(parse(self._law).node), (), self._second_order)

    def _statements(self, currents: Currents, resolver: Resolver) -> list[Assign]:
        """What is added to the rows of the compartments."""
        growth = currents.growth
        sums = {
            "_d": currents.conductance, "_r": add(currents.source, mul(number(FIRST_GROWTH), growth)), "_late": growth,
        }  # fmt: skip
        return [Assign(n, self._while_on(value, resolver)) for n, value in sums.items() if value is not ZERO]

    def _while_on(self, value: Node, resolver: Resolver) -> Node:
        """A value, or 0 in a step in whose middle the condition does not hold."""
        if "on" not in self._texts:
            return value
        middle = add(Name("t"), mul(number(0.5), Name("dt"))) if self._second_order else Name("t")
        return select(substitute(resolver.name("on"), {"t": middle}), value, ZERO)

    def places(self) -> list[tuple[str, str, int]]:
        """See `SimulationObject.places`."""
        return [(self.name, "groups", self.cell.order)]


class CurrentClamp(Clamp):
    """Electrodes that inject a current into compartments, each the same or its own.

    Parameters
    ----------
    target : Subtree or SpatialNeuron
        Compartments, such as ``cell.at('soma')`` or ``cell.axon``, each at most once.
    amplitude : Quantity, str or TimedArray
        The current (ampere, positive depolarises): one for all compartments or one for each, which can be set later;
        a text in t, variables of the compartment, ``i`` (its number in the target) and names of the user's; or values
        on a grid of times, of which several columns belong to the compartments.
    on : str, optional
        Condition, such as ``'t >= 10*ms and t < 20*ms'``, without which there is no current.  It is asked in the middle
        of each step and holds for the whole step.
    namespace : dict, optional
        Values of names in the texts; those that are missing are looked up where ``run`` is called.
    name : str
        See `SimulationObject`.

    Attributes
    ----------
    I : Quantity
        The current at present, shape (compartments,); can be recorded.
    amplitude : Quantity
        What was given, at present.

    Raises
    ------
    RallError
        If the target is no place on a cell.
    DimensionMismatchError
        If the amplitude is no current.

    Notes
    -----
    The current takes part in the implicit step of the cable: what depends on t is followed to second order, and what is
    linear in v is a conductance.

    Examples
    --------
    >>> from rall.only import CurrentClamp, Cylinder, SpatialNeuron, channels, nA, um
    >>> cell = SpatialNeuron(Cylinder(diameter=1*um, length=100*um, n=5), channels.leak())
    >>> clamp = CurrentClamp(cell.at(0*um), 0.1*nA, on='t >= 10*ms and t < 20*ms')
    >>> clamp.amplitude
    <currentclamp.amplitude: [0.1] nA>
    """

    _given, _measures, _unit, _law = "amplitude", _AMP, "amp", "amplitude"

    def __init__(
        self,
        target: Any,
        amplitude: Any,
        on: str | None = None,
        namespace: Mapping[str, object] | None = None,
        name: str = "currentclamp*",
    ) -> None:
        super().__init__(target, amplitude, on, namespace, name)


class VoltageClamp(Clamp):
    """Electrodes that hold the voltage of compartments through a resistance.

    Parameters
    ----------
    target : Subtree or SpatialNeuron
        Compartments, such as ``cell.at('soma')``, each at most once.
    V : Quantity, str or TimedArray
        The command voltage, as `amplitude` of `CurrentClamp`.
    series_resistance : Quantity or str
        Between electrode and compartment (ohm, above 0), one for all or one for each; can be set later.
    on, namespace, name
        As of `CurrentClamp`; while it is off the compartment is free.

    Attributes
    ----------
    I : Quantity
        The current ``(V - v)/series_resistance`` into the cell at present, shape (compartments,); can be recorded.
        While V moves, it is corrected by what the step misses of the distance between V and v.
    V, series_resistance : Quantity
        What was given, at present.
    v : Quantity
        The voltage of the compartments.

    Raises
    ------
    RallError
        If the target is no place on a cell, or a resistance not positive.
    DimensionMismatchError
        If the command is no voltage.

    Notes
    -----
    The conductance ``1/series_resistance`` is part of the linear system of the step, so that the clamp can be as stiff
    as one likes.  Where a step is longer than the time constant of compartment and resistance, the current at t is the
    mean over the step before; what charges the compartment after a jump of the command then shows in two values.
    """

    _given, _measures, _unit, _law = "V", _VOLT, "volt", "(V - v)/series_resistance"
    _more, _known = "series_resistance : ohm", " + _missed"

    def __init__(
        self,
        target: Any,
        V: Any,
        series_resistance: Any = 1 * Mohm,
        on: str | None = None,
        namespace: Mapping[str, object] | None = None,
        name: str = "voltageclamp*",
    ) -> None:
        super().__init__(target, V, on, namespace, name)
        self.variables["_missed"] = Variable("_missed", self.domain, _AMP)
        self.write("series_resistance", None, series_resistance)
        self._check_resistance()

    def _check_resistance(self) -> None:
        ohms = self.variables["series_resistance"].get()
        if not (ohms > 0).all():
            raise RallError(
                f"series_resistance of '{self.name}' must be above zero, and is {ohms[~(ohms > 0)][0]} ohm; with a "
                "small one such as 1*kohm the voltage is off by 1 uV for each nA of current"
            )

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        super().before_run(namespace)
        self._check_resistance()

    def left_out(self) -> None:
        """See `SimulationObject.left_out`."""
        super().left_out()
        self.variables["_missed"].set(0.0)

    def _statements(self, currents: Currents, resolver: Resolver) -> list[Assign]:
        """See `Clamp._statements`; where the command moves, also what the voltage will be off by, as a current."""
        statements = super()._statements(currents, resolver)
        if currents.growth is ZERO:
            return statements
        charging = add(Name("_carry"), number(_TINY))
        share = Name("_share")  # carry/(carry + 1/R): 1 where the clamp is slow, 0 where it is stiff
        stiff = sub(number(1.0), share)
        off = div(
            mul(number(_FOLLOWING), mul(share, stiff)),
            add(number(1.0), mul(share, add(number(SECOND), mul(number(THIRD), share)))),
        )
        # Sources are known up to a little before the end of the step.
        off = mul(add(off, mul(number(EDGE), mul(stiff, stiff))), currents.growth)
        return [
            *statements,
            Assign("_share", div(charging, add(charging, currents.conductance))),
            Assign("_missed", self._while_on(negative(off), resolver)),
        ]


def _compartments_of(target: Any, what: str) -> tuple[Cells, NDArray[np.int64]]:
    """The cell and the compartments that a target means."""
    cell = target.group if isinstance(target, (Subtree, Subgroup)) else target
    if not isinstance(cell, Cells):
        raise RallError(f"a {what} sits on compartments of a cell, such as cell.at('soma'), not on {target!r:.80}")
    if isinstance(target, (Cells, CellsView)) and target.N != 1:
        raise RallError(
            f"{target!r:.80} has {target.N} compartments: say where its {what} sits, with .at('soma') behind it"
        )
    compartments = np.zeros(1, np.int64) if target is cell else np.asarray(target.indices, np.int64)
    if not len(compartments):
        raise RallError(f"a {what} needs a compartment, and there is none in {target!r:.80}")
    different, count = np.unique(compartments, return_counts=True)
    if len(different) != len(compartments):
        twice = cell.describe_element(int(different[count > 1][0]))
        raise RallError(f"{twice} is there twice in the target of a {what}; two clamps add up")
    return cell, compartments
