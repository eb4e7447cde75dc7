"""Kernels of `Integrate` operations: what an element reads, and its rates of change as functions of its state.

Such a kernel's stores are, in order: each state variable as itself, time, the values that are held for the step,
and the rate of change of each state variable.  That is enough to find everything by its place, and two groups with
equations of one form have one kernel, whatever the method and its tolerances are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rall.codegen.kernel import Kernel, Store, lower
from rall.codegen.numpy_printer import expression
from rall.codegen.printer import ENTRY, TYPES, Expressions, argument, c_type, includes
from rall.codegen.values import plan_values
from rall.ir.nodes import ZERO, Name, Node, Number
from rall.ir.visit import names, walk
from rall.model import Assign, Elementwise, Integrate, Variable

__all__ = ["as_elementwise", "lower_integrate", "print_integrate_c", "print_integrate_numpy"]


def as_elementwise(operation: Integrate) -> tuple[Elementwise, frozenset[int]]:
    """The operation as assignments, for what checks and lowers these.

    Parameters
    ----------
    operation : Integrate
        Any.

    Returns
    -------
    Elementwise
        Its statements have the order of the stores of the kernel.
    frozenset of int
        Addresses (`id`) of variables that stand for values without storage.
    """
    empty = np.zeros(0)

    def place(name: str) -> Variable:
        return Variable(name, operation.domain, role="scratch", array=empty)

    statements = [Assign(v, Name(v)) for v in operation.equations]
    new: dict[str, Variable] = {"_now": place("_now")}
    # Time that no equation reads need not be bound to anything.
    read = frozenset().union(*map(names, operation.equations.values()))
    statements.append(Assign("_now", Name(operation.time) if operation.time in read else ZERO))
    for k, assign in enumerate(operation.held):
        # Two names of one variable: what is assigned is then not written into what refers to it.
        new[f"_held_{k}"] = new[assign.target] = place(assign.target)
        statements.append(Assign(f"_held_{k}", assign.value))
    for k, rhs in enumerate(operation.equations.values()):
        new[f"_rate_{k}"] = place(f"_rate_{k}")
        statements.append(Assign(f"_rate_{k}", rhs))
    whole = Elementwise(
        name=operation.name, clock=operation.clock, domain=operation.domain, statements=statements,
        bindings={**operation.bindings, **new},
    )  # fmt: skip
    return whole, frozenset(id(variable) for variable in new.values())


def lower_integrate(operation: Integrate) -> tuple[Kernel, tuple[Variable, ...]]:
    """Turn an operation into a kernel and the variables it is called with; see the module for the order of stores."""
    whole, without_storage = as_elementwise(operation)
    kernel, arguments = lower(whole)
    kept = [(load, v) for load, v in zip(kernel.loads, arguments) if id(v) not in without_storage]
    return Kernel(tuple(load for load, _ in kept), kernel.stores, "integrate"), tuple(v for _, v in kept)


@dataclass(frozen=True)
class _Parts:
    """A kernel taken apart.

    Parameters
    ----------
    states : tuple of str
        Roles of the state variables.
    time : str or None
        Role of time, if the equations read it.
    held : tuple of Store
        Values that are computed first, each a role of its own.
    rates : tuple of Node
        Rates of change.
    uniform, fixed, moving : tuple of Node
        Temporaries: of all elements, of one element during a step, and of one evaluation.
    carried : tuple of (str, Node or None)
        What the rates read that does not move: names of roles, and of temporaries with their expressions.
    """

    states: tuple[str, ...]
    time: str | None
    held: tuple[Store, ...]
    rates: tuple[Node, ...]
    uniform: tuple[Node, ...]
    fixed: tuple[Node, ...]
    moving: tuple[Node, ...]
    carried: tuple[tuple[str, Node | None], ...]

    @property
    def before(self) -> tuple[Node, ...]:
        """All temporaries that do not move."""
        return self.uniform + self.fixed


def _take_apart(kernel: Kernel) -> _Parts:
    n = 0
    while kernel.stores[n].value is Name(kernel.stores[n].role):
        n += 1
    states = tuple(store.role for store in kernel.stores[:n])
    now = kernel.stores[n].value
    time = now.id if isinstance(now, Name) else None
    held = kernel.stores[n + 1 : -n]
    rates = tuple(store.value for store in kernel.stores[-n:])
    moves = {*states} if time is None else {*states, time}
    found = plan_values(rates, frozenset().union(*map(names, rates)) - moves)
    uniform = tuple(node for node in found.uniform if names(node) <= kernel.shared)
    fixed = tuple(node for node in found.uniform if not names(node) <= kernel.shared)
    temporaries = {node: f"h{k}" for k, node in enumerate(uniform + fixed)}
    carried: dict[str, Node | None] = {}
    for node in _border(rates, moves):
        if isinstance(node, Name):
            carried[node.id] = None
        elif not isinstance(node, Number):
            carried[temporaries[node]] = node
    return _Parts(states, time, held, rates, uniform, fixed, found.varying, tuple(carried.items()))


def _border(rates: tuple[Node, ...], moves: set[str]) -> Iterable[Node]:
    """Values that do not move and that something moving, or a rate, is made of."""
    for node in rates:
        if names(node).isdisjoint(moves):
            yield node
    for node in walk(rates):
        if not names(node).isdisjoint(moves):
            yield from (child for child in node.children if names(child).isdisjoint(moves))


# --- C ------------------------------------------------------------------------------------------------------


def print_integrate_c(kernel: Kernel) -> str:
    """The C file of a kernel: its rates of change, and a loop over elements; ``rall_adaptive.h`` is between them.

    Parameters
    ----------
    kernel : Kernel
        From `lower_integrate`, optimised.

    Returns
    -------
    str
        Text that depends on the structure of the kernel alone.
    """
    parts = _take_apart(kernel)
    fields = _fields(kernel, parts)
    words = Expressions()
    words.named.update({node: f"h{k}" for k, node in enumerate(parts.before)})
    lines = [*includes(kernel), f"#define RALL_EQUATIONS {len(parts.states)}", "typedef struct {"]
    lines += [f"    {kind}{name};" for name, kind in fields] or ["    int unused;"]
    lines += ["} rall_element;", ""]
    now = parts.time or "t"
    lines += [f"RALL_FN void rall_rates(const rall_element *e, double {now}, const double *y, double *f)", "{"]
    lines += [f"    const {kind}{name} = e->{name};" for name, kind in fields]
    lines += [f"    const double {role} = y[{k}];" for k, role in enumerate(parts.states)]
    for k, node in enumerate(parts.moving):
        lines.append(f"    const {c_type(node)} t{k} = {words.operation(node)};")
        words.named[node] = f"t{k}"
    lines += [f"    f[{k}] = {words.text(rate)};" for k, rate in enumerate(parts.rates)]
    lines += ["}", "", '#include "rall_adaptive.h"', ""]
    return "\n".join([*lines, *_c_loop(kernel, parts, [name for name, _ in fields]), ""])


def _fields(kernel: Kernel, parts: _Parts) -> list[tuple[str, str]]:
    """Names and types of what an element carries through a step."""
    kinds = {}
    for load in kernel.loads:
        kinds[load.role] = f"const {TYPES[load.kind]} *" if load.table else f"{TYPES[load.kind]} "
    fields = []
    for name, node in parts.carried:
        kind = kinds.get(name, "double ") if node is None else f"{c_type(node)} "
        fields.append((name, kind))
    return fields


def _c_loop(kernel: Kernel, parts: _Parts, fields: list[str]) -> list[str]:
    count, shared = len(kernel.loads), kernel.shared
    words = Expressions()
    lines = [f"RALL_EXPORT void {ENTRY}(void **x, long long n)", "{"]
    lines += [argument(k, load, True) for k, load in enumerate(kernel.loads)]
    lines.append(f"    const rall_integration g = rall_integration_from(x + {count});")
    for k, node in enumerate(parts.uniform):
        lines.append(f"    const {c_type(node)} h{k} = {words.operation(node)};")
        words.named[node] = f"h{k}"
    lines += ["    for (long long k = 0; k < n; k++) {", "        const long long i = g.element[k];"]
    for load in kernel.loads:
        if not load.shared:
            place = f"(long long)a{load.through}[i]" if load.through else "i"
            lines.append(f"        const {TYPES[load.kind]} {load.role} = a{load.role}[{place}];")
    for store in parts.held:
        lines.append(f"        const double {store.role} = {words.text(store.value)};")
    for k, node in enumerate(parts.fixed, len(parts.uniform)):
        lines.append(f"        const {c_type(node)} h{k} = {words.operation(node)};")
        words.named[node] = f"h{k}"
    lines.append(f"        const rall_element e = {{{', '.join(fields) or '0'}}};")
    lines.append(f"        double y[RALL_EQUATIONS] = {{{', '.join(parts.states)}}};")
    lines.append(f"        rall_integrate(&g, &e, {parts.time or '0.0'}, y, k, i);")
    for k, role in enumerate(parts.states):
        lines.append(f"        {f'*q{role}' if role in shared else f'a{role}[i]'} = y[{k}];")
    return [*lines, "    }", "}"]


# --- NumPy --------------------------------------------------------------------------------------------------


def print_integrate_numpy(kernel: Kernel) -> str:
    """The text of three Python functions.

    ``prepare(x, at)`` takes the arguments of the kernel and the storage indices of the elements, and gives the time,
    the state (equations, elements), and what does not move, each with whether it has a value for every element.
    ``rates(z, t, y)`` gives the rates of change as a list.  ``finish(x, at, y)`` stores the state.

    Parameters
    ----------
    kernel : Kernel
        From `lower_integrate`, optimised.
    """
    parts = _take_apart(kernel)
    named: dict[Node, str] = {}
    lines = ["def prepare(x, at):"]
    for k, load in enumerate(kernel.loads):
        place = "" if load.table else "[0]" if load.shared else f"[{load.through or 'at'}]"
        lines.append(f"    {load.role} = x[{k}]{place}")
    lines += [f"    {store.role} = np.broadcast_to({expression(store.value, named)}, at.shape)" for store in parts.held]
    for k, node in enumerate(parts.before):
        lines.append(f"    h{k} = {expression(node, named)}")
        named[node] = f"h{k}"
    carried = [f"({name}, {not names(node or Name(name)) <= kernel.shared})" for name, node in parts.carried]
    states = ", ".join(f"np.broadcast_to({role}, at.shape)" for role in parts.states)
    lines.append(f"    return {parts.time or '0.0'}, np.array([{states}], float), [{', '.join(carried)}]")
    lines += ["", f"def rates(z, {parts.time or 't'}, y):"]
    lines += [f"    {name} = z[{k}]" for k, (name, _) in enumerate(parts.carried)]
    lines += [f"    {role} = y[{k}]" for k, role in enumerate(parts.states)]
    for k, node in enumerate(parts.moving):
        lines.append(f"    t{k} = {expression(node, named)}")
        named[node] = f"t{k}"
    lines.append(f"    return [{', '.join(expression(rate, named) for rate in parts.rates)}]")
    lines += ["", "def finish(x, at, y):"]
    position = {load.role: k for k, load in enumerate(kernel.loads)}
    lines += [f"    x[{position[role]}][at] = y[{k}]" for k, role in enumerate(parts.states)]
    return "\n".join(lines) + "\n"
