"""Network operations: Python functions that are called in every step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from rall import model
from rall.errors import RallError
from rall.model import Call, Model, Operation
from rall.session import Clock, SimulationObject
from rall.units import Quantity, get_or_create_dimension

__all__ = ["NetworkOperation", "network_operation"]

_SECOND = Quantity(1.0, dim=get_or_create_dimension(second=1))


class NetworkOperation(SimulationObject):
    """A Python function that is called at every step of a clock.

    Parameters
    ----------
    function : callable
        Takes nothing, or the time (a Quantity).
    dt, clock, when, order, name
        As of `SimulationObject`.

    Raises
    ------
    RallError
        For a function of two or more arguments.
    """

    def __init__(
        self,
        function: Callable[..., object],
        dt: Any = None,
        clock: Clock | model.Clock | None = None,
        when: str = "start",
        order: int = 0,
        name: str = "networkoperation*",
    ) -> None:
        super().__init__(name, dt=dt, clock=clock, when=when, order=order)
        self.function = function
        self._takes_time = _takes_time(function)
        self.__doc__ = function.__doc__

    def operations(self, model: Model) -> Iterable[Operation]:
        """One call a step; see `SimulationObject.operations`."""
        yield Call(name=self.name, clock=self.clock, when=self.when, order=self.order, function=self._call)

    def _call(self, t: float) -> None:
        if not self.active:
            return
        if self._takes_time:
            self.function(t * _SECOND)
        else:
            self.function()

    def __call__(self, *arguments: Any) -> object:
        """Call the function itself."""
        return self.function(*arguments)


def _takes_time(function: Callable[..., object]) -> bool:
    if not callable(function):
        raise RallError(f"a network operation is a function of no argument or of the time, not {function!r}")
    needed = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        name = getattr(function, "__name__", repr(function))
        method = " (for a method, use NetworkOperation(object.method))" if needed[0].name == "self" else ""
        raise RallError(
            f"the network operation {name}({', '.join(p.name for p in needed)}) takes {len(needed)} "
            f"arguments; it can take none, or one, the time{method}"
        )
    return len(needed) == 1


def network_operation(
    function: Callable[..., object] | None = None,
    *,
    dt: Any = None,
    clock: Clock | model.Clock | None = None,
    when: str = "start",
    order: int = 0,
    name: str | None = None,
) -> Any:
    """Make a function part of the simulation; use it as a decorator with or without arguments.

    Parameters
    ----------
    function : callable
        Takes nothing, or the time (a Quantity).
    dt, clock, when, order
        As of `SimulationObject`.
    name : str, optional
        By default the function's name.

    Returns
    -------
    NetworkOperation
        In place of the function.
    """

    def decorate(function: Callable[..., object]) -> NetworkOperation:
        own = getattr(function, "__name__", "")
        usable = own.isidentifier() and own.isascii()
        chosen = name or (f"{own}*" if usable else "networkoperation*")
        return NetworkOperation(function, dt=dt, clock=clock, when=when, order=order, name=chosen)

    return decorate if function is None else decorate(function)
