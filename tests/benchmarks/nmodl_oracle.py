"""What NEURON makes of NMODL files: reference values for ``nmodl_against_neuron.py``.

Runs on the Python of an environment with NEURON: ``nmodl_oracle.py FOLDER OUT [--jobs 2] [--again]``. For each ``.mod``
file under FOLDER, in a process of its own, OUT receives ``NAME.npz`` and ``NAME.json``, and ``summary.tsv`` a line.

One compartment, 20 um long and wide, has the mechanism and what it needs. The voltage is imposed: the capacitance is so
large that no current moves the voltage, and a ramp is a current that is as large. Protocols, each at 6.3 and 34 degC:

initial
    Right after ``finitialize(v)``, called twice, for many v: all variables.
held
    From the steady state at -80 mV, a step to v at time 0: time courses.
steps
    -80 mV from the steady state, 0.4 mV after 2 ms and -49.6 mV after 12 ms.
ramp
    From -100 mV by 3 mV/ms.

A mechanism that reads the current of an ion gets one from a mechanism that this script writes; a point process gets
events. The inner concentration of a divalent ion that is read and not written is tenfold in `held` and in the middle of
`steps`. Times are integrated by CVODE with tolerances of 1e-10. Backward steps of two lengths, extrapolated to 0, check
it, and stand in for it where the mechanism is not fit for it. Tables are switched off. Arrays are named ``x[0]``, ...
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from neuron import h

CELSIUS = (6.3, 34.0)
SIZE = 20.0  # um, length and diameter
CAPACITANCE = 1e15  # uF/cm2
REST = -80.0
LEVELS = tuple(v + 0.4 for v in range(-120, 61, 20))  # where no file moves the voltage to dodge a singularity
INITIAL = tuple(float(v) for v in range(-120, 61, 10)) + tuple(v + 0.37 for v in range(-115, 61, 10))
HELD = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
STEPS = ((2.0, 0.4), (12.0, -49.6))
STEP_TIMES = tuple(0.5 * k + 0.25 for k in range(50))
RAMP = (-100.0, 3.0)
RAMP_TIMES = tuple(1.0 * k for k in range(1, 51))
EVENTS = (1.6, 3.1, 4.4, 9.1, 15.6)  # at no time of a sample
WEIGHT = 0.01
DRIVE = -0.001  # mA/cm2
STIRRED = 10.0
CONDUCTANCES = {"S/cm2": 1e-3, "mho/cm2": 1e-3, "pS/um2": 10.0, "mS/cm2": 1.0, "cm/s": 1e-4, "uS": 1e-3, "umho": 1e-3}
STEP = 0.0025  # ms
TOLERANCE = 1e-10
USEION = re.compile(r"\bUSEION\s+(\w+)((?:\s+(?:READ|WRITE)\s+\w+(?:\s*,\s*\w+)*|\s+VALENCE\s+-?\d+)+)")
Values = dict[str, np.ndarray]


@dataclass
class Source:
    """What the text of a file says of its mechanism."""

    file: Path
    text: str = field(repr=False)
    name: str = ""
    kind: str = ""
    ions: dict[str, dict[str, Any]] = field(default_factory=dict)
    pointers: tuple[str, ...] = ()
    renewed: frozenset[str] = frozenset()
    """The variables that BREAKPOINT sets: consistent with the states at any time, not only after a step."""

    @classmethod
    def read(cls, file: Path) -> Source:
        """Looks through the NEURON block of a file."""
        raw = file.read_text(errors="replace")
        text = re.sub(r"^\s*COMMENT\b.*?^\s*ENDCOMMENT\b", "", raw, flags=re.S | re.M)
        bare = re.sub(r"\bVERBATIM\b.*?\bENDVERBATIM\b", "", re.sub(r"[:?].*", "", text), flags=re.S)
        kinds = {"SUFFIX": "density", "POINT_PROCESS": "point", "ARTIFICIAL_CELL": "artificial"}
        found = re.search(r"\b(SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+(\w+)", bare)
        if found is None or found[2] == "nothing":
            raise ValueError("no mechanism in this file")
        source = cls(file, raw, found[2], kinds[found[1]])
        for use in USEION.finditer(bare):
            parts = re.split(r"\b(READ|WRITE|VALENCE)\b", use[2])[1:]
            says = dict(zip(parts[::2], parts[1::2], strict=True))
            lists = {key.lower(): re.findall(r"\w+", says.get(key, "")) for key in ("READ", "WRITE")}
            source.ions[use[1]] = {**lists, "valence": says.get("VALENCE", "").strip()}
        pointers = re.findall(r"(?<!CORE)POINTER\s+(\w+(?:\s*,\s*\w+)*)", bare)
        source.pointers = tuple(name for group in pointers for name in re.findall(r"\w+", group))
        block = re.search(r"\bBREAKPOINT\s*\{(.*?)^\}", bare, flags=re.S | re.M)
        source.renewed = frozenset(re.findall(r"(\w+)\s*=(?!=)", block[1]) if block else ())
        return source

    def stirred(self) -> list[str]:
        """The ions whose inner concentration the mechanism reads and does not write, while it leaves the potential."""
        written = {name for use in self.ions.values() for name in use["write"]}
        return [
            ion
            for ion, use in self.ions.items()
            if f"{ion}i" in use["read"] and f"e{ion}" not in use["read"] and not {f"{ion}i", f"e{ion}"} & written
        ]

    def driven(self) -> list[str]:
        """The ions whose current the mechanism reads."""
        return [ion for ion, use in self.ions.items() if f"i{ion}" in use["read"]]


def built(source: Source, scratch: Path) -> str:
    """Compiles a file, loads it and gives the name that its mechanism has here; names of NEURON's own are taken."""
    taken = {name for kind in (0, 1) for name in mechanisms(kind)}
    name = source.name + "Again" if source.name in taken else source.name
    text = re.sub(r"(\b(?:SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+)\w+", rf"\g<1>{name}", source.text, count=1)
    (scratch / "mechanism.mod").write_text(text)
    for more in source.file.parent.glob("*.inc"):
        shutil.copy(more, scratch)
    for ion in source.driven():
        valence = source.ions[ion]["valence"]
        use = f"USEION {ion} WRITE i{ion}" + (f" VALENCE {valence}" if valence else "")
        lines = (
            f"NEURON {{ SUFFIX drive_{ion}\n{use}\nRANGE given }}\nPARAMETER {{ given = 0 }}\n"
            f"ASSIGNED {{ i{ion} }}\nBREAKPOINT {{ i{ion} = given }}\n"
        )
        (scratch / f"drive_{ion}.mod").write_text(lines)
    tool = Path(sys.executable).with_name("nrnivmodl")
    made = subprocess.run([str(tool)], cwd=scratch, capture_output=True, text=True, check=False)
    libraries = [*scratch.glob("*/libnrnmech.*")]
    if made.returncode or not libraries:
        said = (made.stderr + made.stdout).strip().splitlines()
        wrong = [line.strip() for line in said if re.search(r"error|illegal|undefined|not |Failed", line)]
        raise RuntimeError("does not compile: " + " | ".join((wrong or said)[:3])[:300])
    h.nrn_load_dll(str(libraries[0]))
    if name not in {name for kind in (0, 1) for name in mechanisms(kind)}:
        raise RuntimeError("compiled, but NEURON does not know it")
    return name


