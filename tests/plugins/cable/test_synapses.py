"""Every kind of synapse on compartments: conductances, plasticity, delays, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from rall.errors import EquationError
from rall.morphology import Cylinder
from rall.plugins.cable import SpatialNeuron
from rall.plugins.inputs import SpikeGeneratorGroup
from rall.plugins.monitors import SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import cm, ms, mV, nA, nS, ohm, uF, um

LEAK = "Im = 0.1*mS/cm**2*(-65*mV - v) : amp/meter**2\n"
POINT = LEAK + "I : amp (point current)\n"
EXPONENTIAL = LEAK + "dg/dt = -g/(5*ms) : siemens\nI_syn = g*(0*mV - v) : amp (point current)\n"
ALPHA = (
    LEAK + "dg/dt = (x - g)/(2*ms) : siemens\ndx/dt = -x/(2*ms) : siemens\n"
    "I_syn = g*(0*mV - v) : amp (point current)\n"
)  # fmt: skip
STEP = 0.025
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """A passive cylinder of compartments in a row, solved by SciPy and apart from rall; mV, ms, nS, pF, pA.

    Parameters
    ----------
    n : int
        Compartments.
    length, diameter : float
        Of the whole, in um.
    leak : float
        mS/cm2, with its reversal at -65 mV.
    ri : float
        ohm cm.
    cm : float
        uF/cm2.
    """

    n: int = 8
    length: float = 200.0
    diameter: float = 2.0
    leak: float = 0.1
    ri: float = 100.0
    cm: float = 1.0

    @property
    def area(self) -> float:
        """Membrane of a compartment (um2)."""
        return np.pi * self.diameter * self.length / self.n

    @property
    def capacitance(self) -> float:
        """Of a compartment (pF)."""
        return 1e-2 * self.cm * self.area

    def axial(self) -> Floats:
        """Matrix that gives the current into each compartment along the chain (pA from mV)."""
        between = 1e5 * np.pi * (self.diameter / 2) ** 2 / (self.ri * self.length / self.n)
        matrix = np.zeros((self.n, self.n))
        for k in range(self.n - 1):
            matrix[k : k + 2, k : k + 2] += between * np.array([[-1, 1], [1, -1]])
        return matrix

    def passive(self, v: Floats) -> Floats:
        """Current into each compartment without synapses (pA)."""
        return self.axial() @ v - 1e-2 * self.leak * self.area * (v + 65)

    def solve(self, current: Callable[[float, Floats], Floats], times: Floats, breaks: Sequence[float] = ()) -> Floats:
        """Voltages from rest, one row a compartment.

        Parameters
        ----------
        current : callable
            From time and voltages to the current of the synapses into each compartment.
        times : ndarray
            Where the voltages are wanted, in ascending order.
        breaks : sequence of float
            Times at which the current jumps.
        """
        ends = [0.0, *sorted(breaks), float(times[-1]) + 1e-9]
        state, found = np.full(self.n, -65.0), []
        for begin, end in pairwise(ends):
            inside = times[(times >= begin) & (times < end)]
            done = solve_ivp(
                lambda t, v: (self.passive(v) + current(t, v)) / self.capacitance, (begin, end), state, method="LSODA",
                t_eval=np.append(inside, end), rtol=1e-9, atol=1e-9,
            )  # fmt: skip
            found.append(done.y[:, :-1])
            state = done.y[:, -1]
        return np.concatenate(found, axis=1)


@pytest.fixture(autouse=True)
def short_step():
    """A step of `STEP` for all objects."""
    defaultclock.dt = STEP * ms


@pytest.fixture
def cell():
    """Make the cell that `Chain` is."""

    def make(model, chain=Chain(), **more):
        shape = Cylinder(n=chain.n, length=chain.length * um, diameter=chain.diameter * um)
        more = {"Cm": chain.cm * uF / cm**2, "Ri": chain.ri * ohm * cm, **more}
        made = SpatialNeuron(morphology=shape, model=model, **more)
        made.v = -65 * mV
        return made

    return make


def spikes(*times):
    """One source with spikes at these times (ms)."""
    return SpikeGeneratorGroup(1, np.zeros(len(times), int), np.array(times) * ms)


def recorded(cell, *others, duration=12.0, names=("v",), interval=0.5):
    """Values of a run at times from 0 on: an array of times in ms, and one of each variable."""
    monitor = StateMonitor(cell, names, record=True, dt=interval * ms)
    Network(cell, monitor, *others).run(duration * ms)
    return np.asarray(monitor.t / ms), [getattr(monitor, f"{name}_") for name in names]


# --- conductances, against solutions that rall has no part in ------------------------------------------------------


def test_one_exponential_synapse(cell, target):
    """A spike at 1 ms acts after the delay, at the end of the step."""
    source, dendrite = spikes(1.0), cell(EXPONENTIAL)
    synapse = Synapses(source, dendrite, "w : siemens", on_pre="g_post += w", delay=1.5 * ms)
    synapse.connect(i=0, j=6)
    synapse.w = 3 * nS
    times, (v, g) = recorded(dendrite, source, synapse, names=("v", "g"))
    begin = 2.5 + STEP

    def conductance(t):
        return 3 * np.exp(-(t - begin) / 5) * (t >= begin)

    expected = Chain().solve(lambda t, v: -conductance(t) * v * (np.arange(8) == 6), times, [begin])
    assert g[6] * 1e9 == pytest.approx(conductance(times), abs=1e-9) and not g[:6].any()
    assert v * 1e3 == pytest.approx(expected, abs=2e-3) and np.ptp(expected[6]) > 10
    assert (v[6] - v[0])[times > begin].min() > 0


def test_alpha_synapses_add_up(cell, target):
    source, dendrite = spikes(1.0, 4.0), cell(ALPHA)
    synapse = Synapses(source, dendrite, on_pre="x_post += 4*nS")
    synapse.connect(i=0, j=2, n=2)
    times, (v, g) = recorded(dendrite, source, synapse, names=("v", "g"))
    begins = [1.0 + STEP, 4.0 + STEP]

    def conductance(t):
        after = [np.maximum(t - begin, 0) for begin in begins]
        return sum(8 * s / 2 * np.exp(-s / 2) for s in after)

    expected = Chain().solve(lambda t, v: -conductance(t) * v * (np.arange(8) == 2), times, begins)
    assert g[2] * 1e9 == pytest.approx(conductance(times), abs=1e-5)
    assert v * 1e3 == pytest.approx(expected, abs=5e-3)


def test_summed_conductances_with_a_curved_current(cell, target):
    """NMDA receptors, each with a conductance of its own; their currents depend on the voltage of the compartment."""
    block = "1/(1 + 0.28*exp(-62*v_post/volt))"
    source, dendrite = spikes(1.0), cell(POINT)
    synapses = Synapses(
        source, dendrite, f"""
        w : siemens
        dg/dt = -g/(20*ms) : siemens (clock-driven)
        I_post = g*{block}*(0*mV - v_post) : amp (summed)""",
        on_pre="g += w", method="exact",
    )  # fmt: skip
    synapses.connect(i=0, j=[2, 2, 5])
    synapses.w = [2, 3, 4] * nS
    own = StateMonitor(synapses, "g", record=[2, 0], dt=0.5 * ms)
    times, (v,) = recorded(dendrite, source, synapses, own)
    begin, weight = 1.0 + STEP, np.bincount([2, 2, 5], [2, 3, 4], minlength=8)

    def current(t, v):
        return -(t >= begin) * weight * np.exp(-(t - begin) / 20) * v / (1 + 0.28 * np.exp(-0.062 * v))

    expected = Chain().solve(current, times, [begin])
    assert own.g_[1] * 1e9 == pytest.approx(2 * np.exp(-(times - begin) / 20) * (times >= begin), abs=1e-9)
    assert v * 1e3 == pytest.approx(expected, abs=4e-2) and expected.max() > -45


def test_voltage_of_the_compartment_at_the_event(cell, target):
    """What an event adds depends on an event-driven variable of the synapse, and on the voltage it meets."""
    source, dendrite = spikes(1.0, 3.0), cell(EXPONENTIAL)
    dendrite.v = "-65*mV + i*mV"
    synapses = Synapses(
        source, dendrite, "ds/dt = -s/(4*ms) : 1 (event-driven)",
        on_pre="s += 1\ng_post += s/(1 + exp(-v_post/(20*mV)))*nS",
    )  # fmt: skip
    synapses.connect(i=0, j=[1, 7])
    _, (v, g) = recorded(dendrite, source, synapses, names=("v", "g"), interval=STEP, duration=3.1)
    first, second = round(1.0 / STEP) + 1, round(3.0 / STEP) + 1  # the jump shows one step later
    decay = np.exp(-STEP / 5)
    for step, s in ((first, 1.0), (second, 1.0 + np.exp(-2 / 4))):
        jump = g[[1, 7], step] - decay * g[[1, 7], step - 1]
        # In the slot `synapses` of a step the voltage is that of the step's end.
        assert jump * 1e9 == pytest.approx(s / (1 + np.exp(-v[[1, 7], step] / 0.02)), rel=1e-9)


# --- plasticity -----------------------------------------------------------------------------------------------------


def test_spike_timing_dependent_plasticity(cell, target):
    """Pairs of spikes of a source and of a compartment, which spikes for itself."""
    pre_times = (2.0, 8.0, 14.0)
    source = spikes(*pre_times)
    dendrite = cell(EXPONENTIAL + "J : amp (point current)", threshold="v > -30*mV", refractory="v > -40*mV")
    dendrite.run_regularly("J = 0.5*nA*int(i == 5)*sin(2*pi*t/(6*ms))", dt=0.5 * ms)
    synapses = Synapses(
        source, dendrite, """
        w : 1
        dp/dt = -p/(20*ms) : 1 (event-driven)
        dq/dt = -q/(10*ms) : 1 (event-driven)""",
        on_pre="g_post += w*nS\np += 0.1\nw += q", on_post="q -= 0.12\nw += p",
    )  # fmt: skip
    synapses.connect(i=0, j=[5, 1])
    synapses.w = 1
    fired = SpikeMonitor(dendrite)
    weights = StateMonitor(synapses, "w", record=True, dt=1 * ms)
    Network(source, dendrite, synapses, fired, weights).run(20 * ms)
    trains = [train / ms for train in fired.spike_trains().values()]
    assert len(trains) == 8 and len(trains[5]) >= 3 and (trains[5] != trains[1]).all()

    def weight(posts, until):
        pairs = [(a, b) for a in pre_times for b in posts if b < until]
        return 1 + sum(0.1 * np.exp(-(b - a) / 20) if b >= a else -0.12 * np.exp(-(a - b) / 10) for a, b in pairs)

    for number, compartment in enumerate((5, 1)):
        assert synapses.w[number] == pytest.approx(weight(trains[compartment], 20), rel=1e-9)
        assert weights.w[number][19] == pytest.approx(weight(trains[compartment], 19), rel=1e-9)


def test_short_term_plasticity_with_a_cell_at_both_ends(cell, target):
    """Tsodyks and Markram's variables of synapses from a place of one cell onto compartments of another."""
    source = cell(POINT, threshold="v > -50*mV", refractory="v > -55*mV", threshold_location=0)
    source.run_regularly("I = 0.5*nA*int(i == 0)*sin(2*pi*t/(5*ms))", dt=0.5 * ms)
    dendrite = cell(EXPONENTIAL)
    synapses = Synapses(
        source, dendrite, """
        w : siemens
        du/dt = (0.2 - u)/(50*ms) : 1 (event-driven)
        dx/dt = (1 - x)/(100*ms) : 1 (event-driven)""",
        on_pre="u += 0.2*(1 - u)\nr = u*x\nx -= r\ng_post += w*r", delay={"pre": 0.5 * ms},
    )  # fmt: skip
    synapses.connect(i=0, j=[3, 4])
    synapses.w, synapses.x, synapses.u = [1, 2] * nS, 1, 0.2
    fired = SpikeMonitor(source)
    times, (g,) = recorded(dendrite, source, synapses, fired, names=("g",), duration=25.0)
    at = np.asarray(fired.t / ms) + 0.5
    assert len(at) >= 4 and not np.asarray(fired.i).any()
    u, x, last, expected = 0.2, 1.0, 0.0, np.zeros(len(times))
    for t in at:
        u, x = 0.2 + (u - 0.2) * np.exp(-(t - last) / 50), 1 + (x - 1) * np.exp(-(t - last) / 100)
        u += 0.2 * (1 - u)
        r, last = u * x, t
        x -= r
        expected += r * np.exp(-np.maximum(times - t - STEP, 0) / 5) * (times >= t + STEP - 1e-9)
    assert g[3] * 1e9 == pytest.approx(expected, abs=1e-9)
    assert g[4] == pytest.approx(2 * g[3], abs=1e-20)
    assert synapses.x[:] == pytest.approx([x, x]) and synapses.u[:] == pytest.approx([u, u])


