"""Mechanisms from files to equations: names, values, parameters, runs on every device."""

import numpy as np
import pytest

from rall import (
    Cylinder,
    Equations,
    Soma,
    SpatialNeuron,
    StateMonitor,
    cm,
    defaultclock,
    kelvin,
    load_mod,
    mM,
    mS,
    ms,
    mV,
    ohm,
    run,
    siemens,
    start_scope,
    uF,
    um,
)
from rall.errors import EquationError, NmodlError, RallError

IH = """
NEURON {
    SUFFIX hcn
    NONSPECIFIC_CURRENT i
    RANGE gbar, g
    GLOBAL e
}
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { gbar = 1e-4 (S/cm2) <0, 1> e = -43 (mV) }
ASSIGNED { v (mV) i (mA/cm2) g (S/cm2) ninf ntau (ms) }
STATE { n }
BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar*n
    i = g*(v - e)
}
DERIVATIVE gates {
    rates(v)
    n' = (ninf - n)/ntau
}
INITIAL { rates(v) n = ninf }
PROCEDURE rates(u (mV)) {
    LOCAL k
    k = 7 (mV)
    ninf = 1/(1 + exp((u + 82 (mV))/k))
    ntau = 20 (ms) + 30 (ms)/(exp((u + 75 (mV))/k) + exp(-(u + 75 (mV))/k))
}
"""
POOL = """
NEURON { SUFFIX pool USEION ca READ ica WRITE cai RANGE depth }
UNITS { (mA) = (milliamp) (mM) = (milli/liter) (um) = (micron) F = (faraday) (coulomb) }
PARAMETER { depth = 0.2 (um) rest = 2e-4 (mM) tau = 40 (ms) }
ASSIGNED { ica (mA/cm2) }
STATE { cai (mM) }
INITIAL { cai = rest }
BREAKPOINT { SOLVE decay METHOD derivimplicit }
DERIVATIVE decay { cai' = -(1e4)*ica/(2*F*depth) - (cai - rest)/tau }
"""
CHANNEL = """
NEURON { SUFFIX cal USEION ca READ eca WRITE ica RANGE gbar }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { gbar = 1e-3 (S/cm2) }
ASSIGNED { v (mV) eca (mV) ica (mA/cm2) }
STATE { m }
BREAKPOINT { SOLVE s METHOD cnexp  ica = gbar*m*m*(v - eca) }
DERIVATIVE s { LOCAL a, b
    a = 0.2*vtrap(-(v + 30), 6)
    b = 0.5*exp(-(v + 60)/20)
    m' = a*(1 - m) - b*m
}
INITIAL { m = 0 }
FUNCTION vtrap(x, y) {
    if (fabs(x/y) < 1e-6) { vtrap = y*(1 - x/y/2) } else { vtrap = x/(exp(x/y) - 1) }
}
"""


@pytest.fixture
def mod(tmp_path):
    """From the text of a file to its mechanism."""

    def make(text, **how):
        path = tmp_path / "file.mod"
        path.write_text(text)
        return load_mod(path, **how)

    return make


def cell(model, **how):
    start_scope()
    morphology = Soma(20 * um)
    morphology.dend = Cylinder(diameter=1 * um, length=100 * um, n=4)
    return SpatialNeuron(morphology=morphology, model=model, Cm=1 * uF / cm**2, Ri=100 * ohm * cm, **how)


def text_of(equations, name):
    return str(equations[name])


def test_names_signs_and_flags(mod):
    equations = mod(IH).equations
    assert text_of(equations, "I_hcn") == "I_hcn = g_hcn*(e_hcn - v) : amp/metre**2 (membrane current)"
    assert text_of(equations, "n_hcn") == "dn_hcn/dt = (ninf_hcn - n_hcn)/ntau_hcn : 1"
    assert text_of(equations, "gbar_hcn") == "gbar_hcn : siemens/metre**2 (constant)"
    assert text_of(equations, "e_hcn") == "e_hcn : volt (shared, constant)"
    assert set(equations.names) == {"I_hcn", "n_hcn", "ninf_hcn", "ntau_hcn", "g_hcn", "gbar_hcn", "e_hcn"}
    assert float(equations.defaults["e_hcn"] / mV) == pytest.approx(-43)


