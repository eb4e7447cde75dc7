"""Elementwise operations on each device: what statements mean."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import RallError
from rall.ir.nodes import Name
from rall.model import SHARED, Access, Assign, Domain, Elementwise, Layout, Variable

PLACE = np.array([5, 0, 9, 2, 7, 1, 3, 11, 4, 8, 6])


@pytest.mark.parametrize("place", [None, PLACE])
def test_statements_run_in_order_and_locals_are_local(device, bench, place):
    b = bench(place=place)
    b.add("x", np.arange(11.0))
    b.add("y", np.zeros(11))
    b.assign("half = x/2", "x = half + 1", "y = x*half")
    b.run(device)
    half = np.arange(11.0) / 2
    np.testing.assert_array_equal(b.values("x"), half + 1)
    np.testing.assert_array_equal(b.values("y"), (half + 1) * half)


def test_time_and_step_are_those_of_the_clock(device, bench):
    b = bench(dt=0.25)
    for name in ("seen", "count", "length"):
        b.add(name, 0.0)
    b.assign("seen = t", "count = count + step", "length = dt")
    b.run(device, 5)
    assert set(b.values("seen")) == {1.0}
    assert set(b.values("count")) == {0.0 + 1 + 2 + 3 + 4}
    assert set(b.values("length")) == {0.25}


def test_a_mask_leaves_elements_alone_but_not_locals(device, bench):
    b = bench()
    b.add("x", np.arange(11.0))
    b.add("y", 0.0)
    b.assign("z = 10*x", "x = z", "y = x + z", mask="x > 4")
    b.run(device)
    x = np.arange(11.0)
    np.testing.assert_array_equal(b.values("x"), np.where(x > 4, 10 * x, x))
    # y sees the x that the mask let through.
    np.testing.assert_array_equal(b.values("y"), np.where(x > 4, 20 * x, 0))


def test_a_mask_is_taken_before_the_first_statement(device, bench):
    b = bench()
    b.add("x", np.arange(11.0))
    b.add("y", 0.0)
    b.assign("x = 100.0", "y = 1.0", mask="x < 3")
    b.run(device)
    np.testing.assert_array_equal(b.values("y"), np.arange(11) < 3)


def test_shared_values_are_read_and_written_once(device, bench):
    b = bench()
    b.add("x", np.arange(11.0))
    b.shared("gain", 3.0)
    b.shared("total", 0.0)
    b.assign("x = gain*x", "total = total + gain", "gain = gain + 1")
    b.run(device, 3)
    np.testing.assert_array_equal(b.values("x"), np.arange(11.0) * 3 * 4 * 5)
    assert b.values("total")[0] == 12
    assert b.values("gain")[0] == 6


def test_an_operation_may_write_shared_values_alone(device, bench):
    b = bench()
    b.shared("a", 2.0)
    b.assign("a = a**2")
    b.run(device, 3)
    assert b.values("a")[0] == 256


def test_booleans_and_integers_keep_their_type(device, bench):
    b = bench()
    b.add("n", np.arange(11) - 5, "integer")
    b.add("flag", np.arange(11) % 2 == 0, "boolean")
    b.add("high", False, "boolean")
    b.add("x", 0.0)
    b.assign("n = n + 2", "high = n > 0 and not flag", "x = int(high) + n//2", "flag = not flag")
    b.run(device)
    n = np.arange(11) - 3
    flag = np.arange(11) % 2 == 0
    np.testing.assert_array_equal(b.values("n"), n)
    np.testing.assert_array_equal(b.values("high"), (n > 0) & ~flag)
    np.testing.assert_array_equal(b.values("x"), ((n > 0) & ~flag) + n // 2)
    np.testing.assert_array_equal(b.values("flag"), ~flag)
    assert b.variables["n"].array.dtype == np.int64
    assert b.variables["high"].array.dtype == np.bool_


def test_gathering_reads_other_elements(device, bench):
    b = bench()
    far = Domain("far", Layout(4, np.array([3, 1, 0, 2])))
    source = Variable("source", far)
    source.set([10.0, 20.0, 30.0, 40.0])
    chosen = np.arange(11) % 4
    b.add("x", 1.0)
    index = b.add("index", far.layout.index(chosen), "integer")
    b.variables["source"] = Access(source, index)
    b.assign("x = x + source**2/(source + 1)")
    b.run(device)
    s = np.array([10.0, 20.0, 30.0, 40.0])[chosen]
    np.testing.assert_allclose(b.values("x"), 1 + s**2 / (s + 1), rtol=1e-15)


def test_scattering_adds_and_padding_adds_nothing_to_others(device, bench):
    b = bench(size=5)
    far = Domain("far", Layout(20))
    target = Variable("target", far)
    target.set(np.arange(20.0))
    chosen = np.array([3, 19, 0, 7, 12])
    index = b.add("index", chosen, "integer")
    # A spare element takes what the padding adds.
    spare = far.layout.stored - 1
    index.array[5:] = spare
    b.add("x", np.arange(5.0) + 1)
    b.variables["target"] = Access(target, index)
    b.assign("target = x")
    b.run(device, 2)
    expected = np.arange(20.0)
    expected[chosen] += 2 * (np.arange(5.0) + 1)
    np.testing.assert_array_equal(target.get(), expected)


def test_a_variable_read_through_one_map_and_added_to_through_another(device, bench):
    b = bench(size=8)
    far = Domain("far", Layout(8))
    y = Variable("y", far)
    y.set(np.arange(8.0))
    b.variables["y"] = Access(y, b.add("up", np.arange(8)[::-1].copy(), "integer"))
    b.add("x", 0.0)
    b.assign("x = 2*y")
    b.assign("y = x")
    b.run(device)
    np.testing.assert_array_equal(b.values("x"), 2 * np.arange(8.0)[::-1])
    np.testing.assert_array_equal(y.get(), np.arange(8.0) * 3)


def test_what_is_added_to_may_be_read_before(device, bench):
    b = bench(size=8)
    far = Domain("far", Layout(8))
    y = Variable("y", far)
    y.set(np.arange(8.0))
    b.variables["y"] = Access(y, b.add("up", np.arange(8)[::-1].copy(), "integer"))
    b.add("x", 0.0)
    b.assign("x = 2*y", "y = x + y")
    b.run(device)
    np.testing.assert_array_equal(b.values("x"), 2 * np.arange(8.0)[::-1])
    np.testing.assert_array_equal(y.get(), np.arange(8.0) * 4)


FUNCTIONS = (
    "exp(x)", "exprel(x)", "log(abs(x) + 1)", "sin(x)*cos(2*x)", "tanh(x)", "x/(exp(x) - 1)", "x**3 + abs(x)**0.5",
    "abs(x)**2.7", "x//3", "x%3", "clip(x, -1, 2)", "min(x, 1) + max(x, 2)", "floor(x) + ceil(x)", "int(x)", "sign(x)",
    "x if x > 1 else -x", "int(x > 0 and x < 3 or not x > -2)", "arctan(x) + arcsin(clip(x, -1, 1))",
    "expm1(x) + log1p(abs(x)) + log10(abs(x) + 2)", "sinh(x) + 2*cosh(x)", "abs(arccos(x/6)) + tan(x/4)",
)  # fmt: skip


@pytest.mark.parametrize("text", FUNCTIONS)
def test_devices_agree_on_functions(agree, text):
    def build(b):
        b.add("x", np.linspace(-5, 5, b.size))
        b.add("y", 0.0)
        b.assign(f"y = {text}")

    reference, _ = agree(build, size=101)
    assert np.isfinite(reference.values("y")).all()


def test_devices_agree_on_many_steps_of_a_gate(agree):
    def build(b):
        b.add("v", np.linspace(-0.08, 0.04, b.size))
        b.add("m", 0.1)
        b.assign(
            "u = (v + 0.04)*1000",
            "a = u/10/(1 - exp(-u/10))",
            "c = 4*exp(-(u + 25)/18)",
            "m = m + (a/(a + c) - m)*(1 - exp(-dt*(a + c)))",
            "v = v - 0.01*dt*m**3*(v - 0.05)",
        )

    agree(build, steps=200, size=100, dt=0.025)


def test_random_numbers_are_the_same_on_all_devices(agree):
    def build(b):
        b.draws()
        for name in "xyz":
            b.add(name, 0.0)
        b.assign("x = rand()", "y = randn()", "z = poisson(3 + x)")

    reference, _ = agree(build, steps=7, rtol=1e-13, size=50)
    x, y, z = (reference.values(n) for n in "xyz")
    assert len(np.unique(x)) == len(np.unique(y)) == 50
    assert (z == np.trunc(z)).all() and 1 < z.mean() < 6


def test_every_call_of_a_random_function_draws(device, bench):
    b = bench(size=200)
    b.draws()
    for name in "dpqs":
        b.add(name, 0.0)
    b.assign("d = rand() - rand()", "p = poisson(50) - poisson(50)", "q = rand()", "s = rand()")
    b.run(device)
    for name in "dp":
        assert abs(np.mean(b.values(name) == 0)) < 0.2
        assert b.values(name).std() > 0.2
    assert (b.values("q") != b.values("s")).all()


def test_streams_steps_and_seeds_give_other_numbers(device, bench):
    seen = []
    for stream, seed, steps in ((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2)):
        b = bench()
        b.draws(stream)
        b.seed.array[0] = seed
        b.add("x", 0.0)
        b.assign("x = rand()")
        b.run(device, steps)
        seen.append(b.values("x"))
    for k, one in enumerate(seen):
        assert all((one != other).all() for other in seen[:k])


def test_a_table_is_seen_whole(device, bench):
    b = bench()
    b.add("x", 0.0)
    table = Variable("table", Domain("table", Layout(7)), role="table")
    table.set([2, 2, 0.5, 10, 20, 30, 40])
    b.variables["table"] = table
    b.add("column", np.arange(11) % 2, "integer")
    b.assign("x = x + _timed(table, t, column)")
    b.run(device, 3)
    np.testing.assert_array_equal(b.values("x"), np.where(np.arange(11) % 2, 20 + 40 + 40, 10 + 30 + 30))


def test_warnings_stay_inside(device, bench, recwarn):
    b = bench()
    b.add("x", np.arange(11.0) - 1)
    b.add("y", 0.0)
    b.assign("y = exp(1000*x) + 1/(x + 1) + log(x) + x**0.5")
    b.run(device)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [("short", np.zeros(4), "float"), ("wrong", np.zeros(16, np.int64), "float"), ("two", np.zeros((4, 8)), "float")],
)
def test_arrays_that_a_device_could_only_crash_on_are_refused(device, bench, name, values, kind):
    b = bench()
    b.variables[name] = Variable(name, b.domain, kind=kind, array=values)
    b.assign(f"{name} = 1.0")
    with pytest.raises(RallError, match=name):
        b.run(device)


def test_unbound_names_and_maps_that_lead_outside_are_refused(device, bench):
    b = bench()
    b.add("x", 0.0)
    b.assign("x = y")
    with pytest.raises(RallError, match="'y'"):
        b.run(device)
    far = Variable("far", Domain("far", Layout(3)))
    for bad in (-1, 100):
        c = bench()
        c.add("x", 0.0)
        index = c.add("index", 0, "integer")
        index.array[4] = bad
        c.variables["far"] = Access(far, index)
        c.assign("x = far")
        with pytest.raises(RallError, match="leads outside"):
            c.run(device)


def test_no_elements_is_no_work(device, bench):
    b = bench(size=0)
    b.shared("a", 1.0)
    b.add("x", 0.0)
    b.assign("x = a", "a = a + 1")
    b.run(device, 3)
    assert b.values("a")[0] == 4
    assert len(b.values("x")) == 0


def test_statements_that_set_nothing_are_no_work(device, bench):
    b = bench()
    b.add("x", 1.0)
    b.assign("h = x + 1", "k = h")
    b.run(device, 2)
    assert set(b.values("x")) == {1.0}


def test_statements_need_not_be_parsed_text(device, bench):
    b = bench()
    x = b.add("x", 3.0)
    b.made.append(
        Elementwise(name="copy", clock=b.clock, domain=b.domain, statements=[Assign("y", Name("x"))],
                    bindings={"x": x, "y": b.add("y", 0.0)})
    )  # fmt: skip
    b.run(device)
    assert set(b.values("y")) == {3.0}
    assert SHARED.size == 1


def test_variables_can_change_places(device, bench):
    b = bench()
    b.add("x", np.arange(11.0))
    b.add("y", 5.0)
    b.add("flag", np.arange(11) > 4, "boolean")
    b.add("other", False, "boolean")
    b.shared("one", 1.0)
    b.shared("two", 2.0)
    b.assign("h = x", "x = y", "y = h", "f = flag", "flag = other", "other = f", "s = one", "one = two", "two = s")
    b.run(device)
    np.testing.assert_array_equal(b.values("y"), np.arange(11.0))
    assert set(b.values("x")) == {5.0}
    np.testing.assert_array_equal(b.values("other"), np.arange(11) > 4)
    assert not b.values("flag").any()
    assert b.values("one")[0] == 2 and b.values("two")[0] == 1
