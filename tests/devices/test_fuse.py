"""Operations that become one: the same results, whatever stands between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Bench, make_device

from rall import pipeline
from rall.devices.numpy import NumpyDevice
from rall.ir.parse import parse
from rall.model import SHARED, Access, Call, Check, Clock, Domain, Elementwise, Layout, Record, Reduce, Variable
from rall.options import Options
from rall.recording import Table
from rall.schedule import Schedule, fuse

#: Without it, equal rates in two operations that became one share an exponential, which changes last digits.
PLAIN = Options(share_exponentials=False)


def kinds(b):
    """The operations of a bench as they are after fusing."""
    program = b.program(NumpyDevice(Options()))
    return [type(op).__name__ for op in program.schedule.operations]


def narrow(b, *lines, **more):
    """An operation that is bound to nothing but what it names."""
    operation = b.assign(*lines, **more)
    operation.bindings = b.named(b.variables, operation.statements)
    return operation


def apart(monkeypatch):
    monkeypatch.setattr(pipeline, "fuse", lambda schedule: schedule)


# --- what becomes one ---


def neurons(b):
    """An update, a threshold and a second condition, as a group of neurons makes them."""
    b.add("v", np.linspace(-1, 1, 11))
    b.add("hit", False, "boolean")
    b.add("other", False, "boolean")
    narrow(b, "v = v*0.9 + dt").when = "groups"
    narrow(b, "hit = v > 0.3").when = "thresholds"
    events = b.emit("hit")
    b.made[-1].when = "thresholds"
    narrow(b, "other = v < -0.2").when = "thresholds"
    more = b.emit("other")
    b.made[-1].when = "thresholds"
    b.deliver(events, "v = v - 1").when = "resets"
    return events, more


def test_a_threshold_is_looked_at_in_the_update(bench):
    b = bench()
    neurons(b)
    assert kinds(b) == ["Elementwise", "Emit", "Emit", "Deliver"]


def test_what_reads_what_a_reset_changes_stays_behind_it(bench):
    b = bench()
    neurons(b)
    narrow(b, "other = v > 0").when = "end"
    assert kinds(b) == ["Elementwise", "Emit", "Emit", "Deliver", "Elementwise"]


def two(b, first="x = x + 1", second="y = x*2"):
    b.add("x", 1.0)
    b.add("y", 2.0)
    b.add("z", 3.0)
    b.shared("s", 1.0)
    operations = narrow(b, first), narrow(b, second)
    return operations


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("x = x + 1", "y = x*2", True), ("x = x + 1", "x = x*2", True), ("x = y", "y = x", True),
        ("x = 1", "y = 2", True), ("s = s + 1", "x = x*s", False), ("x = x*s", "s = s + 1", True),
        ("s = s + 1", "x = x + 1", True), ("s = s + 1", "s = s*2", False),
    ],
)  # fmt: skip
def test_shared_values_are_there_when_they_are_needed(device, bench, monkeypatch, first, second, together):
    b = bench()
    two(b, first, second)
    assert kinds(b) == ["Elementwise"] * (1 if together else 2)
    b.run(device, 3, PLAIN)
    apart(monkeypatch)
    other = bench()
    two(other, first, second)
    other.run(device, 3, PLAIN)
    for name in "xyzs":
        np.testing.assert_array_equal(b.values(name), other.values(name))


def test_masks_clocks_and_domains_keep_operations_apart(bench):
    b = bench()
    two(b)[1].mask = parse("x > 0").node
    assert len(kinds(b)) == 2
    b = bench()
    two(b)[1].clock = Clock(1.0, "other")
    assert len(kinds(b)) == 2
    b = bench()
    two(b)
    elsewhere = Domain("elsewhere", Layout(11))
    b.add("far", 0.0, domain=elsewhere)
    narrow(b, "far = 1", domain=elsewhere)
    assert len(kinds(b)) == 2


def test_nothing_passes_python(bench):
    b = bench()
    b.add("x", 1.0)
    b.add("y", 1.0)
    narrow(b, "x = x + 1")
    b.put(Call, function=lambda t: None)
    narrow(b, "y = y + 1")
    assert kinds(b) == ["Elementwise", "Call", "Elementwise"]


def test_readers_hold_back_writers_only(bench):
    def made(target):
        b = bench()
        x = b.add("x", 1.0)
        b.add("y", 1.0)
        narrow(b, "y = y + 1")
        rows = [(x, np.array([0]), np.ones(1), np.array([0, 1]))]
        b.put(Record, rows=rows, table=Table(1))
        b.put(Check, variable=x)
        narrow(b, f"{target} = y")
        return kinds(b)

    b = bench()
    b.add("z", 1.0)
    assert made("y") == ["Elementwise", "Record", "Check"]
    assert made("x") == ["Elementwise", "Record", "Check", "Elementwise"]


def test_sums_are_taken_before_what_they_go_into(bench):
    b = bench()
    index = b.add("to", np.arange(11), "index")
    x, total = b.add("x", 1.0), b.add("total", 0.0)
    b.add("y", 0.0)
    narrow(b, "x = x + 1")
    b.put(Reduce, values=x, index=index, target=total)
    narrow(b, "y = total")
    assert kinds(b) == ["Elementwise", "Reduce", "Elementwise"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("x = x + 1", "y = seen"), ("y = seen", "x = x + 1"), ("seen = y", "z = x"), ("z = x", "seen = y"),
     ("seen = y", "x = 2*x"), ("x = 2*x", "seen = y"), ("seen = y", "seen = z")],
)  # fmt: skip
def test_what_is_seen_through_a_map_is_complete(device, bench, monkeypatch, first, second):
    """The map leads from the elements to themselves, in another order."""

    def build():
        b = bench()
        for k, name in enumerate("xyz"):
            b.add(name, np.arange(11.0) + 100 * k)
        index = b.add("index", np.arange(11)[::-1].copy(), "index")
        index.array[11:] = 11
        b.variables["seen"] = Access(b.variables["x"], index)
        narrow(b, first)
        narrow(b, second)
        return b

    b = build()
    b.run(device, 2, PLAIN)
    apart(monkeypatch)
    other = build()
    other.run(device, 2, PLAIN)
    for name in "xyz":
        np.testing.assert_array_equal(b.values(name), other.values(name))


def test_names_may_mean_other_things_in_each(device, bench):
    """The second calls x what is y in the first, and has a local of a name that is a variable there."""
    b = bench()
    x, y = b.add("x", np.arange(11.0)), b.add("y", 1.0)
    out = b.add("out", 0.0)
    narrow(b, "h = x + 1", "x = h*2")
    second = b.assign("y = x + 0.5", "h = y*3", "z = h")
    second.bindings = {"x": y, "h": x, "z": out}
    assert kinds(b) == ["Elementwise"]
    b.run(device)
    np.testing.assert_array_equal(b.values("x"), np.full(11, 4.5))
    np.testing.assert_array_equal(b.values("out"), np.full(11, 4.5))
    np.testing.assert_array_equal(b.values("y"), np.full(11, 1.0))


def test_of_two_names_of_a_variable_that_which_is_assigned_is_seen(device, bench):
    b = bench()
    x = b.add("x", 1.0)
    b.add("y", 0.0)
    b.variables["same"] = x
    narrow(b, "x = x + 1", "y = same")
    second = narrow(b, "y = y + 10*x")
    assert set(second.bindings) == {"x", "y"}
    b.run(device)
    assert set(b.values("y")) == {21.0}


# --- any schedule at all ---

OWN, SHARED_NAMES = ("a", "b", "c"), ("p", "q")
VALUES = st.sampled_from(
    ["{0} + {1}", "{0}*0.5 - {1}", "clip({0}, -2, 2)*{1}", "{0} if {1} > 0.5 else 1 - {0}", "h + {0}", "int({0} > {1})",
     "rand() + {0}", "{0} - randn()*0.1"]
)  # fmt: skip
READ = st.sampled_from([*OWN, *SHARED_NAMES, "far_a", "near_b", "t"])


@st.composite
def line(draw):
    kind = draw(st.sampled_from(["own"] * 6 + ["shared", "scatter", "local"]))
    if kind == "shared":
        one, other = (draw(st.sampled_from([*SHARED_NAMES, "t"])) for _ in range(2))
        return f"{draw(st.sampled_from(SHARED_NAMES))} = {one}*0.5 + {other} + 1"
    target = {"own": draw(st.sampled_from(OWN)), "scatter": "near_b", "local": "h"}[kind]
    value = draw(VALUES).format(draw(READ), draw(READ))
    return f"{target} = {value}"


@st.composite
def schedules(draw):
    """Operations of one to three lines with their slot and clock; a local has a value before it is used."""
    made = []
    for _ in range(draw(st.integers(2, 7))):
        lines = draw(st.lists(line(), min_size=1, max_size=3))
        # What is reached through a map is added to, so it cannot be read in the lines after that.
        added = sum(text.startswith("near_b") for text in lines)
        if added and " ".join(lines).count("near_b") > 1:
            lines = ["h = a", "c = h*2"]
        slot = draw(st.sampled_from(["start", "groups", "groups", "thresholds", "end"]))
        made.append((["h = 0.25", *lines], slot, draw(st.booleans())))
    return made


def build(bench, operations):
    b = bench(size=5)
    b.draws()
    rng = np.random.default_rng(1)
    for name in OWN:
        b.add(name, rng.normal(size=5))
    for name in SHARED_NAMES:
        b.shared(name, rng.normal())
    far = Variable("far", Domain("far", Layout(9)))
    far.set(rng.normal(size=9))
    index = b.add("index", np.array([8, 0, 3, 3, 1]), "index")
    around = b.add("around", np.array([1, 2, 3, 4, 0]), "index")
    around.array[5:] = 5
    b.variables |= {"far_a": Access(far, index), "near_b": Access(b.variables["b"], around)}
    slow = Clock(2 * b.dt, "slow")
    for lines, slot, is_slow in operations:
        operation = narrow(b, *lines)
        operation.when = slot
        if is_slow and not any("rand" in text for text in lines):
            operation.clock = slow
    return b


@settings(max_examples=150, deadline=None)
@given(operations=schedules())
def test_results_are_those_of_operations_apart(operations):
    results = []
    for how in (fuse, lambda schedule: schedule):
        b = build(Bench, operations)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline, "fuse", how)
            b.run(make_device("numpy"), 4, PLAIN)
        results.append({name: b.values(name) for name in (*OWN, *SHARED_NAMES)})
    for name, values in results[0].items():
        np.testing.assert_array_equal(values, results[1][name], err_msg=name)


def test_the_random_schedules_do_have_operations_to_fuse():
    """Else the test before says nothing."""
    found = []

    @settings(max_examples=60, deadline=None, database=None)
    @given(operations=schedules())
    def count(operations):
        b = build(Bench, operations)
        made = tuple(sorted(b.made, key=lambda op: ("start", "groups", "thresholds", "end").index(op.when)))
        found.append(len(made) - len(fuse(Schedule(made, ())).operations))

    count()
    assert sum(n > 0 for n in found) > len(found) / 3


def test_operations_know_what_they_touch(bench):
    b = bench()
    operation = two(b)[1]
    x, y = b.variables["x"], b.variables["y"]
    assert isinstance(operation, Elementwise)
    assert operation.accesses().writes == {y.address}
    assert operation.accesses().reads == {x.address, y.address}
    assert operation.accesses().mapped == frozenset()
    assert b.put(Call, function=print).accesses() is None
    assert SHARED.size == 1
