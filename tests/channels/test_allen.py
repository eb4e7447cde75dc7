"""Channels of the Allen models against the formulas of their table, in millivolt and milliseconds."""

from __future__ import annotations

import numpy as np
import pytest
from formulas import Formulas

from rall import channels
from rall.morphology import Soma
from rall.plugins.cable import SpatialNeuron
from rall.units import cm, kelvin, mS, ms, mV, um

allen = channels.allen
V = np.array([-154.9, -115, -90, -69, -66, -64.4, -50, -48, -40, -27, -17, 0, 18.7, 43, 60])


def boltzmann(v, half, slope):
    return np.exp(-np.logaddexp(0, -(v - half) / slope))


def linoid(x, y):
    """x/(exp(x/y) - 1), y where x is 0."""
    near = np.abs(x) < 1e-9
    safe = np.where(near, 1.0, x)
    return np.where(near, y, safe / np.expm1(safe / y))


def q(celsius, base):
    return 2.3 ** ((celsius - base) / 10)


def bell(v, centre, width):
    return np.exp(-(((v - centre) / width) ** 2))


def two_rates(opening, closing, factor=1.0):
    return opening / (opening + closing), 1 / (factor * (opening + closing))


def sodium(m, h):
    def gates(v, celsius):
        factor = q(celsius, 23)
        return {
            "m": two_rates(0.182 * linoid(m - v, 6), 0.124 * linoid(v - m, 6), factor),
            "h": two_rates(0.015 * linoid(v - h, 6), 0.015 * linoid(h - v, 6), factor),
        }

    return gates


def nap(v, celsius):
    rate = 2.88e-6 * linoid(v + 17, 4.63) + 6.94e-6 * linoid(-(v + 64.4), 2.63)
    return {"h": (boltzmann(v, -48.8, -10), 1 / (rate * q(celsius, 21)))}


def k_p(v, celsius):
    tau = 1.25 + np.where(v < -50, 175.03 * np.exp(0.026 * v), 13 * np.exp(-0.026 * v))
    tau_h = 360 + (1010 + 24 * (v + 55)) * bell(v, -75, 48)
    factor = q(celsius, 21)
    return {"m": (boltzmann(v, -14.3, 14.6), tau / factor), "h": (boltzmann(v, -54, -11), tau_h / factor)}


def k_t(v, celsius):
    factor = q(celsius, 21)
    return {
        "m": (boltzmann(v, -47, 29), (0.34 + 0.92 * bell(v, -71, 59)) / factor),
        "h": (boltzmann(v, -66, -10), (8 + 49 * bell(v, -73, 23)) / factor),
    }


def kd(v, celsius):
    return {"m": (boltzmann(v, -43, 8), np.ones_like(v)), "h": (boltzmann(v, -67, -7.3), np.full_like(v, 1500))}


def kv2(v, celsius):
    factor, h = q(celsius, 21), boltzmann(v, -58, -11)
    slow = 2350 + 1380 * np.exp(-0.011 * v) - 210 * np.exp(-0.03 * v)
    return {
        "m": two_rates(0.12 * linoid(43 - v, 11), 0.02 * np.exp(-(v + 1.27) / 120), factor / 2.5),
        "h1": (h, (360 + (1010 + 23.7 * (v + 54)) * bell(v, -75, 48)) / factor),
        "h2": (h, slow / factor),
    }


def kv3(v, celsius):
    return {"m": (boltzmann(v, 18.7, 9.7), 4 * boltzmann(v, -46.56, 44.14))}


def muscarinic(v, celsius):
    return {"m": two_rates(3.3e-3 * np.exp(0.1 * (v + 35)), 3.3e-3 * np.exp(-0.1 * (v + 35)), q(celsius, 21))}


def muscarinic_2(v, celsius):
    opening, closing = (0.007 * np.exp(k * (v + 48) / 26.12) for k in (2.4, -3.6))
    return {"m": (opening / (opening + closing), (15 + 1 / (opening + closing)) / q(celsius, 30))}


def ih(v, celsius):
    return {"m": two_rates(0.00643 * linoid(v + 154.9, 11.9), 0.193 * np.exp(v / 33.1))}


def hva(v, celsius):
    return {
        "m": two_rates(0.055 * linoid(-27 - v, 3.8), 0.94 * np.exp((-75 - v) / 17)),
        "h": two_rates(0.000457 * np.exp((-13 - v) / 50), 0.0065 * boltzmann(v, -15, 28)),
    }


