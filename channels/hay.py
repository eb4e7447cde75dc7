"""Channels and regions of the layer-5b pyramidal cell of Hay et al. 2011 (ModelDB 139653).

Names are those of the mechanisms.  Rates are for absolute voltages at 34 degrees Celsius; those that the model scales
from room temperature have a factor 2.3 for every 10 kelvin from 21 degrees, which is that of the model at the default
temperature.  Conductances are those of the soma, for what is not there those of the apical tree (Im).
"""

from __future__ import annotations

from rall.channels import calcium, colbert_pan
from rall.channels.channel import channel
from rall.channels.leak import leak
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mM, mS, ms, mV, ohm, um

__all__ = [
    "SK_E2", "CaDynamics_E2", "Ca_HVA", "Ca_LVAst", "Cm", "Ih", "Im", "K_Pst", "K_Tst", "NaTa_t", "NaTs2_t",
    "Nap_Et2", "Ri", "SKv3_1", "model",
]  # fmt: skip

_PAPER = "Hay, Hill, Schuermann, Markram & Segev, PLoS Comput Biol 7:e1002107 (2011), ModelDB 139653"
_WARM = 307.15 * kelvin

_Q10 = """
q_X = 2.3**((T - zero_celsius - 21*kelvin)/(10*kelvin)) : 1 (shared)
T : kelvin (shared, constant)
"""
_SODIUM = "g_X : siemens/meter**2 (constant)\nE_Na : volt (shared, constant, ion Na)"
_POTASSIUM = "g_X : siemens/meter**2 (constant)\nE_K : volt (shared, constant, ion K)"
_CALCIUM = "g_X : siemens/meter**2 (constant)\nE_Ca : volt (shared, constant, ion Ca)"

_NAP = f"""
I_X = g_X*m_X**3*h_X*(E_Na - v) : amp/meter**2 (membrane current, ion Na)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 52.6*mV)/(4.6*mV))) : 1
h_inf_X = 1/(1 + exp((v + 48.8*mV)/(10*mV))) : 1
tau_m_X = 6*ms/q_X/(0.182*6*xoexpm1(-(v + 38*mV)/(6*mV)) + 0.124*6*xoexpm1((v + 38*mV)/(6*mV))) : second
tau_h_X = 1*ms/q_X/(2.88e-6*4.63*xoexpm1((v + 17*mV)/(4.63*mV))
                    + 6.94e-6*2.63*xoexpm1(-(v + 64.4*mV)/(2.63*mV))) : second
{_Q10}{_SODIUM}
"""
_KP = f"""
I_X = g_X*m_X**2*h_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 11*mV)/(12*mV))) : 1
h_inf_X = 1/(1 + exp((v + 64*mV)/(11*mV))) : 1
slow_X = 175.03*exp(0.026*(v + 10*mV)/mV) if v < -60*mV else 13*exp(-0.026*(v + 10*mV)/mV) : 1
tau_m_X = (1.25 + slow_X)*ms/q_X : second
tau_h_X = (360 + (1010 + 24*(v + 65*mV)/mV)*exp(-((v + 85*mV)/(48*mV))**2))*ms/q_X : second
{_Q10}{_POTASSIUM}
"""
_KT = f"""
I_X = g_X*m_X**4*h_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 10*mV)/(19*mV))) : 1
h_inf_X = 1/(1 + exp((v + 76*mV)/(10*mV))) : 1
tau_m_X = (0.34 + 0.92*exp(-((v + 81*mV)/(59*mV))**2))*ms/q_X : second
tau_h_X = (8 + 49*exp(-((v + 83*mV)/(23*mV))**2))*ms/q_X : second
{_Q10}{_POTASSIUM}
"""
_KV3 = f"""
I_X = g_X*m_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
m_inf_X = 1/(1 + exp(-(v - 18.7*mV)/(9.7*mV))) : 1
tau_m_X = 4*ms/(1 + exp(-(v + 46.56*mV)/(44.14*mV))) : second
{_POTASSIUM}
"""
_IM = f"""
I_X = g_X*m_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
alpha_m_X = q_X*3.3e-3*exp((v + 35*mV)/(10*mV))/ms : hertz
beta_m_X = q_X*3.3e-3*exp(-(v + 35*mV)/(10*mV))/ms : hertz
{_Q10}{_POTASSIUM}
"""
_IH = """
I_X = g_X*m_X*(E_X - v) : amp/meter**2 (membrane current)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
alpha_m_X = 6.43e-3*11.9*xoexpm1((v + 154.9*mV)/(11.9*mV))/ms : hertz
beta_m_X = 0.193*exp(v/(33.1*mV))/ms : hertz
g_X : siemens/meter**2 (constant)
E_X : volt (shared, constant)
"""
_HVA = f"""
I_X = g_X*m_X**2*h_X*(E_Ca - v) : amp/meter**2 (membrane current, ion Ca)
dm_X/dt = alpha_m_X*(1 - m_X) - beta_m_X*m_X : 1
dh_X/dt = alpha_h_X*(1 - h_X) - beta_h_X*h_X : 1
alpha_m_X = 0.055*3.8*xoexpm1(-(v + 27*mV)/(3.8*mV))/ms : hertz
beta_m_X = 0.94*exp(-(v + 75*mV)/(17*mV))/ms : hertz
alpha_h_X = 4.57e-4*exp(-(v + 13*mV)/(50*mV))/ms : hertz
beta_h_X = 6.5e-3/(1 + exp(-(v + 15*mV)/(28*mV)))/ms : hertz
{_CALCIUM}
"""
_LVA = f"""
I_X = g_X*m_X**2*h_X*(E_Ca - v) : amp/meter**2 (membrane current, ion Ca)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(v + 40*mV)/(6*mV))) : 1
h_inf_X = 1/(1 + exp((v + 90*mV)/(6.4*mV))) : 1
tau_m_X = (5 + 20/(1 + exp((v + 35*mV)/(5*mV))))*ms/q_X : second
tau_h_X = (20 + 50/(1 + exp((v + 50*mV)/(7*mV))))*ms/q_X : second
{_Q10}{_CALCIUM}
"""
_SK = f"""
I_X = g_X*z_X*(E_K - v) : amp/meter**2 (membrane current, ion K)
dz_X/dt = (z_inf_X - z_X)/tau_z_X : 1
z_inf_X = 1/(1 + (0.43*uM/Ca)**4.8) : 1
tau_z_X = 1*ms : second (shared)
Ca : mM (constant, ion Ca)
{_POTASSIUM}
"""

