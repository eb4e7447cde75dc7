"""Times rall and its installed peers in turn on one core, and prints a table in Markdown.

``python tests/benchmarks/run_peers.py --venvs FILE.json [--reps 5] [--core 0] [--tasks t1,t2a] [--log FILE]``

FILE.json maps ``neuron``, ``arbor``, ``arbor-native`` and ``brian2`` to the Python executables of their environments,
and ``nrnmech-native`` to the mechanisms of ``../shared/peers/mod`` built for this machine; the peers' scripts are those
of ``../shared/peers``.  Every repetition runs each program once, so that slow spells of the machine meet all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures import differences
from programs import add_arguments, command, median, pythons, run

#: Arguments for NEURON's compute engine with membranes compiled for this machine.
NATIVE = "--core --hh hhplain --nrnmech {nrnmech-native} --suffix=-native"
#: Of the tasks with cells: rall's script, and the arguments of the peers'.
CABLES = {
    "t1": ("bench_t1.py", "t1"),
    "t2a": ("bench_t2.py t2a", "t2"),
    "t2b": ("bench_t2.py t2b", "t2 --cells 100 --tstop 100"),
    "t2c": ("bench_t2.py t2c", "t2 --cells 1000 --tstop 20"),
    "t3": ("bench_t3.py", "t3"),
}
#: Cells that Arbor puts together where that is worth a try.
GROUPED = {"t2b": 100, "t3": 256}
COLUMNS = (
    "task", "program", "ns", "range", "times rall's", "backward Euler's", "build, s", "peak, MB", "compartments",
    "steps", "spikes, last",
)  # fmt: skip
BACKWARD = "rall, backward Euler"


def cases() -> list[tuple[str, str, str, str]]:
    """Task, name in the table, key of the Python executable, script and arguments."""
    found = []
    for task, (own, peers) in CABLES.items():
        found += [
            (task, "rall", "rall", own),
            (task, BACKWARD, "rall", f"{own} --method backward_euler"),
            (task, "NEURON", "neuron", f"peer_neuron.py {peers}"),
            (task, "NEURON, exact rates", "neuron", f"peer_neuron.py {peers} --no-table"),
            (task, "CoreNEURON", "neuron", f"peer_neuron.py {peers} --core"),
            (task, "CoreNEURON, for this machine", "neuron", f"peer_neuron.py {peers} {NATIVE}"),
            (task, "Arbor", "arbor", f"peer_arbor.py {peers}"),
            (task, "Arbor, for this machine", "arbor-native", f"peer_arbor.py {peers}"),
        ]
        if task in GROUPED:
            grouped = f"peer_arbor.py {peers} --group {GROUPED[task]}"
            found += [
                (task, "Arbor, one group", "arbor", grouped),
                (task, "Arbor, for this machine, one group", "arbor-native", grouped),
            ]
        if task in ("t1", "t2a"):
            found.append((task, "Brian 2, standalone", "brian2", f"peer_brian2.py {peers} --target standalone"))
        if task != "t3":
            found.append((task, "written by hand", "rall", f"peer_handwritten.py {peers}"))
    for task in ("t4-cuba", "t4-cobahh"):
        found += [
            (task, "rall", "rall", f"bench_t4.py {task[3:]}"),
            (task, "written by hand", "rall", f"peer_handwritten.py {task}"),
            (task, "Brian 2, standalone", "brian2", f"peer_brian2.py {task} --target standalone"),
        ]
    found.append(("t4-cuba-delays", "rall", "rall", "bench_t4.py cuba-delays"))
    return found


def arguments() -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--tasks", default="t1,t2a,t2b,t2c,t3")
    parser.add_argument("--log", type=Path, help="where every JSON line is appended")
    return parser.parse_args()


def summary(check: dict[str, Any]) -> str:
    """Number of spikes and the last one's time, of the place that says most."""
    place = check.get("far") or (check if "spikes" in check else check.get("soma0", {}))
    last = place.get("last_ms", place.get("last_cell_last_ms"))
    spikes = place.get("n_spikes", place.get("spikes", ""))
    return f"{spikes}, {last}" if last is not None else f"{spikes}"


def row(task: str, name: str, records: Sequence[dict[str, Any]], own: Sequence[float | None]) -> str:
    """A line of the table; `own`: what rall's two methods take, None where there is none."""
    times = [float(record["ns_per_cv_step"]) for record in records]
    middle, last = median(records, "ns_per_cv_step"), records[-1]
    ratios = " | ".join("" if time is None else f"{middle / time:.2f}" for time in own)
    spread = f"{min(times):.1f}-{max(times):.1f}"
    build, peak = median(records, "build_s"), median(records, "peak_mb")
    figures = f"{last['cv']} | {last['steps']} | {summary(last['check'])}"
    return f"| {task} | {name} | {middle:.2f} | {spread} | {ratios} | {build:.2f} | {peak:.0f} | {figures} |"


def main() -> None:
    """Run everything and print the table."""
    wanted = arguments()
    known = pythons(wanted.venvs)
    tasks = wanted.tasks.split(",")
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _ in range(wanted.reps):
        for task, name, key, script in cases():
            words = command(key, script, known) if task in tasks else None
            record = run(words, wanted.core) if words else None
            if record is not None:
                found.setdefault((task, name), []).append(record)
                if wanted.log:
                    with wanted.log.open("a") as log:
                        log.write(json.dumps({**record, "case": name, "group": task}) + "\n")
    print(f"Median of {wanted.reps} interleaved runs on core {wanted.core}, CPU ns per compartment and step\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for (task, name), records in found.items():
        methods = [found.get((task, method)) for method in ("rall", BACKWARD)]
        own = [median(times, "ns_per_cv_step") if times else None for times in methods]
        print(row(task, name, records, own))
    checks = {task: records[-1]["check"] for (task, name), records in found.items() if name == BACKWARD}
    off = [line for task, check in checks.items() for line in differences(task, check)]
    print("\nWith backward Euler: " + ("; ".join(off) if off else "all figures are those of the tasks"))


if __name__ == "__main__":
    main()
