"""What scripts for Brian 2 ask for: summaries, the cache, a fresh start."""

from __future__ import annotations

import pytest

from rall import brian
from rall.devices import compiler
from rall.errors import RallError
from rall.magic import run
from rall.session import defaultclock, prefs, session, start_scope
from rall.simulation import Network
from rall.targets import set_device
from rall.units import ms, us


def test_scheduling_summaries(decay):
    start_scope()
    cell = decay(name="cell_of_this_test")
    other = decay(name="not_visible_from_here")
    everything = [other]
    del other
    assert cell.name in str(brian.scheduling_summary())
    assert "not_visible_from_here" not in str(brian.scheduling_summary())
    network = Network(everything)
    assert str(brian.scheduling_summary(network)) == str(network.scheduling_summary())
    run(0.1 * ms)
    assert cell.name in str(brian.scheduling_summary())
    start_scope()
    assert brian.scheduling_summary().entries == ()


def test_a_fresh_start(decay):
    prefs.codegen.target = "numpy"
    defaultclock.dt = 20 * us
    set_device("numpy")
    scope = session.scope
    brian.restore_initial_state()
    assert prefs.codegen.target == "auto" and session.device == "runtime" and session.scope == scope + 1
    assert defaultclock.dt == 0.1 * ms


def test_the_cache_is_cleared(monkeypatch):
    cleared = []
    monkeypatch.setattr(compiler, "clear_cache", lambda: cleared.append(1))
    for target in ("cython", "c"):
        brian.clear_cache(target)
    brian.clear_cache()
    assert len(cleared) == 3
    with pytest.raises(RallError, match="'numpy' keeps no compiled code"):
        brian.clear_cache("numpy")