# --- spikes to and fro --------------------------------------------------------------------------------------------


def test_a_loop_of_a_cell_and_point_neurons(cell, target):
    """Each way has a delay of its own; the cell's compartments are sources by their numbers."""
    kick, dendrite = spikes(1.0), cell(EXPONENTIAL, threshold="v > -50*mV", refractory="v > -50*mV")
    points = NeuronGroup(3, "x : 1", threshold="x > 1", reset="x = 0")
    begin = Synapses(kick, dendrite, on_pre="g_post += 60*nS")
    begin.connect(i=0, j=0)
    out = Synapses(dendrite, points, "k : 1", on_pre="x_post += k", delay=2 * ms)
    out.connect(i=[0, 0, 7], j=[0, 1, 2])
    out.k = [2, 0.7, 2]
    back = Synapses(points, dendrite, on_pre="g_post += 1*nS")
    back.connect(i=[0, 1, 2], j=[5, 6, 7])
    back.delay = [3, 4, 5] * ms
    cell_spikes, point_spikes = SpikeMonitor(dendrite), SpikeMonitor(points)
    _, (g,) = recorded(dendrite, kick, points, begin, out, back, cell_spikes, point_spikes, names=("g",), interval=STEP)
    first = {k: t[0] / ms for k, t in cell_spikes.spike_trains().items()}
    trains = {k: t / ms for k, t in point_spikes.spike_trains().items()}
    assert 1 < first[0] < first[7] < 2 and len(cell_spikes.i) == 8
    # Thresholds come before synapses, so that a point neuron notices one step after the delay.
    assert trains[0] == pytest.approx([first[0] + 2 + STEP]) and len(trains[1]) == 0
    assert trains[2] == pytest.approx([first[7] + 2 + STEP])
    begins = [STEP * np.flatnonzero(g[k])[0] for k in (5, 7)]
    assert begins == pytest.approx([trains[0][0] + 3 + STEP, trains[2][0] + 5 + STEP]) and not g[6].any()


