"""The user's functions in equations, statements and text, on both devices."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from rall import check_units, declare_types, implementation
from rall.devices import foreign
from rall.devices.compiler import find_compiler, find_cplusplus
from rall.errors import CompileError, EquationError, NotSupportedError, RallError, RallWarning
from rall.morphology import Cylinder, Soma
from rall.operations import network_operation
from rall.plugins.cable import SpatialNeuron
from rall.session import prefs
from rall.simulation import Network
from rall.units import cm as centimetre
from rall.units import mS, ms, mV, second, um, volt
from rall.user_functions import Function

LEAK = "Im = 0.1*mS/cm**2*(-65*mV - v) : amp/meter**2\n"


@pytest.fixture(autouse=True)
def every_note_again():
    foreign._told.clear()


@pytest.fixture
def cell():
    """A cell of six compartments whose layout differs from the user's order."""

    def make(lines, **namespace):
        morphology = Soma(diameter=20 * um)
        morphology.dend = Cylinder(diameter=2 * um, length=100 * um, n=5)
        namespace = {"mS": mS, "cm": centimetre, "mV": mV, "ms": ms, **namespace}
        return SpatialNeuron(morphology=morphology, model=LEAK + lines, namespace=namespace)

    return make


def quiet(network, *durations):
    """Run, and every warning is an error: nothing may fall back to Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for duration in durations:
            network.run(duration)


@implementation("cpp", "double doubled(double x) { return 2*x; }")
@check_units(x=volt, result=volt)
def doubled(x):
    return 2 * x


def slope(value, target, make, name="f", lines="dx/dt = f(v)/ms : volt"):
    """What one step of 0.1 ms adds to x, where the function's value is expected to be `value` everywhere."""
    made = make(lines, **{name: target})
    made.v = -65 * mV
    quiet(Network(made), 0.1 * ms)
    np.testing.assert_allclose(np.asarray(made.x_), 0.1 * np.asarray(value), rtol=1e-9)
    return made


# --- C and C++ text ---


def test_c_text_in_equations(target, cell):
    slope(-0.13, doubled, cell)


def test_text_and_python_agree_in_a_run_and_in_text(target, cell):
    made = cell("y = f(v) + f(v) : volt", f=doubled)
    made.v = "-60*mV + f(1*mV)"
    np.testing.assert_allclose(made.y_, 4 * -58e-3, rtol=1e-12)
    assert list(made.indices_of("f(v) > -115*mV")) == [] and len(made.indices_of("f(v) > -117*mV")) == 6


def test_equal_text_is_one_kernel_and_other_text_another(target, cell):
    def make(factor):
        @implementation("c", f"double f(double x) {{ return {factor}*x; }}")
        @check_units(x=volt, result=volt)
        def f(x):
            return factor * x

        return f

    for factor in (2.0, 3.0, 2.0):
        slope(-65e-3 * factor, make(factor), cell)


def test_two_functions_of_one_name_in_one_kernel(target, cell):
    @implementation("c", "double doubled(double x) { return 10*x; }")
    @check_units(x=volt, result=volt)
    def tenfold(x):
        return 10 * x

    tenfold.name = "doubled"
    made = cell("dx/dt = (f(v) + g(v))/ms : volt", f=doubled, g=tenfold)
    made.v = -65 * mV
    quiet(Network(made), 0.1 * ms)
    np.testing.assert_allclose(made.x_, 0.1 * 12 * -65e-3, rtol=1e-9)


def test_words_of_cplusplus_and_of_the_c_library_mean_what_they_do_in_cplusplus(target, cell):
    @implementation("cpp", "inline double f(double x) { bool low = x < 0; return low ? abs(x) + fabs(x)*M_PI : 1; }")
    @check_units(x=volt, result=volt)
    def f(x):
        return np.abs(x) * (1 + math.pi)

    slope(65e-3 * (1 + math.pi), f, cell)


