"""What the parser makes of NMODL: blocks, declarations, statements, expressions, whole files."""

from __future__ import annotations

import pytest

from rall.errors import NmodlError
from rall.plugins.nmodl.parser import failure, parse, read
from rall.plugins.nmodl.syntax import (
    Assign,
    Binary,
    Block,
    Call,
    CallStatement,
    Compartment,
    Conserve,
    Declaration,
    Diffusion,
    For,
    If,
    Index,
    Ion,
    Local,
    Name,
    Neuron,
    Number,
    Opaque,
    Place,
    Rate,
    Reaction,
    Solve,
    Table,
    Text,
    Unary,
    Unit,
    Watch,
    While,
)


def block(text: str) -> Block:
    """The only block of a text."""
    (found,) = parse(text).blocks
    return found


def body(statements: str, kind: str = "PROCEDURE f()") -> tuple:
    return block(f"{kind} {{ {statements} }}").body


def value(expression: str):
    """The tree of an expression."""
    (statement,) = body(f"x = {expression}")
    assert isinstance(statement, Assign)
    return statement.value


def shown(expression: str) -> str:
    """An expression with all its parentheses."""

    def show(node) -> str:
        match node:
            case Binary(operator=sign, left=left, right=right):
                return f"({show(left)} {sign} {show(right)})"
            case Unary(operator=sign, operand=operand):
                return f"({sign}{show(operand)})"
            case Number(text=text):
                return text
            case Call(name=name, arguments=arguments):
                return f"{name}({', '.join(map(show, arguments))})"
            case Index(name=name, index=index):
                return f"{name}[{show(index)}]"
            case Name(name=name):
                return name

    return show(value(expression))


# --- expressions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        # as in the C that NEURON's compiler (9.0) makes of them
        ("-x^2", "(-(x ^ 2))"),
        ("a^b^c", "(a ^ (b ^ c))"),
        ("2^-x", "(2 ^ (-x))"),
        ("2^-x*3", "((2 ^ (-x)) * 3)"),
        ("2^-x^3*b", "((2 ^ (-(x ^ 3))) * b)"),
        ("-a^-b^2", "(-(a ^ (-(b ^ 2))))"),
        ("-a*b", "((-a) * b)"),
        ("a*-b", "(a * (-b))"),
        ("a--b", "(a - (-b))"),
        ("--a", "(-(-a))"),
        ("!a < b", "((!a) < b)"),
        ("!a^2", "(!(a ^ 2))"),
        ("!a && b", "((!a) && b)"),
        ("a < b == c < d", "((a < b) == (c < d))"),
        ("a == b < c", "(a == (b < c))"),
        ("a || b && c", "(a || (b && c))"),
        ("a && b || c", "((a && b) || c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a/b*c", "((a / b) * c)"),
        ("a + b*c^d", "(a + (b * (c ^ d)))"),
        ("(a + b)*c", "((a + b) * c)"),
        ("a >= b + 1 != c <= d", "((a >= (b + 1)) != (c <= d))"),
        ("f(a, -b)^2", "(f(a, (-b)) ^ 2)"),
        ("q[i + 1]^2", "(q[(i + 1)] ^ 2)"),
        ("exp(-(v + 5)/10)", "exp(((-(v + 5)) / 10))"),
        ("x<-5", "(x < (-5))"),
    ],
)
def test_operators_bind_as_in_neuron(text, meant):
    assert shown(text) == meant


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", Number("5")),
        ("5.", Number("5.")),
        (".5", Number(".5")),
        ("1.5e-3", Number("1.5e-3")),
        ("1E+4", Number("1E+4")),
        ("37(degC)", Number("37", "degC")),
        ("5 ( mA/cm2 )", Number("5", "mA/cm2")),
        ("5 (\N{MICRO SIGN}m)", Number("5", "\N{MICRO SIGN}m")),
        ("2 ()", Number("2", "")),
        ("1 (mV : no comment)", Number("1", "mV : no comment")),
        ("(1e-3)", Number("1e-3", None, True)),
        ("(.1)", Number(".1", None, True)),
        ("((2))", Number("2", None, True)),
        ("(2 (mV))", Number("2", "mV", False)),
    ],
)
def test_numbers_with_units_and_factors(text, number):
    assert value(text) == number


def test_a_number_knows_its_value():
    assert value("1.5e-3").value == 1.5e-3


def test_a_factor_is_a_factor_in_the_midst():
    assert value("(1e-3)*x") == Binary("*", Number("1e-3", None, True), Name("x"))


