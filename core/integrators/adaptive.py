"""Explicit Runge-Kutta pairs that choose their own sub-steps inside a step.

The names of the methods and of their options are those of Brian 2, which hands such equations to the GNU Scientific
Library.  Nothing of that library is used here: the pairs are from the literature, the control of the sub-step is the
usual one (Hairer, Norsett & Wanner 1993, section II.4), and the higher order of a pair is the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from rall.errors import DimensionMismatchError, RallError
from rall.integrators.base import System
from rall.integrators.noise import forbid_noise, hold_draws
from rall.integrators.tableaux import CASH_KARP, CLASSICAL, FEHLBERG, KUTTA, PRINCE_DORMAND
from rall.model import Access, Clock, Domain, ErrorControl, Integrate, Tableau, Variable
from rall.registry import closest
from rall.units import DIMENSIONLESS, Dimension, dimension_of, get_or_create_dimension, value_of

__all__ = ["RK2", "RK4", "RK8PD", "RKCK", "RKF45", "AdaptiveOptions", "AdaptiveRungeKutta"]

_SECOND = get_or_create_dimension(second=1)
_LAST, _FAILED, _COUNT = "_last_timestep", "_failed_steps", "_step_count"


@dataclass(frozen=True)
class AdaptiveOptions:
    """What users can set in ``method_options``.

    Parameters
    ----------
    adaptable_timestep : bool
        Whether sub-steps are chosen by their error; else each step is one step of the method.
    absolute_error : float
        Largest error of each variable in a sub-step, in the variable's base unit.
    absolute_error_per_variable : mapping of str to float
        The same for single variables.
    relative_error : float
        What may be added to that, as a part of the variable's size (not in Brian 2).
    max_steps : int
        Most sub-steps of an element in one step; 0 for no limit.
    use_last_timestep : bool
        Whether a step begins with the sub-step that the last one ended with, which is then kept as
        ``_last_timestep`` of the group; else with the whole step.
    save_failed_timesteps, save_step_count : bool
        Whether the numbers of sub-steps that were rejected and accepted in the last step are kept, as
        ``_failed_steps`` and ``_step_count`` of the group.
    """

    adaptable_timestep: bool = True
    absolute_error: float = 1e-6
    absolute_error_per_variable: Mapping[str, float] = field(default_factory=dict)
    relative_error: float = 0.0
    max_steps: int = 100
    use_last_timestep: bool = True
    save_failed_timesteps: bool = False
    save_step_count: bool = False

    def memory(self) -> dict[str, tuple[Dimension, str]]:
        """The variables that a group must have for these options, with dimension and type."""
        found = {}
        if self.adaptable_timestep and self.use_last_timestep:
            found[_LAST] = (_SECOND, "float")
        if self.save_failed_timesteps:
            found[_FAILED] = (DIMENSIONLESS, "integer")
        if self.save_step_count:
            found[_COUNT] = (DIMENSIONLESS, "integer")
        return found


@final
class AdaptiveRungeKutta:
    """A method that turns differential equations into one `Integrate` operation instead of assignments.

    Registered in the group ``rall.integrators`` beside the classes of `AbstractIntegrator`; `choose` gives either.

    Parameters
    ----------
    name : str
        What the user writes after ``method=``.
    order : int
        Order of convergence of the result.
    tableau : Tableau
        The pair.
    """

    def __init__(self, name: str, order: int, tableau: Tableau) -> None:
        self.name, self.order, self.tableau = name, order, tableau

    def check(self, system: System) -> None:
        """See `AbstractIntegrator.check`: any system without noise will do."""
        forbid_noise(system, self.name)

    def options(self, given: Mapping[str, object], dimensions: Mapping[str, Dimension]) -> AdaptiveOptions:
        """Check what a user has set.

        Parameters
        ----------
        given : mapping of str to object
            ``method_options`` as it was written.
        dimensions : mapping of str to Dimension
            Of the variables of the equations.

        Raises
        ------
        RallError
            For an option that there is not, a value that it cannot take, or a variable without an equation.
        DimensionMismatchError
            For an error in another unit than its variable.
        """
        known = AdaptiveOptions.__dataclass_fields__
        for key in given:
            if key not in known:
                raise RallError(
                    f"the method '{self.name}' has no option '{key}'{closest(str(key), known)}; it has: "
                    + ", ".join(known)
                )
        values: dict[str, object] = dict(given)
        for key in ("adaptable_timestep", "use_last_timestep", "save_failed_timesteps", "save_step_count"):
            if not isinstance(values.get(key, True), bool):
                raise RallError(f"the option '{key}' of '{self.name}' is True or False, not {values[key]!r}")
        most = values.get("max_steps", 0)
        if isinstance(most, bool) or not isinstance(most, int) or most < 0:
            raise RallError(f"the option 'max_steps' of '{self.name}' is a whole number, 0 for no limit, not {most!r}")
        if "absolute_error" in values:
            values["absolute_error"] = self._size("absolute_error", values["absolute_error"], DIMENSIONLESS)
        if values.get("relative_error", 0) != 0:
            values["relative_error"] = self._size("relative_error", values["relative_error"], DIMENSIONLESS)
        each = values.get("absolute_error_per_variable")
        values["absolute_error_per_variable"] = self._each(each, dimensions)
        return AdaptiveOptions(**values)  # type: ignore[arg-type]

    def _each(self, given: object, dimensions: Mapping[str, Dimension]) -> dict[str, float]:
        option = "absolute_error_per_variable"
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise RallError(f"the option '{option}' of '{self.name}' is a dictionary of quantities, not {given!r}")
        for variable in given:
            if variable not in dimensions:
                raise RallError(
                    f"the option '{option}' names '{variable}', which has no differential equation"
                    f"{closest(str(variable), dimensions)}; there are: {', '.join(dimensions)}"
                )
        return {v: self._size(f"{option}['{v}']", value, dimensions[v]) for v, value in given.items()}

    def _size(self, option: str, value: object, dimension: Dimension) -> float:
        try:
            plain = float(value_of(value))
        except (TypeError, ValueError):
            plain = -1.0
        if not 0.0 < plain < float("inf"):
            raise RallError(f"the option '{option}' of '{self.name}' is a positive value, not {value!r}")
        if dimension_of(value) is not dimension:
            unit = "a number without a unit" if dimension is DIMENSIONLESS else f"in {dimension}"
            raise DimensionMismatchError(f"the option '{option}' of '{self.name}' is {unit}, not {value!r}")
        return plain

    def operation(
        self,
        system: System,
        bindings: Mapping[str, Variable | Access],
        options: AdaptiveOptions,
        *,
        name: str,
        clock: Clock,
        domain: Domain,
        order: int = 0,
    ) -> Integrate:
        """The operation that advances every variable of the system by a step of the clock.

        Parameters
        ----------
        system : System
            The equations.
        bindings : mapping
            What their names are; the variables of `AdaptiveOptions.memory` by their names, and what random numbers
            need if there are any.
        options : AdaptiveOptions
            From `options`.
        name, clock, domain, order
            As of `Integrate`.

        Raises
        ------
        NotIntegrable
            If the system has noise.
        """
        self.check(system)
        still, held = hold_draws(system)
        control = ErrorControl(
            tuple(options.absolute_error_per_variable.get(v, options.absolute_error) for v in still.equations),
            options.relative_error, options.max_steps, options.adaptable_timestep,
        )  # fmt: skip
        memory = {key: bindings[key] for key in options.memory()}
        assert not any(isinstance(variable, Access) for variable in memory.values())
        return Integrate(
            name=name, clock=clock, order=order, domain=domain, held=held, equations=still.equations, time=still.time,
            bindings={key: bound for key, bound in bindings.items() if key not in memory},
            tableau=self.tableau, control=control,
            last=memory.get(_LAST), rejected=memory.get(_FAILED), accepted=memory.get(_COUNT),  # type: ignore[arg-type]
        )  # fmt: skip


RK2 = AdaptiveRungeKutta("gsl_rk2", 3, KUTTA)
RK4 = AdaptiveRungeKutta("gsl_rk4", 4, CLASSICAL)
RKF45 = AdaptiveRungeKutta("gsl_rkf45", 5, FEHLBERG)
RKCK = AdaptiveRungeKutta("gsl_rkck", 5, CASH_KARP)
RK8PD = AdaptiveRungeKutta("gsl_rk8pd", 8, PRINCE_DORMAND)
