"""Kernels and their text in C and for NumPy."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from rall.codegen.kernel import Kernel, Load, Store, lower
from rall.codegen.numpy_printer import print_numpy
from rall.codegen.printer import ENTRY, print_c
from rall.codegen.values import plan
from rall.functions import numpy_namespace
from rall.ir.nodes import Name, Number, number
from rall.ir.parse import parse
from rall.model import SHARED, Access, Assign, Clock, Domain, Elementwise, Layout, Variable

CLOCK = Clock(1e-4)
DOMAIN = Domain("d", Layout(5))


def operation(*lines, mask=None, domain=DOMAIN, **bindings):
    parts = [line.partition(" = ") for line in lines]
    return Elementwise(
        name="o", clock=CLOCK, domain=domain, bindings=bindings, mask=parse(mask).node if mask else None,
        statements=[Assign(target, parse(text).node) for target, _, text in parts],
    )  # fmt: skip


def variable(name, domain=DOMAIN, kind="float", role="state"):
    return Variable(name, domain, kind=kind, role=role)


def kernel(text, loads, target="s0"):
    return Kernel(tuple(loads), (Store(target, parse(text).node),))


# --- kernels ---


def test_roles_are_given_in_the_order_of_use():
    v, tau, far = variable("v"), variable("tau", SHARED), variable("far", Domain("far", Layout(3)))
    index = variable("index", kind="integer")
    table = variable("table", Domain("table", Layout(4)), role="table")
    made, arguments = lower(operation(
        "v = v*tau + far + _timed(table, tau, 0)", v=v, tau=tau, far=Access(far, index), table=table, index=index,
        unused=variable("unused"),
    ))  # fmt: skip
    assert {load.role[0]: load for load in made.loads}.keys() == set("spkd")
    by_variable = {a.name: load for a, load in zip(arguments, made.loads)}
    assert by_variable["v"].role == "s0" and by_variable["tau"].shared
    assert by_variable["far"].through == by_variable["index"].role
    assert by_variable["index"].kind == "integer"
    assert by_variable["table"].table and by_variable["table"].shared
    assert "unused" not in by_variable and len(arguments) == 5
    assert made.shared == {by_variable["tau"].role, by_variable["table"].role}
    assert "through" in str(made) and "<-" in str(made)


def test_kernels_do_not_depend_on_names_sizes_and_values():
    def make(size, names, value):
        domain = Domain("d", Layout(size))
        a, b, c = (variable(n, domain) for n in names)
        shared = variable("tau", SHARED)
        shared.array[0] = value
        first, second, third = names
        return lower(operation(
            f"{first} = {second}/tau + {third}", f"{third} = {first}*2", domain=domain, tau=shared,
            **dict(zip(names, (a, b, c))),
        ))[0]  # fmt: skip

    one, other = make(5, ("a", "b", "c"), 1.0), make(5000, ("zz", "yy", "xx"), 2.0)
    assert one == other
    assert print_c(one) == print_c(other) and print_numpy(one) == print_numpy(other)


def test_statements_are_inlined_and_locals_vanish():
    made, _ = lower(operation("h = x + 1", "x = h*h", "y = x - h", x=variable("x"), y=variable("y")))
    assert [store.role for store in made.stores] == ["s0", "s1"]
    h = parse("s0 + 1.0").node
    assert made.stores[0].value is parse("a*a").node or made.stores[0].value.children == (h, h)


def test_a_variable_written_twice_is_stored_once():
    made, _ = lower(operation("x = x + 1", "x = 2*x", x=variable("x")))
    assert len(made.stores) == 1


def test_integers_in_text_are_floats_in_kernels():
    made, _ = lower(operation("x = 1/3", x=variable("x")))
    assert "1.0" in print_c(made) and "3.0" in print_c(made)


# --- what becomes a temporary ---


def test_shared_values_are_computed_before_the_loop():
    made = kernel("exp(p1) + s0*exp(p1)/p1", [Load("s0", "float"), Load("p1", "float")])
    order = plan(made)
    assert [part.op for part in order.uniform] == ["exp"]
    text = print_c(made)
    before, _, loop = text.partition("for (")
    assert "rall_exp" in before and "rall_exp" not in loop


def test_repeated_values_are_computed_once():
    made = kernel("exp(s0)/(1 + exp(s0))", [Load("s0", "float")])
    assert print_c(made).count("rall_exp") == 1
    assert print_numpy(made).count("np.exp") == 1
    assert len(plan(made).varying) == 1


# --- C ---


def test_the_file_is_plain_c_with_one_function():
    text = print_c(kernel("s0*2", [Load("s0", "float")]))
    assert text.count(ENTRY) == 1 and text.endswith("}\n")
    assert re.findall(r'#include (\S+)', text) == ['"rall_abi.h"']
    assert "#pragma omp simd" in text


def test_random_functions_bring_their_header():
    made, _ = lower(operation(
        "x = rand()", x=variable("x"), _seed=variable("_seed", SHARED, "integer"),
        _stream=variable("_stream", SHARED, "integer"), _step=variable("_step", SHARED, "integer"),
        _element=variable("_element", kind="integer"),
    ))  # fmt: skip
    assert "rall_random.h" in print_c(made)
    assert "rall_draw_rand(" in print_c(made) and "draws.rand(" in print_numpy(made)


@pytest.mark.parametrize(
    ("value", "c", "numpy"),
    [
        (math.inf, "RALL_INF", "float('inf')"), (-math.inf, "(-RALL_INF)", "float('-inf')"),
        (math.nan, "RALL_NAN", "float('nan')"), (-2.5, "(-2.5)", "-2.5"), (1e-300, "1e-300", "1e-300"),
        (True, "1", "True"), (0.1, "0.1", "0.1"),
    ],
)  # fmt: skip
def test_literals(value, c, numpy):
    made = Kernel((Load("s0", "float"),), (Store("s0", Number(value) if value is True else number(value)),))
    assert f"= {c};" in print_c(made)
    assert f"= {numpy}\n" in print_numpy(made)


def test_only_shared_stores_need_no_loop():
    made = Kernel((Load("p0", "float"),), (Store("p0", parse("p0 + 1.0").node),))
    assert "for (" not in print_c(made)


def test_what_is_only_added_to_is_not_loaded():
    made = Kernel(
        (Load("k0", "integer"), Load("s1", "float", "k0"), Load("s2", "float")), (Store("s1", Name("s2")),)
    )
    assert "const double s1" not in print_c(made)
    assert "as1[(long long)ak0[i]] += s2" in print_c(made)


# --- NumPy ---


def run(made, *arrays):
    scope = numpy_namespace()
    exec(print_numpy(made, "f"), scope)
    scope["f"](arrays)


def test_the_numpy_text_runs():
    x, p = np.arange(4.0), np.array([2.0])
    run(kernel("s0**p1 if s0 > 1 and not s0 > 2 else -s0", [Load("s0", "float"), Load("p1", "float")]), x, p)
    np.testing.assert_array_equal(x, [0, -1, 4, -3])


def test_all_values_are_taken_before_the_first_store():
    loads = (Load("s0", "float"), Load("s1", "float"))
    made = Kernel(loads, (Store("s0", Name("s1")), Store("s1", Name("s0"))))
    a, b = np.array([1.0]), np.array([2.0])
    run(made, a, b)
    assert (a[0], b[0]) == (2.0, 1.0)
