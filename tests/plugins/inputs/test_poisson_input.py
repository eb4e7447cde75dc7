"""PoissonInput: binomial kicks to all elements of a group, or to some."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, EquationError, NotSupportedError, RallError
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.plugins.inputs import PoissonGroup, PoissonInput
from rall.plugins.point import NeuronGroup, linked_var
from rall.plugins.synapses import Synapses
from rall.session import defaultclock, prefs, seed
from rall.simulation import Network
from rall.units import Hz, ms, mV, ohm, second, uF, um, volt
from rall.units.allunits import cmeter


def steps_of(group, *inputs, steps=1, variable="x"):
    """What each step adds, shape (steps, N)."""
    net, rows = Network(group, *inputs), [getattr(group, f"{variable}_")[:]]
    for _ in range(steps):
        net.run(0.1 * ms)
        rows.append(getattr(group, f"{variable}_")[:])
    return np.diff(rows, axis=0)


# --- statistics ---


def test_kicks_are_binomial_and_independent(target):
    seed(1)
    group = NeuronGroup(500, "x : 1")
    kicks = steps_of(group, PoissonInput(group, "x", N=50, rate=400 * Hz, weight=1), steps=50)
    n, p = 50, 0.04
    assert np.array_equal(kicks, np.round(kicks))
    assert abs(kicks.mean() - n * p) < 4 * np.sqrt(n * p * (1 - p) / kicks.size)
    variance = n * p * (1 - p)
    assert abs(kicks.var() - variance) < 4 * variance * np.sqrt(2.5 / kicks.size)
    centred = (kicks - n * p) / np.sqrt(variance)
    for neighbours in (centred[1:] * centred[:-1], centred[:, 1:] * centred[:, :-1]):
        assert abs(neighbours.mean()) < 4 / np.sqrt(kicks.size)


def test_membranes_follow_campbells_theorem():
    seed(2)
    tau, rate, count, weight = 10e-3, 20.0, 200, 0.1e-3
    group = NeuronGroup(4000, "dv/dt = -v/(10*ms) : volt", method="exact")
    group.v = rate * count * weight * tau * volt
    Network(group, PoissonInput(group, "v", count, rate * Hz, weight * volt)).run(50 * ms)
    mean, variance = rate * count * weight * tau, rate * count * weight**2 * tau / 2
    # Kicks come at the end of a step, the decay at its beginning: dt/2 more on average.
    assert abs(group.v_[:].mean() - mean) < 4 * np.sqrt(variance / 4000) + mean * 0.05e-3 / tau
    assert abs(group.v_[:].var() / variance - 1) < 4 * np.sqrt(2 / 4000) + 0.02


def test_the_same_as_poisson_groups_through_synapses():
    seed(3)
    direct = NeuronGroup(100, "x : 1")
    through = NeuronGroup(100, "x : 1")
    source = PoissonGroup(1000, 200 * Hz)
    synapses = Synapses(source, through, on_pre="x += 1")
    synapses.connect(j="i % 100")
    Network(direct, through, source, synapses, PoissonInput(direct, "x", 10, 200 * Hz, 1)).run(100 * ms)
    for group in (direct, through):
        assert abs(group.x[:].mean() - 200) < 4 * np.sqrt(200 * 0.98 / 100)
        assert 0.5 < group.x[:].var() / (200 * 0.98) < 1.7


def test_certain_and_no_input(target):
    group = NeuronGroup(9, "x : 1\ny : 1\nz : 1")
    inputs = [PoissonInput(group, "x", 7, 10000 * Hz, 2), PoissonInput(group, "y", 0, 10 * Hz, 1),
              PoissonInput(group, "z", 5, 0 * Hz, 1)]  # fmt: skip
    Network(group, *inputs).run(0.3 * ms)
    np.testing.assert_array_equal(group.x[:], 42)
    np.testing.assert_array_equal(group.y[:], 0)
    np.testing.assert_array_equal(group.z[:], 0)


def test_devices_agree_and_the_order_of_objects_does_not_matter():
    found = []
    for device in ("c", "numpy"):
        for swap in (False, True):
            prefs.codegen.target = device
            seed(4)
            group = NeuronGroup(30, "x : 1", name="thirty")
            one = PoissonInput(group, "x", 100, 100 * Hz, 1)
            objects = [group, one]
            Network(*(objects[::-1] if swap else objects)).run(5 * ms)
            found.append(group.x[:])
            del group, one, objects
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


def test_two_inputs_draw_apart(target):
    seed(5)
    group = NeuronGroup(100, "x : 1\ny : 1")
    Network(group, *(PoissonInput(group, name, 100, 500 * Hz, 1) for name in "xy")).run(0.1 * ms)
    assert not np.array_equal(group.x[:], group.y[:])


# --- targets and weights ---


@pytest.mark.parametrize("part", [slice(2, 5), [7, 0, 3], "i >= 6"])
def test_parts_alone_are_given_input(part, target):
    group = NeuronGroup(9, "x : 1")
    chosen = group[part]
    # i and N of the weight are those of the part.
    Network(group, PoissonInput(chosen, "x", 2, 10000 * Hz, "1 + i + 10*N")).run(0.2 * ms)
    expected = np.zeros(9)
    expected[chosen.indices] = 4 * (1 + np.arange(len(chosen)) + 10 * len(chosen))
    np.testing.assert_array_equal(group.x[:], expected)


def test_text_is_evaluated_for_each_element(target):
    scale = 3 * mV
    group = NeuronGroup(3, "v : volt\ng : 1\nw = g*scale : volt")
    group.g = [0, 1, 2]
    Network(group, PoissonInput(group, "v", 1, 10000 * Hz, "w + scale*i*(t > 0*second)")).run(
        0.2 * ms, namespace={"scale": scale}
    )
    np.testing.assert_allclose(group.v / mV, [0, 9, 18])


def test_random_weights_are_drawn_for_each_element(target):
    seed(6)
    group = NeuronGroup(200, "x : 1")
    kicks = steps_of(group, PoissonInput(group, "x", 1, 10000 * Hz, "randn()"), steps=2)
    assert len(np.unique(kicks)) == 400
    assert abs(kicks.mean()) < 4 / np.sqrt(400)


def test_refractory_neurons_stay_as_they_are(target):
    group = NeuronGroup(
        2, "dv/dt = 0*volt/second : volt (unless refractory)\nx : 1", threshold="v > 5*mV", reset="v = 0*mV",
        refractory=0.5 * ms, method="euler",
    )  # fmt: skip
    inputs = [PoissonInput(group, "v", 1, 10000 * Hz, 2 * mV), PoissonInput(group, "x", 1, 10000 * Hz, 1)]
    kicks = steps_of(group, *inputs, steps=6, variable="v")
    # Kicks come in every step; the threshold comes before them, so that 6 mV are seen one step later.
    np.testing.assert_allclose(kicks[:, 0] / 1e-3, [2, 2, 2, -6, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(group.x[:], 6)


def test_the_slot_is_the_users_choice(target):
    group = NeuronGroup(1, "v : 1\nseen : 1")
    group.run_regularly("seen = v", when="end")
    first = PoissonInput(group, "v", 1, 10000 * Hz, 1, when="after_end", order=4)
    assert (first.when, first.order) == ("after_end", 4)
    Network(group, first).run(0.1 * ms)
    assert (group.v[0], group.seen[0]) == (1, 0)


def test_cells_are_given_input_at_their_compartments(target):
    morphology = Cylinder(diameter=1 * um, length=100 * um, n=6)
    cell = SpatialNeuron(
        morphology, "Im = 0*siemens/metre**2*v : amp/metre**2\nx : 1", Cm=1 * uF / cmeter**2, Ri=100 * ohm * cmeter
    )
    Network(cell, PoissonInput(cell, "x", 1, 10000 * Hz, "1 + i")).run(0.1 * ms)
    np.testing.assert_array_equal(cell.x[:], np.arange(1, 7))


# --- several runs ---


def test_runs_go_on_and_another_step_is_refused():
    group = NeuronGroup(1, "x : 1", name="kicked")
    kicks = PoissonInput(group, "x", 3, 10000 * Hz, 1)
    net = Network(group, kicks)
    net.run(0.2 * ms)
    net.run(0.2 * ms)
    assert group.x[0] == 12
    assert (kicks.N, kicks.rate, kicks.weight, kicks.target_var) == (3, 10000 * Hz, 1, "x")
    defaultclock.dt = 0.05 * ms
    with pytest.raises(NotSupportedError, match=r"has run with a step of 0.1 ms and cannot go on with 0.05 ms"):
        net.run(0.1 * ms)
    net.remove(kicks)
    net.run(0.1 * ms)
    assert group.x[0] == 12


def test_store_and_restore():
    seed(7)
    group = NeuronGroup(20, "x : 1", name="kicked")
    net = Network(group, PoissonInput(group, "x", 100, 100 * Hz, 1))
    net.run(1 * ms)
    net.store()
    net.run(1 * ms)
    before = group.x[:]
    net.restore(restore_random_state=True)
    net.run(1 * ms)
    np.testing.assert_array_equal(group.x[:], before)


# --- errors ---


def test_what_does_not_fit_is_refused():
    group = NeuronGroup(
        3, "dv/dt = -v/second : volt\nw = 2*v : volt\nc : volt (constant)\ns : volt (shared)\nk : integer\n"
        "other : volt (linked)", name="kicked",
    )  # fmt: skip
    group.other = linked_var(group, "v")
    for wrong, why in (("w", "computed by its equation"), ("c", "is constant"), ("s", "one value for all"),
                       ("k", "holds no floats"), ("other", "linked"), ("i", "is constant")):  # fmt: skip
        with pytest.raises(RallError, match=f"input cannot be added to '{wrong}' of 'kicked': it .*{why}"):
            PoissonInput(group, wrong, 1, 1 * Hz, 1 * mV)
    with pytest.raises(RallError, match=r"'kicked' has no variable 'V'.*'v'"):
        PoissonInput(group, "V", 1, 1 * Hz, 1 * mV)
    with pytest.raises(RallError, match="target of a PoissonInput is a group"):
        PoissonInput("kicked", "v", 1, 1 * Hz, 1 * mV)
    with pytest.raises(RallError, match="target of a PoissonInput is a group"):
        PoissonInput(group.v, "v", 1, 1 * Hz, 1 * mV)
    with pytest.raises(RallError, match=r"N of 'poissoninput.*' is a whole number"):
        PoissonInput(group, "v", 1.5, 1 * Hz, 1 * mV)
    for rate in (1, 1 * second, -1 * Hz, [1, 2] * Hz, "1*Hz"):
        with pytest.raises(RallError, match="the rate of 'poissoninput"):
            PoissonInput(group, "v", 1, rate, 1 * mV)
    for weight in (1, 1 * second):
        with pytest.raises(DimensionMismatchError, match=r"the weight of 'poissoninput.*' is one value in .* as 'v'"):
            PoissonInput(group, "v", 1, 1 * Hz, weight)
    for weight in ([1, 2, 3] * mV, None):
        with pytest.raises(RallError, match=r"the weight of 'poissoninput.*' is one value in .*text"):
            PoissonInput(group, "v", 1, 1 * Hz, weight)


def test_what_shows_when_a_run_begins():
    group = NeuronGroup(3, "v : volt", name="kicked")
    with pytest.raises(RallError, match=r"the rate of .*, is more than one spike in a step"):
        Network(group, PoissonInput(group, "v", 1, 20000 * Hz, 1 * mV)).run(1 * ms)
    for weight, why in (("1*Hz", "in .*'v' of 'kicked' is in"), ("v > 0*mV", "a condition"), ("unheard*mV", "unheard")):
        group = NeuronGroup(3, "v : volt", name="kicked")
        with pytest.raises(EquationError, match=f"(?s){why}"):
            Network(group, PoissonInput(group, "v", 1, 20 * Hz, weight)).run(1 * ms)
        del group
