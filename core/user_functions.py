"""The user's own functions in equations: their units, types, and what they are on each target."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from rall.errors import NotSupportedError
from rall.functions import AbstractFunction, ArgumentMismatch, Typed, check_arity, describe, highest
from rall.units.dimension import DIMENSIONLESS, Dimension
from rall.units.quantity import Quantity, dimension_of, value_of

__all__ = ["Function", "Implementation", "Implementations", "as_function", "declare_types", "implementation"]

UnitRule: TypeAlias = Any  # Unit, 1, bool, the name of an argument, a function of units, or None
_TYPES = ("boolean", "integer", "float", "any", "highest")
#: Cython text is kept under its own name: nothing here can compile it.
_TARGETS = {"cpp": "c", "c++": "c"}


@dataclass(frozen=True, eq=False)
class Implementation:
    """What a function is on one target.

    Parameters
    ----------
    code : str, mapping of str to str, or callable
        Source text for C (or pieces of it), a callable on arrays without units for NumPy.
    namespace : mapping of str to object
        Values that the code uses.
    dependencies : mapping of str to Function
        Functions that the code calls.
    name : str, optional
        What the function is called in the code.
    compiler : mapping of str to object
        Flags, headers and libraries that the code needs.
    """

    code: str | Mapping[str, str] | Callable[..., Any]
    namespace: Mapping[str, object] = field(default_factory=dict)
    dependencies: Mapping[str, Function] = field(default_factory=dict)
    name: str | None = None
    compiler: Mapping[str, object] = field(default_factory=dict)


class Implementations(Mapping[str, Implementation]):
    """The implementations of one function, by target.

    Parameters
    ----------
    function : Function
        Whose they are.
    """

    __slots__ = ("_dynamic", "_function", "_known")

    def __init__(self, function: Function) -> None:
        self._function = function
        self._known: dict[str, Implementation] = {}
        self._dynamic: dict[str, Callable[[object], Implementation]] = {}

    def __getitem__(self, target: str) -> Implementation:
        key = _TARGETS.get(target, target)
        if key not in self._known and key == "numpy":
            self.add_numpy_implementation()
        if key not in self._known:
            raise NotSupportedError(
                f"the function '{self._function.name}' has no implementation for the target {target!r} "
                f"(it has {', '.join(self) or 'none'}); add one with @implementation({target!r}, code)"
            )
        return self._known[key]

    def __contains__(self, target: object) -> bool:
        return _TARGETS.get(str(target), target) in {*self._known, *self._dynamic, "numpy"}

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._known, "numpy")))

    def __len__(self) -> int:
        return len({*self._known, "numpy"})

    def add_implementation(
        self,
        target: str,
        code: str | Callable[..., Any],
        namespace: Mapping[str, object] | None = None,
        dependencies: Mapping[str, Function] | None = None,
        name: str | None = None,
        compiler_kwds: Mapping[str, object] | None = None,
    ) -> None:
        """Set what the function is on a target.

        Parameters
        ----------
        target : str
            ``'numpy'``, ``'c'``, ``'cpp'`` or ``'cython'``.
        code : str or callable
            Source text, or a callable for NumPy.
        namespace : mapping of str to object, optional
            Values that the code uses.
        dependencies : mapping of str to Function, optional
            Functions that the code calls.
        name : str, optional
            What the function is called in the code.
        compiler_kwds : mapping, optional
            Flags, headers and libraries that the code needs.
        """
        self._known[_TARGETS.get(target, target)] = Implementation(
            code, dict(namespace or {}), dict(dependencies or {}), name, dict(compiler_kwds or {})
        )

    def add_numpy_implementation(
        self, wrapped_func: Callable[..., Any] | None = None, discard_units: bool = False
    ) -> None:
        """Set what the function is for NumPy.

        Parameters
        ----------
        wrapped_func : callable, optional
            By default the function itself.
        discard_units : bool
            Whether it takes and gives plain arrays in SI base units instead of quantities.
        """
        function = self._function.pyfunc if wrapped_func is None else wrapped_func
        if discard_units:  # the check of units would refuse plain values
            function = getattr(function, "_orig_func", function)
        self.add_implementation(
            "numpy", function if discard_units else self._function.without_units(function)
        )

    def add_dynamic_implementation(
        self,
        target: str,
        code: Callable[[Any], Any],
        namespace: Mapping[str, object] | Callable[[Any], Mapping[str, object]] | None = None,
        dependencies: Mapping[str, Function] | None = None,
        name: str | None = None,
        compiler_kwds: Mapping[str, object] | None = None,
    ) -> None:
        """Set code that is made when it is known who uses it.

        Parameters
        ----------
        target : str
            As in `add_implementation`.
        code : callable
            Owner (the group) to code.
        namespace : mapping or callable, optional
            Values that the code uses, or owner to these.
        dependencies, name, compiler_kwds
            As in `add_implementation`.
        """

        def make(owner: object) -> Implementation:
            values = namespace(owner) if callable(namespace) else namespace
            return Implementation(
                code(owner), dict(values or {}), dict(dependencies or {}), name, dict(compiler_kwds or {})
            )

        self._dynamic[_TARGETS.get(target, target)] = make

    def for_owner(self, target: str, owner: object) -> Implementation:
        """The implementation on a target for one group.

        Parameters
        ----------
        target : str
            As in `add_implementation`.
        owner : object
            The group whose equations call the function.

        Returns
        -------
        Implementation
            Made for the owner where the function has dynamic code, else the fixed one.
        """
        make = self._dynamic.get(_TARGETS.get(target, target))
        return self[target] if make is None else make(owner)

    def in_c(self, owner: object) -> Implementation | None:
        """The implementation in C or C++ for one group; None if there is none."""
        return self.for_owner("c", owner) if "c" in self else None


class Function(AbstractFunction):
    """A function that equations can call by the name it has in the user's namespace.

    Parameters
    ----------
    pyfunc : callable
        The function in Python.
    sympy_func : object, optional
        Accepted for compatibility, not needed.
    arg_units : sequence, optional
        For each argument a unit, 1, ``bool``, the name of an argument whose unit it shares, or None for any.
    arg_names : sequence of str, optional
        By default those of `pyfunc`.
    return_unit : unit, 1, bool or callable, optional
        Unit of the result, or a function of the arguments' units.
    arg_types : sequence of str, optional
        ``'integer'``, ``'float'``, ``'boolean'`` or ``'any'`` for each argument.
    return_type : str, optional
        ``'integer'``, ``'float'``, ``'boolean'`` or ``'highest'``.
    stateless : bool
        Whether the result depends on the arguments alone.
    auto_vectorise : bool
        Whether a call without arguments gives one value for each element.
    """

    __slots__ = (
        "__weakref__", "arg_names", "arg_types", "arg_units", "auto_vectorise", "implementations", "name", "pyfunc",
        "return_type", "return_unit", "stateless",
    )  # fmt: skip

    def __init__(
        self,
        pyfunc: Callable[..., Any],
        sympy_func: object = None,
        arg_units: Sequence[UnitRule] | None = None,
        arg_names: Sequence[str] | None = None,
        return_unit: UnitRule = None,
        arg_types: Sequence[str] | None = None,
        return_type: str | None = None,
        stateless: bool = True,
        auto_vectorise: bool = False,
    ) -> None:
        self.pyfunc = pyfunc
        self.name = getattr(pyfunc, "__name__", type(pyfunc).__name__)
        units = getattr(pyfunc, "_arg_units", None) if arg_units is None else arg_units
        if units is None:
            raise ArgumentMismatch(
                f"the units of the function '{self.name}' are not known; decorate it with "
                "@check_units(argument=unit, result=unit), 1 for a plain number"
            )
        known = getattr(pyfunc, "_return_unit", 1)
        self.arg_units = tuple(units)
        self.return_unit = known if return_unit is None else return_unit
        names = getattr(pyfunc, "_arg_names", None) if arg_names is None else arg_names
        self.arg_names = tuple(names) if names is not None else _parameter_names(pyfunc, len(self.arg_units))
        types = getattr(pyfunc, "_arg_types", None) if arg_types is None else arg_types
        self.arg_types = _types(types, self.arg_units)
        default = "boolean" if self.return_unit is bool else "float"
        self.return_type = return_type or getattr(pyfunc, "_return_type", None) or default
        self.stateless, self.auto_vectorise = stateless, auto_vectorise
        self.implementations = Implementations(self)

    def __call__(self, *args: Any) -> Any:
        """The function itself, with units."""
        return self.pyfunc(*args)

    def __repr__(self) -> str:
        return f"<Function {self.name}({', '.join(self.arg_names)})>"

    def is_locally_constant(self, dt: object) -> bool:
        """Whether the result stays the same during a time step, the arguments staying what they are."""
        return False

    def result(self, given: Sequence[Typed]) -> Typed:
        """Dimension and type of a call, see `AbstractFunction.result`."""
        check_arity(self.name, len(self.arg_units), len(given))
        for index, (argument, unit, kind) in enumerate(zip(given, self.arg_units, self.arg_types)):
            self._check(index, argument, self._wanted(unit, given), kind)
        if self.return_unit is bool:
            return Typed(DIMENSIONLESS, "boolean")
        kind = self.return_type
        if kind == "highest":
            kind = highest(argument.kind for argument in given)
        return Typed(self._result_dimension(given), kind)

    def _wanted(self, unit: UnitRule, given: Sequence[Typed]) -> Dimension | None:
        if unit is None:
            return None
        if unit is bool:
            return DIMENSIONLESS
        if isinstance(unit, str):
            if unit not in self.arg_names:
                raise ArgumentMismatch(
                    f"{self.name}() shares a unit with its argument '{unit}', which it does not have"
                )
            return given[self.arg_names.index(unit)].dimension
        return dimension_of(unit)

    def _check(self, index: int, argument: Typed, wanted: Dimension | None, kind: str) -> None:
        name = self.arg_names[index]
        if wanted is not None and argument.dimension is not wanted:
            raise ArgumentMismatch(
                f"the argument '{name}' of {self.name}() must be {describe(wanted)}, not "
                f"{describe(argument.dimension)}", index,
            )  # fmt: skip
        if (kind == "boolean" and argument.kind != "boolean") or (
            kind == "integer" and argument.kind == "float"
        ):
            message = f"the argument '{name}' of {self.name}() must be of type {kind}, not {argument.kind}"
            raise ArgumentMismatch(message, index)

    def _result_dimension(self, given: Sequence[Typed]) -> Dimension:
        unit = self.return_unit
        if isinstance(unit, str):
            return given[self.arg_names.index(unit)].dimension
        if callable(unit) and not isinstance(unit, Quantity):
            unit = unit(*(Quantity(1.0, argument.dimension) for argument in given))
        return dimension_of(1 if unit is None else unit)

    def without_units(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function on plain arrays in SI base units.

        Parameters
        ----------
        function : callable
            Takes and gives quantities.

        Returns
        -------
        callable
            Takes and gives floats or arrays.
        """
        units = self.arg_units

        def plain(*values: Any) -> Any:
            given: dict[str, Dimension] = {}
            arguments = []
            for name, value, unit in zip(self.arg_names, values, units):
                shared = given.get(unit, DIMENSIONLESS) if isinstance(unit, str) else None
                dim = shared or (DIMENSIONLESS if unit is None or unit is bool else dimension_of(unit))
                given[name] = dim
                arguments.append(value if dim is DIMENSIONLESS else Quantity(value, dim))
            # What comes on top are the numbers of the elements.
            return np.asarray(value_of(function(*arguments, *values[len(units) :])))[()]

        return plain


