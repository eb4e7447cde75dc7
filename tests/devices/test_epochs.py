"""Programs of many cells by epochs: the same results as step by step, in several threads, and on the NumPy device."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from populations import MODEL, Made, population, shape

from rall.devices import epochs
from rall.errors import NumericalError
from rall.morphology import Cylinder
from rall.operations import network_operation
from rall.plugins.cable import ExtracellularPotential
from rall.plugins.inputs import PoissonGroup, SpikeGeneratorGroup
from rall.plugins.monitors import PopulationRateMonitor, SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.recording import Events, Table
from rall.units import Hz, ms, nA, nS, um


def activity(spikes, trace=None, **more):
    """What monitors hold, and variables of groups."""

    def results():
        found = {"i": spikes.i, "t": spikes.t_, "count": spikes.count}
        if trace is not None:
            found |= {"trace": trace.v_, "times": trace.t_}
        return found | {name: np.asarray(getattr(group, f"{field}_")[:]) for name, (group, field) in more.items()}

    return results


def ring(cells, delay=1 * ms, **keywords):
    """Each cell reaches the dendrite of the next one."""
    synapses = Synapses(cells.at("soma"), cells.at(3), on_pre="g_post += 20*nS\nn_post += 1", name="ring",
                        **keywords)  # fmt: skip
    synapses.connect(j="(i + 1) % N_pre")
    synapses.delay = delay
    return synapses


def test_cells_alone_and_their_spikes_in_order(ways):
    def make():
        cells = population()
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells.at("soma"), "v", record=[0, 7, 8, 23])
        return Made([cells, spikes, trace], activity(spikes, trace, v=(cells, "v")))

    found = ways.compare(make)
    assert len(found["i"]) > 20 and set(found["i"]) > {12, 23}
    same = np.diff(found["t"]) == 0
    assert same.any() and (np.diff(found["i"])[same] > 0).all()


def test_a_ring_with_one_delay(ways):
    def make():
        cells = population()
        synapses = ring(cells)
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells.at("soma"), "v", record=True)
        return Made([cells, synapses, spikes, trace], activity(spikes, trace, n=(cells, "n"), g=(cells, "g")))

    found = ways.compare(make)
    assert found["n"].sum() > 20


def test_delays_that_differ_from_synapse_to_synapse(ways):
    def make():
        cells = population(40)
        synapses = Synapses(cells.at("soma"), cells, "w : siemens", on_pre="g_post += w\nn_post = i", name="all")
        rng = np.random.default_rng(5)
        synapses.connect(i=rng.integers(0, 40, 300), j=rng.integers(0, cells.N, 300))
        synapses.delay = rng.uniform(0.3, 6.0, 300) * ms
        synapses.w = rng.uniform(0, 5, 300) * nS
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=[3, 50, 199])
        return Made([cells, synapses, spikes, trace], activity(spikes, trace, n=(cells, "n"), g=(cells, "g")))

    assert np.count_nonzero(ways.compare(make)["n"]) > 50


# --- synapses ------------------------------------------------------------------------------------------------------

PLASTIC = """
w : siemens
dx/dt = -x/(10*ms) : 1 (event-driven)
dy/dt = -y/(15*ms) : 1 (event-driven)
"""


def plastic(sources, cells, delay):
    """Pairs of spikes change weights; the cell's own come without delay."""
    synapses = Synapses(
        sources, cells.at(3), PLASTIC, name="plastic",
        on_pre="g_post += w\nx += 1\nw = clip(w - y*nS, 0*nS, 20*nS)",
        on_post="y += 1\nw = clip(w + x*nS, 0*nS, 20*nS)",
    )  # fmt: skip
    synapses.connect(j="(i + k) % N_post for k in range(3)")
    synapses.w = 8 * nS
    synapses.pre.delay = delay
    return synapses


@pytest.mark.parametrize("delay", ["0.5*ms", "0.3*ms + 0.1*ms*(i + 2*j)"])
def test_plasticity_with_spikes_of_the_cells_at_once(ways, delay):
    def make():
        cells = population()
        inputs = PoissonGroup(24, 100 * Hz, name="inputs")
        synapses = plastic(inputs, cells, delay)
        spikes = SpikeMonitor(cells)
        more = {"w": (synapses, "w"), "x": (synapses, "x"), "y": (synapses, "y"), "last": (synapses, "lastupdate")}
        return Made([cells, inputs, synapses, spikes], activity(spikes, g=(cells, "g"), **more))

    found = ways.compare(make)
    assert len(np.unique(found["w"])) > 10 and found["x"].any() and found["y"].any()


