"""Ions of USEION: what NEURON calls their variables, what rall does, and the values that they have by default."""

from __future__ import annotations

from dataclasses import dataclass

from rall.plugins.nmodl.syntax import Ion, Neuron

__all__ = ["CURRENT", "INSIDE", "OUTSIDE", "REVERSAL", "IonVariable", "ion_name", "ion_variables", "valence"]

REVERSAL, INSIDE, OUTSIDE, CURRENT = "reversal potential", "inside", "outside", "current"

#: Inside and outside concentration (mM), reversal potential (mV) and valence in NEURON; its manual's USEION, and
#: ``nrn/src/nrnoc/eion.cpp``, where that of calcium is 12.5 mV times the logarithm of the quotient.
_DEFAULTS = {
    "na": (10.0, 140.0, 50.0, 1.0),
    "k": (54.4, 2.5, -77.0, 1.0),
    "ca": (5e-5, 2.0, 132.4579341637009, 2.0),
}
_OTHER = (1.0, 1.0, 0.0, None)


@dataclass(frozen=True)
class IonVariable:
    """A variable of an ion.

    Parameters
    ----------
    name : str
        In the file, such as ``cai``.
    role : str
        `REVERSAL`, `INSIDE`, `OUTSIDE` or `CURRENT`.
    ion : str
        rall's name of the ion.
    shown : str
        rall's name of the variable; of a current its sum over all mechanisms, which is inward positive.
    unit : str
        NMODL's text of its unit.
    default : float or None
        In that unit.
    read, written : bool
        What the file does with it.
    """

    name: str
    role: str
    ion: str
    shown: str
    unit: str
    default: float | None
    read: bool
    written: bool


def ion_name(name: str) -> str:
    """What rall calls an ion: the file's name with a capital."""
    return name[:1].upper() + name[1:]


def valence(ion: Ion) -> float | None:
    """The charge number of an ion; None if nobody says."""
    if ion.valence is not None:
        return ion.valence
    return _DEFAULTS.get(ion.name, _OTHER)[3]


def ion_variables(neuron: Neuron) -> dict[str, IonVariable]:
    """The variables of all ions of a mechanism, by their names in the file.

    Parameters
    ----------
    neuron : Neuron
        The NEURON block.
    """
    found = {}
    for ion in neuron.ions:
        inside, outside, reversal, _ = _DEFAULTS.get(ion.name, _OTHER)
        shown = ion_name(ion.name)
        for name, role, own, unit, default in (
            (f"e{ion.name}", REVERSAL, f"E_{shown}", "mV", reversal),
            (f"{ion.name}i", INSIDE, shown, "mM", inside),
            (f"{ion.name}o", OUTSIDE, f"{shown}_o", "mM", outside),
            (f"i{ion.name}", CURRENT, f"I_{shown}_total", "mA/cm2", None),
        ):
            read, written = name in ion.reads, name in ion.writes
            found[name] = IonVariable(name, role, shown, own, unit, default, read, written)
    return found
