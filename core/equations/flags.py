"""Flags: what stands in parentheses behind the unit of a line, and what rall makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rall.errors import EquationError, PluginError
from rall.ir.parse import Source
from rall.registry import builtin_names, closest, find, names

__all__ = [
    "CLOCK_DRIVEN", "CONSTANT", "CONSTANT_OVER_DT", "EVENT_DRIVEN", "IMPLICIT", "ION", "LINKED", "MEMBRANE_CURRENT",
    "POINT_CURRENT", "SHARED", "SUMMED", "UNLESS_REFRACTORY", "Flag", "FlagKind", "check_flags",
    "find_flag", "parse_flags",
]  # fmt: skip

GROUP = "rall.flags"
_DIFFERENTIAL, _SUBEXPRESSION, _PARAMETER = "differential equation", "subexpression", "parameter"
_ANY = (_DIFFERENTIAL, _SUBEXPRESSION, _PARAMETER)


@dataclass(frozen=True)
class FlagKind:
    """A flag that lines can carry.

    Parameters
    ----------
    name : str
        As the user writes it, words with single spaces.
    lines : tuple of str
        Kinds of line that it is for.
    conflicts : tuple of str
        Flags that cannot stand beside it.
    words : int
        How many words follow the name (``flux into Ca``: one).
    options : tuple of str
        Keywords that may follow it (``species, D=..., shells=...``).
    meaning : str
        One line for lists and messages.
    home : str
        Of which groups it is, where it has no meaning in others.
    """

    name: str
    lines: tuple[str, ...]
    conflicts: tuple[str, ...] = ()
    words: int = 0
    options: tuple[str, ...] = ()
    meaning: str = ""
    home: str = ""


CONSTANT = FlagKind("constant", (_PARAMETER,), meaning="does not change during a run")
SHARED = FlagKind("shared", (_PARAMETER, _SUBEXPRESSION), meaning="one value for all elements")
LINKED = FlagKind("linked", (_PARAMETER,), ("constant",), meaning="is a variable of another group")
CONSTANT_OVER_DT = FlagKind(
    "constant over dt", (_SUBEXPRESSION,), ("summed",), meaning="evaluated once a step"
)
SUMMED = FlagKind(
    "summed", (_SUBEXPRESSION,), meaning="its sum over synapses is a variable of the group", home="Synapses"
)
UNLESS_REFRACTORY = FlagKind(
    "unless refractory", (_DIFFERENTIAL,), meaning="stands still while refractory", home="a NeuronGroup"
)
EVENT_DRIVEN = FlagKind(
    "event-driven",
    (_DIFFERENTIAL,),
    ("clock-driven", "unless refractory"),
    meaning="updated at events only",
    home="Synapses",
)
CLOCK_DRIVEN = FlagKind(
    "clock-driven", (_DIFFERENTIAL,), ("event-driven",), meaning="updated every step", home="Synapses"
)
IMPLICIT = FlagKind("implicit", (_DIFFERENTIAL,), meaning="integrated implicitly, where no method is named")
POINT_CURRENT = FlagKind(
    "point current", _ANY, ("membrane current",), meaning="a current into each compartment", home="a SpatialNeuron"
)
MEMBRANE_CURRENT = FlagKind(
    "membrane current", _ANY, ("point current",), meaning="a current density that adds to Im", home="a SpatialNeuron"
)
ION = FlagKind(
    "ion", _ANY, words=1, meaning="carried by that ion, or of it; a parameter yields to what else defines its name",
    home="a SpatialNeuron",
)  # fmt: skip


@dataclass(frozen=True)
class Flag:
    """A flag of one line.

    Parameters
    ----------
    name : str
        Name of its kind.
    args : tuple of str
        Words that follow the name.
    kwargs : tuple of (str, str)
        Keywords and their text.
    where : Source
        Where it stands, for messages.
    """

    name: str
    args: tuple[str, ...] = ()
    kwargs: tuple[tuple[str, str], ...] = ()
    where: Source | None = field(default=None, compare=False, repr=False)

    def get(self, option: str) -> str | None:
        """The text that was given for a keyword, or None."""
        return dict(self.kwargs).get(option)

    def error(self, message: str) -> EquationError:
        """An error that points at the flag."""
        return EquationError(f"{message}: ({self})") if self.where is None else self.where.error(message)

    def __str__(self) -> str:
        words = " ".join((self.name, *self.args))
        return ", ".join((words, *(f"{key}={value}" for key, value in self.kwargs)))


def find_flag(name: str) -> FlagKind:
    """The kind of flag of that name.

    Parameters
    ----------
    name : str
        As the user writes it.

    Returns
    -------
    FlagKind
        Registered under the name with ``_`` for spaces.

    Raises
    ------
    PluginError
        If there is none.
    """
    kind = find(GROUP, name.replace(" ", "_"))
    if not isinstance(kind, FlagKind):
        raise PluginError(f"the flag {name!r} is registered as {type(kind).__name__}, not as FlagKind")
    return kind


_KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)\s*")
_OPEN, _CLOSE = "([{", ")]}"


def parse_flags(text: str, where: Source) -> tuple[Flag, ...]:
    """Flags from the text between the parentheses.

    Parameters
    ----------
    text : str
        Such as ``constant, shared`` or ``species, D=220*um**2/second, shells=8``.
    where : Source
        Where it stands.

    Returns
    -------
    tuple of Flag
        In the user's order; keywords belong to the flag before them.

    Raises
    ------
    EquationError
        If a flag is unknown, comes twice, or a keyword stands alone.
    """
    found: list[Flag] = []
    for start, item in _items(text):
        place = Source(where.text, where.offset + start, where.line)
        if not item:
            raise place.error("a flag is missing here")
        keyword = _KEYWORD.match(item)
        if keyword is None:
            found.append(_flag(item, place))
            continue
        if not found:
            raise place.error(f"'{keyword[1]}=' must stand after the flag it belongs to")
        found[-1] = _extended(found[-1], keyword[1], item[keyword.end() :].strip(), place)
    repeated = [
        flag for k, flag in enumerate(found) if any(flag.name == f.name and f == flag for f in found[:k])
    ]
    if repeated:
        raise repeated[0].error(f"the flag '{repeated[0].name}' stands here twice; leave one out")
    return tuple(found)


def _items(text: str) -> list[tuple[int, str]]:
    """Place and text of what commas outside brackets separate."""
    items, start, depth = [], 0, 0
    for position, character in enumerate(text + ","):
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth = max(0, depth - 1)
        elif character == "," and (depth == 0 or position == len(text)):
            piece = text[start:position]
            items.append((start + len(piece) - len(piece.lstrip()), " ".join(piece.split())))
            start = position + 1
    return items


def _flag(text: str, where: Source) -> Flag:
    words = text.split(" ")
    beginnings = [" ".join(words[:length]) for length in range(len(words), 0, -1)]
    own = builtin_names(GROUP)  # first, as a look at other distributions takes long
    for name in sorted(beginnings, key=lambda name: name.replace(" ", "_") not in own):
        length = name.count(" ") + 1
        kind, rest = _kind_or_none(name), words[length:]
        if kind is None:
            continue
        if len(rest) == kind.words:
            return Flag(name, tuple(rest), (), where)
        if kind.words:
            raise where.error(f"the flag '{name}' is followed by one name, such as '({name} X)'")
    known = [other.replace("_", " ") for other in names(GROUP)]
    hint = closest(text, known)
    raise where.error(f"there is no flag '{text[:60]}'{hint or '; known: ' + ', '.join(known)}")


def _kind_or_none(name: str) -> FlagKind | None:
    try:
        return find_flag(name)
    except PluginError:
        return None


def _extended(flag: Flag, option: str, value: str, where: Source) -> Flag:
    options = find_flag(flag.name).options
    if option not in options:
        hint = closest(option, options)
        allowed = f"it takes {', '.join(options)}" if options else "it takes none"
        raise where.error(f"the flag '{flag.name}' has no '{option}='{hint or '; ' + allowed}")
    if flag.get(option) is not None:
        raise where.error(f"'{option}=' stands here twice")
    if not value:
        raise where.error(f"the value of '{option}=' is missing")
    return Flag(flag.name, flag.args, (*flag.kwargs, (option, value)), flag.where)


def check_flags(flags: tuple[Flag, ...], kind: str) -> None:
    """Refuse flags that a kind of line cannot have, or that exclude each other.

    Parameters
    ----------
    flags : tuple of Flag
        Of one line.
    kind : str
        The kind of line.

    Raises
    ------
    EquationError
        Pointing at the flag.
    """
    present = {flag.name for flag in flags}
    for flag in flags:
        known = find_flag(flag.name)
        if kind not in known.lines:
            article = "a" if kind != _SUBEXPRESSION else "a named"
            wanted = " or a ".join(known.lines)
            raise flag.error(f"the flag '{flag.name}' is for a {wanted}; this line is {article} {kind}")
        clash = present.intersection(known.conflicts)
        if clash:
            raise flag.error(f"the flags '{flag.name}' and '{min(clash)}' exclude each other; leave one out")
