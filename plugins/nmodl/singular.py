"""Removable singularities of rate functions, written so that they are smooth.

``x/(exp(u) - 1)`` with x proportional to u has a limit at 0, which files reach by a step beside it
(``if (v == -35) { v = v + 0.0001 }``) or by a series (``if (fabs(u) < 1e-6) ...``).  Here it becomes ``xoexpm1(u)``,
which is u/(exp(u) - 1) everywhere, and its inverse ``exprel(u)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rall.plugins.nmodl.algebra import children, constant, div, mul, neg, rebuilt
from rall.plugins.nmodl.syntax import Binary, Call, Conditional, Expression, Number, Unary

__all__ = ["smooth"]

_NEAR = 0.011  # what files call near to a singular point, in mV or as a pure number
_TINY = 1e-9  # relative difference of coefficients that count as the same
_Sum = dict[Expression, float]
_PLAIN: Expression = Number("1")


def smooth(node: Expression) -> Expression:
    """An expression with its removable singularities removed.

    Parameters
    ----------
    node : Expression
        Values of variables put in, as far as singularities depend on them.
    """
    parts = children(node)
    if not parts:
        return node
    if isinstance(node, Call) and node.name == "exprelr":
        return Call("xoexpm1", tuple(smooth(part) for part in parts), at=node.at)
    node = rebuilt(node, tuple(smooth(part) for part in parts))
    if isinstance(node, Conditional):
        return _chosen(node)
    return _quotient(node) if isinstance(node, Binary) and node.operator in "*/" else node


# --- conditionals that only dodge a point -----------------------------------------------------------------------------


def _chosen(node: Conditional) -> Expression:
    """The branch away from the point, where the condition is only about it and the branch is smooth there."""
    if isinstance(node.no, Conditional) and _opposite(node.test, node.no.test):
        node = Conditional(node.test, node.yes, node.no.yes, at=node.at)
    near = _is_near(node.test)
    if near is None:
        return node
    at_point, away = (node.yes, node.no) if near else (node.no, node.yes)
    if _nudged(at_point, away) or _has_smooth(away):
        return away
    return node


_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _opposite(test: Expression, other: Expression) -> bool:
    """Whether one of two conditions holds where the other does not."""
    if not isinstance(test, Binary) or not isinstance(other, Binary):
        return False
    return _OPPOSITE.get(test.operator) == other.operator and (test.left, test.right) == (other.left, other.right)


def _is_near(test: Expression) -> bool | None:
    """Whether a condition holds near one point only (True), everywhere else (False), or neither (None)."""
    if isinstance(test, Unary) and test.operator == "!":
        inner = _is_near(test.operand)
        return None if inner is None else not inner
    if not isinstance(test, Binary):
        return None
    if test.operator in ("==", "!="):
        return test.operator == "=="
    if test.operator in ("&&", "||"):
        return _is_window(test)
    left, right, operator = test.left, test.right, test.operator
    if _absolute(right):
        left, right, operator = right, left, operator.translate(_TURN)
    bound = constant(right)
    if not _absolute(left) or bound is None or not 0 <= bound <= _NEAR:
        return None
    return operator in ("<", "<=")


_TURN = str.maketrans("<>", "><")


def _absolute(node: Expression) -> bool:
    return isinstance(node, Call) and node.name in ("fabs", "abs")


def _is_window(test: Binary) -> bool | None:
    """``x > a && x < b`` with a and b close together (True), or its opposite with ``||`` (False)."""
    ends = []
    for part in (test.left, test.right):
        if not isinstance(part, Binary) or part.operator not in ("<", ">", "<=", ">="):
            return None
        form = affine(Binary("-", part.left, part.right))
        moving = {atom: factor for atom, factor in form.items() if atom != _PLAIN}
        if len(moving) != 1 or not form:
            return None
        atom, factor = next(iter(moving.items()))
        ends.append((atom, -form.get(_PLAIN, 0.0) / factor, (part.operator[0] == ">") == (factor > 0)))
    (one, a, above), (other, b, above_too) = ends
    if one != other or above == above_too:
        return None
    low, high = (a, b) if above else (b, a)
    if test.operator == "&&":
        return True if 0 <= high - low <= 2 * _NEAR else None
    return False if 0 <= low - high <= 2 * _NEAR else None


def _nudged(at_point: Expression, away: Expression) -> bool:
    """Whether one is the other plus a small number."""
    difference = affine(Binary("-", at_point, away))
    return not difference or (set(difference) == {_PLAIN} and abs(difference[_PLAIN]) <= _NEAR)


def _has_smooth(node: Expression) -> bool:
    if isinstance(node, Call) and node.name in ("exprel", "xoexpm1"):
        return True
    return any(_has_smooth(part) for part in children(node))


# --- quotients --------------------------------------------------------------------------------------------------------


@dataclass
class _Factors:
    """A product: its factors above and below the line, and its sign."""

    above: list[Expression] = field(default_factory=list)
    below: list[Expression] = field(default_factory=list)
    sign: int = 1

    def take(self, node: Expression, inverse: bool = False) -> _Factors:
        """Put in the factors of an expression."""
        if isinstance(node, Unary) and node.operator == "-":
            self.sign = -self.sign
            return self.take(node.operand, inverse)
        if isinstance(node, Binary) and node.operator in "*/":
            self.take(node.left, inverse)
            return self.take(node.right, inverse != (node.operator == "/"))
        (self.below if inverse else self.above).append(node)
        return self


def _quotient(node: Binary) -> Expression:
    if not _worth(node):
        return node
    factors = _Factors().take(node)
    below, above = factors.below, factors.above
    for source, target, function in ((below, above, "xoexpm1"), (above, below, "exprel")):
        for k, factor in enumerate(source):
            found = _difference(factor)
            match = _proportional(found[0], target) if found else None
            if found is None or match is None:
                continue
            place, rest = match
            del source[k]
            del target[place]
            factors.above.append(Call(function, (found[0],), at=node.at))
            # x = u/(rest): the quotient is u/(exp(u) - 1) divided by rest, or its inverse times rest.
            inverse = function == "xoexpm1"
            (factors.below if inverse else factors.above).extend(rest.above)
            (factors.above if inverse else factors.below).extend(rest.below)
            factors.sign *= found[1] * rest.sign
            return _product(factors)
    return node


def _worth(node: Expression) -> bool:
    """Whether there is a difference with an exponential among the factors."""
    if isinstance(node, Binary) and node.operator in "*/":
        return _worth(node.left) or _worth(node.right)
    if isinstance(node, Unary):
        return _worth(node.operand)
    return _difference(node) is not None


def _difference(node: Expression) -> tuple[Expression, int] | None:
    """U and the sign s of ``s*(exp(u) - 1)``."""
    if not isinstance(node, Binary) or node.operator not in "+-":
        return None
    for exponential, other, sign in ((node.left, node.right, 1), (node.right, node.left, -1)):
        if isinstance(exponential, Call) and exponential.name == "exp":
            value = constant(other)
            if node.operator == "-" and value == 1:
                return exponential.arguments[0], sign
            if node.operator == "+" and value == -1:
                return exponential.arguments[0], 1
    return None


def _proportional(u: Expression, factors: list[Expression]) -> tuple[int, _Factors] | None:
    """Which of the factors is u divided by something, and by what."""
    inner = _Factors().take(u)
    for place, factor in enumerate(factors):
        if isinstance(factor, Number):
            continue
        form = affine(factor)
        for k, candidate in enumerate(inner.above):
            ratio = None if isinstance(candidate, Number) else _ratio(affine(candidate), form)
            if ratio is not None:
                others = _Factors(inner.above[:k] + inner.above[k + 1 :], list(inner.below), inner.sign)
                return place, _scaled(others, ratio)
        ratio = _ratio(affine(u), form)
        if ratio is not None:
            return place, _scaled(_Factors(), ratio)
    return None


def _scaled(factors: _Factors, ratio: float) -> _Factors:
    factors.sign *= 1 if ratio > 0 else -1
    if abs(abs(ratio) - 1) > _TINY:
        factors.above.append(Number(repr(abs(ratio))))
    return factors


def _ratio(a: _Sum, b: _Sum) -> float | None:
    """The number by which one sum is the other's multiple."""
    if not b or a.keys() != b.keys() or set(a) == {_PLAIN}:
        return None
    atom = next(iter(b))
    ratio = a[atom] / b[atom]
    same = all(abs(a[key] - ratio * b[key]) <= _TINY * abs(a[key]) for key in b)
    return ratio if same else None


