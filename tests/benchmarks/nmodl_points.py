"""Imported point processes against NEURON: ``nmodl_points.py FOLDER REFERENCE [--only TEXT]``.

FOLDER has the ``.mod`` files, REFERENCE what ``nmodl_oracle.py`` made of the same folder. Each file becomes synapses
onto compartments that are held at the reference's voltages, with the reference's events. NEURON lets an event act at
the beginning of a step, rall at its end: events come a step earlier here.

agrees
    Currents, states and variables of BREAKPOINT are within 1e-6 of the largest value of their traces, or come closer to
    the reference in proportion to the step or its square.
differs, refused, fails
    What does not, and by how much; what the importer says; any other error.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np

import rall
from rall import (
    Cylinder,
    SpatialNeuronGroup,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    farad,
    kelvin,
    meter,
    mM,
    ms,
    mV,
    ohm,
    siemens,
    um,
)

CAPACITANCE = 1e13  # F/m2
TOLERANCE = 1e-6
STEPS = (0.005, 0.0025)  # ms
LONGEST = 20.5  # ms
ZERO_CELSIUS = 273.15
UNITS = {
    "mM": 1.0, "mV": 1e-3, "ms": 1e-3, "nA": 1e-9, "uS": 1e-6, "umho": 1e-6, "micromho": 1e-6, "nS": 1e-9, "pS": 1e-12,
    "mA/cm2": 10.0,
}  # fmt: skip


class Bench:
    """Compartments that are held at voltages, with the imported point process on each."""

    def __init__(self, file: Path, facts: dict[str, Any], arrays: Any, dt: float, celsius: float) -> None:
        self.facts, self.arrays, self.dt, self.celsius = facts, arrays, dt, celsius
        rall.start_scope()
        rall.defaultclock.dt = dt * ms
        levels = np.array(facts["levels"])
        mechanism = rall.load_mod(file)
        pointers = {name: "v_post" for name in mechanism._program.neuron.pointers}
        made = mechanism(celsius=celsius, **{k: v for k, v in pointers.items() if k in mechanism.parameters})
        self.synaptic = not isinstance(made, rall.Equations)
        model = rall.channels.leak(g=0 * siemens / meter**2) + (made.current if self.synaptic else made)
        self.cells = SpatialNeuronGroup(
            len(levels), Cylinder(n=1, length=facts["size"] * um, diameter=facts["size"] * um), model,
            Cm=CAPACITANCE * farad / meter**2, Ri=1 * ohm * meter, dt=dt * ms,
        )  # fmt: skip
        self.cells.v = levels * mV
        self.owner, parts = self.cells, [self.cells]
        if self.synaptic:
            times = np.array(facts["events"]["times"] if facts["events"] else []) - dt
            source = SpikeGeneratorGroup(1, np.zeros(len(times), int), times * ms)
            self.owner = Synapses(source, self.cells, **made)
            self.owner.connect()
            parts += [source, self.owner]
            if mechanism.weight:
                one = next(p for p in mechanism.parameters.values() if p.shown == mechanism.weight)
                setattr(self.owner, one.shown, facts["events"]["weight"] * one.one)
        self.mechanism, self.parts = mechanism, parts
        self.prepare()

    def prepare(self) -> None:
        """Parameters that the reference has set, temperature, ions, and states where they begin there."""
        for name, (value, _) in self.facts["not default"].items():
            one = self.mechanism.parameters.get(name)
            if one is not None:
                setattr(self.owner, one.shown, value * one.one)
        for thing in (self.owner, self.cells):
            if "T" in thing.equations.parameter_names:
                thing.T = (self.celsius + ZERO_CELSIUS) * kelvin
        for ion, use in self.facts["ions"].items():
            x = ion[:1].upper() + ion[1:]
            for key, name in (("in", x), ("out", f"{x}_o"), ("reversal", f"E_{x}")):
                if name in self.cells.equations.parameter_names and key in use:
                    setattr(self.cells, name, use[key] * (mV if key == "reversal" else mM))

    def courses(self) -> dict[str, np.ndarray]:
        """Values by level and held time."""
        own = self.facts["mechanism"]
        wanted: dict[str, tuple[Any, str, float, int]] = {}
        known = self.owner.equations
        for name, how in self.facts["variables"].items():
            if how["kind"] not in ("state", "breakpoint"):
                continue
            plain = re.sub(r"[^0-9A-Za-z_]+", "_", name.rstrip("]"))
            for one in (plain, f"{plain}_{own}"):
                if one in known and one not in known.parameter_names:
                    wanted[name] = (self.owner, one, 1.0, 0)
            for one in (f"I_{own}", f"I_{own}_{name}"):
                if one in self.cells.equations and name.lower().startswith("i") and name not in wanted:
                    # the sum of a step is that of its beginning
                    sign = 1.0 if name in self.mechanism._program.neuron.electrode_currents else -1.0
                    wanted[name] = (self.cells, one, sign, 1 if self.synaptic else 0)
        monitors: dict[int, StateMonitor] = {}
        for group in (self.owner, self.cells):
            names = sorted({one for g, one, *_ in wanted.values() if g is group})
            if names and id(group) not in monitors:
                monitors[id(group)] = StateMonitor(group, names, record=True)
        rall.Network(*self.parts, *monitors.values()).run(LONGEST * ms)
        found = {}
        for name, (group, one, sign, late) in wanted.items():
            times = [t for t in self.facts["held"] if t < LONGEST]
            picked = np.round(np.array(times) / self.dt).astype(int) + late
            found[name] = sign * np.asarray(getattr(monitors[id(group)], one))[:, picked]
        return found


def factor(unit: str, ours: np.ndarray, theirs: np.ndarray) -> float:
    """What the reference's values are multiplied by: known, or the power of ten that fits."""
    if unit in UNITS or unit in ("", "1"):
        return UNITS.get(unit, 1.0)
    k = np.argmax(np.abs(theirs))
    ratio = abs(float(ours.flat[k] / theirs.flat[k])) if theirs.flat[k] else 0.0
    return float(10.0 ** np.round(np.log10(ratio))) if np.isfinite(ratio) and ratio > 0 else 1.0


