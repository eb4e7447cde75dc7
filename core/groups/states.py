"""States as dictionaries or tables, of one object or of a whole network."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rall.errors import NotSupportedError, RallError
from rall.registry import suggest

__all__ = ["ReadableStates", "States", "get_all_states", "set_all_states"]

_FORMATS = ("dict", "pandas")


class ReadableStates(ABC):
    """What has variables whose present values can be asked for all at once."""

    name: Any

    @abstractmethod
    def state_names(self, subexpressions: bool, read_only_variables: bool) -> list[str]:
        """Names of the variables.

        Parameters
        ----------
        subexpressions : bool
            With those that are computed from others (which are read-only).
        read_only_variables : bool
            With those that cannot be set.
        """

    @abstractmethod
    def state_value(self, name: str, units: bool) -> Any:
        """A copy of the present value of one of them: an array, or a single value where all elements share it."""

    def get_states(
        self,
        vars: str | Sequence[str] | None = None,
        units: bool = True,
        format: str = "dict",
        subexpressions: bool = False,
        read_only_variables: bool = True,
    ) -> Any:
        """Copies of present values.

        Parameters
        ----------
        vars : str or sequence of str, optional
            Which variables; all without it.
        units : bool
            Whether values carry their units; tables of pandas do not.
        format : {'dict', 'pandas'}
            A dictionary from names to values, or a ``pandas.DataFrame`` with a column for each.
        subexpressions : bool
            Whether `vars` left out means those too that are computed from others.
        read_only_variables : bool
            Whether `vars` left out means those too that `set_states` would refuse.

        Returns
        -------
        dict or pandas.DataFrame
            By name of the variable.

        Raises
        ------
        RallError
            For an unknown name or format.
        """
        _check_format(format, units, "get")
        chosen = self.state_names(subexpressions, read_only_variables) if vars is None else _listed(vars)
        known = self.state_names(True, True)
        for name in chosen:
            if name not in known:
                raise RallError(f"'{self.name}' has no variable '{name}'{suggest(name, known)}")
        values = {name: self.state_value(name, units) for name in chosen}
        return _table(self.name, values) if format == "pandas" else values


class States(ReadableStates):
    """What has variables that can be set all at once, too."""

    @abstractmethod
    def set_state_value(self, name: str, value: Any, units: bool) -> None:
        """Set one of the variables."""

    def set_states(self, values: Any, units: bool = True, format: str = "dict") -> None:
        """Set variables to what `get_states` gave, or to other values.

        Parameters
        ----------
        values : mapping or pandas.DataFrame
            By name of the variable.
        units : bool
            Whether values carry units; without, they are in SI base units.
        format : {'dict', 'pandas'}
            What `values` is.

        Raises
        ------
        RallError
            For an unknown or read-only name; nothing is set then.
        DimensionMismatchError
            For a value in another dimension.
        """
        _check_format(format, units, "set")
        known, writable = self.state_names(True, True), self.state_names(False, False)
        for name in values:
            if name not in known:
                raise RallError(f"'{self.name}' has no variable '{name}' to set{suggest(str(name), known)}")
            if name not in writable:
                raise RallError(
                    f"'{name}' of '{self.name}' cannot be set; get_states(read_only_variables=False) leaves out what "
                    "cannot"
                )
        for name in values:
            value = values[name]
            if format == "pandas":
                value = np.asarray(value)
                if np.ndim(self.state_value(name, False)) == 0 and len(set(value.tolist())) == 1:
                    value = value[0]  # a table repeats what all elements share
            self.set_state_value(name, value, units)


def get_all_states(objects: Iterable[object], **options: Any) -> dict[str, Any]:
    """States of all objects that have some.

    Parameters
    ----------
    objects : iterable
        Of a network; those without variables are left out.
    **options
        As of `ReadableStates.get_states`.

    Returns
    -------
    dict
        From names of objects to what `get_states` gives.
    """
    return {one.name: one.get_states(**options) for one in objects if isinstance(one, ReadableStates)}


def set_all_states(
    objects: Iterable[Any], values: Mapping[str, Any], units: bool = True, format: str = "dict"
) -> None:
    """Set states of objects.

    Parameters
    ----------
    objects : iterable
        Of a network.
    values : mapping
        From names of objects to values as of `States.set_states`.
    units, format
        As of `States.set_states`.

    Raises
    ------
    RallError
        If there is no such object, or it has nothing to set.
    """
    found = {one.name: one for one in objects}
    for name in values:
        if name not in found:
            raise RallError(f"there is no object '{name}' whose states could be set{suggest(str(name), found)}")
        if not isinstance(found[name], States) and len(values[name]):
            raise RallError(
                f"states of '{name}', a {type(found[name]).__name__}, cannot be set; "
                "get_states(read_only_variables=False) leaves out what cannot"
            )
    for name, wanted in values.items():
        if isinstance(found[name], States):
            found[name].set_states(wanted, units, format)


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _check_format(format: str, units: bool, what: str) -> None:
    if format not in _FORMATS:
        raise NotSupportedError(f"format={format!r} is not known; it is one of {', '.join(map(repr, _FORMATS))}")
    if format == "pandas" and units:
        raise NotSupportedError(
            f"tables of pandas have no units: {what}_states(..., units=False, format='pandas') takes SI base units"
        )


def _table(owner: str, values: Mapping[str, Any]) -> Any:
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        raise NotSupportedError("format='pandas' needs pandas: pip install pandas") from None
    lengths = {len(value) for value in values.values() if np.ndim(value)}
    deep = [name for name, value in values.items() if np.ndim(value) > 1]
    if deep or len(lengths) > 1:
        odd = f"'{deep[0]}' has more than one dimension" if deep else "variables differ in their number of values"
        raise NotSupportedError(f"states of '{owner}' are no table, as {odd}; choose others with vars=[...]")
    return pandas.DataFrame(dict(values), index=None if lengths else [0])
