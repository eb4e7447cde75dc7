"""Fast sodium channels of the axon and soma of layer-5 pyramidal cells (Colbert and Pan 2002).

The rates of both gates have the same slopes in all published fits; what differs is the voltage at which the two rates
of a gate meet (for m nearly: they are not quite alike there) and the temperature at which they hold.
"""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mS, mV

__all__ = ["Na"]

_SOURCE = "Colbert & Pan, Nat Neurosci 5:533 (2002)"
_TEXT = """
I_X = g_X*m_X**3*h_X*(E_Na - v) : amp/meter**2 (membrane current, ion Na)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
dh_X/dt = alpha_h_X*(1 - h_X) - beta_h_X*h_X : 1
alpha_m_X = q_X*0.182*6*xoexpm1(-(v - V_m_X)/(6*mV))/ms : hertz
beta_m_X = q_X*0.124*6*xoexpm1((v - V_m_X)/(6*mV))/ms : hertz
alpha_h_X = q_X*0.015*6*xoexpm1((v - V_h_X)/(6*mV))/ms : hertz
beta_h_X = q_X*0.015*6*xoexpm1(-(v - V_h_X)/(6*mV))/ms : hertz
q_X = 2.3**((T - T_0_X)/(10*kelvin)) : 1 (shared)
g_X : siemens/meter**2 (constant)
V_m_X : volt (shared, constant)
V_h_X : volt (shared, constant)
T_0_X : kelvin (shared, constant)
E_Na : volt (shared, constant, ion Na)
T : kelvin (shared, constant)
"""


def Na(
    g: Quantity | str = 2.04e3 * mS / cm**2,
    E: Quantity | str = 50 * mV,
    name: str = "Na",
    T: Quantity = 307.15 * kelvin,
    V_m: Quantity = -38 * mV,
    V_h: Quantity = -66 * mV,
    T_0: Quantity = 294.15 * kelvin,
) -> Equations:
    """Transient sodium channel.

    Gates m (cubed) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of sodium, `E_Na`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    V_m, V_h : Quantity
        Where opening and closing of the gates are in balance (h), and their formulas change sign (m).
    T_0 : Quantity
        Temperature at which the rates hold; they grow 2.3-fold for every 10 kelvin.
    """
    defaults = {"g": g, "E_Na": E, "V_m": V_m, "V_h": V_h, "T": T, "T_0": T_0}
    return channel(_TEXT, "Na", name, defaults, _SOURCE)
