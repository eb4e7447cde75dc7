"""What stands in KINETIC, LINEAR and NONLINEAR blocks besides statements: reactions, equations, compartments."""

from __future__ import annotations

from rall.plugins.nmodl.expressions import assigned, expression, integer, variable
from rall.plugins.nmodl.lexer import DEEPEST_TREE, Lexer
from rall.plugins.nmodl.syntax import (
    Assign,
    Binary,
    Compartment,
    Conserve,
    Diffusion,
    Expression,
    Index,
    Name,
    Number,
    Rate,
    Reaction,
    Statement,
)

__all__ = ["add_to_equation", "compartment", "conserve", "equation_or_reaction"]

_EQUATIONS = ("LINEAR", "NONLINEAR", "DERIVATIVE")


def equation_or_reaction(words: Lexer) -> Reaction | Rate | Assign:
    """Read what follows ``~``: a reaction in KINETIC, an equation in LINEAR, NONLINEAR and DERIVATIVE.

    ``~ m' = e`` is ``m' = e``.
    """
    at = words.place()
    if words.block == "KINETIC":
        return _reaction(words)
    if words.block not in _EQUATIONS:
        words.fail(f"'~' begins a reaction or an equation, which cannot stand in {words.block}; KINETIC has reactions")
    words.advance()
    left, right = _sides(words)
    if isinstance(left, Name | Index) and left.name.endswith("'"):
        return assigned(left, right, at)
    return Reaction((), (), "=", (left, right), at=at)


def add_to_equation(words: Lexer, found: list[Statement]) -> None:
    """Read ``~+ a = b``, which is added to the equation before it, on both sides."""
    last = found[-1] if found else None
    if words.block not in _EQUATIONS or not isinstance(last, Reaction):
        words.fail("'~+' adds to an equation: it has to come right after one that begins with '~'")
    words.advance()
    left, right = _sides(words)
    words.sums += 1
    if words.sums > DEEPEST_TREE // 2:
        words.fail(f"more than {DEEPEST_TREE // 2} parts of equations that begin with '~+'; write longer ones")
    first, second = last.rates
    both = (Binary("+", first, left, at=left.at), Binary("+", second, right, at=right.at))
    found[-1] = Reaction((), (), "=", both, at=last.at)


def _sides(words: Lexer) -> tuple[Expression, Expression]:
    left = expression(words)
    words.expect("=", "between the sides of an equation")
    return left, expression(words)


def _reaction(words: Lexer) -> Reaction:
    at = words.place()
    words.advance()
    left = _species(words)
    right: tuple[tuple[int, Name | Index], ...] = ()
    if words.take("<->"):
        arrow, right = "<->", _species(words)
    elif words.take("<"):
        arrow = "<<"
        words.expect("<", "to make '<<' in a reaction")
    elif words.take("-"):
        arrow = "->"
        words.expect(">", "to make '->' in a reaction")
    else:
        words.fail(f"expected '<->', '->' or '<<' in a reaction, not {words.word()}")
    words.expect("(", "before the rates of a reaction")
    rates = [expression(words)]
    if arrow == "<->":
        words.expect(",", "between the two rates of a reaction with '<->'")
        rates.append(expression(words))
    words.expect(")", "after the rates of a reaction")
    return Reaction(left, right, arrow, tuple(rates), at=at)


def _species(words: Lexer) -> tuple[tuple[int, Name | Index], ...]:
    if words.kind not in ("name", "number"):
        return ()
    found: list[tuple[int, Name | Index]] = []
    while True:
        count = integer(words, "how many molecules react") if words.kind == "number" else 1
        found.append((count, variable(words, "what reacts")))
        if not words.take("+"):
            return tuple(found)


def _in_kinetic(words: Lexer) -> None:
    if words.block != "KINETIC":
        words.fail(f"{words.kind} stands in KINETIC, not in {words.block}")


def conserve(words: Lexer) -> Conserve:
    """Read ``CONSERVE a + 2 b = e``."""
    at = words.place()
    _in_kinetic(words)
    words.advance()
    terms: list[tuple[Expression, Name | Index]] = []
    while True:
        place = words.place()
        count = integer(words, "a coefficient in CONSERVE") if words.kind == "number" else 1
        terms.append((Number(str(count), at=place), variable(words, "what is conserved")))
        if not words.take("+"):
            break
    words.expect("=", "after the sum of what is conserved")
    return Conserve(tuple(terms), expression(words), at=at)


def compartment(words: Lexer) -> Compartment | Diffusion:
    """Read ``COMPARTMENT i, volume { species }``, and LONGITUDINAL_DIFFUSION likewise."""
    at, kind = words.place(), words.kind
    _in_kinetic(words)
    words.advance()
    index, value = "", expression(words)
    if isinstance(value, Name) and words.take(","):
        index, value = value.name, expression(words)
    words.expect("{", f"before the species of {kind}")
    species = [words.name(f"the name of a species of {kind}")]
    while not words.take("}"):
        words.take(",")
        species.append(words.name(f"the name of a species of {kind} or a closing brace"))
    node = Compartment if kind == "COMPARTMENT" else Diffusion
    return node(index, value, tuple(species), at=at)
