"""Linked variables: a variable of one group under a name of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, IndexOutOfRangeError, RallError
from rall.groups import Group, Subgroup, VariableView
from rall.groups.group import variable_of
from rall.model import Access, Variable
from rall.registry import closest, suggest

__all__ = ["LinkedVariable", "link", "linked_var"]


class LinkedVariable:
    """What `linked_var` gives, to be assigned to a parameter with the flag ``linked``.

    Parameters
    ----------
    group : Group
        Whose variable.
    name : str
        The variable.
    index : ndarray of int64, str or None
        For each element of the group that links, an element of `group`; or a variable there that says so.
    elements : ndarray of int64 or None
        The part of `group` that is meant; None for all of it.
    """

    def __init__(self, group: Group, name: str, index: Any, elements: NDArray[np.int64] | None) -> None:
        self.group, self.name, self.index, self.elements = group, name, index, elements


def linked_var(group_or_variable: Any, name: str | None = None, index: Any = None) -> LinkedVariable:
    """A reference to a variable of another group.

    Parameters
    ----------
    group_or_variable : Group, Subgroup or VariableView
        The group, or the variable itself (``G.v``).
    name : str, optional
        Its name, where a group is given.
    index : array of int or str, optional
        Which element of the group each element takes; a text is the name of an integer variable of the group that
        links.  Without it groups of the same size are linked one to one, and a single value goes to all.

    Raises
    ------
    RallError
        For what is no variable.

    Examples
    --------
    ``G2.x = linked_var(G1, 'v')`` for a line ``x : volt (linked)`` in the equations of G2.
    """
    source = group_or_variable
    if isinstance(source, VariableView):
        source, name = source.group, source.name
        if group_or_variable.selection is not None:
            raise RallError("linked_var takes a whole variable; choose elements with index=")
    elements = source.indices if isinstance(source, Subgroup) else None
    group = source.group if isinstance(source, Subgroup) else source
    if not isinstance(group, Group):
        raise RallError(f"linked_var takes a group and the name of a variable, not {group_or_variable!r}")
    if name is None:
        raise RallError(f"linked_var needs the name of a variable of '{group.name}'")
    if group.bound(name) is None:
        if name in group.known_names():
            raise RallError(f"'{name}' of '{group.name}' is computed by its equation; variables alone can be linked")
        raise RallError(f"'{group.name}' has no variable '{name}' to link to{suggest(name, group.known_names())}")
    if index is not None and not isinstance(index, str):
        index = np.asarray(index)
        if index.dtype.kind not in "iu" or index.ndim != 1:
            raise RallError("index of linked_var is a list of whole numbers, or the name of a variable")
    return LinkedVariable(group, name, index, elements)


def link(group: Group, name: str, linked: LinkedVariable) -> Variable | Access:
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
    bound = linked.group.bound(linked.name)
    assert bound is not None
    variable = variable_of(bound)
    wanted = group.equations[name].dimension
    if variable.dimension is not wanted:
        raise DimensionMismatchError(
            f"'{name}' of '{group.name}' is declared in {wanted}, and '{linked.name}' of '{linked.group.name}' is in "
            f"{variable.dimension}"
        )
    if variable.shared:
        return bound
    elements = np.arange(linked.group.N) if linked.elements is None else linked.elements
    if isinstance(linked.index, str):
        return _through_variable(group, name, linked, bound)
    index = _index(group, name, linked, len(elements))
    storage = linked.group.domain.layout.index(elements)[index]
    if isinstance(bound, Access):
        storage = bound.index.array[storage]
    places = Variable(f"_{name}_index", group.domain, kind="index", role="constant")
    places.set(storage)
    return Access(variable, places)


def _through_variable(group: Group, name: str, linked: LinkedVariable, bound: Variable | Access) -> Access:
    known = group.variables.get(str(linked.index))
    if known is None or known.kind != "integer" or known.shared:
        raise RallError(
            f"'{linked.index}' must be an integer variable of '{group.name}' to be the index of '{name}'"
            f"{closest(str(linked.index), group.variables)}"
        )
    if isinstance(bound, Access) or linked.elements is not None or linked.group.domain.layout.place is not None:
        raise RallError(f"'{name}' of '{group.name}' can follow the variable '{linked.index}' in a whole group only")
    return Access(bound, known)


def _index(group: Group, name: str, linked: LinkedVariable, size: int) -> NDArray[np.int64]:
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
