"""An implicit method for stiff equations that needs no iteration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rall.integrators.base import AbstractIntegrator, Step, System, simultaneous
from rall.integrators.conservation import laws
from rall.integrators.elimination import Factors, factor
from rall.integrators.noise import forbid_noise, hold_draws
from rall.integrators.slopes import slope
from rall.ir.nodes import ONE, ZERO, Name, Node, add, mul, number, sub
from rall.ir.visit import substitute
from rall.model import Assign

__all__ = ["Rosenbrock"]

#: RODAS3 (Sandu, Verwer, Blom, Spee, Carmichael & Potra, Atmos. Environ. 31:3459, 1997) in the form without products
#: of a matrix with a vector (Hairer & Wanner 1996, section IV.7): stage i solves
#:     (1 - GAMMA h J) u_i = GAMMA (h f(t + C_i h, x + sum A_ij u_j) + sum COUPLING_ij u_j + TIME_i h^2 df/dt),
#: and the step adds sum WEIGHTS_i u_i.
GAMMA = 0.5
A = ((), (0.0,), (2.0, 0.0), (2.0, 0.0, 1.0))
COUPLING = ((), (4.0,), (1.0, -1.0), (1.0, -1.0, -8.0 / 3.0))
C = (0.0, 0.0, 1.0, 1.0)
TIME = (0.5, 1.5, 0.0, 0.0)
WEIGHTS = (2.0, 0.0, 1.0, 1.0)


class Rosenbrock(AbstractIntegrator):
    """RODAS3: order 3, L-stable and stiffly accurate, for stiff equations of any form.

    Each step solves four linear systems with one matrix ``1 - h J/2``, J being the Jacobian of the equations at the
    beginning of the step, and evaluates the equations three times.  There is no iteration: a Rosenbrock method is a
    diagonally implicit one that is linearised about the step's beginning, and has its order because J is exact.  J
    comes from the form of the equations; the elimination is written out, without what is zero by its form.

    Rows are not exchanged.  Where each variable decays and couplings do not outweigh its decay (kinetic schemes,
    compartments, gates), ``1 - h J/2`` is diagonally dominant by rows or columns and needs no exchange.  In general a
    pivot is 1 minus ``h/2`` times the rate at which a variable grows while those eliminated before it follow and the
    others stand still; it vanishes only where that is e^2 within a step, and values that are not finite stop the run.
    """

    name = "implicit"
    order = 3

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        forbid_noise(system, self.name)
        system, draws = hold_draws(system)
        factors, statements = self._matrix(system, h)
        statements = [*draws, *statements, *factors.statements]
        stages: list[list[Node]] = []
        for stage in range(len(C)):
            at = self._moved(system, h, stage, stages)
            right = []
            for k, (v, rhs) in enumerate(system.equations.items()):
                value = mul(h, substitute(rhs, at))
                for weight, known in zip(COUPLING[stage], stages):
                    value = add(value, mul(number(weight), known[k]))
                if system.time is not None:
                    grows = mul(h, mul(h, self._slope(rhs, v, system.time)))
                    value = add(value, mul(number(TIME[stage]), grows))
                right.append(mul(number(GAMMA), value))
            solved, unknown = factors.solve(right, f"_stage{stage + 1}_")
            statements += solved
            stages.append(unknown)
        new = {v: self._sum(Name(v), WEIGHTS, stages, k) for k, v in enumerate(system.equations)}
        return Step((*statements, *simultaneous(new, laws(system.equations))))

    def _matrix(self, system: System, h: Node) -> tuple[Factors, list[Assign]]:
        """``1 - GAMMA h J``, factorised, and what must be computed before."""
        part = Name("_stage_length")
        entries: dict[tuple[int, int], Node] = {}
        for row, (v, rhs) in enumerate(system.equations.items()):
            for column, other in enumerate(system.equations):
                change = mul(part, self._slope(rhs, v, other))
                if row == column or change is not ZERO:
                    entries[row, column] = sub(ONE if row == column else ZERO, change)
        return factor(entries, len(system.equations), "_matrix_"), [Assign(part.id, mul(number(GAMMA), h))]

    def _slope(self, rhs: Node, variable: str, by: str) -> Node:
        return slope(rhs, by, f"'{self.name}' needs the derivative of the equation of '{variable}'", "rk4 or gsl_rkf45")

    def _moved(self, system: System, h: Node, stage: int, stages: list[list[Node]]) -> dict[str, Node]:
        """What variables and time are at a stage."""
        at = {v: self._sum(Name(v), A[stage], stages, k) for k, v in enumerate(system.equations)}
        if system.time is not None and C[stage]:
            at[system.time] = add(Name(system.time), mul(number(C[stage]), h))
        return at

    @staticmethod
    def _sum(start: Node, weights: tuple[float, ...], stages: list[list[Node]], k: int) -> Node:
        for weight, known in zip(weights, stages):
            start = add(start, mul(number(weight), known[k]))
        return start

    def growth(self, z: NDArray[np.complex128]) -> NDArray[np.float64]:
        """See `AbstractIntegrator.growth`; tends to 0 for large `z`."""
        stages: list[NDArray[np.complex128]] = []
        for a, coupling in zip(A, COUPLING):
            # Divided by z where that is large, so that the limit comes out.
            at = 1.0 + sum(w * u for w, u in zip(a, stages))
            rest = sum(w * u for w, u in zip(coupling, stages))
            scale = np.maximum(np.abs(z), 1.0)
            stages.append(GAMMA * (z / scale * at + rest / scale) / (1.0 / scale - GAMMA * (z / scale)))
        return np.abs(1.0 + sum(w * u for w, u in zip(WEIGHTS, stages)))
