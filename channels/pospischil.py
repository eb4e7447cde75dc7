"""Few channels for the classes of cortical neurons (Pospischil et al. 2008), at 36 degrees.

Conductances of its model cells in mS/cm2, with 1 uF/cm2 and a VT of about -55 mV (ModelDB 123623):

- regular spiking (RS): Na 50, Kd 5, M 0.07, leak 0.1 at -70 mV;
- fast spiking (FS): Na 50, Kd 10, leak 0.15 at -70 mV;
- intrinsically bursting (IB): as RS with M 0.03 and CaL 0.1 to 0.2;
- low-threshold spiking (LTS): Na 50, Kd 5, M 0.03, CaT 0.4, leak 0.01 at -85 mV.

Sodium and delayed rectifier are those of Traub and Miles with another VT.
"""

from __future__ import annotations

from rall.channels import traub_miles
from rall.channels.channel import channel
from rall.channels.leak import LEAK
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mS, mV, second

__all__ = ["CaL", "CaT", "Kd", "M", "Na", "leak"]

_SOURCE = "Pospischil et al, Biol Cybern 99:427 (2008), section 2.2 (ModelDB 123623)"
_M_SOURCE = f"{_SOURCE}; Yamada, Koch & Adams (1989), q10 of 2.3"
_L_SOURCE = f"{_SOURCE}; Reuveni et al, J Neurosci 13:4609 (1993)"
_T_SOURCE = f"{_SOURCE}; Destexhe et al, J Neurophysiol 76:2049 (1996), rates times 3 for 10 degrees from 24 C"
_M = """
I_X = g_X*p_X*(E_X - v) : amp/meter**2 (membrane current, ion K)
dp_X/dt = (p_inf_X - p_X)/tau_X : 1
p_inf_X = 1/(1 + exp(-(v + 35*mV)/(10*mV))) : 1
tau_X = tau_max_X/(3.3*exp((v + 35*mV)/(20*mV)) + exp(-(v + 35*mV)/(20*mV)))/phi_X : second
phi_X = q10**((T - 309.15*kelvin)/(10*kelvin)) : 1
tau_max_X : second (shared, constant)
g_X : siemens/meter**2 (constant)
T : kelvin (shared, constant)
E_X : volt (shared, constant, ion K)
"""
_CAL = """
I_X = g_X*q_X**2*r_X*(E_Ca - v) : amp/meter**2 (membrane current, ion Ca)
dq_X/dt = alpha_q_X*(1 - q_X) - beta_q_X*q_X : 1
dr_X/dt = alpha_r_X*(1 - r_X) - beta_r_X*r_X : 1
alpha_q_X = phi_X*0.055*3.8/exprel(-(v + 27*mV)/(3.8*mV))/ms : hertz
beta_q_X = phi_X*0.94*exp(-(v + 75*mV)/(17*mV))/ms : hertz
alpha_r_X = phi_X*0.000457*exp(-(v + 13*mV)/(50*mV))/ms : hertz
beta_r_X = phi_X*0.0065/(1 + exp(-(v + 15*mV)/(28*mV)))/ms : hertz
phi_X = q10**((T - 309.15*kelvin)/(10*kelvin)) : 1
g_X : siemens/meter**2 (constant)
E_Ca : volt (shared, constant, ion Ca)
T : kelvin (shared, constant)
"""
_CAT = """
I_X = g_X*s_X**2*u_X*(E_Ca - v) : amp/meter**2 (membrane current, ion Ca)
s_X = 1/(1 + exp(-(v + shift_X + 57*mV)/(6.2*mV))) : 1
du_X/dt = (u_inf_X - u_X)/tau_X : 1
u_inf_X = 1/(1 + exp((v + shift_X + 81*mV)/(4*mV))) : 1
tau_X = (30.8 + tail_X)*ms/phi_X : second
tail_X = (211.4 + exp((v + shift_X + 113.2*mV)/(5*mV)))/(1 + exp((v + shift_X + 84*mV)/(3.2*mV))) : 1
phi_X = q10**((T - 297.15*kelvin)/(10*kelvin)) : 1
shift_X : volt (shared, constant)
g_X : siemens/meter**2 (constant)
E_Ca : volt (shared, constant, ion Ca)
T : kelvin (shared, constant)
"""


