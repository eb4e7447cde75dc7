"""Targets: which device a run uses."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from rall.devices.base import Device
from rall.errors import CompileError, RallError, RallWarning
from rall.options import Options
from rall.registry import builtin_names, closest, find, names
from rall.session import options_from, prefs, session

__all__ = ["choose_device", "get_device", "set_device"]

_RUNTIME = "runtime"
_ALIASES = {"cython": "c"}


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
