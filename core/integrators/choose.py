"""Choosing a method, and finding out whether it is stable."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.errors import PluginError
from rall.functions import DERIVATIVES, expand
from rall.integrators.adaptive import AdaptiveRungeKutta
from rall.integrators.base import AbstractIntegrator, NotIntegrable, System
from rall.integrators.explicit import as_integrator
from rall.integrators.noise import noise_symbols
from rall.ir.algebra import derivative
from rall.ir.nodes import ZERO, Node
from rall.ir.visit import substitute
from rall.registry import find

__all__ = ["DEFAULT", "Evaluate", "Method", "choose", "fastest", "stability_warning"]

#: A method of either kind.
Method: TypeAlias = AbstractIntegrator | AdaptiveRungeKutta
#: What is tried, in order, where the user leaves the choice to rall.
DEFAULT = ("exact", "strang", "euler", "heun")
#: The same where equations are declared implicit, as those of reactions are.
IMPLICIT = ("exact", "partitioned")
#: What stays stable where equations are too fast for a method, best first.
_REMEDIES = ("exponential_midpoint", "exponential_euler", "implicit")
#: From an expression to its values at the initial state, one for each element or one for all.
Evaluate: TypeAlias = Callable[[Node], NDArray[np.float64]]
#: Eigenvalues are computed for the elements with the largest Jacobians, at most so many.
_MOST = 256


def choose(system: System, method: str | Method | Sequence[str | Method] | None = None) -> Method:
    """The method for a system.

    Parameters
    ----------
    system : System
        The equations.
    method : str, AbstractIntegrator, AdaptiveRungeKutta, sequence of these, or None
        A name in the group ``rall.integrators``, which need not fit the system; several, of which the first
        that fits is taken; None for `IMPLICIT` where equations are declared so, else for `DEFAULT`: exact where
        equations are linear, else of second order and exponential where they are linear in their own variables
        (strang), else euler; with noise that is not additive, heun.

    Returns
    -------
    AbstractIntegrator or AdaptiveRungeKutta
        The method: one that gives assignments (`step`), or one that gives an operation (`operation`).

    Raises
    ------
    PluginError
        If a name is not known; lists those that are.
    NotIntegrable
        If none of several fits; says why for each.
    """
    if isinstance(method, (str, AbstractIntegrator, AdaptiveRungeKutta)) or callable(method):
        return _named(method)
    if method is not None and not isinstance(method, Sequence):
        raise NotIntegrable(f"method takes the name of a method, or several, not {method!r}")
    reasons = []
    default = IMPLICIT if system.implicit else DEFAULT
    for candidate in default if method is None else method:
        integrator = _named(candidate)
        try:
            integrator.check(system)
        except NotIntegrable as problem:
            reasons.append(str(problem))
        else:
            return integrator
    if not reasons:
        raise NotIntegrable("method=() names no method; leave it out, and rall chooses one")
    raise NotIntegrable("no method of those that were given fits the equations:\n  " + "\n  ".join(reasons))


def _named(method: object) -> Method:
    if isinstance(method, (AbstractIntegrator, AdaptiveRungeKutta)):
        return method
    if callable(method):
        return as_integrator(method)
    if not isinstance(method, str):
        raise NotIntegrable(
            f"a method is given by its name, not by {method!r:.60} of type {type(method).__name__}"
        )
    found = find("rall.integrators", method)
    integrator = found() if isinstance(found, type) else found
    if not isinstance(integrator, (AbstractIntegrator, AdaptiveRungeKutta)):
        raise PluginError(
            f"the integration method '{method}' is {found!r:.80}, which is no AbstractIntegrator"
        )
    return integrator


# --- stability ----------------------------------------------------------------------------------------------


def fastest(system: System, evaluate: Evaluate) -> tuple[str, float] | None:
    """The fastest equation at a state, from the eigenvalues of the Jacobian there.

    Parameters
    ----------
    system : System
        The equations; noise is left out.
    evaluate : callable
        From an expression to its values at that state, shape () or (n,).

    Returns
    -------
    (str, float) or None
        The variable that has the largest part in the fastest mode, and its time constant in seconds; None
        where nothing changes.
    """
    rates, leaders = _modes(system, evaluate)
    if not rates.size or not np.abs(rates).max():
        return None
    k = int(np.abs(rates).argmax())
    return list(system.equations)[leaders[k]], float(1.0 / np.abs(rates[k]))


def stability_warning(
    system: System, method: AbstractIntegrator, dt: float, evaluate: Evaluate
) -> str | None:
    """What to say of a step that is too long for a method at the initial state.

    Parameters
    ----------
    system : System
        The equations.
    method : AbstractIntegrator
        The method that was chosen.
    dt : float
        The step in seconds.
    evaluate : callable
        As of `fastest`.

    Returns
    -------
    str or None
        Names the fastest of the equations that would grow instead of decay, its time constant and a step that
        would do; None if there is none.
    """
    if type(method).growth is AbstractIntegrator.growth:  # what is exact for a mode is stable whatever the step
        return None
    rates, leaders = _modes(system, evaluate)
    # A mode that grows by itself, as in a spike, is none of the method's doing; nor is an undamped
    # oscillation.
    decaying = rates.real < -1e-6 * np.abs(rates)
    rates, leaders = rates[decaying], leaders[decaying]
    unstable = _grows(method, rates, dt)
    if not unstable.any():
        return None
    k = int(np.where(unstable, np.abs(rates), 0.0).argmax())
    enough = dt
    while _grows(method, rates, enough).any():
        enough *= 0.95
    return (
        f"'{method.name}' is unstable at the initial state with a step of {_time(dt)}: the fastest equation "
        f"is that of '{list(system.equations)[leaders[k]]}', with a time constant of "
        f"{_time(1.0 / abs(rates[k]))}; a step of {_time(enough)} would do{_remedies(system, method)}"
    )


def _remedies(system: System, method: AbstractIntegrator) -> str:
    """Methods for stiff equations that fit the system, as the end of a sentence."""
    fitting = []
    for name in _REMEDIES:
        try:
            _named(name).check(system)
        except NotIntegrable:
            continue
        fitting.append(name)
    others = [name for name in fitting if name != method.name]
    return f", or another method ({', '.join(others)})" if others else ""


def _grows(method: AbstractIntegrator, rates: NDArray[np.complex128], dt: float) -> NDArray[np.bool_]:
    return np.asarray(method.growth(rates * dt) > 1.0 + 1e-9)


def _time(seconds: float) -> str:
    """Two digits, rounded down, in the unit that suits."""
    exponent = math.floor(math.log10(seconds))
    digits = math.floor(seconds / 10.0 ** (exponent - 1) * (1 + 1e-9))
    value = digits * 10.0 ** (exponent - 1)
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def _modes(system: System, evaluate: Evaluate) -> tuple[NDArray[np.complex128], NDArray[np.int64]]:
    """Eigenvalues (1/second) of the Jacobians, and for each the index of the variable that leads in it."""
    jacobian = _jacobian(system, evaluate)
    if not jacobian.size:
        return np.zeros(0, np.complex128), np.zeros(0, np.int64)
    size = np.abs(jacobian).sum(axis=2).max(axis=1)
    jacobian = jacobian[np.argsort(size)[-_MOST:]]
    rates, right = np.linalg.eig(jacobian)
    # Participation (Perez-Arriaga et al., IEEE Trans. Power Appar. Syst. 101:3117, 1982): right times left
    # eigenvectors, which does not depend on the units of the variables.  A defective matrix has no inverse.
    left = np.linalg.pinv(right)
    part = np.abs(right * np.swapaxes(left, 1, 2))
    return rates.astype(np.complex128).ravel(), part.argmax(axis=1).ravel()


def _jacobian(system: System, evaluate: Evaluate) -> NDArray[np.float64]:
    """Shape (elements, variables, variables), elements with values that are not finite left out."""
    entries: dict[tuple[int, int], NDArray[np.float64]] = {}
    for row, rhs in enumerate(system.equations.values()):
        quiet = expand(substitute(rhs, dict.fromkeys(noise_symbols(rhs), ZERO)))
        for column, variable in enumerate(system.equations):
            slope = derivative(quiet, variable, DERIVATIVES)
            if slope is not ZERO:
                entries[row, column] = np.asarray(evaluate(slope), dtype=np.float64).ravel()
    count = max((len(values) for values in entries.values()), default=0)
    jacobian = np.zeros((count, len(system.equations), len(system.equations)))
    for (row, column), values in entries.items():
        jacobian[:, row, column] = values
    return jacobian[np.isfinite(jacobian).all(axis=(1, 2))]
