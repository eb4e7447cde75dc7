"""Channels of the biophysical models of the Allen Cell Types Database, by the names in their parameter files.

Each takes its conductance density as ``gbar``, as the files name it; rates that depend on temperature hold at 21
degrees Celsius (sodium 23, its scheme 37, `Im_v2` 30), and grow 2.3-fold for every 10 kelvin.
"""

from __future__ import annotations

from rall.channels import calcium, colbert_pan, hay, markov
from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mM, mS, ms, mV

__all__ = [
    "K_P", "K_T", "SK", "CaDynamics", "Ca_HVA", "Ca_LVA", "Ih", "Im", "Im_v2", "Kd", "Kv2like", "Kv3_1", "NaTa",
    "NaTs", "NaV", "Nap",
]  # fmt: skip

_PAPER = "Gouwens et al., Nat Commun 9:710 (2018), biophysical models of the Allen Cell Types Database"
_WARM = 307.15 * kelvin
_SMALL = 0.01 * mS / cm**2

_Q10 = """
q_X = 2.3**((T - zero_celsius - 21*kelvin)/(10*kelvin)) : 1 (shared)
T : kelvin (shared, constant)
"""
_POTASSIUM = "g_X : siemens/meter**2 (constant)\nE_K : volt (shared, constant, ion K)"

_NAP = f"""
I_X = g_X*m_inf_X*h_X*(E_Na - v) : amp/meter**2 (membrane current, ion Na)
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 52.6*mV)/(4.6*mV))) : 1
h_inf_X = 1/(1 + exp((v + 48.8*mV)/(10*mV))) : 1
tau_h_X = 1*ms/q_X/(2.88e-6*4.63*xoexpm1((v + 17*mV)/(4.63*mV))
                    + 6.94e-6*2.63*xoexpm1(-(v + 64.4*mV)/(2.63*mV))) : second
g_X : siemens/meter**2 (constant)
E_Na : volt (shared, constant, ion Na)
{_Q10}
"""
_KP = f"""
I_X = g_X*m_X**2*h_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 14.3*mV)/(14.6*mV))) : 1
h_inf_X = 1/(1 + exp((v + 54*mV)/(11*mV))) : 1
slow_X = 175.03*exp(0.026*v/mV) if v < -50*mV else 13*exp(-0.026*v/mV) : 1
tau_m_X = (1.25 + slow_X)*ms/q_X : second
tau_h_X = (360 + (1010 + 24*(v + 55*mV)/mV)*exp(-((v + 75*mV)/(48*mV))**2))*ms/q_X : second
{_Q10}{_POTASSIUM}
"""
_KT = f"""
I_X = g_X*m_X**4*h_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 47*mV)/(29*mV))) : 1
h_inf_X = 1/(1 + exp((v + 66*mV)/(10*mV))) : 1
tau_m_X = (0.34 + 0.92*exp(-((v + 71*mV)/(59*mV))**2))*ms/q_X : second
tau_h_X = (8 + 49*exp(-((v + 73*mV)/(23*mV))**2))*ms/q_X : second
{_Q10}{_POTASSIUM}
"""
_KD = f"""
I_X = g_X*m_X*h_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 43*mV)/(8*mV))) : 1
h_inf_X = 1/(1 + exp((v + 67*mV)/(7.3*mV))) : 1
tau_m_X = 1*ms : second (shared)
tau_h_X = 1500*ms : second (shared)
{_POTASSIUM}
"""
_KV2 = f"""
I_X = g_X*m_X**2*(h1_X + h2_X)/2*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
dh1_X/dt = (h_inf_X - h1_X)/tau_h1_X : 1
dh2_X/dt = (h_inf_X - h2_X)/tau_h2_X : 1
alpha_m_X = 0.4*q_X*0.12*11*xoexpm1(-(v - 43*mV)/(11*mV))/ms : hertz
beta_m_X = 0.4*q_X*0.02*exp(-(v + 1.27*mV)/(120*mV))/ms : hertz
h_inf_X = 1/(1 + exp((v + 58*mV)/(11*mV))) : 1
tau_h1_X = (360 + (1010 + 23.7*(v + 54*mV)/mV)*exp(-((v + 75*mV)/(48*mV))**2))*ms/q_X : second
tau_h2_X = (2350 + 1380*exp(-0.011*v/mV) - 210*exp(-0.03*v/mV))*ms/q_X : second
{_Q10}{_POTASSIUM}
"""
_IM2 = f"""
I_X = g_X*m_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
m_inf_X = 1/(1 + exp(-6*(v + 48*mV)/(26.12*mV))) : 1
rate_X = 0.007*exp(2.4*(v + 48*mV)/(26.12*mV)) + 0.007*exp(-3.6*(v + 48*mV)/(26.12*mV)) : 1
tau_m_X = (15 + 1/rate_X)*ms/q_X : second
q_X = 2.3**((T - zero_celsius - 30*kelvin)/(10*kelvin)) : 1 (shared)
T : kelvin (shared, constant)
{_POTASSIUM}
"""


def NaTs(
    gbar: Quantity | str = _SMALL, E: Quantity = 53 * mV, name: str = "NaTs", T: Quantity = _WARM
) -> Equations:
    """Sodium channel of the soma.

    After Colbert and Pan 2002: gates m (cubed) and h.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of sodium, `E_Na`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return _cited(colbert_pan.Na(gbar, E, name, T, -40 * mV, -66 * mV, 296.15 * kelvin))


def NaTa(
    gbar: Quantity | str = _SMALL, E: Quantity = 53 * mV, name: str = "NaTa", T: Quantity = _WARM
) -> Equations:
    """Sodium channel of the axon.

    After Colbert and Pan 2002: gates m (cubed) and h.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of sodium, `E_Na`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return _cited(colbert_pan.Na(gbar, E, name, T, -48 * mV, -69 * mV, 296.15 * kelvin))


