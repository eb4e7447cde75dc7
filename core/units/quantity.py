"""Numbers and arrays with a dimension.

A `Quantity` holds a value in SI base units (a Python float, or an ndarray) and a `Dimension`.  It is not an
ndarray: arithmetic on scalars costs a fraction of a microsecond, and NumPy's functions reach it through
``__array_ufunc__`` and ``__array_function__``.  A result without dimension is a plain float or ndarray.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeAlias

import numpy as np

from rall.errors import DimensionMismatchError
from rall.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension
from rall.units.dispatch import FUNCTIONS, UFUNCS, find_rule
from rall.units.display import best_spelling, brief, exact, latex, magnitude_of, mismatch, number_with_unit, show
from rall.units.plain import fits_all, power_of, quotient, scalar

__all__ = ["Quantity", "check_same", "dimension_of", "split", "value_of", "with_dimension"]

_new, _ndarray, _float64 = object.__new__, np.ndarray, np.float64
_NUMBERS = (int, float, complex, np.number, np.bool_)
_ARRAYS = (np.ndarray, list, tuple)
_Operator: TypeAlias = "Callable[[Quantity, Any], Any]"


def with_dimension(value: Any, dim: Dimension) -> Any:
    """A value in SI base units as a quantity, or as it is if it has no dimension.

    Parameters
    ----------
    value : float or ndarray
        In SI base units; kept, not copied.
    dim : Dimension
        Its dimension.

    Returns
    -------
    Quantity, float or ndarray
    """
    if dim is DIMENSIONLESS:
        return value
    made = _new(Quantity)
    made.value = value
    made.dim = dim
    return made


def split(x: Any) -> tuple[Any, Dimension]:
    """Take a value apart.

    Parameters
    ----------
    x : Quantity, number, ndarray, Dimension or (nested) list of quantities or numbers
        An object with a method ``__quantity__()`` is asked for its quantity.

    Returns
    -------
    tuple of (float or ndarray, Dimension)
        Value in SI base units, and dimension.

    Raises
    ------
    DimensionMismatchError
        If the members of a list have different dimensions.
    TypeError
        If this is no number.
    """
    if isinstance(x, Quantity):
        return x.value, x.dim
    if type(x) is np.ndarray and x.dtype.kind in "fiubc":
        return x, DIMENSIONLESS
    if isinstance(x, _NUMBERS):
        return (x.item() if isinstance(x, np.generic) else x), DIMENSIONLESS
    if isinstance(x, (list, tuple)):
        return _split_list(x)
    ask = getattr(type(x), "__quantity__", None)
    if ask is not None:
        return split(ask(x))
    array = np.asarray(x)
    if array.dtype == object and array.ndim:
        return _split_list(array.tolist())
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{x!r} is no number and no array of numbers")
    return array, DIMENSIONLESS


def value_of(x: Any) -> Any:
    """The value in SI base units, without the dimension.

    Parameters
    ----------
    x : Quantity, number, ndarray or list
        Plain numbers and arrays pass through.

    Returns
    -------
    float or ndarray
    """
    return x.value if isinstance(x, Quantity) else split(x)[0]


def dimension_of(x: Any) -> Dimension:
    """The dimension of anything.

    Parameters
    ----------
    x : Quantity, Dimension, number, ndarray or list
        What to ask.

    Returns
    -------
    Dimension
        `DIMENSIONLESS` for plain numbers.
    """
    return x.dim if isinstance(x, (Quantity, Dimension)) else split(x)[1]


def check_same(a: Any, b: Any, message: str) -> tuple[Any, Any, Dimension]:
    """Values of two operands that must have the same dimension.

    A plain operand that is 0, infinite or not a number goes with every dimension.

    Parameters
    ----------
    a, b : Quantity, number, ndarray or list
        The operands.
    message : str
        What was attempted, for the error: ``'Cannot add'``.

    Returns
    -------
    tuple of (float or ndarray, float or ndarray, Dimension)
        Both values in SI base units and their common dimension.

    Raises
    ------
    DimensionMismatchError
        If the dimensions differ; names both values and both dimensions.
    """
    x, left = split(a)
    y, right = split(b)
    if left is right or (right is DIMENSIONLESS and fits_all(y)):
        return x, y, left
    if left is DIMENSIONLESS and fits_all(x):
        return x, y, right
    raise DimensionMismatchError(f"{message}: {mismatch(x, left, y, right)}")


def _same_rule(
    operation: Callable[[Any, Any], Any], words: str, gives: str = "dim", swap: bool = False
) -> _Operator:
    """An operator whose operands have the same dimension.  `gives`: ``'dim'`` (theirs) or ``'plain'``."""
    plain = gives == "plain"

    def apply(self: Quantity, other: Any) -> Any:
        if isinstance(other, Quantity) and other.dim is self.dim:
            x, y, dim = self.value, other.value, self.dim
        elif (other.__class__ is float or other.__class__ is int) and (other == 0 or fits_all(other)):
            x, y, dim = self.value, other, self.dim
        elif isinstance(other, _OPERANDS):
            x, y, dim = check_same(self, other, words)
        else:
            return NotImplemented
        try:
            result = operation(y, x) if swap else operation(x, y)
        except ZeroDivisionError:
            result = operation(*map(np.float64, (y, x) if swap else (x, y)))
        if plain or dim is DIMENSIONLESS:
            return result
        made = _new(Quantity)
        made.value = result
        made.dim = dim
        return made

    return apply


def _product(operation: Callable[[Any, Any], Any], swap: bool = False) -> _Operator:
    """Multiplication (of scalars, arrays or matrices): dimensions multiply."""

    def apply(self: Quantity, other: Any) -> Any:
        kind = other.__class__
        if kind is float or kind is int or (kind is _ndarray and other.dtype.kind == "f"):
            made = _new(Quantity)
            made.value = operation(other, self.value) if swap else operation(self.value, other)
            made.dim = self.dim
            return made if made.dim is not DIMENSIONLESS else made.value
        if kind is _float64:
            y, dim = float(other), self.dim
        elif isinstance(other, Quantity):
            y, dim = other.value, self.dim * other.dim
        elif isinstance(other, _OPERANDS):
            y, dim = split(other)
            dim = self.dim * dim
        else:
            return NotImplemented
        result = operation(y, self.value) if swap else operation(self.value, y)
        return with_dimension(result, dim)

    return apply


def _divide(self: Quantity, other: Any) -> Any:
    if isinstance(other, Quantity):
        y, dim = other.value, self.dim / other.dim
    elif isinstance(other, _OPERANDS):
        y, dim = split(other)
        dim = self.dim / dim
    else:
        return NotImplemented
    return with_dimension(quotient(self.value, y), dim)


def _divide_into(self: Quantity, other: Any) -> Any:
    if not isinstance(other, _OPERANDS):
        return NotImplemented
    y, dim = split(other)
    return with_dimension(quotient(y, self.value), dim / self.dim)


def _raise(self: Quantity, power: Any) -> Any:
    if power.__class__ is int or power.__class__ is float:
        return with_dimension(power_of(self.value, power), self.dim**power)
    if not isinstance(power, _OPERANDS):
        return NotImplemented
    p, dim = split(power)
    if dim is not DIMENSIONLESS:
        raise DimensionMismatchError(f"Cannot raise {self} to the power {power}: it has the dimension {dim}")
    if self.dim is not DIMENSIONLESS and np.ndim(p):
        raise TypeError(
            f"Cannot raise {self} to an array of powers: each element would have its own dimension"
        )
    return with_dimension(power_of(self.value, p), self.dim ** float(p) if np.ndim(p) == 0 else self.dim)


def _raise_by(self: Quantity, base: Any) -> Any:
    if not isinstance(base, _OPERANDS):
        return NotImplemented
    if self.dim is not DIMENSIONLESS:
        raise DimensionMismatchError(
            f"Cannot raise {base} to the power {self}: it has the dimension {self.dim}"
        )
    return base**self.value


def _in_place(operation: Callable[[Any, Any], Any]) -> _Operator:
    """An array is changed in place, unless its dimension changes. Scalars are values, as floats are."""

    def apply(self: Quantity, other: Any) -> Any:
        result = operation(self, other)
        if not isinstance(self.value, np.ndarray) or dimension_of(result) is not self.dim:
            return result
        # Setting elements, which arrays that belong to something take note of.
        self.value[...] = value_of(result).astype(self.value.dtype, casting="same_kind", copy=False)
        return self

    return apply


def _unary(operation: Callable[[Any], Any]) -> Callable[[Quantity], Any]:
    def apply(self: Quantity) -> Any:
        return with_dimension(operation(self.value), self.dim)

    return apply


def _divmod(self: Quantity, other: Any) -> Any:
    return self // other, self % other


def _round(self: Quantity, digits: int = 0) -> Any:
    return with_dimension(np.round(self.value, digits), self.dim)


def _converted(kind: type) -> Callable[[Quantity], Any]:
    def convert(self: Quantity) -> Any:
        return kind(self.value)

    return convert


def _attribute(name: str, keeps: bool = False) -> property:
    """An attribute of the value seen as an ndarray; `keeps`: it has the quantity's dimension."""

    def get(self: Quantity) -> Any:
        value = getattr(np.asarray(self.value), name)
        return with_dimension(value, self.dim) if keeps else value

    return property(get, doc=f"As `numpy.ndarray.{name}`{', with the dimension' if keeps else ''}.")


