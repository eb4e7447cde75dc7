"""Expressions of NMODL as text: of rall's equations, with units, or of NMODL, for messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from rall.errors import NotSupportedError
from rall.ir.nodes import Binary as Operation
from rall.ir.nodes import Call as Called
from rall.ir.nodes import Name as Variable
from rall.ir.nodes import Number as Literal
from rall.ir.parse import parse
from rall.plugins.nmodl.syntax import Binary, Call, Conditional, Expression, Index, Name, Number, Text, Unary
from rall.plugins.nmodl.units import ONE, UnitTable, UnitValue

__all__ = ["SIGNATURES", "Corrections", "constant", "equation_text", "nmodl_text", "variables"]

#: By which unit a part of an expression is multiplied: the part by the ``id`` of its parent and its place in it (0 or 1
#: of the operands, the number of the argument, 1 of ELSE); (0, 0) is the whole expression.
Corrections: TypeAlias = Mapping[tuple[int, int], UnitValue]

_NO_UNITS: Mapping[int, UnitValue] = MappingProxyType({})
_NO_CORRECTIONS: Corrections = MappingProxyType({})
_NO_NAMES: Mapping[str, str] = MappingProxyType({})

# Binding powers, weakest first, those of rall's equations.
_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(10, 110, 10)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}
_COMPARISONS = frozenset(("<", ">", "<=", ">=", "==", "!="))
_LOGIC = {"&&": ("and", _AND), "||": ("or", _OR)}
# Functions of NMODL (of C) by their names in equations.
_FUNCTIONS = {
    "fabs": "abs", "fmin": "min", "fmax": "max", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "exprelr": "xoexpm1",
}  # fmt: skip
_SAME = frozenset((
    "abs", "ceil", "cos", "cosh", "exp", "expm1", "exprel", "floor", "log", "log10", "log1p", "max", "min", "sin",
    "sinh", "sqrt", "tan", "tanh", "xoexpm1", "ghk", "nernst", "rand", "randn",
))  # fmt: skip

_unit = UnitTable().unit
#: Functions of equations whose arguments have units: these, and the unit of what they give.
SIGNATURES: Mapping[str, tuple[tuple[UnitValue, ...], UnitValue]] = {
    "nernst": ((ONE, _unit("mM"), _unit("mM"), _unit("K")), _unit("mV")),
    "ghk": ((_unit("mV"), ONE, _unit("mM"), _unit("mM"), _unit("K")), _unit("millicoul/cm3")),
}


class Piece(NamedTuple):
    """A part of a text: what it is, how strongly it binds, and whether it is a condition."""

    text: str
    binding: int
    condition: bool = False

    def within(self, binding: int) -> str:
        """The text, in parentheses if it binds less."""
        return self.text if self.binding >= binding else f"({self.text})"


def equation_text(
    expression: Expression,
    literals: Mapping[int, UnitValue] = _NO_UNITS,
    names: Mapping[str, str] = _NO_NAMES,
    corrections: Corrections = _NO_CORRECTIONS,
    lenient: Mapping[str, UnitValue] | None = None,
    result: UnitValue = ONE,
) -> str:
    """The text of equations for an expression of NMODL.

    Parameters
    ----------
    expression : Expression
        Of NMODL; functions of the file are inlined already.
    literals : mapping of int to UnitValue
        The unit of every number, by the ``id`` of its node; a number that is not there has none.
    names : mapping of str to str
        What variables are in equations, such as ``{'celsius': 'T - zero_celsius', 'm': 'm_Na'}``; parentheses are
        put where they are needed.
    corrections : mapping of (int, int) to UnitValue
        Units by which parts are multiplied.
    lenient : mapping of str to UnitValue, optional
        If given, units are not those of the literals: every name is divided by its unit here, and the whole is
        multiplied by `result`, so that numbers are what they are in NEURON.
    result : UnitValue
        See `lenient`.

    Returns
    -------
    str

    Raises
    ------
    NotSupportedError
        For arrays, texts, and functions that equations do not have.
    """
    writer = _Writer(literals, names, corrections, lenient)
    whole = writer.number(expression)
    return _times_unit(whole, corrections.get((0, 0), ONE) if lenient is None else result).text


@lru_cache(maxsize=256)
def _binding_of(text: str) -> int:
    """How strongly a text of equations binds."""
    node = parse(text).node
    if isinstance(node, Operation):
        return _BINDING.get(node.op, _CHOICE)
    return _ATOM if isinstance(node, Called | Variable | Literal) else _CHOICE


def _times_unit(piece: Piece, unit: UnitValue) -> Piece:
    """A piece times a unit."""
    if unit.is_plain:
        return piece
    text, inverse = str(unit), str(ONE / unit)
    if _complexity(inverse) < _complexity(text):
        return _divided_by(piece, ONE / unit)
    return Piece(f"{piece.within(_PRODUCT)}*{text}", _PRODUCT)


def _divided_by(piece: Piece, unit: UnitValue) -> Piece:
    text, inverse = str(unit), str(ONE / unit)
    if _complexity(text) == 0:
        return Piece(f"{piece.within(_PRODUCT)}/{text}", _PRODUCT)
    if _complexity(inverse) == 0:
        return Piece(f"{piece.within(_PRODUCT)}*{inverse}", _PRODUCT)
    return Piece(f"{piece.within(_PRODUCT)}/({text})", _PRODUCT)


def _complexity(text: str) -> int:
    """How many products and quotients a text has."""
    return text.replace("**", "").count("*") + text.count("/")


class _Writer:
    """Equations of an expression; see `equation_text`."""

    def __init__(
        self,
        literals: Mapping[int, UnitValue],
        names: Mapping[str, str],
        corrections: Corrections,
        lenient: Mapping[str, UnitValue] | None,
    ) -> None:
        self.literals, self.names, self.corrections, self.lenient = literals, names, corrections, lenient

    def number(self, node: Expression) -> Piece:
        """A node as a number; a condition becomes 1 or 0."""
        piece = _WRITERS[type(node)](self, node)
        return Piece(f"int({piece.text})", _ATOM) if piece.condition else piece

    def part(self, parent: Expression, slot: int, node: Expression) -> Piece:
        """A part of a node as a number in the unit that it must have."""
        piece = self.number(node)
        unit = self.corrections.get((id(parent), slot)) if self.corrections else None
        return piece if unit is None else _times_unit(piece, unit)

    def condition(self, node: Expression) -> Piece:
        """A node as a condition; a number is true if it is not 0."""
        piece = _WRITERS[type(node)](self, node)
        return piece if piece.condition else self.against_zero(node, piece, "!=")

    def against_zero(self, node: Expression, piece: Piece, operator: str) -> Piece:
        # The sign of a number has no unit, whatever the number has.
        plain = isinstance(node, Number) or (self.lenient is not None)
        text = piece.within(_COMPARE + 1) if plain else f"sign({piece.text})"
        return Piece(f"{text} {operator} 0", _COMPARE, True)

    def literal(self, node: Number) -> Piece:
        unit = self.literals.get(id(node), ONE) if self.lenient is None else ONE
        text = unit.times(node.text)
        return Piece(text, _PRODUCT if "*" in text or "/" in text else _ATOM)

    def name(self, node: Name) -> Piece:
        text = self.names.get(node.name, node.name)
        piece = Piece(text, _ATOM if text.isidentifier() else _binding_of(text))
        if self.lenient is None:
            return piece
        unit = self.lenient.get(node.name, ONE)
        return piece if unit.is_plain else _divided_by(piece, unit)

    def index(self, node: Index) -> Piece:
        raise NotSupportedError(f"line {node.at.line}: '{nmodl_text(node)}' is an array, which equations do not have")

    def text(self, node: Text) -> Piece:
        raise NotSupportedError(f'line {node.at.line}: the text "{node.text}" cannot stand in equations')

    def unary(self, node: Unary) -> Piece:
        if node.operator == "!":
            piece = _WRITERS[type(node.operand)](self, node.operand)
            if not piece.condition:
                return self.against_zero(node.operand, piece, "==")
            return Piece(f"not {piece.within(_NOT)}", _NOT, True)
        return negative_of(self.number(node.operand))

    def binary(self, node: Binary) -> Piece:
        operator = node.operator
        if operator in _LOGIC:
            word, binding = _LOGIC[operator]
            yes, no = self.condition(node.left), self.condition(node.right)
            return Piece(f"{yes.within(binding)} {word} {no.within(binding + 1)}", binding, True)
        left, right = self.part(node, 0, node.left), self.part(node, 1, node.right)
        if operator in _COMPARISONS:
            return Piece(f"{left.within(_COMPARE + 1)} {operator} {right.within(_COMPARE + 1)}", _COMPARE, True)
        if operator == "^":
            return power_of(left, right)
        if operator not in ("+", "-") and "1" in (left.text, right.text):
            return product_of(left, operator, right)
        if operator == "*" and isinstance(node.left, Number) and isinstance(node.right, Number):
            return Piece(f"{left.text}*{right.text}", _PRODUCT)  # 0.001*193/ms: numbers are folded in whatever order
        if operator not in ("+", "-"):
            return product_of(left, operator, right)
        if right.text.startswith("-") and right.binding > _SUM:  # v - -38 of files
            operator, right = "+" if operator == "-" else "-", Piece(right.text[1:], right.binding)
        return Piece(f"{left.within(_SUM)} {operator} {right.within(_SUM + 1)}", _SUM)

    def call(self, node: Call) -> Piece:
        arguments = [self.part(node, slot, argument) for slot, argument in enumerate(node.arguments)]
        if node.name == "pow":
            return power_of(*arguments)
        name = _FUNCTIONS.get(node.name, node.name)
        if name not in _SAME and node.name not in _FUNCTIONS:
            raise NotSupportedError(f"line {node.at.line}: equations have no function '{node.name}'")
        if self.lenient is not None and name in SIGNATURES:
            wanted, result = SIGNATURES[name]
            given = [self.with_unit(argument, unit) for argument, unit in zip(node.arguments, wanted)]
            return _divided_by(Piece(f"{name}({', '.join(given)})", _ATOM), result)
        return Piece(f"{name}({', '.join(argument.text for argument in arguments)})", _ATOM)

    def with_unit(self, node: Expression, unit: UnitValue) -> str:
        """A number of NEURON's as the quantity that it is meant to be."""
        if isinstance(node, Name) and self.lenient is not None and self.lenient.get(node.name, ONE) == unit:
            return self.names.get(node.name, node.name)
        return _times_unit(self.number(node), unit).text

    def conditional(self, node: Conditional) -> Piece:
        yes, test, no = self.part(node, 0, node.yes), self.condition(node.test), self.part(node, 1, node.no)
        choice = f"{yes.within(_CHOICE + 1)} if {test.within(_CHOICE + 1)} else {no.within(_CHOICE)}"
        return Piece(choice, _CHOICE)


