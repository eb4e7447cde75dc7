"""Lines of equations: differential equations, subexpressions, parameters, and what plugins add."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rall.equations.flags import Flag, check_flags, find_flag, parse_flags
from rall.equations.units import parse_unit
from rall.errors import EquationError
from rall.functions import BUILTIN, CONSTANTS, Typed
from rall.ir.nodes import Name, Node
from rall.ir.parse import KEYWORDS, Parsed, Source, parse, tokens
from rall.ir.visit import functions, is_noise, names
from rall.units.dimension import Dimension
from rall.units.table import lookup

__all__ = [
    "ASSIGN", "BOUND_PREFIX", "DIFFERENTIAL", "NAME", "PARAMETER", "SUBEXPRESSION", "AbstractLineKind",
    "DifferentialKind", "Expression", "Line", "ParameterKind", "SubexpressionKind", "Tail", "check_identifier",
    "parse_tail", "rename_flag", "rename_tokens",
]  # fmt: skip

DIFFERENTIAL, SUBEXPRESSION, PARAMETER = "differential equation", "subexpression", "parameter"

#: Regular expressions for a name and for the sign of a definition.
NAME, ASSIGN = r"[A-Za-z_][A-Za-z0-9_]*", r"\s*=(?![=>])"
#: Begins the names, in trees, of values that were put in by keyword.
BOUND_PREFIX = "_value_"

_RESERVED = {
    "t": "the time", "dt": "the time step", "t_in_timesteps": "the number of the time step",
    "i": "the index of an element", "N": "the number of elements", "xi": "white noise",
}  # fmt: skip


class Expression(str):
    """An expression as text, which is also its `code`, as scripts for Brian 2 ask for it."""

    __slots__ = ()

    @property
    def code(self) -> str:
        """The text."""
        return str(self)


@dataclass(frozen=True)
class Line:
    """One line of equations.

    Parameters
    ----------
    kind : str
        ``'differential equation'``, ``'subexpression'``, ``'parameter'``, or a plugin's.
    varname : str
        The variable that it defines; empty if it defines none.
    dimension : Dimension
        Of the variable.
    var_type : str
        ``'float'``, ``'integer'`` or ``'boolean'``.
    unit : str
        The unit as the user wrote it.
    value : Parsed or None
        The right-hand side.
    flags : tuple of Flag
        In the user's order.
    text : str
        The whole line, without comments.
    where : Source
        Where the line stands in what the user wrote.
    bound : tuple of (str, str)
        Names in the text that stand for fixed values, and what they are called in the tree.
    payload : object
        What a plugin's kind of line keeps for itself; compared by value.
    more : tuple of Parsed
        Expressions besides the right-hand side, which plugins' kinds of line may have.
    """

    kind: str
    varname: str
    dimension: Dimension
    var_type: str
    unit: str = field(compare=False)
    value: Parsed | None
    flags: tuple[Flag, ...]
    text: str = field(compare=False)
    where: Source = field(compare=False, repr=False)
    bound: tuple[tuple[str, str], ...] = ()
    payload: object = None
    more: tuple[Parsed, ...] = ()

    @property
    def type(self) -> str:
        """The same as `kind` (the name in Brian 2)."""
        return self.kind

    @property
    def dim(self) -> Dimension:
        """The same as `dimension` (the name in Brian 2)."""
        return self.dimension

    @property
    def node(self) -> Node:
        """The right-hand side's tree.

        Raises
        ------
        ValueError
            If the line has none.
        """
        if self.value is None:
            raise ValueError(f"the line of {self.varname!r} has no expression")
        return self.value.node

    @property
    def expr(self) -> Expression | None:
        """The right-hand side as text with single spaces; None if there is none."""
        return None if self.value is None else Expression(" ".join(self.value.text.split()))

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """Names in its expressions: variables, constants, functions; values that were put in are not."""
        inner = {internal for _, internal in self.bound}
        found = (names(part.node) | functions(part.node) for part in self.expressions)
        return frozenset().union(*found) - inner

    @property
    def expressions(self) -> tuple[Parsed, ...]:
        """The right-hand side, if there is one, and what else a plugin's kind of line has."""
        return self.more if self.value is None else (self.value, *self.more)

    @property
    def number(self) -> int:
        """The line's number in the user's text, from 1."""
        return self.where.line_number()

    @property
    def typed(self) -> Typed:
        """Dimension and type of the variable."""
        return Typed(self.dimension, self.var_type)

    @cached_property
    def stochastic_variables(self) -> frozenset[str]:
        """Names of white noise in the right-hand side: ``xi``, ``xi_...``."""
        return frozenset(name for name in self.identifiers if is_noise(name))

    def flag(self, name: str) -> Flag | None:
        """The flag of that name, or None."""
        return next((flag for flag in self.flags if flag.name == name), None) if self.flags else None

    def has(self, name: str) -> bool:
        """Whether the line carries a flag."""
        return self.flag(name) is not None

    def refuse_flags(self, group: str) -> None:
        """Refuse flags that have no meaning in a kind of group.

        Parameters
        ----------
        group : str
            As `FlagKind.home` has it, ``'a NeuronGroup'``.

        Raises
        ------
        EquationError
            If the line carries one that is of other groups.
        """
        for flag in self.flags:
            home = find_flag(flag.name).home
            if home not in ("", group):
                raise self.error(f"the flag '{flag.name}' has no meaning in {group}; it belongs to {home}")

    def error(self, message: str, node: Node | None = None) -> EquationError:
        """An error that shows the line, pointing at a part of the right-hand side or at its beginning."""
        if self.value is not None and node is not None:
            return self.value.error(message, node)
        return self.where.error(message)

    def __str__(self) -> str:
        return " ".join(self.text.split())


