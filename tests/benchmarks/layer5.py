"""A layer-5 cell with eleven channels from mod files: times from `load_mod` to the first step, and of steps.

``python tests/benchmarks/layer5.py --mods FOLDER [--cells 1] [--duration 200] [--method backward_euler]`` prints one
JSON line; FOLDER has the mod files of BluePyOpt's example l5pc.  With ``--venvs FILE --mech LIBRARY`` NEURON runs the
same mechanisms (compiled by nrnivmodl from the same files) in turn with it, and a table with the ratio is printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import layer5_model as layer5
from programs import command, median, own, pythons, run
from timing import Stopwatch, shared, spike_check

from rall import (
    Equations,
    Morphology,
    Network,
    SpatialNeuronGroup,
    SpikeMonitor,
    StateMonitor,
    channels,
    load_mod,
    prefs,
)
from rall.units import cm, mM, ms, mV, nA, ohm, siemens, um

UNITS = {"decay": ms}


def model(mods: Path) -> dict[str, Any]:
    """The regions' equations."""
    names = {name for region in layer5.REGIONS.values() for name in region}
    loaded = {name: load_mod(mods / f"{name}.mod") for name in sorted(names)}
    parts: dict[str, Any] = {}
    for region, g in layer5.G_PAS.items():
        parts[region] = channels.leak(g=g * siemens / cm**2, E=layer5.E_PAS * mV)
        for name, values in layer5.REGIONS.get(region, {}).items():
            given = {key: _quantity(key, value, region) for key, value in values.items()}
            made = loaded[name](celsius=34, **given)
            ions = {"E_Na": layer5.E_REV["na"] * mV, "E_K": layer5.E_REV["k"] * mV}
            made = Equations(made, defaults={key: E for key, E in ions.items() if key in made.names})
            parts[region] = parts[region] + made
    parts["soma"] = parts["soma"] + "I : amp (point current)"
    return parts


def _quantity(name: str, value: float, region: str) -> Any:
    """A parameter as `load_mod` takes it; on the apical tree calcium channels are dense in one zone."""
    if name == "gamma":
        return value
    if name in layer5.COLD and region == "apic":
        low, high = layer5.HOT
        share = f"({layer5.COLD[name]} + {1 - layer5.COLD[name]}*int({low}*um < distance and distance < {high}*um))"
        return f"{value}*siemens/cm**2*{share}"
    return value * UNITS.get(name, siemens / cm**2)


def measure(asked: argparse.Namespace) -> None:
    """Build, run, print the line."""
    prefs.threads = 1
    morphology = Morphology.from_file(
        shared() / "morphologies" / "l5_allen_515570710.swc", soma="cylinder"
    ).discretize(max_length=asked.max_length * um)
    watch = Stopwatch("l5")
    cells = SpatialNeuronGroup(
        asked.cells, morphology=morphology, model=model(asked.mods), threshold="v > -10*mV", refractory="v > -10*mV",
        Cm="1*uF/cm**2*(1 + int(dend or apic))", Ri=layer5.RA * ohm * cm, dt=asked.dt * ms, cable_method=asked.method,
    )  # fmt: skip
    cells.initialise(v=layer5.V_INIT * mV)
    cells.Ca = 5e-5 * mM  # as NEURON begins
    cells.at("soma").I = 0.8 * nA
    spikes, soma = SpikeMonitor(cells), StateMonitor(cells, "v", record=[0])
    Network(cells, spikes, soma, watch.at_first_step()).run(asked.duration * ms)
    watch.report(cells.N, round(asked.duration / asked.dt), spike_check(soma.t_ * 1e3, soma.v_[0] * 1e3))


def compare(asked: argparse.Namespace) -> None:
    """Run both in turn and print a table."""
    known = pythons(asked.venvs)
    size = f"--cells {asked.cells} --dt {asked.dt} --max-length {asked.max_length}"
    cases = {
        "rall": own(f"layer5.py --mods {asked.mods} {size} --duration {asked.duration}"),
        "rall, backward Euler": own(
            f"layer5.py --mods {asked.mods} {size} --duration {asked.duration} --method backward_euler"
        ),
        "NEURON": command("neuron", f"layer5_neuron.py --mech {asked.mech} {size} --tstop {asked.duration}", known),
    }
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in cases}
    for _ in range(asked.reps):
        for name, words in cases.items():
            record = run(words, asked.core) if words else None
            found[name] += [record] if record else []
    base = median(found["rall, backward Euler"], "ns_per_cv_step")
    print("| program | ns per compartment-step | times rall's | load_mod to first step, CPU s | spikes |")
    print("|---|---|---|---|---|")
    for name, records in found.items():
        ns = median(records, "ns_per_cv_step")
        start = f"{median(records, 'build_cpu_s'):.2f}"
        print(f"| {name} | {ns:.1f} | {ns / base:.1f} | {start} | {records[0]['check']} |")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mods", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--duration", type=float, default=200.0)
    parser.add_argument("--dt", type=float, default=0.025, help="ms")
    parser.add_argument("--max-length", type=float, default=10.0, help="longest compartment, um")
    parser.add_argument("--method", default="second_order")
    parser.add_argument("--venvs", type=Path)
    parser.add_argument("--mech")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--core", default="0")
    asked = parser.parse_args()
    (compare if asked.venvs else measure)(asked)


if __name__ == "__main__":
    sys.exit(main())
