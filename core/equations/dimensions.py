"""Dimensions and types of expressions, equations and statements, worked out before anything has a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

from rall.equations.equations import Equations
from rall.equations.lines import DIFFERENTIAL, Line
from rall.equations.names import always_known, typed_of, unknown_name
from rall.equations.text import kind_named
from rall.equations.units import constant_value
from rall.errors import EquationError
from rall.functions import BUILTIN, AbstractFunction, ArgumentMismatch, Typed, describe, highest
from rall.ir.nodes import Binary, Call, Compare, Logic, Name, Node, Not, Number, Select
from rall.ir.parse import Parsed, parse
from rall.ir.render import render
from rall.ir.statements import Statement
from rall.ir.visit import walk
from rall.registry import closest
from rall.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension
from rall.user_functions import as_function

__all__ = [
    "check_equations", "check_expression", "check_statements", "environment", "infer", "infer_typed",
]  # fmt: skip

Functions = Mapping[str, AbstractFunction]
Environment = Mapping[str, tuple[Dimension, str]]

_SECOND = get_or_create_dimension(time=1)
_TIMES = MappingProxyType({
    "t": Typed(_SECOND), "dt": Typed(_SECOND), "t_in_timesteps": Typed(DIMENSIONLESS, "integer"),
})  # fmt: skip
_NO_FUNCTIONS: Functions = MappingProxyType({})
_CONDITION = "a condition cannot be used as a number here; write int(...), which is 1 or 0"


# --- expressions ---


def infer(expression: Parsed | Node, env: Environment, functions: Functions = _NO_FUNCTIONS) -> Dimension:
    """The dimension of an expression; everything in it is checked.

    Parameters
    ----------
    expression : Parsed or Node
        With `Parsed`, errors point into the user's text.
    env : mapping of str to (Dimension, str)
        Names with their dimension and type (``'float'``, ``'integer'``, ``'boolean'``).  Units and rall's
        constants are known besides.
    functions : mapping of str to AbstractFunction, optional
        Functions besides rall's own.

    Returns
    -------
    Dimension
        Of the result.

    Raises
    ------
    EquationError
        If dimensions or types do not fit, or a name is unknown.
    """
    return infer_typed(expression, env, functions).dimension


def infer_typed(expression: Parsed | Node, env: Environment, functions: Functions = _NO_FUNCTIONS) -> Typed:
    """Dimension and type of an expression; parameters and errors as for `infer`.

    Returns
    -------
    Typed
        Of the result.
    """
    return _Inference(expression, env, functions).run()


class _Inference:
    """One pass over one tree, operands first."""

    __slots__ = ("done", "env", "functions", "node", "parsed")

    def __init__(self, expression: Parsed | Node, env: Environment, functions: Functions) -> None:
        self.parsed = expression if isinstance(expression, Parsed) else None
        self.node = expression.node if isinstance(expression, Parsed) else expression
        self.env, self.functions = env, functions
        self.done: dict[Node, Typed] = {}

    def run(self) -> Typed:
        done = self.done
        for node in walk(self.node):
            if isinstance(node, Name):
                done[node] = self.name(node)
            elif isinstance(node, Number):
                done[node] = Typed(DIMENSIONLESS, _type_of_number(node.value))
            elif isinstance(node, Binary):
                done[node] = self.binary(node)
            elif isinstance(node, Call):
                done[node] = self.call(node)
            elif isinstance(node, Compare):
                done[node] = self.compare(node)
            elif isinstance(node, (Logic, Not)):
                done[node] = self.logic(node)
            elif isinstance(node, Select):
                done[node] = self.select(node)
            else:
                raise TypeError(f"a node of kind {type(node).__name__} has no dimension")
        return done[self.node]

    def error(self, message: str, node: Node) -> EquationError:
        if self.parsed is None:
            return EquationError(message, render(self.node))
        return self.parsed.error(message, node)

    def piece(self, node: Node) -> str:
        """The user's text of a part, cut where it is long."""
        text = (self.parsed.piece(node) if self.parsed else None) or render(node)
        return text if len(text) <= 60 else f"{text[:56]} ..."

    def name(self, node: Name) -> Typed:
        known = self.env.get(node.id)
        if known is not None:
            return Typed(*known)
        typed = always_known(node.id)
        if typed is not None:
            return typed
        if node.id in BUILTIN or node.id in self.functions:
            raise self.error(f"'{node.id}' is a function; it is called with parentheses", node)
        raise self.error(unknown_name(node.id, (*self.env, *self.functions)), node)

    def binary(self, node: Binary) -> Typed:
        left, right = (self.done[child] for child in node.children)
        op = node.op
        self.no_conditions(node, left, right)
        kind = highest((left.kind, right.kind))
        kind = "integer" if kind == "boolean" else kind
        if op in ("+", "-", "%"):
            self.same(node, left.dimension, right.dimension)
            return Typed(left.dimension, kind)
        if op == "*":
            return Typed(left.dimension * right.dimension, kind)
        if op in ("/", "//"):
            return Typed(left.dimension / right.dimension, "float" if op == "/" else kind)
        return self.power(node, left, right, kind)

    def no_conditions(self, node: Binary, left: Typed, right: Typed) -> None:
        """A condition counts as 1 or 0 beside a number (``1 + apical``), but not beside another condition."""
        if left.kind != "boolean" and right.kind != "boolean":
            return
        if left.kind == right.kind:
            word = {"+": "; 'or' joins two conditions", "*": "; 'and' joins two conditions"}.get(node.op, "")
            raise self.error(
                f"'{node.op}' stands between two conditions{word or '; write int(...) around them'}", node
            )
        if node.op not in ("+", "-", "*"):
            raise self.error(_CONDITION, node.children[0 if left.kind == "boolean" else 1])

    def power(self, node: Binary, base: Typed, exponent: Typed, kind: str) -> Typed:
        raised = node.children[1]
        if exponent.dimension is not DIMENSIONLESS:
            raise self.error(
                f"an exponent is a plain number; '{self.piece(raised)}' is {describe(exponent.dimension)}",
                node,
            )
        value = constant_value(raised)
        if base.dimension is DIMENSIONLESS:
            whole = kind == "integer" and value is not None and value >= 0
            return Typed(DIMENSIONLESS, "integer" if whole else "float")
        if value is None:
            raise self.error(
                f"'{self.piece(node.children[0])}' is {describe(base.dimension)}; its exponent must be "
                f"a written number, not '{self.piece(raised)}', or the unit of the result is unknown", node,
            )  # fmt: skip
        if not abs(value) <= 100:
            raise self.error(f"an exponent of {value:g} is too large for a value with a unit", node)
        return Typed(base.dimension**value, "float")

    def same(self, node: Node, left: Dimension, right: Dimension) -> None:
        if left is right:
            return
        op = node.op if isinstance(node, (Binary, Compare)) else "if"
        a, b = node.children[-2:]
        hint = ""
        for side, other in ((a, right), (b, left)):
            if isinstance(side, Number) and side.value == 0:
                hint = f"; zero needs its unit too: 0*{other}"
            elif isinstance(side, Number):
                hint = f"; give the number a unit, as in {self.piece(side)}*{other}"
        raise self.error(
            f"the units on both sides of '{op}' differ: left is {describe(left)} ('{self.piece(a)}'), "
            f"right is {describe(right)} ('{self.piece(b)}'){hint}", node,
        )  # fmt: skip

    def compare(self, node: Compare) -> Typed:
        left, right = (self.done[child] for child in node.children)
        self.same(node, left.dimension, right.dimension)
        if (left.kind == "boolean") != (right.kind == "boolean") or (
            left.kind == "boolean" and node.op not in _EQUAL
        ):
            raise self.error(
                f"'{node.op}' compares a condition; use it as it is, or with 'not', or write int(...)", node
            )
        return Typed(DIMENSIONLESS, "boolean")

    def logic(self, node: Node) -> Typed:
        op = node.op if isinstance(node, Logic) else "not"
        for child in node.children:
            typed = self.done[child]
            if typed.kind != "boolean":
                zero = "0" if typed.dimension is DIMENSIONLESS else f"0*{typed.dimension}"
                raise self.error(
                    f"'{op}' takes conditions; '{self.piece(child)}' is {describe(typed.dimension)}; "
                    f"compare it, as in '{self.piece(child)} > {zero}'", child,
                )  # fmt: skip
        return Typed(DIMENSIONLESS, "boolean")

    def select(self, node: Select) -> Typed:
        condition, yes, no = (self.done[child] for child in node.children)
        if condition.kind != "boolean":
            raise self.error("a condition is missing between 'if' and 'else'", node.children[0])
        self.same(node, yes.dimension, no.dimension)
        if (yes.kind == "boolean") != (no.kind == "boolean"):
            raise self.error("one side of this 'if' is a condition, the other a number; write int(...)", node)
        return Typed(yes.dimension, highest((yes.kind, no.kind)))

    def call(self, node: Call) -> Typed:
        function = self.functions.get(node.op) or BUILTIN.get(node.op)
        if function is None:
            raise self.error(self.no_function(node.op), node)
        try:
            return function.result([self.done[child] for child in node.children])
        except ArgumentMismatch as mistake:
            if mistake.index is None:
                raise self.error(mistake.message, node) from None
            argument = node.children[mistake.index]
            message = f"{mistake.message}: '{self.piece(argument)}'"
            if self.parsed is None:
                raise self.error(message, argument) from None
            raise self.parsed.error(message, node, mistake.index) from None

    def no_function(self, name: str) -> str:
        if name in self.env or always_known(name) is not None:
            return f"'{name}' is not a function; write * for a product"
        known = (*BUILTIN, *self.functions)
        hint = (
            closest(name, known)
            or "; a function of your own needs @check_units(...) and must be in the namespace"
        )
        return f"there is no function '{name}'{hint}"


