"""RecordEvents on each device: labels, values, counts and totals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Bench, make_device

from rall.devices.base import Status
from rall.events import Timetable
from rall.model import SHARED, Call, Variable
from rall.recording import Events

PLACE = np.array([5, 0, 9, 2, 7, 1, 3, 11, 4, 8, 6])


def test_values_are_those_at_the_time_of_the_event(device, bench):
    b = bench()
    x, n = b.add("x", np.arange(11.0) / 4), b.add("n", np.arange(11) * 3, "integer")
    on, k = b.add("on", np.arange(11) > 5, "boolean"), b.add("k", np.arange(11)[::-1].copy(), "index")
    s, whole = b.shared("s", 0.5), b.shared("whole", 7, "integer")
    events = b.emit(Timetable([0, 0, 2], [9, 2, 9]))
    b.assign("x = x + 1", "s = s*2", "whole = whole + 1")
    kept = b.keep(events, values=[x, n, on, k, s, whole])
    b.run(device, 4)
    assert kept.log.values().tolist() == [[9, 0], [2, 0], [9, 2]]
    assert kept.log.extras().tolist() == [
        [3.25, 27, 1, 1, 1, 8], [1.5, 6, 0, 8, 1, 8], [5.25, 27, 1, 1, 4, 10],
    ]  # fmt: skip


def test_labels_rename_and_leave_out(device, bench):
    b = bench(place=PLACE)
    x = b.add("x", np.arange(11.0))
    labels = np.full(b.domain.layout.stored, -1)
    labels[PLACE[[2, 8, 5]]] = 0, 1, 2
    counts, total = np.zeros(3, np.int64), b.shared("total", -1.0)
    totals = []
    b.add("hit", True, "boolean")
    events = b.emit("hit", elements=PLACE)
    kept = b.keep(events, labels, values=[x], counts=counts, total=total)
    b.put(Call, function=lambda t: totals.append(total.get()[0]))
    b.run(device, 2)
    # In the order of the events, which is the user's.
    assert kept.log.values().tolist() == [[0, 0], [2, 0], [1, 0], [0, 1], [2, 1], [1, 1]]
    assert kept.log.extras().ravel().tolist() == [2, 5, 8, 2, 5, 8]
    assert counts.tolist() == [2, 2, 2] and totals == [3, 3]


def test_events_can_be_counted_without_being_kept(device, bench):
    b = bench()
    counts, total = np.array([5, 0, 0], np.int64), b.shared("total", 0.0)
    labels = np.arange(16) % 3
    labels[4] = -1
    events = b.emit(Timetable([0, 0, 0, 2, 2], [0, 3, 4, 10, 4]))
    b.keep(events, labels, log=None, counts=counts, total=total)
    totals = []
    b.put(Call, function=lambda t: totals.append(total.get()[0]))
    b.run(device, 4)
    assert counts.tolist() == [7, 1, 0] and totals == [2, 0, 1, 0]


def test_counts_go_on_from_one_program_to_the_next(device, bench):
    b = bench()
    b.add("hit", np.arange(11) < 2, "boolean")
    counts = np.zeros(11, np.int64)
    kept = b.keep(b.emit("hit"), counts=counts)
    b.run(device, 3)
    b.run(device, 5)
    assert counts.tolist() == [5, 5, *[0] * 9] and len(kept.log.values()) == 10
    assert kept.log.values()[:, 1].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_full_logs_are_emptied_and_go_on_with_their_values(device, bench):
    b = bench(size=300)
    x = b.add("x", np.arange(300.0))
    b.add("hit", True, "boolean")
    events = b.emit("hit")
    kept = b.keep(events, np.where(np.arange(304) % 2, -1, np.arange(304)), values=[x])
    assert len(kept.log.buffer) < 40 * 150
    assert b.run(device, 40)[0] is Status.DONE
    values, extras = kept.log.values(), kept.log.extras()
    assert len(values) == len(extras) == 40 * 150
    np.testing.assert_array_equal(values[:, 0], np.tile(np.arange(0, 300, 2), 40))
    np.testing.assert_array_equal(extras[:, 0], values[:, 0])


@pytest.mark.parametrize("name", ["c", "numpy"])
@settings(max_examples=50, deadline=None)
@given(
    happening=st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 10), unique=True), max_size=8),
    labels=st.lists(st.integers(-1, 4), min_size=11, max_size=11),
)
def test_any_events_are_kept_as_a_loop_would(name, happening, labels):
    b = Bench()
    x = b.add("x", np.arange(11.0) ** 2)
    pairs = [(step, element) for step in sorted(happening) for element in happening[step]]
    events = b.emit(Timetable([step for step, _ in pairs], [element for _, element in pairs]))
    counts = np.zeros(5, np.int64)
    kept = b.keep(events, labels, values=[x], counts=counts, total=Variable("total", SHARED))
    b.run(make_device(name), 13)
    seen = [(labels[element], step, element**2) for step, element in pairs if labels[element] >= 0]
    assert kept.log.values().tolist() == [[label, step] for label, step, _ in seen]
    assert kept.log.extras().ravel().tolist() == [value for _, _, value in seen]
    assert counts.tolist() == [sum(label == k for label, _, _ in seen) for k in range(5)]


def test_kept_events_can_be_replaced(bench):
    log = Events(2, 1)
    log.replace(np.array([[1, 2], [3, 4]]), np.array([[0.5], [1.5]]))
    assert log.values().tolist() == [[1, 2], [3, 4]] and log.extras().tolist() == [[0.5], [1.5]]
    log.replace(np.array([[9, 9]]))
    assert log.values().tolist() == [[9, 9]] and log.extras().tolist() == [[0]]
