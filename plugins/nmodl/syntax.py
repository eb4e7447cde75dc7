"""The syntax tree of an NMODL file: what the parser makes and the translation reads.

NMODL is the language of NEURON's mechanisms (Hines & Carnevale, Neural Comput. 12:995, 2000).
Every node knows its place; places do not take part in comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

__all__ = [
    "Assign", "Binary", "Block", "Call", "CallStatement", "Compartment", "Conditional", "Conserve", "Declaration",
    "Diffusion", "Expression", "For", "If", "Index", "Ion", "Local", "Name", "Neuron", "Number", "Opaque", "Place",
    "Program", "Rate", "Reaction", "Solve", "Statement", "Table", "Text", "Unary", "Unit", "Watch", "While",
]  # fmt: skip


class Place(NamedTuple):
    """Where something stands: line and column counted from 1, and the included file, empty for the file itself."""

    line: int
    column: int
    file: str = ""


NOWHERE = Place(0, 0)


@dataclass(frozen=True)
class _Node:
    at: Place = field(default=NOWHERE, compare=False, kw_only=True)


# --- expressions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number(_Node):
    """A literal, with the unit that may follow it in parentheses, and whether it stood in parentheses itself.

    A number in parentheses (``(1e-3)``) is a factor between units by NMODL's rules.
    """

    text: str
    unit: str | None = None
    factor: bool = False

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)


@dataclass(frozen=True)
class Name(_Node):
    """A variable; a prime counts as part of it only in `Rate`."""

    name: str


@dataclass(frozen=True)
class Index(_Node):
    """An element of an array, ``x[i]``."""

    name: str
    index: Expression


@dataclass(frozen=True)
class Unary(_Node):
    """``-x`` or ``!x``."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary(_Node):
    """``+ - * / ^ < > <= >= == != && ||``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call(_Node):
    """A function and its arguments; an argument may be a text (``net_send``-like functions of NEURON, printf)."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Text(_Node):
    """A string, as an argument."""

    text: str


@dataclass(frozen=True)
class Conditional(_Node):
    """One value or the other.  No file has it: the translation makes it of IF statements."""

    test: Expression
    yes: Expression
    no: Expression


Expression: TypeAlias = Number | Name | Index | Unary | Binary | Call | Text | Conditional


# --- statements -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assign(_Node):
    """``x = e`` or ``x[i] = e``."""

    target: Name | Index
    value: Expression


@dataclass(frozen=True)
class Rate(_Node):
    """``x' = e`` (order 1), ``x'' = e`` (order 2)."""

    target: Name | Index
    value: Expression
    order: int = 1


@dataclass(frozen=True)
class CallStatement(_Node):
    """A procedure that is called for what it does."""

    call: Call


@dataclass(frozen=True)
class Local(_Node):
    """``LOCAL a, b[3]``: names and, for arrays, their lengths."""

    names: tuple[tuple[str, Expression | None], ...]


@dataclass(frozen=True)
class If(_Node):
    """``IF (test) { } ELSE IF ... ELSE { }``; an ELSE IF is an If alone in `no`."""

    test: Expression
    yes: tuple[Statement, ...]
    no: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class While(_Node):
    """``WHILE (test) { }``."""

    test: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class For(_Node):
    """``FROM i = a TO b BY c { }``; bounds are included, `step` is 1 if not given."""

    variable: str
    first: Expression
    last: Expression
    step: Expression | None
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Solve(_Node):
    """``SOLVE name METHOD m`` or ``STEADYSTATE m``; `method` is empty where none is given."""

    block: str
    method: str = ""
    steady: bool = False


