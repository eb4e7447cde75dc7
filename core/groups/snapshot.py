"""Values that were read from a group and lead back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Snapshot"]

_Store: TypeAlias = "Callable[[NDArray[np.int64], NDArray[Any]], None]"


class Snapshot(np.ndarray[Any, Any]):
    """All values of a variable as they were when they were read; elements that are set here are set in the group too.

    So ``group.x[:][mask] = 0`` does what it says, while a later run leaves the snapshot as it is.  Parts of it, copies,
    and what is computed from it are arrays like any other.

    Parameters
    ----------
    values : ndarray
        The values, shape (elements,); not copied.
    store : callable
        Takes the numbers of elements and their new values (SI base units), and puts them into the group.
    """

    _store: _Store | None = None

    def __new__(cls, values: NDArray[Any], store: _Store) -> Snapshot:
        """See the class."""
        made = values.view(cls)
        made._store = store
        return made

    def __setitem__(self, item: Any, value: Any) -> None:
        super().__setitem__(item, value)
        if self._store is not None:
            elements = np.atleast_1d(np.arange(len(self))[item])
            self._store(elements, np.asarray(self)[elements])

    def __getitem__(self, item: Any) -> Any:
        return np.asarray(self)[item]

    def __array_wrap__(self, array: NDArray[Any], context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return np.asarray(self).__reduce_ex__(protocol)
