"""The operations of one cell: membrane, solve, and the state of gates that lag half a step behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from rall.groups import Resolver
from rall.integrators.exponential import ExponentialEuler, ExponentialMidpoint
from rall.integrators.partitioned import Partitioned
from rall.ir.affine import nonnegative
from rall.ir.algebra import linear_form, negative
from rall.ir.nodes import ZERO, Name, Node, add, div, mul, number, sub
from rall.ir.visit import names, substitute
from rall.model import SHARED, Access, Assign, Domain, Elementwise, Lazy, Model, Operation, Solve, Variable
from rall.plugins.cable.geometry import FIRST_GROWTH, GAMMA
from rall.plugins.cable.mechanisms import Local, Mechanism
from rall.plugins.cable.membrane import LAG, Currents, Gates, renamed, split
from rall.plugins.cable.scope import Scope
from rall.units import DIMENSIONLESS

__all__ = ["CABLE_METHODS", "AddedCurrent", "CableStep"]

#: Solver and length of an implicit stage in steps.
CABLE_METHODS = {"second_order": ("tree_sdirk3", GAMMA), "backward_euler": ("tree_euler", 1.0)}
#: Methods that leave what decays between the values that it comes from and goes to.
_DAMPED = (ExponentialEuler, ExponentialMidpoint, Partitioned)


class AddedCurrent(Protocol):
    """What adds a current to the step by an operation of its own, between the membranes and the solve."""

    @property
    def active(self) -> bool:
        """Whether it takes part in the run."""
        ...

    def grows(self) -> bool:
        """Whether the current is known to change during a step."""
        ...


#: A mechanism whose gates are advanced by themselves: the statements, and what their names are.
_Advance: TypeAlias = tuple[Mechanism, list[Assign], dict[str, Variable | Access]]


@dataclass(frozen=True)
class _Part:
    """Currents of one mechanism, per area and per compartment, and what resolved them."""

    per_area: Currents
    point: Currents
    resolver: Resolver

    @property
    def grows(self) -> bool:
        """Whether anything of it is known to change during a step."""
        both = (self.per_area, self.point)
        return any(c.growth is not ZERO or c.gated_source is not ZERO or c.gated_conductance is not ZERO for c in both)


class CableStep:
    """Makes the operations of a cell and keeps track of how far its gates are.

    Parameters
    ----------
    scope : Scope
        Names and equations of the cell.
    """

    def __init__(self, scope: Scope) -> None:
        self.cell = scope.cell
        self.scope = scope
        cell = scope.cell
        self._resolved: dict[int, Gates] = {}
        self._gated: set[str] = set()
        # What gated currents were in the last step; state of the cell, so that stored networks go on as they would.
        self._memory = {
            id(mechanism): {
                name: _remembered(f"{name}_{k}", mechanism.domain)
                for name in ("_before_conductance", "_before_source")
            }
            for k, mechanism in enumerate(cell.mechanisms)
        }
        for memory in self._memory.values():
            cell.variables.update({variable.name: variable for variable in memory.values()})
        self.nonlinear: list[str] = []
        #: What adds currents in the present run.
        self.clamps: list[AddedCurrent] = []

    def _to_middle(self, gates: Gates) -> list[Assign]:
        """Statements that bring gates to where the voltage is solved with them: of first order, the end of the step."""
        if self.cell.cable_method == "backward_euler":
            return list(gates.step("at once").statements)
        return list(gates.step("whole" if self.scope.staggered else "first half").statements)

    # --- operations -----------------------------------------------------------------------------------------------

    def operations(self, model: Model) -> Iterable[Operation]:
        """Membrane by membrane, then the solve; then, where gates may not lag, their second half step."""
        cell = self.cell
        external = cell.run_externals()
        solver, stage = CABLE_METHODS[cell.cable_method]
        structures, blocks = cell.cable.assemble(
            cell.passive_parameters["Cm"].least(), cell.passive_parameters["Ri"].least(), stage * cell.clock.dt
        )
        self.nonlinear = []
        self._resolved, self._gated = {}, set()
        parts = [self._parts(mechanism, external) for mechanism in cell.mechanisms]
        added = [clamp.grows() for clamp in self.clamps if clamp.active]
        grows = cell.cable_method == "second_order" and any([*added, *(part.grows for part in parts)])
        if cell.mechanisms[0].rows is not None:
            base = self._base(Currents(), Currents(), ZERO if grows else None)
            yield self._elementwise("0base", cell.domain, base, {**self.scope.scratch(), "v": cell.variables["v"]})
        for k, (domain, statements, bindings) in enumerate(self.scope.couplings.statements()):
            yield self._elementwise(f"1ahead{k:03d}", domain, statements, bindings)
        early = self._early(external)
        yield from self._ahead(early, model)
        done = [mechanism for mechanism, _, _ in early]
        for k, (mechanism, part) in enumerate(zip(cell.mechanisms, parts)):
            advance = bool(mechanism.equations) and not any(mechanism is one for one in done)
            statements, bindings = self._membrane(mechanism, part, advance, grows)
            if statements:
                yield self._elementwise(f"2membrane{k:03d}", mechanism.domain, statements, bindings, model)
        if self.scope.staggered and cell.equations.diff_eq_names:
            # An operation of its own, of what all compartments share: the others then are done block by block.
            behind = [Assign(LAG, mul(number(0.5), Name("dt")))]
            yield self._elementwise("7lag", SHARED, behind, {LAG: self.scope.lag, "dt": cell.clock.dt_variable})
        variables = {**cell.cable.scratch, "v": cell.variables["v"]}
        if grows:
            variables["late"] = self.scope.late
        yield Solve(
            name=f"{cell.name}_8solve", clock=cell.clock, when="groups", order=cell.order, solver=solver,
            structures=structures, blocks=blocks, variables=variables,
        )  # fmt: skip
        if not self.scope.staggered and cell.cable_method != "backward_euler":
            for k, mechanism in enumerate(cell.mechanisms):
                if mechanism.equations:
                    gates = self._resolved[id(mechanism)]
                    statements = list(gates.step("second half").statements)
                    name = f"8zgates{k:03d}"
                    yield self._elementwise(name, mechanism.domain, statements, gates.bindings, model)

    def _elementwise(
        self,
        name: str,
        domain: Any,
        statements: Sequence[Assign],
        bindings: Mapping[str, Variable | Access],
        model: Model | None = None,
    ) -> Elementwise:
        cell = self.cell
        known = {**bindings, **cell.random_bindings(domain, model, name)}
        return Elementwise(
            name=f"{cell.name}_{name}", clock=cell.clock, when="groups", order=cell.order, domain=domain,
            statements=statements, bindings=known,
        )  # fmt: skip

    def _parts(self, mechanism: Mechanism, external: Mapping[str, object]) -> _Part:
        """The currents of one mechanism, split."""
        cell = self.cell
        resolver = self.scope.resolver(mechanism, external)
        if mechanism.equations:
            self._resolved[id(mechanism)] = self.scope.gates(mechanism, external)
        lines = [line for line in mechanism.lines if line in self.scope.density_lines()]
        points = [line for line in mechanism.lines if line.has("point current")]
        gates = cell.equations.diff_eq_names if self.scope.staggered else ()
        per_area = self._split(self.scope.current_of(lines, resolver), gates)
        point = self._split(self.scope.current_of(points, resolver), gates)
        if not (per_area.linear and point.linear):
            self.nonlinear += [line.varname for line in (*lines, *points)]
        return _Part(per_area, point, resolver)

    def _split(self, current: Node, gates: Collection[str]) -> Currents:
        whole = self.cell.cable_method == "second_order"
        during, growth = self.scope.couplings.implicit(current, whole)
        found = split(during, gates, whole)
        return replace(found, growth=add(found.growth, growth))

    def _early(self, external: Mapping[str, object]) -> list[_Advance]:
        """Statements for gates that depend on gates of another mechanism, which must not have been advanced yet.

        These cover the step around t, so that they take the other gates at t.  Whatever a mechanism reads lives on
        more compartments than itself, but for the currents in the sums of an ion.
        """
        found = []
        for mechanism in self.cell.mechanisms:
            gates = self._resolved.get(id(mechanism))
            if gates is None:
                continue
            read = frozenset().union(*map(names, gates.system.equations.values()))
            others = [
                m for m in self.cell.mechanisms
                if m is not mechanism and not read.isdisjoint(line.varname for line in m.equations)
            ]  # fmt: skip
            if not others:
                continue
            statements: list[Assign] = []
            bindings: dict[str, Variable | Access] = {LAG: self.scope.lag, **gates.bindings}
            present: dict[str, Node] = {}
            for other in others if self.scope.staggered else ():
                theirs = self.scope.gates(other, external, seen_from=mechanism)
                advanced, now = renamed(theirs.step("lag").statements, theirs.variables, "_now_")
                statements += advanced
                bindings.update(theirs.bindings)
                present.update(now)
            for own in self._to_middle(gates):
                statements.append(Assign(own.target, substitute(own.value, present)))
            found.append((mechanism, statements, bindings))
        return found

    def _ahead(self, early: Sequence[_Advance], model: Model) -> Iterable[Operation]:
        """Operations that advance gates before the membranes, from the smallest region up (operations sort by name).

        Gates that are read afterwards get their new values when all have been computed.
        """
        order = list(reversed(early))
        for k, (mechanism, statements, bindings) in enumerate(order):
            own = [line.varname for line in mechanism.equations]
            later = frozenset().union(*(bound for _, _, bound in order[k + 1 :]))
            kept = [name for name in own if name in later]
            if kept:
                statements, now = renamed(statements, kept, "_next_")
                scratch = {f"_next_{name}": self._scratch(f"_next_{name}", mechanism) for name in kept}
                bindings = {**bindings, **scratch}
                finish = [Assign(name, now[name]) for name in kept]
                seen = {**scratch, **{name: self.cell.variables[name] for name in kept}}
                yield self._elementwise(f"1later{k:03d}", mechanism.domain, finish, seen)
            yield self._elementwise(f"1gates{k:03d}", mechanism.domain, statements, bindings, model)

    def _scratch(self, name: str, mechanism: Mechanism) -> Variable:
        return Variable(name, mechanism.domain, DIMENSIONLESS, role="scratch")

    def _membrane(
        self, mechanism: Mechanism, part: _Part, advance: bool, grows: bool
    ) -> tuple[list[Assign], dict[str, Variable | Access]]:
        """Statements of one mechanism: gates to the middle of the step, then what its currents add to the system.

        `advance`: whether gates are advanced here; `grows`: whether currents do during a step.
        """
        cell = self.cell
        statements: list[Assign] = []
        bindings: dict[str, Variable | Access] = {LAG: self.scope.lag, "dt": cell.clock.dt_variable}
        if advance:
            gates = self._resolved[id(mechanism)]
            statements += self._to_middle(gates)
            bindings.update(gates.bindings)
        growth, gated, remembered = self._growth(mechanism, part, bindings)
        statements += gated
        if mechanism.rows is None:
            statements += self._base(part.per_area, part.point, growth if grows else None, bool(gated))
        else:
            statements += self._added(part, growth if grows else ZERO, bool(gated))
        if grows:
            statements += remembered
        wanted = {n for s in statements for n in names(s.value)} | {s.target for s in statements}
        for known in (part.resolver.table, part.resolver.bindings):
            bindings.update({n: b for n, b in known.items() if n in wanted})
        return statements, {n: b for n, b in bindings.items() if n in wanted}

    def _growth(
        self, mechanism: Mechanism, part: _Part, bindings: dict[str, Variable | Access]
    ) -> tuple[Node, list[Assign], list[Assign]]:
        """By how much the current grows during a step (ampere), and statements before and after its use.

        Time enters through t, and through gates, whose change from the last step serves for this one.  After a change
        from outside (no lag) there is no last step to go by.
        """
        area = Name("area")
        growth = add(mul(area, part.per_area.growth), part.point.growth)
        conductance = add(mul(area, part.per_area.gated_conductance), part.point.gated_conductance)
        source = add(mul(area, part.per_area.gated_source), part.point.gated_source)
        if conductance is ZERO and source is ZERO:
            return growth, [], []
        bindings.update(self._memory[id(mechanism)])
        self._gated |= names(conductance) | names(source)
        change = sub(
            sub(Name("_gated_source"), Name("_before_source")),
            mul(sub(Name("_gated_conductance"), Name("_before_conductance")), Name("v")),
        )
        gated = [Assign("_gated_conductance", conductance), Assign("_gated_source", source)]
        remembered = [
            Assign("_before_conductance", Name("_gated_conductance")), Assign("_before_source", Name("_gated_source")),
        ]  # fmt: skip
        known = div(mul(number(2.0), Name(LAG)), Name("dt"))
        return add(growth, mul(known, change)), gated, remembered

    def _base(self, per_area: Currents, point: Currents, growth: Node | None, gated: bool = False) -> list[Assign]:
        """Diagonal and right-hand side of all compartments, in siemens and ampere."""
        conductance, source = self._sums(per_area, point, gated)
        source = add(mul(Name("_carry"), Name("v")), source)
        if growth is None:
            return [Assign("_d", add(Name("_diagonal"), conductance)), Assign("_r", source)]
        return [
            Assign("_growth", growth),
            Assign("_d", add(Name("_diagonal"), conductance)),
            Assign("_r", add(source, mul(number(FIRST_GROWTH), Name("_growth")))),
            Assign("_late", Name("_growth")),
        ]

    @staticmethod
    def _sums(per_area: Currents, point: Currents, gated: bool) -> tuple[Node, Node]:
        area = Name("area")
        conductance = add(mul(area, per_area.conductance), point.conductance)
        source = add(mul(area, per_area.source), point.source)
        if gated:
            return add(Name("_gated_conductance"), conductance), add(Name("_gated_source"), source)
        return conductance, source

    def _added(self, part: _Part, growth: Node, gated: bool) -> list[Assign]:
        """What a mechanism of some compartments adds to their rows."""
        conductance, source = self._sums(part.per_area, part.point, gated)
        sums = {"_d": conductance, "_r": add(source, mul(number(FIRST_GROWTH), growth)), "_late": growth}
        return [Assign(target, value) for target, value in sums.items() if value is not ZERO]

    def unbounded(self) -> Iterable[Variable]:
        """Gates of which it is not known that they stay finite as long as the voltage does."""
        for mechanism in self.cell.mechanisms:
            gates = self._resolved.get(id(mechanism))
            if gates is None:
                continue
            for name, rhs in gates.system.equations.items():
                form = linear_form(rhs, name)
                if not isinstance(gates.integrator, _DAMPED) or form is None or not nonnegative(negative(form[0])):
                    yield Local(self.cell.variables[name], mechanism)

    def reads(self, name: str) -> bool:
        """Whether gates, or what is remembered of them, depend on a variable."""
        read = {known for gates in self._resolved.values() for known in gates.bindings} | self._gated
        return name in read or name in self.cell.equations.diff_eq_names

    def description(self) -> str:
        """How the cable is stepped."""
        if self.cell.cable_method == "backward_euler":
            return "backward_euler: first order"
        if self.cell.equations.is_stochastic:
            return "second_order; the noise is of the order that its method has"
        return "second_order"


def _remembered(name: str, domain: Domain) -> Variable:
    """State that takes no memory where no current depends on gates."""
    return Lazy(name, domain, DIMENSIONLESS, "float", "state", lambda: np.zeros(domain.size))
