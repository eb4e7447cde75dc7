"""rall.solvers, in Python and with the compiled rall._engine: each against dense algebra."""

from __future__ import annotations

import os
import subprocess
import sys

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
def test_a_tree_is_solved_as_the_dense_matrix(kind: str, n: int, roots: int) -> None:
    order, parent = tree(n, 4, roots)
    g, d, r = coefficients(n, 2)
    expected = np.linalg.solve(matrix(parent, g, d), r)
    w, iv, x = np.full((3, n), np.nan)
    solver = solvers.TreeSolver(order, parent)
    solver.factor(g, d, w, iv)
    solver.solve(w, iv, r, x)
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
    solvers.TreeSolver(order, parent).factor(g, d, w, iv)
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
