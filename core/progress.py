"""Progress: how far a run is, as a bar, as lines, or to a function of the user's."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO, TypeAlias

from rall.errors import RallError
from rall.units import Quantity, get_or_create_dimension, in_best_unit

__all__ = ["Progress", "Report", "TextBar", "readable"]

#: Takes elapsed time, completed fraction, start and duration of the run.
Report: TypeAlias = Callable[[Any, float, Any, Any], None]

_TIME = get_or_create_dimension(second=1)
#: Seconds between two updates of a bar that is rewritten in place.
IN_PLACE = 0.2
_WIDTH = 30


def readable(seconds: float) -> str:
    """A stretch of wall time as text.

    Parameters
    ----------
    seconds : float
        Not negative.

    Examples
    --------
    >>> readable(0.42), readable(75.0), readable(7500.0)
    ('0.4 s', '1 min 15 s', '2 h 05 min')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class TextBar:
    """A bar with percent, time gone by and time left.

    Parameters
    ----------
    stream : text file
        A terminal or notebook gets one line that changes, everything else a line an update.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.in_place = stream.isatty() or type(stream).__module__.startswith("ipykernel")
        self._shown = 0

    def __call__(self, elapsed: Any, completed: float, start: Any, duration: Any) -> None:
        """Show how far it is.

        Parameters
        ----------
        elapsed : Quantity
            Wall time since the start of the run.
        completed : float
            Fraction of the run that is done, 0 to 1.
        start, duration : Quantity
            Simulated time at the start of the run, and how much of it there is.
        """
        if not self.in_place and completed == 0.0:
            self._write(f"running {in_best_unit(duration)} from t = {in_best_unit(start)}\n")
            return
        filled = int(completed * _WIDTH)
        bar = "#" * filled + "." * (_WIDTH - filled)
        text = f"[{bar}] {int(completed * 100):3d} %, {self._times(elapsed, completed)}"
        if not self.in_place:
            self._write(text + "\n")
            return
        text = text[: shutil.get_terminal_size().columns - 1]
        self._write("\r" + text.ljust(self._shown) + ("\n" if completed >= 1.0 else ""))
        self._shown = len(text)

    @staticmethod
    def _times(elapsed: Any, completed: float) -> str:
        gone = float(elapsed / Quantity(1.0, dim=_TIME))
        if completed >= 1.0:
            return f"took {readable(gone)}"
        if completed <= 0.0:
            return f"{readable(gone)} gone by"
        return f"{readable(gone)} gone by, {readable(gone * (1.0 - completed) / completed)} left"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


class Progress:
    """Calls a report at the start, at the end and every so often between.

    Parameters
    ----------
    report : 'text', 'stderr', callable or None
        Who is told.
    period : float
        Wall seconds between two reports; a bar in place is renewed more often.
    start : float
        Simulated time at the start in seconds.
    duration : float
        Simulated time to go in seconds.

    Raises
    ------
    RallError
        For any other `report`.
    """

    def __init__(self, report: str | Report | None, period: float, start: float, duration: float) -> None:
        self._report = _reporter(report)
        in_place = isinstance(self._report, TextBar) and self._report.in_place
        self._period = min(period, IN_PLACE) if in_place else period
        self._start, self._duration = start, duration
        self._began = self._last = time.perf_counter()

    def begin(self) -> None:
        """Tell that the run starts now."""
        self._began = self._last = time.perf_counter()
        self._tell(0.0)

    def due(self) -> bool:
        """Whether it is time for a report."""
        return self._report is not None and time.perf_counter() - self._last >= self._period

    def tell(self, t: float) -> None:
        """Report that simulated time has come to `t` seconds."""
        self._last = time.perf_counter()
        over = t >= self._start + self._duration  # a quotient could fall short of 1 by rounding
        self._tell(1.0 if over else max(0.0, (t - self._start) / self._duration))

    def end(self, t: float) -> None:
        """Tell that the run is over at `t` seconds; a run that was stopped early keeps its fraction."""
        self.tell(t)
        if isinstance(self._report, TextBar) and self._report.in_place and t < self._start + self._duration:
            self._report.stream.write("\n")

    def _tell(self, completed: float) -> None:
        if self._report is not None:
            elapsed = time.perf_counter() - self._began
            self._report(_time(elapsed), completed, _time(self._start), _time(self._duration))


def _time(seconds: float) -> Any:
    return Quantity(seconds, dim=_TIME)


def _reporter(report: str | Report | None) -> Report | None:
    if report is None:
        return None
    if report in ("text", "stdout"):
        return TextBar(sys.stdout)
    if report == "stderr":
        return TextBar(sys.stderr)
    if not callable(report):
        raise RallError(f"report must be None, 'text', 'stderr' or a function, not {report!r}")
    return report
