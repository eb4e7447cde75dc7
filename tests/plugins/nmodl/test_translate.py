"""Statements of all kinds become the lines they mean, or a located error."""

import numpy as np
import pytest

from rall import NmodlError, Soma, SpatialNeuron, cm, load_mod, mV, ohm, start_scope, uF, um
from rall.plugins.nmodl.parser import parse
from rall.plugins.nmodl.translate import translate

HEAD = """
NEURON { SUFFIX x NONSPECIFIC_CURRENT i RANGE g, out GLOBAL q }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { g = 1e-4 (S/cm2) q = 2 }
ASSIGNED { v (mV) i (mA/cm2) out dt (ms) celsius (degC) minf mtau (ms) mexp a[3] }
STATE { m }
"""
CURRENT = "BREAKPOINT { SOLVE go METHOD cnexp i = g*m*(v + 60) }\nINITIAL { m = 0.1 }\n"


@pytest.fixture
def mod(tmp_path):
    def make(text):
        path = tmp_path / "x.mod"
        path.write_text(text)
        return load_mod(path)

    return make


def value(mod, body, more="", v=-50.0, m=0.25):
    """The right-hand side of m' of a DERIVATIVE with this body, per ms."""
    return slope(mod(HEAD + CURRENT + f"DERIVATIVE go {{ {body} }}\n{more}").equations, v, m)


def slope(equations, v, m=0.25):
    """What m' is at a voltage, per ms."""
    start_scope()
    lines = "\n".join(
        f"rate = ({line.expr})*ms : 1" if line.varname == "m_x" and line.kind == "differential equation" else str(line)
        for line in equations.lines
    )
    cell = SpatialNeuron(Soma(20 * um), f"{lines}\nm_x : 1", Cm=1 * uF / cm**2, Ri=100 * ohm * cm)
    for name, start in equations.defaults.items():
        setattr(cell, name, start)
    cell.v, cell.m_x = v * mV, m
    return float(cell.rate[0])


# --- procedures, functions, branches, loops ---


def test_functions_and_procedures_are_followed(mod):
    more = "FUNCTION f(x) { LOCAL y  y = x*x  f = y + g2(x, 3) }\nFUNCTION g2(a, b) { g2 = a - b }\n"
    assert value(mod, "minf = f(0.5) m' = (minf - m)/4(ms)", more) == pytest.approx((0.25 + 0.5 - 3 - 0.25) / 4)


def test_assigned_variables_keep_their_names(mod):
    equations = mod(HEAD + CURRENT + "DERIVATIVE go { minf = 1/(1 + exp(-v/9(mV))) m' = (minf - m)/5(ms) }").equations
    assert equations["m_x"].expr == "(minf_x - m_x)/(5*ms)"
    assert equations["minf_x"].expr == "1/(1 + exp(-v/(9*mV)))"


def test_a_variable_assigned_twice_is_two_values(mod):
    body = "LOCAL k k = 2 minf = k*m k = 5 m' = (minf + k)/1(ms)"
    assert value(mod, body) == pytest.approx(2 * 0.25 + 5)
    body = "minf = 2*m mtau = minf*1(ms) minf = minf + 1 m' = minf/mtau"
    assert value(mod, body) == pytest.approx((0.5 + 1) / 0.5)


@pytest.mark.parametrize(("v", "expected"), [(-50.0, 1.0), (-30.0, 2.0), (10.0, 3.0)])
def test_branches_become_conditionals(mod, v, expected):
    body = "IF (v < -40) { minf = 1 } ELSE IF (v < 0) { minf = 2 } ELSE { minf = 3 } m' = minf/1(ms)"
    assert value(mod, body, v=v) == expected


def test_a_branch_may_leave_a_value_as_it_was(mod):
    body = "minf = v/1(mV) if (minf < -20) { minf = -20 } m' = minf/1(ms)"
    assert value(mod, body, v=-50.0) == -20.0
    assert value(mod, body, v=-10.0) == -10.0


def test_a_branch_on_a_parameter_leaves_what_was_before_the_run(mod):
    body = "if (q > 5) { minf = v/1(mV) } m' = (minf + 1)/1(ms)"
    assert value(mod, body) == 1.0


def test_something_computed_once_is_computed(mod):
    text = HEAD + "LOCAL last\n" + CURRENT
    body = "if (last != q) { last = q  minf = q*3 } m' = minf/1(ms)"
    assert slope(mod(text + f"DERIVATIVE go {{ {body} }}").equations, -50.0) == 6.0


def test_loops_and_arrays_are_written_out(mod):
    body = "FROM k = 0 TO 2 { a[k] = k*k + m } m' = (a[0] + a[1] + a[2])/1(ms)"
    assert value(mod, body) == pytest.approx(5 + 3 * 0.25)
    body = "LOCAL n, s n = 4 s = 0 WHILE (n > 0) { s = s + n n = n - 1 } m' = s/1(ms)"
    assert value(mod, body) == 10.0


