"""Scripts that ask for a stand-alone program run in this process, and say so once."""

from __future__ import annotations

import pytest

from rall.errors import NotSupportedError, RallError, RallWarning
from rall.plugins.point import NeuronGroup
from rall.session import session
from rall.simulation import Network
from rall.targets import device, get_device, set_device
from rall.units import ms


@pytest.fixture(autouse=True)
def silent_again():
    session.said.discard("cpp_standalone")
    yield
    session.said.discard("cpp_standalone")


def test_a_script_for_a_program_of_its_own_runs_here():
    with pytest.warns(RallWarning, match="runs in this process"):
        set_device("cpp_standalone", directory=None, build_on_run=False)
    group = NeuronGroup(2, "dx/dt = 1/second : 1")
    network = Network(group)
    network.run(1 * ms)
    device.build(directory="output", compile=True, run=True)
    assert group.x[:] == pytest.approx([1e-3, 1e-3])
    assert get_device().name in ("c", "numpy")
    assert device.has_been_run
    device.reinit()
    device.activate()


def test_what_needs_such_a_program_says_so():
    with pytest.raises(NotSupportedError, match=r"store\(\) before and restore"):
        device.run(run_args={})


def test_settings_are_looked_at():
    with pytest.raises(RallError, match=r"no setting .directori.*directory"):
        set_device("cpp_standalone", directori="x")
