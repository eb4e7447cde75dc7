"""Currents: Im, flags, points, regions."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.equations import Equations
from rall.errors import EquationError, RallError
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import cm, mS, ms, mV, nA, pA, siemens

PASSIVE = "Im = g*(E - v) : amp/meter**2\ng : siemens/meter**2 (constant)\nE : volt (constant)\n"
POINT = "I : amp (point current)"


def voltages(cell, duration=5 * ms, record=True):
    monitor = StateMonitor(cell, "v", record=record)
    Network(cell, monitor).run(duration)
    return monitor.v_


def passive(cell):
    cell.v = -70 * mV
    cell.g = 0.1 * mS / cm**2
    cell.E = -70 * mV
    cell.I[0] = 0.1 * nA


def test_Im_is_positive_inward(stick, cell_of, target):
    cell = cell_of(stick, PASSIVE)
    cell.v, cell.g, cell.E = -70 * mV, 0.1 * mS / cm**2, -60 * mV
    assert np.asarray(cell.Im_) == pytest.approx(1.0 * 10e-3)
    v = voltages(cell)
    assert (np.diff(v, axis=1) > 0).all()


def test_flagged_lines_make_the_same_as_Im(stick, cell_of):
    seen = []
    for text in (
        PASSIVE + POINT,
        PASSIVE.replace("Im =", "J =").replace("meter**2\ng", "meter**2 (membrane current)\ng") + POINT,
        PASSIVE.replace("Im = g*(E - v)", "Im = I/area + g*(E - v)") + "I : amp",
    ):
        cell = cell_of(stick, text)
        passive(cell)
        seen.append(voltages(cell))
    assert np.ptp(seen[0]) > 1e-3
    assert seen[1] == pytest.approx(seen[0], abs=1e-15)
    assert seen[2] == pytest.approx(seen[0], abs=1e-12)


def test_Im_and_flagged_lines_add_up(stick, cell_of):
    text = PASSIVE + "J = 0.1*mS/cm**2*(-50*mV - v) : amp/meter**2 (membrane current)\nI : amp (point current)"
    cell = cell_of(stick, text)
    passive(cell)
    now = 1.0 * (-0.07 + 0.07) + 1.0 * (-0.05 + 0.07)
    point = np.zeros(cell.N)
    point[0] = 0.1e-9 / np.asarray(cell.area_)[0]
    assert np.asarray(cell.Im_) == pytest.approx(now + point, rel=1e-9)


def test_point_current_is_per_compartment(stick, cell_of):
    """The same current per area, once as density and once as point current."""
    one = cell_of(stick, PASSIVE + "J : amp/meter**2 (membrane current)")
    two = cell_of(stick, PASSIVE + POINT)
    for cell in (one, two):
        cell.v, cell.g, cell.E = -70 * mV, 0.1 * mS / cm**2, -70 * mV
    two.I = "3*pA/um**2*area*1e-3"
    one.J = "3e-3*pA/um**2"
    assert voltages(one) == pytest.approx(voltages(two), abs=1e-13)


def test_a_model_may_have_no_membrane_current(stick, cell_of, target):
    cell = cell_of(stick, POINT)
    cell.v = -65 * mV
    cell.I[3] = 10 * pA
    voltages(cell, 1 * ms)
    charge = np.sum(np.asarray(cell.area_) * 1e-2 * (np.asarray(cell.v_) + 65e-3))
    assert charge == pytest.approx(10e-12 * 1e-3, rel=1e-9)


def test_conductance_in_a_point_current(stick, cell_of):
    """A synapse-like conductance at one compartment pulls it to its reversal potential."""
    cell = cell_of(stick, PASSIVE + "I = gs*(0*mV - v) : amp (point current)\ngs : siemens")
    cell.v, cell.g, cell.E = -70 * mV, 0.1 * mS / cm**2, -70 * mV
    cell.gs[5] = 1e-3 * siemens
    voltages(cell, 20 * ms)
    v = np.asarray(cell.v_)
    assert abs(v[5]) < 1e-3 and v[5] == v.max()


def test_regions_add_up(tree, cell_of, squid, target):
    """A dictionary gives what one model with zero conductances gives."""
    model = {
        "all": channels.leak(g=0.3 * mS / cm**2, E=-54.3 * mV) + POINT,
        "soma or axon": channels.hh.Na() + channels.hh.K(),
    }
    by_region = cell_of(tree, model)
    whole = cell_of(tree, squid)
    whole.g_Na = "120*mS/cm**2*int(soma or axon)"
    whole.g_K = "36*mS/cm**2*int(soma or axon)"
    seen = []
    for cell in (by_region, whole):
        cell.initialise(v=-65 * mV)
        cell.I[0] = 0.3 * nA
        seen.append(voltages(cell, 15 * ms))
    assert seen[1].max() > 0
    assert np.abs(seen[0] - seen[1]).max() < 1e-9 * np.ptp(seen[1])


def test_three_overlapping_regions(tree, cell_of):
    model = {
        "all": channels.leak(g=0.3 * mS / cm**2, E=-65 * mV) + POINT,
        "soma or axon": channels.hh.Na() + channels.hh.K(),
        "axon": channels.leak(g=1 * mS / cm**2, E=-80 * mV, name="more"),
        "distance > 50*um": channels.leak(g=0.5 * mS / cm**2, E=-70 * mV, name="far"),
    }
    cell = cell_of(tree, model)
    assert len(cell.mechanisms) == 4
    g = np.asarray(cell.g_more_)
    inside = cell.variables["axon"].get()
    assert np.isnan(g[~inside]).all() and (g[inside] == 10.0).all()
    far = np.asarray(cell.distance_) > 50e-6
    assert np.isnan(np.asarray(cell.g_far_)[~far]).all() and np.isfinite(np.asarray(cell.g_far_)[far]).all()
    cell.initialise(v=-65 * mV)
    leak = np.where(inside, 10.0 * -15e-3, 0) + np.where(far, 5.0 * -5e-3, 0)
    m, h, n = 0.052932485257, 0.596120753508, 0.317676914061
    hh = 1200 * m**3 * h * 115e-3 + 360 * n**4 * -12e-3
    soma = cell.variables["soma"].get()
    assert np.asarray(cell.Im_) == pytest.approx(leak + np.where(soma | inside, hh, 0), rel=1e-6, abs=1e-9)


def test_gates_of_one_region_in_equations_of_another(tree, cell_of, target):
    """A subset that lies inside another's compartments reads its gates."""
    model = {
        "all": channels.leak() + POINT,
        "soma or axon": channels.hh.Na() + channels.hh.K(),
        "soma": Equations("slow = m_Na*2 : 1\ndw/dt = (m_Na - w)/(5*ms) : 1"),
    }
    cell = cell_of(tree, model)
    cell.initialise(v=-65 * mV)
    assert np.asarray(cell.w)[0] == pytest.approx(np.asarray(cell.m_Na)[0])
    assert np.isnan(np.asarray(cell.w)[1:]).all()
    assert np.asarray(cell.slow)[0] == pytest.approx(2 * np.asarray(cell.m_Na)[0])
    cell.I[0] = 0.3 * nA
    monitor = StateMonitor(cell, ["slow", "w", "m_Na"], record=[0])
    Network(cell, monitor).run(10 * ms)
    assert monitor.slow == pytest.approx(2 * monitor.m_Na)
    assert monitor.w.max() > 1.5 * monitor.w[0, 0]