_EQUAL = ("==", "!=")


def _type_of_number(value: float | bool) -> str:
    return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "float"


# --- equations and statements ---


def environment(
    equations: Equations, external: Mapping[str, object] = MappingProxyType({})
) -> tuple[dict[str, tuple[Dimension, str]], dict[str, AbstractFunction]]:
    """What the names in equations are.

    Parameters
    ----------
    equations : Equations
        Whose variables are known.
    external : mapping of str to Quantity, number, (Dimension, str) or AbstractFunction
        What else is known.

    Returns
    -------
    tuple of (dict, dict)
        Names with dimension and type, and functions, for `infer`.
    """
    env: dict[str, tuple[Dimension, str]] = dict(_TIMES)
    functions: dict[str, AbstractFunction] = {}
    for name, value in external.items():
        function = as_function(value)
        if function is None:
            env[name] = typed_of(value)
        else:
            functions[name] = function
    env.update({name: line.typed for name, line in equations.items()})
    env.update({name: typed_of(value) for name, value in equations.bindings.items()})
    return env, functions


def check_equations(equations: Equations, external: Mapping[str, object] = MappingProxyType({})) -> None:
    """Check the dimensions and types of all lines.

    Parameters
    ----------
    equations : Equations
        What to check.
    external : mapping of str to Quantity, number, (Dimension, str) or AbstractFunction
        What the names besides its variables stand for, as `resolve` gives it.

    Raises
    ------
    EquationError
        Shows the line, the place, what was found and what was expected.
    """
    env, functions = environment(equations, external)
    for line in equations.lines:
        if line.value is not None and line.varname:
            _check_line(line, env, functions)
        if line.more:
            kind_named(line.kind).check(line, partial(infer_typed, env=env, functions=functions))
    for name, value in equations.defaults.items():
        if isinstance(value, str):
            line = equations[name]
            check_expression(parse(value), line.dimension, env, functions, line.var_type)


