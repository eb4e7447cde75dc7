"""What users assign to variables, checked: numbers, arrays, quantities and texts; sums that set a variable."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import DimensionMismatchError, RallError
from rall.groups.views import VariableView
from rall.model import Variable
from rall.session import SimulationObject
from rall.units import DIMENSIONLESS, Dimension, dimension_of, value_of

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["Sums", "checked"]


def checked(group: Group, variable: Variable, selection: NDArray[np.int64] | None, value: Any) -> Any:
    """What a variable is to be set to, in SI base units: one value, or one for each selected element.

    Parameters
    ----------
    group : Group
        Whose variable.
    variable : Variable
        Which one.
    selection : ndarray of int64 or None
        The elements that are set, None for all.
    value : object
        What the user gave.

    Raises
    ------
    RallError
        For what is no value, or as many values as do not fit.
    DimensionMismatchError
        For a value in another dimension.
    """
    name = variable.name
    if isinstance(value, str):
        if variable.shared:
            _check_single(group, name, value)
            selection = np.zeros(1, np.int64)
        plain = group.evaluate(value, selection, dimension=variable.dimension)
    else:
        value = value.value if isinstance(value, VariableView) else value
        try:
            plain = value_of(value)
        except TypeError as error:
            raise RallError(f"cannot set '{name}' of '{group.name}': {error}") from None
        if dimension_of(value) is not variable.dimension and not _is_zero(value):
            raise DimensionMismatchError(
                f"cannot set '{name}' of '{group.name}' to {value}: it {_is(dimension_of(value))}, and '{name}' "
                f"{_is(variable.dimension)}; {_remedy(variable.dimension, value)}"
            )
    if not group.N and not variable.shared and np.size(plain) > 1:
        raise RallError(f"'{group.name}' has no elements yet to set '{name}' of; call connect() first")
    count = 1 if variable.shared else group.N if selection is None else len(selection)
    if np.ndim(plain) > 1 or np.size(plain) not in (1, count):
        each = "one value for all elements" if variable.shared else f"one value or {count}, one for each element"
        raise RallError(f"'{name}' of '{group.name}' takes {each}, not an array of the shape {np.shape(plain)}")
    return plain


def _is(dimension: Dimension) -> str:
    return "has no unit" if dimension is DIMENSIONLESS else f"is in {dimension}"


def _remedy(wanted: Dimension, value: Any) -> str:
    if wanted is DIMENSIONLESS:
        return "divide it by a unit"
    if dimension_of(value) is DIMENSIONLESS:
        return f"give it a unit, such as {value}*{wanted}" if np.ndim(value) == 0 else f"multiply it by {wanted}, say"
    return f"a value in {wanted} is needed"


def _check_single(group: Group, name: str, text: str) -> None:
    """A text for a shared variable must not differ between elements."""
    differing = sorted(n for n in group.identifiers(text) & group.known_names() if not group.is_shared(n))
    if differing:
        raise RallError(
            f"'{name}' of '{group.name}' has one value for all elements, and '{differing[0]}' in '{text}' may "
            "differ between them"
        )


def _is_zero(value: Any) -> bool:
    return np.ndim(value) == 0 and bool(np.all(np.asarray(value_of(value)) == 0))


class Sums:
    """Which objects set variables of a group to sums.

    Parameters
    ----------
    group : Group
        Whose variables.
    """

    def __init__(self, group: Group) -> None:
        self._group = weakref.ref(group)
        self._known: dict[str, list[tuple[weakref.ref[SimulationObject], object]]] = {}

    def add(self, name: str, owner: SimulationObject, part: object) -> None:
        """Let an object set a variable from now on.

        Parameters
        ----------
        name : str
            The variable.
        owner : SimulationObject
            What computes them.
        part : object
            The group, or the part of it whose elements are set.

        Raises
        ------
        RallError
            If another one sets the same elements already.
        """
        group = self._group()
        assert group is not None
        for other_ref, theirs in self._known.get(name, []):
            other = other_ref()
            if other is not None and _overlap(group, part, theirs):
                raise RallError(
                    f"'{name}' of '{group.name}' is set to the sums of '{other.name}' (made at {other.created_at}) "
                    "already, and each of two sums would undo the other; give the second one a variable of its own and "
                    "add both in the equations"
                )
        self._known.setdefault(name, []).append((weakref.ref(owner), part))


def _overlap(group: Group, one: object, other: object) -> bool:
    if one is group or other is group:
        return True
    return bool(np.isin(getattr(one, "indices", ()), getattr(other, "indices", ())).any())
