"""Steady states and time constants from equations, whoever wrote them."""

import numpy as np
import pytest

from rall import channels
from rall.channels import gates
from rall.equations import Equations
from rall.errors import EquationError, RallError
from rall.units import kelvin, mM, ms, mV, second

V = np.linspace(-90, 40, 27) * mV
X = np.linspace(-90, 40, 27)


def test_shapes_and_units():
    found = gates("dm/dt = (0.25 - m)/(3*ms) : 1", V)
    assert list(found) == ["m"]
    steady, tau = found["m"]
    assert steady.shape == tau.shape == V.shape
    assert np.all(steady == 0.25) and np.allclose(tau, 3 * ms)
    one = gates("dm/dt = (0.25 - m)/(3*ms) : 1", -65 * mV)["m"]
    assert one.steady.shape == () and one.tau == 3 * ms
    square = gates(channels.hh.Na, np.ones((2, 3)) * -65 * mV)
    assert square["h_Na"].tau.shape == (2, 3)


def test_functions_text_and_equations_are_channels():
    for channel in (channels.hh.K, channels.hh.K(), str(channels.hh.K())):
        values = {"T": 279.45 * kelvin} if isinstance(channel, str) else {}
        assert gates(channel, -65 * mV, **values)["n_K"].steady == pytest.approx(0.3176769)
    with pytest.raises(RallError, match="a channel is equations"):
        gates(3, V)


def test_values_of_the_users():
    text = Equations("dm/dt = (1/(1 + exp((V_half - v)/k)) - m)/tau : 1\ntau : second (constant)", V_half=-40 * mV)
    found = gates(text, V, k=5 * mV, tau=2 * ms)["m"]
    assert np.allclose(found.steady, 1 / (1 + np.exp((-40 - X) / 5)))
    slow = gates(text, V, k=5 * mV, tau=np.arange(1, 28) * ms)["m"]
    assert np.allclose(slow.tau, np.arange(1, 28) * ms)
    with pytest.raises(RallError, match=r"'k', which has no default value here; give one: k=\.\.\."):
        gates(text, V, tau=2 * ms)
    with pytest.raises(EquationError, match="'tau' was given as 2 mV, and its line says second"):
        gates(text, V, k=5 * mV, tau=2 * mV)
    with pytest.raises(RallError, match=r"no parameter 'tua'.*did you mean 'tau'"):
        gates(text, V, k=5 * mV, tua=2 * ms)
    with pytest.raises(EquationError, match="voltages are in volt"):
        gates(text, X)


def test_concentrations_have_their_defaults():
    text = Equations(
        "dz/dt = (Ca/(Ca + 1e-3*mM) - z)/(1*ms) : 1\nCa : mM (constant, ion Ca)", defaults={"Ca": 1e-3 * mM}
    )
    assert np.all(gates(text, V)["z"].steady == 0.5)
    assert np.allclose(gates(text, V, Ca=3e-3 * mM)["z"].steady, 0.75)
    pooled = text + "dCa/dt = (2e-3*mM - Ca)/second : mM"
    assert np.allclose(gates(pooled, V, Ca=1e-3 * mM)["z"].steady, 0.5)


def test_what_is_no_gate_is_left_out():
    text = """
    dx/dt = (1 - x**2)/ms : 1
    dw/dt = 3*hertz : 1
    du/dt = -u/ms : volt
    dm/dt = (0.5 - m)/ms : 1
    """
    assert list(gates(text, V)) == ["m"]
    assert gates(channels.leak, V) == {}


def test_a_gate_that_needs_another_takes_its_steady_state():
    text = "da/dt = (1/(1 + exp(-v/(10*mV))) - a)/ms : 1\ndb/dt = (a**2 - b)/((1 + a)*ms) : 1"
    found = gates("\n".join(reversed(text.split("\n"))), V)
    a = 1 / (1 + np.exp(-X / 10))
    assert np.allclose(found["b"].steady, a**2)
    assert np.allclose(found["b"].tau, (1 + a) * ms)


def test_gates_that_follow_at_once():
    text = """
    I = g*m**3*h*block*(E - v) : amp/meter**2 (membrane current)
    m = 1/(1 + exp(-v/(10*mV))) : 1
    dh/dt = (0.3 - h)/ms : 1
    block = h*2 : 1
    g = 1*siemens/meter**2 : siemens/meter**2
    E = 0*mV : volt
    """
    found = gates(text, V)
    assert list(found) == ["h", "m"]
    assert np.allclose(found["m"].steady, 1 / (1 + np.exp(-X / 10))) and np.all(found["m"].tau == 0 * second)


SCHEME = """
up = 2*exp(v/(20*mV))/ms : hertz
down = 0.5*exp(-v/(30*mV))/ms : hertz
dC1/dt = down*C2 - 2*up*C1 : 1
dC2/dt = 2*up*C1 - (down + up)*C2 + 2*down*O : 1
"""


def test_states_of_a_scheme():
    """Two independent gates as a scheme: binomial occupancies, and the time constant of one gate."""
    up, down = 2 * np.exp(X / 20), 0.5 * np.exp(-X / 30)
    open_ = up / (up + down)
    for last in ("dO/dt = up*C2 - 2*down*O : 1", "O = 1 - C1 - C2 : 1"):
        found = gates(SCHEME + last, V)
        assert np.allclose(found["C1"].steady, (1 - open_) ** 2, rtol=1e-10)
        assert np.allclose(found["C2"].steady, 2 * open_ * (1 - open_), rtol=1e-10)
        assert np.allclose(found["C2"].tau, ms / (up + down), rtol=1e-9)
    assert np.allclose(gates(SCHEME + "dO/dt = up*C2 - 2*down*O : 1", V)["O"].steady, open_**2, rtol=1e-10)


def test_a_scheme_can_hold_less_than_one():
    assert gates(SCHEME + "O = 0.5 - C1 - C2 : 1", 0 * mV)["C1"].steady == pytest.approx(0.5 * 0.2**2)


def test_values_replace_gates():
    assert list(gates(SCHEME + "dO/dt = up*C2 - 2*down*O : 1", V, O=0.0)) == ["C1", "C2"]
