"""Model: what components add up to before any device is known.

A `Domain` is an index set, a `Variable` an array on it, an `Operation` one of the few kinds of work that a
device knows.  Components put variables and operations into a `Model`; the stages after it read nothing else.
Arrays are kept in storage order (`Layout`), padded so that kernels run over whole SIMD vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.events import EventList, EventQueue, Timetable
from rall.ir.nodes import Node
from rall.recording import Events, Table
from rall.units import DIMENSIONLESS, Dimension, get_or_create_dimension

__all__ = [
    "ALIGNMENT", "PADDING", "SHARED", "TOO_MANY_SUBSTEPS", "TOO_SMALL_SUBSTEPS", "Access", "Accesses", "Assign", "Call",
    "Check", "Clock", "Component", "Deliver", "Domain", "Elementwise", "Emit", "ErrorControl", "EventClock",
    "Integrate", "Layout", "Lazy", "Model", "Operation", "Record", "RecordEvents", "Reduce", "Solve", "Tableau",
    "Variable", "aligned",
]  # fmt: skip

#: What `Integrate.failure` says.
TOO_MANY_SUBSTEPS, TOO_SMALL_SUBSTEPS = 1, 2
#: Storage sizes are multiples of this many elements (one AVX-512 vector of doubles).
PADDING = 8
#: Arrays start at multiples of this many bytes.
ALIGNMENT = 64

_DTYPES = {"float": np.float64, "integer": np.int64, "index": np.int32, "boolean": np.bool_}


def aligned(size: int, kind: str = "float") -> NDArray[Any]:
    """A zeroed array of `size` elements whose first byte lies on an `ALIGNMENT` border."""
    dtype = np.dtype(_DTYPES[kind])
    raw = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size * dtype.itemsize].view(dtype)


@dataclass(frozen=True, eq=False)
class Layout:
    """How a domain's elements lie in storage.

    Parameters
    ----------
    size : int
        Number of elements the user sees.
    place : ndarray of int64, optional
        Storage index of each user index; None for the same order.
    stored : int, optional
        Number of storage elements, a multiple of `PADDING`; by default `size` rounded up.
    blocks : ndarray of int64, shape (blocks, 2), optional
        First storage element of each block and the one behind its last, ascending multiples of `PADDING`; None for one
        block.  What lies between blocks is no element's.
    """

    size: int
    place: NDArray[np.int64] | None = None
    stored: int = -1
    blocks: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.stored < 0:
            object.__setattr__(self, "stored", -(-self.size // PADDING) * PADDING)

    def to_storage(self, values: NDArray[Any], storage: NDArray[Any]) -> None:
        """Write user-ordered `values` into `storage`; padding repeats the first element."""
        if self.place is None:
            storage[: self.size] = values
        else:
            storage[self.place] = values
        self.fill_padding(storage)

    def fill_padding(self, storage: NDArray[Any]) -> None:
        """Give the padding the first element's value, so that it is as finite as the rest."""
        if self.stored > self.size and self.size:
            first = storage[0 if self.place is None else self.place[0]]
            storage[self.padding()] = first

    def padding(self) -> NDArray[np.int64]:
        """Storage indices that hold no element."""
        return self._padding

    @cached_property
    def _padding(self) -> NDArray[np.int64]:
        if self.place is None:
            return np.arange(self.size, self.stored)
        free = np.ones(self.stored, bool)
        free[self.place] = False
        return np.flatnonzero(free)

    def block_of(self, storage: NDArray[np.int64]) -> NDArray[np.int64]:
        """The block of each storage element."""
        if self.blocks is None:
            return np.zeros(len(storage), np.int64)
        return np.searchsorted(self.blocks[:, 0], storage, side="right") - 1

    def users(self) -> NDArray[np.int64]:
        """The user's index of every storage element, -1 for padding; shape (stored,)."""
        found = np.full(self.stored, -1)
        found[np.arange(self.size) if self.place is None else self.place] = np.arange(self.size)
        return found

    def to_user(self, storage: NDArray[Any]) -> NDArray[Any]:
        """A copy of `storage` in the user's order."""
        return storage[: self.size].copy() if self.place is None else storage[self.place]

    def index(self, user: NDArray[np.int64]) -> NDArray[np.int64]:
        """Storage indices of user indices."""
        return user if self.place is None else self.place[user]


