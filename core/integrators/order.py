"""In which order things can be done that need each other's results."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

__all__ = ["in_order"]

_Thing = TypeVar("_Thing", bound=Hashable)


def in_order(needs: Mapping[_Thing, Collection[_Thing]]) -> list[list[_Thing]]:
    """Things after those that they need; those that need each other, directly or through others, together.

    Parameters
    ----------
    needs : mapping
        From each thing to others of them that it needs.

    Returns
    -------
    list of list
        Each thing once; within a list in the order of `needs`.
    """
    reached = {thing: {thing} for thing in needs}
    grown = True
    while grown:
        before = sum(map(len, reached.values()))
        for thing, others in needs.items():
            reached[thing].update(*(reached[other] for other in others))
        grown = sum(map(len, reached.values())) > before
    circles: dict[_Thing, list[_Thing]] = {}
    for thing in needs:
        first = next(other for other in needs if other in reached[thing] and thing in reached[other])
        circles.setdefault(first, []).append(thing)
    # What another circle needs has fewer below it.
    return sorted(circles.values(), key=lambda circle: len(reached[circle[0]]))
