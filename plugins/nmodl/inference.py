"""Units of numbers and variables that have none in the file, from the equations in which they stand.

NMODL knows units of declared variables; literals and many variables have none.  Each of these is an unknown.  Sums,
comparisons and assignments ask for equal units, products add exponents, a constant power multiplies them: linear
equations (A. Kennedy, Dimension types, ESOP 1994).  They are taken in one after the other.  Where an expression does
not fit with what is known before it, it is multiplied by the unit that is missing: that keeps the numbers that NEURON
has, and a message says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import log10
from types import MappingProxyType
from typing import NamedTuple

from rall.errors import EquationError
from rall.plugins.nmodl.elimination import PLAIN, Product, System, Unknown
from rall.plugins.nmodl.printing import SIGNATURES, Corrections, constant, equation_text, nmodl_text, variables
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
)
from rall.plugins.nmodl.units import ONE, STANDARD, UnitTable, UnitValue

__all__ = ["Formula", "Inference", "Inferred", "infer"]

_MS = UnitTable().unit("ms")
_HALF = Fraction(1, 2)
# Numbers that are Faraday's and the gas constant, whatever their last digits; of variables other units are usual too.
_CONSTANTS = tuple(
    (value, UnitTable().unit(unit)) for value, unit in (
        (96485.3, "coulomb/mole"), (8.3145, "joule/mole-degC"), (96.4853, "kilocoulomb/mole"),
        (9.64853, "10000 coulomb/mole"),
    )
)  # fmt: skip
_CLOSE = 6e-4
_ROOTS = 4  # roots up to this of unknown units are taken; others do not come up with units
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Formula:
    """An equation of which the units are wanted.

    Parameters
    ----------
    target : str
        The variable that it gives.
    expression : Expression
        Its right-hand side.  Functions of the file are inlined; a number that comes up in two places with two units
        must be two nodes (in one formula; formulas may share nodes).
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
    corrections : mapping of (int, int) to UnitValue
        Units by which parts are multiplied that do not fit; see `equation_text`.
    messages : tuple of str
        What does not fit, with file and line.
    """

    formula: Formula
    literals: Mapping[int, UnitValue] = field(repr=False)
    corrections: Corrections = field(repr=False)
    messages: tuple[str, ...] = ()


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
        What was assumed, and what does not fit, for people.
    lenient : bool
        Whether numbers in the formulas have no units and variables are divided by theirs.
    """

    formulas: tuple[Inferred, ...]
    units: Mapping[str, UnitValue]
    notices: tuple[str, ...] = ()
    lenient: bool = False

    def text(self, number: int, names: Mapping[str, str] = _NO_NAMES) -> str:
        """The right-hand side of a formula for rall's equations.

        Parameters
        ----------
        number : int
            Which, from 0.
        names : mapping of str to str
            What variables are called in equations; see `equation_text`.

        Returns
        -------
        str
        """
        inferred = self.formulas[number]
        if self.lenient:
            return equation_text(
                inferred.formula.expression, names=names, lenient=self.units, result=self.result(number)
            )
        return equation_text(inferred.formula.expression, inferred.literals, names, inferred.corrections)

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
        return unit / _MS if formula.rate else unit


