"""An implicit method for linear equations: one factorisation and three solves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rall.integrators.base import AbstractIntegrator, NotIntegrable, Step, System, simultaneous
from rall.integrators.blocks import Linear, linear
from rall.integrators.conservation import laws
from rall.integrators.elimination import factor
from rall.integrators.noise import forbid_noise, hold_draws
from rall.ir.algebra import distributed, negative
from rall.ir.nodes import ONE, ZERO, Name, Node, add, mul, number, sub
from rall.ir.visit import substitute
from rall.model import Assign

__all__ = ["GAMMA", "SECOND", "THIRD", "LinearSDIRK"]

#: With ``P = (1 - GAMMA h A)^-1`` the step adds ``GAMMA (P + SECOND P^2 + THIRD P^3) h (A x + b)``.  For these weights,
#: made of ``a1 = 1 - 3 GAMMA`` and ``a2 = 1/2 - 3 GAMMA + 3 GAMMA^2``, it is of order 2 for every GAMMA, and L-stable
#: for those from 0.18042 to 2.186 (Hairer & Wanner 1996, section IV.6).  The smallest of these (to four digits) follows
#: slow modes closely, damps stiff ones at once, and lets none change its sign.  The solver of cables has the same.
GAMMA = 0.1805
_A1, _A2 = 1.0 - 3.0 * GAMMA, 0.5 - 3.0 * GAMMA + 3.0 * GAMMA**2
THIRD = 1.0 + _A1 / GAMMA + _A2 / GAMMA**2
SECOND = THIRD - _A1 / GAMMA - 2.0 * _A2 / GAMMA**2


class LinearSDIRK(AbstractIntegrator):
    """Order 2 and L-stable for ``x' = A x + b``, with A and b taken in the middle of the step.

    The three stages of a singly diagonally implicit method have one matrix, ``1 - GAMMA h A``, so that there is one
    elimination, written out without what is zero by its form, and there are three solves.  Slow modes are followed
    closely, and no mode with a real rate overshoots, as the method's factor is positive there.

    Rows are not exchanged: of kinetic schemes the matrix is diagonally dominant by columns.
    """

    name = "linear_sdirk"
    order = 2

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        forbid_noise(system, self.name)
        system, draws = hold_draws(system)
        if system.time is not None:
            middle = {system.time: add(Name(system.time), mul(number(0.5), h))}
            system = System({v: substitute(rhs, middle) for v, rhs in system.equations.items()})
        form = linear(system.equations)
        if form is None:
            raise NotIntegrable(f"'{self.name}' needs linear equations; use implicit, which takes any")
        length = Name("_stage_length")
        entries, slopes = _scaled(form, length)
        factors = factor(entries, len(slopes), "_matrix_")
        statements = [Assign(length.id, mul(number(GAMMA), h))]
        rates: list[Node] = []
        for k, slope in enumerate(slopes):
            statements.append(Assign(f"_slope_{k}", slope))
            rates.append(Name(f"_slope_{k}"))
        statements += factors.statements
        new: dict[str, Node] = {v: Name(v) for v in system.equations}
        stage: list[Node] = list(rates)
        for which, weight in enumerate((1.0, SECOND, THIRD)):
            solved, stage = factors.solve(stage, f"_stage{which + 1}_")
            statements += solved
            new = {v: add(now, mul(number(weight), change)) for (v, now), change in zip(new.items(), stage)}
        return Step((*draws, *statements, *simultaneous(new, laws(system.equations))))

    def growth(self, z: NDArray[np.complex128]) -> NDArray[np.float64]:
        """See `AbstractIntegrator.growth`; tends to 0 for large `z`."""
        p = 1.0 / (1.0 - GAMMA * z)
        return np.abs(1.0 + GAMMA * z * p * (1.0 + p * (SECOND + THIRD * p)))


def _scaled(form: Linear, length: Node) -> tuple[dict[tuple[int, int], Node], list[Node]]:
    """The matrix ``1 - length A``, and ``length (A x + b)``; both share the products of rates with `length`."""
    variables = list(form.matrix)
    entries: dict[tuple[int, int], Node] = {}
    slopes: list[Node] = []
    for row, v in enumerate(variables):
        slope: Node = ZERO
        entries[row, row] = ONE
        for column, other in enumerate(variables):
            rate = form.matrix[v].get(other, ZERO)
            if column == row:
                lost = distributed(length, negative(rate))
                entries[row, row] = add(ONE, lost)
                slope = sub(slope, mul(lost, Name(v)))
            elif rate is not ZERO:
                gained = distributed(length, rate)
                entries[row, column] = sub(ZERO, gained)
                slope = add(slope, mul(gained, Name(other)))
        slopes.append(add(slope, distributed(length, form.constant[v])))
    return entries, slopes

