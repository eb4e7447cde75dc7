"""StateMonitor: which values, where, when."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import IndexOutOfRangeError, RallError, RallWarning
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup, linked_var
from rall.plugins.synapses import Synapses
from rall.session import Clock
from rall.simulation import Network
from rall.units import ms, mV, um, volt


def test_values_at_the_beginning_of_steps(cell, target):
    monitor = StateMonitor(cell, "v", record=True)
    network = Network(cell, monitor)
    start = np.asarray(cell.v_)
    network.run(1 * ms)
    assert monitor.t_ == pytest.approx(np.arange(10) * 1e-4)
    assert monitor.v.shape == (cell.N, 10)
    assert (monitor.v_[:, 0] == start).all()
    network.run(0.1 * ms)
    assert monitor.v.shape == (cell.N, 11)
    assert not (monitor.v_[:, 10] == monitor.v_[:, 9]).any()


def test_values_at_the_end_of_steps(cell, target):
    monitor = StateMonitor(cell, "v", record=[0, 3], when="end")
    Network(cell, monitor).run(1 * ms)
    assert (monitor.v_[:, -1] == np.asarray(cell.v_)[[0, 3]]).all()


def test_units(cell):
    monitor = StateMonitor(cell, ["v", "Im", "m_Na"], record=[0])
    Network(cell, monitor).run(0.3 * ms)
    assert monitor.v.dim is volt.dim and monitor.t.dim is ms.dim
    assert (monitor.v / mV)[0] == pytest.approx(monitor.v_[0] * 1e3)
    assert isinstance(monitor.m_Na, np.ndarray) and monitor.m_Na.max() < 1


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (0, [0]), ([0, 5, 2], [0, 5, 2]), (np.array([3, 4]), [3, 4]), (slice(2, 5), [2, 3, 4]), (range(2), [0, 1]),
        ("axon", [16, 17, 18, 19, 20]), (False, []), (-1, [20]),
    ],
)  # fmt: skip
def test_which_elements(cell, record, expected, target):
    monitor = StateMonitor(cell, "v", record=record)
    Network(cell, monitor).run(0.2 * ms)
    assert list(monitor.record) == expected
    assert monitor.v.shape == (len(expected), 2)
    for row, k in enumerate(expected):
        assert monitor.v_[row, 0] == pytest.approx(-0.065 + 0.002 * np.sin(k))


def test_parts_of_cells(cell, morphology):
    monitor = StateMonitor(cell.dend.one, "v", record=True)
    other = StateMonitor(cell, "v", record=morphology.axon)
    third = StateMonitor(cell, "v", record=cell.axon)
    network = Network(cell, monitor, other, third)
    network.run(0.3 * ms)
    assert list(monitor.elements) == [11, 12, 13] and list(monitor.record) == [0, 1, 2]
    assert list(other.record) == [16, 17, 18, 19, 20] == list(third.record)
    assert (other.v_ == third.v_).all()


def test_rows_by_element(cell, morphology):
    monitor = StateMonitor(cell, "v", record=[5, 0])
    Network(cell, monitor).run(0.5 * ms)
    assert (monitor[0].v_ == monitor.v_[1]).all() and (monitor[5].v_ == monitor.v_[0]).all()
    assert monitor[5].v.shape == (5,) and monitor[[5, 0]].v.shape == (2, 5)
    assert (monitor[morphology.dend[90 * um]].v_ == monitor.v_[0]).all()
    with pytest.raises(IndexError, match="3"):
        monitor[3]


def test_voltage_at_places_is_interpolated(cell, morphology, target):
    inside, border = morphology.dend[30 * um], morphology.dend[40 * um]
    fork, tip = morphology.dend[200 * um], morphology.dend.one[50 * um]
    monitor = StateMonitor(cell, "v", record=[inside, border, fork, tip, 4])
    everywhere = StateMonitor(cell, "v", record=True)
    Network(cell, monitor, everywhere).run(3 * ms)
    v = everywhere.v_
    assert monitor.v_[0] == pytest.approx(v[2], rel=1e-12)
    assert monitor.v_[1] == pytest.approx(0.5 * (v[2] + v[3]), rel=1e-12)
    # A branch point: conductance-weighted mean of the three halves that meet there.
    g = np.array([2**2 / 10, 1**2 / (50 / 6), 0.5**2 / 15])
    mean = (g @ v[[10, 11, 14]]) / g.sum()
    assert monitor.v_[2] == pytest.approx(mean, rel=1e-12)
    # Nothing flows beyond a sealed end.
    assert monitor.v_[3] == pytest.approx(v[13], rel=1e-12)
    assert (monitor.v_[4] == v[4]).all()
    assert list(monitor.record) == [2, border.compartment, fork.compartment, 13, 4]


def test_gates_live_in_their_region(cell, target):
    monitor = StateMonitor(cell, ["m_Na", "alpha_m_Na"], record=True)
    assert list(monitor.record) == [0, 16, 17, 18, 19, 20]
    Network(cell, monitor).run(2 * ms)
    assert monitor.m_Na.shape == (6, 20) and np.isfinite(monitor.m_Na).all()
    v = np.asarray(cell.v_)[[0, 16]] * 1e3
    rate = 0.1 * (v + 40) / -np.expm1(-(v + 40) / 10) * 1e3
    assert np.asarray(cell.alpha_m_Na_)[[0, 16]] == pytest.approx(rate)
    with pytest.raises(RallError, match=r"m_Na.*dend|m_Na.*compartment 3"):
        StateMonitor(cell, "m_Na", record=[0, 3])


def test_subexpressions_and_currents(cell, target):
    monitor = StateMonitor(cell, ["Im", "I_leak", "v"], record=True)
    Network(cell, monitor).run(2 * ms)
    v = monitor.v_
    assert monitor.I_leak_ == pytest.approx(3.0 * (-54.3e-3 - v), rel=1e-9, abs=1e-12)
    # Away from sodium, potassium and the point current, Im is the leak.
    assert monitor.Im_[1:16] == pytest.approx(monitor.I_leak_[1:16], rel=1e-9, abs=1e-12)
    assert (np.abs(monitor.Im_[0] - monitor.I_leak_[0]) > 0.1).any()


def test_integers_and_conditions_keep_their_type(cell, target):
    monitor = StateMonitor(cell, ["n", "hot", "v"], record=True)
    Network(cell, monitor).run(4 * ms)
    assert (monitor.n[:, 0] == np.arange(cell.N) ** 2).all()
    assert monitor.n.dtype == np.int64 and monitor.hot.dtype == bool
    assert (monitor.hot == (monitor.v_ > -40e-3)).all()
    assert monitor.hot.any() and not monitor.hot.all()


def test_shared_values(cell):
    monitor = StateMonitor(cell, ["E_leak", "v"], record=[0, 1])
    network = Network(cell, monitor)
    network.run(0.2 * ms)
    cell.E_leak = -60 * mV
    network.run(0.2 * ms)
    assert monitor.E_leak_[0] == pytest.approx([-0.0543, -0.0543, -0.06, -0.06])
    assert monitor.E_leak_.shape[1] == 4


def test_everything(cell):
    monitor = StateMonitor(cell, True, record=[0])
    Network(cell, monitor).run(0.2 * ms)
    assert {"v", "m_Na", "h_Na", "n_K", "I_Na"} <= set(monitor.record_variables)
    assert not any(name.startswith("_") for name in monitor.record_variables)
    assert monitor.h_Na.shape == (1, 2)


def test_its_own_clock(cell, target):
    every = StateMonitor(cell, "v", record=[0])
    coarse = StateMonitor(cell, ["v", "m_Na"], record=[0], dt=0.5 * ms)
    third = StateMonitor(cell, "v", record=[0], clock=Clock(1 * ms))
    Network(cell, every, coarse, third).run(3 * ms)
    assert coarse.t_ == pytest.approx(np.arange(6) * 5e-4)
    assert (coarse.v_ == every.v_[:, ::5]).all()
    assert (third.v_ == every.v_[:, ::10]).all()


def test_one_record_by_hand(cell):
    monitor = StateMonitor(cell, ["v", "m_Na"], record=[0])
    network = Network(cell, monitor)
    network.run(0.5 * ms)
    monitor.record_single_timestep()
    assert monitor.t_[-1] == pytest.approx(5e-4)
    assert monitor.v_[0, -1] == np.asarray(cell.v_)[0]
    assert monitor.m_Na[0, -1] == np.asarray(cell.m_Na)[0]
    assert monitor.v.shape == (1, 6)


def test_one_record_by_hand_at_a_place(cell, morphology):
    place = morphology.dend[40 * um]
    monitor = StateMonitor(cell, "v", record=[place])
    monitor.record_single_timestep()
    v = np.asarray(cell.v_)
    assert monitor.v_[0, 0] == pytest.approx(0.5 * (v[2] + v[3]), rel=1e-12)


def test_mistakes(cell):
    with pytest.raises(RallError, match="vv"):
        StateMonitor(cell, "vv", record=True)
    with pytest.raises(RallError, match="group"):
        StateMonitor(3, "v", record=True)
    monitor = StateMonitor(cell, "v", record=[0])
    with pytest.raises(AttributeError, match="m_Na"):
        monitor.m_Na()
    with pytest.raises((RallError, IndexError)):
        StateMonitor(cell, "v", record=[99])


def test_nothing_recorded_yet(cell):
    monitor = StateMonitor(cell, "v", record=[0, 1])
    assert monitor.t.shape == (0,) and monitor.v.shape == (2, 0)


def test_long_runs_grow_the_table(cell):
    monitor = StateMonitor(cell, "v", record=[0], dt=0.01 * ms)
    cell.clock.dt = 1e-5
    Network(cell, monitor).run(200 * ms)
    assert monitor.v.shape == (1, 20000)
    assert monitor.t_ == pytest.approx(np.arange(20000) * 1e-5)


def test_numbers_count_the_elements_of_the_part(cell):
    part = cell[2:5]
    monitor = StateMonitor(part, "v", record=[0, 2])
    assert monitor.record.tolist() == [0, 2] and monitor.elements.tolist() == [2, 4]
    assert StateMonitor(part, "v", record=1).elements.tolist() == [3]
    assert StateMonitor(part, "v", record=True).record.tolist() == [0, 1, 2]
    cell.v = "i*mV"
    Network(cell, monitor).run(0.1 * ms)
    assert monitor[2].v_[0] == pytest.approx(4e-3)
    with pytest.raises(IndexOutOfRangeError, match="does not record element 1; it records 0, 2"):
        monitor[1]


def test_no_variables_are_refused(cell):
    with pytest.raises(RallError, match="needs the name of a variable"):
        StateMonitor(cell, [], record=0)


@pytest.fixture
def group():
    """Four neurons with variables of every kind."""
    model = """
    dv/dt = -v/(10*ms) : volt
    n : integer
    odd : boolean
    level : 1 (shared)
    fixed : 1 (constant)
    twice = 2*v : volt
    scaled = 3*level : 1 (shared)
    low = v < 1.5*mV : boolean
    other : volt (linked)
    """
    made = NeuronGroup(4, model, method="exact")
    made.v, made.n, made.odd, made.level, made.fixed = "i*mV", "3*i", "i % 2 == 1", 7, "i + 0.5"
    source = NeuronGroup(4, "w : volt")
    source.w = "-i*mV"
    made.other = linked_var(source, "w")
    made.add_attribute("source")
    made.source = source
    return made


def test_variables_of_every_kind(group, target):
    names = ["v", "n", "odd", "level", "fixed", "twice", "scaled", "low", "other"]
    monitor = StateMonitor(group, names, record=[3, 1])
    Network(group, group.source, monitor).run(0.3 * ms)
    assert {n: getattr(monitor, n).shape for n in names} == dict.fromkeys(names, (2, 3))
    assert [getattr(monitor, n).dtype.kind for n in names] == list("fibffffbf")
    assert monitor.n[:, 0].tolist() == [9, 3] and monitor.odd[:, 2].tolist() == [True, True]
    assert (monitor.level == 7).all() and (monitor.scaled == 21).all()
    assert monitor.fixed[:, 1].tolist() == [3.5, 1.5]
    assert monitor.twice_ == pytest.approx(2 * monitor.v_)
    assert monitor.low[:, 0].tolist() == [False, True]
    assert monitor.other_[:, 0] == pytest.approx([-3e-3, -1e-3]) and monitor.other.dim is volt.dim
    assert monitor.N == len(monitor) == 3
    assert monitor[1].n.tolist() == [3, 3, 3] and monitor[[1, 3]].n[:, 0].tolist() == [3, 9]
    assert (monitor[1].t_ == monitor.t_).all()


def test_all_variables_of_the_equations(group):
    monitor = StateMonitor(group, True, record=0)
    assert set(monitor.record_variables) == set("v n odd level fixed twice scaled low other".split())


@pytest.mark.parametrize(
    ("record", "expected"), [("v > 1.5*mV", [2, 3]), ("odd", [1, 3]), (True, [0, 1, 2, 3]), ((2, 0), [2, 0])]
)  # fmt: skip
def test_conditions_choose(group, record, expected):
    assert StateMonitor(group, "v", record=record).record.tolist() == expected


def test_parts_choose_and_are_recorded(group, target):
    chosen, part = StateMonitor(group, "v", record=group[1:3]), StateMonitor(group[1:], "v", record="i > 0")
    inside = StateMonitor(group[1:], "v", record=group[2:3])
    Network(group, group.source, chosen, part, inside).run(0.1 * ms)
    assert chosen.record.tolist() == [1, 2] and chosen.v_[:, 0] == pytest.approx([1e-3, 2e-3])
    assert part.record.tolist() == [1, 2] and part.v_[:, 0] == pytest.approx([2e-3, 3e-3])
    assert inside.record.tolist() == [1] and inside.v_[:, 0] == pytest.approx([2e-3])
    with pytest.raises(IndexOutOfRangeError, match=r"neuron 0 .* is no part of"):
        StateMonitor(group[1:], "v", record=group[:1])


def test_a_condition_that_holds_nowhere_is_told(group):
    with pytest.warns(RallWarning, match="records nothing: 'v > 1\\*volt'"):
        StateMonitor(group, "v", record="v > 1*volt")


@pytest.fixture
def joined():
    """Three neurons that spike now and then, and synapses between different ones."""
    group = NeuronGroup(3, "v : volt\nrate : Hz", threshold="v > 2.5*mV", reset="")
    group.v = "(i + 1)*mV"
    made = Synapses(group, group, "w : 1\nbig = w > 15 : boolean", on_pre="w += 1")
    return group, made


def test_synapses(joined, target):
    group, synapses = joined
    later = StateMonitor(synapses, "w", record=True)
    synapses.connect(condition="i != j")
    synapses.w = "10*i + j"
    row = StateMonitor(synapses, ["w", "big"], record=synapses[2, :])
    where = StateMonitor(synapses, "w", record=synapses["i == 1"])
    ends = StateMonitor(synapses, ["v_pre", "v_post", "v"], record=True)
    Network(group, synapses, later, row, where, ends).run(0.3 * ms)
    assert later.record.tolist() == [0, 1, 2, 3, 4, 5] and later.w[:, 0].tolist() == [1, 2, 10, 12, 20, 21]
    # Neuron 2 spikes in every step.
    assert row.w.tolist() == [[20, 21, 22], [21, 22, 23]] and row.big.all() and row.big.dtype == bool
    assert where.w[:, 2].tolist() == [10, 12]
    assert (ends.v_pre / mV)[:, 0] == pytest.approx([1, 1, 2, 2, 3, 3])
    assert (ends.v_post / mV)[:, 1] == pytest.approx([2, 3, 1, 3, 1, 2]) and (ends.v == ends.v_post).all()
    assert row[synapses[2, 1]].w.shape == (1, 3)
    ends.record_single_timestep()
    assert ends.v_post.shape == (6, 4) and (ends.v_post_[:, 3] == ends.v_post_[:, 2]).all()


def test_expressions_of_other_groups_with_values_of_the_script():
    offset = 5 * mV
    source = NeuronGroup(2, "y = x - offset : volt\nx : volt")
    source.x = [7, 9] * mV
    synapses = Synapses(source, source, "y_there : volt (linked)")
    synapses.connect(i=[0, 1], j=[1, 0])
    synapses.y_there = linked_var(source, "y", index=[1, 0])
    monitor = StateMonitor(synapses, ["y_post", "y_there"], record=True)
    Network(source, synapses, monitor).run(0.1 * ms)
    assert offset / mV == 5
    np.testing.assert_allclose(monitor.y_post / mV, [[4], [2]])
    np.testing.assert_allclose(monitor.y_there / mV, [[4], [2]])


def test_recordings_are_restored(group):
    monitor = StateMonitor(group, ["v", "n"], record=True)
    network = Network(group, group.source, monitor)
    network.run(0.5 * ms)
    network.store()
    before = monitor.v_.copy()
    network.run(0.5 * ms)
    network.restore()
    assert len(monitor) == 5 and (monitor.v_ == before).all()


def test_what_was_given_out_stays_when_a_run_goes_on(group):
    monitor = StateMonitor(group, "v", record=True)
    network = Network(group, group.source, monitor)
    network.run(1 * ms)
    kept, copy = monitor.v_, monitor.v_.copy()
    drawn = monitor[0].v_
    drawn[3] = 100
    assert (monitor.v_ == copy).all()
    for _ in range(5):
        network.run(1 * ms)
        assert monitor.v_[:, :10].tolist() == copy.tolist()
    assert (kept == copy).all() and len(monitor) == 60
