"""Spike times of a squid neuron, measured by `spike_times.py`."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def measured(spike_times):
    exact = spike_times.spike_times(*spike_times.REFERENCE)
    return {method: spike_times.errors(method, exact) for method in spike_times.METHODS}


@pytest.mark.parametrize(("method", "goal"), [("strang", 2), ("exponential_midpoint", 2), ("exponential_euler", 1)])
def test_errors_fall_with_the_power_of_the_step_that_the_method_has(method, goal, measured, spike_times):
    for row in zip(*(measured[method][dt] for dt in spike_times.STEPS)):
        assert spike_times.order(row) == pytest.approx(goal, abs=0.35), row


def test_the_method_that_is_chosen_has_a_third_of_the_error_of_the_midpoint_rule(measured, spike_times):
    finest = spike_times.STEPS[-1]
    for mine, other, first_order in zip(*(measured[method][finest] for method in spike_times.METHODS)):
        assert mine < other / 3 and mine < first_order / 30
