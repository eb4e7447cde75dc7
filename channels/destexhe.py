"""T-type calcium channel of thalamic relay cells (Destexhe et al. 1998).

The current follows the equation of Goldman, Hodgkin and Katz, with a permeability in place of a conductance.  The
paper's cells have it with ``calcium.pool(gamma=1, decay=5*ms, minimum=2.4e-4*mM)``.
"""

from __future__ import annotations

from rall.channels.channel import channel
from rall.equations import Equations
from rall.units import Quantity, cm, kelvin, mM, mV, second

__all__ = ["CaT"]

_SOURCE = (
    "Destexhe, Neubig, Ulrich & Huguenard, J Neurosci 18:3574 (1998), methods, T-current (ModelDB 279); "
    "time constants of Huguenard & McCormick, J Neurophysiol 68:1373 (1992)"
)
_CAT = """
I_X = p_X*m_X**2*h_X*ghk(v, 2, Ca, Ca_o, T) : amp/meter**2 (membrane current, ion Ca)
dm_X/dt = (m_inf_X - m_X)/tau_m_X : 1
dh_X/dt = (h_inf_X - h_X)/tau_h_X : 1
m_inf_X = 1/(1 + exp(-(u_X + 57*mV)/(6.2*mV))) : 1
h_inf_X = 1/(1 + exp((u_X + 81*mV)/(4*mV))) : 1
tau_m_X = (0.612 + 1/(exp(-(u_X + 132*mV)/(16.7*mV)) + exp((u_X + 16.8*mV)/(18.2*mV))))*ms/phi_X : second
tau_h_X = (exp((u_X + 467*mV)/(66.6*mV)) if u_X < -80*mV else 28 + exp(-(u_X + 22*mV)/(10.5*mV)))*ms/phi_X : second
u_X = v + shift_X : volt
phi_X = q10**((T - 297.15*kelvin)/(10*kelvin)) : 1
p_X : meter/second (constant)
shift_X : volt (shared, constant)
Ca : mM (constant, ion Ca)
Ca_o : mM (shared, constant, ion Ca)
T : kelvin (shared, constant)
"""

def CaT(
    p: Quantity | str = 1.7e-5 * cm / second,
    name: str = "CaT",
    shift: Quantity = 2 * mV,
    Ca: Quantity = 2.4e-4 * mM,
    Ca_o: Quantity = 2 * mM,
    T: Quantity = 307.15 * kelvin,
    q10: float = 2.5,
) -> Equations:
    """Low-threshold calcium channel of thalamic relay cells.

    Gates m (squared) and h.

    Parameters
    ----------
    p : Quantity or str
        Largest permeability, one or an expression of compartments.
    name : str
        What the names of its variables end in.
    shift : Quantity
        By how much all rates are shifted to lower voltages.
    Ca, Ca_o : Quantity
        Concentrations inside and outside, unless a pool of calcium in the model defines them.
    T : Quantity
        Absolute temperature, of the whole cell; 34 degrees Celsius.  It is also that of the driving force.
    q10 : float
        Factor of all rates for ten degrees, from 24 degrees.
    """
    defaults = {"p": p, "shift": shift, "Ca": Ca, "Ca_o": Ca_o, "T": T}
    return channel(_CAT, "CaT", name, defaults, _SOURCE, fixed={"q10": q10}, ranges={"shift": (-20 * mV, 20 * mV)})
