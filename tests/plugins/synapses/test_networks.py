"""The networks of 4000 cells of Brette et al. (J Comput Neurosci 23:349, 2007): statistics as of other simulators."""

from __future__ import annotations

import numpy as np
import pytest

from rall.devices.compiler import find_compiler
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import seed
from rall.simulation import Network
from rall.units import ms

SEEDS = (1, 2)


def cuba():
    """Currents that jump; v stands still in the refractory time and they run on."""
    group = NeuronGroup(4000, """
        dv/dt = (ge + gi - (v + 49*mV))/(20*ms) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : volt
        dgi/dt = -gi/(10*ms) : volt""", threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms)  # fmt: skip
    group.v = "-60*mV + rand()*10*mV"
    return group, "ge += 1.62*mV", "gi += -9*mV"


def coba():
    """Conductances that jump, in units of the leak."""
    group = NeuronGroup(4000, """
        dv/dt = (-60*mV - v + ge*(0*mV - v) + gi*(-80*mV - v))/(20*ms) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : 1
        dgi/dt = -gi/(10*ms) : 1""", threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms,
        method="exponential_euler")  # fmt: skip
    group.v, group.ge, group.gi = "-65*mV + 5*mV*randn()", "0.4 + 0.15*randn()", "2 + 1.2*randn()"
    return group, "ge += 0.6", "gi += 6.7"


def statistics(make, number):
    """The measures of the reference file, from 0.1 to 0.6 s."""
    seed(number)
    group, excite, inhibit = make()
    parts = Synapses(group[:3200], group, on_pre=excite), Synapses(group[3200:], group, on_pre=inhibit)
    for part in parts:
        part.connect(p=0.02)
    monitor = SpikeMonitor(group)
    Network(group, parts, monitor).run(600 * ms)
    late = monitor.t_ >= 0.1 - 1e-9
    i, t = monitor.i[late], monitor.t_[late]
    rates = np.bincount(i, minlength=4000) / 0.5
    order = np.argsort(i, kind="stable")
    trains = np.split(t[order], np.flatnonzero(np.diff(i[order])) + 1)
    intervals = [np.diff(train) for train in trains if len(train) >= 4]
    binned = np.histogram(t, np.arange(0.1, 0.6001, 0.005))[0] / 4000 / 0.005
    return {
        "rate_E": rates[:3200].mean(), "rate_I": rates[3200:].mean(), "sd_over_cells": rates.std(),
        "silent": (rates == 0).mean(), "cv_isi": np.mean([each.std() / each.mean() for each in intervals]),
        "pop_rate_sd_5ms": binned.std(), "synapses": sum(len(part) for part in parts),
    }  # fmt: skip


@pytest.mark.parametrize("make", [cuba, coba])
def test_statistics(make, reference):
    """The mean over n seeds lies within 4 sd sqrt(1/n + 1/20) of that of 20 seeds of the reference."""
    known = reference("networks.json")[make.__name__]
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    found = [statistics(make, number) for number in SEEDS]
    for name, mean in known["mean"].items():
        allowed = 4 * known["sd"][name] * np.sqrt(1 / len(SEEDS) + 1 / known["seeds"])
        assert np.mean([each[name] for each in found]) == pytest.approx(mean, abs=allowed), name
