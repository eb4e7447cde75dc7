"""Sodium and potassium channels of hippocampal pyramidal cells (Traub and Miles 1991), with a movable threshold.

The rates count from a voltage VT, as in the networks of Destexhe and of Brette et al. 2007.  They hold at 36 degrees.
"""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mS, mV

__all__ = ["K", "Na"]

_SOURCE = (
    "Traub & Miles, Neuronal Networks of the Hippocampus (1991), chapter 4; with VT as in Brette et al, "
    "J Comput Neurosci 23:349 (2007), appendix 2 (ModelDB 83319), q10 as in Destexhe's (ModelDB 279)"
)
_RANGES = {"VT": (-90 * mV, -30 * mV)}
_SHARED = """
phi_X = q10**((T - 309.15*kelvin)/(10*kelvin)) : 1
g_X : siemens/meter**2 (constant)
VT_X : volt (shared, constant)
T : kelvin (shared, constant)
"""
_NA = """
I_X = g_X*m_X**3*h_X*(E_X - v) : amp/meter**2 (membrane current, ion Na)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
dh_X/dt = alpha_h_X*(1 - h_X) - beta_h_X*h_X : 1
alpha_m_X = phi_X*0.32*4/exprel((VT_X + 13*mV - v)/(4*mV))/ms : hertz
beta_m_X = phi_X*0.28*5/exprel((v - VT_X - 40*mV)/(5*mV))/ms : hertz
alpha_h_X = phi_X*0.128*exp((VT_X + 17*mV - v)/(18*mV))/ms : hertz
beta_h_X = phi_X*4/(1 + exp((VT_X + 40*mV - v)/(5*mV)))/ms : hertz
E_X : volt (shared, constant, ion Na)
""" + _SHARED
_K = """
I_X = g_X*n_X**4*(E_X - v) : amp/meter**2 (membrane current, ion K)
dn_X/dt = alpha_n_X*(1 - n_X) - beta_n_X*n_X : 1
alpha_n_X = phi_X*0.032*5/exprel((VT_X + 15*mV - v)/(5*mV))/ms : hertz
beta_n_X = phi_X*0.5*exp((VT_X + 10*mV - v)/(40*mV))/ms : hertz
E_X : volt (shared, constant, ion K)
""" + _SHARED


def Na(
    g: Quantity | str = 100 * mS / cm**2,
    E: Quantity = 50 * mV,
    name: str = "Na",
    VT: Quantity = -63 * mV,
    T: Quantity = 309.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Transient sodium channel of pyramidal cells.

    Gates m (cubed) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    VT : Quantity
        Voltage from which the rates count; moves the threshold.
    T : Quantity
        Absolute temperature, of the whole cell; 36 degrees Celsius.
    q10 : float
        Factor of all rates for ten degrees.
    """
    defaults = {"g": g, "E": E, "VT": VT, "T": T}
    return channel(_NA, "Na", name, defaults, _SOURCE, fixed={"q10": q10}, ranges=_RANGES)


def K(
    g: Quantity | str = 30 * mS / cm**2,
    E: Quantity = -90 * mV,
    name: str = "K",
    VT: Quantity = -63 * mV,
    T: Quantity = 309.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Delayed rectifier potassium channel of pyramidal cells.

    Gate n to the fourth power.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    VT : Quantity
        Voltage from which the rates count; moves the threshold.
    T : Quantity
        Absolute temperature, of the whole cell; 36 degrees Celsius.
    q10 : float
        Factor of all rates for ten degrees.
    """
    defaults = {"g": g, "E": E, "VT": VT, "T": T}
    return channel(_K, "K", name, defaults, _SOURCE, fixed={"q10": q10}, ranges=_RANGES)
