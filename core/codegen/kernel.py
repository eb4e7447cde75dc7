"""Kernel: one elementwise operation as a graph of values, with names replaced by roles.

Roles (``s0``, ``p1``, ``k2``) are given in the order of first use, so that two groups with the same structure
have the same kernel whatever their names, sizes and parameter values are.
"""

from __future__ import annotations

from dataclasses import dataclass

from rall.functions import is_stateful, place_of
from rall.ir.called import Called, called_in
from rall.ir.nodes import Binary, Call, Name, Node, Number, Select, number
from rall.ir.visit import map_bottom_up, names, substitute, walk
from rall.model import Access, Deliver, Elementwise, Variable

__all__ = ["Kernel", "Load", "Store", "lower"]


@dataclass(frozen=True)
class Load:
    """One argument of a kernel.

    Parameters
    ----------
    role : str
        Its name in the kernel's text: ``p`` shared, ``s`` one value an element, ``k`` map to another domain,
        ``d`` a whole table.
    kind : str
        Type of the elements.
    through : str or None
        Role of the map that leads to the value of an element.
    argument : int
        Number of the array; two roles that reach one array through different maps have the same.
    """

    role: str
    kind: str
    through: str | None = None
    argument: int = 0

    @property
    def shared(self) -> bool:
        """Whether all elements see the same value, or the same table."""
        return self.role[0] in "pd"

    @property
    def table(self) -> bool:
        """Whether the kernel sees the array itself, of any length."""
        return self.role.startswith("d")


@dataclass(frozen=True)
class Store:
    """``role = value``, or ``role += value`` where a kernel of all elements reaches the role through a map."""

    role: str
    value: Node


@dataclass(frozen=True)
class Kernel:
    """Loads, then stores of expressions of what was loaded.

    Parameters
    ----------
    loads : tuple of Load
        In the order of the arguments.
    stores : tuple of Store
        Expressions refer to values before the kernel.
    form : {'all', 'stretches', 'events', 'runs', 'integrate'}
        Over all elements at once, or over stretches of them that lie side by side where the one map leads, too; or one
        after the other, each seeing what the last one left: over those of an event list, or over the runs that a queue
        says are due; or rates of change (`rall.codegen.adaptive`).
    whole : frozenset of Node
        Values that a variable had on the way to the one that is stored.  Formulas do not reach into them, so that
        operations that were made one round as they do apart.
    """

    loads: tuple[Load, ...]
    stores: tuple[Store, ...]
    form: str = "all"
    whole: frozenset[Node] = frozenset()

    @property
    def shared(self) -> frozenset[str]:
        """Roles with one value for all elements."""
        return frozenset(load.role for load in self.loads if load.shared)

    @property
    def together(self) -> bool:
        """Whether elements do not see each other."""
        return self.form in ("all", "stretches")

    @property
    def in_stretches(self) -> Kernel | None:
        """The same over stretches of elements; None where that cannot be."""
        maps = {load.through for load in self.loads if load.through is not None}
        plain = all(load.shared or load.kind == "float" or load.role in maps for load in self.loads)
        read = frozenset().union(*(names(store.value) for store in self.stores))
        if self.form != "all" or len(maps) != 1 or not plain or read & maps or self.functions:
            return None
        return Kernel(self.loads, self.stores, "stretches", self.whole)

    @property
    def functions(self) -> tuple[Called, ...]:
        """The user's functions that it calls, each once.  Their names are part of the expressions."""
        return called_in(store.value for store in self.stores)

    def replace(self, values: tuple[Node, ...]) -> Kernel:
        """The same kernel with other expressions."""
        return Kernel(self.loads, tuple(Store(s.role, v) for s, v in zip(self.stores, values)), self.form)

    @property
    def sums(self) -> dict[str, Node] | None:
        """Of a kernel over events: what is added to each role that is reached through a map.

        None if one of them is more than a sum of terms that depend on nothing such a role holds: then the events must
        be taken one after the other.
        """
        through = {load.role: load.through for load in self.loads}
        mapped = {store.role for store in self.stores if through[store.role]}
        written = {load.argument for load in self.loads if load.role in mapped}
        seen = frozenset(load.role for load in self.loads if load.argument in written)
        found: dict[str, Node] = {}
        for store in self.stores:
            term = store.value
            if store.role in mapped:
                if not (isinstance(term, Binary) and term.op == "+" and Name(store.role) in term.children):
                    return None
                left, right = term.children
                term = right if left is Name(store.role) else left
                found[store.role] = term
            if names(term) & seen:
                return None
        return found

    def __str__(self) -> str:
        from_where = [f"{x.role}: {x.kind}" + (f" through {x.through}" if x.through else "") for x in self.loads]
        return "\n".join([*from_where, *(f"{s.role} <- {s.value!r}" for s in self.stores)])


