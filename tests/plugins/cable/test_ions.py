"""Currents that say which ion carries them, pools that read the sum, and what channels read of an ion."""

import numpy as np
import pytest

from rall import (
    Cylinder,
    EquationError,
    Equations,
    Soma,
    SpatialNeuron,
    StateMonitor,
    cm,
    defaultclock,
    kelvin,
    mM,
    mS,
    ms,
    mV,
    ohm,
    run,
    start_scope,
    uF,
    um,
)
from rall.channels import hh, leak

CALCIUM = """
I_X = g_X*m_X**2*(E_Ca - v) : amp/meter**2 (membrane current, ion Ca)
dm_X/dt = (1/(1 + exp(-(v + 40*mV)/(6*mV))) - m_X)/tau_X : 1
tau_X : second (shared, constant)
g_X : siemens/meter**2 (constant)
E_Ca : volt (shared, constant, ion Ca)
"""
POOL = Equations(
    """
    dCa/dt = I_Ca_total/(2*faraday_constant*0.1*um) - (Ca - 1e-4*mM)/(20*ms) : mM
    E_Ca = nernst(2, Ca, Ca_o, T) : volt (ion Ca)
    Ca_o : mM (shared, constant, ion Ca)
    T : kelvin (shared, constant)
    """,
    defaults={"Ca_o": 2 * mM, "T": 279.45 * kelvin, "Ca": 1e-4 * mM},
)
G = 0.2 * mS / cm**2


def calcium(name, g, tau, E=120 * mV):
    return Equations(CALCIUM.replace("_X", f"_{name}"), defaults={f"g_{name}": g, f"tau_{name}": tau, "E_Ca": E})


def sk(g):
    return Equations(
        """
        dz/dt = (1/(1 + (0.001*mM/Ca)**2) - z)/(2*ms) : 1
        I_SK = g_SK*z*(-90*mV - v) : amp/meter**2 (membrane current)
        g_SK : siemens/meter**2 (constant)
        """,
        defaults={"g_SK": g},
    )


def tree():
    morphology = Soma(20 * um)
    morphology.dend = Cylinder(diameter=2 * um, length=100 * um, n=10)
    morphology.axon = Cylinder(diameter=1 * um, length=100 * um, n=5)
    return morphology


def make(model, **how):
    start_scope()
    return SpatialNeuron(morphology=tree(), model=model, Cm=1 * uF / cm**2, Ri=100 * ohm * cm, **how)


def spiking():
    return hh.Na() + hh.K() + leak()


def traces(model, dt, **how):
    defaultclock.dt = dt
    cell = make(model, **how)
    cell.initialise(v=-65 * mV)
    seen = StateMonitor(cell, ["v", "Ca", "I_Ca_total"], record=[0, 3, 12])
    run(15 * ms)
    return seen


def everywhere_and_in_places():
    """The same cell twice: currents with no conductance where they are absent, and currents that are absent there."""
    slow = calcium("L", "0.4*mS/cm**2*int(soma)", 3 * ms) + sk("3*mS/cm**2*int(soma)")
    whole = {"all": spiking() + calcium("H", G, 1 * ms) + slow + POOL}
    parts = {
        "all": spiking() + calcium("H", G, 1 * ms) + POOL,
        "soma": calcium("L", 2 * G, 3 * ms) + sk(3 * mS / cm**2),
    }
    return whole, parts


def test_pool_reads_what_is_there_of_each_current(target):
    """Where the sum has other terms from place to place; the pool feeds a channel of the smaller region."""
    whole, parts = everywhere_and_in_places()
    worst = []
    for dt in (0.02 * ms, 0.01 * ms):
        one, other = traces(whole, dt), traces(parts, dt)
        spans = [np.ptp(getattr(one, f"{name}_")) for name in ("v", "Ca", "I_Ca_total")]
        assert spans[0] > 5e-3 and spans[1] > 1e-4
        worst.append(max(
            np.max(np.abs(getattr(one, f"{name}_") - getattr(other, f"{name}_"))) / span
            for name, span in zip(("v", "Ca", "I_Ca_total"), spans)
        ))  # fmt: skip
    assert worst[0] < 1e-4
    assert worst[1] < worst[0] / 3.5  # second order


