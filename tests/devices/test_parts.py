"""Operations block by block: where blocks begin, and what goes into stages."""

from __future__ import annotations

import numpy as np
import pytest
from populations import MODEL, Made, population

from rall.plugins.cable import geometry
from rall.plugins.monitors import SpikeMonitor
from rall.units import ms

#: Whole numbers and truth values of compartments, which are narrower than floats.
NARROW = MODEL + """
on : boolean
times : integer
I_on = 10*pA*on*(times % 3) + 5*pA*dend : amp (point current)
"""


@pytest.mark.parametrize("size", [60, 100, 170, 700, 1100])
def test_blocks_begin_where_narrow_values_are_not_aligned(ways, monkeypatch, size):
    monkeypatch.setattr(geometry, "_BLOCK", size)

    def make():
        cells = population(67, model=NARROW)
        cells.on = np.arange(cells.N) % 4 != 1
        cells.times = np.arange(cells.N)
        cells.run_regularly("on = not on\ntimes = times + int(on)", dt=0.5 * ms)
        spikes = SpikeMonitor(cells)
        return Made([cells, spikes], lambda: {"i": spikes.i, "t": spikes.t_, "v": cells.v_[:], "times": cells.times[:]})

    ways.compare(make, threads=[2])
