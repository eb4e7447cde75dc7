"""Storage and order of elimination of trees: what a solver relies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_trees import SHAPES, random_forest, random_tree

from rall.model import PADDING
from rall.plugins.cable.tree_layout import LANES, lay_out, pack, reroot

trees = st.builds(
    lambda shape, nodes, seed, junctions: random_tree(shape, nodes, np.random.default_rng(seed), junctions),
    st.sampled_from(SHAPES), st.integers(1, 400), st.integers(0, 2**32 - 1), st.booleans(),
)  # fmt: skip


def edges(parent):
    return {frozenset((k, int(p))) for k, p in enumerate(parent) if p >= 0}


def depths(parent):
    depth = np.zeros(len(parent), int)
    for k in range(len(parent)):
        node = k
        while parent[node] >= 0:
            node = parent[node]
            depth[k] += 1
            assert depth[k] <= len(parent), "a cycle"
    return depth


@settings(max_examples=60, deadline=None)
@given(trees)
def test_rerooting_keeps_the_tree_and_halves_its_depth(tree):
    parent, _ = tree
    new = reroot(parent)
    assert edges(new) == edges(parent)
    assert (new < 0).sum() == 1
    depth = depths(new)
    # The longest path has at most two arms of this length.
    arms = np.sort(depth)[::-1]
    assert depths(parent).max() <= 2 * arms[0] if len(parent) > 1 else depth[0] == 0


@settings(max_examples=60, deadline=None)
@given(trees)
def test_every_node_has_its_own_place_and_compartments_come_first(tree):
    parent, n = tree
    layout = lay_out(parent, n)
    assert len(np.unique(layout.place)) == len(parent)
    assert layout.stored_compartments % PADDING == layout.stored % PADDING == 0
    assert (layout.place[:n] < layout.stored_compartments).all()
    assert (layout.place[n:] >= layout.stored_compartments).all()
    assert layout.spare < layout.stored and layout.spare not in layout.place
    assert sorted(layout.place[:n]) == list(range(n))  # padding lies at the end
    assert layout.stored_compartments - n <= PADDING


@settings(max_examples=60, deadline=None)
@given(trees)
def test_every_node_is_eliminated_once_by_one_of_the_ways(tree):
    parent, n = tree
    layout = lay_out(parent, n)
    pieces = [node for piece in layout.pieces for node in piece.reshape(-1)]
    assert sorted([*pieces, *layout.order]) == list(range(len(parent)))


@settings(max_examples=60, deadline=None)
@given(trees)
def test_elimination_leaves_only_the_couplings_that_the_tables_name(tree):
    """Symbolic elimination: each node has at most the neighbours that its table gives."""
    parent, n = tree
    layout = lay_out(parent, n)
    neighbours = {k: set() for k in range(len(parent))}
    for pair in edges(layout.parent):
        a, b = pair
        neighbours[a].add(b)
        neighbours[b].add(a)

    def eliminate(node, expected):
        around = neighbours.pop(node)
        assert around <= expected, (node, around, expected)
        for one in around:
            neighbours[one].discard(node)
            neighbours[one] |= around - {one}

    for k, piece in enumerate(layout.pieces):
        rows = len(piece)
        assert piece.shape == (rows, LANES) and (piece < n).all()
        around = {node for lane in piece.T for node in (*np.flatnonzero(layout.parent == lane[0]),
                                                        layout.parent[lane[-1]])}  # fmt: skip
        assert around.isdisjoint(piece.reshape(-1).tolist()), "lanes that are eliminated together may not touch"
        for lane in piece.T:
            assert (layout.parent[lane[:-1]] == lane[1:]).all()
            below = set(np.flatnonzero(layout.parent == lane[0]).tolist())
            assert len(below) <= (k < layout.between)
            for row, node in enumerate(lane.tolist()):
                eliminate(node, below | {int(lane[row + 1] if row + 1 < rows else layout.parent[node])})
    for node, above in zip(layout.order.tolist(), layout.above.tolist()):
        eliminate(node, {above})
    assert not neighbours


@settings(max_examples=40, deadline=None)
@given(trees)
def test_tables_point_into_storage(tree):
    parent, n = tree
    layout = lay_out(parent, n)
    coupling = np.arange(layout.stored) + 1.0
    tables = {**layout.tables, "to_below": layout.to_below(coupling)}
    for name in ("order", "parent", "above", "below", "whole_order"):
        assert tables[name].dtype == np.int32
        assert ((tables[name] >= 0) & (tables[name] < layout.stored)).all()
    assert sorted(tables["whole_order"]) == list(range(layout.stored))
    position = np.argsort(tables["whole_order"])
    linked = np.flatnonzero(tables["whole_parent"] >= 0)
    assert (position[linked] < position[tables["whole_parent"][linked]]).all()
    linked = tables["below"][: LANES * layout.between]
    expected = np.where(linked == layout.spare, 0.0, linked + 1.0)
    np.testing.assert_array_equal(tables["to_below"][: len(linked)], expected)
    assert tables["first"].dtype == tables["rows"].dtype == np.int64
    assert (tables["first"] % LANES == 0).all()
    assert tables["to_below"].ctypes.data % 64 == 0 or not len(tables["to_below"])


def test_lanes_of_a_piece_lie_side_by_side():
    layout = lay_out(np.arange(-1, 299), 300)
    assert layout.pieces
    for piece in layout.pieces:
        places = layout.place[piece]
        assert (np.diff(places, axis=1) == 1).all() and (np.diff(places, axis=0) == LANES).all()


@pytest.mark.parametrize("nodes", [10_000])
def test_deep_trees_take_no_recursion_and_little_time(nodes):
    layout = lay_out(np.arange(-1, nodes - 1), nodes)
    assert len(layout.place) == nodes
    assert len(layout.order) < nodes / 4


forests = st.builds(
    lambda trees, seed, alike: random_forest(trees, 60, np.random.default_rng(seed), alike),
    st.integers(1, 12), st.integers(0, 2**32 - 1), st.booleans(),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(forests)
def test_packed_trees_are_eliminated_from_the_leaves(forest):
    parent, n = forest
    layout = pack(parent, n)
    assert len(np.unique(layout.place)) == len(parent)
    assert (layout.place[:n] < layout.stored_compartments - 1).all()  # a spare compartment is left
    assert (layout.place[n:] >= layout.stored_compartments).all() and layout.spare not in layout.place
    done = np.zeros(len(parent), bool)
    node_at = np.full(layout.stored, -1)
    node_at[layout.place] = np.arange(len(parent))
    for piece, first, deep in zip(layout.pieces, layout.first.tolist(), layout.deep.tolist()):
        members = [lane[lane >= 0] for lane in piece.T]
        if deep >= 0:
            under = node_at[deep : deep + LANES]
            assert (under >= n).all() and (piece >= 0).all()
            np.testing.assert_array_equal(parent[under], piece[0])
            for node in under.tolist():
                assert done[parent == node].all()
                done[node] = True
        for lane in members:
            for node in lane.tolist():
                assert done[parent == node].all(), "what hangs on a node is done before it"
                done[node] = True
        inside = piece[piece >= 0]
        rows, lanes = np.nonzero(piece >= 0)
        np.testing.assert_array_equal(layout.place[inside], first + LANES * rows + lanes)
        others = [parent[lane[-1]] for lane in members if len(lane)]
        assert not np.isin(others, inside).any(), "lanes that are eliminated together may not touch"
    assert done.all()


def test_eight_like_trees_fill_all_lanes():
    parent, n = random_forest(8, 200, np.random.default_rng(3), True)
    layout = pack(parent, n)
    assert all((piece >= 0).all() for piece in layout.pieces)