def test_plasticity_between_cells(ways):
    def make():
        cells = population()
        synapses = plastic(cells.at("soma"), cells, 1.5 * ms)
        spikes = SpikeMonitor(cells)
        return Made([cells, synapses, spikes], activity(spikes, g=(cells, "g"), w=(synapses, "w")))

    ways.compare(make)


def test_recorded_weights_tie_all_cells_together(ways):
    def make():
        cells = population()
        synapses = plastic(cells.at("soma"), cells, 1.5 * ms)
        spikes, weights = SpikeMonitor(cells), StateMonitor(synapses, "w", record=[0, 30, 71])
        return Made([cells, synapses, spikes, weights], activity(spikes, w=(synapses, "w"), kept=(weights, "w")))

    ways.compare(make, epochs=False)


@pytest.mark.parametrize("delay", [0, 0.7])
def test_inputs_of_both_kinds_with_and_without_delay(ways, delay):
    """Without delay they go first, in an epoch."""

    def make():
        cells = population()
        rng = np.random.default_rng(2)
        timed = SpikeGeneratorGroup(30, np.r_[29:-1:-1, 0:30, 29:-1:-1], np.repeat(np.arange(9), 10) * ms, name="timed")
        poisson = PoissonGroup(40, 80 * Hz, name="poisson")
        synapses = []
        for sources in (timed, poisson):
            one = Synapses(sources, cells, "w : siemens", on_pre="g_post += w\nn_post = n_post*2 % 97 + i",
                           delay=delay * ms, name=f"from_{sources.name}")  # fmt: skip
            one.connect(i=rng.integers(0, sources.N, 200), j=rng.integers(0, cells.N, 200))
            one.w = rng.uniform(0, 3, 200) * nS
            synapses.append(one)
        spikes, heard = SpikeMonitor(cells), [SpikeMonitor(timed), SpikeMonitor(poisson)]
        mine = activity(spikes, n=(cells, "n"), g=(cells, "g"))

        def results():
            return mine() | {f"{k}{m}": getattr(one, m) for k, one in enumerate(heard) for m in ("i", "t_")}

        return Made([cells, timed, poisson, *synapses, spikes, *heard], results)

    found = ways.compare(make)
    assert len(found["0i"]) == 90 and len(found["1i"]) > 10 and np.count_nonzero(found["n"]) > 40


def test_an_input_that_reads_the_cells_is_not_done_first(ways):
    """What is without delay and depends on where it arrives, and inputs that other ones reach."""

    def make():
        cells = population()
        driver = SpikeGeneratorGroup(8, np.arange(8), np.arange(8) * ms, name="driver")
        relay = NeuronGroup(8, "u : 1", threshold="u > 0.5", reset="u = 0", name="relay")
        first = Synapses(driver, relay, on_pre="u_post = 1", delay=0.4 * ms, name="first")
        first.connect(j="i")
        second = Synapses(relay, cells.at(3), on_pre="g_post += 10*nS*(v_post < -50*mV)\nn_post += 1", name="second")
        second.connect(j="k for k in range(i*3, i*3 + 3)")
        spikes = SpikeMonitor(cells)
        return Made([cells, driver, relay, first, second, spikes], activity(spikes, n=(cells, "n"), g=(cells, "g")))

    assert ways.compare(make)["n"].sum() == 24


