"""PoissonGroup: statistics against closed forms, rates of all kinds, and what it drives."""

from __future__ import annotations

import numpy as np
import pytest

from rall.codegen.kernel import lower
from rall.codegen.printer import print_c
from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.magic import run
from rall.model import SHARED, Elementwise, Model, Variable
from rall.plugins.inputs import PoissonGroup, TimedArray
from rall.plugins.monitors import SpikeMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import prefs, seed
from rall.simulation import Network
from rall.units import Hz, Quantity, ms, mV, second


def spikes_of(source, duration, *more):
    """Elements and steps of all spikes of a run."""
    monitor = SpikeMonitor(source)
    Network(getattr(source, "group", source), *more, monitor).run(duration)
    return np.array(monitor.i), np.rint(monitor.t_ / 1e-4).astype(int)


# --- statistics ---


@pytest.mark.parametrize("row", range(3))
def test_counts_lie_where_bernoulli_draws_lie(row, poisson_table):
    case = poisson_table[row]
    seed(20 + row)
    group = PoissonGroup(case["cells"], case["rate_Hz"] * Hz)
    i, step = spikes_of(group, case["T_s"] * second)
    low, high = case["accept_99_99_bernoulli"]
    assert low <= len(i) <= high
    order = np.lexsort((step, i))
    gaps = np.diff(step[order])[np.diff(i[order]) == 0]
    assert gaps.min() >= 1
    # 1 - rate*dt is the variance of a step over its mean; of intervals it is the square of CV.
    assert abs(gaps.std() / gaps.mean() - case["cv_isi_bernoulli"]) < 4 / np.sqrt(len(gaps))


def test_each_element_and_step_draws_for_itself(target):
    seed(3)
    i, step = spikes_of(PoissonGroup(200, 2000 * Hz, dt=0.1 * ms), 40 * ms)
    drawn = np.zeros((400, 200))
    drawn[step, i] = 1
    p, n = 0.2, drawn.size
    assert abs(drawn.mean() - p) < 4 * np.sqrt(p * (1 - p) / n)
    centred = (drawn - p) / np.sqrt(p * (1 - p))
    for neighbours in (centred[1:] * centred[:-1], centred[:, 1:] * centred[:, :-1]):
        assert abs(neighbours.mean()) < 4 / np.sqrt(n)


def test_certain_and_impossible_spikes(target):
    i, step = spikes_of(PoissonGroup(3, [0, 10000, 20000] * Hz), 1 * ms)
    np.testing.assert_array_equal(i, [1, 2] * 10)
    np.testing.assert_array_equal(step, np.repeat(np.arange(10), 2))


def test_devices_agree_in_every_spike():
    found = {}
    for device in ("c", "numpy"):
        prefs.codegen.target = device
        seed(8)
        found[device] = spikes_of(PoissonGroup(50, "(100 + i)*Hz*(1 + sin(2*pi*t/(20*ms)))"), 100 * ms)
    assert len(found["c"][0]) > 200
    np.testing.assert_array_equal(found["c"], found["numpy"])


def test_the_order_of_objects_does_not_matter():
    found = []
    for swap in (False, True):
        seed(5)
        groups = [PoissonGroup(20, 100 * Hz, name="one"), PoissonGroup(20, 100 * Hz, name="other")]
        monitors = [SpikeMonitor(group) for group in groups]
        objects = [*groups, *monitors]
        Network(*(objects[::-1] if swap else objects)).run(50 * ms)
        found.append([(m.i.tolist(), m.t_.tolist()) for m in monitors])
        del groups, monitors, objects
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]


def test_a_seed_gives_the_same_spikes_and_runs_go_on_with_others():
    seed(9)
    group = PoissonGroup(100, 100 * Hz)
    monitor = SpikeMonitor(group)
    net = Network(group, monitor)
    net.run(20 * ms)
    net.run(20 * ms)
    first = np.array(monitor.i), np.array(monitor.t_)
    seed(9)
    group = PoissonGroup(100, 100 * Hz)
    monitor = SpikeMonitor(group)
    Network(group, monitor).run(40 * ms)
    np.testing.assert_array_equal(first[0], monitor.i)
    np.testing.assert_array_equal(first[1], monitor.t_)


