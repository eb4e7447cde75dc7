"""Parameters that take no memory as long as they have one value everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.model import Domain, Lazy
from rall.units import Dimension

__all__ = ["Compact"]


class Compact(Lazy):
    """A float parameter whose storage is made once it differs from element to element, or a kernel needs it.

    Parameters
    ----------
    name, domain, dimension
        As of `Variable`.
    """

    def __init__(self, name: str, domain: Domain, dimension: Dimension) -> None:
        self._value = 0.0
        super().__init__(name, domain, dimension, "float", "parameter", lambda: np.full(domain.size, self._value))

    def set(self, values: object) -> None:
        """See `Variable.set`."""
        if self._array is None and np.size(np.asarray(values)) == 1:
            self._value = float(np.asarray(values).item())
        else:
            super().set(values)

    def least(self) -> NDArray[Any]:
        """The values in the user's order, or the one that all elements have; shape (size,) or (1,)."""
        return np.full(1, self._value) if self._array is None else self.get()
