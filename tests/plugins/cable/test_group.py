"""Groups of cells: numbers of compartments, views of cells, one compartment of each, values, mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import EquationError, IndexOutOfRangeError, RallError
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron, SpatialNeuronGroup
from rall.plugins.monitors import StateMonitor
from rall.plugins.viewer import view3d
from rall.simulation import Network
from rall.units import cm, ms, mV, nA, pA, uF, um

POINT = "I : amp (point current)\nx : 1\nk : integer"


@pytest.fixture
def cells(stick, group_of):
    """Five sticks of 16 compartments."""
    return group_of(stick, POINT, 5)


@pytest.fixture
def mixed(stick, tree, bare, group_of):
    """Sticks, trees and one without a soma."""
    return group_of([stick, tree, bare, tree, stick], POINT)


def numbers(values):
    return np.asarray(values).tolist()


# --- all cells -------------------------------------------------------------------------------------------------


def test_compartments_are_flat_cell_by_cell(cells, mixed, stick, tree, bare):
    assert (cells.n_cells, cells.N, len(cells)) == (5, 80, 5)
    assert cells.offset.tolist() == [0, 16, 32, 48, 64, 80]
    assert numbers(cells.cell_index) == np.repeat(np.arange(5), 16).tolist()
    sizes = [m.total_compartments for m in (stick, tree, bare, tree, stick)]
    assert mixed.offset.tolist() == [0, *np.cumsum(sizes)]
    assert numbers(mixed.cell_index) == np.repeat(np.arange(5), sizes).tolist()
    assert np.asarray(mixed.i).tolist() == list(range(sum(sizes)))


def test_geometry_is_that_of_each_cell(mixed, stick, tree, bare):
    for name in ("area", "length", "diameter", "distance", "volume", "branch_order"):
        expected = []
        for morphology in (stick, tree, bare, tree, stick):
            values, _ = morphology.variables()[name]
            expected.append(values)
        assert np.asarray(getattr(mixed, name)) == pytest.approx(np.concatenate(expected), rel=1e-12), name


def test_one_cell_is_the_case_of_one(stick, cell_of, group_of):
    one, group = cell_of(stick, POINT), group_of(stick, POINT, 1)
    assert numbers(one.cell_index) == [0] * 16
    assert (one.n_cells, group.n_cells, one.N, group.N) == (1, 1, 16, 16)
    assert numbers(one.branch_order) == numbers(group.branch_order)
    assert one.morphology is stick and group.morphology is stick


def test_morphologies_are_one_or_a_list(cells, mixed, stick, tree, bare):
    assert cells.morphology is stick
    assert all(a is b for a, b in zip(mixed.morphology, [stick, tree, bare, tree, stick], strict=True))
    assert mixed[2].morphology is bare and mixed[1:4:2].morphology is tree


def test_texts_know_the_cell(stick, group_of):
    cells = group_of(
        stick, POINT, 3, Cm="1*uF/cm**2*(1 + 0.5*cell_index)", Ri="(100 + 50*(cell_index == 2))*ohm*cm"
    )
    assert np.asarray(cells.Cm_) == pytest.approx(np.repeat([0.01, 0.015, 0.02], 16))
    assert np.asarray(cells.Ri_) == pytest.approx(np.repeat([1.0, 1.0, 1.5], 16))
    cells.v = "-70*mV + cell_index*mV"
    assert np.asarray(cells.v_)[[0, 16, 47]] == pytest.approx([-0.07, -0.069, -0.068])
    cells.I["soma and cell_index >= 1"] = 1 * nA
    assert np.flatnonzero(np.asarray(cells.I_)).tolist() == [16, 32]


def test_arrays_are_flat(cells):
    cells.x = np.arange(80)
    assert cells.x[17] == 17 and numbers(cells[1].x[:2]) == [16, 17]
    cells.x[3] = -1
    assert numbers(cells.x[:5]) == [0, 1, 2, -1, 4]


def test_regions_of_all_cells(mixed, stick, tree, bare):
    axons = np.concatenate([mixed.offset[c] + np.flatnonzero(m.flatten().type == 2)
                            for c, m in enumerate((stick, tree, bare, tree, stick))])  # fmt: skip
    assert mixed.axon.indices.tolist() == axons.tolist()
    assert np.flatnonzero(np.asarray(mixed.axon)).tolist() == axons.tolist()
    mixed.axon.x = 4
    assert np.flatnonzero(np.asarray(mixed.x)).tolist() == axons.tolist()
    assert mixed["axon"].indices.tolist() == axons.tolist()
    assert mixed["axon and cell_index == 4"].indices.tolist() == axons[axons >= mixed.offset[4]].tolist()
    assert mixed.L.indices.tolist() == (mixed.offset[2] + np.arange(3, 7)).tolist()
    assert mixed.main.indices.tolist() == [0, 16, *(mixed.offset[2] + np.arange(3)), mixed.offset[3], mixed.offset[4]]


def test_places_and_sections_mean_all_cells_that_have_them(cells, mixed, stick, bare):
    place = stick.dend[105 * um]
    cells.x[place] = 1
    assert np.flatnonzero(np.asarray(cells.x)).tolist() == [6, 22, 38, 54, 70]
    mixed.x[place] = 1
    assert np.flatnonzero(np.asarray(mixed.x)).tolist() == [6, mixed.offset[4] + 6]
    mixed.x[bare.R] = 2
    assert np.flatnonzero(np.asarray(mixed.x) == 2).tolist() == [mixed.offset[2] + 7, mixed.offset[2] + 8]
    mixed.x[bare.L[20 * um : 60 * um]] = 3
    assert np.flatnonzero(np.asarray(mixed.x) == 3).tolist() == [mixed.offset[2] + 4, mixed.offset[2] + 5]


def test_labels_of_each_morphology(stick, tree, group_of):
    stick.label("spot", "dend and distance > 150*um")
    stick.label("here", "distance < 45*um")
    tree.label("here", "axon and distance > 40*um")
    cells = group_of([tree, stick, tree], POINT + "\ny = int(here) : 1")
    d, cell = np.asarray(cells.distance_), np.asarray(cells.cell_index)
    spot = np.flatnonzero((cell == 1) & np.asarray(cells.basal) & (d > 150e-6))
    assert len(spot) == 2 and cells.spot.indices.tolist() == spot.tolist()
    here = np.where(cell == 1, d < 45e-6, np.asarray(cells.axon) & (d > 40e-6))
    assert 0 < here.sum() < cells.N
    assert np.asarray(cells.here).tolist() == here.tolist()
    assert np.asarray(cells.y).tolist() == here.tolist()
    assert cells[1].here.indices.tolist() == np.flatnonzero(here & (cell == 1)).tolist()
    with pytest.raises(RallError, match="cells 0, 2"):
        cells.at("spot")


def test_labels_that_change_are_looked_at_anew(stick, tree, group_of):
    stick.label("hot", "v > -50*mV")
    cells = group_of([stick, tree], POINT)
    cells.v = -70 * mV
    assert len(cells["hot"].indices) == 0
    cells.v = -40 * mV
    assert cells["hot"].indices.tolist() == list(range(16))


def test_model_by_region_lives_in_all_cells(stick, tree, bare, group_of):
    model = {"all": "I : amp (point current)", "axon": "y : 1", "soma or axon": "z = 2*v : volt"}
    cells = group_of([stick, tree, bare], model)
    cells.v = 1 * mV
    cells.y = "cell_index + 1"
    inside = np.asarray(cells.axon)
    assert np.asarray(cells.y)[inside].tolist() == (np.asarray(cells.cell_index)[inside] + 1).tolist()
    assert np.isnan(np.asarray(cells.y)[~inside]).all()
    assert np.isnan(np.asarray(cells.z)).tolist() == (~(inside | np.asarray(cells.soma))).tolist()


# --- views -----------------------------------------------------------------------------------------------------


def test_a_cell_has_what_a_neuron_has(cells, stick, cell_of):
    one, view = cell_of(stick, POINT), cells[3]
    cells.v = "-70*mV + i*0.1*mV"
    one.v = np.asarray(cells.v_)[48:64] * 1000 * mV
    assert view.N == len(view) == one.N
    for name in ("v", "area", "distance", "Cm", "i", "branch_order"):
        assert numbers(getattr(view, name)) == pytest.approx(numbers(getattr(one, name)), rel=1e-12), name
    parts = (
        lambda c: c.axon, lambda c: c.dend, lambda c: c.main, lambda c: c.dend[30 * um], lambda c: c[5],
        lambda c: c[3:6],
        lambda c: c.dend[20 * um : 90 * um], lambda c: c.dend.main, lambda c: c.dend[2:4], lambda c: c[stick.axon],
        lambda c: c["dend and i > 4"], lambda c: c[stick.dend[105 * um]], lambda c: c.soma, lambda c: c.at("axon"),
        lambda c: c.dend["i % 2 == 0"], lambda c: c[[1, 4]], lambda c: c.basal, lambda c: c.at(7), lambda c: c.axon[-1],
        lambda c: c[0 * um : 15 * um],
    )  # fmt: skip
    for k, part in enumerate(parts):
        assert (part(view).indices - 48).tolist() == part(one).indices.tolist(), k
        assert numbers(part(view).v) == pytest.approx(numbers(part(one).v), rel=1e-12), k
    assert (np.asarray(view.axon) == np.asarray(one.axon)).all()


def test_setting_in_one_cell_leaves_the_others(cells):
    view = cells[2]
    view.x = 1
    view.dend.x = "10 + i"
    view.axon.x *= 3
    view.x[0] = 7
    view["axon and distance > 45*um"].x += 0.5
    expected = np.zeros(80)
    expected[32:48] = [7, *range(11, 21), 3, 3, 3.5, 3.5, 3.5]
    assert numbers(cells.x) == expected.tolist()
    cells[2].x += 1
    assert numbers(cells.x[32:34]) == [8, 12]
    assert numbers(cells.x[:32]) == [0] * 32


def test_some_cells(cells):
    some = cells[1:4]
    assert (some.n_cells, len(some), some.N) == (3, 3, 48)
    some.v = -60 * mV
    some.axon.x = 2
    some.at("soma").I = [1, 2, 3] * nA
    assert np.flatnonzero(np.asarray(cells.v_)).tolist() == list(range(16, 64))
    assert np.flatnonzero(np.asarray(cells.x)).tolist() == [c * 16 + k for c in (1, 2, 3) for k in range(11, 16)]
    assert numbers(np.asarray(cells.I_)[[0, 16, 32, 48, 64]] * 1e9) == pytest.approx([0, 1, 2, 3, 0])
    assert some[1].indices.tolist() == list(range(32, 48)) and some[-1:].cell_numbers.tolist() == [3]
    assert [one.cell_numbers.tolist() for one in some] == [[1], [2], [3]]
    assert some.offset.tolist() == [0, 16, 32, 48]
    back = cells[[4, 0]]
    back.at("soma").x = [5, 6]
    assert cells.x[64] == 5 and cells.x[0] == 6
    assert back.indices.tolist() == [*range(64, 80), *range(16)]
    assert back.axon.indices.tolist() == [*range(75, 80), *range(11, 16)]
    assert cells[np.array([True, False, True, False, False])].cell_numbers.tolist() == [0, 2]


def test_iteration(cells):
    for k, cell in enumerate(cells):
        cell.x = k
    assert numbers(cells.x) == np.repeat(np.arange(5), 16).tolist()


@pytest.mark.parametrize("item", [5, -1, [0, 7], [-2], slice(0, 9), np.arange(6)])
def test_cells_that_there_are_not(cells, item):
    with pytest.raises(IndexOutOfRangeError, match="5 cells"):
        cells[item]


@pytest.mark.parametrize("item", [[1.5], slice(3, 3), [True, False]])
def test_indices_that_are_no_cells(cells, item):
    with pytest.raises(IndexOutOfRangeError, match="spatialneurongroup"):
        cells[item]


def test_unknown_names(cells):
    for part in (cells, cells[2], cells[1:3], cells.at("soma"), cells[2].axon):
        with pytest.raises(AttributeError, match="vv"):
            part.vv()
        with pytest.raises(AttributeError, match="vv"):
            part.vv = 1


# --- one compartment of each -----------------------------------------------------------------------------------


def test_one_compartment_of_each_cell(cells, stick):
    for where, local in (("soma", 0), ("axon", 11), (stick.dend[105 * um], 6), (3, 3), (-1, 15), (stick.dend, 1),
                         ("dend and distance > 100*um", 6), ("all", 0)):  # fmt: skip
        assert cells.at(where).indices.tolist() == (np.arange(5) * 16 + local).tolist(), where
    assert len(cells.at("soma")) == cells.at("soma").N == 5
    assert numbers(cells.at("axon").i) == [0, 1, 2, 3, 4]
    assert cells.at("axon")[1:3].indices.tolist() == [27, 43]
    assert cells.at("axon").cell_numbers.tolist() == [0, 1, 2, 3, 4]


def test_a_value_for_each_cell(cells):
    soma = cells.at("soma")
    soma.I = np.arange(5) * pA
    assert numbers(np.asarray(cells.I_)[::16] * 1e12) == pytest.approx([0, 1, 2, 3, 4])
    cells.at("soma").I += 1 * pA
    assert np.asarray(soma.I_) * 1e12 == pytest.approx([1, 2, 3, 4, 5])
    soma.I = "i*nA"
    assert np.asarray(soma.I_) * 1e9 == pytest.approx([0, 1, 2, 3, 4])
    soma.x["I > 2*nA"] = "cell_index"
    assert numbers(soma.x) == [0, 0, 0, 3, 4]
    assert np.count_nonzero(np.asarray(cells.I_)) == 4
    with pytest.raises(RallError, match="5, one for each"):
        soma.I = [1, 2] * nA


def test_one_compartment_of_different_trees(mixed, stick, tree, bare):
    assert mixed.at("dend").N == 5
    d, cell = np.asarray(mixed.distance_), np.asarray(mixed.cell_index)
    for k, compartment in enumerate(mixed.at("dend and distance > 20*um").indices):
        candidates = mixed[k]["dend and distance > 20*um"].indices
        assert cell[compartment] == k and d[compartment] == d[candidates].min()
    with pytest.raises(RallError, match="cell 2 "):
        mixed.at("soma")
    with pytest.raises(RallError, match="cells 1, 2, 3"):
        mixed.at(stick.dend[20 * um])
    places = mixed.at([stick.dend[105 * um], tree.sample(4), bare.L[10 * um]])
    assert (places.indices - mixed.offset[:-1]).tolist() == [
        6, tree.sample(4).compartment, 3, tree.sample(4).compartment, 6
    ]  # fmt: skip
    with pytest.raises(RallError, match="another morphology"):
        mixed.at(Cylinder(diameter=1 * um, length=50 * um, n=3)[10 * um])
    with pytest.raises(RallError, match="cell 2 "):
        mixed.at(10)


def test_at_of_one_neuron_is_the_same(stick, cell_of):
    cell = cell_of(stick, POINT)
    cell.at("soma").I = 1 * nA
    assert np.flatnonzero(np.asarray(cell.I_)).tolist() == [0]
    with pytest.raises(RallError, match="no compartment of 'spatialneuron"):
        cell.at("apical")


# --- making ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(N=3), "needs a morphology"),
        (dict(morphology="stick"), "number of its cells"),
        (dict(N=2, morphology=["stick"] * 3), "2 cells, and the list has 3"),
        (dict(morphology=[]), "needs a morphology"),
        (dict(morphology=["stick", 7]), "not 7"),
        (dict(N=0, morphology="stick"), "whole number from 1"),
        (dict(N=2.5, morphology="stick"), "whole number from 1"),
        (dict(N="stick"), "first argument"),
        (dict(N=2, morphology="stick", model=None), "SpatialNeuronGroup needs a model"),
        (dict(N=2, morphology="stick", reset="v = 0*mV"), "need a threshold"),
        (dict(N=2, morphology="stick", threshold="v > 0*mV", threshold_location="apical"), "cells 0, 1"),
        (dict(N=2, morphology="stick", model={"apical": POINT}), "'apical'"),
    ],
)
def test_arguments_that_do_not_fit(stick, arguments, words):
    def filled(value):
        return [filled(v) for v in value] if isinstance(value, list) else stick if value == "stick" else value

    with pytest.raises(RallError, match=words):
        SpatialNeuronGroup(**{"model": POINT, **{k: filled(v) for k, v in arguments.items()}})


def test_a_list_with_its_length(stick, tree, group_of):
    assert group_of([stick, tree, stick], POINT, 3).n_cells == 3


def test_wrong_texts_are_named(stick, group_of):
    with pytest.raises(EquationError, match="cell_number"):
        group_of(stick, POINT, 2, Cm="1*uF/cm**2*cell_number")
    with pytest.raises(RallError, match="Cm"):
        group_of(stick, POINT, 2, Cm=[1, 2] * uF / cm**2)


def test_elements_are_described_by_cell_region_and_distance(mixed, stick):
    found = mixed.describe_element(int(mixed.offset[4]) + 12)
    assert found == f"compartment 12 of cell 4 of '{mixed.name}' (axon, 30 um from the root)"
    assert "5 cells" in repr(mixed) and "cell 3 of" in repr(mixed[3]) and "2 cells" in repr(mixed[1:3])


def test_a_value_that_turns_infinite_names_the_cell(stick, group_of, target):
    cells = group_of(stick, "I : amp (point current)", 6)
    cells.I[16 * 4 + 11] = np.nan * nA
    with pytest.raises(RallError, match=r"'v' became nan at compartment \d+ of cell \d of"):
        Network(cells).run(1 * ms)


def test_states_and_initialise(cells, stick, squid, group_of):
    cells.x = "cell_index"
    states = cells.get_states()
    assert states["x"].shape == (80,) and states["N"] == 80
    cells.x = 0
    cells.set_states({"x": states["x"]})
    assert numbers(cells.x) == np.repeat(np.arange(5), 16).tolist()
    assert cells[2].get_states(["x"])["x"].tolist() == [2] * 16
    active = group_of(stick, squid, 3)
    active.initialise(v="(-65 + 5*cell_index)*mV")
    for k, cell in enumerate(active):
        one = SpatialNeuron(stick, squid)
        one.initialise(v=(-65 + 5 * k) * mV)
        assert np.asarray(cell.h_Na) == pytest.approx(np.asarray(one.h_Na), rel=1e-12)


@pytest.mark.filterwarnings("ignore:the morphology lacks coordinates")
def test_cells_can_be_seen(mixed, cells):
    mixed.v = "-70*mV + i*0.01*mV"
    seen = view3d(mixed, "v", viewer="matplotlib").scene
    assert np.sort(np.unique([*seen.owner, *seen.sphere_owner])).tolist() == list(range(mixed.N))
    assert seen.values == pytest.approx(np.asarray(mixed.v_) * 1e3) and seen.unit == "mV"
    assert len(view3d(cells, viewer="matplotlib").scene.centres) == 5
    assert len(view3d(cells[3], "v", viewer="matplotlib").scene.values) == 16
    assert len(view3d(mixed[1:3], "v", viewer="matplotlib").scene.values) == mixed[1:3].N


def test_rows_of_a_place_go_by_cell_whatever_the_discretization(stick, group_of):
    """A place is one of all discretizations of a morphology."""
    fine = stick.discretize(max_length=5 * um)
    cells = group_of([stick, fine, stick, fine], POINT)
    place = stick.dend[105 * um]
    cells.v = "(cell_index + 1)*mV"
    local = [6, place.on(fine.flatten()).compartment] * 2
    assert cells.at(place).indices.tolist() == (cells.offset[:-1] + local).tolist()
    monitor = StateMonitor(cells, "v", record=place)
    monitor.record_single_timestep()
    assert monitor.v_[:, 0] == pytest.approx([0.001, 0.002, 0.003, 0.004])
    assert monitor.record.tolist() == cells.at(place).indices.tolist()
