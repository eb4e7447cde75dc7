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
imported
    A point process that has nothing to compare or reads another cell.
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
from nmodl_points import PointBench
from nmodl_reference import (
    CAPACITANCE,
    NUDGED,
    SAMPLE,
    STEPS,
    UNITS,
    ZERO_CELSIUS,
    Reference,
    converges,
    course_differences,
    factor,
    shown,
)  # fmt: skip

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


def translated(reference: Reference, known: Sequence[str]) -> dict[str, tuple[str, float]]:
    """rall's variable for each of the reference's, and the sign; what rall has no line for is left out."""
    own = reference.name
    found = {}
    for name in reference.facts["variables"]:
        candidates = [(f"{re.sub(r'[^0-9A-Za-z_]+', '_', name.rstrip(']'))}_{own}", 1.0)]
        candidates += (
            [(f"I_{own}{end}", reference.currents[name]) for end in (f"_{name}", "")]
            if name in reference.currents
            else []
        )
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
    if reference.facts["kind"] == "density":
        return compared(mechanism, reference)
    if reference.points or not reference.of_kind("state", "breakpoint"):
        return {"verdict": "imported", "why": "nothing to compare, or it reads what POINTER points to"}
    return points_compared(mechanism, reference)


def points_compared(mechanism: Any, reference: Reference) -> dict[str, Any]:
    """The verdict on an imported point process."""
    wrong: dict[str, Any] = {}
    largest = 0.0
    for celsius in reference.facts["celsius"]:
        courses = []
        for dt in STEPS:  # the clock is that of the newest
            bench = PointBench(mechanism, reference, dt)
            courses.append(bench.run(celsius))
        for name, (differences, tolerance) in course_differences(courses, bench, celsius).items():
            largest = max(largest, min(differences))
            if not converges(differences, tolerance):
                wrong[f"{name} at {celsius:g}"] = differences
    absent = [name for name in reference.of_kind("state") if name not in bench.translated]
    return {"verdict": "differs" if wrong else "agrees", "largest": largest, "wrong": wrong, "absent": absent}


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


def row(file: Path, result: dict[str, Any]) -> str:
    """A line of the report."""
    about = result.get("why", "")
    if result["verdict"] in ("agrees", "differs", "starts differ"):
        about = f"largest {result['largest']:.1e}"
        about += "".join(f"; {key} {short(value)}" for key, value in result["wrong"].items())
        about += f"; absent {', '.join(result['absent'])}" if result["absent"] else ""
    return f"{file}\t{result['verdict']}\t{about}"


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
    verdicts: collections.Counter[str] = collections.Counter()
    lines = []
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        results = pool.map(lambda pair: in_process(*pair, given.limit), zip(files, places, strict=True))
        for file, result in zip(files, results, strict=True):
            verdicts[result["verdict"]] += 1
            lines.append(row(file.relative_to(given.folder), result))
            print(lines[-1], flush=True)
    print(dict(verdicts))
    if given.report is not None:
        given.report.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
