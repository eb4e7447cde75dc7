"""Elements that the user names in other ways than by numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from rall.errors import RallError
from rall.groups import Group, Subgroup, VariableView

__all__ = ["chosen"]


def chosen(group: Group, given: Any) -> Any:
    """Numbers of elements for what `connect` is given as ``i`` or ``j``.

    Parameters
    ----------
    group : Group
        Whose elements.
    given : object
        Text, numbers and None are left as they are; anything else that the group can be indexed by (the part of a
        morphology, say) becomes numbers.
    """
    if given is None or isinstance(given, (str, int, np.integer, list, tuple, range, np.ndarray)):
        return given
    if isinstance(given, VariableView):
        return np.asarray(given.value)
    if isinstance(given, Subgroup) and given.group is not group:
        raise RallError(f"{given!r} is no part of '{group.name}', which these indices are for")
    found = group.indices_of(given)
    return int(found[0]) if len(found) == 1 else found
