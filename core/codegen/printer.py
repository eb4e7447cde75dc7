"""Kernels as C: one function a file, over a domain in storage order.

The text is plain C99 without a system header; gcc, clang and zig vectorise its loop (`#pragma omp simd`, bound a
multiple of the padding, 64-byte alignment, branch-free functions of ``rall_math.h``).
"""

from __future__ import annotations

import math

from rall.codegen.kernel import Kernel, Load
from rall.codegen.own_text import own_text, top_text
from rall.codegen.values import plan
from rall.functions import place_of, spelling
from rall.ir.nodes import Binary, Call, Compare, Logic, Name, Node, Not, Number, Select
from rall.ir.visit import names, walk
from rall.model import ALIGNMENT, PADDING

__all__ = ["ENTRY", "TYPES", "Expressions", "argument", "c_type", "includes", "print_c"]

#: Name of the exported function of every kernel's library.
ENTRY = "rall_kernel"

#: Types of arrays.
TYPES = {"float": "double", "integer": "long long", "index": "int", "boolean": "unsigned char"}
_LOGIC = {"and": "&", "or": "|"}


class Expressions:
    """Prints nodes, temporaries by their names."""

    def __init__(self) -> None:
        self.named: dict[Node, str] = {}

    def text(self, node: Node) -> str:
        """C text of a value."""
        return self.named.get(node) or self.operation(node)

    def operation(self, node: Node) -> str:
        """C text of the operation itself, its operands by their names."""
        if isinstance(node, Number):
            return _literal(node)
        if isinstance(node, Name):
            return node.id
        inner = [self.text(child) for child in node.children]
        if isinstance(node, Call):
            return f"{spelling(node.op, 'c')}({', '.join(inner)})"
        if isinstance(node, Select):
            return f"({inner[0]} ? {inner[1]} : {inner[2]})"
        if isinstance(node, Not):
            return f"(!{inner[0]})"
        assert isinstance(node, (Binary, Compare, Logic))
        if isinstance(node, Logic):
            # Both sides are plain truth values; & keeps the loop free of branches.
            return f"(({inner[0]} != 0) {_LOGIC[node.op]} ({inner[1]} != 0))"
        if node.op in ("**", "//", "%"):
            return f"{spelling(node.op, 'c')}({inner[0]}, {inner[1]})"
        # Variables may be integers, and '/' of equations is never that of whole numbers.
        cast = "(double)" if node.op == "/" and isinstance(node.children[0], Name) else ""
        return f"({cast}{inner[0]} {node.op} {inner[1]})"


def _literal(node: Number) -> str:
    value = node.value
    if isinstance(value, bool):
        return str(int(value))
    value = float(value)
    if math.isnan(value):
        return "RALL_NAN"
    if math.isinf(value):
        return "RALL_INF" if value > 0 else "(-RALL_INF)"
    text = repr(value)
    return f"({text})" if value < 0 else text


def includes(kernel: Kernel) -> list[str]:
    """The first lines of a kernel's file, the user's functions among them."""
    lines = [*top_text(kernel.functions), '#include "rall_abi.h"']
    if any(isinstance(n, Call) and "_seed" in place_of(n.op) for n in walk([s.value for s in kernel.stores])):
        lines.append('#include "rall_random.h"')
    return lines + own_text(kernel.functions)


def print_c(kernel: Kernel) -> str:
    """The C file of a kernel.

    Parameters
    ----------
    kernel : Kernel
        Optimised.

    Returns
    -------
    str
        Text that depends on the structure of the kernel alone.
    """
    order = plan(kernel)
    together = kernel.form == "all"
    lines = includes(kernel)
    lines += [f"RALL_EXPORT void {ENTRY}(void **x, long long n)", "{"]
    lines += [f"    n &= ~{PADDING - 1}LL;"] if together else _batch(kernel)
    lines += [argument(k, load, together) for k, load in enumerate(kernel.loads)]
    expressions = Expressions()
    for k, node in enumerate(order.uniform):
        lines.append(f"    const {c_type(node)} h{k} = {expressions.operation(node)};")
        expressions.named[node] = f"h{k}"
    shared = kernel.shared
    if any(store.role not in shared for store in kernel.stores):
        lines += _loop(kernel, order.varying, expressions)
    lines += [
        f"    *q{s.role} = {expressions.text(s.value)};" for s in kernel.stores if s.role in shared
    ]  # fmt: skip
    return "\n".join([*lines, "}", ""])


