"""Deliver on each device, against a loop in Python: bit for bit, in the order that is promised."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Bench, make_device

from rall.devices.compiler import find_compiler
from rall.errors import RallError
from rall.events import EventQueue, Timetable
from rall.model import Access, Domain, Layout
from rall.options import Options

#: The same bits as in Python: no contraction of products and sums.
EXACT = Options(reproducible=True)


@dataclass
class Net:
    """Sources, synapses and targets, and the statements of an event."""

    sources: list[int]
    targets: list[int]
    delays: object
    events: dict[int, list[int]]
    code: tuple[str, ...]
    n_sources: int = 6
    n_targets: int = 4
    steps: int = 20

    def values(self):
        """Initial values: of synapses, of sources, of targets, of all."""
        rng = np.random.default_rng(5)
        n = len(self.sources)
        return {
            "w": rng.normal(size=n), "n": np.arange(n), "on": rng.random(n) < 0.5,
            "x": rng.normal(size=self.n_sources), "y": rng.normal(size=self.n_targets),
            "z": np.arange(self.n_targets), "flag": rng.random(self.n_targets) < 0.5, "s": np.array([0.625]),
        }  # fmt: skip

    def table(self):
        steps = [(step, source) for step in sorted(self.events) for source in self.events[step]]
        return Timetable([step for step, _ in steps], [source for _, source in steps])

    def queue(self, pending=None, now=0):
        delays = np.asarray(self.delays)
        delays = int(delays) if delays.ndim == 0 else delays
        return EventQueue(np.array(self.sources, np.int32), delays, self.n_sources, pending, now)

    def bench(self, queue):
        """A bench with one delivery through a queue."""
        b = Bench(size=self.n_sources)
        synapses = Domain("synapses", Layout(len(self.sources)))
        targets = Domain("targets", Layout(self.n_targets))
        where = {"w": synapses, "n": synapses, "on": synapses, "y": targets, "z": targets, "flag": targets}
        kinds = {"n": "integer", "z": "integer", "on": "boolean", "flag": "boolean"}
        for name, values in self.values().items():
            if name == "s":
                b.shared("s", values[0])
            else:
                b.add(name, values, kinds.get(name, "float"), where.get(name))
        pre = b.add("pre", self.sources, "index", synapses)
        post = b.add("post", self.targets, "index", synapses)
        through = {"x": Access(b.variables["x"], pre)}
        through |= {name: Access(b.variables[name], post) for name in ("y", "z", "flag")}
        b.net = (b.emit(self.table(), most=self.n_sources), synapses, through)
        self.connect(b, queue)
        return b

    def connect(self, b, queue):
        events, synapses, through = b.net
        del b.made[1:]
        b.deliver(events, *self.code, queue=queue, domain=synapses, **through)

    def expected(self):
        """The loop in Python: values at the end, and which synapses were reached in each step."""
        values = self.values()
        delays = np.broadcast_to(self.delays, len(self.sources)).tolist()
        under_way: list[tuple[int, int]] = []
        reached = []
        for step in range(self.steps):
            under_way += [(step, source) for source in self.events.get(step, ())]
            reached.append([
                k for began, source in under_way for k in range(len(self.sources))
                if self.sources[k] == source and began + delays[k] == step
            ])  # fmt: skip
            for k in reached[-1]:
                self._once(values, k)
        return values, reached

    def _once(self, values, k):
        index = {"w": k, "n": k, "on": k, "x": self.sources[k], "s": 0}
        index |= dict.fromkeys(("y", "z", "flag"), self.targets[k])
        scope = {name: values[name][i].item() for name, i in index.items()}
        for line in self.code:
            target, _, text = line.partition(" = ")
            scope[target] = eval(text, {}, scope)
        for name, i in index.items():
            values[name][i] = scope[name]


def compare(b, net):
    for name, values in net.expected()[0].items():
        np.testing.assert_array_equal(b.values(name), values, err_msg=name)


SUM = ("y = y + w",)
CODES = {
    "sum": SUM,
    "sum, term first": ("y = w*x + y",),
    "several sums": ("y = y + w*s", "z = z + 1"),
    "sum and own": ("w = w*0.75 + 0.125", "y = y + w", "n = n + 1"),
    "no sum": ("y = y*0.5 + w",),
    "no sum, of own": ("w = w + y*0.25", "y = y*s - w"),
    "largest": ("y = w if w > y else y",),
    "last one wins": ("y = x", "z = n"),
    "truth": ("flag = not flag", "on = flag"),
    "both": ("on = w > y or flag", "y = y + 1 if on else y - w", "z = z + n"),
    "local": ("h = y - w", "y = y + h*h", "w = h"),
    "own alone": ("w = w*x", "n = n + 2", "on = not on"),
    "nothing": ("h = y",),
}
SOURCES = [0, 0, 1, 1, 1, 2, 2, 2, 2, 4, 5, 5]
TARGETS = [0, 1, 0, 0, 2, 0, 0, 1, 3, 2, 2, 0]
EVENTS = {0: [0, 1, 2, 5], 1: [2], 2: [2, 0], 3: [], 4: [0, 1, 2, 3, 4, 5], 5: [5, 2], 11: [1], 12: [0]}
DELAYS = {
    "none": 0, "one": 1, "same": 4, "each": [0, 3, 1, 1, 7, 2, 0, 2, 5, 0, 6, 6], "long": [19, 0, 18, 3] * 3,
}  # fmt: skip


@pytest.mark.parametrize("delays", DELAYS.values(), ids=DELAYS)
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_each_event_sees_what_those_before_it_have_left(device, code, delays):
    net = Net(SOURCES, TARGETS, delays, EVENTS, code)
    b = net.bench(net.queue())
    b.run(device, net.steps, EXACT)
    compare(b, net)


def test_synapses_that_do_not_lie_in_the_order_of_their_sources(device):
    order = np.random.default_rng(2).permutation(12)
    for delays in (2, np.array(DELAYS["each"])[order]):
        net = Net([SOURCES[k] for k in order], [TARGETS[k] for k in order], delays, EVENTS, CODES["no sum, of own"])
        b = net.bench(net.queue())
        b.run(device, net.steps, EXACT)
        compare(b, net)


def test_deliveries_come_by_event_then_by_synapse(device):
    """Every delivery takes a number from a counter that all synapses share."""
    net = Net(SOURCES, [0] * 12, 3, {2: [4, 0], 3: [2, 1]}, ("z = z + 1", "n = z"))
    b = net.bench(net.queue())
    b.run(device, 6, EXACT)
    assert b.values("n").tolist() == [2, 3, 2, 3, 4, 5, 6, 7, 8, 1, 10, 11]
    b.run(device, 7, EXACT)
    # Synapse 9 of source 4 was first, then 0 and 1; a step later 5 to 8 of source 2, then 2 to 4 of source 1.
    assert b.values("n").tolist() == [2, 3, 8, 9, 10, 4, 5, 6, 7, 1, 10, 11]


def test_there_may_be_no_synapses_and_no_sources_with_any(device):
    for sources, targets in (([], []), ([5], [3])):
        net = Net(sources, targets, 2, EVENTS, CODES["no sum"])
        b = net.bench(net.queue())
        b.run(device, net.steps, EXACT)
        compare(b, net)


def test_both_sides_of_a_synapse_may_be_one_array(device, bench):
    """With x before and after the synapse: each delivery reads and writes both."""
    sources, targets = [0, 1, 2, 0, 1, 3], [1, 2, 0, 0, 1, 1]
    b = bench(size=4)
    x = b.add("x", [1.0, 2.0, 3.0, 4.0])
    synapses = Domain("synapses", Layout(6))
    pre, post = (b.add(n, v, "index", synapses) for n, v in (("i", sources), ("j", targets)))
    events = b.emit(Timetable([0, 0, 0, 1, 1], [2, 1, 0, 0, 3]), most=4)
    queue = EventQueue(np.array(sources, np.int32), 0, 4)
    b.deliver(events, "p = p*0.5 + q", "q = q - p*0.25", queue=queue, domain=synapses, p=Access(x, pre),
              q=Access(x, post))  # fmt: skip
    b.run(device, 2, EXACT)
    values = [1.0, 2.0, 3.0, 4.0]
    for event in (2, 1, 0, 0, 3):
        for k in range(6):
            if sources[k] == event:
                p, q = values[sources[k]], values[targets[k]]
                p = p * 0.5 + q
                q = q - p * 0.25
                values[sources[k]], values[targets[k]] = p, q
    assert b.values("x").tolist() == values


# --- without a queue ---


def test_statements_run_at_the_elements_of_events(device, bench):
    b = bench()
    b.add("v", np.arange(11.0))
    b.add("n", 0, "integer")
    b.add("free", True, "boolean")
    b.shared("rest", -7.0)
    b.add("hit", False, "boolean")
    b.assign("v = v + 1", "hit = v > 9")
    b.deliver(b.emit("hit"), "free = v < 10.5", "v = rest", "n = n + 1")
    b.run(device, 2)
    assert b.values("v").tolist() == [2, 3, 4, 5, 6, 7, 8, 9, -7, -6, -6]
    assert b.values("n").tolist() == [0] * 8 + [1, 1, 1]
    assert b.values("free").tolist() == [True] * 10 + [False]


def test_elements_in_any_storage_order(device, bench):
    place = np.array([5, 0, 9, 2, 7, 1, 3, 11, 4, 8, 6])
    b = bench(place=place)
    b.add("v", np.arange(11.0))
    b.deliver(b.emit(Timetable([0, 0, 1], place[[3, 7, 10]])), "v = -v")
    b.run(device, 2)
    assert b.values("v").tolist() == [0, 1, 2, -3, 4, 5, 6, -7, 8, 9, -10]


def test_an_element_that_reads_another_one_sees_it_as_it_is_then(device, bench):
    """x of the element before it, which the same event list may have changed already."""
    b = bench(size=6)
    x = b.add("x", np.arange(6.0))
    before = b.add("before", [0, 0, 1, 2, 3, 4], "index")
    events = b.emit(Timetable([0] * 4, [1, 2, 3, 5]))
    b.deliver(events, "x = old + 10", old=Access(x, before))
    b.run(device)
    assert b.values("x").tolist() == [0, 10, 20, 30, 4, 14]


def test_draws_of_events_belong_to_their_elements(agree):
    def build(b):
        b.draws()
        b.add("x", 0.0)
        b.add("hit", np.arange(11) % 3 == 1, "boolean")
        b.deliver(b.emit("hit"), "x = x + rand() + randn()")

    one, _ = agree(build, 5)
    x = one.values("x")
    assert len(set(x.tolist())) == 5 and (x[np.arange(11) % 3 != 1] == 0).all()


# --- queues that go on, and grow ---


@pytest.mark.parametrize("code", ["sum", "no sum, of own"])
@pytest.mark.parametrize("pieces", [(1, 6, 13), (5, 15), (6, 1, 1, 12), (19, 1)])
def test_a_new_queue_takes_over_what_is_under_way(device, code, pieces):
    net = Net(SOURCES, TARGETS, DELAYS["each"], EVENTS, CODES[code])
    queue = net.queue()
    b = net.bench(queue)
    for steps in pieces:
        b.run(device, b.clock.step + steps, EXACT)
        queue = net.queue(queue.pending(), b.clock.step)
        net.connect(b, queue)
    assert b.clock.step == net.steps
    compare(b, net)


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_old_and_new_events_may_reach_a_synapse_in_one_step(device, code):
    """After a change of the delay from 5 to 2, those of steps 0 and 3 meet in step 5."""
    net = Net(SOURCES, TARGETS, 5, {0: [0, 2, 1], 3: [2, 5, 0]}, code)
    queue = net.queue()
    b = net.bench(queue)
    b.run(device, 2, EXACT)
    net.delays = 2
    net.connect(b, net.queue(queue.pending(), 2))
    b.run(device, 8, EXACT)
    values = net.values()
    for source in (0, 2, 1, 2, 5, 0):
        for k in (k for k in range(12) if SOURCES[k] == source):
            net._once(values, k)
    for name, value in values.items():
        np.testing.assert_array_equal(b.values(name), value, err_msg=name)


def test_a_queue_grows_when_more_is_under_way_than_it_holds(device, bench):
    n, delay = 1500, 8
    b = bench(size=n)
    b.add("hit", True, "boolean")
    w, total = b.add("w", np.arange(n)), b.add("total", 0.0)
    index = b.add("index", np.arange(n)[::-1].copy(), "index")
    queue = EventQueue(np.arange(n, dtype=np.int32), delay, n)
    room = len(queue.due)
    b.deliver(b.emit("hit"), "total = total + w", queue=queue, total=Access(total, index))
    assert w.domain is b.domain
    b.run(device, 30)
    assert len(queue.due) > room
    np.testing.assert_array_equal(b.values("total"), np.arange(n)[::-1] * (30.0 - delay))
    targets, waits = queue.pending()
    np.testing.assert_array_equal(np.sort(targets), np.repeat(np.arange(n), delay))
    np.testing.assert_array_equal(np.bincount(waits), [n] * delay)


def test_a_queue_that_stands_still_goes_on_from_where_it_was(device):
    """As when the object that it belongs to is left out of a run."""
    net = Net(SOURCES, TARGETS, DELAYS["each"], {0: [0, 1], 2: [2, 5], 17: [2]}, CODES["no sum"])
    b = net.bench(net.queue())
    b.run(device, 3, EXACT)
    b.clock.step += 10
    b.run(device, 30, EXACT)
    compare(b, replace(net, events={0: [0, 1], 2: [2, 5], 7: [2]}))


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
def test_one_device_takes_over_from_the_other():
    net = Net(SOURCES, TARGETS, DELAYS["each"], EVENTS, CODES["no sum"])
    queue = net.queue()
    b = net.bench(queue)
    for steps, name in ((3, "c"), (6, "numpy"), (7, "c"), (net.steps, "numpy")):
        b.run(make_device(name), steps, EXACT)
    compare(b, net)


# --- anything at all ---


@st.composite
def nets(draw):
    n_sources, n_targets, steps = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 25))
    n = draw(st.integers(0, 14))
    sources = draw(st.lists(st.integers(0, n_sources - 1), min_size=n, max_size=n))
    targets = draw(st.lists(st.integers(0, n_targets - 1), min_size=n, max_size=n))
    delay = st.one_of(st.integers(0, 3), st.integers(0, 30))
    delays = draw(st.one_of(delay, st.lists(delay, min_size=n, max_size=n)))
    firing = st.lists(st.integers(0, n_sources - 1), unique=True, max_size=n_sources)
    events = draw(st.dictionaries(st.integers(0, steps), firing, max_size=10))
    code = CODES[draw(st.sampled_from(sorted(CODES)))]
    return Net(sources, targets, delays, events, code, n_sources, n_targets, steps)


@pytest.mark.parametrize("name", ["c", "numpy"])
@settings(max_examples=80, deadline=None)
@given(net=nets(), stop=st.integers(0, 25))
def test_any_net_does_what_the_loop_does(name, net, stop):
    device = make_device(name)
    queue = net.queue()
    b = net.bench(queue)
    b.run(device, min(stop, net.steps), EXACT)
    now = b.clock.step
    under_way = sorted(zip(*(part.tolist() for part in queue.pending())))
    begun = {step: sources for step, sources in net.events.items() if step < now}
    _, reached = replace(net, events=begun, steps=60).expected()
    assert under_way == sorted((k, step - now) for step in range(now, 60) for k in reached[step])
    net.connect(b, net.queue(queue.pending(), now))
    b.run(device, net.steps, EXACT)
    compare(b, net)


def test_negative_delays_are_refused():
    for delays in (-1, np.array([0, -2])):
        with pytest.raises(RallError, match="negative"):
            EventQueue(np.array([0, 0], np.int32), delays, 2)
