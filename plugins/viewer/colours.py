"""Colours: tables from numbers to red, green and blue, and the colours of regions."""

from __future__ import annotations

import numpy as np

from rall.errors import NotSupportedError, RallError
from rall.plugins.viewer.base import FloatArray, RgbArray

__all__ = ["UNKNOWN", "apply_table", "colour_table", "region_colours"]

UNKNOWN = (205, 205, 205)  # light grey: nothing was recorded here

_REGIONS = {
    "soma": (45, 45, 50),
    "axon": (38, 112, 176),
    "basal": (206, 78, 74),
    "apical": (126, 78, 160),
}
_OTHERS = ((45, 140, 98), (214, 138, 38), (92, 92, 160), (150, 110, 70), (30, 150, 160), (190, 90, 140))


def colour_table(name: str | None = None) -> RgbArray:
    """A table of 256 colours.

    Parameters
    ----------
    name : str, optional
        A colour map of Matplotlib, which must then be installed.  None is rall's own map: lightness rises
        evenly (Oklab L from 0.34 to 0.82) while the hue turns from blue to yellow, and ends before the
        colours that vanish on white paper.

    Returns
    -------
    array of uint8, shape (256, 3)
        Red, green and blue.
    """
    if name is not None:
        return _foreign_table(name)
    along = np.linspace(0, 1, 256)
    return _srgb(0.34 + 0.48 * along, np.full(256, 0.19), np.deg2rad(268 + 172 * along))


def _foreign_table(name: str) -> RgbArray:
    try:
        from matplotlib import colormaps
    except ImportError as error:
        raise NotSupportedError(
            f"cmap={name!r} is a colour map of Matplotlib, which is not installed: pip install 'rall[view]', "
            "or leave cmap out"
        ) from error
    if name not in colormaps:
        raise RallError(f"cmap={name!r} is not known to Matplotlib; 'viridis', 'inferno' and 'plasma' are")
    return np.round(255 * colormaps[name](np.linspace(0, 1, 256))[:, :3]).astype(np.uint8)


def _srgb(lightness: FloatArray, chroma: FloatArray, hue: FloatArray) -> RgbArray:
    """Oklab (Ottosson 2020) in polar form to sRGB; the chroma is lowered where the screen cannot show it."""
    low, high = np.zeros_like(chroma), chroma
    for _ in range(20):  # bisection for the largest chroma inside the gamut
        middle = (low + high) / 2
        linear = _linear_rgb(lightness, middle, hue)
        inside = ((linear >= 0) & (linear <= 1)).all(axis=1)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    window = np.hanning(67) / np.hanning(67).sum()  # the gamut has corners; a colour map has none
    smooth = np.convolve(np.pad(low, 33, mode="edge"), window, mode="valid")
    linear = np.clip(_linear_rgb(lightness, np.minimum(smooth, low + 0.01), hue), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def _linear_rgb(lightness: FloatArray, chroma: FloatArray, hue: FloatArray) -> FloatArray:
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
    to_cones = np.array([[1, 0.3963378, 0.2158038], [1, -0.1055613, -0.0638542], [1, -0.0894842, -1.2914855]])
    to_rgb = np.array(
        [
            [4.0767417, -3.3077116, 0.2309699],
            [-1.2684380, 2.6097574, -0.3413194],
            [-0.0041961, -0.7034186, 1.7076147],
        ]
    )
    return np.asarray((to_rgb @ (to_cones @ lab) ** 3).T)


def apply_table(values: FloatArray, table: RgbArray, limits: tuple[float, float]) -> RgbArray:
    """Colour of each value.

    Parameters
    ----------
    values : array of float, shape (n,)
        Numbers; nan is drawn in light grey, numbers beyond the limits in the colour of the nearer end.
    table : array of uint8, shape (m, 3)
        Colours from the lower to the upper limit.
    limits : (float, float)
        Values of the first and the last colour.

    Returns
    -------
    array of uint8, shape (n, 3)
        Red, green and blue.
    """
    low, high = limits
    known = np.isfinite(values)
    share = (np.where(known, values, low) - low) / (high - low if high > low else 1.0)
    index = np.clip(np.round(share * (len(table) - 1)), 0, len(table) - 1).astype(np.int64)
    return np.where(known[:, None], table[index], np.array(UNKNOWN, np.uint8)).astype(np.uint8)


def region_colours(names: tuple[str, ...]) -> RgbArray:
    """One colour for each region.

    Parameters
    ----------
    names : tuple of str
        Names of regions.

    Returns
    -------
    array of uint8, shape (len(names), 3)
        Red, green and blue; soma, axon, basal and apical have the same colour in every picture.
    """
    others = [name for name in names if name not in _REGIONS]
    chosen = {name: _OTHERS[k % len(_OTHERS)] for k, name in enumerate(others)} | _REGIONS
    return np.array([chosen[name] for name in names], np.uint8).reshape(-1, 3)