def test_backward_euler_agrees_too(target):
    whole, parts = everywhere_and_in_places()
    one = traces(whole, 0.01 * ms, cable_method="backward_euler")
    other = traces(parts, 0.01 * ms, cable_method="backward_euler")
    assert np.max(np.abs(one.v_ - other.v_)) < 2e-3 * np.ptp(one.v_)


def test_steady_state_of_pool_and_currents():
    _, parts = everywhere_and_in_places()
    cell = make(parts)
    cell.initialise(v=-50 * mV)
    Ca, current = cell.Ca_, cell.I_Ca_total_
    inflow = current / (2 * 96485.33212331 * 0.1e-6)
    assert Ca.min() > 2e-4
    np.testing.assert_allclose(inflow, (Ca - 1e-4) / 20e-3, rtol=1e-9)
    np.testing.assert_allclose(cell.z_[0], 1 / (1 + (1e-3 / Ca[0]) ** 2), rtol=1e-9)
    assert np.isnan(cell.z_[1:]).all()


def test_total_is_the_sum_where_each_lives():
    cell = make({"all": spiking() + calcium("H", G, 1 * ms), "soma": calcium("L", 2 * G, 3 * ms)})
    cell.initialise(v=-30 * mV)
    total = cell.I_H_.copy()
    total[0] += cell.I_L_[0]
    np.testing.assert_allclose(cell.I_Ca_total_, total, rtol=1e-12)
    assert cell.E_Ca == 120 * mV  # no pool: what the channels read is a parameter


def test_own_definition_of_the_sum_holds():
    own = Equations("I_Ca_total = 2*I_H : amp/meter**2")
    cell = make(spiking() + calcium("H", G, 1 * ms) + own)
    cell.initialise(v=-30 * mV)
    np.testing.assert_allclose(cell.I_Ca_total_, 2 * cell.I_H_)


def test_a_pool_takes_the_place_of_what_channels_read():
    for both in (calcium("H", G, 1 * ms) + POOL, POOL + calcium("H", G, 1 * ms)):
        assert both["E_Ca"].kind == "subexpression" and "E_Ca" not in both.defaults
        assert both.defaults["Ca_o"] == 2 * mM
    split = make({"soma": POOL + calcium("H", G, 1 * ms), "dend": calcium("H", G, 1 * ms) + POOL})
    assert split.E_Ca_[0] > 0.1


def test_what_is_read_twice_is_there_once():
    both = calcium("H", G, 1 * ms) + calcium("L", G, 3 * ms)
    assert both.names.count("E_Ca") == 1 and both.defaults["E_Ca"] == 120 * mV
    cell = make({"all": spiking() + calcium("H", G, 1 * ms), "soma": calcium("L", G, 3 * ms)})
    assert cell.E_Ca == 120 * mV


@pytest.mark.parametrize(
    ("make_it", "says"),
    [
        (
            lambda: calcium("H", G, 1 * ms) + calcium("L", G, 3 * ms, E=100 * mV),
            "'E_Ca' is one for all.*120 mV and 100 mV",
        ),
        (lambda: calcium("H", G, 1 * ms) + calcium("H", G, 1 * ms), "'I_H' is defined twice"),
        (lambda: POOL + POOL, "'Ca' is defined twice"),
        (
            lambda: make({"all": spiking() + calcium("H", G, 1 * ms), "soma": POOL}),
            "'E_Ca' is read in 'all' and defined in 'soma' alone",
        ),
        (
            lambda: make({"dend": calcium("H", G, 1 * ms), "soma": calcium("L", G, 1 * ms, E=100 * mV)}),
            "'E_Ca' is shared by all compartments and cannot be 100 mV in 'soma' and 120 mV in 'dend'",
        ),
        (lambda: Equations("E_Ca : volt (ion)"), "followed by one name"),
    ],
)  # fmt: skip
def test_mistakes(make_it, says):
    with pytest.raises(EquationError, match=says):
        make_it()
