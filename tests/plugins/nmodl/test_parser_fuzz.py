"""Mutated files are read or refused with an error of rall; the mutations are in `fuzz_nmodl`."""

from __future__ import annotations

import random
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rall.errors import NmodlError
from rall.plugins.nmodl.parser import parse, read

_spec = spec_from_file_location("fuzz_nmodl", Path(__file__).with_name("fuzz_nmodl.py"))
assert _spec is not None and _spec.loader is not None
fuzz = module_from_spec(_spec)
_spec.loader.exec_module(fuzz)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(fuzz.SEEDS), st.integers(0, 2**32), st.integers(0, 5))
def test_mutated_files_are_read_or_refused(seed, number, changes):
    assert fuzz.check(fuzz.mutate(seed, random.Random(number), changes)) in ("read", "NmodlError")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    for begin in ("", "PROCEDURE f() { x = ", "KINETIC k { ~ ", "NEURON { ", "PARAMETER { a = ", "UNITS { ("):
        assert fuzz.check(begin + text) in ("read", "NmodlError")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100))
def test_any_file_is_read_or_refused(tmp_path, data):
    path = tmp_path / "any.mod"
    path.write_bytes(data)
    assert fuzz.check(str(path), read) in ("read", "NmodlError")


@pytest.mark.parametrize("seed", fuzz.SEEDS)
def test_what_is_mutated_is_healthy(seed):
    assert fuzz.check(seed) == "read"


LONG = 20_000
DEEP = {
    "parentheses": "PROCEDURE f() { x = " + "(" * LONG,
    "signs": "PROCEDURE f() { x = " + "-" * LONG + "1 }",
    "calls": "PROCEDURE f() { x = " + "f(" * LONG,
    "indices": "PROCEDURE f() { x = " + "x[" * LONG,
    "powers": "PROCEDURE f() { x = " + "x^" * LONG + "2 }",
    "sums": "PROCEDURE f() { x = " + "x+" * LONG + "2 }",
    "sums in sums": "PROCEDURE f() { x = " + "(" * 4 + "a" + ("+a" * 60 + ")") * 4 + "}",
    "braces": "PROCEDURE f() " + "{" * LONG,
    "ifs": "PROCEDURE f() {" + "IF (1) {" * LONG,
    "else ifs": "PROCEDURE f() { IF (1) {} " + "ELSE IF (2) {} " * LONG + "}",
    "added equations": "LINEAR l { ~ a = b " + "~+ c = d " * LONG + "}",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_what_is_too_deep_is_refused(text):
    with pytest.raises(NmodlError, match=r"more than \d+"):
        parse(text)


def test_what_is_deep_but_not_too_deep_is_read_and_compared():
    text = "PROCEDURE f() {" + "IF (1) {" * 48 + "x = " + "(" * 98 + "+".join("a" * 150) + ")" * 98 + "}" * 49
    assert parse(text) == parse(text)
    assert "Binary" in repr(parse(text))
