"""Algebra on NMODL's expressions: building with signs in place, looking inside, derivatives, values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from rall.plugins.nmodl.syntax import Binary, Call, Conditional, Expression, Index, Name, Number, Unary

__all__ = [
    "ZERO", "add", "constant", "derivative", "div", "evaluate", "mentions", "mul", "names", "neg", "power",
    "rebuilt", "replaced", "size", "sub", "trivial", "walk",
    "whole_number",
]  # fmt: skip

#: For sums that begin and derivatives that vanish.  Where a number stays in an expression it is a new node, since
#: each has a unit of its own.
ZERO = Number("0")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "&&": lambda a, b: bool(a) and bool(b),
    "||": lambda a, b: bool(a) or bool(b),
}


def children(node: Expression) -> tuple[Expression, ...]:
    """The operands of an expression, in order."""
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Unary):
        return (node.operand,)
    if isinstance(node, Conditional):
        return (node.test, node.yes, node.no)
    return (node.index,) if isinstance(node, Index) else ()


def rebuilt(node: Expression, parts: tuple[Expression, ...]) -> Expression:
    """The same operation on other operands, without what is plainly nothing to do."""
    if all(new is old for new, old in zip(parts, children(node))):
        return node
    if isinstance(node, Binary):
        make = _BUILD.get(node.operator)
        return make(*parts) if make else Binary(node.operator, *parts, at=node.at)
    if isinstance(node, Unary):
        return neg(parts[0]) if node.operator == "-" else Unary(node.operator, parts[0], at=node.at)
    if isinstance(node, Call):
        return Call(node.name, parts, at=node.at)
    if isinstance(node, Conditional):
        return Conditional(*parts, at=node.at)
    return Index(node.name, parts[0], at=node.at) if isinstance(node, Index) else node


def walk(node: Expression) -> Iterator[Expression]:
    """All parts of an expression, itself first."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(children(part)))


def names(node: Expression) -> set[str]:
    """Names of variables in an expression."""
    return {part.name for part in walk(node) if isinstance(part, Name)}


def mentions(node: Expression, name: str) -> bool:
    """Whether a variable occurs."""
    return any(isinstance(part, Name) and part.name == name for part in walk(node))


def size(node: Expression, most: int = 1 << 30) -> int:
    """Number of parts, counted up to a little more than `most`."""
    total = 0
    for _ in walk(node):
        total += 1
        if total > most:
            break
    return total


def trivial(node: Expression) -> bool:
    """Whether an expression is a number, a name, or one of them with a minus."""
    if isinstance(node, Unary) and node.operator == "-":
        node = node.operand
    return isinstance(node, (Number, Name))


def replaced(node: Expression, table: Callable[[str], Expression | None]) -> Expression:
    """An expression with some of its names replaced.

    Parameters
    ----------
    node : Expression
        Where.
    table : callable
        From a name to what stands for it, or None.
    """
    if isinstance(node, Name):
        found = table(node.name) or node
        return Name(found.name, at=node.at) if isinstance(found, Name) else found
    inner = children(node)
    return rebuilt(node, tuple(replaced(part, table) for part in inner)) if inner else node


def constant(node: Expression) -> float | None:
    """The value of an expression of plain numbers; None for others, and for numbers with units."""
    if isinstance(node, Number):
        return None if node.unit or node.factor else node.value
    if isinstance(node, (Name, Index)):
        return None
    try:
        return evaluate(node, _unknown)
    except (KeyError, ArithmeticError, ValueError):
        return None


def whole_number(node: Expression) -> int | None:
    """The value of a sum or product of whole numbers, as indices and counters are; None for others."""
    if isinstance(node, Number):
        return int(node.text) if node.text.isdigit() and constant(node) is not None else None
    if isinstance(node, Unary) and node.operator == "-":
        inner = whole_number(node.operand)
        return None if inner is None else -inner
    if not isinstance(node, Binary) or node.operator not in ("+", "-", "*"):
        return None
    left, right = whole_number(node.left), whole_number(node.right)
    if left is None or right is None:
        return None
    return left + right if node.operator == "+" else left - right if node.operator == "-" else left * right


def _unknown(name: str) -> float:
    raise KeyError(name)


def _is(node: Expression, value: float) -> bool:
    return isinstance(node, Number) and node.value == value


def _whole(node: Expression) -> bool:
    """Whether it is a plain number, which may be left out where it changes nothing."""
    return isinstance(node, Number) and not node.unit and not node.factor


# --- building -----------------------------------------------------------------------------------------------------


def neg(node: Expression) -> Expression:
    """``-node``, with the sign carried into a difference where there is one: ``g*(v - e)`` gives ``g*(e - v)``."""
    if isinstance(node, Unary) and node.operator == "-":
        return node.operand
    if isinstance(node, Number) and node.value == 0:
        return node
    if isinstance(node, Conditional):
        return Conditional(node.test, neg(node.yes), neg(node.no), at=node.at)
    if isinstance(node, Binary) and node.operator == "-":
        return Binary("-", node.right, node.left, at=node.at)
    if isinstance(node, Binary) and node.operator in "*/":
        if _turns(node.right) and node.operator == "*":
            return mul(node.left, neg(node.right))
        if _turns(node.left):
            return Binary(node.operator, neg(node.left), node.right, at=node.at)
    if isinstance(node, Binary) and node.operator == "+" and (_turns(node.left) and _turns(node.right)):
        return add(neg(node.left), neg(node.right))
    return Unary("-", node, at=node.at)


