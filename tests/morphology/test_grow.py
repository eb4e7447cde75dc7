"""Grown cells: valid trees, the measures of their kind, and files that equal what the generator makes.

Where the ranges come from:

- layer 5: measured, with `measures` below, on two layer-5 reconstructions (mouse and, thick-tufted, rat)
  and two hippocampal pyramidal ones: 5.5 to 14 mm of dendrite (basal 1.9 to 7.4, apical 3.6 to 9.8), 55 to
  112 tips, basal stems of 0.2 to 3.2 um, mean diameters (weighted by length) of 0.48 to 0.83 um basal and
  0.45 to 1.0 um apical, apical stems of 1.5 to 6.9 um, tips of 0.23 to 1.1 um, median sum of d**1.5 at forks
  0.8 to 1.65 of the parent's.
- Purkinje: Rapp, Segev and Yarom (1994), J Physiol 474:101 (guinea pig): more than 400 tips, 81 to 85 % of
  the length in spiny dendrites; Fiala and Harris (1999), Dendrite structure, in Dendrites (Oxford), table of
  dimensions: 9.1 mm in all, 200 um from the soma, one stem (of 3 um), thin dendrites of 0.8 to 2.2 um.
- granule: Claiborne, Amaral and Cowan (1990), J Comp Neurol 302:206 (rat): 2324 to 4582 um, 22 to 40
  sections, 1 to 4 stems, highest order 4 to 8, 325 um by 176 um across, 63 % of the forks in the granule
  cell layer and the inner third; a reconstruction measured here has 1759 um and 15 tips.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import rall.data
from rall.data import regenerate
from rall.errors import MorphologyError
from rall.morphology.grow import GENERATOR_VERSION, KINDS, Samples, grow_samples
from rall.morphology.grow_wiring import Skeleton, chain, cone, connect, normals, prune

SHARED = Path(os.environ.get("RALL_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))
MAKE = {kind: grow_samples(kind, 1) for kind in KINDS}
AXON, BASAL, APICAL = 2, 3, 4


@dataclass
class Measures:
    """What a tree of one type measures; links from the soma to a neurite are no cable."""

    length: float
    area: float
    tips: int
    forks: int
    stems: np.ndarray  # diameters where it leaves the soma
    tip_diameters: np.ndarray
    tip_paths: np.ndarray
    orders: np.ndarray  # branch order of the tips, 1 on a stem
    sections: np.ndarray  # lengths
    tortuosity: np.ndarray  # of sections over 20 um
    mean_diameter: float  # weighted by length
    rall: np.ndarray  # sum of the children's d**1.5 over the parent's, at forks
    size: np.ndarray  # extent along x, y, z


def measures(
    kinds: np.ndarray, xyz: np.ndarray, radius: np.ndarray, parent: np.ndarray, wanted: int
) -> Measures:
    """Measure the cable of one type; `parent` holds indices, parents first."""
    soma = kinds == 1
    mine = kinds == wanted
    length = np.linalg.norm(xyz - xyz[parent], axis=1)
    length[(parent < 0) | soma | soma[parent]] = 0.0
    path, order, start = np.zeros(len(parent)), np.zeros(len(parent), int), np.arange(len(parent))
    children = np.bincount(parent[parent >= 0], minlength=len(parent))
    for k, p in enumerate(parent):
        if p >= 0 and not soma[p]:
            path[k] = path[p] + length[k]
            order[k] = order[p] + (children[p] > 1)
            start[k] = p if children[p] > 1 or kinds[p] != kinds[k] else start[p]
    tips, forks = mine & (children == 0), mine & (children > 1)
    ends = np.flatnonzero(tips | forks)
    sections = path[ends] - path[start[ends]]
    chord = np.linalg.norm(xyz[ends] - xyz[start[ends]], axis=1)
    long = sections > 20.0
    cable = mine & (length > 0)
    sums = np.zeros(len(parent))
    inner = (parent >= 0) & ~soma & ~soma[parent]
    np.add.at(sums, parent[inner], radius[inner] ** 1.5)
    frusta = np.pi * (radius + radius[parent]) * np.hypot(length, radius - radius[parent])
    return Measures(
        float(length[mine].sum()), float(frusta[cable].sum()), int(tips.sum()), int(forks.sum()),
        2.0 * radius[mine & (kinds[parent] != wanted)], 2.0 * radius[tips], path[tips], order[tips] + 1,
        sections[sections > 0], sections[long] / chord[long],
        float(2.0 * np.average(radius[mine], weights=length[mine])),
        sums[forks] / radius[forks] ** 1.5, np.ptp(xyz[mine], axis=0),
    )  # fmt: skip


def of(cell: Samples, wanted: int) -> Measures:
    return measures(cell.type, np.stack([cell.x, cell.y, cell.z], 1), cell.radius, cell.parent - 1, wanted)


def read(path: Path) -> np.ndarray:
    return np.loadtxt(path, comments="#", ndmin=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1, 2, 77])
def test_tree_is_valid(kind: str, seed: int) -> None:
    cell = grow_samples(kind, seed)
    count = len(cell.id)
    parent = cell.parent - 1
    assert np.array_equal(cell.id, np.arange(1, count + 1))
    assert cell.parent[0] == -1 and cell.type[0] == 1
    assert (cell.type[1:] != 1).all() and set(cell.type) <= {1, 2, 3, 4}
    # Parents come first, so all samples hang together on the root.
    assert (parent[1:] >= 0).all() and (parent[1:] < np.arange(1, count)).all()
    children = np.bincount(parent[1:], minlength=count)
    assert children[1:].max() == 2
    xyz = np.round(np.stack([cell.x, cell.y, cell.z], 1), 3)
    steps = np.linalg.norm(xyz[1:] - xyz[parent[1:]], axis=1)
    assert steps.min() > 0.3
    assert all(np.isfinite(column).all() for column in (cell.x, cell.y, cell.z, cell.radius))
    assert cell.radius.min() > 0.12
    # Neurites start on the surface of the soma and do not come back into it.
    away = np.linalg.norm(xyz, axis=1)
    starts = np.flatnonzero(parent == 0)
    assert np.allclose(away[starts], cell.radius[0], atol=2e-3)
    assert (away[1:] > cell.radius[0] - 2e-3).all()
    # A neurite has one type throughout.
    inner = parent > 0
    assert np.array_equal(cell.type[inner], cell.type[parent[inner]])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pyramidal_measures(seed: int) -> None:
    cell = grow_samples("pyramidal", seed)
    axon, basal, apical = of(cell, AXON), of(cell, BASAL), of(cell, APICAL)
    assert 2500 < len(cell.id) < 3600
    assert 7.0 < cell.radius[0] < 10.0
    assert 8000 < basal.length + apical.length < 14000
    assert 3800 < basal.length < 6000 and 5000 < apical.length < 8000
    assert 20000 < basal.area + apical.area < 45000
    assert 6 <= len(basal.stems) <= 8 and len(apical.stems) == len(axon.stems) == 1
    assert 30 <= basal.tips <= 55 and 35 <= apical.tips <= 67
    assert basal.forks == basal.tips - len(basal.stems) and apical.forks == apical.tips - 1
    assert ((basal.stems > 0.9) & (basal.stems < 2.2)).all()
    assert 4.0 < apical.stems[0] < 7.0
    assert 0.55 < basal.mean_diameter < 0.85 and 0.6 < apical.mean_diameter < 1.1
    for tree in (basal, apical):
        assert ((tree.tip_diameters > 0.35) & (tree.tip_diameters < 0.9)).all()
        assert 1.0 < np.median(tree.rall) < 1.7
        assert 40 < np.median(tree.sections) < 80
        assert 1.01 < np.median(tree.tortuosity) < 1.15
    assert 140 < np.median(basal.tip_paths) < 220 and basal.tip_paths.max() < 300
    assert 900 < apical.tip_paths.max() < 1200
    # A tuft far away and obliques near the soma, with little between.
    assert (apical.tip_paths < 600).mean() > 0.3 and (apical.tip_paths > 850).mean() > 0.3
    assert basal.orders.max() <= 8 and 12 <= apical.orders.max() <= 22
    assert 0.35 < axon.tip_diameters.min() and axon.mean_diameter < 0.8
    assert 1500 < axon.length < 3500 and axon.tips >= 6


def test_apical_trunk_tapers_over_700_um() -> None:
    cell = MAKE["pyramidal"]
    parent = cell.parent - 1
    children = np.bincount(parent[1:], minlength=len(parent))
    tips_below = ((children == 0) & (cell.type == APICAL)).astype(int)
    for k in range(len(parent) - 1, 0, -1):
        tips_below[parent[k]] += tips_below[k]
    # The trunk carries at least the tuft; the first fork of the tuft splits it in two.
    tall = np.flatnonzero((cell.type == APICAL) & (tips_below >= 18) & (cell.y < 705))
    height, diameter = cell.y[tall], 2 * cell.radius[tall]
    assert height.min() < 15 and height.max() > 650
    low, middle, high = (diameter[abs(height - h) < 25].mean() for h in (60, 330, 640))
    assert 3.5 < low < 6.0 and low > middle > high and 1.5 < high < 3.6


def resistance(cell: Samples, leak: float, axial: float) -> np.ndarray:
    """Voltage in mV at each sample for 1 nA into the soma; leak in mS/cm2, axial resistivity in ohm cm."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    count, parent, radius = len(cell.id), cell.parent - 1, cell.radius
    xyz = np.stack([cell.x, cell.y, cell.z], 1)
    node = np.arange(1, count)
    above = parent[1:]
    step = np.linalg.norm(xyz[1:] - xyz[above], axis=1)
    cable = above > 0
    # In uS: 1 um/(ohm cm) is 100 uS, 1 mS/cm2 um2 is 1e-5 uS. Neurites start at the soma's voltage.
    joint = np.where(cable, 100.0 * np.pi * radius[1:] * radius[above] / step / axial, 1e4)
    frustum = np.pi * (radius[1:] + radius[above]) * np.hypot(step, radius[1:] - radius[above]) * cable
    area = np.zeros(count)
    area[0] = 4.0 * np.pi * radius[0] ** 2
    np.add.at(area, node, frustum / 2)
    np.add.at(area, above, frustum / 2)
    diagonal = 1e-5 * leak * area
    np.add.at(diagonal, node, joint)
    np.add.at(diagonal, above, joint)
    rows = np.concatenate([np.arange(count), node, above])
    columns = np.concatenate([np.arange(count), above, node])
    matrix = coo_matrix((np.concatenate([diagonal, -joint, -joint]), (rows, columns)), (count, count)).tocsc()
    return spsolve(matrix, np.eye(count)[0])


