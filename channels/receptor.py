"""What a kind of synapse is made of, in the form that `Synapses` takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rall.equations import Equations
from rall.units import Quantity

__all__ = ["Receptor"]


@dataclass(frozen=True, eq=False)
class Receptor(Mapping[str, object]):
    """What `Synapses` takes to be synapses of one kind: ``Synapses(source, target, **receptor)``.

    Parameters
    ----------
    model : Equations
        Of one synapse.
    on_pre : str or mapping of str to str
        What an event does; with several pathways, what each of them does.  Empty where events do nothing.
    current : Equations
        What the model of a cell needs: the current, in amp.
    delay : mapping of str to Quantity
        Of pathways; empty where `Synapses` may decide.
    """

    model: Equations
    on_pre: str | Mapping[str, str]
    current: Equations
    delay: Mapping[str, Quantity] = field(default_factory=dict)

    def __getitem__(self, key: str) -> object:
        return self._given()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given())

    def __len__(self) -> int:
        return len(self._given())

    def _given(self) -> dict[str, object]:
        given: dict[str, object] = {"model": self.model}
        if self.on_pre:
            given["on_pre"] = self.on_pre
        if self.delay:
            given["delay"] = self.delay
        return given
