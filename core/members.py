"""Members: what is in a network, checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rall.errors import RallError
from rall.groups import Subgroup
from rall.session import SimulationObject

__all__ = ["check_names", "claim", "flatten", "incomplete", "naming", "with_contained"]


def flatten(items: Iterable[Any]) -> list[SimulationObject]:
    """Simulation objects out of lists, sets and dictionaries of them, each once.

    Parameters
    ----------
    items : iterable
        Simulation objects, parts of groups, which stand for the whole group, or (nested) collections of them; sets
        are read in the order of creation.

    Raises
    ------
    RallError
        For anything else.
    """
    found: dict[int, SimulationObject] = {}
    for item in items:
        if isinstance(item, Subgroup):
            item = item.group
        if isinstance(item, SimulationObject):
            found[id(item)] = item
        elif isinstance(item, Iterable) and not isinstance(item, (str, bytes)):
            inner = flatten(item.values() if isinstance(item, Mapping) else item)
            if isinstance(item, (set, frozenset)):
                inner.sort(key=lambda one: one.serial)
            found.update((id(one), one) for one in inner)
        else:
            raise RallError(
                f"a network takes groups, monitors and other objects of a simulation, not {item!r}"
            )
    return list(found.values())


def with_contained(objects: Iterable[SimulationObject]) -> list[SimulationObject]:
    """Objects, each followed by those that it contains, each once.

    Parameters
    ----------
    objects : iterable of SimulationObject
        In the order in which they were added.
    """
    found: dict[int, SimulationObject] = {}
    todo = list(objects)[::-1]
    while todo:
        one = todo.pop()
        if id(one) not in found:
            found[id(one)] = one
            todo.extend(reversed(one.contained_objects))
    return list(found.values())


def incomplete(objects: Sequence[SimulationObject]) -> Iterator[tuple[SimulationObject, SimulationObject]]:
    """Active objects that depend on something which is not there, each with the first thing that it lacks.

    Parameters
    ----------
    objects : sequence of SimulationObject
        All of a network.
    """
    present = {id(one) for one in objects}
    for one in objects:
        for needed in one.dependencies() if one.active else ():
            if id(needed) not in present:
                yield one, needed
                break


def check_names(objects: Sequence[SimulationObject], network: str) -> None:
    """Insist on different names.

    Parameters
    ----------
    objects : sequence of SimulationObject
        All of a network.
    network : str
        Its name.

    Raises
    ------
    RallError
        Names two of one name, and where they were made.
    """
    seen: dict[str, SimulationObject] = {}
    for one in objects:
        other = seen.setdefault(one.name, one)
        if other is not one:
            raise RallError(
                f"two objects of network '{network}' are named '{one.name}', made at {other.created_at} and "
                f"at {one.created_at}; give one of them another name"
            )


def claim(objects: Sequence[SimulationObject], network: str, number: int) -> None:
    """Tie objects to the network that runs them.

    Parameters
    ----------
    objects : sequence of SimulationObject
        All of the network.
    network, number
        Its name and number.

    Raises
    ------
    RallError
        For an object that has run in another one.
    """
    for one in objects:
        if one.network not in (None, number):
            raise RallError(
                f"'{one.name}' (made at {one.created_at}) has run in another network and cannot run in "
                f"'{network}'. To leave an object out of some runs, set its active to False."
            )
    for one in objects:
        one.network = number


@contextmanager
def naming(one: SimulationObject) -> Iterator[None]:
    """Let errors of an object say which it is and where it was made: what fails in `run` was written elsewhere.

    Parameters
    ----------
    one : SimulationObject
        The object that is asked for something inside the ``with`` statement.
    """
    try:
        yield
    except RallError as error:
        text = str(error)
        if one.created_at not in text:
            error.args = (f"{text}\n(in '{one.name}', made at {one.created_at})", *error.args[1:])
        raise
