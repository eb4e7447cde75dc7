"""What the scripts of the tasks are asked for on their command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rall.session import prefs

__all__ = ["options"]


def options(
    about: str | None, duration: float | None, tasks: Sequence[str] = (), max_length: float | None = None
) -> argparse.Namespace:
    """Read the command line, and set the number of threads.

    Parameters
    ----------
    about : str
        What the script does.
    duration : float or None
        Model time (ms) where the user names none.
    tasks : sequence of str, optional
        Tasks to choose from, for a script of several.
    max_length : float, optional
        Longest compartment (um), for a script where it can be chosen.

    Returns
    -------
    argparse.Namespace
        ``method``, ``threads``, ``dt`` and ``duration`` (ms), ``dump``; ``task`` and ``max_length`` where there are.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if tasks:
        parser.add_argument("task", choices=tasks)
    if max_length is not None:
        parser.add_argument("--max-length", type=float, default=max_length, help="longest compartment, um")
    parser.add_argument("--method", choices=("second_order", "backward_euler"), default="second_order")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dt", type=float, default=0.025, help="ms")
    parser.add_argument("--duration", type=float, default=duration, help="ms")
    parser.add_argument("--dump", type=Path, help="where recorded times and voltages go, as .npz")
    wanted = parser.parse_args()
    prefs.threads = wanted.threads
    return wanted
