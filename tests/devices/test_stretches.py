"""Kernels of regions over stretches of elements that lie side by side where their map leads, too."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from populations import MODEL, Made, population
from programs import assignments

from rall.codegen.kernel import lower
from rall.devices import calls
from rall.devices.base import CompiledKernel
from rall.devices.threads import Share
from rall.model import Access, Clock, Domain, Elementwise, Layout, Variable
from rall.morphology import Cylinder
from rall.plugins.cable import geometry
from rall.plugins.monitors import SpikeMonitor
from rall.session import prefs
from rall.units import mm, um

REGIONS = {
    "all": MODEL,
    "dend": "dw/dt = (exp(v/(50*mV)) - w)/(5*ms) : 1\n"
            "J = 0.02*mS/cm**2*w*(-80*mV - v) : amp/meter**2 (membrane current)",
    "dend and distance > 70*um": "K = 0.01*mS/cm**2*(-50*mV - v) : amp/meter**2 (membrane current)",
    "soma": "da/dt = -a/(20*ms) : 1\nL = 0.2*mS/cm**2*a*(-90*mV - v) : amp/meter**2 (membrane current)",
}  # fmt: skip


def region(where, lines, kind="float", size=200):
    """An operation over a region, ``w`` its own and ``v`` behind its map, and its kernel."""
    where = np.asarray(where)
    inside, whole = Domain("region", Layout(len(where))), Domain("whole", Layout(size))
    rows = Variable("rows", inside, kind="index")
    rows.set(where)
    bindings = {"w": Variable("w", inside, kind=kind), "v": Access(Variable("v", whole), rows), "rows": rows}
    operation = Elementwise(name="region", clock=Clock(0.1), order=0, domain=inside, statements=assignments(lines),
                            bindings=bindings)  # fmt: skip
    kernel, arguments = lower(operation)
    return operation, CompiledKernel(kernel, arguments)


@settings(deadline=None)
@given(
    pieces=some.lists(some.tuples(some.integers(0, 5), some.integers(1, 20)), min_size=1, max_size=12),
    cut=some.tuples(some.integers(0, 4), some.integers(1, 30)),
)
def test_stretches_are_all_elements_in_order_and_as_long_as_can_be(pieces, cut):
    where, at = [], 0
    for gap, length in pieces:
        where += range(at + gap, at + gap + length)
        at += gap + length
    operation, made = region(where, ["w = w + v"], size=at)
    share = Share(8 * cut[0], min(8 * (cut[0] + cut[1]), operation.domain.layout.stored))
    if share.first >= share.last:
        return
    table = calls._stretches(operation, made, share)
    found = [(i, i + far) for first, last, far in table.tolist() for i in range(first, last)]
    assert found == [(i, where[i]) for i in range(share.first, min(share.last, len(where)))]
    for one, next_one in pairwise(table):
        assert one[1] == next_one[0] and one[2] != next_one[2]


@pytest.mark.parametrize(
    ("lines", "kind", "can"),
    [
        (["w = w + v"], "float", True),
        (["v = w"], "float", True),
        (["w = w + v", "v = 2*w"], "float", True),
        (["w = w + 1"], "float", False),  # no map
        (["w = v > 0"], "boolean", False),
        (["w = v + rows"], "float", False),  # a value that the map itself has
    ],
)
def test_what_can_go_by_stretches(lines, kind, can):
    _, made = region(np.arange(40, 80), lines, kind)
    assert (made.kernel.in_stretches is not None) == can


@pytest.mark.parametrize("size", [60, 300])
@pytest.mark.parametrize("threads", [1, 2])
def test_stretches_give_the_bits_of_maps(ways, monkeypatch, size, threads):
    """Whatever compartments lie side by side, a kernel gives the same as with its map, if nothing is contracted."""
    prefs.codegen.reproducible = True
    monkeypatch.setattr(geometry, "_BLOCK", size)

    def make():
        cells = population(70, model=REGIONS, reset="a += 0.3", threshold="v > -57*mV")
        spikes = SpikeMonitor(cells)
        names = ("v", "w", "a")
        return Made([cells, spikes], lambda: {"i": spikes.i, "t": spikes.t_} | {n: _all(cells, n) for n in names})

    found, used = {}, {}
    original = calls._stretches
    for shortest in (1, 10**6):
        tables = []
        monkeypatch.setattr(calls, "_SHORTEST", shortest)
        monkeypatch.setattr(calls, "_stretches", lambda *a, tables=tables: tables.append(original(*a)) or tables[-1])
        found[shortest] = [ways(make, way, threads) for way in ("epochs", "steps", "numpy")]
        used[shortest] = len(tables)
    assert used[1] > 0
    epochs, steps, reference = found[1]
    for other in (steps, *found[10**6][:2]):
        for name, value in epochs.items():
            np.testing.assert_array_equal(other[name], value, name)
    for name, value in reference.items():
        np.testing.assert_allclose(epochs[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def _all(cells, name):
    """A variable of a region, where there is one."""
    places = {"v": slice(None), "w": cells.indices_of("dend"), "a": cells.indices_of("soma")}
    return np.asarray(getattr(cells, f"{name}_"))[places[name]]


def test_stretches_do_not_depend_on_the_number_of_threads(ways):
    """Threads that share a region cut stretches."""

    def make():
        shapes = [Cylinder(length=2 * mm, diameter=2 * um, n=n, type="soma") for n in (1501,)]
        model = {"all": MODEL, "distance > 100*um": REGIONS["dend"]}
        cells = population(morphology=shapes, model=model, refractory=False)
        cells.v = "-65*mV + 30*mV*sin(i/7.0)"
        return Made([cells], lambda: {"v": cells.v_[:], "w": cells.w_[:][cells.indices_of("distance > 100*um")]})

    alone = ways(make, "epochs")
    for threads in (2, 3, 5):
        for name, value in ways(make, "epochs", threads).items():
            np.testing.assert_array_equal(value, alone[name], f"{name}, {threads} threads")