@dataclass(eq=False)
class Domain:
    """An index set: the compartments of a cell, the neurons of a group, or one shared element."""

    name: str
    layout: Layout

    @property
    def size(self) -> int:
        """Number of elements the user sees."""
        return self.layout.size


#: The domain of values that all elements share.
SHARED = Domain("shared", Layout(1, None, 1))


@dataclass(eq=False)
class Variable:
    """An array of values on a domain, in storage order and SI base units.

    Parameters
    ----------
    name : str
        The user's name for it.
    domain : Domain
        Where it lives; `SHARED` for a single value.
    dimension : Dimension
        What it measures.
    kind : {'float', 'integer', 'index', 'boolean'}
        Type of the elements; an index is an integer of 32 bits, for maps that would fill the memory otherwise.
    role : {'state', 'parameter', 'constant', 'scratch', 'clock', 'table'}
        Who writes it: equations, the user, nobody, the program for itself, a clock.  A table is written by nobody
        and has a domain of its own: statements see it whole and only hand it to functions.
    array : ndarray
        Storage; made here unless given.
    """

    name: str
    domain: Domain
    dimension: Dimension = DIMENSIONLESS
    kind: str = "float"
    role: str = "state"
    array: NDArray[Any] = field(default=None, repr=False)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        if self.array is None:
            self.array = aligned(max(1, self.domain.layout.stored), self.kind)

    @property
    def shared(self) -> bool:
        """Whether there is one value for all elements."""
        return self.domain is SHARED

    @property
    def address(self) -> int:
        """Where its storage lies; the same for variables that share it."""
        return int(self.array.__array_interface__["data"][0])

    def resize(self, kept: int) -> None:
        """New storage for a domain whose size has changed.

        Parameters
        ----------
        kept : int
            How many elements keep their values; the others are zero.
        """
        old = self.array
        self.array = aligned(max(1, self.domain.layout.stored), self.kind)
        self.array[:kept] = old[:kept]

    def get(self) -> NDArray[Any]:
        """The values in the user's order (a copy); shape (size,)."""
        return self.domain.layout.to_user(self.array)

    def same(self) -> bool:
        """Whether all elements have one value."""
        layout = self.domain.layout
        if not layout.size:
            return True
        stored = self.array[: max(1, layout.stored)]
        first = stored[0 if layout.place is None else layout.place[0]]
        # Storage in one row is looked at fast, and its padding mostly has the first element's value, too.
        return bool((stored == first).all()) or bool((self.get() == first).all())

    def set(self, values: object) -> None:
        """Write values (a scalar or an array in the user's order), SI base units."""
        self.domain.layout.to_storage(np.broadcast_to(np.asarray(values), (self.domain.size,)), self.array)


class Lazy(Variable):
    """A constant whose storage is made when something asks for it.

    Parameters
    ----------
    name, domain, dimension, kind, role
        As of `Variable`.
    make : callable
        Gives the values in the user's order; shape (size,).
    """

    def __init__(
        self, name: str, domain: Domain, dimension: Dimension, kind: str, role: str, make: Callable[[], NDArray[Any]]
    ) -> None:
        self._make: Callable[[], NDArray[Any]] = make
        self._array: NDArray[Any] | None = None
        self.name, self.domain, self.dimension, self.kind, self.role = name, domain, dimension, kind, role

    @property
    def array(self) -> NDArray[Any]:  # type: ignore[override]
        """Storage, made at the first call."""
        if self._array is None:
            self._array = aligned(max(1, self.domain.layout.stored), self.kind)
            self.domain.layout.to_storage(self._make(), self._array)
        return self._array

    def get(self) -> NDArray[Any]:
        """See `Variable.get`."""
        made = _DTYPES[self.kind]
        return np.array(self._make(), made) if self._array is None else super().get()

    def set(self, values: object) -> None:
        """See `Variable.set`."""
        self.domain.layout.to_storage(np.broadcast_to(np.asarray(values), (self.domain.size,)), self.array)