def NaV(gbar: Quantity | str = _SMALL, E: Quantity = 53 * mV, name: str = "NaV", T: Quantity = _WARM) -> Equations:
    """Sodium channel as a kinetic scheme: `markov.Na`.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of sodium, `E_Na`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return _cited(markov.Na(gbar, E, name, T))


def Nap(gbar: Quantity | str = _SMALL, E: Quantity = 53 * mV, name: str = "Nap", T: Quantity = _WARM) -> Equations:
    """Persistent sodium channel.

    After Magistretti and Alonso 1999: m at its steady state, gate h.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of sodium, `E_Na`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_NAP, "Nap", name, {"g": gbar, "E_Na": E, "T": T}, _PAPER)


def K_P(gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "K_P", T: Quantity = _WARM) -> Equations:
    """Slow, persistent potassium channel.

    After Korngreen and Sakmann 2000: gates m (squared) and h.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_KP, "K_P", name, {"g": gbar, "E_K": E, "T": T}, _PAPER)


def K_T(gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "K_T", T: Quantity = _WARM) -> Equations:
    """Fast, transient potassium channel.

    After Korngreen and Sakmann 2000: gates m (fourth power) and h.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_KT, "K_T", name, {"g": gbar, "E_K": E, "T": T}, _PAPER)


def Kd(gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "Kd") -> Equations:
    """Potassium channel that inactivates slowly.

    Gates m and h.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    """
    return channel(_KD, "Kd", name, {"g": gbar, "E_K": E}, _PAPER)


def Kv2like(
    gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "Kv2like", T: Quantity = _WARM
) -> Equations:
    """Potassium channel like Kv2.

    After Keren et al. 2005, Liu and Bean 2014: gates m (squared), h1 and h2.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_KV2, "Kv2like", name, {"g": gbar, "E_K": E, "T": T}, _PAPER)


def Kv3_1(gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "Kv3_1") -> Equations:
    """Fast potassium channel Kv3.1.

    Gate m. Equations of `hay.SKv3_1`.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    """
    return _cited(hay.SKv3_1(gbar, E, name))


def Im(gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "Im", T: Quantity = _WARM) -> Equations:
    """Muscarinic potassium channel.

    Gate m. Equations of `hay.Im`.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return _cited(hay.Im(gbar, E, name, T))


def Im_v2(
    gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "Im_v2", T: Quantity = _WARM
) -> Equations:
    """Muscarinic potassium channel.

    After Vervaeke et al. 2006: gate m.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_IM2, "Im_v2", name, {"g": gbar, "E_K": E, "T": T}, _PAPER)


def Ih(gbar: Quantity | str = _SMALL, E: Quantity = -45 * mV, name: str = "Ih") -> Equations:
    """Cation channel that hyperpolarisation opens.

    Gate m. Equations of `hay.Ih`.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    """
    return _cited(hay.Ih(gbar, E, name))


def SK(
    gbar: Quantity | str = _SMALL, E: Quantity = -107 * mV, name: str = "SK", Ca: Quantity = 1e-4 * mM
) -> Equations:
    """Small-conductance potassium channel that calcium opens.

    Gate z. Equations of `hay.SK_E2`.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    Ca : Quantity
        Concentration inside, where there is no pool that gives it.
    """
    return _cited(hay.SK_E2(gbar, E, name, Ca))


def Ca_HVA(gbar: Quantity | str = _SMALL, E: Quantity = 131 * mV, name: str = "Ca_HVA") -> Equations:
    """High-voltage activated calcium channel.

    Gates m (squared) and h. Equations of `hay.Ca_HVA`.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of calcium, `E_Ca`, where there is no pool that gives it.
    name : str
        What the names of its variables end in.
    """
    return _cited(hay.Ca_HVA(gbar, E, name))


def Ca_LVA(
    gbar: Quantity | str = _SMALL, E: Quantity = 131 * mV, name: str = "Ca_LVA", T: Quantity = _WARM
) -> Equations:
    """Low-voltage activated calcium channel.

    Gates m (squared) and h. Equations of `hay.Ca_LVAst`.

    Parameters
    ----------
    gbar : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of calcium, `E_Ca`, where there is no pool that gives it.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return _cited(hay.Ca_LVAst(gbar, E, name, T))


def CaDynamics(
    gamma: float | str = 0.05,
    decay: Quantity | str = 80 * ms,
    Ca_o: Quantity = 2 * mM,
    name: str = "CaDynamics",
    T: Quantity = _WARM,
) -> Equations:
    """Calcium in a shell of 0.1 um under the membrane: `calcium.pool`.

    Parameters
    ----------
    gamma : float or str
        Part of the calcium that stays free.
    decay : Quantity or str
        Time constant of the decay.
    Ca_o : Quantity
        Concentration outside.
    name : str
        What the names of its parameters end in.
    T : Quantity
        Temperature.
    """
    return _cited(calcium.pool(gamma, decay, Ca_o=Ca_o, T=T, name=name))


def _cited(equations: Equations) -> Equations:
    return Equations(equations, sources=(_PAPER,))
