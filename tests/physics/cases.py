"""Short ways to cells and their traces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall import channels
from rall.morphology import Cylinder, Morphology, Section, Soma
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import cm, mS, ms, mV, nA, ohm, siemens, uF, um

Floats = NDArray[np.float64]

POINT = "I : amp (point current)"


def passive(
    morphology: Morphology, rm: float, ri: float = 150.0, rest: float = -70.0, extra: Any = POINT, **keywords: Any
) -> SpatialNeuron:
    """A passive cell: rm in ohm cm2, ri in ohm cm, rest in mV, 1 uF/cm2; at rest."""
    model = channels.leak(g=(1 / rm) * siemens / cm**2, E=rest * mV) + extra
    cell = SpatialNeuron(morphology=morphology, model=model, Cm=1 * uF / cm**2, Ri=ri * ohm * cm, **keywords)
    cell.v = rest * mV
    return cell


def squid(
    morphology: Morphology, g: float = 0.3, rest: float = -54.3, ri: float = 100.0, extra: Any = POINT, **keywords: Any
) -> SpatialNeuron:
    """A cell with standard Hodgkin-Huxley channels (leak in mS/cm2 and mV), at -65 mV with gates at rest."""
    model = channels.leak(g=g * mS / cm**2, E=rest * mV) + channels.hh.Na() + channels.hh.K() + extra
    cell = SpatialNeuron(morphology=morphology, model=model, Cm=1 * uF / cm**2, Ri=ri * ohm * cm, **keywords)
    cell.initialise(v=-65 * mV)
    return cell


def traces(
    cell: SpatialNeuron, places: list[Any], steps: list[tuple[float, Any, float]], dt: float, variable: str = "v"
) -> tuple[Floats, Floats]:
    """Run with current steps; time in ms, traces in mV (or SI for other variables).

    Parameters
    ----------
    steps : list of (duration in ms, place, current in nA)
        One after the other.
    dt : float
        In ms.
    """
    cell.clock.dt = dt * 1e-3
    monitor = StateMonitor(cell, variable, record=places)
    network = Network(cell, monitor)
    for duration, place, current in steps:
        if place is not None:
            cell.I[place] = current * nA
        network.run(duration * ms)
    values = getattr(monitor, variable + "_")
    return monitor.t_ * 1e3, values * 1e3 if variable == "v" else values


def steady(cell: SpatialNeuron, place: Any, current: float, places: list[Any], taus: float = 40.0) -> Floats:
    """Voltages in mV at places after a constant current in nA, when nothing changes any more.

    Parameters
    ----------
    taus : float
        Membrane time constants (of 20 ms) to wait, in steps of 2 ms.
    """
    cell.I[place] = current * nA
    _, v = traces(cell, places, [(taus * 20.0, None, 0.0), (2.0, None, 0.0)], 2.0)
    return np.asarray(v[:, -1])


def ball_and_stick(n: int, soma: float = 20.0, length: float = 500.0, diameter: float = 2.0) -> Morphology:
    """A soma with one cylinder in n compartments."""
    morphology = Soma(diameter=soma * um)
    morphology.dend = Cylinder(diameter=diameter * um, length=length * um, n=n)
    return morphology


def rall_branch(n: int = 50) -> Morphology:
    """A parent and two unequal daughters after Rall's 3/2 law, of equal electrotonic length."""
    ratio = (1 - 0.5**1.5) ** (2 / 3)
    morphology = Cylinder(diameter=1 * um, length=300 * um, n=n)
    morphology.one = Cylinder(diameter=0.5 * um, length=200 * um, n=n)
    morphology.two = Cylinder(diameter=ratio * um, length=200 * np.sqrt(ratio / 0.5) * um, n=n)
    return morphology


def cone(n: int, ends: tuple[float, float] = (4.0, 0.6), length: float = 400.0) -> Morphology:
    """A frustum in n equal compartments."""
    d = np.linspace(*ends, n + 1)
    return Section(diameter=d * um, length=np.full(n, length / n) * um, n=n)


def binary_tree(levels: int = 10, length: float = 32.0, diameter: float = 16.0) -> Morphology:
    """The tree of Rallpack 2: one compartment a branch, diameters falling by 2**(2/3), lengths by 2**(1/3)."""
    root = Cylinder(diameter=diameter * um, length=length * um, n=1)
    if levels > 1:
        for name in ("L", "R"):
            setattr(root, name, binary_tree(levels - 1, length * 2 ** (-1 / 3), diameter * 2 ** (-2 / 3)))
    return root