def compared(file: Path, place: Path) -> dict[str, Any]:
    """The verdict on one file."""
    facts = json.loads(place.with_suffix(".json").read_text())
    arrays = np.load(place.with_suffix(".npz"))
    wrong: dict[str, list[float]] = {}
    largest, count, flat = 0.0, 0, set()
    for celsius in facts["celsius"]:
        runs = [Bench(file, facts, arrays, dt, celsius).courses() for dt in STEPS]
        for name in runs[0]:
            theirs = arrays[f"held/{celsius:g}/{name}"][:, : runs[0][name].shape[1]]
            ours = [run[name] for run in runs]
            if not np.any(theirs):
                flat.add(name)
            scaled = theirs * factor(facts["variables"][name]["unit"], ours[0], theirs)
            size = max(float(np.max(np.abs(scaled))), 1e-300)
            both = [*ours, 2 * ours[1] - ours[0], (4 * ours[1] - ours[0]) / 3]
            off = [float(np.max(np.abs(x - scaled))) / size for x in both]
            best = min(off)
            count += 1
            largest = max(largest, best)
            if not (best <= TOLERANCE or (off[1] < 0.7 * off[0] and best < 1e-4 and best < 0.1 * off[1])):
                wrong[f"{name} at {celsius:g}"] = off
    verdict = "differs" if wrong else "agrees"
    return {"verdict": verdict, "largest": largest, "wrong": wrong, "count": count, "flat": sorted(flat)}


def one(file: Path, place: Path) -> dict[str, Any]:
    """What comes of one file."""
    try:
        rall.load_mod(file)
    except rall.RallError as refusal:
        return {"verdict": "refused", "why": str(refusal).strip().splitlines()[0]}
    if not place.with_suffix(".npz").exists():
        return {"verdict": "no reference"}
    return compared(file, place)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--one", action="store_true", help="FOLDER is one file, REFERENCE the path without its ending")
    parser.add_argument("--only", default="", help="only files whose path has this in it")
    given = parser.parse_args()
    if given.one:
        try:
            print(json.dumps(one(given.folder, given.reference)))
        except Exception as error:
            traceback.print_exc()
            raise SystemExit(f"{type(error).__name__}: {error}".replace("\n", " ")) from error
        return
    counts: collections.Counter[str] = collections.Counter()
    for file in sorted(f for f in given.folder.rglob("*.mod") if given.only in str(f)):
        place = given.reference / file.relative_to(given.folder).with_suffix("")
        words = [sys.executable, __file__, "--one", str(file), str(place)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            result = {"verdict": "fails", "why": (done.stderr.strip().splitlines() or ["?"])[-1][:400]}
        else:
            result = json.loads(done.stdout.strip().splitlines()[-1])
        counts[result["verdict"]] += 1
        said = {key: value for key, value in result.items() if key != "verdict" and value}
        print(f"{file.relative_to(given.folder)}\t{result['verdict']}\t{said}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