def _method(func: Callable[..., Any]) -> Callable[..., Any]:
    """The NumPy function of the same name as a method; dimensions follow the function's rule."""

    def method(self: Quantity, *args: Any, **keywords: Any) -> Any:
        return FUNCTIONS[func]((self, *args), keywords)

    method.__name__ = func.__name__
    method.__doc__ = f"As `numpy.{func.__name__}` of this quantity, with the same arguments."
    return method


def _array_method(name: str) -> Callable[..., Any]:
    """A method of ndarray without a function of the same kind."""

    def method(self: Quantity, *args: Any, **keywords: Any) -> Any:
        value = np.asarray(self.value)
        plain = [
            check_same(self, arg, f"Cannot {name}")[1] if isinstance(arg, Quantity) else arg for arg in args
        ]
        result = getattr(value, name)(*plain, **keywords)
        return None if result is None else with_dimension(scalar(result), self.dim)

    method.__name__ = name
    method.__doc__ = f"As `numpy.ndarray.{name}`, with the dimension."
    return method


_equal = _same_rule(operator.eq, "Cannot compare", "plain")
_unequal = _same_rule(operator.ne, "Cannot compare", "plain")


def _fill(self: Quantity, value: Any) -> None:
    """Set all elements to one value of the same dimension."""
    self[...] = value


