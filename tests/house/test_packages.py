"""What is installed is what is in the tree: packages, data, headers, entry points, documents."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rall.builtin import BUILTIN

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FOLDERS = {"core": "rall", **{name: f"rall.{name}" for name in ("morphology", "channels", "plugins", "data")}}


def source_packages():
    """Import names of all folders with an __init__.py."""
    found = {}
    for folder, name in FOLDERS.items():
        for file in (ROOT / folder).rglob("__init__.py"):
            inner = file.parent.relative_to(ROOT / folder).parts
            found[".".join((name, *inner))] = file.parent
    return found


def test_the_list_of_packages_is_complete():
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(source_packages())
    assert PROJECT["tool"]["setuptools"]["package-dir"] == {name: folder for folder, name in FOLDERS.items()}


def test_the_table_of_built_ins_is_that_of_the_entry_points():
    spec = spec_from_file_location("builtin_table", ROOT / "tests" / "house" / "builtin_table.py")
    house = module_from_spec(spec)
    spec.loader.exec_module(house)
    groups = house.entry_points(ROOT / "pyproject.toml")
    assert {group: dict(points) for group, points in BUILTIN.items()} == groups
    assert (ROOT / "core" / "builtin.py").read_text("utf-8") == house.table(groups)


def test_versions_agree():
    version = PROJECT["project"]["version"]
    init = (ROOT / "core" / "__init__.py").read_text("utf-8")
    assert re.search(r'^__version__ = "(.*)"$', init, re.M)[1] == version
    assert re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)[1] == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_documents_link_to_what_exists():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    broken = []
    for page in pages:
        text = page.read_text("utf-8")
        for target in (*re.findall(r"\]\(([^)#]+)\)", text), *re.findall(r'src="([^"]+)"', text)):
            if not target.startswith("http") and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_continuous_integration_runs_the_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    wanted = re.search(r"grep -m 1 -e '(.*)' README.md", script)[1]
    lines = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if re.search(wanted, line)]
    assert lines == [
        "python3 -m venv .venv && .venv/bin/pip install '.[test]' && .venv/bin/python -m pytest tests"
    ]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def tracked(folder):
    """Files of the source tree that belong to the project."""
    return [f for f in (ROOT / folder).rglob("*") if f.is_file() and "__pycache__" not in f.parts]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names in a wheel that was just built from a copy of the tree."""
    pytest.importorskip("setuptools", "77")
    pytest.importorskip("Cython")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS:
        for file in tracked(folder):
            if file.suffix != ".so":
                target = source / file.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-build-isolation",
            "--no-deps",
            "-w",
            str(out),
            str(source),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (made,) = out.glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        return set(archive.namelist()), made.name


def test_the_wheel_has_everything_and_no_more(wheel):
    names, title = wheel
    assert title.startswith(f"rall-{PROJECT['project']['version']}-cp311-abi3-")
    expected = set()
    for folder, name in FOLDERS.items():
        place = name.replace(".", "/")
        for file in tracked(folder):
            inner = file.relative_to(ROOT / folder).as_posix()
            if (
                file.suffix in (".py", ".pyi", ".swc")
                or inner.startswith("include/")
                or file.name == "py.typed"
            ):
                expected.add(f"{place}/{inner}")
    packed = {name for name in names if ".dist-info/" not in name}
    assert {name for name in packed if not re.fullmatch(r"rall/_engine\..*(so|pyd)", name)} == expected
    assert {"rall/py.typed", "rall/include/rall_runtime.c", "rall/data/layer5_pyramidal.swc"} <= expected


def test_the_wheel_has_the_engine_where_there_is_a_compiler(wheel):
    from rall.devices.compiler import find_compiler

    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    assert [name for name in wheel[0] if re.fullmatch(r"rall/_engine\..*(so|pyd)", name)]


def test_the_installed_copy_has_data_and_headers():
    from rall import data
    from rall.devices.compiler import headers

    assert data.names() == tuple(sorted(f.name for f in (ROOT / "data").glob("*.swc")))
    assert set(headers()) == {f.name for f in (ROOT / "core" / "include").iterdir()}
