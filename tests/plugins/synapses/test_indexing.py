"""Which synapses an index means, and how many there are of each neuron."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import EquationError, IndexOutOfRangeError, RallError
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.simulation import Network
from rall.units import ms


@pytest.fixture
def synapses():
    made = Synapses(NeuronGroup(4, "v : 1"), NeuronGroup(3, "q : 1"), "w : 1")
    made.connect()
    made.w = "10*i + j"
    return made


INDICES = [
    ((1, 2), [12]), ((1, slice(None)), [10, 11, 12]), ((slice(None), 1), [1, 11, 21, 31]),
    ((slice(1, 3), slice(0, 2)), [10, 11, 20, 21]), (([0, 3], slice(None)), [0, 1, 2, 30, 31, 32]),
    ((np.array([1, 2]), np.array([0, 1])), [10, 11, 20, 21]), ("i == j", [0, 11, 22]), (slice(2, 5), [2, 10, 11]),
    ([-1, 0], [32, 0]), ((-1, -1), [32]), ("w > 25 and j != 1", [30, 32]), ("i + j == 77", []),
]  # fmt: skip


@pytest.mark.parametrize(("index", "expected"), INDICES)
def test_reading_and_setting(synapses, index, expected):
    assert np.atleast_1d(synapses.w[index]).tolist() == expected
    assert synapses.w[synapses.indices[index]].tolist() == expected
    before = synapses.w[:]
    chosen = np.isin(before, expected)
    synapses.w[index] = "-1 - w"
    assert synapses.w[:].tolist() == np.where(chosen, -1 - before, before).tolist()
    synapses.w = before
    synapses.w[index] = -1 - np.array(expected)
    assert synapses.w[:].tolist() == np.where(chosen, -1 - before, before).tolist()


def test_sources_and_targets(synapses):
    assert synapses.i[2:5].tolist() == [0, 1, 1] and synapses.j[1, :].tolist() == [0, 1, 2]
    assert (len(synapses), synapses.N, synapses.N_pre, synapses.N_post) == (12, 12, 4, 3)
    assert synapses.w[3] == 10


@pytest.mark.parametrize("index", [(4, 0), (0, 3), 12, (0, 0, 0), (-5, 0)])
def test_what_is_not_there(synapses, index):
    with pytest.raises((IndexOutOfRangeError, RallError)):
        synapses.w[index]


def test_a_value_is_no_condition(synapses):
    with pytest.raises(EquationError, match="chooses no"):
        synapses.w["i + j"]


def test_several_synapses_of_one_pair(target):
    group = NeuronGroup(2, "v : 1")
    synapses = Synapses(group, group, "w : 1", multisynaptic_index="k")
    synapses.connect(i=[0, 0, 1, 0, 1], j=[1, 1, 0, 0, 0])
    assert synapses.k[:].tolist() == [0, 1, 0, 0, 1]
    synapses.w = "10*i + k"
    assert synapses.w[0, 1].tolist() == [0, 1] and synapses.w[0, 1, 1] == 1
    assert synapses.w[:, :, 1].tolist() == [1, 11] and synapses.w["k == 1"].tolist() == [1, 11]
    synapses.w[1, 0, 1] = 7
    synapses.connect("i == j", n=2)
    assert synapses.k[:].tolist() == [0, 1, 0, 0, 1, 1, 2, 0, 1]
    assert synapses.w[:].tolist() == [0, 1, 10, 0, 7, 0, 0, 0, 0]
    with pytest.raises(RallError, match="multisynaptic_index"):
        Synapses(group, group, "w : 1").w[0, 1, 1]


@pytest.mark.parametrize("parts", [False, True])
def test_synapses_of_each_neuron(parts):
    left, right = NeuronGroup(6, "v : 1"), NeuronGroup(4, "v : 1")
    synapses = Synapses(left[1:5] if parts else left, right[1:] if parts else right, "w : 1")
    synapses.connect("i >= j")
    i, j = synapses.i[:], synapses.j[:]
    outgoing, incoming = np.bincount(i), np.bincount(j)
    assert synapses.N_outgoing_pre.tolist() == outgoing.tolist()
    assert synapses.N_incoming_post.tolist() == incoming.tolist()
    assert synapses.N_outgoing[:].tolist() == outgoing[i].tolist()
    assert synapses.N_incoming[:, 1].tolist() == [incoming[1]] * incoming[1]
    synapses.w = "N_incoming + 10*N_outgoing"
    assert synapses.w[:].tolist() == (incoming[j] + 10 * outgoing[i]).tolist()


def test_parts_of_synapses(synapses, target):
    part, diagonal = synapses[1:3, 2], synapses["i == j"]
    assert part.w[:].tolist() == [12, 22] and len(diagonal) == 3
    monitors = [StateMonitor(synapses, "w", record=each) for each in (part, diagonal, [0, 11], True)]
    Network(synapses, synapses.source, synapses.target, *monitors).run(0.1 * ms)
    assert [m.w[:, 0].tolist() for m in monitors[:3]] == [[12, 22], [0, 11, 22], [0, 32]]
    assert monitors[3].w.shape == (12, 1)
    diagonal.w = "-i"
    assert synapses.w["i == j"].tolist() == [0, -1, -2]
