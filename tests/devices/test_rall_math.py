"""core/include/rall_math.h, compiled by itself and measured against 50-digit arithmetic."""

from __future__ import annotations

import csv
import ctypes
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import mpmath
import numpy as np
import pytest

from rall import special

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "core" / "include"
SHARED = Path(os.environ.get("RALL_SHARED", ROOT / ".." / "shared"))
COMPILER = shutil.which("gcc") or shutil.which("cc")
FLAGS = ["-O2", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"]
ONE = (
    "abs sign exp expm1 exprel xoexpm1 log log1p log2 log10 sin cos tan sinh cosh tanh arcsin arccos arctan "
    "sqrt floor ceil rint round trunc"
).split()
TWO = "pow mod floordiv arctan2 min max copysign xoexpm1_shared".split()
LOOP = """
void v_{0}(int n, const double *restrict x, {2} double *restrict y) {{
#pragma omp simd
    for (int i = 0; i < n; i++) y[i] = rall_{0}(x[i]{1});
}}
"""
SOURCE = (
    '#include "rall_math.h"\n'
    + "".join(LOOP.format(f, "", "") for f in ONE)
    + "".join(LOOP.format(f, ", z[i]", "const double *restrict z,") for f in TWO)
    + LOOP.format("clip", ", -1.5, 2.0", "")
    + "".join(
        LOOP.replace("v_{0}", f"v_pow{k % 100}").format("powi", f", {k}", "") for k in (0, 3, 8, 63, -2)
    )
    + "int finite(double x) { return rall_isfinite(x); }\n"
)

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler")

Function = Callable[..., np.ndarray]


def build(folder: Path, flags: list[str], name: str = "all") -> subprocess.CompletedProcess[str]:
    (folder / f"{name}.c").write_text(SOURCE)
    command = [
        str(COMPILER),
        *flags,
        "-std=gnu99",
        f"-I{INCLUDE}",
        "-shared",
        "-fPIC",
        "-nostdlib",
        "-Wl,-z,defs",
    ]
    command += ["-Wall", "-Wextra", "-Werror", "-o", str(folder / f"{name}.so"), str(folder / f"{name}.c")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def load(path: Path) -> Function:
    library = ctypes.CDLL(str(path))

    def call(name: str, *arguments: object) -> np.ndarray:
        arrays = [np.atleast_1d(np.asarray(a, float)).copy() for a in arguments]
        y = np.empty_like(arrays[0])
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, y)]
        getattr(library, f"v_{name}")(ctypes.c_int(len(y)), *pointers)
        return y

    return call


