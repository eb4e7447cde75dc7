"""Called: what a call in a resolved expression names where the function is the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rall.errors import NotSupportedError, RallError
from rall.ir.nodes import Call, Node
from rall.ir.visit import walk

__all__ = ["CText", "Called", "called_in", "title"]

_DTYPES = {"integer": np.int64, "boolean": np.bool_}


@dataclass(frozen=True)
class CText:
    """A function as text of the C family.

    Parameters
    ----------
    name : str
        What kernels call; differs between functions whose text or values differ.
    blocks : tuple of (str, str)
        Names and texts of the functions that it needs and of itself, in order.
    includes : tuple of str
        Lines that belong to the top of a file.
    flags : tuple of str
        What the compiler needs besides.
    plain : bool
        Whether it looks like C; what does not is compiled as C++.
    """

    name: str
    blocks: tuple[tuple[str, str], ...]
    includes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    plain: bool = True


class Called(str):
    """The name of a user's function in calls (`rall.ir.nodes.Call`), with what it is on each target.

    Equal names are equal functions, so that kernels with equal calls are equal kernels.

    Parameters
    ----------
    unique : str
        An identifier that no other function has.
    function : object
        The user's function; kept, and what notes about it are counted by.
    known_as : str
        What the user calls it.
    python : callable
        The function on arrays and numbers without units.
    kinds : tuple of str
        Type of each argument as the user wrote it; kernels compute in doubles.
    c : CText, optional
        Its C text; without it, kernels that call it run as NumPy.
    stateful : bool
        Whether each call gives a new value.
    vectorised : bool
        Whether it takes the numbers of the elements as one more argument.
    """

    function: object
    known_as: str
    python: Callable[..., Any]
    kinds: tuple[str, ...]
    c: CText | None
    stateful: bool
    vectorised: bool

    def __new__(
        cls,
        unique: str,
        function: object,
        known_as: str,
        python: Callable[..., Any],
        kinds: Sequence[str] = (),
        c: CText | None = None,
        stateful: bool = False,
        vectorised: bool = False,
    ) -> Called:
        """Make the name."""
        self = super().__new__(cls, unique)
        self.function, self.known_as, self.python, self.kinds, self.c = function, known_as, python, tuple(kinds), c
        self.stateful, self.vectorised = stateful, vectorised
        return self

    def spelling(self, target: str) -> str:
        """What it is called in the text of a kernel, for ``'c'`` or ``'numpy'``."""
        return self.c.name if target == "c" and self.c is not None else str(self)

    def values(self, given: Sequence[Any], count: int) -> Any:
        """The function's values.

        Parameters
        ----------
        given : sequence of ndarray or number
            The arguments in SI base units, and the numbers of the elements where it takes them.
        count : int
            Number of elements.

        Returns
        -------
        ndarray of shape (count,), or number
            In SI base units.

        Raises
        ------
        RallError
            If it gives another number of values.
        NotSupportedError
            If the Python function only stands for C text.
        """
        kinds = (*self.kinds, *["float"] * (len(given) - len(self.kinds)))
        arguments = [np.asarray(a).astype(_DTYPES[k])[()] if k in _DTYPES else a for a, k in zip(given, kinds)]
        try:
            result = np.asarray(self.python(*arguments))
        except NotImplementedError as problem:
            raise NotSupportedError(
                f"the function '{self.known_as}' is called in Python here (for a value given as text, by the NumPy "
                "device, or beside a function without C code), and its Python form is not implemented: let it compute "
                "its result"
            ) from problem
        if result.size == 1:
            return result.reshape(())[()]
        if result.shape != (count,):
            raise RallError(
                f"the function '{self.known_as}' gave values of the shape {result.shape} for {count} elements; it gets "
                "arrays and gives an array of the same length, or one number"
            )
        return result


def title(function: str) -> str:
    """What the user calls the function of a call."""
    return function.known_as if isinstance(function, Called) else function


def called_in(nodes: Iterable[Node]) -> tuple[Called, ...]:
    """The user's functions in some expressions, each once, sorted by name."""
    return tuple(sorted({n.op for n in walk(nodes) if isinstance(n, Call) and isinstance(n.op, Called)}))
