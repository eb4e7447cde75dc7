"""The flattened tree, its conductance graph and the voltage between the nodes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from rall.errors import MorphologyError
from rall.morphology import Cylinder, Morphology, Soma
from rall.units import um


@pytest.fixture
def tree(base, swc):
    return Morphology.from_file(swc(base)).discretize(max_length=5 * um).flatten()


@pytest.fixture
def wild(random_tree, swc):
    def make(seed, soma=1, **how):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            m = Morphology.from_file(swc(random_tree(seed, soma=soma)))
        return (m.discretize(**how) if how else m).flatten()

    return make


def steady(tree, leak=0.02, injected=0):
    """Voltages of compartments with a leak and a current, from the conductance matrix of the graph."""
    graph = tree.conductance_graph()
    matrix = np.zeros((len(graph), len(graph)))
    for node in range(1, len(graph)):
        up, g = graph.parent[node], 1 / graph.resistance[node]
        matrix[[node, up], [node, up]] += g
        matrix[[node, up], [up, node]] -= g
    index = np.arange(tree.n)
    matrix[index, index] += leak * tree.area
    current = np.zeros(len(graph))
    current[injected] = 1.0
    return np.linalg.solve(matrix, current)


@pytest.mark.parametrize("soma", [1, 3])
def test_order_and_parents(wild, soma):
    tree = wild(3, soma, max_length=7 * um)
    assert (np.diff(tree.section) >= 0).all() and tree.parent[0] == -1
    assert (tree.parent[1:] < np.arange(1, tree.n)).all()
    inside = np.flatnonzero(np.diff(tree.section) == 0) + 1
    assert (tree.parent[inside] == inside - 1).all() and (tree.start[inside] == tree.end[inside - 1]).all()
    # Depth-first: a section's subtree is one piece.
    parent = tree.sections.parent
    for k in range(1, len(parent)):
        assert parent[k] == k - 1 or parent[k] in ancestors(parent, k - 1)
    assert (tree.distance >= 0).all() and np.isclose(tree.sections.length.sum(), tree.length.sum())


def ancestors(parent, k):
    chain = []
    while k >= 0:
        chain.append(k)
        k = parent[k]
    return chain


@pytest.mark.parametrize("soma", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_graph_is_a_tree_of_positive_resistances(wild, seed, soma):
    tree = wild(seed, soma, max_length=15 * um)
    graph = tree.conductance_graph()
    assert graph.n == tree.n and graph.parent[0] == -1 and (graph.parent[1:] >= 0).all()
    assert (graph.resistance[1:] > 0).all() and graph.resistance[0] == 0
    assert sorted(graph.order.tolist()) == list(range(len(graph)))
    place = np.argsort(graph.order)
    assert (place[graph.parent[1:]] < place[1:]).all()
    # A branch point is a node exactly where three or more halves meet and none of them is a sphere.
    degree = np.bincount(graph.parent[1:], minlength=len(graph)) + 1
    assert (degree[tree.n :] >= 3).all()


def test_resistances_of_a_graph_by_hand(swc):
    text = "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 16 0 0 1 2\n4 3 26 0 0 1 3\n5 3 16 10 0 1 3\n"
    text += "6 2 -6 0 0 1 1\n7 2 -16 0 0 1 6\n"
    tree = Morphology.from_file(swc(text)).flatten()
    graph = tree.conductance_graph()
    half = 5 / np.pi
    # soma 0; dend 1 with children 2 and 3 through node 5; axon 4
    assert graph.parent.tolist() == [-1, 0, 5, 5, 0, 1]
    assert np.allclose(graph.resistance, [0, half, half, half, half, half])


@pytest.mark.filterwarnings("ignore")
def test_two_halves_are_one_edge_also_at_the_roots_start(swc):
    tree = Morphology.from_file(
        swc("1 2 0 0 0 1 -1\n2 2 10 0 0 1 1\n3 3 20 0 0 1 2\n4 2 0 20 0 1 1\n")
    ).flatten()
    graph = tree.conductance_graph()
    assert len(graph) == 3 and graph.parent.tolist() == [-1, 0, 0]
    assert np.allclose(graph.resistance, [0, 10 / np.pi, 15 / np.pi])


def test_a_sphere_at_the_end_of_a_cable_is_the_joint():
    m = Cylinder(diameter=2 * um, length=10 * um)
    m.soma = Soma(diameter=20 * um)
    m.dend = Cylinder(diameter=2 * um, length=10 * um)
    m.soma.axon = Cylinder(diameter=2 * um, length=10 * um)
    graph = m.flatten().conductance_graph()
    assert graph.parent.tolist() == [-1, 0, 1, 1] and np.allclose(graph.resistance[1:], 5 / np.pi)
    with pytest.raises(MorphologyError, match="sphere on a sphere"):
        m.soma.other = Soma(diameter=20 * um)


@pytest.mark.parametrize("soma", [1, 3])
def test_interpolation_at_a_branch_point_is_the_graphs_own_node(wild, soma):
    tree = wild(1, soma, max_length=8 * um)
    graph, v = tree.conductance_graph(), steady(tree)
    joints = 0
    for s in range(len(tree.sections)):
        indices, weights = tree.node_at_section_end(s)
        assert np.isclose(weights.sum(), 1.0, rtol=1e-14) and (weights > 0).all()
        children = np.flatnonzero((tree.sections.parent == s) & (tree.sections.attach == 1))
        if len(children) >= 2:
            node = graph.parent[tree.sections.first[children[0]]]
            assert node >= tree.n
            assert np.isclose(v[indices] @ weights, v[node], rtol=1e-9)
            joints += 1
        elif not len(children) and not tree.sections.sphere[s]:
            assert indices.tolist() == [tree.sections.first[s] + tree.sections.n[s] - 1]
    assert joints >= 3


def test_interpolation_is_linear_in_resistance_and_exact_at_centres(tree):
    v = steady(tree)
    for s in range(1, len(tree.sections)):
        first, n = tree.sections.first[s], tree.sections.n[s]
        for k in range(first, first + n):
            indices, weights = tree.interpolation(s, 0.5 * (tree.start[k] + tree.end[k]))
            assert indices.tolist() == [k] and weights.tolist() == [1.0]
        for k in range(first, first + n - 1):
            indices, weights = tree.interpolation(s, float(tree.end[k]))
            total = tree.r_axial_far[k] + tree.r_axial_near[k + 1]
            expected = v[k] + (v[k + 1] - v[k]) * tree.r_axial_far[k] / total
            assert np.isclose(v[indices] @ weights, expected, rtol=1e-12)


def test_interpolation_is_continuous_across_joints(tree):
    v = steady(tree)

    def at(section, position):
        indices, weights = tree.interpolation(section, position)
        return float(v[indices] @ weights)

    for s, (up, attach) in enumerate(zip(tree.sections.parent, tree.sections.attach)):
        if up >= 0:
            end = tree.sections.length[up] * attach
            assert np.isclose(at(s, 0.0), at(up, float(end)), rtol=1e-12)
            assert np.isclose(at(s, 1e-7), at(s, 0.0), rtol=1e-5)


def test_a_cable_has_the_input_resistance_of_theory():
    # A sealed cable with a current at its start (Rall, Exp Neurol 1:491, 1959); second order in space.
    d, total, leak = 2.0, 1000.0, 2e-6
    errors = []
    for n in (50, 100, 200):
        tree = Cylinder(diameter=d * um, length=total * um, n=n).flatten()
        v = steady(tree, leak)
        constant = np.sqrt(np.pi * d**2 / 4 / (leak * np.pi * d))
        far = 1 / (np.pi * d**2 / 4) * constant / np.sinh(total / constant)
        errors.append(abs(v[-1] / far - 1))
    assert errors[2] < 1e-4 and 3.5 < errors[0] / errors[1] < 4.5


def test_places_of_samples(base, swc):
    m = Morphology.from_file(swc(base))
    tree = m.flatten()
    # Sample 3 ends section 1 and begins two others: its place is the end.
    assert tree.sample_place(3) == (1, 14.0)
    assert tree.sample_place(1) == (0, 5.0) and tree.sample_place(2) == (1, 0.0)
    assert tree.compartment_at(1, 14.0) == 1 and tree.compartment_at(1, 0.0) == 1
    fine = m.discretize(max_length=1 * um).flatten()
    for sample in range(1, 10):
        assert fine.sample_place(sample) == tree.sample_place(sample)
    with pytest.raises(MorphologyError, match="between 1 and 9"):
        tree.sample_place(10)
    with pytest.raises(MorphologyError, match="no sample -1"):
        tree.sample_place(-1)


def test_compartment_at_borders(tree):
    for k in range(1, tree.n):
        s = int(tree.section[k])
        assert tree.compartment_at(s, float(tree.end[k])) == k
        assert tree.compartment_at(s, 0.5 * float(tree.start[k] + tree.end[k])) == k
        # One step of rounding beyond a border is still the border.
        assert tree.compartment_at(s, float(np.nextafter(tree.end[k], np.inf))) == k


def test_polyline_knows_the_compartment_of_each_point(tree):
    line = tree.polyline
    for s, path in enumerate(tree.paths):
        where = line.compartment[line.offset[s] : line.offset[s + 1]]
        assert where[0] == tree.sections.first[s] and where[-1] == tree.sections.first[s] + tree.sections.n[s]
        assert (np.diff(where) >= 0).all() and len(where) == len(path.arc)
    assert line.offset[-1] == len(line.xyz) == len(line.diameter) == len(line.id)


def test_branch_orders(base, swc):
    tree = Morphology.from_file(swc(base)).flatten()
    by_id = {int(path.ids[-1]): int(order) for path, order in zip(tree.paths, tree.sections.branch_order)}
    assert by_id == {1: 0, 3: 1, 6: 2, 7: 2, 9: 1}


def test_distances_run_along_the_path(base, swc):
    tree = Morphology.from_file(swc(base)).discretize(n=1).flatten()
    lengths = tree.sections.length
    assert np.allclose(tree.distance, [0, 7, 14 + lengths[2] / 2, 14 + lengths[3] / 2, 17])


def test_arrays_cannot_be_confused_by_a_later_change(base, swc):
    m = Morphology.from_file(swc(base))
    before = m.flatten()
    assert m.flatten() is before
    m.remove("axon")
    assert m.flatten() is not before and before.n == m.flatten().n + 1
