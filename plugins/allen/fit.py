"""The parameters of a model as its file has them: passive values and mechanisms, section by section."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rall.errors import RallError
from rall.plugins.allen.entries import Entry
from rall.registry import closest

__all__ = ["PASSIVE", "SECTIONS", "Fit", "read_fit"]

SECTIONS = ("soma", "axon", "dend", "apic")
"""Sections by the names of the files, which are regions too."""

PASSIVE = {"cm": "uF/cm2", "Ra": "ohm cm", "g_pas": "S/cm2", "e_pas": "mV"}
"""What every section needs, and its unit."""

_MEANING: Mapping[str, tuple[str, ...]] = {
    **{section: (section,) for section in SECTIONS}, "basal": ("dend",), "apical": ("apic",), "all": SECTIONS,
}  # fmt: skip
_LEAST = {"cm": 1e-6, "Ra": 1e-6, "g_pas": 0.0, "e_pas": -500.0}


@dataclass(frozen=True)
class Fit:
    """What a file of parameters says.

    Parameters
    ----------
    file : str
        Its name.
    celsius : float
        Temperature (degrees Celsius).
    v_init : float
        Voltage at the start (mV).
    junction_potential : float or None
        By which recordings were shifted (mV).
    reversal : mapping of str to mapping of str to float
        For each section, reversal potentials (mV) by their names in equations, such as ``E_Na``.
    passive : mapping of str to mapping of str to float
        For each section the values of `PASSIVE`, as far as they are there.
    mechanisms : mapping of str to mapping of str to mapping of str to Entry
        For each section, its mechanisms, and their parameters.
    """

    file: str
    celsius: float
    v_init: float
    junction_potential: float | None
    reversal: Mapping[str, Mapping[str, float]]
    passive: Mapping[str, Mapping[str, float]]
    mechanisms: Mapping[str, Mapping[str, Mapping[str, Entry]]]

    def error(self, message: str) -> RallError:
        """What is wrong with it as a whole.

        Parameters
        ----------
        message : str
            What is wrong and what would do.
        """
        return RallError(f"{self.file}: {message}")


def read_fit(whole: Entry) -> Fit:
    """The parameters of a file.

    Parameters
    ----------
    whole : Entry
        The file.

    Raises
    ------
    RallError
        Names the place in the file of what cannot be used.
    """
    conditions = whole["conditions"].first()
    passive, mechanisms = _Passive(), _Mechanisms()
    passive.read(whole["passive"].first())
    for one in whole["genome"]:
        sections, mechanism = _sections(one["section"]), one["mechanism"].text()
        (passive if mechanism in ("", "pas") else mechanisms).add(one, sections)
    return Fit(
        whole.file,
        conditions["celsius"].number(-20.0, 100.0, "degrees Celsius"),
        conditions["v_init"].number(-300.0, 300.0, "mV"),
        _junction(whole),
        _reversal(conditions["erev"]),
        passive.values,
        mechanisms.values,
    )


class _Passive:
    """Passive values: those of ``passive``, of which those of ``genome`` come before."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, float]] = {section: {} for section in SECTIONS}
        self._given: dict[tuple[str, str], str] = {}

    def read(self, entry: Entry) -> None:
        """Take the values that hold everywhere, and the capacitances."""
        for key, name in (("ra", "Ra"), ("e_pas", "e_pas")):
            if key in entry:
                for section in SECTIONS:
                    self.values[section][name] = _passive_number(name, entry[key])
        for one in entry["cm"] if "cm" in entry else ():
            for section in _sections(one["section"]):
                self.values[section]["cm"] = _passive_number("cm", one["cm"])

    def add(self, entry: Entry, sections: Iterable[str]) -> None:
        """Take one of ``genome``."""
        name = entry["name"].text()
        if name not in PASSIVE:
            raise entry["name"].error(
                f"'{name}' is no passive value{closest(name, PASSIVE)}; there are {', '.join(PASSIVE)}, and what "
                "belongs to a mechanism names it in 'mechanism'"
            )
        for section in sections:
            _once(self._given, (section, name), entry)
            self.values[section][name] = _passive_number(name, entry["value"])


class _Mechanisms:
    """Mechanisms of all sections."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, dict[str, Entry]]] = {section: {} for section in SECTIONS}
        self._given: dict[tuple[str, str], str] = {}

    def add(self, entry: Entry, sections: Iterable[str]) -> None:
        """Take one of ``genome``."""
        mechanism, name = entry["mechanism"].text(), entry["name"].text()
        parameter, dash, ending = name.partition(f"_{mechanism}")
        if not parameter or not dash or ending:
            raise entry["name"].error(f"a parameter of '{mechanism}' ends in '_{mechanism}', and '{name}' does not")
        for section in sections:
            _once(self._given, (section, name), entry)
            self.values[section].setdefault(mechanism, {})[parameter] = entry["value"]


def _once(given: dict[tuple[str, str], str], key: tuple[str, str], entry: Entry) -> None:
    if key in given:
        raise entry.error(f"'{key[1]}' of '{key[0]}' is twice there, first in {given[key]}; take one of them out")
    given[key] = entry.path


def _passive_number(name: str, entry: Entry) -> float:
    most = 500.0 if name == "e_pas" else math.inf
    return entry.number(_LEAST[name], most, PASSIVE[name])


def _sections(entry: Entry) -> tuple[str, ...]:
    name = entry.text()
    if name not in _MEANING:
        raise entry.error(f"there is no section '{name}'{closest(name, _MEANING)}; there are {', '.join(_MEANING)}")
    return _MEANING[name]


def _junction(whole: Entry) -> float | None:
    if "fitting" not in whole or not whole["fitting"].value:
        return None
    fitting = whole["fitting"].first()
    return fitting["junction_potential"].number(unit="mV") if "junction_potential" in fitting else None


def _reversal(entries: Entry) -> dict[str, dict[str, float]]:
    """Reversal potentials of all sections."""
    found: dict[str, dict[str, float]] = {section: {} for section in SECTIONS}
    for one in entries:
        sections = _sections(one["section"])
        for key in one.keys():
            if key == "section":
                continue
            if not re.fullmatch(r"e[a-z]+", key):
                raise one.error(f"'{key}' is no reversal potential; these are written ena, ek, eca")
            for section in sections:
                found[section][f"E_{key[1:].capitalize()}"] = one[key].number(-500.0, 500.0, "mV")
    return found
