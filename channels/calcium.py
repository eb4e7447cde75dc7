"""Calcium inside of the cell: what calcium currents bring in, and the reversal potential that follows."""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, kelvin, mM, ms, nM, um

__all__ = ["fixed", "pool"]

_POOL = """
dCa/dt = gamma_X*I_Ca_total/(2*faraday_constant*depth_X) - (Ca - minimum_X)/decay_X : mM
E_Ca = nernst(2, Ca, Ca_o, T) : volt
gamma_X : 1 (constant)
decay_X : second (constant)
depth_X : meter (constant)
minimum_X : mM (shared, constant)
Ca_o : mM (shared, constant, ion Ca)
T : kelvin (shared, constant)
"""
_FIXED = """
Ca : mM (constant)
E_Ca = nernst(2, Ca, Ca_o, T) : volt
Ca_o : mM (shared, constant, ion Ca)
T : kelvin (shared, constant)
"""


def pool(
    gamma: Quantity | float | str = 0.05,
    decay: Quantity | str = 80 * ms,
    depth: Quantity | str = 0.1 * um,
    minimum: Quantity = 1e-4 * mM,
    Ca_o: Quantity = 2 * mM,
    T: Quantity = 307.15 * kelvin,
    name: str = "Ca",
) -> Equations:
    """Calcium in a thin shell under the membrane, which decays towards a minimum.

    All calcium currents of a compartment, `I_Ca_total`, fill the shell; channels read the concentration `Ca` and the
    reversal potential `E_Ca`, by Nernst.

    Parameters
    ----------
    gamma : float or str
        Part of the calcium that stays free.
    decay : Quantity or str
        Time constant of the decay.
    depth : Quantity or str
        Thickness of the shell, whose volume is taken as area times thickness.
    minimum : Quantity
        Concentration towards which it decays.
    Ca_o : Quantity
        Concentration outside.
    T : Quantity
        Temperature.
    name : str
        What the names of its parameters end in.
    """
    own = {"gamma": gamma, "decay": decay, "depth": depth, "minimum": minimum}
    source = "Destexhe, Contreras, Sejnowski & Steriade, J Neurophysiol 72:803 (1994), calcium in a shell"
    return channel(_POOL, "Ca", name, {**own, "Ca": minimum, "Ca_o": Ca_o, "T": T}, source)


def fixed(
    Ca: Quantity | str = 100 * nM, Ca_o: Quantity = 2 * mM, T: Quantity = 307.15 * kelvin
) -> Equations:
    """Calcium that does not change, with the reversal potential `E_Ca` that follows by Nernst.

    Parameters
    ----------
    Ca : Quantity or str
        Concentration inside, one or an expression of compartments.
    Ca_o : Quantity
        Concentration outside.
    T : Quantity
        Temperature.
    """
    return channel(_FIXED, "Ca", "Ca", {"Ca": Ca, "Ca_o": Ca_o, "T": T}, "Nernst, Z phys Chem 2:613 (1888)")
