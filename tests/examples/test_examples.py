"""Every example runs and leaves what it promises; so do the scripts in the documents."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rall import load_mod, mM, mV
from rall.builtin import BUILTIN

ROOT = Path(__file__).resolve().parents[2]
WRITES = {
    "first_spike": {"spike.png", "traces.png"},
    "grow_gallery": {
        f"{kind}.{end}" for kind in ("pyramidal", "purkinje", "granule") for end in ("png", "swc")
    },
    "rallpack3": set(),
    "regions": {"regions.png"},
    "extracellular_spike": {"extracellular_spike.png"},
    "cuba": {"cuba.png"},
    "cobahh": {"cobahh.png"},
    "brunel_hakim": {"brunel_hakim.png"},
    "stdp": {"stdp.png"},
    "izhikevich": {"izhikevich.png"},
    "glia": {"glia.png"},
    "sensorimotor_loop": {"sensorimotor_loop.png"},
    "synfire": {"synfire.png"},
    "threshold_bisection": {"threshold_bisection.png"},
    "working_memory": {"working_memory.png"},
    "ring_of_cells": {"ring_of_cells.png", "ring_of_cells_3d.png"},
    "detailed_network": {"detailed_network.png", "detailed_network_3d.png"},
    "calcium_spike": {"calcium_spike.png", "calcium_spike_3d.png"},
}
SMALL = {
    "extracellular_spike",
    *("cuba", "cobahh", "brunel_hakim", "stdp", "izhikevich"),
    *("glia", "sensorimotor_loop", "synfire", "threshold_bisection", "working_memory"),
    *("ring_of_cells", "detailed_network", "calcium_spike"),
}
# What a script prints after a text, and the band its value must lie in.
SEEN = {
    # twenty seeds of the reference network: 5.46 +- 0.36 and 5.54 +- 0.09 Hz, 28 +- 2 % silent in 0.5 s
    "cuba": {"excitatory:": (4.0, 6.9), "inhibitory:": (5.1, 6.0), "silent:": (19, 38)},
    "cobahh": {"excitatory:": (30, 55), "inhibitory:": (30, 55)},
    # the stationary rate of the theory is 3.45 Hz
    "brunel_hakim": {"rate of a cell:": (3.2, 3.9), "frequency of the network:": (110, 170)},
    # the cell starts fast, and no strength has reached the upper end again after so short a time
    "stdp": {"first second:": (300, 400), "last fifth:": (40, 90), "below 0.2:": (10, 80), "to 0.6:": (450, 620)},
    # Gold et al. 2006 and others: around 100 uV beside a soma, far less at 200 um
    "extracellular_spike": {"nearest the soma:": (80, 250), "farthest:": (1, 10)},
    "izhikevich": {"excitatory:": (6, 12), "inhibitory:": (6, 13), "largest volley:": (3, 15)},
    # other simulators have 52 ms for eight cells of such a ring
    "ring_of_cells": {"to the next:": (6.4, 6.6)},
    # neither silent nor epileptic: six seeds of the small network, which lasts 60 ms, have 6 to 23 and 8 to 33 Hz
    "detailed_network": {"excitatory:": (3, 40), "inhibitory:": (2, 45), "in 5 ms:": (5, 60)},
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


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What an example prints and its folder, by name; each runs once for all of its tests."""
    folders = {}

    def once(name):
        if name not in folders:
            folder = tmp_path_factory.mktemp(name)
            folders[name] = run(ROOT / "examples" / f"{name}.py", folder), folder
        return folders[name]

    return once


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


def scripts_of(page):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)


@pytest.fixture(autouse=True)
def drawing():
    pytest.importorskip("matplotlib")


def test_every_example_is_known():
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(WRITES)


@pytest.mark.parametrize("name", WRITES)
def test_example(name, ran):
    out, folder = ran(name)
    assert out
    assert {path.name for path in folder.iterdir()} == WRITES[name]
    assert all(path.stat().st_size > 5000 for path in folder.iterdir())
    for text, (low, high) in SEEN.get(name, {}).items():
        assert low < float(re.search(rf"{text} +([\d.]+)", out)[1]) < high, (text, out)


def test_rallpack3_shows_travelling_spikes(ran):
    out, _ = ran("rallpack3")
    last = [float(t) for t in re.findall(r"the last at ([\d.]+) ms", out)]
    assert len(last) == 2 and 2 < last[1] - last[0] < 4  # 1 mm at about 0.4 m/s
    assert 0.3 < float(re.search(r"speed: +([\d.]+) m/s", out)[1]) < 0.5


def test_only_a_large_volley_travels_along_the_synfire_chain(ran):
    out, _ = ran("synfire")
    assert 1 < numbers(re.search("background: .*", out)[0])[0] < 5  # the paper has about 2 Hz
    assert "20 spikes: arrive for spreads of no ms" in out
    assert "120 spikes: arrive for spreads of 0, 4 ms" in out
    count, spread = numbers(re.search("the volleys that arrive .*", out)[0])
    assert 85 < count < 110 and spread < 0.8  # every neuron once, and sharper than the 4 ms of the input


def test_the_decision_is_for_the_stronger_motion_and_outlasts_it(ran):
    out, _ = ran("working_memory")
    rates = {name: numbers(rest) for name, rest in re.findall(r"^  (\w+): (.*)", out, re.M)}
    before, during, after = np.array([rates["A"], rates["B"]]).T
    assert (before < 4).all()
    assert during[0] > 15 and during[0] > 5 * during[1]
    assert after[0] > 2 * after[1]
    assert rates["inhibitory"][1] > 1.5 * rates["inhibitory"][0]