def _turns(node: Expression) -> bool:
    """Whether a minus vanishes in it."""
    if isinstance(node, Unary):
        return node.operator == "-"
    if isinstance(node, Conditional):
        return _turns(node.yes) and _turns(node.no)
    if isinstance(node, Binary) and node.operator in "*/":
        return _turns(node.left) or (node.operator == "*" and _turns(node.right))
    return isinstance(node, Binary) and node.operator == "-"


def add(a: Expression, b: Expression) -> Expression:
    """``a + b``."""
    if _is(a, 0):
        return b
    if _is(b, 0):
        return a
    if isinstance(b, Unary) and b.operator == "-":
        return sub(a, b.operand)
    if isinstance(a, Unary) and a.operator == "-":
        return sub(b, a.operand)
    return Binary("+", a, b, at=a.at)


def sub(a: Expression, b: Expression) -> Expression:
    """``a - b``."""
    if _is(b, 0):
        return a
    if _is(a, 0):
        return neg(b)
    if isinstance(b, Unary) and b.operator == "-":
        return add(a, b.operand)
    return Binary("-", a, b, at=a.at)


def mul(a: Expression, b: Expression) -> Expression:
    """``a * b``."""
    if _is(a, 0) or _is(b, 0):
        return ZERO
    if _whole(a) and _is(a, 1):
        return b
    if _whole(b) and _is(b, 1):
        return a
    if isinstance(a, Unary) and a.operator == "-":
        return neg(mul(a.operand, b))
    if isinstance(b, Unary) and b.operator == "-":
        return neg(mul(a, b.operand))
    if isinstance(a, Binary) and a.operator == "/" and _whole(a.left) and _is(a.left, 1):
        return div(b, a.right)
    if isinstance(b, Binary) and b.operator == "/" and _whole(b.left) and _is(b.left, 1):
        return div(a, b.right)
    return Binary("*", a, b, at=a.at)


def div(a: Expression, b: Expression) -> Expression:
    """``a / b``."""
    if _is(a, 0) and not _is(b, 0):
        return ZERO
    if _whole(b) and _is(b, 1):
        return a
    if isinstance(a, Unary) and a.operator == "-":
        return neg(div(a.operand, b))
    if isinstance(b, Unary) and b.operator == "-":
        return neg(div(a, b.operand))
    return Binary("/", a, b, at=a.at)


def power(a: Expression, b: Expression) -> Expression:
    """``a ^ b``."""
    return a if _whole(b) and _is(b, 1) else Binary("^", a, b, at=a.at)


_BUILD: Mapping[str, Callable[..., Expression]] = {"+": add, "-": sub, "*": mul, "/": div, "^": power}


# --- derivative, value ----------------------------------------------------------------------------------------------


def derivative(node: Expression, x: str) -> Expression | None:
    """The derivative by a variable; None where the form is not one of those that depend on a step in time."""
    if not mentions(node, x):
        return ZERO
    if isinstance(node, Name):
        return Number("1")
    if isinstance(node, Binary) and node.operator in _COMPARE:
        return ZERO
    slopes = [derivative(part, x) for part in children(node)]
    if isinstance(node, Conditional):
        yes, no = slopes[1:]
        return None if yes is None or no is None else Conditional(node.test, yes, no)
    if any(slope is None for slope in slopes):
        return None
    if isinstance(node, Unary) and node.operator == "-":
        return neg(slopes[0])  # type: ignore[arg-type]
    if isinstance(node, Call) and node.name == "exp":
        return mul(node, slopes[0])  # type: ignore[arg-type]
    return _derivative_binary(node, *slopes) if isinstance(node, Binary) else None  # type: ignore[arg-type]


def _derivative_binary(node: Binary, da: Expression, db: Expression) -> Expression | None:
    a, b = node.left, node.right
    if node.operator == "+":
        return add(da, db)
    if node.operator == "-":
        return sub(da, db)
    if node.operator == "*":
        return add(mul(da, b), mul(a, db))
    if node.operator == "/" and _is(db, 0):
        return div(da, b)
    if node.operator == "/":
        return sub(div(da, b), div(mul(a, db), mul(b, b)))
    return None


_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "exp": math.exp, "log": math.log, "log10": math.log10, "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos,
    "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "asin": math.asin, "acos": math.acos,
    "atan": math.atan, "abs": abs, "fabs": abs, "pow": math.pow, "floor": math.floor, "ceil": math.ceil,
    "fmin": min, "fmax": max,
    "exprel": lambda x: math.expm1(x) / x if x else 1.0,
    "xoexpm1": lambda x: x / math.expm1(x) if x else 1.0,
}  # fmt: skip


def evaluate(node: Expression, value: Callable[[str], float]) -> float:
    """The value of an expression in the file's own numbers.

    Parameters
    ----------
    node : Expression
        Arrays as plain names.
    value : callable
        From a name to its value.

    Raises
    ------
    KeyError
        For a function that is not known here.
    ArithmeticError, ValueError
        Where there is no value.
    """
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return value(node.name)
    if isinstance(node, Binary):
        return _binary(node.operator, evaluate(node.left, value), evaluate(node.right, value))
    if isinstance(node, Unary):
        inner = evaluate(node.operand, value)
        return -inner if node.operator == "-" else float(not inner)
    if isinstance(node, Conditional):
        return evaluate(node.yes if evaluate(node.test, value) else node.no, value)
    if isinstance(node, Call):
        return float(_FUNCTIONS[node.name](*(evaluate(part, value) for part in node.arguments)))
    raise KeyError(type(node).__name__)


def _binary(operator: str, a: float, b: float) -> float:
    if operator == "+":
        return a + b
    if operator == "-":
        return a - b
    if operator == "*":
        return a * b
    if operator == "/":
        return a / b
    if operator == "^":
        return math.pow(a, b)
    return float(_COMPARE[operator](a, b))
