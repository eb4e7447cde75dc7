"""The rewrites of kernels: the same values, to the precision that each promises, from better formulas."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping

import numpy as np
import pytest

from rall.codegen.kernel import Kernel, lower
from rall.codegen.passes import optimise
from rall.codegen.printer import ENTRY, print_c
from rall.devices.base import CompiledKernel
from rall.devices.compiled import compile_kernel
from rall.devices.compiler import find_compiler, load
from rall.ir.affine import affine
from rall.ir.nodes import Binary, Call, Node
from rall.ir.parse import parse
from rall.ir.visit import count, functions, names, walk
from rall.model import SHARED, Assign, Clock, Domain, Elementwise, Layout, Variable
from rall.options import Options

NEEDS_COMPILER = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
PLAIN, SHARING = Options(share_exponentials=False), Options()
V = np.concatenate([np.linspace(-0.12, 0.06, 37), [-0.04, -0.04 + 1e-9, -0.04 - 1e-12, 0.0]])
SHARED_VALUES = {"k": 0.7, "vt": -0.04, "tau": 5.0, "q": 2.0}


class Made:
    """Statements lowered and optimised, with the variables they run on."""

    def __init__(self, text: Mapping[str, str] | str, options: Options = SHARING, v: np.ndarray = V) -> None:
        statements = {"out": text} if isinstance(text, str) else text
        domain = Domain("elements", Layout(len(v)))
        self.variables = {name: Variable(name, SHARED) for name in SHARED_VALUES}
        for name, value in SHARED_VALUES.items():
            self.variables[name].set(value)
        for name in ("v", "w", *statements):
            self.variables[name] = Variable(name, domain)
        self.variables["v"].set(v)
        self.variables["w"].set(np.linspace(1, 2, len(v)))
        operation = Elementwise(
            name="test", clock=Clock(1e-4), domain=domain, bindings=self.variables,
            statements=[Assign(target, parse(value).node) for target, value in statements.items()],
        )  # fmt: skip
        self.lowered, self.arguments = lower(operation)
        self.kernel = optimise(self.lowered, options)
        self.layout = domain.layout

    @property
    def values(self) -> list[Node]:
        return [store.value for store in self.kernel.stores]

    def calls(self, name: str) -> int:
        return sum(isinstance(part, Call) and part.op == name for part in walk(self.values))

    def run(self, kernel: Kernel | None = None) -> np.ndarray:
        with np.errstate(all="ignore"):
            compile_kernel(CompiledKernel(kernel or self.kernel, self.arguments), self.layout)()
        return self.variables["out"].get()

    def run_c(self) -> np.ndarray:
        toolchain = find_compiler()
        assert toolchain is not None
        arrays = [v.array for v in self.arguments]
        table = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
        getattr(load(print_c(self.kernel), toolchain, SHARING), ENTRY)(table, ctypes.c_longlong(self.layout.stored))
        return self.variables["out"].get()


# --- removable singularities --------------------------------------------------------------------------------


def xoexpm1(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.where(x == 0, 1.0, x / np.expm1(x))


def exprel(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.where(x == 0, 1.0, np.expm1(x) / x)


U = (V + 0.04) / 0.01
SINGULAR = [
    # As papers write them, all singular at v = -40 mV; with what they are.
    ("(v + 0.04)/(exp((v + 0.04)/0.01) - 1)", 0.01 * xoexpm1(U)),
    ("100*(v + 0.04)/(1 - exp(-(v + 0.04)/0.01))", xoexpm1(-U)),
    ("100*(-0.04 - v)/(exp((-0.04 - v)/0.01) - 1)", xoexpm1(-U)),
    ("(100*v + 4)/(1 - exp(-(100*v + 4)))", xoexpm1(-U)),
    ("0.32*w*(v + 0.04)/(exp((v + 0.04)/0.01) - 1)/w", 0.0032 * xoexpm1(U)),
    ("(v - vt)/(exp((v - vt)/0.01) - 1)", 0.01 * xoexpm1(U)),
    ("(v - vt)/k/(exp((v - vt)/0.01) - 1)*q", 0.01 * 2.0 / 0.7 * xoexpm1(U)),
    ("(v + 0.04)/expm1((v + 0.04)/0.01)", 0.01 * xoexpm1(U)),
    ("(v + 0.04)/(-1 + exp((v + 0.04)/0.01))", 0.01 * xoexpm1(U)),
    ("(v + 0.04)/(-exp(-(v + 0.04)/0.01) + 1)", 0.01 * xoexpm1(-U)),
    ("1/exprel((v + 0.04)/0.01)", xoexpm1(U)),
    ("q/exprel(-(v + 0.04)/0.01)/k", 2.0 / 0.7 * xoexpm1(-U)),
    ("(exp((v + 0.04)/0.01) - 1)/(v + 0.04)", exprel(U) / 0.01),
    ("(1 - exp(-(v + 0.04)/0.01))/(v + 0.04)*k", 0.7 * exprel(-U) / 0.01),
]


@pytest.mark.parametrize(("text", "expected"), SINGULAR, ids=[text for text, _ in SINGULAR])
def test_removable_singularities(text: str, expected: np.ndarray) -> None:
    made = Made(text, PLAIN)
    assert functions(made.values[0]) in ({"xoexpm1"}, {"exprel"})
    assert made.run() == pytest.approx(expected, rel=3e-14)


@NEEDS_COMPILER
def test_removable_singularities_in_c() -> None:
    for text, expected in SINGULAR[:3] + SINGULAR[-2:]:
        assert Made(text, PLAIN).run_c() == pytest.approx(expected, rel=3e-14)


@pytest.mark.parametrize("scale", [1e-3, 0.02, 5.0])
def test_singularity_whose_scale_is_a_parameter(scale: float) -> None:
    made = Made("(v - vt)/(exp((v - vt)/k) - 1)", PLAIN)
    made.variables["k"].set(scale)
    assert made.run() == pytest.approx(scale * xoexpm1((V + 0.04) / scale), rel=3e-14)


@pytest.mark.parametrize(
    "text",
    [
        "(v + 0.04)/(exp((v + 0.05)/0.01) - 1)",  # a true pole
        "(v + 0.04)/(exp(w) - 1)",
        "w/(exp((v + 0.05)/0.01) - 1)",
        "(v + 0.04)/(exp((v + 0.04)/0.01) + 1)",
        "(v + 0.04)/(exp((v + 0.04)/0.01) - 2)",
        "(v + 0.04)**2/(exp(v) - 1.5)",
    ],
)
def test_what_is_no_removable_singularity_keeps_its_value(text: str) -> None:
    made = Made(text)
    assert "xoexpm1" not in functions(made.values[0]) | {
        f for f in ("exprel",) if f in functions(made.values[0])
    }
    before = made.run(made.lowered)
    after = made.run()
    finite = np.isfinite(before)
    assert after[finite] == pytest.approx(before[finite], rel=1e-11)


# --- shared exponentials ------------------------------------------------------------------------------------

HODGKIN_HUXLEY = {
    "m": "100*(v + 0.04)/(1 - exp(-(v + 0.04)/0.01)) + 4*exp(-(v + 0.065)/0.018)",
    "h": "0.07*exp(-(v + 0.065)/0.02) + 1/(1 + exp(-(v + 0.035)/0.01))",
    "out": "10*(v + 0.055)/(1 - exp(-(v + 0.055)/0.01)) + 0.125*exp(-(v + 0.065)/0.08)",
}


def test_exponentials_of_hodgkin_and_huxley() -> None:
    """Six exponentials: five have rates in the ratios 1:4:8:8:8 of the slowest, 1/0.018 stays alone."""
    plain, shared = Made(HODGKIN_HUXLEY, PLAIN), Made(HODGKIN_HUXLEY, SHARING)
    assert plain.calls("exp") + plain.calls("xoexpm1") == 6
    assert shared.calls("exp") == 2 and shared.calls("xoexpm1") == 0
    assert shared.calls("xoexpm1_shared") == 2
    results = []
    for made in (plain, shared):
        made.run()
        results.append([made.variables[name].get() for name in HODGKIN_HUXLEY])
    assert results[1] == [pytest.approx(expected, rel=2e-13) for expected in results[0]]


@pytest.mark.parametrize(
    ("text", "exponentials"),
    [
        ("exp(v/0.02) + exp(v/0.01)", 1),
        ("exp((v - 0.1)/0.02)*w + exp((v + 0.3)/0.01)", 1),
        ("exp(2*(v - vt)) + exp(3*(v - vt)) + exp(6*(v - vt))", 2),  # 6 from 2 (or 3), which are no multiples
        ("exp(v) + exp(-v)", 2),  # the inverse of what may be zero is not taken
        ("exp(v) + exp(9*v)", 2),  # the ratio is limited
        ("exp(v) + exp(1.5*v)", 2),
        ("exp(v) + exp(2*w)", 2),
        ("exp(v*w) + exp(2*(v*w))", 1),
        ("exp(exp(v)) + exp(2*exp(v))", 3),
        ("exp(v) + w*exp(v)", 1),
    ],
)
def test_sharing(text: str, exponentials: int) -> None:
    made = Made(text)
    varying = [
        p for p in walk(made.values) if isinstance(p, Call) and p.op == "exp" and not _uniform(made, p)
    ]
    assert len(varying) == exponentials
    assert made.run() == pytest.approx(made.run(made.lowered), rel=1e-13)


def _uniform(made: Made, node: Node) -> bool:
    return names(node) <= made.kernel.shared


def test_sharing_keeps_offsets_that_would_underflow() -> None:
    """The smaller rate has an offset at which its exponential is zero or infinite: no base."""
    assert Made("exp(v - 800) + exp(2*v)").run() == pytest.approx(np.exp(2 * V), rel=1e-13)
    assert Made("1/exp(v + 800) + exp(2*v)").run() == pytest.approx(np.exp(2 * V), rel=1e-13)


@pytest.mark.parametrize("shift", ["0.04", "vt"])
def test_opposite_rates_share_an_exponential(shift: str) -> None:
    """Where one goes to nothing and the other grows too, at the singular point and where exponentials overflow."""
    u = f"(v + {shift})/0.006"
    text = {"m": f"-{u}/(exp(-{u}) - 1)", "out": f"{u}/(exp({u}) - 1)"}
    v = np.concatenate([V, [-0.04, -0.04 + 1e-12, -9.0, 9.0, -4.4, 4.4, 0.0]])
    made = Made(text, v=v)
    assert made.calls("exp") == 1 and made.calls("xoexpm1") == 0
    for k, (run, want) in enumerate([(made.run, 1e-13), (made.run_c, 1e-13)]):
        x = (v + made.variables["vt"].array[0] if shift == "vt" else v + 0.04) / 0.006
        assert run() == pytest.approx(xoexpm1(x), rel=want, abs=1e-300), k
        assert made.variables["m"].get() == pytest.approx(xoexpm1(-x), rel=want, abs=1e-300), k


def test_quotients_in_denominators_are_not_divided_by() -> None:
    """A gate by its steady state and time constant: two quotients that others need too, none of them divided by."""
    made = Made({"m": "w/(w + v*v)", "x": "q/(w + v*v)", "out": "m/x + v/x"})
    divisions = [p for p in walk(made.values) if isinstance(p, Binary) and p.op == "/" and not _uniform(made, p)]
    assert len(divisions) == 2  # m and x themselves
    assert made.run() == pytest.approx(made.run(made.lowered), rel=1e-14)


def test_sharing_can_be_switched_off() -> None:
    assert Made("exp(v/0.02) + exp(v/0.01)", PLAIN).calls("exp") == 2


# --- powers and factors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [*range(-16, 17), 0.5])
def test_powers(exponent: float) -> None:
    v = np.array([0.3, 1.7, 2.0, 1.0])
    made = Made(f"v**({exponent})", v=v)
    assert not any(isinstance(part, Binary) and part.op == "**" for part in walk(made.values))
    assert made.run() == pytest.approx(v**exponent, rel=3e-15)


def test_powers_share_their_squares() -> None:
    made = Made({"m": "w**3", "out": "w**4 + w**8"})
    assert count(made.values, Binary) <= 5  # w**2, w**3, w**4, w**8, the sum


@pytest.mark.parametrize("exponent", ["17", "2.5", "-0.3", "k", "w"])
def test_other_powers_stay(exponent: str) -> None:
    v = np.array([0.3, 1.7, 2.0, 1.0])
    made = Made(f"v**({exponent})", PLAIN, v=v)
    assert any(isinstance(part, Binary) and part.op == "**" for part in walk(made.values))
    assert made.run() == pytest.approx(made.run(made.lowered), rel=1e-15)


@pytest.mark.parametrize("exponent", [4.8, -0.3])
def test_powers_through_a_logarithm(exponent: float) -> None:
    v = np.array([0.0, 1e-60, 1e-3, 0.3, 1.0, 1.7, 2e7, 1e60, np.inf])
    made = Made(f"v**({exponent})", v=v)
    assert made.calls("exp") == made.calls("log") == 1
    with np.errstate(divide="ignore"):
        expected = v**exponent
    assert made.run() == pytest.approx(expected, rel=1e-13)
    assert made.run_c() == pytest.approx(expected, rel=1e-13)
    assert np.isnan(Made(f"v**({exponent})", v=np.array([-1.0])).run()).all()


def test_divisors_that_all_elements_share_are_divided_by_once() -> None:
    made = Made("v*w/tau/k + q*w/(tau*k)")
    uniform = made.kernel.shared
    for part in walk(made.values):
        if isinstance(part, Binary) and part.op == "/":
            assert {name.id for name in walk(part) if not name.children and hasattr(name, "id")} <= uniform
    assert made.run() == pytest.approx(made.run(made.lowered), rel=1e-15)


def test_values_that_others_need_are_taken_whole() -> None:
    """A product that is used twice is computed once, not flattened into both users."""
    made = Made({"m": "v*w*w", "out": "v*w*w*v/tau"})
    assert count(made.values, Binary) <= 5


# --- draws --------------------------------------------------------------------------------------------------


def test_draws_are_numbered_by_statement() -> None:
    domain, clock = Domain("d", Layout(8)), Clock(1e-4)
    bound = {name: Variable(name, SHARED, kind="integer") for name in ("_seed", "_stream", "_step")}
    bound |= {"_element": Variable("_element", domain, kind="integer")}
    bound |= {name: Variable(name, domain) for name in "xyz"}
    bound["_element"].set(np.arange(8))
    draw = parse("randn()").node
    statements = [Assign("a", draw), Assign("b", draw), Assign("x", parse("a + 0").node),
                  Assign("y", parse("b*2").node), Assign("z", parse("a - b + randn()").node)]  # fmt: skip
    operation = Elementwise(name="o", clock=clock, domain=domain, statements=statements, bindings=bound)
    kernel, arguments = lower(operation)
    assert lower(operation)[0] == kernel  # the same text for the same structure
    compile_kernel(CompiledKernel(optimise(kernel, SHARING), arguments), domain.layout)()
    x, y, z = (bound[name].get() for name in "xyz")
    assert len({*x.tolist(), *(y / 2).tolist(), *(z - x + y / 2).tolist()}) == 24


def test_expressions_that_share_much_are_rewritten_in_bounded_work() -> None:
    """Sixty products, each of the last one with itself: a walk that forgets what it has seen would not end."""
    x = value = parse("v").node
    for _ in range(60):
        value = Binary("*", Binary("+", value, x), value)
    form = affine(Binary("-", value, Binary("/", x, value)))
    assert len(form.atoms) == 2 and form.constant == 0.0
    assert affine(parse("2*(v - 3) + (k + 1)*4").node).constant == -2.0
