"""Kinetic schemes as channels of cells."""

from __future__ import annotations

import numpy as np
import pytest
from schemes import STATES, sodium, sodium_matrix, states_of, still_cell
from scipy.linalg import expm

from rall import (
    CurrentClamp,
    Cylinder,
    Equations,
    Network,
    SpatialNeuron,
    SpatialNeuronGroup,
    StateMonitor,
    channels,
    cm,
    defaultclock,
    mS,
    ms,
    mV,
    ohm,
    prefs,
    uF,
    uM,
    um,
)  # fmt: skip
from rall.errors import EquationError, RallError

CURRENT = """
I_NaV = g_NaV*O_NaV*(50*mV - v) : amp/meter**2 (membrane current)
g_NaV : siemens/meter**2 (constant)
"""


def model(fast=150.0):
    return sodium(fast=fast) + Equations(CURRENT, {"g_NaV": 60 * mS / cm**2}) + channels.hh.K() + channels.leak()


def stick(n=20):
    return Cylinder(diameter=2 * um, length=400 * um, n=n)


def cell_of(equations, n=20, **more):
    return SpatialNeuron(morphology=stick(n), model=equations, Cm=1 * uF / cm**2, Ri=100 * ohm * cm, **more)


@pytest.mark.parametrize("fast", [150.0, 1e4])
def test_the_steady_state_of_twelve_states(fast):
    cell = still_cell(sodium(fast=fast))
    cell.initialise(v="-90*mV + 40*mV*i")
    found = states_of(cell)
    assert found.sum(axis=0) == pytest.approx(1, abs=1e-14)
    assert (found >= 0).all()
    for k in range(4):
        rates = sodium_matrix(-90 + 40 * k, fast)
        assert np.abs(rates @ found[:, k]).max() < 1e-13 * np.abs(rates).max()


@pytest.mark.parametrize("fast", [150.0, 1e4])
def test_a_step_of_the_voltage_is_followed_to_second_order(target, fast):
    def at(dt):
        defaultclock.dt = dt * ms
        cell = still_cell(sodium(fast=fast))
        cell.initialise(v=-70 * mV)
        start = states_of(cell)
        cell.v = [-60, -40, -20, 20] * mV
        Network(cell).run(0.4 * ms)
        exact = [expm(0.4 * sodium_matrix(float(v), fast)) @ start[:, k] for k, v in enumerate(cell.v_[:] * 1e3)]
        found = states_of(cell)
        assert found.min() > 0
        return np.abs(found - np.transpose(exact)).max()

    errors = [at(dt) for dt in (0.025, 0.0125, 0.00625)]
    assert errors[0] < 1e-4
    assert np.log2(np.array(errors[:-1]) / errors[1:]).min() > 1.9


def test_the_sum_of_the_states_stays():
    defaultclock.dt = 0.025 * ms
    cell = still_cell(sodium(fast=1e4), n=8)
    cell.initialise(v="-80*mV + 15*mV*i")
    cell.v = "30*mV - 15*mV*i"
    Network(cell).run(100_000 * 0.025 * ms)
    assert np.abs(states_of(cell).sum(axis=0) - 1).max() < 1e-13


def test_an_action_potential_with_it_is_of_second_order():
    def at(dt):
        defaultclock.dt = dt * ms
        cell = cell_of(model())
        cell.initialise(v=-68 * mV)
        clamp = CurrentClamp(cell[0], "0.25*nA*sin(t/(2*ms))**2")
        monitor = StateMonitor(cell, ["v", "O_NaV", "I2_NaV"], record=[0, 19])
        Network(cell, clamp, monitor).run(6.05 * ms)
        assert np.abs(states_of(cell).sum(axis=0) - 1).max() < 1e-13
        every = round(0.05 / dt)
        v, o, inactive = (getattr(monitor, name)[:, ::every] for name in ("v_", "O_NaV_", "I2_NaV_"))
        return np.array([v * 1e3, 100 * o, 100 * inactive])

    exact = at(0.05 / 32)
    assert exact[0].max() > 0
    errors = [np.abs(at(dt) - exact).max() for dt in (0.025, 0.0125, 0.00625)]
    assert np.log2(np.array(errors[:-1]) / errors[1:]).min() > 1.9


def test_devices_agree():
    found = {}
    for device in ("c", "numpy"):
        prefs.codegen.target = device
        defaultclock.dt = 0.05 * ms
        cell = cell_of(model(), 5)
        cell.initialise(v=-60 * mV)
        Network(cell).run(5 * ms)
        found[device] = states_of(cell)
    assert found["c"] == pytest.approx(found["numpy"], rel=1e-9)


def test_schemes_by_region(target):
    """A scheme costs nothing where it is not, and two regions may have it."""
    rest = channels.leak() + channels.hh.K()
    scheme = sodium() + Equations(CURRENT, {"g_NaV": 60 * mS / cm**2})
    kinds = [
        {"all": rest, "distance > 200*um": scheme},
        {"all": rest, "distance < 100*um": scheme, "distance > 300*um": scheme},
    ]
    for regions, where in zip(kinds, ("distance > 200*um", "distance < 100*um or distance > 300*um")):
        cell = cell_of(regions)
        cell.initialise(v=-65 * mV)
        inside = cell.indices[where]
        sums = sum(getattr(cell, f"{state}_NaV_")[:] for state in STATES)
        assert sums[inside] == pytest.approx(1, abs=1e-14)
        assert np.isnan(np.delete(sums, inside)).all()
        Network(cell).run(2 * ms)
        assert np.isfinite(cell.v_[:]).all()
        assert sum(getattr(cell, f"{s}_NaV_")[:] for s in STATES)[inside] == pytest.approx(1, abs=1e-13)


