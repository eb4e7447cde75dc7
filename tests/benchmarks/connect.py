"""Prints what finding pairs for `connect` takes: CPU time (best of three), and memory at the peak beyond the result.

Aims: 30 ms for 4000 x 4000 with p=0.02; 10 million synapses in well under 2 s with at most 150 MB beside them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from timing import peak_megabytes

from rall import solvers
from rall.evaluate import evaluate
from rall.ir.visit import functions, names
from rall.plugins.synapses.connect import Pairs, Use, pairs
from rall.plugins.synapses.generator import Expression
from rall.plugins.synapses.request import parse_request


class Numbers:
    """Two groups without variables.

    Parameters
    ----------
    n_pre, n_post : int
        Their sizes.
    """

    def __init__(self, n_pre: int, n_post: int) -> None:
        self.n_pre, self.n_post = n_pre, n_post

    def inspect(self, expression: Expression) -> Use:
        """Only element numbers and sizes are known."""
        node = expression.parsed.node
        return Use(names(node) - {"N_pre", "N_post"}, frozenset(), "rand" in functions(node))

    def evaluate(
        self, expression: Expression, values: Mapping[str, NDArray[np.int64]], numbers: NDArray[np.int64] | None
    ) -> ArrayLike:
        """Through NumPy."""
        place = {"_seed": 1, "_stream": expression.number + 1, "_step": 0, "_element": numbers}
        value: ArrayLike = evaluate(
            expression.parsed.node, {**values, **place, "N_pre": self.n_pre, "N_post": self.n_post}
        )
        return value

    def uniforms(self, numbers: NDArray[np.int64], draw: int) -> NDArray[np.float64]:
        """Philox."""
        return solvers.uniforms(1, 0, 0, numbers, draw)


def random_indices() -> dict[str, Any]:
    """Ten million pairs as arrays."""
    generator = np.random.default_rng(1)
    return {name: generator.integers(0, 10**4, 10**7, dtype=np.int32) for name in ("i", "j")}


MILLION, MANY = 10**6, 10**7
CASES: dict[str, tuple[int, Callable[[], dict[str, Any]]]] = {
    "p=0.02": (4000, lambda: {"p": 0.02}),
    "i!=j, p=0.02": (4000, lambda: {"condition": "i!=j", "p": 0.02}),
    "i!=j": (4000, lambda: {"condition": "i!=j"}),
    "all": (4000, dict),
    "rand()<0.02": (4000, lambda: {"condition": "rand()<0.02"}),
    "p='exp(-abs(i-j)/100)'": (4000, lambda: {"p": "exp(-abs(i-j)/100)"}),
    "sample size=80": (4000, lambda: {"j": "k for k in sample(N_post, size=80)"}),
    "sample size=2000": (4000, lambda: {"j": "k for k in sample(N_post, size=2000)"}),
    "p=0.1": (10**4, lambda: {"p": 0.1}),
    "n=2, p=0.05": (10**4, lambda: {"p": 0.05, "n": 2}),
    "arrays": (10**4, random_indices),
    "i!=j, p=1e-5": (MILLION, lambda: {"condition": "i!=j", "p": 1e-5}),
    "range(i-5, i+5)": (MILLION, lambda: {"j": "k for k in range(i-5, i+5)", "skip_if_invalid": True}),
    "sample size=10": (MILLION, lambda: {"j": "k for k in sample(N_post, size=10)"}),
    "j='i'": (MANY, lambda: {"j": "i"}),
}


def measure(name: str) -> None:
    """Run one case in this process and print its line."""
    size, given = CASES[name]
    request = parse_request(**given())
    before = peak_megabytes()
    times = []
    found: Pairs | None = None
    for _ in range(3):
        del found
        found = None
        start = time.process_time()
        found = pairs(request, Numbers(size, size))
        times.append(time.process_time() - start)
    assert found is not None
    result = (found.i.nbytes + found.j.nbytes) / 2**20
    beyond = peak_megabytes() - before - result
    print(f"{size:9} {name:<24} {len(found):10} {min(times) * 1e3:9.1f} ms {result:7.1f} MB {beyond:7.1f} MB")


def main() -> None:
    """Print one line a case, each from a process of its own."""
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    print(f"{'elements':>9} {'case':<24} {'synapses':>10} {'CPU':>12} {'result':>10} {'beyond':>10}")
    for name in CASES:
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, name], check=True)


if __name__ == "__main__":
    main()