@pytest.mark.parametrize(
    "code",
    [
        "double f(double x) { return std::max(2*x, -1.0); }",
        "double f(double x) { auto y = 2*x; return y; }",
        "#include <vector>\ntemplate<class T> T twice(T x) { return 2*x; }\ndouble f(double x) { return twice(x); }",
        "static void twice(double &y) { y *= 2; }\ndouble f(double x) { twice(x); return x; }",
        "double f(double x, int n = 2) { return n*x; }",  # nothing but the compiler's judgement says so
    ],
)
def test_text_that_only_cplusplus_understands(target, cell, code):
    if target == "c" and find_cplusplus(find_compiler()) is None:
        pytest.skip("no C++ compiler on this machine")

    @implementation("cpp", code)
    @check_units(x=volt, result=volt)
    def f(x):
        return 2 * x

    slope(-0.13, f, cell)


def test_values_and_functions_that_the_text_uses(target, cell):
    table = np.array([[1.0, 2.0], [3.0, 4.0]])

    @implementation("cpp", "double inner(double x) { return k*x; }", namespace={"k": 2.0})
    @check_units(x=1, result=1)
    def inner(x):
        return 2 * x

    code = "double f(double x) { double k = _namespacetable[3]; return x*k + other(1)*shift + n*exp(0.0); }"

    @implementation("cpp", code, namespace={"table": table, "shift": 3 * mV, "n": -7}, dependencies={"other": inner})
    @check_units(x=volt, result=volt)
    def f(x):
        return 4 * x + 2 * 3 * mV - 7 * volt

    slope(-0.26 + 0.006 - 7, f, cell)


def test_changed_values_are_seen_in_the_next_run(target, cell):
    values = np.array([1.0])

    @implementation("cpp", "double f(double x) { return x*_namespacevalues[0]; }", namespace={"values": values})
    @check_units(x=volt, result=volt)
    def f(x):
        return x * values[0]

    slope(-65e-3, f, cell)
    values[0] = 5.0
    slope(-5 * 65e-3, f, cell)


def test_flags_and_headers_reach_the_compiler(cell):
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    prefs.codegen.target = "c"
    code = "double f(double x) { return x*FACTOR*(DBL_MAX > 1); }"

    @implementation("cpp", code, define_macros=[("FACTOR", 3)], headers=["<float.h>"])
    @check_units(x=volt, result=volt)
    def f(x):
        return 3 * x

    slope(-0.195, f, cell)


def test_functions_that_only_stand_for_c_text(cell):
    @implementation("cpp", "double f(double x) { return x; }")
    @check_units(x=volt, result=volt)
    def f(x):
        raise NotImplementedError

    with pytest.raises(NotSupportedError, match=r"'f' is called in Python here.*not implemented"):
        cell("", f=f).v = "f(1*mV)"


@pytest.mark.parametrize("body", ["return helper(x);", "return x +;"])
def test_text_that_no_compiler_takes(cell, body):
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    prefs.codegen.target = "c"

    @implementation("cpp", f"double f(double x) {{\n {body} }}")
    @check_units(x=volt, result=volt)
    def f(x):
        return x

    with pytest.raises(CompileError, match=r"code of f:2"):
        Network(cell("dx/dt = f(v)/ms : volt", f=f)).run(0.1 * ms)


def test_namespaces_hold_numbers(cell):
    @implementation("cpp", "double f(double x) { return x; }", namespace={"word": "text"})
    @check_units(x=volt, result=volt)
    def f(x):
        return x

    with pytest.raises(EquationError, match="namespace of the function 'f' has 'word'"):
        Network(cell("dx/dt = f(v)/ms : volt", f=f)).run(0.1 * ms)


def test_code_that_depends_on_the_group(target, cell):
    f = Function(lambda x: x * 6, arg_units=[volt], return_unit=volt)
    f.name = "sized"
    f.implementations.add_dynamic_implementation(
        "cpp", lambda owner: "double sized(double x) { return size*x; }", namespace=lambda owner: {"size": owner.N}
    )
    slope(-65e-3 * 6, f, cell)


# --- functions without C text ---


@check_units(x=volt, t=second, result=1)
def in_python(x, t):
    return np.where(t < 0.25 * ms, x / volt, 0.0)


