"""Changes to a tree of sections: take off, hang on, copy, lay out in space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.attributes import Geometry
from rall.morphology.build import AT_END, AT_MIDDLE, AT_START
from rall.morphology.geometry import Floats, Path, point_at
from rall.morphology.node import Node, changed, cut_off, hang, type_name
from rall.morphology.places import Place, Selection
from rall.morphology.regions import selected

__all__ = ["attach", "copy_section", "generate_coordinates", "remove"]


def remove(morphology: Geometry, region: Any) -> None:
    """Take off the sections that lie wholly in a region, with what hangs on them.

    Parameters
    ----------
    morphology : Geometry
        Where to look; it is changed.
    region : str or callable
        Name of a region, or a function of the flattened tree.
    """
    tree, _, nodes = morphology._flattened()
    inside = selected(tree, morphology.labels, region)
    first = tree.sections.first
    whole = np.logical_and.reduceat(inside, first)
    if whole[0]:
        raise MorphologyError(
            f"{region!r} would take the first section off too, and so all of it", "RemoveRoot"
        )
    if not whole.any():
        raise MorphologyError(
            f"no section lies wholly in {region!r}, so that there is nothing to remove", "NothingThere"
        )
    gone = np.zeros(len(nodes), bool)
    for k in np.flatnonzero(whole).tolist():
        up = int(tree.sections.parent[k])
        gone[k] = True
        if not gone[up]:
            cut_off(nodes[k])
    _prune_labels(morphology.root)


def _prune_labels(root: Node) -> None:
    """Labels that are arrays lose their meaning with another number of compartments."""
    n = root.flatten().n
    labels = root.__dict__["_labels"]
    kept = {k: v for k, v in labels.items() if isinstance(v, str) or callable(v) or len(v) == n}
    root.__dict__["_labels"] = kept


def attach(morphology: Geometry, place: Any, section: Any, name: str | None) -> None:
    """Hang a section on a place.

    Parameters
    ----------
    morphology : Geometry
        It is changed.
    place : Place
        Where.
    section : Node
        What.
    name : str, optional
        Its name.
    """
    root = morphology.root
    tree, _, nodes = root._flattened()
    if isinstance(place, Selection) and place.n == 1:
        k = int(tree.section[place.indices[0]])
        place = Place(place.tree, k, 0.5 * float(tree.start[place.indices[0]] + tree.end[place.indices[0]]))
    if not isinstance(place, Place):
        raise MorphologyError(
            f"attach needs a place, such as m.apic[100*um] or m.sample(12), not {place!r}", "BadPlace"
        )
    here = place.on(tree)
    if not isinstance(section, Node):
        raise MorphologyError(f"attach needs a Section, Cylinder or Soma, not {section!r}", "NotASection")
    node = nodes[here.section]
    length = node._path.length
    at_start = here.along <= 1e-9 * length
    if node._path.sphere:
        target, end = node, AT_MIDDLE
    elif not at_start:
        target, end = node, AT_END
        if here.along < length * (1 - 1e-9):
            _split(node, here.along)
    elif node._parent is None:
        target, end = node, AT_START
    else:
        target, end = node._parent, node._attach
    hang(target, name or _free_name(target, section), section, end)
    _prune_labels(root)


def _free_name(parent: Node, section: Node) -> str:
    base = section._name if section._name != "root" else "branch"
    if section._type is not None and section._type > 0:
        base = type_name(section._type)
    base = base.rstrip("0123456789") or "branch"
    number = 1
    while base + ("" if number == 1 else str(number)) in parent._names:
        number += 1
    return base + ("" if number == 1 else str(number))


def _split(node: Node, along: float) -> None:
    """Cut a section in two; the farther half hangs on the nearer one as ``rest``."""
    tree, index, _ = node.root._flattened()
    whole = node._path
    diameter, xyz = point_at(whole, along)
    near_ends = np.flatnonzero(whole.arc <= along)
    on_point = whole.arc[near_ends[-1]] == along
    sample = int(whole.ids[near_ends[-1]]) if on_point else -1
    edges = whole.edges
    kept, rest = edges[edges < along - 1e-9 * whole.length], edges[edges > along + 1e-9 * whole.length]

    def half(keep: Any, at: int, shift: float, borders: Floats) -> Path:
        points = None if whole.xyz is None else np.insert(whole.xyz[keep], at, xyz, axis=0)
        return Path(
            np.insert(whole.arc[keep], at, along) - shift,
            np.insert(whole.diameter[keep], at, diameter),
            points,
            np.insert(whole.ids[keep], at, sample),
            borders - shift,
            even=whole.even,
        )

    # A step in diameter just here stays with the nearer half.
    near = half(near_ends, len(near_ends), 0.0, np.append(kept, along))
    far = half(np.flatnonzero(whole.arc > along), 0, along, np.insert(rest, 0, along))
    if not node._absolute and far.xyz is not None:
        far = replace(far, xyz=far.xyz - xyz)
    beyond = copied_alone(node)
    at_start = [child for child in node._children if child._attach == AT_START]
    moved = [child for child in node._children if child._attach != AT_START]
    code = int(tree.sections.type[index[id(node)]]) if node._type is None else node._type
    beyond.__dict__.update(
        _path=far,
        _parent=node,
        _name="rest",
        _attach=AT_END,
        _children=moved,
        _type=code,
        _names={name: child for name, child in node._names.items() if child in moved},
    )
    for child in moved:
        child.__dict__["_parent"] = beyond
    names = {name: child for name, child in node._names.items() if child in at_start}
    node.__dict__.update(
        _path=near, _children=[beyond, *at_start], _names={"rest": beyond, **names}, _type=code
    )
    changed(beyond)


def copied_alone(node: Node) -> Node:
    """A section without parent and children.

    Parameters
    ----------
    node : Node
        It stays what it is.
    """
    fresh = object.__new__(type(node))
    fresh.__dict__.update(node.__dict__)
    fresh.__dict__.update(
        _parent=None, _children=[], _names={}, _flat=None, _attach=AT_END, _merged={}, _labels={}
    )
    return fresh


def copy_section(morphology: Geometry) -> Node:
    """A section alone; coordinates start at the origin where it hung on something.

    Parameters
    ----------
    morphology : Geometry
        It stays what it is.
    """
    fresh = copied_alone(morphology)
    if fresh._absolute and fresh._path.xyz is not None and morphology._parent is not None:
        fresh.__dict__.update(
            _path=replace(fresh._path, xyz=fresh._path.xyz - fresh._path.xyz[0]), _absolute=False
        )
    return fresh


def generate_coordinates(
    morphology: Geometry, randomness: tuple[float, float], overwrite: bool, seed: int | None
) -> None:
    """Give coordinates to sections, keeping all lengths.

    Children fan out in the plane around their parent's direction; angles may be drawn around that.

    Parameters
    ----------
    morphology : Geometry
        It is changed.
    randomness : pair of float
        Standard deviation of the angle of sections and of compartments (degrees).
    overwrite : bool
        Also replace coordinates that are there.
    seed : int, optional
        For the same angles again.
    """
    if min(randomness) < 0:
        raise MorphologyError("randomness is an angle in degrees and cannot be negative", "BadAngle")
    random = np.random.default_rng(seed)
    direction: dict[int, Floats] = {}
    for node in list(morphology.walk()):
        up = node._parent
        if node is morphology:
            heading = np.array([1.0, 0.0, 0.0])
        else:
            heading = _fan(direction[id(up)], up._children.index(node), len(up._children), up._path.sphere)
            heading = _tilt(heading, randomness[0], random)
        if node._path.xyz is None or overwrite:
            node.__dict__.update(_path=_laid_out(node._path, heading, randomness[1], random), _absolute=False)
        direction[id(node)] = heading if node._path.sphere else _last_direction(node._path, heading)
    changed(morphology)


def _fan(direction: Floats, k: int, number: int, sphere: bool) -> Floats:
    spread = (
        2 * np.pi * k / number
        if sphere
        else np.deg2rad(60.0) * ((k + 0.5) / number - 0.5)
        if number > 1
        else 0.0
    )
    c, s = np.cos(spread), np.sin(spread)
    turned: Floats = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ direction
    return turned


def _tilt(direction: Floats, degrees: float, random: np.random.Generator) -> Floats:
    """Turn a direction by a random angle to a random side."""
    if degrees == 0:
        return direction
    angle = np.deg2rad(random.normal(0.0, degrees))
    side = np.cross(direction, random.normal(size=3))
    side = side / np.linalg.norm(side)
    turned: Floats = np.cos(angle) * direction + np.sin(angle) * side
    return turned


def _last_direction(path: Path, otherwise: Floats) -> Floats:
    if path.xyz is None:
        return otherwise
    step = path.xyz[-1] - path.xyz[0]
    size = float(np.linalg.norm(step))
    return otherwise if size == 0 else step / size


def _laid_out(path: Path, heading: Floats, degrees: float, random: np.random.Generator) -> Path:
    if path.sphere:
        return replace(path, xyz=np.zeros((2, 3)))
    if degrees > 0 and len(path.arc) < len(path.edges):
        # Compartments can only turn where there are points.
        diameter = np.interp(path.edges, path.arc, path.diameter)
        path = replace(path, arc=path.edges, diameter=diameter, ids=np.full(len(path.edges), -1))
    steps = np.diff(path.arc)
    xyz = np.zeros((len(path.arc), 3))
    for k, step in enumerate(steps):
        xyz[k + 1] = xyz[k] + step * _tilt(heading, degrees, random)
    return replace(path, xyz=xyz)
