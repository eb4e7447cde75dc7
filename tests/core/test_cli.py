"""The command ``rall``: what it prints, its exit status, and one message without a traceback for mistakes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rall
from rall import cli
from rall.builtin import BUILTIN
from rall.registry import GROUPS

Y = """\
1 1 0 0 0 5 -1
2 3 5 0 0 1 1
3 3 50 0 0 1 2
4 3 90 30 0 0.5 3
5 3 90 -30 0 0.5 3
"""


@pytest.fixture
def swc(tmp_path):
    """Writes an SWC file."""

    def write(text=Y, name="cell.swc"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def told(capsys):
    """Runs a command: exit status, what it printed, what it complained about."""

    def run(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


def command(*arguments, **environment):
    """The same in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "rall", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )


def test_check_measures_a_good_file(swc, told):
    path = swc()
    status, out, err = told("check", path)
    assert status == 0 and not err
    assert re.search(r"^soma +1 +1 ", out, re.M)
    assert re.search(r"^all +4 +\d+ +145 ", out, re.M)  # 45 from the soma's surface, and twice 50
    assert out.endswith(f"{path} is fine\n")


def test_check_tells_oddities_once(swc, told):
    status, out, err = told("check", swc(Y + "6 3 90 -30 0 0.8 5\n"))
    assert status == 0 and out.count("[ZeroLengthSegment]") == 1 and not err
    assert "can be used" in out


def test_check_refuses_with_the_line_and_a_way_out(swc, told):
    path = swc(Y.replace("90 30 0 0.5", "90 30 0 0"))
    status, out, _ = told("check", path)
    assert status == 1
    assert f"error: {path}: line 4: " in out and "min_radius" in out and "[BadRadius]" in out
    assert out.endswith("is refused\n")
    status, out, _ = told("check", path, "--min-radius", "0.1")
    assert status == 0 and "RadiusRaised" in out


def test_check_shows_a_few_findings_of_a_kind(swc, told):
    many = Y + "".join(f"{k} 3 {k}00 0 0 0 {k - 1}\n" for k in range(6, 15))
    status, out, _ = told("check", swc(many))
    assert status == 1 and out.count("error: ") == 5 and "\nand 4 more [BadRadius]\n" in out


def test_check_scales(swc, told):
    status, out, _ = told("check", swc(), "--scale", "2")
    assert status == 0 and re.search(r"^all +4 +\d+ +290 ", out, re.M)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nowhere.swc"), "nowhere.swc"),
        (("demo", "nowhere.swc"), "cannot be read: No such file"),
        (("check", "cell.xyz"), "known are .swc, .asc, .h5"),
        (("check", "cell.swc", "--scale", "-1"), "must be a positive number"),
        (("check", "cell.swc", "--min-radius", "-1"), "must be a length from 0 up"),
    ],
)
def test_mistakes_give_one_message(told, arguments, message):
    status, out, err = told(*arguments)
    assert status == 1 and not out
    assert err.startswith("rall: ") and message in err and err.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_a_message(swc, told, tmp_path):
    (tmp_path / "taken").write_text("")
    status, _, err = told("demo", swc(), "--out", tmp_path / "taken")
    assert status == 1 and err.startswith("rall: ") and "taken" in err and err.count("\n") == 1


def test_the_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out == f"rall {rall.__version__}\n"


def test_a_reader_that_goes_away_is_no_error():
    done = subprocess.run(f"'{sys.executable}' -m rall plugins | head -n 1", shell=True, capture_output=True, text=True)
    assert done.stdout == "rall.components (public name)\n" and not done.stderr


@pytest.mark.parametrize("arguments", [(), ("dance",), ("demo", "--cell", "star")])
def test_misuse_shows_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert "usage: rall" in capsys.readouterr().err


def test_interrupts_are_quiet(monkeypatch, told):
    def interrupted(settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "demonstrate", interrupted)
    assert told("demo") == (130, "", "rall: interrupted\n")


def test_info_names_versions_compiler_and_cache(told, monkeypatch, tmp_path):
    monkeypatch.setenv("RALL_CACHE", str(tmp_path))
    (tmp_path / "rall_0.so").write_bytes(b"x" * 2_000_000)
    status, out, err = told("info")
    facts = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert status == 0 and not err
    assert facts["Python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert facts["numpy"] == __import__("numpy").__version__
    assert re.fullmatch(rf"{re.escape(str(tmp_path))} \([12] files, 2\.0 MB\)", facts["cache"])
    assert set(facts["devices"].split(", ")) >= {"c", "numpy"}
    assert "compiler" in facts and "engine" in facts


def test_info_says_how_to_get_what_is_missing(told, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("rall.devices.compiler._zig", lambda: None)
    monkeypatch.setattr("rall.inventory._version", lambda name: None)
    status, out, _ = told("info")
    assert status == 0
    assert re.search(r"^compiler +missing .*apt install gcc.*pip install ziglang", out, re.M)
    assert re.search(r"^runs go to +numpy, with", out, re.M)
    assert re.search(r"^vtk +missing .*pip install 'rall\[view\]'", out, re.M)
    assert re.search(r"^neurom +missing .*pip install 'rall\[morphology\]'", out, re.M)


def test_info_names_a_compiler_with_its_flags(told, monkeypatch, tmp_path):
    fake = tmp_path / "mycc"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CC", str(fake))
    _, out, _ = told("info")
    assert re.search(rf"^compiler +{re.escape(str(fake))}$", out, re.M)
    assert re.search(r"^flags +-O[23] ", out, re.M)


def test_plugins_lists_every_group_and_name(told):
    status, out, _ = told("plugins")
    assert status == 0
    for group, points in BUILTIN.items():
        assert f"{group} ({GROUPS[group]})" in out
        for name in points:
            assert re.search(rf"^  {re.escape(name)} +rall$", out, re.M), name


def test_a_broken_plugin_is_named_and_harms_nothing(tmp_path):
    info = tmp_path / "rall_broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rall-broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[rall.readers]\nxyz = no_such_module:read\n")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    done = command("plugins", PYTHONPATH=path)
    assert done.returncode == 0 and not done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("  xyz "))
    assert "rall-broken" in line and "BROKEN" in line and "No module named 'no_such_module'" in line
    assert re.search(r"^  SpatialNeuron +rall$", done.stdout, re.M)


def test_the_script_is_installed():
    script = Path(sys.executable).with_name("rall")
    if not script.exists():
        pytest.skip("installed without scripts")
    done = subprocess.run([script, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("demo", "check", "info", "plugins"))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_error(swc, closed):
    done = subprocess.run(f"'{sys.executable}' -m rall check '{swc()}' {closed}", shell=True, capture_output=True)
    assert done.returncode == 0 and not done.stderr


def test_letters_that_the_terminal_lacks_are_escaped(swc):
    done = command("check", swc(name="zell\u00eb.swc"), PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and not done.stderr
    assert "zell\\xeb.swc is fine" in done.stdout
