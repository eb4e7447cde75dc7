"""PoissonInput: the spikes of many Poisson processes, added to a variable without any synapse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rall.equations.dimensions import infer_typed
from rall.errors import EquationError, NotSupportedError, RallError
from rall.groups import Group, Subgroup
from rall.groups.resolver import Resolver
from rall.ir.nodes import Name, Node, add, call, mul, select
from rall.ir.parse import parse
from rall.model import SHARED, Access, Assign, Domain, Elementwise, Layout, Model, Operation, Variable
from rall.plugins.inputs.binomial import binomial_table
from rall.plugins.inputs.given import single_value, whole_number
from rall.registry import suggest
from rall.session import SimulationObject
from rall.units import Quantity, get_or_create_dimension, in_best_unit

__all__ = ["PoissonInput"]

_SECOND = get_or_create_dimension(second=1)
_HERTZ = get_or_create_dimension(second=-1)


class PoissonInput(SimulationObject):
    """What `N` independent Poisson processes do to each element of a group.

    In each step a number is drawn for each element, Binomial(N, rate*dt), and as many times `weight` are added to a
    variable.  It is the same as a `PoissonGroup` of `N` for each element with synapses to it, and much cheaper.

    Parameters
    ----------
    target : Group or part of one
        Whose elements.
    target_var : str
        The variable that is added to.
    N : int
        Processes for each element.
    rate : Quantity
        Of each process; one value.
    weight : Quantity, float or str
        What a spike adds; text is evaluated for each element with its variables, ``i`` and ``N`` being those of
        the target.
    when, order
        See `SimulationObject`.

    Raises
    ------
    DimensionMismatchError
        If `rate` is no rate, or `weight` not in the unit of the variable.
    RallError
        If something else does not fit.

    Notes
    -----
    A variable with the flag ``unless refractory`` stays as it is while its element is refractory.
    """

    def __init__(
        self,
        target: Any,
        target_var: str,
        N: int,
        rate: Any,
        weight: Any,
        when: str = "synapses",
        order: int = 0,
    ) -> None:
        group = target.group if isinstance(target, Subgroup) else target
        if not isinstance(group, Group):
            raise RallError(f"the target of a PoissonInput is a group or part of one, not {target!r:.80}")
        super().__init__("poissoninput*", clock=group.clock, when=when, order=order)
        self.target, self.group, self.target_var = target, group, target_var
        self._variable = self._checked(target_var)
        self._processes = whole_number(N, f"N of '{self.name}'")
        self._rate = single_value(rate, _HERTZ, f"the rate of '{self.name}'", "one rate such as 10*Hz")
        if self._rate < 0:
            raise RallError(f"the rate of '{self.name}' cannot be negative: {rate}")
        self.weight = weight
        self._each = Variable("_weight", SHARED, self._variable.dimension, role="constant")
        if not isinstance(weight, str):
            unit = self._variable.dimension
            meant = f"one value in {unit}, as '{target_var}', or text that is evaluated for each element"
            self._each.array[0] = single_value(weight, unit, f"the weight of '{self.name}'", meant)
        self._dt: float | None = None
        self._table: Variable | None = None
        self._external: dict[str, object] = {}

    def _checked(self, name: str) -> Variable:
        """The target variable, if something can be added to it."""
        group = self.group
        if not isinstance(name, str):
            raise RallError(f"the second argument of PoissonInput is the name of a variable of '{group.name}'")
        if name not in group.known_names():
            raise RallError(f"'{group.name}' has no variable '{name}'{suggest(name, group.known_names())}")
        bound = group.bound(name)
        why = "is computed by its equation"
        if isinstance(bound, Access) or name in group.links:
            why = "is linked to another group, which is the one to be given input"
        elif bound is not None:
            if bound.role not in ("state", "parameter") or bound.kind != "float" or group.is_constant(name):
                why = "is constant, or holds no floats"
            elif bound.shared:
                why = "has one value for all elements"
            else:
                return bound
        raise RallError(f"input cannot be added to '{name}' of '{group.name}': it {why}")

    @property
    def N(self) -> int:
        """Processes for each element."""
        return self._processes

    @property
    def rate(self) -> Quantity:
        """Rate of each process."""
        return Quantity(self._rate, dim=_HERTZ)

    # --- running ------------------------------------------------------------------------------------------------

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self.group,)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        dt = self.clock.dt
        if self._dt is not None and self._dt != dt:
            before, now = (in_best_unit(Quantity(one, dim=_SECOND)) for one in (self._dt, dt))
            raise NotSupportedError(
                f"'{self.name}' has run with a step of {before} and cannot go on with {now}; put a new PoissonInput "
                "in its place"
            )
        if self._rate * dt > 1:
            raise RallError(
                f"the rate of '{self.name}', {self.rate}, is more than one spike in a step; give it a smaller one and "
                "more processes (N)"
            )
        if self._table is None:
            self._table = binomial_table(self._processes, self._rate * dt, "_binomial")
        self._dt = dt
        if isinstance(self.weight, str):
            parsed = parse(self.weight)
            wanted = self.group.identifiers(parsed.node)
            self._external = self.group.externals(wanted, namespace, where=parsed)
        self.group.note_written((self.target_var,))

    def operations(self, model: Model) -> Iterable[Operation]:
        """Draw numbers for the elements of the target, then add to the variable of the whole group."""
        group = self.group
        domain, part = group.domain, self._part()
        own = domain if part is None else Domain(self.name, Layout(part.N))
        drawn = Variable("_spikes", own, role="scratch")
        spikes = [Assign("_spikes", call("_among", Name("_binomial")))]
        assert self._table is not None
        places = self._place_of_draws(own, model, 0, spikes)
        yield self._step("0draw", own, spikes, {"_spikes": drawn, "_binomial": self._table, **places})
        weight, resolver = self._resolved_weight()
        name = self.target_var
        value = add(Name(name), mul(Name("_spikes"), weight))
        frozen = group.frozen_while(name)
        if frozen is not None:
            value = select(resolver.name(frozen), value, Name(name))
        statements = [Assign(name, value)]
        bindings: dict[str, Variable | Access] = {**resolver.bindings, name: self._variable, "_weight": self._each}
        bindings["_spikes"] = drawn
        if part is not None:
            bindings.update(self._numbers(part, drawn, bindings))
        bindings.update(self._place_of_draws(domain, model, 1, statements))
        mask = None if part is None else Name("_inside")
        yield self._step("1add", domain, statements, bindings, mask)

    def _part(self) -> Subgroup | None:
        return self.target if isinstance(self.target, Subgroup) else None

    def _step(
        self, name: str, domain: Domain, statements: list[Assign], bindings: Mapping[str, Variable | Access],
        mask: Node | None = None,
    ) -> Elementwise:  # fmt: skip
        return Elementwise(
            name=f"{self.name}_{name}", clock=self.clock, when=self.when, order=self.order, domain=domain,
            statements=statements, bindings=bindings, mask=mask,
        )  # fmt: skip

    def _place_of_draws(
        self, domain: Domain, model: Model, which: int, statements: list[Assign]
    ) -> dict[str, Variable]:
        return self.group.random_bindings(domain, model, f"{self.stream} {which}", statements)

    def _resolved_weight(self) -> tuple[Node, Resolver]:
        """What a spike adds, in terms of variables."""
        group = self.group
        resolver = group.resolver(self._external)
        if not isinstance(self.weight, str):
            return Name("_weight"), resolver
        parsed = parse(self.weight)
        found = infer_typed(parsed, group.environment(self._external), group.functions(self._external))
        if found.kind == "boolean":
            wrong = f"the weight of '{self.name}' is a value, and '{self.weight}' a condition"
            raise EquationError(wrong, self.weight, 0)
        if found.dimension is not self._variable.dimension:
            raise EquationError(
                f"the weight of '{self.name}', '{self.weight}', is in {found.dimension}, and '{self.target_var}' of "
                f"'{group.name}' is in {self._variable.dimension}", self.weight, 0,
            )  # fmt: skip
        return resolver.node(parsed.node), resolver

    def _numbers(
        self, part: Subgroup, drawn: Variable, bindings: Mapping[str, Variable | Access]
    ) -> dict[str, Variable | Access]:
        """How a part of the group is seen from the whole: which elements, and their numbers in it."""
        domain = self.group.domain
        places = domain.layout.index(part.indices)
        inside = Variable("_inside", domain, kind="boolean", role="constant")
        inside.array[places] = True
        number = Variable("_number", domain, kind="index", role="constant")
        number.array[places] = np.arange(part.N)
        found: dict[str, Variable | Access] = {"_inside": inside, "_spikes": Access(drawn, number)}
        if "i" in bindings:
            found["i"] = number
        if "N" in bindings:
            count = Variable("N", SHARED, kind="integer", role="constant")
            count.array[0] = part.N
            found["N"] = count
        return found