@dataclass(frozen=True, eq=False)
class Access:
    """A variable as seen from another domain: element ``index[k]`` for the operation's element k.

    Reading is a gather.  Writing adds (a scatter), free of conflicts only where `index` repeats no entry
    but those of the padding.

    Parameters
    ----------
    variable : Variable
        What is seen.
    index : Variable
        Storage index in its domain; -1 for elements that have nothing to see.
    problem : str
        Why statements cannot use it, where there are such elements: the message for those who name it.
    """

    variable: Variable
    index: Variable
    problem: str = ""


@dataclass(eq=False)
class Clock:
    """Time as an integer step; `t`, `dt` and `t_in_timesteps` are shared variables kernels can read."""

    dt: float
    name: str = "clock"
    step: int = 0

    def __post_init__(self) -> None:
        time = get_or_create_dimension(second=1)
        self.t_variable = Variable("t", SHARED, time, role="clock")
        self.dt_variable = Variable("dt", SHARED, time, role="clock")
        self.step_variable = Variable("t_in_timesteps", SHARED, kind="integer", role="clock")
        self.dt_variable.array[0] = self.dt

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "dt" and not isinstance(value, (float, int)):
            raise RallError(
                f"the step of an object's clock cannot be set to {value!r} here: set defaultclock.dt, or dt of the "
                "Clock that the object was given"
            )
        super().__setattr__(name, value)

    def time_of(self, step: int) -> float:
        """When a step starts, in seconds."""
        return step * self.dt


@dataclass(eq=False)
class EventClock(Clock):
    """Time as steps at given times; `dt` is how far these may be off and count as the same as others, times 1e4.

    Attributes
    ----------
    times : ndarray of float, shape (steps,)
        In seconds, ascending.
    """

    times: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def time_of(self, step: int) -> float:
        """When a step starts, in seconds; there is none behind the last one."""
        return float(self.times[step]) if step < len(self.times) else np.inf


@dataclass(frozen=True)
class Assign:
    """``target = value``; a target that is bound to nothing is local to its operation."""

    target: str
    value: Node


@dataclass(frozen=True)
class Accesses:
    """What an operation reads and writes, as addresses of arrays.

    Parameters
    ----------
    reads, writes : frozenset of int
        Of everything; what is read through maps is among the former.
    mapped : frozenset of int
        What is read or written at other elements than the operation's own.
    """

    reads: frozenset[int] = frozenset()
    writes: frozenset[int] = frozenset()
    mapped: frozenset[int] = frozenset()

    def disturbs(self, other: Accesses) -> bool:
        """Whether the two cannot change places."""
        return bool(self.writes & (other.reads | other.writes) or other.writes & self.reads)


@dataclass(eq=False, kw_only=True)
class Operation:
    """One piece of work of every step of its clock, at a place in the schedule.

    Parameters
    ----------
    name : str
        Unique inside a model; breaks ties of `order`.
    clock : Clock
        When it is due.
    when : str
        Schedule slot.
    order : int
        Place inside the slot.
    parts : tuple of Operation
        What it was made of, where several were made one.
    """

    name: str
    clock: Clock
    when: str = "groups"
    order: int = 0
    active: Callable[[], bool] | None = None
    parts: tuple[Operation, ...] = ()

    def accesses(self) -> Accesses | None:
        """What it reads and writes; None where that is not known, so that nothing may pass it."""
        return None


@dataclass(eq=False, kw_only=True)
class Elementwise(Operation):
    """Assignments for every element of a domain.

    Parameters
    ----------
    domain : Domain
        Over which elements.
    statements : sequence of Assign
        In order; each sees the results of those before it.
    bindings : mapping
        From names in the statements to variables or `Access` through a map.
    mask : Node, optional
        Elements where it is false keep their values.
    """

    domain: Domain
    statements: Sequence[Assign]
    bindings: Mapping[str, Variable | Access]
    mask: Node | None = None

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        return _accesses(self.bindings, {statement.target for statement in self.statements})


def _accesses(bindings: Mapping[str, Variable | Access], targets: Set[str]) -> Accesses:
    reads, writes, mapped = set(), set(), set()
    for name, bound in bindings.items():
        variable = bound.variable if isinstance(bound, Access) else bound
        reads.add(variable.address)
        if isinstance(bound, Access):
            mapped.add(variable.address)
            reads.add(bound.index.address)
        if name in targets:
            writes.add(variable.address)
    return Accesses(frozenset(reads), frozenset(writes), frozenset(mapped))


