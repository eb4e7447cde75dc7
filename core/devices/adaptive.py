"""`Integrate` operations on devices: tables for the C text, and the same algorithm on arrays of elements.

``rall_adaptive.h`` is this algorithm for one element; a change there is a change here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.codegen.adaptive import print_integrate_numpy
from rall.devices.base import CompiledKernel
from rall.devices.compiled import scope_of
from rall.errors import NumericalError
from rall.model import TOO_MANY_SUBSTEPS, TOO_SMALL_SUBSTEPS, Integrate

__all__ = ["give_up", "integrate_arrays", "integrate_step", "unfinished"]

# As in the header.
_STAGES, _SAFETY, _SHRINK, _GROW, _CALM, _GRID, _STRETCH, _TINY = 16, 0.9, 0.25, 5.0, 1e-3, 32.0, 1.01, 1e-12

Floats = NDArray[np.float64]


def _elements(operation: Integrate) -> NDArray[np.int64]:
    """Storage indices in the user's order; what is only padding is left alone."""
    return operation.domain.layout.index(np.arange(operation.domain.size))


def integrate_arrays(operation: Integrate, number: int, status: NDArray[np.int64]) -> list[NDArray[Any] | None]:
    """What the C text takes behind the arguments of its kernel.

    Parameters
    ----------
    operation : Integrate
        The operation.
    number : int
        What the status becomes on failure.
    status : ndarray
        The program's.
    """
    tableau, control = operation.tableau, operation.control
    stages = len(tableau.b)
    assert stages <= _STAGES
    a = np.zeros((stages, stages))
    for k, row in enumerate(tableau.a):
        a[k, : len(row)] = row
    exponent = 1.0 / (tableau.order + 1)
    parts = ((control.relative, exponent), control.absolute, a.ravel(), tableau.b, tableau.error, tableau.c)
    numbers = np.concatenate([np.asarray(part, float) for part in parts])
    sizes = np.array([stages, control.most, control.adaptive, number], np.int64)
    memory = [None if v is None else v.array for v in (operation.last, operation.rejected, operation.accepted)]
    return [
        _elements(operation), numbers, sizes, *memory, operation.failure, status,
        operation.clock.dt_variable.array,
    ]  # fmt: skip


def integrate_step(operation: Integrate, made: CompiledKernel, fail: Callable[[], None]) -> Callable[[], None]:
    """A function without arguments that does one step on NumPy arrays.

    Parameters
    ----------
    operation : Integrate
        The operation.
    made : CompiledKernel
        Its kernel.
    fail : callable
        What to call if an element cannot be integrated.
    """
    scope = scope_of(made, print_integrate_numpy)
    prepare, rates, finish = (scope[name] for name in ("prepare", "rates", "finish"))
    arrays = [variable.array for variable in made.arguments]
    at = _elements(operation)
    if not len(at):
        return lambda: None

    def step() -> None:
        t, y, still = prepare(arrays, at)
        lanes = _Lanes(operation, rates, at)
        lanes.run(float(t), y, still)
        finish(arrays, at, y)
        problem = np.flatnonzero(lanes.problem)
        if len(problem):
            operation.failure[:] = problem[0], lanes.problem[problem[0]]
            fail()

    return step


def unfinished(operation: Integrate, where: str, step: str) -> str:
    """Why an element could not be integrated, and what may help.

    Parameters
    ----------
    operation : Integrate
        What has failed.
    where, step : str
        The element and the time; the length of a step.
    """
    what = f"the equations of {', '.join(map(repr, operation.equations))}"
    if operation.failure[1] == TOO_MANY_SUBSTEPS:
        return (
            f"{what} need more than {operation.control.most} sub-steps in a step at {where}; a larger max_steps or "
            f"larger errors in method_options, a smaller dt than {step}, or method='implicit', which is for stiff "
            "equations, may help"
        )
    return (
        f"{what} cannot be integrated to the error that is asked for at {where}; they may have no solution there, or "
        f"larger errors in method_options or a smaller dt than {step} may help"
    )


