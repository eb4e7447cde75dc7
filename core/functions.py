"""Functions and constants that equations know: one table.

Every function has an arity, a rule for dimensions and types, derivatives as trees, and its spelling for C
and for NumPy.  Composite functions (`nernst`, `ghk`, `timestep`) are trees of other functions: see `expand`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall import special
from rall.errors import DimensionMismatchError
from rall.ir.called import Called
from rall.ir.nodes import (
    ONE,
    TWO,
    ZERO,
    Call,
    Compare,
    Logic,
    Node,
    add,
    call,
    div,
    mul,
    neg,
    number,
    power,
    select,
    sub,
)  # fmt: skip
from rall.ir.parse import PURE
from rall.ir.visit import map_bottom_up
from rall.units.constants import faraday_constant, gas_constant, zero_celsius
from rall.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension

__all__ = [
    "BUILTIN", "CONSTANTS", "DERIVATIVES", "AbstractFunction", "ArgumentMismatch", "Builtin", "Constant",
    "Typed", "check_arity", "describe", "expand", "highest", "is_stateful", "numpy_namespace", "place_of", "spelling",
]  # fmt: skip

_VOLT = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
_KELVIN = get_or_create_dimension(temperature=1)
_SECOND = get_or_create_dimension(time=1)
_MOLAR = get_or_create_dimension(substance=1, length=-3)
_FARADAY = get_or_create_dimension(current=1, time=1, substance=-1)
_GAS = get_or_create_dimension(mass=1, length=2, time=-2, temperature=-1, substance=-1)
_ORDER = {"boolean": 0, "integer": 1, "float": 2}

Array: TypeAlias = NDArray[np.float64]


class Typed(NamedTuple):
    """What is known of a value before it has one: its dimension and its type.

    Parameters
    ----------
    dimension : Dimension
        Its physical dimension.
    kind : str
        ``'float'``, ``'integer'`` or ``'boolean'``.
    """

    dimension: Dimension
    kind: str = "float"


class ArgumentMismatch(DimensionMismatchError):
    """An argument that a function cannot take.

    Parameters
    ----------
    message : str
        What is wrong and what was expected.
    index : int or None
        Which argument, from 0; None if their number is wrong.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        self.message, self.index = message, index
        super().__init__(message)


class Constant(NamedTuple):
    """A constant that is known in all equations.

    Parameters
    ----------
    value : float
        In SI base units.
    dimension : Dimension
        Its physical dimension.
    """

    value: float
    dimension: Dimension


FARADAY, GAS = float(faraday_constant.value), float(gas_constant.value)  # coulomb/mole, joule/kelvin/mole
CONSTANTS: Mapping[str, Constant] = MappingProxyType({
    "pi": Constant(math.pi, DIMENSIONLESS),
    "e": Constant(math.e, DIMENSIONLESS),
    "inf": Constant(math.inf, DIMENSIONLESS),
    "faraday_constant": Constant(FARADAY, _FARADAY),
    "gas_constant": Constant(GAS, _GAS),
    "zero_celsius": Constant(float(zero_celsius.value), _KELVIN),
})  # fmt: skip
"""Constants that are known in all equations."""


def describe(dimension: Dimension) -> str:
    """A dimension in words.

    Parameters
    ----------
    dimension : Dimension
        Any.

    Returns
    -------
    str
        Such as ``volt``, ``siemens/metre**2`` or ``a plain number``.
    """
    return "a plain number" if dimension is DIMENSIONLESS else str(dimension)


# --- rules for dimensions ---


_Rule: TypeAlias = Callable[[str, tuple[Dimension, ...]], Dimension]


def _plain(function: str, given: tuple[Dimension, ...]) -> Dimension:
    for index, dimension in enumerate(given):
        if dimension is not DIMENSIONLESS:
            raise ArgumentMismatch(
                f"{function}() takes a number without a unit, not one in {dimension}; divide by a scale",
                index,
            )
    return DIMENSIONLESS


def _keep(function: str, given: tuple[Dimension, ...]) -> Dimension:
    return given[0]


def _drop(function: str, given: tuple[Dimension, ...]) -> Dimension:
    return DIMENSIONLESS


def _root(function: str, given: tuple[Dimension, ...]) -> Dimension:
    return given[0] ** 0.5