def _check_line(line: Line, env: Environment, functions: Functions) -> None:
    assert line.value is not None
    found = infer_typed(line.value, env, functions)
    wanted = line.dimension / _SECOND if line.kind == DIFFERENTIAL else line.dimension
    if found.dimension is not wanted:
        if line.kind == DIFFERENTIAL:
            what = f"the right-hand side of d{line.varname}/dt must be in {describe(wanted)}"
        else:
            what = f"'{line.varname}' is declared in {describe(wanted)}"
        raise line.value.error(f"{what}, but the expression is {_is(found.dimension)}{_what_is_missing(line, found)}")
    if not _fits(line.var_type, found.kind):
        raise line.value.error(
            f"'{line.varname}' is declared {line.var_type}, "
            f"but the expression is {_KINDS[found.kind]}{_how_to_fit(line.var_type)}"
        )


def _what_is_missing(line: Line, found: Typed) -> str:
    if line.kind != DIFFERENTIAL:
        return f"; write ': {found.dimension}' at the end of the line, or mend the expression"
    if found.dimension is line.dimension:
        return "; a change per time is needed: divide it by a time constant"
    return ""


_KINDS = {"float": "a number", "integer": "an integer", "boolean": "a condition"}


def _is(dimension: Dimension) -> str:
    return describe(dimension) if dimension is DIMENSIONLESS else f"in {dimension}"


