"""Pipeline: the table of contents, from components to a program on a device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from rall.codegen.adaptive import as_elementwise, lower_integrate
from rall.codegen.kernel import Kernel, lower
from rall.codegen.passes import optimise
from rall.devices.base import CompiledKernel, Device, Program
from rall.errors import RallError
from rall.functions import place_of
from rall.ir.nodes import Call
from rall.ir.visit import names, walk
from rall.model import Access, Component, Elementwise, Integrate, Model, Variable
from rall.options import Options
from rall.schedule import SLOTS, Schedule, fuse, order

__all__ = ["Known", "check", "compile_model"]

Known: TypeAlias = dict[tuple[Kernel, Options], tuple[Kernel, dict[str, str]]]

_KINDS = {"float": "f", "integer": "i", "index": "i", "boolean": "b"}


def compile_model(
    components: Iterable[Component],
    device: Device,
    options: Options,
    seed: Variable,
    slots: Sequence[str] = SLOTS,
    known: Known | None = None,
) -> Program:
    """Turn components into a program.

    Parameters
    ----------
    components : iterable of Component
        In the order in which they were added.
    device : Device
        Where the program runs.
    options : Options
        How it is compiled.
    seed : Variable
        Shared integer, the seed of all random streams.
    slots : sequence of str
        The slots of a step, in order.
    known : dict, optional
        Kernels of earlier compilations; filled.

    Raises
    ------
    RallError
        If a component's operations do not fit together.
    """
    model = Model(tuple(components), seed)  # components -> variables and operations
    schedule = order(model, slots)  # Model -> Schedule
    check(schedule)  # each name bound, each array large enough
    schedule = fuse(schedule)  # Schedule -> Schedule with fewer operations
    known = {} if known is None else known
    kernels = {
        id(op): _kernel(op, options, known) for op in schedule.operations if isinstance(op, (Elementwise, Integrate))
    }
    return device.build(schedule, kernels, options)  # Schedule, Kernels -> Program


def _kernel(operation: Elementwise | Integrate, options: Options, known: Known) -> CompiledKernel:
    lowered, arguments = lower_integrate(operation) if isinstance(operation, Integrate) else lower(operation)
    key = (lowered, options)
    if key not in known:
        known[key] = (optimise(lowered, options), {})
    kernel, printed = known[key]
    return CompiledKernel(kernel, arguments, printed)


def check(schedule: Schedule) -> None:
    """Refuse operations that a device could only crash on.

    Parameters
    ----------
    schedule : Schedule
        What is about to be compiled.

    Raises
    ------
    RallError
        Names the operation, and the name or variable that is wrong.
    """
    for operation in schedule.operations:
        if isinstance(operation, Elementwise):
            _check_names(operation)
            for name, bound in operation.bindings.items():
                _check_storage(operation, name, bound)
        elif isinstance(operation, Integrate):
            _check_integrate(operation)


def _check_integrate(operation: Integrate) -> None:
    whole, _ = as_elementwise(operation)
    _check_names(whole)
    for name, bound in operation.bindings.items():
        _check_storage(whole, name, bound)
    for variable in operation.equations:
        bound = operation.bindings[variable]
        if isinstance(bound, Access) or bound.domain is not operation.domain or bound.kind != "float":
            raise RallError(f"operation '{operation.name}': '{variable}' is not a float variable of its domain")


def _check_names(operation: Elementwise) -> None:
    known = set(operation.bindings)
    values = [(statement.target, statement.value) for statement in operation.statements]
    if operation.mask is not None:
        values.insert(0, ("", operation.mask))
    for target, value in values:
        wanted = set(names(value))
        wanted.update(name for node in walk(value) if isinstance(node, Call) for name in place_of(node.op))
        missing = sorted(wanted - known)
        if missing:
            raise RallError(f"operation '{operation.name}': nothing is bound to the name '{missing[0]}'")
        known.add(target)


def _check_storage(operation: Elementwise, name: str, bound: Variable | Access) -> None:
    stored = operation.domain.layout.stored
    if stored == 0:
        return
    variable, index = (bound.variable, bound.index) if isinstance(bound, Access) else (bound, None)
    where = f"operation '{operation.name}': '{name}'"
    for one in (variable,) if index is None else (variable, index):
        array = one.array
        if array.ndim != 1 or array.dtype.kind != _KINDS[one.kind] or not array.flags.c_contiguous:
            raise RallError(f"{where} is declared {one.kind}, and its array is {array.dtype}, {array.shape}")
    if variable.role == "table":
        return
    if index is None:
        if not variable.shared and len(variable.array) < stored:
            raise RallError(f"{where} has storage for {len(variable.array)} elements, and {stored} are used")
    elif not variable.shared:
        used = index.array[:stored]
        size = len(variable.array)
        if len(used) < stored or (stored and not 0 <= int(np.min(used)) <= int(np.max(used)) < size):
            raise RallError(
                f"{where} is reached through '{index.name}', which leads outside its {size} elements"
            )
