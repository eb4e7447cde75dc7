"""State update: the differential equations of a group, one step of its clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from rall.equations import Line
from rall.errors import RallError
from rall.evaluate import evaluate
from rall.groups.code import Code
from rall.groups.present import Present
from rall.groups.resolver import Resolver
from rall.integrators import AbstractIntegrator, NotIntegrable, Propagator, System
from rall.integrators.adaptive import AdaptiveRungeKutta
from rall.integrators.choose import Method, choose, stability_warning
from rall.ir.nodes import ZERO, Name, Node, select
from rall.ir.visit import names
from rall.model import SHARED, Access, Assign, Check, Elementwise, Model, Operation, Variable
from rall.registry import closest
from rall.session import warn

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["StateUpdate", "held_operations"]

#: Steps from one look for infinite values to the next.
_LOOK_EVERY = 16
#: What methods of a fixed step are told beside the equations; accepted, since there is nothing to switch off.
_OPTIONS = ("simplify",)


class StateUpdate:
    """Turns differential equations into operations.

    Parameters
    ----------
    group : Group
        Whose equations.
    method : str, AbstractIntegrator, sequence or None
        As of `rall.integrators.choose.choose`.
    options : mapping, optional
        Of the method.
    """

    def __init__(self, group: Group, method: Any, options: Mapping[str, Any] | None = None) -> None:
        self.group, self.method, self.options = group, method, dict(options or {})
        self._warned = False
        self._propagators: list[tuple[Propagator, Resolver, list[Variable]]] = []

    def operations(
        self, model: Model, lines: Sequence[Line], prelude: Code | None = None, name: str = "stateupdater"
    ) -> Iterable[Operation]:
        """One step of all equations together.

        Parameters
        ----------
        model : Model
            For random numbers.
        lines : sequence of Line
            Differential equations.
        prelude : Code, optional
            Statements that come first.
        name : str
            Of the operation, behind that of the group.
        """
        group = self.group
        statements: list[Assign] = list(prelude.statements) if prelude else []
        bindings: dict[str, Variable | Access] = dict(prelude.bindings) if prelude else {}
        self._propagators = []
        if lines:
            system, resolver = self.system(lines)
            with _shown(lines):
                integrator = self.integrator(system)
            if isinstance(integrator, AdaptiveRungeKutta):
                yield from self._in_sub_steps(model, integrator, (system, resolver), prelude, name)
                return
            self._check_options(integrator)
            with _shown(lines):
                step = integrator.step(system, Name("dt"))
            statements += step.statements
            bindings.update(resolver.bindings)
            bindings["dt"] = group.clock.dt_variable
            for propagator in step.propagators:
                bindings.update(self._make(propagator, resolver))
            self._warn(system, integrator, resolver)
        if statements:
            drawn = group.random_bindings(group.domain, model, statements=statements)
            yield Elementwise(
                name=f"{group.name}_{name}", clock=group.clock, when="groups", order=group.order, domain=group.domain,
                statements=statements, bindings={**bindings, **drawn},
            )  # fmt: skip
        for line in lines:
            variable = group.variables[line.varname]
            yield Check(
                name=f"{group.name}_{name}_check", clock=group.clock, when="groups", order=group.order,
                variable=variable, every=_LOOK_EVERY,
            )  # fmt: skip

    def _in_sub_steps(
        self,
        model: Model,
        method: AdaptiveRungeKutta,
        resolved: tuple[System, Resolver],
        prelude: Code | None,
        name: str,
    ) -> Iterable[Operation]:
        """The prelude, then all equations with error-controlled sub-steps, which find out themselves if one fails."""
        group, (system, resolver) = self.group, resolved
        if prelude:
            drawn = group.random_bindings(group.domain, model, statements=prelude.statements)
            yield Elementwise(
                name=f"{group.name}_{name}", clock=group.clock, when="groups", order=group.order, domain=group.domain,
                statements=prelude.statements, bindings={**prelude.bindings, **drawn},
            )  # fmt: skip
        options = method.options(self.options, {v: group.variables[v].dimension for v in system.equations})
        for memory, (dimension, kind) in options.memory().items():
            if memory not in group.variables:
                group.variables[memory] = Variable(memory, group.domain, dimension, kind)
        kept = {memory: group.variables[memory] for memory in options.memory()}
        statements = [Assign(v, rhs) for v, rhs in system.equations.items()]
        drawn = group.random_bindings(group.domain, model, "sub-steps", statements)
        yield method.operation(
            system, {**resolver.bindings, **drawn, **kept}, options, name=f"{group.name}_{name}_adaptive",
            clock=group.clock, domain=group.domain, order=group.order,
        )  # fmt: skip

    def system(self, lines: Sequence[Line]) -> tuple[System, Resolver]:
        """The equations in terms of variables, and what has resolved them."""
        group = self.group
        resolver = group.resolver(group.run_externals())
        equations = {line.varname: self._right_hand_side(line, resolver) for line in lines}

        def held() -> tuple[dict[str, Node], dict[str, Node]]:
            again = group.resolver(group.run_externals())
            named: dict[str, Node] = {}
            for line in group.equations.ordered_subexpressions:
                if line.varname not in group.variables:
                    named[line.varname] = again.node(line.node)
                    again.local(line.varname)
            return named, {line.varname: self._right_hand_side(line, again) for line in lines}

        constant = {n for n, bound in resolver.bindings.items() if self._is_fixed(n, bound)}
        shared = {n for n, bound in resolver.bindings.items() if isinstance(bound, Variable) and bound.shared}
        implicit = frozenset(line.varname for line in lines if line.has("implicit"))
        fixed, same = frozenset(constant), frozenset(shared | {"dt", "t"})
        return System(equations, fixed, same, implicit=implicit, held=held), resolver

    def _right_hand_side(self, line: Line, resolver: Resolver) -> Node:
        rhs = resolver.node(line.node)
        frozen = self.group.frozen_while(line.varname)
        if frozen is not None:
            rhs = select(resolver.name(frozen), rhs, ZERO)
        resolver.name(line.varname)  # bound even where no right-hand side reads it
        return rhs

    def _is_fixed(self, name: str, bound: Variable | Access) -> bool:
        """Whether nothing in the program changes a value (from Python it can: see `refresh`)."""
        if isinstance(bound, Access):
            return bound.variable.role == "constant"
        return bound.role == "constant" or (bound.role == "parameter" and name not in self.group.written)

    def integrator(self, system: System) -> Method:
        """The method."""
        return choose(system, self.method)

    def _check_options(self, integrator: AbstractIntegrator) -> None:
        unknown = [option for option in self.options if option not in _OPTIONS]
        if unknown:
            raise RallError(
                f"method '{integrator.name}' has no option '{unknown[0]}'{closest(unknown[0], _OPTIONS)}; it takes "
                f"{', '.join(_OPTIONS)}, and methods with a variable step (gsl) take more"
            )

    # --- numbers that a method computes at the start of a run ---------------------------------------------------

    def _make(self, propagator: Propagator, resolver: Resolver) -> dict[str, Variable]:
        shared = all(self._is_uniform(node, resolver) for node in propagator.sources)
        domain = SHARED if shared else self.group.domain
        targets = [Variable(name, domain, role="constant") for name in propagator.names]
        self._propagators.append((propagator, resolver, targets))
        self._compute(propagator, resolver, targets)
        return dict(zip(propagator.names, targets))

    @staticmethod
    def _is_uniform(node: Node, resolver: Resolver) -> bool:
        from_names = [resolver.bindings[name] for name in names(node)]
        return all(isinstance(bound, Variable) and bound.shared for bound in from_names)

    def _compute(self, propagator: Propagator, resolver: Resolver, targets: Sequence[Variable]) -> None:
        present = Present(self.group, resolver)
        sources = [np.asarray(evaluate(node, present), float) for node in propagator.sources]
        values = propagator.compute(self.group.clock.dt, sources or [np.zeros(())])
        for target, value in zip(targets, values):
            target.set(value)

    def refresh(self, name: str) -> None:
        """Compute anew what depends on a variable that was changed from Python."""
        for propagator, resolver, targets in self._propagators:
            if any(name in names(node) for node in propagator.sources):
                self._compute(propagator, resolver, targets)

    # --- stability ------------------------------------------------------------------------------------------------

    def _warn(self, system: System, integrator: AbstractIntegrator, resolver: Resolver) -> None:
        """Say once that the step is too long for the method, if it is."""
        if self._warned or type(integrator).growth is AbstractIntegrator.growth:  # those have no such step
            return
        group = self.group
        present: Mapping[str, Any] = Present(group, resolver)
        message = stability_warning(system, integrator, group.clock.dt, lambda node: evaluate(node, present))
        if message is not None:
            self._warned = True
            warn(f"'{group.name}' (made at {group.created_at}): {message}")


@contextmanager
def _shown(lines: Sequence[Line]) -> Iterator[None]:
    """Let errors of a method show the equations that it cannot integrate."""
    try:
        yield
    except NotIntegrable as problem:
        problem.args = ("\n    ".join((str(problem), *map(str, lines))),)
        raise


def held_operations(group: Group, model: Model) -> Iterable[Operation]:
    """Values of subexpressions that hold for a step (``constant over dt``), at its very beginning.

    Parameters
    ----------
    group : Group
        Whose equations.
    model : Model
        For random numbers.
    """
    resolver = group.resolver(group.run_externals())
    for k, line in enumerate(group.equations.with_flag("constant over dt")):
        target = group.variables[line.varname]
        value = resolver.node(line.node)
        statements = [Assign(line.varname, value)]
        drawn = group.random_bindings(group.domain, model, f"held {k}", statements)
        yield Elementwise(
            name=f"{group.name}_held{k}", clock=group.clock, when="before_start", order=group.order,
            domain=group.domain, statements=statements,
            bindings={**resolver.bindings, **drawn, line.varname: target},
        )  # fmt: skip