@pytest.mark.parametrize("reset", ["u = 0", None])
def test_a_loop_through_neurons(ways, reset):
    def make():
        cells = population()
        neurons = NeuronGroup(
            10, "du/dt = (1.6 - u)/(3*ms) : 1 (unless refractory)\nseen : 1", threshold="u > 1", reset=reset,
            refractory=1.5 * ms, method="exact", name="neurons",
        )  # fmt: skip
        neurons.u = "0.1*i"
        out = Synapses(neurons, cells.at(4), on_pre="g_post += 15*nS\nn_post += 1", delay=0.8 * ms, name="out")
        out.connect(j="k for k in range(N_post) if (k + i) % 5 == 0")
        back = Synapses(cells.at("soma"), neurons, on_pre="u_post -= 0.05\nseen_post = i", delay=1.1 * ms, name="back")
        back.connect(j="i % 10")
        spikes, theirs = SpikeMonitor(cells), SpikeMonitor(neurons)
        mine, other = activity(spikes, n=(cells, "n")), activity(theirs, u=(neurons, "u"), seen=(neurons, "seen"))
        return Made([cells, neurons, out, back, spikes, theirs],
                    lambda: mine() | {f"neurons {k}": v for k, v in other().items()})  # fmt: skip

    found = ways.compare(make)
    assert len(found["i"]) > 10 and len(found["neurons i"]) > 10 and found["neurons seen"].any()


def test_no_delay_between_cells_of_one_block_and_of_several(ways):
    """Blocks that interact at once become one component."""

    def cells_with(shift):
        def make():
            cells = population(32)
            synapses = Synapses(cells.at("soma"), cells.at(3), on_pre="g_post += 20*nS\nn_post += v_pre/mV", name="now")
            synapses.connect(i=np.arange(32), j=(np.arange(32) + shift) % 32)
            later = ring(cells, 0.6 * ms)
            spikes = SpikeMonitor(cells)
            return Made([cells, synapses, later, spikes], activity(spikes, n=(cells, "n"), g=(cells, "g")))

        return make

    assert ways.compare(cells_with(0))["n"].any()
    assert ways.plans == [] or ways.plans[-1] is None  # the last way was NumPy's
    ways.compare(cells_with(1), epochs=False)
    ways.compare(cells_with(16))


def test_synapses_that_there_are_none_of(ways):
    def make():
        cells = population()
        none, few = (Synapses(cells.at("soma"), cells, on_pre="n_post += 1", name=name) for name in ("none", "few"))
        none.connect(False)
        few.connect(i=[3, 23], j=[119, 0])
        few.delay = 0.4 * ms
        spikes = SpikeMonitor(cells)
        return Made([cells, none, few, spikes], activity(spikes, n=(cells, "n")))

    ways.compare(make)


# --- what else happens in a step -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [0.1, 0.3, 1.0])
def test_monitors_with_steps_of_their_own(ways, dt):
    def make():
        cells = population()
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, ["v", "g"], record=[60, 3, 41], dt=dt * ms)
        return Made([cells, ring(cells), spikes, trace], activity(spikes, trace, other=(trace, "g")))

    ways.compare(make)


def test_whole_trees(ways):
    def make():
        cells = population()
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=True)
        return Made([cells, ring(cells), spikes, trace], activity(spikes, trace))

    ways.compare(make)


@pytest.mark.parametrize("when", ["start", "before_thresholds", "after_synapses", "end"])
def test_monitors_at_other_places_of_the_step(ways, when):
    """At the start of a step, the events that are known are those of the step before."""

    def make():
        cells = population()
        spikes, trace = SpikeMonitor(cells, when=when), StateMonitor(cells, "v", record=[3, 90], when=when)
        return Made([cells, ring(cells), spikes, trace], activity(spikes, trace))

    ways.compare(make, epochs=when != "start" and when != "before_thresholds")


@pytest.mark.parametrize("dt", [0.3, 1.0])
def test_python_code_at_rare_steps(ways, dt):
    def make():
        cells = population()
        seen = []

        @network_operation(dt=dt * ms, when="after_resets")
        def change(t):
            seen.append([float(t), *np.asarray(cells.v_[::30]), len(spikes.i)])
            cells.at("soma").I = np.asarray(cells.at("soma").I_[:])[::-1] * nA * 1e9

        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=[0, 60])
        mine = activity(spikes, trace, n=(cells, "n"))
        return Made([cells, ring(cells), change, spikes, trace], lambda: mine() | {"seen": seen})

    ways.compare(make)


