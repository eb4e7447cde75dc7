"""How time and memory grow with cells and with compartments: ``growth.py [--reps 3] [--core 0] [--method ...]``.

Prints two tables in Markdown.  The granule cell that comes with rall, with Hodgkin-Huxley membrane and a current into
each soma: 1 to 10 000 cells of some 330 compartments (and 1000 of 600), and one cell in 100 to 100 000 compartments.
Each line is the median of fresh processes; compiled code comes from the cache, for a first run has filled it.  Memory
is the largest resident size, and what of it has come since the imports, by compartment.
Building begins with the morphology in its compartments and ends before the first step.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from programs import add_arguments, median, own, run
from timing import Stopwatch

from rall import Morphology, Network, SpatialNeuronGroup, channels
from rall.data import path
from rall.session import prefs
from rall.units import cm, ms, mV, nA, ohm, uF, um

#: Compartments times steps of a run, and how many steps there are at least and at most.
WORK, STEPS = 4e7, (40, 20000)
CELLS = ((1, 330), (10, 330), (100, 330), (1000, 330), (1000, 600), (10000, 330))
COMPARTMENTS = ((1, 100), (1, 1000), (1, 10000), (1, 100000))
COLUMNS = (
    "cells", "compartments each", "steps", "ns per compartment and step", "range", "build, CPU s", "peak, MB",
    "bytes per compartment",
)  # fmt: skip


def granule(compartments: int) -> Morphology:
    """The cell in about that many compartments."""
    whole = Morphology.from_file(path("granule.swc"), soma="cylinder")
    sections = whole.flatten().sections
    # A section's last compartment is cut short by half of one on the average.
    length = float(np.sum(sections.length)) / max(compartments - len(sections) / 2, 1.0)
    return whole.discretize(max_length=length * um)


def simulate(cells: int, compartments: int, method: str, threads: int) -> None:
    """One run, which prints its JSON line."""
    prefs.threads = threads
    morphology = granule(compartments)
    watch = Stopwatch("growth")
    group = SpatialNeuronGroup(
        cells, morphology=morphology,
        model={"all": channels.leak() + channels.hh.Na() + channels.hh.K(), "soma": "I : amp (point current)"},
        Cm=1 * uF / cm**2, Ri=100 * ohm * cm, dt=0.025 * ms, cable_method=method,
    )  # fmt: skip
    group.initialise(v=-65 * mV)
    group.at("soma").I = np.linspace(0.1, 0.2, cells) * nA
    steps = int(np.clip(WORK / group.N, *STEPS))
    Network(group, watch.at_first_step()).run(steps * 0.025 * ms)
    watch.report(group.N, steps, {"v_mV": round(float(np.mean(group.v_)) * 1e3, 6)}, cells=cells)


def row(records: Sequence[dict[str, Any]]) -> str:
    """A line of a table."""
    last, times = records[-1], [float(record["ns_per_cv_step"]) for record in records]
    peak = median(records, "peak_mb")
    each = (peak - median(records, "start_mb")) * 2**20 / last["cv"]
    spread = f"{min(times):.2f}-{max(times):.2f}"
    figures = f"{median(records, 'ns_per_cv_step'):.2f} | {spread} | {median(records, 'build_cpu_s'):.3f} | {peak:.0f}"
    return f"| {last['cells']} | {last['cv'] // last['cells']} | {last['steps']} | {figures} | {each:.0f} |"


def main() -> None:
    """Print the tables, or make one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, venvs=False)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--method", default="second_order")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", nargs=2, type=int, metavar=("CELLS", "COMPARTMENTS"), help="make one run alone")
    wanted = parser.parse_args()
    if wanted.one:
        simulate(*wanted.one, wanted.method, wanted.threads)
        return
    core = wanted.core if wanted.threads == 1 else None
    for cases in (CELLS, COMPARTMENTS):
        found: dict[tuple[int, int], list[dict[str, Any]]] = {}
        for repetition in range(wanted.reps + 1):
            for cells, compartments in cases:
                script = f"growth.py --one {cells} {compartments} --method {wanted.method} --threads {wanted.threads}"
                record = run(own(script), core)
                if record is not None and repetition:
                    found.setdefault((cells, compartments), []).append(record)
        print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
        print("\n".join(row(records) for records in found.values()) + "\n")


if __name__ == "__main__":
    main()