class AbstractLineKind(ABC):
    """A kind of line: how it is recognised, and how it is read.  Registered in the group ``rall.lines``."""

    __slots__ = ()
    name: str

    @abstractmethod
    def matches(self, text: str) -> bool:
        """Whether a line is of this kind.

        Parameters
        ----------
        text : str
            The line without comments.
        """

    @abstractmethod
    def parse(self, text: str, where: Source, bound: Mapping[str, str]) -> Line:
        """Read a line.

        Parameters
        ----------
        text : str
            The line without comments.
        where : Source
            Where it stands, for messages and for the parser of expressions.
        bound : mapping of str to str
            Names that stand for fixed values, and what they are called in the tree.

        Returns
        -------
        Line
            With this kind's name.
        """

    def expand(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """What lines of this kind mean, in lines that every group understands.

        Parameters
        ----------
        lines : tuple of Line
            All lines of some equations, which are complete.

        Returns
        -------
        tuple of Line
            The same, with differential equations, subexpressions and parameters in the place of lines that define
            variables; a line that defines none may stay.  What is so already is left as it is.
        """
        return lines

    def check(self, line: Line, infer: Callable[[Parsed], Typed]) -> None:
        """Check the dimensions of what a line holds besides its right-hand side.

        Parameters
        ----------
        line : Line
            A line of this kind.
        infer : callable
            From an expression to its dimension and type.

        Raises
        ------
        EquationError
            Shows the line and the place.
        """
        return None

    def rename(self, line: Line, mapping: Mapping[str, str]) -> str:
        """The line's text with other names, for substitution by keyword.

        Parameters
        ----------
        line : Line
            A line of this kind.
        mapping : mapping of str to str
            Name to what replaces it.

        Returns
        -------
        str
            Text that `parse` reads.
        """
        return rename_tokens(line.text, mapping)


# --- the three kinds of the core ---

_CAUGHT = ASSIGN.replace("=", "(=)", 1)


class _Written(AbstractLineKind):
    """What the kinds of the core have in common: head, expression, unit, flags."""

    __slots__ = ()
    head: re.Pattern[str]

    def matches(self, text: str) -> bool:
        return self.head.match(text) is not None

    def parse(self, text: str, where: Source, bound: Mapping[str, str]) -> Line:
        match = self.head.match(text)
        if match is None:
            raise where.error(f"this is not a {self.name}")
        varname = match[1]
        check_identifier(varname, _at(where, match.start(1)))
        colon = text.find(":", match.start(2))
        if colon < 0:
            raise where.error(_no_unit(varname), len(text.rstrip()))
        value = None
        if match[2] != ":":
            value = parse(text[match.end() : colon], _at(where, match.end()), bound)
            _check_prefix(value, bound)
        tail = parse_tail(text, colon + 1, where)
        if self.name == DIFFERENTIAL and tail.var_type != "float":
            raise where.error(f"a differential equation cannot be {tail.var_type}; give it a unit, or 1", tail.begin)
        check_flags(tail.flags, self.name)
        kept = tuple((shown, internal) for shown, internal in bound.items() if _uses(value, internal))
        what = (tail.dimension, tail.var_type, tail.unit)
        return Line(self.name, varname, *what, value, tail.flags, text, where, kept)

    def rename(self, line: Line, mapping: Mapping[str, str]) -> str:
        flags = [rename_flag(flag, mapping) for flag in line.flags]
        tail = f" : {line.unit}" + (f" ({', '.join(flags)})" if flags else "")
        varname = mapping.get(line.varname, line.varname)
        if line.value is None:
            return varname + tail
        left = f"d{varname}/dt" if self.name == DIFFERENTIAL else varname
        expression = rename_tokens(" ".join(line.value.text.split()), mapping)
        return f"{left} = {expression}{tail}"


class DifferentialKind(_Written):
    """``dx/dt = f : unit (flags)``."""

    __slots__ = ()
    name = DIFFERENTIAL
    head = re.compile(rf"\s*d({NAME})\s*/\s*dt{_CAUGHT}")


class SubexpressionKind(_Written):
    """``x = f : unit (flags)``."""

    __slots__ = ()
    name = SUBEXPRESSION
    head = re.compile(rf"\s*({NAME}){_CAUGHT}")


class ParameterKind(_Written):
    """``x : unit (flags)``."""

    __slots__ = ()
    name = PARAMETER
    head = re.compile(rf"\s*({NAME})\s*(:)")


def _at(where: Source, position: int) -> Source:
    return Source(where.text, where.offset + position, where.line)


def _uses(value: Parsed | None, name: str) -> bool:
    return value is not None and name in names(value.node)


def _check_prefix(value: Parsed, bound: Mapping[str, str]) -> None:
    for name in names(value.node):
        if name.startswith(BOUND_PREFIX) and name not in bound.values():
            raise value.error(f"names that begin with '{BOUND_PREFIX}' are kept for rall", Name(name))


def _no_unit(varname: str) -> str:
    return f"the unit is missing: end the line of '{varname}' with ': volt', say, or ': 1' for a plain number"


@dataclass(frozen=True)
class Tail:
    """What stands behind the colon of a line.

    Parameters
    ----------
    dimension : Dimension
        Of the unit.
    var_type : str
        ``'float'``, ``'integer'`` or ``'boolean'``.
    unit : str
        As the user wrote it.
    flags : tuple of Flag
        In the user's order.
    begin : int
        Where the unit begins in the line.
    """

    dimension: Dimension
    var_type: str
    unit: str
    flags: tuple[Flag, ...]
    begin: int


def parse_tail(text: str, start: int, where: Source) -> Tail:
    """Unit and flags of a line.

    Parameters
    ----------
    text : str
        The line without comments.
    start : int
        Behind the colon.
    where : Source
        Where the line stands.

    Raises
    ------
    EquationError
        If there is no such unit or flag.
    """
    unit, flags_start, flags_text = _split_tail(text, start, where)
    begin = start + len(text[start:]) - len(text[start:].lstrip())
    dimension, var_type = parse_unit(unit, _at(where, begin))
    flags = parse_flags(flags_text, _at(where, flags_start)) if flags_text is not None else ()
    return Tail(dimension, var_type, unit, flags, begin)


def _split_tail(text: str, start: int, where: Source) -> tuple[str, int, str | None]:
    """Unit, place of the flags and their text (None if there are none), from what follows the colon."""
    tail = text[start:].rstrip()
    if not tail.endswith(")"):
        opened = re.search(r"(?<=[\w)])\s*\([^)]*$|\s\([^()]*\(", tail)
        if opened is not None and tail.count("(") > tail.count(")"):
            raise where.error("the parenthesis of the flags is never closed", start + tail.index("("))
        return tail.strip(), 0, None
    depth = 0
    for position in range(len(tail) - 1, -1, -1):
        depth += (tail[position] == ")") - (tail[position] == "(")
        if depth == 0:
            break
    else:
        raise where.error("this ')' has no matching '('", start + len(tail) - 1)
    unit = tail[:position].strip()
    if not unit or unit[-1] in "*/":  # a parenthesis inside the unit, as in siemens/(metre*second)
        return (tail.strip(), 0, None) if unit else (unit, start + position + 1, tail[position + 1 : -1])
    return unit, start + position + 1, tail[position + 1 : -1]


# --- names ---


def check_identifier(name: str, where: Source) -> None:
    """Refuse a name that cannot be a variable.

    Parameters
    ----------
    name : str
        What the user wants to define.
    where : Source
        Where it stands.

    Raises
    ------
    EquationError
        Says what the name is kept for.
    """
    reason = ""
    if name in KEYWORDS:
        reason = "is a word of Python"
    elif name.startswith("_"):
        reason = "begins with an underscore; such names are kept for rall"
    elif name in _RESERVED:
        reason = f"is {_RESERVED[name]}"
    elif name.startswith("xi_"):
        reason = "is white noise, as are all names that begin with xi_"
    elif name in BUILTIN:
        reason = "is a function"
    elif name in CONSTANTS:
        reason = "is a constant"
    elif lookup(name) is not None:
        reason = f"is a unit ({lookup(name)!r})"
    if reason:
        raise where.error(f"'{name}' cannot be the name of a variable: it {reason}; choose another one")


# --- names replaced in text ---


def rename_tokens(text: str, mapping: Mapping[str, str]) -> str:
    """Text with some of its names replaced.

    Parameters
    ----------
    text : str
        An expression.
    mapping : mapping of str to str
        Name to what replaces it, with the parentheses that it needs.

    Returns
    -------
    str
        All else as it was.
    """
    pieces, position = [], 0
    for kind, start, word in tokens(text):
        if kind == "name" and word in mapping:
            pieces += [text[position:start], mapping[word]]
            position = start + len(word)
    return "".join((*pieces, text[position:]))


def rename_flag(flag: Flag, mapping: Mapping[str, str]) -> str:
    """The text of a flag, with other names in its arguments."""
    words = " ".join((flag.name, *(mapping.get(word, word) for word in flag.args)))
    return ", ".join((words, *(f"{key}={rename_tokens(value, mapping)}" for key, value in flag.kwargs)))
