"""CPU time until the first step: ``python tests/benchmarks/startup.py [REPS]`` prints a table in Markdown.

- import: ``import rall`` with the first access to `SpatialNeuron`, beyond what NumPy's own import takes;
- cold: from a discretized morphology to the end of the first step of the demo's model, with an empty cache, the
  compiler's time included;
- warm: the same in a new process with the cache that the first has filled;
- network cold and warm: the same for COBAHH, 4000 neurons with 320 000 synapses (task T4), from its equations on;
- network process: what the whole process of that takes when warm, Python's start and NumPy included.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

#: What is measured, the child's job, and the goal; what shares a job is told apart by the cache.
GOALS = {"import": 0.3, "cold": 0.6, "warm": 0.15, "network cold": 0.6, "network warm": 0.15, "network process": None}


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def measure_import() -> float:
    """In a fresh process."""
    import numpy  # noqa: F401  # its own time is not counted

    began = cpu()
    import rall

    assert rall.SpatialNeuron is not None
    return cpu() - began


def measure_start() -> float:
    """In a fresh process; the cache is that of the environment."""
    from rall import Equations, Morphology, Network, SpatialNeuron, StateMonitor, cm, ms, mV, nA, ohm, uF, um
    from rall.data import path
    from rall.demo import MODEL

    morphology = Morphology.from_file(path("layer5_pyramidal.swc")).discretize(max_length=20 * um)
    began = cpu()
    cell = SpatialNeuron(
        morphology=morphology, model=Equations(MODEL), Cm=1 * uF / cm**2, Ri=100 * ohm * cm, threshold="v > 0*mV",
        refractory="v > 0*mV", threshold_location=0, dt=0.025 * ms,
    )  # fmt: skip
    cell.initialise(v=-65 * mV)
    cell.I[0] = 0.5 * nA
    Network(cell, StateMonitor(cell, "v", record=[0, cell.N - 1])).run(0.025 * ms)
    return cpu() - began


def measure_network() -> float:
    """In a fresh process; the cache is that of the environment."""
    from bench_t4 import EXCITATORY, neurons

    from rall import Network, SpikeMonitor, Synapses, ms, nS

    began = cpu()
    cells = neurons("cobahh")
    weights = {"we": 6 * nS, "wi": 67 * nS}
    excitatory = Synapses(cells[:EXCITATORY], cells, on_pre="ge += we", namespace=weights)
    inhibitory = Synapses(cells[EXCITATORY:], cells, on_pre="gi += wi", namespace=weights)
    excitatory.connect(p=0.02)
    inhibitory.connect(p=0.02)
    Network(cells, excitatory, inhibitory, SpikeMonitor(cells)).run(0.1 * ms)
    return cpu() - began


def child(what: str, cache: str) -> float:
    """What a fresh process measures."""
    jobs = {"import": measure_import, "cold": measure_start, "warm": measure_start}
    job = jobs.get(what, measure_network).__name__
    command = [sys.executable, __file__, "--measure", job, str(int(what == "network process"))]
    done = subprocess.run(command, env={**os.environ, "RALL_CACHE": cache}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure, or run the processes that do."""
    if sys.argv[1:2] == ["--measure"]:
        took = {f.__name__: f for f in (measure_import, measure_start, measure_network)}[sys.argv[2]]()
        print(json.dumps(cpu() if sys.argv[3] == "1" else took))
        return
    reps = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    for _ in range(reps):
        with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as of_networks:
            for name in GOALS:
                found[name].append(child(name, of_networks if name.startswith("network") else cache))
    print("| start | CPU s, median | range | goal |")
    print("| --- | --- | --- | --- |")
    for name, times in found.items():
        goal = "-" if GOALS[name] is None else GOALS[name]
        print(f"| {name} | {statistics.median(times):.3f} | {min(times):.3f}-{max(times):.3f} | {goal} |")


if __name__ == "__main__":
    main()
