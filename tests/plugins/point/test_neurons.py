"""NeuronGroup: variables and their values, methods, what changes between runs, random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from rall.devices.compiler import find_compiler
from rall.equations import Equations
from rall.errors import DimensionMismatchError, EquationError, IndexOutOfRangeError, RallError
from rall.integrators import NotIntegrable
from rall.operations import network_operation
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.session import defaultclock, prefs, seed
from rall.simulation import Network
from rall.units import ms, mV, nA, second, volt

# --- values ---------------------------------------------------------------------------------------------------


def test_values_from_numbers_arrays_and_text(target):
    group = NeuronGroup(6, "v : volt\nx : 1\nn : integer\nb : boolean\ns : 1 (shared)")
    k = 3
    group.v = "i*mV + k*mV"
    assert group.v_[:] == pytest.approx(1e-3 * (np.arange(6) + k), rel=1e-15)
    group.x["i > 3"] = 7
    group.x["v > 4*mV and i < 3"] = "i*10"
    assert group.x[:].tolist() == [0, 0, 20, 0, 7, 7]
    assert (group.v["x > 5"] / mV).tolist() == pytest.approx([5, 7, 8])
    group.n, group.b, group.s = "2*i", "i > 2", "3*N"
    assert group.n[:].tolist() == [0, 2, 4, 6, 8, 10] and group.n[:].dtype == np.int64
    assert group.b[:].tolist() == [False] * 3 + [True] * 3
    assert group.s == 18
    group.x[1:3], group.x[[4, 5]], group.x[-1] = "i", [1, 2], 9
    assert group.x[:].tolist() == [0, 1, 2, 0, 1, 9]
    group.x *= 2
    group.x[2] += 5
    group.x["i == 0"] -= 1
    assert group.x[:].tolist() == [-1, 2, 9, 0, 2, 18]
    group.v_ = 0.5
    assert group.v[3] == 0.5 * volt


def test_shared_values_are_views_of_one_value():
    group = NeuronGroup(3, "s : volt (shared)\ndouble = 2*s : volt (shared)\nx : 1")
    group.s = 2 * mV
    view = group.s
    assert group.double == 4 * mV
    group.s[:] = 3 * mV
    assert view == 3 * mV and group.s[:] == 3 * mV and float(group.s / mV) == pytest.approx(3)
    group.s += 1 * mV
    assert group.s == 4 * mV
    with pytest.raises(IndexOutOfRangeError, match=r"takes \[:\] alone, not 0"):
        group.s[0]
    with pytest.raises(RallError, match="takes one value for all"):
        group.s = [1, 2, 3] * mV
    with pytest.raises(RallError, match="'x' in 'x\\*mV' may differ"):
        group.s = "x*mV"


@pytest.mark.parametrize(
    ("assign", "error", "says"),
    [
        (lambda g: setattr(g, "v", 3), DimensionMismatchError, "volt"),
        (lambda g: setattr(g, "v", "3*nA"), EquationError, "amp"),
        (lambda g: setattr(g, "v", [1, 2] * mV), RallError, "one value or 3"),
        (lambda g: setattr(g, "w", 3 * mV), RallError, "computed by the model"),
        (lambda g: setattr(g, "vv", 3 * mV), AttributeError, "did you mean 'v'"),
        (lambda g: setattr(g, "i", 3), RallError, "cannot be set"),
        (lambda g: g.v["2*i"], EquationError, "condition"),
        (lambda g: g.v[3], IndexOutOfRangeError, "3 elements"),
    ],
)
def test_what_cannot_be_set_or_read(assign, error, says):
    group = NeuronGroup(3, "v : volt\nw = 2*v : volt")
    with pytest.raises(error, match=says):
        assign(group)


@pytest.mark.parametrize("wrong", ["v : 1", 0, -1, 2.5, 3 * nA, None])
def test_the_number_of_neurons_is_a_whole_number(wrong):
    with pytest.raises(RallError, match="number of neurons"):
        NeuronGroup(wrong, "v : 1")


def test_integers_and_booleans_stay_what_they_are(target):
    code = "n += 1; m = n % 2; q = n // 2; x = n/2; b = n < 3"
    group = NeuronGroup(2, "n : integer\nm : integer\nq : integer\nx : 1\nb : boolean", threshold="b", reset=code)
    group.b = [True, False]
    Network(group).run(1 * ms)
    assert [getattr(group, name)[0] for name in "nmqxb"] == [3, 1, 1, 1.5, False]
    assert group.n[1] == 0


def test_a_group_without_equations_has_time_and_numbers(spike_steps, target):
    group = NeuronGroup(3, "", threshold="i == 1 and t > 0.15*ms and t_in_timesteps < 4")
    assert spike_steps(group, 1 * ms) == [[], [2, 3], []]


# --- integration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "factor"),
    [
        ("exact", np.exp(-0.05)), ("linear", np.exp(-0.05)), ("exponential_euler", np.exp(-0.05)),
        (None, np.exp(-0.05)), ("euler", 0.95), ("rk2", 1 - 0.05 + 0.05**2 / 2),
        ("rk4", 1 - 0.05 + 0.05**2 / 2 - 0.05**3 / 6 + 0.05**4 / 24), (("exact", "euler"), np.exp(-0.05)),
    ],
)  # fmt: skip
def test_methods_by_name(method, factor, target):
    group = NeuronGroup(2, "dv/dt = (a - v)/(2*ms) : 1\na : 1", method=method)
    group.a = [1, 2]
    Network(group).run(1 * ms)
    assert group.v[:] == pytest.approx(np.array([1, 2]) * (1 - factor**10), rel=1e-13)


def test_the_first_method_that_fits_is_taken():
    group = NeuronGroup(1, "dv/dt = (1 - v**2)/(2*ms) : 1", method=("exact", "euler"))
    Network(group).run(0.2 * ms)
    assert group.v[0] == pytest.approx(0.05 + 0.05 * (1 - 0.05**2), rel=1e-14)
    with pytest.raises(NotIntegrable, match="not linear in 'v'"):
        Network(NeuronGroup(1, "dv/dt = (1 - v**2)/(2*ms) : 1", method="exact")).run(0.1 * ms)


def chain(v, g, tau, taug, t):
    """Exact v and g of v' = (g - v)/tau, g' = -g/taug."""
    k = taug / (taug - tau)
    return (v - k * g) * np.exp(-t / tau) + k * g * np.exp(-t / taug), g * np.exp(-t / taug)


def test_coupled_equations_are_exact_with_parameters_of_each_neuron(target):
    """New values between runs, of single neurons too, and a new step."""
    group = NeuronGroup(3, "dv/dt = (g - v)/tau : 1\ndg/dt = -g/taug : 1\ntau : second\ntaug : second (constant)",
                        method="exact")  # fmt: skip
    tau, taug = np.array([1.0, 2.0, 3.0]), np.array([7.0, 5.0, 4.5])
    group.tau, group.taug, group.g = tau * ms, taug * ms, [1, 2, -3]
    network = Network(group)
    v, g = np.zeros(3), np.array([1.0, 2.0, -3.0])
    network.run(1 * ms)
    v, g = chain(v, g, tau, taug, 1)
    assert group.v[:] == pytest.approx(v, rel=1e-12)
    group.tau[1], tau[1] = 2.5 * ms, 2.5
    defaultclock.dt = 0.25 * ms
    network.run(1 * ms)
    v, g = chain(v, g, tau, taug, 1)
    assert group.v[:] == pytest.approx(v, rel=1e-12)
    group.taug, taug = "6*ms", np.full(3, 6.0)
    network.run(2 * ms)
    assert group.v[:] == pytest.approx(chain(v, g, tau, taug, 2)[0], rel=1e-12)


def test_parameters_may_change_from_python_during_a_run(target):
    group = NeuronGroup(2, "dv/dt = (g - v)/tau : 1\ndg/dt = -g/(7*ms) : 1\ntau : second", method="exact")
    group.tau, group.g = [1, 2] * ms, 1

    @network_operation(dt=0.5 * ms)
    def change(t):
        group.tau = [1, 2] * ms + t

    Network(group, change).run(1 * ms)
    v, g = chain(np.zeros(2), np.ones(2), np.array([1.0, 2.0]), 7.0, 0.5)
    assert group.v[:] == pytest.approx(chain(v, g, np.array([1.5, 2.5]), 7.0, 0.5)[0], rel=1e-12)


def test_coupled_equations_with_a_parameter_that_code_changes(target):
    """No numbers from the start of the run will do; the solution is a formula."""
    group = NeuronGroup(1, "dv/dt = (g - v)/tau : 1\ndg/dt = -g/(7*ms) : 1\ntau : second", method="exact")
    group.tau, group.g = 1 * ms, 1
    group.run_regularly("tau += 1*ms", dt=0.5 * ms)
    Network(group).run(1 * ms)
    v, g = chain(0.0, 1.0, 2.0, 7.0, 0.5)
    assert group.v[0] == pytest.approx(chain(v, g, 3.0, 7.0, 0.5)[0], rel=1e-12)


def test_equal_time_constants_are_no_special_case(target):
    group = NeuronGroup(1, "dv/dt = (g - v)/tau : 1\ndg/dt = -g/tau : 1\ntau : second", method="exact")
    group.tau, group.g = 2 * ms, 1
    group.run_regularly("tau = 2*ms")
    Network(group).run(1 * ms)
    assert group.v[0] == pytest.approx(0.5 * np.exp(-0.5), rel=1e-13)


def test_values_of_the_caller_may_change_between_runs(target):
    group = NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact")
    group.v = 1
    network = Network(group)
    tau = 2 * ms
    network.run(1 * ms)
    tau = 1 * ms  # noqa: F841
    network.run(1 * ms)
    assert group.v[0] == pytest.approx(np.exp(-1.5), rel=1e-13)


def test_whose_value_counts(target):
    """The namespace of the group, then what the run is given, else what the caller sees."""
    a = 5  # noqa: F841
    group = NeuronGroup(1, "dv/dt = a/ms : 1\ndw/dt = b/ms : 1", method="euler", namespace={"a": 3})
    Network(group).run(1 * ms, namespace={"a": 7, "b": 2})
    assert (group.v[0], group.w[0]) == (pytest.approx(3), pytest.approx(2))


def test_values_and_names_put_into_equations(target):
    equations = Equations("dv/dt = -v/tau : 1", tau=3 * ms) + Equations("dX/dt = -X/tau : 1", X="w", tau=2 * ms)
    group = NeuronGroup(1, equations, method="exact")
    group.v, group.w = 1, 2
    Network(group).run(1 * ms)
    assert (group.v[0], group.w[0]) == (pytest.approx(np.exp(-1 / 3)), pytest.approx(2 * np.exp(-0.5)))


def test_shared_equations_and_values_that_hold_for_a_step(traces, target):
    model = """
    s = t/ms : 1 (shared)
    x = s + i : 1
    held = t/ms : 1 (constant over dt)
    dv/dt = x/ms : 1
    dw/dt = held/ms : 1
    """
    group = NeuronGroup(2, model, method="rk4")
    v, w = traces(group, ["v", "w"], 1 * ms)
    t = np.arange(10) / 10
    assert v == pytest.approx(np.array([t**2 / 2, t**2 / 2 + t]))
    assert w[0] == pytest.approx(np.concatenate([[0], np.cumsum(0.1 * t[:-1])]))


def test_random_values_that_hold_for_a_step(traces, target):
    group = NeuronGroup(50, "x = rand() : 1 (constant over dt)\ny = x - x : 1\ndv/dt = x/ms : 1", method="euler")
    x, y, v = traces(group, ["x", "y", "v"], 2 * ms)
    assert (y == 0).all()
    # A monitor reads at the start of a step, when x is that of the step already.
    assert v[:, 1:] == pytest.approx(np.cumsum(0.1 * x, axis=1)[:, :-1], abs=1e-12)
    assert len(np.unique(x)) == x.size


# --- noise and seeds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["euler", "heun", None])
def test_noise_of_an_ornstein_uhlenbeck_process(method, target):
    """Variance s**2 (1 - exp(-2 t/tau)) within four standard deviations; neurons independent of each other."""
    seed(3)
    n, tau, sigma = 4000, 5.0, 0.3
    group = NeuronGroup(n, "dv/dt = -v/(5*ms) + 0.3*sqrt(2/(5*ms))*xi : 1", method=method)
    network = Network(group)
    network.run(2 * ms)
    early = group.v[:]
    expected = sigma**2 * (1 - np.exp(-4 / tau))
    assert early.var() == pytest.approx(expected, rel=4 * np.sqrt(2 / n) + 0.02)
    network.run(20 * ms)
    assert group.v[:].var() == pytest.approx(sigma**2, rel=4 * np.sqrt(2 / n) + 0.02)
    assert abs(group.v[:].mean()) < 4 * sigma / np.sqrt(n)
    assert abs(np.corrcoef(group.v[:-1], group.v[1:])[0, 1]) < 4 / np.sqrt(n)


def noisy(n=20):
    """Neurons that draw at the start, in every step, in thresholds and in resets."""
    group = NeuronGroup(n, "dv/dt = (1 - v)/(5*ms) + 0.3*sqrt(2/(5*ms))*xi : 1", threshold="v > 1 + 0.1*rand()",
                        reset="v = 0.2*randn()", refractory=1 * ms, method="euler")  # fmt: skip
    group.v = "rand()"
    return group


def spikes_of(group, *others):
    monitor = SpikeMonitor(group)
    Network(group, monitor, *others).run(20 * ms)
    return monitor.i.tolist(), monitor.t_.tolist()


def test_a_seed_gives_the_same_numbers_whatever_else_exists(target):
    seed(11)
    first = spikes_of(noisy())
    others = [NeuronGroup(5, "dv/dt = xi/sqrt(ms) : 1", method="euler", name="unrelated")]
    seed(11)
    assert spikes_of(noisy(), *others) == first
    assert len(first[0]) > 20
    seed(12)
    assert spikes_of(noisy()) != first


def test_devices_draw_the_same_numbers():
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    found = []
    for device in ("numpy", "c"):
        prefs.codegen.target = device
        seed(5)
        found.append(spikes_of(noisy()))
    assert found[0] == found[1]


# --- reference values -------------------------------------------------------------------------------------------


def test_firing_rate_of_an_integrate_and_fire_neuron(reference, target):
    """Steps shorten each interval by less than one: v is free again 20 steps after a spike, found after its step."""
    known = reference["lif_fI"]
    model = "dv/dt = (100*Mohm*current - v)/(20*ms) : volt (unless refractory)\ncurrent : amp"
    currents = np.array(known["I_nA"])
    group = NeuronGroup(len(currents), model, threshold="v > 15*mV", reset="v = 0*mV", refractory=2 * ms)
    group.current = currents * nA
    monitor = SpikeMonitor(group)
    Network(group, monitor).run(1000 * ms)
    for k, (rate, first) in enumerate(zip(known["f_Hz"], known["first_spike_ms"])):
        times = monitor.t[monitor.i == k] / ms
        if rate == 0:
            assert len(times) == 0
            continue
        # The time of a spike is the start of the step in which v reached the threshold.
        assert first - 0.1 - 1e-6 <= times[0] <= first + 1e-6
        if len(times) > 1:
            intervals = np.diff(times)
            assert 1000 / rate - 0.1 - 1e-6 <= intervals.min() and intervals.max() <= 1000 / rate + 1e-6


def test_response_to_an_exponential_current(reference, traces, target):
    known = reference["psp_exponential"]
    group = NeuronGroup(1, "dv/dt = (g - v)/(20*ms) : volt\ndg/dt = -g/(5*ms) : volt")
    group.g = 1 * mV
    (v,) = traces(group, ["v"], 50.1 * ms)
    steps = [round(10 * t) for t in known["t_ms"]]
    assert v[0, steps] * 1e3 == pytest.approx(known["v_mV"], rel=1e-12)


HH = """
dv/dt = (stim - 120*mS/cm**2*m**3*h*(v - 50*mV) - 36*mS/cm**2*n**4*(v + 77*mV) - 0.3*mS/cm**2*(v + 54.3*mV))
        / (1*uF/cm**2) : volt