def give_up(operation: Integrate) -> None:
    """What is done about a failure where an operation runs as a call of Python, which knows no status.

    Raises
    ------
    NumericalError
        Always.
    """
    clock = operation.clock
    where = f"element {operation.failure[0]} of '{operation.name}' at t = {clock.step * clock.dt:g} s"
    raise NumericalError(unfinished(operation, where, f"{clock.dt:g} s"))


class _Lanes:
    """One step of all elements, each with a sub-step of its own; those that are done are left out."""

    def __init__(self, operation: Integrate, rates: Callable[..., Any], at: NDArray[np.int64]) -> None:
        self.operation, self.rates, self.at = operation, rates, at
        self.dt = float(operation.clock.dt_variable.array[0])
        self.passed = np.zeros(len(at))
        self.accepted, self.rejected, self.problem = (np.zeros(len(at), np.int64) for _ in range(3))
        last = None if operation.last is None else operation.last.array[at]
        self.h = np.full(len(at), self.dt) if last is None else np.where(last > 0.0, last, self.dt)

    def run(self, t: float, y: Floats, still: list[tuple[Any, bool]]) -> None:
        """To the end of the step, in place."""
        left = np.arange(len(self.at))
        while len(left):
            values = [value[left] if each else value for value, each in still]
            done = self._advance(t, y, values, left)
            left = left[~(done | (self.problem[left] > 0))]
        operation = self.operation
        kept_in = (operation.last, operation.rejected, operation.accepted)
        for variable, kept in zip(kept_in, (np.minimum(self.h, self.dt), self.rejected, self.accepted)):
            if variable is not None:
                variable.array[self.at] = kept

    def _advance(self, t: float, y: Floats, values: list[Any], left: NDArray[np.int64]) -> NDArray[np.bool_]:
        """One attempt for the elements that are left; which of them have reached the end."""
        control = self.operation.control
        rest, h = self.dt - self.passed[left], self.h[left]
        reaches = np.full(len(left), True) if not control.adaptive else _STRETCH * h >= rest
        step = np.where(reaches, rest, h)
        new, error = self._attempt(t + self.passed[left], step, y[:, left], values)
        change = self._change(error)
        good = error <= 1.0
        ends = good & reaches
        y[:, left[good]] = new[:, good]
        self.accepted[left] += good
        self.rejected[left] += ~good
        self.passed[left] += np.where(good, step, 0.0)
        keeps = ends & (error <= _CALM) & (change * step < h)
        self.h[left] = np.where(keeps, h, change * step)
        if control.most:
            self.problem[left[good & ~ends & (self.accepted[left] >= control.most)]] = TOO_MANY_SUBSTEPS
        self.problem[left[~good & (self.h[left] < _TINY * self.dt)]] = TOO_SMALL_SUBSTEPS
        return ends

    def _attempt(self, t: Floats, h: Floats, y: Floats, values: list[Any]) -> tuple[Floats, Floats]:
        tableau, control = self.operation.tableau, self.operation.control
        slopes: list[Floats] = []
        for weights, c in zip(tableau.a, tableau.c):
            found = self.rates(values, t + c * h, y + h * _weighted(weights, slopes) if slopes else y)
            slopes.append(np.array([np.broadcast_to(rate, h.shape) for rate in found], float))
        new = y + h * _weighted(tableau.b, slopes)
        if not control.adaptive:
            return new, np.zeros(h.shape)
        allowed = np.array(control.absolute)[:, None] + control.relative * np.maximum(np.abs(y), np.abs(new))
        worst = (np.abs(h * _weighted(tableau.error, slopes)) / allowed).max(axis=0)
        return new, np.where(np.isnan(worst), np.inf, worst)

    def _change(self, error: Floats) -> Floats:
        exponent = 1.0 / (self.operation.tableau.order + 1)
        known = np.clip(error, _CALM, 1e10)
        change = np.clip(_SAFETY * np.float_power(known, -exponent), _SHRINK, _GROW)
        return np.asarray(np.floor(_GRID * change) / _GRID)


def _weighted(weights: tuple[float, ...], slopes: list[Floats]) -> Floats:
    total = np.zeros_like(slopes[0])
    for weight, slope in zip(weights, slopes):
        if weight != 0.0:
            total = total + weight * slope
    return total
