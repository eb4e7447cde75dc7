"""Runs of cells: what must not change a result, and what must."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.equations import Equations
from rall.errors import NotSupportedError, NumericalError, RallError
from rall.morphology import Cylinder, Morphology, Soma
from rall.plugins.cable import SpatialNeuron
from rall.plugins.inputs import SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import Clock, defaultclock, prefs, seed, start_scope
from rall.simulation import Network
from rall.units import amp, cm, mA, mS, ms, mV, nA, nS, pA, uA, uF, um

GATES = ["m_Na", "h_Na", "n_K"]


@pytest.fixture
def fire(squid, cell_of, stick):
    """A cell that is about to fire."""

    def make(model=None, morphology=None, current=0.6 * nA, **keywords):
        cell = cell_of(morphology or stick, model or squid, **keywords)
        cell.initialise(v=-65 * mV)
        if current is not None:
            cell.I[0] = current
        return cell

    return make


def test_one_run_or_two_is_the_same_to_the_bit(fire, target):
    cells = [fire(), fire()]
    networks = [Network(cell) for cell in cells]
    networks[0].run(8 * ms)
    networks[0].run(8 * ms)
    networks[1].run(16 * ms)
    for name in ("v", *GATES):
        a, b = (np.asarray(getattr(cell, name + "_")) for cell in cells)
        assert (a == b).all(), name
    assert np.ptp(np.asarray(cells[0].v_)) > 1e-3


def test_looking_changes_nothing(fire, target):
    """Neither a monitor of gates nor reading between runs changes a bit of v."""
    plain, watched, read = fire(), fire(), fire()
    Network(plain).run(12 * ms)
    monitor = StateMonitor(watched, [*GATES, "Im", "alpha_m_Na"], record=True, dt=0.3 * ms)
    Network(watched, monitor).run(12 * ms)
    network = Network(read)
    for _ in range(12):
        network.run(1 * ms)
        for name in (*GATES, "Im", "alpha_m_Na", "time_constant"):
            assert np.isfinite(np.asarray(getattr(read, name))).all()
    assert (np.asarray(plain.v_) == np.asarray(watched.v_)).all()
    assert (np.asarray(plain.v_) == np.asarray(read.v_)).all()


def test_reading_gates_gives_what_a_monitor_records(fire, target):
    cell = fire()
    names = (*GATES, "Im", "Ic", "alpha_m_Na", "I_Na")
    monitor = StateMonitor(cell, names, record=True)
    network = Network(cell, monitor)
    for k in range(1, 11):
        network.run(1 * ms)
        here = {name: np.asarray(getattr(cell, f"{name}_")) for name in names}
        network.run(0.1 * ms)
        for name in names:
            recorded = getattr(monitor, f"{name}_")
            span = max(np.ptp(recorded), 1e-12)
            # The record at the beginning of the step that came next is of the same moment.
            row = round(k * 11 - 1)
            assert np.abs(recorded[:, row] - here[name]).max() < 1e-9 * span, (name, k)


def test_the_capacitive_current_is_what_changes_the_voltage(fire):
    """Cm dv/dt at the time of the record, at branch points too: against central differences."""
    cell = fire(dt=0.005 * ms)
    monitor = StateMonitor(cell, ["v", "Ic"], record=True)
    Network(cell, monitor).run(4 * ms)
    slope = (monitor.v_[:, 2:] - monitor.v_[:, :-2]) / 1e-5
    expected = np.asarray(cell.Cm_)[:, None] * slope
    assert np.abs(monitor.Ic_[:, 1:-1] - expected)[:, 2:].max() < 2e-3 * np.abs(expected).max()


def test_synapses_see_currents_and_gates_of_their_time(fire, target):
    """Currents from a cell into electrodes: all that leaves it enters it again, and gates are those of a monitor."""
    cell = fire()
    electrodes = NeuronGroup(2, "I : amp\nm : 1")
    out = Synapses(cell, electrodes, "weight : 1\nI_post = weight*(Ic_pre - Im_pre)*area_pre : amp (summed)")
    out.connect()
    out.weight = "1.0*(j == 0 or i == 3)"
    gate = Synapses(cell, electrodes, "m_post = m_Na_pre : 1 (summed)")
    gate.connect("i == 3")
    for one in (out.summed_updaters["I_post"], gate.summed_updaters["m_post"]):
        one.when = "before_start"
    seen = StateMonitor(electrodes, ["I", "m"], record=True)
    monitor = StateMonitor(cell, ["Im", "Ic", "m_Na"], record=True)
    Network(cell, electrodes, out, gate, seen, monitor).run(3 * ms)
    current = ((monitor.Ic_ - monitor.Im_) * np.asarray(cell.area_)[:, None])[3]
    assert np.ptp(current) > 1e-13
    np.testing.assert_allclose(seen.I_[1], current, rtol=1e-9, atol=1e-9 * np.abs(current).max())
    assert np.abs(seen.I_[0]).max() < 1e-9 * np.abs(current).max()
    np.testing.assert_allclose(seen.m_, monitor.m_Na_[[3, 3]], rtol=1e-12)


def test_gates_are_recorded_at_their_time_to_second_order(fire):
    """Against a run with a tiny step, errors of recorded gates fall four times with half the step."""

    def run(dt):
        cell = fire(dt=dt * ms)
        monitor = StateMonitor(cell, ["v", "Im", *GATES], record=[0, 5, 15])
        Network(cell, monitor).run(4.8 * ms)
        every = round(0.08 / dt)
        return {name: getattr(monitor, f"{name}_")[:, ::every] for name in ("v", "Im", *GATES)}

    exact, coarse, fine = run(0.00125), run(0.02), run(0.01)
    for name, values in exact.items():
        errors = [np.abs(other[name] - values)[:, 12:].max() for other in (coarse, fine)]
        assert np.log2(errors[0] / errors[1]) > 1.85, (name, errors)


def test_writing_voltages_between_runs(fire, target):
    """A voltage set between two runs is where the second one starts; the gates stay what they were."""
    cell = fire(current=None)
    network = Network(cell)
    network.run(3 * ms)
    gates = {name: np.asarray(getattr(cell, name)) for name in GATES}
    cell.v = -20 * mV
    for name, values in gates.items():
        assert np.asarray(getattr(cell, name)) == pytest.approx(values, abs=1e-15), name
    fresh = fire(current=None)
    fresh.v = -20 * mV
    for name, values in gates.items():
        setattr(fresh, name, values)
    network.run(2 * ms)
    Network(fresh).run(2 * ms)
    assert np.abs(np.asarray(cell.v_) - np.asarray(fresh.v_)).max() < 1e-12


def test_writing_gates_between_runs(fire, target):
    cell = fire(current=None)
    network = Network(cell)
    network.run(3 * ms)
    before = np.asarray(cell.n_K)
    cell.m_Na = 0.3
    assert np.asarray(cell.m_Na) == pytest.approx(0.3, abs=0)
    assert np.asarray(cell.n_K) == pytest.approx(before, abs=1e-15)
    cell.h_Na[2] = 0.9
    assert np.asarray(cell.h_Na)[2] == 0.9
    fresh = fire(current=None)
    for name in ("v_", *GATES):
        setattr(fresh, name, np.asarray(getattr(cell, name)))
    network.run(2 * ms)
    Network(fresh).run(2 * ms)
    assert np.abs(np.asarray(cell.v_) - np.asarray(fresh.v_)).max() < 1e-12


def test_writing_into_all_values_between_runs(fire, target):
    """Elements set in what [:] gives are those that are set by themselves, also where a gate does not live."""
    seen = []
    for of in (lambda view: view, lambda view: view[:]):
        cell = fire()
        network = Network(cell)
        network.run(1 * ms)
        present = cell.m_Na_[:]
        of(cell.v)[:3] = -40 * mV
        of(cell.m_Na)[:3] = 0.5
        of(cell.m_Na_)[~np.isnan(cell.m_Na_) & (cell.m_Na_ < 0.5)] = 0.1
        assert (cell.v_[:3] == -0.04).all() and not (cell.m_Na_[:] == present).all()
        network.run(1 * ms)
        seen.append((cell.v_[:], cell.m_Na_[:]))
    np.testing.assert_array_equal(*seen)


def test_a_changed_parameter_acts_from_then_on(fire, target):
    cell = fire(current=None)
    network = Network(cell)
    network.run(3 * ms)
    cell.E_leak = -60 * mV
    cell.g_leak["dend"] = 1 * mS / cm**2
    network.run(40 * ms)
    leak = np.asarray(cell.g_leak_)
    assert leak[0] == pytest.approx(3) and leak[1] == pytest.approx(10)
    fresh = fire(current=None)
    Network(fresh).run(43 * ms)
    change = np.asarray(cell.v_) - np.asarray(fresh.v_)
    assert (np.abs(change) > 1e-5).all()


def test_a_changed_conductance_costs_no_order(fire):
    """Half of the sodium conductance is taken away on the flank of a spike."""

    def run(dt):
        cell = fire(dt=dt * ms)
        network = Network(cell)
        network.run(2 * ms)
        cell.g_Na = 60 * mS / cm**2
        network.run(1.2 * ms)
        return np.asarray(cell.v_)

    exact = run(0.00125)
    errors = [np.abs(run(dt) - exact).max() for dt in (0.04, 0.02, 0.01)]
    assert np.log2(errors[1] / errors[2]) > 1.85, errors


def test_changed_cable_constants_act_in_the_next_run(cell_of, stick):
    seen = []
    for change in (False, True):
        cell = cell_of(stick, channels.leak() + "I : amp (point current)")
        cell.v = -54.3 * mV
        cell.I[0] = 0.1 * nA
        network = Network(cell)
        network.run(2 * ms)
        if change:
            cell.Ri *= 10
            cell.Cm *= 2
        network.run(2 * ms)
        seen.append(np.asarray(cell.v_))
    assert seen[1][0] > seen[0][0]
    assert seen[1][10] < seen[0][10]


def test_current_that_python_sets_in_every_step(fire, target):
    from rall.operations import NetworkOperation

    def pulse(t):
        return 0.6e-9 if 1e-3 <= t < 3e-3 else 0.0

    cell = fire(current=None)

    def change(t):
        cell.I[0] = pulse(float(t)) * amp

    operation = NetworkOperation(change)
    Network(cell, operation).run(6 * ms)
    other = fire(current=None)
    network = Network(other)
    network.run(1 * ms)
    other.I[0] = 0.6 * nA
    network.run(2 * ms)
    other.I[0] = 0 * nA
    network.run(3 * ms)
    assert np.asarray(cell.v_) == pytest.approx(np.asarray(other.v_), abs=1e-12)
    assert np.abs(np.asarray(cell.v_) - np.asarray(fire(current=None).v_)).min() > 1e-3


def test_two_cells_in_one_network(fire, tree, target):
    one, two = fire(), fire(morphology=tree, current=0.2 * nA)
    alone = fire(), fire(morphology=tree, current=0.2 * nA)
    monitors = [StateMonitor(cell, "v", record=True) for cell in (one, two)]
    Network(one, two, *monitors).run(6 * ms)
    for cell, together in zip(alone, (one, two)):
        Network(cell).run(6 * ms)
        assert (np.asarray(cell.v_) == np.asarray(together.v_)).all()
    assert monitors[0].v.shape[0] == one.N and monitors[1].v.shape[0] == two.N


def test_cells_with_clocks_of_their_own(fire):
    coarse, fine = fire(dt=0.1 * ms), fire(dt=0.01 * ms)
    Network(coarse, fine).run(5 * ms)
    v = [np.asarray(cell.v_) for cell in (coarse, fine)]
    assert 0 < np.abs(v[0] - v[1]).max() < 5e-3
    other = fire(clock=Clock(0.01 * ms))
    Network(other).run(5 * ms)
    assert (np.asarray(other.v_) == v[1]).all()


def test_store_and_restore(fire, target):
    cell = fire()
    monitor = StateMonitor(cell, ["v", "m_Na"], record=[0])
    network = Network(cell, monitor)
    network.run(3 * ms)
    network.store()
    network.run(5 * ms)
    first = np.asarray(cell.v_), monitor.v_.copy(), monitor.m_Na.copy()
    network.restore()
    assert float(network.t_) == pytest.approx(3e-3)
    network.run(5 * ms)
    assert (np.asarray(cell.v_) == first[0]).all()
    assert (monitor.v_ == first[1]).all() and (monitor.m_Na == first[2]).all()


def test_restore_forgets_what_came_after(fire):
    cell = fire()
    network = Network(cell)
    network.store()
    start = np.asarray(cell.v_)
    network.run(4 * ms)
    first = np.asarray(cell.v_)
    cell.g_Na = 0 * mS / cm**2
    network.run(1 * ms)
    network.restore()
    assert (np.asarray(cell.v_) == start).all()
    network.run(4 * ms)
    assert (np.asarray(cell.v_) == first).all()


NOISY = "dw/dt = -w/(5*ms) + 0.3*xi*(5*ms)**-0.5 : 1\nJ = w*0.02*mS/cm**2*50*mV : amp/meter**2 (membrane current)"


def test_noise_depends_on_the_seed_alone(fire, target):
    model = channels.leak() + NOISY
    seen = {}
    for number in (1, 1, 2):
        seed(number)
        start_scope()
        cell = fire(model=model, current=None)
        Network(cell).run(5 * ms)
        seen.setdefault(number, []).append((np.asarray(cell.v_), np.asarray(cell.w)))
    assert (seen[1][0][0] == seen[1][1][0]).all() and (seen[1][0][1] == seen[1][1][1]).all()
    assert not (seen[1][0][1] == seen[2][0][1]).any()


def test_noise_has_the_right_size(cell_of):
    """Ornstein-Uhlenbeck with standard deviation 0.3/sqrt(2) in 2000 compartments."""
    seed(3)
    cell = cell_of(Cylinder(diameter=1 * um, length=2000 * um, n=2000), channels.leak() + NOISY)
    cell.v = -54.3 * mV
    Network(cell).run(25 * ms)
    w = np.asarray(cell.w)
    assert abs(w.mean()) < 0.03
    assert w.std() == pytest.approx(0.3 / np.sqrt(2), rel=0.08)
    assert abs(np.corrcoef(w[:-1], w[1:])[0, 1]) < 0.1
    assert "second_order" in cell.cable_method_used


def test_noise_in_two_regions_is_independent(stick, cell_of):
    seed(4)
    model = {
        "all": channels.leak(),
        "dend": "du/dt = -u/(5*ms) + xi_u*(5*ms)**-0.5 : 1",
        "axon": "dw/dt = -w/(5*ms) + xi_w*(5*ms)**-0.5 : 1",
    }
    cell = cell_of(stick, model)
    Network(cell).run(5 * ms)
    u, w = np.asarray(cell.u)[1:6], np.asarray(cell.w)[11:16]
    assert np.isfinite(u).all() and np.isfinite(w).all()
    assert not np.isclose(u, w).any()


def test_a_voltage_that_is_not_finite_stops_the_run(stick, cell_of, target):
    cell = cell_of(stick, "Im = g*sqrt(1 - t/(2*ms)) : amp/meter**2\ng : amp/meter**2", name="wild")
    cell.v = -65 * mV
    cell.g["axon"] = 1 * mA / cm**2
    network = Network(cell)
    with pytest.raises(NumericalError) as caught:
        network.run(50 * ms)
    text = str(caught.value)
    assert "'v' became nan at compartment" in text and "'wild' (soma, " in text and "um from the root" in text
    # The step from 2 ms on is the first with a middle later than that.
    assert "t = 2. ms" in text or "t = 2 ms" in text
    assert float(network.t_) == pytest.approx(2.1e-3)


@pytest.mark.parametrize("region", ["all", "axon"])
@pytest.mark.parametrize("equation", ["dw/dt = sqrt(4 - w)/ms : 1", "dw/dt = w/(0.1*ms) : 1"])
def test_a_gate_that_is_not_finite_stops_the_run(stick, cell_of, region, equation, target):
    parts = {"all": channels.leak() + "x : 1", region: Equations(equation)}
    cell = cell_of(stick, channels.leak() + equation if region == "all" else parts)
    cell.v = -65 * mV
    cell.w = 0
    cell.w[13] = 5
    with pytest.raises(NumericalError, match="'w'") as caught:
        Network(cell).run(500 * ms)
    assert "compartment 13" in str(caught.value) and "50 um" in str(caught.value)


def test_methods_by_name(fire):
    reference = fire(dt=0.002 * ms)
    Network(reference).run(4 * ms)
    exact = np.asarray(reference.v_)
    errors = {}
    for method in (None, "exponential_euler", "rk2", "rk4", "euler", "exponential_midpoint", "implicit"):
        cell = fire(dt=0.02 * ms, method=method)
        Network(cell).run(4 * ms)
        errors[method] = np.abs(np.asarray(cell.v_) - exact).max()
    assert max(errors[method] for method in ("rk4", None, "rk2", "implicit")) < 1e-3
    assert errors["exponential_euler"] < 5e-3
    with pytest.raises(RallError, match="nonsense"):
        Network(fire(method="nonsense")).run(0.1 * ms)
    with pytest.raises(NotSupportedError, match="'gsl_rkf45' takes steps of its own"):
        Network(fire(method="gsl")).run(0.1 * ms)


def test_external_names(stick, cell_of):
    conductance = 0.2 * mS / cm**2
    text = "Im = conductance*(level - v) : amp/meter**2"
    cell = cell_of(stick, text, namespace={"conductance": conductance, "level": -50 * mV})
    cell.v = -50 * mV
    Network(cell).run(1 * ms)
    assert np.asarray(cell.v_) == pytest.approx(-0.05)
    here = cell_of(stick, text)
    here.v = -70 * mV
    level = -40 * mV
    Network(here).run(200 * ms)
    assert np.asarray(here.v_) == pytest.approx(-0.04, abs=1e-6)
    assert level == -40 * mV
    with pytest.raises(RallError, match="level2"):
        Network(cell_of(stick, text.replace("level", "level2"))).run(0.1 * ms)


def test_spikes_are_the_same_on_both_devices(fire):
    seen = []
    for device in ("c", "numpy"):
        prefs.codegen.target = device
        cell = fire(threshold="v > 0*mV", threshold_location=0, refractory="v > 0*mV")
        spikes = SpikeMonitor(cell)
        Network(cell, spikes).run(30 * ms)
        seen.append(spikes.t_)
    assert len(seen[0]) > 1
    assert seen[0].tolist() == seen[1].tolist()


def test_dt_of_the_default_clock(fire):
    defaultclock.dt = 0.02 * ms
    cell = fire()
    monitor = StateMonitor(cell, "v", record=[0])
    Network(cell, monitor).run(1 * ms)
    assert monitor.t_ == pytest.approx(np.arange(50) * 2e-5)


def test_cells_without_a_dendrite(fire):
    cell = fire(morphology=Soma(diameter=20 * um), current=100 * pA)
    Network(cell).run(20 * ms)
    assert cell.N == 1 and np.isfinite(np.asarray(cell.v_)).all()


W = "dw/dt = (m_Na - w)/(5*ms) : 1\nJ = w*1*mS/cm**2*(-80*mV - v) : amp/meter**2 (membrane current)"
COUPLED = {
    "regions, reader last": {
        "all": channels.leak() + "I : amp (point current)", "soma or axon": channels.hh.Na() + channels.hh.K(),
        "soma": W,
    },
    "regions, reader first": {
        "soma": W, "soma or axon": channels.hh.Na() + channels.hh.K(),
        "all": channels.leak() + "I : amp (point current)",
    },
    "in one place": channels.leak() + channels.hh.Na() + channels.hh.K() + "I : amp (point current)\n" + W,
    "current of a gate elsewhere": {
        "soma": "J = h_Na*1*mS/cm**2*(-80*mV - v) : amp/meter**2 (membrane current)",
        "all": channels.leak() + "I : amp (point current)", "soma or axon": channels.hh.Na() + channels.hh.K(),
    },
    "not linear in itself": channels.leak() + "I : amp (point current)\n"
    "dw/dt = (0.2 + v/(200*mV) - w**3)/(3*ms) : 1\n"
    "J = w*0.3*mS/cm**2*(-80*mV - v) : amp/meter**2 (membrane current)",
    "depends on time": channels.leak() + "I : amp (point current)\n"
    "dw/dt = (sin(2*pi*100*Hz*t) - w)/(3*ms) : 1\n"
    "J = w*0.3*mS/cm**2*(-80*mV - v) : amp/meter**2 (membrane current)",
}  # fmt: skip


@pytest.mark.parametrize("name", COUPLED)
def test_second_order_however_gates_depend_on_each_other(name, stick, cell_of):
    def run(dt):
        cell = cell_of(stick, COUPLED[name], dt=dt * ms)
        cell.v = -65 * mV
        for gate, value in (("m_Na", 0.05), ("h_Na", 0.6), ("n_K", 0.3), ("w", 0.1)):
            if gate in cell.known_names():
                setattr(cell, gate, value)
        cell.I[0] = 0.6 * nA
        gates = sorted(cell.equations.diff_eq_names)
        monitor = StateMonitor(cell, ["v", *gates], record=[0])
        Network(cell, monitor).run(4.8 * ms)
        every = round(0.08 / dt)
        assert cell.cable_method_used == "second_order"
        return {key: getattr(monitor, f"{key}_")[:, ::every][:, 12:] for key in ("v", *gates)}

    exact, coarse, fine = run(0.00125), run(0.02), run(0.01)
    for key, values in exact.items():
        errors = [np.abs(other[key] - values).max() for other in (coarse, fine)]
        assert np.log2(errors[0] / errors[1]) > 1.85, (key, errors)


def test_second_order_with_a_reset_in_the_model(fire):
    """A reset keeps gates from lagging; that costs time, and no order."""

    def run(dt):
        cell = fire(dt=dt * ms, threshold="v > 1*volt", reset="v = 0*volt")
        Network(cell).run(4 * ms)
        return np.asarray(cell.v_)

    exact = run(0.00125)
    errors = [np.abs(run(dt) - exact).max() for dt in (0.02, 0.01)]
    assert np.log2(errors[0] / errors[1]) > 1.9


def test_many_overlapping_regions(stick, cell_of, target):
    model = {"all": channels.leak() + "I : amp (point current)"}
    for k in range(12):
        model[f"i > {k}"] = channels.leak(g=0.1 * mS / cm**2, E=-60 * mV, name=f"x{k}")
    many = cell_of(stick, model)
    text = "I : amp (point current)\nk : 1\nJ = k*0.1*mS/cm**2*(-60*mV - v) : amp/meter**2 (membrane current)"
    one = cell_of(stick, channels.leak() + text)
    one.k = "clip(i, 0, 12)"
    for cell in (many, one):
        cell.v = -65 * mV
        cell.I[0] = 0.3 * nA
        Network(cell).run(5 * ms)
    assert np.asarray(many.v_) == pytest.approx(np.asarray(one.v_), abs=1e-13)


def test_backward_euler_takes_gates_and_then_the_voltage(cell_of, target):
    """Step by step as written here: a gate at the old voltage, the voltage with the new gate, time as it is at t."""
    text = """
    Im = g*n*(E - v) + slope*t : amp/meter**2
    dn/dt = (1/(1 + exp(-(v + 60*mV)/(5*mV))) - n)/(2*ms) : 1
    """
    values = {"g": 0.3 * mS / cm**2, "E": -30 * mV, "slope": 2 * uA / cm**2 / ms}
    cell = cell_of(
        Soma(20 * um), text, method="exponential_euler", cable_method="backward_euler", namespace=values, dt=0.1 * ms
    )
    cell.v, cell.n = -65 * mV, 0.2
    monitor = StateMonitor(cell, ["v", "n"], record=0)
    Network(cell, monitor).run(5 * ms)
    v, n, expected = -65e-3, 0.2, []
    for step in range(50):
        expected.append((v, n))
        settled = 1 / (1 + np.exp(-(v + 60e-3) / 5e-3))
        n = settled + (n - settled) * np.exp(-0.05)
        v = (1e-2 * v / 1e-4 + 3 * n * -30e-3 + 20 * step * 1e-4) / (1e-2 / 1e-4 + 3 * n)
    np.testing.assert_allclose(np.array([monitor.v_[0], monitor.n[0]]).T, expected, rtol=1e-11)


def test_method_used(fire):
    assert fire().cable_method_used == "second_order"
    assert fire(cable_method="backward_euler").cable_method_used == "backward_euler: first order"
    noisy = fire(model=channels.leak() + NOISY, current=None)
    assert "noise" in noisy.cable_method_used


@pytest.mark.parametrize("root", ["near end", "far end", "two sections", "middle"])
def test_the_root_does_not_matter(root, cell_of, squid):
    """One cylinder of 20 compartments, numbered from different ends."""

    def part(n):
        return Cylinder(diameter=2 * um, length=10 * n * um, n=n)

    morphology, order = part(20), list(range(20))
    if root == "far end":
        order.reverse()
    elif root == "two sections":
        morphology = part(12)
        morphology.rest = part(8)
    elif root == "middle":
        ends = [(2, "dend", 120, 0, 0, 2, 1), (3, "dend", -80, 0, 0, 2, 1)]
        morphology = Morphology.from_points([(1, "dend", 0, 0, 0, 2, -1), *ends]).discretize(max_length=10 * um)
        order = [*range(19, 11, -1), *range(12)]
    reference, cell = cell_of(part(20), squid), cell_of(morphology, squid)
    for one, first in ((reference, 0), (cell, order[0])):
        one.initialise(v=-65 * mV)
        one.I[first] = 0.3 * nA
        Network(one).run(5 * ms)
    assert np.ptp(np.asarray(reference.v_)) > 1e-3
    assert np.asarray(cell.v_)[order] == pytest.approx(np.asarray(reference.v_), abs=1e-12)


def test_a_synapse_adds_to_a_conductance_at_its_present_value(target):
    cell = SpatialNeuron(
        morphology=Cylinder(length=100 * um, diameter=2 * um, n=5), Cm=1 * uF / cm**2,
        model="Im = 0*amp/meter**2 : amp/meter**2\ndg/dt = -g/(3*ms) : siemens", dt=0.1 * ms,
    )  # fmt: skip
    network = Network(cell)
    cell.g = 1 * nS
    network.run(2 * ms)  # leaves the variable half a step behind
    source = SpikeGeneratorGroup(1, [0], [3] * ms, dt=0.1 * ms)
    synapse = Synapses(source, cell, on_pre="g += 1*nS")
    synapse.connect(i=0, j=2)
    monitor = StateMonitor(cell, "g", record=[0, 2])
    network.add(source, synapse, monitor)
    network.run(2 * ms)
    t = monitor.t / ms
    decay = np.exp(-t / 3)
    np.testing.assert_allclose(monitor.g[0] / nS, decay, rtol=1e-12)
    # The spike of 3 ms is delivered at the end of its step, whose values are those of 3.1 ms.
    np.testing.assert_allclose(monitor.g[1] / nS, decay + (t > 3.05) * np.exp(-(t - 3.1) / 3), rtol=1e-12)
