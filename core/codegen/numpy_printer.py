"""Kernels as Python functions on NumPy arrays: the reference for what a kernel means."""

from __future__ import annotations

import math

from rall.codegen.kernel import Kernel
from rall.codegen.values import plan
from rall.functions import spelling
from rall.ir.nodes import Binary, Call, Compare, Logic, Name, Node, Not, Number, Select
from rall.ir.visit import names

__all__ = ["expression", "print_numpy"]

_LOGIC = {"and": "np.logical_and", "or": "np.logical_or"}


def expression(node: Node, named: dict[Node, str]) -> str:
    """Python text of a value, temporaries by their names."""
    return named.get(node) or _operation(node, named)


def _result(node: Node, named: dict[Node, str], stored: set[str]) -> str:
    """A value that no store of this kernel changes."""
    is_view = isinstance(node, Name) and node.id in stored
    return f"np.array({expression(node, named)})" if is_view else expression(node, named)


def _operation(node: Node, named: dict[Node, str]) -> str:
    if isinstance(node, Number):
        value = node.value
        if isinstance(value, bool):
            return repr(value)
        return repr(float(value)) if math.isfinite(value) else f"float('{float(value)!r}')"
    if isinstance(node, Name):
        return node.id
    inner = [expression(child, named) for child in node.children]
    if isinstance(node, Call):
        return f"{spelling(node.op, 'numpy')}({', '.join(inner)})"
    if isinstance(node, Select):
        return f"np.where({', '.join(inner)})"
    if isinstance(node, Not):
        return f"np.logical_not({inner[0]})"
    if isinstance(node, Logic):
        return f"{_LOGIC[node.op]}({inner[0]}, {inner[1]})"
    assert isinstance(node, (Binary, Compare))
    if node.op in ("**", "//", "%"):
        return f"{spelling(node.op, 'numpy')}({inner[0]}, {inner[1]})"
    return f"({inner[0]} {node.op} {inner[1]})"


def print_numpy(kernel: Kernel, function: str = "kernel") -> str:
    """The text of a function ``kernel(x)`` that takes the arguments of the kernel as a sequence of arrays.

    That of a kernel over events is ``kernel(x, e)``, with the elements to go through, none of them twice.  It adds
    what is a sum (`Kernel.sums`) in the order of `e`, and takes other values as they were before all of `e`.

    Parameters
    ----------
    kernel : Kernel
        Optimised.
    function : str
        Its name.
    """
    order = plan(kernel)
    stored = {store.role for store in kernel.stores}
    used = frozenset().union(*(names(store.value) for store in kernel.stores))
    together = kernel.form == "all"
    own, everything = ("", "[:]") if together else ("[e]", "[e]")
    sums = {} if together else kernel.sums or {}
    lines = [f"def {function}(x):" if together else f"def {function}(x, e):"]
    for k, load in enumerate(kernel.loads):
        if load.table:
            lines.append(f"    {load.role} = x[{k}]")
            continue
        lines.append(f"    a{load.role} = x[{k}]")
        if load.shared:
            lines.append(f"    {load.role} = a{load.role}[0]")
        elif load.through is None:
            lines.append(f"    {load.role} = a{load.role}{own}")
        elif load.role in used or load.role not in stored or not together:
            lines.append(f"    {load.role} = a{load.role}[{load.through}]")
    named: dict[Node, str] = {}
    for k, node in enumerate((*order.uniform, *order.varying)):
        lines.append(f"    t{k} = {_operation(node, named)}")
        named[node] = f"t{k}"
    # All values first, then all stores: an element sees every variable as it was before the kernel.
    values = [sums.get(store.role, store.value) for store in kernel.stores]
    lines += [f"    r{k} = {_result(value, named, stored)}" for k, value in enumerate(values)]
    loads = {load.role: load for load in kernel.loads}
    for k, store in enumerate(kernel.stores):
        target, through = f"a{store.role}", loads[store.role].through
        if loads[store.role].shared:
            lines.append(f"    {target}[:] = r{k}")
        elif through is None:
            lines.append(f"    {target}{everything} = r{k}")
        elif together:
            lines.append(f"    {target}[{through}] += r{k}")
        elif store.role in sums:
            lines.append(f"    np.add.at({target}, {through}, r{k})")
        else:
            lines.append(f"    {target}[{through}] = r{k}")
    if not kernel.stores:  # of statements that only name values
        lines.append("    pass")
    return "\n".join(lines) + "\n"
