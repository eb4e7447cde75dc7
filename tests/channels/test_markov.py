"""The sodium channel of Carter et al. 2012 against a matrix of its rates that is written out here."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from rall import channels
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import cm, kelvin, ms, mV, ohm, uF, um
from rall.units.constants import zero_celsius

STATES = [f"C{k}" for k in range(1, 6)] + ["O"] + [f"I{k}" for k in range(1, 7)]
A, B = 2.51, 5.32


def rates(v, celsius):
    """Per ms: the matrix M of p' = M p at a voltage in mV."""
    opening, closing = 400 * np.exp(v / 24), 12 * np.exp(-v / 24)
    jumps = [("C5", "O", 250, 60), ("I5", "I6", 250, 60), ("O", "I6", 8, 0.05)]
    for k in range(1, 5):
        jumps.append((f"C{k}", f"C{k + 1}", (5 - k) * opening, k * closing))
        jumps.append((f"I{k}", f"I{k + 1}", (5 - k) * opening * A, k * closing / B))
    jumps += [(f"C{k}", f"I{k}", 0.01 * A ** (k - 1), 40 / B ** (k - 1)) for k in range(1, 6)]
    matrix = np.zeros((12, 12))
    for start, end, forward, backward in jumps:
        i, j = STATES.index(start), STATES.index(end)
        matrix[j, i] += forward
        matrix[i, j] += backward
    matrix -= np.diag(matrix.sum(axis=0))
    return matrix * 2.3 ** ((celsius - 37) / 10)


V = np.array([-120.0, -90.0, -60.0, -40.0, -20.0, 10.0])


def at_rest(matrix):
    """The occupancies that a matrix leaves alone."""
    sums = np.vstack([matrix, np.ones(12)])
    return np.linalg.lstsq(sums, np.append(np.zeros(12), 1.0), rcond=None)[0]


@pytest.fixture
def cell():
    """Compartments apart from each other, whose voltages stay."""

    def cell(channel):
        return SpatialNeuron(
            morphology=Cylinder(diameter=1 * um, length=len(V) * um, n=len(V)), model=channel,
            Cm=1e9 * uF / cm**2, Ri=1e15 * ohm * cm,
        )  # fmt: skip

    return cell


def occupancies(cell, name):
    return np.array([np.asarray(getattr(cell, f"{state}_{name}_")) for state in STATES])


@pytest.mark.parametrize("name", ["Na", "NaV"])
@pytest.mark.parametrize("celsius", [34.0, 24.0])
def test_steady_state(name, celsius, cell):
    function = channels.markov.Na if name == "Na" else channels.allen.NaV
    patch = cell(function(T=celsius * kelvin + zero_celsius))
    patch.initialise(v=V * mV)
    expected = np.array([at_rest(rates(v, celsius)) for v in V]).T
    assert occupancies(patch, name) == pytest.approx(expected, rel=1e-6, abs=1e-10)
    density = expected[STATES.index("O")] * (50 - V if name == "Na" else 53 - V) * 1e-3
    g = 500 if name == "Na" else 0.1
    assert np.asarray(getattr(patch, f"I_{name}_")) == pytest.approx(g * density, rel=1e-5)


def test_steps_of_the_voltage(cell, target):
    """From rest at -90 mV, against the exponential of the matrix."""
    for step, goal in ((0.01, 3e-3), (0.0025, 2e-4)):
        defaultclock.dt = step * ms
        patch = cell(channels.markov.Na())
        patch.initialise(v=-90 * mV)
        patch.v = V * mV
        Network(patch).run(0.3 * ms)
        expected = np.array([expm(rates(v, 34.0) * 0.3) @ at_rest(rates(-90.0, 34.0)) for v in V]).T
        found = occupancies(patch, "Na")
        assert expected[STATES.index("O")].max() > 0.1
        assert found == pytest.approx(expected, abs=goal)
        assert found.sum(axis=0) == pytest.approx(np.ones(len(V)), abs=1e-12)
