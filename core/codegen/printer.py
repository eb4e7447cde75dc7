"""Kernels as C: one function a file, over a domain in storage order.

The text is plain C99 without a system header; gcc, clang and zig vectorise its loop (`#pragma omp simd`, bound a
multiple of the padding, 64-byte alignment, branch-free functions of ``rall_math.h``).
"""

from __future__ import annotations

import math

from rall.codegen.kernel import Kernel, Load
from rall.codegen.values import plan
from rall.functions import is_stateful, spelling
from rall.ir.nodes import Binary, Call, Compare, Logic, Name, Node, Not, Number, Select
from rall.ir.visit import names, walk
from rall.model import ALIGNMENT, PADDING

__all__ = ["ENTRY", "TYPES", "Expressions", "argument", "c_type", "includes", "print_c"]

#: Name of the exported function of every kernel's library.
ENTRY = "rall_kernel"

#: Types of arrays.
TYPES = {"float": "double", "integer": "long long", "boolean": "unsigned char"}
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
        return f"({inner[0]} {node.op} {inner[1]})"


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
    """The first lines of a kernel's file."""
    lines = ['#include "rall_abi.h"']
    if any(isinstance(n, Call) and is_stateful(n.op) for n in walk([s.value for s in kernel.stores])):
        lines.append('#include "rall_random.h"')
    return lines


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
    lines = includes(kernel)
    lines += [f"RALL_EXPORT void {ENTRY}(void **x, long long n)", "{", f"    n &= ~{PADDING - 1}LL;"]
    lines += [argument(k, load) for k, load in enumerate(kernel.loads)]
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


def _loop(kernel: Kernel, varying: tuple[Node, ...], expressions: Expressions) -> list[str]:
    through = {load.role: load.through for load in kernel.loads}
    stored = {store.role for store in kernel.stores}
    used = frozenset().union(*(names(store.value) for store in kernel.stores))
    lines = ["    #pragma omp simd", "    for (long long i = 0; i < n; i++) {"]
    for load in kernel.loads:
        place = f"(long long)a{load.through}[i]" if load.through else "i"
        only_added = load.through and load.role in stored and load.role not in used
        if not load.shared and not only_added:
            lines.append(f"        const {TYPES[load.kind]} {load.role} = a{load.role}[{place}];")
    for k, node in enumerate(varying):
        lines.append(f"        const {c_type(node)} t{k} = {expressions.operation(node)};")
        expressions.named[node] = f"t{k}"
    for store in kernel.stores:
        if store.role in kernel.shared:
            continue
        place, sign = (f"a{through[store.role]}[i]", "+=") if through[store.role] else ("i", "=")
        lines.append(f"        a{store.role}[{place}] {sign} {expressions.text(store.value)};")
    return [*lines, "    }"]


def argument(k: int, load: Load) -> str:
    """The lines that give the k-th argument its name: a value where it is shared, else the address of its array."""
    kind = TYPES[load.kind]
    if load.table:
        return f"    const {kind} *{load.role} = (const {kind} *)x[{k}];"
    if load.shared:
        return f"    {kind} *q{load.role} = ({kind} *)x[{k}];\n    const {kind} {load.role} = *q{load.role};"
    pointer = f"({kind} *)__builtin_assume_aligned(x[{k}], {ALIGNMENT})"
    return f"    {kind} *restrict a{load.role} = {pointer};"


def c_type(node: Node) -> str:
    """The type of an expression's value."""
    return "int" if isinstance(node, (Compare, Logic, Not)) else "double"
