"""Code that runs regularly or at given times, for groups, their parts, and synapses."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import seed
from rall.simulation import Network
from rall.units import ms, mV


def test_own_step_slot_and_switch(traces, target):
    group = NeuronGroup(2, "v : 1\nw : 1")
    often = group.run_regularly("v += 1 + i; w = t/ms", dt=0.3 * ms)
    late = group.run_regularly("v *= 2", when="end")
    v, w = traces(group, ["v", "w"], 0.7 * ms)
    assert v[1].tolist() == [2, 4, 8, 18, 36, 72, 146] and w[0] == pytest.approx([0, 0, 0, 0.3, 0.3, 0.3, 0.6])
    group.active = False
    assert not (late.active or often.active)


def test_switched_off_between_runs(target):
    group = NeuronGroup(1, "v : 1")
    runner = group.run_regularly("v += 1")
    network = Network(group)
    network.run(0.3 * ms)
    runner.active = False
    network.run(0.3 * ms)
    assert group.v[0] == 3


@pytest.mark.parametrize(("orders", "expected"), [((0, 0), 7), ((1, 0), 14)])
def test_equal_orders_run_as_they_were_made(orders, expected, target):
    group = NeuronGroup(1, "v : 1")
    group.run_regularly("v = 2*v", order=orders[0])
    group.run_regularly("v += 1", order=orders[1])
    Network(group).run(0.3 * ms)
    assert group.v[0] == expected


def test_three_run_as_they_were_made(target):
    group = NeuronGroup(1, "v : 1")
    for k in range(3):
        group.run_regularly(f"v = 10*v + {k}")
    Network(group).run(0.1 * ms)
    assert group.v[0] == 12


def test_names_of_the_caller_locals_and_shared_variables(target):
    k = 2  # noqa: F841
    group = NeuronGroup(3, "v : volt\ns : 1 (shared)")
    group.run_regularly("x = i*k*mV\nv += x*t_in_timesteps")
    group.run_regularly("twice = 2*s\ns = twice + 1")
    Network(group).run(0.4 * ms)
    assert (group.v / mV) == pytest.approx(np.arange(3) * 12) and group.s == 15


def test_parts_number_their_elements_themselves(target):
    group = NeuronGroup(5, "v : 1\nx : 1")
    group.x = "i"
    group[1:3].run_regularly("v = i + 10*N + 100*x")
    group[3:][1:].run_at("v = -x", [0.1] * ms)
    Network(group).run(0.2 * ms)
    assert group.v[:].tolist() == [0, 120, 221, 0, -4]


def test_given_times(traces, target):
    group = NeuronGroup(2, "v : 1")
    group.run_at("v += 1 + i", [0.5, 0.1, 0.3] * ms)
    (v,) = traces(group, ["v"], 0.7 * ms)
    # A monitor, which comes later in the slot by its name, sees what the code has done.
    assert v[1].tolist() == [0, 2, 2, 4, 4, 6, 6]


def test_variables_of_both_sides_of_synapses(target):
    group = NeuronGroup(3, "v : 1")
    synapses = Synapses(group, group, "w : 1")
    synapses.connect("i <= j")
    synapses.run_regularly("w += 1 + i; v_post += w")
    Network(group, synapses).run(0.2 * ms)
    weights = synapses.w[:]
    assert weights.tolist() == [2, 2, 2, 4, 4, 6]
    assert group.v[:].tolist() == [3, 3 + 6, 3 + 6 + 9]


def test_the_same_seed_gives_the_same_numbers_beside_others(target):
    found = []
    for _ in range(2):
        seed(4)
        group = NeuronGroup(20, "v : 1\nw : 1")
        group.run_regularly("v = rand()")
        group.run_regularly("w = rand()")
        Network(group).run(0.2 * ms)
        found.append((group, group.v[:], group.w[:]))
    assert (found[0][1] == found[1][1]).all() and (found[0][2] == found[1][2]).all()
    assert len({*found[0][1], *found[0][2]}) == 40


@pytest.mark.parametrize(
    ("code", "says"),
    [("v = 3*mV", "volt"), ("foo += 1", "foo"), ("x = 1", "computed"), ("s += v", "may differ between them"),
     ("s = v*rand()", "may differ between them"), ("y = v; s = y", "may differ between them")],
)  # fmt: skip
def test_errors_name_the_text(code, says):
    group = NeuronGroup(2, "v : 1\nx = 2*v : 1\ns : 1 (shared)")
    group.run_regularly(code)
    with pytest.raises(EquationError, match=says):
        Network(group).run(0.1 * ms)


def test_times_are_multiples_of_the_step():
    group = NeuronGroup(2, "v : 1")
    with pytest.raises(DimensionMismatchError, match="times such as"):
        group.run_at("v = 1", [1, 2])
    group.run_at("v = 1", [0.25] * ms)
    with pytest.raises(RallError, match="no multiple"):
        Network(group).run(0.1 * ms)