def test_values_of_initial_are_there(mod):
    text = HEAD + CURRENT.replace("m = 0.1", "out = q*7 m = 0.1")
    assert slope(mod(text + "DERIVATIVE go { m' = out/1(ms) }").equations, -50.0) == 14.0


# --- gates that procedures advance ---


@pytest.mark.parametrize(
    "body",
    [
        "m = m + (1 - exp(-dt/mtau))*(minf - m)",
        "mexp = 1 - exp(-dt/mtau) m = m + mexp*(minf - m)",
        "mexp = exp(-dt/mtau) m = minf + (m - minf)*mexp",
        "mexp = exp(-dt/mtau) m = m*mexp + minf*(1 - mexp)",
        "LOCAL s s = 1/mtau mexp = 1 - exp(dt*(-s)) m = m + mexp*(minf - m)",
        "m = m + (1 - safe(-dt/mtau))*(minf - m)",
        "m = m + dt*(minf - m)/mtau",
    ],
)
def test_steps_of_gates_are_differential_equations(mod, body):
    more = "FUNCTION safe(x) { if (x < -50) { safe = 0 } else { safe = exp(x) } }\n"
    text = HEAD + CURRENT.replace(" METHOD cnexp", "") + "PROCEDURE go() { minf = 0.75 mtau = 8 " + body + " }\n" + more
    equations = mod(text).equations
    assert slope(equations, -50.0) == pytest.approx(0.5 / 8)
    assert "dt" not in equations.identifiers


@pytest.mark.parametrize("body", ["m = minf", "m = 2*m + dt", "m = m + dt*fabs(dt - 1)*sin(dt)"])
def test_other_assignments_to_states_are_refused(mod, body):
    text = HEAD + CURRENT.replace(" METHOD cnexp", "") + "PROCEDURE go() {\n minf = 0.75\n " + body + "\n}\n"
    with pytest.raises(NmodlError, match="state 'm'") as caught:
        mod(text)
    assert caught.value.construct == "PROCEDURE" and caught.value.line == 11


# --- singular points ---


@pytest.mark.parametrize(
    "body",
    [
        "a[0] = 0.1*(v + 40)/(1 - exp(-(v + 40)/10))",
        "if (v == -40) { v = v + 0.0001 } a[0] = 0.1*(v + 40)/(1 - exp(-(v + 40)/10))",
        "a[0] = trap(-(v + 40), 10)*0.1",
        "LOCAL w w = v + 40 if (fabs(w) < 1e-4) { a[0] = 1 + w/20 } else { a[0] = 0.1*w/(1 - exp(-w/10)) }",
        "LOCAL w w = v + 40 if (fabs(w) > 1e-5) { a[0] = 0.1*w/(1 - exp(-w/10)) } else { a[0] = 1 }",
        "LOCAL w w = (v + 40)/10 if (w != 0) { a[0] = w/(1 - exp(0 - w)) } else if (w == 0) { a[0] = 1 }",
        "a[0] = 0.1*(v + 40)/(1 - exp(-0.1*v - 4))",
    ],
)
def test_singular_quotients_are_smooth(mod, body):
    more = "FUNCTION trap(x, y) { if (fabs(x/y) < 1e-6) { trap = y*(1 - x/y/2) } else { trap = x/(exp(x/y) - 1) } }\n"
    text = HEAD + CURRENT + f"DERIVATIVE go {{ UNITSOFF {body} UNITSON m' = a[0]/1(ms) }}\n{more}"
    equations = mod(text).equations
    assert " if " not in str(equations)
    assert slope(equations, -40.0) == pytest.approx(1.0, rel=1e-12)
    assert slope(equations, -23.0) == pytest.approx(1.7 / (1 - np.exp(-1.7)), rel=1e-12)


def test_inverse_quotients_are_smooth_too(mod):
    body = "mtau = (1 - exp(-(v + 40)/10))/(0.1*(v + 40)) m' = 1/mtau"
    assert value(mod, body, v=-40.0) == pytest.approx(1.0, rel=1e-12)


def test_conditions_that_matter_stay(mod):
    body = "if (fabs(v + 40) < 5) { minf = 1 } else { minf = (v + 40)/(1 - exp(-(v + 40)/10)) } m' = minf/1(ms)"
    assert value(mod, body, v=-38.0) == 1.0
    assert value(mod, body, v=-46.0) == pytest.approx(-6 / (1 - np.exp(0.6)))


# --- kinetic schemes ---

