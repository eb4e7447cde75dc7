"""NumPy with the functions that know units in place of its own: ``from rall.numpy_ import *``."""

# ruff: noqa: F403
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rall.units import functions

if TYPE_CHECKING:
    from numpy import *  # isort: skip
    from rall.units.functions import *  # type: ignore # isort: skip

__all__ = sorted({*np.__all__, *functions.__all__})


def __getattr__(name: str) -> Any:
    return getattr(functions if name in functions.__all__ else np, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
