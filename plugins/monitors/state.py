"""StateMonitor: values of variables over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import IndexOutOfRangeError, RallError
from rall.groups import Group
from rall.model import Model, Operation, Record
from rall.recording import Table
from rall.registry import closest
from rall.session import SimulationObject
from rall.units import DIMENSIONLESS, Quantity, get_or_create_dimension

__all__ = ["StateMonitor"]

_SECOND = get_or_create_dimension(second=1)


class StateMonitor(SimulationObject):
    """Records variables at the beginning of steps.

    Parameters
    ----------
    source : Group
        Whose variables; or some of its elements (``cell.axon``).
    variables : str or sequence of str
        Their names; True for all that change.
    record : bool, int, Place, sequence or str
        Which elements: True for all, numbers, places (a voltage is interpolated there), or a condition.  Numbers
        count the elements of `source`, also where that is a part of a group.
    dt, clock, when, order, name
        See `SimulationObject`; by default the clock of the source, slot ``start``.

    Attributes
    ----------
    t : Quantity
        Times of the records, shape (steps,).
    record : ndarray of int
        Elements in the order of the rows.
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
    ) -> None:
        group: Group = getattr(source, "group", source)
        if not isinstance(group, Group):
            raise RallError(f"StateMonitor needs a group or part of one, not {source!r}")
        if dt is None and clock is None:
            clock = group.clock
        super().__init__(name=name, dt=dt, clock=clock, when=when, order=order)
        self.source = source
        self._group = group
        self.record_variables = self._names(variables)
        if record is False:
            record = []
        self._items = record if source is group else self._inside(source, record)
        self._weights = {v: group.record_weights(v, self._items) for v in self.record_variables}
        self.record: NDArray[np.int64] = next(iter(self._weights.values()))[3]
        widths = [len(w[2]) - 1 for w in self._weights.values()]
        self._table = Table(1 + sum(widths))
        self._first = dict(zip(self.record_variables, 1 + np.cumsum([0, *widths[:-1]])))
        self._ready = True

    def _names(self, variables: str | Sequence[str] | bool) -> tuple[str, ...]:
        group = self._group
        if variables is True:
            states = [n for n, v in group.variables.items() if v.role == "state" and not n.startswith("_")]
            return (*states, *(line.varname for line in group.equations.subexpressions))
        names = (variables,) if isinstance(variables, str) else tuple(variables)  # type: ignore[arg-type]
        if not names:
            raise RallError(f"a StateMonitor of '{group.name}' needs the name of a variable at least")
        known = group.known_names()
        for name in names:
            if name not in known:
                raise RallError(f"'{group.name}' has no variable '{name}' to record{closest(name, known)}")
        return names

    @staticmethod
    def _inside(source: Any, record: Any) -> Any:
        """Elements of the whole group; numbers count those of the part that is recorded."""
        if record is True:
            return source.indices
        places = record if isinstance(record, (list, tuple)) else [record]
        numbers = all(isinstance(k, (int, np.integer)) for k in places)
        if not isinstance(record, (str, slice, np.ndarray)) and not numbers:
            return record
        return source[list(record) if isinstance(record, tuple) else record].indices

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
        return Quantity(self.t_, dim=_SECOND)

    @property
    def t_(self) -> NDArray[np.float64]:
        """Times of the records in seconds, shape (steps,)."""
        return self._table.values()[:, 0].copy()

    def _values(self, name: str) -> NDArray[np.float64]:
        first, width = self._first[name], len(self._weights[name][2]) - 1
        return self._table.values()[:, first : first + width].T

    def __getattr__(self, name: str) -> Any:
        if not self._ready or name.startswith("__"):
            raise AttributeError(name)
        plain = name.removesuffix("_")
        if plain not in self.record_variables:
            known = ", ".join(self.record_variables)
            raise AttributeError(f"'{self.name}' does not record '{name}'; it records {known}")
        return self._with_unit(plain, self._values(plain), plain == name)

    def _with_unit(self, name: str, values: NDArray[np.float64], units: bool) -> Any:
        dimension = self._group.dimension(name)
        return Quantity(values, dim=dimension) if units and dimension is not DIMENSIONLESS else values

    def __getitem__(self, item: Any) -> _Rows:
        """The records of one element (or several), by its number in the source or its place."""
        part = self.source is not self._group
        wanted = self._group.indices_of(self._inside(self.source, item) if part else item)
        rows = []
        for index in wanted.tolist():
            found = np.flatnonzero(self.record == index)
            if not len(found):
                recorded = ", ".join(map(str, self.record[:8])) + (", ..." if len(self.record) > 8 else "")
                raise IndexOutOfRangeError(
                    f"'{self.name}' does not record element {index}; it records {recorded or 'none'}"
                )
            rows.append(int(found[0]))
        single = len(rows) == 1 and not isinstance(item, (slice, list, np.ndarray))
        return _Rows(self, rows[0] if single else np.array(rows))

    def record_single_timestep(self) -> None:
        """Append the present values."""
        row = [np.array([self.clock.step * self.clock.dt])]
        for name in self.record_variables:
            values = self._group.values_of(name)
            storage, weights, borders, picked = self._weights[name]
            if len(weights) == len(picked):
                row.append(values[picked] if len(values) > 1 else np.repeat(values, len(picked)))
            else:
                stored = self._group.variables[name].array
                row.append(np.add.reduceat(weights * stored[storage], borders[:-1]))
        self._table.replace(np.concatenate([self._table.values(), np.concatenate(row)[None, :]]))

    def state(self) -> dict[str, NDArray[Any]]:
        """See `SimulationObject.state`."""
        return {"table": self._table.values()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `SimulationObject.set_state`."""
        self._table.replace(state["table"])


class _Rows:
    """Records of some elements: variables as attributes."""

    def __init__(self, monitor: StateMonitor, rows: Any) -> None:
        self._monitor, self._rows = monitor, rows

    @property
    def t(self) -> Quantity:
        """Times of the records."""
        return self._monitor.t

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._monitor, name)[self._rows]
