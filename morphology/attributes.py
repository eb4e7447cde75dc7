"""What a section tells about its own compartments, as attributes with units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import numpy as np

from rall.morphology.build import AT_END
from rall.morphology.findings import Finding
from rall.morphology.geometry import Floats, Path
from rall.morphology.lengths import quantity
from rall.morphology.node import Node
from rall.morphology.places import Place, Selection, select
from rall.morphology.tree import Tree
from rall.units import Quantity

__all__ = ["Coordinate", "Geometry", "Measure", "set_up"]

_Get = Callable[[Tree, slice], Any]


class Measure:
    """A read-only attribute computed from the flattened tree.

    Parameters
    ----------
    doc : str
        One line on what it is.
    get : callable
        Gets the tree and the slice of this section's compartments, gives numbers in um to a power.
    power : int
        That power.
    """

    def __init__(self, doc: str, get: _Get, power: int = 1) -> None:
        self.__doc__ = doc
        self._get, self._power = get, power

    @overload
    def __get__(self, section: None, owner: type) -> Measure: ...
    @overload
    def __get__(self, section: Node, owner: type) -> Quantity: ...
    def __get__(self, section: Node | None, owner: type) -> Measure | Quantity:
        if section is None:
            return self
        return quantity(self._value(section), self._power)

    def _value(self, section: Node) -> Any:
        tree, k = section._position()
        first = int(tree.sections.first[k])
        return self._get(tree, slice(first, first + int(tree.sections.n[k])))


class Coordinate(Measure):
    """A `Measure` that is None where the section has no coordinates."""

    @overload  # type: ignore[override]
    def __get__(self, section: None, owner: type) -> Coordinate: ...
    @overload
    def __get__(self, section: Node, owner: type) -> Quantity | None: ...
    def __get__(self, section: Node | None, owner: type) -> Coordinate | Quantity | None:
        if section is None:
            return self
        value = self._value(section)
        return None if np.isnan(value).any() else quantity(value)


def _end_distance(tree: Any, compartments: slice) -> float:
    k = int(tree.section[compartments.start])
    inside = 0.0 if tree.sections.sphere[k] else float(tree.sections.length[k])
    return float(tree.sections.distance[k]) + inside


def _inverse(integral: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return 1.0 / integral


def _coordinate(axis: int, where: int, what: str) -> Coordinate:
    return Coordinate(f"{what}, shape (n,); None without coordinates.", lambda t, s: t.xyz[s, where, axis])


class Geometry(Node):
    """Numbers of a section's own compartments, one element for each, as in Brian 2; and how to index it."""

    length = Measure("Length of each compartment, shape (n,).", lambda t, s: t.length[s])
    area = Measure("Membrane area of each compartment, shape (n,).", lambda t, s: t.area[s], 2)
    volume = Measure("Volume of each compartment, shape (n,).", lambda t, s: t.volume[s], 3)
    diameter = Measure("Mean diameter area/(pi length), shape (n,).", lambda t, s: t.diameter[s])
    start_diameter = Measure(
        "Diameter at each compartment's start, shape (n,).", lambda t, s: t.diameters[s, 0]
    )
    end_diameter = Measure("Diameter at each compartment's end, shape (n,).", lambda t, s: t.diameters[s, 1])
    distance = Measure(
        "Path distance of each centre from the root's start, or from the soma's centre, shape (n,).",
        lambda t, s: t.distance[s],
    )
    end_distance = Measure("Path distance of the section's end.", lambda t, s: _end_distance(t, s))
    r_length_1 = Measure(
        "Axial conductance times Ri from each start to its centre, shape (n,); infinite in a sphere.",
        lambda t, s: _inverse(t.r_axial_near[s]),
    )
    r_length_2 = Measure(
        "Axial conductance times Ri from each centre to its end, shape (n,); infinite in a sphere.",
        lambda t, s: _inverse(t.r_axial_far[s]),
    )
    x = _coordinate(0, 1, "Coordinate x of each centre")
    y = _coordinate(1, 1, "Coordinate y of each centre")
    z = _coordinate(2, 1, "Coordinate z of each centre")
    start_x = _coordinate(0, 0, "Coordinate x of each start")
    start_y = _coordinate(1, 0, "Coordinate y of each start")
    start_z = _coordinate(2, 0, "Coordinate z of each start")
    end_x = _coordinate(0, 2, "Coordinate x of each end")
    end_y = _coordinate(1, 2, "Coordinate y of each end")
    end_z = _coordinate(2, 2, "Coordinate z of each end")
    start_coordinates = Coordinate(
        "Start of each compartment, shape (n, 3); None without coordinates.", lambda t, s: t.xyz[s, 0]
    )
    end_coordinates = Coordinate(
        "End of each compartment, shape (n, 3); None without coordinates.", lambda t, s: t.xyz[s, 2]
    )
    coordinates = Coordinate(
        "All compartment borders, shape (n + 1, 3); None without coordinates.",
        lambda t, s: np.concatenate([t.xyz[s, 0], t.xyz[s, 2][-1:]]),
    )

    _file: str | None
    _findings: tuple[Finding, ...]
    _labels: dict[str, Any]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed while reading the file."""
        return getattr(self.root, "_findings", ())

    @property
    def labels(self) -> dict[str, Any]:
        """Regions named with `label`, and their conditions."""
        return dict(self.root._labels)

    @property
    def indices(self) -> Any:
        """Numbers of this section's compartments in the whole tree, shape (n,)."""
        tree, k = self._position()
        return int(tree.sections.first[k]) + np.arange(int(tree.sections.n[k]))

    @property
    def span(self) -> slice:
        """Compartments of this section and of all that hangs on it, as a slice of the whole tree."""
        tree, k = self._position()
        first = int(tree.sections.first[k])
        return slice(first, first + self.total_compartments)

    def sample(self, id: int) -> Place:
        """The place of an SWC sample.

        Parameters
        ----------
        id : int
            As in the file.
        """
        tree = self.root.flatten()
        return Place(tree, *tree.sample_place(id))

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, str):
            return self._get(item)
        chosen: Place | Selection = select(*self._position(), item)
        return chosen

    def __repr__(self) -> str:
        tree = self.flatten()
        whole = "" if self._parent is None else f" at {self._name!r}"
        return (
            f"<{type(self).__name__}{whole}: {len(tree.sections)} sections, {tree.n} compartments, "
            f"{tree.total_length():.6g} um, {float(tree.area.sum()):.6g} um2>"
        )


def set_up(section: Geometry, path: Path, type: int | None, name: str) -> None:
    """Give a new section its state: it hangs on nothing, and its coordinates are relative to a parent's end.

    Parameters
    ----------
    section : Geometry
        It gets all its fields.
    path : Path
        Its points.
    type : int, optional
        SWC type; None where nobody said.
    name : str
        Name under which it will hang on its parent.
    """
    section.__dict__.update(
        _path=path,
        _absolute=False,
        _type=type,
        _name=name,
        _attach=AT_END,
        _parent=None,
        _children=[],
        _names={},
        _flat=None,
        _merged={},
        _labels={},
        _findings=(),
        _file=None,
    )
