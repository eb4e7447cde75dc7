from __future__ import annotations

import numpy as np
import pytest

from rall.codegen.kernel import lower
from rall.codegen.printer import print_c
from rall.equations import Equations
from rall.equations.dimensions import check_equations
from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.evaluate import evaluate
from rall.groups import Group, Resolver
from rall.model import SHARED, Assign, Call, Clock, Domain, Elementwise, Layout, Variable
from rall.plugins.inputs import TimedArray
from rall.plugins.inputs import timed as module
from rall.session import SimulationObject, defaultclock, prefs
from rall.simulation import Network
from rall.units import DIMENSIONLESS, Quantity, amp, ms, mV, nA, second


@pytest.fixture(autouse=True)
def session_as_before():
    """Leaves preferences and the default clock as they were found."""
    kept = dict(prefs._set), defaultclock.dt_
    yield
    prefs._set.clear()
    prefs._set.update(kept[0])
    defaultclock.dt_ = kept[1]


class Reader(SimulationObject):
    """Keeps the value of an expression of t, dt and i at each step."""

    def __init__(self, text, namespace, n=4, dt=0.1 * ms):
        super().__init__(dt=dt)
        self.text, self.namespace, self.seen = text, namespace, []
        self.domain = Domain("reader", Layout(n))
        self.x = Variable("x", self.domain)

    def operations(self, model):
        clock = self.clock
        index = Variable("i", self.domain, kind="integer", role="constant")
        index.set(np.arange(self.domain.size))
        table = {"t": clock.t_variable, "dt": clock.dt_variable, "i": index}
        resolver = Resolver(table, {}, self.namespace, {})
        value = resolver.text(self.text)
        yield Elementwise(name="read", clock=clock, domain=self.domain, statements=[Assign("x", value)],
                          bindings={**resolver.bindings, "x": self.x})  # fmt: skip
        yield Call(name="seen", clock=clock, order=1, function=lambda t: self.seen.append(self.x.get()))


def read(text, steps, dt=0.1 * ms, n=4, **namespace):
    reader = Reader(text, namespace, n, dt)
    Network(reader).run(steps * dt)
    return np.array(reader.seen)


# --- from Python ---


def test_rows_hold_until_the_next_and_ends_hold_for_ever():
    stimulus = TimedArray([0, 2, 1] * nA, dt=10 * ms)
    assert stimulus(0 * ms) == 0 * nA
    assert stimulus(9.999 * ms) == 0 * nA
    assert stimulus(10 * ms) == 2 * nA
    times = [-5, 0, 10, 19.9, 20, 29, 30, 1e6, np.inf, -np.inf] * ms
    values = stimulus(times)
    assert isinstance(values, Quantity)
    np.testing.assert_allclose(values / nA, [0, 0, 2, 2, 1, 1, 1, 1, 1, 0], rtol=1e-15)
    assert np.isnan(stimulus(np.nan * ms) / nA)


def test_columns():
    table = np.arange(12.0).reshape(3, 4)
    stimulus = TimedArray(table * mV, dt=1 * ms)
    assert stimulus(1 * ms, 2) == 6 * mV
    values = stimulus([0, 1, 2, 9] * ms, [0, 1, 2, 3])
    np.testing.assert_allclose(values / mV, [0, 5, 10, 11], rtol=1e-15)
    grid = stimulus(np.array([[0.0], [1.0]]) * ms, np.arange(4))
    np.testing.assert_allclose(grid / mV, table[:2], rtol=1e-15)
    outside = stimulus(1 * ms, np.array([-1, 4, 100]))
    assert np.isnan(outside / mV).all()


def test_plain_numbers_give_plain_numbers():
    rate = TimedArray([1, 2, 3], dt=1 * ms)
    assert rate(1.5 * ms) == 2.0
    assert type(rate([0, 1] * ms)) is np.ndarray


