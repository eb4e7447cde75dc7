"""Which method is chosen, and when one is unstable."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import PluginError
from rall.integrators import choose as module
from rall.integrators.adaptive import RK8PD, RKF45
from rall.integrators.base import AbstractIntegrator, NotIntegrable, System
from rall.integrators.choose import choose, fastest, stability_warning
from rall.integrators.exact import Exact
from rall.integrators.exponential import ExponentialEuler, ExponentialMidpoint, Strang
from rall.integrators.runge_kutta import EULER, RK2, RK4
from rall.integrators.stochastic import HEUN, Milstein
from rall.ir.parse import parse
from rall.ir.render import render
from rall.registry import builtin_names

KNOWN = {"exact": Exact, "linear": Exact, "exponential_euler": ExponentialEuler, "euler": EULER, "rk2": RK2,
         "exponential_midpoint": ExponentialMidpoint, "strang": Strang, "rk4": RK4, "heun": HEUN,
         "milstein": Milstein}  # fmt: skip


def system(constant: str = "", **equations: str) -> System:
    return System({v: parse(text).node for v, text in equations.items()}, frozenset(constant.split()))


@pytest.fixture
def table(monkeypatch) -> None:
    """The entry points of these classes, whatever else is installed."""
    monkeypatch.setattr(module, "find", lambda group, name: KNOWN[name])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (system(x="-x/tau", y="I - y"), "exact"),
        (system("k l", x="-k*x + y", y="-l*y"), "exact"),
        (system(x="-k*x + y", y="-l*y"), "exact"),  # one stage of driving has a formula
        (system(x="-k*x + y", y="-l*y + m*z", z="-z"), "strang"),
        (system(x="-k*x + y", y="-l*y + m*x"), "strang"),
        (system(v="g*n**4*(E - v)", n="exp(v)*(1 - n) - n"), "strang"),
        (system(v="exp(v) - v", w="v - w"), "euler"),
        (system(x="-x + xi"), "euler"),
        (system(x="-x + x*xi"), "heun"),
        (system(), "exact"),
    ],
)
def test_choice_that_is_left_to_rall(table, given, expected) -> None:
    assert choose(given, None).name == expected


def test_registered_names() -> None:
    for name in builtin_names("rall.integrators"):
        assert choose(system(x="-x"), name).name == {"linear": "exact", "gsl": "gsl_rkf45"}.get(name, name)
    assert set(KNOWN) <= set(builtin_names("rall.integrators"))


def test_names(table) -> None:
    given = system(x="-x**2")
    for name in KNOWN:
        # One name is taken at its word; whether it fits shows when it is used.
        assert choose(given, name).name == ("exact" if name == "linear" else name)
    mine = ExponentialEuler()
    assert choose(given, mine) is mine
    assert choose(given, ("exact", mine, RK4)) is RK4


def test_first_of_several_that_fits(table) -> None:
    assert choose(system(x="-x"), ("exact", "euler")).name == "exact"
    assert choose(system(x="-x**2"), ["exact", "euler", "heun"]).name == "euler"
    assert choose(system(x="-x**2 + x*xi"), ("exact", "euler", "heun")).name == "heun"


def test_methods_with_sub_steps_are_methods_like_others() -> None:
    assert choose(system(x="-x"), "gsl") is RKF45
    assert choose(system(x="-x"), ("exact", "gsl_rk8pd")).name == "exact"
    assert choose(system(x="-x**2"), ("exact", "gsl_rk8pd")) is RK8PD
    with pytest.raises(NotIntegrable, match="'gsl_rkck' has no noise"):
        choose(system(x="xi"), ("exact", "gsl_rkck"))


def test_none_of_several_fits(table) -> None:
    with pytest.raises(NotIntegrable, match=r"'exact' has no noise(.|\n)*'rk4' has no noise"):
        choose(system(x="-x**2 + xi"), ("exact", "rk4"))
    with pytest.raises(NotIntegrable, match="names no method"):
        choose(system(x="-x"), ())


def test_names_that_are_not_known() -> None:
    with pytest.raises(PluginError, match="there is no integration method 'foo'"):
        choose(system(x="-x"), "foo")
    with pytest.raises(NotIntegrable, match="by its name"):
        choose(system(x="-x"), (3,))  # type: ignore[arg-type]


def test_what_is_registered_must_be_a_method(monkeypatch) -> None:
    monkeypatch.setattr(module, "find", lambda group, name: dict)
    with pytest.raises(PluginError, match="no AbstractIntegrator"):
        choose(system(x="-x"), "odd")


# --- stability ----------------------------------------------------------------------------------------------


def evaluate(**values: object):
    scope = {name: np.asarray(value, float) for name, value in values.items()} | {"exp": np.exp, "int": int}
    return lambda node: np.asarray(eval(render(node), {}, scope))


def test_fastest_equation() -> None:
    given = system(v="(w - v)/tau_v", w="-w/tau_w", c="0")
    name, seconds = fastest(
        given, evaluate(v=0.0, w=[1.0, 2.0, 3.0], c=0, tau_v=[2e-2, 1e-2, 3e-2], tau_w=1e-3)
    )
    assert name == "w" and seconds == pytest.approx(1e-3)
    name, seconds = fastest(
        given, evaluate(v=0.0, w=[1.0, 2.0, 3.0], c=0, tau_v=[2e-2, 1e-5, 3e-2], tau_w=1e-3)
    )
    assert name == "v" and seconds == pytest.approx(1e-5)
    assert fastest(system(x="3"), evaluate(x=1.0)) is None
    assert fastest(system(), evaluate()) is None


def test_fastest_is_not_misled_by_units() -> None:
    """The same pair with y in units a million times smaller: the fast mode is still that of x."""
    for unit in (1.0, 1e-6, 1e6):
        given = system(x=f"-100*x + y*{1 / unit!r}", y=f"x*{unit!r} - y")
        assert fastest(given, evaluate(x=1.0, y=1.0))[0] == "x"


def test_elements_without_a_finite_slope_are_left_out() -> None:
    found = fastest(system(x="-x/tau"), evaluate(x=1.0, tau=[np.nan, 0.5, 2.0]))
    assert found == ("x", pytest.approx(0.5))


@pytest.mark.parametrize(
    ("method", "limit"), [(EULER, 2.0), (RK2, 2.0), (HEUN, 2.0), (RK4, 2.785), (Milstein(), 2.0)]
)
def test_warning_begins_where_the_method_becomes_unstable(method: AbstractIntegrator, limit: float) -> None:
    given, at = system(v="exp(v) - 1001*v", w="-w"), evaluate(v=0.0, w=0.0)
    assert stability_warning(given, method, 0.999e-3 * limit, at) is None
    message = stability_warning(given, method, 4e-3, at)
    assert message is not None
    for words in (f"'{method.name}'", "4 ms", "that of 'v'", "time constant of 1 ms"):
        assert words in message
    enough = float(message.split("a step of ")[2].split(" ms")[0])
    assert 0.8 * limit < enough <= limit


def test_the_warning_names_methods_that_fit() -> None:
    cases = {
        "(exponential_midpoint, exponential_euler, implicit)": system(v="-1000*v*exp(w)", w="-w"),
        "(exponential_midpoint, implicit)": system(v="-1000*v**3 - 1000*v", w="-w"),
    }
    for words, given in cases.items():
        assert stability_warning(given, RK4, 1.0, evaluate(v=0.0, w=0.0)).endswith(f"or another method {words}")
    noisy = system(v="-1000*v + xi")
    assert stability_warning(noisy, EULER, 1.0, evaluate(v=0.0)).endswith("would do")


def test_no_warning_for_exponential_methods_for_growth_and_for_oscillations() -> None:
    stiff = system(v="-1000000*v")
    for method in (ExponentialEuler(), ExponentialMidpoint(), Exact()):
        assert stability_warning(stiff, method, 1.0, evaluate(v=1.0)) is None
    assert stability_warning(system(v="1000000*v"), EULER, 1.0, evaluate(v=1.0)) is None
    assert stability_warning(system(x="y", y="-x"), EULER, 1e-3, evaluate(x=1.0, y=0.0)) is None


def test_noise_does_not_count_in_stability() -> None:
    given = system(x="-x/tau + 1000*xi")
    assert stability_warning(given, EULER, 1e-4, evaluate(x=0.0, tau=1e-3)) is None
    assert stability_warning(given, EULER, 1e-2, evaluate(x=0.0, tau=1e-3)) is not None


def test_growth_is_that_of_the_step_itself() -> None:
    z = np.array([-0.5 + 0.2j, -3.0, 1.0j])
    assert EULER.growth(z) == pytest.approx(np.abs(1 + z))
    assert RK2.growth(z) == pytest.approx(np.abs(1 + z + z**2 / 2))
    assert HEUN.growth(z) == pytest.approx(np.abs(1 + z + z**2 / 2))
    assert RK4.growth(z) == pytest.approx(np.abs(1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24))
    assert Exact().growth(z) == pytest.approx(np.abs(np.exp(z)))


def test_a_method_is_a_name():
    with pytest.raises(NotIntegrable, match="not 3"):
        choose(system(x="-x"), 3)
