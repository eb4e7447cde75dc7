"""Values of a group for those that read them in a step: monitors, thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rall.events import EventList
from rall.groups.bound import draws_in
from rall.model import Assign, Clock, Deliver, Elementwise, Model, Operation, Variable

if TYPE_CHECKING:
    from rall.groups.group import Group

__all__ = ["probe"]


def probe(
    group: Group,
    names: Sequence[str],
    owner: str,
    place: tuple[Clock, str, int],
    model: Model | None,
    events: EventList | None,
) -> tuple[list[Operation], dict[str, Variable]]:
    """Operations that bring variables up to date, and where to read them.

    Parameters
    ----------
    group : Group
        Whose variables.
    names, owner, place, model, events
        See `Group.probe`.
    """
    clock, when, order = place
    found: dict[str, Variable] = {}
    resolver = group.resolver(group.run_externals())
    statements = []
    for name in names:
        known = group.bound(name)
        if isinstance(known, Variable) and (events is not None or known.kind == "float"):
            found[name] = known
            continue
        scratch = Variable(name, group.domain, group.dimension(name), role="scratch")
        found[name] = scratch
        statements.append((scratch, resolver.name(name)))
    if not statements:
        return [], found
    assigned = [Assign(f"_probe_{v.name}", node) for v, node in statements]
    bindings = {**resolver.bindings, **{f"_probe_{v.name}": v for v, _ in statements}}
    if draws_in(assigned):
        bindings.update(group.random_bindings(group.domain, model, "probe"))
    kind = Elementwise if events is None else partial(Deliver, events=events)
    made = kind(
        name=f"{owner}!values", clock=clock, when=when, order=order, domain=group.domain, statements=assigned,
        bindings=bindings,
    )  # fmt: skip
    return [made], found
