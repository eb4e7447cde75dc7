"""The arguments of connect: what can be given, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import EquationError, RallError
from rall.plugins.synapses.generator import Expression, Generator
from rall.plugins.synapses.request import parse_request
from rall.units import ms, siemens, volt


def test_without_arguments_all_pairs_are_meant():
    for request in (parse_request(), parse_request(condition=True), parse_request(condition=np.True_)):
        assert isinstance(request.given, Generator)
        assert (request.given.result, request.given.condition, request.p, request.n) == ("j", None, 1.0, 1)
        assert not request.expressions()


def test_texts_are_parsed_once_and_listed():
    request = parse_request(condition="i != j", p="0.1*i", n="j")
    assert [part.text for part in request.expressions()] == ["i != j", "0.1*i", "j"]
    assert [part.role for part in request.expressions()] == ["the condition", "p", "n"]
    request = parse_request(i="k+j for k in range(3) if k > j", n="k")
    assert [part.text for part in request.expressions()] == ["3", "k+j", "k > j", "k"]


def test_arrays_are_broadcast():
    first, second = parse_request(i=3, j=[1, 2]).given
    assert (first.tolist(), second.tolist()) == ([3, 3], [1, 2])
    first, second = parse_request(i=np.uint8([1, 2]), j=np.int64(1)).given
    assert (first.tolist(), second.tolist()) == ([1, 2], [1, 1])
    first, second = parse_request(i=[], j=[]).given
    assert len(first) == len(second) == 0


@pytest.mark.parametrize("p", [0, 1, True, 0.25, np.float32(0.5), np.array(0.5), 3 * ms / (4 * ms)])
def test_numbers_for_p(p):
    assert parse_request(p=p).p == float(p)


@pytest.mark.parametrize("n", [0, 3, True, 2.0, np.int8(2)])
def test_numbers_for_n(n):
    assert parse_request(n=n).n == int(n)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"condition": "i!=j", "j": "i"}, "condition and j cannot be given together.*'if' belongs into the text of j"),
        ({"condition": True, "i": [0]}, "condition and i cannot be given together"),
        ({"condition": 3}, r"condition is text or a truth value, not 3; indices are given as i="),
        ({"condition": np.array([True])}, "condition is text or a truth value"),
        ({"i": 0}, "j is missing.*i='...' as text"),
        ({"j": [1, 2]}, "i is missing"),
        ({"i": "j", "j": "i"}, "for one of i and j only"),
        ({"i": [1], "j": "i"}, "for one of i and j only"),
        ({"i": [0, 1, 2], "j": [0, 1]}, "i has 3 and j has 2 elements"),
        ({"i": [0.0, 1.0], "j": [0, 1]}, "i is of type float64; element numbers are integers"),
        ({"i": [0, 1], "j": [True, False]}, r"j is an array of truth values; np.flatnonzero"),
        ({"i": [[0], [1]], "j": [0, 1]}, r"i has 2 axes, shape \(2, 1\); np.ravel"),
        ({"i": [0, 1] * volt, "j": [0, 1]}, "i has a unit"),
        ({"i": ["a"], "j": [0]}, "i is of type <U1"),
        ({"i": [0], "j": [0], "skip_if_invalid": True}, "skip_if_invalid is for text"),
        ({"j": "i", "p": 0.5}, r"p cannot be given together with the text of j; .* sample\(..., p=0.5"),
        ({"i": "j", "p": "0.5*i"}, "p cannot be given together with the text of i"),
        ({"p": 1.5}, "p = 1.5 is no probability; it is in 0 .. 1"),
        ({"p": -0.1}, "p = -0.1 is no probability"),
        ({"p": np.nan}, "is no probability"),
        ({"p": [0.5]}, r"p is a single number in 0 .. 1 or text, not \[0.5\]"),
        ({"p": 0.5 * siemens}, "p is a single number"),
        ({"p": None}, "p is a single number"),
        ({"n": 1.5}, "n is a whole number .* not 1.5"),
        ({"n": -1}, "n is a whole number"),
        ({"n": np.inf}, "n is a whole number"),
        ({"n": [1, 2]}, "n is a whole number"),
    ],
)
def test_mistakes(given, words):
    with pytest.raises(RallError, match=words):
        parse_request(**given)


@pytest.mark.parametrize("name", ["condition", "i", "j", "p", "n"])
def test_mistakes_in_texts_have_a_caret(name):
    with pytest.raises(EquationError, match=r"use \*\*") as caught:
        parse_request(**{name: "1 + N_pre^2"})
    assert (caught.value.text, caught.value.column) == ("1 + N_pre^2", 9)


def test_what_is_not_text_stays_a_number():
    request = parse_request(p="0.5", n=2)
    assert isinstance(request.p, Expression)
    assert request.n == 2
