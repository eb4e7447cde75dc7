"""Grow the files of this folder again: ``python -m rall.data.regenerate [FOLDER]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rall.morphology.grow import GENERATOR_VERSION, grow_samples

__all__ = ["CELLS", "main", "swc_text"]

#: Name of each file without its suffix: the kind and the seed that it was grown from.
CELLS: dict[str, tuple[str, int]] = {
    "granule": ("granule", 1),
    "layer5_pyramidal": ("pyramidal", 1),
    "purkinje": ("purkinje", 1),
}

_HEADER = """\
# A cell that does not exist: rall grew it (generator version {version}, kind {kind!r}, seed {seed}).
# Method: balanced minimum spanning trees, Cuntz et al. (2010), PLoS Comput Biol 6:e1000877,
# with diameters after Rall (1959), Exp Neurol 1:491. No reconstruction of a real cell went into it.
# Licence: BSD-3-Clause, as all of rall; you may also use this file under CC0 1.0 (no rights reserved).
# Types: 1 soma, 2 axon, 3 {dendrite}, 4 apical dendrite. Coordinates and radii in um.
# id type x y z radius parent
"""


def swc_text(kind: str, seed: int) -> str:
    """Give a grown cell as the text of an SWC file, with three decimals.

    Parameters
    ----------
    kind : str
        As in `rall.morphology.grow.grow_samples`.
    seed : int
        Which cell of the kind.

    Returns
    -------
    str
        Comments that say where the cell comes from, then one line for each sample.
    """
    cell = grow_samples(kind, seed)
    dendrite = "basal dendrite" if kind == "pyramidal" else "dendrite"
    lines = [_HEADER.format(version=GENERATOR_VERSION, kind=kind, seed=seed, dendrite=dendrite)]
    # Adding 0 turns a rounded -0 into 0.
    numbers = np.round(np.stack([cell.x, cell.y, cell.z, cell.radius], axis=1), 3) + 0.0
    for k, (x, y, z, radius) in enumerate(numbers.tolist()):
        lines.append(f"{cell.id[k]} {cell.type[k]} {x:.3f} {y:.3f} {z:.3f} {radius:.3f} {cell.parent[k]}\n")
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all files.

    Parameters
    ----------
    arguments : sequence of str, optional
        The folder to write to, this one by default; those of the command line if left out.

    Returns
    -------
    int
        Exit status, 0.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    folder = Path(given[0]) if given else Path(__file__).resolve().parent
    for name, (kind, seed) in CELLS.items():
        target = folder / f"{name}.swc"
        target.write_text(swc_text(kind, seed), encoding="ascii", newline="\n")
        print(f"{target}: {target.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