_WRITERS: Mapping[type, Callable[..., Piece]] = {
    Number: _Writer.literal, Name: _Writer.name, Index: _Writer.index, Text: _Writer.text, Unary: _Writer.unary,
    Binary: _Writer.binary, Call: _Writer.call, Conditional: _Writer.conditional,
}  # fmt: skip


def negative_of(operand: Piece) -> Piece:
    """Text of ``-operand``."""
    if operand.text.startswith("-"):
        return Piece(f"-({operand.text})", _SIGN)
    # -a*b is -(a*b) as well, so that a product needs no parentheses
    return Piece(f"-{operand.within(_PRODUCT)}", _PRODUCT if operand.binding == _PRODUCT else _SIGN)


def power_of(base: Piece, exponent: Piece) -> Piece:
    """Text of ``base**exponent``."""
    return Piece(f"{base.within(_POWER + 1)}**{exponent.within(_SIGN)}", _POWER)


def product_of(left: Piece, operator: str, right: Piece) -> Piece:
    """Text of a product or a quotient; a factor 1, which a conversion of units becomes, is left out."""
    if right.text == "1":
        return left
    if operator == "*" and left.text == "1":
        return right
    if operator == "*" and left.text == "-1":
        return negative_of(right)
    return Piece(f"{left.within(_PRODUCT)}{operator}{right.within(_PRODUCT + 1)}", _PRODUCT)


