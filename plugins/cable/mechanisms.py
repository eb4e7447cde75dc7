"""From a model, equations or a dictionary of regions, to mechanisms: lines with the compartments they live on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import DIFFERENTIAL, SUBEXPRESSION, Equations, Line
from rall.errors import EquationError
from rall.model import PADDING, Domain, Layout, Variable
from rall.units import get_or_create_dimension

__all__ = ["Local", "Mechanism", "Placed", "located", "place_model"]

Mask = NDArray[np.bool_]
_DENSITY = get_or_create_dimension(length=-2, current=1)
_AMP = get_or_create_dimension(current=1)


@dataclass
class Mechanism:
    """Lines that live on the same compartments.

    Parameters
    ----------
    mask : ndarray of bool, shape (compartments,)
        Where.
    domain : Domain
        The compartments themselves if it is all of them, else a domain of its own.
    rows : Variable or None
        Storage index of the compartment of every element; None for all compartments.
    region : str
        What the user calls them.
    """

    mask: Mask
    domain: Domain
    rows: Variable | None
    region: str = "all"
    lines: list[Line] = field(default_factory=list)

    @property
    def equations(self) -> list[Line]:
        """Its differential equations."""
        return [line for line in self.lines if line.kind == DIFFERENTIAL]

    @property
    def members(self) -> NDArray[np.int64]:
        """User indices of its compartments, in the order of its elements."""
        return np.flatnonzero(self.mask)


class Local(Variable):
    """A mechanism's variable as messages about it see it: an element for every compartment, 0 where it does not live.

    Parameters
    ----------
    variable : Variable
        What it shares its storage with.
    mechanism : Mechanism
        Where that lives.
    """

    def __init__(self, variable: Variable, mechanism: Mechanism) -> None:
        v = variable
        super().__init__(v.name, v.domain, v.dimension, v.kind, v.role, v.array)
        self._mechanism = mechanism

    def get(self) -> NDArray[Any]:
        """Values for all compartments of the cell; shape (compartments,)."""
        everywhere = np.zeros(len(self._mechanism.mask))
        everywhere[self._mechanism.members] = super().get()
        return everywhere


@dataclass(frozen=True)
class Placed:
    """A model in its places.

    Parameters
    ----------
    equations : Equations
        All lines together.
    mechanisms : tuple of Mechanism
        Each line belongs to one.
    defaults : tuple of (ndarray, Mapping)
        For each key of the model where it applies and the values that variables start with.
    """

    equations: Equations
    mechanisms: tuple[Mechanism, ...]
    defaults: tuple[tuple[Mask, Mapping[str, Any]], ...]


def place_model(
    model: Equations | str | Mapping[str, Equations | str], inside: Callable[[str], Mask], whole: Domain
) -> Placed:
    """Sort the lines of a model by the compartments they live on.

    Parameters
    ----------
    model : Equations, str or mapping
        Equations for all compartments, or for regions.
    inside : callable
        From a condition to the compartments where it holds.
    whole : Domain
        All compartments.

    Raises
    ------
    EquationError
        If one name means different things, or twice the same in one place.
    """
    parts = model if isinstance(model, Mapping) and not isinstance(model, Equations) else {"all": model}
    lines: dict[str, tuple[Line, Mask, str]] = {}
    defaults: list[tuple[Mask, Mapping[str, Any]]] = []
    unique: dict[str, Line] = {}
    together: Equations | None = None
    if not parts:
        raise EquationError("the model is an empty dictionary; give at least one region its equations")
    for region, text in parts.items():
        equations = text if isinstance(text, Equations) else Equations(text)
        mask = np.ones(whole.size, bool) if region == "all" else inside(region)
        if not mask.any():
            raise EquationError(f"the region '{region}' of the model holds no compartment of this morphology")
        defaults.append((mask, equations.defaults))
        for line in equations.lines:
            _check_line(line)
            if line.varname in lines:
                known, where, other = lines[line.varname]
                _check_same(line, known, bool((mask & where).any()), (region, other))
                if line.has("shared"):
                    _check_defaults(line, [d.get(line.varname) for _, d in defaults], (region, other))
                lines[line.varname] = (known, mask | where, f"{other} or {region}")
            else:
                lines[line.varname] = (line, mask, region)
        new = equations.without(unique)
        unique.update({line.varname: line for line in equations.lines})
        together = new if together is None else together + new
    assert together is not None
    mechanisms: dict[bytes, Mechanism] = {}
    for name, line in together.items():
        _, mask, region = lines[name]
        key = mask.tobytes()
        if key not in mechanisms:
            mechanisms[key] = _mechanism(mask, whole)
            mechanisms[key].region = region
        mechanisms[key].lines.append(line)
    # What others can read comes first: it lives wherever they do, and on more compartments.
    largest_first = sorted(mechanisms.values(), key=lambda m: -int(m.mask.sum()))
    return Placed(together, tuple(largest_first), tuple(defaults))


def _check_line(line: Line) -> None:
    line.refuse_flags("a SpatialNeuron")
    for flag, dimension, unit in (("membrane current", _DENSITY, "amp/metre**2"), ("point current", _AMP, "amp")):
        if line.has(flag) and line.dimension is not dimension:
            raise line.error(f"a {flag} is in {unit}, and '{line.varname}' is declared in {line.unit}")
    if line.varname == "Im" and (line.dimension is not _DENSITY or line.kind != SUBEXPRESSION):
        raise line.error("Im is the membrane current and needs the form `Im = ... : amp/metre**2`")
    if line.varname == "v":
        raise line.error("v is the voltage of the cable and has no line of its own; its currents make it, as Im")


def _check_same(line: Line, known: Line, overlap: bool, regions: tuple[str, str]) -> None:
    if line != known:
        raise EquationError(
            f"'{line.varname}' is defined differently in '{regions[0]}' and in '{regions[1]}':\n"
            f"    {line}\n    {known}\n"
            "give one of them another name, for a channel with name=..."
        )
    if overlap and line.varname != "Im":
        raise EquationError(
            f"'{line.varname}' is there twice where '{regions[0]}' and '{regions[1]}' overlap:\n    {line}\n"
            "give one of them another name, for a channel with name=..., or let the regions not overlap"
        )


def located(compartments: NDArray[np.int64], whole: Domain) -> tuple[Domain, Variable]:
    """A domain of its own for some compartments, and the storage index of each.

    Parameters
    ----------
    compartments : ndarray of int64, shape (k,)
        User indices, each once.
    whole : Domain
        All compartments.

    Returns
    -------
    Domain, Variable
        Elements are numbered as in `compartments` and lie in storage as these do, block by block; the variable is an
        integer constant on it, for `Access`.
    """
    storage = whole.layout.index(np.asarray(compartments, np.int64))
    order = np.argsort(storage, kind="stable")
    block = whole.layout.block_of(storage[order])
    count = np.bincount(block, minlength=1 if whole.layout.blocks is None else len(whole.layout.blocks))
    ends = np.cumsum(-(-count // PADDING) * PADDING)
    starts = np.concatenate([[0], ends[:-1]])
    place = np.empty(len(storage), np.int64)
    # Kernels walk forwards through the arrays of the compartments.
    place[order] = starts[block] + np.arange(len(storage)) - np.concatenate([[0], np.cumsum(count)[:-1]])[block]
    blocks = None if whole.layout.blocks is None else np.column_stack([starts, ends])
    layout = Layout(len(storage), place, int(ends[-1]), blocks)
    domain = Domain("region", layout)
    rows = Variable("rows", domain, kind="integer", role="constant")
    rows.set(storage)
    # What the padding adds must reach neither a compartment nor another block.
    free, padding = whole.layout.padding(), layout.padding()
    last = np.searchsorted(whole.layout.block_of(free), np.searchsorted(ends, padding, side="right"), side="right")
    rows.array[padding] = free[last - 1]
    return domain, rows


def _check_defaults(line: Line, values: list[Any], regions: tuple[str, str]) -> None:
    """Refuse two values for what is one for all compartments; the last of them would win in silence."""
    given = [value for value in values if value is not None]
    if any(not np.array_equal(value, given[-1]) for value in given):
        raise EquationError(
            f"'{line.varname}' is shared by all compartments and cannot be {given[-1]} in '{regions[0]}' and "
            f"{given[0]} in '{regions[1]}':\n    {line}\n"
            "give one of them another name, for a channel with name=..., or leave out the flag 'shared'"
        )


def _mechanism(mask: Mask, whole: Domain) -> Mechanism:
    if mask.all():
        return Mechanism(mask, whole, None)
    return Mechanism(mask, *located(np.flatnonzero(mask), whole))
