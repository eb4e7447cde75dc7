"""Record, Check, Call and clocks on each device."""

from __future__ import annotations

import numpy as np
import pytest

from rall.devices.base import Status
from rall.model import Call, Check, Clock, Record
from rall.recording import Table


def rows_of(variable, elements, weights=None, borders=None):
    elements = np.asarray(elements, np.int64)
    weights = np.ones(len(elements)) if weights is None else np.asarray(weights, float)
    borders = np.arange(len(elements) + 1) if borders is None else np.asarray(borders, np.int64)
    return variable, elements, weights, borders


# --- Record ---


def test_rows_hold_weighted_sums_of_several_variables(device, bench):
    b = bench(size=9)
    x, y = b.add("x", np.arange(9.0)), b.add("y", 2.0)
    b.assign("x = x + 1", "y = y*y")
    table = Table(5)
    rows = [rows_of(x, [0, 3, 4, 8], [1.0, 0.25, 0.75, -1.0], [0, 1, 3, 4]), rows_of(y, [5, 0])]
    b.made.append(Record(name="record", clock=b.clock, when="start", rows=rows, table=table))
    b.run(device, 3)
    k = np.arange(3.0)[:, None]
    expected = np.hstack([0 + k, 0.25 * (3 + k) + 0.75 * (4 + k), -(8 + k), 2.0 ** (2**k), 2.0 ** (2**k)])
    np.testing.assert_allclose(table.values(), expected, rtol=1e-15)


def test_rows_hold_sums_over_all_elements(device, bench):
    b = bench(size=11)
    x, y = b.add("x", np.arange(11.0)), b.add("y", 2.0)
    b.assign("x = x + 1", "y = y*y")
    table = Table(8)
    weights = np.random.default_rng(1).normal(size=(4, 5))
    elements = np.array([10, 0, 7, 3])
    rows = [rows_of(y, [5]), (x, elements, weights, None), rows_of(y, [0, 1], borders=[0, 2])]
    rows.append((y, np.array([2, 3]), np.array([[1.0], [-0.5]]), None))
    b.made.append(Record(name="record", clock=b.clock, when="start", rows=rows, table=table))
    b.run(device, 3)
    k = np.arange(3.0)[:, None]
    y = 2.0 ** (2**k)
    expected = np.hstack([y, (elements + k) @ weights, 2 * y, 0.5 * y])
    np.testing.assert_allclose(table.values(), expected, rtol=1e-14)


def test_more_rows_than_a_buffer_holds(device, bench):
    b = bench(size=2000)
    x = b.add("x", np.arange(2000.0))
    b.assign("x = x + 1")
    table = Table(2000)
    b.made.append(Record(name="record", clock=b.clock, when="start", rows=[rows_of(x, np.arange(2000))], table=table))
    assert len(table.buffer) < 100
    b.run(device, 100)
    assert table.values().shape == (100, 2000)
    np.testing.assert_array_equal(table.values()[:, 7], 7 + np.arange(100.0))


def test_a_record_of_nothing_still_counts_steps(device, bench):
    b = bench()
    x = b.add("x", 1.0)
    table = Table(0)
    b.made.append(Record(name="record", clock=b.clock, rows=[rows_of(x, [])], table=table))
    b.run(device, 4)
    assert len(table.values()) == 4


# --- Check ---


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_check_stops_after_the_step_and_names_itself(device, bench, bad):
    b = bench()
    x = b.add("x", np.arange(11.0))
    b.shared("bad", bad)
    b.assign("x = bad if step == 3 and x == 10 else x")
    b.made.append(Check(name="fine", clock=b.clock, order=8, variable=b.add("y", 1.0)))
    check = Check(name="check", clock=b.clock, order=9, variable=x)
    b.made.append(check)
    status, operation = b.run(device, 10)
    assert status is Status.FAILED
    assert operation is check
    assert b.clock.step == 4


@pytest.mark.parametrize(("every", "seen_at"), [(1, 3), (2, 4), (3, 3), (5, 5), (7, 7)])
def test_a_check_looks_only_so_often(device, bench, every, seen_at):
    """What goes wrong in step 3 is seen in the first multiple from there on."""
    b = bench()
    x = b.add("x", 1.0)
    b.shared("bad", np.nan)
    b.assign("x = bad if step == 3 else x")
    check = b.put(Check, variable=x, every=every)
    status, operation = b.run(device, 20)
    assert status is Status.FAILED and operation is check
    assert b.clock.step == seen_at + 1


