"""What the tests of cells share: small morphologies, models, a fresh session."""

from __future__ import annotations

import pytest

from rall import channels
from rall.morphology import Cylinder, Morphology, Soma
from rall.plugins.cable import SpatialNeuron, SpatialNeuronGroup
from rall.units import cm, mS, mV, ohm, uF, um

SWC = """\
1 1 0 0 0 5 -1
2 3 6 0 0 1 1
3 3 20 0 0 0.9 2
4 3 60 5 0 0.7 3
5 4 60 -5 0 0.6 3
6 3 120 12 0 0.5 4
7 4 162 -11 0 0.4 5
8 2 -6 0 0 0.5 1
9 2 -60 0 0 0.4 8
10 3 0 8 0 0.8 1
11 3 0 80 0 0.4 10
"""


@pytest.fixture
def tree(tmp_path) -> Morphology:
    """A soma, a dendrite that changes its type at a branch point, another dendrite, an axon: 10 um compartments."""
    path = tmp_path / "cell.swc"
    path.write_text(SWC)
    return Morphology.from_file(path).discretize(max_length=10 * um)


@pytest.fixture
def stick() -> Morphology:
    """A soma with one dendrite of ten compartments and an axon of five."""
    morphology = Soma(diameter=20 * um)
    morphology.dend = Cylinder(diameter=2 * um, length=200 * um, n=10)
    morphology.axon = Cylinder(diameter=1 * um, length=100 * um, n=5)
    return morphology


@pytest.fixture
def cell_of():
    """Make a cell of a morphology and a model, with usual constants."""

    def make(morphology, model, **keywords):
        keywords.setdefault("Cm", 1 * uF / cm**2)
        keywords.setdefault("Ri", 100 * ohm * cm)
        return SpatialNeuron(morphology=morphology, model=model, **keywords)

    return make


@pytest.fixture
def group_of():
    """Make a group of cells of a morphology (with a number) or of several, with usual constants."""

    def make(morphology, model, number=None, **keywords):
        keywords.setdefault("Cm", 1 * uF / cm**2)
        keywords.setdefault("Ri", 100 * ohm * cm)
        return SpatialNeuronGroup(number, morphology=morphology, model=model, **keywords)

    return make


@pytest.fixture
def bare() -> Morphology:
    """A dendrite without a soma, which branches."""
    morphology = Cylinder(diameter=3 * um, length=50 * um, n=3, type="dend")
    morphology.L = Cylinder(diameter=1 * um, length=80 * um, n=4)
    morphology.R = Cylinder(diameter=1 * um, length=60 * um, n=2)
    return morphology


@pytest.fixture
def squid():
    """The standard model, with a point current I."""
    return (
        channels.leak(g=0.3 * mS / cm**2, E=-54.3 * mV) + channels.hh.Na() + channels.hh.K()
        + "I : amp (point current)"
    )  # fmt: skip
