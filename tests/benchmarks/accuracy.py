"""CPU seconds against spike-time error for T1 and T2a over steps from 5 to 100 us, rall beside its peers.

``python tests/benchmarks/accuracy.py --venvs FILE.json [--reps 3] [--core 0] [--tasks t1,t2a] [--out accuracy.json]``

Writes the figures, the picture beside them (``.png``), and prints tables in Markdown.  Errors are root mean squares
over all spikes (last compartment in T1, soma in T2a) against converged runs: a program's own, on its own
compartments, and one for all, NEURON's second order with exact rates.  Converged means runs at 1, 2 and 4 us,
extrapolated by the method's order.  Those are kept in ``accuracy_converged.json`` beside the figures; delete it where
a program has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accuracy_picture import draw
from numpy.typing import NDArray
from programs import add_arguments, command, median, pythons, run
from timing import spike_times

Floats = NDArray[np.float64]

COLUMNS = ("program", "step, us", "CPU, s", "spikes", "rms error, ms", "last, ms", "to common, ms", "times rall's")
STEPS = (0.005, 0.01, 0.0125, 0.025, 0.05, 0.1)
FINE = (0.001, 0.002, 0.004)
#: Task: rall's script, the peers' word for it, and what the dump calls the voltage.
TASKS = {"t1": ("bench_t1.py", "t1", "v1"), "t2a": ("bench_t2.py t2a", "t2", "v")}
NATIVE = "--core --hh hhplain --nrnmech {nrnmech-native}"
COMMON = "NEURON, second order, exact rates"


@dataclass(frozen=True)
class Program:
    """A curve of the picture.

    Parameters
    ----------
    name : str
        In the legend.
    key : str
        Whose Python.
    script : str
        The peers' script, or nothing for rall's.
    arguments : str
        After the task.
    order : int
        Of its method, for the extrapolation.
    """

    name: str
    key: str
    script: str
    arguments: str
    order: int

    def words(self, task: str, dt: float, dump: str, known: Mapping[str, str]) -> list[str] | None:
        """Its command line; None if it is not installed."""
        own, peers, _ = TASKS[task]
        start = f"{self.script} {peers}" if self.script else own
        return command(self.key, f"{start} {self.arguments} --dt {dt} --dump {dump}", known)


PROGRAMS = (
    Program("rall, second order", "rall", "", "--method second_order", 2),
    Program("rall, backward Euler", "rall", "", "--method backward_euler", 1),
    Program("NEURON, backward Euler", "neuron", "peer_neuron.py", "", 1),
    Program("NEURON, second order", "neuron", "peer_neuron.py", "--secondorder 2", 2),
    Program("NEURON, backward Euler, exact rates", "neuron", "peer_neuron.py", "--no-table", 1),
    Program(COMMON, "neuron", "peer_neuron.py", "--no-table --secondorder 2", 2),
    Program("CoreNEURON, this machine, backward Euler", "neuron", "peer_neuron.py", NATIVE, 1),
    Program("CoreNEURON, this machine, second order", "neuron", "peer_neuron.py", f"{NATIVE} --secondorder 2", 2),
    Program("Arbor", "arbor", "peer_arbor.py", "", 1),
    Program("Arbor, this machine", "arbor-native", "peer_arbor.py", "", 1),
)


def extrapolated(spikes: Mapping[float, Floats], order: int) -> tuple[Floats, float]:
    """Spike times at a step of 0.

    Parameters
    ----------
    spikes : mapping of float to array of float
        Spike times (ms) at each of the three fine steps.
    order : int
        Of the method; the two leading terms of the error, of that order and the next (the next even one for 2), go.

    Returns
    -------
    array of float, float
        The times, and by how much the second term has moved the last of them.
    """
    common = min(len(times) for times in spikes.values())
    one, two, four = (spikes[dt][:common] for dt in FINE)
    first, second = 2.0**order, 2.0 ** (order + order)
    finer, coarser = (first * one - two) / (first - 1), (first * two - four) / (first - 1)
    limit = (second * finer - coarser) / (second - 1)
    return limit, float(abs(limit[-1] - finer[-1]))


def simulate(program: Program, task: str, dt: float, known: Mapping[str, str], core: str) -> dict[str, Any] | None:
    """One run: its JSON line with all its spike times; None if it failed or is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        dump = os.path.join(folder, "dump.npz")
        words = program.words(task, dt, dump, known)
        record = run(words, core) if words else None
        if record is None:
            return None
        with np.load(dump) as arrays:
            record["spikes"] = spike_times(arrays["t"], arrays[TASKS[task][2]]).tolist()
    return record


def converged(file: Path, tasks: list[str], known: Mapping[str, str], core: str) -> dict[str, Any]:
    """Spike times at the fine steps, by task, program and step; runs that the file has are not made again."""
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for task in tasks:
        for program in PROGRAMS:
            of_program = found.setdefault(task, {}).setdefault(program.name, {})
            for dt in FINE:
                record = None if str(dt) in of_program else simulate(program, task, dt, known, core)
                if record is not None:
                    of_program[str(dt)] = record["spikes"]
                    file.write_text(json.dumps(found))
    return found