def test_onto_a_place_and_a_condition(cell, target):
    """`j` is whatever indexes the cell: a place, a section, one compartment of a region."""
    source, dendrite = spikes(1.0), cell(EXPONENTIAL)
    shape = dendrite.morphology
    synapses = Synapses(source, dendrite, on_pre="g_post += 1*nS")
    synapses.connect(i=0, j=shape[60 * um])
    synapses.connect(i=0, j=dendrite["distance > 170*um"])
    at = Synapses(source, dendrite.at("distance > 100*um"), on_pre="g_post += 10*nS")
    at.connect()
    Network(source, dendrite, synapses, at).run(1.05 * ms)
    assert synapses.j[:].tolist() == [2, 7]
    assert np.flatnonzero(np.asarray(dendrite.g / nS) > 0.5).tolist() == [2, 4, 7]
    assert float(dendrite.g[4] / nS) == pytest.approx(10 * float(dendrite.g[2] / nS))


# --- what lives on some compartments --------------------------------------------------------------------------------


@pytest.fixture
def half(cell):
    """Make a cell that has synaptic conductances in its far half only."""
    far = "dg/dt = -g/(5*ms) : siemens\nI_syn = g*(0*mV - v) : amp (point current)\nJ : amp (point current)"
    return lambda: cell({"all": LEAK, "distance > 100*um": far})


