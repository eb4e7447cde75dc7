"""Channels of a fast-spiking interneuron of the hippocampus (Wang and Buzsaki 1996).

The paper's neuron has 1 uF/cm2, a leak of 0.1 mS/cm2 at -65 mV and fires up to 400 Hz.  The factor phi of all rates
stands for the temperature, of which the paper says nothing else.
"""

from __future__ import annotations

from rall.channels.channel import channel
from rall.channels.leak import LEAK
from rall.equations import Equations
from rall.units import Quantity, cm, mS, mV

__all__ = ["K", "Na", "leak"]

_SOURCE = "Wang & Buzsaki, J Neurosci 16:6402 (1996), methods, model neuron (ModelDB 26997)"
_RANGES = {"phi": (1, 20)}
_NA = """
I_X = g_X*m_X**3*h_X*(E_X - v) : amp/meter**2 (membrane current, ion Na)
m_X = alpha_m_X/(alpha_m_X + beta_m_X) : 1
dh_X/dt = alpha_h_X*(1 - h_X) - beta_h_X*h_X : 1
alpha_m_X = 1/exprel(-(v + 35*mV)/(10*mV))/ms : hertz
beta_m_X = 4*exp(-(v + 60*mV)/(18*mV))/ms : hertz
alpha_h_X = phi*0.07*exp(-(v + 58*mV)/(20*mV))/ms : hertz
beta_h_X = phi/(1 + exp(-(v + 28*mV)/(10*mV)))/ms : hertz
g_X : siemens/meter**2 (constant)
E_X : volt (shared, constant, ion Na)
"""
_K = """
I_X = g_X*n_X**4*(E_X - v) : amp/meter**2 (membrane current, ion K)
dn_X/dt = alpha_n_X*(1 - n_X) - beta_n_X*n_X : 1
alpha_n_X = phi*0.1/exprel(-(v + 34*mV)/(10*mV))/ms : hertz
beta_n_X = phi*0.125*exp(-(v + 44*mV)/(80*mV))/ms : hertz
g_X : siemens/meter**2 (constant)
E_X : volt (shared, constant, ion K)
"""


def Na(
    g: Quantity | str = 35 * mS / cm**2, E: Quantity = 55 * mV, name: str = "Na", phi: float = 5.0
) -> Equations:
    """Transient sodium channel of interneurons.

    Gates m (cubed, at its steady state) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    phi : float
        Factor of the rates.
    """
    return channel(_NA, "Na", name, {"g": g, "E": E}, _SOURCE, fixed={"phi": phi}, ranges=_RANGES)


def K(
    g: Quantity | str = 9 * mS / cm**2, E: Quantity = -90 * mV, name: str = "K", phi: float = 5.0
) -> Equations:
    """Delayed rectifier potassium channel of interneurons.

    Gate n to the fourth power.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    phi : float
        Factor of the rates.
    """
    return channel(_K, "K", name, {"g": g, "E": E}, _SOURCE, fixed={"phi": phi}, ranges=_RANGES)


def leak(g: Quantity | str = 0.1 * mS / cm**2, E: Quantity = -65 * mV, name: str = "leak") -> Equations:
    """Leak of the interneuron.

    Parameters
    ----------
    g : Quantity or str
        Conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    """
    return channel(LEAK, "leak", name, {"g": g, "E": E}, _SOURCE)
