"""What the NumPy device cannot do with whole arrays: tree sweeps, long rows of random numbers.

Here in Python, and chosen here: the compiled `rall._engine` takes the place of each where it is installed.
``RALL_NO_ENGINE=1`` in the environment (read at import) keeps to Python.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rall import philox

_engine: Any
try:
    _engine = import_module("rall._engine")
except ImportError:  # installed without a compiler
    _engine = None
if os.environ.get("RALL_NO_ENGINE", "") not in ("", "0"):
    _engine = None

__all__ = ["TreeSolver", "engine_available", "normals", "uniforms"]

_Floats: TypeAlias = NDArray[np.float64]
_Indices: TypeAlias = NDArray[np.int32]


def engine_available() -> bool:
    """Whether the compiled helpers are in use.

    Returns
    -------
    bool
        False without `rall._engine` or with ``RALL_NO_ENGINE=1``.
    """
    return _engine is not None


def _factor_in_python(pairs: list[tuple[int, int]], g: _Floats, d: _Floats, w: _Floats, iv: _Floats) -> None:
    coupling, diagonal, inverse, ratio = g.tolist(), d.tolist(), iv.tolist(), w.tolist()
    for i, p in pairs:
        inverse[i] = one = 1.0 / diagonal[i]
        if p >= 0:
            ratio[i] = share = coupling[i] * one
            diagonal[p] -= share * coupling[i]
        else:
            ratio[i] = 0.0
    d[:], w[:], iv[:] = diagonal, ratio, inverse


def _solve_in_python(pairs: list[tuple[int, int]], w: _Floats, iv: _Floats, r: _Floats, x: _Floats) -> None:
    ratio, right = w.tolist(), r.tolist()
    for i, p in pairs:
        if p >= 0:
            right[p] += ratio[i] * right[i]
    r[:] = right
    result = (r * iv).tolist()
    for i, p in reversed(pairs):
        if p >= 0:
            result[i] += ratio[i] * result[p]
    x[:] = result


class TreeSolver:
    """Linear systems of one tree: symmetric, with ``-g[i]`` between node i and its parent.

    Gauss elimination from the leaves to the root makes no fill-in (Hines, Int. J. Biomed. Comput. 15, 1984).

    Parameters
    ----------
    order : array_like of int, shape (n,)
        The nodes, every child before its parent; the last is a root.
    parent : array_like of int, shape (n,)
        Parent of each node, -1 for a root.

    Raises
    ------
    ValueError
        If `order` does not name every node once, children before parents.
    """

    def __init__(self, order: ArrayLike, parent: ArrayLike) -> None:
        self.order: _Indices = np.ascontiguousarray(order, dtype=np.int32)
        self.parent: _Indices = np.ascontiguousarray(parent, dtype=np.int32)
        n = len(self.parent)
        if not np.array_equal(np.sort(self.order), np.arange(n)):
            raise ValueError(f"order must name each of the {n} nodes once")
        place = np.empty(n, dtype=np.int64)
        place[self.order] = np.arange(n)
        inner = self.parent >= 0
        if (self.parent >= n).any() or (place[inner] >= place[self.parent[inner]]).any():
            raise ValueError("order must have every node before its parent, and parents must be nodes or -1")
        self._pairs = list(zip(self.order.tolist(), self.parent[self.order].tolist()))

    def factor(self, g: _Floats, d: _Floats, w: _Floats, iv: _Floats) -> None:
        """Eliminate from the leaves to the root.

        Parameters
        ----------
        g : ndarray, shape (n,)
            Coupling of each node to its parent, in siemens or any one unit; not read for roots.
        d : ndarray, shape (n,)
            Diagonal, in the unit of `g`; overwritten by the pivots.
        w, iv : ndarray, shape (n,)
            Results, for `solve`: ``g / pivot`` (0 for roots) and ``1 / pivot``.
        """
        if _engine is not None:
            _engine.tree_factor(self.order, self.parent, g, d, w, iv)
        else:
            _factor_in_python(self._pairs, g, d, w, iv)

    def solve(self, w: _Floats, iv: _Floats, r: _Floats, x: _Floats) -> None:
        """Solve with what `factor` left.

        Parameters
        ----------
        w, iv : ndarray, shape (n,)
            Of `factor`.
        r : ndarray, shape (n,)
            Right-hand side, in amperes or any one unit; overwritten.
        x : ndarray, shape (n,)
            Result, in the unit of `r` over that of `g`.
        """
        if _engine is not None:
            _engine.tree_solve(self.order, self.parent, w, iv, r, x)
        else:
            _solve_in_python(self._pairs, w, iv, r, x)


def _elements(elements: ArrayLike) -> NDArray[np.int64]:
    return np.ascontiguousarray(np.atleast_1d(elements), dtype=np.int64)


def uniforms(seed: int, stream: int, step: int, elements: ArrayLike, draw: int = 0) -> _Floats:
    """The numbers of `rall.philox.uniform`, from the engine where there is one.

    Parameters
    ----------
    seed, stream, step, elements, draw
        As of `rall.philox.uniform`.

    Returns
    -------
    ndarray
        One number in [0, 1) for each element.
    """
    if _engine is None:
        return philox.uniform(seed, stream, step, elements, draw)
    who = _elements(elements)
    out = np.empty(len(who))
    _engine.uniforms(seed & 0xFFFFFFFFFFFFFFFF, stream & 0xFFFFFFFFFFFFFFFF, step, who, draw, out)
    return out


def normals(seed: int, stream: int, step: int, elements: ArrayLike, draw: int = 0) -> _Floats:
    """The numbers of `rall.philox.normal`, from the engine where there is one.

    Parameters
    ----------
    seed, stream, step, elements, draw
        As of `rall.philox.uniform`.

    Returns
    -------
    ndarray
        One standard normal number for each element.
    """
    if _engine is None:
        return philox.normal(seed, stream, step, elements, draw)
    who = _elements(elements)
    out = np.empty(len(who))
    _engine.normals(seed & 0xFFFFFFFFFFFFFFFF, stream & 0xFFFFFFFFFFFFFFFF, step, who, draw, out)
    return out
