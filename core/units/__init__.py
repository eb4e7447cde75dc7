"""Physical units: ``3*mV``, arithmetic that checks dimensions, display in the units of the field.

`rall.units.allunits` has every unit, `rall.units.constants` the physical constants.
"""

# The two star imports bring exactly the names that `__all__` lists below (a test compares them).
# ruff: noqa: F403, F405

from __future__ import annotations

from rall.errors import DimensionMismatchError
from rall.units import allunits as allunits
from rall.units import arrayfunctions, ufuncs
from rall.units import constants as constants
from rall.units.checks import (
    check_units,
    fail_for_dimension_mismatch,
    get_dimensions,
    have_same_dimensions,
    in_best_unit,
    in_unit,
    is_dimensionless,
    is_scalar_type,
    quantity_with_dimensions,
)
from rall.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension
from rall.units.functions import *
from rall.units.quantity import Quantity, dimension_of, value_of
from rall.units.stdunits import *
from rall.units.table import get_best_unit, get_unit, lookup, register_new_unit
from rall.units.unit import Unit

arrayfunctions.register()
ufuncs.register()

__all__ = [
    "DIMENSIONLESS", "Dimension", "DimensionMismatchError", "Gamp", "Gcoulomb", "Gfarad", "Ggram",
    "Ggramme", "Ghertz", "Gjoule", "Gliter", "Glitre", "Gmeter", "Gmetre", "Gmolar", "Gmole", "Gohm",
    "Gpascal", "Gsecond", "Gsiemens", "Gvolt", "Gwatt", "Hz", "MHz", "Mamp", "Mcoulomb", "Mfarad", "Mgram",
    "Mgramme", "Mhertz", "Mjoule", "Mliter", "Mlitre", "Mmeter", "Mmetre", "Mmolar", "Mmole", "Mohm",
    "Mpascal", "Msecond", "Msiemens", "Mvolt", "Mwatt", "Quantity", "Tamp", "Tcoulomb", "Tfarad", "Tgram",
    "Tgramme", "Thertz", "Tjoule", "Tliter", "Tlitre", "Tmeter", "Tmetre", "Tmolar", "Tmole", "Tohm",
    "Tpascal", "Tsecond", "Tsiemens", "Tvolt", "Twatt", "Unit", "amp", "arange", "arccos", "arccosh",
    "arcsin", "arcsinh", "arctan", "arctanh", "ceil", "check_units", "clip", "cm", "cm2", "cm3", "cmeter",
    "cmetre", "cos", "cosh", "coulomb", "diagonal", "dimension_of", "dot", "exp", "expm1", "exprel",
    "fail_for_dimension_mismatch", "farad", "floor", "get_best_unit", "get_dimensions",
    "get_or_create_dimension", "get_unit", "gram", "gramme", "have_same_dimensions", "hertz",
    "in_best_unit", "in_unit", "is_dimensionless", "is_scalar_type", "joule", "kHz", "kamp", "kcoulomb",
    "kelvin", "kfarad", "kgram", "kgramme", "khertz", "kilogram", "kjoule", "kliter", "klitre", "kmeter",
    "kmetre", "kmolar", "kmole", "kohm", "kpascal", "ksecond", "ksiemens", "kvolt", "kwatt", "linspace",
    "liter", "litre", "log", "log1p", "log10", "lookup", "mA", "mM", "mS", "mV", "mamp", "mcoulomb",
    "meter", "metre", "mfarad", "mgram", "mgramme", "mhertz", "mjoule", "mliter", "mlitre", "mm", "mm2",
    "mm3", "mmeter", "mmetre", "mmolar", "mmole", "mohm", "molar", "mole", "mpascal", "ms", "msecond",
    "msiemens", "mvolt", "mwatt", "nA", "nF", "nM", "nS", "namp", "ncoulomb", "nfarad", "ngram", "ngramme",
    "nhertz", "njoule", "nliter", "nlitre", "nmeter", "nmetre", "nmolar", "nmole", "nohm", "npascal",
    "nsecond", "nsiemens", "nvolt", "nwatt", "ohm", "ones_like", "pA", "pF", "pamp", "pascal", "pcoulomb",
    "pfarad", "pgram", "pgramme", "phertz", "pjoule", "pliter", "plitre", "pmeter", "pmetre", "pmolar",
    "pmole", "pohm", "ppascal", "psecond", "psiemens", "ptp", "pvolt", "pwatt", "quantity_with_dimensions",
    "ravel", "register_new_unit", "second", "siemens", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
    "trace", "uA", "uF", "uM", "uS", "uamp", "ucoulomb", "ufarad", "ugram", "ugramme", "uhertz", "ujoule",
    "uliter", "ulitre", "um", "um2", "um3", "umeter", "umetre", "umolar", "umole", "uohm", "upascal", "us",
    "usecond", "usiemens", "uvolt", "uwatt", "value_of", "volt", "watt", "where", "zeros_like",
]  # fmt: skip
