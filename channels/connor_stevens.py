"""Channels of a walking-leg axon of crabs, with the transient potassium current A (Connor and Stevens 1971).

In the form of Connor, Walter and McKown 1977: rates of Hodgkin and Huxley, shifted and 3.8 times as fast (1.9 times
those of n), for 18 degrees.  The paper's neuron has 1 uF/cm2 and fires at any low rate, which the A current makes.
Where the paper's printed denominators have lost a bracket, they are those of Hodgkin and Huxley.
"""

from __future__ import annotations

from rall.channels.channel import channel
from rall.channels.leak import LEAK
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mS, mV

__all__ = ["A", "K", "Na", "leak"]

_SOURCE = "Connor, Walter & McKown, Biophys J 18:81 (1977), appendix; Connor & Stevens, J Physiol 213:31 (1971)"
_SHARED = """
phi_X = q10**((T - 291.15*kelvin)/(10*kelvin)) : 1
g_X : siemens/meter**2 (constant)
T : kelvin (shared, constant)
"""
_NA = """
I_X = g_X*m_X**3*h_X*(E_X - v) : amp/meter**2 (membrane current, ion Na)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
dh_X/dt = alpha_h_X*(1 - h_X) - beta_h_X*h_X : 1
alpha_m_X = phi_X*3.8*1/exprel(-(v + 29.7*mV)/(10*mV))/ms : hertz
beta_m_X = phi_X*3.8*4*exp(-(v + 54.7*mV)/(18*mV))/ms : hertz
alpha_h_X = phi_X*3.8*0.07*exp(-(v + 48*mV)/(20*mV))/ms : hertz
beta_h_X = phi_X*3.8/(1 + exp(-(v + 18*mV)/(10*mV)))/ms : hertz
E_X : volt (shared, constant, ion Na)
""" + _SHARED
_K = """
I_X = g_X*n_X**4*(E_X - v) : amp/meter**2 (membrane current, ion K)
dn_X/dt = alpha_n_X*(1 - n_X) - beta_n_X*n_X : 1
alpha_n_X = phi_X*1.9*0.1/exprel(-(v + 45.7*mV)/(10*mV))/ms : hertz
beta_n_X = phi_X*1.9*0.125*exp(-(v + 55.7*mV)/(80*mV))/ms : hertz
E_X : volt (shared, constant, ion K)
""" + _SHARED
_A = """
I_X = g_X*a_X**3*b_X*(E_X - v) : amp/meter**2 (membrane current, ion K)
da_X/dt = (a_inf_X - a_X)/tau_a_X : 1
db_X/dt = (b_inf_X - b_X)/tau_b_X : 1
a_inf_X = (0.0761*exp((v + 94.22*mV)/(31.84*mV))/(1 + exp((v + 1.17*mV)/(28.93*mV))))**(1/3) : 1
b_inf_X = 1/(1 + exp((v + 53.3*mV)/(14.54*mV)))**4 : 1
tau_a_X = (0.3632 + 1.158/(1 + exp((v + 55.96*mV)/(20.12*mV))))*ms/phi_X : second
tau_b_X = (1.24 + 2.678/(1 + exp((v + 50*mV)/(16.027*mV))))*ms/phi_X : second
E_X : volt (shared, constant, ion K)
""" + _SHARED


def Na(
    g: Quantity | str = 120 * mS / cm**2,
    E: Quantity = 55 * mV,
    name: str = "Na",
    T: Quantity = 291.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Transient sodium channel of crab axons.

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
        Absolute temperature, of the whole cell; 18 degrees Celsius.
    q10 : float
        Factor of all rates for ten degrees.
    """
    return channel(_NA, "Na", name, {"g": g, "E": E, "T": T}, _SOURCE, fixed={"q10": q10})


def K(
    g: Quantity | str = 20 * mS / cm**2,
    E: Quantity = -72 * mV,
    name: str = "K",
    T: Quantity = 291.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Delayed rectifier potassium channel of crab axons.

    Gate n to the fourth power.

    Parameters
    ----------
    g, E, name, T, q10
        As of `Na`.
    """
    return channel(_K, "K", name, {"g": g, "E": E, "T": T}, _SOURCE, fixed={"q10": q10})


def A(
    g: Quantity | str = 47.7 * mS / cm**2,
    E: Quantity = -75 * mV,
    name: str = "A",
    T: Quantity = 291.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Transient potassium channel.

    Gates a (cubed) and b.

    Parameters
    ----------
    g, E, name, T, q10
        As of `Na`.
    """
    return channel(_A, "A", name, {"g": g, "E": E, "T": T}, _SOURCE, fixed={"q10": q10})


def leak(g: Quantity | str = 0.3 * mS / cm**2, E: Quantity = -17 * mV, name: str = "leak") -> Equations:
    """Leak of crab axons.

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
