"""Reactions in groups against what is known of them, on each device."""

from __future__ import annotations

import numpy as np
import pytest

from rall import (
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    defaultclock,
    ms,
    mV,
    nS,
    pF,
    second,
    uM,
)  # fmt: skip

PER_UM = 1 / uM / ms
BINDING = "A + B <-> C : k_on, k_off\nA : mM (species)\nB : mM (species)\nC : mM (species)"
ROBERTSON = """
y1 -> y2 : 0.04/second
2 y2 -> y2 + y3 : 3e7/second
y2 + y3 -> y1 + y3 : 1e4/second
y1 : 1 (species)
y2 : 1 (species)
y3 : 1 (species)
"""


def run(group, duration):
    Network(group).run(duration)
    return group


def test_relaxation_of_two_states(target):
    group = NeuronGroup(
        3, "C <-> O : a, b\nC : 1 (species)\nO : 1 (species)\na : hertz (constant)", namespace={"b": 2 / ms}
    )
    group.C, group.a = 1, [0.5, 3, 200] / ms
    run(group, 0.5 * ms)
    a, b, t = np.array([0.5, 3, 200]), 2, 0.5
    assert group.O[:] == pytest.approx(a / (a + b) * (1 - np.exp(-(a + b) * t)), rel=1e-12)
    assert group.C[:] + group.O[:] == pytest.approx(1, abs=1e-14)


def test_birth_and_death_of_one_species(target):
    group = NeuronGroup(1, "0 -> Ca : make\nCa -> 0 : k\nCa : mM (species)",
                        namespace={"make": 3 * uM / ms, "k": 0.4 / ms})  # fmt: skip
    run(group, 2 * ms)
    assert group.Ca[0] / uM == pytest.approx(3 / 0.4 * (1 - np.exp(-0.8)), rel=1e-12)


def test_dimerisation_comes_to_its_equilibrium(target):
    group = NeuronGroup(1, "2 A <-> D : k_on, k_off\nA : mM (species)\nD : mM (species)",
                        namespace={"k_on": 0.5 * PER_UM, "k_off": 0.1 / ms})  # fmt: skip
    group.A = 10 * uM
    run(group, 40 * ms)
    A, D = group.A[0] / uM, group.D[0] / uM
    assert A + 2 * D == pytest.approx(10, rel=1e-13)
    assert 0.5 * A**2 == pytest.approx(0.1 * D, rel=1e-9)


def test_binding_as_in_its_closed_form(target, reference):
    case = reference["binding_A_B_C"]
    p, times = case["params"], np.array(case["t_ms"])
    defaultclock.dt = 0.025 * ms
    group = NeuronGroup(1, BINDING, namespace={"k_on": p["kf_per_uM_ms"] * PER_UM, "k_off": p["kb_per_ms"] / ms})
    group.A, group.B, group.C = (p[f"{name}0_uM"] * uM for name in "ABC")
    monitor = StateMonitor(group, "C", record=0)
    Network(group, monitor).run(50.025 * ms)
    found = monitor.C[0][np.round(times / 0.025).astype(int)] / uM
    assert np.max(np.abs(found / case["C_uM"] - 1)) < 1e-6


def test_an_enzyme_in_full_and_by_its_law(target, reference):
    full, reduced = reference["michaelis_menten_full"], reference["michaelis_menten_reduced"]
    p, q = full["params"], reduced["params"]
    defaultclock.dt = 0.025 * ms
    group = NeuronGroup(
        1,
        "E + S <-> ES -> E + P : k1, k2, k3\n" + "\n".join(f"{x} : mM (species)" for x in ("E", "S", "ES", "P")),
        namespace={"k1": p["k1_per_uM_ms"] * PER_UM, "k2": p["k2_per_ms"] / ms, "k3": p["k3_per_ms"] / ms},
    )
    group.E, group.S = p["E0_uM"] * uM, p["S0_uM"] * uM
    law = NeuronGroup(1, "S => 0 : Vmax*S/(S + Km)\nS : mM (species)",
                      namespace={"Vmax": q["Vmax_uM_per_ms"] * uM / ms, "Km": q["Km_uM"] * uM})  # fmt: skip
    law.S = q["S0_uM"] * uM
    monitors = [StateMonitor(group, ["E", "S", "ES", "P"], record=0), StateMonitor(law, "S", record=0)]
    Network(group, law, *monitors).run(80.025 * ms)
    for k, t in enumerate(full["t_ms"]):
        if t >= 1:  # before, the step does not resolve how the enzyme fills up
            for name in ("E", "S", "ES", "P"):
                assert getattr(monitors[0], name)[0][round(t / 0.025)] / uM == pytest.approx(full[name][k], rel=1e-4)
    found = monitors[1].S[0][np.round(np.array(reduced["t_ms"]) / 0.025).astype(int)] / uM
    assert found == pytest.approx(reduced["S_uM"], rel=1e-6)


