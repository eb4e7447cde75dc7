"""The picture of cost against error that ``accuracy.py`` draws; ``accuracy_picture.py FILE.json`` draws it again."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

__all__ = ["draw"]

TITLES = {
    "t1": "T1: axon of Rallpack 3, last compartment, 250 ms",
    "t2a": "T2a: reconstruction with Hodgkin-Huxley membrane, soma, 1 s",
}
KINDS = {"rms_ms": "against its own converged run", "common_rms_ms": "against one converged run for all"}
#: By the first words of a program's name; later ones win.
COLOURS = {
    "rall": "#c0392b", "NEURON": "#1f5fa8", "CoreNEURON": "#5dade2", "Arbor": "#2e8b57",
    "Arbor, this machine": "#9acd32",
}  # fmt: skip
CAPTION = (
    "Each point is a run with another step (5, 10, 12.5, 25, 50 and 100 us, from the upper left); lower and "
    "further left is better. CPU time of the steps, one thread on one core, double precision, median of runs in "
    "turn; error of spike times, root mean square over all spikes that both runs have. Left: against what a "
    "program's own runs at 1, 2 and 4 us are extrapolated to, on its own compartments, so that only the step "
    "counts. Right: against NEURON's second order with exact rates, extrapolated the same way; this adds what "
    "differs otherwise, and where that and the error of the step cancel, a point lies too far left. {agreement} "
    "Solid: second order; dashed: backward Euler. NEURON's rates come from tables, unless it says exact rates "
    "(squares)."
)


def colour(name: str) -> str:
    """Of a program's curve."""
    return [value for start, value in COLOURS.items() if name.startswith(start)][-1]


def agreement(result: dict[str, Any]) -> str:
    """Which programs converge to the common run, in words."""
    said = []
    for task, of_task in result.items():
        off = {name: found["from_common_ms"] for name, found in of_task["converged"].items()}
        near = [value for value in off.values() if value < 0.01]
        far = [f"{name} {value:.2g} ms" for name, value in off.items() if value >= 0.01]
        counted = f"In {TITLES[task].split(':')[0]} {len(near)} of {len(off)} programs"
        apart = f"; off are {', '.join(far)}." if far else "."
        said.append(f"{counted} converge to the same last spike within 0.01 ms{apart}")
    return " ".join(said)


def draw(result: dict[str, Any], file: Path) -> None:
    """Draw and save.

    Parameters
    ----------
    result : dict
        What ``accuracy.py`` has found.
    file : pathlib.Path
        Where the picture goes.
    """
    figure, axes = pyplot.subplots(len(result), 2, figsize=(13, 5.2 * len(result) + 1.6), squeeze=False, sharey="row")
    for row, (task, of_task) in zip(axes, result.items()):
        for axis, (kind, words) in zip(row, KINDS.items()):
            for name in dict.fromkeys(point["program"] for point in of_task["points"]):
                points = [point for point in of_task["points"] if point["program"] == name]
                exact = "exact" in name
                axis.loglog(
                    [p[kind] for p in points], [p["cpu_s"] for p in points], label=name, color=colour(name),
                    linestyle="--" if "backward" in name or name.startswith("Arbor") else "-", markersize=5,
                    marker="s" if exact else "o", markerfacecolor="white" if exact else None,
                    linewidth=2.4 if name.startswith("rall") else 1.2, zorder=3 if name.startswith("rall") else 2,
                )  # fmt: skip
            axis.set_title(f"{TITLES[task]}\nerror {words}", fontsize=10)
            axis.set_xlabel("error of spike times, ms")
            axis.grid(True, which="both", alpha=0.2)
        row[0].set_ylabel("CPU time, s")
    caption = textwrap.fill(CAPTION.format(agreement=agreement(result)), 195)
    height, text = figure.get_figheight(), 0.16 * (caption.count("\n") + 2)
    figure.tight_layout(rect=(0, (text + 0.7) / height, 1, 1))
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8.5, ncols=4, loc="lower center", bbox_to_anchor=(0.5, text / height))
    figure.text(0.02, 0.1 / height, caption, fontsize=8.5, va="bottom")
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[1]).with_suffix(".png"))
