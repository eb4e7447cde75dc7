"""What a mechanism's statements do, as definitions: procedures and functions are followed where they are called.

A block is executed once with names in the place of numbers.  Each assignment makes a definition (static single
assignment: Cytron et al., ACM TOPLAS 13:451, 1991), an IF makes conditional definitions of what its branches
assigned, loops with known bounds are unrolled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from rall.plugins.nmodl.algebra import constant, names, neg, rebuilt, size, trivial, whole_number
from rall.plugins.nmodl.refusal import Refuse
from rall.plugins.nmodl.singular import smooth
from rall.plugins.nmodl.syntax import (
    Assign,
    Binary,
    Block,
    Call,
    CallStatement,
    Conditional,
    Expression,
    For,
    If,
    Index,
    Local,
    Name,
    Number,
    Opaque,
    Place,
    Program,
    Rate,
    Statement,
    Table,
    Text,
    Unary,
    While,
)  # fmt: skip
from rall.plugins.nmodl.verbatim import harmless

__all__ = ["BUILTIN", "COPIED", "Definition", "Definitions", "Flow"]

Scope: TypeAlias = dict[str, Expression | None]

#: Functions of NMODL with the same meaning in equations, after `rall.plugins.nmodl.singular`.
BUILTIN: Mapping[str, int] = {
    **dict.fromkeys((
        "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "abs",
        "fabs", "floor", "ceil", "exprel", "exprelr", "xoexpm1",
    ), 1),
    **dict.fromkeys(("pow", "fmin", "fmax", "min", "max"), 2),
    "nernst": 3, "ghk": 4,
}  # fmt: skip
#: Kinds of names that a mechanism is given: what it assigns to them is seen by itself alone.
COPIED = ("GIVEN", "READ")
_SILENT = frozenset(("printf", "fprintf", "fflush", "prterr", "at_time", "set_seed", "state_discontinuity_off"))
_FEW = 6  # parts of an expression that is written out wherever its local name stands
_COMPARED = 8  # of a variable's earlier values, how many may be the new one
_MOST_STATEMENTS, _MOST_DEFINITIONS = 20_000, 10_000


def _of_ions(node: Call, arguments: tuple[Expression, ...]) -> Expression:
    """NEURON's own ``nernst(inside, outside, valence)`` and ``ghk(v, inside, outside, valence)``, outward positive."""
    *v, inside, outside, valence = arguments
    kelvin = Binary("+", Name("celsius", at=node.at), Number("273.15", at=node.at), at=node.at)
    made = Call(node.name, (*v, valence, inside, outside, kelvin), at=node.at)
    return Unary("-", made, at=node.at) if v else made


@dataclass
class Definition:
    """One value of one variable.

    Parameters
    ----------
    variable : str
        The variable, as the file has it.
    expression : Expression
        In which other definitions stand by their keys.
    local : bool
        Whether the variable is a LOCAL, an argument or a function.
    number : int
        How many there were before.
    """

    variable: str
    expression: Expression
    local: bool
    number: int


class Definitions(dict[str, Definition]):
    """All definitions by their keys, ``variable#number``, in the order of their making."""

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[str, list[str]] = {}

    def make(self, variable: str, expression: Expression, local: bool) -> Name:
        """The definition's name; of an equal one if there is one.

        Parameters
        ----------
        variable : str
            What is defined.
        expression : Expression
            Its value.
        local : bool
            Whether it is a LOCAL, an argument or a function.
        """
        known = self._of.setdefault(variable, [])
        for key in known[-_COMPARED:]:
            if self[key].expression == expression and self[key].local == local:
                return Name(key, at=expression.at)
        key = f"{variable}#{len(self)}"
        known.append(key)
        self[key] = Definition(variable, expression, local, len(self))
        return Name(key, at=expression.at)


@dataclass
class _Call:
    """A procedure or function that is being followed: its name and its scopes, the innermost last."""

    name: str
    scopes: list[Scope] = field(default_factory=list)


class _Branches(NamedTuple):
    """An IF: its condition, the first definition of its branches, and what the first branch assigned anew."""

    test: Expression
    first: int
    assigned: Set[str]