@dataclass(eq=False, kw_only=True)
class Deliver(Elementwise):
    """Assignments for each event, one after the other: at its element, or at the synapses that it reaches.

    What is written through a map is set, not added as in `Elementwise`; each run of the statements sees what those
    before it have left, in the order of the queue.

    Parameters
    ----------
    events : EventList
        What happens in the present step.
    queue : EventQueue, optional
        Which elements of `domain` an event reaches, and when; without it the element itself, now.
    """

    events: EventList
    queue: EventQueue | None = None

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        own = super().accesses()
        return Accesses(own.reads | {self.events.address}, own.writes, own.reads | own.writes)


@dataclass(eq=False, kw_only=True)
class Reduce(Operation):
    """Sums over a map into another domain: ``target[index[k]] += values[k]``, from zero, in the order of k.

    Parameters
    ----------
    values : Variable
        Floats on the domain that is summed over.
    index : Variable
        Storage index in the target's domain, for each element.
    target : Variable
        What is replaced by the sums.
    """

    values: Variable
    index: Variable
    target: Variable

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        read = frozenset((self.values.address, self.index.address))
        return Accesses(read, frozenset((self.target.address,)), read | {self.target.address})


@dataclass(eq=False, kw_only=True)
class Check(Operation):
    """Stops the run where a float variable has become infinite or NaN.

    Parameters
    ----------
    variable : Variable
        Which one.
    every : int
        Only steps that are multiples of it look.
    """

    variable: Variable
    every: int = 1

    @property
    def values(self) -> NDArray[Any]:
        """What is looked at: padding behind the elements goes its own way, without the resets that keep them finite."""
        layout = self.variable.domain.layout
        return self.variable.array[: layout.size] if layout.place is None else self.variable.array

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        return Accesses(frozenset((self.variable.address,)))


