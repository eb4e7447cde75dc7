"""The library as a table: every channel of every family that is installed."""

from __future__ import annotations

import html
import inspect
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass

from rall.channels.gating import gates
from rall.channels.synapses import Receptor
from rall.equations import Equations
from rall.errors import PluginError, RallError, RallWarning
from rall.registry import find, names
from rall.units import mV, value_of
from rall.units.constants import zero_celsius

__all__ = ["Entry", "Library", "library"]

_GROUP = "rall.channels"
_TITLES = ("channel", "what", "ion", "gates", "T", "source")
_WIDTH = 60  # of the columns of words in a terminal


@dataclass(frozen=True)
class Entry:
    """A channel.

    Parameters
    ----------
    name : str
        As it is called: ``rall.channels.NAME()``.
    what : str
        The first line of its docstring.
    ion : str
        Which ions carry its current; empty if several do, or it has none.
    gates : str
        Its gates, without the channel's name.
    temperature : str
        The usual one in degrees Celsius; empty if nothing depends on it.
    source : str
        The paper.
    """

    name: str
    what: str
    ion: str
    gates: str
    temperature: str
    source: str


@dataclass(frozen=True)
class Library:
    """All channels; prints as a table.

    Parameters
    ----------
    entries : tuple of Entry
        rall's own first, then those of other distributions.
    """

    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        rows = [_TITLES, *(tuple(_short(text) for text in astuple(entry)) for entry in self.entries)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(_TITLES))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        return f"<table>{line(_TITLES, 'th')}{''.join(line(astuple(entry), 'td') for entry in self.entries)}</table>"


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3].rstrip(' ,;')}..."


def library() -> Library:
    """The channels of all families, rall's and those of other installed distributions.

    Returns
    -------
    Library
        Prints as a table, here and in notebooks; a sequence of `Entry`.

    Warns
    -----
    RallWarning
        If a family of another distribution cannot be loaded, or a channel of it cannot be made.
    """
    entries: list[Entry] = []
    for family in names(_GROUP):
        try:
            found = find(_GROUP, family)
        except PluginError:  # the registry has warned
            continue
        for name, function in _functions(family, found):
            entry = _entry(name, function)
            if entry is not None:
                entries.append(entry)
    return Library(tuple(entries))


def _functions(family: str, found: object) -> list[tuple[str, object]]:
    """The functions of a family by their full names: the family itself, or those that its module lists."""
    if not inspect.ismodule(found):
        return [(family, found)]
    listed = getattr(found, "__all__", [])
    return [(f"{family}.{name}", getattr(found, name)) for name in listed if inspect.isfunction(getattr(found, name))]


def _entry(name: str, function: object) -> Entry | None:
    if not callable(function):
        return None
    what = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
    try:
        made = function()
    except (RallError, TypeError) as problem:
        warnings.warn(f"the channel '{name}' cannot be made as it is: {problem}", RallWarning, stacklevel=3)
        return None
    if isinstance(made, Receptor):
        return Entry(name, what, "", "", "", "; ".join(made.model.sources))
    if not isinstance(made, Equations):
        return Entry(name, what, "", "", "", "")
    currents = made.with_flag("membrane current")
    ions = dict.fromkeys(flag.args[0] for line in currents for flag in line.flags if flag.name == "ion")
    temperature = made.defaults.get("T")
    celsius = "" if temperature is None else f"{float(value_of(temperature) - value_of(zero_celsius)):g} C"
    return Entry(name, what, ", ".join(ions), _gates(made), celsius, "; ".join(made.sources))


def _gates(made: Equations) -> str:
    """Names of gates without the ending that they have in common with a current."""
    try:
        found = gates(made, -65 * mV)
    except RallError:
        return ""
    endings = [line.varname.removeprefix("I") for line in made.with_flag("membrane current")]
    return ", ".join(gate.removesuffix(next(filter(gate.endswith, endings), "")) for gate in found)
