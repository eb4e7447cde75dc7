"""Synapses: variables, equations at events and in every step, plasticity, synapses onto synapses."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import linalg

from rall.devices.compiler import find_compiler
from rall.errors import EquationError, RallError, RallWarning
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import prefs, seed, session
from rall.simulation import Network
from rall.units import ms, mV

# --- values -------------------------------------------------------------------------------------------------------


@pytest.fixture
def grid():
    """All pairs of four and three neurons; v of both sides, x of the target."""
    left, right = NeuronGroup(4, "v : volt\nu : 1"), NeuronGroup(3, "v : volt\nx : 1\ndouble = 2*x : 1")
    left.v, right.v, right.x = "i*mV", "10*i*mV", "i + 1"
    synapses = Synapses(left, right, "w : 1\nu0 : volt\nboth = u0 + v_post : volt\ng : 1 (shared)")
    synapses.connect()
    return synapses


def test_texts_see_both_sides(grid):
    k = 2  # noqa: F841
    grid.u0 = "v_pre + v_post*x_post*k"
    i, j = grid.i[:], grid.j[:]
    assert (grid.u0 / mV) == pytest.approx(i + 10 * j * (j + 1) * 2)
    grid.w = "double + x*i + 100*N_pre + 1000*N_post"  # names that only the target has are the target's
    assert grid.w[:].tolist() == (2 * (j + 1) + (j + 1) * i + 3400).tolist()
    grid.w["v_pre > v_post"] = -1
    assert (grid.w[:] == -1).tolist() == (i > 10 * j).tolist()
    assert (grid.both / mV) == pytest.approx((grid.u0 / mV) + 10 * j)
    grid.w = "rand()"
    assert len(set(grid.w[:])) == 12


def test_variables_of_both_sides_can_be_read_and_set(grid, target):
    assert (grid.v_pre / mV) == pytest.approx(np.repeat(range(4), 3))
    assert (grid.v_post[2, :] / mV) == pytest.approx([0, 10, 20]) and grid.x[0, :].tolist() == [1, 2, 3]
    assert grid.double_post["i == 1"].tolist() == [2, 4, 6]
    grid.x_post = 3
    grid.x_post[:, 1] = "5 + j"
    grid.v_pre["j == 0"] = "(i + 1)*mV"
    assert grid.target.x[:].tolist() == [3, 6, 3] and (grid.source.v / mV) == pytest.approx([1, 2, 3, 4])
    monitor = StateMonitor(grid, ["v_pre", "x"], record=[0, 5])
    Network(grid, grid.source, grid.target, monitor).run(0.1 * ms)
    assert (monitor.v_pre[:, 0] / mV) == pytest.approx([1, 2]) and monitor.x[:, 0].tolist() == [3, 3]


def test_what_is_set_in_all_values(grid, target):
    grid.w = "i - 1"
    grid.w[:][grid.w < 0] = 9
    assert grid.w[:].tolist() == [9, 9, 9, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    for copied in (grid.v_post[:], grid.both[:]):
        copied[0] = 7 * mV
        assert copied[0] == 7 * mV
    assert grid.v_post[0] == 0 * mV and grid.both[0] == 0 * mV
    weights = grid.w[:]
    grid.connect(i=0, j=0)
    with pytest.raises(RallError, match="cannot be set"):
        grid.i[:][0] = 1
    weights[0] = 8  # which is there still
    assert len(weights) == 12 and grid.w[0] == 8 and len(grid.w) == 13


def test_delays_that_are_set_in_all_values(target):
    source = NeuronGroup(2, "x : 1", threshold="t < 0.05*ms", refractory=1 * ms)
    sink = NeuronGroup(2, "x : 1")
    synapses = Synapses(source, sink, on_pre="x += 1")
    synapses.connect("i == j")
    synapses.delay[:][1] = 0.3 * ms
    network, seen = Network(source, sink, synapses), []
    for _ in range(4):
        network.run(0.1 * ms)
        seen.append(sink.x[:])
    assert np.array(seen).tolist() == [[1, 0], [1, 0], [1, 0], [1, 1]]


def test_shared_values_and_what_is_not_there(grid):
    grid.g = 3
    grid.w = "g*2"
    assert grid.g == 3 and grid.w[:].tolist() == [6] * 12
    with pytest.raises(AttributeError, match="u_post"):
        getattr(grid, "u_post")  # noqa: B009
    with pytest.raises(EquationError, match="'u'"):
        grid.w = "u"
    with pytest.raises(AttributeError, match="did you mean 'w'"):
        grid.ww = 3
    with pytest.raises(RallError, match="cannot be set"):
        grid.i = 3
    with pytest.raises(RallError, match="takes one value or 12"):
        grid.w = [1, 2]


def test_a_subexpression_of_a_side_keeps_the_values_of_its_group():
    group = NeuronGroup(2, "x : 1\ny = x + a : 1", namespace={"a": 5})
    group.x = "i"
    a = 100  # noqa: F841
    synapses = Synapses(group, group, "w : 1")
    synapses.connect()
    synapses.w = "y_pre + a"
    assert synapses.w[:].tolist() == [105, 105, 106, 106]


def test_truth_values_integers_and_locals(spiking, target):
    source, group = spiking([2, 4], [3]), NeuronGroup(2, "v : 1")
    code = "step = int(on)*2\nv += step\nn += 1\non = n < 1 or not on"
    synapses = Synapses(source, group, "on : boolean\nn : integer", on_pre=code)
    synapses.connect()
    synapses.on = "i == j"
    Network(source, group, synapses).run(1 * ms)
    assert group.v[:].tolist() == [2, 4] and synapses.n[:].tolist() == [2, 2, 1, 1]
    assert synapses.on[:].tolist() == [True, False, True, False]


def test_names_in_code(spiking, target):
    source, group = spiking([2], [3]), NeuronGroup(3, "v : 1\nz = v + 1 : 1")
    code = "v += 1 + i + 10*j + 100*N_pre + 1000*N_post + 1e4*t_in_timesteps - z + v + 1"
    synapses = Synapses(source, group, on_pre=code)
    synapses.connect()
    Network(source, group, synapses).run(1 * ms)
    assert group.v[:].tolist() == [2 * (3200 + 10 * j) + 3 + 5e4 for j in range(3)]


# --- equations ----------------------------------------------------------------------------------------------------


def test_at_events_equations_are_exact_since_the_last_one(spiking, target):
    """x decays, y relaxes to a value of the synapse with a time constant of its own; code comes afterwards."""
    source = spiking([5, 12], [30])
    model = """
    dx/dt = -x/(2*ms) : 1 (event-driven)
    dy/dt = (goal - y)/tau : 1 (event-driven)
    tau : second
    goal : 1
    w : 1
    """
    synapses = Synapses(source, source, model, on_pre="w += y; x += 1", on_post="y += 1; w += 10*x")
    synapses.connect(i=[0, 1], j=[1, 0])
    synapses.tau, synapses.goal = [1, 3] * ms, [3, 4]
    Network(source, synapses).run(5 * ms)

    def relaxed(y, goal, tau, t):
        return goal + (y - goal) * np.exp(-t / tau)

    x = np.exp(-0.7 / 2) + 1
    y = relaxed(0, 3, 1, 1.2)
    assert synapses.w[0] == pytest.approx(relaxed(0, 3, 1, 0.5) + y + 10 * x * np.exp(-1.8 / 2), rel=1e-12)
    assert synapses.x[0] == pytest.approx(x * np.exp(-1.8 / 2), rel=1e-12)
    assert synapses.y[0] == pytest.approx(relaxed(y, 3, 1, 1.8) + 1, rel=1e-12)
    y = relaxed(relaxed(relaxed(0, 4, 3, 0.5) + 1, 4, 3, 0.7) + 1, 4, 3, 1.8)
    assert synapses.w[1] == pytest.approx(y, rel=1e-12)
    assert (synapses.lastupdate / ms) == pytest.approx([3, 3])


@pytest.mark.parametrize("slow", [2.0, 1.0])
def test_equations_that_drive_each_other_at_events(spiking, slow, target):
    """An alpha function, equal time constants included."""
    source = spiking([5, 30])
    model = "dy/dt = (z - y + 1)/ms : 1 (event-driven)\ndz/dt = (2 - z)/tau : 1 (event-driven)\ntau : second"
    synapses = Synapses(source, source, model, on_pre="z += 1")
    synapses.connect()
    synapses.tau = slow * ms
    Network(source, synapses).run(5 * ms)
    y, z = 0.0, 0.0
    for t in (0.5, 2.5):
        y, z, _ = linalg.expm(t * np.array([[-1, 1, 1], [0, -1 / slow, 2 / slow], [0, 0, 0]])) @ [y, z, 1]
        z += 1
    assert (synapses.y[0], synapses.z[0]) == (pytest.approx(y, rel=1e-12), pytest.approx(z, rel=1e-12))


@pytest.mark.parametrize(
    "model",
    ["dy/dt = -y**2/ms : 1 (event-driven)",
     "dy/dt = (z - y)/ms : 1 (event-driven)\ndz/dt = (y - z)/ms : 1 (event-driven)"],
)  # fmt: skip
def test_equations_that_have_no_formula(spiking, model):
    source = spiking([5])
    synapses = Synapses(source, source, model, on_pre="y += 1")
    synapses.connect()
    with pytest.raises(EquationError, match=r"Say \(clock-driven\)"):
        Network(source, synapses).run(0.1 * ms)


def test_a_network_begins_at_time_zero_whatever_ran_before(spiking, target):
    Network(NeuronGroup(1, "v : 1")).run(3 * ms)
    source = spiking([5])
    synapses = Synapses(source, source, "dy/dt = (3 - y)/ms : 1 (event-driven)", on_pre="y += 1")
    synapses.connect()
    assert synapses.lastupdate[0] == 0 * ms
    Network(source, synapses).run(1 * ms)
    assert synapses.y[0] == pytest.approx(3 * (1 - np.exp(-0.5)) + 1, rel=1e-12)


def test_in_every_step(spiking, traces, target):
    source, group = spiking([3]), NeuronGroup(1, "v : 1")
    group.v = 4
    synapses = Synapses(source, group, "dx/dt = (v_post - x)/(2*ms) : 1 (clock-driven)", on_pre="x = 0", method="euler")
    synapses.connect()
    x = traces(synapses, "x", 0.7 * ms, source, group)[0]
    rise = 4 * (1 - 0.95 ** np.arange(7))
    assert x == pytest.approx([*rise[:4], 0, *rise[1:3]])


def test_the_user_hears_that_equations_run_in_every_step():
    session.said.discard("driven")
    group = NeuronGroup(1, "v : 1")
    with pytest.warns(RallWarning, match=r"\(event-driven\)"):
        Synapses(group, group, "dx/dt = -x/ms : 1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Synapses(group, group, "dx/dt = -x/ms : 1 (clock-driven)")


def test_synapses_do_not_change_what_stands_still(spiking, target):
    source = spiking([1])
    group = NeuronGroup(2, "v : 1 \ndw/dt = 0/ms : 1 (unless refractory)", threshold="t_in_timesteps == 0 and i == 0",
                        refractory=1 * ms)  # fmt: skip
    synapses = Synapses(source, group, on_pre="v += 1; w += 1")
    synapses.connect()
    Network(source, group, synapses).run(0.5 * ms)
    assert (group.v[:].tolist(), group.w[:].tolist()) == ([1, 1], [0, 1])


def test_nothing_runs_without_connect(spiking):
    source = spiking([1])
    synapses = Synapses(source, source, on_pre="step0_post += 1")
    with pytest.raises(RallError, match="call its connect"):
        Network(source, synapses).run(0.1 * ms)
    empty = Synapses(spiking([1]), on_pre="step0_post += 1")
    empty.connect("i > 100")
    Network(empty.source, empty).run(0.2 * ms)
    assert len(empty) == 0


# --- plasticity ---------------------------------------------------------------------------------------------------

PAIR_RULE = """
w : 1
dpotential/dt = -potential/(20*ms) : 1 (event-driven)
ddepressing/dt = -depressing/(25*ms) : 1 (event-driven)
"""


def change(spiking, pre, post):
    """What the additive pair rule, all pairs, does to a weight; times in ms."""
    source = spiking([round(10 * t) for t in pre], [round(10 * t) for t in post])
    synapses = Synapses(source[:1], source[1:], PAIR_RULE, on_pre="potential += 0.01; w += depressing",
                        on_post="depressing -= 0.0105; w += potential")  # fmt: skip
    synapses.connect()
    Network(source, synapses).run((max(*pre, *post) + 1) * ms)
    return synapses.w[0]


def test_pairs(reference, spiking, target):
    known = reference("point.json")["stdp_pair"]
    for shift, expected in zip(known["dt_ms"], known["dw"]):
        assert change(spiking, [120], [120 + shift]) == pytest.approx(expected, abs=1e-12)


def test_triplets_and_trains(reference, spiking):
    known = reference("point.json")["stdp_trains"]
    for row in known["triplets"]:
        assert change(spiking, row["pre"], row["post"]) == pytest.approx(row["dw"], abs=1e-12)
    for row in known["rows"]:
        if row["f_Hz"] < 10:
            continue
        pre = [20 + 1000 / row["f_Hz"] * k for k in range(row["pairs"])]
        found = change(spiking, pre, [t + row["dt_ms"] for t in pre])
        assert found == pytest.approx(row["dw"], abs=1e-12)


# --- synapses onto synapses ---------------------------------------------------------------------------------------


def test_onto_synapses(spiking, target):
    source, group, teacher = spiking([3], [3]), NeuronGroup(2, "v : 1"), spiking([2])
    synapses = Synapses(source, group, "w : 1", on_pre="v += w")
    synapses.connect()
    synapses.w = "1 + i + 2*j"
    upper = Synapses(teacher, synapses, "x : 1", on_pre="w_post += x")
    upper.connect("i_post == 1 and w_post > 1")
    assert upper.j[:].tolist() == [2, 3] and (upper.N_post, upper.N_pre) == (4, 1)
    upper.x = "10*j_post + i_post + w_post"
    Network(source, group, teacher, synapses, upper).run(1 * ms)
    assert synapses.w[:].tolist() == [1, 3, 2 + 3, 4 + 15]
    assert group.v[:].tolist() == [1 + 5, 3 + 19]


def test_onto_synapses_that_are_made_later(spiking, target):
    """Those that were joined stay so; new ones are not joined by themselves."""
    source, group, teacher = spiking([3], [3]), NeuronGroup(2, "v : 1"), spiking([2])
    synapses = Synapses(source, group, "w : 1", on_pre="v += w")
    upper = Synapses(teacher, synapses, on_pre="w_post += 1")
    synapses.connect(i=0, j=0)
    upper.connect()
    synapses.connect(i=1, j=[0, 1])
    assert len(upper) == 1
    upper.connect("j > 1")
    assert upper.N_post == 3 and upper.N_incoming_post.tolist() == [1, 0, 1]
    Network(source, group, teacher, synapses, upper).run(1 * ms)
    assert synapses.w[:].tolist() == [1, 0, 1] and group.v[:].tolist() == [1, 1]


def test_from_synapses(target):
    group = NeuronGroup(2, "q : 1")
    lower = Synapses(group, group, "w : 1")
    lower.connect()
    lower.w = "i + 2*j"
    upper = Synapses(lower, group, "q_post = w_pre : 1 (summed)")
    upper.connect("j_pre == j")
    Network(group, lower, upper).run(0.1 * ms)
    assert group.q[:].tolist() == [1, 5]


# --- networks -----------------------------------------------------------------------------------------------------


def random_network():
    """A small recurrent network with random weights, delays and connections, and noise in its code."""
    group = NeuronGroup(60, "dv/dt = (1.1 - v)/(5*ms) : 1", threshold="v > 1", reset="v = 0", refractory=1 * ms)
    group.v = "rand()"
    synapses = Synapses(group, group, "w : 1", on_pre="v += w*(1 + 0.1*randn())", on_post="w *= 1 - 0.01*rand()")
    synapses.connect(p=0.2)
    synapses.w, synapses.delay = "0.2*rand() - 0.1", "rand()*2*ms"
    monitor = SpikeMonitor(group)
    return Network(group, synapses, monitor), monitor, synapses


def test_a_seed_gives_the_same_network_whatever_else_exists(target):
    found = []
    for _ in range(2):
        seed(21)
        network, monitor, synapses = random_network()
        network.run(15 * ms)
        found.append((network, monitor.i.tolist(), monitor.t_.tolist(), synapses.w[:].tolist()))
    assert found[0][1:] == found[1][1:] and len(found[0][1]) > 50


def test_devices_give_the_same_spikes():
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    found = []
    for device in ("numpy", "c"):
        prefs.codegen.target = device
        seed(22)
        network, monitor, synapses = random_network()
        network.run(15 * ms)
        found.append((monitor.i.tolist(), monitor.t_.tolist()))
        weights = synapses.w[:]
    assert found[0] == found[1]
    assert weights == pytest.approx(synapses.w[:])


def test_expressions_of_a_side_that_use_its_numbers(target):
    """Such as the rates of a PoissonGroup: the synapses' own ``i`` is not meant."""
    source = NeuronGroup(3, "x = 10*i : 1\nv : 1", threshold="True", reset="")
    sink = NeuronGroup(2, "y : 1")
    synapses = Synapses(source[1:], sink, "w : 1", on_pre="y_post += x_pre + 100*j")
    synapses.connect()
    Network(source, sink, synapses).run(0.1 * ms)
    np.testing.assert_array_equal(sink.y, [30.0, 230.0])
    assert synapses.x_pre[:].tolist() == [10, 10, 20, 20]
