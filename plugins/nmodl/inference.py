"""Units of numbers and variables that have none in the file, from the equations in which they stand.

NMODL knows units of declared variables; literals and many variables have none.  Each of these is an unknown: its
exponents and the logarithm of its scale.  Sums, comparisons and assignments ask for equal units, products add them, a
constant power multiplies them.  These are linear equations over the rationals (A. Kennedy, Dimension types, ESOP 1994),
solved by elimination, one formula after the other.  A formula that does not fit with those before it is taken back and
marked: its numbers are then what they are in NEURON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import log10
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from rall.errors import EquationError
from rall.plugins.nmodl.printing import SIGNATURES, equation_text, nmodl_text
from rall.plugins.nmodl.syntax import (
    NOWHERE,
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    Name,
    Number,
    Place,
    Text,
    Unary,
)  # fmt: skip
from rall.plugins.nmodl.units import ONE, STANDARD, Rational, UnitTable, UnitValue, tidy

__all__ = ["Formula", "Inference", "Inferred", "infer"]

_MS = UnitTable().unit("ms").code


@dataclass(frozen=True)
class Formula:
    """An equation of which the units are wanted.

    Parameters
    ----------
    target : str
        The variable that it gives.
    expression : Expression
        Its right-hand side.  Functions of the file are inlined, with nodes of their own for the numbers in each
        place where they are called: one node has one unit in a formula.
    at : Place
        Where it stands, for messages.
    rate : bool
        Whether it is the change of `target` per ms.
    """

    target: str
    expression: Expression
    at: Place = NOWHERE
    rate: bool = False


@dataclass(frozen=True)
class Inferred:
    """A formula with the units in it.

    Parameters
    ----------
    formula : Formula
        What was given.
    literals : mapping of int to UnitValue
        The unit of each number, by the ``id`` of its node.
    lenient : bool
        Whether units do not fit, so that the numbers are those of NEURON.
    message : str
        What does not fit; empty without.
    """

    formula: Formula
    literals: Mapping[int, UnitValue] = field(repr=False)
    lenient: bool = False
    message: str = ""


@dataclass(frozen=True)
class Inference:
    """Units of a set of formulas.

    Parameters
    ----------
    formulas : tuple of Inferred
        In the order given.
    units : mapping of str to UnitValue
        Of every variable: declared ones, NEURON's own, and those that were found.
    notices : tuple of str
        What was assumed, for people.
    """

    formulas: tuple[Inferred, ...]
    units: Mapping[str, UnitValue]
    notices: tuple[str, ...] = ()

    def text(self, number: int, names: Mapping[str, str] = MappingProxyType({})) -> str:
        """The right-hand side of a formula for rall's equations.

        Parameters
        ----------
        number : int
            Which, from 0.
        names : mapping of str to str
            What variables are called in equations.

        Returns
        -------
        str
        """
        inferred = self.formulas[number]
        formula = inferred.formula
        if not inferred.lenient:
            return equation_text(formula.expression, inferred.literals, names)
        return equation_text(formula.expression, names=names, lenient=self.units, result=self.result(number))

    def result(self, number: int) -> UnitValue:
        """The unit of the right-hand side of a formula; of a rate it is one per ms.

        Parameters
        ----------
        number : int
            Which, from 0.

        Returns
        -------
        UnitValue
        """
        formula = self.formulas[number].formula
        unit = self.units.get(formula.target, ONE)
        return UnitValue(unit.code - _MS) if formula.rate else unit


def infer(
    formulas: Sequence[Formula],
    declared: Mapping[str, UnitValue],
    units: UnitTable | None = None,
    file: str = "",
    lenient: bool = False,
    strict: bool = False,
) -> Inference:
    """Find the units of all numbers and variables.

    Parameters
    ----------
    formulas : sequence of Formula
        In the order of the file.
    declared : mapping of str to UnitValue
        Units of variables; those that NEURON gives (`STANDARD`: v, t, dt, celsius, area, diam) are known.  What is
        in neither is found.
    units : UnitTable, optional
        The units of the file, for numbers with a unit behind them.
    file : str
        The file's name, for messages.
    lenient : bool
        Whether all formulas are to have the numbers of NEURON; variables that are not declared then have no unit.
    strict : bool
        Whether units that do not fit are an error.

    Returns
    -------
    Inference

    Raises
    ------
    EquationError
        In strict mode, for the first formula that does not fit.
    """
    known = {name: unit.code for name, unit in (*declared.items(), *STANDARD.items())}
    system = _System(known, {f.target for f in formulas if f.rate}, units or UnitTable())
    messages: list[str] = []
    for number, formula in enumerate(formulas):
        message = "" if lenient else system.add(number, formula)
        if message and strict:
            raise EquationError(_placed(message, file, formula.at))
        messages.append(_placed(message, file, formula.at) if message else "")
    names = {} if lenient else system.settle()
    found = {name: UnitValue(code) for name, code in known.items()}
    found.update({name: ONE for formula in formulas for name in _names(formula) if name not in found})
    found.update(names)
    done = tuple(
        Inferred(formula, system.literals(number), lenient or bool(message), message)
        for number, (formula, message) in enumerate(zip(formulas, messages))
    )
    return Inference(done, found, _notices(names, messages, file))


def _placed(message: str, file: str, at: Place) -> str:
    return f"{file or 'line'}{':' if file else ' '}{at.line}: {message}"


def _notices(names: Mapping[str, UnitValue], messages: Iterable[str], file: str) -> tuple[str, ...]:
    groups: dict[str, list[str]] = {}
    for name, unit in names.items():
        if not unit.is_plain:
            groups.setdefault(str(unit), []).append(name)
    where = f"{file}: " if file else ""
    lines = [
        f"{where}{', '.join(group)} {'has' if len(group) == 1 else 'have'} no unit in the file; taken as {unit}"
        for unit, group in groups.items()
    ]
    lines += [f"{message}; its numbers are taken as NEURON takes them" for message in messages if message]
    return tuple(lines)


def _names(formula: Formula) -> Iterable[str]:
    yield formula.target
    stack = [formula.expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            yield node.name
        elif isinstance(node, Number | Text):
            continue
        elif isinstance(node, Binary):
            stack += (node.right, node.left)
        elif isinstance(node, Unary):
            stack.append(node.operand)
        elif isinstance(node, Call):
            stack += node.arguments[::-1]
        elif isinstance(node, Conditional):
            stack += (node.no, node.test, node.yes)
        else:
            yield node.name


# --- the linear system ----------------------------------------------------------------------------------------------

#: An unknown: a variable by its name, or a number by its formula and the id of its node.
Unknown: TypeAlias = str | tuple[int, int]
#: How gladly an unknown takes a unit, least first, and where it came up.
Rank: TypeAlias = tuple[int, int]


class Sum(NamedTuple):
    """A unit as a linear form: a known part, and unknown ones with their coefficients."""

    code: Rational
    terms: Mapping[Unknown, Rational]


_NONE: Mapping[Unknown, Rational] = MappingProxyType({})
_PLAIN = Sum(0, _NONE)
_ZERO, _VARIABLE, _FACTOR, _DECIMAL, _WHOLE, _STATE, _UNIT = range(7)  # ranks, gladly to hardly


class _Misfit(Exception):
    """Units that cannot be equal."""


class _System:
    """Unknown units and what is known of them."""

    def __init__(self, known: Mapping[str, Rational], states: set[str], table: UnitTable) -> None:
        self.known = {name: Sum(code, _NONE) for name, code in known.items()}
        self.states, self.table = states, table
        self.solved: dict[Unknown, Sum] = {}
        self.ranks: dict[Unknown, Rank] = {}
        self.numbers: dict[int, list[int]] = {}
        self.conversions: dict[Unknown, Rational] = {}
        self.number = 0

    def add(self, number: int, formula: Formula) -> str:
        """Take a formula in; if it does not fit, leave it out and say why."""
        self.number = number
        before, ranks = len(self.solved), len(self.ranks)
        try:
            value = self.unit(formula.expression)
            target = self.name(Name(formula.target))
            if formula.rate:
                target = Sum(target.code - _MS, target.terms)
            if not self.equal(target, value):
                left = formula.target + ("'" if formula.rate else "")
                raise _Misfit(f"{self.describe(left, target)}, but {self.describe(formula.expression, value)}")
        except _Misfit as misfit:
            while len(self.solved) > before:
                self.solved.popitem()
            while len(self.ranks) > ranks:
                self.ranks.popitem()
            return str(misfit)
        return ""

    # --- units of expressions ---

    def unit(self, node: Expression) -> Sum:
        return _RULES[type(node)](self, node)

    def plain(self, node: Expression, where: str) -> Sum:
        found = self.unit(node)
        if not self.equal(found, _PLAIN):
            raise _Misfit(f"{self.describe(node, found)}, and {where} takes a number without a unit")
        return _PLAIN

    def alike(self, left: Expression, right: Expression, where: str) -> Sum:
        a, b = self.unit(left), self.unit(right)
        if not self.equal(a, b):
            raise _Misfit(f"{self.describe(left, a)} and {self.describe(right, b)}, which {where} cannot join")
        return b if a.terms else a

    def name(self, node: Name) -> Sum:
        known = self.known.get(node.name)
        if known is None:
            rank = _STATE if node.name in self.states else _VARIABLE
            self.ranks.setdefault(node.name, (rank, len(self.ranks)))
            return Sum(0, {node.name: 1})
        return known

    def index(self, node: Index) -> Sum:
        return self.name(Name(node.name))

    def text(self, node: Text) -> Sum:
        return _PLAIN

    def literal(self, node: Number) -> Sum:
        if node.unit:
            return Sum(self.table.unit(node.unit).code, _NONE)
        key = (self.number, id(node))
        if key not in self.ranks:
            self.ranks[key] = (_rank(node), len(self.ranks))
            tens = _power_of_ten(node.value)
            if tens:
                self.conversions[key] = UnitValue.of((), -tens).code
        return Sum(0, {key: 1})

    def unary(self, node: Unary) -> Sum:
        found = self.unit(node.operand)
        return _PLAIN if node.operator == "!" else found

    def binary(self, node: Binary) -> Sum:
        operator = node.operator
        if operator == "*" or operator == "/":
            a, b = self.unit(node.left), self.unit(node.right)
            return _joined(a, b, 1 if operator == "*" else -1)
        if operator == "^":
            return self.power(node.left, node.right)
        if operator in ("+", "-"):
            return self.alike(node.left, node.right, f"'{operator}'")
        if operator in ("&&", "||"):
            self.unit(node.left), self.unit(node.right)
            return _PLAIN
        self.alike(node.left, node.right, f"'{operator}'")
        return _PLAIN

    def power(self, base: Expression, exponent: Expression) -> Sum:
        self.plain(exponent, "an exponent")
        constant = _constant(exponent)
        if constant is None or (constant.denominator > 1 and _constant(base) is not None):
            return self.plain(base, f"'^ {nmodl_text(exponent)}'")
        found = self.unit(base)
        return Sum(tidy(found.code * constant), {key: tidy(k * constant) for key, k in found.terms.items()})

    def call(self, node: Call) -> Sum:
        name, arguments = node.name, node.arguments
        if name in ("pow",):
            return self.power(*arguments)
        if name == "sqrt":
            found = self.unit(arguments[0])
            half = Fraction(1, 2)
            return Sum(tidy(found.code * half), {key: tidy(k * half) for key, k in found.terms.items()})
        if name in ("fabs", "abs"):
            return self.unit(arguments[0])
        if name in ("fmin", "fmax", "min", "max"):
            return self.alike(*arguments, f"'{name}'")
        if name in SIGNATURES:
            return self.fixed(node)
        for argument in arguments:
            self.plain(argument, f"{name}()")
        return _PLAIN

    def fixed(self, node: Call) -> Sum:
        """A function of equations whose arguments have units of their own."""
        wanted, result = SIGNATURES[node.name]
        for argument, unit in zip(node.arguments, wanted):
            found = self.unit(argument)
            if not self.equal(found, Sum(unit.code, _NONE)):
                raise _Misfit(f"{self.describe(argument, found)}, and {node.name}() takes {unit}")
        return Sum(result.code, _NONE)

    def conditional(self, node: Conditional) -> Sum:
        self.unit(node.test)
        return self.alike(node.yes, node.no, "IF and ELSE")

    # --- elimination ---

    def reduce(self, form: Sum) -> Sum:
        """The form without solved unknowns."""
        code: Rational = form.code
        terms: dict[Unknown, Rational] = {}
        stack = list(form.terms.items())
        while stack:
            unknown, k = stack.pop()
            known = self.solved.get(unknown)
            if known is None:
                k += terms.get(unknown, 0)
                if k:
                    terms[unknown] = k
                else:
                    del terms[unknown]
            else:
                code += known.code * k
                stack.extend((other, k * factor) for other, factor in known.terms.items())
        return Sum(tidy(code), terms)

    def equal(self, a: Sum, b: Sum) -> bool:
        """Make two units equal; False if they cannot be."""
        if not a.terms and not b.terms:
            return a.code == b.code
        code, terms = self.reduce(_joined(a, b, -1))
        if not terms:
            return code == 0
        self.solve(Sum(code, terms))
        return True

    def solve(self, form: Sum) -> None:
        """Solve ``form = 0`` for the unknown that takes a unit most gladly."""
        code, terms = form
        pivot = min(terms, key=self.ranks.__getitem__)
        k = terms[pivot]
        if k in (1, -1):
            self.solved[pivot] = Sum(-code * k, {other: -c * k for other, c in terms.items() if other != pivot})
        else:
            self.solved[pivot] = Sum(
                tidy(Fraction(-code, k)), {other: tidy(Fraction(-c, k)) for other, c in terms.items() if other != pivot}
            )

    def settle(self) -> dict[str, UnitValue]:
        """Give every unknown its unit, none to those that may have any; the units of variables."""
        open_ones: dict[Unknown, Sum] = {}
        for unknown, form in self.solved.items():
            reduced = self.reduce(form)
            self.solved[unknown] = reduced
            if reduced.terms:
                open_ones[unknown] = reduced
        # Dimensions and scales apart: a factor like 1e4 takes a scale, the variable beside it a dimension.
        dimensions: list[Sum] = []
        scales: list[Sum] = []
        for unknown, form in open_ones.items():
            terms = {unknown: -1, **form.terms}
            dimension, scale = UnitValue(form.code).halves()
            dimensions.append(Sum(dimension, terms))
            scales.append(Sum(scale, terms))
        order = sorted({unknown for row in scales for unknown in row.terms}, key=self.ranks.__getitem__)
        found = [_solution(dimensions, order), _solution(self.converted(scales), order)]
        if not all(_holds(row, found[1]) for row in scales):  # two conversions that exclude each other
            found[1] = _solution(scales, order)
        for unknown in order:
            self.solved[unknown] = Sum(tidy(sum(solution.get(unknown, 0) for solution in found)), _NONE)
        return {name: UnitValue(self.final(name)) for name in self.ranks if isinstance(name, str)}

    def converted(self, rows: list[Sum]) -> list[Sum]:
        """Rows about scales, with one more for each power of ten that is just the conversion that a row lacks."""
        more = {}
        for code, terms in rows:
            for unknown, k in terms.items():
                scale = self.conversions.get(unknown)
                if scale and code + k * scale == 0:
                    more[unknown] = Sum(-scale, {unknown: 1})
                    break
        return rows + list(more.values())

    def final(self, unknown: Unknown) -> Rational:
        """The code of an unknown; what is still open has none."""
        form = self.solved.get(unknown)
        return 0 if form is None else self.reduce(form).code

    def literals(self, number: int) -> dict[int, UnitValue]:
        """Units of the numbers of a formula."""
        return {
            unknown[1]: UnitValue(self.final(unknown))
            for unknown in self.ranks
            if not isinstance(unknown, str) and unknown[0] == number
        }

    # --- messages ---

    def describe(self, what: Expression | str, form: Sum) -> str:
        text = what if isinstance(what, str) else nmodl_text(what)
        form = self.reduce(form)
        text = text if len(text) <= 60 else text[:57] + "..."
        if form.terms:
            return f"'{text}' has a unit that is not known"
        return f"'{text}' has no unit" if form.code == 0 else f"'{text}' is in {UnitValue(form.code)}"


_RULES: Mapping[type, Callable[..., Sum]] = {
    Number: _System.literal, Name: _System.name, Index: _System.index, Text: _System.text, Unary: _System.unary,
    Binary: _System.binary, Call: _System.call, Conditional: _System.conditional,
}  # fmt: skip


def _rank(node: Number) -> int:
    value = node.value
    if value == 0:
        return _ZERO
    if value == 1:
        return _FACTOR if node.factor else _UNIT
    if node.factor or abs(_power_of_ten(value)) > 1:
        return _FACTOR  # a conversion of units most likely
    return _WHOLE if value == int(value) else _DECIMAL


def _power_of_ten(value: float) -> int:
    """The exponent of a power of ten; 0 for other numbers."""
    decade = log10(value) if value > 0 else 0.5
    return round(decade) if decade == round(decade) else 0


def _joined(a: Sum, b: Sum, sign: int) -> Sum:
    """One form plus or minus another."""
    if not b.terms:
        return Sum(a.code + sign * b.code, a.terms)
    terms = dict(a.terms)
    for unknown, k in b.terms.items():
        k = terms.get(unknown, 0) + sign * k
        if k:
            terms[unknown] = k
        else:
            del terms[unknown]
    return Sum(a.code + sign * b.code, terms)


def _solution(rows: Sequence[Sum], order: Sequence[Unknown]) -> dict[Unknown, Rational]:
    """A solution of ``row = 0`` for all rows in which as many unknowns as possible are 0, from the last in `order` on.

    Solving for the first unknowns wherever that is possible gives the greedy basis of a matroid: the unknowns that are
    not 0 are among the first that can do it.  A row that contradicts others is left out.
    """
    rows = list(rows)
    pivots: list[tuple[Unknown, Sum]] = []
    for unknown in order:
        pivot = next((row for row in rows if unknown in row.terms), None)
        if pivot is None:
            continue
        rows = [_without(row, unknown, pivot) if unknown in row.terms else row for row in rows if row is not pivot]
        pivots.append((unknown, pivot))
    found: dict[Unknown, Rational] = {}
    for unknown, row in reversed(pivots):
        rest = row.code + sum(k * found.get(other, 0) for other, k in row.terms.items() if other != unknown)
        found[unknown] = tidy(Fraction(-rest) / row.terms[unknown])
    return found


def _holds(row: Sum, values: Mapping[Unknown, Rational]) -> bool:
    return row.code + sum(k * values.get(unknown, 0) for unknown, k in row.terms.items()) == 0


def _without(row: Sum, unknown: Unknown, pivot: Sum) -> Sum:
    """A row without an unknown, by means of another row that has it."""
    ratio = Fraction(-row.terms[unknown], 1) / pivot.terms[unknown]
    terms = dict(row.terms)
    for other, k in pivot.terms.items():
        new = tidy(terms.get(other, 0) + ratio * k)
        if new:
            terms[other] = new
        else:
            terms.pop(other, None)
    return Sum(tidy(row.code + ratio * pivot.code), terms)


def _constant(node: Expression) -> Fraction | None:
    """The value of an expression of numbers alone; None for any other."""
    if isinstance(node, Number):
        return Fraction(node.text)
    if isinstance(node, Unary) and node.operator == "-":
        value = _constant(node.operand)
        return None if value is None else -value
    if isinstance(node, Binary) and node.operator in _FOLD:
        left, right = _constant(node.left), _constant(node.right)
        if left is None or right is None or (node.operator == "/" and right == 0):
            return None
        return _FOLD[node.operator](left, right)
    return None


_FOLD: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
}  # fmt: skip
