"""Every example runs and leaves what it promises; so do the scripts in the documents."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WRITES = {
    "first_spike": {"spike.png", "traces.png"},
    "grow_gallery": {
        f"{kind}.{end}" for kind in ("pyramidal", "purkinje", "granule") for end in ("png", "swc")
    },
    "rallpack3": set(),
    "regions": {"regions.png"},
    "cuba": {"cuba.png"},
    "cobahh": {"cobahh.png"},
    "brunel_hakim": {"brunel_hakim.png"},
    "stdp": {"stdp.png"},
    "izhikevich": {"izhikevich.png"},
}
SMALL = {"cuba", "cobahh", "brunel_hakim", "stdp", "izhikevich"}
# What a script prints after a text, and the band its value must lie in.
SEEN = {
    # twenty seeds of the reference network: 5.46 +- 0.36 and 5.54 +- 0.09 Hz, 28 +- 2 % silent in 0.5 s
    "cuba": {"excitatory:": (4.0, 6.9), "inhibitory:": (5.1, 6.0), "silent:": (19, 38)},
    "cobahh": {"excitatory:": (30, 55), "inhibitory:": (30, 55)},
    # the stationary rate of the theory is 3.45 Hz
    "brunel_hakim": {"rate of a cell:": (3.2, 3.9), "frequency of the network:": (110, 170)},
    # the cell starts fast, and no strength has reached the upper end again after so short a time
    "stdp": {"first second:": (300, 400), "last fifth:": (40, 90), "below 0.2:": (10, 80), "to 0.6:": (450, 620)},
    "izhikevich": {"excitatory:": (6, 12), "inhibitory:": (6, 13), "largest volley:": (3, 15)},
}


def run(script, folder):
    """What a script prints, run in a folder without a display; at its small size if it has one."""
    environment = {**os.environ, "RALL_VIEWER": "matplotlib", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(script), *["small"]*(script.stem in SMALL)],
        capture_output=True, text=True, cwd=folder, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def scripts_of(page):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)


@pytest.fixture(autouse=True)
def drawing():
    pytest.importorskip("matplotlib")


def test_every_example_is_known():
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(WRITES)


@pytest.mark.parametrize("name", WRITES)
def test_example(name, tmp_path):
    out = run(ROOT / "examples" / f"{name}.py", tmp_path)
    assert out
    assert {path.name for path in tmp_path.iterdir()} == WRITES[name]
    assert all(path.stat().st_size > 5000 for path in tmp_path.iterdir())
    for text, (low, high) in SEEN.get(name, {}).items():
        assert low < float(re.search(rf"{text} +([\d.]+)", out)[1]) < high, (text, out)


def test_rallpack3_shows_travelling_spikes(tmp_path):
    out = run(ROOT / "examples" / "rallpack3.py", tmp_path)
    last = [float(t) for t in re.findall(r"the last at ([\d.]+) ms", out)]
    assert len(last) == 2 and 2 < last[1] - last[0] < 4  # 1 mm at about 0.4 m/s
    assert 0.3 < float(re.search(r"speed: +([\d.]+) m/s", out)[1]) < 0.5


def test_the_script_of_the_readme_is_the_first_example(tmp_path):
    (script,) = scripts_of("README.md")
    example = (ROOT / "examples" / "first_spike.py").read_text("utf-8")
    assert script.strip() in example
    assert len(script.strip().splitlines()) <= 15
    path = tmp_path / "script.py"
    path.write_text(script)
    assert re.fullmatch(r"\[ *2\.\d+ +18\.\d* *\] ms\n", run(path, tmp_path))
    assert (tmp_path / "spike.png").exists()


def test_the_scripts_of_getting_started_run_one_after_the_other(tmp_path):
    path = tmp_path / "script.py"
    make = "from rall import *\nMorphology.grow('granule').save('cell.swc')\n"
    path.write_text(make + "\n".join(scripts_of("docs/getting_started.md")), encoding="utf-8")
    run(path, tmp_path)
    assert {"spike.png", "regions.png"} <= {file.name for file in tmp_path.iterdir()}