def test_python_code_at_rare_steps_sees_the_spikes_of_the_step_before(ways):
    def make():
        cells = population(refractory=4 * ms)
        cells.at("soma").I = np.where(np.arange(24) % 6, 0, 0.2) * nA
        cells.at("soma").v = "-65*mV + 0.3*mV*cell_index"
        seen = []

        @network_operation(dt=0.3 * ms, when="start")
        def look():
            present = cells.events_of("spike").present
            seen.append([len(present), present.sum()])

        spikes = SpikeMonitor(cells)
        mine = activity(spikes)
        return Made([cells, look, spikes], lambda: mine() | {"seen": np.array(seen, np.int64)})

    assert ways.compare(make)["seen"].any()


@pytest.mark.parametrize("given", [False, True])
def test_code_at_regular_times_and_at_given_ones(ways, given):
    """Given times are the same for all cells, at once."""

    def make():
        cells = population()
        if given:
            cells.run_at("n += 1 + v/mV", times=[0, 1.3, 4] * ms)
        cells.at(3).run_regularly("g += 1*nS*i", dt=0.7 * ms)
        spikes = SpikeMonitor(cells)
        return Made([cells, spikes], activity(spikes, n=(cells, "n"), g=(cells, "g")))

    found = ways.compare(make, epochs=not given)
    assert found["g"].any() and found["n"].any() == given


@pytest.mark.parametrize("what", ["rate", "rate of neurons", "values"])
def test_records_of_all_cells_at_once(ways, what):
    def make():
        cells = population()
        neurons = NeuronGroup(5, "u : 1", threshold="rand() < 0.1", name="neurons", dt=0.5 * ms)
        spikes = SpikeMonitor(cells, variables="v" if what == "values" else None)
        rate = PopulationRateMonitor(neurons if what == "rate of neurons" else cells)
        rates = [] if what == "values" else [rate]
        mine = activity(spikes)
        extra = (lambda: {"v": spikes.v_}) if what == "values" else (lambda: {"rate": rate.rate_, "at": rate.t_})
        return Made([cells, neurons, ring(cells), spikes, *rates], lambda: mine() | extra())

    ways.compare(make, epochs=what != "values")


@pytest.mark.parametrize("dt", [None, 0.5])
def test_potentials_outside(ways, dt):
    def make():
        cells = population(morphology=shape().generate_coordinates())
        places = np.array([[20, 20, 0], [-40, 30, 9]]) * um
        electrodes = ExtracellularPotential(cells, places, **({} if dt is None else {"dt": dt * ms}))
        spikes = SpikeMonitor(cells)
        mine = activity(spikes)
        return Made([cells, ring(cells), electrodes, spikes], lambda: mine() | {"outside": electrodes.v_})

    ways.compare(make, epochs=dt is not None)


def test_groups_with_steps_of_their_own(ways):
    """Several groups of cells and neurons, all reaching each other."""

    def make():
        one, other = population(), population(17, name="more", dt=0.2 * ms, refractory=1 * ms)
        other.at("soma").I = 0.15 * nA
        neurons = NeuronGroup(9, "du/dt = (1.2 - u)/(5*ms) : 1", threshold="u > 1", reset="u = 0", method="exact",
                              name="neurons", dt=0.05 * ms)  # fmt: skip
        groups = [one.at("soma"), other.at("soma"), neurons]
        pairs = [(groups[0], other.at(2), "g_post += 8*nS"), (groups[1], one.at(4), "g_post += 9*nS"),
                 (groups[2], one.at(1), "g_post += 1*nS"), (groups[0], neurons, "u_post += 0.1")]  # fmt: skip
        synapses = []
        for k, (source, to, code) in enumerate(pairs):
            made = Synapses(source, to, on_pre=code, delay=(1 + 0.4 * k) * ms, name=f"pair{k}")
            made.connect(j="k for k in range(N_post) if (i + k) % 7 < 2")
            synapses.append(made)
        monitors = [SpikeMonitor(one), SpikeMonitor(other), SpikeMonitor(neurons)]
        trace = StateMonitor(other.at("soma"), "v", record=[0, 16])

        def results():
            found = {f"{k}{name}": getattr(m, name) for k, m in enumerate(monitors) for name in ("i", "t_")}
            return found | {"trace": trace.v_, "v": one.v_[:], "u": neurons.u_[:]}

        return Made([one, other, neurons, *synapses, *monitors, trace], results)

    found = ways.compare(make)
    assert min(len(found[f"{k}i"]) for k in range(3)) > 5


