"""The sodium channel of Carter et al. 2012 against a matrix of its rates that is written out here."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.units import cm, kelvin, mS

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


@pytest.mark.parametrize("name", ["Na", "NaV"])
@pytest.mark.parametrize("celsius", [34.0, 24.0])
def test_rates(name, celsius, formulas):
    voltages = np.array([-120.0, -60.0, -20.0, 30.0])
    function = channels.markov.Na if name == "Na" else channels.allen.NaV
    found = formulas(function(T=(celsius + 273.15) * kelvin), voltages)
    rng = np.random.default_rng(3)
    for _ in range(3):
        p = rng.random(12)
        p /= p.sum()
        values = {f"{state}_{name}": p[k] for k, state in enumerate(STATES)}
        expected = np.array([rates(v, celsius) @ p for v in voltages]).T * 1e3
        for k, state in enumerate(STATES[:-1]):
            assert found(f"{state}_{name}", **values) == pytest.approx(expected[k], rel=1e-9, abs=1e-6)


def test_current(formulas):
    found = formulas(channels.markov.Na(g=2 * mS / cm**2), [-20.0, 50.0])
    assert found("I_Na", O_Na=0.25) == pytest.approx([20 * 0.25 * 0.07, 0.0])
