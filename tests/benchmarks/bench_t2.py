"""Task T2, a reconstruction with Hodgkin-Huxley membrane: ``bench_t2.py t2a|t2b|t2c``; prints one JSON line.

Steps of 0.025 ms; one cell for 1000 ms, 100 for 100 ms, 1000 for 20 ms, each with its own constant current in the soma.
"""

from __future__ import annotations

import numpy as np
from options import options
from timing import Stopwatch, shared, spike_check

from rall import Morphology, Network, SpatialNeuronGroup, SpikeMonitor, StateMonitor, channels
from rall.units import cm, ms, mV, nA, ohm, uF, um

#: Number of cells, and model time in ms.
TASKS = {"t2a": (1, 1000.0), "t2b": (100, 100.0), "t2c": (1000, 20.0)}


def main() -> None:
    """Build and run."""
    asked = options(__doc__, None, tuple(TASKS), max_length=20.0)
    count, duration = TASKS[asked.task]
    duration = asked.duration or duration
    file = shared() / "morphologies" / "l5_allen_515570710.swc"
    watch = Stopwatch(asked.task)
    morphology = Morphology.from_file(file, soma="cylinder").discretize(max_length=asked.max_length * um)
    cells = SpatialNeuronGroup(
        count, morphology=morphology,
        model={"all": channels.leak() + channels.hh.Na() + channels.hh.K(), "soma": "I : amp (point current)"},
        threshold="v > -10*mV", refractory="v > -10*mV", Cm=1 * uF / cm**2, Ri=100 * ohm * cm, dt=asked.dt * ms,
        cable_method=asked.method,
    )  # fmt: skip
    cells.initialise(v=-65 * mV)
    cells.at("soma").I = (1.0 + 0.5 * np.arange(count) / max(count, 2)) * nA
    spikes, soma = SpikeMonitor(cells), StateMonitor(cells, "v", record=[0])
    Network(cells, spikes, soma, watch.at_first_step()).run(duration * ms)
    t, v = soma.t_ * 1e3, soma.v_[0] * 1e3
    last = spikes.t_[spikes.i == count - 1] * 1e3
    if asked.dump:
        np.savez(asked.dump, t=t, v=v)
    check = {
        "area_um2": round(float(np.sum(cells.area / um**2)) / count, 3), "spikes": int(spikes.num_spikes),
        "spikes_last_cell": len(last), "last_cell_last_ms": round(float(last.max()), 3) if len(last) else None,
        "soma0": spike_check(t, v),
    }  # fmt: skip
    watch.report(cells.N, round(duration / asked.dt), check, method=asked.method, threads=asked.threads)


if __name__ == "__main__":
    main()