def test_many_cells(target):
    cells = SpatialNeuronGroup(3, morphology=stick(5), model=model(), Cm=1 * uF / cm**2, Ri=100 * ohm * cm)
    alone = cell_of(model(), 5)
    for group in (cells, alone):
        group.initialise(v=-60 * mV)
        Network(group).run(2 * ms)
    assert states_of(cells) == pytest.approx(np.tile(states_of(alone), 3), rel=1e-10)


POOL = """
0 => Ca : 2*uM/ms*exp((v + 60*mV)/(20*mV))
Ca -> 0 : 0.2/ms
Ca + B <-> CaB : 0.1/(uM*ms), 0.05/ms
Ca : mM (species)
B : mM (species)
CaB : mM (species)
C <-> O : 0.3/(uM*ms)*Ca, 0.5/ms
C : 1 (species)
O : 1 (species)
dm/dt = (Ca/(Ca + 3*uM) - m)/(2*ms) : 1
dn/dt = (1/(1 + exp(-(v + 50*mV)/(10*mV))) - n)/(3*ms) : 1
"""


def test_the_steady_state_of_a_pool_with_a_buffer_and_what_reads_it():
    cell = still_cell(POOL)
    cell.B = 80 * uM
    cell.initialise(v=-60 * mV)
    calcium = 2 / 0.2  # made over lost, in uM
    bound = 80 * calcium / (calcium + 0.5)
    assert cell.Ca[0] / uM == pytest.approx(calcium, rel=1e-10)
    assert cell.CaB[0] / uM == pytest.approx(bound, rel=1e-10)
    assert cell.B[0] / uM == pytest.approx(80 - bound, rel=1e-10)
    assert cell.O[0] == pytest.approx(0.3 * calcium / (0.3 * calcium + 0.5), rel=1e-10)
    assert cell.m[0] == pytest.approx(calcium / (calcium + 3), rel=1e-10)
    before = {name: float(getattr(cell, f"{name}_")[0]) for name in ("Ca", "B", "CaB", "C", "O", "m", "n")}
    Network(cell).run(20 * ms)
    for name, value in before.items():
        assert getattr(cell, f"{name}_")[0] == pytest.approx(value, rel=1e-9)


def test_pools_schemes_and_gates_that_read_each_other_are_of_second_order(target):
    def at(dt, method=None):
        defaultclock.dt = dt * ms
        cell = still_cell(POOL, n=1, method=method)
        cell.B = 80 * uM
        cell.initialise(v=-60 * mV)
        cell.v = -40 * mV
        Network(cell).run(3 * ms)
        return np.array([cell.Ca_[0], cell.CaB_[0], 1e-2 * cell.O_[0], 1e-2 * cell.m_[0], 1e-2 * cell.n_[0]])

    exact = at(0.002, "rk4")
    errors = [np.abs(at(dt) / exact - 1).max() for dt in (0.1, 0.05, 0.025)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.15)
    assert errors[2] < 1e-4


@pytest.mark.parametrize("rates", [("1/ms", "2/ms"), ("a", "b")])
def test_a_scheme_with_several_steady_states_says_so(rates):
    """What ends up in B and in C depends on the beginning."""
    eqs = "A -> B : {}\nA -> C : {}\nA : 1 (species)\nB : 1 (species)\nC : 1 (species)\na = exp(v/mV)/ms : hertz\n"
    cell = still_cell((eqs + "b = exp(-v/mV)/ms : hertz").format(*rates))
    with pytest.raises(RallError, match=r"no steady state of 'A', 'B', 'C' was found(.|\n)*set their initial values"):
        cell.initialise(v=-65 * mV)
    if rates[0] == "1/ms":  # then the share of each is kept, too
        cell.A = 1
        cell.initialise(v=-65 * mV)
        assert (cell.A[0], cell.B[0], cell.C[0]) == pytest.approx((0, 1 / 3, 2 / 3), abs=1e-12)


def test_a_reaction_in_a_region_without_its_species():
    with pytest.raises(EquationError, match=r"'Ca' is declared nowhere(.|\n)*by regions, beside its reactions"):
        cell_of({"all": "0 -> Ca : 1*mM/ms\nCa : mM (species)", "distance > 100*um": "Ca -> 0 : 1/ms"})


def test_a_named_method_is_used_for_all():
    defaultclock.dt = 0.001 * ms
    cells = [still_cell(sodium(), n=1, method=method) for method in (None, "rk4", "implicit")]
    for cell in cells:
        cell.initialise(v=-70 * mV)
        cell.v = -20 * mV
        Network(cell).run(0.2 * ms)
    first, *others = map(states_of, cells)
    assert first == pytest.approx(others[0], abs=1e-7)
    assert first == pytest.approx(others[1], abs=1e-7)
