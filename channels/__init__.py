"""Channel families: functions that return equations with units, defaults and their source.

``rall.channels.NAME`` is looked up in the entry points of the group ``rall.channels`` and imported then; `list` shows
what there is, `plot` and `gates` what a channel does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rall.channels.leak import leak
from rall.registry import builtin_names, find

if TYPE_CHECKING:
    from rall.channels import (
        allen,
        calcium,
        colbert_pan,
        connor_stevens,
        destexhe,
        hay,
        hh,
        markov,
        pospischil,
        rothman_manis,
        synapses,
        traub_miles,
        wang_buzsaki,
    )
    from rall.channels.gating import Gate, gates
    from rall.channels.listing import library as list  # noqa: F401
    from rall.channels.plotting import plot

__all__ = [
    "Gate", "allen", "calcium", "colbert_pan", "connor_stevens", "destexhe", "gates", "hay", "hh", "leak", "markov",
    "plot", "pospischil", "rothman_manis", "synapses", "traub_miles", "wang_buzsaki",
]  # fmt: skip

_TOOLS = {"Gate": "gating:Gate", "gates": "gating:gates", "list": "listing:library", "plot": "plotting:plot"}
"""What looks at channels, imported when it is asked for: models need none of it."""


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name in _TOOLS:
        module, _, function = _TOOLS[name].partition(":")
        return getattr(import_module(f"rall.channels.{module}"), function)
    return find("rall.channels", name)


def __dir__() -> tuple[str, ...]:
    return tuple(sorted({*globals(), *_TOOLS, *builtin_names("rall.channels")}))
