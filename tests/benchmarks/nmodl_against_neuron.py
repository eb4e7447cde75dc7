"""Imported NMODL files against NEURON: ``nmodl_against_neuron.py FOLDER REFERENCE [--report FILE.tsv]``.

FOLDER has the ``.mod`` files, REFERENCE what ``nmodl_oracle.py`` made of the same folder. Each file is imported with
`rall.load_mod` in a process of its own and goes through the reference's protocols: one cell of one compartment for each
voltage, with a capacitance so large that the voltage stays where it is put. A line says

agrees
    All states, currents, concentrations and variables of BREAKPOINT are within the tolerance (of the largest value of
    the trace), or come closer to the reference in proportion to the step.
differs
    What does not, and by how much.
starts differ
    Time courses agree from the same states on, but what ``initialise`` finds is not what INITIAL computes.
refused
    The importer says why it does not take the file.
fails
    Any other error.
no reference
    NEURON did not make anything of it either.

Before a time course, states are set to the reference's; whether ``initialise`` finds the same is compared apart.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import re
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import rall
from rall import (
    Cylinder,
    Equations,
    Quantity,
    SpatialNeuronGroup,
    StateMonitor,
    farad,
    kelvin,
    meter,
    mM,
    ms,
    mV,
    ohm,
    um,
    volt,
)

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


def translated(reference: Reference, known: Sequence[str]) -> dict[str, tuple[str, float]]:
    """rall's variable for each of the reference's, and the sign; what rall has no line for is left out."""
    own = reference.name
    found = {}
    for name in reference.facts["variables"]:
        candidates = [(f"{re.sub(r'[^0-9A-Za-z_]+', '_', name.rstrip(']'))}_{own}", 1.0)]
        candidates += [(f"I_{own}_{name}", -1.0), (f"I_{own}", -1.0)] if name[0] in "iI" else []
        for ion, use in reference.facts["ions"].items():
            x = shown(ion)
            if name == f"i{ion}":
                candidates = [(f"I_{own}_{x}", -1.0), (f"I_{own}", -1.0)] if name in use["write"] else []
            candidates = [(x, 1.0)] if name == f"{ion}i" else candidates
            candidates = [(f"{x}_o", 1.0)] if name == f"{ion}o" else candidates
            candidates = [(f"E_{x}", 1.0)] if name == f"e{ion}" else candidates
        fitting = [c for c in candidates if c[0] in known]
        if fitting:
            found[name] = fitting[0]
    return found


class Bench:
    """Cells with the imported mechanism, each at a voltage of its own."""

    def __init__(self, mechanism: Any, reference: Reference, dt: float) -> None:
        self.reference = reference
        rall.start_scope()
        rall.defaultclock.dt = dt * ms
        equations = mechanism()
        facts = reference.facts
        extra = ["I_imposed = imposed : amp/meter**2 (membrane current)", "imposed : amp/meter**2 (constant)"]
        extra += [f"I_drive_{ion} = {-10 * x} * amp/meter**2 : amp/meter**2 (membrane current, ion {shown(ion)})"
                  for ion, x in facts["drive"].items()]  # fmt: skip
        model = equations + Equations("\n".join(extra))
        self.names = list(model.names)
        self.size = max(reference.cells, len(facts["initial"]))
        self.cells = SpatialNeuronGroup(
            self.size, Cylinder(n=1, length=facts["size"] * um, diameter=facts["size"] * um), model,
            Cm=CAPACITANCE * farad / meter**2, Ri=1 * ohm * meter, cable_method="backward_euler", dt=dt * ms,
        )  # fmt: skip
        self.translated = translated(reference, self.names)
        self.parameters = set(model.parameter_names)
        self.defaults = dict(model.defaults)
        self.ions_off: dict[str, float] = {}
        self.defaults_off = dict(self._take_parameters(mechanism.parameters.values()))
        for name, (value, unit) in facts["not default"].items():
            if f"{name}_{reference.name}" in self.parameters:
                self.set(f"{name}_{reference.name}", value, unit)

    def _take_parameters(self, parameters: Iterable[Any]) -> Iterator[tuple[str, float]]:
        """NEURON's parameters, which have 6 digits of those in the file; gives those that are off by more."""
        facts = self.reference.facts
        for parameter in parameters:
            first = self.reference.arrays.get(f"initial/{facts['celsius'][0]:g}/{parameter.name}", [None])[0]
            theirs = facts["parameters"].get(parameter.name, first)
            skipped = parameter.name in facts["not default"] or parameter.name in self.reference.of_kind("ion")
            if theirs is None or isinstance(theirs, list) or skipped:
                continue
            ours = float(parameter.default)
            if not (ours and theirs):
                if ours or theirs:
                    yield parameter.name, float("inf")
                continue
            ten = 10.0 ** np.round(np.log10(abs(ours / theirs)))
            off = abs(ours / (theirs * ten) - 1)
            if off > 1e-5:
                yield parameter.name, off
            elif off and parameter.shown in self.parameters:
                dimension = self.cells.variables[parameter.shown].dimension
                setattr(self.cells, parameter.shown, Quantity(theirs * ten, dim=dimension))

    def set(self, name: str, values: Any, unit: str) -> None:
        """Gives a parameter or a state numbers in a unit of NMODL."""
        dimensions = self.cells.variables[name].dimension
        scale = 1.0 if dimensions.is_dimensionless else UNITS.get(unit, 1.0)
        setattr(self.cells, name, Quantity(np.asarray(values) * scale, dim=dimensions))

    def begin(self, celsius: float, starts: Sequence[float]) -> str:
        """Temperature, concentrations and reversal potentials of the reference, and rall's steady state or why not."""
        cells = self.cells
        if "T" in self.names:
            cells.T = (celsius + ZERO_CELSIUS) * kelvin
        cells.imposed = 0 * farad / meter**2 * mV / ms
        self.ions_off = {}
        for ion in self.reference.facts["ions"]:
            for key, name in ((f"{ion}i", shown(ion)), (f"{ion}o", f"{shown(ion)}_o"), (f"e{ion}", f"E_{shown(ion)}")):
                if name in self.parameters:
                    value = self.reference.arrays[f"initial/{celsius:g}/{key}"][0] * (1e-3 if key[0] == "e" else 1.0)
                    ours = float(self.defaults.get(name, 0.0))
                    self.ions_off[f"default of {key}"] = abs(ours - value) / max(abs(ours), abs(value), 1e-300)
                    setattr(cells, name, value * (volt if key[0] == "e" else mM))
        voltages = np.resize(np.array(starts, dtype=float), self.size)
        voltages[len(starts) :] = starts[-1]
        try:
            cells.initialise(v=voltages * mV)
        except rall.RallError as refusal:
            cells.v = voltages * mV
            return str(refusal).strip().replace("\n", " ")
        return ""

    def values(self, name: str) -> np.ndarray:
        """A variable in all cells now, in rall's units and the reference's sign."""
        own, sign = self.translated[name]
        return sign * np.broadcast_to(np.asarray(getattr(self.cells, own)), (self.size,))

    def least(self, name: str) -> float:
        """What the largest value of a variable is taken to be at least: states are fractions of 1."""
        how = self.reference.facts["variables"][name]
        return 1e-6 if how["kind"] == "state" and how["unit"] in ("", "1") else 1e-300

    def factor(self, name: str, ours: np.ndarray, theirs: np.ndarray) -> float:
        """What a variable of the reference is multiplied by to be in rall's unit."""
        variable = self.cells.variables.get(self.translated[name][0])
        plain = variable is not None and variable.dimension.is_dimensionless
        return factor(self.reference.facts["variables"][name]["unit"], ours, theirs, plain)

    def run(self, celsius: float) -> dict[str, np.ndarray]:
        """All time courses: values by cell and sample."""
        reference, facts, cells = self.reference, self.reference.facts, self.cells
        starts = reference.starts()
        self.begin(celsius, starts)
        for name in reference.of_kind("state", "ion"):
            self._take_over(name, [reference.first(celsius, name, v) for v in starts])
        wanted = [name for name in reference.of_kind("state", "breakpoint", "ion") if name in self.translated]
        owned = {name: self.translated[name] for name in wanted}
        varying = sorted({own for own, _ in owned.values() if own not in self.parameters})
        monitor = StateMonitor(cells, varying, record=True, dt=SAMPLE * ms)
        voltages = np.full(self.size, facts["rest"])
        voltages[: len(reference.levels)] = reference.levels
        voltages[reference.cells - 1] = facts["ramp"][0]
        slope = np.zeros(self.size)
        slope[reference.cells - 1] = facts["ramp"][1]
        cells.v = voltages * mV
        cells.imposed = slope * CAPACITANCE * (farad / meter**2) * (mV / ms)
        network = rall.Network(cells, monitor)
        held = np.zeros(self.size, dtype=bool)
        held[: len(reference.levels)] = True
        self._stir(held)
        before, steps = 0.0, reference.cells - 2
        for time, v in (*facts["steps"], (max(facts["held"]) + 2 * SAMPLE, None)):
            network.run((time - before) * ms)
            before = time
            if v is not None:
                now = np.asarray(cells.v).copy()
                now[steps] = v * 1e-3
                cells.v = now * 1e3 * mV
                held[steps] = v == facts["steps"][0][1]
                self._stir(held)
        return {name: sign * np.asarray(getattr(monitor, own)) for name, (own, sign) in owned.items() if own in varying}

    def _take_over(self, name: str, values: Sequence[float]) -> None:
        """Sets a state to the reference's."""
        own, _ = self.translated.get(name, ("", 0))
        if own in self.cells.equations.diff_eq_names:
            self.set(own, np.resize(np.array(values), self.size), self.reference.facts["variables"][name]["unit"])

    def _stir(self, more: np.ndarray) -> None:
        for ion, (low, high) in self.reference.facts["stirred"].items():
            if shown(ion) in self.parameters:
                setattr(self.cells, shown(ion), np.where(more, high, low) * mM)


