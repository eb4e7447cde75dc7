"""rall.solvers, in Python and with the compiled rall._engine: each against dense algebra or a plain model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from rall import philox, solvers

COMPILED = solvers._engine


@pytest.fixture(params=["python", "engine"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "engine" and COMPILED is None:
        pytest.skip("rall._engine is not installed (or RALL_NO_ENGINE is set)")
    monkeypatch.setattr(solvers, "_engine", COMPILED if request.param == "engine" else None)
    return str(request.param)


def tree(n: int, seed: int, roots: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A random tree with shuffled node numbers: order (children first) and parent."""
    random_state = np.random.default_rng(seed)
    plain = [-1 if k < roots else int(random_state.integers(max(0, k - 6), k)) for k in range(n)]
    name = random_state.permutation(n)
    parent = np.empty(n, np.int32)
    for k, p in enumerate(plain):
        parent[name[k]] = -1 if p < 0 else name[p]
    return np.ascontiguousarray(name[::-1], np.int32), parent


def matrix(parent: np.ndarray, g: np.ndarray, d: np.ndarray) -> np.ndarray:
    dense = np.diag(d)
    for i, p in enumerate(parent):
        if p >= 0:
            dense[i, p] = dense[p, i] = -g[i]
    return dense


def coefficients(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random_state = np.random.default_rng(seed)
    return random_state.uniform(0.1, 2, n), random_state.uniform(15, 30, n), random_state.normal(size=n)


@pytest.mark.parametrize(("n", "roots"), [(1, 1), (2, 1), (40, 1), (200, 1), (60, 3)])
def test_tree_solve_is_the_dense_solve(kind: str, n: int, roots: int) -> None:
    order, parent = tree(n, 4, roots)
    g, d, r = coefficients(n, 2)
    expected = np.linalg.solve(matrix(parent, g, d), r)
    w, iv, x = np.full((3, n), np.nan)
    solvers.tree_factor(order, parent, g, d, w, iv)
    solvers.tree_solve(order, parent, w, iv, r, x)
    np.testing.assert_allclose(x, expected, rtol=1e-12, atol=1e-15)


def test_solver_object_gives_the_same_and_the_factors_serve_again(kind: str) -> None:
    order, parent = tree(80, 9)
    g, d, r = coefficients(80, 3)
    dense = matrix(parent, g, d)
    w, iv, x = np.zeros((3, 80))
    solver = solvers.TreeSolver(order.tolist(), parent.tolist())
    solver.factor(g, d, w, iv)
    for scale in (1.0, -3.0):
        solver.solve(w, iv, scale * r, x)
        np.testing.assert_allclose(x, np.linalg.solve(dense, scale * r), rtol=1e-12, atol=1e-15)


def test_pivots_replace_the_diagonal_and_roots_have_no_share(kind: str) -> None:
    order, parent = np.array([2, 1, 0], np.int32), np.array([-1, 0, 1], np.int32)
    g, d = np.array([np.nan, 2.0, 1.0]), np.array([5.0, 4.0, 2.0])
    w, iv = np.full((2, 3), np.nan)
    solvers.tree_factor(order, parent, g, d, w, iv)
    assert d.tolist() == [5 - 4 / 3.5, 3.5, 2.0]
    assert w.tolist() == [0.0, 2 / 3.5, 0.5]
    np.testing.assert_allclose(iv, 1 / d)


@pytest.mark.skipif(COMPILED is None, reason="rall._engine is not installed")
def test_python_and_engine_agree_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    order, parent = tree(300, 12)
    results = []
    for engine in (COMPILED, None):
        monkeypatch.setattr(solvers, "_engine", engine)
        g, d, r = coefficients(300, 5)
        w, iv, x = np.zeros((3, 300))
        solver = solvers.TreeSolver(order, parent)
        solver.factor(g, d, w, iv)
        solver.solve(w, iv, r, x)
        results.append((d, w, iv, r, x))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize(
    ("order", "parent"),
    [([0, 1], [-1, 0]), ([1, 1], [-1, 0]), ([1], [-1, 0]), ([1, 0], [-1, 7]), ([2, 0], [-1, 0])],
)
def test_an_order_that_cannot_serve_is_refused(order: list[int], parent: list[int]) -> None:
    with pytest.raises(ValueError, match="order must"):
        solvers.TreeSolver(order, parent)


def test_random_numbers_are_those_of_the_numpy_module(kind: str) -> None:
    who = np.array([5, 0, 77, 2**31, 2**32 - 1])
    for seed, stream, step, draw in ((1, 2, 3, 0), (-1, 2**32 - 1, 2**45, 7)):
        expected = philox.uniform(seed, stream, step, who, draw)
        np.testing.assert_array_equal(solvers.uniforms(seed, stream, step, who, draw), expected)
        expected = philox.normal(seed, stream, step, who, draw)
        np.testing.assert_allclose(solvers.normals(seed, stream, step, who, draw), expected, rtol=1e-15)
    assert solvers.uniforms(1, 1, 1, np.arange(0)).shape == (0,)


def connections(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random_state = np.random.default_rng(seed)
    counts = random_state.integers(0, 5, 12)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return offsets, random_state.permutation(int(offsets[-1])), random_state.integers(0, 9, int(offsets[-1]))


def test_queue_delivers_each_synapse_at_its_step_in_a_fixed_order(kind: str) -> None:
    offsets, synapses, delays = connections()
    queue = solvers.spike_queue(offsets, synapses, delays)
    random_state = np.random.default_rng(7)
    due: dict[int, list[int]] = {}
    delivered: Counter[int] = Counter()
    for step in range(60):
        sources = np.flatnonzero(random_state.random(12) < 0.3)
        for s in sources:
            for j in range(offsets[s], offsets[s + 1]):
                due.setdefault(step + int(delays[j]), []).append(int(synapses[j]))
        queue.push(step, sources)
        found = queue.pop(step).tolist()
        assert found == due.pop(step, [])
        delivered.update(found)
    assert sum(delivered.values()) > 300


def test_queue_can_be_saved_and_put_back(kind: str) -> None:
    offsets, synapses, delays = connections()
    queue, other = (solvers.spike_queue(offsets, synapses, delays) for _ in range(2))
    other.push(3, np.arange(12))
    for step in range(3, 7):
        queue.push(step, np.arange(step))
        queue.pop(step)
    waiting = queue.pending(7)
    assert len(waiting) == 1 + delays.max()
    other.refill(7, waiting)
    for step in range(7, 20):
        np.testing.assert_array_equal(other.pop(step), queue.pop(step))


def test_queue_without_synapses_and_with_many_spikes(kind: str) -> None:
    empty = solvers.spike_queue([0, 0], [], [])
    empty.push(5, np.array([0]))
    assert empty.pop(5).tolist() == []
    full = solvers.spike_queue([0, 1000], np.arange(1000), np.full(1000, 2))
    for step in range(3):
        full.push(step, np.zeros(4, np.int64))
        assert len(full.pop(step)) == (4000 if step == 2 else 0)


def test_queue_refuses_what_makes_no_sense(kind: str) -> None:
    with pytest.raises(ValueError, match="negative"):
        solvers.spike_queue([0, 1], [0], [-1])
    with pytest.raises(ValueError, match="length"):
        solvers.spike_queue([0, 2], [0, 1], [1])
    queue = solvers.spike_queue([0, 1], [0], [1])
    with pytest.raises(ValueError, match="negative"):
        queue.push(-1, np.array([0]))
    with pytest.raises(IndexError):
        queue.push(0, np.array([1]))
    with pytest.raises(ValueError, match="2 arrays"):
        queue.refill(0, [np.arange(1)])


def test_the_engine_can_be_switched_off() -> None:
    code = "from rall import solvers; print(solvers.engine_available())"
    found = {}
    for value in ("1", "0"):
        environment = {**os.environ, "RALL_NO_ENGINE": value}
        command = [sys.executable, "-c", code]
        found[value] = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout
    assert found["1"].strip() == "False"
    assert found["0"].strip() == str(COMPILED is not None or "RALL_NO_ENGINE" in os.environ)
