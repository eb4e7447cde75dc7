"""Where the eye is: which way up a tree is seen, and how much of it one pixel shows."""

from __future__ import annotations

import numpy as np

from rall.plugins.viewer.base import FloatArray, Scene

__all__ = ["bounds", "look_at"]


def look_at(scene: Scene) -> FloatArray:
    """Rotation that faces the plane of the tree's two largest principal axes, apical side up.

    A tree that was traced in the x-y plane, as most are, keeps its x and y axes, so that pictures look
    like those in the atlas that it came from.

    Parameters
    ----------
    scene : Scene
        The tree.

    Returns
    -------
    array of float, shape (3, 3)
        Rows: the directions to the right, up, and towards the eye (orthonormal, right-handed).
    """
    points, weights = _masses(scene)
    centred = points - weights @ points / weights.sum()
    spread, axes = np.linalg.eigh(centred.T @ (centred * weights[:, None]))
    normal = axes[:, 0]
    if abs(normal[2]) > 0.7 or spread[0] > 0.5 * spread[1]:  # nearly the x-y plane, or no plane at all
        normal = np.array([0.0, 0.0, 1.0])
    normal = normal if normal[2] >= 0 else -normal
    up = _in_plane(np.array([0.0, 1.0, 0.0]), normal)
    if np.linalg.norm(up) < 0.3:  # the plane is seen along y: let the longest axis stand
        up = _in_plane(axes[:, 2], normal)
    up = up / np.linalg.norm(up)
    if scene.upward is not None:
        wanted = _in_plane(scene.upward, normal)
        length = np.linalg.norm(wanted)
        if length > 0.3 * np.linalg.norm(scene.upward) and wanted @ up < np.cos(np.deg2rad(40)) * length:
            up = wanted / length
    return np.stack([np.cross(up, normal), up, normal])


def _masses(scene: Scene) -> tuple[FloatArray, FloatArray]:
    """Points and the lengths (um) that they stand for."""
    points = np.concatenate([scene.points, scene.centres])
    weights = np.zeros(len(points))
    steps = np.linalg.norm(np.diff(scene.points, axis=0), axis=1)
    steps[scene.offsets[1:-1] - 1] = 0  # no link from one polyline to the next
    weights[: len(steps)] += steps / 2
    weights[1 : len(steps) + 1] += steps / 2
    weights[len(scene.points) :] = scene.radii
    return points, np.maximum(weights, 1e-9)


def _in_plane(direction: FloatArray, normal: FloatArray) -> FloatArray:
    return np.asarray(direction - (direction @ normal) * normal)


def bounds(scene: Scene, rotation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lower and upper corner of the tree as seen, diameters included.

    Parameters
    ----------
    scene : Scene
        The tree.
    rotation : array of float, shape (3, 3)
        What `look_at` gave.

    Returns
    -------
    pair of arrays of float, shape (3,)
        Corners in rotated um.
    """
    centres = np.concatenate([scene.points, scene.centres]) @ rotation.T
    reach = np.concatenate([scene.diameters / 2, scene.radii])[:, None]
    return (centres - reach).min(axis=0), (centres + reach).max(axis=0)
