"""From a model, equations or a dictionary of regions, to mechanisms: lines with the compartments they live on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import DIFFERENTIAL, SUBEXPRESSION, Equations, Line, agreed, equal_values, merged
from rall.errors import EquationError
from rall.model import PADDING, Domain, Layout, Variable
from rall.units import get_or_create_dimension

__all__ = ["Local", "Mask", "Mechanism", "Placed", "located", "place_model"]

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
    totals : mapping of str to tuple of str
        The sums of an ion's currents, ``I_Ca_total``, that the model does not define itself, and their terms.
    """

    equations: Equations
    mechanisms: tuple[Mechanism, ...]
    defaults: tuple[tuple[Mask, Mapping[str, Any]], ...]
    totals: Mapping[str, tuple[str, ...]]


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
    if not parts:
        raise EquationError("the model is an empty dictionary; give at least one region its equations")
    lines: dict[str, list[_Written]] = {}
    given: list[tuple[Mask, Equations]] = []
    for region, text in parts.items():
        equations = (text if isinstance(text, Equations) else Equations(text)).expanded()
        mask = np.ones(whole.size, bool) if region == "all" else inside(region)
        if not mask.any():
            raise EquationError(f"the region '{region}' of the model holds no compartment of this morphology")
        for line in equations.lines:
            _check_line(line)
            if not line.varname:
                continue
            values = tuple(equations.bindings[internal] for _, internal in line.bound)
            default = equations.defaults.get(line.varname)
            lines.setdefault(line.varname, []).append(_Written(line, values, default, mask, region))
        given.append((mask, equations))
    homes = {name: _home(written) for name, written in lines.items()}
    together = Equations(())
    defaults: list[tuple[Mask, Mapping[str, Any]]] = []
    for mask, equations in given:
        own = {line.varname for line in equations.values() if line == homes[line.varname].line}
        together = together + equations.without(set(equations) - (own - set(together)))
        defaults.append((mask, {name: value for name, value in equations.defaults.items() if name in own}))
    totals = _totals(together)
    for name, terms in totals.items():
        summed = Equations(f"{name} = {' + '.join(terms)} : amp/metre**2")
        together = together + summed
        everywhere = np.logical_or.reduce([homes[term].mask for term in terms])
        homes[name] = _Written(summed[name], (), None, everywhere, " or ".join(homes[term].region for term in terms))
    mechanisms: dict[bytes, Mechanism] = {}
    for name, line in together.items():
        home = homes[name]
        key = home.mask.tobytes()
        if key not in mechanisms:
            mechanisms[key] = _mechanism(home.mask, whole)
            mechanisms[key].region = home.region
        mechanisms[key].lines.append(line)
    # What others can read comes first: it lives wherever they do, and on more compartments.
    largest_first = sorted(mechanisms.values(), key=lambda m: -int(m.mask.sum()))
    return Placed(together, tuple(largest_first), tuple(defaults), totals)


def _totals(equations: Equations) -> dict[str, tuple[str, ...]]:
    """For every ion that carries currents, the name of their sum and the currents."""
    terms: dict[str, tuple[str, ...]] = {}
    for line in equations.lines:
        ion = line.flag("ion")
        if ion is not None and line.has("membrane current"):
            name = f"I_{ion.args[0]}_total"
            terms[name] = (*terms.get(name, ()), line.varname)
    return {name: found for name, found in terms.items() if name not in equations}


def _check_line(line: Line) -> None:
    line.refuse_flags("a SpatialNeuron")
    for flag, dimension, unit in (("membrane current", _DENSITY, "amp/metre**2"), ("point current", _AMP, "amp")):
        if line.has(flag) and line.dimension is not dimension:
            raise line.error(f"a {flag} is in {unit}, and '{line.varname}' is declared in {line.unit}")
    if line.varname == "Im" and (line.dimension is not _DENSITY or line.kind != SUBEXPRESSION):
        raise line.error("Im is the membrane current and needs the form `Im = ... : amp/metre**2`")
    if line.varname == "v":
        raise line.error("v is the voltage of the cable and has no line of its own; its currents make it, as Im")


@dataclass(frozen=True)
class _Written:
    """A line as one region of the model has it: with its bound values, its default, and where it applies."""

    line: Line
    values: tuple[Any, ...]
    default: Any
    mask: Mask
    region: str

    def same(self, other: _Written) -> bool:
        """Whether both say the same, wherever they do."""
        return self.line == other.line and all(map(equal_values, self.values, other.values))


def _home(written: list[_Written]) -> _Written:
    """Of all that regions say of one name: the line that holds, and everywhere that it does."""
    line = written[0].line
    for k, new in enumerate(written):
        for old in written[:k]:
            _check_together(old, new)
        line = line if line == new.line else merged(line, new.line) or line
    holds = [w for w in written if w.line == line]
    mask = np.logical_or.reduce([w.mask for w in holds])
    region = " or ".join(w.region for w in holds)
    for other in written:
        if (other.mask & ~mask).any() and not line.has("shared"):
            raise EquationError(
                f"'{line.varname}' is read in '{other.region}' and defined in '{region}' alone:\n    {line}\n"
                f"define it in '{other.region}' too, for an ion with its pool, or give what reads it there another name"
            )
    return replace(holds[0], mask=mask, region=region)


def _check_together(old: _Written, new: _Written) -> None:
    """Refuse two lines of one name that cannot both hold."""
    one, overlap = merged(old.line, new.line), bool((old.mask & new.mask).any())
    if not old.same(new) and (one is None or old.line == new.line):
        raise EquationError(
            f"'{new.line.varname}' is defined differently in '{new.region}' and in '{old.region}':\n"
            f"    {new.line}\n    {old.line}\n"
            "give one of them another name, for a channel with name=..."
        )
    if overlap and one is None and new.line.varname != "Im":
        raise EquationError(
            f"'{new.line.varname}' is there twice where '{new.region}' and '{old.region}' overlap:\n    {new.line}\n"
            "give one of them another name, for a channel with name=..., or let the regions not overlap"
        )
    if old.line != new.line:
        return
    if new.line.has("shared"):
        _check_defaults(new, old)
    elif overlap and one is not None:
        agreed(new.line, old.default, new.default)


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


def _check_defaults(new: _Written, old: _Written) -> None:
    """Refuse two values for what is one for all compartments; the last of them would win in silence."""
    if new.default is None or old.default is None or equal_values(new.default, old.default):
        return
    raise EquationError(
        f"'{new.line.varname}' is shared by all compartments and cannot be {new.default} in '{new.region}' and "
        f"{old.default} in '{old.region}':\n    {new.line}\n"
        f"give both the same {new.line.varname}, or one of them another name (for a channel with name=...), or leave "
        "out the flag 'shared'"
    )


def _mechanism(mask: Mask, whole: Domain) -> Mechanism:
    if mask.all():
        return Mechanism(mask, whole, None)
    return Mechanism(mask, *located(np.flatnonzero(mask), whole))