def test_onto_a_region(cell, half, target):
    """The same as if the variables were everywhere."""
    found = []
    for dendrite in (half(), cell(EXPONENTIAL + "J : amp (point current)")):
        source = spikes(1.0)
        events = Synapses(source, dendrite, on_pre="g_post += (1 + j)*nS")
        events.connect(i=0, j=[6, 4])
        part = Synapses(source, dendrite[5:], "J_post = 0.01*(1 + i + j)*nA : amp (summed)")
        part.connect(i=0, j=[2, 0])
        _, (v,) = recorded(dendrite, source, events, part, duration=4)
        found.append(v)
        assert events.g_post[:] / nS == pytest.approx(np.array([7, 5]) * np.exp(-(3 - STEP) / 5), rel=1e-6)
        assert (dendrite.J / nA)[4:] == pytest.approx([0, 0.01, 0, 0.03])
    assert found[0] == pytest.approx(found[1], abs=1e-12)


@pytest.mark.parametrize(
    "make",
    [lambda s, c: Synapses(s, c, on_pre="g_post += 1*nS"), lambda s, c: Synapses(s, c, on_pre="g = 1*nS"),
     lambda s, c: Synapses(s, c, on_pre="x = g_post\nv_post += x/nS*mV"),
     lambda s, c: Synapses(s, c, "J_post = 1*nA : amp (summed)"),
     lambda s, c: Synapses(s, c, "w : 1\ny = g_post*w : siemens", on_pre="v_post += y/nS*mV")],
)  # fmt: skip
def test_a_synapse_outside_of_the_region_is_an_error(half, make):
    source, dendrite = spikes(1.0), half()
    synapses = make(source, dendrite)
    synapses.connect(i=0, j=[6, 2])
    with pytest.raises(EquationError, match=r"'[gJ]' lives on 'distance > 100\*um' of .*compartment 2 of.*where="):
        Network(source, dendrite, synapses).run(1 * ms)


def test_reading_from_a_region(half):
    """NaN where there is nothing; only statements of the program must not ask for it."""
    source, dendrite = spikes(1.0), half()
    dendrite.g = "i*nS"
    synapses = Synapses(source, dendrite, "w : 1", on_pre="v_post += w*mV")
    synapses.connect(i=0, j=[6, 2])
    assert np.isnan(synapses.g_post[1]) and synapses.g_post[0] == 6 * nS
    synapses.connect("g_post > 6.5*nS")
    assert synapses.j[:].tolist() == [6, 2, 7]
    Network(source, dendrite, synapses).run(1 * ms)
