"""The sweeps of `Solve` operations for the NumPy device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.solvers import TreeSolver

__all__ = ["stepper"]

# Coefficients of ``rall_tree_step`` in ``rall_tree.c``.
_B2, _B3 = -0.72622217447687, 5.266388379463018
_K2, _K3 = 0.24191588272814638, 0.20249633340840095

Arrays = Mapping[str, NDArray[Any]]


def stepper(solver: str, structure: Arrays, arrays: Arrays) -> Callable[[], None]:
    """A function without arguments that does one step of a solver; see ``rall_tree.c`` for the methods.

    Parameters
    ----------
    solver : {'tree_sdirk3', 'tree_euler'}
        The method.
    structure : mapping
        Tables of the tree (`rall.plugins.cable.tree_layout`).
    arrays : mapping
        Diagonal ``d``, right-hand side ``r``, unknown ``v``, coupling ``g`` and the rest, in storage order.
    """
    tail = int(structure["size"][3])
    tree = TreeSolver(structure["whole_order"], structure["whole_parent"])
    coupling = arrays["g"].copy()
    d, r, v, diagonal = (arrays[name] for name in ("d", "r", "v", "diagonal"))
    late = arrays.get("late", np.zeros(()))
    w, inverse, stage, increment = (np.zeros_like(d) for _ in range(4))

    def factor() -> None:
        d[tail:] = diagonal[tail:]
        r[tail:] = 0.0
        tree.factor(coupling, d, w, inverse)

    def solve(right: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        tree.solve(w, inverse, right, x)

    def euler() -> None:
        factor()
        solve(r, v)

    def sdirk3() -> None:
        factor()
        c = arrays["carry"]
        solve(r, stage)
        solve(c * (stage - v) + _K2 * late, increment)
        stage[:] += _B2 * increment
        solve(c * increment + _K3 * late, increment)
        v[:] = stage + _B3 * increment

    return {"tree_sdirk3": sdirk3, "tree_euler": euler}[solver]
