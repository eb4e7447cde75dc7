"""What all tests share: a session as it is at the start, whatever tests before have done; each device."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import MappingProxyType

import pytest

from rall.devices.compiler import find_compiler
from rall.session import defaultclock, prefs, session, start_scope


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Ctrl-C reaches Python, also where a shell has started the tests in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def fresh_session():
    """Default preferences, device and step; nothing for the magic network to find."""
    prefs._set.clear()
    session.device, session.settings = "runtime", MappingProxyType({})
    session.said.clear()
    defaultclock.dt_ = 1e-4
    start_scope()
    yield
    prefs._set.clear()
    session.device, session.settings = "runtime", MappingProxyType({})
    defaultclock.dt_ = 1e-4


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference solutions, which is not part of the project."""
    here = Path(__file__).resolve().parents[1] / ".." / "shared"
    folder = Path(os.environ.get("RALL_SHARED", here)).resolve()
    if not (folder / "reference").is_dir():
        pytest.skip("the folder with reference solutions (../shared or RALL_SHARED) is not here")
    return folder


@pytest.fixture(params=["c", "numpy"])
def target(request):
    """Each device in turn."""
    if request.param == "c" and find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    prefs.codegen.target = request.param
    return request.param
