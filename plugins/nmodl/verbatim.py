"""Pieces of C in a file that change nothing in its equations."""

from __future__ import annotations

import re

__all__ = ["harmless"]

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_STATEMENT = re.compile(
    r"""\s*(?:
      return\s*(?:\(?\s*0?(?:\.0*)?\s*\)?)?             # what old procedures had to end with
    | (?P<ion>\w+)\s*=\s*_ion_(?P=ion)                  # an ion variable brought up to date
    | _ion_(?P<own>\w+)\s*=\s*(?P=own)
    | (?:extern|static)\s[\w\s*,()]*                    # declarations
    | (?:double|int|void|char|float|long)\s[\w\s*,]*(?:\([\w\s*,]*\))?
    | (?:printf|fprintf|fflush)\s*\((?:"[^"]*"|[^";])*\)
    | [{}\s]*
    )\s*""",
    re.VERBOSE,
)


def harmless(text: str) -> bool:
    """Whether C code only returns, includes, declares, prints or brings ion variables up to date.

    Parameters
    ----------
    text : str
        What stands between VERBATIM and ENDVERBATIM.
    """
    bare = _DIRECTIVE.sub("", _COMMENT.sub(" ", text))
    return all(_STATEMENT.fullmatch(piece) for piece in re.split(r"[;{}]", bare))
