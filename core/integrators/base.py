"""What integrators take and give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.integrators.conservation import Law, closed
from rall.ir.nodes import Name, Node
from rall.model import Assign

__all__ = ["AbstractIntegrator", "NotIntegrable", "Propagator", "Step", "System", "simultaneous"]


class NotIntegrable(RallError, ValueError):
    """A method that cannot be applied to a system; the message says why and what can."""


@dataclass(frozen=True)
class System:
    """Differential equations ``x' = f``, all names resolved, subexpressions written out.

    Parameters
    ----------
    equations : mapping of str to Node
        From variable to right-hand side; ``xi`` and ``xi_*`` stand for white noise.
    constant : frozenset of str
        Names whose values do not change during a run.
    shared : frozenset of str
        Names with one value for all elements.
    time : str or None
        The name of time in the equations, which methods move to where in the step they evaluate them; None if
        they are to leave it alone, because the caller has taken care of that.
    implicit : frozenset of str
        Variables that are integrated implicitly where no method is named.
    held : callable, optional
        Gives the named subexpressions in order, and the equations in terms of their names: for methods that may take
        a subexpression as it is at the beginning of the step.
    """

    equations: Mapping[str, Node]
    constant: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    time: str | None = "t"
    implicit: frozenset[str] = frozenset()
    held: Callable[[], tuple[Mapping[str, Node], Mapping[str, Node]]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Propagator:
    """Numbers that a method needs and that are computed from parameters at the start of a run.

    Parameters
    ----------
    names : tuple of str
        What they are called in the statements.
    sources : tuple of Node
        Expressions whose values `compute` takes.
    compute : callable
        From the step in seconds and the values of `sources` (arrays of one shape) to the values of `names`.
    """

    names: tuple[str, ...]
    sources: tuple[Node, ...]
    compute: Callable[[float, Sequence[NDArray[np.float64]]], Sequence[NDArray[np.float64]]]


@dataclass(frozen=True)
class Step:
    """One step of a method: statements in order, and the propagators that they name."""

    statements: tuple[Assign, ...]
    propagators: tuple[Propagator, ...] = field(default=())


class AbstractIntegrator(ABC):
    """A method: turns differential equations into assignments.

    Registered in the group ``rall.integrators``; `name` is what the user writes after ``method=``.
    """

    name: str
    #: Order of convergence on smooth systems without noise.
    order: int

    @abstractmethod
    def step(self, system: System, h: Node) -> Step:
        """Assignments that advance every variable of the system by `h`.

        Parameters
        ----------
        system : System
            The equations.
        h : Node
            The step in seconds: an expression of shared names.

        Raises
        ------
        NotIntegrable
            If the method cannot do it; names the equation and the reason.
        """

    def check(self, system: System) -> None:
        """Find out whether the method fits a system.

        Parameters
        ----------
        system : System
            The equations.

        Raises
        ------
        NotIntegrable
            If it does not; names the equation and the reason.
        """
        self.step(system, Name("dt"))

    def growth(self, z: NDArray[np.complex128]) -> NDArray[np.float64]:
        """By how much one step multiplies a solution of ``x' = lambda x``.

        Methods that are not exact there say what they do, so that an unstable choice can be found.

        Parameters
        ----------
        z : ndarray of complex
            ``lambda`` times the step.

        Returns
        -------
        ndarray
            Absolute values; above 1 where a decay would grow.
        """
        return np.asarray(np.exp(np.minimum(z.real, 700.0)))


def simultaneous(new: Mapping[str, Node], kept: Sequence[Law] = ()) -> tuple[Assign, ...]:
    """Assignments that give all variables their new values, each computed from all old ones.

    Parameters
    ----------
    new : mapping of str to Node
        From variable to its value at the end of the step.
    kept : sequence of dict of str to int, optional
        Sums that stay as they are (`rall.integrators.conservation.laws`): the first variable of each follows from the
        new values of the others.

    Returns
    -------
    tuple of Assign
        Through locals ``_new_x``.
    """
    values = {**new, **closed({variable: f"_new_{variable}" for variable in new}, kept)}
    follow = {next(iter(law)) for law in kept}
    order = sorted(values, key=lambda variable: variable in follow)
    first = tuple(Assign(f"_new_{variable}", values[variable]) for variable in order)
    return first + tuple(Assign(variable, Name(f"_new_{variable}")) for variable in new)