def _parameter_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    try:
        names = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some functions written in C have no signature
        names = ()
    return names if len(names) == count else tuple(f"argument {k + 1}" for k in range(count))


def _types(types: Sequence[str] | None, units: tuple[UnitRule, ...]) -> tuple[str, ...]:
    if types is None:
        return tuple("boolean" if unit is bool else "any" for unit in units)
    for kind in types:
        if kind not in _TYPES:
            raise ArgumentMismatch(f"there is no type {kind!r}; known: {', '.join(_TYPES)}")
    return tuple(types)


def as_function(value: object) -> AbstractFunction | None:
    """What equations can call, from what the user's namespace holds.

    Parameters
    ----------
    value : object
        A `Function`, or a function decorated with ``check_units`` or ``implementation``.

    Returns
    -------
    AbstractFunction or None
        None if it is no function with known units.
    """
    if isinstance(value, AbstractFunction):
        return value
    if callable(value) and getattr(value, "_arg_units", None) is not None:
        known = getattr(value, "_rall_function", None)
        if isinstance(known, Function) and known.pyfunc is value:
            return known
        made = Function(value)
        # Kept, so that the same function is the same in every run; methods take no attributes.
        with suppress(AttributeError):
            value._rall_function = made  # type: ignore[attr-defined]
        return made
    return None