#: Capacitance of the membrane: spines double it on dendrites.
Cm = "1*uF/cm**2*(1 + dend + apic)"
#: Axial resistivity.
Ri = 100 * ohm * cm


def NaTa_t(
    g: Quantity | str = 2.04e3 * mS / cm**2, E: Quantity = 50 * mV, name: str = "NaTa_t", T: Quantity = _WARM
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
    """
    return _cited(colbert_pan.Na(g, E, name, T, -38 * mV, -66 * mV))


def NaTs2_t(
    g: Quantity | str = 984 * mS / cm**2, E: Quantity = 50 * mV, name: str = "NaTs2_t", T: Quantity = _WARM
) -> Equations:
    """Transient sodium channel of soma and dendrites in later models.

    `NaTa_t`, 6 mV to the right.

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
    """
    return _cited(colbert_pan.Na(g, E, name, T, -32 * mV, -60 * mV))


def Nap_Et2(
    g: Quantity | str = 1.72 * mS / cm**2, E: Quantity = 50 * mV, name: str = "Nap_Et2", T: Quantity = _WARM
) -> Equations:
    """Persistent sodium channel.

    After Magistretti and Alonso 1999: gates m (cubed) and h.

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
    """
    return channel(_NAP, "Nap_Et2", name, {"g": g, "E_Na": E, "T": T}, _PAPER)


def K_Pst(
    g: Quantity | str = 2.23 * mS / cm**2, E: Quantity = -85 * mV, name: str = "K_Pst", T: Quantity = _WARM
) -> Equations:
    """Slow, persistent potassium channel.

    After Korngreen and Sakmann 2000: gates m (squared) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_KP, "K_Pst", name, {"g": g, "E_K": E, "T": T}, _PAPER)


def K_Tst(
    g: Quantity | str = 81.2 * mS / cm**2, E: Quantity = -85 * mV, name: str = "K_Tst", T: Quantity = _WARM
) -> Equations:
    """Fast, transient potassium channel.

    After Korngreen and Sakmann 2000: gates m (fourth power) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_KT, "K_Tst", name, {"g": g, "E_K": E, "T": T}, _PAPER)


def SKv3_1(g: Quantity | str = 693 * mS / cm**2, E: Quantity = -85 * mV, name: str = "SKv3_1") -> Equations:
    """Fast potassium channel Kv3.1.

    After Rettig et al. 1992: gate m.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    """
    return channel(_KV3, "SKv3_1", name, {"g": g, "E_K": E}, _PAPER)


def Im(
    g: Quantity | str = 0.0675 * mS / cm**2, E: Quantity = -85 * mV, name: str = "Im", T: Quantity = _WARM
) -> Equations:
    """Muscarinic potassium channel.

    After Adams et al. 1982: gate m.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_IM, "Im", name, {"g": g, "E_K": E, "T": T}, _PAPER)