dm/dt = am*(1 - m) - bm*m : 1
dh/dt = ah*(1 - h) - bh*h : 1
dn/dt = an*(1 - n) - bn*n : 1
am = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
bm = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
ah = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
bh = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
an = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
bn = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
stim : amp/meter**2
"""


def crossings(times, values, level):
    """Where a trace crosses a level upwards, by the cubic through four samples."""
    found = []
    for k in np.flatnonzero((values[:-1] <= level) & (values[1:] > level)):
        cubic = np.polynomial.Polynomial.fit(times[k - 1 : k + 3], values[k - 1 : k + 3] - level, 3)
        roots = cubic.roots()
        real = roots[np.abs(roots.imag) < 1e-9].real
        found.append(real[(real >= times[k] - 1e-9) & (real <= times[k + 1] + 1e-9)][0])
    return found


@pytest.mark.parametrize(("method", "within"), [(None, 0.06), ("rk2", 0.06), ("rk4", 1e-4)])
def test_spike_times_of_a_squid_neuron(reference, method, within):
    known = reference["hh_point"]["rows"]
    defaultclock.dt = 0.025 * ms
    group = NeuronGroup(len(known), HH, method=method)
    group.stim_ = [row["I_uA_cm2"] * 1e-2 for row in known]
    group.v = -65 * mV
    group.m, group.h, group.n = "am/(am + bm)", "ah/(ah + bh)", "an/(an + bn)"
    monitor = StateMonitor(group, "v", record=True)
    Network(group, monitor).run(200 * ms)
    for k, row in enumerate(known):
        found = crossings(monitor.t_ * 1e3, monitor.v_[k], 0.0)
        assert len(found) == len(row["spike_times_ms"])
        assert np.abs(np.array(found) - row["spike_times_ms"]).max() < within


def test_spike_times_of_an_adaptive_exponential_neuron(reference):
    """Spikes lie on steps, which makes an error of first order.  The exponent ends where v needs no step to go on."""
    model = """
    dv/dt = (30*nS*(-70.6*mV - v) + 60*pA*exp(clip((v + 50.4*mV)/(2*mV), -99, 12)) + current - w)/(281*pF) : volt
    dw/dt = (4*nS*(v + 70.6*mV) - w)/(144*ms) : amp
    current : amp
    """
    known = reference["adex"]["rows"]
    errors = []
    for dt in (0.01, 0.005):
        defaultclock.dt = dt * ms
        group = NeuronGroup(2, model, threshold="v > 0*mV", reset="v = -70.6*mV; w += 80.5*pA", method="rk4")
        group.v, group.current = -70.6 * mV, [0.7, 1.0] * nA
        monitor = SpikeMonitor(group)
        Network(group, monitor).run(400 * ms)
        trains = [monitor.t[monitor.i == k] / ms for k in range(2)]
        assert [len(t) for t in trains] == [len(row["spike_times_ms"]) for row in known]
        errors.append(max(np.abs(t - row["spike_times_ms"]).max() for t, row in zip(trains, known)))
    assert errors[0] < 0.2 and errors[1] < 0.65 * errors[0]


def test_time_is_a_quantity():
    group = NeuronGroup(1, "v : 1")
    Network(group).run(0.3 * ms)
    assert group.t / second == pytest.approx(3e-4) and group.t_ == pytest.approx(3e-4)
    assert group.dt == 0.1 * ms and group.t_in_timesteps == 3