@pytest.fixture(scope="module", params=["plain", "native", "native -ffp-contract=off"])
def c(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    extra = [f.replace("native", "-march=native") for f in request.param.split() if f != "plain"]
    folder = tmp_path_factory.mktemp("math")
    done = build(folder, FLAGS + extra)
    assert done.returncode == 0, done.stderr
    yield load(folder / "all.so")


def spread(low: float, high: float, n: int = 250) -> np.ndarray:
    """Both signs, evenly on a logarithmic and on a linear scale."""
    random = np.random.default_rng(5)
    steep = 10 ** random.uniform(math.log10(low), math.log10(high), n) * random.choice([-1, 1], n)
    return np.concatenate([steep, random.uniform(-high, high, n)])


def positive() -> np.ndarray:
    near_one = np.random.default_rng(6).uniform(0.4, 2.5, 250)
    return np.concatenate(
        [10 ** np.random.default_rng(7).uniform(-307, 307, 250), near_one, 1 + spread(1e-15, 0.3)]
    )


def ulps(y: np.ndarray, exact: list[mpmath.mpf]) -> float:
    """Largest error in units of the last place of the exact value."""
    assert np.isfinite(y).all()
    errors = [
        abs(mpmath.mpf(float(v)) - t) / float(np.spacing(abs(float(t))))
        for v, t in zip(y, exact, strict=True)
    ]
    return float(max(errors))


def exactly(f: Callable[[mpmath.mpf], mpmath.mpf], x: np.ndarray) -> list[mpmath.mpf]:
    with mpmath.workdps(50):
        return [+f(mpmath.mpf(float(v))) for v in x]


ACCURACY = {
    "exp": (mpmath.exp, lambda: spread(1e-5, 708), 1.1),
    "expm1": (mpmath.expm1, lambda: spread(1e-20, 708), 1.1),
    "exprel": (lambda x: mpmath.expm1(x) / x, lambda: spread(1e-20, 705), 1.8),
    "xoexpm1": (lambda x: x / mpmath.expm1(x), lambda: spread(1e-20, 705), 2.1),
    "log": (mpmath.log, positive, 0.9),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), positive, 1.0),
    "log10": (lambda x: mpmath.log(x) / mpmath.log(10), positive, 1.1),
    "log1p": (mpmath.log1p, lambda: np.concatenate([positive(), spread(1e-20, 0.999)]), 0.9),
    "sin": (mpmath.sin, lambda: np.concatenate([spread(1e-10, 1e6), np.arange(1, 300) * math.pi / 2]), 0.8),
    "cos": (mpmath.cos, lambda: np.concatenate([spread(1e-10, 1e6), np.arange(1, 300) * math.pi / 2]), 0.8),
    "tan": (mpmath.tan, lambda: np.concatenate([spread(1e-10, 1e6), np.arange(1, 300) * math.pi / 2]), 2.0),
    "sinh": (mpmath.sinh, lambda: spread(1e-10, 708), 1.8),
    "cosh": (mpmath.cosh, lambda: spread(1e-10, 708), 1.2),
    "tanh": (mpmath.tanh, lambda: np.concatenate([spread(1e-10, 3), spread(1e-10, 25)]), 2.1),
    "arcsin": (mpmath.asin, lambda: spread(1e-10, 1), 1.3),
    "arccos": (mpmath.acos, lambda: spread(1e-10, 1), 1.0),
    "arctan": (mpmath.atan, lambda: np.concatenate([spread(1e-10, 1e10), spread(1e-3, 5)]), 1.8),
    "sqrt": (mpmath.sqrt, positive, 0.5),
}


@pytest.mark.parametrize("name", ACCURACY)
def test_largest_error_is_the_one_in_the_header(c: Function, name: str) -> None:
    reference, points, bound = ACCURACY[name]
    x = points()
    assert ulps(c(name, x), exactly(reference, x)) <= bound


