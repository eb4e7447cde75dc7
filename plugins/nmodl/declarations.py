"""Blocks that declare: NEURON, UNITS, PARAMETER, ASSIGNED, STATE, CONSTANT, INDEPENDENT, DEFINE."""

from __future__ import annotations

from rall.plugins.nmodl.expressions import integer, number, signed
from rall.plugins.nmodl.lexer import Lexer
from rall.plugins.nmodl.syntax import Declaration, Ion, Neuron, Opaque, Place, Unit

__all__ = ["declarations", "define", "independent", "neuron", "units", "white_noise"]

_KINDS = frozenset(("SUFFIX", "POINT_PROCESS", "ARTIFICIAL_CELL", "JUNCTION_PROCESS", "VOLTAGE_PROCESS"))
_LISTS = {
    "NONSPECIFIC_CURRENT": "currents", "ELECTRODE_CURRENT": "electrode_currents", "RANGE": "ranges",
    "GLOBAL": "globals", "POINTER": "pointers", "BBCOREPOINTER": "pointers", "EXTERNAL": "externals",
    "RANDOM": "randoms",
}  # fmt: skip


def _opened(words: Lexer, kind: str) -> Place:
    """Go past the keyword and the brace of a block."""
    words.block = kind
    words.advance()
    at = words.place()
    words.expect("{", f"after {kind}")
    return at


def _closed(words: Lexer, opened: Place) -> bool:
    """Whether the block ends here; goes past its brace."""
    if words.kind == "end":
        words.fail(f"the file ends inside {words.block}: the '{{' of line {opened.line} has no '}}'", opened)
    return words.take("}")


# --- variables ------------------------------------------------------------------------------------------------------


def declarations(words: Lexer) -> list[Declaration]:
    """Read PARAMETER, ASSIGNED, STATE or CONSTANT."""
    section, found = words.kind, []
    opened = _opened(words, section)
    while not _closed(words, opened):
        found.append(_declaration(words, section))
    return found


def _declaration(words: Lexer, section: str) -> Declaration:
    at = words.place()
    name = words.name(f"the name of a variable of {section} or a closing brace", primes=section != "PARAMETER")
    length = _length(words)
    value = start = unit = limits = None
    given = section in ("PARAMETER", "CONSTANT")
    if words.kind == "=":
        if not given:
            words.fail(f"{section} gives no values; {name} gets its value in INITIAL, or belongs into PARAMETER")
        words.advance()
        value = signed(words)
    elif section == "CONSTANT":
        words.fail(f"expected '=' and a number after the constant {name}, not {words.word()}")
    if words.take("FROM"):
        low = signed(words)
        words.expect("TO", f"in the range of {name}")
        limits = (low, signed(words))
    if words.take("START"):
        start = signed(words)
    unit = words.unit()
    if words.kind == "<":
        limits = _limits(words, name, both=given) or limits
    if unit is None:
        unit = words.unit()
    return Declaration(name, section, unit, value, length, limits, start, at=at)


def _length(words: Lexer) -> int | None:
    if not words.take("["):
        return None
    at, length = words.place(), integer(words, "the length of an array")
    if length < 1:
        words.fail("an array has at least one element", at)
    words.expect("]", "after the length of an array")
    return length


def _limits(words: Lexer, name: str, both: bool) -> tuple[float, float] | None:
    """``<low, high>``, or the tolerance ``<1e-4>`` of a state, which rall does not use."""
    words.advance()
    low = signed(words)
    if not both and words.take(">"):
        return None
    words.expect(",", f"between the limits of {name}")
    high = signed(words)
    words.expect(">", f"after the limits of {name}")
    return low, high


def independent(words: Lexer) -> Opaque:
    """Read INDEPENDENT, which says nothing today: time is the independent variable."""
    at = words.place()
    opened = _opened(words, "INDEPENDENT")
    start = words.start
    while not _closed(words, opened):
        words.take("SWEEP")
        name = words.name("the name of the independent variable")
        for word in ("FROM", "TO", "WITH", "START"):
            if words.take(word):
                signed(words)
            elif word != "START":
                words.fail(f"expected {word} and a number for {name}, not {words.word()}")
        words.unit()
    return Opaque("INDEPENDENT", words.text[start : words.previous - 1].strip(), at=at)


