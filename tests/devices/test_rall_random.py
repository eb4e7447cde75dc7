"""core/include/rall_random.h and rall.philox: the same numbers, and numbers that look random."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rall import philox

INCLUDE = Path(__file__).resolve().parents[2] / "core" / "include"
COMPILER = shutil.which("gcc") or shutil.which("cc")
SOURCE = """
#include "rall_random.h"
typedef unsigned long long word;
void philox(const word *in, word key, word *out) {
    rall_words x = {in[0], in[1], in[2], in[3]};
    x = rall_philox(x, key);
    out[0] = x.a; out[1] = x.b; out[2] = x.c; out[3] = x.d;
}
word stream_key(word seed, word stream) { return rall_random_key(seed, stream); }
#define FILL(name, pragma, value) \\
    void name(word key, long long step, int n, word draw, double a, double b, double *restrict y) { \\
        (void)a; (void)b; pragma \\
        for (int i = 0; i < n; i++) y[i] = value; }
FILL(uniform, _Pragma("omp simd"), rall_uniform(key, step, (word)i, draw))
FILL(normal, _Pragma("omp simd"), rall_normal(key, step, (word)i, draw))
FILL(poisson, , rall_poisson(key, step, (word)i, draw, a))
FILL(binomial, , rall_binomial(key, step, (word)i, draw, a, b))
"""
FLAGS = [
    "-O2",
    "-march=native",
    "-fopenmp-simd",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-Wall",
    "-Wextra",
    "-Werror",
]

Fill = Callable[..., np.ndarray]
LIMIT = 1e-4  # all seeds are fixed, so a test passes always or never; a fair generator fails one test in 10^4


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if COMPILER is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("random")
    (folder / "random.c").write_text(SOURCE)
    command = [
        COMPILER,
        *FLAGS,
        f"-I{INCLUDE}",
        "-shared",
        "-fPIC",
        "-nostdlib",
        "-Wl,-z,defs",
        "-o",
        "random.so",
    ]
    done = subprocess.run([*command, "random.c"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(folder / "random.so"))
    library.stream_key.restype = ctypes.c_ulonglong
    library.stream_key.argtypes = [ctypes.c_ulonglong, ctypes.c_ulonglong]
    return library


@pytest.fixture(scope="module")
def c(library: ctypes.CDLL) -> Fill:
    def fill(
        name: str, seed: int, stream: int, step: int, n: int, draw: int, a: float = 0, b: float = 0
    ) -> np.ndarray:
        y = np.empty(n)
        function = getattr(library, name)
        function.argtypes = [ctypes.c_ulonglong, ctypes.c_longlong, ctypes.c_int, ctypes.c_ulonglong]
        function.argtypes += [ctypes.c_double, ctypes.c_double, ctypes.c_void_p]
        function(library.stream_key(seed % 2**64, stream), step, n, draw, a, b, y.ctypes.data)
        return y

    return fill


# Published with Random123 (Salmon et al. 2011): counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_known_answers(library: ctypes.CDLL, counter: str, key: str, result: str) -> None:
    low, high = words(key)
    into, out = np.array(words(counter), np.uint64), np.empty(4, np.uint64)
    library.philox.argtypes = [ctypes.c_void_p, ctypes.c_ulonglong, ctypes.c_void_p]
    library.philox(into.ctypes.data, low | high << 32, out.ctypes.data)
    assert out.tolist() == words(result)


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_known_answers_in_numpy(counter: str, key: str, result: str) -> None:
    low, high = words(key)
    a, b, c, d = (np.array([word], np.uint64) for word in words(counter))
    assert [int(x[0]) for x in philox.philox((a, b, c, d), low | high << 32)] == words(result)


PLACES = [
    (0, 0, 0, 0),
    (1, 2, 3, 4),
    (2**64 - 1, 2**32 - 1, 2**47, 2**32 - 1),
    (-5, 7, -1, 1),
    (12345, 1, 2**40 + 3, 0),
]


@pytest.mark.parametrize(("seed", "stream", "step", "draw"), PLACES)
def test_numpy_and_c_give_the_same_numbers(c: Fill, seed: int, stream: int, step: int, draw: int) -> None:
    n = 1003
    who = np.arange(n)
    np.testing.assert_array_equal(
        c("uniform", seed, stream, step, n, draw), philox.uniform(seed, stream, step, who, draw)
    )
    np.testing.assert_allclose(
        c("normal", seed, stream, step, n, draw),
        philox.normal(seed, stream, step, who, draw),
        rtol=1e-15,
        atol=0,
    )
    for mean in (0.0, 0.3, 9.9, 10.0, 250.0, 1e6):
        expected = philox.poisson(seed, stream, step, who, mean, draw)
        np.testing.assert_array_equal(c("poisson", seed, stream, step, n, draw, mean), expected)
    for trials, p in ((5, 0.3), (40, 0.5), (1000, 0.004), (1000, 0.97), (10**6, 0.2), (7, 0.0), (7, 1.0)):
        expected = philox.binomial(seed, stream, step, who, trials, p, draw)
        np.testing.assert_array_equal(c("binomial", seed, stream, step, n, draw, trials, p), expected)


def test_an_element_does_not_know_its_neighbours() -> None:
    everyone = philox.normal(3, 1, 9, np.arange(100))
    some = np.array([17, 3, 99])
    np.testing.assert_array_equal(philox.normal(3, 1, 9, some), everyone[some])


def test_every_part_of_the_place_matters() -> None:
    base = philox.uniform(1, 1, 1, np.arange(50), 1)
    others = [
        philox.uniform(2, 1, 1, np.arange(50), 1),
        philox.uniform(1 + 2**40, 1, 1, np.arange(50), 1),
        philox.uniform(1, 2, 1, np.arange(50), 1),
        philox.uniform(1, 1, 2, np.arange(50), 1),
        philox.uniform(1, 1, 1 + 2**33, np.arange(50), 1),
        philox.uniform(1, 1, 1, np.arange(1, 51), 1),
        philox.uniform(1, 1, 1, np.arange(50), 2),
    ]
    for other in others:
        assert not (base == other).any()
    assert len({philox.stream_key(seed, stream) for seed in range(40) for stream in range(40)}) == 1600


def test_uniforms_are_uniform() -> None:
    u = np.concatenate([philox.uniform(11, 1, step, np.arange(1000)) for step in range(100)])
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert (u * 2**53 == np.floor(u * 2**53)).all()
    assert stats.kstest(u, "uniform").pvalue > LIMIT
    assert abs(u.mean() - 0.5) < 4 / np.sqrt(12 * len(u))


def test_normals_are_normal() -> None:
    z = np.concatenate([philox.normal(11, 1, step, np.arange(1000)) for step in range(100)])
    assert stats.kstest(z, "norm").pvalue > LIMIT
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / len(z))
    assert abs(stats.skew(z)) < 4 * np.sqrt(6 / len(z))
    assert abs(stats.kurtosis(z)) < 4 * np.sqrt(24 / len(z))


def test_elements_steps_streams_seeds_and_draws_are_uncorrelated() -> None:
    who = np.arange(20000)
    base = philox.normal(1, 1, 1, who, 0)
    others = {
        "element": np.roll(base, 1),
        "step": philox.normal(1, 1, 2, who, 0),
        "stream": philox.normal(1, 2, 1, who, 0),
        "seed": philox.normal(2, 1, 1, who, 0),
        "draw": philox.normal(1, 1, 1, who, 1),
    }
    for name, other in others.items():
        for x, y in ((base, other), (np.abs(base), np.abs(other))):
            assert abs(np.corrcoef(x, y)[0, 1]) < 4 / np.sqrt(len(who)), name


def chi_square(k: np.ndarray, distribution: object) -> float:
    """Probability of counts as uneven as these; classes with fewer than 10 expected are put together."""
    values = np.arange(k.min(), k.max() + 1)
    expected = len(k) * distribution.pmf(values)  # type: ignore[attr-defined]
    big = expected >= 10
    observed = np.array([(k == v).sum() for v in values[big]])
    expected = expected[big]
    if len(k) - expected.sum() > 1e-6:
        observed, expected = (np.append(counts, len(k) - counts.sum()) for counts in (observed, expected))
    return float(stats.chisquare(observed, expected).pvalue)


@pytest.mark.parametrize("mean", [0.05, 0.7, 4.0, 9.99, 10.0, 33.0, 400.0])
def test_poisson_counts(mean: float) -> None:
    k = philox.poisson(5, 3, 2, np.arange(40000), mean)
    assert chi_square(k, stats.poisson(mean)) > LIMIT
    assert abs(k.mean() - mean) < 4 * np.sqrt(mean / len(k))


@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (6, 0.9), (50, 0.1), (50, 0.4), (300, 0.75), (4000, 0.02)])
def test_binomial_counts(n: int, p: float) -> None:
    k = philox.binomial(5, 4, 2, np.arange(40000), n, p)
    assert k.min() >= 0
    assert k.max() <= n
    assert chi_square(k, stats.binom(n, p)) > LIMIT


def test_means_and_chances_may_differ_between_elements(c: Fill) -> None:
    means = np.array([-1.0, 0.0, 0.5, 20.0, np.nan, 1e3])
    together = philox.poisson(8, 1, 0, np.arange(6), means)
    assert together[:2].tolist() == [0.0, 0.0]
    assert np.isnan(together[4])
    for i in (2, 3, 5):
        assert together[i] == c("poisson", 8, 1, 0, 6, 0, means[i])[i]
    p = np.array([-0.5, 0.2, 0.8, 1.5, np.nan])
    successes = philox.binomial(8, 1, 0, np.arange(5), 30, p)
    assert successes[[0, 3]].tolist() == [0.0, 30.0]
    assert np.isnan(successes[4])
    for i in (0, 1, 2, 3):
        assert successes[i] == c("binomial", 8, 1, 0, 5, 0, 30, p[i])[i]
    assert np.isnan(c("binomial", 8, 1, 0, 5, 0, 30, np.nan)).all()
    assert np.isnan(c("poisson", 8, 1, 0, 5, 0, np.nan)).all()