def mechanisms(kind: int) -> Iterator[str]:
    """Names of the mechanisms (0) or of the point processes and artificial cells (1)."""
    known, name = h.MechanismType(kind), h.ref("")
    for k in range(int(known.count())):
        known.select(k)
        known.selected(name)
        yield name[0]


def listed(name: str, kind: int) -> Iterator[tuple[str, int]]:
    """Names of a mechanism's variables in NEURON and their sizes: 1 PARAMETER, 2 ASSIGNED, 3 STATE, -1 global."""
    standard, text = h.MechanismStandard(name, kind), h.ref("")
    for k in range(int(standard.count())):
        size = int(standard.name(text, k))
        yield text[0], size


class Bench:
    """One compartment with one mechanism, its variables, and the voltage in hand."""

    def __init__(self, source: Source, name: str) -> None:
        self.source, self.name = source, name
        self.section = h.Section(name="soma")
        self.section.L = self.section.diam = SIZE
        self.section.cm = CAPACITANCE
        self.segment = self.section(0.5)
        self.clamp = h.IClamp(self.segment)
        self.clamp.dur = 1e9
        self.cvode = h.CVode()
        self.process: Any = None
        self.mechanism: Any = None
        self.changed: dict[str, tuple[float, str]] = {}
        self.connection: Any = None
        self._place()
        stirred = [ion for ion in source.stirred() if h.ion_charge(f"{ion}_ion") == 2]
        self.inner = {ion: float(getattr(self.segment, f"{ion}i")) for ion in stirred}
        self.getters: dict[str, tuple[str, str, Callable[[], float]]] = dict(self._variables())

    def _place(self) -> None:
        if self.source.kind == "density":
            self.section.insert(self.name)
            self.mechanism = getattr(self.segment, self.name)
        else:
            where = (self.segment,) if self.source.kind == "point" else ()
            self.process = self.mechanism = getattr(h, self.name)(*where)
            if re.search(r"\bNET_RECEIVE\b", self.source.text):
                self.connection = h.NetCon(None, self.process)
                self.connection.delay = 0
                self.connection.weight[0] = WEIGHT
        for ion in self.source.driven():
            self.section.insert(f"drive_{ion}")
            setattr(self.segment, f"given_drive_{ion}", DRIVE)
        for pointer in self.source.pointers:
            h.setpointer(self.segment._ref_v, pointer, self.mechanism)
        for full, _ in listed(self.name, -1):
            if full.startswith("usetable_"):
                setattr(h, full, 0)
        for full, size in listed(self.name, 1):
            unit = h.units(full if self.process is None else f"{self.name}.{full}")
            value = CONDUCTANCES.get(unit)
            if size == 1 and value and re.match(r"[gp]", full, re.I) and getattr(self._owner, full) == 0:
                setattr(self._owner, full, value)
                self.changed[self.bare(full)] = value, unit

    @property
    def _owner(self) -> Any:
        return self.segment if self.process is None else self.process

    def bare(self, full: str) -> str:
        """A variable's name as the file has it."""
        return full.removesuffix(f"_{self.name}")

    def _variables(self) -> Iterator[tuple[str, tuple[str, str, Callable[[], float]]]]:
        owner = self._owner
        for kind, sort in ((3, "state"), (2, "assigned"), (-1, "global")):
            for full, size in listed(self.name, kind):
                bare = self.bare(full)
                if full.startswith("usetable_"):
                    continue
                place = h if kind == -1 else owner
                sort_here = "breakpoint" if sort == "assigned" and bare in self.source.renewed else sort
                unit = h.units(full if self.process is None or kind == -1 else f"{self.name}.{full}")
                for k in range(size):
                    label = bare if size == 1 else f"{bare}[{k}]"
                    yield label, (sort_here, unit, getter(place, full, k if size > 1 else None))
        for ion in self.source.ions:
            units = {f"{ion}i": "mM", f"{ion}o": "mM", f"e{ion}": "mV", f"i{ion}": "mA/cm2"}
            for label, unit in units.items():
                if hasattr(self.segment, label):
                    yield label, ("ion", unit, getter(self.segment, label, None))

    def start(self, v: float, slope: float = 0.0) -> None:
        """Initial values at a voltage, which then grows by so many mV/ms; events are on their way."""
        area_cm2 = self.segment.area() * 1e-8
        self.clamp.amp = slope * CAPACITANCE * area_cm2 * 1e3
        self.stir(1.0)
        for _ in range(2):  # INITIAL blocks may read what they compute further below
            h.finitialize(v)
        if self.connection is not None:
            for time in EVENTS:
                self.connection.event(time)

    def stir(self, factor: float) -> None:
        """Sets the inner concentrations that nothing else sets to so many times their defaults."""
        for ion, value in self.inner.items():
            setattr(self.segment, f"{ion}i", factor * value)

    def jump(self, v: float, factor: float) -> None:
        """Sets the voltage and the inner concentrations in the course of a run."""
        self.segment.v = v
        self.stir(factor)
        if self.cvode.active():
            self.cvode.re_init()

    def run(self, until: float) -> None:
        """Advances to a time."""
        if self.cvode.active():
            self.cvode.solve(until)
        else:
            while h.t < until - 0.5 * h.dt:
                h.fadvance()
        h.fcurrent()

    def values(self) -> list[float]:
        """The variables, now."""
        return [get() for _, _, get in self.getters.values()]


