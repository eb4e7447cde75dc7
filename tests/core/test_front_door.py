"""``from rall import ...``: what it brings, what it imports, what it says about names that are not there."""

import ast
import builtins
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import rall
from rall import pylab, units
from rall.builtin import BUILTIN
from rall.front_door import CORE, METHODS, SUBPACKAGES, public_names
from rall.integrators.runge_kutta import EULER
from rall.integrators.stochastic import Milstein
from rall.session import SimulationObject

HEAVY = ("scipy", "sympy", "jinja2", "matplotlib", "vtk", "vtkmodules", "neurom", "h5py")
CELL = """
cell = SpatialNeuron(
    morphology=Cylinder(diameter=1*um, length=100*um, n=5),
    model=channels.leak() + channels.hh.Na() + channels.hh.K() + 'I : amp (point current)',
    threshold='v > 0*mV', threshold_location=0)
cell.initialise(v=-65*mV)
cell.I[0] = 0.1*nA
spikes = SpikeMonitor(cell)
run(10*ms)
assert spikes.num_spikes > 0
"""


def in_new_process(program, **environment):
    """What a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def star(module="rall"):
    names: dict[str, object] = {}
    exec(f"from {module} import *", names)
    return names


def test_import_loads_numpy_and_little_of_rall():
    loaded = in_new_process("import sys, rall; print(*sys.modules)").split()
    assert "numpy" in loaded
    assert not set(HEAVY) & set(loaded)
    assert not [
        name for name in loaded if name.startswith(("rall.plugins", "rall.devices", "rall.morphology"))
    ]


def test_a_warm_run_needs_numpy_alone():
    program = f"from rall import *\n{CELL}\nimport sys; print(*sys.modules)"
    in_new_process(program)
    assert not set(HEAVY) & set(in_new_process(program).split())


def test_every_public_name_is_there():
    for name in rall.__all__:
        assert hasattr(rall, name), name
    assert len(set(rall.__all__)) == len(rall.__all__)


def test_star_import_brings_what_scripts_use():
    names = star()
    for name in (
        "mV Equations SpatialNeuron Morphology Soma Cylinder Section StateMonitor SpikeMonitor TimedArray "
        "Network run stop store restore Clock EventClock defaultclock prefs seed start_scope set_device get_device "
        "network_operation "
        "view3d channels Function implementation check_units declare_types faraday_constant RallError "
        "DimensionMismatchError exprel np array zeros mean plt plot figure linalg rand pi"
    ).split():
        assert name in names, name


def test_rall_wins_over_numpy_and_matplotlib():
    names = star()
    assert names["cm"] is units.cm and names["exp"] is units.exp and names["seed"] is rall.seed
    assert names["np"] is np and names["array"] is np.array and names["linalg"] is np.linalg


def test_names_of_brians_own_are_there():
    names = star("rall.only")
    for name in (
        "BrianObject BrianLogger get_logger clear_cache restore_initial_state scheduling_summary profiling_summary "
        "ExplicitStateUpdater StateUpdateMethod exact linear euler rk2 rk4 heun milstein exponential_euler numpy_ units"
    ).split():
        assert name in names, name
    assert names["BrianObject"] is SimulationObject and isinstance(names["milstein"], Milstein)
    assert names["euler"] is EULER is rall.euler


def test_star_import_binds_no_errors():
    assert "errors" not in star() and rall.errors.RallError is rall.RallError


def test_functions_of_pylab_that_a_newer_numpy_has_under_another_name():
    names = star()
    area = names["trapz"]([1.0, 2.0, 3.0] * units.mV, dx=1 * units.ms)
    assert area / (units.mV * units.ms) == pytest.approx(4)
    assert names["in1d"]([1, 2], [2]).tolist() == [False, True]
    assert names["random"](3).shape == names["rand"](3).shape == (3,) and names["numpy"] is np


def test_numpys_own_functions_win_over_those_of_its_modules():
    names = star()
    assert names["outer"] is np.outer and names["power"] is np.power and names["fft"]([1.0]).tolist() == [1.0]
    assert names["outer"]([[1, 2]], [1, 2]).shape == (2, 2)


def test_sums_of_arrays_and_of_generators():
    total = star()["sum"]
    assert total(x for x in [1 * units.mV, 2 * units.mV]) == 3 * units.mV
    assert total([[1, 2], [3, 4]] * units.mV, axis=0).tolist() == [4 * units.mV, 6 * units.mV]
    assert total([[1, 2], [3, 4]]) == 10 and total(iter([1, 2]), 3) == 6
    assert "sum" not in star("rall.only")


def test_pythons_own_are_attributes():
    assert rall.abs is abs and rall.max is max and rall.round is round
    assert not {"abs", "max", "round"} & set(star())


def test_numpy_with_units():
    names = star("rall.numpy_")
    assert names["exp"] is units.exp and names["arange"] is units.arange and names["mean"] is np.mean
    assert rall.numpy_.random is np.random and rall.numpy_.linspace is units.linspace and "sin" in dir(rall.numpy_)
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = rall.numpy_.nothing_of_this_name


def test_star_import_leaves_pythons_own_names_alone():
    as_in_pylab = {"all", "any", "sum", "divmod"}
    hidden = {name for name in star() if hasattr(builtins, name) and not name.startswith("_")}
    assert hidden <= as_in_pylab


def test_only_brings_no_arrays():
    names = star("rall.only")
    assert names["mV"] is units.mV and names["SpatialNeuron"] is rall.SpatialNeuron
    assert not {"np", "array", "plot", "rand"} & set(names)
    with pytest.raises(AttributeError, match="no public name 'plot'"):
        _ = rall.only.plot


def test_no_name_hides_a_module_of_rall():
    # 'from rall import NAME' would give the one or the other, depending on what was imported before.
    modules = [name for name in rall.__all__ if find_spec(f"rall.{name}") is not None]
    assert sorted(modules) == sorted(SUBPACKAGES)


def test_type_checkers_see_the_same_names():
    seen = set()
    for node in ast.walk(ast.parse(Path(rall.__file__).with_name("only.py").read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            seen |= {alias.asname for alias in node.names if alias.asname}
        elif isinstance(node, ast.AnnAssign):
            seen.add(node.target.id)
    constants = {name for name, module in CORE.items() if module == "rall.units.constants"}
    expected = set(CORE) | set(BUILTIN["rall.components"]) | {*METHODS, *SUBPACKAGES}
    assert seen == expected - constants
    assert set(public_names(arrays=False)) == expected | set(units.__all__)


@pytest.mark.skipif("site-packages" not in rall.__file__, reason="mypy cannot see an editable install")
def test_mypy_resolves_the_star_import(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from rall import *\nfrom rall import SpatialNeuron as Cell\nfrom rall.only import Network\n"
        "m = Morphology.grow('granule')\n"
        "c: Cell = SpatialNeuron(morphology=m, model='Im = 0*amp/meter**2 : amp/meter**2')\n"
        "run(3*ms)\nplot(array([1.0]))\nNetwork(c).run(1*second)\nx: int = np.zeros(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    lines = [line for line in done.stdout.splitlines() if "error:" in line]
    assert len(lines) == 1 and "script.py:9" in lines[0], done.stdout + done.stderr


def test_unknown_names_say_what_was_meant():
    with pytest.raises(ImportError, match="'Spatialneuron'; did you mean 'SpatialNeuron'"):
        exec("from rall import Spatialneuron")
    with pytest.raises(AttributeError, match="did you mean 'Network'"):
        _ = rall.Netwrok
    with pytest.raises(ImportError, match="known: Morphology"):
        exec("from rall import Qqqqqq")
    assert not hasattr(rall, "_engine_of_another_kind")


def test_modules_are_found_by_attribute():
    assert "Loop" in in_new_process("import rall; print(rall.loop.Loop)")


def test_the_magic_network_sees_what_a_star_script_makes():
    out = in_new_process(f"from rall import *\n{CELL}\nprint(magic_network.t)")
    assert out.strip() == "10 ms"


def test_matplotlib_is_imported_at_the_first_use():
    pytest.importorskip("matplotlib")
    program = (
        "from rall import *\nimport sys\nassert 'matplotlib' not in sys.modules\n"
        "rcParams['lines.linewidth'] = 3\nline, = plot([1, 2]*mV)\n"
        "assert line.get_linewidth() == 3 and 'lines.linewidth' in rcParams\n"
        "assert isinstance(gcf(), Figure) and plt.gcf() is gcf()\n"
        "class Mine(Line2D): pass\nassert issubclass(Mine, type(line))\n"
        "plt.rcParams = rcParams\nprint(plot, len(list(rcParams)) > 9, 'plot' in dir(plt))"
    )
    assert in_new_process(program, MPLBACKEND="agg").endswith("True True\n")


PLOTS = """
axhline(-50*mV); axvline(3*ms); xlim(0*ms, 10*ms); ylim(bottom=-80*mV); xticks([0, 5]*ms); yticks([-80*mV, 0*mV])
t, v = [1, 2, 3]*ms, [-70, -60, -50]*mV
plot(t, v); bar(t, v, width=0.1*ms); hist(v, bins=[-80, -60, -40]*mV); fill(t, v); fill_between(t, v, 0*mV)
scatter(t, v, c=v); errorbar(t, v, yerr=1*mV); vlines(t, -80*mV, v); text(1*ms, -60*mV, "here"); quiver(t, v, t, v)
hist2d(t, v); gca().set_xticks(t); gcf().canvas.draw()
"""


@pytest.mark.parametrize(
    "first", ["from rall import *", "import matplotlib.pyplot\nfrom rall import *"], ids=["rall", "matplotlib"]
)
def test_plots_take_quantities(first):
    pytest.importorskip("matplotlib")
    program = (
        f"{first}\n{PLOTS}\nclose()\n"
        "level = axhline(-50*mV)\nprint(level.get_ydata(orig=False)[0])\nxlim(0*ms, 10*ms)\n"
        "print(xlim()[1])\ncounts, edges, _ = hist([1, 2, 3]*mV, bins=[0, 2, 4]*mV)\nprint(counts.tolist(), edges[1])"
    )
    assert in_new_process(program, MPLBACKEND="agg").split("\n") == ["-0.05", "0.01", "[1.0, 2.0] 0.002", ""]


def test_a_name_that_this_matplotlib_lacks(monkeypatch):
    pytest.importorskip("matplotlib")
    with pytest.raises(rall.NotSupportedError, match=r"Matplotlib [\d.]+ has no 'plot_of_2050'"):
        pylab.Later("plot_of_2050")([1, 2])


def test_every_stand_in_has_something_behind_it():
    real = pytest.importorskip("matplotlib.pylab")
    for name in pylab.names():
        if isinstance(getattr(rall, name), pylab.Later) and name not in ("plt", "mpl", "matplotlib"):
            assert hasattr(real, name), name


def test_without_matplotlib_a_plot_says_what_to_install():
    out = in_new_process(
        "import sys; sys.modules['matplotlib'] = None\nfrom rall import *\n"
        "try:\n    plot([1, 2])\nexcept NotSupportedError as problem:\n    print(problem)\n"
    )
    assert out.strip() == "plot needs Matplotlib: pip install 'rall[view]'"
