"""Channels of the ventral cochlear nucleus (Rothman and Manis 2003), at 22 degrees.

Conductances of the paper's cells in nS, for 12 pF (table 1; leak 2 nS at -65 mV, Na 1000 nS in all of them):

- type I-c: KHT 150, h 0.5;
- type I-t: KHT 80, KA 65, h 0.5;
- type I-II: KHT 150, KLT 20, h 2;
- type II-I: KHT 150, KLT 35, h 3.5;
- type II: KHT 150, KLT 200, h 20.

With 1 uF/cm2 a nanosiemens is 1/12 mS/cm2.  Rates grow threefold and conductances twofold for ten degrees.
"""

from __future__ import annotations

from rall.channels.channel import Value, channel
from rall.channels.leak import LEAK
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mS, mV

__all__ = ["KA", "KHT", "KLT", "Na", "h", "leak"]

_SOURCE = "Rothman & Manis, J Neurophysiol 89:3097 (2003), appendix (ModelDB 37857)"
_SHARED = """
phi_X = q10**((T - 295.15*kelvin)/(10*kelvin)) : 1
psi_X = factor**((T - 295.15*kelvin)/(10*kelvin)) : 1
g_X : siemens/meter**2 (constant)
T : kelvin (shared, constant)
"""
_NA = """
I_X = psi_X*g_X*m_X**3*h_X*(E_X - v) : amp/meter**2 (membrane current, ion Na)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 38*mV)/(7*mV))) : 1
h_inf_X = 1/(1 + exp((v + 65*mV)/(6*mV))) : 1
tau_m_X = (0.04 + 10/(5*exp((v + 60*mV)/(18*mV)) + 36*exp(-(v + 60*mV)/(25*mV))))*ms/phi_X : second
tau_h_X = (0.6 + 100/(7*exp((v + 60*mV)/(11*mV)) + 10*exp(-(v + 60*mV)/(25*mV))))*ms/phi_X : second
E_X : volt (shared, constant, ion Na)
""" + _SHARED
_KHT = """
I_X = psi_X*g_X*(0.85*n_X**2 + 0.15*p_X)*(E_X - v) : amp/meter**2 (membrane current, ion K)
dn_X/dt = (n_inf_X - n_X)/tau_n_X : 1
dp_X/dt = (p_inf_X - p_X)/tau_p_X : 1
n_inf_X = 1/sqrt(1 + exp(-(v + 15*mV)/(5*mV))) : 1
p_inf_X = 1/(1 + exp(-(v + 23*mV)/(6*mV))) : 1
tau_n_X = (0.7 + 100/(11*exp((v + 60*mV)/(24*mV)) + 21*exp(-(v + 60*mV)/(23*mV))))*ms/phi_X : second
tau_p_X = (5 + 100/(4*exp((v + 60*mV)/(32*mV)) + 5*exp(-(v + 60*mV)/(22*mV))))*ms/phi_X : second
E_X : volt (shared, constant, ion K)
""" + _SHARED
_KLT = """
I_X = psi_X*g_X*w_X**4*z_X*(E_X - v) : amp/meter**2 (membrane current, ion K)
dw_X/dt = (w_inf_X - w_X)/tau_w_X : 1
dz_X/dt = (z_inf_X - z_X)/tau_z_X : 1
w_inf_X = (1 + exp(-(v + 48*mV)/(6*mV)))**-0.25 : 1
z_inf_X = 0.5 + 0.5/(1 + exp((v + 71*mV)/(10*mV))) : 1
tau_w_X = (1.5 + 100/(6*exp((v + 60*mV)/(6*mV)) + 16*exp(-(v + 60*mV)/(45*mV))))*ms/phi_X : second
tau_z_X = (50 + 1000/(exp((v + 60*mV)/(20*mV)) + exp(-(v + 60*mV)/(8*mV))))*ms/phi_X : second
E_X : volt (shared, constant, ion K)
""" + _SHARED
_KA = """
I_X = psi_X*g_X*a_X**4*b_X*c_X*(E_X - v) : amp/meter**2 (membrane current, ion K)
da_X/dt = (a_inf_X - a_X)/tau_a_X : 1
db_X/dt = (b_inf_X - b_X)/tau_b_X : 1
dc_X/dt = (b_inf_X - c_X)/tau_c_X : 1
a_inf_X = (1 + exp(-(v + 31*mV)/(6*mV)))**-0.25 : 1
b_inf_X = 1/sqrt(1 + exp((v + 66*mV)/(7*mV))) : 1
tau_a_X = (0.1 + 100/(7*exp((v + 60*mV)/(14*mV)) + 29*exp(-(v + 60*mV)/(24*mV))))*ms/phi_X : second
tau_b_X = (1 + 1000/(14*exp((v + 60*mV)/(27*mV)) + 29*exp(-(v + 60*mV)/(24*mV))))*ms/phi_X : second
tau_c_X = (10 + 90/(1 + exp(-(v + 66*mV)/(17*mV))))*ms/phi_X : second
E_X : volt (shared, constant, ion K)
""" + _SHARED
_H = """
I_X = psi_X*g_X*r_X*(E_X - v) : amp/meter**2 (membrane current)
dr_X/dt = (r_inf_X - r_X)/tau_r_X : 1
r_inf_X = 1/(1 + exp((v + 76*mV)/(7*mV))) : 1
tau_r_X = (25 + 1e5/(237*exp((v + 60*mV)/(12*mV)) + 17*exp(-(v + 60*mV)/(14*mV))))*ms/phi_X : second
E_X : volt (shared, constant)
""" + _SHARED


