"""A method made of others: reactions implicitly, everything else as it is done without them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from rall.integrators.base import AbstractIntegrator, NotIntegrable, Step, System
from rall.integrators.blocks import blocks, linear
from rall.integrators.choose import choose
from rall.integrators.linear_sdirk import LinearSDIRK
from rall.integrators.rosenbrock import Rosenbrock
from rall.ir.nodes import Name, Node, add, mul, number
from rall.ir.visit import names, substitute
from rall.model import Assign

__all__ = ["Partitioned"]

Variables = tuple[str, ...]


class Partitioned(AbstractIntegrator):
    """Second order: blocks of equations that are declared implicit by an implicit method, the others by another.

    A block is what reactions tie together (`rall.integrators.blocks`).  One that is linear in its variables is done by
    `LinearSDIRK`, another by `Rosenbrock`; what its form conserves it conserves to rounding.

    Parts that do not read each other take the whole step, each for itself, as do the schemes and the gates of
    channels at a given voltage.  Others take turns, all but one by half a step, that one by a whole step, and the
    first ones again in the opposite order: a symmetric composition (Strang, SIAM J. Numer. Anal. 5:506, 1968).

    Parameters
    ----------
    rest : tuple of str
        Methods for the other equations, of which the first that fits is taken.
    """

    name = "partitioned"
    order = 2

    def __init__(self, rest: Sequence[str] = ("strang", "rk2", "heun")) -> None:
        self._rest = tuple(rest)

    def step(self, system: System, h: Node) -> Step:
        """See `AbstractIntegrator.step`."""
        together = blocks(system)
        apart = {v for block in together for v in block}
        alone = [(v,) for v in system.equations if v not in apart]
        statements: list[Assign] = []
        free: list[str] = []
        for component in _components(system.equations, [*together, *alone]):
            inside = [part for part in component if part in together]
            outside = tuple(part[0] for part in component if part not in together)
            if not inside:
                free += outside
                continue
            middle = max(inside, key=len)
            others = [*([outside] if outside else []), *(part for part in inside if part is not middle)]
            for part, share, begin in _turns(others, middle):
                statements += self._moved(system, part, (h, share, begin), part in together)
        if free:
            statements += self._moved(system, tuple(free), (h, 1.0, 0.0), False)
        return Step(tuple(statements))

    def _moved(self, system: System, part: Variables, when: tuple[Node, float, float], implicit: bool) -> list[Assign]:
        """Statements that advance a part; `when`: the step, by which share of it, and from where in it."""
        h, share, begin = when
        equations = {v: system.equations[v] for v in part}
        if system.time is not None and begin:
            later = {system.time: add(Name(system.time), mul(number(begin), h))}
            equations = {v: substitute(rhs, later) for v, rhs in equations.items()}
        own = replace(system, equations=equations, implicit=frozenset(), held=None)
        length = h if share == 1.0 else mul(number(share), h)
        if not implicit:
            method = choose(own, self._rest)
            if not isinstance(method, AbstractIntegrator):
                raise NotIntegrable(f"'{method.name}' has steps of its own and cannot take turns with '{self.name}'")
            return list(method.step(own, length).statements)
        scheme = LinearSDIRK() if linear(equations) is not None else Rosenbrock()
        return list(scheme.step(own, length).statements)


def _turns(others: Sequence[Variables], middle: Variables) -> Iterator[tuple[Variables, float, float]]:
    """Parts in turn, with the share of the step that each takes and where it begins."""
    if not others:
        yield middle, 1.0, 0.0
        return
    for part in others:
        yield part, 0.5, 0.0
    yield middle, 1.0, 0.0
    for part in reversed(others):
        yield part, 0.5, 0.5


def _components(equations: Mapping[str, Node], parts: Collection[Variables]) -> list[list[Variables]]:
    """Parts that read each other in any direction, directly or through others."""
    found: list[list[Variables]] = []
    for part in parts:
        seen = frozenset().union(*(names(equations[v]) for v in part))
        near = [
            group for group in found
            if any(seen & set(other) or not set(part).isdisjoint(names(equations[v])) for other in group for v in other)
        ]  # fmt: skip
        found = [group for group in found if group not in near]
        found.append([member for group in near for member in group] + [part])
    return found