def factor(unit: str, ours: np.ndarray, theirs: np.ndarray, plain: bool) -> float:
    """What the reference's values are multiplied by to be in rall's unit: known, or the power of ten that fits best."""
    if unit in UNITS or plain:
        return UNITS.get(unit, 1.0)
    k = np.nanargmax(np.abs(theirs))
    ratio = abs(float(ours.flat[k] / theirs.flat[k])) if theirs.flat[k] else 0.0
    return float(10.0 ** np.round(np.log10(ratio))) if np.isfinite(ratio) and ratio > 0 else 1.0


def first_differences(bench: Bench, celsius: float) -> dict[str, float]:
    """By variable, how far what `initialise` finds is from the reference, of the largest value."""
    reference = bench.reference
    failed = bench.begin(celsius, reference.facts["initial"])
    if failed:
        return {failed: float("inf")}
    found = dict(bench.ions_off)
    count = len(reference.facts["initial"])
    for name in bench.translated:
        if bench.translated[name][0] in bench.parameters:
            continue
        theirs = reference.arrays[f"initial/{celsius:g}/{name}"]
        ours = bench.values(name)[:count]
        good = np.isfinite(theirs)
        scaled = theirs[good] * bench.factor(name, ours[good], theirs[good])
        size = max(*np.abs(scaled), *np.abs(ours[good]), bench.least(name))
        off = np.max(np.abs(ours[good] - scaled), initial=0.0) / size
        found[name] = float(off) if np.isfinite(off) else float("inf")
    return found


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
    return min(differences) <= tolerance or (finest < 3e-3 and (halves or finest < 0.35 * fine or limit < 0.1 * finest))


