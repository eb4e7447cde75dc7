"""Task T3, a ring of 256 branched cells with passive dendrites: 200 ms at 0.025 ms; prints one JSON line.

A spike of a cell's soma reaches the next cell's dendrite 5 ms later, where a conductance of 20 nS decays with 2 ms.
"""

from __future__ import annotations

import numpy as np
from options import options
from timing import Stopwatch

from rall import (
    Cylinder,
    Equations,
    Morphology,
    Network,
    SpatialNeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    channels,
)
from rall.units import cm, ms, mV, ohm, siemens, uF, um, uS

CELLS, LEVELS = 256, 5
SYNAPSE = Equations(
    """
    dg/dt = -g/(2*ms)     : siemens
    I_syn = g*(0*mV - v)  : amp (point current)
    """
)
WEIGHT = {"weight": 0.02 * uS}


def branched() -> Morphology:
    """A soma and two binary trees; the first one's trunk is of another type, so that the synapse's place has a name."""
    soma = Cylinder(diameter=12.6157 * um, length=12.6157 * um, type="soma")
    level: list[Morphology] = [soma]
    for k in range(LEVELS):
        above, level = level, []
        for parent in above:
            for side in ("left", "right"):
                kind = "apic" if parent is soma and side == "left" else "dend"
                child = Cylinder(diameter=2 ** (1 - 2 * k / 3) * um, length=50 * um, n=2, type=kind)
                setattr(parent, side, child)
                level.append(child)
    return soma.label("synapse", "apical and distance < 30*um")


def main() -> None:
    """Build and run."""
    asked = options(__doc__, duration=200.0)
    watch = Stopwatch("t3")
    cells = SpatialNeuronGroup(
        CELLS, morphology=branched(),
        model={
            "soma": channels.leak() + channels.hh.Na() + channels.hh.K(),
            "not soma": channels.leak(g=1e-3 * siemens / cm**2, E=-65 * mV, name="passive"),
            "synapse": SYNAPSE,
        },
        threshold="v > -10*mV", refractory="v > -10*mV", Cm=1 * uF / cm**2, Ri=100 * ohm * cm, dt=asked.dt * ms,
        cable_method=asked.method,
    )  # fmt: skip
    cells.initialise(v=-65 * mV)
    places = cells.at("synapse")
    ring = Synapses(cells.at("soma"), places, on_pre="g += weight", delay=5 * ms, namespace=WEIGHT)
    ring.connect(i=np.arange(CELLS), j=(np.arange(CELLS) + 1) % CELLS)
    first = np.arange(0, CELLS, 8)
    source = SpikeGeneratorGroup(len(first), np.arange(len(first)), np.ones(len(first)) * ms, dt=asked.dt * ms)
    start = Synapses(source, places, on_pre="g += weight", namespace=WEIGHT)
    start.connect(i=np.arange(len(first)), j=first)
    spikes = SpikeMonitor(cells)
    Network(cells, ring, source, start, spikes, watch.at_first_step()).run(asked.duration * ms)
    of_first = spikes.t_[spikes.i == 0] * 1e3
    check = {
        "spikes": int(spikes.num_spikes), "cell0": [round(float(t), 3) for t in of_first[:5]],
        "last_ms": round(float(spikes.t_.max()) * 1e3, 3),
    }  # fmt: skip
    if asked.dump:
        np.savez(asked.dump, i=np.asarray(spikes.i), t=spikes.t_ * 1e3)
    watch.report(cells.N, round(asked.duration / asked.dt), check, method=asked.method, threads=asked.threads)


if __name__ == "__main__":
    main()
