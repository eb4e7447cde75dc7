"""What monitors have in common: whose variables, their types, which number an element has in what is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.groups import Group
from rall.registry import suggest
from rall.units import DIMENSIONLESS, Dimension, Quantity, get_or_create_dimension

__all__ = ["HERTZ", "SECOND", "Typed", "group_of", "labels_of", "types_of"]

SECOND = get_or_create_dimension(second=1)
HERTZ = get_or_create_dimension(second=-1)


@dataclass(frozen=True)
class Typed:
    """Dimension and type of a recorded variable.

    Parameters
    ----------
    dimension : Dimension
        What it measures.
    kind : {'float', 'integer', 'boolean'}
        Recordings hold floats; users get back what they have declared.
    """

    dimension: Dimension
    kind: str

    def values(self, recorded: NDArray[np.float64], units: bool) -> Any:
        """Recorded floats as the user knows them.

        Parameters
        ----------
        recorded : ndarray of float
            SI base units.
        units : bool
            Whether to give a Quantity where there is a unit.
        """
        if self.kind == "boolean":
            return recorded != 0
        if self.kind == "integer":
            return recorded.astype(np.int64)
        return Quantity(recorded, dim=self.dimension) if units and self.dimension is not DIMENSIONLESS else recorded


def group_of(source: Any, monitor: str) -> Group:
    """The group that a source is, or is part of.

    Parameters
    ----------
    source : object
        What a monitor was given.
    monitor : str
        What the monitor is called in the message.

    Raises
    ------
    RallError
        If it is no group.
    """
    group = getattr(source, "group", source)
    if not isinstance(group, Group):
        raise RallError(f"a {monitor} needs a group or part of one, not {source!r:.80}")
    return group


def types_of(group: Group, names: Iterable[str]) -> dict[str, Typed]:
    """Dimension and type of variables and subexpressions, by name.

    Parameters
    ----------
    group : Group
        Whose.
    names : iterable of str
        As code of the group has them; ``v_post`` for synapses, say.

    Raises
    ------
    RallError
        For a name that the group does not know.
    """
    known = group.environment({})
    found = {}
    for name in names:
        if name in known:
            found[name] = Typed(*known[name])
        elif name in group.known_names():
            found[name] = Typed(group.dimension(name), "float")
        else:
            guess = suggest(str(name), {*known, *group.known_names()})
            raise RallError(f"'{group.name}' has no variable '{name}' to record{guess}")
    return found


def labels_of(source: Any) -> tuple[NDArray[np.int64], int]:
    """What each storage index of a source's group is reported as, -1 outside of the source; and how many there are.

    Parameters
    ----------
    source : Group or part of one
        What is recorded.
    """
    group = getattr(source, "group", source)
    elements = source.event_elements()
    labels = np.full(group.domain.layout.stored, -1)
    labels[elements] = np.arange(len(elements))
    return labels, len(elements)
