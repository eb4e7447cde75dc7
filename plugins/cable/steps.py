"""The operations of one cell: membrane, solve, and the state of gates that lag half a step behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import SUBEXPRESSION, Line
from rall.errors import NotSupportedError, RallError
from rall.evaluate import evaluate
from rall.groups import Resolver
from rall.integrators import NotIntegrable, System
from rall.integrators.choose import choose
from rall.integrators.exponential import ExponentialEuler, ExponentialMidpoint
from rall.integrators.noise import noise_symbols
from rall.ir.algebra import linear_form, negative, nonnegative
from rall.ir.nodes import ZERO, Name, Node, add, div, mul, number, sub
from rall.ir.visit import names, substitute
from rall.model import SHARED, Access, Assign, Clock, Domain, Elementwise, Model, Operation, Solve, Variable
from rall.plugins.cable.geometry import FIRST_GROWTH, GAMMA
from rall.plugins.cable.mechanisms import Local, Mechanism
from rall.plugins.cable.membrane import LAG, Currents, Gates, renamed, split
from rall.units import get_or_create_dimension

if TYPE_CHECKING:
    from rall.plugins.cable.neuron import SpatialNeuron

__all__ = ["CABLE_METHODS", "CableStep"]

#: Solver and length of an implicit stage in steps.
CABLE_METHODS = {"second_order": ("tree_sdirk3", GAMMA), "backward_euler": ("tree_euler", 1.0)}
_STEADY_ROUNDS = 200
_EXPONENTIAL = (ExponentialEuler, ExponentialMidpoint)


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
    cell : SpatialNeuron
        The cell.
    """

    def __init__(self, cell: SpatialNeuron) -> None:
        self.cell = cell
        self.lag = Variable(LAG, SHARED, get_or_create_dimension(second=1), role="state")
        cell.variables[LAG] = self.lag
        self.late = cell.cable.node_variable("late")
        self._maps: dict[tuple[int, int], Variable] = {}
        self._resolved: dict[int, Gates] = {}
        self._gated: set[str] = set()
        #: Shared stand-ins for constant parameters that have one value everywhere.
        self.uniform: dict[str, Variable] = {}
        # What gated currents were in the last step; state of the cell, so that stored networks go on as they would.
        self._memory = {
            id(mechanism): {
                name: Variable(f"{name}_{k}", mechanism.domain) for name in ("_before_conductance", "_before_source")
            }
            for k, mechanism in enumerate(cell.mechanisms)
        }
        for memory in self._memory.values():
            cell.variables.update({variable.name: variable for variable in memory.values()})
        self.nonlinear: list[str] = []

    # --- names of one mechanism ---------------------------------------------------------------------------------

    def resolver(self, mechanism: Mechanism, external: Mapping[str, object]) -> Resolver:
        """What resolves expressions on the compartments of a mechanism."""
        cell = self.cell
        table: dict[str, Variable | Access] = {}
        for name, variable in {**cell.variables, **cell.clock_variables(), **self._scratch()}.items():
            bound = self._seen_from(mechanism, self._uniform(name, variable))
            if bound is not None:
                table[name] = bound
        subexpressions = {line.varname: line.node for line in cell.equations.subexpressions}
        subexpressions["Im"] = self.density()
        values = {**external, **cell.equations.bindings}
        return Resolver(table, subexpressions, values, cell.constants)

    def _uniform(self, name: str, variable: Variable) -> Variable:
        """A constant parameter that has one value everywhere as a shared one: kernels then need not load it.

        The value stays data; only a parameter that becomes different from place to place makes another kernel.
        """
        line = self.cell.equations.get(name)
        if variable.shared or line is None or not line.has("constant"):
            return variable
        values = variable.get()
        if (values != values[0]).any():
            self.uniform.pop(name, None)
            return variable
        if name not in self.uniform:
            self.uniform[name] = Variable(name, SHARED, variable.dimension, variable.kind, "constant")
        self.uniform[name].array[0] = values[0]
        return self.uniform[name]

    def _scratch(self) -> dict[str, Variable]:
        scratch = self.cell.cable.scratch
        return {"_d": scratch["d"], "_r": scratch["r"], "_late": self.late, "_carry": scratch["carry"],
                "_diagonal": scratch["diagonal"]}  # fmt: skip

    def _seen_from(self, mechanism: Mechanism, variable: Variable) -> Variable | Access | None:
        """How a variable is reached from a mechanism's elements; None where it does not live there."""
        if variable.shared or variable.domain is mechanism.domain:
            return variable
        if variable.domain is self.cell.domain:
            assert mechanism.rows is not None
            return Access(variable, mechanism.rows)
        home = next(m for m in self.cell.mechanisms if m.domain is variable.domain)
        if (mechanism.mask & ~home.mask).any():
            return None
        key = (id(mechanism), id(home))
        if key not in self._maps:
            position = np.full(self.cell.domain.size, -1)
            position[home.members] = np.arange(len(home.members))
            index = Variable("map", mechanism.domain, kind="integer", role="constant")
            index.set(home.domain.layout.index(position[mechanism.members]))
            self._maps[key] = index
        return Access(variable, self._maps[key])

    # --- currents -------------------------------------------------------------------------------------------------

    def density_lines(self) -> list[Line]:
        """Lines that add to the membrane current density."""
        return [
            line for line in self.cell.equations.lines
            if line.has("membrane current") or (line.varname == "Im" and line.kind == SUBEXPRESSION)
        ]  # fmt: skip

    def point_lines(self) -> list[Line]:
        """Lines that are a current into each compartment."""
        return list(self.cell.equations.with_flag("point current"))

    def density(self) -> Node:
        """The whole membrane current density, point currents included, in the names of the user's text."""
        total: Node = ZERO
        for line in self.density_lines():
            total = add(total, line.node if line.varname == "Im" else Name(line.varname))
        for line in self.point_lines():
            total = add(total, div(Name(line.varname), Name("area")))
        return total

    def _current_of(self, lines: Iterable[Line], resolver: Resolver) -> Node:
        total: Node = ZERO
        for line in lines:
            total = add(total, resolver.node(line.node) if line.varname == "Im" else resolver.name(line.varname))
        return total

    # --- gates ----------------------------------------------------------------------------------------------------

    def gates(
        self, mechanism: Mechanism, external: Mapping[str, object], seen_from: Mechanism | None = None
    ) -> Gates:
        """The differential equations of a mechanism, resolved (from another's compartments), with their method."""
        resolver = self.resolver(seen_from or mechanism, external)
        equations = {line.varname: resolver.node(line.node) for line in mechanism.equations}
        shared = {n for n, b in resolver.bindings.items() if isinstance(b, Variable) and b.shared}
        bindings = {**resolver.bindings, LAG: self.lag, "dt": self.cell.clock.dt_variable}
        constant = {
            n for n, b in resolver.bindings.items()
            if (b.variable if isinstance(b, Access) else b).role in ("constant", "parameter")
        }  # fmt: skip
        system = System(equations, frozenset(constant | {"v"}), frozenset(shared | {"dt", "t", LAG}), time=None)
        gates = Gates(system, choose(system, self.cell.method or "exponential_midpoint"), bindings)
        try:
            step = gates.step(Name(LAG))
        except NotIntegrable:
            if self.cell.method:
                raise
            gates = Gates(system, choose(system, ("rk2", "heun")), bindings)
            step = gates.step(Name(LAG))
        if step.propagators:
            raise NotIntegrable("a cell's coupled equations cannot use 'exact'; leave out method or name another")
        return gates

    @property
    def staggered(self) -> bool:
        """Whether gates are left half a step behind between steps."""
        return not self.cell.equations.is_stochastic and not self.cell.writes_in_program()

    def _advance(self, gates: Gates, h: Node) -> list[Assign]:
        return list(gates.step(h).statements)

    # --- operations -----------------------------------------------------------------------------------------------

    def operations(self, model: Model) -> Iterable[Operation]:
        """Membrane by membrane, then the solve; then, where gates may not lag, their second half step."""
        cell = self.cell
        external = cell.run_externals()
        solver, stage = CABLE_METHODS[cell.cable_method]
        structure = cell.cable.assemble(
            cell.variables["Cm"].get(), cell.variables["Ri"].get(), stage * cell.clock.dt
        )
        self.nonlinear = []
        self._resolved, self._gated = {}, set()
        parts = [self._parts(mechanism, external) for mechanism in cell.mechanisms]
        grows = cell.cable_method == "second_order" and any(part.grows for part in parts)
        if cell.mechanisms[0].rows is not None:
            base = self._base(Currents(), Currents(), ZERO if grows else None)
            yield self._elementwise("0base", cell.domain, base, {**self._scratch(), "v": cell.variables["v"]})
        for k, (mechanism, part) in enumerate(zip(cell.mechanisms, parts)):
            statements, bindings = self._membrane(mechanism, part, grows, k == len(parts) - 1)
            yield self._elementwise(f"{k + 1}membrane", mechanism.domain, statements, bindings, model, 2 * k)
        variables = {**cell.cable.scratch, "v": cell.variables["v"]}
        if grows:
            variables["late"] = self.late
        yield Solve(
            name=f"{cell.name}_8solve", clock=cell.clock, when="groups", order=cell.order, solver=solver,
            structure=structure, variables=variables,
        )  # fmt: skip
        if not self.staggered:
            for k, mechanism in enumerate(cell.mechanisms):
                if mechanism.equations:
                    gates = self._resolved[id(mechanism)]
                    statements = self._advance(gates, mul(number(0.5), Name("dt")))
                    name = f"8zgates{k}"
                    yield self._elementwise(name, mechanism.domain, statements, gates.bindings, model, 2 * k + 1)

    def _elementwise(
        self,
        name: str,
        domain: Any,
        statements: Sequence[Assign],
        bindings: Mapping[str, Variable | Access],
        model: Model | None = None,
        draw: int = 0,
    ) -> Elementwise:
        cell = self.cell
        known = {**bindings, **cell.random_bindings(domain, model, draw)}
        return Elementwise(
            name=f"{cell.name}_{name}", clock=cell.clock, when="groups", order=cell.order, domain=domain,
            statements=statements, bindings=known,
        )  # fmt: skip

    def _parts(self, mechanism: Mechanism, external: Mapping[str, object]) -> _Part:
        """The currents of one mechanism, split."""
        cell = self.cell
        resolver = self.resolver(mechanism, external)
        if mechanism.equations:
            self._resolved[id(mechanism)] = self.gates(mechanism, external)
        lines = [line for line in mechanism.lines if line in self.density_lines()]
        points = [line for line in mechanism.lines if line.has("point current")]
        gates = cell.equations.diff_eq_names if self.staggered else ()
        whole = cell.cable_method == "second_order"
        per_area = split(self._current_of(lines, resolver), gates, whole)
        point = split(self._current_of(points, resolver), gates, whole)
        if not (per_area.linear and point.linear):
            self.nonlinear += [line.varname for line in (*lines, *points)]
        return _Part(per_area, point, resolver)

    def _membrane(
        self, mechanism: Mechanism, part: _Part, grows: bool, last: bool
    ) -> tuple[list[Assign], dict[str, Variable | Access]]:
        """Statements of one mechanism: gates to the middle of the step, then what its currents add to the system."""
        cell = self.cell
        statements: list[Assign] = []
        bindings: dict[str, Variable | Access] = {LAG: self.lag, "dt": cell.clock.dt_variable}
        if mechanism.equations:
            gates = self._resolved[id(mechanism)]
            half = mul(number(0.5), Name("dt"))
            statements += self._advance(gates, add(half, Name(LAG)) if self.staggered else half)
            bindings.update(gates.bindings)
        growth, gated, remembered = self._growth(mechanism, part, bindings)
        statements += gated
        if mechanism.rows is None:
            statements += self._base(part.per_area, part.point, growth if grows else None, bool(gated))
        else:
            statements += self._added(part, growth if grows else ZERO, bool(gated))
        if grows:
            statements += remembered
        if self.staggered and last and cell.equations.diff_eq_names:
            statements.append(Assign(LAG, mul(number(0.5), Name("dt"))))
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

    # --- the state at the present time ------------------------------------------------------------------------------

    def synchronised(self, wanted: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Values of gates at the present time, by name, in their mechanism's order."""
        found: dict[str, NDArray[Any]] = {}
        external = self.cell.run_externals()
        for mechanism in self.cell.mechanisms:
            mine = [line.varname for line in mechanism.equations]
            if mine and (wanted is None or not set(mine).isdisjoint(wanted)):
                gates = self.gates(mechanism, external)
                values = self._values(gates.bindings)
                for statement in gates.step(Name(LAG)).statements:
                    values[statement.target] = evaluate(statement.value, values)
                found.update({n: np.broadcast_to(values[n], (mechanism.domain.size,)) for n in mine})
        return found

    def _values(self, bindings: Mapping[str, Variable | Access]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, bound in bindings.items():
            if isinstance(bound, Access):
                layout = bound.index.domain.layout
                values[name] = bound.variable.array[layout.to_user(bound.index.array).astype(np.int64)]
            else:
                values[name] = bound.array[0] if bound.shared else bound.get()
        return values

    def unbounded(self) -> Iterable[Variable]:
        """Gates of which it is not known that they stay finite as long as the voltage does."""
        for mechanism in self.cell.mechanisms:
            gates = self._resolved.get(id(mechanism))
            for name, rhs in ({} if gates is None else gates.system.equations).items():
                form = linear_form(rhs, name)
                if not isinstance(gates.integrator, _EXPONENTIAL) or form is None or not nonnegative(negative(form[0])):
                    yield Local(self.cell.variables[name], mechanism)

    def synchronise(self, changed: str) -> None:
        """Bring the stored gates to the present time before something that they depend on is changed."""
        read = {name for gates in self._resolved.values() for name in gates.bindings} | self._gated
        if self.lag.array[0] != 0.0 and (changed in read or changed in self.cell.equations.diff_eq_names):
            for name, values in self.synchronised().items():
                self.cell.variables[name].set(values)
            self.lag.array[0] = 0.0

    def probe(
        self, wanted: Sequence[str], owner: str, place: tuple[Clock, str, int]
    ) -> tuple[list[Operation], dict[str, Variable]]:
        """Operations that bring variables to the present time, and where to read them (`Group.probe`)."""
        cell, external = self.cell, self.cell.run_externals()
        found: dict[str, Variable] = {}
        operations: list[Operation] = []
        for name in wanted:
            known = cell.variables.get(name)
            if known is not None and known.kind == "float" and name not in cell.equations.diff_eq_names:
                found[name] = known
                continue
            home = self.home(name)
            domain = cell.domain if home is None else home.domain
            found[name] = Variable(name, domain, cell.dimension(name), role="scratch")
            operations += self._probes(name, found[name], owner, place, external)
        return operations, found

    def home(self, name: str) -> Mechanism | None:
        """The mechanism that a variable or subexpression lives on; None for all compartments."""
        for mechanism in self.cell.mechanisms:
            if name != "Im" and any(line.varname == name for line in mechanism.lines):
                return mechanism
        return None

    def _probes(
        self, name: str, target: Variable, owner: str, place: tuple[Clock, str, int], external: Mapping[str, object]
    ) -> Iterable[Operation]:
        clock, when, order = place

        def operation(k: int, domain: Domain, statements: list[Assign], bindings: Mapping[str, Any]) -> Elementwise:
            return Elementwise(
                name=f"{owner}!{name}{k}", clock=clock, when=when, order=order, domain=domain,
                statements=statements, bindings=bindings,
            )  # fmt: skip

        home = self.home(name)
        if name == "Ic":
            raise NotSupportedError("Ic can be read and not recorded; record v and Im, or read Ic after the run")
        if home is not None or name in self.cell.variables:
            on = home or self.cell.mechanisms[0]
            statements, bindings = self.at_present(on, lambda resolver: resolver.name(name), external)
            yield operation(0, on.domain, statements, {**bindings, "_probe": target})
            return
        yield operation(0, target.domain, [Assign("_probe", ZERO)], {"_probe": target})
        for k, mechanism in enumerate(self.cell.mechanisms):
            statements, bindings = self.at_present(mechanism, lambda r, m=mechanism: self._density_on(m, r), external)
            if mechanism.rows is None:
                last = statements[-1]
                statements[-1] = Assign(last.target, add(Name("_probe"), last.value))
            bindings["_probe"] = target if mechanism.rows is None else Access(target, mechanism.rows)
            yield operation(k + 1, mechanism.domain, statements, bindings)

    def at_present(
        self, mechanism: Mechanism, make: Callable[[Resolver], Node], external: Mapping[str, object]
    ) -> tuple[list[Assign], dict[str, Variable | Access]]:
        """Statements that leave the present value of an expression in ``_probe``."""
        resolver = self.resolver(mechanism, external)
        node = make(resolver)
        bindings = dict(resolver.bindings)
        statements: list[Assign] = []
        if self.staggered and not names(node).isdisjoint(self.cell.equations.diff_eq_names):
            for other in self.cell.mechanisms:
                if other.equations and not names(node).isdisjoint(x.varname for x in other.equations):
                    # The gates of another mechanism are advanced here too, seen from this one's compartments.
                    gates = self.gates(other, external, seen_from=mechanism)
                    advanced, now = renamed(gates.step(Name(LAG)).statements, gates.variables, "_now_")
                    statements += advanced
                    node = substitute(node, now)
                    bindings.update(gates.bindings)
        return [*statements, Assign("_probe", node)], bindings

    def _density_on(self, mechanism: Mechanism, resolver: Resolver) -> Node:
        density = self._current_of([x for x in mechanism.lines if x in self.density_lines()], resolver)
        points = self._current_of([x for x in mechanism.lines if x.has("point current")], resolver)
        return density if points is ZERO else add(density, div(points, resolver.name("area")))

    def expression(self, name: str, external: Mapping[str, object]) -> NDArray[Any]:
        """Present values of a subexpression, NaN where it does not live."""
        home = self.home(name) or self.cell.mechanisms[0]
        resolver = self.resolver(home, external)
        node = resolver.name(name)
        values = self._present_values(home, resolver)
        everywhere = np.full(self.cell.domain.size, np.nan)
        everywhere[home.members] = np.broadcast_to(evaluate(node, values), (home.domain.size,))
        return everywhere

    def _present_values(self, mechanism: Mechanism, resolver: Resolver) -> dict[str, Any]:
        values = self._values({**resolver.table, **resolver.bindings})
        if self.lag.array[0]:
            values.update(self._from(mechanism, self.synchronised()))
        return values

    def membrane_current(self, external: Mapping[str, object]) -> NDArray[np.float64]:
        """Im of every compartment now (amp/metre**2)."""
        return self._sum_over_mechanisms(external, lambda current: current)

    def conductance(self, external: Mapping[str, object]) -> NDArray[np.float64]:
        """Minus the derivative of Im by v now (siemens/metre**2)."""
        return self._sum_over_mechanisms(external, lambda current: split(current).whole_conductance)

    def _sum_over_mechanisms(self, external: Mapping[str, object], take: Any) -> NDArray[np.float64]:
        cell = self.cell
        total = np.zeros(cell.domain.size)
        for mechanism in cell.mechanisms:
            resolver = self.resolver(mechanism, external)
            node = take(self._density_on(mechanism, resolver))
            values = self._present_values(mechanism, resolver)
            total[mechanism.members] += np.broadcast_to(evaluate(node, values), (mechanism.domain.size,))
        return total

    def _from(self, mechanism: Mechanism, gates: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Gates of all mechanisms as seen from the compartments of one."""
        seen = {}
        for name, values in gates.items():
            home = next(m for m in self.cell.mechanisms if any(x.varname == name for x in m.equations))
            everywhere = np.full(self.cell.domain.size, np.nan)
            everywhere[home.members] = values
            seen[name] = everywhere[mechanism.members]
        return seen

    def steady_state(self, external: Mapping[str, object]) -> None:
        """Set every differential variable to where its equation stands still at the present voltage, without noise."""
        self.lag.array[0] = 0.0
        for mechanism in self.cell.mechanisms:
            if not mechanism.equations:
                continue
            gates = self.gates(mechanism, external)
            values = self._values(gates.bindings)
            forms = {name: self._form(name, rhs) for name, rhs in gates.system.equations.items()}
            for _ in range(_STEADY_ROUNDS):
                change = 0.0
                for name, form in forms.items():
                    with np.errstate(divide="ignore", invalid="ignore"):
                        found = evaluate(negative(div(form[1], form[0])), values)
                    new = np.broadcast_to(found, (mechanism.domain.size,))
                    old = values.get(name, np.zeros(1))
                    change = max(change, float(np.max(np.abs(new - old) / (np.abs(new) + 1e-12))))
                    values[name] = new
                if change < 1e-13:
                    break
            else:
                raise RallError(f"no steady state of {', '.join(forms)} was found; set their initial values yourself")
            for name in gates.system.equations:
                self.cell.variables[name].set(values[name])

    @staticmethod
    def _form(name: str, rhs: Node) -> tuple[Node, Node]:
        """Slope and constant term of an equation, without its noise."""
        calm = substitute(rhs, dict.fromkeys(noise_symbols(rhs), ZERO))
        form = linear_form(calm, name)
        if form is None:
            raise RallError(f"the equation of '{name}' is not linear in '{name}'; set its initial value yourself")
        if form[0] is ZERO:
            raise RallError(f"the equation of '{name}' has no steady state; set its initial value yourself")
        return form

    def description(self) -> str:
        """How the cable is stepped."""
        if self.cell.cable_method == "backward_euler":
            return "backward_euler: first order"
        if self.cell.equations.is_stochastic:
            return "second_order; the noise is of the order that its method has"
        return "second_order"


