"""NEURON's side of `layer5.py`: prints one JSON line.  Run with NEURON's Python; needs ../shared/peers."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = Path(os.environ.get("RALL_SHARED", HERE.parents[1] / ".." / "shared")).resolve() / "peers"
sys.path[:0] = [str(PEERS), str(HERE)]

import layer5_model as model  # noqa: E402
from common import Bench, spike_check, swc_sections  # noqa: E402
from neuron import h  # noqa: E402

REGION = {1: "soma", 2: "axon", 3: "dend", 4: "apic"}


def cell(pieces: list[object], tag: int, longest: float) -> list[object]:
    """Sections with their mechanisms."""
    made = []
    for k, piece in enumerate(pieces):
        section = h.Section(name=f"c{tag}_{k}")
        section.pt3dclear()
        for x, y, z, d in piece.points:
            section.pt3dadd(x, y, z, d)
        if piece.parent >= 0:
            section.connect(made[piece.parent](1), 0)
        section.nseg = piece.ncomp(longest)
        region = REGION[piece.kind]
        section.Ra, section.cm = model.RA, model.CM[region]
        section.insert("pas")
        section.g_pas, section.e_pas = model.G_PAS[region], model.E_PAS
        for mechanism, values in model.REGIONS.get(region, {}).items():
            section.insert(mechanism)
            for name, value in values.items():
                setattr(section, f"{name}_{mechanism}", value)
        for ion, potential in model.E_REV.items():
            if h.ismembrane(f"{ion}_ion", sec=section):
                setattr(section, f"e{ion}", potential)
        made.append(section)
    h.distance(0, made[0](0.5))
    for section, piece in zip(made, pieces):
        for segment in section if REGION[piece.kind] == "apic" else ():
            if not model.HOT[0] < h.distance(segment) < model.HOT[1]:
                for name, factor in model.COLD.items():
                    mechanism = getattr(segment, name.removeprefix("g").removesuffix("bar"))
                    setattr(mechanism, name, getattr(mechanism, name) * factor)
    return made


def main() -> None:
    """Build and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mech", required=True)
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--dt", type=float, default=0.025)
    parser.add_argument("--max-length", type=float, default=10.0)
    parser.add_argument("--tstop", type=float, default=200.0)
    asked = parser.parse_args()
    h.load_file("stdrun.hoc")
    h.nrn_load_dll(asked.mech)
    bench = Bench("neuron", "l5")
    pieces = swc_sections()
    cells = [cell(pieces, k, asked.max_length) for k in range(asked.cells)]
    clamps = []
    for sections in cells:
        clamp = h.IClamp(sections[0](0.5))
        clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, 0.8
        clamps.append(clamp)
    t, v = h.Vector().record(h._ref_t), h.Vector().record(cells[0][0](0.5)._ref_v)
    h.celsius, h.dt = 34.0, asked.dt
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.finitialize(model.V_INIT)
    bench.mark("build")
    context.psolve(asked.tstop)
    bench.mark("run")
    compartments = sum(section.nseg for sections in cells for section in sections)
    bench.out(compartments, round(asked.tstop / asked.dt), spike_check(t.as_numpy(), v.as_numpy()))


if __name__ == "__main__":
    main()