@dataclass(frozen=True)
class Table(_Node):
    """``TABLE a, b DEPEND c FROM x TO y WITH n``; read and not used."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Reaction(_Node):
    """``~ A + 2 B <-> C (kf, kb)``, ``~ A -> (k)``, ``~ A << (e)``, and the ``~ e1 = e2`` of LINEAR and NONLINEAR.

    Parameters
    ----------
    left, right : tuple of (int, Name or Index)
        Coefficients and species.  Empty where there are none.
    arrow : str
        ``<->``, ``->``, ``<<`` or ``=``.
    rates : tuple of Expression
        What stands in the last parentheses; for ``=`` the two sides.
    """

    left: tuple[tuple[int, Name | Index], ...]
    right: tuple[tuple[int, Name | Index], ...]
    arrow: str
    rates: tuple[Expression, ...]


@dataclass(frozen=True)
class Conserve(_Node):
    """``CONSERVE a + b = e``: coefficients and species, and their sum."""

    terms: tuple[tuple[Expression, Name | Index], ...]
    total: Expression


@dataclass(frozen=True)
class Compartment(_Node):
    """``COMPARTMENT i, volume { species }``; `index` is empty without one."""

    index: str
    volume: Expression
    species: tuple[str, ...]


@dataclass(frozen=True)
class Diffusion(_Node):
    """``LONGITUDINAL_DIFFUSION i, constant { species }``."""

    index: str
    constant: Expression
    species: tuple[str, ...]


@dataclass(frozen=True)
class Watch(_Node):
    """``WATCH (a > b) flag``."""

    test: Expression
    flag: Expression


@dataclass(frozen=True)
class Opaque(_Node):
    """What is not NMODL (VERBATIM) or has no meaning for rall; `kind` names it."""

    kind: str
    text: str = ""


Statement: TypeAlias = (
    Assign | Rate | CallStatement | Local | If | While | For | Solve | Table | Reaction | Conserve | Compartment
    | Diffusion | Watch | Opaque
)  # fmt: skip


# --- declarations and blocks ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit(_Node):
    """A line of UNITS: ``(mV) = (millivolt)`` or ``F = (faraday) (coulombs)`` or ``k = 1.5 (m/s)``.

    Parameters
    ----------
    name : str
        What it defines.
    constant : bool
        Whether it defines a number (``F = ...``) and not a unit.
    value : str
        The text of the number or the unit in parentheses on the right, without them.
    unit : str or None
        For a constant: the unit behind it.
    """

    name: str
    constant: bool
    value: str
    unit: str | None = None


@dataclass(frozen=True)
class Declaration(_Node):
    """A variable of PARAMETER, ASSIGNED, STATE or CONSTANT.

    Parameters
    ----------
    name : str
        The name.
    section : str
        ``'PARAMETER'``, ``'ASSIGNED'``, ``'STATE'`` or ``'CONSTANT'``; ``'WHITE_NOISE'`` in Arbor's dialect.
    unit : str or None
        The text in parentheses; None without.
    value : float or None
        Its value.
    length : int or None
        Of an array.
    limits : tuple of float or None
        ``<low, high>``.
    start : float or None
        ``START`` of a state.
    """

    name: str
    section: str
    unit: str | None = None
    value: float | None = None
    length: int | None = None
    limits: tuple[float, float] | None = None
    start: float | None = None


@dataclass(frozen=True)
class Ion(_Node):
    """``USEION ca READ cai, eca WRITE ica VALENCE 2``; in Arbor's dialect the valence may be named, ``VALENCE zca``."""

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    valence: float | None = None
    valence_name: str = ""


@dataclass(frozen=True)
class Neuron(_Node):
    """The NEURON block.

    Parameters
    ----------
    kind : str
        ``'SUFFIX'``, ``'POINT_PROCESS'`` or ``'ARTIFICIAL_CELL'``; in Arbor's dialect also ``'JUNCTION_PROCESS'``
        and ``'VOLTAGE_PROCESS'``.
    name : str
        Of the mechanism; the file's without a NEURON block, as in NEURON.
    ions : tuple of Ion
    currents, electrode_currents : tuple of str
        ``NONSPECIFIC_CURRENT`` and ``ELECTRODE_CURRENT``.
    ranges, globals, pointers, externals, randoms : tuple of str
        ``RANGE``, ``GLOBAL``, ``POINTER`` (and ``BBCOREPOINTER``), ``EXTERNAL``, ``RANDOM``.
    """

    kind: str
    name: str
    ions: tuple[Ion, ...] = ()
    currents: tuple[str, ...] = ()
    electrode_currents: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    globals: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()
    externals: tuple[str, ...] = ()
    randoms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block(_Node):
    """A block with statements.

    Parameters
    ----------
    kind : str
        ``'INITIAL'``, ``'BREAKPOINT'``, ``'DERIVATIVE'``, ``'KINETIC'``, ``'LINEAR'``, ``'NONLINEAR'``,
        ``'PROCEDURE'``, ``'FUNCTION'``, ``'FUNCTION_TABLE'``, ``'NET_RECEIVE'``, ``'BEFORE'``, ``'AFTER'``,
        ``'DISCRETE'``, ``'CONSTRUCTOR'``, ``'DESTRUCTOR'``, and Arbor's ``'POST_EVENT'``.
    name : str
        Empty for blocks that have none; of BEFORE and AFTER what they precede or follow.
    arguments : tuple of (str, str or None)
        Names and units.
    unit : str or None
        Of what a function gives.
    body : tuple of Statement
        An INITIAL inside NET_RECEIVE is a Block in `initial`.
    initial : Block or None
        Of NET_RECEIVE.
    """

    kind: str
    name: str
    arguments: tuple[tuple[str, str | None], ...] = ()
    unit: str | None = None
    body: tuple[Statement, ...] = ()
    initial: Block | None = None


@dataclass(frozen=True)
class Program(_Node):
    """A whole file.

    Parameters
    ----------
    file : str
        Its path, or a name for text.
    source : str
        The text, for messages.
    title : str
        Of TITLE; empty without.
    comments : tuple of str
        Texts of COMMENT blocks.
    neuron : Neuron
    units : tuple of Unit
    defines : tuple of (str, int)
        ``DEFINE``.
    declarations : tuple of Declaration
    blocks : tuple of Block
    opaque : tuple of Opaque
        VERBATIM outside blocks, INDEPENDENT and the like.
    locals : tuple of Local
        LOCAL outside blocks: variables of the whole file.
    included : tuple of (str, str)
        Paths and texts of the files of INCLUDE; `Place.file` is such a path.
    unchecked : tuple of (Place, Place)
        Stretches from UNITSOFF to UNITSON, in which NEURON does not look at units.
    """

    file: str
    source: str = field(repr=False, compare=False)
    neuron: Neuron
    title: str = ""
    comments: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()
    defines: tuple[tuple[str, int], ...] = ()
    declarations: tuple[Declaration, ...] = ()
    blocks: tuple[Block, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    locals: tuple[Local, ...] = ()
    included: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)
    unchecked: tuple[tuple[Place, Place], ...] = field(default=(), compare=False)
