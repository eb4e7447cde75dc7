"""Units of NMODL: what their texts mean and how equations spell them."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest

import rall.units.allunits as allunits
from rall.errors import EquationError
from rall.plugins.nmodl.syntax import Unit
from rall.plugins.nmodl.units import ONE, STANDARD, VOCABULARY, UnitTable, UnitValue
from rall.units import constants
from rall.units.dimension import get_or_create_dimension
from rall.units.quantity import dimension_of, value_of
from rall.units.table import lookup

_UNIT = UnitTable().unit


def _python_value(text):
    """The value of the text of a unit in Python."""
    names = {name: lookup(name) for name in text.replace("*", " ").replace("/", " ").split() if lookup(name)}
    return eval(text, {}, names)


@pytest.mark.parametrize(
    ("text", "spelled", "scale"),
    [
        ("mA/cm2", "mA/cm**2", 10), ("mho/cm2", "siemens/cm**2", 1e4), ("S/cm2", "siemens/cm**2", 1e4),
        ("uF/cm2", "uF/cm**2", 1e-2), ("/ms", "1/ms", 1e3), ("1/ms", "1/ms", 1e3), ("ms-1", "1/ms", 1e3),
        ("1 / ms", "1/ms", 1e3), ("/ms-mV", "1/ms/mV", 1e6), ("/ms/mV", "1/ms/mV", 1e6), ("/ms mV", "1/ms/mV", 1e6),
        ("1000/sec", "1/ms", 1e3), ("mM", "mM", 1), ("milli/liter", "mM", 1), ("/liter", "molar", 1e3),
        ("micro/liter", "uM", 1e-3), ("um", "um", 1e-6), ("micron", "um", 1e-6), ("micrometers", "um", 1e-6),
        ("um2", "um**2", 1e-12), ("degC", "kelvin", 1), ("coulombs", "coulomb", 1), ("kilocoulombs", "kcoulomb", 1e3),
        ("10000 coulomb", "10000*coulomb", 1e4), ("joule/degC", "joule/kelvin", 1), ("ohm-cm", "ohm*cm", 1e-2),
        ("megohm", "Mohm", 1e6), ("MOhm", "Mohm", 1e6), ("mV", "mV", 1e-3), ("millivolt", "mV", 1e-3),
        ("nA", "nA", 1e-9), ("pS", "psiemens", 1e-12), ("umho", "uS", 1e-6), ("uS", "uS", 1e-6), ("", "1", 1),
        ("1", "1", 1), ("%", "0.01", 0.01), ("mA-ms", "ucoulomb", 1e-6), ("mA/cm2/mM4", "mA/mM**4/cm**2", 10),
        ("/mM-s", "1/second/mM", 1), ("mol/cm2", "mole/cm**2", 1e4), ("coulomb/mole", "coulomb/mole", 1),
        ("1-10 um2/ms", "1e-10*um**2/ms", 1e-19), ("1e-10 um2/ms", "1e-10*um**2/ms", 1e-19), ("kHz", "1/ms", 1e3),
        ("hour", "3600000*ms", 3600), ("cm/s", "cm/second", 1e-2), ("s/s", "1", 1), ("mV^2", "mV**2", 1e-6),
        ("us/liter", "mM*ms", 1e-3), ("mM-mA/cm2", "mA*mM/cm**2", 10),
    ],
)  # fmt: skip
def test_texts(text, spelled, scale):
    unit = _UNIT(text)
    assert str(unit) == spelled
    assert unit.scale == pytest.approx(scale, rel=1e-15)
    assert str(UnitTable().unit(text)) == spelled


def test_equal_units_are_equal():
    assert _UNIT("mho/cm2") == _UNIT("S/cm2") == _UNIT("10 mS/cm2") * _UNIT("100")
    assert _UNIT("minute/minute-minute") == _UNIT("minute") / _UNIT("min") ** 2
    assert _UNIT("hour") == _UNIT("60 minute") == _UNIT("60 60 s")
    assert _UNIT("mV") != _UNIT("volt")
    assert (_UNIT("mM") ** Fraction("4.8")) / _UNIT("mM") ** 4 == _UNIT("mM") ** Fraction("0.8")
    assert (_UNIT("ms") ** Fraction(1, 3)) ** 3 == _UNIT("ms")


def test_definitions():
    table = UnitTable([
        Unit("mV", False, "millivolt"), Unit("molar", False, "1/liter"), Unit("mM", False, "millimolar"),
        Unit("mol", False, "1"), Unit("F", True, "faraday", "coulomb"), Unit("gate", False, "1"),
        Unit("flow", False, "10 mM/ms"), Unit("um", False, "micrometer"), Unit("mM", False, "millimole"),
    ])  # fmt: skip
    assert table.unit("mM") == _UNIT("mM") and table.unit("mM").dimension is lookup("mM").dim
    assert table.unit("flow") == _UNIT("10 mM/ms")
    assert table.unit("mol/cm2") == _UNIT("mole/cm2")
    assert table.unit("gate") is ONE or table.unit("gate") == ONE
    with pytest.raises(EquationError, match="'flow' in '\\(flow\\)' is no unit"):
        UnitTable().unit("flow")


@pytest.mark.parametrize(
    ("value", "unit", "number", "spelled", "name"),
    [
        ("faraday", "coulombs", 96485.33212331, "coulomb/mole", "faraday_constant"),
        ("faraday", "10000 coulomb", 9.648533212331, "10000*coulomb/mole", "faraday_constant"),
        ("faraday", "kilocoulombs", 96.48533212331, "kcoulomb/mole", "faraday_constant"),
        ("e-mole", "coul", 96485.33212331, "coulomb/mole", "faraday_constant"),
        ("k-mole", "joule/degC", 8.31446261815324, "joule/mole/kelvin", "gas_constant"),
        ("pi", "1", 3.141592653589793, "1", "pi"),
        ("k", "joule/degC", 1.380649e-23, "joule/kelvin", ""), ("e", "coulombs", 1.602176634e-19, "coulomb", ""),
        ("96500", "coul", 96500, "coulomb/mole", ""), ("8.3134", "joule/degC", 8.3134, "joule/mole/kelvin", ""),
        ("96485.309", "C/mol", 96485.309, "coulomb/mole", ""), (".0853", "mV/degC", 0.0853, "mV/kelvin", ""),
        ("12", "coulomb", 12, "coulomb", ""), ("micron", "cm", 1e-4, "cm", ""), ("2", None, 2, "1", ""),
    ],
)  # fmt: skip
def test_constants(value, unit, number, spelled, name):
    # The numbers are those that NEURON 9 compiles for these lines (its units of 2019).
    constant = UnitTable().constant(Unit("c", True, value, unit))
    assert constant.value == pytest.approx(number, rel=1e-14)
    assert (str(constant.unit), constant.name) == (spelled, name)
    if name and name != "pi":
        known = getattr(constants, name)
        assert constant.unit.quantity(constant.value) == pytest.approx(value_of(known), rel=1e-14)
        assert constant.unit.dimension is dimension_of(known)


@pytest.mark.parametrize(
    ("text", "word"),
    [("furlong/ms", "'furlong'"), ("mA/(cm2)", "'\\('"), ("mV;", "';'"), ("0 mV", "zero"),
     ("ms/xyz", "'xyz' in '\\(ms/xyz\\)'")],
)  # fmt: skip
def test_no_units(text, word):
    with pytest.raises(EquationError, match=word):
        _UNIT(text)


def test_what_neuron_gives():
    assert {name: str(unit) for name, unit in STANDARD.items()} == {
        "v": "mV", "t": "ms", "dt": "ms", "celsius": "kelvin", "area": "um**2", "diam": "um",
    }  # fmt: skip


def test_quantities():
    assert _UNIT("mA/cm2").quantity(0.3) == pytest.approx(0.3 * allunits.mamp / allunits.cmetre**2)
    assert value_of(_UNIT("mV").quantity(0.1)) == 0.1e-3  # rounded once
    assert _UNIT("min").quantity(2) == 120 * allunits.second


def test_texts_of_numbers():
    assert _UNIT("mV").times("55") == "55*mV"
    assert _UNIT("/ms-mV").times("0.010") == "0.010/ms/mV"
    assert _UNIT("1000").times("0.001") == "1"
    assert _UNIT("1000 mV").times("0.5") == "0.5*volt"
    assert _UNIT("100 mV").times("0.5") == "50*mV"
    assert (_UNIT("mV") ** Fraction(1, 2)).times("2") == "2*mV**0.5"
    assert str(_UNIT("mV") ** Fraction(1, 3)) == "mV**(1/3)"


def test_halves():
    for text in ("mV", "/ms-mV", "1000", "hour/m2", "1"):
        unit = _UNIT(text)
        dimension, scale = (UnitValue(code) for code in unit.halves())
        assert dimension * scale == unit
        assert dimension.scale == 1 and scale.is_dimensionless


def test_any_product_is_spelled_with_its_value():
    random.seed(1)
    words = ["mV", "ms", "mA", "nA", "cm", "um", "mM", "degC", "S", "pS", "uF", "joule", "coulomb", "mole", "kg", "ohm"]
    powers = [-3, -2, -1, 1, 2, 3, Fraction(1, 2), Fraction(-1, 3), Fraction("4.8")]
    for _ in range(300):
        unit = ONE
        for word in random.sample(words, random.randint(1, 4)):
            unit = unit * _UNIT(word) ** random.choice(powers)
        if unit.is_dimensionless:
            assert float(str(unit)) == pytest.approx(unit.scale)
            continue
        found = _python_value(str(unit))
        assert dimension_of(found).exponents == pytest.approx(unit.dimension.exponents, abs=1e-8), str(unit)
        assert value_of(found) == pytest.approx(unit.scale, rel=1e-9), str(unit)


def test_vocabulary():
    assert VOCABULARY["volt"].dimension is get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
    # Names are one unit each, whatever stands for them.
    for names in (("S", "mho", "siemens"), ("m", "meter", "metre"), ("degC", "K", "kelvin"), ("l", "liter", "litre")):
        for one, other in itertools.pairwise(names):
            assert VOCABULARY[one] == VOCABULARY[other]
