"""The sweeps of `Solve` operations for the NumPy device."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rall.solvers import TreeSolver

__all__ = ["stepper"]

#: (1 - gamma)/gamma of the SDIRK method with gamma = 1 - 1/sqrt(2).
CARRY = 1.0 + np.sqrt(2.0)

Arrays = Mapping[str, NDArray[np.generic]]


def stepper(solver: str, structure: Arrays, arrays: Arrays) -> Callable[[], None]:
    """A function without arguments that does one step of a solver; see ``rall_runtime.c`` for the methods.

    Parameters
    ----------
    solver : {'tree_sdirk2', 'tree_euler'}
        The method.
    structure : mapping
        Tables of the tree (`rall.plugins.cable.tree_layout`).
    arrays : mapping
        Diagonal ``d``, right-hand side ``r``, unknown ``v`` and the rest, in storage order.
    """
    tail = int(structure["size"][2])
    tree = TreeSolver(structure["whole_order"], structure["whole_parent"])
    coupling = structure["coupling"]
    d, r, v, diagonal = (arrays[name] for name in ("d", "r", "v", "diagonal"))
    w, inverse = np.zeros_like(d), np.zeros_like(d)

    def factor() -> None:
        d[tail:] = diagonal[tail:]
        r[tail:] = 0.0
        tree.factor(coupling, d, w, inverse)

    def euler() -> None:
        factor()
        tree.solve(w, inverse, r, v)

    def sdirk2() -> None:
        factor()
        stage, rest = np.zeros_like(v), arrays["rest"]
        tree.solve(w, inverse, r, stage)
        rest[:] = CARRY * arrays["carry"] * (stage - v)
        if "late" in arrays:
            rest += arrays["late"]
        increment = np.zeros_like(v)
        tree.solve(w, inverse, rest, increment)
        v[:] = stage + increment

    return {"tree_sdirk2": sdirk2, "tree_euler": euler}[solver]
