"""Units of numbers and variables, from the equations in which they stand."""

from __future__ import annotations

import random

import pytest

from rall.errors import EquationError
from rall.plugins.nmodl.inference import Formula
from rall.plugins.nmodl.inference import infer as infer_units
from rall.plugins.nmodl.syntax import Binary, Call, Conditional, Name, Number, Place
from rall.plugins.nmodl.units import UnitTable


@pytest.mark.parametrize(
    ("line", "units", "text"),
    [
        ("a = 0.01*(v+55)/(1-exp(-(v+55)/10))", {"a": "/ms"},
         "0.01/ms/mV*(v + 55*mV)/(1 - exp(-(v + 55*mV)/(10*mV)))"),
        ("a = 4*0.07*exp(-v/20)", {"a": "/ms"}, "4*0.07/ms*exp(-v/(20*mV))"),
        ("i = 0.001*g*(v-e)", {"i": "mA/cm2", "g": "mS/cm2", "e": "mV"}, "g*(v - e)"),
        ("i = (1e-3)*2*g*(v-e)", {"i": "mA/cm2", "g": "mS/cm2", "e": "mV"}, "2*g*(v - e)"),
        ("c' = -(1e4)*i/(2*F*d) + (c0 - c)/tau",
         {"c": "mM", "i": "mA/cm2", "F": "coulomb/mole", "d": "um", "c0": "mM", "tau": "ms"},
         "-i/(2*F*d) + (c0 - c)/tau"),
        ("q = 2.3^((34-21)/10)", {}, "2.3**((34 - 21)/10)"),
        ("q = q10^((celsius-22)/10)", {}, "q10**((celsius - 22*kelvin)/(10*kelvin))"),
        ("e = 1000*R*(273.15+celsius)/F*log(co/c)",
         {"e": "mV", "R": "joule/mole-degC", "F": "coulomb/mole", "c": "mM", "co": "mM"},
         "R*(273.15*kelvin + celsius)/F*log(co/c)"),
        ("w = 0.001*z*96520*v/(8.3134*(celsius + 273))", {},
         "z*(96520*coulomb/mole)*v/(8.3134*joule/mole/kelvin*(celsius + 273*kelvin))"),
        ("x = 96485*v", {"x": "mV"}, "96485*v"),
        ("z = 1/(1+(0.00043/c)^4.8)", {"c": "mM"}, "1/(1 + (0.00043*mM/c)**4.8)"),
        ("z = c^2/(c^2 + 0.01^2)", {"c": "mM"}, "c**2/(c**2 + (0.01*mM)**2)"),
        ("g = 3*sqrt(a*b)", {"g": "S", "a": "S", "b": "S"}, "3*sqrt(a*b)"),
        ("g = sqrt(4*a)", {"g": "S", "a": "S"}, "sqrt(4*siemens*a)"),
        ("x = exp(6*0.4*(v+48)/26.12)", {}, "exp(6*0.4*(v + 48*mV)/(26.12*mV))"),
        ("x = fabs(v - 3) < 1e-6", {}, "int(abs(v - 3*mV) < 1e-6*mV)"),
        ("x = fmax(v, 0)", {"x": "mV"}, "max(v, 0*mV)"),
        ("x = 0", {"x": "mV"}, "0*mV"),
        ("x = 5 (mV) + v", {}, "5*mV + v"),
        ("x = 10 (mM)", {}, "10*mM"),
        ("x = pow(c, 2)", {"c": "mM", "x": "mM2"}, "c**2"),
        ("x = 2*3*4", {}, "2*3*4"),
        ("x = 1/(1 + (c/k)^1.3)", {"c": "mM"}, "1/(1 + (c/k)**1.3)"),
        ("x = 2*(c/k)^n", {"c": "mM", "k": "mM"}, "2*(c/k)**n"),
        ("x' = (1 - x)/5", {}, "(1 - x)/(5*ms)"),
        ("x = v*10", {"x": "nA"}, "v*(10*uS)"),
        ("x = t - 3 + dt", {}, "t - 3*ms + dt"),
        ("x = area*0.5/(diam*2)", {"x": "um"}, "area*0.5/(diam*2)"),
        ("x = (v > -20) * 3", {"x": "mA/cm2"}, "int(v > -20*mV)*(3*mA/cm**2)"),
    ],
)  # fmt: skip
def test_one_formula(infer, line, units, text):
    found = infer(line, **units)
    assert found.messages == []
    assert found.texts == [text]