# --- rates ---


def test_one_rate_goes_to_all_and_can_be_set_between_runs(target):
    group = PoissonGroup(4, 0 * Hz)
    assert isinstance(group.rates[:], Quantity)
    monitor = SpikeMonitor(group)
    net = Network(group, monitor)
    net.run(1 * ms)
    assert monitor.num_spikes == 0
    group.rates = 10000 * Hz
    np.testing.assert_array_equal(group.rates / Hz, np.full(4, 10000.0))
    net.run(1 * ms)
    assert monitor.num_spikes == 40
    group.rates[1:] = 0 * Hz
    net.run(1 * ms)
    assert monitor.num_spikes == 50
    group.rates = "i*5000*Hz"
    np.testing.assert_allclose(group.rates_, [0, 5000, 10000, 15000])


def test_text_is_evaluated_in_every_step(target):
    group = PoissonGroup(3, rates="on(t)*factor*int(i != 1)")
    monitor = SpikeMonitor(group)
    names = {"on": TimedArray([0, 1, 0], dt=1 * ms), "factor": 10000 * Hz}
    Network(group, monitor).run(3 * ms, namespace=names)
    np.testing.assert_array_equal(monitor.i, [0, 2] * 10)
    np.testing.assert_allclose(np.unique(monitor.t_), np.arange(10, 20) * 1e-4)


def test_text_takes_columns_and_the_given_namespace():
    group = PoissonGroup(2, "table(t, i)", namespace={"table": TimedArray([[0, 10], [10, 0]] / ms, dt=1 * ms)})
    i, step = spikes_of(group, 2 * ms)
    np.testing.assert_array_equal(i, [1] * 10 + [0] * 10)
    np.testing.assert_array_equal(step, np.arange(20))


def test_rates_of_text_can_be_read_and_not_set():
    base = 5 * Hz
    group = PoissonGroup(3, "base*(1 + i)", name="sources")
    np.testing.assert_allclose(group.rates / Hz, [5, 10, 15])
    base = 6 * Hz
    assert group.rates[1] == 2 * base
    with pytest.raises(RallError, match=r"rates of 'sources' were given as text, 'base\*\(1 \+ i\)'"):
        group.rates = 5 * Hz


def test_random_rates_draw_apart_from_the_spikes(target):
    seed(2)
    # If both were one draw, x < x would never hold.
    i, _ = spikes_of(PoissonGroup(1000, "rand()/dt"), 2 * ms)
    assert abs(len(i) - 10000) < 4 * np.sqrt(20000 / 4)


def test_code_sets_rates_in_a_run(target):
    group = PoissonGroup(2, 0 * Hz)
    group.run_regularly("rates = 10000*Hz*int(t > 0.95*ms)*i", dt=1 * ms)
    i, step = spikes_of(group, 2 * ms)
    np.testing.assert_array_equal(i, np.ones(10))
    np.testing.assert_array_equal(step, np.arange(10, 20))


# --- parts, synapses, schedule ---


def test_parts_by_slice_list_and_condition(target):
    rates = np.array([0, 1, 0, 1, 1, 0]) * 10000 * Hz
    for chosen, expected in ((slice(1, 4), [0, 2]), ([0, 3], [1]), ("i >= 3", [0, 1])):
        group = PoissonGroup(6, rates)
        part = group[chosen]
        monitor = SpikeMonitor(part)
        Network(group, monitor).run(0.1 * ms)
        assert monitor.i.tolist() == expected
        assert part.rates[expected[0]] == 10000 * Hz