def test_names_that_live_elsewhere_are_refused(tree, cell_of):
    wrong = Equations("J = 1*mS/cm**2*m_Na*(0*mV - v) : amp/meter**2 (membrane current)")
    model = {"all": wrong, "axon": channels.hh.Na()}
    cell = cell_of(tree, model)
    with pytest.raises(RallError, match="m_Na"):
        Network(cell).run(0.1 * ms)


def test_parameters_by_region(tree, cell_of):
    model = {
        "all": channels.leak(g=0.1 * mS / cm**2) + POINT,
        "apical": channels.leak(g="0.02*mS/cm**2*exp(distance/(100*um))", E=-45 * mV, name="h"),
    }
    cell = cell_of(tree, model)
    apical = cell.variables["apical"].get()
    assert apical.any() and not apical.all()
    expected = 0.2 * np.exp(np.asarray(cell.distance_)[apical] / 100e-6)
    assert np.asarray(cell.g_h_)[apical] == pytest.approx(expected)
    cell.g_h[apical] = 1 * mS / cm**2
    assert np.asarray(cell.g_h_)[apical] == pytest.approx(10)
    assert np.isnan(np.asarray(cell.g_h_)[~apical]).all()


def test_the_same_line_in_regions_apart(tree, cell_of):
    """One channel with different values in two regions that do not overlap."""
    model = {
        "all": Equations(POINT),
        "axon": channels.leak(g=1 * mS / cm**2, E=-80 * mV),
        "not axon": channels.leak(g=0.1 * mS / cm**2, E=-80 * mV),
    }
    cell = cell_of(tree, model)
    inside = cell.variables["axon"].get()
    assert np.asarray(cell.g_leak_) == pytest.approx(np.where(inside, 10, 1))


