"""Lines of reactions: how they are read, and what units their rates must have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from rall.equations import AbstractLineKind, Line
from rall.equations.lines import NAME, check_identifier
from rall.functions import Typed, describe
from rall.ir.nodes import Name
from rall.ir.parse import Parsed, Source, parse
from rall.ir.visit import is_noise, names
from rall.plugins.kinetics.expansion import REACTION_LINE, Reaction, Scheme, Side, expand
from rall.units import Dimension, get_or_create_dimension

__all__ = ["ReactionKind"]

_ARROW = re.compile(r"<->|=>|->")
#: What looks like an arrow, right or wrong, before the rates.
_LIKE_AN_ARROW = re.compile(r"[<>=-]*(?:<-|->|=>|<=>)[<>=-]*|[→←⇌↔⇄]")
_TERM = re.compile(rf"\s*(?:(\d+)(?:\s+|(?=[A-Za-z_])))?({NAME})\s*")
_NOTHING = re.compile(r"\s*0\s*")
_SECOND = get_or_create_dimension(time=1)
#: More than this of one species in a reaction is a slip of the pen.
_MOST = 64


class ReactionKind(AbstractLineKind):
    """``A + B <-> C : k_on, k_off``, ``A -> B : k`` and ``A => B : law``, also in chains."""

    __slots__ = ()
    name = REACTION_LINE

    def matches(self, text: str) -> bool:
        """See `AbstractLineKind.matches`."""
        return _LIKE_AN_ARROW.search(text.split(":", 1)[0]) is not None

    def parse(self, text: str, where: Source, bound: Mapping[str, str]) -> Line:
        """See `AbstractLineKind.parse`."""
        formula = text.split(":", 1)[0]
        sides, arrows = _sides(formula, where)
        if len(formula) == len(text):
            raise where.error(f"the rates are missing: end the line with ': {_wanted(arrows)}'", len(text.rstrip()))
        rates = list(_rates(text, len(formula) + 1, where, bound))
        wanted = sum(2 if arrow == "<->" else 1 for arrow in arrows)
        if len(rates) != wanted:
            raise where.error(_count(len(rates), arrows), len(formula) + 1)
        reactions: list[Reaction] = []
        for arrow, left, right in zip(arrows, sides, sides[1:]):
            if sorted(left) == sorted(right):
                raise where.error(f"this reaction changes nothing: both sides of '{arrow}' are the same; mend one")
            reactions.append(Reaction(left, right, arrow == "=>", rates[len(reactions)]))
            if arrow == "<->":
                reactions.append(Reaction(right, left, False, rates[len(reactions)]))
        used = frozenset().union(*(names(rate.node) for rate in rates))
        kept = tuple((shown, internal) for shown, internal in bound.items() if internal in used)
        return Line(
            self.name, "", _SECOND, "float", "", None, (), text, where, kept, Scheme(tuple(reactions)), tuple(rates)
        )  # fmt: skip

    def expand(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """See `AbstractLineKind.expand`."""
        return expand(lines)

    def check(self, line: Line, infer: Callable[[Parsed], Typed]) -> None:
        """See `AbstractLineKind.check`."""
        scheme = line.payload
        assert isinstance(scheme, Scheme)
        for reaction, unit in zip(scheme.reactions, scheme.units):
            found = infer(reaction.rate)
            order = 0 if reaction.law else sum(amount for _, amount in reaction.left)
            wanted = unit ** (1 - order) / _SECOND
            if found.kind == "boolean":
                raise reaction.rate.error("a condition cannot be a rate; write 'rate if condition else 0/second', say")
            if found.dimension is not wanted:
                raise reaction.rate.error(_wrong_unit(reaction, found.dimension, wanted, unit / _SECOND))


def _wrong_unit(reaction: Reaction, found: Dimension, wanted: Dimension, flow: Dimension) -> str:
    shown = " ".join(reaction.rate.text.split())
    is_ = f"but '{shown}' is {describe(found)}"
    if reaction.law:
        return f"the law of {reaction} must be in {describe(wanted)}, {is_}: behind '=>' stands the whole rate"
    if not reaction.left:
        return f"the rate of {reaction} must be in {describe(wanted)}, {is_}: it is what is made per time"
    whole = "; this is a whole rate: leave out the species in it, or write '=>'" if found is flow else ""
    return (
        f"the rate constant of {reaction} must be in {describe(wanted)}, {is_}: it is multiplied by "
        f"{reaction.product} to give a change per time{whole}"
    )


# --- sides ---


def _sides(formula: str, where: Source) -> tuple[list[Side], list[str]]:
    """Amounts on the sides of all arrows, and the arrows."""
    for like in _LIKE_AN_ARROW.finditer(formula):
        if _ARROW.fullmatch(like[0]) is None:
            raise where.error(
                f"'{like[0]}' is no arrow: write 'A <-> B : forward, backward', 'A -> B : constant' or "
                "'A => B : whole rate'",
                like.start(),
            )
    arrows = list(_ARROW.finditer(formula))
    starts, ends = [0, *(arrow.end() for arrow in arrows)], [*(arrow.start() for arrow in arrows), len(formula)]
    sides = [_side(formula[start:end], _at(where, start)) for start, end in zip(starts, ends)]
    return sides, [arrow[0] for arrow in arrows]


def _side(text: str, where: Source) -> Side:
    if _NOTHING.fullmatch(text):
        return ()
    if not text.strip():
        raise where.error("a side of this reaction is empty; write 0 for nothing", max(0, len(text) - 1))
    amounts: dict[str, int] = {}
    start = 0
    for piece in text.split("+"):
        place = _at(where, start + len(piece) - len(piece.lstrip()))
        start += len(piece) + 1
        match = _TERM.fullmatch(piece)
        if match is None:
            raise place.error(_no_species(piece.strip()))
        check_identifier(match[2], _at(place, match.start(2) - match.start(1) if match[1] else 0))
        amount = int(match[1] or 1)
        if not 1 <= amount <= _MOST:
            way_out = f"leave '{match[2]}' out" if amount == 0 else f"at most {_MOST} of a species take part"
            raise place.error(f"the coefficient of '{match[2]}' is {amount}; {way_out}")
        amounts[match[2]] = amounts.get(match[2], 0) + amount
    return tuple(amounts.items())


def _no_species(piece: str) -> str:
    what = "a side of a reaction is 0, or species with whole coefficients and '+' between them, such as '2 A + B'"
    if not piece:
        return f"a species is missing beside this '+': {what}"
    if "\n" in piece:
        return f"'{piece.split()[0]}' ends a reaction whose rates are missing: end its line with ': rate'"
    if "*" in piece:
        return f"'{piece}' is a product; a coefficient stands before its species without a sign: {what}"
    if piece == "0":
        return f"'0' is nothing and stands alone: {what}"
    if re.match(r"\d*\.\d", piece):
        return f"'{piece}' has a coefficient that is no whole number: {what}; multiply all of them"
    return f"'{piece}' is no species: {what}"


def _at(where: Source, position: int) -> Source:
    return Source(where.text, where.offset + position, where.line)


# --- rates ---


def _rates(text: str, start: int, where: Source, bound: Mapping[str, str]) -> Iterator[Parsed]:
    """The expressions between the commas behind the colon."""
    depth, begin = 0, start
    for position in range(start, len(text) + 1):
        character = text[position] if position < len(text) else ","
        depth += (character in "([") - (character in ")]")
        if character == "," and (depth <= 0 or position == len(text)):
            piece = text[begin:position]
            if not piece.strip():
                missing = "a rate is missing here; leave out the comma, or write the rate"
                raise where.error(missing, min(begin, len(text) - 1))
            rate = parse(piece, _at(where, begin), bound)
            noise = sorted(name for name in names(rate.node) if is_noise(name))
            if noise:
                raise rate.error("a rate cannot be white noise; reactions are deterministic", Name(noise[0]))
            yield rate
            begin = position + 1


def _wanted(arrows: list[str]) -> str:
    words = {"<->": "k_forward, k_backward", "->": "k", "=>": "rate"}
    return ", ".join(words[arrow] for arrow in arrows)


def _count(given: int, arrows: list[str]) -> str:
    each = {
        "<->": "'<->' takes two rate constants, forward and backward", "->": "'->' takes one rate constant",
        "=>": "'=>' takes one rate, the whole law",
    }  # fmt: skip
    kinds = "; ".join(each[arrow] for arrow in dict.fromkeys(arrows))
    return f"there {'is 1 rate' if given == 1 else f'are {given} rates'} here, and {kinds}: ': {_wanted(arrows)}'"
