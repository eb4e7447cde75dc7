"""Ctrl-C with point networks: soon, between two steps, and so that one can go on."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from rall.interrupts import told_at_once
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import ms, second

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are sent to processes of POSIX here")


def test_soon_where_steps_become_slow(target):
    """Steps are quick until all neurons spike in every step, in the middle of a stretch of the compiled loop."""
    n = 2000 if target == "c" else 50
    group = NeuronGroup(n, "dv/dt = 40/second : 1\nx : 1", threshold="v > 60", reset="x = 0")
    synapses = Synapses(group, group, on_pre="x_post += 1")
    synapses.connect()
    spikes = SpikeMonitor(group, record=False)
    network = Network(group, synapses, spikes)
    network.run(0.1 * second)
    delays = []
    for _ in range(2):
        sent = []

        def interrupt(sent=sent):
            while not spikes.num_events:
                time.sleep(0.001)
            time.sleep(0.1)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            network.run(100 * second)
        delays.append(time.perf_counter() - sent[0])
        thread.join()
        steps = defaultclock.timestep
        assert network.t_ == pytest.approx(steps * 1e-4)
        np.testing.assert_allclose(group.v, steps * 4e-3, rtol=1e-6)
        assert spikes.num_events % n == 0 and (group.x_[:] == group.x_[0]).all()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert min(delays) < 1  # the compiled loop alone would go on for minutes


def test_states_go_on_after_an_interrupt(target):
    def made():
        group = NeuronGroup(20, "dv/dt = (2 - v)/(5*ms) : 1", threshold="v > 1", reset="v = 0", refractory=1 * ms)
        group.v = "i/20.0"
        synapses = Synapses(group, group, on_pre="v_post += 0.01", delay=1.7 * ms)
        synapses.connect(condition="i != j")
        return group, Network(group, synapses)

    group, network = made()
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        network.run(1e6 * second)
    reached = defaultclock.timestep
    network.run(3 * ms)
    other, whole = made()
    whole.run((reached + 30) * defaultclock.dt)
    np.testing.assert_array_equal(group.v, other.v)


def test_the_byte_goes_to_who_waited_before():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    seen = threading.Event()
    previous = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with told_at_once(signal.SIGUSR1, seen.set):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert seen.wait(10)
            assert os.read(reader, 1) == bytes([signal.SIGUSR1])
        assert signal.set_wakeup_fd(writer) == writer
    finally:
        signal.signal(signal.SIGUSR1, previous)
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
