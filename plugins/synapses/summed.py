"""Summed variables: sums over synapses that are variables of a group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rall.equations import Line
from rall.groups.bound import variable_of
from rall.ir.nodes import Name, select
from rall.ir.visit import names
from rall.model import Access, Assign, Domain, Elementwise, Model, Operation, Reduce, Variable
from rall.plugins.synapses.sides import Side
from rall.session import SimulationObject

if TYPE_CHECKING:
    from rall.plugins.synapses.synapses import Synapses

__all__ = ["SummedVariable"]


class SummedVariable(SimulationObject):
    """Sets a variable of a group to a sum over synapses, in every step.

    Parameters
    ----------
    synapses : Synapses
        Over which.
    line : Line
        ``x_post = expression : unit (summed)``.
    side : Side
        Whose variable it is.

    Attributes
    ----------
    when, order
        Where in the schedule; may be set.
    """

    add_to_magic_network = False

    def __init__(self, synapses: Synapses, line: Line, side: Side) -> None:
        self.line, self.side, self.synapses = line, side, synapses
        self.base = line.varname.removesuffix(f"_{side.suffix}")
        self.target = self._checked()
        super().__init__(
            f"{synapses.name}_summed_variable_{line.varname}", clock=side.group.clock, when="groups",
            order=side.group.order - 1,
        )  # fmt: skip
        side.group.sums.add(self.base, self, side.source)

    def _checked(self) -> Variable:
        group, line = self.side.group, self.line
        bound = group.bound(self.base)
        if bound is None or isinstance(bound, Access):
            raise line.error(
                f"'{line.varname}' is a sum for a variable '{self.base}' of '{group.name}', which has none of its own; "
                f"write '{self.base} : {line.unit}' in its equations"
            )
        if variable_of(bound).dimension is not line.dimension:
            raise line.error(
                f"'{line.varname}' is declared in {line.unit}, and '{self.base}' of '{group.name}' is in "
                f"{bound.dimension}"
            )
        each = bound.role == "parameter" and bound.domain is group.domain
        if not each or group.is_constant(self.base):
            raise line.error(
                f"'{self.base}' of '{group.name}' cannot be set to a sum: it must be a parameter, one value for each "
                f"element and not constant: '{self.base} : {line.unit}'"
            )
        return bound

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self.synapses,)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        self.side.group.note_written((self.base,))

    def _computed(self, side: Side) -> tuple[list[Operation], dict[str, Access | Variable]]:
        """What computes values of a group that no variable of it holds, and how synapses see them."""
        synapses = self.synapses
        own = {*synapses.variables, *synapses.links, *synapses.linked, *synapses.equations}
        expressions = synapses.expressions()
        wanted: dict[str, str] = {}
        todo, seen = set(names(self.line.node)), set()
        while todo:
            name = todo.pop()
            seen.add(name)
            base = side.computed(name, own)
            if base is not None:
                wanted[name] = base
            elif name in expressions:
                todo |= names(expressions[name]) - seen
        # Operations of one place sort by their names: these go before those of the terms.
        place = (self.clock, self.when, self.order)
        operations, found = side.group.probe(
            sorted(set(wanted.values())), f"{self.name}!{side.suffix}", place, everywhere=True
        )
        values = {name: found[base] for name, base in wanted.items()}
        return operations, {name: v if v.shared else Access(v, side.index) for name, v in values.items()}

    def operations(self, model: Model) -> Iterable[Operation]:
        """The terms, their sums, and for a part of a group the way to its elements."""
        synapses, side = self.synapses, self.side
        resolver = synapses.resolver(synapses.run_externals())
        for end in (synapses.pre_side, synapses.post_side):
            operations, found = self._computed(end)
            yield from operations
            resolver.table = {**resolver.table, **found}
        terms = Variable("_terms", synapses.domain, self.line.dimension, role="scratch")
        statements = [Assign("_terms", resolver.node(self.line.node))]
        drawn = synapses.random_bindings(synapses.domain, model, f"sum {self.line.varname}", statements)
        bindings: dict[str, Variable | Access] = {**resolver.bindings, **drawn, "_terms": terms}

        def elementwise(
            name: str, domain: Domain, statements: list[Assign], bindings: Mapping[str, Variable | Access]
        ) -> Elementwise:
            return Elementwise(
                name=f"{self.name}!{name}", clock=self.clock, when=self.when, order=self.order, domain=domain,
                statements=statements, bindings=bindings,
            )  # fmt: skip

        yield elementwise("terms0", synapses.domain, statements, bindings)
        domain = side.group.domain
        # Sums are doubles; what is an integer takes them over afterwards, as do the elements of a part.
        direct = side.whole and self.target.kind == "float"
        target = self.target if direct else Variable("_sums", domain, self.line.dimension, role="scratch")
        yield Reduce(
            name=f"{self.name}!terms1sum", clock=self.clock, when=self.when, order=self.order, values=terms,
            index=side.index, target=target,
        )  # fmt: skip
        if not direct:
            inside = Variable("_inside", domain, kind="boolean", role="constant")
            inside.array[side.members()] = True
            moved = [Assign("_target", select(Name("_inside"), Name("_sums"), Name("_target")))]
            yield elementwise("terms2part", domain, moved, {"_inside": inside, "_sums": target, "_target": self.target})


