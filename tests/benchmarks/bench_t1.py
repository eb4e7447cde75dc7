"""Task T1, the axon of Rallpack 3: 1000 compartments, 250 ms at 0.025 ms; prints one JSON line."""

from __future__ import annotations

import numpy as np
from options import options
from timing import Stopwatch, spike_check

from rall import Cylinder, Network, SpatialNeuron, StateMonitor, channels
from rall.units import cm, ms, mV, nA, ohm, siemens, uF, um


def main() -> None:
    """Build and run."""
    asked = options(__doc__, duration=250.0)
    watch = Stopwatch("t1")
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=1 * um, length=1000 * um, n=1000),
        model=channels.leak(g=2.5e-5 * siemens / cm**2, E=-65 * mV) + channels.hh.Na() + channels.hh.K()
        + "I : amp (point current)",
        Cm=1 * uF / cm**2, Ri=100 * ohm * cm, dt=asked.dt * ms, cable_method=asked.method,
    )  # fmt: skip
    cell.initialise(v=-65 * mV)
    cell.I[0] = 0.1 * nA
    monitor = StateMonitor(cell, "v", record=[0, cell.N - 1])
    Network(cell, monitor, watch.at_first_step()).run(asked.duration * ms)
    t, v = monitor.t_ * 1e3, monitor.v_ * 1e3
    check = {"near": spike_check(t, v[0]), "far": spike_check(t, v[1])}
    if asked.dump:
        np.savez(asked.dump, t=t, v0=v[0], v1=v[1])
    watch.report(cell.N, round(asked.duration / asked.dt), check, method=asked.method, threads=asked.threads)


if __name__ == "__main__":
    main()
