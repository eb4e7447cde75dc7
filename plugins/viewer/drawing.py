"""From a scene to a drawing: the eye's place, widths in pixels, colours, colour bar, scale bar and time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rall.plugins.viewer.base import Drawing, FloatArray, RgbArray, Scene, Text
from rall.plugins.viewer.camera import bounds, look_at
from rall.plugins.viewer.colours import apply_table, colour_table, region_colours

__all__ = ["Style", "arrange", "colour_limits", "fitting_size", "round_ticks"]

_THINNEST = 0.75  # pixels of radius: thinner branches are drawn this thin, else they vanish
_INK = (40, 40, 40)
_TALLEST, _AREA = 1600, 1600 * 1200  # pixels, of a picture that is shaped to its tree


@dataclass(frozen=True)
class Style:
    """How a scene is drawn.

    Parameters
    ----------
    scale : float
        Factor on the diameters of branches (not of a spherical soma).
    table : array of uint8, shape (m, 3)
        Colours from the lower to the upper limit.
    limits : (float, float), optional
        Ends of the colour bar; None takes those of the scene or of its values.
    """

    scale: float
    table: RgbArray
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class _Page:
    """The empty page: its size, the font size and the width of the legend, all in pixels."""

    width: int
    height: int
    font: float
    legend: float

    @property
    def left(self) -> float:
        """Where the legend begins."""
        return self.width - self.legend


@dataclass
class _Legend:
    """Boxes and texts being collected."""

    boxes: list[tuple[float, float, float, float]]
    colours: list[tuple[int, int, int]]
    texts: list[Text]

    def box(self, corners: tuple[float, float, float, float], colour: tuple[int, int, int] = _INK) -> None:
        self.boxes.append(corners)
        self.colours.append(colour)


def arrange(
    scene: Scene, time: float | None = None, size: tuple[int, int] = (1600, 1200), style: Style | None = None
) -> Drawing:
    """Lay a scene out on a page.

    Parameters
    ----------
    scene : Scene
        The tree and its values.
    time : float, optional
        Moment in ms; None is the last one.
    size : (int, int)
        Width and height of the page in pixels.
    style : Style, optional
        Colours and exaggeration; None is true diameters in rall's colours.

    Returns
    -------
    Drawing
        The same in pixels, parallel projection.
    """
    style = style or Style(1.0, colour_table())
    scene = replace(scene, diameters=scene.diameters * style.scale)
    page = _page(scene, size)
    rotation = look_at(scene)
    low, high = bounds(scene, rotation)
    margin = 0.035 * min(size)
    room = np.array([page.left - 2 * margin, page.height - 2 * margin])
    um_per_pixel = float(max(((high - low)[:2] / room).max(), 1e-9))
    middle = np.array([margin + room[0] / 2, page.height / 2, 0.0])

    def place(points: FloatArray) -> FloatArray:
        return np.asarray((points @ rotation.T - (low + high) / 2) / um_per_pixel + middle)

    row = scene.frame(time)
    values = scene.values if row is None else scene.values[row]
    legend = _Legend([], [], [])
    if scene.names:
        palette = region_colours(scene.names)
        colours = palette[values.astype(np.int64)]
        _draw_names(legend, page, scene.names, palette)
    else:
        limits = style.limits or scene.limits or colour_limits(scene.values, scene.unit)
        colours = apply_table(values, style.table, limits)
        _draw_bar(legend, page, style.table, limits)
        legend.texts.append(_title(page, scene))
    if scene.times is not None and row is not None:
        text = f"t = {scene.times[row]:.1f} ms"
        legend.texts.append(Text(page.left, page.height - 1.6 * page.font, text, page.font))
    _draw_scale(legend, page, um_per_pixel)
    return Drawing(
        size=(page.width, page.height),
        points=place(scene.points),
        radii=np.maximum(scene.diameters / 2 / um_per_pixel, _THINNEST),
        offsets=scene.offsets,
        colours=colours[scene.owner],
        centres=place(scene.centres),
        sphere_radii=np.maximum(scene.radii / um_per_pixel, _THINNEST),
        sphere_colours=colours[scene.sphere_owner],
        boxes=np.array(legend.boxes).reshape(-1, 4),
        box_colours=np.array(legend.colours, np.uint8).reshape(-1, 3),
        texts=tuple(legend.texts),
    )


def fitting_size(scene: Scene) -> tuple[int, int]:
    """Size of a page that the tree fills.

    Parameters
    ----------
    scene : Scene
        The tree.

    Returns
    -------
    (int, int)
        Width and height in pixels, with room for the legend.
    """
    low, high = bounds(scene, look_at(scene))
    wide, tall = (high - low)[:2].tolist()
    aspect = min(max(wide / max(tall, 1e-9), 0.4), 2.2)
    height = min(_TALLEST, round((_AREA / aspect) ** 0.5))
    return round(height * aspect + _page(scene, (height, height)).legend), height


def _page(scene: Scene, size: tuple[int, int]) -> _Page:
    width, height = size
    font = max(9.0, min(float(np.sqrt(width * height)) / 52, height / 30))
    letters = max((len(name) for name in scene.names), default=0)
    return _Page(width, height, font, font * max(7.0, 3.0 + 0.6 * letters))


def _title(page: _Page, scene: Scene) -> Text:
    unit = f" ({scene.unit})" if scene.unit else ""
    return Text(page.left, page.height * 0.75 + 1.5 * page.font, f"{scene.label}{unit}", page.font)


def colour_limits(values: FloatArray, unit: str) -> tuple[float, float]:
    """Ends of the colour bar that stay put for a whole recording.

    Parameters
    ----------
    values : array of float
        All values; nan is left out.
    unit : str
        Their unit: a voltage in ``'mV'`` gets -80 to 40, wider (by steps of 20) where the values are.

    Returns
    -------
    (float, float)
        The lower and the upper end, round numbers.
    """
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if unit == "mV" and low > -200 and high < 200:  # the range in which neurons live
        return min(-80.0, 20 * np.floor(low / 20)), max(40.0, 20 * np.ceil(high / 20))
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        high, low = high + 0.5 * (abs(high) or 1), low - 0.5 * (abs(low) or 1)
    step = _round_step((high - low) / 5)
    return step * float(np.floor(low / step)), step * float(np.ceil(high / step))


def _round_step(wanted: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not larger than `wanted`."""
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(f for f in (1, 2, 5) if f * power <= wanted * (1 + 1e-9)) * power)


