"""Reactions of a KINETIC block as sums of fluxes: mass action, ``dX/dt = sum of what makes it - what takes it``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rall.plugins.nmodl.algebra import ZERO, add, constant, mul, power, sub
from rall.plugins.nmodl.flow import Flow
from rall.plugins.nmodl.syntax import Compartment, Conserve, Diffusion, Expression, Index, Name, Number, Reaction

__all__ = ["HANDLERS"]

_Species = Sequence[tuple[int, Name | Index]]


def _name(flow: Flow, species: Name | Index) -> str:
    return flow.element(species) if isinstance(species, Index) else species.name


def _reaction(flow: Flow, statement: Reaction) -> None:
    if statement.arrow == "=":
        raise flow.refuse(statement.at, "an equation ('~ a = b') outside of INITIAL", "write what solves it", "LINEAR")
    rates = [flow.value(rate) for rate in statement.rates]
    if statement.arrow == "<<":
        for count, species in statement.left:
            _gain(flow, _name(flow, species), mul(Number(str(count)), rates[0]))
        return
    forward = _flux(flow, rates[0], statement.left)
    backward = _flux(flow, rates[1], statement.right) if statement.arrow == "<->" else ZERO
    net = sub(forward, backward)
    for count, species in statement.left:
        _gain(flow, _name(flow, species), mul(Number(str(-count)), net) if count != 1 else sub(ZERO, net))
    for count, species in statement.right:
        _gain(flow, _name(flow, species), mul(Number(str(count)), net))
    flow.values["f_flux"], flow.values["b_flux"] = forward, backward


def _flux(flow: Flow, rate: Expression, species: _Species) -> Expression:
    """A rate times the concentrations, each to its power."""
    for count, one in species:
        rate = mul(rate, power(flow.value(one), Number(str(count))))
    return rate


def _gain(flow: Flow, name: str, flux: Expression) -> None:
    """Add to the rate of a species; what is not a STATE stays as it is."""
    if flow.known.get(name) == "STATE":
        flow.values[name + "'"] = add(flow.values.get(name + "'", ZERO), flux)


def _conserve(flow: Flow, statement: Conserve) -> None:
    terms = []
    for factor, species in statement.terms:
        value = constant(flow.value(factor))
        if value is None:
            raise flow.refuse(statement.at, "a coefficient of CONSERVE is not a number", "leave CONSERVE out", "CONSERVE")
        terms.append((value, _name(flow, species)))
    flow.conserved.append((tuple(terms), flow.value(statement.total), statement.at))


def _compartment(flow: Flow, statement: Compartment) -> None:
    for name in statement.species:
        elements = [known for known in flow.known if known.startswith(f"{name}[")]
        for element in elements or [name]:
            index = element[len(name) + 1 : -1]
            flow.volumes[element] = flow.value_with(statement.index, index, statement.volume)


def _diffusion(flow: Flow, statement: Diffusion) -> None:
    raise flow.refuse(
        statement.at,
        "LONGITUDINAL_DIFFUSION is not translated",
        "use a species with D in rall's own equations",
        "LONGITUDINAL_DIFFUSION",
    )


HANDLERS: Mapping[type, Callable[..., None]] = {
    Reaction: _reaction, Conserve: _conserve, Compartment: _compartment, Diffusion: _diffusion,
}  # fmt: skip
"""What `Flow` does with the statements of a KINETIC block."""
