"""From files to cells: values in their places, both layouts, runs, mod files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rall import (
    CurrentClamp,
    Morphology,
    Network,
    SpatialNeuronGroup,
    StateMonitor,
    TimedArray,
    cm,
    defaultclock,
    load_allen,
    mM,
    ms,
    mV,
    nA,
    ohm,
    prefs,
    run,
    siemens,
    uF,
    um,
)
from rall.devices.compiler import find_compiler


def spikes(cell, current, dt=0.025):
    """Upward crossings of -20 mV at the soma in 60 ms, with a current from 10 ms on."""
    defaultclock.dt = dt * ms
    trace = StateMonitor(cell, "v", record=[0])
    clamp = CurrentClamp(cell.at("soma"), TimedArray(np.array([0, *[current] * 6]) * nA, dt=10 * ms))
    run(60 * ms)
    assert clamp is not None
    v = trace.v[0] / mV
    return np.flatnonzero((v[:-1] < -20) & (v[1:] >= -20)) * dt


def test_values_of_a_perisomatic_model(perisomatic, written, swc):
    allen = load_allen(written(perisomatic), swc)
    assert list(allen.model) == ["soma", "axon", "dend", "apic"]
    assert allen.Ri / (ohm * cm) == pytest.approx(120)
    assert (allen.celsius, allen.v_init, allen.junction_potential) == (33.0, -78.5 * mV, -12 * mV)
    cell = allen.cell()
    assert cell.Cm[cell.indices_of("soma or axon")] / (uF / cm**2) == pytest.approx(1.0)
    assert cell.Cm[cell.indices_of("dend or apic")] / (uF / cm**2) == pytest.approx(1.5)
    assert cell.g_pas / (siemens / cm**2) == pytest.approx(5e-5)
    assert cell.g_NaTs[0] / (siemens / cm**2) == pytest.approx(0.4)
    assert np.isnan(cell.g_NaTs[cell.indices_of("dend")]).all()
    assert cell.gamma_CaDynamics[0] == pytest.approx(0.01)
    assert cell.decay_CaDynamics[0] / ms == pytest.approx(120)
    assert cell.T == pytest.approx(306.15)
    assert cell.E_Na / mV == pytest.approx(51)
    assert cell.E_K / mV == pytest.approx(-101)


def test_values_of_an_all_active_model(all_active, written, swc):
    allen = load_allen(written(all_active), swc)
    cell = allen.cell()
    for section, (capacitance, resistivity, g, e) in {
        "soma": (1.1, 90, 1e-4, -79), "axon": (2.0, 110, 3e-4, -75), "dend": (1.6, 100, 8e-5, -81),
        "apic": (1.8, 130, 9e-5, -80),
    }.items():  # fmt: skip
        here = cell.indices_of(section)
        assert cell.Cm[here] / (uF / cm**2) == pytest.approx(capacitance)
        assert cell.Ri[here] / (ohm * cm) == pytest.approx(resistivity)
        assert cell.g_pas[here] / (siemens / cm**2) == pytest.approx(g)
        assert cell.E_pas[here] / mV == pytest.approx(e)
    assert cell.g_NaV[cell.indices_of("axon")] / (siemens / cm**2) == pytest.approx(0.06)
    assert cell.g_Ih[cell.indices_of("apic")] / (siemens / cm**2) == pytest.approx(2e-5)


def test_a_cell_starts_at_rest_in_its_gates(all_active, written, swc):
    cell = load_allen(written(all_active), swc).cell()
    assert cell.v / mV == pytest.approx(-82)
    assert cell.Ca[0] / mM == pytest.approx(1e-4, rel=1e-12)
    states = [f"C{k}_NaV" for k in range(1, 6)] + ["O_NaV"] + [f"I{k}_NaV" for k in range(1, 7)]
    total = sum(np.asarray(getattr(cell, name))[0] for name in states)
    assert total == pytest.approx(1, abs=1e-12)
    before = {name: np.asarray(getattr(cell, name))[0] for name in [*states, "m_Kv3_1"]}
    cell.initialise(v=-82 * mV)
    for name, value in before.items():
        assert np.asarray(getattr(cell, name))[0] == pytest.approx(value, rel=1e-9), name


def test_both_kinds_fire(perisomatic, all_active, written, swc):
    for content in (perisomatic, all_active):
        cell = load_allen(written(content), swc).cell()
        assert len(spikes(cell, 0.5)) >= 1


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler on this machine")
def test_devices_agree(all_active, written, swc):
    allen, found = load_allen(written(all_active), swc), []
    defaultclock.dt = 0.025 * ms
    for device in ("c", "numpy"):
        prefs.codegen.target = device
        cell = allen.cell()
        network = Network(cell, CurrentClamp(cell.at("soma"), 1 * nA))
        network.run(2 * ms)
        found.append(np.concatenate([cell.v / mV, cell.O_NaV[cell.indices_of("soma or axon or dend")]]))
    assert found[0] == pytest.approx(found[1], rel=1e-9)
    assert found[0][0] > -70  # it has moved


def test_numbers_may_be_texts(perisomatic, written, swc):
    texts = json.loads(json.dumps(perisomatic), parse_float=str)
    one, other = load_allen(written(perisomatic), swc).cell(), load_allen(written(texts, "texts.json"), swc).cell()
    assert np.array_equal(one.g_pas, other.g_pas)
    assert np.array_equal(one.Cm, other.Cm)


def test_everything_can_be_changed_before(perisomatic, written, swc):
    allen = load_allen(written(perisomatic), swc)
    allen.morphology = allen.morphology.discretize(max_length=5 * um)
    allen.model["all"] = "I : amp (point current)"
    allen.Ri = 200 * ohm * cm
    allen.v_init = -70 * mV
    cell = allen.cell(threshold="v > -20*mV", threshold_location=0, name="changed")
    cell.I[0] = 1 * nA
    assert cell.name == "changed"
    assert cell.length[1:].max() / um <= 5.0
    assert cell.v[0] == -70 * mV
    assert cell.Ri[0] / (ohm * cm) == pytest.approx(200)


def test_many_cells(perisomatic, written, swc):
    allen = load_allen(written(perisomatic), swc)
    cells = SpatialNeuronGroup(2, morphology=allen.morphology, model=allen.model, Cm=allen.Cm, Ri=allen.Ri)
    cells.initialise(v=allen.v_init)
    assert cells.N == 2 * allen.morphology.flatten().n


def test_sections_that_the_morphology_lacks_are_left_out(all_active, written, swc):
    tree = Morphology.from_file(swc).remove("apic")
    allen = load_allen(written(all_active), tree)
    assert list(allen.model) == ["soma", "axon", "dend"]
    assert allen.cell().N == tree.flatten().n


def test_passive_values_for_all(perisomatic, written, swc):
    perisomatic["passive"] = [{}]
    perisomatic["genome"] += [
        {"section": "all", "name": name, "value": value, "mechanism": ""}
        for name, value in (("cm", 1.25), ("Ra", 80), ("e_pas", -70))
    ]
    allen = load_allen(written(perisomatic), swc)
    assert allen.Cm / (uF / cm**2) == pytest.approx(1.25)
    assert allen.Ri / (ohm * cm) == pytest.approx(80)


def test_reversal_potentials_that_differ(all_active, written, swc):
    all_active["conditions"][0]["erev"][1]["ek"] = -95.0
    cell = load_allen(written(all_active), swc).cell()
    assert cell.E_K[cell.indices_of("axon")] / mV == pytest.approx(-95)
    assert cell.E_K[cell.indices_of("soma")] / mV == pytest.approx(-101)
    assert cell.I_Kv3_1[0] < 0


def test_files_are_cut_as_the_models_were_fitted(perisomatic, written, swc):
    tree = load_allen(written(perisomatic), swc).morphology.flatten()
    assert (tree.sections.n % 2 == 1).all()
    assert tree.length[tree.type != 1].max() <= 40


def test_it_shows_what_it_is(all_active, written, swc):
    shown = repr(load_allen(written(all_active), swc))
    assert "34 C" in shown
    assert "soma: I_pas, I_NaV, I_Kv3_1, I_Ca_LVA, Ca" in shown


MOD = """
NEURON { SUFFIX Kd USEION k READ ek WRITE ik RANGE gbar, half }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { gbar = 1e-5 (S/cm2) half = -43 (mV) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) }
STATE { n }
BREAKPOINT { SOLVE gates METHOD cnexp ik = gbar*n*(v - ek) }
DERIVATIVE gates { n' = (1/(1 + exp(-(v - half)/8 (mV))) - n)/2 (ms) }
INITIAL { n = 1/(1 + exp(-(v - half)/8 (mV))) }
"""


def test_mechanisms_of_mod_files(perisomatic, written, swc):
    written(MOD, "modfiles/Kd.mod")
    folder = swc.parent / "modfiles"
    perisomatic["genome"] = [g for g in perisomatic["genome"] if not g["mechanism"]]
    for name, value in (("gbar_Kd", 0.02), ("half_Kd", -41.5)):
        perisomatic["genome"].append({"section": "soma", "name": name, "value": value, "mechanism": "Kd"})
    cell = load_allen(written(perisomatic), swc, mechanisms=folder).cell()
    assert cell.gbar_Kd[0] / (siemens / cm**2) == pytest.approx(0.02)
    assert cell.half_Kd[0] / mV == pytest.approx(-41.5)
    assert cell.E_K / mV == pytest.approx(-101)
    assert cell.n_Kd[0] == pytest.approx(1 / (1 + np.exp((78.5 - 41.5) / 8)))
