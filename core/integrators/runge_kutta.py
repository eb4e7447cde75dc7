"""Explicit Runge-Kutta methods: one class, one table a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.integrators.base import AbstractIntegrator, Step, System, simultaneous
from rall.integrators.noise import diffusion, draw_noise, forbid_noise, hold_draws, require_additive
from rall.ir.nodes import Name, Node, add, mul, number
from rall.ir.visit import substitute
from rall.model import Assign

__all__ = ["EULER", "RK2", "RK4", "Noise", "RungeKutta"]

#: Which noise a method converges with.
Noise: TypeAlias = Literal["none", "additive", "multiplicative"]


class RungeKutta(AbstractIntegrator):
    """An explicit Runge-Kutta method in Butcher's notation (Hairer, Norsett & Wanner 1993, section II.1).

    Stage i evaluates the equations at ``x + h sum_j a_ij k_j`` and ``t + c_i h``, where k_j are the slopes of
    the stages before; the step adds ``h sum_i b_i k_i``.

    Parameters
    ----------
    name : str
        What the user writes after ``method=``.
    order : int
        Order of convergence without noise.
    a : sequence of sequence of float
        Row i has i entries.
    b : sequence of float
        Weights of the slopes.
    noise : {'none', 'additive', 'multiplicative'}
        Which noise it can take.  Within a step noise is a constant ``randn()/sqrt(h)``: with it, the method
        converges to Stratonovich's solution if that is of second order for smooth driving functions.
    """

    def __init__(
        self,
        name: str,
        order: int,
        a: tuple[tuple[float, ...], ...],
        b: tuple[float, ...],
        noise: Noise = "none",
    ) -> None:
        self.name, self.order, self.a, self.b, self.noise = name, order, a, b, noise
        #: Where in the step the stages lie; the row sums of `a`, as for every method of order 1 and more.
        self.c = tuple(float(sum(row)) for row in a)

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        system, statements = hold_draws(system)
        if self.noise == "none":
            forbid_noise(system, self.name)
        elif self.noise == "additive":
            require_additive(system, self.name)
        else:
            diffusion(system)  # raises where noise is not linear
        draws, held = draw_noise(system, h)
        statements += draws
        for stage in range(len(self.b)):
            statements += self._stage(stage, system, h, held)
        new = {v: add(Name(v), self._weighted(self.b, v)) for v in system.equations}
        return Step((*statements, *simultaneous(new)))

    def _stage(self, stage: int, system: System, h: Node, held: Mapping[str, Node]) -> list[Assign]:
        """Increments ``h k`` of one stage, in locals ``_k1_x``, ``_k2_x``, ..."""
        at = dict(held)
        statements: list[Assign] = []
        if stage:
            for v in system.equations:
                statements.append(
                    Assign(f"_at{stage + 1}_{v}", add(Name(v), self._weighted(self.a[stage], v)))
                )
                at[v] = Name(f"_at{stage + 1}_{v}")
        if system.time is not None and self.c[stage]:
            at[system.time] = add(Name(system.time), mul(number(self.c[stage]), h))
        for v, rhs in system.equations.items():
            statements.append(Assign(f"_k{stage + 1}_{v}", mul(h, substitute(rhs, at))))
        return statements

    @staticmethod
    def _weighted(weights: tuple[float, ...], variable: str) -> Node:
        total: Node = number(0.0)
        for k, weight in enumerate(weights):
            total = add(total, mul(number(weight), Name(f"_k{k + 1}_{variable}")))
        return total

    def growth(self, z: NDArray[np.complex128]) -> NDArray[np.float64]:
        """See `AbstractIntegrator.growth`: the polynomial ``1 + z b (1 + z A + (z A)**2 + ...) 1``."""
        slopes: list[NDArray[np.complex128]] = []
        for row in self.a:
            value = np.ones_like(z)
            for weight, slope in zip(row, slopes):
                value = value + weight * z * slope
            slopes.append(value)
        total = np.ones_like(z)
        for weight, slope in zip(self.b, slopes):
            total = total + weight * z * slope
        return np.abs(total)


#: Euler's method; with noise, that of Maruyama (Kloeden & Platen 1992, section 10.2).
EULER = RungeKutta("euler", 1, a=((),), b=(1.0,), noise="additive")
#: The explicit midpoint rule, which is what Brian calls rk2.
RK2 = RungeKutta("rk2", 2, a=((), (0.5,)), b=(0.0, 1.0))
#: Kutta's classical method of order 4.
RK4 = RungeKutta("rk4", 4, a=((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), b=(1 / 6, 1 / 3, 1 / 3, 1 / 6))
