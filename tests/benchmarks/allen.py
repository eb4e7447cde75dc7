"""Errors of the all-active Allen cell over steps and compartments: ``allen.py [--mod FOLDER] [--quick]``.

The reference (`../shared/reference/allen`, or RALL_SHARED) has a variable step and segments of 1.25 um; errors of time
and of space have opposite signs here, so that a row is judged against one in which the other is small.  ``--mod`` takes
the mechanisms from a folder of mod files.  Markdown; times are of the run alone, with the program compiled.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
from timing import shared

from rall.morphology import Morphology
from rall.plugins.allen import load_allen
from rall.plugins.cable import CurrentClamp
from rall.plugins.inputs import TimedArray
from rall.plugins.monitors import StateMonitor
from rall.simulation import Network
from rall.units import ms, mV, nA, um

#: Segment (um) and step (ms) of the rows; the goals are those of the reference.
ROWS = [(2.5, dt) for dt in (0.1, 0.05, 0.025, 0.01, 0.005)] + [(s, 0.005) for s in (20.0, 10.0, 5.0, 1.25)]
QUICK = [(2.5, 0.05), (2.5, 0.025)]


def simulated(segment: float, dt: float, about: dict[str, Any], mod: str | None) -> tuple[Any, Any, int, float]:
    """Times (ms), voltages (mV) at the sites of the reference, compartments, and seconds of the run."""
    tree = Morphology.from_file(shared() / "morphologies/l5_allen_515570710.swc").discretize(max_length=segment * um)
    cell = load_allen(shared() / "reference/allen/fit_parameters.json", tree, mechanisms=mod).cell()
    cell.clock.dt = dt * 1e-3
    pulse = np.repeat([0, about["amp_nA"], 0], [1, 5, 1])  # each 50 ms
    clamp = CurrentClamp(cell.at("soma"), TimedArray(pulse * nA, dt=50 * ms))
    voltage = StateMonitor(cell, "v", record=[tree.sample(site["swc_sample"]) for site in about["sites"]])
    network = Network(cell, clamp, voltage)
    network.run(0 * ms)
    start = time.perf_counter()
    network.run(about["t_stop_ms"] * ms)
    return voltage.t / ms, voltage.v / mV, int(cell.N), time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mod", help="folder with mod files")
    parser.add_argument("--quick", action="store_true", help="two rows")
    arguments = parser.parse_args()
    folder = shared() / "reference"
    sys.path.insert(0, str(folder))
    errors = __import__("errors")
    about = json.loads((folder / "allen/allen.json").read_text(encoding="utf-8"))
    with np.load(folder / "allen/soma_0p3nA.npz") as arrays:
        trace = dict(arrays)
    print("| segment, um | N | dt, ms | spikes | last, ms | spike error, ms | away, mV | rest, mV | run, s |")
    print("| --- " * 9 + "|")
    threshold = about["threshold_mV"]
    for segment, dt in QUICK if arguments.quick else ROWS:
        t, v, number, seconds = simulated(segment, dt, about, arguments.mod)
        spikes = errors.spike_times(t, v[0], threshold)
        rest = [about["v_mV"][site["name"]]["at_49ms"] for site in about["sites"]]
        cells = (
            f"{segment:g}", number, f"{dt:g}", len(spikes), f"{spikes[-1]:.3f}" if len(spikes) else "-",
            f"{errors.spike_error(about['spikes_soma'], spikes):.4f}",
            f"{errors.away_error(trace['t'], trace['v'], t, v[0], threshold):.3f}",
            f"{np.abs(v[:, np.argmin(np.abs(t - 49))] - rest).max():.5f}", f"{seconds:.2f}",
        )  # fmt: skip
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
