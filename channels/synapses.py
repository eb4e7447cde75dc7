"""Receptors: models of `Synapses` onto compartments or point neurons, with the current that they add there.

Each function gives what `Synapses` takes.  The target has a variable for the sum of the currents, which is named after
the receptor: ``I_AMPA``.  A cell gets it from the receptor's `current`; a point neuron declares ``I_AMPA : amp`` and
uses it in its equation.  ::

    ampa = channels.synapses.AMPA(g=0.5*nS)
    cell = SpatialNeuron(morphology, model=channels.leak() + ampa.current)
    onto = Synapses(inputs, cell, **ampa)

A variable is the sum of one `Synapses`; the second one onto the same neurons needs another name.

In all of them ``g`` is the conductance of a synapse and ``r`` which part of it is open; both can be set, recorded and
changed by plasticity, and so can all other parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from rall.channels.channel import channel
from rall.channels.receptor import Receptor
from rall.equations import Equations
from rall.units import Quantity, mM, ms, mV, nS, second, uM

__all__ = [
    "AMPA", "GABA_A", "GABA_B", "NMDA", "AMPA_kinetic", "GABA_A_kinetic", "GABA_B_kinetic", "NMDA_kinetic", "Receptor",
]  # fmt: skip

_MARKRAM = "Markram et al., Cell 163:456 (2015), time courses"
_DESTEXHE = (
    "Destexhe, Mainen & Sejnowski, in Koch & Segev (eds.), Methods in Neuronal Modeling, 2nd ed., MIT Press (1998), "
    "chapter 1"
)
_JAHR = "Jahr & Stevens, J Neurosci 10:3178 (1990), block by magnesium"

_CURRENT = "I_X_post = g*r*(E - v_post) : amp (summed)"
_BLOCKED = """
I_X_post = g*r*open*(E - v_post) : amp (summed)
open = 1/(1 + exp(-0.062*v_post/mV)*Mg/(3.57*mM)) : 1
Mg : mM (shared, constant)
"""
_COMMON = """
g : siemens
E : volt (shared, constant)
"""
# Two stages in a row, so that equal time constants are nothing special; an event opens one g at its peak.
_DUAL = """
dr/dt = (s - r)/tau_decay : 1 (clock-driven)
ds/dt = -s/tau_rise : 1 (clock-driven)
peak = exp(xoexpm1(-log(tau_decay/tau_rise))) : 1 (shared)
tau_rise : second (shared, constant)
tau_decay : second (shared, constant)
"""
_ON_DUAL = "s += peak"
# The transmitter is there for the steps after that of the event; half a step guards against rounding.
_PULSE = """
C = C_max*int(t < t_end) : mM (constant over dt)
C_max : mM (shared, constant)
duration : second (shared, constant)
t_end : second
"""
_KINETIC = """
dr/dt = alpha*C*(1 - r) - beta*r : 1 (clock-driven)
alpha : hertz/mM (shared, constant)
beta : hertz (shared, constant)
"""
_ON_PULSE = "t_end = t + duration + 0.5*dt"
_G_PROTEIN = """
I_X_post = g*s**4/(s**4 + K_d)*(E - v_post) : amp (summed)
dr/dt = K1*C*(1 - r) - K2*r : 1 (clock-driven)
ds/dt = K3*r - K4*s : mM (clock-driven)
K1 : hertz/mM (shared, constant)
K2 : hertz (shared, constant)
K3 : mM*hertz (shared, constant)
K4 : hertz (shared, constant)
K_d : mM**4 (shared, constant)
"""


def AMPA(
    g: Quantity | str = 1 * nS,
    E: Quantity = 0 * mV,
    name: str = "AMPA",
    tau_rise: Quantity = 0.2 * ms,
    tau_decay: Quantity = 1.7 * ms,
) -> Receptor:
    """Fast excitation: an event opens a dual exponential.

    Parameters
    ----------
    g : Quantity or str
        Conductance at the peak after one event.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    tau_rise, tau_decay : Quantity
        Time constants.
    """
    return _dual(name, {"g": g, "E": E, "tau_rise": tau_rise, "tau_decay": tau_decay})


def GABA_A(
    g: Quantity | str = 1 * nS,
    E: Quantity = -80 * mV,
    name: str = "GABA_A",
    tau_rise: Quantity = 0.2 * ms,
    tau_decay: Quantity = 8 * ms,
) -> Receptor:
    """Fast inhibition: an event opens a dual exponential.

    Parameters
    ----------
    g : Quantity or str
        Conductance at the peak after one event.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    tau_rise, tau_decay : Quantity
        Time constants.
    """
    return _dual(name, {"g": g, "E": E, "tau_rise": tau_rise, "tau_decay": tau_decay})


def GABA_B(
    g: Quantity | str = 1 * nS,
    E: Quantity = -97 * mV,
    name: str = "GABA_B",
    tau_rise: Quantity = 3.5 * ms,
    tau_decay: Quantity = 260.9 * ms,
) -> Receptor:
    """Slow inhibition: an event opens a dual exponential.

    Parameters
    ----------
    g : Quantity or str
        Conductance at the peak after one event.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    tau_rise, tau_decay : Quantity
        Time constants.
    """
    return _dual(name, {"g": g, "E": E, "tau_rise": tau_rise, "tau_decay": tau_decay})


def NMDA(
    g: Quantity | str = 1 * nS,
    E: Quantity = 0 * mV,
    name: str = "NMDA",
    tau_rise: Quantity = 0.29 * ms,
    tau_decay: Quantity = 43 * ms,
    Mg: Quantity = 1 * mM,
) -> Receptor:
    """Slow excitation, blocked by magnesium: an event opens a dual exponential.

    Parameters
    ----------
    g : Quantity or str
        Conductance at the peak after one event, were there no magnesium.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    tau_rise, tau_decay : Quantity
        Time constants.
    Mg : Quantity
        Magnesium outside.
    """
    own = {"g": g, "E": E, "tau_rise": tau_rise, "tau_decay": tau_decay, "Mg": Mg}
    return _receptor(_BLOCKED + _COMMON + _DUAL, _ON_DUAL, name, own, (_JAHR, _MARKRAM))


def AMPA_kinetic(
    g: Quantity | str = 1 * nS,
    E: Quantity = 0 * mV,
    name: str = "AMPA",
    alpha: Quantity = 1.1 / ms / mM,
    beta: Quantity = 190 / second,
) -> Receptor:
    """Fast excitation: 1 mM of transmitter for 1 ms binds to receptors, which open.

    Parameters
    ----------
    g : Quantity or str
        Conductance with all receptors open.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    alpha, beta : Quantity
        Rates of binding and of unbinding.
    """
    return _bound(_CURRENT, name, {"g": g, "E": E, "alpha": alpha, "beta": beta}, (_DESTEXHE,))


def GABA_A_kinetic(
    g: Quantity | str = 1 * nS,
    E: Quantity = -80 * mV,
    name: str = "GABA_A",
    alpha: Quantity = 5 / ms / mM,
    beta: Quantity = 180 / second,
) -> Receptor:
    """Fast inhibition: 1 mM of transmitter for 1 ms binds to receptors, which open.

    Parameters
    ----------
    g : Quantity or str
        Conductance with all receptors open.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    alpha, beta : Quantity
        Rates of binding and of unbinding.
    """
    return _bound(_CURRENT, name, {"g": g, "E": E, "alpha": alpha, "beta": beta}, (_DESTEXHE,))


def NMDA_kinetic(
    g: Quantity | str = 1 * nS,
    E: Quantity = 0 * mV,
    name: str = "NMDA",
    alpha: Quantity = 0.072 / ms / mM,
    beta: Quantity = 6.6 / second,
    Mg: Quantity = 1 * mM,
) -> Receptor:
    """Slow excitation, blocked by magnesium: 1 mM of transmitter for 1 ms binds to receptors, which open.

    Parameters
    ----------
    g : Quantity or str
        Conductance with all receptors open, were there no magnesium.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    alpha, beta : Quantity
        Rates of binding and of unbinding.
    Mg : Quantity
        Magnesium outside.
    """
    return _bound(_BLOCKED, name, {"g": g, "E": E, "alpha": alpha, "beta": beta, "Mg": Mg}, (_JAHR, _DESTEXHE))


def GABA_B_kinetic(g: Quantity | str = 1 * nS, E: Quantity = -95 * mV, name: str = "GABA_B") -> Receptor:
    """Slow inhibition: 0.5 mM of transmitter for 0.3 ms binds to receptors, whose G-protein opens potassium channels.

    Parameters
    ----------
    g : Quantity or str
        Conductance with all channels open.
    E : Quantity
        Reversal potential.
    name : str
        What the name of the current ends in.
    """
    rates = {"K1": 90 / second / mM, "K2": 1.2 / second, "K3": 180 * uM / second, "K4": 34 / second}
    own = {"g": g, "E": E, **rates, "K_d": 100 * uM**4, "C_max": 0.5 * mM, "duration": 0.3 * ms}
    return _receptor(_G_PROTEIN + _COMMON + _PULSE, _ON_PULSE, name, own, (_DESTEXHE,))


def _dual(name: str, own: Mapping[str, Quantity | str]) -> Receptor:
    return _receptor(_CURRENT + _COMMON + _DUAL, _ON_DUAL, name, own, (_MARKRAM,))


def _bound(current: str, name: str, own: Mapping[str, Quantity | str], sources: tuple[str, ...]) -> Receptor:
    pulse = {"C_max": 1 * mM, "duration": 1 * ms}
    return _receptor(current + _COMMON + _PULSE + _KINETIC, _ON_PULSE, name, {**own, **pulse}, sources)


def _receptor(
    text: str, on_pre: str, name: str, own: Mapping[str, Quantity | str], sources: tuple[str, ...]
) -> Receptor:
    current = channel("I_X : amp (point current)", name, name, {}, sources[0])
    return Receptor(Equations(text.replace("I_X_post", f"I_{name}_post"), own, sources), on_pre, current)
