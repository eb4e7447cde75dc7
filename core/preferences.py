"""Preferences: dotted names with defaults, checks and one word about those that mean nothing here."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from rall.errors import RallError, RallWarning
from rall.registry import builtin_names, closest

__all__ = ["DEFAULT_SCHEDULE", "Preference", "Preferences", "Section", "UnknownNameError", "schedule_slots"]

#: The slots of a step, unless a network or the user says otherwise.
DEFAULT_SCHEDULE = ("start", "groups", "thresholds", "synapses", "resets", "end")


class UnknownNameError(RallError, KeyError):
    """A key that is not there; the message says what is."""

    # That of KeyError would put the message into quotes.
    __str__ = Exception.__str__


@dataclass(frozen=True)
class Preference:
    """One preference that rall heeds.

    Parameters
    ----------
    default : object
        Its value until somebody sets it.
    meaning : str
        One line for messages and documentation.
    read : callable
        Turns what the user gives into what is kept; raises `ValueError` with what would do.
    """

    default: object
    meaning: str
    read: Callable[[Any], object]


def _target(value: Any) -> object:
    known = dict.fromkeys(("auto", "c", "numpy", "cython", *builtin_names("rall.devices")))
    if value not in known:
        raise ValueError(f"one of {', '.join(map(repr, known))}{closest(str(value), known)}")
    return value


def _flag(value: Any) -> object:
    if not isinstance(value, bool):
        raise ValueError("True or False")
    return value


def _threads(value: Any) -> object:
    if value != "auto" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ValueError("'auto' or a number of threads from 1 on")
    return value


def _command(value: Any) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError("a command such as 'clang', or None to look for a compiler")
    return value or None


def _words(value: Any) -> object:
    if isinstance(value, str):
        return tuple(value.split())
    if not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
        raise ValueError("a list of flags such as ['-O3']")
    return tuple(value)


def schedule_slots(value: Any) -> tuple[str, ...]:
    """Check a list of schedule slots.

    Parameters
    ----------
    value : sequence of str
        Names of slots in their order.

    Raises
    ------
    ValueError
        For what is no such list.
    """
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or any(not isinstance(s, str) for s in value)
    ):
        raise ValueError(f"a list of slot names such as {list(DEFAULT_SCHEDULE)}")
    if len(set(value)) != len(value):
        raise ValueError("a list in which no slot occurs twice")
    if any(s.startswith(("before_", "after_")) for s in value):
        raise ValueError("a list without 'before_...' and 'after_...', which every slot has by itself")
    return tuple(value)


_KNOWN: Mapping[str, Preference] = {
    "codegen.target": Preference("auto", "'auto', 'c' (or 'cython'), or 'numpy'", _target),
    "codegen.reproducible": Preference(False, "the same bits with every compiler and machine", _flag),
    "codegen.share_exponentials": Preference(True, "one exponential for related rates", _flag),
    "codegen.compiler": Preference(None, "command of the C compiler; None looks for one", _command),
    "codegen.extra_compile_args": Preference((), "flags appended to rall's own", _words),
    "threads": Preference("auto", "number of threads, or 'auto'", _threads),
    "core.network.default_schedule": Preference(DEFAULT_SCHEDULE, "slots of a step", schedule_slots),
}  # fmt: skip

_FLAGS_WORD = "see prefs.codegen.extra_compile_args and prefs.codegen.compiler"
_CACHE_WORD = "compiled code is kept in $RALL_CACHE, else $XDG_CACHE_HOME/rall, else ~/.cache/rall"
_LOG_WORD = "rall speaks through Python's warnings module"
_THREADS_WORD = "see prefs.threads"
#: Preferences of Brian 2 that have nothing to act on here: name or group of names, and what to use instead.
_WITHOUT_EFFECT: Mapping[str, str] = {
    "codegen.string_expression_target": "string expressions are evaluated with NumPy",
    "codegen.loop_invariant_optimisations": "what is constant over the step is always taken out of the loop",
    "codegen.max_cache_dir_size": _CACHE_WORD,
    "codegen.cpp": _FLAGS_WORD,
    "codegen.runtime.cython": _CACHE_WORD,
    "codegen.runtime.numpy.discard_units": "units are checked before a run and cost nothing in it",
    "core.default_float_dtype": "rall computes in 64-bit floats",
    "core.default_integer_dtype": "rall's integers have 64 bits",
    "core.outdated_dependency_error": "",
    "devices.cpp_standalone.openmp_threads": _THREADS_WORD,
    "devices.cpp_standalone.openmp_spatialneuron_strategy": _THREADS_WORD,
    "devices.cpp_standalone": _FLAGS_WORD,
    "GSL": "the GSL is not used",
    "legacy.refractory_timing": "",
    "logging": _LOG_WORD,
}


class Preferences(MutableMapping[str, Any]):
    """All preferences, as attributes (``prefs.codegen.target``) and as items (``prefs['codegen.target']``).

    Examples
    --------
    >>> prefs = Preferences()
    >>> prefs.codegen.target = 'numpy'
    >>> prefs['codegen.target']
    'numpy'
    """

    def __init__(self) -> None:
        object.__setattr__(self, "_set", {})
        object.__setattr__(self, "_said", set())

    _set: dict[str, object]
    _said: set[str]

    def __getitem__(self, name: str) -> Any:
        if name in self._set:
            return self._set[name]
        if name in _KNOWN:
            return _KNOWN[name].default
        raise UnknownNameError(
            f"there is no preference '{name}'{closest(name, self)}; known: {', '.join(_KNOWN)}"
        )

    def __setitem__(self, name: str, value: Any) -> None:
        known = _KNOWN.get(name)
        if known is None:
            self._say_once(name)
            self._set[name] = value
            return
        try:
            self._set[name] = known.read(value)
        except ValueError as problem:
            raise RallError(
                f"preference '{name}' ({known.meaning}) cannot be {value!r}; it takes {problem}"
            ) from None

    def __delitem__(self, name: str) -> None:
        self._set.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter({**_KNOWN, **self._set})

    def __len__(self) -> int:
        return len({**_KNOWN, **self._set})

    def __getattr__(self, name: str) -> Any:
        return Section(self, "").__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *{name.partition(".")[0] for name in self}]

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {self[name]!r}" for name in self)

    def reset_to_defaults(self) -> None:
        """Forget everything that was set."""
        self._set.clear()

    def _say_once(self, name: str) -> None:
        if name in self._said:
            return
        self._said.add(name)
        instead = _without_effect(name)
        if instead is None:
            guess = closest(name, _KNOWN)
            message = f"rall knows no preference '{name}'{guess}; it is kept, and nothing reads it"
        else:
            message = f"preference '{name}' has no effect in rall" + (f": {instead}" if instead else "")
        warnings.warn(message, RallWarning, stacklevel=4)


class Section:
    """The preferences below a prefix, such as ``prefs.codegen``."""

    __slots__ = ("_preferences", "_prefix")

    _preferences: Preferences
    _prefix: str

    def __init__(self, preferences: Preferences, prefix: str) -> None:
        object.__setattr__(self, "_preferences", preferences)
        object.__setattr__(self, "_prefix", prefix)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        full = self._prefix + name
        if full in self._preferences:
            return self._preferences[full]
        inside = f"{full}."
        names = (*self._preferences, *(f"{n}." for n in _WITHOUT_EFFECT), *_WITHOUT_EFFECT)
        if any(known.startswith(inside) for known in names):
            return Section(self._preferences, inside)
        raise AttributeError(f"there is no preference '{full}'{closest(full, self._preferences)}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._preferences[self._prefix + name] = value

    def __dir__(self) -> list[str]:
        skip = len(self._prefix)
        return [name[skip:].partition(".")[0] for name in self._preferences if name.startswith(self._prefix)]

    def __repr__(self) -> str:
        inside = [name for name in self._preferences if name.startswith(self._prefix)]
        return "\n".join(f"{name} = {self._preferences[name]!r}" for name in inside)


def _without_effect(name: str) -> str | None:
    """What to say about a preference of Brian's; None for one that nobody knows."""
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        instead = _WITHOUT_EFFECT.get(".".join(parts[:k]))
        if instead is not None:
            return instead
    return None
