"""The pairs that connect finds: as a double loop in Python finds them, and with the right statistics."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from rall import philox
from rall.errors import EquationError, IndexOutOfRangeError
from rall.evaluate import evaluate
from rall.ir.nodes import Name
from rall.ir.visit import functions, names
from rall.plugins.synapses.connect import Use, pairs
from rall.plugins.synapses.request import parse_request

N_PRE, N_POST = 7, 9
CALLS = {"abs": abs, "min": min, "max": max, "clip": lambda x, low, high: min(max(x, low), high), "int": int,
         "exp": math.exp}  # fmt: skip


class Groups:
    """A source and a target with the variables x (float), m (integer) and b (boolean); y is a constant.

    Unlike a real scope it counts what it is asked for.
    """

    def __init__(self, n_pre=N_PRE, n_post=N_POST, seed=1):
        self.n_pre, self.n_post, self.seed = n_pre, n_post, seed
        self.evaluated = Counter()
        self.variables = {}
        for side, n in (("pre", n_pre), ("post", n_post)):
            number = np.arange(n)
            self.variables |= {f"x_{side}": number * 0.1, f"m_{side}": number**2 % 5, f"b_{side}": number % 2 == 1}
        self.values = {"y": 0.3, "N_pre": n_pre, "N_post": n_post}

    def inspect(self, expression):
        found, indexed = set(), set()
        for name in sorted(names(expression.parsed.node)):
            if name in self.variables:
                indexed.add("i" if name.endswith("_pre") else "j")
            elif name in expression.known:
                found.add(name)
            elif name not in self.values:
                raise expression.parsed.error(f"'{name}' is not known", Name(name))
        draws = "rand" in functions(expression.parsed.node)
        return Use(frozenset(found | indexed), frozenset(indexed), draws)

    def evaluate(self, expression, values, numbers):
        assert all(array.dtype == np.int64 for array in values.values())
        used = names(expression.parsed.node)
        read = {name: array[values["i" if name.endswith("_pre") else "j"]] for name, array in self.variables.items()
                if name in used}  # fmt: skip
        place = {"_seed": self.seed, "_stream": expression.number + 1, "_step": 0, "_element": numbers}
        result = evaluate(expression.parsed.node, {**self.values, **values, **read, **place})
        self.evaluated[expression.text] += np.size(result)
        return result

    def uniforms(self, numbers, draw):
        assert (np.diff(numbers) > 0).all()
        return philox.uniform(self.seed, 0, 0, numbers, draw)


def connect(groups=None, chunk=None, **given):
    """Pairs as a list, after a check of types."""
    groups = groups or Groups()
    found = pairs(parse_request(**given), groups, **({} if chunk is None else {"chunk": chunk}))
    assert found.i.dtype == found.j.dtype == np.int32
    assert len(found) == len(found.i) == len(found.j)
    assert found.i.flags.c_contiguous and found.i.base is None
    return list(zip(found.i.tolist(), found.j.tolist()))


def names_at(groups, i=None, j=None):
    """What Python knows of a pair."""
    known = {name: array[i].item() for name, array in groups.variables.items() if i is not None and "pre" in name}
    if j is not None and 0 <= j < groups.n_post:
        known |= {name: array[j].item() for name, array in groups.variables.items() if "post" in name}
    return {**CALLS, **groups.values, **known, **({} if i is None else {"i": i}), **({} if j is None else {"j": j})}


def by_condition(text, n="1"):
    groups = Groups()
    return [(i, j) for i in range(N_PRE) for j in range(N_POST) if eval(text, names_at(groups, i, j))
            for _ in range(int(eval(n, names_at(groups, i, j))))]  # fmt: skip


def by_generator(text, condition="True", skip=False):
    """Targets of each source by a list comprehension; the condition is evaluated with j."""
    groups = Groups()
    found = []
    for i in range(N_PRE):
        target, _, loop = text.partition(" for ")
        for j, k in eval(f"[(int({target}), k) for {loop}]", names_at(groups, i)):
            valid = 0 <= j < N_POST
            if (valid or not skip) and eval(condition, {**names_at(groups, i, j), "k": k}):
                assert valid
                found.append((i, j))
    return found


CHUNKS = pytest.mark.parametrize("chunk", [None, 1, 4, 10])


@CHUNKS
def test_all_to_all(chunk):
    assert connect(chunk=chunk) == by_condition("True") == connect(chunk=chunk, condition=True)
    assert connect(chunk=chunk, n=3) == by_condition("True", "3")
    assert connect(chunk=chunk, condition=False) == connect(chunk=chunk, n=0) == connect(chunk=chunk, p=0) == []


@CHUNKS
@pytest.mark.parametrize(
    "condition",
    ["i != j", "i == j", "abs(i - j) < 3 and i != j", "x_pre > 0.25", "b_post", "not b_pre", "b_pre and b_post",
     "x_pre + x_post < y", "m_pre == m_post", "(i + j) % 3 == 0 or i*1000000000 > j*1000000000", "N_pre == 7",
     "N_pre > N_post", "i < 3 < j", "True if i > j else b_post"],
)  # fmt: skip
def test_conditions(condition, chunk):
    assert connect(condition=condition, chunk=chunk) == by_condition(condition)


@CHUNKS
@pytest.mark.parametrize("n", ["2", "i", "j - i", "m_post", "0.5*i", "i if b_post else 0"])
def test_copies(n, chunk):
    assert connect(condition="i != j", n=n, chunk=chunk) == by_condition("i != j", n)


GENERATORS = [
    "k for k in range(N_post)",
    "k for k in range(3)",
    "k for k in range(2, N_post, 3)",
    "k for k in range(5, 0, -2)",
    "k for k in range(4, 4)",
    "k for k in range(i)",
    "k for k in range(i, N_post)",
    "i for k in range(3)",
    "k for k in range(m_pre, m_pre + 3)",
    "k for k in range(i, -1, -1)",
    "(i + k) % N_post for k in range(-2, 3)",
    "max(i - 2, 0) + k for k in range(min(i, 3))",
    "8 - k for k in range(i) if k != 2",
    "k for k in range(N_post) if k != i and k % 2 == 0",
    "k for k in range(N_post) if k - i",
    "i*0.5 + k for k in range(2)",
    "(-1)**k + 1 for k in range(4)",
]


@CHUNKS
@pytest.mark.parametrize("text", GENERATORS)
def test_generators(text, chunk):
    assert connect(j=text, chunk=chunk) == by_generator(text)


@CHUNKS
@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("k for k in range(N_post)", "x_post > x_pre"),
        ("k for k in range(N_post)", "j > i + 2"),
        ("i + k for k in range(-5, 6)", "0 <= j and j < N_post"),
        ("i + k for k in range(-5, 6)", "0 <= i + k and i + k < N_post"),
        ("(i*k) % N_post for k in range(5)", "b_post and j > k"),
    ],
)
def test_conditions_of_generators_know_the_result(text, condition, chunk):
    assert connect(j=f"{text} if {condition}", chunk=chunk) == by_generator(text, condition)


@CHUNKS
@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("i + k for k in range(-5, 6)", "True"),
        ("i + k for k in range(-5, 6)", "b_post"),
        ("i + k for k in range(-5, 6)", "j != i and x_post < 0.5"),
        ("i + k for k in range(-5, 6)", "j != i"),
        ("k for k in range(-5, 20)", "True"),
        ("(i - 2)*10 for k in range(2)", "True"),
    ],
)
def test_invalid_results_can_be_skipped(text, condition, chunk):
    found = connect(j=f"{text} if {condition}", skip_if_invalid=True, chunk=chunk)
    assert found == by_generator(text, condition, skip=True)


@CHUNKS
def test_one_for_each(chunk):
    every = range(N_PRE)
    assert connect(j="i", chunk=chunk) == [(i, i) for i in every]
    assert connect(j="3", chunk=chunk) == [(i, 3) for i in every]
    assert connect(j="i + 2 if i < 5", chunk=chunk) == [(i, i + 2) for i in range(5)]
    assert connect(j="m_pre", n="i", chunk=chunk) == [(i, i * i % 5) for i in every for _ in range(i)]
    assert connect(j="i*0.7", chunk=chunk) == [(i, int(i * 0.7)) for i in every]
    assert connect(j="(i - 1)*4", skip_if_invalid=True, chunk=chunk) == [(1, 0), (2, 4), (3, 8)]
    assert connect(j="i + 1 if b_post", chunk=chunk) == [(i, i + 1) for i in every if (i + 1) % 2]
    assert connect(i="j//2", chunk=chunk) == [(j // 2, j) for j in range(N_POST)]


@CHUNKS
def test_sources_of_each_target(chunk):
    everything = [(i, j) for j in range(N_POST) for i in range(N_PRE)]
    assert connect(i="k for k in range(N_pre)", chunk=chunk) == everything
    assert connect(i="k for k in range(N_pre) if i != j", chunk=chunk) == [(i, j) for i, j in everything if i != j]
    assert connect(i="k for k in range(N_pre) if x_pre > x_post", chunk=chunk) == [p for p in everything if p[0] > p[1]]
    assert connect(i="k for k in range(m_post)", n="j", chunk=chunk) == [
        (i, j) for j in range(N_POST) for i in range(j * j % 5) for _ in range(j)
    ]
    expected = [(i, j) for j in range(N_POST) for i in range(j - 1, j + 2) if 0 <= i < N_PRE]
    assert connect(i="j + k for k in range(-1, 2)", skip_if_invalid=True, chunk=chunk) == expected


@CHUNKS
def test_arrays(chunk):
    i, j = [5, 0, 6, 0], [0, 8, 3, 8]
    assert connect(i=i, j=j, chunk=chunk) == list(zip(i, j))
    assert connect(i=np.uint64(i), j=np.int8(j), chunk=chunk) == list(zip(i, j))
    assert connect(i=i, j=2, chunk=chunk) == [(source, 2) for source in i]
    assert connect(i=4, j=j, n=2, chunk=chunk) == [(4, target) for target in j for _ in range(2)]
    assert connect(i=i, j=j, n="i//5", chunk=chunk) == [(5, 0), (6, 3)]
    assert connect(i=i, j=j, p="0.0 if b_post else 1.0", chunk=chunk) == [(5, 0), (0, 8), (0, 8)]
    assert connect(i=[], j=[], chunk=chunk) == connect(i=[], j=3, chunk=chunk) == []
    assert connect(i=3, j=3, p=1.0, chunk=chunk) == [(3, 3)]


def test_arrays_keep_the_probability():
    i = np.zeros(20_000, int)
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], len(i), 0.3)
    assert low <= len(connect(i=i, j=1, p=0.3)) <= high


# --- random ---


def test_constant_probabilities():
    groups = Groups(300, 400)
    found = connect(groups, p=0.05)
    assert found == sorted(set(found))
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], 300 * 400, 0.05)
    assert low <= len(found) <= high
    i, j = np.array(found).T
    assert stats.chisquare(np.bincount(i, minlength=300)).pvalue > 1e-3
    assert stats.chisquare(np.bincount(j, minlength=400)).pvalue > 1e-3
    assert connect(Groups(300, 400), p="y/6") == found, "text without i and j is a number"


def test_only_candidates_are_tested():
    groups = Groups(300, 400)
    found = connect(groups, condition="i > j", p=0.05)
    assert found == [(i, j) for i, j in connect(Groups(300, 400), p=0.05) if i > j]
    assert groups.evaluated["i > j"] < 0.06 * 300 * 400


@pytest.mark.parametrize("p", ["0.2*x_pre", "0.02*(i > 10) + 0.01", "0.2*x_post", "0.1*exp(-abs(i - j)/20)",
                               "0.1*rand()"])  # fmt: skip
@pytest.mark.parametrize("condition", [None, "i != j"])
def test_probabilities_of_pairs(p, condition):
    n, expected, variance, counts = 60, 0.0, 0.0, np.zeros((60, 60))
    for seed in range(10):
        found = np.array(connect(Groups(n, n, seed=seed), condition=condition, p=p))
        np.add.at(counts, tuple(found.T), 1)
    groups = Groups(n, n)
    for i in range(n):
        for j in range(n):
            known = {**CALLS, **groups.values, "i": i, "j": j, "x_pre": i / 10, "x_post": j / 10, "rand": lambda: 0.5}
            chance = min(1.0, eval(p, known)) * (condition is None or i != j)
            expected += 10 * chance
            variance += 10 * chance * (1 - chance)
            assert chance > 0 or counts[i, j] == 0
            assert chance < 1 or counts[i, j] == 10
    assert abs(counts.sum() - expected) < 4 * variance**0.5
    if "i" in p or "x_pre" in p:
        assert counts[30:].sum() > counts[:30].sum() or "abs" in p


def test_probabilities_beyond_the_ends():
    assert connect(p="i - 1") == [(i, j) for i in range(2, N_PRE) for j in range(N_POST)]
    assert connect(p="i - j") == by_condition("i - j >= 1")
    assert connect(j="k for k in sample(N_post, p=i - 3)") == by_condition("i > 3")


@pytest.mark.parametrize(("bounds", "low", "high", "step"), [
    ("N_post", 0, 400, 1), ("10, 210, 3", 10, 210, 3), ("200, 1, -4", 4, 204, 4)])  # fmt: skip
def test_samples_with_a_probability(bounds, low, high, step):
    found = connect(Groups(300, 400), j=f"k for k in sample({bounds}, p=0.05)")
    assert found == sorted(set(found))
    possible = np.arange(low, high, step)
    least, most = stats.binom.ppf([1e-4, 1 - 1e-4], 300 * len(possible), 0.05)
    assert least <= len(found) <= most
    assert set(np.array(found)[:, 1].tolist()) <= set(possible.tolist())
    everything = connect(Groups(300, 400), j=f"k for k in sample({bounds}, p=1)")
    assert everything == [(i, k) for i in range(300) for k in possible]


def test_samples_with_a_probability_of_the_source():
    found = connect(Groups(100, 1000), j="k for k in sample(10*i, p=0.01*i)")
    i, j = np.array(found).T
    assert (j < 10 * i).all()
    chance = 0.01 * np.arange(100)
    expected, variance = 10 * np.arange(100) * chance, 10 * np.arange(100) * chance * (1 - chance)
    counts = np.bincount(i, minlength=100)
    assert counts[0] == 0
    square = ((counts - expected)[1:] ** 2 / variance[1:]).sum()
    assert 1e-3 < stats.chi2.cdf(square, 99) < 1 - 1e-3


def test_samples_of_a_size():
    found = np.array(connect(Groups(600, 50), j="k for k in sample(N_post, size=7)"))
    assert np.array_equal(found[:, 0], np.repeat(np.arange(600), 7))
    targets = found[:, 1].reshape(600, 7)
    assert (np.diff(targets, axis=1) > 0).all()
    counts = np.bincount(found[:, 1], minlength=50)
    square = ((counts - 84) ** 2).sum() / (84 * (1 - 7 / 50))
    assert 1e-3 < stats.chi2.cdf(square, 49) < 1 - 1e-3


def test_samples_of_a_size_of_the_source():
    found = connect(j="k for k in sample(2, i + 2, size=i//2 + 1) if k != i", skip_if_invalid=True)
    for i in range(N_PRE):
        targets = [j for source, j in found if source == i]
        assert targets == sorted(set(targets))
        assert all(2 <= j < i + 2 and j != i for j in targets)
        assert min(i // 2 + 1, i) - 1 <= len(targets) <= min(i // 2 + 1, i)
    assert connect(i="2*k for k in sample(3, size=3)") == [(i, j) for j in range(N_POST) for i in (0, 2, 4)]
    assert connect(j="k for k in sample(6, 0, -2, size=3)") == [(i, j) for i in range(N_PRE) for j in (2, 4, 6)]
    assert connect(j="k for k in sample(4, size=9 - i)", skip_if_invalid=True) == [
        (i, j) for i in range(N_PRE) for j in range(4) if i < 6
    ] + connect(j="k for k in sample(4, size=9 - i) if i == 6", skip_if_invalid=True)


RANDOM = [
    {"p": 0.3}, {"p": 0.3, "condition": "i != j", "n": 2}, {"p": "x_pre"}, {"p": "x_post"},
    {"condition": "rand() < 0.4"}, {"p": "rand()", "condition": "i != j"}, {"n": "2*rand() + 0.5"},
    {"p": 0.5, "n": "3*rand()"},
    {"condition": "rand() < 0.5", "p": "rand()", "n": "3*rand()"},
    {"j": "int(rand()*N_post)"}, {"j": "k for k in range(N_post) if rand() < 0.5 and k != i"},
    {"j": "k for k in range(int(rand()*N_post)) if rand() < 0.5"},
    {"j": "k for k in sample(N_post, p=0.4)"}, {"j": "k for k in sample(i, p=0.1*i)"},
    {"j": "k for k in sample(N_post, p=0.1*i)"},
    {"j": "k for k in sample(i, p=rand()) if b_post"}, {"j": "k for k in sample(N_post, size=3) if rand() < 0.5"},
    {"j": "k for k in sample(i, N_post, size=min(3, i))", "n": "2*rand()"}, {"i": "k for k in sample(N_pre, size=5)"},
    {"i": "k for k in sample(N_pre, p=0.2)"}, {"i": [0, 1, 2] * 5, "j": [3, 4, 5] * 5, "p": 0.5, "n": "3*rand()"},
]  # fmt: skip


@pytest.mark.parametrize("given", RANDOM, ids=str)
def test_chunks_make_no_difference(given):
    whole = connect(**given)
    assert whole
    for chunk in (1, 2, 5, 13, 64):
        assert connect(chunk=chunk, **given) == whole
    assert any(connect(Groups(seed=seed), **given) != whole for seed in (2, 3, 4))


def test_texts_of_one_call_draw_independently():
    groups = Groups(200, 200)
    found = connect(groups, condition="rand() < 0.5", p="1.0*(rand() < 0.5)")
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], 200 * 200, 0.25)
    assert low <= len(found) <= high


# --- size ---


def test_more_pairs_than_32_bits_count():
    n = 100_000
    found = np.array(connect(Groups(n, n), p=1e-7))
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], n * n, 1e-7)
    assert low <= len(found) <= high
    assert found.min() >= 0 and found.max() < n
    assert stats.kstest(found[:, 0] / n, "uniform").pvalue > 1e-3
    assert stats.kstest(found[:, 1] / n, "uniform").pvalue > 1e-3


def test_long_rows_are_cut():
    assert connect(Groups(2, 1000), condition="i*500 < j and j < i*500 + 3", chunk=64) == [
        (0, 1), (0, 2), (1, 501), (1, 502)]  # fmt: skip


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize("given", [
    {}, {"condition": "i != j"}, {"p": 0.5}, {"p": "x_pre"}, {"p": "x_pre*x_post"}, {"j": "k for k in range(N_post)"},
    {"j": "k for k in range(i) if k < N_post"}, {"j": "k for k in sample(N_post, p=0.5)"}, {"n": "i"},
    {"j": "k for k in sample(N_post, size=2)", "skip_if_invalid": True}, {"j": "i", "skip_if_invalid": True},
    {"i": "k for k in sample(N_pre, p=x_post)"}, {"i": [], "j": []},
])  # fmt: skip
def test_empty_groups(sizes, given):
    assert connect(Groups(*sizes), **given) == []


# --- mistakes ---


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"i": [0, 7], "j": [0, 1]}, "i has the number 7, but the source has elements 0 to 6"),
        ({"i": [0, -1], "j": [0, 1]}, "i has the number -1, but the source has elements 0 to 6"),
        ({"i": [0, 1], "j": [0, 9]}, "j has the number 9, but the target has elements 0 to 8"),
        ({"j": "i + 4"}, r"j='i \+ 4' gives j = 9 for i = 5, but the target has elements 0 to 8; skip_if_invalid=True"),
        ({"j": "i - 1"}, r"j='i - 1' gives j = -1 for i = 0"),
        ({"i": "j"}, r"i='j' gives i = 7 for j = 7, but the source has elements 0 to 6"),
        ({"j": "k for k in range(i, 10)"}, r"j='k for k in range\(i, 10\)' gives j = 9 for i = 0"),
        ({"j": "i + k for k in range(5) if b_post"}, "gives j = 9 for i = 5"),
        ({"j": "k for k in sample(4, size=i)"}, "draws 5 of 4 elements for i = 5.*skip_if_invalid"),
        ({"j": "k for k in sample(9, size=i - 1)"}, "draws -1 of 9 elements for i = 0"),
    ],
)
def test_elements_that_there_are_not(given, words):
    with pytest.raises(IndexOutOfRangeError, match=words):
        connect(**given)


def test_an_empty_group_has_no_elements():
    with pytest.raises(IndexOutOfRangeError, match="gives j = 0 for i = 0, but the target has no elements"):
        connect(Groups(3, 0), j="i")


@pytest.mark.parametrize(
    ("given", "words", "column"),
    [
        ({"condition": "i != jj"}, "'jj' is not known", 5),
        ({"p": "0.1*w"}, "'w' is not known", 4),
        ({"n": "k"}, "'k' is not known", 0),
        ({"j": "k for l in range(3)"}, "'k' is not known", 0),
        ({"j": "i for k in range(3) if l > 2"}, "'l' is not known", 23),
        ({"j": "i for k in range(z)"}, "'z' is not known", 17),
        ({"condition": "i - j"}, "'i - j' is a number, not a condition", 0),
        ({"condition": "1"}, "is a number, not a condition", 0),
        ({"j": "m_post"}, r"j depends on variables of the target.*only 'i' and variables of the source \(x_pre\)", 0),
        ({"j": "k for k in range(m_post)"}, "the range depends on variables of the target", 17),
        ({"j": "k for k in sample(9, p=x_post)"}, "p of the sample depends on variables of the target", 23),
        ({"i": "m_pre"}, r"i depends on variables of the source.*only 'j' .* of the target \(x_post\)", 0),
        ({"j": "k for k in range(0.5*i)"}, "the range is 0.5 somewhere; it has to be a whole number", 17),
        ({"j": "k for k in sample(5, size=0.5)"}, "size of the sample is 0.5", 26),
        ({"j": "k for k in range(0, 5, i - 2)"}, "the step of the range is 0", 23),
        ({"j": "i/0"}, "j is nan somewhere; it has to be a finite number", 0),
        ({"n": "1/i"}, "n is inf somewhere", 0),
        ({"p": "0.0*i/0"}, r"p is not a number \(NaN\)", 0),
        ({"p": "j*i/(i*0)"}, r"p is not a number \(NaN\)", 0),
    ],
)
def test_mistakes_have_a_caret(given, words, column):
    with pytest.raises(EquationError, match=words) as caught:
        connect(**given)
    assert caught.value.text == next(iter(given.values()))
    assert caught.value.column == column


def test_names_are_checked_before_anything_is_evaluated():
    groups = Groups()
    with pytest.raises(EquationError, match=re.escape("'unknown' is not known")):
        connect(groups, condition="i != j", n="unknown")
    assert not groups.evaluated