def test_a_channel_with_undeclared_variables(infer):
    found = infer(
        """
        qt = 2.3^((34-21)/10)
        a = (0.055*(-27-v))/(exp((-27-v)/3.8) - 1)
        b = (0.94*exp((-75-v)/17))
        minf = a/(a + b)
        mtau = (1/(a + b))/qt
        m' = (minf-m)/mtau
        g = gbar*m*m
        ica = g*(v-eca)
        """,
        ica="mA/cm2", gbar="S/cm2", eca="mV", options={"file": "x.mod"},
    )  # fmt: skip
    assert found.texts == [
        "2.3**((34 - 21)/10)", "0.055/ms/mV*(-27*mV - v)/(exp((-27*mV - v)/(3.8*mV)) - 1)",
        "0.94/ms*exp((-75*mV - v)/(17*mV))", "a/(a + b)", "1/(a + b)/qt", "(minf - m)/mtau", "gbar*m*m", "g*(v - eca)",
    ]  # fmt: skip
    assert {name: found.units[name] for name in ("a", "b", "minf", "mtau", "m", "qt", "g")} == {
        "a": "1/ms", "b": "1/ms", "minf": "1", "mtau": "ms", "m": "1", "qt": "1", "g": "siemens/cm**2",
    }  # fmt: skip
    assert found.notices == (
        "x.mod: a, b have no unit in the file; taken as 1/ms",
        "x.mod: mtau has no unit in the file; taken as ms",
        "x.mod: g has no unit in the file; taken as siemens/cm**2",
    )


def test_values_tell_what_a_constant_is(infer):
    lines = "w = z*FARADAY*v/(R*(celsius + 273))/1000\nu = ten*t"
    found = infer(lines, options={"values": {"FARADAY": 96520.0, "R": 8.31, "ten": 10.0}})
    assert {name: found.units[name] for name in ("FARADAY", "R", "z", "w", "ten")} == {
        "FARADAY": "coulomb/mole", "R": "joule/mole/kelvin", "z": "1", "w": "1", "ten": "1",
    }  # fmt: skip
    found = infer("i = F*v", i="nA", options={"values": {"F": 9.65}})  # what the equations say counts more
    assert found.units["F"] == "uS"


def test_later_formulas_give_units_to_earlier_ones(infer):
    found = infer("tau = 5 + 3*exp(v/7)\nx = 2*tau\ny' = (1 - y)/x")
    assert found.texts == ["5*ms + 3*ms*exp(v/(7*mV))", "2*tau", "(1 - y)/x"]


def test_plain_numbers_where_nothing_asks_for_units(infer):
    found = infer("x = 2*y + 3\nz = x^2.5*exp(-y/4)\nw = 0.12*z")
    assert set(found.units[name] for name in "xyzw") == {"1"}
    assert found.notices == ()


@pytest.mark.parametrize(
    ("lines", "carrier"),
    [
        ("a = k*0.1*3*exp(v/4)", "k"),  # a parameter rather than a number
        ("a = 1*0.1*3*exp(v/4)", "0.1"),  # a broken number rather than a whole one
        ("a = 1*3*exp(v/4)", "3"),  # any number rather than 1
        ("a = 1000*0.3*exp(v/4)", "0.3"),  # a power of ten is a factor
    ],
)
def test_who_carries_the_unit(infer, lines, carrier):
    found = infer(lines, a="/ms")
    if carrier.isidentifier():
        assert found.units[carrier] == "1/ms"
    else:
        assert f"{carrier}/ms" in found.texts[0]
    assert found.messages == []


