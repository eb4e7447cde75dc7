"""Simulation: networks of objects that run together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rall.checkpoint import Snapshot, check_fit, read_snapshot, take, write_snapshot
from rall.devices.base import Program
from rall.errors import RallError
from rall.groups import get_all_states, set_all_states
from rall.loop import Loop
from rall.members import check_names, claim, flatten, incomplete, naming, with_contained
from rall.model import Model, Operation, Variable
from rall.pipeline import Known, compile_model
from rall.preferences import UnknownNameError, schedule_slots
from rall.profile import Profile
from rall.progress import Progress, Report
from rall.registry import closest
from rall.schedule import slot_rank
from rall.session import (
    SimulationObject,
    caller_namespace,
    options_from,
    prefs,
    seconds,
    session,
    unique_name,
)
from rall.summary import SchedulingSummary, rows_of
from rall.targets import choose_device
from rall.timeline import NetworkSeed, Timeline, shown
from rall.units import Quantity, get_or_create_dimension

__all__ = ["SECOND", "Network"]

#: The unit of time.
SECOND = Quantity(1.0, dim=get_or_create_dimension(second=1))


class Network:
    """Objects that are simulated together.

    Parameters
    ----------
    *objects
        Simulation objects, or lists, sets and dictionaries of them.
    name : str
        A trailing ``*`` is replaced by a number where needed.
    """

    def __init__(self, *objects: Any, name: str = "network*") -> None:
        self.name = unique_name(name, session.networks)
        session.networks.add(self)
        session.networks_made += 1
        self._number = session.networks_made
        self._objects: list[SimulationObject] = []
        self._timeline = Timeline()
        self._seed = NetworkSeed()
        self._slots: tuple[str, ...] | None = None
        self._stored: dict[str, Snapshot] = {}
        self._loop: Loop | None = None
        self._last = LastRun()
        self.add(*objects)

    # --- what is in it --------------------------------------------------------------------------------------

    def add(self, *objects: Any) -> None:
        """Add objects.

        Parameters
        ----------
        *objects
            Simulation objects, or lists, sets and dictionaries of them; what is there already stays once.

        Raises
        ------
        RallError
            For anything else.
        """
        self._objects = flatten([*self._objects, *objects])

    def remove(self, *objects: Any) -> None:
        """Take objects out again; to leave one out for a while, set its ``active`` to False instead.

        Parameters
        ----------
        *objects
            As for `add`.

        Raises
        ------
        RallError
            For what is not in the network.
        """
        leaving = flatten(objects)
        for one in leaving:
            if not any(one is known for known in self._objects):
                raise RallError(f"{one!r} is not in network '{self.name}'")
        self._objects = [known for known in self._objects if not any(known is one for one in leaving)]

    @property
    def objects(self) -> list[SimulationObject]:
        """All objects, with those that they contain, in the order in which they were added."""
        return with_contained(self._objects)

    def __getitem__(self, name: str) -> SimulationObject:
        found = {one.name: one for one in self.objects}
        if name not in found:
            guess = closest(str(name), found)
            raise UnknownNameError(f"network '{self.name}' has no object named {name!r}{guess}")
        return found[name]

    def __contains__(self, item: object) -> bool:
        return any(item is one or (isinstance(item, str) and item == one.name) for one in self.objects)

    def __iter__(self) -> Iterator[SimulationObject]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    def __repr__(self) -> str:
        inside = ", ".join(one.name for one in self.objects)
        return f"<{type(self).__name__} '{self.name}' at t = {shown(self.t_)}: {inside or 'empty'}>"

    # --- time and order -------------------------------------------------------------------------------------

    @property
    def t(self) -> Any:
        """Time up to which it has run."""
        return self.t_ * SECOND

    @property
    def t_(self) -> float:
        """Time up to which it has run, in seconds."""
        return self._timeline.t if self._loop is None else self._loop.t

    @property
    def schedule(self) -> list[str]:
        """Slots of a step in order; set it to another list, or to None for the preference's."""
        return list(self._slots or prefs["core.network.default_schedule"])

    @schedule.setter
    def schedule(self, slots: Sequence[str] | None) -> None:
        try:
            self._slots = None if slots is None else schedule_slots(slots)
        except ValueError as problem:
            raise RallError(f"the schedule cannot be {slots!r}; it takes {problem}") from None

    def scheduling_summary(self) -> SchedulingSummary:
        """A table of what a step consists of, in order."""
        return SchedulingSummary(rows_of(self.objects, self.schedule))

    @property
    def profiling_info(self) -> list[tuple[str, Any]]:
        """Names and wall times of what the last run with ``profile=True`` spent time on, the longest first.

        Operations over the same elements that run as one have one entry, in which their names are joined with ``+``.

        Raises
        ------
        RallError
            If the last run was not timed.
        """
        if self._last.profile is None:
            raise RallError(f"no run of network '{self.name}' was timed last; time one with run(..., profile=True)")
        return [(name, took * SECOND) for name, took in self._last.profile.entries()]

    # --- running --------------------------------------------------------------------------------------------

    def run(
        self,
        duration: Any,
        report: str | Report | None = None,
        report_period: Any = 10.0 * SECOND,
        namespace: Mapping[str, object] | None = None,
        profile: bool = False,
    ) -> None:
        """Simulate.

        Parameters
        ----------
        duration : Quantity
            How long, a time.
        report : 'text', 'stderr' or callable, optional
            A progress bar, or a function of elapsed time, completed fraction, start and duration.
        report_period : Quantity
            Wall time between two reports.
        namespace : mapping, optional
            Values of names in equations; by default what is visible where this is called.
        profile : bool
            Time single objects, for `profiling_info` and ``profiling_summary``; the run takes a little longer.

        Raises
        ------
        DimensionMismatchError
            If the duration is no time.
        NumericalError
            If a value became infinite or not a number.
        RallError
            If the network cannot run as it is; the message says why.
        """
        length = seconds(duration, "the duration of a run")
        if length < 0:
            raise RallError(f"the duration of a run cannot be negative: {duration!r}")
        if self._loop is not None:
            raise RallError(f"network '{self.name}' is running; stop() ends that run")
        names = caller_namespace() if namespace is None else namespace
        start, end = self._timeline.t, self._timeline.t + length
        progress = Progress(report, seconds(report_period, "report_period"), start, length)
        objects = self._complete(self.objects)
        check_names(objects, self.name)
        _refuse_driven_clocks(self, objects)
        claim(objects, self.name, self._number)
        self._timeline.start(one.clock for one in objects)
        self._seed.renew()
        self._last.begin(profile)
        try:
            for one in objects:
                with naming(one):
                    one.before_run(names)
            self._execute(objects, (start, end), progress)
        finally:
            for one in objects:
                one.after_run()
            self._last.end()

    def _execute(
        self, objects: Sequence[SimulationObject], span: tuple[float, float], progress: Progress
    ) -> None:
        def build(now: float) -> Program:
            active = [one for one in objects if one.active]
            for one in objects:
                if not one.active:
                    one.left_out()
            program = _compile(active, self._last, self._seed.variable, self.schedule)
            self._timeline.catch_up(program.clocks, now)
            return program

        last = self._last
        loop = Loop(build, lambda: [one.active for one in objects], last.owner_of, span, progress, last.profile)
        self._loop = loop
        session.running.append(self.stop)
        try:
            loop.run()
        finally:
            session.running.remove(self.stop)
            self._loop = None
            self._timeline.settle(min(loop.t, span[1]), loop.clocks, [one.clock for one in objects])

    def _complete(self, objects: list[SimulationObject]) -> list[SimulationObject]:
        """The objects of a run, none of which lacks what it depends on."""
        for one, missing in incomplete(objects):
            raise RallError(
                f"'{one.name}' (made at {one.created_at}) depends on '{missing.name}', which is not in network "
                f"'{self.name}': add it, or set the active of '{one.name}' to False"
            )
        return objects

    def stop(self) -> None:
        """End a run after the present step."""
        if self._loop is not None:
            self._loop.stop()

    # --- store and restore ----------------------------------------------------------------------------------

    def store(self, name: str = "default", filename: str | os.PathLike[str] | None = None) -> None:
        """Keep the present state.

        Parameters
        ----------
        name : str
            Under which name.
        filename : path, optional
            Into a file instead of memory; a file holds any number of states.

        Raises
        ------
        RallError
            If the file cannot be written, or while the network runs.
        """
        _refuse_while_running(self, "store")
        objects = self.objects
        check_names(objects, self.name)
        snapshot = take(objects, self._timeline.t, self._seed.value)
        if filename is None:
            self._stored[name] = snapshot
        else:
            write_snapshot(filename, name, snapshot)

    def restore(
        self,
        name: str = "default",
        filename: str | os.PathLike[str] | None = None,
        restore_random_state: bool = False,
    ) -> None:
        """Go back to a state that was stored.

        Parameters
        ----------
        name : str
            Its name.
        filename : path, optional
            The file that it is in.
        restore_random_state : bool
            Draw the same random numbers again; else what follows gets numbers of its own.

        Raises
        ------
        RallError
            If there is no such state, or it belongs to another model.
        """
        _refuse_while_running(self, "restore")
        if filename is not None:
            snapshot, where = read_snapshot(filename, name), f"state '{name}' in {filename}"
        elif name in self._stored:
            snapshot, where = self._stored[name], f"state '{name}'"
        else:
            known = ", ".join(map(repr, self._stored)) or "none"
            raise RallError(f"no state {name!r} was stored{closest(name, self._stored)}; there is: {known}")
        objects = self.objects
        check_names(objects, self.name)
        check_fit(snapshot, objects, where)
        for one in objects:
            kept = snapshot.objects[one.name]
            one.clock.dt = kept.dt
            self._timeline.put(one.clock, kept.step)
            if restore_random_state:
                one.set_random_state(kept.random)
            one.set_state({key: array.copy() for key, array in kept.arrays.items()})
        self._timeline.t = snapshot.t
        if restore_random_state:
            self._seed.repeat(snapshot.seed)
        else:
            self._seed.vary()

    # --- states as dictionaries -----------------------------------------------------------------------------

    def get_states(
        self,
        units: bool = True,
        format: str = "dict",
        subexpressions: bool = False,
        read_only_variables: bool = True,
    ) -> dict[str, Any]:
        """Copies of the present values of all variables of all objects.

        Parameters
        ----------
        units, format, subexpressions, read_only_variables
            As of ``get_states`` of the objects.

        Returns
        -------
        dict
            From names of objects to what their ``get_states`` gives.
        """
        return get_all_states(
            self.objects, units=units, format=format, subexpressions=subexpressions,
            read_only_variables=read_only_variables,
        )  # fmt: skip

    def set_states(self, values: Mapping[str, Any], units: bool = True, format: str = "dict") -> None:
        """Set variables of objects.

        Parameters
        ----------
        values : mapping
            From names of objects to values as their ``set_states`` takes them.
        units, format
            As of ``set_states`` of the objects.

        Raises
        ------
        RallError
            For an unknown object, or one that has nothing to set.
        """
        set_all_states(self.objects, values, units, format)