def Ih(g: Quantity | str = 0.2 * mS / cm**2, E: Quantity = -45 * mV, name: str = "Ih") -> Equations:
    """Cation channel that hyperpolarisation opens.

    After Kole et al. 2006: gate m.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    name : str
        What the names of its variables end in.
    """
    return channel(_IH, "Ih", name, {"g": g, "E": E}, _PAPER)


def Ca_HVA(g: Quantity | str = 0.992 * mS / cm**2, E: Quantity = 131 * mV, name: str = "Ca_HVA") -> Equations:
    """High-voltage activated calcium channel.

    After Reuveni et al. 1993: gates m (squared) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of calcium, `E_Ca`, where there is no pool that gives it.
    name : str
        What the names of its variables end in.
    """
    return channel(_HVA, "Ca_HVA", name, {"g": g, "E_Ca": E}, _PAPER)


def Ca_LVAst(
    g: Quantity | str = 3.43 * mS / cm**2, E: Quantity = 131 * mV, name: str = "Ca_LVAst", T: Quantity = _WARM
) -> Equations:
    """Low-voltage activated calcium channel.

    After Avery and Johnston 1996, Randall and Tsien 1997: gates m (squared) and h.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of calcium, `E_Ca`, where there is no pool that gives it.
    name : str
        What the names of its variables end in.
    T : Quantity
        Temperature.
    """
    return channel(_LVA, "Ca_LVAst", name, {"g": g, "E_Ca": E, "T": T}, _PAPER)


def SK_E2(
    g: Quantity | str = 44.1 * mS / cm**2, E: Quantity = -85 * mV, name: str = "SK_E2", Ca: Quantity = 1e-4 * mM
) -> Equations:
    """Small-conductance potassium channel that calcium opens.

    After Koehler et al. 1996: gate z.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential of potassium, `E_K`.
    name : str
        What the names of its variables end in.
    Ca : Quantity
        Concentration inside, where there is no pool that gives it.
    """
    return channel(_SK, "SK_E2", name, {"g": g, "E_K": E, "Ca": Ca}, _PAPER)


def CaDynamics_E2(
    gamma: float | str = 0.000501,
    decay: Quantity | str = 460 * ms,
    Ca_o: Quantity = 2 * mM,
    name: str = "CaDynamics_E2",
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


def model(
    reach: Quantity = 1166 * um, hot_zone: tuple[Quantity, Quantity] = (685 * um, 885 * um)
) -> dict[str, Equations]:
    """Regions of the cell that fires calcium spikes and trains of somatic spikes (the paper's table 2, last column).

    For `SpatialNeuron`, with `Cm` and `Ri` of this module, on a cell with soma, axon, dend and apic.  In the paper the
    axon is a stub of two pieces of 30 um.  Other cells have other dendrites: what depends on distance can be moved.

    Parameters
    ----------
    reach : Quantity
        Distance from the soma of the farthest apical tip, where there is most Ih.  The default is that of the fit in
        absolute distance by Van Geit et al., Front Neuroinform 10:17 (2016): Ih grows with ``exp(0.0031*distance/um)``.
    hot_zone : tuple of two Quantity
        Distances from the soma between which the apical tree has all its calcium channels.

    Returns
    -------
    dict of str to Equations
        Region to what its membrane has.

    Examples
    --------
    ::

        from rall.channels import hay

        cell = SpatialNeuron(morphology, model=hay.model(), Cm=hay.Cm, Ri=hay.Ri)
        cell.initialise(v=-80*mV)
    """
    begin, end = (f"{float(place / um):g}*um" for place in hot_zone)
    inside = f"int({begin} < distance and distance < {end})"
    grown = f"0.2*mS/cm**2*(-0.8696 + 2.0870*exp(3.6161*distance/({float(reach / um):g}*um)))"
    soma = leak(33.8e-3 * mS / cm**2, -90 * mV) + Ca_LVAst() + Ca_HVA() + SKv3_1() + SK_E2() + K_Tst() + K_Pst()
    apical = leak(58.9e-3 * mS / cm**2, -90 * mV) + Ih(grown) + NaTa_t(21.3 * mS / cm**2)
    apical += SKv3_1(0.261 * mS / cm**2) + SK_E2(1.2 * mS / cm**2) + Im()
    apical += Ca_LVAst(f"18.7*mS/cm**2*(0.01 + 0.99*{inside})") + Ca_HVA(f"0.555*mS/cm**2*(0.1 + 0.9*{inside})")
    return {
        "soma": soma + Nap_Et2() + NaTa_t() + Ih() + CaDynamics_E2(),
        "axon": leak(32.5e-3 * mS / cm**2, -90 * mV),
        "dend": leak(46.7e-3 * mS / cm**2, -90 * mV) + Ih(),
        "apic": apical + CaDynamics_E2(0.000509, 122 * ms),
    }


def _cited(equations: Equations) -> Equations:
    return Equations(equations, sources=(_PAPER,))
