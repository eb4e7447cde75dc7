"""From reactions to the differential equations of their species."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from rall.equations import DIFFERENTIAL, PARAMETER, Line
from rall.equations.lines import rename_tokens
from rall.equations.text import parse_line
from rall.errors import EquationError, NotSupportedError
from rall.ir.parse import Parsed, Source
from rall.registry import closest
from rall.units import Dimension

__all__ = ["REACTION_LINE", "SPECIES_LINE", "Reaction", "Scheme", "Side", "expand"]

SPECIES_LINE, REACTION_LINE = "species declaration", "reaction"

#: Species and how many of each, no species twice.
Side: TypeAlias = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Reaction:
    """One direction of a reaction.

    Parameters
    ----------
    left, right : tuple of (str, int)
        What is used up, and what is made.
    law : bool
        Whether the rate is the whole rate, and no constant of mass action.
    rate : Parsed
        The rate or rate constant.
    """

    left: Side
    right: Side
    law: bool
    rate: Parsed

    @property
    def product(self) -> str:
        """What mass action multiplies the constant by."""
        return "*".join(name if k == 1 else f"{name}**{k}" for name, k in self.left)

    @property
    def flux(self) -> str:
        """How often it happens per time, as text."""
        text = " ".join(self.rate.text.split())
        text = text if re.fullmatch(r"\w+(\*\w+)*", text) else f"({text})"
        return text if self.law or not self.left else f"{text}*{self.product}"

    def change(self, species: str) -> int:
        """By how much one such reaction changes the amount of a species."""
        return dict(self.right).get(species, 0) - dict(self.left).get(species, 0)

    @property
    def species(self) -> tuple[str, ...]:
        """All species, those that are used up first."""
        return tuple(dict.fromkeys(name for name, _ in (*self.left, *self.right)))

    def __str__(self) -> str:
        left, right = (
            " + ".join(name if k == 1 else f"{k} {name}" for name, k in side) or "0"
            for side in (self.left, self.right)
        )
        return f"'{left} {'=>' if self.law else '->'} {right}'"


@dataclass(frozen=True)
class Scheme:
    """The reactions of one line.

    Parameters
    ----------
    reactions : tuple of Reaction
        Of all arrows, forward before backward.
    units : tuple of Dimension
        For each reaction that of its species, when they are known: then differential equations stand for it.
    """

    reactions: tuple[Reaction, ...]
    units: tuple[Dimension, ...] = ()

    @property
    def species(self) -> tuple[str, ...]:
        """All species, in the order of the text."""
        return tuple(dict.fromkeys(name for reaction in self.reactions for name in reaction.species))


def expand(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines with a differential equation for each species.

    Parameters
    ----------
    lines : tuple of Line
        All lines of the model, or of a region of it.

    Returns
    -------
    tuple of Line
        The reactions first, for messages and to have their units checked; then all others.

    Raises
    ------
    EquationError
        If a species is not declared, or no reaction changes it.
    """
    reactions = [line for line in lines if line.kind == REACTION_LINE]
    fresh = [line for line in reactions if not _scheme(line).units]
    declared = {line.varname: line for line in lines if line.kind == SPECIES_LINE}
    if not fresh and not declared:
        return lines
    known = {line.varname: line for line in lines if line.varname}
    done = {line: _with_units(line, declared, known) for line in fresh}
    changed = {name for line in fresh for name in _scheme(line).species}
    for name, line in declared.items():
        _refuse_diffusion(line)
        if name not in changed:
            raise line.error(
                f"'{name}' is a species and takes part in no reaction{closest(name, changed)}; write one, such as "
                f"'{name} -> 0 : k', or leave out '(species)' if it is a parameter"
            )
    others = [_equation(line, fresh) if line.varname in declared else line for line in lines]
    return (
        *(done.get(line, line) for line in reactions), *(line for line in others if line.kind != REACTION_LINE)
    )  # fmt: skip


