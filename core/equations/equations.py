"""Equations: lines that belong together, as users write and add them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from rall.equations.lines import (
    BOUND_PREFIX,
    DIFFERENTIAL,
    PARAMETER,
    SUBEXPRESSION,
    Expression,
    Line,
    check_identifier,
    rename_tokens,
)  # fmt: skip
from rall.equations.merging import equal_values, joined
from rall.equations.text import kind_named, parse_line, parse_lines
from rall.errors import EquationError, RallWarning
from rall.functions import describe
from rall.ir.nodes import Name, Node
from rall.ir.parse import Source, parse, tokens
from rall.ir.render import render
from rall.ir.visit import names, substitute
from rall.registry import closest
from rall.units.dimension import DIMENSIONLESS, Dimension
from rall.units.quantity import Quantity, dimension_of, value_of

__all__ = ["Equations"]

Value: TypeAlias = Quantity | float
Default: TypeAlias = Quantity | float | str | np.ndarray[Any, Any]
_KINDS = (DIFFERENTIAL, SUBEXPRESSION, PARAMETER)


class Equations(Mapping[str, Line]):
    """Equations of a model: a mapping from the names of variables to their lines; cannot be changed.

    Parameters
    ----------
    text : str, Equations, or list or tuple of Line
        The lines, see `rall.equations.text.parse_lines`.
    defaults : mapping of str to Quantity, number or str, optional
        Values that variables start with.  Dimensions are checked.
    sources : str or iterable of str, optional
        Where the equations come from: citations.
    **substitutions : str, Quantity or number
        What replaces a name: another name, an expression as text, or a fixed value.  Values stay data: two
        equations that differ in them alone have the same trees.

    Attributes
    ----------
    lines : tuple of Line
        All lines in the user's order, also those that define no variable.
    bindings : mapping of str to Quantity or number
        Values that were put in by keyword, by their names in the trees.
    defaults : mapping of str to Quantity, number or str
        Values that variables start with.
    sources : tuple of str
        Citations, each once.
    names, diff_eq_names, subexpr_names, parameter_names, eq_names : tuple of str
        All variables; those with a differential equation; subexpressions; parameters; those with a right-hand
        side.  In the order of their lines.
    differential_equations, subexpressions, parameters : tuple of Line
        The lines of each kind.
    ordered_subexpressions : tuple of Line
        Subexpressions, each after those that it uses.

    Raises
    ------
    EquationError
        If the text cannot be understood, a variable is defined twice, or subexpressions go round in a circle;
        shows the line and the place.

    Examples
    --------
    >>> eqs = Equations("dv/dt = -v/tau : volt") + Equations("tau : second (constant)")
    >>> eqs.parameter_names
    ('tau',)
    """

    __slots__ = (
        "_by_name", "_texts", "bindings", "defaults", "diff_eq_names", "differential_equations", "eq_names",
        "lines",        "names", "ordered_subexpressions", "parameter_names", "parameters", "sources",
        "subexpr_names", "subexpressions",
    )  # fmt: skip
    lines: tuple[Line, ...]
    differential_equations: tuple[Line, ...]
    subexpressions: tuple[Line, ...]
    parameters: tuple[Line, ...]
    ordered_subexpressions: tuple[Line, ...]
    names: tuple[str, ...]
    diff_eq_names: tuple[str, ...]
    subexpr_names: tuple[str, ...]
    parameter_names: tuple[str, ...]
    eq_names: tuple[str, ...]
    sources: tuple[str, ...]
    bindings: Mapping[str, Value]
    defaults: Mapping[str, Default]
    _by_name: dict[str, Line]
    _texts: dict[str, str]

    def __init__(
        self,
        text: str | Equations | Sequence[Line],
        defaults: Mapping[str, Default] | None = None,
        sources: Iterable[str] = (),
        **substitutions: str | Value,
    ) -> None:
        bindings: dict[str, Value] = {}
        texts: dict[str, str] = {}
        own: dict[str, Default] = {}
        cited: tuple[str, ...] = ()
        if isinstance(text, Equations):
            lines, bindings, texts = text.lines, dict(text.bindings), dict(text._texts)
            own, cited = dict(text.defaults), text.sources
        elif isinstance(text, str):
            lines = parse_lines(text)
        else:
            lines = _checked_lines(text)
        own.update(defaults or {})
        if substitutions:
            lines, own = _substituted(lines, own, substitutions, bindings, texts)
        cited = (*cited, *([sources] if isinstance(sources, str) else sources))
        _fill(self, (lines, bindings, texts, own, cited))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            "equations cannot be changed; make new ones from them, with + or Equations(eqs, x='y')"
        )

    def __getitem__(self, name: str) -> Line:
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"there is no variable {name!r}{closest(str(name), self._by_name)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._by_name  # a Mapping's own would make the message of an error, which takes long

    def get(self, name: str, default: Any = None) -> Any:
        """The line of a variable, or another value where there is none.

        Parameters
        ----------
        name : str
            The variable.
        default : object
            The other value.
        """
        return self._by_name.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __hash__(self) -> int:
        return hash(self.lines)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Equations):
            return NotImplemented
        same_values = _same(self.bindings, other.bindings) and _same(self.defaults, other.defaults)
        return self.lines == other.lines and same_values

    def __add__(self, other: Equations | str) -> Equations:
        if isinstance(other, str):
            other = Equations(other)
        elif not isinstance(other, Equations):
            return NotImplemented
        return _sum(self, other)

    def __radd__(self, other: Equations | str | int) -> Equations:
        if isinstance(other, str):
            return Equations(other) + self
        return self if isinstance(other, int) and other == 0 else NotImplemented  # sum() starts from 0

    def without(self, names: Iterable[str]) -> Equations:
        """The same equations without the lines of some variables.

        Parameters
        ----------
        names : iterable of str
            Variables whose lines are left out; others are ignored.
        """
        out = frozenset(names)
        kept = tuple(line for line in self.lines if line.varname not in out)
        defaults = {name: value for name, value in self.defaults.items() if name not in out}
        return _restored((kept, self.bindings, self._texts, defaults, self.sources))

    def __reduce__(self) -> tuple[object, ...]:
        parts = (self.lines, dict(self.bindings), self._texts, dict(self.defaults), self.sources)
        return _restored, (parts,)

    def __str__(self) -> str:
        return "\n".join(_shown(line, self._texts) for line in self.lines)

    def __repr__(self) -> str:
        return f"Equations('''\n{self}\n''')" if self.lines else "Equations('')"

    @property
    def identifiers(self) -> frozenset[str]:
        """All names in right-hand sides: variables, external constants, units, functions."""
        return frozenset().union(*(line.identifiers for line in self.lines))

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """Variable to its dimension."""
        return {name: line.dimension for name, line in self._by_name.items()}

    @property
    def stochastic_variables(self) -> frozenset[str]:
        """Names of white noise: ``xi``, ``xi_...``."""
        return frozenset().union(*(line.stochastic_variables for line in self.lines))

    @property
    def is_stochastic(self) -> bool:
        """Whether white noise occurs."""
        return bool(self.stochastic_variables)

    def expanded(self) -> Equations:
        """The same equations as groups integrate them, with plugins' kinds of line written out.

        Returns
        -------
        Equations
            These themselves where there is nothing to write out.

        Raises
        ------
        EquationError
            If a plugin's lines do not fit together.
        """
        lines = self.lines
        for kind in dict.fromkeys(line.kind for line in lines if line.kind not in _KINDS):
            lines = kind_named(kind).expand(lines)
        if lines == self.lines:
            return self
        return _restored((lines, self.bindings, self._texts, self.defaults, self.sources))

    def with_flag(self, name: str) -> tuple[Line, ...]:
        """The lines that carry a flag.

        Parameters
        ----------
        name : str
            Such as ``'membrane current'``.

        Returns
        -------
        tuple of Line
            In the user's order.
        """
        return tuple(line for line in self.lines if line.has(name))

    def substituted(self, include_subexpressions: bool = False) -> list[tuple[str, Node]]:
        """Right-hand sides with the subexpressions written out.

        Parameters
        ----------
        include_subexpressions : bool
            Whether to list the subexpressions too, behind the differential equations.

        Returns
        -------
        list of (str, Node)
            Variable and tree, in the user's order.
        """
        whole: dict[str, Node] = {}
        for line in self.ordered_subexpressions:
            whole[line.varname] = substitute(line.node, whole)
        listed = [(line.varname, substitute(line.node, whole)) for line in self.differential_equations]
        if include_subexpressions:
            listed += [(name, whole[name]) for name in self.subexpr_names]
        return listed

    def get_substituted_expressions(
        self, variables: object = None, include_subexpressions: bool = False
    ) -> list[tuple[str, Expression]]:
        """The same as `substituted`, as text (the name is Brian's); `variables` is not needed here."""
        shown = {internal: f"({text})" for internal, text in self._texts.items()}
        return [
            (name, Expression(render(node, shown))) for name, node in self.substituted(include_subexpressions)
        ]

    @property
    def diff_eq_expressions(self) -> list[tuple[str, Expression | None]]:
        """Variable and right-hand side as text, of each differential equation."""
        return [(line.varname, line.expr) for line in self.differential_equations]


_Parts: TypeAlias = tuple[
    tuple[Line, ...], Mapping[str, Value], Mapping[str, str], Mapping[str, Default], tuple[str, ...]
]


def _fill(equations: Equations, parts: _Parts) -> None:
    """Set and check everything that equations hold: lines, bound values, their texts, defaults, sources."""
    lines, bindings, texts, defaults, sources = parts
    by_name = _by_name(lines)
    _check_noise(lines)
    used = {internal for line in lines for _, internal in line.bound}
    kinds = {kind: tuple(line for line in lines if line.kind == kind) for kind in _KINDS}
    listed = {kind: tuple(line.varname for line in members) for kind, members in kinds.items()}
    content: dict[str, object] = {
        "lines": lines,
        "_by_name": by_name,
        "bindings": MappingProxyType({name: value for name, value in bindings.items() if name in used}),
        "_texts": {name: text for name, text in texts.items() if name in used},
        "defaults": MappingProxyType(
            {name: _default(name, value, by_name) for name, value in defaults.items()}
        ),
        "sources": tuple(dict.fromkeys(sources)),
        "names": tuple(by_name),
        "differential_equations": kinds[DIFFERENTIAL],
        "subexpressions": kinds[SUBEXPRESSION],
        "parameters": kinds[PARAMETER],
        "ordered_subexpressions": _ordered(kinds[SUBEXPRESSION]),
        "diff_eq_names": listed[DIFFERENTIAL],
        "subexpr_names": listed[SUBEXPRESSION],
        "parameter_names": listed[PARAMETER],
        "eq_names": tuple(line.varname for line in lines if line.kind in (DIFFERENTIAL, SUBEXPRESSION)),
    }
    for name, value in content.items():
        object.__setattr__(equations, name, value)


def _default(name: str, value: Default, known: Mapping[str, Line]) -> Default:
    line = known.get(name)
    if line is None:
        raise EquationError(
            f"there is no variable '{name}' to give a default value to{closest(name, known)}; "
            f"known: {', '.join(known)}"
        )
    if line.kind == SUBEXPRESSION:
        raise line.error(f"'{name}' is computed by its line and cannot have a default value")
    if isinstance(value, str):
        parse(value)
    elif dimension_of(value) is not line.dimension:
        raise line.error(
            f"the default value of '{name}' is {value}, but its line says {describe(line.dimension)}"
        )
    return value


def _shown(line: Line, texts: Mapping[str, str]) -> str:
    """A line as the user can write it, with its bound values in place."""
    if not line.bound:
        return str(line)
    return kind_named(line.kind).rename(
        line, {shown: f"({texts[internal]})" for shown, internal in line.bound}
    )


# --- building ---


def _checked_lines(lines: object) -> tuple[Line, ...]:
    if not isinstance(lines, (list, tuple)):
        raise EquationError(
            f"equations are text or lines; this is of type {type(lines).__name__}: {lines!r:.60}"
        )
    found = []
    for line in lines:
        if not isinstance(line, Line):
            raise EquationError(
                f"equations are made of text or of lines; this is a {type(line).__name__}: {line!r:.60}"
            )
        found.append(line)
    return tuple(found)


def _by_name(lines: tuple[Line, ...]) -> dict[str, Line]:
    known: dict[str, Line] = {}
    for line in lines:
        if not line.varname:
            continue
        if line.varname in known:
            raise line.error(
                f"the variable '{line.varname}' is defined twice; as\n    {known[line.varname]}\nand as"
            )
        known[line.varname] = line
    return known


def _check_noise(lines: tuple[Line, ...]) -> None:
    plain = [line for line in lines if "xi" in line.stochastic_variables]
    if len(plain) > 1:
        raise plain[1].error(
            "plain 'xi' can be used in one line only, since it would not say whether the noise is the same; "
            f"use names such as xi_1 and xi_2. The other line is\n    {plain[0]}\nthis line is", Name("xi")
        )  # fmt: skip


def _ordered(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    waiting = {line.varname: line for line in lines}
    done: dict[str, Line] = {}
    while waiting:
        ready = [line for line in waiting.values() if names(line.node).isdisjoint(waiting)]
        if not ready:
            raise _circle(waiting)
        for line in ready:
            done[line.varname] = waiting.pop(line.varname)
    return tuple(done.values())


def _circle(waiting: Mapping[str, Line]) -> EquationError:
    path = [next(iter(waiting))]
    while path.count(path[-1]) < 2:
        path.append(min(names(waiting[path[-1]].node) & waiting.keys()))
    circle = path[path.index(path[-1]) : -1]
    first = waiting[circle[0]]
    way = " -> ".join((*circle, circle[0]))
    others = "".join(f"\n    {waiting[name]}" for name in circle[1:])
    reason = "it uses itself" if len(circle) == 1 else f"they need each other ({way}):{others}\n    and"
    return first.error(f"subexpressions cannot be put in order: {reason}", Name((*circle[1:], circle[0])[0]))


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(equal_values(a[name], b[name]) for name in a)


def _restored(parts: _Parts) -> Equations:
    """Equations whose bound values are known."""
    equations = object.__new__(Equations)
    _fill(equations, parts)
    return equations


def _sum(first: Equations, second: Equations) -> Equations:
    bindings, texts = dict(first.bindings), dict(first._texts)
    moved: dict[str, str] = {}
    for internal, value in second.bindings.items():
        moved[internal] = _free(internal, value, bindings)
        bindings[moved[internal]], texts[moved[internal]] = value, second._texts[internal]
    more = [_rebound(line, moved) for line in second.lines]
    lines, defaults = joined((first.lines, first.defaults), (more, second.defaults))
    return _restored((lines, bindings, texts, defaults, first.sources + second.sources))


def _free(internal: str, value: Value, taken: Mapping[str, Value]) -> str:
    """A name for a bound value: the one it has, unless that stands for another value already."""
    candidate, number = internal, 1
    while candidate in taken and not equal_values(taken[candidate], value):
        number += 1
        candidate = f"{internal}_{number}"
    return candidate


def _rebound(line: Line, moved: Mapping[str, str]) -> Line:
    if all(moved[internal] == internal for _, internal in line.bound):
        return line
    return parse_line(line.text, line.where, {shown: moved[internal] for shown, internal in line.bound})


# --- substitution by keyword ---


def _substituted(
    lines: tuple[Line, ...],
    defaults: Mapping[str, Default],
    replace: Mapping[str, str | Value],
    bindings: dict[str, Value],
    texts: dict[str, str],
) -> tuple[tuple[Line, ...], dict[str, Default]]:
    """Lines and defaults with names replaced; what is bound to values is added to `bindings` and `texts`."""
    defined = {line.varname for line in lines}
    _warn_of_unused(replace, lines, defaults)
    words: dict[str, str] = {}
    fresh: dict[str, str] = {}
    for name, value in replace.items():
        if isinstance(value, str):
            words[name] = _replacement(name, value, name in defined)
            continue
        if name in defined:
            raise EquationError(
                f"'{name}' is a variable of the equations and cannot be replaced by the value {value}; "
                "leave its line out, or give it a value with defaults={...}",
                *_line_of(name, lines),
            )
        internal = _free(BOUND_PREFIX + name, _scalar(name, value), bindings)
        bindings[internal], texts[internal], fresh[name] = value, _text_of(value), internal
    renamed = {name: words.get(name, name) for name in defaults}
    changed = {
        renamed[name]: rename_tokens(value, words) if isinstance(value, str) else value
        for name, value in defaults.items()
    }
    return tuple(_rewritten(line, words, fresh) for line in lines), changed


def _warn_of_unused(replace: Iterable[str], lines: tuple[Line, ...], defaults: Mapping[str, Default]) -> None:
    """Keywords that nothing asks for are legal, as in Brian 2, and often a slip of the pen."""
    present = {name for line in lines for name in _occurring(line)} | {word for line in lines for word, _ in line.bound}
    for text in (value for value in defaults.values() if isinstance(value, str)):
        present |= {word for kind, _, word in tokens(text) if kind == "name"}
    for name in replace:
        if name not in present:
            warnings.warn(
                f"the keyword '{name}' of these equations replaces nothing: they have no '{name}'"
                f"{closest(name, present)}",
                RallWarning,
                stacklevel=4,
            )


def _line_of(name: str, lines: tuple[Line, ...]) -> tuple[str, int, int]:
    line = next(line for line in lines if line.varname == name)
    return str(line), 0, line.number


def _replacement(name: str, text: str, defined: bool) -> str:
    parsed = parse(text)
    if isinstance(parsed.node, Name):
        if defined:
            check_identifier(text.strip(), Source(text))
        return text.strip()
    if defined:
        raise parsed.error(
            f"'{name}' is a variable of the equations and can only get another name", parsed.node
        )
    return f"({text.strip()})"


def _scalar(name: str, value: Value) -> Value:
    kind = type(value).__name__
    if not isinstance(value, (Quantity, int, float, np.number, np.bool_)):
        raise EquationError(
            f"'{name}' cannot be replaced by a {kind} ({value!r:.60}); give a name, an expression as text, "
            "a number or a quantity"
        )
    if np.ndim(value_of(value)) != 0:
        raise EquationError(
            f"'{name}' cannot be replaced by an array of shape {np.shape(value_of(value))}; make it a "
            f"parameter ('{name} : unit') and assign the array, or use a TimedArray"
        )
    return value


def _text_of(value: Value) -> str:
    """A value as text that means the same in equations."""
    dimension, plain = dimension_of(value), np.asarray(value_of(value)).item()
    if math.isfinite(plain):
        return repr(plain if dimension is DIMENSIONLESS else value)
    word = "inf - inf" if math.isnan(plain) else "inf" if plain > 0 else "-inf"
    return word if dimension is DIMENSIONLESS else f"({word})*{dimension}"


def _rewritten(line: Line, words: Mapping[str, str], fresh: Mapping[str, str]) -> Line:
    bound = dict(line.bound)
    changed = {name: word for name, word in words.items() if name not in bound}
    present = _occurring(line)
    new = {name: internal for name, internal in fresh.items() if name not in bound and name in present}
    touched = changed.keys() & present
    if not touched and not new:
        return line
    if not touched:
        return parse_line(line.text, line.where, bound | new)
    kept = bound | new
    clash = [name for name in kept if any(name in names(parse(changed[word]).node) for word in touched)]
    if clash:
        raise line.error(
            f"'{clash[0]}' stands here for a fixed value already and cannot come in by another name"
        )
    kind = kind_named(line.kind)
    text = kind.rename(line, changed)
    return parse_line(text, Source(text, 0, line.number), kept)


def _occurring(line: Line) -> set[str]:
    """Names in a line that can be replaced."""
    if line.kind not in _KINDS:
        return {word for kind, _, word in tokens(line.text) if kind == "name"}
    found = {line.varname, *line.identifiers}
    for flag in line.flags:
        found.update(flag.args)
        for _, value in flag.kwargs:
            found |= {word for kind, _, word in tokens(value) if kind == "name"}
    return found
