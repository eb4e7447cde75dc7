"""Finding extensions by name: built-ins in a static table, everybody's by entry points.

The table (`rall.builtin`) is generated from rall's own entry points, so that the installed distributions are
only looked through at the first name that is not in it.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from rall.builtin import BUILTIN
from rall.errors import PluginError, RallWarning

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

__all__ = ["DISTRIBUTION", "GROUPS", "builtin_names", "closest", "find", "names", "register", "suggest"]

GROUPS: Mapping[str, str] = MappingProxyType({
    "rall.components": "public name",
    "rall.devices": "device",
    "rall.integrators": "integration method",
    "rall.lines": "kind of equation line",
    "rall.flags": "flag",
    "rall.readers": "morphology format",
    "rall.viewers": "viewer",
    "rall.channels": "channel family",
})  # fmt: skip
"""The kinds of extension, with the word that messages use."""

DISTRIBUTION = "rall"


class _Registry:
    """What is known so far; one object, so that nothing is looked up twice."""

    __slots__ = ("broken", "found", "given", "loaded")

    def __init__(self) -> None:
        self.loaded: dict[tuple[str, str], object] = {}
        self.given: set[tuple[str, str]] = set()
        self.found: dict[str, dict[str, tuple[str, str]]] | None = (
            None  # group -> name -> (target, distribution)
        )
        self.broken: set[tuple[str, str]] = set()

    def entry_points(self, group: str) -> Mapping[str, tuple[str, str]]:
        """Entry points of other distributions in a group, looked up once for all groups."""
        if self.found is None:
            self.found = _scan()
        return self.found.get(group, {})


def _scan() -> dict[str, dict[str, tuple[str, str]]]:
    # Takes 5 to 50 ms, depending on how much is installed: hence only when a name is not built in.
    from importlib.metadata import distributions

    found: dict[str, dict[str, tuple[str, str]]] = {group: {} for group in GROUPS}
    for distribution in distributions():
        origin = distribution.name or "?"
        if origin.lower() == DISTRIBUTION:
            continue
        for point in _points(distribution, origin):
            if point.group in found:
                _enter(found[point.group], point.group, point.name, (point.value, origin))
    return found


def _points(distribution: Distribution, origin: str) -> Iterable[EntryPoint]:
    try:
        return tuple(distribution.entry_points)
    except (TypeError, ValueError, OSError) as problem:  # what a line without "=" gives is up to the Python version
        warnings.warn(
            f"the entry points of '{origin}' cannot be read and are left out: {problem}", RallWarning, stacklevel=2
        )
        return ()


def _enter(known: dict[str, tuple[str, str]], group: str, name: str, entry: tuple[str, str]) -> None:
    other = ("", DISTRIBUTION) if name in BUILTIN.get(group, {}) else known.get(name)
    if other is None:
        known[name] = entry
    elif other != entry:
        warnings.warn(
            f"plugin '{entry[1]}' brings the {GROUPS[group]} {name!r}, which '{other[1]}' has already; "
            f"the one of '{other[1]}' is used",
            RallWarning,
            stacklevel=2,
        )


_registry = _Registry()


def find(group: str, name: str) -> object:
    """The extension of that name.

    Parameters
    ----------
    group : str
        One of `GROUPS`, such as ``'rall.devices'``.
    name : str
        Its name there.

    Returns
    -------
    object
        What the entry point names, imported.

    Raises
    ------
    PluginError
        If there is none, or it cannot be loaded.
    """
    key = (group, name)
    known = _registry.loaded.get(key)
    if known is not None:
        return known
    _check_group(group)
    target, origin = BUILTIN.get(group, {}).get(name), DISTRIBUTION
    if target is not None:
        loaded = _load(target)
    else:
        entry = _registry.entry_points(group).get(name)
        if entry is None or key in _registry.broken:
            raise PluginError(_unknown(group, name, broken=entry))
        target, origin = entry
        loaded = _load_foreign(group, name, target, origin)
    _registry.loaded[key] = loaded
    return loaded


def register(group: str, name: str, extension: object) -> None:
    """Add an extension for the rest of this process, as a script does that brings its own.

    Parameters
    ----------
    group : str
        One of `GROUPS`.
    name : str
        How it is found from here on.
    extension : object
        What `find` gives.

    Raises
    ------
    PluginError
        If the name is taken.
    """
    if name in names(group):
        raise PluginError(f"the {GROUPS[group]} {name!r} is there already; choose another name for yours")
    _registry.loaded[group, name] = extension
    _registry.given.add((group, name))


def _load(target: str) -> object:
    module, _, attributes = target.partition(":")
    loaded: object = import_module(module)
    for attribute in filter(None, attributes.split(".")):
        loaded = getattr(loaded, attribute)
    return loaded


def _load_foreign(group: str, name: str, target: str, origin: str) -> object:
    try:
        return _load(target)
    except (Exception, SystemExit) as error:  # whatever a plugin's code does wrong must not take rall down
        _registry.broken.add((group, name))
        reason = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"plugin '{name}' of '{origin}' ({GROUPS[group]}, {target}) failed to load and "
            f"is left out: {reason}",
            RallWarning,
            stacklevel=3,
        )
        raise PluginError(
            f"the {GROUPS[group]} {name!r} of '{origin}' cannot be loaded ({reason}); "
            f"update or uninstall '{origin}', or choose one of: {_listed(group)}"
        ) from error


def names(group: str) -> dict[str, str]:
    """All names of a group.

    Parameters
    ----------
    group : str
        One of `GROUPS`.

    Returns
    -------
    dict of str to str
        Name to the distribution that brings it, built-ins first, what scripts registered last (with no name of
        a distribution).  Plugins that failed to load are left out.
    """
    _check_group(group)
    known = dict.fromkeys(builtin_names(group), DISTRIBUTION)
    for name, (_, origin) in sorted(_registry.entry_points(group).items()):
        if (group, name) not in _registry.broken:
            known[name] = origin
    known.update((name, "") for of, name in sorted(_registry.given) if of == group)
    return known


def builtin_names(group: str) -> tuple[str, ...]:
    """Names of rall's own extensions in a group; looks at no other distribution.

    Parameters
    ----------
    group : str
        One of `GROUPS`.

    Returns
    -------
    tuple of str
        In the order of rall's own entry points.
    """
    return tuple(BUILTIN.get(group, {}))


def closest(word: str, known: Iterable[str]) -> str:
    """Words for a message: what was probably meant.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable of str
        What would have been possible.

    Returns
    -------
    str
        ``"; did you mean 'x'?"``, or nothing if nothing is close.
    """
    candidates = list(known)
    lower = {name.lower(): name for name in candidates}
    if word.lower() in lower:
        return f"; did you mean {lower[word.lower()]!r}?"
    near = difflib.get_close_matches(word, candidates, n=2, cutoff=0.6)
    near = near or [lower[name] for name in difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def suggest(word: str, known: Iterable[str]) -> str:
    """Words for a message where a name is unknown: what was probably meant, or else what there is.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable of str
        What would have been possible; names with ``_`` in front are rall's own and left out.

    Returns
    -------
    str
        ``"; did you mean 'x'?"`` or ``"; there is: x, y"``.
    """
    candidates = sorted(name for name in known if not name.startswith("_"))
    more = "" if len(candidates) <= 12 else ", ..."
    return closest(word, candidates) or f"; there is: {', '.join(candidates[:12]) or 'nothing'}{more}"


def _check_group(group: str) -> None:
    if group not in GROUPS:
        raise PluginError(
            f"there is no group of extensions {group!r}{closest(group, GROUPS)}; known: {', '.join(GROUPS)}"
        )


def _listed(group: str) -> str:
    return ", ".join(names(group)) or "none is installed"


def _unknown(group: str, name: str, broken: object) -> str:
    if broken is not None:
        return f"the {GROUPS[group]} {name!r} failed to load before; choose one of: {_listed(group)}"
    return f"there is no {GROUPS[group]} {name!r}{closest(str(name), names(group))}; known: {_listed(group)}"