def test_calmodulin_keeps_its_totals_and_comes_to_rest_where_it_should(reference):
    case = reference["calmodulin_2plus2"]
    p, closed = case["params"], case["closed"]
    rates = {key: (p[key] * PER_UM if "kon" in key else p[key] / ms) for key in p if "_k" in key}
    species = ("Ca", "N0", "N1", "N2", "C0", "C1", "C2", "B", "CaB")
    lines = ["Ca + B <-> CaB : B_kon, B_koff"]
    for lobe in "NC":
        lines.append(f"Ca + {lobe}0 <-> {lobe}1 : 2*{lobe}_kon1, {lobe}_koff1")
        lines.append(f"Ca + {lobe}1 <-> {lobe}2 : {lobe}_kon2, 2*{lobe}_koff2")
    defaultclock.dt = 0.0125 * ms
    group = NeuronGroup(1, "\n".join([*lines, *(f"{x} : mM (species)" for x in species)]), namespace=rates)
    start = {**case["y0"], "Ca": 20.0, "CaB": case["y0"]["B_bound"], "B": p["B_total"] - case["y0"]["B_bound"]}
    for name in species:
        setattr(group, name, start[name] * uM)

    def value(name):
        return float(getattr(group, name)[0] / uM)

    run(group, 100 * ms)
    k = closed["t_ms"].index(100.0)
    for name in ("Ca", "N0", "N1", "N2", "C0", "C1", "C2"):
        assert value(name) == pytest.approx(closed[name][k], rel=1e-3)
    calcium = value("Ca") + value("CaB") + sum(value(f"{x}1") + 2 * value(f"{x}2") for x in "NC")
    assert calcium == pytest.approx(closed["total_Ca_uM"], rel=1e-12)
    assert value("B") + value("CaB") == pytest.approx(p["B_total"], rel=1e-13)
    assert sum(value(f"N{k}") for k in range(3)) == pytest.approx(p["CaM_total"], rel=1e-13)


def test_robertson_as_long_as_steps_follow_it(target, reference):
    case = reference["robertson"]
    defaultclock.dt = 0.4 / 1000 * second
    group = NeuronGroup(1, ROBERTSON)
    group.y1 = 1
    run(group, 0.4 * second)
    found = np.array([group.y1[0], group.y2[0], group.y3[0]])
    assert found == pytest.approx([case[name][0] for name in ("y1", "y2", "y3")], rel=1e-8)
    assert found.sum() == pytest.approx(1, abs=1e-15)


CHANNEL = """
dv/dt = (g_l*(E_l - v) + g*O*(E - v) + I)/C_m : volt
C <-> O : alpha, beta
O <-> D : 0.2/ms, 0.05/ms
alpha = exp((v + 40*mV)/(12*mV))/ms : hertz
beta = exp(-(v + 40*mV)/(15*mV))/ms : hertz
dw/dt = (v + 60*mV)/mV/(20*ms) - w/(15*ms) : 1
I = 300*pA*sin(t/(3*ms))**2 : amp
C : 1 (species)
O : 1 (species)
D : 1 (species)
"""
VALUES = {"g_l": 10 * nS, "E_l": -65 * mV, "g": 40 * nS, "E": 0 * mV, "C_m": 100 * pF}


@pytest.mark.parametrize("more", ["", "dr/dt = (1 - r**2)*v/(20*mV*ms) : 1"])
def test_a_channel_and_the_voltage_together_are_of_second_order(target, more):
    """The second case has an equation that no exponential method takes."""

    def at(dt):
        defaultclock.dt = dt * ms
        group = NeuronGroup(1, CHANNEL + more, namespace=VALUES)
        group.v, group.C = -65 * mV, 1
        run(group, 16 * ms)
        assert group.C[0] + group.O[0] + group.D[0] == pytest.approx(1, abs=1e-14)
        return np.array([group.v[0] / mV, 100 * group.O[0], 100 * group.D[0], group.w[0]])

    exact = at(0.001)
    errors = [np.abs(at(dt) - exact).max() for dt in (0.1, 0.05, 0.025)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(2, abs=0.12)
    assert errors[0] < 0.2


def test_calcium_opens_a_channel_and_is_let_in_by_it(target):
    """The calcium is not used up by the channel, but each depends on the other: they are solved together."""
    eqs = """
    C <-> O : k*Ca, 2/ms
    0 -> Ca : 20*uM_*O/ms + 0.1*uM_/ms
    Ca + B <-> CaB : 0.1/(uM_*ms), 0.05/ms
    Ca -> 0 : 0.7/ms
    C : 1 (species)
    O : 1 (species)
    Ca : mM (species)
    B : mM (species)
    CaB : mM (species)
    """

    def at(dt, method=None):
        defaultclock.dt = dt * ms
        group = NeuronGroup(1, eqs, method=method, namespace={"uM_": 1 * uM, "k": 0.2 * PER_UM})
        group.C, group.B = 1, 30 * uM
        run(group, 12 * ms)
        assert (group.B[0] + group.CaB[0]) / uM == pytest.approx(30, rel=1e-14)
        return np.array([group.O[0], group.Ca[0] / uM, group.CaB[0] / uM])

    exact = at(0.002, "rk4")
    errors = [np.abs(at(dt) / exact - 1).max() for dt in (0.1, 0.05)]
    assert np.log2(errors[0] / errors[1]) > 2.7
    assert errors[0] < 1e-7


def test_reactions_in_neurons_that_spike(target):
    eqs = """
    dv/dt = (-v + 12*mV - 4*mV*O)/(10*ms) : volt (unless refractory)
    C <-> O : exp(v/(5*mV))/(40*ms), 1/(30*ms)
    C : 1 (species)
    O : 1 (species)
    """
    group = NeuronGroup(2, eqs, threshold="v > 8*mV", reset="v = 0*mV; C -= 0.1; O += 0.1", refractory=2 * ms)
    group.C = 1
    spikes = SpikeMonitor(group)
    Network(group, spikes).run(200 * ms)
    assert 2 <= spikes.count[0] <= 20
    assert group.C[0] + group.O[0] == pytest.approx(1, abs=1e-13)
