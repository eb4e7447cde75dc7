"""From a mechanism's name and values to equations: those of `rall.channels.allen`, or of mod files."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from inspect import signature
from pathlib import Path
from typing import Any, Protocol

from rall.channels import allen as library
from rall.equations import Equations
from rall.errors import RallError
from rall.plugins.allen.entries import Entry
from rall.plugins.nmodl import Mechanism, load_mod
from rall.registry import closest
from rall.units import Quantity, cm, kelvin, ms, siemens
from rall.units.constants import zero_celsius

__all__ = ["Mechanisms", "Modfiles", "OwnChannels"]

_UNITS: Mapping[str, tuple[Quantity | float, float, str]] = {
    "gbar": (siemens / cm**2, 0.0, "S/cm2"), "gamma": (1.0, 0.0, ""), "decay": (ms, 1e-6, "ms"),
}  # fmt: skip
"""Parameters of the files: their unit, the least value, and the unit as text."""


class Mechanisms(Protocol):
    """Where mechanisms come from."""

    def equations(self, name: str, parameters: Mapping[str, Entry], celsius: float) -> Equations:
        """The equations of a mechanism.

        Parameters
        ----------
        name : str
            Of the mechanism.
        parameters : mapping of str to Entry
            Its values.
        celsius : float
            Temperature (degrees Celsius).
        """
        ...


class OwnChannels:
    """The mechanisms of `rall.channels.allen`."""

    def equations(self, name: str, parameters: Mapping[str, Entry], celsius: float) -> Equations:
        """See `Mechanisms.equations`."""
        some = next(iter(parameters.values()))
        if name not in library.__all__:
            known = ", ".join(library.__all__)
            raise some.error(
                f"there is no mechanism '{name}'{closest(name, library.__all__)}; there are {known}; others come from "
                "their mod files: load_allen(..., mechanisms='folder')"
            )
        function: Callable[..., Equations] = getattr(library, name)
        known_ones = [key for key in signature(function).parameters if key in _UNITS]
        values = {}
        for key, entry in parameters.items():
            if key not in known_ones:
                raise entry.error(_no_parameter(name, key, known_ones))
            unit, least, shown = _UNITS[key]
            values[key] = entry.number(least, math.inf, shown) * unit
        equations = function(**values)
        return Equations(equations, defaults={"T": celsius * kelvin + zero_celsius}) if "T" in equations else equations


class Modfiles:
    """The mechanisms of a folder of mod files, each named like its file.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    RallError
        If there is no such folder, or no mod file in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {path.stem: path for path in sorted(folder.glob("*.mod"))}
        self._loaded: dict[str, Mechanism] = {}
        if not self._files:
            raise RallError(f"mechanisms={str(folder)!r} must be a folder with mod files, and there are none")

    def equations(self, name: str, parameters: Mapping[str, Entry], celsius: float) -> Equations:
        """See `Mechanisms.equations`."""
        some = next(iter(parameters.values()))
        if name not in self._files:
            there = ", ".join(self._files)
            raise some.error(f"{self._folder} has no {name}.mod{closest(name, self._files)}; there are {there}")
        if name not in self._loaded:
            self._loaded[name] = load_mod(self._files[name])
        mechanism = self._loaded[name]
        values: dict[str, Any] = {}
        for key, entry in parameters.items():
            known = mechanism.parameters.get(key)
            if known is None:
                raise entry.error(_no_parameter(name, key, mechanism.parameters))
            least = 0.0 if key == "gbar" else -math.inf
            values[key] = f"{entry.number(least, math.inf, known.unit)!r}*({known.unit})"
        return mechanism(celsius=celsius, **values)


def _no_parameter(mechanism: str, parameter: str, known: Collection[str]) -> str:
    listed = ", ".join(known) or "none"
    return f"'{mechanism}' has no parameter '{parameter}'{closest(parameter, known)}; its parameters: {listed}"