def _fits(declared: str, found: str) -> bool:
    # A condition can be kept as a number, 1 or 0; a number is no condition.
    return found == declared or declared == "float" or (declared == "integer" and found == "boolean")


def _how_to_fit(declared: str) -> str:
    return "; compare it with something" if declared == "boolean" else "; write int(...) around it"


def check_expression(
    expression: Parsed,
    wanted: Dimension,
    env: Environment,
    functions: Functions = _NO_FUNCTIONS,
    kind: str = "float",
) -> Typed:
    """Check that an expression fits where it is used.

    Parameters
    ----------
    expression : Parsed
        What to check.
    wanted : Dimension
        What it must have.
    env, functions : mapping
        As for `infer`.
    kind : str
        ``'float'``, ``'integer'`` or ``'boolean'`` (a condition).

    Returns
    -------
    Typed
        What it is.

    Raises
    ------
    EquationError
        If it does not fit.
    """
    found = infer_typed(expression, env, functions)
    if found.dimension is not wanted:
        raise expression.error(f"this must be {_is(wanted)}, but it is {_is(found.dimension)}")
    if not _fits(kind, found.kind):
        wanted_kind = _KINDS[kind]
        raise expression.error(
            f"this must be {wanted_kind}, but it is {_KINDS[found.kind]}{_how_to_fit(kind)}"
        )
    return found


def check_statements(
    statements: Iterable[Statement], env: Environment, functions: Functions = _NO_FUNCTIONS
) -> dict[str, Typed]:
    """Check the dimensions and types of assignments.

    Parameters
    ----------
    statements : iterable of Statement
        In their order.
    env, functions : mapping
        As for `infer`; a target that is not in `env` is a new local name.

    Returns
    -------
    dict of str to Typed
        The local names.

    Raises
    ------
    EquationError
        Shows the statement, the place, what was found and what was expected.
    """
    known: dict[str, tuple[Dimension, str]] = dict(env)
    local: dict[str, Typed] = {}
    for statement in statements:
        found = infer_typed(statement.value, known, functions)
        target = known.get(statement.target)
        if target is None:
            local[statement.target] = known[statement.target] = _new_local(statement, found)
        else:
            _check_assignment(statement, Typed(*target), found)
    return local


def _new_local(statement: Statement, found: Typed) -> Typed:
    if statement.op != "=":
        raise statement.value.error(
            f"'{statement.target}' has no value yet that '{statement.op}' could change"
        )
    if always_known(statement.target) is not None or statement.target in BUILTIN:
        raise statement.value.error(
            f"'{statement.target}' is a constant, a unit or a function and cannot be assigned to"
        )
    return found


def _check_assignment(statement: Statement, target: Typed, found: Typed) -> None:
    name, op, value = statement.target, statement.op, statement.value
    if op in ("=", "+=", "-=", "%="):
        if found.dimension is not target.dimension:
            raise value.error(
                f"'{name}' is {_is(target.dimension)}, but what '{op}' gives it is {_is(found.dimension)}; a value in "
                f"{target.dimension} is needed"
            )
    elif found.dimension is not DIMENSIONLESS and (
        op == "**=" or target.dimension is not found.dimension * target.dimension
    ):
        raise value.error(
            f"'{op}' must keep the unit of '{name}'; it takes a plain number, not {describe(found.dimension)}"
        )
    elif op == "**=" and target.dimension is not DIMENSIONLESS:
        raise value.error(f"'{op}' would change the unit of '{name}' ({describe(target.dimension)})")
    if op != "=" and "boolean" in (target.kind, found.kind):
        raise value.error(f"'{op}' cannot be used with conditions; write int(...), or '='")
    if (op == "=" and not _fits(target.kind, found.kind)) or (
        target.kind == "integer" and found.kind == "float"
    ):
        raise value.error(
            f"'{name}' is {_KINDS[target.kind]}, but what '{op}' gives it is {_KINDS[found.kind]}"
            f"{_how_to_fit(target.kind)}"
        )