def getter(place: Any, name: str, k: int | None) -> Callable[[], float]:
    """A function that reads a variable or an element of it."""
    if k is None:
        return lambda: float(getattr(place, name))
    return lambda: float(getattr(place, name)[k])


def held(bench: Bench) -> np.ndarray:
    """Values by level, time and variable."""
    rows = []
    for level in LEVELS:
        bench.start(REST)
        bench.jump(level, STIRRED)
        rows.append(sampled(bench, HELD))
    return np.array(rows)


def steps(bench: Bench) -> np.ndarray:
    """Values by time and variable."""
    bench.start(REST)
    edges = (0.0, *(time for time, _ in STEPS), np.inf)
    rows: list[list[float]] = []
    for (begin, end), v in zip(itertools.pairwise(edges), (REST, *(v for _, v in STEPS)), strict=True):
        if begin:
            bench.run(begin)
            bench.jump(v, STIRRED if v == STEPS[0][1] else 1.0)
        rows += sampled(bench, [time for time in STEP_TIMES if begin < time < end])
    return np.array(rows)


def ramp(bench: Bench) -> np.ndarray:
    """Values by time and variable."""
    bench.start(*RAMP)
    return np.array(sampled(bench, RAMP_TIMES))


def sampled(bench: Bench, times: Sequence[float]) -> list[list[float]]:
    """Values at times to come."""
    rows = []
    for time in times:
        bench.run(time)
        rows.append(bench.values())
    return rows


