"""Matplotlib: voltage traces, and the picture of a cell where VTK cannot draw it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rall.errors import NotSupportedError, RallError
from rall.plugins.viewer.base import AbstractViewer, Drawing, FloatArray, RgbArray
from rall.plugins.viewer.colours import colour_table
from rall.plugins.viewer.recorded import recorded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MatplotlibViewer", "plot", "plot_traces"]

_MISSING = "Matplotlib is not installed (pip install 'rall[view]')"
_LISTED = 10  # traces that a legend can tell apart
_DOTS = 72  # an inch: a point is a pixel
_ROUND = np.linspace(0, 2 * np.pi, 12, endpoint=False)
_RIM = np.linspace(0, 2 * np.pi, 72, endpoint=False)


class MatplotlibViewer(AbstractViewer):
    """Paints flat pieces from the farthest to the nearest, with widths to scale; needs no OpenGL."""

    def paint(self, drawing: Drawing, filename: Path) -> None:
        """Paint a drawing into a PNG file.

        Parameters
        ----------
        drawing : Drawing
            What is to be seen, in pixels.
        filename : Path
            The file to write; it appears when it is complete, or not at all.

        Raises
        ------
        NotSupportedError
            If Matplotlib is missing.
        """
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise NotSupportedError(_MISSING) from error
        width, height = drawing.size
        figure = Figure(figsize=(width / _DOTS, height / _DOTS), dpi=_DOTS, facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(0, height)
        axes.axis("off")
        _add_tree(axes, drawing)
        _add_annotations(axes, drawing)
        with tempfile.TemporaryDirectory(prefix=".rall-view-", dir=filename.parent) as nearby:
            picture = Path(nearby, "picture.png")  # beside the target: replacing is then atomic
            canvas: Any = FigureCanvasAgg(figure)
            canvas.print_png(str(picture))
            os.replace(picture, filename)


def _add_tree(axes: Axes, drawing: Drawing) -> None:
    from matplotlib.collections import PolyCollection

    pieces = [_cones(drawing), _discs(drawing), _balls(drawing)]
    outlines = [outline for piece, _, _ in pieces for outline in piece]
    colours = np.concatenate([colour for _, colour, _ in pieces]) / 255
    order = np.argsort(np.concatenate([depth for _, _, depth in pieces]), kind="stable")
    axes.add_collection(
        PolyCollection(
            [outlines[k] for k in order],
            facecolors=colours[order],
            edgecolors=colours[order],
            linewidths=0.25,  # closes the hairlines between neighbours
        ),
        autolim=False,
    )


_Pieces = tuple[list[FloatArray], RgbArray, FloatArray]  # outlines, colours and depths


def _cones(drawing: Drawing) -> _Pieces:
    """One quadrangle for each step of a polyline, as wide at its ends as the branch is there."""
    first = np.ones(max(len(drawing.points) - 1, 0), bool)
    first[drawing.offsets[1:-1] - 1] = False
    start = np.flatnonzero(first)
    a, b = drawing.points[start], drawing.points[start + 1]
    along = b[:, :2] - a[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])[:, None]
    across = np.column_stack([-along[:, 1], along[:, 0]]) / np.where(length > 0, length, 1)
    wide_a, wide_b = across * drawing.radii[start, None], across * drawing.radii[start + 1, None]
    a2, b2 = a[:, :2], b[:, :2]
    corners = np.stack([a2 - wide_a, a2 + wide_a, b2 + wide_b, b2 - wide_b], axis=1)
    mixed = (drawing.colours[start].astype(np.float64) + drawing.colours[start + 1]) / 2
    return list(corners), mixed.astype(np.uint8), (a[:, 2] + b[:, 2]) / 2


def _discs(drawing: Drawing) -> _Pieces:
    """Round joints where a branch is wide enough to show its corners."""
    wide = np.flatnonzero(drawing.radii > 1)
    return _rounds(drawing.points[wide], drawing.radii[wide], drawing.colours[wide], _ROUND)


def _balls(drawing: Drawing) -> _Pieces:
    outlines, colours, depths = _rounds(drawing.centres, drawing.sphere_radii, drawing.sphere_colours, _RIM)
    return outlines, colours, depths + drawing.sphere_radii  # its near side hides what it contains


def _rounds(centres: FloatArray, radii: FloatArray, colours: RgbArray, angles: FloatArray) -> _Pieces:
    rim = np.column_stack([np.cos(angles), np.sin(angles)])
    return list(centres[:, None, :2] + radii[:, None, None] * rim), colours, centres[:, 2]


def _add_annotations(axes: Axes, drawing: Drawing) -> None:
    from matplotlib.collections import PolyCollection

    x0, y0, x1, y1 = drawing.boxes.T
    corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 4, 2)
    boxes = PolyCollection(list(corners), facecolors=drawing.box_colours / 255, zorder=5)
    boxes.set_antialiased(False)
    axes.add_collection(boxes, autolim=False)
    for text in drawing.texts:
        axes.text(
            text.x,
            text.y,
            text.string,
            fontsize=text.size * 0.92,
            color="0.12",
            horizontalalignment=text.align,
            verticalalignment="center_baseline",
            zorder=6,
            parse_math=False,
        )


def plot(monitor: Any, variable: str | None = None, *, ax: Axes | None = None) -> Axes:
    """Plot what a monitor recorded against time.

    Parameters
    ----------
    monitor : StateMonitor
        The recording.
    variable : str, optional
        Which variable; by default ``'v'``, or the only one.
    ax : matplotlib Axes, optional
        Where; by default a new figure.

    Returns
    -------
    matplotlib Axes
        With units at both axes; ``axes.figure.savefig(...)`` writes it.

    Raises
    ------
    NotSupportedError
        If Matplotlib is missing.
    RallError
        If nothing was recorded, or not that variable.
    """
    found = recorded(monitor, variable)
    labels = [f"{found.label}[{index}]" for index in found.index]
    return plot_traces(found.times, found.values.T, labels, name=found.label, unit=found.unit, ax=ax)


def plot_traces(
    t: Any,
    traces: Any,
    labels: Sequence[str] | None = None,
    *,
    name: str = "v",
    unit: str = "mV",
    ax: Axes | None = None,
) -> Axes:
    """Plot traces against time, with units.

    Parameters
    ----------
    t : array of float, shape (T,)
        Time in ms.
    traces : array of float, shape (T,) or (n, T)
        Values in `unit`, one row for each trace.
    labels : sequence of str, optional
        Names of the traces for the legend; more than ten are coloured in order instead.
    name, unit : str
        What the values are, for the vertical axis.
    ax : matplotlib Axes, optional
        Where; by default a new figure.

    Returns
    -------
    matplotlib Axes
        With units at both axes; ``axes.figure.savefig(...)`` writes it.

    Raises
    ------
    NotSupportedError
        If Matplotlib is missing.
    RallError
        If the numbers of times, traces and labels do not fit.
    """
    times, rows = np.asarray(t, np.float64), np.atleast_2d(np.asarray(traces, np.float64))
    if rows.shape[1:] != times.shape:
        raise RallError(f"traces of shape {rows.shape} do not fit {times.size} moments: one row a trace")
    if labels is not None and len(labels) != len(rows):
        raise RallError(f"{len(labels)} labels for {len(rows)} traces")
    axes = _new_axes() if ax is None else ax
    many = len(rows) > _LISTED
    shades = colour_table()[np.linspace(0, 255, len(rows)).astype(int)] / 255 if many else None
    for k, row in enumerate(rows):
        style: dict[str, Any] = {"color": shades[k], "linewidth": 0.8} if shades is not None else {"linewidth": 1.2}
        axes.plot(times, row, label=None if labels is None else labels[k], **style)
    axes.set_xlabel("t (ms)")
    axes.set_ylabel(f"{name} ({unit})" if unit else name)
    axes.margins(x=0)
    axes.spines[["top", "right"]].set_visible(False)
    if labels is not None and not many:
        axes.legend(frameon=False)
    return axes


def _new_axes() -> Axes:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise NotSupportedError(_MISSING) from error
    _, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    return axes