def _alike(function: str, given: tuple[Dimension, ...]) -> Dimension:
    for index, dimension in enumerate(given):
        if dimension is not given[0]:
            raise ArgumentMismatch(
                f"the arguments of {function}() must have one unit: the first is {describe(given[0])}, "
                f"this one is {describe(dimension)}", index,
            )  # fmt: skip
    return given[0]


def _fixed(*wanted: Dimension | None, result: Dimension) -> _Rule:
    """Arguments of given dimensions; None is any concentration, the same for all."""

    def rule(function: str, given: tuple[Dimension, ...]) -> Dimension:
        for index, (want, have) in enumerate(zip(wanted, given)):
            expected = _MOLAR if want is None else want
            if have is not expected:
                unit = "mM" if expected is _MOLAR else describe(expected)
                message = f"{_NTH[index]} argument of {function}() must be {unit}, not {describe(have)}"
                raise ArgumentMismatch(message, index)
        return result

    return rule


_NTH = ("the first", "the second", "the third", "the fourth", "the fifth")


# --- what the table holds ---


class AbstractFunction(ABC):
    """What equations can call: a name and a rule for dimensions and types."""

    __slots__ = ()

    @abstractmethod
    def result(self, given: Sequence[Typed]) -> Typed:
        """Dimension and type of a call.

        Parameters
        ----------
        given : sequence of Typed
            What the arguments are.

        Returns
        -------
        Typed
            What the result is.

        Raises
        ------
        ArgumentMismatch
            If the arguments do not fit.
        """


@dataclass(frozen=True, eq=False)
class Builtin(AbstractFunction):
    """A function that rall knows.

    Parameters
    ----------
    name : str
        Its name in equations.
    arity : int
        Number of arguments.
    rule : callable
        (name, dimensions of the arguments) to the dimension of the result; raises `ArgumentMismatch`.
    kind : str
        Type of the result: ``'float'``, ``'integer'``, or ``'highest'`` of the arguments' types.
    partials : callable, optional
        Arguments to the partial derivatives by each; None for what is piecewise constant.
    expansion : callable, optional
        Arguments to the tree that the call stands for, for composite functions.
    nonnegative : bool
        Whether the result is never below zero.
    stateful : bool
        Whether each call draws a new value.
    c, numpy : str
        Its spelling in C and for NumPy (in `numpy_namespace`).
    python : callable, optional
        The function on NumPy arrays and numbers without units.
    """

    name: str
    arity: int = 1
    rule: _Rule = _plain
    kind: str = "float"
    partials: Callable[..., tuple[Node, ...]] | None = None
    expansion: Callable[..., Node] | None = None
    nonnegative: bool = False
    stateful: bool = False
    numpy: str = ""
    python: Callable[..., Any] | None = None
    c: str = field(default="", kw_only=True)

    @property
    def spellings(self) -> Mapping[str, str]:
        """Target (``'c'``, ``'numpy'``) to spelling."""
        return {"c": self.c or f"rall_{self.name}", "numpy": self.numpy or f"rall_{self.name}"}

    def result(self, given: Sequence[Typed]) -> Typed:
        """Dimension and type of a call.

        Parameters
        ----------
        given : sequence of Typed
            What the arguments are.

        Returns
        -------
        Typed
            What the result is.

        Raises
        ------
        ArgumentMismatch
            If the arguments do not fit.
        """
        check_arity(self.name, self.arity, len(given))
        if self.name != "int":
            for index, argument in enumerate(given):
                if argument.kind == "boolean":
                    raise ArgumentMismatch(
                        f"{self.name}() takes numbers, not a condition; write int(...)", index
                    )
        dimension = self.rule(self.name, tuple(argument.dimension for argument in given))
        kind = self.kind
        if kind == "highest":
            kind = highest(argument.kind for argument in given)
        return Typed(dimension, kind)


def highest(kinds: Iterable[str]) -> str:
    """The type that holds the values of all of these.

    Parameters
    ----------
    kinds : iterable of str
        ``'boolean'``, ``'integer'`` or ``'float'`` each.

    Returns
    -------
    str
        One of them; ``'float'`` where there is none.
    """
    return max(kinds, key=_ORDER.__getitem__, default="float")