def test_python_functions_run_between_compiled_stretches_with_one_note(target, cell):
    made = cell("dx/dt = f(v, t)/ms : 1", f=in_python)
    made.v = -65 * mV
    network = Network(made)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        network.run(0.5 * ms)
        network.run(0.5 * ms)
    # The gate is advanced from the middle of a step to the middle of the next one.
    assert 0.2 < np.asarray(made.x_)[0] / -65e-3 < 0.31 and np.ptp(np.asarray(made.x_)) < 1e-12
    notes = [str(one.message) for one in said]
    assert len(notes) == (target == "c")
    if notes:
        assert issubclass(said[0].category, RallWarning)
        assert "'in_python'" in notes[0] and made.name in notes[0] and "@implementation('cpp'" in notes[0]


def test_devices_agree_where_some_operations_are_python(cell):
    traces = []
    for name in ("numpy", "auto"):
        prefs.codegen.target = name
        made = cell("dx/dt = (f(v, t) - x)/ms : 1\ndy/dt = (1 - y)/ms : 1", f=in_python)
        made.v = "-65*mV + i*mV"
        times = []
        note = network_operation(lambda times=times, made=made: times.append(np.asarray(made.x_).copy()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RallWarning)
            Network(made, note).run(2 * ms)
        traces.append((np.array(times), np.asarray(made.y_).copy(), np.asarray(made.v_).copy()))
    for one, other in zip(*traces):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-15)
    assert np.ptp(traces[0][0]) > 0.01


def test_cython_text_is_no_c_text(cell):
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    prefs.codegen.target = "c"

    @implementation("cython", "cdef double f(double x):\n    return 2*x")
    @check_units(x=volt, result=volt)
    def f(x):
        return 2 * x

    made = cell("dx/dt = f(v)/ms : volt", f=f)
    made.v = -65 * mV
    with pytest.warns(RallWarning, match="'f' has no C code"):
        Network(made).run(0.1 * ms)
    np.testing.assert_allclose(made.x_, -0.013, rtol=1e-9)


def test_without_a_cplusplus_compiler_its_text_runs_in_python(cell, monkeypatch):
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    prefs.codegen.target = "c"
    monkeypatch.setattr(foreign, "find_cplusplus", lambda toolchain: None)

    @implementation("cpp", "double f(double x) { return std::max(2*x, -1.0); }")
    @check_units(x=volt, result=volt)
    def f(x):
        return 2 * x

    made = cell("dx/dt = f(v)/ms : volt", f=f)
    made.v = -65 * mV
    with pytest.warns(RallWarning, match=r"'f' has C\+\+ code, and there is no C\+\+ compiler"):
        Network(made).run(0.1 * ms)
    np.testing.assert_allclose(made.x_, -0.013, rtol=1e-9)


def test_an_error_in_a_function_is_the_users_own(cell, target):
    @check_units(x=volt, result=volt)
    def f(x):
        raise ZeroDivisionError("mine")

    made = cell("dx/dt = f(v)/ms : volt", f=f)
    with pytest.raises(ZeroDivisionError, match="mine"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RallWarning)
        Network(made).run(1 * ms)


# --- arguments and results ---


@pytest.mark.filterwarnings("ignore::rall.errors.RallWarning")
def test_functions_get_types_and_elements_as_the_user_wrote_them(target, cell):
    seen = []
    table = np.arange(12.0) ** 2

    @declare_types(k="integer", flag="boolean", result="float")
    @check_units(k=1, flag=bool, x=volt, result=1)
    def f(k, flag, x):
        seen.append((k.dtype, flag.dtype, np.shape(x)))
        return np.where(flag, table[k + 1], x / volt)

    made = cell("dx/dt = f(double, i > 2, v)/ms : 1\ndouble = 2*i : integer", f=f)
    made.v = -65 * mV
    Network(made).run(0.1 * ms)
    expected = np.where(np.arange(6) > 2, table[2 * np.arange(6) + 1], -65e-3)
    np.testing.assert_allclose(made.x_, 0.1 * expected, rtol=1e-9)
    assert set(seen) == {(np.dtype(np.int64), np.dtype(bool), (6,))}


def test_numbers_of_values_are_checked(target, cell):
    @check_units(x=volt, result=volt)
    def f(x):
        return np.array([1.0, 2.0]) * volt

    made = cell("", f=f)
    with pytest.raises(RallError, match=r"'f' gave values of the shape \(2,\) for 6 elements"):
        made.v = "f(v)"