def lva(v, celsius):
    factor = q(celsius, 21)
    return {
        "m": (boltzmann(v, -40, 6), (5 + 20 * boltzmann(v, -35, -5)) / factor),
        "h": (boltzmann(v, -90, -6.4), (20 + 50 * boltzmann(v, -50, -7)) / factor),
    }


#: Gates, what of them is open (by their values), and the reversal potential in mV.
EXPECTED = {
    "NaTs": (sodium(-40, -66), lambda m, h: m**3 * h, 53),
    "NaTa": (sodium(-48, -69), lambda m, h: m**3 * h, 53),
    "K_P": (k_p, lambda m, h: m**2 * h, -107),
    "K_T": (k_t, lambda m, h: m**4 * h, -107),
    "Kd": (kd, lambda m, h: m * h, -107),
    "Kv2like": (kv2, lambda m, h1, h2: m**2 * (h1 + h2) / 2, -107),
    "Kv3_1": (kv3, lambda m: m, -107),
    "Im": (muscarinic, lambda m: m, -107),
    "Im_v2": (muscarinic_2, lambda m: m, -107),
    "Ih": (ih, lambda m: m, -45),
    "Ca_HVA": (hva, lambda m, h: m**2 * h, 131),
    "Ca_LVA": (lva, lambda m, h: m**2 * h, 131),
    "Nap": (nap, lambda h: boltzmann(V, -52.6, 4.6) * h, 53),
}


@pytest.mark.parametrize("celsius", [34.0, 22.0])
@pytest.mark.parametrize("name", EXPECTED)
def test_gates(name, celsius):
    function, gates = getattr(allen, name), EXPECTED[name][0]
    dependent = "T" in function().names
    found = Formulas(function(**({"T": (celsius + 273.15) * kelvin} if dependent else {})), V)
    assert set(found.equations.diff_eq_names) == {f"{gate}_{name}" for gate in gates(V, celsius)}
    for gate, (steady, tau) in gates(V, celsius).items():
        values = found.gate(f"{gate}_{name}")
        assert values[0] == pytest.approx(steady, rel=1e-9, abs=1e-300)
        assert values[1] == pytest.approx(tau, rel=1e-9)


@pytest.mark.parametrize("name", EXPECTED)
def test_currents(name):
    gates, share, e = EXPECTED[name]
    found = Formulas(getattr(allen, name)(gbar=3 * mS / cm**2), V)
    values = {gate: 0.3 + 0.2 * k for k, gate in enumerate(gates(V, 34))}
    current = found(f"I_{name}", **{f"{gate}_{name}": value for gate, value in values.items()})
    assert current == pytest.approx(30 * share(**values) * (e - V) * 1e-3, rel=1e-9)


def test_sk_and_calcium():
    calcium = np.array([1e-5, 1e-4, 4.3e-4, 2e-3])
    found = Formulas(allen.SK(), np.zeros(4), Ca=calcium)
    assert found.gate("z_SK")[0] == pytest.approx(1 / (1 + np.exp(4.8 * np.log(4.3e-4 / calcium))), rel=1e-9)
    pool = Formulas(allen.CaDynamics(gamma=0.01, decay=100 * ms), [0.0], Ca=5e-4, I_Ca_total=-0.02)
    # i_Ca of the table is in mA/cm2, outward
    expected = -1e4 * 0.002 * 0.01 / (2 * 96485.332 * 0.1) - 4e-4 / 100
    assert pool("Ca") * 1e-3 == pytest.approx(expected, rel=1e-6)


def test_one_of_each_in_a_cell():
    """All names can stand beside each other, and the parameters that files name are there."""
    together = [getattr(allen, name)() for name in allen.__all__ if name not in ("CaDynamics", "NaV")]
    model = sum(together, channels.leak()) + allen.CaDynamics(gamma=0.02, decay=200 * ms)
    assert len(model.with_flag("membrane current")) == len(together) + 1
    cell = SpatialNeuron(morphology=Soma(diameter=20 * um), model=model)
    cell.initialise(v=-90 * mV)
    assert cell.E_K == -107 * mV and cell.E_Na == 53 * mV
    assert np.asarray(cell.decay_CaDynamics_)[0] == 0.2 and np.asarray(cell.gamma_CaDynamics_)[0] == 0.02
    ca = float(np.asarray(cell.Ca_)[0])
    assert 1e-4 < ca < 1.1e-4
    thermal = 8.314462618 * 307.15 / (2 * 96485.33212)
    assert np.asarray(cell.E_Ca_)[0] == pytest.approx(thermal * np.log(2 / ca), rel=1e-6)
