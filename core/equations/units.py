"""Units behind the colon of a line, and constant exponents."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rall.ir.nodes import Binary, Name, Node, Number
from rall.ir.parse import Parsed, Source, parse
from rall.ir.visit import walk
from rall.registry import closest
from rall.units.dimension import DIMENSIONLESS, Dimension
from rall.units.table import lookup

__all__ = ["constant_value", "parse_unit"]


def parse_unit(text: str, where: Source | None = None) -> tuple[Dimension, str]:
    """Dimension and type from the unit of a line.

    Parameters
    ----------
    text : str
        ``1``, ``integer``, ``boolean``, or products and powers of base units.
    where : Source, optional
        Where it stands.

    Returns
    -------
    tuple of (Dimension, str)
        The type is ``'float'``, ``'integer'`` or ``'boolean'``.

    Raises
    ------
    EquationError
        If it is no unit, or one with a prefix.
    """
    where = where or Source(text)
    word = text.strip()
    if word in ("1", "integer", "boolean"):
        return DIMENSIONLESS, "float" if word == "1" else word
    known = _SIMPLE.get(word)
    if known is not None:
        return known, "float"
    if not word:
        raise where.error("the unit is missing after ':'; write 1 for a plain number")
    parsed = parse(text, where)
    done: dict[Node, Dimension] = {}
    exponents: set[Node] = set()
    for node in walk(parsed.node):
        if isinstance(node, Binary) and node.op == "**":
            exponents.update(walk(node.children[1]))
    for node in walk(parsed.node):
        done[node] = _unit_of(node, done, parsed, node in exponents)
    return done[parsed.node], "float"


_SIMPLE: dict[str, Dimension] = {}
for _word in (
    "volt",
    "amp",
    "siemens",
    "second",
    "meter",
    "metre",
    "farad",
    "ohm",
    "hertz",
    "mM",
    "Hz",
    "kelvin",
):
    _unit = lookup(_word)
    assert _unit is not None
    _SIMPLE[_word] = _unit.dim


def _unit_of(node: Node, done: Mapping[Node, Dimension], parsed: Parsed, exponent: bool) -> Dimension:
    if exponent and isinstance(node, (Name, Number, Binary)):
        return DIMENSIONLESS  # its value is asked for by the power
    if isinstance(node, Name):
        return _base_unit(node.id, node, parsed)
    if isinstance(node, Number):
        if node.value == 1:
            return DIMENSIONLESS
        raise parsed.error("a unit is made of names of units alone, without a number in front", node)
    if isinstance(node, Binary) and node.op in ("*", "/"):
        left, right = (done[child] for child in node.children)
        return left * right if node.op == "*" else left / right
    if isinstance(node, Binary) and node.op == "**":
        power = constant_value(node.children[1])
        if power is None or not abs(power) < 100:
            raise parsed.error("the exponent of a unit is a number, such as 2 or -0.5", node)
        return done[node.children[0]] ** power
    raise parsed.error("a unit is a product of powers of units, such as siemens/meter**2", node)


def _base_unit(name: str, node: Node, parsed: Parsed) -> Dimension:
    unit = lookup(name)
    if unit is None:
        if name in ("integer", "boolean", "bool", "int", "float"):
            word = {"bool": "boolean", "int": "integer", "float": "1"}.get(name, name)
            raise parsed.error(
                f"'{name}' cannot be part of a unit; the unit of such a variable is '{word}'", node
            )
        known = ("volt", "amp", "siemens", "second", "meter", "farad", "ohm", "hertz", "coulomb", "mole",
                 "kelvin", "kilogram", "mM", "joule", "newton", "watt", "integer", "boolean")  # fmt: skip
        raise parsed.error(f"there is no unit '{name}'{closest(name, known)}", node)
    if unit.value != 1.0 and unit.name != "molar":
        base = "1" if unit.dim is DIMENSIONLESS else str(unit.dim)
        raise parsed.error(
            f"'{name}' is not a base unit; write '{base}' (the unit only says what kind of quantity this is; "
            f"values come with any unit, such as 3*{name})", node,
        )  # fmt: skip
    return unit.dim


_FOLD: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: float(a**b),
}


def constant_value(node: Node) -> float | None:
    """The value of a tree of numbers; None if it holds a name or has no value.

    Parameters
    ----------
    node : Node
        The tree.
    """
    done: dict[Node, float] = {}
    for part in walk(node):
        if isinstance(part, Number):
            done[part] = float(part.value)
        elif isinstance(part, Binary):
            try:
                done[part] = _FOLD[part.op](*(done[child] for child in part.children))
            except (ArithmeticError, TypeError, ValueError):
                return None
        else:
            return None
    return done[node]