def test_rounding_never_picks_the_neighbour():
    rng = np.random.default_rng(1)
    for dt in (0.1, 0.025, 1 / 3, 0.7, *rng.uniform(0.001, 10, 20)):
        steps = np.unique(rng.integers(0, 10**7, 400))
        values = TimedArray(np.arange(10**7 + 1, dtype=float), dt=dt * ms)
        seconds = values.dt_
        for times in (steps * seconds, steps * dt * 1e-3, steps / (1 / dt) / 1000):
            np.testing.assert_array_equal(values(times * second), steps)
            # What lies just before a step, by as little as implicit methods use, still is the step before.
            just_before = times + seconds * (1 - 2**-20)
            np.testing.assert_array_equal(values(just_before * second), steps)
            np.testing.assert_array_equal(values((times + seconds * 2**-20) * second), steps)


def test_attributes():
    stimulus = TimedArray([[1, 2], [3, 4]] * nA, dt=2 * ms, name="stimulus")
    assert stimulus.name == "stimulus"
    assert stimulus.dt == 2 * ms and stimulus.dt_ == 0.002
    assert stimulus.dim is amp.dim
    np.testing.assert_allclose(stimulus.values, np.array([[1, 2], [3, 4]]) * 1e-9, rtol=1e-15)
    with pytest.raises(ValueError, match="read-only"):
        stimulus.values[0] = 3
    assert "stimulus" in repr(stimulus) and "2 ms" in repr(stimulus)


def test_later_changes_of_the_users_array_do_not_matter():
    values = np.array([1.0, 2.0])
    stimulus = TimedArray(values, dt=1 * ms)
    values[:] = 7
    assert stimulus(0 * ms) == 1


def test_conditions_are_one_and_zero():
    gate = TimedArray([True, False, True], dt=1 * ms)
    assert [gate(t * ms) for t in (0.5, 1.5, 2.5)] == [1, 0, 1]
    assert gate.values.dtype == float


@pytest.mark.parametrize(
    ("values", "dt", "error", "words"),
    [
        ([], 1 * ms, RallError, "empty"),
        (3 * nA, 1 * ms, RallError, "shape"),
        (np.zeros((2, 2, 2)), 1 * ms, RallError, r"\(2, 2, 2\)"),
        (["a", "b"], 1 * ms, (RallError, TypeError), "."),
        ([1j, 2j], 1 * ms, RallError, "complex"),
        ([1, 2] * nA, 1 * mV, DimensionMismatchError, "time"),
        ([1, 2] * nA, 0.1, DimensionMismatchError, "time"),
        ([1, 2] * nA, 0 * ms, RallError, "above zero"),
        ([1, 2] * nA, -1 * ms, RallError, "above zero"),
        ([1, 2] * nA, np.nan * ms, RallError, "above zero"),
        ([1, 2] * nA, [1, 2] * ms, RallError, "one time"),
    ],
)
def test_what_is_refused(values, dt, error, words):
    with pytest.raises(error, match=words):
        TimedArray(values, dt=dt)


def test_wrong_calls_from_python():
    one, two = TimedArray([1, 2], dt=1 * ms), TimedArray([[1, 2]], dt=1 * ms)
    with pytest.raises(DimensionMismatchError, match="time"):
        one(3 * mV)
    with pytest.raises(DimensionMismatchError, match="time"):
        one(3.0)
    assert one(0) == 1
    with pytest.raises(RallError, match=r"\(t\)"):
        one(1 * ms, 0)
    with pytest.raises(RallError, match=r"\(t, i\)"):
        two(1 * ms)
    with pytest.raises(DimensionMismatchError, match="column"):
        two(1 * ms, 1 * mV)


# --- in equations ---


def test_one_dimension_in_a_program(target):
    rows = read("stimulus(t)", 35, stimulus=TimedArray([5, 7, 9], dt=1 * ms))
    assert rows[:, 0].tolist() == [5] * 10 + [7] * 10 + [9] * 15
    assert (rows == rows[:, :1]).all()


def test_two_dimensions_in_a_program(target):
    table = np.arange(9.0).reshape(3, 3)
    rows = read("stimulus(t, i)", 4, dt=1 * ms, stimulus=TimedArray(table, dt=1 * ms))
    np.testing.assert_array_equal(rows[:, :3], table[[0, 1, 2, 2]])
    assert np.isnan(rows[:, 3]).all()


