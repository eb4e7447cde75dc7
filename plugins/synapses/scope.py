"""What the names in a call of `connect` are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rall import draws
from rall.equations.dimensions import infer_typed
from rall.evaluate import evaluate
from rall.functions import is_stateful
from rall.groups import Sites
from rall.groups.bound import kind_of, variable_of
from rall.groups.resolver import Resolver
from rall.ir.nodes import Call, Name, Node
from rall.ir.visit import functions, names, walk
from rall.model import SHARED, Access, Variable
from rall.plugins.synapses.connect import Use
from rall.plugins.synapses.generator import Expression
from rall.session import session_seed
from rall.units import DIMENSIONLESS

if TYPE_CHECKING:
    from rall.plugins.synapses.synapses import Synapses

__all__ = ["ConnectScope"]

#: Apart from the streams of other random numbers of the synapses.
_STREAM, _STREAM_OF_EXPRESSIONS, _STREAM_OF_SITES = 0x2C0FFEE1, 0x51EED, 0x0D3D217E


class ConnectScope:
    """Values of names for pairs of elements that may become synapses.

    Parameters
    ----------
    synapses : Synapses
        Whose sides.
    namespace : mapping
        Values of names that the caller has given.
    sites : Sites, optional
        Where targets are cells, and compartments are drawn afterwards: where on these.
    """

    def __init__(self, synapses: Synapses, namespace: Mapping[str, object], sites: Sites | None = None) -> None:
        self.synapses, self.namespace, self.sites = synapses, namespace, sites
        self._pre = _readable(synapses.pre_side.variables(suffixed=True))
        self._post = _readable(synapses.post_side.variables(suffixed=True))
        self._bare = _readable(synapses.post_side.variables(suffixed=False))
        self._nodes: dict[int, tuple[Node, Resolver]] = {}
        # Each call of connect draws anew.
        self._call = synapses.connections

    @property
    def n_pre(self) -> int:
        """See `Scope.n_pre`."""
        return self.synapses.pre_side.size

    @property
    def n_post(self) -> int:
        """See `Scope.n_post`."""
        return self.synapses.post_side.size if self.sites is None else self.sites.count

    def inspect(self, expression: Expression) -> Use:
        """See `Scope.inspect`."""
        synapses, parsed = self.synapses, expression.parsed
        table = self._table(expression)
        wanted = (names(parsed.node) | functions(parsed.node)) - set(expression.known)
        spaces = [self.namespace] if self.namespace else []
        external = synapses.externals(wanted, *spaces, where=parsed) if not spaces else {
            **synapses.externals(wanted - set(self.namespace), where=parsed),
            **synapses.externals(wanted & set(self.namespace), self.namespace, where=parsed),
        }  # fmt: skip
        types = {n: (variable_of(b).dimension, kind_of(b)) for n, b in table.items()}
        environment = {**synapses.environment(external), **types}
        found = infer_typed(parsed, environment, synapses.functions(external))
        if found.dimension is not DIMENSIONLESS:
            raise parsed.error(
                f"{expression.role} of connect() is a number, and this is in {found.dimension}; divide it by a unit"
            )
        values = {**external, **synapses.value_bindings()}
        resolver = Resolver(table, synapses.expressions(), values, {})
        node = resolver.node(parsed.node)
        self._nodes[expression.number] = node, resolver
        indexed = {self._side(n)[0] for n in names(node) if isinstance(resolver.bindings.get(n), Access)}
        if self.sites is not None and "j" in indexed:
            self._refuse_compartments(expression, node, resolver)
        drawn = any(isinstance(n, Call) and is_stateful(n.op) for n in walk(node))
        used = (names(node) & {*expression.known, "i", "j"}) | indexed
        return Use(frozenset(used), frozenset(indexed), drawn)

    def _refuse_compartments(self, expression: Expression, node: Node, resolver: Resolver) -> NoReturn:
        """Say that a value of a compartment is asked for where the target is a cell."""
        wrong = {n for n in names(node) if isinstance(resolver.bindings.get(n), Access) and self._side(n)[0] == "j"}
        written = min(names(expression.parsed.node) & wrong, default=None)
        raise expression.parsed.error(
            f"with where=... the target is a cell, and '{min(wrong)}' has a value for each of its compartments; "
            "conditions on compartments belong into where",
            None if written is None else Name(written),
        )

    def _table(self, expression: Expression) -> dict[str, Variable | Access]:
        synapses = self.synapses
        shared = {n: v for n, v in synapses.variables.items() if v.shared and n != "N"}
        count = Variable("N_post", SHARED, kind="integer", role="constant")
        count.array[0] = self.n_post
        found = {**self._bare, **self._pre, **self._post, **shared, **synapses.clock_variables(), "N_post": count}
        number = Variable("_number", synapses.domain, DIMENSIONLESS, "index", "constant")
        return {**found, "i": synapses.i_variable, "j": synapses.j_variable, **dict.fromkeys(expression.known, number)}

    def evaluate(self, expression: Expression, values: Mapping[str, Any], numbers: Any | None) -> ArrayLike:
        """See `Scope.evaluate`."""
        node, resolver = self._nodes[expression.number]
        known: dict[str, Any] = dict(values)
        for name in names(node):
            if name in known:
                continue
            bound = resolver.bindings[name]
            if isinstance(bound, Variable):
                known[name] = bound.array if bound.role == "table" else bound.array[0]
            else:
                index, per_element = self._side(name)
                known[name] = per_element()[values[index]]
        if numbers is not None:
            known["_seed"], known["_step"] = int(session_seed().array[0]), self._call
            known["_stream"] = self.synapses.stream ^ _STREAM_OF_EXPRESSIONS ^ (expression.number << 8)
            known["_element"] = numbers
        result: ArrayLike = evaluate(node, known)
        return result

    def _side(self, name: str) -> tuple[str, Callable[[], NDArray[Any]]]:
        """Which index a variable of a side is read at, and its values for all elements there."""
        pre, post = self.synapses.pre_side, self.synapses.post_side
        index, side = ("i", pre) if name in self._pre else ("j", post)
        base = name.removesuffix(f"_{side.suffix}") if name in {**self._pre, **self._post} else name
        return index, lambda: side.values_of(base)

    def uniforms(self, numbers: NDArray[np.int64], draw: int) -> NDArray[np.float64]:
        """See `Scope.uniforms`."""
        return self._uniforms(_STREAM, numbers, draw)

    def shares(self, count: int) -> NDArray[np.float64]:
        """Uniform numbers that choose the compartments of synapses, by their number; apart from all others."""
        return self._uniforms(_STREAM_OF_SITES, np.arange(count), 0)

    def _uniforms(self, which: int, numbers: NDArray[np.int64], draw: int) -> NDArray[np.float64]:
        stream, seed = self.synapses.stream ^ which, int(session_seed().array[0])
        # The generator takes 32 bits of a number; the rest goes where it counts steps.
        borders = np.flatnonzero(np.diff(numbers >> 32)) + 1
        parts = [
            draws.rand(seed, stream, (self._call << 20) + int(part[0] >> 32), part, draw)
            for part in np.split(numbers, borders) if len(part)
        ]  # fmt: skip
        return np.concatenate(parts) if parts else np.zeros(0)


def _readable(table: Mapping[str, Variable | Access]) -> dict[str, Variable | Access]:
    """The same where values are read from the groups: there is one at every element, NaN where none lives."""
    return {n: replace(b, problem="") if isinstance(b, Access) else b for n, b in table.items()}
