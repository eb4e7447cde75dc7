"""ExtracellularPotential: sums over compartments during the run, against sums over recorded voltages."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.errors import DimensionMismatchError, RallError, RallWarning
from rall.morphology import Morphology, Soma
from rall.plugins.cable import ExtracellularPotential, SpatialNeuron
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.simulation import Network
from rall.units import amp, cm, meter, mS, ms, mV, nA, ohm, siemens, uF, um, volt

PLACES = [[20, 20, 0], [60, 30, 10], [-40, -15, 5], [200, -90, 70]] * um


@pytest.fixture
def cell(tree, squid, cell_of):
    """A cell that fires."""
    made = cell_of(tree, squid)
    made.initialise(v=-65 * mV)
    made.v = "-65*mV + 5*mV*sin(i)"
    made.I[0] = 0.5 * nA
    return made


def laplacian(morphology, resistivity):
    """Current into each compartment along the tree per volt of each (siemens), by elimination of branch points."""
    graph = morphology.flatten().conductance_graph()
    nodes, n = len(graph), graph.n
    flow = np.zeros((nodes, nodes))
    for k in np.flatnonzero(graph.parent >= 0):
        g = 1 / (graph.resistance[k] * 1e6 * resistivity)
        for one, other in ((k, graph.parent[k]), (graph.parent[k], k)):
            flow[one, other] += g
            flow[one, one] -= g
    through = np.linalg.solve(flow[n:, n:], flow[n:, :n]) if nodes > n else np.zeros((0, n))
    return flow[:n, :n] - flow[:n, n:] @ through


def test_the_potential_is_the_matrix_times_the_currents(cell, tree, target):
    electrodes = ExtracellularPotential(cell, PLACES)
    voltage = StateMonitor(cell, "v", record=True)
    Network(cell, electrodes, voltage).run(5 * ms)
    currents = laplacian(tree, 1.0) @ voltage.v_
    expected = np.asarray(electrodes.matrix) @ currents
    assert electrodes.v.shape == (4, 50) and electrodes.v.dim is volt.dim and electrodes.t.dim is ms.dim
    assert np.abs(expected).max() > 1e-6
    assert electrodes.v_ == pytest.approx(expected, rel=1e-12, abs=1e-12 * np.abs(expected).max())
    assert electrodes.t_ == pytest.approx(voltage.t_) and len(electrodes) == electrodes.N == 50
    assert electrodes.electrodes / um == pytest.approx(np.asarray(PLACES) * 1e6)


def test_currents_are_those_that_cells_report(cell, target):
    every = ExtracellularPotential(cell, matrix=np.eye(cell.N) * ohm)
    reported = StateMonitor(cell, ["Ic", "Im"], record=True)
    Network(cell, every, reported).run(2 * ms)
    currents = (reported.Ic_ - reported.Im_) * np.asarray(cell.area)[:, None]
    assert every.v_ == pytest.approx(currents, rel=1e-9, abs=1e-15)


def test_currents_charge_the_membrane_and_pass_the_channels(tree, cell_of, target):
    """They are what leaves: Cm dv/dt and the leak's current, whatever the solver has done."""
    cell = cell_of(tree, channels.leak(g=0.3 * mS / cm**2, E=-65 * mV), dt=0.002 * ms)
    cell.v = "-65*mV + 10*mV*exp(-distance/(50*um))"
    every = ExtracellularPotential(cell, matrix=np.eye(cell.N) * ohm)
    voltage = StateMonitor(cell, "v", record=True)
    Network(cell, every, voltage).run(0.4 * ms)
    v, dt = voltage.v_, 2e-6
    leaving = 1e-2 * (v[:, 2:] - v[:, :-2]) / (2 * dt) + 3.0 * (v[:, 1:-1] + 0.065)
    leaving *= np.asarray(cell.area)[:, None]
    late = slice(100, None)
    scale = np.abs(leaving[:, late]).max()
    assert every.v_[:, 1:-1][:, late] == pytest.approx(leaving[:, late], abs=1e-4 * scale)


