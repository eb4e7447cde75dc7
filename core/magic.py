"""Magic: `run` and its companions for the objects that are visible where they are called."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakSet

from rall.errors import MagicError
from rall.groups import Subgroup
from rall.members import incomplete, with_contained
from rall.progress import Report
from rall.session import SimulationObject, caller_namespace, live_objects, session, warn
from rall.simulation import SECOND, Network

__all__ = ["MagicNetwork", "collect", "magic_network", "restore", "run", "stop", "store"]

_RULE = (
    "Objects are found if they are variables where run is called (not inside lists or dictionaries). Put the "
    "objects into a Network to say which belong together, or call start_scope() to leave older ones out."
)


def collect() -> set[SimulationObject]:
    """The objects that are variables where this is called; a part of a group stands for the whole group.

    Returns
    -------
    set of SimulationObject
        Without those made before the last `start_scope`.
    """
    visible = (one.group if isinstance(one, Subgroup) else one for one in caller_namespace().values())
    return {
        one
        for one in visible
        if isinstance(one, SimulationObject) and one.add_to_magic_network and one.scope == session.scope
    }


class MagicNetwork(Network):
    """The network of all objects that are visible where a run is started.

    If none of them has run before, time begins at 0; if all have, it goes on; a mixture is refused.
    """

    def __init__(self) -> None:
        super().__init__(name="magicnetwork*")
        self._known: WeakSet[SimulationObject] = WeakSet()

    def add(self, *objects: Any) -> None:
        """Refused: the magic network finds its objects by itself.

        Raises
        ------
        MagicError
            Always, but for nothing.
        """
        if objects:
            raise MagicError(f"objects cannot be added to the magic network. {_RULE}")

    def remove(self, *objects: Any) -> None:
        """Refused, as `add`.

        Raises
        ------
        MagicError
            Always, but for nothing.
        """
        if objects:
            raise MagicError(f"objects cannot be removed from the magic network. {_RULE}")

    def gather(self) -> None:
        """Look for objects where the user is, and decide whether time goes on or begins again.

        Raises
        ------
        MagicError
            For a mixture of new objects and objects that have run.
        """
        found = _visible()
        deciding = [one for one in found if one.invalidates_magic_network]
        new = [one for one in deciding if one not in self._known]
        old = [one for one in deciding if one in self._known]
        if new and old:
            raise MagicError(
                f"some objects have run before ({_named(old)}) and some have not ({_named(new)}), so "
                f"that it is not clear whether time goes on or begins again. {_RULE}"
            )
        if not old:
            self._timeline.begin_again()
        self._objects = found
        _tell_of_hidden(found)
        if not found:
            warn(f"there is nothing to simulate. {_RULE}")

    def _complete(self, objects: list[SimulationObject]) -> list[SimulationObject]:
        """What can run of the objects that are visible; the rest is left out, with a warning."""
        left = list(objects)
        while lacking := list(incomplete(left)):
            for one, missing in lacking:
                warn(
                    f"'{one.name}' (made at {one.created_at}) is left out: it depends on '{missing.name}', which is "
                    f"not among the objects. {_RULE}"
                )
                alone = with_contained([one])
                left = [other for other in left if not any(other is part for part in alone)]
        return left

    def get_states(self, *args: Any, **options: Any) -> dict[str, Any]:
        """States of all objects that are visible here; see `Network.get_states`.

        Parameters
        ----------
        *args, **options
            As of `Network.get_states`.
        """
        self._objects = _visible()
        try:
            return super().get_states(*args, **options)
        finally:
            self._objects = []

    def set_states(self, *args: Any, **options: Any) -> None:
        """Set states of objects that are visible here; see `Network.set_states`.

        Parameters
        ----------
        *args, **options
            As of `Network.set_states`.
        """
        self._objects = _visible()
        try:
            super().set_states(*args, **options)
        finally:
            self._objects = []

    def release(self, done: bool) -> None:
        """Hold the objects no longer than the user does.

        Parameters
        ----------
        done : bool
            Whether they count as having run; where they failed before the first step, they do not.
        """
        if done or self._timeline.t > 0:
            self._known.update(self.objects)
        self._objects = []


def _visible() -> list[SimulationObject]:
    """What `collect` finds, in the order in which it was made."""
    return sorted(collect(), key=lambda one: one.serial)


def _tell_of_hidden(found: list[SimulationObject]) -> None:
    """Warn of new objects that depend on what runs, and that only a list, say, holds."""
    present = {id(one) for one in with_contained(found)}

    def hidden() -> list[SimulationObject]:
        return [
            one for one in live_objects()
            if one.add_to_magic_network and one.scope == session.scope and one.network is None
            and id(one) not in present and any(id(needed) in present for needed in one.dependencies())
        ]  # fmt: skip

    if not found or not hidden():
        return
    gc.collect()  # what was replaced a moment ago may wait to be taken away
    elsewhere = {id(one) for network in session.networks for one in network.objects}
    left_out = [one for one in hidden() if id(one) not in elsewhere]
    if left_out:
        warn(f"objects that depend on what runs are no variables here and are left out: {_named(left_out)}. {_RULE}")


def _named(objects: Iterable[SimulationObject]) -> str:
    names = [f"'{one.name}' made at {one.created_at}" for one in objects]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


#: The one that `run` uses.
magic_network = MagicNetwork()


def run(
    duration: Any,
    report: str | Report | None = None,
    report_period: Any = 10.0 * SECOND,
    namespace: Mapping[str, object] | None = None,
    profile: bool = False,
) -> None:
    """Simulate all objects that are visible here; see `Network.run` for the arguments.

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
        Time single objects; see `Network.profiling_info` and ``profiling_summary``.

    Raises
    ------
    MagicError
        For a mixture of new objects and objects that have run.
    """
    magic_network.gather()
    done = False
    try:
        magic_network.run(duration, report, report_period, namespace, profile)
        done = True
    finally:
        magic_network.release(done)


def stop() -> None:
    """End all runs after their present step."""
    for stop_one in list(session.running):
        stop_one()


def store(name: str = "default", filename: str | os.PathLike[str] | None = None) -> None:
    """Keep the state of all objects that are visible here; see `Network.store`.

    Parameters
    ----------
    name : str
        Under which name.
    filename : path, optional
        Into a file instead of memory.
    """
    magic_network.gather()
    done = False
    try:
        magic_network.store(name, filename)
        done = True
    finally:
        magic_network.release(done)


def restore(
    name: str = "default", filename: str | os.PathLike[str] | None = None, restore_random_state: bool = False
) -> None:
    """Go back to a state that was stored; see `Network.restore`.

    Parameters
    ----------
    name : str
        Its name.
    filename : path, optional
        The file that it is in.
    restore_random_state : bool
        Draw the same random numbers again.
    """
    magic_network.gather()
    done = False
    try:
        magic_network.restore(name, filename, restore_random_state)
        done = True
    finally:
        magic_network.release(done)
