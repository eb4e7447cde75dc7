"""Kernels as Python functions, for the NumPy device and for what other devices leave to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rall import draws
from rall.codegen.numpy_printer import print_numpy
from rall.devices.base import CompiledKernel
from rall.functions import numpy_namespace

__all__ = ["compile_kernel", "function_of"]


def function_of(made: CompiledKernel) -> Callable[..., None]:
    """The function of a kernel: of its arrays, and of the elements to go through if it is one over events."""
    scope = numpy_namespace() | {"draws": draws}
    exec(compile(made.text("numpy", print_numpy), "<rall kernel>", "exec"), scope)
    function = scope["kernel"]
    assert callable(function)
    return function


def compile_kernel(made: CompiledKernel, stored: int) -> Callable[[], None]:
    """A function without arguments that runs a kernel over `stored` elements of the arrays of its variables."""
    function = function_of(made)
    arrays: list[Any] = [
        v.array if load.shared or load.through else v.array[:stored]
        for load, v in zip(made.kernel.loads, made.arguments)
    ]
    return lambda: function(arrays)