# --- messages -------------------------------------------------------------------------------------------------------


def nmodl_text(node: Expression) -> str:
    """The text of an expression as a file has it, for messages.

    Parameters
    ----------
    node : Expression
        Any.

    Returns
    -------
    str
    """
    return _quote(node).text


def _quote(node: Expression) -> Piece:
    if isinstance(node, Number):
        return Piece(node.text, _ATOM)
    if isinstance(node, Name):
        return Piece(node.name, _ATOM)
    if isinstance(node, Index):
        return Piece(f"{node.name}[{_quote(node.index).text}]", _ATOM)
    if isinstance(node, Text):
        return Piece(f'"{node.text}"', _ATOM)
    if isinstance(node, Unary):
        return Piece(f"{node.operator}{_quote(node.operand).within(_SIGN)}", _SIGN)
    if isinstance(node, Call):
        return Piece(f"{node.name}({', '.join(_quote(argument).text for argument in node.arguments)})", _ATOM)
    if isinstance(node, Conditional):
        yes, test, no = _quote(node.yes), _quote(node.test), _quote(node.no)
        return Piece(f"IF ({test.text}) {yes.text} ELSE {no.text}", _CHOICE)
    left, right = _quote(node.left), _quote(node.right)
    binding = _BINDING.get(node.operator) or (_POWER if node.operator == "^" else _COMPARE)
    if node.operator in _LOGIC:
        binding = _LOGIC[node.operator][1]
    space = "" if binding >= _PRODUCT else " "
    return Piece(f"{left.within(binding)}{space}{node.operator}{space}{right.within(binding + 1)}", binding)


# --- what stands in an expression -----------------------------------------------------------------------------------


def variables(expression: Expression) -> Iterator[str]:
    """The names in an expression, as often as they stand there.

    Parameters
    ----------
    expression : Expression
        Any.

    Yields
    ------
    str
    """
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Name | Index):
            yield node.name
        stack.extend(parts(node))


def parts(node: Expression) -> tuple[Expression, ...]:
    """The expressions of which a node is made."""
    if isinstance(node, Binary):
        return node.left, node.right
    if isinstance(node, Unary):
        return (node.operand,)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Conditional):
        return node.test, node.yes, node.no
    return (node.index,) if isinstance(node, Index) else ()


def constant(node: Expression) -> Fraction | None:
    """The value of an expression of numbers alone.

    Parameters
    ----------
    node : Expression
        Any.

    Returns
    -------
    Fraction or None
        None if there is more in it.
    """
    if isinstance(node, Number):
        return Fraction(node.text)
    if isinstance(node, Unary) and node.operator == "-":
        value = constant(node.operand)
        return None if value is None else -value
    if isinstance(node, Binary) and node.operator in _FOLD:
        left, right = constant(node.left), constant(node.right)
        if left is None or right is None or (node.operator == "/" and right == 0):
            return None
        return _FOLD[node.operator](left, right)
    return None


_FOLD: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
}  # fmt: skip
