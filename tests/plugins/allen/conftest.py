"""What the tests of Allen models share: a small cell, and parameters in both layouts, with numbers of their own."""

from __future__ import annotations

import copy
import json

import pytest

# A soma; an axon of 90 um that becomes thinner and branches; a dendrite that branches; an apical dendrite.
SWC = """\
1 1 0 0 0 8 -1
2 2 0 -8 0 0.8 1
3 2 0 -38 0 0.8 2
4 2 0 -78 0 0.3 3
5 2 20 -98 0 0.2 4
6 2 -20 -98 0 0.2 4
7 3 8 0 0 1.2 1
8 3 58 0 0 0.9 7
9 3 98 30 0 0.5 8
10 3 98 -30 0 0.5 8
11 4 0 8 0 1.5 1
12 4 0 108 0 0.8 11
"""
REVERSAL = {"ena": 51.0, "ek": -101.0}


def gene(section, name, value, mechanism=""):
    return {"section": section, "name": name, "value": value, "mechanism": mechanism}


def channel(section, mechanism, value, parameter="gbar"):
    return gene(section, f"{parameter}_{mechanism}", value, mechanism)


SPIKING = [
    channel("soma", "NaTs", 0.4), channel("soma", "Kv3_1", 0.2), channel("soma", "SK", 2e-4),
    channel("soma", "Ca_HVA", 3e-4), channel("soma", "CaDynamics", 0.01, "gamma"),
    channel("soma", "CaDynamics", 120.0, "decay"),
]  # fmt: skip
PERISOMATIC = {
    "passive": [
        {
            "ra": 120.0, "e_pas": -78.5,
            "cm": [{"section": s, "cm": c} for s, c in (("soma", 1.0), ("axon", 1.0), ("dend", 1.5), ("apic", 1.5))],
        }
    ],
    "fitting": [{"junction_potential": -12.0, "sweeps": [7]}],
    "conditions": [{"celsius": 33.0, "v_init": -78.5, "erev": [{"section": "soma", **REVERSAL}]}],
    "genome": [*SPIKING, *(gene(s, "g_pas", 5e-5) for s in ("soma", "axon", "dend", "apic"))],
}  # fmt: skip
ALL_ACTIVE = {
    "passive": [{"ra": 100}],
    "fitting": [{"junction_potential": -14.0, "sweeps": [3]}],
    "conditions": [
        {"celsius": 34, "v_init": -82, "erev": [{"section": s, **REVERSAL} for s in ("soma", "axon", "dend", "apic")]}
    ],
    "genome": [
        *(
            gene(section, name, str(value))
            for section, values in {
                "soma": (1.1, 90.0, 1e-4, -79.0), "axon": (2.0, 110.0, 3e-4, -75.0), "dend": (1.6, 100.0, 8e-5, -81.0),
                "apic": (1.8, 130.0, 9e-5, -80.0),
            }.items()
            for name, value in zip(("cm", "Ra", "g_pas", "e_pas"), values)
        ),
        channel("soma", "NaV", "0.05"), channel("soma", "Kv3_1", "0.3"), channel("soma", "Ca_LVA", "0.002"),
        channel("soma", "CaDynamics", "0.02", "gamma"), channel("soma", "CaDynamics", "60", "decay"),
        channel("axon", "NaV", "0.06"), channel("axon", "Kd", "0.004"), channel("axon", "Kv2like", "0.03"),
        channel("dend", "NaV", "0.01"), channel("dend", "Im_v2", "0.001"), channel("apic", "Ih", "2e-5"),
        channel("apic", "Kv3_1", "0.1"),
    ],
}  # fmt: skip


@pytest.fixture
def swc(tmp_path):
    """The file of the small cell."""
    path = tmp_path / "cell.swc"
    path.write_text(SWC, encoding="utf-8")
    return path


@pytest.fixture
def perisomatic():
    """Parameters of a perisomatic model, to be changed at will."""
    return copy.deepcopy(PERISOMATIC)


@pytest.fixture
def all_active():
    """Parameters of an all-active model, to be changed at will."""
    return copy.deepcopy(ALL_ACTIVE)


@pytest.fixture
def written(tmp_path):
    """Write something as JSON."""

    def write(content, name="fit_parameters.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
        return path

    return write
