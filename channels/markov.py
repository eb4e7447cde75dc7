"""Channels whose states are a kinetic scheme."""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mS, ms, mV

__all__ = ["Na"]

_SOURCE = "Carter, Giessel, Sabatini & Bean, Neuron 75:1081 (2012), as in the cells of the Allen Cell Types Database"

# Four voltage sensors move one by one.  Each that has moved makes inactivation faster by A = 2.51, recovery slower by
# B = 5.32; those of an inactivated channel move in the same proportions.
_TEXT = """
C1_X <-> C2_X : 4*alpha_X, beta_X
C2_X <-> C3_X : 3*alpha_X, 2*beta_X
C3_X <-> C4_X : 2*alpha_X, 3*beta_X
C4_X <-> C5_X : alpha_X, 4*beta_X
C5_X <-> O_X : q_X*opening_X, q_X*closing_X
I1_X <-> I2_X : 4*alpha_X*2.51, beta_X/5.32
I2_X <-> I3_X : 3*alpha_X*2.51, 2*beta_X/5.32
I3_X <-> I4_X : 2*alpha_X*2.51, 3*beta_X/5.32
I4_X <-> I5_X : alpha_X*2.51, 4*beta_X/5.32
I5_X <-> I6_X : q_X*opening_X, q_X*closing_X
C1_X <-> I1_X : q_X*inactivation_X, q_X*recovery_X
C2_X <-> I2_X : q_X*inactivation_X*2.51, q_X*recovery_X/5.32
C3_X <-> I3_X : q_X*inactivation_X*2.51**2, q_X*recovery_X/5.32**2
C4_X <-> I4_X : q_X*inactivation_X*2.51**3, q_X*recovery_X/5.32**3
C5_X <-> I5_X : q_X*inactivation_X*2.51**4, q_X*recovery_X/5.32**4
O_X <-> I6_X : q_X*locking_X, q_X*unlocking_X
I_X = g_X*O_X*(E_Na - v) : amp/meter**2 (membrane current, ion Na)
alpha_X = q_X*400*exp(v/(24*mV))/ms : hertz
beta_X = q_X*12*exp(-v/(24*mV))/ms : hertz
q_X = 2.3**((T - zero_celsius - 37*kelvin)/(10*kelvin)) : 1 (shared)
C1_X : 1 (species)
C2_X : 1 (species)
C3_X : 1 (species)
C4_X : 1 (species)
C5_X : 1 (species)
O_X : 1 (species)
I1_X : 1 (species)
I2_X : 1 (species)
I3_X : 1 (species)
I4_X : 1 (species)
I5_X : 1 (species)
I6_X : 1 (species)
g_X : siemens/meter**2 (constant)
opening_X : hertz (shared, constant)
closing_X : hertz (shared, constant)
inactivation_X : hertz (shared, constant)
recovery_X : hertz (shared, constant)
locking_X : hertz (shared, constant)
unlocking_X : hertz (shared, constant)
E_Na : volt (shared, constant, ion Na)
T : kelvin (shared, constant)
"""


def Na(
    g: Quantity | str = 50 * mS / cm**2, E: Quantity = 50 * mV, name: str = "Na", T: Quantity = 307.15 * kelvin
) -> Equations:
    """Sodium channel with five closed states, an open one, and six inactivated ones.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of sodium, `E_Na`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature; all rates hold at 37 degrees Celsius and grow 2.3-fold for every 10 kelvin.
    """
    rates = {
        "opening": 250 / ms, "closing": 60 / ms, "inactivation": 0.01 / ms, "recovery": 40 / ms, "locking": 8 / ms,
        "unlocking": 0.05 / ms,
    }  # fmt: skip
    defaults = {"g": g, "E_Na": E, "T": T, "C1": 1.0, **rates}
    return channel(_TEXT, "Na", name, defaults, _SOURCE)
