"""PopulationRateMonitor: how many spikes there are in each step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.groups import ReadableStates
from rall.model import SHARED, Model, Operation, Record, RecordEvents, Variable
from rall.plugins.monitors.recorded import HERTZ, SECOND, group_of, labels_of
from rall.plugins.monitors.smoothing import smoothed, steps_of, window_of
from rall.recording import InTable, Table
from rall.session import SimulationObject
from rall.units import Quantity

__all__ = ["PopulationRateMonitor"]


class PopulationRateMonitor(InTable, ReadableStates, SimulationObject):
    """Records the firing rate of a group: spikes of a step, for each element and second.

    Parameters
    ----------
    source : Group or part of one
        What spikes.
    name : str
        See `SimulationObject`.
    codeobj_class : object
        Accepted without effect.
    dtype : type, optional
        Type of the rates; double precision without it.

    Attributes
    ----------
    t : Quantity
        Times of the steps, shape (steps,).
    rate : Quantity
        Rate in each step, shape (steps,).

    Raises
    ------
    RallError
        If the source does not spike.
    """

    invalidates_magic_network = False

    def __init__(self, source: Any, name: str = "ratemonitor*", codeobj_class: Any = None, dtype: Any = None) -> None:
        group = group_of(source, "PopulationRateMonitor")
        super().__init__(name=name, clock=group.clock, when="end")
        self.source, self._group = source, group
        self._happening = group.events_of("spike")
        self._dtype = np.dtype(np.float64 if dtype is None else dtype)
        self._table = Table(2)

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return (self._group,)

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        labels, size = labels_of(self.source)
        spikes = Variable("_spikes", SHARED, role="scratch")
        yield RecordEvents(
            name=f"{self.name}~count", clock=self.clock, when=self.when, order=self.order, events=self._happening,
            labels=labels, total=spikes,
        )  # fmt: skip
        first, borders = np.zeros(1, np.int64), np.array([0, 1])
        each = np.full(1, 1.0 / (size * self.clock.dt))
        rows = [(self.clock.t_variable, first, np.ones(1), borders), (spikes, first, each, borders)]
        yield Record(
            name=f"{self.name}~record", clock=self.clock, when=self.when, order=self.order, rows=rows, table=self._table
        )

    @property
    def t(self) -> Quantity:
        """Times of the steps, shape (steps,)."""
        return Quantity(self.t_, dim=SECOND)

    @property
    def rate_(self) -> NDArray[Any]:
        """Rate in each step in hertz, shape (steps,)."""
        return self._table.values()[:, 1].astype(self._dtype)

    @property
    def rate(self) -> Quantity:
        """Rate in each step, shape (steps,)."""
        return Quantity(self.rate_, dim=HERTZ)

    @property
    def N(self) -> int:
        """Number of recorded steps."""
        return len(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def binned_rate(self, bin_size: Any) -> tuple[Quantity, Quantity]:
        """The mean rate in bins of equal length; a last one that is not full is left out.

        Parameters
        ----------
        bin_size : Quantity
            A multiple of the step.

        Returns
        -------
        bins, rates : Quantity, shape (bins,)
            Where each bin starts, and the rate in it.

        Raises
        ------
        RallError
            If the size is no multiple of the step.
        """
        steps = steps_of(bin_size, self.clock.dt)
        bins = len(self) // steps
        rates = self.rate_[: bins * steps].reshape(bins, steps).mean(axis=1)
        return Quantity(self.t_[: bins * steps : steps], dim=SECOND), Quantity(rates, dim=HERTZ)

    def smooth_rate(self, window: str | NDArray[Any] = "gaussian", width: Any = None) -> Quantity:
        """The rate under a window that slides over it; beyond both ends it is taken as zero.

        Parameters
        ----------
        window : 'gaussian', 'flat' or array
            See `rall.plugins.monitors.smoothing.window_of`.
        width : Quantity, optional
            Standard deviation of the Gaussian, or length of the flat window.

        Returns
        -------
        Quantity, shape (steps,)
            At the times `t`.

        Raises
        ------
        RallError
            For a window that is none.
        """
        return Quantity(smoothed(self.rate_, window_of(window, width, self.clock.dt)), dim=HERTZ)

    # --- states ---------------------------------------------------------------------------------------------

    def state_names(self, subexpressions: bool, read_only_variables: bool) -> list[str]:
        """See `ReadableStates.state_names`."""
        return ["t", "rate", "N"] if read_only_variables else []

    def state_value(self, name: str, units: bool) -> Any:
        """See `ReadableStates.state_value`."""
        return self.N if name == "N" else getattr(self, name if units else f"{name}_")
