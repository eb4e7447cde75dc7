"""Methods for multiplicative noise, in Stratonovich's sense as everywhere in rall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rall.integrators.base import AbstractIntegrator, NotIntegrable, Step, System, simultaneous
from rall.integrators.noise import diffusion, draw_noise, hold_draws
from rall.integrators.runge_kutta import RungeKutta
from rall.integrators.slopes import slope
from rall.ir.nodes import Name, Node, add, mul, number, power
from rall.ir.visit import names
from rall.model import Assign

__all__ = ["HEUN", "Milstein"]

#: Heun's method: predictor with the slope at the beginning, then the mean of both slopes, of drift and noise
#: alike. It converges to Stratonovich's solution (Rumelin, SIAM J. Numer. Anal. 19:604, 1982): strongly with
#: order 1 where the noise commutes (one source, additive or diagonal noise), with order 1/2 otherwise; with
#: order 2 without noise.
HEUN = RungeKutta("heun", 2, a=((), (1.0,)), b=(0.5, 0.5), noise="multiplicative")


class Milstein(AbstractIntegrator):
    """Strong order 1 for diagonal noise, whose factor g depends on no other variable that has noise.

    Where it depends on one that has independent noise of its own, the mixed integrals that are left out have no mean,
    and the order is 1/2 (Kloeden & Platen 1992, section 10.3).

    ``x + f h + g W + g g' W**2/2`` with the increment W of the Wiener process, Stratonovich's form of the
    scheme of Milstein (Kloeden & Platen 1992, section 10.3).  Ito's form has ``W**2 - h`` for ``W**2``: the
    difference ``g g' h/2`` is the drift between the two meanings of one equation (section 4.9 there).
    """

    name = "milstein"
    order = 1

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        system, statements = hold_draws(system)
        drift, factors = diffusion(system)
        _require_diagonal(factors)
        draws, held = draw_noise(system, h)
        statements += draws
        new = {}
        for v in system.equations:
            new[v] = add(Name(v), mul(h, drift[v]))
            for symbol, factor in factors[v].items():
                increment = Name(f"_increment_{v}_{symbol}")
                statements.append(Assign(increment.id, mul(h, held[symbol])))
                change = slope(factor, v, "'milstein' needs the derivative of the noise", "heun")
                correction = mul(number(0.5), mul(mul(factor, change), power(increment, number(2.0))))
                new[v] = add(new[v], add(mul(factor, increment), correction))
        return Step((*statements, *simultaneous(new)))

    def growth(self, z: NDArray[np.complex128]) -> NDArray[np.float64]:
        """See `AbstractIntegrator.growth`."""
        return np.abs(1.0 + z)


def _require_diagonal(factors: dict[str, dict[str, Node]]) -> None:
    """Leave only what needs no mixed Wiener integrals whose mean is not zero.

    A row has one symbol, or factors without its own variable; and no factor depends on a variable that the same symbol
    drives, since that needs a correction which the scheme does not have.
    """
    for variable, row in factors.items():
        for symbol, factor in row.items():
            shared = sorted(other for other in names(factor) & factors.keys() - {variable} if symbol in factors[other])
            if shared:
                raise NotIntegrable(
                    f"'milstein' takes diagonal noise alone, and in the equation of '{variable}' the factor "
                    f"of '{symbol}' depends on '{shared[0]}', which '{symbol}' drives too; use heun"
                )
            if len(row) > 1 and variable in names(factor):
                raise NotIntegrable(
                    f"'milstein' takes diagonal noise alone, and the equation of '{variable}' has "
                    f"several symbols, {' and '.join(sorted(row))}, of which '{symbol}' has a factor with "
                    f"'{variable}'; use heun"
                )
