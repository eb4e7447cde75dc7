"""Preferences, clocks, names, seeds and the choice of a device."""

from __future__ import annotations

import gc
import warnings

import pytest

from rall import randn, targets
from rall.errors import CompileError, DimensionMismatchError, RallError, RallWarning
from rall.preferences import Preferences
from rall.session import (
    Clock,
    SimulationObject,
    caller_namespace,
    defaultclock,
    live_objects,
    options_from,
    prefs,
    seed,
    session,
    session_seed,
)
from rall.targets import choose_device, get_device, set_device
from rall.units import ms, mV


def test_preferences_as_attributes_and_items():
    own = Preferences()
    assert own.codegen.target == "auto" == own["codegen.target"]
    own["codegen.target"] = "numpy"
    assert own.codegen.target == "numpy"
    own.codegen.extra_compile_args = ["-O3"]
    own.threads = 2
    options = options_from(own)
    assert options.extra_compile_args == ("-O3",)
    assert own.threads == 2
    assert "codegen.reproducible" in own and "target" in dir(own.codegen)
    own.reset_to_defaults()
    assert own.codegen.target == "auto"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("codegen.target", "numpi", "did you mean 'numpy'"),
        ("codegen.reproducible", 1, "True or False"),
        ("threads", 0, "number of threads"),
        ("core.network.default_schedule", ["a", "a"], "twice"),
        ("core.network.default_schedule", ["before_a"], "before_"),
    ],
)
def test_wrong_values_are_refused_with_what_would_do(name, value, words):
    with pytest.raises(RallError, match=words):
        Preferences()[name] = value


def test_preferences_without_effect_say_so_once():
    own = Preferences()
    with pytest.warns(
        RallWarning, match=r"codegen\.cpp\.extra_compile_args_gcc.*no effect.*extra_compile_args"
    ):
        own.codegen.cpp.extra_compile_args_gcc = ["-O3"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own.codegen.cpp.extra_compile_args_gcc = ["-O2"]
    assert own["codegen.cpp.extra_compile_args_gcc"] == ["-O2"]
    assert own.codegen.cpp.extra_compile_args_gcc == ["-O2"]


def test_unknown_preferences_are_kept_with_a_guess():
    own = Preferences()
    with pytest.warns(RallWarning, match=r"did you mean 'codegen\.target'"):
        own["codegen.targt"] = "c"
    with pytest.raises(AttributeError, match=r"did you mean 'codegen\.compiler'"):
        _ = own.codegen.compilr
    with pytest.raises(KeyError):
        _ = own["nothing.like.it"]


def test_clock_takes_and_gives_quantities():
    clock = Clock(dt=0.5 * ms)
    assert clock.dt == 0.5 * ms and clock.model_clock.dt == 0.5e-3 and clock.t == 0 * ms
    clock.dt = 0.25 * ms
    assert clock.model_clock.dt_variable.array[0] == 0.25e-3
    for wrong in (1 * mV, 3.0):
        with pytest.raises(DimensionMismatchError):
            clock.dt = wrong
    for wrong in (0 * ms, -1 * ms, [1, 2] * ms, float("nan") * ms):
        with pytest.raises(RallError):
            clock.dt = wrong
    assert clock.dt == 0.25 * ms
    assert defaultclock.dt == 0.1 * ms


def test_names_are_numbered_while_they_are_taken():
    first = SimulationObject("thing*")
    second = SimulationObject("thing*")
    assert (first.name, second.name) == ("thing", "thing_1")
    del first
    gc.collect()
    assert SimulationObject("thing*").name == "thing"
    assert SimulationObject().name.startswith("simulationobject")
    for wrong in ("a b", "3x", "", "é"):
        with pytest.raises(RallError, match="name"):
            SimulationObject(wrong or "*")


def test_objects_know_their_place_clock_and_order_of_creation():
    one, two = SimulationObject("one"), SimulationObject("two", dt=1 * ms, when="end", order=3)
    assert one.created_at.partition(":")[0].endswith("test_session.py")
    assert one.clock is defaultclock.model_clock and two.clock.dt == 1e-3
    listed = live_objects()
    assert listed.index(one) < listed.index(two)
    with pytest.raises(RallError, match="not both"):
        SimulationObject("three", dt=1 * ms, clock=defaultclock)


def test_activity_follows_to_contained_objects():
    outer, inner = SimulationObject("outer"), SimulationObject("inner")
    outer.contained_objects.append(inner)
    outer.active = False
    assert not inner.active


def test_streams_depend_on_seed_and_name_alone():
    seed(1)
    a = SimulationObject("a").stream
    assert a != SimulationObject("b").stream
    assert SimulationObject("a").stream != a  # a second one of that name: another trial
    kept = SimulationObject("a")
    seed(1)
    assert kept.stream == a == kept.stream
    assert 0 <= a < 2**32


def test_seed():
    seed(5)
    assert session_seed().array[0] == 5
    seed(2**64 - 1)
    assert session_seed().array[0] == -1
    seed()
    first = int(session_seed().array[0])
    seed()
    assert first != int(session_seed().array[0])
    with pytest.raises(TypeError):
        seed(1.5)


@pytest.mark.parametrize("number", [0, 7, -1, 2**64 - 1])
def test_seed_fixes_what_a_script_draws_itself(number):
    seed(number)
    first = randn(3)
    assert (randn(3) != first).all()
    seed(number)
    assert (randn(3) == first).all()
    seed()
    assert (randn(3) != first).all()


module_level = "seen"


def test_caller_namespace_sees_locals_globals_and_comprehensions():
    local = len(module_level) - 1
    found = caller_namespace()
    assert found["local"] == local == 3 and found["module_level"] == "seen"
    inside = [caller_namespace()["local"] + k for k in range(2)]
    assert inside == [3, 4]


def test_devices_by_name():
    prefs.codegen.target = "numpy"
    assert get_device().name == "numpy"
    prefs.codegen.target = "auto"
    set_device("numpy")
    assert get_device().name == "numpy"
    set_device("runtime")
    with pytest.raises(RallError, match="did you mean 'numpy'"):
        set_device("numpi")
    with pytest.raises(RallError, match="no setting 'directory'"):
        set_device("c", directory="x")


def test_without_a_compiler_numpy_takes_over_and_says_so_once(monkeypatch):
    monkeypatch.setattr("rall.devices.c.find_compiler", lambda wanted=None: None)
    monkeypatch.setattr(session, "said", set())
    prefs.codegen.target = "auto"
    options = options_from(prefs)
    with pytest.warns(RallWarning, match="apt install gcc.*pip install ziglang"):
        assert choose_device(options).name == "numpy"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose_device(options).name == "numpy"
    prefs.codegen.target = "c"
    with pytest.raises(CompileError, match="no C compiler"):
        choose_device(options)
    prefs.codegen.target = "auto"
    prefs.codegen.compiler = "no-such-compiler"
    with pytest.raises(CompileError):
        choose_device(options_from(prefs))


def test_cython_is_another_name_for_c(monkeypatch):
    made = []
    monkeypatch.setattr(targets, "_make", lambda name, options, settings: made.append(name))
    prefs.codegen.target = "cython"
    choose_device(options_from(prefs))
    assert made == ["c"]
