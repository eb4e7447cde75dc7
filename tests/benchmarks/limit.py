"""Times the hand-written limit beside rall, in turn on one core: ``limit.py [--reps 5] [--core 0]``.

The prototypes of ``../shared/prototypes`` (see ``../shared/performance-design.md``) are compiled for this machine:
``pop`` steps 1000 cells of 611 nodes, by blocks and epochs, and ``single`` one of them; ``shared`` means shared
exponentials. rall runs T2c and T2a in compartments of 20 um (328 a cell, the task) and 10 um (606, as long as the
limit's). The limit's figure is its best burst, as the note has it; rall's are the median and the best of its runs.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from programs import add_arguments, median, own, run
from timing import shared

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math")
#: Which prototype stands beside which task, its arguments, and the lines that it prints about whole steps.
LIMITS = {
    "t2c": ("pop", ("1000", "8"), re.compile(r"^ *(C\d block x epoch \d+)[^\n]*? ([\d.]+) ns/comp-step", re.M)),
    "t2a": ("single", (), re.compile(r"(depth order): full step ([\d.]+) ns/comp")),
}


def build(folder: Path) -> None:
    """Compile the prototypes, each with and without shared exponentials."""
    source = shared() / "prototypes"
    compiler = shutil.which("gcc") or "cc"
    for name, *_ in LIMITS.values():
        for suffix, define in (("", []), ("-shared", ["-DSHARED"])):
            words = [compiler, *FLAGS, *define, str(source / f"{name}.c"), "-o", str(folder / f"{name}{suffix}"), "-lm"]
            subprocess.run(words, check=True, capture_output=True)


def best_schedule(task: str, suffix: str, folder: Path, core: str) -> tuple[float, str]:
    """Nanoseconds per compartment and step of the fastest schedule, and its name."""
    name, arguments, pattern = LIMITS[task]
    pin = ["taskset", "-c", core] if shutil.which("taskset") else []
    words = [*pin, str(folder / f"{name}{suffix}"), *arguments, str(shared() / "prototypes" / "tree_611.txt")]
    printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return min((float(figure), schedule) for schedule, figure in pattern.findall(printed))


def rows(task: str, limits: dict[str, tuple[float, str]], found: dict[str, Sequence[dict[str, Any]]]) -> None:
    """Print what belongs to a task."""
    for words, (figure, schedule) in limits.items():
        print(f"| {task} | limit, {words}: {schedule} | {figure:.2f} | {figure:.2f} | |")
    for name, records in found.items():
        middle, best = median(records, "ns_per_cv_step"), min(float(r["ns_per_cv_step"]) for r in records)
        ratios = ", ".join(f"{best / figure:.2f} ({words})" for words, (figure, _) in limits.items())
        print(f"| {task} | rall, {name} | {middle:.2f} | {best:.2f} | {ratios} |")


def main() -> None:
    """Build, run in turn, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, venvs=False)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--methods", default="backward_euler,second_order")
    wanted = parser.parse_args()
    limits: dict[str, dict[str, tuple[float, str]]] = {task: {} for task in LIMITS}
    found: dict[str, dict[str, list[dict[str, Any]]]] = {task: {} for task in LIMITS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        for _ in range(wanted.reps):
            for task in LIMITS:
                for words, suffix in (("exact", ""), ("shared", "-shared")):
                    seen = best_schedule(task, suffix, folder, wanted.core)
                    limits[task][words] = min(seen, limits[task].get(words, seen))
                for method in wanted.methods.split(","):
                    for length in (20, 10):
                        script = f"bench_t2.py {task} --method {method} --max-length {length}"
                        record = run(own(script), wanted.core)
                        if record is not None:
                            found[task].setdefault(f"{method}, {length} um", []).append(record)
    print("| task | program | ns per compartment and step, median | best | best, times the limit |")
    print("| --- | --- | --- | --- | --- |")
    for task in LIMITS:
        rows(task, limits[task], found[task])


if __name__ == "__main__":
    main()