def round_ticks(limits: tuple[float, float]) -> FloatArray:
    """Round numbers between two limits.

    Parameters
    ----------
    limits : (float, float)
        Lower and upper end.

    Returns
    -------
    array of float
        4 to 11 multiples of 1, 2 or 5 times a power of ten.
    """
    low, high = limits
    step = _round_step(max((high - low) / 5, 1e-300))
    first, last = np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6)
    return np.asarray(np.arange(first, last + 1) * step)


def _draw_bar(legend: _Legend, page: _Page, table: RgbArray, limits: tuple[float, float]) -> None:
    low, high = limits
    bottom, top = page.height * 0.28, page.height * 0.75
    right = page.left + page.font
    edges = np.linspace(bottom, top, len(table) + 1)
    for k, colour in enumerate(table.tolist()):
        legend.box((page.left, edges[k], right, edges[k + 1]), tuple(colour))
    ticks = round_ticks(limits)
    digits = max(0, -int(np.floor(np.log10(np.diff(ticks).min())))) if len(ticks) > 1 else 1
    for tick in ticks:
        y = bottom + (top - bottom) * (tick - low) / ((high - low) or 1)
        legend.box((right, y - 0.03 * page.font, right + 0.35 * page.font, y + 0.03 * page.font))
        label = f"{tick + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        legend.texts.append(Text(right + 0.6 * page.font, y, label, 0.85 * page.font))


def _draw_names(legend: _Legend, page: _Page, names: tuple[str, ...], palette: RgbArray) -> None:
    for k, (name, colour) in enumerate(zip(names, palette.tolist(), strict=True)):
        y = page.height * 0.75 - 1.7 * k * page.font
        legend.box((page.left, y - page.font / 2, page.left + page.font, y + page.font / 2), tuple(colour))
        legend.texts.append(Text(page.left + 1.5 * page.font, y, name, page.font))


def _draw_scale(legend: _Legend, page: _Page, um_per_pixel: float) -> None:
    length = _round_step(5.5 * page.font * um_per_pixel)
    y, thick = 1.6 * page.font, max(2.0, 0.14 * page.font)
    legend.box((page.left, y, page.left + length / um_per_pixel, y + thick))
    legend.texts.append(Text(page.left, y + 1.0 * page.font, f"{length:g} \N{MICRO SIGN}m", page.font))
