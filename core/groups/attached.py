"""Values that were read from a group and lead back to it."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.groups.views import VariableView
from rall.units import DIMENSIONLESS, dimension_of

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["AttachedArray"]

_Source: TypeAlias = "tuple[weakref.ref[Group], str, range]"


class AttachedArray(np.ndarray[Any, Any]):
    """Values of a variable as they were when they were read; elements that are set here are set in the group too.

    So ``group.x[:][mask] = 0`` and ``values = group.x[:]; values += 1`` change the group, while a later run leaves the
    array as it is.  Slices lead back as well.  Copies, and what is computed from the array, are arrays like any other.
    The memory itself is read-only, so that no other way of writing (``sort``, ``out=``) passes the group by.

    Raises
    ------
    RallError
        On setting elements, if the variable has changed since they were read, or is none that can be set.
    DimensionMismatchError
        On setting elements to a value in another dimension.
    """

    # Concatenations are plain.
    __array_priority__ = -1.0
    _source: _Source | None = None

    @classmethod
    def of(cls, group: Group, name: str) -> AttachedArray:
        """All values of a variable.

        Parameters
        ----------
        group : Group
            Whose variable; it is not kept alive.
        name : str
            Its name.

        Returns
        -------
        AttachedArray
            SI base units, shape (elements,).
        """
        values = group.values_of(name)
        return cls._attach(values, (weakref.ref(group), name, range(len(values))))

    @classmethod
    def _attach(cls, values: NDArray[Any], source: _Source) -> AttachedArray:
        made = values.view(cls)
        made.flags.writeable = False
        made._source = source
        return made

    def __setitem__(self, item: Any, value: Any) -> None:
        if self._source is None:  # computed from such an array, or a copy
            np.asarray(self)[item] = value
            return
        reference, name, elements = self._source
        group = reference()
        if group is None:
            here = np.array(self)
            here[item] = value
        else:
            if self.tobytes() != _cut(group.values_of(name), elements).tobytes():
                raise RallError(
                    f"'{name}' of '{group.name}' has changed since these values were read; read {name}[:] again to set "
                    f"elements of the group, or change a copy, {name}[:].copy()"
                )
            chosen = np.arange(elements.start, elements.stop, elements.step)[item]
            group.write(name, np.ravel(chosen), _with_unit(group, name, value))
            here = _cut(group.values_of(name), elements)
        self.flags.writeable = True
        np.asarray(self)[...] = here
        self.flags.writeable = False

    def __getitem__(self, item: Any) -> Any:
        found = np.asarray(self)[item]
        if self._source is None or not isinstance(item, slice):
            return found
        reference, name, elements = self._source
        return self._attach(found, (reference, name, elements[item]))

    def copy(self, order: Any = "C") -> Any:
        """As `numpy.ndarray.copy`; a plain array."""
        return np.array(self, order=order)

    def __array_wrap__(self, array: NDArray[Any], context: Any = None, return_scalar: bool = False) -> Any:
        return np.asarray(array)[()]

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.copy().__reduce_ex__(protocol)


def _cut(values: NDArray[Any], elements: range) -> NDArray[Any]:
    """The values of some elements, of those that are there."""
    return values[elements.start : elements.stop if elements.stop >= 0 else None : elements.step]


def _with_unit(group: Group, name: str, value: Any) -> Any:
    """A value to set, in SI base units where plain."""
    value = value.value if isinstance(value, VariableView) else value
    plain = not isinstance(value, str) and dimension_of(value) is DIMENSIONLESS
    return group.with_unit(name, value) if plain else value


def _in_place(function: Callable[[Any, Any], Any]) -> Callable[[AttachedArray, Any], AttachedArray]:
    def method(self: AttachedArray, other: Any) -> AttachedArray:
        self[...] = function(np.array(self), other)
        return self

    return method


for _word in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    setattr(AttachedArray, f"__i{_word}__", _in_place(getattr(operator, f"i{_word}")))
