"""Mutated text gives a morphology or a rall error; the mutations are in `fuzz_swc`."""

from __future__ import annotations

import random
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_spec = spec_from_file_location("fuzz_swc", Path(__file__).with_name("fuzz_swc.py"))
assert _spec is not None and _spec.loader is not None
fuzz = module_from_spec(_spec)
_spec.loader.exec_module(fuzz)

_relaxed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=500, deadline=None, suppress_health_check=_relaxed)
@given(seed=st.integers(0, 2**32), start=st.sampled_from(fuzz.SEEDS))
def test_mutated_text_loads_or_raises_a_rall_error(seed, start, tmp_path):
    outcome = fuzz.check(fuzz.mutate(start, random.Random(seed)), tmp_path)
    assert outcome == "loaded" or outcome[0].isupper()


@settings(max_examples=100, deadline=None, suppress_health_check=_relaxed)
@given(data=st.binary(max_size=200))
def test_any_bytes_load_or_raise_a_rall_error(data, tmp_path):
    assert fuzz.check(data, tmp_path) in {"EmptyFile", "ParseError", "loaded"}


@pytest.mark.parametrize("start", fuzz.SEEDS)
def test_what_is_mutated_is_healthy(start, tmp_path):
    assert fuzz.check(start, tmp_path) == "loaded"