def test_synapses_deliver_after_their_delay(target):
    source = PoissonGroup(4, [0, 10000, 0, 10000] * Hz)
    neurons = NeuronGroup(2, "v : 1\nfirst : second")
    synapses = Synapses(source[1:], neurons, on_pre="v += 1; first = first + int(first == 0*second)*t", delay=0.5 * ms)
    synapses.connect(i=[0, 2, 2], j=[0, 0, 1])
    Network(source, neurons, synapses).run(1 * ms)
    # Ten steps, of which the last five reach nobody any more.
    np.testing.assert_array_equal(neurons.v[:], [10, 5])
    np.testing.assert_allclose(neurons.first_[:], 5e-4)


def test_the_slot_of_the_threshold_is_the_users_choice(target):
    late = PoissonGroup(1, 10000 * Hz, when="end", order=2)
    assert late.event_order("spike") == ("end", 2)
    neurons = NeuronGroup(1, "v : 1")
    synapses = Synapses(late, neurons, on_pre="v += 1")
    synapses.connect()
    Network(late, neurons, synapses).run(1 * ms)
    # What is emitted at the end of a step is seen by the synapses of the next one.
    assert neurons.v[0] == 9


def test_own_clock(target):
    _, step = spikes_of(PoissonGroup(1, 1000 * Hz, dt=1 * ms), 5 * ms)
    np.testing.assert_array_equal(step, [0, 10, 20, 30, 40])


def test_the_magic_network_finds_it():
    group = PoissonGroup(10, 10000 * Hz)
    monitor = SpikeMonitor(group)
    run(1 * ms)
    assert monitor.num_spikes == 100


def test_store_and_restore():
    seed(4)
    group = PoissonGroup(50, 200 * Hz, name="stored")
    monitor = SpikeMonitor(group)
    net = Network(group, monitor)
    net.run(10 * ms)
    net.store()
    net.run(20 * ms)
    before = monitor.i.tolist(), monitor.t_.tolist()
    group.rates = 0 * Hz
    net.restore(restore_random_state=True)
    assert group.rates[0] == 200 * Hz
    net.run(20 * ms)
    assert (monitor.i.tolist(), monitor.t_.tolist()) == before
    net.restore()
    net.run(20 * ms)
    assert (monitor.i.tolist(), monitor.t_.tolist()) != before


def test_the_loop_of_a_kernel_has_no_branch():
    group = PoissonGroup(8, 10 * Hz)
    seed_variable = Variable("_seed", SHARED, kind="integer")
    (operation, _) = group.operations(Model((group,), seed_variable))
    assert isinstance(operation, Elementwise)
    text = print_c(lower(operation)[0])
    body = text[text.index("#pragma omp simd") :]
    assert "rall_draw_rand(" in body
    assert "if" not in body and "?" not in body


# --- errors ---


def test_what_is_no_rate_is_refused():
    for wrong in (5 * mV, 5, [1, 2, 3], None):
        with pytest.raises(DimensionMismatchError, match="rates of 'bad' are rates such as 10"):
            PoissonGroup(3, wrong, name="bad")
    with pytest.raises(RallError, match="takes one value or 3"):
        PoissonGroup(3, [1, 2] * Hz)
    with pytest.raises(RallError, match="number of elements of a PoissonGroup is a whole number from 1 on"):
        PoissonGroup(0, 5 * Hz)
    group = PoissonGroup(3, "5*mV")
    with pytest.raises(EquationError, match=r"(?s)hertz, but .* volt.*rates = 5\*mV"):
        Network(group).run(1 * ms)
    with pytest.raises(EquationError, match="unheard"):
        Network(PoissonGroup(3, "unheard*Hz")).run(1 * ms)
    group = PoissonGroup(3, 5 * Hz, name="good")
    with pytest.raises(DimensionMismatchError, match="cannot set 'rates'"):
        group.rates = 5 * mV
    with pytest.raises(AttributeError, match="no variable or attribute 'rate'"):
        group.rate = 5 * Hz
    with pytest.raises(RallError, match="'good' has no event 'burst'"):
        group.events_of("burst")
