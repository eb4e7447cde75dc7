"""Reaction schemes for tests, and what they are as matrices."""

from __future__ import annotations

import numpy as np

from rall import Cylinder, Equations, SpatialNeuron, cm, ms, ohm, uF, um

#: A sodium channel with four activation steps, a lattice of closed and inactivated states, and an open-blocked one.
SODIUM = """
alpha_X = 140*exp(v/(27*mV))/ms : hertz
beta_X = 10*exp(-v/(27*mV))/ms : hertz
C1_X <-> C2_X <-> C3_X <-> C4_X : 4*alpha_X, beta_X, 3*alpha_X, 2*beta_X, 2*alpha_X, 3*beta_X
C4_X <-> C5_X : alpha_X, 4*beta_X
I1_X <-> I2_X <-> I3_X : 4*alpha_X*2.5, beta_X/2.5, 3*alpha_X*2.5, 2*beta_X/2.5
I3_X <-> I4_X <-> I5_X : 2*alpha_X*2.5, 3*beta_X/2.5, alpha_X*2.5, 4*beta_X/2.5
C5_X <-> O_X <-> B_X : gamma_X, delta_X, block_X, unblock_X
C1_X <-> I1_X : 0.01/ms, 4/ms
C2_X <-> I2_X : 0.025/ms, 1.6/ms
C3_X <-> I3_X : 0.0625/ms, 0.64/ms
C4_X <-> I4_X : 0.15625/ms, 0.256/ms
C5_X <-> I5_X : 0.390625/ms, 0.1024/ms
gamma_X : hertz (shared, constant)
delta_X : hertz (shared, constant)
block_X : hertz (shared, constant)
unblock_X = 0.02*exp(-v/(20*mV))/ms : hertz
C1_X : 1 (species)
C2_X : 1 (species)
C3_X : 1 (species)
C4_X : 1 (species)
C5_X : 1 (species)
I1_X : 1 (species)
I2_X : 1 (species)
I3_X : 1 (species)
I4_X : 1 (species)
I5_X : 1 (species)
O_X : 1 (species)
B_X : 1 (species)
"""
STATES = ("C1", "C2", "C3", "C4", "C5", "I1", "I2", "I3", "I4", "I5", "O", "B")


def sodium(name: str = "NaV", fast: float = 150.0) -> Equations:
    """The sodium channel; `fast`: the rate of opening per ms."""
    values = {"gamma": fast / ms, "delta": 40 / ms, "block": 1.5 / ms}
    return Equations(SODIUM.replace("_X", f"_{name}"), {f"{key}_{name}": value for key, value in values.items()})


def sodium_matrix(v: float, fast: float = 150.0) -> np.ndarray:
    """Of the channel's equations at a voltage in mV; per ms."""
    alpha, beta = 140 * np.exp(v / 27), 10 * np.exp(-v / 27)
    matrix = np.zeros((12, 12))

    def between(a: str, b: str, forward: float, backward: float) -> None:
        i, j = STATES.index(a), STATES.index(b)
        for source, target, rate in ((i, j, forward), (j, i, backward)):
            matrix[target, source] += rate
            matrix[source, source] -= rate

    for k in range(4):
        between(f"C{k + 1}", f"C{k + 2}", (4 - k) * alpha, (k + 1) * beta)
        between(f"I{k + 1}", f"I{k + 2}", (4 - k) * alpha * 2.5, (k + 1) * beta / 2.5)
    for k in range(5):
        between(f"C{k + 1}", f"I{k + 1}", 0.01 * 2.5**k, 4 / 2.5**k)
    between("C5", "O", fast, 40)
    between("O", "B", 1.5, 0.02 * np.exp(-v / 20))
    return matrix


def still_cell(model: object, n: int = 4, **more: object) -> SpatialNeuron:
    """Compartments that hardly see each other, so that without currents their voltages stay."""
    stick = Cylinder(diameter=2 * um, length=100 * um, n=n)
    return SpatialNeuron(morphology=stick, model=model, Cm=1 * uF / cm**2, Ri=1e12 * ohm * cm, **more)


def states_of(cell: object, name: str = "NaV") -> np.ndarray:
    """Shape (12, compartments)."""
    return np.array([getattr(cell, f"{state}_{name}_")[:] for state in STATES])
