"""CurrentClamp and VoltageClamp: what they take, what they record, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.errors import DimensionMismatchError, EquationError, NumericalError, RallError
from rall.magic import run
from rall.morphology import Soma
from rall.operations import NetworkOperation
from rall.plugins.cable import CurrentClamp, VoltageClamp
from rall.plugins.inputs import TimedArray
from rall.plugins.monitors import StateMonitor
from rall.plugins.point import NeuronGroup
from rall.simulation import Network
from rall.units import Mohm, cm, kohm, mS, ms, mV, nA, ohm, pA, siemens, um

LEAK = channels.leak(g=0.1 * mS / cm**2, E=-70 * mV)
POINT = "I : amp (point current)"


@pytest.fixture
def make(stick, cell_of):
    """Cells at rest."""

    def cell(model=LEAK, v=-70 * mV, morphology=stick, **keywords):
        made = cell_of(morphology, model, **keywords)
        made.v = v
        return made

    return cell


def traces(cell, *clamps, duration=5 * ms):
    monitor = StateMonitor(cell, "v", record=True)
    Network(cell, *clamps, monitor).run(duration)
    return monitor.v_


# --- currents -------------------------------------------------------------------------------------------------------


def test_a_constant_current_is_the_point_current_of_the_equations(make, squid, target):
    plain, clamped = make(squid, -65 * mV), make(squid, -65 * mV)
    plain.I[0] = 0.3 * nA
    expected = traces(plain)
    found = traces(clamped, CurrentClamp(clamped.at("soma"), 0.3 * nA))
    assert np.ptp(expected) > 1e-3
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("method", ["second_order", "backward_euler"])
def test_a_current_of_t_and_v_is_that_of_the_equations(make, method, target):
    text = "0.2*nA*sin(2*pi*100*Hz*t) + 5*nS*(-60*mV - v)*int(t >= 1*ms)"
    plain = make(LEAK + f"I = here*({text}) : amp (point current)\nhere : 1 (constant)", cable_method=method)
    plain.here[3] = 1
    clamped = make(cable_method=method)
    expected = traces(plain)
    assert traces(clamped, CurrentClamp(clamped[3], text)) == pytest.approx(expected, abs=1e-12)


def test_values_for_several_compartments(make, target):
    plain, clamped = make(LEAK + POINT), make(LEAK)
    where = [7, 2, 0]
    plain.I[where] = [0.1, -0.2, 0.3] * nA
    clamp = CurrentClamp(clamped[where], [0.1, -0.2, 0.3] * nA)
    assert traces(clamped, clamp) == pytest.approx(traces(plain), abs=1e-12)
    assert clamp.I_ == pytest.approx([1e-10, -2e-10, 3e-10])
    assert clamp[1].I_[0] == pytest.approx(-2e-10)
    assert len(clamp) == clamp.N == 3


def test_a_text_uses_the_compartments_and_the_number_in_the_view(make, target):
    plain, clamped = make(LEAK + POINT + "\ng : siemens"), make(LEAK + "g : siemens")
    names = {"scale": 1 * nA, "factor": 0.5}
    plain.I[[4, 9]] = np.array([0.0, 0.5]) * nA + plain.distance[[4, 9]] * (1 * pA / um)
    clamped.g = "i*nS"
    clamp = CurrentClamp(clamped[[4, 9]], "i*factor*scale + distance*(1*pA/um)*(1 + 0*g/nS)", namespace=names)
    assert traces(clamped, clamp) == pytest.approx(traces(plain), abs=1e-12)


def test_timed_arrays_directly_and_in_a_text(make, target):
    values = np.array([0.0, 0.3, -0.1, 0.2])
    stimulus = TimedArray(values * nA, dt=1 * ms)
    expected = None
    for given in (stimulus, "stimulus(t)", "0.5*stimulus(t) + 0.5*stimulus(t)"):
        cell = make()
        clamp = CurrentClamp(cell.at("soma"), given, namespace={"stimulus": stimulus})
        record = StateMonitor(clamp, ["I", "amplitude"], record=True)
        seen = traces(cell, clamp, record, duration=4 * ms)
        expected = seen if expected is None else expected
        assert seen == pytest.approx(expected, abs=1e-12)
        assert record.I_[0] == pytest.approx(np.repeat(values, 10) * 1e-9, abs=1e-20)
        assert record.amplitude_[0] == pytest.approx(record.I_[0])
    assert np.ptp(expected) > 1e-3


def test_columns_of_a_timed_array_belong_to_the_compartments(make):
    stimulus = TimedArray(np.array([[0.1, 0.2], [0.3, 0.4]]) * nA, dt=1 * ms)
    cell = make()
    clamp = CurrentClamp(cell[[5, 1]], stimulus)
    record = StateMonitor(clamp, "I", record=True)
    Network(cell, clamp, record).run(2 * ms)
    assert record.I_[:, [0, 10]] == pytest.approx(np.array([[1e-10, 3e-10], [2e-10, 4e-10]]))


def test_names_that_the_clamp_has_too_are_those_of_the_user(make, target):
    I = TimedArray([0.0, 0.2] * nA, dt=1 * ms)  # noqa: E741
    amplitude, V = 0.1 * nA, -60 * mV
    cell = make(LEAK + POINT)
    current = CurrentClamp(cell.at("soma"), "I(t) + amplitude + I")  # the last one is that of the cell
    cell.I[0] = 0.05 * nA
    voltage = VoltageClamp(cell.at(cell.morphology.axon), "V + 5*mV")
    Network(cell, current, voltage).run(1.5 * ms)
    assert current.I_[0] == pytest.approx(0.35e-9)
    assert voltage.V_[0] == pytest.approx(-55e-3)
    assert I and amplitude and V


def test_clamps_on_one_compartment_add_up(make, target):
    one, two = make(), make()
    expected = traces(one, CurrentClamp(one.at("soma"), 0.3 * nA))
    halves = [CurrentClamp(two.at("soma"), 0.1 * nA), CurrentClamp(two.soma, 0.2 * nA)]
    assert traces(two, *halves) == pytest.approx(expected, abs=1e-12)
    together = VoltageClamp(one.at("soma"), -50 * mV, 2 * Mohm), VoltageClamp(one.at("soma"), -30 * mV, 2 * Mohm)
    Network(one2 := make(), *(type(c)(one2.at("soma"), c.V[:], c.series_resistance[:]) for c in together)).run(1 * ms)
    Network(other := make(), VoltageClamp(other.at("soma"), -40 * mV, 1 * Mohm)).run(1 * ms)
    assert one2.v_[:] == pytest.approx(other.v_[:], abs=1e-12)


def test_a_cell_of_one_compartment_is_a_place(make, target):
    cell = make(morphology=Soma(diameter=20 * um))
    clamp = CurrentClamp(cell, 10 * pA)
    Network(cell, clamp).run(200 * ms)
    conductance = 1.0 * np.pi * (20e-6) ** 2
    assert cell.v_[0] == pytest.approx(-0.07 + 10e-12 / conductance, abs=1e-9)


# --- voltages -------------------------------------------------------------------------------------------------------


def test_the_current_of_a_voltage_clamp_is_what_flows_through_its_resistance(make, squid, target):
    cell = make(squid, -65 * mV)
    clamp = VoltageClamp(cell.at("soma"), -20 * mV, series_resistance=2 * Mohm)
    record = StateMonitor(clamp, ["I", "v"], record=True)
    Network(cell, clamp, record).run(5 * ms)
    assert record.I_[0] == pytest.approx((-0.02 - record.v_[0]) / 2e6, rel=1e-12)
    assert clamp.I_[0] == pytest.approx((-0.02 - cell.v_[0]) / 2e6, rel=1e-12)
    assert record.I_[0, 0] == pytest.approx(0.045 / 2e6)
    assert str(clamp.I[0].dim) == "amp"


def test_a_resistance_and_a_command_for_each_compartment(make, target):
    cell = make()
    clamp = VoltageClamp(cell[[0, 8]], [-60, -40] * mV, series_resistance=[1, 5] * Mohm)
    Network(cell, clamp).run(300 * ms)
    assert clamp.I_ == pytest.approx((np.array([-0.06, -0.04]) - cell.v_[[0, 8]]) / [1e6, 5e6])
    # In the steady state the clamps carry what leaks.
    leak = 1.0 * np.asarray(cell.area_) * (cell.v_[:] + 0.07)
    assert clamp.I_.sum() == pytest.approx(leak.sum(), rel=1e-9)


def test_a_clamp_is_on_while_its_condition_holds(make, target):
    cell = make()
    clamp = VoltageClamp(cell.at("soma"), -20 * mV, 100 * kohm, on="t >= 1*ms and t < 3*ms")
    record = StateMonitor(clamp, ["I", "v", "on"], record=True)
    Network(cell, clamp, record).run(5 * ms)
    on = (record.t_ > 0.99e-3) & (record.t_ < 2.99e-3)
    np.testing.assert_array_equal(record.on[0], on)
    assert (record.I_[0][~on] == 0).all() and (record.I_[0][on] != 0).all()
    assert record.v_[0][:11] == pytest.approx(-0.07, abs=1e-12)
    assert record.v_[0][15:30] == pytest.approx(-0.02, abs=1e-3)
    assert (np.diff(record.v_[0][31:]) < 0).all()


def test_a_condition_that_changes_within_a_step_holds_for_whole_steps(make, target):
    cell, same = make(), make()
    traces_ = [
        traces(c, VoltageClamp(c.at("soma"), -20 * mV, 1 * kohm, on=on), duration=3 * ms)
        for c, on in ((cell, "t > 1.02*ms"), (same, "t > 1*ms"))
    ]
    assert traces_[0] == pytest.approx(traces_[1], abs=1e-12)
    assert traces_[0].max() < -0.0199


def test_a_current_that_is_on_for_some_steps(make, target):
    cell, plain = make(), make(LEAK + "I = here*0.1*nA*int(t >= 1*ms and t < 2*ms) : amp (point current)\nhere : 1")
    plain.here[0] = 1
    clamp = CurrentClamp(cell.at("soma"), 0.1 * nA, on="t >= 1*ms and t < 2*ms")
    assert traces(cell, clamp) == pytest.approx(traces(plain), abs=1e-12)


# --- as objects -----------------------------------------------------------------------------------------------------


def test_what_is_given_can_be_changed_between_and_during_runs(make, target):
    cell, clamp = (c := make()), CurrentClamp(c.at("soma"), 0 * nA)
    network = Network(cell, clamp)
    network.run(1 * ms)
    assert cell.v_[0] == pytest.approx(-0.07, abs=1e-12)
    clamp.amplitude = 0.2 * nA
    network.run(1 * ms)
    assert cell.v_[0] > -0.0699
    record = StateMonitor(clamp, "I", record=True)

    def change(t):
        clamp.amplitude = 0.3 * nA if t < 3 * ms else -0.3 * nA

    network.add(record, NetworkOperation(change, dt=1 * ms))
    network.run(2 * ms)
    assert record.I_[0, [1, 11]] == pytest.approx([3e-10, -3e-10])
    held = VoltageClamp(cell.at("soma"), -50 * mV, 100 * kohm)
    again = held.run_regularly("V += 10*mV", dt=5 * ms)
    network.add(held)
    network.run(9 * ms)
    assert held.V_[0] == pytest.approx(-0.03)
    assert cell.v_[0] == pytest.approx(-0.03, abs=1e-3)
    assert again.active


def test_a_clamp_that_is_switched_off_leaves_the_cell_alone(make, target):
    cell = make()
    clamp = VoltageClamp(cell.at("soma"), "-20*mV + 10*mV*sin(2*pi*100*Hz*t)")
    record = StateMonitor(clamp, "I", record=True)
    network = Network(cell, clamp, record)
    clamp.active = False
    network.run(1 * ms)
    assert cell.v_[:] == pytest.approx(-0.07, abs=1e-12)
    assert clamp.I_[0] == 0 and not record.I_.any()
    clamp.active = True
    network.run(1 * ms)
    assert cell.v_[0] > -0.03 and record.I_[0, 10:].all()


def test_states_are_stored_and_restored(make, target):
    cell = make()
    clamp = VoltageClamp(cell.at("soma"), -40 * mV, 5 * Mohm)
    sine = CurrentClamp(cell[4], "0.1*nA*sin(2*pi*100*Hz*t)")
    network = Network(cell, clamp, sine)
    network.run(2 * ms)
    network.store()
    network.run(2 * ms)
    first = cell.v_[:].copy()
    clamp.V, clamp.series_resistance = -10 * mV, 1 * Mohm
    network.run(2 * ms)
    network.restore()
    assert clamp.V_[0] == pytest.approx(-0.04) and clamp.series_resistance_[0] == pytest.approx(5e6)
    network.run(2 * ms)
    np.testing.assert_array_equal(cell.v_[:], first)


def test_the_magic_network_finds_clamps_and_names_number_them(make):
    cell = make()
    clamp, other = CurrentClamp(cell.at("soma"), 0.1 * nA), CurrentClamp(cell[3], 0.1 * nA, name="mine")
    another = CurrentClamp(cell[4], 0 * nA)
    run(1 * ms)
    assert cell.v_[0] > -0.0699
    assert other.name == "mine"
    assert clamp.name.startswith("currentclamp") and another.name not in (clamp.name, "mine")
    assert clamp.clock is cell.clock
    assert f"clamped by '{clamp.name}'" in clamp.describe_element(0)


def test_a_clamp_without_its_cell_is_refused(make):
    cell = make()
    with pytest.raises(RallError, match="depends on 'spatialneuron"):
        Network(CurrentClamp(cell.at("soma"), 0.1 * nA)).run(1 * ms)


def test_values_in_a_namespace_and_where_it_is_run(make):
    cell = make()
    clamp = CurrentClamp(cell.at("soma"), "strength*x", namespace={"strength": 0.1 * nA})
    network = Network(cell, clamp)
    network.run(1 * ms, namespace={"x": 2})
    assert clamp.I_[0] == pytest.approx(2e-10)


def test_random_amplitudes_differ_from_step_to_step(make, target):
    cell = make()
    clamp = CurrentClamp(cell[[0, 4]], "randn()*0.1*nA")
    v = traces(cell, clamp)
    steps = np.diff(v[[0, 4]], axis=1)
    assert (steps > 0).any() and (steps < 0).any()
    assert abs(np.corrcoef(steps)[0, 1]) < 0.9


def test_parameters_of_a_region(cell_of, stick, target):
    cell = cell_of(stick, {"all": LEAK, "dend": "strength : amp (constant)\nw = v/mV : 1\ndx/dt = -x/ms : 1"})
    cell.v = -70 * mV
    cell.strength = "i*10*pA"
    clamp = CurrentClamp(cell[[6, 3]], "strength")
    Network(cell, clamp).run(1 * ms)
    assert clamp.I_ == pytest.approx([60e-12, 30e-12])
    with pytest.raises(EquationError, match=r"'strength' lives on 'dend'.*compartment 0"):
        CurrentClamp(cell.at("soma"), "strength")
    for name in ("w", "x"):
        with pytest.raises(EquationError, match=rf"'{name}' of '.*' changes with its gates"):
            CurrentClamp(cell[3], f"{name}*nA")


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "target", "message"),
    [
        (CurrentClamp, lambda c: c, "has 16 compartments: say where its CurrentClamp sits"),
        (VoltageClamp, lambda c: NeuronGroup(2, "v : volt"), "a VoltageClamp sits on compartments of a cell"),
        (CurrentClamp, lambda c: "soma", "such as cell.at\\('soma'\\), not on 'soma'"),
        (CurrentClamp, lambda c: c[[1, 3, 1]], "compartment 1 .* is there twice"),
        (VoltageClamp, lambda c: c["apical"], "needs a compartment, and there is none"),
    ],
)
def test_targets_that_are_no_places(make, what, target, message):
    with pytest.raises(RallError, match=message):
        what(target(make()), 0 * nA if what is CurrentClamp else 0 * mV)


def test_units_of_values(make):
    here = make().at("soma")
    with pytest.raises(DimensionMismatchError, match=r"cannot set 'amplitude' of 'currentclamp.*' to 3 mV"):
        CurrentClamp(here, 3 * mV)
    with pytest.raises(DimensionMismatchError, match=r"cannot set 'V' of 'voltageclamp.*' to 3 nA"):
        VoltageClamp(here, 3 * nA)
    with pytest.raises(DimensionMismatchError, match="series_resistance"):
        VoltageClamp(here, 0 * mV, series_resistance=1 * siemens)
    with pytest.raises(DimensionMismatchError, match=r"amplitude of 'currentclamp.*' is in amp, .* gives volt"):
        CurrentClamp(here, TimedArray([1, 2] * mV, dt=1 * ms))
    with pytest.raises(RallError, match="takes one value or 1"):
        CurrentClamp(here, [1, 2] * nA)
    with pytest.raises(RallError, match="cannot set 'amplitude'"):
        CurrentClamp(here, None)


def test_units_of_texts_show_the_text(make):
    cell = make()
    for clamp, shown in (
        (VoltageClamp(cell.at("soma"), "3*nA + 0*I"), r"V of '.*' is in volt, and '3\*nA \+ 0\*I' gives amp"),
        (CurrentClamp(cell.at("soma"), "3*mV"), r"amplitude of 'currentclamp.*' is in amp, and '3\*mV' gives volt"),
        (CurrentClamp(cell.at("soma"), 1 * nA, on="t"), r"on of 'currentclamp.*' is a condition, and 't' is a value"),
        (CurrentClamp(cell.at("soma"), "t > 1*ms"), r"amplitude of 'currentclamp.*' is a value, and .* is a condition"),
        (CurrentClamp(cell.at("soma"), "nA + I*mV"), "amplitude = nA"),
        (CurrentClamp(cell.at("soma"), "missing*nA"), "'missing' is not known here"),
        (CurrentClamp(cell.at("soma"), "amplitude*2"), "'amplitude' is not known here"),
    ):
        with pytest.raises(EquationError, match=shown) as problem:
            Network(cell, clamp).run(1 * ms, namespace={"I": 1 * nA})
        assert "_outer_" not in str(problem.value) and clamp.name in str(problem.value)
        cell.network = None


@pytest.mark.parametrize("text", ["", "1*nA : amp\nx : 1", "1*", "x = 3"])
def test_texts_that_are_no_expressions(make, text):
    with pytest.raises(EquationError):
        CurrentClamp(make().at("soma"), text)


def test_what_else_is_refused(make):
    cell = make()
    here = cell.at("soma")
    for ohms in (0 * ohm, -1 * Mohm, np.nan * ohm):
        with pytest.raises(RallError, match=r"series_resistance of 'voltageclamp.*' must be above zero"):
            VoltageClamp(here, 0 * mV, series_resistance=ohms)
    with pytest.raises(RallError, match=r"on of 'currentclamp.*' is a condition as text"):
        CurrentClamp(here, 0 * nA, on=True)
    with pytest.raises(EquationError, match="white noise is not possible"):
        CurrentClamp(here, "xi*nA*ms**0.5")
    with pytest.raises(RallError, match="no finite value for each of its 2 compartments"):
        CurrentClamp(cell[[0, 1]], TimedArray(np.zeros((3, 1)) * nA, dt=1 * ms))
    clamp = CurrentClamp(here, 0 * nA)
    with pytest.raises(RallError, match="follows from its amplitude; set that"):
        clamp.I = 1 * nA
    text = CurrentClamp(here, "1*nA")
    with pytest.raises(RallError, match=r"'amplitude' of 'currentclamp.*' is computed"):
        text.amplitude = 1 * nA


def test_a_resistance_that_is_set_to_nothing_stops_the_next_run(make):
    cell = make()
    clamp = VoltageClamp(cell.at("soma"), 0 * mV)
    clamp.series_resistance = 0 * ohm
    with pytest.raises(RallError, match="must be above zero"):
        Network(cell, clamp).run(1 * ms)


def test_a_command_that_is_no_number_names_the_compartment(make):
    cell = make()
    clamp = VoltageClamp(cell.at("soma"), TimedArray([0, np.nan] * mV, dt=1 * ms))
    with pytest.raises(NumericalError, match="compartment 0"):
        Network(cell, clamp).run(3 * ms)