def Na(
    g: Quantity | str = 50 * mS / cm**2,
    E: Quantity = 50 * mV,
    name: str = "Na",
    VT: Quantity = -55 * mV,
    T: Quantity = 309.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Transient sodium channel of cortical neurons.

    Gates m (cubed) and h; see `traub_miles.Na`.

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
    return Equations(traub_miles.Na(g, E, name, VT, T, q10), sources=_SOURCE)


def Kd(
    g: Quantity | str = 5 * mS / cm**2,
    E: Quantity = -100 * mV,
    name: str = "Kd",
    VT: Quantity = -55 * mV,
    T: Quantity = 309.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Delayed rectifier potassium channel of cortical neurons.

    Gate n to the fourth power; see `traub_miles.K`.

    Parameters
    ----------
    g, E, name, VT, T, q10
        As of `Na`.
    """
    return Equations(traub_miles.K(g, E, name, VT, T, q10), sources=_SOURCE)


def M(
    g: Quantity | str = 0.07 * mS / cm**2,
    E: Quantity = -100 * mV,
    name: str = "M",
    tau_max: Quantity = 1 * second,
    T: Quantity = 309.15 * kelvin,
    q10: float = 2.3,
) -> Equations:
    """Slow potassium channel of spike-frequency adaptation.

    Gate p.

    Parameters
    ----------
    g, E, name, T, q10
        As of `Na`.
    tau_max : Quantity
        Scale of the time constant, whose maximum is 0.28 times that.
    """
    defaults = {"g": g, "E": E, "tau_max": tau_max, "T": T}
    ranges = {"tau_max": (0.1 * second, 10 * second)}
    return channel(_M, "M", name, defaults, _M_SOURCE, fixed={"q10": q10}, ranges=ranges)


def CaL(
    g: Quantity | str = 0.1 * mS / cm**2,
    E: Quantity = 120 * mV,
    name: str = "CaL",
    T: Quantity = 309.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """High-threshold calcium channel of bursting cells.

    Gates q (squared) and r.

    Parameters
    ----------
    g, name, T
        As of `Na`.
    E : Quantity
        ``E_Ca``, unless a pool of calcium in the model defines it.
    q10 : float
        Factor of all rates for ten degrees; the paper has 36 degrees alone.
    """
    return channel(_CAL, "CaL", name, {"g": g, "E_Ca": E, "T": T}, _L_SOURCE, fixed={"q10": q10})


def CaT(
    g: Quantity | str = 0.4 * mS / cm**2,
    E: Quantity = 120 * mV,
    name: str = "CaT",
    shift: Quantity = 2 * mV,
    T: Quantity = 309.15 * kelvin,
    q10: float = 3.0,
) -> Equations:
    """Low-threshold calcium channel.

    Gates s (squared, at its steady state) and u.

    The paper prints the factor of the rates at 36 degrees, 3**1.2, as 3.7.

    Parameters
    ----------
    g, name, T, q10
        As of `Na`.
    E : Quantity
        ``E_Ca``, unless a pool of calcium in the model defines it.
    shift : Quantity
        By how much all rates are shifted to lower voltages.
    """
    defaults = {"g": g, "E_Ca": E, "shift": shift, "T": T}
    return channel(_CAT, "CaT", name, defaults, _T_SOURCE, fixed={"q10": q10}, ranges={"shift": (-20 * mV, 20 * mV)})


def leak(g: Quantity | str = 0.1 * mS / cm**2, E: Quantity = -70 * mV, name: str = "leak") -> Equations:
    """Leak of cortical neurons.

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