class Flow:
    """The execution of blocks.

    Parameters
    ----------
    program : Program
        The file.
    definitions : Definitions
        Filled.
    refuse : Refuse
        Raises errors about the file.
    known : mapping of str to str
        Declared names that stand for themselves, and what they are (``'PARAMETER'``, ``'STATE'`` ...); ``'GIVEN'``
        for what a mechanism is told (v, t, dt, celsius, diam), ``'READ'`` and ``'WRITE'`` for variables of ions.
    more : mapping of type to callable
        What to do with further kinds of statements: takes the flow and the statement.
    earlier : mapping of str to Expression
        What the variables were assigned before (by INITIAL).

    Attributes
    ----------
    values : dict of str to Expression
        What the variables of the file were assigned so far; rates under the name with a prime.
    branching : int
        How many IFs with a condition that is not known before the run stand around.
    notices : dict of str to None
        What was left out or assumed, each once.
    """

    def __init__(
        self,
        program: Program,
        definitions: Definitions,
        refuse: Refuse,
        known: Mapping[str, str],
        more: Mapping[type, Callable[..., None]] = MappingProxyType({}),
        earlier: Mapping[str, Expression] = MappingProxyType({}),
    ) -> None:
        self.definitions, self.refuse, self.known = definitions, refuse, known
        self._earlier = earlier
        self._handlers = {**_HANDLERS, **more}
        self.values: dict[str, Expression] = {}
        self.branching = 0
        self._moving: dict[str, bool] = {}
        self.notices: dict[str, None] = {}
        self._blocks = {block.name: block for block in program.blocks if block.name}
        self._defines = dict(program.defines)
        self._calls: list[_Call] = [_Call("")]
        self._done = 0

    # --- names ---

    def read(self, name: str, at: Place) -> Expression:
        """What a name stands for here."""
        for scope in reversed(self._calls[-1].scopes):
            if name in scope:
                return scope[name] or Number("0", at=at)  # not assigned yet: whatever it is, it is not used
        if name in self.values:
            found = self.values[name]
            return Name(found.name, at=at) if isinstance(found, Name) else found
        if name in self._defines:
            return Number(str(self._defines[name]), at=at)
        if self.known.get(name) == "LOCAL" and not self._earlier:
            return Number("0", at=at)  # LOCAL outside blocks: 0 until something is assigned
        if name in self.known:
            return Name(name, at=at)
        raise self.refuse(at, f"'{name}' is not declared", "declare it in PARAMETER, ASSIGNED or LOCAL")

    def assign(self, name: str, value: Expression) -> None:
        """Give a variable a value."""
        value = smooth(value)
        for scope in reversed(self._calls[-1].scopes):
            if name in scope:
                scope[name] = self._local(name, value)
                return
        if name not in self.known:
            raise self.refuse(value.at, f"'{name}' is assigned but not declared", "declare it in ASSIGNED or LOCAL")
        if self.known[name] in COPIED:
            self.values[name] = self._local(name, value)
            return
        self.values[name] = self.definitions.make(name, value, False)

    def _local(self, name: str, value: Expression) -> Expression:
        if trivial(value) or size(value, _FEW) <= _FEW:
            return value
        counted = whole_number(value)
        if counted is not None:
            number = Number(str(abs(counted)), at=value.at)
            return neg(number) if counted < 0 else number
        if len(self.definitions) > _MOST_DEFINITIONS:
            raise self.refuse(value.at, "the procedures call each other too often", "simplify the file")
        return self.definitions.make(name.partition("[")[0], value, True)

    def value_with(self, name: str, number: str, node: Expression) -> Expression:
        """An expression in which a name (none if empty) stands for a number."""
        self._calls[-1].scopes.append({name: Number(number)} if name and number else {})
        result = self.value(node)
        self._calls[-1].scopes.pop()
        return result

    def named(self, name: str, value: Expression) -> Expression:
        """A value under a name that is the importer's own, unless it is short."""
        return self._local(name, value)

    def element(self, node: Index) -> str:
        """The name of an element of an array."""
        value = constant(self.value(node.index))
        if value is None or value != int(value):
            raise self.refuse(node.at, f"the index of '{node.name}' is not known before the run", "use FROM loops")
        return f"{node.name}[{int(value)}]"

    # --- expressions ---

    def value(self, node: Expression) -> Expression:
        """An expression with what its names stand for here."""
        if isinstance(node, Name):
            return self.read(node.name, node.at)
        if isinstance(node, Number):  # a new one: it may have another unit each time a function is followed
            return Number(node.text, node.unit, node.factor, at=node.at) if len(self._calls) > 1 else node
        if isinstance(node, Binary):
            return rebuilt(node, (self.value(node.left), self.value(node.right)))
        if isinstance(node, Unary):
            inner = self.value(node.operand)
            return neg(inner) if node.operator == "-" else Unary("!", inner, at=node.at)
        if isinstance(node, Index):
            return self.read(self.element(node), node.at)
        if isinstance(node, Call):
            return self._called(node)
        if isinstance(node, Text):
            raise self.refuse(node.at, "a text cannot be part of an expression", "")
        return rebuilt(node, tuple(self.value(part) for part in (node.test, node.yes, node.no)))

    def _called(self, node: Call) -> Expression:
        block = self._blocks.get(node.name)
        if block is not None and block.kind in ("FUNCTION", "PROCEDURE", "DERIVATIVE"):
            return self._inlined(block, node)
        if block is not None:
            what = f"{block.kind} '{node.name}' cannot be called"
            raise self.refuse(node.at, what, "write it as a FUNCTION", block.kind)
        if node.name == "at_time":
            return Number("0", at=node.at)
        if node.name not in BUILTIN:
            raise self.refuse(node.at, f"the function '{node.name}' is not known", "define it as a FUNCTION")
        wanted, given = BUILTIN[node.name], len(node.arguments)
        if wanted != given:
            raise self.refuse(node.at, f"'{node.name}' takes {wanted} argument{'s' * (wanted > 1)}, not {given}", "")
        arguments = tuple(self.value(part) for part in node.arguments)
        return _of_ions(node, arguments) if node.name in ("nernst", "ghk") else Call(node.name, arguments, at=node.at)

    def _inlined(self, block: Block, call: Call) -> Expression:
        """Follow a procedure or function; what the function gives."""
        if any(active.name == block.name for active in self._calls):
            raise self.refuse(call.at, f"'{block.name}' calls itself", "write it without recursion", block.kind)
        if len(block.arguments) != len(call.arguments):
            wanted = len(block.arguments)
            raise self.refuse(call.at, f"'{block.name}' takes {wanted} arguments, not {len(call.arguments)}", "")
        given = [self.value(part) for part in call.arguments]
        scope: Scope = {
            name: self._local(name, value) for (name, _), value in zip(block.arguments, given)
        }
        scope[block.name] = None
        self._calls.append(_Call(block.name, [scope]))
        self.run(block.body)
        result = self._calls.pop().scopes[0][block.name]
        return result or Number("0", at=call.at)

    # --- statements ---

    def run(self, body: Sequence[Statement]) -> None:
        """Execute statements in a scope of their own."""
        scopes = self._calls[-1].scopes
        scopes.append({})
        for statement in body:
            self._done += 1
            if self._done > _MOST_STATEMENTS:
                raise self.refuse(statement.at, "there are too many statements once loops are written out", "")
            handler = self._handlers.get(type(statement))
            if handler is None:
                kind = type(statement).__name__.upper()
                raise self.refuse(statement.at, f"{kind} has no meaning here", "leave it out", kind)
            handler(self, statement)
        scopes.pop()

    def _assign(self, statement: Assign) -> None:
        value = self.value(statement.value)
        target = statement.target
        self.assign(self.element(target) if isinstance(target, Index) else target.name, value)

    def _rate(self, statement: Rate) -> None:
        if statement.order != 1:
            raise self.refuse(statement.at, "a second derivative", "write two equations of first order", "DERIVATIVE")
        target = statement.target
        name = self.element(target) if isinstance(target, Index) else target.name
        if self.known.get(name) != "STATE":
            raise self.refuse(statement.at, f"'{name}' is no STATE", "declare it in STATE")
        self.values[name + "'"] = smooth(self.value(statement.value))

    def _call(self, statement: CallStatement) -> None:
        if statement.call.name not in _SILENT or statement.call.name in self._blocks:
            self._called(statement.call)

    def _locals(self, statement: Local) -> None:
        scope = self._calls[-1].scopes[-1]
        for name, length in statement.names:
            if length is None:
                scope[name] = None
                continue
            count = constant(self.value(length))
            if count is None or not 0 < count < 1000:
                raise self.refuse(statement.at, f"the length of '{name}' is not known", "give a number")
            scope.update({f"{name}[{k}]": None for k in range(int(count))})

    def _if(self, statement: If) -> None:
        test = self.value(statement.test)
        fixed = constant(test)
        if fixed is not None:
            self.run(statement.yes if fixed else statement.no)
            return
        first = len(self.definitions)
        before = self._snapshot()
        self.branching += 1
        self.run(statement.yes)
        taken = self._snapshot()
        self._restore(before)
        self.run(statement.no)
        self.branching -= 1
        branches = _Branches(test, first, taken[0].keys() - before[0].keys())
        other = self._snapshot()
        merged = [self._merged_values(branches, taken[0], other[0])]
        merged += [self._merged(branches, yes, no) for yes, no in zip(taken[1:], other[1:])]
        self._restore(merged)

    def _snapshot(self) -> list[Scope]:
        return [dict(self.values), *(dict(scope) for scope in self._calls[-1].scopes)]

    def _restore(self, scopes: Sequence[Scope]) -> None:
        self.values = {name: value for name, value in scopes[0].items() if value is not None}
        for scope, saved in zip(self._calls[-1].scopes, scopes[1:]):
            scope.clear()
            scope.update(saved)

    def _merged(self, branches: _Branches, yes: Scope, no: Scope) -> Scope:
        """Local variables after an IF; what one branch leaves without a value is what the other says."""
        result: Scope = {}
        for name in {**yes, **no}:
            a, b = yes.get(name), no.get(name)
            if a is None or b is None or a == b:
                result[name] = a or b
            else:
                result[name] = self._local(name, self._choice(branches, a, b))
        return result

    def _merged_values(self, branches: _Branches, yes: Scope, no: Scope) -> Scope:
        """Variables of the file after an IF."""
        result: Scope = {}
        for name in {**yes, **no}:
            a = yes.get(name) or self._remembered(branches, name, no.get(name))
            b = no.get(name) or self._remembered(branches, name, yes.get(name))
            if a == b:
                result[name] = a
                continue
            value = self._choice(branches, a, b)
            if name.endswith("'"):
                result[name] = value
            elif self.known.get(name) in COPIED:
                result[name] = self._local(name, value)
            else:
                result[name] = self.definitions.make(name, value, False)
        return result

    def _choice(self, branches: _Branches, yes: Expression, no: Expression) -> Expression:
        opened = (self._opened(yes, branches.first), self._opened(no, branches.first))
        return smooth(Conditional(branches.test, *opened, at=branches.test.at))

    def _remembered(self, branches: _Branches, name: str, other: Expression | None) -> Expression:
        """The value of a variable in a branch that does not assign it.

        Where the condition does not change in a run it is the one from before the run.  ``if (last != celsius) { last
        = celsius ... }`` is a way to compute something once: the branch is taken.
        """
        if name.endswith("'"):
            return Number("0")
        at = branches.test.at
        if self.known.get(name) in (*COPIED, "STATE", "PARAMETER"):
            return Name(name, at=at)
        free = {n for n in names(branches.test) if n in branches.assigned and self.known.get(n) != "STATE"}
        if other is not None and free and not self.moves(other):
            return other
        if not self.moves(branches.test):
            return self._earlier.get(name) or Number("0", at=at)
        return Name(name, at=at)

    def moves(self, node: Expression) -> bool:
        """Whether an expression may change during a run."""
        for name in names(node):
            found = self.definitions.get(name)
            kind = self.known.get(name, "")
            if found is not None:
                if name not in self._moving:
                    self._moving[name] = self.moves(found.expression)
                if self._moving[name]:
                    return True
            elif kind in ("STATE", "READ", "WRITE") or name in ("v", "t", "dt"):
                return True
            elif kind in ("ASSIGNED", "LOCAL") and name in self._earlier and self.moves(self._earlier[name]):
                return True
        return False

    def _opened(self, node: Expression, first: int) -> Expression:
        """What a branch assigned, written out."""
        found = self.definitions.get(node.name) if isinstance(node, Name) else None
        return node if found is None or found.number < first else found.expression

    def _while(self, statement: While) -> None:
        while True:
            self._done += 1
            test = constant(self.value(statement.test))
            if test is None:
                what = "how often this WHILE runs is not known before the run"
                raise self.refuse(statement.at, what, "use FROM", "WHILE")
            if not test:
                return
            if self._done > _MOST_STATEMENTS:
                raise self.refuse(statement.at, "this WHILE does not end", "", "WHILE")
            self.run(statement.body)

    def _for(self, statement: For) -> None:
        bounds = [
            constant(self.value(bound)) if bound is not None else 1.0
            for bound in (statement.first, statement.last, statement.step)
        ]
        if any(bound is None or bound != int(bound) for bound in bounds) or not bounds[2]:
            what = "the bounds of this FROM are not known before the run"
            raise self.refuse(statement.at, what, "use numbers", "FROM")
        first, last, step = (int(bound) for bound in bounds if bound is not None)
        scopes = self._calls[-1].scopes
        for k in range(first, last + (1 if step > 0 else -1), step):
            scopes.append({statement.variable: Number(str(k))})
            self.run(statement.body)
            scopes.pop()

    def block(self, name: str, at: Place) -> Block:
        """The block of a name."""
        if name not in self._blocks:
            raise self.refuse(at, f"there is no block '{name}' to SOLVE", "", "SOLVE")
        return self._blocks[name]

    def _opaque(self, statement: Opaque) -> None:
        if statement.kind == "VERBATIM":
            if not harmless(statement.text):
                raise self.refuse(
                    statement.at, "VERBATIM holds C code", "write what it does in NMODL, or leave it out", "VERBATIM"
                )
            self.notices["VERBATIM without effect on the equations was left out"] = None

    def _nothing(self, statement: Table) -> None:
        self.notices["TABLE was ignored: the functions themselves are evaluated"] = None


_HANDLERS: Mapping[type, Callable[..., None]] = {
    Assign: Flow._assign, Rate: Flow._rate, CallStatement: Flow._call, Local: Flow._locals, If: Flow._if,
    While: Flow._while, For: Flow._for, Opaque: Flow._opaque, Table: Flow._nothing,
}  # fmt: skip

