"""Channel families: functions that return equations with units, defaults and their source.

``rall.channels.NAME`` is looked up in the entry points of the group ``rall.channels``.
"""

from __future__ import annotations

from typing import Any

from rall.channels import hh
from rall.channels.leak import leak
from rall.registry import find

__all__ = ["hh", "leak"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return find("rall.channels", name)
