"""What the viewers are given: a scene (a tree with values), and the drawing that is made of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["AbstractViewer", "Drawing", "FloatArray", "IntArray", "RgbArray", "Scene", "Text"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
RgbArray = NDArray[np.uint8]


def _empty(*shape: int) -> FloatArray:
    return np.zeros(shape)


@dataclass(frozen=True)
class Scene:
    """A tree in space with the values that colour it.

    Parameters
    ----------
    points : array of float, shape (P, 3)
        Points of all polylines, one polyline after the other, in um.
    diameters : array of float, shape (P,)
        Diameter at each point, in um.
    offsets : array of int, shape (S + 1,)
        Polyline s is ``points[offsets[s]:offsets[s + 1]]``.
    owner : array of int, shape (P,)
        Index of the value (the compartment) that colours each point.
    values : array of float, shape (n,) or (T, n)
        What colours the tree, in `unit`; nan where nothing is known.  With `names`, indices into them.
    times : array of float, shape (T,), optional
        Moments of the rows of `values`, in ms.
    centres : array of float, shape (K, 3)
        Centres of the spheres (a spherical soma), in um.
    radii : array of float, shape (K,)
        Radii of the spheres, in um.
    sphere_owner : array of int, shape (K,)
        Index of the value that colours each sphere.
    upward : array of float, shape (3,), optional
        Direction that is to point up in pictures (towards the apical tree); None lets the shape decide.
    label, unit : str
        Name and unit of the values, such as ``'v'`` and ``'mV'``.
    limits : (float, float), optional
        Ends of the colour bar in `unit`; None takes them from the values.
    names : tuple of str
        Names of categories (regions), when the values are categories.
    """

    points: FloatArray
    diameters: FloatArray
    offsets: IntArray
    owner: IntArray
    values: FloatArray
    times: FloatArray | None = None
    centres: FloatArray = field(default_factory=lambda: _empty(0, 3))
    radii: FloatArray = field(default_factory=lambda: _empty(0))
    sphere_owner: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    upward: FloatArray | None = None
    label: str = ""
    unit: str = ""
    limits: tuple[float, float] | None = None
    names: tuple[str, ...] = ()

    def frame(self, time: float | None) -> int | None:
        """Index of the row of `values` that is nearest to a moment.

        Parameters
        ----------
        time : float or None
            Moment in ms; None takes the last one.

        Returns
        -------
        int or None
            None when the values have no time.
        """
        if self.times is None:
            return None
        return len(self.times) - 1 if time is None else int(np.argmin(np.abs(self.times - time)))


@dataclass(frozen=True)
class Text:
    """A line of text in a drawing.

    Parameters
    ----------
    x, y : float
        Anchor in pixels from the lower left corner; the text is centred vertically on it.
    string : str
        What is written.
    size : float
        Font size in pixels.
    align : str
        ``'left'``, ``'center'`` or ``'right'`` of the anchor.
    """

    x: float
    y: float
    string: str
    size: float
    align: str = "left"


@dataclass(frozen=True)
class Drawing:
    """A picture before it is painted: everything in pixels, seen along -z, so that a viewer only paints.

    Parameters
    ----------
    size : (int, int)
        Width and height in pixels.
    points : array of float, shape (P, 3)
        Points of the polylines: x to the right and y up from the lower left corner, z towards the eye.
    radii : array of float, shape (P,)
        Radii of the tubes.
    offsets : array of int, shape (S + 1,)
        Borders of the polylines.
    colours : array of uint8, shape (P, 3)
        Red, green and blue of each point.
    centres, sphere_radii, sphere_colours : arrays, shapes (K, 3), (K,), (K, 3)
        Spheres.
    boxes : array of float, shape (B, 4)
        Filled rectangles drawn over the tree (colour bar, ticks, scale bar): x0, y0, x1, y1.
    box_colours : array of uint8, shape (B, 3)
        Their colours.
    texts : tuple of Text
        Labels.
    """

    size: tuple[int, int]
    points: FloatArray
    radii: FloatArray
    offsets: IntArray
    colours: RgbArray
    centres: FloatArray
    sphere_radii: FloatArray
    sphere_colours: RgbArray
    boxes: FloatArray
    box_colours: RgbArray
    texts: tuple[Text, ...]

    def save(self, filename: Path) -> None:
        """Write the drawing as arrays, for another process.

        Parameters
        ----------
        filename : Path
            Name of the ``.npz`` file.
        """
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "texts"}
        arrays["text_strings"] = np.array([text.string for text in self.texts], dtype=str)
        arrays["text_aligns"] = np.array([text.align for text in self.texts], dtype=str)
        arrays["text_places"] = np.array([(t.x, t.y, t.size) for t in self.texts]).reshape(-1, 3)
        np.savez(filename, allow_pickle=False, **arrays)

    @staticmethod
    def load(filename: Path) -> Drawing:
        """Read what `save` wrote.

        Parameters
        ----------
        filename : Path
            Name of the ``.npz`` file.

        Returns
        -------
        Drawing
            The same drawing.
        """
        with np.load(filename, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        strings, aligns = arrays.pop("text_strings"), arrays.pop("text_aligns")
        places = arrays.pop("text_places").tolist()
        texts = tuple(
            Text(x, y, str(string), size, str(align))
            for (x, y, size), string, align in zip(places, strings, aligns, strict=True)
        )
        width, height = arrays.pop("size").tolist()
        return Drawing(size=(width, height), texts=texts, **arrays)


class AbstractViewer(ABC):
    """A way to paint a drawing; found by name in the entry points ``rall.viewers``."""

    @abstractmethod
    def paint(self, drawing: Drawing, filename: Path) -> None:
        """Paint a drawing into a PNG file.

        Parameters
        ----------
        drawing : Drawing
            What is to be seen, in pixels.
        filename : Path
            The file to write.

        Raises
        ------
        NotSupportedError
            If this machine lacks what the viewer needs; the message says what to install.
        """