def check_arity(name: str, wanted: int, given: int) -> None:
    """Refuse a wrong number of arguments.

    Parameters
    ----------
    name : str
        The function.
    wanted, given : int
        Numbers of arguments.
    """
    if wanted != given:
        plural = "argument" if wanted == 1 else "arguments"
        raise ArgumentMismatch(f"{name}() takes {wanted or 'no'} {plural}, not {given}")


# --- derivatives ---


def _series(x: Node, *coefficients: float) -> Node:
    """A polynomial in Horner's form, lowest power first."""
    total: Node = number(coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = add(number(coefficient), mul(x, total))
    return total


def _near_zero(x: Node, near: Node, far: Node) -> Node:
    return select(Compare("<", call("abs", x), number(0.1)), near, far)


def _exprel_slope(x: Node) -> tuple[Node, ...]:
    # From log(exprel x) = log(exp(x) - 1) - log(x); the Taylor series where that cancels.
    far = mul(call("exprel", x), div(sub(call("xoexpm1", neg(x)), ONE), x))
    near = _series(x, *((k + 1) / math.factorial(k + 2) for k in range(10)))
    return (_near_zero(x, near, far),)


def _xoexpm1_slope(x: Node) -> tuple[Node, ...]:
    # b = x/(exp(x) - 1) has b' = b (1 - x - b)/x; near 0 the derivative of the Bernoulli numbers' series.
    b = call("xoexpm1", x)
    far = mul(b, div(sub(sub(ONE, x), b), x))
    near = _series(x, -1 / 2, 1 / 6, 0.0, -1 / 180, 0.0, 1 / 5040, 0.0, -1 / 151200, 0.0, 1 / 4790016)
    return (_near_zero(x, near, far),)


def _sqrt_slope(x: Node) -> tuple[Node, ...]:
    return (div(number(0.5), call("sqrt", x)),)


def _clip_slopes(x: Node, low: Node, high: Node) -> tuple[Node, ...]:
    below, above = Compare("<", x, low), Compare(">", x, high)
    inside = select(Logic("or", below, above), ZERO, ONE)
    return inside, select(below, ONE, ZERO), select(above, ONE, ZERO)


def _min_slopes(a: Node, b: Node) -> tuple[Node, ...]:
    first = Compare("<", a, b)
    return select(first, ONE, ZERO), select(first, ZERO, ONE)


def _max_slopes(a: Node, b: Node) -> tuple[Node, ...]:
    return _min_slopes(b, a)


def _one_minus_square(x: Node) -> Node:
    return sub(ONE, mul(x, x))


# --- composite functions ---


def _nernst(z: Node, inside: Node, outside: Node, temperature: Node) -> Node:
    """Nernst's equilibrium potential, R T/(z F) log(outside/inside), in volt."""
    thermal = div(mul(number(GAS / FARADAY), temperature), z)
    return mul(thermal, call("log", div(outside, inside)))


def _ghk(v: Node, z: Node, inside: Node, outside: Node, temperature: Node) -> Node:
    """Current density per permeability, inward positive, in coulomb/metre**3.

    Goldman, J Gen Physiol 27 (1943); Hodgkin & Katz, J Physiol 108 (1949).  With u = z F v/(R T) the outward
    density is z F u (inside - outside exp(-u))/(1 - exp(-u)); written with b(u) = u/(exp(u) - 1), which is
    smooth at 0, that is z F (inside b(-u) - outside b(u)); and with b(-u) = b(u) + u nothing cancels for small u.
    """
    u = div(mul(mul(number(FARADAY / GAS), z), v), temperature)
    inward = sub(mul(sub(outside, inside), call("xoexpm1", u)), mul(inside, u))
    return mul(mul(number(FARADAY), z), inward)


def _timestep(t: Node, dt: Node) -> Node:
    """Number of whole steps in a time; 1e-3 of a step guards against rounding just below a step."""
    return call("int", div(add(t, mul(number(1e-3), dt)), dt))


# --- on NumPy arrays ---

def _np_nernst(z: Any, inside: Any, outside: Any, temperature: Any) -> Any:
    return GAS / FARADAY * temperature / z * np.log(np.asarray(outside) / inside)


def _np_ghk(v: Any, z: Any, inside: Any, outside: Any, temperature: Any) -> Any:
    u = FARADAY / GAS * z * np.asarray(v) / temperature
    return FARADAY * z * ((outside - inside) * special.xoexpm1(u) - inside * u)


def _np_timed(table: Array, t: Any, column: Any) -> Array:
    """As `rall_timed` of ``rall_math.h``."""
    rows, columns, dt = (float(x) for x in table[:3])
    t, column = np.broadcast_arrays(np.asarray(t, float), np.trunc(np.asarray(column, float)))
    with np.errstate(invalid="ignore"):
        row = np.floor(t / dt * (1.0 + 2.0**-49))
        known = (column >= 0.0) & (column < columns) & (t == t)
        place = np.clip(row, 0.0, rows - 1.0) * columns + column
    return np.where(known, table[3 + np.where(known, place, 0.0).astype(np.int64)], np.nan)[()]


def _np_int(x: Any) -> Any:
    """A number also of a condition, which `numpy.trunc` leaves one: sums of those are no counts."""
    return np.trunc(np.asarray(x, float))


def _np_timestep(t: Any, dt: Any) -> Any:
    return np.trunc((np.asarray(t) + 1e-3 * dt) / dt)


# --- the table ---


def _np(name: str, function: Callable[..., Any], **more: Any) -> Builtin:
    return Builtin(name, numpy=f"np.{function.__name__}", python=function, **more)


_TABLE = (
    _np("abs", np.abs, rule=_keep, kind="highest", partials=lambda x: (call("sign", x),), nonnegative=True),
    _np("sign", np.sign, rule=_drop, kind="highest"),
    _np("ceil", np.ceil, kind="integer"),
    _np("floor", np.floor, kind="integer"),
    Builtin("int", kind="integer", python=_np_int, c="rall_trunc"),
    _np("clip", np.clip, arity=3, rule=_alike, kind="highest", partials=_clip_slopes),
    _np("min", np.minimum, arity=2, rule=_alike, kind="highest", partials=_min_slopes),
    _np("max", np.maximum, arity=2, rule=_alike, kind="highest", partials=_max_slopes),
    _np("exp", np.exp, partials=lambda x: (call("exp", x),), nonnegative=True),
    _np("expm1", np.expm1, partials=lambda x: (call("exp", x),)),
    _np("log", np.log, partials=lambda x: (div(ONE, x),)),
    _np("log1p", np.log1p, partials=lambda x: (div(ONE, add(ONE, x)),)),
    _np("log10", np.log10, partials=lambda x: (div(number(1 / math.log(10)), x),)),
    _np("sqrt", np.sqrt, rule=_root, partials=_sqrt_slope, nonnegative=True),
    _np("sin", np.sin, partials=lambda x: (call("cos", x),)),
    _np("cos", np.cos, partials=lambda x: (neg(call("sin", x)),)),
    _np("tan", np.tan, partials=lambda x: (add(ONE, power(call("tan", x), TWO)),)),
    _np("sinh", np.sinh, partials=lambda x: (call("cosh", x),)),
    _np("cosh", np.cosh, partials=lambda x: (call("sinh", x),), nonnegative=True),
    _np("tanh", np.tanh, partials=lambda x: (_one_minus_square(call("tanh", x)),)),
    _np("arcsin", np.arcsin, partials=lambda x: (div(ONE, call("sqrt", _one_minus_square(x))),)),
    _np("arccos", np.arccos, nonnegative=True,
        partials=lambda x: (neg(div(ONE, call("sqrt", _one_minus_square(x)))),)),
    _np("arctan", np.arctan, partials=lambda x: (div(ONE, add(ONE, mul(x, x))),)),
    Builtin("exprel", partials=_exprel_slope, nonnegative=True, python=special.exprel),
    Builtin("xoexpm1", partials=_xoexpm1_slope, nonnegative=True, python=special.xoexpm1),
    Builtin("xoexpm1_shared", arity=2, nonnegative=True, python=special.xoexpm1_shared),
    Builtin("rand", arity=0, nonnegative=True, stateful=True, c="rall_draw_rand", numpy="draws.rand"),
    Builtin("randn", arity=0, stateful=True, c="rall_draw_randn", numpy="draws.randn"),
    Builtin("poisson", arity=1, kind="integer", nonnegative=True, stateful=True,
            c="rall_draw_poisson", numpy="draws.poisson"),
    # What a call of a BinomialFunction becomes: a whole number by a table of probabilities, or a normal one.
    Builtin("_among", arity=1, stateful=True, c="rall_draw_among", numpy="draws.among"),
    Builtin("_normal", arity=2, stateful=True, c="rall_draw_normal", numpy="draws.normal"),
    Builtin("timestep", arity=2, rule=_fixed(_SECOND, _SECOND, result=DIMENSIONLESS), kind="integer",
            expansion=_timestep, python=_np_timestep),
    # What a call of a TimedArray becomes; its table is [rows, columns, dt, values...].
    Builtin("_timed", arity=3, python=_np_timed, c="rall_timed"),
    Builtin("nernst", arity=4, rule=_fixed(DIMENSIONLESS, None, None, _KELVIN, result=_VOLT),
            expansion=_nernst, python=_np_nernst),
    Builtin("ghk", arity=5, rule=_fixed(_VOLT, DIMENSIONLESS, None, None, _KELVIN, result=_FARADAY * _MOLAR),
            expansion=_ghk, python=_np_ghk),
)  # fmt: skip

BUILTIN: Mapping[str, Builtin] = MappingProxyType({entry.name: entry for entry in _TABLE})
"""Functions that are known in all equations, by name."""

PURE.update(entry.name for entry in _TABLE if not entry.stateful)

DERIVATIVES: Mapping[str, Callable[..., tuple[Node, ...]]] = MappingProxyType(
    {entry.name: entry.partials for entry in _TABLE if entry.partials is not None}
)
"""Partial derivatives of a function by its arguments; what is missing is piecewise constant or composite."""

_OPERATORS = {
    "**": {"c": "rall_pow", "numpy": "np.float_power"},
    "//": {"c": "rall_floordiv", "numpy": "np.floor_divide"},
    "%": {"c": "rall_mod", "numpy": "np.mod"},
}


def spelling(name: str, target: str) -> str:
    """How a target writes a function, or an operator that is a function there.

    Parameters
    ----------
    name : str
        A name in `BUILTIN`, or ``**``, ``//``, ``%``.
    target : str
        ``'c'`` or ``'numpy'``.

    Returns
    -------
    str
        The name to call.  What is neither in the table nor the user's keeps its own name.
    """
    if name in _OPERATORS:
        return _OPERATORS[name][target]
    known = BUILTIN.get(name)
    if known is not None:
        return known.spellings[target]
    return name.spelling(target) if isinstance(name, Called) else name


def is_stateful(name: str) -> bool:
    """Whether each call of the function gives a new value, as `rand` does."""
    known = BUILTIN.get(name)
    return name.stateful if known is None and isinstance(name, Called) else known is not None and known.stateful


def place_of(name: str) -> tuple[str, ...]:
    """The names that calls of a function need besides their arguments.

    Parameters
    ----------
    name : str
        Of the function.

    Returns
    -------
    tuple of str
        Where a random draw is made, or the number of the element; mostly nothing.
    """
    known = BUILTIN.get(name)
    if known is not None and known.stateful:
        return ("_seed", "_stream", "_step", "_element")
    return ("_element",) if isinstance(name, Called) and name.vectorised else ()


def numpy_namespace() -> dict[str, object]:
    """The names that `spelling` uses for NumPy, apart from the random functions, which belong to a device.

    Returns
    -------
    dict of str to object
        ``np`` and rall's own functions on arrays.
    """
    names: dict[str, object] = {"np": np}
    for entry in _TABLE:
        if entry.python is not None and not entry.numpy:
            names[f"rall_{entry.name}"] = entry.python
    return names


def expand(node: Node, memo: dict[Node, Node] | None = None) -> Node:
    """The tree with composite functions (`nernst`, `ghk`, `timestep`) written out.

    Parameters
    ----------
    node : Node
        Values in SI base units.
    memo : dict, optional
        What is known from earlier calls; filled.

    Returns
    -------
    Node
        The same value, in functions that have a spelling and a derivative.
    """
    return map_bottom_up(node, _expand_one, memo)


def _expand_one(node: Node) -> Node:
    if isinstance(node, Call):
        known = BUILTIN.get(node.op)
        if known is not None and known.expansion is not None and len(node.children) == known.arity:
            return known.expansion(*node.children)
    return node
