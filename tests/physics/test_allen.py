"""The all-active cell of the Allen Cell Types Database, from its files, against a reference with a variable step.

Its sodium channel is a stiff scheme of twelve states, and calcium moves its reversal potential.  Late spikes carry the
errors of all before.  `tests/benchmarks/allen.py` prints errors over steps and compartments.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from rall.morphology import Morphology
from rall.plugins.allen import load_allen
from rall.plugins.cable import CurrentClamp
from rall.plugins.inputs import TimedArray
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import mM, ms, mV, nA, um

#: Step (ms), and the errors that are allowed: of spike times (ms), and of the voltage away from spikes (mV).
STEPS = {0.01: (0.05, 0.15), 0.025: (0.2, 0.5), 0.05: (0.4, 1.0)}


@pytest.fixture(scope="module")
def reference(shared):
    folder = shared / "reference" / "allen"
    with np.load(folder / "soma_0p3nA.npz") as arrays:
        trace = dict(arrays)
    return folder / "fit_parameters.json", json.loads((folder / "allen.json").read_text()), trace


@pytest.mark.parametrize("dt", STEPS)
def test_spikes_rest_and_calcium(dt, reference, shared, errors):
    parameters, about, trace = reference
    tree = Morphology.from_file(shared / "morphologies" / "l5_allen_515570710.swc").discretize(max_length=2.5 * um)
    assert tree.flatten().n == next(c["compartments"] for c in about["convergence"] if c["segment_um"] == 2.5)
    cell = load_allen(parameters, tree).cell()
    cell.clock.dt = dt * 1e-3
    places = [tree.sample(site["swc_sample"]) for site in about["sites"]]
    pulse = np.repeat([0, about["amp_nA"], 0], [1, 5, 1])  # each 50 ms
    clamp = CurrentClamp(cell.at("soma"), TimedArray(pulse * nA, dt=50 * ms))
    voltage, calcium = StateMonitor(cell, "v", record=places), StateMonitor(cell, "Ca", record=[0])
    Network(cell, clamp, voltage, calcium).run(about["t_stop_ms"] * ms)
    t, v = voltage.t / ms, voltage.v / mV

    spike_limit, away_limit = STEPS[dt]
    spikes = errors.spike_times(t, v[0], about["threshold_mV"])
    assert len(spikes) == 7
    assert errors.spike_error(about["spikes_soma"], spikes) <= spike_limit
    assert errors.away_error(trace["t"], trace["v"], t, v[0], about["threshold_mV"]) <= away_limit
    at_49 = np.argmin(np.abs(t - 49))
    for site, here in zip(about["sites"], v):
        assert here[at_49] == pytest.approx(about["v_mV"][site["name"]]["at_49ms"], abs=0.002), site["name"]
    expected = about["soma_calcium_mM"]
    assert calcium.Ca[0, at_49] / mM == pytest.approx(expected["at_49ms"], rel=1e-5)
    assert calcium.Ca[0].max() / mM == pytest.approx(expected["max"], rel=0.02)
