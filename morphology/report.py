"""A morphology to look at: a table, a drawing in text, a projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rall.errors import MorphologyError
from rall.morphology.attributes import Geometry
from rall.morphology.formats import neurom
from rall.morphology.node import type_name
from rall.morphology.regions import ALIASES
from rall.morphology.swc_write import swc_text
from rall.morphology.tree import Tree

__all__ = ["Table", "Text", "info", "plot", "topology"]

_COLORS = {1: "#4d4d4d", 2: "#0072b2", 3: "#d55e00", 4: "#cc79a7"}
_OTHER = "#009e73"


class Text(str):
    """Text that shows itself as it is, also in an interactive session."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Table:
    """Rows of names and numbers; `str` gives them aligned.

    Parameters
    ----------
    columns : tuple of str
        Headings.
    rows : tuple of tuple
        One for each region, the last one for the whole.
    notes : tuple of str
        Lines below the table.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        cells = [self.columns, *([_cell(value) for value in row] for row in self.rows)]
        widths = [max(len(row[k]) for row in cells) for k in range(len(self.columns))]
        lines = [
            "  ".join(
                text.ljust(w) if k == 0 else text.rjust(w) for k, (text, w) in enumerate(zip(row, widths))
            )
            for row in cells
        ]
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return str(self)


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def info(morphology: Geometry, morphometrics: bool) -> Table:
    """Sections, compartments, length, area and volume by region.

    Parameters
    ----------
    morphology : Geometry
        What to measure.
    morphometrics : bool
        Also the measures of NeuroM.
    """
    tree = morphology.flatten()
    rows = []
    for code in sorted(set(tree.sections.type.tolist())):
        name = " = ".join(ALIASES.get(type_name(code), (type_name(code),)))
        rows.append((name, *_sums(tree, tree.sections.type == code)))
    rows.append(("all", *_sums(tree, np.ones(len(tree.sections), bool))))
    columns = ("region", "sections", "compartments", "length (um)", "area (um2)", "volume (um3)")
    notes = [f"file: {morphology._file}"] if getattr(morphology, "_file", None) else []
    notes += [f"noticed: {finding}" for finding in getattr(morphology, "_findings", ())]
    if morphometrics:
        notes += _morphometrics(tree)
    return Table(columns, tuple(rows), tuple(notes))


def _sums(tree: Tree, chosen: Any) -> tuple[int, int, float, float, float]:
    here = chosen[tree.section]
    cable = chosen & ~tree.sections.sphere
    return (
        int(chosen.sum()),
        int(here.sum()),
        float(tree.sections.length[cable].sum()),
        float(tree.area[here].sum()),
        float(tree.volume[here].sum()),
    )


_FEATURES = (
    "number_of_neurites",
    "number_of_sections",
    "number_of_bifurcations",
    "number_of_leaves",
    "max_radial_distance",
    "total_length",
    "total_area",
    "partition_asymmetry",
    "section_tortuosity",
    "local_bifurcation_angles",
)


def _morphometrics(tree: Tree) -> list[str]:
    """Mean values of NeuroM's features, of the cell written as SWC and read again."""
    module = neurom("info(morphometrics=True)")
    cell = module.load_morphology(swc_text(tree), reader="swc")
    lines = ["NeuroM (mean where there are many):"]
    for feature in _FEATURES:
        values = np.atleast_1d(np.asarray(module.get(feature, cell), float))
        if len(values):
            lines.append(f"  {feature.replace('_', ' ')}: {values.mean():.6g}")
    return lines


def topology(morphology: Geometry) -> Text:
    """One line for each section: depth, compartments and name.

    Parameters
    ----------
    morphology : Geometry
        What to draw.
    """
    lines = []
    depth = {id(morphology): 0}
    paths = {id(morphology): ""}
    for node in morphology.walk():
        here, path = depth[id(node)], paths[id(node)]
        bar = "( )" if node._path.sphere else "-" * min(node.n, 60) + "|"
        lines.append(f"{'   ' * min(here, 30)}{'`' if here else ''}{bar}  {path or '[root]'}")
        for child in node._children:
            depth[id(child)] = here + 1
            # Only the last steps: in a tree of thousands of nested branchings the whole way would be long.
            full = f"{path}.{child._name}"
            paths[id(child)] = full if len(full) < 100 else "..." + full[-90:]
    return Text("\n".join(lines))


def plot(morphology: Geometry, axes: Any, plane: str, color: Any) -> Any:
    """Draw a projection.

    Parameters
    ----------
    morphology : Geometry
        What to draw.
    axes : matplotlib Axes, optional
        Where.
    plane : str
        Two of x, y, z.
    color : colour, optional
        One for all.
    """
    if len(plane) != 2 or not set(plane) <= set("xyz"):
        raise MorphologyError(f"plane={plane!r} must be two of x, y and z, such as 'xz'", "BadPlane")
    tree = morphology.flatten()
    line = tree.polyline
    if np.isnan(line.xyz).any():
        raise MorphologyError(
            "there are no coordinates to draw; generate_coordinates() makes some", "NoCoordinates"
        )
    try:
        import matplotlib.pyplot as plt
        from matplotlib.collections import PolyCollection
        from matplotlib.patches import Circle
    except ImportError as error:
        raise MorphologyError(
            "plot() needs Matplotlib: pip install 'rall[view]'", "NeedsMatplotlib"
        ) from error
    if axes is None:
        _, axes = plt.subplots()
    flat = line.xyz[:, ["xyz".index(axis) for axis in plane]]
    shapes: list[Any] = []
    colors: list[Any] = []
    for s, path in enumerate(tree.paths):
        rows = slice(int(line.offset[s]), int(line.offset[s + 1]))
        paint = color or _COLORS.get(int(tree.sections.type[s]), _OTHER)
        if path.sphere:
            axes.add_patch(Circle(tuple(flat[rows][0]), path.diameter[0] / 2, color=paint))
            continue
        pieces = _quads(flat[rows], line.diameter[rows] / 2)
        shapes += pieces
        colors += [paint] * len(pieces)
    axes.add_collection(PolyCollection(shapes, facecolors=colors, edgecolors=colors, linewidths=0.3))
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_xlabel(f"{plane[0]} (um)")
    axes.set_ylabel(f"{plane[1]} (um)")
    return axes


def _quads(points: Any, radius: Any) -> Sequence[Any]:
    """Outlines of the truncated cones, seen from the side."""
    step = np.diff(points, axis=0)
    size = np.hypot(step[:, 0], step[:, 1])
    seen = size > 0
    side = np.column_stack([-step[seen, 1], step[seen, 0]]) / size[seen, None]
    a, b = points[:-1][seen], points[1:][seen]
    ra, rb = radius[:-1][seen, None], radius[1:][seen, None]
    return list(np.stack([a + side * ra, b + side * rb, b - side * rb, a - side * ra], axis=1))
