"""Kernels with functions of the user's: what compiles them, and what becomes of those that no compiler can take."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from ctypes import CDLL
from dataclasses import replace
from weakref import WeakSet

import numpy as np

from rall.codegen.adaptive import print_integrate_c
from rall.codegen.kernel import Kernel
from rall.codegen.printer import print_c
from rall.devices.base import CompiledKernel
from rall.devices.compiler import Toolchain, find_cplusplus, load
from rall.devices.numpy import step_of
from rall.errors import CompileError, RallWarning
from rall.ir.called import Called
from rall.model import Call, Operation
from rall.options import Options

__all__ = ["foreign", "in_python", "load_kernel"]

#: Functions of which it was said that they run in Python.
_told: WeakSet[object] = WeakSet()


def foreign(kernel: Kernel, toolchain: Toolchain) -> tuple[Called, ...]:
    """The functions of a kernel that cannot be compiled; one is enough to make the whole kernel run as NumPy.

    Parameters
    ----------
    kernel : Kernel
        Any.
    toolchain : Toolchain
        The C compiler.
    """
    return tuple(f for f in kernel.functions if f.c is None or not (f.c.plain or find_cplusplus(toolchain)))


def load_kernel(made: CompiledKernel, toolchain: Toolchain, options: Options) -> CDLL:
    """The library of a kernel.

    Text of the user's that is not C, by its looks or in the compiler's judgement, is compiled as C++.

    Raises
    ------
    CompileError
        If neither compiler takes it.
    """
    text = made.text("c", print_integrate_c if made.kernel.form == "integrate" else print_c)
    own = [function.c for function in made.kernel.functions if function.c is not None]
    if not own:
        return load(text, toolchain, options)
    flags = (*options.extra_compile_args, *dict.fromkeys(flag for c in own for flag in c.flags))
    options = replace(options, extra_compile_args=flags)
    cplusplus = find_cplusplus(toolchain)
    if cplusplus is not None and not all(c.plain for c in own):
        return load(text, cplusplus, options)
    try:
        return load(text, replace(toolchain, strict=True), options)
    except CompileError:
        if cplusplus is None:
            raise
        return load(text, cplusplus, options)


def in_python(
    operations: Iterable[Operation], kernels: Mapping[int, CompiledKernel], toolchain: Toolchain
) -> list[Operation]:
    """Operations in which those that cannot be compiled have become calls of Python.

    Parameters
    ----------
    operations : iterable of Operation
        In order.
    kernels : mapping
        From ``id(operation)`` to its kernel, for those that have one.
    toolchain : Toolchain
        The C compiler.
    """
    found = []
    for operation in operations:
        made = kernels.get(id(operation))
        left = foreign(made.kernel, toolchain) if made is not None else ()
        for function in left:
            _tell(function, operation)
        found.append(_as_call(operation, kernels) if left else operation)
    return found


def _as_call(operation: Operation, kernels: Mapping[int, CompiledKernel]) -> Call:
    step = step_of(operation, kernels)
    return Call(
        name=operation.name, clock=operation.clock, when=operation.when, order=operation.order,
        function=_quietly(step), parts=operation.parts or (operation,),
    )  # fmt: skip


def _quietly(step: Callable[[], None]) -> Callable[[float], None]:
    def run(t: float) -> None:
        # As in compiled kernels, infinities and NaN are values like any other.
        with np.errstate(all="ignore"):
            step()

    return run


def _tell(function: Called, operation: Operation) -> None:
    if function.function in _told:
        return
    _told.add(function.function)
    if function.c is None:
        why, remedy = "has no C code", "@implementation('cpp', '''double {0}(...) {{ ... }}''')"
    else:
        why, remedy = "has C++ code, and there is no C++ compiler", "a C++ compiler (such as g++), or code in plain C"
    name = function.known_as
    warnings.warn(
        f"the function '{name}' {why}, so the operation '{operation.name}' runs as NumPy operations between compiled "
        f"stretches, which takes longer; it becomes fast with {remedy.format(name)}",
        RallWarning,
        stacklevel=2,
    )
