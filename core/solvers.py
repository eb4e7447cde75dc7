"""What the NumPy device cannot do with whole arrays: tree sweeps, spike queues, long rows of random numbers.

Here in Python, and chosen here: the compiled `rall._engine` takes the place of each where it is installed.
``RALL_NO_ENGINE=1`` in the environment (read at import) keeps to Python.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Protocol, TypeAlias

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

__all__ = [
    "Queue",
    "SpikeQueue",
    "TreeSolver",
    "engine_available",
    "normals",
    "spike_queue",
    "tree_factor",
    "tree_solve",
    "uniforms",
]

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


def tree_factor(order: _Indices, parent: _Indices, g: _Floats, d: _Floats, w: _Floats, iv: _Floats) -> None:
    """Factor the symmetric matrix of a tree: ``d`` on the diagonal, ``-g[i]`` between node i and its parent.

    Gauss elimination from the leaves to the root makes no fill-in (Hines, Int. J. Biomed. Comput. 15, 1984).

    Parameters
    ----------
    order : ndarray of int32, shape (n,)
        The nodes, every child before its parent.
    parent : ndarray of int32, shape (n,)
        Parent of each node, -1 for a root.
    g : ndarray, shape (n,)
        Coupling of each node to its parent, in siemens or any one unit; not read for roots.
    d : ndarray, shape (n,)
        Diagonal, in the unit of `g`; overwritten by the pivots.
    w, iv : ndarray, shape (n,)
        Results, for `tree_solve`: ``g / pivot`` (0 for roots) and ``1 / pivot``.
    """
    if _engine is not None:
        _engine.tree_factor(order, parent, g, d, w, iv)
    else:
        _factor_in_python(list(zip(order.tolist(), parent[order].tolist())), g, d, w, iv)


def tree_solve(order: _Indices, parent: _Indices, w: _Floats, iv: _Floats, r: _Floats, x: _Floats) -> None:
    """Solve with what `tree_factor` left.

    Parameters
    ----------
    order, parent, w, iv
        As of `tree_factor`.
    r : ndarray, shape (n,)
        Right-hand side, in amperes or any one unit; overwritten.
    x : ndarray, shape (n,)
        Result, in the unit of `r` over that of `g`.
    """
    if _engine is not None:
        _engine.tree_solve(order, parent, w, iv, r, x)
    else:
        _solve_in_python(list(zip(order.tolist(), parent[order].tolist())), w, iv, r, x)


class TreeSolver:
    """Sweeps over one tree, checked and prepared once.

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
        """Factor; see `tree_factor`.

        Parameters
        ----------
        g, d, w, iv : ndarray, shape (n,)
            Coupling, diagonal (overwritten) and the results.
        """
        if _engine is not None:
            _engine.tree_factor(self.order, self.parent, g, d, w, iv)
        else:
            _factor_in_python(self._pairs, g, d, w, iv)

    def solve(self, w: _Floats, iv: _Floats, r: _Floats, x: _Floats) -> None:
        """Solve; see `tree_solve`.

        Parameters
        ----------
        w, iv : ndarray, shape (n,)
            What `factor` left.
        r, x : ndarray, shape (n,)
            Right-hand side (overwritten) and result.
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


class Queue(Protocol):
    """What a spike queue does; both kinds below have it."""

    def push(self, step: int, sources: NDArray[np.int64]) -> None:
        """Put the synapses of `sources`, which spiked at `step`, where they are due."""

    def pop(self, step: int) -> NDArray[np.int64]:
        """Take out what is due at `step`."""

    def pending(self, step: int) -> list[NDArray[np.int64]]:
        """What is due from `step` on."""

    def refill(self, step: int, waiting: list[NDArray[np.int64]]) -> None:
        """Put back what `pending` gave."""


class SpikeQueue:
    """Synapses that wait for their step: a ring with one slot for each step up to the longest delay.

    Within a slot they are in the order of (step of the spike, place in `sources`, place in `synapses`), so
    sums over them do not depend on anything else.

    Parameters
    ----------
    offsets : array_like of int, shape (sources + 1,)
        ``synapses[offsets[s]:offsets[s + 1]]`` are those of source s.
    synapses : array_like of int
        Indices of synapses, grouped by source.
    delays : array_like of int
        Delay of each entry of `synapses`, in steps, 0 or more.

    Raises
    ------
    ValueError
        If a delay is negative, or the lengths differ.
    """

    def __init__(self, offsets: ArrayLike, synapses: ArrayLike, delays: ArrayLike) -> None:
        self._offsets = np.asarray(offsets, dtype=np.int64)
        self._synapses = np.asarray(synapses, dtype=np.int64)
        self._delays = np.asarray(delays, dtype=np.int64)
        if len(self._delays) and self._delays.min() < 0:
            raise ValueError("a delay is negative")
        if len(self._delays) != len(self._synapses):
            raise ValueError("synapses and delays differ in length")
        self._slots: list[list[NDArray[np.int64]]] = [[] for _ in range(1 + self._delays.max(initial=0))]

    def push(self, step: int, sources: NDArray[np.int64]) -> None:
        """Put the synapses of the elements that spiked where they are due.

        Parameters
        ----------
        step : int
            Step of the spikes, 0 or more.
        sources : ndarray of int64
            The elements that spiked, ascending.

        Raises
        ------
        ValueError
            If `step` is negative.
        """
        if step < 0:
            raise ValueError("a step is negative")
        if not len(sources):
            return
        ranges = [np.arange(self._offsets[s], self._offsets[s + 1]) for s in sources]
        entries = np.concatenate(ranges)
        delays = self._delays[entries]
        for delay in np.unique(delays).tolist():
            self._slots[(step + delay) % len(self._slots)].append(self._synapses[entries[delays == delay]])

    def pop(self, step: int) -> NDArray[np.int64]:
        """The synapses that are due, taken out of the queue.

        Parameters
        ----------
        step : int
            Which step; each is to be asked for once, in turn.

        Returns
        -------
        ndarray of int64
            Indices of synapses; one that is due twice appears twice.
        """
        if step < 0:
            raise ValueError("a step is negative")
        result = self._look(step)
        self._slots[step % len(self._slots)] = []
        return result

    def pending(self, step: int) -> list[NDArray[np.int64]]:
        """What is due from a step on, left in the queue: for checkpoints.

        Parameters
        ----------
        step : int
            The next step to be popped.

        Returns
        -------
        list of ndarrays of int64
            For `step`, the next one, and so on up to the longest delay.
        """
        if step < 0:
            raise ValueError("a step is negative")
        return [self._look(step + k) for k in range(len(self._slots))]

    def refill(self, step: int, waiting: list[NDArray[np.int64]]) -> None:
        """Put back what `pending` gave, in place of all that is there.

        Parameters
        ----------
        step : int
            As it was given to `pending`.
        waiting : list of ndarrays of int64
            What `pending` returned.

        Raises
        ------
        ValueError
            If the number of arrays is not that of the slots.
        """
        if step < 0 or len(waiting) != len(self._slots):
            raise ValueError(
                f"needs a step >= 0 and {len(self._slots)} arrays, got {step} and {len(waiting)}"
            )
        for k, entries in enumerate(waiting):
            self._slots[(step + k) % len(self._slots)] = [np.array(entries, dtype=np.int64)]

    def _look(self, step: int) -> NDArray[np.int64]:
        parts = self._slots[step % len(self._slots)]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def spike_queue(offsets: ArrayLike, synapses: ArrayLike, delays: ArrayLike) -> Queue:
    """A spike queue, of the engine where there is one.

    Parameters
    ----------
    offsets, synapses, delays
        As of `SpikeQueue`.

    Returns
    -------
    Queue
        Empty.
    """
    if _engine is None:
        return SpikeQueue(offsets, synapses, delays)
    queue: Queue = _engine.SpikeQueue(offsets, synapses, delays)
    return queue
