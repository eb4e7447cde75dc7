"""Small models that are not chaotic: ``models.py NAME ...`` runs them for 20 ms and prints recorded values as JSON.

The device is that of the environment variable RALL_TEST_TARGET.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

import numpy as np

from rall import channels
from rall.equations import Equations
from rall.morphology import Cylinder, Morphology, Section, Soma
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.session import prefs, seed
from rall.simulation import Network
from rall.units import cm, mS, ms, mV, nA, ohm, uF, um

POINT = "I : amp (point current)\n"
HERE = "here : 1\n"
MODELS: dict[str, Callable[[], SpatialNeuron]] = {}


def model(make: Callable[[], SpatialNeuron]) -> Callable[[], SpatialNeuron]:
    """Add a model under the name of its function."""
    MODELS[make.__name__] = make
    return make


def stick() -> Morphology:
    """A soma with a dendrite and an axon."""
    morphology = Soma(diameter=20 * um)
    morphology.dend = Cylinder(diameter=2 * um, length=200 * um, n=10)
    morphology.axon = Cylinder(diameter=1 * um, length=100 * um, n=5)
    return morphology


def hh(extra: str = POINT) -> Equations:
    """Hodgkin-Huxley channels, a leak and a point current."""
    return channels.leak() + channels.hh.Na() + channels.hh.K() + extra


def cell(
    equations: object, morphology: Morphology | None = None, current: float = 0.5, **more: object
) -> SpatialNeuron:
    """A cell at rest with a current (nA) into the first compartment."""
    constants = {"Cm": 1 * uF / cm**2, "Ri": 100 * ohm * cm, **more}
    made = SpatialNeuron(morphology=stick() if morphology is None else morphology, model=equations, **constants)
    try:
        made.initialise(v=-65 * mV)
    except Exception as problem:
        if "steady" not in str(problem) and "linear" not in str(problem):
            raise
    names = made.known_names()
    if "here" in names:
        made.here[0] = 1
    elif "I" in names:
        made.I[0] = current * nA
    return made


@model
def squid() -> SpatialNeuron:
    return cell(hh())


@model
def passive() -> SpatialNeuron:
    return cell(channels.leak() + POINT)


@model
def regions() -> SpatialNeuron:
    return cell({"all": channels.leak() + POINT, "soma or axon": channels.hh.Na() + channels.hh.K()})


@model
def three_regions() -> SpatialNeuron:
    far = channels.leak(g=1 * mS / cm**2, E=-70 * mV, name="far")
    return cell(
        {"all": channels.leak() + POINT, "soma or axon": channels.hh.Na(), "not dend": channels.hh.K(), "dend": far}
    )


@model
def cross_regions() -> SpatialNeuron:
    inner = Equations("dw/dt = (m_Na - w)/(5*ms) : 1\nJ = w*1*mS/cm**2*(-80*mV - v) : amp/meter**2 (membrane current)")
    return cell({"all": channels.leak() + POINT, "soma or axon": channels.hh.Na() + channels.hh.K(), "soma": inner})


@model
def curved() -> SpatialNeuron:
    return cell(
        channels.leak(g=0.1 * mS / cm**2, E=-65 * mV) + POINT
        + "J = 0.1*mS/cm**2*2*mV*exp((v + 55*mV)/(8*mV)) : amp/meter**2 (membrane current)", current=0.05,
    )  # fmt: skip


@model
def sine() -> SpatialNeuron:
    return cell(hh(f"I = here*0.5*nA*sin(2*pi*100*Hz*t)**2 : amp (point current)\n{HERE}"))


@model
def clamp() -> SpatialNeuron:
    return cell(hh(f"I = here*10*uS*(-30*mV + 10*mV*sin(2*pi*50*Hz*t) - v) : amp (point current)\n{HERE}"))


@model
def backward_euler() -> SpatialNeuron:
    return cell(hh(), cable_method="backward_euler")


@model
def rk4() -> SpatialNeuron:
    return cell(hh(), method="rk4", dt=0.02 * ms)


@model
def exponential_euler() -> SpatialNeuron:
    return cell(hh(), method="exponential_euler")


@model
def per_compartment() -> SpatialNeuron:
    made = cell(hh(), Cm="1*uF/cm**2*(1 + axon)", Ri="100*ohm*cm*(1 + distance/(50*um))")
    made.g_Na = "120*mS/cm**2*(1 + 0.1*sin(i))"
    return made


@model
def one() -> SpatialNeuron:
    return cell(hh(), Soma(diameter=20 * um), current=0.2)


@model
def two() -> SpatialNeuron:
    return cell(hh(), Cylinder(diameter=10 * um, length=100 * um, n=2), current=0.3)


@model
def taper() -> SpatialNeuron:
    return cell(hh(), Section(diameter=np.linspace(6, 1, 13) * um, length=np.full(12, 20.0) * um, n=12))


@model
def types() -> SpatialNeuron:
    points = [(1, "soma", 0, 0, 0, 20, -1), (2, "dend", 15, 0, 0, 3, 1), (3, "dend", 60, 0, 0, 2, 2)]
    points += [(4, "apic", 120, 0, 0, 1.5, 3), (5, "apic", 180, 20, 0, 1, 4), (6, "apic", 180, -20, 0, 1, 4)]
    points += [(7, "axon", -60, 0, 0, 1, 1)]
    return cell(hh(), Morphology.from_points(points).discretize(max_length=8 * um))


@model
def reset() -> SpatialNeuron:
    made = cell(
        channels.leak(g=0.1 * mS / cm**2, E=-40 * mV) + "dw/dt = -w/(7*ms) : 1\n"
        "J = w*0.1*mS/cm**2*(-80*mV - v) : amp/meter**2 (membrane current)",
        threshold="v > -50*mV", reset="v = -70*mV\nw += 0.3",
    )  # fmt: skip
    made.v = "-70*mV + 3*mV*sin(i)"
    made.g_leak = "0.1*mS/cm**2*(1 + 0.5*sin(3*i))"
    return made


@model
def refractory() -> SpatialNeuron:
    return cell(hh(), threshold="m_Na > 0.5", refractory="m_Na > 0.4")


@model
def quotients() -> SpatialNeuron:
    return cell(
        channels.leak() + POINT + """
        dm/dt = a*(1 - m) - b*m : 1
        a = 0.1*(v/mV + 40)/(1 - exp(-(v/mV + 40)/10))/ms : hertz
        b = 4*exp(-(v/mV + 65)/18)/ms : hertz
        J = 0.5*mS/cm**2*m**3*(50*mV - v) : amp/meter**2 (membrane current)"""
    )  # fmt: skip


def tree(levels: int, length: float = 40.0, diameter: float = 4.0) -> Morphology:
    """A binary tree whose branches have different numbers of compartments."""
    root = Cylinder(diameter=diameter * um, length=length * um, n=1 + levels)
    if levels:
        root.L = tree(levels - 1, 0.8 * length, 0.63 * diameter)
        root.R = tree(levels - 1, 0.9 * length, 0.6 * diameter)
    return root


@model
def branches() -> SpatialNeuron:
    return cell(hh(), tree(4))


@model
def long() -> SpatialNeuron:
    return cell(hh(), Cylinder(diameter=2 * um, length=2000 * um, n=300), current=1.0)


@model
def noise() -> SpatialNeuron:
    seed(11)
    return cell(
        channels.leak() + POINT + "dw/dt = -w/(5*ms) + 0.3*xi*(5*ms)**-0.5 : 1\n"
        "J = w*0.02*mS/cm**2*50*mV : amp/meter**2 (membrane current)", name="noisy"
    )  # fmt: skip


@model
def nonlinear_gate() -> SpatialNeuron:
    return cell(
        channels.leak() + POINT + "dw/dt = (0.2 + v/(200*mV) - w**3)/(3*ms) : 1\n"
        "J = w*0.3*mS/cm**2*(-80*mV - v) : amp/meter**2 (membrane current)"
    )  # fmt: skip


@model
def point_conductance() -> SpatialNeuron:
    return cell(hh(f"I = here*30*nS*exp(-t/(3*ms))*(0*mV - v) : amp (point current)\n{HERE}"))


def main(names: list[str]) -> None:
    """Run models and print what was recorded."""
    prefs.codegen.target = os.environ["RALL_TEST_TARGET"]
    found = {}
    for name in names:
        made = MODELS[name]()
        gates = sorted(made.equations.diff_eq_names)
        monitor = StateMonitor(made, ["v", "Im", *gates], record=True, dt=1 * ms)
        spikes = [SpikeMonitor(made)] if name in ("reset", "refractory") else []
        Network(made, monitor, *spikes).run(20 * ms)
        values = {key: getattr(monitor, f"{key}_").ravel().tolist() for key in ("v", "Im", *gates)}
        values.update({f"spikes{k}": [0.0, *monitor.t_.tolist()] for k, monitor in enumerate(spikes)})
        found[name] = values
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
