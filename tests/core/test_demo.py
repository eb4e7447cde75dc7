"""The demo: every cell fires, the pictures show it, with whatever the machine has."""

import math
import os
import re
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

from rall import data
from rall.demo import Settings, demonstrate, input_conductance
from rall.devices.compiler import find_compiler
from rall.errors import MorphologyWarning, RallError
from rall.morphology import Cylinder, Morphology
from rall.units import um

SHARED = Path(os.environ.get("RALL_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))
REAL = (
    "ca1_n120", "fly_ct12t2_nosoma", "flywire_720575940661205633_nm", "granule_gc2", "l5_allen_515570710",
    "l5pc_bbp_axon", "pvalb_469628681", "pyramidal_nmo49821",
)  # fmt: skip
ROOTED = """\
1 3 0 0 0 1 -1
2 3 100 0 0 1 1
3 3 200 50 0 0.5 2
4 3 200 -50 0 0.5 2
"""


@pytest.fixture(autouse=True)
def flat_pictures(monkeypatch):
    """Matplotlib draws faster than VTK starts; tests/plugins/viewer tries both."""
    monkeypatch.setenv("RALL_VIEWER", "matplotlib")
    monkeypatch.setenv("MPLBACKEND", "agg")


def command(folder, *arguments, before="", **environment):
    """``rall demo`` in a process of its own, outside the checkout."""
    program = f"import sys\n{before}\nfrom rall.cli import main\nsys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", program, "demo", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
        timeout=200,
    )


def picture(path):
    """Pixels of a PNG file of 8 bits a channel, shape (height, width, channels)."""
    matplotlib = pytest.importorskip("matplotlib.image")
    return np.asarray(matplotlib.imread(path))


def test_the_demo_leaves_pictures_and_says_what_it_did(tmp_path):
    done = command(tmp_path, "--cell", "granule")
    assert done.returncode == 0, done.stderr
    facts = dict(re.split(r"  +", line, maxsplit=1) for line in done.stdout.splitlines())
    assert facts["morphology"].endswith("granule.swc") and "compartments" in facts["tree"]
    count, times = re.fullmatch(r"(\d+), at (.*) ms", facts["spikes"]).groups()
    assert int(count) == len(times.split(", ")) >= 1 and 1 < float(times.split(", ")[0]) < 21
    assert facts["device"].startswith("c, compiled by" if find_compiler() else "numpy")
    assert facts["cable method"] == "second_order"
    for part in ("reading", "building", "compiling", "running", "drawing"):
        assert re.fullmatch(r"\d+\.\d{3} s", facts[part])
    assert {p.name for p in tmp_path.iterdir()} == {"spike.png", "traces.png"}
    assert str(tmp_path / "traces.png") in done.stdout


def test_the_picture_shows_a_spike_under_way(tmp_path):
    demonstrate(Settings(data.path("layer5_pyramidal"), tmp_path))
    pixels = picture(tmp_path / "spike.png")[..., :3]
    tree = pixels[:, : int(pixels.shape[1] * 0.75)].reshape(-1, 3)  # without the colour bar
    coloured = tree[np.ptp(tree, axis=1) > 0.2]
    red, blue = coloured[:, 0], coloured[:, 2]
    assert len(coloured) > 5000
    for share in (np.mean((red > 0.8) & (blue < 0.4)), np.mean((blue > 0.4) & (red < 0.5))):
        assert 0.05 < share < 0.95  # some of it is depolarised, some is not yet


def test_a_cell_without_soma_is_driven_at_the_root(tmp_path):
    file = tmp_path / "rooted.swc"
    file.write_text(ROOTED)
    outcome = demonstrate(Settings(file, tmp_path))
    assert outcome.site == "the root (there is no soma)" and len(outcome.spikes) >= 1
    assert outcome.tree.type.tolist() == [3] * outcome.tree.n
    assert [path.name for path in outcome.pictures] == ["spike.png", "traces.png"]


def test_all_grown_cells_fire(tmp_path):
    for name in data.names():
        outcome = demonstrate(Settings(data.path(name), tmp_path, max_length=40))
        assert 1 <= len(outcome.spikes) <= 5, name
        assert outcome.onset < outcome.spikes[0] < 20


def test_no_compiler_is_said_once_and_changes_nothing(tmp_path):
    given = ("--cell", "granule", "--out", "here")
    done = command(
        tmp_path, *given, before="import rall.devices.compiler as c; c._zig = lambda: None", PATH="", CC=""
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no C compiler was found") == 1 and "pip install ziglang" in done.stderr
    assert re.search(r"^device +numpy, with", done.stdout, re.M)
    if find_compiler():
        fast = command(tmp_path, *given)
        assert re.search("^spikes.*$", fast.stdout, re.M)[0] == re.search("^spikes.*$", done.stdout, re.M)[0]
    assert (tmp_path / "here" / "spike.png").stat().st_size > 5000


def test_without_matplotlib_and_vtk_the_rest_is_told(tmp_path):
    done = command(
        tmp_path, "--cell", "granule", before="sys.modules['matplotlib'] = sys.modules['vtkmodules'] = None"
    )
    assert done.returncode == 0, done.stderr
    assert re.search("^spikes", done.stdout, re.M) and "picture" not in done.stdout
    assert "no picture: " in done.stderr and "pip install 'rall[view]'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_without_vtk_the_cell_is_drawn_all_the_same(tmp_path):
    pytest.importorskip("matplotlib")
    hidden = "sys.modules['vtk'] = sys.modules['vtkmodules'] = None"
    done = command(tmp_path, "--cell", "granule", before=hidden, RALL_VIEWER="auto")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "spike.png").exists() and (tmp_path / "traces.png").exists()


@pytest.mark.parametrize("name", REAL)
def test_real_cells_fire(name, tmp_path):
    file = SHARED / "morphologies" / f"{name}.swc"
    if not file.exists():
        pytest.skip("the folder of reconstructions is not there (RALL_SHARED names it)")
    repairs = {"scale": 1e-3, "min_radius": 0.05} if name.endswith("_nm") else {}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        outcome = demonstrate(Settings(file, tmp_path, **repairs))
    odd = [w for w in said if issubclass(w.category, MorphologyWarning)]
    assert len(odd) == (name in ("flywire_720575940661205633_nm", "l5pc_bbp_axon"))
    assert 1 <= len(outcome.spikes) <= 5
    pixels = picture(tmp_path / "spike.png")[..., :3]
    assert np.mean(np.ptp(pixels, axis=2) > 0.2) > 0.005


def test_a_cell_that_cannot_fire_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("rall.demo._TRIALS", 2)
    monkeypatch.setattr("rall.demo._DEPOLARISED", 1e-3)
    with pytest.raises(RallError, match=r"no spike within 20 ms at up to .* nA.*--scale"):
        demonstrate(Settings(data.path("granule"), tmp_path))


def test_input_conductance_is_that_of_cable_theory():
    cable = Cylinder(diameter=2 * um, length=500 * um, n=2000).flatten()
    g, resistivity = 3.0, 100.0  # S/m2, ohm cm
    length_constant = math.sqrt(2e-6 * 1e2 / (4 * resistivity * g))  # metre
    infinite = math.pi * (2e-6) ** 1.5 * math.sqrt(g / (resistivity * 1e-2)) / 2
    expected = infinite * math.tanh(500e-6 / length_constant)
    found = input_conductance(cable, g * cable.area * 1e-12, resistivity)
    assert found == pytest.approx(expected, rel=1e-3)


def test_input_conductance_of_a_branched_tree_adds_up():
    # Without axial resistance to speak of, all membrane lies in parallel.
    tree = Morphology.grow("granule").discretize(max_length=30 * um).flatten()
    membrane = np.full(tree.n, 1e-12)
    assert input_conductance(tree, membrane, 1.0) == pytest.approx(tree.n * 1e-12, rel=1e-3)


def test_pictures_are_png(tmp_path):
    demonstrate(Settings(data.path("granule"), tmp_path))
    for name in ("spike.png", "traces.png"):
        raw = (tmp_path / name).read_bytes()
        assert raw[:8] == b"\x89PNG\r\n\x1a\n" and raw[12:16] == b"IHDR"
        assert zlib.crc32(raw[12:29]) == int.from_bytes(raw[29:33], "big")