def test_wrong_use_shows_the_users_line(cell):
    with pytest.raises(EquationError, match=r"'x' of doubled\(\) must be volt.*\n.*f\(t\)"):
        Network(cell("dx/dt = f(t)/ms : volt", f=doubled)).run(1 * ms)
    with pytest.raises(EquationError, match=r"decorate it with @check_units"):
        Network(cell("dx/dt = f(v)/ms : volt", f=lambda x: x)).run(1 * ms)


# --- state ---


def counted(**more):
    calls = []

    def next_ones(*given):
        calls.append(given)
        return float(len(calls))

    return Function(next_ones, arg_units=more.pop("arg_units", []), return_unit=1, stateless=False, **more), calls


@pytest.mark.filterwarnings("ignore::rall.errors.RallWarning")
def test_each_call_of_a_stateful_function_is_its_own(target, cell):
    f, calls = counted(arg_units=[1])
    made = cell("dx/dt = (f(1) - f(1))/ms : 1\ndy/dt = f(1)/ms : 1", f=f)
    Network(made).run(0.1 * ms)
    # In the first step gates make their first half step, then that to the middle.
    assert len(calls) == 3 and made.variables["x"].get()[0] == pytest.approx(-0.05)
    made = cell("", f=f)
    made.v = "(f(1) - f(1))*volt"
    assert len(calls) == 5 and (np.asarray(made.v_) == -1).all()
    pure = Function(f.pyfunc, arg_units=[1], return_unit=1)
    made = cell("", f=pure)
    made.v = "(f(1) - f(1))*volt"
    assert len(calls) == 6 and not np.asarray(made.v_).any()


@pytest.mark.filterwarnings("ignore::rall.errors.RallWarning")
def test_functions_without_arguments_give_a_value_for_each_element(target, cell):
    sizes = []

    def draw(which):
        sizes.append(len(which))
        return np.arange(len(which)) + 1.0

    f = Function(draw, arg_units=[], return_unit=1, stateless=False, auto_vectorise=True)
    made = cell("dx/dt = f()/ms : 1", f=f)
    Network(made).run(0.1 * ms)
    np.testing.assert_allclose(made.x_, 0.1 * np.arange(1, 7), rtol=1e-9)
    made.x = "f()"
    np.testing.assert_array_equal(made.x_, np.arange(1, 7))
    assert set(sizes) == {6}


def test_stateful_c_text_gives_each_element_its_own_value(cell):
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    prefs.codegen.target = "c"
    f = Function(lambda: 0.0, arg_units=[], return_unit=1, stateless=False)
    f.name = "next_one"
    f.implementations.add_implementation("cpp", "double next_one(void) { static int n = 0; return n++; }")
    made = cell("dx/dt = f()/ms : 1", f=f)
    quiet(Network(made), 0.1 * ms)
    assert len(set(np.round(np.asarray(made.x_) * 10, 6))) == 6


# --- methods ---


def test_methods_do_not_look_into_functions(target, cell):
    """A rate is a coefficient; a function of the variable itself is nothing that an exponential method can take."""

    @implementation("cpp", "double f(double x) { return 1000*x; }")
    @check_units(x=1, result=second**-1)
    def f(x):
        return 1000 * x / second

    made = cell("dx/dt = f(2.0)*(1 - x) : 1", f=f)
    Network(made).run(1 * ms)
    assert np.asarray(made.x_)[0] == pytest.approx(1 - math.exp(-2), rel=1e-6)
    made = cell("dx/dt = -f(x) : 1", f=f)
    made.x = 1
    Network(made).run(1 * ms)  # rk2, for nothing is known of f
    assert np.asarray(made.x_)[0] == pytest.approx(math.exp(-1), rel=5e-3)


def test_compilers_of_cplusplus(tmp_path, monkeypatch):
    for name in ("gcc-12", "g++-12", "clang", "cc"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_cplusplus(find_compiler("gcc-12"))
    assert found.command == (str(tmp_path / "g++-12"), "-x", "c++")
    assert find_cplusplus(find_compiler("clang")) is None and find_cplusplus(find_compiler("cc")) is None