SCHEME = """
NEURON { SUFFIX k NONSPECIFIC_CURRENT i }
PARAMETER { a = 2 (/ms) b = 3 (/ms) c = 0.5 (/ms) }
ASSIGNED { v (mV) i (mA/cm2) }
STATE { C1 C2 O }
INITIAL { SOLVE go STEADYSTATE sparse }
BREAKPOINT { SOLVE go METHOD sparse i = 1e-4 (S/cm2)*O*(v + 60 (mV)) }
KINETIC go {
    ~ C1 <-> C2 (2*a, b)
    ~ C2 <-> O (a, 2*b)
    CONSERVE C1 + C2 + O = 1
}
"""


def test_reactions_are_reactions(mod):
    equations = mod(SCHEME.replace("SUFFIX k", "SUFFIX x")).equations
    assert "C1_x <-> C2_x : 2*a_x, b_x" in str(equations)
    assert equations.defaults["C1_x"] == "1"


def test_scheme_finds_its_steady_state(mod, target):
    start_scope()
    cell = SpatialNeuron(Soma(20 * um), mod(SCHEME)(), Cm=1 * uF / cm**2, Ri=100 * ohm * cm)
    cell.initialise(v=-60 * mV)
    p = 2 / (2 + 3)
    found = [float(getattr(cell, f"{name}_k")[0]) for name in ("C1", "C2", "O")]
    assert found == pytest.approx([(1 - p) ** 2, 2 * p * (1 - p), p**2], rel=1e-6)


def test_volumes_make_differential_equations(mod):
    text = SCHEME.replace("~ C1 <-> C2", "COMPARTMENT 4 { C1 }\n ~ C1 <-> C2")
    equations = mod(text).equations
    assert equations["C1_k"].expr == "(b_k*C2_k - 2*a_k*C1_k)/4"
    assert equations["O_k"].kind == "subexpression"  # what the conserved sum leaves


# --- what is refused ---


@pytest.mark.parametrize(
    ("change", "construct", "line"),
    [
        (("{ m' = -m/2(ms) }", "{\nVERBATIM\nfoo(bar);\nENDVERBATIM\nm' = -m\n}"), "VERBATIM", 10),
        (("RANGE g", "POINTER p RANGE g"), "POINTER", None),
        (("SUFFIX x", "ARTIFICIAL_CELL x"), "ARTIFICIAL_CELL", None),
        (("m' = -m/2(ms)", "m'' = -m"), "DERIVATIVE", 9),
        (("m' = -m/2(ms)", "m' = r(m) }\nFUNCTION r(x) { r = r(x) "), "FUNCTION", 10),
        (("m' = -m/2(ms)", "WHILE (v > 3) { v = v - 1 } m' = v"), "WHILE", 9),
        (("m' = -m/2(ms)", "FROM k = 0 TO v { out = k } m' = v"), "FROM", 9),
        (("m' = -m/2(ms)", "m' = nosuch(m)"), "", 9),
        (("m' = -m/2(ms)", "m' = nosuch"), "", 9),
        (("m' = -m/2(ms)", "out = out + 1 m' = out"), "", 9),
        (("m = 0.1", "out = v*2 m = 0.1 }\nFUNCTION f(x) { f = 1 "), "", None),
    ],
)
def test_refusals_say_where(mod, change, construct, line):
    text = HEAD + CURRENT + "DERIVATIVE go { m' = -m/2(ms) }"
    changed = text.replace(*change)
    if "out = v*2" in changed:
        changed = changed.replace("m' = -m/2(ms)", "m' = out")
        construct = "INITIAL"
    with pytest.raises(NmodlError) as caught:
        mod(changed)
    assert caught.value.construct == construct
    assert line is None or caught.value.line == line


def test_harmless_c_is_left_out(mod):
    body = "\nVERBATIM\n  /* nothing */ return 0;\nENDVERBATIM\n m' = -m/2(ms)"
    mechanism = mod(HEAD + CURRENT + f"DERIVATIVE go {{ {body} }}")
    assert any("VERBATIM" in notice for notice in mechanism.notices)


def test_deep_nesting_is_an_error_of_ours():
    text = HEAD + CURRENT + "DERIVATIVE go { LOCAL k k = v FROM j = 0 TO 5000 { k = sin(k) + j } m' = k/1(ms) }"
    with pytest.raises(NmodlError, match="deep"):
        translate(parse(text))


def test_initial_values_that_are_no_steady_state_are_kept(mod):
    mechanism = mod(HEAD + CURRENT + "DERIVATIVE go { m' = (0.5 - m)/2(ms) }")
    assert mechanism.equations.defaults["m_x"] == "0.1"
    assert any("'m'" in notice and "steady" in notice for notice in mechanism.notices)
    steady = mod(HEAD + CURRENT.replace("m = 0.1", "m = 0.5") + "DERIVATIVE go { m' = (0.5 - m)/2(ms) }")
    assert "m_x" not in steady.equations.defaults
