"""From a file to a mechanism: `load_mod`."""

from __future__ import annotations

from pathlib import Path

from rall.errors import RallError
from rall.plugins.nmodl.assemble import assemble
from rall.plugins.nmodl.mechanism import Mechanism
from rall.plugins.nmodl.parser import read
from rall.plugins.nmodl.process import PointProcess
from rall.plugins.nmodl.refusal import refusals
from rall.plugins.nmodl.syntax import Program
from rall.plugins.nmodl.translate import translate

__all__ = ["load_mod", "mechanism_of"]

#: What does instead of other kinds of mechanisms.
_OTHERS = {
    "ARTIFICIAL_CELL": "give its times to a SpikeGeneratorGroup, take a PoissonGroup if they are random, or write it "
    "as a NeuronGroup with a threshold and a reset if it sums up inputs",
    "JUNCTION_PROCESS": "write a model of Synapses with v_pre and v_post",
    "VOLTAGE_PROCESS": "use a VoltageClamp",
}

_MODES = ("check", "lenient", "strict")


def load_mod(path: str | Path, units: str = "check") -> Mechanism:
    """A mechanism of NEURON as it stands in its file.

    Parameters
    ----------
    path : str or Path
        A file in NMODL (``.mod``).
    units : str
        What to do about units that do not fit.  ``'check'``: the equations concerned take their numbers as NEURON
        would, and `Mechanism.notices` says so.  ``'lenient'``: all equations do.  ``'strict'``: an error.

    Returns
    -------
    Mechanism
        Call it for its equations.

    Raises
    ------
    NmodlError
        If the file cannot be read, or something in it has no translation: with file, line and construct.

    Examples
    --------
    >>> Ih = load_mod("Ih.mod")                                     # doctest: +SKIP
    >>> cell = SpatialNeuron(morpho, {"apical": Ih(gIhbar=8e-5*siemens/cm**2)}, ...)  # doctest: +SKIP
    """
    if units not in _MODES:
        raise RallError(f"units= is one of {', '.join(map(repr, _MODES))}, not {units!r}")
    return mechanism_of(read(path), units)


def mechanism_of(program: Program, units: str = "check") -> Mechanism:
    """A mechanism from its syntax tree.

    Parameters
    ----------
    program : Program
        The file.
    units : str
        As of `load_mod`.

    Returns
    -------
    Mechanism
        Call it for its equations.

    Raises
    ------
    NmodlError
        If something in it has no translation.
    """
    if program.neuron.kind == "POINT_PROCESS":
        return PointProcess(program, units)
    if program.neuron.kind in _OTHERS:
        kind, name = program.neuron.kind, program.neuron.name
        raise refusals(program)(program.neuron.at, f"{kind} {name} has no translation", _OTHERS[kind], kind)
    return Mechanism(program, assemble(translate(program), units == "lenient", units == "strict"), units == "lenient")
