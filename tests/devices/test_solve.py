"""Solves on each device against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from random_trees import SHAPES, System, random_forest, random_tree

from rall import solvers
from rall.devices import sweeps
from rall.model import Call
from rall.plugins.cable.steps import CABLE_METHODS

SECOND, EULER = CABLE_METHODS["second_order"][0], CABLE_METHODS["backward_euler"][0]
SIZES = (1, 2, 3, 8, 47, 90, 333)


@pytest.fixture(params=["c", "engine", "python"])
def any_device(request, monkeypatch, make):
    """Each device, the NumPy one with and without the engine."""
    if request.param == "engine" and not solvers.engine_available():
        pytest.skip("rall._engine was not built")
    if request.param == "python":
        monkeypatch.setattr(solvers, "_engine", None)
    return make("c" if request.param == "c" else "numpy")


def systems(seed, shapes=SHAPES, sizes=SIZES):
    for k, shape in enumerate(shapes):
        for nodes in sizes:
            for junctions in (False, True):
                rng = np.random.default_rng([seed, k, nodes, junctions])
                yield System.random(*random_tree(shape, nodes, rng, junctions), rng)


def one_step(system, solver, device, bench, late=False, steps=1):
    b = bench()
    operation = system.operation(solver, b.clock, late)
    # d and r are made anew before every step, as kernels do.
    b.made += [
        Call(name="membrane", clock=b.clock, function=lambda t: system.write(operation.variables)), operation,
    ]  # fmt: skip
    b.run(device, steps)
    return operation.variables["v"].array[system.layout.place[: system.n]]


def dense_step(system, solver, late, v):
    """The two methods with dense matrices; `v` of all nodes."""
    a, c = system.matrix(), system.padded(system.carry)
    right = c * v + system.padded(system.source)
    first = np.linalg.solve(a, right)
    if solver == EULER:
        return first
    k = system.padded(system.late) if late else 0.0
    second = np.linalg.solve(a, c * (first - v) + sweeps._K2 * k)
    third = np.linalg.solve(a, c * second + sweeps._K3 * k)
    return first + sweeps._B2 * second + sweeps._B3 * third


@pytest.mark.parametrize(("solver", "late"), [(EULER, False), (SECOND, False), (SECOND, True)])
def test_steps_on_random_trees_are_those_of_dense_algebra(any_device, bench, solver, late):
    for system in systems(1, sizes=SIZES[:-1]):
        expected = system.padded(system.v)
        for _ in range(2):
            expected = dense_step(system, solver, late, expected)
        found = one_step(system, solver, any_device, bench, late, steps=2)
        np.testing.assert_allclose(found, expected[: system.n], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(("solver", "late"), [(EULER, False), (SECOND, True)])
def test_c_equals_numpy(make, bench, solver, late):
    for system in systems(2):
        one = one_step(system, solver, make("c"), bench, late, 3)
        other = one_step(system, solver, make("numpy"), bench, late, 3)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12 * np.abs(other).max())


@pytest.mark.parametrize(("solver", "late"), [(EULER, False), (SECOND, True)])
@pytest.mark.parametrize("alike", [True, False])
def test_several_trees_at_once_are_as_in_dense_algebra(any_device, bench, solver, late, alike):
    for seed, trees in enumerate((2, 3, 8, 11)):
        rng = np.random.default_rng([seed, alike])
        system = System.random(*random_forest(trees, 40, rng, alike), rng)
        assert not len(system.layout.order)
        expected = system.padded(system.v)
        for _ in range(2):
            expected = dense_step(system, solver, late, expected)
        found = one_step(system, solver, any_device, bench, late, steps=2)
        np.testing.assert_allclose(found, expected[: system.n], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("shape", ["chain", "long branches"])
def test_long_chains_that_are_cut_into_pieces(any_device, bench, shape):
    cut = 0
    for nodes in (39, 40, 71, 72, 500, 1500):
        rng = np.random.default_rng(nodes)
        system = System.random(*random_tree(shape, nodes, rng), rng)
        cut += len(system.layout.pieces)
        expected = dense_step(system, EULER, False, system.padded(system.v))[: system.n]
        found = one_step(system, EULER, any_device, bench)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11)
    assert cut >= 4


def test_wide_ranges_of_couplings_keep_their_accuracy(any_device, bench):
    rng = np.random.default_rng(5)
    parent, n = random_tree("long branches", 300, rng)
    system = System.random(parent, n, rng)
    system.coupling *= 10.0 ** rng.uniform(-9, 3, len(parent))
    system.source[:] = 0.0
    system.v[:] = 0.7
    system.membrane[:] = 0.0
    # A resting cell without a membrane stays exactly where it is, however stiff it is.
    found = one_step(system, EULER, any_device, bench, steps=20)
    np.testing.assert_allclose(found, 0.7, rtol=1e-9)


def test_charge_is_conserved_without_a_membrane(any_device, bench):
    rng = np.random.default_rng(6)
    for solver in (EULER, SECOND):
        system = System.random(*random_tree("recursive", 60, rng), rng)
        system.membrane[:] = 0.0
        system.source[:] = 0.0
        found = one_step(system, solver, any_device, bench, steps=10)
        assert np.sum(system.carry * found) == pytest.approx(np.sum(system.carry * system.v), rel=1e-11)


def decay(rate, dt, method, device, bench, end=1.0):
    """v' = -rate v of one compartment, from 1 to `end`."""
    solver, stage = CABLE_METHODS[method]
    rng = np.random.default_rng(0)
    system = System.random(np.array([-1]), 1, rng)
    system.carry[:], system.membrane[:], system.source[:], system.v[:] = 1.0 / (stage * dt), rate, 0.0, 1.0
    return one_step(system, solver, device, bench, steps=round(end / dt))[0]


@pytest.mark.parametrize(("method", "order"), [("second_order", 2), ("backward_euler", 1)])
def test_order_on_a_decay(device, bench, method, order):
    errors = [abs(decay(1.3, dt, method, device, bench) - np.exp(-1.3)) for dt in (0.05, 0.025, 0.0125)]
    measured = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (measured > order - 0.1).all()
    assert errors[0] < (0.02, 2e-4)[order - 1]


@pytest.mark.parametrize("method", sorted(CABLE_METHODS))
def test_stiff_modes_vanish_at_once(device, bench, method):
    assert abs(decay(1e9, 0.5, method, device, bench, end=0.5)) < 1e-7
    for rate in (5.0, 20.0, 100.0, 1000.0):
        assert abs(decay(rate, 0.5, method, device, bench, end=0.5)) < 0.45


def test_trees_without_long_runs_have_no_pieces():
    rng = np.random.default_rng(9)
    assert not System.random(*random_tree("binary", 200, rng), rng).layout.pieces
    assert System.random(*random_tree("chain", 200, rng), rng).layout.pieces
