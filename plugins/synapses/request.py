"""The arguments of `connect`, checked and parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rall.errors import RallError
from rall.plugins.synapses.generator import (
    Expression,
    Generator,
    Index,
    parse_condition,
    parse_generator,
    parse_number,
)
from rall.units import DIMENSIONLESS, Quantity, dimension_of

__all__ = ["Request", "parse_request"]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """The arguments of one call of `connect`, parsed.

    Parameters
    ----------
    given : Generator or tuple of ndarray of int, shape (n,)
        How pairs are found; arrays are those of sources and targets, not yet compared with the groups' sizes.
    p : Expression or float
        Probability that a pair is joined.
    n : Expression or int
        Number of synapses of each pair that is.
    skip_if_invalid : bool
        Whether elements that there are not are passed over.
    """

    given: Generator | tuple[NDArray[Any], NDArray[Any]]
    p: Expression | float
    n: Expression | int
    skip_if_invalid: bool

    def expressions(self) -> tuple[Expression, ...]:
        """All that the user wrote as text."""
        found = self.given.expressions() if isinstance(self.given, Generator) else ()
        return (*found, *(part for part in (self.p, self.n) if isinstance(part, Expression)))


def parse_request(
    condition: str | bool | None = None,
    i: str | ArrayLike | None = None,
    j: str | ArrayLike | None = None,
    p: str | float = 1.0,
    n: str | int = 1,
    skip_if_invalid: bool = False,
) -> Request:
    """Read the arguments of `connect`.

    Parameters
    ----------
    condition : str or bool, optional
        Tested for all pairs; all are joined where neither it nor an index is given.
    i, j : str or array_like of int, optional
        Element numbers for both, or text in the syntax of generators for one.
    p : str or float
        Probability that a pair is joined, in 0 .. 1.  Values of a text beyond that count as 0 or 1.
    n : str or int
        Number of synapses for each pair that is; values of a text are cut to whole numbers, negative ones to 0.
    skip_if_invalid : bool
        Pass over what a generator gives outside of the groups; otherwise it is an error.

    Returns
    -------
    Request
        For `pairs`.

    Raises
    ------
    EquationError
        For text that cannot be used; shows the place.
    RallError
        For arguments that cannot be used, or not together.
    """
    if condition is not None and not isinstance(condition, (str, bool, np.bool_)):
        raise RallError(f"condition is text or a truth value, not {condition!r:.60}; indices are given as i=..., j=...")
    if condition is not None and (i is not None or j is not None):
        other = "j" if i is None else "i"
        raise RallError(f"condition and {other} cannot be given together; an 'if' belongs into the text of {other}: "
                        "j='k for k in range(N_post) if CONDITION'")  # fmt: skip
    given: Generator | tuple[NDArray[Any], NDArray[Any]]
    if isinstance(i, str) or isinstance(j, str):
        given = _generator(i, j, p)
    elif i is not None or j is not None:
        given = _arrays(i, j, skip_if_invalid)
    else:
        everything = condition is None or (not isinstance(condition, str) and condition)
        tested = None if everything else parse_condition(str(condition))
        given = Generator("j", "j", condition=tested, text=str(condition))
    variable = given.variable if isinstance(given, Generator) else None
    return Request(given, _probability(p), _copies(n, variable), bool(skip_if_invalid))


def _generator(i: str | ArrayLike | None, j: str | ArrayLike | None, p: str | float) -> Generator:
    if i is not None and j is not None:
        raise RallError("text can be given for one of i and j only, without the other; it runs over all elements of "
                        "the other side, and an 'if' at its end chooses among them")  # fmt: skip
    if isinstance(p, str) or not np.array_equal(p, 1):
        name = "i" if j is None else "j"
        raise RallError(f"p cannot be given together with the text of {name}; write {name}='k for k in "
                        f"sample(..., p={p})', or 'if rand() < {p}' at its end")  # fmt: skip
    return parse_generator(i, "i") if isinstance(i, str) else parse_generator(str(j), "j")


def _arrays(i: ArrayLike | None, j: ArrayLike | None, skip: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    for name, value, other in (("i", i, "j"), ("j", j, "i")):
        if value is None:
            raise RallError(f"{name} is missing: numbers are given for both, i=... and j=...; {other}='...' as text "
                            "or a condition finds the other side")  # fmt: skip
    if skip:
        raise RallError("skip_if_invalid is for text; choose among the numbers of i and j before they are given")
    sources, targets = _numbers("i", i), _numbers("j", j)
    try:
        first, second = np.broadcast_arrays(sources, targets)
    except ValueError:
        raise RallError(f"i has {len(sources)} and j has {len(targets)} elements; they need as many, or one of them a "
                        "single one; all combinations are those of np.repeat and np.tile") from None  # fmt: skip
    return first, second


def _numbers(name: Index, given: Any) -> NDArray[Any]:
    """Element numbers as an array with one axis."""
    if isinstance(given, Quantity):
        raise RallError(f"{name} has a unit: {given!r:.60}; element numbers are plain integers")
    numbers = np.atleast_1d(np.asarray(given))
    if not numbers.size and numbers.dtype.kind == "f":
        numbers = numbers.astype(np.int32)  # an empty list
    if numbers.dtype.kind == "b":
        raise RallError(f"{name} is an array of truth values; np.flatnonzero(...) gives the numbers of the true ones")
    if numbers.dtype.kind not in "iu":
        raise RallError(f"{name} is of type {numbers.dtype}; element numbers are integers, as np.asarray(..., int)")
    if numbers.ndim > 1:
        raise RallError(f"{name} has {numbers.ndim} axes, shape {numbers.shape}; np.ravel makes them one")
    return numbers


def _probability(p: Any) -> Expression | float:
    if isinstance(p, str):
        return parse_number(p, "p")
    plain = np.asarray(p)
    if plain.ndim or plain.dtype.kind not in "biuf" or dimension_of(p) is not DIMENSIONLESS:
        raise RallError(f"p is a single number in 0 .. 1 or text, not {p!r:.60}")
    if not 0 <= plain <= 1:
        raise RallError(f"p = {p} is no probability; it is in 0 .. 1")
    return float(plain)


def _copies(n: Any, variable: str | None) -> Expression | int:
    if isinstance(n, str):
        return parse_number(n, "n", variable)
    plain = np.asarray(n)
    if plain.ndim or plain.dtype.kind not in "biuf" or not 0 <= plain < 2**31 or plain != np.floor(plain):
        raise RallError(f"n is a whole number (0 or more) or text, not {n!r:.60}")
    return int(plain)
