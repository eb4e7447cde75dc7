"""Whether INITIAL starts states where they stand still, found out with numbers."""

from __future__ import annotations

from zlib import crc32

from rall.plugins.nmodl.algebra import evaluate
from rall.plugins.nmodl.passes import AS_GIVEN, Passes
from rall.plugins.nmodl.syntax import Expression

__all__ = ["steady_states"]

_VOLTAGES = (-71.3, -48.9, 12.7)
_STEP, _CLOSE = 0.01, 1e-6
_TYPICAL = {"t": 0.0, "dt": 0.025, "celsius": 21.7, "diam": 500.0, "area": 100.0, "L": 100.0}


class _Point:
    """The values of all names where states are as INITIAL sets them."""

    def __init__(self, passes: Passes, v: float) -> None:
        self._passes = passes
        self._values = {"v": v, **_TYPICAL}

    def value(self, name: str) -> float:
        """The value of a variable or definition."""
        if name not in self._values:
            self._values[name] = self._found(name)
        return self._values[name]

    def with_value(self, name: str, value: float) -> _Point:
        """Another point, where one state has another value and all else follows."""
        other = _Point(self._passes, self._values["v"])
        known = self._passes.known
        other._values.update({n: x for n, x in self._values.items() if known.get(n) in _FIXED})
        other._values[name] = value
        return other

    def _found(self, name: str) -> float:
        passes = self._passes
        key = name if name in passes.definitions else passes.final.get(name)
        if key is not None:
            return evaluate(passes.definitions[key].expression, self.value)
        kind = passes.known.get(name)
        if kind == "STATE" and name in passes.initial:
            self._values[name] = 0.0  # if its own value before INITIAL is asked for
            return evaluate(passes.initial[name], self.value)
        ion = passes.ions.get(name)
        if ion is not None and (kind in ("READ", "WRITE") or name in passes.rates):
            return 0.0 if ion.default is None else ion.default
        for declaration in passes.program.declarations:
            if declaration.name == name.removesuffix(AS_GIVEN) and declaration.value is not None:
                return declaration.value
        if kind in ("STATE", "ASSIGNED"):
            return 0.0
        return 0.5 + 1.5 * crc32(name.encode()) / 2**32  # anything, the same each time


_FIXED = ("STATE", "PARAMETER", "UNIT", "CONSTANT", "READ", "WRITE")


def steady_states(passes: Passes) -> set[str]:
    """States that do not change from where INITIAL sets them, at any of some voltages.

    Parameters
    ----------
    passes : Passes
        The file, followed.
    """
    points = [_Point(passes, v) for v in _VOLTAGES]
    return {
        state for state, rate in passes.rates.items()
        if state in passes.steady or all(_stands(point, state, rate) for point in points)
    }  # fmt: skip


def _stands(point: _Point, state: str, rate: Expression) -> bool:
    try:
        here = point.value(state)
        speed = evaluate(rate, point.value)
        beside = evaluate(rate, point.with_value(state, here + _STEP * (abs(here) or 1.0)).value)
        return abs(speed) <= _CLOSE * abs(beside - speed)
    except (KeyError, ArithmeticError, ValueError, RecursionError):
        return False
