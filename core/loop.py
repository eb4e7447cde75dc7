"""Loop: drives a program from step to step, with Python calls, interrupts and reports between."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import numpy as np

from rall.devices.adaptive import unfinished
from rall.devices.base import Program, Status
from rall.errors import NumericalError
from rall.interrupts import told_at_once
from rall.model import Call, Check, Clock, Integrate, Operation
from rall.profile import Profile
from rall.progress import Progress
from rall.session import SimulationObject
from rall.timeline import first_step, shown

__all__ = ["Loop"]

#: Wall seconds for which a program is left alone; an interrupt waits at most about as long.
STRETCH = 0.03
#: From one stretch to the next, the number of steps grows by this factor at most.
GROWTH = 8.0
#: From this many steps in a stretch on, they may become so slow that an interrupt would wait for long.
MANY = 64


class Loop:
    """One run.

    Parameters
    ----------
    build : callable
        Makes the program at a time in seconds; called again when objects were switched on or off in a run.
    activity : callable
        What is switched on at the moment, for comparison.
    owner_of : callable
        The object that an operation belongs to.
    span : tuple of (float, float)
        Where the run starts and ends, in seconds.
    progress : Progress
        Whom to tell.
    profile : Profile, optional
        Where the time that Python code takes is noted.
    """

    def __init__(
        self,
        build: Callable[[float], Program],
        activity: Callable[[], object],
        owner_of: Callable[[Operation], SimulationObject | None],
        span: tuple[float, float],
        progress: Progress,
        profile: Profile | None = None,
    ) -> None:
        self._profile = profile
        self._build, self._activity, self._owner_of = build, activity, owner_of
        self._t_start, self._t_end = span
        self._progress = progress
        self._stopping = self._interrupted = self._user_code = self._changed = False
        self._inside = False  # a step is half done
        self._steps = 1
        #: While interrupts are deferred, what ends with that; and whether it is told at once when one comes.
        self._watch: ExitStack | None = None
        self._watching = False
        self._switched_on: object = None
        self._program: Program | None = None
        self._ends: Mapping[int, int] = {}
        self.completed = False

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """The clocks that drive the program."""
        return () if self._program is None else self._program.clocks

    @property
    def t(self) -> float:
        """Start of the step that comes next (inside Python calls: of the present one), in seconds."""
        if not self.clocks:
            return self._t_end if self.completed else self._t_start
        return min((c.time_of(c.step) for c in self.clocks if c.step < self._ends[id(c)]), default=self._t_end)

    def stop(self) -> None:
        """End the run after the present step; may be called from Python code in it or from another thread."""
        self._stopping = True
        self._come_back()

    def _come_back(self) -> None:
        """Ask the program to come back after the present step; from anywhere."""
        if self._program is not None:
            self._program.stop()

    def run(self) -> None:
        """Run to the end, or until it is stopped.

        Raises
        ------
        NumericalError
            If a value became infinite or not a number.
        KeyboardInterrupt
            After an interrupt, between two steps.
        """
        program = self._compile()
        with self._deferred_interrupts():
            self._tell(self._progress.begin)
            try:
                while not self._stretch(program):
                    program = self._program or program
            finally:
                program.drain()
            self._tell(lambda: self._progress.end(self.t))

    def _compile(self) -> Program:
        self._changed = False
        self._switched_on = self._activity()
        self._program = self._build(self.t)
        self._ends = {id(c): max(c.step, first_step(c, self._t_end)) for c in self._program.clocks}
        return self._program

    def _stretch(self, program: Program) -> bool:
        """Let the program run for a while; whether the run is over."""
        if self._steps >= MANY and self._watch is not None and not self._watching:
            self._watching = True
            self._watch.enter_context(told_at_once(signal.SIGINT, self._come_back))
        began = time.perf_counter()
        # A program that calls Python in every step comes back for nothing else: ask it to where something waits.
        waiting = self._stopping or self._changed or self._interrupted or (self._inside and self._progress.due())
        status, operation = program.advance(self._ends, 0 if waiting else self._steps)
        self._inside = status is Status.CALL
        if status is Status.CALL:
            assert isinstance(operation, Call)
            self._call(program, operation)
            return False
        # From here on no step is half done.
        if status is Status.FAILED:
            assert operation is not None
            raise self._failure(operation)
        if self._interrupted:
            self._interrupted = False
            self._previous(signal.SIGINT, None)
        if status is Status.DONE:
            self.completed = True
            return True
        if self._stopping:
            return True
        if status is Status.FULL:
            program.drain()
        elif status is Status.PAUSED and not waiting:
            took = max(time.perf_counter() - began, 1e-9)
            self._steps = max(1, int(self._steps * min(GROWTH, STRETCH / took)))
        if self._progress.due():
            self._tell(lambda: self._progress.tell(self.t))
        if self._changed:
            self._tell(self._compile)  # no step is half done: an interrupt need not wait for the compiler
        return False

    def _call(self, program: Program, operation: Call) -> None:
        began = time.perf_counter()
        try:
            self._user_code = True
            operation.function(operation.clock.time_of(operation.clock.step))
            self._user_code = False
            if self._profile is not None:
                self._profile.add(operation, time.perf_counter() - began)
            self._changed = self._switched_on != self._activity()
        except BaseException:
            self._user_code = False
            # The rest of the step, without more Python code, so that all objects are at the same time.
            while program.advance(self._ends, 0)[0] is Status.CALL:
                pass
            raise

    def _tell(self, tell: Callable[[], object]) -> None:
        try:
            self._user_code = True
            tell()
        finally:
            self._user_code = False

    # --- interrupts -----------------------------------------------------------------------------------------

    def _previous(self, number: int, frame: object) -> None:
        """What happened to an interrupt before this run; replaced while interrupts are deferred."""

    @contextmanager
    def _deferred_interrupts(self) -> Iterator[None]:
        """Let Ctrl-C wait for the end of a step, unless the user's own Python code is running."""
        previous = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or not callable(previous):
            yield
            return
        handle: Callable[[int, object], object] = previous  # type: ignore[assignment]

        def defer(number: int, frame: object) -> None:
            if self._user_code:
                handle(number, frame)
                return
            self._interrupted = True
            self._come_back()

        self._previous = handle  # type: ignore[method-assign, assignment]
        signal.signal(signal.SIGINT, defer)
        try:
            with ExitStack() as self._watch:
                yield
        finally:
            self._watch = None
            signal.signal(signal.SIGINT, previous)
            if self._interrupted:
                self._interrupted = False
                handle(signal.SIGINT, None)

    # --- failures -------------------------------------------------------------------------------------------

    def _failure(self, operation: Operation) -> NumericalError:
        clock = operation.clock
        when = shown((clock.step - 1) * clock.dt)
        step = shown(clock.dt)
        way_out = f"a smaller dt than {step}, another method or other starting values may help"
        if isinstance(operation, Integrate):
            owner, k = self._owner_of(operation), int(operation.failure[0])
            which = f"element {k}" if owner is None else owner.describe_element(k)
            return NumericalError(unfinished(operation, f"{which} at t = {when}", step))
        if not isinstance(operation, Check):
            return NumericalError(f"operation '{operation.name}' failed at t = {when}; {way_out}")
        variable = operation.variable
        values = variable.get()
        owner = self._owner_of(operation)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            first = int(bad[0])
            element = f"element {first}" if owner is None else owner.describe_element(first)
            made = "" if owner is None else f" (made at {owner.created_at})"
            where = f"'{variable.name}' became {values[first]} at {element}{made}"
        else:
            name = variable.name if owner is None else f"{owner.name}.{variable.name}"
            where = f"'{name}' became too large to be added up"
        more = f" (and at {len(bad) - 1} more)" if len(bad) > 1 else ""
        return NumericalError(f"{where}{more} at t = {when}; {way_out}")
