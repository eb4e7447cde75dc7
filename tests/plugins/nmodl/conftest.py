"""What the tests of units in NMODL share: expressions from text, and their numbers as NEURON has them."""

from __future__ import annotations

import math
import operator

import pytest

from rall.equations.dimensions import infer as dimension_of
from rall.evaluate import evaluate
from rall.ir.parse import parse as parse_equation
from rall.ir.visit import names
from rall.plugins.nmodl.inference import Formula
from rall.plugins.nmodl.inference import infer as infer_units
from rall.plugins.nmodl.parser import parse
from rall.plugins.nmodl.printing import variables
from rall.plugins.nmodl.syntax import Binary, Call, Conditional, Name, Number, Rate, Unary
from rall.plugins.nmodl.units import UnitTable
from rall.units.table import lookup

_OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow,
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "&&": lambda a, b: bool(a) and bool(b), "||": lambda a, b: bool(a) or bool(b),
}  # fmt: skip
_FUNCTIONS = {"fabs": abs, "fmin": min, "fmax": max, "pow": operator.pow}


def value_of(node, values):
    """The number of an expression in NEURON, where numbers have no units."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return values[node.name]
    if isinstance(node, Conditional):
        return value_of(node.yes if value_of(node.test, values) else node.no, values)
    if isinstance(node, Unary):
        inner = value_of(node.operand, values)
        return -inner if node.operator == "-" else not inner
    if isinstance(node, Call):
        function = _FUNCTIONS.get(node.name) or getattr(math, node.name)
        return function(*(value_of(argument, values) for argument in node.arguments))
    assert isinstance(node, Binary)
    return _OPERATORS[node.operator](value_of(node.left, values), value_of(node.right, values))


def formulas_of(text):
    """Formulas from lines such as ``m' = (minf - m)/tau``; ``c ? a : b`` cannot be written."""
    program = parse(f"NEURON {{ SUFFIX x }}\nPROCEDURE p() {{ {text.strip()}\n}}")
    return [
        Formula(line.target.name, line.value, line.at, isinstance(line, Rate)) for line in program.blocks[0].body
    ]


class Checked:
    """What inference finds, with every printed equation held against NEURON's number and its dimension."""

    def __init__(self, formulas, inference):
        self.formulas, self.inference = formulas, inference
        self.units = {name: str(unit) for name, unit in inference.units.items()}
        self.notices = inference.notices
        self.texts = [inference.text(number) for number in range(len(formulas))]
        self.messages = [message for one in inference.formulas for message in one.messages]
        for number in range(len(formulas)):
            self.check(number)

    def check(self, number):
        expression, units = self.formulas[number].expression, self.inference.units
        used = sorted(set(variables(expression)))
        numbers = {name: -33.5 if name == "v" else 0.4 + 0.3 * place for place, name in enumerate(used)}
        own = {name: f"{name}_own" for name in used}  # a variable may be called like a unit
        text = self.inference.text(number, own)
        node = parse_equation(text).node
        known = {own[name]: (units[name].dimension, "float") for name in used}
        result = self.inference.result(number)
        assert dimension_of(node, known) is result.dimension, text
        si = {own[name]: numbers[name] * units[name].scale for name in used}
        si.update({name: float(lookup(name).value) for name in names(node) if name not in si})
        try:
            wanted = float(value_of(expression, numbers))
        except (ZeroDivisionError, OverflowError):
            return  # made-up formulas may have no value
        found = float(evaluate(node, si)) / result.scale
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12), text


@pytest.fixture
def infer():
    """``infer(lines, **units)``: units of the lines; checks dimensions and numbers of all that is printed."""

    def run(lines, *, options=None, **declared):
        formulas = formulas_of(lines) if isinstance(lines, str) else lines
        table = UnitTable()
        units = {name: table.unit(text) for name, text in declared.items()}
        return Checked(formulas, infer_units(formulas, units, **(options or {})))

    return run


@pytest.fixture
def expression():
    """``expression(text)``: an expression of NMODL."""
    return lambda text: formulas_of(f"x = {text}")[0].expression


@pytest.fixture
def neuron_value():
    """``neuron_value(expression, values)``: its number in NEURON."""
    return value_of
