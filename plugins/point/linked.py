"""Linked variables: how users name a variable of another group."""

from __future__ import annotations

from typing import Any

import numpy as np

from rall.errors import RallError
from rall.groups import Group, Subgroup, VariableView
from rall.groups.linked import LinkedVariable
from rall.registry import suggest

__all__ = ["linked_var"]


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
    if group.bound(name) is None and name not in group.expressions():
        raise RallError(f"'{group.name}' has no variable '{name}' to link to{suggest(name, group.known_names())}")
    if index is not None and not isinstance(index, str):
        index = np.asarray(index)
        if index.dtype.kind not in "iu" or index.ndim != 1:
            raise RallError("index of linked_var is a list of whole numbers, or the name of a variable")
    return LinkedVariable(group, name, index, elements)
