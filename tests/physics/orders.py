"""Measured orders of convergence: ``python tests/physics/orders.py [METHOD ...]`` prints a table in Markdown.

In time every case is compared with the same case at an eighth of the smallest step, at times that all steps share,
from the first millisecond on.  In space a case is compared with a closed form or with sixteen times the compartments.
The order is the base-2 logarithm of the ratio of the last two errors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import cases
import solutions

from rall.morphology import Cylinder, Soma
from rall.plugins.cable import SpatialNeuron
from rall.units import um

STEPS = (0.08, 0.04, 0.02, 0.01)
FINEST = STEPS[-1] / 8
SAMPLES = 0.08
HERE = "here : 1 (constant)\n"


@dataclass(frozen=True)
class Case:
    """Something to be run at several steps.

    Parameters
    ----------
    name : str
        For the table.
    make : callable
        From the name of a cable method to the cell.
    steps : tuple
        Of `cases.traces`.
    """

    name: str
    make: Callable[[str], SpatialNeuron]
    steps: tuple[tuple[float, Any, float], ...]


def _cable(extra: str, squid: bool = True) -> Callable[[str], SpatialNeuron]:
    """A soma with a cable; the channels are those of Hodgkin and Huxley or a leak."""

    def make(method: str) -> SpatialNeuron:
        morphology = Soma(diameter=15 * um)
        morphology.dend = Cylinder(diameter=1.5 * um, length=400 * um, n=40)
        if squid:
            cell = cases.squid(morphology, extra=extra, cable_method=method)
        else:
            cell = cases.passive(morphology, 5000, extra=extra, cable_method=method)
        if "here" in extra:
            cell.here[0] = 1
        return cell

    return make


def _bump(method: str) -> SpatialNeuron:
    cell = _cable(cases.POINT)(method)
    cell.initialise(v="-65*mV + 30*mV*exp(-(distance/(100*um))**2)")
    return cell


def _clamped(command: str, conductance: str = "10*uS") -> str:
    return f"I = here*{conductance}*({command} - v) : amp (point current)\n{HERE}"


SINE = f"I = here*0.2*nA*sin(2*pi*200*Hz*t) : amp (point current)\n{HERE}"
SWITCH = f"I = here*0.4*nA*int(t >= 1.6*ms) : amp (point current)\n{HERE}"
RECTIFIER = (
    f"I = here*0.2*nA*sin(2*pi*200*Hz*t) : amp (point current)\n{HERE}"
    "J = 0.05*mS/cm**2*8*mV*(1 - exp((v + 70*mV)/(8*mV))) : amp/meter**2 (membrane current)"
)
CONDUCTANCE = f"I = here*20*nS*sin(2*pi*100*Hz*t)**2*(0*mV - v) : amp (point current)\n{HERE}"

TIME = (
    Case("passive, sine", _cable(SINE, False), ((8, None, 0),)),
    Case("passive, current step", _cable(cases.POINT, False), ((1.6, None, 0), (3.2, 0, 0.4), (3.2, 0, 0))),
    Case("passive, conductance in time", _cable(CONDUCTANCE, False), ((8, None, 0),)),
    Case("passive, current not linear in v", _cable(RECTIFIER, False), ((8, None, 0),)),
    Case("HH, smooth start", _bump, ((8, None, 0),)),
    Case("HH, sine", _cable(SINE), ((8, None, 0),)),
    Case("HH, current step", _cable(cases.POINT), ((1.6, None, 0), (6.4, 0, 0.4))),
    Case("HH, current step in the equations", _cable(SWITCH), ((8, None, 0),)),
    Case("HH, stiff clamp", _cable(_clamped("(-25*mV)")), ((8, None, 0),)),
    Case("HH, stiff clamp with a ramp", _cable(_clamped("(-65*mV + 10*mV*t/ms)")), ((8, None, 0),)),
    Case("HH, stiff clamp with a sine", _cable(_clamped("(-55*mV + 20*mV*sin(2*pi*100*Hz*t))")), ((8, None, 0),)),
    Case("HH, very stiff clamp", _cable(_clamped("(-25*mV)", "1*mS")), ((8, None, 0),)),
)  # fmt: skip


def errors_in_time(case: Case, method: str = "second_order") -> list[tuple[float, float]]:
    """Step (ms) and largest error (mV) of v at the soma, halfway and at the tip."""

    def sampled(dt: float) -> np.ndarray:
        _, v = cases.traces(case.make(method), [0, 20, 40], list(case.steps), dt)
        every = round(SAMPLES / dt)
        return np.asarray(v[:, ::every][:, round(1 / SAMPLES) :])

    exact = sampled(FINEST)
    return [(dt, float(np.abs(sampled(dt) - exact).max())) for dt in STEPS]


def _steady(make: Callable[[int], Any], exact: np.ndarray, places: tuple[float, ...], current: float) -> Any:
    def run(n: int) -> float:
        morphology = make(n)
        cell = cases.passive(morphology, 20000)
        v = cases.steady(cell, 0, current, [morphology[x * um] for x in places]) + 70
        return float(np.abs(v - exact).max())

    return run


def _axon(n: int) -> np.ndarray:
    """An action potential that runs along an axon, at three places."""
    morphology = Cylinder(diameter=1 * um, length=800 * um, n=n)
    cell = cases.squid(morphology)
    cell.initialise(v="-65*mV + 60*mV*exp(-(distance/(100*um))**2)")
    places = [morphology[x * um] for x in (200, 400, 600)]
    _, v = cases.traces(cell, places, [(6, None, 0)], 0.02)
    return np.asarray(v[:, ::5])


def errors_in_space(name: str) -> list[tuple[int, float]]:
    """Compartments and largest error (mV)."""
    if name == "HH, running action potential":
        exact = _axon(3200)
        return [(n, float(np.abs(_axon(n) - exact).max())) for n in (50, 100, 200)]
    x = np.array([100.0, 200, 300, 400])
    cylinder = solutions.Passive(400, 2)
    run = {
        "cylinder, steady state": _steady(
            lambda n: Cylinder(diameter=2 * um, length=400 * um, n=n), cylinder.steady(x, 0.05), tuple(x), 0.05
        ),
        "tapered cable, steady state": _steady(
            cases.cone, solutions.tapered(x, 0.05, (4.0, 0.6), 400, 150, 20000), tuple(x), 0.05
        ),
    }[name]
    return [(n, run(n)) for n in (20, 40, 80)]


SPACE = ("cylinder, steady state", "tapered cable, steady state", "HH, running action potential")


def order(rows: list[Any]) -> float:
    """Base-2 logarithm of the ratio of the last two errors."""
    return float(np.log2(rows[-2][1] / rows[-1][1]))


def main(methods: list[str]) -> None:
    """Print the tables."""
    for method in methods:
        print(f"\nError in time (mV), `cable_method='{method}'`, at steps of {', '.join(map(str, STEPS))} ms\n")
        print("| case | " + " | ".join(f"{dt} ms" for dt in STEPS) + " | order |")
        print("| --- |" + " --- |" * (len(STEPS) + 1))
        for case in TIME:
            rows = errors_in_time(case, method)
            print(f"| {case.name} | " + " | ".join(f"{e:.2e}" for _, e in rows) + f" | {order(rows):.2f} |")
    print("\nError in space (mV), default method\n")
    print("| case | compartments: error | | | order |")
    print("| --- | --- | --- | --- | --- |")
    for name in SPACE:
        rows = errors_in_space(name)
        print(f"| {name} | " + " | ".join(f"{n}: {e:.2e}" for n, e in rows) + f" | {order(rows):.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["second_order", "backward_euler"])