def _batch(kernel: Kernel) -> list[str]:
    """The arguments behind those of the loads: which elements an event kernel goes through."""
    k = len(kernel.loads)
    lines = [f"    const long long count = *(const long long *)x[{k}];", f"    const int *first = x[{k + 1}];"]
    if kernel.form == "runs":
        lines += [f"    const int *last = x[{k + 2}], *order = x[{k + 3}];"]
    # Nothing happens in most steps, and what all elements share need not be computed for that.
    return ["    (void)n;", *lines, "    if (!count) return;"]


#: How each form goes through its elements: what opens the loops, and what closes them.
_LOOPS = {
    "all": (["    #pragma omp simd", "    for (long long i = 0; i < n; i++) {"], ["    }"]),
    "events": (["    for (long long e = 0; e < count; e++) {", "        const long long i = first[e];"], ["    }"]),
    "runs": (
        ["    for (long long e = 0; e < count; e++) for (long long k = first[e]; k < last[e]; k++) {",
         "        const long long i = order ? order[k] : k;"], ["    }"],
    ),
}  # fmt: skip


def _loop(kernel: Kernel, varying: tuple[Node, ...], expressions: Expressions) -> list[str]:
    through = {load.role: load.through for load in kernel.loads}
    stored = {store.role for store in kernel.stores}
    used = frozenset().union(*(names(store.value) for store in kernel.stores))
    begin, end = _LOOPS[kernel.form]
    together = kernel.form == "all"
    # The user's functions may have static variables, which forbid several elements at a time; the compiler sees that.
    lines = [line for line in begin if not (kernel.functions and "simd" in line)]
    for load in kernel.loads:
        place = f"(long long)a{load.through}[i]" if load.through else "i"
        only_added = load.through and load.role in stored and load.role not in used and together
        if not load.shared and not only_added:
            lines.append(f"        const {TYPES[load.kind]} {load.role} = a{load.role}[{place}];")
    for k, node in enumerate(varying):
        lines.append(f"        const {c_type(node)} t{k} = {expressions.operation(node)};")
        expressions.named[node] = f"t{k}"
    for store in kernel.stores:
        if store.role in kernel.shared:
            continue
        place = f"a{through[store.role]}[i]" if through[store.role] else "i"
        sign = "+=" if through[store.role] and together else "="
        lines.append(f"        a{store.role}[{place}] {sign} {expressions.text(store.value)};")
    return [*lines, *end]


def argument(k: int, load: Load, together: bool) -> str:
    """The lines that give the k-th argument its name: a value where it is shared, else the address of its array."""
    kind = TYPES[load.kind]
    if load.table:
        return f"    const {kind} *{load.role} = (const {kind} *)x[{k}];"
    if load.shared:
        return f"    {kind} *q{load.role} = ({kind} *)x[{k}];\n    const {kind} {load.role} = *q{load.role};"
    if not together:  # two roles may be one array, seen from both sides of a synapse
        return f"    {kind} *a{load.role} = ({kind} *)x[{k}];"
    pointer = f"({kind} *)__builtin_assume_aligned(x[{k}], {ALIGNMENT})"
    return f"    {kind} *restrict a{load.role} = {pointer};"


def c_type(node: Node) -> str:
    """The type of an expression's value."""
    return "int" if isinstance(node, (Compare, Logic, Not)) else "double"
