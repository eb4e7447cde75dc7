"""Time of one step of the NumPy device on a Hodgkin-Huxley cell, with and without the compiled engine.

Run it alone on the machine: ``python tests/benchmarks/numpy_step.py``.  It starts itself once more with
``RALL_NO_ENGINE=1`` and prints one line of JSON for each: milliseconds a step (best of several stretches).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import rall.channels as channels
from rall.morphology import Morphology
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import StateMonitor
from rall.session import defaultclock, prefs
from rall.simulation import Network
from rall.solvers import engine_available
from rall.units import cm, mS, ms, mV, nA, ohm, uF, um

COMPARTMENTS = 600


def measure(steps: int = 200, stretches: int = 7) -> dict[str, object]:
    """Best time of a step in milliseconds."""
    prefs.codegen.target = "numpy"
    defaultclock.dt = 0.025 * ms
    morphology = fitting(Morphology.grow("granule", seed=1))
    model = channels.leak(g=0.3 * mS / cm**2, E=-54.3 * mV) + channels.hh.Na() + channels.hh.K()
    cell = SpatialNeuron(
        morphology=morphology, model=model + "I : amp (point current)", Cm=1 * uF / cm**2, Ri=100 * ohm * cm
    )
    cell.initialise(v=-65 * mV)
    cell.I[0] = 0.1 * nA
    monitor = StateMonitor(cell, "v", record=[0])
    network = Network(cell, monitor)
    network.run(20 * defaultclock.dt)
    best = float("inf")
    for _ in range(stretches):
        begin = time.perf_counter()
        network.run(steps * defaultclock.dt)
        best = min(best, (time.perf_counter() - begin) / steps)
    return {"compartments": cell.N, "engine": engine_available(), "ms_per_step": round(best * 1e3, 4)}


def fitting(morphology: Morphology) -> Morphology:
    """Cut into about `COMPARTMENTS` compartments."""
    low, high = 0.5, 100.0
    for _ in range(12):
        middle = (low * high) ** 0.5
        cut = morphology.discretize(max_length=middle * um)
        low, high = (low, middle) if cut.flatten().n < COMPARTMENTS else (middle, high)
    return cut


if __name__ == "__main__":
    print(json.dumps(measure()))
    if engine_available() and len(sys.argv) == 1:
        subprocess.check_call([sys.executable, __file__, "again"], env={**os.environ, "RALL_NO_ENGINE": "1"})
