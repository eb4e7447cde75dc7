"""Passive cables against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rall.morphology import Cylinder, Soma
from rall.units import um

REST = -70.0


def centres(n, length):
    return (np.arange(n) + 0.5) * length / n


@pytest.mark.parametrize("at", [0, 30, 99])
def test_sealed_cable_in_steady_state(at, cases, solutions):
    cable, x = solutions.Passive(1000, 2), centres(100, 1000)
    cell = cases.passive(Cylinder(diameter=2 * um, length=1000 * um, n=100), cable.rm)
    v = cases.steady(cell, at, 0.1, list(range(100))) - REST
    assert np.abs(v - cable.steady(x, 0.1, x[at])).max() < 1e-3


def test_error_in_space_falls_with_the_square_of_the_number_of_compartments(cases, solutions):
    cable, x, error = solutions.Passive(1000, 2), np.array([100.0, 250, 500, 750, 1000]), []
    for n in (50, 100, 200):
        morphology = Cylinder(diameter=2 * um, length=1000 * um, n=n)
        cell = cases.passive(morphology, cable.rm)
        v = cases.steady(cell, 0, 0.1, [morphology[s * um] for s in x]) - REST
        error.append(np.abs(v - cable.steady(x, 0.1)).max())
    assert error[1] < 1e-3
    assert np.log2(error[0] / error[1]) > 1.9 and np.log2(error[1] / error[2]) > 1.9


def test_ball_and_stick_in_steady_state(cases, solutions):
    ball = solutions.BallAndStick(20, solutions.Passive(500, 2))
    morphology = cases.ball_and_stick(100)
    cell = cases.passive(morphology, ball.stick.rm)
    x = np.array([50.0, 125, 250, 375, 500])
    v = cases.steady(cell, 0, 0.1, [0, *(morphology.dend[s * um] for s in x)]) - REST
    assert np.abs(v - ball.steady(np.concatenate([[0], x]), 0.1)).max() < 1e-3


def test_ball_and_stick_follows_the_residue_series(cases, solutions):
    ball = solutions.BallAndStick(20, solutions.Passive(500, 2))
    morphology = cases.ball_and_stick(50)
    cell = cases.passive(morphology, ball.stick.rm)
    places = [0, morphology.dend[250 * um], morphology.dend[500 * um]]
    t, v = cases.traces(cell, places, [(60, 0, 0.1)], 0.025)
    later = t >= 1
    for trace, x in zip(v, (0, 250, 500)):
        assert np.abs(trace[later] - REST - ball.step(t[later], x, 0.1)).max() < 1e-3
    # A current step makes a monotonous rise: nothing rings.
    assert (np.diff(v, axis=1) >= -1e-9).all()


def test_branch_that_equals_a_cable(cases, solutions):
    """Rall 1959: d0**1.5 = d1**1.5 + d2**1.5 and equal electrotonic lengths of the daughters."""
    parent, daughter = solutions.Passive(300, 1, rm=10000), solutions.Passive(200, 0.5, rm=10000)
    whole = solutions.Passive(300 + daughter.ends * parent.space_constant, 1, rm=10000)
    # Compartments of the same electrotonic length in parent and daughters: the tree is one chain.
    morphology = cases.rall_branch(100)
    cell = cases.passive(morphology, 10000)
    share = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    x = np.concatenate([share * 300, 300 + share * daughter.ends * parent.space_constant])
    ends = (morphology.one.length.sum(), morphology.two.length.sum())
    places = [morphology[s * 300 * um] for s in share[1:]]
    places += [branch[s * end] for branch, end in zip((morphology.one, morphology.two), ends) for s in share]
    v = cases.steady(cell, 0, 0.02, places) - REST
    exact = whole.steady(x, 0.02)
    assert np.abs(v[:4] - exact[1:5]).max() < 1e-3
    assert np.abs(v[4:9] - exact[5:]).max() < 1e-3
    assert np.abs(v[4:9] - v[9:]).max() < 1e-9


def test_both_daughters_see_the_same_at_all_times(cases):
    morphology = cases.rall_branch(20)
    cell = cases.passive(morphology, 10000)
    one, two = list(cell.one.indices), list(cell.two.indices)
    _, v = cases.traces(cell, one + two, [(10, 0, 0.02)], 0.025)
    assert np.ptp(v[:20, -1]) > 0.1
    assert np.abs(v[:20] - v[20:]).max() < 1e-9


def test_tapered_cable(cases, solutions):
    ends, x = (4.0, 0.6), np.array([100.0, 200, 300, 400])
    exact = solutions.tapered(x, 0.05, ends, 400, 150, 20000)
    error = {}
    for n in (10, 20, 40):
        morphology = cases.cone(n, ends)
        cell = cases.passive(morphology, 20000)
        v = cases.steady(cell, 0, 0.05, [morphology[s * um] for s in x]) - REST
        error[n] = np.abs(v - exact).max()
    assert error[20] < 4e-3
    assert np.log2(error[20] / error[40]) > 1.9
    slant = np.hypot(400, 0.5 * (ends[0] - ends[1]))
    assert np.asarray(cell.area_).sum() * 1e12 == pytest.approx(np.pi * 0.5 * sum(ends) * slant, rel=5e-9)


def test_reciprocity(cases):
    """V at the tip for a current at the soma is V at the soma for the same current at the tip."""
    seen = []
    for at, elsewhere in ((0, -1), (-1, 0)):
        morphology = cases.ball_and_stick(20)
        morphology.dend.twig = Cylinder(diameter=0.7 * um, length=150 * um, n=7)
        cell = cases.passive(morphology, 20000)
        where = {0: 0, -1: cell.N - 1}
        _, v = cases.traces(cell, [where[elsewhere]], [(20, where[at], 0.05)], 0.025)
        seen.append(v[0])
    assert seen[0][-1] - REST > 1
    assert np.abs(seen[0] - seen[1]).max() < 1e-9


def test_input_impedance_of_a_small_sine(cases, solutions):
    ball = solutions.BallAndStick(20, solutions.Passive(500, 2))
    sine = "I = 10*pA*sin(2*pi*100*Hz*t) : amp (point current)\nhere : 1 (constant)"
    sine = sine.replace("sin(", "here*sin(")
    morphology = cases.ball_and_stick(50)
    cell = cases.passive(morphology, ball.stick.rm, extra=sine)
    cell.here[0] = 1
    tip = morphology.dend[500 * um]
    t, v = cases.traces(cell, [0, tip], [(220, None, 0)], 0.025)
    # Whole periods after ten time constants; the sums are the complex amplitudes.
    last = (t >= 200 - 1e-6) & (t < 220 - 1e-6)
    wave = np.exp(-2j * np.pi * 0.1 * t[last])
    amplitude = 2 * np.mean((v[:, last] - v[:, last].mean(axis=1, keepdims=True)) * wave, axis=1)
    for found, x in zip(amplitude, (0.0, 500.0)):
        exact = ball.impedance(100.0, x) * 0.01
        assert abs(found) == pytest.approx(abs(exact), rel=1e-3)
        assert abs(np.angle(found / (exact * -1j))) < 2e-3


def test_charge_is_conserved(cases):
    """The charge on all membranes is what was injected minus what leaked."""
    morphology = cases.ball_and_stick(20)
    # Practically without a leak, nothing is lost.
    cell = cases.passive(morphology, 1e15)
    cases.traces(cell, [0], [(5, 0, 0.05), (5, 0, 0.0)], 0.025)
    charge = np.sum(np.asarray(cell.area_) * np.asarray(cell.Cm_) * (np.asarray(cell.v_) - REST * 1e-3))
    assert charge == pytest.approx(0.05e-9 * 5e-3, rel=1e-11)


def test_one_compartment_is_a_capacitor_with_a_leak(cases, target):
    cell = cases.passive(Soma(diameter=20 * um), 20000)
    t, v = cases.traces(cell, [0], [(40, 0, 0.01)], 0.025)
    resistance = 20000 / (np.pi * 20**2 * 1e-8) * 1e-6
    exact = resistance * 0.01 * -np.expm1(-t / 20.0)
    assert np.abs(v[0] - REST - exact).max() < 1e-5


def test_backward_euler_is_first_order_and_stable(cases, solutions):
    ball = solutions.BallAndStick(20, solutions.Passive(500, 2))
    error = []
    for dt in (0.1, 0.05, 0.025):
        cell = cases.passive(cases.ball_and_stick(100), ball.stick.rm, cable_method="backward_euler")
        assert cell.cable_method_used == "backward_euler: first order"
        t, v = cases.traces(cell, [0], [(10, 0, 0.1)], dt)
        assert (np.diff(v) >= -1e-9).all()
        later = t >= 1
        error.append(np.abs(v[0][later] - REST - ball.step(t[later], 0, 0.1)).max())
    assert np.log2(error[0] / error[1]) == pytest.approx(1, abs=0.15)
    assert np.log2(error[1] / error[2]) == pytest.approx(1, abs=0.15)


def test_default_is_far_better_than_backward_euler(cases, solutions):
    ball = solutions.BallAndStick(20, solutions.Passive(500, 2))
    error = {}
    for method in ("second_order", "backward_euler"):
        cell = cases.passive(cases.ball_and_stick(200), ball.stick.rm, cable_method=method)
        t, v = cases.traces(cell, [0], [(10, 0, 0.1)], 0.025)
        later = t >= 1
        error[method] = np.abs(v[0][later] - REST - ball.step(t[later], 0, 0.1)).max()
    assert error["second_order"] < error["backward_euler"] / 50


@pytest.mark.parametrize("conductance", ["1*uS", "100*uS"])
def test_a_stiff_clamp_does_not_ring(conductance, cases):
    clamp = f"I = here*{conductance}*(-20*mV - v) : amp (point current)\nhere : 1 (constant)"
    cell = cases.passive(cases.ball_and_stick(50), 20000, extra=clamp)
    cell.here[0] = 1
    _, v = cases.traces(cell, [0, 1, 5, 50], [(20, None, 0)], 0.025)
    # A jump of 50 mV within far less than a step may be missed by a little, and is then settled at once: from one
    # step to the next the deviation shrinks ten times or more, where Crank-Nicolson's would change its sign only.
    settled = v[0][-1]
    assert abs(settled + 20) < 1
    assert v[0].max() < settled + 0.05 * 50
    if conductance == "100*uS":
        assert abs(v[0][2] - settled) < 0.01 * 50 and abs(v[0][4] - settled) < 0.01
        assert (np.abs(np.diff(v[0][4:])) < 1e-2).all()
    assert (np.diff(v[1:, 4:], axis=1) >= -1e-9).all()


def test_a_current_step_of_a_thin_branch_does_not_ring(cases):
    """The near end of a cable with tiny compartments, where Crank-Nicolson rings for milliseconds."""
    cell = cases.passive(Cylinder(diameter=1 * um, length=1000 * um, n=1000), 40000, ri=100)
    _, v = cases.traces(cell, [0, 10, 999], [(5, 0, 0.1), (5, 0, 0.0)], 0.025)
    assert (np.diff(v[:, :201], axis=1) >= -1e-9).all()
    assert (np.diff(v[0, 201:]) <= 1e-9).all()
