"""Definitions as statements: what is needed later is put aside before it is changed."""

from __future__ import annotations

import random

import pytest

from rall.plugins.nmodl.algebra import evaluate
from rall.plugins.nmodl.flow import Definitions
from rall.plugins.nmodl.sequence import Sequence
from rall.plugins.nmodl.syntax import Binary, Name, Number

NAMES = ("a", "b", "c", "d")


def statements(sequence):
    taken: dict[str, int] = {}

    def fresh(name):
        taken[name] = taken.get(name, 0) + 1
        return f"{name}~{taken[name]}"

    return list(sequence.statements(lambda name: name, Name, lambda name: {name}, fresh))


def executed(lines, before):
    values = dict(before)
    for target, expression in lines:
        values[target] = evaluate(expression, values.__getitem__)
    return values


def test_a_swap_needs_one_more_line():
    lines = statements(Sequence(Definitions(), {"a": Name("b"), "b": Name("a")}))
    assert [target for target, _ in lines] == ["a_before~1", "a", "b"]
    assert executed(lines, {"a": 1.0, "b": 2.0}) == {"a_before~1": 1.0, "a": 2.0, "b": 1.0}


def test_what_is_used_once_is_written_out():
    definitions = Definitions()
    half = definitions.make("half", Binary("/", Name("a"), Number("2")), True)
    after = definitions.make("a", Binary("+", half, Name("b")), False)
    ((target, expression),) = statements(Sequence(definitions, {"a": after}))
    assert target == "a"
    assert expression == Binary("+", Binary("/", Name("a"), Number("2")), Name("b"))


def test_random_numbers_are_drawn_once():
    definitions = Definitions()
    drawn = definitions.make("drawn", Name("chance"), True)
    lines = statements(Sequence(definitions, {"a": drawn, "b": drawn}, {drawn.name}))
    assert [expression for _, expression in lines].count(Name("chance")) == 1


@pytest.mark.parametrize("seed", range(60))
def test_statements_do_what_definitions_say(seed):
    """Random definitions that read each other and what was before."""
    chance = random.Random(seed)
    definitions = Definitions()
    keys: list[Name] = []
    values = {}
    for _ in range(chance.randrange(2, 14)):
        parts = [chance.choice([*map(Name, NAMES), *keys]) for _ in range(chance.randrange(2, 5))]
        expression = parts[0]
        for part in parts[1:]:
            expression = Binary(chance.choice("+-"), expression, part)
        variable = chance.choice((*NAMES, "local"))
        key = definitions.make(variable, expression, variable == "local")
        keys.append(key)
        if variable != "local":
            values[variable] = key
    before = {name: chance.uniform(-1, 1) for name in NAMES}

    def value(name):
        return before[name] if name in before else evaluate(definitions[name].expression, value)

    after = executed(statements(Sequence(definitions, values)), before)
    for name in NAMES:
        assert after[name] == pytest.approx(value(values[name].name) if name in values else before[name], abs=1e-9)
