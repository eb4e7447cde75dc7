"""Sections from a list to linked objects and back, with the names that a file's sections get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from rall.morphology.attributes import Geometry, set_up
from rall.morphology.build import Piece
from rall.morphology.node import TYPE_NAMES
from rall.morphology.readers import Built

__all__ = ["grown_from", "rebuild", "taken_apart"]

_Kind = TypeVar("_Kind", bound=Geometry)


def _blank(kind: type[_Kind], piece: Piece, name: str) -> _Kind:
    node = object.__new__(kind)
    set_up(node, piece.path, piece.type, name)
    node.__dict__.update(_absolute=True, _attach=piece.attach)
    return node


def grown_from(built: Built, kind: type[_Kind]) -> _Kind:
    """Link sections into a tree of objects.

    Children are named by type, with a number from the second on (``dend``, ``dend2``), and also ``L`` and
    ``R``, or ``1``, ``2``, ``3`` ... where there are more than two, as in Brian 2.

    Parameters
    ----------
    built : Built
        The sections.
    kind : type
        Class of the objects.
    """
    pieces = built.pieces
    nodes = [_blank(kind, piece, TYPE_NAMES.get(piece.type, "root")) for piece in pieces]
    below: list[list[int]] = [[] for _ in pieces]
    for k, piece in enumerate(pieces[1:], 1):
        below[piece.parent].append(k)
    for parent, children in zip(nodes, below):
        _name_children(parent, [nodes[k] for k in children])
    root = nodes[0]
    root.__dict__.update(_merged=built.merged, _findings=built.findings, _file=built.file)
    return root


def _name_children(parent: _Kind, children: Sequence[_Kind]) -> None:
    count: dict[str, int] = {}
    sides = ("L", "R") if len(children) <= 2 else tuple(map(str, range(1, len(children) + 1)))
    for child, side in zip(children, sides):
        kind = TYPE_NAMES.get(child._type or 0, "")
        number = count[kind] = count.get(kind, 0) + 1
        full = f"{kind}{number if number > 1 else ''}"
        child.__dict__.update(_parent=parent, _name=full if kind and child._type != parent._type else side)
        parent._children.append(child)
        if kind:
            parent._names[full] = child
        parent._names[side] = child


_KEPT = ("_path", "_absolute", "_type", "_name", "_attach", "_merged", "_labels", "_findings", "_file")


def taken_apart(section: Geometry) -> tuple[Any, ...]:
    """A tree as a flat list, for `copy` and `pickle` (which would recurse into it).

    Parameters
    ----------
    section : Geometry
        Where the tree begins.
    """
    nodes = list(section.walk())
    index = {id(node): k for k, node in enumerate(nodes)}
    states = [{key: node.__dict__.get(key) for key in _KEPT} for node in nodes]
    links = [[(name, index[id(child)]) for name, child in node._names.items()] for node in nodes]
    children = [[index[id(child)] for child in node._children] for node in nodes]
    return [type(node) for node in nodes], states, links, children


def rebuild(
    kinds: list[type[Geometry]],
    states: list[dict[str, Any]],
    links: list[list[tuple[str, int]]],
    children: list[list[int]],
) -> Geometry:
    """Undo `taken_apart`.

    Parameters
    ----------
    kinds, states, links, children : list
        As it gave them.
    """
    nodes = [object.__new__(kind) for kind in kinds]
    for node, state in zip(nodes, states):
        node.__dict__.update(state, _parent=None, _flat=None)
    for node, named, below in zip(nodes, links, children):
        node.__dict__.update(
            _children=[nodes[k] for k in below], _names={name: nodes[k] for name, k in named}
        )
        for k in below:
            nodes[k].__dict__["_parent"] = node
    return nodes[0]
