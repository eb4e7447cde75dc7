"""Mistakes in NMODL: the message names the file, the line, the place in it, what is wrong and what would do."""

from __future__ import annotations

import pytest

from rall.errors import NmodlError, RallError
from rall.plugins.nmodl.parser import parse, read

# what is written; the line and column of the mistake; parts of the message
MISTAKES = [
    ("PARAMTER { a = 1 }", 1, 1, "did you mean PARAMETER"),
    ("neuron { SUFFIX a }", 1, 1, "did you mean NEURON"),
    ("a = 1", 1, 1, "expected a block"),
    ("PROCEDURE f() { x = 1 }\n}", 2, 1, "one too many"),
    ("PROCEDURE f() {\n  x = 1\n", 1, 15, "line 1 has no '}'"),
    ("NEURON {\n SUFFIX a", 1, 8, "line 1 has no '}'"),
    ("PARAMETER {\n a = 1 (mV)\n", 1, 11, "ends inside PARAMETER"),
    ("PROCEDURE f() { IF (a) { x = 1 }\nPROCEDURE g() { }", 2, 1, "cannot stand inside PROCEDURE"),
    ("PROCEDURE f() { x = 1; }", 1, 22, "nothing stands at the end of a statement"),
    ("PROCEDURE f() { x = a**2 }", 1, 23, "x^2"),
    ("PROCEDURE f() { x = a % 2 }", 1, 23, "fmod"),
    ("PROCEDURE f() { x = a & b }", 1, 23, "'&&'"),
    ("PROCEDURE f() { # no comment\n }", 1, 17, "a comment begins with ':'"),
    ("PROCEDURE f() { IF (a = 1) { } }", 1, 23, "a == b"),
    ("PROCEDURE f() { IF a > 1 { } }", 1, 20, "'(' after IF"),
    ("PROCEDURE f() { IF (a) x = 1 }", 1, 24, "'{'"),
    ("PROCEDURE f() { x = (a + b }", 1, 28, "')' to close the parenthesis"),
    ("PROCEDURE f() { x = a + }", 1, 25, "expected a value"),
    ("PROCEDURE f() { x = +a }", 1, 21, "expected a value"),
    ("PROCEDURE f() { x 1 }", 1, 19, "'=' or arguments"),
    ("PROCEDURE f() { x = q[1 }", 1, 25, "']' to close the index"),
    ("PROCEDURE f() { x = g(a b) }", 1, 25, "',' or ')'"),
    ("PROCEDURE f() { x = 5 (mV\n) }", 1, 23, "not closed in its line"),
    ("PROCEDURE f() { x = 1e999 }", 1, 21, "1.8e308"),
    ("PROCEDURE f() { printf(\"a) }", 1, 24, "a text that is not closed"),
    ("PROCEDURE f() { x = \N{GREEK SMALL LETTER ALPHA} }", 1, 21, "expected a value"),
    ("PROCEDURE f() { x = 1 \x00 }", 1, 23, "expected a statement"),
    ("PROCEDURE { x = 1 }", 1, 11, "a name after PROCEDURE"),
    ("PROCEDURE f { x = 1 }", 1, 13, "'(' before the arguments of f"),
    ("FUNCTION f(m') { f = 1 }", 1, 12, "a prime"),
    ("DERIVATIVE { m' = 1 }", 1, 12, "a name after DERIVATIVE"),
    ("BREAKPOINT { SOLVE METHOD cnexp }", 1, 20, "the name of a block after SOLVE"),
    ("BREAKPOINT { SOLVE s METHOD }", 1, 29, "cnexp"),
    ("BREAKPOINT { FROM i = 0 { } }", 1, 25, "'TO'"),
    ("BREAKPOINT { TABLE a FROM 0 TO 1 }", 1, 34, "'WITH'"),
    ("BREAKPOINT { PROTECT IF (1) { } }", 1, 22, "an assignment"),
    ("BREAKPOINT { INITIAL { } }", 1, 14, "INITIAL cannot stand inside BREAKPOINT"),
    ("BREAKPOINT { ~ a <-> b (1, 2) }", 1, 14, "KINETIC has reactions"),
    ("BREAKPOINT { CONSERVE a = 1 }", 1, 14, "stands in KINETIC, not in BREAKPOINT"),
    ("KINETIC k { ~ a <-> b (1) }", 1, 25, "between the two rates"),
    ("KINETIC k { ~ a b (1, 2) }", 1, 17, "'<->'"),
    ("KINETIC k { ~ 1.5 a <-> b (1, 2) }", 1, 15, "a whole number"),
    ("KINETIC k { COMPARTMENT v }", 1, 27, "'{' before the species"),
    ("LINEAR l { ~+ a = 1 }", 1, 12, "right after one that begins with '~'"),
    ("LINEAR l { ~ a + b }", 1, 20, "'=' between the sides"),
    ("NET_RECEIVE (w) { INITIAL { }\n INITIAL { } }", 2, 2, "one INITIAL"),
    ("AFTER PROCEDURE { }", 1, 7, "BREAKPOINT, SOLVE, INITIAL, STEP"),
    ("NEURON { SUFFIX }", 1, 17, "the name of the mechanism after SUFFIX"),
    ("NEURON { RANGE a, }", 1, 19, "after ','"),
    ("NEURON { RANGE a b }", 1, 18, "expected SUFFIX, USEION, RANGE"),
    ("NEURON { USEION ca READ }", 1, 25, "a name after READ"),
    ("NEURON { USEION ca VALENCE }", 1, 28, "a number"),
    ("NEURON { SUFFIX a REPRESENTS 5 }", 1, 19, "NCIT"),
    ("PARAMETER { a = b }", 1, 17, "expected a number"),
    ("PARAMETER { a = 1 <0 1> }", 1, 22, "',' between the limits"),
    ("PARAMETER { a[0] }", 1, 15, "at least one element"),
    ("PARAMETER { a[1.5] }", 1, 15, "a whole number"),
    ("PARAMETER { a[99999999] }", 1, 15, "a whole number up to"),
    ("PARAMETER { FROM = 1 }", 1, 13, "the keyword FROM"),
    ("ASSIGNED { a = 1 }", 1, 14, "INITIAL"),
    ("CONSTANT { a }", 1, 14, "after the constant a"),
    ("UNITS { (mV) (millivolt) }", 1, 14, "'=' after the unit (mV)"),
    ("UNITS { (mV) = millivolt }", 1, 16, "in parentheses"),
    ("UNITS { F = faraday }", 1, 13, "a number or a unit for F"),
    ("DEFINE N 2.5", 1, 10, "a whole number"),
    ("DEFINE N 2 DEFINE N 3", 1, 19, "not yet in use"),
    ("INDEPENDENT { t TO 1 }", 1, 17, "expected FROM"),
    ("COMMENT\n  words\n", 1, 1, "ENDCOMMENT"),
    ("PROCEDURE f() {\n VERBATIM\n x = 1; ENDVERBATIM }", 2, 2, "ENDVERBATIM"),
    ('INCLUDE "no such file.inc"', 1, 1, "beside this one or in the working directory"),
    ("INCLUDE file", 1, 9, 'in ""'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "said"), MISTAKES, ids=[mistake[0][:40] for mistake in MISTAKES])
