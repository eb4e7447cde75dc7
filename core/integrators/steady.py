"""Where coupled equations stand still."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.functions import DERIVATIVES, expand
from rall.integrators.base import NotIntegrable
from rall.integrators.blocks import linear
from rall.integrators.conservation import Law, laws
from rall.ir.algebra import derivative
from rall.ir.nodes import ZERO, Node

__all__ = ["SteadyBlock"]

Floats = NDArray[np.float64]
#: Steps of the way to the steady state of equations that are not linear: the first in seconds, and how they grow.
_FIRST, _GROWTH, _ROUNDS, _LONG, _SETTLED = 1e-6, 4.0, 200, 1e9, 1e-12
#: By how much a sum that should be 1 may be off.
_ROUNDED = 1e-9


class SteadyBlock:
    """The steady state of equations that belong together, given the sums that they keep.

    Linear equations are solved.  Others are followed by steps of the implicit Euler method that grow without limit
    (pseudo-transient continuation: Kelley & Keyes, SIAM J. Numer. Anal. 35:508, 1998), which end as Newton's method.

    Parameters
    ----------
    equations : mapping of str to Node
        From variable to right-hand side.
    """

    def __init__(self, equations: Mapping[str, Node]) -> None:
        self.variables = tuple(equations)
        self.laws: tuple[Law, ...] = laws(equations)
        form = linear(equations)
        self._linear = form is not None
        self._rates = dict(equations) if form is None else dict(form.constant)
        self._slopes: dict[tuple[int, int], Node] = {}
        for row, (v, rhs) in enumerate(equations.items()):
            for column, other in enumerate(equations):
                node = derivative(expand(rhs), other, DERIVATIVES) if form is None else form.matrix[v].get(other, ZERO)
                if node is not ZERO:
                    self._slopes[row, column] = node

    @property
    def is_scheme(self) -> bool:
        """Whether the sum of all variables is kept, as that of the states of a channel."""
        shares = {v: sum(law.get(v, 0) / next(iter(law.values())) for law in self.laws) for v in self.variables}
        return all(share == 1.0 for share in shares.values())

    def totals(self, values: Mapping[str, Any], plain: bool) -> list[Floats]:
        """What the sums of `laws` are to be: 1 for the states of a channel, else what they are now.

        Parameters
        ----------
        values : mapping of str to ndarray or number
            Present values.
        plain : bool
            Whether the variables have no unit.

        Raises
        ------
        NotIntegrable
            If the states of a channel keep more than their sum, and that is not 1.
        """
        now = [
            np.atleast_1d(sum(amount * np.asarray(values[v], float) for v, amount in law.items())) for law in self.laws
        ]
        ones = [set(law.values()) == {1} for law in self.laws]
        if not plain or not self.is_scheme:
            return now
        if not all(ones):
            if np.max(np.abs(sum(np.asarray(values[v], float) for v in self.variables) - 1.0)) > _ROUNDED:
                raise self._none()
            return now
        return [np.ones(1) for _ in self.laws]

    def solve(
        self, values: Mapping[str, Any], totals: list[Floats], compute: Callable[[Node, Mapping[str, Any]], Any]
    ) -> dict[str, Floats]:
        """Values of the variables at the steady state.

        Parameters
        ----------
        values : mapping of str to ndarray or number
            Present values of all names, shape () or (n,).
        totals : list of ndarray
            What the sums of `laws` are, shape () or (n,).
        compute : callable
            From an expression and values to its value.

        Returns
        -------
        dict of str to ndarray
            Shape (n,).

        Raises
        ------
        NotIntegrable
            If there is no steady state, or more than one.
        """
        first = np.stack(np.broadcast_arrays(*(values[v] for v in self.variables)), axis=-1).astype(float)
        state = np.atleast_2d(first)
        if self._linear:
            state = self._solved(values, np.zeros_like(state), totals, np.inf, compute)
        else:
            state = self._followed(values, state, totals, compute)
        return {v: state[:, k] for k, v in enumerate(self.variables)}

    def _followed(
        self,
        values: Mapping[str, Any],
        state: Floats,
        totals: list[Floats],
        compute: Callable[[Node, Mapping[str, Any]], Any],
    ) -> Floats:
        step = _FIRST
        for _ in range(_ROUNDS):
            at = {**values, **{v: state[:, k] for k, v in enumerate(self.variables)}}
            change = self._solved(at, state, totals, step, compute)
            # A concentration comes close to zero and does not pass it.
            state = np.where((state >= 0.0) & (state + change < 0.0), 0.1 * state, state + change)
            size = np.abs(state).max(axis=1, keepdims=True) + 1e-300
            if step > _LONG and float(np.max(np.abs(change) / size)) < _SETTLED:
                return state
            step *= _GROWTH
        raise self._none()

    def _solved(
        self,
        values: Mapping[str, Any],
        state: Floats,
        totals: list[Floats],
        step: float,
        compute: Callable[[Node, Mapping[str, Any]], Any],
    ) -> Floats:
        """The change from `state` in an implicit step, with the sums as they must be afterwards."""
        size = len(self.variables)
        rates = [np.asarray(compute(self._rates[v], values), float) for v in self.variables]
        slopes = {entry: np.asarray(compute(node, values), float) for entry, node in self._slopes.items()}
        count = np.broadcast_shapes((len(state),), *(a.shape for a in (*rates, *slopes.values())))[0]
        matrix = np.zeros((count, size, size))
        right = np.zeros((count, size))
        for row, rate in enumerate(rates):
            right[:, row] = rate
            matrix[:, row, row] = 1.0 / step
        for (row, column), slope in slopes.items():
            matrix[:, row, column] -= slope
        scale = np.abs(matrix).max(axis=2)
        scale[scale == 0.0] = 1.0
        matrix /= scale[:, :, None]
        right /= scale
        for law, total in zip(self.laws, totals):
            # The equation of one of the variables follows from the others; the sum takes its place.
            weights = np.array([float(law.get(v, 0)) for v in self.variables])
            row = self.variables.index(next(iter(law)))
            matrix[:, row] = weights
            right[:, row] = total - state @ weights
        try:
            return np.asarray(np.linalg.solve(matrix, right[:, :, None])[:, :, 0])
        except np.linalg.LinAlgError:
            raise self._none() from None

    def _none(self) -> NotIntegrable:
        return NotIntegrable(
            f"no steady state of {', '.join(map(repr, self.variables))} was found, or there are several; set their "
            "initial values yourself"
        )
