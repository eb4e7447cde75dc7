"""What the names in equations stand for: units, constants, functions and the user's own values."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from rall.equations.lines import Line
from rall.errors import EquationError, RallWarning
from rall.functions import BUILTIN, CONSTANTS, AbstractFunction, Typed
from rall.ir.nodes import Name
from rall.ir.parse import Parsed
from rall.ir.statements import Statement
from rall.ir.visit import functions, is_noise, names
from rall.registry import closest
from rall.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension
from rall.units.quantity import Quantity, dimension_of, value_of
from rall.units.table import all_names, lookup
from rall.user_functions import as_function

__all__ = ["Places", "always_known", "known_value", "resolve", "typed_of", "unknown_name"]

#: Where names occur.
Places: TypeAlias = Parsed | Line | Sequence[Parsed | Line | Statement]

_NOISE = get_or_create_dimension(time=-0.5)


def always_known(name: str) -> Typed | None:
    """What a name is without a namespace: a constant, white noise or a unit; None for another name."""
    constant = CONSTANTS.get(name)
    if constant is not None:
        return Typed(constant.dimension)
    if is_noise(name):
        return Typed(_NOISE)
    unit = lookup(name)
    return None if unit is None else Typed(unit.dim)


def unknown_name(name: str, known: Iterable[str]) -> str:
    """What to say of a name that nobody knows, with the nearest known one.

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        Variables and external names that there are.

    Returns
    -------
    str
        A message.
    """
    own = [*known, *CONSTANTS]
    hint = closest(name, [word for word in own if not word.startswith("_")]) or closest(name, all_names())
    hint = hint or "; it is no variable, no constant, no unit, and not in the namespace"
    return f"'{name}' is not known here{hint}"


def known_value(name: str) -> Quantity | float | None:
    """The value of a constant or a unit that is known in all equations.

    Parameters
    ----------
    name : str
        Such as ``pi`` or ``mV``.

    Returns
    -------
    Quantity, float or None
        None if there is none of that name.
    """
    constant = CONSTANTS.get(name)
    if constant is not None:
        return (
            constant.value
            if constant.dimension is DIMENSIONLESS
            else Quantity(constant.value, constant.dimension)
        )
    return lookup(name)


def typed_of(value: object) -> Typed:
    """Dimension and type of a value.

    Parameters
    ----------
    value : Quantity, number, array, Line, or (Dimension, str)
        What a name stands for.

    Returns
    -------
    Typed
        Its dimension and type.

    Raises
    ------
    TypeError
        If it is no value.
    """
    if isinstance(value, Typed):
        return value
    if isinstance(value, Line):
        return value.typed
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Dimension):
        return Typed(value[0], str(value[1]))
    dimension = dimension_of(value)
    kind = np.asarray(value_of(value)).dtype.kind
    if dimension is not DIMENSIONLESS:
        return Typed(dimension)
    return Typed(dimension, {"b": "boolean", "i": "integer", "u": "integer"}.get(kind, "float"))


def resolve(
    wanted: Iterable[str],
    *namespaces: Mapping[str, object],
    variables: Iterable[str] = (),
    where: Places = (),
) -> dict[str, object]:
    """What external names stand for.

    Parameters
    ----------
    wanted : iterable of str
        Names that occur, variables and functions included.
    *namespaces : mapping of str to object
        Where to look, first come first: the group's namespace, or the run's, or the caller's names.
    variables : iterable of str
        Names that the model knows itself; left out of the result.
    where : Parsed, Line or sequence of these
        Where the names occur, for messages.

    Returns
    -------
    dict of str to object
        Quantities, numbers and functions (`AbstractFunction`), in alphabetical order.  Units, constants and
        rall's functions are known without a namespace, and are not replaced by other values of that name.

    Raises
    ------
    EquationError
        If a name is unknown, or stands for something that equations cannot use.
    """
    own = frozenset(variables)
    found: dict[str, object] = {}
    for name in sorted(frozenset(wanted) - own):
        if is_noise(name):
            continue
        given = next((space[name] for space in namespaces if name in space), None)
        fixed = BUILTIN.get(name) or known_value(name)
        if fixed is not None:
            _warn_if_hidden(name, fixed, given)
            found[name] = fixed
        elif given is None:
            candidates = {*own, *(word for space in namespaces for word in space if _usable(space[word]))}
            raise _error(where, unknown_name(name, candidates), name)
        else:
            found[name] = _external(name, given, where)
    return found


def _error(where: Places, message: str, name: str) -> EquationError:
    """An error that shows the first place in which the name occurs."""
    if isinstance(where, (Parsed, Line)):
        return where.error(message, Name(name))
    for place in where:
        for value in _expressions(place):
            if name in names(value.node) | functions(value.node):
                return value.error(message, Name(name))
        if isinstance(place, Statement) and place.target == name:
            return place.error(message)
    return EquationError(message)


def _expressions(place: Parsed | Line | Statement) -> tuple[Parsed, ...]:
    if isinstance(place, Line):
        return place.expressions
    return (place if isinstance(place, Parsed) else place.value,)


def _usable(value: object) -> bool:
    return isinstance(value, (Quantity, int, float, np.number, AbstractFunction))


def _warn_if_hidden(name: str, fixed: object, given: object) -> None:
    if given is None or given is fixed or isinstance(fixed, AbstractFunction) or not _usable(given):
        return
    same = (
        not isinstance(given, AbstractFunction)
        and dimension_of(given) is dimension_of(fixed)
        and np.array_equal(value_of(given), value_of(fixed))
    )
    if not same:
        warnings.warn(
            f"the name '{name}' in your namespace ({given}) is not used in equations: there '{name}' is "
            f"{fixed!r}; give your value another name",
            RallWarning,
            stacklevel=3,
        )


def _external(name: str, value: object, where: Places) -> object:
    function = as_function(value)
    if function is not None:
        return function
    if callable(value) and not isinstance(value, Quantity):
        message = f"the function '{name}' cannot be used in equations: decorate it with @check_units(...)"
        raise _error(where, message, name)
    if not isinstance(value, (Quantity, int, float, np.number, np.bool_, np.ndarray)):
        message = (
            f"'{name}' is a {type(value).__name__} ({value!r:.60}); equations take numbers and quantities"
        )
        raise _error(where, message, name)
    if np.ndim(value_of(value)) != 0:
        shape = np.shape(value_of(value))
        message = (
            f"'{name}' is an array of shape {shape}; equations take single values from outside: declare a "
            f"variable '{name} : unit' and assign the array, or use a TimedArray"
        )
        raise _error(where, message, name)
    return value
