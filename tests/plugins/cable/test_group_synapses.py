"""Synapses from and onto one compartment of each cell, and onto compartments of groups of cells."""

from __future__ import annotations

import numpy as np
import pytest

from rall.morphology import Cylinder, Soma
from rall.plugins.cable import SpatialNeuron, SpatialNeuronGroup
from rall.plugins.inputs import SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import prefs
from rall.simulation import Network
from rall.units import ms, mV, nA, nS, um

SYNAPTIC = "I_syn = g_syn*(0*mV - v) : amp (point current)\ndg_syn/dt = -g_syn/(3*ms) : siemens\nn : 1"


@pytest.fixture
def cells(stick, tree, group_of, squid):
    """Five cells of two kinds, each with a synaptic conductance in every compartment."""
    cells = group_of(
        [stick, tree, stick, tree, stick], squid + SYNAPTIC, threshold="v > -10*mV", refractory="v > -10*mV"
    )
    cells.initialise(v=-65 * mV)
    return cells


def test_synapses_reach_one_compartment_of_each_cell(cells, stick, tree, target):
    inputs = SpikeGeneratorGroup(3, [0, 1, 2], [1, 2, 3] * ms)
    where = cells.at([stick.dend[105 * um], tree.sample(7)])
    synapses = Synapses(inputs, where, "w : 1", on_pre="n_post += w")
    synapses.connect(i=[0, 1, 2, 2], j=[4, 1, 0, 1])
    synapses.w = [1, 2, 4, 8]
    Network(cells, inputs, synapses).run(5 * ms)
    assert np.asarray(where.n).tolist() == [4, 10, 0, 0, 1]
    assert np.asarray(cells.n).sum() == 15


def test_synapses_onto_the_group_address_compartments(cells, target):
    inputs = SpikeGeneratorGroup(1, [0], [1] * ms)
    synapses = Synapses(inputs, cells, on_pre="n_post += 1")
    chosen = [3, int(cells.offset[2]) + 5, cells.N - 1]
    synapses.connect(i=0, j=chosen)
    part = Synapses(inputs, cells[3], on_pre="n_post += 10")
    part.connect(i=0, j=[0, 2])
    Network(cells, inputs, synapses, part).run(2 * ms)
    expected = np.zeros(cells.N)
    expected[chosen] = 1
    expected[cells.offset[3] + np.array([0, 2])] = 10
    assert np.asarray(cells.n).tolist() == expected.tolist()


@pytest.mark.parametrize("where", ["soma", "axon", "dend and distance > 40*um"])
def test_spikes_of_cells_reach_neurons_whatever_compartment_they_come_from(cells, where, target):
    cells.at("soma").I = [0.2, 0.3, 0, 0, 0.5] * nA
    counters = NeuronGroup(5, "n : 1\nseen : 1")
    source = cells.at(where)
    synapses = Synapses(source, counters, on_pre="n_post += 1\nseen_post = i")
    synapses.connect(j="i")
    spikes, theirs = SpikeMonitor(cells), SpikeMonitor(source)
    Network(cells, counters, synapses, spikes, theirs).run(20 * ms)
    assert (spikes.count[[0, 1, 4]] > 0).all() and spikes.count[2] == 0
    assert np.asarray(counters.n).tolist() == spikes.count.tolist() == theirs.count.tolist()
    assert np.asarray(counters.seen).tolist() == [0, 1, 0, 0, 4]


