"""Channels are equations: names, units, values, sources."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.channels.channel import channel
from rall.equations import Equations
from rall.errors import RallError
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.units import amp, cm, hertz, meter, mS, mV, siemens, um, volt

FAMILIES = {"leak": channels.leak, "Na": channels.hh.Na, "K": channels.hh.K}


@pytest.fixture
def cell():
    def make(model):
        return SpatialNeuron(morphology=Cylinder(diameter=1 * um, length=30 * um, n=3), model=model)

    return make


@pytest.mark.parametrize("name", FAMILIES)
def test_every_name_carries_the_channels(name):
    equations = FAMILIES[name]()
    assert isinstance(equations, Equations)
    assert all(line.varname.endswith(f"_{name}") for line in equations.lines)
    other = FAMILIES[name](name="other2")
    assert all(line.varname.endswith("_other2") for line in other.lines)
    assert len(other.lines) == len(equations.lines)


@pytest.mark.parametrize("name", FAMILIES)
def test_units(name):
    equations = FAMILIES[name]()
    current = equations[f"I_{name}"]
    assert current.has("membrane current") and current.dimension is (amp / meter**2).dim
    assert equations[f"g_{name}"].dimension is (siemens / meter**2).dim
    assert equations[f"E_{name}"].dimension is volt.dim
    rates = [line for line in equations.lines if line.varname.startswith(("alpha", "beta"))]
    assert all(line.dimension is hertz.dim for line in rates)
    assert len(rates) == {"leak": 0, "Na": 4, "K": 2}[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_sources(name):
    assert any("Hodgkin" in source and "1952" in source for source in FAMILIES[name]().sources)


def test_channels_add_up():
    both = channels.leak() + channels.hh.Na() + channels.hh.K()
    assert {"I_leak", "I_Na", "I_K", "m_Na", "h_Na", "n_K"} <= set(both.names)
    assert set(both.diff_eq_names) == {"m_Na", "h_Na", "n_K"}
    assert len(both.sources) >= 2
    with pytest.raises(RallError):
        channels.leak() + channels.leak()
    twice = channels.leak() + channels.leak(name="other")
    assert {"I_leak", "I_other"} <= set(twice.names)


def test_usual_values(cell):
    model = cell(channels.leak() + channels.hh.Na() + channels.hh.K())
    usual = {"g_leak": 3, "g_Na": 1200, "g_K": 360}
    for name, value in usual.items():
        assert np.asarray(getattr(model, f"{name}_")) == pytest.approx(value)
    assert [float(getattr(model, f"E_{x}_")) for x in ("leak", "Na", "K")] == pytest.approx([-0.0543, 0.05, -0.077])


def test_values_of_the_users(cell):
    model = cell(
        channels.leak(g=0.1 * mS / cm**2, E=-70 * mV)
        + channels.hh.Na(g="100*mS/cm**2*exp(-distance/(20*um))", E=55 * mV, name="fast")
    )
    assert np.asarray(model.g_leak_) == pytest.approx(1)
    assert np.asarray(model.g_fast_) == pytest.approx(1000 * np.exp(-np.array([5, 15, 25]) / 20))
    assert model.E_fast == 55 * mV


def test_rest_of_the_squid(cell):
    """At -65 mV the three currents nearly cancel."""
    model = cell(channels.leak() + channels.hh.Na() + channels.hh.K())
    sums = []
    for v in (-66, -65, -64):
        model.initialise(v=v * mV)
        sums.append(float(np.asarray(model.Im_)[0]))
    assert sums[0] > 0 > sums[2]
    assert abs(sums[1]) < 0.05 * abs(sums[0] - sums[2])


def test_found_by_name():
    assert channels.__getattr__("leak") is channels.leak
    with pytest.raises(RallError, match="nonsense"):
        channels.nonsense()


@pytest.mark.parametrize("bad", ["", "a b", "a-b", "Na!"])
def test_names_that_cannot_be(bad):
    with pytest.raises(RallError):
        channels.leak(name=bad)


def test_a_channel_of_ones_own():
    made = channel(
        "I_X = g_X*s_X*(E_X - v) : amp/meter**2 (membrane current)\nds_X/dt = -s_X/(5*ms) : 1\n"
        "g_X : siemens/meter**2 (constant)\nE_X : volt (shared, constant)",
        "mine", "yours", {"g": 1 * mS / cm**2, "E": 0 * mV}, "unpublished",
    )  # fmt: skip
    assert set(made.names) == {"I_yours", "s_yours", "g_yours", "E_yours"}
    assert made.sources == ("unpublished",)
