"""Passive leak."""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, mS, mV

__all__ = ["LEAK", "leak"]

LEAK = """
I_X = g_X*(E_X - v) : amp/meter**2 (membrane current)
g_X : siemens/meter**2 (constant)
E_X : volt (shared, constant)
"""
"""The lines, for families with a leak of their own."""
_SOURCE = "Hodgkin & Huxley, J Physiol 117:500 (1952), leakage conductance"


def leak(g: Quantity | str = 0.3 * mS / cm**2, E: Quantity | str = -54.3 * mV, name: str = "leak") -> Equations:
    """A conductance that does not change.

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
