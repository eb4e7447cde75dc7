"""Sections hanging on sections under names: the part of a morphology that is a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rall.errors import MorphologyError
from rall.morphology.build import AT_END, AT_MIDDLE, Piece
from rall.morphology.geometry import Path
from rall.morphology.tree import Tree, flatten

__all__ = [
    "TYPE_CODES",
    "TYPE_NAMES",
    "NoSuchSection",
    "Node",
    "changed",
    "copied",
    "cut_off",
    "hang",
    "release",
    "type_name",
]

TYPE_NAMES = {1: "soma", 2: "axon", 3: "dend", 4: "apic"}
#: SWC types by the names that users write.
TYPE_CODES = {"soma": 1, "axon": 2, "dend": 3, "basal": 3, "apic": 4, "apical": 4}
_ALIASES = {"basal": "dend", "apical": "apic"}
_STEPS = re.compile(r"[LR0-9]+")
_NAME = re.compile(r"([A-Za-z]\w*?)(\d*)")


class NoSuchSection(MorphologyError, AttributeError, KeyError):
    """A section was asked for by a name that is not there."""

    __str__ = Exception.__str__  # KeyError's would put the message into quotes


def type_name(code: int) -> str:
    """Name of an SWC type: ``'soma'``, ``'axon'``, ``'dend'``, ``'apic'``, ``'type_5'``.

    Parameters
    ----------
    code : int
        The number in the file.
    """
    return TYPE_NAMES.get(code, f"type_{code}")


class Node:
    """One section and its links.

    Children are reached by attribute and by item (``m.axon``, ``m['axon']``), and several steps at once where
    names are ``L``, ``R`` or digits (``m.LRL``).
    """

    _path: Path
    _absolute: bool
    _type: int | None
    _name: str
    _attach: float
    _parent: Node | None
    _children: list[Node]
    _names: dict[str, Node]
    _flat: tuple[Tree, dict[int, int], list[Node]] | None
    _merged: dict[int, int]

    # ------------------------------------------------------------ links

    @property
    def parent(self) -> Any:
        """Section that this one hangs on, None for the root."""
        return self._parent

    @property
    def children(self) -> tuple[Any, ...]:
        """Sections that hang on this one, in order."""
        return tuple(self._children)

    @property
    def root(self) -> Any:
        """First section of the whole tree."""
        node = self
        while node._parent is not None:
            node = node._parent
        return node

    @property
    def name(self) -> str:
        """Name under which this section hangs on its parent."""
        return self._name

    @property
    def type(self) -> str | None:
        """``'soma'``, ``'axon'``, ``'dend'``, ``'apic'``, ``'type_5'`` ...; None where nobody said."""
        return None if self._type is None else type_name(self._type)

    @property
    def n(self) -> int:
        """Number of compartments of this section alone."""
        return self._path.n

    @property
    def total_sections(self) -> int:
        """Number of sections from here on."""
        return sum(1 for _ in self.walk())

    @property
    def total_compartments(self) -> int:
        """Number of compartments from here on."""
        return sum(node._path.n for node in self.walk())

    def walk(self) -> Iterator[Any]:
        """All sections from here on, depth-first."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node._children))

    # ------------------------------------------------------------ names

    def _get(self, name: str) -> Node:
        found = self._names.get(name) or _find(self, name)
        if found is None:
            known = ", ".join(dict.fromkeys(self._names)) or "none"
            raise NoSuchSection(
                f"no section {name!r} hangs on {self._name!r}; there are: {known}", "NoSuchSection"
            )
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            hang(self, name, value)

    def __delattr__(self, name: str) -> None:
        cut_off(self._get(name))

    def __setitem__(self, name: str, value: Any) -> None:
        hang(self, name, value)

    def __delitem__(self, name: str) -> None:
        cut_off(self._get(name))

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *(name for name in self._names if name.isidentifier())]

    # ------------------------------------------------------------ flattened

    def flatten(self) -> Tree:
        """All compartments of this section and of what hangs on it, as arrays.

        Returns
        -------
        Tree
            Never changed afterwards; kept until the morphology changes.
        """
        return self._flattened()[0]

    def _flattened(self) -> tuple[Tree, dict[int, int], list[Node]]:
        if self._flat is None:
            nodes = list(self.walk())
            index = {id(node): k for k, node in enumerate(nodes)}
            pieces: list[Piece] = []
            for node in nodes:
                up = -1 if node is self or node._parent is None else index[id(node._parent)]
                above = pieces[up] if up >= 0 else None
                pieces.append(Piece(_placed(node, above), up, node._attach, _effective_type(node, above)))
            tree = flatten(pieces, [node._name for node in nodes], self._merged)
            object.__setattr__(self, "_flat", (tree, index, nodes))
        assert self._flat is not None
        return self._flat

    def _position(self) -> tuple[Tree, int]:
        """The whole tree, and the number of this section in it."""
        tree, index, _ = self.root._flattened()
        return tree, index[id(self)]


