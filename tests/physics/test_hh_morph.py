"""Hodgkin-Huxley membranes on reconstructions, read from their SWC files, against reference solutions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rall.morphology import Morphology
from rall.units import um

CELLS = ("granule_gc2", "pyramidal_nmo49821", "ca1_n120")


@pytest.fixture(scope="module", params=CELLS)
def reference(request, shared):
    folder = shared / "reference" / "hh_morph"
    with np.load(folder / f"{request.param}.npz") as arrays:
        traces = dict(arrays)
    return request.param, json.loads((folder / f"{request.param}.json").read_text()), traces


@pytest.fixture
def run(reference, shared, cases):
    name, about, _ = reference

    def go(dt, length=10.0):
        whole = Morphology.from_file(shared / "morphologies" / f"{name}.swc")
        morphology = whole.discretize(max_length=length * um)
        cell = cases.squid(morphology)
        places = [morphology.sample(site["swc_sample"]) for site in about["sites"]]
        stimulus = about["stimulus"]
        on, off, amp = stimulus["on_ms"], stimulus["off_ms"], stimulus["amp_nA"]
        steps = [(on, None, 0.0), (off - on, places[0], amp), (about["t_stop_ms"] - off, places[0], 0.0)]
        t, v = cases.traces(cell, places, steps, dt)
        assert cell.cable_method_used == "second_order"
        return t, dict(zip(("soma", "branch", "tip"), v))

    return go


def test_geometry(reference, shared):
    name, about, _ = reference
    m = Morphology.from_file(shared / "morphologies" / f"{name}.swc")
    tree = m.flatten()
    totals = about["totals"]
    assert len(tree.sections) == totals["sections"]
    assert tree.area.sum() == pytest.approx(totals["area_um2"], rel=1e-6)
    # An isopotential soma has no length there.
    cable = tree.sections.length[~np.asarray(tree.sections.sphere)]
    assert cable.sum() == pytest.approx(totals["length_um"], rel=1e-6)
    fine = m.discretize(max_length=10 * um).flatten()
    assert fine.area.sum() == pytest.approx(totals["area_um2"], rel=1e-6)


def test_spikes_and_voltages_at_25_us(reference, run, errors):
    _, _, traces = reference
    t, v = run(0.025)
    for site, trace in v.items():
        spikes = errors.spike_times(t, trace)
        assert errors.spike_error(traces[f"spikes_{site}"], spikes) <= 0.015, site
        assert errors.away_error(traces["t"], traces[f"v_{site}"], t, trace) <= 0.05, site


def test_spikes_at_100_us(reference, run, errors):
    _, _, traces = reference
    t, v = run(0.1)
    for site, trace in v.items():
        assert errors.spike_error(traces[f"spikes_{site}"], errors.spike_times(t, trace)) <= 0.2, site
