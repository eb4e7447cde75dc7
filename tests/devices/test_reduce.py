"""Reduce on each device: sums over a map, in the order of the elements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Bench, make_device

from rall.model import Domain, Layout, Reduce, Variable


def test_sums_replace_what_was_there(device, bench):
    b = bench(size=5)
    w = b.add("w", [1.0, 2.0, 4.0, 8.0, 16.0])
    target = Variable("target", Domain("targets", Layout(4)))
    target.array[:] = 99.0
    b.put(Reduce, values=w, index=b.add("to", [3, 0, 3, 1, 0], "index"), target=target)
    b.assign("w = 2*w")
    b.run(device, 3)
    np.testing.assert_array_equal(target.get(), [4 * 18.0, 4 * 8.0, 0.0, 4 * 5.0])
    np.testing.assert_array_equal(target.array[4:], 0.0)  # padding has no share


def test_storage_of_the_target_in_any_order(device, bench):
    b = bench(size=4)
    place = np.array([2, 0, 9, 1])
    target = Variable("target", Domain("targets", Layout(4, place, 16)))
    b.put(Reduce, values=b.add("w", [1.0, 2.0, 3.0, 4.0]), index=b.add("to", place[[0, 2, 2, 1]], "index"),
          target=target)  # fmt: skip
    b.run(device)
    assert target.get().tolist() == [1, 4, 5, 0]


def test_nothing_to_sum_is_zero(device, bench):
    b = bench(size=0)
    target = Variable("target", Domain("targets", Layout(3)))
    target.set(5.0)
    b.put(Reduce, values=b.add("w", 0.0), index=b.add("to", 0, "index"), target=target)
    b.run(device)
    assert target.get().tolist() == [0, 0, 0]


def test_padding_of_what_is_summed_does_not_count(device, bench):
    b = bench(size=3)
    w = b.add("w", 1.0)
    target = Variable("target", Domain("targets", Layout(1)))
    b.put(Reduce, values=w, index=b.add("to", 0, "index"), target=target)
    b.run(device)
    assert len(w.array) == 8 and target.get().tolist() == [3]


@pytest.mark.parametrize("name", ["c", "numpy"])
@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.floats(-1e3, 1e3)), max_size=40))
def test_sums_are_those_of_a_loop_to_the_last_bit(name, pairs):
    b = Bench(size=len(pairs))
    target = Variable("target", Domain("targets", Layout(6)))
    w, to = b.add("w", [value for _, value in pairs]), b.add("to", [k for k, _ in pairs], "index")
    b.put(Reduce, values=w, index=to, target=target)
    b.run(make_device(name))
    expected = [0.0] * 6
    for k, value in pairs:
        expected[k] += value
    assert target.get().tolist() == expected
