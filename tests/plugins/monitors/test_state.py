"""StateMonitor: which values, where, when."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import IndexOutOfRangeError, RallError
from rall.plugins.monitors import StateMonitor
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
    assert list(monitor.record) == [11, 12, 13]
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


def test_integers_and_conditions_are_recorded_as_numbers(cell, target):
    monitor = StateMonitor(cell, ["n", "hot", "v"], record=True)
    Network(cell, monitor).run(4 * ms)
    assert (monitor.n[:, 0] == np.arange(cell.N) ** 2).all()
    assert (monitor.hot.astype(bool) == (monitor.v_ > -40e-3)).all()
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
    assert monitor.record.tolist() == [2, 4]
    assert StateMonitor(part, "v", record=1).record.tolist() == [3]
    assert StateMonitor(part, "v", record=True).record.tolist() == [2, 3, 4]
    cell.v = "i*mV"
    Network(cell, monitor).run(0.1 * ms)
    assert monitor[2].v_[0] == pytest.approx(4e-3)
    with pytest.raises(IndexOutOfRangeError, match="does not record element 3; it records 2, 4"):
        monitor[1]


def test_no_variables_are_refused(cell):
    with pytest.raises(RallError, match="needs the name of a variable"):
        StateMonitor(cell, [], record=0)
