"""PopulationRateMonitor, and what smooths and bins rates."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, NotSupportedError, RallError
from rall.plugins.monitors import PopulationRateMonitor, SpikeMonitor
from rall.plugins.monitors.smoothing import smoothed, steps_of, window_of
from rall.plugins.point import NeuronGroup
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import Hz, ms, mV

DT = 1e-4


@pytest.fixture
def group():
    return NeuronGroup(5, "dv/dt = (i + 1)*100*Hz : 1", threshold="v > 1", reset="v = 0", method="euler")


def test_spikes_for_each_neuron_and_second(group, target):
    rate, part = PopulationRateMonitor(group), PopulationRateMonitor(group[3:])
    spikes = SpikeMonitor(group)
    Network(group, rate, part, spikes).run(20 * ms)
    assert rate.t_ == pytest.approx(np.arange(200) * DT) and rate.t.dim is ms.dim
    step = np.round(spikes.t_ / DT).astype(int)
    assert rate.rate_ == pytest.approx(np.bincount(step, minlength=200) / (5 * DT))
    assert part.rate_ == pytest.approx(np.bincount(step[spikes.i >= 3], minlength=200) / (2 * DT))
    assert rate.rate.dim is Hz.dim
    assert rate.N == len(rate) == 200


def test_it_follows_a_change_of_dt(group, target):
    rate = PopulationRateMonitor(group)
    network = Network(group, rate)
    network.run(10 * ms)
    defaultclock.dt = 0.05 * ms
    network.run(10 * ms)
    assert rate.t_[[99, 100, 101]] == pytest.approx([9.9e-3, 10e-3, 10.05e-3])
    found = rate.rate_[rate.rate_ > 0]
    assert found.min() == pytest.approx(1 / (5 * 1e-4)) and found.max() >= 1 / (5 * 0.5e-4) - 1e-6


def test_type_of_rates_and_restored(group):
    rate = PopulationRateMonitor(group, dtype=np.float32)
    network = Network(group, rate)
    network.run(1 * ms)
    network.store()
    network.run(1 * ms)
    assert rate.rate_.dtype == np.float32 and len(rate) == 20
    network.restore()
    assert len(rate) == 10


def test_bins(group):
    rate = PopulationRateMonitor(group)
    Network(group, rate).run(23 * ms)
    bins, rates = rate.binned_rate(5 * ms)
    assert (bins / ms) == pytest.approx([0, 5, 10, 15])
    assert np.asarray(rates) == pytest.approx(rate.rate_[:200].reshape(4, 50).mean(axis=1))
    with pytest.raises(RallError, match="multiple of the step"):
        rate.binned_rate(0.25 * ms)
    with pytest.raises(DimensionMismatchError, match="bin"):
        rate.binned_rate(3)


def test_no_spikes_no_monitor():
    with pytest.raises(RallError, match="threshold"):
        PopulationRateMonitor(NeuronGroup(2, "v : 1"))
    with pytest.raises(RallError, match="needs a group"):
        PopulationRateMonitor(3)


@pytest.mark.parametrize(
    ("width", "steps"), [(0.1, 1), (0.3, 3), (0.34, 3), (0.4, 5), (0.5, 5), (0.55, 5), (1.0, 11)]
)  # fmt: skip
def test_flat_windows_have_an_odd_number_of_steps(width, steps):
    window = window_of("flat", width * ms, DT)
    assert len(window) == steps and window == pytest.approx(1 / steps)


@pytest.mark.parametrize(("width", "half"), [(0.01, 0), (0.1, 2), (0.34, 7), (0.55, 11), (1.0, 20)])
def test_gaussian_windows_end_at_two_standard_deviations(width, half):
    window = window_of("gaussian", width * ms, DT)
    assert len(window) == 2 * half + 1 and window.sum() == pytest.approx(1)
    k = np.arange(-half, half + 1)
    assert window / window[half] == pytest.approx(np.exp(-((k * 0.1 / width) ** 2) / 2))


def test_smoothing_keeps_the_length_and_the_area():
    rates = np.zeros((2, 30))
    rates[0, 10], rates[1, 0] = 6.0, 3.0
    found = smoothed(rates, window_of(np.array([1.0, 3.0, 2.0]), None, DT))
    assert found.shape == (2, 30)
    assert found[0, 9:12].tolist() == [1.0, 3.0, 2.0] and found[0].sum() == 6
    assert found[1, :2].tolist() == [1.5, 1.0]
    assert smoothed(np.ones(3), np.full(9, 1 / 9)) == pytest.approx(3 / 9)
    assert smoothed(np.zeros((4, 0)), np.ones(1)).shape == (4, 0)


def test_smoothed_rates_of_a_monitor(group):
    rate = PopulationRateMonitor(group)
    Network(group, rate).run(20 * ms)
    smooth = rate.smooth_rate(width=1 * ms)
    assert smooth.shape == (200,) and smooth.dim is Hz.dim
    assert np.asarray(smooth)[100] == pytest.approx(rate.rate_[80:121] @ window_of("gaussian", 1 * ms, DT))


@pytest.mark.parametrize(
    ("window", "width", "error", "message"),
    [
        ("flat", None, RallError, "needs a width"), ("cone", 1 * ms, NotSupportedError, "'gaussian' and 'flat'"),
        (np.ones(4), None, RallError, "odd number"), (np.ones((3, 3)), None, RallError, "odd number"),
        (np.ones(3), 1 * ms, RallError, "have no width"), ("flat", 1 * mV, DimensionMismatchError, "width"),
        ("flat", 0 * ms, RallError, "positive"), (np.array([1.0, 0, -1]), None, RallError, "add up to 0"),
        (np.ones(3) * mV, None, DimensionMismatchError, "numbers"),
    ],
)  # fmt: skip
def test_windows_that_are_none(window, width, error, message):
    with pytest.raises(error, match=message):
        window_of(window, width, DT)


def test_bins_are_whole_steps():
    assert steps_of(1 * ms, DT) == 10 and steps_of(0.3 * ms, DT) == 3
    with pytest.raises(RallError, match="multiple"):
        steps_of(0.01 * ms, DT)