def test_gates_have_no_unit(infer):
    found = infer("i = g*m*(v - e)\nm' = (1 - m)/tau", i="mA/cm2", g="mS/cm2", e="mV", tau="ms")
    assert found.units["m"] == "1"
    assert found.texts[0] == "g*m*(v - e)*1000"
    assert found.messages == ["line 2: 'i' is in mA/cm**2, but 'g*m*(v - e)' is in uA/cm**2"]


def test_a_state_may_be_a_concentration(infer):
    found = infer("c' = (rest - c)/tau\ncai = c", cai="mM", tau="ms")
    assert (found.units["c"], found.units["rest"]) == ("mM", "mM")


@pytest.mark.parametrize(
    ("line", "units", "text", "message"),
    [
        ("i = g*v + v", {"i": "nA", "g": "uS"}, "g*v + v*uS",
         "line 2: 'g*v' is in nA and 'v' is in mV, which '+' cannot join"),
        ("tau = (28 + exp(-(v+22)/10.5))/q", {"tau": "ms", "q": "1"},
         "(28 + exp(-(v + 22*mV)/(10.5*mV)))/q*ms",
         "line 2: 'tau' is in ms, but '(28 + exp(-(v + 22)/10.5))/q' has no unit"),
        ("x = exp(v)", {}, "exp(v/mV)", "line 2: 'v' is in mV, and exp() takes a number without a unit"),
        ("x = (c/2)^n + c^n", {"c": "mM"}, "(c/(2*mM))**n + (c/mM)**n",
         "line 2: 'c' is in mM, and '^n' takes a number without a unit"),
        ("x = 2^v", {}, "2**(v/mV)", "line 2: 'v' is in mV, and an exponent takes a number without a unit"),
        ("x = v < t", {}, "int(v < t*mV/ms)", "line 2: 'v' is in mV and 't' is in ms, which '<' cannot join"),
        ("m' = 1 - m", {}, "(1 - m)/ms", "line 2: 'm'' is in 1/ms, but '1 - m' has no unit"),
        ("m' = c - m", {"c": "mM"}, "(c - m)/ms", "line 2: 'm'' is in mM/ms, but 'c - m' is in mM"),
        ("x = fmin(v, t)", {"x": "mV"}, "min(v, t*mV/ms)",
         "line 2: 'v' is in mV and 't' is in ms, which fmin() cannot join"),
        ("x = v", {"x": "1"}, "v/mV", "line 2: 'x' has no unit, but 'v' is in mV"),
        ("x = g*v", {"x": "S/cm2", "g": "1"}, "g*v/mV*siemens/cm**2", None),
        ("x = v", {"x": "volt"}, "v*1000", None),
    ],
)  # fmt: skip
def test_what_does_not_fit(infer, line, units, text, message):
    found = infer(line, **units)  # numbers and dimensions are checked in there
    assert len(found.messages) == 1
    if message is not None:
        assert found.messages == [message]
        assert found.notices[-1] == f"{message}; the numbers are taken as NEURON takes them"
    if "siemens" not in text:
        assert found.texts == [text]


def test_the_rest_of_a_file_keeps_its_units(infer):
    found = infer("x = v + t\ntau = 3\ny' = (1 - y)/tau")
    assert found.texts[1:] == ["3*ms", "(1 - y)/tau"]
    assert len(found.messages) == 1


def test_strict():
    formula = Formula("x", Binary("+", Name("v"), Name("t")), Place(23, 5))
    with pytest.raises(EquationError, match=r"Ih.mod:23: 'v' is in mV and 't' is in ms, which '\+' cannot join"):
        infer_units([formula], {}, file="Ih.mod", strict=True)


