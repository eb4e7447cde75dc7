"""Calcium pools: what enters, how it decays, and the reversal potential that channels see."""

from __future__ import annotations

import numpy as np
import pytest
from formulas import Formulas

from rall import channels
from rall.morphology import Cylinder, Soma
from rall.plugins.cable import SpatialNeuron
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import cm, kelvin, mM, mS, ms, mV, nM, uF, um

calcium = channels.calcium
FARADAY, GAS = 96485.33212, 8.314462618
#: A constant calcium current of 5 uA/cm2.
INFLOW = "I_in = 0.05*amp/meter**2 : amp/meter**2 (membrane current, ion Ca)"


def test_a_constant_current(target):
    """Exponentials to the balance of inflow and decay, with values of its own in each compartment."""
    defaultclock.dt = 0.1 * ms
    pool = calcium.pool(gamma="0.02*(1 + i)", decay=50 * ms, depth=0.2 * um, minimum=80 * nM)
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=1 * um, length=30 * um, n=3), model=pool + INFLOW, Cm=1e6 * uF / cm**2
    )
    assert np.asarray(cell.Ca_) == pytest.approx(np.full(3, 80e-6))
    Network(cell).run(30 * ms)
    gain = 0.02 * np.arange(1, 4) * 0.05 / (2 * FARADAY * 0.2e-6) * 0.05
    expected = 80e-6 + gain * -np.expm1(-30 / 50)
    assert np.asarray(cell.Ca_) == pytest.approx(expected, rel=1e-6)
    assert np.asarray(cell.E_Ca_) == pytest.approx(GAS * 307.15 / (2 * FARADAY) * np.log(2 / expected), rel=1e-6)


def test_all_calcium_currents_fill_it():
    """Two channels, one pool; the steady state of all three."""
    model = (
        channels.hay.Ca_HVA(g=0.5 * mS / cm**2) + channels.hay.Ca_LVAst(g=0.2 * mS / cm**2)
        + calcium.pool(gamma=0.005, decay=100 * ms)
    )  # fmt: skip
    cell = SpatialNeuron(morphology=Soma(diameter=20 * um), model=model)
    cell.initialise(v=-40 * mV)
    total = sum(float(np.asarray(getattr(cell, f"I_{name}_"))[0]) for name in ("Ca_HVA", "Ca_LVAst"))
    level = float(np.asarray(cell.Ca_)[0])
    assert level > 2.5e-4
    assert level == pytest.approx(1e-4 + 0.1 * 0.005 * total / (2 * FARADAY * 1e-7), rel=1e-6)


def test_fixed():
    model = calcium.fixed(Ca=50 * nM, Ca_o=1.5 * mM, T=300 * kelvin) + channels.hay.Ca_HVA()
    found = Formulas(model, [0.0, 10.0])
    expected = GAS * 300 / (2 * FARADAY) * np.log(1.5 / 50e-6)
    assert found("E_Ca") == pytest.approx(np.full(2, expected), rel=1e-9)
    v = np.array([0.0, 0.01])
    assert found("I_Ca_HVA", m_Ca_HVA=1.0, h_Ca_HVA=1.0) == pytest.approx(9.92 * (expected - v), rel=1e-9)


def test_names():
    assert set(calcium.pool().names) == {
        "Ca", "E_Ca", "gamma_Ca", "decay_Ca", "depth_Ca", "minimum_Ca", "Ca_o", "T",
    }  # fmt: skip
    assert "gamma_shell" in calcium.pool(name="shell").names
