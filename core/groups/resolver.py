"""From the user's names to variables: subexpressions written out, units folded, external values kept as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Real

import numpy as np

from rall.calls import call_name
from rall.errors import EquationError
from rall.functions import BUILTIN, CONSTANTS, expand, is_stateful
from rall.groups.bound import usable
from rall.groups.kinds import Kinds
from rall.ir.nodes import Binary, Call, Name, Node, Number, add, div, mul, number, power, sub
from rall.ir.parse import parse
from rall.ir.visit import is_noise, map_bottom_up, names, substitute
from rall.model import SHARED, Access, Variable
from rall.registry import closest
from rall.units import Quantity, Unit, dimension_of, value_of
from rall.units.table import lookup
from rall.user_functions import Function

__all__ = ["Resolver", "external_value", "fold"]

Bound = Variable | Access


class Resolver:
    """Resolves the names of one group's expressions.

    Parameters
    ----------
    table : mapping of str to Variable or Access
        The group's own names.
    subexpressions : mapping of str to Node
        Names that stand for expressions.
    external : mapping of str to object
        Values from the namespace or the caller: quantities, numbers, functions.
    constants : dict of str to Variable
        Shared variables made for external values so far; kept by the group, so that programs can stay.
    owner : object, optional
        The group, which code of the user's functions may depend on.

    Attributes
    ----------
    bindings : dict of str to Variable or Access
        What the names in resolved expressions are.
    """

    def __init__(
        self,
        table: Mapping[str, Bound],
        subexpressions: Mapping[str, Node],
        external: Mapping[str, object],
        constants: dict[str, Variable],
        owner: object = None,
    ) -> None:
        self.table, self.external, self.constants = table, external, constants
        self.subexpressions, self.owner = subexpressions, owner
        self.bindings: dict[str, Bound] = {}
        self._known: dict[str, Node] = {}
        self._made: dict[str, Callable[[], tuple[Node, Mapping[str, Bound]]]] = {}
        self._open: list[str] = []
        self._expanded: dict[Node, Node] = {}
        self._folded: dict[Node, Node] = {}
        self._kinds = Kinds(table, subexpressions, external)

    def local(self, name: str) -> None:
        """Let a name stand for what the statements themselves give it."""
        self._known[name] = Name(name)

    def define(self, name: str, make: Callable[[], tuple[Node, Mapping[str, Bound]]]) -> None:
        """Let a name stand for a resolved expression and its bindings, which are made when it is asked for."""
        self._made[name] = make

    def text(self, text: str) -> Node:
        """Parse and resolve."""
        return self.node(parse(text).node)

    def node(self, node: Node) -> Node:
        """The expression in terms of variables alone."""
        node = map_bottom_up(node, self._call)
        found = {name: self.name(name) for name in sorted(names(node))}
        # Expressions have much in common, and all that is put in has been through here.
        return fold(expand(substitute(node, found), self._expanded), self._folded)

    def name(self, name: str) -> Node:
        """What a name stands for."""
        if name not in self._known:
            if name in self._open:
                raise EquationError(f"'{name}' is defined by itself: {' -> '.join([*self._open, name])}")
            self._open.append(name)
            self._known[name] = self._look_up(name)
            self._open.pop()
        return self._known[name]

    def _look_up(self, name: str) -> Node:
        if name in self._made:
            node, bindings = self._made[name]()
            self.bindings.update(bindings)
            return node
        if name in self.table:
            self.bindings[name] = usable(self.table[name])
            return Name(name)
        if name in self.subexpressions:
            return self.node(self._draws_of(name, self.subexpressions[name]))
        if is_noise(name):
            return Name(name)
        if name in self.external:
            return self._external(name, self.external[name])
        if name in CONSTANTS:
            return number(CONSTANTS[name].value)
        unit = lookup(name)
        if unit is not None:
            return number(float(value_of(unit)))
        known = {**self.table, **self.subexpressions, **self.external}
        raise EquationError(
            f"'{name}' is not known: it is no variable, no unit and no value in the namespace{closest(name, known)}"
        )

    def _external(self, name: str, value: object) -> Node:
        if isinstance(value, Unit):
            return number(float(value_of(value)))
        scalar = external_value(name, value)
        if isinstance(scalar, bool):
            return Number(scalar)
        if name not in self.constants:
            self.constants[name] = Variable(name, SHARED, dimension_of(value), role="constant")
        self.constants[name].array[0] = scalar
        self.bindings[name] = self.constants[name]
        return Name(name)

    def _call(self, node: Node) -> Node:
        if not isinstance(node, Call) or node.op in BUILTIN:
            return node
        function = self.external.get(node.op)
        if isinstance(function, Function):
            return self._own(function, node)
        into = getattr(function, "in_equations", None)
        if into is None and callable(function):
            raise EquationError(
                f"'{node.op}' is a function whose units are not known: decorate it with @check_units(...)"
            )
        if into is None:
            raise EquationError(f"'{node.op}' is not a function that equations know{closest(node.op, BUILTIN)}")
        result, bindings = into(node.op, node.children)
        self.table = {**self.table, **bindings}
        if isinstance(result, Call) and is_stateful(result.op):  # each call in the text draws for itself
            return Call(result.op, *result.children, occurrence=node.occurrence)
        return result if isinstance(result, Node) else node

    def _own(self, function: Function, node: Call) -> Node:
        """A call of a function of the user's; equal calls are one value unless each gives a new one."""
        name = call_name(function, [self._kinds.of(child) for child in node.children], self.owner)
        return Call(name, *node.children, occurrence=0 if function.stateless else node.occurrence)

    def _draws_of(self, name: str, node: Node) -> Node:
        """The expression of a name, its random draws told apart from those of other expressions."""

        def mark(part: Node) -> Node:
            if isinstance(part, Call) and self._draws(part.op):
                return Call(part.op, *part.children, occurrence=f"{name}.{part.op}.{part.occurrence}")
            return part

        return map_bottom_up(node, mark)

    def _draws(self, name: str) -> bool:
        function = self.external.get(name)
        return is_stateful(name) or not getattr(function, "stateless", True)


def external_value(name: str, value: object) -> float | bool:
    """The number in SI base units of a value that equations refer to.

    Raises
    ------
    EquationError
        If it is not a single number.
    """
    plain = value_of(value) if isinstance(value, (Quantity, np.ndarray, np.generic, Real, bool)) else None
    if plain is None:
        raise EquationError(f"'{name}' is a {type(value).__name__}; equations take numbers and quantities")
    if np.ndim(plain) != 0:
        raise EquationError(
            f"'{name}' is an array of {np.size(plain)} values and equations take single ones; make it a parameter "
            "of the model, or a TimedArray"
        )
    return bool(plain) if isinstance(plain, (bool, np.bool_)) else float(plain)


def fold(node: Node, memo: dict[Node, Node] | None = None) -> Node:
    """Compute what consists of literals, units included; `memo` is what is known from earlier calls, and is filled."""
    return map_bottom_up(node, _fold, memo)


_BUILD = {"+": add, "-": sub, "*": mul, "/": div}


def _fold(node: Node) -> Node:
    if not isinstance(node, Binary):
        return node
    left, right = node.children
    if node.op in _BUILD:
        return _BUILD[node.op](left, right)
    if node.op == "**":
        if isinstance(left, Number) and isinstance(right, Number) and left.value > 0:
            return number(float(left.value) ** float(right.value))
        return power(left, right)
    return node


def all_names(nodes: Iterable[Node]) -> frozenset[str]:
    """The names in several expressions."""
    return frozenset().union(*(names(node) for node in nodes))
