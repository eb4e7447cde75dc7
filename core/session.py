"""Session: the names that a whole script shares, and the objects that it has made.

This is the one module with state of its own: preferences, the default clock, the seed, the chosen device and
the objects that the magic network looks at.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from weakref import WeakSet, WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from rall import model
from rall.errors import DimensionMismatchError, RallError
from rall.frames import caller_namespace, caller_place, warn
from rall.model import Model, Operation, Variable
from rall.options import Options
from rall.preferences import Preferences
from rall.units import Quantity, dimension_of, get_or_create_dimension, value_of

__all__ = [
    "Clock", "EventClock", "SimulationObject", "caller_namespace", "caller_place", "defaultclock", "live_objects",
    "options_from", "prefs", "seconds", "seed", "session", "session_seed", "start_scope", "unique_name", "warn",
]  # fmt: skip

_TIME = get_or_create_dimension(second=1)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MASK64 = (1 << 64) - 1


@dataclass
class Session:
    """What is shared by everything in this process.

    Attributes
    ----------
    prefs : Preferences
        Set by the user.
    seed : Variable
        Shared integer, the seed of all random streams.
    seeded : int
        How often `seed` was called.
    scope : int
        How often `start_scope` was called.
    device : str
        Chosen with `set_device`; ``'runtime'`` leaves it to ``prefs.codegen.target``.
    settings : Mapping
        What `set_device` got beside the name.
    said : set of str
        Warnings that are given once.
    objects, made
        Objects that still exist by number, and how many were made.
    networks, networks_made
        The same of networks.
    running : list of callable
        Functions that stop the networks which are running.
    streams : Counter of str
        How many objects of a name have taken a random stream since the last seed.
    """

    prefs: Preferences = field(default_factory=Preferences)
    seed: Variable = field(default_factory=lambda: Variable("_seed", model.SHARED, kind="integer"))
    seeded: int = 0
    scope: int = 0
    device: str = "runtime"
    settings: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    said: set[str] = field(default_factory=set)
    objects: WeakValueDictionary[int, SimulationObject] = field(default_factory=WeakValueDictionary)
    made: int = 0
    networks: WeakSet[Any] = field(default_factory=WeakSet)
    networks_made: int = 0
    running: list[Callable[[], None]] = field(default_factory=list)
    streams: Counter[str] = field(default_factory=Counter)

    def first_time(self, what: str) -> bool:
        """Whether this is asked for the first time: for warnings that are given once a process."""
        known = what in self.said
        self.said.add(what)
        return not known


session = Session()
#: Preferences of this session.
prefs = session.prefs


def options_from(preferences: Preferences) -> Options:
    """The options of one compilation.

    Parameters
    ----------
    preferences : Preferences
        What the user has set.
    """
    return Options(
        share_exponentials=preferences["codegen.share_exponentials"],
        reproducible=preferences["codegen.reproducible"],
        compiler=preferences["codegen.compiler"],
        extra_compile_args=preferences["codegen.extra_compile_args"],
        threads=None if preferences["threads"] == "auto" else preferences["threads"],
    )


def start_scope() -> None:
    """Hide all objects made so far from the magic network."""
    session.scope += 1


# --- random numbers -----------------------------------------------------------------------------------------


def seed(n: int | None = None) -> None:
    """Choose the random numbers of everything that follows, of those that a script draws from `numpy.random` too.

    Parameters
    ----------
    n : int, optional
        The same number gives the same results; without it, the operating system is asked for a new one.

    Raises
    ------
    TypeError
        If this is no whole number.
    """
    if n is None:
        n = int.from_bytes(os.urandom(8), "little")
    elif isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"seed takes a whole number or nothing, not {n!r}")
    session.seed.array[0] = np.uint64(int(n) & _MASK64).astype(np.int64)
    session.seeded += 1
    session.streams.clear()
    # The star import's rand and randn are methods of NumPy's global generator.
    np.random.seed(int(n) & 0xFFFFFFFF)  # noqa: NPY002


def session_seed() -> Variable:
    """The shared integer that all random streams start from."""
    return session.seed


def _stream_of(name: str) -> int:
    # A second object of a name since the last seed (a loop over trials) gets numbers of its own.
    again = session.streams[name]
    session.streams[name] += 1
    text = f"{name}#{again}" if again else name
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")


seed()

# --- time ---------------------------------------------------------------------------------------------------


def seconds(value: Any, what: str) -> float:
    """A time as a number of seconds.

    Parameters
    ----------
    value : Quantity
        A single time; a plain 0 will do too.
    what : str
        What it is, for the message.

    Raises
    ------
    DimensionMismatchError
        If it is no time.
    RallError
        If it is no single finite number.
    """
    text = isinstance(value, str)
    if text or (dimension_of(value) is not _TIME and not (np.ndim(value) == 0 and value_of(value) == 0)):
        raise DimensionMismatchError(f"{what} must be a time such as 10*ms, not {value!r}")
    plain = np.asarray(value_of(value), float)
    if plain.size != 1 or not np.isfinite(plain).all():
        raise RallError(f"{what} must be a single finite time, not {value!r}")
    return float(plain.item())


class Clock:
    """Time in equal steps.

    Parameters
    ----------
    dt : Quantity
        Length of a step; it may be changed between runs where the time is a multiple of the new one.
    name : str
        A trailing ``*`` is replaced by a number where needed.

    Attributes
    ----------
    model_clock : rall.model.Clock
        What operations refer to; in seconds.

    Examples
    --------
    >>> from rall.units import ms
    >>> Clock(dt=0.25*ms).dt
    0.25*msecond
    """

    def __init__(self, dt: Any, name: str = "clock*") -> None:
        self.model_clock = model.Clock(_step_length(dt), unique_name(name, _clock_names.values()))
        _clock_names[id(self.model_clock)] = self.model_clock
        self.when = "start"

    def __setattr__(self, name: str, value: Any) -> None:
        if not (hasattr(type(self), name) or name.startswith("_") or name in ("model_clock", "when")):
            raise AttributeError(f"'{self.name}' has no attribute '{name}'; a clock has dt, to be set, t and timestep")
        super().__setattr__(name, value)

    @property
    def name(self) -> str:
        """Its name."""
        return self.model_clock.name

    @property
    def dt(self) -> Any:
        """Length of a step, a time."""
        return Quantity(self.model_clock.dt, dim=_TIME)

    @dt.setter
    def dt(self, value: Any) -> None:
        self.dt_ = _step_length(value)

    @property
    def dt_(self) -> float:
        """Length of a step in seconds."""
        return self.model_clock.dt

    @dt_.setter
    def dt_(self, value: float) -> None:
        self.model_clock.dt = value
        self.model_clock.dt_variable.array[0] = value

    @property
    def t(self) -> Any:
        """Start of the present step, a time."""
        return Quantity(self.t_, dim=_TIME)

    @property
    def t_(self) -> float:
        """Start of the present step in seconds."""
        return self.model_clock.time_of(self.model_clock.step)

    @property
    def timestep(self) -> int:
        """Number of the present step."""
        return self.model_clock.step

    def __repr__(self) -> str:
        return f"Clock(dt={self.dt!r}, name={self.name!r})"


class EventClock(Clock):
    """Time in steps at given times, for network operations, code that runs regularly, and monitors of variables.

    Parameters
    ----------
    times : Quantity
        When, in any order; of equal ones there is one.
    name : str
        A trailing ``*`` is replaced by a number where needed.

    Attributes
    ----------
    times : Quantity
        Ascending.

    Raises
    ------
    DimensionMismatchError
        If these are no times.
    RallError
        If one is negative, infinite or not a number.

    Examples
    --------
    >>> from rall.units import ms
    >>> EventClock([1, 2.5]*ms).times
    array([1. , 2.5]) ms
    """

    def __init__(self, times: Any, name: str = "eventclock*") -> None:
        if isinstance(times, str) or dimension_of(times) is not _TIME:
            raise DimensionMismatchError(f"an EventClock takes times such as [10, 20]*ms, not {times!r:.80}")
        plain = np.unique(np.atleast_1d(np.asarray(value_of(times), float)))
        if not np.isfinite(plain).all() or (plain < 0).any():
            raise RallError(f"times of an EventClock are finite and not negative, not {times!r:.80}")
        # Times that agree with those of other clocks to a small part of a step belong to the same step.
        near = float(np.min(np.diff(plain), initial=defaultclock.dt_))
        self._times = plain
        self.model_clock = model.EventClock(near, unique_name(name, _clock_names.values()), times=plain)
        _clock_names[id(self.model_clock)] = self.model_clock
        self.when = "start"

    @property
    def times(self) -> Any:
        """When its steps are, shape (steps,)."""
        return Quantity(self._times.copy(), dim=_TIME)

    @property
    def dt_(self) -> float:
        """Refused: its steps have no one length.

        Raises
        ------
        RallError
            Always.
        """
        raise RallError(f"'{self.name}' has times and no dt")

    @dt_.setter
    def dt_(self, value: float) -> None:
        raise RallError(f"'{self.name}' has times and no dt that could be set")

    @property
    def dt(self) -> Any:
        """Refused, as `dt_`."""
        return self.dt_

    @dt.setter
    def dt(self, value: Any) -> None:
        self.dt_ = value

    def __repr__(self) -> str:
        return f"EventClock(times={self.times!r:.80}, name={self.name!r})"


_clock_names: WeakValueDictionary[int, model.Clock] = WeakValueDictionary()


def _step_length(dt: Any) -> float:
    length = seconds(dt, "the step dt of a clock")
    if length <= 0:
        raise RallError(f"the step dt of a clock must be positive, not {dt!r}")
    return length


def unique_name(name: str, taken: Iterable[Any]) -> str:
    """A name for a new object.

    Parameters
    ----------
    name : str
        A trailing ``*`` is left out and, where the rest is taken, replaced by ``_1``, ``_2`` and so on.
    taken : iterable
        Objects with a ``name`` that are there already.

    Raises
    ------
    RallError
        If it is no name.
    """
    base = name.removesuffix("*")
    if not _NAME.fullmatch(base):
        raise RallError(
            f"{name!r} cannot be the name of an object: it takes letters, digits and '_', no digit in front"
        )
    if base == name:
        return name
    known = {other.name for other in taken}
    candidate, number = base, 0
    while candidate in known:
        number += 1
        candidate = f"{base}_{number}"
    return candidate


#: The clock of whatever has none of its own.
defaultclock = Clock(Quantity(1e-4, dim=_TIME), name="defaultclock")

# --- objects ------------------------------------------------------------------------------------------------


class SimulationObject:
    """Whatever a network can contain.

    Parameters
    ----------
    name : str, optional
        A trailing ``*`` is replaced by a number where needed; by default the class's name in lower case.
    dt : Quantity, optional
        For a clock of its own.
    clock : Clock or rall.model.Clock, optional
        By default `defaultclock`.
    when : str
        Slot of the schedule.
    order : int
        Place inside the slot.

    Attributes
    ----------
    clock : rall.model.Clock
        What drives it.
    contained_objects : list of SimulationObject
        Objects that come and go with it.
    created_at : str
        ``file:line`` of the user's statement.
    network : int or None
        Number of the network that has run it.
    scope : int
        How often `start_scope` had been called when it was made.
    serial : int
        Number in the order in which objects were made.
    """

    #: Whether the magic network looks at objects of this class.
    add_to_magic_network = True
    #: Whether a new one beside old ones is a mixture that the magic network refuses.
    invalidates_magic_network = True

    def __init__(
        self,
        name: str | None = None,
        dt: Any = None,
        clock: Clock | model.Clock | None = None,
        when: str = "start",
        order: int = 0,
    ) -> None:
        if dt is not None and clock is not None:
            raise RallError("give dt or clock, not both: a clock has its own dt")
        wanted = name or f"{type(self).__name__.lower()}*"
        self.name = unique_name(wanted, live_objects())
        self._family = wanted.removesuffix("*")
        if dt is not None:
            clock = Clock(dt, name=f"{self.name}_clock*")
        chosen = defaultclock if clock is None else clock
        self.clock = chosen.model_clock if isinstance(chosen, Clock) else chosen
        self.when = when
        self.order = order
        self.contained_objects: list[SimulationObject] = []
        self.created_at = caller_place()
        self.network: int | None = None
        self.scope = session.scope
        self._active = True
        self._random = (-1, 0)
        session.made += 1
        self.serial = session.made
        session.objects[self.serial] = self

    @property
    def active(self) -> bool:
        """Whether runs include it; what it contains follows."""
        return self._active

    @active.setter
    def active(self, value: bool) -> None:
        self._active = bool(value)
        for inner in self.contained_objects:
            inner.active = value

    @property
    def stream(self) -> int:
        """Number of its random stream, 32 bits.

        Fixed by the name that was asked for and by how many objects of that name have drawn since the last
        `seed`.  What else is alive, and hence the number in an automatic name, plays no part: after the same
        seed the same statements give the same results, and trials in a loop differ.
        """
        if self._random[0] != session.seeded:
            self._random = (session.seeded, _stream_of(self._family))
        return self._random[1]

    def operations(self, model: Model) -> Iterable[Operation]:
        """What it does in a step; made anew for every run.

        Parameters
        ----------
        model : Model
            All components, and the seed.
        """
        return ()

    def places(self) -> list[tuple[str, str, int]]:
        """What it does in a step, for summaries: name, slot and order of each part."""
        return [(self.name, self.when, self.order)]

    def dependencies(self) -> Iterable[SimulationObject]:
        """Objects that it makes no sense without."""
        return ()

    def left_out(self) -> None:
        """Called instead of `operations` where it is switched off."""

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """Prepare for a run; called before `operations`.

        Parameters
        ----------
        namespace : mapping
            The names that the user sees, or those given to ``run``.
        """

    def after_run(self) -> None:
        """Called when a run has ended, in whatever way."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays that a run changes, by name, for ``store``; copies are made by the caller."""
        return {}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave, or a state of the same types and shapes.

        Parameters
        ----------
        state : mapping
            Arrays by name.
        """

    def growing(self) -> Mapping[str, str]:
        """Which arrays of `state` may have any length, by name, and what their first axis counts.

        Arrays that count the same have the same length.
        """
        return {}

    def signature(self) -> str:
        """What must be equal for a stored state to fit: the class, and what it adds behind semicolons."""
        return type(self).__name__

    def random_state(self) -> list[int]:
        """Where its random numbers come from and how many texts have drawn; empty before the first draw."""
        return [self._random[1]] if self._random[0] == session.seeded else []

    def set_random_state(self, state: Sequence[int]) -> None:
        """Take over what `random_state` gave.

        Parameters
        ----------
        state : sequence of int
            An empty one changes nothing.
        """
        if len(state):
            self._random = session.seeded, int(state[0])

    def describe_element(self, index: int) -> str:
        """How messages name one element.

        Parameters
        ----------
        index : int
            In the user's order.
        """
        return f"element {index} of '{self.name}'"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}', made at {self.created_at}>"


def live_objects() -> list[SimulationObject]:
    """All objects that still exist, in the order in which they were made."""
    return list(session.objects.values())
