"""Variables as attributes: views that read and write through units, string values and string conditions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import IndexOutOfRangeError
from rall.units import Quantity

if TYPE_CHECKING:
    from rall.groups.group import Group
    from rall.groups.subgroup import Subgroup

__all__ = ["VariableView"]


class VariableView:
    """A variable of a group, or of some of its elements; a copy is taken when it is read.

    What is set in ``[:]`` of a whole group is set in the group, see `rall.groups.attached.AttachedArray`.

    Parameters
    ----------
    group : Group or Subgroup
        Whose variable it is.
    name : str
        Its name.
    selection : ndarray of int64 or None
        The elements, None for all.
    units : bool
        Whether values carry units.
    """

    __slots__ = ("group", "name", "selection", "units")

    def __init__(
        self, group: Group | Subgroup, name: str, selection: NDArray[np.int64] | None = None, units: bool = True
    ) -> None:
        self.group, self.name, self.selection, self.units = group, name, selection, units

    @property
    def value(self) -> Any:
        """The values now: a Quantity, or plain where there is no unit; shape (elements,), () for shared ones."""
        if self._shared:
            return self.group.read(self.name, None, self.units)[0]
        return self.group.read(self.name, self.selection, self.units)

    @property
    def _shared(self) -> bool:
        return self.group.is_shared(self.name)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, tuple) and any(part is None or part is Ellipsis for part in item):
            return self.value[item]  # axes for plots and broadcasting, which mean no elements
        if self._shared:
            return self._whole(item).value
        if _is_everything(item) and self.selection is None:
            return self.group.read_attached(self.name, self.units)
        picked = self._pick(item)
        values = self.group.read(self.name, picked, self.units)
        return values[0] if _single(item) and len(picked) == 1 else values

    def __setitem__(self, item: Any, value: Any) -> None:
        everything = _is_everything(item)
        if self._shared:
            self._whole(item)
        if not self.units:
            value = self.group.with_unit(self.name, value)
        self.group.write(self.name, self.selection if everything else self._pick(item), value)

    def _whole(self, item: Any) -> VariableView:
        """The view itself, for an index that means everything, which is the only one into a single value."""
        if _is_everything(item) or item is Ellipsis or (isinstance(item, tuple) and not item):
            return self
        raise IndexOutOfRangeError(
            f"'{self.name}' of '{self.group.name}' is one value for all elements and takes [:] alone, not {item!r}"
        )

    def _pick(self, item: Any) -> NDArray[np.int64]:
        """The group's elements for an index into this view."""
        if self.selection is None:
            return self.group.indices_of(item)
        if isinstance(item, (int, np.integer, slice, list, np.ndarray)):
            return np.atleast_1d(self.selection[item])
        found = self.group.indices_of(item)
        return found[np.isin(found, self.selection)]

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.value, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        return getattr(ufunc, method)(*map(_plain, inputs), **keywords)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return func(*_all_plain(args), **_all_plain(kwargs))

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return operator.index(self.value)

    def __bool__(self) -> bool:
        return bool(np.asarray(self.value))

    def __repr__(self) -> str:
        return f"<{self.group.name}.{self.name}: {self.value}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.value, name)

    def __neg__(self) -> Any:
        return -self.value

    def __abs__(self) -> Any:
        return abs(self.value)


def _is_everything(item: Any) -> bool:
    return isinstance(item, slice) and item == slice(None)


def _single(item: Any) -> bool:
    return isinstance(item, (int, np.integer)) or not isinstance(item, (slice, str, list, tuple, np.ndarray, Quantity))


def _plain(operand: Any) -> Any:
    return operand.value if isinstance(operand, VariableView) else operand


def _all_plain(arguments: Any) -> Any:
    """Arguments of a NumPy function with views replaced by their values, in lists too."""
    if isinstance(arguments, dict):
        return {name: _all_plain(one) for name, one in arguments.items()}
    if isinstance(arguments, (list, tuple)):
        return type(arguments)(_all_plain(one) for one in arguments)
    return _plain(arguments)


def _forward(function: Callable[[Any, Any], Any]) -> Callable[[VariableView, Any], Any]:
    return lambda self, other: function(self.value, _plain(other))


def _backward(function: Callable[[Any, Any], Any]) -> Callable[[VariableView, Any], Any]:
    return lambda self, other: function(_plain(other), self.value)


def _in_place(function: Callable[[Any, Any], Any]) -> Callable[[VariableView, Any], VariableView]:
    def method(self: VariableView, other: Any) -> VariableView:
        if isinstance(other, str):
            other = self.group.evaluate(other, self.selection, with_units=True)
        self.group.write(self.name, self.selection, function(self.value, _plain(other)))
        return self

    return method


for _word in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"):
    _function = getattr(operator, _word)
    setattr(VariableView, f"__{_word}__", _forward(_function))
    setattr(VariableView, f"__r{_word}__", _backward(_function))
    setattr(VariableView, f"__i{_word}__", _in_place(_function))
for _word in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(VariableView, f"__{_word}__", _forward(getattr(operator, _word)))
VariableView.__hash__ = None  # type: ignore[assignment]
