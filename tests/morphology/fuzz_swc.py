"""Mutated SWC text: a morphology or a rall error, never anything else.

As a script: ``python tests/morphology/fuzz_swc.py [RUNS] [SEED]`` prints what came out of so many mutations.
"""

from __future__ import annotations

import random
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from rall.errors import RallError
from rall.morphology import Morphology

SEEDS = (
    b"1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 20 0 0 0.9 2\n4 3 40 5 0 0.7 3\n"
    b"5 4 40 -5 0 0.6 3\n6 3 60 12 0 0.5 4\n",
    b'# Meta: {"units": "1 nanometer"}\n1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n'
    b"3 1 0 5 0 5 1\n4 3 6 0 0 1 1\n5 3 50 0 0 1 4\n",
    b"1 1 0 0 0 5 -1\n2 1 0 6 0 4 1\n3 1 4 -6 0 3 1\n4 3 0 20 0 1 2\n5 3 0 60 0 1 4\n6 2 10 -20 0 1 3\n",
    b"1 2 0 0 0 1 -1\n2 2 10 0 0 1 1\n3 2 10 0 0 2 2\n4 2 0 20 0 1 1\n5 5 10 20 0 1 4\n",
)
WORDS = (
    b"0", b"-1", b"1", b"2", b"3", b"4", b"nan", b"inf", b"-inf", b"1e308", b"1e-308", b"-0.0", b"1e9",
    b"99999999999999999999",
    b"1.0", b"1_0", b"x", b"0x10", b"#", b",", b"\0", b"\xff", b"\xef\xbb\xbf", b"1e-12", b"1e-9",
    b"6", b"5", b"",
)  # fmt: skip


def check(data: bytes, folder: Path) -> str:
    """Read mutated text and use what was read.

    Parameters
    ----------
    data : bytes
        Text of an SWC file, more or less.
    folder : Path
        Where a file may be written.

    Returns
    -------
    str
        ``'loaded'`` or the code of the error.
    """
    path = folder / "mutant.swc"
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            m = Morphology.from_file(path, soma=("sphere", "cylinder", "brian")[len(data) % 3])
            use(m, folder)
    except RallError as error:
        return getattr(error, "code", type(error).__name__)
    return "loaded"


def use(m: Morphology, folder: Path) -> None:
    """What must hold of anything that was loaded."""
    tree = m.flatten()
    for name in ("length", "area", "volume", "diameter"):
        values = getattr(tree, name)
        assert np.isfinite(values).all() and (values > 0).all(), name
    graph = tree.conductance_graph()
    assert np.isfinite(graph.resistance).all() and (graph.resistance[1:] > 0).all()
    assert sorted(graph.order.tolist()) == list(range(len(graph)))
    for sample in {*tree.polyline.id.tolist(), *tree.merged} - {-1}:
        indices, weights = m.sample(sample).interpolation()
        assert abs(weights.sum() - 1) < 1e-9 and (indices < tree.n).all()
    fine = m.discretize(n=3).flatten()
    assert np.isclose(fine.area.sum(), tree.area.sum(), rtol=1e-6)
    str(m.info())
    m.save(folder / "saved.swc")


def mutate(data: bytes, source: random.Random) -> bytes:
    """One to four small changes of words, lines and bytes."""
    lines = [line.split(b" ") for line in data.split(b"\n")]
    for _ in range(source.randint(1, 4)):
        row = source.randrange(len(lines))
        kind = source.randrange(7)
        if kind <= 2 and lines[row]:
            lines[row][source.randrange(len(lines[row]))] = source.choice(WORDS)
        elif kind == 3:
            lines.insert(row, list(source.choice(lines)))
        elif kind == 4 and len(lines) > 1:
            del lines[row]
        elif kind == 5:
            source.shuffle(lines)
        elif lines[row]:
            word = source.randrange(len(lines[row]))
            lines[row][word] = lines[row][word] + source.choice(WORDS)
    text = b"\n".join(b" ".join(line) for line in lines)
    if source.random() < 0.1 and text:
        at = source.randrange(len(text))
        text = text[:at] + bytes([source.randrange(256)]) + text[at + 1 :]
    return text


def main() -> None:
    """Run many mutations and count outcomes."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    source = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for _ in range(runs):
            data = mutate(source.choice(SEEDS), source)
            try:
                outcomes[check(data, Path(name))] += 1
            except Exception:
                print(f"failed on {data!r}")
                raise
    print(f"{runs} mutations: " + ", ".join(f"{code} {count}" for code, count in outcomes.most_common()))


if __name__ == "__main__":
    main()
