"""Functions that NMODL knows by itself: how many arguments they take, and those of ions."""

import numpy as np
import pytest

from rall import Cylinder, NmodlError, SpatialNeuron, channels, cm, mV, ohm, uF, um
from rall.plugins.nmodl.load import mechanism_of
from rall.plugins.nmodl.parser import parse

CALCIUM = """
NEURON { SUFFIX perm USEION ca READ cai, cao WRITE ica RANGE p, e }
UNITS { (mM) = (milli/liter) (mV) = (millivolt) (mA) = (milliamp) }
PARAMETER { p = 1e-4 (cm/s) celsius (degC) }
ASSIGNED { v (mV) ica (mA/cm2) cai (mM) cao (mM) e (mV) }
BREAKPOINT {
    e = nernst(cai, cao, 2)
    ica = p*ghk(v, cai, cao, 2) + 0*(v - e)
}
"""
RATE = """
NEURON { SUFFIX rate NONSPECIFIC_CURRENT i }
ASSIGNED { v (mV) i (mA/cm2) a }
STATE { n }
BREAKPOINT { SOLVE states METHOD cnexp
    i = n*v
}
DERIVATIVE states { a = CALL
    n' = a - n
}
"""


def test_ghk_and_nernst_of_neuron():
    equations = mechanism_of(parse(CALCIUM, "perm.mod"))(celsius=34)
    cell = SpatialNeuron(Cylinder(diameter=10 * um, length=10 * um), equations + channels.leak(), Cm=1 * uF / cm**2,
                         Ri=100 * ohm * cm)  # fmt: skip
    volt = 8.314462618 * 307.15 / 96485.33212
    for v in (-80.0, -30.0, 0.0, 40.0):
        cell.v = v * mV
        u = 2 * v * 1e-3 / volt
        share = 1.0 if u == 0 else u / -np.expm1(-u)
        outward = 1e-6 * 2 * 96485.33212 * share * (5e-5 - 2 * np.exp(-u))  # m/s, C/mol, mol/m3
        assert cell.I_perm_[0] == pytest.approx(-outward, rel=1e-9)
    assert cell.e_perm_[0] == pytest.approx(volt / 2 * np.log(2 / 5e-5), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [("1/(exp() - 1)", "'exp' takes 1 argument, not 0"), ("log(1, 2)", "'log' takes 1 argument, not 2"),
     ("pow(2)", "'pow' takes 2 arguments, not 1"), ("fabs()", "'fabs' takes 1 argument, not 0"),
     ("nernst(1, 2)", "'nernst' takes 3 arguments, not 2"), ("ghk(v, 1, 2)", "'ghk' takes 4 arguments, not 3")],
)  # fmt: skip
def test_wrong_numbers_of_arguments(call, wanted):
    with pytest.raises(NmodlError, match=wanted) as caught:
        mechanism_of(parse(RATE.replace("CALL", call), "rate.mod"))
    assert (caught.value.file, caught.value.line) == ("rate.mod", 8)
