"""Random numbers of NMODL as those of equations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rall.plugins.nmodl.algebra import add, mul, neg, sub
from rall.plugins.nmodl.syntax import Block, Call, Expression, Name, Number, Opaque

__all__ = ["drawn", "is_uniform"]

_C_DRAWS = re.compile(r"\b(?:nrn_random_pick|nrnran123_dblpick|scop_random)\b")
_UNIFORM, _NORMAL = Call("rand", ()), Call("randn", ())


def drawn(name: str, given: Sequence[Expression], streams: Sequence[str]) -> Expression | None:
    """What equations say for a random number; None if the function is no random one.

    Parameters
    ----------
    name : str
        Of the function.
    given : sequence of Expression
        Its arguments.
    streams : sequence of str
        Names that RANDOM declares, of which one may come first among the arguments.
    """
    rest = list(given)
    if rest and isinstance(rest[0], Name) and rest[0].name in streams:
        rest = rest[1:]
    if name == "scop_random":
        return _UNIFORM
    if name in ("random_uniform", "random_dpick"):
        low, high = rest if len(rest) == 2 else (Number("0"), Number("1"))
        return add(low, mul(sub(high, low), _UNIFORM)) if len(rest) == 2 else _UNIFORM
    if name in ("random_normal", "normrand"):
        return add(rest[0], mul(rest[1], _NORMAL)) if len(rest) == 2 else _NORMAL
    if name in ("random_negexp", "exprand"):
        exponential = neg(Call("log", (sub(Number("1"), _UNIFORM),)))
        return mul(rest[0], exponential) if rest else exponential
    return None


def is_uniform(block: Block) -> bool:
    """Whether a function picks a number between 0 and 1 in C, as the ``urand`` of many files does."""
    return block.name in ("urand", "unirand") and any(
        isinstance(one, Opaque) and one.kind == "VERBATIM" and _C_DRAWS.search(one.text) for one in block.body
    )