def _find(section: Node, name: str) -> Node | None:
    """By another name of its region, or in several steps."""
    match = _NAME.fullmatch(name)
    if match and match[1] in _ALIASES:
        return section._names.get(_ALIASES[match[1]] + match[2])
    if not _STEPS.fullmatch(name) or len(name) == 1:
        return None
    node: Node = section
    for step in name:
        if step not in node._names:
            return None
        node = node._names[step]
    return node


def hang(section: Node, name: str, value: Any, attach: float = AT_END) -> None:
    """Hang a section on another; one that hangs elsewhere already is copied.

    Parameters
    ----------
    section : Node
        The parent.
    name : str
        The new child's name; several steps at once are possible (``'LRL'``).
    value : Node
        The child.
    attach : float
        Where: 1 at the end, 0 at the start.
    """
    if len(name) > 1 and _STEPS.fullmatch(name):
        return hang(section._get(name[:-1]), name[-1], value, attach)
    if hasattr(type(section), name):
        raise NoSuchSection(f"{name!r} is an attribute of every section and cannot be set", "BadName")
    if not re.fullmatch(r"\w+", name):
        raise NoSuchSection(f"{name!r} is no name for a section; use letters, digits and _", "BadName")
    if not isinstance(value, Node):
        raise MorphologyError(f"{name} must be a Section, Cylinder or Soma, not {value!r}", "NotASection")
    if name in section._names:
        raise MorphologyError(f"there is a section {name!r} already; del it first", "NameTaken")
    if value._parent is not None or value is section.root:
        value = copied(value)
    if section._path.sphere:
        if value._path.sphere:
            message = f"{name} is a sphere on a sphere: there is no resistance between them"
            raise MorphologyError(message, "TwoSpheres")
        attach = AT_MIDDLE
    release(value)
    value.__dict__.update(_parent=section, _name=name, _attach=attach)
    section._children.append(value)
    section._names[name] = value
    changed(section)
    return None


def cut_off(section: Node) -> None:
    """Take a section and what hangs on it off its parent.

    Parameters
    ----------
    section : Node
        Not the root.
    """
    parent = section._parent
    if parent is None:
        raise MorphologyError("the root cannot be removed", "RemoveRoot")
    release(section)
    parent._children.remove(section)
    for name in [name for name, child in parent._names.items() if child is section]:
        del parent._names[name]
    changed(parent)
    section.__dict__.update(_parent=None, _attach=AT_END)


def release(section: Node) -> None:
    """Make coordinates relative to the parent's end, as those of sections made by hand."""
    if not section._absolute:
        return
    for node in section.walk():
        up = node._parent
        xyz = node._path.xyz
        if xyz is not None and node._absolute:
            origin = xyz[0] if node is section or up is None else _hook(up, node._attach)
            node.__dict__.update(_relative=xyz - origin)
    for node in section.walk():
        moved = node.__dict__.pop("_relative", None)
        if moved is not None:
            p = node._path
            node.__dict__.update(_path=replace(p, xyz=moved), _absolute=False)
    changed(section)


def copied(section: Node) -> Node:
    """A section and all that hangs on it, as a tree of its own.

    Parameters
    ----------
    section : Node
        It stays what it is.
    """
    copies: dict[int, Node] = {}
    for node in section.walk():
        fresh = object.__new__(type(node))
        up = copies.get(id(node._parent)) if node is not section else None
        fresh.__dict__.update(node.__dict__)
        fresh.__dict__.update(_children=[], _names={}, _parent=up, _flat=None)
        copies[id(node)] = fresh
        if up is not None:
            up._children.append(fresh)
            up._names.update({k: fresh for k, child in node._parent._names.items() if child is node})
    return copies[id(section)]


def changed(section: Node) -> None:
    """Forget what was computed from the tree."""
    node: Node | None = section
    while node is not None:
        object.__setattr__(node, "_flat", None)
        node = node._parent


def _hook(node: Node, attach: float) -> Any:
    """Coordinates of the point that something hangs on."""
    xyz = node._path.xyz
    return 0.0 if xyz is None else xyz[0 if attach != AT_END else -1]


def _placed(node: Node, above: Piece | None) -> Path:
    """The path with coordinates from the origin of the whole tree."""
    path = node._path
    if path.xyz is None or node._absolute or above is None or above.path.xyz is None:
        return path
    origin = above.path.xyz[0 if node._attach != AT_END else -1]
    return replace(path, xyz=path.xyz + origin)


def _effective_type(node: Node, above: Piece | None) -> int:
    """The section's own type, else what its name says, else its parent's unless that is the soma."""
    if node._type is not None:
        return node._type
    match = _NAME.fullmatch(node._name)
    if match and match[1] in TYPE_CODES:
        return TYPE_CODES[match[1]]
    return above.type if above is not None and above.type != 1 else 0
