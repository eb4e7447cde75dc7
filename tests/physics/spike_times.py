"""Errors of spike times: ``python tests/physics/spike_times.py [METHOD ...]`` prints tables in Markdown.

A squid neuron without a cable (Hodgkin & Huxley 1952) fires under a constant current that begins at 0; each method is
compared with the classical fourth-order one at a tenth of the smallest step.  A spike is where the voltage passes 0 mV
upwards, between steps on the cubic through the four nearest values, so that no error is hidden or added by the grid.
The order is the base-2 logarithm of the ratio of the last two errors.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.simulation import Network
from rall.units import cm, ms, mV, uA

Floats = NDArray[np.float64]

CURRENTS = (6.5, 10.0, 20.0)  # uA/cm2
STEPS = (0.1, 0.05, 0.025)  # ms
REFERENCE = ("rk4", STEPS[-1] / 10)
METHODS = ("strang", "exponential_midpoint", "exponential_euler")
DURATION = 200  # ms
LATER = 40  # ms that runs are longer, so that a late spike is still there

MODEL = """
dv/dt = (I - 120*msiemens/cm**2*m**3*h*(v - 50*mV) - 36*msiemens/cm**2*n**4*(v + 77*mV)
         - 0.3*msiemens/cm**2*(v + 54.387*mV))/(1*ufarad/cm**2) : volt
dm/dt = (1 - m)/exprel(-(v + 40*mV)/(10*mV))/ms - 4*exp(-(v + 65*mV)/(18*mV))*m/ms : 1
dh/dt = 0.07*exp(-(v + 65*mV)/(20*mV))*(1 - h)/ms - h/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : 1
dn/dt = 0.1*(1 - n)/exprel(-(v + 55*mV)/(10*mV))/ms - 0.125*exp(-(v + 65*mV)/(80*mV))*n/ms : 1
I : amp/meter**2 (constant)
"""
REST = {"m": 0.0529324853, "h": 0.5961207535, "n": 0.3176769141}  # at -65 mV


def spike_times(method: str, dt: float) -> list[Floats]:
    """Times (ms) at which each of the neurons fires.

    Parameters
    ----------
    method : str
        Of the equations.
    dt : float
        Step in ms.
    """
    neurons = NeuronGroup(len(CURRENTS), MODEL, method=method, dt=dt * ms)
    neurons.I = np.array(CURRENTS) * uA / cm**2
    neurons.v = -65 * mV
    for gate, value in REST.items():
        setattr(neurons, gate, value)
    monitor = StateMonitor(neurons, "v", record=True, dt=dt * ms)
    Network(neurons, monitor).run((DURATION + LATER) * ms)
    return [_crossings(monitor.t_ * 1e3, v) for v in monitor.v_]


def _crossings(t: Floats, v: Floats) -> Floats:
    """Where v passes 0 upwards, by inverse interpolation through four values."""
    found = []
    for k in np.flatnonzero((v[1:-2] < 0) & (v[2:-1] >= 0)) + 1:
        near = slice(k - 1, k + 3)
        # Over the upstroke v grows steadily, so that t is a function of it (Lagrange's polynomial, at v = 0).
        x, y = v[near], t[near]
        weights = [np.prod([-x[j] / (x[i] - x[j]) for j in range(4) if j != i]) for i in range(4)]
        found.append(float(np.dot(weights, y)))
    return np.array(found)


def last(exact: list[Floats]) -> list[int]:
    """For each neuron, the number (from 0) of the last spike before `DURATION`."""
    return [int(np.searchsorted(times, DURATION)) - 1 for times in exact]


def errors(method: str, exact: list[Floats]) -> dict[float, list[float]]:
    """For each step, how far (ms) that spike of each neuron is off."""
    found = {}
    for dt in STEPS:
        times = spike_times(method, dt)
        found[dt] = [abs(float(mine[k] - right[k])) for mine, right, k in zip(times, exact, last(exact))]
    return found


def main(methods: list[str]) -> None:
    """Print the tables."""
    exact = spike_times(*REFERENCE)
    found = {method: errors(method, exact) for method in methods}
    print(f"Error of the last spike in {DURATION} ms (ms), against {REFERENCE[0]} with steps of {REFERENCE[1]} ms")
    for k, (current, number) in enumerate(zip(CURRENTS, last(exact))):
        print(f"\n{current:g} uA/cm2: {number + 1} spikes, the last at {exact[k][number]:.3f} ms\n")
        print("| method | " + " | ".join(f"{dt:g} ms" for dt in STEPS) + " | order |")
        print("| --- |" + " --- |" * (len(STEPS) + 1))
        for method in methods:
            row = [found[method][dt][k] for dt in STEPS]
            print(f"| {method} | " + " | ".join(f"{e:.3f}" for e in row) + f" | {order(row):.2f} |")


def order(row: list[float]) -> float:
    """Base-2 logarithm of the ratio of the last two errors."""
    return float(np.log2(row[-2] / row[-1]))


if __name__ == "__main__":
    main(sys.argv[1:] or list(METHODS))
