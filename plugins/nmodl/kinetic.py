"""KINETIC blocks: reactions, kept as such and as the differential equations that they are by mass action."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rall.plugins.nmodl.algebra import ZERO, add, constant, mul, neg, power, sub
from rall.plugins.nmodl.flow import Flow
from rall.plugins.nmodl.syntax import (
    NOWHERE,
    Compartment,
    Conserve,
    Diffusion,
    Expression,
    Index,
    Name,
    Number,
    Place,
    Reaction,
)  # fmt: skip

__all__ = ["Conserved", "Scheme", "Step"]

_Species = Sequence[tuple[int, Name | Index]]
Side = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Step:
    """A reaction between states.

    Parameters
    ----------
    left, right : tuple of (int, str)
        Coefficients and states; what else takes part is in the rates.
    rates : tuple of Expression
        Forward, and backward if there is one.
    whole : bool
        Whether the rate is a flux and not a constant of mass action.
    at : Place
        Where it stands.
    """

    left: Side
    right: Side
    rates: tuple[Expression, ...]
    whole: bool = False
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Conserved:
    """A CONSERVE: coefficients and species, and their sum."""

    terms: tuple[tuple[float, str], ...]
    total: Expression
    at: Place = field(default=NOWHERE, compare=False)


class Scheme:
    """What KINETIC blocks say, gathered while they are followed.

    Attributes
    ----------
    steps : list of Step
        Reactions.
    conserved : list of Conserved
        Sums that do not change.
    volumes : dict of str to Expression
        Of COMPARTMENT, by species.
    plain : bool
        Whether the steps are all there is: no volumes, and no reaction depends on an IF.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.conserved: list[Conserved] = []
        self.volumes: dict[str, Expression] = {}
        self.plain = True

    @property
    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """What a `Flow` does with statements of KINETIC blocks."""
        return {
            Reaction: self._reaction, Conserve: self._conserve, Compartment: self._compartment, Diffusion: _diffusion,
        }  # fmt: skip

    @property
    def species(self) -> list[str]:
        """The states that reactions change."""
        return list(dict.fromkeys(name for step in self.steps for _, name in (*step.left, *step.right)))

    def _reaction(self, flow: Flow, statement: Reaction) -> None:
        if statement.arrow == "=":
            what = "an equation ('~ a = b') outside of INITIAL"
            raise flow.refuse(statement.at, what, "write what solves it", "LINEAR")
        self.plain = self.plain and not flow.branching
        rates = [flow.value(rate) for rate in statement.rates]
        left, right = _named(flow, statement.left), _named(flow, statement.right)
        if statement.arrow == "<<":
            for count, name in left:
                flux = mul(Number(str(count)), rates[0])
                _gain(flow, name, flux)
                self.steps.append(Step((), ((1, name),), (flux,), True, statement.at))
            return
        forward = _flux(flow, rates[0], left, statement.at)
        backward = _flux(flow, rates[1], right, statement.at) if statement.arrow == "<->" else ZERO
        net = sub(forward, backward)
        for count, name in left:
            _gain(flow, name, neg(net) if count == 1 else mul(Number(str(-count)), net))
        for count, name in right:
            _gain(flow, name, mul(Number(str(count)), net))
        flow.values["f_flux"], flow.values["b_flux"] = forward, backward
        self._keep(flow, statement, (left, right), rates)

    def _keep(self, flow: Flow, statement: Reaction, sides: tuple[Side, Side], rates: Sequence[Expression]) -> None:
        """Note a reaction of mass action; what is no state is a factor of its rates."""
        kept, constants = [], []
        for side, rate in zip(sides, (*rates, ZERO)):
            states = tuple((count, name) for count, name in side if flow.known.get(name) == "STATE")
            others = tuple(item for item in side if item not in states)
            kept.append(states)
            constants.append(_flux(flow, rate, others, statement.at))
        if sorted(kept[0]) != sorted(kept[1]):
            count = 2 if statement.arrow == "<->" else 1
            self.steps.append(Step(kept[0], kept[1], tuple(constants[:count]), False, statement.at))

    def _conserve(self, flow: Flow, statement: Conserve) -> None:
        terms = []
        for factor, species in statement.terms:
            value = constant(flow.value(factor))
            if value is None:
                what = "a coefficient of CONSERVE is not a number"
                raise flow.refuse(statement.at, what, "leave CONSERVE out", "CONSERVE")
            terms.append((value, _named(flow, ((1, species),))[0][1]))
        self.conserved.append(Conserved(tuple(terms), flow.value(statement.total), statement.at))

    def _compartment(self, flow: Flow, statement: Compartment) -> None:
        self.plain = False
        for name in statement.species:
            elements = [known for known in flow.known if known.startswith(f"{name}[")]
            for element in elements or [name]:
                index = element[len(name) + 1 : -1]
                self.volumes[element] = flow.value_with(statement.index, index, statement.volume)


def _diffusion(flow: Flow, statement: Diffusion) -> None:
    what, remedy = "LONGITUDINAL_DIFFUSION is not translated", "use a species with D in rall's own equations"
    raise flow.refuse(statement.at, what, remedy, "LONGITUDINAL_DIFFUSION")


def _named(flow: Flow, species: _Species) -> Side:
    return tuple((count, flow.element(one) if isinstance(one, Index) else one.name) for count, one in species)


def _flux(flow: Flow, rate: Expression, species: Side, at: Place) -> Expression:
    """A rate times the concentrations, each to its power."""
    for count, name in species:
        rate = mul(rate, power(flow.read(name, at), Number(str(count))))
    return rate


def _gain(flow: Flow, name: str, flux: Expression) -> None:
    """Add to the rate of a species; what is not a STATE stays as it is."""
    if flow.known.get(name) == "STATE":
        flow.values[name + "'"] = add(flow.values.get(name + "'", ZERO), flux)
