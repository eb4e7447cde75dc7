"""What is installed: versions, devices, compiler, cache, extensions, and what is missing."""

from __future__ import annotations

import os
import platform
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rall.devices.base import Device
from rall.devices.c import CDevice
from rall.devices.compiler import cache_directory, find_compiler
from rall.errors import PluginError
from rall.registry import GROUPS, find, names
from rall.session import options_from, prefs
from rall.solvers import engine_available
from rall.targets import choose_device

__all__ = ["describe_device", "extensions", "facts"]

_NEEDED = ("numpy", "scipy", "sympy", "jinja2")
#: Optional distributions: what for, and the extra that brings them.
_OPTIONAL = {
    "vtk": ("3D pictures", "view"),
    "matplotlib": ("plots, and simpler 3D pictures", "view"),
    "neurom": (".asc and .h5 files, morphometrics", "morphology"),
    "h5py": ("HDF5 files", "hdf5"),
}


def describe_device(device: Device) -> str:
    """A device in a few words.

    Parameters
    ----------
    device : Device
        Any.

    Returns
    -------
    str
        With the compiler, or with what takes its place.
    """
    if isinstance(device, CDevice):
        return f"c, compiled by {' '.join(device.toolchain.command)}"
    if device.name == "numpy":
        return f"numpy, {'with' if engine_available() else 'without'} the compiled engine"
    return device.name


def facts() -> list[tuple[str, str]]:
    """What `rall info` shows.

    Returns
    -------
    list of (str, str)
        Name and value, in reading order.
    """
    return [
        ("rall", f"{_version('rall') or 'not installed'} in {Path(__file__).parent}"),
        ("Python", f"{platform.python_version()} in {sys.prefix}"),
        ("system", f"{platform.platform()}, {os.cpu_count()} processors"),
        *((name, _version(name) or f"missing: pip install {name}") for name in _NEEDED),
        *((name, _version(name) or _advice(name)) for name in _OPTIONAL),
        *_compiler(),
        ("engine", "in use" if engine_available() else _no_engine()),
        ("devices", ", ".join(names("rall.devices"))),
        ("runs go to", _chosen()),
        ("cache", _cache()),
    ]


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _advice(name: str) -> str:
    purpose, extra = _OPTIONAL[name]
    return f"missing ({purpose}): pip install 'rall[{extra}]'"


def _compiler() -> list[tuple[str, str]]:
    options = options_from(prefs)
    found = find_compiler(options.compiler)
    if found is None:
        advice = "missing (runs take several times as long): apt install gcc, or pip install ziglang"
        return [("compiler", advice)]
    return [("compiler", " ".join(found.command)), ("flags", " ".join(found.flags(options)))]


def _no_engine() -> str:
    if os.environ.get("RALL_NO_ENGINE", "") not in ("", "0"):
        return "switched off by RALL_NO_ENGINE"
    return "missing (the numpy device is slower): install rall where there is a C compiler"


def _chosen() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the line on the compiler says it already
        return describe_device(choose_device(options_from(prefs)))


def _cache() -> str:
    folder = cache_directory()
    sizes = [entry.stat().st_size for entry in folder.glob("*") if entry.is_file()] if folder.is_dir() else []
    return f"{folder} ({len(sizes)} files, {sum(sizes) / 1e6:.1f} MB)"


def extensions() -> list[str]:
    """What `rall plugins` shows.

    Returns
    -------
    list of str
        Lines: for each group its names with the distribution that brings them, broken ones with the reason.
    """
    lines = []
    for group, kind in GROUPS.items():
        lines.append(f"{group} ({kind})")
        for name, origin in names(group).items():
            lines.append(f"  {name:<22} {origin}{_trouble(group, name)}")
    return lines


def _trouble(group: str, name: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said in the line itself
        try:
            find(group, name)
        except PluginError as problem:
            return f"   BROKEN: {problem}"
    return ""
