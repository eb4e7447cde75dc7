"""Groups of cells that run: each cell as if it were alone; spikes, resets and monitors by cell; store and restore."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.errors import RallError
from rall.morphology import Morphology
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import PopulationRateMonitor, SpikeMonitor, StateMonitor
from rall.simulation import Network
from rall.units import cm, mS, ms, mV, nA, ohm, uF, um

REGIONS = {
    "all": channels.leak(g=0.1 * mS / cm**2, E=-65 * mV) + "I : amp (point current)",
    "soma or axon": channels.hh.Na() + channels.hh.K(),
}


def alone(morphology, model, current, duration, **keywords):
    """The voltage of a cell of its own with a current at its root, shape (compartments, steps)."""
    keywords = {"Cm": 1 * uF / cm**2, "Ri": 100 * ohm * cm, **keywords}
    cell = SpatialNeuron(morphology=morphology, model=model, **keywords)
    cell.initialise(v=-65 * mV)
    cell.I[0] = current
    trace = StateMonitor(cell, "v", record=True, dt=1 * ms)
    Network(cell, trace).run(duration)
    return trace.v_


def worst(cells, trace, expected):
    """Largest difference of some cells from themselves alone, over the span of each."""
    found = []
    for c, values in expected.items():
        mine = trace.v_[cells.offset[c] : cells.offset[c + 1]]
        found.append(np.abs(mine - values).max() / np.ptp(values))
    return max(found)


@pytest.mark.parametrize("method", ["second_order", "backward_euler"])
def test_each_cell_as_if_it_were_alone(tree, group_of, method, target):
    """Seventy cells are several blocks; those at borders of blocks are among the ones looked at."""
    cells = group_of(tree, REGIONS, 70, cable_method=method)
    cells.initialise(v=-65 * mV)
    currents = np.linspace(0.0, 0.4, 70)
    cells.at(0).I = currents * nA
    trace = StateMonitor(cells, "v", record=True, dt=1 * ms)
    Network(cells, trace).run(20 * ms)
    expected = {c: alone(tree, REGIONS, currents[c] * nA, 20 * ms, cable_method=method) for c in (0, 31, 32, 50, 69)}
    assert max(np.ptp(v) for v in expected.values()) > 0.08
    assert worst(cells, trace, expected) < 1e-9


def test_each_of_different_cells_as_if_it_were_alone(stick, tree, bare, group_of, squid, target):
    grown = [Morphology.grow(kind, seed=2).discretize(max_length=80 * um) for kind in ("pyramidal", "granule")]
    kinds = [stick, tree, bare, *grown]
    order = np.random.default_rng(3).integers(0, len(kinds), 23)
    cells = group_of([kinds[k] for k in order], squid)
    cells.initialise(v=-65 * mV)
    currents = np.linspace(0.05, 0.9, 23)
    cells.at(0).I = currents * nA
    trace = StateMonitor(cells, "v", record=True, dt=1 * ms)
    Network(cells, trace).run(20 * ms)
    firsts = [int(np.flatnonzero(order == k)[-1]) for k in range(len(kinds))]
    expected = {c: alone(kinds[order[c]], squid, currents[c] * nA, 20 * ms) for c in firsts}
    assert worst(cells, trace, expected) < 1e-9


def test_parameters_of_each_cell(tree, group_of, squid, target):
    texts = {
        "Cm": "1*uF/cm**2*(1 + 0.3*cell_index)*(1 + apical)",
        "Ri": "(80 + 20*cell_index)*ohm*cm + distance/um*ohm*cm",
    }
    cells = group_of(tree, squid, 6, **texts)
    cells.initialise(v=-65 * mV)
    cells.g_Na = "120*mS/cm**2*(1 + 0.1*cell_index)"
    cells.at(0).I = 0.3 * nA
    trace = StateMonitor(cells, "v", record=True, dt=1 * ms)
    Network(cells, trace).run(10 * ms)
    for c in (0, 5):
        one = SpatialNeuron(tree, squid, **{name: text.replace("cell_index", str(c)) for name, text in texts.items()})
        one.initialise(v=-65 * mV)
        one.g_Na = 120 * mS / cm**2 * (1 + 0.1 * c)
        one.I[0] = 0.3 * nA
        mine = StateMonitor(one, "v", record=True, dt=1 * ms)
        Network(one, mine).run(10 * ms)
        assert worst(cells, trace, {c: mine.v_}) < 1e-9


def test_currents_and_their_sums_are_those_of_each_cell(stick, tree, group_of, squid):
    cells = group_of([tree, stick, tree], squid)
    cells.initialise(v=-65 * mV)
    cells.v = "-65*mV + 3*mV*cell_index + distance/um*0.05*mV"
    for c, morphology in enumerate((tree, stick, tree)):
        one = SpatialNeuron(morphology, squid, Cm=1 * uF / cm**2, Ri=100 * ohm * cm)
        one.initialise(v=-65 * mV)
        one.v = f"-65*mV + 3*mV*{c} + distance/um*0.05*mV"
        one.h_Na, one.m_Na, one.n_K = (np.asarray(getattr(cells[c], name)) for name in ("h_Na", "m_Na", "n_K"))
        for name in ("Im", "Ic", "I_Na"):
            mine, its = (np.asarray(getattr(part, f"{name}_")) for part in (cells[c], one))
            assert mine == pytest.approx(its, rel=1e-9), name
        assert np.asarray(cells[c].space_constant) == pytest.approx(np.asarray(one.space_constant), rel=1e-9)


# --- spikes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def firing(stick, tree, bare, squid, group_of):
    """Cells with growing currents: the first stay silent."""

    def make(**keywords):
        keywords.setdefault("threshold", "v > -10*mV")
        keywords.setdefault("refractory", "v > -10*mV")
        kinds = [(stick, tree, bare)[c % 3] for c in range(9)]
        cells = group_of(kinds, squid, **keywords)
        cells.initialise(v=-65 * mV)
        cells.at(0).I = np.linspace(0, 0.8, 9) * nA
        return cells

    return make


def crossings(trace, row, threshold=-0.01):
    above = trace.v_[row] > threshold
    return trace.t_[1:][above[1:] & ~above[:-1]]


def test_a_spike_is_that_of_a_cell(firing, target):
    cells = firing()
    spikes, rate = SpikeMonitor(cells, variables="v"), PopulationRateMonitor(cells)
    some, one = SpikeMonitor(cells[4:7]), SpikeMonitor(cells[8], record=[0])
    trace = StateMonitor(cells.at(0), "v", record=True, when="end")
    Network(cells, spikes, rate, some, one, trace).run(20 * ms)
    assert spikes.count.shape == (9,) and spikes.count[0] == 0 and spikes.count[8] > 1
    for c in range(9):
        assert spikes.t_[spikes.i == c] == pytest.approx(crossings(trace, c)), c
    assert sorted(spikes.spike_trains()) == list(range(9))
    assert (np.asarray(spikes.v_) > -0.01).all()
    assert some.count.tolist() == spikes.count[4:7].tolist() and one.count.tolist() == [spikes.count[8]]
    assert set(some.i) <= {0, 1, 2} and set(one.i) == {0}
    assert rate.rate_.sum() * 1e-4 * 9 == pytest.approx(spikes.num_spikes)


def test_location_of_the_threshold(firing, stick, tree, bare, target):
    """By default the soma, or the first compartment of a cell without one."""
    cells = firing(threshold_location=[stick.axon, tree.sample(7), bare.R])
    spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=True, when="end")
    Network(cells, spikes, trace).run(20 * ms)
    local = [11, tree.sample(7).compartment, 7]
    for c in range(9):
        assert spikes.t_[spikes.i == c] == pytest.approx(crossings(trace, cells.offset[c] + local[c % 3])), c
    assert spikes.num_spikes > 5


def test_refractory_time_of_each_cell(firing, target):
    cells = firing(threshold="v > -60*mV", refractory="(2 + cell_index)*ms")
    spikes = SpikeMonitor(cells)
    Network(cells, spikes).run(30 * ms)
    for c, times in spikes.spike_trains().items():
        gaps = np.diff(np.asarray(times))
        assert (gaps >= (2 + c) * 1e-3 - 1e-9).all()
    assert spikes.count[2] > spikes.count[8] > 1


def test_reset_of_the_compartment_that_spikes(stick, tree, group_of, target):
    model = {
        "all": channels.leak(g=0.1 * mS / cm**2, E=-65 * mV) + "I : amp (point current)\nn : 1",
        "soma": "dw/dt = -w/(7*ms) : 1",
    }
    threshold = "v > -55*mV + 100*mV*(w > 0.5)"
    cells = group_of([stick, tree, stick, tree], model, threshold=threshold, reset="n += 1\nw = 1")
    cells.v = -65 * mV
    cells.at("soma").I = [0.1, 0.05, 0, 0.1] * nA
    spikes = SpikeMonitor(cells)
    Network(cells, spikes).run(30 * ms)
    assert spikes.count[2] == 0 and (spikes.count[[0, 1, 3]] > 1).all()
    assert np.asarray(cells.at("soma").n).tolist() == spikes.count.tolist()
    assert np.asarray(cells.n).sum() == spikes.num_spikes
    last = {c: float(times[-1] / ms) for c, times in spikes.spike_trains().items() if len(times)}
    for c, time in last.items():
        # The reset at the end of the step that began at t holds from t + dt on.
        assert cells[c].soma.w[0] == pytest.approx(np.exp(-(30 - time - 0.1) / 7), rel=1e-4), c


def test_reset_at_a_location_of_one_neuron(stick, cell_of, target):
    model = channels.leak(g=0.1 * mS / cm**2, E=-40 * mV) + "n : 1"
    cell = cell_of(stick, model, threshold="v > -50*mV", threshold_location=3, reset="v = -70*mV\nn += 1")
    cell.v = -70 * mV
    spikes = SpikeMonitor(cell)
    Network(cell, spikes).run(40 * ms)
    assert spikes.num_spikes > 1 and set(spikes.i) == {3}
    assert np.asarray(cell.n).tolist() == [spikes.num_spikes if k == 3 else 0 for k in range(16)]


def test_reset_of_what_is_not_there(stick, group_of, cell_of):
    model = {"all": channels.leak(), "axon": "y : 1"}
    with pytest.raises(RallError, match=r"'y'.*soma"):
        Network(group_of(stick, model, 2, threshold="v > 0*mV", reset="y = 1")).run(0.1 * ms)
    with pytest.raises(RallError, match=r"'y'.*threshold_location"):
        Network(cell_of(stick, model, threshold="v > 0*mV", reset="y = 1")).run(0.1 * ms)


# --- recording -------------------------------------------------------------------------------------------------


def test_recording_of_cells_places_and_trees(stick, tree, group_of, squid, target):
    cells = group_of([stick, tree, stick, stick], squid)
    cells.initialise(v=-65 * mV)
    cells.at("soma").I = [0.2, 0.1, 0.4, 0.6] * nA
    place = stick.dend[105 * um]
    everything = StateMonitor(cells, "v", record=True)
    somata = StateMonitor(cells.at("soma"), ["v", "m_Na"], record=True)
    places = StateMonitor(cells, "v", record=place)
    one = StateMonitor(cells[3], "v", record=place)
    some = StateMonitor(cells[2:], "v", record=[place, 0])
    slow = StateMonitor(cells[1], "v", record=True, dt=0.5 * ms)
    chosen = StateMonitor(cells, "v", record=cells[2].dend.indices)
    part = StateMonitor(cells[2].axon, "v", record=True)
    text = StateMonitor(cells, "v", record="axon and cell_index == 2")
    few = StateMonitor(cells.at("soma"), "v", record=[1, 3])
    monitors = [everything, somata, places, one, some, slow, chosen, part, text, few]
    Network(cells, *monitors).run(5 * ms)
    v, first = everything.v_, cells.offset[:-1]
    assert somata.v_.tolist() == v[first].tolist() and somata.record.tolist() == [0, 1, 2, 3]
    assert np.ptp(somata.m_Na) > 0.01
    at, share = place.interpolation()
    expected = np.array([share @ v[first[c] + at] for c in (0, 2, 3)])
    assert places.v_ == pytest.approx(expected, rel=1e-12)
    assert one.v_ == pytest.approx(expected[2:], rel=1e-12) and one[place].v_.shape == (50,)
    assert some.v_ == pytest.approx(np.concatenate([expected[1:], v[[first[2]]]]), rel=1e-12)
    assert slow.v_.tolist() == v[first[1] : first[2], ::5].tolist()
    assert chosen.v_.tolist() == v[cells[2].dend.indices].tolist()
    assert part.v_.tolist() == text.v_.tolist() == v[cells[2].axon.indices].tolist()
    assert few.v_.tolist() == v[first[[1, 3]]].tolist()
    assert everything[cells[1]].v_.tolist() == v[first[1] : first[2]].tolist()


def test_a_monitor_of_a_cell_has_no_place_of_another(stick, tree, group_of, squid):
    cells = group_of([stick, tree], squid)
    with pytest.raises(RallError, match="another morphology"):
        StateMonitor(cells[1], "v", record=stick.dend[105 * um])


# --- store and restore -----------------------------------------------------------------------------------------


def test_restored_cells_go_on_as_they_did(firing, target):
    cells = firing()
    spikes = SpikeMonitor(cells)
    network = Network(cells, spikes)
    network.run(8 * ms)
    network.store()
    network.run(12 * ms)
    first, v = spikes.t_.tolist(), np.asarray(cells.v_).tolist()
    network.restore()
    network.run(12 * ms)
    assert len(first) > 5 and spikes.t_.tolist() == first
    assert np.asarray(cells.v_).tolist() == v


def test_code_at_regular_times_for_one_compartment_of_each(stick, group_of, squid, target):
    cells = group_of(stick, squid, 3)
    cells.initialise(v=-65 * mV)
    cells.at("soma").run_regularly("I = i*0.2*nA", dt=1 * ms)
    Network(cells).run(2 * ms)
    assert np.asarray(cells.I_)[::16] * 1e9 == pytest.approx([0, 0.2, 0.4])
    assert np.count_nonzero(np.asarray(cells.I_)) == 2
