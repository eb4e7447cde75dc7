"""What the tests of morphologies share: SWC text of their own, and the folder of real cells."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

BASE = """\
1 1 0 0 0 5 -1
2 3 6 0 0 1 1
3 3 20 0 0 0.9 2
4 3 40 5 0 0.7 3
5 4 40 -5 0 0.6 3
6 3 60 12 0 0.5 4
7 4 62 -11 0 0.4 5
8 2 -6 0 0 0.5 1
9 2 -40 0 0 0.5 8
"""


@pytest.fixture
def base() -> str:
    """A well-formed tree: one-sample soma, a dendrite of two types with a branch point, an axon."""
    return BASE


@pytest.fixture
def swc(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write SWC text to a file and give its path."""

    def write(text: str | bytes, name: str = "cell.swc") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def shared() -> Path:
    """The folder with real and malformed reconstructions, which is not part of the project."""
    here = Path(__file__).resolve().parents[2] / ".." / "shared"
    folder = Path(os.environ.get("RALL_SHARED", here))
    if not (folder / "morphologies").is_dir():
        pytest.skip("the folder with reconstructions (../shared or RALL_SHARED) is not here")
    return folder


@pytest.fixture
def random_tree() -> Callable[..., str]:
    """SWC text of a random healthy tree with distinct positions."""

    def make(seed: int, samples: int = 120, soma: int = 1) -> str:
        random = np.random.default_rng(seed)
        rows = [(k, 1, 0.0, 3.0 * (k - 1), 0.0, 7.0 - k, k - 1 if k > 1 else -1) for k in range(1, soma + 1)]
        for kind in (2, 3, 3, 4):
            outward = random.normal(size=3)
            outward /= np.linalg.norm(outward)
            first = len(rows) + 1
            for k in range(first, first + samples // 4):
                turn = k > first + 2 and random.random() < 0.15
                above = int(random.integers(first + 1, k)) if turn else k - 1
                above = int(random.integers(1, soma + 1)) if k == first else above
                start = np.array(rows[above - 1][2:5])
                x, y, z = (start + outward * (9 if k == first else 3) + random.normal(size=3)).tolist()
                rows.append((k, kind, x, y, z, float(random.uniform(0.3, 2.0)), above))
        return "\n".join(" ".join(map(str, row)) for row in rows) + "\n"

    return make
