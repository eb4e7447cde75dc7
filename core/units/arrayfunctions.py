"""What NumPy's other functions do with dimensions: one table entry each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rall.units.dimension import DIMENSIONLESS, Dimension
from rall.units.dispatch import FUNCTIONS, MODULES, FunctionRule
from rall.units.quantity import Quantity, check_same, dimension_of, split, with_dimension

__all__ = ["register"]

# The first argument brings the dimension, and the result (or the first of several) has it.
_KEEP = """
mean average sum std median percentile quantile nanmean nansum nanstd nanmedian nanpercentile nanquantile
min max amin amax nanmin nanmax ptp sort partition cumsum nancumsum ravel reshape transpose squeeze diff
ediff1d repeat tile roll flip fliplr flipud rot90 take take_along_axis diagonal trace expand_dims moveaxis
rollaxis swapaxes broadcast_to copy real imag round around tril triu diag
diagflat unique empty_like delete compress extract resize array_split split hsplit
vsplit dsplit real_if_close trim_zeros pad nan_to_num linalg.norm unwrap apply_along_axis matrix_transpose
cumulative_sum
"""
# All operands have one dimension, and so has the result: number of operands, 0 for one sequence of them.
_COMMON = {
    "concatenate": 0, "vstack": 0, "hstack": 0, "dstack": 0, "stack": 0, "column_stack": 0, "row_stack": 0,
    "block": 0, "append": 2, "linspace": 2, "geomspace": 2, "full_like": 2, "union1d": 2,
    "intersect1d": 2, "setdiff1d": 2, "fill_diagonal": 2,
}  # fmt: skip
# All operands have one dimension, the result is plain.
_COMPARED = {
    "isclose": 2, "allclose": 2, "array_equal": 2, "array_equiv": 2, "searchsorted": 2, "digitize": 2,
    "isin": 2,
}  # fmt: skip
# The result is plain whatever the dimension of the first argument.
_PLAIN = """
 argmax argmin argsort nanargmax nanargmin argpartition argwhere nonzero flatnonzero count_nonzero any all
shape size ndim iscomplexobj isrealobj isreal iscomplex corrcoef result_type may_share_memory shares_memory
lexsort isposinf isneginf angle common_type min_scalar_type zeros_like ones_like
"""
# Dimensions of the first two arguments multiply.
_PRODUCTS = "dot inner outer cross vdot convolve correlate tensordot kron linalg.outer linalg.cross linalg.tensordot"


def register() -> None:
    """Fill the table of functions."""
    for name in _KEEP.split():
        _enter(name, _keeping)
    MODULES["numpy.fft"] = _keeping
    for name, count in _COMMON.items():
        _enter(name, partial(_sharing, count=count, keeps=True))
    for name, count in _COMPARED.items():
        _enter(name, partial(_sharing, count=count, keeps=False))
    for name in _PLAIN.split():
        _enter(name, _plain_result)
    for name in _PRODUCTS.split():
        _enter(name, _multiplying)
    for name, rule in {
        "var": _squaring(np.var),
        "nanvar": _squaring(np.nanvar),
        "cov": _squaring(np.cov),
        "prod": _prod,
        "cumprod": _cumprod,
        "where": _where,
        "interp": _interp,
        "histogram": _histogram,
        "histogram2d": _histogram2d,
        "histogram_bin_edges": _bin_edges,
        "clip": _clip,
        "bincount": _bincount,
        "meshgrid": _each(np.meshgrid),
        "broadcast_arrays": _each(np.broadcast_arrays),
        "atleast_1d": _each(np.atleast_1d),
        "atleast_2d": _each(np.atleast_2d),
        "atleast_3d": _each(np.atleast_3d),
        "insert": _insert,
        "copyto": _copyto,
        "einsum": _einsum,
        "gradient": _gradient,
        "select": _select,
        "array2string": _array2string,
        "array_repr": _array2string,
        "array_str": _array2string,
    }.items():
        FUNCTIONS[_find(name)] = rule
    _enter("trapezoid", _integrating)
    _enter("trapz", _integrating)  # its name before NumPy 2


def _find(name: str) -> Any:
    """The function, or None if this NumPy has none; without its module's hooks, which warn of old names."""
    found: Any = np
    for part in name.split("."):
        found = vars(found).get(part)
    return found


def _enter(name: str, make: Callable[[Callable[..., Any]], FunctionRule]) -> None:
    func = _find(name)
    if func is not None:  # some functions exist only in newer or older versions of NumPy
        FUNCTIONS[func] = make(func)


def _wrap(result: Any, dim: Dimension) -> Any:
    """Give the dimension to a result, to each member of a list, or to the first of a tuple."""
    if isinstance(result, np.ndarray):
        return with_dimension(result, dim)
    if isinstance(result, list):
        return [with_dimension(one, dim) for one in result]
    if isinstance(result, tuple):
        return (with_dimension(result[0], dim), *result[1:])
    return with_dimension(result.item() if isinstance(result, np.generic) else result, dim)