def one(file: Path, place: Path) -> dict[str, Any]:
    """What comes of one file."""
    if not place.with_suffix(".npz").exists():
        return {"verdict": "no reference"}
    reference = Reference(place)
    if not reference.known():
        return {"verdict": "no reference"}
    try:
        mechanism = rall.load_mod(file)
        mechanism()
    except rall.RallError as refusal:
        return {"verdict": "refused", "why": str(refusal).strip().replace("\n", " ")}
    if reference.facts["kind"] != "density":
        return {"verdict": "imported", "why": "point processes are not compared"}
    return compared(mechanism, reference)


def compared(mechanism: Any, reference: Reference) -> dict[str, Any]:
    """The verdict on an imported mechanism."""
    wrong: dict[str, Any] = {}
    largest = 0.0
    missing: set[str] = set()
    for celsius in reference.facts["celsius"]:
        benches = [Bench(mechanism, reference, dt) for dt in STEPS]
        wrong |= {f"default of {name}": off for name, off in benches[0].defaults_off.items()}
        for name, value in first_differences(benches[0], celsius).items():
            if value > NUDGED:
                wrong[f"initial {name} at {celsius:g}"] = value
        courses = [bench.run(celsius) for bench in benches]
        for name, (differences, tolerance) in course_differences(courses, benches[-1], celsius).items():
            largest = max(largest, min(differences))
            if not converges(differences, tolerance):
                wrong[f"{name} at {celsius:g}"] = differences
        needed = reference.of_kind("state") + [f"i{ion}" for ion, use in reference.facts["ions"].items()
                                               if f"i{ion}" in use["write"]]  # fmt: skip
        missing |= {name for name in needed if name not in benches[0].translated}
    how = {reference.facts[f"{celsius:g}"]["method"] for celsius in reference.facts["celsius"]}
    courses_differ = any(not key.startswith("initial ") for key in wrong)
    verdict = "differs" if courses_differ else "starts differ" if wrong else "agrees"
    return {"verdict": verdict, "largest": largest, "wrong": wrong, "absent": sorted(missing), "by": sorted(how)}