def define(words: Lexer) -> tuple[str, int]:
    """Read ``DEFINE N 10``; from here on the name is the number."""
    words.advance()
    name = words.name("a name after DEFINE that is not yet in use,")
    value = words.value
    if words.kind == "number":
        words.defines[name] = value
    return name, integer(words, f"the number that DEFINE gives {name}")


def white_noise(words: Lexer) -> list[Declaration]:
    """Read WHITE_NOISE of Arbor's dialect: names of independent sources of noise."""
    found = []
    opened = _opened(words, "WHITE_NOISE")
    while not _closed(words, opened):
        at = words.place()
        found.append(Declaration(words.name("the name of a source of noise"), "WHITE_NOISE", words.unit(), at=at))
        words.take(",")
    return found


# --- units ----------------------------------------------------------------------------------------------------------


def units(words: Lexer) -> list[Unit]:
    """Read UNITS."""
    found = []
    opened = _opened(words, "UNITS")
    while not _closed(words, opened):
        found.append(_unit(words))
    return found


def _unit(words: Lexer) -> Unit:
    at, name = words.place(), words.unit()
    if name is not None:
        words.expect("=", f"after the unit ({name})")
        return Unit(name, False, _needed(words, f"the unit that ({name}) is"), at=at)
    name = words.name("a unit in parentheses, or the name of a constant,")
    words.expect("=", f"after {name}")
    if words.kind in ("number", "-"):
        sign = "-" if words.take("-") else ""
        return Unit(name, True, sign + number(words), words.unit(), at=at)
    value = _needed(words, f"a number or a unit for {name}")
    if words.take("-"):  # (foot) -> (inch) is the same factor as (foot) (inch)
        words.expect(">", "to make '->' between two units")
    return Unit(name, True, value, words.unit(), at=at)


def _needed(words: Lexer, what: str) -> str:
    unit = words.unit()
    if unit is None:
        words.fail(f"expected {what}, in parentheses, not {words.word()}")
    return unit


# --- NEURON ---------------------------------------------------------------------------------------------------------


def neuron(words: Lexer, before: Neuron | None = None) -> Neuron:
    """Read a NEURON block; what it says is added to what one `before` it has said, if there was one."""
    at = words.place()
    opened = _opened(words, "NEURON")
    so_far = before or Neuron("", "", at=at)
    kind, name, ions = so_far.kind, so_far.name, list(so_far.ions)
    lists: dict[str, list[str]] = {field: list(getattr(so_far, field)) for field in _LISTS.values()}
    while not _closed(words, opened):
        word = words.kind if words.kind != "name" else words.value
        if word in _KINDS:
            words.advance()
            kind, name = word, words.name(f"the name of the mechanism after {word}")
        elif word in _LISTS:
            words.advance()
            lists[_LISTS[word]] += _names(words, word)
        elif word == "USEION":
            ions.append(_ion(words))
        elif word == "THREADSAFE":
            words.advance()
        else:
            words.fail(f"expected SUFFIX, USEION, RANGE or another word of NEURON, not {words.word()}")
    return Neuron(kind, name, tuple(ions), **{field: tuple(names) for field, names in lists.items()}, at=so_far.at)


def _names(words: Lexer, keyword: str) -> list[str]:
    found = [words.name(f"a name after {keyword}")]
    while words.take(","):
        found.append(words.name(f"a name after ',' in {keyword}"))
    return found


def _ion(words: Lexer) -> Ion:
    at = words.place()
    words.advance()
    name = words.name("the name of an ion after USEION")
    reads: list[str] = []
    writes: list[str] = []
    valence, valence_name = None, ""
    while True:
        if words.take("READ"):
            reads += _names(words, "READ")
        elif words.take("WRITE"):
            writes += _names(words, "WRITE")
        elif words.take("VALENCE"):
            if words.kind == "name":
                valence_name = words.name("a valence")
            else:
                valence = signed(words)
        else:
            return Ion(name, tuple(reads), tuple(writes), valence, valence_name, at=at)
