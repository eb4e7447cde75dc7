"""Times rall and its installed peers in turn on one core, and prints a table in Markdown.

``python tests/benchmarks/run_peers.py --venvs FILE.json [--reps 5] [--core 0] [--tasks t1,t2a] [--log FILE]``

FILE.json maps ``neuron``, ``arbor`` and ``brian2`` to the Python executables of their environments; the peers' scripts
are those of ``../shared/peers``.  Every repetition runs each program once, so that slow spells of the machine meet all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from timing import shared

HERE = Path(__file__).resolve().parent
#: Task, name in the table, key of the Python executable, script and arguments.
CASES = (
    ("t1", "rall", "rall", "bench_t1.py"),
    ("t1", "NEURON", "neuron", "peer_neuron.py t1"),
    ("t1", "NEURON, exact rates", "neuron", "peer_neuron.py t1 --no-table"),
    ("t1", "Arbor", "arbor", "peer_arbor.py t1"),
    ("t2a", "rall", "rall", "bench_t2a.py"),
    ("t2a", "NEURON", "neuron", "peer_neuron.py t2"),
    ("t2a", "NEURON, exact rates", "neuron", "peer_neuron.py t2 --no-table"),
    ("t2a", "Arbor", "arbor", "peer_arbor.py t2"),
    ("t4-cuba", "rall", "rall", "bench_t4.py cuba"),
    ("t4-cuba", "written by hand", "rall", "peer_handwritten.py t4-cuba"),
    ("t4-cuba", "Brian 2, standalone", "brian2", "peer_brian2.py t4-cuba --target standalone"),
    ("t4-cuba-delays", "rall", "rall", "bench_t4.py cuba-delays"),
    ("t4-cobahh", "rall", "rall", "bench_t4.py cobahh"),
    ("t4-cobahh", "written by hand", "rall", "peer_handwritten.py t4-cobahh"),
    ("t4-cobahh", "Brian 2, standalone", "brian2", "peer_brian2.py t4-cobahh --target standalone"),
)


def arguments() -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--core", default="0")
    parser.add_argument("--tasks", default="t1,t2a")
    parser.add_argument("--log", type=Path, help="where every JSON line is appended")
    return parser.parse_args()


def run(python: str, script: str, core: str) -> dict[str, object] | None:
    """One program, pinned where the system can; its JSON line, or None if it failed."""
    file, *more = script.split()
    path = HERE / file if (HERE / file).exists() else shared() / "peers" / file
    pin = ["taskset", "-c", core] if shutil.which("taskset") else []
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([*pin, python, str(path), *more], env=env, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        print(f"failed: {script}\n{done.stderr[-500:]}", file=sys.stderr)
        return None
    found: dict[str, object] = json.loads(lines[-1])
    return found


def row(task: str, name: str, records: list[dict[str, object]], own: float) -> str:
    """A line of the table."""
    times = [float(str(record["ns_per_cv_step"])) for record in records]
    middle = statistics.median(times)
    ratio = "" if name == "rall" else f"{middle / own:.2f}"
    build = statistics.median(float(str(record["build_cpu_s"])) for record in records)
    spread = f"{min(times):.1f}-{max(times):.1f}"
    last = records[-1]
    return f"| {task} | {name} | {middle:.2f} | {spread} | {ratio} | {build:.2f} | {last['cv']} | {last['steps']} |"


def main() -> None:
    """Run everything and print the table."""
    wanted = arguments()
    pythons = {"rall": sys.executable, **json.loads(wanted.venvs.read_text())}
    tasks = wanted.tasks.split(",")
    found: dict[tuple[str, str], list[dict[str, object]]] = {}
    for _ in range(wanted.reps):
        for task, name, key, script in CASES:
            if task not in tasks or key not in pythons:
                continue
            record = run(pythons[key], script, wanted.core)
            if record is not None:
                found.setdefault((task, name), []).append(record)
                if wanted.log:
                    with wanted.log.open("a") as log:
                        log.write(json.dumps({**record, "case": name}) + "\n")
    print(f"Median of {wanted.reps} interleaved runs on core {wanted.core}, CPU ns per compartment and step\n")
    print("| task | program | ns | range | times rall's | build, CPU s | compartments | steps |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for (task, name), records in found.items():
        own = statistics.median(float(str(r["ns_per_cv_step"])) for r in found.get((task, "rall"), records))
        print(row(task, name, records, own))


if __name__ == "__main__":
    main()
