"""Timeline: the time of a network, its clocks, and the seed of its random numbers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from rall.errors import RallError
from rall.model import SHARED, Clock, EventClock, Variable
from rall.session import session, session_seed
from rall.units import Quantity, get_or_create_dimension, in_best_unit

__all__ = ["NetworkSeed", "Timeline", "first_step", "shown", "steps_until"]

#: Part of a step by which two times may differ and yet count as the same.
SAME_TIME = 1e-4

_TIME = get_or_create_dimension(second=1)


def steps_until(t: float, dt: float) -> int:
    """Number of the first step that does not start before `t`.

    Parameters
    ----------
    t, dt : float
        In seconds; a step that starts within 1e-4 dt before `t` counts as starting there.

    Examples
    --------
    >>> steps_until(1.0, 0.1), steps_until(1.05, 0.1)
    (10, 11)
    """
    nearest = round(t / dt)
    # Before a clock with steps far longer than t its first step, at 0, still lies.
    near = abs(nearest * dt - t) <= SAME_TIME * min(dt, t) if t > 0 else True
    return nearest if near else math.ceil(t / dt)


def first_step(clock: Clock, t: float) -> int:
    """Number of the first step of a clock that does not start before `t`, in seconds."""
    if isinstance(clock, EventClock):
        return int(np.searchsorted(clock.times, t - SAME_TIME * clock.dt))
    return steps_until(t, clock.dt)


def shown(seconds: float) -> str:
    """A simulated time as text in the unit that reads best.

    Parameters
    ----------
    seconds : float
        The time.
    """
    return str(in_best_unit(Quantity(seconds, dim=_TIME)))


class Timeline:
    """The time of one network, and its clocks.

    Attributes
    ----------
    t : float
        Up to where the network has run, in seconds.
    """

    def __init__(self) -> None:
        self.t = 0.0
        self._lengths: WeakKeyDictionary[Clock, float] = WeakKeyDictionary()

    def begin_again(self) -> None:
        """Go back to time 0."""
        self.t = 0.0
        self._lengths.clear()

    def start(self, clocks: Iterable[Clock]) -> None:
        """Set clocks to the present time.

        Parameters
        ----------
        clocks : iterable of Clock
            Those of the run that begins.

        Raises
        ------
        RallError
            If dt of one has changed since the last run, and the time is no multiple of the new one.
        """
        for clock in clocks:
            before = self._lengths.get(clock, clock.dt)
            step = first_step(clock, self.t)
            if before != clock.dt and abs(step * clock.dt - self.t) > SAME_TIME * clock.dt:
                raise RallError(
                    f"dt of '{clock.name}' cannot change from {shown(before)} to {shown(clock.dt)} at "
                    f"t = {shown(self.t)}, which is no multiple of the new dt; run until a multiple of it, "
                    "or take another dt"
                )
            self.put(clock, step)

    def put(self, clock: Clock, step: int) -> None:
        """Set a clock, and what kernels and users read of it.

        Parameters
        ----------
        clock : Clock
            Which one.
        step : int
            Number of its present step.
        """
        self._lengths[clock] = clock.dt
        clock.step = step
        clock.dt_variable.array[0] = clock.dt
        clock.t_variable.array[0] = clock.time_of(step)
        clock.step_variable.array[0] = step

    def catch_up(self, clocks: Iterable[Clock], now: float) -> None:
        """Set clocks that are new in a run, or were left behind while all that they drive was switched off.

        Parameters
        ----------
        clocks : iterable of Clock
            Those of a program.
        now : float
            In seconds.
        """
        for clock in clocks:
            step = first_step(clock, now)
            if clock not in self._lengths or clock.step < step:
                self.put(clock, step)

    def settle(self, t: float, driven: Sequence[Clock], others: Iterable[Clock]) -> None:
        """Take over where a run has ended.

        Parameters
        ----------
        t : float
            The end in seconds.
        driven : sequence of Clock
            Clocks that the program has moved.
        others : iterable of Clock
            Clocks of objects, which may be among them.
        """
        self.t = t
        for clock in driven:
            self.put(clock, clock.step)
        for clock in others:
            if not any(clock is one for one in driven):
                self.put(clock, first_step(clock, t))


class NetworkSeed:
    """The seed of one network's random numbers: the session's, but for what `restore` asks.

    Attributes
    ----------
    variable : Variable
        Shared integer that kernels read.
    """

    def __init__(self) -> None:
        self.variable = Variable("_seed", SHARED, kind="integer", role="constant")
        self._seeded = -1
        self._restored = 0

    @property
    def value(self) -> int:
        """The seed at present."""
        self.renew()
        return int(self.variable.array[0])

    def renew(self) -> None:
        """Take over the session's seed if it was set since."""
        if self._seeded != session.seeded:
            self._seeded, self._restored = session.seeded, 0
            self.variable.array[0] = session_seed().array[0]

    def repeat(self, value: int) -> None:
        """Draw the same numbers as before.

        Parameters
        ----------
        value : int
            What `value` was then.
        """
        self.renew()
        self.variable.array[0] = value

    def vary(self) -> None:
        """Draw other numbers than before, the same ones in every run of the same script."""
        self.renew()
        self._restored += 1
        text = f"{int(session_seed().array[0])} {self._restored}"
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        self.variable.array[0] = np.frombuffer(digest, np.int64)[0]