def test_labels_are_regions(tree, cell_of):
    tree.label("hot", "apical and distance > 100*um")
    cell = cell_of(tree, {"all": channels.leak() + POINT, "hot": channels.hh.K()})
    hot = np.isfinite(np.asarray(cell.g_K_))
    assert hot.any()
    expected = cell.variables["apical"].get() & (np.asarray(cell.distance_) > 100e-6)
    assert (hot == expected).all()
    assert (cell["hot"].indices == np.flatnonzero(expected)).all()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"all": "J = 1*amp : amp (membrane current)"}, "amp/metre"),
        ({"all": "J = 1*amp/meter**2 : amp/meter**2 (point current)"}, "amp"),
        ({"all": "Im = 1*amp : amp"}, "Im"),
        ({"all": "dv/dt = -v/ms : volt"}, "voltage"),
        ({"nowhere": POINT}, "nowhere"),
        ({"distance > 1*second": POINT}, "distance"),
        ({"distance > 1*meter": POINT}, "no compartment"),
        ({"all": channels.leak(), "axon": channels.leak()}, "twice"),
        ({"axon": channels.leak(E=-50 * mV), "soma": "g_leak : siemens"}, "differently"),
    ],
)
def test_mistakes_in_models(model, words, tree, cell_of):
    with pytest.raises(RallError, match=words):
        cell_of(tree, model)


def test_mistakes_of_units_show_the_line_and_the_place(tree, cell_of):
    cell = cell_of(tree, "Im = g*(E - v) : amp/meter**2\ng : siemens/meter**2\nE : amp")
    with pytest.raises(EquationError) as caught:
        Network(cell).run(0.1 * ms)
    text = str(caught.value)
    assert "Im = g*(E - v)" in text or "g*(E - v)" in text
    assert "^" in text


def test_shared_parameters_by_region(tree, cell_of):
    cell = cell_of(tree, {"all": channels.leak(), "axon": channels.hh.K(E=-90 * mV)})
    assert cell.E_K == -90 * mV
    cell.E_K = -80 * mV
    assert cell.E_K == -80 * mV


@pytest.mark.parametrize("method", [None, "euler", "rk4", "exponential_euler"])
def test_variables_that_nothing_reads(stick, cell_of, method):
    cell = cell_of(stick, "Im = 0*amp/metre**2 : amp/metre**2\ndx/dt = 1/second : 1", method=method)
    Network(cell).run(10 * ms)
    assert np.asarray(cell.x) == pytest.approx(0.01)
