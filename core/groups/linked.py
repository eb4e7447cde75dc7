"""Linked variables: a variable or subexpression of one group under a name of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, IndexOutOfRangeError, RallError
from rall.groups.bound import usable, variable_of
from rall.ir.nodes import Name, Node
from rall.ir.visit import names, substitute
from rall.model import Access, Variable
from rall.registry import closest
from rall.units import Dimension

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["Link", "LinkedVariable", "link"]


class LinkedVariable:
    """What `linked_var` gives, to be assigned to a parameter with the flag ``linked``.

    Parameters
    ----------
    group : Group
        Whose variable.
    name : str
        The variable or subexpression.
    index : ndarray of int64, str or None
        For each element of the group that links, an element of `group`; or a variable there that says so.
    elements : ndarray of int64 or None
        The part of `group` that is meant; None for all of it.
    """

    def __init__(self, group: Group, name: str, index: Any, elements: NDArray[np.int64] | None) -> None:
        self.group, self.name, self.index, self.elements = group, name, index, elements

    @property
    def size(self) -> int:
        """Number of elements that can be linked to."""
        return self.group.N if self.elements is None else len(self.elements)


@dataclass(frozen=True)
class Link:
    """What a linked name stands for.

    Parameters
    ----------
    source : LinkedVariable
        What it is linked to.
    table : mapping of str to Variable or Access
        The variables that it needs, as the group that links sees them; the link's own name among them unless it is
        a subexpression.
    expressions : mapping of str to Node
        The subexpression and those that it is made of, in terms of `table`.
    types : mapping of str to (Dimension, str)
        Dimension and type of each of these.
    values : mapping of str to object
        Values in them that belong to the source.
    """

    source: LinkedVariable
    table: Mapping[str, Variable | Access]
    expressions: Mapping[str, Node] = field(default_factory=dict)
    types: Mapping[str, tuple[Dimension, str]] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)


def link(group: Group, name: str, linked: LinkedVariable) -> Link:
    """What a name of `group` stands for from now on.

    Parameters
    ----------
    group : Group
        The one that links.
    name : str
        Its parameter.
    linked : LinkedVariable
        The variable that is meant.

    Raises
    ------
    DimensionMismatchError
        If the two are in different units.
    IndexOutOfRangeError
        If the index leads outside.
    RallError
        If the sizes do not fit.
    """
    source = linked.group
    wanted, found = group.equations[name].dimension, source.dimension(linked.name)
    if found is not wanted:
        raise DimensionMismatchError(
            f"'{name}' of '{group.name}' is declared in {wanted}, and '{linked.name}' of '{source.name}' is in {found}"
        )
    index = None if source.is_shared(linked.name) else _index(group, name, linked)
    if source.bound(linked.name) is not None:
        return Link(linked, {name: _seen(linked, linked.name, index)})
    return _link_expression(name, linked, index)


def _link_expression(name: str, linked: LinkedVariable, index: Variable | None) -> Link:
    """A subexpression, with what it is made of under names of its own."""
    source, prefix = linked.group, f"_{name}_"
    expressions, types = source.expressions(), source.expression_types()
    given = source.own_values()
    own = {*source.known_names(), *given}
    found: dict[str, Node] = {}
    kinds: dict[str, tuple[Dimension, str]] = {}
    table: dict[str, Variable | Access] = {}
    todo = [linked.name]
    while todo:
        one = todo.pop()
        key = name if one == linked.name else prefix + one
        used = names(expressions[one]) & own
        found[key] = substitute(expressions[one], {n: Name(prefix + n) for n in used})
        kinds[key] = types[one]
        todo += [n for n in used if n in expressions]
        variables = [n for n in used if source.bound(n) is not None]
        table.update({prefix + n: _seen(linked, n, index) for n in variables})
    values = {prefix + n: value for n, value in given.items()}
    return Link(linked, table, found, kinds, values)


def _seen(linked: LinkedVariable, name: str, index: Variable | None) -> Variable | Access:
    """A variable of the source as the group that links sees it."""
    source = linked.group
    bound = source.bound(name)
    assert bound is not None
    if variable_of(bound).shared:
        return bound
    assert index is not None
    found = source.reach(name, index)
    if found is None:
        raise RallError(f"'{name}' of '{source.name}' cannot be linked to")
    return usable(found)


def _index(group: Group, name: str, linked: LinkedVariable) -> Variable:
    """For each element of the group that links, a storage index of the source."""
    source = linked.group
    if isinstance(linked.index, str):
        return _index_variable(group, name, linked)
    elements = np.arange(source.N) if linked.elements is None else linked.elements
    places = Variable(f"_{name}_index", group.domain, kind="index", role="constant")
    places.set(source.domain.layout.index(elements)[_numbers(group, name, linked)])
    return places


def _index_variable(group: Group, name: str, linked: LinkedVariable) -> Variable:
    known = group.variables.get(str(linked.index))
    if known is None or known.kind not in ("integer", "index") or known.shared:
        raise RallError(
            f"'{linked.index}' must be an integer variable of '{group.name}' to be the index of '{name}'"
            f"{closest(str(linked.index), group.variables)}"
        )
    moved = linked.elements is not None or linked.group.domain.layout.place is not None
    if moved or isinstance(linked.group.bound(linked.name), Access):
        raise RallError(f"'{name}' of '{group.name}' can follow the variable '{linked.index}' in a whole group only")
    return known


def _numbers(group: Group, name: str, linked: LinkedVariable) -> NDArray[np.int64]:
    """For each element of the group that links, the number of an element of the source."""
    size = linked.size
    if linked.index is not None:
        index = np.asarray(linked.index, np.int64)
        if len(index) != group.N:
            raise RallError(f"the index of '{name}' has {len(index)} entries, and '{group.name}' {group.N} elements")
        if len(index) and (index.min() < 0 or index.max() >= size):
            wrong = index[(index < 0) | (index >= size)][0]
            raise IndexOutOfRangeError(
                f"the index of '{name}' leads to element {wrong} of '{linked.group.name}', which has {size}"
            )
        return index
    if size == 1:
        return np.zeros(group.N, np.int64)
    if size != group.N:
        raise RallError(
            f"'{group.name}' has {group.N} elements and '{linked.group.name}' has {size}: say with index= which "
            f"element of it each '{name}' is linked to"
        )
    return np.arange(size)
