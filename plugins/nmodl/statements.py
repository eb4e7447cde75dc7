"""Statements of NMODL, as they stand in blocks."""

from __future__ import annotations

from collections.abc import Callable

from rall.plugins.nmodl.expressions import assigned, expression, integer, number, operand, variable
from rall.plugins.nmodl.lexer import DEEPEST_BLOCK, DEEPEST_TREE, Lexer
from rall.plugins.nmodl.reactions import add_to_equation, compartment, conserve, equation_or_reaction
from rall.plugins.nmodl.syntax import (
    Block,
    Call,
    CallStatement,
    Expression,
    For,
    If,
    Index,
    Local,
    Name,
    Number,
    Opaque,
    Place,
    Solve,
    Statement,
    Table,
    Watch,
    While,
)

__all__ = ["arguments", "local", "statements"]


_BLOCKS = frozenset(
    "NEURON UNITS PARAMETER ASSIGNED STATE CONSTANT INDEPENDENT DEFINE INITIAL BREAKPOINT DERIVATIVE KINETIC LINEAR "
    "NONLINEAR PROCEDURE FUNCTION FUNCTION_TABLE NET_RECEIVE BEFORE AFTER DISCRETE CONSTRUCTOR DESTRUCTOR".split()
)


def statements(words: Lexer) -> tuple[Statement, ...]:
    """Read ``{ ... }``; an INITIAL of NET_RECEIVE is put into `Lexer.initial`."""
    opened = words.place()
    words.expect("{", f"to begin the statements of {words.block}" if words.braces == 0 else "to begin statements")
    words.braces += 1
    words.nested += 1
    if words.braces > DEEPEST_BLOCK:
        words.fail(f"braces are nested more than {DEEPEST_BLOCK} deep; move the inner statements to a PROCEDURE")
    found: list[Statement] = []
    while words.kind != "}":
        if words.kind == "end":
            words.fail(f"the file ends inside {words.block}: the '{{' of line {opened.line} has no '}}'", opened)
        _statement(words, found)
    words.braces -= 1
    words.nested -= 1
    words.advance()
    return tuple(found)


def _statement(words: Lexer, found: list[Statement]) -> None:
    if words.kind == "name":
        found.append(_assignment_or_call(words))
        return
    reader = _READERS.get(words.kind)
    if reader is None:
        words.fail(_unknown(words))
    reader(words, found)


def _unknown(words: Lexer) -> str:
    if words.kind in _BLOCKS:
        return f"{words.kind} cannot stand inside {words.block}; a '}}' may be missing before it"
    return f"expected a statement or '}}', not {words.word()}"


def _assignment_or_call(words: Lexer) -> Statement:
    at, name = words.place(), words.value
    target = operand(words)
    if isinstance(target, Call):
        return CallStatement(target, at=at)
    assert isinstance(target, Name | Index)  # it began with a name
    words.expect("=", f"or arguments in parentheses after {name}")
    return assigned(target, expression(words), at)


# --- declarations and blocks of statements --------------------------------------------------------------------------


def local(words: Lexer) -> Local:
    """Read ``LOCAL a, b[3]``."""
    at = words.place()
    words.expect("LOCAL", "here")
    names: list[tuple[str, Expression | None]] = []
    while True:
        name, length = words.name("the name of a variable after LOCAL"), None
        if words.take("["):
            length = Number(str(integer(words, "the length of an array")), at=words.place())
            words.expect("]", "after the length of an array")
        names.append((name, length))
        if not words.take(","):
            return Local(tuple(names), at=at)


def arguments(words: Lexer, what: str) -> tuple[tuple[str, str | None], ...]:
    """Read ``(a (mV), b)``: names and units; `what` has them, for the message."""
    words.expect("(", f"before the arguments of {what}")
    found: list[tuple[str, str | None]] = []
    while words.kind != ")":
        if found:
            words.expect(",", f"or ')' after an argument of {what}")
        name = words.name(f"the name of an argument of {what}")
        found.append((name, words.unit()))
    words.advance()
    return tuple(found)


def _local(words: Lexer, found: list[Statement]) -> None:
    found.append(local(words))


def _braces(words: Lexer, found: list[Statement]) -> None:
    at = words.place()
    inside = statements(words)
    if any(isinstance(statement, Local) for statement in inside):
        found.append(If(Number("1", at=at), inside, at=at))  # its names end with it
    else:
        found.extend(inside)


def _initial(words: Lexer, found: list[Statement]) -> None:
    at = words.place()
    if words.block != "NET_RECEIVE":
        words.fail(f"INITIAL cannot stand inside {words.block}; a '}}' may be missing before it")
    if words.initial is not None:
        words.fail("NET_RECEIVE has one INITIAL; put the statements of this one into the first")
    words.advance()
    words.initial = Block("INITIAL", "", body=statements(words), at=at)


def _if(words: Lexer, found: list[Statement]) -> None:
    links: list[tuple[Place, Expression, tuple[Statement, ...]]] = []
    otherwise: tuple[Statement, ...] = ()
    nested = words.nested
    while True:
        at = words.place()
        words.advance()
        links.append((at, _test(words, "IF"), statements(words)))
        words.nested += 1  # an ELSE IF stands in the IF before it
        if words.nested > DEEPEST_TREE // 2:
            words.fail(f"more than {DEEPEST_TREE // 2} ELSE IFs in a row; split them over several IFs")
        if not words.take("ELSE"):
            break
        if words.kind != "IF":
            otherwise = statements(words)
            break
    words.nested = nested
    for at, test, yes in reversed(links):
        otherwise = (If(test, yes, otherwise, at=at),)
    found.extend(otherwise)


