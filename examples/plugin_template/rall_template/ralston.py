"""Ralston's second-order method: of all explicit ones with two stages, that with the least error bound."""

from __future__ import annotations

from rall.integrators.runge_kutta import RungeKutta

__all__ = ["RALSTON"]

#: Ralston (1962), Math. Comp. 16:431.
RALSTON = RungeKutta("ralston", 2, a=((), (2 / 3,)), b=(1 / 4, 3 / 4))
