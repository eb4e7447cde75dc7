"""Task T2a, a reconstruction with Hodgkin-Huxley membrane: 1000 ms at 0.025 ms; prints one JSON line."""

from __future__ import annotations

import numpy as np
from timing import Stopwatch, shared, spike_check

from rall import channels
from rall.morphology import Morphology
from rall.plugins.cable import SpatialNeuron
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import cm, ms, mV, nA, ohm, uF, um

DURATION, DT = 1000.0, 0.025


def main() -> None:
    """Build and run."""
    file = shared() / "morphologies" / "l5_allen_515570710.swc"
    watch = Stopwatch("t2a")
    cell = SpatialNeuron(
        morphology=Morphology.from_file(file, soma="cylinder").discretize(max_length=20 * um),
        model=channels.leak() + channels.hh.Na() + channels.hh.K() + "I : amp (point current)",
        Cm=1 * uF / cm**2, Ri=100 * ohm * cm, dt=DT * ms,
    )  # fmt: skip
    cell.initialise(v=-65 * mV)
    cell.I[0] = 1 * nA
    monitor = StateMonitor(cell, "v", record=[0])
    Network(cell, monitor, watch.at_first_step()).run(DURATION * ms)
    t, v = monitor.t_ * 1e3, monitor.v_[0] * 1e3
    area = round(float(np.sum(cell.area / um**2)), 3)
    watch.report(cell.N, round(DURATION / DT), {"area_um2": area, **spike_check(t, v)})


if __name__ == "__main__":
    main()
