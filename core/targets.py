"""Targets: which device a run uses."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from rall.devices.base import Device
from rall.errors import CompileError, NotSupportedError, RallError, RallWarning
from rall.options import Options
from rall.registry import builtin_names, closest, find, names
from rall.session import options_from, prefs, session, warn

__all__ = ["StandaloneCalls", "choose_device", "device", "get_device", "set_device"]

_RUNTIME = "runtime"
_ALIASES = {"cython": "c"}
_STANDALONE = "cpp_standalone"
#: What scripts give `set_device` with that name.
_STANDALONE_SETTINGS = (
    "directory", "build_on_run", "compile", "run", "debug", "clean", "with_output", "additional_source_files",
    "results_directory", "run_args",
)  # fmt: skip


def _in_this_process(settings: Mapping[str, object]) -> None:
    """Take the compiled target of this process for a stand-alone program, which no installed device writes."""
    for setting in settings:
        if setting not in _STANDALONE_SETTINGS:
            guess = closest(setting, _STANDALONE_SETTINGS)
            raise RallError(f"device '{_STANDALONE}' has no setting '{setting}'{guess}")
    if session.first_time(_STANDALONE):
        warn(
            "rall does not write stand-alone C++ programs yet: what would be in one is compiled and runs in this "
            "process, where run() is called, with the same results; device.build() has nothing left to do"
        )
    session.device, session.settings = _RUNTIME, MappingProxyType({})


class StandaloneCalls:
    """What scripts for Brian 2's stand-alone mode call on ``device``: there is nothing to build here."""

    def build(self, *arguments: object, **settings: object) -> None:
        """Nothing: runs have taken place where they stand in the script.

        Parameters
        ----------
        *arguments, **settings
            Accepted.
        """

    def reinit(self) -> None:
        """Nothing: a script may go on, with objects of its own for the next run."""

    def activate(self, *arguments: object, **settings: object) -> None:
        """Nothing; see `build`."""

    def delete(self, *arguments: object, **settings: object) -> None:
        """Nothing: no files were written."""

    def run(self, *arguments: object, **settings: object) -> None:
        """Refused: there is no program that could run again with other values.

        Raises
        ------
        NotSupportedError
            Always.
        """
        raise NotSupportedError(
            "there is no stand-alone program to run again with other values (run_args); set the values and call run() "
            "again, with store() before and restore() after the first one. Nothing is compiled twice for that"
        )

    @property
    def has_been_run(self) -> bool:
        """Whether any network has run."""
        return any(network.t_ > 0 for network in session.networks)


#: The name that star imports bring.
device = StandaloneCalls()


def set_device(name: str, **settings: object) -> None:
    """Choose where runs happen from here on.

    Parameters
    ----------
    name : str
        ``'runtime'`` (in this process, as ``prefs.codegen.target`` says), ``'c'``, ``'numpy'``, or the name
        of any other installed device.
    **settings
        What that device offers, such as ``directory``.

    Raises
    ------
    RallError
        For a device that does not exist, or settings where there are none.
    """
    known = {_RUNTIME, *_ALIASES, *builtin_names("rall.devices")}
    if name == _STANDALONE and name not in known and name not in names("rall.devices"):
        _in_this_process(settings)
        return
    if name not in known and name not in names("rall.devices"):
        every = sorted({*known, *names("rall.devices")})
        raise RallError(f"there is no device {name!r}{closest(str(name), every)}; known: {', '.join(every)}")
    if settings and name in known:
        raise RallError(f"device '{name}' has no setting '{next(iter(settings))}'; it takes its name alone")
    session.device = name
    session.settings = MappingProxyType(dict(settings))


def get_device() -> Device:
    """The device that the next run would use."""
    return choose_device(options_from(prefs))


def choose_device(options: Options) -> Device:
    """The device that the user has chosen, or the best there is.

    Parameters
    ----------
    options : Options
        A compiler named there is insisted on.

    Returns
    -------
    Device
        Without a choice, C where there is a compiler that works, else NumPy with one warning.

    Raises
    ------
    CompileError
        If the C device, a compiler or flags were asked for, and nothing can be compiled so.
    """
    name = str(prefs["codegen.target"]) if session.device == _RUNTIME else session.device
    if name != "auto":
        return _make(_ALIASES.get(name, name), options, session.settings)
    try:
        return _make("c", options, {})
    except CompileError as problem:
        if options.compiler is not None or options.extra_compile_args:
            raise
        if session.first_time("no compiler"):
            words = str(problem).rstrip(".")
            end = "\n" if "\n" in words else ". "
            warnings.warn(
                f"{words}{end}Until then runs use NumPy, which gives the same results and takes several times "
                "as long; prefs.codegen.target = 'numpy' accepts this silently.",
                RallWarning,
                stacklevel=2,
            )
        return _make("numpy", options, {})


def _make(name: str, options: Options, settings: Mapping[str, object]) -> Device:
    maker = cast("Callable[..., Any]", find("rall.devices", name))
    made = maker(options, settings) if settings else maker(options)
    return cast(Device, made)
