"""Regions by name, and the variables that conditions are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import MorphologyError
from rall.morphology.node import Node, type_name
from rall.morphology.tree import Tree

__all__ = ["ALIASES", "add_label", "region_arrays", "section_names", "selected", "variables"]

ALIASES = {"dend": ("basal", "dend"), "apic": ("apical", "apic")}
"""Both names of a region, by the one that sections have."""

_NAMED = {1, 2, 3, 4}


def section_names(tree: Tree) -> list[tuple[str, ...]]:
    """Names of the regions that each section belongs to.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    """
    return [ALIASES.get(type_name(t), (type_name(t),)) for t in tree.sections.type.tolist()]


def region_arrays(tree: Tree, labels: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
    """Which compartments belong to which region.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    labels : mapping
        Labels and their conditions; those that are text are left out, unless the text is a region's name.

    Returns
    -------
    dict of str to array of bool, shape (n,)
        The four regions with names are always there, other types where they occur.
    """
    codes = tree.type
    arrays: dict[str, NDArray[np.bool_]] = {}
    for code in sorted(_NAMED | set(tree.sections.type.tolist())):
        for name in ALIASES.get(type_name(code), (type_name(code),)):
            arrays[name] = codes == code
    for name, condition in labels.items():
        if callable(condition) or not isinstance(condition, str):
            arrays[name] = _truth(condition(tree) if callable(condition) else condition, tree, name)
        elif condition in arrays:
            arrays[name] = arrays[condition]
    return arrays


def _truth(values: Any, tree: Tree, name: str) -> NDArray[np.bool_]:
    array = np.asarray(values)
    if array.shape != (tree.n,) or array.dtype != bool:
        raise MorphologyError(
            f"region {name!r} must be {tree.n} truth values, one for each compartment, not {array.dtype} of "
            f"shape {array.shape}",
            "BadRegion",
        )
    return array


def add_label(root: Node, name: str, condition: Any) -> None:
    """Note a label on the root of a morphology.

    Parameters
    ----------
    root : Node
        First section.
    name : str
        An identifier that no variable and no region with a fixed name has.
    condition : str, callable or array of bool
        What it stands for.
    """
    taken = {*region_arrays(root.flatten(), {}), *variables(root.flatten()), "all", "v", "t", "dt", "i"}
    if not re.fullmatch(r"[A-Za-z]\w*", name) or name in taken:
        raise MorphologyError(
            f"{name!r} cannot be a label: use a word that means nothing else yet", "BadName"
        )
    if not isinstance(condition, str) and not callable(condition):
        _truth(condition, root.flatten(), name)
    root.__dict__["_labels"] = {**root.__dict__["_labels"], name: condition}


def variables(tree: Tree) -> dict[str, tuple[Any, str]]:
    """Variables of compartments that conditions may use.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.

    Returns
    -------
    dict of str to (array, str)
        Values in SI base units and the unit as text.
    """
    metre, square, cube = 1e-6, 1e-12, 1e-18
    given = {
        "length": (tree.length * metre, "metre"),
        "diameter": (tree.diameter * metre, "metre"),
        "area": (tree.area * square, "metre**2"),
        "volume": (tree.volume * cube, "metre**3"),
        "distance": (tree.distance * metre, "metre"),
        "branch_order": (tree.branch_order, "1"),
    }
    if not np.isnan(tree.xyz).any():
        given.update({k: (v * metre, "metre") for k, v in zip("xyz", (tree.x, tree.y, tree.z))})
    return given


def selected(tree: Tree, labels: Mapping[str, Any], region: Any) -> NDArray[np.bool_]:
    """Compartments of a region given by name or by a function.

    Parameters
    ----------
    tree : Tree
        The flattened morphology.
    labels : mapping
        Labels and their conditions.
    region : str or callable
        A name, or a function of the tree.
    """
    if callable(region):
        return _truth(region(tree), tree, getattr(region, "__name__", "region"))
    arrays = region_arrays(tree, labels)
    if region == "all":
        return np.ones(tree.n, bool)
    if region not in arrays:
        raise MorphologyError(
            f"there is no region {region!r}; there are all, {', '.join(arrays)} (a condition can be given "
            "as a function of the flattened tree)",
            "UnknownRegion",
        )
    return arrays[region]
