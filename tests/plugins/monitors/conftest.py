"""What the tests of monitors share: a cell, a fresh session, each device."""

from __future__ import annotations

import pytest

from rall import channels
from rall.morphology import Cylinder, Soma
from rall.plugins.cable import SpatialNeuron
from rall.units import cm, nA, ohm, uF, um


@pytest.fixture
def morphology():
    """A soma, a dendrite of ten compartments with two twigs, an axon."""
    made = Soma(diameter=20 * um)
    made.dend = Cylinder(diameter=2 * um, length=200 * um, n=10)
    made.dend.one = Cylinder(diameter=1 * um, length=50 * um, n=3)
    made.dend.two = Cylinder(diameter=0.5 * um, length=60 * um, n=2)
    made.axon = Cylinder(diameter=1 * um, length=100 * um, n=5)
    return made


@pytest.fixture
def cell(morphology):
    """A cell that fires."""
    model = {
        "all": channels.leak() + "I : amp (point current)\nhot = v > -40*mV : boolean\nn : integer",
        "not dend": channels.hh.Na() + channels.hh.K(),
    }
    made = SpatialNeuron(
        morphology=morphology, model=model, Cm=1 * uF / cm**2, Ri=100 * ohm * cm, threshold="v > 0*mV",
        refractory="v > 0*mV",
    )  # fmt: skip
    made.initialise(v="-65*mV + 2*mV*sin(i)")
    made.n = "i*i"
    made.I[0] = 1 * nA
    return made
