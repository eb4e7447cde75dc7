"""Gap junctions and other sums over synapses in the implicit solve: accuracy, stability, charge."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rall import channels
from rall.errors import EquationError
from rall.morphology import Cylinder, Soma
from rall.plugins.cable import SpatialNeuron
from rall.plugins.cable.coupling import GROWTH
from rall.plugins.cable.geometry import FIRST_GROWTH, GAMMA
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import cm, ms, mV, nA, nS, ohm, siemens, uF, um, uS

LEAK = "Im = 0.1*mS/cm**2*(-65*mV - v) : amp/meter**2\n"
GAP = "I_gap : amp (point current)\n"
DRIVE = "w : 1\nI_drive = w*0.3*nA*sin(2*pi*100*Hz*t)**2 : amp (point current)\n"
JUNCTION = "g : siemens\nI_gap_post = g*(v_pre - v_post) : amp (summed)"
METHODS = pytest.mark.parametrize("method", ["second_order", "backward_euler"])


def stick():
    shape = Soma(diameter=20 * um)
    shape.dend = Cylinder(diameter=2 * um, length=200 * um, n=10)
    return shape


def make(model=LEAK + GAP, **more):
    cell = SpatialNeuron(stick(), model, Cm=1 * uF / cm**2, Ri=100 * ohm * cm, **more)
    cell.v = -65 * mV
    return cell


def join(one, other, ends, conductance):
    """Gap junctions: synapses in both directions with one conductance."""
    here, there = np.array(ends).T
    made = [Synapses(one, other, JUNCTION), Synapses(other, one, JUNCTION)]
    made[0].connect(i=here, j=there)
    made[1].connect(i=there, j=here)
    for synapses in made:
        synapses.g = conductance
    return made


def matrices(cells, ends, conductance):
    """Capacitance, leak, axial and junction matrices of two cells: what `rall` solves, for other solvers (SI)."""
    n = cells[0].N
    capacitance = np.concatenate([cell.Cm_[:] * cell.area_[:] for cell in cells])
    leak = np.concatenate([cell.area_[:] for cell in cells])
    axial, junctions = np.zeros((2 * n, 2 * n)), np.zeros((2 * n, 2 * n))
    for k, cell in enumerate(cells):
        here, there, siemens_ = cell.cable.pairs(cell.variables["Ri"].get())
        np.add.at(axial, (k * n + here, k * n + there), siemens_)
    for (i, j), g in zip(ends, np.broadcast_to(conductance, len(ends))):
        junctions[i, n + j] += g
        junctions[n + j, i] += g
    return capacitance, leak, axial, junctions


def laplacian(coupling):
    return np.diag(coupling.sum(1)) - coupling


ENDS = [(3, 9), (0, 1)]


def test_two_cells_against_another_solver(target):
    """Of second order, with a drive that is smooth on the scale of a step."""
    for conductance in (1 * nS, 10 * nS):
        errors = []
        for dt in (0.1, 0.05, 0.025):
            defaultclock.dt = dt * ms
            cells = make(LEAK + GAP + DRIVE), make(LEAK + GAP + DRIVE)
            cells[0].w[0] = 1
            Network(cells, join(*cells, ENDS, conductance)).run(6 * ms)
            capacitance, leak, axial, junctions = matrices(cells, ENDS, float(conductance))
            flow = -laplacian(axial + junctions) - np.diag(leak)

            def slope(t, v, capacitance=capacitance, leak=leak, flow=flow):
                drive = 0.3e-9 * np.sin(2 * np.pi * 100 * t) ** 2 * (np.arange(len(v)) == 0)
                return (flow @ v - 0.065 * leak + drive) / capacitance

            done = solve_ivp(slope, (0, 6e-3), np.full(22, -0.065), method="Radau", rtol=1e-9, atol=1e-12)
            found = np.concatenate([cell.v_[:] for cell in cells])
            errors.append(1e3 * abs(found - done.y[:, -1]).max())
        assert errors[0] < 0.02 and np.log2(errors[0] / errors[2]) / 2 > 1.9


def test_spiking_cells(target):
    """Action potentials pass from cell to cell: of second order in time."""
    model = channels.leak() + channels.hh.Na() + channels.hh.K() + GAP + DRIVE.replace("0.3", "2")

    def after(dt):
        defaultclock.dt = dt * ms
        cells = make(model), make(model)
        for cell in cells:
            cell.initialise(v=-65 * mV)
        cells[0].w[0] = 1
        monitor = StateMonitor(cells[1], "v", record=[0], dt=0.2 * ms)
        Network(cells, join(*cells, ENDS, 10 * nS), monitor).run(8 * ms)
        return monitor.v_[0]

    reference = after(0.0025)
    errors = [abs(after(dt) - reference).max() for dt in (0.04, 0.02)]
    assert reference.max() > 0 and errors[1] < 3e-3 and errors[0] / errors[1] > 3.4


def test_the_condition_of_the_proof():
    """`(1 - R)(1 + q^2)/2 <= 1` on the negative axis, for the coefficients of the solver."""
    z = -np.concatenate([np.linspace(1e-3, 100, 100_000), np.logspace(2, 8, 10_000)])
    g = GAMMA
    a1, a2 = 1 - 3 * g, 0.5 - 3 * g + 3 * g**2
    amplification = (1 + a1 * z + a2 * z**2) / (1 - g * z) ** 3
    f1 = g / 2
    f2, f3 = np.linalg.solve([[1, 1], [2, 3]], [-f1, -1 / (12 * g) - f1])
    assert FIRST_GROWTH == pytest.approx(f3 / (g * (1 + a1 / g + a2 / g**2)))
    p = 1 / (1 - g * z)
    response = f1 * p + f2 * p**2 + f3 * p**3

    def largest(growth):
        q = 0.5 - growth * response * z / (1 - amplification)
        return ((1 - amplification) * (1 + q**2) / 2).max()

    assert largest(GROWTH) == pytest.approx(0.9604, abs=1e-4) and largest(1.0) > 1.02


@METHODS
@pytest.mark.parametrize("dt", [0.025, 0.5])
def test_energy_never_grows(method, dt):
    """The bound of docs/numerics.md, for junctions between all kinds of compartments and any conductance."""
    random = np.random.default_rng(3)
    defaultclock.dt = dt * ms
    for largest in (1e-9, 1e-7, 1e-5, 1e-2):
        cells = make(cable_method=method), make(cable_method=method)
        ends = list(zip(random.integers(0, 11, 15), random.integers(0, 11, 15)))
        conductance = largest * random.uniform(size=15) ** 3
        for cell in cells:
            cell.v = random.uniform(-80, -20, 11) * mV
        monitors = [StateMonitor(cell, "v", record=True) for cell in cells]
        Network(cells, join(*cells, ends, conductance * siemens), monitors).run(150 * dt * ms)
        v = np.concatenate([monitor.v_ for monitor in monitors]).T + 0.065
        _, leak, axial, junctions = matrices(cells, ends, conductance)
        everything = laplacian(axial + junctions) + np.diag(leak)
        explicit = junctions + np.diag(junctions.sum(1))
        change = np.diff(v, axis=0, prepend=v[:1])
        energy = (np.einsum("ti,ij,tj->t", v, everything, v) + np.einsum("ti,ij,tj->t", change, explicit, change)) / 2
        assert (np.diff(energy) <= 1e-12 * energy[0]).all() and energy[-1] < 0.9 * energy[0]


@METHODS
def test_far_beyond_what_an_explicit_sum_could_do(method, target):
    """At 3 million times the limit of stability of the explicit sum, voltages stay within those at the beginning."""
    cell = make(cable_method=method)
    cell.v = "-65*mV + 40*mV*int(i == 3)"
    pair = Synapses(cell, cell, JUNCTION)
    pair.connect(i=[3, 8], j=[8, 3])
    pair.g = 50e-3 * siemens
    capacitance = float(cell.Cm_[3] * cell.area_[3])
    assert 50e-3 * 1e-4 / capacitance > 3e6
    monitor = StateMonitor(cell, "v", record=True)
    Network(cell, pair, monitor).run(20 * ms)
    assert -0.0651 <= monitor.v_.min() and monitor.v_.max() <= -0.025
    assert abs(monitor.v_[3] - monitor.v_[8])[1:].max() < 1e-6


@METHODS
def test_charge(method):
    """Without a leak it is conserved: by backward Euler, once all is equal, to rounding; else the better, the shorter
    the steps are in which it begins to flow."""
    drift = []
    for conductance, dt in ((10 * nS, 0.1), (10 * nS, 0.025), (1 * nS, 0.1), (1 * nS, 0.025)):
        defaultclock.dt = dt * ms
        cells = make("Im = 0*siemens/meter**2*v : amp/meter**2\n" + GAP, cable_method=method), make(
            "Im = 0*siemens/meter**2*v : amp/meter**2\n" + GAP, cable_method=method
        )
        cells[0].v, cells[1].v = -20 * mV, -80 * mV
        Network(cells, join(*cells, ENDS, conductance)).run(100 * ms)
        assert max(np.ptp([*cells[0].v_[:], *cells[1].v_[:]]), 0) < 1e-6
        drift.append(np.mean([cell.Cm_[:] * cell.area_[:] @ (cell.v_[:] + 0.05) for cell in cells]))
    whole = float(np.sum(cells[0].Cm_[:] * cells[0].area_[:]))
    drift = 1e3 * abs(np.array(drift)) / whole  # in mV of the common voltage, after a difference of 60
    if method == "backward_euler":
        assert drift.max() < 1e-8
    else:
        assert drift[0] < 0.12 and drift[2] < 2e-3 and (drift[::2] / drift[1::2] > 4).all()


def test_summed_conductances_of_any_size(target):
    """They clamp the compartment at their reversal potential; what they are made of may be written in two ways."""
    found = []
    for model, line in (
        (LEAK + "I : amp (point current)", "I_post = g*(-10*mV - v_post) : amp (summed)"),
        (LEAK.replace(" :", " - I/area :", 1) + "I : amp", "I_post = g*(v + 10*mV) : amp (summed)"),
    ):
        cell, source = make(model), NeuronGroup(2, "x : 1")
        synapses = Synapses(source, cell, "g : siemens\n" + line)
        synapses.connect(i=[0, 1], j=[4, 9])
        synapses.g = [100 * uS, 2 * nS]
        Network(cell, source, synapses).run(5 * ms)
        found.append(cell.v_[:])
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[0][4] == pytest.approx(-0.010, abs=1e-5) and -0.03 < found[0].min() and found[0].max() < -0.00999


def test_in_a_region_and_for_a_part(target):
    """The same as for all compartments of the cell."""
    found = []
    regions = {"all": LEAK, "dend": GAP}
    for model, part in ((LEAK + GAP, slice(None)), (regions, slice(0, 10)), (LEAK + GAP, slice(3, 9))):
        cell = make(model)
        cell.v = "-65*mV + i*mV"
        shift = 3 if part.start else 0
        pair = Synapses(cell[part], cell[part], JUNCTION)
        pair.connect(i=np.array([3, 8, 8]) - shift, j=np.array([8, 3, 4]) - shift)
        pair.g = [20, 20, 5] * nS
        Network(cell, pair).run(1 * ms)
        found.append(cell.v_[:])
    assert found[1] == pytest.approx(found[0], abs=1e-15) and found[2] == pytest.approx(found[0], abs=1e-15)


def test_with_a_point_neuron(target):
    """Its own equations take the current as it is at t, as ever; the cell takes it implicitly."""
    cell, point = make(), NeuronGroup(1, "dv/dt = (-70*mV - v)/(10*ms) + I/(100*pF) : volt\nI : amp", method="euler")
    point.v = -70 * mV
    there = Synapses(cell, point, "I_post = 1*nS*(v_pre - v_post) : amp (summed)")
    there.connect(i=2, j=0)
    back = Synapses(point, cell, "I_gap_post = 1*nS*(v_pre - v_post) : amp (summed)")
    back.connect(i=0, j=2)
    defaultclock.dt = 0.01 * ms
    Network(cell, point, there, back).run(200 * ms)
    into = 1e-9 * (point.v_[0] - cell.v_[2])
    assert 1e-9 * (cell.v_[2] - point.v_[0]) == pytest.approx((point.v_[0] + 0.07) / 10e-3 * 100e-12, rel=1e-3)
    assert into == pytest.approx(np.sum(cell.area_[:] * (cell.v_[:] + 0.065)), rel=1e-3)


def test_one_way(target):
    """Nothing comes back to the cell that is not joined in that direction."""
    cells = make(), make()
    cells[0].v = -30 * mV
    synapses = Synapses(*cells, JUNCTION)
    synapses.connect(i=5, j=5)
    synapses.g = 1 * uS
    alone = make()
    alone.v = -30 * mV
    Network(cells, synapses, alone).run(5 * ms)
    assert cells[0].v_[:] == pytest.approx(alone.v_[:], abs=1e-15)
    assert cells[1].v_[5] == pytest.approx(cells[0].v_[5], abs=1e-3)


@pytest.mark.parametrize("change", ["voltage", "step", "nothing"])
def test_history_is_of_this_course_of_events(change, target):
    """After a change from outside a run goes on as one that begins; without one as if it had not been interrupted."""
    if change == "step":
        defaultclock.dt = 0.05 * ms
    values = np.linspace(-70, -30, 11) * mV
    cells, fresh = (make(), make()), (make(), make())
    network, other = (Network(pair, join(*pair, ENDS, 20 * nS)) for pair in (cells, fresh))
    cells[0].v = values
    network.run(1 * ms)
    if change == "nothing":
        fresh[0].v = values
        other.run(2 * ms)
    else:
        if change == "voltage":
            cells[1].v = values
            cells[0].v = cells[0].v[:] * 1
        defaultclock.dt = 0.1 * ms
        for one, same in zip(fresh, cells):
            one.v = same.v[:]
        other.run(1 * ms)
    network.run(1 * ms)
    for one, same in zip(fresh, cells):
        assert one.v_[:].tolist() == same.v_[:].tolist()


def test_sums_that_are_switched_off_hold_nothing_back(target):
    """The current is a parameter again, without a derivative from earlier runs."""
    cells, plain = (make(), make()), make()
    junctions = join(*cells, ENDS, 1 * uS)
    network = Network(cells, junctions)
    network.run(0.5 * ms)
    for synapses in junctions:
        synapses.active = False
    for cell in (*cells, plain):
        cell.v = -30 * mV
        cell.I_gap = 0 * nA
    network.run(1 * ms)
    Network(plain).run(1 * ms)
    assert cells[0].v_[:] == pytest.approx(plain.v_[:], abs=1e-15)


def test_store_and_restore(target):
    cells = make(), make()
    cells[0].v = np.linspace(-70, -30, 11) * mV
    network = Network(cells, join(*cells, ENDS, 20 * nS))
    network.run(1 * ms)
    network.store()
    found = []
    for _ in range(2):
        network.run(1 * ms)
        found.append(cells[1].v_[:].tolist())
        network.restore()
    assert found[0] == found[1]


def test_what_is_no_current_has_no_derivative():
    """Sums that gates and others take as they are cost nothing more."""
    cell = make(LEAK + "near : volt\ndm/dt = (near/mV - m)/(5*ms) : 1")
    synapses = Synapses(cell, cell, "near_post = v_pre - v_post : volt (summed)")
    assert synapses.summed_updaters["near_post"].slope is None


def test_a_region_without_the_current():
    cell = make({"all": LEAK, "dend": GAP})
    pair = Synapses(cell, cell, JUNCTION)
    pair.connect(i=[0, 3], j=[3, 0])
    with pytest.raises(EquationError, match=r"'I_gap' lives on 'dend'.*soma"):
        Network(cell, pair).run(1 * ms)
