"""Labels and regions of a cell: in conditions, values, equations, and as parts of it."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, EquationError, IndexOutOfRangeError, RallError
from rall.session import seed
from rall.simulation import Network
from rall.units import ms, mV, nA, um

POINT = "I : amp (point current)"


@pytest.fixture
def labelled(tree):
    tree.label("zone", "basal and distance > 50*um")
    tree.label("far_zone", "zone and distance > 100*um")
    return tree


def test_labels_stand_in_conditions_and_values(labelled, cell_of):
    cell = cell_of(labelled, POINT)
    distance = np.asarray(cell.distance_)
    zone = np.asarray(cell["basal"].indices)
    zone = zone[distance[zone] > 50e-6]
    assert 0 < len(zone) < cell.N
    assert list(cell["zone"].indices) == list(zone)
    assert list(cell["zone and distance > 100*um"].indices) == list(zone[distance[zone] > 100e-6])
    assert list(cell["far_zone"].indices) == list(zone[distance[zone] > 100e-6])
    cell.v = "-65*mV + zone*5*mV"
    assert np.asarray(cell.v_)[zone] == pytest.approx(-0.060)
    assert np.asarray(cell.v_)[0] == pytest.approx(-0.065)
    assert list(cell.zone.indices) == list(zone)
    cell.zone.I = 1 * nA
    assert np.count_nonzero(np.asarray(cell.I_)) == len(zone)


def test_labels_stand_in_equations_and_in_keys_of_the_model(labelled, cell_of):
    cell = cell_of(labelled, {"all": "I = zone*nA : amp (point current)", "zone and not axon": "k : 1"})
    assert list(np.flatnonzero(np.asarray(cell.I_))) == list(cell.zone.indices)
    assert list(np.flatnonzero(~np.isnan(np.asarray(cell.k)))) == list(cell.zone.indices)
    Network(cell).run(1 * ms)
    assert np.asarray(cell.v_)[cell.zone.indices].mean() > np.asarray(cell.v_)[0]


def test_labels_that_come_or_change_later(labelled, cell_of):
    cell = cell_of(labelled, POINT)
    labelled.label("late", "soma")
    assert list(cell["late or soma"].indices) == [0]
    labelled.label("late", "axon")
    assert list(cell["late and axon"].indices) == list(cell["axon"].indices)
    labelled.label("high", "v > -50*mV")
    cell.v = -65 * mV
    assert cell["high"].N == 0
    cell.v[3] = 0 * mV
    assert list(cell["high"].indices) == [3]


def test_wrong_labels_are_named(tree, cell_of):
    tree.label("wrong", "somaa")
    with pytest.raises(EquationError, match=r"in the label 'wrong'.*'somaa' is not known.*'soma'"):
        cell_of(tree, POINT)
    tree.label("wrong", "distance")
    with pytest.raises(EquationError, match="'wrong' must stand for a condition"):
        cell_of(tree, POINT)
    tree.label("wrong", "wrong or soma")
    with pytest.raises(EquationError, match="'wrong' is defined by itself"):
        cell_of(tree, POINT)


def test_a_region_is_all_of_it(tree, cell_of):
    cell = cell_of(tree, POINT)
    assert cell.basal.N == np.count_nonzero(np.asarray(cell.basal)) == cell["basal"].N != cell.dend.N
    cell.soma.I = 2 * nA
    assert list(np.flatnonzero(np.asarray(cell.I_))) == [0]


def test_nothing_can_be_set_where_nothing_is(stick, cell_of):
    cell = cell_of(stick, POINT)
    assert not np.asarray(cell.apical).any()
    with pytest.raises(RallError, match="'I' cannot be set in 'apical'"):
        cell.apical.I = 1 * nA
    with pytest.raises(RallError, match="there is nothing at 'distance > 1"):
        cell.at("distance > 1*meter")
    with pytest.raises(EquationError, match="empty dictionary"):
        cell_of(stick, {})
    for wrong in (1000, 1.5):
        with pytest.raises(IndexOutOfRangeError, match="has 16 elements"):
            cell[wrong]


def test_unknown_names_are_shown_in_their_line(stick, cell_of):
    cell = cell_of(stick, "I = x_1*amp : amp (point current)")
    with pytest.raises(EquationError, match=r"'x_1' is not known(.|\n)*I = x_1\*amp(.|\n)*\^"):
        Network(cell).run(1 * ms)
    with pytest.raises(EquationError, match=r"'distnce' is not known.*\n\s+distnce > 1\*um\n\s+\^"):
        cell["distnce > 1*um"]


def test_time_and_length_constant(stick, cell_of):
    cell = cell_of(stick, "Im = -1*siemens/metre**2*v : amp/metre**2")
    Network(cell).run(1 * ms)
    assert cell.t == 1 * ms and cell.t_in_timesteps == round(1 * ms / cell.dt)
    ratio = cell.space_constant[3] / np.sqrt(2 * um / (4 * cell.Ri[3] * cell.Cm[3] / cell.time_constant[3]))
    assert ratio == pytest.approx(1)


def test_the_same_seed_gives_the_same_values(stick, cell_of):
    cell = cell_of(stick, POINT)
    drawn = []
    for number in (1, 1, 2):
        seed(number)
        cell.v = "randn()*mV"
        drawn.append(np.asarray(cell.v_).copy())
    cell.v = "randn()*mV"
    assert (drawn[0] == drawn[1]).all()
    assert not np.isin(drawn[2], drawn[0]).any() and not np.isin(np.asarray(cell.v_), drawn[2]).any()


def test_the_step_of_a_cells_clock_is_set_elsewhere(stick, cell_of):
    cell = cell_of(stick, POINT)
    with pytest.raises(RallError, match=r"defaultclock\.dt"):
        cell.clock.dt = 0.1 * ms
    with pytest.raises(DimensionMismatchError, match="must be a time"):
        Network(cell).run("1*ms")


def test_functions_of_the_user_are_refused_by_name(stick, cell_of):
    def twice(x: float) -> float:
        return 2 * x

    twice.result = lambda *dimensions: dimensions[0]
    cell = cell_of(stick, POINT, namespace={"twice": twice})
    with pytest.raises(EquationError, match="'twice'"):
        cell.v = "twice(1)*mV"