def test_every_compartment_of_a_cell_hears_its_spikes(cells, target):
    """A synapse from a compartment says where the bouton is; v_pre is the voltage there."""
    cells.at("soma").I = [0.5, 0, 0, 0, 0.6] * nA
    counters = NeuronGroup(3, "n : 1\nu : volt")
    bouton = int(cells.offset[4]) + 12
    synapses = Synapses(cells, counters, on_pre="n_post += 1\nu_post = v_pre")
    synapses.connect(i=[bouton, int(cells.offset[2]), 0], j=[0, 1, 2])
    one = Synapses(cells[4], counters, on_pre="n_post += 100")
    one.connect(i=12, j=0)
    spikes = SpikeMonitor(cells)
    trace = StateMonitor(cells, "v", record=[bouton], when="synapses", order=-2)
    Network(cells, counters, synapses, one, spikes, trace).run(15 * ms)
    assert spikes.count[4] > 0 and spikes.count[0] > 0
    assert np.asarray(counters.n).tolist() == [101 * spikes.count[4], 0, spikes.count[0]]
    last = spikes.t_[spikes.i == 4][-1]
    assert float(counters.u_[0]) == pytest.approx(trace.v_[0][np.argmin(np.abs(trace.t_ - last))], rel=1e-12)


def test_a_chain_of_cells(cells, target):
    """Cell 0 is driven; each next one is made to spike by the one before."""
    cells.at("soma").I = [1, 0, 0, 0, 0] * nA
    synapses = Synapses(cells.at("soma"), cells.at("dend"), on_pre="g_syn_post += 60*nS", delay=2 * ms)
    synapses.connect(condition="j == i + 1")
    spikes = SpikeMonitor(cells)
    Network(cells, synapses, spikes).run(30 * ms)
    firsts = [spikes.t_[spikes.i == c][0] for c in range(5)]
    assert (np.diff(firsts) > 2e-3).all()


def test_summed_currents_between_cells(cells, stick, target):
    """A gap junction between the somata of two cells, by a sum in every step."""
    cells.v = "-65*mV + 5*mV*cell_index"
    gap = Synapses(cells.at("soma"), cells.at("soma"), "w : siemens\nI_post = w*(v_pre - v_post) : amp (summed)")
    gap.connect(i=[0, 4], j=[4, 0])
    gap.w = 1 * nS
    Network(cells, gap).run(0.1 * ms)
    current = np.asarray(cells.at("soma").I_) * 1e9
    assert current == pytest.approx([0.02, 0, 0, 0, -0.02], abs=1e-9)


# --- regions and gap junctions --------------------------------------------------------------------------------------

FAR = {
    "all": "Im = 0.1*mS/cm**2*(-65*mV - v) : amp/meter**2\nI_gap : amp (point current)",
    "distance > 60*um": "dg/dt = -g/(5*ms) : siemens\nI_syn = g*(0*mV - v) : amp (point current)",
}


def shape(n):
    made = Soma(diameter=15 * um)
    made.dend = Cylinder(length=150 * um, diameter=2 * um, n=n)
    return made


def coupled(cells, sources, ends):
    """Synapses onto a region of each cell, and junctions in a chain; `ends` are (cell, compartment) of both sides."""
    here, there = (np.array([cells.offset[c] + k for c, k in side]) for side in zip(*ends))
    junctions = Synapses(cells, cells, "I_gap_post = 20*nS*(v_pre - v_post) : amp (summed)")
    junctions.connect(i=np.r_[here, there], j=np.r_[there, here])
    chemical = Synapses(sources, cells, "w : siemens", on_pre="g_post += w", delay=0.5 * ms)
    return junctions, chemical


