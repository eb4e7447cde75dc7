"""The registry: built-ins without a scan, plugins by entry point, and what goes wrong with them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from rall import registry
from rall.builtin import BUILTIN
from rall.errors import PluginError, RallWarning

ROOT = Path(__file__).resolve().parents[2]


def house_table():
    spec = importlib.util.spec_from_file_location(
        "builtin_table", ROOT / "tests" / "house" / "builtin_table.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A function that installs a distribution with entry points, and a registry that knows nothing yet."""
    monkeypatch.setattr(registry, "_registry", registry._Registry())
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, points, modules):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        text = "".join(
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in p.items()) for group, p in points.items()
        )
        (info / "entry_points.txt").write_text(text)
        for module, code in modules.items():
            (tmp_path / f"{module}.py").write_text(code)

    return install


def test_the_table_is_what_the_entry_points_say():
    house = house_table()
    groups = house.entry_points(ROOT / "pyproject.toml")
    assert house.TABLE.read_text(encoding="utf-8") == house.table(groups)
    assert {group: dict(points) for group, points in BUILTIN.items()} == groups


def test_every_builtin_can_be_found_and_its_group_is_known():
    for group, points in BUILTIN.items():
        assert group in registry.GROUPS
        for name in points:
            if group in ("rall.flags", "rall.lines"):
                assert registry.find(group, name) is registry.find(group, name)


def test_builtins_need_no_scan():
    code = (
        "import sys, rall.registry as r\n"
        "r.find('rall.flags', 'constant')\n"
        "print('importlib.metadata' in sys.modules, r._registry.found is None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.split()[1] == "True"


def test_a_plugin_is_found_without_an_import_line(plugin):
    plugin(
        "rall-nice",
        {"rall.devices": {"nice": "nice_device:Device"}},
        {"nice_device": "class Device: word = 7\n"},
    )
    assert registry.find("rall.devices", "nice").word == 7
    assert registry.names("rall.devices")["nice"] == "rall-nice"


def test_a_plugin_that_fails_to_load_is_named_and_left_out(plugin):
    plugin(
        "rall-mixed",
        {"rall.viewers": {"bad": "bad_viewer:V", "good": "good_viewer:V"}},
        {"bad_viewer": "raise RuntimeError('no GPU')\n", "good_viewer": "V = 3\n"},
    )
    with (
        pytest.warns(RallWarning, match=r"bad.*rall-mixed.*no GPU"),
        pytest.raises(PluginError, match="no GPU"),
    ):
        registry.find("rall.viewers", "bad")
    assert registry.find("rall.viewers", "good") == 3
    assert "bad" not in registry.names("rall.viewers")
    with pytest.raises(PluginError, match="failed to load before"):
        registry.find("rall.viewers", "bad")


def test_a_missing_object_in_a_plugin_is_no_crash(plugin):
    plugin("rall-half", {"rall.channels": {"half": "half_channel:Nothing"}}, {"half_channel": ""})
    with pytest.warns(RallWarning, match="half"), pytest.raises(PluginError, match="AttributeError"):
        registry.find("rall.channels", "half")


def test_a_plugin_cannot_replace_a_builtin(plugin):
    own = registry.find("rall.flags", "constant")
    plugin("rall-thief", {"rall.flags": {"constant": "thief:C"}}, {"thief": "C = 1\n"})
    with pytest.warns(RallWarning, match="rall-thief.*constant.*is used"):
        names = registry.names("rall.flags")
    assert names["constant"] == "rall"
    assert registry.find("rall.flags", "constant") is own


def test_an_unknown_name_lists_the_known_ones_with_a_guess():
    with pytest.raises(PluginError, match="did you mean 'constant'") as raised:
        registry.find("rall.flags", "constnt")
    assert "unless_refractory" in str(raised.value)


def test_an_unknown_group_is_refused():
    with pytest.raises(PluginError, match=r"rall\.flags"):
        registry.find("rall.flag", "constant")


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [("tua", ["tau", "v"], "'tau'"), ("MV", ["mV"], "'mV'"), ("qqq", ["tau"], "")],
)
def test_closest(word, known, expected):
    hint = registry.closest(word, known)
    assert expected in hint
    assert bool(hint) == bool(expected)


def test_a_plugin_that_ends_the_program_is_left_out(plugin):
    plugin("rude", {"rall.viewers": {"exits": "rude_module:view"}}, {"rude_module": "import sys\nsys.exit(3)\n"})
    with pytest.warns(RallWarning, match="plugin 'exits' of 'rude'"), pytest.raises(PluginError, match="SystemExit"):
        registry.find("rall.viewers", "exits")
    assert "exits" not in registry.names("rall.viewers")


@pytest.mark.parametrize("text", [b"[rall.viewers]\nno equals sign\n", b"[rall.viewers]\nx = \xff\xfe\n"])
def test_entry_points_that_cannot_be_read_are_left_out(plugin, tmp_path, text):
    plugin("garbled", {}, {})
    plugin("good", {"rall.viewers": {"fine": "good_module:view"}}, {"good_module": "view = 3\n"})
    (tmp_path / "garbled-1.0.dist-info" / "entry_points.txt").write_bytes(text)
    with pytest.warns(RallWarning, match="entry points of 'garbled' cannot be read"):
        assert registry.find("rall.viewers", "fine") == 3


def test_scripts_register_extensions_of_their_own(monkeypatch):
    monkeypatch.setattr(registry, "_registry", registry._Registry())
    method = object()
    registry.register("rall.integrators", "mine", method)
    assert registry.find("rall.integrators", "mine") is method
    assert registry.names("rall.integrators")["mine"] == ""
    assert "mine" not in registry.names("rall.flags")
    for taken in ("mine", "euler"):
        with pytest.raises(PluginError, match=f"'{taken}' is there already"):
            registry.register("rall.integrators", taken, method)
    with pytest.raises(PluginError, match="no group of extensions"):
        registry.register("rall.integrator", "other", method)
