"""The state of a cell at the present time: gates brought up to date, currents, steady states, recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import Line
from rall.errors import RallError
from rall.evaluate import evaluate
from rall.functions import DERIVATIVES
from rall.groups import Resolver
from rall.groups.bound import value_of_bound
from rall.integrators.blocks import blocks
from rall.integrators.choose import stability_warning
from rall.integrators.noise import noise_symbols
from rall.integrators.steady import SteadyBlock
from rall.ir.algebra import depends, derivative, linear_form, negative
from rall.ir.nodes import ZERO, Name, Node, add, div, mul, sub
from rall.ir.visit import names, substitute
from rall.model import Access, Assign, Clock, Domain, Elementwise, Layout, Model, Operation, Reduce, Variable
from rall.plugins.cable.mechanisms import Mechanism
from rall.plugins.cable.membrane import Gates, renamed, split
from rall.plugins.cable.scope import Scope
from rall.session import session_seed, warn
from rall.units import DIMENSIONLESS

__all__ = ["Present"]

_STEADY_ROUNDS = 200
#: Relative change below which a steady state counts as found.
_SETTLED = 1e-13
#: Compartments whose equations are checked for stability, at most.
_LOOKED_AT = 4096
#: Draws for values that are read from Python come from a stream beside that of the program.
_OUTSIDE = 0x5BD1E995


class Present:
    """Values at the present time, from Python and inside of programs.

    Parameters
    ----------
    scope : Scope
        Names and equations of the cell.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.cell = scope.cell
        self._warned = False

    def synchronised(self, wanted: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Values of gates at the present time, by name, in their mechanism's order."""
        found: dict[str, NDArray[Any]] = {}
        external = self.cell.run_externals()
        for mechanism in self.cell.mechanisms:
            mine = [line.varname for line in mechanism.equations]
            if mine and (wanted is None or not set(mine).isdisjoint(wanted)):
                gates = self.scope.gates(mechanism, external)
                values = self._values(gates.bindings)
                for statement in gates.step("lag").statements:
                    values[statement.target] = evaluate(statement.value, values)
                found.update({n: np.broadcast_to(values[n], (mechanism.domain.size,)) for n in mine})
        return found

    def computed(self) -> set[str]:
        """Names that stand for no stored present value: currents, and what gates are part of while these are behind."""
        found, known = {"Im", "Ic"}, 0
        if self.scope.staggered:
            found.update(self.cell.equations.diff_eq_names)
        while len(found) > known:
            known = len(found)
            found.update(n for n, node in self.cell.expressions().items() if not found.isdisjoint(names(node)))
        return found

    def _values(
        self, bindings: Mapping[str, Variable | Access], some: NDArray[np.int64] | None = None
    ) -> dict[str, Any]:
        """Values of all elements, or of some, by name."""
        cell = self.cell
        values: dict[str, Any] = {
            "_seed": int(session_seed().array[0]), "_stream": cell.stream ^ _OUTSIDE, "_step": cell.clock.step,
            "_element": np.arange(cell.domain.size) if some is None else some,
        }  # fmt: skip
        for name, bound in bindings.items():
            if some is not None:
                values[name] = value_of_bound(bound, some)
            elif isinstance(bound, Access):
                layout = bound.index.domain.layout
                values[name] = bound.variable.array[layout.to_user(bound.index.array).astype(np.int64)]
            else:
                values[name] = bound.array[0] if bound.shared else bound.get()
        return values

    def synchronise(self) -> None:
        """Bring the stored gates to the present time, so that they, or what they depend on, can be changed."""
        if self.scope.lag.array[0] != 0.0:
            for name, values in self.synchronised().items():
                self.cell.variables[name].set(values)
            self.scope.lag.array[0] = 0.0

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
            home = self.scope.home(name)
            domain = cell.domain if home is None else home.domain
            found[name] = Variable(name, domain, cell.dimension(name), role="scratch")
            operations += self._probes(name, found[name], owner, place, external)
        return operations, found

    def spread(
        self, name: str, values: Variable, owner: str, place: tuple[Clock, str, int]
    ) -> tuple[list[Operation], Variable]:
        """Operations that put what lives on some compartments onto all of them, NaN on the others.

        Parameters
        ----------
        name : str
            The variable.
        values : Variable
            Its values where it lives.
        owner, place
            As of `probe`.
        """
        home, cell = self.scope.home(name), self.cell
        assert home is not None and home.rows is not None
        nowhere = Variable("_nowhere", cell.domain, role="constant")
        nowhere.set(np.where(home.mask, 0.0, np.nan))
        everywhere = Variable(name, cell.domain, values.dimension, role="scratch")
        clock, when, order = place
        parts: list[tuple[Domain, Node, dict[str, Variable | Access]]] = [
            (cell.domain, Name("_nowhere"), {"_nowhere": nowhere, "_everywhere": everywhere}),
            (home.domain, Name("_here"), {"_here": values, "_everywhere": Access(everywhere, home.rows)}),
        ]
        operations: list[Operation] = [
            Elementwise(
                name=f"{owner}!{name}~{k}", clock=clock, when=when, order=order, domain=domain,
                statements=[Assign("_everywhere", node)], bindings=bindings,
            )
            for k, (domain, node, bindings) in enumerate(parts)
        ]  # fmt: skip
        return operations, everywhere

    def _probes(
        self, name: str, target: Variable, owner: str, place: tuple[Clock, str, int], external: Mapping[str, object]
    ) -> Iterable[Operation]:
        clock, when, order = place

        def operation(k: int, domain: Domain, statements: list[Assign], bindings: Mapping[str, Any]) -> Elementwise:
            return Elementwise(
                name=f"{owner}!{name}{k}", clock=clock, when=when, order=order, domain=domain,
                statements=statements, bindings=bindings,
            )  # fmt: skip

        home = self.scope.home(name)
        if home is not None or name in self.cell.variables:
            on = home or self.cell.mechanisms[0]
            statements, bindings = self.at_present(on, lambda resolver: resolver.name(name), external)
            yield operation(0, on.domain, statements, {**bindings, "_probe": target})
            return
        yield operation(0, target.domain, [Assign("_probe", ZERO)], {"_probe": target})
        for k, mechanism in enumerate(self.cell.mechanisms):
            statements, bindings = self.at_present(mechanism, partial(self.scope.density_on, mechanism), external)
            if mechanism.rows is None:
                last = statements[-1]
                statements[-1] = Assign(last.target, add(Name("_probe"), last.value))
            bindings["_probe"] = target if mechanism.rows is None else Access(target, mechanism.rows)
            yield operation(k + 1, mechanism.domain, statements, bindings)
        if name == "Ic":
            yield from self._axial(target, f"{owner}!{name}~", place)

    def _axial(self, target: Variable, owner: str, place: tuple[Clock, str, int]) -> Iterable[Operation]:
        """Operations that add the current from the neighbours, per area, to a density."""
        cell, (clock, when, order) = self.cell, place
        here, there, conductance = cell.cable.pairs(cell.passive_parameters["Ri"].least())
        domain = Domain("pairs", Layout(len(here)))
        ends = [Variable(name, domain, kind="index", role="constant") for name in ("here", "there")]
        for end, compartments in zip(ends, (here, there)):
            end.set(cell.domain.layout.index(compartments))
        siemens = Variable("siemens", domain, role="constant")
        siemens.set(conductance)
        v, area = cell.variables["v"], cell.variables["area"]
        terms, total = Variable("_terms", domain, role="scratch"), Variable("_axial", cell.domain, role="scratch")
        where: dict[str, Any] = dict(clock=clock, when=when, order=order)
        flow = mul(Name("_g"), sub(Name("_there"), Name("_here")))
        seen: dict[str, Variable | Access]
        seen = {"_g": siemens, "_terms": terms, "_here": Access(v, ends[0]), "_there": Access(v, ends[1])}
        yield Elementwise(
            name=f"{owner}0", **where, domain=domain, statements=[Assign("_terms", flow)], bindings=seen
        )
        yield Reduce(name=f"{owner}1", **where, values=terms, index=ends[0], target=total)
        whole = add(Name("_probe"), div(Name("_axial"), Name("area")))
        yield Elementwise(
            name=f"{owner}2", **where, domain=cell.domain, statements=[Assign("_probe", whole)],
            bindings={"_probe": target, "_axial": total, "area": area},
        )  # fmt: skip

    def at_present(
        self, mechanism: Mechanism, make: Callable[[Resolver], Node], external: Mapping[str, object]
    ) -> tuple[list[Assign], dict[str, Variable | Access]]:
        """Statements that leave the present value of an expression in ``_probe``."""
        resolver = self.scope.resolver(mechanism, external)
        node = make(resolver)
        bindings = dict(resolver.bindings)
        statements: list[Assign] = []
        if self.scope.staggered and not names(node).isdisjoint(self.cell.equations.diff_eq_names):
            for other in self.cell.mechanisms:
                if other.equations and not names(node).isdisjoint(x.varname for x in other.equations):
                    # The gates of another mechanism are advanced here too, seen from this one's compartments.
                    gates = self.scope.gates(other, external, seen_from=mechanism)
                    advanced, now = renamed(gates.step("lag").statements, gates.variables, "_now_")
                    statements += advanced
                    node = substitute(node, now)
                    bindings.update(gates.bindings)
        return [*statements, Assign("_probe", node)], bindings

    def expression(self, name: str, external: Mapping[str, object]) -> NDArray[Any]:
        """Present values of a subexpression, NaN where it does not live."""
        home = self.scope.home(name) or self.cell.mechanisms[0]
        resolver = self.scope.resolver(home, external)
        node = resolver.name(name)
        values = self._present_values(home, resolver)
        everywhere = np.full(self.cell.domain.size, np.nan)
        everywhere[home.members] = np.broadcast_to(evaluate(node, values), (home.domain.size,))
        return everywhere

    def _present_values(self, mechanism: Mechanism, resolver: Resolver) -> dict[str, Any]:
        values = self._values({**resolver.table, **resolver.bindings})
        if self.scope.lag.array[0]:
            values.update(self._from(mechanism, self.synchronised()))
        return values

    def held_operations(self, model: Model) -> Iterable[Operation]:
        """Values of subexpressions that hold for a step (``constant over dt``), at its very beginning."""
        cell, external = self.cell, self.cell.run_externals()
        for k, line in enumerate(cell.equations.with_flag("constant over dt")):
            home = self.scope.home(line.varname)
            assert home is not None
            statements, bindings = self.at_present(home, partial(_node_of, line), external)
            draws = cell.random_bindings(home.domain, model, f"held {k}")
            yield Elementwise(
                name=f"{cell.name}_held{k}", clock=cell.clock, when="before_start", order=cell.order,
                domain=home.domain, statements=statements,
                bindings={**bindings, **draws, "_probe": cell.variables[line.varname]},
            )  # fmt: skip

    def warn_if_unstable(self) -> None:
        """Say once which equation of the cell is too fast for its method and the step, if one is."""
        external = self.cell.run_externals()
        for mechanism in self.cell.mechanisms:
            if not mechanism.equations or self._warned:
                continue
            gates = self.scope.gates(mechanism, external)
            # Of very many compartments some are looked at, evenly: the others are like them.
            size = mechanism.domain.size
            some = np.unique(np.linspace(0, size - 1, min(size, _LOOKED_AT)).astype(np.int64)) if size else np.arange(0)
            values = self._values(gates.bindings, some)
            compute = partial(evaluate, values=values)
            message = stability_warning(gates.system, gates.integrator, self.cell.clock.dt, compute)
            if message is not None:
                self._warned = True
                made = f"'{self.cell.name}' (made at {self.cell.created_at})"
                warn(f"{made}: {message}")

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
            resolver = self.scope.resolver(mechanism, external)
            node = take(self.scope.density_on(mechanism, resolver))
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
        self.scope.lag.array[0] = 0.0
        moving = [(m, self.scope.gates(m, external)) for m in self.cell.mechanisms if m.equations]
        # One mechanism's equations can read another's variables, and these the first's, as pools and currents do.
        for _ in range(_STEADY_ROUNDS):
            change = max((self._settle(mechanism, gates) for mechanism, gates in moving), default=0.0)
            if change < _SETTLED or len(moving) == 1:
                return
        names_ = ", ".join(self.cell.equations.diff_eq_names)
        raise RallError(f"no steady state of {names_} together was found; set their initial values yourself")

    def _settle(self, mechanism: Mechanism, gates: Gates) -> float:
        """Set the variables of one mechanism to their steady state, the others given; the largest relative change."""
        # What is the same everywhere takes as long for many cells as for one.
        alike = all(isinstance(bound, Variable) and bound.same() for bound in gates.bindings.values())
        values = self._values(gates.bindings, np.zeros(1, np.int64) if alike else None)
        count, equations = 1 if alike else mechanism.domain.size, gates.system.equations
        first = {name: values[name] for name in equations}
        together = [SteadyBlock({name: equations[name] for name in block}) for block in blocks(gates.system)]
        apart = {name for block in together for name in block.variables}
        forms = {name: self._form(name, rhs) for name, rhs in equations.items() if name not in apart}
        totals = [self._totals(block, values) for block in together]
        for _ in range(_STEADY_ROUNDS):
            change = 0.0
            for block, sums in zip(together, totals):
                for name, new in block.solve(values, sums, evaluate).items():
                    change = max(change, _change(values[name], new))
                    values[name] = np.broadcast_to(new, (count,))
            for name, form in forms.items():
                old = values[name]
                with np.errstate(divide="ignore", invalid="ignore"):
                    found = evaluate(negative(div(form[1], form[0])), values)
                    # A Newton step of a concentration must not leave the range of its logarithm.
                    new = np.where(found * old < 0.0, 0.5 * old, found) if depends(form[0], {name}) else found
                values[name] = np.broadcast_to(new, (count,))
                change = max(change, _change(old, values[name]))
            if change < _SETTLED:
                break
        else:
            known = ", ".join(f"'{name}'" for name in equations)
            raise RallError(f"no steady state of {known} was found; set their initial values yourself")
        for name in equations:
            self.cell.variables[name].set(np.broadcast_to(values[name], (mechanism.domain.size,)))
        return max(_change(first[name], values[name]) for name in equations)

    def _totals(self, block: SteadyBlock, values: Mapping[str, Any]) -> list[NDArray[np.float64]]:
        """What the sums that equations keep are."""
        plain = all(self.cell.variables[name].dimension is DIMENSIONLESS for name in block.variables)
        return block.totals(values, plain)

    @staticmethod
    def _form(name: str, rhs: Node) -> tuple[Node, Node]:
        """Slope and constant term of an equation, without its noise: where it is not linear, of its tangent."""
        calm = substitute(rhs, dict.fromkeys(noise_symbols(rhs), ZERO))
        form = linear_form(calm, name)
        if form is None:
            slope = derivative(calm, name, DERIVATIVES)
            form = slope, sub(calm, mul(slope, Name(name)))
        if form[0] is ZERO:
            raise RallError(f"the equation of '{name}' has no steady state; set its initial value yourself")
        return form


def _change(old: Any, new: Any) -> float:
    """The largest relative change; infinite where a value is not finite."""
    with np.errstate(invalid="ignore"):
        change = float(np.max(np.abs(new - old) / (np.abs(new) + 1e-12)))
    return change if np.isfinite(change) else np.inf


def _node_of(line: Line, resolver: Resolver) -> Node:
    """The expression of a line itself, where its name stands for what is stored."""
    return resolver.node(line.node)
