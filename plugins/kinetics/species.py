"""Species: lines such as ``Ca : mM (species)``, of what reactions make and use up."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rall.equations import DIFFERENTIAL, AbstractLineKind, FlagKind, Line
from rall.equations.flags import check_flags
from rall.equations.lines import NAME, check_identifier, parse_tail
from rall.ir.parse import Source
from rall.plugins.kinetics.expansion import SPECIES_LINE, expand
from rall.units import DIMENSIONLESS, get_or_create_dimension

__all__ = ["SPECIES", "SpeciesKind"]

_HEAD = re.compile(rf"\s*({NAME})\s*:")
_FLAG = re.compile(r"[(,]\s*species\s*(?=[,)])")
_CONCENTRATION = get_or_create_dimension(length=-3, substance=1)
_OPTIONS = ("D", "shells", "D_long")

SPECIES = FlagKind("species", (SPECIES_LINE,), options=_OPTIONS, meaning="is changed by reactions")


class SpeciesKind(AbstractLineKind):
    """``X : mM (species)``."""

    __slots__ = ()
    name = SPECIES_LINE

    def matches(self, text: str) -> bool:
        """See `AbstractLineKind.matches`."""
        head = _HEAD.match(text)
        return head is not None and _FLAG.search(text, head.end()) is not None

    def parse(self, text: str, where: Source, bound: Mapping[str, str]) -> Line:
        """See `AbstractLineKind.parse`."""
        head = _HEAD.match(text)
        assert head is not None
        check_identifier(head[1], Source(where.text, where.offset + head.start(1), where.line))
        tail = parse_tail(text, head.end(), where)
        if tail.dimension not in (DIMENSIONLESS, _CONCENTRATION) or tail.var_type != "float":
            raise where.error(
                f"a species is a concentration, in mM, or the state of a channel, in 1; '{head[1]}' cannot be in "
                f"'{tail.unit}'",
                head.end(),
            )
        check_flags(tuple(flag for flag in tail.flags if flag.name != SPECIES.name), DIFFERENTIAL)
        return Line(self.name, head[1], tail.dimension, tail.var_type, tail.unit, None, tail.flags, text, where)

    def expand(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """See `AbstractLineKind.expand`."""
        return expand(lines)
