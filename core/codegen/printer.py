"""Kernels as C: one function a file, over a domain in storage order.

The text is plain C99 without a system header; gcc, clang and zig vectorise its loop (`#pragma omp simd`, bound a
multiple of the padding, 64-byte alignment of floats, branch-free functions of ``rall_math.h``).
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
#: Bytes on whose multiples an array begins where a block does, at a multiple of `PADDING` elements.
_ALIGNED = {"float": 8 * PADDING, "integer": 8 * PADDING, "index": 4 * PADDING, "boolean": PADDING}
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
    lines = includes(kernel)
    lines += [f"RALL_EXPORT void {ENTRY}(void **x, long long n)", "{"]
    lines += [f"    n &= ~{PADDING - 1}LL;"] if kernel.form == "all" else _batch(kernel)
    lines += [argument(k, load, kernel.together) for k, load in enumerate(kernel.loads)]
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
    if kernel.form == "stretches":
        return [f"    const long long *stretch = x[{k}];"]
    lines = [f"    const long long count = *(const long long *)x[{k}];", f"    const int *first = x[{k + 1}];"]
    if kernel.form == "runs":
        lines += [f"    const int *last = x[{k + 2}], *order = x[{k + 3}];"]
    # Nothing happens in most steps, and what all elements share need not be computed for that.
    return ["    (void)n;", *lines, "    if (!count) return;"]


#: How each form goes through its elements: what opens the loops, and what closes them.
_LOOPS = {
    "all": (["    #pragma omp simd", "    for (long long i = 0; i < n; i++) {"], ["    }"]),
    "blocks": (
        ["        #pragma omp simd", "        for (long long b = 0; b < m; b++) {",
         "        const long long i = j + b;"], ["        }"],
    ),
    # Of each stretch its first element, the one behind its last, and how far the map leads from there.
    "stretches": (
        ["    for (long long k = 0; k < n; k++) {", "        const long long o = stretch[3 * k + 2];",
         "        #pragma omp simd", "        for (long long i = stretch[3 * k]; i < stretch[3 * k + 1]; i++) {"],
        ["        }", "    }"],
    ),
    "events": (["    for (long long e = 0; e < count; e++) {", "        const long long i = first[e];"], ["    }"]),
    "runs": (
        ["    for (long long e = 0; e < count; e++) for (long long k = first[e]; k < last[e]; k++) {",
         "        const long long i = order ? order[k] : k;"], ["    }"],
    ),
}  # fmt: skip
#: Elements of a block: as many as one vector of truth values has.
_BLOCK = 64


def _loop(kernel: Kernel, varying: tuple[Node, ...], expressions: Expressions) -> list[str]:
    through = {load.role: load.through for load in kernel.loads}
    stored = {store.role for store in kernel.stores}
    used = frozenset().union(*(names(store.value) for store in kernel.stores))
    flags = _flags(kernel) if kernel.form == "all" else []
    begin, end = _LOOPS["blocks" if flags else kernel.form]
    # The user's functions may have static variables, which forbid several elements at a time; the compiler sees that.
    lines = [line for line in begin if not (kernel.functions and "simd" in line)]
    for load in kernel.loads:
        place = _place(kernel, load.through)
        needed = load.role in used or load.role not in stored
        mapping = load.role in {o.through for o in kernel.loads}
        if load.shared or not (needed or mapping) or (mapping and kernel.form == "stretches"):
            continue
        if load in flags:
            lines.append(f"        const long long {load.role} = f{load.role}[b];")
        else:
            lines.append(f"        const {TYPES[load.kind]} {load.role} = a{load.role}[{place}];")
    for k, node in enumerate(varying):
        lines.append(f"        const {c_type(node)} t{k} = {expressions.operation(node)};")
        expressions.named[node] = f"t{k}"
    in_block = {load.role for load in flags}
    kinds = {load.role: load.kind for load in kernel.loads}
    for store in kernel.stores:
        if store.role in kernel.shared:
            continue
        place = _place(kernel, through[store.role])
        sign = "+=" if through[store.role] and kernel.together else "="
        target = f"f{store.role}[b]" if store.role in in_block else f"a{store.role}[{place}]"
        value = expressions.text(store.value)
        if kinds[store.role] == "boolean" and not isinstance(store.value, (Compare, Logic, Not, Number)):
            value = f"({value}) != 0"
        lines.append(f"        {target} {sign} {value};")
    lines += end
    return _in_blocks(lines, kernel, flags) if flags else lines


def _place(kernel: Kernel, through: str | None) -> str:
    """Where an element's value lies, behind a map or at its own place."""
    if through is None:
        return "i"
    return "i + o" if kernel.form == "stretches" else f"(long long)a{through}[i]"