def test_electrotonic_size() -> None:
    """With 0.3 mS/cm2, the leak of Hodgkin and Huxley (1952), 1 nA at the soma must lift it well."""
    cell = MAKE["pyramidal"]
    v = resistance(cell, 0.3, 100.0)
    assert 10.0 < v[0] < 25.0  # Mohm
    assert 0.03 < v.min() / v[0] < 0.3  # the tuft is far away
    # Without axial resistance the cell is one compartment: 1 over leak times area, 37 700 um2.
    together = resistance(cell, 0.3, 1e-3)
    area = 4.0 * np.pi * cell.radius[0] ** 2 + sum(of(cell, kind).area for kind in (AXON, BASAL, APICAL))
    assert together[0] == pytest.approx(1e5 / (0.3 * area), rel=1e-2)
    granule = resistance(MAKE["granule"], 0.3, 100.0)
    assert granule[0] > 2 * v[0] and granule.min() / granule[0] > 0.4


@pytest.mark.parametrize("seed", [1, 2])
def test_purkinje_measures(seed: int) -> None:
    cell = grow_samples("purkinje", seed)
    tree = of(cell, BASAL)
    assert 7000 < tree.length < 11000
    assert 380 <= tree.tips <= 480
    assert len(tree.stems) == 1 and 3.5 < tree.stems[0] < 5.5
    assert 180 < tree.size[0] < 240 and 180 < tree.size[1] < 240 and tree.size[2] < 30
    assert 22000 < tree.area < 36000
    assert ((tree.tip_diameters > 0.6) & (tree.tip_diameters < 1.2)).all()
    assert 15 <= np.median(tree.orders) <= 25
    assert 1.2 < np.median(tree.rall) < 1.6
    parent = cell.parent - 1
    step = np.hypot(np.hypot(cell.x - cell.x[parent], cell.y - cell.y[parent]), cell.z - cell.z[parent])
    mine = (cell.type == BASAL) & (parent > 0)
    spiny = step[mine & (2 * cell.radius < 1.6)].sum() / step[mine].sum()
    assert 0.75 < spiny < 0.9