def _product(factors: _Factors) -> Expression:
    """The product again, its plain numbers as one in front."""
    value, found = 1.0, False
    rest: list[list[Expression]] = []
    for side, inverse in ((factors.above, False), (factors.below, True)):
        kept: list[Expression] = []
        for factor in side:
            number = constant(factor)
            if number is None or not number:
                kept.append(factor)
                continue
            found, value = True, value / number if inverse else value * number
        rest.append(kept)
    above, below = rest
    result = above[0]
    for factor in above[1:]:
        result = mul(result, factor)
    for factor in below:
        result = div(result, factor)
    if found:
        result = Binary("*", Number(f"{value:.15g}", at=result.at), result, at=result.at)
    return neg(result) if factors.sign < 0 else result


# --- sums -------------------------------------------------------------------------------------------------------------


def affine(node: Expression) -> _Sum:
    """A sum as its terms and their numbers; the plain number is that of `Number("1")`.  Zero terms are left out."""
    total: _Sum = {}
    _collect(node, 1.0, total)
    return {atom: factor for atom, factor in total.items() if factor}


def _collect(node: Expression, factor: float, total: _Sum) -> None:
    if isinstance(node, Number):
        total[_PLAIN] = total.get(_PLAIN, 0.0) + factor * node.value
    elif isinstance(node, Unary) and node.operator == "-":
        _collect(node.operand, -factor, total)
    elif isinstance(node, Binary) and node.operator in "+-":
        _collect(node.left, factor, total)
        _collect(node.right, factor if node.operator == "+" else -factor, total)
    elif isinstance(node, Binary) and node.operator in "*/" and _number(node.right) is not None:
        value = _number(node.right)
        assert value is not None
        _collect(node.left, factor * value if node.operator == "*" else factor / value, total)
    elif isinstance(node, Binary) and node.operator == "*" and _number(node.left) is not None:
        value = _number(node.left)
        assert value is not None
        _collect(node.right, factor * value, total)
    else:
        total[node] = total.get(node, 0.0) + factor


def _number(node: Expression) -> float | None:
    """The value of a number, with a minus or without; not 0."""
    sign = 1.0
    if isinstance(node, Unary) and node.operator == "-":
        node, sign = node.operand, -1.0
    return sign * node.value or None if isinstance(node, Number) else None
