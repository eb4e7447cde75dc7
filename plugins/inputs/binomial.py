"""BinomialFunction: random numbers of successes, drawn anew by each call in equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rall.errors import NotSupportedError, RallError
from rall.functions import AbstractFunction, Typed, check_arity
from rall.ir.nodes import Node, call, name
from rall.model import SHARED, Domain, Layout, Variable
from rall.plugins.inputs.given import single_value, whole_number
from rall.units import DIMENSIONLESS

__all__ = ["BinomialFunction", "binomial_table"]

#: From this many expected successes, and failures, on the normal distribution is near enough.
_NEARLY_NORMAL = 5
#: Numbers to either side of the mean that a table may hold.
_LARGEST = 1 << 20


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
        self.n = whole_number(n, f"n of the BinomialFunction '{self.name}'")
        what, meant = f"p of the BinomialFunction '{self.name}'", "a probability from 0 to 1"
        self.p = single_value(p, DIMENSIONLESS, what, meant)
        if not 0 <= self.p <= 1:
            raise RallError(f"{what} is {meant}, not {p!r}")
        mean = self.n * self.p
        self._normal = bool(approximate) and min(mean, self.n - mean) > _NEARLY_NORMAL
        if not self._normal:
            self._numbers: tuple[Variable, ...] = (binomial_table(self.n, self.p, self.name),)
            return
        self._numbers = tuple(Variable(f"{self.name}_{k}", SHARED, role="constant") for k in ("mean", "sd"))
        for variable, value in zip(self._numbers, (mean, np.sqrt(mean * (1 - self.p)))):
            variable.array[0] = value

    def result(self, given: Sequence[Typed]) -> Typed:
        """See `AbstractFunction.result`: a float without a unit; there are no arguments."""
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
            The draw, and the numbers of its distribution.
        """
        names = [f"_bf_{known_as}_{k}" for k in range(len(self._numbers))]
        drawn = call("_normal" if self._normal else "_among", *map(name, names))
        return drawn, dict(zip(names, self._numbers))

    def __repr__(self) -> str:
        return f"<BinomialFunction '{self.name}': n = {self.n}, p = {self.p:g}>"


def binomial_table(n: int, p: float, name: str) -> Variable:
    """What the function ``_among`` of kernels takes to draw numbers of successes.

    Parameters
    ----------
    n : int
        Trials.
    p : float
        Probability of success in each.
    name : str
        Of the variable.

    Returns
    -------
    Variable
        A table, see ``rall_draw_among`` in ``rall_random.h``.

    Raises
    ------
    NotSupportedError
        If the numbers differ too much for a table.
    """
    first, chances = _probabilities(n, p)
    size = 1 << (len(chances) - 1).bit_length()
    share, other = _aliases(np.append(chances, np.zeros(size - len(chances))) * size)
    head = [32 - size.bit_length() + 1, size, first]
    table = Variable(name, Domain(name, Layout(len(head) + 2 * size)), role="table")
    table.set(np.concatenate([head, np.column_stack([share, first + other]).ravel()]))
    return table


def _probabilities(n: int, p: float) -> tuple[int, NDArray[np.float64]]:
    """The first number that is likely enough to be drawn, and the probabilities from there on."""
    # Beyond twelve standard deviations, with some for small means, less is left than a uniform number resolves.
    mean, reach = n * p, 12 * np.sqrt(n * p * (1 - p)) + 40
    if reach > _LARGEST:
        raise NotSupportedError(
            f"the binomial numbers of {n} trials with p = {p:g} are too many for a table; use a normal distribution of "
            "the same mean and variance, mean + sd*randn()"
        )
    low, high = int(max(0, mean - reach)), int(min(n, mean + reach))
    mode = int(min(max(np.floor((n + 1) * p), low), high))
    up, down = np.arange(mode, high, dtype=float), np.arange(mode, low, -1, dtype=float)
    odds = p / (1 - p) if p < 1 else np.inf
    above = np.cumprod((n - up) / (up + 1) * odds) if len(up) else up
    below = np.cumprod(down / ((n - down + 1) * odds)) if len(down) else down
    chances = np.concatenate([below[::-1], [1.0], above])
    return low, chances / chances.sum()


def _aliases(scaled: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each place the share of its own number and the place of the other, by Vose (IEEE TSE 17, 1991).

    `scaled` are probabilities times their number, so that 1 fills a place.
    """
    left = scaled.tolist()
    share, other = np.ones(len(left)), np.arange(len(left), dtype=float)
    poor = [k for k, one in enumerate(left) if one < 1]
    rich = [k for k, one in enumerate(left) if one >= 1]
    while poor and rich:
        small, large = poor.pop(), rich[-1]
        share[small], other[small] = left[small], large
        left[large] -= 1 - left[small]
        if left[large] < 1:
            poor.append(rich.pop())
    return share, other