def infer(
    formulas: Sequence[Formula],
    declared: Mapping[str, UnitValue],
    units: UnitTable | None = None,
    file: str = "",
    lenient: bool = False,
    strict: bool = False,
    values: Mapping[str, float] = MappingProxyType({}),
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
        Whether variables are to be divided by their units and numbers taken as they are; what is not declared then
        has no unit.
    strict : bool
        Whether units that do not fit are an error.
    values : mapping of str to float
        Of constants and parameters without a unit: what has the value of Faraday's or of the gas constant is that one.

    Returns
    -------
    Inference

    Raises
    ------
    EquationError
        In strict mode, for the first place that does not fit.  In any mode for a number with a unit that is none.
    """
    known = {**declared, **STANDARD}
    if lenient:
        known.update(
            {name: ONE for f in formulas for name in (f.target, *variables(f.expression)) if name not in known}
        )
        return Inference(tuple(Inferred(f, {}, {}) for f in formulas), known, lenient=True)
    reader = _Reader(known, {f.target for f in formulas if f.rate}, units or UnitTable())
    for name, value in values.items():
        if name not in known:
            reader.suppose(name, value)
    found = reader.settled(formulas)
    odd = dict.fromkeys(reader.odd(found), ONE)
    if odd:  # rather a message about what does not fit than a gate in thousandths
        return infer(formulas, {**declared, **odd}, units, file, lenient, strict, values)
    messages: list[dict[str, None]] = [{} for _ in formulas]  # in their order, each once
    for misfit in reader.misfits:
        message = f"{_place(file, misfit)}: {misfit.message(found)}"
        if strict:
            raise EquationError(message)
        messages[misfit.number][message] = None
    parts = zip(formulas, reader.literals, reader.corrections, map(tuple, messages))
    done = tuple(Inferred(*each) for each in parts)
    names = {key: unit for key, unit in found.items() if isinstance(key, str)}
    return Inference(done, {**known, **names}, _notices(names, done, file))


def _place(file: str, misfit: _Misfit) -> str:
    return f"{file}:{misfit.line}" if file else f"line {misfit.line}"


def _notices(names: Mapping[str, UnitValue], formulas: Iterable[Inferred], file: str) -> tuple[str, ...]:
    groups: dict[str, list[str]] = {}
    for name, unit in names.items():
        if not unit.is_plain:
            groups.setdefault(str(unit), []).append(name)
    where = f"{file}: " if file else ""
    lines = [
        f"{where}{', '.join(group)} {'has' if len(group) == 1 else 'have'} no unit in the file; taken as {unit}"
        for unit, group in groups.items()
    ]
    lines += [f"{message}; the numbers are taken as NEURON takes them" for f in formulas for message in f.messages]
    return tuple(lines)


# --- what expressions ask for ---------------------------------------------------------------------------------------

# How gladly an unknown carries a unit; see `System.unknown`.
_ZERO, _VARIABLE, _DIVISOR, _DECIMAL, _WHOLE, _FACTOR, _STATE, _UNIT = range(8)


class _Misfit(NamedTuple):
    """Two units that are not equal; said when all units are known."""

    number: int
    line: int
    parts: tuple[tuple[str, Product], ...]
    ending: str

    def message(self, found: Mapping[Unknown, UnitValue]) -> str:
        said = []
        for text, product in self.parts:
            unit = UnitValue(product.code)
            for key, power in product.powers.items():
                unit = unit * found[key] ** power
            said.append(f"'{text}' has no unit" if unit.is_plain else f"'{text}' is in {unit}")
        return self.ending.format(*said)


class _Reader:
    """Takes formulas in, one after the other."""

    def __init__(self, known: Mapping[str, UnitValue], states: set[str], table: UnitTable) -> None:
        self.known = {name: Product(unit.code, PLAIN.powers) for name, unit in known.items()}
        self.states, self.table = states, table
        self.system = System()
        self.misfits: list[_Misfit] = []
        self.corrections: list[dict[tuple[int, int], UnitValue]] = []
        self.literals: list[dict[int, UnitValue]] = []
        self.number, self.line, self.asked = 0, 0, 0

    def settled(self, formulas: Sequence[Formula]) -> dict[Unknown, UnitValue]:
        """Take all formulas in; the units of all unknowns."""
        for number, formula in enumerate(formulas):
            self.add(number, formula)
        found = self.system.settle()
        for key, unit in found.items():
            if not isinstance(key, str):
                self.literals[key[0]][key[1]] = unit
        return found

    def odd(self, found: Mapping[Unknown, UnitValue]) -> Iterator[str]:
        """Variables whose unit nobody means: a bare scale, or of a state anything that has no name of its own."""
        for key, unit in found.items():
            if isinstance(key, str) and not unit.is_plain:
                state = key in self.states and not str(unit).isidentifier()
                if state or unit.is_dimensionless:
                    yield key

    def add(self, number: int, formula: Formula) -> None:
        self.number, self.line = number, formula.at.line
        self.corrections.append({})
        self.literals.append({})
        target = self.name(Name(formula.target))
        value = self.unit(formula.expression)
        if formula.rate:
            target = target.times(Product(_MS.code, PLAIN.powers), -1)
        wrong = self.system.equal(target, value)
        if wrong:
            self.corrections[number][0, 0] = UnitValue(wrong)
            left = formula.target + ("'" if formula.rate else "")
            self.misfit(((left, target), (_shown(formula.expression), value)), "{}, but {}")

    def misfit(self, parts: tuple[tuple[str, Product], ...], ending: str) -> None:
        self.misfits.append(_Misfit(self.number, self.line, parts, ending))

    def unit(self, node: Expression) -> Product:
        return _RULES[type(node)](self, node)

    def ask(self, parent: Expression, slot: int, node: Expression, where: str, unit: UnitValue = ONE) -> None:
        """Ask for a certain unit."""
        self.asked += 1
        found = self.unit(node)
        self.asked -= 1
        wrong = self.system.equal(Product(unit.code, PLAIN.powers), found)
        if wrong:
            self.corrections[self.number][id(parent), slot] = UnitValue(wrong)
            taken = "a number without a unit" if unit.is_plain else str(unit)
            self.misfit(((_shown(node), found),), "{}, and " + f"{where} takes {taken}")

    def alike(self, parent: Expression, nodes: Sequence[Expression], where: str) -> Product:
        """Ask for equal units of a parent's nodes, the last two of its slots."""
        left, right = nodes
        a, b = self.unit(left), self.unit(right)
        wrong = self.system.equal(a, b)
        if wrong:
            self.corrections[self.number][id(parent), 1] = UnitValue(wrong)
            self.misfit(((_shown(left), a), (_shown(right), b)), "{} and {}, which " + where + " cannot join")
            return a
        return b if a.powers else a

    def name(self, node: Name | Index) -> Product:
        known = self.known.get(node.name)
        if known is None:
            return self.system.unknown(node.name, _STATE if node.name in self.states else _VARIABLE)
        return known

    def text(self, node: Text) -> Product:
        return PLAIN

    def literal(self, node: Number) -> Product:
        if node.unit:
            unit = self.literals[self.number][id(node)] = self.table.unit(node.unit)
            return Product(unit.code, PLAIN.powers)
        value = node.value
        tens = _power_of_ten(value)
        conversion = UnitValue.of((), -tens).code if tens else 0
        self.suppose((self.number, id(node)), value)
        return self.system.unknown((self.number, id(node)), _rank(node, value, tens), conversion)

    def divisor(self, node: Expression) -> Product:
        """What divides in the argument of a function: 10 in ``exp((v + 55)/10)`` rather than a factor there."""
        if self.asked and isinstance(node, Number) and not node.unit:
            return self.system.unknown((self.number, id(node)), _DIVISOR)
        return self.unit(node)

    def suppose(self, key: Unknown, value: float) -> None:
        """What the value of a number or of a variable without a unit tells."""
        for known, unit in _CONSTANTS if isinstance(key, str) else _CONSTANTS[:2]:
            if abs(value / known - 1) < _CLOSE:
                self.system.suppose(key, unit.code)

    def unary(self, node: Unary) -> Product:
        found = self.unit(node.operand)
        return PLAIN if node.operator == "!" else found

    def binary(self, node: Binary) -> Product:
        operator = node.operator
        if operator == "*":
            return self.unit(node.left).times(self.unit(node.right))
        if operator == "/":
            return self.unit(node.left).times(self.divisor(node.right), -1)
        if operator == "^":
            return self.power(node, (node.left, node.right))
        if operator in ("+", "-"):
            return self.alike(node, (node.left, node.right), f"'{operator}'")
        if operator in ("&&", "||"):
            self.unit(node.left)
            self.unit(node.right)
        else:
            self.alike(node, (node.left, node.right), f"'{operator}'")
        return PLAIN

    def power(self, node: Expression, parts: Sequence[Expression]) -> Product:
        base, exponent = parts
        self.ask(node, 1, exponent, "an exponent")
        value = constant(exponent)
        # A number to a broken power is a q10, and what is unknown to a power like 4.8 has no unit.
        if value is None or (value.denominator > 1 and constant(base) is not None):
            return self.plain_base(node, parts)
        found = self.system.reduced(self.unit(base))
        if value.denominator > _ROOTS and found.powers:
            return self.plain_base(node, parts)
        return found.raised(value)

    def plain_base(self, node: Expression, parts: Sequence[Expression]) -> Product:
        self.ask(node, 0, parts[0], f"'^{nmodl_text(parts[1])}'")
        return PLAIN

    def call(self, node: Call) -> Product:
        name, arguments = node.name, node.arguments
        if name == "pow":
            return self.power(node, arguments)
        if name == "sqrt":
            return self.unit(arguments[0]).raised(_HALF)
        if name in ("fabs", "abs"):
            return self.unit(arguments[0])
        if name in ("fmin", "fmax", "min", "max"):
            return self.alike(node, arguments, f"{name}()")
        wanted, result = SIGNATURES.get(name, ((ONE,) * len(arguments), ONE))
        for slot, (argument, unit) in enumerate(zip(arguments, wanted)):
            self.ask(node, slot, argument, f"{name}()", unit)
        return Product(result.code, PLAIN.powers)

    def conditional(self, node: Conditional) -> Product:
        self.unit(node.test)
        return self.alike(node, (node.yes, node.no), "IF and ELSE")


_RULES: Mapping[type, Callable[..., Product]] = {
    Number: _Reader.literal, Name: _Reader.name, Index: _Reader.name, Text: _Reader.text, Unary: _Reader.unary,
    Binary: _Reader.binary, Call: _Reader.call, Conditional: _Reader.conditional,
}  # fmt: skip


def _shown(node: Expression) -> str:
    text = nmodl_text(node)
    return text if len(text) <= 60 else text[:57] + "..."


def _rank(node: Number, value: float, tens: int) -> int:
    if value == 0:
        return _ZERO
    if value == 1:
        return _UNIT
    if node.factor or abs(tens) > 1:
        return _FACTOR  # a conversion of units most likely
    return _WHOLE if value == int(value) else _DECIMAL


def _power_of_ten(value: float) -> int:
    """The exponent of a power of ten; 0 for other numbers."""
    decade = log10(value) if value > 0 else 0.5
    return round(decade) if decade == round(decade) else 0
