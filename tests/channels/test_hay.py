"""Channels of Hay et al. 2011 against formulas written out here, in millivolt and milliseconds."""

from __future__ import annotations

import numpy as np
import pytest
from formulas import Formulas

from rall import channels
from rall.morphology import Morphology
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import SpikeMonitor
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import cm, kelvin, mS, ms, mV, nA, um

hay = channels.hay
#: Where a quotient in a formula is 0/0 (-154.9, -66, -64.4, -60, -38, -32, -27, -17), and others.
V = np.array([-154.9, -120, -90, -66, -64.4, -60, -52.6, -38, -32, -27, -17, 0, 18.7, 50])


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def quotient(x, y):
    """x/(1 - exp(-x/y)), y where x is 0."""
    near = np.abs(x) < 1e-9
    safe = np.where(near, 1.0, x)
    return np.where(near, y, safe / -np.expm1(-safe / y))


def q10(celsius):
    return np.exp(np.log(2.3) * (celsius - 21) / 10)


def two_rates(opening, closing, q=1.0):
    return opening / (opening + closing), 1 / (q * (opening + closing))


def sodium(m, h):
    def gates(v, celsius):
        q = q10(celsius)
        return {
            "m": two_rates(0.182 * quotient(v - m, 6), 0.124 * quotient(m - v, 6), q),
            "h": two_rates(0.015 * quotient(h - v, 6), 0.015 * quotient(v - h, 6), q),
        }

    return gates


def nap(v, celsius):
    q = q10(celsius)
    both = 0.182 * quotient(v + 38, 6) + 0.124 * quotient(-38 - v, 6)
    slow = 2.88e-6 * quotient(-17 - v, 4.63) + 6.94e-6 * quotient(v + 64.4, 2.63)
    return {"m": (sigmoid((v + 52.6) / 4.6), 6 / both / q), "h": (sigmoid(-(v + 48.8) / 10), 1 / slow / q)}


def k_pst(v, celsius):
    q, u = q10(celsius), v + 10
    tau = 1.25 + np.where(u < -50, 175.03 * np.exp(0.026 * u), 13 * np.exp(-0.026 * u))
    tau_h = 360 + (2330 + 24 * u) * np.exp(-(((u + 75) / 48) ** 2))
    return {"m": (sigmoid((u + 1) / 12), tau / q), "h": (sigmoid(-(u + 54) / 11), tau_h / q)}


def k_tst(v, celsius):
    q, u = q10(celsius), v + 10
    tau, tau_h = 0.34 + 0.92 * np.exp(-(((u + 71) / 59) ** 2)), 8 + 49 * np.exp(-(((u + 73) / 23) ** 2))
    return {"m": (sigmoid(u / 19), tau / q), "h": (sigmoid(-(u + 66) / 10), tau_h / q)}


def kv3(v, celsius):
    return {"m": (sigmoid((v - 18.7) / 9.7), 4 * sigmoid((v + 46.56) / 44.14))}


def muscarinic(v, celsius):
    return {"m": (sigmoid((v + 35) / 5), 1 / (q10(celsius) * 6.6e-3 * np.cosh((v + 35) / 10)))}


def ih(v, celsius):
    return {"m": two_rates(6.43e-3 * quotient(-v - 154.9, 11.9), 0.193 * np.exp(v / 33.1))}


def hva(v, celsius):
    return {
        "m": two_rates(0.055 * quotient(v + 27, 3.8), 0.94 * np.exp(-(75 + v) / 17)),
        "h": two_rates(0.000457 * np.exp(-(13 + v) / 50), 0.0065 * sigmoid((v + 15) / 28)),
    }


def lva(v, celsius):
    q = q10(celsius)
    return {
        "m": (sigmoid((v + 40) / 6), (5 + 20 * sigmoid(-(v + 35) / 5)) / q),
        "h": (sigmoid(-(v + 90) / 6.4), (20 + 50 * sigmoid(-(v + 50) / 7)) / q),
    }


#: Gates, their powers in the current, what gives its reversal potential, and that in mV.
EXPECTED = {
    "NaTa_t": (sodium(-38, -66), {"m": 3, "h": 1}, "E_Na", 50),
    "NaTs2_t": (sodium(-32, -60), {"m": 3, "h": 1}, "E_Na", 50),
    "Nap_Et2": (nap, {"m": 3, "h": 1}, "E_Na", 50),
    "K_Pst": (k_pst, {"m": 2, "h": 1}, "E_K", -85),
    "K_Tst": (k_tst, {"m": 4, "h": 1}, "E_K", -85),
    "SKv3_1": (kv3, {"m": 1}, "E_K", -85),
    "Im": (muscarinic, {"m": 1}, "E_K", -85),
    "Ih": (ih, {"m": 1}, "E_Ih", -45),
    "Ca_HVA": (hva, {"m": 2, "h": 1}, "E_Ca", 131),
    "Ca_LVAst": (lva, {"m": 2, "h": 1}, "E_Ca", 131),
}
DEPENDENT = {"NaTa_t", "NaTs2_t", "Nap_Et2", "K_Pst", "K_Tst", "Im", "Ca_LVAst"}


@pytest.mark.parametrize("celsius", [34.0, 24.0])
@pytest.mark.parametrize("name", EXPECTED)
def test_gates(name, celsius):
    gates, _, _, _ = EXPECTED[name]
    more = {"T": (celsius + 273.15) * kelvin} if name in DEPENDENT else {}
    found = Formulas(getattr(hay, name)(**more), V)
    for gate, (steady, tau) in gates(V, celsius).items():
        values = found.gate(f"{gate}_{name}")
        assert values[0] == pytest.approx(steady, rel=1e-10, abs=1e-300)
        assert values[1] == pytest.approx(tau, rel=1e-10)
    assert set(found.equations.diff_eq_names) == {f"{gate}_{name}" for gate in gates(V, celsius)}