def test_ion_variables_have_names_of_the_ion(mod):
    channel, pool = mod(CHANNEL).equations, mod(POOL).equations
    assert text_of(channel, "I_cal").endswith("(E_Ca - v) : amp/metre**2 (membrane current, ion Ca)")
    assert text_of(channel, "E_Ca") == "E_Ca : volt (shared, constant, ion Ca)"
    assert float(channel.defaults["E_Ca"] / mV) == 132.4579341637009
    assert text_of(pool, "E_Ca") == "E_Ca = nernst(2, Ca, Ca_o, T) : volt (ion Ca)"
    assert "I_Ca_total" in pool["Ca"].identifiers
    assert pool.defaults["T"] == 279.45 * kelvin


def test_parameters_and_their_values(mod):
    mechanism = mod(IH)
    gbar = mechanism.parameters["gbar"]
    assert (gbar.default, gbar.shared, gbar.limits[1]) == (1e-4 * siemens / cm**2, False, 1 * siemens / cm**2)
    assert mechanism.name == "hcn" and mechanism.kind == "SUFFIX"
    assert "gbar=" in repr(mechanism)
    equations = mechanism(gbar=2 * mS / cm**2, e="-40*mV", name="Ih")
    assert equations.defaults["gbar_Ih"] == 2 * mS / cm**2
    assert equations.defaults["e_Ih"] == "-40*mV"
    assert text_of(equations, "n_Ih") == "dn_Ih/dt = (ninf_Ih - n_Ih)/ntau_Ih : 1"
    assert mechanism.equations.defaults["gbar_hcn"] == 1e-4 * siemens / cm**2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"gbar": 3}, "gbar=3.siemens/cm"),
        ({"gbra": 3 * mV}, "gbar"),
        ({"gbar": 3 * mV}, "gbar"),
        ({"name": "a b"}, "a b"),
    ],
)
def test_wrong_parameters_are_named(mod, values, said):
    with pytest.raises(RallError, match=said.replace("/", ".")):
        mod(IH)(**values)


def test_temperature_is_one_for_all(mod):
    text = IH.replace("ntau = 20 (ms)", "ntau = 3^((6.3 (degC) - celsius)/10 (degC))*20 (ms)").replace(
        "ASSIGNED {", "ASSIGNED { celsius (degC)"
    )
    mechanism = mod(text)
    assert mechanism.equations.defaults["T"] == 279.45 * kelvin
    assert float(mechanism(celsius=34).defaults["T"] / kelvin) == pytest.approx(307.15)
    assert mechanism(T=300 * kelvin).defaults["T"] == 300 * kelvin
    with pytest.raises(RallError, match="celsius"):
        mechanism(celsius=34, T=300 * kelvin)


def test_a_clamped_gate_follows_its_formula(mod, target):
    neuron = cell(mod(IH)(), method="exponential_euler")
    neuron.v = -90 * mV
    neuron.gbar_hcn = 0 * siemens / cm**2
    seen = StateMonitor(neuron, "n_hcn", record=[0])
    run(10 * ms)
    arm = np.exp((-90 + 75) / 7)
    inf, tau = 1 / (1 + np.exp((-90 + 82) / 7)), 20 + 30 / (arm + 1 / arm)
    times = np.asarray(seen.t / ms)
    assert np.asarray(seen.n_hcn[0]) == pytest.approx(inf * (1 - np.exp(-times / tau)), rel=1e-9, abs=1e-12)


def test_current_is_that_of_neuron_with_its_sign_turned(mod, target):
    neuron = cell(mod(IH)(gbar=2e-4 * siemens / cm**2))
    neuron.v, neuron.n_hcn = -70 * mV, 0.25
    assert float(neuron.I_hcn[0]) == pytest.approx(2e-4 * 1e4 * 0.25 * (-0.043 + 0.070))


@pytest.mark.parametrize("v", [-80.0, -30.0, -30.000001, 11.0])
def test_singular_points_are_smooth(mod, v):
    neuron = cell(mod(CHANNEL)())
    neuron.initialise(v=v * mV)
    x = -(v + 30)
    alpha = 0.2 * (6 if abs(x) < 1e-5 else x / np.expm1(x / 6))
    beta = 0.5 * np.exp(-(v + 60) / 20)
    assert float(neuron.m_cal[0]) == pytest.approx(alpha / (alpha + beta), rel=1e-6)


