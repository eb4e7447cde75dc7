"""Synapses: what joins elements of two groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.equations import DIFFERENTIAL, PARAMETER, Equations, Line
from rall.errors import RallError
from rall.groups import Group, Subgroup
from rall.groups.dynamics import StateUpdate, held_operations
from rall.groups.subgroup import pick
from rall.ir.nodes import Node
from rall.model import SHARED, Access, Domain, Layout, Model, Operation, Variable
from rall.plugins.synapses.choose import chosen
from rall.plugins.synapses.connect import pairs
from rall.plugins.synapses.pathway import SynapticPathway
from rall.plugins.synapses.request import parse_request
from rall.plugins.synapses.scope import ConnectScope
from rall.plugins.synapses.sides import Side
from rall.plugins.synapses.summed import SummedVariable
from rall.plugins.synapses.where import onto_sites, sites_of
from rall.registry import suggest
from rall.session import SimulationObject, session, warn
from rall.units import DIMENSIONLESS, Dimension, Quantity, dimension_of, get_or_create_dimension, value_of

__all__ = ["Synapses"]

_SECOND = get_or_create_dimension(second=1)


class Synapses(Group):
    """Synapses between two groups, of which each has the variables and equations of a model.

    Making the object makes no synapse: `connect` does.

    Parameters
    ----------
    source, target : Group or part of one
        Where they come from and go to; without `target` they stay in `source`.
    model : str or Equations, optional
        Of one synapse.  Names ending in ``_pre`` and ``_post`` are variables of the two sides; other names that the
        synapse does not have are those of the target.
    on_pre, on_post : str or dict, optional
        Statements for the synapses of an element of the source (or target) that spikes; a dictionary gives several
        pathways their names.
    delay : Quantity or dict, optional
        One delay for all synapses of the pathway ``pre``, or of the pathways that are named.
    on_event : str or dict
        The event that counts, for all pathways or by their names.
    multisynaptic_index : str, optional
        Name of a variable that numbers the synapses of one pair.
    namespace : dict, optional
        Values of names in the equations; those that are missing are looked up where ``run`` is called.
    dtype : object
        Accepted; values are doubles.
    dt, clock, order, name
        See `SimulationObject`.
    method, method_options
        How differential equations that are not event-driven are integrated, as in `NeuronGroup`.

    Raises
    ------
    EquationError
        If the equations cannot be understood.
    RallError
        If something else does not fit.
    """

    def __init__(
        self,
        source: Any,
        target: Any = None,
        model: str | Equations | None = None,
        on_pre: str | Mapping[str, str] | None = None,
        pre: Any = None,
        on_post: str | Mapping[str, str] | None = None,
        post: Any = None,
        connect: Any = None,
        delay: Any = None,
        on_event: str | Mapping[str, str] = "spike",
        multisynaptic_index: str | None = None,
        namespace: Mapping[str, object] | None = None,
        dtype: Any = None,
        codeobj_class: Any = None,
        dt: Any = None,
        clock: Any = None,
        order: int = 0,
        method: Any = None,
        method_options: Mapping[str, Any] | None = None,
        name: str = "synapses*",
    ) -> None:
        for old, new in (("pre", "on_pre"), ("post", "on_post"), ("connect", "the method connect")):
            if {"pre": pre, "post": post, "connect": connect}[old] is not None:
                raise RallError(f"Synapses has no argument '{old}' any more; use {new}")
        equations = model if isinstance(model, Equations) else Equations(model or "")
        domain = Domain("synapses", Layout(0))
        super().__init__(name, domain, equations, namespace, clock, order, dt)
        self.i_variable = self.variables["i"] = Variable("i", domain, kind="index", role="constant")
        self.j_variable = self.variables["j"] = Variable("j", domain, kind="index", role="constant")
        self.pre_side = Side(source, "pre", self.i_variable)
        self.post_side = Side(source if target is None else target, "post", self.j_variable)
        self.source, self.target = self.pre_side.source, self.post_side.source
        #: Changes whenever synapses are made.
        self.connections = 0
        self.multisynaptic_index = multisynaptic_index
        self._counts()
        self._make_variables()
        self._update = StateUpdate(self, method, method_options)
        self._pathways: dict[str, SynapticPathway] = {}
        self.summed_updaters: dict[str, SummedVariable] = {}
        self._make_parts(on_pre, on_post, delay, on_event)
        self._ready = True

    # --- making -----------------------------------------------------------------------------------------------

    def _counts(self) -> None:
        for side in (self.pre_side, self.post_side):
            self.variables[side.count.name] = side.count
        self.links["N_outgoing"] = Access(self.pre_side.per_element, self.i_variable)
        self.links["N_incoming"] = Access(self.post_side.per_element, self.j_variable)
        if self.multisynaptic_index is not None:
            name = self.multisynaptic_index
            self.variables[name] = Variable(name, self.domain, kind="index", role="constant")

    def _make_variables(self) -> None:
        self.event_driven: list[Line] = []
        self.clock_driven: list[Line] = []
        for line in self.equations.lines:
            line.refuse_flags("Synapses")
            if line.varname in self.variables or line.varname in self.links:
                raise line.error(f"'{line.varname}' is a name that synapses have already")
            if line.varname.endswith(("_pre", "_post")) and not line.has("summed"):
                raise line.error(
                    f"'{line.varname}' is a name of the source's or the target's variable; a variable of synapses "
                    "has no _pre or _post at its end, unless it is summed"
                )
            if line.kind == DIFFERENTIAL:
                (self.event_driven if line.has("event-driven") else self.clock_driven).append(line)
                self.add_line(line, self.domain, "state")
                if not line.has("event-driven") and not line.has("clock-driven") and session.first_time("driven"):
                    warn(
                        f"'{line.varname}' of '{self.name}' is integrated in every step; say (event-driven) if it "
                        "matters at events only, which is faster, or (clock-driven) to have it so"
                    )
            elif line.kind == PARAMETER and not line.has("linked"):
                self.add_line(line, self.domain, "parameter")
            elif line.has("constant over dt"):
                self.add_line(line, self.domain, "scratch")
        if self.event_driven:
            self.variables["lastupdate"] = Variable("lastupdate", self.domain, _SECOND)

    def _make_parts(self, on_pre: Any, on_post: Any, delay: Any, on_event: Any) -> None:
        for side, given in ((self.pre_side, on_pre), (self.post_side, on_post)):
            if given is None:
                continue
            for name, code in (given if isinstance(given, Mapping) else {side.suffix: given}).items():
                if name in self._pathways or not str(name).isidentifier():
                    raise RallError(f"{name!r} cannot be the name of a pathway of '{self.name}', or is there twice")
                event = on_event if isinstance(on_event, str) else on_event.get(name, "spike")
                pathway = SynapticPathway(self, side, code, event, name)
                self._pathways[name] = pathway
                self.computed_names[pathway.delay_name] = _SECOND
                self.contained_objects.append(pathway)
        self._set_delays(delay)
        for line in self.equations.with_flag("summed"):
            sides = [s for s in (self.pre_side, self.post_side) if line.varname.endswith(f"_{s.suffix}")]
            if not sides:
                name = line.varname
                raise line.error(f"a summed variable belongs to one side: '{name}_post' or '{name}_pre'")
            updater = SummedVariable(self, line, sides[0])
            self.summed_updaters[line.varname] = updater
            self.contained_objects.append(updater)

    def _set_delays(self, delay: Any) -> None:
        if delay is None:
            return
        if not isinstance(delay, Mapping):
            if "pre" not in self._pathways:
                known = ", ".join(self._pathways) or "none"
                raise RallError(
                    f"delay=... is that of the pathway 'pre', which '{self.name}' does not have; its pathways: "
                    f"{known}. Give a dictionary, delay={{'name': ...}}"
                )
            delay = {"pre": delay}
        for name, value in delay.items():
            if name not in self._pathways:
                raise RallError(f"'{self.name}' has no pathway '{name}' to give a delay{suggest(name, self._pathways)}")
            if np.ndim(value) or dimension_of(value) is not _SECOND:
                raise RallError(
                    f"the delay of all synapses of '{name}' is one time such as 2*ms, not {value!r:.60}; for one for "
                    f"each synapse set {self.name}.{self._pathways[name].delay_name} after connect()"
                )
            shared = Variable(self._pathways[name].delay_name, SHARED, _SECOND, role="parameter")
            shared.array[0] = value_of(value)
            self.variables[shared.name] = shared

    # --- connecting -------------------------------------------------------------------------------------------

    def connect(
        self,
        condition: str | bool | None = None,
        i: Any = None,
        j: Any = None,
        p: str | float = 1.0,
        n: str | int = 1,
        skip_if_invalid: bool = False,
        namespace: Mapping[str, object] | None = None,
        where: Any = None,
    ) -> None:
        """Make synapses.

        Parameters
        ----------
        condition : str, optional
            For which pairs; without it and without indices for all.
        i, j : array of int or str, optional
            Sources and targets, one for each synapse; or a text such as ``'k for k in range(i-2, i+3) if k != i'``.
        p : float or str
            Probability that a pair is joined.
        n : int or str
            How many synapses a pair gets.
        skip_if_invalid : bool
            Leave out pairs that a text gives beyond the groups, and cells without a compartment in `where`, instead of
            refusing them.
        namespace : dict, optional
            Values of names; by default what is visible where this is called.
        where : str, Place or part of a cell, optional
            For synapses onto cells: the region, as a condition such as ``'apical and distance > 100*um'``.  All other
            arguments then choose pairs of a source and a cell (``j`` is its number, of ``N_post``), and each synapse
            gets a compartment of that cell in the region, with a probability in proportion to membrane area.

        Raises
        ------
        EquationError
            If a text cannot be understood.
        IndexOutOfRangeError
            If there is no such element.
        RallError
            If what is given does not fit together, or a cell has no compartment in `where`.
        """
        sites = sites_of(self.post_side, where, j)
        i, j = (chosen(side.group, given) for side, given in ((self.pre_side, i), (self.post_side, j)))
        # Numbers are never invalid, but their cells may have nothing in the region.
        skip = skip_if_invalid and (where is None or isinstance(i, str) or isinstance(j, str))
        request = parse_request(condition, i, j, p, n, skip)
        scope = ConnectScope(self, namespace or {}, sites)
        found = pairs(request, scope)
        if sites is not None:
            found = onto_sites(found, sites, scope, where, skip_if_invalid)
        self._add(found.i, found.j)

    def _add(self, i: NDArray[np.int32], j: NDArray[np.int32]) -> None:
        before = self.domain.size
        both = [np.concatenate([v.array[:before], new]) if before else new for v, new in
                ((self.i_variable, i), (self.j_variable, j))]  # fmt: skip
        self._resize(before + len(i), before)
        self._set_ends(*both)
        for name, value in self.equations.defaults.items():
            fresh = None if self.is_shared(name) else np.arange(before, self.N)
            self.write(name, fresh, value)
        if self.event_driven:
            # A network that has not run yet begins at 0, wherever the clock was left by another one.
            now = 0.0 if self.network is None else self.clock.step * self.clock.dt
            self.variables["lastupdate"].array[before : self.N] = now

    def _resize(self, size: int, kept: int) -> None:
        self.domain.layout = Layout(size)
        self.variables["N"].array[0] = size
        for variable in self.variables.values():
            if variable.domain is self.domain:
                variable.resize(kept)

    def _set_ends(self, i: NDArray[np.int32], j: NDArray[np.int32]) -> None:
        """Take over sources and targets, and what follows from them."""
        for variable, numbers in ((self.i_variable, i), (self.j_variable, j)):
            variable.array[: len(numbers)] = numbers
            self.domain.layout.fill_padding(variable.array)
        self.pre_side.connected()
        self.post_side.connected()
        if self.multisynaptic_index is not None:
            self.variables[self.multisynaptic_index].set(_number_in_pair(i, j, self.post_side.size))
        self.connections += 1
        for name, made in list(self.linked.items()):
            self.link(name, made.source)

    # --- delays -----------------------------------------------------------------------------------------------

    def delay_seconds(self, name: str) -> Any:
        """Delays of a pathway in seconds: one, or one for each synapse.

        Parameters
        ----------
        name : str
            Of the variable.
        """
        variable = self.variables.get(name)
        return 0.0 if variable is None else variable.array[0] if variable.shared else variable.get()

    def _own_delay(self, name: str) -> None:
        """Make a variable of a delay that was zero for all so far; until then it costs no memory."""
        if name in self.computed_names and name not in self.variables:
            self.variables[name] = Variable(name, self.domain, _SECOND, role="parameter")

    def write(self, name: str, selection: NDArray[np.int64] | None, value: Any) -> None:
        """See `Group.write`; what belongs to a side is set there, for the elements of these synapses."""
        self._own_delay(name)
        other = self._other(name)
        if other is None:
            super().write(name, selection, value)
            return
        side, base = other
        if isinstance(value, str):
            dimension = self.dimension(name)
            plain = self.evaluate(value, selection, dimension=dimension)
            value = plain if dimension is DIMENSIONLESS else Quantity(plain, dim=dimension)
        side.write(base, selection, value)

    def values_of(self, name: str) -> NDArray[Any]:
        """See `Group.values_of`."""
        if name in self.computed_names and name not in self.variables:
            return np.zeros(self.N)
        other = self._other(name)
        if other is None:
            return super().values_of(name)
        side, base = other
        values = side.values_of(base)
        return values if side.group.is_shared(base) else values[side.number.get()]

    def values_at(self, name: str, selection: NDArray[np.int64]) -> NDArray[Any]:
        """See `Group.values_at`."""
        if name in self.computed_names and name not in self.variables:
            return np.zeros(len(selection))
        if self._other(name) is None or self.is_shared(name):
            return super().values_at(name, selection)
        return self.values_of(name)[selection]

    # --- names ------------------------------------------------------------------------------------------------

    def table(self) -> dict[str, Variable | Access]:
        """See `Group.table`: with the variables of both sides."""
        found = self.post_side.variables(suffixed=False)
        found.update(self.pre_side.variables(suffixed=True))
        found.update(self.post_side.variables(suffixed=True))
        for name in super().expressions():
            found.pop(name, None)
        if self.computed_names:
            zero = Variable("_no_delay", SHARED, _SECOND, role="constant")
            found.update(dict.fromkeys(self.computed_names, zero))
        return {**found, **super().table()}

    def expressions(self) -> dict[str, Node]:
        """See `Group.expressions`: with the subexpressions of both sides."""
        own = {*self.variables, *self.links}
        found = {n: node for n, node in self.post_side.expressions(suffixed=False).items() if n not in own}
        found.update(self.pre_side.expressions(suffixed=True))
        found.update(self.post_side.expressions(suffixed=True))
        return {**found, **super().expressions()}

    def expression_types(self) -> dict[str, tuple[Dimension, str]]:
        """See `Group.expression_types`."""
        own = {*self.variables, *self.links}
        found = {n: t for n, t in self.post_side.expression_types(suffixed=False).items() if n not in own}
        found.update(self.pre_side.expression_types(suffixed=True))
        found.update(self.post_side.expression_types(suffixed=True))
        return {**found, **super().expression_types()}

    def value_bindings(self) -> Mapping[str, object]:
        """See `Group.value_bindings`."""
        return {**self.pre_side.value_bindings(), **self.post_side.value_bindings(), **super().value_bindings()}

    def further_namespaces(self) -> list[Mapping[str, object]]:
        """See `Group.further_namespaces`."""
        found = super().further_namespaces()
        for group in (self.post_side.group, self.pre_side.group):
            found += [group.namespace, *group.further_namespaces()]
        return found

    def _other(self, name: str) -> tuple[Side, str] | None:
        """The side that a name belongs to, and what it is called there."""
        own = {**self.variables, **self.links, **self.linked, **self.computed_names, **self.equations}
        for side in (self.pre_side, self.post_side):
            base = side.base(name, own)
            if base is not None:
                return side, base
        return None

    def known_names(self) -> set[str]:
        """See `Group.known_names`: with those of both sides."""
        own = super().known_names()
        if not self._ready:
            return own
        outside = (self.pre_side.names() | self.post_side.names()) - own
        return own | {n for n in outside if n not in self.__dict__ and not hasattr(type(self), n)}

    def bound(self, name: str) -> Variable | Access | None:
        """See `Group.bound`: also of variables of both sides."""
        found = super().bound(name)
        other = self._other(name) if found is None and self._ready else None
        return found if other is None else other[0].bound(other[1])

    def is_kept(self, name: str) -> bool:
        """See `Group.is_kept`; also delays that nobody has set."""
        return super().is_kept(name) or name in self.computed_names

    def is_constant(self, name: str) -> bool:
        """See `Group.is_constant`."""
        other = self._other(name)
        return super().is_constant(name) if other is None else other[0].group.is_constant(other[1])

    def frozen_while(self, name: str) -> str | None:
        """See `Group.frozen_while`."""
        other = self._other(name)
        frozen = None if other is None else other[0].group.frozen_while(other[1])
        return None if frozen is None or other is None else f"{frozen}_{other[0].suffix}"

    def note_written(self, written: Iterable[str]) -> None:
        """See `Group.note_written`; what belongs to a side is noted there."""
        for name in written:
            other = self._other(name)
            if other is None:
                self.written.add(name)
            else:
                other[0].group.note_written((other[1],))

    # --- what users see ---------------------------------------------------------------------------------------

    @property
    def N_outgoing_pre(self) -> NDArray[np.int64]:
        """Number of synapses of each element of the source, shape (N_pre,)."""
        return self.pre_side.per_element.get()

    @property
    def N_incoming_post(self) -> NDArray[np.int64]:
        """Number of synapses of each element of the target, shape (N_post,)."""
        return self.post_side.per_element.get()

    def __getattr__(self, name: str) -> Any:
        pathways = self.__dict__.get("_pathways", {})
        if name in pathways:
            return pathways[name]
        return super().__getattr__(name)

    def __getitem__(self, item: Any) -> Subgroup:
        return self.part(item)

    def indices_of(self, item: Any) -> NDArray[np.int64]:
        """See `Group.indices_of`; ``[i, j]`` and ``[i, j, k]`` are sources, targets, and numbers within a pair."""
        if not isinstance(item, tuple):
            return super().indices_of(item)
        names = ["i", "j", *([self.multisynaptic_index] if self.multisynaptic_index else [])]
        if not 0 < len(item) <= max(len(names), 2) or (len(item) == 3 and self.multisynaptic_index is None):
            more = "" if len(item) != 3 else "; a third one needs multisynaptic_index='...' where the synapses are made"
            raise RallError(f"synapses are indexed by [i, j], not by {len(item)} indices{more}")
        keep = np.ones(self.N, bool)
        sizes = (self.pre_side.size, self.post_side.size, None)
        for name, part, size in zip(names, item, sizes):
            numbers = self.variables[str(name)].get()
            limit = int(numbers.max(initial=-1)) + 1 if size is None else size
            keep &= _among(numbers, part, limit, f"'{name}' of '{self.name}'")
        return np.flatnonzero(keep)

    # --- running ----------------------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, object]) -> None:
        """See `SimulationObject.before_run`."""
        if not self.connections:
            raise RallError(
                f"'{self.name}' (made at {self.created_at}) has no synapses: call its connect() before run(), or set "
                "its active to False"
            )
        super().before_run(namespace)

    def operations(self, model: Model) -> Iterable[Operation]:
        """See `SimulationObject.operations`."""
        yield from held_operations(self, model)
        yield from self._update.operations(model, self.clock_driven)

    def places(self) -> list[tuple[str, str, int]]:
        """See `SimulationObject.places`."""
        update = [(f"{self.name}_stateupdater", "groups", self.order)] if self.clock_driven else []
        return [*super().places(), *update]

    def dependencies(self) -> Iterable[SimulationObject]:
        """See `SimulationObject.dependencies`."""
        return self.pre_side.group, self.post_side.group

    def after_write(self, name: str) -> None:
        """See `Group.after_write`."""
        if self._ready:
            self._update.refresh(name)

    # --- store and restore ------------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Group.state`; which synapses there are is part of it, and delays that nobody has set are empty."""
        found = {name: np.zeros(0) for name in self.computed_names}
        found.update((name, variable.get()) for name, variable in self.changing().items())
        return {**found, "_i": self.i_variable.get(), "_j": self.j_variable.get()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """See `Group.set_state`."""
        i, j = state["_i"], state["_j"]
        self._resize(len(i), 0)
        self._set_ends(i, j)
        for name in self.computed_names:
            if len(state[name]):
                self._own_delay(name)
            elif not self.is_shared(name):
                self.variables.pop(name, None)
        for name, variable in self.changing().items():
            variable.set(state[name])

    def growing(self) -> Mapping[str, str]:
        """See `SimulationObject.growing`."""
        own = {name: "synapses" for name, variable in self.changing().items() if not variable.shared}
        delays = {name: f"delays of '{name}'" for name in self.computed_names if not self.is_shared(name)}
        return {**own, **delays, "_i": "synapses", "_j": "synapses"}

    def signature(self) -> str:
        """See `SimulationObject.signature`."""
        sides = f"Synapses from {self.pre_side.size} to {self.post_side.size}"
        shared = [f"one {name} for all" for name in self.computed_names if self.is_shared(name)]
        own = {f"'{name}'" for name in self.computed_names}
        return "; ".join([sides, *(d for d in self._described() if d.split(":")[0] not in own), *shared])

    def describe_element(self, index: int) -> str:
        """How messages name one synapse."""
        i, j = int(self.i_variable.array[index]), int(self.j_variable.array[index])
        return f"synapse {index} of '{self.name}' (from {i} to {j})"


def _number_in_pair(i: NDArray[np.int32], j: NDArray[np.int32], n_post: int) -> NDArray[np.int64]:
    """For each synapse how many of the same pair come before it."""
    pair = i.astype(np.int64) * n_post + j
    order = np.argsort(pair, kind="stable")
    ordered = pair[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(pair) else np.zeros(0, np.int64)
    number = np.empty(len(pair), np.int64)
    number[order] = np.arange(len(pair)) - np.repeat(starts, np.diff(np.append(starts, len(pair))))
    return number


def _among(numbers: NDArray[Any], part: Any, size: int, what: str) -> NDArray[np.bool_]:
    """Which numbers an index picks."""
    inside = np.zeros(max(size, 1), bool)
    inside[pick(size, part, what)] = True
    return np.asarray(inside[numbers])