def _made(text: str, own: str, name: str, defaults: dict[str, Value | str], q10: tuple[float, float]) -> Equations:
    """The channel; both factors for ten degrees become part of its text."""
    fixed, ranges = {"q10": q10[0], "factor": q10[1]}, {"factor": (1, 6)}
    return channel(text, own, name, defaults, _SOURCE, fixed=fixed, ranges=ranges)


def Na(
    g: Quantity | str = 83.3 * mS / cm**2,
    E: Quantity = 55 * mV,
    name: str = "Na",
    T: Quantity = 295.15 * kelvin,
    q10: float = 3.0,
    g_q10: float = 2.0,
) -> Equations:
    """Transient sodium channel of the cochlear nucleus.

    Gates m (cubed) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density at 22 degrees, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    T : Quantity
        Absolute temperature, of the whole cell; 22 degrees Celsius.
    q10, g_q10 : float
        Factors of all rates, and of the conductance, for ten degrees.
    """
    return _made(_NA, "Na", name, {"g": g, "E": E, "T": T}, (q10, g_q10))


def KHT(
    g: Quantity | str = 12.5 * mS / cm**2,
    E: Quantity = -70 * mV,
    name: str = "KHT",
    T: Quantity = 295.15 * kelvin,
    q10: float = 3.0,
    g_q10: float = 2.0,
) -> Equations:
    """High-threshold potassium channel.

    Gates n (squared, 85 %) and p (15 %).

    Parameters
    ----------
    g, E, name, T, q10, g_q10
        As of `Na`.
    """
    return _made(_KHT, "KHT", name, {"g": g, "E": E, "T": T}, (q10, g_q10))


def KLT(
    g: Quantity | str = 16.7 * mS / cm**2,
    E: Quantity = -70 * mV,
    name: str = "KLT",
    T: Quantity = 295.15 * kelvin,
    q10: float = 3.0,
    g_q10: float = 2.0,
) -> Equations:
    """Low-threshold potassium channel.

    Gates w (to the fourth power) and z.

    Parameters
    ----------
    g, E, name, T, q10, g_q10
        As of `Na`.
    """
    return _made(_KLT, "KLT", name, {"g": g, "E": E, "T": T}, (q10, g_q10))


def KA(
    g: Quantity | str = 5.42 * mS / cm**2,
    E: Quantity = -70 * mV,
    name: str = "KA",
    T: Quantity = 295.15 * kelvin,
    q10: float = 3.0,
    g_q10: float = 2.0,
) -> Equations:
    """Transient potassium channel.

    Gates a (to the fourth power), b and c.

    Parameters
    ----------
    g, E, name, T, q10, g_q10
        As of `Na`.
    """
    return _made(_KA, "KA", name, {"g": g, "E": E, "T": T}, (q10, g_q10))


def h(
    g: Quantity | str = 1.67 * mS / cm**2,
    E: Quantity = -43 * mV,
    name: str = "h",
    T: Quantity = 295.15 * kelvin,
    q10: float = 3.0,
    g_q10: float = 2.0,
) -> Equations:
    """Cation channel that opens at low voltages.

    Gate r.

    Parameters
    ----------
    g, E, name, T, q10, g_q10
        As of `Na`.
    """
    return _made(_H, "h", name, {"g": g, "E": E, "T": T}, (q10, g_q10))


def leak(g: Quantity | str = 0.167 * mS / cm**2, E: Quantity = -65 * mV, name: str = "leak") -> Equations:
    """Leak of the cochlear nucleus.

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