def test_a_pool_reads_the_sum_of_channels(mod, target):
    defaultclock.dt = 0.01 * ms
    channel = mod(CHANNEL)
    model = channel(name="one") + channel(name="two", gbar=2e-3 * siemens / cm**2) + mod(POOL)(celsius=20)
    neuron = cell(model)
    assert float(neuron.Ca[0] / mM) == pytest.approx(2e-4)
    neuron.v, neuron.m_one, neuron.m_two = -20 * mV, 0.3, 0.6
    e = 8.31446261815324 * 293.15 / (2 * 96485.33212) * np.log(2 / 2e-4)
    assert float(neuron.E_Ca[0]) == pytest.approx(e)
    total = (10 * 0.09 + 20 * 0.36) * (e + 0.020)
    assert float(neuron.I_Ca_total[0]) == pytest.approx(total)
    before = float(neuron.Ca[0])
    run(0.01 * ms)
    slope = (float(neuron.Ca[0]) - before) / 1e-5
    assert slope == pytest.approx(total / (2 * 96485.33212 * 0.2e-6), rel=0.05)


def test_regions_take_mechanisms(mod, target):
    neuron = cell({"soma": mod(IH)(), "dend": mod(IH)(name="far") + Equations("x = 2*v : volt")})
    neuron.initialise(v=-75 * mV)
    run(1 * ms)
    assert np.all(np.isfinite(np.asarray(neuron.v)))


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NmodlError, match=r"nowhere\.mod"):
        load_mod(tmp_path / "nowhere.mod")
    with pytest.raises(RallError, match="lenient"):
        load_mod(tmp_path / "nowhere.mod", units="loose")


def test_units_that_do_not_fit(mod):
    wrong = IH.replace("i = g*(v - e)", "i = g*(v - e)*ntau")
    mechanism = mod(wrong)
    assert any("NEURON" in notice for notice in mechanism.notices)
    neuron = cell(mechanism())
    neuron.v, neuron.n_hcn = -70 * mV, 0.5
    arm = np.exp((-70 + 75) / 7)
    tau = 20 + 30 / (arm + 1 / arm)
    assert float(neuron.I_hcn[0]) == pytest.approx(-1e-4 * 0.5 * (-70 + 43) * tau * 10)
    with pytest.raises((NmodlError, EquationError), match="ntau"):
        mod(wrong, units="strict")
    relaxed = cell(mod(wrong, units="lenient")())
    relaxed.v, relaxed.n_hcn = -70 * mV, 0.5
    assert float(relaxed.I_hcn[0]) == pytest.approx(float(neuron.I_hcn[0]))


def test_lenient_takes_plain_numbers_in_the_units_of_the_file(mod):
    equations = mod(IH, units="lenient")(gbar=3e-4)
    assert float(equations.defaults["gbar_hcn"] / (siemens / cm**2)) == pytest.approx(3e-4)


def test_names_of_ions_are_kept_for_them(mod):
    text = CHANNEL.replace("SUFFIX cal", "SUFFIX Ca").replace("gbar = 1e-3 (S/cm2)", "gbar = 1e-3 (S/cm2) E = 3 (mV)")
    equations = mod(text.replace("(v - eca)", "(v - eca + E)")).equations
    assert text_of(equations, "E_Ca").endswith("(shared, constant, ion Ca)")
    assert float(equations.defaults["E2_Ca"] / mV) == pytest.approx(3)
    outside = mod(POOL.replace("SUFFIX pool", "SUFFIX o"))(name="q")
    assert "Ca_o" in outside.names and "depth_q" in outside.names


def test_a_constant_without_unit_has_that_of_its_place(mod):
    text = POOL.replace("F = (faraday) (coulomb)", "").replace("PARAMETER {", "CONSTANT { F = 96.485 }\nPARAMETER {")
    equations = mod(text.replace("2*F", "2*(1e3)*F")).equations
    assert "I_Ca_total/(2*(96.485*kcoulomb/mole)*depth_pool)" in text_of(equations, "Ca")
    cell(equations)  # dimensions are checked there


def test_a_current_that_is_read_before_it_is_written_is_the_ion_s(mod):
    text = POOL.replace("READ ica WRITE cai", "READ ica, cai WRITE cai, ica RANGE out").replace(
        "BREAKPOINT { SOLVE decay METHOD derivimplicit }",
        "BREAKPOINT { SOLVE decay METHOD derivimplicit  ica = 1e-3 (mA/cm2-mM)*cai  out = 2*ica }",
    ).replace("ASSIGNED {", "ASSIGNED { out (mA/cm2)")
    equations = mod(text).equations
    assert "I_Ca_total" in equations["Ca"].identifiers
    assert equations["out_pool"].expr == "2*-I_pool" or equations["out_pool"].expr == "-2*I_pool"
