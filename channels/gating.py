"""Steady states and time constants of gates, from their equations: for pictures, tables and tests.

A gate is a variable without a unit whose equation is linear in it: dx/dt = a x + b has the steady state -b/a and the
time constant -1/a.  States of a kinetic scheme, which need each other, are solved together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rall.equations import Equations, known_value
from rall.errors import EquationError, RallError
from rall.evaluate import evaluate
from rall.functions import describe, expand
from rall.ir.algebra import linear_form
from rall.ir.nodes import ZERO, Node
from rall.ir.visit import names, substitute
from rall.registry import suggest
from rall.units import Quantity, dimension_of, second, value_of, volt
from rall.units.dimension import DIMENSIONLESS

__all__ = ["Channel", "Gate", "equations_of", "gates"]

Array: TypeAlias = NDArray[np.float64]
Channel: TypeAlias = Equations | str | Callable[[], Any]
#: A scheme's states add up to one if nothing enters or leaves it, to this relative precision.
_CONSERVED = 1e-9


class Gate(NamedTuple):
    """A gate over a range of voltages.

    Parameters
    ----------
    steady : ndarray
        Steady state, of the shape of the voltages.
    tau : Quantity
        Time constant, likewise; zero for a gate that follows the voltage at once.
    """

    steady: Array
    tau: Quantity


def equations_of(channel: Channel) -> Equations:
    """The equations of what stands for a channel.

    Parameters
    ----------
    channel : Equations, str or callable
        Equations, their text, or what gives them when it is called without arguments, as a function of the library.

    Raises
    ------
    RallError
        If that gives no equations.
    """
    made = channel() if callable(channel) and not isinstance(channel, Equations) else channel
    if isinstance(made, str):
        return Equations(made)
    if not isinstance(made, Equations):
        raise RallError(f"a channel is equations, or a function that returns them; this is {made!r:.60}")
    return made


def gates(equations: Channel, v: Quantity, **values: Quantity | float) -> dict[str, Gate]:
    """Steady state and time constant of every gate.

    Parameters
    ----------
    equations : Equations, str or callable
        One channel or several; a function of the library stands for its equations with their usual values.
    v : Quantity
        Membrane voltages in volt, of any shape.
    **values : Quantity or number
        Of parameters, concentrations and names of the user's, single values or of the shape of `v`.  Others have
        their default values.

    Returns
    -------
    dict of str to Gate
        ``(steady, tau)`` in the order of the equations: variables without a unit, with an equation that is linear in
        them, and last what currents multiply by that follows the voltage at once.  All states of a kinetic scheme
        have the slowest time constant of the scheme.

    Raises
    ------
    RallError
        If a value is needed that has no default.
    EquationError
        If a value has another unit than its variable.

    Examples
    --------
    >>> from rall.units import mV
    >>> steady, tau = gates("dm/dt = (1/(1 + exp(-v/(5*mV))) - m)/(2*ms) : 1", [-5, 0, 5]*mV)["m"]
    >>> float(steady[1])
    0.5
    """
    eqs = equations_of(equations).expanded()
    if dimension_of(v) is not volt.dim:
        raise EquationError(f"v is in {describe(dimension_of(v))}, and voltages are in volt, as -65*mV")
    voltages = np.asarray(value_of(v), float)
    known = _Known(eqs, voltages, values)
    plain = {name for name in eqs.diff_eq_names if eqs[name].dimension is DIMENSIONLESS and name not in values}
    rates = {name: expand(node) for name, node in eqs.substituted() if name in plain}
    found: dict[str, Gate] = {}
    for group in _groups(rates):
        forms = _linear(group, rates)
        if forms is None:
            continue
        solved = _alone(forms[group[0]], known) if len(group) == 1 else _together(group, forms, known)
        known.values.update({name: steady for name, (steady, _) in zip(group, solved)})
        found.update({name: _gate(steady, tau, voltages) for name, (steady, tau) in zip(group, solved)})
    for name, node in _at_once(eqs, rates):
        found[name] = _gate(known.value(node), 0.0, voltages)
    order = [*(name for name in eqs if name in rates), *found]
    return {name: found[name] for name in order if name in found}


def _gate(steady: Any, tau: Any, voltages: Array) -> Gate:
    shaped = (np.array(np.broadcast_to(x, voltages.shape), float) for x in (steady, tau))
    return Gate(next(shaped), Quantity(next(shaped), second.dim))


class _Known:
    """What names in the equations stand for, in SI base units."""

    def __init__(self, eqs: Equations, voltages: Array, given: Mapping[str, Quantity | float]) -> None:
        self.values: dict[str, Any] = {name: value_of(value) for name, value in eqs.bindings.items()}
        self.values.update({n: value_of(x) for n, x in eqs.defaults.items() if not isinstance(x, str)})
        used = eqs.identifiers | set(eqs)
        for name, value in given.items():
            if name not in used or name == "v":
                raise RallError(f"these equations have no parameter '{name}' to give a value{suggest(name, eqs)}")
            line = eqs.get(name)
            if line is not None and dimension_of(value) is not line.dimension:
                raise line.error(f"'{name}' was given as {value}, and its line says {describe(line.dimension)}")
            self.values[name] = value_of(value)
        self.values["v"] = voltages

    def value(self, node: Node) -> Any:
        """The value of an expression."""
        for name in names(node) - self.values.keys():
            constant = known_value(name)
            if constant is None:
                raise RallError(f"a gate depends on '{name}', which has no default value here; give one: {name}=...")
            self.values[name] = value_of(constant)
        return evaluate(node, self.values)


def _groups(rates: Mapping[str, Node]) -> list[tuple[str, ...]]:
    """Variables that need each other, each group behind what it needs."""
    needs = {name: (names(node) & rates.keys()) - {name} for name, node in rates.items()}
    reach = {name: _reachable(name, needs) for name in rates}
    done: list[tuple[str, ...]] = []
    for name in sorted(rates, key=lambda n: len(reach[n])):
        if not any(name in group for group in done):
            both = (other for other in rates if other != name and other in reach[name] and name in reach[other])
            done.append((name, *both))
    return done


def _reachable(start: str, needs: Mapping[str, Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        fresh = [name for name in needs[todo.pop()] if name not in seen]
        seen.update(fresh)
        todo.extend(fresh)
    return seen


def _linear(group: tuple[str, ...], rates: Mapping[str, Node]) -> dict[str, dict[str, Node]] | None:
    """For each variable the factors of all in its equation, and under '' the rest; None if they are not linear."""
    forms: dict[str, dict[str, Node]] = {}
    for name in group:
        rest, factors = rates[name], {}
        for other in group:
            form = linear_form(rest, other)
            if form is None:
                return None
            factors[other], rest = form
        if any(not names(factor).isdisjoint(group) for factor in factors.values()):
            return None
        forms[name] = {**factors, "": rest}
    return None if all(form[name] is ZERO for name, form in forms.items()) else forms


def _alone(form: Mapping[str, Node], known: _Known) -> list[tuple[Any, Any]]:
    (slope,) = (node for name, node in form.items() if name)
    a, b = known.value(slope), known.value(form[""])
    with np.errstate(all="ignore"):
        return [(-b / a, -1.0 / a)]


def _together(
    group: tuple[str, ...], forms: Mapping[str, Mapping[str, Node]], known: _Known
) -> list[tuple[Any, Any]]:
    """Steady states of a scheme, and its slowest time constant."""
    shape, n = known.values["v"].shape, len(group)

    def spread(node: Node) -> Array:
        return np.array(np.broadcast_to(known.value(node), shape), float).ravel()

    matrix = np.moveaxis(np.array([[spread(forms[row][column]) for column in group] for row in group]), -1, 0)
    rest = np.array([spread(forms[row][""]) for row in group]).T
    modes = np.sort(-np.linalg.eigvals(matrix).real, axis=-1)
    scale = np.abs(matrix).sum(axis=1)
    if (np.abs(matrix.sum(axis=1)) <= _CONSERVED * scale).all() and not rest.any():
        matrix[:, -1, :], rest[:, -1], modes = 1.0, -1.0, modes[:, 1:]
    steady = np.linalg.solve(matrix, -rest[..., None])[..., 0]
    tau = (1.0 / modes[:, 0]).reshape(shape)
    return [(steady[:, k].reshape(shape), tau) for k in range(n)]


def _at_once(eqs: Equations, rates: Mapping[str, Node]) -> list[tuple[str, Node]]:
    """What a membrane current is multiplied by that has no equation of its own and depends on the voltage."""
    whole: dict[str, Node] = {}
    for line in eqs.ordered_subexpressions:
        whole[line.varname] = expand(substitute(line.node, whole))
    currents = eqs.with_flag("membrane current")
    direct = {name for line in currents if line.value is not None for name in names(line.node)}
    return [
        (name, node) for name, node in whole.items()
        if name in direct and eqs[name].dimension is DIMENSIONLESS
        and "v" in names(node) and names(node).isdisjoint(rates)
    ]  # fmt: skip
