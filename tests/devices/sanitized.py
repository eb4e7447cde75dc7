"""A network by epochs with all that goes with them, for a process that runs under sanitizers: prints how it ran."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from populations import MODEL, Made, Ways, population

from rall.plugins.cable import geometry
from rall.plugins.inputs import PoissonGroup, SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import prefs
from rall.units import Hz, ms, nS

REGIONS = {"all": MODEL + "on : boolean\nI_on = 10*pA*on*dend : amp (point current)",
           "soma": "da/dt = -a/(20*ms) : 1"}  # fmt: skip


def network() -> Made:
    """Cells with a reset, neurons, inputs that go first and others, plasticity, monitors, delays of all kinds."""
    cells = population(43, model=REGIONS, reset="a += 1")
    cells.on = np.arange(cells.N) % 3 > 0
    neurons = NeuronGroup(9, "du/dt = (1.5 - u)/(3*ms) : 1 (unless refractory)", threshold="u > 1", reset="u = 0",
                          refractory=1 * ms, method="exact", name="neurons")  # fmt: skip
    poisson = PoissonGroup(20, 200 * Hz, name="poisson")
    timed = SpikeGeneratorGroup(8, np.arange(8), np.arange(8) * ms, name="timed")
    plastic = Synapses(
        cells.at("soma"), cells.at(3), "w : siemens\ndx/dt = -x/(10*ms) : 1 (event-driven)",
        on_pre="g_post += w\nx += 1", on_post="w = clip(w + x*nS, 0*nS, 9*nS)", name="plastic",
    )  # fmt: skip
    plastic.connect(j="(i + 1) % N_post")
    plastic.w, plastic.pre.delay = 5 * nS, "0.4*ms + 0.1*ms*(i % 9)"
    links = [plastic]
    for source, target, code, delay in (
        (poisson, cells, "g_post += 1*nS", 0), (timed, cells, "n_post += 1", 0), (neurons, cells, "n_post += 1", 0.5),
        (cells.at("soma"), neurons, "u_post += 0.1", 0.3),
    ):  # fmt: skip
        one = Synapses(source, target, on_pre=code, delay=delay * ms, name=f"link{len(links)}")
        one.connect(p=0.2)
        links.append(one)
    monitors = [SpikeMonitor(cells), SpikeMonitor(poisson), StateMonitor(cells, "v", record=[0, 99, 214])]

    def run(net):
        net.run(4.3 * ms)
        net.store()
        net.run(2 * ms)
        net.restore()
        net.run(5 * ms)

    results = {"i": lambda: monitors[0].i, "v": lambda: cells.v_[:]}
    objects = [cells, neurons, poisson, timed, *links, *monitors]
    return Made(objects, lambda: {name: get() for name, get in results.items()}, run)


def main() -> None:
    """Run it with the flags of the command line, in blocks of two sizes and in one thread and two."""
    prefs.codegen.extra_compile_args = sys.argv[1:]
    with pytest.MonkeyPatch.context() as patch:
        for size in (60, 1000):
            patch.setattr(geometry, "_BLOCK", size)
            ways = Ways(patch)
            found = [ways(network, "epochs", threads) for threads in (1, 2)]
            assert all(plan is not None for plan in ways.plans) and len(found[0]["i"]) > 50
            assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    print("done by epochs")


if __name__ == "__main__":
    main()
