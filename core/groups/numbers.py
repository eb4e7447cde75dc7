"""Numbers of elements by conditions and other indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ElementNumbers"]


class ElementNumbers:
    """Gives the numbers of the elements that an index means: ``group.indices['v > 0*mV']``.

    Parameters
    ----------
    find : callable
        From an index (integer, slice, list, array, mask, condition as text; for synapses ``i, j``) to numbers.
    owner : str
        Name of the group.
    """

    def __init__(self, find: Callable[[Any], NDArray[np.int64]], owner: str) -> None:
        self._find, self._owner = find, owner

    def __getitem__(self, item: Any) -> NDArray[np.int64]:
        return self._find(item)

    def __repr__(self) -> str:
        return f"<numbers of the elements of '{self._owner}': use [...]>"