def _refuse_while_running(network: Network, what: str) -> None:
    if network._loop is not None:
        raise RallError(
            f"{what}() cannot be called while network '{network.name}' runs; call it between two runs"
        )


def _refuse_driven_clocks(network: Network, objects: Sequence[SimulationObject]) -> None:
    """A run inside another one, or in another thread, must not turn the clocks that drive that one."""
    clocks = {id(one.clock): one.clock for one in objects}
    for other in list(session.networks):
        loop = other._loop
        for clock in () if loop is None or other is network else loop.clocks:
            if id(clock) in clocks:
                raise RallError(
                    f"network '{network.name}' cannot run while '{other.name}' does: '{clock.name}' drives both. "
                    "Give the objects of one a clock of their own (dt=... or clock=...)"
                )


class LastRun:
    """What is known of the last run of a network.

    Attributes
    ----------
    owners : dict
        From ``id(operation)`` to the object that it belongs to.
    profile : Profile or None
        Where its time went, if it was timed.
    program : Program or None
        What runs at the moment.
    """

    def __init__(self) -> None:
        self.owners: dict[int, SimulationObject] = {}
        self.profile: Profile | None = None
        self.program: Program | None = None
        self.kernels: Known = {}

    def begin(self, timed: bool) -> None:
        """Forget times, and take new ones if they are wanted."""
        self.profile = Profile(self.owner_of) if timed else None

    def end(self) -> None:
        """Keep the times of the program, and no program."""
        if self.profile is not None and self.program is not None:
            self.profile.add_all(self.program)
        self.program = None

    def owner_of(self, operation: Operation) -> SimulationObject | None:
        """The object that an operation belongs to; of several that were made one, that of the first."""
        first = operation.parts[0] if operation.parts else operation
        return self.owners.get(id(first))


def _compile(
    objects: Sequence[SimulationObject], last: LastRun, seed: Variable, slots: Sequence[str]
) -> Program:
    options = options_from(prefs)
    last.end()  # where objects were switched on or off in a run
    last.owners.clear()
    owned = [_Owned(one, last.owners, slots) for one in objects]
    program = compile_model(owned, choose_device(options), options, seed, slots, last.kernels)
    program.timed = last.profile is not None
    last.program = program
    return program


class _Owned:
    """A component whose operations are remembered as its own."""

    def __init__(self, owner: SimulationObject, owners: dict[int, SimulationObject], slots: Sequence[str]) -> None:
        self.owner, self.owners, self.name, self.slots = owner, owners, owner.name, slots

    def operations(self, model: Model) -> Iterable[Operation]:
        with naming(self.owner):
            for operation in self.owner.operations(model):
                slot_rank(operation.when, self.slots)  # an unknown slot is the owner's
                self.owners[id(operation)] = self.owner
                yield operation