def test_cells_of_different_shapes_some_of_them_large(ways):
    """Large ones are blocks by themselves."""

    def make():
        large, small = Cylinder(length=400 * um, diameter=3 * um, n=30, type="soma"), shape()
        cells = population(morphology=[large if c in (3, 4, 15) else small for c in range(20)])
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells.at("soma"), "v", record=True)
        return Made([cells, ring(cells), spikes, trace], activity(spikes, trace, v=(cells, "v")))

    ways.compare(make)


REGIONS = {
    "all": MODEL,
    "dend": "dw/dt = (v/mV/50 - w)/(5*ms) : 1\nJ = 0.02*mS/cm**2*w*(-80*mV - v) : amp/meter**2 (membrane current)",
    "soma": "da/dt = -a/(20*ms) : 1\nK = 0.2*mS/cm**2*a*(-90*mV - v) : amp/meter**2 (membrane current)",
}


def test_regions_and_a_reset(ways):
    def make():
        cells = population(model=REGIONS, reset="a += 0.3", threshold="v > -58*mV")
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells.at("soma"), ["v", "a"], record=[1, 9, 20])
        return Made([cells, ring(cells), spikes, trace], activity(spikes, trace, a=(trace, "a"), v=(cells, "v")))

    assert ways.compare(make)["a"].max() > 0.2


def test_a_refractory_condition(ways):
    def make():
        cells = population(refractory="v > -57*mV and n < 1e9")
        spikes = SpikeMonitor(cells)
        return Made([cells, ring(cells), spikes], activity(spikes, n=(cells, "n")))

    ways.compare(make)


# --- runs ----------------------------------------------------------------------------------------------------------


def test_several_runs_with_events_under_way(ways):
    def make():
        cells = population()
        synapses = ring(cells, 2.3 * ms)
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=[7], dt=0.3 * ms)

        def run(network):
            for duration in (3.1, 0.1, 0, 0.5, 2.9):
                network.run(duration * ms)
            synapses.delay = 1.7 * ms
            network.run(0.9 * ms)
            cells.at("soma").I = 0.2 * nA
            network.run(3 * ms)

        return Made([cells, synapses, spikes, trace], activity(spikes, trace, n=(cells, "n"), v=(cells, "v")), run)

    assert ways.compare(make)["n"].sum() > 5


def test_restoring_with_events_under_way(ways):
    def make():
        cells = population()
        synapses = plastic(cells.at("soma"), cells, "1*ms + 0.1*ms*(j % 9)")
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=[7])
        kept = {}

        def run(network):
            network.run(6.3 * ms)
            network.store("middle")
            network.run(5 * ms)
            kept["first"] = np.concatenate([spikes.t_, spikes.i, cells.v_[:], synapses.w_[:], trace.v_[0]])
            network.restore("middle")
            network.run(1.1 * ms)
            network.run(3.9 * ms)
            again = np.concatenate([spikes.t_, spikes.i, cells.v_[:], synapses.w_[:], trace.v_[0]])
            np.testing.assert_array_equal(again, kept["first"])

        return Made([cells, synapses, spikes, trace], activity(spikes, trace, w=(synapses, "w")), run)

    ways.compare(make)


def test_one_run_as_many(ways):
    """However a run is cut, results stay the same."""

    def make(pieces):
        cells = population()
        spikes = SpikeMonitor(cells)
        plan = Made([cells, ring(cells), spikes], activity(spikes, v=(cells, "v")))
        plan.run = lambda network: [network.run(p * ms) for p in pieces]
        return plan

    whole, cut = ways(lambda: make([9]), "epochs"), ways(lambda: make([0.1, 3.3, 0.2, 5.4]), "epochs")
    assert all(np.array_equal(whole[name], cut[name]) for name in whole)


@pytest.mark.parametrize("length", [2, 3, 1000])
def test_lengths_of_epochs(ways, monkeypatch, length):
    """An epoch lasts as long as the shortest delay, or less where it would take too long or too much memory."""
    monkeypatch.setattr(epochs, "_length", lambda *_: length)

    def make():
        cells = population()
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=[7], dt=0.2 * ms)
        objects = [cells, spikes, trace, *([ring(cells, 0.3 * ms)] if length <= 3 else [])]
        return Made(objects, activity(spikes, trace, v=(cells, "v")))

    ways.compare(make, numpy=False)


