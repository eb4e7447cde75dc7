"""Populations of small cells, run by epochs, step by step and as NumPy operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from rall.devices import c as device_c
from rall.devices.compiler import find_compiler
from rall.devices.epochs import EpochPlan, plan_epochs
from rall.morphology import Cylinder, Morphology, Soma
from rall.plugins.cable import SpatialNeuronGroup
from rall.session import prefs, seed, start_scope
from rall.simulation import Network
from rall.units import cm, ms, mV, nA, ohm, uF, um

#: A leak, two ways to drive a cell, and something that counts.
MODEL = """
Im = 0.1*mS/cm**2*(-65*mV - v) : amp/meter**2
I : amp (point current)
I_syn = g*(0*mV - v) : amp (point current)
dg/dt = -g/(3*ms) : siemens
n : 1
"""


def shape(compartments: int = 4) -> Morphology:
    """A soma with one dendrite."""
    made = Soma(diameter=15 * um)
    made.dend = Cylinder(length=150 * um, diameter=2 * um, n=compartments)
    return made


def population(
    count: int = 24, model: object = MODEL, morphology: object = None, **keywords: Any
) -> SpatialNeuronGroup:
    """Cells of five compartments that spike where a current drives them, each with another one."""
    keywords = {"threshold": "v > -55*mV", "refractory": 2 * ms, "name": "cells",
                "Cm": 1 * uF / cm**2, "Ri": 100 * ohm * cm, **keywords}  # fmt: skip
    sizes = {} if isinstance(morphology, list) else {"n": count}
    cells = SpatialNeuronGroup(*sizes.values(), morphology=shape() if morphology is None else morphology,
                               model=model, **keywords)  # fmt: skip
    cells.v = -65 * mV
    cells.at("soma").I = np.linspace(0, 0.2, cells.n_cells) * nA
    return cells


@dataclass
class Made:
    """A network, what it gives, and how it is run."""

    objects: Sequence[Any]
    results: Callable[[], dict[str, Any]]
    run: Callable[[Network], object] = lambda network: network.run(10 * ms)


@dataclass
class Ways:
    """Runs what a function makes in different ways.

    Parameters
    ----------
    monkeypatch : fixture
        For the choice of the device.
    """

    monkeypatch: pytest.MonkeyPatch
    plans: list[EpochPlan | None] = field(default_factory=list)

    def __call__(self, make: Callable[[], Made], way: str, threads: int = 1) -> dict[str, np.ndarray]:
        """The results by name; the way is one of ``'epochs'``, ``'steps'`` and ``'numpy'``."""
        if way != "numpy" and find_compiler() is None:
            pytest.skip("no C compiler on this machine")

        def plan(*given: Any) -> EpochPlan | None:
            self.plans.append(plan_epochs(*given) if way == "epochs" else None)
            return self.plans[-1]

        self.plans = []
        self.monkeypatch.setattr(device_c, "plan_epochs", plan)
        prefs.codegen.target = "numpy" if way == "numpy" else "c"
        prefs.threads = threads
        start_scope()
        seed(11)
        made = make()
        made.run(Network(*made.objects))
        return {name: np.array(value, copy=True) for name, value in made.results().items()}

    def compare(self, make: Callable[[], Made], *, epochs: bool | None = True, threads: Sequence[int] = (2, 3),
                numpy: bool = True) -> dict[str, np.ndarray]:  # fmt: skip
        """Results by epochs, which are those step by step and those in several threads to the last bit.

        They are those of the NumPy device to rounding.  `epochs` says whether that is how the program is to run;
        None for either.
        """
        found = self(make, "epochs")
        assert self.plans and (epochs is None or all((plan is not None) == epochs for plan in self.plans)), self.plans
        others = [("steps", 1, True), *(("epochs", n, True) for n in threads), ("numpy", 1, False)]
        for way, count, exact in others[: None if numpy else -1]:
            for name, value in self(make, way, count).items():
                where = f"{name}, {way}, {count} threads"
                if exact or value.dtype.kind != "f":
                    np.testing.assert_array_equal(found[name], value, where)
                else:
                    scale = np.abs(value[np.isfinite(value)]).max(initial=0.0)
                    np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-10 * scale, err_msg=where)
        return found
