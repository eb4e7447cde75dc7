"""Group: what neurons, cells and synapses have in common, which is variables that users see as attributes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import Equations, Line
from rall.equations.dimensions import check_equations, infer
from rall.equations.names import Places, resolve, typed_of
from rall.errors import EquationError, RallError
from rall.evaluate import evaluate
from rall.events import EventList
from rall.functions import describe
from rall.groups.assign import Sums, checked
from rall.groups.attached import AttachedArray
from rall.groups.bound import draws_in, kind_of, value_of_bound, variable_of
from rall.groups.linked import Link, LinkedVariable, link
from rall.groups.numbers import ElementNumbers
from rall.groups.present import Present
from rall.groups.probe import probe
from rall.groups.regular import CodeRunner, times_in_seconds
from rall.groups.resolver import Resolver
from rall.groups.sites import SynapticTarget
from rall.groups.states import States
from rall.groups.stored import Stored
from rall.groups.subgroup import Subgroup, check_slice, pick
from rall.groups.views import VariableView
from rall.ir.nodes import Name, Node
from rall.ir.parse import Parsed, parse
from rall.ir.statements import Statement
from rall.ir.visit import functions, names, substitute
from rall.model import SHARED, Access, Assign, Clock, Domain, Lazy, Model, Operation, Variable
from rall.registry import suggest
from rall.session import caller_namespace, session
from rall.units import DIMENSIONLESS, Dimension, Quantity, get_or_create_dimension
from rall.units.quantity import with_dimension

__all__ = ["Group"]

Indices = NDArray[np.int64]

_SECOND = get_or_create_dimension(second=1)
#: Time as users see it, beside the variables.
_TIMES = ("t", "dt", "t_in_timesteps")


class Group(SynapticTarget, States, Stored):
    """Elements with variables and equations.

    Parameters
    ----------
    name : str
        As in `SimulationObject`.
    domain : Domain
        The elements.
    equations : Equations
        Of the model.
    namespace : mapping, optional
        Values of external names; without it, they are looked up where `run` is called.
    clock, order, dt
        Of the state update; see `SimulationObject`.
    """

    _ready = False

    def __init__(
        self,
        name: str,
        domain: Domain,
        equations: Equations,
        namespace: Mapping[str, object] | None = None,
        clock: Any = None,
        order: int = 0,
        dt: Any = None,
    ) -> None:
        super().__init__(name, domain, clock, order, dt)
        self.equations = equations.expanded()
        self.namespace = _as_namespace(namespace)
        self.constants: dict[str, Variable] = {}
        self.sums = Sums(self)
        #: Variables of other domains under names of this group.
        self.links: dict[str, Variable | Access] = {}
        #: What the user has linked to other groups.
        self.linked: dict[str, Link] = {}
        #: What code of any object in the present run writes.
        self.written: set[str] = set()
        self._external: dict[str, object] = {}
        #: Names that the group computes itself, with their dimensions.
        self.computed_names: dict[str, Dimension] = {}
        n = Variable("N", SHARED, kind="integer", role="constant")
        n.array[0] = domain.size
        index = Lazy("i", domain, DIMENSIONLESS, "integer", "constant", lambda: np.arange(domain.size))
        self.variables.update(N=n, i=index)

    # --- variables ------------------------------------------------------------------------------------------

    def add_line(self, line: Line, domain: Domain, role: str) -> Variable:
        """Make the variable of a differential equation or a parameter."""
        where = SHARED if line.has("shared") else domain
        variable = Variable(line.varname, where, line.dimension, line.var_type, role)
        self.variables[line.varname] = variable
        return variable

    @property
    def N(self) -> int:
        """Number of elements."""
        return self.domain.size

    def __len__(self) -> int:
        return self.domain.size

    def dimension(self, name: str) -> Dimension:
        """Dimension of a variable or subexpression."""
        bound = self.bound(name)
        if bound is not None:
            return variable_of(bound).dimension
        if name in self.computed_names:
            return self.computed_names[name]
        return self.expression_types()[name][0]

    def bound(self, name: str) -> Variable | Access | None:
        """What a name stands for, None if it is that of no variable."""
        return self.variables.get(name) or self.links.get(name)

    def is_shared(self, name: str) -> bool:
        """Whether a variable or subexpression has one value for all elements."""
        bound = self.bound(name)
        if bound is not None:
            return variable_of(bound).shared
        if name in self.linked:
            source = self.linked[name].source
            return source.group.is_shared(source.name)
        line = self.equations.get(name)
        return line is not None and line.has("shared")

    def is_kept(self, name: str) -> bool:
        """Whether a name has values of its own, which need not be computed from others."""
        return name in self.variables or name in self.linked

    def is_constant(self, name: str) -> bool:
        """Whether a variable is declared not to change during a run."""
        line = self.equations.get(name)
        return line is not None and line.has("constant")

    def note_written(self, written: Iterable[str]) -> None:
        """Take note that code in the run that begins changes variables.

        Parameters
        ----------
        written : iterable of str
            Their names.
        """
        self.written.update(written)

    def frozen_while(self, name: str) -> str | None:
        """What must be true for equations and synapses to change a variable; None where they always can."""
        return None

    def known_names(self) -> set[str]:
        """Everything that can be read as an attribute."""
        subexpressions = (line.varname for line in self.equations.subexpressions)
        links = (name for name in self.links if not name.startswith("_"))
        return {*self.variables, *links, *self.linked, *self.computed_names, *subexpressions}

    def clock_variables(self) -> dict[str, Variable]:
        """Time as kernels of this group see it."""
        assert self.clock is not None
        clock = self.clock
        return {"t": clock.t_variable, "dt": clock.dt_variable, "t_in_timesteps": clock.step_variable}

    # --- attributes -----------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not self._ready:
            raise AttributeError(name)
        plain = name.removesuffix("_")
        if plain in self.known_names():
            return self.view(plain, None, units=plain == name)
        if plain in _TIMES:
            return self._time(plain, units=plain == name)
        known = self.known_names()
        raise AttributeError(f"'{self.name}' has no variable or attribute '{name}'{suggest(name, known)}")

    def __setattr__(self, name: str, value: Any) -> None:
        plain = name.removesuffix("_")
        if self._ready and isinstance(value, LinkedVariable):
            self.link(name, value)
        elif self._ready and plain in self.unlinked():
            raise RallError(f"'{name}' of '{self.name}' is linked: set it to linked_var(group, 'variable')")
        elif self._ready and plain in self.known_names():
            # What `group.x += y` assigns in the end is the view that has done it.
            own = isinstance(value, VariableView) and value.group is self and value.name == plain
            if not own or value.selection is not None:
                self.write(plain, None, value if plain == name else self.with_unit(plain, value))
        elif self._ready and not name.startswith("_") and not hasattr(type(self), name) and name not in self.__dict__:
            known = self.known_names()
            raise AttributeError(
                f"'{self.name}' has no variable or attribute '{name}'{suggest(name, known)}; use "
                f"add_attribute('{name}') for an attribute of your own"
            )
        else:
            super().__setattr__(name, value)

    def _time(self, name: str, units: bool) -> Any:
        """The present time, the step, or its number."""
        assert self.clock is not None
        if name == "t_in_timesteps":
            return self.clock.step
        value = self.clock.dt if name == "dt" else self.clock.step * self.clock.dt
        return Quantity(value, dim=_SECOND) if units else value

    def link(self, name: str, linked: LinkedVariable) -> None:
        """Let a parameter with the flag ``linked`` be a variable of another group.

        Parameters
        ----------
        name : str
            The parameter.
        linked : LinkedVariable
            What `linked_var` gave.

        Raises
        ------
        RallError
            If this cannot be linked to that.
        """
        line = self.equations.get(name)
        if line is None or not line.has("linked"):
            missing = f"its equations do not name it{suggest(name, self.equations)}"
            hint = f"write '{name} : ... (linked)' in its equations" if line else missing
            raise RallError(f"'{name}' of '{self.name}' cannot be linked: {hint}")
        made = link(self, name, linked)
        self.linked[name] = made
        self.links.update(made.table)

    def unlinked(self) -> list[str]:
        """Names that are declared linked, and are not linked to anything yet."""
        return sorted({line.varname for line in self.equations.with_flag("linked")} - self.linked.keys())

    def add_attribute(self, name: str) -> None:
        """Permit an attribute that is not a variable."""
        self.__dict__[name] = None

    def with_unit(self, name: str, value: Any) -> Any:
        """Plain numbers as values of a variable; text stays text."""
        return value if isinstance(value, str) else Quantity(np.asarray(value, float), dim=self.dimension(name))

    def view(self, name: str, selection: Indices | None, units: bool = True) -> Any:
        """A variable of some elements as users see it; a shared constant is its value."""
        bound = self.bound(name)
        if bound is not None and variable_of(bound).shared and variable_of(bound).role == "constant":
            return self.read(name, None, units)[0]
        return VariableView(self, name, selection, units)

    # --- reading and writing --------------------------------------------------------------------------------

    def values_of(self, name: str) -> NDArray[Any]:
        """Present values in the user's order, SI base units; shape (size,) or (1,) for shared ones."""
        bound = self.bound(name)
        if bound is not None:
            return value_of_bound(bound)
        resolver = self.resolver(self.externals({name}))
        value = evaluate(resolver.name(name), Present(self, resolver))
        return np.array(np.broadcast_to(value, (1 if self.is_shared(name) else self.domain.size,)))

    def values_at(self, name: str, selection: Indices) -> NDArray[Any]:
        """The same for some elements; shape (selected,)."""
        bound = self.bound(name)
        if self.is_shared(name):
            return self.values_of(name)
        return self.values_of(name)[selection] if bound is None else value_of_bound(bound, selection)

    def read(self, name: str, selection: Indices | None, units: bool = True) -> Any:
        """Values of a variable or subexpression for some elements, with or without their unit."""
        values = self.values_of(name) if selection is None else self.values_at(name, selection)
        dimension = self.dimension(name)
        return Quantity(values, dim=dimension) if units and dimension is not DIMENSIONLESS else values

    def read_attached(self, name: str, units: bool = True) -> Any:
        """Values for all elements, see `read`; what is set in those of the group's own is set in the group."""
        if not self.is_kept(name):
            return self.read(name, None, units)
        values = AttachedArray.of(self, name)
        return with_dimension(values, self.dimension(name)) if units else values

    def write(self, name: str, selection: Indices | None, value: Any) -> None:
        """Set a variable: a number, an array, a Quantity, or text that is evaluated for every element.

        Raises
        ------
        RallError
            For what cannot be set.
        DimensionMismatchError
            For a value in another dimension.
        """
        if name in self.linked:
            raise RallError(f"'{name}' of '{self.name}' is linked to a variable of another group; set it there")
        if name not in self.variables:
            raise RallError(f"'{name}' of '{self.name}' is computed by the model; set what it is made of")
        variable = self.variables[name]
        if variable.role in ("constant", "clock", "scratch"):
            raise RallError(
                f"'{name}' of '{self.name}' cannot be set: rall keeps it; declare a variable of your own, or change a "
                f"copy such as {name}[:].copy()"
            )
        plain = checked(self, variable, selection, value)
        self.before_write(name)
        self.store_values(name, selection, plain)
        self.after_write(name)

    def store_values(self, name: str, selection: Indices | None, values: Any) -> None:
        """Put checked values (SI base units) where they belong."""
        variable = self.variables[name]
        if selection is None or variable.shared:
            variable.set(values)
            return
        current = variable.get()
        current[selection] = values
        variable.set(current)

    def before_write(self, name: str) -> None:
        """Called before a variable is changed from Python."""

    def after_write(self, name: str) -> None:
        """Called after a variable was changed from Python."""

    def evaluate(
        self,
        text: str,
        selection: Indices | None = None,
        dimension: Dimension | None = None,
        with_units: bool = False,
        local: Mapping[str, Any] | None = None,
    ) -> Any:
        """Evaluate an expression for every element (or the selected ones).

        Parameters
        ----------
        text : str
            May use variables, ``i``, ``N``, ``rand()``, and the caller's names.
        selection : ndarray, optional
            Elements that are wanted.
        dimension : Dimension, optional
            What the result must be; not checked without it.
        with_units : bool
            Give a Quantity.
        local : mapping of str to array or number, optional
            Values of some names in this text that are to be taken instead of the variables' own, one for each selected
            element.
        """
        parsed = parse(text)
        external = self.externals(self.identifiers(text), where=parsed)
        found = infer(parsed, self.environment(external), self.functions(external))
        if dimension is not None and found is not dimension and text.strip() not in ("0", "0.0"):
            raise parsed.error(f"this is {describe(found)}, and a value in {describe(dimension)} is needed")
        resolver = self.resolver(external)
        # The draws of this text, counted from the last call of seed().
        seeded, count = self._draws
        self._draws = (session.seeded, count + 1 if seeded == session.seeded else 1)
        # Names in subexpressions of the model keep their meaning there.
        local = {f"_own_{name}": value for name, value in (local or {}).items()}
        for name in local:
            resolver.local(name)
        node = substitute(parsed.node, {name.removeprefix("_own_"): Name(name) for name in local})
        values = Present(self, resolver, self._draws[1], selection, local).values_of(resolver.node(node))
        return Quantity(values, dim=found) if with_units and found is not DIMENSIONLESS else values

    def indices_of(self, item: Any) -> Indices:
        """Elements that an index means: an integer, slice, list, array, mask, or condition as text."""
        if isinstance(item, Subgroup) and item.group is self:
            return item.indices
        if isinstance(item, str):
            chosen = self.evaluate(item)
            if chosen.dtype != bool:
                raise EquationError(f"'{item}' chooses no elements: it must be a condition, such as '{item} > ...'")
            return np.flatnonzero(chosen)
        return pick(self.domain.size, item, f"'{self.name}'")

    @property
    def indices(self) -> ElementNumbers:
        """The numbers of the elements that an index means: ``group.indices['v > 0*mV']``."""
        return ElementNumbers(self.indices_of, self.name)

    def part(self, item: Any) -> Subgroup:
        """Some elements as a group of their own, for what `indices_of` takes."""
        check_slice(self.domain.size, item, f"'{self.name}'")
        return Subgroup(self, self.indices_of(item))

    @staticmethod
    def identifiers(text: str | Node) -> frozenset[str]:
        """Names and functions in an expression."""
        node = parse(text).node if isinstance(text, str) else text
        return names(node) | functions(node)

    # --- code at regular times --------------------------------------------------------------------------------

    def run_regularly(
        self, code: str, dt: Any = None, clock: Any = None, when: str = "start", order: int = 0, name: str | None = None
    ) -> CodeRunner:
        """Run statements for every element, at every step of a clock.

        Parameters
        ----------
        code : str
            The statements.
        dt, clock, when, order, name
            See `SimulationObject`; by default the clock of the group.

        Returns
        -------
        CodeRunner
            Part of the group; its ``active`` switches it off.
        """
        return CodeRunner(self, code, dt=dt, clock=clock, when=when, order=order, name=name)

    def run_at(self, code: str, times: Any, when: str = "start", order: int = 0, name: str | None = None) -> CodeRunner:
        """Run statements for every element at given times.

        Parameters
        ----------
        code : str
            The statements.
        times : Quantity
            When; multiples of the group's step.
        when, order, name
            See `SimulationObject`.

        Returns
        -------
        CodeRunner
            Part of the group.
        """
        chosen = name or f"{self.name}_run_at*"
        return CodeRunner(self, code, times_in_seconds(times), when=when, order=order, name=chosen)

    # --- names ----------------------------------------------------------------------------------------------

    def externals(
        self, wanted: Any, *more: Mapping[str, object], where: Places = ()
    ) -> dict[str, object]:
        """Values of names that are not the group's own, from its namespace or from where the user is.

        Parameters
        ----------
        wanted : iterable of str
            The names.
        *more : mapping of str to object
            Where to look after the namespace of the group, instead of where the user is.
        where : Parsed, Line or sequence of these
            Where the names are used, for messages.
        """
        around = more or (caller_namespace(),)
        spaces = [self.namespace, *around, *self.further_namespaces(), self._external]
        expressions = self.expressions()
        own = {*self.known_names(), *self.table(), *expressions, *self.value_bindings()}
        todo, needed = list(wanted), set()
        while todo:
            name = todo.pop()
            if name not in needed:
                needed.add(name)
                todo += self.identifiers(expressions[name]) if name in expressions else ()
        return resolve(needed, *spaces, variables=own, where=where)

    def further_namespaces(self) -> list[Mapping[str, object]]:
        """Where names are looked up that are neither in the group's namespace nor where the user is."""
        return [one.source.group.namespace for one in self.linked.values()]

    def own_values(self) -> dict[str, object]:
        """Values in subexpressions that are the same whoever asks: from the namespace of the group, or by keyword."""
        used = {n for node in self.expressions().values() for n in names(node)}
        return {**{n: self.namespace[n] for n in used & self.namespace.keys()}, **self.value_bindings()}

    def value_bindings(self) -> Mapping[str, object]:
        """Values that were put into equations by keyword, by their names in the trees."""
        found: dict[str, object] = dict(self.equations.bindings)
        for one in self.linked.values():
            found.update(one.values)
        return found

    def run_externals(self) -> dict[str, object]:
        """Values of all names in the equations: those of the last run, else those where the user is."""
        return self._external or self._line_externals()

    def _line_externals(self, *more: Mapping[str, object]) -> dict[str, object]:
        lines = self.equations.lines
        wanted = {*self.code_identifiers(), *self.expressions()}.union(*(line.identifiers for line in lines))
        return self.externals(wanted, *more, where=[*lines, *self.code_places()])

    def code_identifiers(self) -> Iterable[str]:
        """Names in conditions and code of the group that are no lines of its equations."""
        return ()

    def code_places(self) -> Iterable[Parsed | Statement]:
        """Conditions and statements of that code, for messages."""
        return ()

    def environment(self, external: Mapping[str, object]) -> dict[str, tuple[Dimension, str]]:
        """Dimension and type of every name."""
        env = {n: (variable_of(b).dimension, kind_of(b)) for n, b in self.table().items()}
        env.update(self.expression_types())
        for name, value in {**self.value_bindings(), **external}.items():
            if not callable(getattr(value, "result", None)):
                typed = typed_of(value)
                env[name] = (typed.dimension, typed.kind)
        return env

    @staticmethod
    def functions(external: Mapping[str, object]) -> dict[str, Any]:
        """Functions among external values."""
        return {name: value for name, value in external.items() if callable(getattr(value, "result", None))}

    def table(self) -> dict[str, Variable | Access]:
        """What all names of variables stand for in code of this group."""
        return {**self.variables, **self.links, **self.clock_variables()}

    def expressions(self) -> dict[str, Node]:
        """What all names of subexpressions stand for."""
        found = {line.varname: line.node for line in self.equations.subexpressions}
        for one in self.linked.values():
            found.update(one.expressions)
        return found

    def expression_types(self) -> dict[str, tuple[Dimension, str]]:
        """Dimension and type of all subexpressions."""
        found = {line.varname: (line.dimension, line.var_type) for line in self.equations.subexpressions}
        for one in self.linked.values():
            found.update(one.types)
        return found

    def resolver(self, external: Mapping[str, object]) -> Resolver:
        """What turns expressions of this group into ones of variables."""
        values = {**external, **self.value_bindings()}
        return Resolver(self.table(), self.expressions(), values, self.constants, self)

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """Look up and check all external names; see `SimulationObject.before_run`."""
        missing = self.unlinked()
        if missing:
            raise RallError(
                f"'{missing[0]}' of '{self.name}' is declared linked, and not linked to anything: "
                f"set {self.name}.{missing[0]} = linked_var(group, 'variable')"
            )
        self._external = {}
        found = self._line_externals(namespace)
        check_equations(self.equations, {**self.own_types(), **found})
        self._external = found

    def own_types(self) -> dict[str, object]:
        """Dimension and type of variables that are not lines of the equations."""
        lines = set(self.equations)
        known = {n: (variable_of(b).dimension, kind_of(b)) for n, b in self.table().items()}
        return {n: typed for n, typed in {**known, **self.expression_types()}.items() if n not in lines}

    def after_run(self) -> None:
        """See `SimulationObject.after_run`."""
        self.written.clear()

    def reach(self, name: str, index: Variable) -> Variable | Access | None:
        """How a variable is seen from elsewhere.

        Parameters
        ----------
        name : str
            The variable.
        index : Variable
            For each element there, a storage index of this group.

        Returns
        -------
        Variable, Access or None
            None if it cannot be reached.
        """
        bound = self.bound(name)
        if bound is None or variable_of(bound).shared:
            return bound
        if isinstance(bound, Access):
            through = Variable(f"{index.name}_{name}", index.domain, kind="index", role="constant")
            through.set(bound.index.array[index.get()])
            return Access(bound.variable, through)
        return Access(bound, index) if bound.domain is self.domain else None

    def random_bindings(
        self, domain: Domain, model: Model | None, draw: str = "", statements: Iterable[Assign] | None = None
    ) -> dict[str, Variable]:
        """What random functions in statements need.

        Parameters
        ----------
        domain : Domain
            Over whose elements.
        model : Model or None
            For the seed.
        draw : str
            Tells several operations of this group apart.  No name of an object may be part of it: what these are
            depends on what else exists, and the same seed would give other numbers.
        statements : iterable of Assign, optional
            Nothing is needed if they are given and draw nothing.
        """
        if model is None or (statements is not None and not draws_in(statements)):
            return {}
        stream = Variable("_stream", SHARED, kind="integer", role="constant")
        stream.array[0] = self.stream ^ zlib.crc32(draw.encode())
        element = Variable("_element", domain, kind="index", role="constant")
        element.set(np.arange(domain.size))
        assert self.clock is not None
        return {"_seed": model.seed, "_stream": stream, "_element": element, "_step": self.clock.step_variable}

    # --- what monitors and thresholds read -----------------------------------------------------------------------

    def computed(self) -> set[str]:
        """Names whose present values `probe` must compute: no variable holds them."""
        return set()

    def probe(
        self,
        names: Sequence[str],
        owner: str,
        place: tuple[Clock, str, int],
        model: Model | None = None,
        events: EventList | None = None,
        everywhere: bool = False,
    ) -> tuple[list[Operation], dict[str, Variable]]:
        """Operations that bring variables up to date at a place of the schedule, and where to read them.

        Parameters
        ----------
        names : sequence of str
            Variables or subexpressions.
        owner : str
            Name of what reads them; operations sort before it.
        place : tuple of (Clock, str, int)
            Where in the schedule: clock, slot, order.
        model : Model, optional
            For random numbers.
        events : EventList, optional
            Where they are wanted; then what is found is shared or lies on the domain of the group, and is up to date
            where the events are.  Without it everything found is a float.
        everywhere : bool
            Whether what is found must be shared or lie on the domain of the group without events too.
        """
        return probe(self, names, owner, place, model, events)

    def record_weights(self, name: str, item: Any) -> tuple[Indices, NDArray[np.float64], Indices, Indices]:
        """Storage elements, weights, run borders and user indices for recording a variable.

        One column a border; a place between compartments is a weighted mean of several.
        """
        picked = self.indices_of(slice(None) if item is True else item)
        storage = np.zeros_like(picked) if self.is_shared(name) else self.domain.layout.index(picked)
        return storage, np.ones(len(picked)), np.arange(len(picked) + 1), picked

    def events_of(self, event: str) -> EventList:
        """Where the events of a name are in each step, as storage indices of this group.

        Raises
        ------
        RallError
            If the group has no such event.
        """
        way_out = "; give it a threshold" if event == "spike" else ""
        raise RallError(f"'{self.name}' has no event '{event}'{way_out}")

    def event_elements(self) -> Indices:
        """Storage index under which events of each element are listed; number k is reported as k by monitors."""
        return self.event_sources(np.arange(self.domain.size))

    def event_sources(self, numbers: Indices) -> Indices:
        """Storage index under which events of elements are listed, for synapses that come from these elements.

        Parameters
        ----------
        numbers : ndarray of int64
            The elements.
        """
        return self.domain.layout.index(numbers)

    def event_order(self, event: str) -> tuple[str, int]:
        """Slot and order at which an event is found."""
        return "thresholds", self.order

    # --- states as dictionaries --------------------------------------------------------------------------------

    def state_names(self, subexpressions: bool, read_only_variables: bool) -> list[str]:
        """See `ReadableStates.state_names`."""
        shown = {n: v.role in ("state", "parameter") for n, v in self.variables.items() if not n.startswith("_")}
        if not read_only_variables:
            return [name for name, writable in shown.items() if writable]
        more = [line.varname for line in self.equations.subexpressions] if subexpressions else []
        return list(dict.fromkeys([*shown, *self.links, *_TIMES, *more]))

    def state_value(self, name: str, units: bool) -> Any:
        """See `ReadableStates.state_value`."""
        if name in _TIMES:
            return self._time(name, units)
        return self.read(name, None, units)[0] if self.is_shared(name) else self.read(name, None, units)

    def set_state_value(self, name: str, value: Any, units: bool) -> None:
        """See `States.set_state_value`."""
        self.write(name, None, value if units else self.with_unit(name, value))

    def places(self) -> list[tuple[str, str, int]]:
        """See `SimulationObject.places`."""
        held = self.equations.with_flag("constant over dt")
        return [(f"{self.name}_held", "before_start", self.order)] if held else []


def _as_namespace(given: Any) -> dict[str, object]:
    if given is not None and not isinstance(given, Mapping):
        raise RallError(f"namespace is a dictionary such as {{'tau': 10*ms}}, not {given!r:.60}")
    return dict(given or {})