def test_buffers_that_fill_in_an_epoch(ways, monkeypatch):
    """Tables and lists are emptied and queues grow, wherever an epoch would end."""

    def make():
        cells = population()
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=[7, 8, 100])
        return Made([cells, ring(cells, "0.5*ms*(1 + i)"), spikes, trace], activity(spikes, trace, n=(cells, "n")))

    large = ways(make, "epochs")
    whole = Table.__init__, Events.__init__

    def small_table(self, width):
        whole[0](self, width)
        self.buffer = self.buffer[:7]

    def small_events(self, most, width=0):
        whole[1](self, most, width)
        self.buffer, self.extra = self.buffer[:most], self.extra[:most]

    monkeypatch.setattr(Table, "__init__", small_table)
    monkeypatch.setattr(Events, "__init__", small_events)
    small = ways.compare(make)
    assert all(np.array_equal(large[name], small[name]) for name in large)


def test_queues_that_grow(ways):
    """Very many events under way, of cells that spike in every step."""

    def make():
        cells = population(200, refractory=False, threshold="v > -1*volt")
        synapses = Synapses(cells.at("soma"), cells.at(3), on_pre="n_post += 1", name="long")
        synapses.connect(j="(i + 3) % N_post")
        synapses.delay = "0.5*ms + 60*ms*(i % 2)"
        spikes = SpikeMonitor(cells)

        def run(network):
            network.run(70 * ms)

        return Made([cells, synapses, spikes], activity(spikes, n=(cells, "n")), run)

    assert ways.compare(make, numpy=False)["n"].max() == 695


@pytest.mark.parametrize("cell", [2, 21])
def test_a_cell_that_becomes_infinite(ways, cell):
    """The error names the step within an epoch; monitors end with it, and what is restored runs again."""
    texts = {}
    for way in ("epochs", "steps"):

        def make(way=way):
            cells = population(model=MODEL + "bad : 1\nI_bad = exp(1e5*bad*(t > 3.25*ms))*pA : amp (point current)")
            cells.at("soma").bad = np.arange(24) == cell
            spikes, trace = SpikeMonitor(cells), StateMonitor(cells.at("soma"), "v", record=[cell, 0])

            def run(network):
                network.run(1 * ms)
                network.store()
                with pytest.raises(NumericalError) as caught:
                    network.run(9 * ms)
                texts[way] = str(caught.value)
                texts[way, "rows"] = trace.v_.shape, spikes.t_.max(initial=0)
                network.restore()
                network.run(2 * ms)

            return Made([cells, ring(cells), spikes, trace], activity(spikes, trace, v=(cells, "v")), run)

        texts[way, "after"] = ways(make, way)
        assert all((plan is not None) == (way == "epochs") for plan in ways.plans)
    assert texts["epochs"] == texts["steps"] and "cells" in texts["steps"]
    assert texts["epochs", "rows"] == texts["steps", "rows"]
    for name, value in texts["steps", "after"].items():
        np.testing.assert_array_equal(texts["epochs", "after"][name], value)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to processes of POSIX here")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_is_answered_soon(ways, threads):
    """All cells are at the same time then, and go on as if nothing had been."""

    def make(interrupted):
        cells = population(400)
        spikes = SpikeMonitor(cells)

        def run(network):
            if interrupted:
                sent = []

                def interrupt():
                    sent.append(time.perf_counter())
                    os.kill(os.getpid(), signal.SIGINT)

                threading.Timer(0.2, interrupt).start()
                with pytest.raises(KeyboardInterrupt):
                    network.run(1e9 * ms)
                took.append(time.perf_counter() - sent[0])
                steps.append(round(network.t_ / 1e-4))
            else:
                network.run(steps[-1] * 0.1 * ms)
            network.run(1 * ms)

        results = {"v": (cells, "v"), "n": (cells, "n")}
        return Made([cells, ring(cells), spikes], activity(spikes, **results), run)

    took, steps = [], []
    stopped = ways(lambda: make(True), "epochs", threads)
    assert took[0] < 0.2 and steps[0] > 0
    whole = ways(lambda: make(False), "epochs", threads)
    for name, value in whole.items():
        np.testing.assert_array_equal(stopped[name], value, name)


