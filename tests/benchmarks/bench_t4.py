"""Task T4, networks of 4000 point neurons for 1 s: ``bench_t4.py cuba|cuba-delays|cobahh``; prints one JSON line.

``cuba-delays`` is ``cuba`` with a delay of its own for each synapse, 1 to 14 steps.
"""

from __future__ import annotations

import sys

from timing import Stopwatch

from rall.equations import Equations
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import seed
from rall.simulation import Network
from rall.units import ms, mV, nS, siemens, uF, um
from rall.units.stdunits import cm

N, EXCITATORY, DURATION, DT = 4000, 3200, 1000.0, 0.1
AREA = 20000 * um**2
CUBA = Equations(
    """
    dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
    dge/dt = -ge/taue : volt
    dgi/dt = -gi/taui : volt
    """,
    El=-49 * mV, taum=20 * ms, taue=5 * ms, taui=10 * ms,
)  # fmt: skip
COBAHH = Equations(
    """
    dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v) + gna*m**3*h*(ENa - v) + gkd*n**4*(EK - v))/C : volt
    dm/dt = am*(1 - m) - bm*m : 1
    dn/dt = an*(1 - n) - bn*n : 1
    dh/dt = ah*(1 - h) - bh*h : 1
    dge/dt = -ge/taue : siemens
    dgi/dt = -gi/taui : siemens
    u = (v - VT)/mV : 1
    am = 1.28/exprel((13 - u)/4)/ms : hertz
    bm = 1.4/exprel((u - 40)/5)/ms : hertz
    ah = 0.128*exp((17 - u)/18)/ms : hertz
    bh = 4/(1 + exp((40 - u)/5))/ms : hertz
    an = 0.16/exprel((15 - u)/5)/ms : hertz
    bn = 0.5*exp((10 - u)/40)/ms : hertz
    """,
    C=1 * uF / cm**2 * AREA, gl=5e-5 * siemens / cm**2 * AREA, gna=0.1 * siemens / cm**2 * AREA,
    gkd=0.03 * siemens / cm**2 * AREA, El=-60 * mV, Ee=0 * mV, Ei=-80 * mV, ENa=50 * mV, EK=-90 * mV, VT=-63 * mV,
    taue=5 * ms, taui=10 * ms,
)  # fmt: skip


def neurons(task: str) -> NeuronGroup:
    """The neurons in their initial state."""
    if task == "cobahh":
        cells = NeuronGroup(N, COBAHH, threshold="v > -20*mV", refractory=3 * ms, method="exponential_euler")
        cells.v = "-65*mV + 5*mV*randn()"
        cells.ge = "(4 + 1.5*randn())*10*nS"
        cells.gi = "(20 + 12*randn())*10*nS"
        return cells
    cells = NeuronGroup(
        N, CUBA, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms, method="exact"
    )
    cells.v = "-60*mV + 10*mV*rand()"
    return cells


def main() -> None:
    """Build and run."""
    task = sys.argv[1]
    watch = Stopwatch(f"t4-{task}")
    seed(1)
    cells = neurons(task)
    weights = {"we": 6 * nS, "wi": 67 * nS} if task == "cobahh" else {"we": 1.62 * mV, "wi": -9 * mV}
    excitatory = Synapses(cells[:EXCITATORY], cells, on_pre="ge += we", namespace=weights)
    inhibitory = Synapses(cells[EXCITATORY:], cells, on_pre="gi += wi", namespace=weights)
    for synapses in (excitatory, inhibitory):
        synapses.connect(p=0.02)
        if task == "cuba-delays":
            synapses.delay = "(1 + floor(14*rand()))*dt"
    monitor = SpikeMonitor(cells)
    Network(cells, excitatory, inhibitory, monitor, watch.at_first_step()).run(DURATION * ms)
    spikes = monitor.num_spikes
    check = {
        "synapses": excitatory.N + inhibitory.N, "spikes": spikes,
        "rate_hz": round(spikes / N / DURATION * 1e3, 2),
    }  # fmt: skip
    watch.report(N, round(DURATION / DT), check)


if __name__ == "__main__":
    main()
