"""How long reading takes: ``python tests/benchmarks/read_swc.py [SAMPLES]`` prints one JSON line.

A random tree with a branch point every 30 samples, as reconstructions have them; median of five readings.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from rall.morphology import Morphology
from rall.units import um


def text(samples: int) -> str:
    """SWC text of a random tree."""
    random = np.random.default_rng(0)
    steps = random.normal(size=(samples + 1, 3))
    rows, places, above = ["1 1 0 0 0 5 -1"], [np.zeros(3)], 1
    for k in range(2, samples + 1):
        if k % 30 == 2:
            above = int(random.integers(max(1, k - 2000), k))
        place = places[above - 1] + steps[k]
        places.append(place)
        rows.append(f"{k} 3 {place[0]:.4f} {place[1]:.4f} {place[2]:.4f} 0.5 {above}")
        above = k
    return "\n".join(rows) + "\n"


def main() -> None:
    """Time reading, flattening and cutting."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    laps: dict[str, list[float]] = {"read_s": [], "flatten_s": [], "discretize_s": []}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "cell.swc"
        path.write_text(text(samples))
        for _ in range(5):
            start = time.perf_counter()
            m = Morphology.from_file(path)
            read = time.perf_counter()
            tree = m.flatten()
            flat = time.perf_counter()
            m.discretize(max_length=10 * um).flatten()
            end = time.perf_counter()
            for name, lap in zip(laps, (read - start, flat - read, end - flat)):
                laps[name].append(lap)
    medians = {name: round(float(np.median(values)), 4) for name, values in laps.items()}
    print(json.dumps({"samples": samples, "sections": len(tree.sections), "compartments": tree.n, **medians}))


if __name__ == "__main__":
    main()
