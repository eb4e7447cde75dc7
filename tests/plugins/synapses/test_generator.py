"""The text of generators: its parts, and a caret below what is wrong in it."""

from __future__ import annotations

import pytest

from rall.errors import EquationError
from rall.ir.parse import parse
from rall.plugins.synapses.generator import Expression, parse_condition, parse_generator, parse_number


def text(part):
    return part.text if isinstance(part, Expression) else part


@pytest.mark.parametrize(
    ("given", "variable", "target", "bounds", "condition"),
    [
        ("i", None, "i", None, None),
        (" i + 1 ", None, "i + 1", None, None),
        ("i+1 if i < 3", None, "i+1", None, "i < 3"),
        ("(i if i > 2 else 0)", None, "(i if i > 2 else 0)", None, None),
        ("i if i > 2 else 0", None, "i if i > 2 else 0", None, None),
        ("i if i > 2 else 0 if i < 5", None, "i if i > 2 else 0", None, "i < 5"),
        ("k for k in range(3)", "k", None, ("3",), None),
        ("i+k for k in range(-2, i, 2) if i!=j", "k", "i+k", ("-2", "i", "2"), "i!=j"),
        ("k for k in range(clip(i, 0, 3), (N_post))", "k", None, ("clip(i, 0, 3)", "(N_post)"), None),
        ("k\n  for k\n  in range(3)\n  if k > 1", "k", None, ("3",), "k > 1"),
        ("min(k, 2) for k in range(max(i, 1)) if (k if i else 0) > 1", "k", "min(k, 2)", ("max(i, 1)",),
         "(k if i else 0) > 1"),
        ("format*in_ for format in range(forty)", "format", "format*in_", ("forty",), None),
    ],
)  # fmt: skip
def test_parts(given, variable, target, bounds, condition):
    made = parse_generator(given, "j")
    assert (made.variable, text(made.target), text(made.condition)) == (variable, target, condition)
    assert (made.bounds and tuple(map(text, made.bounds))) == (bounds or ())
    assert made.sample is None
    assert (made.outer, made.result, made.single) == ("i", "j", variable is None)


def test_samples():
    made = parse_generator("k for k in sample(0, N_pre, 2, p=0.1*j) if rand() < 0.5", "i")
    assert [text(part) for part in made.bounds] == ["0", "N_pre", "2"]
    assert (text(made.sample.p), made.sample.size, made.outer) == ("0.1*j", None, "j")
    made = parse_generator("k for k in sample(N_post, size = 3)", "j")
    assert (made.sample.p, text(made.sample.size)) == (None, "3")


def test_every_expression_has_its_number_and_its_names():
    made = parse_generator("i+k for k in sample(0, 9, 1, size=i) if k > j", "j")
    parts = [*made.expressions(), parse_number("k", "n", "k"), parse_number("i", "p")]
    assert len({part.number for part in parts}) == len(parts)
    assert {text(part): part.known for part in parts} == {
        "0": ("i",), "9": ("i",), "1": ("i",), "i": ("i", "j"), "i+k": ("i", "k"), "k > j": ("i", "j", "k"),
        "k": ("i", "j", "k"),
    }  # fmt: skip


def test_nodes_are_those_of_the_pieces():
    made = parse_generator("i*2 + k for k in range(i - 1)", "j")
    assert made.target.parsed.node is parse("i*2 + k").node
    assert made.bounds[0].parsed.node is parse("i - 1").node


@pytest.mark.parametrize(
    ("given", "words", "column"),
    [
        ("", "an expression is missing", 0),
        ("for k in range(3)", "an expression is missing", 0),
        ("k for k in range(3) for l in range(2)", "only one 'for'", 20),
        ("[k for k in range(3)]", "brackets cannot stand around the generator; write j='EXPR for k", 0),
        ("k for i in range(3)", "'i' is the index of the source; .* such as k", 6),
        ("k for j in range(3)", "'j' is the index of the target", 6),
        ("k for 3 in range(3)", "the name of an iteration variable must follow", 6),
        ("k for if in range(3)", "the name of an iteration variable must follow", 6),
        ("k for k", "'in' must follow .*'for k in range", 7),
        ("k for k over range(3)", "'in' must follow", 8),
        ("k for k in xrange(3)", "goes over range", 11),
        ("k for k in range", "goes over range", 11),
        ("k for k in", "goes over range", 10),
        ("k for k in range(3", "never closed", 16),
        ("k for k in range(3) and k > 1", "only 'if CONDITION' can follow range", 20),
        ("k for k in range()", r"one to three bounds .* these are 0", 11),
        ("k for k in range(1, 2, 3, 4)", "these are 4", 11),
        ("k for k in range(1, )", "an expression is missing", 20),
        ("k for k in range(stop=3)", "given by position", 17),
        ("k for k in sample(5)", "either p= .* or size= .*none is given", 11),
        ("k for k in sample(5, 0.1)", "none is given", 11),
        ("k for k in sample(5, p=0.1, size=2)", "both are given", 11),
        ("k for k in sample(5, p=0.1, p=0.2)", "p= is given twice", 28),
        ("k for k in sample(5, q=0.1)", "no argument 'q'; it takes p= or size=", 21),
        ("k for k in sample(p=0.1, 5)", "bounds of a sample come before p=", 25),
        ("k for k in sample(p=0.1)", "these are 0", 11),
        ("k for k in range(3) if", "an expression is missing", 22),
        ("k + for k in range(3)", "value is missing", 4),
        ("k for k in range(i +)", "value is missing", 20),
        ("k^2 for k in range(3)", r"use \*\*", 1),
        ("k for k in range(3) if k = 2", "use == to compare", 25),
        ("j + 1", "j cannot depend on itself", 0),
        ("k + j for k in range(3)", "j cannot depend on itself", 4),
        ("k for k in range(k + 1)", "the range cannot depend on 'k'.*only 'i' is known", 17),
        ("k for k in range(2*j)", "the range cannot depend on 'j'", 19),
        ("k for k in sample(5, p=0.1*k)", "p of the sample cannot depend on 'k'", 27),
        ("k for k in sample(5, size=j)", "size of the sample cannot depend on 'j'", 26),
    ],
)
def test_mistakes_have_a_caret(given, words, column):
    with pytest.raises(EquationError, match=words) as caught:
        parse_generator(given, "j")
    assert caught.value.text == given.rstrip()
    assert caught.value.column == column


def test_the_other_direction_has_the_names_exchanged():
    with pytest.raises(EquationError, match=r"i cannot depend on itself; it can depend on j"):
        parse_generator("i+1", "i")
    with pytest.raises(EquationError, match="only 'j' is known"):
        parse_generator("k for k in range(i)", "i")


def test_a_condition_is_no_generator():
    assert parse_condition("i != j").known == ("i", "j")
    with pytest.raises(EquationError, match=r"no 'for'; give a generator as j=") as caught:
        parse_condition("k for k in range(3)")
    assert caught.value.column == 2