def test_times_near_steps_in_a_program(target):
    stimulus = TimedArray(np.arange(5000.0), dt=0.1 * ms)
    rows = read("stimulus(t) + 1e4*stimulus(t + dt*(1 - 2**-20))", 3000, stimulus=stimulus, n=1)
    np.testing.assert_array_equal(rows[:, 0], np.arange(3000.0) * (1 + 1e4))


def test_several_arrays_and_times_in_one_expression(target):
    a, b = TimedArray([1, 2, 3], dt=1 * ms), TimedArray([10, 20], dt=2 * ms)
    rows = read("a(t)*b(t) + a(t - dt) + a(2*t)", 3, dt=1 * ms, n=1, a=a, b=b)
    assert rows[:, 0].tolist() == [10 + 1 + 1, 20 + 1 + 3, 60 + 2 + 3]


def test_values_and_sizes_are_no_text():
    def kernel_text(stimulus):
        clock = Clock(1e-4)
        resolver = Resolver({"t": clock.t_variable}, {}, {"s": stimulus}, {})
        value = resolver.text("s(t)")
        bindings = {**resolver.bindings, "x": Variable("x", SHARED)}
        operation = Elementwise(name="o", clock=clock, domain=SHARED, statements=[Assign("x", value)],
                                bindings=bindings)  # fmt: skip
        return print_c(lower(operation)[0])

    one = kernel_text(TimedArray([1, 2, 3] * nA, dt=1 * ms))
    assert one == kernel_text(TimedArray(np.arange(1000) * mV, dt=3 * ms))
    assert "rall_timed(d" in one


def test_a_group_evaluates_text_with_it():
    defaultclock.dt = 0.1 * ms
    group = Group("group", Domain("group", Layout(3)), Equations("x : amp"))
    group.add_line(group.equations["x"], group.domain, "parameter")
    group._ready = True
    stimulus = TimedArray(np.arange(12.0).reshape(4, 3) * nA, dt=1 * ms)
    group.x = "stimulus(2*ms, i)"
    np.testing.assert_allclose(group.x / nA, [6, 7, 8], rtol=1e-15)
    assert stimulus(2 * ms, 1) == group.x[1]
    with pytest.raises(EquationError, match="amp"):
        group.x = "stimulus(2*ms, i)/nA"


def test_dimensions_are_checked():
    known = {"I": TimedArray([1, 2] * nA, dt=1 * ms), "J": TimedArray([[1, 2]] * nA, dt=1 * ms)}
    known["i"] = (DIMENSIONLESS, "integer")
    check_equations(Equations("x = I(t) + J(t, i) : amp"), known)
    for text, words in (
        ("x = I(t) : volt", "amp"),
        ("x = I(3) : amp", "time"),
        ("x = I(t, i) : amp", r"name\(t\)"),
        ("x = J(t) : amp", r"name\(t, i\)"),
        ("x = J(t, t) : amp", "plain number"),
        ("x = J(t, t > 1*ms) : amp", "condition"),
        ("x = I : amp", "parentheses"),
    ):
        with pytest.raises(EquationError, match=words):
            check_equations(Equations(text), known)


def test_python_and_equations_agree():
    stimulus = TimedArray(np.random.default_rng(3).normal(size=(50, 7)), dt=0.3 * ms)
    table = {"t": Clock(1e-4).t_variable, "i": Variable("i", Domain("d", Layout(7)))}
    resolver = Resolver(table, {}, {"s": stimulus}, {})
    node = resolver.text("s(t, i)")
    for t in (0.0, 0.00031, 0.0149, 1.0):
        values = {"t": t, "i": np.arange(7), "_ta_s": resolver.bindings["_ta_s"].array}
        np.testing.assert_array_equal(evaluate(node, values), stimulus(t * second, np.arange(7)))


def test_exports():
    assert module.__all__ == ["TimedArray"]
