"""Summed variables: sums over synapses that are variables of a group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rall.equations import Line
from rall.functions import DERIVATIVES
from rall.groups.bound import draws_in, variable_of
from rall.ir.algebra import derivative
from rall.ir.nodes import ZERO, Name, Node, add, select
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
        #: Where the derivative by the voltage of the target goes, which takes it implicitly.
        self.slope = self._slope()
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
        each = bound.role == "parameter" and not bound.shared
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
        self.side.reach(self.target)

    def _names(self) -> set[str]:
        """All names that the terms depend on, also by way of subexpressions."""
        expressions = self.synapses.expressions()
        todo, seen = set(names(self.line.node)), set[str]()
        while todo:
            seen |= todo
            todo = {n for known in todo & expressions.keys() for n in names(expressions[known])} - seen
        return seen

    def _implicit(self, side: Side) -> set[str]:
        """Under which of these names the terms depend on what the group of a side solves for implicitly."""
        wanted = side.group.implicit_variable
        return set() if wanted is None else {n for n in self._names() if side.base(n, self._own()) == wanted}

    def _own(self) -> dict[str, object]:
        """The synapses' own names, which come before those of the sides."""
        synapses = self.synapses
        return {**synapses.variables, **synapses.links, **synapses.linked, **synapses.equations}

    def _slope(self) -> Variable | None:
        """Where the derivative by the target's implicit variable is wanted; None if it is not."""
        if not self._implicit(self.side):
            return None
        synapses = self.synapses
        other = synapses.pre_side if self.side is synapses.post_side else synapses.post_side
        return self.side.group.slope_of(self.base, bool(self._implicit(other)))

    def _computed(self, side: Side) -> tuple[list[Operation], dict[str, Access | Variable]]:
        """What computes values of a group that no variable of it holds, and how synapses see them."""
        own = self._own()
        wanted = {name: base for name in self._names() if (base := side.computed(name, own)) is not None}
        # Operations of one place sort by their names: these go before those of the terms.
        place = (self.clock, self.when, self.order)
        operations, found = side.group.probe(
            sorted(set(wanted.values())), f"{self.name}!{side.suffix}", place, everywhere=True
        )
        values = {name: found[base] for name, base in wanted.items()}
        return operations, {name: v if v.shared else Access(v, side.index) for name, v in values.items()}

    def operations(self, model: Model) -> Iterable[Operation]:
        """The terms, their sums, and for a part of a group the way to its elements."""
        synapses = self.synapses
        resolver = synapses.resolver(synapses.run_externals())
        for end in (synapses.pre_side, synapses.post_side):
            operations, found = self._computed(end)
            yield from operations
            resolver.table = {**resolver.table, **found}
        node = resolver.node(self.line.node)
        sums = {"_terms": (node, self.target)}
        if self.slope is not None:
            slope = self._derivative(node, resolver.bindings)
            if not draws_in([Assign("_slopes", slope)]):  # a second draw would be another number
                sums["_slopes"] = (slope, self.slope)
        terms = {name: Variable(name, synapses.domain, v.dimension, role="scratch") for name, (_, v) in sums.items()}
        statements = [Assign(name, term) for name, (term, _) in sums.items()]
        drawn = synapses.random_bindings(synapses.domain, model, f"sum {self.line.varname}", statements)
        yield self._elementwise("terms0", synapses.domain, statements, {**resolver.bindings, **drawn, **terms})
        for name, (_, target) in sums.items():
            yield from self._sum(terms[name], target, "" if target is self.target else "slope")

    def _derivative(self, node: Node, bindings: Mapping[str, Variable | Access]) -> Node:
        """The derivative of the terms by the target's implicit variable, under all of its names."""
        total: Node = ZERO
        for name in sorted(self._implicit(self.side) & bindings.keys()):
            total = add(total, derivative(node, name, DERIVATIVES))
        return total

    def _sum(self, terms: Variable, target: Variable, word: str) -> Iterable[Operation]:
        """Sums of terms that set a variable of the target; `word` tells the operations apart."""
        side = self.side
        reached = side.reach(target)
        # Sums are doubles; what is an integer takes them over afterwards, as do the elements of a part.
        direct = side.whole and target.kind == "float"
        sums = target if direct else Variable("_sums", target.domain, target.dimension, role="scratch")
        yield Reduce(
            name=f"{self.name}!terms1{word}sum", clock=self.clock, when=self.when, order=self.order, values=terms,
            index=reached.index, target=sums,
        )  # fmt: skip
        if not direct:
            inside = Variable("_inside", target.domain, kind="boolean", role="constant")
            inside.array[side.members(target)] = True
            moved = [Assign("_target", select(Name("_inside"), Name("_sums"), Name("_target")))]
            bindings: dict[str, Variable | Access] = {"_inside": inside, "_sums": sums, "_target": target}
            yield self._elementwise(f"terms2{word}part", target.domain, moved, bindings)

    def _elementwise(
        self, name: str, domain: Domain, statements: list[Assign], bindings: Mapping[str, Variable | Access]
    ) -> Elementwise:
        return Elementwise(
            name=f"{self.name}!{name}", clock=self.clock, when=self.when, order=self.order, domain=domain,
            statements=statements, bindings=bindings,
        )  # fmt: skip
