"""Text to tree and back: precedence as in Python, and an error with a caret for all else."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rall.errors import EquationError
from rall.ir import nodes as n
from rall.ir.parse import Source, parse
from rall.ir.render import render
from rall.ir.statements import parse_statements
from rall.ir.visit import count, functions, map_bottom_up, names, substitute, walk


def value(text, **env):
    """Value of an expression by a walk over its tree, independent of any device."""
    ops = {
        "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
        "//": lambda a, b: a // b, "%": lambda a, b: a % b, "**": lambda a, b: a**b,
        "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
        "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
        "and": lambda a, b: a and b, "or": lambda a, b: a or b,
    }  # fmt: skip
    calls = {"exp": math.exp, "max": max, "abs": abs}
    done = {}
    for node in walk(parse(text).node):
        below = [done[child] for child in node.children]
        if isinstance(node, n.Number):
            done[node] = node.value
        elif isinstance(node, n.Name):
            done[node] = env[node.id]
        elif isinstance(node, n.Call):
            done[node] = calls[node.op](*below)
        elif isinstance(node, n.Not):
            done[node] = not below[0]
        elif isinstance(node, n.Select):
            done[node] = below[1] if below[0] else below[2]
        else:
            done[node] = ops[node.op](*below)
    return done[parse(text).node]


AS_PYTHON = [
    "1 + 2*3", "(1 + 2)*3", "2**3**2", "-2**2", "2**-1", "-2**-2", "--3", "+3", "7 // 2 * 2", "7 % 4 - 5",
    "1 - 2 - 3",
    "8/4/2", "2*-3", "a < b < c", "a < b > c", "not a == b", "not a < b and c > 1",
    "a < b or b < c and False",
    "a if a > b else b if b > c else c", "(a if True else b) + 1", "exp(-a)*max(b, c)", "1e-3*1.5e2",
    ".5 + 5.",
    "abs(-3) ** 2", "a == b == c", "not not True", "1 <= 2 != 3", "-a**2*b", "a - -b", "a * - b ** - 2",
    "3 if not a else 4",
]  # fmt: skip


@pytest.mark.parametrize("text", AS_PYTHON)
def test_means_what_it_means_in_python(text):
    env = {"a": 1.25, "b": 2.0, "c": 0.5}
    expected = eval(text, {"exp": math.exp, "max": max, "abs": abs}, env)
    assert value(text, **env) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("text", AS_PYTHON)
def test_rendered_text_parses_to_the_same_tree(text):
    node = parse(text).node
    assert parse(render(node)).node is node


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("( a+b )*c", "(a + b)*c"), ("a+(b+c)", "a + (b + c)"), ("a/(b*c)", "a/(b*c)"),
        ("(a**b)**c", "(a**b)**c"),
        ("-(a+b)", "-(a + b)"), ("(-2)**x", "(-2)**x"), ("not (a and b)", "not (a and b)"),
        ("(a<b)==(b<c)", "(a < b) == (b < c)"),
        ("f ( a , b )", "f(a, b)"), ("1e-3", "0.001"), ("(x if a else y)*2", "(x if a else y)*2"),
        ("-(-a)", "-(-a)"),
    ],
)  # fmt: skip
def test_render_uses_few_parentheses(text, shown):
    assert render(parse(text).node) == shown


def test_same_text_gives_the_same_object():
    assert parse("a*(b + 1)").node is parse(" a * ( b+1 ) ").node
    assert parse("1").node is not parse("1.0").node
    assert parse("-1").node is n.Number(-1)


def test_chained_comparison_is_a_conjunction():
    assert parse("a < b <= c").node is n.Logic("and", parse("a < b").node, parse("b <= c").node)


MISTAKES = [
    ("", "missing", 0), ("   ", "missing", 0), ("a +", "ends too early", 3),
    ("a b", "operator is missing", 2),
    ("(a + b", "never closed", 0), ("f(a, b", "never closed", 1), ("a)", "no matching", 1),
    ("()", "nothing stands", 1),
    ("v[0]", "indexing", 1), ("a.b", "attributes", 1), ("a^2", "use ** for powers", 1),
    ("a & b", "use 'and'", 2),
    ("a && b", "use 'and'", 2), ("a | b", "use 'or'", 2), ("a || b", "use 'or'", 2), ("!a", "use 'not'", 0),
    ("~a", "use 'not'", 0), ("a = b", "use ==", 2), ("a === b", "'==='", 4),
    ("a <> b", "missing before '>'", 3),
    ("lambda x: x", "define it in Python", 0), ("a is b", "use ==", 2), ("a in b", "'in' is not", 2),
    ("'text'", "quotes", 0),
    ('"text"', "quotes", 0), ("a, b", "','", 1), ("(a, b)", "list of values", 2),
    ("f(a,)", "argument of f", 4),
    ("f(x=1)", "by position", 3), ("2x", "2*x", 1), ("1j", "complex", 0), ("0x1F", "decimal", 0),
    ("1.2.3", "not a number", 3),
    ("a if b", "'else' is missing", 2), ("a not b", "operator is missing", 2),
    ("a + not b", "parentheses around", 4),
    ("a : b", "between an expression and its unit", 2), ("a; b", "separates statements", 1),
    ("a @ b", "* for products", 2),
    ("{a}", "dictionaries", 0), ("µm", "letters", 0), ("a + é", "letters", 4), ("a\x00", "no meaning", 1),
    ("1e400", "too large", 0), ("None", "None", 0), ("a while b", "word of Python", 2),
    ("a ? b", "condition else", 2),
    ("* a", "value is missing before '*'", 0), ("a ** ", "ends too early", 5),
    ("a (b)(c)", "operator is missing before '('", 5),
    ("x # comment", "comment", 2), ("3 (x)", "operator is missing before '('", 2), ("a \\ b", "backslash", 2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "column"), MISTAKES)
def test_mistakes_are_explained_at_their_place(text, message, column):
    with pytest.raises(EquationError) as raised:
        parse(text)
    assert message in raised.value.message
    assert raised.value.column == column


def test_the_caret_stands_below_the_mistake():
    with pytest.raises(EquationError) as raised:
        parse("a + b^2")
    lines = str(raised.value).split("\n")
    assert lines[1][lines[2].index("^")] == "^"


@pytest.mark.parametrize(
    "text", ["(" * 300 + "a" + ")" * 300, "-" * 300 + "a", "a**" * 300 + "a", "f(" * 250 + ")" * 250]
)
def test_deep_nesting_is_refused(text):
    with pytest.raises(EquationError, match="nested more than 200"):
        parse(text)


def test_long_sums_are_fine():
    node = parse("+".join(f"a{k}" for k in range(5000))).node
    assert len(names(node)) == 5000
    assert render(node).count("+") == 4999
    assert names(substitute(node, {"a7": n.ZERO})) == names(node) - {"a7"}


def test_long_lines_are_cut_around_the_place():
    with pytest.raises(EquationError) as raised:
        parse("a + " * 500 + "^")
    assert len(raised.value.text) < 200
    assert raised.value.text[raised.value.column] == "^"


def test_what_is_no_text_is_refused():
    with pytest.raises(EquationError, match="is text"):
        parse(3)


def test_places_of_parts():
    parsed = parse("  g*(v -  E) + I")
    difference = parse("v - E").node
    assert parsed.piece(difference) == "v - E"
    assert parsed.operators[difference] == 7
    assert parsed.piece(parsed.node) == "g*(v - E) + I"
    assert parsed.piece(n.Name("absent")) is None


def test_source_tells_line_and_column_in_a_longer_text():
    text = "first\n   second = a ^ b"
    where = Source(text, text.index("a ^"))
    with pytest.raises(EquationError) as raised:
        parse("a ^ b", where)
    assert (raised.value.line, raised.value.text, raised.value.column) == (2, "second = a ^ b", 11)


def test_names_can_stand_for_others():
    assert parse("g*g2", names={"g": "_value_g"}).node is n.Binary("*", n.Name("_value_g"), n.Name("g2"))


def test_walks():
    node = parse("exp(a) + b*exp(a)").node
    order = list(walk(node))
    assert len(order) == len(set(order)) == 5
    assert all(order.index(child) < order.index(parent) for parent in order for child in parent.children)
    assert names(node) == {"a", "b"}
    assert functions(node) == {"exp"}
    assert count(node, n.Call) == 1
    assert substitute(node, {"a": n.Name("b"), "b": n.Name("a")}) is parse("exp(b) + a*exp(b)").node
    assert substitute(node, {parse("exp(a)").node: n.Name("q")}) is parse("q + b*q").node
    assert substitute(node, {"zz": n.ZERO}) is node
    renamed = map_bottom_up(node, lambda p: n.Name(p.id.upper()) if isinstance(p, n.Name) else p)
    assert renamed is parse("exp(A) + B*exp(A)").node


STATEMENTS = [
    ("v = 1", [("v", "=", "1")]),
    ("v += w; w = 2  # both", [("v", "+=", "w"), ("w", "=", "2")]),
    ("\n# nothing\n x **= 2\n\n y //= (a\n + b) ; ", [("x", "**=", "2"), ("y", "//=", "a + b")]),
    ("v -= 1;;", [("v", "-=", "1")]),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), STATEMENTS)
def test_statements(text, expected):
    assert [(s.target, s.op, render(s.node)) for s in parse_statements(text)] == expected


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("v = 1\nw", "assigns to a variable", 2), ("if a: b = 1", "assignments", None),
        ("v[1] = 2", "indexing", None),
        ("v++", "+= 1", None), ("v = 1\nw = 2 +", "ends too early", 2),
        ("for = 1", "cannot be a variable", None),
        ("a.b = 1", "assigns to a variable", None), ("v == 1", "assigns to a variable", None),
        ("v = = 1", "==", None),
    ],
)  # fmt: skip
def test_mistaken_statements(text, message, line):
    with pytest.raises(EquationError) as raised:
        parse_statements(text)
    assert message in raised.value.message
    assert raised.value.line == line


def test_statement_knows_its_place():
    (first, second) = parse_statements("a = 1; bb = 2")
    assert second.span == (7, 13)
    assert first.text == "a = 1"


numbers = st.one_of(st.integers(0, 10**6), st.floats(0, 1e300)).map(n.Number)
leaves = st.one_of(numbers, st.sampled_from(["v", "tau", "x1"]).map(n.Name), st.booleans().map(n.Number))


def operations(inner):
    binary = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
    return st.one_of(
        st.builds(n.Binary, binary, inner, inner),
        st.builds(n.Compare, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner),
        st.builds(n.Logic, st.sampled_from(["and", "or"]), inner, inner),
        st.builds(n.Not, inner),
        st.builds(n.Select, inner, inner, inner),
        st.builds(lambda a, b: n.Call("clip", a, b), inner, inner),
        st.builds(
            lambda a: n.Binary("*", n.Number(-1), a), inner.filter(lambda a: not isinstance(a, n.Number))
        ),
    )


@given(st.recursive(leaves, operations, max_leaves=12))
def test_any_tree_survives_text(node):
    assert parse(render(node)).node is node


def test_every_draw_is_its_own_node():
    node = parse("rand() - rand()").node
    first, second = node.children
    assert first is n.Call("rand") and second is not first
    assert (first.occurrence, second.occurrence) == (0, 1)
    assert render(node) == "rand() - rand()"
    assert parse(render(node)).node is node
    assert functions(node) == {"rand"}
    assert pickle.loads(pickle.dumps(node)) is node


def test_draws_are_numbered_and_kept_through_changes():
    node = parse("poisson(a)*poisson(a) + rand() + something() + something()").node
    calls = [(part.op, part.occurrence) for part in walk(node) if isinstance(part, n.Call)]
    assert calls == [("poisson", 0), ("poisson", 1), ("rand", 2), ("something", 3), ("something", 4)]
    changed = substitute(node, {"a": n.Name("b")})
    assert [(p.op, p.occurrence) for p in walk(changed) if isinstance(p, n.Call)] == calls
    assert parse("poisson(b)*poisson(b) + rand() + something() + something()").node is changed


def test_functions_of_their_arguments_are_shared():
    assert count(parse("exp(a) + exp(a)").node, n.Call) == 1


def test_calls_of_unknown_functions_are_told_apart():
    assert count(parse("f(a)*f(a)").node, n.Call) == 2  # whether they give one value is known later
