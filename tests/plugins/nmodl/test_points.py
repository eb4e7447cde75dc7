"""Point processes of NMODL: synapses by NET_RECEIVE, currents of compartments, gap junctions; against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rall import channels
from rall.channels.receptor import Receptor
from rall.equations import Equations
from rall.errors import NmodlError, RallError
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.plugins.inputs import SpikeGeneratorGroup
from rall.plugins.monitors import StateMonitor
from rall.plugins.nmodl import PointProcess, load_mod
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock, seed
from rall.simulation import Network
from rall.units import cm, mM, mS, ms, mV, nA, nS, ohm, uF, um

STEP = 0.05  # ms
HEAD = """
NEURON {{ POINT_PROCESS {name}  {neuron} }}
UNITS {{ (nA) = (nanoamp) (mV) = (millivolt) (uS) = (microsiemens) (mM) = (milli/liter) }}
"""
EXPONENTIAL = (
    HEAD.format(name="Fast", neuron="NONSPECIFIC_CURRENT i RANGE tau, e, i")
    + """
PARAMETER { tau = 2 (ms) <1e-9, 1e9>  e = 0 (mV) }
ASSIGNED { v (mV) i (nA) }
STATE { g (uS) }
INITIAL { g = 0 }
BREAKPOINT { SOLVE decay METHOD cnexp  i = g*(v - e) }
DERIVATIVE decay { g' = -g/tau }
NET_RECEIVE(weight (uS)) { g = g + weight }
"""
)
DUAL = (
    HEAD.format(name="Dual", neuron="NONSPECIFIC_CURRENT i RANGE rise, fall, e, g")
    + """
PARAMETER { rise = 0.5 (ms)  fall = 4 (ms)  e = -10 (mV) }
ASSIGNED { v (mV) i (nA) g (uS) scale }
STATE { a (uS) b (uS) }
INITIAL {
    LOCAL peak
    if (rise > 0.99*fall) { rise = 0.99*fall }
    peak = rise*fall/(fall - rise)*log(fall/rise)
    scale = 1/(exp(-peak/fall) - exp(-peak/rise))
    a = 0
    b = 0
}
BREAKPOINT { SOLVE both METHOD cnexp  g = b - a  i = g*(v - e) }
DERIVATIVE both { a' = -a/rise  b' = -b/fall }
NET_RECEIVE(weight (uS)) { state_discontinuity(a, a + weight*scale)  state_discontinuity(b, b + weight*scale) }
"""
)
BLOCKED = (
    HEAD.format(name="Blocked", neuron="NONSPECIFIC_CURRENT i RANGE mg GLOBAL tau")
    + """
PARAMETER { tau = 50 (ms)  mg = 1 (mM) }
ASSIGNED { v (mV) i (nA) }
STATE { g (uS) }
INITIAL { g = 0 }
BREAKPOINT { SOLVE decay METHOD cnexp  i = g*open(v)*v }
DERIVATIVE decay { g' = -g/tau }
FUNCTION open(v (mV)) { open = 1/(1 + exp(-0.062 (/mV)*v)*mg/3.57 (mM)) }
NET_RECEIVE(weight (uS)) { g = g + weight }
"""
)
DEPRESSING = (
    HEAD.format(name="Tired", neuron="NONSPECIFIC_CURRENT i RANGE tau, recover, use")
    + """
PARAMETER { tau = 3 (ms)  recover = 40 (ms)  use = 0.4 }
ASSIGNED { v (mV) i (nA) }
STATE { g (uS) }
INITIAL { g = 0 }
BREAKPOINT { SOLVE decay METHOD cnexp  i = g*v }
DERIVATIVE decay { g' = -g/tau }
NET_RECEIVE(weight (uS), left, t0 (ms)) {
    INITIAL { left = 1  t0 = t }
    left = 1 - (1 - left)*exp(-(t - t0)/recover)
    g = g + weight*use*left
    left = left - use*left
    t0 = t
}
"""
)
PULSE = (
    HEAD.format(name="Pulse", neuron="NONSPECIFIC_CURRENT i RANGE alpha, beta, long")
    + """
PARAMETER { alpha = 1.1 (/ms)  beta = 0.2 (/ms)  long = 1 (ms) }
ASSIGNED { v (mV) i (nA) on gmax (uS) }
STATE { r }
INITIAL { r = 0  on = 0  gmax = 0 }
BREAKPOINT { SOLVE binding METHOD cnexp  i = gmax*r*v }
DERIVATIVE binding { r' = alpha*on*(1 - r) - beta*r }
NET_RECEIVE(weight (uS), count) {
    if (flag == 0) {
        count = count + 1
        on = 1
        gmax = weight
        net_send(long, count)
    }
    if (flag == count) { on = 0 }
}
"""
)
ONE_AT_A_TIME = PULSE[: PULSE.index("NET_RECEIVE")] + """
NET_RECEIVE(weight (uS), busy) {
    if (flag == 1) { on = 0  busy = 0 }
    if (flag == 0) {
        gmax = weight
        if (!busy) {
            busy = 1
            on = 1
            net_send(long, 1)
        } MORE
    }
}
"""
ALPHA = (
    HEAD.format(name="Alpha", neuron="NONSPECIFIC_CURRENT i RANGE tau, e")
    + """
PARAMETER { tau = 1.5 (ms)  e = 0 (mV) }
ASSIGNED { v (mV) i (nA) onset (ms) g (uS) top (uS) }
INITIAL { onset = -1e9  top = 0 }
BREAKPOINT {
    if (t < onset) { g = 0 } else { g = top*(t - onset)/tau*exp(1 - (t - onset)/tau) }
    i = g*(v - e)
}
NET_RECEIVE(weight (uS)) { onset = t  top = weight }
"""
)
GAP = (
    HEAD.format(name="Gap", neuron="NONSPECIFIC_CURRENT i RANGE r POINTER vgap")
    + """
PARAMETER { r = 100 (megohm) }
ASSIGNED { v (mV) vgap (mV) i (nA) }
BREAKPOINT { i = (v - vgap)/r }
"""
)
STEP_CLAMP = (
    HEAD.format(name="Step", neuron="ELECTRODE_CURRENT i RANGE del, dur, amp, i")
    + """
PARAMETER { del = 1 (ms)  dur = 2 (ms)  amp = 0 (nA) }
ASSIGNED { i (nA) }
BREAKPOINT {
    at_time(del)
    at_time(del + dur)
    if (t < del + dur && t >= del) { i = amp } else { i = 0 }
}
"""
)
CALCIUM = (
    HEAD.format(name="Entry", neuron="USEION ca WRITE ica RANGE tau")
    + """
PARAMETER { tau = 2 (ms) }
ASSIGNED { v (mV) ica (nA) }
STATE { flow (nA) }
INITIAL { flow = 0 }
BREAKPOINT { SOLVE decay METHOD cnexp  ica = -flow }
DERIVATIVE decay { flow' = -flow/tau }
NET_RECEIVE(weight (nA)) { flow = flow + weight }
"""
)
CHANCE = (
    HEAD.format(name="Chance", neuron="NONSPECIFIC_CURRENT i RANGE p RANDOM luck")
    + """
PARAMETER { p = 0.3 }
ASSIGNED { v (mV) i (nA) }
STATE { g (uS) }
INITIAL { g = 0 }
BREAKPOINT { SOLVE decay METHOD cnexp  i = g*v }
DERIVATIVE decay { g' = 0 }
NET_RECEIVE(weight (uS)) { if (random_uniform(luck) < p) { g = g + weight } }
"""
)


@pytest.fixture
def mechanism(tmp_path):
    """A file with some text, loaded."""

    def load(text, units="check"):
        file = tmp_path / "process.mod"
        file.write_text(text)
        return load_mod(file, units)

    return load


def run(receptor, events, duration=12.0, v=(-70, -20), setting=(), record=()):
    """Times (ms) since the start in NEURON's way of counting, recordings of the first synapse, currents (nA)."""
    defaultclock.dt = STEP * ms
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=1 * um, length=20 * um, n=2), Cm=1e9 * uF / cm**2, Ri=1e9 * ohm * cm,
        model=channels.leak(g=0 * mS / cm**2) + receptor.current,
    )  # fmt: skip
    cell.v = np.array(v) * mV
    # What an event changes is in effect one step later than where NEURON has it.
    source = SpikeGeneratorGroup(1, np.zeros(len(events), int), (np.array(events) - STEP) * ms)
    joined = Synapses(source, cell, **receptor)
    joined.connect()
    for name, value in setting:
        setattr(joined, name, value)
    name = receptor.current.names[0]
    inner = StateMonitor(joined, list(record), record=[0]) if record else None
    outer = StateMonitor(cell, name, record=True)
    Network(source, cell, joined, outer, *([] if inner is None else [inner])).run(duration * ms)
    found = [np.asarray(getattr(inner, one))[0] for one in record]
    return np.asarray(outer.t) * 1e3, found, np.asarray(getattr(outer, name)) * 1e9


def after(times, event):
    return np.maximum(times - event, 0.0), times > event - 1e-9


def test_exponential(mechanism, target):
    process = mechanism(EXPONENTIAL)
    assert isinstance(process, PointProcess)
    assert (process.kind, process.weight) == ("POINT_PROCESS", "weight")
    receptor = process(tau=3 * ms)
    assert isinstance(receptor, Receptor)
    assert set(receptor) == {"model", "on_pre"}
    times, (g,), current = run(receptor, (1.0, 2.5), setting=[("weight", 2 * nS)], record=["g"])
    expected = sum(np.where(on, 2e-9 * np.exp(-since / 3), 0) for since, on in (after(times, e) for e in (1.0, 2.5)))
    assert g == pytest.approx(expected, abs=1e-16)
    for row, v in zip(current, (-70, -20)):  # a sum is that of the beginning of the step before
        assert row[1:] == pytest.approx(-expected[:-1] * v * 1e-3 * 1e9, abs=1e-8)


@pytest.mark.parametrize(("rise", "used"), [(0.5, 0.5), (4.0, 3.96)])
def test_dual_exponential(mechanism, target, rise, used):
    receptor = mechanism(DUAL)(rise=rise * ms, name="Slow")
    assert receptor.current.names == ("I_Slow",)
    times, (g,), current = run(receptor, (1.0,), setting=[("weight", 1 * nS)], record=["g"])
    since, on = after(times, 1.0)
    shape = np.exp(-since / 4) - np.exp(-since / used)
    peak = used * 4 / (4 - used) * np.log(4 / used)
    expected = shape / (np.exp(-peak / 4) - np.exp(-peak / used)) * 1e-9
    assert g == pytest.approx(np.where(on, expected, 0), abs=1e-17)
    assert current[1][1:] == pytest.approx(g[:-1] * 1e9 * (-10 + 20) * 1e-3, abs=1e-9)


def test_magnesium(mechanism):
    receptor = mechanism(BLOCKED)(mg=2 * mM)
    _, (g,), current = run(receptor, (1.0,), duration=2.0, setting=[("weight", 1 * nS)], record=["g"])
    for row, v in zip(current, (-70, -20)):
        blocked = 1 / (1 + np.exp(-0.062 * v) * 2 / 3.57)
        assert row[1:] == pytest.approx(-g[:-1] * 1e9 * blocked * v * 1e-3, rel=1e-6, abs=1e-12)


def test_depression(mechanism, target):
    """What is left recovers from event to event."""
    events, left, last = (1.0, 6.0, 7.0, 30.0), 1.0, -STEP
    times, (g,), _ = run(mechanism(DEPRESSING)(), events, 33.0, setting=[("weight", 1 * nS)], record=["g"])
    expected = 0.0
    for event in events:
        left = 1 - (1 - left) * np.exp(-(event - last) / 40)
        since, on = after(times, event)
        expected = expected + np.where(on, 0.4 * left * np.exp(-since / 3), 0)
        left, last = 0.6 * left, event
    assert g == pytest.approx(expected * 1e-9, abs=1e-16)


def test_pulse_that_comes_back(mechanism, target):
    """The second event makes the pulse of the first one longer."""
    receptor = mechanism(PULSE)(long=1.5 * ms)
    assert set(receptor.on_pre) == {"pre", "later"}
    assert receptor.delay["later"] == 1.5 * ms
    times, (r,), _ = run(receptor, (1.0, 2.0), setting=[("weight", 1 * nS)], record=["r"])
    expected, now = [], 0.0
    for t in times:
        expected.append(now)
        if 1.0 - 1e-9 < t < 3.5 - 1e-9:
            full = 1.1 / 1.3
            now = full + (now - full) * np.exp(-1.3 * STEP)
        else:
            now *= np.exp(-0.2 * STEP)
    assert r == pytest.approx(expected, abs=1e-9)
    assert max(expected) > 0.7


@pytest.mark.parametrize(("more", "ends"), [("", 2.5), ("else { net_move(t + long) }", 3.5)])
def test_one_pulse_at_a_time(mechanism, target, more, ends):
    """Events during the pulse leave it as it is, or make it longer; later ones begin another one."""
    receptor = mechanism(ONE_AT_A_TIME.replace("MORE", more))(long=1.5 * ms)
    times, (r,), _ = run(receptor, (1.0, 2.0, 6.0), setting=[("weight", 1 * nS)], record=["r"])
    expected, now = [], 0.0
    for t in times:
        expected.append(now)
        pulse = 1.0 - 1e-9 < t < ends - 1e-9 or 6.0 - 1e-9 < t < 7.5 - 1e-9
        full, rate = (1.1 / 1.3, 1.3) if pulse else (0.0, 0.2)
        now = full + (now - full) * np.exp(-rate * STEP)
    assert r == pytest.approx(expected, abs=1e-9)


def test_delay_of_a_pulse(mechanism):
    """With a delay all pathways are later."""
    receptor = mechanism(PULSE)(delay=2 * ms)
    assert dict(receptor.delay) == {"pre": 2 * ms, "later": 3 * ms}
    times, (r,), _ = run(receptor, (1.0,), setting=[("weight", 1 * nS)], record=["r"])
    assert times[np.argmax(r)] == pytest.approx(4.0)
    assert not r[times < 3.0].any()


def test_onset_that_equations_read(mechanism, target):
    times, (g,), _ = run(mechanism(ALPHA)(), (1.0,), setting=[("weight", 1 * nS)], record=["g"])
    since, _ = after(times, 1.0)
    assert g == pytest.approx(since / 1.5 * np.exp(1 - since / 1.5) * 1e-9, abs=1e-15)


def test_gap_junction(mechanism, target):
    """Two cells draw near each other with the time constant of both capacitances over the resistance."""
    defaultclock.dt = 0.01 * ms
    receptor = mechanism(GAP)(vgap="v_pre")
    assert set(receptor) == {"model"}
    cells = SpatialNeuron(
        morphology=Cylinder(diameter=10 * um, length=60 * um, n=2), Cm=1 * uF / cm**2, Ri=1e12 * ohm * cm,
        model=receptor.current + channels.leak(g=0 * mS / cm**2),
    )  # fmt: skip
    cells.v = [-80, -40] * mV
    joined = Synapses(cells, cells, **receptor)
    joined.connect(i=[0, 1], j=[1, 0])
    monitor = StateMonitor(cells, "v", record=True)
    Network(cells, joined, monitor).run(3 * ms)
    capacity = np.pi * 10e-6 * 30e-6 * 0.01
    expected = 40 * np.exp(-2 * np.asarray(monitor.t) / (capacity * 100e6))
    assert np.asarray(monitor.v)[1] - np.asarray(monitor.v)[0] == pytest.approx(expected * 1e-3, rel=1e-2)
    assert expected[-1] < 25


def test_pointer_that_is_not_given(mechanism):
    """It is a parameter of the compartment."""
    equations = mechanism(GAP)()
    assert isinstance(equations, Equations)
    assert not equations["vgap_Gap"].has("constant")
    assert equations["I_Gap"].has("point current")


def test_electrode(mechanism, target):
    """ELECTRODE_CURRENT is inward as it stands; where the region is, the current is."""
    defaultclock.dt = STEP * ms
    clamp = mechanism(STEP_CLAMP)(amp=0.1 * nA)
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=10 * um, length=60 * um, n=2), Cm=1 * uF / cm**2, Ri=1e12 * ohm * cm,
        model={"all": channels.leak(g=0 * mS / cm**2), "distance < 30*um": clamp},
    )  # fmt: skip
    cell.v = -70 * mV
    Network(cell).run(5 * ms)
    rise = 0.1e-9 * 2e-3 / (np.pi * 10e-6 * 30e-6 * 0.01)
    assert np.asarray(cell.v) == pytest.approx([-0.07 + rise, -0.07], rel=1e-6)


def test_ion(mechanism, target):
    """The current of an ion reaches the pool."""
    receptor = mechanism(CALCIUM)()
    pool = Equations("dq/dt = I_Ca_total : amp*second/meter**2")
    defaultclock.dt = STEP * ms
    cell = SpatialNeuron(
        morphology=Cylinder(diameter=10 * um, length=30 * um, n=1), Cm=1 * uF / cm**2, Ri=100 * ohm * cm,
        model=receptor.current + pool,
    )  # fmt: skip
    source = SpikeGeneratorGroup(1, [0], [1] * ms)
    joined = Synapses(source, cell, **receptor)
    joined.connect()
    joined.weight = 0.1 * nA
    Network(source, cell, joined).run(40 * ms)
    area = np.pi * 10e-6 * 30e-6
    assert np.asarray(cell.q)[0] == pytest.approx(0.1e-9 * 2e-3 / area, rel=2e-2)
    assert np.asarray(cell.v)[0] > 0


def test_chance(mechanism, target):
    """One draw for each event decides."""
    seed(3)
    defaultclock.dt = STEP * ms
    receptor = mechanism(CHANCE)(p=0.25)
    neurons = NeuronGroup(1, "I_Chance : amp\nv : volt")
    source = SpikeGeneratorGroup(1, [0] * 3, [1, 2, 3] * ms)
    joined = Synapses(source, neurons, **receptor)
    joined.connect(n=4000)
    joined.weight = 1 * nS
    Network(source, neurons, joined).run(5 * ms)
    counts = np.bincount(np.round(np.asarray(joined.g) * 1e9).astype(int), minlength=4) / 4000
    assert counts == pytest.approx([0.75**3, 3 * 0.25 * 0.75**2, 3 * 0.25**2 * 0.75, 0.25**3], abs=0.03)


def test_values_need_units(mechanism):
    process = mechanism(EXPONENTIAL)
    with pytest.raises(RallError, match="'tau' of Fast has the unit ms"):
        process(tau=3)
    with pytest.raises(RallError, match=r"no parameter 'tua'.*tau"):
        process(tua=3 * ms)


REFUSED = {
    "WATCH": ("WATCH (v > 0) 1", "WATCH waits for a threshold; give the cell threshold="),
    "net_event": ("net_event(t)", "sends events to others; use a NeuronGroup"),
    "net_send": ("if (flag == 0) { net_send(weight*1(ms/uS), 1) }", "net_send waits depends on 'weight'"),
    "again": ("if (flag == 0 && weight > 1) { net_send(tau, 1) }", "may hold again before the event is back"),
    "VERBATIM": ("VERBATIM\ng = 3;\nENDVERBATIM", "VERBATIM holds C code"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(mechanism, case):
    statement, message = REFUSED[case]
    text = EXPONENTIAL.replace("g = g + weight }", f"g = g + weight\n{statement}\n}}")
    with pytest.raises(NmodlError, match=r"process\.mod, line 1[0-9]: ") as refusal:
        mechanism(text)
    assert message in str(refusal.value)