def _refuse_diffusion(line: Line) -> None:
    flag = line.flag("species")
    if flag is not None and flag.kwargs:
        option = flag.kwargs[0][0]
        raise NotSupportedError(str(flag.error(
            f"diffusion is not there yet, so that '{line.varname}' can have no '{option}='; leave it out: a species is "
            "well mixed in each compartment"
        )))  # fmt: skip


def _scheme(line: Line) -> Scheme:
    assert isinstance(line.payload, Scheme)
    return line.payload


def _with_units(line: Line, declared: Mapping[str, Line], known: Mapping[str, Line]) -> Line:
    """A line of reactions that knows the units of its species."""
    scheme = _scheme(line)
    for name in scheme.species:
        if name not in declared:
            raise _undeclared(line, name, declared, known)
    units = {name: declared[name].dimension for name in scheme.species}
    for reaction in scheme.reactions:
        first, *rest = reaction.species
        for other in rest:
            if units[other] is not units[first]:
                raise _at_name(line, other).error(
                    f"'{first}' is in {declared[first].unit} and '{other}' in {declared[other].unit}, and one cannot "
                    "become the other; what is not used up is part of the rate, as in "
                    f"'C -> O : k*{_mM(first, other, declared)}'"
                )
    return replace(line, payload=replace(scheme, units=tuple(units[r.species[0]] for r in scheme.reactions)))


def _mM(first: str, other: str, declared: Mapping[str, Line]) -> str:
    return other if declared[first].unit == "1" else first


def _undeclared(line: Line, name: str, declared: Mapping[str, Line], known: Mapping[str, Line]) -> EquationError:
    found, place = known.get(name), _at_name(line, name)
    if found is None:
        return place.error(
            f"the species '{name}' is declared nowhere{closest(name, declared)}; add the line '{name} : mM (species)', "
            f"or '{name} : 1 (species)' for the state of a channel (in a model by regions, beside its reactions)"
        )
    if found.kind == PARAMETER:
        return place.error(
            f"'{name}' is a parameter and no species; give its line the flag: '{name} : {found.unit} (species)', or "
            f"move '{name}' into the rate if it does not change"
        )
    what = "has a differential equation" if found.kind == DIFFERENTIAL else "is computed by a line"
    return place.error(
        f"'{name}' {what} of its own ('{found}') and cannot be changed by reactions; declare it '{name} : "
        f"{found.unit} (species)' and write what changes it as reactions, such as '0 => {name} : rate'"
    )


def _at_name(line: Line, name: str) -> Source:
    found = re.search(rf"(?<![A-Za-z_0-9.])\d*({name})\b", line.text)
    position = 0 if found is None else found.start(1)
    return Source(line.where.text, line.where.offset + position, line.where.line)


def _equation(line: Line, reactions: list[Line]) -> Line:
    """The differential equation of a species."""
    name = line.varname
    made: list[str] = []
    used: list[str] = []
    bound: dict[str, str] = {}
    for one in reactions:
        if name not in _scheme(one).species:
            continue
        internal = dict(one.bound)
        bound.update({name: name for name in internal.values()})
        for reaction in _scheme(one).reactions:
            change = reaction.change(name)
            if change:
                flux = rename_tokens(reaction.flux, internal)
                (made if change > 0 else used).append(flux if abs(change) == 1 else f"{abs(change)}*({flux})")
    # Each flux is a whole, so that it is computed once for all the species that it changes.
    if not made and used:
        made.append(f"-({used.pop(0)})")
    text = " + ".join(made) + "".join(f" - {term}" for term in used)
    zero = "0/second" if line.unit == "1" else f"0*{line.unit}/second"
    flags = ["implicit", *(str(flag) for flag in line.flags if flag.name != "species")]
    whole = f"d{name}/dt = {text or zero} : {line.unit} ({', '.join(flags)})"
    return parse_line(whole, Source(whole, 0, line.number), bound)