def test_calls_take_texts_and_nothing():
    assert body('printf("%g : ?\\n", x) f()') == (
        CallStatement(Call("printf", (Text("%g : ?\\n"), Name("x")))),
        CallStatement(Call("f", ())),
    )


def test_names_with_primes_and_earlier_steps():
    assert value("m' + m'0 + s@2") == Binary("+", Binary("+", Name("m'"), Name("m'0")), Name("s@2"))


# --- statements -----------------------------------------------------------------------------------------------------


def test_assignments_and_rates():
    assert body("x = 1 y[2] = 3", "DERIVATIVE d") == (
        Assign(Name("x"), Number("1")),
        Assign(Index("y", Number("2")), Number("3")),
    )
    assert body("m' = -m s'[i] = 2 z'' = a", "DERIVATIVE d") == (
        Rate(Name("m"), Unary("-", Name("m"))),
        Rate(Index("s", Name("i")), Number("2")),
        Rate(Name("z"), Name("a"), 2),
    )


def test_implicit_rates():
    assert body("~ m' = -m", "DERIVATIVE d") == (Rate(Name("m"), Unary("-", Name("m"))),)
    (equation,) = body("~ c*v' = i", "DERIVATIVE d")
    assert isinstance(equation, Reaction)
    assert equation.arrow == "="


def test_conditions_in_upper_and_lower_case():
    text = "IF (a) { x = 1 } ELSE IF (b) { x = 2 } ELSE { x = 3 }"
    first, second, third = (Assign(Name("x"), Number(digit)) for digit in "123")
    assert body(text) == (If(Name("a"), (first,), (If(Name("b"), (second,), (third,)),)),)
    assert body(text.replace("IF", "if").replace("ELSE", "else")) == body(text)


def test_loops():
    assert body("WHILE (a < 2) { a = 2 } while (a) { }") == (
        While(Binary("<", Name("a"), Number("2")), (Assign(Name("a"), Number("2")),)),
        While(Name("a"), ()),
    )
    assert body("FROM i = 0 TO n-1 { } FROM i=0 TO 4 BY 2 { x = i }") == (
        For("i", Number("0"), Binary("-", Name("n"), Number("1")), None, ()),
        For("i", Number("0"), Number("4"), Number("2"), (Assign(Name("x"), Name("i")),)),
    )


def test_local_variables_anywhere():
    assert body("LOCAL a, b[3] a = 1 LOCAL c") == (
        Local((("a", None), ("b", Number("3")))),
        Assign(Name("a"), Number("1")),
        Local((("c", None),)),
    )


def test_braces_alone_keep_what_is_local_to_them():
    assert body("{ x = 1 }") == (Assign(Name("x"), Number("1")),)
    assert body("{ LOCAL y }") == (If(Number("1"), (Local((("y", None),)),)),)


def test_solve_in_its_forms():
    assert body(
        "SOLVE a SOLVE b METHOD cnexp SOLVE c STEADYSTATE sparse SOLVE d METHOD euler IFERROR { x = 1 }", "BREAKPOINT"
    ) == (Solve("a"), Solve("b", "cnexp"), Solve("c", "sparse", True), Solve("d", "euler"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("TABLE FROM -100 TO 100 WITH 200", ()),
        ("TABLE a FROM 0 TO x WITH 20", ("a",)),
        ("TABLE a, b DEPEND dt, celsius FROM -(1) TO 1 WITH 20", ("a", "b")),
        ("TABLE DEPEND dt FROM 0 TO 1 WITH 20", ()),
    ],
)
def test_tables(text, names):
    assert body(text) == (Table(names),)


def test_what_is_kept_as_it_is_written():
    assert body("VERBATIM\n  return } 0;\n ENDVERBATIM rest\n x = 1") == (
        Opaque("VERBATIM", "\n  return } 0;"),
        Assign(Name("x"), Number("1")),
    )
    assert body("CONDUCTANCE g USEION na CONDUCTANCE h", "BREAKPOINT") == (
        Opaque("CONDUCTANCE", "g USEION na"),
        Opaque("CONDUCTANCE", "h"),
    )
    assert body("LAG v BY k MUTEXLOCK PROTECT n = n + 1 MUTEXUNLOCK") == (
        Opaque("LAG", "v BY k"),
        Opaque("MUTEXLOCK"),
        Assign(Name("n"), Binary("+", Name("n"), Number("1"))),
        Opaque("MUTEXUNLOCK"),
    )


# --- kinetic schemes and equations ----------------------------------------------------------------------------------