@pytest.mark.parametrize("name", EXPECTED)
def test_currents(name):
    _, powers, reversal, e = EXPECTED[name]
    found = Formulas(getattr(hay, name)(g=3 * mS / cm**2), V)
    open_gates = {f"{gate}_{name}": 0.3 + 0.2 * k for k, gate in enumerate(powers)}
    share = np.prod([open_gates[f"{gate}_{name}"] ** power for gate, power in powers.items()])
    assert found(f"I_{name}", **open_gates) == pytest.approx(30 * share * (e - V) * 1e-3, rel=1e-12)
    line = found.equations[f"I_{name}"]
    assert line.has("membrane current")
    ion = line.flag("ion")
    assert reversal == (f"E_{name}" if ion is None else f"E_{ion.args[0]}")


def test_calcium_opens_sk():
    calcium = np.array([0.0, 5e-5, 1e-4, 4.3e-4, 1e-3, 1e-2])
    found = Formulas(hay.SK_E2(g=1 * mS / cm**2), np.full(6, -60.0), Ca=calcium)
    steady, tau = found.gate("z_SK_E2")
    assert steady == pytest.approx(calcium**4.8 / (calcium**4.8 + 4.3e-4**4.8), rel=1e-10)
    assert tau == pytest.approx(1.0)
    assert found("I_SK_E2", z_SK_E2=0.5) == pytest.approx(-10 * 0.5 * 0.025)


def test_default_is_the_published_temperature():
    """The models carry the factor 2.3**1.3."""
    cold = Formulas(hay.Im(T=294.15 * kelvin), V).gate("m_Im")[1]
    assert cold / Formulas(hay.Im(), V).gate("m_Im")[1] == pytest.approx(2.3**1.3)


def test_pool():
    found = Formulas(hay.CaDynamics_E2(), [0.0], Ca=3e-4, I_Ca_total=0.01)
    entering = 0.01 * 0.000501 / (2 * 96485.33 * 1e-7)
    assert found("Ca") == pytest.approx(entering - 2e-4 / 0.46, rel=1e-6)


@pytest.fixture(scope="module")
def tree():
    return Morphology.grow("pyramidal", seed=1).discretize(max_length=60 * um)


def test_regions_of_the_cell(tree):
    cell = SpatialNeuron(tree, model=hay.model(), Cm=hay.Cm, Ri=hay.Ri)
    apic, distance = cell.apic, np.asarray(cell.apic.distance_) * 1e6
    hot = (distance > 685) & (distance < 885)
    assert hot.any() and not hot.all()
    siemens = 1e-4  # siemens/metre**2 to siemens/cm**2
    assert np.asarray(apic.g_Ca_LVAst_) * siemens == pytest.approx(0.0187 * np.where(hot, 1, 0.01))
    assert np.asarray(apic.g_Ca_HVA_) * siemens == pytest.approx(0.000555 * np.where(hot, 1, 0.1))
    expected = 0.0002 * (-0.8696 + 2.087 * np.exp(3.6161 * distance / 1166))
    assert np.asarray(apic.g_Ih_) * siemens == pytest.approx(expected)
    assert expected.min() > 0.0002
    table = {
        "soma": {"NaTa_t": 2.04, "Nap_Et2": 0.00172, "K_Tst": 0.0812, "K_Pst": 0.00223, "SKv3_1": 0.693,
                 "SK_E2": 0.0441, "Ca_LVAst": 0.00343, "Ca_HVA": 0.000992, "Ih": 0.0002, "leak": 0.0000338},
        "apic": {"NaTa_t": 0.0213, "SKv3_1": 0.000261, "SK_E2": 0.0012, "Im": 0.0000675, "leak": 0.0000589},
        "dend": {"Ih": 0.0002, "leak": 0.0000467},
        "axon": {"leak": 0.0000325},
    }  # fmt: skip
    for region, densities in table.items():
        for channel, g in densities.items():
            assert np.asarray(getattr(getattr(cell, region), f"g_{channel}_")) * siemens == pytest.approx(g), channel
    assert [float(np.asarray(getattr(cell, name).Cm_)[0]) for name in table] == pytest.approx([0.01, 0.02, 0.02, 0.01])
    assert cell.E_Na == 50 * mV and cell.E_K == -85 * mV and cell.E_leak == -90 * mV


def test_the_cell_fires(tree, target):
    """It is quiet near rest, and a current into the soma makes it fire, which lets calcium in."""
    model = hay.model() | {"all": "I : amp (point current)"}
    cell = SpatialNeuron(
        tree, model=model, Cm=hay.Cm, Ri=hay.Ri, threshold="v > -20*mV", refractory="v > -20*mV", threshold_location=0
    )
    cell.initialise(v=-77 * mV)
    assert np.asarray(cell.soma.Ca_)[0] == pytest.approx(1e-4, rel=0.02)
    spikes = SpikeMonitor(cell)
    network = Network(cell, spikes)
    defaultclock.dt = 0.05 * ms
    network.run(3 * ms)
    assert np.asarray(cell.soma.v_)[0] == pytest.approx(-77e-3, abs=2e-3)
    cell.I[0] = 3 * nA
    network.run(6 * ms)
    assert spikes.num_spikes == 1
    assert np.asarray(cell.soma.Ca_)[0] > 1.2e-4 and np.asarray(cell.apic.v_).max() > -50e-3