# --- networks of all kinds ------------------------------------------------------------------------------------------

KINDS = some.sampled_from(["cells", "others", "neurons", "poisson", "timed"])
LINK = some.tuples(
    KINDS, some.sampled_from(["cells", "others", "neurons"]), some.sampled_from(["now", "later", "each"]),
    some.sampled_from(["add", "set", "learn"]), some.integers(0, 2**16),
)  # fmt: skip
CODE = {
    ("add", True): {"on_pre": "g_post += 6*nS"}, ("add", False): {"on_pre": "u_post += 0.2"},
    ("set", True): {"on_pre": "n_post = n_post*3 % 101 + i"}, ("set", False): {"on_pre": "m_post = m_post*3 % 101 + i"},
    ("learn", True): {"model": "w : 1", "on_pre": "n_post += w", "on_post": "w = w*0.5 + 1"},
    ("learn", False): {"model": "w : 1", "on_pre": "m_post += w", "on_post": "w = w*0.5 + 1"},
}  # fmt: skip


def linked(groups, links):
    """Synapses between groups, as `LINK` describes them."""
    made = []
    for k, (source, target, delay, code, number) in enumerate(links):
        rng = np.random.default_rng(number)
        here = groups[source].at("soma") if source in ("cells", "others") else groups[source]
        # What happens afterwards is that of a cell only where there is one target for each.
        there = groups[target].at(int(rng.integers(0, 5))) if target != "neurons" else groups[target]
        one = Synapses(here, there, name=f"link{k}", **CODE[code, target != "neurons"])
        count = int(rng.integers(0, 30))
        i, j = rng.integers(0, here.N, count), rng.integers(0, there.N, count)
        if rng.random() < 0.5:
            i, j = np.arange(min(here.N, there.N)), np.arange(min(here.N, there.N))
        one.connect(i=i, j=j) if len(i) else one.connect(False)
        one.pre.delay = {"now": 0 * ms, "later": 0.7 * ms, "each": rng.uniform(0.2, 2.5, len(i)) * ms}[delay]
        made.append(one)
    return made


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    counts=some.tuples(some.integers(9, 40), some.integers(2, 20), some.integers(1, 20)),
    links=some.lists(LINK, max_size=4), dt=some.sampled_from([0.1, 0.2]), recorded=some.booleans(),
)  # fmt: skip
def test_any_network(ways, counts, links, dt, recorded):
    def make():
        groups = {
            "cells": population(counts[0]),
            "others": population(counts[1], name="others", dt=dt * ms, refractory=False, reset="n += 1"),
            "neurons": NeuronGroup(counts[2], "du/dt = (1.5 - u)/(4*ms) : 1 (unless refractory)\nm : 1", name="neurons",
                                   threshold="u > 1", reset="u = 0", refractory=1 * ms, method="exact"),
            "poisson": PoissonGroup(15, 100 * Hz, name="poisson"),
            "timed": SpikeGeneratorGroup(12, np.arange(12), 0.3 * np.arange(12) * ms, name="timed"),
        }  # fmt: skip
        groups["neurons"].u = "0.07*i % 1"
        synapses = linked(groups, links)
        spikes = [SpikeMonitor(groups[name]) for name in groups]
        trace = [StateMonitor(groups["cells"], ["v", "g"], record=[0, 43], dt=0.2 * ms)] if recorded else []

        def results():
            found = {f"{k}{name}": getattr(m, name) for k, m in enumerate(spikes) for name in ("i", "t_")}
            found |= {f"{name}{k}": getattr(groups[k], f"{name}_")[:] for k in ("cells", "others") for name in "vgn"}
            found |= {f"w{k}": one.w_[:] for k, one in enumerate(synapses) if hasattr(one, "w_")}
            found |= {"u": groups["neurons"].u_[:], "m": groups["neurons"].m_[:]}
            return found | ({"trace": trace[0].v_} if trace else {})

        def run(network):
            network.run(3.3 * ms)
            network.run(2.7 * ms)

        return Made([*groups.values(), *synapses, *spikes, *trace], results, run)

    ways.compare(make, epochs=None, threads=[2])