def test_pow_is_accurate_for_large_exponents_too(c: Function) -> None:
    random = np.random.default_rng(8)
    x = np.concatenate(
        [10 ** random.uniform(-5, 5, 300), random.uniform(0.5, 2, 300), 1 + spread(1e-9, 1e-2, 150)]
    )
    y = np.concatenate([random.uniform(-60, 60, 300), random.uniform(-700, 700, 300), spread(1, 1e4, 150)])
    with mpmath.workdps(50):
        exact = [
            mpmath.power(mpmath.mpf(a), mpmath.mpf(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)
        ]
    assert ulps(c("pow", x, y), exact) <= 1.3


def test_arctan2(c: Function) -> None:
    y, x = spread(1e-9, 1e6), spread(1e-9, 1e6)[::-1]
    with mpmath.workdps(50):
        exact = [
            mpmath.atan2(mpmath.mpf(a), mpmath.mpf(b)) for a, b in zip(y.tolist(), x.tolist(), strict=True)
        ]
    assert ulps(c("arctan2", y, x), exact) <= 2.0


EDGES = np.array(
    [
        0.0,
        -0.0,
        1,
        -1,
        1.5,
        2.5,
        -0.5,
        -1.5,
        3.7,
        -3.7,
        2e-310,
        1e300,
        -1e300,
        1e17,
        800,
        -800,
        np.nan,
        np.inf,
        -np.inf,
    ]
)


@pytest.mark.parametrize(
    "name", [f for f in ONE if hasattr(np, f) and f not in ("sin", "cos", "tan", "round")]
)
def test_edges_are_those_of_numpy(c: Function, name: str) -> None:
    x = EDGES
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    y = c(name, x)
    np.testing.assert_allclose(y, expected, rtol=4e-16, atol=0)
    if name not in ("sign", "expm1", "log1p"):
        number = ~np.isnan(x)
        assert np.array_equal(
            np.signbit(y[number & ~np.isnan(y)]), np.signbit(expected[number & ~np.isnan(y)])
        )


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_arguments_of_circular_functions(c: Function, name: str) -> None:
    x = np.array([3e7, -1e9, 1e12])
    if name != "tan":
        np.testing.assert_array_less(np.abs(c(name, x) - getattr(np, name)(x)), 2.3e-16 * np.abs(x))
        assert (np.abs(c(name, np.array([1e17, -1e300]))) <= 1).all()
    assert np.isnan(c(name, [np.inf, -np.inf, np.nan])).all()


@pytest.mark.parametrize(
    ("name", "numpy_name"),
    [
        *[("pow", "power"), ("mod", "mod"), ("floordiv", "floor_divide"), ("arctan2", "arctan2")],
        *[("min", "minimum"), ("max", "maximum"), ("copysign", "copysign")],
    ],
)
def test_pairs_of_edges_are_those_of_numpy(c: Function, name: str, numpy_name: str) -> None:
    values = np.array([0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 7.25, 1e15, np.inf, -np.inf, np.nan])
    x, y = (a.ravel() for a in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        expected = getattr(np, numpy_name)(x, y)
    np.testing.assert_allclose(c(name, x, y), expected, rtol=4e-16, atol=0)


def test_mod_and_floordiv_are_exact(c: Function) -> None:
    x, y = spread(1e-3, 1e6), np.random.default_rng(3).permutation(spread(1e-3, 1e3))
    assert c("mod", x, y).tolist() == [a % b for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert c("floordiv", x, y).tolist() == [a // b for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def test_rounding_is_that_of_python(c: Function) -> None:
    x = np.concatenate([spread(1e-3, 1e17), np.arange(-8, 8) + 0.5])
    assert c("round", x).tolist() == [float(round(v)) for v in x.tolist()]
    assert c("floor", x).tolist() == [float(math.floor(v)) for v in x.tolist()]
    assert c("ceil", x).tolist() == [float(math.ceil(v)) for v in x.tolist()]
    assert c("trunc", x).tolist() == [float(math.trunc(v)) for v in x.tolist()]


def test_clip_and_whole_powers(c: Function) -> None:
    x = np.array([-7.0, -1.5, 0.25, 2.0, 3.0, np.nan])
    np.testing.assert_array_equal(c("clip", x), np.clip(x, -1.5, 2.0))
    v = spread(0.5, 1.5)
    for n, name in ((0, "pow0"), (3, "pow3"), (8, "pow8"), (63, "pow63"), (-2, "pow98")):
        np.testing.assert_allclose(c(name, v), v**n, rtol=2e-16 * (4 + abs(n)))


def test_powers_of_ten_have_whole_logarithms(c: Function) -> None:
    n = np.arange(-10, 23)
    assert c("log10", 10.0**n).tolist() == n.tolist()
    assert c("log2", 2.0**n).tolist() == n.tolist()


def test_rate_forms_at_and_near_zero(c: Function) -> None:
    x = np.array([0.0, -0.0, 5e-324, 1e-300, -1e-300, 1e-17, -1e-9, np.nan])
    np.testing.assert_allclose(c("xoexpm1", x), 1 - x / 2, rtol=3e-16)
    np.testing.assert_allclose(c("exprel", x), 1 + x / 2, rtol=3e-16)
    assert c("xoexpm1", [720.0, 1e6]).tolist() == [0.0, 0.0]
    assert c("xoexpm1", [-720.0, -1e6]).tolist() == [720.0, 1e6]
    assert c("exprel", [720.0, -1e6]).tolist() == [np.inf, 1e-6]


def test_shared_exponential_costs_little(c: Function) -> None:
    x = np.concatenate([spread(1e-12, 80), [0.0, 0.1, -0.1, 0.0999999]])
    e = np.exp(x / 8) ** 8 * (1 + 4 * np.finfo(float).eps)
    exact = np.array([float(v) for v in exactly(lambda t: t / mpmath.expm1(t) if t else mpmath.mpf(1), x)])
    np.testing.assert_allclose(c("xoexpm1_shared", x, e), exact, rtol=1e-13, atol=0)
    np.testing.assert_allclose(special.xoexpm1_shared(x, e), exact, rtol=1e-13, atol=0)


def read(name: str) -> dict[str, np.ndarray]:
    path = SHARED / "reference" / "rates" / name
    if not path.exists():
        pytest.skip(f"reference file {name} is not here (RALL_SHARED)")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def test_reference_of_x_over_expm1(c: Function) -> None:
    table = read("x_over_expm1.csv")
    normal = table["f"] > 1e-300
    np.testing.assert_allclose(c("xoexpm1", table["x"])[normal], table["f"][normal], rtol=1e-14)
    np.testing.assert_allclose(special.xoexpm1(table["x"])[normal], table["f"][normal], rtol=1e-14)


def test_reference_of_hodgkin_huxley_rates(c: Function) -> None:
    table = read("hh_rates.csv")
    v = table["V_mV"]
    found = {
        "alpha_m": c("xoexpm1", -(v + 40) / 10),
        "beta_m": 4 * c("exp", -(v + 65) / 18),
        "alpha_h": 0.07 * c("exp", -(v + 65) / 20),
        "beta_h": 1 / (1 + c("exp", -(v + 35) / 10)),
        "alpha_n": 0.1 * c("xoexpm1", -(v + 55) / 10),
        "beta_n": 0.125 * c("exp", -(v + 65) / 80),
    }
    for name, rate in found.items():
        np.testing.assert_allclose(rate, table[name], rtol=1e-14, err_msg=name)


def test_numpy_counterparts_agree_and_do_not_warn(c: Function) -> None:
    x = np.concatenate([spread(1e-300, 700), [0.0, 800.0, -800.0, np.nan]])
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(special.exprel(x), c("exprel", x), rtol=1e-15)
        np.testing.assert_allclose(special.xoexpm1(x), c("xoexpm1", x), rtol=1e-15)
        np.testing.assert_array_equal(special.sign(x), c("sign", x))
    assert special.xoexpm1(0).shape == ()


def test_isfinite(tmp_path: Path) -> None:
    assert build(tmp_path, FLAGS).returncode == 0
    library = ctypes.CDLL(str(tmp_path / "all.so"))
    library.finite.argtypes = [ctypes.c_double]
    assert [library.finite(v) for v in (0.0, -1e308, np.inf, -np.inf, np.nan)] == [1, 1, 0, 0, 0]


def test_every_function_vectorises(tmp_path: Path) -> None:
    done = build(tmp_path, [*FLAGS, "-march=x86-64-v3", "-fopt-info-vec-optimized"])
    if done.returncode != 0:
        pytest.skip("needs gcc on x86-64 with its report on vectorised loops")
    loops = SOURCE.count("#pragma omp simd")
    lines = {line.split(":")[1] for line in done.stderr.splitlines() if "loop vectorized" in line}
    assert len(lines) >= loops - 1  # x ** 0 is a plain fill


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast"])
def test_fast_math_is_refused(tmp_path: Path, flag: str) -> None:
    done = build(tmp_path, [flag])
    assert done.returncode != 0
    assert "fast-math" in done.stderr


def test_cplusplus_takes_the_header(tmp_path: Path) -> None:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    source = tmp_path / "one.cpp"
    source.write_text(
        '#include "rall_math.h"\ndouble f(double x) { return rall_exp(x) + rall_tan(rall_log10(x)); }\n'
    )
    command = [compiler, "-c", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{INCLUDE}", str(source)]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "one.o")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
