"""Orders of convergence of the default method, measured by `orders.py`."""

from __future__ import annotations

import pytest

GOAL = 1.9


def test_errors_fall_with_the_square_of_the_step(orders):
    for case in orders.TIME:
        rows = orders.errors_in_time(case)
        assert orders.order(rows) > GOAL, (case.name, rows)


SPACE = ["cylinder, steady state", "tapered cable, steady state", "HH, running action potential"]


@pytest.mark.parametrize("name", SPACE)
def test_errors_fall_with_the_square_of_the_compartment_length(name, orders):
    rows = orders.errors_in_space(name)
    assert orders.order(rows) > GOAL, rows


def test_backward_euler_is_of_first_order(orders):
    case = next(case for case in orders.TIME if case.name == "HH, current step")
    assert orders.order(orders.errors_in_time(case, "backward_euler")) == pytest.approx(1, abs=0.2)


def test_every_case_is_there(orders):
    names = {case.name for case in orders.TIME}
    assert {"HH, current step", "HH, stiff clamp", "HH, stiff clamp with a ramp"} <= names
    assert len(names) == len(orders.TIME)