def test_compartments_of_each_cell_are_drawn_in_its_own_region():
    """In proportion to area, in cells of different shapes; views of some of the cells count these."""
    cells = SpatialNeuronGroup(morphology=[shape(5), shape(10), shape(5)], model=FAR)
    sources = NeuronGroup(2000, "x : 1")
    where = "soma or distance > 100*um"
    synapses = Synapses(sources, cells)
    synapses.connect(where=where)
    assert synapses.i[:].tolist() == np.repeat(np.arange(2000), 3).tolist()
    assert cells.cell_index[:][synapses.j[:]].tolist() == 2000 * [0, 1, 2]
    inside, area = cells.indices_of(where), np.asarray(cells.area / um**2)
    weights = np.zeros(cells.N)
    weights[inside] = area[inside]
    expected = 2000 * weights / np.bincount(cells.cell_index[:], weights)[cells.cell_index[:]]
    counts = np.bincount(synapses.j[:], minlength=cells.N)
    assert not counts[weights == 0].any() and abs(counts - expected).max() < 4.5 * np.sqrt(500)
    view = Synapses(sources, cells[[2, 1]])
    view.connect("i < 20", where="distance > 100*um", n="1 + j")
    index = cells.cell_index[:][cells[[2, 1]].indices[view.j[:]]]
    assert index.tolist() == 20 * [2, 1, 1]
    assert (view.distance_post[:] > 100 * um).all()
    at = Synapses(sources, cells.at("soma"))
    at.connect("i < 2", where="soma", p="int(j != 1)")
    assert at.j[:].tolist() == [0, 2, 0, 2]


@pytest.mark.parametrize("threads", [1, 2])
def test_many_cells_as_each_alone(threads, target):
    """Chemical synapses in a region and a junction in each cell: a group of two shapes against cells by themselves."""
    prefs.threads = threads
    shapes = [shape(5), shape(10)]
    count = 40
    cells = SpatialNeuronGroup(morphology=[shapes[c % 2] for c in range(count)], model=FAR)
    cells.v = -65 * mV
    sources = SpikeGeneratorGroup(count, np.arange(count), (1 + np.arange(count) % 5) * ms)
    junctions, chemical = coupled(cells, sources, [((c, 0), (c, 4)) for c in range(count)])
    chemical.connect("i == j", n=3, where="distance > 60*um")
    chemical.w = "(1 + 0.1*i)*nS"
    Network(cells, sources, junctions, chemical).run(8 * ms)
    for c in (0, 1, 17, 38):
        alone = SpatialNeuronGroup(morphology=[shapes[c % 2]], model=FAR)
        alone.v = -65 * mV
        source = SpikeGeneratorGroup(1, [0], [1 + c % 5] * ms)
        own, events = coupled(alone, source, [((0, 0), (0, 4))])
        mine = chemical.i[:] == c
        events.connect(i=0, j=chemical.j[:][mine] - cells.offset[c])
        events.w = chemical.w[:][mine]
        Network(alone, source, own, events).run(8 * ms)
        assert cells[c].v_[:] == pytest.approx(alone.v_[:], abs=1e-12) and np.ptp(alone.v_[:]) > 1e-4
        known = alone.indices_of("distance > 60*um")
        assert cells[c].g_[:][known] == pytest.approx(alone.g_[:][known], rel=1e-9)


def test_junctions_between_cells_of_a_group(target):
    """The same as between two cells that are objects of their own."""
    group = SpatialNeuronGroup(2, morphology=shape(5), model=FAR)
    group.v = -65 * mV
    group.at("soma").v = [-30, -80] * mV
    within = Synapses(group.at("soma"), group.at(3), "I_gap_post = 10*nS*(v_pre - v_post) : amp (summed)")
    within.connect("i != j")
    back = Synapses(group.at(3), group.at("soma"), "I_gap_post = 10*nS*(v_pre - v_post) : amp (summed)")
    back.connect("i != j")
    Network(group, within, back).run(3 * ms)
    pair = [SpatialNeuron(shape(5), FAR) for _ in range(2)]
    for cell, v in zip(pair, (-30, -80)):
        cell.v = -65 * mV
        cell.v[0] = v * mV
    synapses = []
    for one, other in (pair, pair[::-1]):
        made = Synapses(one, other, "I_gap_post = 10*nS*(v_pre - v_post) : amp (summed)")
        made.connect(i=[0, 3], j=[3, 0])
        synapses.append(made)
    Network(pair, synapses).run(3 * ms)
    for cell, alone in zip(group, pair):
        assert cell.v_[:] == pytest.approx(alone.v_[:], abs=1e-14)
