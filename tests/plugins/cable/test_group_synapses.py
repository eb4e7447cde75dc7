"""Synapses from and onto one compartment of each cell, and onto compartments of groups of cells."""

from __future__ import annotations

import numpy as np
import pytest

from rall.plugins.inputs import SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
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
