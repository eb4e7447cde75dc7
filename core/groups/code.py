"""Code of the user (resets, synaptic code, what runs regularly) and conditions, as statements of variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rall.equations.dimensions import check_statements, infer_typed
from rall.errors import EquationError
from rall.functions import place_of
from rall.ir.nodes import Binary, Call, Name, Node, select
from rall.ir.parse import parse
from rall.ir.statements import Statement, parse_statements
from rall.ir.visit import functions, names, walk
from rall.model import Access, Assign, Variable
from rall.registry import closest

if TYPE_CHECKING:
    from rall.groups.group import Group
    from rall.groups.resolver import Resolver

__all__ = ["Code", "code_identifiers", "compile_code", "compile_condition"]


@dataclass
class Code:
    """Statements with what their names stand for.

    Parameters
    ----------
    statements : list of Assign
        In order.
    bindings : dict
        From names to variables.
    written : set of str
        Names of variables that are changed.
    """

    statements: list[Assign]
    bindings: dict[str, Variable | Access]
    written: set[str] = field(default_factory=set)


def code_identifiers(text: str) -> frozenset[str]:
    """Names and functions in some statements, without those that they define for themselves.

    Parameters
    ----------
    text : str
        Assignments, as `parse_statements` takes them.
    """
    found: set[str] = set()
    local: set[str] = set()
    for statement in parse_statements(text):
        used = names(statement.node) | functions(statement.node)
        found |= used - local
        if statement.op == "=" and statement.target not in found:
            local.add(statement.target)
        elif statement.target not in local:
            found.add(statement.target)
    return frozenset(found)


def compile_code(
    group: Group,
    text: str,
    external: Mapping[str, object],
    where: str,
    always: Collection[str] = (),
    every: bool = False,
) -> Code:
    """Turn the user's statements into assignments to variables of a group.

    Parameters
    ----------
    group : Group
        Whose names they use.
    text : str
        The statements.
    external : mapping of str to object
        Values of names that are not the group's.
    where : str
        What they are, for messages.
    always : collection of str
        Variables that are changed even while they stand still otherwise (in the refractory time).
    every : bool
        Whether the code runs for every element in a step, so that shared variables can be set (from shared values);
        code at events runs for some elements, which cannot set what all share.

    Raises
    ------
    EquationError
        Shows the statement, the place and what is wrong.
    """
    statements = parse_statements(text)
    table = group.table()
    for statement in statements:
        _check_target(group, statement, where)
    check_statements(statements, group.environment(external), group.functions(external))
    resolver = group.resolver(external)
    made: list[Assign] = []
    written: set[str] = set()
    differing: set[str] = set()
    for statement in statements:
        value = statement.node
        target = statement.target
        if statement.op != "=":
            value = Binary(statement.op[:-1], Name(target), value)
        frozen = group.frozen_while(target) if target in table else None
        if frozen is not None and target not in always:
            value = select(Name(frozen), value, Name(target))
        node = resolver.node(value)
        made.append(Assign(target, node))
        if target in table:
            _check_shared(table[target], statement, where, every and not _differs(node, resolver, differing))
            resolver.bindings[target] = table[target]
            written.add(target)
        else:
            resolver.local(target)
            if _differs(node, resolver, differing):
                differing.add(target)
    return Code(made, resolver.bindings, written)


def _differs(node: Node, resolver: Resolver, differing: Collection[str]) -> bool:
    """Whether a value may differ between elements; `differing` are the locals that do."""
    if any(isinstance(part, Call) and place_of(part.op) for part in walk(node)):
        return True
    known = [resolver.bindings[name] for name in names(node) if name in resolver.bindings]
    return bool(names(node) & set(differing)) or not all(_is_shared(bound) for bound in known)


def _is_shared(bound: Variable | Access) -> bool:
    return (bound.variable if isinstance(bound, Access) else bound).shared


def _check_shared(bound: Variable | Access, statement: Statement, where: str, same: bool) -> None:
    """What all elements share cannot be set to something else for each of them."""
    if _is_shared(bound) and not same:
        raise statement.value.error(
            f"{where} sets '{statement.target}', which has one value for all elements, to what may differ between "
            "them; leave out the flag 'shared', or use summed synapses or a network_operation to add up"
        )


def _check_target(group: Group, statement: Statement, where: str) -> None:
    target = statement.target
    bound = group.table().get(target)
    if bound is None:
        if target in group.known_names() or target in group.expressions():
            raise statement.value.error(f"{where} sets '{target}', which is computed by its equation and cannot be set")
        if statement.op != "=":
            known = closest(target, group.table())
            raise statement.value.error(f"{where} changes '{target}', which is no variable of '{group.name}'{known}")
        return
    variable = bound.variable if isinstance(bound, Access) else bound
    if variable.role in ("constant", "clock", "table", "scratch") or target in group.links:
        raise statement.value.error(f"{where} sets '{target}', which code cannot change")
    if group.is_constant(target):
        raise statement.value.error(
            f"{where} sets '{target}', which is declared constant; leave out the flag, or the statement"
        )


def compile_condition(
    group: Group, text: str, external: Mapping[str, object], meant: str
) -> tuple[Node, dict[str, Variable | Access]]:
    """Turn a condition of the user's into an expression of variables.

    Parameters
    ----------
    group, external
        As of `compile_code`.
    text : str
        The condition.
    meant : str
        What it is, for the message if it is none.

    Raises
    ------
    EquationError
        If it is a value, or cannot be understood.
    """
    parsed = parse(text)
    found = infer_typed(parsed, group.environment(external), group.functions(external))
    if found.kind != "boolean":
        raise EquationError(f"{meant} is a condition, and '{text}' is a value; compare it with something", text, 0)
    resolver = group.resolver(external)
    node = resolver.node(parsed.node)
    return node, resolver.bindings