def test_reactions():
    assert body("~ A + 2 B <-> C[1] (kf, 1/kb) ~ A -> (k) ~ A << (-i) ~ A < < (0)", "KINETIC s") == (
        Reaction(
            ((1, Name("A")), (2, Name("B"))),
            ((1, Index("C", Number("1"))),),
            "<->",
            (Name("kf"), Binary("/", Number("1"), Name("kb"))),
        ),
        Reaction(((1, Name("A")),), (), "->", (Name("k"),)),
        Reaction(((1, Name("A")),), (), "<<", (Unary("-", Name("i")),)),
        Reaction(((1, Name("A")),), (), "<<", (Number("0"),)),
    )


def test_what_surrounds_reactions():
    text = "COMPARTMENT i, v[i]*2 { a b } COMPARTMENT w { c } LONGITUDINAL_DIFFUSION i, D { a } CONSERVE a + 2 b = 1"
    assert body(text, "KINETIC s") == (
        Compartment("i", Binary("*", Index("v", Name("i")), Number("2")), ("a", "b")),
        Compartment("", Name("w"), ("c",)),
        Diffusion("i", Name("D"), ("a",)),
        Conserve(((Number("1"), Name("a")), (Number("2"), Name("b"))), Number("1")),
    )


def test_equations_are_added_up():
    assert body("~ a = b ~+ c = d ~ e = 0", "LINEAR l") == (
        Reaction((), (), "=", (Binary("+", Name("a"), Name("c")), Binary("+", Name("b"), Name("d")))),
        Reaction((), (), "=", (Name("e"), Number("0"))),
    )
    assert body("~ x^2 = 2", "NONLINEAR l SOLVEFOR x, y")[0].arrow == "="


# --- blocks ---------------------------------------------------------------------------------------------------------


def test_functions_and_procedures():
    assert block("FUNCTION f(x (mV), y) (mA/cm2) { f = x }") == Block(
        "FUNCTION", "f", (("x", "mV"), ("y", None)), "mA/cm2", (Assign(Name("f"), Name("x")),)
    )
    assert block("PROCEDURE p() { }") == Block("PROCEDURE", "p")
    assert block("FUNCTION_TABLE t(v (mV)) (/ms)") == Block("FUNCTION_TABLE", "t", (("v", "mV"),), "/ms")


@pytest.mark.parametrize("kind", ["INITIAL", "BREAKPOINT", "CONSTRUCTOR", "DESTRUCTOR"])
def test_blocks_without_names(kind):
    assert block(f"{kind} {{ x = 1 }}") == Block(kind, "", body=(Assign(Name("x"), Number("1")),))


@pytest.mark.parametrize("kind", ["DERIVATIVE", "KINETIC", "LINEAR", "NONLINEAR", "DISCRETE"])
def test_blocks_with_names(kind):
    assert block(f"{kind} a {{ }}") == Block(kind, "a")


@pytest.mark.parametrize("where", ["BREAKPOINT", "SOLVE", "INITIAL", "STEP"])
@pytest.mark.parametrize("kind", ["BEFORE", "AFTER"])
def test_blocks_around_others(kind, where):
    assert block(f"{kind} {where} {{ x = 1 }}") == Block(kind, where, body=(Assign(Name("x"), Number("1")),))


def test_net_receive():
    found = block(
        """NET_RECEIVE (w (uS), y) {
            INITIAL { y = 0 }
            FOR_NETCONS (w, y) { y = 2 }
            WATCH (v > 3) 2, (v < 1) 3
            net_send(1, 2)
        }"""
    )
    assert found.arguments == (("w", "uS"), ("y", None))
    assert found.initial == Block("INITIAL", "", body=(Assign(Name("y"), Number("0")),))
    assert found.body == (
        Opaque("FOR_NETCONS", "(w, y) { y = 2 }"),
        Watch(Binary(">", Name("v"), Number("3")), Number("2")),
        Watch(Binary("<", Name("v"), Number("1")), Number("3")),
        CallStatement(Call("net_send", (Number("1"), Number("2")))),
    )


# --- declarations ---------------------------------------------------------------------------------------------------