@dataclass(eq=False, kw_only=True)
class Solve(Operation):
    """A linear system along a structure; the sweep is fixed text of every device.

    Parameters
    ----------
    solver : str
        Name of the sweep, such as ``'tree_sdirk3'``.
    structures : sequence of mapping of str to ndarray
        Integer and float tables, which number the storage of one block from 0.
    blocks : ndarray of int64, shape (blocks, 3)
        Of each block its structure, its first storage element, and how many it has.
    variables : mapping of str to Variable
        Coefficients, right-hand side and unknown of all blocks.
    """

    solver: str
    structures: Sequence[Mapping[str, NDArray[Any]]]
    blocks: NDArray[np.int64]
    variables: Mapping[str, Variable]

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        touched = frozenset(variable.address for variable in self.variables.values())
        return Accesses(touched, touched, touched)


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method that estimates its own error (Hairer, Norsett & Wanner 1993, section II.4).

    Parameters
    ----------
    a : tuple of tuple of float
        Row i has i entries: the weights of earlier slopes in stage i.
    b : tuple of float
        Weights of the slopes in the step.
    error : tuple of float
        Weights of the slopes in the estimate of its error.
    order : int
        The error of the estimate's weaker method goes with this power of the step, and one more in a single step.
    """

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    error: tuple[float, ...]
    order: int

    @property
    def c(self) -> tuple[float, ...]:
        """Where in the step the stages lie."""
        return tuple(math.fsum(row) for row in self.a)


@dataclass(frozen=True)
class ErrorControl:
    """When a sub-step is good enough.

    Parameters
    ----------
    absolute : tuple of float
        Largest error of each variable in a sub-step, in its base unit.
    relative : float
        What may be added to that, as a part of the variable's size.
    most : int
        Accepted sub-steps in a step after which it is given up; 0 for no limit.
    adaptive : bool
        Whether to look at the error at all; else one sub-step is the whole step.
    """

    absolute: tuple[float, ...]
    relative: float
    most: int
    adaptive: bool


@dataclass(eq=False, kw_only=True)
class Integrate(Operation):
    """Differential equations over one step, element by element, in sub-steps that their errors determine.

    Parameters
    ----------
    domain : Domain
        Over which elements.
    held : sequence of Assign
        Values that are computed at the beginning of the step and hold for it.
    equations : mapping of str to Node
        From each variable to its rate of change per second.
    time : str or None
        The name of time, which goes on from sub-step to sub-step.
    bindings : mapping
        As of `Elementwise`; the variables of the equations are bound to variables of the domain.
    tableau, control
        The method, and when it is good enough.
    last, rejected, accepted : Variable, optional
        Of each element: the sub-step (seconds) to begin with, 0 for the whole step, which is kept from step to step;
        how many sub-steps of the last step failed; how many did not.

    Attributes
    ----------
    failure : ndarray of int64
        What went wrong: the element in the user's order, and `TOO_MANY_SUBSTEPS` or `TOO_SMALL_SUBSTEPS`.
    """

    domain: Domain
    held: Sequence[Assign]
    equations: Mapping[str, Node]
    time: str | None
    bindings: Mapping[str, Variable | Access]
    tableau: Tableau
    control: ErrorControl
    last: Variable | None = None
    rejected: Variable | None = None
    accepted: Variable | None = None
    failure: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        memory = {f"_memory{k}": v for k, v in enumerate((self.last, self.rejected, self.accepted)) if v is not None}
        return _accesses({**self.bindings, **memory}, self.equations.keys() | memory.keys())


@dataclass(eq=False, kw_only=True)
class Emit(Operation):
    """Finds the elements at which something happens in this step.

    Parameters
    ----------
    source : Variable or Timetable
        Boolean scratch that an Elementwise wrote, or events whose times are known.
    elements : ndarray of int64, optional
        Storage indices that are looked at, in the user's order; None for all of the domain as they lie.
    reported : ndarray of int64, optional
        What stands in the list for each of these, by default the same.
    events : EventList
        Where they go.
    """

    source: Variable | Timetable
    elements: NDArray[np.int64] | None = None
    reported: NDArray[np.int64] | None = None
    events: EventList

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        read = frozenset((self.source.address,)) if isinstance(self.source, Variable) else frozenset()
        return Accesses(read, frozenset((self.events.address,)), read)


@dataclass(eq=False, kw_only=True)
class Record(Operation):
    """Appends weighted sums of elements of variables to a table, one row a step.

    Parameters
    ----------
    rows : sequence of (Variable, ndarray of int64, ndarray of float64, ndarray of int64 or None)
        For each variable: storage indices, weights, and borders of the runs that are summed to one column.  With None
        for the borders the weights have the shape (indices, columns), and every column is a sum over all the indices.
    table : Table
        Where rows go.
    """

    rows: Sequence[tuple[Variable, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64] | None]]
    table: Table

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        read = frozenset(variable.address for variable, *_ in self.rows)
        return Accesses(read, frozenset(), read)


@dataclass(eq=False, kw_only=True)
class RecordEvents(Operation):
    """Keeps the events of a step, with values of variables at them, and counts them.

    Parameters
    ----------
    events : EventList
        What happens in the present step.
    labels : ndarray of int64
        For each storage index what is reported; -1 leaves an element out.
    log : Events, optional
        Where label, step and values go.
    values : sequence of Variable
        On the domain of the events, or shared: what is kept with each event.
    counts : ndarray of int64, optional
        For each label how often it has occurred.
    total : Variable, optional
        Shared float: how many there are in this step.
    """

    events: EventList
    labels: NDArray[np.int64]
    log: Events | None = None
    values: Sequence[Variable] = ()
    counts: NDArray[np.int64] | None = None
    total: Variable | None = None

    def accesses(self) -> Accesses:
        """See `Operation.accesses`."""
        read = frozenset((self.events.address, *(variable.address for variable in self.values)))
        return Accesses(read, frozenset() if self.total is None else frozenset((self.total.address,)), read)


@dataclass(eq=False, kw_only=True)
class Call(Operation):
    """Python code between compiled stretches; takes the time in seconds."""

    function: Callable[[float], None]


class Component(Protocol):
    """Whatever has operations: groups, monitors, Python callbacks."""

    name: str

    def operations(self, model: Model) -> Iterable[Operation]:
        """The operations of this component, made anew for every run."""
        ...


@dataclass(frozen=True, eq=False)
class Model:
    """Everything a run consists of.

    Parameters
    ----------
    components : tuple of Component
        In the order in which they were added.
    seed : Variable
        Shared integer: the seed of all random streams.
    """

    components: tuple[Component, ...]
    seed: Variable