def in_process(file: Path, place: Path, limit: float) -> dict[str, Any]:
    """A file in a process of its own."""
    words = [sys.executable, __file__, "--one", str(file), str(place)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"verdict": "fails", "why": f"took more than {limit:g} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return {"verdict": "fails", "why": said[-1][:400]}
    return dict(json.loads(lines[-1]))


def rows(results: Sequence[tuple[Path, dict[str, Any]]]) -> Iterator[str]:
    """Lines of the report."""
    for file, result in results:
        about = result.get("why", "")
        if result["verdict"] in ("agrees", "differs", "starts differ"):
            about = f"largest {result['largest']:.1e}"
            about += "".join(f"; {key} {short(value)}" for key, value in result["wrong"].items())
            about += f"; absent {', '.join(result['absent'])}" if result["absent"] else ""
        yield f"{file}\t{result['verdict']}\t{about}"


def short(value: Any) -> str:
    """Differences in a few letters."""
    return "/".join(f"{x:.1e}" for x in value) if isinstance(value, list) else f"{value:.1e}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--one", action="store_true", help="FOLDER is one file, REFERENCE the path without its ending")
    parser.add_argument("--only", default="", help="only files whose path has this in it")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one file")
    parser.add_argument("--report", type=Path, help="also write the lines there")
    given = parser.parse_args()
    if given.one:
        try:
            print(json.dumps(one(given.folder, given.reference)))
        except Exception as error:
            traceback.print_exc()
            raise SystemExit(f"{type(error).__name__}: {error}".replace("\n", " ")) from error
        return
    files = [f for f in sorted(given.folder.rglob("*.mod")) if given.only in str(f)]
    places = [given.reference / f.relative_to(given.folder).with_suffix("") for f in files]
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        results = list(pool.map(lambda pair: in_process(*pair, given.limit), zip(files, places, strict=True)))
    lines = list(rows([(f.relative_to(given.folder), r) for f, r in zip(files, results, strict=True)]))
    print("\n".join(lines))
    print(dict(collections.Counter(result["verdict"] for result in results)))
    if given.report is not None:
        given.report.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
