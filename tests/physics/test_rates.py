"""Rate functions and potentials through the code that models run: equations, kernels, both devices."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from rall import channels
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import StateMonitor
from rall.session import prefs
from rall.simulation import Network
from rall.units import ms, mV, um
from rall.units.constants import faraday_constant, gas_constant


def values(model, wanted, n, v=None, namespace=None, **parameters):
    """Subexpressions of a model on n compartments as the compiled program computes them, in SI units."""
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=1 * um, length=n * um, n=n), model=model, namespace=namespace
    )
    if v is not None:
        cell.v_ = np.asarray(v) * 1e-3
    for name, array in parameters.items():
        setattr(cell, f"{name}_", array)
    monitor = StateMonitor(cell, wanted, record=True)
    Network(cell, monitor).run(0.025 * ms, namespace={})
    return {name: getattr(monitor, f"{name}_")[:, 0] for name in wanted}


def exact_rates(v):
    """Rates in 1/ms by plain formulas, for voltages (mV) away from the removable singularities."""
    return {
        "alpha_m_Na": 0.1 * (v + 40) / -np.expm1(-(v + 40) / 10), "beta_m_Na": 4 * np.exp(-(v + 65) / 18),
        "alpha_h_Na": 0.07 * np.exp(-(v + 65) / 20), "beta_h_Na": 1 / (1 + np.exp(-(v + 35) / 10)),
        "alpha_n_K": 0.01 * (v + 55) / -np.expm1(-(v + 55) / 10), "beta_n_K": 0.125 * np.exp(-(v + 65) / 80),
    }  # fmt: skip


@pytest.mark.parametrize(("share", "goal"), [(False, 2e-14), (True, 1e-13)])
def test_rates_of_hodgkin_and_huxley(share, goal, target):
    prefs.codegen.share_exponentials = share
    v = np.linspace(-119.3, 79.7, 333)
    found = values(channels.hh.Na() + channels.hh.K(), tuple(exact_rates(v)), len(v), v)
    for name, exact in exact_rates(v).items():
        assert np.abs(found[name] * 1e-3 / exact - 1).max() < goal, name


@pytest.mark.parametrize(("share", "goal"), [(False, 1e-14), (True, 1e-13)])
def test_rates_against_the_table_of_50_digits(share, goal, target, shared):
    prefs.codegen.share_exponentials = share
    with open(shared / "reference" / "rates" / "hh_rates.csv") as file:
        rows = list(csv.DictReader(file))
    v = np.array([float(row["V_mV"]) for row in rows])
    names = [f"{r}_{gate}_{'K' if gate == 'n' else 'Na'}" for gate in "mhn" for r in ("alpha", "beta")]
    found = values(channels.hh.Na() + channels.hh.K(), tuple(names), len(v), v)
    for name in names:
        exact = np.array([float(row[name.rsplit("_", 1)[0]]) for row in rows])
        # What turning mV into volt costs is not an error of the function.
        rounding = 2.3e-16 * np.abs(v) * np.abs(np.gradient(np.log(exact), v, edge_order=1))
        assert (np.abs(found[name] * 1e-3 / exact - 1) < goal + np.nan_to_num(rounding)).all(), name


QUOTIENT = """
x : 1 (constant)
f = x/(exp(x) - 1) : 1
g = (1 - exp(-x))/x : 1
h = 0.1*(x + 40)/(1 - exp(-(x + 40)/10)) : 1
"""


def test_plain_quotients_are_finite_and_accurate(target):
    small = 10.0 ** -np.arange(0, 300, 7)
    x = np.concatenate([[0.0], small, -small, [1.7, 30.0, 300.0, 700.0, -700.0]])
    found = values(QUOTIENT, ("f", "g"), len(x), x=x)
    plain = np.where(np.abs(x) > 1e-2, x, 1)
    f = np.where(np.abs(x) > 1e-2, plain / np.expm1(plain), 1 - x / 2 + x**2 / 12 - x**4 / 720)
    g = np.where(np.abs(x) > 1e-2, -np.expm1(-plain) / plain, 1 - x / 2 + x**2 / 6 - x**3 / 24 + x**4 / 120)
    # With exponentials shared, 1e-13.
    assert np.abs(found["f"] / f - 1).max() < 1e-13
    assert np.abs(found["g"] / g - 1).max() < 1e-13


def test_plain_quotients_at_shifted_singularities(target):
    near = np.concatenate([[0.0], 10.0 ** -np.arange(3, 13), -(10.0 ** -np.arange(3, 13))])
    found = values(QUOTIENT, ("h",), len(near), x=near - 40)["h"]
    u = ((near - 40) + 40) / 10
    assert np.abs(found / (1 + u / 2 + u**2 / 12) - 1).max() < 1e-12


def test_x_over_expm1_against_the_table(target, shared):
    with open(shared / "reference" / "rates" / "x_over_expm1.csv") as file:
        rows = list(csv.DictReader(line for line in file if line.strip()))
    x, exact = (np.array([float(row[key]) for row in rows]) for key in ("x", "f"))
    prefs.codegen.share_exponentials = False
    model = QUOTIENT + "best = 1/exprel(x) : 1"
    found = values(model, ("f", "best"), len(x), x=x)
    normal = exact > 1e-300
    assert np.abs(found["best"][normal] / exact[normal] - 1).max() < 1e-14
    assert np.abs(found["f"][normal] / exact[normal] - 1).max() < 1e-14
    assert np.isfinite(found["f"]).all()


POTENTIALS = """
z : 1 (constant)
inside : mM (constant)
outside : mM (constant)
T : kelvin (constant)
E = nernst(z, inside, outside, T) : volt
J = ghk(v, z, inside, outside, T) : coulomb/meter**3
"""


def test_nernst_and_ghk_of_themselves(target):
    """ghk is inward positive, vanishes at the Nernst potential and is smooth through v = 0."""
    n, temperature = 9, 307.15
    arrays = dict(z=np.full(n, 2.0), inside=np.full(n, 1e-4), outside=np.full(n, 2.0), T=np.full(n, temperature))
    v = np.array([0, 1e-12, -1e-12, 1e-6, -1e-6, 100, -100, 500, -500.0])
    found = values(POTENTIALS, ("E", "J"), n, v, **arrays)
    thermal = 8.31446261815324 * temperature / 96485.33212331
    assert found["E"] == pytest.approx(0.5 * thermal * np.log(2.0 / 1e-4), rel=1e-12)
    at_zero = 2 * 96485.33212331 * (2.0 - 1e-4)
    assert found["J"][:3] == pytest.approx(at_zero, rel=1e-12)
    assert np.isfinite(found["J"]).all() and found["J"][6] > at_zero > found["J"][5]
    there = values(POTENTIALS, ("J",), n, found["E"] * 1e3, **arrays)["J"]
    assert np.abs(there).max() < 1e-9 * at_zero


def test_nernst_and_ghk_against_the_table_of_50_digits(target, shared, errors):
    table = json.loads((shared / "reference" / "ghk_nernst" / "ghk_nernst.json").read_text())
    rows = {name: [row[k] for row in table["rows"]] for k, name in enumerate(table["columns"])}
    v = np.array([float(x) for x in rows["V_mV"]])
    arrays = dict(
        z=np.array(rows["z"], float), inside=np.array([float(x) for x in rows["c_in_mM"]]),
        outside=np.array([float(x) for x in rows["c_out_mM"]]), T=np.array(rows["T_celsius"], float) + 273.15,
    )  # fmt: skip
    # The table has F and R to ten digits, rall to all of them; everything depends on R T/F, currents on F besides.
    digits = float(faraday_constant) / table["constants"]["F"]
    arrays["T"] *= table["constants"]["R"] / float(gas_constant) * digits
    found = values(POTENTIALS, ("E", "J"), len(v), v, **arrays)
    exact = np.array(rows["nernst_mV"])
    assert errors.rel_table(exact, found["E"] * 1e3) < 1e-12
    # The table has outward currents in mA/cm2 for 1e-4 cm/s; J is inward per permeability.
    current = -found["J"] / digits * 1e-6 * 0.1
    exact = np.array(rows["ghk_mA_cm2"])
    assert errors.rel_table(exact, current) < 1e-12


def test_gates_rest_at_their_steady_state():
    n = 5
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=1 * um, length=n * um, n=n), model=channels.hh.Na() + channels.hh.K()
    )
    v = np.array([-80.0, -65, -55, -40, 20])
    cell.initialise(v=v * mV)
    exact = exact_rates(v + 1e-9)
    for gate in ("m_Na", "h_Na", "n_K"):
        alpha, beta = exact[f"alpha_{gate}"], exact[f"beta_{gate}"]
        assert np.abs(np.asarray(getattr(cell, gate)) - alpha / (alpha + beta)).max() < 1e-9
