"""The two sides of synapses, and the names that their variables have in synaptic code."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.groups import Group
from rall.groups.bound import usable
from rall.ir.nodes import Name, Node
from rall.ir.visit import names, substitute
from rall.model import SHARED, Access, Domain, Layout, Variable
from rall.units import Dimension

__all__ = ["Side"]

_PIECE = 1 << 19


class Side:
    """What synapses come from, or go to.

    Parameters
    ----------
    source : Group or part of one
        Its elements are numbered from 0 in synaptic code.
    suffix : {'pre', 'post'}
        Ends the names of its variables.
    number : Variable
        For each synapse, the element's number: ``i`` or ``j``.

    Attributes
    ----------
    count : Variable
        The number of elements, ``N_pre`` or ``N_post``.
    per_element : Variable
        For each element, the number of its synapses.
    """

    def __init__(self, source: Any, suffix: str, number: Variable) -> None:
        group = getattr(source, "group", source)
        if not isinstance(group, Group):
            end = "source" if suffix == "pre" else "target"
            raise RallError(f"the {end} of Synapses is a group or part of one, not {source!r:.80}")
        self.source, self.group, self.suffix, self.number = source, group, suffix, number
        self._elements: NDArray[np.int64] | None = None if source is group else np.asarray(source.indices)
        self.count = Variable(f"N_{suffix}", SHARED, kind="integer", role="constant")
        self.count.array[0] = self.size
        #: For each element, the number of its synapses.
        self.per_element = Variable(f"_N_{suffix}", Domain(suffix, Layout(self.size)), kind="integer", role="constant")
        #: For each synapse, the storage index of the element in its group.
        self.index = number
        if self._elements is not None or group.domain.layout.place is not None:
            self.index = Variable(f"_{suffix}", number.domain, kind="index", role="constant")

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.group.N if self._elements is None else len(self._elements)

    @property
    def elements(self) -> NDArray[np.int64]:
        """Numbers of the elements in the group."""
        return np.arange(self.group.N) if self._elements is None else self._elements

    @property
    def whole(self) -> bool:
        """Whether these are all elements of the group."""
        return self._elements is None

    def storage(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Storage indices of elements by their number here."""
        elements = numbers if self._elements is None else self._elements[numbers]
        return self.group.domain.layout.index(elements)

    def event_sources(self) -> NDArray[Any]:
        """For each synapse, the storage index under which events of its element are listed."""
        numbers = self.number.array[: self.number.domain.size]
        if self.index is self.number:
            return numbers
        found = np.empty(len(numbers), np.int32)
        for first in range(0, len(numbers), _PIECE):
            piece = slice(first, first + _PIECE)
            found[piece] = self.source.event_sources(numbers[piece])
        return found

    def reach(self, variable: Variable) -> Access:
        """A variable of the group that has a value for each element, as synapses see it.

        Raises
        ------
        EquationError
            If a synapse leads to where it does not live.
        """
        found = self.group.reach(variable.name, self.index)
        assert isinstance(found, Access)
        usable(found)
        return found

    def members(self, variable: Variable) -> NDArray[Any]:
        """Storage indices of a variable's values for all elements that have one."""
        everything = Variable("_members", Domain("members", Layout(self.size)), kind="index", role="constant")
        everything.set(self.storage(np.arange(self.size)))
        found = self.group.reach(variable.name, everything)
        assert isinstance(found, Access)
        indices = found.index.get()
        return indices[indices >= 0]

    def values_of(self, name: str) -> NDArray[Any]:
        """Present values of a variable, one for each element; SI base units."""
        values = self.group.values_of(name)
        return values if self._elements is None else values[self._elements]

    def connected(self) -> None:
        """Follow `number`, which has changed, and the group, which may have grown (if it is of synapses)."""
        self.count.array[0] = self.size
        self.per_element.domain.layout = Layout(self.size)
        self.per_element.resize(0)
        numbers = self.number.array[: self.number.domain.size]
        counts = np.zeros(self.size, np.int64)
        for first in range(0, len(numbers), _PIECE):  # bincount makes a copy of twice the size
            counts += np.bincount(numbers[first : first + _PIECE], minlength=self.size)
        self.per_element.set(counts)
        if self.index is not self.number:
            self.index.resize(0)
            self.index.set(self.storage(self.number.get()))

    # --- names --------------------------------------------------------------------------------------------------

    def variables(self, suffixed: bool) -> dict[str, Variable | Access]:
        """The group's variables as synapses see them."""
        group = self.group
        found: dict[str, Variable | Access] = {}
        for name in group.known_names():
            bound = None if self._hidden(name, suffixed) else group.reach(name, self.index)
            if bound is not None:
                found[f"{name}_{self.suffix}" if suffixed else name] = bound
        return found

    def _hidden(self, name: str, suffixed: bool) -> bool:
        """Whether synaptic code cannot mean the group by a name: plain ``i`` and ``j`` are numbers of its own."""
        return name == "N" or (name in ("i", "j") and not suffixed)

    def bound(self, name: str) -> Variable | Access | None:
        """How synapses see a variable of the group."""
        return self.group.reach(name, self.index)

    def names(self) -> set[str]:
        """What synapses call the variables and subexpressions of the group."""
        ending = f"_{self.suffix}"
        known = self.group.known_names()
        found = {n + ending for n in known if not self._hidden(n, True)}
        return found | {n for n in known if self.suffix == "post" and not self._hidden(n, False)}

    def expressions(self, suffixed: bool) -> dict[str, Node]:
        """The group's subexpressions in terms of suffixed names."""
        group = self.group
        own = {*group.known_names(), *group.own_values()}
        found = {}
        for name, node in group.expressions().items():
            renamed = substitute(node, {n: Name(f"{n}_{self.suffix}") for n in names(node) & own})
            found[f"{name}_{self.suffix}" if suffixed else name] = renamed
        return found

    def expression_types(self, suffixed: bool) -> dict[str, tuple[Dimension, str]]:
        """Dimension and type of the group's subexpressions, and of what else it computes."""
        group = self.group
        types = group.expression_types()
        others = group.computed() - types.keys() - group.variables.keys()
        types.update({name: (group.dimension(name), "float") for name in others})
        return {f"{name}_{self.suffix}" if suffixed else name: typed for name, typed in types.items()}

    def value_bindings(self) -> Mapping[str, object]:
        """Values in the group's equations, by their names in `expressions`."""
        return {f"{name}_{self.suffix}": value for name, value in self.group.own_values().items()}

    def base(self, name: str, own: Mapping[str, object]) -> str | None:
        """The group's name of what synaptic code calls `name`; None if that is no variable of this side.

        Parameters
        ----------
        name : str
            As synaptic code has it.
        own : mapping
            Names of the synapses themselves, which come first.
        """
        ending = f"_{self.suffix}"
        if name in own:
            return None
        plain = name.removesuffix(ending)
        if plain != name and not self._hidden(plain, True) and self.group.bound(plain) is not None:
            return plain
        usable = self.suffix == "post" and not self._hidden(name, False)
        return name if usable and self.group.bound(name) is not None else None

    def computed(self, name: str, own: Container[str]) -> str | None:
        """The group's name of what it must compute to give a value of `name`; None if that is something else.

        Parameters
        ----------
        name : str
            As synaptic code has it.
        own : container
            Names of the synapses themselves, which come first.
        """
        plain = name.removesuffix(f"_{self.suffix}")
        suffixed = plain != name or self.suffix == "post"
        return plain if suffixed and name not in own and plain in self.group.computed() else None

    def write(self, name: str, selection: NDArray[np.int64] | None, value: Any) -> None:
        """Set a variable of the elements of some synapses.

        Parameters
        ----------
        name : str
            Its name in the group.
        selection : ndarray of int64 or None
            The synapses, None for all.
        value : object
            One value, or one for each of these synapses.
        """
        numbers = self.number.get().astype(np.int64)
        chosen = numbers if selection is None else numbers[selection]
        self.source.write(name, None if self.group.is_shared(name) else chosen, value)