def test_purkinje_fills_its_plane_evenly() -> None:
    cell = MAKE["purkinje"]
    mine = cell.type == BASAL
    # A disc well inside the outline: every 12 um square of it is visited.
    x, y = cell.x[mine], cell.y[mine] - 125.0
    squares = {(i, j) for i, j in zip((x // 12).astype(int), (y // 12).astype(int))}
    inside = [(i, j) for i in range(-9, 9) for j in range(-9, 9) if np.hypot(i + 0.5, j + 0.5) * 12 < 80]
    assert len(inside) > 100 and sum(square not in squares for square in inside) <= 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_granule_measures(seed: int) -> None:
    cell = grow_samples("granule", seed)
    tree = of(cell, BASAL)
    assert 4.5 < cell.radius[0] < 7.0
    assert 1500 < tree.length < 3700
    assert 8 <= tree.tips <= 17
    assert 2 <= len(tree.stems) <= 3 and ((tree.stems > 1.4) & (tree.stems < 2.8)).all()
    assert 200 < tree.size[1] < 350 and 150 < tree.size[0] < 450
    assert 4 <= tree.orders.max() <= 8
    assert 0.5 < tree.mean_diameter < 0.9
    # A cone: all dendrites go up, the forks lie low, nearly all tips lie high.
    mine = cell.type == BASAL
    children = np.bincount(cell.parent[1:] - 1, minlength=len(cell.id))
    assert (cell.y[mine] > 0).all()
    assert (cell.y[mine & (children > 1)] < 150).all()
    assert (cell.y[mine & (children == 0)] > 180).mean() > 0.8


def test_measures_of_real_cells_are_near() -> None:
    """The yardstick itself, and the ranges above, against reconstructions."""
    folder = SHARED / "morphologies"
    if not folder.is_dir():
        pytest.skip(f"no reconstructions at {folder}")

    def real(name: str, wanted: int) -> Measures:
        rows = read(folder / name)
        place = {int(number): k for k, number in enumerate(rows[:, 0])}
        parent = np.array([place.get(int(number), -1) for number in rows[:, 6]])
        return measures(rows[:, 1].astype(int), rows[:, 2:5], rows[:, 5], parent, wanted)

    granule = real("granule_gc2.swc", BASAL)
    assert granule.length == pytest.approx(1759.1917, abs=1e-3) and granule.tips == 15  # stats.json
    assert granule.area == pytest.approx(2301.354, abs=1e-2)
    mine = of(MAKE["granule"], BASAL)
    assert 0.5 < mine.length / granule.length < 2 and abs(mine.tips - granule.tips) <= 4
    assert abs(np.median(mine.tip_paths) / np.median(granule.tip_paths) - 1) < 0.5
    for wanted in (BASAL, APICAL):
        cells = [real(name, wanted) for name in ("l5pc_bbp_axon.swc", "l5_allen_515570710.swc")]
        mine = of(MAKE["pyramidal"], wanted)
        for what in ("length", "tips", "mean_diameter", "area"):
            low, high = sorted(getattr(cell, what) for cell in cells)
            assert 0.7 * low < getattr(mine, what) < 1.4 * high, (wanted, what)
        for what in ("tip_paths", "sections", "tortuosity", "rall", "orders"):
            low, high = sorted(np.median(getattr(cell, what)) for cell in cells)
            assert 0.7 * low < np.median(getattr(mine, what)) < 1.4 * high, (wanted, what)


def test_same_seed_same_cell_and_other_seed_another() -> None:
    again, other = grow_samples("granule", 1), grow_samples("granule", 2)
    first = MAKE["granule"]
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in vars(first))
    assert len(other.id) != len(first.id) or not np.allclose(other.x, first.x)
    assert len({round(of(grow_samples("pyramidal", seed), BASAL).length) for seed in range(5)}) == 5


def test_options() -> None:
    whole, bare = MAKE["pyramidal"], grow_samples("pyramidal", 1, axon=False)
    assert (bare.type != AXON).all() and np.array_equal(bare.id, np.arange(1, len(bare.id) + 1))
    assert np.array_equal(bare.x, whole.x[whole.type != AXON])
    assert of(bare, APICAL).length == pytest.approx(of(whole, APICAL).length)
    fine, coarse = (grow_samples("granule", 1, spacing=step) for step in (2.0, 20.0))
    assert len(fine.id) > 5 * len(coarse.id)
    assert of(fine, BASAL).tips == of(coarse, BASAL).tips
    assert of(fine, BASAL).length == pytest.approx(of(coarse, BASAL).length, rel=0.06)
    paths = [of(grow_samples("purkinje", 1, balance=b), BASAL) for b in (0.0, 1.0)]
    assert paths[0].length < paths[1].length and paths[0].tip_paths.mean() > paths[1].tip_paths.mean()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("basket",), {}, r"'basket'.*'pyramidal', 'purkinje', 'granule'"),
        (("granule", -1), {}, "seed=-1"),
        (("granule", 1.5), {}, "seed=1.5"),
        (("granule", True), {}, "seed=True"),
        (("granule",), {"balance": -0.1}, "balance=-0.1"),
        (("granule",), {"balance": float("nan")}, "balance=nan"),
        (("granule",), {"spacing": 0.0}, "spacing=0.0"),
        (("granule",), {"spacing": 1e9}, "spacing=1000000000.0"),
    ],
)
def test_mistakes(arguments: tuple[object, ...], options: dict[str, float], message: str) -> None:
    with pytest.raises(MorphologyError, match=message):
        grow_samples(*arguments, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", regenerate.CELLS)
def test_files_equal_what_the_generator_makes(name: str) -> None:
    kind, seed = regenerate.CELLS[name]
    rows, cell = read(rall.data.path(name)), grow_samples(kind, seed)
    assert np.array_equal(rows[:, [0, 1, 6]], np.stack([cell.id, cell.type, cell.parent], 1))
    # Half a digit of rounding, and a whole one for a last bit that falls otherwise on another machine.
    columns = np.stack([cell.x, cell.y, cell.z, cell.radius], 1)
    assert np.abs(rows[:, 2:6] - columns).max() < 1.1e-3
    text = rall.data.path(name).read_text(encoding="ascii")
    head = "".join(line for line in text.splitlines() if line.startswith("#"))
    for word in ("rall grew it", f"'{kind}'", f"seed {seed}", f"version {GENERATOR_VERSION}", "BSD-3-Clause"):
        assert word in head


def test_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rall.data.names() == tuple(f"{name}.swc" for name in sorted(regenerate.CELLS))
    assert rall.data.path("granule") == rall.data.path("granule.swc")
    assert sum(rall.data.path(name).stat().st_size for name in rall.data.names()) < 400_000
    with pytest.raises(MorphologyError, match=r"'martinotti'.*'granule\.swc'"):
        rall.data.path("martinotti")
    assert regenerate.main([str(tmp_path)]) == 0
    assert {file.name for file in tmp_path.iterdir()} == set(rall.data.names())
    assert len(capsys.readouterr().out.splitlines()) == len(regenerate.CELLS)


def line(points: list[list[float]]) -> Skeleton:
    soma = Skeleton(np.zeros((1, 3)), np.array([-1]), np.array([1]))
    return chain(soma, 0, np.array(points, dtype=float), BASAL)


def test_connect_balances_cable_against_path() -> None:
    # Three carriers on an arc: least cable goes around, direct paths go from the start.
    turn = np.radians([0.0, 40.0, 80.0])
    arc = np.stack([10 + 100 * np.cos(turn), 100 * np.sin(turn), 0 * turn], 1)
    start = line([[10, 0, 0]])
    around = connect(start, [1], arc, BASAL, 0.0)
    direct = connect(start, [1], arc, BASAL, 4.0)
    assert around.parent.tolist() == [-1, 0, 1, 2, 3]
    assert direct.parent.tolist()[:4] == [-1, 0, 1, 1]
    assert around.lengths.sum() < direct.lengths.sum() and around.paths.max() > direct.paths.max()


def test_connect_is_a_minimum_spanning_tree_where_two_children_do() -> None:
    from scipy.sparse.csgraph import minimum_spanning_tree

    rng = np.random.default_rng(3)
    points = rng.random((40, 3)) * [1000.0, 1.0, 1.0]  # nearly a line: no node wants three children
    tree = connect(line([[0, 0, 0]]), [1], points, BASAL, 0.0)
    apart = np.linalg.norm(tree.xyz[1:, None] - tree.xyz[None, 1:], axis=2)
    assert tree.lengths.sum() == pytest.approx(minimum_spanning_tree(apart).sum(), rel=0.01)
    assert np.bincount(tree.parent[1:]).max() <= 2 and len(tree.parent) == 42


def test_prune_cuts_short_end_pieces_only() -> None:
    tree = line([[10, 0, 0], [50, 0, 0], [100, 0, 0]])
    tree = chain(tree, 2, np.array([[50.0, 4.0, 0.0], [50.0, 8.0, 0.0]]), BASAL)
    tree = chain(tree, 3, np.array([[130.0, 0.0, 0.0]]), BASAL)
    pruned = prune(tree, BASAL, 20.0)
    assert pruned.xyz[:, 0].tolist() == [0, 10, 50, 100, 130] and pruned.parent.tolist() == [-1, 0, 1, 2, 3]
    assert len(prune(tree, AXON, 20.0).parent) == len(tree.parent)
    # A whole neurite stays, however short.
    assert len(prune(line([[10, 0, 0], [11, 0, 0]]), BASAL, 20.0).parent) == 3


def test_cone_and_normals() -> None:
    rng = np.random.default_rng(0)
    apex, axis = np.array([1.0, 2.0, 3.0]), np.array([0.0, 30.0, 40.0])
    points = cone(rng, 2000, apex, axis, 25.0) - apex
    radius = np.linalg.norm(points, axis=1)
    assert radius.max() <= 50.0 and np.median(radius) == pytest.approx(50 * 0.5**0.5, abs=1.5)
    assert (points @ axis / 50 / radius).min() >= np.cos(np.radians(25.0)) - 1e-12
    draws = normals(rng, (20000,))
    assert abs(draws.mean()) < 0.03 and draws.std() == pytest.approx(1.0, abs=0.02)
    assert np.mean(np.abs(draws) < 1.0) == pytest.approx(0.6827, abs=0.015)