def implementation(
    target: str,
    code: str | Callable[..., Any] | None = None,
    namespace: Mapping[str, object] | None = None,
    dependencies: Mapping[str, Function] | None = None,
    discard_units: bool = False,
    **compiler_kwds: object,
) -> Callable[[Callable[..., Any]], Function]:
    """Decorate a function with code for a target; the units come from ``check_units``.

    Parameters
    ----------
    target : str
        ``'numpy'``, ``'c'``, ``'cpp'`` or ``'cython'``.
    code : str or callable, optional
        Source text; for NumPy by default the function itself.
    namespace : mapping of str to object, optional
        Values that the code uses.
    dependencies : mapping of str to Function, optional
        Functions that the code calls.
    discard_units : bool
        For NumPy: whether the function takes plain arrays in SI base units.
    **compiler_kwds : object
        Flags, headers and libraries that the code needs.

    Returns
    -------
    callable
        The decorator; gives a `Function`.
    """

    def decorate(function: Callable[..., Any]) -> Function:
        made = function if isinstance(function, Function) else Function(function)
        if target == "numpy":
            made.implementations.add_numpy_implementation(code if callable(code) else None, discard_units)
        elif code is None:
            raise ArgumentMismatch(f"the code of '{made.name}' for the target {target!r} is missing")
        else:
            made.implementations.add_implementation(
                target, code, namespace, dependencies, None, compiler_kwds
            )
        return made

    return decorate


def declare_types(**types: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function with the types of its arguments and its result.

    Parameters
    ----------
    **types : str
        For each argument ``'integer'``, ``'float'``, ``'boolean'``, ``'any'``; ``result`` also ``'highest'``.

    Returns
    -------
    callable
        The decorator.
    """
    for name, kind in types.items():
        if kind not in _TYPES or (kind == "highest") > (name == "result"):
            raise ArgumentMismatch(f"'{name}' cannot be of type {kind!r}; known: {', '.join(_TYPES[:4])}")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = getattr(function, "_arg_names", None) or tuple(inspect.signature(function).parameters)
        unknown = sorted(types.keys() - {*names, "result"})
        if unknown:
            raise ArgumentMismatch(f"the function has no argument '{unknown[0]}'; it has {', '.join(names)}")
        function._arg_types = [types.get(name, "any") for name in names]  # type: ignore[attr-defined]
        function._return_type = types.get("result", "float")  # type: ignore[attr-defined]
        return function

    return decorate