def _test(words: Lexer, what: str) -> Expression:
    words.expect("(", f"after {what}")
    test = expression(words)
    if words.kind == "=":
        words.fail("'=' gives a variable a value; a comparison is written a == b")
    words.expect(")", f"after the condition of {what}")
    return test


def _while(words: Lexer, found: list[Statement]) -> None:
    at = words.place()
    words.advance()
    test = _test(words, "WHILE")
    found.append(While(test, statements(words), at=at))


def _from(words: Lexer, found: list[Statement]) -> None:
    at = words.place()
    words.advance()
    name = words.name("the name of the index after FROM")
    words.expect("=", "after the index of FROM")
    first = expression(words)
    words.expect("TO", "after the first value of FROM")
    last = expression(words)
    step = expression(words) if words.take("BY") else None
    found.append(For(name, first, last, step, statements(words), at=at))


# --- single statements ----------------------------------------------------------------------------------------------


def _solve(words: Lexer, found: list[Statement]) -> None:
    at = words.place()
    words.advance()
    name = words.name("the name of a block after SOLVE")
    steady, method = words.kind == "STEADYSTATE", ""
    if words.kind in ("METHOD", "STEADYSTATE"):
        word = words.kind
        words.advance()
        method = words.name(f"a method after {word}, such as cnexp,")
    found.append(Solve(name, method, steady, at=at))
    if words.take("IFERROR"):
        statements(words)  # what to do when the method fails: rall says so itself


def _table(words: Lexer, found: list[Statement]) -> None:
    at = words.place()
    words.advance()
    names = _names(words, "TABLE") if words.kind == "name" else ()
    if words.take("DEPEND"):
        _names(words, "DEPEND")
    words.expect("FROM", "in TABLE")
    expression(words)
    words.expect("TO", "in TABLE")
    expression(words)
    words.expect("WITH", "in TABLE")
    number(words)
    found.append(Table(names, at=at))


def _names(words: Lexer, what: str) -> tuple[str, ...]:
    found = [words.name(f"a name after {what}")]
    while words.take(","):
        found.append(words.name(f"a name after ',' in {what}"))
    return tuple(found)


def _watch(words: Lexer, found: list[Statement]) -> None:
    while True:
        at = words.place()
        words.advance()
        test = _test(words, "WATCH")
        found.append(Watch(test, operand(words), at=at))
        if words.kind != ",":
            return


def _protect(words: Lexer, found: list[Statement]) -> None:
    words.advance()
    if words.kind != "name":
        words.fail(f"after PROTECT comes an assignment, not {words.word()}")
    found.append(_assignment_or_call(words))


def _verbatim(words: Lexer, found: list[Statement]) -> None:
    found.append(Opaque("VERBATIM", words.value, at=words.place()))
    words.advance()


def _mutex(words: Lexer, found: list[Statement]) -> None:
    found.append(Opaque(words.kind, at=words.place()))
    words.advance()


def _conductance(words: Lexer, found: list[Statement]) -> None:
    at, start = words.place(), words.end
    words.advance()
    words.name("the name of a conductance after CONDUCTANCE")
    if words.take("USEION"):
        words.name("the name of an ion after USEION")
    found.append(Opaque("CONDUCTANCE", words.text[start : words.previous].strip(), at=at))


def _lag(words: Lexer, found: list[Statement]) -> None:
    at, start = words.place(), words.end
    words.advance()
    variable(words, "the name of a variable after LAG")
    words.expect("BY", "in LAG")
    words.name("the name of a constant after BY")
    found.append(Opaque("LAG", words.text[start : words.previous].strip(), at=at))


def _netcons(words: Lexer, found: list[Statement]) -> None:
    at, start = words.place(), words.end
    words.advance()
    arguments(words, "FOR_NETCONS")
    statements(words)
    found.append(Opaque("FOR_NETCONS", words.text[start : words.previous].strip(), at=at))


def _equation(words: Lexer, found: list[Statement]) -> None:
    found.append(equation_or_reaction(words))


def _added(words: Lexer, found: list[Statement]) -> None:
    add_to_equation(words, found)


def _compartment(words: Lexer, found: list[Statement]) -> None:
    found.append(compartment(words))


def _conserve(words: Lexer, found: list[Statement]) -> None:
    found.append(conserve(words))


_READERS: dict[str, Callable[[Lexer, list[Statement]], None]] = {
    "{": _braces, "~": _equation, "~+": _added, "LOCAL": _local, "INITIAL": _initial, "IF": _if, "WHILE": _while,
    "FROM": _from, "SOLVE": _solve, "TABLE": _table, "WATCH": _watch, "PROTECT": _protect, "VERBATIM": _verbatim,
    "MUTEXLOCK": _mutex, "MUTEXUNLOCK": _mutex, "CONDUCTANCE": _conductance, "LAG": _lag, "FOR_NETCONS": _netcons,
    "CONSERVE": _conserve, "COMPARTMENT": _compartment, "LONGITUDINAL_DIFFUSION": _compartment,
}  # fmt: skip