def errors(times: Floats, limit: Floats) -> tuple[float, float]:
    """Root mean square over the spikes that both have, and of the last of those; ms."""
    common = min(len(times), len(limit))
    if not common:
        return float("nan"), float("nan")
    off = times[:common] - limit[:common]
    return float(np.sqrt(np.mean(off**2))), float(abs(off[-1]))


def measure(
    tasks: list[str], reps: int, known: Mapping[str, str], core: str
) -> dict[tuple[str, str, float], list[dict[str, Any]]]:
    """The timed runs, repetitions outermost."""
    found: dict[tuple[str, str, float], list[dict[str, Any]]] = {}
    for _ in range(reps):
        for task in tasks:
            for program in PROGRAMS:
                for dt in STEPS:
                    record = simulate(program, task, dt, known, core)
                    if record is not None:
                        found.setdefault((task, program.name, dt), []).append(record)
    return found


def rall_cost(points: list[dict[str, Any]], error: float, kind: str) -> float:
    """CPU seconds that rall's default method needs for an error.

    Between its points, and beyond the most accurate one by its second order; never less than its longest step takes.
    """
    own = sorted((p[kind], p["cpu_s"]) for p in points if p["program"] == PROGRAMS[0].name)
    x, y = np.log([e for e, _ in own]), np.log([c for _, c in own])
    at = np.log(error)
    if at < x[0]:
        return float(np.exp(y[0] + (x[0] - at) / 2))
    return float(np.exp(np.interp(at, x, y)))


def tabulate(records: Mapping[tuple[str, str, float], list[dict[str, Any]]], fine: dict[str, Any]) -> dict[str, Any]:
    """Errors and costs of every point, and how far the converged runs lie from the common one, by task."""
    result: dict[str, Any] = {}
    for task in dict.fromkeys(task for task, _, _ in records):
        limits: dict[str, tuple[Floats, float]] = {}
        for program in PROGRAMS:
            spikes = {float(dt): np.asarray(times) for dt, times in fine[task][program.name].items()}
            if set(spikes) == set(FINE):
                limits[program.name] = extrapolated(spikes, program.order)
        common = limits.get(COMMON, limits[PROGRAMS[0].name])[0]
        points = []
        for (of_task, name, dt), runs in records.items():
            if of_task != task or name not in limits:
                continue
            times = np.asarray(runs[-1]["spikes"])
            (rms, last), (common_rms, common_last) = errors(times, limits[name][0]), errors(times, common)
            points.append({
                "program": name, "dt_us": round(dt * 1e3, 3), "cpu_s": median(runs, "run_cpu_s"), "spikes": len(times),
                "rms_ms": rms, "last_ms": last, "common_rms_ms": common_rms, "common_last_ms": common_last,
            })  # fmt: skip
        for point in points:
            for kind in ("rms_ms", "common_rms_ms"):
                point["times_rall_" + kind] = point["cpu_s"] / rall_cost(points, point[kind], kind)
        result[task] = {
            "points": points,
            "converged": {
                name: {"last_ms": float(limit[-1]), "spikes": len(limit), "uncertain_ms": uncertain,
                       "from_common_ms": errors(limit, common)[1]}
                for name, (limit, uncertain) in limits.items()
            },
        }  # fmt: skip
    return result


def print_tables(result: dict[str, Any]) -> None:
    """What was found, in Markdown."""
    for task, of_task in result.items():
        print(f"\n{task}\n\n| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
        for p in of_task["points"]:
            figures = f"{p['rms_ms']:.2e} | {p['last_ms']:.2e} | {p['common_rms_ms']:.2e}"
            print(f"| {p['program']} | {p['dt_us']:g} | {p['cpu_s']:.3f} | {p['spikes']} | {figures} "
                  f"| {p['times_rall_rms_ms']:.2f} |")  # fmt: skip
        others = [p for p in of_task["points"] if not p["program"].startswith("rall")]
        for kind, words in (("rms_ms", "their own converged runs"), ("common_rms_ms", "the common one")):
            ratios = [p["times_rall_" + kind] for p in others]
            if ratios:
                print(f"\nAt equal error against {words}, peers take {min(ratios):.2f} times rall's time or more")
        for name, limit in of_task["converged"].items():
            last = f"{limit['last_ms']:.4f} ms (+-{limit['uncertain_ms']:.1e})"
            print(f"\n{name}: last spike converges to {last}, {limit['from_common_ms']:.1e} ms from the common run")


def main() -> None:
    """Run, and write figures and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--tasks", default="t1,t2a")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    wanted = parser.parse_args()
    known, tasks = pythons(wanted.venvs), wanted.tasks.split(",")
    fine = converged(wanted.out.with_name(wanted.out.stem + "_converged.json"), tasks, known, wanted.core)
    result = tabulate(measure(tasks, wanted.reps, known, wanted.core), fine)
    wanted.out.write_text(json.dumps(result, indent=1) + "\n")
    draw(result, wanted.out.with_suffix(".png"))
    print_tables(result)


if __name__ == "__main__":
    main()
