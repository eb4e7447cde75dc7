"""A cell of a population behaves as it does alone, whatever its neighbours are: real and grown trees, in one group."""

from __future__ import annotations

import warnings

import numpy as np

from rall import channels
from rall.morphology import Morphology
from rall.plugins.cable import SpatialNeuron, SpatialNeuronGroup
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import cm, mS, ms, mV, nA, ohm, uF, um

MODEL = {
    "all": channels.leak(g=0.1 * mS / cm**2, E=-65 * mV) + "I : amp (point current)",
    "distance < 150*um": channels.hh.Na() + channels.hh.K(),
}
CONSTANTS = {"Cm": 1 * uF / cm**2, "Ri": 100 * ohm * cm}


def together_and_alone(cells, currents, looked_at):
    """Largest difference of some cells of a group from the same cells alone over 20 ms, over the span of v, by cell."""
    cells.initialise(v=-65 * mV)
    cells.at(0).I = currents * nA
    trace = StateMonitor(cells, "v", record=True, dt=1 * ms)
    Network(cells, trace).run(20 * ms)
    worst = {}
    for c in looked_at:
        one = SpatialNeuron(cells[c].morphology, MODEL, **CONSTANTS)
        one.initialise(v=-65 * mV)
        one.I[0] = currents[c] * nA
        mine = StateMonitor(one, "v", record=True, dt=1 * ms)
        Network(one, mine).run(20 * ms)
        difference = np.abs(mine.v_ - trace.v_[cells.offset[c] : cells.offset[c + 1]]).max()
        worst[c] = difference / np.ptp(mine.v_)
    return worst


def test_neighbours_and_places_in_blocks_do_not_matter(target):
    """Grown trees of four kinds in any order: every kind at several places, the first and the last cell among them."""
    kinds = [Morphology.grow("pyramidal", seed=k).discretize(max_length=150 * um) for k in (1, 2)]
    kinds += [Morphology.grow(name, seed=1).discretize(max_length=150 * um) for name in ("granule", "purkinje")]
    random = np.random.default_rng(1)
    order = random.integers(0, len(kinds), 40)
    cells = SpatialNeuronGroup(morphology=[kinds[k] for k in order], model=MODEL, **CONSTANTS)
    assert cells.cable.domain.layout.blocks is not None and len(cells.cable.domain.layout.blocks) > 1
    worst = together_and_alone(cells, np.linspace(0, 3, 40), [0, 7, 20, 39])
    assert max(worst.values()) < 1e-9, worst


def test_all_reconstructions_in_one_group(shared, target):
    """Each twice, in different places."""
    paths = sorted((shared / "morphologies").glob("*.swc"))
    assert len(paths) > 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are odd, and say so
        trees = [Morphology.from_file(path, min_radius=0.05 * um).discretize(max_length=20 * um) for path in paths]
    cells = SpatialNeuronGroup(morphology=trees + trees[::-1], model=MODEL, **CONSTANTS)
    currents = np.concatenate([np.linspace(0.5, 3, len(trees)), np.zeros(len(trees))])
    worst = together_and_alone(cells, currents, range(len(trees)))
    assert max(worst.values()) < 1e-9, {paths[c].name: value for c, value in worst.items()}