def _strip(
    args: tuple[Any, ...], keywords: dict[str, Any], like: Any, what: str
) -> tuple[list[Any], dict[str, Any]]:
    """Plain values of further arguments, each quantity of the same dimension as `like`."""
    message = f"Cannot use numpy.{what}"

    def one(x: Any) -> Any:
        return check_same(like, x, message)[1] if isinstance(x, Quantity) else x

    return [one(x) for x in args], {key: one(x) for key, x in keywords.items()}


def _positional(args: tuple[Any, ...], keywords: dict[str, Any], count: int) -> tuple[Any, ...]:
    """Put the first `count` arguments into place if they came by name."""
    for key in _DATA_NAMES:
        if len(args) < count and key in keywords:
            args += (keywords.pop(key),)
    return args


# Names of leading arguments, in the order in which functions take them.
_DATA_NAMES = tuple("a x arr m ary p array start stop b bins v values fill_value ar1 ar2 x1 x2".split())


def _keeping(func: Callable[..., Any]) -> FunctionRule:
    def rule(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if len(args) == 1 and not keywords and isinstance(args[0], Quantity):
            return _wrap(func(args[0].value), args[0].dim)
        out = keywords.pop("out", None)
        first, *rest = _positional(args, keywords, 1)
        value, dim = split(first)
        rest, keywords = _strip(tuple(rest), keywords, first, func.__name__)
        return _deliver(_wrap(func(value, *rest, **keywords), dim), out)

    return rule


def _sharing(func: Callable[..., Any], count: int, keeps: bool) -> FunctionRule:
    message = f"Cannot use numpy.{func.__name__}"

    def rule(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        out = keywords.pop("out", None)
        args = _positional(args, keywords, max(count, 1))
        operands = list(args[0]) if count == 0 else list(args[:count])
        like = next((x for x in operands if dimension_of(x) is not DIMENSIONLESS), 0.0)
        plain = [x if x is None else check_same(like, x, message)[1] for x in operands]
        first, dim = [plain] if count == 0 else plain, dimension_of(like)
        rest, keywords = _strip(args[max(count, 1) :], keywords, like, func.__name__)
        result = func(*first, *rest, **keywords)
        return _deliver(_wrap(result, dim), out) if keeps and result is not None else result

    return rule


def _deliver(result: Any, out: Any) -> Any:
    """Put a result where the caller wants it."""
    if out is None:
        return result
    out[...] = result
    return out


def _plain_result(func: Callable[..., Any]) -> FunctionRule:
    def rule(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return func(*(_bare(x) for x in args), **{key: _bare(x) for key, x in keywords.items()})

    return rule


def _bare(x: Any) -> Any:
    return x.value if isinstance(x, Quantity) else x


def _multiplying(func: Callable[..., Any]) -> FunctionRule:
    def rule(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        (x, left), (y, right) = split(args[0]), split(args[1])
        return _wrap(func(x, y, *args[2:], **keywords), left * right)

    return rule


def _squaring(func: Callable[..., Any]) -> FunctionRule:
    def rule(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        value, dim = split(args[0])
        rest, keywords = _strip(args[1:], keywords, args[0], func.__name__)
        return _wrap(func(value, *rest, **keywords), dim**2)

    return rule


def _each(func: Callable[..., Any]) -> FunctionRule:
    """Every argument has its own dimension, and so has every result."""

    def rule(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        parts = [split(x) for x in args]
        results = func(*(value for value, _ in parts), **keywords)
        if isinstance(results, np.ndarray):
            return with_dimension(results, parts[0][1])
        return type(results)(with_dimension(r, dim) for r, (_, dim) in zip(results, parts))

    return rule


def _prod(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    value, dim = split(args[0])
    result = np.prod(value, *args[1:], **keywords)
    return _wrap(result, dim ** (np.size(value) / max(1, np.size(result))))


def _cumprod(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if split(args[0])[1] is not DIMENSIONLESS:
        raise TypeError("numpy.cumprod of a quantity: each element would have its own dimension")
    return np.cumprod(_bare(args[0]), *args[1:], **keywords)


def _where(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if len(args) == 1:
        return np.where(_bare(args[0]))
    x, y, dim = check_same(args[1], args[2], "Cannot use numpy.where")
    return _wrap(np.where(_bare(args[0]), x, y), dim)


def _interp(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    x, xp, fp, *rest = args
    x, known, _ = check_same(x, xp, "Cannot use numpy.interp")
    value, dim = split(fp)
    rest, keywords = _strip(tuple(rest), {k: v for k, v in keywords.items() if k != "period"}, fp, "interp")
    return _wrap(np.interp(x, known, value, *rest, **keywords), dim)


def _integrating(func: Callable[..., Any]) -> FunctionRule:
    def rule(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        given = dict(zip(("y", "x", "dx", "axis"), args)) | keywords
        y, dim = split(given.pop("y"))
        plain = {}
        for key, value in given.items():
            plain[key], by = split(value) if value is not None else (None, DIMENSIONLESS)
            dim = dim * by
        return _wrap(func(y, **plain), dim)

    return rule


def _bins(args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, dict[str, Any], Dimension]:
    """Plain data and other arguments of a histogram."""
    given = dict(zip(("a", "bins", "range", "density", "weights"), args)) | keywords
    first = given.pop("a")
    value, dim = split(first)
    for key in ("bins", "range"):
        if given.get(key) is not None and np.ndim(given[key]):
            given[key] = check_same(first, given[key], "Cannot use numpy.histogram")[1]
    return value, given, dim


def _weights(given: dict[str, Any]) -> tuple[Any, Dimension]:
    """Take the weights out of the arguments of a histogram."""
    weights = given.pop("weights", None)
    return (None, DIMENSIONLESS) if weights is None else split(weights)


def _histogram(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    value, given, dim = _bins(args, keywords)
    weights, by = _weights(given)
    counts, edges = np.histogram(value, weights=weights, **given)
    return with_dimension(counts, by / dim if given.get("density") else by), with_dimension(edges, dim)


def _histogram2d(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    given = dict(zip(("x", "y", "bins", "range", "density", "weights"), args)) | keywords
    axes = [given.pop("x"), given.pop("y")]
    (x, along), (y, across) = map(split, axes)
    for key in ("bins", "range"):
        sides = given.get(key)
        if isinstance(sides, (Quantity, np.ndarray)):  # the same edges for both axes
            sides = [sides, sides]
        if isinstance(sides, (list, tuple)) and len(sides) == 2:
            given[key] = [_side(axis, side) for axis, side in zip(axes, sides)]
    weights, by = _weights(given)
    counts, left, low = np.histogram2d(x, y, weights=weights, **given)
    by = by / (along * across) if given.get("density") else by
    return with_dimension(counts, by), with_dimension(left, along), with_dimension(low, across)


def _side(axis: Any, side: Any) -> Any:
    """Edges (or limits) along one axis of a histogram; a number is one of bins."""
    return check_same(axis, side, "Cannot use numpy.histogram2d")[1] if np.ndim(side) else side


def _bin_edges(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    value, given, dim = _bins(args, keywords)
    return with_dimension(np.histogram_bin_edges(value, **given), dim)


def _clip(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    given = dict(zip(("a", "a_min", "a_max", "out"), args)) | keywords
    values, out = given.pop("a"), given.pop("out", None)
    low = given.pop("a_min", given.pop("min", None))
    high = given.pop("a_max", given.pop("max", None))
    like = next((x for x in (values, low, high) if dimension_of(x) is not DIMENSIONLESS), values)
    message = "Cannot use numpy.clip"
    plain: list[Any] = [x if x is None else check_same(like, x, message)[1] for x in (values, low, high)]
    return _deliver(_wrap(np.clip(*plain, **given), dimension_of(like)), out)


def _bincount(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    given = dict(zip(("x", "weights", "minlength"), args)) | keywords
    weights, dim = _weights(given)
    return with_dimension(np.bincount(_bare(given.pop("x")), weights=weights, **given), dim)


def _insert(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    value, added, dim = check_same(args[0], args[2], "Cannot use numpy.insert")
    return _wrap(np.insert(value, args[1], added, *args[3:], **keywords), dim)


def _copyto(args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    target, source, _ = check_same(args[0], args[1], "Cannot use numpy.copyto")
    np.copyto(target, source, *args[2:], **keywords)


def _einsum(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    values, dim = [], DIMENSIONLESS
    for x in args[1:]:
        value, by = split(x)
        values.append(value)
        dim = dim * by
    return _wrap(np.einsum(args[0], *values, **keywords), dim)


def _gradient(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    value, dim = split(args[0])
    steps = [split(x) for x in args[1:]]
    by = {d for _, d in steps} or {DIMENSIONLESS}
    if len(by) > 1:
        raise TypeError("numpy.gradient needs the same dimension along all axes")
    result = np.gradient(value, *(x for x, _ in steps), **keywords)
    dim = dim / by.pop()
    return tuple(_wrap(one, dim) for one in result) if isinstance(result, tuple) else _wrap(result, dim)


def _select(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    default = args[2] if len(args) > 2 else keywords.get("default", 0)
    message = "Cannot use numpy.select"
    like = next((x for x in args[1] if dimension_of(x) is not DIMENSIONLESS), 0.0)
    plain = [check_same(like, x, message)[1] for x in args[1]]
    otherwise, dim = check_same(like, default, message)[1:]
    return _wrap(np.select([_bare(c) for c in args[0]], plain, otherwise), dim)


def _array2string(args: tuple[Any, ...], keywords: dict[str, Any]) -> str:
    return str(args[0])