def test_a_mistake_is_shown_where_it_is(text, line, column, said):
    with pytest.raises(NmodlError) as caught:
        parse(text, "x/bad.mod")
    error, message = caught.value, str(caught.value)
    assert (error.file, error.line, error.column) == ("x/bad.mod", line, column)
    assert said in message
    first, shown, mark = message.split("\n")
    assert first.startswith(f"x/bad.mod, line {line}: ")
    assert shown == "    " + text.split("\n")[line - 1]
    assert mark == " " * (4 + column - 1) + "^"


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("PROCEDURE f() { x = }", "PROCEDURE"),
        ("BEFORE STEP { x = }", "BEFORE"),
        ("KINETIC k { ~ }", "KINETIC"),
        ("NEURON { SUFFIX }", "NEURON"),
        ("STATE { 1 }", "STATE"),
        ("BREAKPOINT { VERBATIM }", "VERBATIM"),
        ("INCLUDE 2", "INCLUDE"),
        ("BREAKPOINT { } x", ""),
    ],
)
def test_an_error_names_the_construct(text, construct):
    with pytest.raises(NmodlError) as caught:
        parse(text)
    assert caught.value.construct == construct
    assert isinstance(caught.value, RallError)
    assert isinstance(caught.value, ValueError)


def test_of_a_long_line_what_is_near_is_shown():
    with pytest.raises(NmodlError) as caught:
        parse("PROCEDURE f() { " + "x = 1 " * 10_000 + "x = ; " + "x = 1 " * 10_000 + "}")
    _, shown, mark = str(caught.value).split("\n")
    assert len(shown) < 130
    assert shown[mark.index("^")] == ";"


def test_a_file_that_includes_itself(tmp_path):
    (tmp_path / "a.mod").write_text('INCLUDE "b.inc"', "utf-8")
    (tmp_path / "b.inc").write_text('\nINCLUDE "b.inc"', "utf-8")
    with pytest.raises(NmodlError, match=r"b\.inc, line 2: INCLUDE: 'b\.inc' includes itself"):
        read(tmp_path / "a.mod")


def test_files_that_include_too_many(tmp_path):
    for number in range(8):
        (tmp_path / f"{number}.mod").write_text(f'INCLUDE "{number + 1}.mod"\n' * 2, "utf-8")
    (tmp_path / "8.mod").write_text("", "utf-8")
    with pytest.raises(NmodlError, match="more than 100"):
        read(tmp_path / "0.mod")


def test_a_mistake_in_an_included_file_is_shown_there(tmp_path):
    (tmp_path / "a.mod").write_text('INCLUDE "b.inc"', "utf-8")
    (tmp_path / "b.inc").write_text("\nPARAMETER { a = }", "utf-8")
    with pytest.raises(NmodlError, match=r"b\.inc, line 2: expected a number") as caught:
        read(tmp_path / "a.mod")
    assert caught.value.file == str(tmp_path / "b.inc")


@pytest.mark.parametrize("name", ["missing.mod", "", "a\0b"])
def test_a_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(NmodlError, match="cannot be read") as caught:
        read(f"{tmp_path}/{name}")
    assert caught.value.file == f"{tmp_path}/{name}"
