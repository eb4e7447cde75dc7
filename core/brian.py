"""What scripts for Brian 2 ask for that is called otherwise here, or that rall itself has no need of."""

from __future__ import annotations

from rall.devices import compiler
from rall.errors import RallError
from rall.magic import collect, magic_network
from rall.members import with_contained
from rall.profile import ProfilingSummary
from rall.session import SimulationObject, defaultclock, prefs, session, start_scope
from rall.simulation import Network
from rall.summary import SchedulingSummary, rows_of
from rall.targets import set_device
from rall.units import Quantity, get_or_create_dimension

__all__ = ["BrianObject", "clear_cache", "profiling_summary", "restore_initial_state", "scheduling_summary"]

#: What every object that a network can contain is an instance of.
BrianObject = SimulationObject

_STEP = Quantity(1e-4, dim=get_or_create_dimension(second=1))
_COMPILED = ("c", "cython", "cpp")


def clear_cache(target: str = "c") -> None:
    """Remove the compiled code that is kept from run to run; it is made again when it is needed.

    Parameters
    ----------
    target : str
        ``'c'``, or Brian's ``'cython'``, which is the same here.

    Raises
    ------
    RallError
        For a target that keeps nothing.
    """
    if target not in _COMPILED:
        raise RallError(f"the target {target!r} keeps no compiled code; 'c' (or 'cython') does")
    compiler.clear_cache()


def restore_initial_state() -> None:
    """Start afresh in the same process: preferences, step of the default clock, device and scope as at first."""
    prefs.reset_to_defaults()
    set_device("runtime")
    defaultclock.dt = _STEP
    session.said.clear()
    start_scope()


def scheduling_summary(net: Network | None = None) -> SchedulingSummary:
    """What a step of a network consists of, as a table.

    Parameters
    ----------
    net : Network, optional
        By default the objects that are visible here.

    Returns
    -------
    SchedulingSummary
        Prints as a table.
    """
    if net is not None:
        return net.scheduling_summary()
    visible = with_contained(sorted(collect(), key=lambda one: one.serial))
    return SchedulingSummary(rows_of(visible, magic_network.schedule))


def profiling_summary(net: Network | None = None, show: int | None = None) -> ProfilingSummary:
    """Where the time of the last run went, which was one with ``profile=True``.

    Parameters
    ----------
    net : Network, optional
        By default the magic network.
    show : int, optional
        How many of the longest entries are shown.

    Returns
    -------
    ProfilingSummary
        Prints as a table.

    Raises
    ------
    RallError
        If the last run was not timed.
    """
    return ProfilingSummary((magic_network if net is None else net).profiling_info, show)
