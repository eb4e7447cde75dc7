"""BinomialFunction: random numbers of successes, drawn anew by each call in equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rall.errors import DimensionMismatchError, RallError
from rall.functions import AbstractFunction, Typed, check_arity
from rall.ir.nodes import Node, call, name
from rall.model import SHARED, Variable
from rall.units import DIMENSIONLESS, dimension_of

__all__ = ["BinomialFunction", "whole_number"]

#: From this many expected successes, and failures, on the normal distribution is near enough.
_NEARLY_NORMAL = 5


class BinomialFunction(AbstractFunction):
    """A function without arguments whose calls give numbers of successes in `n` trials of probability `p`.

    In equations and in text it is called by the name of the Python variable that holds it, ``f()``; every call draws
    anew for each element, in each step.

    Parameters
    ----------
    n : int
        Trials.
    p : float
        Probability of success in each.
    approximate : bool
        Draw from the normal distribution of the same mean and variance where ``n*p > 5`` and ``n*(1 - p) > 5``, which
        is faster; such numbers are not whole.
    name : str
        How it is called in messages.

    Raises
    ------
    DimensionMismatchError
        If `n` or `p` has a unit.
    RallError
        If `n` is no whole number from 0 on, or `p` no probability.
    """

    #: Each call gives a new value.
    stateless = False

    def __init__(self, n: int, p: float, approximate: bool = True, name: str = "_binomial*") -> None:
        self.name = name.removesuffix("*")
        self.n, self.p = whole_number(n, f"n of the BinomialFunction '{self.name}'"), _probability(p, self.name)
        mean = self.n * self.p
        self._normal = bool(approximate) and min(mean, self.n - mean) > _NEARLY_NORMAL
        values = (mean, np.sqrt(mean * (1 - self.p))) if self._normal else (self.n, self.p)
        self._numbers = tuple(Variable(f"{self.name}_{k}", SHARED, role="constant") for k in range(2))
        for variable, value in zip(self._numbers, values):
            variable.array[0] = value

    def result(self, given: Sequence[Typed]) -> Typed:
        """Dimension and type of a call in equations.

        Parameters
        ----------
        given : sequence of Typed
            What the arguments are.

        Returns
        -------
        Typed
            A float without a unit.

        Raises
        ------
        ArgumentMismatch
            If there are arguments.
        """
        check_arity(self.name, 0, len(given))
        return Typed(DIMENSIONLESS)

    def in_equations(self, known_as: str, arguments: Sequence[Node]) -> tuple[Node, Mapping[str, Variable]]:
        """What a call stands for in terms of variables.

        Parameters
        ----------
        known_as : str
            Its name in the user's text.
        arguments : sequence of Node
            None.

        Returns
        -------
        Node, mapping of str to Variable
            The draw, and the two numbers of its distribution.
        """
        names = f"_bf_{known_as}_0", f"_bf_{known_as}_1"
        drawn = call("_normal" if self._normal else "_binomial", *map(name, names))
        return drawn, dict(zip(names, self._numbers))

    def __repr__(self) -> str:
        return f"<BinomialFunction '{self.name}': n = {self.n}, p = {self.p:g}>"


def whole_number(n: Any, what: str) -> int:
    """A whole number from 0 on.

    Parameters
    ----------
    n : int
        What the user gave.
    what : str
        What it is, for messages.

    Raises
    ------
    DimensionMismatchError
        If it has a unit.
    RallError
        If it is something else.
    """
    if dimension_of(n) is not DIMENSIONLESS:
        raise DimensionMismatchError(f"{what} has no unit: {n}")
    plain = np.asarray(n)
    if plain.ndim or plain.dtype.kind not in "iuf" or not np.isfinite(plain) or plain < 0 or plain != np.floor(plain):
        raise RallError(f"{what} is a whole number from 0 on, not {n!r}")
    return int(n)


def _probability(p: Any, of: str) -> float:
    if dimension_of(p) is not DIMENSIONLESS:
        raise DimensionMismatchError(f"p of the BinomialFunction '{of}' is a probability and has no unit: {p}")
    if np.ndim(p) or not 0 <= p <= 1:
        raise RallError(f"p of the BinomialFunction '{of}' is a probability between 0 and 1, not {p!r}")
    return float(p)