def test_currents_of_a_cell_add_up_to_nothing_or_to_what_is_injected(cell, target):
    ones = np.ones((1, cell.N)) * ohm
    own, brought = ExtracellularPotential(cell, matrix=ones), ExtracellularPotential(cell, matrix=ones, injected="I")
    network = Network(cell, own, brought)
    network.run(1 * ms)
    cell.I[3] = -0.2 * nA
    network.run(1 * ms)
    assert (own.v_ == 0).all()
    assert brought.v_[0] == pytest.approx([0.5e-9] * 10 + [0.3e-9] * 10, rel=1e-12)


def test_injected_currents_leave_where_they_come_in(cell, target):
    every = [ExtracellularPotential(cell, matrix=np.eye(cell.N) * ohm, injected=names) for names in ((), ["I"])]
    Network(cell, *every).run(1 * ms)
    difference = every[1].v_ - every[0].v_
    assert difference[0] == pytest.approx(np.full(10, 0.5e-9), rel=1e-9)
    assert difference[1:] == pytest.approx(np.zeros((cell.N - 1, 10)), abs=1e-24)


def test_injected_currents_of_a_region_and_in_time(tree, cell_of, target):
    model = {
        "all": channels.leak(), "axon": "Ia : amp (point current)",
        "soma": "Is = 1*nA*sin(2*pi*t/ms) : amp (point current)",
    }  # fmt: skip
    cell = cell_of(tree, model)
    cell.axon.Ia = 0.1 * nA
    together = ExtracellularPotential(cell, matrix=np.ones((1, cell.N)) * ohm, injected=["Ia", "Is"])
    Network(cell, together).run(1 * ms)
    expected = 0.1e-9 * len(cell.axon) + 1e-9 * np.sin(2 * np.pi * together.t_ * 1e3)
    assert together.v_[0] == pytest.approx(expected, rel=1e-9, abs=1e-20)


def test_synapses_are_membrane_currents(tree, cell_of, target):
    model = channels.leak() + "dI/dt = -I/(2*ms) : amp (point current)"
    cell = cell_of(tree, model)
    cell.initialise(v=-65 * mV)
    source = NeuronGroup(1, "dx/dt = 1/ms : 1", threshold="x > 0.45", reset="x = -10")
    synapses = Synapses(source, cell, on_pre="I += 0.2*nA")
    synapses.connect(i=0, j=5)
    ones = ExtracellularPotential(cell, matrix=np.vstack([np.ones(cell.N), np.arange(cell.N) == 5]) * ohm)
    Network(cell, source, synapses, ones).run(2 * ms)
    assert (ones.v_[0] == 0).all()
    assert ones.v_[1].min() < -1e-11  # a sink


def test_far_away_a_cell_is_a_dipole_and_with_an_electrode_in_it_a_monopole(cell, target):
    direction = np.array([2.0, 1.0, 0.5])
    places = np.outer([1e5, 2e5], direction) * um
    own, brought = ExtracellularPotential(cell, places), ExtracellularPotential(cell, places, injected="I")
    Network(cell, own, brought).run(1 * ms)
    assert own.v_[0] / own.v_[1] == pytest.approx(np.full(10, 4.0), rel=5e-3)
    assert brought.v_[0] / brought.v_[1] == pytest.approx(np.full(10, 2.0), rel=1e-3)
    distance = np.linalg.norm(places, axis=1)[0] / meter
    assert brought.v_[0] == pytest.approx(np.full(10, 0.5e-9 / (4 * np.pi * 0.3 * distance)), rel=1e-2)


def test_an_offset_of_all_voltages_makes_no_potential(tree, cell_of, target):
    cell = cell_of(tree, channels.leak(g=0.3 * mS / cm**2, E=-65 * mV))
    cell.v = -65 * mV
    electrodes = ExtracellularPotential(cell, PLACES)
    Network(cell, electrodes).run(0.5 * ms)
    assert np.abs(electrodes.v_).max() < 1e-18


