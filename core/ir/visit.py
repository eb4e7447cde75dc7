"""Walks over trees, without recursion, so that no expression is too deep for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from rall.ir.nodes import Call, Name, Node

__all__ = ["count", "functions", "is_noise", "map_bottom_up", "names", "substitute", "walk"]

_EMPTY: frozenset[str] = frozenset()


def is_noise(name: str) -> bool:
    """Whether a name stands for white noise: ``xi`` or ``xi_...``."""
    return name == "xi" or name.startswith("xi_")


def walk(node: Node | Iterable[Node]) -> Iterator[Node]:
    """Every different node once, operands before what is made of them.

    Parameters
    ----------
    node : Node or iterable of Node
        The tree or trees; what they share is given once.

    Yields
    ------
    Node
        Post-order, operands from left to right.
    """
    roots = (node,) if isinstance(node, Node) else tuple(node)
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        current, ready = stack.pop()
        if ready:
            yield current
            continue
        if current in seen:
            continue
        seen.add(current)
        if not current.children:
            yield current
            continue
        stack.append((current, True))
        stack.extend((child, False) for child in reversed(current.children) if child not in seen)


def names(node: Node) -> frozenset[str]:
    """The names in a tree (functions that are called are not among them); kept for each node.

    Parameters
    ----------
    node : Node
        The tree.

    Returns
    -------
    frozenset of str
        Identifiers of all `Name` nodes.
    """
    waiting = [node]
    while waiting:
        part = waiting[-1]
        unknown = [child for child in part.children if child.found_names is None]
        if unknown and part.found_names is None:
            waiting.extend(unknown)
            continue
        waiting.pop()
        if part.found_names is None:
            part.found_names = frozenset((part.id,)) if isinstance(part, Name) else _together(part)
    assert node.found_names is not None
    return node.found_names


def _together(node: Node) -> frozenset[str]:
    """The names of all operands; often those of one."""
    found = [child.found_names for child in node.children if child.found_names]
    if len(found) < 2:
        return found[0] if found else _EMPTY
    return found[0].union(*found[1:])


def functions(node: Node) -> frozenset[str]:
    """The names of the functions that are called in a tree.

    Parameters
    ----------
    node : Node
        The tree.

    Returns
    -------
    frozenset of str
        Their names.
    """
    return frozenset(part.op for part in walk(node) if isinstance(part, Call))


def map_bottom_up(node: Node, change: Callable[[Node], Node], memo: dict[Node, Node] | None = None) -> Node:
    """A tree in which every node is replaced by ``change(node with changed operands)``.

    Parameters
    ----------
    node : Node
        The tree.
    change : callable
        Node to node.
    memo : dict, optional
        What is known from earlier calls with the same `change`; filled.

    Returns
    -------
    Node
        The changed tree.
    """
    done: dict[Node, Node] = {} if memo is None else memo
    stack = [node]
    while stack:
        current = stack[-1]
        if current in done:
            stack.pop()
            continue
        missing = [child for child in current.children if child not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        children = tuple(done[child] for child in current.children)
        done[current] = change(current.rebuild(children) if children else current)
    return done[node]


def substitute(node: Node, mapping: Mapping[Node, Node] | Mapping[str, Node]) -> Node:
    """A tree in which nodes, or the names of variables, are replaced.

    Parameters
    ----------
    node : Node
        The tree.
    mapping : mapping of Node or str to Node
        What replaces what; the replacements themselves are not looked at again.

    Returns
    -------
    Node
        The new tree; the same object if nothing was found.
    """
    present = names(node)
    table: dict[Node, Node] = {
        Name(key) if isinstance(key, str) else key: value
        for key, value in mapping.items()
        if not isinstance(key, str) or key in present
    }
    if not table or (
        present.isdisjoint(key.id for key in table if isinstance(key, Name))
        and all(isinstance(key, Name) for key in table)
    ):
        return node
    return map_bottom_up(node, lambda part: part, dict(table))


def count(node: Node | Iterable[Node], kind: type[Node] = Node) -> int:
    """How many different nodes of a kind a tree (or several) has.

    Parameters
    ----------
    node : Node or iterable of Node
        The tree or trees.
    kind : type
        A class of nodes.

    Returns
    -------
    int
        Each shared node counted once.
    """
    return sum(isinstance(part, kind) for part in walk(node))