def test_the_neuron_block():
    text = """NEURON {
        POINT_PROCESS syn REPRESENTS [NCIT:C17145]
        USEION ca READ cai, eca WRITE ica VALENCE 2 REPRESENTS CHEBI:29108
        USEION cl WRITE icl VALENCE -1
        NONSPECIFIC_CURRENT i, j
        ELECTRODE_CURRENT e
        RANGE a, b
        RANGE c : more
        GLOBAL d
        POINTER p BBCOREPOINTER q
        EXTERNAL x RANDOM r THREADSAFE
    }"""
    assert parse(text).neuron == Neuron(
        "POINT_PROCESS",
        "syn",
        (Ion("ca", ("cai", "eca"), ("ica",), 2.0), Ion("cl", (), ("icl",), -1.0)),
        ("i", "j"),
        ("e",),
        ("a", "b", "c"),
        ("d",),
        ("p", "q"),
        ("x",),
        ("r",),
    )


@pytest.mark.parametrize("text", ["USEION x VALENCE 3 READ ex WRITE ix", "USEION x WRITE ix CHARGE 3 READ ex"])
def test_the_order_within_an_ion_is_free(text):
    assert parse(f"NEURON {{ SUFFIX a {text} }}").neuron.ions == (Ion("x", ("ex",), ("ix",), 3.0),)


def test_several_neuron_blocks_are_one():
    found = parse("NEURON { SUFFIX a RANGE b } NEURON { RANGE c }").neuron
    assert found == Neuron("SUFFIX", "a", ranges=("b", "c"))


@pytest.mark.parametrize("text", ["PARAMETER { a = 1 }", "NEURON { RANGE a }", ""])
def test_a_mechanism_without_a_name_is_called_as_its_file(text):
    found = parse(text, "folder/leak.mod").neuron
    assert (found.kind, found.name) == ("SUFFIX", "leak")


def test_units():
    text = "UNITS { (mV) = (millivolt) F = (faraday) (coulombs) k = 1.5e3 (m/s) c = (foot) -> (inch) n = 2 () }"
    assert parse(text).units == (
        Unit("mV", False, "millivolt"),
        Unit("F", True, "faraday", "coulombs"),
        Unit("k", True, "1.5e3", "m/s"),
        Unit("c", True, "foot", "inch"),
        Unit("n", True, "2", ""),
    )


def test_parameters():
    text = "DEFINE N 4 PARAMETER { a = -1e-3 (mV) <0, 1e9> b = 2 c (degC) d x[N] (um) y[2] z = 1 <-1, 2> (mM) k = N }"
    assert parse(text).declarations == (
        Declaration("a", "PARAMETER", "mV", -1e-3, limits=(0.0, 1e9)),
        Declaration("b", "PARAMETER", None, 2.0),
        Declaration("c", "PARAMETER", "degC"),
        Declaration("d", "PARAMETER"),
        Declaration("x", "PARAMETER", "um", length=4),
        Declaration("y", "PARAMETER", length=2),
        Declaration("z", "PARAMETER", "mM", 1.0, limits=(-1.0, 2.0)),
        Declaration("k", "PARAMETER", None, 4.0),
    )


def test_states_and_the_rest():
    text = """STATE { m h[3] FROM 0 TO 1 START .5 (mM) <1e-4> }
    ASSIGNED { v (mV) i[2] (nA) }
    CONSTANT { F = 96485 (coul) q = -1 }"""
    assert parse(text).declarations == (
        Declaration("m", "STATE"),
        Declaration("h", "STATE", "mM", length=3, limits=(0.0, 1.0), start=0.5),
        Declaration("v", "ASSIGNED", "mV"),
        Declaration("i", "ASSIGNED", "nA", length=2),
        Declaration("F", "CONSTANT", "coul", 96485.0),
        Declaration("q", "CONSTANT", None, -1.0),
    )


def test_define_replaces_a_name():
    found = parse("DEFINE N 3 DEFINE M 5 LOCAL a[N] PROCEDURE f() { x[M] = N }")
    assert found.defines == (("N", 3), ("M", 5))
    assert found.locals == (Local((("a", Number("3")),)),)
    assert found.blocks[0].body == (Assign(Index("x", Number("5")), Number("3")),)


def test_what_stands_outside_blocks():
    found = parse(
        """TITLE a channel : of ours
        COMMENT of many
          words: ENDCOMMENT is not here
        ENDCOMMENT
        ? a comment
        INDEPENDENT { t FROM 0 TO 1 WITH 1 (ms) }
        VERBATIM
        #include <math.h>
        ENDVERBATIM
        LOCAL a, b"""
    )
    assert found.title == "a channel : of ours"
    assert found.comments == ("of many\n          words: ENDCOMMENT is not here",)
    assert found.opaque == (
        Opaque("INDEPENDENT", "t FROM 0 TO 1 WITH 1 (ms)"),
        Opaque("VERBATIM", "\n        #include <math.h>"),
    )
    assert found.locals == (Local((("a", None), ("b", None))),)


