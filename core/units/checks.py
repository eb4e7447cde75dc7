"""Asking for dimensions and insisting on them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from rall.errors import DimensionMismatchError
from rall.units.dimension import DIMENSIONLESS, Dimension
from rall.units.quantity import Quantity, check_same, dimension_of, split, value_of

__all__ = [
    "check_units", "fail_for_dimension_mismatch", "get_dimensions", "have_same_dimensions", "in_best_unit",
    "in_unit", "is_dimensionless", "is_scalar_type", "quantity_with_dimensions",
]  # fmt: skip

_Function = TypeVar("_Function", bound=Callable[..., Any])


def get_dimensions(obj: Any) -> Dimension:
    """The dimension of anything; plain numbers have none.

    Parameters
    ----------
    obj : Quantity, Dimension, number or array
        What to ask.

    Returns
    -------
    Dimension
    """
    return dimension_of(obj)


def is_dimensionless(obj: Any) -> bool:
    """Whether a value has no dimension.

    Parameters
    ----------
    obj : Quantity, number or array
        What to ask.
    """
    return dimension_of(obj) is DIMENSIONLESS


def is_scalar_type(obj: Any) -> bool:
    """Whether a value is one number: not an array, nor a list.

    Parameters
    ----------
    obj : object
        What to ask.
    """
    if isinstance(obj, Quantity):
        return not isinstance(obj.value, np.ndarray)
    return bool(np.ndim(obj) == 0 and np.asarray(obj).dtype.kind in "biufc")


def have_same_dimensions(obj1: Any, obj2: Any) -> bool:
    """Whether two values have the same dimension.

    Parameters
    ----------
    obj1, obj2 : Quantity, Dimension, number or array
        What to compare.
    """
    return dimension_of(obj1) is dimension_of(obj2)


def fail_for_dimension_mismatch(
    a: Any, b: Any = 1.0, message: str | None = None
) -> tuple[Dimension, Dimension]:
    """Insist on the same dimension; 0, infinity and not-a-number without dimension go with every other.

    Parameters
    ----------
    a, b : Quantity, number or array
        What to compare; without `b`, `a` must have no dimension.
    message : str, optional
        What was attempted.

    Returns
    -------
    tuple of (Dimension, Dimension)
        The dimensions of both.

    Raises
    ------
    DimensionMismatchError
        Names both values and both dimensions.
    """
    check_same(a, b, message or "The dimensions do not match")
    return dimension_of(a), dimension_of(b)


def in_unit(x: Any, unit: Quantity, precision: int | None = None, python_code: bool = False) -> str:
    """A value as text in a given unit.

    Parameters
    ----------
    x : Quantity
        What to show.
    unit : Unit
        Of the same dimension.
    precision : int, optional
        Number of decimals.
    python_code : bool
        As an expression, ``3*mvolt``, instead of ``3 mV``.
    """
    return Quantity(x).in_unit(unit, precision, python_code)


def in_best_unit(x: Any, precision: int | None = None, python_code: bool = False) -> str:
    """A value as text in the unit that reads best.

    Parameters
    ----------
    x : Quantity or number
        What to show.
    precision : int, optional
        Number of decimals.
    python_code : bool
        As an expression, ``3*mvolt``, instead of ``3 mV``.
    """
    return Quantity(x).in_best_unit(precision, python_code)


def quantity_with_dimensions(value: Any, dims: Dimension) -> Quantity:
    """A quantity from a value in SI base units.

    Parameters
    ----------
    value : number or array
        In SI base units.
    dims : Dimension
        Its dimension.

    Returns
    -------
    Quantity
        Also where `dims` is dimensionless.
    """
    return Quantity(value_of(value), dims)


def check_units(**units: Any) -> Callable[[_Function], _Function]:
    """Decorate a function so that the dimensions of its arguments and its result are checked.

    Parameters
    ----------
    **units : Unit, 1, bool, str, callable or None
        For each argument its unit (1 for none), ``bool``, the name of an argument whose dimension it shares,
        or None for no check.  ``result`` is the same for the result, or a function of the units of the
        arguments.

    Returns
    -------
    callable
        The decorator.  The decorated function has the attributes ``_arg_units``, ``_arg_names`` and
        ``_return_unit``, from which equations know its dimensions.

    Raises
    ------
    DimensionMismatchError
        On a call with a value of another dimension.
    """

    def decorate(function: _Function) -> _Function:
        signature = inspect.signature(function)
        names = tuple(signature.parameters)
        unknown = sorted(set(units) - set(names) - {"result"})
        if unknown:
            raise TypeError(
                f"{function.__name__}() has no argument {unknown[0]!r}; it has {', '.join(names)}"
            )

        @wraps(function)
        def checked(*args: Any, **keywords: Any) -> Any:
            given = signature.bind(*args, **keywords)
            values = given.arguments
            for name, value in values.items():
                wanted = units.get(name)
                _check_value(f"argument {name!r} of {function.__name__}()", value, wanted, values)
            result = function(*args, **keywords)
            wanted = units.get("result")
            if callable(wanted) and wanted is not bool and not isinstance(wanted, Quantity):
                wanted = wanted(*(_unit_of(value) for value in values.values()))
            _check_value(f"the result of {function.__name__}()", result, wanted, values)
            return result

        for attribute, content in (
            ("_orig_func", function),
            ("_arg_names", names),
            ("_arg_units", [units.get(name) for name in names]),
            ("_return_unit", units.get("result", 1)),
            ("_returns_bool", units.get("result") is bool),
        ):
            setattr(checked, attribute, content)
        return checked  # type: ignore[return-value]

    return decorate


def _unit_of(value: Any) -> Any:
    return Quantity(1.0, split(value)[1])


def _check_value(what: str, value: Any, wanted: Any, values: dict[str, Any]) -> None:
    if wanted is None or value is None or isinstance(value, str):
        return
    if wanted is bool:
        if np.asarray(value_of(value)).dtype != bool:
            raise TypeError(f"{what} must be True or False, not {value}")
        return
    if isinstance(wanted, str):
        if wanted not in values:
            raise TypeError(
                f"{what} shall have the dimension of the argument {wanted!r}, which was not given"
            )
        wanted = values[wanted]
    dim, own = dimension_of(wanted), dimension_of(value)
    if dim is own:
        return
    try:
        check_same(value, Quantity(1.0, dim), what)
    except DimensionMismatchError:
        shown = Quantity(value)
        raise DimensionMismatchError(
            f"{what} must have the dimension {dim}, but {shown} has the dimension {own}"
        ) from None
