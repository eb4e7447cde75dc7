"""StateMonitor: values of variables over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import IndexOutOfRangeError, RallError
from rall.groups import Group, ReadableStates
from rall.model import Model, Operation, Record
from rall.plugins.monitors.recorded import SECOND, group_of, types_of
from rall.recording import InTable, Table
from rall.session import SimulationObject, warn
from rall.units import Quantity

__all__ = ["StateMonitor"]


class StateMonitor(InTable, ReadableStates, SimulationObject):
    """Records variables at the beginning of steps.

    Parameters
    ----------
    source : Group or part of one
        Whose variables; or some of its elements (``cell.axon``).
    variables : str, sequence of str or True
        Their names; True for all of the equations.
    record : bool, int, Place, sequence, str or part of the source
        Which elements: True for all, numbers, places (a voltage is interpolated there), a condition, or what the source
        gives for an index (``S[2, :]`` of synapses).  Numbers count the elements of `source`, also where that is a part
        of a group.
    dt, clock, when, order, name
        See `SimulationObject`; by default the clock of the source, slot ``start``.
    codeobj_class : object
        Accepted without effect.

    Attributes
    ----------
    t : Quantity
        Times of the records, shape (steps,).
    record : ndarray of int
        Numbers in the source of the elements that are recorded, in the order of the rows.
    elements : ndarray of int
        Their numbers in the whole group.
    record_variables : tuple of str
        What is recorded of them.

    Raises
    ------
    RallError
        For what is no group, or a variable that it does not have.
    IndexOutOfRangeError
        For elements that it does not have.
    """

    invalidates_magic_network = False
    _ready = False

    def __init__(
        self,
        source: Any,
        variables: str | Sequence[str] | bool,
        record: Any,
        dt: Any = None,
        clock: Any = None,
        when: str = "start",
        order: int = 0,
        name: str = "statemonitor*",
        codeobj_class: Any = None,
    ) -> None:
        group = group_of(source, "StateMonitor")
        if dt is None and clock is None:
            clock = group.clock
        super().__init__(name=name, dt=dt, clock=clock, when=when, order=order)
        self.source, self._group = source, group
        self.record_variables = _names(group, variables)
        self._types = types_of(group, self.record_variables)
        self._everything = isinstance(record, (bool, np.bool_)) and bool(record)
        if isinstance(record, (bool, np.bool_)) and not record:
            warn(f"'{self.name}' records nothing: record=True is for all elements, record=[0, 3] for some")
            record = []
        self._choose(list(record) if isinstance(record, tuple) else record)
        if isinstance(record, str) and not len(self.record):
            warn(f"'{self.name}' records nothing: '{record}' holds for no element of '{group.name}' now")
        self._ready = True

    def _choose(self, record: Any) -> None:
        """Say which elements are recorded, and make room for their values."""
        items = record if self.source is self._group else self.source.in_group(record)
        self._weights = {v: self._group.record_weights(v, items) for v in self.record_variables}
        self.elements: NDArray[np.int64] = next(iter(self._weights.values()))[3]
        self.record: NDArray[np.int64] = self._numbers(self.elements)
        widths = [len(w[2]) - 1 for w in self._weights.values()]
        self._table = Table(1 + sum(widths))
        self._first = dict(zip(self.record_variables, 1 + np.cumsum([0, *widths[:-1]])))

    def _numbers(self, elements: NDArray[np.int64]) -> NDArray[np.int64]:
        """What elements of the whole group are called in the source."""
        if self.source is self._group:
            return elements
        number = np.full(self._group.N, -1)
        number[self.source.indices] = np.arange(self.source.N)
        found = number[elements]
        if (found < 0).any():
            wrong = int(elements[found < 0][0])
            raise IndexOutOfRangeError(f"{self._group.describe_element(wrong)} is no part of {self.source!r}")
        return found

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self._group,)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        if self._everything and not len(self._table) and self.source.N != len(self.record):
            self._choose(True)  # synapses that were made since

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        probes, found = self._group.probe(
            self.record_variables, self.name, (self.clock, self.when, self.order), model
        )
        yield from probes
        one = np.zeros(1, np.int64), np.ones(1), np.array([0, 1])
        rows = [(self.clock.t_variable, *one)]
        for name in self.record_variables:
            storage, weights, borders, _ = self._weights[name]
            rows.append((found[name], storage, weights, borders))
        yield Record(
            name=f"{self.name}~record", clock=self.clock, when=self.when, order=self.order, rows=rows, table=self._table
        )

    @property
    def t(self) -> Quantity:
        """Times of the records, shape (steps,)."""
        return Quantity(self.t_, dim=SECOND)

    def _values(self, name: str, units: bool) -> Any:
        first, width = self._first[name], len(self._weights[name][2]) - 1
        # A copy: what a script does to the array that it gets, such as drawing in spikes, leaves the record as it is.
        return self._types[name].values(self._table.values()[:, first : first + width].T.copy(), units)

    @property
    def N(self) -> int:
        """Number of recorded steps."""
        return len(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not self._ready:
            raise AttributeError(name)
        plain = name.removesuffix("_")
        if plain not in self.record_variables:
            known = ", ".join(self.record_variables)
            raise AttributeError(f"'{self.name}' does not record '{name}'; it records {known}")
        return self._values(plain, plain == name)

    def __getitem__(self, item: Any) -> _Records:
        """The records of one element (or several), by its number in the source or its place."""
        item = list(item) if isinstance(item, tuple) else item
        wanted = self._group.indices_of(item if self.source is self._group else self.source.in_group(item))
        rows = []
        for index in wanted.tolist():
            found = np.flatnonzero(self.elements == index)
            if not len(found):
                recorded = ", ".join(map(str, self.record[:8])) + (", ..." if len(self.record) > 8 else "")
                number = int(self._numbers(np.array([index]))[0])
                raise IndexOutOfRangeError(
                    f"'{self.name}' does not record element {number}; it records {recorded or 'none'}"
                )
            rows.append(int(found[0]))
        single = len(rows) == 1 and not hasattr(item, "__len__") and not isinstance(item, slice)
        return _Records(self, rows[0] if single else np.array(rows, int))

    def record_single_timestep(self) -> None:
        """Append the present values."""
        row = [np.array([self.clock.time_of(self.clock.step)])]
        for name in self.record_variables:
            values = self._group.values_of(name)
            storage, weights, borders, picked = self._weights[name]
            if len(weights) == len(picked):
                row.append(values[picked] if len(values) == self._group.N else np.repeat(values, len(picked)))
            else:
                stored = self._group.variables[name].array
                row.append(np.add.reduceat(weights * stored[storage], borders[:-1]))
        self._table.append(np.concatenate(row))

    # --- states ---------------------------------------------------------------------------------------------

    def state_names(self, subexpressions: bool, read_only_variables: bool) -> list[str]:
        """See `ReadableStates.state_names`."""
        return ["t", "N", *self.record_variables] if read_only_variables else []

    def state_value(self, name: str, units: bool) -> Any:
        """See `ReadableStates.state_value`; variables have the shape (steps, elements)."""
        if name in ("t", "N"):
            return getattr(self, name if units or name == "N" else "t_")
        return self._values(name, units).T


class _Records:
    """Records of some elements: variables as attributes."""

    def __init__(self, monitor: StateMonitor, rows: Any) -> None:
        self._monitor, self._rows = monitor, rows

    @property
    def t(self) -> Quantity:
        """Times of the records."""
        return self._monitor.t

    @property
    def t_(self) -> NDArray[np.float64]:
        """Times of the records in seconds."""
        return self._monitor.t_

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._monitor, name)[self._rows]


def _names(group: Group, variables: str | Sequence[str] | bool) -> tuple[str, ...]:
    """The names of what is recorded."""
    if variables is True:
        states = [n for n, v in group.variables.items() if v.role == "state" and not n.startswith("_")]
        return tuple(dict.fromkeys([*states, *group.equations]))
    names = (variables,) if isinstance(variables, str) else tuple(variables or ())
    if not names:
        raise RallError(f"a StateMonitor of '{group.name}' needs the name of a variable at least")
    return tuple(dict.fromkeys(names))