def test_the_axon_fires_from_the_shock_of_hodgkin_and_huxley_on(ran):
    out, _ = ran("threshold_bisection")
    assert 6 < numbers(re.search("a shock .*", out)[0])[0] < 7  # mV: none after 6, a spike after 7
    pulses = [numbers(line) for line in re.findall("a pulse of .*", out)]
    durations, currents = np.array([pulse[:2] for pulse in pulses]).T
    charges = durations * currents
    assert len(durations) == 3 and (np.diff(currents) < 0).all() and (np.diff(charges) > 0).all()
    assert 6 < charges[0] < 7  # a pulse this short acts as a shock: 1 uF/cm2 times its mV
    assert 2.2 < currents[-1] < 2.3  # the rheobase


def test_crossed_wires_find_the_light_and_straight_ones_flee_it(ran):
    out, _ = ran("sensorimotor_loop")
    straight = numbers(re.search(r"straight wires \(2a\):(.*)", out)[1])
    crossed = numbers(re.search(r"crossed wires \(2b\):(.*)", out)[1])
    assert min(straight[2:]) > 110  # they began at 100 cm
    assert max(crossed) <= 5


def test_only_a_spike_and_an_input_together_make_a_calcium_spike_and_a_burst(ran):
    out, _ = ran("calcium_spike")
    lines = re.findall(r"^.*: (\d+) spikes?, (-?\d+) mV at the fork, above -40 mV for (\d+) ms", out, re.M)
    step, pulse, given, both = np.array(lines, dtype=float)
    assert step[0] > 4 and pulse[0] == 1 and given[0] == 0 and both[0] > 1
    assert max(pulse[1], given[1]) < -35 and both[1] > -10
    assert max(pulse[2], given[2]) < 5 and 20 < both[2] < 60
    height, later = numbers(re.search("comes back .*", out)[0])
    assert 20 < height < 45 and 1 < later < 5


def test_astrocytes_weaken_or_strengthen_the_synapses_by_alpha(ran):
    out, _ = ran("glia")
    rows = re.findall("^(.*): (.*) of the transmitter released in a second, (.*) of the receptors bound", out, re.M)
    released = {name: float(share) for name, share, _ in rows}
    bound = {name: float(share) for name, _, share in rows}
    assert bound["no astrocyte"] == 0 and 0.6 < bound["alpha = 0"] < 1 and 0.6 < bound["alpha = 1"] < 1
    assert 2 * released["alpha = 0"] < released["no astrocyte"] < released["alpha = 1"] / 1.3
    waves = [numbers(line) for line in re.findall(".* releases of an astrocyte, .*", out)]
    assert len(waves) == 2 and all(1 <= count < 4 and 5 < first < 10 for count, first in waves)


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


def test_the_scripts_about_channels_run_one_after_the_other(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("\n".join(scripts_of("docs/channels.md")), encoding="utf-8")
    out = run(path, tmp_path)
    assert (tmp_path / "gates.png").exists()
    assert "I_K = g_K*n_K**4*(E_K - v)" in out and "E_Ca = nernst(" in out and "hh.Na" in out


def test_the_script_for_people_from_neuron_runs_with_the_file_of_the_page(tmp_path):
    page = (ROOT / "docs" / "from_neuron.md").read_text("utf-8")
    mechanism = re.search("^```nmodl\n(.*?)^```", page, re.M | re.S)[1]
    shown = re.search("^```\n(<SUFFIX.*?)^```", page, re.M | re.S)[1]
    (tmp_path / "Ih.mod").write_text(mechanism, encoding="utf-8")
    path = tmp_path / "script.py"
    path.write_text("\n".join(scripts_of("docs/from_neuron.md")), encoding="utf-8")
    out = run(path, tmp_path)
    assert out.startswith(shown)
    assert out[len(shown) :].strip() == "TABLE was ignored: the functions themselves are evaluated"


def test_defaults_of_imported_mechanisms_are_those_that_the_page_says(tmp_path):
    (table,) = re.findall(r"^## Conventions\n(.*)", (ROOT / "docs" / "from_neuron.md").read_text("utf-8"), re.M | re.S)
    says = {name: float(value) for name, value in re.findall(r"`(e\w+|\w+[io])` ([-\d.e]+)", table)}
    assert len(says) == 9
    for name, value in says.items():
        ion, unit = (name[1:], mV) if name[0] == "e" else (name[:-1], mM)
        ours = {"e": "E_{}", "i": "{}", "o": "{}_o"}[name[0] if unit is mV else name[-1]].format(ion.title())
        path = tmp_path / "x.mod"
        path.write_text(
            f"NEURON {{ SUFFIX x USEION {ion} READ {name} RANGE y }}\n"
            f"ASSIGNED {{ {name} y }}\nBREAKPOINT {{ y = {name} }}\n"
        )
        assert float(load_mod(path).equations.defaults[ours] / unit) == pytest.approx(value, rel=1e-5), name


def test_the_table_of_channels_names_every_family():
    page = (ROOT / "docs" / "channels.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.M)) == set(BUILTIN["rall.channels"])


def test_the_scripts_for_people_from_brian_run_one_after_the_other(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("\n".join(scripts_of("docs/from_brian2.md")), encoding="utf-8")
    same, v, pair = run(path, tmp_path).splitlines()
    first, second = numbers(same)
    assert first == second > 100
    assert numbers(v) == pytest.approx([np.exp(-1)] * 2, abs=1e-8)
    midpoint, euler = numbers(pair)
    assert midpoint == pytest.approx(np.tanh(0.5), abs=1e-4) and 1e-4 < abs(euler - np.tanh(0.5)) < 1e-2