def test_a_check_misses_what_has_passed_when_it_looks(device, bench):
    b = bench()
    x = b.add("x", 1.0)
    b.shared("bad", np.inf)
    b.assign("x = bad if step%4 == 1 else 2.0")
    b.put(Check, variable=x, every=4)
    assert b.run(device, 20)[0] is Status.DONE


@pytest.mark.parametrize("size", [1, 8, 15, 16, 17, 24, 40, 100])
def test_a_check_sees_every_element(device, bench, size):
    for element in {0, size // 2, size - 1}:
        b = bench(size=size)
        x = b.add("x", np.where(np.arange(size) == element, np.nan, 1.0))
        b.put(Check, variable=x)
        assert b.run(device)[0] is Status.FAILED


def test_large_values_are_no_failure(device, bench):
    b = bench()
    x = b.add("x", 1.7e308)
    b.assign("x = -x")
    b.made.append(Check(name="check", clock=b.clock, variable=x))
    assert b.run(device, 3)[0] is Status.DONE


# --- Call, and the order of things ---


def test_python_is_called_at_its_place_in_the_step(device, bench):
    b = bench()
    x = b.add("x", 1.0)
    seen = []

    def double(t):
        seen.append((t, x.get()[0]))
        x.array[:] *= 2

    b.assign("x = x + 1")
    b.made.append(Call(name="call", clock=b.clock, order=1, function=double))
    last = b.assign("x = x + 10", name="later")
    last.order = 2
    b.run(device, 2)
    assert seen == [(0.0, 2.0), (0.5, 15.0)]
    assert set(b.values("x")) == {40.0}


def test_operations_run_by_slot_order_and_name(device, bench):
    b = bench()
    b.add("x", 1.0)
    for name, when, order, text in (
        ("b", "groups", 0, "x = 2*x"), ("a", "groups", 0, "x = x + 1"), ("c", "start", 9, "x = x - 3"),
        ("d", "after_groups", -5, "x = x*x"), ("e", "before_groups", 5, "x = 10*x"),
    ):  # fmt: skip
        operation = b.assign(text, name=name)
        operation.when, operation.order = when, order
    b.run(device)
    assert set(b.values("x")) == {float((2 * ((1 - 3) * 10 + 1)) ** 2)}


def test_clocks_fire_together_where_their_times_meet(device, bench):
    b = bench(dt=0.1)
    slow = Clock(0.3, "slow")
    log = b.add("log", 0.0)
    b.shared("fast_seen", 0.0)
    b.assign("fast_seen = step")
    operation = b.assign("log = 100*log + fast_seen + 10*k", name="slow")
    operation.clock, operation.order = slow, 5
    operation.bindings = {"log": log, "fast_seen": b.variables["fast_seen"], "k": slow.step_variable}
    b.run(device, 12)
    assert slow.step == 4 and b.clock.step == 12
    expected = 0.0
    for k, fast in enumerate((0, 3, 6, 9)):
        expected = 100 * expected + fast + 10 * k
    assert set(b.values("log")) == {expected}


def test_a_program_goes_on_where_it_stopped(device, bench):
    b = bench()
    b.add("x", 0.0)
    b.assign("x = x + t")
    program = b.program(device)
    ends = {id(b.clock): 10}
    assert program.advance(ends, 4)[0] is Status.PAUSED
    assert b.clock.step == 4
    assert program.advance(ends, 100)[0] is Status.DONE
    assert set(b.values("x")) == {0.5 * 45}
    assert program.advance(ends, 100)[0] is Status.DONE
    assert b.clock.step == 10
    assert program.advance({id(b.clock): 11}, 100)[0] is Status.DONE
    assert b.clock.step == 11


def test_stop_from_a_python_call_ends_after_the_step(device, bench):
    b = bench()
    b.add("x", 0.0)
    b.made.append(Call(name="a", clock=b.clock, function=lambda t: None))
    b.assign("x = x + 1")
    program = b.program(device)
    ends = {id(b.clock): 10}
    assert program.advance(ends, 5)[0] is Status.CALL
    assert program.advance(ends, 0)[0] is Status.PAUSED
    assert set(b.values("x")) == {1.0}
