"""CONSERVE beside COMPARTMENT: what is kept is the sum of amounts."""

import pytest

from rall import Cylinder, Network, SpatialNeuron, channels, cm, defaultclock, ms, ohm, uF, um
from rall.plugins.nmodl.load import mechanism_of
from rall.plugins.nmodl.parser import parse

POOL = """
NEURON { SUFFIX pool NONSPECIFIC_CURRENT i RANGE a, b }
UNITS { (mA) = (milliamp) (um) = (micron) }
PARAMETER { size = 3 (um3) }
ASSIGNED { i (mA/cm2) }
STATE { a b }
INITIAL { a = 1 }
BREAKPOINT { SOLVE scheme METHOD sparse
    i = 0
}
KINETIC scheme {
    COMPARTMENT size {a b}
    ~ a <-> b (0.2*size, 0.1*size)
    CONSERVE a + b = size*1
}
"""


def test_amounts_are_kept(target):
    defaultclock.dt = 0.02 * ms
    equations = mechanism_of(parse(POOL, "pool.mod"))()
    cell = SpatialNeuron(Cylinder(diameter=10 * um, length=10 * um), equations + channels.leak(), Cm=1 * uF / cm**2,
                         Ri=100 * ohm * cm)  # fmt: skip
    cell.a_pool = 0.3
    assert cell.b_pool[0] == pytest.approx(0.7)
    Network(cell).run(60 * ms)
    assert cell.a_pool[0] == pytest.approx(1 / 3, rel=1e-6)
    assert cell.b_pool[0] == pytest.approx(2 / 3, rel=1e-6)
