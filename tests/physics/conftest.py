"""What the tests of physics share: closed forms, short ways to cells, reference solutions, a fresh session."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from rall.session import prefs


def load(path: Path) -> ModuleType:
    """A file as a module of its own, by its name."""
    if path.stem in sys.modules:
        return sys.modules[path.stem]
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def solutions() -> ModuleType:
    """Closed forms of passive cables."""
    return load(Path(__file__).with_name("solutions.py"))


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    """Short ways to cells and traces."""
    return load(Path(__file__).with_name("cases.py"))


@pytest.fixture(scope="session")
def orders() -> ModuleType:
    """Measured orders of convergence."""
    load(Path(__file__).with_name("cases.py"))
    load(Path(__file__).with_name("solutions.py"))
    return load(Path(__file__).with_name("orders.py"))


@pytest.fixture(scope="session")
def spike_times() -> ModuleType:
    """Measured errors of spike times."""
    return load(Path(__file__).with_name("spike_times.py"))


@pytest.fixture(scope="session")
def errors(shared: Path) -> ModuleType:
    """Error measures that belong to the reference solutions."""
    return load(shared / "reference" / "errors.py")


@pytest.fixture(params=["c", "numpy"])
def target(request: pytest.FixtureRequest) -> str:
    """Each device in turn."""
    from rall.devices.compiler import find_compiler

    if request.param == "c" and find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    prefs.codegen.target = request.param
    return str(request.param)