def test_stretches_without_units():
    text = "UNITSOFF\nPARAMETER { a = 1\nUNITSON b = 2 }\nUNITSOFF UNITSOFF\n"
    found = parse(text)
    assert [declaration.name for declaration in found.declarations] == ["a", "b"]
    assert found.unchecked == ((Place(1, 1), Place(3, 1)), (Place(4, 1), Place(5, 1)))


def test_the_dialect_of_arbor():
    found = parse(
        """NEURON { JUNCTION_PROCESS gap USEION x READ xi VALENCE zx }
        WHITE_NOISE { w u }
        INITIAL { }
        BREAKPOINT { SOLVE s METHOD stochastic LOCAL g g = 1 }
        POST_EVENT(time) { x = time }"""
    )
    assert found.neuron.kind == "JUNCTION_PROCESS"
    assert found.neuron.ions == (Ion("x", ("xi",), valence_name="zx"),)
    assert [(d.name, d.section) for d in found.declarations] == [("w", "WHITE_NOISE"), ("u", "WHITE_NOISE")]
    assert found.blocks[2] == Block("POST_EVENT", "", (("time", None),), body=(Assign(Name("x"), Name("time")),))


# --- places, files, encodings ---------------------------------------------------------------------------------------


def test_places_count_from_one():
    found = parse("\n\nPROCEDURE f() {\n\tx = a +\n  b\n}")
    (statement,) = found.blocks[0].body
    assert found.blocks[0].at == Place(3, 1)
    assert statement.at == Place(4, 2)
    assert statement.value.at == Place(4, 8)  # of the operator
    assert statement.value.right.at == Place(5, 3)


def test_places_do_not_matter_for_comparisons():
    assert parse("PROCEDURE f() { x = 1 }").blocks == parse("PROCEDURE f()\n{\n  x=1 }").blocks


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(ends):
    text = "TITLE a\nPROCEDURE f() { : one\n VERBATIM\n x\n ENDVERBATIM\n y = 1\n}\n"
    assert parse(text.replace("\n", ends)) == parse(text)
    assert parse(text.replace("\n", ends)).blocks[0].body[1].at == Place(6, 2)


def test_the_end_mark_of_dos_ends_a_file():
    assert parse("PARAMETER { a = 1 }\x1a\x00}}").declarations == (Declaration("a", "PARAMETER", None, 1.0),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "a.mod"
    path.write_bytes("TITLE \xe9t\xe9\nPARAMETER { d = 1 (\xb5m) }".encode(encoding))
    found = read(path)
    assert (found.file, found.title) == (str(path), "\xe9t\xe9")
    assert found.declarations[0].unit == "\xb5m"


def test_included_files(tmp_path, monkeypatch):
    work = tmp_path / "work"
    for folder in (tmp_path / "mod", tmp_path / "mod" / "deep", work):
        folder.mkdir()
    (tmp_path / "mod" / "a.mod").write_text('NEURON { SUFFIX a }\nINCLUDE "deep/b.inc"\nPARAMETER { z = N }', "utf-8")
    (tmp_path / "mod" / "deep" / "b.inc").write_text('DEFINE N 2\nINCLUDE "c.inc"\nINCLUDE "d.inc"', "utf-8")
    (tmp_path / "mod" / "deep" / "c.inc").write_text("PARAMETER { c = 3 }", "utf-8")
    (work / "d.inc").write_text("\nPARAMETER { d = 4 }", "utf-8")
    monkeypatch.chdir(work)
    found = read(tmp_path / "mod" / "a.mod")
    assert [(d.name, d.value) for d in found.declarations] == [("c", 3.0), ("d", 4.0), ("z", 2.0)]
    assert [text for _, text in found.included][-1] == "\nPARAMETER { d = 4 }"
    assert found.declarations[1].at == Place(2, 13, "d.inc")
    with pytest.raises(NmodlError, match=r"d\.inc, line 2: no such thing\n    PARAMETER { d = 4 }\n {16}\^") as caught:
        failure(found, found.declarations[1].at, "no such thing", "PARAMETER")
    assert (caught.value.file, caught.value.construct) == ("d.inc", "PARAMETER")


def test_a_failure_shows_the_place_in_the_file_itself():
    found = parse("NEURON { SUFFIX a }\nPARAMETER { p }", "a.mod")
    with pytest.raises(NmodlError, match=r"a\.mod, line 2: it is bad"):
        failure(found, found.declarations[0].at, "it is bad")