def test_potentials_go_with_one_over_sigma(cell):
    many = [ExtracellularPotential(cell, PLACES, sigma=s * siemens / meter) for s in (0.3, 0.6)]
    Network(cell, *many).run(1 * ms)
    assert many[0].v_ == pytest.approx(2 * many[1].v_, rel=1e-12)


def test_resistivity_by_compartment_and_changed_between_runs(tree, squid, cell_of, target):
    cell = cell_of(tree, squid, Ri="100*ohm*cm*(1 + distance/(50*um))")
    cell.v = "-65*mV + 5*mV*sin(i)"
    electrodes, voltage = ExtracellularPotential(cell, PLACES), StateMonitor(cell, "v", record=True)
    network = Network(cell, electrodes, voltage)
    expected = []
    for change in (1, 3):
        cell.Ri = change * cell.Ri
        network.run(0.3 * ms)
        now = [cell.cable.axial_current(v, np.asarray(cell.Ri)) for v in voltage.v_.T[-3:]]
        expected += [np.asarray(electrodes.matrix) @ current for current in now]
    assert electrodes.v_ == pytest.approx(np.transpose(expected), rel=1e-9)


def test_other_geometries(cell, tree):
    there = cell.geometry(positions=[100, 0, 0] * um)
    moved = ExtracellularPotential(cell, np.asarray(PLACES) * meter + [100, 0, 0] * um, geometry=there)
    assert np.asarray(moved.matrix) == pytest.approx(np.asarray(ExtracellularPotential(cell, PLACES).matrix), rel=1e-9)
    points = ExtracellularPotential(cell, PLACES, source="point")
    places, middles = np.asarray(PLACES), np.asarray(0.5 * (there.start + there.end)) - [1e-4, 0, 0]
    r = np.linalg.norm(places[:, None] - middles, axis=2)
    assert np.asarray(points.matrix) == pytest.approx(1 / (4 * np.pi * 0.3 * r), rel=1e-12)


def test_a_cell_of_one_compartment(cell_of, target):
    cell = cell_of(Soma(diameter=20 * um), channels.leak() + "I : amp (point current)")
    cell.I = 1 * nA
    own = ExtracellularPotential(cell, matrix=[[1]] * ohm)
    brought = ExtracellularPotential(cell, matrix=[[1]] * ohm, injected="I")
    Network(cell, own, brought).run(0.3 * ms)
    assert (own.v_ == 0).all() and brought.v_[0] == pytest.approx([1e-9] * 3)


def test_steps_of_its_own_and_memory(cell, target):
    electrodes = ExtracellularPotential(cell, PLACES, dt=0.5 * ms)
    Network(cell, electrodes).run(3 * ms)
    assert electrodes.t_ == pytest.approx(np.arange(6) * 5e-4) and electrodes.v.shape == (4, 6)
    assert sum(array.size for array in electrodes.state().values()) == 6 * 5  # time and four electrodes


def test_store_and_restore(cell, target):
    electrodes = ExtracellularPotential(cell, PLACES, injected="I")
    network = Network(cell, electrodes)
    network.run(0.5 * ms)
    network.store()
    network.run(0.5 * ms)
    first = electrodes.v_.copy()
    network.restore()
    assert len(electrodes) == 5 and (electrodes.v_ == first[:, :5]).all()
    network.run(0.5 * ms)
    assert (electrodes.v_ == first).all()


def test_what_was_given_out_stays(cell):
    electrodes = ExtracellularPotential(cell, PLACES)
    network = Network(cell, electrodes)
    network.run(0.5 * ms)
    electrodes.v_[:] = 7.0
    electrodes.electrodes[:] = 0 * um
    assert np.abs(electrodes.v_).max() < 1 and electrodes.electrodes[0, 0] == 20 * um


def test_the_network_needs_the_cell(cell):
    with pytest.raises(RallError, match="spatialneuron"):
        Network(ExtracellularPotential(cell, PLACES)).run(0.1 * ms)