def test_lenient(infer):
    found = infer(
        "i = 0.001*g*(v-e)\nm' = (1 - m)/tau\nx = v > 3 && t",
        i="mA/cm2", g="mS/cm2", e="mV", tau="ms", options={"lenient": True},
    )  # fmt: skip
    assert found.texts == [
        "0.001*(g/(mS/cm**2))*(v/mV - e/mV)*mA/cm**2", "(1 - m)/(tau/ms)/ms", "int(v/mV > 3 and t/ms != 0)",
    ]  # fmt: skip
    assert found.units["m"] == "1"
    assert found.messages == []


def test_branches_have_one_unit(infer):
    node = Conditional(Binary("<", Name("v"), Number("3")), Number("5"), Binary("*", Number("2"), Name("t")))
    found = infer([Formula("x", node)])
    assert found.texts == ["5*ms if v < 3*mV else 2*t"]
    wrong = Conditional(Name("t"), Name("v"), Name("t"))
    found = infer([Formula("x", wrong, Place(4, 1))])
    assert found.texts == ["v if sign(t) != 0 else t*mV/ms"]
    assert found.messages == ["line 4: 'v' is in mV and 't' is in ms, which IF and ELSE cannot join"]


def test_equal_numbers_may_have_different_units(infer):
    found = infer("x = (v - 10)/10 + 10*(t - 10)", x="1")
    assert found.texts == ["(v - 10*mV)/(10*mV) + 10/ms*(t - 10*ms)"]


def test_one_node_in_two_formulas_may_have_two_units(infer):
    ten = Number("10")
    found = infer([Formula("x", Binary("+", Name("v"), ten)), Formula("y", Binary("+", Name("t"), ten))])
    assert found.texts == ["v + 10*mV", "t + 10*ms"]


def test_functions_of_equations_with_units(infer):
    found = infer_units(
        [Formula("e", Call("nernst", (Number("2"), Name("c"), Name("co"), Name("T"))))],
        {name: UnitTable().unit(text) for name, text in (("c", "mM"), ("co", "mM"), ("T", "degC"))},
    )
    assert found.text(0) == "nernst(2, c, co, T)"
    assert str(found.units["e"]) == "mV"


def test_unknown_unit_of_a_number():
    with pytest.raises(EquationError, match="'furlong' in '\\(furlong\\)' is no unit"):
        infer_units([Formula("x", Number("3", "furlong"))], {})


# --- any formulas ---

_NAMES = {"v": "", "t": "", "c": "mM", "g": "S/cm2", "k": "mV", "n": "1", "i": "mA/cm2", "a": "/ms", "x": "", "y": ""}
_LITERALS = ("1", "2", "10", "0.001", "0.12", "1e4", "37.5")


def _any(source, depth):
    kind = source.random()
    if depth == 0 or kind < 0.2:
        return Name(source.choice(list(_NAMES))) if source.random() < 0.5 else Number(source.choice(_LITERALS))
    if kind < 0.8:
        operator = source.choice(("+", "-", "*", "*", "/", "<"))
        return Binary(operator, _any(source, depth - 1), _any(source, depth - 1))
    if kind < 0.85:
        return Binary("^", Call("fabs", (_any(source, depth - 1),)), Number(source.choice(("2", "0.5", "1.3"))))
    if kind < 0.9:
        return Call("fmax", (_any(source, depth - 1), _any(source, depth - 1)))
    if kind < 0.95:
        return Call("exp", (Binary("/", _any(source, depth - 1), Number("1e4")),))
    return Conditional(_any(source, 1), _any(source, depth - 1), _any(source, depth - 1))


@pytest.mark.parametrize("seed", range(60))
def test_any_formulas_keep_neurons_numbers(infer, seed):
    source = random.Random(seed)
    formulas = [
        Formula(source.choice("xyacign"), _any(source, source.randint(1, 5)), rate=source.random() < 0.2)
        for _ in range(8)
    ]
    units = {name: text for name, text in _NAMES.items() if text}
    for options in ({}, {"lenient": True}):
        infer(formulas, options=options, **units)
