"""Sodium and potassium channels of the squid giant axon (Hodgkin and Huxley 1952).

Rates are those of the paper's equations 12, 13, 20, 21, 23 and 24, shifted to a resting potential of -65 mV and
written for absolute voltages.  Temperature multiplies all of them, threefold for ten degrees from 6.3 degrees Celsius.
"""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mS, mV

__all__ = ["K", "Na"]

_SOURCE = "Hodgkin & Huxley, J Physiol 117:500 (1952), equations 12-24; rates times 3 for 10 degrees"
_SHARED = """
phi_X = q10**((T - 279.45*kelvin)/(10*kelvin)) : 1
g_X : siemens/meter**2 (constant)
T : kelvin (shared, constant)
"""
_NA = """
I_X = g_X*m_X**3*h_X*(E_X - v) : amp/meter**2 (membrane current, ion Na)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
dh_X/dt = alpha_h_X*(1 - h_X) - beta_h_X*h_X : 1
alpha_m_X = phi_X*(1/exprel(-(v + 40*mV)/(10*mV))/ms) : hertz
beta_m_X = phi_X*(4*exp(-(v + 65*mV)/(18*mV))/ms) : hertz
alpha_h_X = phi_X*(0.07*exp(-(v + 65*mV)/(20*mV))/ms) : hertz
beta_h_X = phi_X*(1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms) : hertz
E_X : volt (shared, constant, ion Na)
""" + _SHARED
_K = """
I_X = g_X*n_X**4*(E_X - v) : amp/meter**2 (membrane current, ion K)
dn_X/dt = alpha_n_X*(1 - n_X) - beta_n_X*n_X : 1
alpha_n_X = phi_X*(0.1/exprel(-(v + 55*mV)/(10*mV))/ms) : hertz
beta_n_X = phi_X*(0.125*exp(-(v + 65*mV)/(80*mV))/ms) : hertz
E_X : volt (shared, constant, ion K)
""" + _SHARED


def Na(
    g: Quantity | str = 120 * mS / cm**2,
    E: Quantity | str = 50 * mV,
    name: str = "Na",
    T: Quantity = 279.45 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Transient sodium channel of the squid axon.

    Gates m (cubed) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    T : Quantity
        Absolute temperature, of the whole cell; 6.3 degrees Celsius.
    q10 : float
        Factor of all rates for ten degrees.
    """
    return channel(_NA, "Na", name, {"g": g, "E": E, "T": T}, _SOURCE, fixed={"q10": q10})


def K(
    g: Quantity | str = 36 * mS / cm**2,
    E: Quantity | str = -77 * mV,
    name: str = "K",
    T: Quantity = 279.45 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Delayed rectifier potassium channel of the squid axon.

    Gate n to the fourth power.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    T : Quantity
        Absolute temperature, of the whole cell; 6.3 degrees Celsius.
    q10 : float
        Factor of all rates for ten degrees.
    """
    return channel(_K, "K", name, {"g": g, "E": E, "T": T}, _SOURCE, fixed={"q10": q10})
