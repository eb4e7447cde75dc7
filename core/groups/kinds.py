"""Types of values in the user's expressions: kernels compute in doubles, the user's functions get what was written."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import numpy as np

from rall.functions import BUILTIN, highest
from rall.ir.nodes import Binary, Call, Compare, Logic, Name, Node, Not, Number, Select
from rall.ir.visit import walk
from rall.model import Access, Variable
from rall.units import DIMENSIONLESS, Quantity, dimension_of, value_of
from rall.user_functions import Function

__all__ = ["Kinds"]


class Kinds:
    """Types of one group's expressions, as they are before names are resolved.

    Parameters
    ----------
    table : mapping of str to Variable or Access
        The group's own names.
    subexpressions : mapping of str to Node
        Names that stand for expressions.
    external : mapping of str to object
        Values from the namespace or the caller.
    """

    def __init__(
        self,
        table: Mapping[str, Variable | Access],
        subexpressions: Mapping[str, Node],
        external: Mapping[str, object],
    ) -> None:
        self.table, self.subexpressions, self.external = table, subexpressions, external
        self._known: dict[str, str] = {}

    def of(self, node: Node) -> str:
        """``'boolean'``, ``'integer'`` or ``'float'``; arguments of the user's functions may be resolved already."""
        done: dict[Node, str] = {}
        for part in walk(node):
            done[part] = self._one(part, [done[child] for child in part.children])
        return done[node]

    def _one(self, node: Node, inner: list[str]) -> str:
        if isinstance(node, Number):
            value = node.value
            return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "float"
        if isinstance(node, Name):
            return self._name(node.id)
        if isinstance(node, (Compare, Logic, Not)):
            return "boolean"
        if isinstance(node, Select):
            return highest(inner[1:])
        if isinstance(node, Call):
            return self._call(node.op, inner)
        assert isinstance(node, Binary)
        kind = highest((*inner, "integer"))
        whole = node.op != "/" and (node.op != "**" or isinstance(node.children[1], Number))
        return kind if whole else "float"

    def _name(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = "float"  # what a circle would find; it is refused elsewhere
            self._known[name] = self._look_up(name)
        return self._known[name]

    def _look_up(self, name: str) -> str:
        if name in self.table:
            bound = self.table[name]
            return (bound.variable if isinstance(bound, Access) else bound).kind
        if name in self.subexpressions:
            return self.of(self.subexpressions[name])
        value = self.external.get(name)
        if not isinstance(value, (Quantity, np.ndarray, np.generic, Real)) or dimension_of(value) is not DIMENSIONLESS:
            return "float"
        return {"b": "boolean", "i": "integer", "u": "integer"}.get(np.asarray(value_of(value)).dtype.kind, "float")

    def _call(self, name: str, inner: list[str]) -> str:
        known = BUILTIN.get(name)
        if known is None:
            # A call that is resolved already keeps the user's function.
            function = self.external.get(name, getattr(name, "function", None))
            kind = str(function.return_type) if isinstance(function, Function) else "float"
        else:
            kind = known.kind
        return highest(inner) if kind == "highest" else kind
