"""Exact integration of linear equations."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rall.integrators.base import AbstractIntegrator, NotIntegrable, Propagator, Step, System, simultaneous
from rall.integrators.blocks import Linear
from rall.integrators.cascade import cascade
from rall.integrators.conservation import laws
from rall.integrators.expm import expm
from rall.integrators.exponential import flow
from rall.integrators.noise import forbid_noise, hold_draws
from rall.ir.algebra import depends, linear_form
from rall.ir.nodes import (
    FALSE,
    TRUE,
    ZERO,
    Binary,
    Call,
    Compare,
    Logic,
    Name,
    Node,
    Not,
    Number,
    Select,
    add,
    div,
    mul,
    number,
    select,
    sub,
)
from rall.ir.render import render
from rall.ir.visit import map_bottom_up, names, walk

__all__ = ["Exact"]

#: Each condition that switches equations doubles the number of matrices.
MAX_CONDITIONS = 3
_Array = NDArray[np.float64]


class Exact(AbstractIntegrator):
    """The solution itself, for linear equations ``x' = A x + b`` whose coefficients hold during a step.

    Equations are split into groups that have nothing to do with each other.  For a single equation the
    solution is a formula, so its coefficients may change from step to step.  For coupled ones it is the
    exponential of a matrix, computed at the start of a run from the values of the parameters: A must not
    change then, but for conditions such as ``not_refractory`` that switch equations on and off; b may change
    from step to step.  Where A or the step itself changes, there is a formula for equations that are driven by such
    as stand alone (a conductance that drives the voltage, say).
    """

    name = "exact"
    order = 99

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        forbid_noise(system, self.name)
        system, draws = hold_draws(system)
        linear = _linear(system)
        new: dict[str, Node] = {}
        propagators: list[Propagator] = []
        for group in _groups(linear):
            values, needed = _advance(system, linear, group, h)
            new.update(values)
            propagators += needed
        kept = laws(system.equations) if system.implicit else ()
        return Step((*draws, *simultaneous({v: new[v] for v in system.equations}, kept)), tuple(propagators))


def _linear(system: System) -> Linear:
    """Coefficients of all equations; raises where an equation is not linear or depends on time."""
    matrix: dict[str, dict[str, Node]] = {}
    constant: dict[str, Node] = {}
    for variable, rhs in system.equations.items():
        if system.time is not None and system.time in names(rhs):
            raise NotIntegrable(
                f"'exact' needs coefficients that hold during a step, and the equation of '{variable}' "
                f"depends on '{system.time}'; use exponential_midpoint, rk4 or rk2"
            )
        matrix[variable], rest = {}, rhs
        for other in system.equations:
            form = linear_form(rest, other)
            if form is None or depends(form[0], system.equations):
                raise NotIntegrable(
                    f"'exact' needs linear equations, and that of '{variable}' is not linear in '{other}'; "
                    "use exponential_midpoint, rk4 or rk2"
                )
            if form[0] is not ZERO:
                matrix[variable][other] = form[0]
            rest = form[1]
        constant[variable] = rest
    return Linear(matrix, constant)


def _groups(linear: Linear) -> list[list[str]]:
    """Variables that depend on each other in any direction, in the order of the equations."""
    leader = {v: v for v in linear.matrix}

    def find(v: str) -> str:
        while leader[v] != v:
            v = leader[v]
        return v

    for v, row in linear.matrix.items():
        for other in row:
            leader[find(other)] = find(v)
    groups: dict[str, list[str]] = {}
    for v in linear.matrix:
        groups.setdefault(find(v), []).append(v)
    return list(groups.values())


# --- conditions that switch equations -----------------------------------------------------------------------


def _advance(
    system: System, linear: Linear, group: Sequence[str], h: Node
) -> tuple[dict[str, Node], list[Propagator]]:
    """New values of a group, one case for each combination of its conditions."""
    # What depends on nothing but itself, though others depend on it, has a formula that needs no matrix.
    own = {v: linear.matrix[v].get(v, ZERO) for v in group if linear.matrix[v].keys() <= {v}}
    alone = {v: flow(Name(v), a, linear.constant[v], h) for v, a in own.items() if not _switched(system, v)}
    conditions = _conditions(system, [system.equations[v] for v in group if v not in alone])
    if len(conditions) > MAX_CONDITIONS:
        conditions = []
    cases: dict[tuple[bool, ...], dict[str, Node]] = {}
    propagators: list[Propagator] = []
    for truth in itertools.product((True, False), repeat=len(conditions)):
        known: dict[Node, Node] = {c: TRUE if value else FALSE for c, value in zip(conditions, truth)}
        decided = System(
            {v: _decide(system.equations[v], known) for v in group}, system.constant, system.shared
        )
        linear = _linear(decided)
        label = "".join("yn"[not value] for value in truth)
        cases[truth] = {}
        for part in _groups(linear):
            if not alone.keys() >= set(part):
                label_of_part = f"{_index(system, part[0])}{label}"
                values, propagator = _solve(decided, linear, (part, alone.keys()), h, label_of_part)
                cases[truth].update(values)
                propagators += propagator
    new: dict[str, Node] = dict(alone)
    for v in (v for v in group if v not in alone):
        new[v] = _choice(conditions, {truth: case[v] for truth, case in cases.items()})
    return new, propagators


def _switched(system: System, variable: str) -> bool:
    return bool(_conditions(system, [system.equations[variable]]))


def _index(system: System, variable: str) -> int:
    return list(system.equations).index(variable)


def _choice(conditions: Sequence[Node], values: Mapping[tuple[bool, ...], Node]) -> Node:
    if not conditions:
        return values[()]
    yes = _choice(conditions[1:], {truth[1:]: value for truth, value in values.items() if truth[0]})
    no = _choice(conditions[1:], {truth[1:]: value for truth, value in values.items() if not truth[0]})
    return select(conditions[0], yes, no)


def _conditions(system: System, nodes: Iterable[Node]) -> list[Node]:
    """Truth values that may change between steps, but do not depend on the variables."""
    found: list[Node] = []
    inner: set[Node] = set()
    # What is made of others comes last in a walk: the outermost conditions are found first from its end.
    for part in reversed(list(walk(nodes))):
        if part in inner:
            inner.update(part.children)
            continue
        candidates: list[Node] = [part] if isinstance(part, (Compare, Logic, Not)) else []
        candidates += [part.children[0]] if isinstance(part, Select) else []
        for candidate in candidates:
            varies = not names(candidate) <= system.constant
            if varies and not depends(candidate, system.equations) and candidate not in inner:
                inner.update((candidate, *candidate.children))
                found.append(candidate)
    return found[::-1]


def _decide(node: Node, known: Mapping[Node, Node]) -> Node:
    """`node` with the values of its conditions put in, and what follows from them."""
    return map_bottom_up(node, _simplify, dict(known)) if known else node


def _simplify(node: Node) -> Node:
    children = [_plain(child) for child in node.children]
    if isinstance(node, Select):
        return select(*node.children)
    if isinstance(node, Call) and node.op == "int" and isinstance(children[0], Number):
        return number(int(float(children[0].value)))
    if isinstance(node, Binary) and node.op in "+-*/":
        return {"+": add, "-": sub, "*": mul, "/": div}[node.op](*children)
    return node


def _plain(node: Node) -> Node:
    return number(float(node.value)) if isinstance(node, Number) else node


# --- one group of coupled equations -------------------------------------------------------------------------


def _solve(
    system: System, linear: Linear, which: tuple[Sequence[str], Collection[str]], h: Node, label: str
) -> tuple[dict[str, Node], list[Propagator]]:
    """New values of a group of variables, but for those that are known otherwise."""
    group, known = which
    if len(group) == 1:
        v = group[0]
        return {v: flow(Name(v), linear.matrix[v].get(v, ZERO), linear.constant[v], h)}, []
    problem = _changing(system, linear, group, h)
    if problem is not None:
        solved = cascade(linear.matrix, linear.constant, group, h)
        if solved is None:
            raise NotIntegrable(problem)
        return {v: value for v, value in solved.items() if v not in known}, []
    plan = _Plan.of(system, linear, group, known)
    # Steps of different length have different numbers.
    length = re.sub(r"\W+", "_", render(h))
    local = {entry: f"_exact_{length}_{label}_{k}" for k, entry in enumerate(plan.entries)}
    new: dict[str, Node] = {}
    for i, v in ((i, v) for i, v in enumerate(group) if v not in known):
        total: Node = ZERO
        for (row, column), name in local.items():
            if row == i:
                total = add(total, mul(Name(name), plan.factors[column]))
        new[v] = total
    return new, [Propagator(tuple(local.values()), plan.sources, plan.compute)]


def _changing(system: System, linear: Linear, group: Sequence[str], h: Node) -> str | None:
    """Why the exponential of the matrix cannot be computed at the start of a run; None if it can."""
    if not names(h) <= {"dt"} | system.constant:
        return f"'exact' cannot solve coupled equations ({', '.join(group)}) for steps of different length"
    for v in group:
        for other, node in linear.matrix[v].items():
            changing = sorted(names(node) - system.constant)
            if changing:
                return (
                    "'exact' computes the matrix of coupled equations at the start of a run, and "
                    f"'{changing[0]}', which is in the factor of '{other}' in the equation of '{v}', can "
                    "change during it; declare it constant, or use exponential_midpoint, rk4 or rk2"
                )
    return None


@dataclass(frozen=True)
class _Plan:
    """How the matrix of a group is put together and what is taken from its exponential.

    The matrix ``[[A, C], [0, 0]] h`` has ``[[exp(A h), D], [0, 1]]`` for exponential, with D the integral of
    ``exp(A s) C`` over the step: the exact response to terms C that hold during it (Van Loan, IEEE Trans.
    Autom. Control 23:395, 1978).  The columns of C are b, where it is constant, and unit vectors for terms
    that are not.
    """

    size: int
    #: Where the values of `sources` go.
    places: tuple[tuple[int, int], ...]
    sources: tuple[Node, ...]
    #: Entries equal to 1: unit vectors of terms that change from step to step.
    units: tuple[tuple[int, int], ...]
    #: Rows that depend on none that depends on them: their diagonal entry is a plain exponential.
    simple: tuple[int, ...]
    #: Entries of the exponential that are not zero by their form.
    entries: tuple[tuple[int, int], ...]
    #: What stands for each column: variables, 1 for the constant terms, the terms that change.
    factors: tuple[Node, ...]

    @staticmethod
    def of(system: System, linear: Linear, group: Sequence[str], known: Collection[str] = ()) -> _Plan:
        """The plan of a group of variables, of which the new values of some are not wanted."""
        place = {v: k for k, v in enumerate(group)}
        entries = {(place[v], place[u]): node for v in group for u, node in linear.matrix[v].items()}
        factors: list[Node] = [Name(v) for v in group]
        constant = {v: b for v, b in linear.constant.items() if v in place and names(b) <= system.constant}
        if any(b is not ZERO for b in constant.values()):
            entries.update({(place[v], len(factors)): b for v, b in constant.items() if b is not ZERO})
            factors.append(number(1.0))
        units = []
        for v in group:
            if v not in constant:
                units.append((place[v], len(factors)))
                factors.append(linear.constant[v])
        size = len(factors)
        reach = np.eye(size, dtype=bool)
        for row, column in (*entries, *units):
            reach[row, column] = True
        for _ in range(size):
            reach = (reach.astype(int) @ reach.astype(int)) > 0
        loops = reach & reach.T
        simple = tuple(i for i in range(len(group)) if loops[i].sum() == 1)
        wanted = [i for i, v in enumerate(group) if v not in known]
        taken = tuple((i, j) for i in wanted for j in range(size) if reach[i, j])
        return _Plan(
            size, tuple(entries), tuple(entries.values()), tuple(units), simple, taken, tuple(factors)
        )

    def compute(self, h: float, values: Sequence[_Array]) -> list[_Array]:
        """Entries of the exponential for a step of `h` seconds; see `Propagator`."""
        arrays = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values))
        matrices = np.zeros((arrays[0].size, self.size, self.size))
        for (row, column), array in zip(self.places, arrays):
            matrices[:, row, column] = h * array.ravel()
        for row, column in self.units:
            matrices[:, row, column] = h
        done = expm(matrices)
        for i in self.simple:
            done[:, i, i] = np.exp(matrices[:, i, i])
        return [done[:, row, column].reshape(arrays[0].shape) for row, column in self.entries]
