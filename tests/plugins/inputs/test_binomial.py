"""BinomialFunction: its distribution against the closed form, and where each call draws anew."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rall.equations import Equations
from rall.errors import DimensionMismatchError, EquationError, NotSupportedError, RallError
from rall.groups import Group
from rall.model import Domain, Layout
from rall.plugins.inputs import BinomialFunction
from rall.plugins.inputs.binomial import binomial_table
from rall.plugins.point import NeuronGroup
from rall.session import prefs, seed
from rall.simulation import Network
from rall.units import Hz, ms, mV


def probabilities(n, p):
    """Of 0 to n successes."""
    if p in (0, 1):
        return np.eye(n + 1)[n if p else 0]
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
        for k in range(n + 1)
    ]
    return np.exp(logs)


def of_table(table):
    """What a table of aliases gives to each number."""
    values = table.get()
    size, first = int(values[1]), values[2]
    share, other = values[3:].reshape(-1, 2).T
    found: dict[int, float] = {}
    for place in range(size):
        found[int(first) + place] = found.get(int(first) + place, 0.0) + share[place] / size
        found[int(other[place])] = found.get(int(other[place]), 0.0) + (1 - share[place]) / size
    assert values[0] == 32 - np.log2(size)
    return found


def drawn(steps, size, code="x = f()", **names):
    """Values of `x` in every step, shape (steps, size)."""
    group = NeuronGroup(size, "x : 1\ny : 1", namespace=names)
    group.run_regularly(code)
    net, rows = Network(group), []
    for _ in range(steps):
        net.run(0.1 * ms)
        rows.append(group.x[:])
    return np.array(rows)


# --- the distribution ---


@pytest.mark.parametrize(
    ("n", "p"), [(0, 0.5), (1, 0.3), (10, 0.0), (10, 1.0), (7, 0.5), (20, 0.95), (100, 0.02), (1000, 0.5), (4000, 1e-3)]
)
def test_tables_hold_the_probabilities(n, p):
    found = of_table(binomial_table(n, p, "table"))
    expected = probabilities(n, p)
    for k, chance in found.items():
        if chance > 0:
            assert 0 <= k <= n
            assert chance == pytest.approx(expected[k], rel=1e-9, abs=1e-14)
    assert sum(expected[k] for k in found if 0 <= k <= n) == pytest.approx(1, abs=1e-10)


def test_many_trials_have_tables_around_their_mean():
    found = of_table(binomial_table(10**8, 0.3, "table"))
    k = np.array(list(found))
    mean = sum(k * c for k, c in found.items())
    variance = sum((k - mean) ** 2 * c for k, c in found.items())
    assert mean == pytest.approx(3e7, rel=1e-9)
    assert variance == pytest.approx(2.1e7, rel=1e-6)
    assert len(k) < 2**18
    with pytest.raises(NotSupportedError, match=r"10+ trials .* mean \+ sd\*randn\(\)"):
        binomial_table(10**13, 0.5, "table")


@pytest.mark.parametrize(("n", "p"), [(5, 0.3), (100, 0.02), (50, 0.9)])
def test_draws_are_as_frequent_as_they_should_be(n, p, target):
    seed(6)
    values = drawn(40, 500, f=BinomialFunction(n, p, approximate=False)).ravel()
    expected = probabilities(n, p) * values.size
    counts = np.bincount(values.astype(int), minlength=n + 1)
    assert np.array_equal(values, np.round(values))
    common = expected > 5
    chi_square = ((counts - expected)[common] ** 2 / expected[common]).sum()
    freedom = common.sum() - 1
    # 4 standard deviations of the chi-square distribution.
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom) + 4
    assert counts[~common].sum() < expected[~common].sum() + 20


def test_the_normal_distribution_stands_in_for_many(target):
    seed(7)
    near = drawn(20, 500, f=BinomialFunction(100, 0.3)).ravel()
    assert not np.array_equal(near, np.round(near))
    assert abs(near.mean() - 30) < 4 * np.sqrt(21 / near.size)
    assert abs(near.var() - 21) < 4 * 21 * np.sqrt(2 / near.size)
    for few in (BinomialFunction(16, 0.3), BinomialFunction(100, 0.96), BinomialFunction(100, 0.3, False)):
        values = drawn(1, 100, f=few)
        assert np.array_equal(values, np.round(values))


# --- calls ---


def test_devices_draw_the_same_numbers():
    found = {}
    for device in ("c", "numpy"):
        prefs.codegen.target = device
        seed(1)
        found[device] = drawn(5, 33, f=BinomialFunction(40, 0.4, approximate=False))
    np.testing.assert_array_equal(found["c"], found["numpy"])


def test_each_call_element_and_step_draws_anew(target):
    seed(2)
    names = {"f": BinomialFunction(10**6, 0.5, approximate=False), "g": BinomialFunction(10**6, 0.5)}
    values = drawn(3, 20, "x = f()", **names)
    assert len(np.unique(values)) > 0.9 * values.size
    for code in ("x = f() - f()", "x = g() - g()", "y = f(); x = f() - y", "x = f() - g()", "x = g() - randn()*500"):
        assert np.ptp(drawn(2, 20, code, **names)) > 100, code


def test_two_functions_of_one_distribution_draw_apart(target):
    names = {"f": BinomialFunction(10**6, 0.5), "g": BinomialFunction(10**6, 0.5)}
    assert np.ptp(drawn(1, 20, "x = f() - g()", **names)) > 100
    same = names["f"]
    assert np.ptp(drawn(1, 20, "x = f() - g()", f=same, g=same)) > 100


def test_in_equations_and_text(target):
    seed(3)
    f = BinomialFunction(1000, 0.1, approximate=False)
    group = NeuronGroup(
        2000, "dv/dt = f()/second : 1\nheld = f() : 1 (constant over dt)\nx : 1", method="euler",
        threshold="f() > 1000", namespace={"f": f},
    )  # fmt: skip
    Network(group).run(0.2 * ms)
    drift = group.v[:] / 2e-4
    assert abs(drift.mean() - 100) < 4 * np.sqrt(45 / 2000)
    assert np.array_equal(np.round(group.held[:]), group.held[:])
    group.x = "f()"
    assert abs(group.x[:].mean() - 100) < 4 * np.sqrt(90 / 2000)
    before = group.x[:]
    group.x = "f()"
    assert not np.array_equal(before, group.x[:])
    near = Group("text", Domain("text", Layout(100)), Equations(""), {"f": BinomialFunction(1000, 0.1)})
    assert len(np.unique(near.evaluate("f()"))) == 100


def test_a_named_draw_is_one_value(target):
    f = BinomialFunction(10**6, 0.5, approximate=False)
    group = NeuronGroup(20, "draw = f() : 1\nx : 1", namespace={"f": f})
    group.run_regularly("x = draw - draw")
    Network(group).run(0.1 * ms)
    np.testing.assert_array_equal(group.x[:], 0)


# --- errors ---


def test_what_is_no_distribution_is_refused():
    for wrong in (-1, 2.5, np.nan, np.inf, "3", [1, 2], True):
        with pytest.raises(RallError, match="n of the BinomialFunction 'draw' is a whole number from 0 on"):
            BinomialFunction(wrong, 0.5, name="draw")
    for wrong in (-0.1, 1.1, np.nan, [0.1, 0.2]):
        with pytest.raises(RallError, match="p of the BinomialFunction '_binomial' is a probability"):
            BinomialFunction(3, wrong)
    for n, p in ((3 * mV, 0.5), (3, 0.5 * Hz)):
        with pytest.raises(DimensionMismatchError, match="has no unit"):
            BinomialFunction(n, p)
    with pytest.raises(EquationError, match="takes no arguments, not 1"):
        drawn(1, 2, "x = f(3)", f=BinomialFunction(3, 0.5))
    with pytest.raises(EquationError, match="volt"):
        Network(NeuronGroup(2, "x = f() : volt", namespace={"f": BinomialFunction(3, 0.5)})).run(1 * ms)
