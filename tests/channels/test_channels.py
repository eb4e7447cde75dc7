"""Channels are equations: names, units, values, sources."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.channels.channel import channel
from rall.equations import Equations
from rall.errors import EquationError, RallError, RallWarning
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.units import amp, cm, hertz, kelvin, meter, mM, mS, mV, second, siemens, um, uS, volt

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
    own = [line.varname for line in equations.lines if line.varname != "T"]  # all channels of a cell have one T
    assert all(varname.endswith(f"_{name}") for varname in own)
    other = FAMILIES[name](name="other2")
    assert all(line.varname.endswith("_other2") for line in other.lines if line.varname != "T")
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


hh, CaT = channels.hh, channels.destexhe.CaT


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: hh.Na(g=-1 * mS / cm**2), r"g_Na = -1 mS/cm2 of the channel 'Na': a conductance cannot be negative"),
        (lambda: hh.K(T=-3 * kelvin), r"T = -3 K of the channel 'K' is below absolute zero"),
        (lambda: hh.K(T=34), r"'T' is 34, but its line says kelvin"),
        (lambda: hh.K(E=float("nan") * mV), r"E_K = .*nan.* is not a finite number"),
        (lambda: hh.K(g=36 * mS), r"'g_K' is 36 mS, but its line says siemens/metre\*\*2"),
        (lambda: hh.K(q10=0), r"q10 = 0 of the channel 'K' has to be positive"),
        (lambda: CaT(p=-1 * cm / second), "permeability cannot be negative"),
        (lambda: CaT(Ca=-1 * mM, name="low"), r"Ca = -1 mM of the channel 'low': a concentration cannot be negative"),
        (lambda: channels.pospischil.M(tau_max=-1 * second), r"tau_max_M = -1 s .*a time cannot be negative"),
        (lambda: channels.leak(g=[-1, 1] * uS / cm**2), "g_leak = .*cannot be negative"),
    ],
)
def test_what_no_membrane_has_is_an_error(make, text):
    with pytest.raises(EquationError, match=text):
        make()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: hh.Na(g=120 * siemens / cm**2), r"g_Na = 120 S/cm2 of the channel 'Na' .* 0 mS/cm2 to 10 S/cm2"),
        (lambda: hh.K(T=34 * kelvin), r"T = 34 K .*273.15 K to 323.15 K.*34\*kelvin \+ zero_celsius"),
        (lambda: hh.K(E=-77 * volt, name="slow"), r"E_slow = -77 V of the channel 'slow' .* -150 mV to 200 mV"),
        (lambda: hh.K(q10=20), "q10 = 20 of the channel 'K' is outside of what is plausible, 1 to 6"),
        (lambda: CaT(Ca=2 * mM), "Ca = 2 mM"),
        (lambda: channels.traub_miles.Na(VT=10 * mV), r"VT_Na = 10 mV .* -90 mV to -30 mV"),
        (lambda: channels.wang_buzsaki.K(phi=0.5), "phi = 0.5 .* 1 to 20"),
    ],
)
def test_what_is_hardly_meant_is_a_warning_at_the_callers_line(make, text):
    with pytest.warns(RallWarning, match=text) as caught:
        make()
    assert caught[0].filename == __file__


def test_every_default_is_in_its_range(recwarn):
    for entry in channels.list():
        family, _, name = entry.name.partition(".")
        if entry.source:
            made = getattr(channels, family)
            (getattr(made, name) if name else made)()
    assert not recwarn.list


def test_texts_as_values_are_for_compartments(cell):
    made = cell(channels.leak(g="1*mS/cm**2*(1 + distance/(10*um))"))
    assert np.asarray(made.g_leak_) == pytest.approx(10 * (1 + np.array([0.5, 1.5, 2.5])))


def test_ranges_of_ones_own():
    text = "I_X = g_X*(k_X*mV - v) : amp/meter**2 (membrane current)\n"
    text += "g_X : siemens/meter**2 (constant)\nk_X : 1 (constant)"
    with pytest.warns(RallWarning, match="k_here = 7 of the channel 'here' is outside of what is plausible, 1 to 3"):
        channel(text, "mine", "here", {"g": 1 * mS / cm**2, "k": 7}, "unpublished", ranges={"k": (1, 3)})
    replaced = channel(text, "mine", "here", {"g": 1 * mS / cm**2, "k": 2}, "unpublished", fixed={"mV": 2.0})
    assert "2.0" in str(replaced["I_here"])
