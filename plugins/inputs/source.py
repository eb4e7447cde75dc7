"""What groups have in common that spike and do nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rall.errors import RallError
from rall.events import EventList
from rall.groups import Group, Subgroup

__all__ = ["SpikeSource"]


class SpikeSource(Group):
    """A group whose elements spike, and have no other event.

    Attributes
    ----------
    when : str
        The slot in which the spikes are found.
    """

    _happening: EventList

    @property
    def spikes(self) -> Any:
        """Elements that spike in the present step."""
        return self._happening.present

    def __getitem__(self, item: Any) -> Subgroup:
        return self.part(item)

    def events_of(self, event: str) -> EventList:
        """See `Group.events_of`."""
        if event != "spike":
            raise RallError(f"'{self.name}' has no event '{event}'; a {type(self).__name__} has 'spike' alone")
        return self._happening

    def event_order(self, event: str) -> tuple[str, int]:
        """See `Group.event_order`."""
        return self.when, self.order

    def event_lists(self) -> Mapping[str, EventList]:
        """See `Group.event_lists`."""
        return {"spike": self._happening}
