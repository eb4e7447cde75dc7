"""`view3d`: a cell and what was recorded from it, ready to be looked at."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from rall.errors import NotSupportedError, PluginError, RallError, RallWarning
from rall.plugins.viewer.base import AbstractViewer, Scene
from rall.plugins.viewer.colours import colour_table
from rall.plugins.viewer.drawing import Style, arrange, fitting_size
from rall.plugins.viewer.recorded import milliseconds
from rall.plugins.viewer.sources import scene_of
from rall.registry import find

__all__ = ["View", "view3d"]

_AUTO = ("vtk", "matplotlib")  # the better one first
_VARIABLE = "RALL_VIEWER"  # of the environment: the viewer that 'auto' stands for


class _Notices:
    """What was said already: advice is given once a process, not once a picture."""

    __slots__ = ("said",)

    def __init__(self) -> None:
        self.said: set[str] = set()

    def say(self, message: str) -> None:
        if message not in self.said:
            self.said.add(message)
            warnings.warn(message, RallWarning, stacklevel=3)


_notices = _Notices()


class View:
    """A cell coloured by its regions or by a variable; made by `view3d`.

    Parameters
    ----------
    scene : Scene
        The tree and its values.
    viewers : tuple of AbstractViewer
        Ways to paint it, the best one first; the next one is taken where one cannot work.
    style : Style, optional
        Colours and exaggeration.
    """

    def __init__(self, scene: Scene, viewers: tuple[AbstractViewer, ...], style: Style | None = None) -> None:
        self._scene, self._viewers, self._style = scene, viewers, style

    @property
    def scene(self) -> Scene:
        """The tree and its values, as plain arrays (um, ms and the display unit)."""
        return self._scene

    def screenshot(
        self, filename: str | os.PathLike[str], t: Any = None, size: tuple[int, int] | None = None
    ) -> Path:
        """Write a picture; needs no display.

        Parameters
        ----------
        filename : str or path
            Name of the PNG file.  It appears when it is complete, or not at all.
        t : Quantity, optional
            Moment that is shown (a time): the nearest one that was recorded.  By default the last one.
        size : (int, int), optional
            Width and height in pixels; by default such that the tree fills the picture.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        RallError
            If the name, the moment or the size cannot be used.
        NotSupportedError
            If no viewer works on this machine; the message says what to install.
        """
        path = _picture_path(filename)
        page = _checked_size(size or fitting_size(self._scene))
        drawing = arrange(self._scene, self._moment(t), page, self._style)
        reasons = []
        for viewer in self._viewers:
            try:
                viewer.paint(drawing, path)
            except NotSupportedError as error:
                reasons.append(str(error))
                continue
            if reasons:
                self._viewers = self._viewers[len(reasons) :]  # what failed once is not tried again
                _notices.say("a simpler picture was drawn: " + "; ".join(reasons))
            return path
        raise NotSupportedError(f"'{path}' was not drawn: " + "; ".join(reasons))

    def _moment(self, t: Any) -> float | None:
        """The moment in ms, checked against what was recorded."""
        if t is None:
            return None
        moment, times = milliseconds(t), self._scene.times
        if times is None:
            raise RallError(f"t = {moment:g} ms: this view shows no recording, so leave t out")
        step = float(times[1] - times[0]) if len(times) > 1 else 0.0
        if not times[0] - step - 1e-9 <= moment <= times[-1] + step + 1e-9:
            ends = f"{times[0]:g} to {times[-1]:g} ms"
            raise RallError(f"t = {moment:g} ms was not recorded; the recording is {ends}")
        return moment

    def __repr__(self) -> str:
        tree = self._scene
        shown = "regions" if tree.names else f"{tree.label} ({tree.unit})" if tree.unit else tree.label
        times = "" if tree.times is None else f", {len(tree.times)} moments to {tree.times[-1]:g} ms"
        return f"<View of {len(tree.offsets) - 1} sections, {shown}{times}>"


def view3d(
    source: Any,
    data: Any = None,
    *,
    variable: str | None = None,
    viewer: str = "auto",
    scale: float = 1.0,
    limits: tuple[Any, Any] | None = None,
    cmap: str | None = None,
) -> View:
    """Look at a morphology or a cell in three dimensions.

    Parameters
    ----------
    source : Morphology, SpatialNeuron or SpatialNeuronGroup
        What is seen, with its true diameters.
    data : StateMonitor or str, optional
        What colours it: a recording of compartments, or the name of a variable whose values now are shown.
        By default each region has its colour.  Compartments that were not recorded are light grey.
    variable : str, optional
        Which variable of a monitor of several; by default ``'v'``, or the only one.
    viewer : str
        Name of a viewer, or ``'auto'``: VTK, and Matplotlib where that cannot work.  The environment variable
        ``RALL_VIEWER`` names the viewer that ``'auto'`` stands for.
    scale : float
        Factor on the diameters of the branches; 1 is to scale, though nothing is thinner than 1.5 pixels.
    limits : (Quantity, Quantity), optional
        Ends of the colour bar; by default -80 to 40 mV for voltages, and the range of the values for others.
    cmap : str, optional
        A colour map of Matplotlib; by default rall's own, from blue over red to yellow.

    Returns
    -------
    View
        With ``screenshot(filename, t=...)``.

    Raises
    ------
    RallError
        If data and source do not fit.
    PluginError
        If there is no viewer of that name.
    """
    if not scale > 0:
        raise RallError(f"scale={scale!r}: the factor on the diameters must be a number above 0")
    chosen = os.environ.get(_VARIABLE, "auto") if viewer == "auto" else viewer
    viewers = tuple(_find_viewer(name) for name in (_AUTO if chosen == "auto" else (chosen,)))
    seen = scene_of(source, data, variable, limits)
    if seen.made_up:
        _notices.say("the morphology lacks coordinates; what has none is drawn straight, to length, as a fan")
    if seen.unknown:
        _notices.say(
            f"{seen.unknown} of {seen.scene.values.shape[-1]} compartments were not recorded and are "
            "drawn in light grey; StateMonitor(..., record=True) records them all"
        )
    return View(seen.scene, viewers, Style(float(scale), colour_table(cmap)))


def _find_viewer(name: str) -> AbstractViewer:
    made = find("rall.viewers", name)
    if not (isinstance(made, type) and issubclass(made, AbstractViewer)):
        raise PluginError(f"the viewer {name!r} is {made!r}; a class derived from AbstractViewer is expected")
    return made()


def _picture_path(filename: str | os.PathLike[str]) -> Path:
    path = Path(filename)
    if path.suffix.lower() != ".png":
        raise RallError(f"screenshot({str(filename)!r}): pictures are PNG, so the name must end in .png")
    if not path.parent.is_dir():
        raise RallError(f"screenshot({str(filename)!r}): there is no folder '{path.parent}'; make it first")
    return path


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    width, height = (int(side) for side in size)
    if not (64 <= width <= 16384 and 64 <= height <= 16384):
        raise RallError(f"size={size!r}: width and height must be 64 to 16384 pixels")
    return width, height
