"""The demo: a cell from a file, channels as equations, a current at the soma, a spike, two pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.devices.base import Device
from rall.devices.compiler import seconds_compiling
from rall.errors import NotSupportedError, RallError
from rall.morphology import Morphology
from rall.morphology.tree import Tree
from rall.only import (
    Equations,
    Network,
    SpatialNeuron,
    SpikeMonitor,
    StateMonitor,
    cm,
    get_device,
    ms,
    mV,
    nA,
    ohm,
    plot_traces,
    uF,
    um,
    view3d,
)

__all__ = ["MODEL", "Outcome", "Settings", "demonstrate", "input_conductance"]

#: The squid's channels (Hodgkin and Huxley, J Physiol 117:500, 1952, at 6.3 C), written for a rest of -65 mV.
MODEL = """
Im = g_leak*(E_leak - v) + g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v) : amp/meter**2
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
alpha_m = 1/exprel(-(v + 40*mV)/(10*mV))/ms     : hertz
beta_m  = 4*exp(-(v + 65*mV)/(18*mV))/ms        : hertz
alpha_h = 0.07*exp(-(v + 65*mV)/(20*mV))/ms     : hertz
beta_h  = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms  : hertz
alpha_n = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms   : hertz
beta_n  = 0.125*exp(-(v + 65*mV)/(80*mV))/ms    : hertz
g_leak = 0.3*mS/cm**2 : siemens/meter**2
g_Na = 120*mS/cm**2   : siemens/meter**2
g_K = 36*mS/cm**2     : siemens/meter**2
E_leak = -54.3*mV     : volt
E_Na = 50*mV          : volt
E_K = -77*mV          : volt
I : amp (point current)
"""
_REST, _RESISTIVITY, _CAPACITANCE = -65.0, 100.0, 1.0  # mV, ohm cm, uF/cm2
_DT, _FRAME = 0.025, 0.1  # ms
_ONSET, _DURATION, _PATIENCE = 1.0, 30.0, 20.0  # ms: start of the current, end of the run, wait for a spike
_DEPOLARISED = 15.0  # mV by which the steady current would move the soma if no channel opened
_TRIALS = 12
_UNDER_WAY = 1.5  # ms after a spike at the soma in which the picture is taken


@dataclass(frozen=True)
class Settings:
    """What the demo is to do.

    Parameters
    ----------
    file : Path
        The morphology.
    folder : Path
        Where the pictures go.
    scale : float, optional
        Micrometres in one unit of the file.
    min_radius : float, optional
        Radii from 0 to this (um) are raised to it.
    soma : str
        As of `Morphology.from_file`.
    max_length : float
        Longest compartment (um).
    """

    file: Path
    folder: Path
    scale: float | None = None
    min_radius: float | None = None
    soma: str = "sphere"
    max_length: float = 20.0


@dataclass
class Outcome:
    """What the demo has done.

    Attributes
    ----------
    tree : Tree
        The compartments.
    device : Device
        Where it ran.
    method : str
        How the cable was stepped.
    site : str
        Where the current entered.
    amplitude : float
        The current (nA).
    onset, end : float
        When it began and ended (ms).
    spikes : array of float
        Times of spikes there (ms).
    seconds : dict of str to float
        Wall time of each part.
    pictures : list of Path
        What was written.
    missing : list of str
        Why a picture was not written.
    """

    tree: Tree
    device: Device
    method: str = ""
    site: str = ""
    amplitude: float = 0.0
    onset: float = _ONSET
    end: float = _DURATION
    spikes: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    seconds: dict[str, float] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add up the wall time of a part; what the compiler takes of it is counted by itself."""
        began, compiled = time.perf_counter(), seconds_compiling()
        yield
        compiling = seconds_compiling() - compiled
        for name, took in ((part, time.perf_counter() - began - compiling), ("compiling", compiling)):
            self.seconds[name] = self.seconds.get(name, 0.0) + took


def demonstrate(settings: Settings) -> Outcome:
    """Read a cell, make it fire and draw it.

    Parameters
    ----------
    settings : Settings
        What is wanted.

    Returns
    -------
    Outcome
        What was done, to be shown.

    Raises
    ------
    RallError
        If the morphology cannot be used, or the cell cannot be made to fire.
    """
    began = time.perf_counter()
    radius = None if settings.min_radius is None else settings.min_radius * um
    morphology = Morphology.from_file(settings.file, settings.soma, settings.scale, radius)
    morphology = morphology.discretize(max_length=settings.max_length * um)
    tree = morphology.flatten()
    read = time.perf_counter() - began
    compiled = seconds_compiling()
    outcome = Outcome(tree, get_device())
    outcome.seconds |= {"reading": read, "compiling": seconds_compiling() - compiled}
    with outcome.timed("building"):
        experiment = _Experiment(morphology, outcome)
        experiment.prepare()
    with outcome.timed("running"):
        experiment.fire()
    with outcome.timed("drawing"):
        experiment.draw(settings.folder)
    return outcome


