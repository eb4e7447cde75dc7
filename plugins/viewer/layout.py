"""Coordinates of all sections; those that nobody gave coordinates are laid out as a fan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rall.morphology.tree import Tree
from rall.plugins.viewer.base import FloatArray

__all__ = ["section_points"]

_UP = np.pi / 2
_NARROWEST = 2 * np.pi / 3  # of the fan that leaves the end of a first section


def section_points(tree: Tree) -> tuple[list[FloatArray], bool]:
    """Coordinates of the points of each section.

    A section without coordinates is drawn straight and to length in the x-y plane, starting where it hangs on
    its parent; each subtree gets a share of the angle that is proportional to its tips.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.

    Returns
    -------
    (list of array of float, shape (m, 3); bool)
        In um; and whether any had to be made up.
    """
    given = [path.xyz is not None and bool(np.isfinite(path.xyz).all()) for path in tree.paths]
    if all(given):
        return [np.asarray(path.xyz, dtype=np.float64) for path in tree.paths], False
    angles = _angles(tree)
    placed: list[FloatArray] = []
    for k, path in enumerate(tree.paths):
        if given[k]:
            placed.append(np.asarray(path.xyz, dtype=np.float64))
            continue
        direction = np.array([np.cos(angles[k]), np.sin(angles[k]), 0.0])
        along = np.zeros_like(path.arc) if path.sphere else path.arc
        placed.append(_start(tree, k, placed, direction) + along[:, None] * direction)
    return placed, True


def _start(tree: Tree, k: int, placed: Sequence[FloatArray], direction: FloatArray) -> FloatArray:
    parent = int(tree.sections.parent[k])
    if parent < 0:
        return np.zeros(3)
    if tree.sections.sphere[parent]:
        return np.asarray(placed[parent][0] + direction * tree.paths[parent].diameter[0] / 2)
    return np.asarray(placed[parent][-1 if tree.sections.attach[k] > 0.5 else 0])


def _angles(tree: Tree) -> FloatArray:
    """Direction of each section (radians): the middle of its share of its parent's angle."""
    parent = tree.sections.parent.tolist()
    tips = np.zeros(len(parent))
    for k in range(len(parent) - 1, -1, -1):
        tips[k] = max(tips[k], 1.0)
        if parent[k] >= 0:
            tips[parent[k]] += tips[k]
    angles, widths = np.full(len(parent), _UP), np.zeros(len(parent))
    widths[0] = 2 * np.pi if tree.sections.sphere[0] else _NARROWEST
    used = np.zeros(len(parent))
    for k, up in enumerate(parent):
        if up >= 0:
            widths[k] = widths[up] * tips[k] / tips[up]
            angles[k] = angles[up] - widths[up] / 2 + used[up] + widths[k] / 2
            used[up] += widths[k]
    return angles
