"""Messages in the way of Brian 2's loggers: rall's own are Python warnings, a script's go to Python's logging."""

from __future__ import annotations

import logging
import warnings

from rall.errors import RallWarning
from rall.session import session

__all__ = ["BrianLogger", "get_logger"]

#: Between debug and nothing at all, as in Brian 2.
_DIAGNOSTIC = 5


class BrianLogger:
    """A script's logger, and the switches for what is shown of rall's warnings.

    rall warns with Python's `warnings` (category `rall.errors.RallWarning`), which
    ``warnings.filterwarnings`` selects by text.  The switches here are for scripts that come from Brian 2.

    Parameters
    ----------
    name : str
        As of `logging.getLogger`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._logger = logging.getLogger(name)
        self._said: set[tuple[str, str]] = set()

    def diagnostic(self, msg: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log what only the author of a program wants to see.

        Parameters
        ----------
        msg : str
            The message.
        name_suffix : str, optional
            Appended to the logger's name.
        once : bool
            Whether the same message is given only once.
        """
        self._log(_DIAGNOSTIC, msg, name_suffix, once)

    def debug(self, msg: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log a detail; arguments as of `diagnostic`."""
        self._log(logging.DEBUG, msg, name_suffix, once)

    def info(self, msg: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log an information; arguments as of `diagnostic`."""
        self._log(logging.INFO, msg, name_suffix, once)

    def warn(self, msg: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log a warning; arguments as of `diagnostic`."""
        self._log(logging.WARNING, msg, name_suffix, once)

    warning = warn

    def error(self, msg: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log an error; arguments as of `diagnostic`."""
        self._log(logging.ERROR, msg, name_suffix, once)

    def _log(self, level: int, message: str, suffix: str | None, once: bool) -> None:
        name = f"{self.name}.{suffix}" if suffix else self.name
        if once and (name, message) in self._said:
            return
        self._said.add((name, message))
        logging.getLogger(name).log(level, "%s", message, stacklevel=3)

    # --- what of rall's warnings is shown -------------------------------------------------------------------

    @staticmethod
    def log_level_diagnostic() -> None:
        """Show all warnings of rall, and every message of loggers."""
        _show_from(_DIAGNOSTIC)

    @staticmethod
    def log_level_debug() -> None:
        """Show all warnings of rall, and messages of loggers from debug on."""
        _show_from(logging.DEBUG)

    @staticmethod
    def log_level_info() -> None:
        """Show all warnings of rall, and messages of loggers from info on."""
        _show_from(logging.INFO)

    @staticmethod
    def log_level_warn() -> None:
        """Show warnings of rall, and messages of loggers from warnings on: what is so from the start."""
        _show_from(logging.WARNING)

    @staticmethod
    def log_level_error() -> None:
        """Show no warnings of rall, and messages of loggers from errors on."""
        _show_from(logging.ERROR)

    @staticmethod
    def suppress_hierarchy(name: str, filter_log_file: bool = False) -> None:
        """Show nothing of a logger and those below it; ``'brian2'`` or ``'rall'`` is all of rall.

        Parameters
        ----------
        name : str
            Name of the logger.
        filter_log_file : bool
            Accepted; there is no log file.
        """
        if name in ("brian2", "rall"):
            warnings.simplefilter("ignore", RallWarning)
        elif not name.startswith(("brian2.", "rall.")):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # those below inherit it
        else:
            _say_no_names(name)

    @staticmethod
    def suppress_name(name: str, filter_log_file: bool = False) -> None:
        """Accepted: Brian's warnings have names, those of rall have none.

        Parameters
        ----------
        name : str
            Such as ``'resolution_conflict'``.
        filter_log_file : bool
            Accepted; there is no log file.
        """
        _say_no_names(name)


def get_logger(module_name: str = "rall") -> BrianLogger:
    """A logger for a script.

    Parameters
    ----------
    module_name : str
        Usually ``__name__``.

    Returns
    -------
    BrianLogger
        With the methods ``debug``, ``info``, ``warn`` and ``error``.
    """
    return BrianLogger(module_name)


def _show_from(level: int) -> None:
    warnings.simplefilter("ignore" if level > logging.WARNING else "default", RallWarning)
    logging.getLogger().setLevel(level)


def _say_no_names(name: str) -> None:
    if session.first_time("names of warnings"):
        warnings.warn(
            f"warnings of rall have no names such as {name!r}: choose them by their text, with "
            "warnings.filterwarnings('ignore', message='...')",
            RallWarning,
            stacklevel=3,
        )
