"""The template of a plugin, installed with pip and used as a user would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).resolve().parents[2] / "examples" / "plugin_template"
MODEL = """
from rall import *
model = channels.leak() + channels.muscarinic.M(g=0.5*mS/cm**2) + '''
dx/dt = -x/(2*ms) : 1 (watched)
twice = 2*x : 1 (watched)
dy/dt = -y/(2*ms) : 1
'''
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a program where the plugin is installed."""
    pytest.importorskip("setuptools", "77")
    source, target = tmp_path_factory.mktemp("source") / "template", tmp_path_factory.mktemp("installed")
    shutil.copytree(TEMPLATE, source)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "--target",
            target,
            source,
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    path = os.pathsep.join(filter(None, (str(target), os.environ.get("PYTHONPATH", ""))))

    def run(program, *arguments):
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    return run


@pytest.mark.parametrize("target", ["auto", "numpy"])
def test_integrator_channel_flag_and_component_work_together(run, target):
    done = run(f"""{MODEL}
prefs.codegen.target = '{target}'
from rall import watch
cell = SpatialNeuron(morphology=Cylinder(diameter=10*um, length=50*um, n=3), model=model, method='ralston',
                     dt=0.1*ms)
cell.initialise(v=-65*mV)
cell.x = 1
rows = watch(cell, record=[1])
net = Network(cell, rows)
net.run(4*ms)
assert rows.record_variables == ('x', 'twice'), rows.record_variables
h = 0.1/2
per_step = 1 - h + h**2/2     # of a method of second order, on a decay
assert abs(rows.x[0][20]/rows.x[0][10] - per_step**10) < 1e-9, rows.x
assert abs(rows.x[0][30] - exp(-1.5)) < 2e-4
assert allclose(rows.twice, 2*rows.x)
steady = 1/(1 + exp((-65*mV + 35*mV)/(-10*mV)))
assert abs(cell.w_M[0] - steady) < 5e-3
print(model.sources)
""")
    assert done.returncode == 0, done.stderr
    assert "Yamada, Koch & Adams" in done.stdout


def test_rall_lists_it_with_its_distribution(run):
    done = run("import sys; from rall.cli import main; sys.exit(main(['plugins']))")
    assert done.returncode == 0, done.stderr
    rows = {tuple(line.split()) for line in done.stdout.splitlines()}
    assert {(name, "rall-template") for name in ("ralston", "muscarinic", "watched", "watch")} <= rows


def test_without_it_the_names_are_unknown():
    from rall.errors import PluginError
    from rall.registry import find

    with pytest.raises(PluginError, match=r"no integration method 'ralston'.*known: exact"):
        find("rall.integrators", "ralston")
    with pytest.raises(ImportError, match="'watch'"):
        exec("from rall import watch")


def test_the_flag_is_checked_like_any_other(run):
    done = run(f"{MODEL}\nEquations('g : 1 (watched)')")
    assert done.returncode == 1
    assert "the flag 'watched' is for a differential equation or a subexpression" in done.stderr
