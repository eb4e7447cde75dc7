"""True-diameter tubes through VTK, off screen and in a process of its own.

A machine without an OpenGL library kills the process that asks VTK for a window, so the window is opened
in a child: its exit is the probe, and the parent lives to draw in another way.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rall.errors import NotSupportedError
from rall.plugins.viewer.base import AbstractViewer, Drawing, FloatArray, RgbArray, Text

if TYPE_CHECKING:
    from vtkmodules.vtkCommonDataModel import vtkPolyData
    from vtkmodules.vtkRenderingCore import vtkActor, vtkActor2D, vtkRenderer

__all__ = ["VtkViewer", "render"]

_PATIENCE = 300.0  # seconds for one picture, software rendering included
_LARGEST = 8192  # pixels a side that every OpenGL can do
_SIDES = 16  # of a tube
_WINDOW = "VTK_DEFAULT_OPENGL_WINDOW"


class VtkViewer(AbstractViewer):
    """Paints with VTK in a child process; needs no display.

    Without a display VTK opens its window through EGL, else through OSMesa; a value of the environment
    variable ``VTK_DEFAULT_OPENGL_WINDOW`` is respected.
    """

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
            If VTK or an OpenGL library is missing; the message says what to install.
        """
        if importlib.util.find_spec("vtkmodules") is None:
            raise NotSupportedError("VTK is not installed (pip install 'rall[view]')")
        with tempfile.TemporaryDirectory(prefix="rall-view-") as folder:
            source = Path(folder, "drawing.npz")
            drawing.save(source)
            with tempfile.TemporaryDirectory(prefix=".rall-view-", dir=filename.parent) as nearby:
                picture = Path(nearby, "picture.png")  # beside the target: replacing is then atomic
                self._try_windows(source, picture)
                os.replace(picture, filename)

    def command(self) -> list[str]:
        """What is started to paint; the names of the two files follow.

        Returns
        -------
        list of str
            Program and arguments.
        """
        return [sys.executable, "-P", "-m", "rall.plugins.viewer.render"]

    def _try_windows(self, source: Path, picture: Path) -> None:
        reasons = []
        for window in _windows():
            reason = self._run_child(source, picture, window)
            if reason is None:
                return
            reasons.append(reason)
        raise NotSupportedError(
            f"VTK could not open a window off screen ({'; '.join(dict.fromkeys(reasons))}): most often an "
            "OpenGL library is missing (Debian, Ubuntu: apt-get install libegl1 libgl1 libgl1-mesa-dri, "
            "or libosmesa6)"
        )

    def _run_child(self, source: Path, picture: Path, window: str | None) -> str | None:
        """Paint with one kind of window; None if that went well, else the reason."""
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        if window is not None:
            environment[_WINDOW] = window
        try:
            done = subprocess.run(
                [*self.command(), str(source), str(picture)],
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{type(error).__name__}: {error}"
        if done.returncode == 0 and picture.exists():
            return None
        if done.returncode < 0:
            return f"its process was killed by signal {-done.returncode}"
        last = done.stderr.strip().splitlines()[-1:] or [f"its process ended with code {done.returncode}"]
        return last[0]


def _windows() -> tuple[str | None, ...]:
    if _WINDOW in os.environ or not sys.platform.startswith("linux"):
        return (None,)
    return ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow")


def render(drawing: Drawing, filename: Path) -> None:
    """Paint a drawing with VTK in this process; kills it where there is no OpenGL library.

    Parameters
    ----------
    drawing : Drawing
        What is to be seen, in pixels.
    filename : Path
        The PNG file to write.
    """
    import vtkmodules.vtkRenderingFreeType
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  (both register themselves with VTK)
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

    width, height = drawing.size
    # Twice or thrice the size and means of it cost far less than multisampling does in software OpenGL.
    fine = max(1, min(3, _LARGEST // max(width, height)))
    renderer = vtkRenderer()
    renderer.SetBackground(1, 1, 1)
    _add_tree(renderer, drawing)
    _add_annotations(renderer, drawing, fine)
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(width * fine, height * fine)
    window.AddRenderer(renderer)
    _set_camera(renderer, drawing)
    window.Render()
    fine_pixels = _grab(window).reshape(height, fine, width, fine, 3)
    total = np.zeros((height, width, 3), np.uint16)
    for row in range(fine):
        for column in range(fine):
            total += fine_pixels[:, row, :, column]
    _write(((total + fine * fine // 2) // (fine * fine)).astype(np.uint8), filename)


def _add_tree(renderer: vtkRenderer, drawing: Drawing) -> None:
    lines, ends = _clean_lines(drawing)
    if lines:
        renderer.AddActor(_shaded(_tubes(drawing, lines)))
    centres = np.concatenate([drawing.points[ends], drawing.centres])
    radii = np.concatenate([drawing.radii[ends], drawing.sphere_radii])
    colours = np.concatenate([drawing.colours[ends], drawing.sphere_colours])
    for smooth, chosen in ((12, radii < 6), (24, (radii >= 6) & (radii < 30)), (64, radii >= 30)):
        if chosen.any():
            renderer.AddActor(_shaded(_balls(centres[chosen], radii[chosen], colours[chosen], smooth)))


def _clean_lines(drawing: Drawing) -> tuple[list[list[int]], list[int]]:
    """Polylines without steps of no length, which the tube filter refuses, and the points at their ends."""
    lines, ends = [], []
    for start, stop in zip(drawing.offsets[:-1], drawing.offsets[1:], strict=True):
        line: list[int] = []
        for k in range(int(start), int(stop)):
            if not line or np.abs(drawing.points[k] - drawing.points[line[-1]]).max() > 1e-3:
                line.append(k)
        if len(line) > 1:
            lines.append(line)
        if line:
            ends += [line[0], line[-1]]
    return lines, ends


def _array(values: Any, name: str) -> Any:
    from vtkmodules.util import numpy_support

    convert: Any = numpy_support.numpy_to_vtk
    made = convert(np.ascontiguousarray(values), deep=1)
    made.SetName(name)
    return made


def _poly_data(points: FloatArray) -> vtkPolyData:
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkPolyData

    places = vtkPoints()
    places.SetData(_array(points, "points"))
    data = vtkPolyData()
    data.SetPoints(places)
    return data


def _tubes(drawing: Drawing, lines: list[list[int]]) -> vtkPolyData:
    from vtkmodules.vtkCommonDataModel import vtkCellArray
    from vtkmodules.vtkFiltersCore import vtkTubeFilter

    cells = vtkCellArray()
    for line in lines:
        cells.InsertNextCell(len(line), line)
    data = _poly_data(drawing.points)
    data.SetLines(cells)
    data.GetPointData().AddArray(_array(drawing.colours, "colour"))
    data.GetPointData().AddArray(_array(drawing.radii, "radius"))
    data.GetPointData().SetActiveScalars("radius")
    tube = vtkTubeFilter()
    tube.SetInputData(data)
    tube.SetNumberOfSides(_SIDES)
    tube.CappingOn()
    tube.SetVaryRadiusToVaryRadiusByAbsoluteScalar()
    tube.Update()
    mesh: vtkPolyData = tube.GetOutput()
    mesh.GetPointData().SetActiveScalars("colour")
    return mesh


def _balls(centres: FloatArray, radii: FloatArray, colours: RgbArray, smooth: int) -> vtkPolyData:
    """Spheres: the soma, and at the ends of branches, where tubes of unequal width would leave notches."""
    from vtkmodules.vtkFiltersCore import vtkGlyph3D
    from vtkmodules.vtkFiltersSources import vtkSphereSource

    ball = vtkSphereSource()
    ball.SetRadius(1.0)
    ball.SetThetaResolution(smooth)
    ball.SetPhiResolution(max(6, smooth // 2))
    data = _poly_data(centres)
    data.GetPointData().AddArray(_array(radii, "radius"))
    data.GetPointData().AddArray(_array(colours, "colour"))
    data.GetPointData().SetActiveScalars("radius")
    glyph = vtkGlyph3D()
    glyph.SetSourceConnection(ball.GetOutputPort())
    glyph.SetInputData(data)
    glyph.SetScaleModeToScaleByScalar()
    glyph.SetScaleFactor(1.0)
    glyph.ClampingOff()
    glyph.Update()
    mesh: vtkPolyData = glyph.GetOutput()
    mesh.GetPointData().SetActiveScalars("colour")
    return mesh


def _shaded(mesh: vtkPolyData) -> vtkActor:
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mapper = vtkPolyDataMapper()
    mapper.SetInputData(mesh)
    mapper.SetColorModeToDirectScalars()
    actor = vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetAmbient(0.58)  # much of it, so that a colour can be read off the bar wherever a tube faces
    look.SetDiffuse(0.46)
    look.SetSpecular(0.08)
    look.SetSpecularPower(20)
    return actor


def _add_annotations(renderer: vtkRenderer, drawing: Drawing, fine: int) -> None:
    renderer.AddViewProp(_boxes(drawing, fine))
    for text in drawing.texts:
        renderer.AddViewProp(_text(text, fine))


def _boxes(drawing: Drawing, fine: int) -> vtkActor2D:
    from vtkmodules.vtkCommonDataModel import vtkCellArray
    from vtkmodules.vtkRenderingCore import vtkActor2D, vtkPolyDataMapper2D

    x0, y0, x1, y1 = drawing.boxes.T * fine
    corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 2)
    cells = vtkCellArray()
    for k in range(len(drawing.boxes)):
        cells.InsertNextCell(4, range(4 * k, 4 * k + 4))
    data = _poly_data(np.column_stack([corners, np.zeros(len(corners))]))
    data.SetPolys(cells)
    data.GetCellData().SetScalars(_array(drawing.box_colours, "colour"))
    mapper = vtkPolyDataMapper2D()
    mapper.SetInputData(data)
    actor = vtkActor2D()
    actor.SetMapper(mapper)
    return actor


def _text(text: Text, fine: int) -> vtkActor2D:
    from vtkmodules.vtkRenderingCore import vtkTextActor

    actor = vtkTextActor()
    actor.SetInput(text.string)
    actor.SetPosition(text.x * fine, text.y * fine)
    look = actor.GetTextProperty()
    look.SetColor(0.12, 0.12, 0.12)
    look.SetFontSize(round(text.size * fine))
    look.SetVerticalJustificationToCentered()
    {
        "left": look.SetJustificationToLeft,
        "center": look.SetJustificationToCentered,
        "right": look.SetJustificationToRight,
    }[text.align]()
    return actor


def _set_camera(renderer: vtkRenderer, drawing: Drawing) -> None:
    """One unit of the drawing is one pixel of the page."""
    width, height = drawing.size
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(width / 2, height / 2, 0)
    camera.SetPosition(width / 2, height / 2, 10.0 * (width + height))
    camera.SetViewUp(0, 1, 0)
    camera.SetParallelScale(height / 2)
    renderer.ResetCameraClippingRange()


def _grab(window: Any) -> RgbArray:
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

    grab = vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.ShouldRerenderOff()  # its default draws everything a second time
    grab.Update()
    convert: Any = numpy_support.vtk_to_numpy
    pixels: RgbArray = convert(grab.GetOutput().GetPointData().GetScalars())
    return pixels


def _write(pixels: RgbArray, filename: Path) -> None:
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkIOImage import vtkPNGWriter

    height, width, _ = pixels.shape
    image = vtkImageData()
    image.SetDimensions(width, height, 1)
    image.GetPointData().SetScalars(_array(pixels.reshape(-1, 3), "pixels"))
    writer = vtkPNGWriter()
    writer.SetFileName(str(filename))
    writer.SetInputData(image)
    writer.Write()