class Quantity:
    """A number or an array with a dimension.

    Parameters
    ----------
    value : number, array, Quantity or list of quantities
        In SI base units where plain.
    dim : Dimension, optional
        Its dimension; must agree with what `value` brings.
    dtype : numpy dtype, optional
        Type of the elements of an array.
    copy : bool
        Copy an array; otherwise it is shared.

    Raises
    ------
    DimensionMismatchError
        If members of `value` differ in dimension, or do not have `dim`.

    Notes
    -----
    ``str`` is for people (``0.3 mS/cm2``), ``repr`` is an expression that gives the quantity back
    (``0.3*msiemens/cmetre**2``).  `numpy.asarray` and functions that do not look into lists, such as
    ``numpy.mean([1*mV, 2*mV])``, see plain values in SI base units; write ``Quantity([1*mV, 2*mV]).mean()``.

    Examples
    --------
    >>> from rall.units import mV
    >>> print(3*mV + 2*mV)
    5 mV
    """

    __slots__ = ("dim", "value")
    __array_priority__: ClassVar[float] = 1000.0
    value: Any
    dim: Dimension

    def __init__(
        self, value: Any, dim: Dimension | None = None, dtype: Any = None, copy: bool = False
    ) -> None:
        plain, own = split(value)
        if dim is not None:
            dim = dimension_of(dim)
            if own is not DIMENSIONLESS and own is not dim:
                raise DimensionMismatchError(f"{brief(plain, own)} has the dimension {own}, not {dim}")
            own = dim
        if isinstance(plain, _ARRAYS) or dtype is not None:
            plain = np.array(plain, dtype=dtype) if copy else np.asarray(plain, dtype=dtype)
        self.value = scalar(plain)
        self.dim = own

    # --- what it is -------------------------------------------------------------------------------------

    @classmethod
    def with_dimensions(cls, value: Any, *dims: Any, **named: float) -> Quantity:
        """A quantity from a value in SI base units.

        Parameters
        ----------
        value : number or array
            In SI base units.
        *dims : Dimension or sequence of seven floats
            The dimension.
        **named : float
            Instead: exponents by name, as in `get_or_create_dimension`.
        """
        return cls(value, _read_dimension(dims, named))

    dimensions = property(lambda self: self.dim, doc="The dimension (the same as `dim`).")
    is_dimensionless = property(lambda self: self.dim is DIMENSIONLESS, doc="Whether it has no dimension.")

    def has_same_dimensions(self, other: Any) -> bool:
        """Whether another value has the same dimension.

        Parameters
        ----------
        other : Quantity, Dimension or number
            What to compare with.
        """
        return dimension_of(other) is self.dim

    # --- how it is shown --------------------------------------------------------------------------------

    def in_unit(self, unit: Quantity, precision: int | None = None, python_code: bool = False) -> str:
        """The quantity as text in a given unit.

        Parameters
        ----------
        unit : Unit
            Of the same dimension.
        precision : int, optional
            Number of decimals.
        python_code : bool
            As an expression, ``3*mvolt``, instead of ``3 mV``.

        Raises
        ------
        DimensionMismatchError
            If `unit` has another dimension.
        """
        check_same(self, unit, "Cannot show")
        name = repr(unit) if python_code else str(unit)
        return number_with_unit(self.value / unit.value, name, precision, python_code)

    def in_best_unit(self, precision: int | None = None, python_code: bool = False) -> str:
        """The quantity as text in the unit that reads best.

        Parameters
        ----------
        precision : int, optional
            Number of decimals.
        python_code : bool
            As an expression, ``3*mvolt``, instead of ``3 mV``.
        """
        return show(self.value, self.dim, precision, python_code)

    def __str__(self) -> str:
        return show(self.value, self.dim)

    def __format__(self, spec: str) -> str:
        if not spec or isinstance(self.value, np.ndarray):
            return str(self)
        unit = best_spelling(self.dim, magnitude_of(self.value))
        return f"{self.value / unit.value:{spec}} {unit.symbol}".rstrip()

    def __repr__(self) -> str:
        unit = best_spelling(self.dim, magnitude_of(self.value))
        number = exact(self.value, unit.value)
        if not unit.name:
            return f"Quantity({number})"
        return f"{number}{'' if unit.name.startswith('/') else '*'}{unit.name}"

    _repr_html_ = __str__

    def _repr_latex_(self) -> str | None:
        return None if isinstance(self.value, np.ndarray) else latex(self.value, self.dim)

    # --- a scalar or a sequence -------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        value = self.value if isinstance(self.value, np.ndarray) else np.asarray(self.value)
        return with_dimension(scalar(value[_plain_index(index)]), self.dim)

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(self.value, np.ndarray):
            raise TypeError(f"{self} is a scalar: it has no elements to set")
        if not (isinstance(value, Quantity) and value.dim is self.dim):
            value = with_dimension(check_same(self, value, "Cannot set elements")[1], self.dim)
        self.value[_plain_index(index)] = value_of(value)

    def __iter__(self) -> Iterator[Any]:
        dim = self.dim
        if not isinstance(self.value, np.ndarray):
            raise TypeError(f"{self} is a scalar: it cannot be iterated over")
        return (with_dimension(scalar(element), dim) for element in self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __hash__(self) -> int:
        return hash((self.value, self.dim)) if self.dim is not DIMENSIONLESS else hash(self.value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (self.value, self.dim))

    # --- NumPy ------------------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy:
            return np.array(self.value, dtype=dtype)
        return np.asarray(self.value, dtype=dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        operators = _OPERATORS.get(ufunc)
        if operators is not None and method == "__call__" and not keywords:
            x, y = inputs
            return operators[0](x, y) if isinstance(x, Quantity) else operators[1](y, x)
        rule = UFUNCS.get(ufunc)
        return NotImplemented if rule is None else rule(ufunc, method, inputs, keywords)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        rule = find_rule(func)
        if rule is None:
            raise TypeError(
                f"numpy.{func.__name__} has no rule for quantities; "
                "divide by a unit first: x/mV is a plain array"
            )
        return rule(args, kwargs)

    # --- arithmetic -------------------------------------------------------------------------------------

    __add__ = _same_rule(operator.add, "Cannot add")
    __radd__ = _same_rule(operator.add, "Cannot add", swap=True)
    __sub__ = _same_rule(operator.sub, "Cannot subtract")
    __rsub__ = _same_rule(operator.sub, "Cannot subtract", swap=True)
    __mul__ = _product(operator.mul)
    __rmul__ = _product(operator.mul, swap=True)
    __matmul__ = _product(operator.matmul)
    __rmatmul__ = _product(operator.matmul, swap=True)
    __truediv__ = _divide
    __rtruediv__ = _divide_into
    __pow__ = _raise
    __rpow__ = _raise_by
    __mod__ = _same_rule(operator.mod, "Cannot take the remainder")
    __rmod__ = _same_rule(operator.mod, "Cannot take the remainder", swap=True)
    __floordiv__ = _same_rule(operator.floordiv, "Cannot divide to a whole number", "plain")
    __rfloordiv__ = _same_rule(operator.floordiv, "Cannot divide to a whole number", "plain", swap=True)
    __divmod__ = _divmod
    __iadd__ = _in_place(operator.add)
    __isub__ = _in_place(operator.sub)
    __imul__ = _in_place(operator.mul)
    __itruediv__ = _in_place(operator.truediv)
    __ipow__ = _in_place(operator.pow)
    __neg__ = _unary(operator.neg)
    __pos__ = _unary(operator.pos)
    __abs__ = _unary(abs)
    __round__ = _round
    __bool__ = _converted(bool)
    __float__ = _converted(float)
    __int__ = _converted(int)
    __complex__ = _converted(complex)
    __lt__ = _same_rule(operator.lt, "Cannot compare", "plain")
    __le__ = _same_rule(operator.le, "Cannot compare", "plain")
    __gt__ = _same_rule(operator.gt, "Cannot compare", "plain")
    __ge__ = _same_rule(operator.ge, "Cannot compare", "plain")
    __eq__ = _equal
    __ne__ = _unequal

    # --- as an ndarray ----------------------------------------------------------------------------------

    shape = _attribute("shape")
    ndim = _attribute("ndim")
    size = _attribute("size")
    dtype = _attribute("dtype")
    nbytes = _attribute("nbytes")
    itemsize = _attribute("itemsize")
    flags = _attribute("flags")
    T = _attribute("T", keeps=True)
    real = _attribute("real", keeps=True)
    imag = _attribute("imag", keeps=True)

    mean = _method(np.mean)
    sum = _method(np.sum)
    std = _method(np.std)
    var = _method(np.var)
    min = _method(np.min)
    max = _method(np.max)
    ptp = _method(np.ptp)
    prod = _method(np.prod)
    cumsum = _method(np.cumsum)
    cumprod = _method(np.cumprod)
    clip = _method(np.clip)
    dot = _method(np.dot)
    round = _method(np.round)
    argmin = _method(np.argmin)
    argmax = _method(np.argmax)
    argsort = _method(np.argsort)
    searchsorted = _method(np.searchsorted)
    nonzero = _method(np.nonzero)
    any = _method(np.any)
    all = _method(np.all)
    ravel = _method(np.ravel)
    reshape = _array_method("reshape")
    transpose = _array_method("transpose")
    squeeze = _method(np.squeeze)
    swapaxes = _method(np.swapaxes)
    repeat = _method(np.repeat)
    take = _method(np.take)
    diagonal = _method(np.diagonal)
    trace = _method(np.trace)
    flatten = _array_method("flatten")
    astype = _array_method("astype")
    item = _array_method("item")
    sort = _array_method("sort")
    fill = _fill

    def copy(self) -> Quantity:
        """A quantity with its own copy of the values."""
        value = self.value
        made = _new(Quantity)
        made.value, made.dim = value.copy() if isinstance(value, np.ndarray) else value, self.dim
        return made

    __copy__ = copy

    def tolist(self) -> Any:
        """A (nested) list of scalar quantities."""
        return self[()] if np.ndim(self.value) == 0 else [x.tolist() if np.ndim(x) else x for x in self]


_OPERANDS = (Quantity, *_ARRAYS, *_NUMBERS)

# array*quantity comes to the quantity as a call of numpy.multiply: the operators are the quickest answer.
_OPERATORS: dict[np.ufunc, tuple[_Operator, _Operator]] = {
    np.add: (Quantity.__add__, Quantity.__radd__),
    np.subtract: (Quantity.__sub__, Quantity.__rsub__),
    np.multiply: (Quantity.__mul__, Quantity.__rmul__),
    np.divide: (Quantity.__truediv__, Quantity.__rtruediv__),
    np.less: (Quantity.__lt__, Quantity.__gt__),
    np.less_equal: (Quantity.__le__, Quantity.__ge__),
    np.greater: (Quantity.__gt__, Quantity.__lt__),
    np.greater_equal: (Quantity.__ge__, Quantity.__le__),
    np.equal: (_equal, _equal),
    np.not_equal: (_unequal, _unequal),
}


def _restore(value: Any, dim: Dimension) -> Quantity:
    """Rebuild a pickled quantity."""
    made = _new(Quantity)
    made.value, made.dim = value, dim
    return made


def _plain_index(index: Any) -> Any:
    return value_of(index) if isinstance(index, Quantity) else index


def _split_list(items: Any) -> tuple[Any, Dimension]:
    if all(isinstance(item, _NUMBERS) for item in items):
        return np.asarray(items), DIMENSIONLESS
    parts = [split(item) for item in items]
    value, dim = parts[0]
    for other, its in parts[1:]:
        if its is not dim and dim is DIMENSIONLESS and fits_all(value):
            value, dim = other, its
        elif its is not dim and not (its is DIMENSIONLESS and fits_all(other)):
            raise DimensionMismatchError(
                f"Members of a list must have one dimension: {brief(value, dim)} has {dim}, "
                f"{brief(other, its)} has {its}"
            )
    return np.asarray([part for part, _ in parts]), dim


def _read_dimension(dims: tuple[Any, ...], named: dict[str, float]) -> Dimension:
    if named or not dims:
        return get_or_create_dimension(**named)
    if len(dims) == 1:
        return dims[0].dim if isinstance(dims[0], (Dimension, Quantity)) else get_or_create_dimension(dims[0])
    return get_or_create_dimension(dims)
