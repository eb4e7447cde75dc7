"""Where NumPy's functions find what to do with a quantity: two tables, filled by the modules that know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["FUNCTIONS", "MODULES", "UFUNCS", "FunctionRule", "UfuncRule", "find_rule"]

#: Called as ``rule(ufunc, method, inputs, keywords)``.
UfuncRule: TypeAlias = Callable[[np.ufunc, str, tuple[Any, ...], dict[str, Any]], Any]
#: Called as ``rule(args, keywords)``.
FunctionRule: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], Any]

UFUNCS: dict[np.ufunc, UfuncRule] = {}
FUNCTIONS: dict[Callable[..., Any], FunctionRule] = {}
#: How to make the rules of the functions of a whole module, which is then not imported for the table's sake.
MODULES: dict[str, Callable[[Callable[..., Any]], FunctionRule]] = {}


def find_rule(func: Callable[..., Any]) -> FunctionRule | None:
    """The rule of one of NumPy's functions.

    Parameters
    ----------
    func : callable
        Such as `numpy.mean`.

    Returns
    -------
    callable or None
        Called as ``rule(args, keywords)``.
    """
    rule = FUNCTIONS.get(func)
    make = MODULES.get(func.__module__) if rule is None else None
    if make is not None:
        rule = FUNCTIONS[func] = make(func)
    return rule
