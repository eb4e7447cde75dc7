"""Kernels as Python functions, for the NumPy device and for what other devices leave to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rall import draws
from rall.codegen.kernel import Kernel
from rall.codegen.numpy_printer import print_numpy
from rall.devices.base import CompiledKernel
from rall.functions import numpy_namespace
from rall.ir.called import Called
from rall.model import Layout

__all__ = ["compile_kernel", "function_of", "scope_of"]


def function_of(made: CompiledKernel, layout: Layout | None = None) -> Callable[..., None]:
    """The function of a kernel: of its arrays, and of the elements to go through if it is one over events.

    Parameters
    ----------
    made : CompiledKernel
        The kernel.
    layout : Layout, optional
        That of the arrays, for functions of the user's, which do not see how values are stored; without it they get
        them as they come.
    """
    function: Callable[..., None] = scope_of(made, print_numpy, layout)["kernel"]
    return function


def scope_of(
    made: CompiledKernel, printer: Callable[[Kernel], str], layout: Layout | None = None
) -> dict[str, Any]:
    """What the Python text of a kernel defines, and what it uses.

    Parameters
    ----------
    made : CompiledKernel
        The kernel.
    printer : callable
        What makes the text.
    layout : Layout, optional
        As of `function_of`.
    """
    scope: dict[str, Any] = numpy_namespace() | {"draws": draws}
    for own in made.kernel.functions:
        scope[own.spelling("numpy")] = _as_they_come(own) if layout is None else _in_users_order(own, layout)
    exec(compile(made.text("numpy", printer), "<rall kernel>", "exec"), scope)
    return scope


def compile_kernel(made: CompiledKernel, layout: Layout) -> Callable[[], None]:
    """A function without arguments that runs a kernel over the arrays of its variables, which have a layout."""
    function = function_of(made, layout)
    arrays: list[Any] = [
        v.array if load.shared or load.through else v.array[: layout.stored]
        for load, v in zip(made.kernel.loads, made.arguments)
    ]
    return lambda: function(arrays)


def _as_they_come(own: Called) -> Callable[..., Any]:
    return lambda *given: own.values(list(given), max(map(np.size, given), default=1))


def _in_users_order(own: Called, layout: Layout) -> Callable[..., Any]:
    """A function of the user's on arrays in storage order: it does not see how they are stored."""

    def on_storage(*given: Any) -> Any:
        arguments = [layout.to_user(a) if np.ndim(a) else a for a in given]
        result = own.values(arguments, layout.size)
        if not np.ndim(result):
            return result
        stored = np.zeros(layout.stored, np.asarray(result).dtype)
        layout.to_storage(result, stored)
        return stored

    return on_storage
