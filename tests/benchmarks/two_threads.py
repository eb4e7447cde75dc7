"""How much faster two threads are than one on T2c and T3: ``two_threads.py [--reps 5] [--threads 2]``.

Wall time of the steps, medians of runs in turn; the machine should be quiet, for the programs are not bound to cores.
"""

from __future__ import annotations

import argparse
from typing import Any

from programs import median, own, run

TASKS = {"t2c": "bench_t2.py t2c", "t3": "bench_t3.py"}


def main() -> None:
    """Run and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--method", default="second_order")
    wanted = parser.parse_args()
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for _ in range(wanted.reps):
        for task, script in TASKS.items():
            for threads in (1, wanted.threads):
                given = f"{script} --threads {threads} --method {wanted.method}"
                record = run(own(given), None)
                if record is not None:
                    found.setdefault((task, threads), []).append(record)
    print(f"| task | one thread, s | {wanted.threads} threads, s | times faster | same spikes |")
    print("| --- | --- | --- | --- | --- |")
    for task in TASKS:
        one, more = found.get((task, 1)), found.get((task, wanted.threads))
        if not one or not more:
            continue
        same = "yes" if one[-1]["check"] == more[-1]["check"] else "no"
        times = median(one, "run_s"), median(more, "run_s")
        print(f"| {task} | {times[0]:.3f} | {times[1]:.3f} | {times[0] / times[1]:.2f} | {same} |")


if __name__ == "__main__":
    main()
