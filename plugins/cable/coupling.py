"""Currents that are sums over synapses, in the implicit solve: gap junctions, summed conductances.

Such a current is known at t with its derivative by the voltage of its own compartment, and enters the step as a linear
function of that voltage.  The voltages at the other side of gap junctions are extrapolated; docs/numerics.md has the
proof that this is stable for any conductance and any step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rall.ir.algebra import linear_form
from rall.ir.nodes import ZERO, Compare, Name, Node, add, mul, number, select, sub
from rall.ir.visit import names, substitute
from rall.model import Access, Assign, Domain, Variable
from rall.plugins.cable.mechanisms import Mechanism
from rall.units import get_or_create_dimension

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["GROWTH", "VOLTAGE", "Couplings"]

#: The voltage at t, in statements in which `v` is that of the end of the step.
VOLTAGE = "_v"
_VOLT = get_or_create_dimension(length=2, mass=1, time=-3, current=-1)
#: Part of the extrapolated growth that is used during a step of second order; derived in docs/numerics.md.
GROWTH = 0.9
#: A voltage that says that there was no last step.
_NEVER = 1e30


@dataclass
class _Extrapolation:
    """What a sum is extrapolated from.

    Parameters
    ----------
    before, voltage : Variable
        Sum and voltage in the last step.
    ahead : Variable
        By how much the sum grows during the step by what happens at the other side.
    """

    before: Variable
    voltage: Variable
    ahead: Variable


@dataclass
class _Sum:
    """A variable that is a sum over synapses.

    Parameters
    ----------
    target : Variable
        The sum.
    slope : Variable
        Its derivative by the voltage.
    other : _Extrapolation or None
        Of the voltages of cells at the other side, where it depends on these.
    """

    target: Variable
    slope: Variable
    other: _Extrapolation | None = None


class Couplings:
    """The sums over synapses that currents of a cell may be made of.

    Parameters
    ----------
    cell : Cells
        The cell.
    home : callable
        From the name of a variable to the mechanism that it lives on.
    """

    def __init__(self, cell: Cells, home: Callable[[str], Mechanism | None]) -> None:
        self.cell, self.home = cell, home
        self._sums: dict[str, _Sum] = {}
        self._dt = 0.0

    def slope(self, name: str, coupled: bool) -> Variable:
        """Where the derivative of a sum goes; see `Group.slope_of`."""
        target = self.cell.variables[name]
        if name not in self._sums:
            slope = Variable(f"_slope_{name}", target.domain, target.dimension / _VOLT, role="scratch")
            self._sums[name] = _Sum(target, slope)
            self.cell.variables[slope.name] = slope
        one = self._sums[name]
        if coupled and one.other is None:
            before = Variable(f"_before_{name}", target.domain, target.dimension)
            voltage = Variable(f"_voltage_{name}", target.domain, _VOLT)
            voltage.set(_NEVER)
            ahead = Variable(f"_ahead_{name}", target.domain, target.dimension, role="scratch")
            one.other = _Extrapolation(before, voltage, ahead)
            self.cell.variables.update({v.name: v for v in (before, voltage, ahead)})
        return one.slope

    def forget(self) -> None:
        """Begin anew: what was in the last step says nothing about the next one."""
        for one in self._sums.values():
            if one.other is not None:
                one.other.voltage.set(_NEVER)

    def begin(self) -> None:
        """A run begins, perhaps with another step, or without synapses that there were before."""
        for one in self._sums.values():
            one.slope.set(0.0)
        if self._dt != self.cell.clock.dt:
            self.forget()
            self._dt = self.cell.clock.dt

    def statements(self) -> Iterable[tuple[Domain, list[Assign], dict[str, Variable | Access]]]:
        """What is to be done before the membrane: extrapolation of each sum, on the domain where it lives."""
        for name, one in self._sums.items():
            if one.other is None:
                continue
            home, v = self.home(name), self.cell.variables["v"]
            here = v if home is None or home.rows is None else Access(v, home.rows)
            parts = (one.slope, one.other.before, one.other.voltage, one.other.ahead)
            slope, before, voltage, ahead = (Name(part.name) for part in parts)
            change = sub(sub(Name(name), before), mul(mul(number(2.0), slope), sub(Name(VOLTAGE), voltage)))
            known = Compare("<", voltage, number(_NEVER / 2))
            statements = [
                Assign(ahead.id, select(known, change, ZERO)), Assign(before.id, Name(name)),
                Assign(voltage.id, Name(VOLTAGE)),
            ]  # fmt: skip
            yield one.target.domain, statements, {name: one.target, VOLTAGE: here, **{v.name: v for v in parts}}

    def implicit(self, current: Node, second_order: bool) -> tuple[Node, Node]:
        """A current during a step, for one that depends on sums as they are at t.

        Parameters
        ----------
        current : Node
            In terms of variables.
        second_order : bool
            Whether the solver takes the mean over the step and the growth; else it takes the end of the step.

        Returns
        -------
        Node, Node
            The current, with its dependence on ``v`` by way of sums, and by how much it grows besides.
        """
        growth: Node = ZERO
        now: dict[str, Node] = {}
        for name in sorted(names(current) & self._sums.keys()):
            form = linear_form(current, name)
            if form is None or names(form[0]) & {"v", *self.cell.equations.diff_eq_names}:
                continue
            one = self._sums[name]
            moved = mul(Name(one.slope.name), sub(Name("v"), Name(VOLTAGE)))
            if one.other is None:
                now[name] = add(Name(name), moved)
                continue
            ahead: Node = Name(one.other.ahead.name)
            if second_order:
                growth = add(growth, mul(form[0], mul(number(GROWTH), ahead)))
                ahead = mul(number(0.5), ahead)
            now[name] = add(add(Name(name), ahead), mul(number(2.0), moved))
        return substitute(current, now), growth