def by_cvode(bench: Bench, protocol: Callable[[Bench], np.ndarray]) -> np.ndarray:
    """A protocol, integrated by CVODE."""
    try:
        bench.cvode.active(1)
        bench.cvode.rtol(TOLERANCE)
        bench.cvode.atol(1e-2 * TOLERANCE)
        return protocol(bench)
    finally:
        bench.cvode.active(0)


def by_steps(bench: Bench, protocol: Callable[[Bench], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A protocol in steps of two lengths: extrapolated to steps of 0, and how much the two differ."""
    h.dt = STEP
    coarse = protocol(bench)
    h.dt = 0.5 * STEP
    fine = protocol(bench)
    return 2 * fine - coarse, np.abs(fine - coarse)


def courses(bench: Bench, celsius: float) -> tuple[Values, dict[str, Any]]:
    """Everything of one mechanism at one temperature, and how it was found."""
    h.celsius = celsius
    labels = list(bench.getters)
    bench.cvode.active(0)
    h.dt = STEP
    first = []
    for v in INITIAL:
        bench.start(v)
        first.append(bench.values())
    found: Values = {f"initial/{celsius:g}/{name}": np.array(first)[:, k] for k, name in enumerate(labels)}
    timed = [k for k, (sort, _, _) in enumerate(bench.getters.values()) if sort in ("state", "breakpoint", "ion")]
    check, error = by_steps(bench, steps)
    fit, why = False, "CVODE failed"
    try:
        best = by_cvode(bench, steps)
        off = np.abs(best - check)[:, timed]
        scale = np.max(np.abs(check), axis=0)[timed]
        diverges = not np.all(np.max(error[:, timed], axis=0) < 0.1 * scale + 1e-15)  # stiff, in explicit steps
        fit = diverges or bool(np.all(off <= error[:, timed] + 1e-6 * scale + 1e-15))
        why = f"CVODE is off the steps by {np.max(off / (scale + 1e-300), initial=0):.1e} of the largest value"
    except RuntimeError as refusal:
        why = f"CVODE: {refusal}"
    accuracy: dict[str, dict[str, float]] = {}
    for key, protocol in (("held", held), ("steps", steps), ("ramp", ramp)):
        result = None
        if fit:
            try:
                result = by_cvode(bench, protocol)
            except RuntimeError as refusal:
                why += f"; {key}: {refusal}"
        if result is None:
            result, error = by_steps(bench, protocol)
            accuracy[key] = {labels[k]: float(np.max(error[..., k])) for k in timed}
        found |= {f"{key}/{celsius:g}/{labels[k]}": result[..., k] for k in timed}
    return found, {"method": "CVODE" if fit else "extrapolated steps", "check": why, "steps differ by": accuracy}


def cells(bench: Bench) -> Values:
    """Spike times of an artificial cell that receives the events."""
    record, spikes = h.NetCon(bench.process, None), h.Vector()
    record.record(spikes)
    bench.cvode.active(0)
    h.dt = STEP
    bench.start(REST)
    bench.run(50.0)
    return {"spikes": np.array(spikes)}


def description(bench: Bench) -> dict[str, Any]:
    """What a reader must know to do the same: parameters, ions, protocols."""
    parameters: dict[str, Any] = {}
    for full, size in listed(bench.name, 1):
        value = getattr(bench._owner, full)
        parameters[bench.bare(full)] = value if size == 1 else [value[k] for k in range(size)]
    h.celsius = CELSIUS[0]
    bench.start(REST)
    ions = {}
    for ion, use in bench.source.ions.items():
        names = {"in": f"{ion}i", "out": f"{ion}o", "reversal": f"e{ion}"}
        now = {key: getattr(bench.segment, name) for key, name in names.items() if hasattr(bench.segment, name)}
        ions[ion] = {**use, **now, "charge": h.ion_charge(f"{ion}_ion")}
    return {
        "file": str(bench.source.file), "mechanism": bench.source.name, "kind": bench.source.kind,
        "parameters": parameters, "not default": bench.changed, "size": SIZE, "ions": ions,
        "variables": {name: {"kind": sort, "unit": unit} for name, (sort, unit, _) in bench.getters.items()},
        "stirred": {ion: [value, STIRRED * value] for ion, value in bench.inner.items()},
        "drive": {ion: DRIVE for ion in bench.source.driven()},
        "events": {"times": EVENTS, "weight": WEIGHT} if bench.connection is not None else None,
        "celsius": CELSIUS, "rest": REST, "initial": INITIAL, "levels": LEVELS, "held": HELD, "steps": STEPS,
        "step times": STEP_TIMES, "ramp": RAMP, "ramp times": RAMP_TIMES,
    }  # fmt: skip


def one(file: Path, out: Path) -> None:
    """Writes what is known of one file."""
    source = Source.read(file)
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(source, built(source, Path(scratch)))
        facts = description(bench)
        arrays: Values = cells(bench) if source.kind == "artificial" else {}
        for celsius in CELSIUS if source.kind != "artificial" else ():
            found, how = courses(bench, celsius)
            arrays |= found
            facts[f"{celsius:g}"] = how
    out.with_suffix(".json").write_text(json.dumps(facts, indent=1))
    np.savez_compressed(out.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]


def kind(file: Path) -> str:
    """Whether a file has a density mechanism, a point process or an artificial cell; empty for another."""
    try:
        return Source.read(file).kind
    except ValueError:
        return ""


def in_process(file: Path, out: Path, limit: float) -> str:
    """A file in a process of its own: what came of it."""
    words = [sys.executable, __file__, "--one", str(file), str(out)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"took more than {limit:g} s"
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return said[-1][:300]
    return "ok"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--one", action="store_true", help="FOLDER is one file, OUT the path without its ending")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="also what is there already")
    parser.add_argument("--limit", type=float, default=90.0, help="seconds for one file")
    parser.add_argument("--kind", default="", help="only density, point or artificial")
    given = parser.parse_args()
    if given.one:
        one(given.folder.resolve(), given.out)
        return
    files = [file for file in sorted(given.folder.rglob("*.mod")) if given.kind in ("", kind(file))]
    places = [given.out / file.relative_to(given.folder).with_suffix("") for file in files]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
    wanted = [(f, p) for f, p in zip(files, places, strict=True) if given.again or not p.with_suffix(".npz").exists()]
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        ends = pool.map(lambda pair: in_process(*pair, given.limit), wanted)
        for (file, _), end in zip(wanted, ends, strict=True):
            line = f"{file.relative_to(given.folder)}\t{end}"
            print(line, flush=True)
            with open(given.out / "summary.tsv", "a") as summary:
                summary.write(line + "\n")


if __name__ == "__main__":
    main()
