"""From what the user hands over (morphology, cell, monitor, name) to a scene; only this file knows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rall.errors import DimensionMismatchError, RallError
from rall.morphology import Morphology
from rall.morphology.geometry import Path
from rall.morphology.tree import Tree
from rall.plugins.viewer.base import FloatArray, IntArray, Scene
from rall.plugins.viewer.camera import look_at
from rall.plugins.viewer.layout import section_points
from rall.plugins.viewer.recorded import in_display_unit, recorded
from rall.units import Quantity
from rall.units.quantity import split

__all__ = ["Colouring", "Source", "build_scene", "scene_of", "side_by_side"]

#: Distance of cells that stand side by side, in units of the widest.
_APART = 1.1
_REGIONS = {1: "soma", 2: "axon", 3: "basal", 4: "apical"}  # SWC types


@dataclass(frozen=True)
class Colouring:
    """What colours the compartments.

    Parameters
    ----------
    values : array of float, shape (n,) or (T, n)
        In `unit`, nan where nothing is known; with `names`, indices into them.
    times : array of float, shape (T,), optional
        In ms.
    label, unit : str
        Name and unit of the values.
    limits : (float, float), optional
        Ends of the colour bar in `unit`.
    names : tuple of str
        Names of regions, when they are what is shown.
    """

    values: FloatArray
    times: FloatArray | None = None
    label: str = ""
    unit: str = ""
    limits: tuple[float, float] | None = None
    names: tuple[str, ...] = ()

    @property
    def unknown(self) -> int:
        """How many compartments nothing is known of."""
        return int(np.isnan(np.atleast_2d(self.values)).all(axis=0).sum())


@dataclass(frozen=True)
class Source:
    """A scene and what the user should know about it.

    Parameters
    ----------
    scene : Scene
        The tree and its values.
    unknown : int
        How many compartments nothing is known of.
    made_up : bool
        Whether coordinates were missing and were made up.
    """

    scene: Scene
    unknown: int
    made_up: bool


def scene_of(
    source: Any, data: Any = None, variable: str | None = None, limits: tuple[Any, Any] | None = None
) -> Source:
    """The scene of a morphology or a cell.

    Parameters
    ----------
    source : Morphology, SpatialNeuron or SpatialNeuronGroup
        What is seen; several cells stand side by side in rows.
    data : StateMonitor or str, optional
        What colours it; by default its regions.
    variable : str, optional
        Which variable of a monitor.
    limits : (Quantity, Quantity), optional
        Ends of the colour bar.

    Returns
    -------
    Source
        The scene, and what could not be known.

    Raises
    ------
    RallError
        If data and source do not fit.
    """
    trees = _trees_of(source)
    n = sum(tree.n for tree in trees)
    if data is None:
        colouring = _by_region(np.concatenate([tree.type for tree in trees]))
    elif isinstance(data, str):
        colouring = _by_name(source, data, n, limits)
    else:
        number_of = getattr(source, "numbers_in_group", np.asarray)  # a morphology stands for the only cell
        colouring = _by_monitor(data, variable, number_of(np.arange(n)), limits)
    places = {id(tree): section_points(tree) for tree in trees}
    scenes = {id(tree): build_scene(tree, places[id(tree)][0], colouring) for tree in trees}
    scene = side_by_side([scenes[id(tree)] for tree in trees], [tree.n for tree in trees])
    return Source(scene, colouring.unknown, any(made_up for _, made_up in places.values()))


def _trees_of(source: Any) -> list[Tree]:
    """The tree of each cell; cells that share a morphology share it."""
    given = source if isinstance(source, Morphology) else getattr(source, "morphology", None)
    each: list[Any] = given if isinstance(given, list) else [given] * int(getattr(source, "n_cells", 1))
    if not all(isinstance(one, Morphology) for one in each):
        raise RallError(f"view3d({source!r}, ...): a Morphology is expected, or a cell that has one")
    return [one.flatten() for one in each]


def _by_region(kinds: IntArray) -> Colouring:
    types, which = np.unique(kinds, return_inverse=True)
    names = tuple(_REGIONS.get(int(number), f"type_{number}") for number in types)
    return Colouring(which.astype(np.float64), names=names)


def _by_name(source: Any, name: str, n: int, limits: tuple[Any, Any] | None) -> Colouring:
    try:
        values = getattr(source, name)
    except AttributeError as error:
        kind = type(source).__name__
        raise RallError(f"view3d(..., {name!r}): a {kind} has no variable of that name") from error
    if not isinstance(values, Quantity):
        values = getattr(values, "value", values)  # a cell gives views, which have their units inside
    numbers, unit, scale = in_display_unit(values)
    if numbers.shape not in ((), (n,)):
        raise RallError(
            f"view3d(..., {name!r}): it has the shape {numbers.shape}, but the cell has {n} compartments"
        )
    return Colouring(np.broadcast_to(numbers, n), None, name, unit, _limits(limits, values, scale))


def _by_monitor(monitor: Any, variable: str | None, seen: IntArray, limits: tuple[Any, Any] | None) -> Colouring:
    """Colours of the compartments `seen`, by their numbers in the group that the monitor records."""
    found = recorded(monitor, variable)
    inside = np.isin(found.index, seen)
    if not inside.all() and (not inside.any() or np.array_equal(seen, np.arange(len(seen)))):
        raise RallError(
            f"the monitor recorded element {found.index[~inside].max()}, the cell that is seen has {len(seen)} "
            "compartments: the monitor seems to be that of another cell"
        )
    values = np.full((len(found.times), len(seen)), np.nan)
    order = np.argsort(seen)
    values[:, order[np.searchsorted(seen, found.index[inside], sorter=order)]] = found.values[:, inside]
    ends = _limits(limits, getattr(monitor, found.label), found.scale)
    return Colouring(values, found.times, found.label, found.unit, ends)


def _limits(limits: tuple[Any, Any] | None, values: Any, scale: float) -> tuple[float, float] | None:
    if limits is None:
        return None
    (low, low_dim), (high, high_dim) = (split(limit) for limit in limits)
    dim = split(values)[1]
    if low_dim != dim or high_dim != dim:
        raise DimensionMismatchError(f"limits={limits!r} must have the unit of what is shown ({dim})")
    if not low < high:
        raise RallError(f"limits={limits!r}: the lower end comes first")
    return float(low) / scale, float(high) / scale


def build_scene(tree: Tree, points: Sequence[FloatArray], colouring: Colouring) -> Scene:
    """Turn sections into polylines with a point in each compartment.

    A section that leaves from a sphere is drawn from the sphere's centre on, with its own first diameter: no
    cable lies there, but a dendrite that floats beside its soma looks like a mistake.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    points : sequence of array of float, shape (m, 3)
        Coordinates of the points of each section, in um.
    colouring : Colouring
        Values of the compartments.

    Returns
    -------
    Scene
        Spheres for the spherical sections, polylines for the others.
    """
    sphere, first = tree.sections.sphere, tree.sections.first
    lines, widths, owners, lengths = [np.zeros((0, 3))], [np.zeros(0)], [np.zeros(0, np.int64)], [0]
    for k in np.flatnonzero(~sphere).tolist():
        line, width, owner = _polyline(tree.paths[k], points[k])
        up = int(tree.sections.parent[k])
        if up >= 0 and sphere[up]:
            line = np.concatenate([points[up][:1], line])
            width, owner = np.concatenate([width[:1], width]), np.concatenate([owner[:1], owner])
        lines.append(line)
        widths.append(width)
        owners.append(owner + first[k])
        lengths.append(len(line))
    balls = np.flatnonzero(sphere).tolist()
    return Scene(
        points=np.concatenate(lines),
        diameters=np.concatenate(widths),
        offsets=np.cumsum(lengths),
        owner=np.concatenate(owners),
        values=colouring.values,
        times=colouring.times,
        centres=np.array([points[k][0] for k in balls]).reshape(-1, 3),
        radii=np.array([tree.paths[k].diameter[0] / 2 for k in balls], np.float64),
        sphere_owner=first[balls],
        upward=_upward(tree, points),
        label=colouring.label,
        unit=colouring.unit,
        limits=colouring.limits,
        names=colouring.names,
    )


def side_by_side(scenes: Sequence[Scene], sizes: Sequence[int]) -> Scene:
    """One scene of several cells, which stand upright in rows along x, the rows along y.

    Parameters
    ----------
    scenes : sequence of Scene
        One for each cell, with the values of all of them.
    sizes : sequence of int
        Compartments of each cell.
    """
    if len(scenes) == 1:
        return scenes[0]
    upright = {id(scene): _upright(scene) for scene in scenes}
    scenes = [upright[id(scene)] for scene in scenes]
    boxes = {id(scene): _box(scene) for scene in scenes}
    width, height = _APART * np.max([high - low for low, high in boxes.values()], axis=0)[:2]
    columns = math.ceil(math.sqrt(len(scenes) * height / width)) if width > 0 else 1
    cell = np.arange(len(scenes))
    corner = np.column_stack([cell % columns * width, -(cell // columns) * height, np.zeros(len(scenes))])
    moved = [place - boxes[id(scene)][0] for scene, place in zip(scenes, corner)]
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    lines = np.concatenate([[0], np.cumsum([len(scene.points) for scene in scenes])[:-1]])
    return replace(
        scenes[0],
        points=np.concatenate([scene.points + by for scene, by in zip(scenes, moved)]),
        diameters=np.concatenate([scene.diameters for scene in scenes]),
        offsets=np.concatenate([[0], *(scene.offsets[1:] + k for scene, k in zip(scenes, lines))]),
        owner=np.concatenate([scene.owner + k for scene, k in zip(scenes, first)]),
        centres=np.concatenate([scene.centres + by for scene, by in zip(scenes, moved)]),
        radii=np.concatenate([scene.radii for scene in scenes]),
        sphere_owner=np.concatenate([scene.sphere_owner + k for scene, k in zip(scenes, first)]),
    )


def _upright(scene: Scene) -> Scene:
    """A cell turned as it would be seen alone: in rows, what is up for one is not what is up for the others."""
    rotation = look_at(scene)
    return replace(scene, points=scene.points @ rotation.T, centres=scene.centres @ rotation.T, upward=None)


def _box(scene: Scene) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest coordinates of a scene, shape (3,) each."""
    radii = scene.radii[:, None]
    everything = np.concatenate([scene.points, scene.centres - radii, scene.centres + radii])
    return everything.min(axis=0), everything.max(axis=0)


