"""Values of a JSON file that know where they stand in it, so that every mistake is named with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rall.errors import RallError
from rall.registry import closest

__all__ = ["Entry", "read_json"]

_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def read_json(path: Path) -> Entry:
    """The whole of a file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    RallError
        If there is no such file, or it is not JSON.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RallError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RallError(f"{path} is no text in UTF-8, and so no JSON; give the model's fit_parameters.json") from error
    try:
        return Entry(json.loads(text), "", str(path))
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}, column {error.colno}"
        raise RallError(f"{where}: this is not JSON ({error.msg}); give the model's fit_parameters.json") from error
    except RecursionError as error:
        raise RallError(f"{path}: its lists are nested too deeply; give the model's fit_parameters.json") from error


class Entry:
    """A value with its place.

    Parameters
    ----------
    value : object
        As `json` gives it.
    path : str
        Where it stands, such as ``genome[3].value``; empty for the whole file.
    file : str
        The file.
    """

    def __init__(self, value: Any, path: str, file: str) -> None:
        self.value, self.path, self.file = value, path, file

    def error(self, message: str) -> RallError:
        """What is wrong with it, with its place.

        Parameters
        ----------
        message : str
            What is wrong and what would do.
        """
        return RallError(f"{self.file}, {self.path}: {message}" if self.path else f"{self.file}: {message}")

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def __getitem__(self, key: str) -> Entry:
        self._must_be(dict, f"an object with the key '{key}'")
        if key not in self.value:
            there = ", ".join(map(str, self.value)) or "none"
            raise self.error(f"the key '{key}' is missing{closest(key, self.value)}; its keys: {there}")
        return Entry(self.value[key], f"{self.path}.{key}" if self.path else key, self.file)

    def keys(self) -> tuple[str, ...]:
        """The keys of an object."""
        self._must_be(dict, "an object")
        return tuple(self.value)

    def __iter__(self) -> Iterator[Entry]:
        self._must_be(list, "a list")
        return (Entry(value, f"{self.path}[{k}]", self.file) for k, value in enumerate(self.value))

    def first(self) -> Entry:
        """The first element of a list."""
        found = next(iter(self), None)
        if found is None:
            raise self.error("the list is empty, and its first element is needed")
        return found

    def text(self) -> str:
        """It as a text."""
        self._must_be(str, "a text")
        return str(self.value)

    def number(self, least: float = -math.inf, most: float = math.inf, unit: str = "") -> float:
        """It as a number; texts of numbers are numbers too.

        Parameters
        ----------
        least, most : float
            The range that it must lie in.
        unit : str
            What it is in, for messages.
        """
        value = self.value
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            wanted = f"a finite number{f' ({unit})' if unit else ''}"
            raise self.error(f"{wanted} is expected here, not {self._shown()}")
        if not least <= number <= most:
            raise self.error(f"{number:g} is out of range: {_range(least, most)}{f' {unit}' if unit else ''}")
        return number

    def _must_be(self, kind: type, wanted: str) -> None:
        if not isinstance(self.value, kind):
            raise self.error(f"{wanted} is expected here, not {self._shown()}")

    def _shown(self) -> str:
        value = self.value
        named = _KINDS.get(type(value), "a number")
        return f"{named}, {json.dumps(value):.40}" if isinstance(value, (str, int, float)) else named


def _range(least: float, most: float) -> str:
    if most == math.inf:
        return f"it must be at least {least:g}"
    return f"it must lie between {least:g} and {most:g}"