class _Roles:
    """Gives roles to variables in the order in which they are met."""

    def __init__(self, operation: Elementwise) -> None:
        self.operation = operation
        self.loads: list[Load] = []
        self.arguments: list[Variable] = []
        self.known: dict[tuple[int, int], str] = {}
        self.places: dict[int, int] = {}

    def of(self, bound: Variable | Access) -> str:
        """The role of a variable, possibly seen through a map."""
        variable, index = (bound.variable, bound.index) if isinstance(bound, Access) else (bound, None)
        key = (id(variable), id(index) if index is not None else 0)
        if key not in self.known:
            whole = variable.shared or variable.role == "table"
            through = self.of(index) if index is not None and not whole else None
            is_map = index is None and any(
                isinstance(b, Access) and b.index is variable for b in self.operation.bindings.values()
            )
            letter = "d" if variable.role == "table" else "p" if variable.shared else "k" if is_map else "s"
            self.known[key] = f"{letter}{len(self.loads)}"
            place = self.places.setdefault(variable.address, len(self.loads))
            self.loads.append(Load(self.known[key], variable.kind, through, place))
            self.arguments.append(variable)
        return self.known[key]


def lower(operation: Elementwise) -> tuple[Kernel, tuple[Variable, ...]]:
    """Turn an elementwise operation into a kernel and the variables it is called with.

    Statements are inlined into one expression for each variable written; what they share is shared in the
    graph.  Each draw of a random number gets its own index, in the order of the text: equal calls in two
    statements are two draws, unless they come from one named subexpression.  What all elements share draws as the
    first element would.
    """
    values: dict[str, Node] = {}
    draws: dict[object, float] = {}
    replaced: list[Node] = []
    for k, statement in enumerate(operation.statements):
        value = _number_draws(statement.value, k, draws)
        if _is_shared(operation.bindings.get(statement.target)):
            value = substitute(value, {"_element": Number(0)})
        value = substitute(value, values)
        if operation.mask is not None and statement.target in operation.bindings:
            value = Select(operation.mask, value, values.get(statement.target, Name(statement.target)))
        if statement.target in operation.bindings and statement.target in values:
            replaced.append(values[statement.target])
        values[statement.target] = value

    roles = _Roles(operation)
    stores = []
    for target, value in values.items():
        if target in operation.bindings:
            stores.append(Store(roles.of(operation.bindings[target]), _in_roles(value, operation, roles)))
    form = "all"
    if isinstance(operation, Deliver):
        form = "events" if operation.queue is None else "runs"
    whole = frozenset(_in_roles(value, operation, roles) for value in replaced)
    return Kernel(tuple(roles.loads), tuple(stores), form, whole), tuple(roles.arguments)


def _is_shared(bound: Variable | Access | None) -> bool:
    return bound is not None and (bound.variable if isinstance(bound, Access) else bound).shared


def _in_roles(value: Node, operation: Elementwise, roles: _Roles) -> Node:
    mapping = {
        node.id: Name(roles.of(operation.bindings[node.id])) for node in walk(value) if isinstance(node, Name)
    }
    return substitute(value, mapping)


def _number_draws(value: Node, statement: int, draws: dict[object, float]) -> Node:
    """Give every stateful call its index, and make all literals floats: kernels compute in doubles."""

    def mark(node: Node) -> Node:
        if isinstance(node, Number) and not isinstance(node.value, bool):
            return number(node.value)
        if not isinstance(node, Call) or not (place_of(node.op) or is_stateful(node.op)):
            return node
        given = (*node.children, *map(Name, place_of(node.op)))
        if not is_stateful(node.op):
            return Call(node.op, *given)
        named = isinstance(node.occurrence, str)
        index = draws.setdefault(node.occurrence if named else (statement, node), float(len(draws)))
        if isinstance(node.op, Called):  # takes no index of its draw
            return Call(node.op, *given, occurrence=f"{index:g}")
        return Call(node.op, *given, Number(index))

    return map_bottom_up(value, mark)
