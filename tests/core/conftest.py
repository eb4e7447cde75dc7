"""Fresh preferences, seed and clock for every test, and hand-made components without equations."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from rall.ir.parse import parse
from rall.model import SHARED, Assign, Check, Domain, Elementwise, Layout, Record, Variable
from rall.recording import Table
from rall.session import SimulationObject, defaultclock, prefs, session

# For `stepping` and `plain_group`, which several files here use.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def fresh_session():
    kept = dict(prefs._set), session.device, session.settings, defaultclock.dt_
    yield
    prefs._set.clear()
    prefs._set.update(kept[0])
    session.device, session.settings, defaultclock.dt_ = kept[1], kept[2], kept[3]


class Decay(SimulationObject):
    """x' = -rate x by Euler's method, with a check and a recording of x."""

    def __init__(self, n=3, rate=100.0, extra="", **keywords):
        super().__init__(**keywords)
        self.domain = Domain(self.name, Layout(n))
        self.x = Variable("x", self.domain)
        self.x.set(np.arange(n) + 1.0)
        self.rate = Variable("rate", SHARED, role="parameter")
        self.rate.array[0] = rate
        self.table = Table(n)
        self.text = f"x - dt*rate*x{extra}"
        self.calls = []

    def before_run(self, namespace):
        self.calls.append(("before", namespace))

    def after_run(self):
        self.calls.append(("after", None))

    def operations(self, model):
        n = self.domain.size
        rows = [(self.x, np.arange(n), np.ones(n), np.arange(n + 1))]
        yield Record(name=f"{self.name}!record", clock=self.clock, when="start", rows=rows, table=self.table)
        bindings = {"x": self.x, "dt": self.clock.dt_variable, "rate": self.rate}
        if "rand" in self.text:
            stream = Variable("_stream", SHARED, kind="integer")
            stream.array[0] = self.stream
            element = Variable("_element", self.domain, kind="integer")
            element.set(np.arange(n))
            bindings.update(
                _seed=model.seed, _stream=stream, _step=self.clock.step_variable, _element=element
            )
        yield Elementwise(
            name=f"{self.name}!update", clock=self.clock, domain=self.domain,
            statements=[Assign("x", parse(self.text).node)], bindings=bindings,
        )  # fmt: skip
        yield Check(name=f"{self.name}!check", clock=self.clock, when="end", variable=self.x)

    def state(self):
        return {"x": self.x.array, "table": self.table.values()}

    def set_state(self, state):
        self.x.array[:] = state["x"]
        self.table.replace(state["table"])

    def growing(self):
        return {"table": "records"}

    def signature(self):
        return f"Decay of {self.domain.size}"

    def describe_element(self, index):
        return f"place {index} of {self.name}"

    @property
    def trace(self):
        return self.table.values()[:, 0]


@pytest.fixture
def decay():
    """Makes components."""
    return Decay
