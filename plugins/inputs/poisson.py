"""PoissonGroup: elements that spike at random, each at its own rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import Equations
from rall.errors import DimensionMismatchError, RallError
from rall.events import EventList
from rall.groups.size import number_of_elements
from rall.ir.nodes import Compare, call, mul
from rall.model import Access, Assign, Domain, Elementwise, Emit, Layout, Model, Operation, Variable
from rall.plugins.inputs.given import measured
from rall.plugins.inputs.source import SpikeSource
from rall.session import warn
from rall.units import Quantity, get_or_create_dimension

__all__ = ["PoissonGroup"]

_HERTZ = get_or_create_dimension(second=-1)


class PoissonGroup(SpikeSource):
    """Elements that spike at random times.

    In each step an element spikes with probability ``rates*dt``, which is one Bernoulli draw and no true Poisson
    train: there are never two spikes in a step, and the variance of counts is smaller by the factor ``1 - rates*dt``.

    Parameters
    ----------
    N : int
        How many elements.
    rates : Quantity or str
        One rate for all, one for each element, or text that is evaluated in every step: it may use ``i``, ``t``,
        functions such as a `TimedArray`, and names from outside.
    dt, clock, when, order
        See `SimulationObject`.
    namespace : dict, optional
        Values of names in the text of `rates`; those that are missing are looked up where ``run`` is called.
    name : str
        See `SimulationObject`.
    codeobj_class : object
        Accepted without effect.

    Attributes
    ----------
    rates : VariableView, shape (N,)
        The present rates; may be set, unless they were given as text.

    Raises
    ------
    DimensionMismatchError
        If `rates` are no rates.
    RallError
        If something else does not fit.

    Examples
    --------
    >>> from rall.units import Hz
    >>> PoissonGroup(3, rates=[5, 10, 20]*Hz).rates[1]
    10 Hz
    """

    def __init__(
        self,
        N: int,
        rates: Any,
        dt: Any = None,
        clock: Any = None,
        when: str = "thresholds",
        order: int = 0,
        namespace: Mapping[str, object] | None = None,
        name: str = "poissongroup*",
        codeobj_class: Any = None,
    ) -> None:
        domain = Domain("sources", Layout(number_of_elements(N, "PoissonGroup", "elements")))
        text = isinstance(rates, str)
        equations = Equations(f"rates = {' '.join(rates.split())} : Hz" if text else "rates : Hz")
        super().__init__(name, domain, equations, namespace, clock, order, dt)
        self.when = when
        self._happening = EventList(domain.size)
        self._spiking = Variable("_spike", domain, kind="boolean", role="scratch")
        if not text:
            if measured(rates) is not _HERTZ:
                raise DimensionMismatchError(
                    f"rates of '{self.name}' are rates such as 10*Hz, or text, not {rates!r:.60}"
                )
            self.add_line(equations["rates"], domain, "parameter")
            self.write("rates", None, rates)
        self._ready = True

    # --- what users see ---------------------------------------------------------------------------------------

    def write(self, name: str, selection: Any, value: Any) -> None:
        """See `Group.write`."""
        if name == "rates" and "rates" not in self.variables:
            raise RallError(
                f"rates of '{self.name}' were given as text, '{self.equations['rates'].expr}', and are computed in "
                "every step; to set them, make the group with numbers (rates=10*Hz), or change the names in the text"
            )
        super().write(name, selection, value)

    # --- running ----------------------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        super().before_run(namespace)
        if "rates" in self.variables:
            self._check_rates(self.variables["rates"].get())

    def _check_rates(self, rates: NDArray[np.float64]) -> None:
        """Warn of rates that an element cannot have, since it spikes once in a step at most."""
        most = 1 / self.clock.dt
        odd = np.flatnonzero((rates < 0) | (rates > most * (1 + 1e-9)))
        if len(odd):
            wrong, limit = (Quantity(rate, dim=_HERTZ) for rate in (rates[odd[0]], most))
            warn(
                f"the rate of element {odd[0]} of '{self.name}' (made at {self.created_at}) is {wrong}, and counts as "
                f"one from 0 to {limit}, a spike in each step; give it another rate, or a smaller dt"
            )

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        resolver = self.resolver(self.run_externals())
        chance = mul(resolver.name("rates"), resolver.name("dt"))
        statements = [Assign("_spike", Compare("<", call("rand"), chance))]
        drawn = self.random_bindings(self.domain, model)
        bindings: dict[str, Variable | Access] = {**resolver.bindings, **drawn, "_spike": self._spiking}
        yield Elementwise(
            name=f"{self.name}_thresholder", clock=self.clock, when=self.when, order=self.order, domain=self.domain,
            statements=statements, bindings=bindings,
        )  # fmt: skip
        yield Emit(
            name=f"{self.name}_thresholder~emit", clock=self.clock, when=self.when, order=self.order,
            source=self._spiking, events=self._happening,
        )  # fmt: skip

    def places(self) -> list[tuple[str, str, int]]:
        """See `SimulationObject.places`."""
        return [*super().places(), (f"{self.name}_thresholder", self.when, self.order)]
