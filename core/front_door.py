"""The front door's table: where each public name lives, and what is imported at its first use."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType

from rall import pylab, units
from rall.errors import PluginError
from rall.registry import builtin_names, closest, find

__all__ = ["CORE", "METHODS", "SUBPACKAGES", "find_name", "public_names"]

_HOMES = {
    "rall.errors": (
        "CompileError EquationError MagicError MorphologyError MorphologyWarning NotSupportedError "
        "NmodlError NumericalError PluginError RallError RallWarning"
    ),
    "rall.units.constants": (
        "avogadro_constant boltzmann_constant electric_constant electron_mass elementary_charge "
        "faraday_constant gas_constant magnetic_constant molar_mass_constant zero_celsius"
    ),
    "rall.user_functions": "Function declare_types implementation",
    "rall.equations": "Equations",
    "rall.session": "Clock EventClock defaultclock prefs seed start_scope",
    "rall.operations": "NetworkOperation network_operation",
    "rall.simulation": "Network",
    "rall.magic": "MagicNetwork collect magic_network restore run stop store",
    "rall.targets": "device get_device set_device",
    "rall.brian": "BrianObject clear_cache profiling_summary restore_initial_state scheduling_summary",
    "rall.logger": "BrianLogger get_logger",
    "rall.integrators.explicit": "ExplicitStateUpdater StateUpdateMethod",
}
#: Names of the kernel, each with the module that has it; plugins' names come from their entry points.
CORE: Mapping[str, str] = MappingProxyType(
    {name: module for module, listed in _HOMES.items() for name in listed.split()}
)
#: Methods that scripts for Brian 2 name as objects, ``method=euler``; each is the registered one.
METHODS = ("euler", "exact", "exponential_euler", "heun", "linear", "milstein", "rk2", "rk4")
#: Modules that a star import binds; `errors` is not among them, since scripts call their own things so.
SUBPACKAGES = ("channels", "codegen", "numpy_", "units")
#: What pylab leaves to Python: no star import brings them, but they are attributes, as they are of Brian's package.
_PYTHON = ("abs", "bool", "bytes", "max", "min", "pow", "round")


def public_names(arrays: bool) -> list[str]:
    """What a star import brings.

    Parameters
    ----------
    arrays : bool
        With the names of NumPy and Matplotlib, as ``from rall import *`` has them, or without.

    Returns
    -------
    list of str
        Each name once.
    """
    own = dict.fromkeys((*units.__all__, *CORE, *builtin_names("rall.components"), *METHODS, *SUBPACKAGES))
    return [*own, *(name for name in pylab.names() if name not in own)] if arrays else list(own)


def find_name(name: str, arrays: bool) -> object:
    """What a public name stands for, imported.

    Parameters
    ----------
    name : str
        One of `public_names`, a module of rall, or a name that an installed plugin brings.
    arrays : bool
        As of `public_names`.

    Returns
    -------
    object
        The class, function, unit or module.

    Raises
    ------
    AttributeError
        If there is no such name; the message lists what is like it.
    """
    if name.startswith("_"):
        raise AttributeError(f"module 'rall' has no attribute {name!r}")
    if name in CORE:
        return getattr(import_module(CORE[name]), name)
    if name in units.__all__:
        return getattr(units, name)
    if name in builtin_names("rall.components"):
        return find("rall.components", name)
    if name in METHODS:
        found = find("rall.integrators", name)
        return found() if isinstance(found, type) else found
    if arrays and name in _PYTHON:
        return getattr(builtins, name)
    # Looking for a file takes longer than looking into the table.
    if arrays and name in pylab.names():
        return pylab.find_name(name)
    if find_spec(f"rall.{name}") is not None:
        return import_module(f"rall.{name}")
    try:
        return find("rall.components", name)
    except PluginError as problem:
        guess = closest(name, public_names(arrays))
        raise AttributeError(
            f"there is no public name {name!r}{guess}" if guess else str(problem)
        ) from problem
