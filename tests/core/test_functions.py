"""The table of functions: dimensions, derivatives against differences, expansion, and the user's own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rall.errors import EquationError, NotSupportedError
from rall.functions import (
    BUILTIN,
    CONSTANTS,
    DERIVATIVES,
    ArgumentMismatch,
    Typed,
    expand,
    is_stateful,
    numpy_namespace,
    spelling,
)  # fmt: skip
from rall.ir import nodes as n
from rall.ir.parse import parse
from rall.ir.visit import functions, walk
from rall.units import DIMENSIONLESS, Quantity, amp, check_units, ms, mV, nA, ohm, second, volt
from rall.user_functions import Function, as_function, declare_types, implementation

SPACE = numpy_namespace()


def evaluate(node, **env):
    """Value of a tree on arrays, through the spellings for NumPy."""
    done = {}
    with np.errstate(all="ignore"):
        for part in walk(node):
            below = [done[child] for child in part.children]
            if isinstance(part, n.Number):
                done[part] = part.value
            elif isinstance(part, n.Name):
                done[part] = env[part.id]
            elif isinstance(part, n.Call):
                done[part] = eval(spelling(part.op, "numpy"), SPACE)(*below)
            elif isinstance(part, n.Select):
                done[part] = np.where(*below)
            elif isinstance(part, n.Logic):
                done[part] = np.logical_or(*below) if part.op == "or" else np.logical_and(*below)
            elif isinstance(part, n.Binary) and part.op == "**":
                done[part] = below[0] ** below[1]
            else:
                done[part] = eval(f"a {part.op} b", {"a": below[0], "b": below[1]})
    return done[node]


POINTS = {
    "log": [0.1, 1.0, 30.0], "log1p": [-0.9, 0.0, 30.0], "log10": [0.1, 1.0, 30.0], "sqrt": [0.1, 1.0, 30.0],
    "arcsin": [-0.9, 0.0, 0.5], "arccos": [-0.9, 0.0, 0.5], "abs": [-2.0, 3.0],
    "exprel": [-30.0, -2.0, -0.10001, -0.099, -1e-3, 1e-9, 0.05, 0.0999, 0.1001, 5.0, 300.0],
    "xoexpm1": [-30.0, -2.0, -0.10001, -0.099, -1e-3, 1e-9, 0.05, 0.0999, 0.1001, 5.0, 300.0],
}  # fmt: skip
PAIRS = {"clip": [(0.5, 0.0, 1.0), (-1.0, 0.0, 1.0), (2.0, 0.0, 1.0)], "min": [(1.0, 2.0), (3.0, 2.0)]}
PAIRS["max"] = PAIRS["min"]


@pytest.mark.parametrize("name", sorted(DERIVATIVES))
def test_derivatives_agree_with_differences(name):
    places = PAIRS.get(name) or [(x,) for x in POINTS.get(name, [-1.3, -0.2, 0.0, 0.7, 1.2])]
    for place in places:
        arguments = [n.Name(f"x{k}") for k in range(len(place))]
        for k, partial in enumerate(DERIVATIVES[name](*arguments)):
            env = {f"x{j}": value for j, value in enumerate(place)}
            slope = evaluate(partial, **env)
            h = 1e-5 * max(1.0, abs(place[k]))
            f = eval(spelling(name, "numpy"), SPACE)

            def at(step, place=place, k=k, f=f):
                moved = list(place)
                moved[k] += step
                return float(f(*moved))

            difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
            assert slope == pytest.approx(difference, rel=2e-8, abs=2e-8 * max(1.0, abs(at(0.0))))


@pytest.mark.parametrize("name", ["exprel", "xoexpm1"])
def test_slopes_have_no_seam_at_the_change_of_formula(name):
    (slope,) = DERIVATIVES[name](n.Name("x"))
    for x in (0.1, -0.1):
        inner, outer = evaluate(slope, x=x * (1 - 1e-13)), evaluate(slope, x=x * (1 + 1e-13))
        assert inner == pytest.approx(outer, rel=2e-13)


def test_removable_singularities_are_filled():
    f, b, shared = SPACE["rall_exprel"], SPACE["rall_xoexpm1"], SPACE["rall_xoexpm1_shared"]
    assert f(0.0) == b(0.0) == shared(0.0, 1.0) == 1.0
    x = np.array([-700.0, -3.0, -1e-12, 1e-12, 2.0, 600.0])
    np.testing.assert_allclose(b(x), 1 / f(x), rtol=1e-14)
    np.testing.assert_allclose(shared(x, np.exp(x)), b(x), rtol=1e-13)
    assert b(np.inf) == 0.0
    assert f(np.inf) == np.inf
    assert b(-np.inf) == np.inf
    assert f(-np.inf) == 0.0


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_function_has_a_spelling_a_rule_and_true_claims(name):
    entry = BUILTIN[name]
    assert spelling(name, "c").startswith("rall_")
    result = None
    if entry.rule.__qualname__.endswith("rule"):
        assert entry.expansion is not None
    else:
        result = entry.result([Typed(DIMENSIONLESS)] * entry.arity)
        assert result.dimension is DIMENSIONLESS
    with pytest.raises(ArgumentMismatch, match="argument"):
        entry.result([Typed(DIMENSIONLESS)] * (entry.arity + 1))
    if entry.nonnegative and entry.python is not None and entry.arity == 1:
        x = np.linspace(0, 1, 11) if name in ("arccos", "sqrt") else np.linspace(-5, 5, 101)
        assert np.all(entry.python(x) >= 0)


def test_stateful_functions():
    assert [name for name in BUILTIN if is_stateful(name)] == ["rand", "randn", "poisson", "_among", "_normal"]
    assert not is_stateful("somebody's")


def test_operators_have_spellings_and_strangers_keep_their_name():
    assert spelling("**", "c") == "rall_pow"
    assert eval(spelling("//", "numpy"), SPACE)(-7.0, 2.0) == -4.0
    assert eval(spelling("%", "numpy"), SPACE)(-7.0, 2.0) == 1.0
    assert eval(spelling("**", "numpy"), SPACE)(2, -1) == 0.5
    assert spelling("my_function", "c") == "my_function"


def test_nernst_of_potassium():
    node = expand(parse("nernst(z, ci, co, T)").node)
    potential = evaluate(node, z=1, ci=140.0, co=5.0, T=310.15)
    assert potential == pytest.approx(
        8.31446261815324 * 310.15 / 96485.33212331 * math.log(5 / 140), rel=1e-14
    )
    assert BUILTIN["nernst"].python(1, 140.0, 5.0, 310.15) == pytest.approx(potential, rel=1e-15)


def test_ghk_is_smooth_through_zero_and_zero_at_nernst():
    node = expand(parse("ghk(v, 2, ci, co, T)").node)
    assert functions(node) == {"xoexpm1"}
    env = {"ci": 1e-4, "co": 2.0, "T": 307.15}
    v = np.array([-1e-3, -1e-9, 0.0, 1e-9, 1e-3])
    current = evaluate(node, v=v, **env)
    far = (v != 0) & (np.abs(v) > 1e-6)
    u = 2 * 96485.33212331 * v[far] / (8.31446261815324 * 307.15)
    textbook = -2 * 96485.33212331 * u * (1e-4 - 2.0 * np.exp(-u)) / (1 - np.exp(-u))
    np.testing.assert_allclose(current[far], textbook, rtol=1e-12)
    assert current[2] == pytest.approx(2 * 96485.33212331 * (2.0 - 1e-4), rel=1e-14)
    np.testing.assert_allclose(current[1:4], current[2], rtol=1e-6)
    reversal = evaluate(expand(parse("nernst(2, ci, co, T)").node), **env)
    assert abs(evaluate(node, v=reversal, **env)) < 1e-9 * current[2]
    assert BUILTIN["ghk"].python(-0.03, 2, 1e-4, 2.0, 307.15) == pytest.approx(
        evaluate(node, v=-0.03, **env), rel=1e-14
    )


def test_timestep_does_not_fall_below_a_whole_step():
    node = expand(parse("timestep(t, dt)").node)
    for k in (0, 1, 3, 7, 1000, 123457):
        assert evaluate(node, t=k * 1e-4, dt=1e-4) == k
    assert evaluate(node, t=3.5e-4, dt=1e-4) == 3
    assert evaluate(node, t=-1.5e-4, dt=1e-4) == -1


def test_expand_leaves_the_rest_alone():
    node = parse("exp(a) + b").node
    assert expand(node) is node


def test_constants():
    assert CONSTANTS["e"].value == math.e
    assert CONSTANTS["zero_celsius"].value == 273.15


@check_units(x=volt, R=ohm, result=amp)
def ohm_law(x, R):
    return x / R


def test_a_user_function_has_units():
    f = as_function(ohm_law)
    assert f.result([Typed(volt.dim), Typed(ohm.dim)]) == Typed(amp.dim, "float")
    with pytest.raises(ArgumentMismatch, match=r"'R' of ohm_law\(\) must be ohm, not volt") as raised:
        f.result([Typed(volt.dim), Typed(volt.dim)])
    assert raised.value.index == 1
    with pytest.raises(ArgumentMismatch, match="takes 2 arguments, not 1"):
        f.result([Typed(volt.dim)])


def test_numpy_implementation_takes_and_gives_plain_arrays():
    plain = Function(ohm_law).implementations["numpy"].code
    np.testing.assert_array_equal(plain(np.array([1.0, 2.0]), 4.0), [0.25, 0.5])


def test_implementations_by_decorator():
    @implementation("cpp", "double twice(double x) { return 2*x; }")
    @implementation("numpy", discard_units=True)
    @check_units(x=volt, result=volt)
    def twice(x):
        return 2 * x

    assert isinstance(twice, Function)
    assert twice(3 * mV) == 6 * mV
    assert twice.implementations["numpy"].code(0.5) == 1.0
    assert twice.implementations["c++"].code == twice.implementations["c"].code
    assert set(twice.implementations) == {"numpy", "c"}
    with pytest.raises(NotSupportedError, match=r"twice.*'opencl'.*@implementation"):
        twice.implementations["opencl"]


def test_dynamic_implementation_sees_the_owner():
    f = Function(ohm_law)
    f.implementations.add_dynamic_implementation("c", lambda owner: f"/* {owner} */")
    assert f.implementations.for_owner("cpp", "group").code == "/* group */"


def test_units_of_results_can_depend_on_arguments():
    square = Function(lambda x: x * x, arg_units=[None], arg_names=["x"], return_unit=lambda u: u * u)
    assert square.result([Typed(volt.dim)]).dimension is volt.dim**2
    same = Function(lambda x, y: x + y, arg_units=[None, "x"], arg_names=["x", "y"], return_unit="x")
    assert same.result([Typed(volt.dim), Typed(volt.dim)]).dimension is volt.dim
    with pytest.raises(ArgumentMismatch, match="'y'"):
        same.result([Typed(volt.dim), Typed(second.dim)])


def test_types_are_declared_and_checked():
    @declare_types(k="integer", result="integer")
    @check_units(k=1, result=1)
    def next_one(k):
        return k + 1

    f = as_function(next_one)
    assert f.result([Typed(DIMENSIONLESS, "integer")]).kind == "integer"
    with pytest.raises(ArgumentMismatch, match="type integer"):
        f.result([Typed(DIMENSIONLESS, "float")])
    with pytest.raises(ArgumentMismatch, match="no argument 'j'"):
        declare_types(j="integer")(next_one)
    with pytest.raises(ArgumentMismatch, match="'complex'"):
        declare_types(k="complex")


def test_a_function_without_units_is_refused():
    with pytest.raises(ArgumentMismatch, match="check_units"):
        Function(lambda x: x)
    assert as_function(len) is None
    assert as_function(Quantity(1.0)) is None


def test_boolean_results():
    @check_units(x=volt, result=bool)
    def high(x):
        return x > 0 * mV

    assert as_function(high).result([Typed(volt.dim)]).kind == "boolean"
    assert (5 * nA / amp) * (1 * second / ms) == pytest.approx(5e-6)


def test_argument_mismatch_is_no_equation_error():
    assert not issubclass(ArgumentMismatch, EquationError)
