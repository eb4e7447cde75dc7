"""Parts of cells: subtrees, slices of distances, places, conditions, numbers; setting and reading there."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, RallError
from rall.morphology import Cylinder, Morphology, Section, Soma
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import cm, meter, mS, ms, mV, nA, ohm, pA, second, uF, um

POINT = "I : amp (point current)\nk : integer\nflag : boolean\nx : 1"


@pytest.fixture
def cell(stick, cell_of):
    return cell_of(stick, POINT)


def test_numbers_of_compartments(cell, stick):
    assert cell.N == len(cell) == 16
    assert list(cell.dend.indices) == list(range(1, 11))
    assert list(cell.axon.indices) == list(range(11, 16))
    assert list(cell.main.indices) == [0]
    assert cell.dend.N == len(cell.dend) == 10
    assert list(cell.dend.main.indices) == list(range(1, 11))


def test_a_section_as_an_index_is_that_section_alone(cell, stick):
    """What hangs on it is reached by name, as an attribute of the cell."""
    cell.x = "i"
    assert list(cell[stick].indices) == [0] and list(cell[stick.dend].indices) == list(range(1, 11))
    assert cell.x[stick.axon].tolist() == list(range(11, 16))
    monitor = StateMonitor(cell, "x", record=[0, 3])
    Network(cell, monitor).run(0.2 * ms)
    assert monitor[stick].x.tolist() == [0, 0]
    assert StateMonitor(cell, "x", record=stick.axon).record.tolist() == list(range(11, 16))


def test_slices_by_distance(cell, stick):
    assert list(cell.dend[0 * um : 40 * um].indices) == [1, 2]
    assert list(cell.dend[100 * um : 200 * um].indices) == [6, 7, 8, 9, 10]
    assert list(cell.dend[:60 * um].indices) == [1, 2, 3]
    assert list(cell.dend[50 * um].indices) == [3]
    cell.dend[50 * um : 100 * um].I = 1 * nA
    assert (np.flatnonzero(np.asarray(cell.I_)) == np.array(stick.dend[50 * um : 100 * um].indices)).all()


def test_slices_by_number(cell):
    assert list(cell.dend[2:4].indices) == [3, 4]
    assert list(cell[3:5].indices) == [3, 4]
    assert list(cell[3].indices) == [3]
    assert list(cell[[1, 5]].indices) == [1, 5]
    assert list(cell[np.arange(16) > 13].indices) == [14, 15]
    assert list(cell.dend[[0, 9]].indices) == [1, 10]
    assert list(cell.dend[-1].indices) == [10]


def test_conditions(cell):
    assert list(cell["axon and distance > 45*um"].indices) == [13, 14, 15]
    cell.I["dend and distance < 30*um"] = 2 * nA
    assert np.flatnonzero(np.asarray(cell.I_)).tolist() == [1]
    assert list(cell.dend["distance > 140*um"].indices) == [8, 9, 10]


def test_places_and_parts_of_morphologies_are_indices(cell, stick):
    place = stick.dend[105 * um]
    cell.I[place] = 1 * nA
    assert np.flatnonzero(np.asarray(cell.I_)).tolist() == [place.compartment] == [6]
    assert cell.v[place].shape == ()
    cell.x[stick.axon] = 3
    assert np.flatnonzero(np.asarray(cell.x)).tolist() == [11, 12, 13, 14, 15]
    cell.x = 0
    cell.x[stick.dend[0 * um : 40 * um]] = 1
    assert np.flatnonzero(np.asarray(cell.x)).tolist() == [1, 2]
    assert list(cell[stick.axon].indices) == [11, 12, 13, 14, 15]
    assert list(cell.at(stick.axon).indices) == [11]
    assert list(cell.at("dend").indices) == [1]


def test_samples_are_indices(tree, cell_of):
    cell = cell_of(tree, POINT)
    for sample in (1, 4, 7, 9):
        cell.x[tree.sample(sample)] = sample
    assert sorted(set(np.asarray(cell.x))) == [0, 1, 4, 7, 9]
    assert np.asarray(cell.x)[0] == 1


def test_nested_parts():
    morphology = Soma(diameter=10 * um)
    morphology.a = Cylinder(diameter=1 * um, length=50 * um, n=5)
    morphology.a.b = Cylinder(diameter=1 * um, length=30 * um, n=3)
    morphology.a.c = Cylinder(diameter=1 * um, length=20 * um, n=2)
    cell = SpatialNeuron(morphology=morphology, model=POINT)
    assert list(cell.a.indices) == list(range(1, 11))
    assert list(cell.a.main.indices) == [1, 2, 3, 4, 5]
    assert list(cell.a.b.indices) == [6, 7, 8]
    assert list(cell.a.c.indices) == [9, 10]
    cell.a.v = -60 * mV
    cell.a.b.v = -50 * mV
    cell.a.main.v = -40 * mV
    assert np.asarray(cell.v_) * 1e3 == pytest.approx([0, *[-40] * 5, *[-50] * 3, *[-60] * 2])
    assert np.asarray(cell.a.b.distance_) == pytest.approx(np.array([55, 65, 75]) * 1e-6)


def test_values_as_text(cell):
    cell.v = "-70*mV + distance/um*0.1*mV"
    assert np.asarray(cell.v_) == pytest.approx(-0.07 + np.asarray(cell.distance_) * 1e6 * 1e-4)
    cell.v["axon"] = "-60*mV"
    assert np.asarray(cell.v_)[11:] == pytest.approx(-0.06)
    cell.dend.v = "-50*mV + i*mV"
    assert np.asarray(cell.v_)[1:11] == pytest.approx(-0.05 + np.arange(1, 11) * 1e-3)
    cell.x = "rand()"
    first = np.asarray(cell.x)
    assert len(set(first)) == 16 and (first >= 0).all() and (first < 1).all()
    offset = 3 * mV
    cell.v = "offset + 1*mV"
    assert np.asarray(cell.v_) == pytest.approx(0.004)
    assert offset == 3 * mV


def test_integers_booleans_and_arithmetic(cell):
    cell.k = "i % 3"
    assert np.asarray(cell.k).tolist() == [i % 3 for i in range(16)]
    assert np.asarray(cell.k).dtype.kind == "i"
    cell.flag["k == 1"] = True
    assert np.asarray(cell.flag).tolist() == [i % 3 == 1 for i in range(16)]
    cell.v = -70 * mV
    cell.v += 5 * mV
    assert np.asarray(cell.v_) == pytest.approx(-0.065)
    cell.dend.v *= 2
    assert np.asarray(cell.v_)[[0, 1, 11]] == pytest.approx([-0.065, -0.13, -0.065])
    assert (cell.v - cell.v[0])[0] == 0 * mV


def test_geometry_can_be_read_and_not_set(cell, stick):
    assert np.asarray(cell.area_).sum() == pytest.approx(np.pi * (400 + 2 * 200 + 100) * 1e-12)
    assert np.asarray(cell.length_)[1:11] == pytest.approx(20e-6)
    assert np.asarray(cell.diameter_)[11:] == pytest.approx(1e-6)
    assert np.asarray(cell.volume_)[1] == pytest.approx(np.pi * 20e-18)
    assert np.asarray(cell.distance_)[1:11] == pytest.approx((np.arange(10) + 0.5) * 20e-6)
    assert cell.area.dim is (1 * meter**2).dim
    for name in ("area", "distance", "N", "i"):
        with pytest.raises((RallError, AttributeError)):
            setattr(cell, name, 1)


def test_a_part_knows_its_variables(cell):
    with pytest.raises(AttributeError, match="vv"):
        cell.dend.vv()
    with pytest.raises(AttributeError, match="vv"):
        cell.dend.vv = 3
    with pytest.raises(AttributeError, match="nothing"):
        cell.nothing()
    with pytest.raises(AttributeError, match="other"):
        cell.other = 1


@pytest.mark.parametrize(
    ("name", "value"), [("v", 3 * nA), ("v", 3), ("I", 1 * mV), ("Cm", 1 * ohm), ("v", [1, 2, 3] * mV)]
)
def test_values_that_do_not_fit(cell, name, value):
    with pytest.raises(RallError, match=f"'{name}'"):
        setattr(cell, name, value)


def test_indices_that_are_none(cell, stick):
    other = Cylinder(diameter=1 * um, length=50 * um, n=3)
    for item in (99, "nowhere", 3 * second, [1, 99]):
        with pytest.raises((RallError, IndexError)):
            cell.v[item]
    with pytest.raises(RallError):
        cell.I[other[10 * um]] = 1 * nA


# --- constants of the cable ------------------------------------------------------------------------------------


def test_capacitance_and_resistivity_for_each_compartment(tree, cell_of):
    texts = cell_of(tree, POINT, Cm="1*uF/cm**2*(1 + int(apical))", Ri="100*ohm*cm + distance/(1*um)*ohm*cm")
    apical = texts.variables["apical"].get()
    cm2 = np.where(apical, 0.02, 0.01)
    assert np.asarray(texts.Cm_) == pytest.approx(cm2)
    assert np.asarray(texts.Ri_) == pytest.approx(1 + np.asarray(texts.distance_) * 1e4)
    arrays = cell_of(tree, POINT, Cm=np.where(apical, 2, 1) * uF / cm**2, Ri=texts.Ri[:])
    assert np.asarray(arrays.Cm_) == pytest.approx(cm2)
    assert np.asarray(arrays.Ri_) == pytest.approx(np.asarray(texts.Ri_))


def test_booleans_count_as_numbers_in_constants(tree, cell_of):
    cell = cell_of(tree, POINT, Cm="1*uF/cm**2 * (1 + apical)")
    apical = cell.variables["apical"].get()
    assert np.asarray(cell.Cm_) == pytest.approx(np.where(apical, 0.02, 0.01))


@pytest.mark.parametrize("bad", [1 * ohm, 1 * uF, "1*mV", 0 * uF / cm**2, -1 * uF / cm**2, [1, 2] * uF / cm**2])
def test_capacitances_that_do_not_fit(tree, cell_of, bad):
    with pytest.raises(RallError, match=r"Cm|needed"):
        cell_of(tree, POINT, Cm=bad)


@pytest.mark.parametrize("bad", [1 * ohm, "1*ohm", 0 * ohm * cm])
def test_resistivities_that_do_not_fit(tree, cell_of, bad):
    with pytest.raises(RallError, match=r"Ri|needed"):
        cell_of(tree, POINT, Ri=bad)


def test_wrong_dimension_is_that_kind_of_error(tree, cell_of):
    with pytest.raises(DimensionMismatchError):
        cell_of(tree, POINT, Cm=1 * ohm)


def test_defaults_of_the_constructor(stick, cell_of):
    cell = SpatialNeuron(stick, POINT)
    assert np.asarray(cell.Cm_) == pytest.approx(0.009)
    assert np.asarray(cell.Ri_) == pytest.approx(1.5)
    assert np.asarray(cell.v_) == pytest.approx(0)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        (dict(morphology=None, model=POINT), "morphology"),
        (dict(model=None), "model"),
        (dict(model=POINT, cable_method="magic"), "magic"),
        (dict(model=POINT, threshold_location=[1, 2], threshold="v > 0*mV"), "one compartment"),
        (dict(model=POINT, reset="v = 0*mV"), "threshold"),
        (dict(model=POINT, refractory=2 * second), "threshold"),
    ],
)
def test_arguments_that_do_not_fit(stick, keywords, words):
    with pytest.raises(RallError, match=words):
        SpatialNeuron(**{"morphology": stick, **keywords})


def test_initialise(stick, cell_of, squid):
    cell = cell_of(stick, squid)
    cell.initialise(v="-65*mV + 10*mV*int(axon)")
    v = np.asarray(cell.v_) * 1e3
    alpha, beta = 0.07 * np.exp(-(v + 65) / 20), 1 / (1 + np.exp(-(v + 35) / 10))
    assert np.asarray(cell.h_Na) == pytest.approx(alpha / (alpha + beta), rel=1e-12)
    assert v[0] == pytest.approx(-65) and v[-1] == pytest.approx(-55)


def test_initialise_of_coupled_and_nonlinear_equations(stick, cell_of):
    cell = cell_of(stick, "da/dt = (b - a)/(5*ms) : 1\ndb/dt = (0.5 + 0.1*a - b)/(9*ms) : 1")
    cell.initialise(v=-65 * mV)
    assert np.asarray(cell.a) == pytest.approx(0.5 / 0.9)
    assert np.asarray(cell.b) == pytest.approx(0.5 / 0.9)
    cell = cell_of(stick, "da/dt = (1 - a**2)/(5*ms) : 1")
    with pytest.raises(RallError, match="'a'"):
        cell.initialise(v=-65 * mV)


def test_trees_of_every_kind_can_be_cells(cell_of):
    for morphology in (
        Soma(diameter=10 * um),
        Cylinder(diameter=1 * um, length=10 * um),
        Cylinder(diameter=1 * um, length=10 * um, n=2),
        Section(diameter=[2, 1, 3] * um, length=[10, 20] * um, n=2),
        Morphology.from_points([(1, "dend", 0, 0, 0, 2, -1), (2, "dend", 9, 0, 0, 2, 1), (3, "axon", 9, 9, 0, 1, 2)]),
    ):
        cell = cell_of(morphology, POINT)
        cell.I = 10 * pA
        assert cell.N == morphology.total_compartments
        assert cell.cable_method_used == "second_order"
        cell.v = -65 * mV
        Network(cell).run(0.1 * ms)
        assert (np.asarray(cell.v_) > -65e-3).all()


def test_time_constant(stick, cell_of):
    cell = cell_of(stick, "Im = g*(-70*mV - v) : amp/meter**2\ng : siemens/meter**2")
    cell.g = 0.1 * mS / cm**2
    assert np.asarray(cell.time_constant) == pytest.approx(10e-3)
