"""What NEURON made of NMODL files, and how far time courses are from it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = [
    "CAPACITANCE", "NUDGED", "SAMPLE", "STEPS", "TOLERANCE", "UNITS", "ZERO_CELSIUS", "Reference", "Values",
    "converges", "course_differences", "factor", "shown",
]  # fmt: skip

CAPACITANCE = 1e13  # F/m2
TOLERANCE = 1e-6
NUDGED = 3e-5  # of initial values: files move the voltage by 1e-4 mV to dodge singularities
STEPS = (0.005, 0.0025, 0.00125)  # ms
SAMPLE = 0.05  # ms, divides all times of the reference
ZERO_CELSIUS = 273.15
Values = dict[str, np.ndarray]
UNITS = {
    "mM": 1.0,
    "mV": 1e-3,
    "mA/cm2": 10.0,
    "ms": 1e-3,
    "S/cm2": 1e4,
    "mho/cm2": 1e4,
    "pS/um2": 1.0,
    "cm/s": 1e-2,
    "mol/cm2": 1e4,
    "nA": 1e-9,
    "uS": 1e-6,
    "umho": 1e-6,
}
"""What one of NMODL's units is in rall's; others are off by a power of ten that is found."""


class Reference:
    """What NEURON made of a file."""

    def __init__(self, place: Path) -> None:
        self.facts: dict[str, Any] = json.loads(place.with_suffix(".json").read_text())
        self.arrays = dict(np.load(place.with_suffix(".npz")))
        for ion, drive in self.facts["drive"].items():  # the ion's current is that of the file and this one
            for key in self.arrays:
                if key.endswith(f"/i{ion}"):
                    self.arrays[key] = self.arrays[key] - drive
        self.name = self.facts["mechanism"]
        text = re.sub(r"[:?].*", "", Path(self.facts["file"]).read_text(errors="replace"))
        found = re.findall(r"\b(NONSPECIFIC|ELECTRODE)_CURRENT\s+(\w+(?:\s*,\s*\w+)*)", text)
        self.currents = {
            name: 1.0 if kind == "ELECTRODE" else -1.0 for kind, group in found for name in re.findall(r"\w+", group)
        }
        """The file's currents of no ion, and what makes them inward."""
        self.points = re.search(r"\b(BBCORE)?POINTER\b", text) is not None
        """Whether it reads what something else has."""
        self.levels = np.array(self.facts["levels"])
        self.cells = len(self.levels) + 2
        """A cell for each held voltage, one for the steps and one for the ramp."""

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of variables."""
        return [name for name, how in self.facts["variables"].items() if how["kind"] in kinds]

    def first(self, celsius: float, name: str, v: float) -> float:
        """The value at the start of a run."""
        k = self.facts["initial"].index(v)
        return float(self.arrays[f"initial/{celsius:g}/{name}"][k])

    def doubt(self, celsius: float, name: str) -> float:
        """How far time courses may be off themselves: where steps were taken, a part of what two lengths differ by."""
        steps = self.facts[f"{celsius:g}"]["steps differ by"]
        return 0.2 * max((by.get(name, 0.0) for by in steps.values()), default=0.0)

    def known(self) -> bool:
        """Whether NEURON got anywhere."""
        return self.facts["kind"] != "density" or all(
            np.all(np.isfinite(self.arrays[f"steps/{celsius:g}/{name}"]))
            for celsius in self.facts["celsius"]
            for name in self.of_kind("state", "ion")
        )

    def starts(self) -> list[float]:
        """The voltage that each cell's steady state is found at."""
        return [*[self.facts["rest"]] * (self.cells - 1), self.facts["ramp"][0]]

    def traces(self, celsius: float, name: str) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Cell, times in ms and values of all time courses of a variable."""
        found = [(k, self.facts["held"], row) for k, row in enumerate(self.arrays[f"held/{celsius:g}/{name}"])]
        found.append((self.cells - 2, self.facts["step times"], self.arrays[f"steps/{celsius:g}/{name}"]))
        found.append((self.cells - 1, self.facts["ramp times"], self.arrays[f"ramp/{celsius:g}/{name}"]))
        return [(cell, np.array(times), row) for cell, times, row in found]


def shown(ion: str) -> str:
    """What rall calls an ion."""
    return ion[:1].upper() + ion[1:]


class Bench(Protocol):
    """Cells that go through a reference's protocols."""

    reference: Reference

    def factor(self, name: str, ours: np.ndarray, theirs: np.ndarray) -> float:
        """What a variable of the reference is multiplied by to be in rall's unit."""

    def least(self, name: str) -> float:
        """What the largest value of a variable is taken to be at least."""


def factor(unit: str, ours: np.ndarray, theirs: np.ndarray, plain: bool) -> float:
    """What the reference's values are multiplied by to be in rall's unit: known, or the power of ten that fits best."""
    if unit in UNITS or plain:
        return UNITS.get(unit, 1.0)
    k = np.nanargmax(np.abs(theirs))
    ratio = abs(float(ours.flat[k] / theirs.flat[k])) if theirs.flat[k] else 0.0
    return float(10.0 ** np.round(np.log10(ratio))) if np.isfinite(ratio) and ratio > 0 else 1.0


def course_differences(courses: Sequence[Values], bench: Bench, celsius: float) -> dict[str, tuple[list[float], float]]:
    """By variable, the differences of shorter and shorter steps and of their limit in the cell that is farthest off.

    Of the largest value in all cells.  Cells have different orders: gates under a held voltage are nearly exact.
    """
    found: dict[str, tuple[list[float], float]] = {}
    for name in courses[0]:
        traces = bench.reference.traces(celsius, name)
        ours = [[course[name][cell][np.round(times / SAMPLE).astype(int)] for cell, times, _ in traces]
                for course in courses]  # fmt: skip
        theirs = np.concatenate([row for *_, row in traces])
        if not np.any(np.isfinite(theirs)):
            continue
        scale = bench.factor(name, np.concatenate(ours[-1]), theirs)
        size = max(float(np.nanmax(np.abs(theirs))) * scale, bench.least(name))
        cells = [offs(steps, row * scale, size) for *steps, (*_, row) in zip(*ours, traces, strict=True)]
        worst = max(cells, key=lambda off: (not converges(off, TOLERANCE), min(off)))
        found[name] = worst, TOLERANCE + bench.reference.doubt(celsius, name) * scale / size
    return found


def offs(courses: Sequence[np.ndarray], theirs: np.ndarray, size: float) -> list[float]:
    """Largest differences of coarse, fine and finest steps, and of their limit by the order that fits best."""
    coarse, fine, finest = courses
    limits = (2 * finest - fine, (4 * finest - fine) / 3, (8 * finest - 6 * fine + coarse) / 3)
    good = np.isfinite(theirs)
    found = []
    for ours in (*courses, *limits):
        off = np.max(np.abs(ours[good] - theirs[good]), initial=0.0) / size
        found.append(float(off) if np.isfinite(off) else float("inf"))
    return [*found[:3], min(found[3:])]


def converges(differences: Sequence[float], tolerance: float) -> bool:
    """Whether differences of coarse, fine and finest steps and of their limit are those of a method that converges."""
    coarse, fine, finest, limit = differences
    halves = fine < 0.65 * coarse and finest < 0.65 * fine
    return min(differences) <= tolerance or (finest < 5e-2 and (halves or finest < 0.35 * fine or limit < 0.1 * finest))
