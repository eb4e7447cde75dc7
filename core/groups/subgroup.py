"""Subgroup: some elements of a group, with its variables as attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import EquationError, IndexOutOfRangeError, RallError
from rall.groups.regular import CodeRunner, times_in_seconds
from rall.groups.states import States
from rall.groups.views import VariableView
from rall.registry import suggest
from rall.units import DIMENSIONLESS, Dimension, Quantity

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["Subgroup"]

Indices = NDArray[np.int64]


class Subgroup(States):
    """Some elements of a group: a view, whose elements are numbered from 0.

    Parameters
    ----------
    group : Group
        The whole.
    indices : ndarray of int64
        Which of its elements, each once.
    """

    def __init__(self, group: Group, indices: Indices) -> None:
        self.__dict__.update(group=group, indices=np.asarray(indices, np.int64))
        if not len(indices):
            raise IndexOutOfRangeError(f"no element of '{group.name}' is left for a subgroup; choose one at least")
        if len(np.unique(indices)) != len(indices):
            raise RallError(f"a subgroup of '{group.name}' cannot hold an element twice: {list(indices)[:20]}")

    group: Group
    indices: Indices

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.group.name}_subgroup"

    @property
    def N(self) -> int:
        """Number of elements."""
        return len(self.indices)

    @property
    def start(self) -> int:
        """The first element, in the numbers of the whole group."""
        return int(self.indices[0])

    @property
    def stop(self) -> int:
        """One more than the last element, in the numbers of the whole group."""
        return int(self.indices[-1]) + 1

    @property
    def clock(self) -> Any:
        """What drives the group."""
        return self.group.clock

    def __len__(self) -> int:
        return len(self.indices)

    # --- attributes -----------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        plain = name.removesuffix("_")
        known = self.group.known_names()
        if plain in known:
            return self.view(plain, units=plain == name)
        if plain in ("t", "dt", "t_in_timesteps"):
            return getattr(self.group, name)
        raise AttributeError(f"a part of '{self.group.name}' has no variable '{name}'{suggest(name, known)}")

    def __setattr__(self, name: str, value: Any) -> None:
        plain = name.removesuffix("_")
        known = self.group.known_names()
        if plain not in known:
            raise AttributeError(f"a part of '{self.group.name}' has no variable '{name}'{suggest(name, known)}")
        own = isinstance(value, VariableView) and value.group is self and value.name == plain
        if not own or value.selection is not None:
            self.write(plain, None, value if plain == name else self.group.with_unit(plain, value))

    def view(self, name: str, units: bool = True) -> Any:
        """A variable of these elements; a shared one is that of the group."""
        if self.group.is_shared(name):
            return self.N if name == "N" else self.group.view(name, None, units)
        return VariableView(self, name, None, units)

    def run_regularly(self, code: str, **how: Any) -> CodeRunner:
        """Run statements for these elements regularly, see `Group.run_regularly`; ``i`` and ``N`` are their own."""
        return CodeRunner(self.group, code, part=self.indices, **how)

    def run_at(self, code: str, times: Any, **how: Any) -> CodeRunner:
        """Run statements for these elements at given times, see `Group.run_at`; ``i`` and ``N`` are their own."""
        return CodeRunner(self.group, code, times_in_seconds(times), self.indices, **how)

    def __getitem__(self, item: Any) -> Subgroup:
        check_slice(self.N, item, f"a part of '{self.group.name}'")
        return Subgroup(self.group, self.indices[self.indices_of(item)])

    def __repr__(self) -> str:
        return f"<{len(self)} elements of '{self.group.name}'>"

    # --- what views ask for ---------------------------------------------------------------------------------

    def _absolute(self, selection: Indices | None) -> Indices:
        return self.indices if selection is None else self.indices[selection]

    def read(self, name: str, selection: Indices | None, units: bool = True) -> Any:
        """Values of a variable for some elements, see `Group.read`."""
        if name == "i":
            return np.arange(self.N) if selection is None else np.asarray(selection)
        return self.group.read(name, self._absolute(selection), units)

    def read_attached(self, name: str, units: bool = True) -> Any:
        """Values of a variable for all elements of the part; a copy, unlike those of `Group.read_attached`."""
        return self.read(name, None, units)

    def write(self, name: str, selection: Indices | None, value: Any) -> None:
        """Set a variable, see `Group.write`."""
        if isinstance(value, str) and self.group.is_shared(name):
            self.group.write(name, None, value)
            return
        if isinstance(value, str):
            dimension = self.group.dimension(name)
            plain = self.evaluate(value, selection, dimension=dimension)
            value = plain if dimension is DIMENSIONLESS else Quantity(plain, dim=dimension)
        self.group.write(name, self._absolute(selection), value)

    def is_shared(self, name: str) -> bool:
        """See `Group.is_shared`."""
        return self.group.is_shared(name)

    def in_group(self, item: Any) -> Any:
        """What an index of this part is as an index of the group: numbers count the elements of the part.

        Parameters
        ----------
        item : object
            True for all; anything else that is no number, text or array means the same in the group.
        """
        if item is True:
            return self.indices
        several = isinstance(item, (list, range, np.ndarray))
        number = isinstance(item, (int, np.integer, str, slice))
        if several and not len(item):
            return []
        return self.indices[self.indices_of(item)] if several or number else item

    def event_elements(self) -> Indices:
        """See `Group.event_elements`."""
        return self.event_sources(np.arange(self.N))

    def event_sources(self, numbers: Indices) -> Indices:
        """See `Group.event_sources`."""
        return self.group.event_sources(self.indices[numbers])

    def state_names(self, subexpressions: bool, read_only_variables: bool) -> list[str]:
        """See `ReadableStates.state_names`; the numbers of elements count as computed here."""
        names = self.group.state_names(subexpressions, read_only_variables)
        return [name for name in names if name != "i" or subexpressions]

    def state_value(self, name: str, units: bool) -> Any:
        """See `ReadableStates.state_value`."""
        if name == "N":
            return self.N
        whole = self.group.state_value(name, units)
        return whole if np.ndim(whole) == 0 else self.read(name, None, units)

    def set_state_value(self, name: str, value: Any, units: bool) -> None:
        """See `States.set_state_value`."""
        self.write(name, None, value if units else self.with_unit(name, value))

    def with_unit(self, name: str, value: Any) -> Any:
        """See `Group.with_unit`."""
        return self.group.with_unit(name, value)

    def evaluate(
        self,
        text: str,
        selection: Indices | None = None,
        dimension: Dimension | None = None,
        with_units: bool = False,
    ) -> Any:
        """Evaluate an expression for these elements; ``i`` and ``N`` are those of the subgroup."""
        own = np.arange(self.N) if selection is None else np.asarray(selection)
        local = {"i": own, "N": self.N}
        return self.group.evaluate(text, self._absolute(selection), dimension, with_units, local)

    def indices_of(self, item: Any) -> Indices:
        """Elements that an index means, numbered from 0: see `Group.indices_of`."""
        if isinstance(item, str):
            chosen = self.evaluate(item)
            if chosen.dtype != bool:
                raise EquationError(f"'{item}' chooses no elements: it must be a condition, such as '{item} > ...'")
            return np.flatnonzero(chosen)
        return pick(self.N, item, f"a part of '{self.group.name}'")


def pick(size: int, item: Any, what: str) -> Indices:
    """The elements that an integer, slice, list, array or mask means.

    Parameters
    ----------
    size : int
        How many there are.
    item : object
        What stands in the brackets.
    what : str
        What is indexed, for messages.

    Raises
    ------
    IndexOutOfRangeError
        For what is no index, or lies outside.
    """
    if isinstance(item, VariableView):
        item = item.value
    try:
        found = np.atleast_1d(np.arange(size)[item])
    except (IndexError, TypeError, ValueError):
        raise IndexOutOfRangeError(_no_index(size, item, what)) from None
    if found.ndim > 1:
        raise IndexOutOfRangeError(f"{what} has {size} elements in one row; {item!r} has {found.ndim} dimensions")
    return found


def _no_index(size: int, item: Any, what: str) -> str:
    """Why an index picks nothing, and what would."""
    try:
        given = np.asarray(item)
    except ValueError:  # lists of different lengths
        given = np.zeros(0, object)
    if given.dtype.kind == "b":
        return f"{what} has {size} elements, and the mask has the shape {given.shape}; give one truth value for each"
    whole = given if given.dtype.kind in "iu" else np.zeros(0, np.int64)
    outside = whole[(whole < -size) | (whole >= size)].ravel()
    if len(outside):
        return f"{what} has {size} elements, and none is {outside[0]}" + (f"; they are 0 to {size - 1}" if size else "")
    return (
        f"{what} has {size} elements, and {item!r:.60} is no index of them; an index is a whole number, a list of "
        f"them, a slice, a mask of {size} truth values, or a condition as text"
    )


def check_slice(size: int, item: Any, what: str, elements: str = "elements") -> None:
    """Refuse a slice that reaches beyond the elements, which NumPy would cut off in silence.

    Parameters
    ----------
    size, item, what
        As of `pick`.
    elements : str
        What it has, for messages.

    Raises
    ------
    IndexOutOfRangeError
        Names the border.
    """
    if isinstance(item, slice):
        for end in (item.start, item.stop):
            if isinstance(end, (int, np.integer)) and abs(int(end)) > size:
                shown = ":".join("" if part is None else str(part) for part in (item.start, item.stop))
                raise IndexOutOfRangeError(
                    f"{what} has {size} {elements}, and {end} in [{shown}] lies outside; go up to {size}, or leave it "
                    "out"
                )
