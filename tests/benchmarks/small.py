"""Prints what small things take: operations on quantities, parsing, growing a cell (best of several, CPU time).

Budgets: 0.5 us for a scalar operation, 2 us for one on 1000 elements, 60 us for an expression of 60 characters.
"""

from __future__ import annotations

import time
import timeit

import numpy as np

from rall.ir.parse import parse
from rall.morphology import Morphology
from rall.units import ms, mV

SCALARS = ("x + y", "2 * x", "x / y", "x * t", "x < y", "x == y", "x / mV", "3 * mV", "x**2")
ARRAYS = ("a + b", "2 * a", "a / b", "a * x", "a < x", "a / mV", "n * mV")
EXPRESSION = "(alpha*(1-m) - beta*m)/tau + I_app*exp(-(v-v_half)/k)/Cmem"


def microseconds(statement: str, names: dict[str, object], number: int) -> float:
    """Best of seven, microseconds of CPU time a statement."""
    runs = timeit.repeat(statement, globals=names, number=number, repeat=7, timer=time.process_time)
    return min(runs) / number * 1e6


def main() -> None:
    """Print one line a measurement."""
    n = np.arange(1.0, 1001.0)
    names: dict[str, object] = {
        "x": 3 * mV, "y": 2 * mV, "t": 4 * ms, "mV": mV, "n": n, "a": n * mV, "b": n * mV, "parse": parse,
        "text": EXPRESSION, "grow": lambda: Morphology.grow("pyramidal", seed=9),
    }  # fmt: skip
    for statement in SCALARS:
        print(f"scalar      {statement:<12} {microseconds(statement, names, 20000):9.3f} us")
    for statement in ARRAYS:
        print(f"1000 values {statement:<12} {microseconds(statement, names, 2000):9.3f} us")
    print(f"parse       {len(EXPRESSION)} characters {microseconds('parse(text)', names, 200):9.3f} us")
    print(f"grow        a pyramidal cell {microseconds('grow()', names, 1) / 1e6:9.3f} s")


if __name__ == "__main__":
    main()
