"""Dimensions, the vocabulary of units, constants and how quantities are shown."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import rall.units
from rall.units import (
    DIMENSIONLESS,
    Dimension,
    DimensionMismatchError,
    Quantity,
    Unit,
    allunits,
    constants,
    get_best_unit,
    get_or_create_dimension,
    get_unit,
    lookup,
    register_new_unit,
    stdunits,
)
from rall.units.table import all_names

STAR = {}
exec("from rall.units import *", STAR)


def quantity(text: str) -> Quantity:
    return eval(text, {**STAR, "np": np})


class TestDimension:
    def test_interned(self):
        a = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
        assert a is get_or_create_dimension((2, 1, -3, -1, 0, 0, 0))
        assert a is get_or_create_dimension(m=2, kg=1, s=-3, A=-1)
        assert a is get_or_create_dimension(metre=2, kilogram=1, second=-3, amp=-1)
        assert a is STAR["volt"].dim
        assert pickle.loads(pickle.dumps(a)) is a
        assert copy.deepcopy(a) is a and copy.copy(a) is a
        assert eval(repr(a)) is a

    def test_arithmetic(self):
        metre, second = STAR["metre"].dim, STAR["second"].dim
        assert metre / metre is DIMENSIONLESS
        assert (metre * second) / second is metre
        assert (metre**2) ** 0.5 is metre
        assert (second ** (1 / 3)) ** 3 is second
        assert metre**0 is DIMENSIONLESS and DIMENSIONLESS.is_dimensionless and not metre.is_dimensionless
        assert (second**-0.5).get_dimension("time") == -0.5

    def test_broken_powers_meet_again(self):
        volt = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
        assert volt**4.8 is get_or_create_dimension(length=9.6, mass=4.8, time=-14.4, current=-4.8)
        assert volt**1.3 / volt**0.3 is volt
        assert (volt * volt) ** 4.7 is volt**4.7 * volt**4.7

    def test_immutable(self):
        with pytest.raises(AttributeError):
            STAR["metre"].dim.exponents = (0,) * 7

    def test_wrong_input(self):
        with pytest.raises(ValueError, match="no base dimension 'lenght'"):
            get_or_create_dimension(lenght=1)
        with pytest.raises(ValueError, match="7 exponents"):
            get_or_create_dimension((1, 2))
        with pytest.raises(TypeError):
            get_or_create_dimension((1, 0, 0, 0, 0, 0, 0), length=1)
        with pytest.raises(TypeError):
            STAR["metre"].dim * 3

    @pytest.mark.parametrize(
        ("unit", "text"),
        [
            ("volt", "volt"),
            ("siemens/metre**2", "siemens/metre**2"),
            ("amp/metre**2", "amp/metre**2"),
            ("farad/metre**2", "farad/metre**2"),
            ("ohm*metre", "ohm*metre"),
            ("metre**2/second", "metre**2/second"),
            ("mole/metre**3", "mole/metre**3"),
            ("second**-0.5", "second**-0.5"),
            ("volt/second", "volt/second"),
            ("volt*second**-0.5", "volt/second**0.5"),
            ("1/second", "hertz"),
            ("1/second/volt", "volt**-1*second**-1"),
            ("volt**2", "volt**2"),
        ],
    )
    def test_text_names_what_the_field_names(self, unit, text):
        dim = quantity(unit).dim
        assert str(dim) == text
        assert quantity(str(dim)).dim is dim

    def test_text_of_no_dimension(self):
        assert str(DIMENSIONLESS) == "1"


class TestVocabulary:
    def test_lookup(self):
        assert lookup("mV") is lookup("mvolt") is STAR["mV"] is STAR["mvolt"]
        assert lookup("cm2") is lookup("cmetre2")
        for missing in ("V", "s", "m", "", "mmV", "kkilogram", "cm4", "celsius", "volt4", "2"):
            assert lookup(missing) is None

    def test_every_name_is_a_unit_with_the_right_value(self):
        names = all_names()
        assert len(names) == len(set(names)) > 1700
        assert set(names) == set(dir(allunits))
        for name in names:
            unit = lookup(name)
            assert type(unit) is Unit
            assert unit is lookup(name)
            assert unit.name == name or lookup(unit.name) is unit

    @pytest.mark.parametrize(
        ("name", "value", "base"),
        [
            ("mvolt", 1e-3, "volt"), ("Gohm", 1e9, "ohm"), ("damp", 1e-1, "amp"), ("daampere", 10, "amp"),
            ("hpascal", 100, "pascal"), ("umole", 1e-6, "mole"), ("umol", 1e-6, "mole"),
            ("gram", 1e-3, "kilogram"), ("mgram", 1e-6, "kilogram"), ("cmetre2", 1e-4, "metre**2"),
            ("nmetre3", 1e-27, "metre**3"), ("litre", 1e-3, "metre**3"), ("mliter", 1e-6, "metre**3"),
            ("molar", 1e3, "mole/metre**3"), ("mM", 1, "mole/metre**3"), ("uM", 1e-3, "mole/metre**3"),
            ("fsiemens", 1e-15, "siemens"), ("Ysecond", 1e24, "second"), ("MHz", 1e6, "hertz"),
            ("weber", 1, "volt*second"), ("tesla", 1, "volt*second/metre**2"), ("henry", 1, "ohm*second"),
            ("gray", 1, "joule/kilogram"), ("katal", 1, "mole/second"), ("lux", 1, "allunits.lumen/metre**2"),
            ("newton", 1, "joule/metre"), ("becquerel", 1, "hertz"), ("radian", 1, "allunits.steradian"),
        ],
    )  # fmt: skip
    def test_values(self, name, value, base):
        unit = getattr(allunits, name)
        assert unit.value == value
        assert unit.dim is eval(base, {**STAR, "allunits": allunits}).dim

    def test_derived_units_agree_with_their_definitions(self):
        for text in (
            "volt == joule/coulomb", "ohm == volt/amp", "siemens == 1/ohm", "farad == coulomb/volt",
            "watt == joule/second", "coulomb == amp*second", "pascal == joule/metre**3", "hertz == 1/second",
        ):  # fmt: skip
            left, right = text.split(" == ")
            assert quantity(left).dim is quantity(right).dim
            assert quantity(left).value == pytest.approx(quantity(right).value)

    def test_star_import_names(self):
        for name in stdunits.__all__:
            assert STAR[name] is lookup(name), name
        assert len(stdunits.__all__) == len(set(stdunits.__all__)) == 203
        assert not [name for name in STAR if len(name) == 1]
        assert set(stdunits.__all__) | set(rall.units.functions.__all__) <= set(rall.units.__all__)
        for name in rall.units.__all__:
            assert hasattr(rall.units, name)
        assert {"Quantity", "Unit", "get_unit", "check_units", "exprel", "arange"} <= set(STAR)

    def test_allunits_rejects_other_names(self):
        with pytest.raises(AttributeError, match="no unit 'mfurlong'"):
            _ = allunits.mfurlong
        with pytest.raises(ImportError):
            exec("from rall.units.allunits import V")

    def test_nothing_but_numpy_is_loaded(self):
        code = (
            "import sys, rall.units; "
            "heavy = {'scipy', 'sympy', 'jinja2', 'matplotlib', 'numpy.fft'} & set(sys.modules); "
            "from rall.units import table; print(sorted(heavy), len(table._made) < 300)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        heavy, few = done.stdout.rsplit(maxsplit=1)
        assert few == "True"
        assert "scipy" not in heavy and "sympy" not in heavy and "matplotlib" not in heavy


class TestUnit:
    def test_names_compose(self):
        unit = quantity("msiemens/cm**2")
        assert type(unit) is Unit
        assert (unit.name, unit.dispname, str(unit)) == ("msiemens/cmetre**2", "mS/cm2", "mS/cm2")
        assert quantity("mV*ms").dispname == "mV ms"
        assert quantity("um*um").name == "umetre2" and quantity("um*um") == quantity("um2")
        assert quantity("ohm*cm").scale == -2
        assert r"\mathrm{cm}^{-2}" in unit.latexname

    def test_product_with_a_number_is_a_quantity(self):
        assert type(quantity("5*mV")) is Quantity
        assert type(quantity("mV*5")) is Quantity
        assert type(quantity("1/ms")) is Quantity
        assert quantity("ms/second") == 1e-3
        assert type(quantity("ms*Hz")) is float

    def test_angles_are_numbers(self):
        assert type(3 * allunits.radian) is float

    def test_new_units(self):
        hour = Unit(3600.0, STAR["second"].dim, "hour", "h")
        assert 2 * hour == 7200 * STAR["second"]
        assert str(STAR["metre"] / hour) == "m/h"
        assert (STAR["metre"] / hour).value == pytest.approx(1 / 3600)
        parsec = Unit.create(STAR["metre"].dim, "parsec", "pc", scale=16)
        assert Unit.create_scaled_unit(parsec, "k").value == 1e19
        assert Unit.create_scaled_unit(parsec, "k").name == "kparsec"

    def test_get_unit(self):
        for text in ("volt", "siemens/metre**2", "second**-0.5", "mole/metre**3", "1/second/volt"):
            dim = quantity(text).dim
            assert get_unit(dim).dim is dim and get_unit(dim).value == 1
        assert str(get_unit(DIMENSIONLESS)) == "1"

    def test_get_best_unit(self):
        best = get_best_unit(quantity("3e-9*siemens"))
        assert best == STAR["nS"] and str(best) == "nS"


SHOWN = [
    ("0.3*msiemens/cmetre**2", "0.3 mS/cm2"), ("120*msiemens/cm**2", "120 mS/cm2"), ("100*Mohm", "100 Mohm"),
    ("150*ohm*cm", "150 ohm cm"), ("1*uF/cm**2", "1 uF/cm2"), ("0.9*uF/cm**2", "0.9 uF/cm2"),
    ("-65*mV", "-65 mV"), ("20*um", "20 um"), ("3*nA", "3 nA"), ("0.5*nA", "0.5 nA"), ("10*Hz", "10 Hz"),
    ("0.1*mM", "0.1 mM"), ("140*mM", "140 mM"), ("50*nM", "50 nM"), ("5*um2", "5 um2"),
    ("220*um**2/second", "220 um2/s"), ("1/ms", "1 /ms"), ("4/ms/mV", "4 /ms/mV"),
    ("70*uA/cm**2", "70 uA/cm2"), ("3*mA/cm**2", "3 mA/cm2"), ("[1, 2, 3]*mV", "[1. 2. 3.] mV"),
    ("np.arange(3)*nS", "[0. 1. 2.] nS"), ("0.1*ms", "0.1 ms"), ("0.025*ms", "0.025 ms"), ("2*second", "2 s"),
    ("0*volt", "0 mV"), ("200*pF", "200 pF"), ("5*mV/ms", "5 mV/ms"), ("20000*ohm*cm**2", "20 kohm cm2"),
    ("310*kelvin", "310 K"), ("2*joule", "2 J"), ("1e-7*coulomb", "100 nC"), ("3*volt**2", "3 V2"),
    ("4*mV**2", "4 mV2"), ("100*nM", "100 nM"),
    ("1500*um", "1500 um"), ("3*mV/ms**0.5", "3 mV/ms^0.5"),
    ("3*amp**3", "3 A3"), ("np.inf*volt", "inf mV"), ("Quantity(3)", "3"),
]  # fmt: skip


class TestDisplay:
    @pytest.mark.parametrize(("text", "shown"), SHOWN)
    def test_units_of_the_field(self, text, shown):
        assert str(quantity(text)) == shown

    @pytest.mark.parametrize("text", [text for text, _ in SHOWN if "np." not in text and "[" not in text])
    def test_repr_evaluates(self, text):
        x = quantity(text)
        names = {name: lookup(name) for name in all_names()}
        again = eval(repr(x), {**names, "Quantity": Quantity})
        assert again.dim is x.dim
        assert again.value == pytest.approx(x.value, rel=2e-15)

    def test_repr(self):
        assert repr(quantity("-65*mV")) == "-65*mvolt"
        assert repr(quantity("[1, 2]*mV")) == "array([1., 2.])*mvolt"
        assert repr(quantity("mV")) == "mvolt"
        assert repr(quantity("3/ms")) == "3/msecond"

    def test_in_unit(self):
        x = quantity("3*mV")
        assert x.in_unit(STAR["uvolt"]) == "3000 uV"
        assert quantity("1*volt/3").in_unit(STAR["mV"], precision=4) == "333.3333 mV"
        assert x.in_best_unit() == "3 mV" and quantity("1*volt/3").in_best_unit(3) == "333.333 mV"
        with pytest.raises(DimensionMismatchError):
            x.in_unit(STAR["nA"])

    def test_format(self):
        assert f"{quantity('3.14159*mV'):.2f}" == "3.14 mV"
        assert f"{quantity('3*mV')}" == "3 mV"
        assert f"{STAR['mV']:>4}" == "  mV"

    def test_notebooks(self):
        assert quantity("-65*mV")._repr_latex_() == r"$-65\,\mathrm{mV}$"
        assert r"\Omega" in quantity("3*Mohm")._repr_latex_()
        assert r"\mu" in quantity("3*um")._repr_latex_()
        assert quantity("[1, 2]*mV")._repr_latex_() is None
        assert quantity("-65*mV")._repr_html_() == "-65 mV"

    def test_registered_unit_is_preferred(self):
        code = (
            "from rall.units import *; from rall.units.allunits import *\n"
            "x = 1.5*pfarad/mmetre**2; before = str(x); register_new_unit(pfarad/mmetre**2); "
            "print(before, '|', x)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "0.00015 uF/cm2 | 1.5 pF/mm2"
        assert callable(register_new_unit)


class TestConstants:
    def test_codata_2018(self):
        c = constants
        assert c.elementary_charge.value == 1.602176634e-19
        assert c.avogadro_constant.value == 6.02214076e23
        assert c.zero_celsius == 273.15 * STAR["kelvin"]

    def test_they_hang_together(self):
        c = constants
        for whole, product in (
            (c.faraday_constant, c.elementary_charge * c.avogadro_constant),
            (c.gas_constant, c.boltzmann_constant * c.avogadro_constant),
        ):
            assert whole.dim is product.dim
            assert whole.value == pytest.approx(product.value, rel=1e-12)
        light = (c.electric_constant * c.magnetic_constant) ** -0.5
        assert light.dim is (STAR["metre"] / STAR["second"]).dim
        assert light.value == pytest.approx(299792458, rel=1e-9)
        thermal = c.gas_constant * (c.zero_celsius + 37 * STAR["kelvin"]) / c.faraday_constant
        assert str(thermal)[:7] == "26.7266" and thermal.dim is STAR["volt"].dim

    def test_all_names(self):
        assert len(constants.__all__) == 10
        assert all(isinstance(getattr(constants, name), Quantity) for name in constants.__all__)


def test_dimension_of_dimension():
    assert isinstance(STAR["volt"].dim, Dimension)
    assert rall.units.have_same_dimensions(STAR["volt"].dim, 3 * STAR["mV"])
