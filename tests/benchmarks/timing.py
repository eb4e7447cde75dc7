"""Time of this process and its children, and the JSON line that benchmarks print."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rall.operations import NetworkOperation
from rall.units import second

__all__ = ["Stopwatch", "cpu_seconds", "peak_megabytes", "shared", "spike_check", "spike_times"]


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def peak_megabytes() -> float:
    """Largest resident size of this process; NaN where the system does not say."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Stopwatch:
    """Wall and CPU time of two phases: before the first step begins, and from then on.

    Parameters
    ----------
    task : str
        Its name.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self._megabytes = peak_megabytes()
        self._marks = [(time.perf_counter(), cpu_seconds())]

    def at_first_step(self) -> NetworkOperation:
        """An object for the network that ends the first phase when the first step begins."""
        return NetworkOperation(self._mark, dt=10 * second, when="before_start")

    def _mark(self) -> None:
        self._marks.append((time.perf_counter(), cpu_seconds()))

    def report(self, compartments: int, steps: int, check: dict[str, object], **more: object) -> None:
        """Print the JSON line; the second phase ends now.

        Parameters
        ----------
        compartments, steps : int
            What the second phase has done.
        check : dict
            Figures that tell whether it was the right thing.
        more
            Whatever else the line is to have.
        """
        self._mark()
        (t0, c0), (t1, c1), (t2, c2) = self._marks
        record = {
            "peer": "rall", "task": self.task, "build_s": round(t1 - t0, 4), "run_s": round(t2 - t1, 4),
            "cv": compartments, "steps": steps, "ns_per_cv_step": round((c2 - c1) * 1e9 / (compartments * steps), 3),
            "peak_mb": round(peak_megabytes(), 1), "check": check, "run_cpu_s": round(c2 - c1, 4),
            "build_cpu_s": round(c1 - c0, 4), "start_mb": round(self._megabytes, 1), **more,
        }  # fmt: skip
        print(json.dumps(record))


def shared() -> Path:
    """The folder with the tasks' morphologies and the peers' scripts."""
    here = Path(__file__).resolve().parents[2] / ".." / "shared"
    folder = Path(os.environ.get("RALL_SHARED", here)).resolve()
    if not folder.is_dir():
        raise SystemExit("the folder with the tasks (../shared or RALL_SHARED) is not here")
    return folder


def spike_times(t: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upward crossings of 0 mV, linearly interpolated; t in ms, v in mV, shape (samples,) both."""
    k = np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0))
    return np.asarray(t[k] - v[k] / (v[k + 1] - v[k]) * (t[k + 1] - t[k]))


def spike_check(t: NDArray[np.float64], v: NDArray[np.float64]) -> dict[str, float]:
    """Number of spikes and some of their times, and the largest voltage; t in ms, v in mV."""
    times = spike_times(t, v)
    found = {"n_spikes": len(times), "vmax_mV": round(float(v.max()), 3)}
    for name, place in (("first_ms", 0), ("tenth_ms", 9), ("last_ms", -1)):
        if len(times) > place:
            found[name] = round(float(times[place]), 4)
    return found