class _Experiment:
    """The cell with its electrodes."""

    def __init__(self, morphology: Morphology, outcome: Outcome) -> None:
        tree = outcome.tree
        somatic = np.flatnonzero(tree.type == 1)
        self.site = int(somatic[0]) if len(somatic) else 0
        outcome.site = "the soma" if len(somatic) else "the root (there is no soma)"
        self.outcome = outcome
        self.cell = SpatialNeuron(
            morphology=morphology,
            model=Equations(MODEL),
            Cm=_CAPACITANCE * uF / cm**2,
            Ri=_RESISTIVITY * ohm * cm,
            threshold="v > 0*mV",
            refractory="v > 0*mV",
            threshold_location=self.site,
            dt=_DT * ms,
        )
        self.cell.initialise(v=_REST * mV)
        self.places = _electrodes(tree, self.site)
        self.everywhere = StateMonitor(self.cell, "v", record=True, dt=_FRAME * ms)
        self.traces = StateMonitor(self.cell, "v", record=list(self.places.values()))
        self.spikes = SpikeMonitor(self.cell)
        self.network = Network(self.cell, self.everywhere, self.traces, self.spikes)
        outcome.method = self.cell.cable_method_used

    def prepare(self) -> None:
        """Compile everything without a step, so that it is not counted as running."""
        self.network.run(0 * ms)
        self.network.store()

    def fire(self) -> None:
        """Inject a current, doubled until there is a spike."""
        cell, tree = self.cell, self.outcome.tree
        membrane = np.asarray(cell.Cm / cell.time_constant * cell.area)
        amplitude = _round_up(_DEPOLARISED * 1e6 * input_conductance(tree, membrane, _RESISTIVITY))
        for _ in range(_TRIALS):
            self.network.run(_ONSET * ms)
            self.cell.I[self.site] = amplitude * nA
            self.network.run((_DURATION - _ONSET) * ms)
            times = np.asarray(self.spikes.t / ms)
            if len(times) and times[0] < _ONSET + _PATIENCE:
                self.outcome.amplitude, self.outcome.spikes = amplitude, times
                return
            self.network.restore()
            amplitude *= 2
        raise RallError(
            f"no spike within {_PATIENCE:g} ms at up to {amplitude / 2:g} nA; is the cell's size in um? "
            "`rall check FILE` shows its measures, and --scale changes its unit"
        )

    def draw(self, folder: Path) -> None:
        """Write both pictures, as far as the machine can."""
        moment = _telling_moment(self.outcome.tree, self.everywhere, float(self.outcome.spikes[0]))
        for write in (self._draw_cell, self._draw_traces):
            try:
                self.outcome.pictures.append(write(folder, moment))
            except NotSupportedError as problem:
                self.outcome.missing.append(str(problem))

    def _draw_cell(self, folder: Path, moment: float) -> Path:
        view = view3d(self.cell, self.everywhere, limits=(-80 * mV, 40 * mV))
        picture: Path = view.screenshot(folder / "spike.png", t=moment * ms)
        return picture

    def _draw_traces(self, folder: Path, moment: float) -> Path:
        t, v = np.asarray(self.traces.t / ms), np.asarray(self.traces.v / mV)
        axes: Any = plot_traces(t, v, list(self.places))
        axes.axvline(moment, color="0.7", linewidth=0.8, zorder=0)
        axes.legend(frameon=False, ncols=len(self.places), loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axes.figure.savefig(folder / "traces.png", dpi=150)
        return folder / "traces.png"


def input_conductance(tree: Tree, membrane: NDArray[np.float64], resistivity: float) -> float:
    """Conductance that a steady current meets at the first compartment of a passive tree.

    From the tips on, each node adds its branch (its load in series with the axial resistance) to its parent:
    Rall's rule (Exp Neurol 1:491, 1959).

    Parameters
    ----------
    tree : Tree
        The compartments.
    membrane : array of float, shape (n,)
        Membrane conductance of each (siemens).
    resistivity : float
        In ohm cm.

    Returns
    -------
    float
        In siemens.
    """
    graph = tree.conductance_graph()
    load = np.zeros(len(graph))
    load[: tree.n] = membrane
    series = graph.resistance * resistivity * 1e4  # 1/um times ohm cm is 1e4 ohm
    for node in graph.order[:0:-1].tolist():
        if load[node] > 0:
            load[graph.parent[node]] += 1 / (1 / load[node] + series[node])
    return float(load[0])


def _electrodes(tree: Tree, site: int) -> dict[str, int]:
    """Compartments to record: where the current enters, the farthest tip, and half-way to it."""
    distance = np.where(tree.type == 2, -1.0, tree.distance)  # dendrites rather than the axon
    tip = int(np.argmax(distance if (distance >= 0).sum() > 1 else tree.distance))
    middle = tip
    while tree.parent[middle] >= 0 and tree.distance[middle] > tree.distance[tip] / 2:
        middle = int(tree.parent[middle])
    start = "soma" if tree.type[site] == 1 else "root"
    near, far = (f"{tree.distance[k]:.0f} \N{MICRO SIGN}m" for k in (middle, tip))
    return {start: site, f"dendrite, {near}": middle, f"farthest tip, {far}": tip}


def _telling_moment(tree: Tree, monitor: Any, spike: float) -> float:
    """When the voltage differs most along the tree (ms), soon after a spike: it is under way there."""
    t, v = np.asarray(monitor.t / ms), np.asarray(monitor.v / mV)
    share = tree.length[:, None] / tree.length.sum()
    spread = (share * (v - (share * v).sum(axis=0)) ** 2).sum(axis=0)
    soon = (t >= spike) & (t <= spike + _UNDER_WAY)
    return float(t[int(np.argmax(np.where(soon, spread, -1.0)))])


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(min(f * power for f in (1, 2, 5, 10) if f * power >= value * (1 - 1e-9)))
