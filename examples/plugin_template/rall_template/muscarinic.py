"""Slow potassium channel that muscarinic receptors close (the M current)."""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, mS, mV, second

__all__ = ["M"]

_SOURCE = "Yamada, Koch & Adams, in Methods in Neuronal Modeling (1989)"
_TEXT = """
I_X = g_X*w_X*(E_X - v) : amp/meter**2 (membrane current)
dw_X/dt = (w_inf_X - w_X)/tau_X : 1
w_inf_X = 1/(1 + exp(-(v + 35*mV)/(10*mV))) : 1
tau_X = tau_max_X/(3.3*exp((v + 35*mV)/(20*mV)) + exp(-(v + 35*mV)/(20*mV))) : second
g_X : siemens/meter**2 (constant)
E_X : volt (shared, constant)
tau_max_X : second (shared, constant)
"""


def M(
    g: Quantity | str = 0.03 * mS / cm**2,
    E: Quantity = -90 * mV,
    tau_max: Quantity = 1 * second,
    name: str = "M",
) -> Equations:
    """M current, which adapts the firing of pyramidal cells.

    Parameters
    ----------
    g : Quantity or str
        Largest conductance density, one or an expression of compartments.
    E : Quantity
        Reversal potential.
    tau_max : Quantity
        Scale of the time constant.
    name : str
        What the names of its variables end in.
    """
    return channel(_TEXT, "M", name, {"g": g, "E": E, "tau_max": tau_max}, _SOURCE)