def test_electrodes_inside_of_cells_are_named(cell, recwarn):
    with pytest.warns(RallWarning, match=r"electrode 1 is within .*compartment 0 of .*soma.*1 more") as caught:
        ExtracellularPotential(cell, [[20, 20, 0], [0, 1, 2], [0, 3, 0]] * um)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("keywords", "error", "text"),
    [
        ({}, RallError, "needs electrodes, or a matrix"),
        ({"electrodes": PLACES, "matrix": [[1]] * ohm}, RallError, "needs electrodes, or a matrix"),
        ({"electrodes": [[1, 2, 3]]}, DimensionMismatchError, r"electrodes is .*\*um, not \[\[1, 2, 3\]\]"),
        ({"electrodes": [[1, 2]] * um}, RallError, r"three coordinates.*\(1, 2\)"),
        ({"electrodes": [[[1, 2, 3]]] * um}, RallError, "three coordinates"),
        ({"electrodes": np.zeros((0, 3)) * um}, RallError, "three coordinates"),
        ({"electrodes": [np.inf, 0, 0] * um}, RallError, "not finite"),
        ({"electrodes": PLACES, "sigma": 0.3}, DimensionMismatchError, r"sigma .*siemens/metre, not 0.3"),
        ({"electrodes": PLACES, "sigma": 0 * siemens / meter}, RallError, "positive"),
        ({"electrodes": PLACES, "sigma": [0.3, 0.3, 0.4] * siemens / meter}, RallError, "matrix for other media"),
        ({"electrodes": PLACES, "source": "lines"}, RallError, "no source 'lines'.*line or point"),
        ({"electrodes": PLACES, "injected": "J"}, RallError, r"not 'J'; there is I"),
        ({"electrodes": PLACES, "injected": ["I", "I_Na"]}, RallError, r"not 'I_Na'; there is I"),
        ({"matrix": [[1, 2]] * ohm}, RallError, r"column for each of the \d+ compartments.*\(1, 2\)"),
        ({"matrix": np.ones((2, 30))}, DimensionMismatchError, "ohm"),
        ({"matrix": np.ones((2, 30)) * amp}, DimensionMismatchError, "ohm"),
    ],
)
def test_what_cannot_be(cell, keywords, error, text):
    with pytest.raises(error, match=text):
        ExtracellularPotential(cell, **keywords)


def test_more_that_cannot_be(cell, stick, squid, cell_of):
    with pytest.raises(RallError, match=r"needs whole cells.*matrix with zeros"):
        ExtracellularPotential(cell.axon, PLACES)
    with pytest.raises(RallError, match="not finite"):
        ExtracellularPotential(cell, matrix=np.full((1, cell.N), np.nan) * ohm)
    other = cell_of(stick.generate_coordinates(), squid)
    with pytest.raises(RallError, match=rf"geometry has {other.N} compartments.* has {cell.N}"):
        ExtracellularPotential(cell, PLACES, geometry=other.geometry())
    with pytest.raises(RallError, match="for want of one"):
        ExtracellularPotential(cell, matrix=np.ones((1, cell.N)) * ohm, geometry=cell.geometry())


def test_a_grown_cell_against_the_sum_over_its_compartments():
    morphology = Morphology.grow("pyramidal", seed=2).discretize(max_length=40 * um)
    cell = SpatialNeuron(morphology=morphology, model=channels.leak(), Cm=1 * uF / cm**2, Ri=100 * ohm * cm)
    cell.v = "-65*mV + 20*mV*exp(-distance/(100*um))"
    electrodes = ExtracellularPotential(cell, [[30, 0, 0], [0, 300, 30]] * um)
    voltage = StateMonitor(cell, "v", record=True)
    Network(cell, electrodes, voltage).run(0.5 * ms)
    expected = np.asarray(electrodes.matrix) @ laplacian(morphology, 1.0) @ voltage.v_
    assert electrodes.v_ == pytest.approx(expected, rel=1e-12, abs=1e-12 * np.abs(expected).max())
