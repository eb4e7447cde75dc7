"""The T current of thalamic relay cells with the equation of Goldman, Hodgkin and Katz, with a pool of calcium."""

import mpmath as mp
import numpy as np
import pytest
from membranes import G, V, check_clamped, check_gates, current, step, trace

from rall import channels
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.simulation import Network
from rall.units import cm, kelvin, mM, ms, mV, second, um
from rall.units.constants import zero_celsius

T = channels.destexhe.CaT()
F, R = mp.mpf("96485.33212"), mp.mpf("8.314462618")


def exact(v, celsius=34.0, shift=2.0):
    w, f = v + shift, 2.5 ** ((celsius - 24) / 10)
    slow = np.where(w < -80, np.exp((w + 467) / 66.6), 28 + np.exp(-(w + 22) / 10.5))
    fast = 0.612 + 1 / (np.exp(-(w + 132) / 16.7) + np.exp((w + 16.8) / 18.2))
    return {"m_CaT": (step((w + 57) / 6.2), fast / f), "h_CaT": (step(-(w + 81) / 4), slow / f)}


def goldman(v, inside=2.4e-4, outside=2.0, celsius=34.0):
    """Inward current density per permeability in coulomb/meter**3, v in mV, with 30 digits."""
    with mp.workdps(30):
        u = 2 * F * mp.mpf(float(v)) / 1000 / (R * mp.mpf(273.15 + celsius))
        if u == 0:
            return float(2 * F * (mp.mpf(outside) - inside))
        return float(2 * F * u * (outside * mp.exp(-u) - inside) / (1 - mp.exp(-u)))


@pytest.mark.parametrize(("celsius", "shift"), [(34.0, 2.0), (24.0, -1.0)])
def test_gates(celsius, shift):
    v = np.concatenate([V, [-80 - shift, -80.0001 - shift]])
    made = channels.destexhe.CaT(shift=shift * mV)
    check_gates(made, exact(v, celsius, shift), v, T=celsius * kelvin + zero_celsius)


def test_clamped(target):
    check_clamped(T, exact(V), V)


def test_current_through_zero():
    v = np.concatenate([V, [0.0, 1e-9, -1e-6, 125.0, 300.0]])
    m, h = (steady for steady, _ in exact(v).values())
    wanted = 1.7e-7 * m**2 * h * np.array([goldman(x) for x in v])
    found = current(T, v, "I_CaT")
    assert np.allclose(found, wanted, rtol=1e-10, atol=1e-18)
    assert found[0] > 0


def test_concentrations_and_temperature_count():
    made = channels.destexhe.CaT(Ca=1e-3 * mM, Ca_o=1 * mM, T=297.15 * kelvin)
    v = np.array([-50.0, 0.0, 30.0])
    m, h = (steady for steady, _ in exact(v, 24.0).values())
    wanted = 1.7e-7 * m**2 * h * np.array([goldman(x, 1e-3, 1.0, 24.0) for x in v])
    assert np.allclose(current(made, v, "I_CaT"), wanted, rtol=1e-11)


def relay():
    """A relay cell: spikes of ModelDB 279, T channels, a leak."""
    celsius = 34 * kelvin + zero_celsius
    fast = channels.traub_miles.Na(g=100 * G, VT=-52 * mV, T=celsius)
    fast += channels.traub_miles.K(g=100 * G, E=-100 * mV, VT=-52 * mV, T=celsius)
    return fast + channels.leak(g=0.0379 * G, E=-76.5 * mV)


def test_a_relay_cell_fires_a_burst_from_hyperpolarized_rest():
    """Its intervals grow as calcium channels inactivate; without them the same current makes no spike."""
    step_up = "0.5 if t > 20*ms else 0"
    _, burst = trace(relay() + channels.destexhe.CaT(p=1.2e-4 * cm / second), step_up, 120, v=-76.5, dt=0.025, Cm=0.88)
    silent, none = trace(relay(), step_up, 120, v=-76.5, dt=0.025, Cm=0.88)
    assert len(burst) >= 4 and np.all(np.diff(np.diff(burst)) > 0) and np.diff(burst)[0] < 8
    assert len(none) == 0 and silent.max() < -60


def test_the_pool_fills_from_the_current_and_empties(target):
    """Clamped at -60 mV in steady state of the channel: a linear equation with a known answer."""
    leak = channels.leak(g=1e4 * G, E=-60 * mV)
    pool = channels.calcium.pool(gamma=1, decay=2 * ms, minimum=2.4e-4 * mM)
    patch = Cylinder(diameter=10 * um, length=10 * um, n=1)
    cell = SpatialNeuron(morphology=patch, model=T + pool + leak, dt=0.01 * ms)
    cell.v = -60 * mV
    cell.m_CaT = 0.3
    cell.h_CaT = 0.3
    assert cell.E_Ca[0] / mV == pytest.approx(1e3 * 8.314462618 * 307.15 / (2 * 96485.33212) * np.log(2 / 2.4e-4))
    cell.m_CaT, cell.h_CaT = (float(steady) for steady, _ in exact(np.float64(-60.0)).values())
    Network(cell).run(30 * ms)
    inward = np.asarray(cell.I_CaT_)[0]
    assert inward > 0
    assert np.asarray(cell.I_Ca_total_)[0] == inward
    rise = inward / (2 * 96485.33212 * 1e-7) * 2e-3
    assert np.asarray(cell.Ca_)[0] == pytest.approx(2.4e-4 + rise, rel=1e-4)


def test_the_pool_gives_what_the_channel_reads():
    both = T + channels.calcium.pool(minimum=2.4e-4 * mM)
    assert both["Ca"].kind == "differential equation"
    assert both.names.count("Ca") == 1
    assert (channels.pospischil.CaL() + channels.calcium.pool(T=309.15 * kelvin))["E_Ca"].kind == "subexpression"