def _polyline(path: Path, points: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Points, diameters and compartments of a section: its own points, and the centres of compartments."""
    centres = (path.edges[:-1] + path.edges[1:]) / 2
    arc = np.concatenate([path.arc, centres])
    order = np.argsort(arc, kind="stable")
    between = [np.interp(centres, path.arc, column) for column in (*points.T, path.diameter)]
    places = np.concatenate([points, np.column_stack(between[:3])])[order]
    diameters = np.concatenate([path.diameter, between[3]])[order]
    local = np.searchsorted(path.edges, arc[order], side="right") - 1
    return places, diameters, np.clip(local, 0, len(centres) - 1).astype(np.int64)


def _upward(tree: Tree, points: Sequence[FloatArray]) -> FloatArray | None:
    """Towards the apical tree, or to where nearly all dendrites are; None if they are on all sides."""
    kinds = np.array([_REGIONS.get(int(kind), "") for kind in tree.sections.type])
    apical = np.flatnonzero(kinds == "apical").tolist()
    dendrites = apical or np.flatnonzero((kinds != "axon") & (kinds != "soma")).tolist()
    if not dendrites:
        return None
    away = np.concatenate([points[k] for k in dendrites]) - points[0][0]
    mean = away.mean(axis=0)
    one_sided = np.linalg.norm(mean) > 0.7 * np.linalg.norm(away, axis=1).mean()
    return np.asarray(mean) if apical or one_sided else None
