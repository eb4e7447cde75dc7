"""Options of one compilation: a frozen set of typed values, handed from stage to stage."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """How a model is turned into a program.

    Parameters
    ----------
    share_exponentials : bool
        Compute exponentials with rates in small integer ratios from one (1e-13 instead of 1e-15 relative).
    reproducible : bool
        The same bits with every compiler: no contraction of products and sums.
    compiler : str or None
        Command of the C compiler; None looks for one.
    extra_compile_args : tuple of str
        Appended to rall's own flags.
    threads : int or None
        How many work on one program; None for as many as there is work and processors for.
    """

    share_exponentials: bool = True
    reproducible: bool = False
    compiler: str | None = None
    extra_compile_args: tuple[str, ...] = ()
    threads: int | None = 1
