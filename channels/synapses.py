"""Receptors: models of `Synapses` onto compartments or point neurons, with the current that they add there.

Each function gives what `Synapses` takes.  The target has a variable for the sum of the currents, whose name is that
of the receptor: ``I_AMPA``.  A cell gets it from the receptor's `current`, a point neuron declares it, ``I_AMPA : amp``,
and uses it in its equation.  ::

    ampa = channels.synapses.AMPA(g=0.5*nS)
    cell = SpatialNeuron(morphology, model=channels.leak() + ampa.current)
    onto = Synapses(inputs, cell, **ampa)

A variable is the sum of one `Synapses`; the second one onto the same neurons needs another name.

In all of them ``g`` is the conductance of a synapse and ``r`` which part of it is open; both can be set, recorded and
changed by plasticity, and so can all other parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rall.channels.channel import channel
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


@dataclass(frozen=True, eq=False)
class Receptor(Mapping[str, object]):
    """What `Synapses` takes to be synapses with this receptor: ``Synapses(source, target, **receptor)``.

    Parameters
    ----------
    model : Equations
        Of one synapse.
    on_pre : str
        What an event does.
    current : Equations
        What the model of a cell needs: the current, in amp.
    """

    model: Equations
    on_pre: str
    current: Equations

    def __getitem__(self, key: str) -> object:
        return {"model": self.model, "on_pre": self.on_pre}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(("model", "on_pre"))

    def __len__(self) -> int:
        return 2