def _flags(kernel: Kernel) -> list[Load]:
    """Truth values that go through a kernel beside floats, one byte an element.

    Compilers choose the length of their vectors by the narrowest type, which makes the loop eight times as long and
    fills it with conversions.  So these are widened and narrowed in loops of their own, a block at a time (0.33 instead
    of 0.56 ns an element in the update of a leaky neuron).
    """
    if not any(load.kind == "float" and not load.shared for load in kernel.loads):
        return []
    used = frozenset().union(*(names(store.value) for store in kernel.stores))
    stored = {store.role for store in kernel.stores}
    own = [load for load in kernel.loads if load.kind == "boolean" and not load.shared and load.through is None]
    return [load for load in own if load.role in used or load.role in stored]


def _in_blocks(lines: list[str], kernel: Kernel, flags: list[Load]) -> list[str]:
    used = frozenset().union(*(names(store.value) for store in kernel.stores))
    stored = {store.role for store in kernel.stores}

    def each(text: str) -> list[str]:
        return ["        #pragma omp simd", f"        for (long long b = 0; b < m; b++) {text}"]

    body = []
    for load in flags:
        body.append(f"        long long f{load.role}[{_BLOCK}] __attribute__((aligned({ALIGNMENT})));")
        if load.role in used:
            body += each(f"f{load.role}[b] = a{load.role}[j + b];")
    body += lines
    for load in flags:
        if load.role in stored:
            body += each(f"a{load.role}[j + b] = f{load.role}[b];")
    if _is_long(kernel):
        head = [f"    for (long long j = 0; j < n; j += {_BLOCK}) {{",
                f"        const long long m = n - j < {_BLOCK} ? n - j : {_BLOCK};"]  # fmt: skip
        return [*head, *body, "    }"]
    # A short loop gains a third where its length is known: whole blocks, then the rest by vectors.
    whole = ["    long long j = 0;", f"    for (; j + {_BLOCK} <= n; j += {_BLOCK}) {{"]
    whole.append(f"        const int m = {_BLOCK};")
    rest = [f"    for (; j < n; j += {PADDING}) {{", f"        const int m = {PADDING};"]
    return [*whole, *body, "    }", *rest, *body, "    }"]


def _is_long(kernel: Kernel) -> bool:
    """Whether the loop takes so long that its length matters less than the time to compile it twice."""
    nodes = [n for n in walk([store.value for store in kernel.stores]) if not names(n) <= kernel.shared]
    return len(nodes) > 80 or any(isinstance(node, Call) for node in nodes)


def argument(k: int, load: Load, together: bool) -> str:
    """The lines that give the k-th argument its name: a value where it is shared, else the address of its array."""
    kind = TYPES[load.kind]
    if load.table:
        return f"    const {kind} *{load.role} = (const {kind} *)x[{k}];"
    if load.shared:
        return f"    {kind} *q{load.role} = ({kind} *)x[{k}];\n    const {kind} {load.role} = *q{load.role};"
    if not together:  # two roles may be one array, seen from both sides of a synapse
        return f"    {kind} *a{load.role} = ({kind} *)x[{k}];"
    pointer = f"({kind} *)__builtin_assume_aligned(x[{k}], {min(ALIGNMENT, _ALIGNED[load.kind])})"
    return f"    {kind} *restrict a{load.role} = {pointer};"


def c_type(node: Node) -> str:
    """The type of an expression's value."""
    # As wide as a float: see `_flags`.
    return "long long" if isinstance(node, (Compare, Logic, Not)) else "double"
