"""Parts of groups: numbers of their own, values, parts of parts, spikes."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import IndexOutOfRangeError, RallError
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.simulation import Network
from rall.units import ms


@pytest.fixture
def group():
    made = NeuronGroup(10, "v : 1\ns : 1 (shared)\nk : integer\nw = 2*v : 1", threshold="t_in_timesteps == k")
    made.v, made.k = "i", "i + 1"
    return made


def test_parts_of_parts(group):
    part = group[2:8]
    inner = part[1:4]
    assert (len(part), part.N, part.start, part.stop, inner.start, inner.stop) == (6, 6, 2, 8, 3, 6)
    assert part.v[:].tolist() == [2, 3, 4, 5, 6, 7] and inner.w[:].tolist() == [6, 8, 10]
    assert part.i[:].tolist() == [0, 1, 2, 3, 4, 5]


def test_texts_see_the_numbers_of_the_part(group):
    part = group[2:8]
    part.v = "i*100 + N"
    part[1:4].v = "-i"
    part[1:4].v["i == 1"] = 55
    assert group.v[:].tolist() == [0, 1, 6, 0, 55, -2, 406, 506, 8, 9]
    assert part.v["i > 3"].tolist() == [406, 506] and part.v["v < 0"].tolist() == [-2]
    part.v[0], part.v[1:3] = 9, [7, 8]
    part.v += 1
    assert group.v[1:6].tolist() == [1, 10, 8, 9, -1]
    part.s = 4
    assert group.s == 4 and part.s == 4


def test_other_ways_to_name_a_part(group):
    assert group[-3:].v[:].tolist() == [7, 8, 9] and group[3].v[:].tolist() == [3]
    assert group[[2, 4, 7]].v[:].tolist() == [2, 4, 7] and group["v > 7"].v[:].tolist() == [8, 9]


@pytest.mark.parametrize("item", [slice(5, 12), slice(5, 5), slice(8, 3), 10, [3, 11], slice(-12, 3)])
def test_what_lies_outside(group, item):
    with pytest.raises(IndexOutOfRangeError):
        group[item]
    with pytest.raises(IndexOutOfRangeError):
        group[1:9][item]


def test_values_must_fit(group):
    with pytest.raises(RallError, match="one value or 2"):
        group[2:4].v = [1, 2, 3]
    with pytest.raises(AttributeError, match="did you mean 'v'"):
        group[2:4].vv = 3


def test_monitors_number_the_elements_of_the_part(group, target):
    spikes, trace = SpikeMonitor(group[2:5]), StateMonitor(group[2:5], "w", record=[0, 2])
    Network(group, spikes, trace).run(1 * ms)
    assert spikes.i.tolist() == [0, 1, 2] and (spikes.t / ms) == pytest.approx([0.3, 0.4, 0.5])
    assert trace.w[:, 0].tolist() == [4, 8]


def test_random_values_of_a_part_are_those_of_its_elements(group):
    group[2:6].v = "rand()"
    values = group.v[2:6]
    assert len(set(values)) == 4 and (np.abs(values - 0.5) < 0.5).all()
