"""Equations with error-controlled sub-steps, on each device."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rall.codegen.adaptive import lower_integrate, print_integrate_c
from rall.devices.base import Status
from rall.errors import RallError
from rall.integrators.adaptive import RK2, RK4, RK8PD, RKCK, RKF45
from rall.integrators.base import System
from rall.ir.parse import parse
from rall.model import SHARED, TOO_MANY_SUBSTEPS, TOO_SMALL_SUBSTEPS, Access, Domain, Layout, Variable

METHODS = [RK2, RK4, RKF45, RKCK, RK8PD]
IDS = [method.name for method in METHODS]
PLACE = np.array([5, 0, 9, 2, 7, 1, 3, 11, 4, 8, 6])
PENDULUM = {"x": "y", "y": "-k*sin(x) - 0.3*y + cos(3*t)"}


def integrate(b, method, equations, domain=None, **given):
    """Add the operation; memory variables become variables of the bench."""
    options = method.options(given, {v: b.variables[v].dimension for v in equations})
    for name, (dimension, kind) in options.memory().items():
        b.variables[name] = Variable(name, domain or b.domain, dimension, kind)
    system = System({v: parse(text).node for v, text in equations.items()})
    operation = method.operation(
        system, b.variables, options, name=f"op{len(b.made)}", clock=b.clock, domain=domain or b.domain,
        order=len(b.made),
    )  # fmt: skip
    b.made.append(operation)
    return operation


def pendulum(b):
    b.add("x", np.linspace(0.1, 2.5, b.size))
    b.add("y", 0.2)
    b.add("k", np.linspace(1.0, 900.0, b.size))


def reference(size, end):
    found = []
    for x, k in zip(np.linspace(0.1, 2.5, size), np.linspace(1.0, 900.0, size)):
        made = solve_ivp(
            lambda t, s, k=k: [s[1], -k * np.sin(s[0]) - 0.3 * s[1] + np.cos(3 * t)],
            (0, end), [x, 0.2], "DOP853", rtol=1e-13, atol=1e-13,
        )  # fmt: skip
        found.append(made.y[:, -1])
    return np.array(found).T


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_error_is_what_was_asked_for(device, bench, method) -> None:
    """Slow and fast elements side by side; a hundred times smaller a tolerance, and the error follows."""
    expected = reference(11, 2.0)
    worst = []
    for tolerance in (1e-4, 1e-6, 1e-8):
        b = bench(place=PLACE, dt=0.5)
        pendulum(b)
        integrate(b, method, PENDULUM, absolute_error=tolerance, max_steps=0)
        assert b.run(device, 4)[0] is Status.DONE
        worst.append(max(np.abs(b.values("x") - expected[0]).max(), np.abs(b.values("y") - expected[1]).max() / 30))
        assert worst[-1] < 300 * tolerance
    assert worst[0] > 10 * worst[1] > 100 * worst[2]


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_order_of_a_single_step_without_error_control(device, bench, method) -> None:
    found = []
    coarse = 10 if method.order < 8 else 4
    for steps in (coarse, 2 * coarse, 400):
        b = bench(size=2, dt=2.0 / steps)
        b.add("x", [0.3, 1.2])
        b.add("y", 0.2)
        b.shared("k", 1.0)
        integrate(b, method, PENDULUM, adaptable_timestep=False, save_step_count=True)
        b.run(device, steps)
        assert b.values("_step_count").tolist() == [1, 1]
        found.append(b.values("x"))
    errors = [np.abs(x - found[-1]).max() for x in found[:-1]]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(method.order, abs=0.6)


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_devices_take_the_same_sub_steps(agree, method) -> None:
    def build(b):
        pendulum(b)
        integrate(b, method, PENDULUM, absolute_error=1e-7, max_steps=0, save_step_count=True,
                  save_failed_timesteps=True)  # fmt: skip

    b, _ = agree(build, steps=3, rtol=1e-12, size=11, place=PLACE)
    assert b.values("_step_count").min() < b.values("_step_count").max()
    assert b.values("_failed_steps").max() > 0 or method in (RK2, RK8PD)


def test_hodgkin_and_huxley(device, bench, agree) -> None:
    """A spike with steps of a millisecond, as with a thousand times finer ones."""
    rates = {
        "v": "0.3*(-54.4 - v) + 120*m**3*h*(50 - v) + 36*n**4*(-77 - v) + I",
        "m": "0.1*(v + 40)/(1 - exp(-(v + 40)/10))*(1 - m) - 4*exp(-(v + 65)/18)*m",
        "h": "0.07*exp(-(v + 65)/20)*(1 - h) - h/(1 + exp(-(v + 35)/10))",
        "n": "0.01*(v + 55)/(1 - exp(-(v + 55)/10))*(1 - n) - 0.125*exp(-(v + 65)/80)*n",
    }

    def build(b, **given):
        for name, value in {"v": -65.0, "m": 0.05, "h": 0.6, "n": 0.32, "I": np.linspace(7.0, 20.0, b.size)}.items():
            b.add(name, value)
        integrate(b, RKF45, rates, **given)

    fine = bench(size=3, dt=1.0)
    build(fine, absolute_error=1e-11, max_steps=0)
    fine.run(device, 15)
    b = bench(size=3, dt=1.0)
    build(b)
    b.run(device, 15)
    assert b.values("v") == pytest.approx(fine.values("v"), abs=1e-3)
    assert np.ptp(b.values("v")) > 1.0
    agree(lambda b: build(b, save_step_count=True), steps=15, rtol=1e-12, size=3, dt=1.0)


def test_a_step_begins_where_the_last_one_ended(device, bench) -> None:
    counts = []
    for use in (True, False):
        b = bench(size=3)
        b.add("x", [0.5, 1.0, 2.0])
        integrate(b, RKF45, {"x": "-400*x + 400*cos(t)"}, use_last_timestep=use, save_step_count=True,
                  save_failed_timesteps=True, max_steps=0)  # fmt: skip
        b.run(device, 4)
        counts.append(b.values("_failed_steps"))
        assert ("_last_timestep" in b.variables) == use
        if use:
            assert (b.values("_last_timestep") > 0).all() and (b.values("_last_timestep") < 0.05).all()
    assert (counts[1] >= 3).all()
    assert (counts[0] < counts[1]).all()


def test_a_tolerance_for_each_variable_and_a_relative_one(device, bench) -> None:
    """Two equations of one form that differ in size; what is loose is integrated in fewer sub-steps."""
    counts = []
    for given in ({}, {"absolute_error_per_variable": {"y": 1e-1}}, {"relative_error": 1e-3}):
        b = bench(size=1, dt=1.0)
        b.add("x", 1e-3)
        b.add("y", 1e3)
        integrate(b, RKCK, {"x": "-9*x", "y": "-9*y*(1 + sin(t))"}, save_step_count=True, **given)
        b.run(device, 1)
        counts.append(int(b.values("_step_count")[0]))
        assert b.values("y")[0] == pytest.approx(1e3 * np.exp(-9 * (2 - np.cos(1))), abs=0.3)
    assert counts[0] > 2 * counts[1] and counts[0] > 2 * counts[2]


def test_random_numbers_hold_for_a_step(device, bench, agree) -> None:
    """Also where what is drawn depends on the state: it is drawn at the beginning."""

    def build(b):
        b.draws()
        b.add("x", 0.0)
        b.add("y", np.linspace(0.0, 9.0, b.size))
        integrate(b, RKF45, {"x": "rand() - 50*(x - 1)", "y": "poisson(y) + poisson(poisson(3*y)) - y"})

    agree(build, steps=6, rtol=1e-12)
    b = bench(size=1)
    b.draws()
    b.add("x", 0.0)
    b.add("drawn", 0.0)
    integrate(b, RK8PD, {"x": "rand()"})
    b.assign("drawn = rand()")
    b.made.reverse()
    b.run(device, 1)
    assert b.values("x")[0] == pytest.approx(0.5 * b.values("drawn")[0], rel=1e-14)


def test_parameters_of_all_kinds_are_seen(device, bench) -> None:
    """Shared and of elements, whole numbers, conditions, and through a map; time that no one reads."""
    b = bench(size=5, place=np.array([3, 0, 4, 1, 2]))
    other = Domain("other", Layout(3))
    b.add("x", 1.0)
    b.add("n", np.arange(5), "integer")
    b.add("on", np.arange(5) % 2 == 0, "boolean")
    b.shared("tau", 0.2)
    far = Variable("far", other)
    far.set([1.0, 2.0, 3.0])
    index = Variable("index", b.domain, kind="integer")
    index.set([2, 1, 0, 1, 2])
    b.variables["far"] = Access(far, index)
    del b.variables["t"]
    integrate(b, RKCK, {"x": "(far*exp(far) + n - x)/tau if on else 0"}, absolute_error=1e-9)
    b.run(device, 2)
    far_values = np.array([3.0, 2.0, 1.0, 2.0, 3.0])
    end = far_values * np.exp(far_values) + np.arange(5)
    expected = np.where(np.arange(5) % 2 == 0, end + (1 - end) * np.exp(-5.0), 1.0)
    assert b.values("x") == pytest.approx(expected, rel=1e-7)


def test_values_that_all_elements_share(device, bench) -> None:
    b = bench(dt=0.25)
    b.shared("x", 1.0)
    b.shared("k", 3.0)
    integrate(b, RK8PD, {"x": "-k*x*t"}, domain=SHARED)
    b.run(device, 8)
    assert b.values("x") == pytest.approx([np.exp(-6.0)], abs=1e-5)


def test_too_many_sub_steps_stop_the_run_and_name_the_element(device, bench) -> None:
    b = bench(size=11, place=PLACE)
    b.add("x", 1.0)
    b.add("k", np.where(np.arange(11) < 7, 1.0, 1e6))
    operation = integrate(b, RKF45, {"x": "-k*x"}, max_steps=20)
    b.assign("k = k + 1")
    status, failed = b.run(device, 3)
    assert status is Status.FAILED and failed is operation
    assert operation.failure.tolist() == [7, TOO_MANY_SUBSTEPS]
    assert b.clock.step == 1
    assert b.values("x")[:7] == pytest.approx(np.exp(-0.5), abs=1e-5)


def test_what_has_no_solution_up_to_the_end_of_the_step_fails(device, bench) -> None:
    b = bench(size=4)
    b.add("x", [1.0, 1.0, 3.0, 1.0])
    operation = integrate(b, RKCK, {"x": "x**2"}, max_steps=0)
    status, _ = b.run(device, 1)
    assert status is Status.FAILED
    assert operation.failure.tolist() == [2, TOO_SMALL_SUBSTEPS]


def test_equations_of_one_form_are_one_text_whatever_the_method(bench) -> None:
    texts = []
    for method, names in ((RKF45, "xyk"), (RK8PD, "abc")):
        b = bench(size=4)
        for name in names:
            b.add(name, 1.0)
        x, y, k = names
        rhs = PENDULUM["y"].replace("x", x).replace("y", y).replace("k*", f"{k}*")
        operation = integrate(b, method, {x: y, y: rhs})
        texts.append(print_integrate_c(lower_integrate(operation)[0]))
    assert texts[0] == texts[1]


def test_what_does_not_change_during_a_step_is_computed_once(bench) -> None:
    b = bench()
    for name in ("x", "p", "q"):
        b.add(name, 1.0)
    b.shared("g", 2.0)
    text = print_integrate_c(lower_integrate(integrate(b, RKF45, {"x": "exp(p)*log(q)*x + sqrt(g)*t"}))[0])
    rates, loop = text.split('#include "rall_adaptive.h"')
    assert not any(word in rates for word in ("rall_exp(", "rall_log(", "rall_sqrt("))
    before, inside = loop.split("for (")
    assert "rall_sqrt(" in before and "rall_exp(" in inside and "rall_log(" in inside


def test_programs_made_wrong_are_refused(device, bench) -> None:
    b = bench()
    b.add("x", 1.0)
    integrate(b, RKF45, {"x": "-k*x"})
    with pytest.raises(RallError, match="nothing is bound to the name 'k'"):
        b.program(device)
    b = bench()
    b.shared("x", 1.0)
    integrate(b, RKF45, {"x": "-x"})
    with pytest.raises(RallError, match="'x' is not a float variable of its domain"):
        b.program(device)
