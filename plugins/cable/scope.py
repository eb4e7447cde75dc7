"""What names mean on the compartments of a mechanism, and which lines make its currents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rall.equations import SUBEXPRESSION, Line
from rall.errors import NotSupportedError
from rall.groups import Resolver
from rall.integrators import AbstractIntegrator, NotIntegrable, System
from rall.integrators.choose import choose
from rall.integrators.partitioned import Partitioned
from rall.ir.nodes import ZERO, Compare, Name, Node, add, div, number, select
from rall.ir.visit import names
from rall.model import SHARED, Access, Variable
from rall.plugins.cable.coupling import VOLTAGE, Couplings
from rall.plugins.cable.mechanisms import Mask, Mechanism
from rall.plugins.cable.membrane import LAG, Gates
from rall.units import get_or_create_dimension

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["Scope"]


#: How gates are advanced where no method is named: the first that fits.
_GATES = ("exponential_midpoint", "rk2", "heun")


class Scope:
    """Resolves the equations of cells, mechanism by mechanism.

    Parameters
    ----------
    cell : Cells
        The cell.

    Attributes
    ----------
    lag : Variable
        By how much stored gates are behind (second).
    uniform : dict of str to Variable
        Shared stand-ins for constant parameters that have one value everywhere.
    couplings : Couplings
        Sums over synapses that are taken implicitly.
    late : Variable
        By how much sources grow during a step (ampere), over all nodes.
    """

    def __init__(self, cell: Cells) -> None:
        self.cell = cell
        self.lag = Variable(LAG, SHARED, get_or_create_dimension(second=1), role="state")
        cell.variables[LAG] = self.lag
        self.late = cell.cable.node_variable("late")
        self.uniform: dict[str, Variable] = {}
        self.couplings = Couplings(cell, self.home)
        self._maps: dict[tuple[int, int], Variable] = {}
        self._indicators: dict[tuple[str, int], Variable] = {}

    # --- names of one mechanism ---------------------------------------------------------------------------------

    def resolver(
        self, mechanism: Mechanism, external: Mapping[str, object], within: Mask | None = None
    ) -> Resolver:
        """What resolves expressions on the compartments of a mechanism; `within`: where alone results will be used."""
        cell = self.cell
        table: dict[str, Variable | Access] = {}
        for name, variable in {**cell.variables, **cell.clock_variables(), **self.scratch()}.items():
            bound = self._seen_from(mechanism, self._uniform(name, variable), within)
            if bound is not None:
                table[name] = bound
        subexpressions = {line.varname: line.node for line in cell.equations.subexpressions}
        subexpressions["Im"] = self.density()
        values = {**external, **cell.equations.bindings}
        resolver = Resolver(table, subexpressions, values, cell.constants, cell)
        for name, terms in cell.ion_totals.items():
            resolver.define(name, partial(self._total, mechanism, terms, external, resolver))
        return resolver

    def _total(
        self, mechanism: Mechanism, terms: Sequence[str], external: Mapping[str, object], whole: Resolver
    ) -> tuple[Node, dict[str, Variable | Access]]:
        """The sum of the currents of an ion; on compartments of the mechanism that have no such current it adds 0.

        `whole` resolves what is on all of its compartments.
        """
        total: Node = ZERO
        bindings: dict[str, Variable | Access] = {}
        for term in terms:
            home = self.home(term)
            here = mechanism.mask if home is None else mechanism.mask & home.mask
            if not here.any():
                continue
            if here[mechanism.mask].all():
                total = add(total, whole.name(term))
                continue
            resolver = self.resolver(mechanism, external, here)
            node = resolver.name(term)
            bindings.update(resolver.bindings)
            has = f"_has_{term}"
            bindings[has] = self._indicator(has, mechanism, here)
            total = add(total, select(Compare(">", Name(has), number(0.5)), node, ZERO))
        return total, bindings

    def _indicator(self, name: str, mechanism: Mechanism, here: Mask) -> Variable:
        """1 on some of a mechanism's compartments and 0 on the others."""
        key = (name, id(mechanism))
        if key not in self._indicators:
            self._indicators[key] = Variable(name, mechanism.domain, role="constant")
            self._indicators[key].set(here[mechanism.mask].astype(float))
        return self._indicators[key]

    def _uniform(self, name: str, variable: Variable) -> Variable:
        """A constant parameter that has one value everywhere as a shared one: kernels then need not load it.

        The value stays data; only a parameter that becomes different from place to place makes another kernel.
        """
        line = self.cell.equations.get(name)
        if variable.shared or line is None or not line.has("constant"):
            return variable
        if not variable.same():
            self.uniform.pop(name, None)
            return variable
        if name not in self.uniform:
            self.uniform[name] = Variable(name, SHARED, variable.dimension, variable.kind, "constant")
        self.uniform[name].array[0] = variable.array[variable.domain.layout.index(np.zeros(1, np.int64))[0]]
        return self.uniform[name]

    def scratch(self) -> dict[str, Variable]:
        """The solver's variables as statements name them."""
        scratch = self.cell.cable.scratch
        return {"_d": scratch["d"], "_r": scratch["r"], "_late": self.late, "_carry": scratch["carry"],
                "_diagonal": scratch["diagonal"], VOLTAGE: self.cell.variables["v"]}  # fmt: skip

    def _seen_from(
        self, mechanism: Mechanism, variable: Variable, within: Mask | None = None
    ) -> Variable | Access | None:
        """How a variable is reached from a mechanism's elements; None where it does not live there.

        Where it need not be seen, its first element stands in.
        """
        if variable.shared or variable.domain is mechanism.domain:
            return variable
        if variable.domain is self.cell.domain:
            assert mechanism.rows is not None
            return Access(variable, mechanism.rows)
        home = next(m for m in self.cell.mechanisms if m.domain is variable.domain)
        if ((mechanism.mask if within is None else within) & ~home.mask).any():
            return None
        key = (id(mechanism), id(home))
        if key not in self._maps:
            position = np.zeros(self.cell.domain.size, np.int64)
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

    def makes_current(self, name: str) -> bool:
        """Whether a variable is a part of the membrane's currents."""
        expressions = {line.varname: line.node for line in self.cell.equations.subexpressions}
        todo, seen = {line.varname for line in (*self.density_lines(), *self.point_lines())}, set[str]()
        while todo:
            seen |= todo
            todo = {n for known in todo & expressions.keys() for n in names(expressions[known])} - seen
        return name in seen

    def density(self) -> Node:
        """The whole membrane current density, point currents included, in the names of the user's text."""
        total: Node = ZERO
        for line in self.density_lines():
            total = add(total, line.node if line.varname == "Im" else Name(line.varname))
        for line in self.point_lines():
            total = add(total, div(Name(line.varname), Name("area")))
        return total

    def current_of(self, lines: Iterable[Line], resolver: Resolver) -> Node:
        """The sum of the currents of some lines, resolved."""
        total: Node = ZERO
        for line in lines:
            total = add(total, resolver.node(line.node) if line.varname == "Im" else resolver.name(line.varname))
        return total

    def density_on(self, mechanism: Mechanism, resolver: Resolver) -> Node:
        """The density of one mechanism's currents, point currents included."""
        density = self.current_of([x for x in mechanism.lines if x in self.density_lines()], resolver)
        points = self.current_of([x for x in mechanism.lines if x.has("point current")], resolver)
        return density if points is ZERO else add(density, div(points, resolver.name("area")))

    def home(self, name: str) -> Mechanism | None:
        """The mechanism that a variable or subexpression lives on; None for all compartments."""
        for mechanism in self.cell.mechanisms:
            if name != "Im" and any(line.varname == name for line in mechanism.lines):
                return mechanism
        return None

    # --- gates ----------------------------------------------------------------------------------------------------

    def gates(
        self, mechanism: Mechanism, external: Mapping[str, object], seen_from: Mechanism | None = None
    ) -> Gates:
        """The differential equations of a mechanism, resolved (from another's compartments), with their method."""
        within = None if seen_from is None else seen_from.mask & mechanism.mask
        resolver = self.resolver(seen_from or mechanism, external, within)
        equations = {line.varname: resolver.node(line.node) for line in mechanism.equations}
        for name in equations:
            resolver.name(name)  # written even where no right-hand side reads it
        shared = {n for n, b in resolver.bindings.items() if isinstance(b, Variable) and b.shared}
        bindings = {**resolver.bindings, LAG: self.lag, "dt": self.cell.clock.dt_variable}
        constant = {
            n for n, b in resolver.bindings.items()
            if (b.variable if isinstance(b, Access) else b).role in ("constant", "parameter")
        }  # fmt: skip
        system = System(
            equations, frozenset(constant | {"v"}), frozenset(shared | {"dt", "t", LAG}), None,
            frozenset(line.varname for line in mechanism.equations if line.has("implicit")),
        )  # fmt: skip
        default = Partitioned(_GATES) if system.implicit else _GATES[0]
        gates = Gates(system, self._method(system, self.cell.method or default), bindings)
        try:
            step = gates.step("lag")
        except NotIntegrable:
            if self.cell.method:
                raise
            gates = Gates(system, self._method(system, _GATES[1:]), bindings)
            step = gates.step("lag")
        if step.propagators:
            raise NotIntegrable("a cell's coupled equations cannot use 'exact'; leave out method or name another")
        return gates

    def _method(self, system: System, wanted: Any) -> AbstractIntegrator:
        chosen = choose(system, wanted)
        if isinstance(chosen, AbstractIntegrator):
            return chosen
        raise NotSupportedError(
            f"the gates of '{self.cell.name}' advance in turn with its voltage, half a step at a time, and "
            f"'{chosen.name}' takes steps of its own; leave out `method`, which is exponential_midpoint then, or use "
            "rk4 or implicit"
        )

    @property
    def staggered(self) -> bool:
        """Whether gates are left half a step behind between steps."""
        cell = self.cell
        if cell.cable_method == "backward_euler":  # gates, then the voltage, each by a whole step
            return False
        return not cell.equations.is_stochastic and not cell.writes_in_program()
