"""Code of the user (resets, synaptic code, what runs regularly) and conditions, as statements of variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rall.equations.dimensions import check_statements, infer_typed
from rall.errors import EquationError
from rall.functions import is_stateful, place_of
from rall.groups.bound import usable, variable_of
from rall.ir.nodes import Binary, Call, Name, Node, select
from rall.ir.parse import parse
from rall.ir.statements import Statement, parse_statements
from rall.ir.visit import functions, names, substitute, walk
from rall.model import Access, Assign, Variable
from rall.registry import closest
from rall.session import warn

if TYPE_CHECKING:
    from rall.groups.group import Group

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
    for_events: bool = False,
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
    for_events : bool
        Whether they run once for each event, and not for all elements at once.

    Raises
    ------
    EquationError
        Shows the statement, the place and what is wrong.
    """
    statements = parse_statements(text)
    table = group.table()
    foreign = code_identifiers(text) & external.keys()
    for statement in statements:
        _check_target(group, statement, where, foreign)
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
        if target not in table:
            resolver.local(target)
            made.append(Assign(target, resolver.node(value)))
            if _differs(made[-1].value, resolver.bindings, differing):
                differing.add(target)
            continue
        frozen = group.frozen_while(target)
        if frozen is not None and target not in always:
            value = select(Name(frozen), value, Name(target))
        made.append(Assign(target, resolver.node(value)))
        if variable_of(table[target]).shared:
            # A draw for what has one value is one draw.
            differs = _names_differ(made[-1].value, resolver.bindings, differing)
            _check_shared(statement, where, for_events, differs)
        resolver.bindings[target] = usable(table[target])
        written.add(target)
    _tell_of_unread(group, statements, table, where)
    return Code(_one_name_each(made, resolver.bindings), resolver.bindings, written)


def _one_name_each(statements: list[Assign], bindings: Mapping[str, Variable | Access]) -> list[Assign]:
    """The statements with one name for each variable, so that what is set as ``u`` is seen as ``u_post`` after it."""
    first: dict[tuple[int, int], str] = {}
    others: dict[str, Name] = {}
    for name, bound in bindings.items():
        key = (id(bound.variable), id(bound.index)) if isinstance(bound, Access) else (id(bound), 0)
        known = first.setdefault(key, name)
        if known != name:
            others[name] = Name(known)
    if not others:
        return statements
    target = {name: node.id for name, node in others.items()}
    return [Assign(target.get(s.target, s.target), substitute(s.value, others)) for s in statements]


def _tell_of_unread(group: Group, statements: Sequence[Statement], table: Collection[str], where: str) -> None:
    """Warn of names that are set, are no variables, and are not read afterwards: mostly misspelt variables."""
    for k, statement in enumerate(statements):
        target = statement.target
        if target not in table and all(target not in names(later.node) for later in statements[k + 1 :]):
            warn(
                f"{where} (made at {group.created_at}) sets '{target}' in '{statement.text}', which is no variable of "
                f"'{group.name}' and is not read afterwards{closest(target, table)}"
            )


def _differs(value: Node, bindings: Mapping[str, Variable | Access], local: Collection[str]) -> bool:
    """Whether a value may differ between elements; `local` are names of which that is known."""
    return _names_differ(value, bindings, local) or any(
        isinstance(node, Call) and (place_of(node.op) or is_stateful(node.op)) for node in walk(value)
    )


def _names_differ(value: Node, bindings: Mapping[str, Variable | Access], local: Collection[str]) -> bool:
    """Whether what a value is computed from may differ between elements, its draws apart."""
    return any(
        name in local or (name in bindings and not variable_of(bindings[name]).shared) for name in names(value)
    )


def _check_shared(statement: Statement, where: str, for_events: bool, differs: bool) -> None:
    if for_events or differs:
        why = "there may be several events in a step" if for_events else "this may differ between them"
        raise statement.error(
            f"{where} sets '{statement.target}', which has one value for all elements, and {why}"
        )


def _check_target(group: Group, statement: Statement, where: str, foreign: Collection[str]) -> None:
    target = statement.target
    bound = group.table().get(target)
    if bound is None:
        if target in foreign:
            raise statement.error(
                f"{where} sets '{target}', which is a value from outside; give the new value another name"
            )
        if target in group.known_names() or target in group.expressions():
            raise statement.error(f"{where} sets '{target}', which is computed by its equation and cannot be set")
        if statement.op != "=":
            known = closest(target, group.table())
            raise statement.error(f"{where} changes '{target}', which is no variable of '{group.name}'{known}")
        return
    variable = variable_of(bound)
    if variable.role in ("constant", "clock", "table", "scratch") or target in group.links:
        raise statement.error(f"{where} sets '{target}', which code cannot change")
    if group.is_constant(target):
        raise statement.error(
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
