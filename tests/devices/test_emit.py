"""Emit on each device: conditions, and events whose times are known."""

from __future__ import annotations

import numpy as np
import pytest

from rall.devices.base import Status
from rall.events import EventList, Timetable
from rall.model import Call
from rall.recording import Events

PLACE = np.array([5, 0, 9, 2, 7, 1, 3, 11, 4, 8, 6])


def seen(b, events):
    """The events of every step, filled while a program runs."""
    found = []
    b.put(Call, function=lambda t: found.append(events.present.tolist()))
    return found


# --- conditions ---


def test_events_are_reported_with_labels_and_steps(device, bench):
    b = bench(place=PLACE)
    b.add("x", np.arange(11.0))
    b.add("hit", False, "boolean")
    # In step k the element with x = k fires, and the last one always.
    b.assign("hit = x == step or x == 10")
    elements = b.domain.layout.index(np.array([0, 2, 10]))
    labels = np.full(b.domain.layout.stored, -1)
    labels[elements] = 100, 102, 110
    kept = b.keep(b.emit("hit", elements=elements, most=3), labels)
    b.run(device, 4)
    expected = [[100, 0], [110, 0], [110, 1], [102, 2], [110, 2], [110, 3]]
    assert kept.log.values().tolist() == expected


@pytest.mark.parametrize("size", [1, 7, 8, 31, 32, 33, 63, 64, 65, 95, 96, 97, 1000])
@pytest.mark.parametrize("density", [0.0, 0.04, 0.5, 1.0])
def test_all_elements_are_looked_at_and_nothing_behind_them(device, bench, size, density):
    rng = np.random.default_rng(size)
    hit = rng.random(size) < density
    if 0 < density < 1:
        hit[[0, -1]] = True
    b = bench(size=size)
    b.add("hit", hit, "boolean").array[size:] = True  # padding
    events = b.emit("hit")
    found = seen(b, events)
    b.run(device, 2)
    assert found == [np.flatnonzero(hit).tolist()] * 2


def test_each_block_of_elements_alone_is_found(device, bench):
    """Blocks of eight bytes and of 32 are skipped where nothing happens, and only there."""
    b = bench(size=130)
    b.add("x", np.arange(130.0))
    b.add("hit", False, "boolean")
    b.assign("hit = x == step")
    events = b.emit("hit")
    found = seen(b, events)
    b.run(device, 131)
    assert found == [[k] for k in range(130)] + [[]]


def test_chosen_elements_come_in_their_own_order_under_what_is_reported(device, bench):
    b = bench()
    b.add("hit", np.arange(11) != 4, "boolean")
    chosen = np.array([9, 4, 0, 7])
    plain = seen(b, b.emit("hit", elements=chosen, most=4))
    renamed = seen(b, b.emit("hit", elements=chosen, reported=np.array([3, 2, 1, 0]), most=4))
    strided = seen(b, b.emit("hit", elements=np.array([9, -1, 4, -1, 0, -1])[::2], most=3))
    b.run(device, 1)
    assert (plain, renamed, strided) == ([[9, 0, 7]], [[3, 1, 0]], [[9, 0]])


def test_no_elements_give_no_events(device, bench):
    b = bench()
    b.add("hit", True, "boolean")
    kept = b.keep(b.emit("hit", elements=np.zeros(0, np.int64), most=0))
    b.run(device, 3)
    assert kept.log.values().shape == (0, 2)


def test_a_list_holds_the_events_of_one_step_alone(device, bench):
    b = bench()
    b.add("x", np.arange(11.0))
    b.add("hit", False, "boolean")
    b.assign("hit = x >= 2 and step == 1")
    found = seen(b, b.emit("hit"))
    b.run(device, 3)
    assert found == [[], list(range(2, 11)), []]


def test_event_buffers_are_emptied_when_they_are_full(device, bench):
    b = bench(size=700)
    b.add("hit", True, "boolean")
    kept = b.keep(b.emit("hit"))
    status, _ = b.run(device, 10)
    assert status is Status.DONE
    values = kept.log.values()
    assert len(values) == 7000
    np.testing.assert_array_equal(values[:, 1], np.repeat(np.arange(10), 700))
    np.testing.assert_array_equal(values[:, 0], np.tile(np.arange(700), 10))


# --- timetables ---


def played(b, device, table, steps, most=20):
    """What a timetable gives in each of some steps, from the present one on."""
    b.made.clear()
    found = seen(b, b.emit(table, most))
    b.run(device, b.clock.step + steps)
    return found


def test_a_timetable_gives_events_at_their_steps(device, bench):
    steps, elements = [0, 0, 3, 4, 4, 4, 9], [7, 2, 2, 0, 1, 2, 7]
    expected = [[7, 2], [], [], [2], [0, 1, 2], [], [], [], [], [7], [], []]
    assert played(bench(), device, Timetable(steps, elements), 12) == expected


def test_an_empty_timetable_gives_nothing(device, bench):
    for period in (0, 3):
        assert played(bench(), device, Timetable([], [], period), 7) == [[]] * 7


@pytest.mark.parametrize("period", [1, 2, 5, 6, 11])
def test_a_timetable_with_a_period_begins_again(device, bench, period):
    steps = np.array([0, 0, 3, 5, 10])
    kept = steps < period
    elements = np.array([4, 1, 2, 3, 0])
    expected = [elements[kept & (steps == k % period)].tolist() for k in range(40)]
    assert played(bench(), device, Timetable(steps[kept], elements[kept], period), 40) == expected


@pytest.mark.parametrize("period", [0, 7])
def test_a_second_program_goes_on_in_a_timetable(device, bench, period):
    rng = np.random.default_rng(3)
    steps = np.sort(rng.integers(0, period or 30, 12))
    elements = rng.integers(0, 9, 12)
    table = Timetable(steps, elements, period)
    expected = [elements[steps == (k % period if period else k)].tolist() for k in range(30)]
    b = bench()
    assert [*played(b, device, table, 4), *played(b, device, table, 1), *played(b, device, table, 25)] == expected


@pytest.mark.parametrize("period", [0, 7])
def test_a_timetable_follows_a_clock_that_is_set(device, bench, period):
    """As after `restore`, or where steps were left out."""
    steps, elements = np.array([0, 2, 2, 5, 6]), np.array([3, 1, 0, 2, 4])
    b, table = bench(), Timetable(steps, elements, period)
    for start in (0, 5, 2, 1, 6, 0, 3):
        b.clock.step = start
        expected = [elements[steps == (k % period if period else k)].tolist() for k in range(start, start + 3)]
        assert played(b, device, table, 3) == expected


def test_lists_and_logs_have_room_for_what_was_said(bench):
    assert len(EventList(0).elements) == 1 and EventList(5).present.tolist() == []
    assert Events(3, 2).extras().shape == (0, 2)
