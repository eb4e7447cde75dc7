"""Lines of reactions: what they say, how they are renamed, printed and added."""

from __future__ import annotations

import pickle

import pytest

from rall import Equations, Network, NeuronGroup, mM, ms, second
from rall.errors import EquationError, NotSupportedError
from rall.ir.parse import parse
from rall.plugins.kinetics import conserved

BINDING = """
A + B <-> C : k_on, k_off
A : mM (species)
B : mM (species)
C : mM (species)
"""


def equations_of(text):
    """Right-hand sides of the species."""
    return {line.varname: line.node for line in Equations(text).expanded().differential_equations}


@pytest.mark.parametrize(
    ("reaction", "A", "B"),
    [
        ("A -> B : k", "-(k*A)", "k*A"),
        ("A <-> B : k, l", "l*B - k*A", "k*A - l*B"),
        ("2 A <-> B : k, l", "2*(l*B) - 2*(k*A**2)", "k*A**2 - l*B"),
        ("2A + B -> 3 B : k", "-(2*(k*A**2*B))", "2*(k*A**2*B)"),
        ("A + A -> B : k", "-(2*(k*A**2))", "k*A**2"),
        ("A => B : k*A/(A + l)", "-(k*A/(A + l))", "(k*A/(A + l))"),
        ("A -> B : f(x, y)", "-((f(x, y))*A)", "f(x, y)*A"),
        ("0 -> A : k\nB -> 0 : l", "k", "-(l*B)"),
        ("0 <-> A : k, l\nA -> A + B : m", "k - l*A", "m*A"),
        ("A <-> B -> 0 : k, l, m", "l*B - k*A", "k*A - l*B - m*B"),
        ("A <-> B : 2*k if v > x else k, l", "l*B - (2*k if v > x else k)*A", "(2*k if v > x else k)*A - l*B"),
    ],
)
def test_what_reactions_mean(reaction, A, B):
    found = equations_of(f"{reaction}\nA : mM (species)\nB : mM (species)")
    assert found["A"] is parse(A).node
    assert found["B"] is parse(B).node


def test_a_catalyst_stays():
    (line,) = (x for x in Equations(
        "E + A -> E + B : k\nE : mM (species)\nA : mM (species)\nB : mM (species)"
    ).expanded().differential_equations if x.varname == "E")  # fmt: skip
    assert line.expr == "0*mM/second"


def test_the_text_is_kept():
    eqs = Equations("A  +  B<->C : k_on ,  k_off  # binding\nA : mM (species)\nB : mM (species)\nC : mM (species)")
    assert str(eqs).splitlines()[0] == "A + B<->C : k_on , k_off"
    assert Equations(str(eqs)) == eqs
    assert hash(Equations(str(eqs))) == hash(eqs)
    assert pickle.loads(pickle.dumps(eqs)) == eqs
    assert eqs.names == ("A", "B", "C")
    assert eqs.identifiers == {"k_on", "k_off"}
    assert {line.type for line in eqs.lines} == {"reaction", "species declaration"}


def test_equations_are_written_out_once():
    eqs = Equations(BINDING)
    once = eqs.expanded()
    assert once.diff_eq_names == ("A", "B", "C")
    assert once.expanded() is once
    assert Equations("x : 1").expanded() == Equations("x : 1")


def test_names_and_values_by_keyword():
    eqs = Equations(BINDING, A="Ca", k_on="2*k", k_off=3 / second)
    assert str(eqs).splitlines()[0].startswith("Ca + B <-> C : (2*k), (3*hertz)")
    (first, *_) = eqs.expanded().differential_equations
    assert first.varname == "Ca"
    assert dict(eqs.bindings).popitem()[1] == 3 / second
    group = NeuronGroup(1, eqs, namespace={"k": 0 / mM / ms})
    group.C = 1 * mM
    assert group.user_equations == eqs


def test_two_schemes_keep_their_own_values():
    def scheme(name, rate):
        text = "A_X -> B_X : k\nA_X : 1 (species)\nB_X : 1 (species)".replace("X", name)
        return Equations(text, k=rate)

    both = scheme("p", 1 / second) + scheme("q", 2 / second)
    values = {line.varname: [both.bindings[inner] for _, inner in line.bound]
              for line in both.expanded().differential_equations}  # fmt: skip
    assert values == {"A_p": [1 / second], "B_p": [1 / second], "A_q": [2 / second], "B_q": [2 / second]}


def test_reactions_can_be_added_to_species():
    eqs = Equations("Ca : mM (species)") + "Ca -> 0 : k" + "0 -> Ca : j"
    assert equations_of(str(eqs))["Ca"] is parse("j - k*Ca").node


def test_sums_that_stay():
    assert conserved(BINDING) == ({"A": 1, "C": 1}, {"B": 1, "C": 1})
    assert conserved(BINDING + "C -> 0 : k") == ({"A": 1, "B": -1},)
    assert conserved(BINDING + "A -> 0 : k\nB -> 0 : k\nC -> 0 : k") == ()
    assert conserved("2 A <-> D : k, l\nA : mM (species)\nD : mM (species)") == ({"A": 1, "D": 2},)
    assert conserved("dx/dt = 3*(y - x)/tau : 1\ndy/dt = -6*(y - x)/tau : 1") == ({"x": 2, "y": 1},)
    assert conserved("dx/dt = a*(1 - x) : 1\na = exp(x)/second : hertz") == ()


@pytest.mark.parametrize("option", ["D=220*um**2/second", "shells=8", "D_long=0*um**2/second"])
def test_diffusion_is_read_and_refused(option):
    eqs = Equations(f"Ca : mM (species, {option})\nCa -> 0 : k")
    assert eqs["Ca"].flag("species").get(option.split("=")[0]) == option.split("=")[1]
    with pytest.raises(NotSupportedError, match=rf"no '{option.split('=')[0]}='(.|\n)*\n    line 1: Ca : mM"):
        NeuronGroup(1, eqs)


@pytest.mark.parametrize(("rate", "column"), [("k_on +", 16), ("k_on, 2*k_on +* k", 24), ("koff, 1/second", 10)])
def test_errors_in_rates_point_into_the_reaction(rate, column):
    with pytest.raises(EquationError) as error:
        group = NeuronGroup(1, f"A <-> B : {rate}\nA : 1 (species)\nB : 1 (species)", namespace={"k_off": 1 / second})
        Network(group).run(1 * ms)
    assert (error.value.text, error.value.line) == (f"A <-> B : {rate}", 1)
    assert error.value.column == column
