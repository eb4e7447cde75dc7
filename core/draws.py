"""Random numbers as equations call them: what is drawn from, then the place of the draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall import philox, solvers

__all__ = ["among", "normal", "poisson", "rand", "randn"]

Floats = NDArray[np.float64]


def among(table: Floats, seed: int, stream: int, step: int, elements: Any, draw: float) -> Floats:
    """Whole numbers with the probabilities of a table; see ``rall_draw_among`` in ``rall_random.h``."""
    place, share = np.divmod(rand(seed, stream, step, elements, draw) * table[1], 1.0)
    pair = 3 + 2 * place.astype(np.int64)
    return np.asarray(np.where(share < table[pair], table[2] + place, table[pair + 1]), float)


def rand(seed: int, stream: int, step: int, elements: Any, draw: float) -> Floats:
    """Uniform on [0, 1)."""
    return solvers.uniforms(int(seed), int(stream), int(step), elements, int(draw))


def randn(seed: int, stream: int, step: int, elements: Any, draw: float) -> Floats:
    """Standard normal."""
    return solvers.normals(int(seed), int(stream), int(step), elements, int(draw))


def normal(mean: Any, sd: Any, seed: int, stream: int, step: int, elements: Any, draw: float) -> Floats:
    """Normal with a given mean and standard deviation."""
    return np.asarray(mean + sd * randn(seed, stream, step, elements, draw), float)


def poisson(mean: Any, seed: int, stream: int, step: int, elements: Any, draw: float) -> Floats:
    """Poisson with a given mean."""
    return np.asarray(philox.poisson(int(seed), int(stream), int(step), elements, mean, int(draw)), float)
